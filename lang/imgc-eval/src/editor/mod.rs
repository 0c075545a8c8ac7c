//! What an editor asks of a project while it is written: every file of it is one program,
//! over the same database that the command line uses.
//!
//! [`Workbench`] is changed on one thread, [`Snapshot`]s of it are asked on others. A change
//! ends what is being answered. Nothing here is evaluated, and no answer is in words of an
//! editor's protocol.

mod names;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use imgc_diag::{Diagnostic, FileId};

use crate::ir::ModuleName;
use crate::load::{Program, Texts, file_id, load_all};
use crate::path;
use crate::queries::{Counters, Database, Db as _, SourceFile};
use crate::session::{self, Pool};
use crate::world::{Entry, Stat, World, WorldError};

pub use names::{Definition, Export, Names, Scope, Target, Use};
pub use view::FileView;

/// How many threads load, how many check, and how many answer.
const LOADERS: usize = 2;
const CHECKERS: usize = 4;
const ANSWERERS: usize = 4;

/// A question was given up: what it was about has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was asked about has changed")
    }
}

impl std::error::Error for Cancelled {}

/// The files of a project, as they are being written.
pub struct Workbench {
    db: Database,
    texts: Texts,
    entries: BTreeSet<ModuleName>,
    program: Arc<Program>,
    is_stale: bool,
    pools: Arc<Pools>,
}

/// The project at one moment.
#[derive(Clone)]
pub struct Snapshot {
    db: Database,
    program: Arc<Program>,
    pools: Arc<Pools>,
}

/// What can be asked of a [`Snapshot`], on a thread with a stack that deep programs fit in.
pub struct Semantics {
    pub(super) db: Database,
    program: Arc<Program>,
}

/// The threads. Who loads waits for all who ask, so that each has its own.
struct Pools {
    load: Pool,
    check: Pool,
    answer: Pool,
}

/// All projects share them.
static POOLS: OnceLock<Result<Arc<Pools>, String>> = OnceLock::new();

impl Pools {
    fn start() -> Result<Arc<Self>, String> {
        let pool = |threads| Pool::of(threads).map_err(|error| error.to_string());
        Ok(Arc::new(Self {
            load: pool(LOADERS)?,
            check: pool(CHECKERS)?,
            answer: pool(ANSWERERS)?,
        }))
    }
}

impl fmt::Debug for Workbench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workbench").finish_non_exhaustive()
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl fmt::Debug for Semantics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semantics").finish_non_exhaustive()
    }
}

impl Workbench {
    /// A project without files.
    ///
    /// # Errors
    /// What the system says where there are no threads to be had.
    pub fn new(world: Arc<dyn World>) -> Result<Self, String> {
        let pools = POOLS.get_or_init(Pools::start).clone()?;
        Ok(Self {
            db: Database::for_writing(world),
            texts: Texts::new(),
            entries: BTreeSet::new(),
            program: Arc::default(),
            is_stale: true,
            pools,
        })
    }

    /// Adds a file of the project, by its path from the root.
    pub fn add(&mut self, path: &str) {
        if let Some(name) = project_file(path) {
            self.is_stale |= self.entries.insert(name);
        }
    }

    /// Takes a file away. It is still there for those that import it.
    pub fn remove(&mut self, path: &str) {
        if let Some(name) = project_file(path) {
            self.is_stale |= self.entries.remove(&name);
        }
    }

    /// Says that the text of a file may be another now.
    pub fn touch(&mut self, path: &str) {
        if let Some(name) = project_file(path) {
            self.texts.remove(&name);
            self.db.write(name);
            self.is_stale = true;
        }
    }

    /// Asks the world again for everything.
    pub fn refresh(&mut self) {
        self.texts.clear();
        self.db.refresh();
        self.is_stale = true;
    }

    /// The project as it is now. Ends what is being answered about an earlier one, if
    /// anything has changed, and waits until every [`Snapshot`] of it is gone: none may be
    /// kept on this thread.
    pub fn snapshot(&mut self) -> Snapshot {
        if std::mem::take(&mut self.is_stale) {
            let entries: Vec<ModuleName> = self.entries.iter().cloned().collect();
            let pools = self.pools.clone();
            let (db, texts) = (&mut self.db, &mut self.texts);
            let program = pools.load.install(move || load_all(db, texts, &entries));
            self.program = Arc::new(program);
        }
        Snapshot {
            db: self.db.clone(),
            program: self.program.clone(),
            pools: self.pools.clone(),
        }
    }

    /// How much work was done so far.
    pub fn counters(&self) -> Counters {
        self.db.counters()
    }
}

impl Snapshot {
    /// Asks something small.
    ///
    /// # Errors
    /// [`Cancelled`] where the project changes before there is an answer.
    pub fn ask<R: Send>(self, work: impl FnOnce(&Semantics) -> R + Send) -> Result<R, Cancelled> {
        let pools = self.pools.clone();
        self.on(&pools.answer, work)
    }

