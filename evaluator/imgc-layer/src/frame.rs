//! How layers are compressed, with everything fixed that the bytes depend on.
//!
//! Both formats allow several streams one after the other: frames of zstd (RFC 8878,
//! section 3.1), members of gzip (RFC 1952, section 2.2).

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use flate2::GzBuilder;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

/// The version of this file's output in zstd. It is raised whenever the same bytes would
/// be compressed to others: a new release of zstd, or other settings. It is part of the
/// derivations that compress.
pub const ZSTD_ABI: u32 = 1;

/// The same for gzip.
pub const GZIP_ABI: u32 = 1;

/// The level of zstd where nobody says another.
pub const ZSTD_LEVEL: i32 = 3;

/// How many bytes gzip's compressor is given at once. Where they are cut must not depend
/// on who writes them.
const PIECE: usize = 64 * 1024;

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// zstd, at a level of 1 to 19.
    Zstd(i32),
    /// gzip, at a level of 1 to 9.
    Gzip(u32),
    /// Not at all.
    None,
}

impl Compression {
    /// What segments are kept in: zstd at its usual level.
    pub const SEGMENT: Self = Self::Zstd(ZSTD_LEVEL);

    /// The version of the code that compresses so. None for no compression.
    pub const fn abi(self) -> u32 {
        match self {
            Self::Zstd(_) => ZSTD_ABI,
            Self::Gzip(_) => GZIP_ABI,
            Self::None => 0,
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::SEGMENT
    }
}

/// A compressor of one frame: one thread, no dictionary, no name and no time. zstd's has a
/// checksum of the contents, without their size. The frame does not depend on how the
/// bytes are cut into writes, as long as nobody flushes in between.
pub(crate) enum Encoder<W: Write> {
    Zstd(zstd::stream::write::Encoder<'static, W>),
    Gzip(GzEncoder<W>, Vec<u8>),
    None(W),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(out: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::Zstd(level) => {
                let mut encoder = zstd::stream::write::Encoder::new(out, level)?;
                encoder.include_checksum(true)?;
                encoder.include_contentsize(false)?;
                Self::Zstd(encoder)
            }
            Compression::Gzip(level) => {
                let encoder = GzBuilder::new().write(out, flate2::Compression::new(level));
                Self::Gzip(encoder, Vec::with_capacity(PIECE))
            }
            Compression::None => Self::None(out),
        })
    }

    /// Ends the frame, and gives the output back.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(mut encoder, piece) => {
                encoder.write_all(&piece)?;
                encoder.finish()
            }
            Self::None(out) => Ok(out),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(buf),
            Self::Gzip(encoder, piece) => {
                let taken = buf.len().min(PIECE - piece.len());
                piece.extend_from_slice(&buf[..taken]);
                if piece.len() == PIECE {
                    encoder.write_all(piece)?;
                    piece.clear();
                }
                Ok(taken)
            }
            Self::None(out) => out.write(buf),
        }
    }

    /// Does nothing: a flush would show in the frame.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> fmt::Debug for Encoder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// A decompressor of all zstd frames that follow each other in `input`.
pub(crate) fn decoder<R: BufRead>(input: R) -> io::Result<zstd::stream::read::Decoder<'static, R>> {
    zstd::stream::read::Decoder::with_buffer(input)
}

/// The bytes of a layer that is compressed so, decompressed. The level does not matter.
///
/// # Errors
/// Those of starting the decompressor.
pub fn decompress<'a>(
    input: impl BufRead + 'a,
    compression: Compression,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        Compression::Zstd(_) => Box::new(decoder(input)?),
        Compression::Gzip(_) => Box::new(MultiGzDecoder::new(input)),
        Compression::None => Box::new(input),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_does_not_depend_on_the_writes() {
        let bytes: Vec<u8> = (0..250_000_u32)
            .flat_map(|n| (n.wrapping_mul(n) >> 7).to_le_bytes())
            .collect();
        let all = [
            Compression::Zstd(1),
            Compression::Zstd(3),
            Compression::Zstd(19),
            Compression::Gzip(1),
            Compression::Gzip(6),
            Compression::Gzip(9),
            Compression::None,
        ];
        for compression in all {
            let frame = |size: usize| {
                let mut encoder = Encoder::new(Vec::new(), compression).expect("an encoder");
                bytes
                    .chunks(size)
                    .for_each(|chunk| encoder.write_all(chunk).expect("written"));
                encoder.finish().expect("a frame")
            };
            let whole = frame(bytes.len());
            for size in [512, 1_000, 65_536, 131_072, 1_000_003] {
                assert!(frame(size) == whole, "{compression:?} in pieces of {size}");
            }
            let twice = [&whole[..], &whole[..]].concat();
            let mut back = Vec::new();
            let mut stream = decompress(&twice[..], compression).expect("a stream");
            let read = stream.read_to_end(&mut back);
            assert_eq!(read.expect("decompressed"), 2 * bytes.len());
            assert!(back == [&bytes[..], &bytes[..]].concat());
        }
    }
}
