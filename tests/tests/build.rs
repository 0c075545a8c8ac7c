//! Builds from a small archive on loopback: what is printed, what is written, and that
//! the same input gives the same image.
#![expect(clippy::disallowed_methods, reason = "tests read what a build wrote")]

use std::path::Path;

use imgc_tests::archive::packages;
use imgc_tests::deb::Deb;
use imgc_tests::layout::Layout;
use imgc_tests::sandbox::{Sandbox, repository};

/// An image with a bit of everything.
const APP: &str = r#"
let debian = import std/debian; in
debian.image {
  name = "app";
  suite = "trixie";
  variant = "essential";
  packages = ["hello", "noise"];
  users = [{ name = "app"; uid = 10_001; }];
  files = {
    "/etc/motd" = "Hello from a test.\n";
    "/srv/data" = ./data;
    "/usr/bin/server" = binary ./server;
    "/srv/secret" = file { text = "s"; mode = 0o600; user = "app"; group = "app"; };
    "/srv/link" = symlink "/etc/motd";
  };
  config = {
    user = "app";
    entrypoint = ["/usr/bin/server"];
    cmd = ["--quiet"];
    env = { LANG = "C.UTF-8"; };
    workdir = "/srv";
    labels = { "org.opencontainers.image.title" = "app"; };
    ports = [8080, "53/udp"];
    volumes = ["/var/lib/app"];
    stopSignal = "SIGINT";
  };
}
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    fill(&sandbox, "");
    sandbox
}

/// Writes the project into the sandbox's folder `below` the project.
fn fill(sandbox: &Sandbox, below: &str) {
    let server = std::fs::read(repository().join("examples/web/bin/amd64/server"));
    sandbox.write(&format!("{below}app.img"), APP);
    sandbox.write(
        &format!("{below}server"),
        server.expect("the example's server"),
    );
    sandbox.write(&format!("{below}data/b/two.txt"), "two\n");
    sandbox.write(&format!("{below}data/one.txt"), "one\n");
}

#[test]
fn a_build_prints_a_digest_and_writes_a_layout() {
    let sandbox = sandbox();
    let outcome = sandbox.run().args(&["build", "app.img"]).outcome();
    let digest = outcome.digest();
    assert!(
        outcome.stdout.starts_with("app sha256:"),
        "{}",
        outcome.stdout
    );
    let layout = Layout::open(&sandbox.project("app.oci"));
    assert_eq!(layout.digest, digest);
    let config = &layout.config["config"];
    assert_eq!(config["User"], "app");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/usr/bin/server"]));
    assert_eq!(config["Cmd"], serde_json::json!(["--quiet"]));
    assert_eq!(config["WorkingDir"], "/srv");
    assert_eq!(config["StopSignal"], "SIGINT");
    assert_eq!(config["Labels"]["org.opencontainers.image.title"], "app");
    assert_eq!(
        config["ExposedPorts"],
        serde_json::json!({"53/udp": {}, "8080/tcp": {}})
    );
    assert_eq!(config["Volumes"], serde_json::json!({"/var/lib/app": {}}));
    let env = config["Env"].as_array().expect("an environment");
    assert!(env.contains(&"LANG=C.UTF-8".into()), "{env:?}");
    assert_eq!(layout.config["architecture"], "amd64");
    assert_eq!(layout.config["os"], "linux");
}

