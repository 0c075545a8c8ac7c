//! From an entry to every module that it imports, read through the world.
//!
//! Reads sources and finds what is wrong with imports: missing files, unknown
//! modules, circles. It evaluates nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use imgc_diag::{FileId, codes, did_you_mean};

use crate::cycles;
use crate::database::{Database, SourceFile, module};
use crate::hir::ModuleName;
use crate::host::world_problem;
use crate::path;
use crate::problem::{Problem, list_names};
use crate::span::Span;
use crate::world::{Stat, World};

/// How many modules one evaluation may load.
const MAX_MODULES: usize = 10_000;
/// How many bytes of source they may have together.
const MAX_TOTAL: usize = 2 * imgc_syntax::MAX_SOURCE;

/// The modules of one evaluation.
pub(crate) struct Program {
    /// The entry's module. `None`: it could not be read.
    pub(crate) entry: Option<SourceFile>,
    /// For each loaded module, by number, the modules that it imports in order.
    /// `None`: that import has been reported.
    pub(crate) imports: BTreeMap<u32, Vec<Option<u32>>>,
    /// The loaded modules by number, in the order of loading. Numbers are in another
    /// order where a session has loaded modules before.
    pub(crate) order: Vec<u32>,
    /// What is wrong with imports.
    pub(crate) problems: Vec<Problem>,
}

/// What users know a module as.
pub(crate) fn file_id(name: &ModuleName) -> FileId {
    match name {
        ModuleName::Project(path) => FileId::new(path),
        ModuleName::Std(name) => FileId::new(&format!("std/{name}")),
    }
}

/// Loads `entry`, a path from the project root, and what it imports.
pub(crate) fn load(db: &mut Database, world: &dyn World, entry: &str) -> Program {
    let mut loader = Loader {
        db,
        world,
        loaded: BTreeMap::new(),
        total: 0,
        problems: Vec::new(),
    };
    let name = ModuleName::Project(entry.into());
    // Also an entry that can't be read has a number, so that the report of it has
    // a place.
    let at = Span {
        module: loader.db.number(&name),
        start: 0,
        end: 0,
    };
    let file = loader.read(&name, at);
    let mut imports = BTreeMap::new();
    let mut order = Vec::new();
    let mut queue: VecDeque<SourceFile> = file.into_iter().collect();
    // Each import that was found, with its place, for the report of circles.
    let mut edges: BTreeMap<u32, Vec<(u32, Span)>> = BTreeMap::new();
    while let Some(file) = queue.pop_front() {
        let number = file.number(loader.db);
        if imports.contains_key(&number) {
            continue;
        }
        order.push(number);
        let wanted = module(loader.db, file).module.imports.clone();
        let mut targets = Vec::new();
        for import in wanted {
            let target = loader.read(&import.target, import.span);
            let target_number = target.map(|target| target.number(loader.db));
            targets.push(target_number);
            queue.extend(target);
            let found = target_number.map(|target| (target, import.span));
            edges.entry(number).or_default().extend(found);
        }
        imports.insert(number, targets);
    }
    loader.report_circles(&order, &edges, &mut imports);
    Program {
        entry: file,
        imports,
        order,
        problems: loader.problems,
    }
}

struct Loader<'a> {
    db: &'a mut Database,
    world: &'a dyn World,
    /// The modules that were read for this evaluation. `None`: reported.
    loaded: BTreeMap<ModuleName, Option<SourceFile>>,
    /// Bytes of source that were read for it.
    total: usize,
    problems: Vec<Problem>,
}

