//! What files an archive of an image has, and where they stand in it. Reads the headers
//! once; bodies are passed over.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use imgc_layer::{ItemKind, TarReader};
use imgc_tree::TreePath;

/// No archive of an image has more files.
const MOST: usize = 100_000;

/// How many links may lead from one name to a file.
const MOST_LINKS: usize = 8;

/// The files of an archive.
#[derive(Debug, Clone)]
pub struct ArchiveIndex {
    members: BTreeMap<TreePath, Entry>,
}

/// Where a file stands in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// How far its bytes are from the beginning, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub size: u64,
}

#[derive(Debug, Clone)]
enum Entry {
    File(Member),
    /// The same as another: what docker writes for a layer that is there twice.
    Link(TreePath),
}

impl ArchiveIndex {
    /// Reads the headers of an uncompressed tar archive.
    ///
    /// # Errors
    /// `InvalidData` for what is no archive or has too many files, and those of reading.
    pub fn read(archive: impl Read + Seek) -> io::Result<Self> {
        let mut reader = TarReader::new(archive);
        let mut members = BTreeMap::new();
        let skip = |archive: &mut _, amount| seek(archive, amount);
        while let Some(item) = reader.next_item_by(skip)? {
            let bad = |error| io::Error::new(io::ErrorKind::InvalidData, format!("{error}"));
            let path = TreePath::new(&item.path).map_err(bad)?;
            let entry = match item.kind {
                ItemKind::Regular => Entry::File(Member {
                    offset: item.offset,
                    size: item.size,
                }),
                ItemKind::HardLink(target) => Entry::Link(TreePath::new(&target).map_err(bad)?),
                ItemKind::Symlink(target) => match within(&path, &target) {
                    Some(target) => Entry::Link(target),
                    None => continue,
                },
                _ => continue,
            };
            members.insert(path, entry);
            if members.len() > MOST {
                let text = format!("more than {MOST} files");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
        Ok(Self { members })
    }

    /// Where the file of that name stands.
    pub fn find(&self, name: &str) -> Option<Member> {
        let mut path = TreePath::new(name.as_bytes()).ok()?;
        for _ in 0..MOST_LINKS {
            match self.members.get(&path)? {
                Entry::File(member) => return Some(*member),
                Entry::Link(target) => path = target.clone(),
            }
        }
        None
    }
}

/// Passes over bytes without reading them.
fn seek(archive: &mut (impl Read + Seek), amount: u64) -> io::Result<()> {
    let amount = i64::try_from(amount);
    let amount = amount.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    archive.seek(SeekFrom::Current(amount)).map(drop)
}

/// Where a symbolic link leads inside of the archive.
fn within(path: &TreePath, target: &[u8]) -> Option<TreePath> {
    let mut at = path.parent()?;
    for part in target.split(|&b| b == b'/') {
        at = match part {
            b".." => at.parent()?,
            part => at.join(part).ok()?,
        };
    }
    Some(at)
}
