//! Which packages of a plan are in no archive, as far as a lock and a store can tell.
//!
//! Nothing is fetched: where an index that the lock names is not in the store, nothing is
//! said.

use std::collections::{BTreeMap, BTreeSet};

use imgc_apt::{ArchiveSource, Index, Lock, LockedIndex, Request};
use imgc_plan::Plan;
use imgc_store::{BlobDigest, Store};

use crate::{BuildError, request};

/// The names of packages that the archives of `lock` do not have, as the errors that a
/// build would end in. `store` is asked for only where the lock itself does not answer.
pub fn unknown_packages<'s>(
    plan: &Plan,
    lock: &Lock,
    store: impl Fn() -> Option<&'s dyn Store>,
) -> Vec<BuildError> {
    let mut read: BTreeMap<(String, String), Option<Vec<Index>>> = BTreeMap::new();
    let mut errors = Vec::new();
    for image in &plan.images {
        let Some(packages) = &image.packages else {
            continue;
        };
        let mut asked = request(image, packages);
        // What further archives, other architectures and a base have, only they can tell.
        let further =
            !asked.archives.is_empty() || !asked.foreign().is_empty() || image.base.is_some();
        if further || lock.lookup(&asked).is_some() {
            continue;
        }
        let pinned = pinned(lock, &asked);
        asked.names.retain(|name| !pinned.contains(name.as_str()));
        if asked.names.is_empty() {
            continue;
        }
        let key = (asked.suite.clone(), asked.arch.clone());
        let indices = read
            .entry(key)
            .or_insert_with(|| indices(&asked, lock, &store));
        let Some(indices) = indices else { continue };
        let indices: Vec<&Index> = indices.iter().collect();
        let unknown = imgc_apt::unknown(&asked, &indices).unwrap_or_default();
        errors.extend(unknown.into_iter().map(|error| BuildError::Solve {
            image: image.name.clone(),
            error: Box::new(error),
        }));
    }
    errors
}

/// The names that the lock pins for the suite and architecture of a request.
fn pinned<'l>(lock: &'l Lock, asked: &Request) -> BTreeSet<&'l str> {
    let sets = lock.sets().iter();
    let alike =
        sets.filter(|set| set.request.suite == asked.suite && set.request.arch == asked.arch);
    let packages = alike.flat_map(|set| &set.packages);
    packages.map(|package| package.name.as_str()).collect()
}

/// The indices of a request's archives in their newest locked state. None where one of
/// them is not at hand.
fn indices<'s>(
    asked: &Request,
    lock: &Lock,
    store: impl Fn() -> Option<&'s dyn Store>,
) -> Option<Vec<Index>> {
    let sources = imgc_apt::archives(&asked.suite).ok()?;
    let locked: Vec<&LockedIndex> = sources
        .iter()
        .map(|source| newest(source, &asked.arch, lock))
        .collect::<Option<_>>()?;
    let store = store()?;
    let read = locked.into_iter().map(|locked| {
        let digest = BlobDigest::from_bytes(*locked.sha256.as_bytes());
        let bytes = store.read(&digest, imgc_apt::MAX_INDEX).ok()??;
        Index::parse_locked(&bytes, locked).ok()
    });
    read.collect()
}

/// The index of an archive in its newest locked state.
fn newest<'l>(source: &ArchiveSource, arch: &str, lock: &'l Lock) -> Option<&'l LockedIndex> {
    let states = lock.archives().iter();
    let states = states.filter(|state| state.id == source.id && state.dist == source.dist);
    let state = states.max_by_key(|state| state.date)?;
    let folder = format!("{}/binary-{arch}/", source.components.first()?);
    let mut indices = state.indices.iter();
    indices.find(|index| index.path.starts_with(&folder))
}
