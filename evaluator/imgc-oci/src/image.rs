//! An image in the store: its configuration and its manifest, beside its layers.

use std::collections::BTreeMap;

use imgc_layer::{Compression, Layer};
use imgc_plan::{Config, Platform};
use imgc_store::{BlobDigest, Store};
use oci_spec::image::{ImageManifestBuilder, MediaType, Sha256Digest};
use serde::{Deserialize, Serialize};

use crate::config::{configuration, over};
use crate::{BaseImage, OciError, json};

/// The version of the documents' content. It is raised whenever the same image would
/// get another configuration or manifest, and is part of the derivations that write
/// them.
pub const MANIFEST_ABI: u32 = 1;

/// What an image is made of.
#[derive(Debug, Clone, Copy)]
pub struct ImageSpec<'a> {
    /// Where it runs.
    pub platform: Platform,
    /// The moment that the image is said to be made, in seconds since 1970.
    pub epoch: u64,
    /// What a runtime is told.
    pub config: &'a Config,
    /// What it is laid over, whose layers are in the store and come first.
    pub base: Option<&'a BaseImage>,
    /// Annotations of its manifest.
    pub annotations: &'a BTreeMap<String, String>,
    /// Its layers, lowest first.
    pub layers: &'a [LayerUse],
}

/// A layer, and what the history says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerUse {
    /// The layer.
    pub layer: Layer,
    /// What made it: `imgc packages`.
    pub created_by: String,
}

/// Names a blob, and says how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its digest.
    pub digest: BlobDigest,
    /// Its length in bytes.
    pub size: u64,
}

/// An image that is in a store, and all its blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where it runs.
    pub platform: Platform,
    /// Its manifest: the image's digest.
    pub manifest: Descriptor,
    /// Its configuration.
    pub config: Descriptor,
    /// Its layers, lowest first.
    pub layers: Vec<Descriptor>,
}

impl Image {
    /// All its blobs: the manifest, the configuration, the layers.
    pub fn blobs(&self) -> impl Iterator<Item = Descriptor> {
        [self.manifest, self.config]
            .into_iter()
            .chain(self.layers.iter().copied())
    }
}

impl Descriptor {
    pub(crate) fn document(&self, media_type: MediaType) -> oci_spec::image::Descriptor {
        let digest: Sha256Digest = self.digest.hex().parse().expect("64 hexadecimal digits");
        oci_spec::image::Descriptor::new(media_type, self.size, digest)
    }
}

/// Writes an image's configuration and manifest. Its layers are in the store already.
///
/// # Errors
/// [`OciError::Time`] for a time after the year 9999, or the store's.
pub fn write_image(store: &dyn Store, spec: &ImageSpec<'_>) -> Result<Image, OciError> {
    let document = configuration(spec)?;
    let config = match spec.base {
        None => json::canonical(&document),
        Some(base) => json::canonical(&over(base, spec.config, document)),
    };
    let config = put(store, &config)?;
    let lower = spec.base.into_iter().flat_map(|base| &base.layers);
    let lower = lower.map(|layer| (layer.blob, layer.compression));
    let own = spec.layers.iter().map(|used| {
        let descriptor = Descriptor {
            digest: used.layer.blob,
            size: used.layer.size,
        };
        (descriptor, used.layer.compression)
    });
    let layers: Vec<(Descriptor, Compression)> = lower.chain(own).collect();
    let mut manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(config.document(MediaType::ImageConfig))
        .layers(
            layers
                .iter()
                .map(|(layer, compression)| layer.document(media_type(*compression)))
                .collect::<Vec<_>>(),
        )
        .build()
        .expect("all fields without a default are set");
    if !spec.annotations.is_empty() {
        let all = spec.annotations.iter();
        let all = all.map(|(name, value)| (name.clone(), value.clone()));
        manifest.set_annotations(Some(all.collect()));
    }
    let manifest = put(store, &json::canonical(&manifest))?;
    Ok(Image {
        platform: spec.platform,
        manifest,
        config,
        layers: layers.into_iter().map(|(layer, _)| layer).collect(),
    })
}

/// The media type of a layer that is compressed so.
fn media_type(compression: Compression) -> MediaType {
    match compression {
        Compression::Zstd(_) => MediaType::ImageLayerZstd,
        Compression::Gzip(_) => MediaType::ImageLayerGzip,
        Compression::None => MediaType::ImageLayer,
    }
}

pub(crate) fn put(store: &dyn Store, bytes: &[u8]) -> Result<Descriptor, OciError> {
    let digest = store.put(bytes)?;
    Ok(Descriptor {
        digest,
        size: bytes.len() as u64,
    })
}