impl Loader<'_> {
    fn read(&mut self, name: &ModuleName, at: Span) -> Option<SourceFile> {
        if let Some(&file) = self.loaded.get(name) {
            return file;
        }
        let file = if self.loaded.len() >= MAX_MODULES {
            let message = format!("one evaluation loads at most {MAX_MODULES} modules");
            Err(Box::new(Problem::new(codes::BUDGET_EXCEEDED, at, message)))
        } else {
            match name {
                ModuleName::Project(path) => self.project_text(path, at),
                ModuleName::Std(name) => self.std_text(name, at),
            }
        };
        let file = file.and_then(|text| {
            self.total += text.len();
            if self.total <= MAX_TOTAL {
                return Ok(text);
            }
            let message = format!(
                "one evaluation reads at most {} MiB of source",
                MAX_TOTAL >> 20
            );
            Err(Box::new(Problem::new(codes::BUDGET_EXCEEDED, at, message)))
        });
        let file = match file {
            Ok(text) => Some(self.db.source(name, text)),
            Err(problem) => {
                self.problems.push(*problem);
                None
            }
        };
        self.loaded.insert(name.clone(), file);
        file
    }

    fn std_text(&self, name: &str, at: Span) -> Result<Arc<str>, Box<Problem>> {
        if let Some(text) = self.world.std_module(name) {
            return Ok(text.into());
        }
        let message = format!("imgc has no module `std/{name}`");
        let problem = Problem::new(codes::UNKNOWN_STD_MODULE, at, message);
        let names: Vec<String> = self.world.std_modules();
        let names: Vec<String> = names.iter().map(|name| format!("std/{name}")).collect();
        let wanted = format!("std/{name}");
        Err(Box::new(
            match did_you_mean(&wanted, names.iter().map(String::as_str)) {
                Some(similar) => problem.did_you_mean(at, &wanted, similar),
                None => {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    problem.note(format!("the modules are {}", list_names(&names)))
                }
            },
        ))
    }

    fn project_text(&self, path: &str, at: Span) -> Result<Arc<str>, Box<Problem>> {
        let shown = path::shown(path);
        let failed = |error| Box::new(world_problem(self.world, &error, path, at));
        match self.world.stat(path).map_err(failed)? {
            Stat::File { .. } => {}
            Stat::Directory | Stat::Other => {
                let message = format!("`{shown}` is not a file");
                let problem = Problem::new(codes::UNREADABLE_FILE, at, message);
                return Err(Box::new(
                    problem.help("name the file in it: `./lib/users.img`"),
                ));
            }
        }
        // One byte more than the parser accepts, so that it says what is wrong.
        let limit = imgc_syntax::MAX_SOURCE + 1;
        let bytes = self.world.read(path, 0, limit).map_err(failed)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) => {
                let message = format!("`{shown}` is not text in UTF-8");
                Err(Box::new(Problem::new(codes::UNREADABLE_FILE, at, message)))
            }
        }
    }

    /// Reports circles of imports, and cuts them.
    fn report_circles(
        &mut self,
        order: &[u32],
        edges: &BTreeMap<u32, Vec<(u32, Span)>>,
        imports: &mut BTreeMap<u32, Vec<Option<u32>>>,
    ) {
        let files = self.db.files();
        let name = |module: u32| file_id(files[module as usize].name(self.db)).to_string();
        let targets = |module: u32| edges.get(&module).into_iter().flatten();
        // Nodes are modules in the order of loading.
        let nodes: BTreeMap<u32, usize> = order.iter().copied().zip(0..).collect();
        let graph: Vec<Vec<usize>> = order
            .iter()
            .map(|&module| {
                let targets = targets(module);
                targets
                    .filter_map(|(target, _)| nodes.get(target).copied())
                    .collect()
            })
            .collect();
        let place = |from: u32, to: u32| {
            let mut places = targets(from).filter(|(target, _)| *target == to);
            places.next().map(|(_, span)| *span)
        };
        let found = cycles::find(&graph);
        // Every import of a module in a loop fails, so that nothing runs round.
        let failing: BTreeSet<u32> = found
            .loops
            .iter()
            .flatten()
            .chain(&found.others)
            .map(|&node| order[node])
            .collect();
        for target in imports.values_mut().flatten() {
            if target.is_some_and(|target| failing.contains(&target)) {
                *target = None;
            }
        }
        for modules in found.loops {
            let modules: Vec<u32> = modules.into_iter().map(|node| order[node]).collect();
            let mut steps = (0..modules.len())
                .map(|at| (modules[at], modules[(at + 1) % modules.len()]))
                .filter_map(|(from, to)| Some((to, place(from, to)?)));
            let Some((_, first)) = steps.next() else {
                continue;
            };
            let message = if let [module] = *modules {
                format!("`{}` imports itself", name(module))
            } else {
                let way = cycles::way(modules.iter().map(|&module| name(module)));
                format!("files import each other: {way}")
            };
            let mut problem = Problem::new(codes::IMPORT_CYCLE, first, message);
            for (to, span) in steps.take(8) {
                problem = problem.label(span, format!("`{}` is imported here", name(to)));
            }
            self.problems
                .push(problem.help("move what both need into a third file"));
        }
    }
}
