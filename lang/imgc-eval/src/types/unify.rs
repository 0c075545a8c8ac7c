//! Comparing types: making them the same, or asking whether one fits the other.
//!
//! It says where two types differ. What that means for the user is said elsewhere.

use std::cmp::Ordering;

use super::hosts::Host;
use super::ty::{
    Arena, Field, Flat, GENERIC, Heads, MAX_DEPTH, MAX_WORK, NOTHING, Node, POISON, Row, Sym, Ty,
    Var,
};

/// How two types differ.
#[derive(Debug)]
pub(super) enum Clash {
    /// One is of another kind.
    Types {
        /// The type that is there.
        found: Ty,
        /// The type that is needed.
        expected: Ty,
    },
    /// Fields are needed that are not there.
    Missing(Vec<Sym>),
    /// Fields are there that are not known; and those that are.
    Unknown(Vec<Sym>, Vec<Sym>),
    /// A field may be missing that is needed.
    Optional(Sym),
    /// Tags may come that are not expected; and those that are.
    Tags(Vec<Sym>, Vec<Sym>),
    /// Something in it can't be compared.
    NotComparable(Ty),
    /// A type would be a part of itself.
    Infinite,
    /// The types are too large to be compared.
    TooLarge,
}

/// A step into a type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The items of a list.
    Item,
    /// The values of a map.
    Value,
    /// The parameter of a function.
    Parameter,
    /// The result of a function.
    Result,
    /// A field.
    Field(Sym),
    /// What a tag carries.
    Payload(Sym),
}

/// Where and how two types differ.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// How.
    pub(super) clash: Clash,
    /// The way from the innermost difference out.
    pub(super) path: Vec<Step>,
}

/// Whether types go together.
pub(super) type Fits = Result<(), Box<Mismatch>>;

/// How two types are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// They become the same.
    Equal,
    /// The first may be less than the second.
    Less,
}

pub(super) fn clash(clash: Clash) -> Fits {
    let path = Vec::new();
    Err(Box::new(Mismatch { clash, path }))
}

pub(super) fn within(fits: Fits, step: Step) -> Fits {
    fits.map_err(|mut mismatch| {
        mismatch.path.push(step);
        mismatch
    })
}

impl Arena {
    /// Makes two types the same.
    pub(super) fn unify(&mut self, found: Ty, expected: Ty) -> Fits {
        self.relate(found, expected, Mode::Equal)
    }

    /// Makes sure that a value of `found` can stand where `expected` is needed.
    pub(super) fn subsume(&mut self, found: Ty, expected: Ty) -> Fits {
        self.relate(found, expected, Mode::Less)
    }

    fn relate(&mut self, found: Ty, expected: Ty, mode: Mode) -> Fits {
        /// Work after which pairs are remembered.
        const PATIENCE: u64 = 1_000;
        self.patience = self.work + PATIENCE;
        self.seen.clear();
        self.compare(found, expected, mode, 0)
    }

    pub(super) fn compare(&mut self, found: Ty, expected: Ty, mode: Mode, depth: u32) -> Fits {
        let (a, left) = self.resolve(found);
        let (b, right) = self.resolve(expected);
        if a == b {
            return Ok(());
        }
        self.work += 1;
        if depth > MAX_DEPTH || self.work > MAX_WORK {
            return clash(Clash::TooLarge);
        }
        if self.work > self.patience && mode == Mode::Less && !self.seen.insert((a, b)) {
            return Ok(());
        }
        match (left, right) {
            (Node::Var(x), Node::Var(y)) => self.join(a, x, b, y),
            (Node::Var(x), Node::Host(host)) if mode == Mode::Less => {
                if let Some(first) = self.less_than(x, host) {
                    let first = self.host(first);
                    self.bind(a, x, first, (a, b), depth)
                } else {
                    self.bind(a, x, b, (a, b), depth)
                }
            }
            (Node::Var(x), _) => self.bind(a, x, b, (a, b), depth),
            (_, Node::Var(y)) => self.bind(b, y, a, (a, b), depth),
            (Node::Poison, _) | (_, Node::Poison) => Ok(()),
            (Node::List(x), Node::List(y)) => {
                within(self.compare(x, y, mode, depth + 1), Step::Item)?;
                self.same(a, b, mode)
            }
            (Node::Map(x), Node::Map(y)) => {
                within(self.compare(x, y, mode, depth + 1), Step::Value)?;
                self.same(a, b, mode)
            }
            (Node::Function(x, r), Node::Function(y, s)) => {
                within(self.compare(y, x, mode, depth + 1), Step::Parameter)?;
                within(self.compare(r, s, mode, depth + 1), Step::Result)?;
                self.same(a, b, mode)
            }
            (Node::Record(x), Node::Record(y)) => {
                self.rows(x, y, true, mode, depth)?;
                self.same(a, b, mode)
            }
            (Node::Union(x), Node::Union(y)) => {
                self.rows(x, y, false, mode, depth)?;
                self.same(a, b, mode)
            }
            (Node::Host(x), Node::Record(_)) if x.is_schema() => {
                let table = self.schema(x).unwrap_or(POISON);
                self.compare(table, b, mode, depth + 1)
            }
            (Node::Record(_), Node::Host(y)) if y.is_schema() => {
                let table = self.schema(y).unwrap_or(POISON);
                self.compare(a, table, mode, depth + 1)
            }
            _ if mode == Mode::Less => self.converts(a, left, b, right, depth),
            _ => clash(Clash::Types {
                found: a,
                expected: b,
            }),
        }
    }

