//! A part of an expression as a binding of its own.

use imgc_eval::{FileView, Target};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxKind, SyntaxNode, TextRange};

use super::{Action, ActionKind, in_file};
use crate::rename::applied;
use crate::syntax::{begins_line, indentation, node_at};
use crate::{Context, TextEdit};

/// The binding of what is selected.
pub(super) fn actions(
    context: &Context<'_>,
    view: &FileView<'_>,
    range: TextRange,
) -> Option<Action> {
    let text = view.text();
    let selected = text.get(std::ops::Range::<usize>::from(range))?;
    if selected.trim().is_empty() {
        return None;
    }
    let root = view.parse().syntax();
    if !view.parse().errors().is_empty() {
        return None;
    }
    let start = range.start() + size(selected.len() - selected.trim_start().len());
    let end = range.end() - size(selected.len() - selected.trim_end().len());
    let range = TextRange::new(start, end);
    let node = node_at(root, range);
    let mut around = node.ancestors();
    let expr = around
        .find(|node| node.text_range() == range && node.kind().is_expr())
        .filter(|node| is_worth_it(*node))?;
    let name = free_name(view, expr);
    let value = expr.text();
    let (edits, title) = place(view, expr, &name, value)?;
    let edits = {
        let mut edits = edits;
        edits.push(TextEdit {
            range,
            text: name.clone(),
        });
        edits
    };
    keeps(context, view, &edits)?;
    Some(Action {
        title,
        kind: ActionKind::Extract,
        changes: in_file(view, edits),
        mends: None,
        is_preferred: false,
    })
}

fn size(bytes: usize) -> imgc_syntax::TextSize {
    imgc_syntax::TextSize::new(u32::try_from(bytes).unwrap_or_default())
}

/// A name alone is bound already, and a module is not looked into.
fn is_worth_it(node: SyntaxNode<'_>) -> bool {
    let is_target = node.parent().map(SyntaxNode::kind) == Some(SyntaxKind::Import);
    !matches!(node.kind(), SyntaxKind::Ref | SyntaxKind::Error) && !is_target
}

/// A name that is not bound: what the field is called, or `value`.
fn free_name(view: &FileView<'_>, expr: SyntaxNode<'_>) -> String {
    let names = view.names();
    let is_free = |name: &str| {
        let mut scopes = names.scopes.iter();
        scopes.all(|scope| scope.names.iter().all(|known| *known.name != *name))
            && imgc_eval::builtin_docs().all(|doc| doc.name != name)
    };
    let field = expr.parent().and_then(ast::Binding::cast);
    let field = field.and_then(|binding| match binding.keys().last()? {
        ast::Key::Name(name) => Some(name.text().to_owned()),
        ast::Key::Str(_) => None,
    });
    let is_small = |name: &String| name.starts_with(|c: char| c.is_ascii_lowercase());
    let base = field.filter(is_small).unwrap_or_else(|| "value".to_owned());
    let numbered = (2..100).map(|number| format!("{base}{number}"));
    let mut names = std::iter::once(base.clone()).chain(numbered);
    names.find(|name| is_free(name)).unwrap_or(base)
}

/// Where the binding goes: before the binding of the nearest `let` that the expression is
/// in, at the end of the `let` whose body it is in, or into a `let` of its own.
fn place(
    view: &FileView<'_>,
    expr: SyntaxNode<'_>,
    name: &str,
    value: &str,
) -> Option<(Vec<TextEdit>, String)> {
    let text = view.text();
    let title = format!("make it a binding: `{name}`");
    let mut below = expr;
    for node in expr.ancestors().skip(1) {
        match node.kind() {
            SyntaxKind::Let => {
                let e = ast::Let::cast(node)?;
                let inner = e.bindings().find(|binding| binding.syntax() == below);
                let last = e.bindings().last();
                let (at, text) = match (inner, last) {
                    (Some(binding), _) => {
                        let at = binding.range().start();
                        let next = match begins_line(text, at) {
                            true => format!("\n{}", indentation(text, at)),
                            false => " ".to_owned(),
                        };
                        (at, format!("{name} = {value};{next}"))
                    }
                    (None, Some(last)) => {
                        let start = last.range().start();
                        let before = match begins_line(text, start) {
                            true => format!("\n{}", indentation(text, start)),
                            false => " ".to_owned(),
                        };
                        // Behind the `;` of the last one.
                        let semicolon = last.syntax().following().find(|e| !e.kind().is_trivia());
                        let semicolon = semicolon.filter(|e| e.kind() == SyntaxKind::Semi)?;
                        let at = semicolon.text_range().end();
                        (at, format!("{before}{name} = {value};"))
                    }
                    (None, None) => return None,
                };
                let range = TextRange::empty(at);
                return Some((vec![TextEdit { range, text }], title));
            }
            // What a function or arm binds is known in it only.
            SyntaxKind::Lambda | SyntaxKind::Arm => {
                let range = TextRange::empty(below.text_range().start());
                let text = format!("let {name} = {value}; in ");
                return Some((vec![TextEdit { range, text }], title));
            }
            SyntaxKind::File => {
                let range = TextRange::empty(below.text_range().start());
                let text = format!("let\n  {name} = {value};\nin\n");
                return Some((vec![TextEdit { range, text }], title));
            }
            _ => below = node,
        }
    }
    None
}

/// Makes sure that all names mean something in their new place too.
fn keeps(context: &Context<'_>, view: &FileView<'_>, edits: &[TextEdit]) -> Option<()> {
    let after = applied(view.text(), edits);
    let after = context.semantics.sketch(&view.id(), &after)?;
    if !after.parse().errors().is_empty() {
        return None;
    }
    let names = view.names();
    let count = |names: &imgc_eval::Names| {
        let uses = names.uses.iter();
        uses.filter(|found| matches!(found.target, Target::Binding(_)))
            .count()
    };
    // The new name is used once, and nothing else has come loose.
    (count(&after.names()) == count(&names) + 1).then_some(())
}
