//! `imgc build`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgc_build::{BuildError, Builder, Built, Events, Failed, Pinning};
use imgc_oci::{Descriptor, Whole};
use imgc_plan::Index;
use imgc_store::Store as _;
use serde::Serialize;

use crate::cli::BuildArgs;
use crate::describe::{self, Problem, Report};
use crate::lock_file::LockFile;
use crate::output::Output;
use crate::placing::{Placing, Telling};
use crate::product::Product;
use crate::progress::{Explained, Progress};
use crate::remote::Policy;
use crate::signals::Signals;
use crate::steps;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::watch;
use crate::work::{AllSources, Source, Work};

/// Builds every image of every file, writes them, and prints their digests.
pub(crate) fn run(args: &BuildArgs, terminal: &Terminal) -> Result<(), Failure> {
    let signals = Signals::block();
    let output = Output::parse(args.output.as_deref()).map_err(Failure::Usage)?;
    let work = Work::begin(&args.work)?;
    signals.set(Arc::clone(&work.stop));
    if args.watch {
        return watch::run(&work, &args.files, terminal, || {
            once(args, &output, &work, terminal)
        });
    }
    once(args, &output, &work, terminal)
}

fn once(
    args: &BuildArgs,
    output: &Output,
    work: &Work,
    terminal: &Terminal,
) -> Result<(), Failure> {
    // Who watches a folder would take what comes and goes in it for a change.
    let placed = (!args.watch).then_some(output);
    let placing = Placing::new(placed, &*work.store);
    let (built, progress) = all_placed(
        work,
        &args.files,
        args.locked,
        terminal,
        &placing,
        &|built| output.write(built, &*work.store, &placing),
    )?;
    warn_all(&built, terminal);
    if args.keep {
        for product in &built {
            let kept = work.store.keep(&product.name, &product.digest());
            kept.map_err(|error| describe::store(&error))?;
        }
    }
    if progress.realised().0 > 0 {
        work.make_room()?;
    }
    note_work(&progress);
    if args.json {
        return terminal.result(&json(&built, &progress, args.explain));
    }
    if args.explain {
        steps::explain(&progress, terminal);
    }
    built
        .iter()
        .try_for_each(|product| terminal.result(&format!("{} {}", product.name, product.digest())))
}

/// Builds every image of every file, and hands them to `take`. Of the progress, only what
/// it counted is left. A blob that turns out to be damaged when it is taken is made anew,
/// once.
///
/// # Errors
/// Everything that went wrong in building has been shown. Else what `take` says.
pub(crate) fn all(
    work: &Work,
    files: &[PathBuf],
    locked: bool,
    terminal: &Terminal,
    take: Take<'_>,
) -> Result<(Vec<Product>, Progress), Failure> {
    let nowhere = Placing::new(None, &*work.store);
    all_placed(work, files, locked, terminal, &nowhere, take)
}

/// As [`all`]. Layers go to `placing` as soon as they are made.
fn all_placed(
    work: &Work,
    files: &[PathBuf],
    locked: bool,
    terminal: &Terminal,
    placing: &Placing<'_>,
    take: Take<'_>,
) -> Result<(Vec<Product>, Progress), Failure> {
    let policy = policy(locked);
    let mut sources = Vec::new();
    let mut failure = None;
    for file in files {
        match work.evaluate(&Target::of(file), policy, terminal) {
            Ok(source) => sources.push(source),
            Err(error) => failure = show_before(failure, error, terminal),
        }
    }
    check_names(&sources)?;
    let progress = Progress::new(terminal.interactive, terminal.verbose);
    let mut locks = Vec::new();
    for source in &sources {
        match pin(work, source, locked, &progress) {
            Ok(lock) => locks.push(Some(lock)),
            Err(error) => {
                locks.push(None);
                let error = progress.suspend(|| error.show(source, terminal));
                failure = show_before(failure, error, terminal);
            }
        }
    }
    if failure.is_none() {
        placing.begin(&names(&sources));
    }
    let telling = Telling {
        progress: &progress,
        placing,
    };
    let mut again = false;
    loop {
        let built = make_all(work, &sources, &locks, &telling);
        let built = match (built, failure.take()) {
            (Ok(built), None) => built,
            (Ok(_), Some(error)) => {
                progress.finish();
                return Err(error);
            }
            (Err(errors), before) => {
                progress.finish();
                return Err(show_all(errors, &sources, before, terminal));
            }
        };
        match take(&built) {
            Err(Taking::Damaged) if !again => {
                again = true;
                // Whatever else is damaged is found now: one more time is enough.
                for blob in built.iter().flat_map(|product| product.target().blobs()) {
                    let checked = work.store.verify_read(&blob.digest);
                    checked.map_err(|error| describe::store(&error))?;
                }
            }
            taken => {
                progress.finish();
                taken.map_err(Problem::from)?;
                return Ok((built, progress));
            }
        }
    }
}

