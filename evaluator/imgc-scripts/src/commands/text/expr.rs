//! expr.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice as _};

use super::is_utf8;
use super::pattern::{Dialect, Flags, Patterns};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "expr",
    origin: Origin::Essential,
    run,
}];

/// How deep parentheses may nest.
const DEPTH: usize = 100;

/// Why there is no value.
enum Wrong {
    /// The real one says so too, and ends with this status.
    Said(&'static str, u8),
    Stop(Stop),
}

impl From<Stop> for Wrong {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

type Value = Result<BString, Wrong>;

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = process.args[1..].to_vec();
    if args.first().is_some_and(|arg| arg == "--") {
        args.remove(0);
    } else if args.len() == 1 && matches!(args[0].as_slice(), b"--help" | b"--version") {
        return Err(super::options::unknown(&args[0]));
    }
    let utf8 = is_utf8(process);
    let mut expr = Expr {
        args,
        at: 0,
        utf8,
        patterns: process.machine.patterns.clone(),
        depth: 0,
    };
    let value = expr
        .or(true)
        .and_then(|value| match expr.at == expr.args.len() {
            true => Ok(value),
            false => Err(Wrong::Said("syntax error", 2)),
        });
    match value {
        Ok(value) => {
            process.out([value.as_slice(), b"\n"].concat());
            Ok(Status(u8::from(is_null(&value))))
        }
        Err(Wrong::Said(words, status)) => {
            process.complain(words);
            Ok(Status(status))
        }
        Err(Wrong::Stop(stop)) => Err(stop),
    }
}

struct Expr {
    args: Vec<BString>,
    at: usize,
    utf8: bool,
    patterns: Patterns,
    depth: usize,
}

/// Whether a value counts as false: it is empty, or zero.
fn is_null(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    value.is_empty() || (!digits.is_empty() && digits.iter().all(|byte| *byte == b'0'))
}

fn integer(value: &[u8]) -> Option<i128> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    value.to_str().ok()?.parse().ok()
}

fn truth(value: bool) -> BString {
    if value { "1".into() } else { "0".into() }
}

impl Expr {
    fn peek(&self) -> Option<&[u8]> {
        self.args.get(self.at).map(|arg| arg.as_slice())
    }

    fn take(&mut self, words: &[&[u8]]) -> Option<Vec<u8>> {
        let found = self.peek().filter(|word| words.contains(word))?.to_vec();
        self.at += 1;
        Some(found)
    }

    // `live` says whether the value is wanted: errors of the others are none.

    fn or(&mut self, live: bool) -> Value {
        let mut left = self.and(live)?;
        while self.take(&[b"|"]).is_some() {
            let right = self.and(live && is_null(&left))?;
            if is_null(&left) {
                left = if is_null(&right) { "0".into() } else { right };
            }
        }
        Ok(left)
    }

    fn and(&mut self, live: bool) -> Value {
        let mut left = self.compare(live)?;
        while self.take(&[b"&"]).is_some() {
            let right = self.compare(live && !is_null(&left))?;
            if is_null(&left) || is_null(&right) {
                left = "0".into();
            }
        }
        Ok(left)
    }