#[test]
fn the_tree_holds_packages_files_and_users() {
    let sandbox = sandbox();
    sandbox.build();
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    let text = |path: &str| String::from_utf8_lossy(&tree[path].bytes).into_owned();
    assert_eq!(text("etc/motd"), "Hello from a test.\n");
    assert_eq!(text("srv/data/b/two.txt"), "two\n");
    assert_eq!(text("etc/noise.conf"), "loud = no\n");
    assert_eq!(tree["etc/motd"].mode, 0o644);
    assert_eq!(tree["usr/bin/server"].mode, 0o755);
    assert_eq!(
        (tree["srv/secret"].mode, tree["srv/secret"].ids),
        (0o600, (10_001, 10_001))
    );
    assert_eq!(tree["srv/link"].link.as_deref(), Some("/etc/motd"));
    assert_eq!(
        (
            tree["usr/bin/hello-staff"].mode,
            tree["usr/bin/hello-staff"].ids
        ),
        (0o2755, (0, 50))
    );
    assert_eq!(
        (tree["bin"].kind, tree["bin"].link.as_deref()),
        (b'2', Some("usr/bin"))
    );
    let kinds = [tree["usr/bin/hello"].kind, tree["usr/bin/hello-again"].kind];
    assert!(
        kinds.contains(&b'0') && kinds.contains(&b'1'),
        "a file and a hard link to it"
    );
    assert!(
        text("etc/passwd")
            .lines()
            .any(|line| line.starts_with("app:x:10001:10001:"))
    );
    assert!(text("etc/group").lines().any(|line| line == "app:x:10001:"));
    assert!(
        text("etc/shadow")
            .lines()
            .any(|line| line.starts_with("app:"))
    );
    let status = text("var/lib/dpkg/status");
    for package in ["base-files", "base-passwd", "hello", "libhello1", "noise"] {
        assert!(
            status.split("\n\n").any(|stanza| {
                stanza.starts_with(&format!("Package: {package}\n"))
                    && stanza.contains("\nStatus: install ok installed\n")
            }),
            "{status}"
        );
    }
    assert_eq!(
        status.matches("Package: ").count(),
        5,
        "nothing else is installed"
    );
    assert!(text("var/lib/dpkg/info/noise.list").contains("/etc/noise.conf\n"));
    assert!(!tree.contains_key("usr/lib/scripted/data"));
}

#[test]
fn a_second_build_realises_nothing() {
    let sandbox = sandbox();
    let first = sandbox.build();
    sandbox.server.take_requests();
    let second = sandbox
        .run()
        .args(&["build", "--json", "app.img"])
        .outcome();
    second.succeeds();
    assert!(
        second.stdout.contains(&first),
        "the same digest: {}",
        second.stdout
    );
    let json: serde_json::Value = serde_json::from_str(&second.stdout).expect("JSON");
    assert_eq!(json["realised"], 0, "{json:#}");
    assert_eq!(
        sandbox.server.take_requests(),
        [],
        "it asked the mirror for something"
    );
}

#[test]
fn a_layout_that_was_taken_away_comes_back() {
    let sandbox = sandbox();
    let digest = sandbox.build();
    std::fs::remove_dir_all(sandbox.project("app.oci")).expect("the layout is there");
    assert_eq!(sandbox.build(), digest);
    assert_eq!(Layout::open(&sandbox.project("app.oci")).digest, digest);
}

/// An image in four layers of packages, whose lowest is begun before others are unpacked.
const LAYERED: &str = "let debian = import std/debian; in debian.image { name = \"app\"; \
     suite = \"trixie\"; variant = \"essential\"; packages = [\"noise\", \"meddler\"]; \
     layers = { most = 4; }; }";

/// A project with it, and a package `meddler` whose script is `script`.
fn layered(script: &str) -> Sandbox {
    let mut all = packages();
    let script = format!("#!/bin/sh\nset -e\n{script}\n");
    all.push(Deb::new("meddler", "1", "all").control("postinst", &script, 0o755));
    let sandbox = Sandbox::with_packages(&all);
    sandbox.write("app.img", LAYERED);
    sandbox
}

/// What stands in a folder, without what was there to build from.
fn beside(sandbox: &Sandbox) -> Vec<String> {
    let entries = sandbox.project("").read_dir().expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a name in UTF-8")
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.retain(|name| !["app.img", "imgc.lock", ".git"].contains(&&**name));
    names.sort();
    names
}

