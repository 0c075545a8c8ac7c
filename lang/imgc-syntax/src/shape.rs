//! What brackets and colons are, found before anything is parsed: a brace is a record, a parameter,
//! the arms of a `match` or a type; a type follows a `:`, or does not.
//!
//! One pass from the end to the start. It sees what comes after each token; what comes before it is
//! for `group` to know. In a source without mistakes the answers are exact, however it is laid out.

use crate::brackets::Sig;
use crate::kind::SyntaxKind;

/// What is known of a token. Nothing for most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shape {
    #[default]
    Plain,
    /// A `:` with a type after it.
    Annotation,
    /// A brace or parenthesis that holds the parameter of a function.
    Parameter,
    /// A brace with arms.
    Arms,
    /// A brace without anything that tells arms from bindings. Whether it is the last thing in its
    /// segment tells whether a `match` may take it for its arms.
    Undecided { last: bool },
    /// A brace that can only be a record type.
    Type,
}

/// The shapes of balanced tokens, each at the index of its token.
pub(crate) fn shapes(sigs: &[Sig]) -> Vec<Shape> {
    let mut shapes = vec![Shape::Plain; sigs.len()];
    let mut stack: Vec<Level> = Vec::new();
    let mut level = Level::default();
    // The token after the one that is looked at.
    let mut next = None;
    for (at, sig) in sigs.iter().enumerate().rev() {
        let shape = match sig.kind {
            SyntaxKind::RBrace
            | SyntaxKind::RBracket
            | SyntaxKind::RParen
            | SyntaxKind::InKw
            | SyntaxKind::StrClose
            | SyntaxKind::InterpClose => {
                let inside = Level {
                    close: Some(sig.kind),
                    next,
                    only_type: true,
                    ..Level::default()
                };
                stack.push(std::mem::replace(&mut level, inside));
                Shape::Plain
            }
            SyntaxKind::LBrace
            | SyntaxKind::LBracket
            | SyntaxKind::LParen
            | SyntaxKind::LetKw
            | SyntaxKind::StrOpen
            | SyntaxKind::InterpOpen => {
                let outside = stack.pop().unwrap_or_default();
                let mut inside = std::mem::replace(&mut level, outside);
                inside.end_segment();
                let typed = matches!(
                    sig.kind,
                    SyntaxKind::LBrace | SyntaxKind::LBracket | SyntaxKind::LParen
                );
                // The quoted name of a field, in a type.
                let is_name =
                    sig.kind == SyntaxKind::StrOpen && inside.next == Some(SyntaxKind::Colon);
                if is_name {
                    level.not_empty = true;
                } else if inside.strange || inside.holds_bindings() || !typed {
                    level.strange();
                }
                level.capital |= inside.capital;
                inside.shape(sig.kind)
            }
            SyntaxKind::Colon => level.colon(),
            kind => {
                level.token(kind, next);
                Shape::Plain
            }
        };
        if let Some(place) = shapes.get_mut(at) {
            *place = shape;
        }
        // What has been reported as too many is as if it were not there.
        if sig.kind != SyntaxKind::BadToken {
            next = Some(sig.kind);
        }
    }
    shapes
}

/// Whether an expression or type can begin with a token.
pub(crate) fn begins_atom(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::Ident
            | SyntaxKind::UpperIdent
            | SyntaxKind::Int
            | SyntaxKind::PathText
            | SyntaxKind::StdModule
            | SyntaxKind::ImportKw
            | SyntaxKind::TrueKw
            | SyntaxKind::FalseKw
            | SyntaxKind::StrOpen
            | SyntaxKind::LBrace
            | SyntaxKind::LBracket
            | SyntaxKind::LParen
            | SyntaxKind::LetKw
            | SyntaxKind::IfKw
            | SyntaxKind::MatchKw
            | SyntaxKind::AssertKw
    )
}

/// What has been seen of a bracket's inside, up to its end.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// The closing token, or none for the file itself.
    close: Option<SyntaxKind>,
    /// The token after the closing one.
    next: Option<SyntaxKind>,
    /// The first of `=`, `=>` and `?` in the segment that is being read.
    first: Option<SyntaxKind>,
    /// Whether only a type stands up to the next `=`, `,`, `;` or the end.
    only_type: bool,
    /// Whether that is a `=`.
    eq_ahead: bool,
    arms: u32,
    bindings: u32,
    /// Whether there is anything that no type has.
    strange: bool,
    /// Whether there is a name with a capital.
    capital: bool,
    has_colon: bool,
    has_semicolon: bool,
    has_comma: bool,
    has_eq: bool,
    has_pattern_mark: bool,
    not_empty: bool,
}

