//! How layers are compressed, with everything fixed that the bytes depend on.
//!
//! Both formats allow several streams one after the other: frames of zstd (RFC 8878,
//! section 3.1), members of gzip (RFC 1952, section 2.2).
//!
//! zstd's frames have at most [`FRAME`] bytes each, and each is compressed at once, from
//! memory to memory. Measured in whole cold builds that takes less time than a stream; the
//! compressor alone, over bytes that are in memory, takes the same.

use std::fmt;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use flate2::GzBuilder;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use zstd::bulk::Compressor;
use zstd::stream::read::Decoder;
use zstd::zstd_safe::DCtx;

/// The version of this file's output in zstd. It is raised whenever the same bytes would
/// be compressed to others: a new release of zstd, or other settings. It is part of the
/// derivations that compress.
pub const ZSTD_ABI: u32 = 2;

/// The same for gzip.
pub const GZIP_ABI: u32 = 1;

/// The level of zstd where nobody says another.
pub const ZSTD_LEVEL: i32 = 3;

/// How many bytes a frame of zstd has at most, before compression. A frame that is shorter
/// is the last one.
pub const FRAME: usize = 4 << 20;

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

/// A compressor: one thread, no dictionary, no name and no time. zstd's frames have a
/// checksum and the size of their contents. What comes out does not depend on how the bytes
/// are cut into writes.
pub(crate) enum Encoder<W: Write> {
    Zstd(Frames<W>),
    Gzip(GzEncoder<W>, Vec<u8>),
    None(W),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(out: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::Zstd(level) => Self::Zstd(Frames::new(out, level)?),
            Compression::Gzip(level) => {
                let encoder = GzBuilder::new().write(out, flate2::Compression::new(level));
                Self::Gzip(encoder, Vec::with_capacity(PIECE))
            }
            Compression::None => Self::None(out),
        })
    }

    /// Compresses what is left, and gives the output back.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(frames) => frames.finish(),
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
            Self::Zstd(frames) => frames.write(buf),
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

    /// Does nothing: where a frame ends must not depend on it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes frames of zstd.
pub(crate) struct Frames<W> {
    out: W,
    bench: Bench,
    /// Whether there is a frame: nothing at all is one that is empty.
    any: bool,
}

/// What it takes to compress frames, some 10 MB. Memory that was used before is there
/// already: whoever needs a bench takes one that is free.
struct Bench {
    level: i32,
    compressor: Compressor<'static>,
    /// The bytes of a frame, at most [`FRAME`].
    plain: Vec<u8>,
    packed: Vec<u8>,
}

static FREE: Mutex<Vec<Bench>> = Mutex::new(Vec::new());

impl Bench {
    fn take(level: i32) -> io::Result<Self> {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let found = free.iter().position(|bench| bench.level == level);
        if let Some(found) = found {
            return Ok(free.swap_remove(found));
        }
        // One of another level would lie there for nothing.
        free.pop();
        drop(free);
        let mut compressor = Compressor::new(level)?;
        compressor.include_checksum(true)?;
        Ok(Self {
            level,
            compressor,
            plain: Vec::with_capacity(FRAME),
            packed: Vec::with_capacity(zstd::zstd_safe::compress_bound(FRAME)),
        })
    }

    fn give_back(mut self) {
        self.plain.clear();
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self);
    }
}

impl<W: Write> Frames<W> {
    fn new(out: W, level: i32) -> io::Result<Self> {
        Ok(Self {
            out,
            bench: Bench::take(level)?,
            any: false,
        })
    }

    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let plain = &mut self.bench.plain;
        let taken = buf.len().min(FRAME - plain.len());
        plain.extend_from_slice(&buf[..taken]);
        if plain.len() == FRAME {
            self.frame()?;
        }
        Ok(taken)
    }

    fn frame(&mut self) -> io::Result<()> {
        let Bench {
            compressor,
            plain,
            packed,
            ..
        } = &mut self.bench;
        packed.clear();
        compressor.compress_to_buffer(plain, packed)?;
        self.out.write_all(packed)?;
        plain.clear();
        self.any = true;
        Ok(())
    }

    fn finish(mut self) -> io::Result<W> {
        if !self.any || !self.bench.plain.is_empty() {
            self.frame()?;
        }
        self.bench.give_back();
        Ok(self.out)
    }
}