#[test]
fn a_layout_has_no_layer_that_was_placed_for_nothing() {
    // Of a layer for nothing, and of one that is as it was begun.
    for (script, made) in [("echo more >>/usr/lib/os-release", 2), (":", 1)] {
        let sandbox = layered(script);
        let run = sandbox
            .run()
            .args(&["build", "app.img", "--json", "--explain", "--jobs", "2"]);
        let outcome = run.outcome();
        outcome.succeeds();
        let json: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        let steps = json["steps"].as_array().expect("steps");
        let of_base = |step: &&serde_json::Value| step["kind"] == "layer" && step["name"] == "base";
        assert_eq!(steps.iter().filter(of_base).count(), made, "{json:#}");
        assert_eq!(beside(&sandbox), ["app.oci"]);
        let folder = sandbox.project("app.oci");
        let layout = Layout::open(&folder);
        let blobs = folder.join("blobs/sha256").read_dir().expect("blobs");
        // The manifest and the configuration beside the layers.
        assert_eq!(blobs.count(), layout.layers.len() + 2);
        let release = &layout.tree()["usr/lib/os-release"].bytes;
        assert_eq!(release.ends_with(b"more\n"), made == 2);
        std::fs::remove_dir_all(&folder).expect("the layout is there");
        assert_eq!(sandbox.build(), layout.digest);
        assert_eq!(Layout::open(&folder).layers, layout.layers);
    }
}

#[test]
fn a_build_that_fails_leaves_nothing_of_its_layout() {
    let sandbox = layered("frobnicate --all");
    for output in [&[][..], &["-o", "oci:new/folder"]] {
        let run = sandbox.run().args(&["build", "app.img"]).args(output);
        let outcome = run.outcome();
        outcome.fails(1, &["the postinst of meddler failed"]);
        assert_eq!(beside(&sandbox), [""; 0]);
    }
}

#[test]
fn stores_folders_and_surroundings_do_not_matter() {
    let sandbox = sandbox();
    let digest = sandbox.build();
    let lock = std::fs::read(sandbox.project("imgc.lock")).expect("a build writes the lock");
    fill(&sandbox, "elsewhere/deep/");
    let there = sandbox.project("elsewhere/deep");
    let mut stores = 0;
    let mut fresh = || {
        stores += 1;
        sandbox
            .path(&format!("store-{stores}"))
            .display()
            .to_string()
    };
    let mut variants = vec![
        sandbox.run().args(&["build", "app.img"]).within(&there),
        sandbox
            .run()
            .args(&["build", &sandbox.project("app.img").display().to_string()]),
        sandbox.run_with_umask("077").args(&["build", "app.img"]),
        sandbox.run_with_umask("000").args(&["build", "app.img"]),
        sandbox.run().args(&["build", "app.img", "--jobs", "1"]),
        sandbox.run().args(&["build", "app.img", "--jobs", "8"]),
        sandbox.run().args(&["build", "app.img", "-o", "oci:other"]),
        sandbox
            .run()
            .args(&["build", "app.img", "-o", "oci-archive:app.tar"]),
    ];
    for zone in ["Pacific/Kiritimati", "America/Los_Angeles"] {
        variants.push(sandbox.run().args(&["build", "app.img"]).env("TZ", zone));
    }
    for locale in ["tr_TR.UTF-8", "C", "de_DE"] {
        let run = sandbox
            .run()
            .args(&["build", "app.img"])
            .env("LANG", locale);
        variants.push(run.env("LC_ALL", locale));
    }
    for variant in variants {
        // Each begins with nothing: another store, and no layout.
        let variant = variant.args(&["--store", &fresh()]);
        let outcome = variant.outcome();
        assert_eq!(outcome.digest(), digest, "{outcome:?}");
    }
    let again = std::fs::read(there.join("imgc.lock")).expect("a lock");
    assert_eq!(
        String::from_utf8_lossy(&again),
        String::from_utf8_lossy(&lock)
    );
    assert_eq!(Layout::open(&sandbox.project("other")).digest, digest);
    assert!(sandbox.project("app.tar").is_file());
}

#[test]
fn comments_and_spaces_are_no_input() {
    let sandbox = sandbox();
    let digest = sandbox.build();
    let text = APP
        .replace("suite =", "# The suite.\n     suite     =")
        .replace("  ", "\t");
    sandbox.write("app.img", text);
    let outcome = sandbox
        .run()
        .args(&["build", "--json", "app.img"])
        .outcome();
    assert!(
        outcome.succeeds().stdout.contains(&digest),
        "{}",
        outcome.stdout
    );
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(json["realised"], 0);
}

#[test]
fn an_edited_file_changes_the_image_and_fetches_nothing() {
    let sandbox = sandbox();
    let before = sandbox.build();
    sandbox.server.take_requests();
    sandbox.write("data/one.txt", "another\n");
    let after = sandbox.build();
    assert_ne!(after, before);
    assert_eq!(sandbox.server.take_requests(), []);
    sandbox.write("data/one.txt", "one\n");
    assert_eq!(sandbox.build(), before);
}

