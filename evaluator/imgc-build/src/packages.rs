//! Unpacked packages to layers: installed in memory, then written.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::thread::ScopedJoinHandle;

use imgc_dpkg::{Done, Fragment, Installed, Note, PathFilter, System};
use imgc_layer::{
    Compression, Contents as _, Frame, Layer, Recipe, Segment, SegmentUse, StoreContents,
};
use imgc_plan::{Action, Image, Inputs};
use imgc_store::BlobDigest;
use imgc_tree::{Content, Tree};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ahead::{Ahead, Early};
use crate::layering::{self, Groups};
use crate::order::Order;
use crate::own_files::Outside;
use crate::parts::Part;
use crate::pin::Pinned;
use crate::realise::{self, About, Output, realise};
use crate::stated::StatedEffects;
use crate::{BuildError, Builder, Event, abi, accounts, base};

/// What `install` yields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackageLayers {
    /// The layers, lowest first.
    pub(crate) layers: Vec<PackageLayer>,
    /// The tree, frozen: what lays files over it need not install the packages again.
    pub(crate) tree: Frame,
    pub(crate) report: Report,
}

/// Packages that are installed in memory.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) parts: Vec<Arc<Part>>,
    pub(crate) installed: Installed,
    /// What was there before.
    pub(crate) base: Option<Tree>,
}

/// A layer of packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackageLayer {
    #[serde(flatten)]
    pub(crate) layer: Layer,
    /// What its packages are called together. None for the one on top.
    pub(crate) group: Option<String>,
    /// The packages whose files are in it as they were unpacked.
    pub(crate) packages: Vec<String>,
}

/// What of the maintainer scripts was not done, for whoever uses the image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The packages whose scripts the image says to skip.
    pub skipped: Vec<Scripts>,
    /// What the image says instead of the scripts of packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stated: Vec<StatedWork>,
    /// Work that is declined by policy, in the order in which it was asked for.
    pub declined: Vec<DeclinedWork>,
    /// Programs in Perl, Python or shell that scripts ran, of a version that imgc's own
    /// was not made after: their paths, sorted.
    #[serde(default)]
    pub unknown: Vec<String>,
}

/// A package whose maintainer scripts were not run, as its image says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scripts {
    /// Its name, with the architecture where dpkg writes it.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The scripts, in dpkg's order: `preinst`, `config`, `postinst`.
    pub scripts: Vec<String>,
    /// Why, in the words of the image. Empty in what is kept of an installation, which
    /// does not depend on it.
    #[serde(default)]
    pub reason: String,
}

/// What was done in the place of a package's maintainer scripts, as its image says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedWork {
    /// The package, and the scripts that were not run.
    #[serde(flatten)]
    pub scripts: Scripts,
    /// The paths that were written, changed or removed, each once, in order.
    pub paths: Vec<String>,
}

/// Work of a script that imgc declines: it would make secrets or a server's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclinedWork {
    /// The package.
    pub package: String,
    /// Its script.
    pub script: String,
    /// The line in it, counted from 1.
    pub line: usize,
    /// The command.
    pub command: String,
    /// Why, as a sentence without a full stop.
    pub reason: String,
}

impl Output for PackageLayers {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        let layers = self.layers.iter();
        let blobs = layers.map(|one| (one.layer.blob, one.layer.size));
        blobs.chain([(self.tree.blob, self.tree.size)]).collect()
    }
}

impl Output for Frame {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        vec![(self.blob, self.size)]
    }
}

