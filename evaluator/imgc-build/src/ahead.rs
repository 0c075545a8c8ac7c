//! The layers of groups of packages, made while the packages are still being installed.
//!
//! Such a layer depends on nothing but its own packages, as long as no script changes one
//! of their files, and hardly any does. So it is begun before that is known. What turns
//! out otherwise is made again as it is, and what was made ahead is not used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imgc_layer::{Compression, Layer, Recipe};
use imgc_plan::{Action, Image};
use imgc_store::BlobDigest;
use rayon::prelude::*;

use crate::layering::{self, Groups};
use crate::packages::is_filtered;
use crate::parts::{Part, Slot};
use crate::pin::Pinned;
use crate::realise::{About, Output, realise};
use crate::{BuildError, Builder, abi};

/// A layer that was made before anyone knew whether it would be needed, and how.
#[derive(Debug)]
pub(crate) struct Ahead {
    /// How its layer is made.
    recipe: Recipe,
    made: Result<Layer, BuildError>,
}

/// The lowest layers of images, each begun as soon as all of its packages are unpacked.
#[derive(Debug, Default)]
pub(crate) struct Early(Vec<Arc<Lowest>>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Lowest {
    compression: Compression,
    /// Its packages, and what they were unpacked to where that is known.
    packages: Mutex<BTreeMap<BlobDigest, Option<Arc<Slot>>>>,
    /// Taken by who makes it, and by who wants it.
    send: Mutex<Option<Sender<Ahead>>>,
    receive: Mutex<Option<Receiver<Ahead>>>,
}

impl Early {
    /// Those of images, as far as they can be told from their locks, each once.
    pub(crate) fn of<'i>(images: impl Iterator<Item = (&'i Image, &'i Pinned)>) -> Self {
        let mut all = BTreeSet::new();
        all.extend(images.filter_map(|(image, pinned)| key(image, pinned)));
        let lowest = |(compression, packages): Key| {
            let (send, receive) = channel();
            Arc::new(Lowest {
                compression,
                packages: Mutex::new(packages.into_iter().map(|one| (one, None)).collect()),
                send: Mutex::new(Some(send)),
                receive: Mutex::new(Some(receive)),
            })
        };
        Self(all.into_iter().map(lowest).collect())
    }

    /// Whether one of them waits for a package.
    pub(crate) fn waits_for(&self, package: &BlobDigest) -> bool {
        let mut all = self.0.iter();
        all.any(|lowest| locked(&lowest.packages).contains_key(package))
    }

    /// Takes what a package was unpacked to. Gives those that have all of theirs now.
    pub(crate) fn tell(&self, package: &BlobDigest, unpacked: &Arc<Slot>) -> Vec<Arc<Lowest>> {
        let has_all = |lowest: &&Arc<Lowest>| {
            let mut packages = locked(&lowest.packages);
            let Some(place) = packages.get_mut(package) else {
                return false;
            };
            *place = Some(Arc::clone(unpacked));
            packages.values().all(Option::is_some)
        };
        self.0.iter().filter(has_all).cloned().collect()
    }

    /// The layer of an image whose packages are all unpacked, if it was begun, for the first
    /// who asks.
    pub(crate) fn take(&self, image: &Image, pinned: &Pinned) -> Option<Receiver<Ahead>> {
        let (compression, wanted) = key(image, pinned)?;
        let found = self.0.iter().find(|lowest| {
            lowest.compression == compression && locked(&lowest.packages).keys().eq(&wanted)
        });
        locked(&found?.receive).take()
    }
}

/// What tells one lowest layer from another.
type Key = (Compression, BTreeSet<BlobDigest>);

fn key(image: &Image, pinned: &Pinned) -> Option<Key> {
    if is_filtered(image) || pinned.base.is_some() {
        return None;
    }
    let lowest = layering::lowest(&pinned.calls, &image.layers, |at| pinned.pins[at].size)?;
    let packages = lowest.into_iter().map(|at| pinned.pins[at].digest);
    Some((layering::compression(&image.layers), packages.collect()))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Output for Layer {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        vec![(self.blob, self.size)]
    }
}

impl Builder<'_> {
    /// Makes a lowest layer whose packages are unpacked.
    pub(crate) fn begin(&self, lowest: &Lowest) {
        let Some(send) = locked(&lowest.send).take() else {
            return;
        };
        let packages = locked(&lowest.packages).clone();
        let parts = packages.values().flatten().map(|slot| self.part(slot));
        // What is wrong with them is found again by who needs them all.
        let Ok(mut parts) = parts.collect::<Result<Vec<_>, _>>() else {
            return;
        };
        parts.sort_by(|a, b| layering::order(a, b));
        let recipe = imgc_layer::plan_group(parts.iter().map(|part| part.used()));
        let made = self.group_layer(layering::BASE, &recipe, lowest.compression);
        let layer = made.as_ref().ok().copied();
        // Nobody may want it: other packages failed, or all were installed before.
        let _ = send.send(Ahead { recipe, made });
        self.tell_of(layer);
    }

    /// The layers of groups, as they are if all packages stand in the image as they were
    /// unpacked. `early` is the lowest, if that was begun before.
    pub(crate) fn ahead(
        &self,
        parts: &[Arc<Part>],
        groups: &Groups,
        compression: Compression,
        early: Option<&Receiver<Ahead>>,
    ) -> Vec<Ahead> {
        let is_begun = early.is_some();
        let mut all: Vec<Ahead> = groups
            .par_iter()
            .filter(|(name, _)| !is_begun || name != layering::BASE)
            .map(|(name, group)| {
                let recipe = imgc_layer::plan_group(group.iter().map(|&at| parts[at].used()));
                let made = self.group_layer(name, &recipe, compression);
                self.tell_of(made.as_ref().ok().copied());
                Ahead { recipe, made }
            })
            .collect();
        // Not on a thread of the pool: who makes it may need those.
        all.extend(early.and_then(|early| early.recv().ok()));
        all
    }

    /// Hands a layer on to who writes images, unless nobody will want them.
    fn tell_of(&self, layer: Option<Layer>) {
        if let Some(Layer { blob, size, .. }) = layer
            && self.check_stop().is_ok()
        {
            self.events.layer(&blob, size);
        }
    }

    /// The layer of a group: one that was made ahead, if it is that.
    pub(crate) fn group_layer_of(
        &self,
        ahead: &Mutex<Vec<Ahead>>,
        name: &str,
        recipe: &Recipe,
        compression: Compression,
    ) -> Result<Layer, BuildError> {
        let mut all = ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().position(|ahead| ahead.recipe == *recipe);
        let found = found.map(|at| all.swap_remove(at));
        drop(all);
        match found {
            Some(ahead) => ahead.made,
            None => self.group_layer(name, recipe, compression),
        }
    }

    /// The layer of a group: made once, whichever image has it.
    fn group_layer(
        &self,
        name: &str,
        recipe: &Recipe,
        compression: Compression,
    ) -> Result<Layer, BuildError> {
        // Before anything is locked: compressing uses the threads of the pool.
        let frames = self.frames(recipe, compression)?;
        let action = Action::Layer {
            folders: imgc_layer::folders(recipe)?,
            segments: recipe.segments.iter().map(|segment| segment.blob).collect(),
            compression: format!("{compression:?}"),
        };
        let about = About {
            kind: "layer",
            name,
            said: serde_json::Value::Null,
        };
        realise(self, (abi::layer(compression), action), about, || {
            self.assemble(recipe, compression, &frames)
        })
    }
}
