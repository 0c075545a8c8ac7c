//! What editors do that is not in the book: files without a place, names with blanks, other
//! ends of lines, very large files, files that get other names, and a way out in any order.

mod support;

use serde_json::{Value, json};
use support::{Editor, codes, range, uri};

#[test]
fn a_text_that_is_no_file_is_let_be() {
    let mut editor = Editor::start(&[], &[], Editor::pulling());
    let document = json!({ "uri": "untitled:Untitled-1" });
    editor.notify(
        "textDocument/didOpen",
        json!({ "textDocument": {
            "uri": "untitled:Untitled-1", "languageId": "img", "version": 1, "text": "{ a = none; }",
        } }),
    );
    for method in ["textDocument/documentSymbol", "textDocument/codeLens"] {
        let answer = editor.ask(method, json!({ "textDocument": document }));
        assert_eq!(answer, Value::Null);
    }
    let report = editor.ask(
        "textDocument/diagnostic",
        json!({ "textDocument": document }),
    );
    assert_eq!(report, json!({ "kind": "full", "items": [] }));
    editor.notify("textDocument/didClose", json!({ "textDocument": document }));
    editor.end();
}

#[test]
fn names_with_blanks_and_other_letters() {
    let mut editor = Editor::start(
        &[("/my app/ä b.img", "{ x = none; }")],
        &[],
        Editor::pulling(),
    );
    // Editors write the same address in several ways.
    for name in [
        "file:///my%20app/%C3%A4%20b.img",
        "file:///my%20app/%c3%a4%20b.img",
    ] {
        let answer = editor.ask(
            "textDocument/hover",
            json!({ "textDocument": { "uri": name }, "position": { "line": 0, "character": 2 } }),
        );
        assert_eq!(answer, Value::Null);
        editor.notify(
            "textDocument/didOpen",
            json!({ "textDocument": {
                "uri": name, "languageId": "img", "version": 1, "text": "{ x = 1; }",
            } }),
        );
        let hover = editor.ask(
            "textDocument/hover",
            json!({ "textDocument": { "uri": name }, "position": { "line": 0, "character": 2 } }),
        );
        assert!(!hover.is_null());
        editor.notify(
            "textDocument/didClose",
            json!({ "textDocument": { "uri": name } }),
        );
    }
    editor.end();
}

#[test]
fn lines_that_end_in_two_characters() {
    let text = "let\r\n  a = \"😀ä\"; b = none;\r\nin [a, b]\r\n";
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", text);
    let found = editor.diagnostics("/app/a.img", Some(1), |found| !found.is_empty());
    assert_eq!(found[0]["range"], range(1, 17, 21));
    let version = editor.change("/app/a.img", range(1, 17, 21), "\"1\"");
    editor.diagnostics("/app/a.img", Some(version), <[Value]>::is_empty);
    let changes = editor.ask(
        "textDocument/rename",
        json!({
            "textDocument": { "uri": uri("/app/a.img") },
            "position": { "line": 1, "character": 13 },
            "newName": "c",
        }),
    );
    let edits = changes["documentChanges"][0]["edits"].as_array();
    let edits = edits.expect("edits");
    assert_eq!(edits[0]["range"], range(1, 13, 14));
    assert_eq!(edits[1]["range"], range(2, 7, 8));
    // A place behind the end of a line is its end, before what ends it.
    let version = editor.change("/app/a.img", range(2, 9, 99), " ++ none");
    let found = editor.diagnostics("/app/a.img", Some(version), |found| !found.is_empty());
    assert_eq!(codes(&found), ["IMG0201"]);
    editor.end();
}

#[test]
fn what_is_put_in_ends_its_lines_as_the_file_does() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open(
        "/app/a.img",
        "let\r\n  a = 1;\r\nin debian.image { a = a; }\r\n",
    );
    let actions = editor.ask(
        "textDocument/codeAction",
        json!({
            "textDocument": { "uri": uri("/app/a.img") },
            "range": range(2, 4, 4),
            "context": { "diagnostics": [] },
        }),
    );
    let edits = &actions[0]["edit"]["documentChanges"][0]["edits"];
    let text = edits[0]["newText"].as_str().expect("a text");
    assert!(text.contains("\r\n"), "{actions}");
    assert!(!text.replace("\r\n", "").contains('\n'), "{text:?}");
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let format = json!({ "textDocument": { "uri": uri("/app/a.img") }, "options": options });
    let edits = editor.ask("textDocument/formatting", format.clone());
    let edits = edits.as_array().expect("edits");
    let texts = edits.iter().filter_map(|edit| edit["newText"].as_str());
    let texts: String = texts.collect();
    assert!(!texts.replace("\r\n", "").contains('\n'), "{texts:?}");
    // A file that is in the style is let be.
    editor.open("/app/b.img", "let\r\n  a = 1;\r\nin a\r\n");
    let format = json!({ "textDocument": { "uri": uri("/app/b.img") }, "options": options });
    assert_eq!(editor.ask("textDocument/formatting", format), json!([]));
    editor.end();
}

