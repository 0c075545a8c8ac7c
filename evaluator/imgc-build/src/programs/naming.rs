//! Which package has a library: asked of the archive's index of contents, which is fetched
//! when something is missing and never before. Its digest is in the signed `Release`.
//!
//! Where that can't be had, a package whose name says so is named, as far as the index of
//! packages is there that the lock names.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _};

use flate2::read::MultiGzDecoder;
use imgc_apt::{Index, Lock, LockedArchive, LockedIndex, Release, Request};
use imgc_plan::{Image, Packages};
use imgc_store::BlobDigest;

use super::{Lack, wanted};
use crate::fetch::Pin;
use crate::pin::request;
use crate::{BuildError, Builder, Event};

/// The largest index of contents that is fetched, in bytes.
const MAX_PACKED: u64 = 256 << 20;

/// The largest index of contents that is read, in bytes.
const MAX_CONTENTS: u64 = 8 << 30;

/// The longest line of it.
const MAX_LINE: u64 = 64 << 10;

impl Builder<'_> {
    /// Adds the packages that have what programs lack, as far as they can be found out.
    pub(crate) fn with_packages(
        &self,
        error: BuildError,
        image: &Image,
        lock: &Lock,
    ) -> BuildError {
        let BuildError::Programs {
            image: name,
            mut programs,
        } = error
        else {
            return error;
        };
        if let Some(packages) = &image.packages {
            let lacks = || programs.iter().flat_map(|program| &program.lacks);
            let paths: BTreeSet<String> = lacks().flat_map(|lack| wanted(lack, image)).collect();
            let mut found = BTreeMap::new();
            if !paths.is_empty() {
                found = self
                    .contents(image, packages, lock, &paths)
                    .unwrap_or_default();
                if found.is_empty() {
                    let names: Vec<&str> = lacks().filter_map(Lack::name).collect();
                    let request = request(image, packages);
                    let read = |archive: &_, locked: &_| self.index_bytes(archive, locked);
                    found = by_name(lock, &request, &names, read);
                }
            }
            for lack in programs.iter_mut().flat_map(|program| &mut program.lacks) {
                let paths = wanted(lack, image);
                let first = paths.iter().find_map(|path| found.get(path));
                let named = lack.name().and_then(|name| found.get(name));
                let of = first.or(named).cloned().unwrap_or_default();
                if let Lack::Interpreter { packages, .. } | Lack::Library { packages, .. } = lack {
                    *packages = of;
                }
            }
        }
        BuildError::Programs {
            image: name,
            programs,
        }
    }

    /// The packages that have files at these paths, by path. None where it can't be found
    /// out.
    fn contents(
        &self,
        image: &Image,
        packages: &Packages,
        lock: &Lock,
        paths: &BTreeSet<String>,
    ) -> Option<BTreeMap<String, Vec<String>>> {
        let arch = image.platform.arch.debian();
        let request = request(image, packages);
        let sources = imgc_apt::archives_of(&request, &BTreeMap::new()).ok()?;
        let source = sources.iter().find(|one| one.dist == packages.suite)?;
        let name = format!("{} {}", source.id, source.dist);
        self.events.event(Event::Archive { name: name.clone() });
        let at = |path: &str| self.mirrors.addresses(&source.id, path, None);
        let addresses = at(&source.release_path());
        let limit = imgc_apt::MAX_SIGNED as u64;
        let signed = self.fetcher().unpinned(&name, &addresses, limit).ok()?;
        let keyring = self.keyrings.get(&source.id).unwrap_or(&source.keyring);
        let expect = source.expect(self.now, lock.not_before(&source.id, &source.dist));
        let release = Release::verify(&signed, keyring, &expect).ok()?;
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for component in &source.components {
            let Some(file) = release.contents(component, arch) else {
                continue;
            };
            let digest = BlobDigest::from_bytes(*file.sums.known_sha256()?.as_bytes());
            if file.size > MAX_PACKED {
                return None;
            }
            let mut addresses = Vec::new();
            if release.by_hash {
                addresses.extend(at(&source.path(&file.by_hash)));
            }
            addresses.extend(at(&source.path(&file.path)));
            let fetched = self.fetcher().pinned(&Pin {
                name: format!("{name} {}", file.path),
                digest,
                size: file.size,
                addresses,
            });
            fetched.ok()?;
            let blob = self.store.open_sized(&digest, file.size).ok()??;
            look_up(MultiGzDecoder::new(blob), paths, &mut found)?;
        }
        let found = found.into_iter();
        Some(
            found
                .map(|(path, all)| (path, all.into_iter().collect()))
                .collect(),
        )
    }

    /// The bytes of an index that the lock names.
    fn index_bytes(&self, archive: &LockedArchive, locked: &LockedIndex) -> Option<Vec<u8>> {
        let digest = BlobDigest::from_bytes(*locked.sha256.as_bytes());
        let path = format!("dists/{}/{}", archive.dist, locked.path);
        let fetched = self.fetcher().pinned(&Pin {
            name: format!("{} {}", archive.dist, locked.path),
            digest,
            size: locked.size,
            addresses: self
                .mirrors
                .addresses(&archive.id, &path, Some(archive.date)),
        });
        fetched.ok()?;
        self.store.read(&digest, imgc_apt::MAX_INDEX).ok()?
    }
}

