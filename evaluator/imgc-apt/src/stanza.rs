//! Debian's control format: stanzas of `Name: value` fields.
//!
//! Splits and never copies. What a field means is its reader's business.

/// Why a text is not in the control format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StanzaError {
    /// A line is neither a field, nor the continuation of one.
    #[error("line {line} is neither a field nor the continuation of one")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// A field stands twice in one stanza.
    #[error("line {line}: the field stands twice in its stanza")]
    Duplicate {
        /// Counted from 1.
        line: usize,
    },
    /// A stanza has more fields or a field more bytes than any real one.
    #[error("line {line}: the stanza is too big")]
    TooBig {
        /// Counted from 1.
        line: usize,
    },
}

/// One line that begins a field, or the end of a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// A field with its whole value: the lines that continue it are part of the
    /// value, each with the newline before it.
    Field {
        /// The name as written, without the colon.
        name: &'a str,
        /// The value, without white space around it.
        value: &'a str,
        /// Where the value begins in the text, in bytes.
        start: usize,
        /// The line, counted from 1.
        line: usize,
    },
    /// An empty line, or the end of the text.
    End,
}

/// Walks over the fields of a text.
#[derive(Debug, Clone)]
pub(crate) struct Items<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    ended: bool,
}

impl<'a> Items<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let (at, line, ended) = (0, 0, true);
        Self {
            text,
            at,
            line,
            ended,
        }
    }

    /// The line that begins at `from`, and where the next one begins.
    fn line_at(&self, from: usize) -> (&'a str, usize) {
        let rest = &self.text[from..];
        match rest.find('\n') {
            Some(end) => (&rest[..end], from + end + 1),
            None => (rest, self.text.len()),
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, StanzaError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.at >= self.text.len() {
                // A last stanza without an empty line ends here.
                return (!std::mem::replace(&mut self.ended, true)).then_some(Ok(Item::End));
            }
            let begin = self.at;
            let (first, next) = self.line_at(begin);
            self.at = next;
            self.line += 1;
            let line = self.line;
            if first.is_empty() {
                if !std::mem::replace(&mut self.ended, true) {
                    return Some(Ok(Item::End));
                }
                continue;
            }
            let Some((name, _)) = first.split_once(':').filter(|(name, _)| is_field(name)) else {
                self.at = self.text.len();
                self.ended = true;
                return Some(Err(StanzaError::Line { line }));
            };
            let mut end = begin + first.len();
            while self.at < self.text.len() {
                if !matches!(self.text.as_bytes()[self.at], b' ' | b'\t') {
                    break;
                }
                let (more, next) = self.line_at(self.at);
                end = self.at + more.len();
                self.at = next;
                self.line += 1;
            }
            self.ended = false;
            let value = &self.text[begin + name.len() + 1..end];
            let start = end - value.trim_start().len();
            let value = value.trim();
            return Some(Ok(Item::Field {
                name,
                value,
                start,
                line,
            }));
        }
    }
}

fn is_field(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
        && !name.starts_with(['-', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Result<Vec<Vec<(&str, &str)>>, StanzaError> {
        let mut stanzas = vec![Vec::new()];
        for item in Items::new(text) {
            match item? {
                Item::Field {
                    name, value, start, ..
                } => {
                    assert_eq!(&text[start..start + value.len()], value);
                    stanzas.last_mut().expect("one").push((name, value));
                }
                Item::End => stanzas.push(Vec::new()),
            }
        }
        assert_eq!(stanzas.pop(), Some(Vec::new()), "the last one is closed");
        Ok(stanzas)
    }

    #[test]
    fn splits_stanzas_and_fields() {
        let text = "\n\nA: 1\nB:\n 2\n 3\n\n\nC:x \n";
        assert_eq!(
            fields(text),
            Ok(vec![vec![("A", "1"), ("B", "2\n 3")], vec![("C", "x")]])
        );
        assert_eq!(fields("A: 1"), Ok(vec![vec![("A", "1")]]));
        assert_eq!(fields("A:"), Ok(vec![vec![("A", "")]]));
        assert_eq!(fields(""), Ok(vec![]));
    }

    #[test]
    fn refuses_other_lines() {
        assert_eq!(fields("A: 1\nB"), Err(StanzaError::Line { line: 2 }));
        assert_eq!(fields(" A: 1"), Err(StanzaError::Line { line: 1 }));
        assert_eq!(fields("A: 1\n\n B"), Err(StanzaError::Line { line: 3 }));
        assert_eq!(fields("é: 1"), Err(StanzaError::Line { line: 1 }));
    }
}
