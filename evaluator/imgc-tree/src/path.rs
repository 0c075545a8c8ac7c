//! A path inside a tree.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bytes;

/// A normalised path relative to the tree's root, as bytes: `usr/bin/env`.
///
/// No leading or trailing slash, no empty, `.` or `..` component, no NUL byte,
/// at most 4,096 bytes. The root is the empty path. Paths sort by their bytes,
/// with `/` before every other byte, so that a folder's contents follow it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TreePath(Arc<[u8]>);

/// Why bytes are not a [`TreePath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A `..` component: the path could leave its root.
    #[error("the path `{0}` has a `..` part")]
    Parent(String),
    /// A NUL byte, or more than 4,096 bytes.
    #[error("the path `{0}` has a NUL byte or more than 4096 bytes")]
    Bytes(String),
}

impl TreePath {
    /// The root.
    pub fn root() -> Self {
        Self(Arc::from(&b""[..]))
    }

    /// Normalises `bytes`: leading `/` and `./`, empty and `.` components, and a
    /// slash at the end are dropped.
    ///
    /// # Errors
    /// [`PathError`] for `..`, a NUL byte, or more than 4,096 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, PathError> {
        if is_normal(bytes) {
            return Ok(Self(Arc::from(bytes)));
        }
        let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
        if bytes.len() > LONGEST || bytes.contains(&0) {
            return Err(PathError::Bytes(shown()));
        }
        let mut normal = Vec::with_capacity(bytes.len());
        for part in bytes.split(|&b| b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => return Err(PathError::Parent(shown())),
                part => {
                    if !normal.is_empty() {
                        normal.push(b'/');
                    }
                    normal.extend_from_slice(part);
                }
            }
        }
        Ok(Self(normal.into()))
    }

    /// The first path that can follow `path` and all below it: `/` sorts before
    /// every byte, and NUL is in no path.
    pub(crate) fn after(path: &Self) -> Self {
        Self([&path.0, &b"\x01"[..]].concat().into())
    }

    /// The bytes, without a leading slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder that holds this path; none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        Some(Self(Arc::from(&self.0[..end])))
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &[u8] {
        let start = self
            .0
            .iter()
            .rposition(|&b| b == b'/')
            .map_or(0, |at| at + 1);
        &self.0[start..]
    }

    /// The components, outermost first.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|part| !part.is_empty())
    }

    /// This path with `below` under it.
    ///
    /// # Errors
    /// As [`TreePath::new`].
    pub fn join(&self, below: &[u8]) -> Result<Self, PathError> {
        Self::new(&[&self.0, &b"/"[..], below].concat())
    }

    /// Whether `self` is `folder` or stands below it.
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.is_root()
            || self
                .0
                .strip_prefix(&*folder.0)
                .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }
}

/// The longest path, in bytes.
const LONGEST: usize = 4096;

/// Whether bytes are a path as they stand.
fn is_normal(bytes: &[u8]) -> bool {
    let is_part = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    bytes.len() <= LONGEST
        && !bytes.contains(&0)
        && (bytes.is_empty() || bytes.split(|&b| b == b'/').all(is_part))
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // A path has no NUL byte, so a slash that counts as one is before all others.
        let key = |b: &u8| if *b == b'/' { 0 } else { *b };
        let at = common(&self.0, &other.0);
        self.0.get(at).map(key).cmp(&other.0.get(at).map(key))
    }
}

/// How many bytes two paths begin with in common. Most have many.
fn common(a: &[u8], b: &[u8]) -> usize {
    let (a_words, _) = a.as_chunks::<8>();
    let (b_words, _) = b.as_chunks::<8>();
    let words = a_words.iter().zip(b_words);
    let at = 8 * words.take_while(|(a, b)| a == b).count();
    let bytes = a[at..].iter().zip(&b[at..]);
    at + bytes.take_while(|(a, b)| a == b).count()
}

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TreePath {
    /// With a leading slash; bytes that are not UTF-8 are replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"/{}\"", self.0.escape_ascii())
    }
}

impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for TreePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path: Arc<[u8]> = bytes::deserialize(deserializer)?;
        match is_normal(&path) {
            true => Ok(Self(path)),
            false => Err(serde::de::Error::custom("a path that is not normal")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).expect("a path")
    }

    #[test]
    fn normalises() {
        assert_eq!(path("./usr//bin/./env/"), path("usr/bin/env"));
        assert!(path("/.").is_root());
        assert!(TreePath::new(b"usr/../etc").is_err());
        assert!(TreePath::new(b"a\0").is_err());
    }

    #[test]
    fn a_folder_is_followed_by_its_contents() {
        let mut paths = [path("a.b"), path("a/c"), path("a"), path("a-b")];
        paths.sort();
        assert_eq!(paths, [path("a"), path("a/c"), path("a-b"), path("a.b")]);
    }

    #[test]
    fn knows_its_parts() {
        assert_eq!(path("usr/bin").parent(), Some(path("usr")));
        assert_eq!(path("usr").parent(), Some(TreePath::root()));
        assert_eq!(TreePath::root().parent(), None);
        assert_eq!(path("usr/bin").name(), b"bin");
        assert!(path("usr/bin").is_within(&path("usr")));
        assert!(!path("usrx").is_within(&path("usr")));
    }
}
