//! Emacs, driven without a screen: the mode compiles without a warning, and every program of
//! the repository opens in it, coloured and indented as it is written.

use std::path::PathBuf;
use std::process::Command;

use imgc_tests::sandbox::{Sandbox, repository};

/// Runs Emacs without anybody's settings. What it says is its error.
fn emacs(sandbox: &Sandbox, args: &[&str]) -> Result<(), String> {
    let output = Command::new("timeout")
        .args(["100", "emacs", "--batch", "-Q"])
        .args(args)
        .env("HOME", sandbox.path("home"))
        .current_dir(repository())
        .output()
        .expect("emacs starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(()).ok_or(said)
}

/// The programs of the modules and the examples.
fn programs() -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = ["stdlib", "examples"]
        .map(|name| repository().join(name))
        .into();
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir().expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "img") {
                found.push(path.to_str().expect("UTF-8").to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn emacs_shows_and_indents_every_program() {
    let sandbox = Sandbox::new();
    let mode = sandbox.path("img-mode.el");
    std::fs::copy(repository().join("lang/editors/emacs/img-mode.el"), &mode).expect("a copy");
    let mode = mode.to_str().expect("UTF-8");
    let compiled = emacs(
        &sandbox,
        &[
            "--eval",
            "(setq byte-compile-error-on-warn t)",
            "-f",
            "batch-byte-compile",
            mode,
        ],
    );
    assert_eq!(compiled, Ok(()));
    let programs = programs();
    assert!(programs.len() >= 4, "{programs:?}");
    let compiled = format!("{mode}c");
    let mut args = vec!["-l", &compiled, "-l", "tests/tests/real/emacs/drive.el"];
    args.extend(programs.iter().map(String::as_str));
    assert_eq!(emacs(&sandbox, &args), Ok(()));
}