impl Builder<'_> {
    /// Installs the parts: the tree, and the layers that it comes to. `ready` tells of the
    /// parts before it installs them. `early` may have begun the lowest layer.
    pub(crate) fn package_layers<'p>(
        &self,
        (fragments, early): (Vec<BlobDigest>, &Early),
        ready: impl FnOnce(&dyn Fn(&[Arc<Part>])) -> Result<&'p Ready, BuildError>,
        image: &Image,
        pinned: &Pinned,
    ) -> Result<PackageLayers, BuildError> {
        let action = install_action(image, pinned, Inputs::Fragments(fragments));
        let compression = layering::compression(&image.layers);
        let names = pinned.pins.iter().map(|pin| pin.name.as_str());
        let about = About {
            kind: "install",
            name: &image.name,
            said: match &image.packages {
                None => json!({}),
                Some(asked) => json!({
                    "packages": names.collect::<Vec<_>>(),
                    "arch": image.platform.arch.debian(),
                    "foreign": pinned.foreign,
                    "epoch": pinned.epoch,
                    "skip": asked.skip.keys().collect::<Vec<_>>(),
                    "effects": asked.effects,
                    "exclude": asked.exclude,
                    "include": asked.include,
                    "layers": image.layers,
                    "calls": pinned.call_lines,
                    "base": pinned.base.as_ref().map(base::archives_of),
                }),
            },
        };
        let asked = (abi::install(compression), action);
        let made = realise(self, asked, about, || {
            // Over a base, all packages share a layer.
            let groups = |parts: &_| match &pinned.base {
                None => layering::groups(parts, &pinned.calls, &image.layers),
                Some(_) => Ok(Groups::new()),
            };
            std::thread::scope(|scope| {
                let ahead = OnceCell::new();
                let Ready {
                    parts,
                    installed,
                    base,
                } = ready(&|parts| {
                    if !is_filtered(image)
                        && pinned.base.is_none()
                        && let Ok(groups) = groups(parts)
                    {
                        let parts = parts.to_vec();
                        let early = early.take(image, pinned);
                        let made = scope.spawn(move || {
                            self.ahead(&parts, &groups, compression, early.as_ref())
                        });
                        drop(ahead.set(made));
                    }
                })?;
                let groups = groups(parts).map_err(|(group, package)| BuildError::Group {
                    image: image.name.clone(),
                    group,
                    package,
                })?;
                let tree = scope.spawn(|| self.freeze(installed));
                let layers = match base {
                    Some(base) => self.layer_over(base, parts, installed, compression)?,
                    None => {
                        let ahead = || ahead.into_inner().map(joined).unwrap_or_default();
                        self.write_layers(parts, groups, installed, compression, ahead)?
                    }
                };
                Ok(PackageLayers {
                    layers,
                    tree: joined(tree)?,
                    report: report(installed),
                })
            })
        })?;
        let (abi, action) = asked_of_debs(image, pinned);
        realise::remember(self.store, abi, action, &made)?;
        Ok(made)
    }

    /// The layers of an image's packages, if exactly these packages were installed so before.
    /// What each of them was unpacked to is not looked at.
    pub(crate) fn installed_before(
        &self,
        image: &Image,
        pinned: &Pinned,
    ) -> Result<Option<PackageLayers>, BuildError> {
        let (abi, action) = asked_of_debs(image, pinned);
        let found = realise::find(self.store, abi, action)?;
        if found.is_some() {
            self.events.event(Event::Reuse { kind: "install" });
        }
        Ok(found)
    }

    /// The one layer that turns `base` into what is installed; none where nothing differs.
    fn layer_over(
        &self,
        base: &Tree,
        parts: &[Arc<Part>],
        installed: &Installed,
        compression: Compression,
    ) -> Result<Vec<PackageLayer>, BuildError> {
        let used: Vec<SegmentUse> = parts.iter().map(|part| part.used().clone()).collect();
        let recipe = imgc_layer::plan_layer(&installed.tree, Some(base), &used)?;
        if recipe.head.is_empty() && recipe.segments.is_empty() && recipe.loose.is_empty() {
            return Ok(Vec::new());
        }
        let of = |segment: &Segment| {
            let mut parts = parts.iter();
            parts.find(|part| part.segment.blob == segment.blob)
        };
        let names = recipe.segments.iter().filter_map(of);
        let packages = names.map(|part| part.fragment.package.qualified());
        Ok(vec![PackageLayer {
            packages: packages.collect(),
            layer: self.write_layer(&recipe, compression)?,
            group: None,
        }])
    }

    /// Keeps the tree that the packages come to.
    fn freeze(&self, installed: &Installed) -> Result<Frame, BuildError> {
        let frozen = installed.tree.freeze(&accounts::reads);
        Ok(Frame {
            blob: self.store.put(&frozen)?,
            size: frozen.len() as u64,
        })
    }

    /// Writes the layers of `groups` and the one on top. `ahead` waits for those that were
    /// begun before: they take longer than anything here.
    fn write_layers(
        &self,
        parts: &[Arc<Part>],
        groups: Groups,
        installed: &Installed,
        compression: Compression,
        ahead: impl FnOnce() -> Vec<Ahead>,
    ) -> Result<Vec<PackageLayer>, BuildError> {
        let mut rest: BTreeSet<usize> = (0..parts.len()).collect();
        let mut offered = Vec::with_capacity(groups.len());
        for (_, group) in &groups {
            offered.push(group.iter().map(|&at| parts[at].used()).collect());
            for at in group {
                rest.remove(at);
            }
        }
        let rest: Vec<&SegmentUse> = rest.iter().map(|&at| parts[at].used()).collect();
        let recipes = imgc_layer::plan_layers(&installed.tree, &offered, &rest)?;
        drop((offered, rest));
        let of: BTreeMap<BlobDigest, &Arc<Part>> =
            parts.iter().map(|part| (part.segment.blob, part)).collect();
        let packages = |recipe: &Recipe| {
            let segments = recipe.segments.iter();
            let parts = segments.filter_map(|segment| of.get(&segment.blob));
            parts
                .map(|part| part.fragment.package.qualified())
                .collect()
        };
        let (mut below, mut top) = (Vec::new(), Vec::new());
        for (place, recipe) in &recipes {
            match place {
                Some(place) => below.push((groups[*place].0.as_str(), recipe)),
                None => top.push(PackageLayer {
                    layer: self.write_layer(recipe, compression)?,
                    group: None,
                    packages: packages(recipe),
                }),
            }
        }
        let ahead = Mutex::new(ahead());
        let below: Vec<Result<PackageLayer, BuildError>> = below
            .par_iter()
            .map(|(name, recipe)| {
                Ok(PackageLayer {
                    layer: self.group_layer_of(&ahead, name, recipe, compression)?,
                    group: Some((*name).to_owned()),
                    packages: packages(recipe),
                })
            })
            .collect();
        below.into_iter().chain(top.into_iter().map(Ok)).collect()
    }

    /// Writes a layer in a compression.
    pub(crate) fn write_layer(
        &self,
        recipe: &Recipe,
        compression: Compression,
    ) -> Result<Layer, BuildError> {
        let frames = self.frames(recipe, compression)?;
        self.assemble(recipe, compression, &frames)
    }

    /// The segments of a recipe in a compression, in their order.
    pub(crate) fn frames(
        &self,
        recipe: &Recipe,
        compression: Compression,
    ) -> Result<Vec<Frame>, BuildError> {
        if compression == Compression::SEGMENT {
            // As they are kept: nothing that would wait for the pool.
            return Ok(recipe.segments.iter().copied().map(Frame::from).collect());
        }
        let frames: Vec<Result<Frame, BuildError>> = recipe
            .segments
            .par_iter()
            .map(|segment| self.frame(segment, compression))
            .collect();
        frames.into_iter().collect()
    }

    /// Puts a layer together.
    pub(crate) fn assemble(
        &self,
        recipe: &Recipe,
        compression: Compression,
        frames: &[Frame],
    ) -> Result<Layer, BuildError> {
        self.check_stop()?;
        let outside = Outside::project(self);
        let contents = StoreContents::new(self.store, Some(&outside));
        let layer = imgc_layer::assemble(self.store, recipe, compression, frames, &contents)?;
        Ok(layer)
    }

    /// A package's files in the compression of a layer.
    fn frame(&self, segment: &Segment, compression: Compression) -> Result<Frame, BuildError> {
        let action = Action::Frame {
            segment: segment.blob,
            compression: format!("{compression:?}"),
        };
        let about = About {
            kind: "frame",
            name: &segment.blob.hex()[..12],
            said: serde_json::Value::Null,
        };
        realise(self, (abi::frame(compression), action), about, || {
            Ok(imgc_layer::recompress(self.store, segment, compression)?)
        })
    }

    /// Installs the parts in memory.
    pub(crate) fn install(
        &self,
        parts: &[Arc<Part>],
        image: &Image,
        pinned: &Pinned,
        system: Option<&System>,
    ) -> Result<Installed, BuildError> {
        let fragments: Vec<&Fragment> = parts.iter().map(|part| &part.fragment).collect();
        if let Some(system) = system.filter(|_| fragments.is_empty()) {
            // All that was asked for is there.
            return Ok(Installed::of(system.tree.clone()));
        }
        let arch = image.platform.arch.debian();
        let skip = skip(image);
        let filter = image
            .packages
            .as_ref()
            .map(|packages| PathFilter::new(&packages.exclude, &packages.include));
        let outside = Outside::project(self);
        let bytes = Bytes::of(self.store, Some(&outside));
        let read = |content: &Content| {
            imgc_dpkg::Reader::read(&bytes, content)
                .map(|bytes| bytes.to_vec())
                .map_err(std::io::Error::other)
        };
        let options = imgc_dpkg::Options {
            arch,
            foreign: &pinned.foreign,
            epoch: i64::try_from(pinned.epoch).unwrap_or(i64::MAX),
            skip: &skip,
            stated: &StatedEffects::of(image, pinned.epoch, &read),
            filter: &filter.unwrap_or_default(),
            limits: imgc_dpkg::ScriptLimits::default(),
        };
        let before = system.map(System::fragments).unwrap_or_default();
        let all: Vec<&Fragment> = before.iter().chain(fragments.iter().copied()).collect();
        let order = Order::new(&all, before.len(), &pinned.calls, arch);
        let mut order = order.map_err(|(package, error)| BuildError::Order { package, error })?;
        let installed = match system {
            None => imgc_dpkg::install(&fragments, &mut order, &options, &bytes),
            Some(system) => {
                imgc_dpkg::install_over(system, &fragments, &mut order, &options, &bytes)
            }
        };
        match bytes.damaged() {
            Some(error) => Err(error.into()),
            None => Ok(installed?),
        }
    }

    /// What the packages of an image are installed over, if it has a base.
    pub(crate) fn system(
        &self,
        image: &Image,
        pinned: &Pinned,
    ) -> Result<Option<System>, BuildError> {
        let Some((base, locked)) = image.base.as_ref().zip(pinned.base.as_ref()) else {
            return Ok(None);
        };
        self.base_layers(image, base, locked)?;
        let tree = self.base_tree(image, base, locked)?;
        self.base_system(image, base, tree).map(Some)
    }
}

