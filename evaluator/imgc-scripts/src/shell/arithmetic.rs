//! Arithmetic: `$((…))` and `((…))`, in 64 bits, as C has it.

use bstr::{BString, ByteSlice as _};

use super::flow::{Flow, Shell};
use super::words::name_length;
use crate::stop::{Stop, Why};

/// How deep expressions nest, and how often values are expressions themselves.
const DEPTH: usize = 64;

/// Binary operators, with how tightly they bind; the longer of two come first.
const BINARY: [(&str, u8); 19] = [
    ("||", 1),
    ("&&", 2),
    ("==", 6),
    ("!=", 6),
    ("<=", 7),
    (">=", 7),
    ("<<", 8),
    (">>", 8),
    ("**", 11),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("<", 7),
    (">", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
    ("%", 10),
];

/// Operators that assign.
const ASSIGNING: [&str; 11] = [
    "<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "=",
];

/// What can be assigned.
#[derive(Debug, Clone)]
struct Place {
    name: BString,
    index: Option<BString>,
}

/// An expression being worked out.
struct Evaluator<'e, 's, 'p, 'r> {
    shell: &'e mut Shell<'s, 'p, 'r>,
    text: &'e [u8],
    at: usize,
    depth: usize,
    /// How many parts are skipped, as the right side of `0 && x`.
    skipped: usize,
}

impl Shell<'_, '_, '_> {
    /// The value of an expression whose `$…` are expanded.
    pub(super) fn arithmetic(&mut self, text: &[u8]) -> Result<i64, Flow> {
        self.arithmetic_at(text, 0)
    }

    fn arithmetic_at(&mut self, text: &[u8], depth: usize) -> Result<i64, Flow> {
        let plain = text.trim_ascii();
        if plain.len() < 18 && !plain.is_empty() && !plain.starts_with(b"0") {
            let number = plain.to_str().ok().and_then(|text| text.parse().ok());
            if let Some(number) = number.filter(|_| plain[0].is_ascii_digit()) {
                return Ok(number);
            }
        }
        self.process.machine.spend(1 + text.len() as u64 / 16)?;
        let mut evaluator = Evaluator {
            shell: self,
            text,
            at: 0,
            depth,
            skipped: 0,
        };
        evaluator.blanks();
        if evaluator.at == text.len() {
            return Ok(0);
        }
        let value = evaluator.comma()?;
        evaluator.blanks();
        if evaluator.at < text.len() {
            return Err(evaluator.wrong("expecting EOF"));
        }
        Ok(value)
    }
}

impl Evaluator<'_, '_, '_, '_> {
    fn wrong(&mut self, what: &str) -> Flow {
        let message = format!("arithmetic expression: {what}: \"{}\"", self.text.as_bstr());
        self.shell.fatal(&message)
    }

    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn eat(&mut self, text: &str) -> bool {
        self.blanks();
        let there = self.rest().starts_with(text.as_bytes());
        if there {
            self.at += text.len();
        }
        there
    }

    fn deeper(&mut self, run: impl FnOnce(&mut Self) -> Result<i64, Flow>) -> Result<i64, Flow> {
        if self.depth >= DEPTH {
            return Err(Stop::new(Why::Budget("an expression nests too deep")).into());
        }
        self.depth += 1;
        let value = run(self);
        self.depth -= 1;
        value
    }

