//! Reads an image back from the store, and believes nothing.

use std::io::{self, BufReader, Read};

use imgc_layer::{Compression, DiffId, decompress};
use imgc_store::{BlobDigest, Store, StoreError};
use oci_spec::image::{ImageConfiguration, ImageManifest, MediaType};
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
        let compression = match layer.media_type() {
            MediaType::ImageLayerGzip => Compression::Gzip(0),
            MediaType::ImageLayer => Compression::None,
            other => {
                media_type(&digest, Some(other), &MediaType::ImageLayerZstd)?;
                Compression::SEGMENT
            }
        };
        check_layer(store, &digest, layer.size(), compression, diff_id)?;
    }
    Ok(())
}

fn check_layer(
    store: &dyn Store,
    digest: &BlobDigest,
    size: u64,
    compression: Compression,
    diff_id: &str,
) -> Result<(), OciError> {
    let invalid = |problem| OciError::Invalid {
        blob: *digest,
        problem,
    };
    let blob = store
        .open(digest)?
        .ok_or_else(|| invalid(Problem::Damaged))?;
    if blob.len() != size {
        return Err(invalid(Problem::Size {
            expected: size,
            found: blob.len(),
        }));
    }
    let mut compressed = Digesting {
        inner: blob,
        hash: Sha256::new(),
    };
    let mut hash = Sha256::new();
    let mut decode = || -> io::Result<()> {
        let mut archive = decompress(
            BufReader::with_capacity(128 * 1024, &mut compressed),
            compression,
        )?;
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