/// The bytes of the packages' files, for their scripts.
pub(crate) struct Bytes<'a> {
    contents: StoreContents<'a>,
    /// What turned out to be damaged in the store.
    damaged: RefCell<Option<imgc_layer::LayerError>>,
    store: &'a dyn imgc_store::Store,
}

impl<'a> Bytes<'a> {
    /// Those in a store, and those outside of it, if they are asked for.
    pub(crate) fn of(
        store: &'a dyn imgc_store::Store,
        outside: Option<&'a dyn imgc_layer::Contents>,
    ) -> Self {
        Self {
            contents: StoreContents::new(store, outside),
            damaged: RefCell::new(None),
            store,
        }
    }

    /// What turned out to be damaged, if anything.
    pub(crate) fn damaged(&self) -> Option<imgc_layer::LayerError> {
        self.damaged.borrow_mut().take()
    }
}

impl imgc_dpkg::Reader for Bytes<'_> {
    fn read(&self, content: &Content) -> Result<Arc<[u8]>, String> {
        let read = self.contents.read(content, content.size);
        read.map(Arc::from).map_err(|error| {
            let damaged = imgc_layer::check_segment(self.store, content).err();
            *self.damaged.borrow_mut() = damaged;
            error.to_string()
        })
    }
}

/// What a thread comes to.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Whether files of packages are left out.
pub(crate) fn is_filtered(image: &Image) -> bool {
    let packages = image.packages.as_ref();
    packages.is_some_and(|packages| !packages.exclude.is_empty())
}

