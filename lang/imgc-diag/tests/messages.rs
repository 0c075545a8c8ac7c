//! What people see: every syntax error as it is drawn, as snapshots.

use std::collections::BTreeMap;

use imgc_diag::{Diagnostic, FileId, Span, SpanRange, codes, from_syntax, render};
use imgc_syntax::{SyntaxCode, parse};

/// Every source with its errors, drawn.
fn drawn(sources: &[&str]) -> String {
    let mut shown = String::new();
    for source in sources {
        let file = FileId::new("app.img");
        let texts = BTreeMap::from([(file.clone(), (*source).to_owned())]);
        for error in parse(source).errors() {
            shown.push_str(&render(&from_syntax(&file, error), &texts, false, 90));
        }
        shown.push_str("\n----\n");
    }
    shown
}

macro_rules! snapshot {
    ($drawn:expr) => {
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!($drawn);
        })
    };
}

const BRACKETS: &[&str] = &[
    "{\n  a = [1, 2;\n  b = 3;\n}",
    "{\n  a = {\n    x = 1;\n  b = 2;\n}",
    "{ a = [1, 2}; }",
    "f a)",
    "let\n  a = 1;\ndebian.image { name = a; }",
    "a = 1;\nin a",
    "{ a = \"x${f (b}y\"; }",
];

const BINDINGS: &[&str] = &[
    "{\n  a = 1\n  b = 2;\n}",
    "{ a = 1 }",
    "{ a = 1, b = 2 }",
    "{ \"a\": 1; }",
    "{ a 1; }",
    "{ (1); }",
    "{ a = 1;; }",
    "{ a = ; }",
    "{ a = p.; }",
    "{ a = b = 2; }",
    "{ type = 1; }",
    "{ import = 1; }",
    "a and b",
];

const EXPRESSIONS: &[&str] = &[
    "",
    "1 +",
    "[1, , 2]",
    "[a; b; c]",
    "(a, b)",
    "if a then b",
    "{ a = if b else c; }",
    "x: x + 1",
    "{ a, b ? 2 }: a",
    "{ a, b = 2 } => a",
    "{ a, ..., b } => a",
    "{ a, 1 } => a",
    "{ a ? 1, b } 1",
    "a == b == c",
    "1 + if a then b else c",
    "f x => x",
    "1;",
    "import lib",
    "import \"lib.img\"",
    "f @ b",
    "a / b",
    "ünit",
    "./a//b",
];

const LITERALS: &[&str] = &[
    "{\n  a = \"abc;\n  b = 2;\n}",
    "{\n  a = \"\"\"\n    text\n  ;\n  b = 2;\n}",
    "'text'",
    "\"a\\qb\"",
    "\"\\u{110000}\"",
    "\"\"\"text\n  \"\"\"",
    "\"\"\"\n    all:\n    \tmake\n    \"\"\"",
    "\"\"\"\n\ta\n    b\n    \"\"\"",
    "9223372036854775808",
    "0o789",
    "0755",
    "12px",
    "1__0",
    "0x",
    "{ a = 1; // note\n}",
    "\"a\u{202e}b\"",
    "a\0b",
];

const TYPES: &[&str] = &[
    "{ a : = 2; }",
    "{ a : Int -> = 2; }",
    "{ a : A | b = 2; }",
    "{ a : a | B = 2; }",
    "{ a : A | B Int Int = 2; }",
    "{ a : Int => Int = 2; }",
    "{ a : { x = Int } = 2; }",
    "{ a : { x Int } = 2; }",
    "{ a : { x : Int; y : Int } = 2; }",
    "{ a : { ..., x : Int } = 2; }",
    "{ name: \"x\", list: [1] }",
    "{ a = { x : Int }; }",
    "let type a = Int; in 1",
    "let type A B = C; in 1",
    "let type A; in 1",
    "{ type A = B; }",
    "let X = 1; in 2",
    "{ X; }",
    "X => 1",
    "(X : Int) => 1",
    "(x) => x",
    "(x: x + 1)",
    "x -> x",
];

const CHOICES: &[&str] = &[
    "match x {}",
    "match x",
    "match x { A 1 => 2; }",
    "match x { A (B c) => 1; }",
    "match x { A | B => 1; }",
    "match x { { b } => 2; }",
    "match x { [a] => 1; }",
    "match x { A 4; B => 5; }",
    "match x { A => 1 }",
    "match x { A => 1, B => 2 }",
    "match x { \"a${b}\" => 1; }",
    "match x { A { a ? 1 } => 2; }",
    "1 + match x { A => 1; }",
    "e { A => 1; }",
    "assert a then b",
    "assert a else \"b\"",
    "A 1 2",
    "a | b",
    "import \"https://${a}\"",
    "{ match = 1; }",
];

