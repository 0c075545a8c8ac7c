//! An image index in the store: one name for images of several platforms.

use std::collections::BTreeMap;

use imgc_plan::Platform;
use imgc_store::{BlobDigest, Store};
use oci_spec::image::{Arch, ImageIndexBuilder, MediaType, Os, PlatformBuilder};
use serde::{Deserialize, Serialize};

use crate::image::put;
use crate::{Descriptor, Image, OciError, json};

/// The version of an index's content, as [`MANIFEST_ABI`](crate::MANIFEST_ABI) is of a
/// manifest's.
pub const INDEX_ABI: u32 = 1;

/// An index that is in a store, and its images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// The index.
    pub index: Descriptor,
    /// Its images, in its order.
    pub images: Vec<Image>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// One image.
    Image(&'a Image),
    /// Images of several platforms.
    Index(&'a Index),
}

/// What a name stands for, with all that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whole {
    /// One image.
    Image(Image),
    /// Images of several platforms.
    Index(Index),
}

impl Whole {
    /// The same, looked at.
    pub fn target(&self) -> Target<'_> {
        match self {
            Self::Image(image) => Target::Image(image),
            Self::Index(index) => Target::Index(index),
        }
    }
}

impl Index {
    /// All its blobs: the index, and those of its images. What they share is named as often.
    pub fn blobs(&self) -> impl Iterator<Item = Descriptor> {
        let images = self.images.iter().flat_map(Image::blobs);
        std::iter::once(self.index).chain(images)
    }
}

impl<'a> Target<'a> {
    /// The manifest or the index.
    pub fn descriptor(self) -> Descriptor {
        match self {
            Self::Image(image) => image.manifest,
            Self::Index(index) => index.index,
        }
    }

    /// The media type of that.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Image(_) => "application/vnd.oci.image.manifest.v1+json",
            Self::Index(_) => "application/vnd.oci.image.index.v1+json",
        }
    }

    /// The images.
    pub fn images(self) -> &'a [Image] {
        match self {
            Self::Image(image) => std::slice::from_ref(image),
            Self::Index(index) => &index.images,
        }
    }

    /// What it is, or a part of it, by the digest of a manifest or an index.
    pub fn find(self, digest: &BlobDigest) -> Option<Self> {
        if self.descriptor().digest == *digest {
            return Some(self);
        }
        let mut images = self.images().iter();
        let found = images.find(|image| image.manifest.digest == *digest);
        found.map(Target::Image)
    }

    /// All blobs: the manifest or the index first.
    pub fn blobs(self) -> Vec<Descriptor> {
        match self {
            Self::Image(image) => image.blobs().collect(),
            Self::Index(index) => index.blobs().collect(),
        }
    }
}

/// Writes the index of images whose manifests are in the store: the manifests in this order,
/// each with its platform.
///
/// # Errors
/// The store's.
pub fn write_index(
    store: &dyn Store,
    manifests: &[(Descriptor, Platform)],
    annotations: &BTreeMap<String, String>,
) -> Result<Descriptor, OciError> {
    let manifests = manifests.iter().map(|(manifest, runs)| {
        let mut document = manifest.document(MediaType::ImageManifest);
        document.set_platform(Some(platform(*runs)));
        document
    });
    let mut index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests(manifests.collect::<Vec<_>>())
        .build()
        .expect("all fields without a default are set");
    if !annotations.is_empty() {
        let all = annotations.iter();
        let all = all.map(|(key, value)| (key.clone(), value.clone()));
        index.set_annotations(Some(all.collect()));
    }
    put(store, &json::canonical(&index))
}

/// A platform as the specification's documents have it.
pub(crate) fn platform(runs: Platform) -> oci_spec::image::Platform {
    let mut platform = PlatformBuilder::default()
        .architecture(Arch::from(runs.arch.oci()))
        .os(Os::Linux)
        .build()
        .expect("all fields without a default are set");
    platform.set_variant(runs.arch.oci_variant().map(str::to_owned));
    platform
}
