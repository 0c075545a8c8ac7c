//! dpkg's own commands: dpkg, dpkg-query, dpkg-divert, update-alternatives and their like.
//!
//! They share dpkg's database with whoever installs packages, in its files: `status`,
//! `info`, `diversions`, `statoverride`, `alternatives`, `triggers/Unincorp`.

mod alternatives;
mod command;
mod divert;
mod format;
mod helper;
mod overrides;
mod place;
mod query;
mod status;
mod trigger;
mod version;

pub(crate) use status::Known;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    alternatives::NATIVES,
    command::NATIVES,
    divert::NATIVES,
    helper::NATIVES,
    overrides::NATIVES,
    query::NATIVES,
    trigger::NATIVES,
];
