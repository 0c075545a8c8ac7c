//! The file tree that packages, files and layers share.
//!
//! A [`Tree`] is what a container would see: names, and the inodes behind them.
//! It holds no more of a file's bytes than it must: [`Content`] says how long a
//! file is, what its digest is, and where its bytes stand. This crate reads and
//! writes no files of the machine and knows no archive format.

pub mod bytes;
mod content;
mod digest;
mod entry;
mod frozen;
mod names;
mod node;
mod path;
mod tree;

pub use content::{Content, Data, SegmentId};
pub use digest::TreeDigest;
pub use entry::EntryKind;
pub use node::{Kind, Meta, Node};
pub use path::{PathError, TreePath};
pub use tree::{Ino, InsertError, Tree};
