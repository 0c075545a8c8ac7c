//! Input that must not become an image: each is a clear message and exit code 1, with
//! nothing half-written and no panic.
#![expect(
    clippy::disallowed_methods,
    reason = "tests write bad files and read what is left"
)]

use imgc_tests::archive::{Archive, Suite, packages};
use imgc_tests::key::Key;
use imgc_tests::sandbox::{Sandbox, repository};

/// An image of these packages, and of nothing else.
fn image(packages: &str, rest: &str) -> String {
    format!(
        "let debian = import std/debian; in debian.image {{ name = \"app\"; suite = \"trixie\"; \
         variant = \"distroless\"; packages = [{packages}]; {rest} }}"
    )
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", image("\"hello\"", ""));
    sandbox
}

/// Builds, checks that it fails with `words`, and that the same build goes well once
/// `mend` has put things right.
#[track_caller]
fn fails(sandbox: &Sandbox, words: &[&str], mend: impl FnOnce(&Sandbox)) {
    sandbox
        .run()
        .args(&["build", "app.img"])
        .outcome()
        .fails(1, words);
    sandbox.has_no_layout();
    mend(sandbox);
    sandbox.build();
}

#[test]
fn a_package_with_another_hash() {
    let sandbox = sandbox();
    sandbox.server.change("hello_2.10-3_amd64.deb", |deb| {
        *deb.last_mut().expect("bytes") ^= 1
    });
    fails(&sandbox, &["hello", "sha256"], |sandbox| {
        sandbox.publish(&packages())
    });
}

#[test]
fn a_truncated_package() {
    let sandbox = sandbox();
    sandbox.server.change("libhello1_2.10-3_amd64.deb", |deb| {
        deb.truncate(deb.len() / 2)
    });
    fails(&sandbox, &["libhello1"], |sandbox| {
        sandbox.publish(&packages())
    });
}

#[test]
fn a_package_that_is_longer_than_its_pin() {
    let sandbox = sandbox();
    sandbox
        .server
        .change("hello_2.10-3_amd64.deb", |deb| deb.extend([0; 1000]));
    fails(&sandbox, &["hello"], |sandbox| sandbox.publish(&packages()));
}

#[test]
fn a_package_that_is_not_there() {
    let sandbox = sandbox();
    sandbox
        .server
        .remove("debian/pool/main/h/hello/hello_2.10-3_amd64.deb");
    fails(&sandbox, &["hello_2.10-3_amd64.deb"], |sandbox| {
        sandbox.publish(&packages())
    });
}

#[test]
fn a_release_that_another_key_signed() {
    let sandbox = sandbox();
    let suite = Suite {
        name: "trixie",
        label: "Debian",
    };
    let archive = Archive::new(&Key::new(), suite, &packages());
    let release = archive.files()["dists/trixie/InRelease"].clone();
    sandbox.server.put("debian/dists/trixie/InRelease", release);
    fails(&sandbox, &["InRelease", "sign"], |sandbox| {
        sandbox.publish(&packages())
    });
}

#[test]
fn a_release_that_was_changed_after_signing() {
    let sandbox = sandbox();
    sandbox.server.change("dists/trixie/InRelease", |release| {
        let text = String::from_utf8_lossy(release).replace("Version: 13", "Version: 14");
        *release = text.into_bytes();
    });
    fails(&sandbox, &["InRelease", "sign"], |sandbox| {
        sandbox.publish(&packages())
    });
}

#[test]
fn text_around_what_is_signed() {
    for at_end in [false, true] {
        let sandbox = sandbox();
        sandbox.server.change("dists/trixie/InRelease", |release| {
            let more = b"Origin: Somebody\nSuite: trixie\n".to_vec();
            *release = if at_end {
                [std::mem::take(release), more].concat()
            } else {
                [more, std::mem::take(release)].concat()
            };
        });
        fails(&sandbox, &["InRelease"], |sandbox| {
            sandbox.publish(&packages())
        });
    }
}

#[test]
fn an_index_that_does_not_match_its_release() {
    let sandbox = sandbox();
    let other = imgc_tests::deb::xz(b"Package: hello\nVersion: 666\n");
    for path in sandbox.server.paths() {
        if path.contains("debian/dists/trixie/main/binary-amd64/") {
            sandbox.server.put(&path, other.clone());
        }
    }
    fails(&sandbox, &["Packages"], |sandbox| {
        sandbox.publish(&packages())
    });
}

