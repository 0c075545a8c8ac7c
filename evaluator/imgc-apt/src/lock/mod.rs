//! The lock, `imgc.lock`: every package that images may hold, pinned, with the
//! chain of trust that vouched for it, and every module of the language from elsewhere.
//!
//! It names archives by id and files by path, never a host: with it, a build needs
//! no index and need not trust a mirror. It is a value here; who reads and writes
//! the file is not this crate's business.

mod base;
mod calls;
mod module;
mod stanzas;
mod text;

use std::fmt;

use crate::archives::ArchiveSource;
use crate::release::Release;
use crate::sha256::Sha256;
use crate::solve::{Call, Request, Solution};
use crate::time::{self, Epoch};
use crate::version;

pub use base::{LockedBase, LockedBlob, LockedLayer};
pub use module::LockedModule;
pub use stanzas::Controlled;

/// The version of the format that this code reads and writes.
pub const LOCK_VERSION: u32 = 2;

/// The pins of a project. Always consistent: every reference in it resolves, and
/// nothing in it is without use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    archives: Vec<LockedArchive>,
    sets: Vec<Set>,
    packages: Vec<Pin>,
    modules: Vec<LockedModule>,
    bases: Vec<LockedBase>,
}

/// One state of one archive: what vouches for packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedArchive {
    /// The archive's id: `debian`, `debian-security`, or a third party's address.
    pub id: String,
    /// The distribution: `trixie-updates`.
    pub dist: String,
    /// `Suite` of its `Release`.
    pub suite: String,
    /// `Codename` of its `Release`.
    pub codename: String,
    /// `Date` of its `Release`.
    pub date: Epoch,
    /// SHA-256 of the `InRelease`.
    pub sha256: Sha256,
    /// The length of the `InRelease` in bytes.
    pub size: u64,
    /// The fingerprints of the keys that signed it, sorted.
    pub signers: Vec<String>,
    /// The signed template of where old states are, if there is one.
    pub snapshots: Option<String>,
    /// The indices that were used, sorted by path.
    pub indices: Vec<LockedIndex>,
}

/// An index that vouches for packages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedIndex {
    /// Its path below the distribution.
    pub path: String,
    /// SHA-256 of its compressed bytes.
    pub sha256: Sha256,
    /// The length of its compressed bytes.
    pub size: u64,
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// What was asked.
    pub request: Request,
    /// The archives that vouch for its packages. One may be there in several states:
    /// packages that an update left as they were keep theirs.
    pub archives: Vec<ArchiveKey>,
    /// The packages, in the order in which they are unpacked.
    pub packages: Vec<PackageKey>,
    /// What is asked of dpkg, in order; packages by their place in `packages`. Each is
    /// unpacked once.
    pub calls: Vec<Call>,
}

/// Names a [`LockedArchive`]. Written `trixie-updates 2026-07-11T10:16:37Z`, and with a
/// third party's address after that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchiveKey {
    /// The distribution.
    pub dist: String,
    /// `Date` of the `Release`.
    pub date: Epoch,
    /// The address, where the archive is a third party's.
    pub address: Option<String>,
}

/// Names a [`Pin`]. Written `libc6 2.41-12 amd64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageKey {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture, or `all`.
    pub arch: String,
}

/// One `.deb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Which package.
    pub key: PackageKey,
    /// The id of the archive that has it.
    pub archive: String,
    /// Its path below the archive's root.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
}

/// An archive whose signature and index were checked, for [`Lock::insert`].
#[derive(Debug, Clone, Copy)]
pub struct Vouched<'a> {
    /// Which archive.
    pub source: &'a ArchiveSource,
    /// Its verified `Release`.
    pub release: &'a Release,
    /// The index that was read.
    pub index: &'a LockedIndex,
}

/// Why a lock is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It is bigger than any real one.
    #[error("the lock is too big")]
    TooBig,
    /// Another version of imgc made it.
    #[error("the lock has version {found}; this imgc knows version {LOCK_VERSION}")]
    Version {
        /// Its version.
        found: i64,
    },
    /// It is not TOML, or has fields that it must not have.
    #[error("{}: {message}", place(*.line))]
    Format {
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
        /// The parser's words.
        message: String,
    },
    /// A value can't be what it is.
    #[error("{}: {field} can't be `{value}`", place(*.line))]
    Value {
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
        /// The field.
        field: &'static str,
        /// Its value, cut short.
        value: String,
    },
    /// Something stands twice.
    #[error("{}: `{what}` stands twice", place(*.line))]
    Duplicate {
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
        /// What.
        what: String,
    },
    /// A set names something that the lock does not have.
    #[error("{}: the lock has no `{what}`", place(*.line))]
    Dangling {
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
        /// What is named.
        what: String,
    },
    /// Two archives give different files for one version of a package, or an
    /// archive gives two Releases of one date.
    #[error("`{what}` is pinned already, with other bytes")]
    Contradiction {
        /// Which package or archive.
        what: String,
    },
}