/// Takes images and indexes from the store.
pub(crate) type Take<'a> = &'a dyn Fn(&[Product]) -> Result<(), Taking>;

/// An error, and the place of the file that it is about.
type Placed = (Option<usize>, Report);

/// Why images can't be taken from the store.
#[derive(Debug)]
pub(crate) enum Taking {
    /// Something of them was damaged, and has been moved aside.
    Damaged,
    /// Anything else.
    Problem(Problem),
}

impl From<Problem> for Taking {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Taking> for Problem {
    fn from(taking: Taking) -> Self {
        match taking {
            Taking::Problem(problem) => problem,
            Taking::Damaged => Self::new("the store is damaged again and again".to_owned())
                .help("look at its disk, or put the store on another one with --store DIR"),
        }
    }
}

/// Shows the failure before the one that is to be shown last.
fn show_before(before: Option<Failure>, error: Failure, terminal: &Terminal) -> Option<Failure> {
    if let Some(before) = before {
        terminal.failure(&before);
    }
    Some(error)
}

/// The most errors of one build that are shown.
const SHOWN: usize = 20;

fn show_all(
    errors: Vec<Placed>,
    sources: &[Source],
    before: Option<Failure>,
    terminal: &Terminal,
) -> Failure {
    let more = errors.len().saturating_sub(SHOWN);
    let mut failure = before;
    for (source, report) in errors.into_iter().take(SHOWN) {
        let error = match source.and_then(|at| sources.get(at)) {
            Some(source) => report.show(source, terminal),
            None => report.failure(),
        };
        if matches!(error, Failure::Interrupted) {
            return error;
        }
        failure = show_before(failure, error, terminal);
    }
    if more > 0 {
        let problem = Problem::new(format!("{more} more errors are not shown"));
        failure = show_before(failure, problem.into(), terminal);
    }
    failure.unwrap_or(Failure::Told)
}

/// What is done about modules that are not pinned.
pub(crate) fn policy(locked: bool) -> Policy {
    if locked { Policy::Locked } else { Policy::Add }
}

/// The lock of a file, with everything pinned that its images need.
pub(crate) fn pin(
    work: &Work,
    source: &Source,
    locked: bool,
    progress: &Progress,
) -> Result<LockFile, Report> {
    // Another file of its folder may have written it since.
    let mut lock = LockFile::known(&source.file, &[&source.lock])?.to_change();
    let pinning = if locked {
        Pinning::Locked
    } else {
        Pinning::AddMissing
    };
    let builder = work.builder(source, progress);
    builder.pin(source.plan(), &mut lock.lock, pinning)?;
    if !locked {
        source.project.remotes.pin(&mut lock.lock)?;
        lock.save(work)?;
    }
    Ok(lock)
}

/// Builds the images of a file with the pins of its lock.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn make(
    work: &Work,
    source: &Source,
    lock: LockFile,
    progress: &Progress,
) -> Result<Vec<Product>, Report> {
    let built = make_all(work, std::slice::from_ref(source), &[Some(lock)], progress);
    built.map_err(|mut errors| errors.swap_remove(0).1)
}

