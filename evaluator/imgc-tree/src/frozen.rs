//! A tree as bytes, to be read back quickly by the same version of imgc.
//!
//! The format is postcard's (its specification, version 1): a list of inodes in the order
//! of their first names, then a list of names in path order, each with the place of its
//! inode. [`Node`] and what it holds are written field by field, without their names: who
//! changes a field, a variant or their order changes what stores hold. The test of the
//! bytes notices.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Content, Data, Kind, Node, Tree, TreePath};

#[derive(Serialize, Deserialize)]
struct Frozen<'a> {
    nodes: Vec<Cow<'a, Node>>,
    names: Vec<(Cow<'a, TreePath>, u32)>,
}

impl Tree {
    /// The tree as bytes. Of files whose bytes stand in the tree, those that `keep` says no
    /// to lose them: they read back as [`Data::Outside`].
    pub fn freeze(&self, keep: &dyn Fn(&TreePath) -> bool) -> Vec<u8> {
        let mut places = BTreeMap::new();
        let mut nodes = Vec::new();
        let mut names = Vec::with_capacity(self.len());
        for (path, ino) in self.names() {
            let place = *places.entry(ino).or_insert_with(|| {
                let node = self.node(ino);
                nodes.push(match &node.kind {
                    Kind::Regular(content) if is_inline(content) && !keep(path) => {
                        Cow::Owned(outside(node, content))
                    }
                    _ => Cow::Borrowed(node),
                });
                nodes.len() - 1
            });
            let place = u32::try_from(place).expect("as many as there are inodes");
            names.push((Cow::Borrowed(path), place));
        }
        postcard::to_allocvec(&Frozen { nodes, names }).expect("memory takes everything")
    }

    /// The tree of such bytes. None for others.
    pub fn thaw(bytes: &[u8]) -> Option<Self> {
        let (Frozen { nodes, names }, []) = postcard::take_from_bytes(bytes).ok()? else {
            return None;
        };
        let names = names.into_iter();
        let names = names.map(|(path, place)| (path.into_owned(), place));
        let nodes = nodes.into_iter().map(Cow::into_owned);
        Self::of_parts(names.collect(), nodes.collect())
    }
}

fn is_inline(content: &Content) -> bool {
    matches!(content.data, Data::Inline(_))
}

/// A file without its bytes.
fn outside(node: &Node, content: &Content) -> Node {
    Node {
        meta: node.meta.clone(),
        kind: Kind::Regular(Content {
            data: Data::Outside,
            ..*content
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Meta, TreeDigest};
    use sha2::{Digest as _, Sha256};

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).expect("a path")
    }

    fn tree() -> Tree {
        let mut tree = Tree::new(7);
        for (at, node) in [
            (
                "etc/passwd",
                Node::file(Content::inline(&b"root"[..]), 0o644, 1),
            ),
            (
                "var/info",
                Node::file(Content::inline(&b"list"[..]), 0o600, -1),
            ),
            ("bin", Node::symlink(&b"usr/bin"[..], 9)),
            (
                "dev/null",
                Node {
                    meta: Meta {
                        mode: 0o666,
                        xattrs: BTreeMap::from([("user.a".to_owned(), vec![0, 255])]),
                        ..Meta::default()
                    },
                    kind: Kind::CharDevice { major: 1, minor: 3 },
                },
            ),
        ] {
            tree.make_parents(&path(at), 3).expect("parents");
            tree.insert(&path(at), node).expect("inserted");
        }
        tree.link(&path("etc/passwd-"), &path("etc/passwd"))
            .expect("linked");
        tree
    }

    #[test]
    fn a_tree_comes_back() {
        let tree = tree();
        let back = Tree::thaw(&tree.freeze(&|_| true)).expect("a tree");
        assert_eq!(TreeDigest::of(&back), TreeDigest::of(&tree));
        assert_eq!(
            back.ino(&path("etc/passwd")),
            back.ino(&path("etc/passwd-"))
        );
        let data = |tree: &Tree, at: &str| match &tree.get(&path(at)).expect("a node").kind {
            Kind::Regular(content) => content.data.clone(),
            other => panic!("{other:?} is no file"),
        };
        assert!(matches!(data(&back, "var/info"), Data::Inline(bytes) if &*bytes == b"list"));
        let few = Tree::thaw(&tree.freeze(&|at| at.as_bytes() == b"etc/passwd")).expect("a tree");
        assert_eq!(TreeDigest::of(&few), TreeDigest::of(&tree));
        assert!(matches!(data(&few, "var/info"), Data::Outside));
        assert!(matches!(data(&few, "etc/passwd-"), Data::Inline(_)));
    }

    /// Where this fails, the derivation that keeps trees (`abi::install`) needs another
    /// version: a store holds trees of the old form.
    #[test]
    fn the_bytes_are_what_they_were() {
        let mut tree = tree();
        let meta = Meta {
            mode: 0o1,
            uid: 2,
            gid: 3,
            mtime: 4,
            xattrs: BTreeMap::new(),
        };
        let content = |data| Content {
            size: 5,
            sha256: [6; 32],
            data,
        };
        let id = crate::SegmentId([7; 32]);
        let kinds = [
            ("a", Kind::Regular(content(Data::Segment { id, offset: 8 }))),
            ("b", Kind::Regular(content(Data::Outside))),
            (
                "c",
                Kind::BlockDevice {
                    major: 9,
                    minor: 10,
                },
            ),
            ("d", Kind::Fifo),
        ];
        for (name, kind) in kinds {
            let meta = meta.clone();
            tree.insert(&path(name), Node { meta, kind })
                .expect("inserted");
        }
        let digest: [u8; 32] = Sha256::digest(tree.freeze(&|_| true)).into();
        assert_eq!(
            hex::encode(digest),
            "e53e0aebfb7f939fba687f7801e3cfa315036a0156ee2bef4eb8ed0d5d9cdb31"
        );
    }

    #[test]
    fn other_bytes_are_no_tree() {
        let bytes = tree().freeze(&|_| true);
        assert!(Tree::thaw(&[&bytes[..], b"0"].concat()).is_none());
        for end in 0..bytes.len() {
            assert!(Tree::thaw(&bytes[..end]).is_none(), "{end}");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0xff;
            // Whatever comes out, it is a tree with a folder above each name.
            if let Some(tree) = Tree::thaw(&other) {
                for (path, _) in tree.names() {
                    let above = path.parent().map(|above| tree.get(&above).cloned());
                    assert!(above.is_none_or(|node| node.is_some_and(|node| node.is_directory())));
                }
            }
        }
    }
}
