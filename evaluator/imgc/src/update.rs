//! `imgc update`.

use imgc_build::{Builder, Pinning};

use crate::cli::UpdateArgs;
use crate::lock_file::LockFile;
use crate::progress::Progress;
use crate::remote::Policy;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::{self, Work};

/// Takes the newest packages and modules of every file into the locks, and says what
/// changed.
pub(crate) fn run(args: &UpdateArgs, terminal: &Terminal) -> Result<(), Failure> {
    let work = Work::begin(&args.work)?;
    for file in &args.files {
        let source = work.evaluate(&Target::of(file), Policy::Update, terminal)?;
        let mut lock = LockFile::beside(&source.file)?;
        let before = lock.lock.clone();
        let progress = Progress::new(terminal.interactive, terminal.verbose);
        let builder = Builder {
            store: &*work.store,
            transport: &*work.network,
            mirrors: &work.mirrors,
            keyrings: &work.keyrings,
            events: &progress,
            sources: &source,
            now: work::now(),
        };
        let pinned = builder.pin(source.plan(), &mut lock.lock, Pinning::Update);
        progress.finish();
        pinned.map_err(|error| crate::describe::Report::from(error).show(&source, terminal))?;
        source.project.remotes.pin(&mut lock.lock)?;
        lock.save(&work)?;
        for line in crate::describe::changes(&before, &lock.lock) {
            terminal.result(&line)?;
        }
    }
    Ok(())
}