/// Builds the images of files at once. A file without a lock has failed already.
fn make_all(
    work: &Work,
    sources: &[Source],
    locks: &[Option<LockFile>],
    events: &dyn Events,
) -> Result<Vec<Product>, Vec<Placed>> {
    let all = AllSources(sources);
    let builder = work.builder(&all, events);
    let mut images = Vec::new();
    let mut of = BTreeMap::new();
    for (at, (source, lock)) in sources.iter().zip(locks).enumerate() {
        for image in &source.plan().images {
            if let Some(lock) = lock {
                of.insert(image.name.clone(), at);
                images.push((image, &lock.lock));
            }
        }
    }
    let built = builder.build_all(&images).map_err(|errors| {
        let errors = errors.into_iter();
        let placed = errors.map(|Failed { image, error }| {
            let source = image.and_then(|image| of.get(&image).copied());
            (source, error.into())
        });
        placed.collect::<Vec<_>>()
    })?;
    let names = images.iter().map(|(image, _)| image.name.clone());
    let indexes: Vec<&Index> = sources
        .iter()
        .flat_map(|source| &source.plan().indexes)
        .collect();
    products(&builder, &indexes, names.zip(built)).map_err(|error| vec![(None, error.into())])
}

/// Puts images together that are parts of an index. An index stands where its first image
/// does.
fn products(
    builder: &Builder<'_>,
    indexes: &[&Index],
    built: impl Iterator<Item = (String, Built)>,
) -> Result<Vec<Product>, BuildError> {
    let mut products = Vec::new();
    let mut parts: Vec<(String, Built)> = Vec::new();
    for (name, image) in built {
        let index = indexes.iter().find(|index| index.images.contains(&name));
        let Some(index) = index else {
            products.push(Product::image(name, image));
            continue;
        };
        // Those of one index follow each other.
        parts.push((name, image));
        if parts.len() == index.images.len() {
            let images: Vec<&Built> = parts.iter().map(|(_, built)| built).collect();
            products.push(Product {
                name: index.name.clone(),
                whole: Whole::Index(builder.index(index, &images)?),
                images: std::mem::take(&mut parts),
            });
        }
    }
    Ok(products)
}

/// The names of what files give: of images that are no part of an index, and of indexes.
fn names(sources: &[Source]) -> Vec<&str> {
    let plans = sources.iter().map(|source| source.plan());
    plans
        .flat_map(|plan| {
            let is_part = |name| plan.indexes.iter().any(|index| index.images.contains(name));
            let names = plan.images.iter().map(|image| &image.name);
            let images = names.filter(move |name| !is_part(*name));
            images.chain(plan.indexes.iter().map(|index| &index.name))
        })
        .map(String::as_str)
        .collect()
}

/// Two images of one name would overwrite each other.
fn check_names(sources: &[Source]) -> Result<(), Problem> {
    let mut seen: BTreeMap<&str, &Path> = BTreeMap::new();
    for source in sources {
        let plan = source.plan();
        let images = plan.images.iter().map(|image| &image.name);
        for name in images.chain(plan.indexes.iter().map(|index| &index.name)) {
            if let Some(first) = seen.insert(name, &source.file) {
                return Err(Problem::new(format!(
                    "{} and {} both have an image `{name}`",
                    first.display(),
                    source.file.display(),
                ))
                .help("give one of them another name, with the field `name`"));
            }
        }
    }
    Ok(())
}

/// Says what whoever uses images has to know of them.
pub(crate) fn warn_all(built: &[Product], terminal: &Terminal) {
    for (name, image) in built.iter().flat_map(|product| &product.images) {
        warn(name, image, terminal);
    }
}

