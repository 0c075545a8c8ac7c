//! What a text in quotes is: by its own type, or by what the binding that it stands in is
//! used for.

use imgc_eval::{FileView, Names, ShapeKind, Target};
use imgc_syntax::TextRange;
use imgc_syntax::ast::{self, AstNode as _};

/// What sort of value a text is: a package, a suite, or a text and no more.
pub(crate) fn kind(view: &FileView<'_>, names: &Names, string: &ast::Str<'_>) -> Option<ShapeKind> {
    let own = view.shape(string.range())?.kind;
    if own != ShapeKind::Host("String") {
        return Some(own);
    }
    // `let names = ["curl"]; in debian.image { packages = names; }`
    let mut node = string.syntax();
    let mut lists = 0;
    let binding = loop {
        node = node.parent()?;
        if ast::List::cast(node).is_some() {
            lists += 1;
        } else if ast::Paren::cast(node).is_none() {
            break ast::Binding::cast(node);
        }
    };
    let name = binding.and_then(|binding| binding.key_path());
    let used = name.and_then(|name| of_uses(view, names, name.range(), lists));
    Some(used.unwrap_or(own))
}

/// What is needed where a binding is used, as many lists deep.
fn of_uses(
    view: &FileView<'_>,
    names: &Names,
    binding: TextRange,
    lists: usize,
) -> Option<ShapeKind> {
    let uses = names.uses.iter();
    let uses = uses.filter(|found| found.target == Target::Binding(binding));
    uses.filter_map(|found| {
        let mut shape = view.expected(found.range)?;
        for _ in 0..lists {
            shape = *shape.inner.filter(|_| shape.kind == ShapeKind::List)?;
        }
        let is_more = matches!(shape.kind, ShapeKind::Host(name) if name != "String");
        is_more.then_some(shape.kind)
    })
    .next()
}
