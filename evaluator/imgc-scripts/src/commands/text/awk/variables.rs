//! The variables of an awk program, its record, and what can be assigned to.

use std::cell::RefCell;
use std::rc::Rc;

use bstr::ByteSlice as _;

use super::array::{Array, Key};
use super::record::Separator;
use super::run::{Awk, Run, Slot};
use super::syntax::{Expr, Place, Var, special};
use super::value::Value;
use crate::commands::text::pattern::{Dialect, Flags, Pattern};
use crate::commands::text::spend_on;
use crate::stop::Stop;

impl Awk<'_, '_, '_> {
    // Variables.

    pub(super) fn global(&self, number: usize) -> Value {
        match &self.globals[number] {
            Slot::Scalar(value) => value.clone(),
            Slot::Array(_) => Value::None,
        }
    }

    pub(super) fn set_global(&mut self, number: usize, value: Value) {
        if let Slot::Scalar(slot) = &mut self.globals[number] {
            *slot = value;
        }
    }

    pub(super) fn global_text(&self, number: usize) -> Rc<[u8]> {
        self.string(&self.global(number))
    }

    /// A value as a string.
    pub(super) fn string(&self, value: &Value) -> Rc<[u8]> {
        let format = match (&self.globals[special::CONVFMT], value) {
            (Slot::Scalar(Value::Text(format) | Value::Input(format)), Value::Number(_)) => {
                Rc::clone(format)
            }
            _ => Rc::from(&b"%.6g"[..]),
        };
        value.string(&format, self.version)
    }

    pub(super) fn read_var(&mut self, var: Var) -> Run<Value> {
        if var == Var::Global(special::NF) {
            self.split()?;
            return Ok(Value::Number(self.record.fields().len() as f64));
        }
        Ok(match var {
            Var::Global(number) => self.global(number),
            Var::Local(number) => match self.frames.last().and_then(|frame| frame.get(number)) {
                Some(Slot::Scalar(value)) => value.clone(),
                _ => return Err(Stop::unsupported("awk uses an array as a value").into()),
            },
        })
    }

    pub(super) fn assign(&mut self, var: Var, value: Value) -> Result<(), Stop> {
        match var {
            Var::Global(special::CONVFMT | special::OFMT)
                if !is_plain_format(&self.string(&value)) =>
            {
                return Err(Stop::unsupported(
                    "this CONVFMT or OFMT of awk is not known",
                ));
            }
            Var::Global(special::NF) => {
                let count = value.number(self.version).clamp(0.0, 1e6) as usize;
                // The fields that are there count.
                if self.split().is_ok() {
                    self.record.set_count(count);
                }
            }
            Var::Global(number) => self.set_global(number, value),
            Var::Local(number) => {
                let slot = self
                    .frames
                    .last_mut()
                    .and_then(|frame| frame.get_mut(number));
                if let Some(Slot::Scalar(slot)) = slot {
                    *slot = value;
                }
            }
        }
        Ok(())
    }

    pub(super) fn array(&self, var: Var) -> Run<Rc<RefCell<Array>>> {
        let slot = match var {
            Var::Global(number) => self.globals.get(number),
            Var::Local(number) => self.frames.last().and_then(|frame| frame.get(number)),
        };
        match slot {
            Some(Slot::Array(array)) => Ok(Rc::clone(array)),
            _ => Err(Stop::unsupported("awk uses a value as an array").into()),
        }
    }

    /// Counts elements that were made: they stay, so that they cost more than work does.
    fn grown(&mut self, elements: usize) -> Run<()> {
        Ok(self.process.machine.spend(elements as u64 * 50)?)
    }

    pub(super) fn key(&mut self, keys: &[Expr]) -> Run<Key> {
        if let [only] = keys {
            return Ok(match self.eval(only)? {
                Value::Number(number) if number.fract() == 0.0 && number.abs() < 2e9 => {
                    Key::Number(number as i64)
                }
                value => Key::Text(self.string(&value)),
            });
        }
        let separator = self.global_text(special::SUBSEP);
        let mut parts = Vec::new();
        for key in keys {
            let value = self.eval(key)?;
            parts.push(self.string(&value));
        }
        Ok(Key::Text(bstr::join(&separator, parts).into()))
    }

    // The record.

    /// Splits the record, unless its fields are there.
    pub(super) fn split(&mut self) -> Run<()> {
        if !self.record.needs_split() {
            return Ok(());
        }
        let text = self.string(&self.record.whole().clone());
        spend_on(self.process, text.len())?;
        let separator = self.global_text(special::FS);
        let separator = self.separator(&separator)?;
        let fields = separator.split(&text)?;
        self.process.machine.spend(fields.len() as u64 / 4)?;
        self.record.set_fields(fields);
        Ok(())
    }

    /// `$0`.
    pub(super) fn whole(&mut self) -> Rc<[u8]> {
        if self.record.needs_join() {
            let glue = self.global_text(special::OFS);
            let parts: Vec<Rc<[u8]>> = self
                .record
                .fields()
                .iter()
                .map(|field| self.string(field))
                .collect();
            let joined = bstr::join(&glue, parts);
            self.record.set_joined(Value::Text(joined.into()));
        }
        self.string(self.record.whole())
    }

    pub(super) fn separator(&mut self, text: &Rc<[u8]>) -> Run<Separator> {
        Ok(match &**text {
            b" " => Separator::Blanks,
            b"" => Separator::Bytes,
            [byte] => Separator::Byte(*byte),
            // What a backslash makes plain is one byte too.
            [b'\\', byte] if !byte.is_ascii_alphanumeric() => Separator::Byte(*byte),
            _ => Separator::Pattern(self.pattern(text)?),
        })
    }

    /// The compiled pattern of this text.
    pub(super) fn pattern(&mut self, text: &Rc<[u8]>) -> Run<Rc<Pattern>> {
        if let Some(pattern) = self.patterns.get(text) {
            return Ok(Rc::clone(pattern));
        }
        let dialect = Dialect::Awk {
            intervals: !self.version.old,
        };
        let flags = Flags {
            utf8: false,
            ..Flags::default()
        };
        let patterns = &self.process.machine.patterns;
        let pattern = patterns.one(text, dialect, flags).map_err(|fault| {
            let text = text.as_bstr();
            Stop::unsupported(format!("awk's pattern {text} is not known: {fault}"))
        })?;
        self.patterns.insert(Rc::clone(text), Rc::clone(&pattern));
        Ok(pattern)
    }

    /// The pattern that an expression is: between slashes, or a string's.
    pub(super) fn pattern_of(&mut self, expr: &Expr) -> Run<Rc<Pattern>> {
        let text = match super::parse::source(expr) {
            Some(source) => Rc::clone(source),
            None => {
                let value = self.eval(expr)?;
                self.string(&value)
            }
        };
        self.pattern(&text)
    }

    pub(super) fn field_number(&mut self, expr: &Expr) -> Run<usize> {
        let number = self.eval(expr)?.number(self.version);
        if !(0.0..1e6).contains(&number) {
            return Err(Stop::unsupported("the number of a field is not known").into());
        }
        Ok(number as usize)
    }

    // Places.

    pub(super) fn read(&mut self, place: &Place) -> Run<Value> {
        match place {
            Place::Var(var) => self.read_var(*var),
            Place::Field(number) => match self.field_number(number)? {
                0 => {
                    let whole = self.whole();
                    Ok(match self.record.whole() {
                        Value::None => Value::None,
                        _ => Value::Input(whole),
                    })
                }
                number => {
                    self.split()?;
                    Ok(self.record.field(number))
                }
            },
            Place::Element(array, keys) => {
                let key = self.key(keys)?;
                let array = self.array(*array)?;
                let before = array.borrow().len();
                let value = array.borrow_mut().get(key).clone();
                self.grown(array.borrow().len() - before)?;
                Ok(value)
            }
        }
    }

    pub(super) fn store(&mut self, place: &Place, value: Value) -> Run<()> {
        match place {
            Place::Var(var) => self.assign(*var, value)?,
            Place::Field(number) => match self.field_number(number)? {
                0 => self.record.set(match value {
                    Value::Number(_) | Value::None => Value::Input(self.string(&value)),
                    Value::Text(text) | Value::Input(text) => Value::Input(text),
                }),
                number => {
                    self.split()?;
                    self.process.machine.spend(number as u64 / 64)?;
                    self.record.set_field(number, value);
                }
            },
            Place::Element(array, keys) => {
                let key = self.key(keys)?;
                let array = self.array(*array)?;
                let before = array.borrow().len();
                *array.borrow_mut().get(key) = value;
                self.grown(array.borrow().len() - before)?;
            }
        }
        Ok(())
    }
}

/// Whether a format of numbers is one like `%.6g`.
fn is_plain_format(format: &[u8]) -> bool {
    let digits = format
        .strip_prefix(b"%.")
        .and_then(|rest| rest.split_last());
    digits.is_some_and(|(conversion, digits)| {
        let few = (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        few && b"eEfFgG".contains(conversion)
    })
}
