//! Any text parses: without panic, without loss, in bounded depth and time.

use imgc_syntax::ast::{AstNode, Binding, Literal, Str};
use imgc_syntax::{
    MAX_DEPTH, MAX_SOURCE, MAX_TOKENS, Parse, SyntaxCode, SyntaxNode, parse, parse_type,
};
use proptest::prelude::*;

/// Parses, and holds the tree against everything that is promised of any tree.
fn checked(source: &str) -> Parse {
    let parse = parse(source);
    let root = parse.syntax();
    assert_eq!(root.to_string(), source, "lossless");
    assert!(depth(root) < MAX_DEPTH * 5, "bounded depth");
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
        accessors(node);
        if let Some(string) = Str::cast(node) {
            let _ = (string.parts(), string.plain());
        } else if let Some(binding) = Binding::cast(node) {
            let _ = (binding.keys(), binding.value(), binding.doc());
        } else if let Some(literal) = Literal::cast(node) {
            let _ = literal.value();
        }
    }
    parse
}

/// Asks everything of what is new in a node.
fn accessors(node: SyntaxNode<'_>) {
    use imgc_syntax::ast::*;
    match Expr::cast(node) {
        Some(Expr::Match(choice)) => {
            let _ = choice.scrutinee();
            for arm in choice.arms() {
                let _ = arm.body();
                match arm.pattern() {
                    Some(ArmPattern::Tag(tag)) => drop((tag.name(), tag.payload())),
                    Some(ArmPattern::Literal(literal)) => drop(literal.value()),
                    Some(ArmPattern::Name(name)) => drop((name.name(), name.is_wildcard())),
                    None => {}
                }
            }
        }
        Some(Expr::Assert(assert)) => {
            let _ = (assert.condition(), assert.message(), assert.body());
        }
        Some(Expr::Tag(tag)) => drop((tag.name(), tag.payload())),
        Some(Expr::Ascribe(ascribe)) => drop((ascribe.expr(), ascribe.ty())),
        Some(Expr::Import(import)) => drop(import.target()),
        Some(Expr::Let(block)) => {
            for declared in block.type_decls() {
                let _ = (declared.name(), declared.ty(), declared.doc());
                let _ = declared.params().count();
            }
        }
        _ => {}
    }
    if let Some(ty) = Type::cast(node) {
        assert!(node.text_range().contains_range(ty.range()));
        match ty {
            Type::Name(name) => drop(name.text()),
            Type::Var(name) => drop(name.text()),
            Type::Apply(apply) => drop((apply.head(), apply.args().count())),
            Type::List(list) => drop(list.element()),
            Type::Record(record) => {
                let _ = record.rest();
                for field in record.fields() {
                    let _ = (field.key(), field.ty(), field.is_optional());
                }
            }
            Type::Function(function) => drop((function.parameter(), function.result())),
            Type::Union(union) => {
                let _ = union.is_open();
                for alternative in union.alternatives() {
                    let _ = (alternative.name(), alternative.payload());
                }
            }
            Type::Error(_) => {}
        }
    }
}

fn depth(root: SyntaxNode<'_>) -> usize {
    let mut way: Vec<SyntaxNode<'_>> = Vec::new();
    let mut deepest = 0;
    for node in root.descendants() {
        while way.last().is_some_and(|last| node.parent() != Some(*last)) {
            way.pop();
        }
        way.push(node);
        deepest = deepest.max(way.len());
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
    "assert",
    "type",
    "rec",
    "Tag",
    "Int",
    "A-b",
    "->",
    "|",
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
    "a : T = 1;",
    "type A b = ",
    "{ A => 1; B c => 2; }",
    "match x {",
    "A { b } =>",
    "(x : T) =>",
    "{ a : T, b ? : [U], ...r }",
    "...r",
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

    #[test]
    fn any_mess_of_types(source in "[\\[\\](){}=;:,|?>a-cA-C.\n -]{0,80}") {
        checked(&source);
        let ty = parse_type(&source);
        assert_eq!(ty.syntax().to_string(), source);
        let _ = ty.tree().ty();
        checked(&format!("let type A = {source}; x : {source} = 1; in match x {{ {source} }}"));
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
        ("match a { A => ", ";}"),
        ("A { a = ", ";}"),
        ("match ", " { A => 1; }"),
        ("(", " : Int)"),
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
        "(a : A) => ",
        "assert a else a then ",
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
        (format!("{{{}}}", "a: 1, ".repeat(400)), true),
        (format!("{{{}}}", "a: 1, ".repeat(50_000)), false),
    ] {
        let parse = checked(&source);
        assert_eq!(parse.errors().len(), 1);
        assert_eq!(!parse.errors()[0].fix.is_empty(), has_fix);
    }
}

#[test]
fn deep_types() {
    for (opening, closing) in [
        ("[", "]"),
        ("(", ")"),
        ("{ a : ", "}"),
        ("A -> ", ""),
        ("(A -> ", ")"),
        ("A (", ")"),
        ("| A [", "]"),
    ] {
        let count = match opening {
            "[" | "A -> " => 100_000,
            _ => 10_000,
        };
        let ty = format!("{}Int{}", opening.repeat(count), closing.repeat(count));
        let parse = checked(&format!("let x : {ty} = 1; in x"));
        let codes: Vec<_> = parse.errors().iter().map(|error| error.code).collect();
        assert_eq!(codes, [SyntaxCode::TooDeep], "{opening}");
        assert!(
            !checked(&format!("let x : {} = 1; in x", opening.repeat(10_000)))
                .errors()
                .is_empty()
        );
        assert_eq!(parse_type(&ty).errors().len(), 1, "{opening}");
    }
}

#[test]
fn wide_types_and_matches_are_fine() {
    let union = format!("let type A = B{}; in 1", " | C Int".repeat(20_000));
    let record = format!("let type A = {{ {} }}; in 1", "a : Int, ".repeat(20_000));
    let arms = format!("match a {{ {} }}", "A b => c; ".repeat(20_000));
    let matches = format!("[{}]", "match a { A => b; }, ".repeat(10_000));
    let applied = format!("match f {} {{ A => 1; }}", "{} ".repeat(190));
    for source in [union, record, arms, matches, applied] {
        assert_eq!(checked(&source).errors(), []);
    }
}

#[test]
fn one_token_again_and_again_takes_linear_time() {
    for token in [
        "A ",
        "A=",
        "a:",
        "->",
        "| ",
        "match ",
        "assert ",
        "type ",
        "type A=",
        "a:A=",
        "=>",
        "A=>",
        "match{A=>",
        "{a:",
        "(a:",
        "...",
        "?:",
        "import\"",
        "a : A\n",
        "A => 1\n",
    ] {
        checked(&token.repeat(4_000));
    }
}

#[test]
fn sixteen_mebibytes_of_one_token() {
    for token in ["a", "A", "#", "1", " "] {
        let parse = parse(&token.repeat(MAX_SOURCE));
        assert!(parse.errors().len() <= 1);
    }
    for token in ["|", "A ", "->", ":", "a:"] {
        let count = MAX_TOKENS / 80;
        checked_quickly(&token.repeat(count));
    }
}

/// Parses, and looks at no more than the errors.
fn checked_quickly(source: &str) {
    let parse = parse(source);
    assert!(!parse.errors().is_empty() && parse.errors().len() <= 100);
}
