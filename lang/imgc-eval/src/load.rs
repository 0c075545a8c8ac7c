//! From an entry to every module that it imports, read through the world.
//!
//! Reads sources and finds what is wrong with imports: missing files, unknown
//! modules, circles. It evaluates nothing.

use std::collections::{BTreeMap, VecDeque};
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

/// The modules of one evaluation.
pub(crate) struct Program {
    /// The entry's module. `None`: it could not be read.
    pub(crate) entry: Option<SourceFile>,
    /// For each loaded module, by number, the modules that it imports in order.
    /// `None`: that import has been reported.
    pub(crate) imports: BTreeMap<u32, Vec<Option<u32>>>,
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
    let mut queue: VecDeque<SourceFile> = file.into_iter().collect();
    // Each import that was found, with its place, for the report of circles.
    let mut edges: BTreeMap<u32, Vec<(u32, Span)>> = BTreeMap::new();
    while let Some(file) = queue.pop_front() {
        let number = file.number(loader.db);
        if imports.contains_key(&number) {
            continue;
        }
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
    loader.report_circles(&edges, &mut imports);
    Program {
        entry: file,
        imports,
        problems: loader.problems,
    }
}

struct Loader<'a> {
    db: &'a mut Database,
    world: &'a dyn World,
    /// The modules that were read for this evaluation. `None`: reported.
    loaded: BTreeMap<ModuleName, Option<SourceFile>>,
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
        edges: &BTreeMap<u32, Vec<(u32, Span)>>,
        imports: &mut BTreeMap<u32, Vec<Option<u32>>>,
    ) {
        let files = self.db.files();
        let graph: Vec<Vec<usize>> = (0..files.len() as u32)
            .map(|number| {
                let targets = edges.get(&number).into_iter().flatten();
                targets.map(|(target, _)| *target as usize).collect()
            })
            .collect();
        let name = |number: usize| file_id(files[number].name(self.db));
        for nodes in cycles::find(&graph) {
            let place = |from: usize, to: usize| {
                let targets = edges.get(&(from as u32)).into_iter().flatten();
                let mut places = targets.filter(|(target, _)| *target as usize == to);
                places.next().map(|(_, span)| *span)
            };
            let steps: Vec<(usize, usize)> = (0..nodes.len())
                .map(|at| (nodes[at], nodes[(at + 1) % nodes.len()]))
                .collect();
            let Some(first) = place(steps[0].0, steps[0].1) else {
                continue;
            };
            let message = if nodes.len() == 1 {
                format!("`{}` imports itself", name(nodes[0]))
            } else {
                let mut way: Vec<String> =
                    nodes.iter().map(|&n| format!("`{}`", name(n))).collect();
                way.push(format!("`{}`", name(nodes[0])));
                format!("files import each other: {}", way.join(" -> "))
            };
            let mut problem = Problem::new(codes::IMPORT_CYCLE, first, message);
            for &(from, to) in steps.iter().skip(1).take(8) {
                if let Some(span) = place(from, to) {
                    problem = problem.label(span, format!("`{}` is imported here", name(to)));
                }
            }
            self.problems
                .push(problem.help("move what both need into a third file"));
            // Every import of a module in the loop fails, so that nothing runs round.
            for targets in imports.values_mut() {
                for target in targets {
                    if target.is_some_and(|target| nodes.contains(&(target as usize))) {
                        *target = None;
                    }
                }
            }
        }
    }
}
