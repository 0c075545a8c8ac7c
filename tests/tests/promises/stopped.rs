//! Ctrl-C: the build ends soon, whatever the network does, and leaves nothing half-written.
//! The next one goes on, and gives the same digest.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use imgc_tests::sandbox::Sandbox;
use imgc_tests::server::Fault;
use imgc_tests::small;

use crate::{is_clean, store};

const APP: &str = r#"(import std/debian).image {
  variant = "distroless"; packages = ["large", "small"]; files = { "/etc/motd" = "hello\n"; };
}"#;

/// How long an end may take. A body that stalls is given up after two minutes.
const SOON: Duration = Duration::from_secs(20);

fn sandbox() -> Sandbox {
    let lines = ["large 1 bytes=400000", "small 1"];
    let sandbox = Sandbox::with_packages(&lines.map(small::package));
    sandbox.write("app.img", APP);
    sandbox
}

/// Waits until something has been asked for at a path with this end.
fn wait_for(sandbox: &Sandbox, end: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let requests = sandbox.server.take_requests();
        if requests.iter().any(|request| request.path.ends_with(end)) {
            return;
        }
        assert!(Instant::now() < until, "nobody asked for {end}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal, and gives the exit code.
fn end(child: Child, signal: &str) -> Option<i32> {
    let mut kill = Command::new("kill");
    kill.args(["-s", signal, &child.id().to_string()]);
    let began = Instant::now();
    assert!(kill.status().expect("kill can be started").success());
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        began.elapsed() < SOON,
        "it took {:?}: {stderr}",
        began.elapsed()
    );
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    output.status.code()
}

#[test]
fn ctrl_c_in_a_slow_download_ends_in_good_order() {
    let expected = sandbox().build();
    let (large, release) = ("large_1_all.deb", "trixie/InRelease");
    for (file, fault, signal) in [
        (large, Fault::Dribble(100), "INT"),
        (large, Fault::Dribble(100), "TERM"),
        (large, Fault::Stall(5000), "INT"),
        (release, Fault::Stall(10), "INT"),
    ] {
        let sandbox = sandbox();
        sandbox.server.fail_once(file, fault);
        let child = sandbox.run().args(&["build", "app.img"]).spawn();
        wait_for(&sandbox, file);
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(end(child, signal), Some(130), "{file} {fault:?} {signal}");
        sandbox.has_no_layout();
        let left = store(&sandbox).entries("tmp");
        assert!(left.is_empty(), "{left:?}");
        is_clean(&sandbox, &[]);
        sandbox.server.take_requests();
        assert_eq!(sandbox.build(), expected);
        let requests = sandbox.server.take_requests();
        let mut again = requests
            .iter()
            .filter(|request| request.path.ends_with(large));
        if file == large {
            // What came before the end is not asked for again.
            assert!(
                again.next().is_some_and(|request| request.from > 0),
                "{requests:?}"
            );
        }
    }
}

#[test]
fn ctrl_c_at_any_moment_ends_in_good_order() {
    let expected = sandbox().build();
    let sandbox = sandbox();
    for delay in [0, 30, 60, 100, 150, 200, 300] {
        let child = sandbox.run().args(&["build", "app.img"]).spawn();
        std::thread::sleep(Duration::from_millis(delay));
        let output = {
            let mut kill = Command::new("kill");
            kill.args(["-s", "INT", &child.id().to_string()]);
            // It may have come to its end.
            let _ = kill.status();
            child.wait_with_output().expect("it ends")
        };
        // Before it listens, a signal ends it as it ends any program.
        let code = output.status.code();
        assert!(matches!(code, None | Some(0 | 130)), "{output:?}");
        if code == Some(130) {
            let left = store(&sandbox).entries("tmp");
            assert!(left.is_empty(), "{left:?}");
        }
        if code != Some(0) {
            sandbox.has_no_layout();
        }
        is_clean(&sandbox, &[]);
        let _ = std::fs::remove_dir_all(sandbox.project("app.oci"));
    }
    assert_eq!(sandbox.build(), expected);
}
