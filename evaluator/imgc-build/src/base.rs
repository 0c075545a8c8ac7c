//! What an image is laid over: an image of a registry, brought into the store, checked, and
//! read back. Its layers are kept as the registry has them, for whoever gets the image, and
//! as uncompressed archives, to read files from.

use std::io;

use imgc_apt::{Index, LockedBase, LockedBlob, LockedLayer, PackageKey, Sha256};
use imgc_dpkg::{Package, System};
use imgc_layer::{Allowance, Compression, Keep};
use imgc_oci::BaseImage;
use imgc_oci::read::{Files, Limits, Opened, Wanted, open_layout};
use imgc_plan::{Action, Base, Image, Packages};
use imgc_store::{BlobDigest, Store, StoreError};
use imgc_tree::{SegmentId, Tree, TreePath};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::packages::Bytes;
use crate::realise::{self, About, Output, realise};
use crate::{BuildError, Builder, Event, abi};

/// Files of at most so many bytes are kept in memory.
const INLINE: u64 = 4096;

/// The suites whose name an `os-release` does not tell, as it is that of the next release.
const UNNAMED: [&str; 4] = ["sid", "unstable", "testing", "experimental"];

/// Opens images of registries.
pub trait Registries: Sync {
    /// An image as the files of a layout. What of it is asked for is brought into `store`,
    /// and what is there already is not fetched.
    ///
    /// # Errors
    /// Why it can't be had, in words for the user.
    fn open<'a>(
        &'a self,
        base: &Base,
        store: &'a dyn Store,
    ) -> Result<Box<dyn Files + 'a>, RegistryError>;
}

/// Why a registry's image can't be had: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError {
    /// What happened, as a sentence without a full stop.
    pub message: String,
    /// What led to it, a line each.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

/// Why an image can't be laid over another.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The registry.
    #[error("{}", .0.message)]
    Registry(RegistryError),
    /// Its documents or layers are not what they should be.
    #[error("{0}")]
    Read(#[from] imgc_oci::read::ReadError),
    /// Nothing can be laid over it.
    #[error("{0}")]
    Image(#[from] imgc_oci::BaseImageError),
    /// It is not what the lock has.
    #[error("it is not what imgc.lock has: {0}")]
    Lock(&'static str),
    /// Its files can't be read back.
    #[error("its layers can't be read: {0}")]
    Layers(io::Error),
    /// Packages can't be installed over it.
    #[error("no packages can be installed over it: {}", chain(.0))]
    System(imgc_dpkg::SystemError),
    /// Its packages can't be read as an archive's.
    #[error("its packages can't be read: {0}")]
    Index(#[from] imgc_apt::IndexError),
    /// It is another system than the packages are for.
    #[error("it is {found}, and the packages are to come from {wanted}")]
    Release {
        /// What it says that it is.
        found: String,
        /// The suite of the packages.
        wanted: String,
    },
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        None => error.to_string(),
        Some(source) => format!("{error}: {}", chain(source)),
    }
}

/// What `archive` yields: a layer of a base, uncompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Archived {
    archive: BlobDigest,
    pub(crate) size: u64,
    /// The layer itself, which images need.
    layer: BlobDigest,
    layer_size: u64,
}

impl Output for Archived {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        vec![(self.archive, self.size), (self.layer, self.layer_size)]
    }
}

