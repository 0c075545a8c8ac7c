//! `imgc lsp` as an editor runs it: a process that is spoken to over its standard input.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};

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

/// A server that is spoken to and listened to in turns.
struct Talk {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: i32,
    /// What it said without being asked.
    said: Vec<Value>,
}

impl Talk {
    /// A server for the project of a sandbox, and an editor that is told when sizes change.
    fn start(sandbox: &Sandbox) -> Self {
        let mut server = sandbox.run().args(&["lsp"]).converse();
        let input = server.stdin.take().expect("a pipe");
        let output = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut talk = Self {
            server,
            input,
            output,
            next: 0,
            said: Vec::new(),
        };
        let refreshes = json!({ "refreshSupport": true });
        talk.ask(
            "initialize",
            &json!({ "capabilities": { "workspace": { "codeLens": refreshes } } }),
        );
        talk.say("initialized", &json!({}));
        talk
    }

    fn send(&mut self, message: Value) {
        let written = self.input.write_all(&spoken(&[message]));
        written.expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    fn say(&mut self, method: &str, params: &Value) {
        self.send(say(method, params));
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(ask(id, method, params));
        loop {
            let message = self.hear();
            if message["id"] == id && message.get("method").is_none() {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].clone();
            }
            self.said.push(message);
        }
    }

    /// Waits until the server has said so since the last time.
    fn wait_for(&mut self, method: &str) {
        loop {
            if let Some(at) = self.said.iter().position(|said| said["method"] == method) {
                self.said.remove(at);
                return;
            }
            let message = self.hear();
            self.said.push(message);
        }
    }

    fn hear(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            let count = self.output.read_line(&mut line).expect("the server speaks");
            assert!(count > 0, "the server is gone");
            match line.trim().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().expect("a number"),
                Some(_) => {}
                None => break,
            }
        }
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).expect("a message");
        serde_json::from_slice(&bytes).expect("a message")
    }

    fn end(mut self) {
        self.ask("shutdown", &Value::Null);
        self.say("exit", &Value::Null);
        let status = self.server.wait().expect("the server ends");
        assert!(status.success(), "{status}");
    }
}

#[test]
fn an_image_that_was_built_has_its_size_above_it() {
    let sandbox = Sandbox::with_packages(&[Deb::new("app", "1.0", "all")]);
    let text = "let debian = import std/debian; in {\n\
                web = debian.image {\n\
                variant = \"distroless\"; packages = [\"app\"]; files = { \"/a\" = \"b\"; };\n\
                }; }\n";
    sandbox.write("app.img", text);
    let uri = format!("file://{}", sandbox.project("app.img").display());
    let document = json!({ "textDocument": { "uri": uri } });
    let mut talk = Talk::start(&sandbox);
    talk.say(
        "textDocument/didOpen",
        &json!({ "textDocument": {
            "uri": uri, "languageId": "img", "version": 1, "text": text,
        } }),
    );
    let lenses = talk.ask("textDocument/codeLens", &document);
    assert_eq!(lenses[0]["command"]["title"], "build");
    // What the editor does with it.
    let target = lenses[0]["command"]["arguments"][0].as_str();
    let target = target.expect("what is built");
    let built = sandbox.run().args(&["build", "--", target]).outcome();
    built.succeeds();
    let index = sandbox.project("web.oci/index.json");
    assert!(index.is_file());
    let changed = |path: &std::path::Path| {
        let uri = format!("file://{}", path.display());
        json!({ "changes": [{ "uri": uri, "type": 1 }] })
    };
    talk.say("workspace/didChangeWatchedFiles", &changed(&index));
    talk.wait_for("workspace/codeLens/refresh");
    let layers = sandbox.run().args(&["layers", "--json", target]).outcome();
    let layers: Value = serde_json::from_str(&layers.succeeds().stdout).expect("JSON");
    let size = layers["images"][0]["size"].as_u64().expect("a size");
    assert!((1..1000).contains(&size), "{size}");
    let words = format!("{size} B in 2 layers");
    let title = |talk: &mut Talk| {
        let lenses = talk.ask("textDocument/codeLens", &document);
        lenses[0]["command"]["title"].clone()
    };
    assert_eq!(title(&mut talk), format!("build ({words})"));
    let hints = talk.ask(
        "textDocument/inlayHint",
        &json!({
            "textDocument": { "uri": uri },
            "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } },
        }),
    );
    let hints = hints.as_array().expect("a list").iter();
    let labels: Vec<&str> = hints.filter_map(|hint| hint["label"].as_str()).collect();
    assert!(
        labels.iter().any(|label| label.ends_with("B in 1 layer")),
        "{labels:?}"
    );
    // Something else is written: the size is of what was built.
    let mut version = 1;
    let mut write = |talk: &mut Talk, text: &str| {
        version += 1;
        talk.say(
            "textDocument/didChange",
            &json!({
                "textDocument": { "uri": uri, "version": version },
                "contentChanges": [{ "text": text }],
            }),
        );
        talk.wait_for("workspace/codeLens/refresh");
    };
    write(&mut talk, &text.replace("\"b\"", "\"c\""));
    assert_eq!(
        title(&mut talk),
        format!("build ({words} before the last changes)")
    );
    write(&mut talk, text);
    assert_eq!(title(&mut talk), format!("build ({words})"));
    talk.end();
}

