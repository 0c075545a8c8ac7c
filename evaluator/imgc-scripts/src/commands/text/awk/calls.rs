//! The functions of awk itself.

use std::rc::Rc;

use bstr::ByteSlice as _;

use super::run::{Awk, Run};
use super::syntax::{Builtin, Expr, Place, special};
use super::value::Value;
use crate::commands::text::spend_on;
use crate::stop::Stop;

impl Awk<'_, '_, '_> {
    /// The value of a function of awk.
    pub(super) fn builtin(&mut self, which: Builtin, args: &[Expr]) -> Run<Value> {
        match which {
            Builtin::Length => self.length(args),
            Builtin::Split => self.split_into(args),
            Builtin::Sub | Builtin::Gsub => self.substitute(args, which == Builtin::Gsub),
            Builtin::Match => self.find(args),
            Builtin::Substr => self.substr(args),
            Builtin::Sprintf => Ok(Value::Text(self.formatted(args)?.into())),
            Builtin::Index => {
                let (hay, needle) = (self.text(&args[0])?, self.text(&args[1])?);
                spend_on(self.process, hay.len())?;
                let at = hay.find(&*needle);
                Ok(Value::Number(at.map_or(0, |at| at + 1) as f64))
            }
            Builtin::Tolower => Ok(Value::Text(
                self.text(&args[0])?.to_ascii_lowercase().into(),
            )),
            Builtin::Toupper => Ok(Value::Text(
                self.text(&args[0])?.to_ascii_uppercase().into(),
            )),
            Builtin::Close => {
                let name = self.text(&args[0])?;
                Ok(Value::Number(self.close(&name)?))
            }
            Builtin::Fflush => {
                for arg in args {
                    self.eval(arg)?;
                }
                self.flush();
                Ok(Value::Number(0.0))
            }
            Builtin::System => {
                let command = self.text(&args[0])?;
                let (status, _) = self.shell(&command, None, false)?;
                Ok(Value::Number(f64::from(status)))
            }
            Builtin::Atan2 => {
                let (y, x) = (self.number(&args[0])?, self.number(&args[1])?);
                Ok(Value::Number(y.atan2(x)))
            }
            Builtin::Cos => Ok(Value::Number(self.number(&args[0])?.cos())),
            Builtin::Exp => Ok(Value::Number(self.number(&args[0])?.exp())),
            Builtin::Int => Ok(Value::Number(self.number(&args[0])?.trunc())),
            Builtin::Log => Ok(Value::Number(self.number(&args[0])?.ln())),
            Builtin::Sin => Ok(Value::Number(self.number(&args[0])?.sin())),
            Builtin::Sqrt => Ok(Value::Number(self.number(&args[0])?.sqrt())),
        }
    }

    fn text(&mut self, expr: &Expr) -> Run<Rc<[u8]>> {
        let value = self.eval(expr)?;
        Ok(self.string(&value))
    }

    fn number(&mut self, expr: &Expr) -> Run<f64> {
        Ok(self.eval(expr)?.number(self.version))
    }

    fn length(&mut self, args: &[Expr]) -> Run<Value> {
        let length = match args {
            [] => self.whole().len(),
            [Expr::Place(Place::Var(var)), ..] if let Ok(array) = self.array(*var) => {
                array.borrow().len()
            }
            [arg, ..] => self.text(arg)?.len(),
        };
        Ok(Value::Number(length as f64))
    }

    fn split_into(&mut self, args: &[Expr]) -> Run<Value> {
        let text = self.text(&args[0])?;
        spend_on(self.process, text.len())?;
        let separator = match args.get(2) {
            None => self.global_text(special::FS),
            Some(Expr::Regex(source)) => Rc::clone(source),
            Some(arg) => self.text(arg)?,
        };
        let plain = !matches!(args.get(2), Some(Expr::Regex(_)));
        let separator = match (plain, &*separator) {
            // A pattern of one blank is that blank.
            (false, b" ") => super::record::Separator::Byte(b' '),
            (false, [byte]) if b".^$*+?()[{|\\".contains(byte) => {
                super::record::Separator::Pattern(self.pattern(&separator)?)
            }
            _ => self.separator(&separator)?,
        };
        let parts = separator.split(&text)?;
        self.process.machine.spend(parts.len() as u64 * 4)?;
        let Expr::Place(Place::Var(var)) = &args[1] else {
            return Err(Stop::unsupported("split of awk has no array").into());
        };
        let array = self.array(*var)?;
        let count = parts.len();
        array.borrow_mut().fill(parts);
        Ok(Value::Number(count as f64))
    }

    fn find(&mut self, args: &[Expr]) -> Run<Value> {
        let text = self.text(&args[0])?;
        let pattern = self.pattern_of(&args[1])?;
        spend_on(self.process, text.len())?;
        let (start, length) = match pattern.find(&text, 0)? {
            Some((from, to)) => (from as f64 + 1.0, (to - from) as f64),
            None => (0.0, -1.0),
        };
        self.set_global(special::RSTART, Value::Number(start));
        self.set_global(special::RLENGTH, Value::Number(length));
        Ok(Value::Number(start))
    }

    fn substr(&mut self, args: &[Expr]) -> Run<Value> {
        let text = self.text(&args[0])?;
        let start = self.number(&args[1])?;
        let length = match args.get(2) {
            Some(arg) => self.number(arg)?,
            None => f64::INFINITY,
        };
        // mawk cuts fractions off. A begin before the text makes the part longer.
        let mut length = length.trunc();
        let mut from = start.trunc();
        if from < 0.0 {
            length -= from;
        }
        from = from.max(1.0);
        let to = (from + length).min(text.len() as f64 + 1.0);
        // Not a number is neither.
        if !matches!(from.partial_cmp(&to), Some(std::cmp::Ordering::Less)) {
            return Ok(Value::text(b""));
        }
        Ok(Value::text(&text[from as usize - 1..to as usize - 1]))
    }

    fn substitute(&mut self, args: &[Expr], all: bool) -> Run<Value> {
        let pattern = self.pattern_of(&args[0])?;
        let replacement = self.text(&args[1])?;
        let whole = Place::Field(Box::new(Expr::Number(0.0)));
        let place = match args.get(2) {
            Some(Expr::Place(place)) => place,
            _ => &whole,
        };
        let text = self.read(place)?;
        let text = self.string(&text);
        spend_on(self.process, text.len())?;
        let mut made = Vec::new();
        let mut count = 0;
        let mut at = 0;
        let mut last = None;
        while at <= text.len() {
            let Some((start, end)) = pattern.find(&text, at)? else {
                break;
            };
            made.extend_from_slice(&text[at..start]);
            // An empty match right behind another one is none.
            if start != end || last != Some(start) {
                fill(&replacement, &text[start..end], &mut made);
                count += 1;
            }
            at = end;
            last = Some(end);
            if !all {
                break;
            }
            if start == end {
                made.extend_from_slice(text.get(at..=at).unwrap_or_default());
                at += 1;
            }
        }
        self.process.machine.spend(count)?;
        if count > 0 {
            made.extend_from_slice(text.get(at..).unwrap_or_default());
            self.kept(made.len())?;
            self.store(place, Value::Text(made.into()))?;
        }
        Ok(Value::Number(count as f64))
    }
}

/// Appends a replacement: `&` is what matched, `\&` an ampersand, `\\` a backslash
/// before one.
fn fill(replacement: &[u8], matched: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < replacement.len() {
        match &replacement[at..] {
            [b'\\', b'&', ..] => {
                out.push(b'&');
                at += 2;
            }
            [b'\\', b'\\', ..] => {
                out.push(b'\\');
                at += 2;
            }
            [b'&', ..] => {
                out.extend_from_slice(matched);
                at += 1;
            }
            [byte, ..] => {
                out.push(*byte);
                at += 1;
            }
            [] => {}
        }
    }
}
