//! What a name means at a place: the one answer that definition, references, rename and
//! hover share. It changes nothing.

use imgc_diag::FileId;
use imgc_eval::{BuiltinDoc, FileView, Names, Target};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxKind, SyntaxNode, TextRange, TextSize};

use crate::syntax::node_at;

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meant {
    /// What is bound in a file, where its name stands.
    Binding(FileId, TextRange),
    /// A type that is declared in a file, where its name stands.
    Type(FileId, TextRange),
    /// A field of the record that a file ends in.
    Export(FileId, String),
    /// A name of the host.
    Builtin(&'static BuiltinDoc),
    /// A file.
    Module(FileId),
}

/// How a name is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// By a `let`.
    Let,
    /// As a field of a record.
    Field,
    /// As a parameter, or by the pattern of an arm.
    Parameter,
    /// As a field of a parameter or of a pattern.
    PatternField,
    /// As a type.
    Type,
}

/// Where a name is bound, read from the tree.
#[derive(Debug, Clone)]
pub(crate) struct Binder<'t> {
    /// How.
    pub(crate) bound: Bound,
    /// The binding, pattern or declaration.
    pub(crate) node: SyntaxNode<'t>,
    /// What its `##` comment says.
    pub(crate) doc: Option<String>,
    /// What it is bound to.
    pub(crate) value: Option<ast::Expr<'t>>,
}

/// What the name at a byte means, and where the name stands.
pub(crate) fn at(
    view: &FileView<'_>,
    names: &Names,
    offset: TextSize,
) -> Option<(TextRange, Meant)> {
    let file = view.id();
    if let Some(found) = names.at(offset) {
        let meant = match &found.target {
            Target::Binding(range) => Meant::Binding(file, *range),
            Target::Type(range) => Meant::Type(file, *range),
            Target::Builtin(doc) => Meant::Builtin(doc),
            Target::Export(file, name) => Meant::Export(file.clone(), name.clone()),
            Target::Module(file) => Meant::Module(file.clone()),
        };
        return Some((found.range, meant));
    }
    for scope in &names.scopes {
        let is_here = |range: TextRange| range.contains_inclusive(offset);
        if let Some(found) = scope.names.iter().find(|found| is_here(found.range)) {
            return Some((found.range, Meant::Binding(file, found.range)));
        }
        if let Some(found) = scope.types.iter().find(|found| is_here(found.range)) {
            return Some((found.range, Meant::Type(file, found.range)));
        }
    }
    let mut exports = names.exports.iter();
    let export = exports.find(|export| export.range.contains_inclusive(offset))?;
    Some((export.range, Meant::Export(file, export.name.to_string())))
}

/// How the name at exactly this range is bound.
pub(crate) fn binder(root: SyntaxNode<'_>, name: TextRange) -> Option<Binder<'_>> {
    for node in node_at(root, name).ancestors() {
        let found = match node.kind() {
            SyntaxKind::Binding => {
                let binding = ast::Binding::cast(node)?;
                let in_let = node.parent().map(SyntaxNode::kind) == Some(SyntaxKind::Let);
                Binder {
                    bound: if in_let { Bound::Let } else { Bound::Field },
                    node,
                    doc: binding.doc(),
                    value: binding.value(),
                }
            }
            SyntaxKind::TypeDecl => Binder {
                bound: Bound::Type,
                node,
                doc: ast::TypeDecl::cast(node)?.doc(),
                value: None,
            },
            SyntaxKind::PatternField => Binder {
                bound: Bound::PatternField,
                node,
                doc: None,
                value: None,
            },
            SyntaxKind::NamePattern => Binder {
                bound: Bound::Parameter,
                node,
                doc: None,
                value: None,
            },
            _ => continue,
        };
        return Some(found);
    }
    None
}

/// The shorthand binding `name;` that stands at exactly this range.
pub(crate) fn shorthand(root: SyntaxNode<'_>, name: TextRange) -> Option<ast::Binding<'_>> {
    let mut around = node_at(root, name).ancestors();
    let binding = around.find_map(ast::Binding::cast)?;
    (binding.is_shorthand() && binding.range() == name).then_some(binding)
}
