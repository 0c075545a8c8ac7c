//! An image that was read, in another form: an archive as docker has them, one archive of
//! all its files, a manifest where it had none. The same image gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use imgc_layer::{EntryKind, TarWriter};
use imgc_store::BlobDigest;
use imgc_tree::{Content, Ino, Kind, Meta, Tree, TreePath};
use oci_spec::image::{ImageManifestBuilder, MediaType};

use super::{Contents, Document, Limits, Opened, ReadError};
use crate::{Descriptor, json};

/// The manifest of an image: its own, or one that is made for it.
pub fn manifest_of(image: &Opened<'_>) -> Document {
    if let Some(manifest) = &image.manifest {
        return manifest.clone();
    }
    let layers = image.layers.iter().map(|layer| {
        let media_type = MediaType::from(layer.media_type.as_str());
        layer.descriptor.document(media_type)
    });
    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(image.config.descriptor.document(MediaType::ImageConfig))
        .layers(layers.collect::<Vec<_>>())
        .build()
        .expect("all fields without a default are set");
    let bytes = json::canonical(&manifest);
    Document {
        descriptor: Descriptor {
            digest: BlobDigest::of(&bytes),
            size: bytes.len() as u64,
        },
        media_type: MediaType::ImageManifest.to_string(),
        bytes,
    }
}

/// Writes an image as `docker save` would: its configuration and its uncompressed layers,
/// each once, and `manifest.json`. `tag` is `NAME:TAG`. `contents` are the image's own.
///
/// # Errors
/// [`ReadError`]; [`ReadError::Taking`] where writing fails.
pub fn write_docker(
    image: &Opened<'_>,
    contents: &Contents,
    tag: Option<&str>,
    limits: &Limits,
    out: impl Write,
) -> Result<(), ReadError> {
    let mut tar = TarWriter::new(out);
    let file = Meta {
        mode: 0o644,
        ..Meta::default()
    };
    let name = |layer: &super::ReadLayer| format!("{}.tar", layer.diff_id.hex());
    let mut written = BTreeSet::new();
    for (layer, length) in image.layers.iter().zip(&contents.lengths) {
        if !written.insert(layer.diff_id) {
            continue;
        }
        let path = path(&name(layer));
        let (size, mut taken) = (*length, Ok(()));
        image.archive(layer, limits, |body| {
            let kind = EntryKind::Regular { size, body };
            taken = tar.entry(&path, &file, kind).map(drop);
            // What reading says is said with the layer's name.
            match &taken {
                Err(error) => Err(error.kind().into()),
                Ok(()) => Ok(()),
            }
        })?;
        taken.map_err(ReadError::Taking)?;
    }
    let config = format!("{}.json", image.config.descriptor.digest.hex());
    let tags: Vec<&str> = tag.into_iter().collect();
    let layers: Vec<String> = image.layers.iter().map(name).collect();
    let manifest = serde_json::json!([{
        "Config": config, "RepoTags": tags, "Layers": layers,
    }]);
    let manifest = json::canonical(&manifest);
    let documents = [
        (&*config, &image.config.bytes),
        ("manifest.json", &manifest),
    ];
    for (name, bytes) in documents {
        let (size, body) = (bytes.len() as u64, &mut bytes.as_slice());
        let kind = EntryKind::Regular { size, body };
        let written = tar.entry(&path(name), &file, kind);
        written.map_err(ReadError::Taking)?;
    }
    let ended = tar.finish().and_then(|mut out| out.flush());
    ended.map_err(ReadError::Taking)
}

/// Writes all files of an image as one archive, in the order of the layers that imgc makes:
/// folders in the order of their paths, then what has no bytes, then files as they stand in
/// the image's layers. Every layer is read once.
///
/// # Errors
/// [`ReadError`]; [`ReadError::Taking`] where writing fails.
pub fn write_rootfs(
    image: &Opened<'_>,
    contents: &Contents,
    limits: &Limits,
    out: impl Write,
) -> Result<(), ReadError> {
    let tree = &contents.tree;
    let mut tar = TarWriter::new(out);
    let mut put =
        |path: &TreePath, meta: &Meta, kind: EntryKind<'_>| tar.entry(path, meta, kind).map(drop);
    for (path, node) in tree.iter().filter(|(_, node)| node.is_directory()) {
        put(path, &node.meta, EntryKind::Directory).map_err(ReadError::Taking)?;
    }
    let names = names(tree);
    let mut wanted: Vec<(&Content, &[&TreePath], Ino)> = Vec::new();
    for (ino, paths) in &names {
        let node = tree.node(*ino);
        let kind = match &node.kind {
            Kind::Directory => continue,
            Kind::Regular(content) => {
                wanted.push((content, paths, *ino));
                continue;
            }
            Kind::Symlink(target) => EntryKind::Symlink(target),
            Kind::CharDevice { major, minor } => EntryKind::CharDevice {
                major: *major,
                minor: *minor,
            },
            Kind::BlockDevice { major, minor } => EntryKind::BlockDevice {
                major: *major,
                minor: *minor,
            },
            Kind::Fifo => EntryKind::Fifo,
        };
        put(paths[0], &node.meta, kind).map_err(ReadError::Taking)?;
        for other in &paths[1..] {
            let kind = EntryKind::HardLink(paths[0]);
            put(other, &node.meta, kind).map_err(ReadError::Taking)?;
        }
    }
    let contents: Vec<&Content> = wanted.iter().map(|(content, ..)| *content).collect();
    image.visit(&contents, limits, &mut |at, body: &mut dyn Read| {
        let (content, paths, ino) = wanted[at];
        let meta = &tree.node(ino).meta;
        let size = content.size;
        put(paths[0], meta, EntryKind::Regular { size, body })?;
        let mut others = paths[1..].iter();
        others.try_for_each(|other| put(other, meta, EntryKind::HardLink(paths[0])))
    })?;
    let ended = tar.finish().and_then(|mut out| out.flush());
    ended.map_err(ReadError::Taking)
}

/// What is no folder: the names of each inode, in order, and the inodes in the order of
/// their first names.
fn names(tree: &Tree) -> Vec<(Ino, Vec<&TreePath>)> {
    let mut places: BTreeMap<Ino, usize> = BTreeMap::new();
    let mut names: Vec<(Ino, Vec<&TreePath>)> = Vec::new();
    for (path, ino) in tree.names() {
        if tree.node(ino).is_directory() {
            continue;
        }
        let place = *places.entry(ino).or_insert_with(|| {
            names.push((ino, Vec::new()));
            names.len() - 1
        });
        names[place].1.push(path);
    }
    names
}

fn path(name: &str) -> TreePath {
    TreePath::new(name.as_bytes()).expect("a short and plain path")
}
