//! Names and the inodes behind them.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::names::Names;
use crate::{Kind, Node, TreePath};

/// The number of an inode in its tree. Valid for that tree alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ino(u32);

/// A file tree. The root is always there and is a folder; every name's parent is
/// a folder; several names may share an inode (hard links), but not a folder's.
#[derive(Debug, Clone)]
pub struct Tree {
    names: Names,
    nodes: Vec<Node>,
}

/// Why a name could not be put into a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    /// The folder that should hold the name is missing.
    #[error("{0}: its folder is not in the tree")]
    NoParent(TreePath),
    /// What should be the folder is something else.
    #[error("{0}: what should be its folder is not a folder")]
    ParentNotDirectory(TreePath),
    /// A folder with something in it stands where something else should go.
    #[error("{0}: a folder that is not empty stands there")]
    NotEmpty(TreePath),
    /// The root can only be a folder, and a folder can't be linked.
    #[error("{0}: a folder can't be replaced or linked like this")]
    Directory(TreePath),
}

impl Tree {
    /// A tree with a root (`0755 root:root`) and nothing in it.
    pub fn new(mtime: i64) -> Self {
        Self {
            names: Names::from_iter([(TreePath::root(), Ino(0))]),
            nodes: vec![Node::directory(0o755, mtime)],
        }
    }

    /// A tree of inodes and names, each with the place of its inode. None where they are
    /// not those of a tree.
    pub(crate) fn of_parts(names: Vec<(TreePath, u32)>, nodes: Vec<Node>) -> Option<Self> {
        let count = names.len();
        let names = names.into_iter().map(|(path, place)| (path, Ino(place)));
        let names: Names = names.collect();
        if names.len() != count || names.iter().any(|(_, ino)| ino.0 as usize >= nodes.len()) {
            return None;
        }
        let tree = Self { names, nodes };
        let mut folders = std::collections::BTreeSet::new();
        // Names that follow each other are mostly in one folder.
        let mut above: Option<&[u8]> = None;
        for (path, ino) in tree.names.iter() {
            if tree.node(*ino).is_directory() && !folders.insert(*ino) {
                return None;
            }
            let bytes = path.as_bytes();
            let end = bytes.iter().rposition(|&b| b == b'/').unwrap_or(0);
            if above == Some(&bytes[..end]) && !path.is_root() {
                continue;
            }
            let folder = path.parent().unwrap_or_else(TreePath::root);
            if !tree.get(&folder).is_some_and(Node::is_directory) {
                return None;
            }
            above = Some(&bytes[..end]);
        }
        tree.get(&TreePath::root()).is_some().then_some(tree)
    }

    /// Makes room for so many more inodes.
    pub fn reserve(&mut self, additional: usize) {
        self.nodes.reserve(additional);
    }

    /// Every path, in order, and its inode.
    pub fn names(&self) -> impl Iterator<Item = (&TreePath, Ino)> {
        self.names.iter().map(|(path, &ino)| (path, ino))
    }

