//! Where commands that build nothing work: the files of one folder with what stands in
//! their place, and a session of the language over them.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgc_apt::Lock;
use imgc_diag::{Diagnostic, FileId, Severity};
use imgc_plan::{FileDigest, Plan};
use imgc_store::Store;

use crate::cli::EvaluationArgs;
use crate::describe::{self, Problem};
use crate::lock_file::LockFile;
use crate::network::Network;
use crate::project::Project;
use crate::remote::{Cache, Policy, Remotes};
use imgc_eval::{Limits, Options, Origins, Overlay, Session, World};

/// The files of one folder.
pub(crate) struct Desk {
    /// What stands in the place of files.
    pub(crate) files: Arc<Overlay>,
    /// What is known of them.
    pub(crate) session: Session,
    /// The folder, as a path from the project's root.
    folder: String,
    /// The lock of the folder.
    lock: Lock,
    cache: Arc<Cache>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// The desks of a command, by folder.
#[derive(Debug)]
pub(crate) struct Desks {
    network: Arc<Network>,
    cache: Arc<Cache>,
    options: Options,
    by_folder: BTreeMap<PathBuf, Desk>,
}

/// What is found in a file.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The diagnostics, in the order of the source.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The texts that they are about.
    pub(crate) sources: BTreeMap<FileId, String>,
}

impl Desks {
    /// No desk yet. Without `network`, nothing is fetched, whatever `args` say.
    pub(crate) fn new(args: &EvaluationArgs, network: bool) -> Self {
        Self {
            network: Arc::new(Network::new(args.offline || !network, Arc::default())),
            cache: Arc::new(Cache::later(args.store.clone())),
            options: options(args, None),
            by_folder: BTreeMap::new(),
        }
    }

    /// The options of the command line; of the file, the field `select`.
    pub(crate) fn options(&self, select: Option<&str>) -> Options {
        Options {
            select: select.map(str::to_owned),
            ..self.options.clone()
        }
    }

    /// The desk that `file` lies on, and the file's path in its project.
    ///
    /// # Errors
    /// A file that is not there, or a lock that can't be read.
    pub(crate) fn of_file(&mut self, file: &Path) -> Result<(&mut Desk, String), Problem> {
        let real = file.canonicalize();
        let real = real.map_err(|error| describe::disk("read", file, &error))?;
        let folder = real.parent().unwrap_or(Path::new("/")).to_owned();
        let name = real.file_name().and_then(|name| name.to_str());
        let name = name
            .ok_or_else(|| Problem::new(format!("the name of {} is not UTF-8", file.display())))?;
        let desk = self.of_folder(&folder)?;
        let entry = desk.path(name);
        Ok((desk, entry))
    }

    /// The desk of a folder.
    ///
    /// # Errors
    /// As [`Desks::of_file`].
    pub(crate) fn of_folder(&mut self, folder: &Path) -> Result<&mut Desk, Problem> {
        let found = folder.canonicalize();
        let folder = found.map_err(|error| describe::disk("read", folder, &error))?;
        if !self.by_folder.contains_key(&folder) {
            let lock = LockFile::beside(&folder.join("any"))?.lock;
            let remotes = Remotes::new(Policy::Pinned, &lock, &self.network, &self.cache);
            let (project, path) = Project::around(&folder, Arc::new(remotes))
                .map_err(|error| describe::disk("read", &folder, &error))?;
            let files = Arc::new(Overlay::over(Arc::new(project)));
            let session = Session::new(files.clone());
            let desk = Desk {
                files,
                session,
                folder: path,
                lock,
                cache: Arc::clone(&self.cache),
            };
            self.by_folder.insert(folder.clone(), desk);
        }
        Ok(self
            .by_folder
            .get_mut(&folder)
            .expect("it was there, or has just been made"))
    }
}

impl Desk {
    /// The path in the project of what is named `name` in this folder.
    pub(crate) fn path(&self, name: &str) -> String {
        match self.folder.as_str() {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        }
    }

    /// Puts a text in the place of a file.
    pub(crate) fn put(&mut self, path: &str, text: &str) {
        self.files.set(path, Some(text.into()));
        self.session.refresh();
    }

    /// Takes it away again.
    pub(crate) fn take_away(&mut self, path: &str) {
        self.files.set(path, None);
        self.session.refresh();
    }

