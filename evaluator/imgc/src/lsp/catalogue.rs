//! What the locks of a project and the indices that they name say of packages. The indices
//! come from the store, where a build or update has left them; what is not there is not
//! known, and is not fetched.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use imgc_apt::{Index, Lock, LockedIndex, Package, Relations};
use imgc_ide::{Catalogue, PackageFacts, PackageName};
use imgc_store::{BlobDigest, DiskStore, Store as _};

use crate::lock_file::LockFile;
use crate::settings;

/// How many packages a closure may have before it is not counted any more.
const MOST: usize = 20_000;

/// The packages of the folders below a root, each by the lock that stands there.
#[derive(Debug)]
pub(crate) struct Locked {
    root: PathBuf,
    folders: Mutex<BTreeMap<String, Arc<Folder>>>,
}

/// The packages of one folder.
#[derive(Debug)]
struct Folder {
    lock: Lock,
    /// Read when somebody asks for the first time.
    indices: OnceLock<Vec<Index>>,
    /// The names of all packages, the shortest first.
    by_length: OnceLock<Vec<String>>,
    /// The packages that stand for names that are none, by those names.
    providers: OnceLock<BTreeMap<String, Vec<String>>>,
    /// The names of all pins.
    pinned_names: OnceLock<BTreeSet<String>>,
}

impl Locked {
    /// The packages below a root.
    pub(crate) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            folders: Mutex::default(),
        }
    }

    fn folder(&self, folder: &str) -> Arc<Folder> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = folders.entry(folder.to_owned()).or_insert_with(|| {
            let beside = LockFile::beside(&self.root.join(folder).join("any"));
            Arc::new(Folder {
                // One that can't be read is told by the commands that need it.
                lock: beside.map(|beside| beside.lock).unwrap_or_default(),
                indices: OnceLock::new(),
                by_length: OnceLock::new(),
                providers: OnceLock::new(),
                pinned_names: OnceLock::new(),
            })
        });
        entry.clone()
    }
}

impl Catalogue for Locked {
    fn package(&self, folder: &str, name: &str) -> Option<PackageFacts> {
        self.folder(folder).package(name)
    }

    fn starting_with(&self, folder: &str, prefix: &str, most: usize) -> Vec<PackageName> {
        self.folder(folder).starting_with(prefix, most)
    }

    fn similar(&self, folder: &str, name: &str) -> Option<String> {
        let folder = self.folder(folder);
        let packages = folder.indices().iter().flat_map(Index::packages);
        let names = packages.map(|package| package.name());
        imgc_diag::did_you_mean(name, names).map(str::to_owned)
    }

    fn prepare(&self, folder: &str) {
        self.folder(folder).by_length();
    }
}

impl Folder {
    fn indices(&self) -> &[Index] {
        self.indices.get_or_init(|| {
            if self.lock.archives().is_empty() {
                return Vec::new();
            }
            // The store is not kept open: others look after it meanwhile.
            let settings = settings::store(None).ok();
            let store = settings.and_then(|settings| {
                DiskStore::open_over(&settings.path, &settings.substituters).ok()
            });
            let Some(store) = store else {
                return Vec::new();
            };
            let read = newest(&self.lock).into_iter().filter_map(|locked| {
                let digest = BlobDigest::from_bytes(*locked.sha256.as_bytes());
                let bytes = store.read(&digest, imgc_apt::MAX_INDEX).ok()??;
                Index::parse_locked(&bytes, locked).ok()
            });
            read.collect()
        })
    }

