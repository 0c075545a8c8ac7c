//! What goes into a layer: which segments as they are, which entries one by one.
//! Decides only; reads and writes no bytes.

use std::collections::{BTreeMap, BTreeSet};

use imgc_tree::{Content, Ino, Kind, Meta, Node, Tree, TreePath};

use crate::{PlanError, Segment};

/// An entry of a layer or of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub path: TreePath,
    /// Its metadata. A hard link's is that of its file.
    pub meta: Meta,
    /// What stands there.
    pub what: What,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The first name of an inode.
    Node(Kind),
    /// A further name of the inode that an earlier entry names.
    HardLink(TreePath),
}

/// A segment that a layer may use, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentUse {
    /// The segment.
    pub segment: Segment,
    /// All its entries, in its order. Folders may be among them and are passed over.
    pub entries: Vec<Entry>,
}

/// How a layer is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// Folders, and whiteouts (empty files named `.wh.NAME`), in path order.
    pub head: Vec<Entry>,
    /// Segments that are used whole, in the order in which they were offered.
    pub segments: Vec<Segment>,
    /// All other entries, in path order. Hard links name a path in `segments` or one
    /// that comes before them.
    pub loose: Vec<Entry>,
}

/// Decides how a layer is made that turns `base` (nothing, without one) into `tree`.
///
/// A segment is used whole if every entry in it stands in the tree as the segment
/// has it: same path, metadata and contents, and the same hard links. If one entry
/// does not, its others become loose entries. Segments are offered in order, and of
/// two that bring the same path the first is used.
///
/// With `base`, the layer has what differs, the folders above that, and whiteouts for
/// what is gone. A set of hard linked names of which one differs is written whole, as
/// links never reach into another layer.
///
/// # Errors
/// [`PlanError::Reserved`] for a name that layers can't hold.
pub fn plan_layer(
    tree: &Tree,
    base: Option<&Tree>,
    segments: &[SegmentUse],
) -> Result<Recipe, PlanError> {
    if let Some((path, _)) = tree
        .iter()
        .find(|(path, _)| path.name().starts_with(b".wh."))
    {
        return Err(PlanError::Reserved(path.clone()));
    }
    let changed = changed(tree, base);
    let mut placed = Placed {
        tree,
        changed: &changed,
        first: BTreeMap::new(),
        taken: BTreeSet::new(),
    };
    let mut recipe = Recipe::default();
    for offered in segments {
        if placed.take(&offered.entries) {
            recipe.segments.push(offered.segment);
        }
    }
    let Placed {
        mut first, taken, ..
    } = placed;
    for &path in changed.iter().filter(|path| !taken.contains(*path)) {
        let ino = tree.ino(path).expect("a changed path is one of the tree");
        let node = tree.node(ino);
        let what = match first.get(&ino) {
            Some(&earlier) => What::HardLink(earlier.clone()),
            None => {
                first.insert(ino, path);
                What::Node(node.kind.clone())
            }
        };
        recipe.loose.push(Entry {
            path: path.clone(),
            meta: node.meta.clone(),
            what,
        });
    }
    recipe.head = head(tree, base, &changed);
    Ok(recipe)
}

/// The names that are no folders and are not in `base` as they are in `tree`.
fn changed<'a>(tree: &'a Tree, base: Option<&Tree>) -> BTreeSet<&'a TreePath> {
    let names = tree
        .iter()
        .filter(|(_, node)| !node.is_directory())
        .map(|(path, _)| path);
    let Some(base) = base else {
        return names.collect();
    };
    let (groups, base_groups) = (groups(tree), groups(base));
    names
        .filter(|path| {
            let ino = tree.ino(path).expect("a path of the tree");
            base.ino(path).is_none_or(|base_ino| {
                base.node(base_ino) != tree.node(ino)
                    || base_groups.get(&base_ino) != groups.get(&ino)
            })
        })
        .collect()
}

/// The names of each inode, in path order.
fn groups(tree: &Tree) -> BTreeMap<Ino, Vec<&TreePath>> {
    let mut groups: BTreeMap<Ino, Vec<&TreePath>> = BTreeMap::new();
    for (path, ino) in tree.names() {
        groups.entry(ino).or_default().push(path);
    }
    groups
}

