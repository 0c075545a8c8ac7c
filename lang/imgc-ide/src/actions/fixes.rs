//! The changes that come with diagnostics.

use imgc_diag::{Diagnostic, Fix};
use imgc_eval::FileView;
use imgc_syntax::TextRange;

use super::{Action, ActionKind, in_file, touched};
use crate::{Changes, TextEdit};

/// The changes of the diagnostics at a range.
pub(super) fn actions(view: &FileView<'_>, range: TextRange, found: &[Diagnostic]) -> Vec<Action> {
    let mut actions = Vec::new();
    for (at, diagnostic) in found.iter().enumerate() {
        if touched(view, diagnostic, range).is_none() {
            continue;
        }
        for fix in &diagnostic.fixes {
            actions.push(Action {
                title: fix.title.clone(),
                kind: ActionKind::QuickFix,
                changes: changes(fix),
                mends: Some(at),
                is_preferred: diagnostic.fixes.len() == 1,
            });
        }
    }
    actions
}

/// One change that mends everything of a file that has just one way of being mended.
pub(super) fn all(view: &FileView<'_>, found: &[Diagnostic]) -> Option<Action> {
    let id = view.id();
    let mut edits: Vec<TextEdit> = Vec::new();
    let mut count = 0;
    for diagnostic in found {
        let [fix] = diagnostic.fixes.as_slice() else {
            continue;
        };
        let of_fix = changes(fix);
        let Some(of_file) = of_fix.get(&id).filter(|_| of_fix.len() == 1) else {
            continue;
        };
        // Of what touches, the first.
        let is_free = |edit: &TextEdit| {
            let mut known = edits.iter();
            known.all(|known| known.range.intersect(edit.range).is_none())
        };
        if of_file.iter().all(is_free) {
            edits.extend(of_file.iter().cloned());
            count += 1;
        }
    }
    (count > 1).then(|| Action {
        title: format!("mend {count} mistakes of this file"),
        kind: ActionKind::FixAll,
        changes: in_file(view, edits),
        mends: None,
        is_preferred: false,
    })
}

fn changes(fix: &Fix) -> Changes {
    let mut changes = Changes::new();
    for edit in &fix.edits {
        let range = edit.span.range;
        let edits = changes.entry(edit.span.file.clone()).or_default();
        edits.push(TextEdit {
            range: TextRange::new(range.start.into(), range.end.into()),
            text: edit.text.clone(),
        });
    }
    changes
}
