//! Makes brackets balanced: what is not closed gets an empty closing token, what closes nothing
//! becomes a bad token. `let … in`, strings and `${…}` count as brackets.
//!
//! In a balanced source nothing is changed, however it is laid out. Only in an unbalanced one does
//! the layout help to find the place: how many brackets of a shape are missing or too many is
//! counted first, and the indentation says where.

mod layout;
mod repair;
mod words;

use crate::error::{SyntaxCode, SyntaxError};
use crate::kind::SyntaxKind;
use crate::lex::Lexed;
use crate::text::range;

/// A token that matters, or one that was put in: then it is empty (`start == end`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sig {
    pub(crate) kind: SyntaxKind,
    /// Index of the token.
    pub(crate) start: u32,
    /// Index after the token.
    pub(crate) end: u32,
    /// Whether an error about this place has been reported.
    pub(crate) tainted: bool,
}

/// The significant tokens, balanced. Errors go to `lexed.errors`.
pub(crate) fn balance(source: &str, lexed: &mut Lexed) -> Vec<Sig> {
    let sigs = significant(source, lexed);
    if is_balanced(&sigs) {
        return sigs;
    }
    repair::repair(source, lexed, &sigs)
}

/// The shapes of brackets that people write and forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Brace,
    Bracket,
    Paren,
    Let,
}

impl Shape {
    const COUNT: usize = 4;

    fn opened_by(kind: SyntaxKind) -> Option<Self> {
        Some(match kind {
            SyntaxKind::LBrace => Self::Brace,
            SyntaxKind::LBracket => Self::Bracket,
            SyntaxKind::LParen => Self::Paren,
            SyntaxKind::LetKw => Self::Let,
            _ => return None,
        })
    }

    fn closed_by(kind: SyntaxKind) -> Option<Self> {
        Some(match kind {
            SyntaxKind::RBrace => Self::Brace,
            SyntaxKind::RBracket => Self::Bracket,
            SyntaxKind::RParen => Self::Paren,
            SyntaxKind::InKw => Self::Let,
            _ => return None,
        })
    }

    fn opener(self) -> SyntaxKind {
        match self {
            Self::Brace => SyntaxKind::LBrace,
            Self::Bracket => SyntaxKind::LBracket,
            Self::Paren => SyntaxKind::LParen,
            Self::Let => SyntaxKind::LetKw,
        }
    }

    fn closer(self) -> SyntaxKind {
        match self {
            Self::Brace => SyntaxKind::RBrace,
            Self::Bracket => SyntaxKind::RBracket,
            Self::Paren => SyntaxKind::RParen,
            Self::Let => SyntaxKind::InKw,
        }
    }

