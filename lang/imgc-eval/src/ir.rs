//! A top-level binding with its names resolved: what is typed and run.
//!
//! Plain data without positions, so that a comment or a line break changes nothing
//! here. Where an expression stands in the text is in [`crate::site::Spans`].
//! Comments, layout and sugar are gone: `a |> f` is `f a`, types that were declared
//! are written out. Nothing here runs.

use std::sync::Arc;

use crate::builtins::Builtin;
use crate::queries::{Item, SourceFile};

/// The longest name of a field, in bytes: as long as the longest path in an image.
/// Names are compared without being counted.
pub(crate) const MAX_NAME: usize = 4096;

/// The name of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ModuleName {
    /// A file of the project, by its path from the root.
    Project(Arc<str>),
    /// A module that comes with imgc: `debian` for `std/debian`.
    Std(Arc<str>),
    /// A module from elsewhere, by its address as written.
    Remote(Arc<str>),
    /// The value of an argument of the command line, by the argument's name.
    Argument(Arc<str>),
    /// What applies the entry to its arguments.
    Call,
}

/// The name of a top-level binding in its module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ItemName {
    /// A private binding: of a `let` at the head of the file. The number tells
    /// bindings of one name apart: 0 is the outermost.
    Let(Arc<str>, u32),
    /// A public one: a field of the record that the file ends in.
    Export(Arc<str>),
    /// What the file ends in, where that is no record.
    Root,
}

/// The top-level bindings of a module, without positions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Items {
    /// Every private binding, sorted.
    pub(crate) lets: Vec<ItemName>,
    /// The public names, sorted. `None`: the file ends in an expression of its own,
    /// which is [`ItemName::Root`].
    pub(crate) exports: Option<Vec<Arc<str>>>,
    /// The bindings of the public names, in their order; without such names that of
    /// [`ItemName::Root`].
    pub(crate) public: Vec<Item>,
    /// The modules that it imports, in the order of the source, each once.
    pub(crate) imports: Vec<ModuleName>,
}

/// The index of an expression in its [`Body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ExprId(pub(crate) u32);

/// The index of a variable in its [`Body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LocalId(pub(crate) u32);

/// A top-level binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    /// Every expression. Children stand before their parents.
    pub(crate) exprs: Vec<Expr>,
    /// The bound expression.
    pub(crate) root: ExprId,
    /// The type that the binding says it has.
    pub(crate) annotation: Option<TypeExpr>,
    /// The names of the variables.
    pub(crate) locals: Vec<Arc<str>>,
    /// The numbers that are written in octal, `0o755`, in order.
    pub(crate) octal: Vec<ExprId>,
    /// The private bindings of its own module that it mentions, in the order of the
    /// source, each once.
    pub(crate) items: Vec<Item>,
    /// Whether it has a syntax error: something may be missing. Others know nothing of
    /// its type, and what seems wrong in it is not reported.
    pub(crate) damaged: bool,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expr {
    /// Something that an earlier stage has reported. Its type and value are a failure
    /// that is not reported again.
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
    /// `{ a = 1; }`: sorted by name, each name once. The name of field `n` is part `n`
    /// of the site.
    Record(Vec<Field>),
    /// `import ./lib.img`: a module as a value. A select on it reads a public binding.
    Import(SourceFile),
    /// A variable of this body: a parameter, a binding of an inner `let`, or what a
    /// pattern binds.
    Local(LocalId),
    /// A private top-level binding of the same module.
    Item(Item),
    /// A name of the host.
    Builtin(Builtin),
    /// An inner `let`. The name of binding `n` is part `n` of the site.
    Let {
        /// The bindings that the body needs, in order of dependency (those that do not
        /// need each other by name): each sees those before it. Then those that
        /// nothing needs: they are typed, and not evaluated.
        bindings: Vec<LetBinding>,
        /// How many of them the body needs.
        needed: usize,
        /// The body.
        body: ExprId,
    },
    /// `x => body` or `{ a, b ? 1 } => body`. The pattern as a whole is part 0 of the
    /// site, the name of its field `n` part `n + 1`.
    Lambda(Lambda),
    /// `if c then a else b`
    If {
        /// The condition.
        condition: ExprId,
        /// The value when it is true.
        then: ExprId,
        /// The value when it is false.
        otherwise: ExprId,
    },
    /// An operator between two values, both evaluated. The operator is part 0.
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
    /// `e.name`; the name is part 0.
    Select(ExprId, Arc<str>),
    /// `Always` or `OnFailure 3`; the tag is part 0.
    Tag(Arc<str>, Option<ExprId>),
    /// `match e { … }`; the pattern of arm `n` is part `n`.
    Match {
        /// What is looked at.
        scrutinee: ExprId,
        /// The arms, in the order of the source.
        arms: Vec<Arm>,
    },
    /// `assert c else m then e`
    Assert {
        /// What must be true.
        condition: ExprId,
        /// What is said if it is not.
        message: ExprId,
        /// The value.
        body: ExprId,
    },
    /// `(e : T)`
    Ascribe(ExprId, TypeExpr),
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
    /// The type that it says it has.
    pub(crate) annotation: Option<TypeExpr>,
    /// Its value.
    pub(crate) value: ExprId,
}

