//! What scripts did, for people: which files, by which line.

use imgc_tree::TreePath;

/// Something that a script did to the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Which line of which script did it.
    pub line: Line,
    /// Where.
    pub path: TreePath,
    /// What.
    pub touched: Touched,
}

/// A line of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The package, with its architecture where dpkg writes it.
    pub package: String,
    /// `preinst`, `postinst`, ….
    pub script: String,
    /// The line in it, counted from 1.
    pub line: usize,
    /// The name of the command, as called.
    pub command: String,
}

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// It was made, or its contents were replaced.
    Written,
    /// A folder was made.
    Directory,
    /// A symbolic link was made.
    Link,
    /// Its mode, owner or attributes were set.
    Metadata,
    /// It was removed.
    Removed,
}

/// Work that imgc declines by policy: an engine that would make secrets or a server's
/// state. The script goes on as if it had been done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declined {
    /// Which line asked for it.
    pub line: Line,
    /// Why, as a sentence without a full stop.
    pub reason: &'static str,
}
