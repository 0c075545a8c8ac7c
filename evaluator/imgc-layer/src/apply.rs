//! A layer's archive back to a tree, whoever wrote it: the changes of an image's layers,
//! applied one after the other as the OCI image specification says ("Layer filesystem
//! changeset"). Everything that a hostile layer can make grow is counted.

use std::collections::BTreeSet;
use std::io::{self, Read};

use imgc_tree::{Content, Data, InsertError, Kind, Node, SegmentId, Tree, TreePath};
use sha2::{Digest as _, Sha256};

use crate::read::{Item, ItemKind, TarReader};

/// What the names of files begin with that say what is gone.
const WHITEOUT: &[u8] = b".wh.";
/// The whiteout of all that lower layers have in a folder.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// What older engines kept of their own in layers. It is no part of the image.
const ENGINE: &[u8] = b".wh..wh.";

/// No more symbolic links are followed to a folder, as in the kernel.
const MOST_LINKS: usize = 40;

/// Which contents stay in memory, and what the others are called.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// Files of at most so many bytes are kept in the tree.
    pub inline: u64,
    /// Where the others stand: in the uncompressed archive of the layer of this name. If
    /// none is given, only their digest is known ([`Data::Outside`]).
    pub layer: Option<SegmentId>,
}

/// What the layers of one image may still take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many entries.
    pub entries: u64,
    /// How many bytes of paths, targets and attributes.
    pub names: u64,
    /// How many bytes of paths may be looked at to follow links and to take away what is
    /// gone.
    pub steps: u64,
}

impl Allowance {
    /// What no real image comes near to: two million entries, half a gigabyte of names.
    pub const IMAGE: Self = Self {
        entries: 2_000_000,
        names: 512 << 20,
        steps: 4 << 30,
    };

    /// For archives that were written here.
    const ANY: Self = Self {
        entries: u64::MAX,
        names: u64::MAX,
        steps: u64::MAX,
    };
}

