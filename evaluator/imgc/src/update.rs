//! `imgc update`.

use imgc_build::{Builder, Pinning};

use crate::cli::UpdateArgs;
use crate::lock_file::LockFile;
use crate::progress::Progress;
use crate::terminal::{Failure, Terminal};
use crate::work::{self, Work};

/// Takes the newest packages of every image into the locks, and says what changed.
pub(crate) fn run(args: &UpdateArgs, terminal: &Terminal) -> Result<(), Failure> {
    let work = Work::begin(&args.work)?;
    for file in &args.files {
        let source = work.evaluate(file, terminal)?;
        let mut lock = LockFile::beside(file)?;
        let before = lock.lock.clone();
        let progress = Progress::new(terminal.interactive, terminal.verbose);
        let builder = Builder {
            store: &work.store,
            transport: &work.network,
            mirrors: &work.mirrors,
            keyrings: &work.keyrings,
            events: &progress,
            sources: &source,
            now: work::now(),
        };
        let pinned = builder.pin(source.plan(), &mut lock.lock, Pinning::Update);
        progress.finish();
        pinned.map_err(|error| crate::describe::Report::from(error).show(&source, terminal))?;
        lock.save(&work)?;
        for line in crate::describe::changes(&before, &lock.lock) {
            terminal.result(&line)?;
        }
    }
    Ok(())
}
