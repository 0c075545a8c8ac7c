//! Questions about files, answered and remembered: what is wrong, the plan, the value,
//! types, documentation.
//!
//! Runs on threads of its own with a stack that deep programs fit in. The same world,
//! entry and options give the same answer on any machine, whatever was asked before.

mod arguments;
mod check;
mod info;
mod platforms;
mod pool;
mod report;
mod run;
mod schedule;
mod show;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use imgc_diag::{Code, Diagnostic, FileId, Span, SpanRange, codes};
use imgc_plan::Plan;

use crate::ir::ModuleName;
use crate::load::{Program, Texts};
use crate::options::Options;
use crate::origins::Origins;
use crate::path;
use crate::queries::{Counters, Database, SourceFile};
use crate::world::World;
use report::Report;

pub use info::{BindingInfo, Example, ModuleInfo};
pub(crate) use pool::Pool;

/// What checking a file gives.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What is wrong, and warnings: by file in the order of loading, then by place.
    /// Of very many, only the first.
    pub diagnostics: Vec<Diagnostic>,
    /// The text of every file that was read, for showing diagnostics.
    pub sources: BTreeMap<FileId, String>,
}

/// What evaluating a file to a plan gives.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The plan, if nothing is wrong.
    pub plan: Option<Plan>,
    /// Where the parts of the plan are written.
    pub origins: Origins,
    /// What is wrong, and warnings, as in [`Checked`].
    pub diagnostics: Vec<Diagnostic>,
    /// The text of every file that was read, for showing diagnostics.
    pub sources: BTreeMap<FileId, String>,
}

/// What the value of a file looks like.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The value in the syntax of the language, if nothing is wrong. Functions, images
    /// and the like are shown as `<function>`, `<image>`.
    pub text: Option<String>,
    /// The value as JSON, if nothing is wrong and it has a form there: a tag is its name,
    /// or an object of its name and payload; functions, images and the like have none.
    pub json: Option<serde_json::Value>,
    /// What is wrong, and warnings, as in [`Checked`].
    pub diagnostics: Vec<Diagnostic>,
    /// The text of every file that was read, for showing diagnostics.
    pub sources: BTreeMap<FileId, String>,
}

/// Evaluates the file `entry`, a path from the project root, to a plan.
pub fn evaluate(world: Arc<dyn World>, entry: &str, options: &Options) -> Evaluated {
    Session::new(world).evaluate(entry, options)
}

/// Evaluates the file `entry` to any value, and shows it.
pub fn show(world: Arc<dyn World>, entry: &str, options: &Options) -> Shown {
    Session::new(world).show(entry, options)
}

/// What is remembered between questions: trees, names, types and values of everything
/// that has not changed.
///
/// `entry` is always a path from the project root. What the world answered is
/// remembered too, until [`Session::refresh`].
pub struct Session {
    state: State,
    pool: Option<Pool>,
}

/// What the threads work on.
struct State {
    world: Arc<dyn World>,
    db: Database,
    texts: Texts,
    /// What checking a file gave, and how often inputs had changed by then.
    checked: BTreeMap<ModuleName, (u64, Report)>,
    /// Whether the database has no values yet.
    is_fresh: bool,
    /// What databases before this one executed.
    earlier: Counters,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// A session over a world that remembers nothing yet.
    pub fn new(world: Arc<dyn World>) -> Self {
        let state = State {
            db: Database::new(world.clone()),
            world,
            texts: Texts::new(),
            checked: BTreeMap::new(),
            is_fresh: true,
            earlier: Counters::default(),
        };
        Self { state, pool: None }
    }

    /// Asks the world again: for the texts of modules when they are next needed, for
    /// everything else that evaluation asked at once. What has not changed stays known.
    pub fn refresh(&mut self) {
        self.state.texts.clear();
        self.state.checked.clear();
        self.state.db.refresh();
    }

    /// Finds what is wrong with syntax, names and types in a file and in everything that
    /// it imports. Nothing is evaluated.
    pub fn check(&mut self, entry: &str, options: &Options) -> Checked {
        let (diagnostics, sources) = self.on_pool(entry, |state, entry| {
            state.check(&entry, options).into_diagnostics(&state.db)
        });
        Checked {
            diagnostics,
            sources,
        }
    }

    /// Evaluates a file to a plan. Nothing is evaluated where [`Session::check`] finds a
    /// mistake.
    pub fn evaluate(&mut self, entry: &str, options: &Options) -> Evaluated {
        let (answer, (diagnostics, sources)) =
            self.on_pool(entry, |state, entry| state.plan(&entry, options));
        let (plan, origins) = answer.unwrap_or_default();
        Evaluated {
            plan,
            origins,
            diagnostics,
            sources,
        }
    }

