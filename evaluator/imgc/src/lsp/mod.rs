//! `imgc lsp`: the language server over standard input and output. What it answers, the
//! language decides; here is the machine that it works on.

mod catalogue;
mod machine;

use std::sync::Arc;

use crate::describe::Problem;
use crate::terminal::{Failure, Terminal};
use machine::Machine;

/// Serves the editor until it says that that is all.
pub(crate) fn run(_: &Terminal) -> Result<(), Failure> {
    let served = imgc_lsp::serve_stdio(Arc::new(Machine::new()));
    served.map_err(|error| Problem::new(format!("the language server ends: {error}")).into())
}
