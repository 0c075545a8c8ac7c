//! The places of one field as far as types tell: each selection, and each record given to a
//! function, whose field is written at the same place. Unlike a change of its name
//! ([`fields`](crate::fields)) they need not be all.

use imgc_diag::Span;
use imgc_eval::{FileView, Names, Target};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxNode, TextRange, TextSize};

use crate::definition::callee_of;
use crate::spine::{piped_into, unwrapped};
use crate::symbol::{self, Bound, Meant};
use crate::syntax::{ancestors_at, bare};
use crate::{Location, Reference, references};

/// A field, by where it is written.
#[derive(Debug, Clone)]
pub(crate) struct FieldUses {
    name: String,
    written: Span,
}

/// A key of a field, and where the types say that its field is written.
struct Use<'t> {
    key: ast::Key<'t>,
    of: ast::Expr<'t>,
}

/// The field whose key stands at a byte. None where no key of a field stands there, or where
/// it is that of an import, which is found by its name.
pub(crate) fn at(view: &FileView<'_>, names: &Names, offset: TextSize) -> Option<FieldUses> {
    let is_export = names
        .at(offset)
        .is_some_and(|found| matches!(found.target, Target::Export(..)));
    if is_export {
        return None;
    }
    let root = view.parse().syntax();
    let here = |key: &ast::Key<'_>| key.range().contains_inclusive(offset);
    for node in ancestors_at(root, offset) {
        if let Some(found) = uses(node).into_iter().find(|found| here(&found.key)) {
            let name = found.key.text()?;
            let written = view.field(bare(&found.of), &name)?;
            return Some(FieldUses {
                name: name.into(),
                written,
            });
        }
        let binding = ast::Binding::cast(node);
        let in_record = binding.filter(|_| node.parent().and_then(ast::Record::cast).is_some());
        if let Some(binding) = in_record {
            let keys = binding.keys();
            // Of a record that is given to a function, the function says what the field is.
            let [key] = keys.as_slice() else { return None };
            let record = node.parent().and_then(ast::Record::cast)?;
            if !here(key) {
                return None;
            }
            if taker(&record).is_none() {
                return written(view, key.text()?.into(), key.range());
            }
        }
        if ast::RecordPattern::cast(node).is_some() {
            break;
        }
    }
    let pattern = names.scopes.iter().flat_map(|scope| &scope.names);
    let mut pattern = pattern.filter(|name| name.range.contains_inclusive(offset));
    let name = pattern.next()?.range;
    let binder = symbol::binder(root, name)?;
    let text = view.text().get(std::ops::Range::<usize>::from(name))?;
    (binder.bound == Bound::PatternField)
        .then(|| written(view, text.to_owned(), name))
        .flatten()
}

fn written(view: &FileView<'_>, name: String, range: TextRange) -> Option<FieldUses> {
    let written = Location::new(view.id(), range);
    Some(FieldUses {
        name,
        written: Span {
            file: written.file,
            range: written.range,
        },
    })
}

impl FieldUses {
    /// Where it is written.
    pub(crate) fn definition(&self) -> Reference {
        Reference {
            location: Location {
                file: self.written.file.clone(),
                range: self.written.range,
            },
            is_definition: true,
        }
    }

    /// Its uses in one file. Those of a parameter's name are some of them.
    pub(crate) fn in_file(&self, view: &FileView<'_>) -> Vec<Reference> {
        let mut found = Vec::new();
        let id = view.id();
        if self.written.file == id {
            let range = &self.written.range;
            let range = TextRange::new(range.start.into(), range.end.into());
            let meant = Meant::Binding(id.clone(), range);
            found = references::in_file(view, &view.names(), &meant);
        }
        for node in view.parse().syntax().descendants() {
            for Use { key, of } in uses(node) {
                let is_named = key.text().is_some_and(|text| text == self.name.as_str());
                if is_named && view.field(bare(&of), &self.name).as_ref() == Some(&self.written) {
                    found.push(Reference {
                        location: Location::new(id.clone(), key.range()),
                        is_definition: false,
                    });
                }
            }
        }
        found
    }
}

/// The keys of fields that a node uses: the one that it selects, or those of a record that
/// it gives to a function.
fn uses(node: SyntaxNode<'_>) -> Vec<Use<'_>> {
    if let Some(select) = ast::Select::cast(node) {
        let found = select.key().zip(select.base());
        return found.map(|(key, of)| Use { key, of }).into_iter().collect();
    }
    let Some(record) = ast::Record::cast(node) else {
        return Vec::new();
    };
    let Some(of) = taker(&record) else {
        return Vec::new();
    };
    let first = record.bindings().map(|binding| binding.keys());
    let keys = first.filter_map(|keys| keys.into_iter().next());
    keys.map(|key| Use { key, of }).collect()
}

/// The function that a record is given to.
fn taker<'t>(record: &ast::Record<'t>) -> Option<ast::Expr<'t>> {
    callee_of(record).or_else(|| piped_into(unwrapped(record.syntax())))
}
