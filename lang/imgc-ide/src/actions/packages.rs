//! Packages: pin a version, take the pin away, add one that a program needs, write a name
//! as the archive does.

use imgc_diag::{Diagnostic, codes};
use imgc_eval::FileView;
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{TextRange, TextSize};

use super::{Action, ActionKind, in_file, touched};
use crate::catalogue::{bare_name, folder_of};
use crate::hover::package_at;
use crate::syntax::ancestors_at;
use crate::{Context, TextEdit};

/// Changes of the package at a range.
pub(super) fn actions(
    context: &Context<'_>,
    view: &FileView<'_>,
    range: TextRange,
    found: &[Diagnostic],
) -> Vec<Action> {
    let mut actions = Vec::new();
    if let Some((place, literal)) = package_at(view, range.start()) {
        actions.extend(pin(context, view, place, &literal));
        actions.extend(similar(context, view, place, &literal, found));
    }
    actions.extend(add(context, view, range.start()));
    actions
}

fn rewrite(view: &FileView<'_>, title: String, range: TextRange, text: String) -> Action {
    Action {
        title,
        kind: ActionKind::Rewrite,
        changes: in_file(view, vec![TextEdit { range, text }]),
        mends: None,
        is_preferred: false,
    }
}

/// `"curl"` to `"curl=8.14.1-2"`, and back.
fn pin(
    context: &Context<'_>,
    view: &FileView<'_>,
    place: TextRange,
    literal: &str,
) -> Option<Action> {
    let name = bare_name(literal);
    if literal.contains('=') {
        let text = format!("\"{name}\"");
        return Some(rewrite(
            view,
            format!("take any version of `{name}`"),
            place,
            text,
        ));
    }
    if name != literal {
        return None;
    }
    let id = view.id();
    let facts = context.catalogue.package(folder_of(id.as_str()), name)?;
    let version = facts.version()?;
    let text = format!("\"{name}={version}\"");
    Some(rewrite(
        view,
        format!("pin `{name}` to {version}"),
        place,
        text,
    ))
}

/// The name that was meant by one that the archive does not have.
fn similar(
    context: &Context<'_>,
    view: &FileView<'_>,
    place: TextRange,
    literal: &str,
    found: &[Diagnostic],
) -> Option<Action> {
    let id = view.id();
    let folder = folder_of(id.as_str());
    let name = bare_name(literal);
    let mends = found.iter().position(|diagnostic| {
        diagnostic.code == codes::UNKNOWN_PACKAGE && touched(view, diagnostic, place).is_some()
    });
    let is_offered = mends.is_some_and(|at| !found[at].fixes.is_empty());
    if is_offered || context.catalogue.package(folder, name).is_some() {
        return None;
    }
    let similar = context.catalogue.similar(folder, name)?;
    let text = format!("\"{similar}{}\"", &literal[name.len()..]);
    Some(Action {
        kind: ActionKind::QuickFix,
        mends,
        is_preferred: true,
        ..rewrite(view, format!("change it to `{similar}`"), place, text)
    })
}

/// The package of a program that the image runs and has not asked for.
fn add(context: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Option<Action> {
    let root = view.parse().syntax();
    let string = ancestors_at(root, offset).find_map(ast::Str::cast)?;
    let text = string.plain()?;
    let (folder, program) = text.rsplit_once('/')?;
    if !matches!(folder, "/usr/bin" | "/usr/sbin" | "/bin" | "/sbin") {
        return None;
    }
    let id = view.id();
    let of_file = folder_of(id.as_str());
    let facts = context.catalogue.package(of_file, program)?;
    for record in string.syntax().ancestors().filter_map(ast::Record::cast) {
        let field = record.bindings().find(|binding| {
            let keys = binding.keys();
            keys.len() == 1 && keys[0].text().as_deref() == Some("packages")
        });
        let Some(ast::Expr::List(list)) = field.and_then(|field| field.value()) else {
            continue;
        };
        let mut known = list.elements().filter_map(|element| match element {
            ast::Expr::Str(known) => known.plain(),
            _ => None,
        });
        if known.any(|known| bare_name(&known) == program) {
            return None;
        }
        let last = list.elements().last();
        let (at, text) = match last {
            Some(last) => (last.range().end(), format!(", \"{}\"", facts.name)),
            None => (
                list.range().start() + TextSize::new(1),
                format!("\"{}\"", facts.name),
            ),
        };
        let title = format!("add the package `{}`", facts.name);
        return Some(rewrite(view, title, TextRange::empty(at), text));
    }
    None
}
