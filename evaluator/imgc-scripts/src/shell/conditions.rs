//! Works out bash's `[[ … ]]`.

use bstr::{BString, ByteSlice as _};

use super::flow::{Flow, Shell};
use super::pattern::{QUOTED, byte};
use super::state::Held;
use super::syntax::{Test, Word};
use crate::commands::system::test as files;
use crate::stop::Stop;

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
        let mut expression = String::from("(?s-u)");
        let mut bracket = false;
        for (at, &mark) in marks.iter().enumerate() {
            let b = byte(mark);
            let c = char::from(b);
            if !b.is_ascii() {
                expression.push_str(&format!("\\x{b:02x}"));
            } else if mark & QUOTED != 0 || (bracket && c == '\\') {
                if !c.is_ascii_alphanumeric() && !c.is_ascii_whitespace() {
                    expression.push('\\');
                }
                expression.push(c);
            } else {
                let opens = marks
                    .get(at + 1)
                    .is_some_and(|&m| b":.=".contains(&byte(m)));
                match c {
                    '[' if bracket && !opens => expression.push('\\'),
                    '[' => bracket = true,
                    ']' => {
                        let class = at > 0 && b":.=".contains(&byte(marks[at - 1]));
                        bracket = bracket && class;
                    }
                    '&' | '~' if bracket => expression.push('\\'),
                    _ => {}
                }
                expression.push(c);
            }
        }
        let regex = regex::bytes::RegexBuilder::new(&expression).build();
        let Ok(regex) = regex else {
            let what = format!("the regular expression {expression} is not known");
            return Err(Stop::unsupported(what).into());
        };
        self.process.machine.spend(text.len() as u64 / 16)?;
        let captures = regex.captures(text);
        let groups = captures.iter().flat_map(|captures| captures.iter());
        let groups =
            groups.map(|group| group.map_or_else(BString::default, |g| g.as_bytes().into()));
        let groups = (0..).zip(groups).collect();
        self.state.entry(b"BASH_REMATCH").value = Some(Held::Array(groups));
        Ok(u8::from(captures.is_none()))
    }
}
