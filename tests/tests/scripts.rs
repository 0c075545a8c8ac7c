//! Maintainer scripts: what they do is in the image, what can't be interpreted ends the
//! build, what an image skips is said, and `imgc explain-scripts` tells of all of it.
#![expect(clippy::disallowed_methods, reason = "tests read what a build wrote")]

use imgc_tests::layout::Layout;
use imgc_tests::sandbox::{Outcome, Sandbox};
use serde_json::{Value, json};

fn sandbox(packages: &str, more: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let image = format!(
        "(import std/debian).image {{ name = \"app\"; suite = \"trixie\"; \
         packages = [{packages}]; {more} }}"
    );
    sandbox.write("app.img", image);
    sandbox
}

fn build(sandbox: &Sandbox) -> Outcome {
    sandbox.run().args(&["build", "app.img"]).outcome()
}

#[test]
fn what_a_script_does_is_in_the_image() {
    let sandbox = sandbox("\"scripted\", \"noise\"", "");
    let outcome = build(&sandbox);
    outcome.digest();
    assert!(
        !outcome.stderr.contains("scripted"),
        "there is nothing to say of it: {}",
        outcome.stderr
    );
    let layout = Layout::open(&sandbox.project("app.oci"));
    let tree = layout.tree();
    let state = &tree["var/lib/scripted/state"];
    assert_eq!(state.bytes, b"scripted configure\n");
    assert_eq!((state.mode, state.ids), (0o640, (0, 0)));
    assert_eq!(tree["var/lib/scripted"].kind, b'5');
    // Its time is the lock's moment: the newest of the archives' dates.
    let created = layout.config["created"].as_str().expect("a time");
    assert_eq!(created, "2025-11-01T09:00:00Z");
    assert_eq!(state.mtime, 1_761_987_600);
}

#[test]
fn a_script_that_cannot_be_interpreted_ends_the_build() {
    let sandbox = sandbox("\"unknown\"", "");
    // The script itself would not mind, and nobody would see it.
    build(&sandbox).fails(
        1,
        &[
            "imgc has no version of /usr/bin/frobnicate",
            "in unknown: postinst, line 4",
            "skip = { \"unknown\" = \"WHY\"; }",
        ],
    );
    sandbox.has_no_layout();
}

#[test]
fn a_script_may_be_skipped_with_a_reason() {
    let skip = "skip = { unknown = \"it only makes a cache\"; };";
    let sandbox = sandbox("\"unknown\", \"scripted\"", skip);
    let outcome = build(&sandbox);
    outcome.digest();
    assert!(
        outcome.stderr.contains("skipped") && outcome.stderr.contains("unknown: postinst"),
        "{}",
        outcome.stderr
    );
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    assert!(tree.contains_key("usr/bin/frobnicate"), "it is installed");
    assert!(
        tree.contains_key("var/lib/scripted/state"),
        "others are not skipped"
    );
}

#[test]
fn what_scripts_did_is_told() {
    let skip = "skip = { unknown = \"it only makes a cache\"; };";
    let sandbox = sandbox("\"unknown\", \"scripted\", \"noise\"", skip);
    let explain = |args: &[&str]| {
        let run = sandbox
            .run()
            .args(&["explain-scripts", "app.img"])
            .args(args);
        let outcome = run.outcome();
        outcome.succeeds();
        outcome.stdout
    };
    let text = explain(&[]);
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for expected in [
        "scripted 0.1",
        "postinst:3 mkdir folder /var/lib/scripted",
        "postinst:6 chmod mode /var/lib/scripted/state",
        "unknown 7",
        "postinst: skipped, as the image says: it only makes a cache",
    ] {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert!(lines.contains(&expected), "{expected:?}: {text}");
    }
    assert!(!text.contains("noise"), "it has no script: {text}");
    let one = explain(&["--package", "scripted"]);
    assert!(
        one.starts_with("scripted 0.1\n") && !one.contains("unknown"),
        "{one}"
    );

    let document: Value = serde_json::from_str(&explain(&["--json"])).expect("JSON");
    let packages = document["images"][0]["packages"]
        .as_array()
        .expect("packages");
    assert_eq!(document["images"][0]["name"], "app");
    let names: Vec<&Value> = packages.iter().map(|package| &package["name"]).collect();
    assert_eq!(names, ["scripted", "unknown"]);
    let effects = packages[0]["effects"].as_array().expect("effects");
    let folder = json!({
        "script": "postinst", "line": 3, "command": "mkdir",
        "what": "folder", "path": "/var/lib/scripted",
    });
    assert!(effects.contains(&folder), "{effects:#?}");
    let written = effects.iter().any(|effect| {
        effect["what"] == "written"
            && effect["path"] == "/var/lib/scripted/state"
            && effect["line"] == 5
    });
    assert!(written, "{effects:#?}");
    assert_eq!(packages[1]["skipped"], json!(["postinst"]));
    assert!(!sandbox.project("app.oci").exists(), "nothing is built");
}

#[test]
fn a_skip_without_a_reason_or_of_nothing_is_an_error() {
    let no_reason = sandbox("\"scripted\"", "skip = { scripted = \"\"; };");
    build(&no_reason).fails(1, &["IMG0528", "scripted"]);
    no_reason.has_no_layout();
}

#[test]
fn the_lock_holds_the_order_of_the_calls() {
    let sandbox = sandbox("\"scripted\", \"hello\"", "");
    build(&sandbox).digest();
    let lock = std::fs::read_to_string(sandbox.project("imgc.lock")).expect("a lock");
    assert!(
        lock.contains("version = 2") && lock.contains("calls = "),
        "{lock}"
    );
    // What is right in the lock is what is done: nobody thinks the order out anew.
    let again = sandbox
        .run()
        .args(&["build", "--locked", "app.img"])
        .outcome();
    again.digest();
}
