//! An image of a registry as the files of a layout: what is asked for is fetched, and kept in
//! a store. So whoever reads an image reads one of a registry in the same way, and nothing is
//! fetched that nobody reads.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::sync::{Mutex, PoisonError};

use imgc_store::{BlobDigest, Store};
use serde::Deserialize;

use crate::push::session::Session;
use crate::read::{Files, Found, StoreFiles};
use crate::{Destination, PushError, PushTransport, Version};

/// What a manifest may be, the best first.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// The largest manifest that is read, in bytes: what the distribution specification asks
/// registries to accept.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// The largest blob that is fetched, in bytes.
const MAX_BLOB: u64 = 64 << 30;

/// How many tries in a row may bring next to nothing before a blob is given up.
const TRIES: u32 = 5;

/// How many bytes a try must bring to count as one that brought something. A server that
/// sends less before each break would never end.
const PROGRESS: u64 = 64 * 1024;

/// An image of a registry.
pub struct RegistryImage<'a> {
    session: Session<'a>,
    store: &'a dyn Store,
    /// The layout's index, which names the manifest.
    index: Vec<u8>,
    /// The digest of the manifest, or of the index of manifests.
    digest: BlobDigest,
    /// What manifests name.
    named: Mutex<BTreeMap<BlobDigest, Expected>>,
    /// How many bytes were fetched.
    fetched: Mutex<u64>,
}

impl std::fmt::Debug for RegistryImage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryImage")
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// What is read of a manifest, or of an index of manifests.
#[derive(Deserialize)]
struct Text {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Vec<Named>,
    config: Option<Named>,
    #[serde(default)]
    layers: Vec<Named>,
}

/// What is known of a blob before it comes.
#[derive(Debug, Clone, Copy)]
struct Expected {
    /// Whether it is asked for as a manifest.
    is_manifest: bool,
    size: u64,
}

/// A manifest as it came, and what the answer says of it.
struct Manifest {
    bytes: Vec<u8>,
    media_type: Option<String>,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    digest: String,
    size: u64,
}

