//! The words for brackets that are not balanced.

use text_size::TextRange;

use super::Shape;
use crate::error::{SyntaxCode, SyntaxError};

/// A bracket opened at `opened` has no end; it is missed at `missed`. `ends_binding` says that the
/// binding around it ends there too.
pub(super) fn unclosed(
    shape: Shape,
    opened: TextRange,
    missed: TextRange,
    ends_binding: bool,
) -> SyntaxError {
    let (opening, closing) = shape.texts();
    let end = if ends_binding { ";" } else { "" };
    let blank = if shape == Shape::Let { " " } else { "" };
    let message = format!("this `{opening}` has no `{closing}`");
    SyntaxError::new(SyntaxCode::Unclosed, missed, message)
        .label(format!("expected `{closing}`"))
        .related(opened, "opened here")
        .help(format!("write `{closing}{end}`"))
        .edit(missed, format!("{blank}{closing}{end}"))
}

/// A bracket of the shape `wanted`, opened at `opened`, is closed by one of the shape `found`.
pub(super) fn wrong_closer(
    wanted: Shape,
    found: Shape,
    at: TextRange,
    opened: TextRange,
) -> SyntaxError {
    let (opening, closing) = wanted.texts();
    let found = found.texts().1;
    let message = format!("`{opening}` is closed by `{found}`");
    SyntaxError::new(SyntaxCode::WrongCloser, at, message)
        .label(format!("expected `{closing}`"))
        .related(opened, "opened here")
        .help(format!("write `{closing}`"))
        .edit(at, closing)
}

/// The closing one at `at` has no opening, which is probably missing at `missed`.
pub(super) fn stray(shape: Shape, at: TextRange, missed: Option<TextRange>) -> SyntaxError {
    let (opening, closing) = shape.texts();
    let message = format!("nothing opens this `{closing}`");
    let error = SyntaxError::new(SyntaxCode::StrayCloser, at, message);
    match missed {
        Some(missed) => error
            .related(missed, format!("`{opening}` is probably missing here"))
            .help(format!("write `{opening}` before the first binding"))
            .edit(missed, format!("{opening} ")),
        None => error.help(format!(
            "remove it, or write the `{opening}` that is missing before it"
        )),
    }
}
