//! The builder: what a build needs from outside, and the walk from a description
//! to an image.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use imgc_apt::{Keyring, Lock};
use imgc_layer::LayerError;
use imgc_plan::{Action, FileDigest, Image};
use imgc_store::{BlobDigest, Store, StoreError};
use imgc_tree::Tree;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ahead::Early;
use crate::fetch::Fetcher;
use crate::own_files::without_addresses;
use crate::packages::{self, PackageLayers, Ready, Report, Scripts};
use crate::parts::{Part, Parts};
use crate::pin::Pinned;
use crate::realise::{self, About, Output, realise};
use crate::{BuildError, Event, Events, Mirrors, Registries, Transport, abi, base, layering, pin};

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
    /// The images of registries that others are laid over.
    pub registries: &'a dyn Registries,
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
    /// How much memory unpacking may take, in bytes. At least one package is unpacked at a
    /// time, whatever this says.
    pub memory: u64,
    /// Set from outside, it ends the build as soon as that can be.
    pub stop: &'a AtomicBool,
}

/// Something that went wrong in a build.
#[derive(Debug)]
pub struct Failed {
    /// The image. None where it is a package's, which several images may need.
    pub image: Option<String>,
    /// What.
    pub error: BuildError,
}

/// A finished image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// Its documents and layers, all in the store.
    #[serde(flatten)]
    pub image: imgc_oci::Image,
    /// What of the packages' maintainer scripts was not done.
    pub report: Report,
    /// What its layers are, lowest first.
    #[serde(default)]
    pub contents: Vec<LayerContents>,
    /// What it is laid over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<imgc_plan::Base>,
}

/// What a layer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerContents {
    /// What it has.
    pub what: LayerKind,
    /// The length of its uncompressed form, in bytes.
    pub tar_size: u64,
    /// The packages whose files are in it as they were unpacked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
}

/// What a layer is there for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// A layer of the image that it is laid over.
    Base,
    /// A group of packages, by its name.
    Group(String),
    /// All other packages, what their scripts did, and dpkg's database.
    Packages,
    /// The image's own files and users.
    Files,
}

/// An image that has to be made.
struct Todo<'a> {
    /// Its place among those that were asked for.
    at: usize,
    image: &'a Image,
    pinned: Pinned,
    /// The layers of its packages, if they are there.
    installed: Option<PackageLayers>,
}

