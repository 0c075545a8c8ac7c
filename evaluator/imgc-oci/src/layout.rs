//! The files of an OCI image layout, as a list and as an archive.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use imgc_layer::{EntryKind, TarWriter};
use imgc_store::{BlobDigest, Store, StoreError};
use imgc_tree::{Meta, TreePath};
use oci_spec::image::{
    ANNOTATION_REF_NAME, Arch, ImageIndexBuilder, MediaType, Os, PlatformBuilder,
};

use crate::index::{Target, platform};
use crate::{Descriptor, OciError, Problem, json};

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

/// An image or an index, and what a layout calls it.
#[derive(Debug, Clone, Copy)]
pub struct Tagged<'a> {
    /// The annotation `org.opencontainers.image.ref.name`: `latest`, `app`.
    pub reference: &'a str,
    /// What is called so.
    pub target: Target<'a>,
}

/// Where the blobs of a layout come from.
pub trait Blobs {
    /// Opens a blob that has `size` bytes. None where it is missing or damaged.
    ///
    /// # Errors
    /// What the backend says.
    fn open<'a>(
        &'a self,
        digest: &BlobDigest,
        size: u64,
    ) -> Result<Option<Box<dyn Read + 'a>>, OciError>;

    /// Is told of a blob whose bytes were wrong.
    ///
    /// # Errors
    /// What the backend says.
    fn discard(&self, digest: &BlobDigest) -> Result<(), OciError>;
}

impl Blobs for &dyn Store {
    fn open<'a>(
        &'a self,
        digest: &BlobDigest,
        size: u64,
    ) -> Result<Option<Box<dyn Read + 'a>>, OciError> {
        let blob = self.open_sized(digest, size)?;
        Ok(blob.map(|blob| Box::new(blob) as Box<dyn Read>))
    }

    fn discard(&self, digest: &BlobDigest) -> Result<(), OciError> {
        Ok(Store::discard(*self, digest)?)
    }
}

impl Layout {
    /// The layout of `images`, in this order in its index. Blobs that they share are
    /// there once. An index of several platforms is an index within it.
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
            for blob in tagged.target.blobs() {
                let path = blob_path(&blob.digest);
                let (digest, size) = (blob.digest, blob.size);
                files.insert(path, LayoutFile::Blob { digest, size });
            }
        }
        finish(files, manifests)
    }

    /// The layout of one image that was made elsewhere, whose manifest is `manifest`: its
    /// blobs as they are.
    ///
    /// # Errors
    /// [`OciError::Reference`] as [`new`](Self::new).
    pub fn of_opened(
        reference: &str,
        image: &crate::read::Opened<'_>,
        manifest: &crate::read::Document,
    ) -> Result<Self, OciError> {
        if !is_reference(reference) {
            let why = "letters, digits and `-._:@/+` between them are allowed";
            return Err(OciError::Reference(reference.to_owned(), why));
        }
        let mut files = BTreeMap::new();
        for layer in &image.layers {
            let Descriptor { digest, size } = layer.descriptor;
            files.insert(blob_path(&digest), LayoutFile::Blob { digest, size });
        }
        for document in [manifest, &image.config] {
            let path = blob_path(&document.descriptor.digest);
            files.insert(path, LayoutFile::Bytes(document.bytes.clone()));
        }
        let media_type = MediaType::from(manifest.media_type.as_str());
        let mut named = manifest.descriptor.document(media_type);
        let configuration = &image.configuration;
        if let (Some(arch), Some(os)) = (&configuration.architecture, &configuration.os) {
            let mut platform = PlatformBuilder::default()
                .architecture(Arch::from(arch.as_str()))
                .os(Os::from(os.as_str()))
                .build()
                .expect("all fields without a default are set");
            platform.set_variant(configuration.variant.clone());
            named.set_platform(Some(platform));
        }
        let name = [(ANNOTATION_REF_NAME.to_owned(), reference.to_owned())];
        named.set_annotations(Some(name.into_iter().collect()));
        finish(files, vec![named])
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
        self.write_archive_of(&store, out)
    }

    /// As [`write_archive`](Self::write_archive), with blobs from elsewhere.
    ///
    /// # Errors
    /// As [`write_archive`](Self::write_archive).
    pub fn write_archive_of(&self, blobs: &dyn Blobs, out: impl Write) -> Result<(), OciError> {
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
                    let mut blob = blobs.open(digest, *size)?.ok_or_else(damaged)?;
                    let kind = EntryKind::Regular {
                        size: *size,
                        body: &mut blob,
                    };
                    let body = tar.entry(&path, &file_meta, kind).map_err(archive)?;
                    if body.is_none_or(|body| body.sha256 != *digest.as_bytes()) {
                        blobs.discard(digest)?;
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

/// Puts the index of `manifests` to the blobs.
fn finish(
    mut files: BTreeMap<String, LayoutFile>,
    manifests: Vec<oci_spec::image::Descriptor>,
) -> Result<Layout, OciError> {
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests(manifests)
        .build()
        .expect("all fields without a default are set");
    let index = LayoutFile::Bytes(json::canonical(&index));
    files.insert("index.json".to_owned(), index);
    files.insert("oci-layout".to_owned(), LayoutFile::Bytes(LAYOUT.to_vec()));
    Ok(Layout { files })
}

fn blob_path(digest: &BlobDigest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn manifest(tagged: &Tagged<'_>) -> oci_spec::image::Descriptor {
    let name = [(ANNOTATION_REF_NAME.to_owned(), tagged.reference.to_owned())];
    let descriptor = tagged.target.descriptor();
    let mut document = descriptor.document(MediaType::from(tagged.target.media_type()));
    if let Target::Image(image) = tagged.target {
        document.set_platform(Some(platform(image.platform)));
    }
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
