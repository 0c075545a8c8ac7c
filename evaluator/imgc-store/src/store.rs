//! The trait that every store implements. No backend's detail is in it.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use imgc_plan::{BlobDigest, DrvDigest};
use sha2::{Digest as _, Sha256};

use crate::{Blob, BlobWriter, KeyLock, PartialWriter, StoreError};

/// What [`Store::verify_read`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// There is no such blob.
    Absent,
    /// The blob is whole; its number of bytes.
    Intact(u64),
    /// The bytes were not the blob's. They have been moved aside, and the blob is
    /// now absent.
    Corrupt,
}

/// Blobs by digest, and action records by derivation.
///
/// Every method may be called from any thread. A blob that is in the store stays
/// as it is: a [`Blob`] that is open reads the same bytes whatever happens.
pub trait Store: Send + Sync + fmt::Debug {
    /// Opens a blob. The bytes are not verified here: a reader that does not digest
    /// them itself uses [`read`](Self::read), [`open_sized`](Self::open_sized) or
    /// [`verify_read`](Self::verify_read).
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn open(&self, digest: &BlobDigest) -> Result<Option<Blob>, StoreError>;

    /// The blob's number of bytes, if it is there.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn contains(&self, digest: &BlobDigest) -> Result<Option<u64>, StoreError>;

    /// Moves a blob aside whose bytes have been found wrong, so that it is absent
    /// and can be made again. One that is absent already is no error.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn discard(&self, digest: &BlobDigest) -> Result<(), StoreError>;

    /// A writer for a new blob.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn writer(&self) -> Result<BlobWriter, StoreError>;

    /// What is there of a blob that arrives piece by piece. Waits while another
    /// thread or process has the same one open.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn partial(&self, digest: &BlobDigest) -> Result<PartialWriter, StoreError>;

    /// Makes a blob that is others, one after the other (digests and sizes in bytes, all
    /// of them in the store), without a second copy of their bytes. It is there as long
    /// as they are. Whoever calls has digested the whole: `digest` is not verified.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn join(&self, digest: &BlobDigest, parts: &[(BlobDigest, u64)]) -> Result<(), StoreError>;

    /// Whether this process digested the bytes of a blob itself, as it wrote or joined them,
    /// nobody has written to them since, and none has asked before. Who asks reads them next,
    /// mostly out of the system's memory, and need not digest them a second time.
    fn was_digested(&self, _digest: &BlobDigest) -> bool {
        false
    }

    /// The record of a derivation. A torn or damaged one reads as absent.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn action(&self, key: &DrvDigest) -> Result<Option<Vec<u8>>, StoreError>;

    /// Records what came out of a derivation, in place of an earlier record. All
    /// blobs that this store committed or put before are durable when the record
    /// can first be seen.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn record(&self, key: &DrvDigest, record: &[u8]) -> Result<(), StoreError>;

    /// Waits for the right to realise a derivation. Not reentrant: a thread that
    /// asks again for what it holds waits for ever.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn lock(&self, key: &DrvDigest) -> Result<KeyLock, StoreError>;

    /// The right to realise a derivation, unless another has it now.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn try_lock(&self, key: &DrvDigest) -> Result<Option<KeyLock>, StoreError>;

    /// Places a blob's bytes in a file outside the store, whose folder is there. An
    /// earlier file is replaced in one step. The file is a copy of its own (sharing
    /// blocks where the file system can), never a hard link: a user who changes
    /// it must not change the store. Its mode is `0644`. The bytes are verified on
    /// their way, unless they [were](Self::was_digested) a moment ago: a damaged blob is
    /// moved aside, and `dest` stays as it was.
    ///
    /// # Errors
    /// [`StoreError::Absent`] without such a blob, or for a damaged one; or what the
    /// system says.
    fn export(&self, digest: &BlobDigest, dest: &Path) -> Result<(), StoreError>;

    /// Stores bytes that are in memory, unless they are there. A damaged blob in their
    /// place is replaced.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn put(&self, bytes: &[u8]) -> Result<BlobDigest, StoreError> {
        let digest = BlobDigest::of(bytes);
        let size = bytes.len() as u64;
        if self.contains(&digest)? == Some(size) && self.read(&digest, size)?.is_some() {
            return Ok(digest);
        }
        let mut writer = self.writer()?;
        let written = writer.write_all(bytes);
        written.map_err(|error| StoreError::from_io(error, "writing", Path::new("")))?;
        Ok(writer.commit()?.0)
    }

    /// Opens a blob that has `size` bytes. One of another size is damaged: it is
    /// moved aside and reads as absent.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn open_sized(&self, digest: &BlobDigest, size: u64) -> Result<Option<Blob>, StoreError> {
        match self.open(digest)? {
            Some(blob) if blob.len() != size => {
                self.discard(digest)?;
                Ok(None)
            }
            found => Ok(found),
        }
    }

    /// All bytes of a small blob, verified. A damaged one is moved aside and reads
    /// as absent.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] beyond `limit` bytes, or of the backend.
    fn read(&self, digest: &BlobDigest, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut blob) = self.open(digest)? else {
            return Ok(None);
        };
        let size = blob.len();
        if size > limit {
            return Err(StoreError::TooLarge {
                digest: *digest,
                size,
                limit,
            });
        }
        let mut bytes = Vec::new();
        let read = blob.read_to_end(&mut bytes);
        read.map_err(|error| StoreError::from_io(error, "reading", Path::new(&digest.hex())))?;
        if BlobDigest::of(&bytes) != *digest {
            self.discard(digest)?;
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    /// Reads a whole blob and digests it. A damaged one is moved aside.
    ///
    /// # Errors
    /// [`StoreError`] of the backend.
    fn verify_read(&self, digest: &BlobDigest) -> Result<Check, StoreError> {
        let Some(mut blob) = self.open(digest)? else {
            return Ok(Check::Absent);
        };
        let (found, size) = digest_of(&mut blob)
            .map_err(|error| StoreError::from_io(error, "reading", Path::new(&digest.hex())))?;
        if found == *digest {
            return Ok(Check::Intact(size));
        }
        self.discard(digest)?;
        Ok(Check::Corrupt)
    }
}

/// The digest of everything that `reader` gives, and its number of bytes.
pub(crate) fn digest_of(reader: &mut dyn io::Read) -> io::Result<(BlobDigest, u64)> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buf = vec![0; 128 * 1024];
    loop {
        match reader.read(&mut buf) {
            Ok(0) => return Ok((BlobDigest::from_bytes(hash.finalize().into()), size)),
            Ok(read) => {
                hash.update(&buf[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
