//! Decompression within bounds: however little an archive is, what it becomes is limited.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use imgc_dpkg::Limits;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use super::{ExtractError, Fault};

/// The bytes that `input` is compressed of, by how it begins. `size` is its length.
pub(super) fn decoded<'a>(
    start: &[u8],
    input: impl BufRead + 'a,
    size: u64,
) -> Result<Box<dyn Read + 'a>, Fault> {
    let limits = Limits::default();
    let damaged = |error: &dyn std::fmt::Display| ExtractError::Damaged(error.to_string());
    let decoder: Box<dyn Read + 'a> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(input))
    } else if start.starts_with(b"\xfd7zXZ\0") {
        let stream = Stream::new_stream_decoder(limits.memory, CONCATENATED);
        let stream = stream.map_err(|error| damaged(&error))?;
        Box::new(XzDecoder::new_stream(input, stream))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(input);
        let mut decoder = decoder.map_err(|error| damaged(&error))?;
        let set = decoder.window_log_max(limits.memory.ilog2());
        set.map_err(|error| damaged(&error))?;
        Box::new(decoder)
    } else if start.starts_with(b"BZh") {
        return Err(ExtractError::Bzip2.into());
    } else if start.get(257..262) == Some(b"ustar") {
        Box::new(input)
    } else {
        return Err(ExtractError::Kind.into());
    };
    Ok(Box::new(Bounded::new(decoder, size)))
}

/// Reads no more than is allowed for so many compressed bytes.
pub(super) struct Bounded<R> {
    input: R,
    left: u64,
    /// What is said where nothing is left.
    why: ExtractError,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(input: R, compressed: u64) -> Self {
        let limits = Limits::default();
        let ratio = compressed
            .saturating_mul(limits.ratio)
            .max(limits.ratio_from);
        let (left, why) = match ratio < limits.data {
            true => (ratio, ExtractError::Ratio(limits.ratio)),
            false => (limits.data, ExtractError::TooMuch("16 GiB")),
        };
        Self { input, left, why }
    }

    /// How much may still come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(self.why.clone())),
        }
        Ok(read)
    }
}

/// What an error of reading an archive is.
pub(super) fn fault(error: &io::Error) -> Fault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    Fault::Archive(match inner {
        Some(inner) => ExtractError::clone(inner),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            ExtractError::Damaged("it ends too early".to_owned())
        }
        None => ExtractError::Damaged(error.to_string()),
    })
}
