//! Opening images by their names: building what has to be built, and handing the files of
//! layouts and archives to the reader.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgc_oci::read::{
    ArchiveIndex, Contents, Files, Found, Limits, Opened, ReadError, ReadLayer, StoreFiles, Wanted,
    open_docker, open_layout, open_manifest,
};
use imgc_oci::{ArtifactReference, Descriptor, PushError, RegistryImage};
use imgc_plan::Platform;
use imgc_store::{BlobDigest, DiskStore};
use rayon::prelude::*;

use super::name::{self, ImageName};
use super::words;
use crate::build;
use crate::cli::LookArgs;
use crate::describe::{self, Problem};
use crate::registry::{self, Web, credentials};
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::Work;

/// What an image's manifest is where it was built here.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// How many layers are fetched at once.
const AT_ONCE: usize = 4;

/// Opens images. What building takes is set up once, and only where something is built.
pub(super) struct Looking<'a> {
    args: &'a LookArgs,
    terminal: &'a Terminal,
    work: OnceCell<Work>,
    web: OnceCell<Web>,
}

/// The files of an image, so that they can be read.
#[derive(Debug)]
pub(super) struct Held<'a> {
    /// As the command line has it.
    pub(super) shown: String,
    from: From<'a>,
    platform: Platform,
    /// The platform that the command line asks for.
    wanted: Option<Platform>,
}

#[derive(Debug)]
enum From<'a> {
    Registry(Box<RegistryImage<'a>>),
    Store {
        store: Arc<DiskStore>,
        name: String,
        manifest: Descriptor,
    },
    Layout(PathBuf, Wanted),
    OciArchive(PathBuf, ArchiveIndex, Wanted),
    DockerArchive(PathBuf, ArchiveIndex, Wanted),
}

impl<'a> Looking<'a> {
    /// Sets nothing up.
    pub(super) fn new(args: &'a LookArgs, terminal: &'a Terminal) -> Self {
        Self {
            args,
            terminal,
            work: OnceCell::new(),
            web: OnceCell::new(),
        }
    }

    /// The platform that is looked at, of several.
    pub(super) fn platform(&self) -> Platform {
        self.args.work.evaluation.platform()
    }

    /// What builds and evaluates.
    pub(super) fn work(&self) -> Result<&Work, Failure> {
        if let Some(work) = self.work.get() {
            return Ok(work);
        }
        let work = Work::begin(&self.args.work)?;
        Ok(self.work.get_or_init(|| work))
    }

    /// Finds an image by its name, and builds it if it is to be built.
    pub(super) fn hold(&self, text: &str) -> Result<Held<'_>, Failure> {
        self.args.work.evaluation.check_one_platform()?;
        let from = match ImageName::parse(text)? {
            ImageName::Built(target) => self.build(&target)?,
            ImageName::Layout(folder, wanted) => From::Layout(folder, wanted),
            ImageName::OciArchive(file, wanted) => {
                let index = indexed(&file)?;
                From::OciArchive(file, index, wanted)
            }
            ImageName::DockerArchive(file, wanted) => {
                let index = indexed(&file)?;
                From::DockerArchive(file, index, wanted)
            }
            ImageName::Registry(reference) => return self.hold_reference(text, &reference),
        };
        Ok(Held {
            shown: text.to_owned(),
            from,
            platform: self.args.work.evaluation.platform(),
            wanted: self.args.work.evaluation.platforms.first().copied(),
        })
    }

    /// Finds an image of a registry.
    pub(super) fn hold_reference(
        &self,
        text: &str,
        reference: &ArtifactReference,
    ) -> Result<Held<'_>, Failure> {
        Ok(Held {
            shown: text.to_owned(),
            from: From::Registry(Box::new(self.registry(reference)?)),
            platform: self.platform(),
            wanted: self.args.work.evaluation.platforms.first().copied(),
        })
    }

    /// Asks a registry for an image. What is read of it comes into the store.
    fn registry(&self, reference: &ArtifactReference) -> Result<RegistryImage<'_>, Failure> {
        let args = &self.args.registry;
        registry::check(args, std::slice::from_ref(reference)).map_err(Failure::Usage)?;
        let login = credentials::find(&reference.host, &reference.name)?;
        let work = self.work()?;
        let web = match self.web.get() {
            Some(web) => web,
            None => {
                let web = Web::new(work.network.is_offline(), args.ca.as_deref())?;
                self.web.get_or_init(|| web)
            }
        };
        let from = registry::destination(reference, args, &login, Vec::new());
        RegistryImage::open(web, &*work.store, &from)
            .map_err(|error| registry::problem(error, &from, &login, "read").into())
    }

    fn build(&self, target: &Target) -> Result<From<'_>, Failure> {
        let work = self.work()?;
        let mut file = target.file.clone().into_os_string();
        if let Some(name) = &target.select {
            file.push("#");
            file.push(name);
        }
        let files = [PathBuf::from(file)];
        let taken = |_: &_| Ok(());
        let (mut built, progress) =
            build::all(work, &files, self.args.locked, self.terminal, &taken)?;
        progress.finish();
        build::note_work(&progress);
        if progress.realised().0 > 0 {
            work.make_room()?;
        }
        let names: Vec<String> = built.iter().map(|one| one.name.clone()).collect();
        let Some(product) = built.pop().filter(|_| built.is_empty()) else {
            let file = target.file.display();
            return Err(several(&file.to_string(), &names).into());
        };
        let image = product.of_platform(self.args.work.evaluation.platform())?;
        Ok(From::Store {
            store: Arc::clone(&work.store),
            manifest: image.manifest,
            name: product.name,
        })
    }
}

