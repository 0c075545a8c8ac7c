//! Caches and registries that are made of other files: ldconfig, rehash, info, mime, schemas, icons.

pub(crate) mod der;
pub(crate) mod ldconfig;

mod modules;
mod none;
mod rehash;
mod schemas;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    ldconfig::NATIVES,
    modules::NATIVES,
    none::NATIVES,
    rehash::NATIVES,
    schemas::NATIVES,
];
