//! What this process digested itself, a moment ago: while it wrote a blob, or before it
//! joined one. The next who reads such a blob whole need not digest it again, as long as
//! nobody has written to its files since.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use imgc_plan::BlobDigest;

use super::{Shared, joined};

/// Blobs, and when the last of their files was written to. Each is here once, for one
/// reader: what a process that lives long reads again later is digested again.
#[derive(Debug, Default)]
pub(super) struct Digested(Mutex<BTreeMap<BlobDigest, SystemTime>>);

impl Digested {
    pub(super) fn add(&self, digest: &BlobDigest, written: Option<SystemTime>) {
        let Some(written) = written else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(*digest, written);
    }

    fn take(&self, digest: &BlobDigest) -> Option<SystemTime> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(digest)
    }
}

impl Shared {
    /// Whether a blob is one of these, and as it was.
    pub(super) fn was_digested(&self, digest: &BlobDigest) -> bool {
        let Some(then) = self.digested.take(digest) else {
            return false;
        };
        let now = self.written(digest).or_else(|| {
            let parts = joined::list(&self.joined_path(&digest.hex())).ok()??;
            self.last_written(&parts)
        });
        now == Some(then)
    }

    /// When the last of these blobs was written to. None if one has no file here.
    pub(super) fn last_written(&self, parts: &[(BlobDigest, u64)]) -> Option<SystemTime> {
        let mut last = SystemTime::UNIX_EPOCH;
        for (part, _) in parts {
            last = last.max(self.written(part)?);
        }
        Some(last)
    }

    fn written(&self, digest: &BlobDigest) -> Option<SystemTime> {
        let hex = digest.hex();
        let meta = fs::symlink_metadata(self.blob_folder(&hex).join(hex)).ok()?;
        meta.modified().ok()
    }
}
