//! Packages by name to packages by digest: the lock, filled and read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use imgc_apt::{
    Asked, AskedArchive, Call, Controlled, Index, Keep, Keyring, Lock, LockedBase, MAX_KEYRING,
    Node, Offer, Package, ReleaseError, Request, Set, Sha256, Solution, SolveError, Vouched,
};
use imgc_plan::{Base, FileDigest, Image, Packages, Plan, Variant};
use imgc_store::BlobDigest;

use crate::archive::{Archive, Reading};
use crate::fetch::Pin;
use crate::{BuildError, Builder, Mirrors};

/// What may happen to a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning<'a> {
    /// Nothing: what is missing is an error.
    Locked,
    /// What is missing is added.
    AddMissing,
    /// Everything is asked for anew.
    Update,
    /// Packages of these names take their newest version, and what has to change with
    /// them does; everything else stays. What is missing is added.
    Only(&'a BTreeSet<String>),
}

impl Builder<'_> {
    /// Sees to it that `lock` has the packages of every image of `plan`.
    ///
    /// # Errors
    /// [`BuildError::NotLocked`] under [`Pinning::Locked`]; else what reading the
    /// archives or solving says. The lock is then as it was.
    pub fn pin(
        &self,
        plan: &Plan,
        lock: &mut Lock,
        pinning: Pinning<'_>,
    ) -> Result<(), BuildError> {
        let mut new = lock.clone();
        // Images of the same archives and architectures share the reading of them.
        let mut read: BTreeMap<(Vec<String>, Vec<String>), Vec<Archive>> = BTreeMap::new();
        let mut answered = Vec::new();
        for image in &plan.images {
            if let Some(base) = &image.base {
                self.pin_base(image, base, &mut new, pinning)?;
            }
            let Some(packages) = &image.packages else {
                continue;
            };
            let request = request(image, packages);
            let known = lock.lookup(&request);
            let stays = match pinning {
                Pinning::Locked | Pinning::AddMissing => known.is_some(),
                Pinning::Update => false,
                Pinning::Only(names) => known
                    .is_some_and(|set| !set.packages.iter().any(|key| names.contains(&key.name))),
            };
            if stays || answered.contains(&request) {
                continue;
            }
            if pinning == Pinning::Locked {
                return Err(not_locked(image, request));
            }
            let sources = self.archive_sources(image, packages, &request)?;
            let own = [request.arch.as_str()].into_iter();
            let archs: Vec<String> = own.chain(request.foreign()).map(str::to_owned).collect();
            let key = (sources.iter().map(identity).collect(), archs);
            if !read.contains_key(&key) {
                let reading = Reading {
                    mirrors: self.mirrors,
                    keyrings: self.keyrings,
                    now: self.now,
                };
                let archives = reading
                    .all(self.fetcher(), sources, &key.1, lock)
                    .map_err(|error| no_architecture(error, image, &request))?;
                read.insert(key.clone(), archives);
            }
            let archives = &read[&key];
            let offers: Vec<Offer<'_>> = archives.iter().map(offer).collect();
            let indices: Vec<_> = archives.iter().map(|archive| &archive.index).collect();
            let vouched: Vec<_> = archives.iter().map(vouched).collect();
            let installed = match &image.base {
                None => None,
                Some(base) => {
                    let locked = locked_base(image, base, &new)?;
                    Some(self.base_index(image, base, locked, packages)?)
                }
            };
            let mut insert = |solved: Result<Solution<'_>, _>| -> Result<(), BuildError> {
                let solution = solved.map_err(|error| BuildError::Solve {
                    image: image.name.clone(),
                    error: Box::new(error),
                })?;
                Ok(new.insert(&request, &vouched, &solution)?)
            };
            if let Some(base) = &image.base {
                let index = installed.as_ref().ok_or_else(|| no_base(image, base))?;
                insert(imgc_apt::solve_over(&request, &offers, index))?;
            } else if let (Pinning::Only(names), Some(set)) = (pinning, known) {
                let keep = Keep {
                    versions: versions(set, names),
                    index: &self.gone(lock, set, names, &indices)?,
                };
                insert(imgc_apt::solve_keeping(&request, &offers, &keep))?;
            } else {
                insert(imgc_apt::solve(&request, &offers))?;
            }
            answered.push(request);
        }
        *lock = new;
        Ok(())
    }

    /// Sees to it that `lock` has what an image is laid over. A digest names the same for
    /// ever: what is pinned stays.
    fn pin_base(
        &self,
        image: &Image,
        base: &Base,
        lock: &mut Lock,
        pinning: Pinning<'_>,
    ) -> Result<(), BuildError> {
        if locked_base(image, base, lock).is_ok() {
            return Ok(());
        }
        if pinning == Pinning::Locked {
            return Err(no_base(image, base));
        }
        let locked = self.lock_base(image, base)?;
        Ok(lock.pin_base(locked)?)
    }

    /// The packages of an image as the lock pins them, sorted by name, and which needs
    /// which. None for an image without packages.
    ///
    /// The pins are enough: what the store does not have of them is fetched, and no
    /// index is read.
    ///
    /// # Errors
    /// [`BuildError::NotLocked`] where the lock doesn't have them; else what fetching or
    /// reading a package says.
    pub fn graph(&self, image: &Image, lock: &Lock) -> Result<Option<Vec<Node>>, BuildError> {
        let Some(packages) = &image.packages else {
            return Ok(None);
        };
        let request = request(image, packages);
        let Some(set) = lock.lookup(&request) else {
            return Err(not_locked(image, request));
        };
        let pins: Vec<_> = lock.pins(set).collect();
        let index = self.index_of(lock, set, &pins, |_| None)?;
        let nodes = imgc_apt::graph(&request, &index).map_err(|error| BuildError::Solve {
            image: image.name.clone(),
            error: Box::new(error),
        })?;
        Ok(Some(nodes))
    }

    /// What of a set is to stay, and is in no index any more.
    fn gone(
        &self,
        lock: &Lock,
        set: &Set,
        changing: &BTreeSet<String>,
        indices: &[&Index],
    ) -> Result<Index, BuildError> {
        let now = |name: &str| -> Vec<Package<'_>> {
            let all = indices.iter().flat_map(|index| index.named(name));
            all.collect()
        };
        let is_there = |key: &imgc_apt::PackageKey| {
            let same = |package: &Package<'_>| {
                package.version() == key.version && package.architecture() == key.arch
            };
            now(&key.name).iter().any(same)
        };
        let pins: Vec<_> = lock
            .pins(set)
            .filter(|pin| !changing.contains(&pin.key.name) && !is_there(&pin.key))
            .collect();
        self.index_of(lock, set, &pins, |name| {
            now(name).first().map(|package| package.priority())
        })
    }

    /// An index of pins of a set, from their control files.
    fn index_of<'p>(
        &self,
        lock: &Lock,
        set: &Set,
        pins: &[&imgc_apt::Pin],
        priority: impl Fn(&str) -> Option<&'p str>,
    ) -> Result<Index, BuildError> {
        let sources = PinSources::new(lock, set, self.mirrors);
        let wanted: Vec<Pin> = pins.iter().map(|pin| sources.pin(pin)).collect();
        let parts = self.parts(&wanted)?;
        let packages = pins.iter().zip(&parts).map(|(pin, part)| Controlled {
            pin,
            control: &part.fragment.control,
            priority: priority(&pin.key.name),
        });
        Index::of_pins(packages).map_err(|error| BuildError::Index {
            archive: "the packages of the lock".to_owned(),
            error,
        })
    }

    /// The archives that an image's packages come from, with their keys.
    fn archive_sources(
        &self,
        image: &Image,
        packages: &Packages,
        request: &Request,
    ) -> Result<Vec<imgc_apt::ArchiveSource>, BuildError> {
        let mut keyrings = BTreeMap::new();
        for archive in &packages.archives {
            let Some(digest) = archive.keys else {
                continue;
            };
            let keyring = self.keys(&digest).map_err(|reason| BuildError::Keys {
                image: image.name.clone(),
                suite: archive.suite.clone(),
                reason,
            })?;
            keyrings.insert(Sha256::from_bytes(*digest.as_bytes()), keyring);
        }
        imgc_apt::archives_of(request, &keyrings).map_err(|error| BuildError::Suite {
            image: image.name.clone(),
            error,
        })
    }

    /// The keys in a file of the project.
    fn keys(&self, digest: &FileDigest) -> Result<Keyring, String> {
        let file = self.sources.open(digest);
        let mut bytes = Vec::new();
        file.and_then(|file| file.take(MAX_KEYRING as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| error.to_string())?;
        if Sha256::of(&bytes).as_bytes() != digest.as_bytes() && bytes.len() <= MAX_KEYRING {
            return Err("the file was changed while it was read".to_owned());
        }
        Keyring::parse(&bytes).map_err(|error| error.to_string())
    }
}

