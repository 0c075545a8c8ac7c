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

use crate::fetch::Fetcher;
use crate::packages::{self, Report, Scripts};
use crate::pin::Pinned;
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
    /// What of the packages' maintainer scripts was not done.
    pub report: Report,
}

/// What the maintainer scripts of an image did.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The packages and their versions, in the order of the lock.
    pub packages: Vec<(String, String)>,
    /// What was done to the tree, in order.
    pub effects: Vec<imgc_dpkg::Effect>,
    /// What was declined by policy, in order.
    pub declined: Vec<imgc_dpkg::Declined>,
    /// The packages whose scripts the image says to skip.
    pub skipped: Vec<Scripts>,
    /// What was done in the place of scripts, as the image says.
    pub stated: Vec<imgc_dpkg::Done>,
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
        let pinned = match &image.packages {
            None => Pinned::default(),
            Some(packages) => pin::pins(image, packages, lock, self.mirrors)?,
        };
        let action = Action::Request {
            image: Box::new(image.clone()),
            epoch: pinned.epoch,
            packages: pinned.pins.iter().map(|pin| pin.digest).collect(),
            calls: pinned.call_lines.clone(),
            abis: BTreeMap::from([
                ("unpack".to_owned(), abi::UNPACK),
                ("install".to_owned(), abi::INSTALL),
                ("files".to_owned(), abi::FILES),
            ]),
        };
        let kind = ("image", abi::IMAGE, action);
        let mut built = realise(self.store, self.events, kind, &image.name, || {
            self.make(image, &pinned)
        })?;
        // Words are not meaning: what is kept does not depend on them.
        for skipped in &mut built.report.skipped {
            skipped.reason = packages::reason(image, &skipped.package);
        }
        Ok(built)
    }

    /// Installs an image's packages in memory, for what their scripts did. None for an
    /// image without packages.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn scripts(&self, image: &Image, lock: &Lock) -> Result<Option<Ran>, BuildError> {
        let Some(packages) = &image.packages else {
            return Ok(None);
        };
        let pinned = pin::pins(image, packages, lock, self.mirrors)?;
        let parts = self.parts(&pinned.pins)?;
        let installed = self.install(&parts, image, &pinned)?;
        let mut skipped = packages::report(&installed).skipped;
        for one in &mut skipped {
            one.reason = packages::reason(image, &one.package);
        }
        let names = parts.iter().map(|part| {
            let package = &part.fragment.package;
            (package.qualified(), package.version.clone())
        });
        Ok(Some(Ran {
            packages: names.collect(),
            effects: installed.effects,
            declined: installed.declined,
            skipped,
            stated: installed.stated,
        }))
    }

    fn make(&self, image: &Image, pinned: &Pinned) -> Result<Built, BuildError> {
        let epoch = pinned.epoch;
        let mut layers = Vec::new();
        let mut report = Report::default();
        let parts = self.parts(&pinned.pins)?;
        // Both layers may need the packages' tree: it is made at most once.
        let installed = OnceCell::new();
        let install = || match installed.get() {
            Some(installed) => Ok(installed),
            None => {
                let made = self.install(&parts, image, pinned)?;
                Ok(installed.get_or_init(|| made))
            }
        };
        if image.packages.is_some() {
            let made = self.package_layer(&parts, install, image, pinned)?;
            layers.push(imgc_oci::LayerUse {
                layer: made.layer,
                created_by: "imgc: packages".to_owned(),
            });
            report = made.report;
        }
        if has_own_files(image) {
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
            report,
        })
    }
}

/// Whether anything is to be laid over the packages, or somebody is named who must be there.
fn has_own_files(image: &Image) -> bool {
    !image.files.is_empty()
        || !image.users.is_empty()
        || !image.groups.is_empty()
        || image.config.user.is_some()
}

impl std::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("mirrors", &self.mirrors)
            .finish_non_exhaustive()
    }
}