impl<'a> RegistryImage<'a> {
    /// Asks the registry for the manifest that a reference names. It is in `store` then. What
    /// is named by its digest and is in the store is not asked for.
    ///
    /// # Errors
    /// A [`PushError`]; [`PushError::Answer`] where the registry has other bytes than those that
    /// the reference, or its own answer, names.
    pub fn open(
        transport: &'a dyn PushTransport,
        store: &'a dyn Store,
        from: &Destination,
    ) -> Result<Self, PushError> {
        let mut image = Self {
            session: Session::reading(transport, from),
            store,
            index: Vec::new(),
            digest: BlobDigest::of(b""),
            named: Mutex::default(),
            fetched: Mutex::default(),
        };
        let named = match &from.reference.version {
            Version::Tag(tag) => tag.clone(),
            Version::Digest(digest) => digest.to_string(),
        };
        let there = match &from.reference.version {
            Version::Tag(_) => None,
            Version::Digest(digest) => store.read(digest, MAX_MANIFEST)?,
        };
        let Manifest {
            bytes,
            media_type: stated,
            digest: said,
        } = match there {
            Some(bytes) => Manifest {
                bytes,
                media_type: None,
                digest: None,
            },
            None => {
                let found = image.document(&named)?;
                image.count(found.bytes.len() as u64);
                found
            }
        };
        image.digest = BlobDigest::of(&bytes);
        let what = format!("the manifest of {}", from.reference);
        let expected = match &from.reference.version {
            Version::Digest(digest) => Some(digest.to_string()),
            Version::Tag(_) => said,
        };
        if let Some(expected) = expected.filter(|said| *said != image.digest.to_string()) {
            let found = image.digest.to_string();
            return Err(PushError::Answer {
                what,
                reason: format!("{found}, not {expected}"),
            });
        }
        let text: Text = serde_json::from_slice(&bytes).map_err(|error| PushError::Answer {
            what,
            reason: format!("no manifest in JSON: {error}"),
        })?;
        let media_type = text.media_type.clone().or(stated).unwrap_or_else(|| {
            // What neither says: an OCI document need not name its own type.
            let kind = if text.manifests.is_empty() {
                "manifest"
            } else {
                "index"
            };
            format!("application/vnd.oci.image.{kind}.v1+json")
        });
        image.expect(&text);
        store.put(&bytes)?;
        let name = match &from.reference.version {
            Version::Tag(tag) => tag,
            Version::Digest(_) => "",
        };
        image.index = crate::json::canonical(&serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": media_type.split(';').next().unwrap_or_default().trim(),
                "digest": image.digest.to_string(),
                "size": bytes.len(),
                "annotations": match name {
                    "" => serde_json::json!({}),
                    name => serde_json::json!({ oci_spec::image::ANNOTATION_REF_NAME: name }),
                },
            }],
        }));
        Ok(image)
    }

    /// The digest of what the reference names: a manifest, or an index of them.
    pub fn digest(&self) -> BlobDigest {
        self.digest
    }

    /// How many bytes were fetched so far.
    pub fn fetched(&self) -> u64 {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a blob into the store.
    ///
    /// # Errors
    /// A [`PushError`].
    pub fn bring(&self, digest: &BlobDigest) -> Result<(), PushError> {
        let expected = {
            let named = self.named.lock();
            let named = named.unwrap_or_else(PoisonError::into_inner);
            named.get(digest).copied()
        };
        if expected.is_some_and(|expected| expected.is_manifest) {
            return self.manifest(digest);
        }
        if let Some(there) = self.store.contains(digest)? {
            return match expected.filter(|expected| expected.size != there) {
                Some(Expected { size, .. }) => Err(self.longer(digest, size)),
                None => Ok(()),
            };
        }
        self.blob(digest, expected.map_or(MAX_BLOB, |expected| expected.size))
    }

    /// Brings a manifest that an index names, and reads what it names itself.
    fn manifest(&self, digest: &BlobDigest) -> Result<(), PushError> {
        let there = self.store.read(digest, MAX_MANIFEST)?;
        let bytes = match there {
            Some(bytes) => bytes,
            None => {
                let Manifest { bytes, .. } = self.document(&digest.to_string())?;
                let found = BlobDigest::of(&bytes);
                if found != *digest {
                    return Err(self.other(digest, &found));
                }
                self.count(bytes.len() as u64);
                self.store.put(&bytes)?;
                bytes
            }
        };
        // What is no manifest, its reader refuses.
        if let Ok(text) = serde_json::from_slice::<Text>(&bytes) {
            self.expect(&text);
        }
        Ok(())
    }

    /// Remembers what a manifest or an index names.
    fn expect(&self, text: &Text) {
        let named = self.named.lock();
        let mut named = named.unwrap_or_else(PoisonError::into_inner);
        let blobs = text.config.iter().chain(&text.layers);
        let manifests = text.manifests.iter().map(|one| (one, true));
        for (one, is_manifest) in blobs.map(|one| (one, false)).chain(manifests) {
            if let Ok(digest) = one.digest.parse() {
                let size = one.size;
                named.insert(digest, Expected { is_manifest, size });
            }
        }
    }

    fn count(&self, bytes: u64) {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
    }

    /// A manifest by its tag or digest.
    fn document(&self, named: &str) -> Result<Manifest, PushError> {
        self.document_again(named, 1)
    }

    fn document_again(&self, named: &str, tried: u32) -> Result<Manifest, PushError> {
        let url = self.session.url(&format!("manifests/{named}"));
        let what = format!("{}", self.session.of().reference);
        let headers = [("accept", MANIFESTS.to_owned())];
        let answer = self.session.open(&url, &headers)?;
        if answer.status != 200 {
            return Err(status(what, answer.status));
        }
        let mut bytes = Vec::new();
        let mut body = answer.body.take(MAX_MANIFEST + 1);
        if let Err(error) = body.read_to_end(&mut bytes) {
            if tried < TRIES {
                self.session.wait(tried);
                return self.document_again(named, tried + 1);
            }
            return Err(PushError::Transport {
                url,
                reason: error.to_string(),
            });
        }
        if bytes.len() as u64 > MAX_MANIFEST {
            return Err(PushError::Answer {
                what,
                reason: format!("a manifest of more than {MAX_MANIFEST} bytes"),
            });
        }
        let header = |name: &str| answer.headers.get(name).cloned();
        Ok(Manifest {
            bytes,
            media_type: header("content-type"),
            digest: header("docker-content-digest"),
        })
    }

    /// Fetches a blob of at most so many bytes. What breaks off goes on where it stopped, also
    /// the next time.
    fn blob(&self, digest: &BlobDigest, most: u64) -> Result<(), PushError> {
        let url = self.session.url(&format!("blobs/{digest}"));
        let mut failed = 0;
        let mut best = 0;
        let mut restarted = false;
        loop {
            let mut partial = self.store.partial(digest)?;
            if self.store.contains(digest)?.is_some() {
                return Ok(());
            }
            if partial.offset() > most {
                partial.restart()?;
            }
            let began = partial.offset();
            let headers = match began {
                0 => Vec::new(),
                from => vec![("range", format!("bytes={from}-"))],
            };
            let answer = self.session.open(&url, &headers)?;
            match answer.status {
                // All of it, also where a part was asked for.
                200 if began > 0 => partial.restart()?,
                200 => {}
                206 if began > 0 => {}
                // There is nothing behind what is here.
                416 if began > 0 => {}
                status_of => return Err(status(digest.to_string(), status_of)),
            }
            let before = partial.offset();
            let broken = match answer.status {
                416 => None,
                // One byte more shows that there is more.
                _ => copy(answer.body.take(most - before + 1), &mut partial)?,
            };
            let size = partial.offset();
            self.count(size.saturating_sub(before));
            if size > most {
                partial.restart()?;
                return Err(self.longer(digest, most));
            }
            let Some(reason) = broken else {
                if most < MAX_BLOB && size < most {
                    partial.restart()?;
                    return Err(self.longer(digest, most));
                }
                match partial.finish(size) {
                    Ok(()) => return Ok(()),
                    // What was there from before may have been the wrong part.
                    Err(_) if began > 0 && !restarted => {
                        restarted = true;
                        self.store.partial(digest)?.restart()?;
                        continue;
                    }
                    Err(imgc_store::StoreError::Mismatch { found, .. }) => {
                        return Err(self.other(digest, &found));
                    }
                    Err(error) => return Err(error.into()),
                }
            };
            drop(partial);
            // Only what no try brought before: one that begins anew each time never ends.
            failed = match size.saturating_sub(best) {
                PROGRESS.. => 1,
                _ => failed + 1,
            };
            best = best.max(size);
            if failed == TRIES {
                return Err(PushError::Transport { url, reason });
            }
            self.session.wait(failed);
        }
    }

    fn longer(&self, digest: &BlobDigest, most: u64) -> PushError {
        PushError::Answer {
            what: format!("{digest} in {}", self.session.of().reference),
            reason: format!("another length than {most} bytes"),
        }
    }

    fn other(&self, expected: &BlobDigest, found: &BlobDigest) -> PushError {
        PushError::Answer {
            what: format!("{expected} in {}", self.session.of().reference),
            reason: format!("other bytes: they have {found}"),
        }
    }
}