/// What tells the readings of archives apart.
fn identity(source: &imgc_apt::ArchiveSource) -> String {
    let imgc_apt::ArchiveSource {
        id,
        dist,
        components,
        priority,
        keyring,
        ..
    } = source;
    let signers = keyring.fingerprints();
    format!("{id} {dist} {components:?} {priority:?} {signers:?}")
}

fn offer(archive: &Archive) -> Offer<'_> {
    let release = &archive.release;
    Offer {
        index: &archive.index,
        priority: archive.source.priority(release),
        names: [&archive.source.dist, &release.suite, &release.codename],
    }
}

fn vouched(archive: &Archive) -> Vouched<'_> {
    Vouched {
        source: &archive.source,
        release: &archive.release,
        index: &archive.index_file,
    }
}

/// Where the archives have nothing for a foreign architecture, the package that asks for it
/// is what is wrong.
fn no_architecture(error: BuildError, image: &Image, request: &Request) -> BuildError {
    let BuildError::Release {
        error: ReleaseError::NoIndex { path },
        ..
    } = &error
    else {
        return error;
    };
    let asked = request.names.iter().filter_map(|name| Asked::parse(name));
    let mut asked = asked.filter_map(|asked| Some((asked.name, asked.foreign(&request.arch)?)));
    let Some((name, arch)) = asked.find(|(_, arch)| path.contains(&format!("/binary-{arch}/")))
    else {
        return error;
    };
    BuildError::Solve {
        image: image.name.clone(),
        error: Box::new(SolveError::Unknown {
            name: name.to_owned(),
            arch: arch.to_owned(),
            suggestions: Vec::new(),
        }),
    }
}

