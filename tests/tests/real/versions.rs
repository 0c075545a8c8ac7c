//! The order of versions against `dpkg --compare-versions`, on every version that the
//! indices have.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::oracle::Oracle;

/// How many pairs are tried beside the neighbours.
const PAIRS: usize = 2000;

/// Asks dpkg about each line `A OP B`, and prints the lines that it says no to.
const ASK: &str = "while read -r a op b; do dpkg --compare-versions \"$a\" \"$op\" \"$b\" || echo \"$a $op $b\"; done";

/// The versions of packages, of sources, and in relations.
fn versions(oracle: &Oracle) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for stanza in oracle.stanzas() {
        all.insert(stanza["Version"].to_owned());
        for field in [
            "Depends",
            "Pre-Depends",
            "Breaks",
            "Conflicts",
            "Provides",
            "Source",
        ] {
            let text = stanza.get(field).copied().unwrap_or_default();
            for part in text.split('(').skip(1) {
                let inner = part.split(')').next().unwrap_or_default();
                let version = inner.trim_start_matches(['<', '=', '>', ' ']).trim();
                if imgc_apt::check_version(version).is_ok() {
                    all.insert(version.to_owned());
                }
            }
        }
    }
    all
}

/// The lines that dpkg contradicts.
fn contradicted(lines: &str) -> String {
    let mut child = Command::new("sh")
        .args(["-c", ASK])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut input = child.stdin.take().expect("it is piped");
    std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(lines.as_bytes()).expect("it reads"));
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "the shell failed");
        String::from_utf8(output.stdout).expect("UTF-8")
    })
}

fn line(a: &str, b: &str) -> String {
    let operator = match imgc_apt::compare_versions(a, b) {
        Ordering::Less => "lt",
        Ordering::Equal => "eq",
        Ordering::Greater => "gt",
    };
    format!("{a} {operator} {b}\n")
}

#[test]
fn every_version_stands_where_dpkg_puts_it() {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for suite in ["bookworm", "trixie"] {
        all.extend(versions(&Oracle::new(suite)));
    }
    let mut sorted: Vec<String> = all.into_iter().collect();
    sorted.sort_by(|a, b| imgc_apt::compare_versions(a, b));
    assert!(sorted.len() > 20_000, "only {} versions", sorted.len());
    // The order of neighbours is the order of all, as both orders are total.
    let mut lines: Vec<String> = sorted
        .windows(2)
        .map(|pair| line(&pair[0], &pair[1]))
        .collect();
    let mut at = 1;
    for _ in 0..PAIRS {
        let first = at % sorted.len();
        // A number without a common divisor with any small one.
        at = at * 48_271 % 2_147_483_647;
        lines.push(line(&sorted[first], &sorted[at % sorted.len()]));
    }
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let wrong: String = std::thread::scope(|scope| {
        let asking: Vec<_> = lines
            .chunks(lines.len().div_ceil(threads))
            .map(|some| scope.spawn(|| contradicted(&some.concat())))
            .collect();
        let answers = asking
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        answers.collect()
    });
    assert_eq!(wrong, "", "dpkg says otherwise");
}
