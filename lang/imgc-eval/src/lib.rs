//! Names, types, evaluation and the plan: source text to [`imgc_plan::Plan`].

mod builtins;
mod cycles;
mod elf;
mod host;
mod ir;
mod load;
mod look;
mod memory;
mod native;
mod options;
mod origins;
mod path;
mod problem;
mod queries;
mod resolve;
mod session;
mod site;
mod text;
mod types;
mod vm;
mod world;

pub use builtins::{BuiltinDoc, builtin_docs};
pub use memory::MemoryWorld;
pub use options::{Limits, Options};
pub use origins::{Origins, Place};
pub use queries::Counters;
pub use session::{
    BindingInfo, Checked, Evaluated, Example, ModuleInfo, Session, Shown, evaluate, show,
};
pub use world::{Entry, EntryKind, Stat, World, WorldError};
