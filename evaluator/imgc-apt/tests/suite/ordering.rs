//! The order of installation against what dpkg did: logs of real installations,
//! with the control fields of their packages. The lists of what was asked and the
//! logs are in `tests/data/order`: a `.packages` has the fields, a `.order` first
//! the names that were asked for, then one action a line: `U` unpacked, `C`
//! configured, `T` triggers processed, and after it which triggers it activated
//! (`+interested` or `+interested/waiting`).

use std::collections::{BTreeMap, BTreeSet};

use imgc_apt::{Action, Call, Control, Dpkg, Index, Request, Variant, solve};

use crate::archive::stanza;

/// The fields that an index has and the order does not depend on.
fn index(packages: &str) -> Index {
    let stanzas = packages.split_terminator("\n\n").map(|text| {
        let field = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(name)).unwrap_or("")
        };
        let own = ["Package: ", "Version: ", "Architecture: "];
        let more: String = text
            .lines()
            .filter(|line| !own.iter().any(|name| line.starts_with(name)))
            .flat_map(|line| [line, "\n"])
            .collect();
        stanza(field("Package: "), field("Version: "), &more)
    });
    Index::parse(stanzas.collect()).expect("an index")
}

fn replay(packages: &str, order: &str) {
    let (asked, log) = order.split_once('\n').expect("a first line");
    let index = index(packages);
    let request = Request {
        suite: "any".to_owned(),
        arch: "amd64".to_owned(),
        variant: Variant::Minbase,
        recommends: false,
        names: asked.split_whitespace().map(str::to_owned).collect(),
        archives: Vec::new(),
        base: None,
    };
    let solution = solve(&request, &[&index]).expect("an answer");
    let texts: BTreeMap<&str, &str> = packages
        .split_terminator("\n\n")
        .map(|text| {
            let name = text.lines().find_map(|line| line.strip_prefix("Package: "));
            (name.expect("a name"), text)
        })
        .collect();
    let names: Vec<&str> = solution.packages.iter().map(|s| s.package.name()).collect();
    let controls = names
        .iter()
        .map(|name| Control::parse(texts[name], "amd64"));
    let controls = controls.collect::<Result<Vec<_>, _>>().expect("controls");
    let silent: BTreeSet<usize> = (0..names.len())
        .filter(|at| texts[names[*at]].contains("\nSilent: yes"))
        .collect();
    let place = |name: &str| {
        names
            .iter()
            .position(|known| *known == name)
            .expect("known")
    };
    let mut dpkg = Dpkg::new(controls, &solution.calls, &silent);
    let mut log = log.lines();
    let mut extracted = Vec::new();
    while let Some(action) = dpkg.next() {
        let (letter, at) = match action {
            Action::Extract(at) => {
                extracted.push(at);
                continue;
            }
            Action::Unpack(at) => ('U', at),
            Action::Configure(at) => ('C', at),
            Action::Triggers(at) => ('T', at),
        };
        let mut expected = log.next().unwrap_or("the end").split(" +");
        assert_eq!(
            Some(format!("{letter} {}", names[at]).as_str()),
            expected.next()
        );
        dpkg.done();
        for activated in expected {
            let (interested, waiting) = match activated.split_once('/') {
                Some((interested, waiting)) => (interested, Some(place(waiting))),
                None => (activated, None),
            };
            dpkg.activate(place(interested), waiting);
        }
    }
    assert_eq!(log.next(), None);
    assert!(
        solution
            .calls
            .iter()
            .any(|call| *call == Call::Install(extracted.clone()))
    );
}

#[test]
fn a_web_server_with_an_interpreter() {
    replay(
        include_str!("../data/order/trixie-apache-php.packages"),
        include_str!("../data/order/trixie-apache-php.order"),
    );
}

#[test]
fn folders_that_are_merged_from_the_start() {
    replay(
        include_str!("../data/order/bookworm-openssh.packages"),
        include_str!("../data/order/bookworm-openssh.order"),
    );
}

#[test]
fn packages_that_wait_for_triggers() {
    replay(
        include_str!("../data/order/trixie-jre.packages"),
        include_str!("../data/order/trixie-jre.order"),
    );
}
