//! The protocol, question by question, over a connection in memory.

mod support;

use serde_json::{Value, json};
use support::{Editor, codes, range, uri};

const LIB: &str = "let\n  ## The port.\n  port = 8080;\nin {\n  port;\n  double = x => x * 2;\n}\n";
const APP: &str = "let\n  lib = import ./lib.img;\nin {\n  a = lib.double lib.port;\n}\n";

fn editor() -> Editor {
    let files = [("/app/lib.img", LIB), ("/app/app.img", APP)];
    let mut editor = Editor::start(&files, &["/app"], Editor::usual());
    editor.open("/app/app.img", APP);
    editor
}

#[test]
fn the_server_says_what_it_can_do() {
    let editor = editor();
    let can = &editor.capabilities;
    assert_eq!(can["positionEncoding"], "utf-16");
    for name in [
        "hoverProvider",
        "completionProvider",
        "signatureHelpProvider",
        "definitionProvider",
        "referencesProvider",
        "documentHighlightProvider",
        "documentSymbolProvider",
        "workspaceSymbolProvider",
        "codeActionProvider",
        "codeLensProvider",
        "documentFormattingProvider",
        "documentRangeFormattingProvider",
        "documentOnTypeFormattingProvider",
        "renameProvider",
        "documentLinkProvider",
        "foldingRangeProvider",
        "selectionRangeProvider",
        "callHierarchyProvider",
        "inlayHintProvider",
        "semanticTokensProvider",
        "diagnosticProvider",
    ] {
        assert!(!can[name].is_null(), "{name}");
    }
    editor.end();
}

#[test]
fn hover_and_places() {
    let mut editor = editor();
    let hover = editor.at("textDocument/hover", "/app/app.img", 3, 22);
    let text = hover["contents"]["value"].as_str().expect("words");
    assert!(
        text.contains("port : Int") && text.contains("The port."),
        "{text}"
    );
    assert_eq!(hover["range"], range(3, 21, 25));
    let found = editor.at("textDocument/definition", "/app/app.img", 3, 10);
    assert_eq!(found[0]["uri"], uri("/app/lib.img"));
    assert_eq!(found[0]["range"], range(5, 2, 8));
    let found = editor.ask(
        "textDocument/references",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "position": { "line": 3, "character": 10 },
            "context": { "includeDeclaration": true },
        }),
    );
    let files: Vec<&str> = found
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|found| found["uri"].as_str())
        .collect();
    assert_eq!(files, [uri("/app/app.img"), uri("/app/lib.img")]);
    let found = editor.at("textDocument/documentHighlight", "/app/app.img", 1, 3);
    assert_eq!(found.as_array().map(Vec::len), Some(3));
    let found = editor.ask(
        "textDocument/documentLink",
        json!({ "textDocument": { "uri": uri("/app/app.img") } }),
    );
    assert_eq!(found[0]["target"], uri("/app/lib.img"));
    editor.end();
}

#[test]
fn a_module_of_imgc_is_opened_as_a_file() {
    let text = "let debian = import std/debian; in debian.image { }";
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", text);
    let found = editor.at("textDocument/definition", "/app/a.img", 0, 44);
    assert_eq!(found[0]["uri"], uri("/cache/debian.img"));
    let module = imgc_stdlib::module("debian").expect("a module");
    editor.open("/cache/debian.img", module);
    let line = found[0]["range"]["start"]["line"].as_u64().expect("a line");
    let column = found[0]["range"]["start"]["character"].as_u64();
    let hover = editor.at(
        "textDocument/hover",
        "/cache/debian.img",
        line as u32,
        column.expect("a column") as u32,
    );
    let words = hover["contents"]["value"].as_str().expect("words");
    assert!(words.contains("debianImage : {"), "{words}");
    assert!(words.contains("An image of packages"), "{words}");
    editor.end();
}

#[test]
fn completion_and_its_documentation() {
    let mut editor = editor();
    editor.change("/app/app.img", range(3, 10, 25), "");
    let found = editor.at("textDocument/completion", "/app/app.img", 3, 10);
    let items = found["items"].as_array().expect("a list").clone();
    let labels: Vec<&str> = items
        .iter()
        .filter_map(|item| item["label"].as_str())
        .collect();
    assert_eq!(labels, ["double", "port"]);
    let resolved = editor.ask("completionItem/resolve", items[1].clone());
    assert_eq!(resolved["documentation"]["value"], "The port.");
    let help = editor.change("/app/app.img", range(3, 6, 10), "map ");
    assert_eq!(help, 3);
    let help = editor.at("textDocument/signatureHelp", "/app/app.img", 3, 10);
    let signature = &help["signatures"][0];
    assert_eq!(signature["label"], "map : (a -> b) -> [a] -> [b]");
    assert_eq!(signature["parameters"][0]["label"], json!([6, 14]));
    assert_eq!(help["activeParameter"], 0);
    editor.end();
}

