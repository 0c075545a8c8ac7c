//! One segment (a binding, a list's element, an arm, a type): terminals to nodes.
//! When lalrpop stops, the segment is repaired and tried again, a bounded number of times: what is
//! missing is put in, and from a token that cannot stand there on, the rest becomes an `Error`.
//! So every segment gives nodes, and at most one error.

use std::borrow::Cow;
use std::cell::Cell;

use lalrpop_util::{ParseError, lalrpop_mod};

use crate::arena::{Arena, NodeId};
use crate::classify::{Remedy, Stop, classify};
use crate::error::Errors;
use crate::kind::SyntaxKind;
use crate::lex::Token;
use crate::wording::Wording;

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
    /// `RecordPattern`, `NamePattern`, `LetHead`, `Arms`, `TypeParen` for all types, or `Paren` for
    /// all other expressions.
    Group(SyntaxKind, NodeId),
    /// What the segment is. Stands before it, and nowhere else.
    Start(Entry),
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
    Arm,
    /// `e : T`.
    Ascription,
    /// `x : T`.
    Param,
    Type,
    TypeField,
}

/// What a segment gives.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The node.
    pub(crate) node: Option<NodeId>,
    /// An `Error` node with the rest, if something was cut off.
    pub(crate) rest: Option<NodeId>,
    /// Whether the segment was understood as it stands, and holds nothing spoilt.
    pub(crate) clean: bool,
}

impl Outcome {
    /// What there is.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.node.into_iter().chain(self.rest)
    }
}

/// Everything that parsing a segment needs.
pub(crate) struct SegmentParser<'a> {
    pub(crate) source: &'a str,
    pub(crate) tokens: &'a [Token],
    pub(crate) arena: Arena,
    pub(crate) errors: &'a mut Errors,
    grammar: grammar::SegmentParser,
}

/// How often a segment is repaired.
const MAX_REPAIRS: usize = 16;

impl<'a> SegmentParser<'a> {
    pub(crate) fn new(source: &'a str, tokens: &'a [Token], errors: &'a mut Errors) -> Self {
        Self {
            source,
            tokens,
            arena: Arena::for_tokens(tokens.len()),
            errors,
            grammar: grammar::SegmentParser::new(),
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
                    let from = |cut_at| items.partition_point(|item| item.start < cut_at);
                    let rest = cut_at.map(from);
                    return Outcome {
                        node: Some(node),
                        rest: rest.and_then(|from| self.rest(entry, items, from)),
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
                Remedy::Replace(at, kind) => {
                    if let Some(item) = work.to_mut().get_mut(at) {
                        item.term = Term::Token(kind);
                    }
                }
                Remedy::SkipTo(to) => {
                    work.to_mut().drain(stop.at..to.max(stop.at));
                }
            }
        }
        Outcome {
            node: self.rest(entry, items, 0),
            rest: None,
            clean: false,
        }
    }

    /// Whether a segment is without mistakes. Nothing is reported.
    pub(crate) fn is_fine(&mut self, entry: Entry, items: &[Item]) -> bool {
        let mark = self.arena.mark();
        let fine = self.run(entry, items).is_ok();
        self.arena.reset(mark);
        fine
    }

    fn run(&mut self, entry: Entry, items: &[Item]) -> Result<NodeId, Stop> {
        self.short(entry, items)
            .map_or_else(|| self.by_grammar(entry, items), Ok)
    }

    /// The segments that most of a file consists of, without the grammar: an atom, `name = atom`
    /// and `name`. The nodes are those that the grammar makes; this is for speed alone.
    fn short(&mut self, entry: Entry, items: &[Item]) -> Option<NodeId> {
        match (entry, items) {
            (Entry::Expr, [atom]) => self.atom(atom),
            (Entry::Binding, [name]) => {
                let key = self.key(name)?;
                let arena = &mut self.arena;
                Some(arena.node(SyntaxKind::Binding, name.start, name.end, &[key]))
            }
            (Entry::Binding, [name, eq, value]) if eq.is(SyntaxKind::Eq) => {
                if !is_name(name) || !is_atom(value) {
                    return None;
                }
                let key = self.key(name)?;
                let value_node = self.atom(value)?;
                let children = [key, value_node];
                let arena = &mut self.arena;
                Some(arena.node(SyntaxKind::Binding, name.start, value.end, &children))
            }
            _ => None,
        }
    }

    /// The `KeyPath` of a key that is one name.
    fn key(&mut self, name: &Item) -> Option<NodeId> {
        let Item { start, end, .. } = *name;
        is_name(name).then(|| {
            let inner = self.arena.node(SyntaxKind::Name, start, end, &[]);
            self.arena.node(SyntaxKind::KeyPath, start, end, &[inner])
        })
    }

