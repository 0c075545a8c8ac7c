//! What is selected when a selection grows: the word, then everything around it.

use imgc_eval::FileView;
use imgc_syntax::{SyntaxKind, TextRange, TextSize};

use crate::Context;
use crate::syntax::{ancestors_at, token_at};

/// The ranges around a byte, the smallest first, each larger than the one before.
pub(crate) fn selections(_: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Vec<TextRange> {
    let root = view.parse().syntax();
    let mut found: Vec<TextRange> = Vec::new();
    if let Some(token) = token_at(root, offset)
        && token.kind() != SyntaxKind::Whitespace
    {
        found.push(token.text_range());
    }
    for node in ancestors_at(root, offset) {
        let range = node.text_range();
        let is_larger = found
            .last()
            .is_none_or(|last| range.contains_range(*last) && range != *last);
        if is_larger && !range.is_empty() {
            found.push(range);
        }
    }
    let whole = TextRange::up_to(TextSize::of(&**view.text()));
    if found.last() != Some(&whole) {
        found.push(whole);
    }
    found
}
