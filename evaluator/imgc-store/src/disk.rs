//! The store in a folder. Its layout and its rules are in [`crate::format`]. This
//! file finds things; what writes and what waits is in the modules below.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imgc_plan::{BlobDigest, DrvDigest};
use sha2::{Digest as _, Sha256};

use crate::{Blob, BlobWriter, KeyLock, PartialWriter, Store, StoreError};

mod collect;
mod contents;
mod digested;
mod flock;
mod guard;
mod joined;
mod place;
mod receive;
mod roots;
mod session;
mod verify;
mod write;
mod writeback;

pub use collect::{Collected, Limits};
pub use contents::{Count, Usage};
pub use verify::Verified;

use joined::Found;
pub(crate) use place::place;

/// A record has no business to be larger than this, in bytes.
const ACTION_LIMIT: u64 = 256 << 20;

/// A store in a folder of the machine. Clones share it.
#[derive(Debug, Clone)]
pub struct DiskStore {
    shared: Arc<Shared>,
}

/// What all clones and writers of one open store share.
#[derive(Debug)]
struct Shared {
    /// The folder `v1`.
    root: PathBuf,
    session: session::Session,
    guard: guard::Guard,
    /// Folders with names that may not have reached the disk yet.
    unsynced: Mutex<BTreeSet<PathBuf>>,
    /// Held while such folders are flushed.
    flushing: Mutex<()>,
    /// The folders `v1` of stores that are only read.
    substituters: Vec<PathBuf>,
    /// What was found damaged in one of them.
    distrusted: Mutex<BTreeSet<BlobDigest>>,
    digested: digested::Digested,
}

impl DiskStore {
    /// Opens the store in the folder `path`, which is made if it is missing. What
    /// dead processes left half-written is removed.
    ///
    /// # Errors
    /// [`StoreError`] with the folder that could not be made or locked.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_over(path, &[])
    }

    /// As [`open`](Self::open), over further stores, which are only read: what this one
    /// doesn't have is looked for there, in their order. Nothing of them is changed, and
    /// they need not be writable. One that is not there has nothing.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_over(path: &Path, substituters: &[PathBuf]) -> Result<Self, StoreError> {
        fs::create_dir_all(path)
            .map_err(|e| StoreError::from_io(e, "creating the folder", path))?;
        let root = path.join("v1");
        for folder in [
            "",
            "blobs",
            "blobs/sha256",
            "actions",
            "joined",
            "locks",
            "tmp",
            "partial",
            "corrupt",
        ] {
            write::make_folder(&root.join(folder))?;
        }
        let session = session::Session::begin(&root)?;
        let guard = guard::Guard::open(&root)?;
        Ok(Self {
            shared: Arc::new(Shared {
                root,
                session,
                guard,
                unsynced: Mutex::default(),
                flushing: Mutex::default(),
                substituters: substituters.iter().map(|path| path.join("v1")).collect(),
                distrusted: Mutex::default(),
                digested: digested::Digested::default(),
            }),
        })
    }

    /// The folder that holds this version's format.
    pub fn root(&self) -> &Path {
        &self.shared.root
    }
}

impl Shared {
    fn blob_folder(&self, hex: &str) -> PathBuf {
        blob_folder(&self.root, hex)
    }

    fn action_folder(&self, hex: &str) -> PathBuf {
        self.root.join("actions").join(&hex[..2])
    }

    /// Remembers a folder whose names an action record may depend on.
    fn touched(&self, folder: PathBuf) {
        self.unsynced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(folder);
    }

    /// Finds a blob, and marks it as used.
    fn find(&self, digest: &BlobDigest) -> Result<Option<Found>, StoreError> {
        self.guard.using(|| match self.find_file(digest)? {
            Some((file, len)) => Ok(Some(Found::File(file, len))),
            None => self.find_joined(digest),
        })
    }

    /// Opens a blob's own file, and marks it as used. A folder or link in its place is not
    /// a blob.
    fn find_file(&self, digest: &BlobDigest) -> Result<Option<(File, u64)>, StoreError> {
        let own = self.guard.using(|| self.find_own(digest))?;
        Ok(own.or_else(|| self.find_below(digest)))
    }