impl<W: Write> fmt::Debug for Encoder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// A decompressor of all zstd frames that follow each other in `input`.
pub(crate) fn decoder<R: BufRead>(input: R) -> io::Result<Decoder<'static, R>> {
    Decoder::with_buffer(input)
}

/// The memory of a decompressor, for one after the other.
pub(crate) fn decompressor() -> io::Result<DCtx<'static>> {
    DCtx::try_create().ok_or_else(|| io::ErrorKind::OutOfMemory.into())
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

/// The size in bytes of the frame of zstd that begins at `at`, if its contents are
/// [`FRAME`] bytes. Nothing is decompressed: the headers of its blocks are read (RFC 8878,
/// section 3.1.1). None for another frame and for no frame. Of one that is cut off in its
/// last block it says the size that it should have.
///
/// # Errors
/// Those of reading.
pub(crate) fn full_frame(input: &mut (impl Read + Seek), at: u64) -> io::Result<Option<u64>> {
    // Magic number, descriptor, window, dictionary, size: each as long as it can be.
    let mut head = Vec::with_capacity(18);
    input.seek(SeekFrom::Start(at))?;
    input.take(18).read_to_end(&mut head)?;
    let Ok(Some(plain)) = zstd::zstd_safe::get_frame_content_size(&head) else {
        return Ok(None);
    };
    if plain != FRAME as u64 {
        return Ok(None);
    }
    let flags = head[4];
    let has_checksum = flags & 4 != 0;
    let window = u64::from(flags & 0x20 == 0);
    let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
    // A size of so many bytes takes four of them at least.
    let size = if flags >> 6 == 3 { 8 } else { 4 };
    let mut end = at + 5 + window + dictionary + size;
    loop {
        let mut block = [0; 4];
        input.seek(SeekFrom::Start(end))?;
        match input.read_exact(&mut block[..3]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let block = u32::from_le_bytes(block);
        end += 3 + match block >> 1 & 3 {
            // One byte, that many times.
            1 => 1,
            0 | 2 => u64::from(block >> 3),
            _ => return Ok(None),
        };
        if block & 1 == 1 {
            end += if has_checksum { 4 } else { 0 };
            return Ok(Some(end - at));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Bytes that can be compressed, but not to nothing: four a word.
    pub(crate) fn varied(words: u32) -> Vec<u8> {
        (0..words)
            .flat_map(|n| (n.wrapping_mul(n) >> 7).to_le_bytes())
            .collect()
    }

    /// Frames of these bytes, which are written in pieces of this size.
    pub(crate) fn packed(bytes: &[u8], level: i32, piece: usize) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new(), Compression::Zstd(level)).expect("an encoder");
        bytes
            .chunks(piece)
            .for_each(|chunk| encoder.write_all(chunk).expect("written"));
        encoder.finish().expect("frames")
    }

    fn frames(mut packed: &[u8]) -> Vec<usize> {
        let mut sizes = Vec::new();
        while !packed.is_empty() {
            let plain = zstd::zstd_safe::get_frame_content_size(packed);
            let plain = plain.expect("a frame").expect("its size");
            sizes.push(usize::try_from(plain).expect("a size of memory"));
            let size = zstd::zstd_safe::find_frame_compressed_size(packed).expect("a frame");
            packed = &packed[size..];
        }
        sizes
    }

    #[test]
    fn full_frames_are_measured() {
        let bytes = varied(FRAME as u32 / 2);
        let plain = vec![0; FRAME];
        for bytes in [&bytes[..FRAME], &bytes[FRAME..], &plain] {
            for level in [1, 3, 19] {
                for checksum in [true, false] {
                    let mut compressor = Compressor::new(level).expect("zstd");
                    compressor.include_checksum(checksum).expect("a checksum");
                    let packed = compressor.compress(bytes).expect("a frame");
                    let all = [b"before", &packed[..], b"behind"].concat();
                    let found = full_frame(&mut io::Cursor::new(&all), 6).expect("read");
                    assert_eq!(found, Some(packed.len() as u64));
                    // A frame that ends with a header's first byte, and one in a block.
                    for cut in [5, 20, packed.len() / 2] {
                        let all = &packed[..cut];
                        let found = full_frame(&mut io::Cursor::new(all), 0).expect("read");
                        assert!(found.is_none_or(|size| size > cut as u64), "{cut}");
                    }
                }
            }
        }
        for other in [
            packed(&bytes[1..FRAME], 3, FRAME),
            b"no".to_vec(),
            Vec::new(),
        ] {
            let found = full_frame(&mut io::Cursor::new(&other), 0).expect("read");
            assert_eq!(found, None);
        }
        // One that does not say its size.
        let silent = zstd::encode_all(&bytes[..FRAME], 3).expect("zstd");
        assert_eq!(
            full_frame(&mut io::Cursor::new(&silent), 0).expect("read"),
            None
        );
    }

    #[test]
    fn frames_have_one_size_but_for_the_last() {
        let bytes = varied(FRAME as u32 / 2);
        assert_eq!(bytes.len(), 2 * FRAME);
        for (size, expected) in [
            (0, vec![0]),
            (1, vec![1]),
            (FRAME, vec![FRAME]),
            (FRAME + 1, vec![FRAME, 1]),
            (2 * FRAME, vec![FRAME, FRAME]),
        ] {
            for piece in [100_000, 3 * FRAME] {
                let packed = packed(&bytes[..size], 3, piece);
                assert_eq!(frames(&packed), expected, "{size} in pieces of {piece}");
                let back = zstd::decode_all(&packed[..]).expect("frames");
                assert!(back == bytes[..size]);
            }
        }
    }

    /// What a compressor did before must not show.
    #[test]
    fn a_frame_does_not_depend_on_those_before_it() {
        let bytes = varied(FRAME as u32 / 3);
        // Compressors that have done nothing before: not those that are used again.
        let fresh = |part: &[u8], level| {
            let frames = part.chunks(FRAME).flat_map(|plain| {
                let mut compressor = Compressor::new(level).expect("zstd");
                compressor.include_checksum(true).expect("a checksum");
                compressor.compress(plain).expect("a frame")
            });
            (level, frames.collect::<Vec<u8>>())
        };
        let parts = [
            (&bytes[..], 3),
            (&bytes[1_000..300_000], 3),
            (&bytes[500_000..], 3),
            (&bytes[..70], 3),
            (&bytes[..], 1),
            (&bytes[7..200_000], 3),
        ];
        for (part, level) in parts.iter().chain(&parts) {
            let again = (*level, packed(part, *level, FRAME));
            assert!(again == fresh(part, *level), "{} bytes", part.len());
        }
    }

    #[test]
    fn what_comes_out_does_not_depend_on_the_writes() {
        let bytes = varied(250_000);
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
            let packed = |size: usize| {
                let mut encoder = Encoder::new(Vec::new(), compression).expect("an encoder");
                bytes
                    .chunks(size)
                    .for_each(|chunk| encoder.write_all(chunk).expect("written"));
                encoder.finish().expect("all")
            };
            let whole = packed(bytes.len());
            for size in [512, 1_000, 65_536, 131_072, 1_000_003] {
                assert!(packed(size) == whole, "{compression:?} in pieces of {size}");
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
