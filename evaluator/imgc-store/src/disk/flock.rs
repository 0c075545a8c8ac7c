//! Lock files. A lock is the system's lock on an open file, which the system ends
//! with the process; the file itself means nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::StoreError;

/// Opens the file at `path`, made if it is missing, and waits until no other open
/// file of it is locked. Threads of one process exclude each other too.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    loop {
        let file = open(path)?;
        loop {
            match file.lock() {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(StoreError::from_io(error, "locking", path)),
            }
        }
        if stands(&file, path)? {
            return Ok(file);
        }
    }
}

/// As [`lock`], but gives nothing where it would wait.
pub(super) fn try_lock(path: &Path) -> Result<Option<File>, StoreError> {
    loop {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) if stands(&file, path)? => return Ok(Some(file)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::from_io(error, "locking", path));
            }
        }
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| StoreError::from_io(error, "opening", path))
}

/// Whether `path` still names the locked file. Between opening and locking, another
/// process may have removed or renamed it: then the lock is on a file that nobody
/// else will find, and protects nothing.
fn stands(file: &File, path: &Path) -> Result<bool, StoreError> {
    let examine = |error| StoreError::from_io(error, "examining", path);
    let held = file.metadata().map_err(examine)?;
    match path.symlink_metadata() {
        Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(examine(error)),
    }
}