#[test]
fn snippets_only_where_they_are_known() {
    let text = "image { con }";
    for (capabilities, wanted) in [
        (Editor::usual(), "config = { ${0} \\};"),
        (json!({}), "config = {  };"),
    ] {
        let mut editor = Editor::start(&[], &[], capabilities);
        editor.open("/app/a.img", text);
        let found = editor.at("textDocument/completion", "/app/a.img", 0, 11);
        let item = &found["items"][0];
        assert_eq!(item["textEdit"]["newText"], wanted);
        assert_eq!(item["textEdit"]["range"], range(0, 8, 11));
        editor.end();
    }
}

#[test]
fn packages_come_from_the_lock_and_change_with_it() {
    let text = "let debian = import std/debian; in debian.image { packages = [\"tz\"]; }";
    let mut editor = Editor::start(&[("/app/imgc.lock", "2025b-4")], &[], Editor::usual());
    editor.open("/app/a.img", text);
    let found = editor.at("textDocument/completion", "/app/a.img", 0, 65);
    assert_eq!(found["isIncomplete"], true);
    assert_eq!(found["items"][0]["label"], "tzdata");
    assert_eq!(found["items"][0]["detail"], "2025b-4");
    editor.disk.write("/app/imgc.lock", "2026a-1");
    editor.notify(
        "workspace/didChangeWatchedFiles",
        json!({ "changes": [{ "uri": uri("/app/imgc.lock"), "type": 2 }] }),
    );
    let found = editor.at("textDocument/completion", "/app/a.img", 0, 65);
    assert_eq!(found["items"][0]["detail"], "2026a-1");
    editor.end();
}

#[test]
fn packages_are_read_before_anybody_asks() {
    let mut editor = Editor::start(&[("/app/imgc.lock", "2025b-4")], &[], Editor::usual());
    editor.open("/app/inner/a.img", "let a = 1; in b");
    let prepared = |editor: &Editor| {
        let files = editor.disk.0.lock().expect("nobody panics with it");
        files.get("/prepared/inner").cloned()
    };
    for _ in 0..12_000 {
        if prepared(&editor).is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(prepared(&editor).as_deref(), Some("2025b-4"));
    editor.end();
}

#[test]
fn formatting_is_not_overtaken_by_other_files() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", "let\n a  = 1;\nin a\n");
    editor.open("/app/b.img", "1\n");
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let format = json!({ "textDocument": { "uri": uri("/app/a.img") }, "options": options });
    for round in 0..200 {
        let asked = editor.send("textDocument/formatting", format.clone());
        editor.change("/app/b.img", Value::Null, &format!("{round}\n"));
        let response = editor.response(asked);
        assert!(response.error.is_none(), "{round}: {:?}", response.error);
        let edits = response.result.expect("edits");
        assert_eq!(edits.as_array().map(Vec::len), Some(2), "{round}: {edits}");
    }
    editor.end();
}

#[test]
fn rename_changes_two_files() {
    let mut editor = editor();
    let prepared = editor.at("textDocument/prepareRename", "/app/app.img", 3, 10);
    assert_eq!(prepared, range(3, 10, 16));
    let changes = editor.ask(
        "textDocument/rename",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "position": { "line": 3, "character": 10 },
            "newName": "twice",
        }),
    );
    let changes = changes["documentChanges"].as_array().expect("changes");
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0]["textDocument"]["version"], 1);
    assert_eq!(changes[0]["edits"][0]["newText"], "twice");
    // A file that is not open has no version.
    assert_eq!(changes[1]["textDocument"]["uri"], uri("/app/lib.img"));
    assert_eq!(changes[1]["textDocument"]["version"], Value::Null);
    let id = editor.send(
        "textDocument/rename",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "position": { "line": 3, "character": 10 },
            "newName": "let",
        }),
    );
    let error = editor.response(id).error.expect("it is refused");
    assert!(error.message.contains("`let` is not a name"), "{error:?}");
    editor.end();
}