fn status(what: String, status: u16) -> PushError {
    match status {
        404 | 410 => PushError::NotFound(what),
        status => PushError::Status {
            what,
            status,
            message: String::new(),
        },
    }
}

/// Copies what comes. Gives why it broke off, if it did.
fn copy(
    mut from: impl io::Read,
    to: &mut imgc_store::PartialWriter,
) -> Result<Option<String>, PushError> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => return Ok(None),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Some(error.to_string())),
        };
        to.write_all(&piece[..count]).map_err(PushError::Write)?;
    }
}

impl Files for RegistryImage<'_> {
    fn open<'b>(&'b self, name: &str) -> io::Result<Option<Found<'b>>> {
        let known: &[u8] = match name {
            "index.json" => &self.index,
            "oci-layout" => br#"{"imageLayoutVersion":"1.0.0"}"#,
            blob => {
                if let Some(digest) = blob.strip_prefix("blobs/sha256/")
                    && let Ok(digest) = BlobDigest::from_hex(digest)
                {
                    match self.bring(&digest) {
                        Err(PushError::NotFound(_)) => return Ok(None),
                        brought => brought.map_err(io::Error::other)?,
                    }
                }
                return StoreFiles(self.store).found(blob);
            }
        };
        Ok(Some(Found {
            size: known.len() as u64,
            reader: Box::new(known),
        }))
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
