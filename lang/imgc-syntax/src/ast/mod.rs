//! The tree read by meaning: typed views over syntax nodes.
//! Every accessor copes with erroneous trees: what is missing is `None`, never a panic.
//! No names are resolved and nothing is evaluated here.

mod access;

use rowan::TextRange;

use crate::kind::{SyntaxKind, SyntaxNode};

/// A view over a node of one kind, or of a few.
pub trait AstNode: Sized {
    /// The view, if the node is of the right kind.
    fn cast(node: SyntaxNode) -> Option<Self>;

    /// The node under the view.
    fn syntax(&self) -> &SyntaxNode;

    /// Where it stands in the source, without blanks and comments around it.
    fn range(&self) -> TextRange {
        self.syntax().text_range()
    }
}

/// Declares a struct that views nodes of the kind of the same name.
macro_rules! ast_node {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(SyntaxNode);

        impl AstNode for $name {
            fn cast(node: SyntaxNode) -> Option<Self> {
                (node.kind() == SyntaxKind::$name).then(|| Self(node))
            }

            fn syntax(&self) -> &SyntaxNode {
                &self.0
            }
        }
    };
}

/// Declares an enum over views, one variant per kind of node.
macro_rules! ast_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident($node:ident),)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant($node),)*
        }

        impl AstNode for $name {
            fn cast(node: SyntaxNode) -> Option<Self> {
                match node.kind() {
                    $(SyntaxKind::$node => Some(Self::$variant($node(node))),)*
                    _ => None,
                }
            }

            fn syntax(&self) -> &SyntaxNode {
                match self {
                    $(Self::$variant(node) => node.syntax(),)*
                }
            }
        }
    };
}

ast_enum! {
    /// An expression.
    Expr {
        /// `let BINDINGS in e`.
        Let(Let),
        /// `x => e`.
        Lambda(Lambda),
        /// `if c then a else b`.
        If(If),
        /// `a + b`.
        Binary(Binary),
        /// `-a`, `!a`.
        Unary(Unary),
        /// `f x`.
        Apply(Apply),
        /// `e.name`.
        Select(Select),
        /// An integer or truth value.
        Literal(Literal),
        /// A string.
        Str(Str),
        /// `./a.txt`.
        Path(Path),
        /// `import …`.
        Import(Import),
        /// `[a, b]`.
        List(List),
        /// `{ a = 1; }`.
        Record(Record),
        /// `(e)`.
        Paren(Paren),
        /// A name that is used.
        Ref(Ref),
        /// Something missing or not understood. An error has been reported.
        Error(Error),
    }
}

ast_enum! {
    /// One part of a binding's key path, or the key of a select.
    Key {
        /// A bare name.
        Name(Name),
        /// A string. It may hold interpolations; whether they are allowed is for the evaluator.
        Str(Str),
    }
}

ast_enum! {
    /// The parameter of a lambda.
    Pattern {
        /// `x`.
        Name(NamePattern),
        /// `{ a, b ? 1, ... }`.
        Record(RecordPattern),
    }
}

ast_node! {
    /// A whole file.
    File
}
ast_node! {
    /// `let BINDINGS in e`.
    Let
}
ast_node! {
    /// `x => e` or `{ a, b } => e`.
    Lambda
}
ast_node! {
    /// `if c then a else b`.
    If
}
ast_node! {
    /// Two operands and an operator.
    Binary
}
ast_node! {
    /// An operator and an operand.
    Unary
}
ast_node! {
    /// A function and one argument. `f x y` is `(f x) y`.
    Apply
}
ast_node! {
    /// `e.name` or `e."name"`.
    Select
}
ast_node! {
    /// An integer or a truth value.
    Literal
}
ast_node! {
    /// A string, one-line (`"…"`) or indented (`"""…"""`).
    Str
}
ast_node! {
    /// `${e}` in a string.
    Interpolation
}
ast_node! {
    /// A path literal, such as `./a/b.txt`.
    Path
}
ast_node! {
    /// `import std/debian` or `import ./lib.img`.
    Import
}
ast_node! {
    /// `[a, b]`.
    List
}
ast_node! {
    /// `{ a = 1; }`.
    Record
}
ast_node! {
    /// `(e)`.
    Paren
}
ast_node! {
    /// A name that is used.
    Ref
}
ast_node! {
    /// Something missing (then empty) or not understood.
    Error
}
ast_node! {
    /// `a.b = e` or the shorthand `a`.
    Binding
}
ast_node! {
    /// The `a.b` of a binding.
    KeyPath
}
ast_node! {
    /// A name that is bound or selected.
    Name
}
ast_node! {
    /// The `x` of `x => e`.
    NamePattern
}
ast_node! {
    /// The `{ a, b ? 1, ... }` of a function.
    RecordPattern
}
ast_node! {
    /// One field of a record pattern.
    PatternField
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BinaryOp {
    /// `|>`: the left side is given to the function on the right.
    Pipe,
    /// `||`.
    Or,
    /// `&&`.
    And,
    /// `==`.
    Eq,
    /// `!=`.
    NotEq,
    /// `<`.
    Lt,
    /// `<=`.
    LtEq,
    /// `>`.
    Gt,
    /// `>=`.
    GtEq,
    /// `//`: record update.
    Update,
    /// `++`: list concatenation.
    Concat,
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
}

/// An operator before one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnaryOp {
    /// `!`.
    Not,
    /// `-`.
    Neg,
}

/// The value of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LiteralValue {
    /// An integer.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
}

/// One part of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrPart {
    /// Text with escapes decoded and, in an indented string, the common indentation removed.
    Text {
        /// The text itself.
        text: String,
        /// The source it comes from.
        range: TextRange,
    },
    /// `${e}`.
    Interpolation(Interpolation),
}

/// What an `import` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportTarget {
    /// A module of the standard library.
    Std {
        /// The whole name, such as `std/debian`.
        module: String,
        /// Where it stands.
        range: TextRange,
    },
    /// A file of the project.
    File(Path),
}