    /// Shares two types that are the same, so that they are not compared again.
    fn same(&mut self, a: Ty, b: Ty, mode: Mode) -> Fits {
        if mode == Mode::Equal {
            let (a, b) = (self.find(a), self.find(b));
            if self.is_ground(a) {
                self.link(b, a);
            } else {
                self.link(a, b);
            }
        }
        Ok(())
    }

    fn join(&mut self, a: Ty, x: u32, b: Ty, y: u32) -> Fits {
        let (left, right) = (self.vars[x as usize], self.vars[y as usize]);
        if left.row || right.row {
            return self.join_rows(a, x, b, y);
        }
        let heads = left.heads.and(right.heads);
        // A number and a string could both be a port or an owner. That is taken to be
        // meant only where a type says so.
        let firsts = [left.heads.first(), right.heads.first()];
        let mixed = left.literals != 0
            && right.literals != 0
            && heads.only().is_none()
            && !firsts.contains(&heads.first());
        if heads.0 == 0 || mixed {
            return clash(Clash::Types {
                found: a,
                expected: b,
            });
        }
        let literals = self.join_literals(left.literals, right.literals);
        if let Some(host) = heads.only().filter(|host| !host.is_schema()) {
            let ty = self.host(host);
            self.link(a, ty);
            self.link(b, ty);
            self.check_literals(literals, host);
            return Ok(());
        }
        self.vars[y as usize] = Var {
            level: left.level.min(right.level),
            heads,
            row: false,
            equal: left.equal || right.equal,
            literals,
        };
        self.link(a, b);
        Ok(())
    }

    fn join_rows(&mut self, a: Ty, x: u32, b: Ty, y: u32) -> Fits {
        let left = self.vars[x as usize];
        let right = &mut self.vars[y as usize];
        right.level = right.level.min(left.level);
        right.equal |= left.equal;
        right.row = true;
        self.link(a, b);
        Ok(())
    }

    /// Makes the variables of a type belong at most to this level.
    pub(super) fn lower(&mut self, ty: Ty, level: u32) -> Fits {
        self.begin_walk();
        self.adjust(ty, NOTHING, level, 0)
    }

    fn check_literals(&mut self, literals: u32, host: Host) {
        if literals != 0 && host.is_checked() {
            self.checks.push((literals, host));
        }
    }

    /// Gives a variable its type. `sides` are the found and the expected type.
    fn bind(&mut self, at: Ty, index: u32, ty: Ty, sides: (Ty, Ty), depth: u32) -> Fits {
        let var = self.vars[index as usize];
        let node = self.node(ty);
        let heads = match node {
            Node::Host(host) => Heads::of(&[host]),
            Node::List(_) => Heads::LIST,
            Node::Map(_) => Heads::MAP,
            Node::Function(..) => Heads::FUNCTION,
            Node::Record(_) => Heads::RECORD,
            Node::Union(_) => Heads::UNION,
            Node::Nothing => Heads(0),
            Node::Poison | Node::Var(_) | Node::Link(_) => var.heads,
        };
        // A tag without a payload has no type that a variable could be.
        let fits = heads.0 != 0 && var.heads.has(heads);
        if !fits {
            let (found, expected) = sides;
            if var.equal && Heads::ANY.has(heads) && !Heads::EQUAL.has(heads) {
                return clash(Clash::NotComparable(ty));
            }
            return clash(Clash::Types { found, expected });
        }
        if !self.is_ground(ty) {
            self.begin_walk();
            self.adjust(ty, at, var.level, depth)?;
        }
        if var.equal {
            self.begin_walk();
            self.comparable(ty, depth)?;
        }
        self.link(at, ty);
        if let Node::Host(host) = node {
            self.check_literals(var.literals, host);
        }
        Ok(())
    }

