//! What programs lack, as far as it shows before a build: for checks and editors.
//!
//! Nothing is installed and nothing fetched. A library that no package of the lock has
//! under any path is missing for sure; whether one that is there would be found, a build
//! tells. Where the store does not have the packages unpacked, nothing is said.

use std::collections::BTreeSet;
use std::io::Read as _;

use imgc_apt::Lock;
use imgc_dpkg::{EntryNode, Fragment};
use imgc_plan::{Action, Content, FileNode, Image, Plan};
use imgc_store::{BlobDigest, Store};

use super::naming::by_name;
use super::{Lack, MAX_ELF, Program, elf};
use crate::parts::Unpacked;
use crate::pin::request;
use crate::{BuildError, Sources, abi, realise};

/// The largest list of a package's files that is read, in bytes.
const MAX_FRAGMENT: u64 = 64 << 20;

/// The programs of a plan's project files that lack something, as the errors that a build
/// would end in. `store` is asked for only where there are such programs.
pub fn lacking<'s>(
    plan: &Plan,
    lock: &Lock,
    store: impl Fn() -> Option<&'s dyn Store>,
    sources: &dyn Sources,
) -> Vec<BuildError> {
    let mut errors = Vec::new();
    for image in &plan.images {
        let asking = asking(image, sources);
        if asking.is_empty() {
            continue;
        }
        let Some(store) = store() else { break };
        let Some(there) = there(image, lock, store) else {
            continue;
        };
        let mut programs: Vec<Program> = Vec::new();
        for (path, facts) in asking {
            let mut lacks = Vec::new();
            let is_provided = |name: &str| image.provided.contains_key(name);
            if let Some(interpreter) = facts.interpreter.filter(|path| !is_provided(path)) {
                let name = interpreter.rsplit('/').next().unwrap_or_default();
                if !there.contains(name) {
                    lacks.push(Lack::Interpreter {
                        path: interpreter,
                        packages: Vec::new(),
                    });
                }
            }
            let needed = facts.needed.into_iter();
            for name in needed.filter(|name| !is_provided(name) && !name.contains('/')) {
                // musl's C library is its loader.
                if !there.contains(&name) && !name.starts_with("libc.musl-") {
                    lacks.push(Lack::Library {
                        name,
                        by: path.clone(),
                        elsewhere: None,
                        packages: Vec::new(),
                    });
                }
            }
            if !lacks.is_empty() {
                programs.push(Program { path, lacks });
            }
        }
        if programs.is_empty() {
            continue;
        }
        name_packages(image, lock, store, &mut programs);
        errors.push(BuildError::Programs {
            image: image.name.clone(),
            programs,
        });
    }
    errors
}

/// The dynamic ELF files of the project among an image's own, by path.
fn asking(image: &Image, sources: &dyn Sources) -> Vec<(String, elf::Facts)> {
    let mut all = Vec::new();
    for file in &image.files {
        let FileNode::Regular {
            content: Content::Source { digest, size },
            ..
        } = &file.node
        else {
            continue;
        };
        let mut bytes = Vec::new();
        let Ok(opened) = sources.open(digest) else {
            continue;
        };
        let mut opened = opened.take(MAX_ELF);
        let start = (&mut opened).take(4).read_to_end(&mut bytes);
        if *size > MAX_ELF || start.is_err() || !elf::is_elf(&bytes) {
            continue;
        }
        if opened.read_to_end(&mut bytes).is_ok()
            && let Ok(Some(facts)) = elf::read(&bytes)
            && facts.kind == image.platform.arch.elf()
        {
            all.push((file.path.to_string(), facts));
        }
    }
    all
}

/// The names of all files that an image has. None where that is not known.
fn there(image: &Image, lock: &Lock, store: &dyn Store) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    for file in &image.files {
        if matches!(file.node, FileNode::Archive { .. }) {
            return None;
        }
        names.insert(last(file.path.as_str()));
    }
    if image.base.is_some() {
        return None;
    }
    let Some(packages) = &image.packages else {
        return Some(names);
    };
    let set = lock.lookup(&request(image, packages))?;
    for pin in lock.pins(set) {
        let deb = BlobDigest::from_bytes(*pin.sha256.as_bytes());
        let action = Action::Unpack { deb };
        let unpacked: Unpacked = realise::find(store, abi::UNPACK, action).ok()??;
        let bytes = store.read(&unpacked.fragment, MAX_FRAGMENT).ok()??;
        let fragment = Fragment::from_bytes(&bytes)?;
        for entry in &fragment.entries {
            if !matches!(entry.node, EntryNode::Directory) {
                names.insert(String::from_utf8_lossy(entry.path.name()).into_owned());
            }
        }
    }
    Some(names)
}

/// Names packages after libraries, by the indices of the lock that are in the store.
fn name_packages(image: &Image, lock: &Lock, store: &dyn Store, programs: &mut [Program]) {
    let Some(packages) = &image.packages else {
        return;
    };
    let lacks = programs.iter().flat_map(|program| &program.lacks);
    let names: Vec<String> = lacks.filter_map(Lack::name).map(str::to_owned).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let request = request(image, packages);
    let found = by_name(lock, &request, &names, |_, locked| {
        let digest = BlobDigest::from_bytes(*locked.sha256.as_bytes());
        store.read(&digest, imgc_apt::MAX_INDEX).ok()?
    });
    for lack in programs.iter_mut().flat_map(|program| &mut program.lacks) {
        let named = lack.name().and_then(|name| found.get(name)).cloned();
        if let Lack::Library { packages, .. } = lack {
            *packages = named.unwrap_or_default();
        }
    }
}
