//! One `.deb`, read as a stream: control information first, then the files, each
//! handed to a [`Sink`] as it comes. The format is `deb(5)`, version 2.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use imgc_tree::{Content, EntryKind, Meta, TreePath};
use md5::{Digest as _, Md5};

use crate::ar::{Ar, Fault, Header};
use crate::control::Stanza;
use crate::decode::{Compression, Decoded};
use crate::fragment::{ControlFile, Entry, EntryNode, Fragment, SharedLibrary, texts};
use crate::tarball::{self, Item, ItemKind};
use crate::{ControlError, DebError, EntryProblem, Limits, conffile, merged};

/// Takes the entries of a package.
pub trait Sink {
    /// Takes one entry that is not a folder, in the order of the package. `path` is
    /// where it stands with merged /usr. For a regular file it gives where the bytes
    /// are kept now, for all others nothing. A body that is not read to its end is
    /// skipped.
    ///
    /// # Errors
    /// Whatever keeps it from taking the entry, or the body's own error. Unpacking
    /// ends with it.
    fn entry(
        &mut self,
        path: &TreePath,
        meta: &Meta,
        entry: EntryKind<'_>,
    ) -> io::Result<Option<Content>>;
}

/// Reads a `.deb` from `reader`, to its end, and gives its files to `sink`.
///
/// Extra ar members whose names begin with `_` are skipped, as the format says. All
/// else that is unexpected is an error. The checksums within xz are not compared: who asks
/// must know the digest of the whole `.deb`, and compare that.
///
/// # Errors
/// [`DebError`]. What the sink took before is not part of any fragment then.
pub fn unpack(
    reader: impl Read,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<Fragment, DebError> {
    let mut ar = Ar::new(reader)?;
    format(&mut ar)?;
    let header = next(&mut ar, "control.tar")?;
    let mut files = control(&mut ar, &header, limits)?;
    ar.pad(&header)?;
    let text = files.remove("control").ok_or(ControlError::Missing)?;
    let text =
        String::from_utf8(text.bytes).map_err(|_| ControlError::Utf8("control".to_owned()))?;
    let stanza = Stanza::parse(&text)?;
    let package = stanza.package()?;
    // Read all that installing reads, so that a fragment can't fail later.
    stanza.installed(&[])?;
    files
        .get("triggers")
        .map_or(Ok(crate::triggers::Directives::default()), |file| {
            crate::triggers::parse(&file.bytes)
        })?;

    let header = next(&mut ar, "data.tar")?;
    let mut data = Data {
        member: &header.name,
        limits,
        hashed: if files.contains_key("md5sums") {
            Some(BTreeSet::new())
        } else {
            None
        },
        seen: BTreeMap::new(),
        kept: 0,
        entries: Vec::new(),
        texts: Vec::new(),
    };
    for conffile in files
        .get("conffiles")
        .map_or(Ok(Vec::new()), |file| conffile::parse(&file.bytes))?
    {
        let path =
            TreePath::new(conffile.path.as_bytes()).and_then(|path| merged::place(&path, false));
        let path = path.map_err(|_| ControlError::Conffile(conffile.path.clone()))?;
        if let Some(hashed) = &mut data.hashed {
            hashed.insert(path);
        }
    }
    archive(
        &mut ar,
        &header,
        "data.tar",
        limits.data,
        limits,
        |item, body, fault| data.take(item, body, fault, sink),
    )?;
    let (entries, texts) = (data.entries, data.texts);
    ar.pad(&header)?;
    while let Some(header) = ar.next()? {
        if !header.name.starts_with('_') {
            return Err(DebError::Member {
                expected: "the end",
                found: format!("`{}`", header.name),
            });
        }
        ar.skip(&header)?;
    }
    Ok(Fragment {
        package,
        control: text,
        files,
        entries,
        texts,
    })
}

/// Reads the first member: the version of the format.
fn format<R: Read>(ar: &mut Ar<R>) -> Result<(), DebError> {
    let header = next(ar, "debian-binary")?;
    if header.size > 64 {
        return Err(DebError::Format(format!("{} bytes", header.size)));
    }
    let fault = Fault::default();
    let mut text = Vec::new();
    ar.member(&header, std::rc::Rc::default(), fault.clone())
        .read_to_end(&mut text)
        .map_err(|error| fault.take(|| DebError::Read(error)))?;
    ar.pad(&header)?;
    let line = text
        .strip_prefix(b"2.")
        .and_then(|rest| rest.split(|&b| b == b'\n').next());
    let minor = line.is_some_and(|minor| !minor.is_empty() && minor.iter().all(u8::is_ascii_digit));
    if minor && text.contains(&b'\n') {
        Ok(())
    } else {
        Err(DebError::Format(
            String::from_utf8_lossy(&text).trim_end().to_owned(),
        ))
    }
}

/// The header of the next member that counts, which must be `expected`.
fn next<R: Read>(ar: &mut Ar<R>, expected: &'static str) -> Result<Header, DebError> {
    loop {
        let Some(header) = ar.next()? else {
            return Err(DebError::Member {
                expected,
                found: "the end".to_owned(),
            });
        };
        if header
            .name
            .strip_prefix(expected)
            .is_some_and(|s| s.is_empty() || s.starts_with('.'))
        {
            return Ok(header);
        }
        if !header.name.starts_with('_') || expected == "debian-binary" {
            return Err(DebError::Member {
                expected,
                found: format!("`{}`", header.name),
            });
        }
        ar.skip(&header)?;
    }
}

/// Gives `each` the entries of the archive in a member.
fn archive<R: Read>(
    ar: &mut Ar<R>,
    header: &Header,
    expected: &str,
    limit: u64,
    limits: &Limits,
    mut each: impl FnMut(Item, &mut dyn Read, &Fault) -> Result<(), DebError>,
) -> Result<(), DebError> {
    let suffix = header.name.strip_prefix(expected).unwrap_or_default();
    let compression =
        Compression::of(suffix).ok_or_else(|| DebError::Compression(header.name.clone()))?;
    let fault = Fault::default();
    let decoded = Decoded::new(ar, header, compression, limit, limits, fault.clone())?;
    tarball::read(&header.name, decoded, limits, &fault, |item, body| {
        each(item, body, &fault)
    })?;
    fault.check()
}

/// Reads the control archive: plain files in its root, each name once.
fn control<R: Read>(
    ar: &mut Ar<R>,
    header: &Header,
    limits: &Limits,
) -> Result<BTreeMap<String, ControlFile>, DebError> {
    let mut files = BTreeMap::new();
    archive(
        ar,
        header,
        "control.tar",
        limits.control,
        limits,
        |item, body, fault| {
            let wrong = |problem| entry_error(&header.name, &item.path, problem);
            let path = TreePath::new(&item.path).map_err(|error| wrong(error.into()))?;
            if path.is_root() && matches!(item.kind, ItemKind::Directory) {
                return Ok(());
            }
            let name = std::str::from_utf8(path.as_bytes())
                .ok()
                .filter(|name| is_control_name(name));
            let (Some(name), ItemKind::Regular) = (name, &item.kind) else {
                return Err(wrong(EntryProblem::NotControlFile));
            };
            let mut bytes = Vec::new();
            Body::new(body, item.size, None, &header.name, fault)
                .read_to_end(&mut bytes)
                .map_err(|error| fault.take(|| DebError::Read(error)))?;
            let file = ControlFile {
                mode: item.meta.mode,
                mtime: item.meta.mtime,
                bytes,
            };
            match files.insert(name.to_owned(), file) {
                None => Ok(()),
                Some(_) => Err(wrong(EntryProblem::Twice)),
            }
        },
    )?;
    // dpkg makes the file list itself and leaves this one out.
    files.remove("list");
    Ok(files)
}

/// Whether a control file can have this name: it becomes the end of a file's name.
fn is_control_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 30
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._+".contains(&b))
}

