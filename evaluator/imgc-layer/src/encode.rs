//! The deterministic tar writer. The same entries give the same bytes on every
//! machine. Knows nothing of compression or of where the bytes go.
//!
//! The format is ustar (POSIX.1-1988) with PAX records (POSIX.1-2001) for what a
//! header can't hold:
//! - A path has no leading slash, a folder's ends in `/`, the root is `./`.
//! - A path or link target that is longer than 100 bytes, or has other characters
//!   than ASCII, is a `path` or `linkpath` record; ustar's prefix field is not used.
//!   Bytes that are not UTF-8 stand in the header if they fit, else in a record
//!   after `hdrcharset=BINARY`.
//! - Sizes from 8 GiB, ids from 2^21, and times before 1970 or from year 2242 are
//!   records, and 0 in the header.
//! - Extended attributes are `SCHILY.xattr.NAME` records. A hard link repeats those
//!   of its file: a reader that changes the link's owner makes the kernel drop the
//!   file's capabilities, and must be able to set them again.
//! - Records are sorted by key, `hdrcharset` first. Their header is always named
//!   `././@PaxHeader`, with mode 0644, owner 0 and time 0.
//! - Owners have no names. Modes are permission bits. Times are whole seconds.

use std::io::{self, Read, Write};

use imgc_tree::{EntryKind, Meta, TreePath};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

/// The version of this file's output. It is raised whenever the same entries would
/// give other bytes, and is part of the derivations that write tar.
pub const TAR_ABI: u32 = 1;

const BLOCK: u64 = 512;

/// Writes entries as a tar archive.
#[derive(Debug)]
pub struct TarWriter<W> {
    out: W,
    offset: u64,
    buf: Vec<u8>,
}

/// Where a regular file's bytes have come to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// How far from the beginning of the archive, in bytes.
    pub offset: u64,
    /// Their number.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

impl<W: Write> TarWriter<W> {
    /// A writer of an archive that begins here.
    pub fn new(out: W) -> Self {
        Self {
            out,
            offset: 0,
            buf: Vec::new(),
        }
    }

    /// How many bytes have been written.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes one entry. Gives where a regular file's bytes stand.
    ///
    /// # Errors
    /// Those of reading the body and of writing; `UnexpectedEof` or `InvalidData`
    /// if the body is shorter or longer than its size; `InvalidInput` for a device
    /// number or an attribute's name that tar can't hold.
    pub fn entry(
        &mut self,
        path: &TreePath,
        meta: &Meta,
        kind: EntryKind<'_>,
    ) -> io::Result<Option<Body>> {
        let mut name = path.as_bytes().to_vec();
        if matches!(kind, EntryKind::Directory) {
            name = if path.is_root() {
                b"./".to_vec()
            } else {
                [&name[..], b"/"].concat()
            };
        }
        self.header(&name, meta, &kind)?;
        match kind {
            EntryKind::Regular { size, body } => self.body(size, body).map(Some),
            _ => Ok(None),
        }
    }

