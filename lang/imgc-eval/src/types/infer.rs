//! The types of expressions: found from what they are, or checked against what is needed.
//!
//! It walks over a body once. Records, calls, operators and patterns have files of
//! their own.

use std::sync::Arc;

use imgc_diag::codes;
use rustc_hash::FxHashMap;

use crate::builtins::Builtin;
use crate::ir::{Arm, Body, Expr, ExprId, LetBinding, LocalId, Part};
use crate::problem::{MAX_PROBLEMS, Problem};
use crate::queries::{Db, Item, SourceFile};
use crate::site::{At, Site};

use super::report::Why;
use super::scheme::Scheme;
use super::ty::{Arena, Heads, Node, POISON, Ty};

/// What is known of a variable of the body.
#[derive(Debug, Clone, Default)]
pub(super) struct Local {
    /// Its type.
    pub(super) ty: Option<Ty>,
    /// Whether each use has variables of its own.
    generic: bool,
    /// What it is bound to, by a `let`.
    pub(super) value: Option<ExprId>,
}

/// A `//` whose sides are not known yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Update {
    pub(super) at: ExprId,
    pub(super) sides: (ExprId, ExprId),
    pub(super) left: Ty,
    pub(super) right: Ty,
    pub(super) result: Ty,
}

/// The inference of one binding.
pub(super) struct Infer<'a> {
    pub(super) db: &'a dyn Db,
    pub(super) item: Item,
    pub(super) body: &'a Body,
    pub(super) arena: Arena,
    pub(super) locals: Vec<Local>,
    pub(super) problems: Vec<Problem<Site>>,
    pub(super) updates: Vec<Update>,
    /// The type of every expression, where they are wanted.
    pub(super) types: Option<Vec<Ty>>,
    /// What is needed in the place of every expression, where that is wanted.
    pub(super) expected: Option<Vec<Ty>>,
    /// Types without variables that were brought in, by where their data is.
    ground: FxHashMap<usize, (Arc<Scheme>, Ty)>,
    /// Whether it was said that the types are too large.
    exhausted: bool,
}

impl<'a> Infer<'a> {
    pub(super) fn new(db: &'a dyn Db, item: Item, body: &'a Body) -> Self {
        Self {
            db,
            item,
            body,
            arena: Arena::take(),
            locals: vec![Local::default(); body.locals.len()],
            problems: Vec::new(),
            updates: Vec::new(),
            types: None,
            expected: None,
            ground: FxHashMap::default(),
            exhausted: false,
        }
    }

    /// The finished type of the whole binding.
    pub(super) fn run(&mut self) -> Arc<Scheme> {
        self.arena.level = 1;
        let root = self.body.root;
        let ty = match &self.body.annotation {
            None => self.infer(root),
            Some(annotation) => {
                let (ty, names) = self.annotation(annotation);
                self.check(root, ty, &Why::Annotation);
                self.settle_updates(0, true);
                self.keep_variables(root, &names);
                ty
            }
        };
        self.settle_updates(0, true);
        if self.exhausted {
            return Arc::new(Scheme::poison());
        }
        self.arena.level = 0;
        match self.arena.finish(ty) {
            Ok(scheme) => Arc::new(scheme),
            Err(_) => {
                self.too_large(root);
                Arc::new(Scheme::poison())
            }
        }
    }

    /// The place of an expression of this body.
    pub(super) fn site(&self, expr: ExprId) -> Site {
        Site::whole(self.item, expr)
    }

    /// The place of a part of an expression of this body.
    pub(super) fn part(&self, expr: ExprId, part: usize) -> Site {
        Site::part(self.item, expr, part)
    }

    /// Adds a finding. One place has one mistake: others follow from it.
    pub(super) fn report(&mut self, problem: Problem<Site>) {
        let is_new = |other: &Problem<Site>| {
            other.place != problem.place || other.is_error() != problem.is_error()
        };
        if self.problems.len() < MAX_PROBLEMS && self.problems.iter().all(is_new) {
            self.problems.push(problem);
        }
    }

