//! What is promised of every build, whatever happens to it: only what an edit reaches is
//! made again, the digest is the same on every schedule and in every store, and an end at
//! any moment, damage and a crowd do no harm. All by the real binary, on loopback.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start processes, read the clock, and work with files"
)]

mod crowd;
mod damage;
mod edits;
mod goldens;
mod killed;
mod pages;
mod schedules;
mod stopped;

use imgc_tests::sandbox::{Outcome, Sandbox};
use imgc_tests::store::StoreFolder;

/// The store that a sandbox's runs use, where they are not told another.
fn store(sandbox: &Sandbox) -> StoreFolder {
    StoreFolder::new(&sandbox.path("home/.cache/imgc"))
}

/// Checks that every byte of a store is what it is named. `more`: `--store DIR`.
#[track_caller]
fn is_clean(sandbox: &Sandbox, more: &[&str]) {
    let verify = sandbox.run().args(&["store"]).args(more);
    verify.args(&["verify"]).outcome().succeeds();
}

/// The lines `NAME DIGEST` of a build of several images.
#[track_caller]
fn lines(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.succeeds().stdout.lines();
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    assert!(
        lines.iter().all(|line| line.contains(" sha256:")),
        "{lines:?}"
    );
    lines
}

/// A number of the environment, to do more than the usual run does.
fn number(name: &str, usual: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => usual,
    }
}
