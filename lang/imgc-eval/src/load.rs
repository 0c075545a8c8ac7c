//! From an entry to every module that it imports, read through the world.
//!
//! Reads sources, and finds what is wrong with imports: missing files, unknown modules,
//! circles. Files of one distance from the entry are read and parsed in parallel; the
//! answer does not depend on it. It evaluates nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imgc_diag::{FileId, Span, SpanRange, codes, did_you_mean};
use imgc_syntax::TextRange;
use rayon::prelude::*;

use crate::cycles;
use crate::ir::ModuleName;
use crate::look::world_problem;
use crate::path;
use crate::problem::{Problem, list_names};
use crate::queries::{Database, Db as _, SourceFile, lowered};
use crate::world::{Stat, World, WorldError};

/// How many modules one evaluation may load.
const MAX_MODULES: usize = 10_000;
/// How many bytes of source they may have together.
const MAX_TOTAL: usize = 2 * imgc_syntax::MAX_SOURCE;

/// What was read since the world was last asked anew.
pub(crate) type Texts = BTreeMap<ModuleName, Result<Arc<str>, WhyNot>>;

/// Why a module has no text.
#[derive(Debug, Clone)]
pub(crate) enum WhyNot {
    /// The world has no answer.
    World(WorldError),
    /// Something else than a file stands there.
    NotAFile,
    /// It is not UTF-8.
    NotText,
    /// imgc has no such module.
    NoModule,
}

/// The modules of one evaluation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    /// The modules that have a text, in the order of loading: the entry is first.
    pub(crate) files: Vec<SourceFile>,
    /// The modules, each after those that it imports.
    pub(crate) sorted: Vec<SourceFile>,
    /// What is wrong with imports.
    pub(crate) problems: Vec<Problem<Span>>,
}

/// What users know a module as.
pub(crate) fn file_id(name: &ModuleName) -> FileId {
    match name {
        ModuleName::Project(path) | ModuleName::Remote(path) => FileId::new(path),
        ModuleName::Std(name) => FileId::new(&format!("std/{name}")),
        ModuleName::Argument(name) => FileId::new(&format!("--arg {name}")),
        ModuleName::Call => FileId::new("--arg"),
    }
}

/// Loads `entry` and what it imports.
pub(crate) fn load(db: &mut Database, texts: &mut Texts, entry: &ModuleName) -> Program {
    load_all(db, texts, std::slice::from_ref(entry))
}

/// Loads several entries and what they import.
pub(crate) fn load_all(db: &mut Database, texts: &mut Texts, entries: &[ModuleName]) -> Program {
    let mut loader = Loader {
        db,
        texts,
        seen: BTreeSet::new(),
        total: 0,
        program: Program::default(),
    };
    let wanted = entries.iter().map(|entry| (entry.clone(), start_of(entry)));
    let mut wanted: Vec<(ModuleName, Span)> = wanted.collect();
    let mut edges: Vec<Vec<(ModuleName, TextRange)>> = Vec::new();
    while !wanted.is_empty() {
        let files = loader.level(wanted);
        wanted = Vec::new();
        for file in files {
            let imports = lowered(loader.db, file).imports.clone();
            let id = file_id(file.name(loader.db));
            for (name, range) in &imports {
                if loader.seen.insert(name.clone()) {
                    wanted.push((name.clone(), Span::new(id.clone(), *range)));
                }
            }
            loader.program.files.push(file);
            edges.push(imports);
        }
    }
    loader.circles(&edges);
    loader.program
}

struct Loader<'a> {
    db: &'a mut Database,
    texts: &'a mut Texts,
    /// The modules that were asked for.
    seen: BTreeSet<ModuleName>,
    /// Bytes of source so far.
    total: usize,
    program: Program,
}

