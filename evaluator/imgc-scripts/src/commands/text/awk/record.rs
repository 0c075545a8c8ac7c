//! The record, its fields, and how text is split.

use std::rc::Rc;

use super::value::Value;
use crate::commands::text::pattern::Pattern;
use crate::stop::Stop;

/// How text is split.
#[derive(Debug, Clone)]
pub(super) enum Separator {
    /// At blanks, none at its ends.
    Blanks,
    /// Between all bytes.
    Bytes,
    Byte(u8),
    Pattern(Rc<Pattern>),
}

impl Separator {
    /// The parts of a text.
    pub(super) fn split(&self, text: &[u8]) -> Result<Vec<Value>, Stop> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let values = |parts: &mut dyn Iterator<Item = &[u8]>| parts.map(Value::input).collect();
        Ok(match self {
            Self::Blanks => {
                let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
                values(&mut text.split(blank).filter(|part| !part.is_empty()))
            }
            Self::Bytes => values(&mut text.chunks(1)),
            Self::Byte(byte) => values(&mut text.split(|other| other == byte)),
            Self::Pattern(pattern) => {
                let mut parts = Vec::new();
                let (mut from, mut at) = (0, 0);
                while let Some((start, end)) = pattern.find(text, at)? {
                    if start == end {
                        at = start + 1;
                        if at > text.len() {
                            break;
                        }
                        continue;
                    }
                    parts.push(&text[from..start]);
                    (from, at) = (end, end);
                }
                parts.push(&text[from..]);
                values(&mut parts.into_iter())
            }
        })
    }
}

/// The record and its fields, of which one may be ahead of the other.
#[derive(Debug, Default)]
pub(super) struct Record {
    whole: Value,
    fields: Vec<Value>,
    /// Whether the fields are those of the whole.
    split: bool,
    /// Whether the whole must be made of the fields again.
    stale: bool,
}

impl Record {
    /// Sets `$0`.
    pub(super) fn set(&mut self, whole: Value) {
        self.whole = whole;
        self.fields.clear();
        self.split = false;
        self.stale = false;
    }

    /// Whether the fields must be split off before they are looked at.
    pub(super) fn needs_split(&self) -> bool {
        !self.split
    }

    /// Takes the fields of the whole.
    pub(super) fn set_fields(&mut self, fields: Vec<Value>) {
        self.fields = fields;
        self.split = true;
    }

    /// Whether `$0` must be joined before it is looked at.
    pub(super) fn needs_join(&self) -> bool {
        self.stale
    }

    /// The fields, to join them.
    pub(super) fn fields(&self) -> &[Value] {
        &self.fields
    }

    /// Takes the text that the fields make.
    pub(super) fn set_joined(&mut self, whole: Value) {
        self.whole = whole;
        self.stale = false;
    }

    pub(super) fn whole(&self) -> &Value {
        &self.whole
    }

    /// `$number`, counted from 1.
    pub(super) fn field(&self, number: usize) -> Value {
        let field = number.checked_sub(1).and_then(|at| self.fields.get(at));
        field.cloned().unwrap_or_else(|| Value::input(b""))
    }

    /// Sets `$number`, counted from 1; those before it are made.
    pub(super) fn set_field(&mut self, number: usize, value: Value) {
        if self.fields.len() < number {
            self.fields.resize(number, Value::Text(Rc::from(&b""[..])));
        }
        if let Some(field) = number.checked_sub(1).and_then(|at| self.fields.get_mut(at)) {
            *field = value;
        }
        self.stale = true;
    }

    /// Sets `NF`.
    pub(super) fn set_count(&mut self, count: usize) {
        self.fields.resize(count, Value::Text(Rc::from(&b""[..])));
        self.stale = true;
    }
}