/// What the store has of an image.
enum Asked {
    /// All of it.
    Built(Built),
    /// Not all. The layers of its packages, if they are there.
    Todo {
        pinned: Pinned,
        installed: Option<PackageLayers>,
    },
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
            stop: self.stop,
        }
    }

    /// Whether the build is to go on.
    ///
    /// # Errors
    /// [`BuildError::Interrupted`] if not.
    pub(crate) fn check_stop(&self) -> Result<(), BuildError> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(BuildError::Interrupted),
            false => Ok(()),
        }
    }

    /// Builds one image from its description and its pins.
    ///
    /// # Errors
    /// The first of those of [`build_all`](Self::build_all).
    pub fn build(&self, image: &Image, lock: &Lock) -> Result<Built, BuildError> {
        let built = self.build_all(&[(image, lock)]);
        built
            .map(|mut built| built.remove(0))
            .map_err(|mut errors| errors.remove(0).error)
    }

    /// Builds images from their descriptions and their pins: everything that can be done
    /// at the same time is, and what several need is made once. An image that fails does
    /// not keep the others from being built.
    ///
    /// The first question is whether the store has the whole image: a build that has
    /// nothing to do reads no package. What turns out to be damaged in the store is made
    /// anew, once.
    ///
    /// # Errors
    /// Everything that went wrong, in the order of the images; nothing half-made is in the
    /// store.
    pub fn build_all(&self, images: &[(&Image, &Lock)]) -> Result<Vec<Built>, Vec<Failed>> {
        let mut slots: Vec<Option<Result<Built, BuildError>>> =
            images.iter().map(|_| None).collect();
        let mut todo = Vec::new();
        for (at, (image, lock)) in images.iter().enumerate() {
            match self.asked(image, lock) {
                Ok(Asked::Built(built)) => slots[at] = Some(Ok(built)),
                Ok(Asked::Todo { pinned, installed }) => todo.push(Todo {
                    at,
                    image,
                    pinned,
                    installed,
                }),
                Err(error) => slots[at] = Some(Err(error)),
            }
        }
        let to_install = todo.iter().filter(|todo| todo.installed.is_none());
        let pins: Vec<_> = to_install
            .clone()
            .flat_map(|todo| &todo.pinned.pins)
            .cloned()
            .collect();
        let lowest = to_install.map(|todo| (todo.image, &todo.pinned));
        // Where one thing is to be done at a time, that is unpacking.
        let early = match rayon::current_num_threads() {
            1 => Early::default(),
            _ => Early::of(lowest),
        };
        let (parts, made) = std::thread::scope(|scope| {
            let parts = self.all_parts(&pins, early, &|lowest| {
                scope.spawn(move || self.begin(&lowest));
            });
            let made = side_by_side(&todo, |todo| {
                if todo.installed.is_none() {
                    parts.fragments(&todo.pinned.pins)?;
                }
                Some(self.realise_undamaged(todo, &parts))
            });
            (parts, made)
        });
        for (Todo { at, .. }, built) in todo.iter().zip(made) {
            slots[*at] = built;
        }
        let mut errors: Vec<Failed> = Vec::new();
        errors.extend(
            parts
                .errors
                .into_iter()
                .map(|error| Failed { image: None, error }),
        );
        let mut all = Vec::with_capacity(images.len());
        for (slot, (image, lock)) in slots.into_iter().zip(images) {
            match slot {
                Some(Ok(mut built)) => {
                    // Words are not meaning: what is kept does not depend on them.
                    for skipped in &mut built.report.skipped {
                        skipped.reason = packages::reason(image, &skipped.package);
                    }
                    all.push(built);
                }
                Some(Err(error)) => errors.push(Failed {
                    image: Some(image.name.clone()),
                    error: self.with_packages(error, image, lock),
                }),
                // Its packages failed, and that is told above.
                None => {}
            }
        }
        if self.check_stop().is_err() {
            return Err(vec![Failed {
                image: None,
                error: BuildError::Interrupted,
            }]);
        }
        if errors.is_empty() {
            Ok(all)
        } else {
            Err(errors)
        }
    }

    /// Asks the store for a whole image, and if it isn't there, for the layers of its
    /// packages.
    fn asked(&self, image: &Image, lock: &Lock) -> Result<Asked, BuildError> {
        let pinned = pin::pins(image, lock, self.mirrors)?;
        let action = request_action(image, &pinned);
        if let Some(built) = realise::find(self.store, abi::IMAGE, action)? {
            self.events.event(Event::Reuse { kind: "image" });
            return Ok(Asked::Built(built));
        }
        let installed = match &image.packages {
            None => None,
            Some(_) => self.installed_before(image, &pinned)?,
        };
        Ok(Asked::Todo { pinned, installed })
    }

    /// Realises an image. What turns out to be damaged in the store has been moved aside
    /// then, and is made anew: each thing once.
    fn realise_undamaged(&self, todo: &Todo<'_>, parts: &Parts) -> Result<Built, BuildError> {
        let Todo { image, pinned, .. } = todo;
        let mut installed = todo.installed.as_ref();
        let mut seen = BTreeSet::new();
        let mut anew = None;
        loop {
            match self.realise_image(image, pinned, installed, anew.as_ref().unwrap_or(parts)) {
                Err(error) if damaged(&error).is_some_and(|blob| seen.insert(blob)) => {
                    let mut parts = self.all_parts(&pinned.pins, Early::default(), &|_| ());
                    if !parts.errors.is_empty() {
                        return Err(parts.errors.swap_remove(0));
                    }
                    anew = Some(parts);
                    installed = None;
                }
                built => return built,
            }
        }
    }

    fn realise_image(
        &self,
        image: &Image,
        pinned: &Pinned,
        installed: Option<&PackageLayers>,
        parts: &Parts,
    ) -> Result<Built, BuildError> {
        let about = About {
            kind: "image",
            name: &image.name,
            said: json!({
                "platform": image.platform.to_string(),
                "epoch": pinned.epoch,
                "config": image.config,
                "base": image.base,
                "annotations": image.annotations,
            }),
        };
        realise(
            self,
            (abi::IMAGE, request_action(image, pinned)),
            about,
            || self.make(image, pinned, installed, parts),
        )
    }

    /// Installs an image's packages in memory, for what their scripts did. None for an
    /// image without packages.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn scripts(&self, image: &Image, lock: &Lock) -> Result<Option<Ran>, BuildError> {
        if image.packages.is_none() {
            return Ok(None);
        }
        let pinned = pin::pins(image, lock, self.mirrors)?;
        let parts = self.parts(&pinned.pins)?;
        let system = self.system(image, &pinned)?;
        let installed = self.install(&parts, image, &pinned, system.as_ref())?;
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

    fn make(
        &self,
        image: &Image,
        pinned: &Pinned,
        installed: Option<&PackageLayers>,
        parts: &Parts,
    ) -> Result<Built, BuildError> {
        let epoch = pinned.epoch;
        let mut layers = Vec::new();
        let mut contents = Vec::new();
        let mut under = Vec::new();
        let mut lower = None;
        if let Some((base, locked)) = image.base.as_ref().zip(pinned.base.as_ref()) {
            let sizes = self.base_layers(image, base, locked)?;
            contents.extend(sizes.into_iter().map(|tar_size| LayerContents {
                what: LayerKind::Base,
                tar_size,
                packages: Vec::new(),
            }));
            under = base::archives_of(locked);
            lower = Some(self.base_image(image, base, locked)?);
        }
        let mut report = Report::default();
        // All layers may need the packages' tree: it is made at most once.
        let ready = OnceCell::new();
        let make_ready = |beside: &dyn Fn(&[Arc<Part>])| match ready.get() {
            Some(ready) => Ok(ready),
            None => {
                let parts = self.load(parts, &pinned.pins)?;
                let system = self.system(image, pinned)?;
                beside(&parts);
                let installed = self.install(&parts, image, pinned, system.as_ref())?;
                let base = system.map(|system| system.tree);
                Ok(ready.get_or_init(|| Ready {
                    parts,
                    installed,
                    base,
                }))
            }
        };
        let mut frozen = None;
        if image.packages.is_some() {
            let made = match installed {
                Some(installed) => installed.clone(),
                None => {
                    let fragments = parts.fragments(&pinned.pins);
                    let fragments = fragments.ok_or_else(|| missing(pinned))?;
                    self.package_layers((fragments, &parts.early), make_ready, image, pinned)?
                }
            };
            for one in made.layers {
                let (created_by, what) = match one.group {
                    None => ("imgc: packages".to_owned(), LayerKind::Packages),
                    Some(group) => (format!("imgc: packages: {group}"), LayerKind::Group(group)),
                };
                contents.push(LayerContents {
                    what,
                    tar_size: one.layer.tar_size,
                    packages: one.packages,
                });
                layers.push(imgc_oci::LayerUse {
                    layer: one.layer,
                    created_by,
                });
            }
            frozen = Some(made.tree);
            report = made.report;
        }
        if has_own_files(image) {
            let own: &[imgc_oci::LayerUse] = &layers;
            under.extend(own.iter().map(|used| used.layer.blob));
            let read = OnceCell::new();
            let made = if image.packages.is_some() {
                self.files_layer(image, under, epoch, frozen, || {
                    Ok(&make_ready(&|_| ())?.installed.tree)
                })?
            } else if let Some((base, locked)) = image.base.as_ref().zip(pinned.base.as_ref()) {
                self.files_layer(image, under, epoch, None, || {
                    let tree = self.base_tree(image, base, locked)?;
                    Ok(read.get_or_init(|| tree))
                })?
            } else {
                let empty = Tree::new(i64::try_from(epoch).unwrap_or(i64::MAX));
                self.files_layer(image, Vec::new(), epoch, None, || Ok(&empty))?
            };
            if let Some(layer) = made.layer {
                contents.push(LayerContents {
                    what: LayerKind::Files,
                    tar_size: layer.tar_size,
                    packages: Vec::new(),
                });
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
            base: lower.as_ref(),
            annotations: &image.annotations,
            layers: &layers,
        };
        Ok(Built {
            image: imgc_oci::write_image(self.store, &spec)?,
            report,
            contents,
            base: image.base.clone(),
        })
    }
}

