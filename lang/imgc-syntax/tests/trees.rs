//! The trees of every construct, as snapshots: kinds and tokens, without blanks.

use imgc_syntax::{NodeOrToken, SyntaxNode, parse};

/// A tree in one line for each source: `(Kind token (Kind token))`, and its errors.
fn trees(sources: &[&str]) -> String {
    let mut shown = String::new();
    for source in sources {
        let parse = parse(source);
        assert_eq!(parse.syntax().to_string(), *source, "lossless");
        shown.push_str(&format!("{source}\n  "));
        tree(&parse.syntax(), &mut shown);
        for error in parse.errors() {
            shown.push_str(&format!("\n  {:?} at {:?}", error.code, error.range));
        }
        shown.push_str("\n\n");
    }
    shown
}

fn tree(node: &SyntaxNode, shown: &mut String) {
    shown.push_str(&format!("({:?}", node.kind()));
    for child in node.children_with_tokens() {
        match child {
            NodeOrToken::Node(node) => {
                shown.push(' ');
                tree(&node, shown);
            }
            NodeOrToken::Token(token) if token.kind().is_trivia() => {}
            NodeOrToken::Token(token) => {
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
