//! The name of an artifact in a registry: `oci://HOST[:PORT]/NAME[:TAG|@sha256:…]`.
//! The forms are those of the distribution specification 1.1. Nothing is asked here.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use imgc_store::BlobDigest;

/// An artifact by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactReference {
    /// The host, with its port where one is given.
    pub host: String,
    /// The repository in the registry: `team/lib`.
    pub name: String,
    /// Which of its artifacts.
    pub version: Version,
}

/// Which artifact of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// What a tag names now.
    Tag(String),
    /// The manifest of this digest.
    Digest(BlobDigest),
}

/// A text that names no artifact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no artifact: {reason}")]
pub struct ReferenceError {
    /// The text, cut short.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl ArtifactReference {
    /// Whether the registry is on this machine, so that its bytes cross no network.
    pub fn is_loopback(&self) -> bool {
        let host = match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => &self.host,
        };
        let ip = host.parse::<Ipv4Addr>();
        host == "localhost" || host == "[::1]" || ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// The repository, with its host.
    pub(super) fn repository(&self) -> String {
        format!("{}/{}", self.host, self.name)
    }

    pub(super) fn manifest_url(&self) -> String {
        let version = match &self.version {
            Version::Tag(tag) => tag.clone(),
            Version::Digest(digest) => digest.to_string(),
        };
        format!("{}/manifests/{version}", self.base())
    }

    pub(super) fn blob_url(&self, digest: &BlobDigest) -> String {
        format!("{}/blobs/{digest}", self.base())
    }

    /// Registries on this machine have no certificate.
    fn base(&self) -> String {
        let scheme = if self.is_loopback() { "http" } else { "https" };
        format!("{scheme}://{}/v2/{}", self.host, self.name)
    }
}

impl fmt::Display for ArtifactReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)?;
        match &self.version {
            Version::Tag(tag) => write!(f, ":{tag}"),
            Version::Digest(digest) => write!(f, "@{digest}"),
        }
    }
}

impl FromStr for ArtifactReference {
    type Err = ReferenceError;

    /// Reads `oci://HOST/NAME:TAG` or `oci://HOST/NAME@sha256:…`.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let fail = |reason| ReferenceError {
            text: text.chars().take(200).collect(),
            reason,
        };
        let rest = text
            .strip_prefix("oci://")
            .ok_or_else(|| fail("it does not begin with `oci://`"))?;
        let (host, path) = rest
            .split_once('/')
            .ok_or_else(|| fail("a name must follow the host"))?;
        if !is_host(host) {
            return Err(fail("the host is not one"));
        }
        let (name, version) = if let Some((name, digest)) = path.split_once('@') {
            let digest = digest.parse();
            let digest = digest.map_err(|_| fail("after `@` stands a digest, `sha256:…`"))?;
            (name, Version::Digest(digest))
        } else {
            let (name, tag) = path.rsplit_once(':').ok_or_else(|| {
                fail("a tag must follow the name, `:TAG`, or a digest, `@sha256:…`")
            })?;
            if !is_tag(tag) {
                return Err(fail("the tag is not one"));
            }
            (name, Version::Tag(tag.to_owned()))
        };
        if !is_name(name) {
            return Err(fail("the name has other characters than a registry allows"));
        }
        Ok(Self {
            host: host.to_owned(),
            name: name.to_owned(),
            version,
        })
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((ip, port)) if ip.parse::<std::net::Ipv6Addr>().is_ok() => (
                "ip",
                port.strip_prefix(':').or(port.is_empty().then_some("0")),
            ),
            _ => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, Some("0")),
        },
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let starts = host
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    let port = port.is_some_and(|port| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
    });
    starts && host.len() <= 253 && host.bytes().all(plain) && port
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
pub(crate) fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let Some((first, rest)) = text.as_bytes().split_first() else {
        return false;
    };
    let further = |b: &u8| word(*b) || matches!(b, b'.' | b'-');
    text.len() <= 128 && word(*first) && rest.iter().all(further)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, and more of them behind slashes.
pub(crate) fn is_name(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        let runs = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let mut separators = runs.filter(|run| !run.is_empty());
        ends.iter().all(|end| end.is_some_and(|b| is_word(*b)))
            && separators
                .all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'))
    };
    text.len() <= 255 && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names() {
        let tagged: ArtifactReference = "oci://registry.example/team/lib:1.0".parse().expect("one");
        assert_eq!(tagged.name, "team/lib");
        assert_eq!(tagged.to_string(), "registry.example/team/lib:1.0");
        assert_eq!(
            tagged.manifest_url(),
            "https://registry.example/v2/team/lib/manifests/1.0"
        );
        let digest = format!("sha256:{}", "ab".repeat(32));
        let text = format!("oci://localhost:5000/a@{digest}");
        let pinned: ArtifactReference = text.parse().expect("one");
        assert_eq!(
            pinned.manifest_url(),
            format!("http://localhost:5000/v2/a/manifests/{digest}")
        );
        for near in ["127.0.0.1:1", "127.8.0.1", "[::1]:80", "localhost"] {
            let near: ArtifactReference = format!("oci://{near}/a:b").parse().expect("one");
            assert!(near.is_loopback(), "{near}");
        }
        for far in ["localhost.example", "128.0.0.1", "example:127"] {
            let far: ArtifactReference = format!("oci://{far}/a:b").parse().expect("one");
            assert!(!far.is_loopback(), "{far}");
        }
    }

    #[test]
    fn refuses_what_could_lead_elsewhere() {
        for text in [
            "https://a/b:c",
            "oci://a",
            "oci:///b:c",
            "oci://a/b",
            "oci://a/:c",
            "oci://user@host/b:c",
            "oci://a:x/b:c",
            "oci://a:99999/b:c",
            "oci://a/../b:c",
            "oci://a/b//c:d",
            "oci://a/B:c",
            "oci://a/b._c:d",
            "oci://a/b:../x",
            "oci://a/b:c?d",
            "oci://a/b@sha256:00",
            "oci://a/b:c@sha512:00",
            "oci://[::1/b:c",
            "oci://a\\b/c:d",
        ] {
            assert!(text.parse::<ArtifactReference>().is_err(), "{text}");
        }
    }
}