fn place(line: Option<usize>) -> String {
    line.map_or_else(|| "the lock".to_owned(), |line| format!("line {line}"))
}

impl Lock {
    /// Reads a lock's text.
    ///
    /// # Errors
    /// A [`LockError`], with a line where there is one. Unknown fields are refused.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        text::parse(text)
    }

    /// Writes the lock. The same lock gives the same text, and one more package is
    /// one more line where packages are listed.
    pub fn render(&self) -> String {
        text::render(self)
    }

    /// The archives' states, sorted.
    pub fn archives(&self) -> &[LockedArchive] {
        &self.archives
    }

    /// The sets, sorted by what was asked.
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The pinned packages, sorted by name, version and architecture.
    pub fn packages(&self) -> &[Pin] {
        &self.packages
    }

    /// The answer to a request, if it is pinned.
    pub fn lookup(&self, request: &Request) -> Option<&Set> {
        let request = normal(request);
        self.sets.iter().find(|set| set.request == request)
    }

    /// The pins of a set of this lock, in the order in which they
    /// are unpacked.
    pub fn pins<'a>(&'a self, set: &'a Set) -> impl Iterator<Item = &'a Pin> {
        set.packages.iter().filter_map(|key| self.pin(key))
    }

    /// The archives' states that a set of this lock was solved with.
    pub fn archives_of<'a>(&'a self, set: &'a Set) -> impl Iterator<Item = &'a LockedArchive> {
        set.archives.iter().filter_map(|key| self.archive(key))
    }

    /// The newest `Date` among the archives of a set: the `SOURCE_DATE_EPOCH` of an
    /// image that is made from it.
    pub fn epoch(&self, set: &Set) -> Epoch {
        let dates = self.archives_of(set).map(|archive| archive.date);
        dates.max().unwrap_or(0)
    }

    /// The newest `Date` that was seen of an archive: no `Release` of it may be
    /// older.
    pub fn not_before(&self, id: &str, dist: &str) -> Option<Epoch> {
        let same = |archive: &&LockedArchive| archive.id == id && archive.dist == dist;
        let dates = self
            .archives
            .iter()
            .filter(same)
            .map(|archive| archive.date);
        dates.max()
    }

    /// Pins an answer, in the place of an older one to the same request. Other sets
    /// keep their pins and their archives' states; what no set needs any more is
    /// dropped. A package whose index comes after `archives` is one that the older
    /// answer has: its pin stays, and so does what vouches for it.
    ///
    /// # Errors
    /// [`LockError::Contradiction`] when the same version of a package has other
    /// bytes in another set, and [`LockError::Dangling`] when the solution names an
    /// index that is not among `archives`. The lock is then as it was.
    pub fn insert(
        &mut self,
        request: &Request,
        archives: &[Vouched<'_>],
        solution: &Solution<'_>,
    ) -> Result<(), LockError> {
        let request = normal(request);
        text::check_request(&request)?;
        let mut new = self.clone();
        new.sets.retain(|set| set.request != request);
        new.prune();
        let mut set = Set {
            request,
            archives: Vec::new(),
            packages: Vec::new(),
            calls: solution.calls.clone(),
        };
        for vouched in archives {
            let archive = LockedArchive::of(vouched);
            // An archive comes once for each of its components.
            if !set.archives.contains(&archive.key()) {
                set.archives.push(archive.key());
            }
            new.add_archive(archive)?;
        }
        for selected in &solution.packages {
            let package = selected.package;
            let key = PackageKey {
                name: package.name().to_owned(),
                version: package.version().to_owned(),
                arch: package.architecture().to_owned(),
            };
            let pin = match archives.get(selected.index) {
                Some(vouched) => Pin {
                    key: key.clone(),
                    archive: vouched.source.id.clone(),
                    path: package.path().to_owned(),
                    size: package.size(),
                    sha256: package.sha256(),
                },
                None => {
                    let dangling = || LockError::Dangling {
                        line: None,
                        what: key.to_string(),
                    };
                    let old = self.lookup(&set.request).ok_or_else(dangling)?;
                    let known = old.packages.contains(&key);
                    let pin = self.pin(&key).filter(|_| known).ok_or_else(dangling)?;
                    for archive in self.archives_of(old).filter(|old| old.id == pin.archive) {
                        let state = archive.key();
                        if !set.archives.contains(&state) {
                            set.archives.push(state);
                            new.add_archive(archive.clone())?;
                        }
                    }
                    pin.clone()
                }
            };
            set.packages.push(key);
            new.add_pin(pin)?;
        }
        set.archives.sort();
        new.sets.push(set);
        new.sort();
        *self = new;
        Ok(())
    }

    /// Keeps the sets whose request is wanted, and drops what only others needed.
    pub fn retain(&mut self, wanted: impl Fn(&Request) -> bool) {
        self.sets.retain(|set| wanted(&set.request));
        self.prune();
    }

    fn prune(&mut self) {
        let sets = &self.sets;
        self.archives.retain(|archive| {
            let key = archive.key();
            sets.iter().any(|set| set.archives.contains(&key))
        });
        let mut used: Vec<&PackageKey> = sets.iter().flat_map(|set| &set.packages).collect();
        used.sort();
        used.dedup();
        self.packages
            .retain(|pin| used.binary_search(&&pin.key).is_ok());
    }

    fn add_archive(&mut self, new: LockedArchive) -> Result<(), LockError> {
        let same = |old: &&mut LockedArchive| old.key() == new.key();
        let Some(old) = self.archives.iter_mut().find(same) else {
            self.archives.push(new);
            return Ok(());
        };
        if (old.sha256, &old.id) != (new.sha256, &new.id) {
            let what = new.key().to_string();
            return Err(LockError::Contradiction { what });
        }
        // The same Release, perhaps used for another architecture. Its signers may
        // be judged anew with other keys.
        old.signers = new.signers;
        old.indices.extend(new.indices);
        old.indices.sort();
        old.indices.dedup();
        Ok(())
    }

    fn add_pin(&mut self, new: Pin) -> Result<(), LockError> {
        match self.packages.binary_search_by(|pin| pin.key.cmp(&new.key)) {
            Err(at) => self.packages.insert(at, new),
            Ok(at) => {
                let old = &mut self.packages[at];
                if (old.sha256, old.size) != (new.sha256, new.size) {
                    let what = new.key.to_string();
                    return Err(LockError::Contradiction { what });
                }
                // The same bytes may have moved from an archive to another one, but
                // older sets can't name an archive that they were not solved with.
                if old.archive == new.archive {
                    old.path = new.path;
                }
            }
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.archives.sort_by(|a, b| {
            let by_id = a.id.cmp(&b.id);
            by_id.then_with(|| a.key().cmp(&b.key()))
        });
        self.sets.sort_by(|a, b| a.request.cmp(&b.request));
        self.packages.sort_by(|a, b| a.key.cmp(&b.key));
    }

    fn archive(&self, key: &ArchiveKey) -> Option<&LockedArchive> {
        self.archives.iter().find(|archive| archive.key() == *key)
    }

    fn pin(&self, key: &PackageKey) -> Option<&Pin> {
        let found = self.packages.binary_search_by(|pin| pin.key.cmp(key));
        found.ok().map(|at| &self.packages[at])
    }
}

fn normal(request: &Request) -> Request {
    let mut request = request.clone();
    request.names.sort();
    request.names.dedup();
    request
}

impl Set {
    /// The calls as the lock writes them: a line each, which says all that there is to
    /// say about them beside the packages.
    pub fn call_lines(&self) -> Vec<String> {
        calls::render(&self.calls, &self.packages)
    }
}

impl LockedArchive {
    fn of(vouched: &Vouched<'_>) -> Self {
        let Vouched {
            source,
            release,
            index,
        } = vouched;
        Self {
            id: source.id.clone(),
            dist: source.dist.clone(),
            suite: release.suite.clone(),
            codename: release.codename.clone(),
            date: release.date,
            sha256: release.sha256,
            size: release.size,
            signers: release.signers.clone(),
            snapshots: release.snapshots.clone(),
            indices: vec![(*index).clone()],
        }
    }

    /// The name by which sets refer to it.
    pub fn key(&self) -> ArchiveKey {
        ArchiveKey {
            dist: self.dist.clone(),
            date: self.date,
            address: self.id.contains(':').then(|| self.id.clone()),
        }
    }
}

impl fmt::Display for ArchiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dist, time::rfc3339(self.date))?;
        match &self.address {
            Some(address) => write!(f, " {address}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.version, self.arch)
    }
}

impl PartialOrd for PackageKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PackageKey {
    /// By name, then the older version first, then by architecture. Versions that
    /// are equal but written otherwise are told apart.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let names = self.name.cmp(&other.name);
        names
            .then_with(|| version::compare(&self.version, &other.version))
            .then_with(|| self.version.cmp(&other.version))
            .then_with(|| self.arch.cmp(&other.arch))
    }
}
