//! Neovim, driven without a screen: the plugin and `imgc lsp` do what people see. Debian's
//! 0.7, and the 0.10 of trixie.

use std::process::Command;

use imgc_tests::sandbox::{Sandbox, imgc, repository};
use serde_json::Value;

use crate::edited;

/// What the driver saw.
fn drive(neovim: &str) -> (Sandbox, Value) {
    let sandbox = edited::project();
    let repository = repository();
    let plugin = repository.join("lang/editors/neovim");
    let driver = repository.join("tests/tests/real/neovim/drive.lua");
    let result = sandbox.path("result.json");
    let program = imgc();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("timeout")
        .args([
            "300",
            neovim,
            "--headless",
            "-u",
            "NONE",
            "-i",
            "NONE",
            "-n",
        ])
        .args(["--cmd", &format!("set rtp^={}", plugin.display())])
        .args(["--cmd", "filetype plugin on"])
        .args(["-c", &format!("luafile {}", driver.display())])
        .env_clear()
        .env("HOME", sandbox.path("home"))
        .env("XDG_CONFIG_HOME", sandbox.path("home/.config"))
        .env("XDG_CACHE_HOME", sandbox.path("home/.cache"))
        .env("RESULT", &result)
        .env(
            "PATH",
            format!("{}:{path}", program.parent().expect("a folder").display()),
        )
        .current_dir(sandbox.path("project"))
        .output()
        .unwrap_or_else(|error| panic!("{neovim}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let result = std::fs::read(&result).unwrap_or_else(|error| panic!("{error}: {said}"));
    (sandbox, serde_json::from_slice(&result).expect("JSON"))
}

fn check(neovim: &str) {
    let (sandbox, seen) = drive(neovim);
    assert_eq!(seen["problem"], Value::Null, "{}", seen["problem"]);
    assert_eq!(seen["filetype"], "img");
    let diagnostics = seen["diagnostics"].as_array().expect("diagnostics");
    let unbound = diagnostics
        .iter()
        .find(|found| found["code"] == "IMG0201")
        .unwrap_or_else(|| panic!("{diagnostics:?}"));
    assert_eq!(unbound["line"], 7);
    let mended = seen["mended"].as_str().expect("a line");
    assert!(mended.contains("greeting;"), "{mended}");
    let offered = seen["offered"].as_array().expect("labels");
    for package in ["hello", "help2man"] {
        assert!(offered.iter().any(|label| label == package), "{offered:?}");
    }
    let hover = seen["hover"].as_str().expect("text");
    assert!(hover.contains("String"), "{hover}");
    let [app, lib] = ["app", "lib"].map(|name| seen["renamed"][name].as_str().expect("text"));
    assert!(app.contains("lib.salute   \"you\""), "{app}");
    // The binding keeps its name: it is the field that others see.
    assert!(lib.contains("in { salute = welcome; }"), "{lib}");
    let formatted = seen["formatted"].as_str().expect("text");
    assert!(formatted.contains("lib.salute \"you\""), "{formatted}");
    assert_eq!(seen["lens"], "build");
    let built = seen["built"].as_str().expect("text");
    assert!(
        built.starts_with("build (") && built.ends_with("layers)"),
        "{built}"
    );
    // What it wrote is what imgc takes for formatted.
    let outcome = sandbox
        .run()
        .args(&["fmt", "--check", "app.img", "lib.img"]);
    outcome.outcome().succeeds();
}

#[test]
fn neovim_of_this_debian_shows_mends_offers_renames_and_formats() {
    check("nvim");
}

#[test]
fn neovim_of_trixie_shows_mends_offers_renames_and_formats() {
    check("nvim-trixie");
}