    /// Opening and closing text.
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Brace => ("{", "}"),
            Self::Bracket => ("[", "]"),
            Self::Paren => ("(", ")"),
            Self::Let => ("let", "in"),
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// The significant tokens as they are. Text in strings is none: strings keep only their ends and
/// interpolations. Keywords that can only be names become names, with an error.
fn significant(source: &str, lexed: &mut Lexed) -> Vec<Sig> {
    lexed.tainted.sort_unstable();
    let mut sigs: Vec<Sig> = Vec::with_capacity(lexed.tokens.len());
    for index in 0..lexed.tokens.len() {
        let Some(&token) = lexed.tokens.get(index) else {
            break;
        };
        let in_string = matches!(token.kind, SyntaxKind::StrText | SyntaxKind::StrEscape);
        if token.kind.is_trivia() || in_string {
            continue;
        }
        let mut kind = token.kind;
        let mut reported = false;
        if is_keyword(kind) && is_name_here(lexed, &sigs, index) {
            kind = SyntaxKind::Ident;
            reported = true;
            if let Some(token) = lexed.tokens.get_mut(index) {
                token.kind = kind;
            }
            let text = token.text(source);
            let place = range(token.start as usize, token.end as usize);
            let instead = format!("\"{text}\"");
            lexed.errors.push(
                SyntaxError::new(
                    SyntaxCode::ReservedWord,
                    place,
                    format!("`{text}` is a keyword and cannot be a name"),
                )
                .help(format!(
                    "choose another name; a field is quoted: `{instead}`"
                ))
                .edit(place, instead),
            );
        }
        let spoilt = lexed.tainted.binary_search(&token.start).is_ok()
            && matches!(
                kind,
                SyntaxKind::StrOpen | SyntaxKind::InterpOpen | SyntaxKind::BadToken
            );
        let tainted = reported || spoilt;
        let index = u32::try_from(index).expect("no more tokens than bytes of source");
        sigs.push(Sig {
            kind,
            start: index,
            end: index + 1,
            tainted,
        });
    }
    sigs
}

fn is_keyword(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::LetKw
            | SyntaxKind::InKw
            | SyntaxKind::IfKw
            | SyntaxKind::ThenKw
            | SyntaxKind::ElseKw
            | SyntaxKind::ImportKw
            | SyntaxKind::TrueKw
            | SyntaxKind::FalseKw
            | SyntaxKind::MatchKw
            | SyntaxKind::AssertKw
            | SyntaxKind::TypeKw
    )
}

/// Whether a keyword stands where only a name can: right after a `.`, or where a binding, field or
/// arm begins and what follows belongs to a name.
fn is_name_here(lexed: &Lexed, before: &[Sig], index: usize) -> bool {
    let Some(last) = before.last() else {
        return false;
    };
    if last.kind == SyntaxKind::Dot {
        return last.end as usize == index;
    }
    let after = lexed.tokens.get(index + 1..).unwrap_or_default();
    // One blank at most: enough for real text, and bounded.
    let mut next = after.iter().take(2).filter(|token| !token.kind.is_trivia());
    let Some(next) = next.next().map(|next| next.kind) else {
        return false;
    };
    let keyword = lexed.tokens.get(index).map(|token| token.kind);
    let begins_value = matches!(
        keyword,
        Some(SyntaxKind::TrueKw | SyntaxKind::FalseKw | SyntaxKind::InKw)
    );
    match last.kind {
        SyntaxKind::Semi | SyntaxKind::LBrace | SyntaxKind::LetKw => match next {
            SyntaxKind::Eq | SyntaxKind::Colon => true,
            SyntaxKind::Semi | SyntaxKind::Dot | SyntaxKind::Question | SyntaxKind::Comma => {
                !begins_value
            }
            _ => false,
        },
        SyntaxKind::Comma => matches!(next, SyntaxKind::Colon | SyntaxKind::Question),
        _ => false,
    }
}

fn is_balanced(sigs: &[Sig]) -> bool {
    let mut stack = Vec::new();
    for sig in sigs {
        if let Some(shape) = Shape::opened_by(sig.kind) {
            stack.push(Some(shape));
        } else if let Some(shape) = Shape::closed_by(sig.kind) {
            if stack.pop() != Some(Some(shape)) {
                return false;
            }
        } else if is_barrier_open(sig.kind) {
            stack.push(None);
        } else if is_barrier_close(sig.kind) && stack.pop() != Some(None) {
            return false;
        }
    }
    stack.is_empty()
}

fn is_barrier_open(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::StrOpen | SyntaxKind::InterpOpen)
}

fn is_barrier_close(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::StrClose | SyntaxKind::InterpClose)
}

/// For each shape: how many openings there are more than closings.
fn excess(sigs: &[Sig]) -> [i64; Shape::COUNT] {
    let mut excess = [0; Shape::COUNT];
    for sig in sigs {
        if let Some(shape) = Shape::opened_by(sig.kind) {
            excess[shape.index()] += 1;
        } else if let Some(shape) = Shape::closed_by(sig.kind) {
            excess[shape.index()] -= 1;
        }
    }
    excess
}
