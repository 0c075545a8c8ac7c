//! A recipe to a layer in the store, in one pass and bounded memory.
//!
//! The blob is the concatenation of frames, and most of them are in the store: the layer
//! is joined of them, without a copy. Its digest and its diff id are over all bytes in
//! order: one thread digests the compressed ones and compresses what is new, a second
//! decompresses and digests.

use std::io::{self, BufReader, Read, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use imgc_store::{BlobDigest, BlobWriter, Check, Store, StoreError};
use imgc_tree::{Content, Data, Kind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zstd::stream::read::Decoder;
use zstd::zstd_safe::DCtx;

use crate::EntryKind;
use crate::encode::TarWriter;
use crate::frame::Encoder;
use crate::{Compression, Contents, DiffId, Entry, LayerError, Recipe, Segment, What, frame};

/// How many pieces may wait for the digesting thread, each of about `PIECE` bytes.
const WAITING: usize = 32;
const PIECE: usize = 64 * 1024;

/// A finished layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its compressed form, in the store.
    pub blob: BlobDigest,
    /// The length of its compressed form, in bytes.
    pub size: u64,
    /// The digest of its uncompressed form.
    pub diff_id: DiffId,
    /// The length of its uncompressed form, in bytes.
    pub tar_size: u64,
    /// How it is compressed.
    #[serde(default)]
    pub compression: Compression,
}

/// A segment in the compression of a layer: a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Its digest.
    pub blob: BlobDigest,
    /// Its length in bytes.
    pub size: u64,
}

impl From<Segment> for Frame {
    /// The segment as it is kept: in [`Compression::SEGMENT`].
    fn from(segment: Segment) -> Self {
        Self {
            blob: segment.blob,
            size: segment.size,
        }
    }
}

/// What the digesting thread is told, in the order of the archive.
enum Piece {
    Bytes(Vec<u8>),
    Segment(Segment),
}

/// Compresses a segment in another way, as a new blob.
///
/// # Errors
/// [`LayerError::Segment`] for a segment that is missing or damaged; those of the store.
pub fn recompress(
    store: &dyn Store,
    segment: &Segment,
    compression: Compression,
) -> Result<Frame, LayerError> {
    let mut out = Encoder::new(store.writer()?, compression).map_err(store_error)?;
    let mut decompressor = frame::decompressor().map_err(store_error)?;
    let read = read_segment(store, segment, &mut decompressor, &mut |bytes| {
        out.write_all(bytes).map_err(store_error)
    })?;
    if read != segment.tar_size {
        store.discard(&segment.blob)?;
        return Err(LayerError::Segment(segment.blob));
    }
    let (blob, size) = out.finish().map_err(store_error)?.commit()?;
    Ok(Frame { blob, size })
}

/// The digest of a recipe's head as it stands in the archive. With the segments it is all
/// that decides over a layer without loose entries.
///
/// # Errors
/// [`LayerError::Entry`] for an entry that no archive can have.
///
/// # Panics
/// Where the head has more than folders: that of a layer over others may have whiteouts.
pub fn folders(recipe: &Recipe) -> Result<BlobDigest, LayerError> {
    let mut tar = TarWriter::new(Digesting(Sha256::new()));
    for entry in &recipe.head {
        assert!(
            matches!(entry.what, What::Node(Kind::Directory)),
            "a head of folders"
        );
        tar.entry(&entry.path, &entry.meta, EntryKind::Directory)
            .map_err(|error| entry_error(entry, error))?;
    }
    Ok(BlobDigest::from_bytes(tar.into_inner().0.finalize().into()))
}

/// Makes the layer of `recipe` in `store`, in one compression: `frames` are the recipe's
/// segments in it, in their order.
///
/// # Errors
/// [`LayerError`]; nothing is published. A damaged segment or frame is moved aside, so
/// that the next attempt makes it again.
///
/// # Panics
/// Where there are not as many frames as segments.
pub fn assemble(
    store: &dyn Store,
    recipe: &Recipe,
    compression: Compression,
    frames: &[Frame],
    contents: &dyn Contents,
) -> Result<Layer, LayerError> {
    assert_eq!(frames.len(), recipe.segments.len(), "a frame a segment");
    let (send, receive) = sync_channel(WAITING);
    let (written, digested) = thread::scope(|scope| {
        let digesting = scope.spawn(move || digest(store, &receive));
        let mut making = Making {
            store,
            compression,
            hash: Sha256::new(),
            parts: Vec::with_capacity(frames.len() + 2),
        };
        let written = making.write(recipe, frames, contents, send);
        let digested = digesting
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic));
        (written.map(|()| making), digested)
    });
    // If the other thread failed, this one failed too, but knows less.
    let (diff_id, tar_size) = digested?;
    let Making { hash, parts, .. } = written?;
    let blob = BlobDigest::from_bytes(hash.finalize().into());
    let size = parts.iter().map(|(_, size)| size).sum();
    store.join(&blob, &parts)?;
    Ok(Layer {
        blob,
        size,
        diff_id,
        tar_size,
        compression,
    })
}

