//! Packages by name to packages by digest: the lock, filled and read.

use std::collections::BTreeMap;

use imgc_apt::{Call, Lock, Request, Vouched};
use imgc_plan::{Arch, Image, Packages, Plan, Variant};
use imgc_store::BlobDigest;

use crate::archive::{Archive, Reading};
use crate::fetch::Pin;
use crate::{BuildError, Builder, Mirrors};

/// What may happen to a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning {
    /// Nothing: what is missing is an error.
    Locked,
    /// What is missing is added.
    AddMissing,
    /// Everything is asked for anew.
    Update,
}

impl Builder<'_> {
    /// Sees to it that `lock` has the packages of every image of `plan`.
    ///
    /// # Errors
    /// [`BuildError::NotLocked`] under [`Pinning::Locked`]; else what reading the
    /// archives or solving says. The lock is then as it was.
    pub fn pin(&self, plan: &Plan, lock: &mut Lock, pinning: Pinning) -> Result<(), BuildError> {
        let mut new = lock.clone();
        // Images of one suite and architecture share the reading of its archives.
        let mut read: BTreeMap<(String, Arch), Vec<Archive>> = BTreeMap::new();
        let mut answered = Vec::new();
        for image in &plan.images {
            let Some(packages) = &image.packages else {
                continue;
            };
            let request = request(image.platform.arch, packages);
            let known = new.lookup(&request).is_some();
            if answered.contains(&request) || (known && pinning != Pinning::Update) {
                continue;
            }
            if pinning == Pinning::Locked {
                return Err(not_locked(image, request));
            }
            let key = (packages.suite.clone(), image.platform.arch);
            if !read.contains_key(&key) {
                let archives = self.archives(&packages.suite, image, lock)?;
                read.insert(key.clone(), archives);
            }
            let archives = &read[&key];
            let indices: Vec<_> = archives.iter().map(|archive| &archive.index).collect();
            let solution =
                imgc_apt::solve(&request, &indices).map_err(|error| BuildError::Solve {
                    image: image.name.clone(),
                    error: Box::new(error),
                })?;
            let vouched: Vec<_> = archives.iter().map(vouched).collect();
            new.insert(&request, &vouched, &solution)?;
            answered.push(request);
        }
        *lock = new;
        Ok(())
    }

    fn archives(
        &self,
        suite: &str,
        image: &Image,
        lock: &Lock,
    ) -> Result<Vec<Archive>, BuildError> {
        let sources = imgc_apt::archives(suite).map_err(|error| BuildError::Suite {
            image: image.name.clone(),
            error,
        })?;
        let reading = Reading {
            mirrors: self.mirrors,
            keyrings: self.keyrings,
            now: self.now,
        };
        reading.suite(self.fetcher(), sources, image.platform.arch, lock)
    }
}

fn vouched(archive: &Archive) -> Vouched<'_> {
    Vouched {
        source: &archive.source,
        release: &archive.release,
        index: &archive.index_file,
    }
}

fn not_locked(image: &Image, request: Request) -> BuildError {
    BuildError::NotLocked {
        image: image.name.clone(),
        request: Box::new(request),
    }
}

/// What an image asks of the solver.
pub fn request(arch: Arch, packages: &Packages) -> Request {
    Request {
        suite: packages.suite.clone(),
        arch: arch.debian().to_owned(),
        variant: match packages.variant {
            Variant::Distroless => imgc_apt::Variant::Distroless,
            Variant::Essential => imgc_apt::Variant::Essential,
            Variant::Apt => imgc_apt::Variant::Apt,
            Variant::Minbase => imgc_apt::Variant::Minbase,
        },
        recommends: packages.recommends,
        names: packages.names.clone(),
    }
}

/// The packages of an image as its lock pins them.
#[derive(Debug, Default)]
pub(crate) struct Pinned {
    /// In the order in which they are unpacked.
    pub(crate) pins: Vec<Pin>,
    /// What is asked of dpkg, in order.
    pub(crate) calls: Vec<Call>,
    /// The same, as the lock writes it.
    pub(crate) call_lines: Vec<String>,
    /// The moment that the image is of, in seconds since 1970.
    pub(crate) epoch: u64,
}

/// What the lock pins for an image.
///
/// # Errors
/// [`BuildError::NotLocked`] where the lock doesn't have them.
pub(crate) fn pins(
    image: &Image,
    packages: &Packages,
    lock: &Lock,
    mirrors: &Mirrors,
) -> Result<Pinned, BuildError> {
    let request = request(image.platform.arch, packages);
    let set = lock
        .lookup(&request)
        .ok_or_else(|| not_locked(image, request))?;
    // The snapshot of an archive at the moment of the newest Release that was read.
    let mut moments = BTreeMap::new();
    let mut mirrors = mirrors.clone();
    for archive in lock.archives_of(set) {
        let moment = moments.entry(archive.id.as_str()).or_insert(archive.date);
        *moment = archive.date.max(*moment);
        if let Some(template) = &archive.snapshots {
            mirrors
                .snapshots
                .entry(archive.id.clone())
                .or_insert_with(|| template.clone());
        }
    }
    let pins = lock.pins(set).map(|pin| {
        let moment = moments.get(pin.archive.as_str()).copied();
        Pin {
            name: pin.key.to_string(),
            digest: BlobDigest::from_bytes(*pin.sha256.as_bytes()),
            size: pin.size,
            addresses: mirrors.addresses(&pin.archive, &pin.path, moment),
        }
    });
    Ok(Pinned {
        pins: pins.collect(),
        calls: set.calls.clone(),
        call_lines: set.call_lines(),
        epoch: lock.epoch(set),
    })
}
