//! What a command line calls an image: a `.img` file, a layout, an archive. Looks at what
//! there is, and opens no image.

use std::fs::File;
use std::path::{Path, PathBuf};

use imgc_oci::ArtifactReference;
use imgc_oci::read::{ArchiveIndex, Wanted};

use crate::describe::{self, Problem};
use crate::registry;
use crate::target::Target;

/// An image by its name.
#[derive(Debug)]
pub(super) enum ImageName {
    /// `FILE.img`, `FILE#NAME`: built first.
    Built(Target),
    /// `oci:DIR`, or a folder with an `oci-layout`.
    Layout(PathBuf, Wanted),
    /// `oci-archive:FILE`, or an archive with an `oci-layout`.
    OciArchive(PathBuf, Wanted),
    /// `docker-archive:FILE`, or another archive with a `manifest.json`.
    DockerArchive(PathBuf, Wanted),
    /// `docker://HOST/NAME`: fetched as far as it is read.
    Registry(ArtifactReference),
}

/// What there is to say in place of a name that leads nowhere.
const EXPECTED: &str = "an image is FILE.img, oci:DIR, oci-archive:FILE, docker-archive:FILE or docker://HOST/NAME, \
     with :TAG or @DIGEST";

impl ImageName {
    /// Reads a name.
    ///
    /// # Errors
    /// A path that is not there, or is no image.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        if let Some(name) = text.strip_prefix("docker://") {
            let named = registry::named(name);
            return named.map(Self::Registry).map_err(Problem::new);
        }
        if let Some(rest) = text.strip_prefix("oci:") {
            return split(rest, text).map(|(path, wanted)| Self::Layout(path, wanted));
        }
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            return split(rest, text).map(|(path, wanted)| Self::OciArchive(path, wanted));
        }
        if let Some(rest) = text.strip_prefix("docker-archive:") {
            return split(rest, text).map(|(path, wanted)| Self::DockerArchive(path, wanted));
        }
        let target = Target::of(Path::new(text));
        let is_source = |path: &Path| path.extension().is_some_and(|ending| ending == "img");
        if is_source(&target.file) && !target.file.is_dir() {
            return Ok(Self::Built(target));
        }
        let (path, wanted) = split(text, text)?;
        if path.is_dir() {
            if path.join("oci-layout").is_file() {
                return Ok(Self::Layout(path, wanted));
            }
            return Err(
                Problem::new(format!("{} is a folder, and no OCI layout", path.display()))
                    .help(EXPECTED),
            );
        }
        let Ok(index) = index(&path) else {
            return match wanted {
                Wanted::Only => Ok(Self::Built(target)),
                _ => Err(Problem::new(format!("{} is no image", path.display())).help(EXPECTED)),
            };
        };
        if index.find("oci-layout").is_some() && index.find("index.json").is_some() {
            Ok(Self::OciArchive(path, wanted))
        } else if index.find("manifest.json").is_some() {
            Ok(Self::DockerArchive(path, wanted))
        } else {
            Err(Problem::new(format!(
                "{} is an archive, but not of an image",
                path.display()
            ))
            .help(EXPECTED))
        }
    }
}

/// The files of an archive.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
pub(super) fn index(path: &Path) -> std::io::Result<ArchiveIndex> {
    if !path.metadata()?.is_file() {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    ArchiveIndex::read(File::open(path)?)
}

/// Takes `:TAG` or `@DIGEST` off a path: what stands before it has to be there.
fn split(rest: &str, whole: &str) -> Result<(PathBuf, Wanted), Problem> {
    let path = Path::new(rest);
    if !rest.is_empty() && path.exists() {
        return Ok((path.to_owned(), Wanted::Only));
    }
    if let Some((path, digest)) = rest.rsplit_once('@')
        && Path::new(path).exists()
    {
        let digest = digest.parse().map_err(|_| {
            Problem::new(format!(
                "`{digest}` is no digest: it is sha256: and 64 digits"
            ))
        })?;
        return Ok((path.into(), Wanted::Digest(digest)));
    }
    for (at, _) in rest.match_indices(':') {
        let (path, tag) = (&rest[..at], &rest[at + 1..]);
        if !path.is_empty() && !tag.is_empty() && Path::new(path).exists() {
            return Ok((path.into(), Wanted::Tag(tag.to_owned())));
        }
    }
    let problem = match path.symlink_metadata() {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            describe::disk("read", path, &error)
        }
        _ => Problem::new(format!(
            "there is no image `{whole}`: no such file or folder"
        )),
    };
    Err(problem.help(EXPECTED))
}
