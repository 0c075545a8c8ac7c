//! Names, evaluation and the plan: source text to [`imgc_plan::Plan`].
//!
//! [`evaluate`] reads a file and what it imports through a [`World`], and returns a
//! plan, the places of its parts, and diagnostics. Evaluation ends: steps, memory
//! and depth are counted. This crate has no clock, no environment and no disk, and
//! knows nothing of how an image is built.

mod builtins;
mod cycles;
mod database;
mod elf;
mod eval;
mod hir;
mod host;
mod load;
mod lower;
mod memory;
mod options;
mod origins;
mod path;
mod problem;
mod record;
mod session;
mod span;
mod text;
mod value;
mod world;

pub use builtins::{BuiltinDoc, builtin_docs};
pub use memory::MemoryWorld;
pub use options::{Limits, Options};
pub use origins::{Origins, Place};
pub use session::{Evaluated, Session, Shown, evaluate, show};
pub use world::{Entry, EntryKind, Stat, World, WorldError};
