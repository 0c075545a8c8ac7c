//! How types are written, and what has one: fields, declarations, ascriptions.
//!
//! A union, a function or a record of types breaks everywhere or nowhere: when its author broke it
//! somewhere, and when it does not fit on the line.

use super::{Formatter, Gap, WIDTH};
use crate::kind::SyntaxKind;
use crate::tree::{SyntaxElement, SyntaxNode};

impl<'t> Formatter<'t> {
    pub(super) fn type_node(&mut self, node: SyntaxNode<'t>, level: usize) {
        match node.kind() {
            SyntaxKind::TypeRecord => {
                let lines = Self::has_lines(node) || !self.fits(node);
                self.bracket(node, level, lines);
            }
            SyntaxKind::TypeUnion => self.union(node, level),
            SyntaxKind::TypeFunction => {
                let lines = function_has_lines(node) || !self.fits(node);
                self.function_type(node, level, lines);
            }
            SyntaxKind::TypeApply | SyntaxKind::TypeAlternative => self.apply(node, level),
            SyntaxKind::TypeParen => self.paren(node, level),
            SyntaxKind::TypeField => self.parts(node, level, |kind| match kind {
                SyntaxKind::Question => (Gap::Blank, Gap::Nothing),
                SyntaxKind::Colon => (Gap::Blank, Gap::BlankOrLine),
                _ => (Gap::Nothing, Gap::Nothing),
            }),
            SyntaxKind::TypeDecl => self.declaration(node, level),
            _ => self.parts(node, level, |_| (Gap::Nothing, Gap::Nothing)),
        }
    }

    /// `type Name a b = T`.
    fn declaration(&mut self, node: SyntaxNode<'t>, level: usize) {
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::Eq => {
                    self.before(Gap::Blank, level + 1);
                    self.token(token);
                    self.before(Gap::BlankOrLine, level + 1);
                }
                SyntaxElement::Token(token) => {
                    self.token(token);
                }
                SyntaxElement::Node(name) if name.kind() == SyntaxKind::Name => {
                    self.before(Gap::Blank, level + 1);
                    self.node(name, level);
                }
                SyntaxElement::Node(ty) => {
                    let inner = if self.begins_line() { level + 1 } else { level };
                    self.node(ty, inner);
                }
            }
        }
    }

    /// `A | B`: when broken, every `|` begins a line.
    fn union(&mut self, node: SyntaxNode<'t>, level: usize) {
        let lines = union_has_lines(node) || !self.fits(node);
        // Alternatives go on one level deeper than the line that the union begins on.
        let own_line = self.begins_line();
        let inner = if own_line { level } else { level + 1 };
        // Elsewhere the line end would be in a gap of the bracket around, which would then break.
        let may_begin_line = node.parent().is_some_and(|parent| {
            matches!(
                parent.kind(),
                SyntaxKind::Binding | SyntaxKind::TypeDecl | SyntaxKind::TypeField
            )
        });
        let mut first = true;
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::Bar => {
                    match (first, lines) {
                        // A `|` at the start goes to a line of its own, with the others.
                        (true, true) if !own_line && may_begin_line => {
                            self.before(Gap::Tight, inner)
                        }
                        (true, _) => {}
                        (false, true) => self.before(Gap::Tight, inner),
                        (false, false) => self.before(Gap::Blank, inner),
                    }
                    self.token(token);
                    self.before(Gap::Blank, inner + 1);
                    first = false;
                }
                SyntaxElement::Token(token) => {
                    self.token(token);
                    first &= token.kind().is_trivia();
                }
                SyntaxElement::Node(alternative) => {
                    let deeper = !first && lines;
                    self.node(alternative, if deeper { inner } else { level });
                    first = false;
                }
            }
        }
    }

    /// `A -> B -> C`: when broken, every `->` begins a line.
    fn function_type(&mut self, node: SyntaxNode<'t>, level: usize, lines: bool) {
        let mut after_arrow = false;
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::ThinArrow => {
                    self.before(if lines { Gap::Tight } else { Gap::Blank }, level + 1);
                    self.token(token);
                    self.before(Gap::Blank, level + 2);
                    after_arrow = true;
                }
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(rest) if rest.kind() == SyntaxKind::TypeFunction => {
                    self.function_type(rest, level, lines);
                }
                SyntaxElement::Node(part) => {
                    let deeper = after_arrow && lines;
                    self.node(part, if deeper { level + 1 } else { level });
                }
            }
        }
    }

    /// Whether a node without line ends fits on the line that it would begin on.
    fn fits(&self, node: SyntaxNode<'t>) -> bool {
        let column = if self.begins_line() {
            self.level * super::INDENT.len()
        } else {
            self.out.len() - self.line + 1
        };
        // For the ` =`, `;` or `,` after it.
        const AFTER: usize = 2;
        column + flat_width(node, WIDTH) + AFTER <= WIDTH
    }
}

/// Whether a union is broken. The gap after a `|` at the start does not count: it is closed.
fn union_has_lines(node: SyntaxNode<'_>) -> bool {
    let mut tokens = node.children_with_tokens().peekable();
    if tokens
        .next_if(|first| first.kind() == SyntaxKind::Bar)
        .is_some()
    {
        while tokens.next_if(|blank| blank.kind().is_trivia()).is_some() {}
    }
    tokens
        .filter_map(SyntaxElement::into_token)
        .any(Formatter::is_line)
}

/// Whether a function's type is broken at any of its arrows.
fn function_has_lines(node: SyntaxNode<'_>) -> bool {
    let mut next = Some(node);
    while let Some(function) = next {
        if Formatter::has_lines(function) {
            return true;
        }
        next = function
            .children()
            .last()
            .filter(|last| last.kind() == SyntaxKind::TypeFunction);
    }
    false
}

/// Bytes of a node in one line, with a blank between any two tokens but after `[` and `(`, and
/// before `]`, `)` and `,`. A comma after the last part is not written there. Stops counting beyond
/// `most`.
fn flat_width(node: SyntaxNode<'_>, most: usize) -> usize {
    let mut width: usize = 0;
    let mut glue = true;
    let mut comma = false;
    let tokens = node.tokens().filter(|token| !token.kind().is_trivia());
    for token in tokens {
        let kind = token.kind();
        if kind == SyntaxKind::Comma {
            comma = true;
            continue;
        }
        width += usize::from(comma && kind != SyntaxKind::RBrace);
        comma = false;
        let glued = glue || matches!(kind, SyntaxKind::RBracket | SyntaxKind::RParen);
        width += token.text().len() + usize::from(!glued);
        glue = matches!(
            kind,
            SyntaxKind::LBracket | SyntaxKind::LParen | SyntaxKind::Ellipsis
        );
        if width > most {
            break;
        }
    }
    width
}
