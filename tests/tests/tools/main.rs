//! The tools beside building: formatting, checking, evaluating, documentation, tests of
//! programs, the REPL, and modules from elsewhere. All by the real binary.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start processes and work with files"
)]

mod check;
mod client;
mod damaged;
mod doc;
mod eval;
mod fetched;
mod fmt;
mod layers;
mod load;
mod look;
mod programs;
mod registry;
mod remote;
mod repl;
mod serve;
mod store;
mod update;
mod watch;
mod web;
mod why;

use std::io::Write as _;
use std::process::{Command, Stdio};

use imgc_tests::sandbox::{Outcome, Sandbox, imgc};

/// Runs `imgc` in the sandbox's project with a text on standard input.
fn run_with_input(sandbox: &Sandbox, args: &[&str], input: &str) -> Outcome {
    let mut child = Command::new(imgc())
        .args(args)
        .env_clear()
        .env("HOME", sandbox.path("home"))
        .env("XDG_CONFIG_HOME", sandbox.path("home/.config"))
        .env("XDG_CACHE_HOME", sandbox.path("home/.cache"))
        .env("XDG_STATE_HOME", sandbox.path("home/.state"))
        .current_dir(sandbox.path("project"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // The program may end before it has read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// Runs `imgc` in the sandbox's project.
fn run(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run().args(args).outcome()
}

/// The text of a file of the project.
fn text(sandbox: &Sandbox, file: &str) -> String {
    std::fs::read_to_string(sandbox.project(file)).expect("a file of text")
}

/// The JSON document on standard output.
#[track_caller]
fn document(outcome: &Outcome) -> serde_json::Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

/// Checks the exit code, and that standard error says each of `words`; unlike
/// [`Outcome::fails`], standard output may have something.
#[track_caller]
fn ends(outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    let quiet = Outcome {
        stdout: String::new(),
        ..outcome.clone()
    };
    if code == 0 {
        assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
        return;
    }
    quiet.fails(code, words);
}
