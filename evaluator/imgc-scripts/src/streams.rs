//! File descriptors.

use std::cell::RefCell;
use std::rc::Rc;

use imgc_tree::Ino;

/// What a descriptor leads to. Copies share their position, as with dup(2).
#[derive(Debug, Clone)]
pub(crate) enum Fd {
    /// Nothing: reads end, writes vanish.
    Null,
    /// Bytes to read: a pipe's other end, a here-document.
    Input(Rc<RefCell<Input>>),
    /// Bytes that are collected: a pipe, a substitution, a log.
    Output(Rc<RefCell<Vec<u8>>>),
    /// A file of the tree.
    File(Rc<RefCell<OpenFile>>),
}

/// Bytes to read, and how far they were.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input {
    pub(crate) bytes: Rc<[u8]>,
    pub(crate) at: usize,
}

/// An open file of the tree.
#[derive(Debug, Clone)]
pub(crate) struct OpenFile {
    pub(crate) ino: Ino,
    pub(crate) at: usize,
    /// Whether every write goes to the end.
    pub(crate) append: bool,
    pub(crate) writable: bool,
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>>`
    Append,
    /// `<>`
    ReadWrite,
}

impl Fd {
    pub(crate) fn input(bytes: impl Into<Rc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self::Input(Rc::new(RefCell::new(Input { bytes, at: 0 })))
    }

    /// A new place to collect bytes in, and the descriptor for it.
    pub(crate) fn output() -> (Self, Rc<RefCell<Vec<u8>>>) {
        let bytes = Rc::new(RefCell::new(Vec::new()));
        (Self::Output(Rc::clone(&bytes)), bytes)
    }
}
