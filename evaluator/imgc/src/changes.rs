//! What is different between two locks, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};

use imgc_apt::Lock;
use serde::Serialize;

use crate::size;

/// The differences between two locks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Changes {
    /// Packages, by name and architecture.
    packages: Vec<PackageChange>,
    /// Modules, by address.
    modules: Vec<ModuleChange>,
    /// What images are laid over, by name and architecture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bases: Vec<ModuleChange>,
}

/// A package in another version, a new one, or one that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PackageChange {
    name: String,
    arch: String,
    from: Option<Version>,
    to: Option<Version>,
}

/// A version and the length of its `.deb` in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Version {
    version: String,
    size: u64,
}

/// A module with other text, a new one, or one that is gone. Digests as `sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ModuleChange {
    address: String,
    from: Option<String>,
    to: Option<String>,
}

/// Sums over changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    /// Packages and modules that were there before, and are other ones now.
    updated: usize,
    /// Those that were not there.
    new: usize,
    /// Those that are not there any more.
    gone: usize,
    /// The bytes of the packages that came.
    bytes: u64,
    /// How many bytes more all packages have.
    difference: i128,
}

impl Changes {
    /// What happened between `before` and `after`.
    pub(crate) fn between(before: &Lock, after: &Lock) -> Self {
        Self {
            packages: packages(before, after),
            modules: modules(before, after),
            bases: bases(before, after),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.modules.is_empty() && self.bases.is_empty()
    }

    /// A line for each, sorted: packages, then modules, then bases.
    pub(crate) fn lines(&self) -> Vec<String> {
        let rows: Vec<_> = self.packages.iter().map(PackageChange::row).collect();
        let width = |at: usize| rows.iter().map(|row| row[at].len()).max().unwrap_or(0);
        let [name_width, arch_width, versions_width] = [width(0), width(1), width(2)];
        let mut lines: Vec<String> = rows
            .iter()
            .zip(&self.packages)
            .map(|([name, arch, versions, size], change)| {
                format!(
                    "{} {name:<name_width$} {arch:<arch_width$} {versions:<versions_width$}  {size}",
                    sign(change.from.is_some(), change.to.is_some()),
                )
            })
            .collect();
        lines.extend(self.modules.iter().chain(&self.bases).map(|change| {
            let digests = [change.from.as_deref(), change.to.as_deref()];
            let digests: Vec<&str> = digests.into_iter().flatten().collect();
            let sign = sign(change.from.is_some(), change.to.is_some());
            format!("{sign} {} {}", change.address, digests.join(" -> "))
        }));
        lines
    }
}

impl PackageChange {
    /// Its name, architecture, versions and size.
    fn row(&self) -> [String; 4] {
        let (versions, size) = match (&self.from, &self.to) {
            (Some(from), Some(to)) => (
                format!("{} -> {}", from.version, to.version),
                format!(
                    "{} ({})",
                    size::human(to.size),
                    size::difference(i128::from(to.size) - i128::from(from.size))
                ),
            ),
            (Some(only), None) | (None, Some(only)) => {
                (only.version.clone(), size::human(only.size))
            }
            (None, None) => (String::new(), String::new()),
        };
        [self.name.clone(), self.arch.clone(), versions, size]
    }
}

impl Totals {
    /// Adds changes.
    pub(crate) fn add(&mut self, changes: &Changes) {
        let packages = changes.packages.iter();
        let packages = packages.map(|change| (change.from.is_some(), change.to.is_some()));
        let modules = changes.modules.iter().chain(&changes.bases);
        let modules = modules.map(|change| (change.from.is_some(), change.to.is_some()));
        for change in packages.chain(modules) {
            match change {
                (true, true) => self.updated += 1,
                (false, _) => self.new += 1,
                (true, false) => self.gone += 1,
            }
        }
        for change in &changes.packages {
            let size = |side: &Option<Version>| side.as_ref().map_or(0, |side| side.size);
            self.bytes = self.bytes.saturating_add(size(&change.to));
            self.difference += i128::from(size(&change.to)) - i128::from(size(&change.from));
        }
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            updated,
            new,
            gone,
            bytes,
            difference,
        } = self;
        write!(
            f,
            "{updated} updated, {new} new, {gone} gone; {} of packages come, {} in all",
            size::human(*bytes),
            size::difference(*difference)
        )
    }
}

const fn sign(before: bool, after: bool) -> char {
    match (before, after) {
        (false, _) => '+',
        (true, false) => '-',
        (true, true) => ' ',
    }
}

fn packages(before: &Lock, after: &Lock) -> Vec<PackageChange> {
    let versions = |lock: &Lock| {
        let mut versions: BTreeMap<(String, String), Vec<Version>> = BTreeMap::new();
        for pin in lock.packages() {
            let key = (pin.key.name.clone(), pin.key.arch.clone());
            versions.entry(key).or_default().push(Version {
                version: pin.key.version.clone(),
                size: pin.size,
            });
        }
        versions
    };
    let (before, after) = (versions(before), versions(after));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let of =
            |versions: &BTreeMap<_, Vec<Version>>| versions.get(key).cloned().unwrap_or_default();
        let (old, new) = (of(&before), of(&after));
        let without = |all: &[Version], known: &[Version]| {
            let rest = all.iter().filter(|version| !known.contains(version));
            rest.cloned().collect::<Vec<_>>()
        };
        let (left, came) = (without(&old, &new), without(&new, &old));
        // Sets of one lock may have different versions: what a set leaves or takes is
        // then compared with what the others have.
        for at in 0..left.len().max(came.len()) {
            changes.push(PackageChange {
                name: key.0.clone(),
                arch: key.1.clone(),
                from: left.get(at).or(old.last()).cloned(),
                to: came.get(at).or(new.last()).cloned(),
            });
        }
    }
    changes
}

fn bases(before: &Lock, after: &Lock) -> Vec<ModuleChange> {
    let digests = |lock: &Lock| {
        let pins = lock.bases().iter().filter_map(|base| {
            let (name, digest) = base.reference.split_once('@')?;
            Some((format!("{name} {}", base.arch), digest.to_owned()))
        });
        pins.collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (digests(before), digests(after));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    all.into_iter()
        .map(|address| ModuleChange {
            address: address.clone(),
            from: before.get(address).cloned(),
            to: after.get(address).cloned(),
        })
        .filter(|change| change.from != change.to)
        .collect()
}

fn modules(before: &Lock, after: &Lock) -> Vec<ModuleChange> {
    let addresses = |lock: &Lock| {
        let pins = lock.modules().iter();
        pins.map(|module| module.address.clone())
            .collect::<BTreeSet<_>>()
    };
    let all = &addresses(before) | &addresses(after);
    let digest = |lock: &Lock, address: &str| {
        let module = lock.module(address)?;
        Some(format!("sha256:{}", module.sha256))
    };
    all.into_iter()
        .map(|address| ModuleChange {
            from: digest(before, &address),
            to: digest(after, &address),
            address,
        })
        .filter(|change| change.from != change.to)
        .collect()
}
