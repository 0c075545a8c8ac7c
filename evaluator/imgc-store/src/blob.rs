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

/// New bytes that are whole and have their digest, and are no blob yet: the second half of
/// [`BlobWriter::commit`]. Dropped, they leave nothing behind.
///
/// The system writes them to the disk meanwhile. Who publishes many blobs waits less where
/// it seals them all before it publishes the first.
pub struct Sealed {
    digest: BlobDigest,
    size: u64,
    sink: Box<dyn SealedSink>,
}

/// What a backend puts behind a [`BlobWriter`].
pub(crate) trait BlobSink: Write + Send {
    /// Takes no more bytes, and begins to make those that were written durable.
    fn seal(self: Box<Self>) -> Result<Box<dyn SealedSink>, StoreError>;
}

/// What a backend puts behind [`Sealed`].
pub(crate) trait SealedSink: Send {
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
        let sealed = self.seal()?;
        let named = (sealed.digest, sealed.size);
        sealed.publish()?;
        Ok(named)
    }

    /// Ends the bytes, and publishes nothing yet.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is left behind.
    pub fn seal(self) -> Result<Sealed, StoreError> {
        Ok(Sealed {
            digest: BlobDigest::from_bytes(self.hash.finalize().into()),
            size: self.size,
            sink: self.sink.seal()?,
        })
    }

    /// Publishes the bytes if they are those that `digest` and `size` name.
    ///
    /// # Errors
    /// [`StoreError::Mismatch`] if they are not, or another [`StoreError`]; nothing
    /// is published.
    pub fn commit_as(self, digest: &BlobDigest, size: u64) -> Result<(), StoreError> {
        let sealed = self.seal()?;
        check(digest, size, sealed.digest, sealed.size)?;
        sealed.publish()
    }
}

impl Sealed {
    /// The digest of the bytes.
    pub fn digest(&self) -> BlobDigest {
        self.digest
    }

    /// The number of bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Publishes the bytes under their digest.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is published.
    pub fn publish(self) -> Result<(), StoreError> {
        self.sink.publish(&self.digest, self.size)
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

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("digest", &self.digest)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobWriter")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
