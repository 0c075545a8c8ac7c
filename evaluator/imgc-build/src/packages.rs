//! Pinned packages to a layer: fetched and unpacked side by side, then installed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use imgc_dpkg::{Done, EntryKind, EntryNode, Fragment, Installed, Limits, Note, PathFilter, Sink};
use imgc_layer::{Contents as _, Layer, Segment, SegmentUse, SegmentWriter, StoreContents};
use imgc_plan::{Action, Image};
use imgc_store::{BlobDigest, BlobWriter, Check, StoreError};
use imgc_tree::{Content, Kind, Meta, TreePath};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fetch::Pin;
use crate::order::Order;
use crate::own_files::Outside;
use crate::pin::Pinned;
use crate::realise::{Output, realise};
use crate::stated::StatedEffects;
use crate::{BuildError, Builder, Event, abi};

/// How many downloads run at once. They wait for the network, not for a processor.
const DOWNLOADS: usize = 8;

/// The largest fragment record that is read, in bytes.
const FRAGMENT: u64 = 256 << 20;

/// What `unpack` yields: a package's files, and what is known of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unpacked {
    /// The [`Fragment`], as JSON.
    pub(crate) fragment: BlobDigest,
    size: u64,
    segment: Segment,
}

impl Output for Unpacked {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        vec![
            (self.fragment, self.size),
            (self.segment.blob, self.segment.size),
        ]
    }
}

/// What `install` yields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackageLayer {
    pub(crate) layer: Layer,
    pub(crate) report: Report,
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

impl Output for PackageLayer {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        vec![(self.layer.blob, self.layer.size)]
    }
}

/// A package's fragment, read back.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) fragment: Fragment,
    pub(crate) digest: BlobDigest,
    segment: Segment,
}

impl Builder<'_> {
    /// Brings every package into the store and unpacks it. The parts come in the order
    /// of the pins.
    pub(crate) fn parts(&self, pins: &[Pin]) -> Result<Vec<Part>, BuildError> {
        let missing = pins.iter().filter(
            |pin| !matches!(self.store.contains(&pin.digest), Ok(Some(size)) if size == pin.size),
        );
        let (files, bytes) = missing.fold((0, 0), |(n, sum), pin| (n + 1, sum + pin.size));
        if files > 0 {
            self.events.event(Event::FetchTotal { files, bytes });
        }
        let slots: Vec<Mutex<Option<Result<Part, BuildError>>>> =
            pins.iter().map(|_| Mutex::new(None)).collect();
        let put = |at: usize, result| {
            if let Ok(mut slot) = slots[at].lock() {
                *slot = Some(result);
            }
        };
        let next = AtomicUsize::new(0);
        let (send, fetched) = channel();
        std::thread::scope(|scope| {
            for _ in 0..DOWNLOADS.min(pins.len()) {
                let (send, next, put) = (send.clone(), &next, &put);
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(pin) = pins.get(at) else { break };
                        match self.fetcher().pinned(pin) {
                            Ok(()) => drop(send.send(at)),
                            Err(error) => put(at, Err(error.into())),
                        }
                    }
                });
            }
            drop(send);
            // In place: waiting for downloads must not take a thread of the pool.
            rayon::in_place_scope(|pool| {
                for at in fetched {
                    let put = &put;
                    pool.spawn(move |_| put(at, self.part(&pins[at])));
                }
            });
        });
        // The first error in the order of installation, whichever came first in time.
        let mut parts = Vec::with_capacity(pins.len());
        for slot in slots {
            let result = slot.into_inner().ok().flatten();
            parts.push(result.expect("every package was fetched or failed")?);
        }
        Ok(parts)
    }

    /// A package's part. What turned out to be damaged in the store has been moved aside
    /// then, and is fetched or made again once.
    fn part(&self, pin: &Pin) -> Result<Part, BuildError> {
        match self.try_part(pin) {
            Err(BuildError::Store(StoreError::Absent(_))) => {
                self.fetcher().pinned(pin)?;
                self.try_part(pin)
            }
            done => done,
        }
    }

    fn try_part(&self, pin: &Pin) -> Result<Part, BuildError> {
        let action = Action::Unpack { deb: pin.digest };
        let unpacked = realise(
            self.store,
            self.events,
            ("unpack", abi::UNPACK, action),
            &pin.name,
            || self.unpack(pin),
        )?;
        let bytes = self.store.read(&unpacked.fragment, FRAGMENT)?;
        let bytes = bytes.ok_or(StoreError::Absent(unpacked.fragment))?;
        let fragment =
            serde_json::from_slice(&bytes).map_err(|_| StoreError::Absent(unpacked.fragment))?;
        Ok(Part {
            fragment,
            digest: unpacked.fragment,
            segment: unpacked.segment,
        })
    }

    fn unpack(&self, pin: &Pin) -> Result<Unpacked, BuildError> {
        let deb = self.store.open_sized(&pin.digest, pin.size)?;
        let deb = deb.ok_or(StoreError::Absent(pin.digest))?;
        // Unpacking reads to the end, or fails.
        let mut digesting = Digesting {
            inner: deb,
            hash: Sha256::new(),
        };
        let deb = std::io::BufReader::with_capacity(128 * 1024, &mut digesting);
        let io = |error| StoreError::from_io(error, "writing", std::path::Path::new("a segment"));
        let mut writer = SegmentWriter::new(self.store.writer()?).map_err(io)?;
        let unpacked = imgc_dpkg::unpack(deb, &Limits::default(), &mut Into(&mut writer));
        let found = BlobDigest::from_bytes(digesting.hash.finalize().into());
        if found != pin.digest && self.store.verify_read(&pin.digest)? == Check::Corrupt {
            return Err(StoreError::Absent(pin.digest).into());
        }
        let mut fragment = unpacked.map_err(|error| BuildError::Deb {
            package: pin.name.clone(),
            error,
        })?;
        let segment = writer.commit().map_err(io)?;
        for entry in &mut fragment.entries {
            if let EntryNode::Regular(content) = &mut entry.node {
                segment.place(content);
            }
        }
        let bytes = serde_json::to_vec(&fragment).expect("a fragment is plain data");
        let size = bytes.len() as u64;
        Ok(Unpacked {
            fragment: self.store.put(&bytes)?,
            size,
            segment,
        })
    }

    /// Installs the parts: the tree, and the layer that it comes to.
    pub(crate) fn package_layer<'p>(
        &self,
        parts: &[Part],
        installed: impl FnOnce() -> Result<&'p Installed, BuildError>,
        image: &Image,
        pinned: &Pinned,
    ) -> Result<PackageLayer, BuildError> {
        fn of<T: Default>(image: &Image, part: impl Fn(&imgc_plan::Packages) -> T) -> T {
            image.packages.as_ref().map(part).unwrap_or_default()
        }
        let action = Action::Install {
            arch: image.platform.arch.debian().to_owned(),
            foreign: pinned.foreign.clone(),
            epoch: pinned.epoch,
            skip: skip(image).into_iter().collect(),
            effects: of(image, |packages| packages.effects.clone()),
            exclude: of(image, |packages| packages.exclude.clone()),
            include: of(image, |packages| packages.include.clone()),
            fragments: parts.iter().map(|part| part.digest).collect(),
            calls: pinned.call_lines.clone(),
        };
        let name = format!("{} packages", parts.len());
        let kind = ("install", abi::INSTALL, action);
        realise(self.store, self.events, kind, &name, || {
            let installed = installed()?;
            let segments: Vec<SegmentUse> = parts.iter().map(segment_use).collect();
            let recipe = imgc_layer::plan_layer(&installed.tree, None, &segments)?;
            drop(segments);
            let outside = Outside(self);
            let contents = StoreContents::new(self.store, Some(&outside));
            let layer = imgc_layer::assemble(self.store, &recipe, &contents)?;
            Ok(PackageLayer {
                layer,
                report: report(installed),
            })
        })
    }

    /// Installs the parts in memory.
    pub(crate) fn install(
        &self,
        parts: &[Part],
        image: &Image,
        pinned: &Pinned,
    ) -> Result<Installed, BuildError> {
        let fragments: Vec<&Fragment> = parts.iter().map(|part| &part.fragment).collect();
        let arch = image.platform.arch.debian();
        let skip = skip(image);
        let filter = image
            .packages
            .as_ref()
            .map(|packages| PathFilter::new(&packages.exclude, &packages.include));
        let outside = Outside(self);
        let bytes = Bytes {
            contents: StoreContents::new(self.store, Some(&outside)),
            damaged: RefCell::new(None),
            store: self.store,
        };
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
        let order = Order::new(&fragments, &pinned.calls, arch);
        let mut order = order.map_err(|(package, error)| BuildError::Order { package, error })?;
        let installed = imgc_dpkg::install(&fragments, &mut order, &options, &bytes);
        match bytes.damaged.into_inner() {
            Some(error) => Err(error.into()),
            None => Ok(installed?),
        }
    }
}

