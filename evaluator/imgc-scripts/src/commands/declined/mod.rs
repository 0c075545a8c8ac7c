//! Engines that imgc declines by policy, and work that has no meaning in a tree.
//!
//! Secrets and the state of a server don't belong in an image: they are made by the
//! machine that runs it. Each such command is noted with its reason, and the script goes
//! on as if it had been done. What can be seen in the tree otherwise, such as a folder
//! with its owner, is still made.

mod engines;
mod kernel;
mod processor;
pub(crate) mod secrets;
mod unknowable;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    engines::NATIVES,
    kernel::NATIVES,
    processor::NATIVES,
    secrets::NATIVES,
    unknowable::NATIVES,
];
