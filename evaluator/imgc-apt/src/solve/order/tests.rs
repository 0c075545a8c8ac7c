//! The rules of the order, one by one, on small sets.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Action, Call, Control, Dpkg, Phases, calls};

fn controls<'a>(texts: &'a [String]) -> Vec<Control<'a>> {
    let parsed = texts.iter().map(|text| Control::parse(text, "amd64"));
    parsed.collect::<Result<_, _>>().expect("controls")
}

fn texts(packages: &[(&str, &str)]) -> Vec<String> {
    let text = |(name, more): &(&str, &str)| format!("Package: {name}\nVersion: 1\n{more}");
    packages.iter().map(text).collect()
}

/// What is done, as `u` unpack, `c` configure, `t` triggers and `x` extract; `react`
/// tells which triggers an action activates.
fn done(
    packages: &[(&str, &str)],
    silent: &[&str],
    react: impl Fn(&str) -> Vec<(&'static str, Option<&'static str>)>,
) -> Vec<String> {
    let texts = texts(packages);
    let controls = controls(&texts);
    let names: Vec<&str> = packages.iter().map(|(name, _)| *name).collect();
    let place = |name: &str| {
        names
            .iter()
            .position(|known| *known == name)
            .expect("known")
    };
    let phases = Phases::new(&controls, vec![false; names.len()]);
    let calls = calls(&controls, &phases);
    let silent: BTreeSet<usize> = silent.iter().map(|name| place(name)).collect();
    let mut dpkg = Dpkg::new(controls, &calls, &silent);
    let mut done = Vec::new();
    while let Some(action) = dpkg.next() {
        let (letter, at) = match action {
            Action::Extract(at) => ('x', at),
            Action::Unpack(at) => ('u', at),
            Action::Configure(at) => ('c', at),
            Action::Triggers(at) => ('t', at),
        };
        let line = format!("{letter} {}", names[at]);
        dpkg.done();
        for (interested, waiting) in react(&line) {
            dpkg.activate(place(interested), waiting.map(place));
        }
        done.push(line);
    }
    done
}

fn plain(packages: &[(&str, &str)]) -> Vec<String> {
    done(packages, &[], |_| Vec::new())
}

const ESSENTIAL: &str = "Essential: yes\n";

#[test]
fn the_essential_ones_come_first_and_are_extracted_before() {
    let packages = [
        ("tool", "Depends: lib\n"),
        ("base", "Essential: yes\nDepends: lib\n"),
        ("lib", ""),
    ];
    let expected = [
        "x lib", "x base", "u lib", "u base", "c lib", "c base", "u tool", "c tool",
    ];
    assert_eq!(plain(&packages), expected);
}

#[test]
fn pre_dependencies_are_configured_before_unpacking() {
    let packages = [("a", "Pre-Depends: b\n"), ("b", "Depends: c\n"), ("c", "")];
    let expected = ["u c", "u b", "c c", "c b", "u a", "c a"];
    assert_eq!(plain(&packages), expected);
}

#[test]
fn what_an_essential_one_names_is_configured_at_once() {
    // Nothing that is installed needs `other`, but an essential package names it.
    let packages = [
        ("base", "Essential: yes\nDepends: lib | other\n"),
        ("lib", ""),
        ("other", "Depends: deep\n"),
        ("deep", ""),
        ("more", ""),
    ];
    let texts = texts(&packages);
    let first = vec![true, true, false, false, false];
    let controls = controls(&texts);
    assert_eq!(
        calls(&controls, &Phases::new(&controls, first)),
        [
            Call::Extract(vec![1, 0]),
            Call::Install(vec![1, 0]),
            Call::Unpack(vec![3]),
            Call::Configure(vec![3]),
            Call::Unpack(vec![2]),
            Call::Configure(vec![2]),
            Call::Unpack(vec![4]),
            Call::Pending,
        ]
    );
}

#[test]
fn what_marks_merged_folders_is_there_from_the_start() {
    let packages = [
        (
            "base",
            "Essential: yes\nDepends: usrmerge | usr-is-merged\n",
        ),
        ("usr-is-merged", ""),
    ];
    let expected = [
        "x base",
        "u base",
        "c base",
        "u usr-is-merged",
        "c usr-is-merged",
    ];
    assert_eq!(plain(&packages), expected);
    let texts = texts(&packages);
    let controls = controls(&texts);
    let phases = Phases::new(&controls, vec![true, true]).upgrading();
    // There it is one of the first, and stands where dependencies bring it.
    assert_eq!(
        calls(&controls, &phases),
        [
            Call::Assume(1),
            Call::Extract(vec![1, 0]),
            Call::Install(vec![1, 0]),
        ]
    );
}

