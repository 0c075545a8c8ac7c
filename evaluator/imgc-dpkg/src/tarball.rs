//! The inner archives of a `.deb`: tar, read entry by entry with a bounded memory.
//!
//! The tar library reads headers, numbers and bodies. GNU long names and PAX
//! records are taken here, from its raw entries: so their size is bounded before
//! they are read, and a PAX value may hold a newline, as binary attributes do.

use std::io::{self, Read};

use imgc_tree::Meta;
use tar::{Archive, EntryType, Header};

use crate::ar::Fault;
use crate::decode::Decoded;
use crate::{DebError, EntryProblem, Limits};

/// What one extension header may hold, in bytes.
const EXTENSION: u64 = 1 << 20;

/// One entry, without its body.
#[derive(Debug)]
pub(crate) struct Item {
    /// The path as archived.
    pub(crate) path: Vec<u8>,
    /// The normalised metadata: see [`crate::Fragment`].
    pub(crate) meta: Meta,
    /// What it is.
    pub(crate) kind: ItemKind,
    /// The length of the body; 0 but for regular files.
    pub(crate) size: u64,
}

/// What an entry is.
#[derive(Debug)]
pub(crate) enum ItemKind {
    Regular,
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    CharDevice { major: u32, minor: u32 },
    BlockDevice { major: u32, minor: u32 },
    Fifo,
}

/// What the extension headers before an entry say.
#[derive(Debug, Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Vec<(Vec<u8>, Vec<u8>)>,
    seen: [bool; 3],
}

impl Item {
    /// How many bytes its path, target and attributes take.
    pub(crate) fn kept(&self) -> u64 {
        let target = match &self.kind {
            ItemKind::Symlink(target) | ItemKind::HardLink(target) => target.len(),
            _ => 0,
        };
        let xattrs = self
            .meta
            .xattrs
            .iter()
            .map(|(name, value)| name.len() + value.len());
        (self.path.len() + target + xattrs.sum::<usize>()) as u64
    }
}

