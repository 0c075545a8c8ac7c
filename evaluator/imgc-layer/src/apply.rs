//! A layer's archive back to a tree. It reads what the writer here writes, and what
//! other writers of OCI layers do, as far as ustar and PAX go.

use std::io::{self, Read};

use imgc_tree::{Content, Data, InsertError, Kind, Meta, Node, Tree, TreePath};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

/// No extended header is larger than this, in bytes.
const PAX_LIMIT: u64 = 1 << 20;

/// Lays the archive of a layer over `tree`, whiteouts too. Files of at most `keep`
/// bytes are kept in the tree; of others it has the digest ([`Data::Outside`]).
///
/// # Errors
/// `InvalidData` for an archive that is damaged, has entries of unknown type, or
/// does not fit onto the tree; and those of reading.
pub fn apply(tree: &mut Tree, mut archive: impl Read, keep: u64) -> io::Result<()> {
    let mut pax = Pax::default();
    let mut block = [0; 512];
    loop {
        archive.read_exact(&mut block)?;
        if block == [0; 512] {
            break;
        }
        let header = Header::from_byte_slice(&block);
        check(header)?;
        let size = pax.number("size")?.unwrap_or(header.entry_size()?);
        let padding = size
            .checked_next_multiple_of(512)
            .ok_or_else(|| invalid("a size is out of range"))?
            - size;
        if header.entry_type() == EntryType::XHeader {
            if size > PAX_LIMIT {
                return Err(invalid("an extended header is too large"));
            }
            pax = Pax::parse(&body(&mut archive, size)?)?;
            discard(&mut archive, padding)?;
            continue;
        }
        let pax = std::mem::take(&mut pax);
        let path = pax
            .bytes("path")
            .map_or_else(|| header.path_bytes().into_owned(), <[u8]>::to_vec);
        let path = TreePath::new(&path).map_err(|error| invalid(&error.to_string()))?;
        let at = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
        entry(
            tree,
            &path,
            header,
            &pax,
            &mut (&mut archive).take(size),
            keep,
        )
        .map_err(at)?;
        discard(&mut archive, padding)?;
    }
    // The second block of zeros, and whatever a writer fills its last record with.
    io::copy(&mut archive, &mut io::sink())?;
    Ok(())
}

fn entry(
    tree: &mut Tree,
    path: &TreePath,
    header: &Header,
    pax: &Pax,
    body: &mut io::Take<impl Read>,
    keep: u64,
) -> io::Result<()> {
    let id = |found: Option<u64>, field: u64| {
        u32::try_from(found.unwrap_or(field)).map_err(|_| invalid("an id is too large"))
    };
    let meta = Meta {
        mode: header.mode()? & 0o7777,
        uid: id(pax.number("uid")?, header.uid()?)?,
        gid: id(pax.number("gid")?, header.gid()?)?,
        mtime: match pax.bytes("mtime") {
            Some(text) => seconds(text)?,
            None => i64::try_from(header.mtime()?).map_err(|_| invalid("a bad time"))?,
        },
        xattrs: pax.xattrs(),
    };
    let device = || -> io::Result<(u32, u32)> {
        Ok((
            header.device_major()?.unwrap_or(0),
            header.device_minor()?.unwrap_or(0),
        ))
    };
    let target = || {
        let field = || header.link_name_bytes().map(std::borrow::Cow::into_owned);
        pax.bytes("linkpath")
            .map(<[u8]>::to_vec)
            .or_else(field)
            .unwrap_or_default()
    };
    if let Some(name) = path.name().strip_prefix(b".wh.") {
        return whiteout(tree, path, name);
    }
    let kind = match header.entry_type() {
        EntryType::Directory => Kind::Directory,
        EntryType::Regular | EntryType::Continuous => Kind::Regular(content(body, keep)?),
        EntryType::Symlink => Kind::Symlink(target().into()),
        EntryType::Char => device().map(|(major, minor)| Kind::CharDevice { major, minor })?,
        EntryType::Block => device().map(|(major, minor)| Kind::BlockDevice { major, minor })?,
        EntryType::Fifo => Kind::Fifo,
        EntryType::Link => {
            let target = TreePath::new(&target()).map_err(|e| invalid(&e.to_string()))?;
            clear(tree, path);
            return tree.link(path, &target).map(drop).map_err(unfit);
        }
        other => return Err(invalid(&format!("an entry of type {:?}", other.as_byte()))),
    };
    if kind != Kind::Directory {
        clear(tree, path);
    }
    tree.insert(path, Node { meta, kind })
        .map(drop)
        .map_err(unfit)
}