/// The packages that are named after libraries, as Debian's policy wants it (chapter 8): by
/// the names of the libraries. `read` gives the bytes of an index, if they can be had.
pub(super) fn by_name(
    lock: &Lock,
    request: &Request,
    names: &[&str],
    read: impl Fn(&LockedArchive, &LockedIndex) -> Option<Vec<u8>>,
) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let Some(set) = lock.lookup(request) else {
        return found;
    };
    let archives = lock.archives_of(set);
    let indices = archives.flat_map(|one| one.indices.iter().map(move |index| (one, index)));
    for (archive, locked) in indices {
        let index = read(archive, locked);
        let index = index.and_then(|bytes| Index::parse_locked(&bytes, locked).ok());
        let Some(index) = index else { continue };
        for name in names {
            for package in package_names(name) {
                if index.named(&package).next().is_some() {
                    found.entry((*name).to_owned()).or_insert(vec![package]);
                }
            }
        }
    }
    found
}

/// What the package of a library is called: `libssl.so.3` is in `libssl3`, or in `libssl3t64`
/// since times have 64 bits.
pub(super) fn package_names(library: &str) -> Vec<String> {
    let Some((stem, version)) = library.split_once(".so") else {
        return Vec::new();
    };
    let version = version.trim_start_matches('.');
    let dash = stem.ends_with(|last: char| last.is_ascii_digit()) && !version.is_empty();
    let name = format!("{stem}{}{version}", if dash { "-" } else { "" });
    let name = name.to_lowercase().replace('_', "-");
    vec![format!("{name}t64"), name]
}

/// Looks up paths in an index of contents: lines of a path without a slash in front, spaces,
/// and packages with their sections, commas between them. None where it is none.
pub(super) fn look_up(
    index: impl std::io::Read,
    paths: &BTreeSet<String>,
    found: &mut BTreeMap<String, BTreeSet<String>>,
) -> Option<()> {
    let mut index = BufReader::with_capacity(256 << 10, index.take(MAX_CONTENTS));
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut index).take(MAX_LINE).read_until(b'\n', &mut line);
        if read.ok()? == 0 {
            return Some(());
        }
        let Ok(text) = std::str::from_utf8(&line) else {
            continue;
        };
        let Some((path, packages)) = text.trim_end().rsplit_once([' ', '\t']) else {
            continue;
        };
        let path = format!("/{}", path.trim_end().trim_start_matches("./"));
        if let Some(path) = paths.get(&path) {
            let names = packages.split(',').filter_map(|one| one.rsplit('/').next());
            let entry = found.entry(path.clone()).or_default();
            entry.extend(names.map(str::to_owned));
        }
    }
}
