//! dpkg's job without effects: reading `.deb` files, unpacking them to
//! fragments, installing fragments into a tree, and the package database.
//!
//! Bytes come in through a reader and file contents go out through a [`Sink`].
//! Everything else is values. This crate opens no file, starts no process and
//! asks no clock. Maintainer scripts are interpreted by `imgc-scripts`.
//!
//! [`unpack`] makes a [`Fragment`] of one `.deb`; [`install`] makes a tree of
//! fragments.

mod ar;
mod conffile;
mod control;
mod database;
mod deb;
mod decode;
mod diversions;
mod error;
mod filter;
mod fragment;
mod install;
mod limits;
mod merged;
mod placing;
mod relation;
mod statoverride;
mod system;
mod tarball;
mod triggers;
mod version;

#[cfg(test)]
mod testing;

pub use control::{ControlError, Package};
pub use deb::{Sink, unpack};
pub use error::{DebError, EntryProblem, InstallError};
pub use filter::PathFilter;
pub use fragment::{ControlFile, Entry, EntryNode, Fragment, SharedLibrary};
pub use imgc_scripts::cached_libraries;
pub use imgc_scripts::{
    Declined, Effect, Limits as ScriptLimits, Line, Place, Reader, Stop, Touched, Why,
};
pub use imgc_tree::EntryKind;
pub use install::{
    Done, Installed, Note, Options, Plain, Schedule, ScriptName, Stated, Step, install,
    install_over,
};
pub use limits::Limits;
pub use system::{System, SystemError, listed};
