//! What an inode holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Content;

/// An inode: a file, folder, link or device, with its metadata. Stores keep it, by the order
/// of the fields here and in what it holds: see [`Tree::freeze`](crate::Tree::freeze).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Mode, owner, time, attributes.
    pub meta: Meta,
    /// What it is.
    pub kind: Kind,
}

/// An inode's metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Permission bits, at most `0o7777`. `0o777` for symbolic links.
    pub mode: u32,
    /// The owning user's id.
    pub uid: u32,
    /// The owning group's id.
    pub gid: u32,
    /// The last change, in whole seconds since 1970.
    pub mtime: i64,
    /// Extended attributes by full name (`security.capability`), raw bytes.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// What an inode is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A folder.
    Directory,
    /// A regular file.
    Regular(Content),
    /// A symbolic link: its target as written.
    Symlink(#[serde(with = "crate::bytes")] Arc<[u8]>),
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

impl Node {
    /// A folder of `root:root` with `mode`, changed at `mtime`.
    pub fn directory(mode: u32, mtime: i64) -> Self {
        Self {
            meta: Meta {
                mode,
                mtime,
                ..Meta::default()
            },
            kind: Kind::Directory,
        }
    }

    /// A regular file of `root:root` with `mode`, changed at `mtime`.
    pub fn file(content: Content, mode: u32, mtime: i64) -> Self {
        Self {
            meta: Meta {
                mode,
                mtime,
                ..Meta::default()
            },
            kind: Kind::Regular(content),
        }
    }

    /// A symbolic link of `root:root`, changed at `mtime`.
    pub fn symlink(target: impl Into<Arc<[u8]>>, mtime: i64) -> Self {
        Self {
            meta: Meta {
                mode: 0o777,
                mtime,
                ..Meta::default()
            },
            kind: Kind::Symlink(target.into()),
        }
    }

    /// Whether this is a folder.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory)
    }
}
