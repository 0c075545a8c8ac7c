//! `imgc build`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imgc_build::{Builder, Built, Pinning};
use serde::Serialize;

use crate::cli::BuildArgs;
use crate::describe::{self, Problem, Report};
use crate::lock_file::LockFile;
use crate::output::Output;
use crate::progress::Progress;
use crate::remote::Policy;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::{self, Source, Work};

/// Builds every image of every file, writes them, and prints their digests.
pub(crate) fn run(args: &BuildArgs, terminal: &Terminal) -> Result<(), Failure> {
    let output = Output::parse(args.output.as_deref()).map_err(Failure::Usage)?;
    let work = Work::begin(&args.work)?;
    let (built, progress) = all(&work, &args.files, args.locked, terminal)?;
    output.write(&built, &*work.store)?;
    for (name, image) in &built {
        warn(name, image, terminal);
    }
    if args.keep {
        for (name, image) in &built {
            let kept = work.store.keep(name, &image.image.manifest.digest);
            kept.map_err(|error| describe::store(&error))?;
        }
    }
    if progress.realised().0 > 0 {
        work.make_room()?;
    }
    note_work(&progress);
    if args.json {
        return terminal.result(&json(&built, &progress));
    }
    built.iter().try_for_each(|(name, image)| {
        terminal.result(&format!("{name} {}", image.image.manifest.digest))
    })
}

/// Builds every image of every file. Of the progress, only what it counted is left.
///
/// # Errors
/// The first thing that is wrong; what has a place in the source has been shown.
pub(crate) fn all(
    work: &Work,
    files: &[PathBuf],
    locked: bool,
    terminal: &Terminal,
) -> Result<(Vec<(String, Built)>, Progress), Failure> {
    let policy = policy(locked);
    let mut sources = Vec::new();
    for file in files {
        sources.push(work.evaluate(&Target::of(file), policy, terminal)?);
    }
    check_names(&sources)?;
    let progress = Progress::new(terminal.interactive, terminal.verbose);
    let mut built = Vec::new();
    for source in &sources {
        let images = pin(work, source, locked, &progress)
            .and_then(|lock| make(work, source, &lock, &progress))
            .map_err(|error| {
                progress.finish();
                error.show(source, terminal)
            })?;
        built.extend(images);
    }
    progress.finish();
    Ok((built, progress))
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
    let mut lock = LockFile::beside(&source.file)?;
    let pinning = if locked {
        Pinning::Locked
    } else {
        Pinning::AddMissing
    };
    builder(work, source, progress).pin(source.plan(), &mut lock.lock, pinning)?;
    if !locked {
        source.project.remotes.pin(&mut lock.lock)?;
        lock.save(work)?;
    }
    Ok(lock)
}

/// Builds the images of a file with the pins of its lock.
pub(crate) fn make(
    work: &Work,
    source: &Source,
    lock: &LockFile,
    progress: &Progress,
) -> Result<Vec<(String, Built)>, Report> {
    let builder = builder(work, source, progress);
    let mut images = Vec::new();
    for image in &source.plan().images {
        images.push((image.name.clone(), builder.build(image, &lock.lock)?));
    }
    Ok(images)
}

fn builder<'a>(work: &'a Work, source: &'a Source, progress: &'a Progress) -> Builder<'a> {
    Builder {
        store: &*work.store,
        transport: &*work.network,
        mirrors: &work.mirrors,
        keyrings: &work.keyrings,
        events: progress,
        sources: source,
        now: work::now(),
    }
}

/// Two images of one name would overwrite each other.
fn check_names(sources: &[Source]) -> Result<(), Problem> {
    let mut seen: BTreeMap<&str, &Path> = BTreeMap::new();
    for source in sources {
        for image in &source.plan().images {
            if let Some(first) = seen.insert(&image.name, &source.file) {
                return Err(Problem::new(format!(
                    "{} and {} both have an image `{}`",
                    first.display(),
                    source.file.display(),
                    image.name
                ))
                .help("give one of them another name, with the field `name`"));
            }
        }
    }
    Ok(())
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
    realised: usize,
    reused: usize,
}

#[derive(Debug, Serialize)]
struct ImageDocument<'a> {
    name: &'a str,
    #[serde(flatten)]
    built: &'a Built,
}

fn json(built: &[(String, Built)], progress: &Progress) -> String {
    let (realised, reused) = progress.realised();
    let images = built
        .iter()
        .map(|(name, built)| ImageDocument { name, built })
        .collect();
    serde_json::to_string_pretty(&Document {
        images,
        realised,
        reused,
    })
    .expect("a report is plain data")
}
