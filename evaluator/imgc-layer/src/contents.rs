//! The bytes of files, from wherever they stand.

use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::sync::{Mutex, PoisonError};

use imgc_store::{Blob, BlobDigest, Store};
use imgc_tree::{Content, Data, SegmentId};
use sha2::{Digest as _, Sha256};
use zstd::stream::read::Decoder;

use crate::frame;

/// How many segments are held open, at about 3 MB each.
const OPEN: usize = 24;

/// The most room that is made for bytes before they are there.
const ROOM: usize = 16 << 20;

/// Gives the bytes of contents.
pub trait Contents: Send + Sync {
    /// Opens a content. The bytes are not verified: whoever reads them compares their
    /// digest, as [`read`](Self::read) does.
    ///
    /// # Errors
    /// `NotFound` if nobody knows the bytes, or what reading says.
    fn open<'a>(&'a self, content: &Content) -> io::Result<Box<dyn Read + 'a>>;

    /// All bytes of a content of at most `limit` bytes, verified.
    ///
    /// # Errors
    /// `InvalidData` beyond the limit, or where the bytes are not those that the
    /// content names; else as [`open`](Self::open).
    fn read(&self, content: &Content, limit: u64) -> io::Result<Vec<u8>> {
        if content.size > limit {
            let text = format!("{} bytes are more than the limit of {limit}", content.size);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let room = usize::try_from(content.size).unwrap_or(ROOM);
        let mut bytes = Vec::with_capacity(room.min(ROOM) + 1);
        self.open(content)?
            .take(content.size + 1)
            .read_to_end(&mut bytes)?;
        let found: [u8; 32] = Sha256::digest(&bytes).into();
        if bytes.len() as u64 != content.size || found != content.sha256 {
            let text = format!(
                "the bytes have changed: expected {}, found {}",
                hex::encode(content.sha256),
                hex::encode(found)
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(bytes)
    }
}

/// What every zstd frame begins with (RFC 8878, 3.1.1). No archive does.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The contents that are kept in memory, in a store's segments, and in archives that the
/// store has uncompressed, which contents name as they do segments.
///
/// A segment can only be read from its beginning. Segments stay open where they
/// were left, so that contents which are asked for in the order of their segment
/// cost one pass over it.
pub struct StoreContents<'a> {
    store: &'a dyn Store,
    outside: Option<&'a dyn Contents>,
    /// The one that was used last is at the end.
    open: Mutex<Vec<Cursor>>,
}

/// A segment that is open, and how far it has been read.
struct Cursor {
    id: SegmentId,
    at: u64,
    decoder: Decoder<'static, BufReader<Blob>>,
}

/// One content in a segment.
struct Slice<'a> {
    cursor: Option<Cursor>,
    left: u64,
    home: &'a Mutex<Vec<Cursor>>,
}

impl<'a> StoreContents<'a> {
    /// The contents in memory and in `store`. Those outside are asked of `outside`.
    pub fn new(store: &'a dyn Store, outside: Option<&'a dyn Contents>) -> Self {
        Self {
            store,
            outside,
            open: Mutex::default(),
        }
    }

    /// An archive at an offset; none where it is a segment, whose bytes are compressed.
    fn archive(&self, id: SegmentId, offset: u64) -> io::Result<Option<BufReader<Blob>>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.iter().any(|cursor| cursor.id == id) {
            return Ok(None);
        }
        drop(open);
        let digest = BlobDigest::from_bytes(id.0);
        let mut blob = self.store.open(&digest)?.ok_or_else(|| missing(&digest))?;
        let mut first = Vec::new();
        (&mut blob)
            .take(ZSTD.len() as u64)
            .read_to_end(&mut first)?;
        if first == ZSTD {
            return Ok(None);
        }
        blob.seek(SeekFrom::Start(offset))?;
        Ok(Some(BufReader::with_capacity(64 * 1024, blob)))
    }

    fn segment(&self, id: SegmentId, offset: u64) -> io::Result<Cursor> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Of several, the one with the least to skip.
        let ready = (0..open.len())
            .filter(|&i| open[i].id == id && open[i].at <= offset)
            .max_by_key(|&i| open[i].at);
        let found = ready.map(|at| open.remove(at));
        drop(open);
        let mut cursor = match found {
            Some(cursor) => cursor,
            None => {
                let digest = BlobDigest::from_bytes(id.0);
                let blob = self.store.open(&digest)?.ok_or_else(|| missing(&digest))?;
                let decoder = frame::decoder(BufReader::with_capacity(128 * 1024, blob))?;
                Cursor { id, at: 0, decoder }
            }
        };
        let skip = offset - cursor.at;
        let skipped = io::copy(&mut (&mut cursor.decoder).take(skip), &mut io::sink())?;
        cursor.at += skipped;
        if skipped < skip {
            return Err(short(id));
        }
        Ok(cursor)
    }
}

impl Contents for StoreContents<'_> {
    fn open<'a>(&'a self, content: &Content) -> io::Result<Box<dyn Read + 'a>> {
        match &content.data {
            Data::Inline(bytes) => Ok(Box::new(io::Cursor::new(std::sync::Arc::clone(bytes)))),
            Data::Segment { id, offset } => {
                if let Some(archive) = self.archive(*id, *offset)? {
                    return Ok(Box::new(archive.take(content.size)));
                }
                let cursor = Some(self.segment(*id, *offset)?);
                Ok(Box::new(Slice {
                    cursor,
                    left: content.size,
                    home: &self.open,
                }))
            }
            Data::Outside => match self.outside {
                Some(outside) => outside.open(content),
                None => Err(missing(&BlobDigest::from_bytes(content.sha256))),
            },
        }
    }
}

impl Read for Slice<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(cursor) = self.cursor.as_mut().filter(|_| self.left > 0) else {
            return Ok(0);
        };
        let room = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buf.len());
        if room == 0 {
            return Ok(0);
        }
        match cursor.decoder.read(&mut buf[..room]) {
            Ok(0) => {
                let id = cursor.id;
                self.cursor = None;
                Err(short(id))
            }
            Ok(read) => {
                cursor.at += read as u64;
                self.left -= read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                // The rest can't be decoded: the next one to ask starts afresh.
                self.cursor = None;
                self.left = 0;
                Err(error)
            }
        }
    }
}

impl Drop for Slice<'_> {
    fn drop(&mut self) {
        if let Some(cursor) = self.cursor.take() {
            let mut open = self.home.lock().unwrap_or_else(PoisonError::into_inner);
            if open.len() >= OPEN {
                open.remove(0);
            }
            open.push(cursor);
        }
    }
}

impl std::fmt::Debug for StoreContents<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreContents")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

fn missing(digest: &BlobDigest) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("{digest} is not in the store"),
    )
}

fn short(id: SegmentId) -> io::Error {
    let digest = BlobDigest::from_bytes(id.0);
    let text = format!("the segment {digest} ends too early");
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}
