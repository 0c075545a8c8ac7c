//! The names in a tree: in order, and found at once.

use std::collections::{BTreeMap, btree_map};
use std::ops::RangeBounds;

use hashbrown::HashMap;

use crate::{Ino, TreePath};

/// Names and what they stand for. Finding one in the order takes a comparison with a dozen
/// others, each somewhere else in memory; so there is an index beside it, which nobody walks
/// through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    sorted: BTreeMap<TreePath, Ino>,
    index: HashMap<TreePath, Ino>,
}

impl Names {
    pub(crate) fn get(&self, path: &TreePath) -> Option<Ino> {
        self.index.get(path).copied()
    }

    /// Puts a name in. One that is there stands for another inode then.
    pub(crate) fn insert(&mut self, path: TreePath, ino: Ino) {
        self.index.insert(path.clone(), ino);
        self.sorted.insert(path, ino);
    }

    /// Takes a name out, and gives what it stood for.
    pub(crate) fn remove(&mut self, path: &TreePath) -> Option<Ino> {
        self.index.remove(path);
        self.sorted.remove(path)
    }

    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// All, in order.
    pub(crate) fn iter(&self) -> btree_map::Iter<'_, TreePath, Ino> {
        self.sorted.iter()
    }

    /// Those between two, in order.
    pub(crate) fn range(
        &self,
        range: impl RangeBounds<TreePath>,
    ) -> btree_map::Range<'_, TreePath, Ino> {
        self.sorted.range(range)
    }
}

impl FromIterator<(TreePath, Ino)> for Names {
    fn from_iter<I: IntoIterator<Item = (TreePath, Ino)>>(names: I) -> Self {
        let sorted: BTreeMap<TreePath, Ino> = names.into_iter().collect();
        let index = sorted.iter().map(|(path, ino)| (path.clone(), *ino));
        Self {
            index: index.collect(),
            sorted,
        }
    }
}
