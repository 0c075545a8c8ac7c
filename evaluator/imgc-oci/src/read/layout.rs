//! Which image of a layout is meant: names, digests and platforms, through indices of
//! indices (OCI image specification, "Image Layout" and "Image Index").

use std::collections::BTreeMap;

use imgc_plan::Platform;
use imgc_store::BlobDigest;
use oci_spec::image::{
    ANNOTATION_REF_NAME, Descriptor as Named, ImageIndex, ImageManifest, MediaType,
};
use serde::Deserialize;

use super::document::{self, Configuration};
use super::{Files, Opened, ReadError, ReadLayer, Wanted, blob_name};
use crate::Descriptor;

const INDEX: &str = "index.json";
const LAYOUT: &str = "oci-layout";

/// How deep indices may be in indices, and how many images there may be in all.
const DEEPEST: usize = 4;
const MOST: usize = 10_000;

/// No image has more layers.
pub(super) const MOST_LAYERS: usize = 4_096;

/// Docker's name of an image, where its exporter has put one.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Opens an image of a layout: the one that is wanted, for `platform` where there are
/// several.
///
/// # Errors
/// [`ReadError`].
pub fn open_layout<'a>(
    files: &'a dyn Files,
    wanted: &Wanted,
    platform: Platform,
) -> Result<Opened<'a>, ReadError> {
    #[derive(Deserialize)]
    struct Version {
        #[serde(rename = "imageLayoutVersion")]
        version: String,
    }
    let missing = |name: &str| ReadError::Missing(name.to_owned());
    let bytes = document::whole(files, LAYOUT)?.ok_or_else(|| missing(LAYOUT))?;
    let Version { version } = document::parse(LAYOUT, &bytes)?;
    if !version.starts_with("1.") {
        return Err(ReadError::Document {
            name: LAYOUT.to_owned(),
            problem: format!("the version {version} of layouts is not known"),
        });
    }
    let bytes = document::whole(files, INDEX)?.ok_or_else(|| missing(INDEX))?;
    let index: ImageIndex = document::parse(INDEX, &bytes)?;
    let mut walk = Walk {
        files,
        wanted,
        images: Vec::new(),
        looked: 0,
    };
    walk.index(INDEX, &index, &Above::default())?;
    let found = choose(walk.images, wanted, platform)?;
    open_manifest(files, found.descriptor, found.media_type, found.name)
}

/// Opens the image whose manifest has this descriptor.
///
/// # Errors
/// [`ReadError`].
pub fn open_manifest<'a>(
    files: &'a dyn Files,
    descriptor: Descriptor,
    media_type: String,
    name: Option<String>,
) -> Result<Opened<'a>, ReadError> {
    let file = blob_name(&descriptor.digest);
    let manifest = document::named(files, descriptor, &media_type)?;
    let parsed: ImageManifest = document::parse(&file, &manifest.bytes)?;
    let named = parsed.config();
    let config_type = named.media_type().to_string();
    if *named.media_type() != MediaType::ImageConfig && config_type != DOCKER_CONFIG {
        let name = "the configuration".to_owned();
        return Err(ReadError::MediaType {
            name,
            media_type: config_type,
        });
    }
    let config = document::descriptor(&file, named)?;
    let config_file = blob_name(&config.digest);
    let config = document::named(files, config, &config_type)?;
    let configuration: Configuration = document::parse(&config_file, &config.bytes)?;
    let diff_ids = configuration.diff_ids(&config_file)?;
    check_count(&config_file, parsed.layers().len(), diff_ids.len())?;
    let layers = parsed
        .layers()
        .iter()
        .zip(diff_ids)
        .map(|(layer, diff_id)| {
            let named = document::descriptor(&file, layer)?;
            ReadLayer::new(
                blob_name(&named.digest),
                named,
                layer.media_type().as_ref(),
                diff_id,
            )
        });
    let layers: Result<Vec<ReadLayer>, ReadError> = layers.collect();
    let annotations = parsed.annotations().clone().unwrap_or_default();
    Ok(Opened {
        files,
        name,
        manifest: Some(manifest),
        config,
        configuration,
        layers: layers?,
        annotations: annotations.into_iter().collect(),
    })
}

pub(super) fn check_count(name: &str, layers: usize, diff_ids: usize) -> Result<(), ReadError> {
    let problem = if layers != diff_ids {
        format!("it has {diff_ids} diff ids, and the image {layers} layers")
    } else if layers > MOST_LAYERS {
        format!("the image has {layers} layers")
    } else {
        return Ok(());
    };
    Err(ReadError::Document {
        name: name.to_owned(),
        problem,
    })
}

/// An image that an index names.
#[derive(Debug, Clone)]
struct Candidate {
    descriptor: Descriptor,
    media_type: String,
    name: Option<String>,
    /// `linux/amd64`, if it is said.
    platform: Option<(String, String, Option<String>)>,
    is_nested: bool,
}

/// What the indices above an image say of it.
#[derive(Debug, Clone, Default)]
struct Above {
    name: Option<String>,
    /// Whether one of them is what was wanted.
    is_wanted: bool,
    depth: usize,
}

struct Walk<'a> {
    files: &'a dyn Files,
    wanted: &'a Wanted,
    images: Vec<(Candidate, bool)>,
    looked: usize,
}