/// The bytes of the packages' files, for their scripts.
struct Bytes<'a> {
    contents: StoreContents<'a>,
    /// What turned out to be damaged in the store.
    damaged: RefCell<Option<imgc_layer::LayerError>>,
    store: &'a dyn imgc_store::Store,
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

fn segment_use(part: &Part) -> SegmentUse {
    let mut metas: std::collections::BTreeMap<&TreePath, &Meta> = std::collections::BTreeMap::new();
    let mut entries = Vec::with_capacity(part.fragment.entries.len());
    for entry in &part.fragment.entries {
        let kind = match &entry.node {
            EntryNode::Directory => continue,
            EntryNode::HardLink(target) => {
                let meta = metas.get(target).map_or(&entry.meta, |meta| *meta);
                metas.insert(&entry.path, meta);
                entries.push(imgc_layer::Entry {
                    path: entry.path.clone(),
                    meta: meta.clone(),
                    what: imgc_layer::What::HardLink(target.clone()),
                });
                continue;
            }
            EntryNode::Regular(content) => Kind::Regular(content.clone()),
            EntryNode::Symlink(target) => Kind::Symlink(target.clone()),
            EntryNode::CharDevice { major, minor } => Kind::CharDevice {
                major: *major,
                minor: *minor,
            },
            EntryNode::BlockDevice { major, minor } => Kind::BlockDevice {
                major: *major,
                minor: *minor,
            },
            EntryNode::Fifo => Kind::Fifo,
        };
        metas.insert(&entry.path, &entry.meta);
        entries.push(imgc_layer::Entry {
            path: entry.path.clone(),
            meta: entry.meta.clone(),
            what: imgc_layer::What::Node(kind),
        });
    }
    SegmentUse {
        segment: part.segment,
        entries,
    }
}

/// Digests what is read through it.
struct Digesting<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.hash.update(&buf[..read]);
        Ok(read)
    }
}

/// Writes what a package holds into its segment.
struct Into<'a>(&'a mut SegmentWriter<BlobWriter>);

impl Sink for Into<'_> {
    fn entry(
        &mut self,
        path: &TreePath,
        meta: &Meta,
        entry: EntryKind<'_>,
    ) -> std::io::Result<Option<Content>> {
        self.0.entry(path, meta, entry)
    }
}
