//! The threads that questions are answered on, with a stack that deep programs fit in.
//!
//! WebAssembly has no threads: there everything is done on the one that asks. It knows
//! nothing of what is done.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// The stack of a thread, in bytes. Only what is used of it takes memory.
const STACK: usize = 256 * 1024 * 1024;

/// The most threads that evaluate at once.
const MAX_THREADS: usize = 8;

/// Threads, or the caller's own where there are none to be had.
pub(crate) struct Pool(Option<ThreadPool>);

impl Pool {
    /// So many threads.
    pub(crate) fn of(threads: usize) -> Result<Self, ThreadPoolBuildError> {
        if cfg!(target_family = "wasm") {
            return Ok(Self(None));
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("evaluation-{number}"))
            .stack_size(STACK)
            .build()?;
        Ok(Self(Some(pool)))
    }

    /// As many threads as the machine has, within limits.
    pub(crate) fn of_machine() -> Result<Self, ThreadPoolBuildError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self::of(threads.min(MAX_THREADS))
    }

    /// Does something there, and waits for it.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}
