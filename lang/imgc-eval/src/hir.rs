//! A module with its names resolved: what evaluation runs.
//!
//! Plain data without references into the tree. Comments, layout and sugar are
//! gone; a variable is a number of frames to go up and a slot. Nothing here runs.

use std::sync::Arc;

use crate::builtins::Builtin;
use crate::span::Span;

/// The longest name of a field, in bytes: as long as the longest path in an image.
/// Names are compared without being counted.
pub(crate) const MAX_NAME: usize = 4096;

/// The index of an expression in its [`Module`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExprId(pub(crate) u32);

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module {
    /// Every expression.
    pub(crate) exprs: Vec<Expr>,
    /// The file's expression.
    pub(crate) root: ExprId,
    /// The modules that it imports, in source order.
    pub(crate) imports: Vec<Import>,
}

/// One `import`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// Where it is written.
    pub(crate) span: Span,
    /// What is imported.
    pub(crate) target: ModuleName,
}

/// The name of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ModuleName {
    /// A file of the project, by its path from the root.
    Project(Arc<str>),
    /// A module that comes with imgc: `debian` for `std/debian`.
    Std(Arc<str>),
}

/// An expression and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expr {
    /// Where.
    pub(crate) span: Span,
    /// What.
    pub(crate) kind: ExprKind,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExprKind {
    /// Something that an earlier stage has reported. Its value is a failure that
    /// is not reported again.
    Poison,
    /// `10_000`
    Int(i64),
    /// `true`
    Bool(bool),
    /// `"text"`
    Str(Arc<str>),
    /// `"a ${b}"`
    Interpolation(Vec<Part>),
    /// `./x`, as a path from the project root.
    Path(Arc<str>),
    /// `[a, b]`
    List(Vec<ExprId>),
    /// `{ a = 1; }`: sorted by name, each name once.
    Record(Vec<Field>),
    /// `import ./lib.img`: an index into [`Module::imports`].
    Import(u32),
    /// A variable: frames to go up, and a slot there.
    Local {
        /// Frames to go up; 0 is the innermost.
        up: u32,
        /// The slot in that frame.
        slot: u32,
    },
    /// A name of the host.
    Builtin(Builtin),
    /// `let … in body`: a frame whose slots are evaluated when they are first used.
    Let {
        /// The bound expressions, one for each slot; they see the new frame.
        bindings: Vec<ExprId>,
        /// The body.
        body: ExprId,
    },
    /// `x => body` or `{ a, b ? 1 } => body`: a frame for each call.
    Lambda(Arc<Lambda>),
    /// `if c then a else b`
    If {
        /// The condition.
        condition: ExprId,
        /// The value when it is true.
        then: ExprId,
        /// The value when it is false.
        otherwise: ExprId,
    },
    /// An operator between two values, both evaluated.
    Binary(BinaryOp, ExprId, ExprId),
    /// `a && b`: `b` only when `a` is true.
    And(ExprId, ExprId),
    /// `a || b`: `b` only when `a` is false.
    Or(ExprId, ExprId),
    /// `!a`
    Not(ExprId),
    /// `-a`
    Negate(ExprId),
    /// `f x`
    Apply(ExprId, ExprId),
    /// `e.name`, and where the name is written.
    Select(ExprId, Arc<str>, Span),
}

/// A piece of a string with `${}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it stands, escapes replaced.
    Text(Arc<str>),
    /// The expression in `${}`.
    Expr(ExprId),
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Where the name is written.
    pub(crate) span: Span,
    /// Its value.
    pub(crate) value: ExprId,
}

/// A function of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lambda {
    /// What it takes.
    pub(crate) parameter: Parameter,
    /// What it gives.
    pub(crate) body: ExprId,
}

/// What a [`Lambda`] takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// Any value, in slot 0.
    Any,
    /// A record, a slot for each field in this order.
    Fields {
        /// The fields.
        fields: Vec<ParameterField>,
        /// Whether `...` lets further fields through.
        open: bool,
        /// Where the pattern is written.
        span: Span,
    },
}

/// A field of a record pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterField {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Where the name is written.
    pub(crate) span: Span,
    /// The value where the record has no such field. It sees the names outside of
    /// the function only.
    pub(crate) default: Option<ExprId>,
}

/// An operator whose two operands are always evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `++`
    Concat,
    /// `//`
    Update,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

impl BinaryOp {
    /// As it is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Concat => "++",
            Self::Update => "//",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }
}
