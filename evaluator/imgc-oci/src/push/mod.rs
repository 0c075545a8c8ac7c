//! Pushing an image or an index, by the distribution specification 1.1, over a transport that the caller
//! gives.
//!
//! Nothing is sent that the registry has: the manifest is asked for first, then each blob,
//! several at once; what another repository of the registry has is mounted from there. What
//! is sent comes straight from the store, the large in pieces that go on after a failure.
//! No sockets here: those are the transport's. What a registry answers is not believed where
//! it names another digest.

pub(crate) mod session;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use imgc_store::{BlobDigest, Store, StoreError};
use rayon::prelude::*;

use crate::auth::Credentials;
use crate::pull::{ArtifactReference, RegistryAnswer, Version};
use crate::{Descriptor, Target};

use session::Session;

/// The largest manifest that is sent, in bytes.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// How many blobs are sent at once.
const AT_ONCE: usize = 4;

/// Sends requests to a registry.
pub trait PushTransport: Sync {
    /// The answer to a request, of whose body at most a few MiB are wanted. Redirects are
    /// not followed. An address that may not be asked is refused.
    ///
    /// # Errors
    /// Why there is no answer, in words for the user. Whether bytes have arrived is not known.
    fn send(&self, request: PushRequest<'_>) -> Result<RegistryAnswer, String>;

    /// The answer to a `GET` whose body is read as it comes. Redirects are not followed. An
    /// address that may not be asked is refused.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn open(&self, url: &str, headers: &[(&str, String)]) -> Result<OpenAnswer, String>;

    /// Waits before another try: after so many failures, and at least so many seconds.
    fn wait(&self, failed: u32, seconds: u64);
}

/// An answer whose body has not been read.
pub struct OpenAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Box<dyn Read>,
}

impl std::fmt::Debug for OpenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers = &self.headers;
        f.debug_struct("OpenAnswer")
            .field("status", &self.status)
            .field("headers", headers)
            .finish_non_exhaustive()
    }
}

/// A request.
pub struct PushRequest<'a> {
    /// `HEAD`, `GET`, `POST`, `PUT` or `PATCH`.
    pub method: &'static str,
    /// The address.
    pub url: &'a str,
    /// The headers, their names in small letters. That of the length is the transport's.
    pub headers: &'a [(&'a str, String)],
    /// How many bytes follow, and they. A `POST`, `PUT` or `PATCH` without has none.
    pub body: Option<(u64, &'a mut dyn Read)>,
}

impl std::fmt::Debug for PushRequest<'_> {
    /// Without headers: they may have a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let length = self.body.as_ref().map(|(length, _)| *length);
        write!(f, "{} {} {length:?}", self.method, self.url)
    }
}

/// Where an image goes, and what is known of the registry.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The registry, the repository and the tag.
    pub reference: ArtifactReference,
    /// Whether the registry speaks HTTP without TLS.
    pub plain: bool,
    /// Who pushes.
    pub credentials: Option<Credentials>,
    /// Other repositories of the registry that may have blobs already.
    pub others: Vec<String>,
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pushed {
    /// Blobs that the repository had.
    pub there: usize,
    /// Blobs that another repository had.
    pub mounted: usize,
    /// Blobs that were sent.
    pub sent: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// Whether the tag named the image already: then nothing was asked or sent but that.
    pub unchanged: bool,
}

