//! Reads an image back from the store, and believes nothing.

use std::io::{self, BufRead as _, BufReader, Read};

use imgc_layer::{DiffId, decompress};
use imgc_store::{BlobDigest, Store, StoreError};
use oci_spec::image::{Descriptor, ImageConfiguration, ImageManifest, MediaType};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::{OciError, Problem};

/// No manifest or configuration that imgc writes is larger, in bytes. Registries have
/// the same limit.
const DOCUMENT_LIMIT: u64 = 4 << 20;

/// Checks an image: that each blob is there and has its digest and size, that the
/// documents parse and have the media types that imgc writes, that the layers
/// decompress to their diff ids, and that the history has an entry for each of them.
///
/// # Errors
/// [`OciError::Invalid`] with the first blob that is wrong, or the store's.
pub fn validate(store: &dyn Store, manifest: &BlobDigest) -> Result<(), OciError> {
    let invalid = |problem| OciError::Invalid {
        blob: *manifest,
        problem,
    };
    let document: ImageManifest = read(store, manifest, None)?;
    if document.schema_version() != 2 {
        let text = format!("schemaVersion is {}", document.schema_version());
        return Err(invalid(Problem::Document(text)));
    }
    media_type(
        manifest,
        document.media_type().as_ref(),
        &MediaType::ImageManifest,
    )?;
    let named = document.config();
    let digest = digest_of(manifest, named)?;
    media_type(&digest, Some(named.media_type()), &MediaType::ImageConfig)?;
    let config: ImageConfiguration = read(store, &digest, Some(named.size()))?;
    let (layers, diff_ids) = (document.layers(), config.rootfs().diff_ids());
    let history = config.history().as_deref().unwrap_or_default();
    let history = history
        .iter()
        .filter(|entry| entry.empty_layer() != Some(true))
        .count();
    if layers.len() != diff_ids.len() || layers.len() != history {
        let (layers, diff_ids) = (layers.len(), diff_ids.len());
        let problem = Problem::Count {
            layers,
            diff_ids,
            history,
        };
        return Err(OciError::Invalid {
            blob: digest,
            problem,
        });
    }
    for (layer, diff_id) in layers.iter().zip(diff_ids) {
        let digest = digest_of(manifest, layer)?;
        let written = [
            MediaType::ImageLayerZstd,
            MediaType::ImageLayerGzip,
            MediaType::ImageLayer,
        ];
        let expected = written.iter().find(|one| *one == layer.media_type());
        let expected = expected.unwrap_or(&MediaType::ImageLayerZstd);
        media_type(&digest, Some(layer.media_type()), expected)?;
        check_layer(store, &digest, layer, diff_id)?;
    }
    Ok(())
}

fn check_layer(
    store: &dyn Store,
    digest: &BlobDigest,
    layer: &Descriptor,
    diff_id: &str,
) -> Result<(), OciError> {
    let invalid = |problem| OciError::Invalid {
        blob: *digest,
        problem,
    };
    let blob = store
        .open(digest)?
        .ok_or_else(|| invalid(Problem::Damaged))?;
    if blob.len() != layer.size() {
        return Err(invalid(Problem::Size {
            expected: layer.size(),
            found: blob.len(),
        }));
    }
    let mut compressed = Digesting {
        inner: blob,
        hash: Sha256::new(),
    };
    let mut hash = Sha256::new();
    let mut decode = || -> io::Result<()> {
        let mut input = BufReader::with_capacity(128 * 1024, &mut compressed);
        if !is_labelled(layer.media_type(), input.fill_buf()?) {
            let text = format!("it does not begin as {} does", layer.media_type());
            return Err(io::Error::other(text));
        }
        let mut archive = decompress(input)?;
        let mut buf = vec![0; 128 * 1024];
        loop {
            match archive.read(&mut buf) {
                Ok(0) => return Ok(()),
                Ok(read) => hash.update(&buf[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    };
    let decoded = decode();
    // Whatever the decompressor left: a damaged blob is named as such first.
    let reading = |error| StoreError::from_io(error, "reading", digest.hex().as_ref());
    io::copy(&mut compressed, &mut io::sink()).map_err(reading)?;
    if BlobDigest::from_bytes(compressed.hash.finalize().into()) != *digest {
        return Err(invalid(Problem::Damaged));
    }
    decoded.map_err(|error| invalid(Problem::Compression(error.to_string())))?;
    let found = DiffId::from_bytes(hash.finalize().into()).to_string();
    if found != diff_id {
        let expected = diff_id.to_owned();
        return Err(invalid(Problem::DiffId { expected, found }));
    }
    Ok(())
}

/// Whether a layer of this media type may begin so.
fn is_labelled(media_type: &MediaType, begin: &[u8]) -> bool {
    let is_zstd = begin.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    let is_gzip = begin.starts_with(&[0x1f, 0x8b]);
    match media_type {
        MediaType::ImageLayerZstd => is_zstd,
        MediaType::ImageLayerGzip => is_gzip,
        _ => !is_zstd && !is_gzip,
    }
}

fn read<T: DeserializeOwned>(
    store: &dyn Store,
    digest: &BlobDigest,
    size: Option<u64>,
) -> Result<T, OciError> {
    let invalid = |problem| OciError::Invalid {
        blob: *digest,
        problem,
    };
    let bytes = store
        .read(digest, DOCUMENT_LIMIT)?
        .ok_or_else(|| invalid(Problem::Damaged))?;
    let found = bytes.len() as u64;
    if let Some(expected) = size.filter(|&size| size != found) {
        return Err(invalid(Problem::Size { expected, found }));
    }
    serde_json::from_slice(&bytes).map_err(|e| invalid(Problem::Document(e.to_string())))
}

fn media_type(
    blob: &BlobDigest,
    found: Option<&MediaType>,
    expected: &MediaType,
) -> Result<(), OciError> {
    if found == Some(expected) {
        return Ok(());
    }
    let text = found.map(ToString::to_string).unwrap_or_default();
    Err(OciError::Invalid {
        blob: *blob,
        problem: Problem::MediaType(text),
    })
}

fn digest_of(
    manifest: &BlobDigest,
    named: &oci_spec::image::Descriptor,
) -> Result<BlobDigest, OciError> {
    let text = named.digest().to_string();
    text.parse().map_err(|_| OciError::Invalid {
        blob: *manifest,
        problem: Problem::Document(format!("`{text}` is not a SHA-256 digest")),
    })
}

/// Digests what is read through it.
struct Digesting<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.hash.update(&buf[..read]);
        Ok(read)
    }
}