/// What is asked before anyone has looked at what the packages were unpacked to.
pub(crate) fn asked_of_debs(image: &Image, pinned: &Pinned) -> (u32, Action) {
    let debs = Inputs::Debs {
        debs: pinned.pins.iter().map(|pin| pin.digest).collect(),
        abi: abi::UNPACK,
    };
    let compression = layering::compression(&image.layers);
    let action = install_action(image, pinned, debs);
    (abi::install(compression), action)
}

/// What is asked where the packages of an image are installed.
pub(crate) fn install_action(image: &Image, pinned: &Pinned, packages: Inputs) -> Action {
    fn of<T: Default>(image: &Image, part: impl Fn(&imgc_plan::Packages) -> T) -> T {
        image.packages.as_ref().map(part).unwrap_or_default()
    }
    Action::Install {
        base: pinned
            .base
            .as_ref()
            .map(base::archives_of)
            .unwrap_or_default(),
        arch: image.platform.arch.debian().to_owned(),
        foreign: pinned.foreign.clone(),
        epoch: pinned.epoch,
        skip: skip(image).into_iter().collect(),
        effects: of(image, |packages| packages.effects.clone()),
        exclude: of(image, |packages| packages.exclude.clone()),
        include: of(image, |packages| packages.include.clone()),
        packages,
        calls: pinned.call_lines.clone(),
        layers: image.layers.clone(),
    }
}

