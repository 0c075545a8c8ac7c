//! `imgc eval`.

use std::path::Path;

use crate::cli::EvalArgs;
use crate::describe::Problem;
use crate::desk::Desks;
use crate::programs::{self, STANDARD_INPUT};
use crate::target::Target;
use crate::terminal::{Failure, Terminal};

/// Evaluates a file, one of its fields, or an expression, and prints what it gives.
pub(crate) fn run(args: &EvalArgs, terminal: &Terminal) -> Result<(), Failure> {
    args.evaluation.check_one_platform()?;
    let mut desks = Desks::new(&args.evaluation, true);
    let given = match (&args.expression, &args.file) {
        (Some(expression), _) => Some(("<expression>", expression.clone())),
        (None, Some(file)) if file == Path::new(STANDARD_INPUT) => {
            Some(("<stdin>", programs::read(file)?))
        }
        _ => None,
    };
    let (options, desk, entry) = match given {
        Some((name, text)) => {
            let options = desks.options(None);
            let desk = desks.of_folder(Path::new("."))?;
            let entry = desk.path(name);
            desk.put(&entry, &text);
            (options, desk, entry)
        }
        None => {
            let target = Target::of(args.file.as_deref().unwrap_or(Path::new("")));
            let options = desks.options(target.select.as_deref());
            let (desk, entry) = desks.of_file(&target.file)?;
            (options, desk, entry)
        }
    };
    let shown = desk.session.show(&entry, &options);
    // The program ends here: nothing is gained by taking its tables apart.
    std::mem::forget(desks);
    terminal.diagnostics(&shown.diagnostics, &shown.sources);
    let Some(text) = shown.text else {
        return Err(Failure::Told);
    };
    if !args.json {
        return terminal.result(&text);
    }
    let value = shown.json.ok_or_else(|| {
        Problem::new("the value has no form in JSON")
            .note("it is, or holds, a function, an image or a file")
            .help("leave out --json, or name a field: FILE#NAME")
    })?;
    let text = serde_json::to_string_pretty(&value).expect("a value is plain data");
    terminal.result(&text)
}
