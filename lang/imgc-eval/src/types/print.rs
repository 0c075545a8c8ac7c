//! Types as text, short and in the syntax of the language.

use std::collections::BTreeMap;

use crate::text::{is_plain, quote};

use super::scheme::{Part, Scheme, SchemeField};
use super::ty::Heads;

/// How long the text of a type may be. What is longer ends in `…`.
const LONGEST: usize = 400;

/// How tightly the place binds that a type is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Alone: anything.
    Free,
    /// The parameter of a function: no function without parentheses.
    Parameter,
    /// A payload or argument: only atoms without parentheses.
    Atom,
}

struct Printer<'a> {
    scheme: &'a Scheme,
    text: String,
    limit: usize,
    /// The letters of the variables, by number.
    letters: BTreeMap<u32, String>,
    /// How many rows end in each variable.
    tails: BTreeMap<u32, usize>,
}

/// A type as text: `{ name : String, ... } -> [a]`.
pub(crate) fn show(scheme: &Scheme) -> String {
    show_short(scheme, LONGEST)
}

/// The same, of at most about so many bytes.
pub(super) fn show_short(scheme: &Scheme, limit: usize) -> String {
    show_part(
        scheme,
        scheme.nodes.len().saturating_sub(1) as u32,
        limit,
        true,
    )
}

/// A part of a type.
pub(super) fn show_part(scheme: &Scheme, part: u32, limit: usize, limits: bool) -> String {
    let mut printer = Printer {
        scheme,
        text: String::new(),
        limit,
        letters: BTreeMap::new(),
        tails: BTreeMap::new(),
    };
    for part in &scheme.nodes {
        if let Part::Record(_, Some(tail)) | Part::Union(_, Some(tail)) = part {
            *printer.tails.entry(*tail).or_default() += 1;
        }
    }
    printer.write(part, Place::Free, 0);
    if limits {
        printer.limits();
    }
    printer.text
}

impl Printer<'_> {
    fn is_long(&self) -> bool {
        self.text.len() > self.limit
    }

    fn write(&mut self, part: u32, place: Place, depth: u32) {
        /// Deeper parts are left out.
        const DEEPEST: u32 = 24;
        if depth > DEEPEST || self.is_long() {
            self.text.push('…');
            return;
        }
        let scheme = self.scheme;
        match scheme.part(part) {
            Part::Poison => self.text.push('_'),
            Part::Nothing => {}
            Part::Host(host) => self.text.push_str(host.name()),
            Part::Var(index) => self.variable(*index),
            Part::List(item) => {
                self.text.push('[');
                self.write(*item, Place::Free, depth + 1);
                self.text.push(']');
            }
            Part::Map(value) => {
                self.open(place == Place::Atom);
                self.text.push_str("Map ");
                self.write(*value, Place::Atom, depth + 1);
                self.close(place == Place::Atom);
            }
            Part::Function(parameter, result) => {
                self.open(place > Place::Free);
                self.write(*parameter, Place::Parameter, depth + 1);
                self.text.push_str(" -> ");
                self.write(*result, Place::Free, depth + 1);
                self.close(place > Place::Free);
            }
            Part::Record(fields, tail) => self.record(fields, *tail, depth),
            Part::Union(tags, tail) => {
                // Alone, one tag needs its bar, and more need none.
                self.open(place == Place::Atom);
                self.union(tags, *tail, depth);
                self.close(place == Place::Atom);
            }
        }
    }

    fn open(&mut self, needed: bool) {
        if needed {
            self.text.push('(');
        }
    }

    fn close(&mut self, needed: bool) {
        if needed {
            self.text.push(')');
        }
    }

    fn name(&mut self, name: &str) {
        if is_plain(name) {
            self.text.push_str(name);
        } else {
            quote(name, &mut self.text);
        }
    }

    fn record(&mut self, fields: &[SchemeField], tail: Option<u32>, depth: u32) {
        if fields.is_empty() && tail.is_none() {
            self.text.push_str("{}");
            return;
        }
        self.text.push_str("{ ");
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            if self.is_long() {
                self.text.push_str("… }");
                return;
            }
            self.name(&field.name);
            self.text
                .push_str(if field.optional { " ? : " } else { " : " });
            self.write(field.ty, Place::Free, depth + 1);
        }
        self.rest(tail, fields.is_empty(), ", ");
        self.text.push_str(" }");
    }

    fn rest(&mut self, tail: Option<u32>, first: bool, between: &str) {
        let Some(tail) = tail else { return };
        if !first {
            self.text.push_str(between);
        }
        self.text.push_str("...");
        if self.tails.get(&tail).is_some_and(|count| *count > 1)
            && let Part::Var(index) = self.scheme.part(tail)
        {
            self.variable(*index);
        }
    }

    fn union(&mut self, tags: &[SchemeField], tail: Option<u32>, depth: u32) {
        if tags.len() == 1 && tail.is_none() {
            self.text.push_str("| ");
        }
        for (index, tag) in tags.iter().enumerate() {
            if index > 0 {
                self.text.push_str(" | ");
            }
            if self.is_long() {
                self.text.push('…');
                return;
            }
            self.text.push_str(&tag.name);
            if *self.scheme.part(tag.ty) != Part::Nothing {
                self.text.push(' ');
                self.write(tag.ty, Place::Atom, depth + 1);
            }
        }
        self.rest(tail, tags.is_empty(), " | ");
    }

    fn variable(&mut self, index: u32) {
        let var = &self.scheme.vars[index as usize];
        let is_free = var.row || var.heads.has(Heads::LIST) || var.heads.has(Heads::ORDERED);
        if (!var.literals.is_empty() || !is_free)
            && let Some(host) = var.heads.first()
        {
            self.text.push_str(host.name());
            return;
        }
        let next = self.letters.len();
        let letter = self.letters.entry(index).or_insert_with(|| {
            let letter = char::from(b'a' + (next % 26) as u8);
            let round = next / 26;
            if round == 0 {
                letter.to_string()
            } else {
                format!("{letter}{round}")
            }
        });
        self.text.push_str(letter);
    }

    /// What the variables may be, where that is not everything.
    fn limits(&mut self) {
        let mut words = Vec::new();
        for (index, letter) in &self.letters {
            let var = &self.scheme.vars[*index as usize];
            if var.heads.has(Heads::LIST) || var.row {
                if var.equal && !var.row {
                    words.push((letter.clone(), format!("{letter} can be compared")));
                }
                continue;
            }
            if var.heads == Heads::SHOWN {
                words.push((letter.clone(), format!("`toString` takes {letter}")));
                continue;
            }
            let hosts = super::hosts::Host::ALL.into_iter();
            let hosts = hosts.filter(|host| var.heads.has(Heads::of(&[*host])));
            let hosts: Vec<&str> = hosts.map(super::hosts::Host::name).collect();
            if let [most @ .., last] = hosts.as_slice() {
                let list = if most.is_empty() {
                    (*last).to_owned()
                } else {
                    format!("{} or {last}", most.join(", "))
                };
                words.push((letter.clone(), format!("{letter} is {list}")));
            }
        }
        words.sort();
        for (index, (_, word)) in words.into_iter().enumerate() {
            self.text
                .push_str(if index == 0 { ", where " } else { ", " });
            self.text.push_str(&word);
        }
    }
}

/// Whether a type, as it is printed, is that of a function: an arrow stands outside of all brackets.
pub fn is_function_type(ty: &str) -> bool {
    let mut depth = 0_usize;
    let mut before = ' ';
    for c in ty.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '>' if before == '-' && depth == 0 => return true,
            _ => {}
        }
        before = c;
    }
    false
}