#[test]
fn an_unknown_package_with_a_suggestion() {
    let sandbox = sandbox();
    sandbox.write("app.img", image("\"helo\"", ""));
    fails(&sandbox, &["helo", "did you mean", "hello"], |sandbox| {
        sandbox.write("app.img", image("\"hello\"", ""));
    });
}

#[test]
fn a_dependency_that_nothing_satisfies() {
    let mut debs = packages();
    debs.push(imgc_tests::deb::Deb::new("needy", "1", "all").field("Depends", "hello (>= 3)"));
    let sandbox = Sandbox::with_packages(&debs);
    sandbox.write("app.img", image("\"needy\"", ""));
    fails(&sandbox, &["needy", "hello (>= 3)"], |sandbox| {
        sandbox.write("app.img", image("\"hello\"", ""));
    });
}

#[test]
fn a_dynamic_binary_where_a_static_one_is_asked() {
    let sandbox = sandbox();
    // The test itself is one.
    let dynamic = std::fs::read(std::env::current_exe().expect("a test has a file"));
    sandbox.write("server", dynamic.expect("the file of the test"));
    sandbox.write(
        "app.img",
        image(
            "\"hello\"",
            "files = { \"/usr/bin/server\" = binary ./server; };",
        ),
    );
    let server = repository().join("examples/web/bin/amd64/server");
    let server = std::fs::read(server).expect("the example's server");
    fails(&sandbox, &["server", "static"], |sandbox| {
        sandbox.write("server", server)
    });
}

#[test]
fn a_binary_of_another_architecture_and_no_binary_at_all() {
    let sandbox = sandbox();
    let of = |arch| repository().join(format!("examples/web/bin/{arch}/server"));
    sandbox.write(
        "server",
        std::fs::read(of("arm64")).expect("the example's server"),
    );
    sandbox.write(
        "app.img",
        image(
            "\"hello\"",
            "files = { \"/usr/bin/server\" = binary ./server; };",
        ),
    );
    fails(&sandbox, &["server", "arm64", "amd64"], |sandbox| {
        sandbox.write("server", "#!/bin/sh\n");
        sandbox
            .run()
            .args(&["build", "app.img"])
            .outcome()
            .fails(1, &["server", "script", "static"]);
        let server = std::fs::read(of("amd64")).expect("the example's server");
        sandbox.write("server", &server[..100]);
        sandbox
            .run()
            .args(&["build", "app.img"])
            .outcome()
            .fails(1, &["server"]);
        sandbox.write("server", server);
    });
}

#[test]
fn a_missing_file_of_the_project() {
    let sandbox = sandbox();
    sandbox.write(
        "app.img",
        image("\"hello\"", "files = { \"/a\" = ./nowhere.txt; };"),
    );
    fails(&sandbox, &["nowhere.txt"], |sandbox| {
        sandbox.write("nowhere.txt", "here")
    });
}

#[test]
fn a_path_out_of_the_project() {
    let sandbox = sandbox();
    std::os::unix::fs::symlink("/etc/passwd", sandbox.project("leak")).expect("a link");
    sandbox.write(
        "app.img",
        image("\"hello\"", "files = { \"/a\" = ./leak; };"),
    );
    fails(&sandbox, &["leak"], |sandbox| {
        std::fs::remove_file(sandbox.project("leak")).expect("the link");
        sandbox.write("leak", "no link");
    });
}

#[test]
fn a_user_that_is_not_there() {
    let sandbox = sandbox();
    let files = "files = { \"/a\" = file { text = \"\"; user = \"nobody-here\"; }; };";
    sandbox.write("app.img", image("\"hello\"", files));
    fails(&sandbox, &["nobody-here"], |sandbox| {
        sandbox.write("app.img", image("\"hello\"", ""));
    });
}

