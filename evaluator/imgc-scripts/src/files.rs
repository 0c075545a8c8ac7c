//! The tree as system calls see it: absolute paths with links in them, contents that
//! are read when somebody asks, and a note of every change.
//!
//! All paths here are absolute and raw: `..`, `.` and double slashes are fine, and links
//! are followed as the kernel follows them, never out of the root. Whoever acts is root,
//! whom permissions refuse nothing, but for what `su` and its like run: see `actor`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use bstr::BString;
use imgc_plan::CAPABILITY_ATTRIBUTE;
use imgc_tree::{Content, Ino, InsertError, Kind, Node, Tree, TreePath};

use crate::actor::Actor;
use crate::effects::{Effect, Line, Touched};
use crate::stop::{Stop, Why};
use crate::{Errno, Limits};

/// How many links are followed before the kernel gives up.
const LINKS: usize = 40;

/// Gives the bytes behind a [`Content`] of the tree.
pub trait Reader {
    /// All bytes of `content`.
    ///
    /// # Errors
    /// Why they can't be had, as a sentence without a full stop.
    fn read(&self, content: &Content) -> Result<Arc<[u8]>, String>;
}

/// Makes a file's bytes when they are first asked for.
type Deferred = Rc<dyn Fn() -> Vec<u8>>;

/// A tree, with the bytes that are being written to it.
pub struct Files<'r> {
    pub(crate) tree: Tree,
    reader: &'r dyn Reader,
    /// Bytes that are newer than the tree's.
    pending: BTreeMap<Ino, Rc<Vec<u8>>>,
    deferred: BTreeMap<Ino, Deferred>,
    /// Bytes that were read, by their digest.
    known: BTreeMap<[u8; 32], Rc<Vec<u8>>>,
    epoch: i64,
    limit: usize,
    /// What is acting, for the notes.
    pub(crate) line: Line,
    /// Who is acting; none is root.
    pub(crate) actor: Option<Actor>,
    pub(crate) effects: Vec<Effect>,
    /// What must stop the script when the command that met it ends.
    pub(crate) fault: Option<Stop>,
}

/// What stat(2) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The inode.
    pub ino: Ino,
    /// `f`, `d`, `l`, `c`, `b` or `p`, as `find -type` has it.
    pub kind: u8,
    /// Permission bits, at most `0o7777`.
    pub mode: u32,
    /// The owning user.
    pub uid: u32,
    /// The owning group.
    pub gid: u32,
    /// Bytes of a file, or of a link's target; 4096 for a folder.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: i64,
}

impl<'r> Files<'r> {
    /// The files of `tree`, whose contents `reader` gives. What is changed gets the time
    /// `epoch`, in seconds since 1970.
    pub fn new(tree: Tree, reader: &'r dyn Reader, epoch: i64, limits: &Limits) -> Self {
        Self {
            tree,
            reader,
            pending: BTreeMap::new(),
            deferred: BTreeMap::new(),
            known: BTreeMap::new(),
            epoch,
            limit: limits.file,
            line: Line::default(),
            actor: None,
            effects: Vec::new(),
            fault: None,
        }
    }

    /// The tree, with all that was written in it.
    pub fn into_tree(mut self) -> Tree {
        // What has no name any more is not worth making.
        let named: BTreeSet<Ino> = self.tree.names().map(|(_, ino)| ino).collect();
        for (ino, make) in std::mem::take(&mut self.deferred) {
            if named.contains(&ino) {
                self.pending.insert(ino, Rc::new(make()));
            }
        }
        self.pending.retain(|ino, _| named.contains(ino));
        self.flush();
        self.tree
    }

    /// The tree, with all that was written in it but what is deferred.
    pub fn tree(&mut self) -> &Tree {
        self.flush();
        &self.tree
    }

    /// The tree, to change it without a note, with all that was written in it but what is
    /// deferred.
    pub fn tree_mut(&mut self) -> &mut Tree {
        self.flush();
        &mut self.tree
    }

