//! Making room: what was used longest ago goes first.
//!
//! Safe beside builds. What a build that runs now has used stays: see [`super::guard`]
//! for how use is marked, and [`super::session`] for how long a build has run.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use imgc_plan::BlobDigest;

use super::contents::{self, Count, Listed};
use super::{DiskStore, flock, guard, joined};
use crate::StoreError;

/// How many files are removed while builds wait.
const BATCH: usize = 64;

/// What [`DiskStore::collect`] may remove. Without either limit, it removes only what
/// is of no use to anybody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// The blobs may have so many bytes together.
    pub bytes: Option<u64>,
    /// What was not used since then goes.
    pub unused_since: Option<SystemTime>,
    /// Only say what would go.
    pub dry_run: bool,
}

/// What [`DiskStore::collect`] removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blobs that were removed.
    pub blobs: Count,
    /// Action records and lists of joined blobs that were removed.
    pub actions: Count,
    /// Damaged blobs, stopped downloads and lock files that were removed.
    pub leftovers: Count,
    /// Blobs that stayed.
    pub kept: Count,
    /// Of those, what a root or a running build needs.
    pub held: Count,
}

/// A blob, while it is decided about.
struct Candidate {
    path: PathBuf,
    size: u64,
    /// The mark on the file itself.
    mark: SystemTime,
    /// The newest mark, of the blob or of a record that names it.
    used: SystemTime,
}

/// The lists of joined blobs: their files, and their parts where the list is whole.
type Lists = BTreeMap<BlobDigest, (Listed, Option<BTreeSet<BlobDigest>>)>;

impl DiskStore {
    /// Removes the blobs that were used longest ago, until the limits are kept, and the
    /// action records that name them. Roots stay, and what running builds have used.
    ///
    /// # Errors
    /// [`StoreError`] with what can't be listed or removed. What has been removed until
    /// then is gone, and the store is whole.
    pub fn collect(&self, limits: &Limits) -> Result<Collected, StoreError> {
        let root = &self.shared.root;
        // Before anything is looked at: who begins later marks what it uses.
        let busy_since = self.shared.session.oldest_other(root)?;
        let mut blobs = self.candidates()?;
        let mut joined = self.joined()?;
        let mut actions = Vec::new();
        for file in contents::listed(&root.join("actions"))? {
            let named = contents::record(&file.path)?.map(|text| contents::digests(&text));
            for digest in named.iter().flatten() {
                if let Some(blob) = blobs.get_mut(digest) {
                    blob.used = blob.used.max(file.used);
                } else if let Some((list, _)) = joined.get_mut(digest) {
                    list.used = list.used.max(file.used);
                }
            }
            actions.push((file, named));
        }
        for (list, parts) in joined.values() {
            for part in parts.iter().flatten() {
                if let Some(blob) = blobs.get_mut(part) {
                    blob.used = blob.used.max(list.used);
                }
            }
        }
        let rooted = self.rooted()?;
        let mut collected = Collected::default();
        let mut total: u64 = blobs.values().map(|blob| blob.size).sum();
        let mut order: Vec<(&BlobDigest, &Candidate)> = blobs.iter().collect();
        order.sort_by_key(|(digest, blob)| (blob.used, **digest));
        let mut doomed = Vec::new();
        for (digest, blob) in order {
            let is_busy = busy_since.is_some_and(|since| blob.used + guard::GRAIN >= since);
            if rooted.contains(digest) || is_busy {
                collected.held.add(blob.size);
                continue;
            }
            let is_old = limits.unused_since.is_some_and(|since| blob.used < since);
            if is_old || limits.bytes.is_some_and(|bytes| total > bytes) {
                total -= blob.size;
                doomed.push((*digest, blob));
            }
        }
        let mut gone = BTreeSet::new();
        for batch in doomed.chunks(BATCH) {
            let removed = self.alone(limits, || {
                let stale = batch
                    .iter()
                    .filter(|(_, blob)| is_marked(&blob.path, blob.mark));
                stale
                    .map(|(digest, blob)| {
                        remove(&blob.path, limits)?;
                        Ok((*digest, blob.size))
                    })
                    .collect::<Result<Vec<_>, StoreError>>()
            })??;
            for (digest, size) in removed {
                gone.insert(digest);
                collected.blobs.add(size);
            }
        }
        for (digest, blob) in &blobs {
            if !gone.contains(digest) {
                collected.kept.add(blob.size);
            }
        }
        for (digest, (list, parts)) in &joined {
            if !is_useless(parts.as_ref(), &gone) {
                continue;
            }
            // A build may have made the parts again, and written the list anew.
            let removed = self.alone(limits, || match is_marked(&list.path, list.used) {
                true => remove(&list.path, limits).map(|()| true),
                false => Ok(false),
            })??;
            if removed {
                gone.insert(*digest);
                collected.actions.add(list.size);
            }
        }
        for (file, _) in actions
            .iter()
            .filter(|(_, named)| is_useless(named.as_ref(), &gone))
        {
            // A record without its blobs reads as absent: this one may vanish at any time.
            remove(&file.path, limits)?;
            collected.actions.add(file.size);
        }
        self.clear_leftovers(limits, &mut collected)?;
        Ok(collected)
    }

