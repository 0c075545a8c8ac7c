//! How `match` and `assert` are written.

use super::{Formatter, Gap};
use crate::kind::SyntaxKind;
use crate::tree::{SyntaxElement, SyntaxNode};

impl<'t> Formatter<'t> {
    /// `match e { … }`: arms as the bindings of a record, each on a line or all on one.
    pub(super) fn match_on(&mut self, node: SyntaxNode<'t>, level: usize) {
        let lines = node
            .children_with_tokens()
            .skip_while(|element| element.kind() != SyntaxKind::LBrace)
            .filter_map(SyntaxElement::into_token)
            .any(Self::is_line);
        let empty = !node.children().any(|child| child.kind() == SyntaxKind::Arm);
        let edge = match (lines, empty) {
            (true, _) => Gap::Tight,
            (false, false) => Gap::Blank,
            (false, true) => Gap::Nothing,
        };
        let between = if lines { Gap::Line } else { Gap::Blank };
        let inner = if lines { level + 1 } else { level };
        let mut in_arms = false;
        for element in node.children_with_tokens() {
            match element.kind() {
                SyntaxKind::MatchKw => {
                    self.element(element, level);
                    self.before(Gap::Blank, level + 1);
                }
                SyntaxKind::LBrace => {
                    self.before(Gap::Blank, level);
                    self.element(element, level);
                    self.before(edge, level + 1);
                    in_arms = true;
                }
                SyntaxKind::RBrace => {
                    self.before(edge, level);
                    self.comment_level = level + 1;
                    self.element(element, level);
                }
                SyntaxKind::Semi => {
                    self.before(Gap::Nothing, level + 1);
                    self.element(element, level);
                    self.before(between, level + 1);
                }
                _ => self.element(element, if in_arms { inner } else { level }),
            }
        }
    }

    /// `assert c else "why" then e`. What follows `then` on a line of its own is not indented, so
    /// that one may follow the other.
    pub(super) fn assert(&mut self, node: SyntaxNode<'t>, level: usize) {
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) if !token.kind().is_trivia() => {
                    let kind = token.kind();
                    if kind != SyntaxKind::AssertKw {
                        self.before(Gap::BlankOrLine, level);
                    }
                    self.token(token);
                    let deeper = usize::from(kind != SyntaxKind::ThenKw);
                    self.before(Gap::BlankOrLine, level + deeper);
                }
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(child)
                    if child.kind() == SyntaxKind::Assert && !self.begins_line() =>
                {
                    self.assert(child, level);
                }
                SyntaxElement::Node(child) => {
                    let inner = if self.begins_line() {
                        self.level
                    } else {
                        level
                    };
                    self.node(child, inner);
                }
            }
        }
    }
}
