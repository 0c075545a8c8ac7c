//! Partial downloads: a locked file that grows, and becomes a blob.

use std::fs::{File, Permissions};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use imgc_plan::BlobDigest;
use sha2::{Digest as _, Sha256};

use super::{Shared, flock, write};
use crate::partial::PartialSink;
use crate::{PartialWriter, StoreError};

struct DiskPartial {
    /// Holds the lock.
    file: File,
    path: PathBuf,
    shared: Arc<Shared>,
}

pub(super) fn partial(
    shared: &Arc<Shared>,
    digest: &BlobDigest,
) -> Result<PartialWriter, StoreError> {
    let path = shared.root.join("partial").join(digest.hex());
    let mut file = flock::lock(&path)?;
    let mut hash = Sha256::new();
    let mut offset = 0;
    let mut buf = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buf) {
            Ok(0) => break,
            Ok(read) => {
                hash.update(&buf[..read]);
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::from_io(error, "reading", &path)),
        }
    }
    let sink = DiskPartial {
        file,
        path,
        shared: Arc::clone(shared),
    };
    Ok(PartialWriter::new(*digest, hash, offset, Box::new(sink)))
}

impl Write for DiskPartial {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file
            .write(buf)
            .map_err(|error| StoreError::from_io(error, "writing", &self.path).into())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl PartialSink for DiskPartial {
    fn clear(&mut self) -> Result<(), StoreError> {
        use std::io::Seek as _;
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(|error| StoreError::from_io(error, "emptying", &self.path))
    }

    fn publish(self: Box<Self>, digest: &BlobDigest, size: u64) -> Result<(), StoreError> {
        write::publish(&self.shared, &self.file, &self.path, digest, size)?;
        // Not before it has left `partial`: who comes to wait for it there, or finds it
        // after a crash, must be able to open it for writing.
        self.file
            .set_permissions(Permissions::from_mode(write::BLOB_MODE))
            .map_err(|error| StoreError::from_io(error, "changing the mode of", &self.path))
    }
}
