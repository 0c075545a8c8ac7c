//! Archives and packed files: tar, xz, zstd. gzip is with the commands on files.
//!
//! What is packed or archived must not get into the tree: its bytes would hang on the
//! packer's version and on times that a tree does not have.

mod create;
mod extract;
mod tar;
mod unpack;
mod xz;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[tar::NATIVES, xz::NATIVES];