#[test]
fn outlines() {
    let mut editor = editor();
    let document = json!({ "textDocument": { "uri": uri("/app/app.img") } });
    let symbols = editor.ask("textDocument/documentSymbol", document.clone());
    assert_eq!(symbols[0]["name"], "lib");
    assert_eq!(symbols[1]["name"], "a");
    let symbols = editor.ask("workspace/symbol", json!({ "query": "dbl" }));
    assert_eq!(symbols[0]["name"], "double");
    assert_eq!(symbols[0]["location"]["uri"], uri("/app/lib.img"));
    let folds = editor.ask("textDocument/foldingRange", document);
    assert_eq!(folds[0]["startLine"], 0);
    let ranges = editor.ask(
        "textDocument/selectionRange",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "positions": [{ "line": 3, "character": 10 }],
        }),
    );
    assert_eq!(ranges[0]["range"], range(3, 10, 16));
    assert_eq!(ranges[0]["parent"]["range"], range(3, 6, 16));
    let hints = editor.ask(
        "textDocument/inlayHint",
        json!({
            "textDocument": { "uri": uri("/app/lib.img") },
            "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } },
        }),
    );
    assert_eq!(hints[0]["label"], ": Int");
    editor.end();
}

#[test]
fn tokens_and_what_changed_of_them() {
    let mut editor = editor();
    let document = json!({ "textDocument": { "uri": uri("/app/app.img") } });
    let full = editor.ask("textDocument/semanticTokens/full", document.clone());
    let data = full["data"].as_array().expect("numbers").clone();
    assert_eq!(data.len() % 5, 0);
    editor.change("/app/app.img", range(3, 2, 3), "other");
    let delta = editor.ask(
        "textDocument/semanticTokens/full/delta",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "previousResultId": full["resultId"],
        }),
    );
    let edits = delta["edits"].as_array().expect("edits");
    let mut patched = data;
    for edit in edits {
        let start = edit["start"].as_u64().expect("a number") as usize;
        let count = edit["deleteCount"].as_u64().expect("a number") as usize;
        let new = edit["data"].as_array().expect("numbers").clone();
        patched.splice(start..start + count, new);
    }
    let whole = editor.ask("textDocument/semanticTokens/full", document);
    assert_eq!(whole["data"].as_array(), Some(&patched));
    let unknown = editor.ask(
        "textDocument/semanticTokens/full/delta",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "previousResultId": "of another time",
        }),
    );
    assert_eq!(unknown["data"].as_array(), Some(&patched));
    editor.end();
}

#[test]
fn edits_and_actions() {
    let mut editor = editor();
    editor.change("/app/app.img", Value::Null, "{a=1;b=lengt [];}\n");
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let edits = editor.ask(
        "textDocument/formatting",
        json!({ "textDocument": { "uri": uri("/app/app.img") }, "options": options }),
    );
    assert!(!edits.as_array().expect("edits").is_empty());
    let actions = editor.ask(
        "textDocument/codeAction",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "range": range(0, 8, 8),
            "context": { "diagnostics": [] },
        }),
    );
    let action = &actions[0];
    assert_eq!(action["title"], "change it to `length`");
    assert_eq!(action["kind"], "quickfix");
    assert_eq!(action["diagnostics"][0]["code"], "IMG0201");
    let edit = &action["edit"]["documentChanges"][0];
    assert_eq!(edit["textDocument"]["version"], 2);
    let only = editor.ask(
        "textDocument/codeAction",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "range": range(0, 8, 8),
            "context": { "diagnostics": [], "only": ["refactor"] },
        }),
    );
    assert_eq!(only, json!([]));
    let typed = editor.ask(
        "textDocument/onTypeFormatting",
        json!({
            "textDocument": { "uri": uri("/app/app.img") },
            "position": { "line": 1, "character": 0 },
            "ch": "\n",
            "options": options,
        }),
    );
    assert_eq!(typed, json!([]));
    editor.end();
}

#[test]
fn lenses_offer_to_build_and_nothing_is_built() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", "let i = image { }; in { web = i; }");
    let lenses = editor.ask(
        "textDocument/codeLens",
        json!({ "textDocument": { "uri": uri("/app/a.img") } }),
    );
    assert_eq!(lenses[0]["command"]["command"], "imgc.build");
    assert_eq!(lenses[0]["command"]["arguments"][0], "/app/a.img#web");
    editor.end();
}

#[test]
fn calls() {
    let mut editor = editor();
    let items = editor.at("textDocument/prepareCallHierarchy", "/app/app.img", 3, 10);
    assert_eq!(items[0]["name"], "double");
    let callers = editor.ask("callHierarchy/incomingCalls", json!({ "item": items[0] }));
    assert_eq!(callers[0]["from"]["name"], "a");
    assert_eq!(callers[0]["fromRanges"][0], range(3, 10, 16));
    let callees = editor.ask("callHierarchy/outgoingCalls", json!({ "item": items[0] }));
    assert_eq!(callees, json!([]));
    editor.end();
}

