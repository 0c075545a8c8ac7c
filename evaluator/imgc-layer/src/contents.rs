//! The bytes of files, from wherever they stand.

use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::sync::{Mutex, PoisonError};

use imgc_store::{Blob, BlobDigest, Store};
use imgc_tree::{Content, Data, SegmentId};
use sha2::{Digest as _, Sha256};

use crate::cursor::Cursor;

/// How many segments are held open, at some 3 MB each.
const OPEN: usize = 4;

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
/// Segments stay open where they were left, so that contents which are asked for in the
/// order of their segment cost one pass over it.
pub struct StoreContents<'a> {
    store: &'a dyn Store,
    outside: Option<&'a dyn Contents>,
    /// The one that was used last is at the end.
    open: Mutex<Vec<(SegmentId, Cursor)>>,
}

/// One content in a segment.
struct Slice<'a> {
    id: SegmentId,
    cursor: Option<Cursor>,
    left: u64,
    home: &'a Mutex<Vec<(SegmentId, Cursor)>>,
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

    /// An open segment, to be used again, at an offset if it has been read as far.
    fn ready(&self, id: SegmentId, offset: u64) -> Option<Cursor> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Of several, the one with the least to skip.
        let ready = (0..open.len()).filter(|&i| open[i].0 == id);
        let ready = ready.max_by_key(|&i| Some(open[i].1.at()).filter(|at| *at <= offset));
        ready.map(|at| open.remove(at).1)
    }

    /// A segment from its beginning; back as it came for an archive, whose bytes are not
    /// compressed.
    fn start(&self, mut blob: Blob) -> io::Result<Result<Cursor, Blob>> {
        let mut first = Vec::new();
        let begin = (&mut blob).take(ZSTD.len() as u64).read_to_end(&mut first);
        if begin? != ZSTD.len() || first != ZSTD {
            return Ok(Err(blob));
        }
        blob.seek(SeekFrom::Start(0))?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (open.len() >= OPEN).then(|| open.remove(0).1);
        drop(open);
        Ok(Ok(match oldest {
            Some(oldest) => oldest.turn_to(blob)?,
            None => Cursor::new(blob)?,
        }))
    }

    fn segment(&self, id: SegmentId, offset: u64, size: u64) -> io::Result<Box<dyn Read + '_>> {
        let ready = self.ready(id, offset);
        let mut cursor = match ready {
            Some(cursor) => cursor,
            None => {
                let digest = BlobDigest::from_bytes(id.0);
                let blob = self.store.open(&digest)?.ok_or_else(|| missing(&digest))?;
                match self.start(blob)? {
                    Ok(cursor) => cursor,
                    Err(mut archive) => {
                        archive.seek(SeekFrom::Start(offset))?;
                        let archive = BufReader::with_capacity(64 * 1024, archive);
                        return Ok(Box::new(archive.take(size)));
                    }
                }
            }
        };
        if !cursor.go_to(offset)? {
            return Err(short(id));
        }
        Ok(Box::new(Slice {
            id,
            cursor: Some(cursor),
            left: size,
            home: &self.open,
        }))
    }
}

impl Contents for StoreContents<'_> {
    fn open<'a>(&'a self, content: &Content) -> io::Result<Box<dyn Read + 'a>> {
        match &content.data {
            Data::Inline(bytes) => Ok(Box::new(io::Cursor::new(std::sync::Arc::clone(bytes)))),
            Data::Segment { id, offset } => self.segment(*id, *offset, content.size),
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
        match cursor.read(&mut buf[..room]) {
            Ok(0) => {
                self.cursor = None;
                Err(short(self.id))
            }
            Ok(read) => {
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
            open.push((self.id, cursor));
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
