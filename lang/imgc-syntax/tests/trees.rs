//! The trees of every construct, as snapshots: kinds and tokens, without blanks.

use imgc_syntax::{SyntaxElement, SyntaxNode, parse};

/// A tree in one line for each source: `(Kind token (Kind token))`, and its errors.
fn trees(sources: &[&str]) -> String {
    let mut shown = String::new();
    for source in sources {
        let parse = parse(source);
        assert_eq!(parse.syntax().to_string(), *source, "lossless");
        shown.push_str(&format!("{source}\n  "));
        tree(parse.syntax(), &mut shown);
        for error in parse.errors() {
            shown.push_str(&format!("\n  {:?} at {:?}", error.code, error.range));
        }
        shown.push_str("\n\n");
    }
    shown
}

fn tree(node: SyntaxNode<'_>, shown: &mut String) {
    shown.push_str(&format!("({:?}", node.kind()));
    for child in node.children_with_tokens() {
        match child {
            SyntaxElement::Node(node) => {
                shown.push(' ');
                tree(node, shown);
            }
            SyntaxElement::Token(token) if token.kind().is_trivia() => {}
            SyntaxElement::Token(token) => {
                shown.push_str(&format!(" {}", token.text().escape_debug()))
            }
        }
    }
    shown.push(')');
}

macro_rules! snapshot {
    ($sources:expr) => {
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(trees($sources));
        })
    };
}

#[test]
fn atoms() {
    snapshot!(&[
        "x",
        "a-b",
        "n-1",
        "10_000",
        "0o755",
        "0x1f",
        "true",
        "false",
        "./a/b.txt",
        "../x",
        "./",
        "(x)",
        "[]",
        "[1]",
        "[1, 2,]",
        "{}",
        "{ a = 1; }",
        "{ a.b.c = 1; \"q k\" = 2; a.\"x\".b = 3; short; }",
        "import std/debian",
        "import std/a/b-c",
        "import ./lib.img",
        "import ../lib.img",
        "std",
    ]);
}

#[test]
fn strings() {
    snapshot!(&[
        r#""""#,
        r#""plain text""#,
        r#""\n\t\r\"\\\$\u{1F600}""#,
        r#""a $ b {} c""#,
        r#""${x}""#,
        r#""a${f "in${n}er"}b""#,
        r#""${{ a = { b = 1; }; }.a}""#,
        "\"\"\"\"\"\"",
        "\"\"\"\n  text \"quoted\" \"\"two\n  \"\"\"",
        "\"\"\"\n  a ${f {\n    b = 1;\n  }} c\n  \"\"\"",
    ]);
}

#[test]
fn operators() {
    snapshot!(&[
        "a |> f |> g",
        "a || b || c && d",
        "a && b == c",
        "a == b < c",
        "a < b // c",
        "a // b // c",
        "a // b ++ c",
        "a ++ b ++ c",
        "a ++ b + c",
        "a - b + c",
        "a + b * c",
        "-a * b",
        "!a b",
        "a -b",
        "!!a",
        "a != b",
        "a <= b",
        "a > b",
        "a >= b",
    ]);
}

#[test]
fn functions() {
    snapshot!(&[
        "x => x",
        "x => y => x y",
        "{} => 1",
        "{ a } => a",
        "{ a, b ? 1 + 2, c ? {}, } => a",
        "{ a, ... } => a",
        "{ ... } => 1",
        "f x y",
        "f x.y (g z)",
        "f { a = 1; } [2]",
        "a.b.c",
        "a.\"k\".b",
        "\"s\".k",
        "(import std/debian).image {}",
        "import std/debian.image",
        "f ./a.txt",
    ]);
}

#[test]
fn blocks() {
    snapshot!(&[
        "let in 1",
        "let a = 1; b = a; in a + b",
        "let a = let b = 1; in b; in a",
        "if a then b else c",
        "if a then b else if c then d else e",
        "let f = x => if x then 1 else 2; in f true",
        "x => let y = x; in y",
        "{ a = let b = 1; in b; c = x => { d = x; }; }",
        "## doc\n{ # note\n a = 1; # end\n}\n# last",
    ]);
}

