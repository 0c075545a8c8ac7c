//! `match`: what its patterns take, and whether they take everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use imgc_diag::{codes, did_you_mean};

use crate::ir::{Arm, ArmPattern, ExprId, Payload};
use crate::problem::{Problem, list_names};
use crate::site::At;

use super::hosts::Host;
use super::infer::Infer;
use super::report::Why;
use super::ty::{Field, Heads, NOTHING, Node, POISON, Sym, Ty};
use super::unify::Clash;

/// What the patterns of a `match` are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tag,
    Int,
    Str,
    Bool,
}

/// A pattern that takes one value, so that a second one like it takes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Single {
    Tag(Arc<str>),
    Int(i64),
    Str(Arc<str>),
    Bool(bool),
}

impl Infer<'_> {
    /// Checks a `match` whose value must have a type.
    pub(super) fn check_match(
        &mut self,
        id: ExprId,
        scrutinee: ExprId,
        arms: &[Arm],
        expected: Ty,
        why: &Why<'_>,
    ) {
        let found = self.infer(scrutinee);
        let kinds: Vec<Option<Kind>> = arms.iter().map(|arm| kind(&arm.pattern)).collect();
        let first = kinds.iter().flatten().next().copied();
        self.reachable(id, arms);
        let takes_all = |arm: &Arm| matches!(arm.pattern, ArmPattern::Any(_) | ArmPattern::Poison);
        let open = arms.iter().any(takes_all);
        match first {
            Some(Kind::Tag) => self.match_tags(id, scrutinee, found, arms, open),
            Some(kind) => self.match_values(id, scrutinee, found, arms, kind, open),
            None if arms.is_empty() => self.not_exhaustive(id, "no arm takes the value", None),
            None => {}
        }
        let mut reported = false;
        for (index, arm) in arms.iter().enumerate() {
            if let ArmPattern::Any(Some(local)) = arm.pattern {
                self.bind(local, found);
            }
            if let (Some(kind), Some(first)) = (kinds[index], first)
                && kind != first
                && !reported
            {
                reported = true;
                let message = format!(
                    "this arm takes {}, and the first one {}",
                    words(kind),
                    words(first)
                );
                let place = self.part(id, index);
                self.report(
                    Problem::new(codes::WRONG_TYPE, place, message)
                        .label(self.part(id, 0), format!("this takes {}", words(first))),
                );
                self.poison_pattern(&arm.pattern);
            }
        }
        let known = !matches!(self.arena.node(expected), Node::Var(_));
        let mut before: Option<ExprId> = None;
        for arm in arms {
            match before {
                Some(before) if !known => self.check(arm.body, expected, &Why::Branch(before)),
                _ => self.check(arm.body, expected, why),
            }
            before = before.or(Some(arm.body));
        }
    }

    /// Warns of arms that never take anything.
    fn reachable(&mut self, id: ExprId, arms: &[Arm]) {
        let mut seen: BTreeSet<Single> = BTreeSet::new();
        let mut all: Option<usize> = None;
        for (index, arm) in arms.iter().enumerate() {
            let single = single(&arm.pattern);
            let twice = single.clone().is_some_and(|single| !seen.insert(single));
            if let Some(all) = all {
                self.unreachable(id, index, all, "this arm takes everything that is left");
            } else if twice {
                let same = |other: &Arm| self::single(&other.pattern) == single;
                let first = arms.iter().position(same).unwrap_or(index);
                self.unreachable(id, index, first, "this arm takes the same");
            }
            let both = seen.contains(&Single::Bool(true)) && seen.contains(&Single::Bool(false));
            if matches!(arm.pattern, ArmPattern::Any(_)) || both {
                all = all.or(Some(index));
            }
        }
    }

    fn unreachable(&mut self, id: ExprId, index: usize, first: usize, label: &str) {
        let place = self.part(id, index);
        let message = "this arm is never reached";
        self.report(
            Problem::warning(codes::UNREACHABLE_ARM, place, message)
                .label(self.part(id, first), label),
        );
    }

    fn poison_pattern(&mut self, pattern: &ArmPattern) {
        match pattern {
            ArmPattern::Tag(_, Payload::Any(Some(local))) => self.bind(*local, POISON),
            ArmPattern::Tag(_, Payload::Fields(fields)) => {
                for field in &fields.fields {
                    self.bind(field.local, POISON);
                }
            }
            _ => {}
        }
    }

    fn match_tags(&mut self, id: ExprId, scrutinee: ExprId, found: Ty, arms: &[Arm], open: bool) {
        let known = self.known_tags(found);
        let mut tags: Vec<Field> = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            let ArmPattern::Tag(tag, payload) = &arm.pattern else {
                continue;
            };
            let mut ty = match payload {
                Payload::None => NOTHING,
                Payload::Any(local) => {
                    let ty = self.arena.fresh();
                    if let Some(local) = local {
                        self.bind(*local, ty);
                    }
                    ty
                }
                Payload::Fields(fields) => self.pattern_type(fields),
            };
            let name = self.arena.symbol(tag);
            if let Some((known, closed)) = &known {
                if *closed && !known.iter().any(|field| field.name == name) {
                    self.no_such_tag(id, index, tag, known, arms);
                } else if let Some(field) = known.iter().find(|field| field.name == name)
                    && !self.payload(id, index, tag, field.ty, ty)
                {
                    ty = POISON;
                }
            }
            match tags.iter().find(|field| field.name == name) {
                Some(first) => {
                    // A second arm for a tag is never reached, and typed all the same.
                    let ty_first = first.ty;
                    self.payload(id, index, tag, ty_first, ty);
                }
                None => tags.push(Field {
                    name,
                    ty,
                    optional: false,
                }),
            }
        }
        if let Some((known, true)) = &known {
            let missing = known
                .iter()
                .filter(|tag| !tags.iter().any(|arm| arm.name == tag.name));
            let missing: Vec<Sym> = missing.map(|tag| tag.name).collect();
            if missing.is_empty() && open {
                self.needless_arm(id, arms);
            }
            if !missing.is_empty() && !open {
                self.missing_tags(id, &missing);
            }
            return;
        }
        let tail = open.then(|| self.arena.fresh_row());
        let union = self.arena.union(tags, tail);
        if let Err(mismatch) = self.arena.subsume(found, union) {
            if let Clash::Tags(missing, _) = &mismatch.clash
                && mismatch.path.is_empty()
            {
                self.missing_tags(id, missing);
                return;
            }
            self.mismatch(At::whole(scrutinee), found, union, &Why::Match, *mismatch);
        }
    }

    /// The tags that a type is known to have, and whether there are no others.
    fn known_tags(&mut self, ty: Ty) -> Option<(Vec<Field>, bool)> {
        let Node::Union(row) = self.arena.node(ty) else {
            return None;
        };
        let flat = self.arena.flatten(row);
        Some((flat.fields, flat.tail.is_none()))
    }

    /// Compares what a tag carries with what a pattern makes of it. Whether they go
    /// together.
    fn payload(&mut self, id: ExprId, index: usize, tag: &str, carried: Ty, taken: Ty) -> bool {
        let carried_nothing = self.arena.find(carried) == NOTHING;
        let place = self.part(id, index);
        if carried_nothing && taken != NOTHING {
            if !self.arena.is_poison(taken) {
                let message = format!("`{tag}` carries nothing");
                self.report(
                    Problem::new(codes::WRONG_TYPE, place, message)
                        .help(format!("write `{tag} => …`")),
                );
                let _ = self.arena.unify(taken, POISON);
            }
            return false;
        }
        if taken == NOTHING && !carried_nothing && !self.arena.is_poison(carried) {
            let message = format!("`{tag}` carries {}", self.words(carried));
            self.report(
                Problem::new(codes::WRONG_TYPE, place, message).help(format!(
                    "name it, `{tag} value => …`, or leave it: `{tag} _ => …`"
                )),
            );
            return false;
        }
        if let Err(mismatch) = self.arena.subsume(carried, taken) {
            self.pattern_mismatch(At::part(id, index), carried, taken, *mismatch);
            return false;
        }
        true
    }

    fn no_such_tag(&mut self, id: ExprId, index: usize, tag: &str, known: &[Field], arms: &[Arm]) {
        let place = self.part(id, index);
        let taken = |name: &str| {
            let is = |arm: &Arm| matches!(&arm.pattern, ArmPattern::Tag(tag, _) if **tag == *name);
            arms.iter().any(is)
        };
        let names = self.sorted_names(known.iter().map(|tag| tag.name));
        let all: Vec<&str> = names.iter().map(|name| &**name).collect();
        let free = all.iter().copied().filter(|name| !taken(name));
        let message = format!("the value is never `{tag}`");
        // With a tag that is left over it is a slip of the pen, which stops the build as
        // the missing arm does.
        let problem = Problem::warning(codes::UNREACHABLE_ARM, place, message);
        let problem = match did_you_mean(tag, free) {
            Some(similar) => problem.help(format!("did you mean `{similar}`?")),
            None => problem.note(format!("its tags are {}", list_names(&all))),
        };
        self.report(problem);
    }

    fn needless_arm(&mut self, id: ExprId, arms: &[Arm]) {
        let is_all = |arm: &Arm| matches!(arm.pattern, ArmPattern::Any(_));
        if let Some(index) = arms.iter().position(is_all) {
            let place = self.part(id, index);
            let message = "this arm is never reached: every tag has its own";
            self.report(Problem::warning(codes::UNREACHABLE_ARM, place, message));
        }
    }

    fn missing_tags(&mut self, id: ExprId, missing: &[Sym]) {
        let names = self.sorted_names(missing.iter().copied());
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let message = format!("no arm takes {}", list_names(&names));
        let help = format!(
            "add `{} => …;`, or `_ => …;` for all that is left",
            names[0]
        );
        self.not_exhaustive(id, &message, Some(help));
    }

    fn not_exhaustive(&mut self, id: ExprId, message: &str, help: Option<String>) {
        let problem = Problem::new(codes::NOT_EXHAUSTIVE, self.site(id), message);
        let help =
            help.unwrap_or_else(|| "add an arm that takes all that is left: `_ => …;`".into());
        self.report(problem.help(help));
    }

    fn match_values(
        &mut self,
        id: ExprId,
        scrutinee: ExprId,
        found: Ty,
        arms: &[Arm],
        kind: Kind,
        open: bool,
    ) {
        let wanted = match kind {
            Kind::Int => self.arena.fresh_of(Heads::NUMBER),
            Kind::Str => self.arena.fresh_of(Heads::TEXT),
            Kind::Bool | Kind::Tag => self.arena.host(Host::Bool),
        };
        if let Err(mismatch) = self.arena.unify(found, wanted) {
            self.mismatch(At::whole(scrutinee), found, wanted, &Why::Match, *mismatch);
            return;
        }
        if open {
            return;
        }
        match kind {
            Kind::Bool => {
                let has = |truth: bool| {
                    let is = |arm: &Arm| arm.pattern == ArmPattern::Bool(truth);
                    arms.iter().any(is)
                };
                for truth in [true, false] {
                    if !has(truth) {
                        let help = format!("add `{truth} => …;`");
                        self.not_exhaustive(id, &format!("no arm takes `{truth}`"), Some(help));
                    }
                }
            }
            Kind::Int => self.not_exhaustive(id, "not every number has an arm", None),
            _ => self.not_exhaustive(id, "not every string has an arm", None),
        }
    }
}

fn kind(pattern: &ArmPattern) -> Option<Kind> {
    match pattern {
        ArmPattern::Tag(..) => Some(Kind::Tag),
        ArmPattern::Int(_) => Some(Kind::Int),
        ArmPattern::Str(_) => Some(Kind::Str),
        ArmPattern::Bool(_) => Some(Kind::Bool),
        ArmPattern::Any(_) | ArmPattern::Poison => None,
    }
}

fn single(pattern: &ArmPattern) -> Option<Single> {
    match pattern {
        ArmPattern::Tag(tag, _) => Some(Single::Tag(tag.clone())),
        ArmPattern::Int(number) => Some(Single::Int(*number)),
        ArmPattern::Str(text) => Some(Single::Str(text.clone())),
        ArmPattern::Bool(truth) => Some(Single::Bool(*truth)),
        ArmPattern::Any(_) | ArmPattern::Poison => None,
    }
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Tag => "a tag",
        Kind::Int => "a number",
        Kind::Str => "a string",
        Kind::Bool => "a truth value",
    }
}
