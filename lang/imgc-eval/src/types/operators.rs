//! Operators.

use imgc_diag::codes;

use crate::ir::{BinaryOp, Expr, ExprId};
use crate::problem::Problem;
use crate::site::{At, Site};

use super::hosts::Host;
use super::infer::Infer;
use super::report::Why;
use super::ty::{Heads, Node, POISON, Ty};
use super::unify::{Clash, Step};

impl Infer<'_> {
    pub(super) fn negate(&mut self, operand: ExprId) -> Ty {
        let found = self.infer(operand);
        let int = self.arena.host(Host::Int);
        if self.arena.unify(found, int).is_err() {
            let message = format!("`-` takes a number, and this is {}", self.words(found));
            let problem = Problem::new(codes::WRONG_TYPE, self.site(operand), message);
            let problem = self.with_origin(problem, operand);
            self.report(problem);
        }
        int
    }

    pub(super) fn binary(&mut self, id: ExprId, op: BinaryOp, left: ExprId, right: ExprId) -> Ty {
        match op {
            BinaryOp::Add => self.same_operands(id, op, left, right, Heads::ORDERED),
            BinaryOp::Subtract | BinaryOp::Multiply => {
                self.same_operands(id, op, left, right, Heads::of(&[Host::Int]))
            }
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                self.same_operands(id, op, left, right, Heads::ORDERED);
                self.arena.host(Host::Bool)
            }
            BinaryOp::Equal | BinaryOp::NotEqual => {
                self.equality(id, left, right);
                self.arena.host(Host::Bool)
            }
            BinaryOp::Concat => self.concat(id, left, right),
            BinaryOp::Update => self.update(id, left, right),
        }
    }

    /// Operators whose sides have one type of a few. It is the type that comes back.
    fn same_operands(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        heads: Heads,
    ) -> Ty {
        let a = self.infer(left);
        let b = self.infer(right);
        let wanted = self.arena.fresh_of(heads);
        if self.arena.unify(a, wanted).is_err() {
            let takes = if heads == Heads::ORDERED {
                "two numbers or two strings"
            } else {
                "numbers"
            };
            let other = (self.arena.node(a), self.arena.node(b));
            let both = std::mem::discriminant(&other.0) == std::mem::discriminant(&other.1);
            self.wrong_operand(op.symbol(), left, a, takes, Some(id).filter(|_| both));
            return POISON;
        }
        if self.arena.unify(b, wanted).is_err() {
            // Of the two the literal is not the surprise: `n + "a"` for a parameter `n`.
            let takes = match self.arena.node(wanted) {
                Node::Host(Host::Int) => "two numbers here",
                Node::Host(Host::String) => "two strings here",
                _ => "two numbers or two strings",
            };
            let message = format!(
                "`{}` takes {takes}, and this is {}",
                op.symbol(),
                self.words(b)
            );
            let mut problem = Problem::new(codes::WRONG_TYPE, self.site(right), message);
            problem = self.operand_advice(problem, b);
            problem = self.join_help(problem, op.symbol(), b, None);
            let is_string = matches!(self.arena.node(wanted), Node::Host(Host::String));
            if is_string && self.is_shown(b) {
                problem = problem.help("`toString` makes a string of it");
                problem = self.call(problem, "toString", right, &Why::Nothing);
            } else if op == BinaryOp::Add && self.is_text(b) && self.is_shown(a) {
                problem = problem.help("`toString` makes a string of a number");
                problem = self.call(problem, "toString", left, &Why::Nothing);
            }
            let label = format!("this is {}", self.words(a));
            problem = problem.label(self.site(left), label);
            problem = self.with_origin(problem, left);
            problem = self.with_origin(problem, right);
            self.report(problem);
            return POISON;
        }
        wanted
    }

    /// Whether `toString` takes it.
    pub(super) fn is_shown(&mut self, ty: Ty) -> bool {
        match self.arena.node(ty) {
            Node::Host(host) => Heads::SHOWN.has(Heads::of(&[host])),
            Node::Var(index) => {
                let heads = self.arena.vars[index as usize].heads;
                heads
                    .first()
                    .is_some_and(|host| Heads::SHOWN.has(Heads::of(&[host])))
                    && heads != Heads::ANY
            }
            _ => false,
        }
    }

    /// What joins values of that type. With the place of the operator, where both sides
    /// have such types, it can be changed.
    fn join_help(
        &mut self,
        problem: Problem<Site>,
        op: &str,
        ty: Ty,
        id: Option<ExprId>,
    ) -> Problem<Site> {
        let (other, what) = match (op, self.arena.node(ty)) {
            ("+", Node::List(_)) => ("++", "lists"),
            ("+", Node::Record(_) | Node::Map(_)) => ("//", "records"),
            ("++", _) if self.is_text(ty) => ("+", "strings"),
            _ => return problem,
        };
        let problem = problem.help(format!("`{other}` joins {what}"));
        match id {
            None => problem,
            Some(id) => problem.fix(
                format!("change it to `{other}`"),
                vec![(self.part(id, 0), other.to_owned())],
            ),
        }
    }

    /// Whether it is a string, or a literal that could be one.
    pub(super) fn is_text(&mut self, ty: Ty) -> bool {
        match self.arena.node(ty) {
            Node::Host(host) => host == Host::String,
            Node::Var(index) => self.arena.vars[index as usize].heads.first() == Some(Host::String),
            _ => false,
        }
    }

    /// Reports an operand that its operator does not take.
    pub(super) fn operand(&mut self, op: &str, at: ExprId, found: Ty, takes: &str) {
        self.wrong_operand(op, at, found, takes, None);
    }

    fn wrong_operand(
        &mut self,
        op: &str,
        at: ExprId,
        found: Ty,
        takes: &str,
        both: Option<ExprId>,
    ) {
        let message = format!("`{op}` takes {takes}, and this is {}", self.words(found));
        let problem = Problem::new(codes::WRONG_TYPE, self.site(at), message);
        let problem = self.operand_advice(problem, found);
        let problem = self.join_help(problem, op, found, both);
        let problem = self.with_origin(problem, at);
        self.report(problem);
    }

    fn concat(&mut self, id: ExprId, left: ExprId, right: ExprId) -> Ty {
        let item = self.arena.fresh();
        let list = self.arena.list(item);
        let whys = (&Why::Nothing, &Why::Operator("++"));
        self.concat_operands(id, (left, right), list, whys);
        list
    }

    /// Checks both sides of `++` against the type of the whole.
    pub(super) fn concat_operands(
        &mut self,
        id: ExprId,
        (left, right): (ExprId, ExprId),
        list: Ty,
        whys: (&Why<'_>, &Why<'_>),
    ) {
        let wrong = self.concat_operand(left, list, whys.0);
        let Some(wrong) = wrong else {
            if let Some(found) = self.concat_operand(right, list, whys.1) {
                self.operand("++", right, found, "lists");
            }
            return;
        };
        // Strings on both sides are one mistake.
        if let Expr::List(_) = self.expr(right) {
            self.operand("++", left, wrong, "lists");
            self.check(right, list, whys.1);
            return;
        }
        let other = self.infer(right);
        let both = self.is_text(wrong) && self.is_text(other);
        self.wrong_operand("++", left, wrong, "lists", Some(id).filter(|_| both));
        if !both {
            let _ = self.arena.subsume(other, list);
        }
    }

    /// Checks one side of `++`. Its type, if it is no list and that is yet to be told.
    fn concat_operand(&mut self, operand: ExprId, list: Ty, why: &Why<'_>) -> Option<Ty> {
        if let Expr::List(_) = self.expr(operand) {
            self.check(operand, list, why);
            return None;
        }
        let found = self.infer(operand);
        let mismatch = self.arena.subsume(found, list).err()?;
        if mismatch.path.is_empty() && matches!(mismatch.clash, Clash::Types { .. }) {
            return Some(found);
        }
        self.mismatch(At::whole(operand), found, list, why, *mismatch);
        None
    }

    fn equality(&mut self, id: ExprId, left: ExprId, right: ExprId) {
        let a = self.infer(left);
        let b = self.infer(right);
        let fits = self.arena.unify(b, a);
        let fits = fits.and_then(|()| self.arena.make_comparable(a));
        let Err(mismatch) = fits else { return };
        let place = self.site(id);
        let mut problem = match &mismatch.clash {
            Clash::Types { found, expected } => {
                let message = format!(
                    "can't compare {} with {}",
                    self.words(*expected),
                    self.words(*found)
                );
                let problem = Problem::new(codes::NOT_COMPARABLE, place, message);
                let problem = self.option_advice(problem, *expected);
                self.option_advice(problem, *found)
            }
            Clash::NotComparable(part) => {
                let message = match self.arena.node(*part) {
                    Node::Var(_) => "can't compare a number with a string".to_owned(),
                    _ => format!("can't compare {} with another", self.words(*part)),
                };
                Problem::new(codes::NOT_COMPARABLE, place, message)
            }
            Clash::Missing(names) | Clash::Unknown(names, _) | Clash::Tags(names, _) => {
                let names = self.sorted_names(names.iter().copied());
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                let only = crate::problem::list_names(&names);
                let what = match &mismatch.clash {
                    Clash::Tags(..) => "values with different tags",
                    _ => "records with different fields",
                };
                Problem::new(
                    codes::NOT_COMPARABLE,
                    place,
                    format!("can't compare {what}"),
                )
                .note(format!("only one side has {only}"))
            }
            _ => return self.mismatch(At::whole(id), b, a, &Why::Nothing, *mismatch),
        };
        let inside = mismatch.path.iter().rev().find_map(|step| match step {
            Step::Field(name) => Some(self.arena.name(*name).clone()),
            _ => None,
        });
        if let Some(name) = inside {
            problem = problem.note(format!("they differ in the field `{name}`"));
        }
        problem = self.with_origin(problem, left);
        problem = self.with_origin(problem, right);
        self.report(problem);
    }
}
