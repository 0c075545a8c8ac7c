//! Evaluating a file: load, resolve, evaluate, and gather the plan.
//!
//! Runs on a thread of its own with a stack that the depth limit fits in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use imgc_diag::{Diagnostic, FileId, Severity, codes, from_syntax};
use imgc_plan::{Image, Plan};

use crate::database::{Database, SourceFile, module, parse};
use crate::eval::{Evaluator, Loaded};
use crate::hir::ModuleName;
use crate::host::{bad_name, is_image_name};
use crate::load::{file_id, load};
use crate::options::Options;
use crate::origins::Origins;
use crate::path;
use crate::problem::{MAX_PROBLEMS, Problem};
use crate::span::Span;
use crate::value::{Data, ImageValue, Value};
use crate::world::World;

/// The stack of the evaluating thread, in bytes. `Limits::MAX_DEPTH` levels were
/// measured to need less than 40 MiB of it in an unoptimised build.
const STACK: usize = 128 * 1024 * 1024;

/// What evaluating a file gives.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The plan, if nothing is wrong.
    pub plan: Option<Plan>,
    /// Where the parts of the plan are written.
    pub origins: Origins,
    /// What is wrong, and warnings: by file in the order of loading, then by place.
    /// Of very many, only the first.
    pub diagnostics: Vec<Diagnostic>,
    /// The text of every file that was read, for showing diagnostics.
    pub sources: BTreeMap<FileId, String>,
}

/// Evaluates the file `entry`, a path from the project root.
///
/// The same world and options give the same answer, on any machine.
pub fn evaluate(world: &dyn World, entry: &str, options: &Options) -> Evaluated {
    Session::new().evaluate(world, entry, options)
}

/// What the value of a file looks like.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The value in the syntax of the language, if nothing is wrong.
    pub text: Option<String>,
    /// What is wrong, and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The text of every file that was read, for showing diagnostics.
    pub sources: BTreeMap<FileId, String>,
}

/// Evaluates the file `entry` to any value, and shows it. Functions, images and the
/// like are shown as `<function>`, `<image>`.
pub fn show(world: &dyn World, entry: &str, options: &Options) -> Shown {
    let outcome = Session::new().run(world, entry, options, true);
    Shown {
        text: outcome.text,
        diagnostics: outcome.evaluated.diagnostics,
        sources: outcome.evaluated.sources,
    }
}

struct Outcome {
    evaluated: Evaluated,
    text: Option<String>,
}

/// What is remembered between evaluations: the trees and modules of texts that have
/// not changed.
#[derive(Default)]
pub struct Session {
    db: Database,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// A session that remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`evaluate`], with what this session remembers.
    pub fn evaluate(&mut self, world: &dyn World, entry: &str, options: &Options) -> Evaluated {
        self.run(world, entry, options, false).evaluated
    }

    fn run(&mut self, world: &dyn World, entry: &str, options: &Options, show: bool) -> Outcome {
        let db = &mut self.db;
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name("evaluation".to_owned())
                .stack_size(STACK)
                .spawn_scoped(scope, || run(db, world, entry, options, show));
            match thread.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => refused(
                    entry,
                    codes::BUDGET_EXCEEDED,
                    format!("there is no thread to evaluate on: {error}"),
                ),
            }
        })
    }
}

/// The answer when there is nothing to look at.
fn refused(entry: &str, code: imgc_diag::Code, message: String) -> Outcome {
    let span = imgc_diag::Span {
        file: FileId::new(entry),
        range: imgc_diag::SpanRange { start: 0, end: 0 },
    };
    let evaluated = Evaluated {
        plan: None,
        origins: Origins::default(),
        diagnostics: vec![Diagnostic::error(code, span, message)],
        sources: BTreeMap::new(),
    };
    Outcome {
        evaluated,
        text: None,
    }
}

fn run(
    db: &mut Database,
    world: &dyn World,
    entry: &str,
    options: &Options,
    show: bool,
) -> Outcome {
    let Some(entry) = path::resolve("", entry) else {
        let message = format!("`{entry}` is not a path in the project");
        return refused(entry, codes::PATH_OUTSIDE_PROJECT, message);
    };
    let program = load(db, world, &entry);
    let db = &*db;
    let files = db.files();
    let names: Vec<FileId> = files.iter().map(|file| file_id(file.name(db))).collect();
    let mut diagnostics = Vec::new();
    let mut problems = program.problems;
    let mut sources = BTreeMap::new();
    for &number in program.imports.keys() {
        let file = files[number as usize];
        let id = names[number as usize].clone();
        let errors = parse(db, file).errors().iter();
        diagnostics.extend(errors.map(|error| from_syntax(&id, error)));
        problems.extend(module(db, file).problems.iter().cloned());
        sources.insert(id, file.text(db).to_string());
    }
    // Numbers depend on what the session loaded before, the order of loading does not.
    let mut ranks = vec![0; files.len()];
    for (rank, &number) in program.order.iter().enumerate() {
        ranks[number as usize] = rank;
    }
    let mut images = Vec::new();
    let mut text = None;
    let mut is_complete = false;
    // A tree that was repaired may lack what was meant: what is missing in it is no
    // mistake of its own.
    if let (Some(file), true) = (program.entry, diagnostics.is_empty()) {
        let modules = loaded(db, &files, &program.imports);
        let mut evaluator = Evaluator::new(world, options, &modules);
        let number = file.number(db);
        if let Ok(value) = evaluator.module(number) {
            is_complete = true;
            if show {
                text = evaluator.show(&value).ok();
            } else {
                images = gather(&mut evaluator, &value, &entry, &ranks);
            }
        }
        problems.append(&mut evaluator.problems);
    }
    is_complete &= !problems.iter().any(Problem::is_error);
    problems.sort_by_key(|problem| (ranks[problem.span.module as usize], problem.span));
    diagnostics.extend(problems.into_iter().map(|problem| {
        let file = names.get(problem.span.module as usize);
        let source = file.and_then(|file| sources.get(file));
        problem.diagnostic(&names, source.map_or("", String::as_str))
    }));
    let mut seen = std::collections::BTreeSet::new();
    diagnostics.retain(|diagnostic| seen.insert(diagnostic.clone()));
    let mut room = [MAX_PROBLEMS; 2];
    diagnostics.retain(|diagnostic| {
        let room = &mut room[usize::from(diagnostic.severity == Severity::Error)];
        let fits = *room > 0;
        *room -= usize::from(fits);
        fits
    });

    // A mistake that was not reported would be a mistake of imgc; there is no plan then.
    let failed = !is_complete;
    let (plan, origins) = plan(images, &names);
    let evaluated = Evaluated {
        plan: (!failed).then_some(plan),
        origins,
        diagnostics,
        sources,
    };
    Outcome {
        evaluated,
        text: text.filter(|_| !failed),
    }
}

