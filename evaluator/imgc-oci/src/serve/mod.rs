//! The read-only part of a registry, by the distribution specification 1.1: what is
//! answered to a request, given a store and something that builds images by name.
//!
//! No sockets and no threads here. Nothing of the store can be had but the documents and
//! layers of images that were asked for by their name and built for that.

mod answer;
mod body;
mod range;
mod route;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imgc_store::{BlobDigest, Check, Store, StoreError};

use crate::pull::is_tag;
use crate::{Target, Whole};

pub use answer::{Answer, Body};
pub use body::BlobBody;

use answer::INDEX;
use range::Range;
use route::{Route, Version};
use turns::Turns;

/// The largest manifest that is served, in bytes: what the specification asks registries
/// to accept.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// How many images are remembered of one name: who pulls an image while it is edited can
/// still have its layers.
const REMEMBERED: usize = 64;

/// Builds images by the names of their repositories.
pub trait Images: Send + Sync {
    /// The tags of a repository.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::NoTag`] never.
    fn tags(&self, name: &str) -> Result<Vec<String>, Refusal>;

    /// The images and indexes of a repository as they are now: the one of a tag, or all.
    ///
    /// # Errors
    /// [`Refusal`].
    fn build(&self, name: &str, wanted: Wanted<'_>) -> Result<Vec<Whole>, Refusal>;
}

/// Which images of a repository are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The one that has this tag.
    Tag(&'a str),
    /// Every one: a digest is looked for.
    All,
}

/// Why there is no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such repository.
    NoName,
    /// No image of the repository has the tag; the text says which tags there are.
    NoTag(String),
    /// It can't be built; the text is for the user of the registry's client.
    Failed(String),
}

/// What a request says, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// `GET`.
    pub method: &'a str,
    /// The path and the query: `/v2/app/manifests/latest`.
    pub target: &'a str,
    /// The header `Range`, unless another one makes it conditional.
    pub range: Option<&'a str>,
}

/// Answers requests.
pub struct Registry {
    store: Arc<dyn Store>,
    images: Box<dyn Images>,
    /// The newest images of each repository that was asked for.
    known: Mutex<BTreeMap<String, VecDeque<Whole>>>,
    /// Blobs that were read whole, and were what they are named.
    checked: Mutex<BTreeSet<BlobDigest>>,
    turns: Turns<(String, Option<String>), Result<Vec<Whole>, Refusal>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    /// A registry whose images `images` builds into `store`.
    pub fn new(store: Arc<dyn Store>, images: Box<dyn Images>) -> Self {
        Self {
            store,
            images,
            known: Mutex::default(),
            checked: Mutex::default(),
            turns: Turns::default(),
        }
    }

    /// Answers one request. A body of the answer is not for `HEAD`; its length is.
    pub fn answer(&self, request: &Request<'_>) -> Answer {
        if !matches!(request.method, "GET" | "HEAD") {
            let answer = Answer::error(405, "UNSUPPORTED", "this registry can only be read");
            return answer.with("Allow", "GET, HEAD");
        }
        let route = match Route::parse(request.target) {
            Ok(route) => route,
            Err(refused) => return refused.answer(),
        };
        let answer = match route {
            Route::Base => Ok(Answer::json(200, &serde_json::json!({}))),
            Route::Manifest { name, version } => self.manifest(name, &version),
            Route::Blob { name, digest } => self.blob(name, &digest, request.range),
            Route::Tags { name, limit, last } => self.tags(name, limit, last),
            Route::Referrers { name } => self.referrers(name),
        };
        answer.unwrap_or_else(|error| {
            Answer::error(
                500,
                "UNKNOWN",
                &format!("the server's store fails: {error}"),
            )
        })
    }

    fn manifest(&self, name: &str, version: &Version<'_>) -> Result<Answer, StoreError> {
        let (digest, media_type) = match version {
            Version::Tag(tag) => match self.build(name, Wanted::Tag(tag)) {
                Err(refusal) => return Ok(refused(name, refusal)),
                Ok(all) => match all.first().map(Whole::target) {
                    Some(target) => (target.descriptor().digest, target.media_type()),
                    None => return Ok(no_manifest(name, &format!(":{tag}"))),
                },
            },
            Version::Digest(digest) => {
                if let Some(media_type) = self.is_whole(name, digest)?
                    && let Some(bytes) = self.store.read(digest, MAX_MANIFEST)?
                {
                    return Ok(Answer::document(media_type, Some(digest), bytes));
                }
                if let Err(refusal) = self.build(name, Wanted::All) {
                    return Ok(refused(name, refusal));
                }
                match self.known_as(name, digest, |target| target.media_type()) {
                    Some(media_type) => (*digest, media_type),
                    None => return Ok(no_manifest(name, &format!("@{digest}"))),
                }
            }
        };
        match self.store.read(&digest, MAX_MANIFEST)? {
            Some(bytes) => Ok(Answer::document(media_type, Some(&digest), bytes)),
            None => Err(StoreError::Absent(digest)),
        }
    }

