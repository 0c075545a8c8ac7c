//! The content-addressed store: blobs and the action cache.
//!
//! A blob is bytes named by their SHA-256. An action record says what came out
//! of a derivation. [`Store`] is what the rest of the evaluator sees;
//! [`DiskStore`] keeps both in a folder of the machine, [`MemoryStore`] in memory.
//! This crate knows nothing of what the blobs and records mean.

mod blob;
mod disk;
mod error;
pub mod format;
mod lock;
mod memory;
mod partial;
mod store;

pub use blob::{Blob, BlobWriter, Sealed};
pub use disk::{Collected, Count, DiskStore, Limits, Usage, Verified};
pub use error::StoreError;
pub use imgc_plan::{BlobDigest, DrvDigest};
pub use lock::KeyLock;
pub use memory::MemoryStore;
pub use partial::PartialWriter;
pub use store::{Check, Store};
