//! Values of other top-level bindings.
//!
//! They are asked for through queries, which nest natively. So that they nest little, what
//! a binding certainly needs is evaluated before it, from a list of what is to do.

use std::cell::Cell;
use std::sync::Arc;

use imgc_diag::codes;
use rustc_hash::FxHashSet;

use crate::ir::{Body, Expr, ExprId, ItemName, Part};
use crate::problem::Problem;
use crate::queries::{self, Db, Item, SourceFile};
use crate::vm::call::{Eval, Failed};
use crate::vm::code::{Code, Global};
use crate::vm::machine::Machine;
use crate::vm::value::{Origin, Record, Value};

/// How many bindings may wait for each other beyond what is evaluated in advance. More
/// than the chain of bindings above which a program is refused before: what is remembered
/// of an earlier evaluation shortens the way, and must not decide whether a program is
/// refused.
const DEEPEST: u32 = 5_000;

thread_local! {
    static NESTED: Cell<u32> = const { Cell::new(0) };
}

/// The value of what some code mentions.
pub(super) fn global(machine: &mut Machine<'_>, code: &Code, index: u32, origin: Origin) -> Eval {
    let db = machine.db;
    match &code.globals[index as usize] {
        Global::Item(item) => value(machine, *item, origin),
        Global::Field(item, name) => match queries::body(db, *item).as_deref().and_then(module) {
            Some(module) => export(machine, module, name, origin),
            None => field(&value(machine, *item, origin)?, name),
        },
        Global::Export(module, name) => export(machine, *module, name, origin),
        Global::Module(module) => {
            let items = queries::items(db, *module);
            let Some(names) = &items.exports else {
                let root = items.public.first().ok_or(Failed)?;
                return value(machine, *root, origin);
            };
            let mut values = Vec::with_capacity(names.len());
            for item in &items.public {
                values.push(value(machine, *item, origin).unwrap_or(Value::Failed));
            }
            let names = Arc::new(names.clone());
            machine.context(origin).step(names.len())?;
            let record = Record { names, values };
            Ok(Value::Record(origin, Arc::new(record)))
        }
    }
}

/// A public binding of a module.
fn export(machine: &mut Machine<'_>, module: SourceFile, name: &Arc<str>, origin: Origin) -> Eval {
    let db = machine.db;
    let item = queries::items(db, module).exported(name).ok_or(Failed)?;
    let value = value(machine, item, origin)?;
    match item.name(db) {
        ItemName::Root => field(&value, name),
        _ => Ok(value),
    }
}

fn field(record: &Value, name: &str) -> Eval {
    let field = record.as_record().and_then(|record| record.get(name));
    let field = field.filter(|value| !value.is_failed());
    field.cloned().ok_or(Failed)
}

/// The module that a binding is, if it is nothing else.
fn module(body: &Body) -> Option<SourceFile> {
    match body.expr(body.root) {
        Expr::Import(module) => Some(*module),
        _ => None,
    }
}

fn value(machine: &mut Machine<'_>, item: Item, origin: Origin) -> Eval {
    let db = machine.db;
    let is_done = db.spent().is_done(item);
    if !is_done {
        machine.meter.release(db.spent());
    }
    let Some(_nested) = Nested::enter() else {
        let message = format!("more than {DEEPEST} bindings wait for each other here");
        let problem = Problem::new(codes::NESTED_TOO_DEEP, db.site(origin), message);
        return Err(machine.context(origin).report(problem));
    };
    machine.uses(item);
    if !is_done {
        prepare(db, item);
    }
    queries::value(db, item).value.clone().ok_or(Failed)
}

/// Evaluates a binding that was not evaluated yet, after what it certainly needs and what
/// that needs.
pub(crate) fn prepare(db: &dyn Db, item: Item) {
    let spent = db.spent();
    if spent.is_done(item) {
        return;
    }
    let mut seen = FxHashSet::from_iter([item]);
    let mut waiting = vec![(item, needs(db, item))];
    while let Some((item, needed)) = waiting.last_mut() {
        match needed.pop() {
            Some(next) => {
                if !spent.is_done(next) && seen.insert(next) {
                    waiting.push((next, needs(db, next)));
                }
            }
            None => {
                queries::value(db, *item);
                spent.done(&[*item]);
                waiting.pop();
            }
        }
    }
}

/// The bindings that a binding certainly needs, the last first.
#[salsa::tracked(returns(clone))]
fn needs(db: &dyn Db, item: Item) -> Vec<Item> {
    let body_of = |item: Item| queries::body(db, item).as_deref();
    match queries::body(db, item) {
        Some(body) => certain(db, body, body_of),
        None => Vec::new(),
    }
}

/// The top-level bindings that a body of a file mentions outside of functions and of
/// branches that may not be taken, the last first. `body_of` gives other bodies of the
/// file.
pub(crate) fn certain<'a>(
    db: &dyn Db,
    body: &Body,
    body_of: impl Fn(Item) -> Option<&'a Body>,
) -> Vec<Item> {
    let mut needed = Vec::new();
    let mut exprs: Vec<ExprId> = vec![body.root];
    while let Some(expr) = exprs.pop() {
        match body.expr(expr) {
            Expr::Item(item) => needed.push(*item),
            Expr::Select(record, name) => match body.expr(*record) {
                Expr::Import(module) => needed.extend(queries::items(db, *module).exported(name)),
                Expr::Item(other) => match body_of(*other).and_then(module) {
                    Some(module) => needed.extend(queries::items(db, module).exported(name)),
                    None => needed.push(*other),
                },
                _ => exprs.push(*record),
            },
            Expr::Import(module) => needed.extend(&queries::items(db, *module).public),
            Expr::Interpolation(parts) => {
                exprs.extend(parts.iter().filter_map(|part| match part {
                    Part::Text(_) => None,
                    Part::Expr(expr) => Some(*expr),
                }))
            }
            Expr::List(items) => exprs.extend(items),
            Expr::Record(fields) => exprs.extend(fields.iter().map(|field| field.value)),
            Expr::Let {
                bindings,
                needed,
                body,
            } => {
                exprs.extend(bindings[..*needed].iter().map(|binding| binding.value));
                exprs.push(*body);
            }
            Expr::If { condition, .. } | Expr::Assert { condition, .. } => exprs.push(*condition),
            Expr::And(a, _) | Expr::Or(a, _) => exprs.push(*a),
            Expr::Match { scrutinee, .. } => exprs.push(*scrutinee),
            Expr::Binary(_, a, b) | Expr::Apply(a, b) => exprs.extend([*a, *b]),
            Expr::Not(a) | Expr::Negate(a) | Expr::Tag(_, Some(a)) | Expr::Ascribe(a, _) => {
                exprs.push(*a);
            }
            Expr::Poison
            | Expr::Int(_)
            | Expr::Bool(_)
            | Expr::Str(_)
            | Expr::Path(_)
            | Expr::Local(_)
            | Expr::Builtin(_)
            | Expr::Lambda(_)
            | Expr::Tag(_, None) => {}
        }
    }
    needed
}

/// Counts bindings that wait for each other on this thread.
struct Nested;

impl Nested {
    fn enter() -> Option<Self> {
        let depth = NESTED.get();
        (depth < DEEPEST).then(|| {
            NESTED.set(depth + 1);
            Self
        })
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        NESTED.set(NESTED.get() - 1);
    }
}
