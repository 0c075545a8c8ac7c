//! Assigns variables, and elements of bash's arrays.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::flow::{Flow, Run, Shell};
use super::state::{Held, Source, State, Variable};
use super::syntax::{Assignment, Name, Value, Word};
use crate::stop::Stop;

impl Shell<'_, '_, '_> {
    /// Assigns a variable.
    pub(super) fn assign(&mut self, name: &[u8], value: BString) -> Run {
        self.writable(name)?;
        let integer = self.bash && self.state.variable(name).is_some_and(|v| v.integer);
        let value = match integer {
            true => self.arithmetic(&value)?.to_string().into(),
            false => value,
        };
        if name == b"PATH" {
            self.process.env_mut().insert("PATH".into(), value.clone());
        }
        if name == b"OPTIND" {
            self.state.option_at = 0;
        }
        let export = self.state.options.allexport;
        self.state.change(name, |variable| {
            variable.exported |= export;
            match &mut variable.value {
                Some(Held::Array(values)) => {
                    values.insert(0, value);
                }
                Some(Held::Map(values)) => {
                    values.insert("0".into(), value);
                }
                held => *held = Some(Held::Text(value)),
            }
        });
        Ok(())
    }

    /// A mistake where a variable may not be changed.
    pub(super) fn writable(&mut self, name: &[u8]) -> Run {
        match self.state.variable(name) {
            Some(variable) if variable.readonly => {
                let message = format!("{}: is read only", name.as_bstr());
                Err(self.fatal(&message))
            }
            _ => Ok(()),
        }
    }

    /// Does an assignment of the script to the variable `name`.
    pub(super) fn assign_word(&mut self, name: &BString, assignment: &Assignment) -> Run {
        match (&assignment.value, &assignment.index) {
            (Value::Array(values), None) => self.assign_array(name, values, assignment.append),
            (Value::Array(_), Some(_)) => Err(self.fatal("an element can't be a list")),
            (Value::Word(word), None) => {
                let value = self.value_of(word)?;
                self.assign_text(name, value, assignment.append)
            }
            (Value::Word(word), Some(index)) => {
                let value = self.value_of(word)?;
                let index = self.index_of(name, index)?;
                self.assign_element(name, &index, value, assignment.append)
            }
        }
    }

    /// Assigns `name=value`, or with `append` `name+=value`.
    pub(super) fn assign_text(&mut self, name: &[u8], value: BString, append: bool) -> Run {
        if !append {
            return self.assign(name, value);
        }
        let old = self.state.value(name).cloned().unwrap_or_default();
        let integer = self.state.variable(name).is_some_and(|v| v.integer);
        let joint: &[u8] = if integer { b"+" } else { b"" };
        self.count(old.len() + value.len())?;
        let whole = match integer && old.is_empty() {
            true => value,
            false => [old.as_slice(), joint, &value].concat().into(),
        };
        self.assign(name, whole)
    }

    /// Assigns what a text such as `name` or `name[index]` names.
    pub(super) fn assign_reference(&mut self, text: &[u8], value: BString) -> Run {
        match super::words::reference(text) {
            Some(Name::Variable(name)) => self.assign(&name, value),
            Some(Name::Element(name, index)) => {
                let index = self.index_of(&name, &index)?;
                self.assign_element(&name, &index, value, false)
            }
            _ => Err(self.fatal(&format!("{}: not a valid identifier", text.as_bstr()))),
        }
    }

    fn assign_array(
        &mut self,
        name: &BString,
        words: &[(Option<Word>, Word)],
        append: bool,
    ) -> Run {
        self.writable(name)?;
        let map = self.state.is_map(name);
        let mut items: Vec<(Option<BString>, BString)> = Vec::new();
        for (index, word) in words {
            match index {
                Some(index) => {
                    let index = self.index_of(name, index)?;
                    let value = self.value_of(word)?;
                    items.push((Some(index), value));
                }
                None => {
                    let mut fields = Vec::new();
                    self.fields_of(word, &mut fields)?;
                    items.extend(fields.into_iter().map(|field| (None, field)));
                }
            }
        }
        if map {
            let mut held = match (&self.state.entry(name).value, append) {
                (Some(Held::Map(old)), true) => old.clone(),
                _ => BTreeMap::new(),
            };
            let mut items = items.into_iter();
            while let Some((key, value)) = items.next() {
                match key {
                    Some(key) => held.insert(key, value),
                    None => held.insert(value, items.next().unwrap_or_default().1),
                };
            }
            self.state.entry(name).value = Some(Held::Map(held));
            return Ok(());
        }
        let mut held: BTreeMap<i64, BString> = match (&self.state.entry(name).value, append) {
            (Some(Held::Array(old)), true) => old.clone(),
            (Some(Held::Text(old)), true) => [(0, old.clone())].into(),
            _ => BTreeMap::new(),
        };
        let mut next = held
            .keys()
            .next_back()
            .map_or(0, |last| last.saturating_add(1));
        for (index, value) in items {
            if let Some(index) = index {
                next = index.to_str_lossy().parse().unwrap_or(0);
            }
            held.insert(next, value);
            next = next.saturating_add(1);
        }
        self.state.entry(name).value = Some(Held::Array(held));
        Ok(())
    }

    /// The index that a word in brackets means: a number, or a key.
    pub(super) fn index_of(&mut self, name: &[u8], word: &Word) -> Result<BString, Flow> {
        if self.state.is_map(name) {
            return self.text(word);
        }
        let text = self.quoted_text(word)?;
        let mut index = self.arithmetic(&text)?;
        if index < 0 {
            // From the end.
            if let Some(Held::Array(values)) =
                self.state.variable(name).and_then(|v| v.value.as_ref())
            {
                index += values.keys().next_back().map_or(0, |last| last + 1);
            }
        }
        Ok(index.to_string().into())
    }

    /// Assigns an element of an array.
    pub(super) fn assign_element(
        &mut self,
        name: &[u8],
        index: &BString,
        value: BString,
        append: bool,
    ) -> Run {
        self.writable(name)?;
        let old = match append {
            true => self.state.element(name, index).unwrap_or_default(),
            false => BString::default(),
        };
        let value = BString::from([old.as_slice(), &value].concat());
        let number: Option<i64> = index.to_str().ok().and_then(|index| index.parse().ok());
        let variable = self.state.entry(name);
        match &mut variable.value {
            Some(Held::Map(values)) => {
                values.insert(index.clone(), value);
            }
            Some(Held::Array(values)) => {
                values.insert(number.unwrap_or(0), value);
            }
            Some(Held::Text(first)) => {
                let first = std::mem::take(first);
                let values = [(0, first), (number.unwrap_or(0), value)];
                variable.value = Some(Held::Array(values.into()));
            }
            None => {
                let values = [(number.unwrap_or(0), value)];
                variable.value = Some(Held::Array(values.into()));
            }
        }
        Ok(())
    }

    /// Makes a variable local to the function that runs: what it was comes back.
    pub(super) fn localize(&mut self, name: &[u8]) {
        let old = self.state.variable(name).cloned();
        let Some(scope) = self.state.scopes.last_mut() else {
            return;
        };
        if scope.iter().any(|(other, _)| other == name) {
            return;
        }
        scope.push((name.into(), old));
        if self.bash {
            // A local variable of bash begins unset, and keeps only that it is exported.
            let exported = self.state.variable(name).is_some_and(|v| v.exported);
            *self.state.entry(name) = Variable {
                exported,
                ..Variable::default()
            };
        }
    }

    /// `FUNCNAME` and its like: what called what, the innermost first.
    pub(super) fn callers(&self, name: &[u8]) -> Result<Option<Vec<BString>>, Flow> {
        if !self.bash {
            return Ok(None);
        }
        Ok(match name {
            b"FUNCNAME" => {
                let mut names: Vec<BString> = self.running.iter().rev().cloned().collect();
                if !names.is_empty() {
                    names.push("main".into());
                }
                Some(names)
            }
            b"BASH_SOURCE" => {
                let mut files = vec![self.name.clone(); self.running.len() + 1];
                if let Source::File(path) = &self.source {
                    files[0] = path.as_bytes().into();
                }
                Some(files)
            }
            b"PIPESTATUS" => {
                let statuses = self.state.pipe.iter();
                Some(statuses.map(|status| status.to_string().into()).collect())
            }
            b"BASH_LINENO" | b"BASH_COMMAND" | b"DIRSTACK" | b"_" => {
                let what = format!("${} is not known", name.as_bstr());
                return Err(Stop::unsupported(what).into());
            }
            _ => None,
        })
    }
}

impl State {
    /// Whether `name` is an array with keys.
    pub(super) fn is_map(&self, name: &[u8]) -> bool {
        matches!(
            self.variable(name).and_then(|v| v.value.as_ref()),
            Some(Held::Map(_))
        )
    }

    /// The element of `name` at `index`.
    pub(super) fn element(&self, name: &[u8], index: &BString) -> Option<BString> {
        let number = || index.to_str().ok()?.parse::<i64>().ok();
        match self.variable(name)?.value.as_ref()? {
            Held::Text(text) => (number()? == 0).then(|| text.clone()),
            Held::Array(values) => values.get(&number()?).cloned(),
            Held::Map(values) => values.get(BStr::new(index.as_slice())).cloned(),
        }
    }
}
