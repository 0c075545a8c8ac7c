//! Every byte of a store, read and compared with the name that it stands under.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use imgc_plan::BlobDigest;

use super::contents::{self, Count, Listed};
use super::{DiskStore, Shared, joined};
use crate::store::digest_of;
use crate::{Store as _, StoreError};

/// What [`DiskStore::verify`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// The blobs that are whole.
    pub blobs: Count,
    /// The action records that are whole, and name no blob that is not.
    pub actions: Count,
    /// Blobs whose bytes are not theirs, by digest.
    pub damaged: Vec<BlobDigest>,
    /// Action records that are torn, and lists of parts that are torn or whose parts do
    /// not come to their blob.
    pub torn: Vec<PathBuf>,
    /// Files that are none of the store's.
    pub foreign: Vec<PathBuf>,
}

impl Verified {
    /// Whether all is as it should be.
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && self.torn.is_empty() && self.foreign.is_empty()
    }
}

impl DiskStore {
    /// Reads everything that the store holds, on all processors. With `repair`, what is
    /// wrong is taken away, so that the next build makes or fetches it again; without,
    /// nothing is changed. `read` is told the bytes of each blob that has been read.
    ///
    /// # Errors
    /// [`StoreError`] with what can't be read. What is damaged is no error.
    pub fn verify(
        &self,
        repair: bool,
        read: &(dyn Fn(u64) + Sync),
    ) -> Result<Verified, StoreError> {
        let shared = &*self.shared;
        let blobs = contents::listed(&shared.root.join("blobs"))?;
        let verified = Mutex::new(Verified::default());
        let failed: Mutex<Option<StoreError>> = Mutex::new(None);
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(file) = blobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let found = shared.examine(file);
                        read(file.size);
                        match found {
                            Ok(found) => verified
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .add(found, file),
                            Err(error) => {
                                *failed.lock().unwrap_or_else(PoisonError::into_inner) =
                                    Some(error);
                                return;
                            }
                        }
                    }
                });
            }
        });
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let mut verified = verified
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for file in contents::listed(&shared.root.join("actions"))? {
            if contents::record(&file.path)?.is_some() {
                verified.actions.add(file.size);
            } else {
                verified.torn.push(file.path);
            }
        }
        for file in contents::listed(&shared.root.join("joined"))? {
            if self.is_joined(&file)? {
                verified.actions.add(file.size);
            } else {
                verified.torn.push(file.path);
            }
        }
        verified.damaged.sort_unstable();
        verified.foreign.sort_unstable();
        if repair {
            self.repair(&verified)?;
        }
        Ok(verified)
    }

    /// Whether a list names its parts rightly. One of whose parts some are absent, or are
    /// damaged themselves, may be right: it is of no use until they are there again.
    fn is_joined(&self, file: &Listed) -> Result<bool, StoreError> {
        let list = joined::list(&file.path);
        let list = list.map_err(|e| StoreError::from_io(e, "reading", &file.path))?;
        let (Ok(digest), Some(list)) = (BlobDigest::from_hex(&file.name), list) else {
            return Ok(false);
        };
        let Some(mut blob) = self.open(&digest)? else {
            return Ok(true);
        };
        let read = digest_of(&mut blob);
        if read.is_ok_and(|(found, _)| found == digest) {
            return Ok(true);
        }
        for (part, _) in list {
            let file = self.shared.find_file(&part)?;
            let Some((mut file, _)) = file else {
                return Ok(true);
            };
            if digest_of(&mut file).is_ok_and(|(found, _)| found != part) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn repair(&self, verified: &Verified) -> Result<(), StoreError> {
        for digest in &verified.damaged {
            self.discard(digest)?;
        }
        for path in verified.torn.iter().chain(&verified.foreign) {
            fs::remove_file(path).map_err(|e| StoreError::from_io(e, "removing", path))?;
        }
        Ok(())
    }
}

/// What a file below `blobs` turned out to be.
enum Found {
    Whole(u64),
    Damaged(BlobDigest),
    Foreign,
    Gone,
}

impl Verified {
    fn add(&mut self, found: Found, file: &Listed) {
        match found {
            Found::Whole(size) => self.blobs.add(size),
            Found::Damaged(digest) => self.damaged.push(digest),
            Found::Foreign => self.foreign.push(file.path.clone()),
            Found::Gone => {}
        }
    }
}

impl Shared {
    /// Reads a file below `blobs`.
    fn examine(&self, file: &Listed) -> Result<Found, StoreError> {
        let Ok(digest) = BlobDigest::from_hex(&file.name) else {
            return Ok(Found::Foreign);
        };
        if self.blob_folder(&file.name).join(&file.name) != file.path {
            return Ok(Found::Foreign);
        }
        let opened = match fs::symlink_metadata(&file.path) {
            Err(_) => return Ok(Found::Gone),
            Ok(meta) if !meta.is_file() => return Ok(Found::Damaged(digest)),
            Ok(_) => fs::File::open(&file.path),
        };
        let mut opened = opened.map_err(|e| StoreError::from_io(e, "opening", &file.path))?;
        let (found, size) =
            digest_of(&mut opened).map_err(|e| StoreError::from_io(e, "reading", &file.path))?;
        Ok(if found == digest {
            Found::Whole(size)
        } else {
            Found::Damaged(digest)
        })
    }
}
