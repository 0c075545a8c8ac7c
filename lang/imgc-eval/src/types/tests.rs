//! Programs and their types, or what is wrong with them. Most are in `programs.txt`.

use crate::ir::{Expr, ExprId, ItemName};
use crate::queries::testing::TestDb;
use crate::queries::{infer, scheme};

use super::{FieldKind, parameter_fields, show, type_at};

/// The types of the fields or value that a program ends in, and what is wrong with all
/// of it.
fn check(db: &TestDb) -> (String, Vec<String>) {
    let mut problems = db.mistakes();
    let mut types = Vec::new();
    for item in db.all() {
        let inference = infer(&db.db, item);
        problems.extend(db.shown(&inference.problems));
        if !matches!(item.name(&db.db), ItemName::Let(..)) {
            types.push(show(&inference.scheme));
        }
    }
    (types.join("; "), problems)
}

/// The type of a program, or `!` and what is wrong.
fn ty(program: &str) -> String {
    match check(&TestDb::one(program)) {
        (types, problems) if problems.is_empty() => types,
        (_, problems) => format!("!{}", problems.join("\n!")),
    }
}

#[test]
fn programs_have_their_types_and_mistakes() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for case in include_str!("programs.txt").split("\n\n").skip(1) {
        let mut lines = case.trim().lines();
        let Some(program) = lines.next() else {
            continue;
        };
        count += 1;
        let expected: Vec<&str> = lines.collect();
        let found = match check(&TestDb::one(program)) {
            (types, problems) if problems.is_empty() => vec![format!("=> {types}")],
            (_, problems) => problems
                .iter()
                .map(|problem| format!("!! {problem}"))
                .collect(),
        };
        if found != expected {
            wrong.push(format!("{program}\n{}", found.join("\n")));
        }
    }
    assert!(count > 240, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The program after the first change that its only finding offers.
fn mended(program: &str) -> String {
    let world = std::sync::Arc::new(crate::MemoryWorld::new().file("main.img", program));
    let checked = crate::Session::new(world).check("main.img", &crate::Options::default());
    let [found] = checked.diagnostics.as_slice() else {
        return format!("not one finding: {:?}", checked.diagnostics);
    };
    let Some(fix) = found.fixes.first() else {
        return format!("no change for: {}", found.message);
    };
    let mut text = program.to_owned();
    for edit in fix.edits.iter().rev() {
        let range = edit.span.range.start as usize..edit.span.range.end as usize;
        text.replace_range(range, &edit.text);
    }
    text
}

#[test]
fn plain_mistakes_have_a_change_that_mends_them() {
    let cases = [
        ("\"port ${8080}\"", "\"port ${toString 8080}\""),
        ("let n = 1; in \"${n}\"", "let n = 1; in \"${toString n}\""),
        (
            "let f = n => n + 1; in \"${f 1}\"",
            "let f = n => n + 1; in \"${toString (f 1)}\"",
        ),
        (
            "let n = 1; in \"a\" + n",
            "let n = 1; in \"a\" + toString n",
        ),
        (
            "let n = 1; in n + \"a\"",
            "let n = 1; in toString n + \"a\"",
        ),
        (
            "let n = 1 + 1; in upper n",
            "let n = 1 + 1; in upper (toString n)",
        ),
        ("upper 1", "upper \"1\""),
        ("[1] + [2]", "[1] ++ [2]"),
        ("\"a\" ++ \"b\"", "\"a\" + \"b\""),
        ("{ a = 1; } + { b = 2; }", "{ a = 1; } // { b = 2; }"),
        ("abs \"3\"", "abs 3"),
        ("!\"true\"", "!true"),
        ("length \"abc\"", "textLength \"abc\""),
        (
            "map (n => n + 1) { a = 1; }",
            "mapValues (n => n + 1) { a = 1; }",
        ),
        (
            "image { config.cmd = \"a\"; }",
            "image { config.cmd = [\"a\"]; }",
        ),
        (
            "image { users = { name = \"a\"; uid = 1; }; }",
            "image { users = [{ name = \"a\"; uid = 1; }]; }",
        ),
        (
            "file { text = \"a\"; mode = \"0755\"; }",
            "file { text = \"a\"; mode = 0o755; }",
        ),
        ("readFile \"conf/a.toml\"", "readFile ./conf/a.toml"),
        (
            "upper (parseJson \"1\")",
            "upper (asString (parseJson \"1\"))",
        ),
    ];
    for (program, expected) in cases {
        assert_eq!(mended(program), expected);
        let still = ty(expected);
        assert!(!still.starts_with('!'), "{expected}: {still}");
    }
    // What may be written as `{ name; }` is not touched.
    let untouched = mended("let name = 1; in image { name; }");
    assert!(untouched.starts_with("no change"), "{untouched}");
}

#[test]
fn records_that_differ_say_which_type_to_write() {
    let help = |program: &str| {
        let db = TestDb::one(program);
        let problems = &infer(&db.db, db.item("")).problems;
        assert_eq!(problems.len(), 1, "{program}");
        let found = problems[0].clone().map(|_| imgc_diag::Span {
            file: imgc_diag::FileId::new("main.img"),
            range: imgc_diag::SpanRange { start: 0, end: 0 },
        });
        found.diagnostic(program).help.unwrap_or_default()
    };
    assert_eq!(
        help("[{ name = \"a\"; uid = 1; }, { name = \"b\"; home = [\"/b\"]; }]"),
        "give all the same fields, or write the type of the whole: \
         `… : [{ home ? : [String], name : String, uid ? : Int }] = …`"
    );
    assert_eq!(
        help("if true then { \"/etc/a\" = \"a\"; } else {}"),
        "write the type of the whole: `… : Map File = …`"
    );
    assert_eq!(
        help("if true then {} else { A = \"a\"; }"),
        "give all the same fields, or write the type of the whole: `… : { A ? : String } = …`, \
         or `… : Map String = …`"
    );
}

#[test]
fn modules_give_their_types() {
    let lib = "let secret = 1; in { port = 8080; bad = 70000; id = x => x; name = \"tzdata\"; twice = f => x => f (f x); }";
    let program = "let lib = import ./lib.img; in {
        a = lib.port;
        b = image { config.ports = [lib.port]; };
        c = lib.id lib.id 1;
        d = lib;
        e = (import ./lib.img).twice (n => n + 1) 2;
        f = let inner = import ./lib.img; in inner.name;
        g = debianPackages { suite = \"trixie\"; variant = \"apt\"; names = [lib.name]; };
    }";
    let db = TestDb::new(&[("main.img", program), ("lib.img", lib)]);
    let (types, problems) = check(&db);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        types,
        "Int; Image; Int; { bad : Int, id : a -> a, name : String, port : Int, \
         twice : (b -> b) -> b -> b }; Int; String; Packages"
    );
}

