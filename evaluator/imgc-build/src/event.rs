//! What a build tells while it works. The binary draws it; nothing here prints.

use imgc_plan::DrvDigest;
use imgc_store::BlobDigest;

use crate::Why;

/// Something that happened. Amounts are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An archive's `InRelease` and indices are being read.
    Archive {
        /// The archive and its suite: `debian trixie-updates`.
        name: String,
    },
    /// This many bytes of packages are to be fetched.
    FetchTotal {
        /// How many packages.
        files: usize,
        /// How many bytes.
        bytes: u64,
    },
    /// Some bytes of a package or an index arrived.
    Fetched {
        /// How many.
        bytes: u64,
    },
    /// A try failed and another follows.
    Retry {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// A derivation is about to be realised.
    Realise {
        /// Its kind: `unpack`, `frame`, `install`, `files`, `image`.
        kind: &'static str,
        /// What it is about: a package, an image.
        name: String,
        /// Its digest.
        key: DrvDigest,
        /// Why.
        why: Why,
    },
    /// A derivation that was to be realised has been, or has failed.
    Realised {
        /// Its kind.
        kind: &'static str,
        /// What it is about.
        name: String,
    },
    /// A derivation's output was in the store already.
    Reuse {
        /// Its kind.
        kind: &'static str,
    },
}

/// Takes events, from any thread.
pub trait Events: Sync {
    /// Takes one. Must not block for long.
    fn event(&self, event: Event);

    /// Takes a layer, of `size` bytes, that is in the store and that an image is likely to
    /// have, while the rest of that is still being made. Who writes images may write this
    /// layer before it comes back: unlike an event, it may take as long as that.
    fn layer(&self, _blob: &BlobDigest, _size: u64) {}
}