    /// Opens a blob's file in a store that is only read. Whatever hinders it: the blob can
    /// be made again.
    fn find_below(&self, digest: &BlobDigest) -> Option<(File, u64)> {
        if self.substituters.is_empty() || self.distrusted().contains(digest) {
            return None;
        }
        let hex = digest.hex();
        self.substituters.iter().find_map(|root| {
            let file = File::open(blob_folder(root, &hex).join(&hex)).ok()?;
            let meta = file.metadata().ok()?;
            let emptied = meta.len() == 0 && *digest != BlobDigest::of(b"");
            (meta.is_file() && !emptied).then_some((file, meta.len()))
        })
    }

    fn distrusted(&self) -> MutexGuard<'_, BTreeSet<BlobDigest>> {
        self.distrusted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn find_own(&self, digest: &BlobDigest) -> Result<Option<(File, u64)>, StoreError> {
        let hex = digest.hex();
        let folder = self.blob_folder(&hex);
        let path = folder.join(&hex);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::from_io(error, "opening", &path)),
        };
        let meta = file
            .metadata()
            .map_err(|e| StoreError::from_io(e, "examining", &path))?;
        // The one size that is known without asking: only one blob is empty.
        let emptied = meta.len() == 0 && *digest != BlobDigest::of(b"");
        if emptied || !meta.is_file() {
            self.discard(digest)?;
            return Ok(None);
        }
        guard::mark(&file, meta.modified());
        Ok(Some((file, meta.len())))
    }

    fn discard(&self, digest: &BlobDigest) -> Result<(), StoreError> {
        if !self.substituters.is_empty() {
            self.distrusted().insert(*digest);
        }
        let hex = digest.hex();
        let from = self.blob_folder(&hex).join(&hex);
        match fs::rename(&from, self.root.join("corrupt").join(&hex)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::from_io(error, "moving aside", &from))
            }
            Err(_) => self.discard_joined(digest),
            Ok(()) => Ok(()),
        }
    }
}

impl Store for DiskStore {
    fn open(&self, digest: &BlobDigest) -> Result<Option<Blob>, StoreError> {
        let found = self.shared.find(digest)?;
        Ok(found.map(|found| found.open(&self.shared)))
    }

    fn contains(&self, digest: &BlobDigest) -> Result<Option<u64>, StoreError> {
        Ok(self.shared.find(digest)?.map(|found| found.len()))
    }

    fn put(&self, bytes: &[u8]) -> Result<BlobDigest, StoreError> {
        let digest = BlobDigest::of(bytes);
        let size = bytes.len() as u64;
        if self.contains(&digest)? == Some(size) && self.read(&digest, size)?.is_some() {
            // Whoever wrote it may not have flushed its name yet.
            self.shared.touched(self.shared.blob_folder(&digest.hex()));
            return Ok(digest);
        }
        let mut writer = self.writer()?;
        let written = writer.write_all(bytes);
        written.map_err(|error| StoreError::from_io(error, "writing", Path::new("")))?;
        Ok(writer.commit()?.0)
    }

    fn join(&self, digest: &BlobDigest, parts: &[(BlobDigest, u64)]) -> Result<(), StoreError> {
        if self
            .shared
            .guard
            .using(|| self.shared.find(digest))?
            .is_some()
        {
            return Ok(());
        }
        self.shared.join(digest, parts)?;
        let written = self.shared.last_written(parts);
        self.shared.digested.add(digest, written);
        Ok(())
    }

    fn was_digested(&self, digest: &BlobDigest) -> bool {
        self.shared.was_digested(digest)
    }

    fn discard(&self, digest: &BlobDigest) -> Result<(), StoreError> {
        self.shared.discard(digest)
    }

    fn writer(&self) -> Result<BlobWriter, StoreError> {
        write::writer(&self.shared)
    }

    fn partial(&self, digest: &BlobDigest) -> Result<PartialWriter, StoreError> {
        receive::partial(&self.shared, digest)
    }

