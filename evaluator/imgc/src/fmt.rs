//! `imgc fmt`.

use std::fmt::Write as _;
use std::path::Path;

use imgc_diag::FileId;

use crate::beside::replace_text;
use crate::cli::FmtArgs;
use crate::found;
use crate::programs::{self, STANDARD_INPUT};
use crate::terminal::{Failure, Terminal};

/// Writes files in the one style. One with syntax errors is left alone.
pub(crate) fn run(args: &FmtArgs, terminal: &Terminal) -> Result<(), Failure> {
    if args
        .paths
        .iter()
        .any(|path| path == Path::new(STANDARD_INPUT))
    {
        if args.paths.len() > 1 {
            return Err(Failure::Usage("`-` stands alone".to_owned()));
        }
        return standard_input(args, terminal);
    }
    let mut failed = false;
    let mut changed = false;
    for file in found::files(&args.paths)? {
        match one(&file, args, terminal) {
            Ok(differs) => changed |= differs,
            Err(failure) => {
                terminal.failure(&failure);
                failed = true;
            }
        }
    }
    if failed || (args.check && changed) {
        return Err(Failure::Told);
    }
    Ok(())
}

/// Whether the file was not in the one style.
fn one(file: &Path, args: &FmtArgs, terminal: &Terminal) -> Result<bool, Failure> {
    let shown = file.display().to_string();
    let text = programs::read(file)?;
    let formatted = format(&shown, &text, terminal)?;
    if formatted == text {
        return Ok(false);
    }
    if args.diff {
        terminal.result(difference(&shown, &text, &formatted).trim_end())?;
    } else if args.check {
        terminal.result(&shown)?;
    } else {
        replace_text(file, &formatted)?;
    }
    Ok(true)
}

fn standard_input(args: &FmtArgs, terminal: &Terminal) -> Result<(), Failure> {
    const SHOWN: &str = "<stdin>";
    let text = programs::read(Path::new(STANDARD_INPUT))?;
    let formatted = format(SHOWN, &text, terminal)?;
    if args.diff && formatted != text {
        terminal.result(difference(SHOWN, &text, &formatted).trim_end())?;
    } else if args.check && formatted != text {
        terminal.result(SHOWN)?;
    } else if !args.check && !args.diff {
        terminal.write(&formatted)?;
    }
    if args.check && formatted != text {
        return Err(Failure::Told);
    }
    Ok(())
}

fn format(shown: &str, text: &str, terminal: &Terminal) -> Result<String, Failure> {
    if let Some(formatted) = imgc_syntax::format(text) {
        return Ok(formatted);
    }
    let file = FileId::new(shown);
    let parse = imgc_syntax::parse(text);
    let errors = parse.errors().iter();
    let diagnostics: Vec<_> = errors
        .map(|error| imgc_diag::from_syntax(&file, error))
        .collect();
    terminal.diagnostics(&diagnostics, &[(file, text.to_owned())].into());
    if diagnostics.is_empty() {
        // The formatter found that it would have changed the meaning.
        let message = format!("{shown} can't be formatted, and is left as it is");
        return Err(crate::describe::Problem::new(message).into());
    }
    Err(Failure::Told)
}

/// What changes, in the form that patch tools read.
pub(crate) fn difference(shown: &str, old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    let mut out = String::new();
    let unified = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{shown}"), &format!("b/{shown}"))
        .to_string();
    let _ = write!(out, "{unified}");
    out
}