/// Says what whoever uses an image has to know of it.
pub(crate) fn warn(name: &str, built: &Built, terminal: &Terminal) {
    warn_of_scripts(name, built, terminal);
    warn_of_unknown(name, built, terminal);
}

/// Says what of the maintainer scripts was not done: by the image's own words, or by
/// policy.
fn warn_of_scripts(name: &str, built: &Built, terminal: &Terminal) {
    let report = &built.report;
    if !report.skipped.is_empty() {
        let count = report.skipped.len();
        let mut problem = Problem::new(format!(
            "{name}: the maintainer scripts of {count} packages were skipped, as the image says"
        ));
        for note in &report.skipped {
            problem = problem.note(format!(
                "{}: {}: {}",
                note.package,
                note.scripts.join(", "),
                note.reason
            ));
        }
        terminal.warning(&problem);
    }
    if !report.stated.is_empty() {
        let count = report.stated.len();
        let mut problem = Problem::new(format!(
            "{name}: the maintainer scripts of {count} packages were not run, and what the \
             image says was done in their place"
        ));
        for work in &report.stated {
            let scripts = match &*work.scripts.scripts {
                [] => "no scripts".to_owned(),
                scripts => scripts.join(", "),
            };
            let paths = work.paths.join(", ");
            problem = problem.note(format!("{}: {scripts}: {paths}", work.scripts.package));
        }
        terminal.warning(&problem);
    }
    if !report.declined.is_empty() {
        let mut problem = Problem::new(format!(
            "{name}: some work of maintainer scripts was left to whoever starts the image"
        ));
        for work in &report.declined {
            problem = problem.note(format!(
                "{}, {} line {}: {}: {}",
                work.package, work.script, work.line, work.command, work.reason
            ));
        }
        terminal.warning(&problem);
    }
}

/// Says which programs were newer, or older, than what imgc knows.
fn warn_of_unknown(name: &str, built: &Built, terminal: &Terminal) {
    let unknown = &built.report.unknown;
    if unknown.is_empty() {
        return;
    }
    let mut problem = Problem::new(format!(
        "{name}: scripts run programs in a version that imgc's own were not compared with"
    ));
    for path in unknown {
        problem = problem.note(path.clone());
    }
    terminal.warning(&problem.help(
        "see whether there is a newer imgc; `imgc explain-scripts` says what the scripts did",
    ));
}

/// Says how much there was to do, to whoever wants to know.
pub(crate) fn note_work(progress: &Progress) {
    match progress.realised() {
        (0, _) => progress.note("nothing to do: everything was in the store"),
        (realised, reused) => {
            progress.note(&format!("{realised} derivations realised, {reused} reused"));
        }
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    images: Vec<ImageDocument<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<IndexDocument<'a>>,
    realised: usize,
    reused: usize,
    /// Why each step was taken, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<Explained>>,
}

#[derive(Debug, Serialize)]
struct ImageDocument<'a> {
    name: &'a str,
    #[serde(flatten)]
    built: &'a Built,
}

/// An index, and the names of its images.
#[derive(Debug, Serialize)]
struct IndexDocument<'a> {
    name: &'a str,
    index: Descriptor,
    images: Vec<&'a str>,
}

fn json(built: &[Product], progress: &Progress, explain: bool) -> String {
    let (realised, reused) = progress.realised();
    let images = built
        .iter()
        .flat_map(|product| &product.images)
        .map(|(name, built)| ImageDocument { name, built })
        .collect();
    let indexes = built.iter().filter(|product| product.is_index());
    let indexes = indexes.map(|product| IndexDocument {
        name: &product.name,
        index: product.target().descriptor(),
        images: product.images.iter().map(|(name, _)| &**name).collect(),
    });
    serde_json::to_string_pretty(&Document {
        images,
        indexes: indexes.collect(),
        realised,
        reused,
        steps: explain.then(|| progress.explained()),
    })
    .expect("a report is plain data")
}