    fn action(&self, key: &DrvDigest) -> Result<Option<Vec<u8>>, StoreError> {
        let hex = key.hex();
        let path = self.shared.action_folder(&hex).join(&hex);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut below = self.shared.substituters.iter();
                return Ok(below.find_map(|root| {
                    let path = root.join("actions").join(&hex[..2]).join(&hex);
                    contents::record(&path).ok().flatten()
                }));
            }
            Err(error) => return Err(StoreError::from_io(error, "opening", &path)),
        };
        guard::mark(&file, file.metadata().and_then(|meta| meta.modified()));
        let mut bytes = Vec::new();
        file.take(ACTION_LIMIT)
            .read_to_end(&mut bytes)
            .map_err(|e| StoreError::from_io(e, "reading", &path))?;
        Ok(checked_record(&bytes).map(<[u8]>::to_vec))
    }

    fn record(&self, key: &DrvDigest, record: &[u8]) -> Result<(), StoreError> {
        write::sync_folders(&self.shared)?;
        let hex = key.hex();
        let folder = self.shared.action_folder(&hex);
        write::make_folder(&folder)?;
        let path = folder.join(&hex);
        let mut temp = self.shared.session.temp()?;
        let head = format!(
            "imgc-action 1 {} {}\n",
            BlobDigest::of(record).hex(),
            record.len()
        );
        temp.write_all(head.as_bytes())
            .and_then(|()| temp.write_all(record))
            .and_then(|()| {
                temp.as_file()
                    .set_permissions(Permissions::from_mode(0o644))
            })
            .map_err(|e| StoreError::from_io(e, "writing", temp.path()))?;
        temp.persist(&path)
            .map_err(|e| StoreError::from_io(e.error, "publishing", &path))?;
        Ok(())
    }

    fn lock(&self, key: &DrvDigest) -> Result<KeyLock, StoreError> {
        flock::lock(&self.shared.root.join("locks").join(key.hex())).map(KeyLock::new)
    }

    fn try_lock(&self, key: &DrvDigest) -> Result<Option<KeyLock>, StoreError> {
        let path = self.shared.root.join("locks").join(key.hex());
        Ok(flock::try_lock(&path)?.map(KeyLock::new))
    }

    fn export(&self, digest: &BlobDigest, dest: &Path) -> Result<(), StoreError> {
        let found = self.shared.find(digest)?;
        let found = found.ok_or(StoreError::Absent(*digest))?;
        let placed = place(dest, |out| {
            // Sharing blocks is a saving, not a need: whatever hinders it, copy.
            let is_shared = match &found {
                Found::File(file, _) => reflink_copy::reflink_file(file, out).is_ok(),
                Found::Joined(_) => false,
            };
            let mut hash = (!self.was_digested(digest)).then(Sha256::new);
            if is_shared && hash.is_none() {
                return Ok(());
            }
            let expected = found.len();
            let mut file = found.open(&self.shared);
            let mut size = 0;
            let mut buf = vec![0; 128 * 1024];
            if !is_shared {
                out.set_len(0)?;
            }
            loop {
                let read = match file.read(&mut buf) {
                    Ok(0) => break,
                    Ok(read) => read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error),
                };
                size += read as u64;
                if let Some(hash) = &mut hash {
                    hash.update(&buf[..read]);
                }
                if !is_shared {
                    out.write_all(&buf[..read])?;
                }
            }
            let is_it = |hash: Sha256| BlobDigest::from_bytes(hash.finalize().into()) == *digest;
            match size == expected && hash.is_none_or(is_it) {
                true => Ok(()),
                false => Err(StoreError::Absent(*digest).into()),
            }
        });
        if let Err(StoreError::Absent(damaged)) = &placed {
            self.shared.discard(damaged)?;
        }
        placed
    }
}

fn blob_folder(root: &Path, hex: &str) -> PathBuf {
    root.join("blobs/sha256").join(&hex[..2])
}

/// The record in the bytes of an action's file, if the checksum says so.
fn checked_record(bytes: &[u8]) -> Option<&[u8]> {
    checked("imgc-action", bytes)
}

/// What follows the line `MAGIC 1 SHA256 SIZE`, if the checksum says so.
fn checked<'a>(magic: &str, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let end = bytes.iter().take(256).position(|&b| b == b'\n')?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let head = head.strip_prefix(magic)?.strip_prefix(" 1 ")?;
    let (sha256, size) = head.split_once(' ')?;
    let record = &bytes[end + 1..];
    let whole = size.parse() == Ok(record.len()) && BlobDigest::of(record).hex() == sha256;
    whole.then_some(record)
}
