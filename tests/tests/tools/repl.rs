//! `imgc repl`, by a pipe.

use imgc_tests::sandbox::{Outcome, Sandbox};

use crate::{ends, run_with_input};

fn session(sandbox: &Sandbox, lines: &[&str]) -> Outcome {
    run_with_input(sandbox, &["repl"], &lines.join("\n"))
}

#[track_caller]
fn prints(sandbox: &Sandbox, lines: &[&str], printed: &[&str]) {
    let outcome = session(sandbox, lines);
    outcome.succeeds();
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), printed);
}

#[test]
fn expressions_and_definitions() {
    let sandbox = Sandbox::new();
    let lines = [
        "x = 20",
        "y = x + 1;",
        "x + y",
        "",
        "# a comment",
        "x = 1",
        "y",
        "[",
        "  x,",
        "  2,",
        "]",
        "f = n =>",
        "n * 2",
        "f 4",
        "let a = 1;",
        "in a",
        ":q",
        "nowhere",
    ];
    prints(&sandbox, &lines, &["41", "2", "[1, 2]", "8", "1"]);
}

#[test]
fn what_is_wrong_is_said_and_forgotten() {
    let sandbox = Sandbox::new();
    let outcome = session(
        &sandbox,
        &[
            "x = 1",
            "x = nowhere",
            "x",
            "a = a",
            "1 +",
            "",
            ")",
            ":frobnicate",
            ":load none.img",
            "x",
        ],
    );
    ends(
        &outcome,
        1,
        &["nowhere", "no command :frobnicate", "none.img"],
    );
    let printed: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(
        (printed.first(), printed.last()),
        (Some(&"1"), Some(&"1")),
        "{outcome:?}"
    );
}

#[test]
fn files_are_loaded_and_loaded_again() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "lib.img",
        "{\n  ## Doubles.\n  double = x => x * 2;\n  one = 1;\n}\n",
    );
    sandbox.write("value.img", "[1, 2]");
    prints(
        &sandbox,
        &[
            ":load lib.img",
            "double one",
            ":load value.img",
            "value",
            ":reload",
            "value",
        ],
        &["2", "[1, 2]", "[1, 2]"],
    );
    let names = session(&sandbox, &[":load lib.img", "mine = 3", ":names"]);
    names.succeeds();
    let names: Vec<&str> = names.stdout.lines().collect();
    assert_eq!(names, ["double : Int -> Int", "mine : Int", "one : Int"]);
    let doc = session(&sandbox, &[":load lib.img", ":doc double"]);
    assert!(doc.stdout.contains("Doubles."), "{doc:?}");
    let given = run_with_input(&sandbox, &["repl", "lib.img"], "double 3\n");
    given.succeeds();
    assert_eq!(given.stdout, "6\n");
    ends(&session(&sandbox, &[":reload"]), 1, &["no file is loaded"]);
}

#[test]
fn types_and_documentation() {
    let sandbox = Sandbox::new();
    prints(
        &sandbox,
        &[
            ":t 1 + 1",
            "r = { a = 1; b = \"x\"; }",
            ":t r",
            ":t x => [x]",
        ],
        &["Int", "{ a : Int, b : String }", "a -> [a]"],
    );
    prints(
        &sandbox,
        &[
            "type Size = Small | Sized Int",
            "s : Size = Sized 3;",
            "match s { Small => 0; Sized n => n; }",
        ],
        &["3"],
    );
    let clash = ["type T = | A", "t : T = A", "type T = | B", ":names"];
    let outcome = session(&sandbox, &clash);
    ends(&outcome, 1, &["IMG"]);
    let names: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(
        names,
        ["type T = | A", "t : | A"],
        "a clash changes nothing"
    );
    let doc = session(&sandbox, &[":doc map", ":doc std/debian"]);
    doc.succeeds();
    assert!(
        doc.stdout.starts_with("map : (a -> b) -> [a] -> [b]\n"),
        "{doc:?}"
    );
    ends(&session(&sandbox, &[":doc nowhere"]), 1, &["nowhere"]);
    ends(&session(&sandbox, &[":t nowhere"]), 1, &["IMG0201"]);
    let help = session(&sandbox, &[":help"]);
    help.succeeds();
    for command in [
        ":t EXPR",
        ":doc NAME",
        ":load FILE",
        ":reload",
        ":names",
        ":q",
    ] {
        assert!(help.stdout.contains(command), "{}", help.stdout);
    }
}

#[test]
fn nothing_is_left_behind() {
    let sandbox = Sandbox::new();
    session(&sandbox, &["1"]).succeeds();
    let left: Vec<_> = std::fs::read_dir(sandbox.path("project"))
        .expect("a folder")
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(
        !sandbox.path("home/.state").exists(),
        "a pipe has no history"
    );
}
