//! What the bindings of a file need, all of a file at once.
//!
//! Whoever looks at every binding of a program asks one question for each file here, not
//! one for each binding. It changes only when what a binding names does.

use super::{Db, Item, SourceFile, items, lowered};
use crate::ir::{Expr, ItemName};
use crate::vm::certain;

/// A top-level binding and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The binding.
    pub(crate) item: Item,
    /// Whether it has a syntax error.
    pub(crate) damaged: bool,
    /// The bindings of its file that it mentions, by their number in the outline: they
    /// stand before it.
    pub(crate) uses: Vec<u32>,
    /// The modules that it mentions.
    pub(crate) imports: Vec<SourceFile>,
    /// The bindings that it certainly needs when it is evaluated, the last first.
    pub(crate) needs: Vec<Item>,
}

/// The bindings of a file, each after those that it needs.
#[salsa::tracked(returns(ref))]
pub(crate) fn outline(db: &dyn Db, file: SourceFile) -> Vec<Entry> {
    let found = items(db, file);
    let bodies = &lowered(db, file).bodies;
    let mut names = found.lets.clone();
    match &found.exports {
        None => names.push(ItemName::Root),
        Some(exports) => names.extend(exports.iter().cloned().map(ItemName::Export)),
    }
    let uses: Vec<Vec<usize>> = names
        .iter()
        .map(|name| {
            let mentioned = bodies.get(name).into_iter().flat_map(|body| &body.items);
            let found = mentioned.filter_map(|name| found.lets.binary_search(name).ok());
            found.collect()
        })
        .collect();
    let mut numbers: Vec<Option<u32>> = vec![None; names.len()];
    let mut entries: Vec<Entry> = Vec::with_capacity(names.len());
    for start in 0..names.len() {
        let mut way = vec![(start, 0)];
        while let Some((at, next)) = way.last_mut() {
            let at = *at;
            let target = uses[at].get(*next);
            *next += 1;
            match target {
                _ if numbers[at].is_some() => {
                    way.pop();
                }
                Some(&target) => way.push((target, 0)),
                None => {
                    way.pop();
                    numbers[at] = Some(entries.len() as u32);
                    let numbers = uses[at].iter().filter_map(|target| numbers[*target]);
                    entries.push(entry(db, file, &names[at], numbers.collect()));
                }
            }
        }
    }
    entries
}

fn entry(db: &dyn Db, file: SourceFile, name: &ItemName, uses: Vec<u32>) -> Entry {
    let bodies = &lowered(db, file).bodies;
    let mut entry = Entry {
        item: db.item(file, name),
        damaged: false,
        uses,
        imports: Vec::new(),
        needs: Vec::new(),
    };
    if let Some(body) = bodies.get(name) {
        entry.damaged = body.damaged;
        for expr in &body.exprs {
            if let Expr::Import(module) = expr {
                let module = db.file(module);
                if !entry.imports.contains(&module) {
                    entry.imports.push(module);
                }
            }
        }
        let body_of = |name: &ItemName| bodies.get(name).map(|body| &**body);
        entry.needs = certain(db, file, body, body_of);
    }
    entry
}
