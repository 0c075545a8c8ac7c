//! The queries: source text to tree to bindings to types to values, remembered by salsa.
//!
//! Inputs are texts, answers of the outside, and settings. Findings are returned, never
//! accumulated, and know their places without positions, so that text which moves
//! changes nothing behind [`body`]. Nothing here sorts, hashes or prints a salsa id.

mod counters;
mod database;
mod outlines;
mod outside;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use imgc_plan::Platform;
use imgc_syntax::Parse;

use crate::ir::{Body, ItemName, Items, ModuleName};
use crate::options::Limits;
use crate::resolve::{Lowered, Recorded};
use crate::site::Site;
use crate::types::{Inference, Scheme};
use crate::vm::Outcome;
use crate::vm::meter::Spent;
use crate::vm::value::Origin;
use crate::world::World;

pub use counters::Counters;
pub(crate) use counters::Kind;
pub(crate) use database::Database;
pub(crate) use outlines::{Entry, Need, outline};
pub(crate) use outside::{Outside, Question, digest, list, read, stat};

/// What queries ask of the database beside salsa.
#[salsa::db]
pub(crate) trait Db: salsa::Database {
    /// The outside, for what never changes. Evaluation asks [`stat`], [`list`],
    /// [`digest`] and [`read`], which remember the answers as dependencies.
    fn world(&self) -> &dyn World;
    /// The file of that name. Each name has one, also where there is no text.
    fn file(&self, name: &ModuleName) -> SourceFile;
    /// The binding of that name.
    fn item(&self, file: SourceFile, name: &ItemName) -> Item;
    /// The answer of the outside to a question.
    fn outside(&self, question: Question) -> Outside;
    /// What the caller decides.
    fn settings(&self) -> Settings;
    /// What evaluation has used so far.
    fn spent(&self) -> &Spent;
    /// Notes that a query of that kind is executed.
    fn executes(&self, kind: Kind);
    /// Where a value was written.
    fn site(&self, origin: Origin) -> Site;
    /// Gives out `count` origins in a row for the expressions of a binding, the
    /// first for expression 0. A binding that asks again for no more than before gets
    /// the same ones.
    fn origins(&self, item: Item, count: usize) -> Origin;
}

/// The text of one module.
#[salsa::input]
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Its name. Never changes.
    #[returns(ref)]
    pub(crate) name: ModuleName,
    /// The text; `None` where it could not be read, which the loader reports.
    #[returns(ref)]
    pub(crate) text: Option<Arc<str>>,
    /// Whether it imports itself, directly or through others. Its imports are poison.
    #[returns(copy)]
    pub(crate) circular: bool,
}

/// A top-level binding by its name. Exists whether the file has it or not.
#[salsa::input]
#[derive(Debug)]
pub(crate) struct Item {
    /// The module. Never changes.
    #[returns(copy)]
    pub(crate) file: SourceFile,
    /// The name. Never changes.
    #[returns(ref)]
    pub(crate) name: ItemName,
}

/// What the caller of an evaluation decides. There is one.
#[salsa::input]
#[derive(Debug)]
pub(crate) struct Settings {
    /// The platform of images that name none.
    #[returns(copy)]
    pub(crate) platform: Platform,
    /// What the evaluation may use.
    #[returns(ref)]
    pub(crate) limits: Limits,
}

/// The tree of a module.
#[salsa::tracked(returns(ref))]
pub(crate) fn parse(db: &dyn Db, file: SourceFile) -> Parse {
    db.executes(Kind::Parse);
    let text = file.text(db).as_deref().unwrap_or_default();
    // What applies a file to its arguments is no text of the language.
    let is_call = *file.name(db) == ModuleName::Call;
    imgc_syntax::parse(if is_call { "0" } else { text })
}

/// A module with its names resolved, and where everything stands. One without text has
/// a poison in the place of its value.
#[salsa::tracked(returns(ref))]
pub(crate) fn lowered(db: &dyn Db, file: SourceFile) -> Arc<Lowered> {
    db.executes(Kind::Resolve);
    if *file.name(db) == ModuleName::Call {
        let text = file.text(db).as_deref().unwrap_or_default();
        return Arc::new(crate::resolve::lower_call(db, file, text));
    }
    let parse = parse(db, file);
    Arc::new(crate::resolve::lower(db, file, parse, file.circular(db)))
}

/// What the names of a module mean, and where they can be used. Only editors ask.
#[salsa::tracked(returns(ref))]
pub(crate) fn recorded(db: &dyn Db, file: SourceFile) -> Arc<Recorded> {
    if *file.name(db) == ModuleName::Call {
        return Arc::default();
    }
    let parse = parse(db, file);
    let (_, recorded) = crate::resolve::lower_recorded(db, file, parse, file.circular(db));
    Arc::new(recorded)
}

/// What a module has. Changes only when names or imports do.
#[salsa::tracked(returns(ref))]
pub(crate) fn items(db: &dyn Db, file: SourceFile) -> Items {
    lowered(db, file).items.clone()
}

/// A binding without positions. `None`: the file has no such binding.
#[salsa::tracked(returns(ref))]
pub(crate) fn body(db: &dyn Db, item: Item) -> Option<Arc<Body>> {
    let found = lowered(db, item.file(db)).get(item.name(db));
    found.map(|binding| binding.body.clone())
}

/// The types of a binding and of everything in it.
#[salsa::tracked(returns(ref))]
pub(crate) fn infer(db: &dyn Db, item: Item) -> Arc<Inference> {
    db.executes(Kind::Infer);
    crate::types::infer(db, item)
}

/// The type of a binding for those who use it.
pub(crate) fn scheme(db: &dyn Db, item: Item) -> &Arc<Scheme> {
    &infer(db, item).scheme
}

/// The value of a binding. Asked for only where [`infer`] found no mistake.
#[salsa::tracked(returns(ref))]
pub(crate) fn value(db: &dyn Db, item: Item) -> Arc<Outcome> {
    db.executes(Kind::Evaluate);
    crate::vm::evaluate(db, item)
}
