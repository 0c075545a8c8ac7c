//! Archives as `docker save` writes them: `manifest.json`, configurations and layers
//! (Docker image specification 1.2).

use std::io::{self, Read};

use imgc_layer::DiffId;
use imgc_plan::Platform;
use imgc_store::BlobDigest;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::document::{self, Configuration, Document};
use super::layout::{check_count, is_called};
use super::{BLOBS, Files, Found, Opened, ReadError, ReadLayer, Wanted};
use crate::Descriptor;

const MANIFEST: &str = "manifest.json";

/// No archive has more images.
const MOST: usize = 1_000;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

#[derive(Debug, Clone, Deserialize)]
struct Saved {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags", default)]
    tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Vec<String>,
}

/// Opens an image of a docker archive.
///
/// # Errors
/// [`ReadError`].
pub fn open_docker<'a>(
    files: &'a dyn Files,
    wanted: &Wanted,
    platform: Platform,
) -> Result<Opened<'a>, ReadError> {
    let bytes = document::whole(files, MANIFEST)?;
    let bytes = bytes.ok_or_else(|| ReadError::Missing(MANIFEST.to_owned()))?;
    let all: Vec<Saved> = document::parse(MANIFEST, &bytes)?;
    if all.len() > MOST {
        return Err(ReadError::Document {
            name: MANIFEST.to_owned(),
            problem: format!("it names more than {MOST} images"),
        });
    }
    let mut images = Vec::new();
    for saved in &all {
        let tags = saved.tags.as_deref().unwrap_or_default();
        if let Wanted::Tag(tag) = wanted
            && !tags.iter().any(|name| is_called(name, tag))
        {
            continue;
        }
        let (config, configuration) = configuration(files, &saved.config)?;
        if matches!(wanted, Wanted::Digest(digest) if *digest != config.descriptor.digest) {
            continue;
        }
        images.push((saved, config, configuration));
    }
    if images.len() > 1 {
        images.retain(|(_, _, configuration)| configuration.fits(platform));
    }
    let there = || all.iter().map(shown).collect();
    if images.len() > 1 {
        return Err(ReadError::Several { there: there() });
    }
    let Some((saved, config, configuration)) = images.pop() else {
        let wanted = match wanted {
            Wanted::Only => platform.to_string(),
            Wanted::Tag(tag) => tag.clone(),
            Wanted::Digest(digest) => digest.to_string(),
        };
        return Err(ReadError::NoImage {
            wanted,
            there: there(),
        });
    };
    let diff_ids = configuration.diff_ids(&saved.config)?;
    check_count(&saved.config, saved.layers.len(), diff_ids.len())?;
    let layers = saved.layers.iter().zip(diff_ids);
    let layers = layers.map(|(name, diff_id)| layer(files, name, diff_id));
    let layers: Result<Vec<ReadLayer>, ReadError> = layers.collect();
    Ok(Opened {
        files,
        name: saved.tags.as_ref().and_then(|tags| tags.first()).cloned(),
        manifest: None,
        config,
        configuration,
        layers: layers?,
        annotations: Default::default(),
    })
}

fn shown(saved: &Saved) -> String {
    let first = saved.tags.as_ref().and_then(|tags| tags.first());
    first.unwrap_or(&saved.config).clone()
}

/// A configuration. Its name is mostly its digest; then it is checked.
fn configuration(files: &dyn Files, name: &str) -> Result<(Document, Configuration), ReadError> {
    let bytes = document::whole(files, name)?;
    let bytes = bytes.ok_or_else(|| ReadError::Missing(name.to_owned()))?;
    let hex = name.strip_prefix(BLOBS).unwrap_or(name);
    let hex = hex.strip_suffix(".json").unwrap_or(hex);
    if let Ok(digest) = BlobDigest::from_hex(hex) {
        document::check(name, &digest, &bytes)?;
    }
    let descriptor = Descriptor {
        digest: BlobDigest::of(&bytes),
        size: bytes.len() as u64,
    };
    let configuration = document::parse(name, &bytes)?;
    let document = Document {
        descriptor,
        media_type: CONFIG.to_owned(),
        bytes,
    };
    Ok((document, configuration))
}

/// A layer. docker writes them as they are; others compress them, and say so nowhere.
fn layer(files: &dyn Files, name: &str, diff_id: DiffId) -> Result<ReadLayer, ReadError> {
    let failed = |error| ReadError::File {
        name: name.to_owned(),
        error,
    };
    let open = || -> Result<Found<'_>, ReadError> {
        let found = files.open(name).map_err(failed)?;
        found.ok_or_else(|| ReadError::Missing(name.to_owned()))
    };
    let found = open()?;
    let mut magic = Vec::new();
    let read = found.reader.take(4).read_to_end(&mut magic);
    read.map_err(failed)?;
    let kind = if magic.starts_with(&[0x1f, 0x8b]) {
        "+gzip"
    } else if magic == [0x28, 0xb5, 0x2f, 0xfd] {
        "+zstd"
    } else {
        ""
    };
    let own = name.strip_prefix(BLOBS);
    let own = own.and_then(|hex| BlobDigest::from_hex(hex).ok());
    let digest = match own {
        Some(digest) => digest,
        None if kind.is_empty() => BlobDigest::from_bytes(*diff_id.as_bytes()),
        None => digest_of(&mut open()?.reader).map_err(failed)?,
    };
    let descriptor = Descriptor {
        digest,
        size: found.size,
    };
    ReadLayer::new(
        name.to_owned(),
        descriptor,
        &format!("{TAR}{kind}"),
        diff_id,
    )
}

fn digest_of(reader: &mut dyn Read) -> io::Result<BlobDigest> {
    let mut hash = Sha256::new();
    let mut buf = vec![0; 128 * 1024];
    loop {
        match reader.read(&mut buf) {
            Ok(0) => return Ok(BlobDigest::from_bytes(hash.finalize().into())),
            Ok(read) => hash.update(&buf[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
