//! Who acts, where it is not root: what `su` and its like run. Decides as the kernel does
//! from users, groups and permission bits; there are no access lists here.

use imgc_tree::{Ino, Node, TreePath};

use crate::Errno;
use crate::files::Files;

/// A user that something runs as. Never root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// The further groups.
    pub(crate) groups: Vec<u32>,
}

impl Actor {
    fn is_in(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }

    /// Whether the mode of `node` allows all of `bits`: 4 to read, 2 to write, 1 to
    /// execute or to search.
    fn may(&self, node: &Node, bits: u32) -> bool {
        let meta = &node.meta;
        let shift = if meta.uid == self.uid {
            6
        } else if self.is_in(meta.gid) {
            3
        } else {
            0
        };
        meta.mode >> shift & bits == bits
    }
}

impl Files<'_> {
    /// The number of the user that acts.
    pub(crate) fn uid(&self) -> u32 {
        self.actor.as_ref().map_or(0, |actor| actor.uid)
    }

    /// The number of the group that acts.
    pub(crate) fn gid(&self) -> u32 {
        self.actor.as_ref().map_or(0, |actor| actor.gid)
    }

    /// Whether who acts may do all of `bits`, as access(2) says it. Root may execute what
    /// somebody may.
    pub(crate) fn may(&self, ino: Ino, bits: u32) -> bool {
        let node = self.tree.node(ino);
        match &self.actor {
            Some(actor) => actor.may(node, bits),
            None => bits & 1 == 0 || node.is_directory() || node.meta.mode & 0o111 != 0,
        }
    }

    /// As [`Files::may`], but root may always.
    pub(crate) fn allowed(&self, ino: Ino, bits: u32) -> Result<(), Errno> {
        if self.actor.is_none() || self.may(ino, bits) {
            return Ok(());
        }
        Err(Errno::Access)
    }

    /// Whether all folders above `at` may be searched.
    pub(crate) fn reachable(&self, at: &TreePath) -> Result<(), Errno> {
        let mut above = at.parent();
        while let Some(folder) = above {
            if let Some(ino) = self.tree.ino(&folder) {
                self.allowed(ino, 1)?;
            }
            above = folder.parent();
        }
        Ok(())
    }

    /// Whether the name `at` may be made, or taken away where it is there.
    pub(crate) fn changeable(&self, at: &TreePath) -> Result<(), Errno> {
        let Some(actor) = &self.actor else {
            return Ok(());
        };
        let parent = at.parent().and_then(|folder| self.tree.ino(&folder));
        let folder = parent.ok_or(Errno::Access)?;
        self.allowed(folder, 3)?;
        let folder = &self.tree.node(folder).meta;
        let owner = self.tree.get(at).map(|node| node.meta.uid);
        let sticky = folder.mode & 0o1000 != 0 && folder.uid != actor.uid;
        if sticky && owner.is_some_and(|uid| uid != actor.uid) {
            return Err(Errno::NotPermitted);
        }
        Ok(())
    }

    /// Gives a new node at `at` to who acts.
    pub(crate) fn own(&self, at: &TreePath, node: &mut Node) -> Result<(), Errno> {
        let Some(actor) = &self.actor else {
            return Ok(());
        };
        self.changeable(at)?;
        node.meta.uid = actor.uid;
        let parent = at.parent().and_then(|folder| self.tree.get(&folder));
        if parent.is_none_or(|folder| folder.meta.mode & 0o2000 == 0) {
            node.meta.gid = actor.gid;
        }
        Ok(())
    }

    /// Whether who acts owns the node.
    pub(crate) fn owned(&self, ino: Ino) -> Result<(), Errno> {
        match &self.actor {
            Some(actor) if self.tree.node(ino).meta.uid != actor.uid => Err(Errno::NotPermitted),
            _ => Ok(()),
        }
    }

    /// Whether who acts may give the node to this user and this group.
    pub(crate) fn may_give(
        &self,
        ino: Ino,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> Result<(), Errno> {
        let Some(actor) = &self.actor else {
            return Ok(());
        };
        self.owned(ino)?;
        let uid_stays = uid.is_none_or(|uid| uid == actor.uid);
        if uid_stays && gid.is_none_or(|gid| actor.is_in(gid)) {
            return Ok(());
        }
        Err(Errno::NotPermitted)
    }
}
