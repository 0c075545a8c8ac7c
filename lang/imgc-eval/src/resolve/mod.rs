//! A syntax tree to bindings with their names resolved.
//!
//! It looks at one file: it reads no other module, infers nothing and runs nothing. What
//! is wrong with names, keys and written types is reported here, and becomes a poison
//! that nobody reports again.

mod body;
mod call;
mod expr;
mod fields;
mod lets;
mod module;
mod pattern;
mod record;
mod scope;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;

use imgc_syntax::{Parse, SyntaxError, TextRange, TextSize};

use crate::ir::{Body, ItemName, Items, ModuleName, TypeExpr};
use crate::path;
use crate::problem::{MAX_PROBLEMS, Problem};
use crate::queries::{Db, Item, SourceFile};
use crate::site::Spans;
use body::BodyBuilder;
pub(crate) use call::{call_text, lower_call};
pub(crate) use record::{Meaning, Recorded};
use scope::Scope;

/// A module with its names resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lowered {
    /// What it has.
    pub(crate) items: Items,
    /// Every binding, sorted by name, each name once.
    pub(crate) bindings: Vec<Binding>,
    /// Where the imports stand, in the order of the source.
    pub(crate) imports: Vec<(ModuleName, TextRange)>,
    /// What is wrong with names, in the order of the source.
    pub(crate) problems: Vec<Problem<TextRange>>,
    /// What the `##` comment at the head of the file says.
    pub(crate) doc: Option<String>,
}

/// A top-level binding and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    /// Its name.
    pub(crate) name: ItemName,
    /// The binding.
    pub(crate) item: Item,
    /// What it is bound to.
    pub(crate) body: Arc<Body>,
    /// Where the expressions of the body stand.
    pub(crate) spans: Spans,
    /// Where its name stands.
    pub(crate) place: TextRange,
    /// What its `##` comment says.
    pub(crate) doc: Option<String>,
}

impl Lowered {
    /// The binding of a name.
    pub(crate) fn get(&self, name: &ItemName) -> Option<&Binding> {
        let found = self.bindings.binary_search_by(|known| known.name.cmp(name));
        found.ok().map(|at| &self.bindings[at])
    }
}

/// Lowers the tree of a module. The imports of a `circular` one are poison, so that
/// nothing runs round.
pub(crate) fn lower(db: &dyn Db, file: SourceFile, parse: &Parse, circular: bool) -> Lowered {
    let name = file.name(db);
    let mut lowerer = Lowerer::new(Some((db, file)), name, parse.errors(), circular);
    let file = parse.tree();
    lowerer.file(&file);
    lowerer.finish(file.doc())
}

/// The same, with a note of every name: who uses it, and where it can be used.
pub(crate) fn lower_recorded(
    db: &dyn Db,
    file: SourceFile,
    parse: &Parse,
    circular: bool,
) -> (Lowered, Recorded) {
    let name = file.name(db);
    let mut lowerer = Lowerer::new(Some((db, file)), name, parse.errors(), circular);
    lowerer.recorded = Some(Recorded::default());
    let file = parse.tree();
    lowerer.file(&file);
    let recorded = lowerer.recorded.take().unwrap_or_default();
    (lowerer.finish(file.doc()), recorded)
}

/// A type as it is written, for tables of signatures. Their texts are well formed; what
/// is wrong is poison.
pub(crate) fn signature(text: &str) -> TypeExpr {
    let name = ModuleName::Project("".into());
    let parse = imgc_syntax::parse_type(text);
    let mut lowerer = Lowerer::new(None, &name, &[], false);
    match parse.tree().ty().filter(|_| parse.errors().is_empty()) {
        Some(ty) => lowerer.annotation(&ty),
        None => TypeExpr::Poison,
    }
}

