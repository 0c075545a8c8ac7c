//! Versions that a request asks for: which ones it means, and which others have to come
//! with them. Chooses no packages.

use std::collections::BTreeMap;

use super::asked::{Asked, Wish};
use super::universe::{ArchId, Candidate, NATIVE};
use super::{Offer, SolveError};
use crate::depends::Relation;
use crate::index::MultiArch;
use crate::version;

/// The candidates that `asked` means, by name and architecture. `all` is sorted so, the
/// newest version first.
///
/// As apt does, a package of another suite brings from there what it needs and what the
/// other archives' candidates don't meet.
pub(super) fn grant<'a>(
    all: &[Candidate<'a>],
    offers: &[Offer<'_>],
    asked: &[Asked<'_>],
    archs: &[&str],
) -> Result<BTreeMap<(&'a str, ArchId), Candidate<'a>>, SolveError> {
    let mut granted = BTreeMap::new();
    let mut open: Vec<(Candidate<'a>, &str)> = Vec::new();
    for asked in asked {
        let at = |arch: &str| archs.iter().position(|known| *known == arch);
        let versions = match asked.arch {
            None | Some("any") => {
                let mut known = (0..archs.len()).map(|arch| versions(all, (asked.name, arch)));
                known.find(|known| !known.is_empty()).unwrap_or_default()
            }
            Some(arch) => versions(all, (asked.name, at(arch).unwrap_or(NATIVE))),
        };
        // A name that nothing has is told of when it is looked for.
        if versions.is_empty() {
            continue;
        }
        let name = asked.name.to_owned();
        let chosen = match asked.wish {
            Wish::Candidate => continue,
            Wish::Version(wanted) => {
                let found = versions
                    .iter()
                    .find(|known| known.package.version() == wanted);
                *found.ok_or_else(|| SolveError::NoVersion {
                    name,
                    version: wanted.to_owned(),
                    available: listed(versions, offers),
                })?
            }
            Wish::Suite(wanted) => {
                let found = in_suite(versions, offers, wanted).next();
                let found = *found.ok_or_else(|| SolveError::NotInSuite {
                    name,
                    suite: wanted.to_owned(),
                    available: listed(versions, offers),
                })?;
                open.push((found, wanted));
                found
            }
        };
        granted.insert(chosen.key(), chosen);
    }
    while let Some((from, suite)) = open.pop() {
        let fields = [from.package.pre_depends(), from.package.depends()];
        // A field that can't be read is told of when its package is looked at.
        let groups = fields.into_iter().flatten().flat_map(|field| field.groups);
        for group in groups {
            let alternatives: Vec<&Relation<'_>> = group
                .alternatives
                .iter()
                .filter(|relation| relation.applies_to(archs[from.arch]))
                .collect();
            // A package may serve other architectures than its own.
            let keys = |name: &'_ str| -> Vec<ArchId> {
                let others = (0..archs.len()).filter(|arch| *arch != from.arch);
                let served = others.filter(|arch| {
                    let known = versions(all, (name, *arch)).first();
                    known.is_some_and(|known| known.package.multi_arch() == MultiArch::Foreign)
                });
                [from.arch].into_iter().chain(served).collect()
            };
            let is_met = |relation: &&Relation<'_>| {
                let meets = |known: &Candidate<'_>| meets(known, relation);
                let of = |arch: ArchId| versions(all, (relation.name, arch));
                let own = |arch: ArchId| match granted.get(&(relation.name, arch)) {
                    Some(known) => Some(known),
                    None => super::universe::best(of(arch), offers),
                };
                let archs = keys(relation.name);
                archs.iter().any(|arch| own(*arch).is_some_and(meets))
                    || (relation.constraint.is_none()
                        && archs.iter().all(|arch| of(*arch).is_empty()))
            };
            if alternatives.is_empty() || alternatives.iter().any(is_met) {
                continue;
            }
            let found = alternatives.iter().find_map(|relation| {
                keys(relation.name).into_iter().find_map(|arch| {
                    let known = versions(all, (relation.name, arch));
                    let mut known = in_suite(known, offers, suite);
                    known.find(|known| meets(known, relation)).copied()
                })
            });
            if let Some(found) = found
                && !granted.contains_key(&found.key())
            {
                granted.insert(found.key(), found);
                open.push((found, suite));
            }
        }
    }
    Ok(granted)
}

/// The versions of a name for an architecture, the newest first.
fn versions<'v, 'a>(all: &'v [Candidate<'a>], key: (&str, ArchId)) -> &'v [Candidate<'a>] {
    let from = all.partition_point(|known| known.key() < key);
    let length = all[from..].partition_point(|known| known.key() == key);
    &all[from..from + length]
}

fn in_suite<'v, 'a>(
    versions: &'v [Candidate<'a>],
    offers: &[Offer<'_>],
    suite: &str,
) -> impl Iterator<Item = &'v Candidate<'a>> {
    let means = move |known: &&Candidate<'_>| offers[known.index].names.contains(&suite);
    versions.iter().filter(means)
}

fn meets(known: &Candidate<'_>, relation: &Relation<'_>) -> bool {
    known.package.name() == relation.name && relation.accepts(known.package.version())
}

/// Versions for a person, each once: `8.14.1-2 (trixie)`.
fn listed(versions: &[Candidate<'_>], offers: &[Offer<'_>]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for same in
        versions.chunk_by(|a, b| version::compare(a.package.version(), b.package.version()).is_eq())
    {
        let mut names: Vec<&str> = same
            .iter()
            .map(|known| offers[known.index].names[0])
            .collect();
        names.retain(|name| !name.is_empty());
        names.dedup();
        let version = same[0].package.version();
        lines.push(match names.is_empty() {
            true => version.to_owned(),
            false => format!("{version} ({})", names.join(", ")),
        });
    }
    lines
}
