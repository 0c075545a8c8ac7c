//! One entry on its way: from an archive that is read, or into one that is written.

use std::fmt;
use std::io::Read;

use crate::TreePath;

/// What an entry is, and its body's bytes.
pub enum EntryKind<'a> {
    /// A folder.
    Directory,
    /// A regular file.
    Regular {
        /// Its length in bytes.
        size: u64,
        /// Its bytes, exactly `size` of them or an error.
        body: &'a mut dyn Read,
    },
    /// A symbolic link: its target as written.
    Symlink(&'a [u8]),
    /// Another name of an earlier entry that is no folder.
    HardLink(&'a TreePath),
    /// A character device.
    CharDevice {
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

impl fmt::Debug for EntryKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("Directory"),
            Self::Regular { size, .. } => write!(f, "Regular({size} bytes)"),
            Self::Symlink(target) => write!(f, "Symlink({})", target.escape_ascii()),
            Self::HardLink(target) => write!(f, "HardLink({target})"),
            Self::CharDevice { major, minor } => write!(f, "CharDevice({major}, {minor})"),
            Self::BlockDevice { major, minor } => write!(f, "BlockDevice({major}, {minor})"),
            Self::Fifo => f.write_str("Fifo"),
        }
    }
}