/// A layer while its parts are put together.
struct Making<'a> {
    store: &'a dyn Store,
    compression: Compression,
    /// Over all compressed bytes.
    hash: Sha256,
    parts: Vec<(BlobDigest, u64)>,
}

impl Making<'_> {
    /// Goes through all frames. Whatever stands in the archive also goes to `send`.
    fn write(
        &mut self,
        recipe: &Recipe,
        frames: &[Frame],
        contents: &dyn Contents,
        send: SyncSender<Piece>,
    ) -> Result<(), LayerError> {
        if !recipe.head.is_empty() {
            let tar = entries(self.store, &recipe.head, contents, self.tee(&send)?)?;
            let frame = tar.into_inner().end()?;
            self.part(frame)?;
        }
        for (segment, frame) in recipe.segments.iter().zip(frames) {
            if send.send(Piece::Segment(*segment)).is_err() {
                return Err(LayerError::Segment(segment.blob));
            }
            self.segment(frame)?;
        }
        let tar = entries(self.store, &recipe.loose, contents, self.tee(&send)?)?;
        let frame = tar.finish().map_err(store_error)?.end()?;
        self.part(frame)
    }

    fn tee<'t>(&mut self, send: &'t SyncSender<Piece>) -> Result<Tee<'t>, LayerError> {
        let out = Hashed {
            out: self.store.writer()?,
            hash: std::mem::take(&mut self.hash),
        };
        Ok(Tee {
            frame: Encoder::new(out, self.compression).map_err(store_error)?,
            send,
            piece: Vec::with_capacity(PIECE),
        })
    }

    /// Takes a frame that has been written.
    fn part(&mut self, frame: Hashed) -> Result<(), LayerError> {
        self.hash = frame.hash;
        self.parts.push(frame.out.commit()?);
        Ok(())
    }

    /// Takes a frame that is in the store, and checks that it is what it was, unless it was
    /// written a moment ago.
    fn segment(&mut self, frame: &Frame) -> Result<(), LayerError> {
        let damaged = || LayerError::Segment(frame.blob);
        let mut blob = self
            .store
            .open_sized(&frame.blob, frame.size)?
            .ok_or_else(damaged)?;
        let mut hash = (!self.store.was_digested(&frame.blob)).then(Sha256::new);
        let mut buf = vec![0; PIECE];
        let mut size = 0;
        loop {
            let read = match blob.read(&mut buf) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(store_error(error)),
            };
            size += read as u64;
            if let Some(hash) = &mut hash {
                hash.update(&buf[..read]);
            }
            self.hash.update(&buf[..read]);
        }
        let is_it = |hash: Sha256| BlobDigest::from_bytes(hash.finalize().into()) == frame.blob;
        if size != frame.size || !hash.is_none_or(is_it) {
            self.store.discard(&frame.blob)?;
            return Err(damaged());
        }
        self.parts.push((frame.blob, frame.size));
        Ok(())
    }
}

/// A new blob, whose bytes also go into the layer's digest.
struct Hashed {
    out: BlobWriter,
    hash: Sha256,
}

