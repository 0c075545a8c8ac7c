//! The typed view: what accessors answer.

use imgc_syntax::ast::{
    ArmPattern, AstNode, Binding, Expr, ImportTarget, Key, Let, LiteralValue, Pattern,
    PatternValue, Record, Str, StrPart, Type, TypeRowRest,
};
use imgc_syntax::{Parse, SyntaxCode, parse_type};

/// A tree that is never dropped, so that its parts can be handed on.
fn parse(source: &str) -> &'static Parse {
    Box::leak(Box::new(imgc_syntax::parse(source)))
}

fn expr(source: &str) -> Expr<'static> {
    let parse = parse(source);
    assert_eq!(parse.errors(), [], "{source}");
    parse.tree().expr().unwrap()
}

fn string(source: &str) -> Str<'static> {
    let Expr::Str(string) = expr(source) else {
        panic!("{source}")
    };
    string
}

fn bindings(source: &str) -> Vec<Binding<'static>> {
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
            StrPart::Text { text, .. } => &**text,
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
    assert_eq!(fields, [("a", false), ("b", true)]);
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
    assert_eq!((module, usize::from(range.start())), ("std/debian", 7));
    let Expr::Import(import) = expr("import ./lib.img") else {
        panic!()
    };
    let Some(ImportTarget::File(path)) = import.target() else {
        panic!()
    };
    assert_eq!(path.text(), "./lib.img");
    let Expr::Import(import) = expr("import \"oci://registry.example/x:1\"") else {
        panic!()
    };
    let Some(ImportTarget::Remote { address, range }) = import.target() else {
        panic!()
    };
    assert_eq!(address, "oci://registry.example/x:1");
    assert_eq!(usize::from(range.start()), 7);
}

#[test]
fn tags_have_names_and_payloads() {
    let Expr::Tag(tag) = expr("OnFailure 3") else {
        panic!()
    };
    assert_eq!(tag.name().unwrap().text(), "OnFailure");
    assert!(matches!(tag.payload(), Some(Expr::Literal(_))));
    let Expr::Tag(tag) = expr("Always") else {
        panic!()
    };
    assert_eq!(tag.payload(), None);
}

#[test]
fn arms_have_patterns_and_bodies() {
    let source = "match f x { A => 1; B n => n; C _ => 2; D { p, ... } => 3; -4 => 4; \"s\" => 5; false => 6; _ => 7; }";
    let Expr::Match(choice) = expr(source) else {
        panic!()
    };
    assert!(matches!(choice.scrutinee(), Some(Expr::Apply(_))));
    let shown: Vec<String> = choice
        .arms()
        .map(|arm| {
            assert!(arm.body().is_some());
            match arm.pattern().unwrap() {
                ArmPattern::Tag(tag) => {
                    let payload = match tag.payload() {
                        None => String::new(),
                        Some(Pattern::Name(name)) => name.name().unwrap().text().to_owned(),
                        Some(Pattern::Record(record)) => format!("{}", record.fields().count()),
                    };
                    format!("{}({payload})", tag.name().unwrap().text())
                }
                ArmPattern::Literal(literal) => match literal.value().unwrap() {
                    PatternValue::Int(value) => value.to_string(),
                    PatternValue::Str(text) => format!("{text:?}"),
                    PatternValue::Bool(value) => value.to_string(),
                },
                ArmPattern::Name(name) => {
                    assert!(name.is_wildcard());
                    "all".to_owned()
                }
            }
        })
        .collect();
    assert_eq!(
        shown,
        ["A()", "B(n)", "C(_)", "D(1)", "-4", "\"s\"", "false", "all"]
    );
}

#[test]
fn asserts_have_three_parts() {
    let Expr::Assert(assert) = expr("assert a else \"b\" then 1") else {
        panic!()
    };
    assert!(matches!(assert.condition(), Some(Expr::Ref(_))));
    assert!(matches!(assert.message(), Some(Expr::Str(_))));
    assert!(matches!(assert.body(), Some(Expr::Literal(_))));
}

/// A type in a form of its own: every part is asked for.
fn shown(ty: Option<Type<'_>>) -> String {
    match ty.unwrap() {
        Type::Name(name) => name.text().to_owned(),
        Type::Var(name) => format!("'{}", name.text()),
        Type::Apply(apply) => {
            let args: Vec<String> = apply.args().map(|arg| shown(Some(arg))).collect();
            format!("{}<{}>", apply.head().unwrap().text(), args.join(" "))
        }
        Type::List(list) => format!("[{}]", shown(list.element())),
        Type::Record(record) => {
            let fields: Vec<String> = record
                .fields()
                .map(|field| {
                    let mark = if field.is_optional() { "?" } else { "" };
                    let key = field.key().unwrap().text().unwrap();
                    format!("{key}{mark}:{}", shown(field.ty()))
                })
                .collect();
            let rest = match record.rest() {
                TypeRowRest::Closed => String::new(),
                TypeRowRest::Open => "...".to_owned(),
                TypeRowRest::Named(name) => format!("...{}", name.text()),
            };
            format!("{{{}{rest}}}", fields.join(" "))
        }
        Type::Function(function) => {
            format!(
                "({} -> {})",
                shown(function.parameter()),
                shown(function.result())
            )
        }
        Type::Union(union) => {
            let alternatives: Vec<String> = union
                .alternatives()
                .map(|alternative| {
                    let payload = alternative.payload().map(|ty| shown(Some(ty)));
                    format!(
                        "{}({})",
                        alternative.name().unwrap().text(),
                        payload.unwrap_or_default()
                    )
                })
                .collect();
            let open = if union.is_open() { " ..." } else { "" };
            format!("<{}{open}>", alternatives.join(" "))
        }
        Type::Error(_) => "error".to_owned(),
    }
}