    /// Everything that is wrong with a file, without building: names and types, then what
    /// evaluation finds. A file that is no image is evaluated to what it is.
    pub(crate) fn findings(&mut self, entry: &str, options: &Options) -> Findings {
        let checked = self.session.check(entry, options);
        let mut findings = Findings {
            diagnostics: checked.diagnostics,
            sources: checked.sources,
        };
        if has_errors(&findings.diagnostics) {
            return findings;
        }
        let mut further = Vec::new();
        let mut is_image = false;
        let is_function = is_function(&mut self.session, entry);
        let mut options = options.clone();
        if !is_function {
            // They are for another file.
            options.arguments.clear();
        }
        let options = &options;
        if !is_function || !options.arguments.is_empty() {
            let evaluated = self.session.evaluate(entry, options);
            is_image = !evaluated.diagnostics.iter().any(is_no_image);
            findings.sources.extend(evaluated.sources);
            further = evaluated.diagnostics;
            further.retain(|diagnostic| !is_no_image(diagnostic));
            if let Some(plan) = &evaluated.plan {
                further.extend(self.unknown_packages(plan, &evaluated.origins));
                further.extend(self.lacking(plan, &evaluated.origins));
            }
        }
        if !is_image {
            let shown = self.session.show(entry, options);
            findings.sources.extend(shown.sources);
            further.extend(shown.diagnostics);
        }
        for diagnostic in further {
            if !findings.diagnostics.contains(&diagnostic) {
                findings.diagnostics.push(diagnostic);
            }
        }
        findings
    }

    /// The packages of a plan that the archives of the lock do not have, if that can be
    /// told without the network.
    fn unknown_packages(&self, plan: &Plan, origins: &Origins) -> Vec<Diagnostic> {
        let open = OnceCell::new();
        let store = || {
            let open = open.get_or_init(|| self.cache.store().ok());
            open.as_deref().map(|store| store as &dyn Store)
        };
        let errors = imgc_build::unknown_packages(plan, &self.lock, store);
        let told = errors.iter();
        told.filter_map(|error| describe::diagnostic(error, origins))
            .collect()
    }

    /// The programs of a plan that lack something, if that can be told without building.
    fn lacking(&self, plan: &Plan, origins: &Origins) -> Vec<Diagnostic> {
        let open = OnceCell::new();
        let store = || {
            let open = open.get_or_init(|| self.cache.store().ok());
            open.as_deref().map(|store| store as &dyn Store)
        };
        let files = Files {
            plan,
            world: &*self.files,
        };
        let errors = imgc_build::lacking(plan, &self.lock, store, &files);
        let told = errors.iter();
        told.flat_map(|error| describe::diagnostics(error, origins))
            .collect()
    }
}

/// The files of a plan, as a world has them.
pub(crate) struct Files<'a> {
    /// Where they stand.
    pub(crate) plan: &'a Plan,
    /// The world.
    pub(crate) world: &'a dyn World,
}

impl imgc_build::Sources for Files<'_> {
    fn open(&self, digest: &FileDigest) -> std::io::Result<Box<dyn std::io::Read>> {
        let path = self.plan.sources.get(digest);
        let path = path.ok_or(std::io::ErrorKind::NotFound)?;
        let read = |len| {
            let read = self.world.read(path, 0, len);
            read.map_err(|_| std::io::Error::from(std::io::ErrorKind::NotFound))
        };
        let start = read(4)?;
        // Most files are none that anybody reads further.
        let bytes = match start.starts_with(b"\x7fELF") {
            true => read(usize::MAX >> 1)?,
            false => start,
        };
        Ok(Box::new(std::io::Cursor::new(bytes)))
    }
}

/// What the command line says about evaluation.
pub(crate) fn options(args: &EvaluationArgs, select: Option<&str>) -> Options {
    Options {
        platform: args.platform(),
        limits: Limits::default(),
        arguments: args.arguments.iter().cloned().collect(),
        select: select.map(str::to_owned),
    }
}

/// Whether a file is a function, so that it has no value without arguments.
pub(crate) fn is_function(session: &mut Session, entry: &str) -> bool {
    let ty = session.type_of(entry, None).unwrap_or_default();
    imgc_eval::is_function_type(&ty)
}

/// Whether nothing can be built because of one of them.
pub(crate) fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// Whether it only says that a file is something else than an image.
pub(crate) fn is_no_image(diagnostic: &Diagnostic) -> bool {
    diagnostic.code == imgc_diag::codes::NOT_AN_IMAGE
}
