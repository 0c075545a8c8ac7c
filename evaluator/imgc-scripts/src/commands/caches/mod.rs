//! Commands that make caches and indices: ldconfig, openssl rehash, install-info and
//! their like.

pub(crate) mod ldconfig;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[ldconfig::NATIVES];
