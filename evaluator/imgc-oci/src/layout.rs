//! The files of an OCI image layout, as a list and as an archive.

use std::collections::BTreeMap;
use std::io::{self, Write};

use imgc_layer::{EntryKind, TarWriter};
use imgc_store::{BlobDigest, Store, StoreError};
use imgc_tree::{Meta, TreePath};
use oci_spec::image::{
    ANNOTATION_REF_NAME, Arch, ImageIndexBuilder, MediaType, Os, PlatformBuilder,
};

use crate::{Image, OciError, Problem, json};

const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// What files a layout has, by their path in it. Folders are implied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    files: BTreeMap<String, LayoutFile>,
}

/// A file of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutFile {
    /// A small file: `index.json` or `oci-layout`.
    Bytes(Vec<u8>),
    /// A blob of the store.
    Blob {
        /// Its digest.
        digest: BlobDigest,
        /// Its length in bytes.
        size: u64,
    },
}

/// An image, and what a layout calls it.
#[derive(Debug, Clone, Copy)]
pub struct Tagged<'a> {
    /// The annotation `org.opencontainers.image.ref.name`: `latest`, `app`.
    pub reference: &'a str,
    /// The image.
    pub image: &'a Image,
}

impl Layout {
    /// The layout of `images`, in this order in its index. Blobs that they share are
    /// there once.
    ///
    /// # Errors
    /// [`OciError::Reference`] for a name that is empty, has other characters than
    /// the specification allows, or is there twice.
    pub fn new(images: &[Tagged<'_>]) -> Result<Self, OciError> {
        let mut files = BTreeMap::new();
        let mut manifests = Vec::new();
        for (at, tagged) in images.iter().enumerate() {
            let wrong = |why| Err(OciError::Reference(tagged.reference.to_owned(), why));
            if !is_reference(tagged.reference) {
                return wrong("letters, digits and `-._:@/+` between them are allowed");
            }
            if images[..at]
                .iter()
                .any(|other| other.reference == tagged.reference)
            {
                return wrong("another image has it too");
            }
            manifests.push(manifest(tagged));
            for blob in tagged.image.blobs() {
                let path = format!("blobs/sha256/{}", blob.digest.hex());
                let (digest, size) = (blob.digest, blob.size);
                files.insert(path, LayoutFile::Blob { digest, size });
            }
        }
        let index = ImageIndexBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::ImageIndex)
            .manifests(manifests)
            .build()
            .expect("all fields without a default are set");
        files.insert(
            "index.json".to_owned(),
            LayoutFile::Bytes(json::canonical(&index)),
        );
        files.insert("oci-layout".to_owned(), LayoutFile::Bytes(LAYOUT.to_vec()));
        Ok(Self { files })
    }

    /// Its files in path order: a path relative to the layout's folder, with `/`
    /// between its parts.
    pub fn files(&self) -> impl Iterator<Item = (&str, &LayoutFile)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Writes the layout as a tar archive (`oci-archive`). The same layout gives the
    /// same bytes. Blobs are verified while they are copied.
    ///
    /// # Errors
    /// [`OciError::Invalid`] for a blob that is missing or damaged, or what reading
    /// and writing say. What was written is then no archive.
    pub fn write_archive(&self, store: &dyn Store, out: impl Write) -> Result<(), OciError> {
        let mut tar = TarWriter::new(out);
        let folder = Meta {
            mode: 0o755,
            ..Meta::default()
        };
        let file_meta = Meta {
            mode: 0o644,
            ..Meta::default()
        };
        for path in ["blobs", "blobs/sha256"] {
            tar.entry(&tree_path(path), &folder, EntryKind::Directory)
                .map_err(archive)?;
        }
        for (path, file) in self.files() {
            let path = tree_path(path);
            match file {
                LayoutFile::Bytes(bytes) => {
                    let (size, body) = (bytes.len() as u64, &mut bytes.as_slice());
                    let kind = EntryKind::Regular { size, body };
                    tar.entry(&path, &file_meta, kind).map_err(archive)?;
                }
                LayoutFile::Blob { digest, size } => {
                    let damaged = || OciError::Invalid {
                        blob: *digest,
                        problem: Problem::Damaged,
                    };
                    let mut blob = store.open_sized(digest, *size)?.ok_or_else(damaged)?;
                    let kind = EntryKind::Regular {
                        size: *size,
                        body: &mut blob,
                    };
                    let body = tar.entry(&path, &file_meta, kind).map_err(archive)?;
                    if body.is_none_or(|body| body.sha256 != *digest.as_bytes()) {
                        store.discard(digest)?;
                        return Err(damaged());
                    }
                }
            }
        }
        tar.finish()
            .and_then(|mut out| out.flush())
            .map_err(archive)
    }
}

fn manifest(tagged: &Tagged<'_>) -> oci_spec::image::Descriptor {
    let arch = tagged.image.platform.arch;
    let mut platform = PlatformBuilder::default()
        .architecture(Arch::from(arch.oci()))
        .os(Os::Linux)
        .build()
        .expect("all fields without a default are set");
    platform.set_variant(arch.oci_variant().map(str::to_owned));
    let name = [(ANNOTATION_REF_NAME.to_owned(), tagged.reference.to_owned())];
    let mut document = tagged.image.manifest.document(MediaType::ImageManifest);
    document.set_platform(Some(platform));
    document.set_annotations(Some(name.into_iter().collect()));
    document
}

/// The grammar of reference names in the OCI image specification ("Pre-Defined
/// Annotation Keys"): parts of letters and digits, with one of `-._:@+` or `--`
/// between them, separated by `/`.
fn is_reference(name: &str) -> bool {
    let component = |part: &str| {
        let inner = part.replace("--", "-");
        inner
            .split(['-', '.', '_', ':', '@', '+'])
            .all(|run| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    name.split('/').all(component)
}

fn tree_path(path: &str) -> TreePath {
    TreePath::new(path.as_bytes()).expect("a layout's paths are short and plain")
}

fn archive(error: io::Error) -> OciError {
    match error.downcast::<StoreError>() {
        Ok(error) => OciError::Store(error),
        Err(error) => OciError::Archive(error),
    }
}
