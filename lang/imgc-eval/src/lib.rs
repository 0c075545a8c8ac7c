//! Names, types, evaluation and the plan: source text to [`imgc_plan::Plan`].

mod builtins;
mod cycles;
mod editor;
mod elf;
mod host;
mod ir;
mod load;
mod look;
mod memory;
mod native;
mod options;
mod origins;
mod overlay;
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
pub use editor::{
    Cancelled, Definition, Export, FileView, Names, Scope, Semantics, Snapshot, Target, Use,
    Workbench,
};
pub use host::capability_names;
pub use memory::MemoryWorld;
pub use options::{Limits, Options};
pub use origins::{Origins, Place};
pub use overlay::Overlay;
pub use queries::Counters;
pub use session::{
    BindingInfo, Checked, Evaluated, Example, ModuleInfo, Session, Shown, evaluate, show,
};
pub use types::{FieldShape, Shape, ShapeKind, TagShape, is_function_type};
pub use world::{Entry, EntryKind, Stat, World, WorldError};
