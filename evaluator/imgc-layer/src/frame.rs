//! How layers are compressed: zstd, with everything fixed that the bytes depend on.

use std::io::{self, BufRead, Write};

use zstd::stream::{read::Decoder, write::Encoder};

/// The version of this file's output. It is raised whenever the same bytes would be
/// compressed to others: a new release of zstd, or other settings. It is part of the
/// derivations that compress.
pub const ZSTD_ABI: u32 = 1;

/// The compression level.
pub const ZSTD_LEVEL: i32 = 3;

/// A compressor of one frame: one thread, no dictionary, with a checksum of the
/// contents, without their size. The frame does not depend on how the bytes are cut
/// into writes, as long as nobody flushes in between.
pub(crate) fn encoder<W: Write>(out: W) -> io::Result<Encoder<'static, W>> {
    let mut encoder = Encoder::new(out, ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.include_contentsize(false)?;
    Ok(encoder)
}

/// A decompressor of all frames that follow each other in `input`.
pub(crate) fn decoder<R: BufRead>(input: R) -> io::Result<Decoder<'static, R>> {
    Decoder::with_buffer(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_does_not_depend_on_the_writes() {
        let bytes: Vec<u8> = (0..700_000_u32)
            .flat_map(|n| (n.wrapping_mul(n) >> 7).to_le_bytes())
            .collect();
        let frame = |size: usize| {
            let mut encoder = encoder(Vec::new()).expect("an encoder");
            bytes
                .chunks(size)
                .for_each(|chunk| encoder.write_all(chunk).expect("written"));
            encoder.finish().expect("a frame")
        };
        let whole = frame(bytes.len());
        for size in [512, 1_000, 65_536, 131_072, 1_000_003] {
            assert!(frame(size) == whole, "in pieces of {size}");
        }
    }
}
