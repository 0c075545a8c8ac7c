//! Blobs that are other blobs, one after the other: a layer of packages is. Only a list
//! of the parts is kept.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgc_plan::BlobDigest;

use super::{Shared, checked, guard, write};
use crate::store::digest_of;
use crate::{Blob, StoreError};

/// The first word of a list of parts.
const MAGIC: &str = "imgc-joined";

/// The most bytes of a list that are read: some 200,000 parts.
const LIMIT: u64 = 16 << 20;

/// The parts of a joined blob: digests and sizes in bytes.
pub(super) type Parts = Vec<(BlobDigest, u64)>;

/// A blob that was found.
#[derive(Debug)]
pub(super) enum Found {
    /// It has a file of its own, of so many bytes.
    File(File, u64),
    /// It is joined of blobs that are all there.
    Joined(Parts),
}

impl Found {
    /// Its size in bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::File(_, len) => *len,
            Self::Joined(parts) => parts.iter().map(|(_, size)| size).sum(),
        }
    }

    /// The blob, open at its beginning.
    pub(super) fn open(self, shared: &Arc<Shared>) -> Blob {
        let len = self.len();
        match self {
            Self::File(file, _) => Blob::new(len, Box::new(file)),
            Self::Joined(parts) => Blob::new(len, Box::new(Joined::new(shared, parts))),
        }
    }
}

/// The list in a file's bytes, if it is whole.
fn parse(bytes: &[u8]) -> Option<Parts> {
    let text = std::str::from_utf8(checked(MAGIC, bytes)?).ok()?;
    let line = |line: &str| {
        let (hex, size) = line.split_once(' ')?;
        Some((BlobDigest::from_hex(hex).ok()?, size.parse().ok()?))
    };
    text.lines().map(line).collect()
}

/// The list in a file, if it is there and whole.
pub(super) fn list(path: &Path) -> io::Result<Option<Parts>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?.take(LIMIT).read_to_end(&mut bytes)?,
    };
    Ok(parse(&bytes))
}

impl Shared {
    pub(super) fn joined_path(&self, hex: &str) -> PathBuf {
        joined_folder(&self.root, hex).join(hex)
    }

    /// Writes the list of a joined blob.
    pub(super) fn join(
        &self,
        digest: &BlobDigest,
        parts: &[(BlobDigest, u64)],
    ) -> Result<(), StoreError> {
        let hex = digest.hex();
        let path = self.joined_path(&hex);
        let mut text = String::new();
        for (part, size) in parts {
            text.push_str(&format!("{} {size}\n", part.hex()));
        }
        write::make_folder(&joined_folder(&self.root, &hex))?;
        let mut temp = self.session.temp()?;
        let sum = BlobDigest::of(text.as_bytes()).hex();
        let head = format!("{MAGIC} 1 {sum} {}\n", text.len());
        temp.write_all(head.as_bytes())
            .and_then(|()| temp.write_all(text.as_bytes()))
            .and_then(|()| {
                let mode = Permissions::from_mode(write::BLOB_MODE);
                temp.as_file().set_permissions(mode)
            })
            .map_err(|e| StoreError::from_io(e, "writing", temp.path()))?;
        temp.persist(&path)
            .map_err(|e| StoreError::from_io(e.error, "publishing", &path))?;
        Ok(())
    }

    /// Finds a joined blob with all its parts, and marks them as used.
    pub(super) fn find_joined(&self, digest: &BlobDigest) -> Result<Option<Found>, StoreError> {
        let hex = digest.hex();
        let path = self.joined_path(&hex);
        let read = |path: &Path| list(path).map_err(|e| StoreError::from_io(e, "reading", path));
        let mut parts = read(&path)?;
        if parts.is_some() {
            if let Ok(file) = File::open(&path) {
                guard::mark(&file, file.metadata().and_then(|meta| meta.modified()));
            }
        } else if !self.substituters.is_empty() && !self.distrusted().contains(digest) {
            // Whatever hinders it: the blob can be made again.
            parts = self
                .substituters
                .iter()
                .find_map(|root| list(&joined_folder(root, &hex).join(&hex)).ok().flatten());
        }
        let Some(parts) = parts else {
            return Ok(None);
        };
        for (part, size) in &parts {
            if self.find_file(part)?.is_none_or(|(_, len)| len != *size) {
                return Ok(None);
            }
        }
        Ok(Some(Found::Joined(parts)))
    }

    /// Moves aside the parts of a joined blob that are not what they are named; without
    /// one, the list is wrong.
    pub(super) fn discard_joined(&self, digest: &BlobDigest) -> Result<(), StoreError> {
        let path = self.joined_path(&digest.hex());
        let failed = |e| StoreError::from_io(e, "reading", &path);
        let mut blame = false;
        for (part, _) in list(&path).map_err(failed)?.into_iter().flatten() {
            let found = self.find_file(&part)?;
            let whole = found.is_some_and(|(mut file, _)| {
                digest_of(&mut file).is_ok_and(|(found, _)| found == part)
            });
            if !whole {
                blame = true;
                self.discard(&part)?;
            }
        }
        if blame {
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::from_io(error, "removing", &path))
            }
            _ => Ok(()),
        }
    }
}

fn joined_folder(root: &Path, hex: &str) -> PathBuf {
    root.join("joined").join(&hex[..2])
}

/// Reads the parts one after the other. One is open at a time.
struct Joined {
    shared: Arc<Shared>,
    parts: Parts,
    /// Where each part ends, in bytes from the beginning.
    ends: Vec<u64>,
    at: u64,
    open: Option<(usize, File)>,
}

impl Joined {
    fn new(shared: &Arc<Shared>, parts: Parts) -> Self {
        let mut end = 0;
        let ends = parts.iter().map(|(_, size)| {
            end += size;
            end
        });
        Self {
            shared: Arc::clone(shared),
            ends: ends.collect(),
            parts,
            at: 0,
            open: None,
        }
    }
}

impl Read for Joined {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Parts without bytes end where they begin, and are passed over.
        let index = self.ends.partition_point(|end| *end <= self.at);
        let Some((digest, size)) = self.parts.get(index) else {
            return Ok(0);
        };
        let begin = self.ends[index] - size;
        if self.open.as_ref().is_none_or(|(open, _)| *open != index) {
            let found = self.shared.find_file(digest)?;
            let Some((mut file, _)) = found.filter(|(_, len)| len == size) else {
                let text = format!("{digest}, a part of it, is gone from the store");
                return Err(io::Error::new(io::ErrorKind::NotFound, text));
            };
            file.seek(SeekFrom::Start(self.at - begin))?;
            self.open = Some((index, file));
        }
        let left = usize::try_from(self.ends[index] - self.at).unwrap_or(usize::MAX);
        let room = buf.len().min(left);
        let (_, file) = self.open.as_mut().expect("it has just been opened");
        let read = file.read(&mut buf[..room])?;
        if read == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Joined {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let len = self.ends.last().copied().unwrap_or(0);
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        self.open = None;
        Ok(self.at)
    }
}