/// Takes a folder away where something else will stand.
fn clear(tree: &mut Tree, path: &TreePath) {
    if tree.get(path).is_some_and(Node::is_directory) {
        tree.remove(path);
    }
}

fn whiteout(tree: &mut Tree, path: &TreePath, name: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(TreePath::root);
    if name == b".wh..opq" {
        let inside: Vec<TreePath> = tree
            .below(&folder)
            .skip(1)
            .map(|(path, _)| path.clone())
            .collect();
        for path in &inside {
            tree.remove(path);
        }
        return Ok(());
    }
    let gone = folder
        .join(name)
        .map_err(|error| invalid(&error.to_string()))?;
    tree.remove(&gone);
    Ok(())
}

fn content(body: &mut io::Take<impl Read>, keep: u64) -> io::Result<Content> {
    let size = body.limit();
    if size <= keep {
        return Ok(Content::inline(self::body(body, size)?));
    }
    let mut hash = Sha256::new();
    let mut buf = vec![0; 64 * 1024];
    while body.limit() > 0 {
        let read = body.read(&mut buf)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(&buf[..read]);
    }
    Ok(Content {
        size,
        sha256: hash.finalize().into(),
        data: Data::Outside,
    })
}

/// Exactly `size` bytes. Memory grows with what is there, not with what is said.
fn body(input: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(size).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

fn discard(input: &mut impl Read, size: u64) -> io::Result<()> {
    match io::copy(&mut input.take(size), &mut io::sink())? {
        read if read < size => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn check(header: &Header) -> io::Result<()> {
    let bytes = header.as_bytes().iter().enumerate();
    let sum: u32 = bytes
        .map(|(at, &b)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(b)
            }
        })
        .sum();
    if header.cksum()? != sum {
        return Err(invalid("a header's checksum is wrong"));
    }
    Ok(())
}

/// Whole seconds; a fraction is dropped downwards.
fn seconds(text: &[u8]) -> io::Result<i64> {
    let text = std::str::from_utf8(text).map_err(|_| invalid("a bad time"))?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole_seconds: i64 = whole.parse().map_err(|_| invalid("a bad time"))?;
    let down = whole.starts_with('-') && fraction.bytes().any(|digit| digit != b'0');
    Ok(whole_seconds.saturating_sub(i64::from(down)))
}

/// The records of one extended header, parsed by their lengths: a value may hold any
/// byte, also a newline.
#[derive(Default)]
struct Pax(Vec<(String, Vec<u8>)>);

impl Pax {
    fn parse(mut bytes: &[u8]) -> io::Result<Self> {
        let mut records = Vec::new();
        while !bytes.is_empty() {
            let bad = || invalid("a bad extended header");
            let space = bytes
                .iter()
                .take(8)
                .position(|&b| b == b' ')
                .ok_or_else(bad)?;
            let length = std::str::from_utf8(&bytes[..space]).map_err(|_| bad())?;
            let length: usize = length.parse().map_err(|_| bad())?;
            let record = bytes.get(space + 1..length).ok_or_else(bad)?;
            let record = record.strip_suffix(b"\n").ok_or_else(bad)?;
            let equals = record.iter().position(|&b| b == b'=').ok_or_else(bad)?;
            let key = std::str::from_utf8(&record[..equals]).map_err(|_| bad())?;
            records.push((key.to_owned(), record[equals + 1..].to_vec()));
            bytes = &bytes[length..];
        }
        Ok(Self(records))
    }

    fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_slice())
    }

    fn number(&self, key: &str) -> io::Result<Option<u64>> {
        let parse = |bytes| std::str::from_utf8(bytes).ok()?.parse().ok();
        let number = |bytes| parse(bytes).ok_or_else(|| invalid("a bad number"));
        self.bytes(key).map(number).transpose()
    }

    fn xattrs(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        let name = |key: &str| key.strip_prefix("SCHILY.xattr.").map(str::to_owned);
        self.0
            .iter()
            .filter_map(|(key, value)| Some((name(key)?, value.clone())))
            .collect()
    }
}

fn unfit(error: InsertError) -> io::Error {
    invalid(&error.to_string())
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
