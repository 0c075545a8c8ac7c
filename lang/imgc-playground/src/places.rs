//! Places as a page has them: lines and columns from 0, in halves of four bytes, as
//! JavaScript counts. It knows texts and nothing of what is in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{FileId, Span};
use imgc_ide::{Encoding, LineIndex, Position};
use imgc_syntax::{TextRange, TextSize};
use serde::{Deserialize, Serialize};

/// A place: line and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place(pub(crate) u32, pub(crate) u32);

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Piece {
    /// The file.
    pub(crate) file: String,
    /// Its first place.
    pub(crate) from: Place,
    /// The place after the last.
    pub(crate) to: Place,
}

/// A text in the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Edit {
    /// What is replaced.
    #[serde(flatten)]
    pub(crate) piece: Piece,
    /// What stands there afterwards.
    pub(crate) text: String,
}

/// The lines of files that were asked about.
#[derive(Debug, Default)]
pub(crate) struct Lines(BTreeMap<FileId, (Arc<str>, LineIndex)>);

impl Lines {
    /// Takes note of a file's text.
    pub(crate) fn add(&mut self, file: FileId, text: Arc<str>) {
        let index = LineIndex::new(&text);
        self.0.insert(file, (text, index));
    }

    /// The byte at a place of a file.
    pub(crate) fn byte(&self, file: &FileId, Place(line, column): Place) -> TextSize {
        let position = Position { line, column };
        self.0.get(file).map_or(TextSize::new(0), |(text, index)| {
            index.offset(text, position, Encoding::Utf16)
        })
    }

    /// The place of a byte of a file; the beginning of one that is not known.
    fn place(&self, file: &FileId, byte: u32) -> Place {
        self.0.get(file).map_or(Place(0, 0), |(text, index)| {
            let found = index.position(text, byte.into(), Encoding::Utf16);
            Place(found.line, found.column)
        })
    }

    /// The piece of a file at a range of bytes.
    pub(crate) fn piece(&self, file: &FileId, range: TextRange) -> Piece {
        Piece {
            file: file.to_string(),
            from: self.place(file, range.start().into()),
            to: self.place(file, range.end().into()),
        }
    }

    /// The same for a span.
    pub(crate) fn of_span(&self, span: &Span) -> Piece {
        let (start, end) = (span.range.start, span.range.end);
        let range = TextRange::new(start.into(), end.max(start).into());
        self.piece(&span.file, range)
    }

    /// An edit of a file.
    pub(crate) fn edit(&self, file: &FileId, edit: &imgc_ide::TextEdit) -> Edit {
        Edit {
            piece: self.piece(file, edit.range),
            text: edit.text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_javascript_counts() {
        let mut lines = Lines::default();
        let file = FileId::new("app.img");
        lines.add(file.clone(), "# \u{1f600}\nü = 1".into());
        for (place, byte) in [(Place(0, 4), 6), (Place(1, 0), 7), (Place(1, 1), 9)] {
            assert_eq!(lines.byte(&file, place), TextSize::new(byte), "{place:?}");
            assert_eq!(lines.place(&file, byte), place);
        }
        // Out of the text is its end; a file that nobody knows has no lines.
        assert_eq!(lines.byte(&file, Place(9, 9)), TextSize::new(13));
        assert_eq!(lines.place(&FileId::new("none"), 7), Place(0, 0));
    }
}
