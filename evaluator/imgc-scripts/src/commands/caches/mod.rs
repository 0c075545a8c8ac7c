//! Caches and registries that are made of other files: ldconfig, rehash, info, mime, schemas, icons.

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[];
