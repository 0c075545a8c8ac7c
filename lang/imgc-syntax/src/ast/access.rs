//! What the views answer: their parts, in typed form.

use std::borrow::Cow;

use super::{
    Apply, AstNode, Binary, BinaryOp, Binding, Expr, File, If, Import, ImportTarget, Interpolation,
    Key, KeyPath, Lambda, Let, List, Literal, LiteralValue, Name, NamePattern, Paren, Path,
    Pattern, PatternField, Record, RecordPattern, Ref, Select, Str, StrPart, Type, TypeDecl, Unary,
    UnaryOp,
};
use crate::doc;
use crate::kind::SyntaxKind;
use crate::literal;
use crate::tree::{SyntaxElement, SyntaxNode, SyntaxToken};

impl<'t> File<'t> {
    /// The view over a tree's root, whatever its kind.
    pub(crate) fn from_root(node: SyntaxNode<'t>) -> Self {
        Self(node)
    }

    /// The expression that the file is.
    #[must_use]
    pub fn expr(&self) -> Option<Expr<'t>> {
        child(self.0)
    }

    /// The type that the source is, if it was parsed by [`parse_type`](crate::parse_type).
    #[must_use]
    pub fn ty(&self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// The doc comment at the head of the file: its lines without `##`, joined by line ends.
    #[must_use]
    pub fn doc(&self) -> Option<String> {
        doc::of_file(self.0)
    }
}

impl<'t> Let<'t> {
    /// The bindings, in source order.
    pub fn bindings(&self) -> impl Iterator<Item = Binding<'t>> + use<'t> {
        children(self.0)
    }

    /// The type declarations, in source order.
    pub fn type_decls(&self) -> impl Iterator<Item = TypeDecl<'t>> + use<'t> {
        children(self.0)
    }

    /// The expression after `in`.
    #[must_use]
    pub fn body(&self) -> Option<Expr<'t>> {
        // Among the bindings there may be `Error` nodes, which are expressions too.
        self.0.children().filter_map(Expr::cast).last()
    }
}

impl<'t> Lambda<'t> {
    /// The parameter.
    #[must_use]
    pub fn pattern(&self) -> Option<Pattern<'t>> {
        child(self.0)
    }

    /// The expression after `=>`.
    #[must_use]
    pub fn body(&self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> If<'t> {
    /// The expression after `if`.
    #[must_use]
    pub fn condition(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 0)
    }

    /// The expression after `then`.
    #[must_use]
    pub fn then_branch(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 1)
    }

    /// The expression after `else`.
    #[must_use]
    pub fn else_branch(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 2)
    }
}

impl<'t> Binary<'t> {
    /// The operator.
    #[must_use]
    pub fn op(&self) -> Option<BinaryOp> {
        self.op_with_token().map(|(op, _)| op)
    }

    /// The operator as it stands in the source.
    #[must_use]
    pub fn op_token(&self) -> Option<SyntaxToken<'t>> {
        self.op_with_token().map(|(_, token)| token)
    }

    /// The operand before the operator.
    #[must_use]
    pub fn left(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 0)
    }

    /// The operand after the operator.
    #[must_use]
    pub fn right(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 1)
    }

    fn op_with_token(&self) -> Option<(BinaryOp, SyntaxToken<'t>)> {
        tokens(self.0).find_map(|token| {
            let op = match token.kind() {
                SyntaxKind::PipeGt => BinaryOp::Pipe,
                SyntaxKind::OrOr => BinaryOp::Or,
                SyntaxKind::AndAnd => BinaryOp::And,
                SyntaxKind::EqEq => BinaryOp::Eq,
                SyntaxKind::NotEq => BinaryOp::NotEq,
                SyntaxKind::Lt => BinaryOp::Lt,
                SyntaxKind::LtEq => BinaryOp::LtEq,
                SyntaxKind::Gt => BinaryOp::Gt,
                SyntaxKind::GtEq => BinaryOp::GtEq,
                SyntaxKind::SlashSlash => BinaryOp::Update,
                SyntaxKind::PlusPlus => BinaryOp::Concat,
                SyntaxKind::Plus => BinaryOp::Add,
                SyntaxKind::Minus => BinaryOp::Sub,
                SyntaxKind::Star => BinaryOp::Mul,
                _ => return None,
            };
            Some((op, token))
        })
    }
}

