//! Engines that imgc declines by policy, and work that has no meaning in a tree.

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[];
