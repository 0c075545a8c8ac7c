//! The tar reader: entries one after the other, from archives that anybody may have
//! written. Believes nothing, and holds one header at a time. Knows nothing of trees or
//! whiteouts.
//!
//! It reads ustar (POSIX.1-1988), PAX records (POSIX.1-2001) and GNU's long names. Sparse
//! files and other kinds of entries are refused.

use std::collections::BTreeMap;
use std::io::{self, Read};

use imgc_tree::Meta;
use tar::{EntryType, Header};

/// No extended header is larger than this, in bytes.
const EXTENSION_LIMIT: u64 = 1 << 20;

/// No path and no target of a link is longer than this, in bytes.
const NAME_LIMIT: usize = 4096;

const BLOCK: u64 = 512;

/// An entry, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its path as the archive has it: not normalised, perhaps hostile.
    pub path: Vec<u8>,
    /// Its metadata.
    pub meta: Meta,
    /// What it is.
    pub kind: ItemKind,
    /// The length of its body in bytes.
    pub size: u64,
    /// How far its body is from the beginning of the archive, in bytes.
    pub offset: u64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// A folder.
    Directory,
    /// A file.
    Regular,
    /// A symbolic link, with its target.
    Symlink(Vec<u8>),
    /// A further name of the file that is named here.
    HardLink(Vec<u8>),
    /// A character device.
    CharDevice {
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

/// Reads an archive entry by entry.
#[derive(Debug)]
pub struct TarReader<R> {
    input: R,
    /// How far the input has been read, in bytes.
    at: u64,
    /// What is left of the current body.
    left: u64,
    /// What fills its last block.
    padding: u64,
    is_ended: bool,
}

/// The body of the current entry.
#[derive(Debug)]
pub struct ItemBody<'a, R>(&'a mut TarReader<R>);

impl<R: Read> TarReader<R> {
    /// A reader of the archive that begins here.
    pub fn new(input: R) -> Self {
        Self {
            input,
            at: 0,
            left: 0,
            padding: 0,
            is_ended: false,
        }
    }

    /// The next entry. None at the end: two blocks of zeros, or where the input ends
    /// between two entries.
    ///
    /// # Errors
    /// `InvalidData` for what is no archive or has entries that can't be read here,
    /// `UnexpectedEof` for one that is cut off, and those of reading.
    pub fn next_item(&mut self) -> io::Result<Option<Item>> {
        self.next_item_by(discard)
    }

    /// As [`next_item`](Self::next_item). What of the body before was not read is passed over by
    /// `skip`, which may seek.
    ///
    /// # Errors
    /// As [`next_item`](Self::next_item).
    pub fn next_item_by(
        &mut self,
        skip: impl Fn(&mut R, u64) -> io::Result<()>,
    ) -> io::Result<Option<Item>> {
        let mut names = Names::default();
        let mut pax = Pax::default();
        let mut is_begun = false;
        loop {
            let rest = self.left + self.padding;
            skip(&mut self.input, rest)?;
            self.at += rest;
            (self.left, self.padding) = (0, 0);
            let Some(header) = self.header()? else {
                if is_begun {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                return Ok(None);
            };
            let kind = header.entry_type();
            let extends = matches!(
                kind,
                EntryType::XHeader
                    | EntryType::XGlobalHeader
                    | EntryType::GNULongName
                    | EntryType::GNULongLink
            );
            let size = match pax.number("size")? {
                Some(size) if !extends => size,
                _ => header.entry_size()?,
            };
            let has_body = matches!(
                kind,
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse
            );
            // Some writers give links the size of what they lead to, and no body.
            let size = if extends || has_body { size } else { 0 };
            self.begin_body(size)?;
            if !extends {
                return self.item(&header, &names, &pax, size).map(Some);
            }
            if size > EXTENSION_LIMIT {
                return Err(invalid("an extended header is too large"));
            }
            let mut bytes = Vec::new();
            self.body().read_to_end(&mut bytes)?;
            is_begun = true;
            match kind {
                EntryType::XHeader => pax = Pax::parse(&bytes)?,
                EntryType::GNULongName => names.path = Some(until_nul(bytes)),
                EntryType::GNULongLink => names.link = Some(until_nul(bytes)),
                // What holds for all entries is a comment or a time, and never a name.
                _ => is_begun = false,
            }
        }
    }

    /// The body of the entry that was given last. It ends with `UnexpectedEof` where the
    /// input does.
    pub fn body(&mut self) -> ItemBody<'_, R> {
        ItemBody(self)
    }

    /// Whether the archive has had its end, blocks of zeros.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Gives the input back, where it is.
    pub fn into_inner(self) -> R {
        self.input
    }

