//! Programs that ask for too much end early, at the right place.

use super::{first_diagnostic, run, run_db};
use crate::options::{Limits, Options};
use crate::queries::testing::TestDb;
use crate::queries::{self, Db as _};

fn limited(text: &str, steps: u64, bytes: u64) -> TestDb {
    let mut db = TestDb::one(text);
    let limits = Limits { steps, bytes };
    db.db.set_options(&Options {
        limits,
        ..Options::default()
    });
    db
}

#[test]
fn what_is_too_much_ends_soon() {
    let programs = [
        "length (range 0 4611686018427387904)",
        "range (-9223372036854775807) 9223372036854775807",
        "iterate 60 (t => t + t) \"x\"",
        "iterate 60 (t => \"${t}${t}\") \"x\"",
        "iterate 60 (l => l ++ l) [1]",
        "iterate 60 (l => concat [l, l]) [1]",
        "iterate 60 (l => concatMap (_n => l) l) [1, 2]",
        "repeat 4611686018427387904 \"abc\"",
        "padLeft 4611686018427387904 \"0\" \"\"",
        "indent 4611686018427387904 \"a\"",
        "let big = repeat 1000000 \"a\"; in replace \"a\" big big",
        "let big = repeat 1000000 \"a\"; in replaceAll \"a\" big big",
        "let big = repeat 1000000 \"a\"; in replaceAll \"(a)\" (repeat 10000 \"\\$1\") big",
        "let big = repeat 1000000 \"a\"; in replaceAll \".*\" (repeat 10000 \"\\$0\") big",
        "let big = repeat 1000000 \"{{ a }}\"; in render { a = big; } big",
        "let big = repeat 1000000 \"a\"; in join big (map (_n => big) (range 0 100000))",
        "let big = repeat 1000000 \"a\"; in sort (map (n => big + toString n) (range 0 100000))",
        "let big = map (_n => range 0 1000) (range 0 1000); in sum (map (_n => if big == big then 1 else 0) (range 0 1000000))",
        "let deep = iterate 60 (l => { a = l; b = l; }) {}; in deep == deep",
        "iterate 60 (l => { a = l; b = l; }) {}",
        "toJson (iterate 60 (l => { a = l; b = l; }) {})",
        "unique (map (n => range 0 1000) (range 0 100000))",
        "iterate 9223372036854775807 (n => n) 1",
        "iterate 9223372036854775807 abs 1",
        "let xs = range 0 100000; in sum (map (_x => sum (map (y => y) xs)) xs)",
        "let text = repeat 100000 \"a\"; in map (_n => matches \"(a|aa)*b\" text) (range 0 100000)",
        "map (n => matches \"${toString n}\" \"a\") (range 0 1000000)",
        "let f = g => g g; in f f",
        "let ten = f => x => f (f (f (f (f (f (f (f (f (f x))))))))); inc = n => n + 1; in ten (ten (ten (ten (ten (ten (ten (ten (ten inc)))))))) 0",
        "fold (acc => n => acc // toMap [{ name = toString (1000000 - n); value = n; }]) {} (range 0 1000000)",
        "let m = toMap (map (n => { name = toString n; value = n; }) (range 0 100000)); in map (n => m // { a = n; }) (range 0 100000)",
        "let d = parseJson \"[${repeat 100000 \"1,\"}1]\"; in map (_n => asList d) (range 0 100000)",
        "groupBy (n => repeat 4000 (toString n)) (range 0 10000000)",
    ];
    for program in programs {
        let found = run_db(&limited(program, 5_000_000, 64 << 20));
        assert!(found.contains("IMG0311"), "{program}\n{found}");
        assert_eq!(found.lines().count(), 1, "{program}\n{found}");
    }
}

#[test]
fn documents_do_not_explode() {
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\\n".to_owned();
    for (from, to) in ["ab", "bc", "cd", "de", "ef", "fg", "gh"]
        .iter()
        .map(|p| p.split_at(1))
    {
        let aliases = vec![format!("*{from}"); 10].join(", ");
        laughs.push_str(&format!("{to}: &{to} [{aliases}]\\n"));
    }
    let cases = [
        (format!("parseYaml \"{laughs}\""), "stand for too much"),
        (
            format!("parseYaml \"{}\"", "[".repeat(100_000)),
            "is no YAML",
        ),
        (
            format!("parseYaml \"{}\"", "- ".repeat(100_000)),
            "levels deep",
        ),
        (
            format!("parseYaml \"{}\"", "{a: ".repeat(50_000)),
            "is no YAML",
        ),
        (
            format!("parseJson \"{}\"", "[".repeat(100_000)),
            "recursion limit",
        ),
        (
            format!("parseToml \"a = {}\"", "[".repeat(100_000)),
            "is no TOML",
        ),
        (
            format!("parseToml \"{}b = 1\"", "a.".repeat(100_000)),
            "too many parts",
        ),
        (
            format!("parseToml \"[{}b]\"", "a.".repeat(100_000)),
            "too many parts",
        ),
        (
            format!("parseToml \"x = {{{}b = 1}}\"", "a.".repeat(100_000)),
            "too many parts",
        ),
        (
            format!("parseToml \"{}b = 1\"", "'a'.".repeat(100_000)),
            "is no TOML",
        ),
    ];
    for (program, expected) in cases {
        let found = run(&program);
        assert!(
            found.contains(expected),
            "{}: {}",
            &program[..40],
            &found[found.len().saturating_sub(200)..]
        );
    }
}

