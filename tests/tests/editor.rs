//! `imgc lsp` as an editor runs it: a process that is spoken to over its standard input.

use imgc_tests::deb::Deb;
use imgc_tests::sandbox::Sandbox;
use serde_json::{Value, json};

/// Messages in a row, as an editor writes them.
fn spoken(messages: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        let text = message.to_string();
        bytes.extend(format!("Content-Length: {}\r\n\r\n{text}", text.len()).bytes());
    }
    bytes
}

/// The messages of an answer.
fn heard(mut text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    while let Some((head, rest)) = text.split_once("\r\n\r\n") {
        let length = head.split(": ").nth(1).expect("a length");
        let length: usize = length.trim().parse().expect("a number");
        found.push(serde_json::from_str(&rest[..length]).expect("a message"));
        text = &rest[length..];
    }
    found
}

fn ask(id: i32, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn say(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn answer(heard: &[Value], id: i32) -> &Value {
    let mut heard = heard.iter();
    let found = heard.find(|message| message["id"] == id && message.get("method").is_none());
    &found.expect("an answer")["result"]
}

#[test]
fn an_editor_is_told_what_the_lock_and_the_indices_say() {
    let packages = [
        Deb::new("app", "1.0", "all").field("Depends", "libapp"),
        Deb::new("libapp", "2.5", "all"),
    ];
    let sandbox = Sandbox::with_packages(&packages);
    let text = "let debian = import std/debian; in\n\
                debian.image { name = \"a\"; variant = \"distroless\"; packages = [\"app\"]; }\n";
    sandbox.write("app.img", text);
    sandbox.build();
    let uri = format!("file://{}", sandbox.project("app.img").display());
    let document = json!({ "uri": uri });
    let place = |line: u32, column: u32| {
        json!({
            "textDocument": document, "position": { "line": line, "character": column },
        })
    };
    let column = text.lines().nth(1).and_then(|line| line.find("\"app\""));
    let column = column.expect("the package") as u32;
    let outcome = sandbox.run().args(&["lsp"]).outcome_of(&spoken(&[
        ask(1, "initialize", &json!({ "capabilities": {} })),
        say("initialized", &json!({})),
        say(
            "textDocument/didOpen",
            &json!({ "textDocument": {
                "uri": uri, "languageId": "img", "version": 1, "text": text,
            } }),
        ),
        ask(2, "textDocument/hover", &place(1, column + 2)),
        ask(3, "textDocument/completion", &place(1, column + 1)),
        ask(4, "textDocument/definition", &place(1, 9)),
        ask(5, "shutdown", &Value::Null),
        say("exit", &Value::Null),
    ]));
    outcome.succeeds();
    assert_eq!(outcome.stderr, "");
    let heard = heard(&outcome.stdout);
    let hover = answer(&heard, 2)["contents"]["value"].as_str();
    let hover = hover.expect("words");
    assert!(hover.starts_with("**app** 1.0"), "{hover}");
    assert!(hover.contains("in 2 packages"), "{hover}");
    assert!(hover.contains("pinned to 1.0"), "{hover}");
    let items = answer(&heard, 3)["items"].as_array().expect("a list");
    let labels: Vec<&str> = items
        .iter()
        .filter_map(|item| item["label"].as_str())
        .collect();
    assert!(
        labels.contains(&"app") && labels.contains(&"libapp"),
        "{labels:?}"
    );
    // A module of imgc is a file that can be opened.
    let module = answer(&heard, 4)[0]["uri"].as_str().expect("an address");
    let module = module.strip_prefix("file://").expect("a file");
    assert!(module.ends_with("/imgc/editor/std/debian.img"), "{module}");
    assert!(std::path::Path::new(module).is_file());
    // Nothing was built.
    assert!(!sandbox.project("a.oci/index.html").exists());
}

#[test]
fn an_editor_that_goes_away_without_a_word_ends_the_server() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run().args(&["lsp"]).outcome_of(&spoken(&[
        ask(1, "initialize", &json!({ "capabilities": {} })),
        say("initialized", &json!({})),
    ]));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("the editor is gone"), "{outcome:?}");
    let nothing = sandbox.run().args(&["lsp"]).outcome();
    nothing.fails(1, &["the language server ends"]);
}
