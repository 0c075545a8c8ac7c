//! A blob while it is read and while it is written. Knows nothing of where
//! blobs are kept: a backend hands in a reader or a [`BlobSink`].

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};

use imgc_plan::BlobDigest;
use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// A blob that is open for reading.
pub struct Blob {
    len: u64,
    reader: Box<dyn ReadSeek>,
}

/// New bytes on their way into the store. They are digested as they come and are
/// in the store only once [`commit`](Self::commit) has returned. Dropped without
/// that, they leave nothing behind.
pub struct BlobWriter {
    hash: Sha256,
    size: u64,
    sink: Box<dyn BlobSink>,
}

/// What a backend puts behind a [`BlobWriter`].
pub(crate) trait BlobSink: Write + Send {
    /// Makes all bytes that were written a blob with this name.
    fn publish(self: Box<Self>, digest: &BlobDigest, size: u64) -> Result<(), StoreError>;
}

/// What a backend puts behind a [`Blob`].
pub(crate) trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

impl Blob {
    pub(crate) fn new(len: u64, reader: Box<dyn ReadSeek>) -> Self {
        Self { len, reader }
    }

    /// The number of bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it is the blob of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Read for Blob {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

impl Seek for Blob {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl BlobWriter {
    pub(crate) fn new(sink: Box<dyn BlobSink>) -> Self {
        Self {
            hash: Sha256::new(),
            size: 0,
            sink,
        }
    }

    /// How many bytes have been written.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Publishes the bytes under their digest. Gives it, and their number.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is published.
    pub fn commit(self) -> Result<(BlobDigest, u64), StoreError> {
        let digest = BlobDigest::from_bytes(self.hash.finalize().into());
        self.sink.publish(&digest, self.size)?;
        Ok((digest, self.size))
    }

    /// Publishes the bytes if they are those that `digest` and `size` name.
    ///
    /// # Errors
    /// [`StoreError::Mismatch`] if they are not, or another [`StoreError`]; nothing
    /// is published.
    pub fn commit_as(self, digest: &BlobDigest, size: u64) -> Result<(), StoreError> {
        let found = BlobDigest::from_bytes(self.hash.finalize().into());
        check(digest, size, found, self.size)?;
        self.sink.publish(digest, size)
    }
}

pub(crate) fn check(
    expected: &BlobDigest,
    expected_size: u64,
    found: BlobDigest,
    found_size: u64,
) -> Result<(), StoreError> {
    if (*expected, expected_size) == (found, found_size) {
        return Ok(());
    }
    Err(StoreError::Mismatch {
        expected: *expected,
        expected_size,
        found,
        found_size,
    })
}

impl Write for BlobWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = self.sink.write(buf)?;
        self.hash.update(&buf[..taken]);
        self.size += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobWriter")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
