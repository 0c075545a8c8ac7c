//! `imgc init`: every kind of project is whole and in the one style, builds, and takes no
//! file's place.
#![expect(clippy::disallowed_methods, reason = "tests read what was written")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use imgc_tests::archive::packages;
use imgc_tests::deb::Deb;
use imgc_tests::layout::Layout;
use imgc_tests::sandbox::{Sandbox, repository};

const KINDS: [&str; 5] = ["debian", "static", "python", "node", "nginx"];

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let name = path.strip_prefix(root).expect("below").to_string_lossy();
                files.insert(name.into_owned(), std::fs::read(&path).expect("a file"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

#[test]
fn every_kind_is_whole() {
    let sandbox = Sandbox::with_packages(&[]);
    for kind in KINDS {
        let made = sandbox
            .run()
            .args(&["init", "--kind", kind, kind])
            .outcome();
        made.succeeds();
        let next = format!("next: imgc build {kind}/app.img\n");
        assert_eq!(made.stderr, next, "{kind}");
        let folder = sandbox.project(kind);
        let written = files(&folder);
        let told: Vec<String> = made.stdout.lines().map(str::to_owned).collect();
        let mut expected: Vec<String> = written
            .keys()
            .map(|name| format!("{kind}/{name}"))
            .collect();
        expected.sort_by_key(|name| told.iter().position(|line| line == name));
        assert_eq!(told, expected, "{kind}");
        for name in [
            "app.img",
            ".gitignore",
            ".editorconfig",
            ".github/workflows/image.yml",
        ] {
            assert!(written.contains_key(name), "{kind}: {name}");
        }
        let run = |args: &[&str]| sandbox.run().within(&folder).args(args).outcome();
        let checked = run(&["check"]);
        checked.succeeds();
        assert_eq!(checked.stderr, "", "{kind}");
        for platform in ["linux/amd64", "linux/arm64"] {
            run(&["check", "--platform", platform]).succeeds();
        }
        run(&["fmt", "--check"]).succeeds();
        run(&["test"]).succeeds();
    }
    sandbox
        .run()
        .args(&["init", "--kind", "cobol", "x"])
        .outcome()
        .fails(2, &["cobol", "python"]);
}

#[test]
fn the_programs_of_the_workflow_are_commands() {
    let sandbox = Sandbox::with_packages(&[]);
    sandbox.run().args(&["init"]).outcome().succeeds();
    let path = sandbox.project(".github/workflows/image.yml");
    let workflow = std::fs::read_to_string(path).expect("a workflow");
    for line in workflow
        .lines()
        .filter_map(|line| line.split_once("run: imgc "))
    {
        let command = line.1.split(' ').next().expect("a command");
        let help = sandbox.run().args(&[command, "--help"]).outcome();
        help.succeeds();
    }
    assert!(workflow.contains("imgc check") && workflow.contains("imgc build --locked"));
}

#[test]
fn nothing_is_overwritten() {
    let sandbox = Sandbox::with_packages(&[]);
    sandbox.write("a/app.img", "mine");
    sandbox.write("b/app", "a file where a folder has to be");
    for (folder, way) in [("a", "a/app.img"), ("b", "b/app")] {
        let before = files(&sandbox.project(folder));
        let args = ["init", "--kind", "python", folder];
        sandbox
            .run()
            .args(&args)
            .outcome()
            .fails(1, &[way, "nothing is written"]);
        assert_eq!(files(&sandbox.project(folder)), before, "{folder}");
    }
    // Twice the same is in its own way.
    sandbox.run().args(&["init", "c"]).outcome().succeeds();
    let again = sandbox.run().args(&["init", "c"]).outcome();
    again.fails(1, &["c/app.img", "c/.editorconfig"]);
}

#[test]
fn lines_are_added_to_what_git_leaves_alone() {
    let sandbox = Sandbox::with_packages(&[]);
    sandbox.write(".gitignore", "target");
    let made = sandbox.run().args(&["init"]).outcome();
    made.succeeds();
    assert!(
        made.stdout.contains(".gitignore (lines were added)"),
        "{made:?}"
    );
    let text = std::fs::read_to_string(sandbox.project(".gitignore")).expect("it is there");
    assert_eq!(text, "target\n*.oci/\n");
}

#[test]
fn projects_build() {
    let names = [
        "ca-certificates",
        "jq",
        "nginx",
        "nodejs",
        "python3",
        "tzdata",
    ];
    let mut all = packages();
    all.extend(names.map(|name| Deb::new(name, "1.0", "all")));
    let sandbox = Sandbox::with_packages(&all);
    for kind in KINDS {
        sandbox
            .run()
            .args(&["init", "--kind", kind, kind])
            .outcome()
            .succeeds();
        let folder = sandbox.project(kind);
        let build = |args: &[&str]| sandbox.run().within(&folder).args(args).outcome();
        let first = build(&["build", "app.img"]).digest();
        let locked = build(&["build", "--locked", "app.img"]).digest();
        assert_eq!(first, locked, "{kind}");
        let layout = Layout::open(&folder.join("app.oci"));
        assert_eq!(layout.digest, first, "{kind}");
    }
    let program = sandbox.project("static/bin/amd64/app");
    let mode = program.metadata().expect("a program").permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
    let example = repository().join("examples/web/bin/amd64/server");
    let bytes = std::fs::read(example).expect("the example's server");
    assert_eq!(std::fs::read(program).expect("a program"), bytes);
}
