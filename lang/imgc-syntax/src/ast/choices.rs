//! What the views of tags, `match`, `assert` and ascriptions answer.

use super::access::{child, children, nth_child, tokens};
use super::{
    Arm, ArmPattern, Ascribe, Assert, Expr, LiteralPattern, Match, Name, Pattern, PatternValue,
    Str, Tag, TagPattern, Type,
};
use crate::kind::SyntaxKind;
use crate::literal;

impl<'t> Tag<'t> {
    /// The tag's name.
    #[must_use]
    pub fn name(&self) -> Option<Name<'t>> {
        child(self.0)
    }

    /// The value that the tag carries.
    #[must_use]
    pub fn payload(&self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> Match<'t> {
    /// The expression after `match`.
    #[must_use]
    pub fn scrutinee(&self) -> Option<Expr<'t>> {
        child(self.0)
    }

    /// The arms, in source order.
    pub fn arms(&self) -> impl Iterator<Item = Arm<'t>> + use<'t> {
        children(self.0)
    }
}

impl<'t> Arm<'t> {
    /// What the arm is for. `None` if it is missing or not understood.
    #[must_use]
    pub fn pattern(&self) -> Option<ArmPattern<'t>> {
        child(self.0)
    }

    /// The expression after `=>`.
    #[must_use]
    pub fn body(&self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> TagPattern<'t> {
    /// The tag's name.
    #[must_use]
    pub fn name(&self) -> Option<Name<'t>> {
        child(self.0)
    }

    /// What takes the tag's payload.
    #[must_use]
    pub fn payload(&self) -> Option<Pattern<'t>> {
        child(self.0)
    }
}

impl<'t> LiteralPattern<'t> {
    /// The value. `None` for an integer that is ill-formed or too large, and for a string with an
    /// interpolation: an error has been reported.
    #[must_use]
    pub fn value(&self) -> Option<PatternValue<'t>> {
        if let Some(string) = child::<Str<'_>>(self.0) {
            return string.plain().map(PatternValue::Str);
        }
        let mut negative = false;
        for token in tokens(self.0) {
            match token.kind() {
                SyntaxKind::TrueKw => return Some(PatternValue::Bool(true)),
                SyntaxKind::FalseKw => return Some(PatternValue::Bool(false)),
                SyntaxKind::Minus => negative = true,
                SyntaxKind::Int => {
                    let value = literal::parse_int(token.text()).ok()?;
                    return Some(PatternValue::Int(if negative { -value } else { value }));
                }
                _ => {}
            }
        }
        None
    }
}

impl<'t> Assert<'t> {
    /// The expression after `assert`.
    #[must_use]
    pub fn condition(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 0)
    }

    /// The expression after `else`: what is said when the condition is false.
    #[must_use]
    pub fn message(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 1)
    }

    /// The expression after `then`: the value when the condition is true.
    #[must_use]
    pub fn body(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 2)
    }
}

impl<'t> Ascribe<'t> {
    /// The expression before `:`.
    #[must_use]
    pub fn expr(&self) -> Option<Expr<'t>> {
        child(self.0)
    }

    /// The type after `:`.
    #[must_use]
    pub fn ty(&self) -> Option<Type<'t>> {
        child(self.0)
    }
}
