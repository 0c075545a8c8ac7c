//! Files that get other names: the imports and paths that lead to them, or out of them, lead
//! there afterwards too. Nothing is moved here.

use imgc_diag::FileId;
use imgc_eval::FileView;
use imgc_syntax::ast::{self, AstNode as _};

use crate::actions::relative;
use crate::{Changes, Context, TextEdit};

/// A file or folder that gets another name, both as paths from the project's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// What it is called.
    pub from: String,
    /// What it will be called.
    pub to: String,
}

/// The changes of the texts, as they are before the move, that keep every path's meaning.
pub(crate) fn changes(context: &Context<'_>, moves: &[Move]) -> Changes {
    let mut changes = Changes::new();
    for file in context.semantics.files() {
        let view = context.semantics.file(&file);
        let Some(view) = view.filter(FileView::is_project_file) else {
            continue;
        };
        let edits = of_file(context, &view, &file, moves);
        if !edits.is_empty() {
            changes.insert(file, edits);
        }
    }
    changes
}

fn of_file(
    context: &Context<'_>,
    view: &FileView<'_>,
    file: &FileId,
    moves: &[Move],
) -> Vec<TextEdit> {
    let after = moved(file.as_str(), moves);
    let paths = view.parse().syntax().descendants();
    let paths = paths.filter_map(ast::Path::cast);
    let edits = paths.filter_map(|path| {
        let target = context.semantics.resolve(file, path.text())?;
        let target_after = moved(&target, moves);
        if after == file.as_str() && target_after == target {
            return None;
        }
        // What moves together keeps its words.
        let text = relative(&after, &target_after);
        let is_same = relative(file.as_str(), &target) == text;
        (!is_same && is_path(&text)).then(|| TextEdit {
            range: path.range(),
            text,
        })
    });
    edits.collect()
}

/// What a path is called after the moves.
fn moved(path: &str, moves: &[Move]) -> String {
    let found = moves.iter().find_map(|one| {
        let rest = path.strip_prefix(one.from.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{}{rest}", one.to))
    });
    found.unwrap_or_else(|| path.to_owned())
}

/// Whether a path can be written in the language.
fn is_path(text: &str) -> bool {
    let parse = imgc_syntax::parse(text);
    let path = match parse.tree().expr() {
        Some(ast::Expr::Path(path)) => path.text() == text,
        _ => false,
    };
    path && parse.errors().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_takes_what_is_in_it_along() {
        let moves = [Move {
            from: "lib".to_owned(),
            to: "src/lib".to_owned(),
        }];
        for (path, after) in [
            ("lib", "src/lib"),
            ("lib/a.img", "src/lib/a.img"),
            ("library.img", "library.img"),
            ("a/lib", "a/lib"),
        ] {
            assert_eq!(moved(path, &moves), after);
        }
    }
}
