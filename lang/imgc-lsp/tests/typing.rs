//! An editor types every example and every module of imgc, character by character, breaks
//! and mends them, and asks all the while: every question has one answer, about the text
//! as it is then.
#![expect(
    clippy::disallowed_methods,
    reason = "the files of the repository are what is typed"
)]

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{Editor, range, uri};

const FILE: &str = "/app/app.img";

/// What edits that came in between make of a question.
const CONTENT_MODIFIED: i32 = -32801;
const REQUEST_CANCELLED: i32 = -32800;

fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.join("examples"), root.join("stdlib")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|end| end == "img") {
            let text = std::fs::read_to_string(&path).expect("a file");
            found.push((path.display().to_string(), text));
        }
    }
    found.sort();
    assert!(found.len() >= 4, "the examples and the modules");
    found
}

/// Where the end of a text is, in the units of UTF-16.
fn end_of(text: &str) -> (u32, u32) {
    let line = text.matches('\n').count();
    let last = text.rsplit('\n').next().unwrap_or_default();
    (line as u32, last.encode_utf16().count() as u32)
}

/// A question that depends on how far the text is, so that all are asked everywhere.
fn question(number: usize, (line, column): (u32, u32)) -> (&'static str, Value) {
    let document = json!({ "uri": uri(FILE) });
    let position = json!({ "line": line, "character": column });
    let all = json!({
        "start": { "line": 0, "character": 0 }, "end": { "line": line, "character": column },
    });
    let at = json!({ "textDocument": document, "position": position });
    let plain = json!({ "textDocument": document });
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    match number % 18 {
        0 => ("textDocument/hover", at),
        1 => ("textDocument/completion", at),
        2 => ("textDocument/signatureHelp", at),
        3 => ("textDocument/definition", at),
        4 => {
            let mut params = at;
            params["context"] = json!({ "includeDeclaration": true });
            ("textDocument/references", params)
        }
        5 => ("textDocument/documentHighlight", at),
        6 => ("textDocument/documentSymbol", plain),
        7 => ("textDocument/semanticTokens/full", plain),
        8 => (
            "textDocument/inlayHint",
            json!({ "textDocument": document, "range": all }),
        ),
        9 => (
            "textDocument/codeAction",
            json!({ "textDocument": document, "range": all, "context": { "diagnostics": [] } }),
        ),
        10 => (
            "textDocument/formatting",
            json!({ "textDocument": document, "options": options }),
        ),
        11 => ("textDocument/foldingRange", plain),
        12 => (
            "textDocument/selectionRange",
            json!({ "textDocument": document, "positions": [position] }),
        ),
        13 => ("textDocument/documentLink", plain),
        14 => ("textDocument/codeLens", plain),
        15 => ("textDocument/prepareCallHierarchy", at),
        16 => (
            "textDocument/onTypeFormatting",
            json!({
                "textDocument": document, "position": position, "ch": ";", "options": options,
            }),
        ),
        _ => ("workspace/symbol", json!({ "query": "" })),
    }
}

/// The codes of what is wrong with what is written. What evaluation finds, as files that
/// are not there, comes later.
fn written(found: &[Value]) -> Vec<String> {
    let mut codes = support::codes(found);
    codes.retain(|code| code.as_str() < "IMG0400");
    codes
}

#[test]
fn every_program_is_typed() {
    for (name, text) in programs() {
        let mut editor = Editor::start(&[], &[], Editor::usual());
        editor.open(FILE, "");
        let mut typed = String::new();
        let mut asked = 0;
        let mut version = 1;
        // Of the large ones, pieces of some characters.
        let piece = if text.len() > 2_000 { 5 } else { 1 };
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(piece) {
            let (line, column) = end_of(&typed);
            let piece: String = piece.iter().collect();
            version = editor.change(FILE, range(line, column, column), &piece);
            typed.push_str(&piece);
            for _ in 0..2 {
                let (method, params) = question(asked, end_of(&typed));
                asked += 1;
                editor.ask(method, params);
            }
        }
        let found = editor.diagnostics(FILE, Some(version), |_| true);
        let is_alone = name.contains("python") || name.contains("stdlib");
        assert!(!is_alone || written(&found).is_empty(), "{name}: {found:?}");
        // The server has the same text: formatted, it is as it was.
        let formatted = editor.ask(
            "textDocument/formatting",
            json!({
                "textDocument": { "uri": uri(FILE) },
                "options": { "tabSize": 2, "insertSpaces": true },
            }),
        );
        assert_eq!(formatted, json!([]), "{name}");
        editor.end();
    }
}

