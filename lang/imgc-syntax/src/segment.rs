//! One segment (a binding, a list's element, a field of a pattern): terminals to nodes.
//! When lalrpop stops, the segment is repaired and tried again, a bounded number of times: what is
//! missing is put in, and from a token that cannot stand there on, the rest becomes an `Error`.
//! So every segment gives nodes, and at most one error.

use std::borrow::Cow;
use std::cell::Cell;

use lalrpop_util::{ParseError, lalrpop_mod};

use crate::arena::{Arena, NodeId};
use crate::error::Errors;
use crate::kind::SyntaxKind;
use crate::lex::Token;
use crate::wording::{Mistake, Wording};

lalrpop_mod!(
    #[allow(
        clippy::all,
        clippy::get_unwrap,
        clippy::uninlined_format_args,
        elided_lifetimes_in_paths,
        missing_debug_implementations,
        unreachable_pub,
        unused_extern_crates,
        reason = "generated"
    )]
    grammar
);

/// A terminal of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    /// A token.
    Token(SyntaxKind),
    /// Something in brackets, parsed already. The kind is what the grammar takes it for: `Str`,
    /// `RecordPattern`, `LetHead`, or `Paren` for everything else.
    Group(SyntaxKind, NodeId),
}

/// A terminal and the tokens it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) term: Term,
    /// Index of the first token.
    pub(crate) start: u32,
    /// Index after the last token. The same as `start` if the terminal was put in.
    pub(crate) end: u32,
    /// Whether an error about this place has been reported.
    pub(crate) tainted: bool,
}

impl Item {
    pub(crate) fn is(&self, kind: SyntaxKind) -> bool {
        self.term == Term::Token(kind)
    }

    /// A terminal that is put in at a token.
    fn put_in(kind: SyntaxKind, at: u32) -> Self {
        Self {
            term: Term::Token(kind),
            start: at,
            end: at,
            tainted: true,
        }
    }
}

/// What a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Expr,
    Binding,
    PatternField,
}

/// What a segment gives.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The node, and perhaps an `Error` node with the rest.
    pub(crate) nodes: Vec<NodeId>,
    /// Whether the segment was understood as it stands, and holds nothing spoilt.
    pub(crate) clean: bool,
}

/// Everything that parsing a segment needs.
pub(crate) struct SegmentParser<'a> {
    pub(crate) source: &'a str,
    pub(crate) tokens: &'a [Token],
    pub(crate) arena: Arena,
    pub(crate) errors: &'a mut Errors,
    expr: grammar::ExprParser,
    binding: grammar::BindingParser,
    field: grammar::PatternFieldParser,
}

/// Where the parser stopped, and what it could have gone on with.
struct Stop {
    at: usize,
    expected: Vec<String>,
}

impl Stop {
    fn expects(&self, terminal: &str) -> bool {
        self.expected.iter().any(|expected| expected == terminal)
    }
}

/// What to do about a stop.
enum Remedy {
    PutIn(SyntaxKind),
    Replace(SyntaxKind),
    Cut,
    GiveUp,
}

/// How often a segment is repaired.
const MAX_REPAIRS: usize = 16;

impl<'a> SegmentParser<'a> {
    pub(crate) fn new(source: &'a str, tokens: &'a [Token], errors: &'a mut Errors) -> Self {
        Self {
            source,
            tokens,
            arena: Arena::default(),
            errors,
            expr: grammar::ExprParser::new(),
            binding: grammar::BindingParser::new(),
            field: grammar::PatternFieldParser::new(),
        }
    }

    /// Parses one segment. `end` is the token after it, if there is one.
    pub(crate) fn parse(&mut self, entry: Entry, items: &[Item], end: Option<Item>) -> Outcome {
        let end_tainted = end.is_some_and(|end| end.tainted);
        let mut clean = !end_tainted && !items.iter().any(|item| item.tainted);
        let mut work = Cow::Borrowed(items);
        let mut cut_at = None;
        for _ in 0..MAX_REPAIRS {
            let stop = match self.run(entry, &work) {
                Ok(node) => {
                    return Outcome {
                        nodes: self.with_rest(node, items, cut_at),
                        clean,
                    };
                }
                Err(stop) => stop,
            };
            let (mistake, remedy) = classify(entry, &work, &stop);
            if clean {
                clean = false;
                let wording = Wording {
                    source: self.source,
                    tokens: self.tokens,
                };
                let error = wording.error(mistake, entry, &work, stop.at, end);
                self.errors.push(error);
            }
            match remedy {
                Remedy::GiveUp => break,
                Remedy::Cut => {
                    cut_at = work.get(stop.at).map(|item| item.start);
                    work.to_mut().truncate(stop.at);
                }
                Remedy::PutIn(kind) => {
                    let before = stop.at.checked_sub(1).and_then(|at| work.get(at));
                    let after = work.get(stop.at).copied().or(end);
                    let at = match (before, after) {
                        (Some(before), _) => before.end,
                        (None, Some(after)) => after.start,
                        (None, None) => 0,
                    };
                    work.to_mut().insert(stop.at, Item::put_in(kind, at));
                }
                Remedy::Replace(kind) => {
                    if let Some(item) = work.to_mut().get_mut(stop.at) {
                        item.term = Term::Token(kind);
                    }
                }
            }
        }
        Outcome {
            nodes: self.rest(items, 0).into_iter().collect(),
            clean: false,
        }
    }