/// Why an image was not pushed or pulled. Nothing names what was sent of it.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No answer.
    #[error("{url}: {reason}")]
    Transport {
        /// What was asked.
        url: String,
        /// Why there is no answer.
        reason: String,
    },
    /// The registry wants somebody to log in, or somebody else.
    #[error("the registry {host} does not let {who} {act} {name}")]
    Unauthorized {
        /// What for: `push to` or `read`.
        act: &'static str,
        /// The registry.
        host: String,
        /// The repository.
        name: String,
        /// Who was refused: `NAME` in quotes, or `anybody without a login`.
        who: String,
    },
    /// The challenge of the registry can't be answered.
    #[error("the registry asks for a login that imgc doesn't know: {0}")]
    Challenge(String),
    /// Another status.
    #[error("{what}: the registry answered {status}{}", said(.message))]
    Status {
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// What the registry says of it.
        message: String,
    },
    /// The registry says that it took other bytes than those that it was sent.
    #[error("{what}: the registry answered with the digest {found}")]
    Digest {
        /// What was sent.
        what: String,
        /// What it answered.
        found: String,
    },
    /// An answer without what it must have.
    #[error("{what}: the registry's answer has {reason}")]
    Answer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The registry has no such thing, or does not show it to everybody.
    #[error("the registry has no {0}")]
    NotFound(String),
    /// What was fetched can't be written.
    #[error("what was fetched can't be written: {0}")]
    Write(io::Error),
    /// An image is pushed to a tag.
    #[error("an image is pushed to a tag, and `{0}` names a digest")]
    NoTag(String),
    /// A blob is not in the store, or other bytes are.
    #[error("the store has lost {0}")]
    Lost(BlobDigest),
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob can't be read.
    #[error("{digest} can't be read: {source}")]
    Read {
        /// Which blob.
        digest: BlobDigest,
        /// What the system says.
        source: io::Error,
    },
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

/// What became of one blob.
enum Fate {
    There,
    Mounted,
    Sent(u64),
}

/// Pushes an image, or an index and its images, whose blobs are in the store. Whatever names
/// something comes after it: blobs, then the manifests of an index, under their digests, and
/// last what the tag names.
///
/// # Errors
/// A [`PushError`]. Of several blobs that fail, the first that the manifests name.
pub fn push(
    transport: &dyn PushTransport,
    store: &dyn Store,
    target: Target<'_>,
    to: &Destination,
) -> Result<Pushed, PushError> {
    let Version::Tag(tag) = &to.reference.version else {
        return Err(PushError::NoTag(to.reference.to_string()));
    };
    let session = Session::new(transport, to);
    let read = |digest: &BlobDigest| {
        let document = store.read(digest, MAX_MANIFEST)?;
        document.ok_or(PushError::Lost(*digest))
    };
    let digest = target.descriptor().digest;
    let document = read(&digest)?;
    let mut manifests = Vec::new();
    if let Target::Index(index) = target {
        for image in &index.images {
            manifests.push((image, read(&image.manifest.digest)?));
        }
    }
    let mut pushed = Pushed::default();
    if session.names(tag, &digest, target.media_type())? {
        pushed.unchanged = true;
        return Ok(pushed);
    }
    let mut seen = BTreeSet::new();
    let images = target.images().iter();
    let blobs = images.flat_map(|image| std::iter::once(&image.config).chain(&image.layers));
    let mut blobs: Vec<Descriptor> = blobs.copied().collect();
    blobs.retain(|blob| seen.insert(blob.digest));
    let each = |blob: &Descriptor| upload::blob(&session, store, blob, &to.others);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(AT_ONCE).build();
    let fates: Vec<Result<Fate, PushError>> = match pool {
        Ok(pool) => pool.install(|| blobs.par_iter().with_max_len(1).map(each).collect()),
        Err(_) => blobs.iter().map(each).collect(),
    };
    for fate in fates {
        match fate? {
            Fate::There => pushed.there += 1,
            Fate::Mounted => pushed.mounted += 1,
            Fate::Sent(bytes) => {
                pushed.sent += 1;
                pushed.bytes += bytes;
            }
        }
    }
    for (image, manifest) in &manifests {
        let media_type = Target::Image(image).media_type();
        let name = image.manifest.digest.to_string();
        session.put_manifest(&name, manifest, media_type)?;
    }
    session.put_manifest(tag, &document, target.media_type())?;
    Ok(pushed)
}

#[cfg(test)]
mod tests;
