//! What archives hold, taken out of them: tar, also compressed, and zip.
//!
//! An archive may be anybody's. Each path is checked, sizes and counts are bounded, and
//! what comes out depends on the archive and what is asked of it, and on nothing else:
//! no owner, no time, and of modes only whether a file can be executed.

mod bounded;
mod paths;
mod tar;
mod zip;

use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};

use imgc_dpkg::PathFilter;
use imgc_plan::{Action, FileDigest};
use imgc_store::{Blob, BlobDigest, BlobWriter, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::realise::Output;
use crate::{BuildError, Builder};

use self::paths::Paths;
pub(crate) use self::paths::{Held, What};

/// Why an archive can't be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// It is of no kind that can be read.
    #[error(
        "it is neither a tar archive, also compressed with gzip, xz or zstd, nor a zip archive"
    )]
    Kind,
    /// It is compressed in a way that is not read.
    #[error("it is compressed with bzip2, which imgc does not read")]
    Bzip2,
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It is larger than is allowed.
    #[error("it holds more than {0}")]
    TooMuch(&'static str),
    /// It becomes much more than it is.
    #[error("it becomes more than {0} times as large: that is no archive to trust")]
    Ratio(u64),
    /// An entry that is refused.
    #[error("it has `{path}`, {why}")]
    Entry {
        /// The path as archived.
        path: String,
        /// Why, as the end of a sentence.
        why: &'static str,
    },
    /// Nothing is left of it.
    #[error("nothing of it is left after `strip`, `exclude` and `include`")]
    Nothing,
}

/// Why reading ended: the archive, or what it is read from and written to.
#[derive(Debug)]
pub(crate) enum Fault {
    Archive(ExtractError),
    Store(StoreError),
    Stopped,
}

impl From<ExtractError> for Fault {
    fn from(error: ExtractError) -> Self {
        Self::Archive(error)
    }
}

/// What is taken of an archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) archive: BlobDigest,
    pub(crate) strip: u32,
    pub(crate) exclude: &'a [String],
    pub(crate) include: &'a [String],
    pub(crate) setuid: bool,
}

/// What `extract` yields: what there is, and the bytes of all files one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extracted {
    /// The list of [`Held`], as JSON.
    pub(crate) entries: BlobDigest,
    entries_size: u64,
    /// The bytes.
    pub(crate) data: BlobDigest,
    data_size: u64,
}

impl Output for Extracted {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        vec![
            (self.entries, self.entries_size),
            (self.data, self.data_size),
        ]
    }
}

impl Wanted<'_> {
    /// The derivation.
    pub(crate) fn action(&self) -> Action {
        Action::Extract {
            archive: self.archive,
            strip: self.strip,
            exclude: self.exclude.to_vec(),
            include: self.include.to_vec(),
            setuid: self.setuid,
        }
    }
}

/// Takes files in, one after the other.
pub(crate) struct Sink<'a> {
    out: BlobWriter,
    at: u64,
    paths: Paths,
    builder: &'a Builder<'a>,
}

/// What an entry of an archive is, as far as it is looked at.
pub(crate) enum Kind {
    Directory,
    Regular,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    Other,
}

impl Sink<'_> {
    /// Takes an entry in. `body` is read to its end where the entry is wanted.
    pub(crate) fn entry(
        &mut self,
        path: &[u8],
        mode: u32,
        kind: Kind,
        body: &mut dyn io::Read,
    ) -> Result<(), Fault> {
        if self.builder.check_stop().is_err() {
            return Err(Fault::Stopped);
        }
        let Some(place) = self.paths.place(path, mode, &kind)? else {
            return Ok(());
        };
        let what = match kind {
            Kind::Regular => self.body(place.mode, body)?,
            Kind::Directory => What::Directory,
            Kind::Symlink(target) => self.paths.target(path, target)?,
            Kind::HardLink(target) => self.paths.linked(path, &target)?,
            Kind::Other => unreachable!("it has been refused"),
        };
        Ok(self.paths.put(path, place, what)?)
    }

    fn body(&mut self, mode: u32, body: &mut dyn io::Read) -> Result<What, Fault> {
        let offset = self.at;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(bounded::fault(&error)),
            };
            hash.update(&buffer[..read]);
            let written = self.out.write_all(&buffer[..read]);
            written.map_err(|error| Fault::Store(writing(error)))?;
            self.at += read as u64;
        }
        Ok(What::File {
            mode,
            size: self.at - offset,
            sha256: FileDigest::from_bytes(hash.finalize().into()),
            offset,
        })
    }
}

fn writing(error: io::Error) -> StoreError {
    StoreError::from_io(error, "writing", std::path::Path::new("an archive's files"))
}

impl Builder<'_> {
    /// Takes out of an archive in the store what is wanted of it.
    ///
    /// # Errors
    /// `Ok(Err(_))` where the archive is refused; else the store's.
    pub(crate) fn extract(
        &self,
        wanted: &Wanted<'_>,
    ) -> Result<Result<Extracted, ExtractError>, BuildError> {
        let blob = self.store.open(&wanted.archive)?;
        let blob = blob.ok_or(StoreError::Absent(wanted.archive))?;
        let mut sink = Sink {
            out: self.store.writer()?,
            at: 0,
            paths: Paths::new(
                wanted.strip,
                PathFilter::new(wanted.exclude, wanted.include),
                wanted.setuid,
            ),
            builder: self,
        };
        let entries = read(blob, &mut sink).and_then(|()| Ok(sink.paths.finish()?));
        let entries = match entries {
            Ok(entries) => entries,
            Err(Fault::Archive(error)) => return Ok(Err(error)),
            Err(Fault::Store(error)) => return Err(error.into()),
            Err(Fault::Stopped) => return Err(BuildError::Interrupted),
        };
        let (data, data_size) = sink.out.commit()?;
        let bytes = serde_json::to_vec(&entries).expect("entries are plain data");
        Ok(Ok(Extracted {
            entries: self.store.put(&bytes)?,
            entries_size: bytes.len() as u64,
            data,
            data_size,
        }))
    }
}

/// Reads an archive of any kind, known by how it begins.
fn read(mut blob: Blob, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let mut start = [0; 512];
    let mut filled = 0;
    while filled < start.len() {
        match blob.read(&mut start[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => return Err(Fault::Store(writing(error))),
        }
    }
    let rewound = blob.seek(SeekFrom::Start(0));
    rewound.map_err(|error| Fault::Store(writing(error)))?;
    let start = &start[..filled];
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return zip::read(blob, sink);
    }
    let size = blob.len();
    let input = BufReader::with_capacity(128 * 1024, blob);
    let decoded = bounded::decoded(start, input, size)?;
    tar::read(decoded, sink)
}