#[test]
fn deep_chains_of_functions_are_no_danger() {
    let programs = [
        (
            "let deep = fold (f => _n => x => f x + 1) (x => x) (range 0 100000); in deep 1",
            "100001",
        ),
        (
            "length [fold (f => _n => x => f x) (x => x) (range 0 100000)]",
            "1",
        ),
        ("length [iterate 100000 (f => iterate 1 f) (x => x)]", "1"),
        ("(iterate 100000 (f => iterate 1 f) (x => x + 1)) 1", "2"),
        (
            "length [iterate 100000 (r => { f = x => r.f x; }) { f = x => x; }]",
            "1",
        ),
        (
            "let add = a => b => a + b; in fold (f => n => x => f (add n x)) (x => x) (range 0 1000) 0",
            "499500",
        ),
    ];
    for (program, expected) in programs {
        assert_eq!(run(program), expected, "{program}");
    }
}

#[test]
fn long_chains_of_bindings_do_not_nest() {
    let mut text = "let b0 = 1;".to_owned();
    for n in 1..5_000 {
        text.push_str(&format!(" b{n} = b{} + 1;", n - 1));
    }
    text.push_str(" in b4999");
    assert_eq!(run(&text), "5000");
    let mut text = "let f0 = x => x;".to_owned();
    for n in 1..5_000 {
        text.push_str(&format!(" f{n} = x => f{} x + 1;", n - 1));
    }
    text.push_str(" in f4999 0");
    assert_eq!(run(&text), "4999");
}

#[test]
fn bindings_that_nest_in_branches_are_refused() {
    let nested = |count: usize| {
        let mut text = "let b0 = 1;".to_owned();
        for n in 1..=count {
            text.push_str(&format!(" b{n} = if true then b{} else 0;", n - 1));
        }
        text.push_str(&format!(" in b{count}"));
        let thread = std::thread::Builder::new().stack_size(256 << 20);
        let found = thread.spawn(move || run(&text)).expect("a thread").join();
        found.expect("no overflow")
    };
    // What a whole program may have is far from it.
    assert_eq!(nested(4_000), "1");
    let found = nested(6_000);
    assert!(found.contains("IMG0312"), "{found}");
    assert_eq!(found.matches("IMG").count(), 1, "{found}");
}

#[test]
fn limits_are_met_at_the_same_step_every_time() {
    let text = "let f = n => n + 1; g = n => f (f n); in sum (map g (range 0 100000))";
    let first = run_db(&limited(text, 10_000, 1 << 30));
    assert!(
        first.contains("evaluation stopped here after 10000 steps"),
        "{first}"
    );
    for _ in 0..3 {
        assert_eq!(run_db(&limited(text, 10_000, 1 << 30)), first);
    }
    let bytes = "iterate 100 (t => t + t) \"x\"";
    let found = run_db(&limited(bytes, 1 << 30, 100_000));
    assert!(
        found.contains("its values take more than 100000 bytes"),
        "{found}"
    );
}

#[test]
fn the_bindings_that_used_most_are_named() {
    let text = "let big = sum (range 0 3000); small = 1 + 1; in [small, big, sum (range 0 100000)]";
    let db = limited(text, 10_000, 1 << 30);
    let outcome = queries::value(&db.db, db.item(""));
    let notes = first_diagnostic(&db, "").notes;
    assert!(
        notes[0].starts_with("what ./main.img ends in took "),
        "{notes:?}"
    );
    assert!(
        notes[1].starts_with("`big` of ./main.img took "),
        "{notes:?}"
    );
    assert!(outcome.value.is_none());
}

#[test]
fn a_stopped_evaluation_is_done_anew() {
    let mut db = limited(
        "let loop = sum (range 0 1000000); in [1, loop]",
        10_000,
        1 << 30,
    );
    assert!(run_db(&db).contains("IMG0311"));
    db.set("main.img", "let loop = sum (range 0 10); in [1, loop]");
    db.db.spent().reset(0);
    assert_eq!(run_db(&db), "[1, 45]");
}

#[test]
fn regular_expressions_take_linear_time() {
    let found = run("matches \"^(a+)+\\$\" (repeat 100000 \"a\" + \"b\")");
    assert_eq!(found, "false");
}