#[test]
fn the_other_architecture_builds_here() {
    let sandbox = sandbox();
    let text = APP.replace("\"/usr/bin/server\" = binary ./server;", "");
    sandbox.write("app.img", text);
    let outcome = sandbox
        .run()
        .args(&["build", "app.img", "--platform", "linux/arm64"])
        .outcome();
    outcome.digest();
    let layout = Layout::open(&sandbox.project("app.oci"));
    assert_eq!(layout.config["architecture"], "arm64");
    assert_eq!(layout.config["variant"], "v8");
    assert_eq!(layout.tree()["usr/bin/hello"].bytes, b"hello for arm64\n");
}

#[test]
fn two_files_are_two_images() {
    let sandbox = sandbox();
    for name in ["one", "two"] {
        let text = format!(
            "let debian = import std/debian; in debian.image {{ name = \"{name}\"; \
             suite = \"trixie\"; variant = \"distroless\"; packages = [\"noise\"]; \
             files = {{ \"/name\" = \"{name}\"; }}; }}"
        );
        sandbox.write(&format!("{name}.img"), text);
    }
    let outcome = sandbox
        .run()
        .args(&["build", "one.img", "two.img"])
        .outcome();
    let lines: Vec<&str> = outcome.succeeds().stdout.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("one sha256:"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("two sha256:"), "{lines:?}");
    assert_eq!(
        Layout::open(&sandbox.project("two.oci")).tree()["name"].bytes,
        b"two"
    );
}

#[test]
fn the_lock_keeps_versions_until_update() {
    let sandbox = sandbox();
    let before = sandbox.build();
    let mut newer = packages();
    newer.retain(|deb| deb.name != "noise");
    newer.push(Deb::new("noise", "1:3.0-1", "all").file("etc/noise.conf", 0o644, "loud = yes\n"));
    // The mirror keeps the old version for a while; its indices name the new one.
    sandbox.publish(&newer);
    assert_eq!(sandbox.build(), before);
    let cold = sandbox.path("cold").display().to_string();
    let again = sandbox
        .run()
        .args(&["build", "--locked", "app.img", "--store", &cold])
        .outcome();
    assert_eq!(again.digest(), before, "the lock is enough");
    let update = sandbox.run().args(&["update", "app.img"]).outcome();
    update.succeeds();
    let change = "  noise all 1:2.0-1 -> 1:3.0-1  ";
    assert!(update.stdout.starts_with(change), "{update:?}");
    let lock = std::fs::read_to_string(sandbox.project("imgc.lock")).expect("a lock");
    assert!(
        lock.contains("1:3.0-1") && !lock.contains("1:2.0-1"),
        "{lock}"
    );
    assert_ne!(sandbox.build(), before);
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    assert_eq!(tree["etc/noise.conf"].bytes, b"loud = yes\n");
}

#[test]
fn the_lock_is_extended_and_otherwise_left_alone() {
    let sandbox = sandbox();
    sandbox.build();
    let path = sandbox.project("imgc.lock");
    let before = std::fs::read_to_string(&path).expect("a lock");
    sandbox.build();
    assert_eq!(std::fs::read_to_string(&path).expect("a lock"), before);
    sandbox.write(
        "app.img",
        APP.replace("\"noise\"]", "\"noise\", \"scripted\"]"),
    );
    sandbox
        .run()
        .args(&["build", "--locked", "app.img"])
        .outcome()
        .fails(1, &["imgc.lock"]);
    assert_eq!(std::fs::read_to_string(&path).expect("a lock"), before);
    sandbox.build();
    let after = std::fs::read_to_string(&path).expect("a lock");
    assert!(after.contains("scripted"), "{after}");
    assert!(
        !after.contains(&sandbox.server.url("")),
        "a mirror is no part of a lock"
    );
}

