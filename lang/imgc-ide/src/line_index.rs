//! Lines and columns of a text, in the units that editors count in.
//!
//! It knows a text and nothing of what is in it. Lines end in `\n`; a `\r` before it is the
//! last character of its line.

use imgc_syntax::{TextRange, TextSize};

/// The unit that columns are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Halves of four bytes, as JavaScript counts.
    Utf16,
    /// Characters (Unicode scalar values).
    Utf32,
}

/// A place in a text, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, in the unit of an [`Encoding`].
    pub column: u32,
}

/// Where the lines of a text begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
    length: u32,
}

impl LineIndex {
    /// The index of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let ends = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(_, after)| after));
        Self {
            starts: starts.collect(),
            length: u32::try_from(text.len()).unwrap_or(u32::MAX),
        }
    }

    /// How many lines there are; at least one.
    #[must_use]
    pub fn lines(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// The bytes of a line, with its end.
    #[must_use]
    pub fn line(&self, line: u32) -> TextRange {
        let at = line as usize;
        let start = self.starts.get(at).copied().unwrap_or(self.length);
        let end = self.starts.get(at + 1).copied().unwrap_or(self.length);
        TextRange::new(start.into(), end.max(start).into())
    }

    /// The place of a byte. One inside of a character is at its beginning; one after the
    /// text is at its end.
    #[must_use]
    pub fn position(&self, text: &str, offset: TextSize, encoding: Encoding) -> Position {
        let mut offset = u32::from(offset).min(self.length) as usize;
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self
            .starts
            .partition_point(|start| *start as usize <= offset)
            - 1;
        let start = self.starts[line] as usize;
        let before = text.get(start..offset).unwrap_or_default();
        Position {
            line: line as u32,
            column: width(before, encoding),
        }
    }

    /// The byte at a place. A column after the end of its line is at that end, before the
    /// `\n`; a line after the last is at the end of the text.
    #[must_use]
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> TextSize {
        let Some(&start) = self.starts.get(position.line as usize) else {
            return self.length.into();
        };
        let range = std::ops::Range::<usize>::from(self.line(position.line));
        let line = text.get(range).unwrap_or_default();
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut column = 0;
        for (at, character) in line.char_indices() {
            let units = unit(character, encoding);
            if column + units > position.column {
                return (start + at as u32).into();
            }
            column += units;
        }
        (start + line.len() as u32).into()
    }
}

fn width(text: &str, encoding: Encoding) -> u32 {
    text.chars()
        .map(|character| unit(character, encoding))
        .sum()
}

fn unit(character: char, encoding: Encoding) -> u32 {
    let units = match encoding {
        Encoding::Utf8 => character.len_utf8(),
        Encoding::Utf16 => character.len_utf16(),
        Encoding::Utf32 => 1,
    };
    units as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\näb𝄞c\r\n\nend";

    #[test]
    fn every_place_leads_back_to_its_byte() {
        let index = LineIndex::new(TEXT);
        assert_eq!(index.lines(), 4);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            for (offset, _) in TEXT.char_indices().chain([(TEXT.len(), ' ')]) {
                let offset = TextSize::new(offset as u32);
                let position = index.position(TEXT, offset, encoding);
                let back = index.offset(TEXT, position, encoding);
                // The end of a line is before its `\r`.
                let is_end = TEXT[usize::from(offset)..].starts_with('\n');
                assert!(back == offset || is_end, "{position:?}");
            }
        }
    }

    #[test]
    fn columns_are_counted_in_the_unit_of_the_editor() {
        let index = LineIndex::new(TEXT);
        let c = TextSize::new(TEXT.find('c').expect("a c") as u32);
        let column = |encoding| index.position(TEXT, c, encoding).column;
        assert_eq!(column(Encoding::Utf8), 7);
        assert_eq!(column(Encoding::Utf16), 4);
        assert_eq!(column(Encoding::Utf32), 3);
    }

    #[test]
    fn what_is_not_there_is_at_an_end() {
        let index = LineIndex::new(TEXT);
        let place = |line, column| {
            let offset = index.offset(TEXT, Position { line, column }, Encoding::Utf16);
            usize::from(offset)
        };
        assert_eq!(place(0, 99), 1);
        assert_eq!(place(1, 99), TEXT.find('\r').expect("a line end"));
        assert_eq!(place(99, 0), TEXT.len());
        // In the middle of a character: before it.
        assert_eq!(place(1, 3), TEXT.find('𝄞').expect("a clef"));
        assert_eq!(LineIndex::new("").line(7), TextRange::default());
    }
}
