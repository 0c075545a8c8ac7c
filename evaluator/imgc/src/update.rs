//! `imgc update` and `imgc outdated`: the newest versions, taken into the lock or only
//! looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use imgc_apt::Lock;
use imgc_build::Pinning;
use serde::Serialize;

use crate::changes::{Changes, Totals};
use crate::cli::{OutdatedArgs, UpdateArgs, WorkArgs};
use crate::describe::{Problem, Report};
use crate::lock_file::LockFile;
use crate::progress::Progress;
use crate::remote::Policy;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::{Source, Work};

/// Takes the newest packages and modules of every file into the locks, and says what
/// changed. A lock is written when all files have been asked for.
pub(crate) fn run(args: &UpdateArgs, terminal: &Terminal) -> Result<(), Failure> {
    let only: BTreeSet<String> = args.package.iter().map(|name| plain(name)).collect();
    let mut update = Update::of(&args.work, &args.files, &only, terminal)?;
    for state in update.locks.values_mut() {
        if args.dry_run {
            state.file.settle(&update.work);
        } else {
            state.file.save(&update.work)?;
        }
    }
    let totals = update.report(args.json, terminal)?;
    match totals {
        None => terminal.line("everything is up to date"),
        Some(totals) if args.dry_run => {
            terminal.line(&format!("{totals}; nothing was written"));
        }
        Some(totals) => terminal.line(&totals.to_string()),
    }
    Ok(())
}

/// Says what an update would change.
pub(crate) fn outdated(args: &OutdatedArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut update = Update::of(&args.work, &args.files, &BTreeSet::new(), terminal)?;
    for state in update.locks.values_mut() {
        state.file.settle(&update.work);
    }
    match update.report(args.json, terminal)? {
        None => terminal.line("everything is up to date"),
        Some(totals) => {
            terminal.line(&totals.to_string());
            if args.exit_code {
                return Err(Failure::Told);
            }
        }
    }
    Ok(())
}

/// Locks with newer pins, not yet written.
struct Update {
    work: Work,
    /// By path.
    locks: BTreeMap<PathBuf, State>,
}

struct State {
    before: Lock,
    file: LockFile,
}

impl Update {
    fn of(
        args: &WorkArgs,
        files: &[PathBuf],
        only: &BTreeSet<String>,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let work = Work::begin(args)?;
        let policy = if only.is_empty() {
            Policy::Update
        } else {
            Policy::Add
        };
        let mut locks: BTreeMap<PathBuf, State> = BTreeMap::new();
        let mut sources = Vec::new();
        for file in files {
            let source = work.evaluate(&Target::of(file), policy, terminal)?;
            let file = LockFile::beside(&source.file)?;
            let path = file.path().to_owned();
            locks.entry(path.clone()).or_insert_with(|| State {
                before: file.lock.clone(),
                file,
            });
            sources.push((path, source));
        }
        check_names(only, &sources, &locks)?;
        let progress = Progress::new(terminal.interactive, terminal.verbose);
        for (path, source) in &sources {
            let Some(state) = locks.get_mut(path) else {
                continue;
            };
            let builder = work.builder(source, &progress);
            let pinning = if only.is_empty() {
                Pinning::Update
            } else {
                Pinning::Only(only)
            };
            let pinned = builder.pin(source.plan(), &mut state.file.lock, pinning);
            if let Err(error) = pinned {
                progress.finish();
                return Err(Report::from(error).show(source, terminal));
            }
            source.project.remotes.pin(&mut state.file.lock)?;
        }
        progress.finish();
        Ok(Self { work, locks })
    }

    /// Prints what changed. None where nothing did.
    fn report(&self, json: bool, terminal: &Terminal) -> Result<Option<Totals>, Failure> {
        let mut totals = Totals::default();
        let mut locks = Vec::new();
        for (path, state) in &self.locks {
            let changes = Changes::between(&state.before, &state.file.lock);
            totals.add(&changes);
            locks.push(LockDocument {
                lock: path,
                changes,
            });
        }
        let any = locks.iter().any(|lock| !lock.changes.is_empty());
        if json {
            let document = Document {
                locks: &locks,
                totals,
            };
            let text = serde_json::to_string_pretty(&document).expect("changes are plain data");
            terminal.result(&text)?;
        } else {
            for lock in locks.iter().filter(|lock| !lock.changes.is_empty()) {
                if locks.len() > 1 {
                    terminal.result(&format!("{}:", lock.lock.display()))?;
                }
                for line in lock.changes.lines() {
                    terminal.result(&line)?;
                }
            }
        }
        Ok(any.then_some(totals))
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    locks: &'a [LockDocument<'a>],
    totals: Totals,
}

#[derive(Debug, Serialize)]
struct LockDocument<'a> {
    lock: &'a Path,
    #[serde(flatten)]
    changes: Changes,
}

/// A package's name without an architecture.
fn plain(name: &str) -> String {
    name.split(':').next().unwrap_or(name).to_owned()
}

/// A name that no file has a package of is a mistake, and not nothing to do.
fn check_names(
    only: &BTreeSet<String>,
    sources: &[(PathBuf, Source)],
    locks: &BTreeMap<PathBuf, State>,
) -> Result<(), Problem> {
    let mut pinned: BTreeSet<&str> = BTreeSet::new();
    for (path, source) in sources {
        for image in &source.plan().images {
            let request = image
                .packages
                .as_ref()
                .map(|packages| imgc_build::request(image, packages));
            let lock = locks.get(path).map(|state| &state.before);
            let set = lock
                .zip(request)
                .and_then(|(lock, request)| lock.lookup(&request));
            let packages = set.into_iter().flat_map(|set| &set.packages);
            pinned.extend(packages.map(|key| key.name.as_str()));
        }
    }
    match only.iter().find(|name| !pinned.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Problem::new(format!(
            "imgc.lock has no package `{name}` for these files"
        ))
        .help("imgc tree FILE shows the packages of an image")),
    }
}
