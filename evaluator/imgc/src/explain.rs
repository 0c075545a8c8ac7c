//! `imgc explain`.

use imgc_diag::Code;
use imgc_diag::codes::REGISTRY;

use crate::terminal::{Failure, Terminal};

/// Prints what a code means; without one, lists all codes.
pub(crate) fn run(code: Option<&str>, terminal: &Terminal) -> Result<(), Failure> {
    let Some(text) = code else {
        return REGISTRY
            .iter()
            .try_for_each(|entry| terminal.result(&format!("{}  {}", entry.code, entry.title)));
    };
    let code = Code::parse(text).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no code `{text}`: `imgc explain` lists all of them"
        ))
    })?;
    terminal.result(imgc_diag::pages::plain(code).trim_end())
}