    fn begin_body(&mut self, size: u64) -> io::Result<()> {
        let end = size.checked_next_multiple_of(BLOCK);
        let end = end.filter(|end| self.at.checked_add(*end).is_some());
        let end = end.ok_or_else(|| invalid("a size is out of range"))?;
        (self.left, self.padding) = (size, end - size);
        Ok(())
    }

    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut header = Header::new_old();
        let block = header.as_mut_bytes();
        let mut filled = 0;
        while filled < block.len() {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.at += BLOCK;
        if *block == [0; BLOCK as usize] {
            self.is_ended = true;
            return Ok(None);
        }
        check(&header)?;
        Ok(Some(header))
    }

    fn item(&self, header: &Header, names: &Names, pax: &Pax, size: u64) -> io::Result<Item> {
        if pax.is_sparse() || header.entry_type() == EntryType::GNUSparse {
            return Err(invalid("a sparse file, which can't be read here"));
        }
        let path = pax.bytes("path").map(<[u8]>::to_vec);
        let path = path.or_else(|| names.path.clone());
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let target = || {
            let field = || header.link_name_bytes().map(std::borrow::Cow::into_owned);
            let given = pax.bytes("linkpath").map(<[u8]>::to_vec);
            let given = given.or_else(|| names.link.clone()).or_else(field);
            match given.unwrap_or_default() {
                long if long.len() > NAME_LIMIT => Err(invalid("a link's target is too long")),
                target => Ok(target),
            }
        };
        if path.len() > NAME_LIMIT {
            return Err(invalid("a path has more than 4096 bytes"));
        }
        let device = || -> io::Result<(u32, u32)> {
            let (major, minor) = (header.device_major()?, header.device_minor()?);
            Ok((major.unwrap_or(0), minor.unwrap_or(0)))
        };
        let kind = match header.entry_type() {
            EntryType::Directory => ItemKind::Directory,
            // Before ustar, a folder was a file whose name ends so.
            EntryType::Regular if path.ends_with(b"/") => ItemKind::Directory,
            EntryType::Regular | EntryType::Continuous => ItemKind::Regular,
            EntryType::Symlink => ItemKind::Symlink(target()?),
            EntryType::Link => ItemKind::HardLink(target()?),
            EntryType::Char => {
                device().map(|(major, minor)| ItemKind::CharDevice { major, minor })?
            }
            EntryType::Block => {
                device().map(|(major, minor)| ItemKind::BlockDevice { major, minor })?
            }
            EntryType::Fifo => ItemKind::Fifo,
            other => {
                let text = format!("an entry of type {:?}", char::from(other.as_byte()));
                return Err(invalid(&text));
            }
        };
        Ok(Item {
            path,
            meta: meta(header, pax)?,
            kind,
            size,
            offset: self.at,
        })
    }
}

impl<R: Read> Read for ItemBody<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Self(reader) = self;
        let room = usize::try_from(reader.left).unwrap_or(usize::MAX);
        let room = room.min(buf.len());
        if room == 0 {
            return Ok(0);
        }
        let read = reader.input.read(&mut buf[..room])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reader.left -= read as u64;
        reader.at += read as u64;
        Ok(read)
    }
}

/// What GNU's long names say before an entry.
#[derive(Default)]
struct Names {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

fn meta(header: &Header, pax: &Pax) -> io::Result<Meta> {
    let id = |found: Option<u64>, field: u64| {
        u32::try_from(found.unwrap_or(field)).map_err(|_| invalid("an id is too large"))
    };
    Ok(Meta {
        mode: header.mode()? & 0o7777,
        uid: id(pax.number("uid")?, header.uid()?)?,
        gid: id(pax.number("gid")?, header.gid()?)?,
        mtime: match pax.bytes("mtime") {
            Some(text) => seconds(text)?,
            // GNU's binary numbers may be negative.
            None => header.mtime()?.cast_signed(),
        },
        xattrs: pax.xattrs(),
    })
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|&b| b == 0);
    bytes.truncate(end.unwrap_or(bytes.len()));
    bytes
}

/// Reads `size` bytes and forgets them.
pub(crate) fn discard(input: &mut impl Read, size: u64) -> io::Result<()> {
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

    fn is_sparse(&self) -> bool {
        self.0.iter().any(|(key, _)| key.starts_with("GNU.sparse."))
    }

    fn xattrs(&self) -> BTreeMap<String, Vec<u8>> {
        let name = |key: &str| key.strip_prefix("SCHILY.xattr.").map(str::to_owned);
        self.0
            .iter()
            .filter_map(|(key, value)| Some((name(key)?, value.clone())))
            .collect()
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
