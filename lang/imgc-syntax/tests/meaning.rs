//! The typed view: what accessors answer.

use imgc_syntax::ast::{
    AstNode, Binding, Expr, ImportTarget, Key, Let, LiteralValue, Pattern, Record, Str, StrPart,
};
use imgc_syntax::{SyntaxCode, parse};

fn expr(source: &str) -> Expr {
    let parse = parse(source);
    assert_eq!(parse.errors(), [], "{source}");
    parse.tree().expr().unwrap()
}

fn string(source: &str) -> Str {
    let Expr::Str(string) = expr(source) else {
        panic!("{source}")
    };
    string
}

fn bindings(source: &str) -> Vec<Binding> {
    match parse(source).tree().expr() {
        Some(Expr::Record(record)) => Record::bindings(&record).collect(),
        Some(Expr::Let(block)) => Let::bindings(&block).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn literals_have_values() {
    for (source, value) in [
        ("10_000", LiteralValue::Int(10_000)),
        ("0o755", LiteralValue::Int(493)),
        ("0x1f", LiteralValue::Int(31)),
        ("true", LiteralValue::Bool(true)),
        ("false", LiteralValue::Bool(false)),
    ] {
        let Expr::Literal(literal) = expr(source) else {
            panic!("{source}")
        };
        assert_eq!(literal.value(), Some(value));
    }
}

#[test]
fn escapes_are_decoded() {
    assert_eq!(string(r#""a\n\t\r\"\\\$\u{e9}é${""}""#).plain(), None);
    assert_eq!(
        string(r#""a\n\t\r\"\\\$\u{e9}é""#).plain().unwrap(),
        "a\n\t\r\"\\$éé"
    );
    assert_eq!(string(r#""""#).plain().unwrap(), "");
    assert_eq!(string(r#""$ {} $x""#).plain().unwrap(), "$ {} $x");
    assert!(!string(r#""""#).is_indented());
}

#[test]
fn parts_come_in_order() {
    let parts = string(r#""a${x}b${y}${z}""#).parts();
    let shown: Vec<String> = parts
        .iter()
        .map(|part| match part {
            StrPart::Text { text, range } => format!("{text} at {range:?}"),
            StrPart::Interpolation(part) => part.expr().unwrap().syntax().to_string(),
        })
        .collect();
    assert_eq!(shown, ["a at 1..2", "x", "b at 6..7", "y", "z"]);
}

#[test]
fn indentation_is_removed() {
    let text = |source: &str| {
        let string = string(source);
        assert!(string.is_indented());
        string.plain().unwrap()
    };
    assert_eq!(text("\"\"\"\n  a\n    b\n\n  c\n  \"\"\""), "a\n  b\n\nc\n");
    assert_eq!(text("\"\"\"\n  a\n  b\"\"\""), "a\nb");
    assert_eq!(text("\"\"\"\n\ta\n\t\tb\n\"\"\""), "a\n\tb\n");
    assert_eq!(
        text("\"\"\"\n  a\n   \n  b\n\"\"\""),
        "a\n\nb\n",
        "blank lines are empty"
    );
    assert_eq!(
        text("\"\"\"\n  a  \n  \"\"\""),
        "a  \n",
        "blanks at the end stay"
    );
    assert_eq!(
        text("\"\"\"  \r\n  a\r\n  b\r\n  \"\"\""),
        "a\nb\n",
        "line ends are the same"
    );
    assert_eq!(text("\"\"\"\n  \\ta\n  \\$\\\\\n\"\"\""), "\ta\n$\\\n");
    assert_eq!(text("\"\"\"\"\"\""), "");
    assert_eq!(text("\"\"\"\n\"\"\""), "");
    assert_eq!(text("\"\"\"\n\n  a\n\"\"\""), "\na\n");
    assert_eq!(text("\"\"\"\n  a \"b\" \"\"c\n  \"\"\""), "a \"b\" \"\"c\n");
}

#[test]
fn interpolations_count_as_text_for_the_indentation() {
    let parts = string("\"\"\"\n    ${a}\n      b ${c} d\n    \"\"\"").parts();
    let texts: Vec<&str> = parts
        .iter()
        .map(|part| match part {
            StrPart::Text { text, .. } => text.as_str(),
            StrPart::Interpolation(_) => "<>",
        })
        .collect();
    assert_eq!(texts, ["<>", "\n  b ", "<>", " d\n"]);
}

#[test]
fn bindings_have_keys_values_and_docs() {
    let source = "{\n  ## The first.\n  ##   More.\n  a.\"b c\" = 1; ## not about d\n  d;\n\n  ## lost\n\n  e = 2;\n  # note\n  ## G.\n  # note\n  ## H.\n  f = 3;\n}";
    let found: Vec<_> = bindings(source)
        .iter()
        .map(|binding| {
            let keys: Vec<_> = binding
                .keys()
                .iter()
                .map(|key| key.text().unwrap())
                .collect();
            (keys.join("/"), binding.is_shorthand(), binding.doc())
        })
        .collect();
    let doc = |text: &str| Some(text.to_owned());
    assert_eq!(
        found,
        [
            ("a/b c".to_owned(), false, doc("The first.\n  More.")),
            ("d".to_owned(), true, None),
            ("e".to_owned(), false, None),
            ("f".to_owned(), false, doc("H.")),
        ]
    );
}

#[test]
fn files_have_docs() {
    assert_eq!(
        parse("## A.\n##\n## B.\nx").tree().doc().unwrap(),
        "A.\n\nB."
    );
    assert_eq!(parse("\n## A.\n\n## B.\nx").tree().doc().unwrap(), "A.");
    assert_eq!(parse("x ## A.").tree().doc(), None);
    assert_eq!(parse("# A.\n").tree().doc(), None);
    assert_eq!(parse("### A.\nx").tree().doc(), None);
}

#[test]
fn patterns() {
    let Expr::Lambda(lambda) = expr("{ a, b ? 1, ... } => a") else {
        panic!()
    };
    let Some(Pattern::Record(pattern)) = lambda.pattern() else {
        panic!()
    };
    assert!(pattern.has_rest());
    let fields: Vec<_> = pattern
        .fields()
        .map(|field| (field.name().unwrap().text(), field.default().is_some()))
        .collect();
    assert_eq!(fields, [("a".to_owned(), false), ("b".to_owned(), true)]);
    let Expr::Lambda(lambda) = expr("x => y") else {
        panic!()
    };
    let Some(Pattern::Name(pattern)) = lambda.pattern() else {
        panic!()
    };
    assert_eq!(pattern.name().unwrap().text(), "x");
    assert!(matches!(lambda.body(), Some(Expr::Ref(name)) if name.text() == "y"));
}

#[test]
fn imports() {
    let Expr::Import(import) = expr("import std/debian") else {
        panic!()
    };
    let Some(ImportTarget::Std { module, range }) = import.target() else {
        panic!()
    };
    assert_eq!(
        (module.as_str(), usize::from(range.start())),
        ("std/debian", 7)
    );
    let Expr::Import(import) = expr("import ./lib.img") else {
        panic!()
    };
    let Some(ImportTarget::File(path)) = import.target() else {
        panic!()
    };
    assert_eq!(path.text(), "./lib.img");
}

#[test]
fn selects() {
    let Expr::Select(select) = expr("a.b.\"c\"") else {
        panic!()
    };
    assert!(matches!(select.key(), Some(Key::Str(_))));
    assert!(matches!(select.base(), Some(Expr::Select(_))));
    let Expr::Select(select) = expr("\"a\".b") else {
        panic!()
    };
    assert_eq!(select.key().and_then(|key| key.text()).unwrap(), "b");
    let Some(Expr::Select(select)) = parse("\"a\".").tree().expr() else {
        panic!()
    };
    assert_eq!(select.key(), None);
}

#[test]
fn bodies_are_found_beside_errors() {
    let parse = parse("let (1); a = 2; in a");
    let codes: Vec<_> = parse.errors().iter().map(|error| error.code).collect();
    assert_eq!(codes, [SyntaxCode::ExpectedBinding]);
    let Some(Expr::Let(block)) = parse.tree().expr() else {
        panic!()
    };
    assert_eq!(block.bindings().count(), 1);
    assert!(matches!(block.body(), Some(Expr::Ref(name)) if name.text() == "a"));
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    assert_eq!(parse("\u{feff}1").errors(), []);
}
