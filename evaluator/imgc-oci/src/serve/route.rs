//! What the path of a request asks for, by the distribution specification 1.1. Only the
//! characters of names, tags and digests pass: nothing is decoded, and nothing that a
//! file system would take for a way elsewhere is let through.

use imgc_store::BlobDigest;

use super::Answer;
use crate::pull::{is_name, is_tag};

/// The longest path with its query, in bytes.
const LONGEST: usize = 2048;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// Whether this is a registry.
    Base,
    /// `/v2/NAME/manifests/TAG`
    Manifest { name: &'a str, version: Version<'a> },
    /// `/v2/NAME/blobs/DIGEST`
    Blob { name: &'a str, digest: BlobDigest },
    /// `/v2/NAME/tags/list`
    Tags {
        name: &'a str,
        limit: Option<usize>,
        last: Option<&'a str>,
    },
    /// `/v2/NAME/referrers/DIGEST`
    Referrers { name: &'a str },
}

/// Which image of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version<'a> {
    /// What a tag names now.
    Tag(&'a str),
    /// The manifest of this digest.
    Digest(BlobDigest),
}

/// Why a path asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// No path of a registry.
    Path,
    /// A name with other characters than those of a repository.
    Name,
    /// A tag with other characters.
    Tag,
    /// A digest that is no SHA-256.
    Digest,
}

impl<'a> Route<'a> {
    /// Reads a path with its query.
    pub(super) fn parse(target: &'a str) -> Result<Self, NoRoute> {
        if target.len() > LONGEST {
            return Err(NoRoute::Path);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if matches!(path, "/v2" | "/v2/") {
            return Ok(Self::Base);
        }
        let path = path.strip_prefix("/v2/").ok_or(NoRoute::Path)?;
        // A repository may be called `manifests`: what counts is at the end.
        let (rest, last) = path.rsplit_once('/').ok_or(NoRoute::Path)?;
        let (name, kind) = rest.rsplit_once('/').ok_or(NoRoute::Path)?;
        let checked = |route| {
            if is_name(name) {
                Ok(route)
            } else {
                Err(NoRoute::Name)
            }
        };
        let digest = || last.parse::<BlobDigest>().map_err(|_| NoRoute::Digest);
        match kind {
            "manifests" if last.contains(':') => checked(Self::Manifest {
                name,
                version: Version::Digest(digest()?),
            }),
            "manifests" if is_tag(last) => checked(Self::Manifest {
                name,
                version: Version::Tag(last),
            }),
            "manifests" => Err(NoRoute::Tag),
            "blobs" => checked(Self::Blob {
                name,
                digest: digest()?,
            }),
            "referrers" => {
                digest()?;
                checked(Self::Referrers { name })
            }
            "tags" if last == "list" => checked(Self::Tags {
                name,
                limit: parameter(query, "n").and_then(|n| n.parse().ok()),
                last: parameter(query, "last"),
            }),
            _ => Err(NoRoute::Path),
        }
    }
}

impl NoRoute {
    /// What is answered to such a path.
    pub(super) fn answer(self) -> Answer {
        match self {
            Self::Path => Answer::error(404, "NAME_UNKNOWN", "a registry has no such path"),
            Self::Name => {
                let message = "this is no name of a repository: small letters, digits, and \
                               single `.`, `_`, `-` and `/` between them";
                Answer::error(400, "NAME_INVALID", message)
            }
            Self::Tag => Answer::error(404, "MANIFEST_UNKNOWN", "this is no tag"),
            Self::Digest => {
                let message = "this is no digest: `sha256:` and 64 hexadecimal digits";
                Answer::error(400, "DIGEST_INVALID", message)
            }
        }
    }
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_paths() {
        assert_eq!(Route::parse("/v2/"), Ok(Route::Base));
        assert_eq!(Route::parse("/v2"), Ok(Route::Base));
        let digest = BlobDigest::of(b"x");
        let tag = |name, tag| Route::Manifest {
            name,
            version: Version::Tag(tag),
        };
        assert_eq!(
            Route::parse("/v2/a/manifests/latest"),
            Ok(tag("a", "latest"))
        );
        assert_eq!(
            Route::parse("/v2/a/blobs/manifests/v1.0?x=y"),
            Ok(tag("a/blobs", "v1.0"))
        );
        assert_eq!(
            Route::parse(&format!("/v2/a-b/c/manifests/{digest}")),
            Ok(Route::Manifest {
                name: "a-b/c",
                version: Version::Digest(digest)
            })
        );
        assert_eq!(
            Route::parse(&format!("/v2/a/blobs/{digest}")),
            Ok(Route::Blob { name: "a", digest })
        );
        assert_eq!(
            Route::parse("/v2/a/tags/list?n=2&last=b"),
            Ok(Route::Tags {
                name: "a",
                limit: Some(2),
                last: Some("b")
            })
        );
    }

    #[test]
    fn refuses_hostile_paths() {
        for name in [
            "..",
            ".",
            "a/..",
            "../a",
            "a/../b",
            "a//b",
            "/a",
            "a/",
            "",
            ".git",
            "a/.git",
            "%2e%2e",
            "a%2f..%2fb",
            "a%00",
            "a\\b",
            "a b",
            "A",
            "ä",
            "a..b",
            "-a",
            "a-",
            "a.img/",
            "~",
            "a:b",
            "a\0b",
        ] {
            let target = format!("/v2/{name}/manifests/latest");
            assert_eq!(Route::parse(&target), Err(NoRoute::Name), "{name}");
            let target = format!("/v2/{name}/tags/list");
            assert_eq!(Route::parse(&target), Err(NoRoute::Name), "{name}");
        }
        for tag in ["..", ".", "", "-a", "a%20", "a b", "ä", "a*"] {
            let target = format!("/v2/a/manifests/{tag}");
            assert_eq!(Route::parse(&target), Err(NoRoute::Tag), "{tag}");
        }
        let upper = format!("sha256:{}", "AB".repeat(32));
        for digest in ["sha256:", "sha256:00", "md5:00", "sha512:00", ":", &upper] {
            let target = format!("/v2/a/manifests/{digest}");
            assert_eq!(Route::parse(&target), Err(NoRoute::Digest), "{digest}");
            let target = format!("/v2/a/blobs/{digest}");
            assert_eq!(Route::parse(&target), Err(NoRoute::Digest), "{digest}");
        }
        let long = format!("/v2/{}/manifests/latest", "a".repeat(3000));
        for target in [
            "/",
            "",
            "/v1/",
            "/v2/_catalog",
            "/v2/a",
            "/v2/a/b",
            "/v2/a/tags/other",
            "/v2/a/blobs/uploads/",
            "http://host/v2/",
            long.as_str(),
        ] {
            assert!(
                matches!(Route::parse(target), Err(NoRoute::Path | NoRoute::Digest)),
                "{target}"
            );
        }
    }
}
