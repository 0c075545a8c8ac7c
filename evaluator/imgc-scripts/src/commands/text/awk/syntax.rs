//! What an awk program consists of.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) begin: Vec<Vec<Statement>>,
    pub(super) rules: Vec<Rule>,
    pub(super) end: Vec<Vec<Statement>>,
    pub(super) functions: Vec<Function>,
    /// The names of all global variables; the first ones are those of [`special`].
    pub(super) globals: BTreeMap<Vec<u8>, usize>,
    /// Which of the globals are arrays.
    pub(super) arrays: Vec<bool>,
    /// How many ranges there are.
    pub(super) ranges: usize,
}

/// A pattern with its action.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    /// None prints the record.
    pub(super) action: Option<Vec<Statement>>,
}

/// Which records a rule is for.
#[derive(Debug)]
pub(super) enum Pattern {
    All,
    If(Expr),
    /// From one to another; the number tells it from the others.
    Range(Expr, Expr, usize),
}

/// A function.
#[derive(Debug, Default)]
pub(super) struct Function {
    /// For each parameter, whether it is an array; none where nothing tells.
    pub(super) params: Vec<Option<bool>>,
    pub(super) body: Vec<Statement>,
}

/// A statement.
#[derive(Debug)]
pub(super) enum Statement {
    Expr(Expr),
    Print(Vec<Expr>, Option<Output>),
    Printf(Vec<Expr>, Option<Output>),
    If(Expr, Vec<Statement>, Vec<Statement>),
    While(Expr, Vec<Statement>),
    Do(Vec<Statement>, Expr),
    For(
        Option<Box<Statement>>,
        Option<Expr>,
        Option<Box<Statement>>,
        Vec<Statement>,
    ),
    ForIn(Place, Var, Vec<Statement>),
    Delete(Var, Option<Vec<Expr>>),
    Next,
    NextFile,
    Exit(Option<Expr>),
    Return(Option<Expr>),
    Break,
    Continue,
}

/// Where print writes.
#[derive(Debug)]
pub(super) enum Output {
    File(Expr),
    Append(Expr),
    Pipe(Expr),
}

/// A variable: global, or local to the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Var {
    Global(usize),
    Local(usize),
}

/// What can be assigned to.
#[derive(Debug)]
pub(super) enum Place {
    Var(Var),
    Field(Box<Expr>),
    Element(Var, Vec<Expr>),
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
}

/// An expression.
#[derive(Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(Rc<[u8]>),
    /// A pattern between slashes.
    Regex(Rc<[u8]>),
    Place(Place),
    Assign(Place, Option<Operator>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `||`, or `&&` where it is false, between all parts.
    Logic(bool, Vec<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    /// The first, then one operation after the other.
    Chain(Box<Expr>, Vec<(Operator, Expr)>),
    Concat(Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `~`, or `!~` where it is negated.
    Match(bool, Box<Expr>, Box<Expr>),
    In(Vec<Expr>, Var),
    /// `++` and `--`: what is added, and whether the value is the one before.
    Step(Place, f64, bool),
    Call(usize, Vec<Expr>),
    Builtin(Builtin, Vec<Expr>),
    Getline(Source, Option<Place>),
    /// `(a, b)`: only before `in`.
    Group(Vec<Expr>),
}

/// Where getline reads.
#[derive(Debug)]
pub(super) enum Source {
    Input,
    File(Box<Expr>),
    Command(Box<Expr>),
}

/// A function of awk itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Builtin {
    Atan2,
    Close,
    Cos,
    Exp,
    Fflush,
    Gsub,
    Index,
    Int,
    Length,
    Log,
    Match,
    Sin,
    Split,
    Sprintf,
    Sqrt,
    Sub,
    Substr,
    System,
    Tolower,
    Toupper,
}

/// The numbers of the variables that mean something.
pub(super) mod special {
    pub(in super::super) const NF: usize = 0;
    pub(in super::super) const NR: usize = 1;
    pub(in super::super) const FNR: usize = 2;
    pub(in super::super) const FS: usize = 3;
    pub(in super::super) const OFS: usize = 4;
    pub(in super::super) const RS: usize = 5;
    pub(in super::super) const ORS: usize = 6;
    pub(in super::super) const FILENAME: usize = 7;
    pub(in super::super) const SUBSEP: usize = 8;
    pub(in super::super) const RSTART: usize = 9;
    pub(in super::super) const RLENGTH: usize = 10;
    pub(in super::super) const CONVFMT: usize = 11;
    pub(in super::super) const OFMT: usize = 12;
    pub(in super::super) const ENVIRON: usize = 13;
    pub(in super::super) const ARGC: usize = 14;
    pub(in super::super) const ARGV: usize = 15;

    /// Their names, in the order of their numbers.
    pub(in super::super) const NAMES: [&str; 16] = [
        "NF", "NR", "FNR", "FS", "OFS", "RS", "ORS", "FILENAME", "SUBSEP", "RSTART", "RLENGTH",
        "CONVFMT", "OFMT", "ENVIRON", "ARGC", "ARGV",
    ];
}
