//! `imgc completions`, `imgc man` and `--help`: each command is in all of them.
#![expect(clippy::disallowed_methods, reason = "tests read what was written")]

use imgc_tests::sandbox::Sandbox;

/// The names of all commands, as `--help` lists them.
fn commands(sandbox: &Sandbox) -> Vec<String> {
    let help = sandbox.run().args(&["--help"]).outcome();
    help.succeeds();
    let (_, list) = help.stdout.split_once("Commands:\n").expect("a list");
    let (list, _) = list.split_once("\n\n").expect("it ends");
    list.lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_examples() {
    let sandbox = Sandbox::new();
    let commands = commands(&sandbox);
    assert!(commands.len() > 20, "{commands:?}");
    for name in commands {
        let help = sandbox.run().args(&[&name, "--help"]).outcome();
        help.succeeds();
        let (_, examples) = help.stdout.split_once("Examples:\n").unwrap_or_default();
        assert!(
            examples.contains(&format!("imgc {name}")),
            "{name}: {help:?}"
        );
    }
}

#[test]
fn completions_know_every_command() {
    let sandbox = Sandbox::new();
    let commands = commands(&sandbox);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = sandbox.run().args(&["completions", shell]).outcome();
        outcome.succeeds();
        assert_eq!(outcome.stderr, "");
        for name in &commands {
            assert!(outcome.stdout.contains(name.as_str()), "{shell}: {name}");
        }
    }
    sandbox
        .run()
        .args(&["completions", "tcsh"])
        .outcome()
        .fails(2, &["tcsh", "bash"]);
}

#[test]
fn every_command_has_a_page() {
    let sandbox = Sandbox::new();
    let main = sandbox.run().args(&["man"]).outcome();
    main.succeeds();
    assert!(main.stdout.contains(".TH imgc 1"), "{}", main.stdout);
    let all = sandbox.run().args(&["man", "share/man1"]).outcome();
    all.succeeds();
    for name in commands(&sandbox) {
        let file = format!("share/man1/imgc-{name}.1");
        let page = std::fs::read_to_string(sandbox.project(&file)).expect("a page");
        assert!(
            page.contains(".SH EXTRA") || page.contains("Examples:"),
            "{name}: {page}"
        );
        assert!(all.stdout.contains(&format!("imgc-{name}.1\n")), "{name}");
    }
    assert!(all.stdout.contains("imgc-store-gc.1\n"), "{}", all.stdout);
    // The same bytes on every day.
    let again = sandbox.run().args(&["man"]).outcome();
    assert_eq!(main, again);
}
