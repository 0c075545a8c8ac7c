//! The language behind the book's playground: questions and answers as JSON.
//!
//! A [`Playground`] is one project in memory. It is asked what an editor asks, and what
//! evaluation comes to. This crate touches no disk, no network and no clock; compiled to
//! WebAssembly, a page calls it through [`abi`].

pub mod abi;
mod answers;
mod catalogue;
mod drawing;
mod places;
mod playground;
mod request;
mod samples;

pub use playground::Playground;