/// A binding of an inner `let`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LetBinding {
    /// The variable.
    pub(crate) local: LocalId,
    /// The type that it says it has.
    pub(crate) annotation: Option<TypeExpr>,
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
    /// Any value. `None` for `_`.
    Any(Option<LocalId>, Option<TypeExpr>),
    /// A record.
    Fields(RecordPattern),
}

/// `{ a, b ? 1, ... }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordPattern {
    /// The fields, in the order of the source. Each name once.
    pub(crate) fields: Vec<PatternField>,
    /// Whether `...` lets further fields through.
    pub(crate) open: bool,
}

/// A field of a record pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternField {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// The variable that it binds.
    pub(crate) local: LocalId,
    /// The type that it says it has.
    pub(crate) annotation: Option<TypeExpr>,
    /// The value where the record has no such field. It sees the names outside of
    /// the function only. Patterns of a `match` have none.
    pub(crate) default: Option<ExprId>,
}

/// An arm of a `match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arm {
    /// What it takes.
    pub(crate) pattern: ArmPattern,
    /// What it gives.
    pub(crate) body: ExprId,
}

/// What an [`Arm`] takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArmPattern {
    /// A tag.
    Tag(Arc<str>, Payload),
    /// Anything. `None` for `_`.
    Any(Option<LocalId>),
    /// A number.
    Int(i64),
    /// A string.
    Str(Arc<str>),
    /// A truth value.
    Bool(bool),
    /// Something that has been reported.
    Poison,
}

/// What stands after the tag of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    /// Nothing: the tag has no payload.
    None,
    /// A variable. `None` for `_`.
    Any(Option<LocalId>),
    /// A record.
    Fields(RecordPattern),
}

/// A type as it is written, names of declared types written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypeExpr {
    /// What has been reported: any type.
    Poison,
    /// A type of the host by its name, such as `Int` or `Map a`. That it exists, and
    /// how many arguments it has, is checked where names are resolved.
    Host(Arc<str>, Vec<TypeExpr>),
    /// `a`. The same name is the same type in the whole annotation.
    Variable(Arc<str>),
    /// `[T]`
    List(Box<TypeExpr>),
    /// `{ a : T, b ? : T, ... }`: sorted by name, each name once.
    Record(Vec<TypeField>, Rest),
    /// `A -> B`
    Function(Box<TypeExpr>, Box<TypeExpr>),
    /// `A | B T`: sorted by tag, each tag once.
    Union(Vec<(Arc<str>, Option<TypeExpr>)>, Rest),
}

/// A field of a record type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeField {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Whether it may be missing.
    pub(crate) optional: bool,
    /// Its type.
    pub(crate) ty: TypeExpr,
}

/// Whether a record or union may have more than what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It may not.
    Closed,
    /// `...`
    Open,
    /// `...r`
    Named(Arc<str>),
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

impl Items {
    /// The binding that has a public name, or all of the module where it has no names.
    pub(crate) fn exported(&self, name: &str) -> Option<Item> {
        let at = match &self.exports {
            Some(names) => names.binary_search_by(|known| (**known).cmp(name)).ok()?,
            None => 0,
        };
        self.public.get(at).copied()
    }
}

impl Body {
    /// The expression of that index.
    pub(crate) fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }
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
