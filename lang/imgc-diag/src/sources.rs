//! Where renderers get the text from that diagnostics are about.
//! The texts are the caller's; nothing is read here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::diagnostic::{FileId, SpanRange};

/// The texts of source files.
pub trait Sources {
    /// The text of a file, if it is known. Without it, a diagnostic is shown without its line.
    fn text(&self, file: &FileId) -> Option<Cow<'_, str>>;
}

impl<T: AsRef<str>> Sources for BTreeMap<FileId, T> {
    fn text(&self, file: &FileId) -> Option<Cow<'_, str>> {
        self.get(file).map(|text| Cow::Borrowed(text.as_ref()))
    }
}

/// A range made to fit a text: inside of it, and on the bounds of characters.
pub(crate) fn fit(range: SpanRange, text: &str) -> (usize, usize) {
    let floor = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(range.start);
    (start, floor(range.end).max(start))
}

/// The same text, harmless on a terminal: control characters and those that change the direction
/// of text are replaced by others of the same length, so that offsets stay true.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .map(
            |character| match (is_harmful(character), character.len_utf8()) {
                (false, _) => Cow::Owned(character.to_string()),
                (true, 3) => Cow::Borrowed("\u{fffd}"),
                (true, length) => Cow::Borrowed("??".get(..length).unwrap_or("?")),
            },
        )
        .collect()
}

fn is_harmful(character: char) -> bool {
    let direction = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    direction || character.is_control() && !matches!(character, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_fit_any_text() {
        let range = |start, end| SpanRange { start, end };
        assert_eq!(fit(range(0, 2), "ab"), (0, 2));
        assert_eq!(fit(range(5, 9), "ab"), (2, 2));
        assert_eq!(fit(range(1, 2), "é"), (0, 2));
        assert_eq!(fit(range(2, 1), "abc"), (2, 2));
    }

    #[test]
    fn harmless_text_keeps_its_length() {
        let text = "a\u{1b}[31m\u{85}\u{202e}\r\n\té\0";
        let shown = harmless(text);
        assert_eq!(shown, "a?[31m??\u{fffd}?\n\té?");
        assert_eq!(shown.len(), text.len());
    }
}