/// The packages whose scripts the image says to skip.
fn skip(image: &Image) -> BTreeSet<String> {
    let packages = image.packages.iter();
    packages
        .flat_map(|packages| packages.skip.keys().cloned())
        .collect()
}

/// The words of `image` on why the scripts of `package` are not run. `package` may have
/// an architecture.
pub(crate) fn reason(image: &Image, package: &str) -> String {
    let name = package.split(':').next().unwrap_or(package);
    let packages = image.packages.as_ref();
    let reason = packages.and_then(|packages| packages.skip.get(name));
    reason.cloned().unwrap_or_default()
}

pub(crate) fn report(installed: &Installed) -> Report {
    let skipped = installed.skipped.iter().map(scripts);
    let declined = installed.declined.iter().map(|declined| DeclinedWork {
        package: declined.line.package.clone(),
        script: declined.line.script.clone(),
        line: declined.line.line,
        command: declined.line.command.clone(),
        reason: declined.reason.to_owned(),
    });
    Report {
        skipped: skipped.collect(),
        stated: installed.stated.iter().map(stated).collect(),
        declined: declined.collect(),
        unknown: installed.unknown.clone(),
    }
}

fn scripts(note: &Note) -> Scripts {
    Scripts {
        package: note.package.clone(),
        version: note.version.clone(),
        scripts: note.scripts.iter().map(ToString::to_string).collect(),
        reason: String::new(),
    }
}

fn stated(done: &Done) -> StatedWork {
    let mut paths: Vec<String> = done
        .touched
        .iter()
        .map(|(path, _)| path.to_string())
        .collect();
    let mut seen = BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    StatedWork {
        scripts: scripts(&done.note),
        paths,
    }
}
