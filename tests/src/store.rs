//! A store's folder, looked into and harmed from outside: by the page of its format, not
//! by its code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::archive::sum;

/// The folder `v1` of a store.
#[derive(Debug, Clone)]
pub struct StoreFolder(PathBuf);

/// What may happen to a file on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// It is gone.
    Removed,
    /// It has no bytes.
    Emptied,
    /// The second half of it is gone.
    Truncated,
    /// A bit in its middle is another.
    Flipped,
}

impl Harm {
    /// Everything that may happen.
    pub const ALL: [Self; 4] = [Self::Removed, Self::Emptied, Self::Truncated, Self::Flipped];

    /// Does it to a file.
    ///
    /// # Panics
    /// Where the file is not there.
    #[track_caller]
    pub fn strike(self, path: &Path) {
        let mut bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mode = std::fs::metadata(path).expect("a file").permissions();
        // The file of a blob is read-only.
        std::fs::remove_file(path).expect("it can be removed");
        let middle = bytes.len() / 2;
        match self {
            Self::Removed => return,
            Self::Emptied => bytes.clear(),
            Self::Truncated => bytes.truncate(middle),
            Self::Flipped => bytes[middle] ^= 1,
        }
        std::fs::write(path, bytes).expect("it can be written");
        std::fs::set_permissions(path, mode).expect("its mode");
    }
}

impl StoreFolder {
    /// The store in the folder `path`.
    pub fn new(path: &Path) -> Self {
        Self(path.join("v1"))
    }

    /// The file of a blob, or where it would be.
    pub fn blob(&self, hex: &str) -> PathBuf {
        self.named("blobs/sha256", hex)
    }

    /// The list of a joined blob, or where it would be.
    pub fn list(&self, hex: &str) -> PathBuf {
        self.named("joined", hex)
    }

    fn named(&self, folder: &str, hex: &str) -> PathBuf {
        self.0.join(folder).join(&hex[..2]).join(hex)
    }

    /// The files of a folder of the store and of the folders in it, sorted: `blobs`,
    /// `joined`, `actions`, `tmp`, `partial`, `corrupt`.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut all = Vec::new();
        let mut folders = vec![self.0.join(folder)];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(folder) else {
                continue;
            };
            for entry in entries {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.push(path);
                }
            }
        }
        all.sort();
        all
    }

    /// What stands in a folder of the store: files and folders.
    pub fn entries(&self, folder: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.join(folder)).expect("a folder");
        let entries = entries.map(|entry| entry.expect("an entry").path());
        entries.collect()
    }

    /// All action records that are whole, by their files.
    pub fn records(&self) -> Vec<(PathBuf, Value)> {
        let read = |path: PathBuf| {
            let bytes = std::fs::read(&path).ok()?;
            let end = bytes.iter().position(|b| *b == b'\n')?;
            let body = &bytes[end + 1..];
            let head = format!("imgc-action 1 {} {}", sum(body), body.len());
            let value = serde_json::from_slice(body).ok()?;
            (bytes[..end] == *head.as_bytes()).then_some((path, value))
        };
        self.files("actions").into_iter().filter_map(read).collect()
    }

    /// What unpacked packages are kept as, by the packages' names.
    pub fn unpacked(&self) -> BTreeMap<String, Unpacked> {
        let mut all = BTreeMap::new();
        for (record, value) in self.records() {
            let Some(fragment) = value["fragment"].as_str().map(hex) else {
                continue;
            };
            let segment = value["segment"]["blob"].as_str().map(hex).expect("a blob");
            let Ok(bytes) = std::fs::read(self.blob(&fragment)) else {
                continue;
            };
            // It begins with the package's name, and that with its length: here a byte.
            let name = bytes.split_first().and_then(|(length, rest)| {
                let name = rest.get(..usize::from(*length))?;
                String::from_utf8(name.to_vec()).ok()
            });
            let Some(name) = name else {
                continue;
            };
            let unpacked = Unpacked {
                record,
                fragment,
                segment,
            };
            all.insert(name, unpacked);
        }
        all
    }

    /// Every file as if it had last been used so long ago.
    pub fn age(&self, by: Duration) {
        let then = SystemTime::now() - by;
        for folder in ["blobs", "joined", "actions"] {
            for path in self.files(folder) {
                // Read-only files take a new time all the same.
                let file = std::fs::File::open(&path).expect("a file");
                file.set_modified(then).expect("its time");
            }
        }
    }

    /// Copies all of it to another place.
    pub fn copy_to(&self, other: &Path) {
        let to = Self::new(other);
        for folder in ["blobs", "joined", "actions"] {
            for path in self.files(folder) {
                let below = path.strip_prefix(&self.0).expect("it is in the store");
                let dest = to.0.join(below);
                std::fs::create_dir_all(dest.parent().expect("a folder")).expect("a folder");
                std::fs::copy(&path, dest).expect("a copy");
            }
        }
    }
}

/// What an unpacked package is kept as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The file of its action record.
    pub record: PathBuf,
    /// The digest of what is known of it.
    pub fragment: String,
    /// The digest of its files, as a layer has them.
    pub segment: String,
}

/// The digits of a digest, with or without its algorithm before it.
fn hex(digest: &str) -> String {
    digest.strip_prefix("sha256:").unwrap_or(digest).to_owned()
}
