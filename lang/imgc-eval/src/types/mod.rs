//! Types: inferred for each binding, before anything is evaluated.
//!
//! A type is a node in an arena while its binding is worked on, and plain data
//! ([`Scheme`]) for the others. Nothing here evaluates.

mod advice;
mod annotation;
mod apply;
mod builtin_types;
mod hosts;
mod infer;
mod literals;
mod operators;
mod patterns;
mod print;
mod records;
mod report;
mod schema_docs;
mod scheme;
mod shape;
mod subsume;
#[cfg(test)]
mod tests;
mod ty;
mod typing;
mod unify;

use std::sync::Arc;

use crate::ir::ExprId;
use crate::problem::Problem;
use crate::queries::{Db, Item};
use crate::site::Site;

pub use print::is_function_type;
pub(crate) use print::show;
pub(crate) use scheme::Scheme;
pub use shape::{FieldShape, Shape, ShapeKind, TagShape};
pub(crate) use typing::Typing;

use infer::Infer;
use scheme::Part;

/// What inference finds out about a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inference {
    /// Its type.
    pub(crate) scheme: Arc<Scheme>,
    /// What is wrong. A literal of another binding may be what is wrong here: several
    /// users of one report the same place.
    pub(crate) problems: Vec<Problem<Site>>,
}

/// What a field of a parameter takes, as far as a command line can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Text, also a name of the host.
    String,
    /// A number.
    Int,
    /// A truth value.
    Bool,
    /// Anything else.
    Other,
}

/// A field of the record that a function takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterField {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Whether it may be left out.
    pub(crate) optional: bool,
    /// Its type, as text.
    pub(crate) ty: String,
    /// What it takes.
    pub(crate) kind: FieldKind,
}

/// Infers the types of a binding. Those of others are asked for with
/// [`crate::queries::scheme`].
pub(crate) fn infer(db: &dyn Db, item: Item) -> Arc<Inference> {
    let body = crate::queries::body(db, item).as_ref();
    // Of what may lack something nothing is believed.
    let Some(body) = body.filter(|body| !body.damaged) else {
        return Arc::new(Inference {
            scheme: Arc::new(Scheme::poison()),
            problems: Vec::new(),
        });
    };
    let mut infer = Infer::new(db, item, body);
    let scheme = infer.run();
    infer.check_literals();
    let Infer {
        problems, arena, ..
    } = infer;
    arena.give_back();
    Arc::new(Inference { scheme, problems })
}

/// The type of an expression of a binding, as text. It is inferred anew: types of
/// expressions are wanted one at a time, by people.
pub(crate) fn type_at(db: &dyn Db, item: Item, expr: ExprId) -> Option<String> {
    let body = crate::queries::body(db, item).as_ref()?;
    let mut infer = Infer::new(db, item, body);
    infer.types = Some(vec![ty::POISON; body.exprs.len()]);
    let scheme = infer.run();
    if expr == body.root {
        return Some(show(&scheme));
    }
    let ty = infer.types.take()?.get(expr.0 as usize).copied()?;
    let scheme = infer.arena.finish(ty).ok()?;
    (!scheme.is_poison()).then(|| show(&scheme))
}

/// The fields of the record that a function takes, sorted by name. `None`: it is no
/// function of a record.
pub(crate) fn parameter_fields(scheme: &Scheme) -> Option<Vec<ParameterField>> {
    let Part::Function(parameter, _) = scheme.root() else {
        return None;
    };
    let Part::Record(fields, _) = scheme.part(*parameter) else {
        return None;
    };
    let fields = fields.iter().map(|field| ParameterField {
        name: field.name.clone(),
        optional: field.optional,
        ty: print::show_part(scheme, field.ty, 200, false),
        kind: kind(scheme, field.ty),
    });
    Some(fields.collect())
}

fn kind(scheme: &Scheme, part: u32) -> FieldKind {
    use hosts::Host;
    let host = match scheme.part(part) {
        Part::Host(host) => Some(*host),
        Part::Var(index) => {
            let heads = scheme.vars[*index as usize].heads;
            heads.first().filter(|_| heads != ty::Heads::ANY)
        }
        _ => None,
    };
    match host {
        Some(
            Host::String
            | Host::Package
            | Host::Platform
            | Host::Suite
            | Host::Variant
            | Host::Owner
            | Host::Port
            | Host::File,
        ) => FieldKind::String,
        Some(Host::Int | Host::Mode) => FieldKind::Int,
        Some(Host::Bool) => FieldKind::Bool,
        _ => FieldKind::Other,
    }
}