#[test]
fn a_program_that_is_none() {
    let sandbox = sandbox();
    for (text, words) in [
        ("let debian = import std/debian in", &["app.img"][..]),
        (
            "let debian = import std/debian; in debian.imag {}",
            &["imag", "image"],
        ),
        ("1 + \"one\"", &["app.img"]),
        ("let a = b; b = a; in a", &["app.img", "a", "b"]),
        ("\u{0}\u{1}\"", &["app.img"]),
        (&"(".repeat(100_000), &["app.img"]),
        ("import ./nowhere.img", &["nowhere.img"]),
    ] {
        sandbox.write("app.img", text);
        sandbox
            .run()
            .args(&["build", "app.img"])
            .outcome()
            .fails(1, words);
        sandbox.has_no_layout();
    }
    sandbox.write("app.img", b"\xff\xfe{}");
    sandbox
        .run()
        .args(&["build", "app.img"])
        .outcome()
        .fails(1, &["app.img", "UTF-8"]);
    sandbox.has_no_layout();
}

#[test]
fn a_lock_that_is_broken() {
    let sandbox = sandbox();
    sandbox.build();
    let path = sandbox.project("imgc.lock");
    let lock = std::fs::read_to_string(&path).expect("a build writes the lock");
    std::fs::remove_dir_all(sandbox.project("app.oci")).expect("the layout");
    for broken in [
        "not a lock at all",
        "version = 99\n",
        &lock[..lock.len() / 2],
        "\u{0}",
    ] {
        sandbox.write("imgc.lock", broken);
        sandbox
            .run()
            .args(&["build", "--locked", "app.img"])
            .outcome()
            .fails(1, &["imgc.lock"]);
        sandbox.has_no_layout();
    }
    sandbox.write("imgc.lock", &lock);
    sandbox.build();
}

#[test]
fn a_lock_that_does_not_match_the_file() {
    let sandbox = sandbox();
    sandbox.build();
    std::fs::remove_dir_all(sandbox.project("app.oci")).expect("the layout");
    sandbox.write("app.img", image("\"hello\", \"noise\"", ""));
    let locked = sandbox
        .run()
        .args(&["build", "--locked", "app.img"])
        .outcome();
    locked.fails(1, &["imgc.lock", "noise"]);
    sandbox.has_no_layout();
    sandbox.build();
}

#[test]
fn a_lock_whose_hash_was_changed() {
    let sandbox = sandbox();
    sandbox.build();
    std::fs::remove_dir_all(sandbox.project("app.oci")).expect("the layout");
    let path = sandbox.project("imgc.lock");
    let lock = std::fs::read_to_string(&path).expect("a build writes the lock");
    let deb = packages()
        .into_iter()
        .find(|deb| deb.name == "libhello1")
        .expect("it is there");
    let sum = imgc_tests::archive::sum(&deb.build());
    assert!(
        lock.contains(&sum),
        "the lock has the package's hash:\n{lock}"
    );
    sandbox.write("imgc.lock", lock.replace(&sum, &"0".repeat(64)));
    let cold = sandbox.path("cold").display().to_string();
    let outcome = sandbox
        .run()
        .args(&["build", "--locked", "app.img", "--store", &cold])
        .outcome();
    outcome.fails(1, &["libhello1"]);
    sandbox.has_no_layout();
}

#[test]
fn an_archive_that_goes_back_in_time() {
    let sandbox = sandbox();
    sandbox.build();
    let suite = Suite {
        name: "trixie",
        label: "Debian",
    };
    let mut archive = Archive::default();
    archive.add_suite(
        &sandbox.key,
        suite,
        &packages(),
        "Sat, 01 Feb 2025 08:00:00 UTC",
    );
    for (path, bytes) in archive.files() {
        sandbox.server.put(&format!("debian/{path}"), bytes.clone());
    }
    sandbox
        .run()
        .args(&["update", "app.img"])
        .outcome()
        .fails(1, &["InRelease"]);
    sandbox.build();
}

#[test]
fn a_layout_that_cannot_be_written() {
    let sandbox = sandbox();
    sandbox.write("file", "");
    let outcome = sandbox
        .run()
        .args(&["build", "app.img", "-o", "oci:file/app"])
        .outcome();
    outcome.fails(1, &["file/app"]);
    sandbox.has_no_layout();
    let outcome = sandbox
        .run()
        .args(&["build", "app.img", "-o", "tarball:x"])
        .outcome();
    outcome.fails(2, &["tarball"]);
    sandbox.build();
}
