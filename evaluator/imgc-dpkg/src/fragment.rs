//! A package's files, normalised: what one `.deb` comes to.
//!
//! What normalising means:
//! - paths: relative to the root, and moved into `/usr` as merged /usr has them; the
//!   original is kept where it differs, for dpkg's file lists;
//! - owners: the numbers of the archive, never its names;
//! - modes: the lowest twelve bits; `0777` for symbolic links;
//! - times: whole seconds, as archived;
//! - extended attributes: `security.capability` and `user.*`. Others come from the
//!   machine that built the package, and dpkg itself sets none.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_tree::{Content, Meta, TreePath};
use serde::{Deserialize, Serialize};

use crate::conffile;
use crate::{ControlError, Package};

/// One package, unpacked. Stores keep it, by the order of the fields here and in what it
/// holds: who changes them raises the version of `unpack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Who it is.
    pub package: Package,
    /// The text of the `control` file.
    pub control: String,
    /// The other control files, by name: `conffiles`, `md5sums`, `postinst`, ….
    pub files: BTreeMap<String, ControlFile>,
    /// The entries of the data archive, in its order. A folder may be there twice.
    pub entries: Vec<Entry>,
    /// The bytes of small files that maintainer scripts are likely to read, in the order of
    /// the entries: [`Data::Inline`](imgc_tree::Data::Inline). Of a segment, the frame that
    /// such a file stands in would be decompressed from its beginning for each.
    pub texts: Vec<Content>,
}

/// A control file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlFile {
    /// Its permission bits.
    pub mode: u32,
    /// Its last change, in seconds since 1970.
    pub mtime: i64,
    /// Its bytes.
    #[serde(with = "imgc_tree::bytes")]
    pub bytes: Vec<u8>,
}

/// An entry of the data archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it stands in a tree with merged /usr.
    pub path: TreePath,
    /// The archived path, where it is another.
    pub original: Option<TreePath>,
    /// Its metadata. A hard link's is not used.
    pub meta: Meta,
    /// What it is.
    pub node: EntryNode,
    /// The MD5 of a regular file that dpkg's database needs one of: a conffile, or any
    /// file of a package that brings no `md5sums`.
    pub md5: Option<String>,
    /// What ldconfig would read of it, where it is a shared library and named as one.
    pub library: Option<SharedLibrary>,
}

/// What ldconfig would read of a shared library: see [`imgc_scripts::Library`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedLibrary {
    /// Its machine, by the number in its header.
    pub machine: u16,
    /// Whether it is of 64 bits.
    pub wide: bool,
    /// The flags in its header.
    pub flags: u32,
    /// The name that it gives itself; empty: none.
    #[serde(with = "imgc_tree::bytes")]
    pub soname: Vec<u8>,
    /// Whether it is a part of the C library for version 6 of that, or needs one. Nearly
    /// all do.
    pub libc: bool,
}

/// Which files are kept as a fragment's texts.
pub(crate) mod texts {
    use imgc_tree::TreePath;

    /// The largest, in bytes.
    const LARGEST: u64 = 8 << 10;

    /// Where files are that Debian's scripts, and the programs that they run, read one by
    /// one: settings, and what packages declare for other packages' triggers.
    const BELOW: [&str; 12] = [
        "etc/",
        "usr/lib/php/",
        "usr/lib/systemd/",
        "usr/lib/sysusers.d/",
        "usr/lib/tmpfiles.d/",
        "usr/share/applications/",
        "usr/share/ca-certificates/",
        "usr/share/debianutils/",
        "usr/share/glib-2.0/schemas/",
        "usr/share/pam/",
        "usr/share/pam-configs/",
        "usr/share/sgml/",
    ];

    /// Whether a file is kept when its package is unpacked.
    pub(crate) fn is_kept(path: &TreePath, size: u64) -> bool {
        let path = path.as_bytes();
        // What ships settings for one version of PHP: `php8.4-common`.
        let of_php = || {
            let rest = path.strip_prefix(b"usr/share/php");
            rest.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
        };
        let is_below = |folder: &&str| path.starts_with(folder.as_bytes());
        size <= LARGEST && (BELOW.iter().any(is_below) || of_php())
    }
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryNode {
    /// A folder.
    Directory,
    /// A regular file.
    Regular(Content),
    /// A symbolic link: its target as archived.
    Symlink(#[serde(with = "imgc_tree::bytes")] Arc<[u8]>),
    /// Another name of an earlier entry that is no folder.
    HardLink(TreePath),
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

impl SharedLibrary {
    /// The largest file that is looked into, in bytes.
    const LARGEST: u64 = 256 << 20;

    /// Whether a file is looked into when its package is unpacked.
    pub(crate) fn is_looked_for(path: &TreePath, size: u64) -> bool {
        imgc_scripts::Library::is_name(path.name()) && size <= Self::LARGEST
    }

    /// Reads a file. None where it is no library.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let library = imgc_scripts::Library::read(bytes)?;
        Some(Self {
            machine: library.machine,
            wide: library.wide,
            flags: library.flags,
            soname: library.soname.unwrap_or_default(),
            libc: library.libc,
        })
    }

    pub(crate) fn library(&self) -> imgc_scripts::Library {
        imgc_scripts::Library {
            machine: self.machine,
            wide: self.wide,
            flags: self.flags,
            soname: Some(self.soname.clone()).filter(|name| !name.is_empty()),
            libc: self.libc,
        }
    }
}

impl Entry {
    /// The archived path: what dpkg's file list has.
    pub fn archived(&self) -> &TreePath {
        self.original.as_ref().unwrap_or(&self.path)
    }
}

impl Fragment {
    /// The fragment as bytes, to be read back by the same version of imgc. They have no
    /// file's bytes but the texts, unless the sink put them there. The format is postcard's (its
    /// specification, version 1), and begins with the package's name.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("memory takes everything")
    }

    /// The fragment of such bytes. None for others.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match postcard::take_from_bytes(bytes) {
            Ok((fragment, [])) => Some(fragment),
            _ => None,
        }
    }

    /// The bytes of a control file other than `control`.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|file| file.bytes.as_slice())
    }

    /// The conffiles, in the package's order.
    pub(crate) fn conffiles(&self) -> Result<Vec<conffile::Conffile>, ControlError> {
        self.file("conffiles")
            .map_or(Ok(Vec::new()), conffile::parse)
    }

    /// The MD5 of the regular files that have one, by merged path; of their hard
    /// links too.
    pub(crate) fn md5(&self) -> BTreeMap<&TreePath, &str> {
        let mut known: BTreeMap<&TreePath, &str> = BTreeMap::new();
        for entry in &self.entries {
            let md5 = match &entry.node {
                EntryNode::HardLink(target) => known.get(target).copied(),
                _ => entry.md5.as_deref(),
            };
            if let Some(md5) = md5 {
                known.insert(&entry.path, md5);
            }
        }
        known
    }
}
