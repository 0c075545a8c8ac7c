//! Where images go: layout folders and archives.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use imgc_oci::{Blobs, Layout, LayoutFile, OciError, Tagged};
use imgc_store::{BlobDigest, Store, StoreError};
use rayon::prelude::*;

use crate::beside::{folder_beside, write_whole};
use crate::build::Taking;
use crate::describe::{self, Problem};
use crate::placing::{Part, Placing};
use crate::product::Product;

/// The folder of a layout's blobs.
pub(crate) const BLOBS: &str = "blobs/sha256";

/// The file of a layout that names its images, and the annotation that it does so with.
const INDEX: &str = "index.json";
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// Places blobs in files.
pub(crate) trait Export: Sync {
    /// Places a blob of `size` bytes in a file, verified, in one step.
    ///
    /// # Errors
    /// As [`Output::write`].
    fn export(&self, digest: &BlobDigest, size: u64, path: &Path) -> Result<(), Taking>;
}

impl Export for &dyn Store {
    fn export(&self, digest: &BlobDigest, _: u64, path: &Path) -> Result<(), Taking> {
        let exported = Store::export(*self, digest, path);
        exported.map_err(|error| taking(&error))
    }
}

/// What `-o` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// `NAME.oci` in the current folder, for each image.
    Default,
    /// `oci:DIR`.
    Folder(PathBuf),
    /// `oci-archive:FILE`.
    Archive(PathBuf),
}

impl Output {
    /// Reads the value of `-o`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, String> {
        let Some(text) = text else {
            return Ok(Self::Default);
        };
        match text.split_once(':') {
            Some(("oci", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            Some(("oci-archive", path)) if !path.is_empty() => Ok(Self::Archive(path.into())),
            _ => Err(format!(
                "`{text}` is no output: expected oci:DIR or oci-archive:FILE"
            )),
        }
    }

    /// The one folder that images of these names go to, if it is one.
    pub(crate) fn folder(&self, names: &[&str]) -> Option<PathBuf> {
        match (self, names) {
            (Self::Default, [name]) => Some(folder_of(name)),
            (Self::Folder(folder), _) => Some(folder.clone()),
            _ => None,
        }
    }

    /// Writes images where this says: each to its own folder, or all to one. Some layers may
    /// have been placed before.
    ///
    /// # Errors
    /// [`Taking::Damaged`] where a blob is not what it is named; what the disk says.
    pub(crate) fn write(
        &self,
        images: &[Product],
        store: &dyn Store,
        placing: &Placing<'_>,
    ) -> Result<(), Taking> {
        let write = |folder: &Path, images: &[Product]| {
            write_folder(folder, &layout(images)?, &store, placing.take(folder))
        };
        match self {
            Self::Default => images
                .iter()
                .try_for_each(|image| write(&folder_of(&image.name), std::slice::from_ref(image))),
            Self::Folder(folder) => write(folder, images),
            Self::Archive(file) => write_archive(file, &layout(images)?, &store),
        }
    }
}

/// Where an image goes if nobody says where.
fn folder_of(name: &str) -> PathBuf {
    PathBuf::from(format!("{name}.oci"))
}

fn layout(images: &[Product]) -> Result<Layout, Problem> {
    let tagged: Vec<Tagged<'_>> = images
        .iter()
        .map(|product| Tagged {
            reference: &product.name,
            target: product.target(),
        })
        .collect();
    Layout::new(&tagged).map_err(|error| describe::oci(&error))
}

/// A new folder is made beside its place and moved there when it is whole. `begun` is one
/// that was made there before, with blobs in it.
#[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
pub(crate) fn write_folder(
    folder: &Path,
    layout: &Layout,
    blobs: &dyn Export,
    begun: Option<Part>,
) -> Result<(), Taking> {
    if !is_new(folder)? {
        check_is_replaced(folder, layout)?;
        fill_folder(folder, layout, blobs)?;
        remove_strays(folder, layout)?;
        return Ok(());
    }
    let wrote = |error| describe::disk("write", folder, &error);
    let (mut part, _lock) = match begun {
        Some(begun) => begun,
        None => folder_beside(folder).map_err(wrote)?,
    };
    fill_folder(part.path(), layout, blobs)?;
    remove_strays(part.path(), layout)?;
    std::fs::rename(part.path(), folder).map_err(wrote)?;
    part.disable_cleanup(true);
    Ok(())
}

/// Writes what is not there yet: blobs first and the index last, each file in one
/// step, so that an earlier image in the folder stays whole until the new one is.
#[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
fn fill_folder(folder: &Path, layout: &Layout, source: &dyn Export) -> Result<(), Taking> {
    let wrote = |path: &Path, error: &std::io::Error| describe::disk("write", path, error);
    let blobs = folder.join(BLOBS);
    std::fs::create_dir_all(&blobs).map_err(|error| wrote(&blobs, &error))?;
    let (blobs, documents): (Vec<_>, Vec<_>) = layout
        .files()
        .partition(|(_, file)| matches!(file, LayoutFile::Blob { .. }));
    // Flushing a file waits for the disk: several wait together.
    let written: Vec<Result<(), Taking>> = blobs
        .par_iter()
        .map(|(path, file)| fill_file(&folder.join(path), file, source))
        .collect();
    written.into_iter().collect::<Result<(), Taking>>()?;
    for (path, file) in documents {
        fill_file(&folder.join(path), file, source)?;
    }
    Ok(())
}

/// Writes a file of a layout, unless it is there.
#[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
fn fill_file(path: &Path, file: &LayoutFile, source: &dyn Export) -> Result<(), Taking> {
    match file {
        LayoutFile::Blob { digest, size } => {
            let there = std::fs::symlink_metadata(path);
            if there.is_ok_and(|there| there.is_file() && there.len() == *size) {
                return Ok(());
            }
            source.export(digest, *size, path)
        }
        LayoutFile::Bytes(bytes) => {
            if std::fs::read(path).is_ok_and(|there| there == *bytes) {
                return Ok(());
            }
            Ok(write_whole(path, |file| file.write_all(bytes))?)
        }
    }
}

/// Whether nothing is there yet, or an empty folder. One that holds other things than
/// a layout is left alone.
pub(crate) fn is_new(folder: &Path) -> Result<bool, Problem> {
    let is_empty = match folder.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(describe::disk("write", folder, &error)),
    };
    if is_empty {
        return Ok(true);
    }
    if folder.join("oci-layout").is_file() {
        return Ok(false);
    }
    let message = format!("{} is there, and is not an OCI layout", folder.display());
    Err(Problem::new(message).help("say where the layout goes with -o oci:DIR"))
}