/// Lays the archive of a layer over `tree`, whiteouts too. Files of at most `keep`
/// bytes are kept in the tree; of others it has the digest ([`Data::Outside`]).
///
/// # Errors
/// `InvalidData` for an archive that is damaged, has entries of unknown type, or
/// does not fit onto the tree; and those of reading.
pub fn apply(tree: &mut Tree, archive: impl Read, keep: u64) -> io::Result<()> {
    let keep = Keep {
        inline: keep,
        layer: None,
    };
    if !lay(tree, archive, keep, &mut Allowance::ANY.clone())? {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// As [`apply`], for a layer that anybody may have written: what it takes is taken from
/// `allowance`. The archive is read to its end, and may lack the blocks that end it.
///
/// # Errors
/// As [`apply`]; `QuotaExceeded` where the allowance is used up.
pub fn apply_within(
    tree: &mut Tree,
    archive: impl Read,
    keep: Keep,
    allowance: &mut Allowance,
) -> io::Result<()> {
    lay(tree, archive, keep, allowance).map(drop)
}

fn lay(
    tree: &mut Tree,
    archive: impl Read,
    keep: Keep,
    allowance: &mut Allowance,
) -> io::Result<bool> {
    let mut reader = TarReader::new(archive);
    let mut laying = Laying {
        tree,
        keep,
        allowance,
        own: BTreeSet::new(),
    };
    while let Some(item) = reader.next_item()? {
        let shown = || String::from_utf8_lossy(&item.path).into_owned();
        let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", shown()));
        laying
            .entry(&item, &mut reader.body().take(item.size))
            .map_err(at)?;
    }
    let is_ended = reader.is_ended();
    // The second block of zeros, and whatever a writer fills its last record with.
    io::copy(&mut reader.into_inner(), &mut io::sink())?;
    Ok(is_ended)
}

/// One layer on its way into the tree.
struct Laying<'a> {
    tree: &'a mut Tree,
    keep: Keep,
    allowance: &'a mut Allowance,
    /// What this layer has brought, and the folders above it: its whiteouts are not about
    /// those, wherever they stand in it.
    own: BTreeSet<TreePath>,
}

impl Laying<'_> {
    fn entry(&mut self, item: &Item, body: &mut io::Take<impl Read>) -> io::Result<()> {
        self.charge(item)?;
        let path = TreePath::new(&item.path).map_err(|error| invalid(&error.to_string()))?;
        if !item.path.windows(WHITEOUT.len()).any(|run| run == WHITEOUT) {
            return self.place(&path, item, body);
        }
        let mut parts: Vec<&[u8]> = path.parts().collect();
        let name = parts.pop().unwrap_or_default();
        if parts.iter().any(|part| part.starts_with(ENGINE)) {
            return Ok(());
        }
        if parts.iter().any(|part| part.starts_with(WHITEOUT)) {
            return Err(invalid("a folder is called as whiteouts are"));
        }
        match name.strip_prefix(WHITEOUT) {
            None => self.place(&path, item, body),
            Some(_) if name == OPAQUE => {
                let folder = self.folder_of(&path)?;
                self.hide_below(&folder, false)
            }
            Some(_) if name.starts_with(ENGINE) => Ok(()),
            // A name that stands for the folder itself, or the one above it.
            Some(b"" | b"." | b"..") => Err(invalid("a whiteout of nothing")),
            Some(name) => {
                let folder = self.folder_of(&path)?;
                let gone = folder.join(name);
                let gone = gone.map_err(|error| invalid(&error.to_string()))?;
                self.hide_below(&gone, true)
            }
        }
    }

    /// Takes away what lower layers have below a path, and at it.
    fn hide_below(&mut self, path: &TreePath, itself: bool) -> io::Result<()> {
        let mut gone = Vec::new();
        let mut looked = 0;
        for (below, _) in self.tree.below(path) {
            looked += below.as_bytes().len() as u64 + 1;
            if !self.own.contains(below) && (itself || below != path) {
                gone.push(below.clone());
            }
        }
        take(&mut self.allowance.steps, looked)?;
        // What is deepest goes first: so each is taken away once.
        for path in gone.iter().rev() {
            self.tree.remove(path);
        }
        Ok(())
    }

    fn place(
        &mut self,
        given: &TreePath,
        item: &Item,
        body: &mut io::Take<impl Read>,
    ) -> io::Result<()> {
        let path = self.real(given)?;
        self.tree
            .make_parents(&path, 0)
            .map_err(|error| unfit(&error))?;
        let kind = match &item.kind {
            ItemKind::Directory => Kind::Directory,
            ItemKind::Regular => Kind::Regular(self.content(item, body)?),
            ItemKind::Symlink(target) => Kind::Symlink(target.as_slice().into()),
            ItemKind::CharDevice { major, minor } => Kind::CharDevice {
                major: *major,
                minor: *minor,
            },
            ItemKind::BlockDevice { major, minor } => Kind::BlockDevice {
                major: *major,
                minor: *minor,
            },
            ItemKind::Fifo => Kind::Fifo,
            ItemKind::HardLink(target) => {
                let target = TreePath::new(target).map_err(|e| invalid(&e.to_string()))?;
                let target = self.real(&target)?;
                if self.tree.get(&target).is_none() {
                    return Err(invalid(&format!(
                        "a hard link to {target}, which is not there"
                    )));
                }
                if target != path {
                    self.clear(&path)?;
                    let linked = self.tree.link(&path, &target);
                    linked.map_err(|error| unfit(&error))?;
                }
                self.owns(&path);
                return Ok(());
            }
        };
        if kind != Kind::Directory {
            self.clear(&path)?;
        }
        let meta = item.meta.clone();
        let inserted = self.tree.insert(&path, Node { meta, kind });
        inserted.map_err(|error| unfit(&error))?;
        self.owns(&path);
        Ok(())
    }

    /// Takes a folder away where something else will stand.
    fn clear(&mut self, path: &TreePath) -> io::Result<()> {
        if !path.is_root() && self.tree.get(path).is_some_and(Node::is_directory) {
            let looked = self.tree.below(path);
            let looked = looked.map(|(path, _)| path.as_bytes().len() as u64 + 1);
            let looked = looked.sum();
            take(&mut self.allowance.steps, looked)?;
            self.tree.remove(path);
        }
        Ok(())
    }

    /// Remembers that this layer brought a path.
    fn owns(&mut self, path: &TreePath) {
        let mut next = Some(path.clone());
        while let Some(path) = next {
            next = path.parent();
            if !self.own.insert(path) {
                break;
            }
        }
    }

    /// A path whose folder has no links in it. The last part is not followed.
    fn real(&mut self, path: &TreePath) -> io::Result<TreePath> {
        if path.is_root() {
            return Ok(path.clone());
        }
        let folder = self.folder_of(path)?;
        let joined = folder.join(path.name());
        joined.map_err(|error| invalid(&error.to_string()))
    }

    /// The folder of a path: links in it are followed inside of the image, as a process in
    /// it would.
    fn folder_of(&mut self, path: &TreePath) -> io::Result<TreePath> {
        let folder = path.parent().unwrap_or_else(TreePath::root);
        if self.tree.get(&folder).is_some_and(Node::is_directory) {
            return Ok(folder);
        }
        let mut todo: Vec<Vec<u8>> = folder.parts().rev().map(<[u8]>::to_vec).collect();
        let mut at = TreePath::root();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            take(&mut self.allowance.steps, at.as_bytes().len() as u64 + 1)?;
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at = at.parent().unwrap_or_else(TreePath::root);
                    continue;
                }
                _ => {}
            }
            let here = at.join(&part);
            let here = here.map_err(|error| invalid(&error.to_string()))?;
            let node = self.tree.get(&here);
            if let Some(Kind::Symlink(target)) = node.map(|node| &node.kind) {
                links += 1;
                if links > MOST_LINKS {
                    return Err(invalid("too many links lead to its folder"));
                }
                if target.starts_with(b"/") {
                    at = TreePath::root();
                }
                todo.extend(target.split(|&b| b == b'/').rev().map(<[u8]>::to_vec));
            } else {
                at = here;
            }
        }
        Ok(at)
    }

    fn content(&self, item: &Item, body: &mut io::Take<impl Read>) -> io::Result<Content> {
        let size = item.size;
        if size <= self.keep.inline {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            return Ok(Content::inline(bytes));
        }
        let mut hash = Sha256::new();
        let mut buf = vec![0; 64 * 1024];
        loop {
            match body.read(&mut buf) {
                Ok(0) => break,
                Ok(read) => hash.update(&buf[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let place = |id| Data::Segment {
            id,
            offset: item.offset,
        };
        Ok(Content {
            size,
            sha256: hash.finalize().into(),
            data: self.keep.layer.map_or(Data::Outside, place),
        })
    }

    fn charge(&mut self, item: &Item) -> io::Result<()> {
        let target = match &item.kind {
            ItemKind::Symlink(target) | ItemKind::HardLink(target) => target.len(),
            _ => 0,
        };
        let attributes = item.meta.xattrs.iter();
        let attributes = attributes.map(|(name, value)| name.len() + value.len());
        let bytes = item.path.len() + target + attributes.sum::<usize>();
        take(&mut self.allowance.entries, 1)?;
        take(&mut self.allowance.names, bytes as u64)
    }
}

fn take(left: &mut u64, amount: u64) -> io::Result<()> {
    *left = left.checked_sub(amount).ok_or_else(|| {
        let text = "the layers have more entries or longer names than any image has";
        io::Error::new(io::ErrorKind::QuotaExceeded, text)
    })?;
    Ok(())
}

fn unfit(error: &InsertError) -> io::Error {
    invalid(&error.to_string())
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
