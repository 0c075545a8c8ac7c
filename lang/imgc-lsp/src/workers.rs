//! Threads that answer, so that the one that reads is always free.

use std::num::NonZero;
use std::thread;

use crossbeam_channel::{Sender, unbounded};

/// Something to do.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The fewest threads, and the most: one that waits must not keep others from working.
const LEAST: usize = 2;
const MOST: usize = 8;

/// A few threads.
#[derive(Debug)]
pub(crate) struct Workers {
    jobs: Option<Sender<Job>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Workers {
    /// Starts the threads.
    pub(crate) fn start() -> std::io::Result<Self> {
        let count = thread::available_parallelism().map_or(LEAST, NonZero::get);
        let (jobs, waiting) = unbounded::<Job>();
        let mut threads = Vec::new();
        for number in 0..count.clamp(LEAST, MOST) {
            let waiting = waiting.clone();
            let thread = thread::Builder::new().name(format!("answer-{number}"));
            threads.push(thread.spawn(move || {
                for job in waiting {
                    job();
                }
            })?);
        }
        let jobs = Some(jobs);
        Ok(Self { jobs, threads })
    }

    /// Gives a thread something to do, as soon as one is free.
    pub(crate) fn run(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The threads are there as long as the sender is.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A job catches its panics.
            let _ = thread.join();
        }
    }
}
