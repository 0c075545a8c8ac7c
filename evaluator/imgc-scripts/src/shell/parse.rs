//! Reads the text of a script: characters, lines, here-documents. The grammar of commands
//! is in `grammar`, that of words in `words`.
//!
//! The parser works on bytes, so that no encoding is an error, and in one pass: what is in
//! `$(…)` is parsed where it stands, as shells do. How deep things nest is bounded.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

use super::syntax::{Mistake, Script, Word};

/// How deep a text may nest.
const NESTING: usize = 60;

/// How many bytes may be parsed in vain: one form is tried, and it was another.
const AGAIN: usize = 1 << 20;

/// A text being parsed.
#[derive(Debug)]
pub(super) struct Parser<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    /// The line at `at`, counted from 1.
    pub(super) line: usize,
    pub(super) bash: bool,
    pub(super) depth: usize,
    /// Bytes that were looked at in vain.
    again: usize,
    waiting: Vec<Waiting>,
}

/// A here-document whose text is still to come.
#[derive(Debug, Clone)]
struct Waiting {
    end: BString,
    /// `<<-`
    strip: bool,
    quoted: bool,
    text: Rc<OnceCell<Word>>,
}

/// What parsing a part comes to.
pub(super) type Parsed<T> = Result<T, Mistake>;

impl Script {
    /// The commands of `text`.
    pub(super) fn parse(text: &[u8], bash: bool) -> Self {
        Self::parse_at(text, bash, 1)
    }

    /// The commands of `text`, whose first line has the number `line`.
    pub(super) fn parse_at(text: &[u8], bash: bool, line: usize) -> Self {
        Parser::new(text, bash, line, 0).program()
    }
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t [u8], bash: bool, line: usize, depth: usize) -> Self {
        Self {
            text,
            at: 0,
            line,
            bash,
            depth,
            again: 0,
            waiting: Vec::new(),
        }
    }

    /// A mistake at this place.
    pub(super) fn mistake<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Mistake {
            line: self.line,
            message: message.into(),
            refused: false,
        })
    }

    /// A form that is not interpreted.
    pub(super) fn refuse<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Mistake {
            line: self.line,
            message: message.into(),
            refused: true,
        })
    }

    /// Says what stands where it must not.
    pub(super) fn unexpected<T>(&mut self) -> Parsed<T> {
        match self.peek() {
            None => self.mistake("unexpected end of file"),
            Some(b'\n') => self.mistake("unexpected newline"),
            Some(b) => self.mistake(format!("{:?} unexpected", char::from(b))),
        }
    }

    /// Goes one level deeper with `parse`.
    pub(super) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= NESTING {
            return self.refuse("it nests too deep");
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Tries a form. Nothing is taken if it is not there.
    pub(super) fn attempt<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Parsed<Option<T>>,
    ) -> Parsed<Option<T>> {
        let (at, line) = (self.at, self.line);
        let waiting = self.waiting.clone();
        match parse(self) {
            Ok(Some(found)) => return Ok(Some(found)),
            Err(mistake) if mistake.refused => return Err(mistake),
            _ => {}
        }
        self.again += self.at - at;
        if self.again > AGAIN {
            return self.refuse("it is too involved");
        }
        (self.at, self.line, self.waiting) = (at, line, waiting);
        Ok(None)
    }

    /// Parses `text`, a part of this one whose escapes were taken off, with `parse`.
    pub(super) fn inner<T>(
        &mut self,
        text: &[u8],
        line: usize,
        parse: impl FnOnce(&mut Parser<'_>) -> Parsed<T>,
    ) -> Parsed<T> {
        let mut parser = Parser::new(text, self.bash, line, self.depth);
        parser.again = self.again;
        let parsed = parse(&mut parser);
        self.again = parser.again;
        parsed
    }

    // Bytes.

    /// The next byte as it stands.
    pub(super) fn raw(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next byte, after lines that a backslash at their end continues.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while self.text[self.at..].starts_with(b"\\\n") {
            self.at += 2;
            self.line += 1;
        }
        self.raw()
    }

    /// Takes the next byte as it stands.
    pub(super) fn bump(&mut self) -> Option<u8> {
        let byte = self.raw()?;
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
        }
        Some(byte)
    }

    /// Takes the next byte if it is `byte`.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.bump();
        }
        there
    }

    /// Whether `bytes` come next, none of them a newline.
    pub(super) fn follows(&mut self, bytes: &[u8]) -> bool {
        self.peek();
        self.text[self.at..].starts_with(bytes)
    }

    /// Takes `bytes` if they come next.
    pub(super) fn eat_all(&mut self, bytes: &[u8]) -> bool {
        let there = self.follows(bytes);
        if there {
            self.at += bytes.len();
        }
        there
    }

    // Blanks, comments, newlines.

    /// Skips blanks, and a comment up to its newline.
    pub(super) fn blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
        if self.raw() == Some(b'#') {
            while self.raw().is_some_and(|b| b != b'\n') {
                self.at += 1;
            }
        }
    }

    /// Skips blanks, comments and newlines.
    pub(super) fn breaks(&mut self) -> Parsed<()> {
        loop {
            self.blanks();
            if self.raw() != Some(b'\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    /// Takes a newline, and the here-documents that begin behind it.
    pub(super) fn newline(&mut self) -> Parsed<()> {
        self.bump();
        for waiting in std::mem::take(&mut self.waiting) {
            self.document(&waiting)?;
        }
        Ok(())
    }

    // Here-documents.

    /// Notes a here-document that ends at the word `end`.
    pub(super) fn await_document(
        &mut self,
        end: BString,
        quoted: bool,
        strip: bool,
    ) -> Rc<OnceCell<Word>> {
        let text = Rc::new(OnceCell::new());
        self.waiting.push(Waiting {
            end,
            strip,
            quoted,
            text: Rc::clone(&text),
        });
        text
    }

    /// Takes what is left of here-documents at the end of a text.
    pub(super) fn finish_documents(&mut self) -> Parsed<()> {
        for waiting in std::mem::take(&mut self.waiting) {
            self.document(&waiting)?;
        }
        Ok(())
    }

    fn document(&mut self, waiting: &Waiting) -> Parsed<()> {
        let first = self.line;
        let mut body = Vec::new();
        // A line that is continued can't be the end, nor is its tab stripped.
        let mut continued = false;
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let length = rest.iter().position(|&b| b == b'\n');
            let mut line = &rest[..length.unwrap_or(rest.len())];
            self.at += length.map_or(rest.len(), |length| length + 1);
            self.line += usize::from(length.is_some());
            if waiting.strip && !continued {
                let tabs = line.iter().take_while(|&&b| b == b'\t').count();
                line = &line[tabs..];
            }
            if !continued && line == waiting.end.as_slice() {
                break;
            }
            body.extend_from_slice(line);
            if length.is_some() {
                body.push(b'\n');
            }
            let escapes = line.iter().rev().take_while(|&&b| b == b'\\').count();
            continued = !waiting.quoted && escapes % 2 == 1;
        }
        let word = if waiting.quoted {
            vec![super::syntax::Part::Quoted(body.into())]
        } else {
            self.inner(&body, first, |inner| inner.here_text())?
        };
        waiting
            .text
            .set(word)
            .or_else(|_| self.mistake("a here-document was read twice"))
    }
}
