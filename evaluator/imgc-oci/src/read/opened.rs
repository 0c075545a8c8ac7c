//! An image that was opened: its documents, the tree of its files, and their bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use imgc_layer::{Compression, DiffId, Keep, apply_within};
use imgc_store::BlobDigest;
use imgc_tree::{Content, Data, SegmentId, Tree};
use sha2::{Digest as _, Sha256};

use super::{Configuration, Document, Files, Limits, ReadError, layer};
use crate::Descriptor;

/// An image whose documents were read and checked. Its layers were not, yet.
pub struct Opened<'a> {
    pub(super) files: &'a dyn Files,
    /// What it is called where it was found.
    pub name: Option<String>,
    /// Its manifest. Archives of docker have none.
    pub manifest: Option<Document>,
    /// Its configuration.
    pub config: Document,
    /// What that says.
    pub configuration: Configuration,
    /// Its layers, lowest first.
    pub layers: Vec<ReadLayer>,
    /// The annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
}

/// A layer as the documents name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLayer {
    /// Its digest and its length, as it stands there.
    pub descriptor: Descriptor,
    /// What it is.
    pub media_type: String,
    /// The digest of its uncompressed form.
    pub diff_id: DiffId,
    pub(super) file: String,
    pub(crate) compression: Compression,
}

/// What files an image has.
#[derive(Debug, Clone)]
pub struct Contents {
    /// All of them, the layers applied. Contents stand in layers ([`Data::Segment`], with
    /// the digest of the layer's blob), but for those of no bytes.
    pub tree: Tree,
    /// How long each layer is, uncompressed, in bytes.
    pub lengths: Vec<u64>,
}

impl ReadLayer {
    pub(super) fn new(
        file: String,
        descriptor: Descriptor,
        media_type: &str,
        diff_id: DiffId,
    ) -> Result<Self, ReadError> {
        let Some(compression) = layer::compression(media_type) else {
            return Err(ReadError::MediaType {
                name: format!("the layer {}", descriptor.digest),
                media_type: media_type.to_owned(),
            });
        };
        Ok(Self {
            descriptor,
            media_type: media_type.to_owned(),
            diff_id,
            file,
            compression,
        })
    }
}

