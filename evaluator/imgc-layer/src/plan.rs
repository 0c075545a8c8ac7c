//! What goes into a layer: which segments as they are, which entries one by one.
//! Decides only; reads and writes no bytes.

use std::borrow::Borrow;
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

impl Entry {
    fn is_folder(&self) -> bool {
        matches!(self.what, What::Node(Kind::Directory))
    }
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
    one_layer(tree, base, segments.iter())
}

fn one_layer<'s>(
    tree: &Tree,
    base: Option<&Tree>,
    segments: impl Iterator<Item = &'s SegmentUse>,
) -> Result<Recipe, PlanError> {
    check_names(tree)?;
    let Difference {
        changed,
        folders,
        gone,
    } = Difference::of(tree, base);
    let mut placed = Placed::new(tree, &changed);
    let mut recipe = Recipe::default();
    for offered in segments {
        if placed.take(&offered.entries) {
            recipe.segments.push(offered.segment);
        }
    }
    recipe.loose = placed.loose();
    recipe.head = head(tree, &changed, &folders, &gone);
    Ok(recipe)
}

/// Decides how a whole tree is made as several layers: one for each of `groups`, lowest
/// first, and one on top for `rest` and all that no segment brings. A group of which no
/// segment is used has no layer. With each comes the place of its group; none for the one
/// on top.
///
/// What a group's layer is depends on nothing but its own segments: images that have the
/// same group share it. So its folders have the metadata that the group's packages give
/// them, of several the newest; the layer on top has every folder that the tree has
/// otherwise.
///
/// # Errors
/// As [`plan_layer`].
pub fn plan_layers<S: Borrow<SegmentUse>>(
    tree: &Tree,
    groups: &[Vec<S>],
    rest: &[S],
) -> Result<Vec<(Option<usize>, Recipe)>, PlanError> {
    if groups.is_empty() {
        return Ok(vec![(
            None,
            one_layer(tree, None, rest.iter().map(Borrow::borrow))?,
        )]);
    }
    check_names(tree)?;
    let Difference { changed, .. } = Difference::of(tree, None);
    let mut placed = Placed::new(tree, &changed);
    let links = Links::of(tree);
    let mut below: BTreeMap<TreePath, Meta> = BTreeMap::new();
    let mut recipes = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let group = group.iter().map(Borrow::borrow);
        let used = group.filter(|offered: &&SegmentUse| {
            links.are_whole(offered) && placed.take(&offered.entries)
        });
        let recipe = plan_group(used);
        below.extend(recipe.head.iter().map(|folder| {
            let Entry { path, meta, .. } = folder.clone();
            (path, meta)
        }));
        if !recipe.segments.is_empty() {
            recipes.push((Some(place), recipe));
        }
    }
    let left = placed.left();
    let mut top = Recipe::default();
    // One that a group could not have may still stand on top.
    for offered in groups.iter().flatten().chain(rest).map(Borrow::borrow) {
        if placed.take(&offered.entries) {
            top.segments.push(offered.segment);
        }
    }
    top.loose = placed.loose();
    let mut folders = above(left.into_iter());
    for (path, node) in tree.iter().filter(|(_, node)| node.is_directory()) {
        if below.get(path) != Some(&node.meta) {
            folders.insert(path.clone());
            folders.extend(above([path].into_iter()));
        }
    }
    top.head = folders.into_iter().map(|path| folder(tree, path)).collect();
    recipes.push((None, top));
    Ok(recipes)
}

/// Decides how the layer of a group of packages is made of whole segments, and of nothing
/// else: what [`plan_layers`] makes of a group that the tree has as it was unpacked.
pub fn plan_group<'s>(used: impl IntoIterator<Item = &'s SegmentUse>) -> Recipe {
    let used: Vec<&SegmentUse> = used.into_iter().collect();
    let mut recipe = Recipe::default();
    let mut folders: BTreeMap<TreePath, Meta> = BTreeMap::new();
    for offered in &used {
        recipe.segments.push(offered.segment);
        let paths = offered.entries.iter().filter(|entry| !entry.is_folder());
        for folder in above(paths.map(|entry| &entry.path)) {
            folders.entry(folder).or_insert_with(|| Meta {
                mode: 0o755,
                mtime: i64::MIN,
                ..Meta::default()
            });
        }
    }
    for entry in used.iter().flat_map(|offered| &offered.entries) {
        if let Some(meta) = folders.get_mut(&entry.path)
            && entry.is_folder()
            && age(&entry.meta) > age(meta)
        {
            *meta = entry.meta.clone();
        }
    }
    for (path, mut meta) in folders {
        meta.mtime = meta.mtime.max(0);
        let what = What::Node(Kind::Directory);
        recipe.head.push(Entry { path, meta, what });
    }
    recipe
}