/// A layout with other images than those that are written now is somebody's work: it is
/// left alone.
#[expect(
    clippy::disallowed_methods,
    reason = "what stands there decides whether it may go"
)]
fn check_is_replaced(folder: &Path, layout: &Layout) -> Result<(), Problem> {
    let path = folder.join(INDEX);
    let there = std::fs::read(&path).map_err(|error| describe::disk("read", &path, &error))?;
    let new = layout.files().find_map(|(path, file)| match file {
        LayoutFile::Bytes(bytes) if path == INDEX => Some(references(bytes)),
        _ => None,
    });
    let new = new.flatten().unwrap_or_default();
    let other = match references(&there) {
        Some(names) => names.into_iter().find(|name| !new.contains(name)),
        None => Some("an index that imgc did not write".to_owned()),
    };
    other.map_or(Ok(()), |name| {
        Err(Problem::new(format!(
            "the layout {} holds another image: {name}",
            folder.display()
        ))
        .help("remove it, or write to another folder with -o oci:DIR"))
    })
}

/// The names of a layout's images. None where one has no name, or this is no index.
fn references(index: &[u8]) -> Option<BTreeSet<String>> {
    let index: serde_json::Value = serde_json::from_slice(index).ok()?;
    let manifests = index.get("manifests")?.as_array()?;
    manifests
        .iter()
        .map(|manifest| {
            let name = manifest.get("annotations")?.get(REFERENCE)?.as_str()?;
            Some(name.to_owned())
        })
        .collect()
}

/// Takes away the blobs of an image that stood there before.
#[expect(
    clippy::disallowed_methods,
    reason = "blobs that nothing names are not part of the result"
)]
fn remove_strays(folder: &Path, layout: &Layout) -> Result<(), Problem> {
    let blobs = folder.join(BLOBS);
    let Ok(entries) = blobs.read_dir() else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = format!("{BLOBS}/{name}");
        if layout.files().all(|(known, _)| known != path) {
            std::fs::remove_file(entry.path())
                .map_err(|error| describe::disk("remove", &entry.path(), &error))?;
        }
    }
    Ok(())
}

pub(crate) fn write_archive(file: &Path, layout: &Layout, blobs: &dyn Blobs) -> Result<(), Taking> {
    let mut failed = None;
    let written = write_whole(file, |out| {
        let mut out = BufWriter::new(out);
        match layout.write_archive_of(blobs, &mut out) {
            Ok(()) => out.flush(),
            Err(OciError::Archive(error)) => Err(error),
            Err(OciError::Store(error)) => {
                failed = Some(taking(&error));
                Err(std::io::ErrorKind::Other.into())
            }
            Err(OciError::Invalid {
                problem: imgc_oci::Problem::Damaged,
                ..
            }) => {
                failed = Some(Taking::Damaged);
                Err(std::io::ErrorKind::Other.into())
            }
            Err(error) => {
                failed = Some(describe::oci(&error).into());
                Err(std::io::ErrorKind::Other.into())
            }
        }
    });
    failed.map_or(written.map_err(Taking::from), Err)
}

/// What the store says where a blob is taken from it.
fn taking(error: &StoreError) -> Taking {
    match error {
        StoreError::Absent(_) => Taking::Damaged,
        error => describe::store(error).into(),
    }
}
