//! Places in a program, without positions in the text.
//!
//! What is typed and run knows an expression by its binding and number. Only when a
//! finding is shown does that become a range of the text, through [`Spans`].

use imgc_syntax::{TextRange, TextSize};

use crate::ir::ExprId;
use crate::queries::Item;

/// A place in a top-level binding: an expression, or a named part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct At {
    /// The expression.
    pub(crate) expr: ExprId,
    /// Which part, as [`crate::ir::Expr`] numbers them. `None`: the whole.
    pub(crate) part: Option<u16>,
}

/// A place anywhere in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Site {
    /// The top-level binding.
    pub(crate) item: Item,
    /// Where in it.
    pub(crate) at: At,
}

impl At {
    /// The whole expression.
    pub(crate) fn whole(expr: ExprId) -> Self {
        Self { expr, part: None }
    }

    /// A part of the expression. Of very many parts, the last that can be told.
    pub(crate) fn part(expr: ExprId, part: usize) -> Self {
        let part = u16::try_from(part).unwrap_or(u16::MAX);
        Self {
            expr,
            part: Some(part),
        }
    }
}

impl Site {
    /// The whole expression.
    pub(crate) fn whole(item: Item, expr: ExprId) -> Self {
        let at = At::whole(expr);
        Self { item, at }
    }

    /// A part of the expression.
    pub(crate) fn part(item: Item, expr: ExprId, part: usize) -> Self {
        let at = At::part(expr, part);
        Self { item, at }
    }
}

/// Where the expressions of one binding stand in the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spans {
    exprs: Vec<TextRange>,
    /// Sorted by expression and part.
    parts: Vec<(u32, u16, TextRange)>,
}

impl Spans {
    /// These. What is left is empty, and has room for as many.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            exprs: self.exprs.drain(..).collect(),
            parts: self.parts.drain(..).collect(),
        }
    }

    /// Says where the next expression stands: calls come in the order of [`ExprId`].
    pub(crate) fn push(&mut self, range: TextRange) {
        self.exprs.push(range);
    }

    /// Says where a part of an expression stands. Parts of one expression come in order,
    /// after its children's.
    pub(crate) fn push_part(&mut self, at: At, range: TextRange) {
        let part = at.part.unwrap_or(u16::MAX);
        let key = (at.expr.0, part);
        let place = self
            .parts
            .partition_point(|(expr, part, _)| (*expr, *part) < key);
        let is_known = self
            .parts
            .get(place)
            .is_some_and(|(expr, part, _)| (*expr, *part) == key);
        // Of very many parts, the first that has no number of its own stands for the others.
        if !is_known {
            self.parts.insert(place, (at.expr.0, part, range));
        }
    }

    /// The smallest expression around a byte of the text, and where it stands.
    pub(crate) fn innermost(&self, offset: TextSize) -> Option<(ExprId, TextRange)> {
        let around = self.exprs.iter().enumerate();
        let around = around.filter(|(_, range)| range.contains_inclusive(offset));
        // Children stand before their parents.
        let (at, range) = around.min_by_key(|(at, range)| (range.len(), *at))?;
        Some((ExprId(at as u32), *range))
    }

    /// The outermost expression that stands at exactly that range.
    pub(crate) fn exact(&self, range: TextRange) -> Option<ExprId> {
        let at = self.exprs.iter().rposition(|known| *known == range)?;
        Some(ExprId(at as u32))
    }

    /// The smallest named part of an expression around a range.
    pub(crate) fn part_around(&self, range: TextRange) -> Option<(ExprId, usize)> {
        let around = self.parts.iter();
        let around = around.filter(|part| part.2.contains_range(range));
        let (expr, part, _) = around.min_by_key(|part| part.2.len())?;
        Some((ExprId(*expr), usize::from(*part)))
    }

    /// The named part of an expression that stands at exactly that range.
    pub(crate) fn exact_part(&self, range: TextRange) -> Option<(ExprId, usize)> {
        let mut parts = self.parts.iter().filter(|part| part.2 == range);
        let (expr, part, _) = parts.next()?;
        Some((ExprId(*expr), usize::from(*part)))
    }

    /// Where a place is. A place that is not known is where its expression is.
    pub(crate) fn get(&self, at: At) -> TextRange {
        let whole = || self.exprs.get(at.expr.0 as usize).copied();
        let part = at.part.and_then(|part| {
            let key = (at.expr.0, part);
            let found = self.parts.binary_search_by(|(e, p, _)| (*e, *p).cmp(&key));
            found.ok().map(|found| self.parts[found].2)
        });
        part.or_else(whole).unwrap_or_default()
    }
}
