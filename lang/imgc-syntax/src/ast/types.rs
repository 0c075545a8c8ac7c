//! What the views of types and their declarations answer.

use super::access::{child, children, first_text, nth_child, tokens};
use super::{
    AstNode, ErrorType, Key, Name, Type, TypeAlternative, TypeApply, TypeDecl, TypeField,
    TypeFunction, TypeList, TypeName, TypeRecord, TypeRest, TypeRowRest, TypeUnion, TypeVar,
};
use crate::doc;
use crate::kind::SyntaxKind;
use crate::tree::SyntaxNode;

impl<'t> AstNode<'t> for Type<'t> {
    /// The type that a node is. For parentheses, the one that is in them.
    fn cast(mut node: SyntaxNode<'t>) -> Option<Self> {
        while node.kind() == SyntaxKind::TypeParen {
            node = node.children().find(|inner| inner.kind().is_type())?;
        }
        Some(match node.kind() {
            SyntaxKind::TypeName => Self::Name(TypeName(node)),
            SyntaxKind::TypeVar => Self::Var(TypeVar(node)),
            SyntaxKind::TypeApply => Self::Apply(TypeApply(node)),
            SyntaxKind::TypeList => Self::List(TypeList(node)),
            SyntaxKind::TypeRecord => Self::Record(TypeRecord(node)),
            SyntaxKind::TypeFunction => Self::Function(TypeFunction(node)),
            SyntaxKind::TypeUnion => Self::Union(TypeUnion(node)),
            SyntaxKind::ErrorType => Self::Error(ErrorType(node)),
            _ => return None,
        })
    }

    fn syntax(&self) -> SyntaxNode<'t> {
        match self {
            Self::Name(node) => node.syntax(),
            Self::Var(node) => node.syntax(),
            Self::Apply(node) => node.syntax(),
            Self::List(node) => node.syntax(),
            Self::Record(node) => node.syntax(),
            Self::Function(node) => node.syntax(),
            Self::Union(node) => node.syntax(),
            Self::Error(node) => node.syntax(),
        }
    }
}

impl<'t> TypeDecl<'t> {
    /// The name that is declared.
    #[must_use]
    pub fn name(&self) -> Option<Name<'t>> {
        child(self.0)
    }

    /// The parameters, in order.
    pub fn params(&self) -> impl Iterator<Item = Name<'t>> + use<'t> {
        children(self.0).skip(1)
    }

    /// The type after `=`.
    #[must_use]
    pub fn ty(&self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// The doc comment directly above: its lines without `##`, joined by line ends.
    #[must_use]
    pub fn doc(&self) -> Option<String> {
        doc::of_binding(self.0)
    }
}

impl<'t> TypeName<'t> {
    /// The name.
    #[must_use]
    pub fn text(&self) -> &'t str {
        first_text(self.0)
    }
}

impl<'t> TypeVar<'t> {
    /// The name.
    #[must_use]
    pub fn text(&self) -> &'t str {
        first_text(self.0)
    }
}

impl<'t> TypeApply<'t> {
    /// The type that takes the arguments.
    #[must_use]
    pub fn head(&self) -> Option<TypeName<'t>> {
        child(self.0)
    }

    /// The arguments, in order. There is at least one.
    pub fn args(&self) -> impl Iterator<Item = Type<'t>> + use<'t> {
        children(self.0).skip(1)
    }
}

impl<'t> TypeList<'t> {
    /// The type of the elements.
    #[must_use]
    pub fn element(&self) -> Option<Type<'t>> {
        child(self.0)
    }
}

impl<'t> TypeRecord<'t> {
    /// The fields, in source order.
    pub fn fields(&self) -> impl Iterator<Item = TypeField<'t>> + use<'t> {
        children(self.0)
    }

    /// Whether further fields are let through.
    #[must_use]
    pub fn rest(&self) -> TypeRowRest<'t> {
        match child::<TypeRest<'_>>(self.0) {
            None => TypeRowRest::Closed,
            Some(rest) => rest.name().map_or(TypeRowRest::Open, TypeRowRest::Named),
        }
    }
}

impl<'t> TypeField<'t> {
    /// The field's name, or a string.
    #[must_use]
    pub fn key(&self) -> Option<Key<'t>> {
        child(self.0)
    }

    /// Whether the field may be missing: `a ? : T`.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        tokens(self.0).any(|token| token.kind() == SyntaxKind::Question)
    }

    /// The type after `:`.
    #[must_use]
    pub fn ty(&self) -> Option<Type<'t>> {
        child(self.0)
    }
}

impl<'t> TypeRest<'t> {
    /// The `r` of `...r`.
    #[must_use]
    pub fn name(&self) -> Option<Name<'t>> {
        child(self.0)
    }
}

impl<'t> TypeFunction<'t> {
    /// The type before `->`.
    #[must_use]
    pub fn parameter(&self) -> Option<Type<'t>> {
        nth_child(self.0, 0)
    }

    /// The type after `->`.
    #[must_use]
    pub fn result(&self) -> Option<Type<'t>> {
        nth_child(self.0, 1)
    }
}

impl<'t> TypeUnion<'t> {
    /// The tags, in source order.
    pub fn alternatives(&self) -> impl Iterator<Item = TypeAlternative<'t>> + use<'t> {
        children(self.0)
    }

    /// Whether it ends in `...`: other tags may come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        tokens(self.0).any(|token| token.kind() == SyntaxKind::Ellipsis)
    }
}

impl<'t> TypeAlternative<'t> {
    /// The tag's name.
    #[must_use]
    pub fn name(&self) -> Option<Name<'t>> {
        child(self.0)
    }

    /// The type of the value that the tag carries.
    #[must_use]
    pub fn payload(&self) -> Option<Type<'t>> {
        child(self.0)
    }
}
