//! `imgc build --watch`: again whenever a file changes.
//!
//! The files are looked at a few times a second, by their metadata. That works on every
//! file system, in containers and over networks too, and a project has few files.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::lock_file::LockFile;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::{Work, now};

/// How often files are looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// How long files must have been left alone: an editor may write several.
const QUIET: Duration = Duration::from_millis(30);

/// What tells that a path has changed: nothing there, or what stands there.
type Mark = Option<(i64, i64, u64, u64, u32)>;

/// Calls `once` now, and again after each change of the files that were named, the locks
/// beside them, and whatever evaluation has asked for. Failures are shown, and are no reason to
/// end.
pub(crate) fn run(
    work: &Work,
    files: &[PathBuf],
    terminal: &Terminal,
    once: impl Fn() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let files: Vec<PathBuf> = files.iter().map(|file| Target::of(file).file).collect();
    let locks: BTreeSet<PathBuf> = files.iter().map(|file| LockFile::place(file)).collect();
    let paths = || -> BTreeSet<PathBuf> {
        let named = files.iter().chain(&locks).cloned();
        work.asked().into_iter().chain(named).collect()
    };
    loop {
        // What changes while it is built has changed since.
        let begin = now().and_then(|now| i64::try_from(now).ok());
        let before = marks(&paths());
        match once() {
            Ok(()) => {}
            Err(failure @ (Failure::Usage(_) | Failure::Interrupted)) => return Err(failure),
            Err(failure) => terminal.failure(&failure),
        }
        // The lock that this build wrote is no change.
        let mut known = marks(&paths());
        for (path, mark) in known.iter_mut().filter(|(path, _)| !locks.contains(*path)) {
            match before.get(path) {
                Some(then) => *mark = *then,
                // Nobody knew of it before: as new as this build, it may be newer.
                None if mark.is_some_and(|(seconds, ..)| Some(seconds) >= begin) => *mark = None,
                None => {}
            }
        }
        terminal.line(&format!("watching {} paths: Ctrl-C ends it", known.len()));
        loop {
            std::thread::sleep(PAUSE);
            if work.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if is_changed(&known) {
                break;
            }
        }
        loop {
            let now: BTreeSet<PathBuf> = known.keys().cloned().collect();
            let now = marks(&now);
            std::thread::sleep(QUIET);
            if !is_changed(&now) {
                break;
            }
        }
        work.refresh();
    }
}

fn marks(paths: &BTreeSet<PathBuf>) -> BTreeMap<PathBuf, Mark> {
    paths
        .iter()
        .map(|path| (path.clone(), mark(path)))
        .collect()
}

fn is_changed(known: &BTreeMap<PathBuf, Mark>) -> bool {
    known.iter().any(|(path, then)| mark(path) != *then)
}

fn mark(path: &Path) -> Mark {
    let metadata = path.metadata().ok()?;
    Some((
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.size(),
        metadata.ino(),
        metadata.mode(),
    ))
}