    /// Gives the output back, without ending the archive: more may follow.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Ends the archive with two blocks of zeros. Gives the output back.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> io::Result<W> {
        self.write(&[0; 2 * BLOCK as usize])?;
        Ok(self.out)
    }

    fn header(&mut self, name: &[u8], meta: &Meta, kind: &EntryKind<'_>) -> io::Result<()> {
        let mut header = Header::new_ustar();
        let mut records = Records::default();
        let size = if let EntryKind::Regular { size, .. } = kind {
            *size
        } else {
            0
        };
        header.set_mode(meta.mode & 0o7777);
        header.set_uid(records.number("uid", u64::from(meta.uid), 1 << 21));
        header.set_gid(records.number("gid", u64::from(meta.gid), 1 << 21));
        header.set_size(records.number("size", size, 1 << 33));
        header.set_mtime(match u64::try_from(meta.mtime) {
            Ok(mtime) => records.number("mtime", mtime, 1 << 33),
            Err(_) => {
                records.add("mtime", meta.mtime.to_string().as_bytes());
                0
            }
        });
        header.set_entry_type(entry_type(kind));
        records.text("path", name, &mut header.as_old_mut().name);
        let target = match kind {
            EntryKind::Symlink(target) => Some(*target),
            EntryKind::HardLink(target) => Some(target.as_bytes()),
            _ => None,
        };
        if let Some(target) = target {
            records.text("linkpath", target, &mut header.as_old_mut().linkname);
        }
        let (major, minor) = match kind {
            EntryKind::CharDevice { major, minor } | EntryKind::BlockDevice { major, minor } => {
                (*major, *minor)
            }
            _ => (0, 0),
        };
        if major.max(minor) >= 1 << 21 {
            let text = format!("the device number {major}:{minor} does not fit into tar");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        header.set_device_major(major)?;
        header.set_device_minor(minor)?;
        for (name, value) in &meta.xattrs {
            if name.is_empty() || name.contains(['=', '\0']) {
                let text = format!("the extended attribute `{name}` does not fit into tar");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
            records.add(&format!("SCHILY.xattr.{name}"), value);
        }
        if let Some(records) = records.encode() {
            self.pax(&records)?;
        }
        header.set_cksum();
        self.write(header.as_bytes())
    }

    /// Writes an extended header before the entry that it is about.
    fn pax(&mut self, records: &[u8]) -> io::Result<()> {
        let mut header = Header::new_ustar();
        let name = b"././@PaxHeader";
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(records.len() as u64);
        header.set_entry_type(EntryType::XHeader);
        header.set_device_major(0)?;
        header.set_device_minor(0)?;
        header.set_cksum();
        self.write(header.as_bytes())?;
        self.write(records)?;
        self.pad()
    }

    fn body(&mut self, size: u64, body: &mut dyn Read) -> io::Result<Body> {
        let offset = self.offset;
        let mut hash = Sha256::new();
        let mut left = size;
        let mut buf = std::mem::take(&mut self.buf);
        buf.resize(64 * 1024, 0);
        loop {
            let read = match body.read(&mut buf) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if read as u64 > left {
                let text = format!("more bytes than the {size} that were announced");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            if read == 0 {
                break;
            }
            hash.update(&buf[..read]);
            self.write(&buf[..read])?;
            left -= read as u64;
        }
        if left > 0 {
            let text = format!("{left} of {size} bytes are missing");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        self.buf = buf;
        self.pad()?;
        Ok(Body {
            offset,
            size,
            sha256: hash.finalize().into(),
        })
    }

    fn pad(&mut self) -> io::Result<()> {
        let past = self.offset % BLOCK;
        if past > 0 {
            self.write(&[0; BLOCK as usize][past as usize..])?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

fn entry_type(kind: &EntryKind<'_>) -> EntryType {
    match kind {
        EntryKind::Directory => EntryType::Directory,
        EntryKind::Regular { .. } => EntryType::Regular,
        EntryKind::Symlink(_) => EntryType::Symlink,
        EntryKind::HardLink(_) => EntryType::Link,
        EntryKind::CharDevice { .. } => EntryType::Char,
        EntryKind::BlockDevice { .. } => EntryType::Block,
        EntryKind::Fifo => EntryType::Fifo,
    }
}

/// The PAX records of one entry.
#[derive(Default)]
struct Records {
    list: Vec<(String, Vec<u8>)>,
    binary: bool,
}

impl Records {
    fn add(&mut self, key: &str, value: &[u8]) {
        self.list.push((key.to_owned(), value.to_vec()));
    }

    /// What the header says of a number: the number below `limit`, else 0.
    fn number(&mut self, key: &str, value: u64, limit: u64) -> u64 {
        if value < limit {
            return value;
        }
        self.add(key, value.to_string().as_bytes());
        0
    }

    /// Puts a text into its field, as much of it as there is room for, and into a
    /// record where that is not enough.
    fn text(&mut self, key: &str, text: &[u8], field: &mut [u8; 100]) {
        let fits = text.len() <= field.len();
        let room = text.len().min(field.len());
        field[..room].copy_from_slice(&text[..room]);
        let utf8 = std::str::from_utf8(text).is_ok();
        if !fits || (utf8 && !text.is_ascii()) {
            self.binary |= !utf8;
            self.add(key, text);
        }
    }

    /// The body of the extended header, if one is needed.
    fn encode(mut self) -> Option<Vec<u8>> {
        self.list.sort();
        if self.binary {
            self.list
                .insert(0, ("hdrcharset".to_owned(), b"BINARY".to_vec()));
        }
        let mut bytes = Vec::new();
        for (key, value) in &self.list {
            // The length counts its own digits: " ", "=" and "\n" are the other three.
            let rest = key.len() + value.len() + 3;
            let mut length = rest;
            while length != rest + digits(length) {
                length = rest + digits(length);
            }
            bytes.extend_from_slice(format!("{length} {key}=").as_bytes());
            bytes.extend_from_slice(value);
            bytes.push(b'\n');
        }
        (!bytes.is_empty()).then_some(bytes)
    }
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &[u8], meta: &Meta, kind: EntryKind<'_>) -> io::Result<Vec<u8>> {
        let mut tar = TarWriter::new(Vec::new());
        tar.entry(&TreePath::new(path).expect("a path"), meta, kind)?;
        Ok(tar.into_inner())
    }

    fn plain() -> Meta {
        Meta {
            mode: 0o644,
            ..Meta::default()
        }
    }

    #[test]
    fn a_plain_entry_is_one_header_and_its_body() {
        let meta = Meta {
            mode: 0o104755,
            uid: 1,
            gid: 2,
            mtime: 0o17,
            ..Meta::default()
        };
        let kind = EntryKind::Regular {
            size: 3,
            body: &mut &b"abc"[..],
        };
        let bytes = one(b"usr/a", &meta, kind).expect("bytes");
        assert_eq!(bytes.len(), 1024);
        assert_eq!(&bytes[..100], &[&b"usr/a"[..], &[0; 95]].concat());
        assert_eq!(&bytes[100..108], b"0004755\0");
        assert_eq!(&bytes[108..124], b"0000001\x000000002\0");
        assert_eq!(&bytes[124..148], b"00000000003\x0000000000017\0");
        assert_eq!(&bytes[156..157], b"0");
        assert_eq!(&bytes[257..265], b"ustar\x0000");
        assert_eq!(&bytes[265..329], &[0; 64], "no owner's name");
        assert_eq!(&bytes[512..516], b"abc\0");
    }

    #[test]
    fn records_stand_only_where_they_are_needed_and_count_themselves() {
        let long = [b'a'; 101];
        let bytes = one(&long, &plain(), EntryKind::Fifo).expect("bytes");
        assert_eq!(bytes.len(), 3 * 512);
        assert!(bytes.starts_with(b"././@PaxHeader\0"));
        let record = [&b"111 path="[..], &long, b"\n"].concat();
        assert_eq!(&bytes[512..512 + record.len()], &record);
        assert_eq!(
            one(&long[1..], &plain(), EntryKind::Fifo)
                .expect("bytes")
                .len(),
            512
        );
        // 7 + 89 + 3 = 99 is two digits, so 101 would be three: a case that must settle.
        for length in 80..120 {
            let mut records = Records::default();
            records.add("linkpath", &vec![b'x'; length]);
            let bytes = records.encode().expect("records");
            let (count, _) = std::str::from_utf8(&bytes)
                .expect("text")
                .split_once(' ')
                .expect("a");
            assert_eq!(count.parse(), Ok(bytes.len()));
        }
    }

    #[test]
    fn large_numbers_are_records() {
        let mut meta = plain();
        meta.uid = 3_000_000;
        meta.gid = u32::MAX;
        meta.mtime = -5;
        meta.xattrs.insert("user.x".into(), b"a\nb\0".to_vec());
        let bytes = one(b"a", &meta, EntryKind::Directory).expect("bytes");
        let attribute = "28 SCHILY.xattr.user.x=a\nb\0\n";
        let numbers = "18 gid=4294967295\n12 mtime=-5\n15 uid=3000000\n";
        let text = String::from_utf8_lossy(&bytes[512..1024]).into_owned();
        assert!(
            text.starts_with(&format!("{attribute}{numbers}\0")),
            "{text}"
        );
    }

    #[test]
    fn a_huge_size_is_a_record() {
        let mut tar = TarWriter::new(Vec::new());
        let path = TreePath::new(b"huge").expect("a path");
        let kind = EntryKind::Regular {
            size: 1 << 33,
            body: &mut io::empty(),
        };
        let error = tar.entry(&path, &plain(), kind).expect_err("no body");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let bytes = tar.into_inner();
        assert!(bytes[512..].starts_with(b"19 size=8589934592\n"));
        assert_eq!(&bytes[1024 + 124..1024 + 136], b"00000000000\0");
    }

    #[test]
    fn names_that_are_not_text() {
        let short = one(b"a\xff", &plain(), EntryKind::Fifo).expect("bytes");
        assert!(short.starts_with(b"a\xff\0"));
        let long = [&[b'a'; 200][..], b"\xff"].concat();
        let bytes = one(&long, &plain(), EntryKind::Fifo).expect("bytes");
        assert!(bytes[512..].starts_with(b"21 hdrcharset=BINARY\n"));
        let text = one("ä".as_bytes(), &plain(), EntryKind::Fifo).expect("bytes");
        assert!(text[512..].starts_with("11 path=ä\n".as_bytes()));
    }

    #[test]
    fn what_tar_can_not_hold_is_refused() {
        let device = EntryKind::CharDevice {
            major: 1 << 21,
            minor: 0,
        };
        assert!(one(b"a", &plain(), device).is_err());
        let mut meta = plain();
        meta.xattrs.insert("user.a=b".into(), Vec::new());
        assert!(one(b"a", &meta, EntryKind::Fifo).is_err());
        let long = EntryKind::Regular {
            size: 1,
            body: &mut &b"ab"[..],
        };
        let error = one(b"a", &plain(), long).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