#[test]
fn types() {
    snapshot!(drawn(TYPES));
}

#[test]
fn choices() {
    snapshot!(drawn(CHOICES));
}

#[test]
fn brackets() {
    snapshot!(drawn(BRACKETS));
}

#[test]
fn bindings() {
    snapshot!(drawn(BINDINGS));
}

#[test]
fn expressions() {
    snapshot!(drawn(EXPRESSIONS));
}

#[test]
fn literals() {
    snapshot!(drawn(LITERALS));
}

#[test]
fn every_sort_of_error_is_shown() {
    let mut missing: Vec<SyntaxCode> = SyntaxCode::ALL.to_vec();
    for source in [BRACKETS, BINDINGS, EXPRESSIONS, LITERALS, TYPES, CHOICES].concat() {
        for error in parse(source).errors() {
            missing.retain(|code| *code != error.code);
        }
    }
    // These need sources that are too large to draw.
    assert_eq!(missing, [SyntaxCode::SourceTooLarge, SyntaxCode::TooDeep]);
}

#[test]
fn one_typo_gives_one_error() {
    for source in [BRACKETS, BINDINGS, EXPRESSIONS, LITERALS, TYPES, CHOICES].concat() {
        assert_eq!(parse(source).errors().len(), 1, "{source}");
    }
}

/// Every fix, applied, leaves a source without that error.
#[test]
fn fixes_fix() {
    for source in [BRACKETS, BINDINGS, EXPRESSIONS, LITERALS, TYPES, CHOICES].concat() {
        for error in parse(source)
            .errors()
            .iter()
            .filter(|error| !error.fix.is_empty())
        {
            let mut edits = error.fix.clone();
            edits.sort_by_key(|edit| std::cmp::Reverse(edit.range.start()));
            let mut fixed = source.to_owned();
            for edit in edits {
                fixed.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
            }
            let left = parse(&fixed);
            assert_eq!(left.errors(), [], "{source} became {fixed}");
        }
    }
}

/// A diagnostic with everything in it.
fn full() -> (Diagnostic, BTreeMap<FileId, String>) {
    let app = FileId::new("app.img");
    let lib = FileId::new("lib.img");
    let unread = FileId::new("std/debian");
    let span = |file: &FileId, start, end| Span {
        file: file.clone(),
        range: SpanRange { start, end },
    };
    let diagnostic = Diagnostic::error(
        codes::WRONG_TYPE,
        span(&app, 7, 12),
        "`port` must be an integer",
    )
    .with_label("this is a string")
    .with_related(span(&app, 0, 4), "given to this function")
    .with_related(span(&lib, 2, 6), "`port` is needed as an integer here")
    .with_related(span(&unread, 5, 9), "and here")
    .with_note("in the value of `app.config.ports[2]`")
    .with_note("in the second note")
    .with_help("remove the quotes: `8080`");
    let texts = BTreeMap::from([
        (app, "serve { \"80\" }\n".to_owned()),
        (lib, "{ port } => port + 1\n".to_owned()),
    ]);
    (diagnostic, texts)
}

#[test]
fn all_parts_are_drawn() {
    let (diagnostic, texts) = full();
    snapshot!(render(&diagnostic, &texts, false, 80));
}

#[test]
fn warnings_narrow_terminals_and_unknown_files() {
    let (diagnostic, texts) = full();
    let warning = Diagnostic::warning(
        codes::UNUSED_BINDING,
        diagnostic.primary.span.clone(),
        "`port` is bound but nothing in this file uses it",
    )
    .with_help("remove the binding, or use it where the number 8080 is written now");
    let narrow = render(&warning, &texts, false, 40);
    let unknown = render(&warning, &BTreeMap::<FileId, String>::new(), false, 80);
    snapshot!(format!("{narrow}\n----\n{unknown}"));
}

#[test]
fn colours_are_a_choice() {
    let (diagnostic, texts) = full();
    assert!(!render(&diagnostic, &texts, false, 80).contains('\u{1b}'));
    assert!(render(&diagnostic, &texts, true, 80).contains('\u{1b}'));
}

#[test]
fn sources_cannot_command_the_terminal() {
    let file = FileId::new("app.img");
    let texts = BTreeMap::from([(file.clone(), "\"\u{1b}[2J\u{202e}\"".to_owned())]);
    let span = Span {
        file,
        range: SpanRange { start: 0, end: 900 },
    };
    let diagnostic = Diagnostic::error(codes::WRONG_TYPE, span, "bad \u{1b}[2J")
        .with_label("\u{7}")
        .with_help("\u{1b}");
    let shown = render(&diagnostic, &texts, false, 80);
    assert!(
        shown
            .chars()
            .all(|character| character == '\n' || !character.is_control())
    );
    assert!(!shown.contains('\u{202e}'));
}
