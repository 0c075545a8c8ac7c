//! The paths of an archive: where each entry goes, and which ones are refused.
//!
//! An entry goes below the folder that is unpacked to, and nowhere else, whatever links
//! there are. No path is there twice, but folders.

use std::collections::{BTreeMap, BTreeSet};

use imgc_dpkg::{Limits, PathFilter};
use imgc_plan::{FileDigest, stays_inside};
use serde::{Deserialize, Serialize};

use super::{ExtractError, Kind};

/// How many entries an archive may have.
pub(super) const MAX_ENTRIES: usize = 200_000;

/// How many steps links may take together.
const MAX_STEPS: usize = 20_000_000;

/// How many bytes all paths and targets may have.
const MAX_NAMES: usize = 64 << 20;

/// One thing that an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Its path, from the folder on: `bin/app`.
    pub(crate) path: String,
    /// What it is.
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    Directory,
    File {
        mode: u32,
        size: u64,
        sha256: FileDigest,
        /// Where its bytes begin among those of all files.
        offset: u64,
    },
    Symlink {
        target: String,
    },
}

/// Where an entry goes.
pub(super) struct Spot {
    path: String,
    /// The mode of a file.
    pub(super) mode: u32,
}

/// All that has been taken in.
pub(super) struct Paths {
    strip: usize,
    filter: PathFilter,
    setuid: bool,
    entries: BTreeMap<String, What>,
    count: usize,
    names: usize,
}

impl Paths {
    pub(super) fn new(strip: u32, filter: PathFilter, setuid: bool) -> Self {
        Self {
            strip: strip as usize,
            filter,
            setuid,
            entries: BTreeMap::new(),
            count: 0,
            names: 0,
        }
    }

    /// Where an entry goes. None for one that is not wanted.
    pub(super) fn place(
        &mut self,
        path: &[u8],
        mode: u32,
        kind: &Kind,
    ) -> Result<Option<Spot>, ExtractError> {
        self.count += 1;
        self.names += path.len();
        if self.count > MAX_ENTRIES {
            return Err(ExtractError::TooMuch("200000 entries"));
        }
        if self.names > MAX_NAMES {
            return Err(ExtractError::TooMuch("64 MiB of names"));
        }
        let Some(inner) = self.inner(path)? else {
            return Ok(None);
        };
        if self.filter.leaves_out_path(format!("/{inner}").as_bytes()) {
            return Ok(None);
        }
        let refuse = |why| Err(refused(path, why));
        match kind {
            Kind::Other => return refuse("which is neither a file, a folder nor a link"),
            Kind::Regular if mode & 0o6000 != 0 && !self.setuid => {
                return refuse(
                    "which runs with another's rights: say `setuid = true` if that is wanted",
                );
            }
            _ => {}
        }
        let bits = if self.setuid { mode & 0o6000 } else { 0 };
        let mode = if mode & 0o111 != 0 { 0o755 } else { 0o644 };
        Ok(Some(Spot {
            path: inner,
            mode: mode | bits,
        }))
    }

    /// A path without what is stripped. None for one that has no more parts than that.
    fn inner(&self, path: &[u8]) -> Result<Option<String>, ExtractError> {
        let refuse = |why| Err(refused(path, why));
        let Ok(text) = std::str::from_utf8(path) else {
            return refuse("whose name is not UTF-8");
        };
        if text.starts_with('/') {
            return refuse("which is absolute");
        }
        if text.contains(['\0', '\\']) {
            return refuse("whose name has a `\\` or a NUL");
        }
        let mut parts = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => return refuse("which leads upwards"),
                part if part.len() > 255 => return refuse("whose name is too long"),
                part => parts.push(part),
            }
        }
        if text.len() > 4096 || parts.len() > Limits::default().depth {
            return refuse("whose path is too long");
        }
        let inner = parts.get(self.strip..).unwrap_or_default();
        Ok((!inner.is_empty()).then(|| inner.join("/")))
    }

    /// A symbolic link.
    pub(super) fn target(&mut self, path: &[u8], target: Vec<u8>) -> Result<What, ExtractError> {
        self.names += target.len();
        match String::from_utf8(target) {
            Ok(target) if !target.is_empty() && target.len() <= 4095 && !target.contains('\0') => {
                Ok(What::Symlink { target })
            }
            _ => Err(refused(
                path,
                "a link whose target is empty, too long or not UTF-8",
            )),
        }
    }

    /// The file that a hard link is another name of.
    pub(super) fn linked(&mut self, path: &[u8], target: &[u8]) -> Result<What, ExtractError> {
        let inner = self.inner(target)?;
        match inner.and_then(|inner| self.entries.get(&inner)) {
            Some(file @ What::File { .. }) => Ok(file.clone()),
            _ => Err(refused(
                path,
                "a hard link to a file that is not unpacked before it",
            )),
        }
    }

    /// Takes an entry in.
    pub(super) fn put(&mut self, path: &[u8], spot: Spot, what: What) -> Result<(), ExtractError> {
        let is_folder = what == What::Directory;
        match self.entries.insert(spot.path, what) {
            None => Ok(()),
            Some(What::Directory) if is_folder => Ok(()),
            Some(_) => Err(refused(path, "which is in it twice")),
        }
    }

    /// Everything, sorted by path, each folder before what is in it.
    pub(super) fn finish(self) -> Result<Vec<Held>, ExtractError> {
        let mut all = self.entries;
        if all.is_empty() {
            return Err(ExtractError::Nothing);
        }
        let mut folders: BTreeSet<String> = BTreeSet::new();
        for path in all.keys() {
            for (at, _) in path.match_indices('/') {
                match all.get(&path[..at]) {
                    Some(What::Directory) => {}
                    Some(_) => {
                        return Err(refused(
                            path.as_bytes(),
                            "which lies below what is no folder",
                        ));
                    }
                    None if folders.contains(&path[..at]) => {}
                    None => {
                        folders.insert(path[..at].to_owned());
                        if all.len() + folders.len() > MAX_ENTRIES {
                            return Err(ExtractError::TooMuch("200000 entries"));
                        }
                    }
                }
            }
        }
        for folder in folders {
            all.insert(folder, What::Directory);
        }
        let links = all.iter().filter_map(|(path, what)| match what {
            What::Symlink { target } => Some((path.clone(), target.clone())),
            _ => None,
        });
        let links: BTreeMap<String, String> = links.collect();
        let mut steps = 0;
        for link in links.keys() {
            let (stays, taken) = stays_inside(&links, link);
            steps += taken;
            if !stays {
                return Err(refused(link.as_bytes(), "a link that leads out of it"));
            }
            if steps > MAX_STEPS {
                return Err(ExtractError::TooMuch("20 million steps of links"));
            }
        }
        let all = all.into_iter();
        Ok(all.map(|(path, what)| Held { path, what }).collect())
    }
}

fn refused(path: &[u8], why: &'static str) -> ExtractError {
    ExtractError::Entry {
        path: String::from_utf8_lossy(path).into_owned(),
        why,
    }
}
