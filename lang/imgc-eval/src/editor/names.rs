//! The names of a file as plain data: where they are bound, what each use means.

use std::sync::Arc;

use imgc_diag::FileId;
use imgc_syntax::TextRange;

use crate::builtins::BuiltinDoc;
use crate::ir::{Expr, ExprId, ItemName, ModuleName};
use crate::load::file_id;
use crate::queries::{Db, SourceFile};
use crate::resolve::{Lowered, Meaning, Recorded};

/// The names of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Every use, in the order of the source.
    pub uses: Vec<Use>,
    /// The scopes, outer ones before those in them.
    pub scopes: Vec<Scope>,
    /// The fields of the record that the file ends in, in the order of the source.
    pub exports: Vec<Export>,
}

/// A name where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Where it stands.
    pub range: TextRange,
    /// What it means.
    pub target: Target,
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// What is bound in the same file, where its name stands there.
    Binding(TextRange),
    /// A type that is declared in the same file, where its name stands there.
    Type(TextRange),
    /// A name of the host.
    Builtin(&'static BuiltinDoc),
    /// A field of the record that a file ends in.
    Export(FileId, String),
    /// A file as a whole.
    Module(FileId),
}

/// The names that one `let`, function or arm binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Where they can be used.
    pub range: TextRange,
    /// The names.
    pub names: Vec<Definition>,
    /// The types.
    pub types: Vec<Definition>,
}

/// A name where it is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The name.
    pub name: Arc<str>,
    /// Where it stands.
    pub range: TextRange,
}

/// A field of the record that a file ends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The name.
    pub name: Arc<str>,
    /// Where it stands first.
    pub range: TextRange,
    /// What its `##` comment says.
    pub doc: Option<String>,
}

impl Names {
    /// What the name means that stands around or ends at a byte of the text.
    #[must_use]
    pub fn at(&self, offset: imgc_syntax::TextSize) -> Option<&Use> {
        let mut uses = self.uses.iter();
        uses.find(|found| found.range.contains_inclusive(offset))
    }

    /// The names that can be used at a byte of the text, inner ones first, each once.
    #[must_use]
    pub fn visible(&self, offset: imgc_syntax::TextSize) -> Vec<&Definition> {
        self.visible_in(offset, |scope| &scope.names)
    }

    /// The types that can be used there.
    #[must_use]
    pub fn visible_types(&self, offset: imgc_syntax::TextSize) -> Vec<&Definition> {
        self.visible_in(offset, |scope| &scope.types)
    }

    fn visible_in<'n>(
        &'n self,
        offset: imgc_syntax::TextSize,
        of: impl Fn(&'n Scope) -> &'n Vec<Definition>,
    ) -> Vec<&'n Definition> {
        let mut found: Vec<&Definition> = Vec::new();
        let around = self.scopes.iter().rev();
        for scope in around.filter(|scope| scope.range.contains_inclusive(offset)) {
            for definition in of(scope) {
                if !found.iter().any(|known| known.name == definition.name) {
                    found.push(definition);
                }
            }
        }
        found
    }
}

/// The names of a file that has been resolved.
pub(super) fn names(db: &dyn Db, lowered: &Lowered, recorded: &Recorded) -> Names {
    let uses = recorded.uses.iter().map(|(range, meaning)| Use {
        range: *range,
        target: match meaning {
            Meaning::Bound(place) => Target::Binding(*place),
            Meaning::Type(place) => Target::Type(*place),
            Meaning::Builtin(builtin) => Target::Builtin(builtin.doc()),
        },
    });
    let mut uses: Vec<Use> = uses.collect();
    for (name, range) in &lowered.imports {
        let target = Target::Module(file_id(name));
        let range = *range;
        uses.push(Use { range, target });
    }
    for binding in &lowered.bindings {
        let body = &binding.body;
        for (at, expr) in body.exprs.iter().enumerate() {
            let Expr::Select(base, name) = expr else {
                continue;
            };
            let Some(module) = module_of(db, lowered, &binding.name, *base) else {
                continue;
            };
            let exports = crate::queries::items(db, module).exports.as_ref();
            if exports.is_some_and(|names| names.binary_search(name).is_ok()) {
                let at = crate::site::At::part(ExprId(at as u32), 0);
                let id = file_id(module.name(db));
                uses.push(Use {
                    range: binding.spans.get(at),
                    target: Target::Export(id, name.to_string()),
                });
            }
        }
    }
    uses.sort_by_key(|found| (found.range.start(), found.range.end()));
    let definitions = |found: &[(Arc<str>, TextRange)]| {
        let found = found.iter().map(|(name, range)| Definition {
            name: name.clone(),
            range: *range,
        });
        found.collect::<Vec<_>>()
    };
    let scopes = recorded.scopes.iter().map(|scope| Scope {
        range: scope.range,
        names: definitions(&scope.names),
        types: definitions(&scope.types),
    });
    let exports = lowered.bindings.iter().filter_map(|binding| {
        let ItemName::Export(name) = &binding.name else {
            return None;
        };
        Some(Export {
            name: name.clone(),
            range: binding.place,
            doc: binding.doc.clone(),
        })
    });
    let mut exports: Vec<Export> = exports.collect();
    exports.sort_by_key(|export| export.range.start());
    Names {
        uses,
        scopes: scopes.collect(),
        exports,
    }
}

/// The module that an expression of a binding stands for, seen through names.
fn module_of(
    db: &dyn Db,
    lowered: &Lowered,
    binding: &ItemName,
    expr: ExprId,
) -> Option<SourceFile> {
    let body = &lowered.get(binding)?.body;
    match body.expr(expr) {
        Expr::Import(module) => Some(*module),
        Expr::Item(item) => {
            // A sketch of a file has its own bodies.
            let body = &lowered.get(item.name(db))?.body;
            match body.expr(body.root) {
                Expr::Import(module) if body.annotation.is_none() => Some(*module),
                _ => None,
            }
        }
        Expr::Local(local) => body.exprs.iter().find_map(|expr| {
            let Expr::Let { bindings, .. } = expr else {
                return None;
            };
            let bound = bindings.iter().find(|bound| bound.local == *local)?;
            match body.expr(bound.value) {
                Expr::Import(module) => Some(*module),
                _ => None,
            }
        }),
        _ => None,
    }
}

/// What a module is known as, if it is one of the project's.
pub(super) fn is_project(name: &ModuleName) -> bool {
    matches!(name, ModuleName::Project(_))
}