#[test]
fn diagnostics_are_told_with_their_version() {
    let mut editor = editor();
    assert_eq!(
        editor.diagnostics("/app/app.img", Some(1), |_| true),
        Vec::<Value>::new()
    );
    let version = editor.change("/app/app.img", range(3, 6, 16), "lib.doubl");
    let found = editor.diagnostics("/app/app.img", Some(version), |_| true);
    assert_eq!(codes(&found), ["IMG0303"]);
    let found = &found[0];
    assert_eq!(found["range"], range(3, 10, 15));
    assert_eq!(found["severity"], 1);
    let page = found["codeDescription"]["href"].as_str();
    assert_eq!(page, Some("https://book.example/IMG0303.html"));
    let version = editor.change("/app/app.img", range(3, 10, 15), "double");
    let found = editor.diagnostics("/app/app.img", Some(version), |_| true);
    assert_eq!(found, Vec::<Value>::new());
    editor.end();
}

#[test]
fn a_mistake_in_one_file_is_told_in_another() {
    let mut editor = editor();
    editor.open("/app/lib.img", LIB);
    let version = editor.change("/app/lib.img", range(5, 2, 8), "triple");
    let found = editor.diagnostics("/app/app.img", Some(1), |found| !found.is_empty());
    assert_eq!(codes(&found), ["IMG0303"]);
    // What is not saved is gone when it is closed.
    editor.diagnostics("/app/lib.img", Some(version), |_| true);
    editor.close("/app/lib.img");
    editor.diagnostics("/app/app.img", Some(1), <[Value]>::is_empty);
    editor.end();
}

#[test]
fn what_evaluation_finds_is_told_too() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", "{ a = assert 1 == 2 else \"no\" then 3; }");
    let found = editor.diagnostics("/app/a.img", Some(1), |found| !found.is_empty());
    assert_eq!(found.len(), 1);
    assert!(
        found[0]["message"].as_str().expect("words").contains("no"),
        "{found:?}"
    );
    let version = editor.change("/app/a.img", range(0, 13, 14), "2");
    editor.diagnostics("/app/a.img", Some(version), <[Value]>::is_empty);
    editor.end();
}

#[test]
fn related_places_are_told() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open("/app/a.img", "{ a = 1; a = 2; }");
    let found = editor.diagnostics("/app/a.img", Some(1), |found| !found.is_empty());
    let related = &found[0]["relatedInformation"][0];
    assert_eq!(related["location"]["uri"], uri("/app/a.img"));
    assert_eq!(related["location"]["range"], range(0, 2, 3));
    editor.end();
}

#[test]
fn an_editor_may_ask_for_diagnostics() {
    let files = [("/app/lib.img", "{ a = none; }")];
    let mut editor = Editor::start(&files, &["/app"], Editor::pulling());
    editor.open("/app/a.img", "{ a = 1 + true; }");
    let report = editor.ask(
        "textDocument/diagnostic",
        json!({ "textDocument": { "uri": uri("/app/a.img") } }),
    );
    assert_eq!(report["kind"], "full");
    let items = report["items"].as_array().expect("a list");
    assert_eq!(codes(items), ["IMG0301"]);
    let report = editor.ask("workspace/diagnostic", json!({ "previousResultIds": [] }));
    let items = report["items"].as_array().expect("a list");
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["uri"], uri("/app/a.img"));
    assert_eq!(items[0]["version"], 1);
    assert_eq!(items[1]["uri"], uri("/app/lib.img"));
    // What was asked for is not told as well.
    editor.change("/app/a.img", Value::Null, "assert false else \"x\" then 1");
    while editor.questions.is_empty() {
        editor.take();
    }
    assert_eq!(editor.questions[0].method, "workspace/diagnostic/refresh");
    let report = editor.ask(
        "textDocument/diagnostic",
        json!({ "textDocument": { "uri": uri("/app/a.img") } }),
    );
    assert_eq!(report["items"].as_array().map(Vec::len), Some(1));
    assert!(editor.notices.is_empty(), "{:?}", editor.notices);
    editor.end();
}

