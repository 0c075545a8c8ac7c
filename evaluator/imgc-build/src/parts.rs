//! Packages to fragments: fetched and unpacked side by side, each once, ever.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use imgc_dpkg::{EntryNode, Fragment, Limits, Sink};
use imgc_layer::{Segment, SegmentUse, SegmentWriter};
use imgc_plan::Action;
use imgc_store::{BlobDigest, BlobWriter, Check, Sealed, StoreError};
use imgc_tree::{Content, EntryKind, Kind, Meta, TreePath};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ahead::{Early, Lowest};
use crate::budget::Budget;
use crate::fetch::Pin;
use crate::realise::{self, About, Output, Unkept, make_unkept};
use crate::{BuildError, Builder, Event, abi};

/// How many downloads run at once. They wait for the network, not for a processor.
const DOWNLOADS: usize = 8;

/// The largest fragment record that is read, in bytes.
const FRAGMENT: u64 = 256 << 20;

/// What unpacking a package takes beside its decompressor's window, in bytes: the
/// compressor, buffers, and the list of its files.
const UNPACKING: u64 = 24 << 20;

/// The largest window that packages are compressed with, in bytes (`xz -9`). A package
/// has no use for one that is larger than its contents.
const WINDOW: u64 = 64 << 20;

/// How many packages are kept together at most. With those that wait, so many are unpacked
/// again after a loss of power, or by who waits for one of them when this process is killed.
const TOGETHER: usize = 8;

/// How many packages may wait to be kept: the processors go on while the disk is slow. Each
/// has three open files.
const WAITING: usize = 64;

/// How long one package waits for the next that it may be kept with.
const GATHERING: Duration = Duration::from_millis(100);

/// What `unpack` yields: a package's files, and what is known of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unpacked {
    /// The [`Fragment`], as bytes.
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

/// A package's fragment.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) fragment: Fragment,
    pub(crate) segment: Segment,
    /// Worked out when it is first needed.
    used: OnceLock<SegmentUse>,
}

/// A package that was just unpacked, and is not kept yet.
struct Fresh {
    made: Unkept<Unpacked>,
    part: Option<Arc<Part>>,
}

impl Part {
    fn new(fragment: Fragment, segment: Segment) -> Self {
        let used = OnceLock::new();
        Self {
            fragment,
            segment,
            used,
        }
    }

    /// The package's files, as a layer may use them.
    pub(crate) fn used(&self) -> &SegmentUse {
        self.used
            .get_or_init(|| segment_use(&self.fragment, self.segment))
    }
}

/// The packages of a build that are unpacked, by their digests, and why others are not: in
/// the order in which they were asked for, whichever failed first.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    made: BTreeMap<BlobDigest, Arc<Slot>>,
    pub(crate) errors: Vec<BuildError>,
    /// The layers that were begun meanwhile.
    pub(crate) early: Early,
}

/// A package that is unpacked. The part of one that was unpacked before is read when it is
/// first needed: who finds that the packages need not be installed reads none.
#[derive(Debug)]
pub(crate) struct Slot {
    unpacked: Unpacked,
    part: Mutex<Option<Arc<Part>>>,
}

/// A package that was found or unpacked, or why it could not be.
type Found = Result<Arc<Slot>, BuildError>;

impl Slot {
    fn new(unpacked: Unpacked, part: Option<Arc<Part>>) -> Arc<Self> {
        let part = Mutex::new(part);
        Arc::new(Self { unpacked, part })
    }
}

impl Parts {
    /// The digests of the fragments of these packages, in their order. None if one is
    /// missing.
    pub(crate) fn fragments(&self, pins: &[Pin]) -> Option<Vec<BlobDigest>> {
        let slots = pins.iter().map(|pin| self.made.get(&pin.digest));
        slots.map(|slot| Some(slot?.unpacked.fragment)).collect()
    }
}

