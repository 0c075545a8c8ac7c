//! Segments: the entries of one package, as zstd frames that layers can use as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use imgc_store::{BlobDigest, Sealed};
use imgc_tree::{Content, Data, EntryKind, Meta, SegmentId, TreePath};
use serde::{Deserialize, Serialize};

use crate::Compression;
use crate::encode::TarWriter;
use crate::frame::Encoder;

/// The id that contents have while their segment is being written: it is not known
/// before the end. See [`Segment::place`].
pub const UNPLACED: SegmentId = SegmentId([0; 32]);

/// A finished segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Segment {
    /// Its compressed form: zstd frames.
    pub blob: BlobDigest,
    /// The length of its compressed form, in bytes.
    pub size: u64,
    /// The length of its uncompressed form, in bytes: whole tar entries, no end.
    pub tar_size: u64,
}

/// Writes a segment.
pub struct SegmentWriter<W: Write> {
    tar: TarWriter<Encoder<W>>,
    /// What hard links are written with: the metadata of their file.
    metas: BTreeMap<TreePath, Meta>,
}

impl Segment {
    /// How contents name it.
    pub fn id(&self) -> SegmentId {
        SegmentId(*self.blob.as_bytes())
    }

    /// Gives a content that [`SegmentWriter::entry`] returned the id of this, its
    /// segment. Other contents stay as they are.
    pub fn place(&self, content: &mut Content) {
        if let Data::Segment { id, .. } = &mut content.data
            && *id == UNPLACED
        {
            *id = self.id();
        }
    }
}

impl<W: Write> SegmentWriter<W> {
    /// A writer of a segment to `out`, usually a new blob.
    ///
    /// # Errors
    /// Those of starting the compressor.
    pub fn new(out: W) -> io::Result<Self> {
        let tar = TarWriter::new(Encoder::new(out, Compression::SEGMENT)?);
        Ok(Self {
            tar,
            metas: BTreeMap::new(),
        })
    }

    /// Writes one entry. For a regular file it gives its content, in the segment
    /// [`UNPLACED`]. Folders are not written: a layer has all its folders in front,
    /// with the metadata that the whole tree gives them. A hard link is written with
    /// the metadata of its file, whatever `meta` says.
    ///
    /// # Errors
    /// Those of [`TarWriter::entry`]; `InvalidInput` for a hard link to a path that
    /// is not in this segment, before it.
    pub fn entry(
        &mut self,
        path: &TreePath,
        meta: &Meta,
        kind: EntryKind<'_>,
    ) -> io::Result<Option<Content>> {
        let meta = match kind {
            EntryKind::Directory => return Ok(None),
            EntryKind::HardLink(target) => self.metas.get(target).cloned().ok_or_else(|| {
                let text = format!("{path}: a hard link to {target}, which is not before it");
                io::Error::new(io::ErrorKind::InvalidInput, text)
            })?,
            _ => meta.clone(),
        };
        let body = self.tar.entry(path, &meta, kind)?;
        self.metas.insert(path.clone(), meta);
        Ok(body.map(|body| Content {
            size: body.size,
            sha256: body.sha256,
            data: Data::Segment {
                id: UNPLACED,
                offset: body.offset,
            },
        }))
    }

    /// Ends the segment. Gives the output back, and the segment's `tar_size`.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(self) -> io::Result<(W, u64)> {
        let tar_size = self.tar.offset();
        Ok((self.tar.into_inner().finish()?, tar_size))
    }
}

impl SegmentWriter<imgc_store::BlobWriter> {
    /// Ends the segment and commits the blob.
    ///
    /// # Errors
    /// Those of writing. A [`StoreError`](imgc_store::StoreError) can be taken out
    /// with its `from_io`.
    pub fn commit(self) -> io::Result<Segment> {
        let (segment, sealed) = self.seal()?;
        sealed.publish()?;
        Ok(segment)
    }

    /// Ends the segment. The blob is still to be published.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn seal(self) -> io::Result<(Segment, Sealed)> {
        let (blob, tar_size) = self.finish()?;
        let sealed = blob.seal()?;
        let segment = Segment {
            blob: sealed.digest(),
            size: sealed.size(),
            tar_size,
        };
        Ok((segment, sealed))
    }
}

impl<W: Write> std::fmt::Debug for SegmentWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentWriter")
            .field("tar_size", &self.tar.offset())
            .finish_non_exhaustive()
    }
}