    /// Everything that is wrong with syntax, names and types in all files.
    ///
    /// # Errors
    /// As [`Snapshot::ask`].
    pub fn check(self) -> Result<BTreeMap<FileId, Vec<Diagnostic>>, Cancelled> {
        let pools = self.pools.clone();
        self.on(&pools.check, |semantics| {
            let found = session::findings(&semantics.db, &semantics.program);
            let mut by_file: BTreeMap<FileId, Vec<Diagnostic>> = BTreeMap::new();
            for diagnostic in found {
                let file = diagnostic.primary.span.file.clone();
                by_file.entry(file).or_default().push(diagnostic);
            }
            by_file
        })
    }

    /// What is wrong with one file, as far as that file alone tells: sooner than
    /// [`Snapshot::check`], which knows all of it.
    ///
    /// # Errors
    /// As [`Snapshot::ask`].
    pub fn check_file(self, id: &FileId) -> Result<Vec<Diagnostic>, Cancelled> {
        let pools = self.pools.clone();
        self.on(&pools.answer, |semantics| {
            let Some(file) = semantics.source_file(id) else {
                return Vec::new();
            };
            let mut found = session::findings_in(&semantics.db, &semantics.program, file);
            found.retain(|diagnostic| diagnostic.primary.span.file == *id);
            found
        })
    }

    fn on<R: Send>(
        self,
        pool: &Pool,
        work: impl FnOnce(&Semantics) -> R + Send,
    ) -> Result<R, Cancelled> {
        let semantics = Semantics {
            db: self.db,
            program: self.program,
        };
        let done =
            salsa::Cancelled::catch(AssertUnwindSafe(|| pool.install(move || work(&semantics))));
        done.map_err(|_| Cancelled)
    }
}

impl Semantics {
    /// The files, the project's and those that they import, sorted by name.
    pub fn files(&self) -> Vec<FileId> {
        let files = self.program.files.iter();
        let mut files: Vec<FileId> = files.map(|file| file_id(file.name(&self.db))).collect();
        files.sort();
        files
    }

    /// A file that is loaded.
    pub fn file(&self, id: &FileId) -> Option<FileView<'_>> {
        let file = self.source_file(id)?;
        Some(FileView::of(self, file))
    }

    /// The same file with another text.
    pub fn sketch(&self, id: &FileId, text: &str) -> Option<FileView<'_>> {
        let file = self.source_file(id)?;
        Some(FileView::sketch(self, file, text))
    }

    /// The text of a file that is loaded.
    pub fn text(&self, id: &FileId) -> Option<Arc<str>> {
        self.source_file(id)?.text(&self.db).clone()
    }

    /// Whether a file is one of the project's, which can be changed.
    pub fn is_project_file(&self, id: &FileId) -> bool {
        let file = self.source_file(id);
        file.is_some_and(|file| matches!(file.name(&self.db), ModuleName::Project(_)))
    }

    /// The modules that come with imgc.
    pub fn std_modules(&self) -> Vec<String> {
        self.db.world().std_modules()
    }

    /// The text of a module that comes with imgc, loaded or not.
    pub fn std_module(&self, name: &str) -> Option<String> {
        self.db.world().std_module(name)
    }

    /// What is in a folder of the project.
    ///
    /// # Errors
    /// As [`World::list`].
    pub fn list(&self, folder: &str) -> Result<Vec<Entry>, WorldError> {
        self.db.world().list(folder)
    }

    /// What stands at a path of the project.
    ///
    /// # Errors
    /// As [`World::stat`].
    pub fn stat(&self, path: &str) -> Result<Stat, WorldError> {
        self.db.world().stat(path)
    }

    /// The path from the root that a path in a file means. `None`: it leads out of the
    /// project, or the file is none of the project's.
    pub fn resolve(&self, id: &FileId, written: &str) -> Option<String> {
        match self.source_file(id)?.name(&self.db) {
            ModuleName::Project(file) => path::resolve(path::folder(file), written),
            _ => None,
        }
    }

    fn source_file(&self, id: &FileId) -> Option<SourceFile> {
        let name = match id.as_str().strip_prefix("std/") {
            Some(module) if !self.is_loaded(&ModuleName::Project(id.as_str().into())) => {
                ModuleName::Std(module.into())
            }
            _ if id.as_str().contains("://") => ModuleName::Remote(id.as_str().into()),
            _ => ModuleName::Project(id.as_str().into()),
        };
        self.is_loaded(&name).then(|| self.db.file(&name))
    }

    fn is_loaded(&self, name: &ModuleName) -> bool {
        let mut files = self.program.files.iter();
        files.any(|file| file.name(&self.db) == name)
    }
}

/// The name of a file of the project.
fn project_file(path: &str) -> Option<ModuleName> {
    let path = path::resolve("", path)?;
    Some(ModuleName::Project(path.into()))
}