impl Loader<'_> {
    /// Reads and parses modules that are not loaded yet. Those without text are
    /// reported where they are imported, and left out.
    fn level(&mut self, wanted: Vec<(ModuleName, Span)>) -> Vec<SourceFile> {
        for (name, _) in &wanted {
            self.seen.insert(name.clone());
        }
        let room = MAX_MODULES.saturating_sub(self.program.files.len());
        let unread: Vec<ModuleName> = wanted
            .iter()
            .take(room)
            .filter(|(name, _)| !self.texts.contains_key(name))
            .map(|(name, _)| name.clone())
            .collect();
        let world = self.db.world();
        let read: Vec<_> = match unread.as_slice() {
            [] => Vec::new(),
            [one] => vec![read(world, one)],
            many => many.par_iter().map(|name| read(world, name)).collect(),
        };
        self.texts.extend(unread.into_iter().zip(read));
        let mut files = Vec::new();
        for (at, (name, place)) in wanted.into_iter().enumerate() {
            let text = if at < room {
                self.text(&name, place)
            } else {
                if at == room {
                    let message = format!("one evaluation loads at most {MAX_MODULES} modules");
                    let problem = Problem::new(codes::BUDGET_EXCEEDED, place, message);
                    self.program.problems.push(problem);
                }
                None
            };
            let is_there = text.is_some();
            let file = self.db.set_text(&name, text);
            if is_there {
                files.push(file);
            } else {
                self.db.set_circular(file, false);
            }
        }
        if files.len() > 1 {
            let clone = self.db.clone();
            files
                .par_iter()
                .for_each_with(clone, |db, file| drop(lowered(&*db, *file).clone()));
        }
        files
    }

    /// The text of a module, within the limits.
    fn text(&mut self, name: &ModuleName, place: Span) -> Option<Arc<str>> {
        let text = match self.texts.get(name)? {
            Ok(text) => text.clone(),
            Err(why) => {
                let problem = refusal(self.db.world(), name, why, place);
                self.program.problems.push(problem);
                return None;
            }
        };
        let before = self.total <= MAX_TOTAL;
        self.total += text.len();
        if self.total <= MAX_TOTAL {
            return Some(text);
        }
        if before {
            let most = MAX_TOTAL >> 20;
            let message = format!("one evaluation reads at most {most} MiB of source");
            let problem = Problem::new(codes::BUDGET_EXCEEDED, place, message);
            self.program.problems.push(problem);
        }
        None
    }

    /// Sorts the modules, and reports circles of imports.
    fn circles(&mut self, edges: &[Vec<(ModuleName, TextRange)>]) {
        let files = std::mem::take(&mut self.program.files);
        let names: Vec<ModuleName> = files.iter().map(|f| f.name(self.db).clone()).collect();
        let numbers: BTreeMap<&ModuleName, usize> = names.iter().zip(0..).collect();
        let graph: Vec<Vec<usize>> = edges
            .iter()
            .map(|imports| {
                let targets = imports.iter();
                targets
                    .filter_map(|(name, _)| numbers.get(name).copied())
                    .collect()
            })
            .collect();
        let place = |from: usize, to: usize| {
            let mut places = edges[from].iter().filter(|(name, _)| *name == names[to]);
            let range = places
                .next()
                .map_or(TextRange::default(), |(_, range)| *range);
            Span::new(file_id(&names[from]), range)
        };
        let shown = |module: usize| file_id(&names[module]).to_string();
        let found = cycles::find(&graph);
        for nodes in &found.loops {
            let mut steps = (0..nodes.len()).map(|at| (nodes[at], nodes[(at + 1) % nodes.len()]));
            let Some((from, to)) = steps.next() else {
                continue;
            };
            let message = if let [module] = nodes.as_slice() {
                format!("`{}` imports itself", shown(*module))
            } else {
                let way = cycles::way(nodes.iter().map(|&module| shown(module)));
                format!("files import each other: {way}")
            };
            let mut problem = Problem::new(codes::IMPORT_CYCLE, place(from, to), message);
            for (from, to) in steps.take(8) {
                let text = format!("`{}` is imported here", shown(to));
                problem = problem.label(place(from, to), text);
            }
            let problem = problem.help("move what both need into a third file");
            self.program.problems.push(problem);
        }
        // Without the imports of these, nothing runs round.
        let cut: BTreeSet<usize> = found
            .loops
            .concat()
            .into_iter()
            .chain(found.others)
            .collect();
        for (at, &file) in files.iter().enumerate() {
            self.db.set_circular(file, cut.contains(&at));
        }
        let mut done = vec![false; files.len()];
        for start in 0..files.len() {
            let mut way = vec![(start, 0)];
            while let Some((at, next)) = way.last_mut() {
                let at = *at;
                let target = graph[at].get(*next).filter(|_| !cut.contains(&at));
                *next += 1;
                match target {
                    _ if done[at] => {
                        way.pop();
                    }
                    Some(&target) => way.push((target, 0)),
                    None => {
                        way.pop();
                        done[at] = true;
                        self.program.sorted.push(files[at]);
                    }
                }
            }
        }
        self.program.files = files;
    }
}

