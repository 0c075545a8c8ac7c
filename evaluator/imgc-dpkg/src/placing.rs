//! Where a package's entries go in a tree, and who may overwrite whom: dpkg's rules.
//!
//! - The folder above an entry is found through the tree's symbolic links, as the
//!   kernel would, and never outside the root. Missing folders are made, `0755`.
//! - A folder that is there keeps its metadata: the first package decides it. A link
//!   to a folder stays where a later package has the folder itself, and a folder
//!   stays where a later package has a link.
//! - A file that a package has for two architectures, if both are `Multi-Arch: same`, is
//!   there once, and is the same in both.
//! - A file of two packages belongs to the one that Replaces the other, whichever
//!   comes first. Where neither does, it is an error. A hard link to a file that is
//!   another package's then links to that one, as with dpkg. Here dpkg knows only the path
//!   as archived; this compares places, so that `/bin/x` and `/usr/bin/x` are one.
//! - A diverted file goes to where the diversion leads, unless its package made it.
//! - A conffile is unpacked beside its name, and gets it when its package is configured.
//! - What a statoverride says of a path is done when it is unpacked.
//! - A package that loses all its files does not disappear.
//! - What the image excludes is not unpacked, and is its package's all the same: another
//!   package with that file is a conflict. One that replaces it doesn't take it over.

use std::collections::{BTreeMap, BTreeSet};

use imgc_tree::{Kind, Node, Tree, TreePath};

use crate::diversions::Diversions;
use crate::filter::PathFilter;
use crate::fragment::{Entry, EntryNode, Fragment};
use crate::relation::Relations;
use crate::version::Version;
use crate::{ControlError, InstallError, System, merged};

/// A tree that packages are being put into.
#[derive(Debug)]
pub(crate) struct Union<'a> {
    /// The packages so far, in order.
    pub(crate) packages: Vec<Placed<'a>>,
    /// Whose each path is, links resolved. For a folder, who had it first.
    owners: BTreeMap<TreePath, usize>,
    filter: &'a PathFilter,
    epoch: i64,
}

/// A package in the tree.
#[derive(Debug)]
pub(crate) struct Placed<'a> {
    /// What it was made of.
    pub(crate) fragment: &'a Fragment,
    /// Archived paths that are another package's now, and whose.
    pub(crate) lost: BTreeMap<TreePath, usize>,
    /// Those of them that were the other package's from the beginning.
    pub(crate) never_had: BTreeSet<TreePath>,
    /// Merged paths of what was left out.
    pub(crate) excluded: BTreeSet<TreePath>,
    /// Conffiles that wait for their package to be configured: the name, and where the
    /// file is until then.
    pub(crate) waiting: Vec<(TreePath, TreePath)>,
    version: Version,
    replaces: Option<Relations>,
    /// Its stanza in the database, where it was there before.
    pub(crate) kept: Option<&'a str>,
}

/// What decides where files go, beside the packages.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// `/var/lib/dpkg/diversions`, read.
    pub(crate) diversions: Diversions,
    /// `/var/lib/dpkg/statoverride`, read: mode and owner by path.
    pub(crate) overrides: BTreeMap<TreePath, (u32, u32, u32)>,
}

impl<'a> Union<'a> {
    /// Nothing yet, in a tree with nothing but the merged-/usr links of `arch`.
    pub(crate) fn new(arch: &str, epoch: i64, filter: &'a PathFilter) -> (Self, Tree) {
        let mut tree = Tree::new(epoch);
        for name in merged::links(arch) {
            let path = TreePath::new(name.as_bytes()).expect("a short plain name");
            tree.insert(
                &path,
                Node::symlink(format!("usr/{name}").into_bytes(), epoch),
            )
            .expect("the root is a folder");
        }
        let union = Self {
            packages: Vec::new(),
            owners: BTreeMap::new(),
            filter,
            epoch,
        };
        (union, tree)
    }

