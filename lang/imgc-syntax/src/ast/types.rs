//! What the views of types and their declarations answer.

use super::access::{child, children, first_text, nth_child, tokens};
use super::{
    AstNode, ErrorType, Key, Name, Type, TypeAlternative, TypeApply, TypeDecl, TypeField,
    TypeFunction, TypeList, TypeName, TypeRecord, TypeRest, TypeRowRest, TypeUnion, TypeVar,
};
use crate::doc;
use crate::kind::{SyntaxKind, SyntaxNode};

impl AstNode for Type {
    /// The type that a node is. For parentheses, the one that is in them.
    fn cast(mut node: SyntaxNode) -> Option<Self> {
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

    fn syntax(&self) -> &SyntaxNode {
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

impl TypeDecl {
    /// The name that is declared.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        child(&self.0)
    }

    /// The parameters, in order.
    pub fn params(&self) -> impl Iterator<Item = Name> + use<> {
        children(&self.0).skip(1)
    }

    /// The type after `=`.
    #[must_use]
    pub fn ty(&self) -> Option<Type> {
        child(&self.0)
    }

    /// The doc comment directly above: its lines without `##`, joined by line ends.
    #[must_use]
    pub fn doc(&self) -> Option<String> {
        doc::of_binding(&self.0)
    }
}

impl TypeName {
    /// The name.
    #[must_use]
    pub fn text(&self) -> String {
        first_text(&self.0)
    }
}

impl TypeVar {
    /// The name.
    #[must_use]
    pub fn text(&self) -> String {
        first_text(&self.0)
    }
}

impl TypeApply {
    /// The type that takes the arguments.
    #[must_use]
    pub fn head(&self) -> Option<TypeName> {
        child(&self.0)
    }

    /// The arguments, in order. There is at least one.
    pub fn args(&self) -> impl Iterator<Item = Type> + use<> {
        children(&self.0).skip(1)
    }
}

impl TypeList {
    /// The type of the elements.
    #[must_use]
    pub fn element(&self) -> Option<Type> {
        child(&self.0)
    }
}

impl TypeRecord {
    /// The fields, in source order.
    pub fn fields(&self) -> impl Iterator<Item = TypeField> + use<> {
        children(&self.0)
    }

    /// Whether further fields are let through.
    #[must_use]
    pub fn rest(&self) -> TypeRowRest {
        match child::<TypeRest>(&self.0) {
            None => TypeRowRest::Closed,
            Some(rest) => rest.name().map_or(TypeRowRest::Open, TypeRowRest::Named),
        }
    }
}

impl TypeField {
    /// The field's name, or a string.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        child(&self.0)
    }

    /// Whether the field may be missing: `a ? : T`.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        tokens(&self.0).any(|token| token.kind() == SyntaxKind::Question)
    }

    /// The type after `:`.
    #[must_use]
    pub fn ty(&self) -> Option<Type> {
        child(&self.0)
    }
}

impl TypeRest {
    /// The `r` of `...r`.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        child(&self.0)
    }
}

impl TypeFunction {
    /// The type before `->`.
    #[must_use]
    pub fn parameter(&self) -> Option<Type> {
        nth_child(&self.0, 0)
    }

    /// The type after `->`.
    #[must_use]
    pub fn result(&self) -> Option<Type> {
        nth_child(&self.0, 1)
    }
}

impl TypeUnion {
    /// The tags, in source order.
    pub fn alternatives(&self) -> impl Iterator<Item = TypeAlternative> + use<> {
        children(&self.0)
    }

    /// Whether it ends in `...`: other tags may come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        tokens(&self.0).any(|token| token.kind() == SyntaxKind::Ellipsis)
    }
}

impl TypeAlternative {
    /// The tag's name.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        child(&self.0)
    }

    /// The type of the value that the tag carries.
    #[must_use]
    pub fn payload(&self) -> Option<Type> {
        child(&self.0)
    }
}