    /// Makes sure that the variable `at` is not in a type, and that the type's own
    /// belong where that variable does.
    fn adjust(&mut self, ty: Ty, at: Ty, level: u32, depth: u32) -> Fits {
        let (root, node) = self.resolve(ty);
        if root == at && at != NOTHING {
            return clash(Clash::Infinite);
        }
        if self.is_ground(root) || !self.enter(root) {
            return Ok(());
        }
        self.work += 1;
        if depth > MAX_DEPTH || self.work > MAX_WORK {
            return clash(Clash::TooLarge);
        }
        match node {
            Node::Var(index) => {
                let var = &mut self.vars[index as usize];
                var.level = var.level.min(level);
                Ok(())
            }
            Node::List(item) => self.adjust(item, at, level, depth + 1),
            Node::Map(value) => self.adjust(value, at, level, depth + 1),
            Node::Function(parameter, result) => {
                self.adjust(parameter, at, level, depth + 1)?;
                self.adjust(result, at, level, depth + 1)
            }
            Node::Record(row) | Node::Union(row) => {
                let mut index = 0;
                while let Some(field) = self.own_field(row, index) {
                    self.adjust(field.ty, at, level, depth + 1)?;
                    index += 1;
                }
                match row.tail {
                    Some(tail) => self.adjust(tail, at, level, depth + 1),
                    None => Ok(()),
                }
            }
            Node::Poison | Node::Nothing | Node::Host(_) | Node::Link(_) => Ok(()),
        }
    }

    /// Makes sure that values of a type can be compared.
    pub(super) fn make_comparable(&mut self, ty: Ty) -> Fits {
        self.begin_walk();
        self.comparable(ty, 0)
    }

    fn comparable(&mut self, ty: Ty, depth: u32) -> Fits {
        let (root, node) = self.resolve(ty);
        if !self.enter(root) {
            return Ok(());
        }
        self.work += 1;
        if depth > MAX_DEPTH || self.work > MAX_WORK {
            return clash(Clash::TooLarge);
        }
        match node {
            Node::Var(index) => {
                let var = &mut self.vars[index as usize];
                if var.equal {
                    return Ok(());
                }
                let heads = var.heads.and(Heads::EQUAL);
                if heads.0 == 0 {
                    return clash(Clash::NotComparable(root));
                }
                var.equal = true;
                if var.row {
                    return Ok(());
                }
                var.heads = heads;
                let literals = var.literals;
                if let Some(host) = heads.only().filter(|host| !host.is_schema()) {
                    let ty = self.host(host);
                    self.link(root, ty);
                    self.check_literals(literals, host);
                }
                Ok(())
            }
            Node::List(item) => within(self.comparable(item, depth + 1), Step::Item),
            Node::Map(value) => within(self.comparable(value, depth + 1), Step::Value),
            Node::Function(..) => clash(Clash::NotComparable(root)),
            Node::Record(row) => {
                let flat = self.flatten(row);
                for field in &flat.fields {
                    let fits = self.comparable(field.ty, depth + 1);
                    within(fits, Step::Field(field.name))?;
                }
                match flat.tail {
                    Some(tail) => self.comparable(tail, depth + 1),
                    None => Ok(()),
                }
            }
            Node::Union(row) => {
                let flat = self.flatten(row);
                for tag in &flat.fields {
                    let fits = self.comparable(tag.ty, depth + 1);
                    within(fits, Step::Payload(tag.name))?;
                }
                match flat.tail {
                    Some(tail) => self.comparable(tail, depth + 1),
                    None => Ok(()),
                }
            }
            Node::Host(host) if !Heads::EQUAL.has(Heads::of(&[host])) => {
                clash(Clash::NotComparable(root))
            }
            Node::Poison | Node::Nothing | Node::Host(_) | Node::Link(_) => Ok(()),
        }
    }

