//! Many builders and a collection at the same time: the same digests, and an end.

use std::process::Child;
use std::time::{Duration, Instant};

use imgc_tests::sandbox::Outcome;
use imgc_tests::store::StoreFolder;

use crate::schedules::project;
use crate::{is_clean, number};

/// How many build at once.
const BUILDERS: usize = 8;

/// How long a round may take, with patience for a machine that is busy. A deadlock takes
/// longer.
const ROUND: Duration = Duration::from_secs(240);

#[test]
fn builders_and_a_collection_at_once_give_the_same_digests() {
    let (sandbox, expected) = project();
    let store = StoreFolder::new(&sandbox.path("home/.cache/imgc"));
    let mut removed = 0;
    for round in 0..number("IMGC_TEST_CROWDS", 3) {
        // What was used within the hour stays beside a build. So it was used before.
        store.age(Duration::from_secs(3 * 3600));
        let gc = || {
            let args = ["store", "gc", "--max-size", "100kB", "--json"];
            sandbox.run().args(&args).spawn()
        };
        let build = |at: usize| {
            let out = format!("oci:crowd-{round}-{at}");
            let jobs = (1 + at % 3).to_string();
            let args = ["build", "app.img", "-o", &out, "--jobs", &jobs];
            sandbox.run().args(&args).spawn()
        };
        let until = Instant::now() + ROUND;
        let first = gc();
        let mut children: Vec<Child> = (0..BUILDERS).map(build).collect();
        let mut collections = vec![first];
        while children.iter_mut().any(is_running) {
            assert!(Instant::now() < until, "round {round}: they wait for ever");
            collections.push(gc());
            std::thread::sleep(Duration::from_millis(100));
            let last = collections.last_mut().expect("it was just begun");
            while is_running(last) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        for child in children {
            let outcome = outcome(child);
            let lines: Vec<&str> = outcome.succeeds().stdout.lines().collect();
            assert_eq!(lines, expected, "round {round}");
        }
        for child in collections {
            let outcome = outcome(child);
            let said: serde_json::Value =
                serde_json::from_str(&outcome.succeeds().stdout).expect("JSON");
            removed += said["blobs"]["files"].as_u64().expect("a number");
        }
        is_clean(&sandbox, &[]);
        for at in 0..BUILDERS {
            let out = sandbox.project(&format!("crowd-{round}-{at}"));
            std::fs::remove_dir_all(out).expect("a layout");
        }
    }
    assert!(removed > 0, "the collections removed nothing");
}

fn is_running(child: &mut Child) -> bool {
    child.try_wait().expect("a child").is_none()
}

fn outcome(child: Child) -> Outcome {
    let output = child.wait_with_output().expect("it ends");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}
