//! Names are resolved as the language says, and bodies do not depend on positions.

use crate::ir::{Expr, ItemName, ModuleName, Rest, TypeExpr};
use crate::queries::Db as _;
use crate::queries::testing::TestDb;
use crate::resolve::signature;
use crate::site::At;

fn mistakes(text: &str) -> Vec<String> {
    TestDb::one(text).mistakes()
}

fn let_item(name: &str, number: u32) -> ItemName {
    ItemName::Let(name.into(), number)
}

#[test]
fn top_level_bindings_are_the_outer_lets_and_the_record() {
    let db = TestDb::one(
        "let a = 1; b = a; in (let a = b; c = import std/x; in { x = a; y.z = c; y.w = x => x; })",
    );
    assert_eq!(db.mistakes(), [""; 0]);
    let items = db.items();
    let lets = [
        let_item("a", 0),
        let_item("a", 1),
        let_item("b", 0),
        let_item("c", 0),
    ];
    assert_eq!(items.lets, lets);
    assert_eq!(
        items.exports.as_deref(),
        Some(&["x".into(), "y".into()][..])
    );
    assert_eq!(items.imports, [ModuleName::Std("x".into())]);
    let item = |name, number| db.db.item(db.entry(), &let_item(name, number));
    assert_eq!(db.body("x").items, [item("a", 1)]);
    assert_eq!(db.body("y").items, [item("c", 0)]);
    let inner = db.lowered().get(&let_item("a", 1)).expect("a binding");
    assert_eq!(inner.body.exprs, [Expr::Item(item("b", 0))]);
    assert_eq!(db.items().public, [db.item("x"), db.item("y")]);
}

#[test]
fn a_file_may_end_in_anything() {
    let db = TestDb::one("let n = 1; in [n, n]");
    assert_eq!(db.items().exports, None);
    assert_eq!(db.body("").exprs.len(), 3);
    assert_eq!(
        TestDb::one("{ a = 1; } // { b = 2; }").items().exports,
        None
    );
    assert_eq!(
        TestDb::one("({ a = 1; } : { a : Int })").items().exports,
        None
    );
    let empty = TestDb::one("{}");
    assert_eq!(empty.items().exports.as_deref(), Some(&[][..]));
    let db = TestDb::one("");
    assert_eq!(db.body("").exprs, [Expr::Poison]);
}

#[test]
fn layout_comments_and_order_change_no_body() {
    let one = TestDb::one(
        "let b = 2; a = { x = 1; y = b; }; in { c = let p = 1; q = a; in [p, q]; d = b; }",
    );
    let two = TestDb::one(
        "# one\nlet\n  a = {\n y = b; x = 1;};\n ## b!\n b = 2;\nin {\n d = (b);\n c = let q = a; p = 1; in [p, q]; }",
    );
    assert_eq!(two.mistakes(), [""; 0]);
    let bodies = |db: &TestDb| -> Vec<_> {
        let bindings = db.lowered().bindings.iter();
        bindings
            .map(|binding| (binding.name.clone(), binding.body.clone()))
            .collect()
    };
    assert_eq!(bodies(&one), bodies(&two));
    assert_eq!(one.items(), two.items());
    assert_eq!(
        two.lowered()
            .get(&let_item("b", 0))
            .expect("a binding")
            .doc
            .as_deref(),
        Some("b!")
    );
}

#[test]
fn children_stand_before_their_parents() {
    let db = TestDb::one(
        "{ v = f => match f 1 { A { x } => [x, -x]; B => if true then [1] else []; _ => \"${f}\"; }; }",
    );
    let body = db.body("v");
    assert_eq!(body.root.0 as usize, body.exprs.len() - 1);
    let text = |at| {
        db.text(crate::site::Site {
            item: db.item("v"),
            at,
        })
    };
    let found = body
        .exprs
        .iter()
        .position(|e| matches!(e, Expr::Match { .. }))
        .unwrap();
    let id = crate::ir::ExprId(found as u32);
    assert_eq!(text(At::part(id, 0)), "A { x }");
    assert_eq!(text(At::part(id, 1)), "B");
    assert_eq!(text(At::part(body.root, 0)), "f");
    let Expr::Match { scrutinee, arms } = body.expr(id) else {
        panic!()
    };
    assert!(scrutinee.0 < id.0 && arms.iter().all(|arm| arm.body.0 < id.0));
}

#[test]
fn inner_bindings_are_in_order_of_dependency() {
    let db = TestDb::one("x => let c = 1; _z = d; a = b + c; b = 2; d = c; in a");
    assert_eq!(db.mistakes(), [""; 0]);
    let body = db.body("");
    let Some(Expr::Let {
        bindings, needed, ..
    }) = body.exprs.iter().find(|e| matches!(e, Expr::Let { .. }))
    else {
        panic!()
    };
    let names: Vec<&str> = bindings
        .iter()
        .map(|binding| &*body.locals[binding.local.0 as usize])
        .collect();
    assert_eq!((names, *needed), (vec!["b", "c", "a", "d", "_z"], 3));
}