#[test]
fn positions_are_counted_as_the_editor_counts() {
    let text = "{ a = \"𝄞ä\"; b = none; }";
    for (encodings, name, column) in [
        (json!(["utf-8", "utf-16"]), "utf-8", 20),
        (json!(["utf-16"]), "utf-16", 17),
        (Value::Null, "utf-16", 17),
    ] {
        let mut said = Editor::usual();
        if !encodings.is_null() {
            said["general"] = json!({ "positionEncodings": encodings });
        }
        let mut editor = Editor::start(&[], &[], said);
        assert_eq!(editor.capabilities["positionEncoding"], name);
        editor.open("/app/a.img", text);
        let found = editor.diagnostics("/app/a.img", Some(1), |found| !found.is_empty());
        assert_eq!(found[0]["range"], range(0, column, column + 4));
        // A change is counted so too.
        let version = editor.change("/app/a.img", range(0, column, column + 4), "1");
        editor.diagnostics("/app/a.img", Some(version), <[Value]>::is_empty);
        editor.end();
    }
}

#[test]
fn many_folders_are_many_projects() {
    let files = [
        ("/one/a.img", "{ x = 1; }"),
        ("/two/a.img", "{ x = none; }"),
    ];
    let mut editor = Editor::start(&files, &["/one", "/two"], Editor::usual());
    let found = editor.diagnostics("/two/a.img", None, |found| !found.is_empty());
    assert_eq!(codes(&found), ["IMG0201"]);
    let symbols = editor.ask("workspace/symbol", json!({ "query": "x" }));
    assert_eq!(symbols.as_array().map(Vec::len), Some(2));
    editor.disk.write("/three/a.img", "{ x = 3; }");
    editor.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({ "event": {
            "added": [{ "uri": uri("/three"), "name": "three" }],
            "removed": [{ "uri": uri("/two"), "name": "two" }],
        } }),
    );
    editor.diagnostics("/two/a.img", None, <[Value]>::is_empty);
    let symbols = editor.ask("workspace/symbol", json!({ "query": "x" }));
    let symbols = symbols.as_array().expect("a list");
    let places: Vec<&str> = symbols
        .iter()
        .filter_map(|symbol| symbol["location"]["uri"].as_str())
        .collect();
    assert_eq!(places, [uri("/one/a.img"), uri("/three/a.img")]);
    editor.end();
}

#[test]
fn files_that_change_on_the_disk_are_read_again() {
    let mut said = Editor::usual();
    said["workspace"]["didChangeWatchedFiles"] = json!({ "dynamicRegistration": true });
    let files = [("/app/lib.img", LIB), ("/app/app.img", APP)];
    let mut editor = Editor::start(&files, &["/app"], said);
    editor.open("/app/app.img", APP);
    editor.diagnostics("/app/app.img", Some(1), |_| true);
    assert_eq!(editor.questions[0].method, "client/registerCapability");
    editor.disk.write("/app/lib.img", "{ port = 1; }");
    let changed = |kind: i32| json!({ "changes": [{ "uri": uri("/app/lib.img"), "type": kind }] });
    editor.notify("workspace/didChangeWatchedFiles", changed(2));
    let found = editor.diagnostics("/app/app.img", Some(1), |found| !found.is_empty());
    assert_eq!(codes(&found), ["IMG0303"]);
    editor.disk.remove("/app/lib.img");
    editor.notify("workspace/didChangeWatchedFiles", changed(3));
    editor.diagnostics("/app/app.img", Some(1), |found| codes(found) == ["IMG0401"]);
    editor.disk.write("/app/lib.img", LIB);
    editor.notify("workspace/didChangeWatchedFiles", changed(1));
    editor.diagnostics("/app/app.img", Some(1), <[Value]>::is_empty);
    editor.end();
}

#[test]
fn what_is_strange_is_no_reason_to_end() {
    let mut editor = editor();
    let id = editor.send("textDocument/inlineValue", json!({}));
    assert_eq!(editor.response(id).error.expect("an error").code, -32601);
    let id = editor.send("textDocument/hover", json!({ "textDocument": 1 }));
    assert_eq!(editor.response(id).error.expect("an error").code, -32602);
    assert_eq!(
        editor.at("textDocument/hover", "/none/x.img", 9, 9),
        Value::Null
    );
    assert_eq!(
        editor.at("textDocument/hover", "/app/app.img", 999, 999),
        Value::Null
    );
    editor.notify("textDocument/didChange", json!({ "nonsense": true }));
    editor.notify("$/unknown", json!({}));
    editor.close("/app/none.img");
    editor.change("/app/none.img", Value::Null, "x");
    editor.notify("$/cancelRequest", json!({ "id": 1 }));
    let hover = editor.at("textDocument/hover", "/app/app.img", 1, 3);
    assert!(!hover.is_null());
    editor.end();
}