impl Builder<'_> {
    /// Asks the registry for a base, and reads all of it, for the lock.
    pub(crate) fn lock_base(&self, image: &Image, base: &Base) -> Result<LockedBase, BuildError> {
        let fail = |error| failed(image, base, error);
        let files = self.registries.open(base, self.store);
        let files = files.map_err(|error| fail(BaseError::Registry(error)))?;
        self.events.event(Event::Archive {
            name: base.to_string(),
        });
        let opened = self.opened(image, base, &*files)?;
        let read = BaseImage::of(&opened, image.platform).map_err(|error| fail(error.into()))?;
        let document = |descriptor: imgc_oci::Descriptor| LockedBlob {
            sha256: Sha256::from_bytes(*descriptor.digest.as_bytes()),
            size: descriptor.size,
        };
        let manifest = opened.manifest.as_ref().map(|manifest| manifest.descriptor);
        let layers = read.layers.iter().map(|layer| LockedLayer {
            blob: document(layer.blob),
            archive: Sha256::from_bytes(*layer.diff_id.as_bytes()),
            compression: compression_name(layer.compression).to_owned(),
        });
        let mut locked = LockedBase {
            reference: base.to_string(),
            arch: image.platform.arch.debian().to_owned(),
            created: read.created.as_deref().and_then(created),
            manifest: document(manifest.unwrap_or(opened.config.descriptor)),
            config: document(opened.config.descriptor),
            layers: layers.collect(),
            packages: Vec::new(),
        };
        self.archives(image, base, &locked, Some(&opened))?;
        let tree = self.base_tree(image, base, &locked)?;
        let bytes = Bytes::of(self.store, None);
        let listed = imgc_dpkg::listed(&tree, &bytes);
        let listed = listed.map_err(|error| fail(BaseError::System(error)))?;
        locked.packages = listed.iter().map(key).collect();
        locked.packages.sort();
        Ok(locked)
    }

    /// The documents of a base.
    fn opened<'f>(
        &self,
        image: &Image,
        base: &Base,
        files: &'f dyn Files,
    ) -> Result<Opened<'f>, BuildError> {
        let opened = open_layout(files, &Wanted::Only, image.platform);
        opened.map_err(|error| failed(image, base, error.into()))
    }

    /// Sees to it that the layers of a base are in the store, as they are and uncompressed.
    /// How long each is uncompressed, in bytes.
    pub(crate) fn base_layers(
        &self,
        image: &Image,
        base: &Base,
        locked: &LockedBase,
    ) -> Result<Vec<u64>, BuildError> {
        let known = locked.layers.iter().map(|layer| {
            let (abi, action) = archive_action(layer);
            Ok(realise::find::<Archived>(self.store, abi, action)?.map(|found| found.size))
        });
        let known: Result<Option<Vec<u64>>, BuildError> = known.collect();
        match known? {
            Some(sizes) => {
                self.events.event(Event::Reuse { kind: "archive" });
                Ok(sizes)
            }
            None => self.archives(image, base, locked, None),
        }
    }

    /// What a base tells a runtime, and its layers, from its documents.
    pub(crate) fn base_image(
        &self,
        image: &Image,
        base: &Base,
        locked: &LockedBase,
    ) -> Result<BaseImage, BuildError> {
        let fail = |error| failed(image, base, error);
        let files = self.registries.open(base, self.store);
        let files = files.map_err(|error| fail(BaseError::Registry(error)))?;
        let opened = self.opened(image, base, &*files)?;
        compare(&opened, locked).map_err(fail)?;
        BaseImage::of(&opened, image.platform).map_err(|error| fail(error.into()))
    }

    /// Uncompresses the layers of a base; what of them is missing is fetched.
    fn archives(
        &self,
        image: &Image,
        base: &Base,
        locked: &LockedBase,
        opened: Option<&Opened<'_>>,
    ) -> Result<Vec<u64>, BuildError> {
        let fail = |error| failed(image, base, error);
        let Some(opened) = opened else {
            let files = self.registries.open(base, self.store);
            let files = files.map_err(|error| fail(BaseError::Registry(error)))?;
            let opened = self.opened(image, base, &*files)?;
            return self.archives(image, base, locked, Some(&opened));
        };
        compare(opened, locked).map_err(fail)?;
        let limits = Limits::IMAGE;
        let pairs = opened.layers.par_iter().zip(&locked.layers);
        let made: Vec<Result<u64, BuildError>> = pairs
            .map(|(layer, pinned)| {
                let about = About {
                    kind: "archive",
                    name: &layer.descriptor.digest.hex()[..12],
                    said: serde_json::Value::Null,
                };
                let made = realise(self, archive_action(pinned), about, || {
                    let mut writer = self.store.writer()?;
                    opened
                        .archive(layer, &limits, |archive| {
                            io::copy(archive, &mut writer).map(drop)
                        })
                        .map_err(|error| fail(error.into()))?;
                    let (archive, size) = writer.commit()?;
                    // An uncompressed layer is its own archive.
                    Ok(Archived {
                        archive,
                        size,
                        layer: layer.descriptor.digest,
                        layer_size: layer.descriptor.size,
                    })
                })?;
                Ok(made.size)
            })
            .collect();
        let sizes: Result<Vec<u64>, BuildError> = made.into_iter().collect();
        let sizes = sizes?;
        if sizes
            .iter()
            .fold(0_u64, |sum, size| sum.saturating_add(*size))
            > limits.bytes
        {
            let text = format!("they have more than {} bytes", limits.bytes);
            let error = io::Error::new(io::ErrorKind::QuotaExceeded, text);
            return Err(fail(BaseError::Layers(error)));
        }
        Ok(sizes)
    }

    /// The files of a base, whose layers are in the store.
    pub(crate) fn base_tree(
        &self,
        image: &Image,
        base: &Base,
        locked: &LockedBase,
    ) -> Result<Tree, BuildError> {
        let mut tree = Tree::new(0);
        let mut allowance = Allowance::IMAGE;
        for layer in &locked.layers {
            self.check_stop()?;
            let digest = blob(&layer.archive);
            let archive = self
                .store
                .open(&digest)?
                .ok_or(StoreError::Absent(digest))?;
            let archive = io::BufReader::with_capacity(128 * 1024, archive);
            let keep = Keep {
                inline: INLINE,
                layer: Some(SegmentId(*digest.as_bytes())),
            };
            imgc_layer::apply_within(&mut tree, archive, keep, &mut allowance)
                .map_err(|error| failed(image, base, BaseError::Layers(error)))?;
        }
        Ok(tree)
    }

    /// A base's files with its packages, for more packages.
    pub(crate) fn base_system(
        &self,
        image: &Image,
        base: &Base,
        tree: Tree,
    ) -> Result<System, BuildError> {
        let bytes = Bytes::of(self.store, None);
        let system = System::read(tree, image.platform.arch.debian(), &bytes);
        match bytes.damaged() {
            Some(error) => Err(error.into()),
            None => system.map_err(|error| failed(image, base, BaseError::System(error))),
        }
    }

    /// The packages of a base, for solving over them.
    pub(crate) fn base_index(
        &self,
        image: &Image,
        base: &Base,
        locked: &LockedBase,
        packages: &Packages,
    ) -> Result<Index, BuildError> {
        let fail = |error| failed(image, base, error);
        self.base_layers(image, base, locked)?;
        let tree = self.base_tree(image, base, locked)?;
        self.check_release(&tree, packages).map_err(fail)?;
        let system = self.base_system(image, base, tree)?;
        let installed = system.installed();
        let installed = installed.map(|(package, stanza)| (key(package), stanza));
        Index::of_installed(installed).map_err(|error| fail(error.into()))
    }

    /// Refuses packages of another release than the base says that it is of.
    fn check_release(&self, tree: &Tree, packages: &Packages) -> Result<(), BaseError> {
        let bytes = Bytes::of(self.store, None);
        let path = TreePath::new(b"etc/os-release").expect("a plain path");
        let content = tree
            .resolve(&path)
            .and_then(|at| match &tree.get(&at)?.kind {
                imgc_tree::Kind::Regular(content) => Some(content.clone()),
                _ => None,
            });
        let Some(content) = content else {
            return Ok(());
        };
        if content.size > 1 << 20 {
            let large = io::Error::other("its /etc/os-release is too large");
            return Err(BaseError::Layers(large));
        }
        let text = imgc_dpkg::Reader::read(&bytes, &content);
        let text = text.map_err(|reason| BaseError::Layers(io::Error::other(reason)))?;
        let text = String::from_utf8_lossy(&text);
        let said = |name: &str| {
            let mut lines = text.lines();
            let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            found.map(|value| value.trim_matches(['"', '\'']).to_owned())
        };
        let wanted = &packages.suite;
        let found = match (said("ID"), said("VERSION_CODENAME")) {
            (Some(id), _) if id != "debian" => id,
            (_, Some(name)) if name != *wanted && !UNNAMED.contains(&wanted.as_str()) => name,
            _ => return Ok(()),
        };
        let wanted = wanted.clone();
        Err(BaseError::Release { found, wanted })
    }
}