    /// The tree, to put names in and take names out without a note. What was written may
    /// not be in it yet: whoever reads a content calls [`Files::settle`] before.
    pub fn names_mut(&mut self) -> &mut Tree {
        &mut self.tree
    }

    /// Puts into the tree what was written to the file at exactly this path.
    pub fn settle(&mut self, path: &TreePath) {
        if let Some(ino) = self.tree.ino(path)
            && let Some(bytes) = self.pending.remove(&ino)
        {
            self.put_in(ino, &bytes);
        }
    }

    /// The time that changes get, in seconds since 1970.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    fn flush(&mut self) {
        for (ino, bytes) in std::mem::take(&mut self.pending) {
            self.put_in(ino, &bytes);
        }
    }

    fn put_in(&mut self, ino: Ino, bytes: &[u8]) {
        self.tree.node_mut(ino).kind = Kind::Regular(Content::inline(bytes));
    }

    // Finding.

    /// Follows `path`. Gives where it leads without links, and what is there, if
    /// anything is; the folder above it is there in any case. `follow` says whether a
    /// link at its end is followed too; a slash at the end does so always.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`; `EACCES` for whoever is not root.
    pub fn resolve(&self, path: &[u8], follow: bool) -> Result<(TreePath, Option<Ino>), Errno> {
        let found = self.lead(path, follow)?;
        match self.actor {
            Some(_) => self.reachable(&found.0).map(|()| found),
            None => Ok(found),
        }
    }

    fn lead(&self, path: &[u8], follow: bool) -> Result<(TreePath, Option<Ino>), Errno> {
        if path.is_empty() {
            return Err(Errno::NoEntry);
        }
        let dots = path.split(|&b| b == b'/').any(|part| part == b"..");
        let direct = match dots {
            true => None,
            false => TreePath::new(path).ok(),
        };
        let Some(direct) = direct else {
            return self.walk(path, follow);
        };
        // A path that is a name of the tree has no links above its last part.
        if let Some(ino) = self.tree.ino(&direct) {
            let node = self.tree.node(ino);
            let link = matches!(node.kind, Kind::Symlink(_));
            let slash = path.ends_with(b"/");
            if !(link && (follow || slash)) {
                if slash && !node.is_directory() {
                    return Err(Errno::NotDirectory);
                }
                return Ok((direct, Some(ino)));
            }
            return self.walk(path, follow);
        }
        // Nor has one whose folder is a name of the tree.
        if let Some(folder) = direct.parent()
            && self.tree.get(&folder).is_some_and(Node::is_directory)
        {
            return Ok((direct, None));
        }
        self.walk(path, follow)
    }

    fn walk(&self, path: &[u8], follow: bool) -> Result<(TreePath, Option<Ino>), Errno> {
        let part = |bytes: &[u8]| bytes.to_vec();
        let mut todo: Vec<Vec<u8>> = path.split(|&b| b == b'/').rev().map(part).collect();
        let slash = path.ends_with(b"/");
        let mut at = TreePath::root();
        let mut ino = self.tree.ino(&at);
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part.is_empty() || part == b"." {
                continue;
            }
            // Whatever comes now, it must be in a folder.
            let here = ino.ok_or(Errno::NoEntry)?;
            if !self.tree.node(here).is_directory() {
                return Err(Errno::NotDirectory);
            }
            if part == b".." {
                at = at.parent().unwrap_or(at);
                ino = self.tree.ino(&at);
                continue;
            }
            let next = at.join(&part).map_err(|_| Errno::NameTooLong)?;
            let found = self.tree.ino(&next);
            let last = todo.iter().all(|part| part.is_empty() || part == b".");
            if let Some(Kind::Symlink(target)) = found.map(|ino| &self.tree.node(ino).kind)
                && (!last || follow || slash)
            {
                links += 1;
                if links > LINKS {
                    return Err(Errno::Loop);
                }
                if target.starts_with(b"/") {
                    at = TreePath::root();
                    ino = self.tree.ino(&at);
                }
                todo.extend(target.split(|&b| b == b'/').rev().map(<[u8]>::to_vec));
                continue;
            }
            at = next;
            ino = found;
        }
        if slash && ino.is_some_and(|ino| !self.tree.node(ino).is_directory()) {
            return Err(Errno::NotDirectory);
        }
        Ok((at, ino))
    }

    /// What `path` leads to.
    ///
    /// # Errors
    /// As [`Files::resolve`], and `ENOENT` where nothing is.
    pub fn find(&self, path: &[u8], follow: bool) -> Result<Ino, Errno> {
        self.resolve(path, follow)?.1.ok_or(Errno::NoEntry)
    }

    /// The node that `path` leads to, links followed. None where nothing is.
    pub fn node(&self, path: &[u8]) -> Option<&Node> {
        self.find(path, true).ok().map(|ino| self.tree.node(ino))
    }

    /// The node at `path`; a link at its end is not followed. None where nothing is.
    pub fn lnode(&self, path: &[u8]) -> Option<&Node> {
        self.find(path, false).ok().map(|ino| self.tree.node(ino))
    }

    /// Whether something is at `path`, links followed.
    pub fn exists(&self, path: &[u8]) -> bool {
        self.find(path, true).is_ok()
    }

    /// Whether a folder is at `path`, links followed.
    pub fn is_directory(&self, path: &[u8]) -> bool {
        self.node(path).is_some_and(Node::is_directory)
    }

    /// Whether a regular file is at `path`, links followed.
    pub fn is_file(&self, path: &[u8]) -> bool {
        matches!(
            self.node(path),
            Some(Node {
                kind: Kind::Regular(_),
                ..
            })
        )
    }

    /// stat(2), or lstat(2) without `follow`.
    ///
    /// # Errors
    /// As [`Files::find`].
    pub fn stat(&self, path: &[u8], follow: bool) -> Result<Stat, Errno> {
        let ino = self.find(path, follow)?;
        let node = self.tree.node(ino);
        let pending = self.pending.get(&ino).map(|bytes| bytes.len() as u64);
        let (kind, size) = match &node.kind {
            Kind::Directory => (b'd', 4096),
            Kind::Regular(content) => (b'f', pending.unwrap_or(content.size)),
            Kind::Symlink(target) => (b'l', target.len() as u64),
            Kind::CharDevice { .. } => (b'c', 0),
            Kind::BlockDevice { .. } => (b'b', 0),
            Kind::Fifo => (b'p', 0),
        };
        Ok(Stat {
            ino,
            kind,
            mode: node.meta.mode,
            uid: node.meta.uid,
            gid: node.meta.gid,
            size,
            mtime: node.meta.mtime,
        })
    }

    /// How many names an inode has.
    pub fn link_count(&self, ino: Ino) -> usize {
        self.tree.link_count(ino)
    }

    /// The names in a folder, sorted by their bytes.
    ///
    /// # Errors
    /// As [`Files::find`], and `ENOTDIR`.
    pub fn list(&self, path: &[u8]) -> Result<Vec<BString>, Errno> {
        self.list_with(path, b"")
    }

    /// Those names in a folder that begin with `prefix`, sorted by their bytes.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub(crate) fn list_with(&self, path: &[u8], prefix: &[u8]) -> Result<Vec<BString>, Errno> {
        let (folder, ino) = self.resolve(path, true)?;
        let ino = ino.ok_or(Errno::NoEntry)?;
        if !self.tree.node(ino).is_directory() {
            return Err(Errno::NotDirectory);
        }
        self.allowed(ino, 4)?;
        let children = self.tree.children_with(&folder, prefix);
        let mut names: Vec<BString> = children.map(|(path, _)| path.name().into()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The target of the link at `path`.
    ///
    /// # Errors
    /// As [`Files::find`], and `EINVAL` where it is no link.
    pub fn read_link(&self, path: &[u8]) -> Result<BString, Errno> {
        match &self.tree.node(self.find(path, false)?).kind {
            Kind::Symlink(target) => Ok(BString::from(&**target)),
            _ => Err(Errno::Invalid),
        }
    }

    // Contents.

    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// As [`Files::find`], and as [`Files::read_ino`].
    pub fn read(&mut self, path: &[u8]) -> Result<Rc<Vec<u8>>, Errno> {
        let ino = self.find(path, true)?;
        self.allowed(ino, 4)?;
        self.read_ino(ino)
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// `EISDIR`, `EINVAL` for a device. `EIO` where the bytes can't be had, and then the
    /// script stops.
    pub fn read_ino(&mut self, ino: Ino) -> Result<Rc<Vec<u8>>, Errno> {
        if let Some(make) = self.deferred.remove(&ino) {
            self.pending.insert(ino, Rc::new(make()));
        }
        if let Some(bytes) = self.pending.get(&ino) {
            return Ok(Rc::clone(bytes));
        }
        let content = match &self.tree.node(ino).kind {
            Kind::Regular(content) => content,
            Kind::Directory => return Err(Errno::IsDirectory),
            _ => return Err(Errno::Invalid),
        };
        if let Some(bytes) = self.known.get(&content.sha256) {
            return Ok(Rc::clone(bytes));
        }
        if content.size > self.limit as u64 {
            self.fault = Some(Stop::new(Why::Budget("a file is too large to read")));
            return Err(Errno::Io);
        }
        let (sha256, read) = match &content.data {
            imgc_tree::Data::Inline(bytes) => (content.sha256, Ok(Arc::clone(bytes))),
            _ => (content.sha256, self.reader.read(content)),
        };
        match read {
            Ok(bytes) => {
                let bytes = Rc::new(bytes.to_vec());
                self.known.insert(sha256, Rc::clone(&bytes));
                Ok(bytes)
            }
            Err(error) => {
                let path = self.name_of(ino);
                self.fault = Some(Stop::new(Why::Read { path, error }));
                Err(Errno::Io)
            }
        }
    }

    /// Takes the bytes of the file of a digest, before anybody reads it.
    pub(crate) fn know(&mut self, sha256: [u8; 32], bytes: &[u8]) {
        self.known.insert(sha256, Rc::new(bytes.to_vec()));
    }

    /// The digest of a file's bytes; none where it was written since.
    pub(crate) fn digest(&self, ino: Ino) -> Option<[u8; 32]> {
        if self.pending.contains_key(&ino) || self.deferred.contains_key(&ino) {
            return None;
        }
        match &self.tree.node(ino).kind {
            Kind::Regular(content) => Some(content.sha256),
            _ => None,
        }
    }

    /// The bytes of a file, to be looked at once: they are not kept.
    ///
    /// # Errors
    /// As [`Files::read_ino`].
    pub(crate) fn glance(&mut self, ino: Ino) -> Result<Arc<[u8]>, Errno> {
        if self.digest(ino).is_some()
            && let Kind::Regular(content) = &self.tree.node(ino).kind
            && content.size <= self.limit as u64
        {
            let read = match &content.data {
                imgc_tree::Data::Inline(bytes) => Ok(Arc::clone(bytes)),
                _ => self.reader.read(content),
            };
            return read.map_err(|error| {
                let path = self.name_of(ino);
                self.fault = Some(Stop::new(Why::Read { path, error }));
                Errno::Io
            });
        }
        self.read_ino(ino).map(|bytes| bytes.as_slice().into())
    }

    fn name_of(&self, ino: Ino) -> String {
        let mut names = self.tree.names();
        let found = names.find(|(_, other)| *other == ino);
        found.map_or_else(|| "a removed file".to_owned(), |(path, _)| path.to_string())
    }

    /// Replaces the bytes of the file at `path`, as `> path` does: a link is followed, a
    /// file that is there keeps its mode and owner, a new one gets `mode`.
    ///
    /// # Errors
    /// As [`Files::create`].
    pub fn write(&mut self, path: &[u8], bytes: Vec<u8>, mode: u32) -> Result<Ino, Errno> {
        let ino = self.create(path, mode)?;
        self.set(ino, bytes)?;
        Ok(ino)
    }

    /// Adds to the end of the file at `path`; makes it with `mode` if it is not there.
    ///
    /// # Errors
    /// As [`Files::create`].
    pub fn append(&mut self, path: &[u8], bytes: &[u8], mode: u32) -> Result<(), Errno> {
        let ino = self.create(path, mode)?;
        let mut all = self.read_ino(ino)?;
        Rc::make_mut(&mut all).extend_from_slice(bytes);
        self.set_shared(ino, all)
    }

    /// The file at `path`, links followed; made empty with `mode` if it is not there.
    ///
    /// # Errors
    /// As [`Files::resolve`], and `EISDIR`.
    pub fn create(&mut self, path: &[u8], mode: u32) -> Result<Ino, Errno> {
        let (at, ino) = self.resolve(path, true)?;
        if let Some(ino) = ino {
            if self.tree.node(ino).is_directory() {
                return Err(Errno::IsDirectory);
            }
            self.allowed(ino, 2)?;
            self.note(&at, Touched::Written);
            return Ok(ino);
        }
        let mut node = Node::file(Content::inline(&b""[..]), mode & 0o7777, self.epoch);
        self.inherit(&at, &mut node);
        self.insert_at(&at, node, Touched::Written)
    }

    /// Sets the bytes of a file. Nothing happens for a device.
    ///
    /// # Errors
    /// `EISDIR`; `EIO` for too many bytes, and then the script stops.
    pub fn set(&mut self, ino: Ino, bytes: Vec<u8>) -> Result<(), Errno> {
        self.set_shared(ino, Rc::new(bytes))
    }

    /// Gives `to` the bytes of `from`, without reading them where that can be helped.
    ///
    /// # Errors
    /// `EISDIR`, `EINVAL` where one is no regular file, and as [`Files::read_ino`].
    pub(crate) fn share(&mut self, from: Ino, to: Ino) -> Result<(), Errno> {
        if from == to {
            return Ok(());
        }
        if self.pending.contains_key(&from) || self.deferred.contains_key(&from) {
            let bytes = self.read_ino(from)?;
            return self.set_shared(to, bytes);
        }
        let content = match &self.tree.node(from).kind {
            Kind::Regular(content) => content.clone(),
            Kind::Directory => return Err(Errno::IsDirectory),
            _ => return Err(Errno::Invalid),
        };
        let node = self.tree.node_mut(to);
        if !matches!(node.kind, Kind::Regular(_)) {
            return Err(Errno::Invalid);
        }
        node.kind = Kind::Regular(content);
        node.meta.mtime = self.epoch;
        node.meta.xattrs.remove(CAPABILITY_ATTRIBUTE);
        self.pending.remove(&to);
        self.deferred.remove(&to);
        Ok(())
    }

    fn set_shared(&mut self, ino: Ino, bytes: Rc<Vec<u8>>) -> Result<(), Errno> {
        if bytes.len() > self.limit {
            self.fault = Some(Stop::new(Why::Budget("a file gets too large")));
            return Err(Errno::Io);
        }
        let epoch = self.epoch;
        let node = self.tree.node_mut(ino);
        match node.kind {
            Kind::Regular(_) => {
                node.meta.mtime = epoch;
                node.meta.xattrs.remove(CAPABILITY_ATTRIBUTE);
                self.deferred.remove(&ino);
                self.pending.insert(ino, bytes);
                Ok(())
            }
            Kind::Directory => Err(Errno::IsDirectory),
            _ => Ok(()),
        }
    }

    /// Replaces the bytes of the file at `path` by what `make` gives when somebody reads
    /// them. Nothing is noted: this is for dpkg's own files.
    ///
    /// # Errors
    /// As [`Files::create`].
    pub fn defer(&mut self, path: &[u8], make: Deferred) -> Result<(), Errno> {
        let noted = self.effects.len();
        let ino = self.create(path, 0o644)?;
        self.effects.truncate(noted);
        self.pending.remove(&ino);
        self.deferred.insert(ino, make);
        Ok(())
    }

    /// Changes bytes of an open file from `at` on. Gives where the next write goes.
    pub(crate) fn write_at(&mut self, ino: Ino, at: usize, bytes: &[u8]) -> Result<usize, Errno> {
        if matches!(
            self.tree.node(ino).kind,
            Kind::CharDevice { .. } | Kind::BlockDevice { .. } | Kind::Fifo
        ) {
            return Ok(at);
        }
        let mut all = self.read_ino(ino)?;
        self.pending.remove(&ino);
        let end = at.saturating_add(bytes.len());
        if end > self.limit {
            self.fault = Some(Stop::new(Why::Budget("a file gets too large")));
            return Err(Errno::Io);
        }
        let held = Rc::make_mut(&mut all);
        if held.len() < end {
            held.resize(end, 0);
        }
        held[at..end].copy_from_slice(bytes);
        self.set_shared(ino, all)?;
        Ok(end)
    }

    // Changing names.

    /// Puts a node at `path`: a link at its end is replaced, not followed.
    ///
    /// # Errors
    /// As [`Files::resolve`], and where the tree does not take it.
    pub fn insert(&mut self, path: &[u8], node: Node) -> Result<Ino, Errno> {
        let (at, _) = self.resolve(path, false)?;
        let touched = match node.kind {
            Kind::Directory => Touched::Directory,
            Kind::Symlink(_) => Touched::Link,
            _ => Touched::Written,
        };
        self.insert_at(&at, node, touched)
    }

    fn insert_at(&mut self, at: &TreePath, node: Node, touched: Touched) -> Result<Ino, Errno> {
        let mut node = node;
        self.own(at, &mut node)?;
        let ino = self.tree.insert(at, node).map_err(|e| errno(&e))?;
        self.note(at, touched);
        Ok(ino)
    }

    /// What is made in a folder with the set-group-ID bit gets its group, and a folder
    /// the bit too.
    fn inherit(&self, at: &TreePath, node: &mut Node) {
        let folder = at.parent().and_then(|folder| self.tree.get(&folder));
        if let Some(folder) = folder.filter(|folder| folder.meta.mode & 0o2000 != 0) {
            node.meta.gid = folder.meta.gid;
            if node.is_directory() {
                node.meta.mode |= 0o2000;
            }
        }
    }

    /// The group that a file made at `path` gets.
    pub(crate) fn group_for(&self, path: &[u8]) -> u32 {
        let Ok((at, _)) = self.resolve(path, false) else {
            return 0;
        };
        let mut node = Node::symlink(&b""[..], self.epoch);
        self.inherit(&at, &mut node);
        node.meta.gid
    }

    /// mkdir(2). `mode` is taken as it is: the umask is the caller's.
    ///
    /// # Errors
    /// `EEXIST`, and as [`Files::resolve`].
    pub fn mkdir(&mut self, path: &[u8], mode: u32) -> Result<(), Errno> {
        let end = path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
        let (at, ino) = self.resolve(if end == 0 { path } else { &path[..end] }, false)?;
        if ino.is_some() {
            return Err(Errno::Exists);
        }
        let mut node = Node::directory(mode & 0o7777, self.epoch);
        self.inherit(&at, &mut node);
        self.insert_at(&at, node, Touched::Directory)?;
        Ok(())
    }

    /// Makes a folder and those above it that are missing, each with `mode`.
    ///
    /// # Errors
    /// As [`Files::mkdir`], but a folder that is there is fine.
    pub fn mkdir_all(&mut self, path: &[u8], mode: u32) -> Result<(), Errno> {
        if self.is_directory(path) {
            return Ok(());
        }
        for (at, _) in path.iter().enumerate().filter(|(_, b)| **b == b'/') {
            if at > 0 && !self.is_directory(&path[..at]) {
                self.mkdir(&path[..at], mode)?;
            }
        }
        if self.is_directory(path) {
            return Ok(());
        }
        self.mkdir(path, mode)
    }

    /// symlink(2): a link at `path` that says `target`.
    ///
    /// # Errors
    /// `EEXIST`, and as [`Files::resolve`].
    pub fn symlink(&mut self, target: &[u8], path: &[u8]) -> Result<(), Errno> {
        let (at, ino) = self.resolve(path, false)?;
        if ino.is_some() {
            return Err(Errno::Exists);
        }
        let mut node = Node::symlink(target, self.epoch);
        self.inherit(&at, &mut node);
        self.insert_at(&at, node, Touched::Link)?;
        Ok(())
    }

    /// link(2): another name `new` of the file at `old`. A link at `old` is not followed.
    ///
    /// # Errors
    /// `EEXIST`, `EPERM` for a folder, and as [`Files::resolve`].
    pub fn hard_link(&mut self, old: &[u8], new: &[u8]) -> Result<(), Errno> {
        let (target, ino) = self.resolve(old, false)?;
        if self.tree.node(ino.ok_or(Errno::NoEntry)?).is_directory() {
            return Err(Errno::NotPermitted);
        }
        let (at, there) = self.resolve(new, false)?;
        if there.is_some() {
            return Err(Errno::Exists);
        }
        self.changeable(&at)?;
        self.tree.link(&at, &target).map_err(|e| errno(&e))?;
        self.note(&at, Touched::Written);
        Ok(())
    }

    /// unlink(2).
    ///
    /// # Errors
    /// `EISDIR` for a folder, and as [`Files::find`].
    pub fn unlink(&mut self, path: &[u8]) -> Result<(), Errno> {
        let (at, ino) = self.resolve(path, false)?;
        if self.tree.node(ino.ok_or(Errno::NoEntry)?).is_directory() {
            return Err(Errno::IsDirectory);
        }
        self.changeable(&at)?;
        self.tree.remove(&at);
        self.note(&at, Touched::Removed);
        Ok(())
    }

    /// rmdir(2).
    ///
    /// # Errors
    /// `ENOTDIR`, `ENOTEMPTY`, and as [`Files::find`].
    pub fn rmdir(&mut self, path: &[u8]) -> Result<(), Errno> {
        let (at, ino) = self.resolve(path, false)?;
        if !self.tree.node(ino.ok_or(Errno::NoEntry)?).is_directory() {
            return Err(Errno::NotDirectory);
        }
        if self.tree.children(&at).next().is_some() || at.is_root() {
            return Err(Errno::NotEmpty);
        }
        self.changeable(&at)?;
        self.tree.remove(&at);
        self.note(&at, Touched::Removed);
        Ok(())
    }

    /// Removes what is at `path`, with all below it. A link is removed, not followed.
    ///
    /// # Errors
    /// As [`Files::find`]; `EPERM` for the root.
    pub fn remove_all(&mut self, path: &[u8]) -> Result<(), Errno> {
        let (at, ino) = self.resolve(path, false)?;
        ino.ok_or(Errno::NoEntry)?;
        if at.is_root() {
            return Err(Errno::NotPermitted);
        }
        self.changeable(&at)?;
        self.tree.remove(&at);
        self.note(&at, Touched::Removed);
        Ok(())
    }

    /// rename(2).
    ///
    /// # Errors
    /// `ENOTEMPTY`, `EISDIR`, `ENOTDIR`, `EINVAL`, and as [`Files::find`].
    pub fn rename(&mut self, old: &[u8], new: &[u8]) -> Result<(), Errno> {
        let (from, ino) = self.resolve(old, false)?;
        let ino = ino.ok_or(Errno::NoEntry)?;
        let (to, there) = self.resolve(new, false)?;
        if let Some(there) = there {
            let folders = [ino, there].map(|ino| self.tree.node(ino).is_directory());
            match folders {
                [true, false] => return Err(Errno::NotDirectory),
                [false, true] => return Err(Errno::IsDirectory),
                _ => {}
            }
        }
        if from.is_root() || (to.is_within(&from) && to != from) {
            return Err(Errno::Invalid);
        }
        self.changeable(&from)?;
        self.changeable(&to)?;
        self.tree.rename(&from, &to).map_err(|e| errno(&e))?;
        self.note(&from, Touched::Removed);
        self.note(&to, Touched::Written);
        Ok(())
    }

    // Changing metadata.

    /// chmod(2). A link at the end is followed.
    ///
    /// # Errors
    /// As [`Files::find`].
    pub fn chmod(&mut self, path: &[u8], mode: u32) -> Result<(), Errno> {
        let (at, ino) = self.resolve(path, true)?;
        let ino = ino.ok_or(Errno::NoEntry)?;
        self.owned(ino)?;
        self.tree.node_mut(ino).meta.mode = mode & 0o7777;
        self.note(&at, Touched::Metadata);
        Ok(())
    }

    /// chown(2), or lchown(2) without `follow`. As on Linux, a regular file loses its
    /// capabilities and its set-user-ID bit, and one that its group may execute its
    /// set-group-ID bit.
    ///
    /// # Errors
    /// As [`Files::find`].
    pub fn chown(
        &mut self,
        path: &[u8],
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> Result<(), Errno> {
        let (at, ino) = self.resolve(path, follow)?;
        let ino = ino.ok_or(Errno::NoEntry)?;
        self.may_give(ino, uid, gid)?;
        let node = self.tree.node_mut(ino);
        node.meta.uid = uid.unwrap_or(node.meta.uid);
        node.meta.gid = gid.unwrap_or(node.meta.gid);
        if matches!(node.kind, Kind::Regular(_)) {
            node.meta.xattrs.remove(CAPABILITY_ATTRIBUTE);
            node.meta.mode &= !0o4000;
            if node.meta.mode & 0o010 != 0 {
                node.meta.mode &= !0o2000;
            }
        }
        self.note(&at, Touched::Metadata);
        Ok(())
    }

    /// Sets the time of the last change, in seconds since 1970; none is newer than the
    /// epoch.
    ///
    /// # Errors
    /// As [`Files::find`].
    pub fn set_time(&mut self, path: &[u8], mtime: i64, follow: bool) -> Result<(), Errno> {
        let ino = self.find(path, follow)?;
        self.owned(ino)?;
        self.tree.node_mut(ino).meta.mtime = mtime.min(self.epoch);
        Ok(())
    }

    /// Sets or, without a value, removes an extended attribute.
    ///
    /// # Errors
    /// As [`Files::find`].
    pub fn set_xattr(
        &mut self,
        path: &[u8],
        name: &str,
        value: Option<Vec<u8>>,
    ) -> Result<(), Errno> {
        let (at, ino) = self.resolve(path, true)?;
        let ino = ino.ok_or(Errno::NoEntry)?;
        self.owned(ino)?;
        let xattrs = &mut self.tree.node_mut(ino).meta.xattrs;
        match value {
            Some(value) => xattrs.insert(name.to_owned(), value),
            None => xattrs.remove(name),
        };
        self.note(&at, Touched::Metadata);
        Ok(())
    }

    fn note(&mut self, path: &TreePath, touched: Touched) {
        if let Some(last) = self.effects.last()
            && (&last.path, last.touched, &last.line) == (path, touched, &self.line)
        {
            return;
        }
        self.effects.push(Effect {
            line: self.line.clone(),
            path: path.clone(),
            touched,
        });
    }
}

impl fmt::Debug for Files<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("paths", &self.tree.len())
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}

/// What the tree says, in the system's words.
fn errno(error: &InsertError) -> Errno {
    match error {
        InsertError::NoParent(_) => Errno::NoEntry,
        InsertError::ParentNotDirectory(_) => Errno::NotDirectory,
        InsertError::NotEmpty(_) => Errno::NotEmpty,
        InsertError::Directory(_) => Errno::IsDirectory,
    }
}