#[test]
fn mistakes_about_modules_are_where_they_are() {
    let lib = "{ port = 8080; bad = 70000; }";
    let wrong = |program: &str| {
        let db = TestDb::new(&[("main.img", program), ("lib.img", lib)]);
        check(&db).1.join(" / ")
    };
    assert_eq!(
        wrong("(import ./lib.img).prot"),
        "IMG0303 prot: the module has no field `prot`"
    );
    assert_eq!(
        wrong("let lib = import ./lib.img; in lib.secret"),
        "IMG0303 secret: the module has no field `secret`"
    );
    // The literal is to blame, in its own module.
    assert_eq!(
        wrong("let lib = import ./lib.img; in image { config.ports = [lib.bad]; }"),
        "IMG0506 70000: a port is a number from 1 to 65535, with `/tcp` or `/udp` after it or not"
    );
    let db = TestDb::new(&[("main.img", "import ./lib.img"), ("lib.img", "n => n + 1")]);
    assert_eq!(check(&db), ("Int -> Int".to_owned(), Vec::new()));
}

#[test]
fn what_is_wrong_elsewhere_is_not_told_again() {
    let lib = "{ a = 1 + \"a\"; b = 2; }";
    let program = "let lib = import ./lib.img; in [lib.a + 1, lib.b, lib.a.x.y, lib.a 3]";
    let db = TestDb::new(&[("main.img", program), ("lib.img", lib)]);
    assert_eq!(check(&db).1, Vec::<String>::new());
}

#[test]
fn the_order_of_bindings_does_not_matter() {
    let bindings = [
        "id = x => x;",
        "pair = a => b => { a; b; };",
        "one = 1;",
        "two = pair one (id \"x\");",
        "names = map (u => u.name) users;",
        "users = [{ name = \"a\"; uid = one; }];",
        "restart = if one == 1 then Always else OnFailure one;",
        "says = match restart { Always => \"always\"; OnFailure n => \"after ${toString n}\"; };",
        "merged = two // { c = names; };",
        "server = { port ? one, env ? {} } => image { config.ports = [port]; config.env = env; };",
    ];
    let body = "in { id; pair; two; names; restart; says; merged; server; }";
    let expected = ty(&format!("let {} {body}", bindings.concat()));
    assert!(!expected.starts_with('!'), "{expected}");
    // A few orders that share little with each other.
    for step in [1, 3, 7, 9] {
        for start in 0..bindings.len() {
            let order = (0..bindings.len()).map(|n| bindings[(start + n * step) % bindings.len()]);
            let order: String = order.collect();
            assert_eq!(ty(&format!("let {order} {body}")), expected, "{order}");
            let inner = ty(&format!("x => let {order} {body}"));
            assert!(!inner.starts_with('!'), "{inner}");
        }
    }
}

#[test]
fn equal_types_are_equal_data() {
    let db = TestDb::one("{ a = x => y => { b = y; a = x; }; b = p => q => { a = p; b = q; }; }");
    assert_eq!(scheme(&db.db, db.item("a")), scheme(&db.db, db.item("b")));
    let text = show(scheme(&db.db, db.item("a")));
    assert_eq!(text, "a -> b -> { a : a, b : b }");
}

