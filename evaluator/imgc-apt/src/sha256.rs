//! The digests that this crate trusts: SHA-256, and SHA-512 where an archive lists it.
//!
//! Plain values. What was digested is the business of the field that holds it.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

/// A SHA-256 digest. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not 64 lower-case hexadecimal digits")]
pub struct Sha256Error(pub String);

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = Sha256Error;

    fn from_str(text: &str) -> Result<Self, Sha256Error> {
        let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut bytes = [0; 32];
        if !lower || hex::decode_to_slice(text, &mut bytes).is_err() {
            // The text may be anything: only its beginning is worth showing.
            return Err(Sha256Error(text.chars().take(80).collect()));
        }
        Ok(Self(bytes))
    }
}

/// What an archive says of a file's bytes: one digest, or both. Both must be right then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksums {
    sha256: Option<Sha256>,
    sha512: Option<[u8; 64]>,
}

impl Checksums {
    /// SHA-256 alone.
    pub const fn of_sha256(digest: Sha256) -> Self {
        Self {
            sha256: Some(digest),
            sha512: None,
        }
    }

    /// SHA-256 in hexadecimal digits.
    pub(crate) fn sha256(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::of_sha256)
    }

    /// SHA-512 in hexadecimal digits.
    pub(crate) fn sha512(text: &str) -> Option<Self> {
        let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut bytes = [0; 64];
        let read = hex::decode_to_slice(text, &mut bytes);
        (lower && read.is_ok()).then_some(Self {
            sha256: None,
            sha512: Some(bytes),
        })
    }

    /// These and those that only `other` has.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            sha256: self.sha256.or(other.sha256),
            sha512: self.sha512.or(other.sha512),
        }
    }

    /// SHA-256, if it is known before the bytes are.
    pub const fn known_sha256(&self) -> Option<Sha256> {
        self.sha256
    }

    /// Whether they are those of `bytes`.
    pub fn fit(&self, bytes: &[u8]) -> bool {
        let fits = |known: &[u8; 64]| sha2::Sha512::digest(bytes).as_slice() == known;
        self.sha256.is_none_or(|known| known == Sha256::of(bytes))
            && self.sha512.as_ref().is_none_or(fits)
    }

    /// The folder and the name below `by-hash`.
    pub(crate) fn by_hash(&self) -> String {
        match (self.sha256, self.sha512) {
            (Some(sum), _) => format!("SHA256/{sum}"),
            (None, sum) => format!("SHA512/{}", hex::encode(sum.unwrap_or([0; 64]))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_digests_must_fit() {
        let sha256 = Checksums::of_sha256(Sha256::of(b"a"));
        let sha512 = Checksums::sha512(&hex::encode(sha2::Sha512::digest(b"a"))).expect("a sum");
        let other = Checksums::sha512(&hex::encode(sha2::Sha512::digest(b"b"))).expect("a sum");
        for (sums, good) in [
            (sha256, true),
            (sha512, true),
            (sha256.with(sha512), true),
            (sha256.with(other), false),
            (other, false),
        ] {
            assert_eq!(sums.fit(b"a"), good);
        }
        assert!(sha256.with(sha512).by_hash().starts_with("SHA256/ca978112"));
        assert!(sha512.by_hash().starts_with("SHA512/1f40fc92"));
        assert_eq!(Checksums::sha512(&"A".repeat(128)), None);
    }

    #[test]
    fn prints_what_it_reads() {
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(text.parse(), Ok(Sha256::of(b"")));
        assert_eq!(Sha256::of(b"").to_string(), text);
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "e3", &"E".repeat(64), &"0".repeat(63), &"g".repeat(64)] {
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
    }
}
