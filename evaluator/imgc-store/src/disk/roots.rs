//! Images that are kept whatever else goes: a name for each, and what it needs.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use imgc_plan::BlobDigest;

use super::joined::Found;
use super::{DiskStore, contents, write};
use crate::{Store as _, StoreError};

/// Documents that name other blobs are smaller than this, in bytes: the limit of
/// registries for a manifest.
const DOCUMENT: u64 = 4 << 20;

/// The longest name of a root, in bytes.
const NAME: usize = 128;

impl DiskStore {
    /// Keeps a blob, and every blob that it names, under `name`, in place of what was
    /// kept under it.
    ///
    /// # Errors
    /// [`StoreError::Io`] for a name that is no file's, or what the system says.
    pub fn keep(&self, name: &str, digest: &BlobDigest) -> Result<(), StoreError> {
        let path = self.root_path(name)?;
        write::make_folder(&self.shared.root.join("roots"))?;
        let mut temp = self.shared.session.temp()?;
        temp.write_all(format!("{}\n", digest.hex()).as_bytes())
            .map_err(|e| StoreError::from_io(e, "writing", temp.path()))?;
        temp.persist(&path)
            .map_err(|e| StoreError::from_io(e.error, "publishing", &path))?;
        Ok(())
    }

    /// Keeps no longer what was kept under `name`. Whether there was anything.
    ///
    /// # Errors
    /// As [`keep`](Self::keep).
    pub fn release(&self, name: &str) -> Result<bool, StoreError> {
        let path = self.root_path(name)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::from_io(error, "removing", &path)),
        }
    }

    /// What is kept, by name.
    ///
    /// # Errors
    /// [`StoreError`] with what can't be read.
    pub fn roots(&self) -> Result<BTreeMap<String, BlobDigest>, StoreError> {
        let mut roots = BTreeMap::new();
        for file in contents::listed(&self.shared.root.join("roots"))? {
            let text =
                fs::read(&file.path).map_err(|e| StoreError::from_io(e, "reading", &file.path))?;
            if let Some(digest) = contents::digests(&text).first() {
                roots.insert(file.name, *digest);
            }
        }
        Ok(roots)
    }

    /// Every blob that a root needs.
    pub(super) fn rooted(&self) -> Result<BTreeSet<BlobDigest>, StoreError> {
        let mut kept = BTreeSet::new();
        let mut todo: Vec<BlobDigest> = self.roots()?.into_values().collect();
        while let Some(digest) = todo.pop() {
            let Some(size) = self.contains(&digest)? else {
                continue;
            };
            if !kept.insert(digest) {
                continue;
            }
            if let Some(Found::Joined(parts)) = self.shared.find(&digest)? {
                kept.extend(parts.iter().map(|(part, _)| part));
                continue;
            }
            if size > DOCUMENT {
                continue;
            }
            if let Some(text) = self.read(&digest, DOCUMENT)?
                && text.first() == Some(&b'{')
            {
                todo.extend(contents::digests(&text));
            }
        }
        Ok(kept)
    }

    fn root_path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-#@+".contains(&b);
        let is_good = (1..=NAME).contains(&name.len())
            && !name.starts_with('.')
            && name.bytes().all(is_plain);
        if is_good {
            return Ok(self.shared.root.join("roots").join(name));
        }
        let what = "a root is named by letters, digits and `._-#@+`";
        let error = io::Error::new(io::ErrorKind::InvalidInput, what);
        Err(StoreError::from_io(error, "keeping", Path::new(name)))
    }
}
