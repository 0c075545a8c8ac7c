//! Archives as they are now: each `InRelease` verified, each index by its hash.

use std::collections::BTreeMap;

use imgc_apt::{ArchiveSource, Epoch, Index, IndexFile, Keyring, Lock, Release};
use imgc_plan::Arch;
use imgc_store::BlobDigest;

use crate::fetch::{Fetcher, Pin};
use crate::{BuildError, Event, Mirrors};

/// One archive of a suite, verified.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) source: ArchiveSource,
    pub(crate) release: Release,
    pub(crate) index_file: IndexFile,
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
    /// Reads every archive of a suite. None may be older than `lock` has seen it.
    ///
    /// # Errors
    /// The first of them, in the order of the archives, that can't be had or is not to
    /// be trusted.
    pub(crate) fn suite(
        &self,
        fetcher: Fetcher<'_>,
        sources: Vec<ArchiveSource>,
        arch: Arch,
        lock: &Lock,
    ) -> Result<Vec<Archive>, BuildError> {
        std::thread::scope(|scope| {
            let reading: Vec<_> = sources
                .into_iter()
                .map(|source| {
                    let oldest = lock.not_before(source.id, &source.dist);
                    scope.spawn(move || self.one(fetcher, source, arch, oldest))
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
        })
    }

    fn one(
        &self,
        fetcher: Fetcher<'_>,
        source: ArchiveSource,
        arch: Arch,
        not_before: Option<Epoch>,
    ) -> Result<Archive, BuildError> {
        let name = format!("{} {}", source.id, source.dist);
        fetcher.events.event(Event::Archive { name: name.clone() });
        let at = |path: &str| self.mirrors.addresses(source.id, path, None);

        let in_release = fetcher.unpinned(
            &format!("{name} InRelease"),
            &at(&source.release_path()),
            imgc_apt::MAX_SIGNED as u64,
        )?;
        let keyring = self.keyrings.get(source.id).unwrap_or(&source.keyring);
        let expect = source.expect(self.now, not_before);
        let untrusted = |error| BuildError::Release {
            archive: name.clone(),
            error,
        };
        let release = Release::verify(&in_release, keyring, &expect).map_err(untrusted)?;
        let index_file = release
            .index(source.component, arch.debian())
            .map_err(untrusted)?;

        let mut addresses = if release.by_hash {
            at(&source.path(&index_file.by_hash))
        } else {
            Vec::new()
        };
        addresses.extend(at(&source.path(&index_file.path)));
        let digest = BlobDigest::from_bytes(*index_file.sha256.as_bytes());
        fetcher.pinned(&Pin {
            name: format!("{name} {}", index_file.path),
            digest,
            size: index_file.size,
            addresses,
        })?;
        let bytes = fetcher
            .store
            .read(&digest, imgc_apt::MAX_INDEX)?
            .ok_or(imgc_store::StoreError::Absent(digest))?;
        let index = Index::parse_xz(&bytes, &index_file).map_err(|error| BuildError::Index {
            archive: name.clone(),
            error,
        })?;
        Ok(Archive {
            source,
            release,
            index_file,
            index,
        })
    }
}