fn entry_error(member: &str, path: &[u8], problem: EntryProblem) -> DebError {
    DebError::Entry {
        member: member.to_owned(),
        path: String::from_utf8_lossy(path).into_owned(),
        problem,
    }
}

/// The data archive so far.
struct Data<'a> {
    member: &'a str,
    limits: &'a Limits,
    /// The files whose MD5 is wanted. None: all.
    hashed: Option<BTreeSet<TreePath>>,
    /// Every path, and whether it is a folder.
    seen: BTreeMap<TreePath, bool>,
    /// The bytes of what is kept of the entries.
    kept: u64,
    entries: Vec<Entry>,
    texts: Vec<Content>,
}

impl Data<'_> {
    fn take(
        &mut self,
        item: Item,
        body: &mut dyn Read,
        fault: &Fault,
        sink: &mut dyn Sink,
    ) -> Result<(), DebError> {
        let (archived, path) = self
            .place(&item)
            .map_err(|why| entry_error(self.member, &item.path, why))?;
        self.kept += item.kept() + path.as_bytes().len() as u64;
        if self.kept > self.limits.metadata {
            return Err(DebError::Metadata {
                member: self.member.to_owned(),
                limit: self.limits.metadata,
            });
        }
        let sunk = |error| {
            fault.take(|| DebError::Sink {
                path: path.clone(),
                source: error,
            })
        };
        let mut md5 = None;
        let mut library = None;
        let meta = &item.meta;
        let node = match item.kind {
            ItemKind::Directory => EntryNode::Directory,
            ItemKind::Regular => {
                let hash = self
                    .hashed
                    .as_ref()
                    .is_none_or(|hashed| hashed.contains(&path));
                let hash = hash.then(Md5::new);
                let mut body = Body::new(body, item.size, hash, self.member, fault);
                let is_library = SharedLibrary::is_looked_for(&path, item.size);
                if is_library || texts::is_kept(&path, item.size) {
                    body.kept = Some(Kept::new(if is_library { ELF } else { b"" }));
                }
                let kind = EntryKind::Regular {
                    size: item.size,
                    body: &mut body,
                };
                let content = sink.entry(&path, meta, kind).map_err(sunk)?;
                io::copy(&mut body, &mut io::sink()).map_err(sunk)?;
                md5 = body.md5.map(|md5| hex::encode(md5.finalize()));
                let kept = body.kept;
                let content = content.filter(|content| content.size == item.size);
                let wrong = || sunk(io::Error::other("the sink kept no or another content"));
                let content = content.ok_or_else(wrong)?;
                match kept {
                    None => {}
                    Some(kept) if is_library => library = SharedLibrary::read(&kept.bytes),
                    Some(kept) => {
                        self.kept += item.size;
                        self.texts.push(Content {
                            data: imgc_tree::Data::Inline(kept.bytes.as_slice().into()),
                            ..content
                        });
                    }
                }
                EntryNode::Regular(content)
            }
            ItemKind::Symlink(target) => {
                sink.entry(&path, meta, EntryKind::Symlink(&target))
                    .map_err(sunk)?;
                EntryNode::Symlink(Arc::from(target))
            }
            ItemKind::HardLink(target) => {
                let target = self
                    .link_target(&target)
                    .map_err(|why| entry_error(self.member, &item.path, why))?;
                sink.entry(&path, meta, EntryKind::HardLink(&target))
                    .map_err(sunk)?;
                EntryNode::HardLink(target)
            }
            ItemKind::CharDevice { major, minor } => {
                sink.entry(&path, meta, EntryKind::CharDevice { major, minor })
                    .map_err(sunk)?;
                EntryNode::CharDevice { major, minor }
            }
            ItemKind::BlockDevice { major, minor } => {
                sink.entry(&path, meta, EntryKind::BlockDevice { major, minor })
                    .map_err(sunk)?;
                EntryNode::BlockDevice { major, minor }
            }
            ItemKind::Fifo => {
                sink.entry(&path, meta, EntryKind::Fifo).map_err(sunk)?;
                EntryNode::Fifo
            }
        };
        self.seen
            .insert(path.clone(), matches!(node, EntryNode::Directory));
        self.entries.push(Entry {
            original: (archived != path).then_some(archived),
            path,
            meta: item.meta,
            node,
            md5,
            library,
        });
        Ok(())
    }

    /// The archived path of an entry, and the one in the merged tree.
    fn place(&mut self, item: &Item) -> Result<(TreePath, TreePath), EntryProblem> {
        if item.path.contains(&b'\n') {
            return Err(EntryProblem::Newline);
        }
        let archived = TreePath::new(&item.path)?;
        if archived.parts().count() > self.limits.depth {
            return Err(EntryProblem::Depth);
        }
        let directory = matches!(item.kind, ItemKind::Directory);
        let path = merged::place(&archived, directory)?;
        if !directory && merged::is_alias(path.as_bytes()) {
            match &item.kind {
                ItemKind::Symlink(target) if merged::is_link(path.as_bytes(), target) => {}
                _ => return Err(EntryProblem::NotMerged),
            }
        }
        match self.seen.get(&path) {
            Some(true) if directory => {}
            Some(_) => return Err(EntryProblem::Twice),
            None if path.is_root() && !directory => return Err(EntryProblem::Twice),
            None => {}
        }
        // A folder above that is not listed is one from now on.
        let mut above = path.parent();
        while let Some(folder) = above {
            match self.seen.get(&folder) {
                Some(true) => break,
                Some(false) => return Err(EntryProblem::BelowNonDirectory(folder)),
                None => above = folder.parent(),
            }
            self.seen.insert(folder, true);
        }
        Ok((archived, path))
    }

    fn link_target(&self, target: &[u8]) -> Result<TreePath, EntryProblem> {
        let path = TreePath::new(target).and_then(|path| merged::place(&path, false))?;
        if self.seen.get(&path) != Some(&false) {
            return Err(EntryProblem::LinkTarget(
                String::from_utf8_lossy(target).into_owned(),
            ));
        }
        Ok(path)
    }
}

