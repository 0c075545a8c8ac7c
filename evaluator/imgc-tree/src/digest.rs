//! The digest of a tree: what its files are.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Kind, Tree};

/// SHA-256 over every name, node and byte of a tree.
///
/// The digested text has, for each path in order: the path, a kind byte
/// (`d f l c b p`), mode, uid, gid and mtime, the extended attributes, then the
/// kind's own data (SHA-256 and size; target; device numbers), and the first
/// path of the same inode. Every variable part is preceded by its length, and all
/// numbers are 8 bytes, big-endian. Where the bytes stand is not part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeDigest([u8; 32]);

impl TreeDigest {
    /// The digest of `tree`.
    pub fn of(tree: &Tree) -> Self {
        let mut hash = Sha256::new();
        let mut first = std::collections::BTreeMap::new();
        for (path, ino) in tree.names() {
            let node = tree.node(ino);
            text(&mut hash, path.as_bytes());
            let meta = &node.meta;
            let mtime = meta.mtime as u64;
            numbers(
                &mut hash,
                &[
                    u64::from(meta.mode),
                    u64::from(meta.uid),
                    u64::from(meta.gid),
                    mtime,
                ],
            );
            numbers(&mut hash, &[meta.xattrs.len() as u64]);
            for (name, value) in &meta.xattrs {
                text(&mut hash, name.as_bytes());
                text(&mut hash, value);
            }
            match &node.kind {
                Kind::Directory => hash.update(b"d"),
                Kind::Regular(content) => {
                    hash.update(b"f");
                    hash.update(content.sha256);
                    numbers(&mut hash, &[content.size]);
                }
                Kind::Symlink(target) => {
                    hash.update(b"l");
                    text(&mut hash, target);
                }
                Kind::CharDevice { major, minor } => {
                    hash.update(b"c");
                    numbers(&mut hash, &[u64::from(*major), u64::from(*minor)]);
                }
                Kind::BlockDevice { major, minor } => {
                    hash.update(b"b");
                    numbers(&mut hash, &[u64::from(*major), u64::from(*minor)]);
                }
                Kind::Fifo => hash.update(b"p"),
            }
            text(&mut hash, first.entry(ino).or_insert(path).as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn numbers(hash: &mut Sha256, values: &[u64]) {
    for value in values {
        hash.update(value.to_be_bytes());
    }
}

fn text(hash: &mut Sha256, bytes: &[u8]) {
    numbers(hash, &[bytes.len() as u64]);
    hash.update(bytes);
}

impl fmt::Display for TreeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tree:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for TreeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeDigest({})", hex::encode(self.0))
    }
}
