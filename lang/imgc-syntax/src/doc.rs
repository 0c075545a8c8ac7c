//! Doc comments: which `##` lines belong to a file or binding, and their text.
//! It reads trivia of a finished tree; it does not interpret the text.

use crate::kind::SyntaxKind;
use crate::tree::{SyntaxElement, SyntaxNode};

/// The `##` lines that the file begins with, up to the first line that is none.
pub(crate) fn of_file(file: SyntaxNode<'_>) -> Option<String> {
    let mut lines = Vec::new();
    for element in file.children_with_tokens() {
        let SyntaxElement::Token(token) = element else {
            break;
        };
        match token.kind() {
            SyntaxKind::Whitespace if lines.is_empty() || line_ends(token.text()) < 2 => {}
            SyntaxKind::DocComment => lines.push(strip(token.text())),
            _ => break,
        }
    }
    join(lines)
}

/// The `##` lines directly above a binding: no blank line between, nothing before them on a line.
pub(crate) fn of_binding(binding: SyntaxNode<'_>) -> Option<String> {
    let mut lines = Vec::new();
    let mut pending: Option<String> = None;
    for token in binding.tokens_before() {
        match token.kind() {
            SyntaxKind::DocComment => pending = Some(strip(token.text())),
            SyntaxKind::Whitespace => {
                let ends = line_ends(token.text());
                // A line end before the comment shows that it has the line to itself.
                if ends > 0 {
                    lines.extend(pending.take());
                }
                if ends > 1 {
                    break;
                }
            }
            _ => break,
        }
    }
    lines.reverse();
    join(lines)
}

fn line_ends(blank: &str) -> usize {
    blank.bytes().filter(|&byte| byte == b'\n').count()
}

fn strip(comment: &str) -> String {
    let text = comment.strip_prefix("##").unwrap_or(comment);
    text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned()
}

fn join(lines: Vec<String>) -> Option<String> {
    (!lines.is_empty()).then(|| lines.join("\n"))
}
