//! What a store's folder holds, listed. Nothing is changed here.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use imgc_plan::BlobDigest;

use super::joined::Found;
use super::{DiskStore, checked_record};
use crate::StoreError;

/// A number of files, and the bytes in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub files: u64,
    /// Their sizes together, in bytes.
    pub bytes: u64,
}

/// What a store holds, by what it is for. See [`crate::format`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Whole blobs.
    pub blobs: Count,
    /// Blobs that are others, one after the other: the lists of their parts.
    pub joined: Count,
    /// Action records.
    pub actions: Count,
    /// Downloads that stopped, and may go on.
    pub partial: Count,
    /// What builds are writing now, or left behind.
    pub temporary: Count,
    /// Blobs that were found damaged and moved aside.
    pub corrupt: Count,
}

impl Count {
    pub(super) fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// A file of the store.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) size: u64,
    /// When it was last used.
    pub(super) used: SystemTime,
}

impl DiskStore {
    /// Counts what the store holds. What comes or goes meanwhile may be counted or not.
    ///
    /// # Errors
    /// [`StoreError`] with the folder that can't be listed.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let root = &self.shared.root;
        let count = |folder: &str| -> Result<Count, StoreError> {
            let mut count = Count::default();
            files(&root.join(folder), &mut |file| count.add(file.size))?;
            Ok(count)
        };
        Ok(Usage {
            blobs: count("blobs/sha256")?,
            joined: count("joined")?,
            actions: count("actions")?,
            partial: count("partial")?,
            temporary: count("tmp")?,
            corrupt: count("corrupt")?,
        })
    }

    /// The files that hold a blob, if it is there: one, or those of its parts in order.
    /// For reading; whoever changes one has damaged the store.
    ///
    /// # Errors
    /// [`StoreError`] with what can't be opened.
    pub fn paths(&self, digest: &BlobDigest) -> Result<Option<Vec<PathBuf>>, StoreError> {
        let file = |digest: &BlobDigest| {
            let hex = digest.hex();
            let roots = std::iter::once(&self.shared.root).chain(&self.shared.substituters);
            let mut paths = roots.map(|root| super::blob_folder(root, &hex).join(&hex));
            paths.find(|path| path.is_file())
        };
        Ok(match self.shared.find(digest)? {
            None => None,
            Some(Found::File(..)) => file(digest).map(|path| vec![path]),
            Some(Found::Joined(parts)) => parts.iter().map(|(part, _)| file(part)).collect(),
        })
    }
}

/// Calls `each` for every file in `folder` and in the folders of it, in no order. What
/// vanishes meanwhile is left out; links are not followed.
pub(super) fn files(folder: &Path, each: &mut dyn FnMut(Listed)) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_io(error, "listing", folder);
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listing => listing.map_err(failed)?,
    };
    for entry in listing {
        let entry = entry.map_err(failed)?;
        let meta: Metadata = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            meta => meta.map_err(failed)?,
        };
        if meta.is_dir() {
            files(&entry.path(), each)?;
        } else {
            each(Listed {
                path: entry.path(),
                name: entry.file_name().to_string_lossy().into_owned(),
                size: meta.len(),
                used: meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            });
        }
    }
    Ok(())
}

/// All files of `folder` as [`files`] has them, in the order of their names.
pub(super) fn listed(folder: &Path) -> Result<Vec<Listed>, StoreError> {
    let mut all = Vec::new();
    files(folder, &mut |file| all.push(file))?;
    all.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

/// The blobs that a text names: every run of exactly 64 lower-case hexadecimal digits.
/// The store does not know what records and documents mean; all of them name blobs so.
pub(super) fn digests(text: &[u8]) -> BTreeSet<BlobDigest> {
    let is_digit = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let runs = text.split(|b| !is_digit(b)).filter(|run| run.len() == 64);
    runs.filter_map(|run| BlobDigest::from_hex(std::str::from_utf8(run).ok()?).ok())
        .collect()
}

/// The text of an action's file, if it is whole.
pub(super) fn record(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(checked_record(&bytes).map(<[u8]>::to_vec)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::from_io(error, "reading", path)),
    }
}