    /// Whether the last mistake is that of an expression as a whole.
    pub(super) fn is_wrong(&self, id: ExprId) -> bool {
        let place = self.site(id);
        let last = self.problems.last();
        last.is_some_and(|problem| problem.place == place && problem.is_error())
    }

    /// Whether the last mistake is that something can't be compared.
    pub(super) fn is_incomparable(&self) -> bool {
        let last = self.problems.last();
        last.is_some_and(|last| last.code() == codes::NOT_COMPARABLE)
    }

    /// Says once that the types of this binding are too large.
    pub(super) fn too_large(&mut self, at: ExprId) {
        if !self.exhausted {
            self.exhausted = true;
            let place = self.site(at);
            self.report(
                Problem::new(
                    codes::TYPE_TOO_LARGE,
                    place,
                    "the type of this is too large to work with",
                )
                .help("give parts of it a type that is written out"),
            );
        }
    }

    pub(super) fn expr(&self, id: ExprId) -> &'a Expr {
        self.body.expr(id)
    }

    /// Remembers the type of an expression, if types are wanted.
    pub(super) fn note(&mut self, id: ExprId, ty: Ty) {
        if let Some(types) = &mut self.types
            && let Some(slot) = types.get_mut(id.0 as usize)
        {
            *slot = ty;
        }
    }

    /// The type of an expression.
    pub(super) fn infer(&mut self, id: ExprId) -> Ty {
        if self.exhausted {
            return POISON;
        }
        if self.arena.is_full() {
            self.too_large(id);
            return POISON;
        }
        let ty = self.infer_expr(id);
        self.note(id, ty);
        ty
    }

    fn infer_expr(&mut self, id: ExprId) -> Ty {
        match self.expr(id) {
            Expr::Poison => POISON,
            Expr::Int(_) => self.arena.literal(Heads::INT, self.site(id)),
            Expr::Bool(_) => self.arena.host(super::hosts::Host::Bool),
            Expr::Str(_) => self.arena.literal(Heads::STRING, self.site(id)),
            Expr::Path(_) => self.arena.literal(Heads::PATH, self.site(id)),
            Expr::Interpolation(parts) => {
                self.interpolation(parts);
                self.arena.literal(Heads::STRING, self.site(id))
            }
            Expr::List(items) => self.list(items),
            Expr::Record(fields) => self.record(fields),
            Expr::Import(module) => self.module(*module),
            Expr::Local(local) => self.local(*local),
            Expr::Item(item) => self.global(*item),
            Expr::Builtin(builtin) => self.builtin(*builtin),
            Expr::Let { bindings, body, .. } => {
                self.bindings(bindings);
                self.infer(*body)
            }
            Expr::Lambda(lambda) => self.lambda(id, lambda, None),
            Expr::If {
                condition,
                then,
                otherwise,
            } => {
                self.truth(*condition, "the condition of an `if`");
                let ty = self.infer(*then);
                self.check(*otherwise, ty, &Why::Branch(*then));
                ty
            }
            Expr::Binary(op, left, right) => self.binary(id, *op, *left, *right),
            Expr::And(left, right) => {
                self.truth(*left, "the left side of `&&`");
                self.truth(*right, "the right side of `&&`");
                self.arena.host(super::hosts::Host::Bool)
            }
            Expr::Or(left, right) => {
                self.truth(*left, "the left side of `||`");
                self.truth(*right, "the right side of `||`");
                self.arena.host(super::hosts::Host::Bool)
            }
            Expr::Not(operand) => {
                self.truth(*operand, "the operand of `!`");
                self.arena.host(super::hosts::Host::Bool)
            }
            Expr::Negate(operand) => match self.expr(*operand) {
                // A negative number is a literal too.
                Expr::Int(_) => self.arena.literal(Heads::INT, self.site(id)),
                _ => self.negate(*operand),
            },
            Expr::Apply(..) => self.apply(id, None),
            Expr::Select(record, name) => self.select(id, *record, name),
            Expr::Tag(tag, payload) => self.tag(tag, *payload),
            Expr::Match { scrutinee, arms } => self.infer_match(id, *scrutinee, arms),
            Expr::Assert {
                condition,
                message,
                body,
            } => {
                self.assertion(*condition, *message);
                self.infer(*body)
            }
            Expr::Ascribe(value, annotation) => {
                let (ty, _) = self.annotation(annotation);
                self.check(*value, ty, &Why::Annotation);
                ty
            }
        }
    }

    /// Makes sure that an expression can stand where a type is needed.
    pub(super) fn check(&mut self, id: ExprId, expected: Ty, why: &Why<'_>) {
        if self.exhausted {
            return;
        }
        self.note(id, expected);
        if let Some(wanted) = &mut self.expected
            && let Some(slot) = wanted.get_mut(id.0 as usize)
        {
            *slot = expected;
        }
        let (expected, node) = self.arena.resolve(expected);
        match (self.expr(id), node) {
            (Expr::List(items), Node::List(item)) => match items.as_slice() {
                // What they are is said by the first.
                [first, rest @ ..] if !rest.is_empty() && self.is_open(item) => {
                    self.check(*first, item, &Why::Item(why, 0));
                    self.items(rest, |_| Why::First(*first), item);
                }
                items => self.items(items, |index| Why::Item(why, index), item),
            },
            (Expr::Record(fields), _) if self.takes_fields(node) => {
                self.check_record(id, fields, expected, why);
            }
            (Expr::Lambda(lambda), Node::Function(..)) => {
                let ty = self.lambda(id, lambda, Some((expected, why)));
                self.note(id, ty);
            }
            (Expr::Let { bindings, body, .. }, _) => {
                self.bindings(bindings);
                self.check(*body, expected, why);
            }
            (
                Expr::If {
                    condition,
                    then,
                    otherwise,
                },
                _,
            ) => {
                self.truth(*condition, "the condition of an `if`");
                let known = !matches!(node, Node::Var(_));
                self.check(*then, expected, why);
                let branch = Why::Branch(*then);
                self.check(*otherwise, expected, if known { why } else { &branch });
            }
            (Expr::Match { scrutinee, arms }, _) => {
                self.check_match(id, *scrutinee, arms, expected, why);
            }
            (
                Expr::Assert {
                    condition,
                    message,
                    body,
                },
                _,
            ) => {
                self.assertion(*condition, *message);
                self.check(*body, expected, why);
            }
            (Expr::Binary(crate::ir::BinaryOp::Update, left, right), Node::Map(_)) => {
                // What is no record at all is told as an operand.
                self.check(*left, expected, why);
                self.check(*right, expected, why);
            }
            (Expr::Binary(crate::ir::BinaryOp::Concat, left, right), Node::List(_)) => {
                self.concat_operands(id, (*left, *right), expected, (why, why));
            }
            (Expr::Tag(tag, Some(payload)), Node::Union(row)) => {
                let known = self.arena.symbol(tag);
                let carried = self.arena.flatten(row).get(known).map(|known| known.ty);
                match carried.map(|carried| (carried, self.arena.find(carried))) {
                    Some((carried, root)) if root != super::ty::NOTHING => {
                        self.check(*payload, carried, &Why::Payload(why, tag));
                    }
                    _ => {
                        let found = self.infer(id);
                        self.fit(id, found, expected, why);
                    }
                }
            }
            (Expr::Apply(..), _) if !self.arena.is_full() => {
                let found = self.apply(id, Some(expected));
                self.fit(id, found, expected, why);
            }
            _ => {
                let found = self.infer(id);
                self.fit(id, found, expected, why);
            }
        }
    }

    /// Makes sure that what an expression was found to be fits.
    pub(super) fn fit(&mut self, id: ExprId, found: Ty, expected: Ty, why: &Why<'_>) {
        if let Err(mismatch) = self.arena.subsume(found, expected) {
            self.mismatch(At::whole(id), found, expected, why, *mismatch);
        }
    }

    pub(super) fn truth(&mut self, id: ExprId, what: &'static str) {
        let expected = self.arena.host(super::hosts::Host::Bool);
        self.check(id, expected, &Why::Operand(what));
    }

    fn assertion(&mut self, condition: ExprId, message: ExprId) {
        self.truth(condition, "the condition of an `assert`");
        let expected = self.arena.host(super::hosts::Host::String);
        self.check(message, expected, &Why::Operand("the text of an `assert`"));
    }

    fn interpolation(&mut self, parts: &[Part]) {
        for part in parts {
            if let Part::Expr(expr) = part {
                let expected = self.arena.fresh_of(Heads::TEXT);
                let found = self.infer(*expr);
                if let Err(mismatch) = self.arena.unify(found, expected) {
                    self.mismatch(At::whole(*expr), found, expected, &Why::Text, *mismatch);
                }
            }
        }
    }

    fn list(&mut self, items: &[ExprId]) -> Ty {
        let item = self.arena.fresh();
        let mut rest = items.iter();
        let first = rest.next();
        if let Some(first) = first {
            let ty = self.infer(*first);
            // A fresh variable can become anything.
            let _ = self.arena.unify(ty, item);
            self.items(rest.as_slice(), |_| Why::First(*first), item);
        }
        self.arena.list(item)
    }

    /// Whether nothing is known of a type yet.
    fn is_open(&mut self, ty: Ty) -> bool {
        match self.arena.node(ty) {
            Node::Var(index) => {
                let var = self.arena.vars[index as usize];
                var.heads == Heads::ANY && !var.equal && var.literals == 0
            }
            _ => false,
        }
    }

    /// Checks items of a list. Of several literals of a wrong kind one is told.
    fn items<'w>(&mut self, items: &[ExprId], why: impl Fn(usize) -> Why<'w>, ty: Ty) {
        let mut wrong = Vec::new();
        for (index, value) in items.iter().enumerate() {
            let kind = std::mem::discriminant(self.expr(*value));
            if wrong.contains(&kind) {
                continue;
            }
            self.check(*value, ty, &why(index));
            if !self.is_wrong(*value) {
                continue;
            }
            if self.is_incomparable() {
                // So are the others.
                for value in &items[index + 1..] {
                    self.infer(*value);
                }
                return;
            }
            if matches!(
                self.expr(*value),
                Expr::Int(_) | Expr::Bool(_) | Expr::Str(_) | Expr::Path(_)
            ) {
                wrong.push(kind);
            }
        }
    }

    /// The type of a variable, where it is used.
    fn local(&mut self, local: LocalId) -> Ty {
        let known = self.locals[local.0 as usize].clone();
        match known.ty {
            Some(ty) if known.generic => self.arena.copy(ty),
            Some(ty) => ty,
            None => POISON,
        }
    }

    /// The type of a variable whose uses have variables of their own.
    pub(super) fn generic(&self, local: LocalId) -> Option<Ty> {
        let known = &self.locals[local.0 as usize];
        known.ty.filter(|_| known.generic)
    }

    /// The finished type of what a name of this or another module stands for.
    pub(super) fn scheme_of(&self, id: ExprId) -> Option<Arc<Scheme>> {
        let item = match self.expr(id) {
            Expr::Item(item) => *item,
            Expr::Select(module, name) => self.export_of(self.module_of(*module)?, name)?,
            _ => return None,
        };
        Some(crate::queries::scheme(self.db, item).clone())
    }

    /// Gives a variable its type, the same at every use.
    pub(super) fn bind(&mut self, local: LocalId, ty: Ty) {
        self.locals[local.0 as usize].ty = Some(ty);
    }

    /// The type of a top-level binding, where it is used.
    pub(super) fn global(&mut self, item: Item) -> Ty {
        self.bring(crate::queries::scheme(self.db, item))
    }

    /// The binding of a public name of a module that has names.
    pub(super) fn export_of(&self, module: SourceFile, name: &str) -> Option<Item> {
        let items = crate::queries::items(self.db, module);
        items.exports.as_ref()?;
        items.exported(name)
    }

    /// A finished type, where it is used.
    pub(super) fn bring(&mut self, scheme: &Arc<Scheme>) -> Ty {
        if !scheme.vars.is_empty() {
            return self.arena.instantiate(scheme);
        }
        let key = Arc::as_ptr(scheme) as usize;
        if let Some((_, ty)) = self.ground.get(&key) {
            return *ty;
        }
        let ty = self.arena.instantiate(scheme);
        self.ground.insert(key, (scheme.clone(), ty));
        ty
    }

    fn builtin(&mut self, builtin: Builtin) -> Ty {
        let scheme = super::builtin_types::scheme(builtin);
        self.bring(&scheme)
    }

    fn bindings(&mut self, bindings: &[LetBinding]) {
        for binding in bindings {
            let updates = self.updates.len();
            self.arena.level += 1;
            let ty = match &binding.annotation {
                None => self.infer(binding.value),
                Some(annotation) => {
                    let (ty, names) = self.annotation(annotation);
                    self.check(binding.value, ty, &Why::Annotation);
                    self.settle_updates(updates, true);
                    self.keep_variables(binding.value, &names);
                    ty
                }
            };
            self.settle_updates(updates, true);
            self.arena.level -= 1;
            let generic = match self.arena.generalise(ty) {
                Ok(generic) => generic,
                Err(_) => {
                    self.too_large(binding.value);
                    false
                }
            };
            self.locals[binding.local.0 as usize] = Local {
                ty: Some(ty),
                generic,
                value: Some(binding.value),
            };
        }
    }

    fn tag(&mut self, tag: &Arc<str>, payload: Option<ExprId>) -> Ty {
        let ty = match payload {
            None => super::ty::NOTHING,
            Some(payload) => self.infer(payload),
        };
        let name = self.arena.symbol(tag);
        let field = super::ty::Field {
            name,
            ty,
            optional: false,
        };
        let tail = self.arena.fresh_row();
        self.arena.union(vec![field], Some(tail))
    }

    fn infer_match(&mut self, id: ExprId, scrutinee: ExprId, arms: &[Arm]) -> Ty {
        let ty = self.arena.fresh();
        self.check_match(id, scrutinee, arms, ty, &Why::Nothing);
        ty
    }

    /// The module that an expression stands for, seen through names.
    pub(super) fn module_of(&self, id: ExprId) -> Option<SourceFile> {
        match self.expr(id) {
            Expr::Import(module) => Some(*module),
            Expr::Local(local) => {
                let value = self.locals[local.0 as usize].value?;
                match self.expr(value) {
                    Expr::Import(module) => Some(*module),
                    _ => None,
                }
            }
            Expr::Item(item) => {
                let body = crate::queries::body(self.db, *item).as_ref()?;
                match body.expr(body.root) {
                    Expr::Import(module) if body.annotation.is_none() => Some(*module),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A module as a value.
    fn module(&mut self, module: SourceFile) -> Ty {
        let items = crate::queries::items(self.db, module);
        let Some(exports) = &items.exports else {
            let root = items.public.first();
            return root.map_or(POISON, |root| self.global(*root));
        };
        let mut fields = Vec::with_capacity(exports.len());
        for (name, item) in exports.iter().zip(&items.public) {
            let ty = self.global(*item);
            let name = self.arena.symbol(name);
            fields.push(super::ty::Field {
                name,
                ty,
                optional: false,
            });
        }
        self.arena.record(fields, None)
    }
}
