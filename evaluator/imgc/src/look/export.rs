//! `imgc export`: an image in another form. Writes nothing but what `-o` says.

use std::fs::File;
use std::io::{BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use imgc_oci::read::{
    Contents, Limits, Opened, ReadError, manifest_of, write_docker, write_rootfs,
};
use imgc_oci::{Blobs, Layout, OciError};
use imgc_plan::FileDigest;
use imgc_store::BlobDigest;

use super::folder;
use super::open::{Held, Looking};
use crate::beside::write_whole;
use crate::build::Taking;
use crate::cli::ExportArgs;
use crate::describe::{self, Problem};
use crate::output;
use crate::terminal::{Failure, Terminal};

/// What `-o` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Tar(PathBuf),
    Folder(PathBuf),
    DockerArchive(PathBuf),
    OciArchive(PathBuf),
    Oci(PathBuf),
}

impl Form {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form = match text.split_once(':') {
            Some(("tar", path)) => Some((Self::Tar as fn(_) -> _, path)),
            Some(("dir", path)) => Some((Self::Folder as fn(_) -> _, path)),
            Some(("docker-archive", path)) => Some((Self::DockerArchive as fn(_) -> _, path)),
            Some(("oci-archive", path)) => Some((Self::OciArchive as fn(_) -> _, path)),
            Some(("oci", path)) => Some((Self::Oci as fn(_) -> _, path)),
            _ => None,
        };
        match form {
            Some((form, path)) if !path.is_empty() => Ok(form(path.into())),
            _ => Err(format!(
                "`{text}` is no output: expected tar:FILE, dir:DIR, docker-archive:FILE, \
                 oci-archive:FILE or oci:DIR"
            )),
        }
    }
}

/// Writes an image in another form.
pub(crate) fn run(args: &ExportArgs, terminal: &Terminal) -> Result<(), Failure> {
    let form = Form::parse(&args.output).map_err(Failure::Usage)?;
    let looking = Looking::new(&args.look, terminal);
    let held = looking.hold(&args.image)?;
    let image = held.open()?;
    write(&form, &held, &image, terminal)
}

/// Writes an image in a form.
pub(super) fn write(
    form: &Form,
    held: &Held<'_>,
    image: &Opened<'_>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    // All digests are checked before anything is written.
    let contents = held.contents(image)?;
    match form {
        Form::Tar(file) => archive(file, held, |out| {
            write_rootfs(image, &contents, &Limits::IMAGE, out)
        })?,
        Form::Folder(folder) => folder::write(folder, held, image, &contents, terminal)?,
        Form::DockerArchive(file) => docker(file, held, image, &contents)?,
        Form::OciArchive(file) => {
            let layout = layout(image)?;
            output::write_archive(file, &layout, &Source(image)).map_err(Problem::from)?;
        }
        Form::Oci(folder) => {
            let layout = layout(image)?;
            output::write_folder(folder, &layout, &Source(image), None).map_err(Problem::from)?;
        }
    }
    Ok(())
}

fn docker(
    file: &Path,
    held: &Held<'_>,
    image: &Opened<'_>,
    contents: &Contents,
) -> Result<(), Problem> {
    // docker loads no name without a tag.
    let tag = image.name.as_deref().map(|name| {
        let last = name.rsplit('/').next().unwrap_or(name);
        match last.contains(':') {
            true => name.to_owned(),
            false => format!("{name}:latest"),
        }
    });
    archive(file, held, |out| {
        write_docker(image, contents, tag.as_deref(), &Limits::IMAGE, out)
    })
}

fn archive(
    file: &Path,
    held: &Held<'_>,
    write: impl FnOnce(&mut dyn std::io::Write) -> Result<(), ReadError>,
) -> Result<(), Problem> {
    let mut failed = None;
    let written = write_whole(file, |out| {
        let mut out = BufWriter::with_capacity(1 << 20, out);
        match write(&mut out) {
            Ok(()) => out.flush(),
            Err(ReadError::Taking(error)) => Err(error),
            Err(error) => {
                failed = Some(held.problem(&error));
                Err(std::io::ErrorKind::Other.into())
            }
        }
    });
    failed.map_or(written, Err)
}

fn layout(image: &Opened<'_>) -> Result<Layout, Problem> {
    let name = image.name.as_deref().unwrap_or("latest");
    let layout = Layout::of_opened(name, image, &manifest_of(image));
    layout.map_err(|error| describe::oci(&error))
}

/// The blobs of an image that was read.
struct Source<'a>(&'a Opened<'a>);

impl Blobs for Source<'_> {
    fn open<'a>(
        &'a self,
        digest: &BlobDigest,
        _: u64,
    ) -> Result<Option<Box<dyn Read + 'a>>, OciError> {
        match self.0.blob(digest) {
            Ok(blob) => Ok(Some(blob)),
            Err(ReadError::File { error, .. }) => Err(OciError::Archive(error)),
            Err(_) => Ok(None),
        }
    }

    fn discard(&self, _: &BlobDigest) -> Result<(), OciError> {
        Ok(())
    }
}

impl output::Export for Source<'_> {
    fn export(&self, digest: &BlobDigest, size: u64, path: &Path) -> Result<(), Taking> {
        let blob = self.open(digest, size);
        let blob = blob.map_err(|error| describe::oci(&error))?;
        let mut blob = blob.ok_or(Taking::Damaged)?;
        let written = write_whole(path, |out| {
            let from = &mut blob;
            let (found, length) = FileDigest::of_reader(Tee { from, out })?;
            if found.hex() == digest.hex() && length == size {
                return Ok(());
            }
            let text = "a layer has changed while it was read";
            Err(std::io::Error::new(std::io::ErrorKind::InvalidData, text))
        });
        Ok(written?)
    }
}

/// Writes what is read through it.
struct Tee<'a> {
    from: &'a mut dyn Read,
    out: &'a mut File,
}

impl Read for Tee<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buf)?;
        self.out.write_all(&buf[..read])?;
        Ok(read)
    }
}