    fn rows(&mut self, x: Row, y: Row, record: bool, mode: Mode, depth: u32) -> Fits {
        let a = self.flatten(x);
        let b = self.flatten(y);
        self.work += (a.fields.len() + b.fields.len()) as u64;
        let mut only_a = Vec::new();
        let mut only_b = Vec::new();
        let (mut i, mut j) = (0, 0);
        loop {
            let order = match (a.fields.get(i), b.fields.get(j)) {
                (Some(p), Some(q)) => p.name.cmp(&q.name),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            match order {
                Ordering::Less => {
                    only_a.push(a.fields[i]);
                    i += 1;
                }
                Ordering::Greater => {
                    only_b.push(b.fields[j]);
                    j += 1;
                }
                Ordering::Equal => {
                    self.entries(a.fields[i], b.fields[j], record, mode, depth)?;
                    i += 1;
                    j += 1;
                }
            }
        }
        if mode == Mode::Less {
            if record && a.tail.is_none() {
                // What may be missing is missing.
                only_b.retain(|field| !field.optional);
            }
            if !record && a.tail.is_none() {
                // Tags that never come.
                only_b.clear();
            }
        }
        self.extend(&a, only_a, &b, only_b, record, depth)
    }

    fn entries(&mut self, a: Field, b: Field, record: bool, mode: Mode, depth: u32) -> Fits {
        let step = if record {
            Step::Field(a.name)
        } else {
            Step::Payload(a.name)
        };
        if a.optional != b.optional && (mode == Mode::Equal || a.optional) {
            return clash(Clash::Optional(a.name));
        }
        let nothing = |ty: Ty| ty == NOTHING;
        let (found, expected) = (self.find(a.ty), self.find(b.ty));
        if nothing(found) != nothing(expected)
            && !self.is_poison(found)
            && !self.is_poison(expected)
        {
            return within(clash(Clash::Types { found, expected }), step);
        }
        within(self.compare(found, expected, mode, depth + 1), step)
    }

    /// Gives each of two rows what only the other has.
    fn extend(
        &mut self,
        a: &Flat,
        only_a: Vec<Field>,
        b: &Flat,
        only_b: Vec<Field>,
        record: bool,
        depth: u32,
    ) -> Fits {
        let names = |fields: &[Field]| fields.iter().map(|field| field.name).collect::<Vec<_>>();
        // Tails may have become something while the fields were compared.
        let a_tail = a.tail.map(|tail| self.find(tail));
        let b_tail = b.tail.map(|tail| self.find(tail));
        let known = || names(&b.fields);
        if !only_a.is_empty() && b_tail.is_none() {
            let names = names(&only_a);
            return clash(if record {
                Clash::Unknown(names, known())
            } else {
                Clash::Tags(names, known())
            });
        }
        if !only_b.is_empty() && a_tail.is_none() {
            let names = names(&only_b);
            return clash(if record {
                Clash::Missing(names)
            } else {
                Clash::Tags(names, self_names(a))
            });
        }
        match (a_tail, b_tail) {
            (None, None) => Ok(()),
            (Some(tail), None) => self.set_tail(tail, only_b, None, record, depth),
            (None, Some(tail)) => self.set_tail(tail, only_a, None, record, depth),
            (Some(x), Some(y)) if x == y => {
                if only_a.is_empty() && only_b.is_empty() {
                    return Ok(());
                }
                if self.is_poison(x) {
                    return Ok(());
                }
                clash(Clash::Infinite)
            }
            (Some(x), Some(y)) if only_a.is_empty() && only_b.is_empty() => {
                self.compare(x, y, Mode::Equal, depth + 1)
            }
            (Some(x), Some(y)) => {
                let rest = self.fresh_row();
                self.set_tail(x, only_b, Some(rest), record, depth)?;
                self.set_tail(y, only_a, Some(rest), record, depth)
            }
        }
    }

    fn set_tail(
        &mut self,
        tail: Ty,
        fields: Vec<Field>,
        rest: Option<Ty>,
        record: bool,
        depth: u32,
    ) -> Fits {
        let (root, node) = self.resolve(tail);
        let more = if record {
            self.record(fields, rest)
        } else {
            self.union(fields, rest)
        };
        match node {
            Node::Var(index) => self.bind(root, index, more, (root, more), depth),
            Node::Poison => Ok(()),
            _ => self.compare(root, more, Mode::Equal, depth + 1),
        }
    }

    /// Turns the variables of a type that belong to a deeper `let` into those of a
    /// scheme. Whether there are any.
    pub(super) fn generalise(&mut self, ty: Ty) -> Result<bool, Box<Mismatch>> {
        if self.is_ground(ty) {
            return Ok(false);
        }
        self.begin_walk();
        let mut any = false;
        self.generalise_in(ty, &mut any, 0)?;
        Ok(any)
    }

    fn generalise_in(&mut self, ty: Ty, any: &mut bool, depth: u32) -> Fits {
        let (root, node) = self.resolve(ty);
        if self.is_ground(root) || !self.enter(root) {
            return Ok(());
        }
        self.work += 1;
        if depth > MAX_DEPTH || self.work > MAX_WORK {
            return clash(Clash::TooLarge);
        }
        match node {
            Node::Var(index) => {
                let level = self.level;
                let var = &mut self.vars[index as usize];
                if var.level > level {
                    var.level = GENERIC;
                    *any = true;
                }
                Ok(())
            }
            Node::List(part) | Node::Map(part) => self.generalise_in(part, any, depth + 1),
            Node::Function(parameter, result) => {
                self.generalise_in(parameter, any, depth + 1)?;
                self.generalise_in(result, any, depth + 1)
            }
            Node::Record(row) | Node::Union(row) => {
                let mut index = 0;
                while let Some(field) = self.own_field(row, index) {
                    self.generalise_in(field.ty, any, depth + 1)?;
                    index += 1;
                }
                match row.tail {
                    Some(tail) => self.generalise_in(tail, any, depth + 1),
                    None => Ok(()),
                }
            }
            Node::Poison | Node::Nothing | Node::Host(_) | Node::Link(_) => Ok(()),
        }
    }

    /// The type with new variables in the place of those of a scheme.
    pub(super) fn copy(&mut self, ty: Ty) -> Ty {
        self.begin_walk();
        self.copy_in(ty, 0)
    }

    fn copy_in(&mut self, ty: Ty, depth: u32) -> Ty {
        let (root, node) = self.resolve(ty);
        if self.is_ground(root) {
            return root;
        }
        if let Some(copy) = self.mark(root) {
            return Ty(copy);
        }
        // No deeper than what was generalised.
        if depth > MAX_DEPTH || self.is_full() {
            return POISON;
        }
        self.work += 1;
        let copy = match node {
            Node::Var(index) => {
                let var = self.vars[index as usize];
                if var.level == GENERIC {
                    let level = self.level;
                    self.variable(Var { level, ..var })
                } else {
                    root
                }
            }
            Node::List(part) => {
                let new = self.copy_in(part, depth + 1);
                if new == self.find(part) {
                    root
                } else {
                    self.list(new)
                }
            }
            Node::Map(part) => {
                let new = self.copy_in(part, depth + 1);
                if new == self.find(part) {
                    root
                } else {
                    self.map(new)
                }
            }
            Node::Function(parameter, result) => {
                let a = self.copy_in(parameter, depth + 1);
                let b = self.copy_in(result, depth + 1);
                if a == self.find(parameter) && b == self.find(result) {
                    root
                } else {
                    self.function(a, b)
                }
            }
            Node::Record(row) | Node::Union(row) => {
                let mut flat = self.flatten(row);
                let mut changed = false;
                for field in &mut flat.fields {
                    let new = self.copy_in(field.ty, depth + 1);
                    changed |= new != self.find(field.ty);
                    field.ty = new;
                }
                let tail = flat.tail.map(|tail| {
                    let new = self.copy_in(tail, depth + 1);
                    changed |= new != tail;
                    new
                });
                if !changed {
                    root
                } else if let Node::Record(_) = node {
                    self.record(flat.fields, tail)
                } else {
                    self.union(flat.fields, tail)
                }
            }
            Node::Poison | Node::Nothing | Node::Host(_) | Node::Link(_) => root,
        };
        self.set_mark(root, copy.0);
        copy
    }
}

fn self_names(flat: &Flat) -> Vec<Sym> {
    flat.fields.iter().map(|field| field.name).collect()
}