#[test]
fn a_cycle_is_broken_where_there_is_no_script() {
    let packages = [("a", "Depends: b\n"), ("b", "Depends: a\n")];
    let configured = |silent: &[&str]| -> Vec<String> {
        let done = done(&packages, silent, |_| Vec::new());
        done.into_iter()
            .filter(|line| line.starts_with('c'))
            .collect()
    };
    assert_eq!(configured(&["a"]), ["c a", "c b"]);
    assert_eq!(configured(&["b"]), ["c b", "c a"]);
}

#[test]
fn pending_packages_are_taken_in_the_order_of_the_hash_table() {
    // As published for FNV-1a: the hash of `a` is 0xe40c292c.
    assert_eq!(super::dpkg::bin("a"), 0xe40c_292c_u32 % 65_521);
    let packages = [("a", ""), ("b", ""), ("c", ""), ("d", "")];
    let done = plain(&packages);
    let mut sorted = ["a", "b", "c", "d"];
    sorted.sort_by_key(|name| super::dpkg::bin(name));
    let expected: Vec<String> = sorted.iter().map(|name| format!("c {name}")).collect();
    assert_eq!(done[4..], expected);
}

#[test]
fn triggers_wait_for_packages_and_packages_for_triggers() {
    let packages = [
        ("cache", ""),
        ("user", "Depends: lib\n"),
        ("lib", "Depends: cache\n"),
    ];
    let react = |awaited: bool| {
        move |line: &str| match line {
            "c lib" => vec![("cache", awaited.then_some("lib"))],
            // Its own script activates its own trigger.
            "c cache" => vec![("cache", None)],
            _ => Vec::new(),
        }
    };
    let after = |awaited| done(&packages, &[], react(awaited))[3..].to_vec();
    assert_eq!(after(false), ["c cache", "c lib", "c user", "t cache"]);
    assert_eq!(after(true), ["c cache", "c lib", "t cache", "c user"]);
}

#[test]
fn triggers_that_activate_each_other_end() {
    let packages = [("a", ""), ("b", "")];
    let done = done(&packages, &[], |line| match line {
        "c a" | "c b" | "t b" => vec![("a", None)],
        "t a" => vec![("b", None)],
        _ => Vec::new(),
    });
    assert!(done.len() < 100);
}

#[test]
fn long_chains_and_long_cycles_do_not_overflow() {
    for last in ["", "Depends: p0\n"] {
        let mut packages: Vec<String> = (0..2_000)
            .map(|n| format!("Package: p{n}\nVersion: 1\nDepends: p{}\n", n + 1))
            .collect();
        packages.push(format!("Package: p2000\nVersion: 1\n{last}"));
        packages[0].push_str(ESSENTIAL);
        let controls = controls(&packages);
        let phases = Phases::new(&controls, vec![false; packages.len()]);
        let calls = calls(&controls, &phases);
        let Some(Call::Install(all)) = calls.last() else {
            panic!("one call");
        };
        assert_eq!(all.len(), packages.len());
    }
}

proptest! {
    /// Whatever the dependencies are, each package is unpacked and configured once,
    /// in this order.
    #[test]
    fn everything_is_installed_once(
        edges in prop::collection::vec((0..9_u8, 0..3_u8, 0..9_u8, 0..9_u8), 0..30),
        essential in prop::collection::vec(any::<bool>(), 9),
        silent in prop::collection::btree_set(0..9_usize, 0..9),
        awaited in prop::collection::vec((0..9_usize, 0..9_usize), 0..9),
    ) {
        let mut fields = vec![[const { String::new() }; 3]; 9];
        for (from, kind, to, other) in edges {
            fields[from as usize][kind as usize] += &match kind {
                0 | 1 => format!("p{to} | p{other}, "),
                _ => format!("p{to}, "),
            };
        }
        let texts: Vec<String> = fields.iter().zip(0..).map(|([depends, pre, provides], n)| {
            let yes = if essential[n] { ESSENTIAL } else { "" };
            format!("Package: p{n}\nVersion: 1\n{yes}Depends: {depends}\nPre-Depends: {pre}\n\
                Provides: {provides}\n")
        }).collect();
        let controls = controls(&texts);
        let phases = Phases::new(&controls, vec![false; 9]);
        let calls = calls(&controls, &phases);
        let mut dpkg = Dpkg::new(controls, &calls, &silent);
        let mut states = [0; 9];
        while let Some(action) = dpkg.next() {
            match action {
                Action::Extract(_) => {}
                Action::Unpack(at) => {
                    prop_assert_eq!(states[at], 0);
                    states[at] = 1;
                }
                Action::Configure(at) => {
                    prop_assert_eq!(states[at], 1);
                    states[at] = 2;
                    dpkg.done();
                    for (interested, waiting) in &awaited {
                        dpkg.activate(*interested, Some(*waiting));
                    }
                }
                Action::Triggers(at) => prop_assert_eq!(states[at], 2),
            }
        }
        prop_assert_eq!(states, [2; 9]);
    }
}
