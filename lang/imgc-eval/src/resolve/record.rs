//! A note of every name of a module, for editors: what each use means, and which names can
//! be used where. Nothing is resolved here: it is told by those who resolve.

use std::sync::Arc;

use imgc_syntax::TextRange;

use crate::builtins::Builtin;

use super::Lowerer;

/// What is noted of the names of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The uses of names, and what they mean.
    pub(crate) uses: Vec<(TextRange, Meaning)>,
    /// The scopes, an outer one before those in it where they begin together.
    pub(crate) scopes: Vec<Visible>,
}

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// What is bound in this file, where its name stands there.
    Bound(TextRange),
    /// A type that is declared in this file, where its name stands there.
    Type(TextRange),
    /// A name of the host.
    Builtin(Builtin),
}

/// The names of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visible {
    /// Where they can be used.
    pub(crate) range: TextRange,
    /// The names, and where they are bound.
    pub(crate) names: Vec<(Arc<str>, TextRange)>,
    /// The types, and where they are declared.
    pub(crate) types: Vec<(Arc<str>, TextRange)>,
}

impl Lowerer<'_> {
    /// Notes what a name means.
    pub(super) fn note_use(&mut self, range: TextRange, meaning: Meaning) {
        if let Some(recorded) = &mut self.recorded {
            recorded.uses.push((range, meaning));
        }
    }

    /// Notes where the names of the innermost scope can be used.
    pub(super) fn note_scope(&mut self, range: Option<TextRange>) {
        let (Some(recorded), Some(range)) = (&mut self.recorded, range) else {
            return;
        };
        let Some(scope) = self.scopes.last() else {
            return;
        };
        let names = scope.slots.iter();
        let types = scope.types.iter();
        recorded.scopes.push(Visible {
            range,
            names: names.map(|slot| (slot.name.clone(), slot.range)).collect(),
            types: types
                .map(|(name, declared)| (name.clone(), declared.range))
                .collect(),
        });
    }
}
