//! What the language's constructs evaluate to.

use super::{check, run_db};
use crate::queries::testing::TestDb;

#[test]
fn literals_and_operators() {
    check(&[
        ("1", "1"),
        ("-1", "-1"),
        ("10_000", "10000"),
        ("true", "true"),
        ("\"a\"", "\"a\""),
        ("./a/b", "./a/b"),
        ("[]", "[]"),
        ("[1, [2]]", "[1, [2]]"),
        ("{ a = 1; }.a", "1"),
        ("1 + 2 * 3 - 4", "3"),
        ("\"a\" + \"b\" + \"\"", "\"ab\""),
        ("[1] ++ [] ++ [2, 3]", "[1, 2, 3]"),
        (
            "let r = { a = 1; b = 2; } // { b = 3; c = 4; }; in [r.a, r.b, r.c]",
            "[1, 3, 4]",
        ),
        (
            "let e = {}; in [e // e, e // { a = 1; }, { a = 1; } // e]",
            "[{}, { a = 1; }, { a = 1; }]",
        ),
        (
            "[1 == 1, 1 != 1, 1 < 2, 2 <= 2, 1 > 2, 2 >= 3]",
            "[true, false, true, true, false, false]",
        ),
        (
            "[\"a\" < \"b\", \"a\" <= \"a\", \"b\" > \"a\", \"B\" >= \"a\"]",
            "[true, true, true, false]",
        ),
        (
            "[[1] == [1], [1] == [1, 2], { a = 1; } == { a = 1; }, { a = 1; } == { b = 1; }]",
            "[true, false, true, false]",
        ),
        (
            "[None == None, Some 1 == Some 1, Some 1 == Some 2, A == B]",
            "[true, true, false, false]",
        ),
        ("[./a == ./a, ./a == ./b]", "[true, false]"),
        ("[!true, !false]", "[false, true]"),
        (
            "[true && false, true && true, false || true, false || false]",
            "[false, true, true, false]",
        ),
        ("[false && fail \"x\", true || fail \"x\"]", "[false, true]"),
        ("let n = 1; in -n", "-1"),
        (
            "let a = \"x\"; in \"<${a}${a}> ${toString 3}\"",
            "\"<xx> 3\"",
        ),
        (
            "let f = n => \"${n}!\"; in [f \"a\", f \"b\"]",
            "[\"a!\", \"b!\"]",
        ),
    ]);
}

#[test]
fn records_that_are_written_as_arguments() {
    check(&[
        ("({ a, b ? 1 } => a + b) { a = 2; }", "3"),
        ("({ a, b ? 1 } => a - b) { b = 5; a = 2; }", "-3"),
        ("({ a ? 7, ... } => a) { b = 5; }", "7"),
        ("({ b, a } => [a, b]) { a = 1; b = 2; }", "[1, 2]"),
        (
            "let f = { a ? 7, ... } => a; in [f { b = 5; }, f { a = 1; }, f {}]",
            "[7, 1, 7]",
        ),
        (
            "let f = { b, a ? 9 } => [a, b]; in [f { b = 1; a = 2; }, f { b = 3; }]",
            "[[2, 1], [9, 3]]",
        ),
        ("let f = { a } => b => a + b; in f { a = 1; } 2", "3"),
        (
            "let f = r => r // { c = 3; }; in f { a = 1; }",
            "{ a = 1; c = 3; }",
        ),
        (
            "let f = k => { a, b ? k } => a + b; g = f 4; in [g { a = 1; }, f 5 { a = 1; }]",
            "[5, 6]",
        ),
        (
            "let f = { a, ... } => a + 1; in map (n => f { a = n; b = n; }) [1, 2]",
            "[2, 3]",
        ),
        (
            "let f = { a } => a; r = { a = [1]; }; in [f r, f r, f { a = [2]; }]",
            "[[1], [1], [2]]",
        ),
        (
            "let x = 1; in x |> (y => let z = y + x; in (w => w + z + x) y)",
            "4",
        ),
    ]);
}