#[test]
fn a_very_large_file() {
    let mut text = String::from("let\n");
    let mut number = 0;
    while text.len() < 2_000_000 {
        let words = "wörter ".repeat(120);
        text.push_str(&format!("  binding{number} = \"{words}\";\n"));
        number += 1;
    }
    text.push_str("in binding1\n");
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", &text);
    editor.diagnostics("/app/a.img", Some(1), |_| true);
    let last = number as u32 + 1;
    let version = editor.change("/app/a.img", range(last, 3, 11), "none");
    let found = editor.diagnostics("/app/a.img", Some(version), |found| !found.is_empty());
    assert!(codes(&found).contains(&"IMG0201".to_owned()), "{found:?}");
    editor.end();
}

#[test]
fn files_outside_of_all_folders_are_projects_of_their_own() {
    let files = [
        ("/app/a.img", "{ a = 1; }"),
        ("/else/b.img", "{ b = none; }"),
    ];
    let mut editor = Editor::start(&files, &["/app"], Editor::usual());
    editor.open("/else/b.img", "{ b = none; }");
    let found = editor.diagnostics("/else/b.img", Some(1), |found| !found.is_empty());
    assert_eq!(codes(&found), ["IMG0201"]);
    editor.close("/else/b.img");
    editor.end();
}

#[test]
fn an_open_file_that_is_deleted_stays_as_it_is_written() {
    let files = [("/app/a.img", "{ a = 1; }")];
    let mut editor = Editor::start(&files, &["/app"], Editor::usual());
    editor.open("/app/a.img", "{ a = none; }");
    editor.diagnostics("/app/a.img", Some(1), |found| !found.is_empty());
    editor.disk.remove("/app/a.img");
    editor.notify(
        "workspace/didChangeWatchedFiles",
        json!({ "changes": [{ "uri": uri("/app/a.img"), "type": 3 }] }),
    );
    let symbols = editor.ask(
        "textDocument/documentSymbol",
        json!({ "textDocument": { "uri": uri("/app/a.img") } }),
    );
    assert_eq!(symbols[0]["name"], "a");
    editor.close("/app/a.img");
    editor.diagnostics("/app/a.img", None, <[Value]>::is_empty);
    editor.end();
}

#[test]
fn imports_follow_a_file_that_gets_another_name() {
    let app = "let lib = import ./lib.img; in lib.a";
    let files = [("/app/lib.img", "{ a = 1; }"), ("/app/app.img", app)];
    let mut editor = Editor::start(&files, &["/app"], Editor::usual());
    let can = &editor.capabilities["workspace"]["fileOperations"];
    assert!(!can["willRename"].is_null() && !can["didRename"].is_null());
    editor.open("/app/app.img", app);
    let renamed = json!({ "files": [
        { "oldUri": uri("/app/lib.img"), "newUri": uri("/app/parts/base.img") },
    ] });
    let changes = editor.ask("workspace/willRenameFiles", renamed.clone());
    let changes = &changes["documentChanges"];
    assert_eq!(changes.as_array().map(Vec::len), Some(1));
    assert_eq!(changes[0]["textDocument"]["uri"], uri("/app/app.img"));
    assert_eq!(changes[0]["textDocument"]["version"], 1);
    assert_eq!(changes[0]["edits"][0]["newText"], "./parts/base.img");
    assert_eq!(changes[0]["edits"][0]["range"], range(0, 17, 26));
    // The editor does both.
    let version = editor.change("/app/app.img", range(0, 17, 26), "./parts/base.img");
    editor.disk.remove("/app/lib.img");
    editor.disk.write("/app/parts/base.img", "{ a = 1; }");
    editor.notify("workspace/didRenameFiles", renamed);
    editor.diagnostics("/app/app.img", Some(version), <[Value]>::is_empty);
    let symbols = editor.ask("workspace/symbol", json!({ "query": "a" }));
    assert_eq!(symbols[0]["location"]["uri"], uri("/app/parts/base.img"));
    // To where no project is, no path leads.
    let outside = json!({ "files": [
        { "oldUri": uri("/app/parts/base.img"), "newUri": uri("/else/base.img") },
    ] });
    assert_eq!(
        editor.ask("workspace/willRenameFiles", outside),
        Value::Null
    );
    editor.end();
}

#[test]
fn settings_and_other_notices_change_nothing() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", "{ a = 1; }");
    editor.notify(
        "workspace/didChangeConfiguration",
        json!({ "settings": null }),
    );
    editor.notify("$/setTrace", json!({ "value": "verbose" }));
    editor.notify("textDocument/willSave", json!({ "textDocument": 7 }));
    let id = editor.send("$/unknown", json!({}));
    assert_eq!(editor.response(id).error.expect("an error").code, -32601);
    let hover = editor.at("textDocument/hover", "/app/a.img", 0, 2);
    assert!(!hover.is_null());
    editor.end();
}

#[test]
fn after_the_end_is_said_only_the_end_is_heard() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", "{ a = 1; }");
    editor.diagnostics("/app/a.img", Some(1), |_| true);
    editor.ask("shutdown", Value::Null);
    editor.close("/app/a.img");
    editor.notify("$/cancelRequest", json!({ "id": 1 }));
    let id = editor.send("textDocument/hover", json!({}));
    assert_eq!(editor.response(id).error.expect("an error").code, -32600);
    // As often as it is said.
    editor.end();
}
