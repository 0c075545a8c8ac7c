//! What a build would do, without doing it: the graph of derivations, and what of it the
//! store has.
//!
//! A derivation's digest covers what its inputs come to, not how they are made. So the
//! digest of a step whose inputs are not there yet is not known, and neither is whether
//! it will have to be taken: an input may come out as it was.

use std::collections::BTreeMap;

use imgc_apt::{Lock, LockedBase};
use imgc_plan::{Action, Derivation, DrvDigest, FileDigest, Image, Index, Inputs};
use imgc_store::{BlobDigest, StoreError};
use serde::Serialize;

use crate::base::{self, Archived};
use crate::builder::{has_own_files, request_action};
use crate::extract::Extracted;
use crate::own_files::{FilesLayer, files_action};
use crate::packages::{PackageLayers, asked_of_debs, install_action};
use crate::parts::Unpacked;
use crate::pin::{self, Pinned};
use crate::realise;
use crate::{BuildError, Builder, Built, abi, layering};

/// The steps of building images, each after those that it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The steps.
    pub nodes: Vec<Node>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it makes: `base`, `fetch`, `unpack`, `install`, `extract`, `files`, `image`, `index`.
    pub kind: &'static str,
    /// Whose: a package, an image.
    pub name: String,
    /// The digest of its derivation, where it is known.
    #[serde(serialize_with = "digest")]
    pub derivation: Option<DrvDigest>,
    /// Whether it has to be taken.
    pub state: State,
    /// How many bytes it fetches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The steps whose outputs it needs, by their places in the graph.
    pub inputs: Vec<usize>,
}

/// Whether a step has to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The store has its output.
    Done,
    /// Nobody needs its output, as that of a later step is there.
    Unneeded,
    /// It has to be taken.
    Todo,
    /// That depends on what its inputs come to.
    Unknown,
}

fn digest<S: serde::Serializer>(
    digest: &Option<DrvDigest>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match digest {
        Some(digest) => serializer.serialize_some(&digest.hex()),
        None => serializer.serialize_none(),
    }
}

/// A graph while it is made: what several images need is in it once.
#[derive(Default)]
struct Making {
    graph: Graph,
    /// By the digest of the package, its `unpack`.
    unpacks: BTreeMap<String, usize>,
}

