//! The token patterns, for logos: one set for code, one for each sort of string.
//! Which set applies where is decided by the lexer above.

use logos::Logos;

use crate::kind::SyntaxKind;

/// Tokens of code.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    #[regex(r"[ \t\r\n]+")]
    Whitespace,
    #[regex(r"#[^\n]*", allow_greedy = true)]
    Comment,
    #[token("let")]
    Let,
    #[token("in")]
    In,
    #[token("if")]
    If,
    #[token("then")]
    Then,
    #[token("else")]
    Else,
    #[token("import")]
    Import,
    #[token("true")]
    True,
    #[token("false")]
    False,
    #[token("match")]
    Match,
    #[token("assert")]
    Assert,
    #[token("type")]
    Type,
    // A `-` belongs to a name only before a letter, so that `n-1` is a subtraction.
    #[regex(r"[a-z_][A-Za-z0-9_]*(-[A-Za-z][A-Za-z0-9_]*)*")]
    Ident,
    #[regex(r"[A-Z][A-Za-z0-9_]*(-[A-Za-z][A-Za-z0-9_]*)*")]
    UpperIdent,
    #[regex(r"std(/[A-Za-z_][A-Za-z0-9_-]*)+")]
    StdModule,
    // Wider than what is valid: `0o789` and `12px` are one token each, with one error.
    #[regex(r"[0-9][A-Za-z0-9_]*")]
    Int,
    #[regex(r"\.\.?/[A-Za-z0-9_.+@~%/-]*")]
    Path,
    #[token("\"\"\"")]
    IndentedOpen,
    #[token("\"")]
    LineOpen,
    #[regex(r"'[^'\n]*'?")]
    SingleQuoted,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("=")]
    Eq,
    #[token("==")]
    EqEq,
    #[token("!=")]
    NotEq,
    #[token("<")]
    Lt,
    #[token("<=")]
    LtEq,
    #[token(">")]
    Gt,
    #[token(">=")]
    GtEq,
    #[token("&&")]
    AndAnd,
    #[token("||")]
    OrOr,
    #[token("!")]
    Bang,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("//")]
    SlashSlash,
    #[token("++")]
    PlusPlus,
    #[token("|>")]
    PipeGt,
    #[token("=>")]
    Arrow,
    #[token("->")]
    ThinArrow,
    #[token("|")]
    Bar,
    #[token(";")]
    Semi,
    #[token(",")]
    Comma,
    #[token(".")]
    Dot,
    #[token("...")]
    Ellipsis,
    #[token("?")]
    Question,
    #[token(":")]
    Colon,
}

impl Code {
    /// The kind that the token has in the tree.
    pub(super) fn kind(self) -> SyntaxKind {
        match self {
            Self::Whitespace => SyntaxKind::Whitespace,
            Self::Comment => SyntaxKind::Comment,
            Self::Let => SyntaxKind::LetKw,
            Self::In => SyntaxKind::InKw,
            Self::If => SyntaxKind::IfKw,
            Self::Then => SyntaxKind::ThenKw,
            Self::Else => SyntaxKind::ElseKw,
            Self::Import => SyntaxKind::ImportKw,
            Self::True => SyntaxKind::TrueKw,
            Self::False => SyntaxKind::FalseKw,
            Self::Match => SyntaxKind::MatchKw,
            Self::Assert => SyntaxKind::AssertKw,
            Self::Type => SyntaxKind::TypeKw,
            Self::Ident => SyntaxKind::Ident,
            Self::UpperIdent => SyntaxKind::UpperIdent,
            Self::StdModule => SyntaxKind::StdModule,
            Self::Int => SyntaxKind::Int,
            Self::Path => SyntaxKind::PathText,
            Self::IndentedOpen | Self::LineOpen => SyntaxKind::StrOpen,
            Self::SingleQuoted => SyntaxKind::BadToken,
            Self::LBrace => SyntaxKind::LBrace,
            Self::RBrace => SyntaxKind::RBrace,
            Self::LBracket => SyntaxKind::LBracket,
            Self::RBracket => SyntaxKind::RBracket,
            Self::LParen => SyntaxKind::LParen,
            Self::RParen => SyntaxKind::RParen,
            Self::Eq => SyntaxKind::Eq,
            Self::EqEq => SyntaxKind::EqEq,
            Self::NotEq => SyntaxKind::NotEq,
            Self::Lt => SyntaxKind::Lt,
            Self::LtEq => SyntaxKind::LtEq,
            Self::Gt => SyntaxKind::Gt,
            Self::GtEq => SyntaxKind::GtEq,
            Self::AndAnd => SyntaxKind::AndAnd,
            Self::OrOr => SyntaxKind::OrOr,
            Self::Bang => SyntaxKind::Bang,
            Self::Plus => SyntaxKind::Plus,
            Self::Minus => SyntaxKind::Minus,
            Self::Star => SyntaxKind::Star,
            Self::SlashSlash => SyntaxKind::SlashSlash,
            Self::PlusPlus => SyntaxKind::PlusPlus,
            Self::PipeGt => SyntaxKind::PipeGt,
            Self::Arrow => SyntaxKind::Arrow,
            Self::ThinArrow => SyntaxKind::ThinArrow,
            Self::Bar => SyntaxKind::Bar,
            Self::Semi => SyntaxKind::Semi,
            Self::Comma => SyntaxKind::Comma,
            Self::Dot => SyntaxKind::Dot,
            Self::Ellipsis => SyntaxKind::Ellipsis,
            Self::Question => SyntaxKind::Question,
            Self::Colon => SyntaxKind::Colon,
        }
    }
}

/// Tokens between `"` and `"`.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineText {
    #[regex(r#"[^"\\$\n]+"#)]
    #[token("$")]
    Text,
    #[regex(r#"\\u\{[^}"\n]*\}?"#, priority = 10)]
    #[regex(r"\\[^\n]")]
    #[token("\\")]
    Escape,
    #[token("${")]
    Open,
    #[token("\"")]
    Close,
    #[token("\n")]
    LineEnd,
}

/// Tokens between `"""` and `"""`.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IndentedText {
    #[regex(r#"[^"\\$]+"#)]
    #[token("$")]
    #[token("\"")]
    Text,
    #[regex(r#"\\u\{[^}"\n]*\}?"#, priority = 10)]
    #[regex(r"\\[^\n]")]
    #[token("\\")]
    Escape,
    #[token("${")]
    Open,
    #[token("\"\"\"")]
    Close,
}