/// What the lock has of a base.
fn locked_base<'l>(
    image: &Image,
    base: &Base,
    lock: &'l Lock,
) -> Result<&'l LockedBase, BuildError> {
    let found = lock.base(&base.to_string(), image.platform.arch.debian());
    found.ok_or_else(|| no_base(image, base))
}

fn no_base(image: &Image, base: &Base) -> BuildError {
    BuildError::BaseNotLocked {
        image: image.name.clone(),
        base: base.to_string(),
    }
}

fn not_locked(image: &Image, request: Request) -> BuildError {
    BuildError::NotLocked {
        image: image.name.clone(),
        request: Box::new(request),
    }
}

/// The versions of a set; none for those that are to change.
fn versions(set: &Set, changing: &BTreeSet<String>) -> BTreeMap<String, Option<String>> {
    let version = |key: &imgc_apt::PackageKey| {
        let stays = !changing.contains(&key.name);
        (key.name.clone(), stays.then(|| key.version.clone()))
    };
    set.packages.iter().map(version).collect()
}

/// What an image asks of the solver.
pub fn request(image: &Image, packages: &Packages) -> Request {
    let base = image.base.as_ref();
    Request {
        base: base.map(|base| Sha256::from_bytes(*base.digest.as_bytes())),
        suite: packages.suite.clone(),
        arch: image.platform.arch.debian().to_owned(),
        variant: match packages.variant {
            Variant::Distroless => imgc_apt::Variant::Distroless,
            Variant::Essential => imgc_apt::Variant::Essential,
            Variant::Apt => imgc_apt::Variant::Apt,
            Variant::Minbase => imgc_apt::Variant::Minbase,
        },
        recommends: packages.recommends,
        names: packages.names.clone(),
        archives: packages
            .archives
            .iter()
            .map(|archive| AskedArchive {
                url: archive.url.clone(),
                dist: archive.suite.clone(),
                components: archive.components.clone(),
                keys: archive
                    .keys
                    .map(|keys| Sha256::from_bytes(*keys.as_bytes())),
                priority: archive.priority,
            })
            .collect(),
    }
}

