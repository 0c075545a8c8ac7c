//! The signals that end a command: Ctrl-C and a polite kill.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, Signal};

/// Signals that wait until somebody asks for them.
pub(crate) struct Signals(SigSet);

impl Signals {
    /// From now on, they wait. To be called before there is any thread: each has the mask
    /// of the one that made it.
    pub(crate) fn block() -> Self {
        let set: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        // What can't be blocked ends the process, as it would without this.
        let _ = set.thread_block();
        Self(set)
    }

    /// Waits for one. A second one ends the process at once.
    pub(crate) fn wait(self) {
        let _ = self.0.wait();
        let _ = self.0.thread_unblock();
    }

    /// Sets a flag when the first comes, from a thread of its own. A second one ends the
    /// process at once.
    pub(crate) fn set(self, flag: Arc<AtomicBool>) {
        // Without the thread, nothing would end the process.
        let set = self.0;
        let spawned = std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                Self(set).wait();
                flag.store(true, Ordering::Relaxed);
                // It lives on, unblocked, so that the next signal finds a thread.
                loop {
                    std::thread::park();
                }
            });
        if spawned.is_err() {
            let _ = set.thread_unblock();
        }
    }
}
