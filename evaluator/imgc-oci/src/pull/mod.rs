//! Pulling a small artifact: one manifest with one layer, by the distribution
//! specification 1.1, over a transport that the caller gives.
//!
//! Anonymous, or with the token that the registry's challenge names. Whatever comes is
//! bounded, and verified by digest. No sockets, no redirects and no retries here: those
//! are the transport's.

mod files;
mod reference;

use std::collections::BTreeMap;

use imgc_store::BlobDigest;
use serde::Deserialize;

use crate::auth::{self, Demand};

pub use files::RegistryImage;
pub use reference::{ArtifactReference, ReferenceError, Version};
pub(crate) use reference::{is_name, is_tag};

/// The media type of the manifests that are pulled.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The largest manifest and token answer that is read, in bytes: what the distribution
/// specification asks registries to accept.
const MAX_DOCUMENT: u64 = 4 * 1024 * 1024;

/// Asks a registry.
pub trait RegistryTransport {
    /// The answer to a GET of `url` with those headers, redirects followed. Not to be
    /// sent to another host that a redirect leads to: the header `authorization`.
    /// Of a body that is longer than `limit` bytes, at least one byte more than that.
    ///
    /// # Errors
    /// Why there is no answer, in words for the user.
    fn get(
        &self,
        url: &str,
        headers: &[(&str, String)],
        limit: u64,
    ) -> Result<RegistryAnswer, String>;
}

/// What a registry answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why an artifact can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PullError {
    /// No answer.
    #[error("{url}: {reason}")]
    Transport {
        /// What was asked for.
        url: String,
        /// Why there is no answer.
        reason: String,
    },
    /// The registry has no such thing, or does not show it to everybody.
    #[error("the registry has no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The registry wants somebody to log in.
    #[error("the registry lets nobody read {what} without logging in")]
    Unauthorized {
        /// What was asked for.
        what: String,
    },
    /// Another status.
    #[error("{url}: the registry answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// More bytes than are taken.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Other bytes than those that were named.
    #[error("{what} has {found}, not {expected}")]
    Digest {
        /// What it is.
        what: String,
        /// The digest that was named.
        expected: BlobDigest,
        /// The digest of what came.
        found: BlobDigest,
    },
    /// A manifest that is not one of an artifact with one layer.
    #[error("the manifest of {what} can't be used: {reason}")]
    Manifest {
        /// Whose manifest.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The challenge of the registry can't be answered.
    #[error("the registry asks for a login that imgc doesn't know: {0}")]
    Challenge(String),
}

/// The only layer of an artifact, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledLayer {
    /// Its digest.
    pub digest: BlobDigest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Fetches the only layer of the artifact that `reference` names, at most `limit` bytes.
///
/// # Errors
/// A [`PullError`].
pub fn pull_layer(
    transport: &dyn RegistryTransport,
    reference: &ArtifactReference,
    limit: u64,
) -> Result<PulledLayer, PullError> {
    let mut puller = Puller::new(transport, reference);
    let (digest, size) = puller.manifest()?;
    let what = format!("the layer of {reference}");
    if size > limit {
        return Err(PullError::TooLarge { what, limit });
    }
    let bytes = puller.blob(&digest, size)?;
    Ok(PulledLayer { digest, bytes })
}

/// Fetches a blob of the artifact's repository that is known by its digest and length in
/// bytes, without looking at a manifest.
///
/// # Errors
/// A [`PullError`]; [`PullError::NotFound`] where the repository has no such blob.
pub fn pull_blob(
    transport: &dyn RegistryTransport,
    reference: &ArtifactReference,
    digest: &BlobDigest,
    size: u64,
) -> Result<Vec<u8>, PullError> {
    Puller::new(transport, reference).blob(digest, size)
}

struct Puller<'a> {
    transport: &'a dyn RegistryTransport,
    reference: &'a ArtifactReference,
    /// The header `authorization` that the registry's challenge led to.
    token: Option<String>,
}

/// What is read of a manifest.
#[derive(Deserialize)]
struct ManifestText {
    #[serde(rename = "schemaVersion")]
    schema_version: u64,
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    layers: Option<Vec<LayerText>>,
}

#[derive(Deserialize)]
struct LayerText {
    digest: String,
    size: u64,
}

impl<'a> Puller<'a> {
    fn new(transport: &'a dyn RegistryTransport, reference: &'a ArtifactReference) -> Self {
        Self {
            transport,
            reference,
            token: None,
        }
    }

