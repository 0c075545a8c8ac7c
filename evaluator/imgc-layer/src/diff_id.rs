//! The digest of a layer's uncompressed form. A type of its own, so that it can't be
//! taken for the digest of a blob.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// SHA-256 of a layer's tar archive before compression. Written `sha256:` and 64
/// lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiffId([u8; 32]);

/// A text that is not a [`DiffId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not `sha256:` and 64 lower-case hexadecimal digits")]
pub struct DiffIdError(pub String);

impl DiffId {
    /// A digest that was computed elsewhere, 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits, without `sha256:`.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DiffId({})", self.hex())
    }
}

impl FromStr for DiffId {
    type Err = DiffIdError;

    fn from_str(text: &str) -> Result<Self, DiffIdError> {
        let wrong = || DiffIdError(text.to_owned());
        let digits = text.strip_prefix("sha256:").ok_or_else(wrong)?;
        let lower = digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut bytes = [0; 32];
        if !lower || hex::decode_to_slice(digits, &mut bytes).is_err() {
            return Err(wrong());
        }
        Ok(Self(bytes))
    }
}

impl Serialize for DiffId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DiffId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_the_same_text() {
        let id = DiffId::from_bytes([0xab; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("sha256:AB".parse::<DiffId>().is_err());
        assert!(id.hex().parse::<DiffId>().is_err());
    }
}
