//! The fields of a record as they are written, with `a.b = 1;` merged.
//!
//! It knows names and places, no values.

use imgc_diag::codes;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::hir::ExprId;
use crate::problem::Problem;
use crate::span::Span;

/// The fields of one record.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<Arc<str>, (Span, Content)>);

#[derive(Debug)]
enum Content {
    Expr(ExprId),
    Nested(Fields),
}

impl Fields {
    /// Adds `keys[0].keys[1]… = value`. `keys` has at least one key. How many
    /// it has is bounded by [`MAX_KEYS`].
    pub(crate) fn insert(
        &mut self,
        keys: &[(Arc<str>, Span)],
        value: ExprId,
    ) -> Result<(), Box<Problem>> {
        if let Some((_, span)) = keys.get(MAX_KEYS) {
            let message = format!("a key has at most {MAX_KEYS} parts");
            return Err(Box::new(Problem::new(
                codes::NESTED_TOO_DEEP,
                *span,
                message,
            )));
        }
        let mut fields = self;
        for (at, (name, span)) in keys.iter().enumerate() {
            let last = at + 1 == keys.len();
            match fields.0.entry(name.clone()) {
                Entry::Vacant(entry) => {
                    if last {
                        entry.insert((*span, Content::Expr(value)));
                        return Ok(());
                    }
                    let nested = Content::Nested(Self::default());
                    let (_, Content::Nested(inner)) = entry.insert((*span, nested)) else {
                        return Ok(());
                    };
                    fields = inner;
                }
                Entry::Occupied(entry) => match entry.into_mut() {
                    (_, Content::Nested(inner)) if !last => fields = inner,
                    (earlier, _) => {
                        let path: Vec<&str> = keys[..=at].iter().map(|(name, _)| &**name).collect();
                        let message = format!("the field `{}` is set twice", path.join("."));
                        let problem = Problem::new(codes::DUPLICATE_FIELD, *span, message);
                        return Err(Box::new(problem.label(*earlier, "it is set here first")));
                    }
                },
            }
        }
        Ok(())
    }

    /// The fields, sorted by name: an expression, or the fields below.
    pub(crate) fn into_sorted(
        self,
    ) -> impl Iterator<Item = (Arc<str>, Span, Result<ExprId, Self>)> {
        self.0
            .into_iter()
            .map(|(name, (span, content))| match content {
                Content::Expr(expr) => (name, span, Ok(expr)),
                Content::Nested(fields) => (name, span, Err(fields)),
            })
    }
}

/// How many parts a key may have: `a.b.c` has three.
pub(crate) const MAX_KEYS: usize = 50;