impl Walk<'_> {
    fn index(&mut self, file: &str, index: &ImageIndex, above: &Above) -> Result<(), ReadError> {
        for named in index.manifests() {
            self.looked += 1;
            if self.looked > MOST {
                return Err(ReadError::Document {
                    name: file.to_owned(),
                    problem: format!("it leads to more than {MOST} manifests"),
                });
            }
            let descriptor = document::descriptor(file, named)?;
            let names = names(named);
            let name = above.name.clone().or_else(|| names.first().cloned());
            let is_wanted = above.is_wanted
                || match self.wanted {
                    Wanted::Only => true,
                    Wanted::Tag(tag) => names.iter().any(|name| is_called(name, tag)),
                    Wanted::Digest(digest) => *digest == descriptor.digest,
                };
            let media_type = named.media_type().to_string();
            let is_index =
                *named.media_type() == MediaType::ImageIndex || media_type == DOCKER_INDEX;
            if is_index {
                self.nested(descriptor, &media_type, name, is_wanted, above.depth)?;
            } else if *named.media_type() == MediaType::ImageManifest
                || media_type == DOCKER_MANIFEST
            {
                let platform = named.platform().as_ref().map(|platform| {
                    let arch = platform.architecture().to_string();
                    (platform.os().to_string(), arch, platform.variant().clone())
                });
                let candidate = Candidate {
                    descriptor,
                    media_type,
                    name,
                    platform,
                    is_nested: above.depth > 0,
                };
                self.images.push((candidate, is_wanted));
            }
        }
        Ok(())
    }

    fn nested(
        &mut self,
        descriptor: Descriptor,
        media_type: &str,
        name: Option<String>,
        is_wanted: bool,
        depth: usize,
    ) -> Result<(), ReadError> {
        // Another tag's index may not even be there. One of a digest may be in any.
        if !is_wanted && matches!(self.wanted, Wanted::Tag(_)) {
            return Ok(());
        }
        let file = blob_name(&descriptor.digest);
        if depth == DEEPEST {
            return Err(ReadError::Document {
                name: file,
                problem: "indices are nested too deep".to_owned(),
            });
        }
        let document = document::named(self.files, descriptor, media_type)?;
        let index: ImageIndex = document::parse(&file, &document.bytes)?;
        let above = Above {
            name,
            is_wanted,
            depth: depth + 1,
        };
        self.index(&file, &index, &above)
    }
}

fn names(named: &Named) -> Vec<String> {
    let Some(annotations) = named.annotations() else {
        return Vec::new();
    };
    let of = |key| annotations.get(key).cloned();
    of(ANNOTATION_REF_NAME)
        .into_iter()
        .chain(of(CONTAINERD_NAME))
        .collect()
}

/// Whether a name is meant by a tag: all of it, or what stands behind its last colon.
pub(super) fn is_called(name: &str, tag: &str) -> bool {
    let own = name.rsplit_once(':').map(|(_, own)| own);
    name == tag || own == Some(tag)
}

fn choose(
    images: Vec<(Candidate, bool)>,
    wanted: &Wanted,
    platform: Platform,
) -> Result<Candidate, ReadError> {
    let there = |images: &[Candidate]| -> Vec<String> {
        let names = images.iter().map(|image| match &image.name {
            Some(name) => name.clone(),
            None => format!("@{}", image.descriptor.digest),
        });
        names.collect()
    };
    let (found, others): (Vec<_>, Vec<_>) = images.into_iter().partition(|(_, wanted)| *wanted);
    let mut found: Vec<Candidate> = found.into_iter().map(|(image, _)| image).collect();
    if found.is_empty() {
        let others: Vec<Candidate> = others.into_iter().map(|(image, _)| image).collect();
        let mut there = there(&others);
        there.sort();
        there.dedup();
        let wanted = match wanted {
            Wanted::Only => "an image".to_owned(),
            Wanted::Tag(tag) => tag.clone(),
            Wanted::Digest(digest) => digest.to_string(),
        };
        return Err(ReadError::NoImage { wanted, there });
    }
    if found.len() == 1 && (!found[0].is_nested || matches!(wanted, Wanted::Digest(_))) {
        return Ok(found.remove(0));
    }
    let platforms: Vec<String> = found.iter().map(shown).collect();
    let mut fitting: BTreeMap<BlobDigest, Candidate> = BTreeMap::new();
    for image in found.iter().filter(|image| fits(image, platform)) {
        let earlier = fitting.entry(image.descriptor.digest);
        earlier.or_insert_with(|| image.clone());
    }
    let mut fitting: Vec<Candidate> = fitting.into_values().collect();
    match fitting.len() {
        0 => Err(ReadError::Platform {
            wanted: platform.to_string(),
            there: platforms,
        }),
        1 => Ok(fitting.remove(0)),
        _ => {
            fitting.sort_by(|a, b| a.name.cmp(&b.name));
            Err(ReadError::Several {
                there: there(&fitting),
            })
        }
    }
}

/// One that says no platform fits any: which it is, only its configuration says.
fn fits(image: &Candidate, platform: Platform) -> bool {
    let Some((os, arch, variant)) = &image.platform else {
        return true;
    };
    let own = platform.arch.oci_variant();
    os == "linux"
        && arch == platform.arch.oci()
        && (variant.is_none() || own.is_none() || variant.as_deref() == own)
}

fn shown(image: &Candidate) -> String {
    match &image.platform {
        None => "one that says no platform".to_owned(),
        Some((os, arch, None)) => format!("{os}/{arch}"),
        Some((os, arch, Some(variant))) => format!("{os}/{arch}/{variant}"),
    }
}
