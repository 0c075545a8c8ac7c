//! Small things about source text: ranges, quoting for messages, lines.
//! It knows no tokens.

use text_size::{TextRange, TextSize};

/// A range of the source. Offsets are below `MAX_SOURCE`.
pub(crate) fn range(start: usize, end: usize) -> TextRange {
    TextRange::new(size(start), size(end.max(start)))
}

/// An offset as a text size.
pub(crate) fn size(at: usize) -> TextSize {
    TextSize::try_from(at).expect("the source is at most MAX_SOURCE long")
}

/// Source text between backticks for a message: one line, short, control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST || character == '\n' {
            shown.push('…');
            break;
        }
        if character.is_control() || crate::check::is_forbidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    format!("`{shown}`")
}
