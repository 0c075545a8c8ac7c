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
fn lines_end_as_the_first_one_does() {
    check(
        "let a=1;\r\n# b\nin a",
        "let\r\n  a = 1;\r\n  # b\r\nin a\r\n",
    );
    check("let a=1;\n# b\r\nin a", "let\n  a = 1;\n  # b\nin a\n");
    // The bytes of a string are its author's.
    check(
        "{\r\na=\"\"\"\n  x\r\n  y\n  \"\"\";}",
        "{\r\n  a = \"\"\"\n  x\r\n  y\n  \"\"\";\r\n}\r\n",
    );
}

#[test]
fn annotations_and_types_within_a_line() {
    check(
        "{a:Int=1;b.c :[Int]= [];}",
        "{ a : Int = 1; b.c : [Int] = []; }\n",
    );
    check("( x:Int )=>x", "(x : Int) => x\n");
    check(
        "{a:Int,b:A|B?C,...}=>a",
        "{ a : Int, b : A | B ? C, ... } => a\n",
    );
    check("( a:Int )", "(a : Int)\n");
    check(
        "let type A=|B|C  Int|...;type P a  b={x:a,y?:b,...r};in 1",
        "let type A = | B | C Int | ...; type P a b = { x : a, y ? : b, ...r }; in 1\n",
    );
    check(
        "let f:Map  a->[ (b) ]->{ }->({...})=g;in f",
        "let f : Map a -> [(b)] -> {} -> ({ ... }) = g; in f\n",
    );
    check(
        "import  \"https://images.example/x\"",
        "import \"https://images.example/x\"\n",
    );
}

#[test]
fn tags_and_choices_within_a_line() {
    check("A{a=B  1;}", "A { a = B 1; }\n");
    check(
        "match  f x{A=>1;B{a,...}=>2;- 1=>3;\"s\"=>4;C n=>x=>n;_=>5;}",
        "match f x { A => 1; B { a, ... } => 2; -1 => 3; \"s\" => 4; C n => x => n; _ => 5; }\n",
    );
    check(
        "assert  a==b   else \"c\"then d",
        "assert a == b else \"c\" then d\n",
    );
}

#[test]
fn arms_break_everywhere_or_nowhere() {
    check(
        "match a { A => 1;\nB => 2; }",
        "match a {\n  A => 1;\n  B => 2;\n}\n",
    );
    check(
        "{ a = match b { A =>\nc; B => { x = 1;\n}; # end\n\n\n# more\nC => d; }; }",
        "{ a = match b {\n  A =>\n    c;\n  B => {\n    x = 1;\n  }; # end\n\n  # more\n  C => d;\n}; }\n",
    );
    check(
        "match\na\n{ A => match b {\nC => 1; }; }",
        "match a { A => match b {\n  C => 1;\n}; }\n",
    );
    check(
        "assert a else\n\"b\" then\nassert c else \"d\" then e",
        "assert a else\n  \"b\" then\nassert c else \"d\" then e\n",
    );
    check(
        "{\na = assert b else \"c\" then assert d else \"e\" then\n{ f = 1; };\n}",
        "{\n  a = assert b else \"c\" then assert d else \"e\" then\n    { f = 1; };\n}\n",
    );
}

#[test]
fn types_break_everywhere_or_nowhere() {
    check(
        "let\ntype A =\n| B | C Int\n| ...;\ntype D = E |\nF;\nin 1",
        "let\n  type A =\n    | B\n    | C Int\n    | ...;\n  type D = E\n    | F;\nin 1\n",
    );
    check(
        "{\nf : A ->\n B -> C = g;\nr : { a : Int,\nb : Int, ...s } = h;\n}",
        "{\n  f : A\n    -> B\n    -> C = g;\n  r : {\n    a : Int,\n    b : Int,\n    ...s\n  } = h;\n}\n",
    );
    check(
        "let\ntype A = | B { a : Int, # one\nb : Int } | C;\nin 1",
        "let\n  type A = | B {\n    a : Int, # one\n    b : Int,\n  } | C;\nin 1\n",
    );
}

#[test]
fn long_types_break() {
    let long = "Abcdefghijklmnopqrstuvwxyz";
    check(
        &format!("{{\n  f : {long} -> [{long}] -> Map {long} -> Int = g;\n}}"),
        &format!("{{\n  f : {long}\n    -> [{long}]\n    -> Map {long}\n    -> Int = g;\n}}\n"),
    );
    check(
        &format!("let\n  type A = | B {long} | C {long} | D {long} | E;\nin 1"),
        &format!(
            "let\n  type A =\n    | B {long}\n    | C {long}\n    | D {long}\n    | E;\nin 1\n"
        ),
    );
    check(
        &format!("{{\n  r : {{ a : {long}, b : {long}, c : {long} }} = h;\n}}"),
        &format!(
            "{{\n  r : {{\n    a : {long},\n    b : {long},\n    c : {long},\n  }} = h;\n}}\n"
        ),
    );
    // Just within the width, nothing breaks.
    let fits = format!("{{ r : Int -> {} = h; }}\n", "A".repeat(85));
    assert_eq!(fits.find(" = h").unwrap() + 2, 100);
    check(&fits, &fits);
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

/// Types of every kind, short and long.
fn types() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "Int",
        "a",
        "Abcdefghijklmnopqrstuvwxyzabcdefghij",
        "{}",
        "{ ... }",
        "| Only Int",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|t| format!("[ {t} ]")),
                (inner.clone(), inner.clone())
                    .prop_map(|(t, u)| format!("( {t} ) -> ( {u} ) -> {t}")),
                (inner.clone(), inner.clone())
                    .prop_map(|(t, u)| format!("{{ a : {t} , b ? : {u} , ...r }}")),
                inner
                    .clone()
                    .prop_map(|t| format!("| A ( {t} ) | B {{ a : {t} }} | ...")),
                inner.clone().prop_map(|t| format!("A ( {t} ) | B")),
                inner.prop_map(|t| format!("Map ( {t} ) [ Int ]")),
            ]
        })
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
        "Tag",
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
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!(
                    "match ( {a} ) {{ A => {a} ; B {{ x , ... }} => {b} ; - 1 => {b} ; _ => {a} ; }}"
                )),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| format!("assert {a} else {b} then {a}")),
                (inner.clone(), types(), types())
                    .prop_map(|(a, t, u)| format!("let x : {t} = {a} ; type A b = {u} ; in x")),
                (inner.clone(), types(), types()).prop_map(|(a, t, u)| format!(
                    "( x : {t} ) => {{ a : {u} ? {a} , b : {t} , ... }} => ( {a} : {u} )"
                )),
                atom.clone().prop_map(|a| format!("Tag {a}")),
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
