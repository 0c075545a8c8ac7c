//! The fields of a record as they are written, with `a.b = 1;` merged.
//!
//! It knows names and places, and lowers no values.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_syntax::TextRange;
use imgc_syntax::ast::{self, AstNode as _};

use crate::problem::Problem;

/// How many parts a key may have: `a.b.c` has three.
pub(super) const MAX_KEYS: usize = 50;

/// What a name is set to.
#[derive(Debug, Clone)]
pub(super) struct Written<'t> {
    /// The expression. `None`: the name stands alone, and means itself.
    pub(super) value: Option<ast::Expr<'t>>,
    /// The type that the binding says it has.
    pub(super) annotation: Option<ast::Type<'t>>,
    /// Where the whole binding stands.
    pub(super) range: TextRange,
    /// The same, up to the `;` and with it.
    pub(super) whole: TextRange,
    /// Its `##` comment.
    pub(super) doc: Option<String>,
}

impl<'t> Written<'t> {
    /// What a binding says.
    pub(super) fn new(binding: &ast::Binding<'t>) -> Self {
        let range = binding.range();
        let mut following = binding.syntax().following();
        let after = following.find(|next| !next.kind().is_trivia());
        Self {
            value: binding.value(),
            annotation: binding.ty(),
            range,
            whole: after.map_or(range, |after| {
                range.cover_offset(after.text_range().start())
            }),
            doc: binding.doc(),
        }
    }
}

/// The fields of one record.
#[derive(Debug, Default)]
pub(super) struct Fields<'t>(pub(super) BTreeMap<Arc<str>, Place<'t>>);

/// A field.
#[derive(Debug)]
pub(super) struct Place<'t> {
    /// Where its name stands first.
    pub(super) range: TextRange,
    /// What it is.
    pub(super) content: Content<'t>,
    /// Where the bindings stand that say what it is.
    pub(super) whole: TextRange,
}

/// What a field is.
#[derive(Debug)]
pub(super) enum Content<'t> {
    /// A value.
    Value(Written<'t>),
    /// The record of what stands behind further keys.
    Nested(Fields<'t>),
}

impl<'t> Fields<'t> {
    /// Adds `keys[0].keys[1]… = value`. `keys` has at least one key.
    pub(super) fn insert(
        &mut self,
        keys: &[(Arc<str>, TextRange)],
        value: &Written<'t>,
    ) -> Result<(), Box<Problem<TextRange>>> {
        if let Some((_, range)) = keys.get(MAX_KEYS) {
            let message = format!("a key has at most {MAX_KEYS} parts");
            return Err(Box::new(Problem::new(
                codes::NESTED_TOO_DEEP,
                *range,
                message,
            )));
        }
        let mut fields = self;
        for (at, (name, range)) in keys.iter().enumerate() {
            let last = at + 1 == keys.len();
            match fields.0.entry(name.clone()) {
                Entry::Vacant(entry) => {
                    let content = if last {
                        Content::Value(value.clone())
                    } else {
                        Content::Nested(Self::default())
                    };
                    let place = Place {
                        range: *range,
                        content,
                        whole: value.whole,
                    };
                    match &mut entry.insert(place).content {
                        Content::Value(_) => return Ok(()),
                        Content::Nested(inner) => fields = inner,
                    }
                }
                Entry::Occupied(entry) => {
                    let place = entry.into_mut();
                    place.whole = place.whole.cover(value.whole);
                    match &mut place.content {
                        Content::Nested(inner) if !last => fields = inner,
                        _ => {
                            let path: Vec<&str> = keys[..=at].iter().map(|k| &*k.0).collect();
                            let message = format!("the field `{}` is set twice", path.join("."));
                            let problem = Problem::new(codes::DUPLICATE_FIELD, *range, message);
                            return Err(Box::new(
                                problem.label(place.range, "it is set here first"),
                            ));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
