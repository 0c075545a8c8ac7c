//! What types that do not go together are called in a finding: what is needed, what is
//! there, where that was said, and what to do.

use imgc_diag::codes;

use crate::ir::{Expr, ExprId};
use crate::problem::{Problem, list_names};
use crate::site::{At, Site};
use crate::text::{is_plain, quote};

use super::hosts::Host;
use super::infer::Infer;
use super::ty::{Heads, Node, Sym, Ty};
use super::unify::{Clash, Mismatch, Step};

/// How long types may be that a note shows.
const LONGEST_NOTE: usize = 160;

/// Why a type is needed.
#[derive(Debug)]
pub(super) enum Why<'w> {
    /// For no reason that helps.
    Nothing,
    /// A function takes it.
    Argument {
        /// The function.
        callee: ExprId,
        /// Its name.
        name: Option<&'w str>,
        /// Which argument it is, from 0 on.
        index: usize,
        /// How many the function takes.
        count: usize,
        /// Whether it is a builtin.
        host: bool,
    },
    /// It is in a field.
    Field(&'w Why<'w>, &'w str),
    /// It is in a list.
    Item(&'w Why<'w>, usize),
    /// It is what a tag carries.
    Payload(&'w Why<'w>, &'w str),
    /// It is what a function gives.
    Result(&'w Why<'w>),
    /// It is part of an expression that has a name for it.
    Operand(&'static str),
    /// It is the other side of an operator.
    Operator(&'static str),
    /// It is in `${}`.
    Text,
    /// An annotation says so.
    Annotation,
    /// Another branch has this type.
    Branch(ExprId),
    /// The first item of the list has this type.
    First(ExprId),
    /// It is the default of a field.
    Default(&'w str),
    /// The patterns of a `match` take it.
    Match,
}

impl Why<'_> {
    /// Whether the host asks for it.
    pub(super) fn is_host(&self) -> bool {
        match self {
            Self::Argument { host, .. } => *host,
            Self::Field(outer, _)
            | Self::Item(outer, _)
            | Self::Payload(outer, _)
            | Self::Result(outer) => outer.is_host(),
            _ => false,
        }
    }

    /// The value that this one must be like, if there is one.
    pub(super) fn other(&self) -> Option<&'static str> {
        match self.root() {
            Self::First(_) => Some("the first item"),
            Self::Branch(_) => Some("the other branch"),
            Self::Operator("++") => Some("an item of the left side"),
            _ => None,
        }
    }

    pub(super) fn root(&self) -> &Self {
        match self {
            Self::Field(outer, _)
            | Self::Item(outer, _)
            | Self::Payload(outer, _)
            | Self::Result(outer) => outer.root(),
            _ => self,
        }
    }

    /// What the value is called, if it has a name.
    pub(super) fn what(&self) -> Option<String> {
        if let Self::Field(Self::Field(_, "files"), name) = self
            && name.starts_with('/')
        {
            return Some(format!("the file `{name}`"));
        }
        let mut path = String::new();
        self.path(&mut path);
        if !path.is_empty() {
            return Some(format!("`{path}`"));
        }
        match self {
            Self::Argument {
                name, index, count, ..
            } => {
                let argument = match (count, index) {
                    (0 | 1, _) => "the argument".to_owned(),
                    (_, 0) => "the first argument".to_owned(),
                    (_, 1) => "the second argument".to_owned(),
                    (_, 2) => "the third argument".to_owned(),
                    (_, index) => format!("argument {}", index + 1),
                };
                Some(match name {
                    Some(name) => format!("{argument} of `{name}`"),
                    None => argument,
                })
            }
            Self::Item(outer, _) => Some(format!("an item of {}", outer.what()?)),
            Self::Payload(_, tag) => Some(format!("what `{tag}` carries")),
            Self::Operand(what) => Some((*what).to_owned()),
            Self::Operator(op) => Some(format!("the right side of `{op}`")),
            Self::Default(name) => Some(format!("the default of `{name}`")),
            _ => None,
        }
    }

    fn path(&self, text: &mut String) {
        match self {
            Self::Field(outer, name) => {
                outer.path(text);
                if !text.is_empty() {
                    text.push('.');
                }
                if is_plain(name) {
                    text.push_str(name);
                } else {
                    quote(name, text);
                }
            }
            Self::Item(outer, index) => {
                outer.path(text);
                if !text.is_empty() {
                    text.push_str(&format!("[{index}]"));
                }
            }
            _ => {}
        }
    }
}

impl Infer<'_> {
    /// A type as text.
    pub(super) fn text(&mut self, ty: Ty) -> String {
        /// Larger types are not shown.
        const MOST: usize = 5_000;
        match self.arena.scheme_of(ty, MOST) {
            Ok(scheme) => super::print::show_short(&scheme, LONGEST_NOTE),
            Err(_) => "…".to_owned(),
        }
    }

    /// What a value of the type is, in words.
    pub(super) fn words(&mut self, ty: Ty) -> String {
        let text = match self.arena.node(ty) {
            Node::Host(host) => host.words(),
            Node::List(_) => "a list",
            Node::Map(_) => "a map",
            Node::Record(_) => "a record",
            Node::Function(..) => "a function",
            Node::Nothing => "nothing",
            Node::Union(row) => {
                let flat = self.arena.flatten(row);
                if let [tag] = flat.fields.as_slice() {
                    return format!("the tag `{}`", self.arena.name(tag.name));
                }
                if self.is_option(&flat) {
                    "`Some` or `None`"
                } else {
                    "a tag"
                }
            }
            Node::Var(index) => {
                let var = self.arena.vars[index as usize];
                if var.heads == Heads::ANY || var.literals == 0 {
                    return self.wanted(ty);
                }
                var.heads.first().map_or("a value", Host::words)
            }
            Node::Poison | Node::Link(_) => "a value",
        };
        text.to_owned()
    }

    /// What is needed where the type is expected, in words.
    pub(super) fn wanted(&mut self, ty: Ty) -> String {
        match self.arena.node(ty) {
            Node::Host(host) => host.wanted().to_owned(),
            Node::List(item) => match self.arena.node(item) {
                Node::Host(host) => format!("a list of {}", host.plural()),
                Node::Record(_) => "a list of records".to_owned(),
                Node::List(_) => "a list of lists".to_owned(),
                _ => "a list".to_owned(),
            },
            Node::Map(value) => match self.arena.node(value) {
                Node::Host(Host::File) => "a record of paths and files".to_owned(),
                Node::Host(host) => format!("a record of {}", host.plural()),
                _ => "a map".to_owned(),
            },
            Node::Union(row) => {
                let flat = self.arena.flatten(row);
                let names = self.sorted_names(flat.fields.iter().map(|tag| tag.name));
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                match names.as_slice() {
                    [] => "a tag".to_owned(),
                    [one] => format!("the tag `{one}`"),
                    _ => format!("one of the tags {}", list_names(&names)),
                }
            }
            Node::Var(index) => {
                let var = self.arena.vars[index as usize];
                if var.heads == Heads::ANY {
                    return "a value of any type".to_owned();
                }
                if var.heads == Heads::EQUAL {
                    return "a value that can be compared".to_owned();
                }
                if var.heads == Heads::SHOWN {
                    return "a number, a truth value or a string".to_owned();
                }
                if var.literals != 0 || var.heads == Heads::TEXT {
                    return var.heads.first().map_or("a value", Host::words).to_owned();
                }
                let hosts = Host::ALL.into_iter();
                let hosts = hosts.filter(|host| var.heads.has(Heads::of(&[*host])));
                let hosts: Vec<&str> = hosts.map(Host::words).collect();
                hosts.join(" or ")
            }
            _ => self.words(ty),
        }
    }

    /// Shows where the value of an expression comes from, if that is elsewhere.
    pub(super) fn with_origin(&self, problem: Problem<Site>, id: ExprId) -> Problem<Site> {
        if !matches!(
            self.expr(id),
            Expr::Local(_) | Expr::Item(_) | Expr::Select(..)
        ) {
            return problem;
        }
        match self.value_of(id) {
            Some((item, at)) => problem.label(Site::whole(item, at), "the value comes from here"),
            None => problem,
        }
    }

    /// Shows where it was said what is needed.
    pub(super) fn with_reason(
        &mut self,
        problem: Problem<Site>,
        why: &Why<'_>,
        argument: &str,
    ) -> Problem<Site> {
        match why.root() {
            Why::Argument { callee, index, .. } => match self.definition(*callee, *index) {
                Some(site) => problem.label(site, argument),
                None => problem,
            },
            Why::Branch(other) => problem.label(self.site(*other), "the other branch is here"),
            Why::First(first) => problem.label(self.site(*first), "the first item is here"),
            _ => problem,
        }
    }

    /// Reports fields that are needed and not there.
    /// With the types of both sides, if it is they that differ.
    pub(super) fn missing_fields(
        &mut self,
        at: At,
        names: &[Sym],
        why: &Why<'_>,
        (host, inside): (bool, &str),
        sides: Option<(Ty, Ty)>,
    ) {
        let names = self.sorted_names(names.iter().copied());
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let word = if names.len() == 1 { "field" } else { "fields" };
        let list = list_names(&names);
        let place = Site {
            item: self.item,
            at,
        };
        let problem = match (host, why.what()) {
            _ if why.other().is_some() => {
                let other = why.other().unwrap_or_default();
                let message = format!("{other} has the {word} {list}, and this has not{inside}");
                let help = self.differing(sides, why);
                Problem::new(codes::WRONG_TYPE, place, message).help(help)
            }
            (true, Some(what)) => {
                let message = format!("{what} needs the {word} {list}{inside}");
                Problem::new(codes::MISSING_FIELD, place, message)
            }
            (true, None) => {
                let message = format!("missing {word} {list}{inside}");
                Problem::new(codes::MISSING_FIELD, place, message)
            }
            _ => {
                let message = format!("missing {word} {list}{inside}");
                let problem = Problem::new(codes::MISSING_ARGUMENT_FIELD, place, message);
                self.alike_advice(problem, why, super::ty::POISON)
            }
        };
        let label = if names.len() == 1 {
            "the function needs it"
        } else {
            "the function needs them"
        };
        let problem = self.with_reason(problem, why, label);
        self.report(problem);
    }

    /// What to do where two records have other fields.
    fn differing(&mut self, sides: Option<(Ty, Ty)>, why: &Why<'_>) -> String {
        let mut given = Vec::new();
        let Some((found, expected)) = sides else {
            return self.same_fields(super::ty::POISON, &given, why);
        };
        if let Node::Record(row) = self.arena.node(found) {
            given = self.arena.flatten(row).fields;
        }
        self.same_fields(expected, &given, why)
    }

    /// Reports what a pattern is given that it does not take.
    pub(super) fn pattern_mismatch(&mut self, at: At, given: Ty, taken: Ty, mismatch: Mismatch) {
        let place = Site {
            item: self.item,
            at,
        };
        if !mismatch.path.is_empty() {
            return self.mismatch(at, given, taken, &Why::Nothing, mismatch);
        }
        let names = match &mismatch.clash {
            Clash::Missing(names) | Clash::Unknown(names, _) => names.clone(),
            Clash::Optional(name) => vec![*name],
            _ => Vec::new(),
        };
        let names = self.sorted_names(names.into_iter());
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let list = list_names(&names);
        let word = if names.len() == 1 { "field" } else { "fields" };
        let problem = match mismatch.clash {
            Clash::Types { found, expected } => {
                let message = format!(
                    "this takes {}, and it gets {}",
                    self.wanted(expected),
                    self.words(found)
                );
                Problem::new(codes::WRONG_TYPE, place, message)
            }
            Clash::Missing(_) => {
                let message = format!("this needs the {word} {list}, and gets a record without");
                Problem::new(codes::MISSING_ARGUMENT_FIELD, place, message)
                    .help(format!("give a default: `{} ? …`", names[0]))
            }
            Clash::Unknown(..) => {
                let message = format!("this does not take the {word} {list} of what it gets");
                Problem::new(codes::UNKNOWN_ARGUMENT_FIELD, place, message)
                    .help("`...` at the end of the pattern lets further fields through")
            }
            Clash::Optional(_) => {
                let message = format!("the field {list} of what this gets may be missing");
                Problem::new(codes::OPTIONAL_FIELD, place, message)
                    .help(format!("give a default: `{} ? …`", names[0]))
            }
            _ => return self.mismatch(at, given, taken, &Why::Nothing, mismatch),
        };
        self.report(problem);
    }

    /// Reports two types that do not go together.
    pub(super) fn mismatch(
        &mut self,
        at: At,
        found: Ty,
        expected: Ty,
        why: &Why<'_>,
        mismatch: Mismatch,
    ) {
        let place = Site {
            item: self.item,
            at,
        };
        let inside = self.inside(&mismatch.path);
        match mismatch.clash {
            Clash::Types {
                found: left,
                expected: right,
            } => {
                let mut problem = self.types(place, (left, right), why, &mismatch.path);
                if mismatch.path.is_empty() {
                    problem = self.advice(problem, at.expr, left, right, why);
                } else {
                    if let Node::Host(wanted) = self.arena.node(right)
                        && self.converts_to(left, wanted)
                    {
                        let name = wanted.name().to_lowercase();
                        problem = problem.help(format!("`{name}` makes one of it"));
                    }
                    let needed = self.text(expected);
                    let there = self.text(found);
                    problem = problem
                        .note(format!("needed: `{needed}`"))
                        .note(format!("found:  `{there}`"));
                }
                problem = self.with_reason(problem, why, "the function takes it here");
                if at.part.is_none() {
                    problem = self.with_origin(problem, at.expr);
                }
                self.report(problem);
            }
            Clash::Missing(names) => {
                let host = why.is_host() || self.is_schema(expected);
                let sides = Some((found, expected)).filter(|_| mismatch.path.is_empty());
                self.missing_fields(at, &names, why, (host, &inside), sides);
            }
            Clash::Unknown(names, known) => {
                let sides = (found, expected);
                let path = mismatch.path.is_empty();
                self.unknown_fields(at, (&names, &known), why, sides, path, &inside);
            }
            Clash::Optional(name) => {
                let message = format!("the field `{}` may be missing", self.arena.name(name));
                let problem = Problem::new(codes::OPTIONAL_FIELD, place, message);
                let problem = self.with_reason(problem, why, "the function needs it");
                self.report(problem);
            }
            Clash::Tags(names, known) => {
                let names = self.sorted_names(names.into_iter());
                let known = self.sorted_names(known.into_iter());
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                let known: Vec<&str> = known.iter().map(|name| &**name).collect();
                let word = if names.len() == 1 { "tag" } else { "tags" };
                let mut message = format!("unexpected {word} {}", list_names(&names));
                message.push_str(&inside);
                let mut problem = Problem::new(codes::WRONG_TYPE, place, message)
                    .note(format!("the tags here are {}", list_names(&known)));
                if let [name] = names.as_slice()
                    && let Some(similar) = imgc_diag::did_you_mean(name, known.iter().copied())
                {
                    let tag = match self.expr(at.expr) {
                        Expr::Tag(..) => Site::part(self.item, at.expr, 0),
                        _ => place,
                    };
                    problem = problem.did_you_mean(tag, name, similar);
                }
                let problem = self.with_reason(problem, why, "the function takes it here");
                self.report(problem);
            }
            Clash::NotComparable(part) => {
                let there = self.words(part);
                let message = match why.what() {
                    Some(what) => format!(
                        "{what} is data without functions, files and images, and this is {there}{inside}"
                    ),
                    None => format!("can't compare {there} with another{inside}"),
                };
                let problem = Problem::new(codes::NOT_COMPARABLE, place, message);
                self.report(problem);
            }
            Clash::Infinite => {
                let message = "the type of this would be a part of itself";
                let problem = Problem::new(codes::INFINITE_TYPE, place, message)
                    .help("a function can't take itself, nor a list be one of its own items");
                let problem = self.with_reason(problem, why, "the function takes it here");
                self.report(problem);
            }
            Clash::TooLarge => self.too_large(at.expr),
        }
    }

    fn is_schema(&mut self, ty: Ty) -> bool {
        match self.arena.node(ty) {
            Node::Host(host) => host.is_schema() || host == Host::Program,
            _ => false,
        }
    }

    fn unknown_fields(
        &mut self,
        at: At,
        (names, known): (&[Sym], &[Sym]),
        why: &Why<'_>,
        (found, expected): (Ty, Ty),
        whole: bool,
        inside: &str,
    ) {
        let host = why.is_host() || self.is_schema(expected);
        let names = self.sorted_names(names.iter().copied());
        let known = self.sorted_names(known.iter().copied());
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let known: Vec<&str> = known.iter().map(|name| &**name).collect();
        let other = why.other();
        let code = if other.is_some() {
            codes::WRONG_TYPE
        } else if host {
            codes::UNKNOWN_IMAGE_FIELD
        } else {
            codes::UNKNOWN_ARGUMENT_FIELD
        };
        let word = if names.len() == 1 { "field" } else { "fields" };
        let place = Site {
            item: self.item,
            at,
        };
        let list = list_names(&names);
        let message = match other {
            Some(other) => format!("{other} has no {word} {list}{inside}"),
            None => format!("unknown {word} {list}{inside}"),
        };
        let mut problem = Problem::new(code, place, message);
        let similar = match names.as_slice() {
            [name] => imgc_diag::did_you_mean(name, known.iter().copied()),
            _ => None,
        };
        problem = match similar {
            Some(similar) => problem.help(format!("did you mean `{similar}`?")),
            None if other.is_none() && !host => {
                let problem = match known.is_empty() {
                    true => problem.note("it takes no fields"),
                    false => problem.note(format!("the fields are {}", list_names(&known))),
                };
                self.alike_advice(problem, why, super::ty::POISON)
            }
            None if other.is_some() => {
                let help = self.differing(Some((found, expected)).filter(|_| whole), why);
                problem.help(help)
            }
            None if known.is_empty() => problem.note("it takes no fields"),
            None => problem.note(format!("the fields are {}", list_names(&known))),
        };
        problem = self.with_origin(problem, at.expr);
        let problem = self.with_reason(problem, why, "the function takes these fields");
        self.report(problem);
    }

    /// Where in the types the difference is, in words.
    fn inside(&self, path: &[Step]) -> String {
        let mut fields = String::new();
        let mut words = String::new();
        for step in path.iter().rev() {
            match step {
                Step::Field(name) => {
                    if !fields.is_empty() {
                        fields.push('.');
                    }
                    fields.push_str(self.arena.name(*name));
                }
                Step::Item => {
                    if fields.is_empty() {
                        words.push_str(" in the items of the list");
                    } else {
                        fields.push_str("[]");
                    }
                }
                Step::Value => words.push_str(" in the values of the map"),
                Step::Parameter => words.push_str(" in the parameter"),
                Step::Result => words.push_str(" in the result"),
                Step::Payload(tag) => {
                    words.push_str(&format!(" in what `{}` carries", self.arena.name(*tag)));
                }
            }
        }
        if !fields.is_empty() {
            words.push_str(&format!(" in the field `{fields}`"));
        }
        words
    }

    fn types(
        &mut self,
        place: Site,
        (found, expected): (Ty, Ty),
        why: &Why<'_>,
        path: &[Step],
    ) -> Problem<Site> {
        let there = self.words(found);
        if let [Step::Payload(tag), ..] = path {
            let tag = self.arena.name(*tag).clone();
            let nothing = super::ty::NOTHING;
            if self.arena.find(found) == nothing {
                let needed = self.wanted(expected);
                let message = format!("`{tag}` carries {needed}, and has nothing here");
                return Problem::new(codes::WRONG_TYPE, place, message);
            }
            if self.arena.find(expected) == nothing {
                let message = format!("`{tag}` carries nothing, and has {there} here");
                return Problem::new(codes::WRONG_TYPE, place, message);
            }
        }
        if let [Step::Parameter] | [Step::Parameter, Step::Result] = path {
            let message = format!(
                "this function takes {}, and it gets {there}",
                self.wanted(expected)
            );
            return Problem::new(codes::WRONG_TYPE, place, message);
        }
        if matches!(self.arena.node(expected), Node::Function(..)) && path.is_empty() {
            let mut problem = Problem::new(
                codes::NOT_A_FUNCTION,
                place,
                format!("this is {there}, not a function"),
            );
            if let Some(what) = why.what() {
                problem = problem.note(format!("{what} is a function"));
            }
            return problem;
        }
        let mut needed = self.wanted(expected);
        if needed == there || matches!(self.arena.node(found), Node::Function(..)) {
            needed = self.words(expected);
        }
        let inside = self.inside(path);
        let message = match (why, why.what()) {
            (Why::Match, _) => format!("the arms take {needed}, and this is {there}{inside}"),
            (Why::Text, _) => format!("`${{}}` takes a string, and this is {there}"),
            (_, Some(what)) if path.is_empty() => {
                format!("{what} is {needed}, and this is {there}")
            }
            _ => format!("expected {needed}, found {there}{inside}"),
        };
        Problem::new(codes::WRONG_TYPE, place, message)
    }
}