/// The archives of a base's layers, lowest first.
pub(crate) fn archives_of(locked: &LockedBase) -> Vec<BlobDigest> {
    let layers = locked.layers.iter();
    layers.map(|layer| blob(&layer.archive)).collect()
}

/// What is asked where a layer is to be uncompressed.
pub(crate) fn archive_action(layer: &LockedLayer) -> (u32, Action) {
    let action = Action::Archive {
        layer: blob(&layer.blob.sha256),
        archive: blob(&layer.archive),
        compression: layer.compression.clone(),
    };
    (abi::ARCHIVE, action)
}

/// A digest of the lock as the store's.
pub(crate) fn blob(sha256: &Sha256) -> BlobDigest {
    BlobDigest::from_bytes(*sha256.as_bytes())
}

fn key(package: &Package) -> PackageKey {
    PackageKey {
        name: package.name.clone(),
        version: package.version.clone(),
        arch: package.architecture.clone(),
    }
}

/// Whether what a registry has is what the lock has.
fn compare(opened: &Opened<'_>, locked: &LockedBase) -> Result<(), BaseError> {
    let is = |found: imgc_oci::Descriptor, pinned: &LockedBlob| {
        (found.digest, found.size) == (blob(&pinned.sha256), pinned.size)
    };
    let manifest = opened.manifest.as_ref().map(|manifest| manifest.descriptor);
    if !manifest.is_some_and(|found| is(found, &locked.manifest)) {
        return Err(BaseError::Lock("another manifest"));
    }
    if !is(opened.config.descriptor, &locked.config) {
        return Err(BaseError::Lock("another configuration"));
    }
    let layers = opened.layers.iter().zip(&locked.layers);
    let mut differ = layers.filter(|(found, pinned)| {
        !is(found.descriptor, &pinned.blob)
            || *found.diff_id.as_bytes() != *pinned.archive.as_bytes()
    });
    if opened.layers.len() != locked.layers.len() || differ.next().is_some() {
        return Err(BaseError::Lock("other layers"));
    }
    Ok(())
}

fn compression_name(compression: Compression) -> &'static str {
    match compression {
        Compression::Zstd(_) => "zstd",
        Compression::Gzip(_) => "gzip",
        Compression::None => "none",
    }
}

/// Seconds since 1970, of a time in UTC of which parts of a second do not count.
fn created(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z')?;
    let (whole, _) = text.split_once('.').unwrap_or((text, ""));
    imgc_apt::parse_rfc3339(&format!("{whole}Z"))
}

fn failed(image: &Image, base: &Base, error: BaseError) -> BuildError {
    BuildError::Base {
        image: image.name.clone(),
        base: base.to_string(),
        error: Box::new(error),
    }
}