impl Write for Hashed {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(buf)?;
        self.hash.update(&buf[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Digests what is written.
struct Digesting(Sha256);

impl Write for Digesting {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.update(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn entries<W: Write>(
    store: &dyn Store,
    entries: &[Entry],
    contents: &dyn Contents,
    out: W,
) -> Result<TarWriter<W>, LayerError> {
    let mut tar = TarWriter::new(out);
    for entry in entries {
        let kind = match &entry.what {
            What::HardLink(target) => EntryKind::HardLink(target),
            What::Node(Kind::Regular(content)) => {
                if let Err(error) = regular(&mut tar, entry, content, contents) {
                    check_segment(store, content)?;
                    return Err(error);
                }
                continue;
            }
            What::Node(Kind::Directory) => EntryKind::Directory,
            What::Node(Kind::Symlink(target)) => EntryKind::Symlink(target),
            What::Node(Kind::CharDevice { major, minor }) => EntryKind::CharDevice {
                major: *major,
                minor: *minor,
            },
            What::Node(Kind::BlockDevice { major, minor }) => EntryKind::BlockDevice {
                major: *major,
                minor: *minor,
            },
            What::Node(Kind::Fifo) => EntryKind::Fifo,
        };
        let written = tar.entry(&entry.path, &entry.meta, kind);
        written.map_err(|error| entry_error(entry, error))?;
    }
    Ok(tar)
}

fn regular<W: Write>(
    tar: &mut TarWriter<W>,
    entry: &Entry,
    content: &Content,
    contents: &dyn Contents,
) -> Result<(), LayerError> {
    let unreadable = |source| LayerError::Content {
        path: entry.path.clone(),
        source,
    };
    let inner = contents.open(content).map_err(unreadable)?;
    let mut body = Watched {
        inner,
        failed: false,
        read: 0,
    };
    let kind = EntryKind::Regular {
        size: content.size,
        body: &mut body,
    };
    let written = tar.entry(&entry.path, &entry.meta, kind);
    let (failed, read) = (body.failed, body.read);
    match written {
        Ok(Some(body)) if body.sha256 != content.sha256 => Err(LayerError::Changed {
            path: entry.path.clone(),
            expected: hex::encode(content.sha256),
            found: hex::encode(body.sha256),
        }),
        Ok(_) => Ok(()),
        Err(source) if failed || read != content.size => Err(unreadable(source)),
        Err(source) => Err(entry_error(entry, source)),
    }
}

/// Says whether the segment that `content` stands in is to blame where its bytes can't
/// be read or are not those that it names. A content that stands elsewhere is fine.
///
/// # Errors
/// [`LayerError::Segment`] for a segment that is missing or damaged; it is moved aside,
/// so that the next attempt makes it again. Those of the store.
pub fn check_segment(store: &dyn Store, content: &Content) -> Result<(), LayerError> {
    let Data::Segment { id, .. } = content.data else {
        return Ok(());
    };
    let blob = BlobDigest::from_bytes(id.0);
    match store.verify_read(&blob)? {
        Check::Intact(_) => Ok(()),
        Check::Absent | Check::Corrupt => Err(LayerError::Segment(blob)),
    }
}

/// The digesting thread: all bytes of the archive, in order.
fn digest(store: &dyn Store, pieces: &Receiver<Piece>) -> Result<(DiffId, u64), LayerError> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut decompressor = frame::decompressor().map_err(store_error)?;
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => {
                hash.update(&bytes);
                size += bytes.len() as u64;
            }
            Piece::Segment(segment) => {
                let read = read_segment(store, &segment, &mut decompressor, &mut |bytes| {
                    hash.update(bytes);
                    Ok(())
                })?;
                if read != segment.tar_size {
                    store.discard(&segment.blob)?;
                    return Err(LayerError::Segment(segment.blob));
                }
                size += segment.tar_size;
            }
        }
    }
    Ok((DiffId::from_bytes(hash.finalize().into()), size))
}

/// Gives a segment's uncompressed bytes to `take`, and counts them.
fn read_segment(
    store: &dyn Store,
    segment: &Segment,
    decompressor: &mut DCtx<'static>,
    take: &mut dyn FnMut(&[u8]) -> Result<(), LayerError>,
) -> Result<u64, LayerError> {
    let damaged = || LayerError::Segment(segment.blob);
    let blob = store
        .open_sized(&segment.blob, segment.size)?
        .ok_or_else(damaged)?;
    let blob = BufReader::with_capacity(2 * PIECE, blob);
    let decoder = Decoder::with_context(blob, decompressor);
    // One byte more than expected tells a segment that is too long.
    let mut decoder = decoder.take(segment.tar_size + 1);
    let mut buf = vec![0; 2 * PIECE];
    let mut size = 0;
    loop {
        match decoder.read(&mut buf) {
            Ok(0) => return Ok(size),
            Ok(read) => {
                take(&buf[..read])?;
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => {
                store.discard(&segment.blob)?;
                return Err(damaged());
            }
        }
    }
}

/// Writes to a frame and to the digesting thread.
struct Tee<'a> {
    frame: Encoder<Hashed>,
    send: &'a SyncSender<Piece>,
    piece: Vec<u8>,
}

impl Tee<'_> {
    fn pass_on(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.frame.write_all(&piece)?;
        self.send
            .send(Piece::Bytes(piece))
            .map_err(|_| io::Error::other("the archive can't be digested"))
    }

    fn end(mut self) -> Result<Hashed, LayerError> {
        self.pass_on().map_err(store_error)?;
        self.frame.finish().map_err(store_error)
    }
}

impl Write for Tee<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = buf.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&buf[..taken]);
        if self.piece.len() == PIECE {
            self.pass_on()?;
        }
        Ok(taken)
    }

    /// Does nothing: a flush would show in the frame.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells whether an error came from reading.
struct Watched<R> {
    inner: R,
    failed: bool,
    read: u64,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf);
        match &read {
            Ok(read) => self.read += *read as u64,
            Err(error) => self.failed = error.kind() != io::ErrorKind::Interrupted,
        }
        read
    }
}

fn store_error(error: io::Error) -> LayerError {
    LayerError::Store(StoreError::from_io(error, "writing a layer", "".as_ref()))
}

/// An error of writing an entry: the store's, or the entry's own.
fn entry_error(entry: &Entry, source: io::Error) -> LayerError {
    match source.downcast::<StoreError>() {
        Ok(error) => LayerError::Store(error),
        Err(source) => LayerError::Entry {
            path: entry.path.clone(),
            source,
        },
    }
}
