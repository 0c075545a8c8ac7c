//! `imgc update` and `imgc outdated`: what changes, what stays, and what is said of it.

use imgc_tests::archive::{Archive, Suite};
use imgc_tests::deb::Deb;
use imgc_tests::sandbox::{Outcome, Sandbox};
use serde_json::Value;

const APP: &str = "(import std/debian).image { name = \"app\"; suite = \"trixie\"; \
    variant = \"distroless\"; packages = [\"app\", \"tool\"]; }";

/// `app` needs `lib`, in the version that `lib` says; `tool` needs nothing.
fn packages(app: (&str, &str), lib: &str, tool: &str) -> Vec<Deb> {
    let file = |deb: Deb| {
        let path = format!("usr/share/{}", deb.name);
        let text = deb.version.clone();
        deb.file(&path, 0o644, text)
    };
    vec![
        file(Deb::new("app", app.0, "all").field("Depends", app.1)),
        file(Deb::new("lib", lib, "all")),
        file(Deb::new("tool", tool, "all")),
    ]
}

/// A project whose lock has version 1 of everything.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_packages(&packages(("1", "lib"), "1", "1"));
    sandbox.write("app.img", APP);
    sandbox.build();
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run().args(args).outcome()
}

/// Puts packages in the place of those that the archive has, a day later.
fn publish(sandbox: &Sandbox, packages: &[Deb]) {
    let suite = Suite {
        name: "trixie",
        label: "Debian",
    };
    let mut archive = Archive::new(&sandbox.key, suite, &[]);
    let date = "Sun, 02 Nov 2025 08:00:00 UTC";
    archive.add_suite(&sandbox.key, suite, packages, date);
    for (path, bytes) in archive.files() {
        sandbox.server.put(&format!("debian/{path}"), bytes.clone());
    }
}

/// The lines of a report, without the sizes and the spaces between columns.
fn changes(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.succeeds().stdout.lines();
    let words = lines.map(|line| {
        let (sign, rest) = line.split_at(1);
        let (versions, size) = rest.rsplit_once("  ").expect("a size follows");
        assert!(size.contains('B'), "{line}");
        let words: Vec<&str> = versions.split_whitespace().collect();
        format!("{sign} {}", words.join(" "))
    });
    words.collect()
}

fn lock(sandbox: &Sandbox) -> String {
    crate::text(sandbox, "imgc.lock")
}

#[test]
fn a_report_says_what_changed_and_how_much() {
    let sandbox = sandbox();
    let none = run(&sandbox, &["update", "app.img"]);
    none.succeeds();
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains("up to date"), "{none:?}");

    let mut newer = packages(("2", "lib2"), "1", "2");
    newer.push(Deb::new("lib2", "1", "all").file("usr/share/lib2", 0o644, "x".repeat(500)));
    publish(&sandbox, &newer);
    let before = lock(&sandbox);
    let dry = run(&sandbox, &["update", "--dry-run", "app.img"]);
    let expected = [
        "  app all 1 -> 2",
        "- lib all 1",
        "+ lib2 all 1",
        "  tool all 1 -> 2",
    ];
    assert_eq!(changes(&dry), expected);
    assert!(dry.stderr.contains("nothing was written"), "{dry:?}");
    assert_eq!(lock(&sandbox), before);

    let json = run(&sandbox, &["update", "--json", "app.img"]);
    let document: Value = serde_json::from_str(&json.succeeds().stdout).expect("JSON");
    let packages = &document["locks"][0]["packages"];
    assert_eq!(packages[0]["name"], "app");
    assert_eq!(packages[0]["from"]["version"], "1");
    assert_eq!(packages[0]["to"]["version"], "2");
    assert_eq!(packages[1]["to"], Value::Null);
    assert_eq!(packages[2]["from"], Value::Null);
    assert!(
        packages[2]["to"]["size"]
            .as_u64()
            .is_some_and(|size| size > 0)
    );
    let totals = &document["totals"];
    assert_eq!((&totals["updated"], &totals["new"]), (&2.into(), &1.into()));
    assert_eq!(totals["gone"], 1);
    assert!(json.stderr.contains("2 updated, 1 new, 1 gone"), "{json:?}");
    assert_ne!(lock(&sandbox), before);
    assert_eq!(run(&sandbox, &["update", "app.img"]).stdout, "");
}

