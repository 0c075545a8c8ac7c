//! Any text parses: without panic, without loss, in bounded depth and time.

use imgc_syntax::ast::{AstNode, Binding, Literal, Str};
use imgc_syntax::{MAX_DEPTH, MAX_SOURCE, MAX_TOKENS, Parse, SyntaxCode, SyntaxNode, parse};
use proptest::prelude::*;

/// Parses, and holds the tree against everything that is promised of any tree.
fn checked(source: &str) -> Parse {
    let parse = parse(source);
    let root = parse.syntax();
    assert_eq!(root.to_string(), source, "lossless");
    assert!(depth(&root) < MAX_DEPTH * 5, "bounded depth");
    for error in parse.errors() {
        assert!(usize::from(error.range.end()) <= source.len(), "{error:?}");
        assert!(
            source
                .get(std::ops::Range::<usize>::from(error.range))
                .is_some(),
            "{error:?}"
        );
        assert!(
            !error.message.is_empty() && !error.message.ends_with('.'),
            "{error:?}"
        );
        for edit in &error.fix {
            assert!(
                source
                    .get(std::ops::Range::<usize>::from(edit.range))
                    .is_some(),
                "{error:?}"
            );
        }
        for (range, _) in &error.related {
            assert!(usize::from(range.end()) <= source.len(), "{error:?}");
        }
    }
    assert!(
        parse
            .errors()
            .windows(2)
            .all(|two| two[0].range.start() <= two[1].range.start())
    );
    // Accessors cope with every tree.
    let _ = (parse.tree().doc(), parse.tree().expr());
    for node in root.descendants() {
        if let Some(string) = Str::cast(node.clone()) {
            let _ = (string.parts(), string.plain());
        } else if let Some(binding) = Binding::cast(node.clone()) {
            let _ = (binding.keys(), binding.value(), binding.doc());
        } else if let Some(literal) = Literal::cast(node) {
            let _ = literal.value();
        }
    }
    parse
}

fn depth(root: &SyntaxNode) -> usize {
    let (mut depth, mut deepest) = (0, 0);
    for event in root.preorder() {
        match event {
            rowan::WalkEvent::Enter(_) => depth += 1,
            rowan::WalkEvent::Leave(_) => depth -= 1,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The vocabulary, with some things that are not in it.
const WORDS: &[&str] = &[
    "let",
    "in",
    "if",
    "then",
    "else",
    "import",
    "true",
    "false",
    "match",
    "rec",
    "a",
    "b-c",
    "x1",
    "std",
    "std/debian",
    "./a.txt",
    "../b",
    "./",
    "0",
    "10_000",
    "0o755",
    "0x1f",
    "09",
    "\"",
    "\"\"\"",
    "\"\"\"\n",
    "\"text\"",
    "${",
    "\\n",
    "\\q",
    "\\u{41}",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "=",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "!",
    "+",
    "-",
    "*",
    "//",
    "++",
    "|>",
    "=>",
    ";",
    ",",
    ".",
    "...",
    "?",
    ":",
    "'",
    "'a'",
    "@",
    "é",
    "\u{202e}",
    "\0",
    "\t",
    "\r\n",
    "# note\n",
    "## doc\n",
    "// note\n",
    "a = 1;",
    "a.b = ",
    "{ a, b ? 1, ... } =>",
];

fn soup() -> impl Strategy<Value = String> {
    let blank = prop_oneof![Just(""), Just(" "), Just(" "), Just("\n"), Just("\n  ")];
    prop::collection::vec((prop::sample::select(WORDS), blank), 0..60).prop_map(|words| {
        words
            .iter()
            .flat_map(|(word, blank)| [*word, blank])
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(source in any::<String>()) {
        checked(&source);
    }

    #[test]
    fn any_tokens(source in soup()) {
        checked(&source);
    }

    #[test]
    fn any_bracket_mess(source in "[\\[\\](){}\"$ =;,a\n]{0,80}") {
        checked(&source);
    }
}

#[test]
fn deep_brackets() {
    for (opening, closing) in [
        ("[", "]"),
        ("(", ")"),
        ("{a=", ";}"),
        ("let a=", ";in a"),
        ("{a?", "}=>a"),
        ("\"${", "}\""),
    ] {
        let count = if opening == "[" { 100_000 } else { 10_000 };
        let closed = format!("{}1{}", opening.repeat(count), closing.repeat(count));
        let parse = checked(&closed);
        let codes: Vec<_> = parse.errors().iter().map(|error| error.code).collect();
        assert_eq!(codes, [SyntaxCode::TooDeep], "{opening}");
        // Not closed, or closed by what is not open: one error or two, and no overflow.
        assert!(!checked(&opening.repeat(count)).errors().is_empty());
        assert!(!checked(&closing.repeat(count)).errors().is_empty());
        drop(parse);
    }
}

#[test]
fn deep_chains() {
    for link in [
        "a + ",
        "a ++ ",
        "a ",
        "a => ",
        "!",
        "if a then a else ",
        "a |> ",
        "f a // ",
        "- ",
    ] {
        let source = format!("{}a", link.repeat(5_000));
        let codes: Vec<_> = checked(&source)
            .errors()
            .iter()
            .map(|error| error.code)
            .collect();
        assert_eq!(codes, [SyntaxCode::TooDeep], "{link}");
    }
    let source = format!("a{}", ".b".repeat(20_000));
    assert_eq!(checked(&source).errors().len(), 1);
}

#[test]
fn nesting_up_to_the_limit_is_fine() {
    let nested = |count: usize| format!("{}1{}", "[".repeat(count), "]".repeat(count));
    assert_eq!(checked(&nested(MAX_DEPTH - 1)).errors(), []);
    let too_deep = checked(&nested(MAX_DEPTH));
    assert_eq!(too_deep.errors()[0].code, SyntaxCode::TooDeep);
}

#[test]
fn mixed_deep_garbage_takes_linear_time() {
    for piece in [
        "({[",
        "[}",
        "{(]",
        "\"\"\"${",
        "\"${\n",
        "in let ",
        "a = \"\"\"\n",
        "let ;",
        "let ; a ",
    ] {
        checked(&piece.repeat(5_000));
    }
}

#[test]
fn large_sources_are_refused() {
    for source in [" ".repeat(MAX_SOURCE + 1), "[".repeat(MAX_TOKENS + 1)] {
        let parse = parse(&source);
        assert_eq!(parse.errors().len(), 1);
        assert_eq!(parse.errors()[0].code, SyntaxCode::SourceTooLarge);
        assert_eq!(parse.syntax().to_string(), source);
    }
    assert_eq!(
        parse(&" ".repeat(MAX_SOURCE)).errors()[0].code,
        SyntaxCode::ExpectedExpression
    );
}

#[test]
fn a_fix_of_very_many_edits_is_left_out() {
    for (source, has_fix) in [
        (format!("[{}]", "a; ".repeat(500)), true),
        (format!("[{}]", "a; ".repeat(50_000)), false),
    ] {
        let parse = checked(&source);
        assert_eq!(parse.errors().len(), 1);
        assert_eq!(!parse.errors()[0].fix.is_empty(), has_fix);
    }
}