#[test]
fn strings_are_put_together() {
    check(&[
        (
            "let n = -12; in \"${toString n} ${toString true} ${toString ./a/b}\"",
            "\"-12 true ./a/b\"",
        ),
        (
            "let s = \"a\"; in [\"${s}\", \"${s}${s}\", s, \"${toString s}b\"]",
            "[\"a\", \"aa\", \"a\", \"ab\"]",
        ),
        (
            "fold (s => n => \"${s}${toString n},\") \"\" (range 0 5)",
            "\"0,1,2,3,4,\"",
        ),
        (
            "toString (-9223372036854775807 - 1)",
            "\"-9223372036854775808\"",
        ),
        (
            "sort [\"b\", \"abcdefghi\", \"abcdefgh\", \"\", \"abcdefgha\", \"a\"]",
            "[\"\", \"a\", \"abcdefgh\", \"abcdefgha\", \"abcdefghi\", \"b\"]",
        ),
    ]);
}

#[test]
fn records_that_are_updated_again_and_again() {
    check(&[
        (
            "let r = { a = 1; b = 2; c = 3; d = 4; e = 5; f = 6; g = 7; h = 8; }; in \
             map (n => (r // { bb = n; }).bb + (r // { bb = n; }).h) (range 0 4)",
            "[8, 9, 10, 11]",
        ),
        (
            "let r = toMap (map (n => { name = toString n; value = n; }) (range 0 16)); in \
             last (map (n => r // toMap [{ name = \"1\"; value = n; }, { name = \"_\"; value = n; }] \
             |> values) (range 0 4)) |> withDefault []",
            "[0, 3, 10, 11, 12, 13, 14, 15, 2, 3, 4, 5, 6, 7, 8, 9, 3]",
        ),
        (
            "let a = { a = 1; b = 2; d = 3; }; b = { b = 4; c = 5; e = 6; }; in \
             map (n => (a // b) // { a = n; }) (range 0 3)",
            "[{ a = 0; b = 4; c = 5; d = 3; e = 6; }, { a = 1; b = 4; c = 5; d = 3; e = 6; }, \
             { a = 2; b = 4; c = 5; d = 3; e = 6; }]",
        ),
    ]);
}

#[test]
fn functions_that_are_called_again_and_again() {
    check(&[
        ("fold (a => b => a - b) 100 (range 0 5)", "90"),
        (
            "let r = range 0 4; in [map (n => n * n) r, filter (n => n > 1) r, r]",
            "[[0, 1, 4, 9], [2, 3], [0, 1, 2, 3]]",
        ),
        ("iterate 10 (n => n * 2) 1", "1024"),
        ("iterate 0 (n => n * 2) 1", "1"),
        (
            "map (x => map (y => fold (a => b => a + b + x) y [1, 2]) [10, 20]) [0, 1]",
            "[[13, 23], [15, 25]]",
        ),
        (
            "let add = a => b => a + b; in [fold add 0 [1, 2, 3], sum (map (add 1) [1, 2, 3])]",
            "[6, 9]",
        ),
        ("map (f => f 1) (map (a => b => a + b) [1, 2])", "[2, 3]"),
        (
            "map ({ a, b ? 5, ... } => a + b) [{ a = 1; }, { a = 2; }]",
            "[6, 7]",
        ),
    ]);
}