/// The work on one file.
struct Lowerer<'a> {
    /// What knows bindings and modules by their names, and which file this is. A type by
    /// itself has neither.
    owner: Option<(&'a dyn Db, SourceFile)>,
    name: &'a ModuleName,
    /// Whether the parser found nothing wrong. What seems to be missing in a repaired
    /// tree is no mistake of its own.
    is_whole: bool,
    /// Where syntax errors begin, sorted.
    errors: Vec<TextSize>,
    circular: bool,
    lowered: Lowered,
    /// How many problems there were before the binding that is being lowered.
    item_problems: usize,
    /// How many more warnings and mistakes are reported.
    room: [usize; 2],
    /// The names that are bound around what is lowered, the innermost last.
    scopes: Vec<Scope>,
    /// The parameters whose defaults are lowered, and the names beside each.
    defaults: Vec<(Arc<str>, Arc<BTreeSet<String>>)>,
    /// How many more parts of types are written out.
    type_room: usize,
    /// How many records that keys like `a.b` made stand in each other here.
    nested: usize,
    /// How many bodies were begun.
    bodies: usize,
    /// The binding that is being lowered.
    body: BodyBuilder,
    /// What is noted of names, where that is wanted.
    recorded: Option<Recorded>,
}

impl<'a> Lowerer<'a> {
    fn new(
        owner: Option<(&'a dyn Db, SourceFile)>,
        name: &'a ModuleName,
        errors: &[SyntaxError],
        circular: bool,
    ) -> Self {
        let mut errors: Vec<TextSize> = errors.iter().map(|error| error.range.start()).collect();
        errors.sort();
        Self {
            owner,
            name,
            is_whole: errors.is_empty(),
            errors,
            circular,
            item_problems: 0,
            lowered: Lowered::default(),
            room: [MAX_PROBLEMS; 2],
            scopes: Vec::new(),
            defaults: Vec::new(),
            type_room: types::MAX_ALL,
            nested: 0,
            bodies: 1,
            body: BodyBuilder::default(),
            recorded: None,
        }
    }

    fn finish(mut self, doc: Option<String>) -> Lowered {
        let key = |range: TextRange| (range.start(), range.end());
        let lowered = &mut self.lowered;
        lowered.doc = doc;
        lowered.problems.sort_by_key(|problem| key(problem.place));
        lowered.imports.sort_by_key(|(_, range)| key(*range));
        lowered.bindings.sort_by(|a, b| a.name.cmp(&b.name));
        let lets = lowered.bindings.iter().map(|binding| &binding.name);
        let lets = lets.filter(|name| matches!(name, ItemName::Let(..)));
        lowered.items.lets = lets.cloned().collect();
        let public = lowered.bindings.iter().skip(lowered.items.lets.len());
        lowered.items.public = public.map(|binding| binding.item).collect();
        let mut seen = BTreeSet::new();
        for (name, _) in &lowered.imports {
            if seen.insert(name) {
                lowered.items.imports.push(name.clone());
            }
        }
        self.lowered
    }

    /// Notes a finding, unless there are very many already.
    fn report(&mut self, problem: Problem<TextRange>) {
        let room = &mut self.room[usize::from(problem.is_error())];
        if *room > 0 {
            *room -= 1;
            self.lowered.problems.push(problem);
        }
    }

    /// Whether a syntax error is in that range, or at its end.
    fn is_damaged(&self, range: TextRange) -> bool {
        let first = self.errors.partition_point(|start| *start < range.start());
        self.errors
            .get(first)
            .is_some_and(|start| *start <= range.end())
    }

    /// What knows bindings and modules, and which file this is.
    fn owner(&self) -> (&'a dyn Db, SourceFile) {
        self.owner.expect("a type by itself mentions no bindings")
    }

    /// The binding of a name of this file.
    fn item_of(&self, name: &ItemName) -> Item {
        let (db, file) = self.owner();
        db.item(file, name)
    }

    /// The folder that paths are relative to. `Err`: why the module has none.
    fn folder(&self) -> Result<&'a str, &'static str> {
        match self.name {
            ModuleName::Project(file) => Ok(path::folder(file)),
            ModuleName::Argument(_) | ModuleName::Call => Ok(""),
            ModuleName::Std(_) => Err("a module of imgc has no files of its own"),
            ModuleName::Remote(_) => Err("a module from elsewhere has no files of its own"),
        }
    }
}

#[cfg(test)]
mod tests;
