//! Packages over packages that are there: the same tree as if all had been installed one
//! after the other, and what is refused.

use std::collections::VecDeque;
use std::sync::Arc;

use imgc_tree::{Content, Data, Node};

use super::*;
use crate::testing::{Deb, path, text};
use crate::{SystemError, listed};

static ALL: std::sync::LazyLock<PathFilter> = std::sync::LazyLock::new(PathFilter::default);
static NOBODY: BTreeSet<String> = BTreeSet::new();

const OPTIONS: fn() -> Options<'static> = || Options {
    arch: "amd64",
    foreign: &[],
    epoch: 2_000,
    skip: &NOBODY,
    stated: &(),
    filter: &ALL,
    limits: Limits::default(),
};

struct Inline;

impl Reader for Inline {
    fn read(&self, content: &Content) -> Result<Arc<[u8]>, String> {
        match &content.data {
            Data::Inline(bytes) => Ok(Arc::clone(bytes)),
            _ => Err("it is elsewhere".to_owned()),
        }
    }
}

/// Each package unpacked and configured, then the triggers.
struct OneByOne(VecDeque<Step>);

impl OneByOne {
    fn new(places: std::ops::Range<usize>) -> Self {
        let steps = places.flat_map(|at| [Step::Unpack(at), Step::Configure(at)]);
        Self(steps.collect())
    }
}

impl Schedule for OneByOne {
    fn next(&mut self) -> Option<Step> {
        self.0.pop_front()
    }

    fn activate(&mut self, interested: usize, _waiting: Option<usize>) {
        let step = Step::Triggers(interested);
        if !self.0.contains(&step) {
            self.0.push_back(step);
        }
    }

    fn done(&mut self) {}
}

fn first(debs: Vec<Deb>) -> Tree {
    let fragments: Vec<Fragment> = debs.into_iter().map(Deb::fragment).collect();
    let fragments: Vec<&Fragment> = fragments.iter().collect();
    let mut schedule = OneByOne::new(0..fragments.len());
    let installed = install(&fragments, &mut schedule, &OPTIONS(), &Inline);
    installed.expect("packages that fit").tree
}

fn over(tree: Tree, debs: Vec<Deb>) -> Result<Tree, InstallError> {
    let system = System::read(tree, "amd64", &Inline)?;
    let fragments: Vec<Fragment> = debs.into_iter().map(Deb::fragment).collect();
    let fragments: Vec<&Fragment> = fragments.iter().collect();
    let there = system.fragments().len();
    let mut schedule = OneByOne::new(there..there + fragments.len());
    let installed = install_over(&system, &fragments, &mut schedule, &OPTIONS(), &Inline);
    installed.map(|installed| installed.tree)
}

fn put(tree: &mut Tree, at: &str, text: &str) {
    let node = Node::file(Content::inline(text.as_bytes()), 0o644, 7);
    tree.make_parents(&path(at), 7).expect("parents");
    tree.insert(&path(at), node).expect("a file");
}

fn lower() -> Vec<Deb> {
    let hears =
        "#!/bin/sh\nset -e\nif [ \"$1\" = triggered ]; then echo \"$2\" >> /usr/share/heard; fi\n";
    vec![
        Deb::new("hears")
            .file("./usr/share/h", "h")
            .control(
                "triggers",
                "interest-noawait /usr/share/b\ninterest named\n",
            )
            .control("postinst", hears),
        Deb::new("lib1")
            .field("Multi-Arch: same")
            .file("./usr/lib/lib1", "1"),
        Deb::new("conf")
            .file("./etc/conf", "as packaged")
            .file("./usr/share/taken", "of conf")
            .control("conffiles", "/etc/conf\n"),
    ]
}

fn upper() -> Vec<Deb> {
    vec![
        Deb::new("brings")
            .file("./usr/share/b/x", "x")
            .file("./etc/brings", "new")
            .control("conffiles", "/etc/brings\n")
            .control(
                "triggers",
                "activate named\ninterest /usr/share/c\ninterest named\n",
            )
            .control("postinst", "#!/bin/sh\n"),
        Deb::new("takes")
            .field("Replaces: conf")
            .file("./usr/share/taken", "of takes"),
    ]
}

#[test]
fn over_a_system_is_as_if_installed_after_each_other() {
    let together = first(lower().into_iter().chain(upper()).collect());
    let apart = over(first(lower()), upper()).expect("packages that fit");
    let paths = |tree: &Tree| -> Vec<String> {
        let all = tree.iter();
        all.map(|(path, node)| format!("{path} {node:?}")).collect()
    };
    assert_eq!(paths(&apart), paths(&together));
    assert_eq!(text(&apart, "usr/share/heard"), "/usr/share/b named\n");
    assert!(!text(&apart, "var/lib/dpkg/info/conf.list").contains("taken"));
    // What nobody touched is as it was, to its stanza.
    let status = |tree: &Tree| text(tree, "var/lib/dpkg/status");
    assert!(status(&apart).contains(&status(&first(lower()))[..200]));
    let named = listed(&apart, &Inline).expect("packages");
    let named: Vec<&str> = named.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(named, ["brings", "conf", "hears", "lib1", "takes"]);
}

#[test]
fn what_is_gone_but_for_its_configuration_stays_so() {
    let mut tree = first(lower());
    let gone = "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\n\
                Version: 1\nConffiles:\n /etc/gone 00\n\n";
    let status = format!("{gone}{}", text(&tree, "var/lib/dpkg/status"));
    put(&mut tree, "var/lib/dpkg/status", &status);
    let after = over(tree.clone(), upper()).expect("packages that fit");
    assert!(text(&after, "var/lib/dpkg/status").contains(gone));
    let again = over(tree, vec![Deb::new("gone")]);
    assert!(
        matches!(again, Err(InstallError::System(SystemError::Removed(_)))),
        "{again:?}"
    );
}

#[test]
fn conffiles_stay_with_their_packages() {
    let thief = Deb::new("thief")
        .field("Replaces: conf")
        .file("./etc/conf", "another");
    let taken = over(first(lower()), vec![thief]);
    assert!(
        matches!(
            taken,
            Err(InstallError::System(SystemError::Conffile { .. }))
        ),
        "{taken:?}"
    );
}

#[test]
fn a_policy_for_services_that_is_there_stays() {
    let mut tree = first(lower());
    put(
        &mut tree,
        "usr/sbin/policy-rc.d",
        "#!/bin/sh\nexit 101\n# docker's\n",
    );
    let after = over(tree, upper()).expect("packages that fit");
    assert!(text(&after, "usr/sbin/policy-rc.d").contains("docker's"));
    let without = over(first(lower()), upper()).expect("packages that fit");
    assert!(without.get(&path("usr/sbin/policy-rc.d")).is_none());
}

#[test]
fn packages_of_images_without_dpkg_are_listed() {
    let mut tree = Tree::new(0);
    let stanza = "Package: tzdata\nVersion: 2026a-1\nArchitecture: all\n";
    put(&mut tree, "var/lib/dpkg/status.d/tzdata", stanza);
    put(
        &mut tree,
        "var/lib/dpkg/status.d/tzdata.md5sums",
        "00  usr/x\n",
    );
    let named = listed(&tree, &Inline).expect("packages");
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].version, "2026a-1");
    let system = System::read(tree, "amd64", &Inline);
    assert!(matches!(system, Err(SystemError::NoDatabase)));
}
