//! A name that nothing binds, and that a module has: import it.

use imgc_diag::{Diagnostic, codes};
use imgc_eval::FileView;
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{TextRange, TextSize};

use super::{Action, ActionKind, in_file, touched};
use crate::syntax::{begins_line, indentation};
use crate::{Context, TextEdit};

/// Imports of what names at a range may mean.
pub(super) fn actions(
    context: &Context<'_>,
    view: &FileView<'_>,
    range: TextRange,
    found: &[Diagnostic],
) -> Vec<Action> {
    let mut actions = Vec::new();
    for (at, diagnostic) in found.iter().enumerate() {
        let Some(place) = touched(view, diagnostic, range) else {
            continue;
        };
        if diagnostic.code != codes::UNBOUND_NAME {
            continue;
        }
        let name = &view.text()[std::ops::Range::<usize>::from(place)];
        for (name, target) in targets(context, view, name) {
            let edit = import_edit(view, &name, &target);
            actions.push(Action {
                title: format!("import `{target}`"),
                kind: ActionKind::QuickFix,
                changes: in_file(view, vec![edit]),
                mends: Some(at),
                is_preferred: true,
            });
        }
    }
    actions
}

/// The modules that a name may mean, with the name that each would be bound to.
fn targets(context: &Context<'_>, view: &FileView<'_>, name: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for module in context.semantics.std_modules() {
        if module == name {
            found.push((name.to_owned(), format!("std/{module}")));
        }
    }
    let id = view.id();
    for file in context.semantics.files() {
        let path = file.as_str();
        let stem = path
            .rsplit('/')
            .next()
            .and_then(|name| name.strip_suffix(".img"));
        if stem == Some(name) && file != id && context.semantics.is_project_file(&file) {
            found.push((name.to_owned(), relative(id.as_str(), path)));
        }
    }
    found
}

/// The path of a file as another one writes it.
pub(crate) fn relative(from: &str, to: &str) -> String {
    let folders: Vec<&str> = from.split('/').collect();
    let folders = &folders[..folders.len() - 1];
    let parts: Vec<&str> = to.split('/').collect();
    let same = folders.iter().zip(&parts).take_while(|(a, b)| a == b);
    let same = same.count().min(parts.len() - 1);
    let up = "../".repeat(folders.len() - same);
    let rest = parts[same..].join("/");
    if up.is_empty() {
        format!("./{rest}")
    } else {
        format!("{up}{rest}")
    }
}

/// The edit that binds a module to a name: in the `let` at the head of the file, or in one
/// that is put there.
pub(crate) fn import_edit(view: &FileView<'_>, name: &str, target: &str) -> TextEdit {
    let tree = view.parse().tree();
    let expr = tree.expr();
    if let Some(ast::Expr::Let(e)) = &expr
        && let Some(first) = e.bindings().next()
    {
        let start = first.range().start();
        let is_own_line = begins_line(view.text(), start);
        let text = if is_own_line {
            let blanks = indentation(view.text(), start);
            format!("{name} = import {target};\n{blanks}")
        } else {
            format!("{name} = import {target}; ")
        };
        // Before the comment of the first binding.
        let start = comment_start(view, start);
        let range = TextRange::empty(start);
        return TextEdit { range, text };
    }
    let start = expr.map_or(TextSize::new(0), |expr| expr.range().start());
    TextEdit {
        range: TextRange::empty(start),
        text: format!("let\n  {name} = import {target};\nin\n"),
    }
}

/// Where the comments begin that stand directly above a byte.
fn comment_start(view: &FileView<'_>, start: TextSize) -> TextSize {
    let root = view.parse().syntax();
    let mut found = start;
    for token in root.tokens().rev() {
        if token.text_range().end() > start {
            continue;
        }
        let ends = token.text().bytes().filter(|byte| *byte == b'\n').count();
        match token.kind() {
            kind if kind == imgc_syntax::SyntaxKind::Whitespace && ends < 2 => {}
            kind if kind != imgc_syntax::SyntaxKind::Whitespace && kind.is_trivia() => {
                found = token.text_range().start();
            }
            _ => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_file_to_file() {
        for (from, to, path) in [
            ("a.img", "b.img", "./b.img"),
            ("a.img", "lib/b.img", "./lib/b.img"),
            ("x/a.img", "b.img", "../b.img"),
            ("x/y/a.img", "x/z/b.img", "../z/b.img"),
            ("x/a.img", "x/b.img", "./b.img"),
        ] {
            assert_eq!(relative(from, to), path, "{from} {to}");
        }
    }
}
