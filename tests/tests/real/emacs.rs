//! Emacs, driven without a screen: the mode compiles without a warning, every program of the
//! repository opens in it, coloured and indented as it is written, and eglot shows what
//! `imgc lsp` says.

use std::path::PathBuf;
use std::process::Command;

use imgc_tests::sandbox::{Sandbox, imgc, repository};
use serde_json::Value;

use crate::edited;

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

#[test]
fn eglot_shows_offers_renames_and_formats() {
    let sandbox = edited::project();
    let result = sandbox.path("result.json");
    let program = imgc();
    let programs = program.parent().expect("a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    let elisp = |name: &str| repository().join(name);
    let output = Command::new("timeout")
        .args(["200", "emacs", "--batch", "-Q", "-l"])
        .arg(elisp("lang/editors/emacs/img-mode.el"))
        .arg("-l")
        .arg(elisp("tests/tests/real/emacs/eglot.el"))
        .env_clear()
        .env("HOME", sandbox.path("home"))
        .env("XDG_CACHE_HOME", sandbox.path("home/.cache"))
        .env("RESULT", &result)
        .env("PATH", format!("{programs}:{path}"))
        .current_dir(sandbox.path("project"))
        .output()
        .expect("emacs starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let seen = std::fs::read(&result).unwrap_or_else(|error| panic!("{error}: {said}"));
    let seen: Value = serde_json::from_slice(&seen).expect("JSON");
    let texts = |name: &str| -> Vec<&str> {
        let found = seen[name].as_array().expect("a list");
        found.iter().filter_map(Value::as_str).collect()
    };
    let unbound = |text: &&str| text.contains("IMG0201") && text.contains("`greetin`");
    assert!(texts("diagnostics").iter().any(unbound), "{seen}");
    assert_eq!(texts("offered"), ["hello", "help2man"]);
    let text = |name: &str| seen[name].as_str().expect("a text");
    assert!(
        text("hover").contains("welcome : String -> String"),
        "{seen}"
    );
    assert_eq!(text("definition"), "lib.img:2");
    // Renamed, and formatted.
    assert!(
        text("app").contains("greeting = lib.salute \"you\";"),
        "{seen}"
    );
    assert!(text("lib").contains("in { salute = welcome; }"), "{seen}");
}
