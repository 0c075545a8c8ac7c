//! One layer as a stream: decompressed within bounds, and its digests checked at the end.

use std::cell::{Cell, RefCell};
use std::io::{self, BufReader, Read};

use imgc_layer::{Allowance, Compression, decompress};
use imgc_store::BlobDigest;
use sha2::{Digest as _, Sha256};

use super::{Files, ReadError, ReadLayer};

/// What an image may take. Counted, so that the same image is refused everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// All its layers together, decompressed, in bytes.
    pub bytes: u64,
    /// How many bytes one compressed byte may become, after the first `free` ones of a
    /// layer.
    pub ratio: u64,
    /// How many bytes a layer may have whatever the ratio.
    pub free: u64,
    /// Its entries.
    pub allowance: Allowance,
}

impl Limits {
    /// What no real image comes near to.
    pub const IMAGE: Self = Self {
        bytes: 256 << 30,
        ratio: 2_000,
        free: 1 << 30,
        allowance: Allowance::IMAGE,
    };
}

/// Gives the archive of a layer to `take`, and then checks all that is said of the layer.
/// Gives what `take` gave, and the archive's length in bytes.
///
/// A layer that is damaged is told as such, whatever `take` made of it.
pub(super) fn whole<T>(
    files: &dyn Files,
    layer: &ReadLayer,
    limits: &Limits,
    take: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<(T, u64), ReadError> {
    let failed = |error| ReadError::Layer {
        digest: layer.descriptor.digest,
        error,
    };
    let found = open(files, layer)?;
    let hash = RefCell::new(Sha256::new());
    let count = Cell::new(0);
    let mut compressed = Counting {
        inner: found,
        hash: Some(&hash),
        count: &count,
        most: layer.descriptor.size,
    };
    let mut inner_hash = Sha256::new();
    let mut length = 0;
    let taken = (|| {
        let input = BufReader::with_capacity(128 * 1024, &mut compressed);
        let mut archive = Bounded {
            inner: decompress(input, layer.compression)?,
            read: &count,
            written: 0,
            limits,
        };
        let mut digesting = Digesting {
            inner: &mut archive,
            hash: &mut inner_hash,
        };
        let taken = take(&mut digesting)?;
        io::copy(&mut digesting, &mut io::sink())?;
        length = archive.written;
        Ok(taken)
    })();
    // Whatever the decompressor left.
    let rest = io::copy(&mut compressed, &mut io::sink());
    rest.map_err(failed)?;
    let expected = layer.descriptor.size;
    let found = count.get();
    if found != expected {
        return Err(ReadError::Size {
            name: layer.file.clone(),
            expected,
            found,
        });
    }
    let digest = BlobDigest::from_bytes(hash.into_inner().finalize().into());
    if digest != layer.descriptor.digest {
        return Err(mismatch(layer, &layer.descriptor.digest, &digest));
    }
    let taken = taken.map_err(failed)?;
    let found = imgc_layer::DiffId::from_bytes(inner_hash.finalize().into());
    if found != layer.diff_id {
        return Err(mismatch(layer, &layer.diff_id, &found));
    }
    Ok((taken, length))
}

/// Gives the archive of a layer to `take`, which may stop reading anywhere.
pub(super) fn part(
    files: &dyn Files,
    layer: &ReadLayer,
    limits: &Limits,
    take: &mut dyn FnMut(&mut dyn Read) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let count = Cell::new(0);
    let compressed = Counting {
        inner: open(files, layer)?,
        hash: None,
        count: &count,
        most: layer.descriptor.size,
    };
    let input = BufReader::with_capacity(128 * 1024, compressed);
    let inner = decompress(input, layer.compression).map_err(|error| ReadError::Layer {
        digest: layer.descriptor.digest,
        error,
    })?;
    take(&mut Bounded {
        inner,
        read: &count,
        written: 0,
        limits,
    })
}

/// How a layer of a media type is compressed. None for one that is no tar archive.
pub(super) fn compression(media_type: &str) -> Option<Compression> {
    let kind = [
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
    ];
    let kind = kind.iter().find_map(|kind| media_type.strip_prefix(kind))?;
    match kind {
        "" => Some(Compression::None),
        "+gzip" | ".gzip" => Some(Compression::Gzip(0)),
        "+zstd" | ".zstd" => Some(Compression::SEGMENT),
        _ => None,
    }
}

pub(super) fn open<'a>(
    files: &'a dyn Files,
    layer: &ReadLayer,
) -> Result<Box<dyn Read + 'a>, ReadError> {
    let name = || layer.file.clone();
    let found = files.open(&layer.file);
    let found = found.map_err(|error| ReadError::File {
        name: name(),
        error,
    })?;
    Ok(found.ok_or_else(|| ReadError::Missing(name()))?.reader)
}

fn mismatch(
    layer: &ReadLayer,
    expected: &dyn std::fmt::Display,
    found: &dyn std::fmt::Display,
) -> ReadError {
    ReadError::Digest {
        name: format!("the layer {}", layer.descriptor.digest),
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

/// Counts and digests what is read through it.
struct Counting<'a, R> {
    inner: R,
    hash: Option<&'a RefCell<Sha256>>,
    count: &'a Cell<u64>,
    /// More is not read than one byte beyond this.
    most: u64,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = (self.most.saturating_add(1)).saturating_sub(self.count.get());
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let read = self.inner.read(&mut buf[..room])?;
        if let Some(hash) = self.hash {
            hash.borrow_mut().update(&buf[..read]);
        }
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Stops where more comes out of a layer than any real one has.
struct Bounded<'a, R> {
    inner: R,
    /// How many compressed bytes went in.
    read: &'a Cell<u64>,
    written: u64,
    limits: &'a Limits,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.written += read as u64;
        let by_ratio = self.read.get().saturating_mul(self.limits.ratio);
        let most = by_ratio.max(self.limits.free).min(self.limits.bytes);
        if self.written > most {
            let text = format!("it decompresses to more than {most} bytes");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, text));
        }
        Ok(read)
    }
}

/// Digests what is read through it.
struct Digesting<'a, R> {
    inner: R,
    hash: &'a mut Sha256,
}

impl<R: Read> Read for Digesting<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.hash.update(&buf[..read]);
        Ok(read)
    }
}
