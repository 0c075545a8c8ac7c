//! What sort of thing each word is: what a grammar of patterns can't tell.

use imgc_eval::{FileView, Names, Target};
use imgc_syntax::ast;
use imgc_syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken, TextRange};

use crate::Context;
use crate::symbol::{self, Bound};

/// A word with its sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemanticToken {
    /// Where it stands. May have line ends in it, as an indented string does.
    pub range: TextRange,
    /// Its sort.
    pub ty: TokenType,
    /// What else is known.
    pub modifiers: &'static [Modifier],
}

/// The sorts of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenType {
    /// A word of the language.
    Keyword,
    /// A comment.
    Comment,
    /// Text.
    String,
    /// A number.
    Number,
    /// An operator.
    Operator,
    /// A module.
    Namespace,
    /// A function.
    Function,
    /// Any other name that is bound by a `let`.
    Variable,
    /// A parameter.
    Parameter,
    /// A field.
    Property,
    /// A type.
    Type,
    /// A type variable.
    TypeParameter,
    /// A tag.
    EnumMember,
}

/// What else is known of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Modifier {
    /// It is bound here.
    Declaration,
    /// It comes with imgc.
    DefaultLibrary,
    /// It documents what follows.
    Documentation,
}

impl TokenType {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::Keyword,
        Self::Comment,
        Self::String,
        Self::Number,
        Self::Operator,
        Self::Namespace,
        Self::Function,
        Self::Variable,
        Self::Parameter,
        Self::Property,
        Self::Type,
        Self::TypeParameter,
        Self::EnumMember,
    ];
}

impl Modifier {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Declaration, Self::DefaultLibrary, Self::Documentation];
}

/// The words of a file with their sorts, in order.
pub(crate) fn tokens(_: &Context<'_>, view: &FileView<'_>) -> Vec<SemanticToken> {
    let root = view.parse().syntax();
    let names = view.names();
    let mut found = Vec::new();
    walk(root, root, &names, &mut found);
    found.sort_by_key(|token| token.range.start());
    found
}

// The depth of a tree is bounded by the parser, so this may be recursive.
fn walk(root: SyntaxNode<'_>, node: SyntaxNode<'_>, names: &Names, found: &mut Vec<SemanticToken>) {
    for element in node.children_with_tokens() {
        match element {
            SyntaxElement::Node(inner) => walk(root, inner, names, found),
            SyntaxElement::Token(token) => {
                if let Some((ty, modifiers)) = sort(root, node, token, names) {
                    let range = token.text_range();
                    found.push(SemanticToken {
                        range,
                        ty,
                        modifiers,
                    });
                }
            }
        }
    }
}

