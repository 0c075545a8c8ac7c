//! What an image states in the place of packages' scripts: done to the tree of the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use imgc_dpkg::{Stated, Touched};
use imgc_plan::{Attributes, Effects, FileNode, Image, ImagePath, Owner};
use imgc_tree::{Content, Tree, TreePath};

use crate::accounts::Accounts;
use crate::overlay::overlay;

/// The effects that an image states, by package.
pub(crate) struct StatedEffects<'a> {
    effects: BTreeMap<&'a str, &'a Effects>,
    /// The moment that everything is given, in seconds since 1970.
    epoch: u64,
    /// Gives the bytes of a file of accounts.
    read: &'a dyn Fn(&Content) -> std::io::Result<Vec<u8>>,
}

impl<'a> StatedEffects<'a> {
    /// Those of `image`. `read` gives the bytes of a file of the tree.
    pub(crate) fn of(
        image: &'a Image,
        epoch: u64,
        read: &'a dyn Fn(&Content) -> std::io::Result<Vec<u8>>,
    ) -> Self {
        let packages = image.packages.iter();
        let all = packages.flat_map(|packages| &packages.effects);
        Self {
            effects: all
                .map(|(name, effects)| (name.as_str(), effects))
                .collect(),
            epoch,
            read,
        }
    }
}

impl Stated for StatedEffects<'_> {
    fn has(&self, package: &str) -> bool {
        self.effects.contains_key(package)
    }

    fn apply(&self, package: &str, tree: &mut Tree) -> Result<Vec<(TreePath, Touched)>, String> {
        let mut touched = Vec::new();
        let Some(effects) = self.effects.get(package) else {
            return Ok(touched);
        };
        for path in &effects.remove {
            let at = there(tree, path, false)?;
            tree.remove(&at);
            touched.push((at, Touched::Removed));
        }
        let names_owners = effects
            .files
            .iter()
            .any(|file| named(&file.user, &file.group))
            || effects.attributes.iter().any(|one| {
                let is_name = |owner: &Option<Owner>| matches!(owner, Some(Owner::Name(_)));
                is_name(&one.user) || is_name(&one.group)
            });
        let adds = !effects.users.is_empty() || !effects.groups.is_empty();
        let accounts = match adds || names_owners {
            true => Accounts::of(tree, self.epoch, self.read),
            false => Accounts::of(&Tree::new(0), self.epoch, self.read),
        };
        let mut accounts = accounts.map_err(|error| error.to_string())?;
        if adds {
            let added = accounts.add(&effects.groups, &effects.users, self.epoch);
            added.map_err(|error| error.to_string())?;
            let written = accounts.write(tree, self.epoch);
            written.map_err(|error| error.to_string())?;
            for name in ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"] {
                let path = TreePath::new(name.as_bytes()).expect("a plain path");
                touched.push((path, Touched::Written));
            }
        }
        let placed = overlay(tree, &effects.files, &accounts, self.epoch);
        placed.map_err(|error| error.to_string())?;
        for file in &effects.files {
            let what = match file.node {
                FileNode::Regular { .. } => Touched::Written,
                FileNode::Directory { .. } => Touched::Directory,
                FileNode::Symlink { .. } => Touched::Link,
            };
            touched.push((tree_path(&file.path)?, what));
        }
        for attributes in &effects.attributes {
            let at = change(tree, attributes, &accounts)?;
            touched.push((at, Touched::Metadata));
        }
        Ok(touched)
    }
}

impl fmt::Debug for StatedEffects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packages: BTreeSet<&&str> = self.effects.keys().collect();
        f.debug_tuple("StatedEffects").field(&packages).finish()
    }
}

fn named(user: &Owner, group: &Owner) -> bool {
    matches!(user, Owner::Name(_)) || matches!(group, Owner::Name(_))
}

/// Gives a path its mode and owner. Links are followed, as `chmod` and `chown` do.
fn change(
    tree: &mut Tree,
    attributes: &Attributes,
    accounts: &Accounts,
) -> Result<TreePath, String> {
    let Attributes {
        path,
        mode,
        user,
        group,
    } = attributes;
    let at = there(tree, path, true)?;
    let unknown = |what: &str, owner: &Owner| {
        let name = match owner {
            Owner::Name(name) => name.clone(),
            Owner::Id(id) => id.to_string(),
        };
        format!("{path} is to belong to the {what} `{name}`, which the image doesn't have")
    };
    let mut uid = None;
    if let Some(owner) = user {
        uid = Some(accounts.uid(owner).ok_or_else(|| unknown("user", owner))?);
    }
    let mut gid = None;
    if let Some(owner) = group {
        gid = Some(accounts.gid(owner).ok_or_else(|| unknown("group", owner))?);
    }
    let ino = tree.ino(&at).ok_or_else(|| absent(path))?;
    let node = tree.node_mut(ino);
    node.meta.mode = mode.unwrap_or(node.meta.mode);
    node.meta.uid = uid.unwrap_or(node.meta.uid);
    node.meta.gid = gid.unwrap_or(node.meta.gid);
    Ok(at)
}

/// Where a path that must be there is in the tree.
fn there(tree: &Tree, path: &ImagePath, follow: bool) -> Result<TreePath, String> {
    let at = tree_path(path)?;
    let at = match (follow, at.parent()) {
        (true, _) | (_, None) => tree.resolve(&at),
        (false, Some(parent)) => tree
            .resolve(&parent)
            .and_then(|parent| parent.join(at.name()).ok()),
    };
    let at = at.filter(|at| tree.get(at).is_some());
    at.ok_or_else(|| absent(path))
}

fn tree_path(path: &ImagePath) -> Result<TreePath, String> {
    TreePath::new(path.relative().as_bytes()).map_err(|error| error.to_string())
}

fn absent(path: &ImagePath) -> String {
    format!("{path} is not there when the package is configured")
}