#[test]
fn outdated_writes_nothing() {
    let sandbox = sandbox();
    let exit_code = ["outdated", "--exit-code", "app.img"];
    run(&sandbox, &exit_code).succeeds();
    publish(&sandbox, &packages(("1", "lib"), "2", "1"));
    let before = lock(&sandbox);
    let outdated = run(&sandbox, &["outdated", "app.img"]);
    assert_eq!(changes(&outdated), ["  lib all 1 -> 2"]);
    let failing = run(&sandbox, &exit_code);
    assert_eq!((failing.code, &failing.stdout), (Some(1), &outdated.stdout));
    let json = run(&sandbox, &["outdated", "--json", "app.img"]);
    let document: Value = serde_json::from_str(&json.succeeds().stdout).expect("JSON");
    assert_eq!(document["locks"][0]["packages"][0]["to"]["version"], "2");
    assert_eq!(lock(&sandbox), before);
}

#[test]
fn one_package_alone() {
    let sandbox = sandbox();
    publish(&sandbox, &packages(("2", "lib"), "2", "2"));
    let update = run(&sandbox, &["update", "-p", "tool", "app.img"]);
    assert_eq!(changes(&update), ["  tool all 1 -> 2"]);
    // The rest is as the archive had it before, with what vouched for it.
    assert_eq!(lock(&sandbox).matches("dist = \"trixie\"").count(), 2);
    let locked = ["build", "--locked", "app.img"];
    run(&sandbox, &locked).digest();
    let cold = sandbox.path("cold").display().to_string();
    run(
        &sandbox,
        &["build", "--locked", "--store", &cold, "app.img"],
    )
    .digest();
    let update = run(&sandbox, &["update", "--package", "app", "app.img"]);
    assert_eq!(changes(&update), ["  app all 1 -> 2"]);
    let update = run(&sandbox, &["update", "app.img"]);
    assert_eq!(changes(&update), ["  lib all 1 -> 2"]);
    assert_eq!(lock(&sandbox).matches("dist = \"trixie\"").count(), 1);
}

#[test]
fn what_a_new_version_needs_comes_along() {
    let sandbox = sandbox();
    publish(&sandbox, &packages(("2", "lib (>= 2)"), "2", "2"));
    let update = run(&sandbox, &["update", "-p", "app", "app.img"]);
    assert_eq!(changes(&update), ["  app all 1 -> 2", "  lib all 1 -> 2"]);
    run(&sandbox, &["build", "--locked", "app.img"]).digest();
}

#[test]
fn what_needs_the_old_version_comes_along() {
    let sandbox = Sandbox::with_packages(&packages(("1", "lib (= 1)"), "1", "1"));
    sandbox.write("app.img", APP);
    sandbox.build();
    publish(&sandbox, &packages(("2", "lib (= 2)"), "2", "2"));
    let update = run(&sandbox, &["update", "-p", "lib:all", "app.img"]);
    assert_eq!(changes(&update), ["  app all 1 -> 2", "  lib all 1 -> 2"]);
}

#[test]
fn a_name_that_is_not_there_is_a_mistake() {
    let sandbox = sandbox();
    let before = lock(&sandbox);
    run(&sandbox, &["update", "-p", "absent", "app.img"]).fails(1, &["absent", "imgc tree"]);
    run(&sandbox, &["update", "-p", "tool"]).fails(2, &[]);
    assert_eq!(lock(&sandbox), before);
}

#[test]
fn files_of_one_folder_are_one_report() {
    let sandbox = sandbox();
    let other = APP.replace("name = \"app\"", "name = \"other\"");
    sandbox.write("other.img", other);
    sandbox.write("sub/app.img", APP);
    run(&sandbox, &["build", "other.img"]).succeeds();
    run(&sandbox, &["build", "-o", "oci:sub.oci", "sub/app.img"]).succeeds();
    publish(&sandbox, &packages(("1", "lib"), "1", "2"));
    let files = ["update", "app.img", "other.img", "sub/app.img"];
    let update = run(&sandbox, &files);
    let lines: Vec<&str> = update.succeeds().stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{update:?}");
    assert_eq!((lines[0], lines[2]), ("imgc.lock:", "sub/imgc.lock:"));
    assert!(lines[1].starts_with("  tool all 1 -> 2  "), "{update:?}");
    assert!(lines[3].starts_with("  tool all 1 -> 2  "), "{update:?}");
}