    /// What `system` has: its packages in their order, and whose its files are.
    pub(crate) fn over(
        system: &'a System,
        filter: &'a PathFilter,
        epoch: i64,
    ) -> Result<Self, InstallError> {
        let mut union = Self {
            packages: Vec::new(),
            owners: BTreeMap::new(),
            filter,
            epoch,
        };
        for (fragment, stanza) in system.packages.iter().zip(&system.stanzas) {
            let mut placed = union.placed(fragment)?;
            placed.kept = Some(stanza);
            union.packages.push(placed);
            for entry in &fragment.entries {
                let diverted = system.diversions.of(&entry.path, &fragment.package.name);
                let at = union.locate(&system.tree, diverted.as_ref().unwrap_or(&entry.path))?;
                if !system.tree.get(&at).is_some_and(Node::is_directory) {
                    union.owners.insert(at, union.packages.len() - 1);
                }
            }
        }
        Ok(union)
    }

    /// A package with nothing in the tree yet.
    fn placed(&self, fragment: &'a Fragment) -> Result<Placed<'a>, InstallError> {
        let control = |source| InstallError::Control {
            package: fragment.package.qualified(),
            source,
        };
        let stanza = crate::control::Stanza::parse(&fragment.control).map_err(control)?;
        let malformed = || ControlError::Value {
            field: "Version".to_owned(),
            value: fragment.package.version.clone(),
        };
        let version = Version::parse(&fragment.package.version);
        Ok(Placed {
            fragment,
            lost: BTreeMap::new(),
            never_had: BTreeSet::new(),
            excluded: BTreeSet::new(),
            waiting: Vec::new(),
            version: version.ok_or_else(malformed).map_err(control)?,
            replaces: stanza.relations("Replaces").map_err(control)?,
            kept: None,
        })
    }

    /// Puts a package's files into the tree. `rules` are dpkg's; without them the files
    /// are only extracted, conffiles under their names.
    pub(crate) fn add(
        &mut self,
        tree: &mut Tree,
        fragment: &'a Fragment,
        rules: Option<&Rules>,
    ) -> Result<(), InstallError> {
        let control = |source| InstallError::Control {
            package: fragment.package.qualified(),
            source,
        };
        let placed = self.placed(fragment)?;
        self.packages.push(placed);
        let conffiles = match rules {
            None => BTreeSet::new(),
            Some(_) => self.conffiles(fragment).map_err(control)?,
        };
        for entry in &fragment.entries {
            let conffile = conffiles.contains(&entry.path);
            self.entry(tree, entry, rules.map(|rules| (rules, conffile)))?;
        }
        Ok(())
    }

    /// Where the conffiles of `fragment` stand in a merged tree.
    fn conffiles(&self, fragment: &Fragment) -> Result<BTreeSet<TreePath>, ControlError> {
        let all = fragment.conffiles()?.into_iter();
        let path = |path: String| {
            let raw = TreePath::new(path.as_bytes()).ok()?;
            merged::place(&raw, false).ok()
        };
        Ok(all.filter_map(|one| path(one.path)).collect())
    }

    /// Gives the conffiles of the package with this index their names, where a file of
    /// that name is not there yet. One that is there stays if it is the same.
    ///
    /// # Errors
    /// [`InstallError::Conffile`] where it is another: dpkg would ask.
    pub(crate) fn place_conffiles(
        &mut self,
        tree: &mut Tree,
        index: usize,
    ) -> Result<(), InstallError> {
        for (at, new) in std::mem::take(&mut self.packages[index].waiting) {
            // Another package replaced it: it is that one's to place.
            let owner = self.owners.get(&at);
            if !owner.is_some_and(|&owner| owner == index || self.is_shared(owner, index)) {
                continue;
            }
            // Where it is gone, it was placed for another architecture of the package.
            if tree.get(&new).is_none() {
                continue;
            }
            match tree.get(&at) {
                None => tree.rename(&new, &at).map_err(InstallError::Database)?,
                Some(old) if tree.get(&new).is_some_and(|new| new.kind == old.kind) => {
                    tree.remove(&new);
                }
                Some(_) => {
                    return Err(InstallError::Conffile {
                        path: at,
                        package: self.name(index),
                    });
                }
            }
        }
        Ok(())
    }

    /// Adds what every merged-/usr tree has: the folders behind the links.
    pub(crate) fn finish(&self, tree: &mut Tree) -> Result<(), imgc_tree::InsertError> {
        let missing: Vec<TreePath> = merged::ALIASES
            .iter()
            .filter_map(|name| TreePath::new(name.as_bytes()).ok())
            .filter_map(|link| match &tree.get(&link)?.kind {
                Kind::Symlink(target) if merged::is_link(link.as_bytes(), target) => tree
                    .resolve(&link)
                    .filter(|folder| tree.get(folder).is_none()),
                _ => None,
            })
            .collect();
        for folder in missing {
            tree.make_parents(&folder, self.epoch)?;
            tree.insert(&folder, Node::directory(0o755, self.epoch))?;
        }
        Ok(())
    }

    /// Puts one entry into the tree. `dpkg` are dpkg's rules, and whether it is a conffile.
    fn entry(
        &mut self,
        tree: &mut Tree,
        entry: &Entry,
        dpkg: Option<(&Rules, bool)>,
    ) -> Result<(), InstallError> {
        if entry.path.is_root() {
            return Ok(());
        }
        if self.is_alias_link(entry) {
            return self.alias_link(tree, entry);
        }
        if self.filter.leaves_out(entry) {
            return self.leave_out(tree, entry, dpkg.map(|(rules, _)| rules));
        }
        if dpkg.is_some() {
            self.needs(tree, entry)?;
        }
        let mut at = self.place(tree, &entry.path)?;
        if matches!(entry.node, EntryNode::Directory) {
            return self.directory(tree, entry, &at, dpkg.map(|(rules, _)| rules));
        }
        if let Some((rules, _)) = dpkg
            && let Some(diverted) = self.diverted(rules, entry)
        {
            at = self.place(tree, &diverted)?;
        }
        if let EntryNode::Symlink(target) = &entry.node
            && keeps_folder(tree, &at, target)
        {
            return Ok(());
        }
        let conffile = dpkg.is_some_and(|(_, conffile)| conffile);
        let rules = dpkg.map(|(rules, _)| rules);
        if !self.decide(entry, &at, false, rules)? || self.is_kept(tree, entry, &at, conffile)? {
            return Ok(());
        }
        if let Some((_, true)) = dpkg {
            let beside = [at.as_bytes(), b".dpkg-new"].concat();
            let beside = TreePath::new(&beside)
                .map_err(|_| self.unfit(imgc_tree::InsertError::NoParent(at.clone())))?;
            let current = self.current();
            self.packages[current].waiting.push((at, beside.clone()));
            at = beside;
        }
        if let Some(mut node) = node(entry, self.epoch) {
            if let Some((rules, _)) = dpkg {
                rules.apply(&entry.path, &mut node.meta);
            }
            tree.insert(&at, node)
        } else if let EntryNode::HardLink(target) = &entry.node {
            let target = self.link_target(tree, target, dpkg.map(|(rules, _)| rules))?;
            tree.link(&at, &target)
        } else {
            return Ok(());
        }
        .map_err(|source| self.unfit(source))?;
        Ok(())
    }

    /// Notes that an entry is not unpacked. Whose its path is, is decided all the same.
    fn leave_out(
        &mut self,
        tree: &Tree,
        entry: &Entry,
        rules: Option<&Rules>,
    ) -> Result<(), InstallError> {
        let current = self.current();
        let excluded = &mut self.packages[current].excluded;
        excluded.insert(entry.path.clone());
        if matches!(entry.node, EntryNode::Directory) {
            return Ok(());
        }
        let diverted = rules.and_then(|rules| self.diverted(rules, entry));
        let at = self.locate(tree, diverted.as_ref().unwrap_or(&entry.path))?;
        if let EntryNode::Symlink(target) = &entry.node
            && keeps_folder(tree, &at, target)
        {
            return Ok(());
        }
        self.decide(entry, &at, true, rules).map(|_| ())
    }

    /// Whether what an entry of the current package needs is unpacked.
    ///
    /// # Errors
    /// [`InstallError::Excluded`] where it is not: dpkg fails too then.
    fn needs(&self, tree: &Tree, entry: &Entry) -> Result<(), InstallError> {
        let excluded = &self.packages[self.current()].excluded;
        if excluded.is_empty() {
            return Ok(());
        }
        let mut needed = entry.path.parent();
        if let EntryNode::HardLink(target) = &entry.node
            && excluded.contains(target)
        {
            needed = Some(target.clone());
        }
        match needed {
            Some(needed)
                if excluded.contains(&needed)
                    && tree
                        .resolve(&needed)
                        .is_none_or(|at| tree.get(&at).is_none()) =>
            {
                Err(InstallError::Excluded {
                    path: entry.path.clone(),
                    package: self.name(self.current()),
                    needed,
                })
            }
            _ => Ok(()),
        }
    }

    /// Where the file is that a hard link of the current package names.
    fn link_target(
        &mut self,
        tree: &mut Tree,
        target: &TreePath,
        rules: Option<&Rules>,
    ) -> Result<TreePath, InstallError> {
        let package = &self.packages[self.current()].fragment.package;
        let diverted = rules.and_then(|rules| rules.diversions.of(target, &package.name));
        let at = self.place(tree, &diverted.unwrap_or_else(|| target.clone()))?;
        let mut waiting = self.packages[self.current()].waiting.iter();
        let beside = waiting.find(|(name, _)| *name == at);
        Ok(beside.map_or(at, |(_, beside)| beside.clone()))
    }

    /// Where a diversion sends an entry of the current package.
    fn diverted(&self, rules: &Rules, entry: &Entry) -> Option<TreePath> {
        let package = &self.packages[self.current()].fragment.package;
        let original = entry.original.as_ref();
        rules
            .diversions
            .of(&entry.path, &package.name)
            .or_else(|| rules.diversions.of(original?, &package.name))
    }

    /// Where `path` of the current package goes in the tree. Its folder is there then.
    fn place(&self, tree: &mut Tree, path: &TreePath) -> Result<TreePath, InstallError> {
        let parent = path.parent().unwrap_or_else(TreePath::root);
        if tree.get(&parent).is_some_and(Node::is_directory) {
            return Ok(path.clone());
        }
        let at = self.through_links(tree, path, &parent)?;
        tree.make_parents(&at, self.epoch)
            .map_err(|source| self.unfit(source))?;
        Ok(at)
    }

    /// Where `path` of the current package would go in the tree.
    fn locate(&self, tree: &Tree, path: &TreePath) -> Result<TreePath, InstallError> {
        let parent = path.parent().unwrap_or_else(TreePath::root);
        if tree.get(&parent).is_some_and(Node::is_directory) {
            return Ok(path.clone());
        }
        self.through_links(tree, path, &parent)
    }

    /// Where `path` goes whose folder, by that name, is a link or missing.
    fn through_links(
        &self,
        tree: &Tree,
        path: &TreePath,
        parent: &TreePath,
    ) -> Result<TreePath, InstallError> {
        let at = tree
            .resolve(parent)
            .and_then(|folder| folder.join(path.name()).ok());
        at.ok_or_else(|| InstallError::Loop {
            path: path.clone(),
            package: self.name(self.current()),
        })
    }

    fn directory(
        &mut self,
        tree: &mut Tree,
        entry: &Entry,
        at: &TreePath,
        rules: Option<&Rules>,
    ) -> Result<(), InstallError> {
        let is_there = match tree.get(at).map(|node| &node.kind) {
            Some(Kind::Directory) => true,
            Some(Kind::Symlink(_)) => {
                let there = tree.resolve(at);
                there.is_some_and(|there| tree.get(&there).is_some_and(Node::is_directory))
            }
            _ => false,
        };
        if is_there {
            self.owners
                .entry(at.clone())
                .or_insert(self.packages.len() - 1);
            return Ok(());
        }
        if self.decide(entry, at, false, None)? {
            let mut node = Node {
                meta: clamped(entry, self.epoch),
                kind: Kind::Directory,
            };
            if let Some(rules) = rules {
                rules.apply(&entry.path, &mut node.meta);
            }
            tree.insert(at, node).map_err(|source| self.unfit(source))?;
        }
        Ok(())
    }

    fn is_alias_link(&self, entry: &Entry) -> bool {
        matches!(&entry.node, EntryNode::Symlink(target)
            if merged::is_alias(entry.path.as_bytes())
                && merged::is_link(entry.path.as_bytes(), target))
    }

    /// A merged-/usr link that a package brings: any number may bring it, and the
    /// first decides its metadata.
    fn alias_link(&mut self, tree: &mut Tree, entry: &Entry) -> Result<(), InstallError> {
        let at = &entry.path;
        if !self.owners.contains_key(at)
            && let Some(node) = node(entry, self.epoch)
        {
            tree.insert(at, node).map_err(|source| self.unfit(source))?;
            self.owners.insert(at.clone(), self.current());
        }
        Ok(())
    }

    /// Whether the current package's entry goes to `at`. Notes whose it is from now on.
    /// What is `excluded` is not taken from another package's list.
    fn decide(
        &mut self,
        entry: &Entry,
        at: &TreePath,
        excluded: bool,
        rules: Option<&Rules>,
    ) -> Result<bool, InstallError> {
        let current = self.current();
        if let Some(&other) = self.owners.get(at) {
            let name = &self.packages[current].fragment.package.name;
            let moved = rules.and_then(|rules| rules.diversions.moved_by(&entry.path, name));
            if other != current
                && let Some(moved) = moved
            {
                // The current package has diverted the other's file: both have theirs.
                self.owners.insert(moved, other);
                self.owners.insert(at.clone(), current);
                return Ok(true);
            }
            let replaces = |a: usize, b: usize| {
                let (a, b) = (&self.packages[a], &self.packages[b]);
                a.replaces
                    .as_ref()
                    .is_some_and(|all| all.names(&b.fragment.package.name, &b.version))
            };
            if other != current && self.is_shared(other, current) {
                return Ok(true);
            } else if other != current && replaces(current, other) {
                if !excluded {
                    self.lose(other, entry.archived());
                }
            } else if other != current && replaces(other, current) {
                let package = &mut self.packages[current];
                package.lost.insert(entry.archived().clone(), other);
                package.never_had.insert(entry.archived().clone());
                return Ok(false);
            } else {
                return Err(InstallError::Conflict {
                    path: at.clone(),
                    package: self.name(current),
                    other: self.name(other),
                });
            }
        }
        self.owners.insert(at.clone(), current);
        Ok(true)
    }

    /// Notes that a path of a package is the current one's now, and so for the other
    /// architectures that the package shares it with.
    fn lose(&mut self, other: usize, archived: &TreePath) {
        let current = self.current();
        for index in 0..current {
            let had = |entry: &Entry| entry.archived() == archived;
            let shares = || {
                self.is_shared(other, index)
                    && self.packages[index].fragment.entries.iter().any(had)
            };
            if index == other || shares() {
                let lost = &mut self.packages[index].lost;
                lost.entry(archived.clone()).or_insert(current);
            }
        }
    }

    /// Whether two are one package for two architectures, and may share files.
    fn is_shared(&self, one: usize, two: usize) -> bool {
        let (one, two) = (&self.packages[one], &self.packages[two]);
        let (first, second) = (&one.fragment.package, &two.fragment.package);
        first.name == second.name
            && first.architecture != second.architecture
            && first.multi_arch_same
            && second.multi_arch_same
            && one.version == two.version
    }

    /// Whether what is at `at` stays, as another architecture of the current package has put
    /// it there. A conffile is compared with the one that was put there, as somebody may
    /// have changed it.
    ///
    /// # Errors
    /// [`InstallError::Shared`] where it is not the same.
    fn is_kept(
        &self,
        tree: &Tree,
        entry: &Entry,
        at: &TreePath,
        conffile: bool,
    ) -> Result<bool, InstallError> {
        let current = self.current();
        let owner = self.owners.get(at).copied().unwrap_or(current);
        let Some(there) = tree.get(at).filter(|_| owner != current) else {
            return Ok(false);
        };
        let named = |index: usize, path: &TreePath| {
            let mut entries = self.packages[index].fragment.entries.iter();
            entries.find(|entry| entry.path == *path)
        };
        let kind = |index: usize, entry: &Entry| {
            let meant = match &entry.node {
                EntryNode::HardLink(target) => named(index, target)?,
                _ => entry,
            };
            node(meant, self.epoch).map(|node| node.kind)
        };
        let old = match conffile {
            true => named(owner, &entry.path).and_then(|entry| kind(owner, entry)),
            false => Some(there.kind.clone()),
        };
        let same = match (kind(current, entry), old) {
            (Some(Kind::Regular(new)), Some(Kind::Regular(old))) => {
                (new.size, new.sha256) == (old.size, old.sha256)
            }
            (new, old) => new == old,
        };
        if same {
            return Ok(true);
        }
        Err(InstallError::Shared {
            path: at.clone(),
            package: self.name(current),
            other: self.name(owner),
        })
    }

    /// The package that is being put in.
    fn current(&self) -> usize {
        self.packages.len() - 1
    }

    fn name(&self, index: usize) -> String {
        self.packages[index].fragment.package.qualified()
    }

    fn unfit(&self, source: imgc_tree::InsertError) -> InstallError {
        InstallError::Insert {
            package: self.name(self.current()),
            source,
        }
    }
}

impl Rules {
    /// Gives a path's node the mode and owner that an override says.
    fn apply(&self, path: &TreePath, meta: &mut imgc_tree::Meta) {
        if let Some(&(mode, uid, gid)) = self.overrides.get(path) {
            (meta.mode, meta.uid, meta.gid) = (mode, uid, gid);
        }
    }
}

/// Whether a package's link leaves what is there: a folder, or a link to the same one.
fn keeps_folder(tree: &Tree, at: &TreePath, target: &[u8]) -> bool {
    match tree.get(at).map(|node| &node.kind) {
        Some(Kind::Directory) => true,
        Some(Kind::Symlink(_)) => {
            let old = tree.resolve(at);
            let folder = old.as_ref().and_then(|path| tree.get(path));
            folder.is_some_and(Node::is_directory) && follow(tree, at, target) == old
        }
        _ => false,
    }
}

/// Where a link at `at` to `target` leads. The folder of `at` has no links in it.
fn follow(tree: &Tree, at: &TreePath, target: &[u8]) -> Option<TreePath> {
    let mut here = at.parent().filter(|_| !target.starts_with(b"/"));
    for part in target.split(|&b| b == b'/') {
        let folder = here.take().unwrap_or_else(TreePath::root);
        here = match part {
            b".." => folder.parent(),
            part => Some(tree.resolve(&folder.join(part).ok()?)?),
        };
    }
    here
}

/// An entry's metadata, no newer than `epoch`.
fn clamped(entry: &Entry, epoch: i64) -> imgc_tree::Meta {
    let mut meta = entry.meta.clone();
    meta.mtime = meta.mtime.min(epoch);
    meta
}

/// The inode of an entry. None for a hard link, which has none of its own.
fn node(entry: &Entry, epoch: i64) -> Option<Node> {
    let kind = match &entry.node {
        EntryNode::Directory => Kind::Directory,
        EntryNode::Regular(content) => Kind::Regular(content.clone()),
        EntryNode::Symlink(target) => Kind::Symlink(target.clone()),
        &EntryNode::CharDevice { major, minor } => Kind::CharDevice { major, minor },
        &EntryNode::BlockDevice { major, minor } => Kind::BlockDevice { major, minor },
        EntryNode::Fifo => Kind::Fifo,
        EntryNode::HardLink(_) => return None,
    };
    Some(Node {
        meta: clamped(entry, epoch),
        kind,
    })
}
