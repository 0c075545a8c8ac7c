//! Edits that bring a text, a part of it or a line into the one style. What the style is,
//! the formatter of the language says; here it becomes small edits. A text is all that they
//! need: no change elsewhere in a project overtakes them.

use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{Parse, SyntaxKind, SyntaxNode, SyntaxToken, TextRange, TextSize};

use crate::TextEdit;
use crate::syntax::{node_at, significant_after};

/// Blanks for each level.
const INDENT: &str = "  ";

/// The edits that bring a text into the one style; none if it has syntax errors.
#[must_use]
pub fn format(text: &str) -> Vec<TextEdit> {
    between(&imgc_syntax::parse(text))
}

fn between(before: &Parse) -> Vec<TextEdit> {
    let before = before.syntax();
    let Some(formatted) = imgc_syntax::format(before.text()) else {
        return Vec::new();
    };
    edits(before, imgc_syntax::parse(&formatted).syntax())
}

/// Those that touch a range.
#[must_use]
pub fn format_range(text: &str, range: TextRange) -> Vec<TextEdit> {
    let mut edits = format(text);
    edits.retain(|edit| {
        let touched = range.intersect(edit.range);
        range.contains_range(edit.range) || touched.is_some_and(|touched| !touched.is_empty())
    });
    edits
}

/// What is mended after `typed` was typed before a byte: after a `;` or a closing bracket what
/// it ends is formatted, after a line end the new line is indented.
#[must_use]
pub fn format_typed(text: &str, offset: TextSize, typed: char) -> Vec<TextEdit> {
    let parsed = imgc_syntax::parse(text);
    let root = parsed.syntax();
    if typed == '\n' {
        return indent(root, offset).into_iter().collect();
    }
    let Some(before) = offset.checked_sub(TextSize::of(typed)) else {
        return Vec::new();
    };
    let mut around = node_at(root, TextRange::at(before, TextSize::of(typed))).ancestors();
    let node = match typed {
        // The binding before it.
        ';' => root
            .descendants()
            .filter(|node| ast::Binding::cast(*node).is_some())
            .filter(|node| node.text_range().end() <= before)
            .max_by_key(|node| (node.text_range().end(), node.text_range().len())),
        // The bracket, with the binding whose value it is.
        _ => around.next().map(|node| match node.parent() {
            Some(parent) if ast::Binding::cast(parent).is_some() => parent,
            _ => node,
        }),
    };
    let Some(node) = node else { return Vec::new() };
    let range = node.text_range().cover(TextRange::empty(offset));
    let mut edits = between(&parsed);
    edits.retain(|edit| range.contains_range(edit.range));
    edits
}

/// The edit that indents the line that a byte is in.
fn indent(root: SyntaxNode<'_>, offset: TextSize) -> Option<TextEdit> {
    let mut depth = 0_usize;
    for token in root.tokens() {
        let range = token.text_range();
        if range.contains(offset) && is_text(token.kind()) {
            // In a text or comment every blank is the author's.
            return None;
        }
        if range.start() >= offset {
            break;
        }
        match token.kind() {
            kind if opens(kind) => depth += 1,
            kind if closes(kind) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let text = root.text();
    let before = text.get(..usize::from(offset))?;
    let line = before.rfind('\n')? + 1;
    let rest = text.get(line..)?;
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let next = significant_after(root, offset);
    let is_here = next.is_some_and(|next| {
        usize::from(next.text_range().start()) == line + blanks && closes(next.kind())
    });
    let wanted = INDENT.repeat(depth.saturating_sub(usize::from(is_here)));
    let line = TextSize::new(u32::try_from(line).ok()?);
    let range = TextRange::at(line, TextSize::new(u32::try_from(blanks).ok()?));
    let is_right = rest.get(..blanks)? == wanted;
    let text = wanted;
    (!is_right).then_some(TextEdit { range, text })
}

fn is_text(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::StrText | SyntaxKind::StrEscape)
}

fn opens(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::LBrace
            | SyntaxKind::LBracket
            | SyntaxKind::LParen
            | SyntaxKind::InterpOpen
            | SyntaxKind::LetKw
    )
}

fn closes(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::RBrace
            | SyntaxKind::RBracket
            | SyntaxKind::RParen
            | SyntaxKind::InterpClose
            | SyntaxKind::InKw
    )
}

/// What must change between the tokens of a tree so that it is the other: they differ in
/// blanks and commas alone.
fn edits(before: SyntaxNode<'_>, after: SyntaxNode<'_>) -> Vec<TextEdit> {
    let is_kept = |token: &SyntaxToken<'_>| {
        !matches!(token.kind(), SyntaxKind::Whitespace | SyntaxKind::Comma)
    };
    let mut edits = Vec::new();
    let (mut from, mut of_after) = (TextSize::new(0), TextSize::new(0));
    let mut replace = |range: TextRange, other: TextRange| {
        let text = |root: SyntaxNode<'_>, range: TextRange| {
            let range = std::ops::Range::<usize>::from(range);
            let whole = root.text_range();
            debug_assert_eq!(whole.start(), TextSize::new(0));
            root.text().get(range).unwrap_or_default().to_owned()
        };
        let wanted = text(after, other);
        if text(before, range) != wanted {
            edits.push(TextEdit {
                range,
                text: wanted,
            });
        }
    };
    let mut others = after.tokens().filter(is_kept);
    for token in before.tokens().filter(is_kept) {
        let Some(other) = others.next() else { break };
        let (range, of_other) = (token.text_range(), other.text_range());
        replace(
            TextRange::new(from, range.start()),
            TextRange::new(of_after, of_other.start()),
        );
        if range.len() != of_other.len() {
            replace(range, of_other);
        }
        (from, of_after) = (range.end(), of_other.end());
    }
    replace(
        TextRange::new(from, before.text_range().end()),
        TextRange::new(of_after, after.text_range().end()),
    );
    edits
}
