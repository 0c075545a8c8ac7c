//! Decompression of a member, within bounds. The whole of an archive is never held:
//! bytes stream from the member through the decoder.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, IGNORE_CHECK, Stream};

use crate::ar::{Ar, Fault, Header};
use crate::{DebError, Limits};

const BUFFER: usize = 64 << 10;

/// How a member is compressed, by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Xz,
    Zstd,
}

impl Compression {
    /// What `suffix` stands for: what is behind `.tar` in a member's name.
    pub(crate) fn of(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "" => Self::None,
            ".gz" => Self::Gzip,
            ".xz" => Self::Xz,
            ".zst" => Self::Zstd,
            _ => return None,
        })
    }
}

/// The decompressed bytes of a member. It gives an error where a bound is passed.
pub(crate) struct Decoded<'a> {
    input: Box<dyn Read + 'a>,
    name: String,
    produced: u64,
    consumed: Rc<Cell<u64>>,
    limit: u64,
    ratio: u64,
    ratio_from: u64,
    ended: Rc<Cell<bool>>,
    fault: Fault,
}

impl<'a> Decoded<'a> {
    /// Decodes the member behind `header`, which may become `limit` bytes long.
    pub(crate) fn new<R: Read>(
        archive: &'a mut Ar<R>,
        header: &Header,
        compression: Compression,
        limit: u64,
        limits: &Limits,
        fault: Fault,
    ) -> Result<Self, DebError> {
        let consumed = Rc::new(Cell::new(0));
        let member = archive.member(header, Rc::clone(&consumed), fault.clone());
        let member = BufReader::with_capacity(BUFFER, member);
        let corrupt = |error: &dyn std::fmt::Display| DebError::Corrupt {
            member: header.name.clone(),
            reason: error.to_string(),
        };
        let input: Box<dyn Read + 'a> = match compression {
            Compression::None => Box::new(member),
            Compression::Gzip => Box::new(MultiGzDecoder::new(member)),
            Compression::Xz => {
                // Who unpacks a package has the digest of all its bytes from its archive: a
                // checksum tells nothing more, and takes a tenth of the decoder's time.
                let flags = CONCATENATED | IGNORE_CHECK;
                let stream = Stream::new_stream_decoder(limits.memory, flags)
                    .map_err(|error| corrupt(&error))?;
                Box::new(XzDecoder::new_stream(member, stream))
            }
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(member)
                    .map_err(|error| corrupt(&error))?;
                decoder
                    .window_log_max(limits.memory.max(1).ilog2())
                    .map_err(|error| corrupt(&error))?;
                Box::new(decoder)
            }
        };
        Ok(Self {
            input,
            name: header.name.clone(),
            produced: 0,
            consumed,
            limit,
            ratio: limits.ratio,
            ratio_from: limits.ratio_from,
            ended: Rc::default(),
            fault,
        })
    }

    /// A flag that is set once the end of the bytes was met.
    pub(crate) fn ended(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.ended)
    }
}

impl Read for Decoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let member = || self.name.clone();
        let count = match self.input.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            // A compressed stream that ends within the member is truncated too.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(self.fault.set(DebError::Truncated(member())));
            }
            Err(error) => {
                let reason = error.to_string();
                return Err(self.fault.set(DebError::Corrupt {
                    member: member(),
                    reason,
                }));
            }
        };
        self.ended.set(count == 0);
        self.produced += count as u64;
        if self.produced > self.limit {
            let limit = self.limit;
            return Err(self.fault.set(DebError::TooLarge {
                member: member(),
                limit,
            }));
        }
        let allowed = self
            .consumed
            .get()
            .saturating_mul(self.ratio)
            .max(self.ratio_from);
        if self.produced > allowed {
            let limit = self.ratio;
            return Err(self.fault.set(DebError::Ratio {
                member: member(),
                limit,
            }));
        }
        Ok(count)
    }
}

impl std::fmt::Debug for Decoded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoded")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
