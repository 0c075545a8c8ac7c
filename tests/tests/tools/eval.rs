//! `imgc eval`.

use imgc_tests::sandbox::Sandbox;

use crate::{document, run, run_with_input};

#[track_caller]
fn gives(sandbox: &Sandbox, args: &[&str], value: &str) {
    let outcome = run(sandbox, args);
    outcome.succeeds();
    assert_eq!(outcome.stdout, format!("{value}\n"), "{args:?}");
}

#[test]
fn files_and_expressions_have_values() {
    let sandbox = Sandbox::new();
    sandbox.write("lib.img", "{\n  one = 1;\n  double = x => x * 2;\n}\n");
    gives(&sandbox, &["eval", "-e", "1 + 1"], "2");
    gives(
        &sandbox,
        &["eval", "-e", "(import ./lib.img).double 4"],
        "8",
    );
    gives(&sandbox, &["eval", "lib.img#one"], "1");
    let outcome = run_with_input(&sandbox, &["eval", "-"], "[1, 2]");
    outcome.succeeds();
    assert_eq!(outcome.stdout, "[1, 2]\n");
    sandbox.has_no_layout();
}

#[test]
fn a_file_may_have_a_mark_in_its_name() {
    let sandbox = Sandbox::new();
    sandbox.write("a.img#one", "2");
    sandbox.write("a.img", "{ one = 1; }");
    gives(&sandbox, &["eval", "a.img#one"], "2");
    std::fs::remove_file(sandbox.project("a.img#one")).expect("it was there");
    gives(&sandbox, &["eval", "a.img#one"], "1");
    run(&sandbox, &["eval", "a.img#two"]).fails(1, &["two"]);
}

#[test]
fn values_are_json_where_they_have_a_form_there() {
    let sandbox = Sandbox::new();
    let value = "{ a = [1, 2]; b = { c = true; d = \"x\"; }; }";
    let outcome = run(&sandbox, &["eval", "--json", "-e", value]);
    outcome.succeeds();
    assert_eq!(
        document(&outcome),
        serde_json::json!({ "a": [1, 2], "b": { "c": true, "d": "x" } })
    );
    run(&sandbox, &["eval", "--json", "-e", "x => x"]).fails(1, &["JSON"]);
}

#[test]
fn arguments_are_given_by_name() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "app.img",
        "{ name : String, port : Int ? 80 } => \"${name}:${toString port}\"",
    );
    gives(
        &sandbox,
        &["eval", "app.img", "--arg", "name=web"],
        "\"web:80\"",
    );
    let both = ["eval", "app.img", "--arg", "name=web", "--arg", "port=8080"];
    gives(&sandbox, &both, "\"web:8080\"");
    run(&sandbox, &["eval", "app.img", "--arg", "port=80"]).fails(1, &["name"]);
    run(
        &sandbox,
        &["eval", "app.img", "--arg", "name=a", "--arg", "nam=b"],
    )
    .fails(1, &["nam"]);
    run(
        &sandbox,
        &["eval", "app.img", "--arg", "name=a", "--arg", "port=x"],
    )
    .fails(1, &["port"]);
    run(&sandbox, &["eval", "app.img", "--arg", "name"]).fails(2, &["NAME=VALUE"]);
}

#[test]
fn mistakes_are_shown() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["eval", "-e", "nowhere"]).fails(1, &["IMG0201", "nowhere"]);
    run(&sandbox, &["eval", "none.img"]).fails(1, &["none.img"]);
    run(&sandbox, &["eval"]).fails(2, &[]);
    run(&sandbox, &["eval", "a.img", "-e", "1"]).fails(2, &[]);
}

#[test]
fn a_field_is_built_alone() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "apps.img",
        "{ web = image {}; other = image {}; double = x => x; }",
    );
    let outcome = run(&sandbox, &["build", "apps.img#web"]);
    outcome.succeeds();
    assert!(outcome.stdout.starts_with("web sha256:"), "{outcome:?}");
    assert!(sandbox.project("web.oci").is_dir() && !sandbox.project("other.oci").exists());
    run(&sandbox, &["build", "apps.img#double"]).fails(1, &["IMG0313"]);
    run(&sandbox, &["build", "apps.img#wen"]).fails(1, &["wen"]);
}