impl Opened<'_> {
    /// Reads all layers, checks their digests, and applies them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn contents(&self, limits: &Limits) -> Result<Contents, ReadError> {
        let mut tree = Tree::new(0);
        let mut lengths = Vec::new();
        let mut limits = *limits;
        for layer in &self.layers {
            let keep = Keep {
                inline: 0,
                layer: Some(SegmentId(*layer.descriptor.digest.as_bytes())),
            };
            let mut allowance = limits.allowance;
            let ((), length) = layer::whole(self.files, layer, &limits, |archive| {
                apply_within(&mut tree, archive, keep, &mut allowance)
            })?;
            limits.allowance = allowance;
            limits.bytes = limits.bytes.saturating_sub(length);
            lengths.push(length);
        }
        Ok(Contents { tree, lengths })
    }

    /// Gives `each` the bytes of contents of this image's tree, in the order in which they
    /// stand in the layers, those of no bytes first: what `each` is told is the place in
    /// `wanted`. Every layer is read once, and every file's digest checked.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::Taking`] for what `each` says.
    pub fn visit(
        &self,
        wanted: &[&Content],
        limits: &Limits,
        each: &mut dyn FnMut(usize, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), ReadError> {
        let mut standing: BTreeMap<SegmentId, Vec<(u64, usize)>> = BTreeMap::new();
        for (at, content) in wanted.iter().enumerate() {
            match &content.data {
                Data::Segment { id, offset } => {
                    standing.entry(*id).or_default().push((*offset, at));
                }
                Data::Inline(bytes) => {
                    each(at, &mut &**bytes).map_err(ReadError::Taking)?;
                }
                Data::Outside => {}
            }
        }
        for layer in &self.layers {
            let id = SegmentId(*layer.descriptor.digest.as_bytes());
            let Some(mut places) = standing.remove(&id) else {
                continue;
            };
            places.sort_unstable();
            layer::part(self.files, layer, limits, &mut |archive| {
                let mut position = 0;
                for &(offset, at) in &places {
                    let content = wanted[at];
                    pass(archive, &mut position, offset)
                        .and_then(|()| begin(content, &position))
                        .map_err(|error| failed(layer, error))?;
                    let mut body = Checking {
                        inner: archive.take(content.size),
                        hash: Sha256::new(),
                        failed: false,
                    };
                    let taken = each(at, &mut body);
                    if !body.failed {
                        taken.map_err(ReadError::Taking)?;
                    }
                    body.finish(content).map_err(|error| failed(layer, error))?;
                    position += content.size;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// All bytes of small contents of this image's tree, in their order.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    ///
    /// # Panics
    /// Where one has more bytes than memory: whoever calls bounds them.
    pub fn read(&self, wanted: &[&Content], limits: &Limits) -> Result<Vec<Vec<u8>>, ReadError> {
        let mut all = vec![Vec::new(); wanted.len()];
        self.visit(wanted, limits, &mut |at, body| {
            body.read_to_end(&mut all[at]).map(drop)
        })?;
        Ok(all)
    }

    /// Gives `each` a layer's uncompressed archive, with its length; all digests are
    /// checked when it has been read.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn archive(
        &self,
        layer: &ReadLayer,
        limits: &Limits,
        each: impl FnOnce(&mut dyn Read) -> io::Result<()>,
    ) -> Result<(), ReadError> {
        layer::whole(self.files, layer, limits, each).map(drop)
    }

    /// How many bytes somebody pulls who has nothing of it.
    pub fn pulled(&self) -> u64 {
        let documents = self.manifest.iter().chain([&self.config]);
        let documents = documents.map(|document| document.descriptor);
        let layers = self.layers.iter().map(|layer| layer.descriptor);
        let all: BTreeSet<Descriptor> = documents.chain(layers).collect();
        all.iter().map(|one| one.size).fold(0, u64::saturating_add)
    }

    /// Opens a blob of the image as it stands there: a layer, or a document.
    ///
    /// # Errors
    /// [`ReadError`] where it is not there. The bytes are not checked here.
    pub fn blob<'b>(&'b self, digest: &BlobDigest) -> Result<Box<dyn Read + 'b>, ReadError> {
        let documents = self.manifest.iter().chain([&self.config]);
        for document in documents {
            if document.descriptor.digest == *digest {
                return Ok(Box::new(document.bytes.as_slice()));
            }
        }
        let mut layers = self.layers.iter();
        let layer = layers.find(|layer| layer.descriptor.digest == *digest);
        let missing = || ReadError::Missing(digest.to_string());
        layer::open(self.files, layer.ok_or_else(missing)?)
    }
}

impl std::fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("name", &self.name)
            .field("layers", &self.layers)
            .finish_non_exhaustive()
    }
}

fn failed(layer: &ReadLayer, error: io::Error) -> ReadError {
    ReadError::Layer {
        digest: layer.descriptor.digest,
        error,
    }
}

/// Reads on to an offset.
fn pass(archive: &mut dyn Read, position: &mut u64, offset: u64) -> io::Result<()> {
    let amount = offset.checked_sub(*position);
    let amount = amount.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let passed = io::copy(&mut archive.take(amount), &mut io::sink())?;
    *position += passed;
    if passed < amount {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn begin(content: &Content, position: &u64) -> io::Result<()> {
    let end = position.checked_add(content.size);
    end.map(drop)
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A file's bytes on their way, digested.
struct Checking<R> {
    inner: R,
    hash: Sha256,
    /// Whether reading failed, and not whoever reads.
    failed: bool,
}

impl<R: Read> Checking<R> {
    /// Reads what is left, and compares.
    fn finish(mut self, content: &Content) -> io::Result<()> {
        io::copy(&mut self, &mut io::sink())?;
        let found: [u8; 32] = self.hash.finalize().into();
        if found != content.sha256 {
            let text = "a file has changed while it was read";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(())
    }
}

impl<R: Read> Read for Checking<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buf) {
            Ok(read) => {
                self.hash.update(&buf[..read]);
                Ok(read)
            }
            Err(error) => {
                self.failed = error.kind() != io::ErrorKind::Interrupted;
                Err(error)
            }
        }
    }
}
