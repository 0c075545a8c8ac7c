//! The command line: what it answers without any work.

use imgc_tests::sandbox::Sandbox;

#[test]
fn help_and_version_go_to_standard_output() {
    let sandbox = Sandbox::new();
    for flag in ["--help", "-h"] {
        let help = sandbox.run().args(&[flag]).outcome();
        help.succeeds();
        assert!(
            help.stdout.contains("build") && help.stdout.contains("update"),
            "{help:?}"
        );
        for command in [
            "load", "serve", "fmt", "check", "test", "eval", "repl", "lsp", "doc", "explain",
        ] {
            let line = format!("\n  {command} ");
            assert!(help.stdout.contains(&line), "{command}: {help:?}");
        }
        assert_eq!(help.stderr, "");
    }
    let version = sandbox.run().args(&["--version"]).outcome();
    version.succeeds();
    assert_eq!(
        version.stdout,
        format!("imgc {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let sandbox = Sandbox::new();
    let wrong: [&[&str]; 17] = [
        &[],
        &["frobnicate"],
        &["build"],
        &["build", "--frobnicate", "app.img"],
        &["build", "--jobs", "0", "app.img"],
        &["build", "--platform", "linux/vax", "app.img"],
        &["build", "--mirror", "no address", "app.img"],
        &["build", "--arg", "name", "app.img"],
        &["load"],
        &["load", "--engine", "other", "app.img"],
        &["serve", "a", "b"],
        &["check", "--locked"],
        &["fmt", "--frobnicate"],
        &["eval"],
        &["eval", "--arg", "=x", "app.img"],
        &["doc", "--format", "pdf"],
        &["repl", "a.img", "b.img"],
    ];
    for args in wrong {
        sandbox.run().args(args).outcome().fails(2, &[]);
    }
    sandbox.has_no_layout();
}

#[test]
fn a_missing_file_is_named() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run().args(&["build", "nowhere.img"]).outcome();
    outcome.fails(1, &["nowhere.img"]);
    sandbox.has_no_layout();
}

#[test]
fn codes_are_explained() {
    let sandbox = Sandbox::new();
    let list = sandbox.run().args(&["explain"]).outcome();
    list.succeeds();
    let codes: Vec<&str> = list
        .stdout
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(code, _)| code)
        .collect();
    assert!(codes.len() > 50 && codes.is_sorted(), "{codes:?}");
    let one = sandbox.run().args(&["explain", "img0512"]).outcome();
    one.succeeds();
    assert!(
        one.stdout.starts_with("IMG0512: unknown package\n\n"),
        "{}",
        one.stdout
    );
    sandbox
        .run()
        .args(&["explain", "IMG9999"])
        .outcome()
        .fails(2, &["IMG9999", "imgc explain"]);
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", "image { nam = 1; }");
    let colours = |args: &[&str], no_color: &str| {
        let run = sandbox.run().env("NO_COLOR", no_color).args(args);
        let outcome = run.outcome();
        outcome.fails(1, &["nam"]);
        outcome.stderr.contains("\x1b[")
    };
    assert!(
        !colours(&["build", "app.img"], ""),
        "standard error is no terminal"
    );
    assert!(colours(&["build", "--color", "always", "app.img"], ""));
    assert!(!colours(&["build", "--color", "never", "app.img"], ""));
    assert!(!colours(&["build", "app.img"], "1"));
}