    /// Every path, in order, and its node.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Node)> {
        self.names.iter().map(|(path, &ino)| (path, self.node(ino)))
    }

    /// How many paths there are, with the root.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Never true: the root is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The node of an inode of this tree.
    pub fn node(&self, ino: Ino) -> &Node {
        &self.nodes[ino.0 as usize]
    }

    /// The node of an inode of this tree, to change its metadata or contents.
    pub fn node_mut(&mut self, ino: Ino) -> &mut Node {
        &mut self.nodes[ino.0 as usize]
    }

    /// The inode at exactly this path: no symbolic link is followed.
    pub fn ino(&self, path: &TreePath) -> Option<Ino> {
        self.names.get(path)
    }

    /// The node at exactly this path: no symbolic link is followed.
    pub fn get(&self, path: &TreePath) -> Option<&Node> {
        self.ino(path).map(|ino| self.node(ino))
    }

    /// Puts `node` at `path`. What stood there is replaced; a folder over a folder
    /// keeps its contents and takes the new metadata.
    ///
    /// # Errors
    /// [`InsertError`]; the tree is as it was.
    pub fn insert(&mut self, path: &TreePath, node: Node) -> Result<Ino, InsertError> {
        if let Some(ino) = self.ino(path) {
            if self.node(ino).is_directory() {
                if node.is_directory() {
                    *self.node_mut(ino) = node;
                    return Ok(ino);
                }
                self.check_removable(path)?;
            }
        } else {
            self.check_parent(path)?;
        }
        let ino = Ino(u32::try_from(self.nodes.len()).expect("fewer than 2^32 inodes"));
        self.nodes.push(node);
        self.names.insert(path.clone(), ino);
        Ok(ino)
    }

    /// Gives `path` the inode of `target` (a hard link).
    ///
    /// # Errors
    /// [`InsertError`], also where `target` is a folder or missing.
    pub fn link(&mut self, path: &TreePath, target: &TreePath) -> Result<Ino, InsertError> {
        let ino = self
            .ino(target)
            .ok_or_else(|| InsertError::NoParent(target.clone()))?;
        if self.node(ino).is_directory() {
            return Err(InsertError::Directory(target.clone()));
        }
        if self.get(path).is_some_and(Node::is_directory) {
            self.check_removable(path)?;
        }
        self.check_parent(path)?;
        self.names.insert(path.clone(), ino);
        Ok(ino)
    }

    /// Makes the folders above `path` that are missing: `0755 root:root`.
    ///
    /// # Errors
    /// [`InsertError::ParentNotDirectory`] where one of them is something else.
    pub fn make_parents(&mut self, path: &TreePath, mtime: i64) -> Result<(), InsertError> {
        let mut missing = Vec::new();
        let mut at = path.parent();
        while let Some(folder) = at {
            match self.get(&folder) {
                Some(node) if node.is_directory() => break,
                Some(_) => return Err(InsertError::ParentNotDirectory(path.clone())),
                None => {
                    at = folder.parent();
                    missing.push(folder);
                }
            }
        }
        for folder in missing.iter().rev() {
            self.insert(folder, Node::directory(0o755, mtime))?;
        }
        Ok(())
    }

    /// Takes `path`, and all below it, out of the tree. Says whether it was there.
    pub fn remove(&mut self, path: &TreePath) -> bool {
        let gone: Vec<TreePath> = self.below(path).map(|(path, _)| path.clone()).collect();
        for path in &gone {
            if !path.is_root() {
                self.names.remove(path);
            }
        }
        !gone.is_empty()
    }

    /// `folder` itself, if it is there, and every path below it, in order.
    pub fn below<'a>(
        &'a self,
        folder: &'a TreePath,
    ) -> impl Iterator<Item = (&'a TreePath, &'a Node)> {
        self.names
            .range(folder.clone()..)
            .take_while(|(path, _)| path.is_within(folder))
            .map(|(path, &ino)| (path, self.node(ino)))
    }

    /// The paths directly in `folder`, in order. None below them is visited.
    pub fn children<'a>(
        &'a self,
        folder: &'a TreePath,
    ) -> impl Iterator<Item = (&'a TreePath, Ino)> {
        self.children_from(folder, Bound::Excluded(folder.clone()))
    }

    /// Those paths directly in `folder`, in order, whose names begin with `prefix`.
    pub fn children_with<'a>(
        &'a self,
        folder: &'a TreePath,
        prefix: &'a [u8],
    ) -> impl Iterator<Item = (&'a TreePath, Ino)> {
        // A prefix that is no name begins none.
        let from = folder.join(prefix).unwrap_or_else(|_| folder.clone());
        let from = match from == *folder {
            true => Bound::Excluded(from),
            false => Bound::Included(from),
        };
        let all = self.children_from(folder, from);
        // Names with one prefix follow each other, but for what is below one of them.
        let all =
            all.take_while(|(path, _)| path.name() <= prefix || path.name().starts_with(prefix));
        all.filter(|(path, _)| path.name().starts_with(prefix))
    }

    fn children_from<'a>(
        &'a self,
        folder: &'a TreePath,
        from: Bound<TreePath>,
    ) -> impl Iterator<Item = (&'a TreePath, Ino)> {
        let after = |bound| self.names.range((bound, Bound::Unbounded));
        let mut rest = after(from);
        let mut last: Option<&TreePath> = None;
        std::iter::from_fn(move || {
            let mut next = rest.next()?;
            // What is below a path follows it directly, as `/` sorts first; `\x01` is next.
            if let Some(last) = last.filter(|last| next.0.is_within(last)) {
                rest = after(Bound::Included(TreePath::after(last)));
                next = rest.next()?;
            }
            let (path, &ino) = next;
            last = Some(path);
            path.is_within(folder).then_some((path, ino))
        })
    }

    /// Moves `from`, and all below it, to `to`, as rename(2) does. What stood at `to`
    /// is replaced.
    ///
    /// # Errors
    /// [`InsertError`]; the tree is as it was.
    pub fn rename(&mut self, from: &TreePath, to: &TreePath) -> Result<(), InsertError> {
        let ino = self
            .ino(from)
            .ok_or_else(|| InsertError::NoParent(from.clone()))?;
        if from == to {
            return Ok(());
        }
        let folder = self.node(ino).is_directory();
        if from.is_root() || to.is_within(from) {
            return Err(InsertError::Directory(to.clone()));
        }
        match self.get(to) {
            None => self.check_parent(to)?,
            Some(old) if old.is_directory() && folder => self.check_removable(to)?,
            Some(old) if old.is_directory() || folder => {
                return Err(InsertError::Directory(to.clone()));
            }
            Some(_) => {}
        }
        let moved: Vec<TreePath> = self.below(from).map(|(path, _)| path.clone()).collect();
        for path in moved {
            let rest = &path.as_bytes()[from.as_bytes().len()..];
            let new = to
                .join(rest)
                .map_err(|_| InsertError::NoParent(to.clone()))?;
            if let Some(ino) = self.names.remove(&path) {
                self.names.insert(new, ino);
            }
        }
        Ok(())
    }

    /// How many names an inode has.
    pub fn link_count(&self, ino: Ino) -> usize {
        self.names
            .iter()
            .filter(|(_, other)| **other == ino)
            .count()
    }

    /// Follows the symbolic links in `path`, the last component's too, as a process
    /// in the image would. Gives the path without links; what it names may be
    /// missing. None after 40 links, as the kernel gives up there.
    pub fn resolve(&self, path: &TreePath) -> Option<TreePath> {
        let mut todo: Vec<Vec<u8>> = path.parts().rev().map(<[u8]>::to_vec).collect();
        let mut at: Vec<Vec<u8>> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at.pop();
                    continue;
                }
                _ => at.push(part),
            }
            let here = TreePath::new(&at.join(&b'/')).ok()?;
            if let Some(Node {
                kind: Kind::Symlink(target),
                ..
            }) = self.get(&here)
            {
                links += 1;
                if links > 40 {
                    return None;
                }
                at.pop();
                if target.starts_with(b"/") {
                    at.clear();
                }
                todo.extend(target.split(|&b| b == b'/').rev().map(<[u8]>::to_vec));
            }
        }
        TreePath::new(&at.join(&b'/')).ok()
    }

    fn check_parent(&self, path: &TreePath) -> Result<(), InsertError> {
        let Some(parent) = path.parent() else {
            return Err(InsertError::Directory(path.clone()));
        };
        match self.get(&parent) {
            None => Err(InsertError::NoParent(path.clone())),
            Some(node) if node.is_directory() => Ok(()),
            Some(_) => Err(InsertError::ParentNotDirectory(path.clone())),
        }
    }

    fn check_removable(&self, path: &TreePath) -> Result<(), InsertError> {
        if path.is_root() {
            return Err(InsertError::Directory(path.clone()));
        }
        if self.below(path).nth(1).is_some() {
            return Err(InsertError::NotEmpty(path.clone()));
        }
        Ok(())
    }
}

