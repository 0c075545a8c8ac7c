//! Versions and archives behind names, from the text to the lock and the image: a third
//! party's archive with keys of its own, priorities, and what is said where there is none.
#![expect(clippy::disallowed_methods, reason = "tests read what was written")]

use imgc_tests::archive::{Archive, Suite};
use imgc_tests::deb::Deb;
use imgc_tests::key::Key;
use imgc_tests::layout::Layout;
use imgc_tests::sandbox::Sandbox;

/// A sandbox with a vendor's archive on its server, and the vendor's key in the project.
fn with_vendor() -> Sandbox {
    let sandbox = Sandbox::new();
    let key = Key::new();
    let tool = Deb::new("tool", "3.0", "all")
        .field("Depends", "hello")
        .file("usr/bin/tool", 0o755, "tool\n");
    let newer = Deb::new("noise", "1:9.0-1", "all").file("usr/share/noise", 0o644, "loud\n");
    let suite = Suite {
        name: "stable",
        label: "Vendor",
    };
    let archive = Archive::new(&key, suite, &[tool, newer]);
    for (path, bytes) in archive.files() {
        sandbox.server.put(&format!("vendor/{path}"), bytes.clone());
    }
    sandbox.write("vendor.asc", key.public());
    sandbox.write("other.asc", Key::new().public());
    sandbox
}

/// Writes an image of `packages` with the vendor's archive, of which `more` says more.
fn write(sandbox: &Sandbox, packages: &str, more: &str) {
    let url = sandbox.server.url("vendor");
    let text = format!(
        "let\n  debian = import std/debian;\nin\ndebian.distroless {{\n  packages = [{packages}];\n  \
         archives = [{{ url = \"{url}\"; suite = \"stable\"; {more} }}];\n}}\n"
    );
    sandbox.write("app.img", text);
}

fn lock(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.project("imgc.lock")).expect("a lock")
}

#[test]
fn a_vendor_has_an_archive_with_keys_of_its_own() {
    let sandbox = with_vendor();
    write(&sandbox, "\"tool\", \"noise\"", "keys = ./vendor.asc;");
    let digest = sandbox.build();
    let text = lock(&sandbox);
    for line in ["noise 1:9.0-1 all", "tool 3.0 all", "hello 2.10-3 amd64"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(text.contains("id = \"http://127.0.0.1"), "{text}");
    // With the lock, no index is read.
    for path in sandbox.server.paths() {
        if path.contains("dists/") {
            sandbox.server.remove(&path);
        }
    }
    assert_eq!(sandbox.build(), digest);
}

#[test]
fn a_vendor_counts_as_much_as_is_said() {
    let sandbox = with_vendor();
    write(
        &sandbox,
        "\"tool\", \"noise\"",
        "keys = ./vendor.asc; priority = 100;",
    );
    sandbox.build();
    assert!(lock(&sandbox).contains("noise 1:2.0-1 all"));
    write(
        &sandbox,
        "\"noise/stable\"",
        "keys = ./vendor.asc; priority = 100;",
    );
    sandbox.build();
    assert!(lock(&sandbox).contains("noise 1:9.0-1 all"));
    write(&sandbox, "\"noise=1:2.0-1\"", "keys = ./vendor.asc;");
    sandbox.build();
    let text = lock(&sandbox);
    assert!(text.contains("noise 1:2.0-1 all"), "{text}");
    let update = sandbox.run().args(&["update", "app.img"]).outcome();
    update.succeeds();
    assert_eq!(lock(&sandbox), text, "an update leaves it");
}

#[test]
fn a_package_of_another_architecture_brings_that() {
    let sandbox = Sandbox::new();
    let write = |packages: &str| {
        let text = format!("(import std/debian).distroless {{ packages = [{packages}]; }}\n");
        sandbox.write("app.img", text);
    };
    write("\"hello\", \"libhello1:arm64\"");
    let digest = sandbox.build();
    let text = lock(&sandbox);
    for part in [
        "foreign = [\n    \"arm64\",\n]",
        "main/binary-arm64/Packages.xz",
        "\"hello 2.10-3 amd64\"",
        "\"libhello1 2.10-3 amd64\"",
        "\"libhello1 2.10-3 arm64\"",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    let read = |path: &str| String::from_utf8_lossy(&tree[path].bytes).into_owned();
    assert_eq!(read("var/lib/dpkg/arch"), "amd64\narm64\n");
    let lists = ["amd64", "arm64"].map(|arch| format!("var/lib/dpkg/info/libhello1:{arch}.list"));
    assert_eq!(read(&lists[0]), read(&lists[1]));
    assert!(read("var/lib/dpkg/status").contains("Architecture: arm64\n"));
    // With the lock, no index is read.
    for path in sandbox.server.paths() {
        if path.contains("dists/") {
            sandbox.server.remove(&path);
        }
    }
    assert_eq!(sandbox.build(), digest);
    let sandbox = Sandbox::new();
    let text = "(import std/debian).distroless { packages = [\"hello\", \"hello:arm64\"]; }\n";
    sandbox.write("app.img", text);
    let outcome = sandbox.run().args(&["build", "app.img"]).outcome();
    outcome.fails(1, &["IMG0524", "hello:arm64 has Multi-Arch: no"]);
}

#[test]
fn what_can_not_be_had_is_said() {
    let sandbox = with_vendor();
    let fails = |words: &[&str]| {
        let outcome = sandbox.run().args(&["build", "app.img"]).outcome();
        outcome.fails(1, words);
    };
    write(&sandbox, "\"tool\"", "keys = ./other.asc;");
    fails(&["no signature by a trusted key"]);
    write(&sandbox, "\"tool\"", "keys = ./app.img;");
    fails(&["IMG0529", "stable"]);
    write(&sandbox, "\"noise=7\"", "keys = ./vendor.asc;");
    fails(&["IMG0512", "1:9.0-1 (stable), 1:2.0-1 (trixie)"]);
    write(&sandbox, "\"noise/nowhere\"", "keys = ./vendor.asc;");
    fails(&["IMG0512", "nowhere", "1:9.0-1 (stable)"]);
    write(&sandbox, "\"hello:i386\"", "keys = ./vendor.asc;");
    fails(&["IMG0512", "no package `hello` for i386"]);
    write(
        &sandbox,
        "\"noise=1:9.0-1\", \"noise/trixie\"",
        "keys = ./vendor.asc;",
    );
    fails(&["IMG05", "two versions of one package"]);
    sandbox.write(
        "app.img",
        "(import std/debian).distroless { archives = [{ suite = \"sid\"; }]; }\n",
    );
    fails(&["IMG0529", "trixie-backports"]);
}
