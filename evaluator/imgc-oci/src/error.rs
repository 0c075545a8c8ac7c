//! What can go wrong with an image's documents.

use std::io;

use imgc_store::{BlobDigest, StoreError};

/// Why an image could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The time, in seconds since 1970, is after the year 9999 and has no form in
    /// RFC 3339.
    #[error("the time {0} is after the year 9999")]
    Time(u64),
    /// A reference that a layout can't hold.
    #[error("`{0}` can't be the name of an image in a layout: {1}")]
    Reference(String, &'static str),
    /// The archive could not be written.
    #[error("writing an archive: {0}")]
    Archive(io::Error),
    /// An image in the store is not what its manifest says.
    #[error("{blob}: {problem}")]
    Invalid {
        /// The blob that is wrong.
        blob: BlobDigest,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a blob of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not in the store, or its bytes have another digest.
    #[error("it is missing or damaged")]
    Damaged,
    /// It has another size than its descriptor says.
    #[error("it has {found} bytes, its descriptor says {expected}")]
    Size {
        /// What the descriptor says.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// It is not the JSON document that it should be.
    #[error("it is not a valid document: {0}")]
    Document(String),
    /// A media type other than the one that imgc writes.
    #[error("it has the media type `{0}`")]
    MediaType(String),
    /// A layer whose uncompressed form has another digest than the configuration says.
    #[error("its uncompressed form has the digest {found}, the configuration says {expected}")]
    DiffId {
        /// What the configuration says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A layer that can't be decompressed.
    #[error("it can't be decompressed: {0}")]
    Compression(String),
    /// Layers, diff ids and history entries that are not equally many.
    #[error("{layers} layers, {diff_ids} diff ids, {history} entries of history")]
    Count {
        /// Layers in the manifest.
        layers: usize,
        /// Diff ids in the configuration.
        diff_ids: usize,
        /// Entries of the history that are not marked as empty.
        history: usize,
    },
}
