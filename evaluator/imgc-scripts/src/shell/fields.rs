//! Puts what a word expands to together: fields, and where they are split.

use bstr::BString;

use super::pattern::{Mark, QUOTED};

/// Fields being made.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) done: Vec<Vec<Mark>>,
    current: Vec<Mark>,
    /// Whether the current field is one even if it is empty.
    exists: bool,
    /// Whether the last field was ended by white space, which a separator may follow.
    ended: bool,
    /// The separators, where anything is split.
    separators: Option<BString>,
    /// Bytes put in, for the budget.
    pub(super) bytes: usize,
}

impl Fields {
    /// Fields that are split at `separators`.
    pub(super) fn split(separators: BString) -> Self {
        Self {
            separators: Some(separators),
            ..Self::default()
        }
    }

    /// One field, never split.
    pub(super) fn whole() -> Self {
        Self::default()
    }

    /// Whether there can be more than one field.
    pub(super) fn splits(&self) -> bool {
        self.separators.is_some()
    }

    /// Text of the script outside of quotes.
    pub(super) fn literal(&mut self, text: &[u8]) {
        self.bytes += text.len();
        self.ended = false;
        self.current.extend(text.iter().map(|&b| Mark::from(b)));
    }

    /// Text that means itself.
    pub(super) fn quoted(&mut self, text: &[u8]) {
        self.bytes += text.len();
        self.ended = false;
        self.exists = true;
        self.current
            .extend(text.iter().map(|&b| Mark::from(b) | QUOTED));
    }

    /// What an expansion outside of quotes gave.
    pub(super) fn expanded(&mut self, text: &[u8]) {
        let Some(separators) = self.separators.take() else {
            self.literal(text);
            return;
        };
        self.bytes += text.len();
        for &byte in text {
            if !separators.contains(&byte) {
                self.current.push(Mark::from(byte));
                self.ended = false;
            } else if matches!(byte, b' ' | b'\t' | b'\n') {
                if self.is_begun() {
                    self.end();
                    self.ended = true;
                }
            } else if self.ended {
                self.ended = false;
            } else {
                self.exists = true;
                self.end();
            }
        }
        self.separators = Some(separators);
    }

    /// Whether the current field is one already.
    pub(super) fn is_begun(&self) -> bool {
        self.exists || !self.current.is_empty()
    }

    /// Ends the current field if it is one.
    pub(super) fn end(&mut self) {
        if self.is_begun() {
            self.done.push(std::mem::take(&mut self.current));
        }
        self.exists = false;
        self.ended = false;
    }

    /// The fields.
    pub(super) fn finish(mut self) -> Vec<Vec<Mark>> {
        self.end();
        self.done
    }

    /// All in one, where nothing was split.
    pub(super) fn join(self) -> Vec<Mark> {
        self.current
    }
}