#[test]
fn a_layout_of_another_image_is_left_alone() {
    let sandbox = sandbox();
    let build = |file: &str| {
        sandbox
            .run()
            .args(&["build", "-o", "oci:out", file])
            .outcome()
    };
    build("app.img").succeeds();
    let before = Layout::open(&sandbox.project("out")).digest;
    sandbox.write(
        "other.img",
        APP.replace("name = \"app\";\n  suite", "suite"),
    );
    build("other.img").fails(1, &["out", "app", "-o oci:DIR"]);
    assert_eq!(Layout::open(&sandbox.project("out")).digest, before);
    sandbox.write("app.img", APP.replace("--quiet", "--loud"));
    build("app.img").succeeds();
    assert_ne!(Layout::open(&sandbox.project("out")).digest, before);
}

#[test]
fn a_copied_folder_leaves_the_folders_of_packages_as_they_are() {
    let sandbox = sandbox();
    sandbox.write("rootfs/tmp/note", "n\n");
    sandbox.write("rootfs/srv/page", "p\n");
    let image = "(import std/debian).image { name = \"app\"; suite = \"trixie\"; \
        packages = [\"hello\"]; files = { \"/\" = ./rootfs; }; }";
    sandbox.write("app.img", image);
    sandbox.build();
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    assert_eq!(tree["tmp"].mode, 0o1777, "base-files brings it");
    assert_eq!(tree["srv"].mode, 0o755);
    assert_eq!(tree["tmp/note"].bytes, b"n\n");
}

#[test]
fn an_image_without_packages_needs_neither_lock_nor_network() {
    let sandbox = sandbox();
    let image = "image { name = \"app\"; files = { \"/server\" = binary ./server; }; \
        users = [{ name = \"app\"; uid = 10_001; }]; \
        config = { user = \"app\"; entrypoint = [\"/server\"]; }; }";
    sandbox.write("app.img", image);
    let build = ["build", "--locked", "--offline", "app.img"];
    let digest = sandbox.run().args(&build).outcome().digest();
    assert_eq!(sandbox.build(), digest);
    assert!(!sandbox.project("imgc.lock").exists());
    assert!(sandbox.server.take_requests().is_empty());
    let layout = Layout::open(&sandbox.project("app.oci"));
    assert_eq!(layout.config["created"], "1970-01-01T00:00:00Z");
    let tree = layout.tree();
    assert_eq!(tree["server"].mode, 0o755);
    let passwd = String::from_utf8_lossy(&tree["etc/passwd"].bytes).into_owned();
    assert!(
        passwd.starts_with("root:x:0:0:") && passwd.contains("\napp:x:10001:10001:"),
        "{passwd}"
    );
}

#[test]
fn the_lock_drops_what_no_file_of_the_folder_asks_for() {
    let sandbox = sandbox();
    let other = "(import std/debian).image { name = \"other\"; suite = \"trixie\"; \
        variant = \"distroless\"; packages = [\"libhello1\"]; }";
    sandbox.write("other.img", other);
    sandbox
        .run()
        .args(&["build", "app.img", "other.img"])
        .outcome()
        .succeeds();
    // Another platform of the same image is asked for on the command line alone.
    let arm64 = [
        "build",
        "--platform",
        "linux/arm64",
        "-o",
        "oci:arm",
        "other.img",
    ];
    sandbox.run().args(&arm64).outcome().succeeds();
    sandbox.write("app.img", APP.replace(", \"noise\"]", "]"));
    sandbox.build();
    let path = sandbox.project("imgc.lock");
    let lock = std::fs::read_to_string(&path).expect("a lock");
    assert!(
        !lock.contains("noise"),
        "nobody asks for it any more: {lock}"
    );
    assert_eq!(lock.matches("[[set]]").count(), 3, "{lock}");
    // A file that can't be read may ask for anything: nothing is dropped.
    sandbox.write("other.img", "image {");
    sandbox.write("app.img", APP);
    sandbox.build();
    let lock = std::fs::read_to_string(&path).expect("a lock");
    assert_eq!(lock.matches("[[set]]").count(), 4, "{lock}");
}