#[test]
fn tags() {
    snapshot!(&[
        "Always",
        "OnFailure 3",
        "Some Always",
        "Some (Some 1)",
        "Static { path = ./x; }",
        "f Always x",
        "Some a.b",
        "Some import ./x.img",
        "A == B 1 && c",
        "{ PATH = \"x\"; env.HOME = 1; home = e.PATH; }",
        "{ PATH, HOME ? 1 } => 2",
        "A-b",
        "_x",
    ]);
}

#[test]
fn choices() {
    snapshot!(&[
        "match e { Always => 1; OnFailure n => n; Static { path, ... } => 2; _ => 3; }",
        "match f x { 1 => a; -1 => b; \"s\" => c; true => d; false => e; n => n; }",
        "match a { A _ => x => y => z; B {} => { a = 1; }; }",
        "match match a { A => b; } { B => c; }",
        "match if a then b else c { D => {}; }",
        "match {} { A => 1; }",
        "match f {} { a = 1; } { A => 1; }",
        "x => match x { A => let a = 1; in a; }",
        "assert a == b else \"no\" then c",
        "assert a else b then assert c else d then e",
        "if assert a else b then c then d else e",
        "assert if a then b else c else d then e",
    ]);
}

#[test]
fn types() {
    snapshot!(&[
        "let x : Int = 1; in x",
        "{ a : String = \"x\"; b.c : [Int] = []; \"q k\" : Path = ./x; }",
        "(x : Int) => x",
        "(f : a -> b -> c) => (x : [Map a]) => f",
        "{ a : Int, b : String ? \"c\", d, e ? 1, ... } => a",
        "(a + b : Int)",
        "({ a = 1; } : { a : Int })",
        "({} : {})",
        "let type A = B; in 1",
        "let type A = | B; type C = | B Int; in 1",
        "let type A = B | C Int | D { a : Int } | E (Map a) | ...; in 1",
        "let type A = | B | ...; type C = | ...; in 1",
        "let type Pair a b = { first : a, second ? : b, ... }; in 1",
        "let type R = { ...r }; type S = {}; type T = { \"a b\" : Int, }; in 1",
        "let type F = (A | B) -> A | B -> (Int -> Int) -> Map A [B] c; in 1",
        "let type A =\n  B\n  | C; x : Map\n  Int = 1; y : A\n  -> B = z; in x",
        "import \"https://images.example/x.img\"",
        "import \"oci://registry.example/x:1\"",
    ]);
}

#[test]
fn broken_types() {
    snapshot!(&[
        "{ a : = 2; b = 3; }",
        "{ a : Int; b = 3; }",
        "{ a : Int 2; b = 3; }",
        "{ a : Int -> = 2; b = 3; }",
        "{ a : A | = 2; b : a | B = 3; c : A | b = 4; d : A | B C D = 5; e = 6; }",
        "{ a : Int => Int = 2; b = 3; }",
        "{ a : Int => Int = 2; }",
        "{ f: x => x; }",
        "{ a : { x = Int, y Int } = 2; b = 3; }",
        "{ a : { x : Int; y : Int } = 2; b = 3; }",
        "{ a : { x : Int, 1 } = 2; b = 3; }",
        "{ a : { ..., x : Int } = 2; b = 3; }",
        "{ a : [Int = 2; b = 3; }",
        "{ a : { x : Int = 2;\n  b = 3; }",
        "{ name: \"x\", list: [1], deep: { a: 1 } }",
        "{ a: b, c: d }",
        "{ f = { a : Int, b : { c : Int } } 1; }",
        "{ a = { x : Int }; b = 3; }",
        "let type a = Int; in 1",
        "let type = Int; in 1",
        "let type A Int; b = 1; in 1",
        "let type A; b = 1; in 1",
        "let type A = ; b = 1; in 1",
        "let type A B = C; b = 1; in 1",
        "let type A = B\n  b = 1; in 1",
        "let a = 1 type B = C; in 1",
        "{ type A = B; b = 1; }",
        "let x : [Int]\n  y = 1; in y",
        "let X = 1; in X",
        "{ X; y = 1; }",
        "X => 1",
        "(X : Int) => 1",
        "(x) => x",
        "(x: x + 1)",
        "(x: f x)",
        "(: Int) => 1",
        "(x : Int) -> x",
        "x -> x",
        "{ a, b } -> a",
        "x : Int",
    ]);
}

