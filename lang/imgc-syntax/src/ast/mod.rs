//! The tree read by meaning: typed views over syntax nodes.
//! Every accessor copes with erroneous trees: what is missing is `None`, never a panic.
//! No names are resolved and nothing is evaluated here.

mod access;
mod choices;
mod types;

use std::borrow::Cow;

use text_size::TextRange;

use crate::kind::SyntaxKind;
use crate::tree::SyntaxNode;

/// A view over a node of one kind, or of a few.
pub trait AstNode<'t>: Sized {
    /// The view, if the node is of the right kind.
    fn cast(node: SyntaxNode<'t>) -> Option<Self>;

    /// The node under the view.
    fn syntax(&self) -> SyntaxNode<'t>;

    /// Where it stands in the source, without blanks and comments around it.
    fn range(&self) -> TextRange {
        self.syntax().text_range()
    }
}

/// Declares a struct that views nodes of the kind of the same name.
macro_rules! ast_node {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name<'t>(SyntaxNode<'t>);

        impl<'t> AstNode<'t> for $name<'t> {
            fn cast(node: SyntaxNode<'t>) -> Option<Self> {
                (node.kind() == SyntaxKind::$name).then_some(Self(node))
            }

            fn syntax(&self) -> SyntaxNode<'t> {
                self.0
            }
        }
    };
}

/// Declares an enum over views, one variant per kind of node.
macro_rules! ast_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident($node:ident),)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name<'t> {
            $($(#[$variant_doc])* $variant($node<'t>),)*
        }

        impl<'t> AstNode<'t> for $name<'t> {
            fn cast(node: SyntaxNode<'t>) -> Option<Self> {
                match node.kind() {
                    $(SyntaxKind::$node => Some(Self::$variant($node(node))),)*
                    _ => None,
                }
            }

            fn syntax(&self) -> SyntaxNode<'t> {
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
        /// `match e { Pattern => e; }`.
        Match(Match),
        /// `assert c else "why" then e`.
        Assert(Assert),
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
        /// `(e : T)`.
        Ascribe(Ascribe),
        /// A name that is used.
        Ref(Ref),
        /// `Always` or `OnFailure 3`.
        Tag(Tag),
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
    /// The parameter of a lambda, or the payload in the pattern of an arm.
    Pattern {
        /// `x` or `(x : T)`.
        Name(NamePattern),
        /// `{ a, b ? 1, ... }`.
        Record(RecordPattern),
    }
}

ast_enum! {
    /// What the arm of a `match` is for.
    ArmPattern {
        /// `Always` or `OnFailure n`.
        Tag(TagPattern),
        /// `x` or `_`: everything.
        Name(NamePattern),
        /// An integer, string or truth value.
        Literal(LiteralPattern),
    }
}

/// A type. Parentheses are looked through: what is in them is the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type<'t> {
    /// `Int`.
    Name(TypeName<'t>),
    /// `a`.
    Var(TypeVar<'t>),
    /// `Map T`.
    Apply(TypeApply<'t>),
    /// `[T]`.
    List(TypeList<'t>),
    /// `{ a : T, b ? : T, ... }`.
    Record(TypeRecord<'t>),
    /// `A -> B`.
    Function(TypeFunction<'t>),
    /// `A | B T | ...`.
    Union(TypeUnion<'t>),
    /// Something missing or not understood. An error has been reported.
    Error(ErrorType<'t>),
}

/// Whether a record type lets further fields through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeRowRest<'t> {
    /// No further fields.
    Closed,
    /// `...`.
    Open,
    /// `...r`.
    Named(Name<'t>),
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
    /// `x => e`, `{ a, b } => e` or `(x : T) => e`.
    Lambda
}
ast_node! {
    /// `if c then a else b`.
    If
}
ast_node! {
    /// `match e { Pattern => e; }`.
    Match
}
ast_node! {
    /// `Pattern => e` in a `match`.
    Arm
}
ast_node! {
    /// The `Tag` or `Tag payload` of an arm.
    TagPattern
}
ast_node! {
    /// The integer, string or truth value of an arm.
    LiteralPattern
}
ast_node! {
    /// `assert c else "why" then e`.
    Assert
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
    /// `import std/debian`, `import ./lib.img` or `import "https://…"`.
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
    /// `(e : T)`, with its parentheses.
    Ascribe
}
ast_node! {
    /// A name that is used.
    Ref
}
ast_node! {
    /// `Always`, or `OnFailure 3` with a payload.
    Tag
}
ast_node! {
    /// Something missing (then empty) or not understood.
    Error
}
ast_node! {
    /// `a.b = e`, `a : T = e` or the shorthand `a`.
    Binding
}
ast_node! {
    /// `type Name a = T`.
    TypeDecl
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
    /// The `x` of `x => e`, or the `(x : T)` of a function with its parentheses.
    NamePattern
}
ast_node! {
    /// The `{ a, b ? 1, c : T, ... }` of a function, or the `{ a, ... }` of an arm.
    RecordPattern
}
ast_node! {
    /// One field of a record pattern.
    PatternField
}
ast_node! {
    /// The name of a type, such as `Int`.
    TypeName
}
ast_node! {
    /// A type variable, such as `a`.
    TypeVar
}
ast_node! {
    /// A type with arguments, such as `Map T`.
    TypeApply
}
ast_node! {
    /// `[T]`.
    TypeList
}
ast_node! {
    /// `{ a : T, b ? : T, ... }`.
    TypeRecord
}
ast_node! {
    /// One field of a record type.
    TypeField
}
ast_node! {
    /// The `...` or `...r` of a record type.
    TypeRest
}
ast_node! {
    /// `A -> B`.
    TypeFunction
}
ast_node! {
    /// `A | B T | ...`.
    TypeUnion
}
ast_node! {
    /// One tag of a union, with its payload.
    TypeAlternative
}
ast_node! {
    /// Something missing (then empty) or not understood, where a type must stand.
    ErrorType
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

/// The value that an arm is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatternValue<'t> {
    /// An integer, also a negative one.
    Int(i64),
    /// A string.
    Str(Cow<'t, str>),
    /// `true` or `false`.
    Bool(bool),
}

/// One part of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrPart<'t> {
    /// Text with escapes decoded and, in an indented string, the common indentation removed.
    Text {
        /// The text itself.
        text: Cow<'t, str>,
        /// The source it comes from.
        range: TextRange,
    },
    /// `${e}`.
    Interpolation(Interpolation<'t>),
}

/// What an `import` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportTarget<'t> {
    /// A module of the standard library.
    Std {
        /// The whole name, such as `std/debian`.
        module: &'t str,
        /// Where it stands.
        range: TextRange,
    },
    /// A file of the project.
    File(Path<'t>),
    /// Something elsewhere, pinned by the lock.
    Remote {
        /// The address, such as `https://…` or `oci://…`. An error has been reported for others.
        address: Cow<'t, str>,
        /// Where the string stands, with its quotes.
        range: TextRange,
    },
}