/// The inodes that have several names.
struct Links<'a> {
    tree: &'a Tree,
    names: BTreeMap<Ino, Vec<&'a TreePath>>,
}

impl<'a> Links<'a> {
    fn of(tree: &'a Tree) -> Self {
        let names = linked(tree);
        Self { tree, names }
    }

    /// Whether the segment has all names of each of its inodes. Links never reach into
    /// another layer.
    fn are_whole(&self, offered: &SegmentUse) -> bool {
        let mut here: BTreeMap<Ino, usize> = BTreeMap::new();
        let entries = offered.entries.iter().filter(|entry| !entry.is_folder());
        for ino in entries.filter_map(|entry| self.tree.ino(&entry.path)) {
            *here.entry(ino).or_default() += 1;
        }
        here.iter().all(|(ino, count)| {
            self.names
                .get(ino)
                .is_none_or(|names| names.len() == *count)
        })
    }
}

/// By what one of two metadata of a folder is preferred: the same whichever came first.
fn age(meta: &Meta) -> (i64, u32, u32, u32) {
    (meta.mtime, meta.mode, meta.uid, meta.gid)
}

/// The folders above `paths`, the root among them.
fn above<'a>(paths: impl Iterator<Item = &'a TreePath>) -> BTreeSet<TreePath> {
    let mut folders = BTreeSet::new();
    // Paths that follow each other are mostly in one folder.
    let mut last: Option<&[u8]> = None;
    for path in paths {
        let bytes = path.as_bytes();
        let folder = &bytes[..bytes.len() - path.name().len()];
        if last == Some(folder) && !path.is_root() {
            continue;
        }
        last = Some(folder);
        let mut next = path.parent();
        while let Some(folder) = next {
            next = folder.parent();
            if !folders.insert(folder) {
                break;
            }
        }
    }
    folders
}

/// A folder of the tree as an entry.
fn folder(tree: &Tree, path: TreePath) -> Entry {
    let node = tree.get(&path).expect("a parent is in the tree");
    let (meta, what) = (node.meta.clone(), What::Node(Kind::Directory));
    Entry { path, meta, what }
}

/// Refuses names that readers of layers take for whiteouts.
fn check_names(tree: &Tree) -> Result<(), PlanError> {
    let reserved = |(path, _): &(&TreePath, &Node)| path.name().starts_with(b".wh.");
    match tree.iter().find(reserved) {
        Some((path, _)) => Err(PlanError::Reserved(path.clone())),
        None => Ok(()),
    }
}

/// What differs between two trees.
#[derive(Default)]
struct Difference<'a> {
    /// The names that are no folders and are not in the base as they are in the tree, in
    /// order.
    changed: Vec<(&'a TreePath, Ino)>,
    /// The folders that are not in the base as they are in the tree, in order.
    folders: Vec<&'a TreePath>,
    /// The names of the base that are gone.
    gone: Vec<&'a TreePath>,
}

impl<'a> Difference<'a> {
    /// Goes through both trees once, side by side.
    fn of(tree: &'a Tree, base: Option<&'a Tree>) -> Self {
        let mut difference = Self::default();
        let Some(base) = base else {
            for (path, ino) in tree.names() {
                match tree.node(ino).is_directory() {
                    true => difference.folders.push(path),
                    false => difference.changed.push((path, ino)),
                }
            }
            return difference;
        };
        let (links, base_links) = (linked(tree), linked(base));
        let mut others = base.names().peekable();
        for (path, ino) in tree.names() {
            while let Some((gone, _)) = others.next_if(|(other, _)| *other < path) {
                difference.gone.push(gone);
            }
            let same = others.next_if(|(other, _)| *other == path);
            let is_same = same.is_some_and(|(_, base_ino)| {
                base.node(base_ino) == tree.node(ino)
                    && base_links.get(&base_ino) == links.get(&ino)
            });
            if is_same {
                continue;
            }
            match tree.node(ino).is_directory() {
                true => difference.folders.push(path),
                false => difference.changed.push((path, ino)),
            }
        }
        difference.gone.extend(others.map(|(gone, _)| gone));
        difference
    }
}

/// The inodes that have several names, and those in path order.
fn linked(tree: &Tree) -> BTreeMap<Ino, Vec<&TreePath>> {
    let mut all: Vec<Ino> = tree.names().map(|(_, ino)| ino).collect();
    all.sort_unstable();
    let several = all.windows(2).filter(|pair| pair[0] == pair[1]);
    let mut linked: BTreeMap<Ino, Vec<&TreePath>> =
        several.map(|pair| (pair[0], Vec::new())).collect();
    if !linked.is_empty() {
        for (path, ino) in tree.names() {
            linked.entry(ino).and_modify(|names| names.push(path));
        }
    }
    linked
}