    /// The lists of joined blobs, and their parts where the list is whole.
    fn joined(&self) -> Result<Lists, StoreError> {
        let mut joined = BTreeMap::new();
        for file in contents::listed(&self.shared.root.join("joined"))? {
            let Ok(digest) = BlobDigest::from_hex(&file.name) else {
                continue;
            };
            let parts = joined::list(&file.path);
            let parts = parts.map_err(|e| StoreError::from_io(e, "reading", &file.path))?;
            let parts = parts.map(|parts| parts.into_iter().map(|(part, _)| part).collect());
            joined.insert(digest, (file, parts));
        }
        Ok(joined)
    }

    fn candidates(&self) -> Result<BTreeMap<BlobDigest, Candidate>, StoreError> {
        let files = contents::listed(&self.shared.root.join("blobs"))?;
        let candidates = files.into_iter().filter_map(|file| {
            let digest = BlobDigest::from_hex(&file.name).ok()?;
            let candidate = Candidate {
                path: file.path,
                size: file.size,
                mark: file.used,
                used: file.used,
            };
            Some((digest, candidate))
        });
        Ok(candidates.collect())
    }

    /// Removes what nobody can use: damaged blobs, and lock files and downloads that
    /// nobody holds. A download goes on from its beginning then; with a limit of use, one
    /// that is newer stays.
    fn clear_leftovers(&self, limits: &Limits, to: &mut Collected) -> Result<(), StoreError> {
        let root = &self.shared.root;
        for file in contents::listed(&root.join("corrupt"))? {
            remove(&file.path, limits)?;
            to.leftovers.add(file.size);
        }
        for (folder, is_name) in [("partial", false), ("locks", true)] {
            for file in contents::listed(&root.join(folder))? {
                let is_fresh = limits.unused_since.is_none_or(|since| file.used >= since);
                let is_ours = is_name && file.name.len() != 64;
                if is_ours || (!is_name && is_fresh) {
                    continue;
                }
                let Some(_held) = flock::try_lock(&file.path)? else {
                    continue;
                };
                remove(&file.path, limits)?;
                to.leftovers.add(file.size);
            }
        }
        Ok(())
    }

    fn alone<T>(&self, limits: &Limits, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        if limits.dry_run {
            return Ok(work());
        }
        let done = self.shared.guard.alone(work);
        done.map_err(|e| StoreError::from_io(e, "locking", &self.shared.root.join("locks/use")))
    }
}

/// Whether a record or a list is torn, or names a blob that is gone.
fn is_useless(named: Option<&BTreeSet<BlobDigest>>, gone: &BTreeSet<BlobDigest>) -> bool {
    named.is_none_or(|named| named.iter().any(|digest| gone.contains(digest)))
}

/// Whether nobody has marked the file since.
fn is_marked(path: &Path, mark: SystemTime) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.modified().is_ok_and(|now| now == mark))
}

fn remove(path: &Path, limits: &Limits) -> Result<(), StoreError> {
    if limits.dry_run {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::from_io(error, "removing", path))
        }
        _ => Ok(()),
    }
}
