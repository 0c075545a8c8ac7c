//! The base of an image: an image of a registry, by the digest of its manifest. The forms
//! are those of the distribution specification 1.1. Nothing is asked here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::BlobDigest;

/// An image of a registry: `HOST[:PORT]/NAME@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Base {
    /// The registry, with its port where one is given, and the repository in it.
    pub repository: String,
    /// The digest of its manifest, or of the index that has one for each platform.
    pub digest: BlobDigest,
}

/// A text that names no [`Base`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseError {
    /// A name, and perhaps a tag, which may be another image tomorrow.
    #[error("`{0}` has no digest, and what a tag names changes")]
    NoDigest(String),
    /// A digest of another form.
    #[error("`{0}` is no digest: `sha256:` and 64 lower-case hexadecimal digits")]
    Digest(String),
    /// A name without a registry.
    #[error("`{0}` names no registry: HOST/NAME@sha256:…, where HOST has a `.` or a port")]
    NoRegistry(String),
    /// A name that no repository can have.
    #[error(
        "`{0}` can't be the name of a repository: small letters, digits, and `.`, `_`, `-` between them"
    )]
    Name(String),
}

/// No name of a repository is longer, with its registry.
const MAX: usize = 512;

impl FromStr for Base {
    type Err = BaseError;

    /// Reads `HOST[:PORT]/NAME[:TAG]@sha256:…`. Beside a digest, a tag says nothing.
    fn from_str(text: &str) -> Result<Self, BaseError> {
        let shown: String = text.chars().take(200).collect();
        let (name, digest) = text.split_once('@').unwrap_or((text, ""));
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if is_host(host) => (host, path),
            _ => return Err(BaseError::NoRegistry(shown)),
        };
        let path = match path.rsplit_once(':') {
            Some((path, tag)) if is_tag(tag) => path,
            Some(_) => return Err(BaseError::Name(shown)),
            None => path,
        };
        if !path.split('/').all(is_part) || name.len() > MAX {
            return Err(BaseError::Name(shown));
        }
        if digest.is_empty() {
            return Err(BaseError::NoDigest(shown));
        }
        let bad = |_| BaseError::Digest(digest.chars().take(200).collect());
        Ok(Self {
            repository: format!("{host}/{path}"),
            digest: digest.parse().map_err(bad)?,
        })
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.digest)
    }
}

impl Serialize for Base {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Base {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// `localhost`, or what has a dot or a port, as people tell registries from folders.
fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let starts = host
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    let is_port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let registry = host == "localhost" || text.contains(['.', ':']);
    starts && host.len() <= 253 && host.bytes().all(plain) && is_port && registry
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let further = |b: u8| word(b) || matches!(b, b'.' | b'-');
    text.len() <= 128 && text.bytes().next().is_some_and(word) && text.bytes().all(further)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_part(part: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    let mut runs = part
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .filter(|run| !run.is_empty());
    ends.iter().all(|end| end.is_some_and(|b| is_word(*b)))
        && runs.all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_prints_as_it_is_read_without_its_tag() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for name in [
            "registry.example/debian",
            "localhost:5000/a/b-c",
            "localhost/x",
        ] {
            let base: Base = format!("{name}@{digest}").parse().expect(name);
            assert_eq!(base.to_string(), format!("{name}@{digest}"));
            let tagged: Base = format!("{name}:1.0@{digest}").parse().expect(name);
            assert_eq!(tagged, base);
        }
    }

    #[test]
    fn what_names_no_image_for_ever_is_refused() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let parse = |text: &str| text.parse::<Base>().expect_err(text);
        let no_digest =
            |text: &str| assert!(matches!(parse(text), BaseError::NoDigest(_)), "{text}");
        no_digest("registry.example/debian");
        no_digest("registry.example/debian:trixie");
        for text in ["debian", "debian:trixie", "team/app", "", "@", "/a"] {
            assert!(matches!(parse(text), BaseError::NoRegistry(_)), "{text}");
        }
        for bad in ["sha256:ab", "sha512:00", "sha256"] {
            let text = format!("registry.example/debian@{bad}");
            assert!(matches!(parse(&text), BaseError::Digest(_)), "{text}");
        }
        for name in [
            "r.example/A",
            "r.example/../a",
            "r.example/",
            "r.example/a//b",
            "r.example/a:b/c",
        ] {
            let text = format!("{name}@{digest}");
            assert!(matches!(parse(&text), BaseError::Name(_)), "{text}");
        }
    }
}