    fn atom(&mut self, item: &Item) -> Option<NodeId> {
        let Item { start, end, .. } = *item;
        let kind = match item.term {
            Term::Group(SyntaxKind::Paren | SyntaxKind::Str, node) => return Some(node),
            Term::Token(SyntaxKind::Ident) => SyntaxKind::Ref,
            Term::Token(SyntaxKind::Int | SyntaxKind::TrueKw | SyntaxKind::FalseKw) => {
                SyntaxKind::Literal
            }
            Term::Token(SyntaxKind::PathText) => SyntaxKind::Path,
            Term::Token(SyntaxKind::UpperIdent) => {
                let name = self.arena.node(SyntaxKind::Name, start, end, &[]);
                return Some(self.arena.node(SyntaxKind::Tag, start, end, &[name]));
            }
            _ => return None,
        };
        Some(self.arena.node(kind, start, end, &[]))
    }

    fn by_grammar(&mut self, entry: Entry, items: &[Item]) -> Result<NodeId, Stop> {
        let pulled = Cell::new(0_usize);
        let start = items.first().map_or(0, |first| first.start);
        let segment = items.iter().map(|item| {
            pulled.set(pulled.get() + 1);
            (item.start, item.term, item.end)
        });
        let input = std::iter::once((start, Term::Start(entry), start)).chain(segment);
        let mark = self.arena.mark();
        let result = self.grammar.parse(&mut self.arena, input.map(Ok::<_, u32>));
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
                ParseError::User { error: token } => Stop {
                    at: items
                        .iter()
                        .position(|item| item.start == token && item.end > token)
                        .unwrap_or_default(),
                    expected: Vec::new(),
                },
                _ => Stop {
                    at: pulled.get().saturating_sub(1),
                    expected: Vec::new(),
                },
            }
        })
    }

    /// An `Error` node over the items from `from` on. Groups in it stay nodes, so that what is
    /// inside them is not lost.
    fn rest(&mut self, entry: Entry, items: &[Item], from: usize) -> Option<NodeId> {
        let items = items.get(from..)?;
        let (start, end) = (items.first()?.start, items.last()?.end);
        let children: Vec<NodeId> = items
            .iter()
            .filter_map(|item| match item.term {
                Term::Group(_, node) => Some(node),
                Term::Token(_) | Term::Start(_) => None,
            })
            .collect();
        let kind = match entry {
            Entry::Type => SyntaxKind::ErrorType,
            _ => SyntaxKind::Error,
        };
        Some(self.arena.node(kind, start, end, &children))
    }
}

fn is_name(item: &Item) -> bool {
    item.is(SyntaxKind::Ident) || item.is(SyntaxKind::UpperIdent)
}

fn is_atom(item: &Item) -> bool {
    match item.term {
        Term::Group(kind, _) => matches!(kind, SyntaxKind::Paren | SyntaxKind::Str),
        Term::Token(kind) => matches!(
            kind,
            SyntaxKind::Ident
                | SyntaxKind::UpperIdent
                | SyntaxKind::Int
                | SyntaxKind::TrueKw
                | SyntaxKind::FalseKw
                | SyntaxKind::PathText
        ),
        Term::Start(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a segment becomes.
    fn made(
        terms: &[Term],
        parse: impl Fn(&mut SegmentParser<'_>, &[Item]) -> Option<NodeId>,
    ) -> Option<String> {
        let mut errors = Errors::default();
        let mut parser = SegmentParser::new("", &[], &mut errors);
        let group = parser.arena.node(SyntaxKind::Record, 0, 1, &[]);
        let items: Vec<Item> = (0..)
            .zip(terms)
            .map(|(start, term)| Item {
                term: match *term {
                    Term::Group(kind, _) => Term::Group(kind, group),
                    term => term,
                },
                start,
                end: start + 1,
                tainted: false,
            })
            .collect();
        let root = parse(&mut parser, &items)?;
        Some(parser.arena.shown(root))
    }

    #[test]
    fn short_segments_are_what_the_grammar_makes() {
        let mut errors = Errors::default();
        let mut parser = SegmentParser::new("", &[], &mut errors);
        let node = parser.arena.node(SyntaxKind::Record, 0, 1, &[]);
        let mut terms: Vec<Term> = crate::kind::ALL.iter().copied().map(Term::Token).collect();
        for kind in [
            SyntaxKind::Paren,
            SyntaxKind::Str,
            SyntaxKind::RecordPattern,
            SyntaxKind::TypeParen,
            SyntaxKind::Arms,
        ] {
            terms.push(Term::Group(kind, node));
        }
        let mut short = 0;
        let mut compare = |entry: Entry, terms: &[Term]| {
            let fast = made(terms, |parser, items| parser.short(entry, items));
            if fast.is_some() {
                let slow = made(terms, |parser, items| parser.by_grammar(entry, items).ok());
                assert_eq!(fast, slow, "{entry:?} {terms:?}");
                short += 1;
            }
        };
        for first in &terms {
            compare(Entry::Expr, &[*first]);
            compare(Entry::Binding, &[*first]);
            for third in &terms {
                compare(
                    Entry::Binding,
                    &[*first, Term::Token(SyntaxKind::Eq), *third],
                );
            }
        }
        assert_eq!(short, 8 + 2 + 2 * 8);
    }
}