#[test]
fn offline_works_from_a_warm_store_alone() {
    let sandbox = sandbox();
    sandbox
        .run()
        .args(&["build", "--offline", "app.img"])
        .outcome()
        .fails(1, &["--offline"]);
    sandbox.has_no_layout();
    assert_eq!(sandbox.server.take_requests(), []);
    let digest = sandbox.build();
    sandbox.server.take_requests();
    let offline = sandbox
        .run()
        .args(&["build", "--offline", "app.img"])
        .outcome();
    assert_eq!(offline.digest(), digest);
    assert_eq!(sandbox.server.take_requests(), []);
    let cold = sandbox.path("cold").display().to_string();
    let outcome = sandbox
        .run()
        .args(&["build", "--offline", "app.img", "--store", &cold])
        .outcome();
    outcome.fails(1, &["--offline"]);
    assert_eq!(sandbox.server.take_requests(), []);
}

#[test]
fn locked_needs_a_lock() {
    let sandbox = sandbox();
    let outcome = sandbox
        .run()
        .args(&["build", "--locked", "app.img"])
        .outcome();
    outcome.fails(1, &["imgc.lock", "--locked"]);
    assert!(!sandbox.project("imgc.lock").exists());
    sandbox.has_no_layout();
}

#[test]
fn a_project_file_of_another_mode_is_another_image_and_its_time_is_none() {
    let sandbox = sandbox();
    let before = sandbox.build();
    let file = sandbox.project("data/one.txt");
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    touch(&file, old);
    assert_eq!(sandbox.build(), before);
    set_mode(&file, 0o600);
    assert_eq!(
        sandbox.build(),
        before,
        "who else may read it is the machine's affair"
    );
    set_mode(&file, 0o755);
    assert_ne!(sandbox.build(), before, "that it may be executed is not");
}

#[test]
fn a_build_that_was_killed_is_taken_up() {
    let expected = sandbox().build();
    let sandbox = sandbox();
    for delay in [0, 2, 5, 10, 20, 40, 80, 160] {
        let run = sandbox.run().args(&["build", "app.img"]);
        run.kill_after(std::time::Duration::from_millis(delay));
    }
    assert_eq!(sandbox.build(), expected);
    assert_eq!(Layout::open(&sandbox.project("app.oci")).digest, expected);
}

#[test]
fn what_a_killed_build_left_is_removed_and_what_another_is_writing_is_not() {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", r#"image { files = { "/motd" = "hello\n"; }; }"#);
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(120);
    for path in [
        ".imgc-b.part/blobs/x",
        ".imgc-c.part",
        ".imgc-d.part",
        ".imgc-e.part/x",
    ] {
        sandbox.write(path, "half");
    }
    let others_own = [".imgc-f.part.img", ".imgc-new.part"];
    for path in others_own {
        sandbox.write(path, "mine");
    }
    touch(&sandbox.project(others_own[0]), old);
    let parts = ["b", "c", "d", "e"].map(|name| sandbox.project(&format!(".imgc-{name}.part")));
    for part in &parts {
        touch(part, old);
    }
    let others: Vec<std::fs::File> = parts[2..]
        .iter()
        .map(|part| {
            let open = std::fs::File::open(part).expect("a part");
            open.try_lock().expect("nobody else writes it");
            open
        })
        .collect();
    sandbox.build();
    assert!(!parts[0].exists() && !parts[1].exists());
    assert!(parts[2].exists() && parts[3].exists());
    drop(others);
    std::fs::remove_dir_all(sandbox.project("app.oci")).expect("the layout");
    sandbox.build();
    assert!(!parts[2].exists() && !parts[3].exists());
    assert!(others_own.iter().all(|path| sandbox.project(path).exists()));
}

#[test]
fn builds_at_the_same_time_share_a_store() {
    let sandbox = sandbox();
    let digests: Vec<String> = std::thread::scope(|scope| {
        let build = |at: usize| {
            let output = format!("oci:at-once-{at}");
            let run = sandbox.run().args(&["build", "app.img", "-o", &output]);
            scope.spawn(move || run.outcome().digest())
        };
        let builds: Vec<_> = (0..4).map(build).collect();
        builds
            .into_iter()
            .map(|build| build.join().expect("a build"))
            .collect()
    });
    assert!(
        digests.iter().all(|digest| *digest == digests[0]),
        "{digests:?}"
    );
}

fn touch(path: &Path, time: std::time::SystemTime) {
    let file = std::fs::File::open(path).expect("the file");
    file.set_modified(time).expect("its time can be set");
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its mode");
}