    /// The digest and size of the only layer.
    fn manifest(&mut self) -> Result<(BlobDigest, u64), PullError> {
        let what = self.reference.to_string();
        let url = self.reference.manifest_url();
        let answer = self.ask(&url, Some(MANIFEST), MAX_DOCUMENT, &what)?;
        let found = BlobDigest::of(&answer.body);
        let named = match &self.reference.version {
            Version::Digest(digest) => Some(*digest),
            Version::Tag(_) => answer
                .headers
                .get("docker-content-digest")
                .and_then(|digest| digest.parse().ok()),
        };
        if let Some(expected) = named
            && expected != found
        {
            return Err(PullError::Digest {
                what: format!("the manifest of {what}"),
                expected,
                found,
            });
        }
        let bad = |reason: String| PullError::Manifest {
            what: what.clone(),
            reason,
        };
        let manifest: ManifestText =
            serde_json::from_slice(&answer.body).map_err(|error| bad(error.to_string()))?;
        let typed = answer.headers.get("content-type").map(String::as_str);
        let typed = manifest.media_type.as_deref().or(typed);
        let plain = typed.map(|text| text.split(';').next().unwrap_or_default().trim());
        if manifest.schema_version != 2 || plain.is_some_and(|text| text != MANIFEST) {
            let kind = typed.unwrap_or("another version");
            return Err(bad(format!("it is {kind:?}, not an image manifest")));
        }
        match manifest.layers.as_deref() {
            Some([layer]) => {
                let digest = layer.digest.parse().map_err(|_| {
                    let shown: String = layer.digest.chars().take(100).collect();
                    bad(format!("its layer has the digest {shown:?}"))
                })?;
                Ok((digest, layer.size))
            }
            layers => {
                let count = layers.map_or(0, <[_]>::len);
                Err(bad(format!("it has {count} layers, not one")))
            }
        }
    }

    fn blob(&mut self, digest: &BlobDigest, size: u64) -> Result<Vec<u8>, PullError> {
        let what = format!("{digest} in {}", self.reference.repository());
        let url = self.reference.blob_url(digest);
        let bytes = self.ask(&url, None, size, &what)?.body;
        let found = BlobDigest::of(&bytes);
        if found != *digest {
            return Err(PullError::Digest {
                what: format!("the layer of {}", self.reference),
                expected: *digest,
                found,
            });
        }
        Ok(bytes)
    }

    /// One answer with status 200, after a login where the registry wants one.
    fn ask(
        &mut self,
        url: &str,
        accept: Option<&str>,
        limit: u64,
        what: &str,
    ) -> Result<RegistryAnswer, PullError> {
        let mut answer = self.once(url, accept, limit)?;
        if answer.status == 401 && self.token.is_none() {
            let challenge = answer.headers.get("www-authenticate");
            let challenge = challenge.ok_or_else(|| PullError::Unauthorized {
                what: what.to_owned(),
            })?;
            self.token = Some(self.log_in(challenge, what)?);
            answer = self.once(url, accept, limit)?;
        }
        match answer.status {
            200 if answer.body.len() as u64 > limit => Err(PullError::TooLarge {
                what: what.to_owned(),
                limit,
            }),
            200 => Ok(answer),
            401 | 403 => Err(PullError::Unauthorized {
                what: what.to_owned(),
            }),
            404 | 410 => Err(PullError::NotFound {
                what: what.to_owned(),
            }),
            status => Err(PullError::Status {
                url: url.to_owned(),
                status,
            }),
        }
    }

    fn once(
        &self,
        url: &str,
        accept: Option<&str>,
        limit: u64,
    ) -> Result<RegistryAnswer, PullError> {
        let mut headers = Vec::new();
        headers.extend(accept.map(|accept| ("accept", accept.to_owned())));
        if let Some(token) = &self.token {
            headers.push(("authorization", token.clone()));
        }
        self.get(url, &headers, limit)
    }

    fn get(
        &self,
        url: &str,
        headers: &[(&str, String)],
        limit: u64,
    ) -> Result<RegistryAnswer, PullError> {
        let answer = self.transport.get(url, headers, limit);
        answer.map_err(|reason| PullError::Transport {
            url: url.to_owned(),
            reason,
        })
    }

    /// A token for everybody, from where the challenge says.
    fn log_in(&self, challenge: &str, what: &str) -> Result<String, PullError> {
        let refused = || PullError::Unauthorized {
            what: what.to_owned(),
        };
        let scope = format!("repository:{}:pull", self.reference.name);
        let url = match auth::demand(challenge, &[scope]) {
            Some(Demand::Token(url)) => url,
            Some(Demand::Password) => return Err(refused()),
            None => {
                let shown = challenge.chars().take(200).collect();
                return Err(PullError::Challenge(shown));
            }
        };
        let answer = self.get(&url, &[], MAX_DOCUMENT)?;
        if answer.status != 200 || answer.body.len() as u64 > MAX_DOCUMENT {
            return Err(refused());
        }
        auth::bearer(&answer.body).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests;
