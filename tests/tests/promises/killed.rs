//! `kill -9` at any moment: the store is valid, and the next build gives the same digests.
//!
//! The moments are spread over what a cold build takes on this machine, which is measured
//! first. `IMGC_TEST_KILLS` says how many there are, `IMGC_TEST_SEED` which.

use std::time::{Duration, Instant};

use imgc_tests::store::StoreFolder;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::schedules::project;
use crate::{is_clean, lines, number};

#[test]
fn a_build_that_is_killed_at_any_moment_leaves_a_valid_store() {
    let (sandbox, expected) = project();
    let args = |store: &str| {
        let store = sandbox.path(store).display().to_string();
        let out = format!("oci:{store}-out");
        ["build", "app.img", "--store", &store, "-o", &out].map(str::to_owned)
    };
    let run = |args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        sandbox.run().args(&args)
    };
    let began = Instant::now();
    lines(&run(&args("measured")).outcome());
    let whole = began.elapsed();
    let mut random = StdRng::seed_from_u64(number("IMGC_TEST_SEED", 1));
    let (mut early, mut late) = (0, 0);
    for round in 0..number("IMGC_TEST_KILLS", 20) {
        let name = format!("killed-{round}");
        let args = args(&name);
        let file = sandbox.project("imgc.lock");
        let lock = std::fs::read(&file).expect("a lock");
        // The end may also come while packages are chosen and the lock is written.
        if round % 3 == 0 {
            std::fs::remove_file(&file).expect("a lock");
        }
        // Some stores see several ends before they see a build.
        for _ in 0..random.gen_range(1..=3) {
            let share = random.gen_range(0.0..1.1);
            run(&args).kill_after(Duration::from_secs_f64(whole.as_secs_f64() * share));
        }
        let store = sandbox.path(&name);
        match StoreFolder::new(&store).files("blobs").len() {
            0 => early += 1,
            _ => late += 1,
        }
        is_clean(&sandbox, &["--store", &store.display().to_string()]);
        let found = lines(&run(&args).outcome());
        assert_eq!(found, expected, "round {round}");
        assert!(
            std::fs::read(&file).expect("a lock") == lock,
            "round {round}: another lock"
        );
        is_clean(&sandbox, &["--store", &store.display().to_string()]);
        let left = StoreFolder::new(&store).entries("tmp");
        assert!(left.is_empty(), "round {round}: {left:?}");
        std::fs::remove_dir_all(&store).expect("a store");
        let out = sandbox.path(&format!("{name}-out"));
        std::fs::remove_dir_all(out).expect("a layout");
    }
    assert!(late > early, "most ends were before anything was made");
}
