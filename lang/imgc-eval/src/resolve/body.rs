//! A body while it is built: expressions are added, children before their parents, each
//! with its place in the text.

use std::sync::Arc;

use imgc_syntax::TextRange;

use crate::ir::{Body, Expr, ExprId, LocalId, TypeExpr};
use crate::queries::Item;
use crate::site::{At, Spans};

/// A [`Body`] and its [`Spans`] that are not complete yet.
#[derive(Debug, Default)]
pub(super) struct BodyBuilder {
    exprs: Vec<Expr>,
    spans: Spans,
    locals: Vec<Arc<str>>,
    items: Vec<Item>,
    octal: Vec<ExprId>,
}

impl BodyBuilder {
    /// Adds an expression.
    pub(super) fn add(&mut self, range: TextRange, expr: Expr) -> ExprId {
        let id = ExprId(self.exprs.len() as u32);
        self.exprs.push(expr);
        self.spans.push(range);
        id
    }

    /// Says where a part of the expression that was added last stands.
    pub(super) fn part(&mut self, expr: ExprId, part: usize, range: TextRange) {
        self.spans.push_part(At::part(expr, part), range);
    }

    /// Notes that a number is written in octal.
    pub(super) fn octal(&mut self, expr: ExprId) {
        self.octal.push(expr);
    }

    /// Makes an expression fail without a word.
    pub(super) fn poison(&mut self, expr: ExprId) {
        self.exprs[expr.0 as usize] = Expr::Poison;
    }

    /// A new variable.
    pub(super) fn local(&mut self, name: Arc<str>) -> LocalId {
        let id = LocalId(self.locals.len() as u32);
        self.locals.push(name);
        id
    }

    /// Notes that a binding of the module is mentioned, for the first time.
    pub(super) fn mention(&mut self, item: Item) {
        self.items.push(item);
    }

    /// The body of a binding. The builder is empty then, and has room for the next.
    pub(super) fn finish(
        &mut self,
        root: ExprId,
        annotation: Option<TypeExpr>,
        damaged: bool,
    ) -> (Body, Spans) {
        let body = Body {
            exprs: self.exprs.drain(..).collect(),
            root,
            annotation,
            locals: self.locals.drain(..).collect(),
            octal: self.octal.drain(..).collect(),
            items: self.items.drain(..).collect(),
            damaged,
        };
        (body, self.spans.take())
    }
}
