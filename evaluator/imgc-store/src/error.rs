//! What can go wrong in a store. The wording for people is made in `imgc`.

use std::io;
use std::path::{Path, PathBuf};

use imgc_plan::BlobDigest;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, or the user's quota on it, is full. Nothing half-written is left
    /// where it could be taken for a blob or a record.
    #[error("{}: the disk is full ({doing})", path.display())]
    Full {
        /// The file or folder.
        path: PathBuf,
        /// What was being done to it: `writing`, `creating`.
        doing: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// Any other error of the system.
    #[error("{}: {doing}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done to it: `writing`, `creating`.
        doing: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// Bytes that are not those that were asked for. They are not in the store.
    #[error(
        "expected {expected_size} bytes with {expected}, found {found_size} bytes with {found}"
    )]
    Mismatch {
        /// The digest that was asked for.
        expected: BlobDigest,
        /// The size that was asked for, in bytes.
        expected_size: u64,
        /// The digest of what came.
        found: BlobDigest,
        /// The size of what came, in bytes.
        found_size: u64,
    },
    /// A blob that the caller needs is not in the store, or no longer whole.
    #[error("{0} is not in the store")]
    Absent(BlobDigest),
    /// A blob is larger than the caller is ready to hold in memory.
    #[error("{digest} has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The blob.
        digest: BlobDigest,
        /// Its size in bytes.
        size: u64,
        /// The caller's limit in bytes.
        limit: u64,
    },
}

impl StoreError {
    /// Gives a system error its place. A [`StoreError`] that travelled inside an
    /// `io::Error` (through `Read` or `Write`) comes out as it was.
    pub fn from_io(error: io::Error, doing: &'static str, path: &Path) -> Self {
        let source = match error.downcast::<Self>() {
            Ok(inner) => return inner,
            Err(error) => error,
        };
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                path,
                doing,
                source,
            },
            _ => Self::Io {
                path,
                doing,
                source,
            },
        }
    }

    /// The kind of the system error behind this one.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Full { .. } => io::ErrorKind::StorageFull,
            Self::Io { source, .. } => source.kind(),
            Self::Mismatch { .. } | Self::TooLarge { .. } => io::ErrorKind::InvalidData,
            Self::Absent(_) => io::ErrorKind::NotFound,
        }
    }
}

/// For code between a store and its caller that speaks `io::Error`: nothing is
/// lost, [`StoreError::from_io`] takes it out again.
impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        Self::new(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_and_survives_io_error() {
        let raw = io::Error::from_raw_os_error(28);
        let full = StoreError::from_io(raw, "writing", Path::new("/s/x"));
        assert!(matches!(full, StoreError::Full { .. }));
        let through = io::Error::from(full);
        assert_eq!(through.kind(), io::ErrorKind::StorageFull);
        let out = StoreError::from_io(through, "copying", Path::new("/elsewhere"));
        assert!(matches!(out, StoreError::Full { path, .. } if path == Path::new("/s/x")));
    }
}
