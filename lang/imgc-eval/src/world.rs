//! What evaluation may ask of the outside: the files of one project and the
//! modules that come with imgc.
//!
//! Nothing here touches a disk. `imgc` implements [`World`] over a folder, tests
//! use [`MemoryWorld`](crate::MemoryWorld).

use std::fmt;

use imgc_plan::FileDigest;

/// The effects of evaluation.
///
/// A `path` is relative to the project root, with `/` between its parts and no
/// empty, `.` or `..` part; the root itself is the empty text. An implementation
/// follows symbolic links, and answers [`WorldError::Outside`] where a link leads
/// out of the root. Within one evaluation the same question has the same answer.
pub trait World: Send + Sync {
    /// The length and kind of what stands at `path`, links followed.
    ///
    /// # Errors
    /// [`WorldError`] says why there is no answer.
    fn stat(&self, path: &str) -> Result<Stat, WorldError>;

    /// The entries of the folder at `path`, sorted by name as bytes. Links are not
    /// followed: they are listed as links.
    ///
    /// # Errors
    /// [`WorldError`] says why there is no answer; also for a name that is not UTF-8.
    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError>;

    /// The digest of the file at `path`, and its length in bytes.
    ///
    /// # Errors
    /// [`WorldError`] says why there is no answer.
    fn digest(&self, path: &str) -> Result<(FileDigest, u64), WorldError>;

    /// At most `len` bytes of the file at `path`, from byte `offset` on. Fewer
    /// come back only where the file ends.
    ///
    /// # Errors
    /// [`WorldError`] says why there is no answer.
    fn read(&self, path: &str, offset: u64, len: usize) -> Result<Vec<u8>, WorldError>;

    /// The text of a module that comes with imgc: `debian` for `std/debian`.
    fn std_module(&self, name: &str) -> Option<String>;

    /// The names of those modules, for suggestions.
    fn std_modules(&self) -> Vec<String>;

    /// The text of the module at `address`, such as `https://…` or `oci://…`, as the lock
    /// pins it.
    ///
    /// # Errors
    /// [`WorldError`] says why there is none. A world without modules from elsewhere
    /// refuses all of them.
    fn remote_module(&self, address: &str) -> Result<String, WorldError> {
        let _ = address;
        Err(WorldError::Failed(
            "modules from elsewhere are not read here".to_owned(),
        ))
    }
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stat {
    /// A regular file.
    File {
        /// Its length in bytes.
        size: u64,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A folder.
    Directory,
    /// A device, socket or pipe.
    Other,
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name: one path component.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink {
        /// What it says, as written.
        target: String,
    },
    /// A device, socket or pipe.
    Other,
}

/// Why the outside has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldError {
    /// Nothing stands there.
    NotFound,
    /// A symbolic link leads out of the project root, or round in a circle.
    Outside,
    /// A file stands where a folder is meant, or the other way round.
    WrongKind,
    /// Anything else, in the words of the system.
    Failed(String),
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("nothing stands there"),
            Self::Outside => f.write_str("a symbolic link leads out of the project"),
            Self::WrongKind => f.write_str("it is a folder where a file is meant, or the reverse"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for WorldError {}
