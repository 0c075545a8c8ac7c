//! A project that is held in memory, for tests and for text that is not saved.
//!
//! It follows symbolic links as a disk would. It never looks at a real disk.

use std::collections::BTreeMap;

use imgc_plan::FileDigest;

use crate::world::{Entry, EntryKind, Stat, World, WorldError};

/// A [`World`] in memory. Folders exist where something stands below them, or
/// where [`MemoryWorld::directory`] made them.
#[derive(Debug, Clone, Default)]
pub struct MemoryWorld {
    nodes: BTreeMap<String, Node>,
    modules: BTreeMap<String, String>,
    remote: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
enum Node {
    File { bytes: Vec<u8>, executable: bool },
    Directory,
    Symlink { target: String },
}

/// How many links are followed before a path is said to lead nowhere.
const MAX_LINKS: usize = 40;

impl MemoryWorld {
    /// An empty project without modules of imgc.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file that nobody executes, or replaces it.
    #[must_use]
    pub fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.node(
            path,
            Node::File {
                bytes: bytes.as_ref().to_vec(),
                executable: false,
            },
        )
    }

    /// Adds a file that its owner may execute, or replaces it.
    #[must_use]
    pub fn executable(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.node(
            path,
            Node::File {
                bytes: bytes.as_ref().to_vec(),
                executable: true,
            },
        )
    }

    /// Adds a folder.
    #[must_use]
    pub fn directory(self, path: &str) -> Self {
        self.node(path, Node::Directory)
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        let target = target.to_owned();
        self.node(path, Node::Symlink { target })
    }

    /// Adds the module `std/name`, or replaces it.
    #[must_use]
    pub fn module(mut self, name: &str, text: &str) -> Self {
        self.modules.insert(name.to_owned(), text.to_owned());
        self
    }

    /// Adds the module at an address, or replaces it.
    #[must_use]
    pub fn remote(mut self, address: &str, text: &str) -> Self {
        self.remote.insert(address.to_owned(), text.to_owned());
        self
    }

    fn node(mut self, path: &str, node: Node) -> Self {
        for (at, _) in path.match_indices('/') {
            let parent = path[..at].to_owned();
            self.nodes.entry(parent).or_insert(Node::Directory);
        }
        self.nodes.insert(path.to_owned(), node);
        self
    }

    /// The path that `path` leads to once every link is followed.
    fn resolve(&self, path: &str) -> Result<String, WorldError> {
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.pop().ok_or(WorldError::Outside)?;
                    continue;
                }
                _ => {}
            }
            done.push(part);
            match self.nodes.get(&done.join("/")) {
                Some(Node::Symlink { target }) => {
                    links += 1;
                    if links > MAX_LINKS || target.starts_with('/') {
                        return Err(WorldError::Outside);
                    }
                    done.pop();
                    rest.extend(target.split('/').rev().map(str::to_owned));
                }
                Some(_) => {}
                None => return Err(WorldError::NotFound),
            }
        }
        Ok(done.join("/"))
    }

    fn bytes(&self, path: &str) -> Result<&[u8], WorldError> {
        match self.nodes.get(&self.resolve(path)?) {
            Some(Node::File { bytes, .. }) => Ok(bytes),
            _ => Err(WorldError::WrongKind),
        }
    }
}

impl World for MemoryWorld {
    fn stat(&self, path: &str) -> Result<Stat, WorldError> {
        let path = self.resolve(path)?;
        Ok(match self.nodes.get(&path) {
            Some(Node::File { bytes, executable }) => Stat::File {
                size: bytes.len() as u64,
                executable: *executable,
            },
            Some(Node::Directory) => Stat::Directory,
            None if path.is_empty() => Stat::Directory,
            Some(Node::Symlink { .. }) | None => Stat::Other,
        })
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        if self.stat(path)? != Stat::Directory {
            return Err(WorldError::WrongKind);
        }
        let path = self.resolve(path)?;
        let prefix = if path.is_empty() {
            path
        } else {
            format!("{path}/")
        };
        let below = self.nodes.iter().filter_map(|(path, node)| {
            let name = path.strip_prefix(&prefix)?;
            (!name.is_empty() && !name.contains('/')).then(|| Entry {
                name: name.to_owned(),
                kind: match node {
                    Node::File { executable, .. } => EntryKind::File {
                        executable: *executable,
                    },
                    Node::Directory => EntryKind::Directory,
                    Node::Symlink { target } => EntryKind::Symlink {
                        target: target.clone(),
                    },
                },
            })
        });
        let mut entries: Vec<Entry> = below.collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn digest(&self, path: &str) -> Result<(FileDigest, u64), WorldError> {
        let bytes = self.bytes(path)?;
        Ok((FileDigest::of(bytes), bytes.len() as u64))
    }

    fn read(&self, path: &str, offset: u64, len: usize) -> Result<Vec<u8>, WorldError> {
        let bytes = self.bytes(path)?;
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let end = start.saturating_add(len).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    }

    fn std_module(&self, name: &str) -> Option<String> {
        self.modules.get(name).cloned()
    }

    fn std_modules(&self) -> Vec<String> {
        self.modules.keys().cloned().collect()
    }

    fn remote_module(&self, address: &str) -> Result<String, WorldError> {
        let text = self.remote.get(address).cloned();
        text.ok_or(WorldError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_links_inside_the_root_only() {
        let world = MemoryWorld::new()
            .file("a/b/data", "x")
            .symlink("a/near", "b/data")
            .symlink("a/up", "../a/b")
            .symlink("out", "../secret")
            .symlink("absolute", "/etc/passwd")
            .symlink("round", "round");
        let file = Stat::File {
            size: 1,
            executable: false,
        };
        assert_eq!(world.stat("a/near"), Ok(file));
        assert_eq!(world.stat("a/up/data"), Ok(file));
        for path in ["out", "absolute", "round"] {
            assert_eq!(world.stat(path), Err(WorldError::Outside), "{path}");
        }
        assert_eq!(world.stat("a/none"), Err(WorldError::NotFound));
        assert_eq!(world.stat(""), Ok(Stat::Directory));
    }

    #[test]
    fn lists_one_level() {
        let world = MemoryWorld::new().file("a/b/data", "x").directory("a/c");
        let names: Vec<String> = world
            .list("a")
            .into_iter()
            .flatten()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, ["b", "c"]);
        assert_eq!(world.list("a/b/data"), Err(WorldError::WrongKind));
    }

    #[test]
    fn reads_ranges() {
        let world = MemoryWorld::new().file("data", "0123456789");
        assert_eq!(world.read("data", 8, 9), Ok(b"89".to_vec()));
        assert_eq!(world.read("data", 99, 9), Ok(Vec::new()));
    }
}
