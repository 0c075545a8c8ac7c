//! `imgc check`.

use imgc_tests::sandbox::Sandbox;

use crate::{document, ends, run, run_with_input, text};

#[test]
fn everything_below_is_checked_without_the_network() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "app.img",
        "(import std/debian).image { suite = \"trixie\"; packages = [\"hello\"]; }",
    );
    sandbox.write(
        "lib.img",
        "let\n  two = 2;\nin\n{ double = x => x * two; }\n",
    );
    sandbox.write("function.img", "{ port } => { doubled = port * 2; }");
    sandbox.server.take_requests();
    let outcome = run(&sandbox, &["check"]);
    outcome.succeeds();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    assert_eq!(sandbox.server.take_requests(), []);
    assert!(
        !sandbox.path("home/.cache/imgc").exists(),
        "no store is needed"
    );
    sandbox.has_no_layout();
}

/// An image with packages, on a line of its own.
fn image(packages: &str) -> String {
    format!(
        "(import std/debian).image {{ name = \"app\"; suite = \"trixie\"; variant = \"distroless\";\n  \
         packages = [{packages}]; }}"
    )
}

#[test]
fn a_package_that_the_locked_archives_lack_is_told_at_its_literal() {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", image("\"hello\""));
    sandbox.build();
    sandbox.server.take_requests();
    run(&sandbox, &["check"]).succeeds();

    sandbox.write("app.img", image("\"hello\", \"helo\""));
    let outcome = run(&sandbox, &["check", "--json"]);
    ends(&outcome, 1, &[]);
    let document = document(&outcome);
    assert_eq!(document["errors"], 1, "{document}");
    let found = &document["diagnostics"][0];
    assert_eq!(found["code"], "IMG0512");
    let told = found.to_string();
    assert!(told.contains("did you mean `hello`"), "{told}");
    let place = "app.img:2:24";
    run(&sandbox, &["check"]).fails(1, &["`helo`", place, "did you mean `hello`"]);
    // The build says the same of the same place.
    run(&sandbox, &["build", "app.img"]).fails(1, &["`helo`", place, "did you mean `hello`"]);
    sandbox.server.take_requests();

    // What the archives have needs no lock that has it.
    sandbox.write("app.img", image("\"hello\", \"noise\""));
    run(&sandbox, &["check"]).succeeds();
    // Of what the lock does not name nothing is known.
    let other = image("\"helo\"").replace("trixie", "bookworm");
    sandbox.write("app.img", other);
    run(&sandbox, &["check"]).succeeds();
    sandbox.write("app.img", image("\"helo\""));
    std::fs::rename(sandbox.path("home/.cache/imgc"), sandbox.path("away")).expect("a store");
    run(&sandbox, &["check"]).succeeds();
    assert_eq!(sandbox.server.take_requests(), []);
}

#[test]
fn mistakes_of_every_stage_are_found() {
    let sandbox = Sandbox::new();
    sandbox.write("a.img", "{ a = ");
    sandbox.write("b.img", "{ a = nowhere; }");
    sandbox.write("c.img", "{ a = readFile ./none.txt; }");
    sandbox.write("sub/d.img", "import ../none.img");
    let outcome = run(&sandbox, &["check"]);
    outcome.fails(1, &["a.img", "nowhere", "none.txt", "none.img"]);
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.ends_with("errors, 0 warnings"), "{last}");
    run(&sandbox, &["check", "b.img"]).fails(1, &["1 error, 0 warnings"]);
    run(&sandbox, &["check", "nothing"]).fails(1, &["nothing"]);
}

#[test]
fn json_has_every_finding_with_its_place() {
    let sandbox = Sandbox::new();
    sandbox.write("a.img", "{\n  a = nowhere;\n}\n");
    let outcome = run(&sandbox, &["check", "--json"]);
    ends(&outcome, 1, &[]);
    assert_eq!(outcome.stderr, "");
    let document = document(&outcome);
    assert_eq!(document["files"], 1);
    assert_eq!(document["errors"], 1);
    assert_eq!(document["warnings"], 0);
    assert_eq!(document["fixes"], serde_json::json!([]));
    let found = &document["diagnostics"][0];
    assert_eq!(found["code"], "IMG0201");
    assert_eq!(found["severity"], "error");
    assert_eq!(found["primary"]["file"], "a.img");
    assert_eq!(found["primary"]["start"]["line"], 2);
    assert_eq!(found["primary"]["start"]["column"], 7);

    sandbox.write("a.img", "{ a = 1; }\n");
    let good = run(&sandbox, &["check", "--json"]);
    good.succeeds();
    assert_eq!(crate::document(&good)["diagnostics"], serde_json::json!([]));
}

#[test]
fn standard_input_is_a_file_of_the_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("lib.img", "{ one = 1; }");
    run_with_input(&sandbox, &["check", "-"], "(import ./lib.img).one").succeeds();
    run_with_input(&sandbox, &["check", "-"], "nowhere").fails(1, &["<stdin>", "nowhere"]);
    run_with_input(&sandbox, &["check", "-", "--fix"], "1").fails(2, &["--fix"]);
}

#[test]
fn fixes_are_applied_until_there_is_none() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.img",
        "let\n  colour = 1\nin\n{\n  a = colour\n  b = 'x';\n}\n",
    );
    let outcome = run(&sandbox, &["check", "--fix"]);
    assert_eq!(
        text(&sandbox, "a.img"),
        "let\n  colour = 1;\nin\n{\n  a = colour;\n  b = \"x\";\n}\n",
        "{outcome:?}"
    );
    outcome.succeeds();
    let said: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said.iter().all(|line| line.starts_with("a.img: ")),
        "{said:?}"
    );

    let again = run(&sandbox, &["check", "--fix"]);
    again.succeeds();
    assert_eq!(again.stderr, "");
}

#[test]
fn a_fix_leaves_what_it_can_not_do() {
    let sandbox = Sandbox::new();
    sandbox.write("a.img", "{\n  a = 1\n  b = nowhere;\n}\n");
    let outcome = run(&sandbox, &["check", "--fix", "--json"]);
    ends(&outcome, 1, &[]);
    assert_eq!(text(&sandbox, "a.img"), "{\n  a = 1;\n  b = nowhere;\n}\n");
    let document = document(&outcome);
    assert_eq!(document["errors"], 1);
    assert_eq!(document["fixes"][0]["file"], "a.img");
}

#[test]
fn a_guess_is_not_applied() {
    let sandbox = Sandbox::new();
    let text = "let\n  colour = 1;\nin\n{ a = colou; b = colour; }\n";
    sandbox.write("a.img", text);
    run(&sandbox, &["check", "--fix"]).fails(1, &["did you mean `colour`?"]);
    assert_eq!(crate::text(&sandbox, "a.img"), text);
}

#[test]
fn only_the_named_files_are_changed() {
    let sandbox = Sandbox::new();
    let lib = "{\n  a = 1\n  b = 2;\n}\n";
    sandbox.write("lib.img", lib);
    sandbox.write("app.img", "(import ./lib.img).a\n");
    let outcome = run(&sandbox, &["check", "--fix", "app.img"]);
    ends(&outcome, 1, &["lib.img"]);
    assert_eq!(text(&sandbox, "lib.img"), lib);
}
