//! What is wrong before anything is evaluated: syntax, imports, names, types.

use std::collections::BTreeMap;

use imgc_diag::{Span, codes};

use crate::ir::ModuleName;
use crate::load::{Program, file_id, load};
use crate::options::Options;
use crate::problem::Problem;
use crate::queries::{Database, Item, SourceFile, infer, items, lowered, parse};

use super::State;
use super::report::{Report, in_file};
use super::schedule::{Schedule, each};

/// How many bindings in a row may need each other where it is not certain that they do,
/// in a branch or a function: each is evaluated while the one that needs it waits. What
/// is certainly needed is evaluated before, and counts for nothing.
const MAX_CHAIN: u32 = 4_000;

impl State {
    /// Loads and checks a file. What was found is remembered until an input changes.
    pub(super) fn check(&mut self, entry: &ModuleName, options: &Options) -> Report {
        self.db.set_options(options);
        if let Some((revision, report)) = self.checked.get(entry)
            && *revision == self.db.changes()
        {
            return report.clone();
        }
        let report = self.check_anew(entry);
        let changes = self.db.changes();
        self.checked.retain(|_, (revision, _)| *revision == changes);
        self.checked
            .insert(entry.clone(), (changes, report.clone()));
        report
    }

    fn check_anew(&mut self, entry: &ModuleName) -> Report {
        let program = load(&mut self.db, &mut self.texts, entry);
        find(&self.db, program)
    }
}

/// What is wrong with the modules of a program, before anything is evaluated.
pub(super) fn find(db: &Database, program: Program) -> Report {
    find_in(db, program, None)
}

/// The same of one module alone, where one is named. What only its users find wrong with
/// it is not found.
pub(super) fn find_in(db: &Database, mut program: Program, only: Option<SourceFile>) -> Report {
    let all = std::mem::take(&mut program.sorted);
    if let Some(only) = only {
        program.sorted = vec![only];
        program.files.retain(|file| *file == only);
        let id = file_id(only.name(db));
        program.problems.retain(|problem| problem.place.file == id);
    } else {
        program.sorted.clone_from(&all);
    }
    let mut report = Report {
        program,
        problems: Vec::new(),
        has_syntax_errors: false,
    };
    // A tree that was repaired may lack what was meant: nothing is said about the
    // types of those who import it.
    let mut is_whole: BTreeMap<&ModuleName, bool> = BTreeMap::new();
    let mut believed = Vec::new();
    for &file in &all {
        let mut imports = items(db, file).imports.iter();
        let believes = imports.all(|name| is_whole.get(name) != Some(&false));
        let has_errors = !parse(db, file).errors().is_empty();
        is_whole.insert(file.name(db), believes && !has_errors);
        if only.is_some_and(|only| only != file) {
            continue;
        }
        believed.push(believes);
        report.has_syntax_errors |= has_errors;
        let problems = in_file(db, file, &lowered(db, file).problems);
        report.problems.extend(problems);
    }
    let schedule = Schedule::of(db, &report.program.sorted);
    let types = |db: &Database, has_problems: &mut bool, items: &[Item]| {
        for &item in items {
            *has_problems |= !infer(db, item).problems.is_empty();
        }
    };
    let order = schedule.order(&report.program.sorted);
    let has_problems = each(db, &order, types).contains(&true);
    let files = believed.iter().zip(schedule.files());
    for (&believes, entries) in files.filter(|_| has_problems) {
        for entry in entries.iter().filter(|entry| believes && !entry.damaged) {
            let problems = infer(db, entry.item).problems.iter().cloned();
            let problems =
                problems.map(|problem| problem.map(|site| super::report::span(db, site)));
            report.problems.extend(problems);
        }
    }
    let chains = schedule.too_deep(MAX_CHAIN);
    let chains = chains.into_iter().map(|item| too_deep(db, item));
    report.problems.extend(chains);
    report
}

fn too_deep(db: &Database, item: Item) -> Problem<Span> {
    let file = item.file(db);
    let found = lowered(db, file).get(item.name(db));
    let range = found.map(|binding| binding.place);
    let at = Span::new(file_id(file.name(db)), range.unwrap_or_default());
    let message = format!(
        "more than {MAX_CHAIN} bindings need each other in a row, in branches or functions, up to here"
    );
    Problem::new(codes::NESTED_TOO_DEEP, at, message)
}

/// The bindings of a module that others see.
pub(super) fn public(db: &Database, file: SourceFile) -> Vec<Item> {
    items(db, file).public.clone()
}
