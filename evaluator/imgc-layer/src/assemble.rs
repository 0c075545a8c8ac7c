//! A recipe to a layer in the store, in one pass and bounded memory.
//!
//! The blob is the concatenation of frames, and most of them are copied. The diff id
//! is over the uncompressed bytes of all of them in order: a second thread
//! decompresses and digests, while this one copies and compresses.

use std::io::{self, BufReader, Read, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use imgc_store::{BlobDigest, BlobWriter, Check, Store, StoreError};
use imgc_tree::{Content, Data, Kind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zstd::stream::write::Encoder;

use crate::EntryKind;
use crate::encode::TarWriter;
use crate::{Contents, DiffId, Entry, LayerError, Recipe, Segment, What, frame};

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
}

/// What the digesting thread is told, in the order of the archive.
enum Piece {
    Bytes(Vec<u8>),
    Segment(Segment),
}

/// Writes the layer of `recipe` into `store`.
///
/// # Errors
/// [`LayerError`]; nothing is published. A damaged segment is moved aside, so that
/// the next attempt makes it again.
pub fn assemble(
    store: &dyn Store,
    recipe: &Recipe,
    contents: &dyn Contents,
) -> Result<Layer, LayerError> {
    let mut out = store.writer()?;
    let (send, receive) = sync_channel(WAITING);
    let (written, digested) = thread::scope(|scope| {
        let digesting = scope.spawn(move || digest(store, &receive));
        let written = write(store, recipe, contents, &mut out, send);
        let digested = digesting
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic));
        (written, digested)
    });
    // If the other thread failed, this one failed too, but knows less.
    let (diff_id, tar_size) = digested?;
    written?;
    let (blob, size) = out.commit()?;
    Ok(Layer {
        blob,
        size,
        diff_id,
        tar_size,
    })
}

/// Writes all frames. Whatever goes into the archive also goes to `send`.
fn write(
    store: &dyn Store,
    recipe: &Recipe,
    contents: &dyn Contents,
    out: &mut BlobWriter,
    send: SyncSender<Piece>,
) -> Result<(), LayerError> {
    if !recipe.head.is_empty() {
        let tar = entries(store, &recipe.head, contents, Tee::new(out, &send)?)?;
        tar.into_inner().end()?;
    }
    for segment in &recipe.segments {
        if send.send(Piece::Segment(*segment)).is_err() {
            return Err(LayerError::Segment(segment.blob));
        }
        copy(store, segment, out)?;
    }
    let tar = entries(store, &recipe.loose, contents, Tee::new(out, &send)?)?;
    tar.finish().map_err(store_error)?.end()
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

/// Copies a segment as it is, and checks that it is what it was.
fn copy(store: &dyn Store, segment: &Segment, out: &mut BlobWriter) -> Result<(), LayerError> {
    let damaged = || LayerError::Segment(segment.blob);
    let mut blob = store
        .open_sized(&segment.blob, segment.size)?
        .ok_or_else(damaged)?;
    let mut hash = Sha256::new();
    let mut buf = vec![0; PIECE];
    loop {
        let read = match blob.read(&mut buf) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(store_error(error)),
        };
        hash.update(&buf[..read]);
        out.write_all(&buf[..read]).map_err(store_error)?;
    }
    if BlobDigest::from_bytes(hash.finalize().into()) != segment.blob {
        store.discard(&segment.blob)?;
        return Err(damaged());
    }
    Ok(())
}

/// The digesting thread: all bytes of the archive, in order.
fn digest(store: &dyn Store, pieces: &Receiver<Piece>) -> Result<(DiffId, u64), LayerError> {
    let mut hash = Sha256::new();
    let mut size = 0;
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => {
                hash.update(&bytes);
                size += bytes.len() as u64;
            }
            Piece::Segment(segment) => {
                if unpack(store, &segment, &mut hash)? != segment.tar_size {
                    store.discard(&segment.blob)?;
                    return Err(LayerError::Segment(segment.blob));
                }
                size += segment.tar_size;
            }
        }
    }
    Ok((DiffId::from_bytes(hash.finalize().into()), size))
}

/// Digests a segment's uncompressed bytes, and counts them.
fn unpack(store: &dyn Store, segment: &Segment, hash: &mut Sha256) -> Result<u64, LayerError> {
    let damaged = || LayerError::Segment(segment.blob);
    let blob = store
        .open_sized(&segment.blob, segment.size)?
        .ok_or_else(damaged)?;
    let decoder = frame::decoder(BufReader::with_capacity(2 * PIECE, blob)).map_err(store_error)?;
    // One byte more than expected tells a segment that is too long.
    let mut decoder = decoder.take(segment.tar_size + 1);
    let mut buf = vec![0; 2 * PIECE];
    let mut size = 0;
    loop {
        match decoder.read(&mut buf) {
            Ok(0) => return Ok(size),
            Ok(read) => {
                hash.update(&buf[..read]);
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
    frame: Encoder<'static, &'a mut BlobWriter>,
    send: &'a SyncSender<Piece>,
    piece: Vec<u8>,
}

impl<'a> Tee<'a> {
    fn new(out: &'a mut BlobWriter, send: &'a SyncSender<Piece>) -> Result<Self, LayerError> {
        let frame = frame::encoder(out).map_err(store_error)?;
        Ok(Self {
            frame,
            send,
            piece: Vec::with_capacity(PIECE),
        })
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.frame.write_all(&piece)?;
        self.send
            .send(Piece::Bytes(piece))
            .map_err(|_| io::Error::other("the archive can't be digested"))
    }

    fn end(mut self) -> Result<(), LayerError> {
        self.pass_on().map_err(store_error)?;
        self.frame.finish().map(drop).map_err(store_error)
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