/// The packages of an image as its lock pins them.
#[derive(Debug, Default)]
pub(crate) struct Pinned {
    /// What it is laid over.
    pub(crate) base: Option<LockedBase>,
    /// The architectures beside the image's that its packages may be of.
    pub(crate) foreign: Vec<String>,
    /// In the order in which they are unpacked.
    pub(crate) pins: Vec<Pin>,
    /// What is asked of dpkg, in order.
    pub(crate) calls: Vec<Call>,
    /// The same, as the lock writes it.
    pub(crate) call_lines: Vec<String>,
    /// The moment that the image is of, in seconds since 1970.
    pub(crate) epoch: u64,
}

/// What the lock pins for an image. It is no older than what it is laid over.
///
/// # Errors
/// [`BuildError::NotLocked`], [`BuildError::BaseNotLocked`] where the lock doesn't have it.
pub(crate) fn pins(image: &Image, lock: &Lock, mirrors: &Mirrors) -> Result<Pinned, BuildError> {
    let mut pinned = match &image.packages {
        None => Pinned::default(),
        Some(packages) => packages_of(image, packages, lock, mirrors)?,
    };
    if let Some(base) = &image.base {
        let locked = locked_base(image, base, lock)?;
        pinned.epoch = pinned.epoch.max(locked.created.unwrap_or(0));
        pinned.base = Some(locked.clone());
    }
    Ok(pinned)
}

fn packages_of(
    image: &Image,
    packages: &Packages,
    lock: &Lock,
    mirrors: &Mirrors,
) -> Result<Pinned, BuildError> {
    let request = request(image, packages);
    let set = lock
        .lookup(&request)
        .ok_or_else(|| not_locked(image, request))?;
    let sources = PinSources::new(lock, set, mirrors);
    let pins = lock.pins(set).map(|pin| sources.pin(pin));
    let foreign = set.request.foreign().into_iter().map(str::to_owned);
    Ok(Pinned {
        base: None,
        foreign: foreign.collect(),
        pins: pins.collect(),
        calls: set.calls.clone(),
        call_lines: set.call_lines(),
        epoch: lock.epoch(set),
    })
}

/// Where the pins of a set can be had.
struct PinSources {
    mirrors: Mirrors,
    /// By archive, the moments whose snapshot may have a pin, the first choice first.
    moments: BTreeMap<String, Vec<u64>>,
}

impl PinSources {
    fn new(lock: &Lock, set: &Set, mirrors: &Mirrors) -> Self {
        let mut mirrors = mirrors.clone();
        let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
        let mut states: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
        for archive in lock.archives_of(set) {
            let moment = newest.entry(&archive.id).or_insert(archive.date);
            *moment = archive.date.max(*moment);
            let dates = states.entry((&archive.id, &archive.dist)).or_default();
            dates.push(archive.date);
            if let Some(template) = &archive.snapshots {
                mirrors
                    .snapshots
                    .entry(archive.id.clone())
                    .or_insert_with(|| template.clone());
            }
        }
        // The moment of the newest Release that was read, then those of the older states
        // that an update left packages of.
        let mut moments: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (id, moment) in newest {
            moments.insert(id.to_owned(), vec![moment]);
        }
        for ((id, _), mut dates) in states {
            dates.sort_unstable_by(|a, b| b.cmp(a));
            let known = moments.entry(id.to_owned()).or_default();
            for date in dates.into_iter().skip(1) {
                if !known.contains(&date) {
                    known.push(date);
                }
            }
        }
        Self { mirrors, moments }
    }

    fn pin(&self, pin: &imgc_apt::Pin) -> Pin {
        let at = |moment| self.mirrors.addresses(&pin.archive, &pin.path, moment);
        let mut addresses = at(None);
        for moment in self.moments.get(&pin.archive).into_iter().flatten() {
            for address in at(Some(*moment)) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        Pin {
            name: pin.key.to_string(),
            digest: BlobDigest::from_bytes(*pin.sha256.as_bytes()),
            size: pin.size,
            addresses,
        }
    }
}