#[test]
fn lets_and_functions() {
    check(&[
        ("let x = 1; y = x + 1; in y", "2"),
        ("let y = x + 1; x = 1; in y", "2"),
        (
            "let f = x => let y = x * 2; z = y + 1; in y * z; in f 3",
            "42",
        ),
        (
            "let f = x => let z = y + 1; y = x * 2; in y * z; in f 3",
            "42",
        ),
        ("let f = x => let _u = fail \"no\"; in x; in f 3", "3"),
        ("(x => x + 1) 2", "3"),
        (
            "let f = a => b => c => [a, b, c]; in [f 1 2 3, (f 1) 2 3, (f 1 2) 3]",
            "[[1, 2, 3], [1, 2, 3], [1, 2, 3]]",
        ),
        (
            "let f = a => b => c => [a, b, c]; g = f 1; h = g 2; in [h 3, h 4, g 5 6]",
            "[[1, 2, 3], [1, 2, 4], [1, 5, 6]]",
        ),
        (
            "let twice = f => x => f (f x); in twice twice (n => n + 1) 0",
            "4",
        ),
        ("let id = x => x; in id id id 1", "1"),
        ("let const = a => _b => a; in const 1 2", "1"),
        (
            "let compose = f => g => x => f (g x); in map (compose (n => n + 1) (n => n * 2)) [1, 2]",
            "[3, 5]",
        ),
        (
            "let f = { a, b ? 2 } => a + b; in [f { a = 1; }, f { a = 1; b = 5; }]",
            "[3, 6]",
        ),
        ("let f = { a, ... } => a; in f { a = 1; z = 2; }", "1"),
        (
            "let d = 7; f = { a ? d, b ? [a] } => [a]; a = 3; in f {}",
            "[7]",
        ),
        (
            "let f = { a ? 1, b ? a } => [a, b]; a = 9; in [f {}, f { a = 2; }]",
            "[[1, 9], [2, 9]]",
        ),
        (
            "let f = x => { a ? x } => a; in [f 1 {}, f 1 { a = 2; }]",
            "[1, 2]",
        ),
        (
            "let f = { a } => { b } => a + b; in f { a = 1; } { b = 2; }",
            "3",
        ),
        ("let f = _ => 1; in f 2", "1"),
        (
            "map (x => map (y => x * y) [1, 2]) [3, 4]",
            "[[3, 6], [4, 8]]",
        ),
        ("let n = 10; in map (x => x + n) [1]", "[11]"),
        ("let k = x => y => z => x; in k 1 2 3", "1"),
        ("(map (n => n + 1)) [1]", "[2]"),
        (
            "let add = fold (a => b => a + b); in [add 0 [1, 2], add 10 []]",
            "[3, 10]",
        ),
        ("at 0 [n => n + 1] 2", "3"),
        ("withDefault (n => n) None 5", "5"),
        ("[1, 2] |> map (n => n + 1) |> sum", "5"),
        ("let f = a => let g = b => a + b; in g; in f 1 2", "3"),
        (
            "let f = xs => fold (acc => x => acc ++ [x, length acc]) [] xs; in f [1, 2]",
            "[1, 0, 2, 2]",
        ),
        ("(x : Int) => x", "<function>"),
        ("((1 : Int) : Int)", "1"),
        ("let x : Int = 1; in x", "1"),
    ]);
}

#[test]
fn a_value_that_is_held_twice_is_not_changed() {
    check(&[
        (
            "let f = s => [s + \"a\", s + \"b\", s]; in f \"x\"",
            "[\"xa\", \"xb\", \"x\"]",
        ),
        (
            "let f = l => [l ++ [1], l ++ [2], l]; in f [0]",
            "[[0, 1], [0, 2], [0]]",
        ),
        (
            "let f = r => [r // { a = 1; }, r // { a = 2; }, r]; in f { a = 0; }",
            "[{ a = 1; }, { a = 2; }, { a = 0; }]",
        ),
        (
            "let f = s => let t = s + \"1\"; u = s + \"2\"; in [t, u, t + u]; in f \"\"",
            "[\"1\", \"2\", \"12\"]",
        ),
        (
            "let g = l => map (n => l ++ [n]) [1, 2]; in g [0]",
            "[[0, 1], [0, 2]]",
        ),
        (
            "let s = \"x\"; in [s + \"1\", s + \"2\"]",
            "[\"x1\", \"x2\"]",
        ),
        (
            "let xs = [1]; f = acc => if length acc > 1 then acc else acc ++ acc; in [f xs, xs]",
            "[[1, 1], [1]]",
        ),
        ("let f = a => \"${a}1\" + \"${a}2\"; in f \"x\"", "\"x1x2\""),
        (
            "let f = p => match p { Some l => [l ++ [1], l]; None => []; }; in f (Some [0])",
            "[[0, 1], [0]]",
        ),
        (
            "let f = { l } => [l ++ [1], l]; r = { l = [0]; }; in [f r, [r.l]]",
            "[[[0, 1], [0]], [[0]]]",
        ),
        (
            "let f = a => b => [a ++ [b], a]; g = f [0]; in [g 1, g 2]",
            "[[[0, 1], [0]], [[0, 2], [0]]]",
        ),
        (
            "fold (acc => n => acc // toMap [{ name = toString n; value = n; }]) {} [2, 1, 2]",
            "{ \"1\" = 1; \"2\" = 2; }",
        ),
        (
            "let r = fold (acc => n => acc // toMap [{ name = \"k${toString n}\"; value = n; }]) {} (range 0 30); s = r // { k3 = 0; }; in [r.k3, s.k3, s.k29]",
            "[3, 0, 29]",
        ),
    ]);
}

