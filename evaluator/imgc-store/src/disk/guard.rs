//! Using and collecting exclude each other, for the moment in which a thing is found or
//! removed. Whoever finds a blob or a record marks it as used while it holds the lock
//! `locks/use` shared; whoever removes holds it alone, and looks at the mark again.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::StoreError;

/// A mark is written again when it is older than this. So it is exact to this much.
pub(super) const GRAIN: Duration = Duration::from_secs(3600);

/// The lock `locks/use`, as one open store has it.
#[derive(Debug)]
pub(super) struct Guard {
    file: File,
    /// How many threads use the store now. The first takes the lock for all of them.
    users: Mutex<usize>,
}

impl Guard {
    pub(super) fn open(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("locks/use");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| StoreError::from_io(error, "opening", &path))?;
        Ok(Self {
            file,
            users: Mutex::new(0),
        })
    }

    /// Does `work` while nobody removes anything.
    pub(super) fn using<T>(&self, work: impl FnOnce() -> T) -> T {
        {
            let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
            if *users == 0 {
                // Where there are no locks, nobody else collects either.
                let _ = retried(|| self.file.lock_shared());
            }
            *users += 1;
        }
        let done = work();
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        *users -= 1;
        if *users == 0 {
            let _ = self.file.unlock();
        }
        done
    }

    /// Does `work` while nobody finds anything.
    pub(super) fn alone<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
        // The threads of this process wait for the number, the others for the lock.
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if *users == 0 {
            retried(|| self.file.lock())?;
        } else {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let done = work();
        let _ = self.file.unlock();
        drop(users);
        Ok(done)
    }
}

/// Marks an open file as used now, unless its mark, `modified`, is fresh. A file that
/// can't be marked (another user's, a folder that is read-only) is used all the same.
pub(super) fn mark(file: &File, modified: io::Result<SystemTime>) {
    let now = SystemTime::now();
    let is_fresh = modified.is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age < GRAIN));
    if !is_fresh {
        let _ = file.set_modified(now);
    }
}

fn retried(mut call: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
