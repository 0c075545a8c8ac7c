//! Reads an OCI layout as a stranger would: by the specification, with checks.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::archive::sum;

/// An image in a layout folder, with every digest and size checked.
#[derive(Debug)]
pub struct Layout {
    /// The manifest's digest.
    pub digest: String,
    /// The manifest.
    pub manifest: Value,
    /// The configuration.
    pub config: Value,
    /// The layers' tar archives, lowest first.
    pub layers: Vec<Vec<u8>>,
}

/// What stands at a path of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// tar's type byte: `0` a file, `5` a folder, `2` a symbolic link, `1` a hard link.
    pub kind: u8,
    /// Permission bits.
    pub mode: u32,
    /// User and group id.
    pub ids: (u64, u64),
    /// When it was changed, in seconds since 1970.
    pub mtime: u64,
    /// Where a link leads.
    pub link: Option<String>,
    /// A file's bytes.
    pub bytes: Vec<u8>,
}

impl Layout {
    /// Reads the only image of the layout in `folder`.
    ///
    /// # Panics
    /// Where it is no layout, has more images than one, or a digest is wrong.
    #[track_caller]
    pub fn open(folder: &Path) -> Self {
        let version = json(&file(&folder.join("oci-layout")));
        assert_eq!(version["imageLayoutVersion"], "1.0.0");
        let index = json(&file(&folder.join("index.json")));
        assert_eq!(index["schemaVersion"], 2);
        let manifests = index["manifests"]
            .as_array()
            .expect("an index has manifests");
        assert_eq!(manifests.len(), 1, "one image");
        Self::of(folder, &manifests[0])
    }

    /// Reads the images of the only index of the layout in `folder`, each with its platform
    /// as the index has it: `linux/arm/v7`.
    ///
    /// # Panics
    /// As [`open`](Self::open), and where an image is for another platform than the index
    /// says.
    #[track_caller]
    pub fn open_index(folder: &Path) -> (String, Vec<(String, Self)>) {
        let top = json(&file(&folder.join("index.json")));
        let named = &top["manifests"];
        assert_eq!(named.as_array().map(Vec::len), Some(1), "one index");
        let media_type = "application/vnd.oci.image.index.v1+json";
        assert_eq!(named[0]["mediaType"], media_type);
        let index = json(&blob(folder, &named[0]));
        assert_eq!(index["schemaVersion"], 2);
        assert_eq!(index["mediaType"], media_type);
        let images = index["manifests"].as_array().expect("manifests").iter();
        let images = images.map(|descriptor| {
            let layout = Self::of(folder, descriptor);
            let platform = &descriptor["platform"];
            for part in ["os", "architecture", "variant"] {
                assert_eq!(platform[part], layout.config[part], "{part}");
            }
            let parts = ["os", "architecture", "variant"].map(|part| platform[part].as_str());
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            (parts.join("/"), layout)
        });
        let digest = named[0]["digest"].as_str().expect("a digest");
        (digest.to_owned(), images.collect())
    }

    /// Reads the image of a manifest.
    #[track_caller]
    fn of(folder: &Path, descriptor: &Value) -> Self {
        let bytes = blob(folder, descriptor);
        let digest = descriptor["digest"].as_str().expect("a digest").to_owned();
        let manifest = json(&bytes);
        let config = json(&blob(folder, &manifest["config"]));
        let diff_ids = config["rootfs"]["diff_ids"].as_array().expect("diff ids");
        let descriptors = manifest["layers"].as_array().expect("layers");
        assert_eq!(
            diff_ids.len(),
            descriptors.len(),
            "a diff id for each layer"
        );
        let mut layers = Vec::new();
        for (descriptor, diff_id) in descriptors.iter().zip(diff_ids) {
            let packed = blob(folder, descriptor);
            let media = descriptor["mediaType"].as_str().expect("a media type");
            let kind = media.strip_prefix("application/vnd.oci.image.layer.v1.tar");
            let tar = match kind.expect("the media type of a layer") {
                "+zstd" => zstd::decode_all(&*packed).expect("a layer is zstd"),
                "+gzip" => {
                    let mut tar = Vec::new();
                    let mut decoder = flate2::read::MultiGzDecoder::new(&*packed);
                    decoder.read_to_end(&mut tar).expect("a layer is gzip");
                    tar
                }
                "" => packed,
                other => panic!("a layer is {other}"),
            };
            assert_eq!(diff_id, &Value::String(format!("sha256:{}", sum(&tar))));
            layers.push(tar);
        }
        Self {
            digest,
            manifest,
            config,
            layers,
        }
    }

    /// The files of all layers, the upper ones over the lower ones. Paths have no slash
    /// at either end; the root is the empty text.
    ///
    /// # Panics
    /// Where a layer is no tar archive, or a path is in one layer twice.
    pub fn tree(&self) -> BTreeMap<String, Entry> {
        let mut tree = BTreeMap::new();
        for layer in &self.layers {
            let mut own = BTreeMap::new();
            let mut archive = tar::Archive::new(&**layer);
            for entry in archive.entries().expect("a tar archive") {
                let mut entry = entry.expect("an entry");
                let path = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
                let path = path
                    .trim_start_matches("./")
                    .trim_end_matches('/')
                    .to_owned();
                let link = entry.link_name_bytes();
                let link = link.map(|link| String::from_utf8_lossy(&link).into_owned());
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).expect("an entry's bytes");
                let header = entry.header();
                let found = Entry {
                    kind: header.entry_type().as_byte(),
                    mode: header.mode().expect("a mode"),
                    ids: (header.uid().expect("a uid"), header.gid().expect("a gid")),
                    mtime: header.mtime().expect("a time"),
                    link,
                    bytes,
                };
                assert!(
                    own.insert(path.clone(), found).is_none(),
                    "{path} is there twice"
                );
            }
            tree.extend(own);
        }
        tree
    }
}

#[track_caller]
fn file(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// The blob that `descriptor` names, checked.
#[track_caller]
fn blob(folder: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"]
        .as_str()
        .expect("a descriptor has a digest");
    let hex = digest.strip_prefix("sha256:").expect("a sha256 digest");
    let path: PathBuf = folder.join("blobs/sha256").join(hex);
    let bytes = file(&path);
    assert_eq!(sum(&bytes), hex, "a blob's name is its digest");
    assert_eq!(
        descriptor["size"],
        bytes.len() as u64,
        "a descriptor has the size"
    );
    bytes
}
