//! A diagnostic as plain data, the registry of codes, the renderers.
//!
//! [`Diagnostic`] says what is wrong, where, and what to do about it. [`codes`] is the list of
//! everything that can be said. [`render`] draws for people, [`json`] writes for programs.
//! This crate finds no mistakes itself, reads no files and prints nothing.

pub mod codes;
mod diagnostic;
mod excerpt;
mod json;
pub mod pages;
mod sources;
mod suggest;
mod syntax;
mod terminal;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Edit, FileId, Fix, Label, Severity, Span, SpanRange};
pub use json::json;
pub use sources::Sources;
pub use suggest::did_you_mean;
pub use syntax::{from_syntax, syntax_code};
pub use terminal::render;