/// How an ELF file begins.
const ELF: &[u8] = b"\x7fELF";

/// A file's bytes: exactly as many as its header says, or an error.
struct Body<'a> {
    input: &'a mut dyn Read,
    left: u64,
    md5: Option<Md5>,
    /// What was read, where it is to be kept, or may be an ELF file to be looked into.
    kept: Option<Kept>,
    member: &'a str,
    fault: &'a Fault,
}

/// The bytes of a file so far, in memory that the thread has for such files: new memory
/// for each library takes longer than copying it.
struct Kept {
    bytes: Vec<u8>,
    /// What they have to begin with.
    begin: &'static [u8],
}

impl Kept {
    /// How much memory a thread keeps, in bytes. Few libraries are larger.
    const ROOM: usize = 8 << 20;

    thread_local! {
        static FREE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }

    /// Room for a file. Memory that nobody has written to yet takes none.
    fn new(begin: &'static [u8]) -> Self {
        let mut bytes = Self::FREE.take();
        bytes.clear();
        bytes.reserve_exact(Self::ROOM);
        Self { bytes, begin }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.bytes.capacity() <= Self::ROOM {
            Self::FREE.set(std::mem::take(&mut self.bytes));
        }
    }
}

impl<'a> Body<'a> {
    fn new(
        input: &'a mut dyn Read,
        left: u64,
        md5: Option<Md5>,
        member: &'a str,
        fault: &'a Fault,
    ) -> Self {
        Self {
            input,
            left,
            md5,
            kept: None,
            member,
            fault,
        }
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.left == 0 {
            return Ok(0);
        }
        let count = self.input.read(buffer)?;
        if count == 0 {
            return Err(self.fault.set(DebError::Truncated(self.member.to_owned())));
        }
        self.left = self.left.saturating_sub(count as u64);
        if let Some(md5) = &mut self.md5 {
            md5.update(&buffer[..count]);
        }
        if let Some(Kept { bytes, begin }) = &mut self.kept {
            bytes.extend_from_slice(&buffer[..count]);
            if bytes.len() >= begin.len() && !bytes.starts_with(begin) {
                self.kept = None;
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
