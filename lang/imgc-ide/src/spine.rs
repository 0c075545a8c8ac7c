//! How an expression is used where it stands: called, selected from, put in parentheses, or
//! the whole of its file. It knows trees, no names and no types.

use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxNode, TextRange};

use crate::syntax::node_at;

/// Whether a field is taken from it.
pub(crate) fn is_selected(node: SyntaxNode<'_>) -> bool {
    let select = node.parent().and_then(ast::Select::cast);
    let base = select.and_then(|select| select.base());
    base.is_some_and(|base| base.syntax() == node)
}

/// Whether an expression is what its file ends in.
pub(crate) fn is_root(node: SyntaxNode<'_>) -> bool {
    let mut node = node;
    while let Some(parent) = node.parent() {
        let is_body = ast::Let::cast(parent)
            .is_some_and(|outer| outer.body().is_some_and(|body| body.syntax() == node));
        if parent.kind() == imgc_syntax::SyntaxKind::File {
            return true;
        }
        if !is_body && ast::Paren::cast(parent).is_none() {
            return false;
        }
        node = parent;
    }
    false
}

/// The argument of that number that the function at a node is given.
pub(crate) fn argument(function: SyntaxNode<'_>, number: usize) -> Option<ast::Expr<'_>> {
    let mut node = unwrapped(function);
    for at in 0..=number {
        let parent = node.parent()?;
        let given = match ast::Apply::cast(parent) {
            Some(apply) if apply.function()?.syntax() == node => apply.argument()?,
            Some(_) => return None,
            None => pipe(parent, node)?,
        };
        if at == number {
            return Some(inside(given));
        }
        node = unwrapped(parent);
    }
    None
}

/// What is piped into a function.
fn pipe<'t>(node: SyntaxNode<'t>, function: SyntaxNode<'t>) -> Option<ast::Expr<'t>> {
    let binary = ast::Binary::cast(node)?;
    let is_pipe = binary.op()? == ast::BinaryOp::Pipe && binary.right()?.syntax() == function;
    binary.left().filter(|_| is_pipe)
}

/// The function that an expression is piped into.
pub(crate) fn piped_into(node: SyntaxNode<'_>) -> Option<ast::Expr<'_>> {
    let binary = ast::Binary::cast(node.parent()?)?;
    let is_pipe = binary.op()? == ast::BinaryOp::Pipe && binary.left()?.syntax() == node;
    binary.right().filter(|_| is_pipe)
}

/// The expression of a use: the name, or the selection whose key it is.
pub(crate) fn expr_at(root: SyntaxNode<'_>, range: TextRange) -> SyntaxNode<'_> {
    let node = node_at(root, range);
    for around in node.ancestors() {
        if let Some(select) = ast::Select::cast(around)
            && select.key().is_some_and(|key| key.range() == range)
        {
            return around;
        }
        if around.text_range() != range {
            break;
        }
    }
    node
}

/// A node with the parentheses around it.
pub(crate) fn unwrapped(node: SyntaxNode<'_>) -> SyntaxNode<'_> {
    let mut node = node;
    while let Some(paren) = node
        .parent()
        .filter(|node| ast::Paren::cast(*node).is_some())
    {
        node = paren;
    }
    node
}

/// An expression without the parentheses around it.
pub(crate) fn inside(expr: ast::Expr<'_>) -> ast::Expr<'_> {
    let mut expr = expr;
    while let ast::Expr::Paren(paren) = expr {
        match paren.expr() {
            Some(inner) => expr = inner,
            None => break,
        }
    }
    expr
}