#[test]
fn parts_know_their_places() {
    let db = TestDb::one("{ v = { a, b ? 1 } => { k.l = a; m = b; }; }");
    let body = db.body("v");
    let text = |at| {
        db.text(crate::site::Site {
            item: db.item("v"),
            at,
        })
    };
    assert_eq!(text(At::part(body.root, 0)), "{ a, b ? 1 }");
    assert_eq!(text(At::part(body.root, 2)), "b");
    assert_eq!(text(At::part(body.root, 9)), text(At::whole(body.root)));
    let records = body.exprs.iter().enumerate();
    let records = records.filter(|(_, e)| matches!(e, Expr::Record(_)));
    let records: Vec<String> = records
        .map(|(at, _)| text(At::part(crate::ir::ExprId(at as u32), 0)))
        .collect();
    assert_eq!(records, ["l", "k"]);
}

#[test]
fn loops_of_bindings_are_reported_once() {
    let loop_of = |text: &str| {
        let found = mistakes(text);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    let two = "bindings are defined by each other: `a` -> `b` -> `a`";
    assert_eq!(loop_of("let a = b; b = a; in a"), two);
    assert_eq!(loop_of("x => let a = b; b = a; in a"), two);
    assert_eq!(
        loop_of("let f = x => f x; in f"),
        "`f` is defined by itself"
    );
    let db = TestDb::one("let a = b; b = a; in [a, let c = c; d = c; in d]");
    assert_eq!(db.mistakes().len(), 2);
    assert_eq!(db.body("a").exprs, [Expr::Poison]);
    assert_eq!(db.body("a").items, []);
}

#[test]
fn what_nothing_uses_is_a_warning() {
    assert_eq!(
        mistakes("let a = 1; _b = 2; in { c = 1; }"),
        ["nothing uses `a`"]
    );
    assert_eq!(mistakes("x => let a = 1; in x"), ["nothing uses `a`"]);
    assert_eq!(
        mistakes("let type A = Int; in 1"),
        ["nothing uses the type `A`"]
    );
    assert_eq!(
        mistakes("let a : A = 1; type A = B; type B = Int; in a"),
        [""; 0]
    );
}

#[test]
fn names_that_are_wrong() {
    assert_eq!(mistakes("maap 1"), ["the name `maap` is not bound here"]);
    assert_eq!(
        mistakes("{ a = 1; b = a; }"),
        ["the name `a` is not bound here"]
    );
    assert_eq!(mistakes("{ a = 1; a = nope; }").len(), 2);
    assert_eq!(
        mistakes("let a = 1; a = 2; in a"),
        ["`a` is bound twice in this `let`"]
    );
    assert_eq!(mistakes("let a.b = 1; in a").len(), 1);
    assert_eq!(
        mistakes("{ a, a } => a"),
        ["the field `a` is twice in this pattern"]
    );
    assert_eq!(mistakes("{ \"${1}\" = 2; }").len(), 1);
    assert_eq!(
        mistakes("match A { A x => x; B { y, ... } => y; n => n; }"),
        [""; 0]
    );
    assert_eq!(
        mistakes("match A { A x => 1; B => x; }"),
        ["the name `x` is not bound here"]
    );
}

#[test]
fn paths_are_from_the_root_and_modules_from_elsewhere_have_none() {
    let text = "[./a, ../b]";
    let db = TestDb::new(&[("lib/x/main.img", text)]);
    let Expr::Path(path) = &db.body("").exprs[1] else {
        panic!()
    };
    assert_eq!(&**path, "lib/b");
    for name in ["std/x", "https://mirror.example/x.img"] {
        let db = TestDb::new(&[(name, "[./a, import ./b.img, import std/y]")]);
        assert_eq!(db.mistakes().len(), 2, "{name}");
        assert_eq!(db.items().imports, [ModuleName::Std("y".into())]);
    }
    let db = TestDb::one("import \"https://mirror.example/x.img\"");
    let remote = ModuleName::Remote("https://mirror.example/x.img".into());
    assert_eq!(db.body("").exprs, [Expr::Import(db.db.file(&remote))]);
}

#[test]
fn circular_modules_import_nothing() {
    let mut db = TestDb::one("import ./main.img");
    let entry = db.entry();
    assert!(matches!(db.body("").exprs[..], [Expr::Import(_)]));
    db.db.set_circular(entry, true);
    assert_eq!(db.body("").exprs, [Expr::Poison]);
    assert_eq!(db.lowered().imports.len(), 1);
}

fn annotation(text: &str) -> (TypeExpr, Vec<String>) {
    let db = TestDb::one(text);
    (db.body("x").annotation.clone().unwrap(), db.mistakes())
}

#[test]
fn types_are_written_out() {
    let (ty, mistakes) = annotation(
        "let type Pair a = { first : a, second : Maybe a, ... }; type Maybe a = None | Some a; \
         in let x : Pair [Int] -> b = 1; in x",
    );
    assert_eq!(mistakes, [""; 0]);
    assert_eq!(
        ty,
        signature("{ first : [Int], second : None | Some [Int], ... } -> b")
    );
    let (ty, mistakes) = annotation(
        "let type Named r = { name : String, ...r }; x : Named { age ? : Int } -> Named r = 1; in x",
    );
    assert_eq!(mistakes, [""; 0]);
    assert_eq!(
        ty,
        signature("{ age ? : Int, name : String } -> { name : String, ...r }")
    );
}

#[test]
fn signatures_are_types() {
    let variable = |name: &str| TypeExpr::Variable(name.into());
    let TypeExpr::Function(first, rest) = signature("(a -> b) -> [a] -> Map [b]") else {
        panic!()
    };
    assert_eq!(
        *first,
        TypeExpr::Function(variable("a").into(), variable("b").into())
    );
    let list = |name: &str| TypeExpr::List(variable(name).into());
    let map = TypeExpr::Host("Map".into(), vec![list("b")]);
    assert_eq!(*rest, TypeExpr::Function(list("a").into(), map.into()));
    let union = vec![("A".into(), None), ("B".into(), Some(variable("a")))];
    assert_eq!(
        signature("B a | A | ..."),
        TypeExpr::Union(union, Rest::Open)
    );
    assert_eq!(signature("Nope"), TypeExpr::Poison);
    assert_eq!(signature("[Int"), TypeExpr::Poison);
}

#[test]
fn types_that_are_wrong() {
    let wrong = |ty: &str| mistakes(&format!("let x : {ty} = 1; in x"));
    assert_eq!(wrong("Strin"), ["there is no type `Strin` here"]);
    assert_eq!(wrong("Int Int"), ["`Int` takes no types, not 1"]);
    assert_eq!(wrong("Map"), ["`Map` takes one type, not 0"]);
    assert_eq!(
        wrong("{ a : Int, a : Int }"),
        ["the field `a` is twice in this type"]
    );
    assert_eq!(wrong("A | A"), ["the tag `A` is twice in this type"]);
    let declared = |text: &str| mistakes(&format!("let {text} x : A = 1; in x"));
    assert_eq!(
        declared("type A = [A];"),
        ["the type `A` is made of itself"]
    );
    assert_eq!(
        declared("type A = [B]; type B = { c : C }; type C = A;"),
        ["types are made of each other: `A` -> `B` -> `C` -> `A`"]
    );
    assert_eq!(
        declared("type A = [b];"),
        ["`b` is no parameter of this type"]
    );
    assert_eq!(declared("type A b = [b];"), ["`A` takes one type, not 0"]);
}

#[test]
fn types_that_double_are_refused_once() {
    let mut text = "let type A0 = Int; ".to_owned();
    for n in 1..60 {
        text += &format!("type A{n} = {{ a : A{m}, b : A{m} }}; ", m = n - 1);
    }
    let found = mistakes(&(text + "x : A59 = 1; in x"));
    assert_eq!(found.len(), 1, "{found:?}");
    let mut text = "let type A0 = Int; ".to_owned();
    for n in 1..5000 {
        text += &format!("type A{n} = [A{}]; ", n - 1);
    }
    let found = mistakes(&(text + "x : A4999 = 1; in x"));
    assert_eq!(found.len(), 1, "{found:?}");
    // Each is small, all together are not.
    let fields: String = (0..9_000).map(|n| format!("f{n} : Int, ")).collect();
    let uses: String = (0..1_000).map(|n| format!("u{n} : A, ")).collect();
    let found = mistakes(&format!(
        "let type A = {{ {fields} }}; x : {{ {uses} }} = 1; in x"
    ));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn what_a_syntax_error_spoils_is_not_reported_again() {
    let db = TestDb::one("let a = nope ; b = nope + ; in { c = a; d = nope2; e = [nope3; }");
    let names = db.lowered().problems.iter();
    let names: Vec<&str> = names.map(|problem| problem.message()).collect();
    assert_eq!(
        names,
        [
            "the name `nope` is not bound here",
            "the name `nope2` is not bound here"
        ]
    );
    let damaged: Vec<bool> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|name| db.body(name).damaged)
        .collect();
    assert_eq!(damaged, [false, true, false, false, true]);
}

#[test]
fn a_misspelt_name_is_used() {
    assert_eq!(mistakes("let packages = 1; in pakages").len(), 1);
    assert_eq!(mistakes("let packages = pakages; in 1").len(), 1);
}

#[test]
fn keys_make_no_endless_depth() {
    let key: String = vec!["a"; 40].join(".");
    let text = (0..100).fold("1".to_owned(), |inner, _| format!("{{ {key} = {inner}; }}"));
    assert_eq!(mistakes(&text).len(), 1);
}

#[test]
fn damaged_programs_are_lowered_too() {
    let text = "let type P a = { x : a, ... }; f = { a : Int, b ? 1 } => a; in { y.z : P Int = match f { A { q } => 1; _ => assert true else \"m\" then 2; }; }";
    for end in 0..text.len() {
        mistakes(&text[..end]);
        mistakes(&text[end..]);
    }
}
