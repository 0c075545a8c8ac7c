//! Records: literals, the selection of fields, and `//`.

use std::sync::Arc;

use imgc_diag::{codes, did_you_mean};

use crate::ir::{Expr, ExprId, Field as Given};
use crate::problem::{Problem, list_names};
use crate::site::At;

use super::hosts::Host;
use super::infer::{Infer, Update};
use super::report::Why;
use super::scheme::Part;
use super::subsume::architectures;
use super::ty::{Field, Flat, Heads, Node, POISON, Sym, Ty};

/// How many unknown fields of one record are reported.
const MOST_UNKNOWN: usize = 100;

impl Infer<'_> {
    /// Whether the fields of a record literal are checked one by one against this.
    pub(super) fn takes_fields(&self, node: Node) -> bool {
        match node {
            Node::Record(_) | Node::Map(_) => true,
            Node::Host(host) => host.is_schema() || host == Host::Program,
            _ => false,
        }
    }

    /// The type of a record literal.
    pub(super) fn record(&mut self, given: &[Given]) -> Ty {
        let mut fields = Vec::with_capacity(given.len());
        for field in given {
            let ty = self.field_value(field);
            let name = self.arena.symbol(&field.name);
            fields.push(Field {
                name,
                ty,
                optional: false,
            });
        }
        self.arena.record(fields, None)
    }

    fn field_value(&mut self, field: &Given) -> Ty {
        match &field.annotation {
            None => self.infer(field.value),
            Some(annotation) => {
                let (ty, _) = self.annotation(annotation);
                self.check(field.value, ty, &Why::Annotation);
                ty
            }
        }
    }

    /// Checks the value of a field.
    fn check_field(&mut self, field: &Given, expected: Ty, why: &Why<'_>) {
        let why = Why::Field(why, &field.name);
        if field.annotation.is_none() {
            return self.check(field.value, expected, &why);
        }
        let found = self.field_value(field);
        self.fit(field.value, found, expected, &why);
    }

    /// Checks a record literal, field by field.
    pub(super) fn check_record(
        &mut self,
        id: ExprId,
        given: &[Given],
        expected: Ty,
        why: &Why<'_>,
    ) {
        let (expected, node) = self.arena.resolve(expected);
        match node {
            Node::Map(value) => {
                for field in given {
                    self.check_field(field, value, why);
                }
            }
            Node::Host(Host::Program) => self.check_program(id, given, why),
            Node::Host(host) => {
                if let Some(table) = self.arena.schema(host) {
                    self.check_fields(id, given, table, why, true);
                }
            }
            _ => self.check_fields(id, given, expected, why, why.is_host()),
        }
    }

    fn check_program(&mut self, id: ExprId, given: &[Given], why: &Why<'_>) {
        let known = architectures();
        let path = self.arena.host(Host::Path);
        for (index, field) in given.iter().enumerate() {
            if known.contains(&&*field.name) {
                self.check_field(field, path, why);
            } else {
                let ty = self.infer(field.value);
                self.unknown_field(id, index, &field.name, &known, &known, why, (true, ty));
            }
        }
    }

    fn check_fields(
        &mut self,
        id: ExprId,
        given: &[Given],
        expected: Ty,
        why: &Why<'_>,
        host: bool,
    ) {
        let Node::Record(row) = self.arena.node(expected) else {
            return;
        };
        let flat = self.arena.flatten(row);
        let mut more = Vec::new();
        let mut misspelt = false;
        let (mut unknown, mut names) = (0, None);
        // Fields that another record has not which this one must be like.
        let mut others: Vec<(usize, Field)> = Vec::new();
        for (index, field) in given.iter().enumerate() {
            let name = self.arena.symbol(&field.name);
            if let Some(wanted) = flat.get(name) {
                self.check_field(field, wanted.ty, why);
                continue;
            }
            let ty = self.field_value(field);
            if flat.tail.is_some() {
                more.push(Field {
                    name,
                    ty,
                    optional: false,
                });
                continue;
            }
            misspelt = true;
            if why.other().is_some() {
                let optional = true;
                others.push((index, Field { name, ty, optional }));
                continue;
            }
            // Nobody reads more, and each is compared with every name.
            unknown += 1;
            if unknown > MOST_UNKNOWN {
                continue;
            }
            let (free, all) = names.get_or_insert_with(|| {
                let is_given = |known: &&Field| {
                    let known = self.arena.name(known.name);
                    is_among(given, known)
                };
                let free = flat.fields.iter().filter(|known| !is_given(known));
                let free = self.sorted_names(free.map(|known| known.name));
                let all = self.sorted_names(flat.fields.iter().map(|known| known.name));
                (free, all)
            });
            let free: Vec<&str> = free.iter().map(|name| &**name).collect();
            let all: Vec<&str> = all.iter().map(|name| &**name).collect();
            self.unknown_field(id, index, &field.name, &free, &all, why, (host, ty));
        }
        if !others.is_empty() {
            let have = given.iter().filter_map(|field| {
                let name = self.arena.known_symbol(&field.name)?;
                flat.get(name)
            });
            let mut have: Vec<Field> = have.collect();
            have.extend(others.iter().map(|(_, field)| *field));
            self.other_fields(id, given, &others, expected, &have, why);
        }
        let is_missing = |known: &&Field| {
            let name = self.arena.name(known.name);
            !known.optional && !is_among(given, name)
        };
        let missing = flat.fields.iter().filter(is_missing);
        let missing: Vec<Sym> = missing.map(|known| known.name).collect();
        // A misspelt name is one mistake, not also a missing field.
        if !missing.is_empty() && !misspelt {
            let have = given.iter().filter_map(|field| {
                let name = self.arena.known_symbol(&field.name)?;
                flat.get(name)
            });
            let have = have.collect();
            let found = self.arena.record(have, None);
            let sides = Some((found, expected));
            self.missing_fields(At::whole(id), &missing, why, (host, ""), sides);
        }
        if let Some(tail) = flat.tail {
            let rest = self.arena.record(more, None);
            if let Err(mismatch) = self.arena.unify(tail, rest) {
                self.mismatch(At::whole(id), rest, tail, why, *mismatch);
            }
        }
    }

    /// Names in alphabetical order.
    pub(super) fn sorted_names(&self, names: impl Iterator<Item = Sym>) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = names.map(|name| self.arena.name(name).clone()).collect();
        names.sort_unstable();
        names
    }

    /// Reports fields that the record has not which this one must be like.
    fn other_fields(
        &mut self,
        id: ExprId,
        given: &[Given],
        others: &[(usize, Field)],
        expected: Ty,
        have: &[Field],
        why: &Why<'_>,
    ) {
        let names: Vec<&str> = others.iter().map(|(at, _)| &*given[*at].name).collect();
        let word = if names.len() == 1 { "field" } else { "fields" };
        let other = why.other().unwrap_or("the other");
        let message = format!("{other} has no {word} {}", list_names(&names));
        let place = self.part(id, others[0].0);
        let help = self.same_fields(expected, have, why);
        let problem = Problem::new(codes::WRONG_TYPE, place, message).help(help);
        let problem = self.with_reason(problem, why, "");
        self.report(problem);
    }

    #[expect(clippy::too_many_arguments, reason = "one finding, told in one place")]
    fn unknown_field(
        &mut self,
        id: ExprId,
        index: usize,
        name: &str,
        free: &[&str],
        all: &[&str],
        why: &Why<'_>,
        (host, value): (bool, Ty),
    ) {
        let place = self.part(id, index);
        let mut message = format!("unknown field `{name}`");
        let code = if host {
            if let Some(what) = why.what() {
                message.push_str(&format!(": {what} has no such field"));
            }
            codes::UNKNOWN_IMAGE_FIELD
        } else {
            codes::UNKNOWN_ARGUMENT_FIELD
        };
        let problem = Problem::new(code, place, message);
        let similar = did_you_mean(name, free.iter().copied());
        let problem = match similar {
            Some(similar) => problem.did_you_mean(place, name, similar),
            None if all.is_empty() => problem.note("it takes no fields"),
            None => problem.note(format!("the fields are {}", list_names(all))),
        };
        let problem = match similar {
            None if !host => self.alike_advice(problem, why, value),
            _ => problem,
        };
        let problem = self.with_reason(problem, why, "the function takes these fields");
        self.report(problem);
    }

    /// `e.name`
    pub(super) fn select(&mut self, id: ExprId, record: ExprId, name: &Arc<str>) -> Ty {
        if let Some(ty) = self.select_export(id, record, name) {
            return ty;
        }
        if let Some(ty) = self.select_known(record, name) {
            return ty;
        }
        let found = self.infer(record);
        let (root, node) = self.arena.resolve(found);
        match node {
            Node::Poison => POISON,
            Node::Record(_) => self.field_of(id, root, name),
            Node::Host(host) if host.is_schema() => {
                let table = self.arena.schema(host).unwrap_or(POISON);
                self.field_of(id, table, name)
            }
            Node::Var(index) if self.arena.vars[index as usize].heads.has(Heads::RECORD) => {
                let field = Field {
                    name: self.arena.symbol(name),
                    ty: self.arena.fresh(),
                    optional: false,
                };
                let tail = self.arena.fresh_row();
                let wanted = self.arena.record(vec![field], Some(tail));
                if let Err(mismatch) = self.arena.unify(root, wanted) {
                    self.mismatch(At::whole(record), root, wanted, &Why::Nothing, *mismatch);
                    return POISON;
                }
                field.ty
            }
            Node::Map(_) => {
                let place = self.part(id, 0);
                let message =
                    format!("a map has no field `{name}` that is known before it is evaluated");
                self.report(
                    Problem::new(codes::UNKNOWN_FIELD, place, message).help(format!(
                        "write `get \"{name}\" …`, which gives `Some` value or `None`, or `getOr`"
                    )),
                );
                POISON
            }
            _ => {
                let message = format!("only records have fields, and this is {}", self.words(root));
                let problem = Problem::new(codes::WRONG_TYPE, self.site(record), message);
                let problem = self.option_advice(problem, root);
                let problem = self.with_origin(problem, record);
                self.report(problem);
                POISON
            }
        }
    }

    fn field_of(&mut self, id: ExprId, record: Ty, name: &Arc<str>) -> Ty {
        let symbol = self.arena.symbol(name);
        match self.arena.field(record, symbol) {
            Ok(field) if field.optional => {
                let place = self.part(id, 0);
                let message = format!("the field `{name}` may be missing");
                self.report(
                    Problem::new(codes::OPTIONAL_FIELD, place, message).help(format!(
                        "give it a default where the record is taken: `{{ {name} ? …, ... }} => …`"
                    )),
                );
                POISON
            }
            Ok(field) => field.ty,
            Err(Some(tail)) => {
                if self.arena.is_poison(tail) {
                    return POISON;
                }
                let field = Field {
                    name: symbol,
                    ty: self.arena.fresh(),
                    optional: false,
                };
                let rest = self.arena.fresh_row();
                let more = self.arena.record(vec![field], Some(rest));
                if let Err(mismatch) = self.arena.unify(tail, more) {
                    self.mismatch(At::part(id, 0), tail, more, &Why::Nothing, *mismatch);
                    return POISON;
                }
                field.ty
            }
            Err(None) => {
                let Node::Record(row) = self.arena.node(record) else {
                    return POISON;
                };
                let flat = self.arena.flatten(row);
                let names = self.sorted_names(flat.fields.iter().map(|field| field.name));
                self.no_field(id, name, &names, "the record");
                POISON
            }
        }
    }

    /// A field of a record that a name stands for, where each use of the name has variables
    /// of its own: only those of the field are made.
    fn select_known(&mut self, record: ExprId, name: &Arc<str>) -> Option<Ty> {
        if self.types.is_some() {
            // The type of the whole record is wanted too.
            return None;
        }
        let mut names = vec![name];
        let mut base = record;
        loop {
            match self.expr(base) {
                Expr::Local(local) => {
                    let mut ty = self.generic(*local)?;
                    for name in names.iter().rev() {
                        let symbol = self.arena.symbol(name);
                        let field = self.arena.field(ty, symbol).ok()?;
                        ty = Some(field.ty).filter(|_| !field.optional)?;
                    }
                    return Some(self.arena.copy(ty));
                }
                Expr::Item(_) => break,
                Expr::Select(module, _) if self.module_of(*module).is_some() => break,
                Expr::Select(inner, name) => {
                    names.push(name);
                    base = *inner;
                }
                _ => return None,
            }
        }
        let scheme = self.scheme_of(base)?;
        if scheme.vars.is_empty() {
            return None;
        }
        let mut part = u32::try_from(scheme.nodes.len()).ok()?.checked_sub(1)?;
        for name in names.iter().rev() {
            let Part::Record(fields, _) = scheme.part(part) else {
                return None;
            };
            let at = fields.binary_search_by(|field| field.name.cmp(name)).ok()?;
            part = Some(fields[at].ty).filter(|_| !fields[at].optional)?;
        }
        Some(self.arena.instantiate_part(&scheme, part))
    }

    fn no_field(&mut self, id: ExprId, name: &str, names: &[Arc<str>], what: &str) {
        let place = self.part(id, 0);
        let message = format!("{what} has no field `{name}`");
        let problem = Problem::new(codes::UNKNOWN_FIELD, place, message);
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let problem = match did_you_mean(name, names.iter().copied()) {
            Some(similar) => problem.did_you_mean(place, name, similar),
            None if names.is_empty() => problem.note(format!("{what} is empty")),
            None => problem.note(format!("its fields are {}", list_names(&names))),
        };
        self.report(problem);
    }

    /// A public binding of a module. `None`: the expression is no module with names.
    fn select_export(&mut self, id: ExprId, record: ExprId, name: &Arc<str>) -> Option<Ty> {
        let module = self.module_of(record)?;
        let items = crate::queries::items(self.db, module);
        let exports = items.exports.as_ref()?;
        let Some(item) = items.exported(name) else {
            self.no_field(id, name, exports, "the module");
            return Some(POISON);
        };
        Some(self.global(item))
    }

    /// `a // b`
    pub(super) fn update(&mut self, id: ExprId, left: ExprId, right: ExprId) -> Ty {
        let sides = (left, right);
        let left = self.infer(left);
        let right = self.infer(right);
        let result = self.arena.fresh();
        let update = Update {
            at: id,
            sides,
            left,
            right,
            result,
        };
        match self.try_update(&update) {
            Some(ty) => ty,
            None => {
                self.updates.push(update);
                result
            }
        }
    }

    /// Gives each waiting `//` from number `from` on its type, where its sides are
    /// known now. With `last`, those that are still not known are mistakes.
    pub(super) fn settle_updates(&mut self, from: usize, last: bool) {
        if self.updates.len() <= from {
            return;
        }
        // One may be known only when another is.
        loop {
            let waiting = self.updates.split_off(from);
            let before = waiting.len();
            for update in waiting {
                match self.try_update(&update) {
                    Some(ty) => {
                        if let Err(mismatch) = self.arena.subsume(ty, update.result) {
                            let at = At::whole(update.at);
                            self.mismatch(at, ty, update.result, &Why::Nothing, *mismatch);
                        }
                    }
                    None => self.updates.push(update),
                }
            }
            if self.updates.len() - from == before || self.updates.len() == from {
                break;
            }
        }
        if !last {
            return;
        }
        let level = self.arena.level;
        for update in self.updates.split_off(from) {
            if let Node::Var(index) = self.arena.node(update.right)
                && level > 1
                && self.arena.vars[index as usize].level < level
            {
                // It is that of a function around this `let`, which may yet say more.
                let parts = [update.left, update.result];
                if parts
                    .iter()
                    .all(|part| self.arena.lower(*part, level - 1).is_ok())
                {
                    self.updates.push(update);
                    continue;
                }
            }
            let place = self.site(update.sides.1);
            let message = "the fields of the right side of `//` must be known";
            self.report(
                Problem::new(codes::WRONG_TYPE, place, message)
                    .note("they decide which fields of the left side stay")
                    .help("write its type: `{ name : String }`, or `Map String`"),
            );
            let _ = self.arena.unify(update.result, POISON);
        }
    }

    /// The type of a `//`, if its sides are known well enough.
    fn try_update(&mut self, update: &Update) -> Option<Ty> {
        let (left, mut a) = self.arena.resolve(update.left);
        let (right, mut b) = self.arena.resolve(update.right);
        for node in [&mut a, &mut b] {
            if let Node::Host(host) = *node
                && let Some(table) = self.arena.schema(host)
            {
                *node = self.arena.node(table);
            }
        }
        if let (Node::Map(_), Node::Var(_)) | (Node::Map(_), Node::Record(_)) =
            (self.arena.node(update.result), b)
        {
            let why = Why::Operator("//");
            self.fit(update.sides.0, left, update.result, &why);
            self.fit(update.sides.1, right, update.result, &why);
            return Some(update.result);
        }
        match (a, b) {
            (Node::Poison, _) | (_, Node::Poison) => Some(POISON),
            (Node::Map(_), Node::Map(_) | Node::Record(_)) => {
                self.fit(update.sides.1, right, left, &Why::Operator("//"));
                Some(left)
            }
            (Node::Map(_), Node::Var(_)) => {
                self.fit(update.sides.1, right, left, &Why::Operator("//"));
                Some(left)
            }
            (Node::Record(_) | Node::Var(_), Node::Map(_)) => {
                self.fit(update.sides.0, left, right, &Why::Operator("//"));
                Some(right)
            }
            (Node::Record(x), Node::Record(y)) => {
                let b = self.arena.flatten(y);
                if b.tail.is_some() {
                    return None;
                }
                let a = self.arena.flatten(x);
                let a = self.keep_optional(update, a, &b);
                Some(self.joined(update, &a, &b))
            }
            (Node::Var(index), Node::Record(y))
                if self.arena.vars[index as usize].heads.has(Heads::RECORD) =>
            {
                let b = self.arena.flatten(y);
                if b.tail.is_some() {
                    return None;
                }
                let tail = self.arena.fresh_row();
                let open = self.arena.record(Vec::new(), Some(tail));
                self.fit(update.sides.0, left, open, &Why::Operator("//"));
                let a = Flat {
                    fields: Vec::new(),
                    tail: Some(tail),
                };
                let a = self.keep_optional(update, a, &b);
                Some(self.joined(update, &a, &b))
            }
            (Node::Record(_), Node::Var(index)) | (Node::Var(index), Node::Var(_))
                if self.arena.vars[index as usize].heads.has(Heads::RECORD) =>
            {
                None
            }
            (Node::Record(_), _) => {
                self.operand("//", update.sides.1, right, "records");
                Some(POISON)
            }
            _ => {
                self.operand("//", update.sides.0, left, "records");
                Some(POISON)
            }
        }
    }

    /// Of a field of the right side that may be missing, the left side's stays, if it has
    /// one: it has the same type then.
    fn keep_optional(&mut self, update: &Update, mut a: Flat, b: &Flat) -> Flat {
        let Some(tail) = a.tail else { return a };
        let is_new = |field: &&Field| field.optional && a.get(field.name).is_none();
        let kept: Vec<Field> = b.fields.iter().filter(is_new).copied().collect();
        if kept.is_empty() || self.arena.is_poison(tail) {
            return a;
        }
        let rest = self.arena.fresh_row();
        let more = self.arena.record(kept.clone(), Some(rest));
        if let Err(mismatch) = self.arena.unify(tail, more) {
            let at = At::whole(update.sides.0);
            self.mismatch(at, tail, more, &Why::Operator("//"), *mismatch);
        }
        a.fields.extend(kept);
        a.fields.sort_unstable_by_key(|field| field.name);
        a.tail = Some(rest);
        a
    }

    /// The type of a `//` of two records whose fields are known, as far as they decide.
    fn joined(&mut self, update: &Update, a: &Flat, b: &Flat) -> Ty {
        let mut fields = a.fields.clone();
        for field in &b.fields {
            match a
                .fields
                .binary_search_by_key(&field.name, |other| other.name)
            {
                // It may be that of either side.
                Ok(at) if field.optional => {
                    let other = fields[at];
                    if self.arena.unify(field.ty, other.ty).is_err() {
                        let name = self.arena.name(field.name).clone();
                        let (left, right) = (self.words(other.ty), self.words(field.ty));
                        let message = format!(
                            "the field `{name}` is {left} in the left side of `//`, and may be {right} in the right one"
                        );
                        let place = self.site(update.sides.1);
                        let problem = Problem::new(codes::WRONG_TYPE, place, message);
                        let problem = self.with_origin(problem, update.sides.0);
                        let problem = self.with_origin(problem, update.sides.1);
                        self.report(problem);
                    }
                }
                Ok(at) => fields[at] = *field,
                Err(_) => fields.push(*field),
            }
        }
        self.arena.record(fields, a.tail)
    }
}

/// Whether a literal, whose fields are sorted, gives a field.
fn is_among(given: &[Given], name: &str) -> bool {
    given
        .binary_search_by(|field| (*field.name).cmp(name))
        .is_ok()
}