type Sort = (TokenType, &'static [Modifier]);

fn sort(
    root: SyntaxNode<'_>,
    node: SyntaxNode<'_>,
    token: SyntaxToken<'_>,
    names: &Names,
) -> Option<Sort> {
    use SyntaxKind as K;
    let plain = |ty| Some((ty, &[] as &[Modifier]));
    match token.kind() {
        K::Comment => plain(TokenType::Comment),
        K::DocComment => Some((TokenType::Comment, &[Modifier::Documentation])),
        K::LetKw
        | K::InKw
        | K::IfKw
        | K::ThenKw
        | K::ElseKw
        | K::ImportKw
        | K::TrueKw
        | K::FalseKw
        | K::MatchKw
        | K::AssertKw
        | K::TypeKw => plain(TokenType::Keyword),
        K::StrOpen | K::StrText | K::StrEscape | K::StrClose | K::PathText => {
            plain(TokenType::String)
        }
        K::StdModule => Some((TokenType::Namespace, &[Modifier::DefaultLibrary])),
        K::Int => plain(TokenType::Number),
        K::EqEq
        | K::NotEq
        | K::Lt
        | K::LtEq
        | K::Gt
        | K::GtEq
        | K::AndAnd
        | K::OrOr
        | K::Bang
        | K::Plus
        | K::Minus
        | K::Star
        | K::SlashSlash
        | K::PlusPlus
        | K::PipeGt
        | K::Arrow
        | K::ThinArrow => plain(TokenType::Operator),
        K::Ident | K::UpperIdent => name(root, node, token, names),
        _ => None,
    }
}

fn name(
    root: SyntaxNode<'_>,
    node: SyntaxNode<'_>,
    token: SyntaxToken<'_>,
    names: &Names,
) -> Option<Sort> {
    let range = token.text_range();
    match node.kind() {
        SyntaxKind::Ref => Some(used(root, range, names)),
        SyntaxKind::TypeName => {
            let is_own = names.uses.iter().any(|found| found.range == range);
            let library: &[Modifier] = if is_own {
                &[]
            } else {
                &[Modifier::DefaultLibrary]
            };
            Some((TokenType::Type, library))
        }
        SyntaxKind::TypeVar => Some((TokenType::TypeParameter, &[])),
        SyntaxKind::TypeAlternative => Some((TokenType::EnumMember, &[])),
        SyntaxKind::Name => named(root, node, range, names),
        _ => None,
    }
}

/// A name that is bound or selected.
fn named(
    root: SyntaxNode<'_>,
    node: SyntaxNode<'_>,
    range: TextRange,
    names: &Names,
) -> Option<Sort> {
    let declared: &[Modifier] = &[Modifier::Declaration];
    let parent = node.parent()?;
    Some(match parent.kind() {
        SyntaxKind::Tag | SyntaxKind::TagPattern | SyntaxKind::TypeAlternative => {
            (TokenType::EnumMember, &[])
        }
        SyntaxKind::NamePattern | SyntaxKind::PatternField => (TokenType::Parameter, declared),
        SyntaxKind::TypeField => (TokenType::Property, declared),
        SyntaxKind::TypeRest => (TokenType::TypeParameter, &[]),
        SyntaxKind::TypeDecl => {
            let first = parent.children().next();
            if first == Some(node) {
                (TokenType::Type, declared)
            } else {
                (TokenType::TypeParameter, declared)
            }
        }
        SyntaxKind::Select => match names.uses.iter().find(|found| found.range == range) {
            Some(found) => match &found.target {
                Target::Export(file, _) if file.as_str().starts_with("std/") => {
                    (TokenType::Property, &[Modifier::DefaultLibrary])
                }
                _ => (TokenType::Property, &[]),
            },
            None => (TokenType::Property, &[]),
        },
        SyntaxKind::KeyPath => {
            if symbol::shorthand(root, range).is_some() {
                return Some(used(root, range, names));
            }
            match symbol::binder(root, range) {
                Some(binder) if binder.bound == Bound::Let => (of_value(&binder), declared),
                _ => (TokenType::Property, declared),
            }
        }
        _ => return None,
    })
}

/// A name that is used.
fn used(root: SyntaxNode<'_>, range: TextRange, names: &Names) -> Sort {
    let found = names.uses.iter().find(|found| found.range == range);
    match found.map(|found| &found.target) {
        Some(Target::Builtin(doc)) => {
            let is_function = imgc_eval::is_function_type(doc.signature);
            let ty = if is_function {
                TokenType::Function
            } else {
                TokenType::Variable
            };
            (ty, &[Modifier::DefaultLibrary])
        }
        Some(Target::Binding(place)) => match symbol::binder(root, *place) {
            Some(binder) => (of_value(&binder), &[]),
            None => (TokenType::Variable, &[]),
        },
        _ => (TokenType::Variable, &[]),
    }
}

fn of_value(binder: &symbol::Binder<'_>) -> TokenType {
    match (&binder.bound, &binder.value) {
        (Bound::Parameter | Bound::PatternField, _) => TokenType::Parameter,
        (_, Some(ast::Expr::Import(_))) => TokenType::Namespace,
        (_, Some(ast::Expr::Lambda(_))) => TokenType::Function,
        _ => TokenType::Variable,
    }
}