/// The text of a module.
fn read(world: &dyn World, name: &ModuleName) -> Result<Arc<str>, WhyNot> {
    match name {
        ModuleName::Std(name) => world
            .std_module(name)
            .map(Arc::from)
            .ok_or(WhyNot::NoModule),
        ModuleName::Remote(address) => {
            let text = world.remote_module(address);
            text.map(Arc::from).map_err(WhyNot::World)
        }
        ModuleName::Project(path) => {
            match world.stat(path).map_err(WhyNot::World)? {
                Stat::File { .. } => {}
                Stat::Directory | Stat::Other => return Err(WhyNot::NotAFile),
            }
            // One byte more than the parser accepts, so that it says what is wrong.
            let limit = imgc_syntax::MAX_SOURCE + 1;
            let bytes = world.read(path, 0, limit).map_err(WhyNot::World)?;
            let text = String::from_utf8(bytes);
            text.map(Arc::from).map_err(|_| WhyNot::NotText)
        }
        // The session writes their texts.
        ModuleName::Argument(_) | ModuleName::Call => Err(WhyNot::NotAFile),
    }
}

/// What is said of a module without text.
fn refusal(world: &dyn World, name: &ModuleName, why: &WhyNot, place: Span) -> Problem<Span> {
    let (path, shown) = match name {
        ModuleName::Project(path) => (path, path::shown(path)),
        other => return no_module(world, other, why, place),
    };
    match why {
        WhyNot::World(error) => world_problem(&mut { world }, error, path, place),
        WhyNot::NotAFile | WhyNot::NoModule => {
            let message = format!("`{shown}` is not a file");
            Problem::new(codes::UNREADABLE_FILE, place, message)
                .help("name the file in it: `./lib/users.img`")
        }
        WhyNot::NotText => {
            let message = format!("`{shown}` is not text in UTF-8");
            Problem::new(codes::UNREADABLE_FILE, place, message)
        }
    }
}

fn no_module(world: &dyn World, name: &ModuleName, why: &WhyNot, place: Span) -> Problem<Span> {
    let wanted = file_id(name).to_string();
    if let ModuleName::Remote(_) = name {
        let why = match why {
            WhyNot::World(WorldError::NotFound) => "it is not pinned in the lock".to_owned(),
            WhyNot::World(error) => error.to_string(),
            _ => "it is no text".to_owned(),
        };
        let message = format!("the module `{wanted}` can't be had: {why}");
        return Problem::new(codes::REMOTE_MODULE, place, message)
            .help("`imgc update` fetches and pins modules from elsewhere");
    }
    let message = format!("imgc has no module `{wanted}`");
    let problem = Problem::new(codes::UNKNOWN_STD_MODULE, place.clone(), message);
    let names = world.std_modules();
    let names: Vec<String> = names.iter().map(|name| format!("std/{name}")).collect();
    match did_you_mean(&wanted, names.iter().map(String::as_str)) {
        Some(similar) => problem.did_you_mean(place, &wanted, similar),
        None => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            problem.note(format!("the modules are {}", list_names(&names)))
        }
    }
}

/// The first byte of a module, for what is wrong with the whole of it.
pub(crate) fn start_of(name: &ModuleName) -> Span {
    Span {
        file: file_id(name),
        range: SpanRange { start: 0, end: 0 },
    }
}
