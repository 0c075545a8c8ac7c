//! What is wrong before anything is evaluated: syntax, imports, names, types.

use std::collections::BTreeMap;

use imgc_diag::{Span, codes};
use rayon::prelude::*;

use crate::ir::{Expr, ItemName, ModuleName};
use crate::load::{file_id, load};
use crate::options::Options;
use crate::problem::Problem;
use crate::queries::{Database, Db as _, Item, SourceFile, body, infer, items, lowered, parse};

use super::State;
use super::report::{Report, in_file};

/// How many bindings may need each other in a row: each is evaluated while the one
/// that needs it waits.
const MAX_CHAIN: usize = 4_000;

/// A binding and how many bindings it needs in a row.
type Deep = (Item, usize);

impl State {
    /// Loads and checks a file.
    pub(super) fn check(&mut self, entry: &ModuleName, options: &Options) -> Report {
        self.db.set_options(options);
        let program = load(&mut self.db, &mut self.texts, entry);
        let db = &self.db;
        let mut report = Report {
            program,
            problems: Vec::new(),
            has_syntax_errors: false,
        };
        // A tree that was repaired may lack what was meant: nothing is said about the
        // types of those who import it.
        let mut is_whole: BTreeMap<&ModuleName, bool> = BTreeMap::new();
        for &file in &report.program.sorted {
            let imports = items(db, file).imports.iter();
            let whole = parse(db, file).errors().is_empty()
                && imports
                    .clone()
                    .all(|name| is_whole.get(name) != Some(&false));
            is_whole.insert(file.name(db), whole);
            report.has_syntax_errors |= !parse(db, file).errors().is_empty();
            let problems = in_file(db, file, &lowered(db, file).problems);
            report.problems.extend(problems);
        }
        let sorted = sorted(db, &report.program.sorted);
        let mut chains = Vec::new();
        for items in &sorted {
            // A longer chain holds this one.
            let first = items.iter().find(|(_, depth)| *depth == MAX_CHAIN + 1);
            chains.extend(first.map(|(item, _)| too_deep(db, *item)));
        }
        infer_all(db, &report.program.sorted, &sorted);
        for (file, items) in report.program.sorted.iter().zip(&sorted) {
            let imports = &crate::queries::items(db, *file).imports;
            if imports
                .iter()
                .all(|name| is_whole.get(name) != Some(&false))
            {
                let found = items.iter().filter(|(item, _)| !is_damaged(db, *item));
                for (item, _) in found {
                    let problems = infer(db, *item).problems.clone();
                    report.problems.extend(
                        problems
                            .into_iter()
                            .map(|problem| problem.map(|site| super::report::span(db, site))),
                    );
                }
            }
        }
        report.problems.extend(chains);
        report
    }
}

fn is_damaged(db: &Database, item: Item) -> bool {
    body(db, item).as_ref().is_some_and(|body| body.damaged)
}

fn too_deep(db: &Database, item: Item) -> Problem<Span> {
    let file = item.file(db);
    let range = lowered(db, file)
        .heads
        .get(item.name(db))
        .map(|head| head.name);
    let at = Span::new(file_id(file.name(db)), range.unwrap_or_default());
    let message = format!("more than {MAX_CHAIN} bindings need each other in a row up to here");
    Problem::new(codes::NESTED_TOO_DEEP, at, message)
}

/// The bindings of a module that others see.
pub(super) fn public(db: &Database, file: SourceFile) -> Vec<Item> {
    match &items(db, file).exports {
        None => vec![db.item(file, &ItemName::Root)],
        Some(names) => {
            let names = names.iter().cloned().map(ItemName::Export);
            names.map(|name| db.item(file, &name)).collect()
        }
    }
}

/// For each module its bindings, each after those that it needs.
fn sorted(db: &Database, files: &[SourceFile]) -> Vec<Vec<Deep>> {
    let mut deepest: BTreeMap<&ModuleName, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for &file in files {
        let sorted = sorted_items(db, file, &deepest);
        let depth = sorted.iter().map(|(_, depth)| *depth).max();
        deepest.insert(file.name(db), depth.unwrap_or_default());
        all.push(sorted);
    }
    all
}

fn sorted_items(
    db: &Database,
    file: SourceFile,
    deepest: &BTreeMap<&ModuleName, usize>,
) -> Vec<Deep> {
    let lets = &items(db, file).lets;
    // What each needs: other bindings by number, and how deep its imports go.
    let needs = |item: Item| -> (Vec<usize>, usize) {
        let Some(body) = body(db, item) else {
            return (Vec::new(), 0);
        };
        let targets = body.items.iter();
        let targets = targets.filter_map(|name| lets.binary_search(name).ok());
        let imports = body.exprs.iter().filter_map(|expr| match expr {
            Expr::Import(name) => deepest.get(name).copied(),
            _ => None,
        });
        (targets.collect(), imports.max().unwrap_or_default())
    };
    let mut nodes: Vec<Item> = lets.iter().map(|name| db.item(file, name)).collect();
    nodes.extend(public(db, file));
    let needs: Vec<(Vec<usize>, usize)> = nodes.iter().map(|item| needs(*item)).collect();
    let mut depths: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut found = Vec::new();
    for start in 0..nodes.len() {
        let mut way = vec![(start, 0)];
        while let Some((at, next)) = way.last_mut() {
            let at = *at;
            let target = needs[at].0.get(*next);
            *next += 1;
            match target {
                _ if depths[at].is_some() => {
                    way.pop();
                }
                Some(&target) => way.push((target, 0)),
                None => {
                    way.pop();
                    let inner = needs[at].0.iter().filter_map(|target| depths[*target]);
                    let depth = 1 + inner.max().unwrap_or_default().max(needs[at].1);
                    depths[at] = Some(depth);
                    found.push((nodes[at], depth));
                }
            }
        }
    }
    found
}

/// Infers all types: modules that do not import each other in parallel, bindings of one
/// module in order, so that no inference waits for a long chain of others.
fn infer_all(db: &Database, files: &[SourceFile], sorted: &[Vec<Deep>]) {
    let mut levels: BTreeMap<&ModuleName, usize> = BTreeMap::new();
    let mut by_level: Vec<Vec<&[Deep]>> = Vec::new();
    for (file, found) in files.iter().zip(sorted) {
        let imports = items(db, *file).imports.iter();
        let level = imports.filter_map(|name| levels.get(name)).max();
        let level = level.map_or(0, |level| level + 1);
        levels.insert(file.name(db), level);
        if by_level.len() <= level {
            by_level.push(Vec::new());
        }
        by_level[level].push(found);
    }
    for level in by_level {
        let work = |db: &Database, found: &[Deep]| {
            for (item, _) in found {
                infer(db, *item);
            }
        };
        match level.as_slice() {
            [one] => work(db, one),
            many => many
                .par_iter()
                .for_each_with(db.clone(), |db, found| work(db, found)),
        }
    }
}