#[test]
fn branches_and_matches() {
    check(&[
        ("if true then 1 else fail \"x\"", "1"),
        ("if 1 > 2 then fail \"x\" else if true then 2 else 3", "2"),
        ("match 1 { 1 => \"a\"; _ => \"b\"; }", "\"a\""),
        (
            "map (n => match n { 1 => \"one\"; -1 => \"minus\"; n => toString n; }) [1, -1, 5]",
            "[\"one\", \"minus\", \"5\"]",
        ),
        ("match \"b\" { \"a\" => 1; \"b\" => 2; _ => 3; }", "2"),
        (
            "map (b => match b { true => 1; false => 0; }) [true, false]",
            "[1, 0]",
        ),
        (
            "map (t => match t { Always => 1; OnFailure n => n; Static { path, ... } => length path; _ => 9; }) [Always, OnFailure 5, Static { path = [1, 2]; x = 1; }, Other]",
            "[1, 5, 2, 9]",
        ),
        ("match Some 1 { Some _ => 1; None => 2; }", "1"),
        (
            "match Some (Some 3) { Some x => match x { Some y => y; None => 0; }; None => 1; }",
            "3",
        ),
        (
            "let f = x => match x { Some y => let z = y + 1; in z * y; None => 0; }; in [f (Some 2), f None]",
            "[6, 0]",
        ),
        ("[(match A { A => 1; _ => 2; }) + 1, 5]", "[2, 5]"),
        (
            "[Always, OnFailure 3, OnFailure (-3), Nest (Some 1), With { a = 1; }, With [1], Text \"a\"]",
            "[Always, OnFailure 3, OnFailure (-3), Nest (Some 1), With { a = 1; }, With [1], Text \"a\"]",
        ),
        ("assert 1 < 2 else \"no\" then 3", "3"),
        (
            "let f = n => assert n > 0 else \"bad ${toString n}\" then n; in [f 1, f 2]",
            "[1, 2]",
        ),
        (
            "let y = 5; f = a => match a { X b => b + y; c => 1; }; in f (X 2)",
            "7",
        ),
        (
            "fold (acc => n => match n { 0 => acc; m => acc + m; }) 0 [0, 1, 0, 2]",
            "3",
        ),
    ]);
}

#[test]
fn modules() {
    let lib = "let secret = 3; in { double = n => n * 2; three = secret; bad = fail \"bad\"; }";
    let db = |main| {
        TestDb::new(&[
            ("main.img", main),
            ("lib.img", lib),
            ("fun.img", "n => n + 1"),
            ("std/x", "{ y = 1; }"),
        ])
    };
    let cases = [
        ("let l = import ./lib.img; in l.double l.three", "6"),
        ("(import ./lib.img).three", "3"),
        ("(import ./fun.img) 1", "2"),
        ("let f = import ./fun.img; in map f [1, 2]", "[2, 3]"),
        ("names (import std/x)", "[\"y\"]"),
        (
            "let x = import std/x; in { a = x.y; b = x; }",
            "1 { y = 1; }",
        ),
        ("{ a = 1; b.c = 2; b.d = 3; }", "1 { c = 2; d = 3; }"),
    ];
    for (main, expected) in cases {
        assert_eq!(run_db(&db(main)), expected, "{main}");
    }
    // What nobody asks for is not evaluated.
    let l = db("let l = import ./lib.img; in l.three");
    assert_eq!(run_db(&l), "3");
}

#[test]
fn bindings_are_evaluated_once_and_only_if_used() {
    check(&[
        ("let a = b + b; b = c + c; c = d + d; d = 1; in a", "8"),
        ("let _unused = fail \"x\"; in 1", "1"),
        ("let x = fail \"x\"; in if false then x else 1", "1"),
        (
            "let x = fail \"x\"; f = n => if n > 0 then n else x; in f 1",
            "1",
        ),
    ]);
}
