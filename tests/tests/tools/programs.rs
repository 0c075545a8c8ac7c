//! `imgc test`.

use imgc_tests::sandbox::Sandbox;

use crate::{document, ends, run};

#[test]
fn examples_and_bindings_that_hold_pass() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "lib.img",
        "\
## A library.
##
## ```img
## import ./lib.img
## ```
let
  two = 2;
in
{
  ## Doubles.
  ##
  ## ```img
  ## (import ./lib.img).double 2 == 4
  ## ```
  ##
  ## ```text
  ## this is no program
  ## ```
  ##
  ## ```img
  ## nowhere # error: IMG0201
  ## ```
  double = x => x * two;
}
",
    );
    let outcome = run(&sandbox, &["test"]);
    outcome.succeeds();
    assert_eq!(outcome.stdout, "5 passed, 0 failed\n");
    assert_eq!(outcome.stderr, "");
    sandbox.has_no_layout();
}

#[test]
fn what_fails_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.img",
        "\
{
  ## ```img
  ## 1 == 2
  ## ```
  ## ```img
  ## nowhere
  ## ```
  ## ```img
  ## 1 # error: IMG0201
  ## ```
  ## ```img
  ## nowhere # error: IMG0313
  ## ```
  a = 1;
  b = readFile ./none.txt;
}
",
    );
    sandbox.write("sub/b.img", "{ a = ");
    let outcome = run(&sandbox, &["test"]);
    ends(&outcome, 1, &["none.txt", "nowhere"]);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.last(), Some(&"1 passed, 6 failed"), "{lines:?}");
    for start in [
        "FAILED a.img: b: IMG",
        "FAILED a.img: example 1 of a: it gives `false`",
        "FAILED a.img: example 2 of a: IMG0201: ",
        "FAILED a.img: example 3 of a: the error IMG0201 that it expects does not come",
        "FAILED a.img: example 4 of a: IMG0201: ",
        "FAILED sub/b.img",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(start)),
            "{start}: {lines:#?}"
        );
    }
}

#[test]
fn assertions_of_private_bindings_run() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.img",
        "let\n  checked = assert 1 == 2 else \"one is not two\" then true;\nin\n{ a = 1; }\n",
    );
    let outcome = run(&sandbox, &["test"]);
    ends(&outcome, 1, &["one is not two"]);
    assert!(
        outcome.stdout.starts_with("FAILED a.img: checked: "),
        "{outcome:?}"
    );
}

#[test]
fn json_has_every_test() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.img",
        "{\n  ## ```img\n  ## false\n  ## ```\n  a = 1;\n}\n",
    );
    let outcome = run(&sandbox, &["test", "--json"]);
    ends(&outcome, 1, &[]);
    let document = document(&outcome);
    assert_eq!(document["files"], 1);
    assert_eq!(
        (&document["passed"], &document["failed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        document["tests"],
        serde_json::json!([
            {
                "file": "a.img", "kind": "binding", "name": "a",
                "passed": true, "message": null, "diagnostics": [],
            },
            {
                "file": "a.img", "kind": "example", "name": "example 1 of a",
                "passed": false, "message": "it gives `false`", "diagnostics": [],
            },
        ])
    );
}

#[test]
fn the_modules_of_imgc_hold() {
    let sandbox = Sandbox::new();
    let modules = imgc_tests::sandbox::repository().join("stdlib");
    let modules = modules.to_str().expect("a path in UTF-8");
    run(&sandbox, &["test", modules]).succeeds();
}
