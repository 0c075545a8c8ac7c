//! The machine: a body to code, code to a value.

pub(crate) mod call;
pub(crate) mod code;
pub(crate) mod compare;
mod compile;
mod demand;
pub(crate) mod json;
mod layouts;
mod liveness;
mod loops;
mod machine;
pub(crate) mod meter;
mod numbered;
pub(crate) mod operators;
pub(crate) mod show;
#[cfg(test)]
mod tests;
pub(crate) mod value;

use std::sync::Arc;

use crate::problem::Problem;
use crate::queries::{self, Db, Item};
use crate::site::Site;
pub(crate) use demand::{certain, prepare};
use value::Value;

/// What evaluating a top-level binding gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// The value. `None`: what is wrong has been reported.
    pub(crate) value: Option<Value>,
    /// What is wrong, in the order of evaluation.
    pub(crate) problems: Vec<Problem<Site>>,
    /// The other top-level bindings that it used, in the order of first use.
    pub(crate) used: Vec<Item>,
    /// Steps of its own.
    pub(crate) steps: u64,
    /// Bytes of the values that it made.
    pub(crate) bytes: u64,
}

/// Evaluates a top-level binding that is well typed. Other bindings are asked for with
/// [`crate::queries::value`].
pub(crate) fn evaluate(db: &dyn Db, item: Item) -> Arc<Outcome> {
    let mut machine = machine::Machine::new(db, item);
    let value = queries::body(db, item).as_ref().and_then(|body| {
        let origin = db.origins(item, body.exprs.len());
        let code = compile::compile(body, origin);
        machine.evaluate(Arc::new(code))
    });
    machine.meter.release(db.spent());
    let total = machine.meter.used();
    Arc::new(Outcome {
        value,
        problems: machine.problems,
        used: machine.used,
        steps: total.steps,
        bytes: total.bytes,
    })
}