/// What the segments that are used so far bring.
struct Placed<'a> {
    tree: &'a Tree,
    changed: &'a BTreeSet<&'a TreePath>,
    /// The entry that brings each inode.
    first: BTreeMap<Ino, &'a TreePath>,
    taken: BTreeSet<&'a TreePath>,
}

impl<'a> Placed<'a> {
    /// Takes a segment's entries if all of them stand in the tree. One without
    /// entries is not worth a frame.
    fn take(&mut self, entries: &[Entry]) -> bool {
        let mut first = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for entry in entries {
            if matches!(entry.what, What::Node(Kind::Directory)) {
                continue;
            }
            // The tree's own path: it lives as long as the plan.
            let Some(&path) = self.changed.get(&entry.path) else {
                return false;
            };
            if self.taken.contains(path) || !taken.insert(path) {
                return false;
            }
            let ino = self
                .tree
                .ino(path)
                .expect("a changed path is one of the tree");
            let stands = match &entry.what {
                What::HardLink(target) => {
                    self.tree.ino(target) == Some(ino) && taken.contains(target)
                }
                What::Node(kind) => {
                    let Node {
                        meta,
                        kind: standing,
                    } = self.tree.node(ino);
                    *meta == entry.meta
                        && standing == kind
                        && !self.first.contains_key(&ino)
                        && first.insert(ino, path).is_none()
                }
            };
            if !stands {
                return false;
            }
        }
        self.first.append(&mut first);
        let any = !taken.is_empty();
        self.taken.append(&mut taken);
        any
    }
}

/// The folders of a layer, and its whiteouts.
fn head(tree: &Tree, base: Option<&Tree>, changed: &BTreeSet<&TreePath>) -> Vec<Entry> {
    let mut folders: BTreeSet<TreePath> = BTreeSet::new();
    let mut head: BTreeMap<TreePath, Entry> = BTreeMap::new();
    for (path, node) in tree.iter().filter(|(_, node)| node.is_directory()) {
        if base.is_none_or(|base| base.get(path) != Some(node)) {
            folders.insert(path.clone());
        }
    }
    for gone in base.into_iter().flat_map(|base| whiteouts(tree, base)) {
        head.insert(gone.path.clone(), gone);
    }
    // A reader that keeps each layer in a folder of its own makes missing folders
    // with metadata of its own: every folder above an entry must be there.
    let entries = changed.iter().map(|&path| path.clone());
    let entries: Vec<TreePath> = entries
        .chain(head.keys().cloned())
        .chain(folders.iter().cloned())
        .collect();
    for path in entries {
        let mut above = path.parent();
        while let Some(folder) = above {
            above = folder.parent();
            if !folders.insert(folder) {
                // Those above a folder that a file brought are there already; those
                // above a folder that is there for its own sake come in its turn.
                break;
            }
        }
    }
    for path in folders {
        let node = tree.get(&path).expect("a parent is in the tree");
        let (meta, what) = (node.meta.clone(), What::Node(Kind::Directory));
        head.insert(path.clone(), Entry { path, meta, what });
    }
    head.into_values().collect()
}

/// For each name of `base` that is gone, while its folder is still there: the file
/// that says so to readers of layers (OCI image specification, "Whiteouts").
fn whiteouts<'a>(tree: &'a Tree, base: &'a Tree) -> impl Iterator<Item = Entry> + 'a {
    let gone = base.iter().filter(|(path, _)| tree.get(path).is_none());
    gone.filter_map(|(path, _)| {
        let folder = path.parent()?;
        if !tree.get(&folder)?.is_directory() {
            return None;
        }
        // Too long a path can't be: then nothing of that name was in a layer.
        let path = folder.join(&[b".wh.", path.name()].concat()).ok()?;
        let meta = Meta {
            mode: 0o644,
            ..Meta::default()
        };
        let what = What::Node(Kind::Regular(Content::inline(&b""[..])));
        Some(Entry { path, meta, what })
    })
}