#[test]
fn types_have_parts() {
    for (source, expected) in [
        ("Int", "Int"),
        ("((a))", "'a"),
        ("[[Int]]", "[[Int]]"),
        ("Map [a] B", "Map<['a] B>"),
        ("A -> B -> c", "(A -> (B -> 'c))"),
        ("(A -> B) -> c", "((A -> B) -> 'c)"),
        ("A | B -> C", "(<A() B()> -> C)"),
        ("A | B Int | C (Map a) | ...", "<A() B(Int) C(Map<'a>) ...>"),
        ("| Only { a : Int }", "<Only({a:Int})>"),
        (
            "{ a : Int, b ? : [c], \"d e\" : F, ...r }",
            "{a:Int b?:['c] d e:F...r}",
        ),
        ("{ ... }", "{...}"),
        ("{}", "{}"),
    ] {
        let parse = parse_type(source);
        assert_eq!(parse.errors(), [], "{source}");
        assert_eq!(shown(parse.tree().ty()), expected, "{source}");
    }
    assert_eq!(parse_type("Int Int ->").errors().len(), 1);
    assert_eq!(parse_type("").errors().len(), 1);
    assert_eq!(parse_type("1").errors()[0].code, SyntaxCode::ExpectedType);
}

#[test]
fn annotations_have_types() {
    let found = bindings("{ a : Int = 1; b.c : [d] = 2; e = 3; }");
    let types: Vec<_> = found
        .iter()
        .map(|binding| binding.ty().map(|ty| shown(Some(ty))))
        .collect();
    assert_eq!(
        types,
        [Some("Int".to_owned()), Some("['d]".to_owned()), None]
    );
    assert!(found.iter().all(|binding| binding.value().is_some()));

    let Expr::Lambda(lambda) = expr("(x : Int -> Int) => x") else {
        panic!()
    };
    let Some(Pattern::Name(name)) = lambda.pattern() else {
        panic!()
    };
    assert_eq!(name.name().unwrap().text(), "x");
    assert_eq!(shown(name.ty()), "(Int -> Int)");

    let Expr::Lambda(lambda) = expr("{ a : Int, b : A | B ? c, d } => a") else {
        panic!()
    };
    let Some(Pattern::Record(pattern)) = lambda.pattern() else {
        panic!()
    };
    let fields: Vec<_> = pattern
        .fields()
        .map(|field| {
            (
                field.ty().map(|ty| shown(Some(ty))),
                field.default().is_some(),
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            (Some("Int".to_owned()), false),
            (Some("<A() B()>".to_owned()), true),
            (None, false)
        ]
    );

    let Expr::Ascribe(ascribe) = expr("(a + b : Int)") else {
        panic!()
    };
    assert!(matches!(ascribe.expr(), Some(Expr::Binary(_))));
    assert_eq!(shown(ascribe.ty()), "Int");
}

#[test]
fn types_are_declared_in_a_let() {
    let Expr::Let(block) = expr("let\n  ## Two.\n  type Pair a b = { first : a };\n  x = 1;\nin x")
    else {
        panic!()
    };
    let declared: Vec<_> = block.type_decls().collect();
    assert_eq!(declared.len(), 1);
    assert_eq!(declared[0].name().unwrap().text(), "Pair");
    let params: Vec<_> = declared[0].params().map(|name| name.text()).collect();
    assert_eq!(params, ["a", "b"]);
    assert_eq!(shown(declared[0].ty()), "{first:'a}");
    assert_eq!(declared[0].doc().unwrap(), "Two.");
    assert_eq!(block.bindings().count(), 1);
    assert!(matches!(block.body(), Some(Expr::Ref(_))));
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

/// A record as JSON has it is one mistake, and the fix mends all of it.
#[test]
fn one_fix_mends_a_record_of_another_language() {
    let source = "{ name: \"x\", \"list\": [1], port: a }";
    let parse = parse(source);
    let [error] = parse.errors() else {
        panic!("{:?}", parse.errors())
    };
    assert_eq!(error.code, SyntaxCode::ColonForEquals);
    let mut fixed = source.to_owned();
    let mut edits = error.fix.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.range.start()));
    for edit in edits {
        fixed.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
    }
    assert_eq!(fixed, "{ name = \"x\"; \"list\" = [1]; port = a; }");
    assert_eq!(imgc_syntax::parse(&fixed).errors(), []);
}
