//! What the bindings of a file need, all of a file at once.
//!
//! Whoever looks at every binding of a program asks one question for each file here, not
//! one for each binding. It changes only when what a binding names does.

use rustc_hash::FxHashMap;

use super::{Db, Item, SourceFile, lowered};
use crate::ir::{Body, Expr, ItemName};
use crate::resolve::Binding;
use crate::vm::certain;

/// A top-level binding and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The binding.
    pub(crate) item: Item,
    /// Whether it has a syntax error.
    pub(crate) damaged: bool,
    /// Whether others see it.
    pub(crate) public: bool,
    /// The bindings of its file that it mentions, by their number in the outline: they
    /// stand before it. And whether none of them waits for the other: it is certainly
    /// needed, or only a name of a module.
    pub(crate) uses: Vec<(u32, bool)>,
    /// The modules that it mentions.
    pub(crate) imports: Vec<SourceFile>,
    /// The bindings that it certainly needs when it is evaluated, the last first.
    pub(crate) needs: Vec<Need>,
}

/// A binding that another one needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// One of the same file, by its number in the outline. It stands before.
    Here(u32),
    /// A public one of another file.
    Elsewhere(Item),
}

/// The bindings of a file, each after those that it needs.
#[salsa::tracked(returns(ref))]
pub(crate) fn outline(db: &dyn Db, file: SourceFile) -> Vec<Entry> {
    let bindings = &lowered(db, file).bindings;
    let places: FxHashMap<Item, usize> = bindings
        .iter()
        .map(|binding| binding.item)
        .zip(0..)
        .collect();
    let uses: Vec<Vec<usize>> = bindings
        .iter()
        .map(|binding| {
            let mentioned = binding.body.items.iter();
            let found = mentioned.filter_map(|item| places.get(item).copied());
            found.collect()
        })
        .collect();
    let body_of = |item: Item| places.get(&item).map(|&at| &*bindings[at].body);
    // The last binding that certainly needs each.
    let mut needed_by: Vec<usize> = vec![usize::MAX; bindings.len()];
    let mut numbers: Vec<Option<u32>> = vec![None; bindings.len()];
    let mut entries: Vec<Entry> = Vec::with_capacity(bindings.len());
    let mut way = Vec::new();
    for start in 0..bindings.len() {
        way.push((start, 0));
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
                    let Binding {
                        name, item, body, ..
                    } = &bindings[at];
                    let needs = certain(db, body, body_of).into_iter();
                    let needs = needs.filter_map(|item| match places.get(&item) {
                        Some(&place) => {
                            needed_by[place] = at;
                            numbers[place].map(Need::Here)
                        }
                        None => Some(Need::Elsewhere(item)),
                    });
                    let needs = needs.collect();
                    let uses = uses[at].iter().filter_map(|&target| {
                        let is_certain = needed_by[target] == at || is_module(&bindings[target]);
                        Some((numbers[target]?, is_certain))
                    });
                    entries.push(Entry {
                        item: *item,
                        damaged: body.damaged,
                        public: !matches!(name, ItemName::Let(..)),
                        uses: uses.collect(),
                        imports: imports(body),
                        needs,
                    });
                }
            }
        }
    }
    entries
}

/// Whether a binding is a module and nothing else.
fn is_module(binding: &Binding) -> bool {
    let body = &binding.body;
    matches!(body.expr(body.root), Expr::Import(_))
}

/// The modules that a body mentions, each once.
fn imports(body: &Body) -> Vec<SourceFile> {
    let mut found = Vec::new();
    for expr in &body.exprs {
        if let Expr::Import(module) = expr
            && !found.contains(module)
        {
            found.push(*module);
        }
    }
    found
}
