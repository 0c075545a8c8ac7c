//! Packed bytes to what they hold: gzip, xz, zstd. It must not look at file names.

use std::io::{Cursor, Read, Result as Io};

use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use crate::process::Process;
use crate::stop::{Stop, Why};

/// The most memory that unpacking may take, in bytes.
const MEMORY: u64 = 256 << 20;

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Lzma,
    Zstd,
}

impl Packing {
    /// By the first bytes; none where they are not known.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        match () {
            () if starts(&[0x1f, 0x8b]) => Some(Self::Gzip),
            () if starts(b"BZh") => Some(Self::Bzip2),
            () if starts(b"\xfd7zXZ\0") => Some(Self::Xz),
            () if starts(&[0x5d, 0, 0]) => Some(Self::Lzma),
            () if starts(&[0x28, 0xb5, 0x2f, 0xfd]) => Some(Self::Zstd),
            () => None,
        }
    }

    /// The program that is called to unpack it.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz | Self::Lzma => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// What `packed` holds. None where it is broken.
///
/// # Errors
/// A [`Stop`] for too many bytes, and for a packing that is not known.
pub(super) fn unpack(
    process: &mut Process<'_, '_>,
    packed: &[u8],
    packing: Packing,
) -> Result<Option<Vec<u8>>, Stop> {
    let limit = process.machine.setup.limits.file as u64;
    let read = match packing {
        Packing::Gzip => take(MultiGzDecoder::new(packed), limit),
        Packing::Xz => match Stream::new_stream_decoder(MEMORY, CONCATENATED) {
            Ok(stream) => take(XzDecoder::new_stream(packed, stream), limit),
            Err(_) => return Ok(None),
        },
        Packing::Lzma => match Stream::new_lzma_decoder(MEMORY) {
            Ok(stream) => take(XzDecoder::new_stream(packed, stream), limit),
            Err(_) => return Ok(None),
        },
        Packing::Zstd => zstd::stream::read::Decoder::with_buffer(Cursor::new(packed))
            .and_then(|decoder| take(decoder, limit)),
        Packing::Bzip2 => return Err(Stop::unsupported("bzip2 can't be unpacked")),
    };
    let Ok(bytes) = read else {
        return Ok(None);
    };
    if bytes.len() as u64 > limit {
        return Err(Stop::new(Why::Budget("a file gets too large")));
    }
    process.machine.spend(bytes.len() as u64 / 256)?;
    Ok(Some(bytes))
}

/// At most one byte more than `limit`.
fn take(from: impl Read, limit: u64) -> Io<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
