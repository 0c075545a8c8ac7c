//! The store in memory, for tests. As strict as the one on disk, but nothing
//! outlives the process.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use imgc_plan::{BlobDigest, DrvDigest};
use sha2::{Digest as _, Sha256};

use crate::blob::{BlobSink, SealedSink};
use crate::disk::place;
use crate::partial::PartialSink;
use crate::{Blob, BlobWriter, KeyLock, PartialWriter, Store, StoreError};

/// A store in memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told whenever a key or a partial download is given back.
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<BlobDigest, Arc<[u8]>>,
    actions: BTreeMap<DrvDigest, Vec<u8>>,
    locked: BTreeSet<DrvDigest>,
    partial: BTreeMap<BlobDigest, Vec<u8>>,
    receiving: BTreeSet<BlobDigest>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts wrong bytes under a blob's name, as a failing disk would.
    pub fn corrupt(&self, digest: &BlobDigest, bytes: &[u8]) {
        self.shared.state().blobs.insert(*digest, bytes.into());
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn open(&self, digest: &BlobDigest) -> Result<Option<Blob>, StoreError> {
        let bytes = self.shared.state().blobs.get(digest).cloned();
        Ok(bytes.map(|bytes| Blob::new(bytes.len() as u64, Box::new(Cursor::new(bytes)))))
    }

    fn contains(&self, digest: &BlobDigest) -> Result<Option<u64>, StoreError> {
        Ok(self
            .shared
            .state()
            .blobs
            .get(digest)
            .map(|bytes| bytes.len() as u64))
    }

    fn discard(&self, digest: &BlobDigest) -> Result<(), StoreError> {
        self.shared.state().blobs.remove(digest);
        Ok(())
    }

    fn writer(&self) -> Result<BlobWriter, StoreError> {
        let shared = Arc::clone(&self.shared);
        Ok(BlobWriter::new(Box::new(MemorySink {
            bytes: Vec::new(),
            shared,
        })))
    }

    fn partial(&self, digest: &BlobDigest) -> Result<PartialWriter, StoreError> {
        let mut state = self.shared.state();
        while !state.receiving.insert(*digest) {
            state = self
                .shared
                .released
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let bytes = state.partial.remove(digest).unwrap_or_default();
        let hash = Sha256::new_with_prefix(&bytes);
        let offset = bytes.len() as u64;
        let sink = MemoryPartial {
            bytes,
            digest: *digest,
            shared: Arc::clone(&self.shared),
        };
        Ok(PartialWriter::new(*digest, hash, offset, Box::new(sink)))
    }

    fn join(&self, digest: &BlobDigest, parts: &[(BlobDigest, u64)]) -> Result<(), StoreError> {
        let mut state = self.shared.state();
        let mut bytes = Vec::new();
        for (part, _) in parts {
            let part = state.blobs.get(part).ok_or(StoreError::Absent(*part))?;
            bytes.extend_from_slice(part);
        }
        state.blobs.insert(*digest, bytes.into());
        Ok(())
    }

    fn action(&self, key: &DrvDigest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.shared.state().actions.get(key).cloned())
    }

    fn record(&self, key: &DrvDigest, record: &[u8]) -> Result<(), StoreError> {
        self.shared.state().actions.insert(*key, record.to_vec());
        Ok(())
    }

    fn lock(&self, key: &DrvDigest) -> Result<KeyLock, StoreError> {
        let mut state = self.shared.state();
        while !state.locked.insert(*key) {
            state = self
                .shared
                .released
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(KeyLock::new(Held {
            key: *key,
            shared: Arc::clone(&self.shared),
        }))
    }

    fn try_lock(&self, key: &DrvDigest) -> Result<Option<KeyLock>, StoreError> {
        let free = self.shared.state().locked.insert(*key);
        let held = || {
            KeyLock::new(Held {
                key: *key,
                shared: Arc::clone(&self.shared),
            })
        };
        Ok(free.then(held))
    }

    fn export(&self, digest: &BlobDigest, dest: &Path) -> Result<(), StoreError> {
        let bytes = self.shared.state().blobs.get(digest).cloned();
        let bytes = bytes.ok_or(StoreError::Absent(*digest))?;
        if BlobDigest::of(&bytes) != *digest {
            self.discard(digest)?;
            return Err(StoreError::Absent(*digest));
        }
        place(dest, |file| file.write_all(&bytes))
    }
}

struct Held {
    key: DrvDigest,
    shared: Arc<Shared>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.state().locked.remove(&self.key);
        self.shared.released.notify_all();
    }
}

struct MemorySink {
    bytes: Vec<u8>,
    shared: Arc<Shared>,
}

impl Write for MemorySink {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.bytes.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobSink for MemorySink {
    fn seal(self: Box<Self>) -> Result<Box<dyn SealedSink>, StoreError> {
        Ok(self)
    }
}

impl SealedSink for MemorySink {
    fn publish(self: Box<Self>, digest: &BlobDigest, _size: u64) -> Result<(), StoreError> {
        self.shared.state().blobs.insert(*digest, self.bytes.into());
        Ok(())
    }
}

struct MemoryPartial {
    bytes: Vec<u8>,
    digest: BlobDigest,
    shared: Arc<Shared>,
}

impl Write for MemoryPartial {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.bytes.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PartialSink for MemoryPartial {
    fn clear(&mut self) -> Result<(), StoreError> {
        self.bytes.clear();
        Ok(())
    }

    fn publish(mut self: Box<Self>, digest: &BlobDigest, _size: u64) -> Result<(), StoreError> {
        let bytes = std::mem::take(&mut self.bytes);
        self.shared.state().blobs.insert(*digest, bytes.into());
        Ok(())
    }
}

impl Drop for MemoryPartial {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut state = self.shared.state();
        if !bytes.is_empty() {
            state.partial.insert(self.digest, bytes);
        }
        state.receiving.remove(&self.digest);
        drop(state);
        self.shared.released.notify_all();
    }
}