/// What the segments that are used so far bring.
struct Placed<'a> {
    tree: &'a Tree,
    /// What there is to bring, in path order.
    names: Vec<Name<'a>>,
    /// The entry that brings each inode.
    first: BTreeMap<Ino, &'a TreePath>,
    /// How many segments have been offered.
    offered: u32,
}

/// A name of the tree that has to be brought.
struct Name<'a> {
    path: &'a TreePath,
    ino: Ino,
    /// Which of the segments brings it, counted from 1; 0 if none does.
    by: u32,
}

impl<'a> Placed<'a> {
    fn new(tree: &'a Tree, changed: &[(&'a TreePath, Ino)]) -> Self {
        let names = changed.iter().map(|&(path, ino)| Name { path, ino, by: 0 });
        Self {
            tree,
            names: names.collect(),
            first: BTreeMap::new(),
            offered: 0,
        }
    }

    /// What no segment has brought so far.
    fn left(&self) -> Vec<&'a TreePath> {
        let left = self.names.iter().filter(|name| name.by == 0);
        left.map(|name| name.path).collect()
    }

    /// Everything that no segment brought.
    fn loose(self) -> Vec<Entry> {
        let Self {
            tree,
            names,
            mut first,
            ..
        } = self;
        let mut loose = Vec::new();
        for Name { path, ino, .. } in names.into_iter().filter(|name| name.by == 0) {
            let node = tree.node(ino);
            let what = match first.get(&ino) {
                Some(&earlier) => What::HardLink(earlier.clone()),
                None => {
                    first.insert(ino, path);
                    What::Node(node.kind.clone())
                }
            };
            loose.push(Entry {
                path: path.clone(),
                meta: node.meta.clone(),
                what,
            });
        }
        loose
    }

    /// Takes a segment's entries if all of them stand in the tree. One without
    /// entries is not worth a frame.
    fn take(&mut self, entries: &[Entry]) -> bool {
        self.offered += 1;
        let mut taken = Vec::with_capacity(entries.len());
        let entries = entries.iter().filter(|entry| !entry.is_folder());
        for entry in entries {
            match self.stands(entry) {
                Some(place) => taken.push(place),
                None => {
                    for place in taken {
                        let name = &mut self.names[place];
                        name.by = 0;
                        if self.first.get(&name.ino) == Some(&name.path) {
                            self.first.remove(&name.ino);
                        }
                    }
                    return false;
                }
            }
        }
        !taken.is_empty()
    }

    /// The place of a path among the names.
    fn place(&self, path: &TreePath) -> Option<usize> {
        let found = self.names.binary_search_by(|name| name.path.cmp(path));
        found.ok()
    }

    /// Takes an entry of the segment that is offered, if it stands in the tree as it is.
    /// Gives its place among the names.
    fn stands(&mut self, entry: &Entry) -> Option<usize> {
        let place = self.place(&entry.path)?;
        let Name { path, ino, by } = self.names[place];
        if by != 0 {
            return None;
        }
        match &entry.what {
            What::HardLink(target) => {
                let target = &self.names[self.place(target)?];
                if target.ino != ino || target.by != self.offered {
                    return None;
                }
            }
            What::Node(kind) => {
                let node = self.tree.node(ino);
                if node.meta != entry.meta || node.kind != *kind || self.first.contains_key(&ino) {
                    return None;
                }
                self.first.insert(ino, path);
            }
        }
        self.names[place].by = self.offered;
        Some(place)
    }
}

/// The folders of a layer, and its whiteouts.
fn head(
    tree: &Tree,
    changed: &[(&TreePath, Ino)],
    folders: &[&TreePath],
    gone: &[&TreePath],
) -> Vec<Entry> {
    let mut folders: BTreeSet<TreePath> = folders.iter().copied().cloned().collect();
    let mut head: BTreeMap<TreePath, Entry> = BTreeMap::new();
    for gone in whiteouts(tree, gone) {
        head.insert(gone.path.clone(), gone);
    }
    // A reader that keeps each layer in a folder of its own makes missing folders
    // with metadata of its own: every folder above an entry must be there.
    let entries = changed.iter().map(|(path, _)| *path);
    let missing = above(entries.chain(head.keys()).chain(&folders));
    folders.extend(missing);
    for path in folders {
        let entry = folder(tree, path);
        head.insert(entry.path.clone(), entry);
    }
    head.into_values().collect()
}

/// For each name of `base` that is gone, while its folder is still there: the file
/// that says so to readers of layers (OCI image specification, "Whiteouts").
fn whiteouts<'a>(tree: &'a Tree, gone: &'a [&TreePath]) -> impl Iterator<Item = Entry> + 'a {
    gone.iter().filter_map(|path| {
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
