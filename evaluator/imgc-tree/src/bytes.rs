//! Bytes in serialised values, as one run: without this serde writes each as a number.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

/// Writes them. For `#[serde(with = "…")]`.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(bytes: impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes.as_ref())
}

/// Reads them back, into a vector, a shared slice, or an array of as many.
///
/// # Errors
/// Another number of bytes than an array has, or the deserializer's.
pub fn deserialize<'de, D: Deserializer<'de>, B: Run>(deserializer: D) -> Result<B, D::Error> {
    deserializer.deserialize_bytes(Read(PhantomData))
}

/// What bytes are read back into.
pub trait Run: Sized {
    /// The bytes in their new place. None for another number than fits.
    fn of(bytes: &[u8]) -> Option<Self>;
}

impl Run for Vec<u8> {
    fn of(bytes: &[u8]) -> Option<Self> {
        Some(bytes.to_vec())
    }
}

impl Run for std::sync::Arc<[u8]> {
    fn of(bytes: &[u8]) -> Option<Self> {
        Some(Self::from(bytes))
    }
}

impl<const N: usize> Run for [u8; N] {
    fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

struct Read<B>(PhantomData<B>);

impl<B: Run> Visitor<'_> for Read<B> {
    type Value = B;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<B, E> {
        B::of(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
    }
}