    fn blob(
        &self,
        name: &str,
        digest: &BlobDigest,
        range: Option<&str>,
    ) -> Result<Answer, StoreError> {
        let size = {
            let known = self.known();
            let all = known.get(name).into_iter().flatten();
            let mut images = all.flat_map(|whole| whole.target().images());
            images.find_map(|image| {
                // The first is the manifest.
                let mut blobs = image.blobs().skip(1);
                blobs.find(|blob| blob.digest == *digest)
            })
        };
        let unknown = || {
            let message = format!("no image that was pulled as {name} has the blob {digest}");
            Answer::error(404, "BLOB_UNKNOWN", &message)
        };
        let Some(blob) = size else {
            return Ok(unknown());
        };
        let Some(found) = self.store.open_sized(digest, blob.size)? else {
            return Ok(unknown());
        };
        let range = range.map_or(Range::Whole, |range| Range::parse(range, blob.size));
        match range {
            Range::Whole => {
                let body = BlobBody::whole(found, *digest, Arc::clone(&self.store));
                Ok(Answer::blob(200, digest, body))
            }
            Range::Part { first, last } => {
                if !self.is_intact(digest)? {
                    return Ok(unknown());
                }
                let size = blob.size;
                let body = BlobBody::part(found, first, last - first + 1)
                    .map_err(|error| StoreError::from_io(error, "reading", "a blob".as_ref()))?;
                let answer = Answer::blob(206, digest, body);
                Ok(answer.with("Content-Range", format!("bytes {first}-{last}/{size}")))
            }
            Range::Beyond => {
                let answer = Answer::error(416, "SIZE_INVALID", "the range is beyond the blob");
                Ok(answer.with("Content-Range", format!("bytes */{}", blob.size)))
            }
        }
    }

    fn tags(
        &self,
        name: &str,
        limit: Option<usize>,
        last: Option<&str>,
    ) -> Result<Answer, StoreError> {
        let mut tags = match self.images.tags(name) {
            Ok(tags) => tags,
            Err(refusal) => return Ok(refused(name, refusal)),
        };
        // What is no tag can't be asked for.
        tags.retain(|tag| is_tag(tag));
        tags.sort();
        tags.dedup();
        if let Some(last) = last {
            tags.retain(|tag| tag.as_str() > last);
        }
        let mut next = None;
        if let Some(limit) = limit.filter(|limit| *limit < tags.len()) {
            tags.truncate(limit);
            next = tags.last().cloned();
        }
        let answer = Answer::json(200, &serde_json::json!({ "name": name, "tags": tags }));
        Ok(match (next, limit) {
            (Some(last), Some(limit)) => {
                let link = format!("</v2/{name}/tags/list?n={limit}&last={last}>; rel=\"next\"");
                answer.with("Link", link)
            }
            _ => answer,
        })
    }

    /// Nothing refers to an image here.
    fn referrers(&self, name: &str) -> Result<Answer, StoreError> {
        if !self.known().contains_key(name) {
            return Ok(refused(name, Refusal::NoName));
        }
        let index = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [],
        });
        let bytes = serde_json::to_vec(&index).expect("a value is JSON");
        Ok(Answer::document(INDEX, None, bytes))
    }

    /// Builds, once for all who ask at the same time.
    fn build(&self, name: &str, wanted: Wanted<'_>) -> Result<Vec<Whole>, Refusal> {
        let tag = match wanted {
            Wanted::Tag(tag) => Some(tag.to_owned()),
            Wanted::All => None,
        };
        self.turns.take((name.to_owned(), tag), || {
            let images = self.images.build(name, wanted)?;
            self.remember(name, &images);
            Ok(images)
        })
    }

    fn remember(&self, name: &str, images: &[Whole]) {
        let mut known = self.known();
        let of_name = known.entry(name.to_owned()).or_default();
        for image in images {
            let descriptor = image.target().descriptor();
            of_name.retain(|earlier| earlier.target().descriptor() != descriptor);
            of_name.push_front(image.clone());
        }
        of_name.truncate(REMEMBERED.max(images.len()));
    }

    /// What is known of a name by the digest of a manifest or an index.
    fn known_as<T>(
        &self,
        name: &str,
        digest: &BlobDigest,
        with: impl FnOnce(Target<'_>) -> T,
    ) -> Option<T> {
        let known = self.known();
        let mut all = known.get(name).into_iter().flatten();
        all.find_map(|whole| whole.target().find(digest)).map(with)
    }

    /// The media type of an image or an index that is known, if all its blobs are there.
    fn is_whole(
        &self,
        name: &str,
        digest: &BlobDigest,
    ) -> Result<Option<&'static str>, StoreError> {
        let found = |target: Target<'_>| (target.media_type(), target.blobs());
        let Some((media_type, blobs)) = self.known_as(name, digest, found) else {
            return Ok(None);
        };
        for blob in blobs {
            if self.store.contains(&blob.digest)? != Some(blob.size) {
                return Ok(None);
            }
        }
        Ok(Some(media_type))
    }

    /// Whether a blob has its bytes. A part of it can't be compared with its digest, so all
    /// of it is read before the first part is sent; a damaged one is moved aside.
    fn is_intact(&self, digest: &BlobDigest) -> Result<bool, StoreError> {
        let checked = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked().contains(digest) {
            return Ok(true);
        }
        let is_intact = matches!(self.store.verify_read(digest)?, Check::Intact(_));
        if is_intact {
            checked().insert(*digest);
        }
        Ok(is_intact)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, VecDeque<Whole>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(name: &str, refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoName => {
            let message = format!("there is nothing to build that is called {name}");
            Answer::error(404, "NAME_UNKNOWN", &message)
        }
        // What can't be built is unknown too: every other code has clients try again what
        // does not get better by itself.
        Refusal::NoTag(message) | Refusal::Failed(message) => {
            Answer::error(404, "MANIFEST_UNKNOWN", &message)
        }
    }
}

fn no_manifest(name: &str, version: &str) -> Answer {
    let message = format!("there is no image {name}{version}");
    Answer::error(404, "MANIFEST_UNKNOWN", &message)
}
