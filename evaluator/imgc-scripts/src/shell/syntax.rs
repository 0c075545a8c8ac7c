//! What a script is made of, once parsed. Nothing here does anything.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

/// A parsed text: its commands, and the mistake after which no more could be read.
///
/// A shell runs what comes before a mistake, so that the mistake is kept, not thrown.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) items: List,
    pub(super) error: Option<Mistake>,
}

/// Why a text can't be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) line: usize,
    pub(super) message: String,
    /// Whether the text is fine as such and only goes beyond what is read here.
    pub(super) refused: bool,
}

/// Commands, one after the other.
pub(super) type List = Vec<Item>;

/// A chain of pipelines, perhaps in the background.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) first: Pipeline,
    pub(super) rest: Vec<(Link, Pipeline)>,
    pub(super) background: bool,
}

/// What stands between two pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    And,
    Or,
}

/// Commands whose output goes to the next.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) negated: bool,
    pub(super) commands: Vec<Command>,
}

/// A command.
#[derive(Debug)]
pub(super) enum Command {
    Simple(Box<Simple>),
    Compound(Box<Compound>),
    Function(Rc<Function>),
}

/// A function: its name and what it does.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: BString,
    pub(super) body: Command,
}

/// Assignments, words and redirections.
#[derive(Debug, Default)]
pub(super) struct Simple {
    pub(super) line: usize,
    pub(super) assignments: Vec<Assignment>,
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<Redirect>,
}

/// A command that holds others.
#[derive(Debug)]
pub(super) struct Compound {
    pub(super) line: usize,
    pub(super) kind: Kind,
    pub(super) redirects: Vec<Redirect>,
}

/// The kinds of commands that hold others.
#[derive(Debug)]
pub(super) enum Kind {
    Group(List),
    Subshell(List),
    If {
        /// Conditions, and what is done where one holds.
        arms: Vec<(List, List)>,
        otherwise: List,
    },
    While {
        until: bool,
        condition: List,
        body: List,
    },
    For {
        name: BString,
        /// None: the positional parameters.
        words: Option<Vec<Word>>,
        body: List,
    },
    /// `for ((a; b; c))`
    Count {
        parts: [Word; 3],
        body: List,
    },
    Case {
        word: Word,
        arms: Vec<Arm>,
    },
    /// `[[ … ]]`
    Test(Box<Test>),
    /// `(( … ))`
    Arithmetic(Word),
}

/// An arm of a `case`.
#[derive(Debug)]
pub(super) struct Arm {
    pub(super) patterns: Vec<Word>,
    pub(super) body: List,
    pub(super) end: ArmEnd,
}

/// What follows an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArmEnd {
    /// `;;`
    Leave,
    /// `;&`: the next arm's body.
    Fall,
    /// `;;&`: the next arm that matches.
    Look,
}

/// The expression of `[[ … ]]`.
#[derive(Debug)]
pub(super) enum Test {
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    /// `-f word`
    Unary(BString, Word),
    /// `word == pattern`
    Binary(Word, BString, Word),
}

/// `name=value`
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) name: BString,
    pub(super) index: Option<Word>,
    /// `+=`
    pub(super) append: bool,
    pub(super) value: Value,
}

/// What is assigned.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Word(Word),
    /// `(a b [3]=c)`
    Array(Vec<(Option<Word>, Word)>),
}

/// A redirection.
#[derive(Debug)]
pub(super) struct Redirect {
    pub(super) fd: Option<u32>,
    pub(super) kind: RedirectKind,
}

/// The kinds of redirections.
#[derive(Debug)]
pub(super) enum RedirectKind {
    /// `<`
    Read(Word),
    /// `>`
    Write(Word),
    /// `>|`
    Clobber(Word),
    /// `>>`
    Append(Word),
    /// `<>`
    ReadWrite(Word),
    /// `<&` and `>&`
    Duplicate { word: Word, output: bool },
    /// `&>` and `&>>`
    Both { word: Word, append: bool },
    /// `<<`; set when the parser is past it.
    Here(Rc<OnceCell<Word>>),
    /// `<<<`
    HereString(Word),
}

/// A word: parts that are expanded and put together.
pub(super) type Word = Vec<Part>;

/// A part of a word.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Text outside of quotes, where patterns and splitting look at it.
    Literal(BString),
    /// Text that means itself.
    Quoted(BString),
    /// `"…"`
    Double(Vec<Part>),
    /// `~user`; the user may be empty.
    Tilde(BString),
    /// `$x`, `${…}`
    Parameter(Box<Parameter>),
    /// `$(…)`, `` `…` ``
    Command(Rc<Script>),
    /// `$((…))`
    Arithmetic(Vec<Part>),
    /// `<(…)`
    Process(Rc<Script>),
    /// An array assignment as an argument of `declare`, the only part of its word.
    Assignment(Box<Assignment>),
}

/// `${name op}`
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: Name,
    pub(super) op: Op,
}

/// What is expanded.
#[derive(Debug, Clone)]
pub(super) enum Name {
    /// One of `@*#?-$!`.
    Special(u8),
    /// `$0`, `$1`, …
    Positional(usize),
    Variable(BString),
    /// `${name[word]}`
    Element(BString, Word),
    /// `${name[@]}`, and with `true` `${name[*]}`.
    Elements(BString, bool),
}

/// What is done with a parameter.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Nothing.
    Plain,
    /// `${#x}`
    Length,
    /// `${!x}`
    Indirect,
    /// `${!x[@]}`
    Keys,
    /// `${!x*}`
    Names,
    /// `-`, `=`, `?`, `+`; with a colon, an empty value counts as unset.
    Test { kind: u8, colon: bool, word: Word },
    /// `#`, `##`, `%`, `%%`
    Remove {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
    /// `:offset:length`
    Slice { offset: Word, length: Option<Word> },
    /// `/`, `//`, `/#`, `/%`: the second byte, or `/` alone as 0.
    Replace {
        how: u8,
        pattern: Word,
        replacement: Word,
    },
    /// `^`, `^^`, `,`, `,,`
    Case { upper: bool, all: bool },
    /// `@Q` and the like.
    Transform(u8),
    /// What no shell knows: an error when it is expanded.
    Bad,
}
