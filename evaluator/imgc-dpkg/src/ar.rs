//! The outer archive of a `.deb`: a stream of ar members (`deb(5)`, common format).
//! Members are read in order and never sought.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use crate::DebError;

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// The first thing that went wrong below a reader. A reader can only give an
/// [`io::Error`], and what calls it may lose that, so the reason is kept here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault(Rc<RefCell<Option<DebError>>>);

impl Fault {
    /// Keeps `error`, unless there is one, and gives what a reader returns for it.
    pub(crate) fn set(&self, error: DebError) -> io::Error {
        let shown = error.to_string();
        self.0.borrow_mut().get_or_insert(error);
        io::Error::other(shown)
    }

    /// The kept error, else what `other` makes.
    pub(crate) fn take(&self, other: impl FnOnce() -> DebError) -> DebError {
        self.0.borrow_mut().take().unwrap_or_else(other)
    }

    /// The kept error, if there is one: whoever read may have passed over it.
    pub(crate) fn check(&self) -> Result<(), DebError> {
        self.0.borrow_mut().take().map_or(Ok(()), Err)
    }
}

/// An ar archive that is being read.
#[derive(Debug)]
pub(crate) struct Ar<R> {
    input: R,
    number: usize,
}

/// The name and size of a member.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) size: u64,
}

/// The bytes of a member.
#[derive(Debug)]
pub(crate) struct Member<'a, R> {
    input: &'a mut R,
    name: String,
    left: u64,
    consumed: Rc<Cell<u64>>,
    fault: Fault,
}

impl<R: Read> Ar<R> {
    /// Reads the archive's magic.
    pub(crate) fn new(mut input: R) -> Result<Self, DebError> {
        let mut magic = [0; MAGIC.len()];
        if fill(&mut input, &mut magic)? < magic.len() || magic != MAGIC {
            return Err(DebError::NotAr);
        }
        Ok(Self { input, number: 0 })
    }

    /// Reads the next member's header. None at the end of the archive.
    pub(crate) fn next(&mut self) -> Result<Option<Header>, DebError> {
        self.number += 1;
        let number = self.number;
        let mut header = [0; HEADER];
        match fill(&mut self.input, &mut header)? {
            0 => return Ok(None),
            HEADER => {}
            _ => return Err(DebError::Header { number }),
        }
        let name = header[..16].trim_ascii_end();
        let name = name.strip_suffix(b"/").unwrap_or(name);
        let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._+".contains(b);
        let size = std::str::from_utf8(header[48..58].trim_ascii_end())
            .ok()
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok());
        match (size, &header[58..]) {
            (Some(size), b"`\n") if !name.is_empty() && name.iter().all(plain) => {
                Ok(Some(Header {
                    name: String::from_utf8_lossy(name).into_owned(),
                    size,
                }))
            }
            _ => Err(DebError::Header { number }),
        }
    }

    /// The bytes of the member whose header was read last. `consumed` counts them.
    pub(crate) fn member(
        &mut self,
        header: &Header,
        consumed: Rc<Cell<u64>>,
        fault: Fault,
    ) -> Member<'_, R> {
        Member {
            input: &mut self.input,
            name: header.name.clone(),
            left: header.size,
            consumed,
            fault,
        }
    }

    /// Skips a member's bytes.
    pub(crate) fn skip(&mut self, header: &Header) -> Result<(), DebError> {
        let fault = Fault::default();
        let mut member = self.member(header, Rc::default(), fault.clone());
        io::copy(&mut member, &mut io::sink()).map_err(|e| fault.take(|| DebError::Read(e)))?;
        self.pad(header)
    }

    /// Reads what fills a member up to an even size. To be called behind each member.
    pub(crate) fn pad(&mut self, header: &Header) -> Result<(), DebError> {
        if header.size % 2 == 1 && fill(&mut self.input, &mut [0])? == 0 {
            return Err(DebError::Truncated(header.name.clone()));
        }
        Ok(())
    }
}

impl<R: Read> Read for Member<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        match self.input.read(&mut buffer[..wanted]) {
            Ok(0) => Err(self.fault.set(DebError::Truncated(self.name.clone()))),
            Ok(count) => {
                self.left -= count as u64;
                self.consumed.set(self.consumed.get() + count as u64);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(self.fault.set(DebError::Read(error))),
        }
    }
}

/// Reads until `buffer` is full or the input ends. Gives the number of bytes.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, DebError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(DebError::Read(error)),
        }
    }
    Ok(filled)
}
