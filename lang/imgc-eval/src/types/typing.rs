//! The types of all parts of one binding, for editors.
//!
//! The binding is inferred anew, as often as it is asked: nothing is remembered, and what
//! is wrong is not told.

use crate::ir::{Body, Expr, ExprId, LocalId};
use crate::queries::{Db, Item, SourceFile};

use super::infer::Infer;
use super::scheme::Scheme;
use super::ty::{POISON, Ty};

/// One binding with the types of its parts.
pub(crate) struct Typing<'a> {
    infer: Infer<'a>,
    types: Vec<Ty>,
    expected: Vec<Ty>,
}

impl<'a> Typing<'a> {
    /// Infers a binding.
    pub(crate) fn of(db: &'a dyn Db, item: Item, body: &'a Body) -> Self {
        let mut infer = Infer::new(db, item, body);
        infer.types = Some(vec![POISON; body.exprs.len()]);
        infer.expected = Some(vec![POISON; body.exprs.len()]);
        infer.run();
        let types = infer.types.take().unwrap_or_default();
        let expected = infer.expected.take().unwrap_or_default();
        Self {
            infer,
            types,
            expected,
        }
    }

    /// The type of an expression.
    pub(crate) fn of_expr(&mut self, expr: ExprId) -> Option<Scheme> {
        let mut ty = self.types.get(expr.0 as usize).copied()?;
        let is_name = matches!(
            self.infer.expr(expr),
            Expr::Item(_) | Expr::Import(_) | Expr::Builtin(_) | Expr::Local(_) | Expr::Select(..)
        );
        if ty == POISON && is_name {
            // What is only selected from is not looked at as a whole.
            ty = self.infer.infer(expr);
        }
        self.finish(ty)
    }

    /// What is needed in the place of an expression.
    pub(crate) fn expected(&mut self, expr: ExprId) -> Option<Scheme> {
        let ty = self.expected.get(expr.0 as usize).copied()?;
        self.finish(ty)
    }

    /// The type of a variable.
    pub(crate) fn of_local(&mut self, local: LocalId) -> Option<Scheme> {
        let ty = self.infer.locals.get(local.0 as usize)?.ty?;
        self.finish(ty)
    }

    /// The module that an expression stands for.
    pub(crate) fn module_of(&self, expr: ExprId) -> Option<SourceFile> {
        self.infer.module_of(expr)
    }

    /// The expression that a name stands for, if that is in the project.
    pub(crate) fn value_of(&self, expr: ExprId) -> Option<(Item, ExprId)> {
        self.infer.origin_of(expr)
    }

    fn finish(&mut self, ty: Ty) -> Option<Scheme> {
        let scheme = self.infer.arena.finish(ty).ok()?;
        (!scheme.is_poison()).then_some(scheme)
    }
}
