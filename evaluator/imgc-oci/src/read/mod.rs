//! Reads images that anybody may have written: layouts, archives of OCI and of docker, and
//! images in a store. Believes nothing: every digest is checked, and all that a hostile
//! image can make grow is bounded by counting.
//!
//! Layers are streamed. What is kept is the list of entries, with each file's digest and
//! place: memory grows with their number and not with their bytes. Files come in through
//! [`Files`]. What was read can be
//! written again, in another form; nothing that makes images uses this module.

mod archive;
mod docker;
mod document;
mod error;
mod export;
mod layer;
mod layout;
mod opened;

use std::io::{self, Read};

use imgc_store::{BlobDigest, Store};

pub use archive::{ArchiveIndex, Member};
pub use docker::open_docker;
pub use document::{Configuration, Document, HistoryEntry};
pub use error::ReadError;
pub use export::{manifest_of, write_docker, write_rootfs};
pub use layer::Limits;
pub use layout::{open_layout, open_manifest};
pub use opened::{Contents, Opened, ReadLayer};

/// The files of a layout or an archive, by their names in it: `index.json`,
/// `blobs/sha256/…`.
pub trait Files: Send + Sync {
    /// Opens a file. None where there is none of that name.
    ///
    /// # Errors
    /// What the system says.
    fn open<'a>(&'a self, name: &str) -> io::Result<Option<Found<'a>>>;
}

/// A file that was found.
pub struct Found<'a> {
    /// Its length in bytes, as it is said to be.
    pub size: u64,
    /// Its bytes.
    pub reader: Box<dyn Read + 'a>,
}

impl std::fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Which image of a layout or an archive is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The only one.
    Only,
    /// The one of this name.
    Tag(String),
    /// The one whose manifest, configuration or index has this digest.
    Digest(BlobDigest),
}

/// The blobs of a store as the files of a layout.
#[derive(Debug, Clone, Copy)]
pub struct StoreFiles<'a>(pub &'a dyn Store);

impl StoreFiles<'_> {
    /// As [`Files::open`]. What is found borrows nothing.
    ///
    /// # Errors
    /// What the store says.
    pub fn found(&self, name: &str) -> io::Result<Option<Found<'static>>> {
        let digest = name.strip_prefix(BLOBS);
        let digest = digest.and_then(|hex| BlobDigest::from_hex(hex).ok());
        let Some(digest) = digest else {
            return Ok(None);
        };
        let blob = self.0.open(&digest)?;
        Ok(blob.map(|blob| Found {
            size: blob.len(),
            reader: Box::new(blob),
        }))
    }
}

impl Files for StoreFiles<'_> {
    fn open<'a>(&'a self, name: &str) -> io::Result<Option<Found<'a>>> {
        self.found(name)
    }
}

/// Where the blobs of a layout are.
const BLOBS: &str = "blobs/sha256/";

/// The name of a blob's file.
fn blob_name(digest: &BlobDigest) -> String {
    format!("{BLOBS}{}", digest.hex())
}
