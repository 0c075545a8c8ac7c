//! What can go wrong with a layer.

use std::io;

use imgc_store::{BlobDigest, StoreError};
use imgc_tree::TreePath;

/// Why a tree can't be a layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The name begins with `.wh.`: every reader of OCI layers would take it for the
    /// removal of another file.
    #[error("{0}: a layer can't hold a name that begins with `.wh.`")]
    Reserved(TreePath),
}

/// Why a layer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A segment that the layer is made of is not in the store, or its bytes are no
    /// longer those that were written. It has been moved aside.
    #[error("the segment {0} is missing or damaged")]
    Segment(BlobDigest),
    /// A file's bytes can't be read.
    #[error("{path}: {source}")]
    Content {
        /// The file.
        path: TreePath,
        /// Why.
        source: io::Error,
    },
    /// A file's bytes are not those that its digest names: they have changed since.
    #[error("{path}: the bytes have changed: expected {expected}, found {found}")]
    Changed {
        /// The file.
        path: TreePath,
        /// The SHA-256 that it had, in hexadecimal digits.
        expected: String,
        /// The SHA-256 that it has, in hexadecimal digits.
        found: String,
    },
    /// An entry that tar can't hold, or the compressor.
    #[error("{path}: {source}")]
    Entry {
        /// The entry.
        path: TreePath,
        /// Why.
        source: io::Error,
    },
}
