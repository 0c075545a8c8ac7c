//! The bytes of a blob on their way to a client. A blob that is sent whole is digested on
//! the way: of a damaged one, the last piece is never sent, so that nobody takes it for
//! whole, and it is moved aside to be made again.

use std::fmt;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::Arc;

use imgc_store::{Blob, BlobDigest, Store};
use sha2::{Digest as _, Sha256};

/// Reads a blob, or a part of it, to the end of what is to be sent.
pub struct BlobBody {
    blob: Blob,
    left: u64,
    check: Option<Check>,
}

struct Check {
    hash: Sha256,
    expected: BlobDigest,
    store: Arc<dyn Store>,
}

impl BlobBody {
    pub(super) fn whole(blob: Blob, expected: BlobDigest, store: Arc<dyn Store>) -> Self {
        Self {
            left: blob.len(),
            blob,
            check: Some(Check {
                hash: Sha256::new(),
                expected,
                store,
            }),
        }
    }

    pub(super) fn part(mut blob: Blob, first: u64, len: u64) -> io::Result<Self> {
        blob.seek(SeekFrom::Start(first))?;
        Ok(Self {
            blob,
            left: len,
            check: None,
        })
    }

    /// How many bytes are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl Read for BlobBody {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = most.min(buf.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.blob.read(&mut buf[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        if let Some(check) = &mut self.check {
            check.hash.update(&buf[..read]);
            if self.left == 0 {
                let found = BlobDigest::from_bytes(check.hash.finalize_reset().into());
                if found != check.expected {
                    check.store.discard(&check.expected)?;
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("{} is damaged", check.expected),
                    ));
                }
            }
        }
        Ok(read)
    }
}

impl fmt::Debug for BlobBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobBody")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
