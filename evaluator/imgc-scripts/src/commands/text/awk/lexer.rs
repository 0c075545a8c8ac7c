//! The words of awk programs.

use std::rc::Rc;

use crate::commands::text::number;

/// A word of a program.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(Rc<[u8]>),
    Name(Vec<u8>),
    /// A name with `(` right behind it.
    Call(Vec<u8>),
    /// One of the words of [`WORDS`].
    Word(&'static str),
    /// One of the marks of [`MARKS`].
    Mark(&'static str),
    Newline,
    End,
}

const WORDS: [&str; 18] = [
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue",
    "next", "nextfile", "exit", "return", "delete", "in", "getline",
];

/// Longer ones first.
const MARKS: [&str; 43] = [
    "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "==", "<=", ">=", "!=", "!~", ">>",
    "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "|", "?",
    ":", "~", "$", "=", "&", "\\", "@", "#",
];

/// Reads words one by one, since a `/` means two things.
#[derive(Clone)]
pub(super) struct Lexer<'s> {
    source: &'s [u8],
    at: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s [u8]) -> Self {
        Self { source, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | 0x0b | 0x0c) => self.at += 1,
                Some(b'\\') if self.source[self.at + 1..].starts_with(b"\n") => self.at += 2,
                Some(b'\\') if self.source[self.at + 1..].starts_with(b"\r\n") => self.at += 3,
                Some(b'#') => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Result<Token, &'static str> {
        self.blanks();
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        let rest = &self.source[self.at..];
        if first == b'\n' {
            self.at += 1;
            return Ok(Token::Newline);
        }
        if first == b'"' {
            self.at += 1;
            return self.text();
        }
        let dot = first == b'.' && rest.get(1).is_some_and(u8::is_ascii_digit);
        if first.is_ascii_digit() || dot {
            let (value, len) = number::prefix(rest).ok_or("a number is wrong")?;
            self.at += len;
            if !value.is_finite() {
                return Err("a number is too large");
            }
            return Ok(Token::Number(value));
        }
        if first.is_ascii_alphabetic() || first == b'_' {
            let len = rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            let name = &rest[..len];
            self.at += len;
            if let Some(word) = WORDS.iter().find(|word| word.as_bytes() == name) {
                return Ok(Token::Word(if *word == "func" { "function" } else { word }));
            }
            return Ok(match self.peek() {
                Some(b'(') => Token::Call(name.to_vec()),
                _ => Token::Name(name.to_vec()),
            });
        }
        let mark = MARKS.iter().find(|mark| rest.starts_with(mark.as_bytes()));
        let mark = mark.ok_or("a character is not known")?;
        self.at += mark.len();
        Ok(Token::Mark(mark))
    }

    /// A string, whose quote is read.
    fn text(&mut self) -> Result<Token, &'static str> {
        let from = self.at;
        loop {
            match self.peek() {
                None | Some(b'\n') => return Err("a string is not closed"),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        let text = self
            .source
            .get(from..self.at)
            .ok_or("a string is not closed")?;
        self.at += 1;
        Ok(Token::Text(unescape(text).into()))
    }

    /// A pattern, of which the first slash is read.
    pub(super) fn regex(&mut self) -> Result<Rc<[u8]>, &'static str> {
        let mut found = Vec::new();
        let mut inside = false;
        loop {
            let byte = self.peek().ok_or("a pattern is not closed")?;
            self.at += 1;
            match byte {
                b'\n' => return Err("a pattern is not closed"),
                b'/' if !inside => return Ok(found.into()),
                b'\\' => {
                    let next = self.peek().ok_or("a pattern is not closed")?;
                    self.at += 1;
                    if next != b'/' {
                        found.push(b'\\');
                    }
                    found.push(next);
                }
                b'[' if !inside => {
                    inside = true;
                    found.push(byte);
                    // A `]` that comes first is a member.
                    if self.peek() == Some(b'^') {
                        self.at += 1;
                        found.push(b'^');
                    }
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        found.push(b']');
                    }
                }
                b'[' if self.peek() == Some(b':') => {
                    let rest = &self.source[self.at..];
                    let end = rest.windows(2).position(|pair| pair == b":]");
                    let end = end.ok_or("a class is not closed")? + 2;
                    found.push(b'[');
                    found.extend_from_slice(&rest[..end]);
                    self.at += end;
                }
                b']' => {
                    inside = false;
                    found.push(byte);
                }
                byte => found.push(byte),
            }
        }
    }
}

/// A string with its escapes resolved, as mawk does it: what is not known keeps its
/// backslash.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        at += 1;
        if byte != b'\\' {
            made.push(byte);
            continue;
        }
        let Some(&next) = text.get(at) else {
            made.push(b'\\');
            break;
        };
        at += 1;
        match next {
            b'"' => made.push(b'"'),
            b'\\' => made.push(b'\\'),
            b'a' => made.push(7),
            b'b' => made.push(8),
            b'f' => made.push(12),
            b'n' => made.push(b'\n'),
            b'r' => made.push(b'\r'),
            b't' => made.push(b'\t'),
            b'v' => made.push(11),
            b'\n' => {}
            b'0'..=b'7' => {
                let mut value = u32::from(next - b'0');
                let mut count = 1;
                while count < 3
                    && let Some(digit @ b'0'..=b'7') = text.get(at)
                {
                    value = value * 8 + u32::from(digit - b'0');
                    at += 1;
                    count += 1;
                }
                made.push((value & 0xff) as u8);
            }
            b'x' if text.get(at).is_some_and(u8::is_ascii_hexdigit) => {
                let mut value = 0;
                let mut count = 0;
                while count < 2
                    && let Some(digit) = text.get(at).and_then(|b| char::from(*b).to_digit(16))
                {
                    value = value * 16 + digit;
                    at += 1;
                    count += 1;
                }
                made.push((value & 0xff) as u8);
            }
            other => made.extend([b'\\', other]),
        }
    }
    made
}