/// Equal where names, nodes and hard links are; inode numbers don't count.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = BTreeMap::new();
        self.names.len() == other.names.len()
            && self
                .names()
                .zip(other.names())
                .all(|((path, ino), (other_path, other_ino))| {
                    path == other_path
                        && *pairs.entry(ino).or_insert(other_ino) == other_ino
                        && self.node(ino) == other.node(other_ino)
                })
    }
}

impl Eq for Tree {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, TreeDigest};

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).expect("a path")
    }

    fn file(text: &str) -> Node {
        Node::file(Content::inline(text.as_bytes()), 0o644, 0)
    }

    #[test]
    fn a_name_needs_its_folder() {
        let mut tree = Tree::new(0);
        assert_eq!(
            tree.insert(&path("a/b"), file("x")),
            Err(InsertError::NoParent(path("a/b")))
        );
        tree.make_parents(&path("a/b"), 0).expect("parents");
        tree.insert(&path("a/b"), file("x")).expect("a file");
        assert_eq!(
            tree.insert(&path("a/b/c"), file("x")),
            Err(InsertError::ParentNotDirectory(path("a/b/c")))
        );
        assert_eq!(
            tree.insert(&path("a"), file("x")),
            Err(InsertError::NotEmpty(path("a")))
        );
        assert!(tree.remove(&path("a")));
        assert_eq!(tree.len(), 1);
    }

    #[test]
    fn a_folder_lists_its_own_names() {
        let mut tree = Tree::new(0);
        for name in ["a/b/c/d", "a/b-", "a/b/e", "a/z", "a-", "b"] {
            tree.make_parents(&path(name), 0).expect("parents");
            tree.insert(&path(name), file("x")).expect("a file");
        }
        let list = |folder: &str| -> Vec<String> {
            let folder = path(folder);
            let all = tree.children(&folder);
            all.map(|(path, _)| path.to_string()).collect()
        };
        assert_eq!(list(""), ["/a", "/a-", "/b"]);
        assert_eq!(list("a"), ["/a/b", "/a/b-", "/a/z"]);
        assert_eq!(list("a/b"), ["/a/b/c", "/a/b/e"]);
        assert!(list("b").is_empty());
        let with = |folder: &str, prefix: &str| -> Vec<String> {
            let folder = path(folder);
            let all = tree.children_with(&folder, prefix.as_bytes());
            all.map(|(path, _)| path.to_string()).collect()
        };
        assert_eq!(with("a", "b"), ["/a/b", "/a/b-"]);
        assert_eq!(with("a", "b-"), ["/a/b-"]);
        assert_eq!(with("a", ""), list("a"));
        assert_eq!(with("", "b"), ["/b"]);
        assert!(with("a", "c").is_empty() && with("a", "zz").is_empty());
    }

    #[test]
    fn links_share_their_inode() {
        let mut tree = Tree::new(0);
        tree.insert(&path("a"), file("x")).expect("a file");
        tree.link(&path("b"), &path("a")).expect("a link");
        assert_eq!(tree.ino(&path("a")), tree.ino(&path("b")));
        let linked = TreeDigest::of(&tree);
        tree.insert(&path("b"), file("x")).expect("a file");
        assert_ne!(TreeDigest::of(&tree), linked);
    }

    #[test]
    fn resolves_links_as_the_kernel_does() {
        let mut tree = Tree::new(0);
        tree.make_parents(&path("usr/lib/x"), 0).expect("parents");
        tree.insert(&path("lib"), Node::symlink(&b"usr/lib"[..], 0))
            .expect("a link");
        tree.insert(&path("usr/lib/y"), Node::symlink(&b"../../lib/x"[..], 0))
            .expect("a link");
        tree.insert(&path("loop"), Node::symlink(&b"loop"[..], 0))
            .expect("a link");
        assert_eq!(tree.resolve(&path("lib/y")), Some(path("usr/lib/x")));
        assert_eq!(tree.resolve(&path("loop")), None);
    }
}