    fn compare(&mut self, live: bool) -> Value {
        let mut left = self.sum(live)?;
        while let Some(op) = self.take(&[b"<", b"<=", b"=", b"==", b"!=", b">=", b">"]) {
            let right = self.sum(live)?;
            let order = match (integer(&left), integer(&right)) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => left.cmp(&right),
            };
            left = truth(match op.as_slice() {
                b"<" => order == Ordering::Less,
                b"<=" => order != Ordering::Greater,
                b"!=" => order != Ordering::Equal,
                b">=" => order != Ordering::Less,
                b">" => order == Ordering::Greater,
                _ => order == Ordering::Equal,
            });
        }
        Ok(left)
    }

    fn arithmetic(&mut self, left: &[u8], op: u8, right: &[u8], live: bool) -> Value {
        if !live {
            return Ok(left.into());
        }
        let (Some(left), Some(right)) = (integer(left), integer(right)) else {
            return Err(Wrong::Said("non-integer argument", 2));
        };
        if right == 0 && matches!(op, b'/' | b'%') {
            return Err(Wrong::Said("division by zero", 2));
        }
        let value = match op {
            b'+' => left.checked_add(right),
            b'-' => left.checked_sub(right),
            b'*' => left.checked_mul(right),
            b'/' => left.checked_div(right),
            _ => left.checked_rem(right),
        };
        let value = value.ok_or_else(|| Stop::unsupported("expr's number is too large"))?;
        Ok(value.to_string().into())
    }

    fn sum(&mut self, live: bool) -> Value {
        let mut left = self.product(live)?;
        while let Some(op) = self.take(&[b"+", b"-"]) {
            let right = self.product(live)?;
            left = self.arithmetic(&left, op[0], &right, live)?;
        }
        Ok(left)
    }

    fn product(&mut self, live: bool) -> Value {
        let mut left = self.matching(live)?;
        while let Some(op) = self.take(&[b"*", b"/", b"%"]) {
            let right = self.matching(live)?;
            left = self.arithmetic(&left, op[0], &right, live)?;
        }
        Ok(left)
    }

    fn matching(&mut self, live: bool) -> Value {
        let mut left = self.keyword(live)?;
        while self.take(&[b":"]).is_some() {
            let right = self.keyword(live)?;
            if live {
                left = self.search(&left, &right)?;
            }
        }
        Ok(left)
    }

    /// `STRING : REGEX`: the first group, or how many characters matched.
    fn search(&self, text: &[u8], source: &[u8]) -> Value {
        let flags = Flags {
            utf8: self.utf8,
            ..Flags::default()
        };
        let pattern = match self.patterns.one(source, Dialect::Basic, flags) {
            Ok(pattern) => pattern,
            Err(fault) => return Err(Wrong::Said(fault.invalid()?, 2)),
        };
        // The pattern is anchored at the begin.
        let found = pattern.captures_at(text)?;
        Ok(match found {
            Some(spans) if pattern.groups() > 0 => match spans.get(1).copied().flatten() {
                Some((from, to)) => text[from..to].into(),
                None => BString::default(),
            },
            None if pattern.groups() > 0 => BString::default(),
            found => {
                let end = found.and_then(|spans| spans[0]).map_or(0, |(_, end)| end);
                self.characters(&text[..end]).to_string().into()
            }
        })
    }

    fn characters(&self, text: &[u8]) -> usize {
        if self.utf8 {
            text.chars().count()
        } else {
            text.len()
        }
    }

    fn keyword(&mut self, live: bool) -> Value {
        if self.take(&[b"+"]).is_some() {
            return self.any();
        }
        if self.take(&[b"length"]).is_some() {
            let text = self.keyword(live)?;
            return Ok(self.characters(&text).to_string().into());
        }
        if self.take(&[b"match"]).is_some() {
            let (text, source) = (self.keyword(live)?, self.keyword(live)?);
            return if live {
                self.search(&text, &source)
            } else {
                Ok(text)
            };
        }
        if self.take(&[b"index"]).is_some() {
            let (text, set) = (self.keyword(live)?, self.keyword(live)?);
            let set: Vec<char> = set.chars().collect();
            let at = text.chars().position(|char| set.contains(&char));
            return Ok(at.map_or(0, |at| at + 1).to_string().into());
        }
        if self.take(&[b"substr"]).is_some() {
            let text = self.keyword(live)?;
            let (from, len) = (self.keyword(live)?, self.keyword(live)?);
            let (Some(from), Some(len)) = (integer(&from), integer(&len)) else {
                return Ok(BString::default());
            };
            if from <= 0 || len <= 0 {
                return Ok(BString::default());
            }
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            let chars = text.char_indices().skip(from - 1).take(len);
            let part: Vec<u8> = chars
                .flat_map(|(from, to, _)| text[from..to].to_vec())
                .collect();
            return Ok(part.into());
        }
        self.atom(live)
    }

    fn atom(&mut self, live: bool) -> Value {
        if self.take(&[b"("]).is_none() {
            if self.peek() == Some(b")") {
                return Err(Wrong::Said("syntax error: unexpected ')'", 2));
            }
            return self.any();
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Stop::unsupported("expr nests too deep").into());
        }
        let value = self.or(live)?;
        self.depth -= 1;
        match self.take(&[b")"]) {
            Some(_) => Ok(value),
            None => Err(Wrong::Said("syntax error: expecting ')'", 2)),
        }
    }

    fn any(&mut self) -> Value {
        let value = self.args.get(self.at).cloned();
        self.at += 1;
        value.ok_or(Wrong::Said("syntax error: missing argument", 2))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn expressions_have_expr_s_values() {
        for (args, status, want) in [
            (&["1", "+", "2"][..], 0, "3\n"),
            (&["2", "*", "3", "+", "4"], 0, "10\n"),
            (&["7", "-", "7"], 1, "0\n"),
            (&["-7", "/", "2"], 0, "-3\n"),
            (&["abc", ":", "a\\(.\\)c"], 0, "b\n"),
            (&["abc", ":", "ab"], 0, "2\n"),
            (&["abc", ":", "b"], 1, "0\n"),
            (&["abc", ":", "\\(b\\)"], 1, "\n"),
            (&["a", "=", "b"], 1, "0\n"),
            (&["10", ">", "9"], 0, "1\n"),
            (&["", "|", "x"], 0, "x\n"),
            (&["0", "&", "1", "/", "0"], 1, "0\n"),
            (&["length", "äb"], 0, "2\n"),
            (&["substr", "hello", "2", "3"], 0, "ell\n"),
            (&["index", "hello", "lo"], 0, "3\n"),
            (&["(", "1", "+", "2", ")", "*", "3"], 0, "9\n"),
            (&["+", "match"], 0, "match\n"),
            (&["1", "/", "0"], 2, ""),
            (&["1", "+"], 2, ""),
            (&["a", "+", "1"], 2, ""),
            (&[], 2, ""),
        ] {
            let all = [&["expr"], args].concat();
            let ran = machine().run(&all);
            assert_eq!((ran.status, ran.out.as_str()), (status, want), "{args:?}");
        }
    }
}