#[test]
fn an_editor_is_told_what_the_lock_and_the_indices_say() {
    let packages = [
        Deb::new("app", "1.0", "all").field("Depends", "libapp, first | second, virtual"),
        Deb::new("libapp", "2.5", "all"),
        Deb::new("first", "1.0", "all").field("Installed-Size", "5000000"),
        Deb::new("second", "1.0", "all"),
        Deb::new("one", "1.0", "all")
            .field("Provides", "virtual")
            .field("Installed-Size", "5000000"),
        Deb::new("other", "1.0", "all").field("Provides", "virtual"),
    ];
    let sandbox = Sandbox::with_packages(&packages);
    let text = "let debian = import std/debian; in\n\
                debian.image { name = \"a\"; variant = \"distroless\"; packages = [\"app\", \"second\", \"other\"]; }\n";
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
    // Of alternatives it counts what the lock has.
    assert!(hover.contains("in 4 packages"), "{hover}");
    assert!(!hover.contains("GiB"), "{hover}");
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

#[test]
fn an_editor_that_makes_no_sense_is_told_why_the_server_ends() {
    let sandbox = Sandbox::new();
    let begin = spoken(&[
        ask(1, "initialize", &json!({ "capabilities": {} })),
        say("initialized", &json!({})),
    ]);
    for (bytes, words) in [
        (
            "Content-Length: 18446744073709551615\r\n\r\n{}",
            "is too large",
        ),
        (
            "Content-Length: much\r\n\r\n{}",
            "`much` is no length of a message",
        ),
        ("GET / HTTP/1.1\r\n\r\n", "is no header of a message"),
        ("Content-Length: 99\r\n\r\n{}", "ends before its length"),
    ] {
        let mut input = begin.clone();
        input.extend(bytes.bytes());
        let outcome = sandbox.run().args(&["lsp"]).outcome_of(&input);
        assert_eq!(outcome.code, Some(1), "{words}");
        let said = &outcome.stderr;
        assert!(
            said.contains("the language server ends") && said.contains(words),
            "{said}"
        );
    }
    // What is no message is left out, and the conversation goes on.
    let mut input = begin;
    input.extend(b"Content-Length: 3\r\n\r\n{1}");
    input.extend(spoken(&[
        ask(2, "shutdown", &Value::Null),
        say("exit", &Value::Null),
    ]));
    let outcome = sandbox.run().args(&["lsp"]).outcome_of(&input);
    outcome.succeeds();
    let methods: Vec<Value> = heard(&outcome.stdout)
        .iter()
        .map(|said| said["method"].clone())
        .collect();
    assert!(methods.contains(&json!("window/logMessage")), "{methods:?}");
    // To leave without a word is a mistake of the editor's.
    let input = spoken(&[
        ask(1, "initialize", &json!({ "capabilities": {} })),
        say("exit", &Value::Null),
    ]);
    let outcome = sandbox.run().args(&["lsp"]).outcome_of(&input);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("the editor is gone"), "{outcome:?}");
}