    fn comma(&mut self) -> Result<i64, Flow> {
        let mut value = self.assignment()?;
        while self.shell.bash && self.eat(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    /// A name, with what it is assigned, or a condition.
    fn assignment(&mut self) -> Result<i64, Flow> {
        self.deeper(Self::assignment_inside)
    }

    fn assignment_inside(&mut self) -> Result<i64, Flow> {
        self.blanks();
        let at = self.at;
        if let Some(place) = self.place()? {
            self.blanks();
            let rest = self.rest();
            let op = ASSIGNING.iter().find(|op| rest.starts_with(op.as_bytes()));
            if let Some(&op) = op.filter(|op| **op != "=" || !rest.starts_with(b"==")) {
                self.at += op.len();
                let right = self.assignment()?;
                let value = match op.strip_suffix('=') {
                    Some("") | None => right,
                    Some(op) => {
                        let left = self.value(&place)?;
                        self.apply(op, left, right)?
                    }
                };
                self.store(&place, value)?;
                return Ok(value);
            }
        }
        self.at = at;
        self.conditional()
    }

    fn conditional(&mut self) -> Result<i64, Flow> {
        let condition = self.binary(1)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let skip = usize::from(condition == 0);
        self.skipped += skip;
        let first = self.assignment();
        self.skipped -= skip;
        let first = first?;
        if !self.eat(":") {
            return Err(self.wrong("expecting ':'"));
        }
        let skip = usize::from(condition != 0);
        self.skipped += skip;
        let second = self.assignment();
        self.skipped -= skip;
        let second = second?;
        Ok(if condition != 0 { first } else { second })
    }

    fn operator(&mut self, least: u8) -> Option<(&'static str, u8)> {
        self.blanks();
        let rest = self.rest();
        let found = BINARY
            .iter()
            .find(|(op, _)| rest.starts_with(op.as_bytes()))?;
        let (op, binds) = *found;
        let assigns = rest.get(op.len()) == Some(&b'=')
            && !matches!(op, "==" | "!=" | "<=" | ">=" | "||" | "&&" | "**");
        // `a<=b` is found as `<=`, and `a=b` never comes here.
        let power = op == "**" && !self.shell.bash;
        (binds >= least && !assigns && !power).then_some((op, binds))
    }

    fn binary(&mut self, least: u8) -> Result<i64, Flow> {
        let mut left = self.unary()?;
        while let Some((op, binds)) = self.operator(least) {
            self.at += op.len();
            let skip = usize::from((op == "&&" && left == 0) || (op == "||" && left != 0));
            self.skipped += skip;
            // Powers group to the right.
            let next = if op == "**" { binds } else { binds + 1 };
            let right = self.deeper(|evaluator| evaluator.binary(next));
            self.skipped -= skip;
            left = self.apply(op, left, right?)?;
        }
        Ok(left)
    }

    fn apply(&mut self, op: &str, left: i64, right: i64) -> Result<i64, Flow> {
        let shift = u32::try_from(right & 63).unwrap_or_default();
        Ok(match op {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 => {
                if self.skipped > 0 {
                    return Ok(0);
                }
                return Err(self.wrong("division by zero"));
            }
            "/" => left.wrapping_div(right),
            "%" => left.wrapping_rem(right),
            _ => match u32::try_from(right) {
                Ok(power) => left.wrapping_pow(power),
                Err(_) => return Err(self.wrong("exponent less than 0")),
            },
        })
    }

    fn unary(&mut self) -> Result<i64, Flow> {
        self.deeper(Self::unary_inside)
    }

    fn unary_inside(&mut self) -> Result<i64, Flow> {
        self.blanks();
        if self.shell.bash {
            for (op, by) in [("++", 1), ("--", -1)] {
                let at = self.at;
                if self.eat(op) {
                    if let Some(place) = self.place()? {
                        let value = self.value(&place)?.wrapping_add(by);
                        self.store(&place, value)?;
                        return Ok(value);
                    }
                    self.at = at;
                }
            }
        }
        let Some(&byte) = self.rest().first() else {
            return Err(self.wrong("expecting primary"));
        };
        match byte {
            b'!' => {
                self.at += 1;
                Ok(i64::from(self.unary()? == 0))
            }
            b'~' => {
                self.at += 1;
                Ok(!self.unary()?)
            }
            b'+' => {
                self.at += 1;
                self.unary()
            }
            b'-' => {
                self.at += 1;
                Ok(self.unary()?.wrapping_neg())
            }
            b'(' => {
                self.at += 1;
                let value = self.comma()?;
                match self.eat(")") {
                    true => Ok(value),
                    false => Err(self.wrong("expecting ')'")),
                }
            }
            b'0'..=b'9' => self.number(),
            _ => {
                let Some(place) = self.place()? else {
                    return Err(self.wrong("expecting primary"));
                };
                let value = self.value(&place)?;
                if self.shell.bash {
                    for (op, by) in [("++", 1), ("--", -1)] {
                        if self.eat(op) {
                            self.store(&place, value.wrapping_add(by))?;
                        }
                    }
                }
                Ok(value)
            }
        }
    }

    fn number(&mut self) -> Result<i64, Flow> {
        let rest = self.rest();
        let length = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'#' || **b == b'_' || **b == b'@')
            .count();
        let text = rest[..length].to_str_lossy().into_owned();
        self.at += length;
        let based = text.split_once('#').filter(|_| self.shell.bash);
        let (radix, digits) = if let Some((radix, digits)) = based {
            (radix.parse().unwrap_or(0), digits)
        } else if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            (16, digits)
        } else if text.len() > 1 && text.starts_with('0') {
            (8, &text[1..])
        } else {
            (10, text.as_str())
        };
        let mut value = 0i64;
        let mut fits = (2..=36).contains(&radix) && !digits.is_empty();
        for c in digits.chars() {
            match c.to_digit(if fits { radix } else { 10 }) {
                Some(digit) => {
                    let next = value
                        .checked_mul(i64::from(radix))
                        .and_then(|value| value.checked_add(i64::from(digit)));
                    // dash holds the greatest number, bash goes around.
                    value = match next {
                        Some(next) => next,
                        None if self.shell.bash => value
                            .wrapping_mul(i64::from(radix))
                            .wrapping_add(i64::from(digit)),
                        None => i64::MAX,
                    };
                }
                None => fits = false,
            }
        }
        match fits {
            true => Ok(value),
            false => Err(self.wrong("expecting EOF")),
        }
    }