/// What is asked where an image is wanted.
pub(crate) fn request_action(image: &Image, pinned: &Pinned) -> Action {
    let compression = layering::compression(&image.layers);
    let mut image = image.clone();
    // Words are not meaning: why a script is not run changes nothing.
    for reason in image
        .packages
        .iter_mut()
        .flat_map(|all| all.skip.values_mut())
    {
        reason.clear();
    }
    for reason in image.provided.values_mut() {
        reason.clear();
    }
    image.files = without_addresses(&image.files);
    let mut abis = BTreeMap::from([
        ("unpack".to_owned(), abi::UNPACK),
        ("install".to_owned(), abi::install(compression)),
        ("files".to_owned(), abi::files(compression)),
    ]);
    if pinned.base.is_some() {
        abis.insert("archive".to_owned(), abi::ARCHIVE);
    }
    Action::Request {
        image: Box::new(image),
        base: pinned
            .base
            .as_ref()
            .map(|base| base::blob(&base.manifest.sha256)),
        epoch: pinned.epoch,
        packages: pinned.pins.iter().map(|pin| pin.digest).collect(),
        calls: pinned.call_lines.clone(),
        abis,
    }
}

/// Does `work` for every item, a few at the same time. The threads are none of the pool's:
/// they hold locks while they wait for it, and a thread of the pool would take up other
/// work meanwhile that may want the same locks.
fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let slots: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let done = work(item);
                    *slots[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
                }
            });
        }
    });
    slots
        .into_iter()
        .map(|slot| {
            let done = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            done.expect("every item was worked at")
        })
        .collect()
}

/// What there is to say where a package could not be unpacked again.
fn missing(pinned: &Pinned) -> BuildError {
    let first = pinned.pins.first().map(|pin| pin.digest);
    StoreError::Absent(first.unwrap_or_else(|| BlobDigest::of(b""))).into()
}

/// What the store has not got, or has moved aside: making it anew may help.
fn damaged(error: &BuildError) -> Option<BlobDigest> {
    match error {
        BuildError::Layer(
            LayerError::Segment(blob) | LayerError::Store(StoreError::Absent(blob)),
        )
        | BuildError::Store(StoreError::Absent(blob)) => Some(*blob),
        _ => None,
    }
}

/// Whether anything is to be laid over the packages, or somebody is named who must be there.
pub(crate) fn has_own_files(image: &Image) -> bool {
    !image.files.is_empty()
        || !image.users.is_empty()
        || !image.groups.is_empty()
        || !image.attributes.is_empty()
        || image.config.user.is_some()
}

impl std::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("mirrors", &self.mirrors)
            .finish_non_exhaustive()
    }
}
