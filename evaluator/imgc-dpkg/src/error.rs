//! What can be wrong with a `.deb` or a set of fragments. The wording for people
//! is made elsewhere; a variant carries what and where.

use std::io;

use imgc_tree::{InsertError, PathError, TreePath};

use crate::ScriptName;
use crate::control::ControlError;

/// Why a `.deb` could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The reader that the bytes come from failed.
    #[error("the package can't be read")]
    Read(#[source] io::Error),
    /// The first bytes are not those of an ar archive.
    #[error("not a Debian package: it does not begin as an ar archive")]
    NotAr,
    /// A member's header breaks the ar format.
    #[error("the ar header of member {number} is malformed")]
    Header {
        /// The member's number, from 1.
        number: usize,
    },
    /// A member is missing or stands where it should not.
    #[error("expected the member `{expected}`, found {found}")]
    Member {
        /// What should come next.
        expected: &'static str,
        /// What came.
        found: String,
    },
    /// The package's format is not 2.x.
    #[error("the package format `{0}` is not 2.x")]
    Format(String),
    /// A member's compression is not one that this crate reads.
    #[error("`{0}` has a compression that is not supported")]
    Compression(String),
    /// A member ends too early.
    #[error("`{0}` is truncated")]
    Truncated(String),
    /// Something follows the end of a member's archive.
    #[error("`{0}` has something behind its end")]
    Trailing(String),
    /// A member's compressed or archived bytes are malformed.
    #[error("`{member}` is corrupt: {reason}")]
    Corrupt {
        /// Which member.
        member: String,
        /// What the decoder says.
        reason: String,
    },
    /// A member is larger than [`crate::Limits`] allow.
    #[error("`{member}` is larger than {limit} bytes")]
    TooLarge {
        /// Which member.
        member: String,
        /// The bound, in bytes.
        limit: u64,
    },
    /// A member becomes more than [`crate::Limits::ratio`] times as large.
    #[error("`{member}` unpacks to more than {limit} times its size")]
    Ratio {
        /// Which member.
        member: String,
        /// The bound.
        limit: u64,
    },
    /// A member has more entries than [`crate::Limits::entries`].
    #[error("`{member}` has more than {limit} entries")]
    Entries {
        /// Which member.
        member: String,
        /// The bound.
        limit: u64,
    },
    /// A member's paths, links, attributes and kept texts take more than [`crate::Limits::metadata`].
    #[error("the names in `{member}` take more than {limit} bytes")]
    Metadata {
        /// Which member.
        member: String,
        /// The bound, in bytes.
        limit: u64,
    },
    /// An entry can't be unpacked.
    #[error("`{member}`: the entry `{path}`: {problem}")]
    Entry {
        /// Which member.
        member: String,
        /// The entry's path as archived; bytes that are not UTF-8 are replaced.
        path: String,
        /// What is wrong.
        problem: EntryProblem,
    },
    /// The control information is wrong.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The sink refused an entry.
    #[error("`{path}` could not be kept")]
    Sink {
        /// Which entry.
        path: TreePath,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What is wrong with an entry of a tar archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryProblem {
    /// Its path has a `..` part, a NUL byte, or is too long.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Its path has a newline, which dpkg's file lists can't hold.
    #[error("its path has a newline")]
    Newline,
    /// Its path has more parts than [`crate::Limits::depth`].
    #[error("its path has too many parts")]
    Depth,
    /// Its path was there before.
    #[error("the path is there twice")]
    Twice,
    /// Its path leads through something that is not a folder in the same package.
    #[error("`{0}` above it is not a folder")]
    BelowNonDirectory(TreePath),
    /// A hard link that names no earlier file of the package.
    #[error("it links to `{0}`, which is not an earlier file of the package")]
    LinkTarget(String),
    /// The target of a symbolic link is empty or has a NUL byte.
    #[error("its target is empty or has a NUL byte")]
    Target,
    /// Its tar type is not one that a package has.
    #[error("its type {0:?} is not supported")]
    Type(char),
    /// A field of its header can't be read or is out of range.
    #[error("its {0} is malformed")]
    Field(&'static str),
    /// Something other than a folder or the merged-/usr link stands at `/bin` or
    /// one of its like.
    #[error("only a folder or a link to its place in /usr can stand there")]
    NotMerged,
    /// Not a plain file in the root of the control archive.
    #[error("it is not a plain control file")]
    NotControlFile,
}

/// Why fragments could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A file that a package has for two architectures is not the same in both.
    #[error("`{path}` of {package} is not the one of {other}, which it is shared with")]
    Shared {
        /// The file.
        path: TreePath,
        /// The package that was being installed.
        package: String,
        /// The same for the other architecture.
        other: String,
    },
    /// Two packages have the same file and neither replaces the other.
    #[error("{path} is in the package {package} and in {other}")]
    Conflict {
        /// The file.
        path: TreePath,
        /// The package that was being installed.
        package: String,
        /// The package that has it already.
        other: String,
    },
    /// An entry does not fit into the tree.
    #[error("the package {package} does not fit into the tree")]
    Insert {
        /// The package.
        package: String,
        /// Why.
        #[source]
        source: InsertError,
    },
    /// An entry's folder leads into a loop of symbolic links.
    #[error("{path} of the package {package} leads through a loop of links")]
    Loop {
        /// The entry.
        path: TreePath,
        /// The package.
        package: String,
    },
    /// An entry needs another of its package, which the image leaves out: its folder, or
    /// the file that it is a hard link to.
    #[error("{path} of the package {package} needs {needed}, which is excluded")]
    Excluded {
        /// The entry.
        path: TreePath,
        /// The package.
        package: String,
        /// What it needs.
        needed: TreePath,
    },
    /// A package is there twice.
    #[error("the package {0} is there twice")]
    Twice(String),
    /// A package is for another architecture.
    #[error("the package {package} is for {architecture}")]
    Architecture {
        /// The package.
        package: String,
        /// What it is for.
        architecture: String,
    },
    /// A package's control information is wrong.
    #[error("the package {package} has wrong control information")]
    Control {
        /// The package.
        package: String,
        /// What is wrong.
        #[source]
        source: ControlError,
    },
    /// A conffile is there already with other bytes, made by a script: dpkg would ask.
    #[error("{path} is there already when {package} is configured, and differs from the package's")]
    Conffile {
        /// The conffile.
        path: TreePath,
        /// The package whose conffile it is.
        package: String,
    },
    /// A maintainer script can't be interpreted faithfully.
    #[error(transparent)]
    Script(Box<imgc_scripts::Stop>),
    /// A maintainer script failed: so would the installation of its package.
    #[error("the {script} of {package} failed with status {status}")]
    Failed {
        /// The package.
        package: String,
        /// The script.
        script: ScriptName,
        /// Its exit status.
        status: u8,
        /// The end of what it wrote.
        log: String,
    },
    /// What the image states in the place of a package's scripts can't be done.
    #[error("the effects of {package} can't be applied: {reason}")]
    Stated {
        /// The package.
        package: String,
        /// Why not, as a sentence without a full stop.
        reason: String,
    },
    /// The packages can't be installed over what is there.
    #[error("nothing can be installed over this tree")]
    System(#[from] crate::SystemError),
    /// The package database could not be put into the tree.
    #[error("the package database does not fit into the tree")]
    Database(#[source] InsertError),
}