    fn run(&mut self, entry: Entry, items: &[Item]) -> Result<NodeId, Stop> {
        let pulled = Cell::new(0_usize);
        let input = items.iter().map(|item| {
            pulled.set(pulled.get() + 1);
            Ok::<_, ()>((item.start, item.term, item.end))
        });
        let mark = self.arena.mark();
        let result = match entry {
            Entry::Expr => self.expr.parse(&mut self.arena, input),
            Entry::Binding => self.binding.parse(&mut self.arena, input),
            Entry::PatternField => self.field.parse(&mut self.arena, input),
        };
        result.map_err(|error| {
            self.arena.reset(mark);
            match error {
                ParseError::UnrecognizedEof { expected, .. } => Stop {
                    at: items.len(),
                    expected,
                },
                ParseError::UnrecognizedToken { expected, .. } => Stop {
                    at: pulled.get().saturating_sub(1),
                    expected,
                },
                _ => Stop {
                    at: pulled.get().saturating_sub(1),
                    expected: Vec::new(),
                },
            }
        })
    }

    /// The node, and what was cut off after it.
    fn with_rest(&mut self, node: NodeId, items: &[Item], cut_at: Option<u32>) -> Vec<NodeId> {
        let mut nodes = vec![node];
        if let Some(cut_at) = cut_at {
            let from = items.partition_point(|item| item.start < cut_at);
            nodes.extend(self.rest(items, from));
        }
        nodes
    }

    /// An `Error` node over the items from `from` on. Groups in it stay nodes, so that what is
    /// inside them is not lost.
    fn rest(&mut self, items: &[Item], from: usize) -> Option<NodeId> {
        let items = items.get(from..)?;
        let (start, end) = (items.first()?.start, items.last()?.end);
        let children = items
            .iter()
            .filter_map(|item| match item.term {
                Term::Group(_, node) => Some(node),
                Term::Token(_) => None,
            })
            .collect();
        Some(self.arena.node(SyntaxKind::Error, start, end, children))
    }
}

/// What sort of mistake it is that the parser stopped at, and what helps.
fn classify(entry: Entry, items: &[Item], stop: &Stop) -> (Mistake, Remedy) {
    let found = items.get(stop.at);
    let before = stop.at.checked_sub(1).and_then(|at| items.get(at));
    let found_is = |kind| found.is_some_and(|item| item.is(kind));
    if before.is_some_and(|before| before.is(SyntaxKind::Dot)) && stop.expects("missing") {
        return (Mistake::Name, Remedy::PutIn(SyntaxKind::Missing));
    }
    if found_is(SyntaxKind::Colon) && stop.expects("\"=>\"") {
        return (Mistake::Arrow, Remedy::Replace(SyntaxKind::Arrow));
    }
    if entry == Entry::Binding && found_is(SyntaxKind::Colon) && stop.expects("\"=\"") {
        return (Mistake::ColonForEquals, Remedy::Replace(SyntaxKind::Eq));
    }
    if entry == Entry::PatternField && found_is(SyntaxKind::Eq) && stop.expects("\"?\"") {
        return (
            Mistake::DefaultEquals,
            Remedy::Replace(SyntaxKind::Question),
        );
    }
    if entry == Entry::Binding && stop.at == 0 && !found_is(SyntaxKind::Eq) {
        return (Mistake::Binding, Remedy::GiveUp);
    }
    if entry == Entry::PatternField && stop.at == 0 {
        return (Mistake::Pattern, Remedy::GiveUp);
    }
    // After an operand an argument could follow as well as an operator: then nothing is missing.
    if stop.expects("missing") && !stop.expects("\"+\"") {
        let import = before.is_some_and(|before| before.is(SyntaxKind::ImportKw));
        let mistake = if import {
            Mistake::Import
        } else {
            Mistake::Expression
        };
        return (mistake, Remedy::PutIn(SyntaxKind::Missing));
    }
    let after_pattern = before
        .is_some_and(|before| matches!(before.term, Term::Group(SyntaxKind::RecordPattern, _)));
    if after_pattern && stop.expects("\"=>\"") {
        return (Mistake::Arrow, Remedy::PutIn(SyntaxKind::Arrow));
    }
    let at_branch = found.is_none() || found_is(SyntaxKind::ElseKw);
    if at_branch && stop.expects("\"then\"") {
        return (Mistake::Then, Remedy::PutIn(SyntaxKind::ThenKw));
    }
    if found.is_none() && stop.expects("\"else\"") {
        return (Mistake::Else, Remedy::PutIn(SyntaxKind::ElseKw));
    }
    let has_eq = items
        .iter()
        .take(stop.at)
        .any(|item| item.is(SyntaxKind::Eq));
    let starts_value = found.is_none_or(|found| match found.term {
        Term::Group(..) => true,
        Term::Token(kind) => matches!(
            kind,
            SyntaxKind::Ident
                | SyntaxKind::Int
                | SyntaxKind::PathText
                | SyntaxKind::StdModule
                | SyntaxKind::ImportKw
                | SyntaxKind::IfKw
                | SyntaxKind::TrueKw
                | SyntaxKind::FalseKw
        ),
    });
    if entry == Entry::Binding && !has_eq && starts_value && stop.expects("\"=\"") {
        return (Mistake::Equals, Remedy::PutIn(SyntaxKind::Eq));
    }
    if found.is_some() {
        return (Mistake::Unexpected, Remedy::Cut);
    }
    (Mistake::Expression, Remedy::GiveUp)
}