    /// Evaluates a file to any value, and shows it. A function is applied only where
    /// there are arguments for it.
    pub fn show(&mut self, entry: &str, options: &Options) -> Shown {
        let (shown, (diagnostics, sources)) =
            self.on_pool(entry, |state, entry| state.show(&entry, options));
        let (text, json) = shown.unwrap_or_default();
        Shown {
            text,
            json,
            diagnostics,
            sources,
        }
    }

    /// The type of a file's value, or of its top-level binding of that name, private ones
    /// too. `None`: there is no such file or binding.
    pub fn type_of(&mut self, entry: &str, name: Option<&str>) -> Option<String> {
        self.on_pool(entry, |state, entry| state.type_of(&entry, name))
    }

    /// The smallest expression around a byte of a file, and its type. `None`: there is
    /// none, or what is wrong with it has been reported.
    pub fn type_at(&mut self, entry: &str, offset: u32) -> Option<(Span, String)> {
        self.on_pool(entry, |state, entry| state.type_at(&entry, offset))
    }

    /// What there is to say about a file and its top-level bindings. Nothing is
    /// evaluated.
    pub fn module(&mut self, entry: &str) -> ModuleInfo {
        self.on_pool(entry, |state, entry| state.module(&entry))
    }

    /// The programs in the `##` comments of a file: what stands between ```` ```img ````
    /// and ```` ``` ````, in the order of the source.
    pub fn examples(&mut self, entry: &str) -> Vec<Example> {
        self.on_pool(entry, |state, entry| state.examples(&entry))
    }

    /// How much work was done since the session began.
    pub fn counters(&self) -> Counters {
        self.state.earlier + self.state.db.counters()
    }

    /// Does something on a thread with a large stack.
    fn on_pool<R: Answer>(
        &mut self,
        entry: &str,
        work: impl FnOnce(&mut State, ModuleName) -> R + Send,
    ) -> R {
        let Some(path) = path::resolve("", entry) else {
            let message = format!("`{entry}` is not a path in the project");
            return R::refused(refusal(entry, codes::PATH_OUTSIDE_PROJECT, message));
        };
        let pool = match self.pool.take().map_or_else(Pool::of_machine, Ok) {
            Ok(pool) => self.pool.insert(pool),
            Err(error) => {
                let message = format!("there is no thread to evaluate on: {error}");
                return R::refused(refusal(entry, codes::BUDGET_EXCEEDED, message));
            }
        };
        let state = &mut self.state;
        pool.install(|| work(state, ModuleName::Project(path.into())))
    }
}

/// Everything that is wrong with the modules of a program before anything is evaluated.
pub(crate) fn findings(db: &Database, program: &Program) -> Vec<Diagnostic> {
    check::find(db, program.clone()).into_diagnostics(db).0
}

/// What is wrong with one module of a program, as far as that module alone tells.
pub(crate) fn findings_in(db: &Database, program: &Program, file: SourceFile) -> Vec<Diagnostic> {
    let report = check::find_in(db, program.clone(), Some(file));
    report.into_diagnostics(db).0
}

/// What there is to say about a module that is loaded.
pub(crate) fn describe(db: &Database, file: SourceFile) -> ModuleInfo {
    info::describe(db, file)
}

/// The diagnostic where there is nothing to look at.
fn refusal(entry: &str, code: Code, message: String) -> Diagnostic {
    let span = Span {
        file: FileId::new(entry),
        range: SpanRange { start: 0, end: 0 },
    };
    Diagnostic::error(code, span, message)
}

/// What a question gives that can't be asked.
trait Answer: Send {
    fn refused(diagnostic: Diagnostic) -> Self;
}

/// Diagnostics and sources.
type Findings = (Vec<Diagnostic>, BTreeMap<FileId, String>);

impl Answer for Findings {
    fn refused(diagnostic: Diagnostic) -> Self {
        (vec![diagnostic], BTreeMap::new())
    }
}

impl<T: Send> Answer for (Option<T>, Findings) {
    fn refused(diagnostic: Diagnostic) -> Self {
        (None, Findings::refused(diagnostic))
    }
}

impl Answer for Option<String> {
    fn refused(_: Diagnostic) -> Self {
        None
    }
}

impl Answer for Option<(Span, String)> {
    fn refused(_: Diagnostic) -> Self {
        None
    }
}

impl Answer for ModuleInfo {
    fn refused(_: Diagnostic) -> Self {
        Self::default()
    }
}

impl Answer for Vec<Example> {
    fn refused(_: Diagnostic) -> Self {
        Self::new()
    }
}
