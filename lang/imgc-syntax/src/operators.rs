//! Operators between operands: what binds tighter, and the nodes that follow from it.
//!
//! The grammar knows that operands and operators take turns. Here the flat run becomes a tree.

use crate::arena::{Arena, NodeId};
use crate::kind::SyntaxKind;

/// Operands and the operators between them.
#[derive(Debug)]
pub(crate) struct Run {
    first: NodeId,
    /// Each operator: its token, what it is, and the operand after it.
    rest: Vec<(u32, SyntaxKind, NodeId)>,
}

/// How operators of one strength go with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// `a - b - c` is `(a - b) - c`.
    Left,
    /// `a // b // c` is `a // (b // c)`.
    Right,
    /// `a == b == c` is a mistake.
    None,
}

/// How tight an operator binds: more is tighter.
fn strength(operator: SyntaxKind) -> (u8, Side) {
    match operator {
        SyntaxKind::PipeGt => (0, Side::Left),
        SyntaxKind::OrOr => (1, Side::Left),
        SyntaxKind::AndAnd => (2, Side::Left),
        SyntaxKind::EqEq | SyntaxKind::NotEq => (3, Side::None),
        SyntaxKind::Lt | SyntaxKind::LtEq | SyntaxKind::Gt | SyntaxKind::GtEq => (4, Side::None),
        SyntaxKind::SlashSlash => (5, Side::Right),
        SyntaxKind::PlusPlus => (6, Side::Right),
        SyntaxKind::Plus | SyntaxKind::Minus => (7, Side::Left),
        _ => (8, Side::Left),
    }
}

impl Run {
    /// `first operator second`.
    pub(crate) fn new(first: NodeId, operator: (u32, SyntaxKind), second: NodeId) -> Self {
        Self {
            first,
            rest: vec![(operator.0, operator.1, second)],
        }
    }

    /// Adds an operator and the operand after it.
    pub(crate) fn and(mut self, operator: (u32, SyntaxKind), operand: NodeId) -> Self {
        self.rest.push((operator.0, operator.1, operand));
        self
    }

    /// The tree.
    ///
    /// # Errors
    /// The token of the first operator that can't follow the one before it.
    pub(crate) fn tree(self, arena: &mut Arena) -> Result<NodeId, u32> {
        // What waits for its right side: the left sides and strengths, each tighter than the
        // one before it, or as tight where that goes to the right.
        let mut waiting: Vec<(NodeId, u8)> = Vec::new();
        let mut right = self.first;
        for (token, operator, operand) in self.rest {
            let (tight, side) = strength(operator);
            while let Some(&(left, before)) = waiting.last() {
                let takes = before > tight || before == tight && side != Side::Right;
                if !takes {
                    break;
                }
                if before == tight && side == Side::None {
                    return Err(token);
                }
                right = arena.binary(left, right);
                waiting.pop();
            }
            waiting.push((right, tight));
            right = operand;
        }
        while let Some((left, _)) = waiting.pop() {
            right = arena.binary(left, right);
        }
        Ok(right)
    }
}
