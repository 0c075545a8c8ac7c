//! A disk that is full, and one that can only be read.

use std::path::PathBuf;

use imgc_tests::sandbox::Sandbox;
use imgc_tests::small;

use crate::place::{PLACE, built, call, copy_examples, imgc_command, run};

/// A small file system in memory. It is taken away when this is dropped.
struct Small(PathBuf);

impl Small {
    fn mount(name: &str, size: &str) -> Self {
        let folder = PLACE.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let small = Self(folder);
        call(
            "mount",
            &[
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size}"),
                "imgc-test",
                small.text(),
            ],
        );
        small
    }

    fn grow(&self, size: &str) {
        call(
            "mount",
            &["-o", &format!("remount,size={size}"), self.text()],
        );
    }

    fn forbid_writing(&self) {
        call("mount", &["-o", "remount,ro", self.text()]);
    }

    fn text(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        run(std::process::Command::new("umount").arg(&self.0));
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let expected = built("web", "amd64").digest;
    // Where it fills up: among the packages, among the unpacked, at the layers.
    for size in ["1m", "12m", "60m"] {
        let small = Small::mount("small", size);
        let project = PLACE.join(format!("out/small-{size}"));
        copy_examples(&project);
        let layout = project.join("web.oci");
        let build = || {
            let mut command = imgc_command();
            command.env("IMGC_STORE", small.0.join("store"));
            command.arg("build").arg(project.join("web/app.img"));
            run(command.arg("-o").arg(format!("oci:{}", layout.display())))
        };
        build().fails(1, &["the disk is full"]);
        assert!(!layout.exists(), "with {size}, a layout is there");
        small.grow("2g");
        assert_eq!(
            build().digest(),
            expected,
            "with {size}, and then with room"
        );
    }
}

#[test]
fn a_full_disk_below_the_layout() {
    let small = Small::mount("small-output", "4m");
    let file = PLACE.join("out/web-amd64-project/web/app.img");
    let expected = built("web", "amd64").digest;
    let layout = small.0.join("web.oci");
    let build = || {
        let mut command = imgc_command();
        command.arg("build").arg(&file);
        run(command.arg("-o").arg(format!("oci:{}", layout.display())))
    };
    build().fails(1, &["the disk is full"]);
    assert!(!layout.exists(), "half a layout is there");
    let left = std::fs::read_dir(&small.0).expect("the folder").count();
    assert_eq!(left, 0, "something is left beside it");
    small.grow("1g");
    assert_eq!(build().digest(), expected);
}

/// Images of packages that do not compress, in several layers and two compressions.
const IMAGES: &str = r#"let
  app = (import std/debian).image {
    variant = "distroless";
    packages = ["large", "middle", "small"];
    files = { "/etc/motd" = "hello\n"; };
    layers = { most = 3; };
  };
in { app = app; gzip = override { layers = { compression = "gzip"; }; } app; }"#;

fn project() -> (Sandbox, Vec<String>) {
    let lines = ["large 1 bytes=300000", "middle 1 bytes=100000", "small 1"];
    let sandbox = Sandbox::with_packages(&lines.map(small::package));
    sandbox.write("app.img", IMAGES);
    let outcome = sandbox.run().args(&["build", "app.img"]).outcome();
    let expected = outcome.succeeds().stdout.lines().map(str::to_owned);
    let expected = expected.collect();
    (sandbox, expected)
}

/// Builds with a store on a small disk, and gives what was printed.
fn on(small: &Small, sandbox: &Sandbox) -> imgc_tests::sandbox::Outcome {
    let store = small.0.join("store").display().to_string();
    let out = format!("oci:{}", sandbox.path("small-out").display());
    let args = ["build", "app.img", "--store", &store, "-o", &out];
    sandbox.run().args(&args).outcome()
}

#[test]
fn a_disk_that_fills_up_anywhere_leaves_a_valid_store() {
    let (sandbox, expected) = project();
    for (full, kilobytes) in (60..=1600).step_by(70).enumerate() {
        let small = Small::mount("small-steps", &format!("{kilobytes}k"));
        let outcome = on(&small, &sandbox);
        if outcome.code == Some(0) {
            assert!(full > 5, "it was full {full} times before {kilobytes} kB");
            return;
        }
        outcome.fails(1, &["the disk is full"]);
        assert!(
            !sandbox.path("small-out").exists(),
            "half a layout is there"
        );
        small.grow("50m");
        let store = small.0.join("store").display().to_string();
        let verify = sandbox.run().args(&["store", "--store", &store, "verify"]);
        verify.outcome().succeeds();
        let lines = on(&small, &sandbox);
        let lines: Vec<&str> = lines.succeeds().stdout.lines().collect();
        assert_eq!(lines, expected, "after {kilobytes} kB");
        std::fs::remove_dir_all(sandbox.path("small-out")).expect("a layout");
    }
    panic!("there was never room enough");
}

#[test]
fn a_store_that_can_only_be_read_is_said_and_serves_from_below() {
    let (sandbox, expected) = project();
    let small = Small::mount("read-only", "50m");
    on(&small, &sandbox).succeeds();
    std::fs::remove_dir_all(sandbox.path("small-out")).expect("a layout");
    small.forbid_writing();
    let outcome = on(&small, &sandbox);
    outcome.fails(1, &["read-only"]);
    let config = sandbox.path("home/.config/imgc/config.toml");
    let mut text = std::fs::read_to_string(&config).expect("the configuration");
    let store = small.0.join("store");
    text.push_str(&format!(
        "[store]\nsubstituters = [\"{}\"]\n",
        store.display()
    ));
    std::fs::write(&config, text).expect("a file");
    let other = sandbox.path("other").display().to_string();
    let args = ["build", "--offline", "app.img", "--store", &other];
    let outcome = sandbox.run().args(&args).outcome();
    let lines: Vec<&str> = outcome.succeeds().stdout.lines().collect();
    assert_eq!(lines, expected);
}