    /// The packages of a name, the newest version first.
    fn named<'a>(&'a self, name: &str) -> Vec<Package<'a>> {
        let mut found: Vec<Package<'a>> = Vec::new();
        for index in self.indices() {
            found.extend(index.named(name));
        }
        found.sort_by(|a, b| newer(a.version(), b.version()));
        found
    }

    fn pinned(&self, name: &str) -> Option<String> {
        let mut pins = self.lock.packages().iter();
        let pin = pins.find(|pin| pin.key.name == name)?;
        Some(pin.key.version.clone())
    }

    fn package(&self, name: &str) -> Option<PackageFacts> {
        let found = self.named(name);
        let pinned = self.pinned(name);
        if found.is_empty() && pinned.is_none() {
            return None;
        }
        let mut versions: Vec<String> = found
            .iter()
            .map(|package| package.version().to_owned())
            .collect();
        versions.dedup();
        let first = found.first();
        Some(PackageFacts {
            name: name.to_owned(),
            versions,
            description: first.and_then(Package::description).map(str::to_owned),
            installed_size: first.and_then(Package::installed_size),
            closure: first.and_then(|_| self.closure(name)),
            pinned,
        })
    }

    /// The names of all packages, the shortest first.
    fn by_length(&self) -> &[String] {
        self.by_length.get_or_init(|| {
            let mut names: Vec<&str> = Vec::new();
            for index in self.indices() {
                names.extend(index.packages().map(|package| package.name()));
            }
            if self.indices().is_empty() {
                names.extend(self.lock.packages().iter().map(|pin| pin.key.name.as_str()));
            }
            names.sort_unstable_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
            names.dedup();
            names.into_iter().map(str::to_owned).collect()
        })
    }

    fn starting_with(&self, prefix: &str, most: usize) -> Vec<PackageName> {
        let names = self.by_length().iter().map(String::as_str);
        let names = names.filter(|name| name.starts_with(prefix)).take(most);
        let version = |name: &str| {
            let indices = self.indices().iter();
            let known = indices.flat_map(|index| index.named(name));
            let known = known.map(|package| package.version());
            let newest = known.min_by(|one, other| newer(one, other));
            newest.or_else(|| {
                let mut pins = self.lock.packages().iter();
                let pin = pins.find(|pin| pin.key.name == name)?;
                Some(pin.key.version.as_str())
            })
        };
        let names = names.map(|name| PackageName {
            name: name.to_owned(),
            version: version(name).unwrap_or_default().to_owned(),
        });
        names.collect()
    }

    /// What a package and everything that it needs takes, in KiB, and how many those are.
    /// Of alternatives the one counts that the lock has, else the first that there is: to
    /// choose is the solver's work.
    fn closure(&self, name: &str) -> Option<(u64, usize)> {
        let mut seen: BTreeSet<String> = BTreeSet::from([name.to_owned()]);
        let mut open = vec![name.to_owned()];
        let mut size = 0_u64;
        while let Some(name) = open.pop() {
            let found = self.named(&name);
            let package = found.first()?;
            size = size.saturating_add(package.installed_size().unwrap_or_default());
            let needs = [package.pre_depends().ok()?, package.depends().ok()?];
            for needed in needs.iter().flat_map(|needs| self.met(needs)) {
                if seen.len() > MOST {
                    return None;
                }
                if seen.insert(needed.clone()) {
                    open.push(needed);
                }
            }
        }
        Some((size, seen.len()))
    }

    /// The packages that meet dependencies, one for each.
    fn met(&self, needs: &Relations<'_>) -> Vec<String> {
        let groups = needs.groups.iter();
        let met = groups.filter_map(|group| {
            let alternatives = || group.alternatives.iter().map(|relation| relation.name);
            let chosen = alternatives().find_map(|name| {
                if self.is_pinned(name) {
                    return Some(name.to_owned());
                }
                let providers = self.providers().get(name)?;
                providers.iter().find(|name| self.is_pinned(name)).cloned()
            });
            chosen.or_else(|| {
                alternatives().find_map(|name| {
                    if !self.named(name).is_empty() {
                        return Some(name.to_owned());
                    }
                    self.providers().get(name)?.first().cloned()
                })
            })
        });
        met.collect()
    }

    fn is_pinned(&self, name: &str) -> bool {
        let pinned = self.pinned_names.get_or_init(|| {
            let pins = self.lock.packages().iter();
            pins.map(|pin| pin.key.name.clone()).collect()
        });
        pinned.contains(name)
    }

    fn providers(&self) -> &BTreeMap<String, Vec<String>> {
        self.providers.get_or_init(|| {
            let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for package in self.indices().iter().flat_map(Index::packages) {
                let provides = package.provides();
                let groups = provides.iter().flat_map(|provides| &provides.groups);
                for relation in groups.flat_map(|group| &group.alternatives) {
                    let providers = found.entry(relation.name.to_owned()).or_default();
                    if providers.last().is_none_or(|last| last != package.name()) {
                        providers.push(package.name().to_owned());
                    }
                }
            }
            found
        })
    }
}

fn newer(one: &str, other: &str) -> Ordering {
    imgc_apt::compare_versions(other, one)
}

/// The indices of the newest state of each archive, for the architecture of the first set.
fn newest(lock: &Lock) -> Vec<&LockedIndex> {
    let arch = lock.sets().first().map(|set| set.request.arch.as_str());
    let of_arch = format!("binary-{}/", arch.unwrap_or("amd64"));
    let mut states = BTreeMap::new();
    for state in lock.archives() {
        let known = states.entry((&state.id, &state.dist)).or_insert(state);
        if state.date > known.date {
            *known = state;
        }
    }
    let indices = states.into_values().flat_map(|state| &state.indices);
    indices
        .filter(|index| index.path.contains(&of_arch))
        .collect()
}