/// Every module by number; those that this evaluation does not reach import nothing.
fn loaded<'db>(
    db: &'db Database,
    files: &[SourceFile],
    imports: &BTreeMap<u32, Vec<Option<u32>>>,
) -> Vec<Loaded<'db>> {
    files
        .iter()
        .map(|&file| Loaded {
            module: &module(db, file).module,
            imports: imports.get(&file.number(db)).cloned().unwrap_or_default(),
            project: matches!(file.name(db), ModuleName::Project(_)),
        })
        .collect()
}

/// The images that the value of a file is, each with its name.
fn gather(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    entry: &str,
    ranks: &[usize],
) -> Vec<(String, Arc<ImageValue>)> {
    let file = entry.rsplit('/').next().unwrap_or(entry);
    let stem = file.strip_suffix(".img").unwrap_or(file);
    match &value.data {
        Data::Image(image) => {
            let name = name(evaluator, image, value.span, stem);
            name.map(|name| (name, image.clone())).into_iter().collect()
        }
        Data::Record(record) => {
            let mut fields: Vec<_> = record.fields.iter().collect();
            // The order of the source; a field of another file comes where its file
            // was loaded.
            fields.sort_by_key(|field| (ranks[field.span.module as usize], field.span));
            let mut images: Vec<(String, Arc<ImageValue>)> = Vec::new();
            let mut seen: BTreeMap<String, Span> = BTreeMap::new();
            if fields.is_empty() {
                let message = "this file has no image: its record is empty";
                evaluator.report(Problem::new(codes::NOT_AN_IMAGE, value.span, message));
            }
            for field in fields {
                let Data::Image(image) = &field.value.data else {
                    let message = format!(
                        "`{}` is not an image, but {}",
                        field.name,
                        field.value.kind()
                    );
                    let problem =
                        Problem::new(codes::NOT_AN_IMAGE, field.span, message).about(&field.value);
                    evaluator.report(
                        problem.note("a file is an image, or a record whose fields are images"),
                    );
                    continue;
                };
                let Some(name) = name(evaluator, image, field.span, &field.name) else {
                    continue;
                };
                // An image that stands in several fields is in the plan as often.
                if evaluator.allocate(image.bytes, field.span).is_err() {
                    break;
                }
                if let Some(earlier) = seen.insert(name.clone(), field.span) {
                    let message = format!("two images are named `{name}`");
                    let problem = Problem::new(codes::DUPLICATE_IMAGE, field.span, message);
                    evaluator.report(problem.label(earlier, "the other one is here"));
                    continue;
                }
                images.push((name, image.clone()));
            }
            images
        }
        _ => {
            let message = format!("this file is not an image, but {}", value.kind());
            let problem = Problem::new(codes::NOT_AN_IMAGE, value.span, message);
            evaluator.report(
                problem
                    .note("a file that is built is an image, or a record whose fields are images"),
            );
            Vec::new()
        }
    }
}

/// The name of an image: its own, or that of the field or file that it stands in.
fn name(
    evaluator: &mut Evaluator<'_>,
    image: &ImageValue,
    span: Span,
    place: &str,
) -> Option<String> {
    if let Some(name) = &image.name {
        return Some(name.clone());
    }
    if !is_image_name(place) {
        let problem = bad_name(span, place);
        evaluator.report(problem.help("give the image a `name`"));
        return None;
    }
    Some(place.to_owned())
}

fn plan(images: Vec<(String, Arc<ImageValue>)>, files: &[FileId]) -> (Plan, Origins) {
    let mut plan = Plan::default();
    let mut origins = Origins::default();
    for (name, image) in images {
        for (place, span) in &image.origins {
            origins.insert(&name, place.clone(), span.shown(files));
        }
        for (digest, path) in &image.sources {
            plan.sources.entry(*digest).or_insert_with(|| path.clone());
        }
        plan.images.push(Image {
            name,
            platform: image.platform,
            packages: image.packages.clone(),
            groups: image.groups.clone(),
            users: image.users.clone(),
            files: image.files.clone(),
            config: image.config.clone(),
        });
    }
    (plan, origins)
}