    /// What can be assigned, if something such stands here.
    fn place(&mut self) -> Result<Option<Place>, Flow> {
        self.blanks();
        let length = name_length(self.rest());
        if length == 0 {
            return Ok(None);
        }
        let name = BString::from(&self.rest()[..length]);
        self.at += length;
        let mut index = None;
        if self.shell.bash && self.rest().first() == Some(&b'[') {
            let mut open = 0usize;
            let end = self.rest().iter().position(|&b| {
                open += usize::from(b == b'[');
                open -= usize::from(b == b']');
                open == 0
            });
            let Some(end) = end else {
                return Err(self.wrong("expecting ']'"));
            };
            index = Some(BString::from(&self.rest()[1..end]));
            self.at += end + 1;
        }
        Ok(Some(Place { name, index }))
    }

    fn value(&mut self, place: &Place) -> Result<i64, Flow> {
        if self.skipped > 0 {
            return Ok(0);
        }
        let text = match &place.index {
            None => {
                let name = super::syntax::Name::Variable(place.name.clone());
                match self.shell.lookup(&name)? {
                    Some(super::expand::Values::One(text)) => Some(text),
                    _ => None,
                }
            }
            Some(index) => {
                let index = self.key(place, index)?;
                self.shell.state.element(&place.name, &index)
            }
        };
        let Some(text) = text else {
            if self.shell.bash && self.shell.state.options.nounset {
                let message = format!("{}: parameter not set", place.name);
                return Err(self.shell.fatal(&message));
            }
            return Ok(0);
        };
        if !self.shell.bash {
            return self.plain_number(&text);
        }
        if self.depth >= DEPTH {
            return Err(Stop::new(Why::Budget("an expression nests too deep")).into());
        }
        self.shell.arithmetic_at(&text, self.depth + 1)
    }

    /// The value of a variable in dash: a number and nothing else.
    fn plain_number(&mut self, text: &BString) -> Result<i64, Flow> {
        let trimmed = text.trim_ascii();
        let (negative, digits) = match trimmed.split_first() {
            Some((b'-', rest)) => (true, rest),
            Some((b'+', rest)) => (false, rest),
            _ => (false, trimmed),
        };
        if !digits.first().is_some_and(u8::is_ascii_digit) {
            if digits.is_empty() && trimmed.is_empty() {
                return Ok(0);
            }
            return Err(self.shell.fatal(&format!("Illegal number: {text}")));
        }
        let mut inner = Evaluator {
            shell: self.shell,
            text: digits,
            at: 0,
            depth: self.depth,
            skipped: 0,
        };
        let value = inner.number()?;
        if inner.at < digits.len() {
            return Err(self.shell.fatal(&format!("Illegal number: {text}")));
        }
        Ok(if negative {
            value.wrapping_neg()
        } else {
            value
        })
    }

    fn key(&mut self, place: &Place, index: &BString) -> Result<BString, Flow> {
        if self.shell.state.is_map(&place.name) {
            return Ok(index.clone());
        }
        if self.depth >= DEPTH {
            return Err(Stop::new(Why::Budget("an expression nests too deep")).into());
        }
        let value = self.shell.arithmetic_at(index, self.depth + 1)?;
        Ok(value.to_string().into())
    }

    fn store(&mut self, place: &Place, value: i64) -> Result<(), Flow> {
        if self.skipped > 0 {
            return Ok(());
        }
        let text = BString::from(value.to_string());
        match &place.index {
            None => self.shell.assign(&place.name, text),
            Some(index) => {
                let index = self.key(place, index)?;
                self.shell.assign_element(&place.name, &index, text, false)
            }
        }
    }
}
