//! Where things are in a tree: tokens and nodes at a byte. It knows no names and no types.

use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken, TextRange, TextSize};

/// The token at a byte. Between two, the one that is more of a word.
pub(crate) fn token_at(root: SyntaxNode<'_>, offset: TextSize) -> Option<SyntaxToken<'_>> {
    let (node, mut found) = (node_at(root, TextRange::empty(offset)), None);
    // Trivia around a node belong to one around it.
    for node in node.ancestors() {
        for element in node.children_with_tokens() {
            let SyntaxElement::Token(token) = element else {
                continue;
            };
            if token.text_range().contains_inclusive(offset) {
                found = better(found, token);
            }
        }
        if found.is_some_and(|token: SyntaxToken<'_>| weight(token.kind()) > 1) {
            break;
        }
    }
    found.or_else(|| {
        let mut tokens = root.tokens();
        tokens.find(|token| token.text_range().contains_inclusive(offset))
    })
}

fn better<'t>(one: Option<SyntaxToken<'t>>, other: SyntaxToken<'t>) -> Option<SyntaxToken<'t>> {
    match one {
        Some(one) if weight(one.kind()) >= weight(other.kind()) => Some(one),
        _ => Some(other),
    }
}

fn weight(kind: SyntaxKind) -> u32 {
    match kind {
        SyntaxKind::Whitespace => 0,
        kind if kind.is_trivia() => 1,
        SyntaxKind::Ident
        | SyntaxKind::UpperIdent
        | SyntaxKind::PathText
        | SyntaxKind::StdModule => 4,
        SyntaxKind::StrText | SyntaxKind::StrEscape | SyntaxKind::Int => 3,
        _ => 2,
    }
}

/// The smallest node around a range.
pub(crate) fn node_at(root: SyntaxNode<'_>, range: TextRange) -> SyntaxNode<'_> {
    let mut node = root;
    loop {
        let mut children = node.children();
        let inner = children.find(|child| {
            let of_child = child.text_range();
            !of_child.is_empty() && of_child.contains_range(range)
        });
        match inner {
            Some(inner) => node = inner,
            None => return node,
        }
    }
}

/// The smallest nodes that touch a byte, from the left and from the right, each with those
/// around it.
pub(crate) fn ancestors_at(
    root: SyntaxNode<'_>,
    offset: TextSize,
) -> impl Iterator<Item = SyntaxNode<'_>> {
    let token = token_at(root, offset);
    let range = token.map_or(TextRange::empty(offset), |token| token.text_range());
    let range = match token {
        Some(token) if token.kind().is_trivia() => TextRange::empty(offset),
        _ => range,
    };
    node_at(root, range).ancestors()
}

/// The last token before a byte that means something.
pub(crate) fn significant_before(
    root: SyntaxNode<'_>,
    offset: TextSize,
) -> Option<SyntaxToken<'_>> {
    let mut before = root.tokens().rev();
    before.find(|token| !token.kind().is_trivia() && token.text_range().end() <= offset)
}

/// The first token from a byte on that means something.
pub(crate) fn significant_after(root: SyntaxNode<'_>, offset: TextSize) -> Option<SyntaxToken<'_>> {
    let mut after = root.tokens();
    after.find(|token| !token.kind().is_trivia() && token.text_range().start() >= offset)
}

/// Whether a byte is in a comment.
pub(crate) fn is_in_comment(root: SyntaxNode<'_>, offset: TextSize) -> bool {
    root.tokens().any(|token| {
        let range = token.text_range();
        matches!(token.kind(), SyntaxKind::Comment | SyntaxKind::DocComment)
            && range.start() < offset
            && offset <= range.end()
    })
}

/// Where an expression stands without the parentheses around it: so the language knows it.
pub(crate) fn bare(expr: &ast::Expr<'_>) -> TextRange {
    let mut bare = *expr;
    while let ast::Expr::Paren(paren) = bare {
        match paren.expr() {
            Some(inner) => bare = inner,
            None => break,
        }
    }
    bare.range()
}

/// Whether a text can be a name of the language.
pub(crate) fn is_name(text: &str) -> bool {
    let parse = imgc_syntax::parse(text);
    let mut tokens = parse.syntax().tokens();
    let first = tokens.next();
    first.is_some_and(|first| {
        parse.errors().is_empty()
            && matches!(first.kind(), SyntaxKind::Ident | SyntaxKind::UpperIdent)
            && first.text() == text
    })
}

/// Whether a byte is the first of its line, but for blanks.
pub(crate) fn begins_line(text: &str, offset: TextSize) -> bool {
    let before = text.get(..usize::from(offset)).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    before[start..].trim().is_empty()
}

/// The indentation of the line that a byte is in.
pub(crate) fn indentation(text: &str, offset: TextSize) -> &str {
    let before = text.get(..usize::from(offset)).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..).unwrap_or_default();
    let end = line.find(|c: char| c != ' ' && c != '\t');
    &line[..end.unwrap_or(line.len())]
}
