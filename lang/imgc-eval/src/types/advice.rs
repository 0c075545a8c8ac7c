//! What to do about types that do not go together, where that is plain: words, and a
//! change of the text.
//!
//! It decides nothing: nothing here may make two types the same.

use crate::ir::{Expr, ExprId, ItemName, Parameter};
use crate::problem::Problem;
use crate::queries::Db;
use crate::site::Site;
use crate::text::{is_plain, quote};

use super::hosts::Host;
use super::infer::Infer;
use super::report::Why;
use super::ty::{Field, Flat, Heads, Node, Ty};

const OPTION: &str = "`withDefault` gives what `Some` carries, or another value for `None`";

/// What to do where records that must be alike have other fields.
pub(super) const SAME_FIELDS: &str =
    "give all the same fields, or write the type, with `?` after what may be missing";

impl Infer<'_> {
    /// What to do about it, where that is plain.
    pub(super) fn advice(
        &mut self,
        problem: Problem<Site>,
        id: ExprId,
        found: Ty,
        expected: Ty,
        why: &Why<'_>,
    ) -> Problem<Site> {
        let node = self.arena.node(expected);
        match why {
            Why::Text if self.is_shown(found) => {
                let problem = problem.help("write `${toString …}`");
                return self.call(problem, "toString", id, why);
            }
            Why::First(_)
                if matches!(
                    (self.expr(id), node),
                    (Expr::Int(_) | Expr::Str(_), Node::Var(_))
                ) =>
            {
                return problem.help(
                    "the items of a list have one type; of ports it is written: `ports : [Port] = …`",
                );
            }
            _ => {}
        }
        match (node, self.arena.node(found)) {
            (Node::Union(_) | Node::Function(..), _) => problem,
            (_, Node::Union(_)) => self.option_advice(problem, found),
            (Node::Var(_), _) => problem,
            (_, Node::Function(..)) => match self.expr(id) {
                Expr::Apply(..) => problem.help("give it all its arguments"),
                Expr::Lambda(_) => problem,
                _ => problem.help("give it its arguments"),
            },
            (_, Node::Host(Host::Data)) => self.data(problem, id, node, why),
            (Node::List(item), found_node) => {
                self.list_advice(problem, id, (found, found_node), item, why)
            }
            (Node::Map(_), Node::Record(_)) | (Node::Record(_), Node::Map(_)) => {
                self.map_advice(problem, found, expected, why)
            }
            (Node::Host(wanted), _) => self.host_advice(problem, id, found, wanted, why),
            _ => problem,
        }
    }

    /// Offers to give the expression to a function.
    pub(super) fn call(
        &self,
        problem: Problem<Site>,
        function: &str,
        id: ExprId,
        why: &Why<'_>,
    ) -> Problem<Site> {
        if !can_change(self.db, self.expr(id), why) {
            return problem;
        }
        let simple = matches!(
            self.expr(id),
            Expr::Int(_)
                | Expr::Bool(_)
                | Expr::Str(_)
                | Expr::Interpolation(_)
                | Expr::Path(_)
                | Expr::Local(_)
                | Expr::Item(_)
                | Expr::Builtin(_)
                | Expr::Select(..)
        );
        let [before, after] = match (simple, why) {
            (true, Why::Argument { .. }) => [format!("({function} "), ")".to_owned()],
            (true, _) => [format!("{function} "), String::new()],
            (false, _) => [format!("{function} ("), ")".to_owned()],
        };
        let title = format!("write `{before}…{after}`");
        problem.around(title, self.site(id), before, after)
    }

    /// What to do with the operand of an operator that takes numbers, strings or lists.
    pub(super) fn operand_advice(&mut self, problem: Problem<Site>, found: Ty) -> Problem<Site> {
        match self.arena.node(found) {
            Node::Union(_) => self.option_advice(problem, found),
            Node::Host(Host::Data) => problem.help("`asInt`, `asString` and `asList` read it"),
            _ => problem,
        }
    }

    /// What to do with a value that is `Some` or `None`, if it is one.
    pub(super) fn option_advice(&mut self, problem: Problem<Site>, found: Ty) -> Problem<Site> {
        if let Node::Union(row) = self.arena.node(found) {
            let flat = self.arena.flatten(row);
            if self.is_option(&flat) {
                return problem.help(OPTION);
            }
        }
        problem
    }

    /// What to write for `list[0]` and `record["a"]`, which are calls here.
    pub(super) fn index_advice(
        &mut self,
        problem: Problem<Site>,
        (call, callee, argument): (ExprId, ExprId, ExprId),
        ty: Ty,
    ) -> Problem<Site> {
        let Expr::List(items) = self.expr(argument) else {
            return problem;
        };
        let [item] = items.as_slice() else {
            return problem;
        };
        let index = self.expr(*item);
        let name = match self.expr(callee) {
            Expr::Local(_) | Expr::Item(_) => self.callee_name(callee),
            _ => None,
        };
        let (help, text) = match (index, self.arena.node(ty)) {
            (Expr::Int(number), Node::List(_)) => (
                format!("an item is read with `at`: `at {number} …`"),
                name.map(|name| format!("at {number} {name}")),
            ),
            (Expr::Str(field), Node::Record(_)) if is_plain(field) => (
                format!("a field is read with a dot: `….{field}`"),
                name.map(|name| format!("{name}.{field}")),
            ),
            (Expr::Str(_), Node::Map(_)) => (
                "`get \"…\"` reads a map, and gives `Some` value or `None`".to_owned(),
                None,
            ),
            (_, Node::List(_)) if !matches!(index, Expr::List(_) | Expr::Record(_)) => {
                ("an item is read with `at`: `at … list`".to_owned(), None)
            }
            _ => return problem,
        };
        let problem = problem.help(help);
        match text {
            Some(text) => problem.fix(
                format!("change it to `{text}`"),
                vec![(self.site(call), text)],
            ),
            None => problem,
        }
    }

    pub(super) fn is_option(&self, flat: &Flat) -> bool {
        let is = |tag: &Field| matches!(&**self.arena.name(tag.name), "Some" | "None");
        !flat.fields.is_empty() && flat.fields.iter().all(is)
    }

    fn data(
        &self,
        problem: Problem<Site>,
        id: ExprId,
        wanted: Node,
        why: &Why<'_>,
    ) -> Problem<Site> {
        let function = match wanted {
            Node::Host(Host::String | Host::File | Host::Package) => "asString",
            Node::Host(Host::Int | Host::Mode | Host::Port) => "asInt",
            Node::Host(Host::Bool) => "asBool",
            Node::List(_) => "asList",
            Node::Map(_) => "asMap",
            Node::Record(_) => {
                return problem.help("`field \"name\" …` reads a field of data");
            }
            _ => return problem,
        };
        let problem = problem.help(format!("`{function}` reads it"));
        self.call(problem, function, id, why)
    }

    fn list_advice(
        &mut self,
        problem: Problem<Site>,
        id: ExprId,
        (found, node): (Ty, Node),
        item: Ty,
        why: &Why<'_>,
    ) -> Problem<Site> {
        let is_text = self.is_text(found);
        if let Why::Argument { callee, name, .. } = why
            && matches!(self.expr(*callee), Expr::Builtin(_))
        {
            let other = match (name.unwrap_or_default(), node) {
                ("length", _) if is_text => Some("textLength"),
                ("contains", _) if is_text => Some("hasText"),
                ("map", Node::Record(_) | Node::Map(_)) => Some("mapValues"),
                ("filter", Node::Record(_) | Node::Map(_)) => {
                    return problem.help("`filterMap` is `filter` for records and maps");
                }
                (_, Node::Record(_) | Node::Map(_)) => {
                    return problem.help("`names`, `values` and `entries` make a list of it");
                }
                _ => None,
            };
            if let Some(other) = other {
                let edit = (self.site(*callee), other.to_owned());
                let problem = problem.help(format!("write `{other}`"));
                return problem.fix(format!("change it to `{other}`"), vec![edit]);
            }
        }
        if !self.could_be(found, item) {
            return problem;
        }
        if let (true, Expr::Str(text)) = (is_text, self.expr(id)) {
            let mut list = "[".to_owned();
            quote(text, &mut list);
            list.push(']');
            return problem
                .help("write it as a list: `[\"…\"]`")
                .fix("put it into a list", vec![(self.site(id), list)]);
        }
        let problem = problem.help("write it as a list: `[…]`");
        if can_change(self.db, self.expr(id), why) {
            return problem.around("put it into a list", self.site(id), "[", "]");
        }
        problem
    }

    fn map_advice(
        &mut self,
        problem: Problem<Site>,
        found: Ty,
        expected: Ty,
        why: &Why<'_>,
    ) -> Problem<Site> {
        if let (Node::Map(value), Some(field)) =
            (self.arena.node(found), self.typed_by_default(why))
        {
            let value = self.arena.node(value);
            return problem.help(self.map_of(field, value));
        }
        for ty in [found, expected] {
            if let Node::Record(row) = self.arena.node(ty) {
                let flat = self.arena.flatten(row);
                if flat.fields.is_empty() && flat.tail.is_none() {
                    return problem.help("a map without fields is written `toMap []`");
                }
            }
        }
        problem.help("`get` and `getOr` read a map; a record is one where its type is written: `(… : Map String)`")
    }

    fn host_advice(
        &mut self,
        problem: Problem<Site>,
        id: ExprId,
        found: Ty,
        wanted: Host,
        why: &Why<'_>,
    ) -> Problem<Site> {
        let place = self.site(id);
        match wanted {
            Host::String if self.is_shown(found) => match self.expr(id) {
                Expr::Int(number) => problem
                    .help("write it in quotes, or use `toString`")
                    .fix("write it in quotes", vec![(place, format!("\"{number}\""))]),
                Expr::Path(_) if why.is_host() => {
                    problem.help("a path in the image is a string: `\"/srv/data\"`")
                }
                _ => {
                    let problem = problem.help("`toString` makes a string of it");
                    self.call(problem, "toString", id, why)
                }
            },
            Host::Path | Host::Program | Host::Source if self.is_text(found) => match self.expr(id)
            {
                Expr::Str(text) if is_path(text) => {
                    let path = if text.starts_with('.') {
                        text.to_string()
                    } else {
                        format!("./{}", text.trim_start_matches('/'))
                    };
                    problem
                        .help("a path has no quotes: `./server`")
                        .fix("write it as a path", vec![(place, path)])
                }
                _ => problem.help("a path has no quotes: `./server`"),
            },
            Host::Packages if matches!(self.arena.node(found), Node::List(_)) => {
                problem.help("`(import std/debian).image` takes names of packages in this field")
            }
            Host::Int if self.is_text(found) => match self.expr(id) {
                Expr::Str(text) if is_number(text) => {
                    problem.fix("remove the quotes", vec![(place, text.to_string())])
                }
                _ => problem.help("`toInt` reads a number, or write it without quotes"),
            },
            Host::Bool => match self.expr(id) {
                Expr::Str(text) if matches!(&**text, "true" | "false") => {
                    problem.fix("remove the quotes", vec![(place, text.to_string())])
                }
                _ => problem,
            },
            Host::Mode if self.is_text(found) => {
                let problem = problem.help("a mode has no quotes: `0o644`");
                match self.expr(id) {
                    Expr::Str(text) if is_mode(text) => {
                        let digits = text.trim_start_matches("0o").trim_start_matches('0');
                        let digits = if digits.is_empty() { "0" } else { digits };
                        problem.fix("write it as a mode", vec![(place, format!("0o{digits}"))])
                    }
                    _ => problem,
                }
            }
            Host::Package | Host::Platform | Host::Suite | Host::Variant | Host::Mode
                if self.converts_to(found, wanted) =>
            {
                let name = wanted.name().to_lowercase();
                let problem = problem.help(format!("`{name}` makes one of it"));
                self.call(problem, &name, id, why)
            }
            _ => problem,
        }
    }

    /// Whether there is a builtin that makes a `wanted` of it.
    pub(super) fn converts_to(&mut self, found: Ty, wanted: Host) -> bool {
        let has = crate::builtins::Builtin::find(&wanted.name().to_lowercase()).is_some();
        let number = wanted == Host::Mode;
        match self.arena.node(found) {
            Node::Host(Host::String) => has && !number,
            Node::Host(Host::Int) => has && number,
            _ => false,
        }
    }

    /// What to do about a field that a record has and the one that says its type has not.
    /// `value` is the type of that field.
    pub(super) fn alike_advice(
        &mut self,
        problem: Problem<Site>,
        why: &Why<'_>,
        value: Ty,
    ) -> Problem<Site> {
        if let Some(field) = self.typed_by_default(why) {
            let value = self.arena.node(value);
            return problem.help(self.map_of(field, value));
        }
        match why.root() {
            // What a builtin takes of any type is said by the records before.
            Why::Argument { callee, .. } if matches!(self.expr(*callee), Expr::Builtin(_)) => {
                problem.help(SAME_FIELDS)
            }
            _ => problem,
        }
    }

    /// The field of a parameter that is given here, if nothing but its default, which is a
    /// record, says what it takes; and whether that has no fields.
    fn typed_by_default<'w>(&self, why: &Why<'w>) -> Option<(&'w str, bool)> {
        let Why::Field(Why::Argument { callee, index, .. }, name) = why else {
            return None;
        };
        let site = self.definition(*callee, *index)?;
        let body = crate::queries::body(self.db, site.item).as_ref()?;
        let Expr::Lambda(lambda) = body.expr(site.at.expr) else {
            return None;
        };
        let Parameter::Fields(pattern) = &lambda.parameter else {
            return None;
        };
        let field = pattern.fields.iter().find(|field| *field.name == **name)?;
        let default = field.default.filter(|_| field.annotation.is_none())?;
        match body.expr(default) {
            Expr::Record(fields) => Some((name, fields.is_empty())),
            _ => None,
        }
    }

    /// How a parameter that takes any names is written.
    fn map_of(&self, (name, empty): (&str, bool), value: Node) -> String {
        let value = match value {
            Node::Host(host) => host.name(),
            Node::Var(index) => {
                let first = self.arena.vars[index as usize].heads.first();
                first.map_or("String", Host::name)
            }
            _ => "…",
        };
        let default = if empty { "{}" } else { "…" };
        format!(
            "for other names than in its default, write its type: `{name} : Map {value} ? {default}`"
        )
    }

    /// Whether the two are of one kind, as far as can be seen without looking into them.
    fn could_be(&mut self, found: Ty, expected: Ty) -> bool {
        match (self.arena.node(found), self.arena.node(expected)) {
            (Node::Var(a), Node::Var(b)) => {
                let (a, b) = (self.arena.vars[a as usize], self.arena.vars[b as usize]);
                a.heads.and(b.heads).0 != 0
            }
            (Node::Var(var), Node::Host(host)) | (Node::Host(host), Node::Var(var)) => {
                self.arena.vars[var as usize].heads.has(Heads::of(&[host]))
            }
            (Node::Var(_), _) | (_, Node::Var(_)) => true,
            (Node::Host(a), Node::Host(b)) => a == b || super::subsume::fits(a, b),
            (Node::Host(host), Node::Record(_)) | (Node::Record(_), Node::Host(host)) => {
                host.is_schema()
            }
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        }
    }

    /// What to do where a record has other fields than one that it must be like.
    pub(super) fn same_fields(&mut self, expected: Ty, given: &[Field], why: &Why<'_>) -> String {
        let Node::Record(row) = self.arena.node(expected) else {
            return SAME_FIELDS.to_owned();
        };
        let mut flat = self.arena.flatten(row);
        let is_direct = matches!(why, Why::First(_) | Why::Branch(_));
        if flat.tail.is_some() || !is_direct {
            return SAME_FIELDS.to_owned();
        }
        for field in &mut flat.fields {
            field.optional |= !given.iter().any(|other| other.name == field.name);
        }
        for field in given {
            if flat.get(field.name).is_none() {
                flat.fields.push(Field {
                    optional: true,
                    ..*field
                });
                flat.fields.sort_unstable_by_key(|field| field.name);
            }
        }
        let types: Vec<String> = flat
            .fields
            .iter()
            .map(|field| field.ty)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|ty| self.text(ty))
            .collect();
        let plain = |field: &Field| is_plain(self.arena.name(field.name));
        let all_plain = flat.fields.iter().all(plain);
        let is_file = |field: &Field| self.arena.name(field.name).starts_with('/');
        let files = flat.fields.iter().all(is_file);
        let value = match types.as_slice() {
            _ if files => Some("File".to_owned()),
            [first, rest @ ..] if rest.iter().all(|other| other == first) => Some(
                match first.contains(' ') && !first.starts_with(['{', '[']) {
                    true => format!("({first})"),
                    false => first.clone(),
                },
            ),
            _ => None,
        };
        let record = self.arena.record(flat.fields, None);
        let record = self.text(record);
        let whole = |ty: &str| match why {
            Why::First(_) => format!("`… : [{ty}] = …`"),
            _ => format!("`… : {ty} = …`"),
        };
        match value {
            _ if record.contains('…') => SAME_FIELDS.to_owned(),
            Some(value) if !all_plain => {
                format!(
                    "write the type of the whole: {}",
                    whole(&format!("Map {value}"))
                )
            }
            Some(value) => format!(
                "give all the same fields, or write the type of the whole: {}, or {}",
                whole(&record),
                whole(&format!("Map {value}"))
            ),
            None => format!(
                "give all the same fields, or write the type of the whole: {}",
                whole(&record)
            ),
        }
    }
}

/// Whether the text of the expression can be changed in its place. What a field of the
/// same name has may be written as the name alone: `{ name; }`.
fn can_change(db: &dyn Db, expr: &Expr, why: &Why<'_>) -> bool {
    let Why::Field(_, field) = why else {
        return true;
    };
    match expr {
        Expr::Local(_) => false,
        Expr::Item(item) => match item.name(db) {
            ItemName::Let(name, _) | ItemName::Export(name) => **name != **field,
            ItemName::Root => true,
        },
        _ => true,
    }
}

/// Whether the text is a number literal.
fn is_number(text: &str) -> bool {
    text.parse::<i64>()
        .is_ok_and(|number| number.to_string() == text)
}

/// Whether the text is a mode as it is written elsewhere: `0755`, `644`.
fn is_mode(text: &str) -> bool {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    (3..=5).contains(&digits.len()) && digits.bytes().all(|digit| matches!(digit, b'0'..=b'7'))
}

/// Whether the text is a path literal, when `./` is put before it.
pub(super) fn is_path(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let rest = text.trim_start_matches("./").trim_start_matches('/');
    !rest.is_empty()
        && rest
            .split('/')
            .all(|part| !part.is_empty() && part.bytes().all(plain))
}