impl<'t> Unary<'t> {
    /// The operator.
    #[must_use]
    pub fn op(&self) -> Option<UnaryOp> {
        tokens(self.0).find_map(|token| match token.kind() {
            SyntaxKind::Bang => Some(UnaryOp::Not),
            SyntaxKind::Minus => Some(UnaryOp::Neg),
            _ => None,
        })
    }

    /// The operand.
    #[must_use]
    pub fn operand(&self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> Apply<'t> {
    /// The function.
    #[must_use]
    pub fn function(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 0)
    }

    /// The argument.
    #[must_use]
    pub fn argument(&self) -> Option<Expr<'t>> {
        nth_child(self.0, 1)
    }
}

impl<'t> Select<'t> {
    /// The record.
    #[must_use]
    pub fn base(&self) -> Option<Expr<'t>> {
        child(self.0)
    }

    /// The field. `None` while it is not written yet (`p.`).
    #[must_use]
    pub fn key(&self) -> Option<Key<'t>> {
        // The record itself may be a string literal: the key is what comes after it.
        self.0.children().skip(1).find_map(Key::cast)
    }
}

impl<'t> Literal<'t> {
    /// The value. `None` for a number that is ill-formed or too large.
    #[must_use]
    pub fn value(&self) -> Option<LiteralValue> {
        let token = tokens(self.0).find(|token| !token.kind().is_trivia())?;
        match token.kind() {
            SyntaxKind::TrueKw => Some(LiteralValue::Bool(true)),
            SyntaxKind::FalseKw => Some(LiteralValue::Bool(false)),
            SyntaxKind::Int => literal::parse_int(token.text()).ok().map(LiteralValue::Int),
            _ => None,
        }
    }

    /// Whether it is a number in octal: `0o755`.
    #[must_use]
    pub fn is_octal(&self) -> bool {
        tokens(self.0)
            .any(|token| token.kind() == SyntaxKind::Int && token.text().starts_with("0o"))
    }
}

impl<'t> Str<'t> {
    /// Whether it is a `"""…"""`.
    #[must_use]
    pub fn is_indented(&self) -> bool {
        tokens(self.0)
            .next()
            .is_some_and(|open| open.kind() == SyntaxKind::StrOpen && open.text().len() == 3)
    }

    /// The parts in order, decoded. Neighbouring texts are one part; no text part is empty.
    #[must_use]
    pub fn parts(&self) -> Vec<StrPart<'t>> {
        literal::string_parts(self)
    }

    /// The text, if there is no interpolation in it.
    #[must_use]
    pub fn plain(&self) -> Option<Cow<'t, str>> {
        let mut parts = self.parts().into_iter();
        match (parts.next(), parts.next()) {
            (None, _) => Some(Cow::Borrowed("")),
            (Some(StrPart::Text { text, .. }), None) => Some(text),
            _ => None,
        }
    }
}

impl<'t> Interpolation<'t> {
    /// The expression between the braces.
    #[must_use]
    pub fn expr(&self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> Path<'t> {
    /// The path as written, such as `./a/b.txt`.
    #[must_use]
    pub fn text(&self) -> &'t str {
        first_text(self.0)
    }
}

impl<'t> Import<'t> {
    /// What is imported. `None` if it is missing or of the wrong sort.
    #[must_use]
    pub fn target(&self) -> Option<ImportTarget<'t>> {
        if let Some(path) = child(self.0) {
            return Some(ImportTarget::File(path));
        }
        if let Some(string) = child::<Str<'_>>(self.0) {
            return Some(ImportTarget::Remote {
                address: string.plain()?,
                range: string.range(),
            });
        }
        let token = tokens(self.0).find(|token| token.kind() == SyntaxKind::StdModule)?;
        Some(ImportTarget::Std {
            module: token.text(),
            range: token.text_range(),
        })
    }
}

impl<'t> List<'t> {
    /// The elements, in order.
    pub fn elements(&self) -> impl Iterator<Item = Expr<'t>> + use<'t> {
        children(self.0)
    }
}