impl Level {
    fn strange(&mut self) {
        self.strange = true;
        self.only_type = false;
        self.not_empty = true;
    }

    /// The start of a segment has been reached.
    fn end_segment(&mut self) {
        match self.first.take() {
            Some(SyntaxKind::Arrow) => self.arms += 1,
            Some(SyntaxKind::Eq) => self.bindings += 1,
            _ => {}
        }
    }

    fn token(&mut self, kind: SyntaxKind, next: Option<SyntaxKind>) {
        match kind {
            SyntaxKind::Semi | SyntaxKind::Comma => {
                self.end_segment();
                self.only_type = true;
                self.eq_ahead = false;
                self.has_comma |= kind == SyntaxKind::Comma;
                if kind == SyntaxKind::Semi {
                    self.has_semicolon = true;
                }
                return;
            }
            SyntaxKind::Eq => {
                self.first = Some(kind);
                self.has_eq = true;
                // With a type after it, it may be the `:` of a field that was meant.
                self.strange |= !self.only_type;
                self.only_type = true;
                self.eq_ahead = true;
            }
            SyntaxKind::Arrow => {
                // In a type, `->` was meant.
                self.first = Some(kind);
                self.strange = true;
            }
            SyntaxKind::Question => {
                self.first = Some(kind);
                self.has_pattern_mark = true;
            }
            SyntaxKind::Ellipsis => self.has_pattern_mark = true,
            SyntaxKind::UpperIdent => self.capital = true,
            SyntaxKind::Ident => {
                // A type variable takes no argument: `x : f y` is no type.
                if next.is_some_and(begins_atom) {
                    self.only_type = false;
                }
            }
            SyntaxKind::ThinArrow | SyntaxKind::Bar | SyntaxKind::BadToken => {}
            _ => self.strange(),
        }
        self.not_empty = true;
    }

    fn colon(&mut self) -> Shape {
        let typed = match self.close {
            Some(SyntaxKind::RBrace | SyntaxKind::InKw) if self.next != Some(SyntaxKind::Arrow) => {
                self.eq_ahead && self.only_type
            }
            Some(SyntaxKind::RBrace) => true,
            Some(SyntaxKind::RParen) => self.only_type || self.next == Some(SyntaxKind::Arrow),
            _ => false,
        };
        self.has_colon = true;
        // No arm has one: a `=>` after it is part of a type or value.
        self.first = Some(SyntaxKind::Eq);
        self.eq_ahead = false;
        self.not_empty = true;
        if typed {
            Shape::Annotation
        } else {
            Shape::Plain
        }
    }

    /// Whether there are `;` other than in the place of the `,` of a record type.
    fn holds_bindings(&self) -> bool {
        let fields = self.has_colon && self.capital && !self.has_eq;
        self.has_semicolon && !fields
    }

    /// What the bracket is that this was the inside of.
    fn shape(&self, open: SyntaxKind) -> Shape {
        let before_arrow = self.next == Some(SyntaxKind::Arrow);
        let before_thin_arrow = self.next == Some(SyntaxKind::ThinArrow);
        match open {
            SyntaxKind::LParen | SyntaxKind::LBrace if before_arrow => Shape::Parameter,
            // In an expression, `->` was meant as `=>`.
            SyntaxKind::LParen if before_thin_arrow && self.has_colon => Shape::Parameter,
            SyntaxKind::LBrace => self.brace(before_thin_arrow),
            _ => Shape::Plain,
        }
    }

    fn brace(&self, before_thin_arrow: bool) -> Shape {
        let before_atom = self.next.is_some_and(begins_atom);
        let no_bindings = !self.has_semicolon && !self.has_eq;
        if self.has_colon && self.capital && !self.strange && no_bindings {
            return if before_atom {
                Shape::Parameter
            } else {
                Shape::Type
            };
        }
        if self.has_pattern_mark && !self.has_semicolon && (self.arms == 0 || self.has_comma)
            || (before_thin_arrow || self.next == Some(SyntaxKind::Colon))
                && no_bindings
                && self.not_empty
        {
            return Shape::Parameter;
        }
        match self.arms.cmp(&self.bindings) {
            std::cmp::Ordering::Greater => Shape::Arms,
            std::cmp::Ordering::Less => Shape::Plain,
            std::cmp::Ordering::Equal => Shape::Undecided { last: !before_atom },
        }
    }
}
