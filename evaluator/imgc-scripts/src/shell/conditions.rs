//! Works out bash's `[[ … ]]`.

use bstr::{BString, ByteSlice as _};

use super::flow::{Flow, Shell};
use super::pattern::{QUOTED, byte};
use super::state::Held;
use super::syntax::{Test, Word};
use crate::commands::system::test as files;
use crate::commands::text::pattern::{Dialect, Flags};

impl Shell<'_, '_, '_> {
    /// The status of a test: 0 where it holds, 1 where not, 2 where it can't be said.
    pub(super) fn holds(&mut self, test: &Test) -> Result<u8, Flow> {
        let is = |holds: bool| Ok(u8::from(!holds));
        match test {
            Test::Not(inner) => Ok(match self.holds(inner)? {
                0 => 1,
                1 => 0,
                other => other,
            }),
            Test::And(left, right) => match self.holds(left)? {
                0 => self.holds(right),
                other => Ok(other),
            },
            Test::Or(left, right) => match self.holds(left)? {
                1 => self.holds(right),
                other => Ok(other),
            },
            Test::Unary(op, word) => {
                let text = self.text(word)?;
                match op.as_slice() {
                    b"-z" => is(text.is_empty()),
                    b"-n" => is(!text.is_empty()),
                    b"-v" => {
                        let name = super::words::reference(&text);
                        let value = match name {
                            Some(name) => self.lookup(&name)?,
                            None => None,
                        };
                        is(value.is_some())
                    }
                    b"-o" => is(self.state.options.is_on(&text.to_str_lossy())),
                    op => match files::file(self.process, op, &text)? {
                        Some(holds) => is(holds),
                        None => Err(self.fatal("conditional unary operator expected")),
                    },
                }
            }
            Test::Binary(left, op, right) => self.compare(left, op, right),
        }
    }

    fn compare(&mut self, left: &Word, op: &BString, right: &Word) -> Result<u8, Flow> {
        let text = self.text(left)?;
        let holds = match op.as_slice() {
            b"==" | b"=" | b"!=" => {
                let pattern = self.pattern(right)?;
                let mut matcher = self.matcher();
                matcher.extended = true;
                matcher.fold = self.state.shopts.contains(&"nocasematch");
                self.matches_as(matcher, &pattern, &text)? == (op != "!=")
            }
            b"=~" => return self.regular(&text, right),
            b"<" => text < self.text(right)?,
            b">" => text > self.text(right)?,
            b"-nt" | b"-ot" | b"-ef" => {
                let right = self.text(right)?;
                files::files(self.process, op, &text, &right, true)
            }
            op => {
                let right = self.text(right)?;
                let (left, right) = (self.arithmetic(&text)?, self.arithmetic(&right)?);
                match op {
                    b"-eq" => left == right,
                    b"-ne" => left != right,
                    b"-lt" => left < right,
                    b"-le" => left <= right,
                    b"-gt" => left > right,
                    b"-ge" => left >= right,
                    _ => return Err(self.fatal("conditional binary operator expected")),
                }
            }
        };
        Ok(u8::from(!holds))
    }

    /// `=~`: an extended regular expression, whose groups go to `BASH_REMATCH`.
    fn regular(&mut self, text: &BString, word: &Word) -> Result<u8, Flow> {
        let marks = self.pattern(word)?;
        let mut expression = Vec::with_capacity(marks.len());
        let mut bracket = false;
        for (at, &mark) in marks.iter().enumerate() {
            let b = byte(mark);
            if mark & QUOTED != 0 {
                if !bracket && b.is_ascii_punctuation() {
                    expression.push(b'\\');
                }
            } else if b == b'[' {
                bracket = true;
            } else if b == b']' {
                let class = at > 0 && b":.=".contains(&byte(marks[at - 1]));
                bracket = bracket && class;
            }
            expression.push(b);
        }
        let patterns = self.process.machine.patterns.clone();
        let pattern = match patterns.one(&expression, Dialect::Extended, Flags::default()) {
            Ok(pattern) => pattern,
            Err(fault) => {
                fault.invalid()?;
                return Ok(2);
            }
        };
        self.process.machine.spend(text.len() as u64 / 16)?;
        let captures = pattern.captures(text, 0)?;
        let groups = captures
            .iter()
            .flatten()
            .map(|group| group.map_or_else(BString::default, |(from, to)| text[from..to].into()));
        let groups = (0..).zip(groups).collect();
        self.state.entry(b"BASH_REMATCH").value = Some(Held::Array(groups));
        Ok(u8::from(captures.is_none()))
    }
}