impl Builder<'_> {
    /// The parts of packages, in their order.
    ///
    /// # Errors
    /// The first error in their order.
    pub(crate) fn parts(&self, pins: &[Pin]) -> Result<Vec<Arc<Part>>, BuildError> {
        let mut parts = self.all_parts(pins, Early::default(), &|_| ());
        match parts.errors.is_empty() {
            true => self.load(&parts, pins),
            false => Err(parts.errors.swap_remove(0)),
        }
    }

    /// Reads the parts of packages that are unpacked, in their order.
    ///
    /// # Errors
    /// [`StoreError::Absent`] for one that turned out to be damaged; those of the store.
    pub(crate) fn load(&self, parts: &Parts, pins: &[Pin]) -> Result<Vec<Arc<Part>>, BuildError> {
        let read: Vec<Result<Arc<Part>, BuildError>> = pins
            .par_iter()
            .map(|pin| {
                let absent = || BuildError::Store(StoreError::Absent(pin.digest));
                self.part(parts.made.get(&pin.digest).ok_or_else(absent)?)
            })
            .collect();
        read.into_iter().collect()
    }

    /// Unpacks every package that has not been unpacked, and fetches what that takes. One
    /// that fails does not keep the others from being unpacked. `begin` is given what of
    /// `early` has all of its packages, as soon as it does.
    pub(crate) fn all_parts(
        &self,
        pins: &[Pin],
        early: Early,
        begin: &(dyn Fn(Arc<Lowest>) + Sync),
    ) -> Parts {
        let mut seen = BTreeSet::new();
        let pins: Vec<&Pin> = pins.iter().filter(|pin| seen.insert(pin.digest)).collect();
        let slots: Vec<Mutex<Option<Found>>> = pins.iter().map(|_| Mutex::new(None)).collect();
        let put = |at: usize, result: Found| {
            if let Ok(slot) = &result {
                early
                    .tell(&pins[at].digest, slot)
                    .into_iter()
                    .for_each(begin);
            }
            *slots[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        };
        pins.par_iter().enumerate().for_each(|(at, pin)| {
            if let Some(found) = self.known(pin).transpose() {
                put(at, found.map(|unpacked| Slot::new(unpacked, None)));
            }
        });
        let mut missing: Vec<usize> = (0..pins.len())
            .filter(|&at| {
                let slot = slots[at].lock();
                slot.unwrap_or_else(PoisonError::into_inner).is_none()
            })
            .collect();
        // Those that a layer waits for first, and then the longest: else one may be left to
        // a single processor at the end.
        missing.sort_by_cached_key(|&at| {
            let Pin { digest, size, .. } = pins[at];
            (!early.waits_for(digest), std::cmp::Reverse(*size))
        });
        self.fetch_and_unpack(&pins, &missing, &put);
        let mut parts = Parts {
            early,
            ..Parts::default()
        };
        for (pin, slot) in pins.iter().zip(slots) {
            let result = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            match result.expect("every package was found, made or failed") {
                Ok(slot) => drop(parts.made.insert(pin.digest, slot)),
                Err(BuildError::Interrupted) if !parts.errors.is_empty() => {}
                Err(error) => parts.errors.push(error),
            }
        }
        parts
    }

    /// Unpacks packages, in the order of `missing` as far as they are there.
    fn fetch_and_unpack(
        &self,
        pins: &[&Pin],
        missing: &[usize],
        put: &(impl Fn(usize, Found) + Sync),
    ) {
        // By their places in `missing`.
        let is_there = |place: &usize| {
            let Pin { digest, size, .. } = pins[missing[*place]];
            matches!(self.store.contains(digest), Ok(Some(there)) if there == *size)
        };
        let (there, absent): (Vec<usize>, Vec<usize>) = (0..missing.len()).partition(is_there);
        if !absent.is_empty() {
            self.events.event(Event::FetchTotal {
                files: absent.len(),
                bytes: absent.iter().map(|&place| pins[missing[place]].size).sum(),
            });
        }
        let budget = Budget::new(self.memory);
        let next = AtomicUsize::new(0);
        let (send, fetched) = channel();
        let (keep, fresh) = sync_channel(WAITING);
        let tasks = there.len();
        let ready = Mutex::new(BTreeSet::from_iter(there));
        std::thread::scope(|scope| {
            scope.spawn(move || self.keep(&fresh, put));
            for _ in 0..DOWNLOADS.min(absent.len()) {
                let (send, next, absent) = (send.clone(), &next, &absent);
                scope.spawn(move || {
                    while let Some(&place) = absent.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let at = missing[place];
                        match self.fetcher().pinned(pins[at]) {
                            Ok(()) => drop(send.send(place)),
                            Err(error) => put(at, Err(error.into())),
                        }
                    }
                });
            }
            drop(send);
            // In place: waiting for downloads must not take a thread of the pool.
            rayon::in_place_scope(|pool| {
                // Dropped at the end of this scope, which tells that no more will come.
                let keep = keep;
                let spawn = || {
                    let (budget, ready, keep) = (&budget, &ready, keep.clone());
                    pool.spawn(move |_| {
                        let mut ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
                        let first = ready.pop_first();
                        drop(ready);
                        let at = missing[first.expect("one for every task")];
                        let pin = pins[at];
                        // What xz makes of it is rarely more than six times as much.
                        let window = WINDOW.min(pin.size.saturating_mul(6));
                        let _share = budget.take(UNPACKING + window);
                        match self.unpacked(pin) {
                            Ok(fresh) => drop(keep.send((at, fresh))),
                            Err(error) => put(at, Err(error)),
                        }
                    });
                };
                (0..tasks).for_each(|_| spawn());
                for place in fetched {
                    let mut ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
                    ready.insert(place);
                    drop(ready);
                    spawn();
                }
            });
        });
    }

    /// Publishes and records packages that are unpacked: those together that come while it
    /// waits, so that the processors need not wait for the disk.
    fn keep(&self, fresh: &Receiver<(usize, Fresh)>, put: &impl Fn(usize, Found)) {
        while let Ok(first) = fresh.recv() {
            let mut all = vec![first];
            while all.len() < TOGETHER
                && let Ok(next) = fresh.recv_timeout(GATHERING)
            {
                all.push(next);
            }
            let publish = |(at, Fresh { made, part })| (at, made.publish(), part);
            // All of them, before the first is recorded.
            let published: Vec<_> = all.into_iter().map(publish).collect();
            for (at, made, part) in published {
                let unpacked = made.and_then(|made| made.record(self.store));
                put(at, unpacked.map(|unpacked| Slot::new(unpacked, part)));
            }
        }
    }

    /// A package that was unpacked before. Its `.deb` need not be there.
    fn known(&self, pin: &Pin) -> Result<Option<Unpacked>, BuildError> {
        self.check_stop()?;
        let action = Action::Unpack { deb: pin.digest };
        let found = realise::find::<Unpacked>(self.store, abi::UNPACK, action)?;
        if found.is_some() {
            self.events.event(Event::Reuse { kind: "unpack" });
        }
        Ok(found)
    }

    /// Unpacks a package. What turned out to be damaged in the store has been moved aside
    /// then, and is fetched again once.
    fn unpacked(&self, pin: &Pin) -> Result<Fresh, BuildError> {
        match self.try_unpacked(pin) {
            Err(BuildError::Store(StoreError::Absent(_))) => {
                self.fetcher().pinned(pin)?;
                self.try_unpacked(pin)
            }
            done => done,
        }
    }

    fn try_unpacked(&self, pin: &Pin) -> Result<Fresh, BuildError> {
        let action = Action::Unpack { deb: pin.digest };
        let about = About {
            kind: "unpack",
            name: &pin.name,
            said: serde_json::Value::Null,
        };
        let mut part = None;
        let made = make_unkept(self, (abi::UNPACK, action), about, || {
            let (unpacked, sealed, fresh) = self.unpack(pin)?;
            part = Some(Arc::new(fresh));
            Ok((unpacked, sealed))
        })?;
        Ok(Fresh { made, part })
    }

    /// The part of a package that is unpacked: read once, whoever asks.
    ///
    /// # Errors
    /// [`StoreError::Absent`] for one that turned out to be damaged; those of the store.
    pub(crate) fn part(&self, slot: &Slot) -> Result<Arc<Part>, BuildError> {
        let mut part = slot.part.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = &*part {
            return Ok(Arc::clone(part));
        }
        let read = Arc::new(self.read_part(&slot.unpacked)?);
        Ok(Arc::clone(part.insert(read)))
    }

    fn read_part(&self, unpacked: &Unpacked) -> Result<Part, BuildError> {
        let bytes = self.store.read(&unpacked.fragment, FRAGMENT)?;
        let bytes = bytes.ok_or(StoreError::Absent(unpacked.fragment))?;
        let fragment = Fragment::from_bytes(&bytes);
        let fragment = fragment.ok_or(StoreError::Absent(unpacked.fragment))?;
        Ok(Part::new(fragment, unpacked.segment))
    }

    fn unpack(&self, pin: &Pin) -> Result<(Unpacked, Vec<Sealed>, Part), BuildError> {
        let deb = self.store.open_sized(&pin.digest, pin.size)?;
        let deb = deb.ok_or(StoreError::Absent(pin.digest))?;
        // Unpacking reads to the end, or fails. Nothing else compares what it read.
        let mut digesting = Digesting {
            inner: deb,
            hash: Sha256::new(),
            builder: self,
        };
        let deb = io::BufReader::with_capacity(128 * 1024, &mut digesting);
        let failed =
            |error| StoreError::from_io(error, "writing", std::path::Path::new("a segment"));
        let mut writer = SegmentWriter::new(self.store.writer()?).map_err(failed)?;
        let unpacked = imgc_dpkg::unpack(deb, &Limits::default(), &mut Into(&mut writer));
        let found = BlobDigest::from_bytes(digesting.hash.finalize().into());
        self.check_stop()?;
        if found != pin.digest
            && (self.store.verify_read(&pin.digest)? == Check::Corrupt || unpacked.is_ok())
        {
            return Err(StoreError::Absent(pin.digest).into());
        }
        let mut fragment = unpacked.map_err(|error| BuildError::Deb {
            package: pin.name.clone(),
            error,
        })?;
        let (segment, files) = writer.seal().map_err(failed)?;
        for entry in &mut fragment.entries {
            if let EntryNode::Regular(content) = &mut entry.node {
                segment.place(content);
            }
        }
        let mut known = self.store.writer()?;
        known.write_all(&fragment.to_bytes()).map_err(failed)?;
        let known = known.seal()?;
        let unpacked = Unpacked {
            fragment: known.digest(),
            size: known.size(),
            segment,
        };
        let part = Part::new(fragment, segment);
        Ok((unpacked, vec![files, known], part))
    }
}

/// Digests what is read through it, and ends where the build is to stop.
struct Digesting<'a, R> {
    inner: R,
    hash: Sha256,
    builder: &'a Builder<'a>,
}

impl<R: Read> Read for Digesting<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.builder.check_stop().is_err() {
            return Err(io::Error::other("the build was interrupted"));
        }
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
    ) -> io::Result<Option<Content>> {
        self.0.entry(path, meta, entry)
    }
}

fn segment_use(fragment: &Fragment, segment: Segment) -> SegmentUse {
    let mut metas: BTreeMap<&TreePath, &Meta> = BTreeMap::new();
    let mut entries = Vec::with_capacity(fragment.entries.len());
    for entry in &fragment.entries {
        let kind = match &entry.node {
            EntryNode::Directory => Kind::Directory,
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
    SegmentUse { segment, entries }
}
