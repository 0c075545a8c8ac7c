//! `imgc fmt`.

use std::os::unix::fs::PermissionsExt as _;

use imgc_tests::sandbox::Sandbox;

use crate::{ends, run, run_with_input, text};

const UGLY: &str = "{\n  a=1;\n    b = [1,2];\n}\n";
const PRETTY: &str = "{\n  a = 1;\n  b = [1, 2];\n}\n";
const BROKEN: &str = "{ a = ";

#[test]
fn files_are_rewritten_with_their_mode() {
    let sandbox = Sandbox::new();
    sandbox.write("a.img", UGLY);
    sandbox.write("deep/b.img", UGLY);
    sandbox.write("deep/c.txt", UGLY);
    sandbox.write(".hidden/d.img", UGLY);
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(sandbox.project("a.img"), mode(0o640)).expect("its mode");
    std::os::unix::fs::symlink("deep/b.img", sandbox.project("link.img")).expect("a link");
    let outcome = run(&sandbox, &["fmt"]);
    outcome.succeeds();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    assert_eq!(text(&sandbox, "a.img"), PRETTY);
    assert_eq!(text(&sandbox, "deep/b.img"), PRETTY);
    assert_eq!(text(&sandbox, "deep/c.txt"), UGLY);
    assert_eq!(text(&sandbox, ".hidden/d.img"), UGLY);
    let metadata = std::fs::symlink_metadata(sandbox.project("a.img")).expect("it is there");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o640);
    let link = std::fs::symlink_metadata(sandbox.project("link.img")).expect("it is there");
    assert!(link.is_symlink(), "a link stays one");

    // What is in the style is not written again.
    let before = metadata.modified().expect("a time");
    run(&sandbox, &["fmt", "a.img", "deep"]).succeeds();
    let after = std::fs::metadata(sandbox.project("a.img")).expect("it is there");
    assert_eq!(after.modified().expect("a time"), before);
}

#[test]
fn check_lists_and_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("a.img", UGLY);
    sandbox.write("b.img", PRETTY);
    let outcome = run(&sandbox, &["fmt", "--check"]);
    ends(&outcome, 1, &[]);
    assert_eq!(outcome.stdout, "a.img\n");
    assert_eq!(text(&sandbox, "a.img"), UGLY);
    run(&sandbox, &["fmt", "--check", "b.img"]).succeeds();

    let diff = run(&sandbox, &["fmt", "--diff", "a.img"]);
    diff.succeeds();
    assert!(
        diff.stdout.starts_with("--- a/a.img\n+++ b/a.img\n"),
        "{diff:?}"
    );
    assert!(diff.stdout.contains("\n-  a=1;\n"), "{diff:?}");
    assert!(diff.stdout.contains("\n+  a = 1;\n"), "{diff:?}");
    assert_eq!(text(&sandbox, "a.img"), UGLY);
}

#[test]
fn broken_files_are_left_alone_and_the_others_are_not() {
    let sandbox = Sandbox::new();
    sandbox.write("a.img", BROKEN);
    sandbox.write("b.img", UGLY);
    run(&sandbox, &["fmt"]).fails(1, &["a.img"]);
    assert_eq!(text(&sandbox, "a.img"), BROKEN);
    assert_eq!(text(&sandbox, "b.img"), PRETTY);
    run(&sandbox, &["fmt", "none.img"]).fails(1, &["none.img"]);
    sandbox.write("c.img", [0xff, 0xfe]);
    run(&sandbox, &["fmt", "c.img"]).fails(1, &["c.img", "UTF-8"]);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let sandbox = Sandbox::new();
    let outcome = run_with_input(&sandbox, &["fmt", "-"], UGLY);
    outcome.succeeds();
    assert_eq!(outcome.stdout, PRETTY);
    run_with_input(&sandbox, &["fmt", "-"], BROKEN).fails(1, &["<stdin>"]);
    let check = run_with_input(&sandbox, &["fmt", "--check", "-"], UGLY);
    ends(&check, 1, &[]);
    assert_eq!(check.stdout, "<stdin>\n");
    run_with_input(&sandbox, &["fmt", "--check", "-"], PRETTY).succeeds();
    run(&sandbox, &["fmt", "-", "a.img"]).fails(2, &["stands alone"]);
}

/// The repository keeps its own style.
#[test]
fn the_repository_is_in_the_style() {
    let sandbox = Sandbox::new();
    let folders =
        ["examples", "stdlib"].map(|folder| imgc_tests::sandbox::repository().join(folder));
    let folders = folders.map(|folder| folder.to_str().expect("UTF-8").to_owned());
    let args = ["fmt", "--check", &folders[0], &folders[1]];
    sandbox.run().args(&args).outcome().succeeds();
}
