//! The builder: what a build needs from outside, and the walk from a description
//! to an image.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::Read;

use imgc_apt::{Keyring, Lock};
use imgc_plan::{Action, FileDigest, Image};
use imgc_store::{BlobDigest, Store};
use imgc_tree::Tree;
use serde::{Deserialize, Serialize};

use crate::fetch::{Fetcher, Pin};
use crate::packages::{self, Part, Scripts};
use crate::realise::{Output, realise};
use crate::{BuildError, Events, Mirrors, Transport, abi, pin};

/// The files of the project, found by their digest.
pub trait Sources: Sync {
    /// Opens the file that had `digest` when the image was evaluated. Whoever reads
    /// compares the digest.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, digest: &FileDigest) -> std::io::Result<Box<dyn Read>>;
}

/// All that building needs from outside.
#[derive(Clone, Copy)]
pub struct Builder<'a> {
    /// Where everything that is made is kept.
    pub store: &'a dyn Store,
    /// The network.
    pub transport: &'a dyn Transport,
    /// Where the archives are.
    pub mirrors: &'a Mirrors,
    /// Keys by archive, in place of the embedded ones.
    pub keyrings: &'a BTreeMap<String, Keyring>,
    /// Who is told what happens.
    pub events: &'a dyn Events,
    /// The files of the project.
    pub sources: &'a dyn Sources,
    /// The time in seconds since 1970, to check signatures and `Valid-Until` by.
    /// Nothing that is built depends on it.
    pub now: Option<u64>,
}

/// A finished image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// Its documents and layers, all in the store.
    #[serde(flatten)]
    pub image: imgc_oci::Image,
    /// The packages whose maintainer scripts were not interpreted.
    pub scripts: Vec<Scripts>,
}

impl Output for Built {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        self.image
            .blobs()
            .map(|descriptor| (descriptor.digest, descriptor.size))
            .collect()
    }
}

impl<'a> Builder<'a> {
    pub(crate) fn fetcher(&self) -> Fetcher<'a> {
        Fetcher {
            store: self.store,
            transport: self.transport,
            events: self.events,
        }
    }

    /// Builds one image from its description and its pins.
    ///
    /// The first question is whether the store has the whole image: a build that has
    /// nothing to do reads no package.
    ///
    /// # Errors
    /// [`BuildError`]; nothing half-made is in the store.
    pub fn build(&self, image: &Image, lock: &Lock) -> Result<Built, BuildError> {
        let (pins, epoch) = match &image.packages {
            None => (Vec::new(), 0),
            Some(packages) => pin::pins(image, packages, lock, self.mirrors)?,
        };
        let action = Action::Request {
            image: Box::new(image.clone()),
            epoch,
            packages: pins.iter().map(|pin| pin.digest).collect(),
            abis: BTreeMap::from([
                ("unpack".to_owned(), abi::UNPACK),
                ("install".to_owned(), abi::INSTALL),
                ("files".to_owned(), abi::FILES),
            ]),
        };
        let kind = ("image", abi::IMAGE, action);
        realise(self.store, self.events, kind, &image.name, || {
            self.make(image, &pins, epoch)
        })
    }

    fn make(&self, image: &Image, pins: &[Pin], epoch: u64) -> Result<Built, BuildError> {
        let arch = image.platform.arch;
        let mut layers = Vec::new();
        let mut scripts = Vec::new();
        let parts = self.parts(pins)?;
        // Both layers may need the packages' tree: it is made at most once.
        let installed = OnceCell::new();
        let install = || match installed.get() {
            Some(installed) => Ok(installed),
            None => {
                let made = packages::install(&parts, arch, epoch)?;
                Ok(installed.get_or_init(|| made))
            }
        };
        if image.packages.is_some() {
            let made = self.package_layer(&parts, install, (arch, epoch))?;
            layers.push(imgc_oci::LayerUse {
                layer: made.layer,
                created_by: "imgc: packages".to_owned(),
            });
            scripts = made.scripts;
        }
        if has_own_files(image, &parts) {
            let under = layers.first().map(|used| used.layer);
            let made = if image.packages.is_some() {
                self.files_layer(image, under.as_ref(), epoch, || Ok(&install()?.tree))?
            } else {
                let empty = Tree::new(i64::try_from(epoch).unwrap_or(i64::MAX));
                self.files_layer(image, None, epoch, || Ok(&empty))?
            };
            if let Some(layer) = made.layer {
                layers.push(imgc_oci::LayerUse {
                    layer,
                    created_by: "imgc: files".to_owned(),
                });
            }
        }
        let spec = imgc_oci::ImageSpec {
            platform: image.platform,
            epoch,
            config: &image.config,
            layers: &layers,
        };
        Ok(Built {
            image: imgc_oci::write_image(self.store, &spec)?,
            scripts,
        })
    }
}

/// Whether anything is to be laid over the packages: what the image names, or the
/// accounts that the packages bring a list of.
fn has_own_files(image: &Image, parts: &[Part]) -> bool {
    !image.files.is_empty()
        || !image.users.is_empty()
        || !image.groups.is_empty()
        || image.config.user.is_some()
        || parts
            .iter()
            .any(|part| part.fragment.package.name == "base-passwd")
}

impl std::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("mirrors", &self.mirrors)
            .finish_non_exhaustive()
    }
}
