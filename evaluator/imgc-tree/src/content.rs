//! A file's bytes, or where they stand.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Names a run of bytes outside the tree: a segment of a layer, by the SHA-256 of
/// its compressed form, which is also its name in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SegmentId(#[serde(with = "crate::bytes")] pub [u8; 32]);

impl fmt::Debug for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentId({})", hex::encode(self.0))
    }
}

/// The bytes of a regular file. Two contents are the same where their size and
/// digest are; where the bytes stand makes no difference.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Content {
    /// Their number.
    pub size: u64,
    /// Their SHA-256.
    #[serde(with = "crate::bytes")]
    pub sha256: [u8; 32],
    /// Where they are.
    pub data: Data,
}

/// Where the bytes of a [`Content`] stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Data {
    /// Here.
    Inline(#[serde(with = "crate::bytes")] Arc<[u8]>),
    /// In a segment.
    Segment {
        /// Which one.
        id: SegmentId,
        /// How far from the beginning of its uncompressed form, in bytes.
        offset: u64,
    },
    /// In a file outside the store that whoever reads it finds by the digest.
    Outside,
}

impl Content {
    /// Bytes that are kept in the tree itself.
    pub fn inline(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self {
            size: bytes.len() as u64,
            sha256: Sha256::digest(&bytes).into(),
            data: Data::Inline(bytes),
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        (self.size, self.sha256) == (other.size, other.sha256)
    }
}

impl Eq for Content {}
