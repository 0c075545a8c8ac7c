//! Reading records.

use std::rc::Rc;

use bstr::ByteSlice as _;

use crate::commands::text::pattern::Pattern;
use crate::stop::Stop;

/// What ends a record.
#[derive(Debug, Clone)]
pub(super) enum End {
    Byte(u8),
    /// Empty lines.
    Paragraph,
    Pattern(Rc<Pattern>),
}

/// A stream of bytes, and how far it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Reader {
    bytes: Rc<Vec<u8>>,
    at: usize,
}

impl Reader {
    pub(super) fn new(bytes: Rc<Vec<u8>>) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next record; none at the end.
    pub(super) fn next(&mut self, end: &End) -> Result<Option<Vec<u8>>, Stop> {
        if matches!(end, End::Paragraph) {
            while self.bytes.get(self.at) == Some(&b'\n') {
                self.at += 1;
            }
        }
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let (len, used) = match end {
            End::Byte(byte) => match rest.find_byte(*byte) {
                Some(len) => (len, len + 1),
                None => (rest.len(), rest.len()),
            },
            End::Paragraph => match rest.find("\n\n") {
                Some(len) => {
                    let newlines = rest[len..].iter().take_while(|b| **b == b'\n').count();
                    (len, len + newlines)
                }
                None => {
                    let body = rest.strip_suffix(b"\n").unwrap_or(rest);
                    (body.len(), rest.len())
                }
            },
            End::Pattern(pattern) => {
                let mut from = 0;
                loop {
                    match pattern.find(rest, from)? {
                        // What is empty ends nothing.
                        Some((start, stop)) if start == stop && start < rest.len() => {
                            from = start + 1;
                        }
                        Some((start, stop)) if start < stop => break (start, stop),
                        _ => break (rest.len(), rest.len()),
                    }
                }
            }
        };
        let record = rest[..len].to_vec();
        self.at += used;
        Ok(Some(record))
    }
}
