//! Commands on files: cp, mv, rm, ln, mkdir, install, chmod, stat, find and their like.

pub(crate) mod options;
pub(crate) mod owners;

mod capability;
mod copy;
mod dd;
mod find;
mod folders;
pub(crate) mod glob;
pub(crate) mod gzip;
mod install;
mod link;
mod ls;
mod metadata;
mod modes;
mod mounts;
pub(crate) mod names;
mod remove;
mod rename;
mod stat;
mod temporary;
mod times;
mod xargs;

use std::fmt;

use super::Native;
use crate::process::{Outcome, Process, Status};

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    capability::NATIVES,
    copy::NATIVES,
    dd::NATIVES,
    find::NATIVES,
    folders::NATIVES,
    gzip::NATIVES,
    install::NATIVES,
    link::NATIVES,
    ls::NATIVES,
    metadata::NATIVES,
    mounts::NATIVES,
    names::NATIVES,
    remove::NATIVES,
    rename::NATIVES,
    stat::NATIVES,
    temporary::NATIVES,
    times::NATIVES,
    xargs::NATIVES,
];

/// Says on standard error why the command fails, with status 1.
pub(crate) fn failed(process: &mut Process<'_, '_>, message: impl fmt::Display) -> Outcome {
    process.complain(message);
    Ok(Status::FAILED)
}
