//! What is shown beside what is written: types of bindings and parameters that say none,
//! versions of packages, sizes of what was built.

use imgc_eval::{FileView, ShapeKind};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxNode, TextRange, TextSize};

use crate::Context;
use crate::catalogue::{bare_name, folder_of};
use crate::literal;
use crate::sizes::{self, BuiltImage};

/// Longer types are cut.
const LONGEST: usize = 60;

/// A few words beside what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Where they stand.
    pub offset: TextSize,
    /// What they are about.
    pub kind: HintKind,
    /// The words.
    pub label: String,
}

/// What a hint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintKind {
    /// A type, which could be written there.
    Type,
    /// The version of a package.
    Version,
    /// The size of a part of an image, as it was built.
    Size,
}

/// The hints of a part of a file, in order.
pub(crate) fn hints(
    context: &Context<'_>,
    view: &FileView<'_>,
    range: TextRange,
    built: &[BuiltImage],
) -> Vec<Hint> {
    let mut found = types(view, range);
    found.extend(versions(context, view, range));
    let sizes = sizes::hints(view, built).into_iter();
    found.extend(sizes.filter(|hint| range.contains_inclusive(hint.offset)));
    found.sort_by_key(|hint| hint.offset);
    found
}

fn types(view: &FileView<'_>, range: TextRange) -> Vec<Hint> {
    let nodes = view.parse().syntax().descendants();
    let wanted = nodes.filter_map(|node| {
        if let Some(binding) = ast::Binding::cast(node) {
            let in_let = node.parent().and_then(ast::Let::cast).is_some();
            let value = binding.value()?;
            if !in_let || binding.ty().is_some() || is_plain(&value) {
                return None;
            }
            return binding.key_path().map(|path| path.range());
        }
        if let Some(pattern) = ast::NamePattern::cast(node) {
            let in_lambda = node.parent().is_some_and(is_inner_function);
            let is_untyped = pattern.ty().is_none() && !pattern.is_wildcard();
            return (in_lambda && is_untyped).then(|| pattern.range());
        }
        let field = ast::PatternField::cast(node)?;
        let is_inner = node.ancestors().nth(2).is_some_and(is_inner_function);
        let is_untyped = is_inner && field.ty().is_none() && field.default().is_none();
        field.name().filter(|_| is_untyped).map(|name| name.range())
    });
    let wanted: Vec<TextRange> = wanted
        .filter(|place| range.intersect(*place).is_some())
        .collect();
    let shapes = view.shapes(&wanted).into_iter();
    let known = shapes.filter(|(_, shape)| !shape.is_unknown());
    let hints = known.map(|(place, shape)| Hint {
        offset: place.end(),
        kind: HintKind::Type,
        label: format!(" : {}", cut(&shape.text)),
    });
    hints.collect()
}

/// Whether a node is a function whose type is not shown as that of a `let`'s binding.
fn is_inner_function(node: SyntaxNode<'_>) -> bool {
    // A function that gives a function is one with it.
    let mut around = node.ancestors();
    let outer = around.find(|node| ast::Lambda::cast(*node).is_none());
    let binding = outer.and_then(ast::Binding::cast);
    let is_shown = binding.is_some_and(|binding| {
        let owner = binding.syntax().parent();
        owner.and_then(ast::Let::cast).is_some() && binding.ty().is_none()
    });
    ast::Lambda::cast(node).is_some() && !is_shown
}

/// Whether everyone sees what it is.
fn is_plain(value: &ast::Expr<'_>) -> bool {
    match value {
        ast::Expr::Literal(_)
        | ast::Expr::Str(_)
        | ast::Expr::Path(_)
        | ast::Expr::Import(_)
        | ast::Expr::Ascribe(_)
        | ast::Expr::Record(_)
        | ast::Expr::Error(_) => true,
        ast::Expr::Paren(inner) => inner.expr().is_some_and(|inner| is_plain(&inner)),
        _ => false,
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    short
}

fn versions(context: &Context<'_>, view: &FileView<'_>, range: TextRange) -> Vec<Hint> {
    let id = view.id();
    let folder = folder_of(id.as_str());
    let strings = view.parse().syntax().descendants();
    let strings = strings.filter_map(ast::Str::cast);
    let strings = strings.filter(|string| range.intersect(string.range()).is_some());
    let names = view.names();
    let hints = strings.filter_map(|string| {
        let text = string.plain()?;
        // Without a lock nothing is known, and nothing has to be inferred.
        let facts = context.catalogue.package(folder, bare_name(&text))?;
        let version = facts.version()?;
        let is_package = !text.contains('=')
            && literal::kind(view, &names, &string)? == ShapeKind::Host("Package");
        is_package.then(|| Hint {
            offset: string.range().end(),
            kind: HintKind::Version,
            label: format!(" {version}"),
        })
    });
    hints.collect()
}
