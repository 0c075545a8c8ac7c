//! What can be changed where the cursor is: the fixes of diagnostics, and changes that keep
//! the meaning. Each action has one file; nothing is changed here.

mod extract;
mod fixes;
mod import;
mod packages;

use imgc_diag::Diagnostic;
use imgc_eval::FileView;
use imgc_syntax::TextRange;

use crate::{Changes, Context, TextEdit};

pub(crate) use import::{import_edit, relative};

/// A change that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it does, as a command.
    pub title: String,
    /// What sort of change it is.
    pub kind: ActionKind,
    /// The edits.
    pub changes: Changes,
    /// The place in the list of diagnostics of the one that it mends.
    pub mends: Option<usize>,
    /// Whether it is what is most probably wanted.
    pub is_preferred: bool,
}

/// The sorts of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// It mends what is wrong.
    QuickFix,
    /// It makes a part a binding of its own.
    Extract,
    /// It changes how something is written.
    Rewrite,
    /// It mends everything that can be mended.
    FixAll,
}

/// What can be changed at a range.
pub(crate) fn actions(
    context: &Context<'_>,
    view: &FileView<'_>,
    range: TextRange,
    found: &[Diagnostic],
) -> Vec<Action> {
    if !view.is_project_file() {
        return Vec::new();
    }
    let mut actions = fixes::actions(view, range, found);
    actions.extend(import::actions(context, view, range, found));
    actions.extend(packages::actions(context, view, range, found));
    actions.extend(extract::actions(context, view, range));
    actions.extend(fixes::all(view, found));
    actions
}

/// The changes of one file.
fn in_file(view: &FileView<'_>, edits: Vec<TextEdit>) -> Changes {
    Changes::from([(view.id(), edits)])
}

/// Where a diagnostic is, if that touches a range of the file.
fn touched(view: &FileView<'_>, of: &Diagnostic, range: TextRange) -> Option<TextRange> {
    let span = &of.primary.span;
    if span.file != view.id() {
        return None;
    }
    let place = TextRange::new(span.range.start.into(), span.range.end.into());
    range.intersect(place).map(|_| place)
}
