//! `imgc import`: what a Dockerfile declares, as a `.img` file. What it only runs is left out,
//! loudly: nothing here guesses what a program would do, and nothing is built.

mod accounts;
mod base;
mod config;
mod convert;
mod copy;
mod disk;
mod dockerfile;
mod draft;
mod entries;
mod run;
mod shell;
mod tree;
mod words;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use imgc_diag::Severity;

use crate::beside::write_whole;
use crate::cli::EvaluationArgs;
use crate::cli_start::ImportArgs;
use crate::describe::{self, Problem};
use crate::desk::Desks;
use crate::import::disk::Disk;
use crate::import::draft::{Draft, Notice};
use crate::programs::{self, STANDARD_INPUT};
use crate::terminal::{Failure, Terminal};

/// How many instructions are read: nobody writes more.
const MAX_INSTRUCTIONS: usize = 4096;

/// Writes what a Dockerfile declares, and tells what it leaves out.
pub(crate) fn run(args: &ImportArgs, terminal: &Terminal) -> Result<(), Failure> {
    if let Some(output) = &args.output
        && output.symlink_metadata().is_ok()
    {
        let message = format!("{} is there already, and stays as it is", output.display());
        return Err(Problem::new(message)
            .help("name another file with -o, or remove it")
            .into());
    }
    let text = programs::read(&args.file)?;
    let shown = match args.file.as_path() {
        path if path == Path::new(STANDARD_INPUT) => "<stdin>".to_owned(),
        path => path.display().to_string(),
    };
    let context = match (&args.context, args.file.as_path()) {
        (Some(context), _) => context.clone(),
        (None, path) if path == Path::new(STANDARD_INPUT) => PathBuf::from("."),
        (None, path) => folder_of(path),
    };
    // What is printed belongs beside the Dockerfile.
    let place = match &args.output {
        Some(output) => folder_of(output),
        None => context.clone(),
    };
    let real = |path: &Path| {
        path.canonicalize()
            .map_err(|error| describe::disk("read", path, &error))
    };
    let disk = Disk::new(&real(&context)?, &real(&place)?);
    let file = dockerfile::parse(&text);
    if file.instructions.len() > MAX_INSTRUCTIONS {
        let message = format!("{shown} has more than {MAX_INSTRUCTIONS} instructions");
        return Err(Problem::new(message).into());
    }
    let mut draft = convert::convert(&file, &args.arguments, &disk)
        .map_err(|why| Problem::new(format!("{shown} says no image: {why}")))?;
    let name = args.output.as_deref().and_then(Path::file_name);
    let name = name.and_then(|name| name.to_str()).unwrap_or("import.img");
    let text = settle(&mut draft, &place, name)?;
    match &args.output {
        None => terminal.write(&text)?,
        Some(output) => write_whole(output, |file| file.write_all(text.as_bytes()))?,
    }
    let lost = tell(draft.notices, &shown, terminal);
    if args.strict && lost > 0 {
        return Err(Failure::Told);
    }
    Ok(())
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The text of a draft. What the language refuses is left out of it, with what it says.
/// `name` is what the file is called while it is looked at.
fn settle(draft: &mut Draft, place: &Path, name: &str) -> Result<String, Problem> {
    let evaluation = EvaluationArgs {
        platforms: Vec::new(),
        arguments: Vec::new(),
        store: None,
        offline: true,
    };
    let mut desks = Desks::new(&evaluation, false);
    let options = desks.options(None);
    let desk = desks.of_folder(place)?;
    let entry = desk.path(name);
    loop {
        let rendered = draft.render();
        desk.put(&entry, &rendered.text);
        let findings = desk.findings(&entry, &options);
        let mut errors = findings
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .peekable();
        if errors.peek().is_none() {
            let formatted = imgc_syntax::format(&rendered.text);
            return Ok(formatted.unwrap_or(rendered.text));
        }
        // Each round takes something away, so that this ends.
        let taken = errors.any(|error| {
            let labels = std::iter::once(&error.primary).chain(&error.related);
            labels.clone().any(|label| {
                draft.drop_at(&rendered, label.span.range.start as usize, &error.message)
            })
        });
        if !taken {
            let first = findings.diagnostics.first();
            let message = first.map_or("", |diagnostic| diagnostic.message.as_str());
            return Err(Problem::new(format!(
                "what the Dockerfile says is no image: {message}"
            )));
        }
    }
}

/// Tells the notices by their lines, and gives how many things were left out.
fn tell(mut notices: Vec<Notice>, shown: &str, terminal: &Terminal) -> usize {
    notices.sort_by_key(|notice| notice.line);
    let mut lost = 0;
    for Notice {
        line,
        lost: what,
        why,
    } in &notices
    {
        match what {
            Some(what) => {
                lost += 1;
                terminal.line(&format!("{shown}:{line}: left out: {what}: {why}"));
            }
            None => terminal.line(&format!("{shown}:{line}: note: {why}")),
        }
    }
    match lost {
        0 => {}
        1 => terminal.line("1 thing was left out; a comment stands in its place"),
        many => terminal.line(&format!(
            "{many} things were left out; a comment stands in the place of each"
        )),
    }
    lost
}