/// Gives `each` every entry of the archive in `decoded`, in order, and its body.
/// Checks that nothing but zeros follow.
pub(crate) fn read(
    name: &str,
    decoded: Decoded<'_>,
    limits: &Limits,
    fault: &Fault,
    mut each: impl FnMut(Item, &mut dyn Read) -> Result<(), DebError>,
) -> Result<(), DebError> {
    let failed = |error: io::Error| {
        fault.take(|| DebError::Corrupt {
            member: name.to_owned(),
            reason: error.to_string(),
        })
    };
    let ended = decoded.ended();
    let mut archive = Archive::new(decoded);
    let mut count = 0;
    let mut extensions = Extensions::default();
    let mut pending = false;
    for entry in archive.entries().map_err(failed)?.raw(true) {
        let mut entry = entry.map_err(failed)?;
        count += 1;
        if count > limits.entries {
            return Err(DebError::Entries {
                member: name.to_owned(),
                limit: limits.entries,
            });
        }
        let kind = entry.header().entry_type();
        pending = matches!(
            kind,
            EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader
        );
        let problem = |path: &[u8]| {
            let path = String::from_utf8_lossy(path).into_owned();
            move |problem| DebError::Entry {
                member: name.to_owned(),
                path,
                problem,
            }
        };
        if pending {
            let wrong = problem(&entry.header().path_bytes());
            if entry.size() > EXTENSION {
                return Err(wrong(EntryProblem::Field("extension header")));
            }
            let mut value = Vec::new();
            let size = entry.size();
            entry.read_to_end(&mut value).map_err(failed)?;
            if value.len() as u64 != size {
                return Err(DebError::Truncated(name.to_owned()));
            }
            extensions.add(kind, value).map_err(wrong)?;
            continue;
        }
        let extensions = std::mem::take(&mut extensions);
        let item = extensions.item(entry.header(), entry.size());
        let item = item.map_err(|(path, why)| problem(&path)(why))?;
        each(item, &mut entry)?;
    }
    // The last block that the loop read was all zeros, unless the bytes just ended.
    if pending || ended.get() {
        return Err(DebError::Truncated(name.to_owned()));
    }
    let mut rest = archive.into_inner();
    let mut block = [0; 4096];
    loop {
        match rest.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) if block[..count].iter().all(|&b| b == 0) => {}
            Ok(_) => return Err(DebError::Trailing(name.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

impl Extensions {
    fn add(&mut self, kind: EntryType, mut value: Vec<u8>) -> Result<(), EntryProblem> {
        let wrong = EntryProblem::Field("extension header");
        let (index, slot) = match kind {
            EntryType::GNULongName => (0, &mut self.path),
            EntryType::GNULongLink => (1, &mut self.link),
            _ => {
                self.pax = pax_records(&value).ok_or(wrong.clone())?;
                return if std::mem::replace(&mut self.seen[2], true) {
                    Err(wrong)
                } else {
                    Ok(())
                };
            }
        };
        if std::mem::replace(&mut self.seen[index], true) {
            return Err(wrong);
        }
        if value.last() == Some(&0) {
            value.pop();
        }
        *slot = Some(value);
        Ok(())
    }

    /// The entry that `header` and these extensions describe.
    fn item(mut self, header: &Header, size: u64) -> Result<Item, (Vec<u8>, EntryProblem)> {
        let path = self.pax_value(b"path").or(self.path.take());
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = self.pax_value(b"linkpath").or(self.link.take());
        let link = link.or_else(|| header.link_name_bytes().map(|link| link.into_owned()));
        let describe = || -> Result<(Meta, ItemKind), EntryProblem> {
            let kind = kind(header, &path, link.unwrap_or_default())?;
            if size != 0 && !matches!(kind, ItemKind::Regular) {
                return Err(EntryProblem::Field("size"));
            }
            let meta = self.meta(header, size, matches!(kind, ItemKind::Symlink(_)))?;
            Ok((meta, kind))
        };
        match describe() {
            Ok((meta, kind)) => Ok(Item {
                path,
                meta,
                kind,
                size,
            }),
            Err(why) => Err((path, why)),
        }
    }

    fn meta(&mut self, header: &Header, size: u64, link: bool) -> Result<Meta, EntryProblem> {
        let field = |name| move |_| EntryProblem::Field(name);
        let mut meta = Meta {
            mode: if link {
                0o777
            } else {
                header.mode().map_err(field("mode"))? & 0o7777
            },
            uid: 0,
            gid: 0,
            mtime: header.mtime().map_err(field("mtime"))? as i64,
            ..Meta::default()
        };
        let mut uid = header.uid().map_err(field("uid"))?;
        let mut gid = header.gid().map_err(field("gid"))?;
        for (key, value) in self.pax.drain(..) {
            let number = || std::str::from_utf8(&value).ok()?.parse::<u64>().ok();
            match key.as_slice() {
                b"uid" => uid = number().ok_or(EntryProblem::Field("uid"))?,
                b"gid" => gid = number().ok_or(EntryProblem::Field("gid"))?,
                b"mtime" => meta.mtime = seconds(&value).ok_or(EntryProblem::Field("mtime"))?,
                // Readers that disagree on a size see different archives.
                b"size" if number() != Some(size) => return Err(EntryProblem::Field("size")),
                key if key.starts_with(b"GNU.sparse.") => return Err(EntryProblem::Type('S')),
                key => {
                    let name = key.strip_prefix(b"SCHILY.xattr.");
                    let name = name.and_then(|name| std::str::from_utf8(name).ok());
                    if let Some(name) = name.filter(|name| keeps_xattr(name)) {
                        meta.xattrs.insert(name.to_owned(), value);
                    }
                }
            }
        }
        meta.uid = u32::try_from(uid).map_err(|_| EntryProblem::Field("uid"))?;
        meta.gid = u32::try_from(gid).map_err(|_| EntryProblem::Field("gid"))?;
        Ok(meta)
    }

    fn pax_value(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let index = self.pax.iter().rposition(|(name, _)| name == key)?;
        Some(self.pax.swap_remove(index).1)
    }
}

/// Which extended attributes belong to a package: capabilities and `user.*`. Others
/// (SELinux labels, ACLs, integrity hashes) come from the machine that packed it.
fn keeps_xattr(name: &str) -> bool {
    name == "security.capability"
        || name
            .strip_prefix("user.")
            .is_some_and(|rest| !rest.is_empty())
}

fn kind(header: &Header, path: &[u8], link: Vec<u8>) -> Result<ItemKind, EntryProblem> {
    let device = || {
        let major = header.device_major().ok().flatten();
        let minor = header.device_minor().ok().flatten();
        major.zip(minor).ok_or(EntryProblem::Field("device number"))
    };
    Ok(match header.entry_type() {
        // Before POSIX, a folder was a file whose name ends in a slash.
        EntryType::Regular if path.ends_with(b"/") => ItemKind::Directory,
        EntryType::Regular => ItemKind::Regular,
        EntryType::Directory => ItemKind::Directory,
        EntryType::Symlink if link.is_empty() || link.contains(&0) || link.len() > 4096 => {
            return Err(EntryProblem::Target);
        }
        EntryType::Symlink => ItemKind::Symlink(link),
        EntryType::Link => ItemKind::HardLink(link),
        EntryType::Fifo => ItemKind::Fifo,
        EntryType::Char => {
            let (major, minor) = device()?;
            ItemKind::CharDevice { major, minor }
        }
        EntryType::Block => {
            let (major, minor) = device()?;
            ItemKind::BlockDevice { major, minor }
        }
        other => return Err(EntryProblem::Type(char::from(other.as_byte()))),
    })
}

/// The records `LENGTH KEY=VALUE\n` of a PAX header. None where one is malformed.
fn pax_records(mut rest: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        let space = rest.iter().take(20).position(|&b| b == b' ')?;
        let length: usize = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        let record = rest.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|&b| b == b'=')?;
        records.push((record[..equals].to_vec(), record[equals + 1..].to_vec()));
        rest = &rest[length..];
    }
    Some(records)
}

/// The whole seconds of a PAX time: `-12.5` is -13.
fn seconds(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let below = whole.starts_with('-') && part.bytes().any(|b| b != b'0');
    part.bytes()
        .all(|b| b.is_ascii_digit())
        .then_some(seconds)?
        .checked_sub(i64::from(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_values_may_hold_newlines() {
        let records = pax_records(b"8 a=\n=\n\n11 path=xy\n").expect("records");
        assert_eq!(records[0], (b"a".to_vec(), b"\n=\n".to_vec()));
        assert_eq!(records[1], (b"path".to_vec(), b"xy".to_vec()));
        for bad in [
            &b"5 a=b"[..],
            b"x a=b\n",
            b"6 ab\n",
            b"99 a=b\n",
            b"0 a=b\n",
        ] {
            assert_eq!(pax_records(bad), None);
        }
    }

    #[test]
    fn times_are_whole_seconds() {
        assert_eq!(seconds(b"12.9"), Some(12));
        assert_eq!(seconds(b"-12.5"), Some(-13));
        assert_eq!(seconds(b"-12.0"), Some(-12));
        assert_eq!(seconds(b"x"), None);
        assert_eq!(seconds(b"1.x"), None);
    }
}
