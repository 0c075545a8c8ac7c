//! A place in the source text of one evaluation.

use imgc_diag::{FileId, SpanRange};

/// A range of bytes of one module, by number. It is twelve bytes, so that every
/// value can carry one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// The module, in the order in which modules were loaded.
    pub(crate) module: u32,
    /// The first byte.
    pub(crate) start: u32,
    /// The byte after the last.
    pub(crate) end: u32,
}

impl Span {
    /// Its first byte: the bracket that opens a literal.
    pub(crate) fn first_byte(self) -> Self {
        Self {
            end: self.end.min(self.start + 1),
            ..self
        }
    }

    /// Whether `other` lies in it.
    pub(crate) fn contains(self, other: Self) -> bool {
        self.module == other.module && self.start <= other.start && other.end <= self.end
    }

    /// The span as other crates know it; `files` are the modules' names by number.
    pub(crate) fn shown(self, files: &[FileId]) -> imgc_diag::Span {
        imgc_diag::Span {
            file: files[self.module as usize].clone(),
            range: SpanRange {
                start: self.start,
                end: self.end,
            },
        }
    }
}
