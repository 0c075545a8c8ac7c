//! Archives as they are now: each `InRelease` verified, each index by its hash.

use std::collections::BTreeMap;

use imgc_apt::{
    ArchiveSource, Epoch, Index, IndexFile, Keyring, Lock, LockedIndex, Release, ReleaseError,
    Sha256,
};
use imgc_store::BlobDigest;

use crate::fetch::{Fetcher, Pin};
use crate::{BuildError, Event, Mirrors};

/// One index of an archive, and the archive, verified.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) source: ArchiveSource,
    pub(crate) release: Release,
    pub(crate) index_file: LockedIndex,
    pub(crate) index: Index,
}

/// What reading archives needs beside a fetcher.
pub(crate) struct Reading<'a> {
    pub(crate) mirrors: &'a Mirrors,
    pub(crate) keyrings: &'a BTreeMap<String, Keyring>,
    /// Seconds since 1970, if the time is to be checked.
    pub(crate) now: Option<u64>,
}

impl Reading<'_> {
    /// Reads every index of some archives, in their order, for the architectures `archs`,
    /// the image's own first. None may be older than `lock` has seen it.
    ///
    /// # Errors
    /// The first of them, in the order of the archives, that can't be had or is not to
    /// be trusted.
    pub(crate) fn all(
        &self,
        fetcher: Fetcher<'_>,
        sources: Vec<ArchiveSource>,
        archs: &[String],
        lock: &Lock,
    ) -> Result<Vec<Archive>, BuildError> {
        let read: Result<Vec<Vec<Archive>>, BuildError> = std::thread::scope(|scope| {
            let reading: Vec<_> = sources
                .into_iter()
                .map(|source| {
                    let oldest = lock.not_before(&source.id, &source.dist);
                    scope.spawn(move || self.one(fetcher, &source, archs, oldest))
                })
                .collect();
            reading
                .into_iter()
                .map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect()
        });
        Ok(read?.into_iter().flatten().collect())
    }

    /// Reads the indices of one archive.
    fn one(
        &self,
        fetcher: Fetcher<'_>,
        source: &ArchiveSource,
        archs: &[String],
        not_before: Option<Epoch>,
    ) -> Result<Vec<Archive>, BuildError> {
        let name = format!("{} {}", source.id, source.dist);
        fetcher.events.event(Event::Archive { name: name.clone() });
        let in_release = fetcher.unpinned(
            &format!("{name} InRelease"),
            &self
                .mirrors
                .addresses(&source.id, &source.release_path(), None),
            imgc_apt::MAX_SIGNED as u64,
        )?;
        let keyring = self.keyrings.get(&source.id).unwrap_or(&source.keyring);
        let expect = source.expect(self.now, not_before);
        let untrusted = |error| BuildError::Release {
            archive: name.clone(),
            error,
        };
        let release = Release::verify(&in_release, keyring, &expect).map_err(untrusted)?;
        let mut read: Vec<Archive> = Vec::new();
        let parts = source.components.iter();
        let parts = parts.flat_map(|component| archs.iter().map(move |arch| (component, arch)));
        for (component, arch) in parts {
            let files = match release.indices(component, arch) {
                // What Debian has for an architecture, others need not have.
                Err(ReleaseError::NoIndex { .. })
                    if source.label.is_none() && Some(arch) != archs.first() =>
                {
                    continue;
                }
                files => files.map_err(untrusted)?,
            };
            for file in files {
                // Packages of all architectures may have an index of their own.
                if read.iter().any(|known| known.index_file.path == file.path) {
                    continue;
                }
                let bytes = self.index(fetcher, source, &release, &file)?;
                let index = Index::parse_packed(&bytes, &file);
                let index = index.map_err(|error| BuildError::Index {
                    archive: name.clone(),
                    error,
                })?;
                read.push(Archive {
                    source: source.clone(),
                    release: release.clone(),
                    index_file: LockedIndex {
                        path: file.path,
                        sha256: Sha256::of(&bytes),
                        size: file.size,
                    },
                    index,
                });
            }
        }
        Ok(read)
    }

    /// The bytes of an index, from the store if it has them. Those that are not known by
    /// SHA-256 are fetched each time; who reads them compares what is known.
    fn index(
        &self,
        fetcher: Fetcher<'_>,
        source: &ArchiveSource,
        release: &Release,
        file: &IndexFile,
    ) -> Result<Vec<u8>, BuildError> {
        let at = |path: &str| self.mirrors.addresses(&source.id, &source.path(path), None);
        let mut addresses = if release.by_hash {
            at(&file.by_hash)
        } else {
            Vec::new()
        };
        addresses.extend(at(&file.path));
        let name = format!("{} {} {}", source.id, source.dist, file.path);
        let Some(sha256) = file.sums.known_sha256() else {
            let limit = file.size.min(imgc_apt::MAX_INDEX);
            return Ok(fetcher.unpinned(&name, &addresses, limit)?);
        };
        let digest = BlobDigest::from_bytes(*sha256.as_bytes());
        fetcher.pinned(&Pin {
            name,
            digest,
            size: file.size,
            addresses,
        })?;
        let bytes = fetcher.store.read(&digest, imgc_apt::MAX_INDEX)?;
        Ok(bytes.ok_or(imgc_store::StoreError::Absent(digest))?)
    }
}