impl Builder<'_> {
    /// What building these images, and then these indexes of them, takes. Nothing is fetched
    /// or made.
    ///
    /// # Errors
    /// [`BuildError::NotLocked`] for an image whose packages the lock does not have; those
    /// of the store.
    pub fn plan(
        &self,
        images: &[(&Image, &Lock)],
        indexes: &[&Index],
    ) -> Result<Graph, BuildError> {
        let mut making = Making::default();
        let mut made = BTreeMap::new();
        for (image, lock) in images {
            let pinned = pin::pins(image, lock, self.mirrors)?;
            let built = self.plan_image(image, &pinned, &mut making)?;
            made.insert(&*image.name, (making.graph.nodes.len() - 1, built));
        }
        for index in indexes {
            let parts = index.images.iter().filter_map(|name| made.get(&**name));
            let parts: Vec<&(usize, Option<Built>)> = parts.collect();
            let built: Option<Vec<&Built>> =
                parts.iter().map(|(_, built)| built.as_ref()).collect();
            let asked = built.map(|built| (abi::INDEX, crate::index::action(index, &built)));
            let (node, _) =
                self.step::<crate::index::Written>("index", &index.name, asked, false)?;
            making.push(node, parts.iter().map(|(at, _)| *at).collect());
        }
        Ok(making.graph)
    }

    fn plan_image(
        &self,
        image: &Image,
        pinned: &Pinned,
        making: &mut Making,
    ) -> Result<Option<Built>, BuildError> {
        let request = (abi::IMAGE, request_action(image, pinned));
        let whole: Option<Built> = self.recorded(&request)?;
        let compression = layering::compression(&image.layers);
        let mut inputs = Vec::new();
        let lower = pinned.base.as_ref().map(base::archives_of);
        let lower = lower.unwrap_or_default();
        let mut below = Some(lower.clone());
        if let Some(locked) = &pinned.base {
            let before = whole.is_some();
            inputs.push(self.plan_base(locked, before, making)?);
        }
        let over = inputs.clone();
        if image.packages.is_some() {
            let before: Option<PackageLayers> = self.recorded(&asked_of_debs(image, pinned))?;
            let unneeded = whole.is_some() || before.is_some();
            let mut fragments = Some(Vec::new());
            let mut unpacks = Vec::new();
            for pin in &pinned.pins {
                let (at, unpacked) = self.plan_package(pin, unneeded, making)?;
                unpacks.push(at);
                fragments = fragments.zip(unpacked).map(|(mut all, one)| {
                    all.push(one.fragment);
                    all
                });
            }
            let action = fragments.map(|fragments| {
                let action = install_action(image, pinned, Inputs::Fragments(fragments));
                (abi::install(compression), action)
            });
            let (mut node, mut made) =
                self.step::<PackageLayers>("install", &image.name, action, whole.is_some())?;
            if let (None, Some(before)) = (&made, before) {
                node.state = State::Done;
                made = Some(before);
            }
            below = made.map(|made| {
                let own = made.layers.iter().map(|one| one.layer.blob);
                lower.iter().copied().chain(own).collect()
            });
            unpacks.extend(&over);
            inputs = vec![making.push(node, unpacks)];
        }
        if has_own_files(image) {
            let action = below.map(|below| {
                let action = files_action(image, below, pinned.epoch);
                (abi::files(compression), action)
            });
            let (node, made) =
                self.step::<FilesLayer>("files", &image.name, action, whole.is_some())?;
            let mut under = inputs.clone();
            under.extend(self.plan_brought(image, whole.is_some() || made.is_some(), making)?);
            inputs.push(making.push(node, under));
        }
        let node = Node {
            kind: "image",
            name: image.name.clone(),
            derivation: Some(key(request)),
            state: match whole {
                Some(_) => State::Done,
                None => State::Todo,
            },
            bytes: None,
            inputs: Vec::new(),
        };
        making.push(node, inputs);
        Ok(whole)
    }

    /// The `base` of an image: its layers, in the store and uncompressed.
    fn plan_base(
        &self,
        locked: &LockedBase,
        unneeded: bool,
        making: &mut Making,
    ) -> Result<usize, BuildError> {
        let is_same = |node: &Node| node.kind == "base" && node.name == locked.reference;
        let mut missing = 0;
        for layer in &locked.layers {
            if self
                .recorded::<Archived>(&base::archive_action(layer))?
                .is_none()
            {
                missing += layer.blob.size;
            }
        }
        let state = match (missing, unneeded) {
            (0, _) => State::Done,
            (_, true) => State::Unneeded,
            (_, false) => State::Todo,
        };
        if let Some(at) = making.graph.nodes.iter().position(is_same) {
            let node = &mut making.graph.nodes[at];
            if node.state == State::Unneeded {
                node.state = state;
            }
            return Ok(at);
        }
        let node = Node {
            kind: "base",
            name: locked.reference.clone(),
            derivation: None,
            state,
            bytes: Some(locked.layers.iter().map(|layer| layer.blob.size).sum()),
            inputs: Vec::new(),
        };
        Ok(making.push(node, Vec::new()))
    }

    /// The `fetch` of each file that an image names by its address and digest, and the
    /// `extract` of each archive: what the layer of its files needs.
    fn plan_brought(
        &self,
        image: &Image,
        unneeded: bool,
        making: &mut Making,
    ) -> Result<Vec<usize>, BuildError> {
        let mut fetches = BTreeMap::new();
        for (digest, url) in crate::brought::fetched(image) {
            let is_there = self
                .store
                .contains(&BlobDigest::from_bytes(*digest.as_bytes()))?
                .is_some();
            let node = Node {
                kind: "fetch",
                name: url.to_owned(),
                // It covers a length that nobody knows yet.
                derivation: None,
                state: match (is_there, unneeded) {
                    (true, _) => State::Done,
                    (false, true) => State::Unneeded,
                    (false, false) => State::Todo,
                },
                bytes: None,
                inputs: Vec::new(),
            };
            fetches.insert(digest, making.push(node, Vec::new()));
        }
        let mut all: Vec<usize> = fetches.values().copied().collect();
        for (file, wanted) in crate::brought::archives(image) {
            let asked = (abi::EXTRACT, wanted.action());
            let name = file.path.as_str();
            let (node, _) = self.step::<Extracted>("extract", name, Some(asked), unneeded)?;
            let digest = FileDigest::from_bytes(*wanted.archive.as_bytes());
            let from = fetches.get(&digest).copied();
            all.push(making.push(node, from.into_iter().collect()));
        }
        Ok(all)
    }

    /// The `fetch` and `unpack` of a package.
    fn plan_package(
        &self,
        pin: &crate::Pin,
        unneeded: bool,
        making: &mut Making,
    ) -> Result<(usize, Option<Unpacked>), BuildError> {
        let asked = (abi::UNPACK, Action::Unpack { deb: pin.digest });
        let unpacked: Option<Unpacked> = self.recorded(&asked)?;
        let skip = unneeded || unpacked.is_some();
        if let Some(&at) = making.unpacks.get(&pin.digest.hex()) {
            // Another image may need what the first one did not.
            if !skip {
                let fetch = making.graph.nodes[at].inputs.clone();
                for at in fetch.into_iter().chain([at]) {
                    let node = &mut making.graph.nodes[at];
                    if node.state == State::Unneeded {
                        node.state = State::Todo;
                    }
                }
            }
            return Ok((at, unpacked));
        }
        let is_there = self.store.contains(&pin.digest)? == Some(pin.size);
        let fetch = Node {
            kind: "fetch",
            name: pin.name.clone(),
            derivation: Some(key((
                abi::FETCH,
                Action::Fetch {
                    sha256: pin.digest,
                    size: pin.size,
                },
            ))),
            state: match (is_there, skip) {
                (true, _) => State::Done,
                (false, true) => State::Unneeded,
                (false, false) => State::Todo,
            },
            bytes: Some(pin.size),
            inputs: Vec::new(),
        };
        let unpack = Node {
            kind: "unpack",
            name: pin.name.clone(),
            derivation: Some(key(asked)),
            state: match (&unpacked, unneeded) {
                (Some(_), _) => State::Done,
                (None, true) => State::Unneeded,
                (None, false) => State::Todo,
            },
            bytes: None,
            inputs: Vec::new(),
        };
        let fetch = making.push(fetch, Vec::new());
        let at = making.push(unpack, vec![fetch]);
        making.unpacks.insert(pin.digest.hex(), at);
        Ok((at, unpacked))
    }

    /// A step whose derivation may not be known, and its output if that is there.
    fn step<T: realise::Output>(
        &self,
        kind: &'static str,
        name: &str,
        asked: Option<(u32, Action)>,
        unneeded: bool,
    ) -> Result<(Node, Option<T>), BuildError> {
        let made: Option<T> = match &asked {
            Some(asked) => self.recorded(asked)?,
            None => None,
        };
        let node = Node {
            kind,
            name: name.to_owned(),
            state: match (&made, &asked) {
                (Some(_), _) => State::Done,
                _ if unneeded => State::Unneeded,
                (None, Some(_)) => State::Todo,
                (None, None) => State::Unknown,
            },
            derivation: asked.map(key),
            bytes: None,
            inputs: Vec::new(),
        };
        Ok((node, made))
    }

    fn recorded<T: realise::Output>(
        &self,
        (abi, action): &(u32, Action),
    ) -> Result<Option<T>, StoreError> {
        realise::find(self.store, *abi, action.clone())
    }
}

impl Making {
    fn push(&mut self, mut node: Node, inputs: Vec<usize>) -> usize {
        node.inputs = inputs;
        self.graph.nodes.push(node);
        self.graph.nodes.len() - 1
    }
}

fn key((abi, action): (u32, Action)) -> DrvDigest {
    Derivation { abi, action }.digest()
}