impl<'t> Record<'t> {
    /// The bindings, in source order.
    pub fn bindings(&self) -> impl Iterator<Item = Binding<'t>> + use<'t> {
        children(self.0)
    }
}

impl<'t> Paren<'t> {
    /// The expression between the parentheses.
    #[must_use]
    pub fn expr(&self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> Ref<'t> {
    /// The name.
    #[must_use]
    pub fn text(&self) -> &'t str {
        first_text(self.0)
    }
}

impl<'t> Binding<'t> {
    /// The parts of the key path. Empty if the key is missing.
    #[must_use]
    pub fn keys(&self) -> Vec<Key<'t>> {
        self.key_path()
            .map(|path| path.keys().collect())
            .unwrap_or_default()
    }

    /// The key path as a node.
    #[must_use]
    pub fn key_path(&self) -> Option<KeyPath<'t>> {
        child(self.0)
    }

    /// The type after `:`.
    #[must_use]
    pub fn ty(&self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// The expression after `=`. `None` for a shorthand.
    #[must_use]
    pub fn value(&self) -> Option<Expr<'t>> {
        child(self.0)
    }

    /// Whether it is `name;`, which means `name = name;` from the enclosing scope.
    #[must_use]
    pub fn is_shorthand(&self) -> bool {
        self.value().is_none()
    }

    /// The doc comment directly above: its lines without `##`, joined by line ends.
    #[must_use]
    pub fn doc(&self) -> Option<String> {
        doc::of_binding(self.0)
    }
}

impl<'t> KeyPath<'t> {
    /// The parts, in order.
    pub fn keys(&self) -> impl Iterator<Item = Key<'t>> + use<'t> {
        children(self.0)
    }
}

impl<'t> Key<'t> {
    /// The field's name. `None` for a string with interpolations.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'t, str>> {
        match self {
            Self::Name(name) => Some(name.text().into()),
            Self::Str(string) => string.plain(),
        }
    }
}

impl<'t> Name<'t> {
    /// The name.
    #[must_use]
    pub fn text(&self) -> &'t str {
        first_text(self.0)
    }
}

impl<'t> NamePattern<'t> {
    /// The name that is bound.
    #[must_use]
    pub fn name(&self) -> Option<Name<'t>> {
        child(self.0)
    }

    /// The type after `:`.
    #[must_use]
    pub fn ty(&self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// Whether it is `_`, which takes everything and binds nothing.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.name().is_some_and(|name| name.text() == "_")
    }
}

impl<'t> RecordPattern<'t> {
    /// The fields, in source order.
    pub fn fields(&self) -> impl Iterator<Item = PatternField<'t>> + use<'t> {
        children(self.0)
    }

    /// Whether there is a `...`, which lets further fields through.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        tokens(self.0).any(|token| token.kind() == SyntaxKind::Ellipsis)
    }
}

impl<'t> PatternField<'t> {
    /// The field's name.
    #[must_use]
    pub fn name(&self) -> Option<Name<'t>> {
        child(self.0)
    }

    /// The type after `:`.
    #[must_use]
    pub fn ty(&self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// The expression after `?`.
    #[must_use]
    pub fn default(&self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

pub(super) fn child<'t, N: AstNode<'t>>(node: SyntaxNode<'t>) -> Option<N> {
    node.children().find_map(N::cast)
}

pub(super) fn nth_child<'t, N: AstNode<'t>>(node: SyntaxNode<'t>, n: usize) -> Option<N> {
    node.children().filter_map(N::cast).nth(n)
}

pub(super) fn children<'t, N: AstNode<'t>>(
    node: SyntaxNode<'t>,
) -> impl Iterator<Item = N> + use<'t, N> {
    node.children().filter_map(N::cast)
}

pub(super) fn tokens<'t>(node: SyntaxNode<'t>) -> impl Iterator<Item = SyntaxToken<'t>> + use<'t> {
    node.children_with_tokens()
        .filter_map(SyntaxElement::into_token)
}

/// The text of the first token that means something.
pub(super) fn first_text<'t>(node: SyntaxNode<'t>) -> &'t str {
    tokens(node)
        .find(|token| !token.kind().is_trivia())
        .map(SyntaxToken::text)
        .unwrap_or_default()
}
