//! The formatter: its style, and what it never does.
#![expect(clippy::disallowed_methods, reason = "tests read their data")]

use imgc_syntax::{format, parse};
use proptest::prelude::*;

/// Formats, and checks that a second time changes nothing.
fn formatted(source: &str) -> String {
    assert_eq!(parse(source).errors(), [], "{source}");
    let once = format(source).unwrap_or_else(|| panic!("refused: {source}"));
    assert_eq!(
        format(&once).as_deref(),
        Some(once.as_str()),
        "again: {source}"
    );
    once
}

fn check(source: &str, expected: &str) {
    assert_eq!(formatted(source), expected);
}

#[test]
fn blanks_within_a_line() {
    check("  x  ", "x\n");
    check("{a=1;b . c=2;}", "{ a = 1; b.c = 2; }\n");
    check("{ }", "{}\n");
    check("[ ]", "[]\n");
    check("[1,2 ,3,]", "[1, 2, 3]\n");
    check("{a,b?1,...}=>a", "{ a, b ? 1, ... } => a\n");
    check("{ ... , } => 1", "{ ... } => 1\n");
    check("{}=>1", "{} => 1\n");
    check("f   x( y )", "f x (y)\n");
    check("- a+ ! b*c", "-a + !b * c\n");
    check("a  .  b . \"c\"", "a.b.\"c\"\n");
    check("import  std/debian", "import std/debian\n");
    check("if  a then b  else c", "if a then b else c\n");
    check("let  a=1 ;in a", "let a = 1; in a\n");
    check("./a .b", "./a .b\n");
    check("a|>f", "a |> f\n");
}

#[test]
fn brackets_break_everywhere_or_nowhere() {
    check("{ a = 1;\nb = 2; }", "{\n  a = 1;\n  b = 2;\n}\n");
    check("[1,\n2]", "[\n  1,\n  2,\n]\n");
    check("f {\n a = 1; }", "f {\n  a = 1;\n}\n");
    check("{ a = {\nb = 1;\n}; }", "{ a = {\n  b = 1;\n}; }\n");
    check(
        "let a = 1;\n b = 2; in a",
        "let\n  a = 1;\n  b = 2;\nin a\n",
    );
    check(
        "{ a,\n b ? 1, ... } => a",
        "{\n  a,\n  b ? 1,\n  ...\n} => a\n",
    );
    check("(\na\n)", "(\n  a\n)\n");
    check(
        "{\n\n\n  a = 1;\n\n\n\n  b = 2;\n\n}",
        "{\n  a = 1;\n\n  b = 2;\n}\n",
    );
}

#[test]
fn other_line_ends_stay() {
    check("a\n|> f\n|> g", "a\n  |> f\n  |> g\n");
    check("a ++\nb ++\nc", "a ++\n  b ++\n  c\n");
    check("{ a =\n1; }", "{ a =\n  1; }\n");
    check("x =>\nx", "x =>\n  x\n");
    check("if a then\nb\nelse\nc", "if a then\n  b\nelse\n  c\n");
    check(
        "{\na = if b then\nc\nelse if d then\ne\nelse\nf;\n}",
        "{\n  a = if b then\n      c\n    else if d then\n      e\n    else\n      f;\n}\n",
    );
    check(
        "map\n(x => x)\n[\n1\n]",
        "map\n  (x => x)\n  [\n    1,\n  ]\n",
    );
}

#[test]
fn comments_stay() {
    check(
        "# head\n\n\n\n# more\nx # end\n# last",
        "# head\n\n# more\nx # end\n# last\n",
    );
    check(
        "{ # open\n## doc\na = 1; # after\n\n# alone\n\n   b = 2;\n# close\n}",
        "{ # open\n  ## doc\n  a = 1; # after\n\n  # alone\n\n  b = 2;\n  # close\n}\n",
    );
    check("[1 # one\n, 2]", "[\n  1, # one\n  2,\n]\n");
    check("f # why\nx", "f # why\n  x\n");
    check("{ a # why\n= 1; }", "{ a # why\n  = 1; }\n");
    check("{ # only\n}", "{ # only\n}\n");
    check("x #   trailing   \n", "x #   trailing\n");
}

#[test]
fn strings_keep_every_byte() {
    let source = "{\n     a = \"x  ${ f   y }  z\";\n  b = \"\"\"\n      text  \n\n    more ${ a }\n  \"\"\";\n}";
    let formatted = formatted(source);
    assert!(formatted.contains("\"x  ${ f   y }  z\""));
    assert!(formatted.contains("\"\"\"\n      text  \n\n    more ${ a }\n  \"\"\""));
}

#[test]
fn errors_are_refused() {
    assert_eq!(format("{ a = ; }"), None);
    assert_eq!(format(""), None);
}

#[test]
fn the_sample_is_formatted_well() {
    let source = std::fs::read_to_string("tests/data/sample.img").unwrap();
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(formatted(&source));
    });
}

/// Sources without errors, with blanks, line ends and comments anywhere.
fn sources() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "1",
        "\"s\"",
        "./p",
        "true",
        "import std/x",
        "[]",
        "{}",
    ]);
    let tree = leaf
        .prop_map(str::to_owned)
        .prop_recursive(5, 40, 4, |inner| {
            let atom = inner.clone().prop_map(|inner| format!("( {inner} )"));
            prop_oneof![
                (
                    atom.clone(),
                    prop::sample::select(vec!["+", "++", "//", "|>", "&&", "*"]),
                    atom.clone()
                )
                    .prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
                (atom.clone(), atom.clone()).prop_map(|(a, b)| format!("{a} {b} . k")),
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|all| format!("[ {} ]", all.join(" , "))),
                prop::collection::vec(inner.clone(), 0..4).prop_map(|all| {
                    let bindings: String = all
                        .iter()
                        .map(|value| format!(" k . m = {value} ;"))
                        .collect();
                    format!("{{{bindings} s ; }}")
                }),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("let x = {a} ; in {b}")),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| format!("{{ a , b ? {a} , ... }} => {b}")),
                inner
                    .clone()
                    .prop_map(|a| format!("x => - {a}"))
                    .prop_filter("operand", |text| { parse(text).errors().is_empty() }),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, b, c)| format!("if {a} then {b} else {c}")),
            ]
        });
    let blank = prop::sample::select(vec![
        " ", " ", " ", "\n", "\n\n\n", "  ", " # c\n", "\n## d\n",
    ]);
    (tree, prop::collection::vec(blank, 1..60)).prop_map(|(tree, blanks)| {
        let mut blanks = blanks.iter().cycle();
        tree.split(' ').fold(String::new(), |mut source, word| {
            if !source.is_empty() {
                // A word such as `import` and its target stay together in `split` terms too.
                source.push_str(blanks.next().unwrap());
            }
            source.push_str(word);
            source
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn formatting_settles_at_once(source in sources()) {
        prop_assume!(parse(&source).errors().is_empty());
        let once = format(&source);
        prop_assert!(once.is_some(), "{source}");
        let once = once.unwrap();
        let twice = format(&once);
        prop_assert_eq!(twice.as_deref(), Some(once.as_str()), "{}", source);
    }
}

/// The time grows with the length of a line, not with its square: this took minutes.
#[test]
fn one_long_line_takes_linear_time() {
    let source = format!("[{}]\n", vec!["f (g a)"; 30_000].join(", "));
    assert_eq!(format(&source).as_ref(), Some(&source));
}
