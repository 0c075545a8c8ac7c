//! Interprets Debian's maintainer scripts over a file tree: sh, and the commands
//! that scripts call. Nothing is executed, and nothing of the machine is read.
//!
//! A [`Machine`] is the system as a script sees it: a [`Tree`](imgc_tree::Tree), the
//! package that is being worked on, a budget. [`Machine::script`] runs one script.
//! Everything that a command and dpkg have to tell each other goes through files of
//! the tree, as on a real system: `/var/lib/dpkg/diversions`, `statoverride`,
//! `triggers/Unincorp`, `/var/lib/dpkg/alternatives`.
//!
//! - `files`: the tree as system calls see it.
//! - `actor`: who acts, where it is not root.
//! - `process`: what a command is given: arguments, environment, streams.
//! - `commands`: the commands themselves, one table.
//! - `shell`: sh, and the bash that occurs.
//!
//! What can't be done faithfully stops the script with a [`Stop`], whatever the script
//! would make of a failing command: an image is right or refused.

mod actor;
mod arch;
mod commands;
mod effects;
mod errno;
mod files;
mod limits;
mod machine;
mod process;
mod shell;
mod stop;
mod streams;

#[cfg(test)]
mod testing;

pub use commands::caches::ldconfig::{Library, cached_libraries};
pub use commands::files::glob::fnmatch;
pub use effects::{Declined, Effect, Line, Touched};
pub use errno::Errno;
pub use files::{Files, Reader, Stat};
pub use limits::Limits;
pub use machine::{Call, Machine, Setup};
pub use stop::{Place, Stop, Why};
