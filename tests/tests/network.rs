//! Mirrors that misbehave: what is passing is tried again, what was cut is resumed,
//! and the way to an archive is no input.
#![expect(clippy::disallowed_methods, reason = "tests remove the lock")]

use imgc_tests::sandbox::Sandbox;
use imgc_tests::server::Fault;

const IMAGE: &str = "let debian = import std/debian; in debian.image { name = \"app\"; \
    suite = \"trixie\"; variant = \"distroless\"; packages = [\"libhello1\"]; }";

const DEB: &str = "libhello1_2.10-3_amd64.deb";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", IMAGE);
    sandbox
}

/// The digest that an undisturbed build gives.
fn expected() -> String {
    sandbox().build()
}

#[test]
fn a_download_that_was_cut_goes_on_where_it_stopped() {
    let sandbox = sandbox();
    sandbox.server.fail_once(DEB, Fault::Cut(100));
    assert_eq!(sandbox.build(), expected());
    let requests = sandbox.server.take_requests();
    let of_deb: Vec<_> = requests
        .iter()
        .filter(|request| request.path.ends_with(DEB))
        .collect();
    assert_eq!(of_deb.len(), 2, "{of_deb:?}");
    assert_eq!((of_deb[0].from, of_deb[0].status), (0, 200));
    assert_eq!((of_deb[1].from, of_deb[1].status), (100, 206));
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let sandbox = sandbox();
    sandbox.server.fail_once(DEB, Fault::Status(503));
    sandbox
        .server
        .fail_once("debian/dists/trixie/InRelease", Fault::Status(503));
    assert_eq!(sandbox.build(), expected());
}

#[test]
fn an_index_that_was_cut_is_fetched_again() {
    let sandbox = sandbox();
    for path in sandbox.server.paths() {
        if path.contains("debian/dists/trixie/main/binary-amd64/") {
            sandbox.server.fail_once(&path, Fault::Cut(20));
        }
    }
    assert_eq!(sandbox.build(), expected());
}

#[test]
fn a_server_that_never_answers_is_named() {
    let sandbox = sandbox();
    for _ in 0..20 {
        sandbox.server.fail_once(DEB, Fault::Status(500));
    }
    sandbox
        .run()
        .args(&["build", "app.img"])
        .outcome()
        .fails(1, &["500", DEB]);
    sandbox.has_no_layout();
    sandbox
        .run()
        .args(&["build", "app.img", "--mirror", "http://127.0.0.1:1/debian"])
        .outcome()
        .fails(1, &["127.0.0.1:1"]);
    sandbox.has_no_layout();
}

#[test]
fn mirrors_are_transport() {
    let expected = expected();
    let sandbox = sandbox();
    // Another address that has the same archive, given in each way that there is.
    let other = Sandbox::new();
    let release = "debian/dists/trixie/InRelease";
    sandbox.server.copy_to(&other.server);
    sandbox.server.remove(release);
    let main = other.server.url("debian");
    let named = format!("debian={main}");
    let store = |name: &str| sandbox.path(name).display().to_string();
    let run = |name: &str| {
        sandbox
            .run()
            .args(&["build", "app.img", "--store", &store(name)])
    };
    let outcome = run("a").args(&["--mirror", &main]).outcome();
    assert_eq!(outcome.digest(), expected);
    let lock = sandbox.project("imgc.lock");
    let again = |run: imgc_tests::sandbox::Run| {
        let _ = std::fs::remove_file(&lock);
        assert_eq!(run.outcome().digest(), expected);
    };
    again(run("b").args(&["--mirror", &named]));
    again(run("c").env("IMGC_MIRROR", &main));
    again(
        run("d")
            .env("IMGC_MIRROR", "http://127.0.0.1:1/debian")
            .args(&["--mirror", &main]),
    );
    again(run("e").args(&["--mirror", "http://127.0.0.1:1/debian", "--mirror", &main]));
}

#[test]
fn the_store_is_where_it_is_asked_to_be() {
    let sandbox = sandbox();
    let first = sandbox.path("first");
    let second = sandbox.path("second");
    let env = first.display().to_string();
    let flag = second.display().to_string();
    sandbox
        .run()
        .args(&["build", "app.img"])
        .env("IMGC_STORE", &env)
        .outcome()
        .succeeds();
    assert!(first.is_dir() && !sandbox.path("home/.cache/imgc").exists());
    let run = sandbox.run().args(&["build", "app.img", "--store", &flag]);
    run.env("IMGC_STORE", &env).outcome().succeeds();
    assert!(second.is_dir());
    sandbox.build();
    assert!(sandbox.path("home/.cache/imgc").is_dir());
}

#[test]
fn what_the_mirror_has_no_more_comes_from_a_snapshot() {
    let sandbox = sandbox();
    let before = sandbox.build();
    for path in sandbox.server.paths() {
        if path.ends_with(DEB) {
            // The moment is the newest date among the archive's states in the lock.
            let pool = path.trim_start_matches("debian/");
            let bytes = sandbox.server.remove(&path);
            sandbox
                .server
                .put(&format!("old/20251101T090000Z/{pool}"), bytes);
        }
    }
    let cold = sandbox.path("cold").display().to_string();
    let args = ["build", "--locked", "app.img", "--store", &cold];
    sandbox
        .run()
        .args(&args)
        .outcome()
        .fails(1, &["libhello1", "not found", "imgc update"]);
    let file = sandbox.path("home/.config/imgc/config.toml");
    let config = std::fs::read_to_string(&file).expect("the configuration");
    let snapshot = sandbox.server.url("old/@SNAPSHOTID@/");
    let header = "[archive.debian]\n";
    let config = config.replace(header, &format!("{header}snapshot = \"{snapshot}\"\n"));
    std::fs::write(&file, config).expect("the configuration");
    assert_eq!(sandbox.run().args(&args).outcome().digest(), before);
}