#[test]
fn every_line_is_broken_and_mended() {
    for (_, text) in programs() {
        let mut editor = Editor::start(&[], &[], Editor::usual());
        editor.open(FILE, &text);
        let before = editor.diagnostics(FILE, Some(1), |_| true);
        let mut asked = 0;
        let step = if text.len() > 2_000 { 9 } else { 1 };
        for (number, line) in text.lines().enumerate().step_by(step) {
            let number = number as u32;
            let width = line.encode_utf16().count() as u32;
            editor.change(FILE, range(number, 0, width), "{ [ \"");
            for _ in 0..3 {
                let (method, params) = question(asked, (number, 5));
                asked += 1;
                editor.ask(method, params);
            }
            let version = editor.change(FILE, range(number, 0, 5), line);
            let is_mended = |found: &[Value]| written(found) == written(&before);
            editor.diagnostics(FILE, Some(version), is_mended);
        }
        editor.end();
    }
}

#[test]
fn questions_that_nobody_waits_for_are_answered_once_all_the_same() {
    let (_, text) = programs().swap_remove(0);
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open(FILE, &text);
    let mut waiting = Vec::new();
    for round in 0..60_usize {
        for number in 0..6 {
            let (method, params) = question(round * 6 + number, (3, 4));
            waiting.push(editor.send(method, params));
        }
        if round % 3 == 0 {
            let id = waiting[waiting.len() - 2];
            editor.notify("$/cancelRequest", json!({ "id": id }));
        }
        editor.change(FILE, range(0, 0, 0), "#\n");
    }
    let (mut answered, mut given_up) = (0, 0);
    for id in waiting {
        match editor.response(id).error {
            None => answered += 1,
            Some(error) => {
                let known = [CONTENT_MODIFIED, REQUEST_CANCELLED];
                assert!(known.contains(&error.code), "{error:?}");
                given_up += 1;
            }
        }
    }
    assert_eq!(answered + given_up, 360);
    editor.end();
}

#[test]
fn questions_are_answered_while_a_large_evaluation_runs() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    // Some million steps.
    let text = "{\n  a = length (concat (map (n => range 0 n) (range 0 1500)));\n}\n";
    editor.open(FILE, text);
    for number in 0..40_u32 {
        let hover = editor.at("textDocument/hover", FILE, 1, 2);
        assert!(!hover.is_null());
        editor.change(FILE, range(2, 0, 0), &format!("  b{number} = {number};\n"));
    }
    editor.end();
}

#[test]
fn many_edits_take_no_more_memory_than_few() {
    let mut editor = Editor::start(&[], &[], Editor::usual());
    editor.open(
        FILE,
        "let debian = import std/debian; in debian.image { name = \"a\"; }\n",
    );
    let mut measured = Vec::new();
    for number in 0..3_000_u32 {
        let digit = char::from(b'a' + (number % 26) as u8);
        editor.change(FILE, range(0, 58, 59), &digit.to_string());
        if number % 10 == 0 {
            editor.at("textDocument/hover", FILE, 0, 44);
        }
        if number % 1_000 == 999 {
            measured.push(resident());
        }
        editor.notices.clear();
    }
    // In KiB, with room for what the allocator keeps.
    let (first, last) = (measured[0], measured[measured.len() - 1]);
    assert!(last < first + 20 * 1024, "{measured:?}");
    editor.end();
}

/// The memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let words = line.and_then(|line| line.split_whitespace().nth(1));
    words.and_then(|word| word.parse().ok()).unwrap_or_default()
}