#[test]
fn a_change_inside_of_a_binding_leaves_its_type() {
    let mut db = TestDb::one("let f = n => n + 1; in f 2");
    let before = scheme(&db.db, db.item("f")).clone();
    db.set("main.img", "let f = n => (n + 1) * 3; in f 2");
    assert_eq!(&before, scheme(&db.db, db.item("f")));
}

/// `let x0 = START; x1 = STEP; … in RESULT`, where `@` in the step is the binding before.
fn chain(start: &str, step: &str, count: usize, result: &str) -> String {
    let mut text = format!("let x0 = {start};\n");
    for index in 1..count {
        let before = format!("x{}", index - 1);
        text.push_str(&format!("x{index} = {};\n", step.replace('@', &before)));
    }
    let last = format!("x{}", count - 1);
    text + "in " + &result.replace('@', &last)
}

#[test]
fn types_that_double_end() {
    // A use of one field makes no others, however large the record is.
    let large: String = (0..2_000).map(|n| format!("f{n} = {n};")).collect();
    let uses: String = (0..2_000).map(|n| format!("r.f{n}, ")).collect();
    assert_eq!(ty(&format!("let r = {{ {large} }}; in [{uses}]")), "[Int]");
    assert_eq!(
        ty(&format!("x => let r = {{ {large} }}; in [{uses}]")),
        "a -> [Int]"
    );
    let too_large = |program: String| {
        let found = ty(&program);
        assert!(found.starts_with("!IMG0211"), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    };
    let fine = |program: String| {
        let found = ty(&program);
        assert!(!found.starts_with('!'), "{found}");
    };
    let both = "{ a = @; b = @; }";
    // Each use of a name has variables of its own, so that they double.
    too_large(chain("x => x", both, 60, "@"));
    too_large(format!("x => {}", chain("x => x", both, 60, "@")));
    // Depth doubles.
    too_large(chain("x => { a = x; b = x; }", "x => @ (@ x)", 60, "@"));
    // Shared parts are worked on once.
    fine(chain("x => { a = x; b = x; }", "x => x0 (@ x)", 60, "@ 1"));
    fine(format!("x => {}", chain("x", both, 150, "[@, @] == [@]")));
    let equal = chain("[a, b]", both, 60, "@ == @.a");
    assert!(
        ty(&format!("a => b => {equal}")).starts_with("!IMG0308"),
        "never the same"
    );
    // Many literals become what they are first.
    fine(chain("1", both, 60, "@"));
    fine(chain("r", "@ // { f = @; }", 100, "@").replace("let x0", "r => let x0"));
}

#[test]
fn large_data_is_no_large_type() {
    let mut text = String::from("{ r = {\n");
    for index in 0..5_000 {
        text.push_str(&format!("f{index} = [\"a\", \"b\"];\n"));
    }
    text.push_str("}; l = [");
    text.push_str(&"{ a = 1; b = [\"x\"]; }, ".repeat(2_000));
    text.push_str("]; }");
    let found = ty(&text);
    assert!(
        found.starts_with("[{ a : Int, b : [String] }]; { f0 : [String]"),
        "{found}"
    );
}

#[test]
fn long_types_are_cut() {
    let mut text = String::from("{ r = {");
    for index in 0..500 {
        text.push_str(&format!("field{index} = {index};"));
    }
    let found = ty(&(text + "}; }"));
    assert!(found.len() < 500 && found.ends_with("… }"), "{found}");
}

#[test]
fn the_type_at_an_expression() {
    let db = TestDb::one("x => let y = [x + 1]; in map (n => \"${toString n}\") y");
    let item = db.item("");
    let body = db.body("");
    let mut found = Vec::new();
    for (index, expr) in body.exprs.iter().enumerate() {
        if matches!(expr, Expr::Local(_) | Expr::Builtin(_) | Expr::Lambda(_)) {
            found.extend(type_at(&db.db, item, ExprId(index as u32)));
        }
    }
    assert_eq!(
        found,
        [
            "Int",
            "(Int -> String) -> [Int] -> [String]",
            "Int -> String",
            "Int",
            "Int -> String",
            "[Int]",
            "Int -> [String]"
        ]
    );
}

#[test]
fn the_fields_of_a_parameter() {
    let program =
        "{ port ? 8080, name : String, debug ? false, platform ? defaultPlatform, more : [Int] }
        => { a = port + 1; b = debug; c = image { inherit = 1; }; }";
    let program = program.replace("{ inherit = 1; }", "{ platform; }");
    let db = TestDb::one(&program);
    let fields = parameter_fields(scheme(&db.db, db.item(""))).expect("a function of a record");
    let shown: Vec<_> = fields
        .iter()
        .map(|field| (&*field.name, field.optional, field.ty.as_str(), field.kind))
        .collect();
    assert_eq!(
        shown,
        [
            ("debug", true, "Bool", FieldKind::Bool),
            ("more", false, "[Int]", FieldKind::Other),
            ("name", false, "String", FieldKind::String),
            ("platform", true, "Platform", FieldKind::String),
            ("port", true, "Int", FieldKind::Int),
        ]
    );
    let db = TestDb::one("x => x");
    assert_eq!(parameter_fields(scheme(&db.db, db.item(""))), None);
}
