//! A download that can go on where an earlier one ended. Knows nothing of
//! networks or of where the bytes are kept.

use std::fmt;
use std::io::{self, Write};

use imgc_plan::BlobDigest;
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::blob::check;

/// The bytes of a blob that are here so far, open for more. Dropped, they stay for
/// the next attempt. Whoever else wants to write the same blob waits.
pub struct PartialWriter {
    digest: BlobDigest,
    hash: Sha256,
    offset: u64,
    sink: Box<dyn PartialSink>,
}

/// What a backend puts behind a [`PartialWriter`].
pub(crate) trait PartialSink: Write + Send {
    /// Drops the bytes so far, and goes on with none.
    fn clear(&mut self) -> Result<(), StoreError>;
    /// Makes the bytes a blob.
    fn publish(self: Box<Self>, digest: &BlobDigest, size: u64) -> Result<(), StoreError>;
}

impl PartialWriter {
    /// `hash` has taken in the `offset` bytes that are there already.
    pub(crate) fn new(
        digest: BlobDigest,
        hash: Sha256,
        offset: u64,
        sink: Box<dyn PartialSink>,
    ) -> Self {
        Self {
            digest,
            hash,
            offset,
            sink,
        }
    }

    /// How many bytes are there: where to go on.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Begins again with no bytes, as a sender wants that can't go on in the middle.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.sink.clear()?;
        self.hash = Sha256::new();
        self.offset = 0;
        Ok(())
    }

    /// Publishes the bytes if they are the blob, and `size` many.
    ///
    /// # Errors
    /// [`StoreError::Mismatch`] if they are not: all of them are dropped, as nobody
    /// knows which are wrong. Another [`StoreError`] keeps them.
    pub fn finish(mut self, size: u64) -> Result<(), StoreError> {
        let found = BlobDigest::from_bytes(self.hash.finalize().into());
        if let Err(mismatch) = check(&self.digest, size, found, self.offset) {
            self.sink.clear()?;
            return Err(mismatch);
        }
        self.sink.publish(&self.digest, size)
    }
}

impl Write for PartialWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = self.sink.write(buf)?;
        self.hash.update(&buf[..taken]);
        self.offset += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl fmt::Debug for PartialWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartialWriter")
            .field("digest", &self.digest)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