#[test]
fn broken_choices() {
    snapshot!(&[
        "match x {}",
        "match x",
        "match",
        "{ a = match x; b = 1; }",
        "match x { A 1 => 2; B => 3; }",
        "match x { A => 1 B n => 2; _ => 3; }",
        "match x {\n  A => 1\n  B n => 2\n}",
        "match x { A => 1, B => 2 }",
        "match x { A (B c) => 1; B => 2; }",
        "match x { A | B => 1; C => 2; }",
        "match x { [a] => 1; { b } => 2; => 3; C 4; }",
        "match x { A => ; B => 2; }",
        "match x { \"a${b}\" => 1; A { a ? 1 } => 2; }",
        "match x { X y z => 1; }",
        "match x { A => 1; } + 1",
        "1 + match x { A => 1; }",
        "let a = match x\n    A => 1;\n    B => 2;\n  };\n  b = 1; in a",
        "e { A => 1; }",
        "assert a then b",
        "assert a else \"b\"",
        "assert a",
        "{ a = assert b; c = 1; }",
        "A 1 2",
        "A f x",
        "a | b",
        "import \"x.img\"",
        "import \"https://${a}\"",
        "{ match = 1; x = e.match; f = match; assert; y = match.z; }",
        "{ match, type ? 1 } => 1",
    ]);
}

#[test]
fn broken() {
    snapshot!(&[
        "",
        "# only a note\n",
        "{ a = p.; b = 2; }",
        "{ a = p.\n  b = 2; }",
        "{ a = ; b = 2; }",
        "{ a = 1 +; b = 2; }",
        "{ a = 1 2 =; b = 2; }",
        "{ a = f (1; b = 2; }",
        "{ a = [1, 2; b = 2; }",
        "{ a = { x = 1; b = 2; }",
        "{\n  a = {\n    x = 1;\n  b = 2;\n}",
        "{\n  a = {\n    b = {\n      c = 1;\n  };\n  d = 1;\n}",
        "{\n  a =\n    x = 1;\n  };\n  b = 2;\n}",
        "{ a = 1 b = 2; }",
        "{ a 1; b = 2; }",
        "{ a.b; b = 2; }",
        "{ = 1; b = 2; }",
        "{ 1; b = 2; }",
        "{ a = if x then 1; b = 2; }",
        "{ a = if x; b = 2; }",
        "{ a = if x else 1; b = 2; }",
        "let a = 1; b = 2; f a",
        "a = 1; b = 2; in a",
        "(let a = 1; a)",
        "{ f = { a, b } 1; }",
        "{ f = { a, 1, b = 2 } => 1; }",
        "[1, , 2]",
        "[1; 2]",
        "[,]",
        "(a, b)",
        "()",
        "a == b == c",
        "a b) c",
        "1;",
        "import",
        "import x",
        "let x = import \"a\"; in x",
        "\"abc",
        "{ a = \"abc;\n  b = 2;\n}",
        "{ a = \"x${f (b}y\"; c = 1; }",
        "{ a = \"x${f;\n  c = 1; }",
        "{\n  a = \"\"\"\n    text\n  ;\n  b = 2;\n  c = \"\"\"\n    more\n    \"\"\";\n}",
        "{ a.if = 1; if = 2; b = x.in; }",
        "{ type = 1; }",
    ]);
}