/// A file with more images than one, or none.
pub(super) fn several(file: &str, names: &[String]) -> Problem {
    if names.is_empty() {
        return Problem::new(format!("{file} has no image"));
    }
    Problem::new(format!("{file} has several images: {}", names.join(", ")))
        .help(format!("name one of the fields: {file}#NAME"))
}

impl Held<'_> {
    /// Reads the image's documents.
    pub(super) fn open(&self) -> Result<Opened<'_>, Problem> {
        let opened = match &self.from {
            From::Store { name, manifest, .. } => {
                let name = Some(name.clone());
                open_manifest(self, *manifest, MANIFEST.to_owned(), name)
            }
            From::Layout(_, wanted) | From::OciArchive(_, _, wanted) => {
                open_layout(self, wanted, self.platform)
            }
            From::Registry(_) => open_layout(self, &Wanted::Only, self.platform),
            From::DockerArchive(_, _, wanted) => open_docker(self, wanted, self.platform),
        };
        let opened = opened.map_err(|error| self.problem(&error))?;
        let is = &opened.configuration;
        match self.wanted.filter(|wanted| !is.fits(*wanted)) {
            None => Ok(opened),
            Some(wanted) => Err(Problem::new(format!(
                "{} is an image for {}, not for {wanted}",
                self.shown,
                is.platform()
            ))
            .help("leave --platform out, or name another image")),
        }
    }

    /// Brings all of an image of a registry into the store. Gives the digest of what its
    /// reference names, and how many bytes were fetched.
    pub(super) fn bring(&self, image: &Opened<'_>) -> Result<(BlobDigest, u64), Problem> {
        let From::Registry(registry) = &self.from else {
            return Err(Problem::new(format!("{} is in no registry", self.shown)));
        };
        let bring = |layer: &ReadLayer| registry.bring(&layer.descriptor.digest);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(AT_ONCE).build();
        let brought: Result<(), PushError> = match pool {
            Ok(pool) => {
                pool.install(|| image.layers.par_iter().with_max_len(1).try_for_each(bring))
            }
            Err(_) => image.layers.iter().try_for_each(bring),
        };
        brought.map_err(|error| Problem::new(format!("{} can't be read: {error}", self.shown)))?;
        Ok((registry.digest(), registry.fetched()))
    }

    /// Reads the image's layers.
    pub(super) fn contents(&self, image: &Opened<'_>) -> Result<Contents, Problem> {
        let contents = image.contents(&Limits::IMAGE);
        contents.map_err(|error| self.problem(&error))
    }

    /// What is wrong with it, in words.
    pub(super) fn problem(&self, error: &ReadError) -> Problem {
        words::reading(&self.shown, error)
    }
}

impl Files for Held<'_> {
    fn open<'a>(&'a self, name: &str) -> io::Result<Option<Found<'a>>> {
        match &self.from {
            From::Store { store, .. } => StoreFiles(&**store).found(name),
            From::Registry(image) => image.open(name),
            From::Layout(folder, _) => file_of(folder, name),
            From::OciArchive(file, index, _) | From::DockerArchive(file, index, _) => {
                member_of(file, index, name)
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
fn file_of(folder: &Path, name: &str) -> io::Result<Option<Found<'static>>> {
    let path = folder.join(name);
    let metadata = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    // Whoever opens a pipe waits for ever.
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file"));
    }
    Ok(Some(Found {
        size: metadata.len(),
        reader: Box::new(File::open(path)?),
    }))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
fn member_of(file: &Path, index: &ArchiveIndex, name: &str) -> io::Result<Option<Found<'static>>> {
    let Some(member) = index.find(name) else {
        return Ok(None);
    };
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(member.offset))?;
    Ok(Some(Found {
        size: member.size,
        reader: Box::new(file.take(member.size)),
    }))
}

fn indexed(file: &Path) -> Result<ArchiveIndex, Problem> {
    name::index(file).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Problem::new(format!(
            "{} is no uncompressed tar archive: {error}",
            file.display()
        ))
        .help("decompress it first, if it is compressed"),
        _ => describe::disk("read", file, &error),
    })
}
