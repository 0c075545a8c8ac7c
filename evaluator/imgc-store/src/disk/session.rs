//! The folder of temporary files that one open store has for itself.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

use super::flock;
use crate::StoreError;

/// A locked folder in `tmp`. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct Session {
    path: PathBuf,
    /// The open folder: its lock says that the session lives.
    _alive: File,
}

impl Session {
    /// Makes and locks a folder in `tmp`, after removing those of the dead.
    pub(super) fn begin(root: &Path) -> Result<Self, StoreError> {
        // Nobody else looks at a folder between its making and its locking.
        let _opening = flock::lock(&root.join("locks/open"))?;
        let tmp = root.join("tmp");
        let listing = |error| StoreError::from_io(error, "listing", &tmp);
        for entry in fs::read_dir(&tmp).map_err(listing)? {
            remove_if_dead(&entry.map_err(listing)?.path())?;
        }
        let failed = |error| StoreError::from_io(error, "creating a folder in", &tmp);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = now.map_or(0, |since| since.as_secs());
        let path = tempfile::Builder::new()
            .prefix(&format!("s-{seconds}-"))
            .disable_cleanup(true)
            .tempdir_in(&tmp)
            .map_err(failed)?
            .keep();
        let alive = File::open(&path).map_err(|e| StoreError::from_io(e, "opening", &path))?;
        alive
            .lock()
            .map_err(|e| StoreError::from_io(e, "locking", &path))?;
        Ok(Self {
            path,
            _alive: alive,
        })
    }

    /// When the oldest of the other sessions began that live now; none without any.
    pub(super) fn oldest_other(&self, root: &Path) -> Result<Option<SystemTime>, StoreError> {
        let _opening = flock::lock(&root.join("locks/open"))?;
        let tmp = root.join("tmp");
        let listing = |error| StoreError::from_io(error, "listing", &tmp);
        let mut oldest = None;
        for entry in fs::read_dir(&tmp).map_err(listing)? {
            let path = entry.map_err(listing)?.path();
            let is_dead = || File::open(&path).is_ok_and(|entry| entry.try_lock().is_ok());
            if path == self.path || is_dead() {
                continue;
            }
            let began = began(&path);
            oldest = Some(oldest.map_or(began, |oldest: SystemTime| oldest.min(began)));
        }
        Ok(oldest)
    }

    /// A new temporary file, removed when dropped.
    pub(super) fn temp(&self) -> Result<NamedTempFile, StoreError> {
        NamedTempFile::new_in(&self.path)
            .map_err(|error| StoreError::from_io(error, "creating a file in", &self.path))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What can't be removed now, the next opening removes.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// When a session began, by the name of its folder: `s-SECONDS-…`, since 1970. One whose
/// name does not say it may have been there always.
fn began(path: &Path) -> SystemTime {
    let name = path.file_name().and_then(|name| name.to_str());
    let seconds = name.and_then(|name| name.strip_prefix("s-")?.split('-').next()?.parse().ok());
    UNIX_EPOCH + Duration::from_secs(seconds.unwrap_or(0))
}

/// Removes an entry of `tmp` that no living process holds. One that vanishes
/// meanwhile (its owner ended) is gone as well; one that can't be opened or removed
/// (another user's) is left.
fn remove_if_dead(path: &Path) -> Result<(), StoreError> {
    let Ok(entry) = File::open(path) else {
        return Ok(());
    };
    if entry.try_lock().is_ok() {
        let _ = match entry.metadata() {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
            _ => fs::remove_file(path),
        };
    }
    Ok(())
}
