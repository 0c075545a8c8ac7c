//! The documents of an image as they are read: small, whole, and with the digest that
//! they were named by.

use std::io::Read as _;

use imgc_layer::DiffId;
use imgc_plan::{Arch, Platform};
use imgc_store::BlobDigest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Files, Found, ReadError};
use crate::Descriptor;

/// No document is larger, in bytes. Registries have the same limit for manifests.
pub(super) const LIMIT: u64 = 4 << 20;

/// A document, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its digest and its length.
    pub descriptor: Descriptor,
    /// What it says that it is.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What an image's configuration says. What is not known here is kept, in `settings`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// When it was made, as it stands there.
    pub created: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// What processors it is for: `amd64`.
    pub architecture: Option<String>,
    /// What system it is for: `linux`.
    pub os: Option<String>,
    /// Which of the processors: `v8`.
    pub variant: Option<String>,
    /// What a runtime is told: `User`, `Env`, `Entrypoint` and so on, as they stand there.
    #[serde(rename = "config")]
    settings: Option<Map<String, Value>>,
    rootfs: RootFs,
    history: Option<Vec<HistoryEntry>>,
}

/// How a layer came about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct HistoryEntry {
    /// What made it.
    pub created_by: Option<String>,
    /// Whether there is no layer for it.
    pub empty_layer: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct RootFs {
    diff_ids: Option<Vec<String>>,
}

impl Configuration {
    /// A field of what a runtime is told. None where it is missing or null.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        let found = self.settings.as_ref()?.get(name);
        found.filter(|value| !value.is_null())
    }

    /// All that a runtime is told, without what says nothing: nulls, and empty texts, lists
    /// and maps.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.settings.iter().flatten();
        all.filter(|(_, value)| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        })
        .map(|(name, value)| (name.as_str(), value))
    }

    /// `linux/arm64/v8`, as far as it is said.
    pub fn platform(&self) -> String {
        let parts = [&self.os, &self.architecture, &self.variant];
        let parts = parts.map(|part| part.as_deref().unwrap_or_default());
        parts.join("/").trim_end_matches('/').to_owned()
    }

    /// Whether it is one for this platform. What it does not say fits any.
    pub fn fits(&self, platform: Platform) -> bool {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let variant = self.variant.as_deref();
        said(&self.os).is_none_or(|os| os == "linux")
            && said(&self.architecture)
                .is_none_or(|arch| Arch::of_oci(&arch, variant) == Some(platform.arch))
    }

    /// How its layers came about, and what left none. The lowest first.
    pub fn history(&self) -> &[HistoryEntry] {
        self.history.as_deref().unwrap_or_default()
    }

    pub(super) fn diff_ids(&self, name: &str) -> Result<Vec<DiffId>, ReadError> {
        let texts = self.rootfs.diff_ids.as_deref().unwrap_or_default();
        let ids = texts.iter().map(|text| {
            text.parse()
                .map_err(|error: imgc_layer::DiffIdError| ReadError::Document {
                    name: name.to_owned(),
                    problem: error.to_string(),
                })
        });
        ids.collect()
    }
}

/// All bytes of a small file.
pub(super) fn whole(files: &dyn Files, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
    let failed = |error| ReadError::File {
        name: name.to_owned(),
        error,
    };
    let Some(Found { reader, .. }) = files.open(name).map_err(failed)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let read = reader.take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(failed)?;
    if bytes.len() as u64 > LIMIT {
        return Err(ReadError::Document {
            name: name.to_owned(),
            problem: format!("it is larger than {LIMIT} bytes"),
        });
    }
    Ok(Some(bytes))
}

/// A document that a descriptor names, checked.
pub(super) fn named(
    files: &dyn Files,
    descriptor: Descriptor,
    media_type: &str,
) -> Result<Document, ReadError> {
    let name = super::blob_name(&descriptor.digest);
    let bytes = whole(files, &name)?.ok_or_else(|| ReadError::Missing(name.clone()))?;
    let found = bytes.len() as u64;
    if found != descriptor.size {
        let expected = descriptor.size;
        return Err(ReadError::Size {
            name,
            expected,
            found,
        });
    }
    check(&name, &descriptor.digest, &bytes)?;
    Ok(Document {
        descriptor,
        media_type: media_type.to_owned(),
        bytes,
    })
}

pub(super) fn check(name: &str, expected: &BlobDigest, bytes: &[u8]) -> Result<(), ReadError> {
    let found = BlobDigest::of(bytes);
    if found == *expected {
        return Ok(());
    }
    Err(ReadError::Digest {
        name: name.to_owned(),
        expected: expected.to_string(),
        found: found.to_string(),
    })
}

pub(super) fn parse<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|error| ReadError::Document {
        name: name.to_owned(),
        problem: error.to_string(),
    })
}

/// The digest and the size that a descriptor names.
pub(super) fn descriptor(
    name: &str,
    document: &oci_spec::image::Descriptor,
) -> Result<Descriptor, ReadError> {
    let text = document.digest().to_string();
    let digest = text.parse().map_err(|_| ReadError::Document {
        name: name.to_owned(),
        problem: format!("`{text}` is no SHA-256 digest"),
    })?;
    Ok(Descriptor {
        digest,
        size: document.size(),
    })
}
