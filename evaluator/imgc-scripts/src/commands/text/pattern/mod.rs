//! POSIX regular expressions with GNU's extensions, as the commands on text, the
//! shell's `[[ =~ ]]` and `find -regex` have them. This module does not know who asks.
//!
//! A pattern is parsed here, then translated for an engine that takes linear time. The
//! match is the leftmost one, and among those the longest, as POSIX wants it. Groups are
//! those that come first in the pattern's order among the longest matches, which is what
//! glibc does. Patterns with back-references have a matcher of their own, which counts
//! its steps.

mod backtrack;
mod bracket;
mod known;
mod parse;
mod translate;

use std::cell::{OnceCell, RefCell};
use std::fmt;

use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::{self, WhichCaptures, pikevm};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind, meta};

pub(crate) use self::known::Patterns;
use self::parse::{Look, Node};
use crate::stop::Stop;

/// The largest compiled pattern, in bytes.
const SIZE: usize = 16 << 20;

/// From where to where something matched, in bytes.
pub(crate) type Span = (usize, usize);

/// Whose regular expressions they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dialect {
    /// POSIX basic ones, as `expr` has them.
    Basic,
    /// POSIX extended ones, as bash has them.
    Extended,
    /// `grep`
    GrepBasic,
    /// `grep -E`
    GrepExtended,
    /// `sed`: with `\n`, `\t` and the like.
    SedBasic,
    /// `sed -E`
    SedExtended,
    /// awk's, with or without `{2,3}`.
    Awk {
        /// Whether braces are intervals.
        intervals: bool,
    },
    /// What `find -regex` has without `-regextype`.
    Emacs,
}

/// How a pattern is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flags {
    /// Case does not matter.
    pub(crate) ignore_case: bool,
    /// `^` and `$` are at newlines too, which `.` does not match.
    pub(crate) lines: bool,
    /// A character is one of UTF-8, not a byte.
    pub(crate) utf8: bool,
}

/// What must be around a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whole {
    /// Anything.
    Any,
    /// No part of a word.
    Word,
    /// The line's ends.
    Line,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            ignore_case: false,
            lines: false,
            utf8: true,
        }
    }
}

/// Why a pattern can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The real program refuses it too, in these words.
    #[error("{0}")]
    Invalid(&'static str),
    /// It is too large, or has a form that is not known here.
    #[error("{0}")]
    Unsupported(String),
}

impl Fault {
    /// The words of a pattern that is refused by the real program too; what is only
    /// refused here stops the script.
    pub(crate) fn invalid(self) -> Result<&'static str, Stop> {
        match self {
            Self::Invalid(words) => Ok(words),
            Self::Unsupported(what) => Err(Stop::unsupported(what)),
        }
    }
}

/// A regular expression, ready to match.
pub(crate) struct Pattern {
    groups: usize,
    bytewise: bool,
    engine: Engine,
}

enum Engine {
    /// No back-references.
    Linear {
        /// Finds whether and where a match begins.
        first: meta::Regex,
        /// Whether what `first` finds is the longest match already.
        exact: bool,
        /// The pattern in the engine's syntax.
        text: String,
        syntax: syntax::Config,
        /// Finds where the longest match from a place ends.
        longest: OnceCell<Box<Longest>>,
        /// Finds the groups of the longest match from a place.
        groups: OnceCell<Box<Groups>>,
    },
    Backtrack(backtrack::Program),
}

/// An engine, and the memory that it works in.
type Longest = (dfa::DFA, RefCell<dfa::Cache>);
type Groups = (pikevm::PikeVM, RefCell<pikevm::Cache>);

impl Pattern {
    /// Reads `source`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(source: &[u8], dialect: Dialect, flags: Flags) -> Result<Self, Fault> {
        let parsed = parse::parse(source, dialect, flags)?;
        Self::compile(&parsed, flags)
    }

    /// A pattern that matches what one of `sources` does, for grep. `whole` says what
    /// must be around a match.
    ///
    /// # Errors
    /// As [`Pattern::new`].
    pub(crate) fn any(
        sources: &[&[u8]],
        dialect: Option<Dialect>,
        whole: Whole,
        flags: Flags,
    ) -> Result<Self, Fault> {
        let mut all = Vec::new();
        let mut groups = 0;
        let mut back = false;
        for source in sources {
            let node = match dialect {
                Some(dialect) => {
                    let parsed = parse::parse(source, dialect, flags)?;
                    back |= parsed.back;
                    groups = parsed.groups;
                    parsed.node
                }
                None => parse::literal(source, flags.utf8),
            };
            all.push(node);
        }
        if back && all.len() > 1 {
            let what = "several patterns with back-references are not known";
            return Err(Fault::Unsupported(what.to_owned()));
        }
        let mut node = match all.pop() {
            Some(only) if all.is_empty() => only,
            last => {
                all.extend(last);
                Node::Alt(all)
            }
        };
        let around = match whole {
            Whole::Any => None,
            Whole::Word => Some((Look::NoWordBefore, Look::NoWordAfter)),
            Whole::Line => Some((Look::LineStart, Look::LineEnd)),
        };
        if let Some((before, after)) = around {
            node = Node::Concat(vec![Node::Look(before), node, Node::Look(after)]);
        }
        let parsed = parse::Parsed { node, groups, back };
        Self::compile(&parsed, flags)
    }

    /// A Perl pattern, where it is one that means the same to a linear engine.
    ///
    /// # Errors
    /// Where it is not.
    pub(crate) fn perl(source: &[u8], whole: Whole, flags: Flags) -> Result<Self, Fault> {
        let what = || Fault::Unsupported("this Perl regular expression is not known".to_owned());
        let text = std::str::from_utf8(source).map_err(|_| what())?;
        let foreign = [
            "++", "*+", "?+", "}+", "&&", "--", "~~", "\\<", "\\>", "\\b{", "(?x", "\\z", "\\R",
        ];
        let mut inside = text.char_indices().filter(|(_, c)| *c == '[').skip(1);
        let nested = inside.any(|(at, _)| {
            let before = &text[..at];
            let open = before
                .rfind('[')
                .is_some_and(|open| !before[open + 1..].contains(']'));
            open && !text[at..].starts_with("[:")
        });
        if nested || foreign.iter().any(|part| text.contains(part)) {
            return Err(what());
        }
        let text = match whole {
            Whole::Any => text.to_owned(),
            Whole::Word => format!("\\b{{start-half}}(?:{text})\\b{{end-half}}"),
            Whole::Line => format!("\\A(?:{text})\\z"),
        };
        let mut pattern = Self::compile_text(&text, 0, true, flags)?;
        pattern.groups = 0;
        Ok(pattern)
    }

    fn compile(parsed: &parse::Parsed, flags: Flags) -> Result<Self, Fault> {
        let groups = parsed.groups;
        if parsed.back {
            return Ok(Self {
                groups,
                bytewise: !flags.utf8,
                engine: Engine::Backtrack(backtrack::Program::new(parsed, flags)?),
            });
        }
        let text = translate::translate(&parsed.node, flags);
        let mut made = Self::compile_text(&text, groups, parsed.node.is_exact(), flags)?;
        let plain = !flags.ignore_case && parsed.node.is_bytewise();
        made.bytewise = plain || !flags.utf8;
        Ok(made)
    }

    fn compile_text(text: &str, groups: usize, exact: bool, flags: Flags) -> Result<Self, Fault> {
        let syntax = syntax::Config::new()
            .utf8(false)
            .unicode(true)
            .case_insensitive(flags.ignore_case)
            .nest_limit(1000);
        let config = meta::Regex::config()
            .utf8_empty(false)
            // Only where a match is, is asked of it: groups are another engine's.
            .which_captures(WhichCaptures::Implicit)
            // Most patterns see a few lines: what is made in advance does not pay.
            .dfa(false)
            .onepass(false)
            .nfa_size_limit(Some(SIZE));
        let first = meta::Regex::builder()
            .configure(config)
            .syntax(syntax)
            .build(text)
            .map_err(|_| Fault::Unsupported("a regular expression can't be compiled".to_owned()))?;
        Ok(Self {
            groups,
            bytewise: false,
            engine: Engine::Linear {
                first,
                exact,
                text: text.to_owned(),
                syntax,
                longest: OnceCell::new(),
                groups: OnceCell::new(),
            },
        })
    }

    /// How many groups it has.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// Where a search goes on after an empty match at `at`: behind the character there,
    /// or, as glibc has it for simple patterns, behind the byte.
    pub(crate) fn after_empty(&self, hay: &[u8], at: usize) -> usize {
        match hay.get(at..) {
            Some(rest) if !self.bytewise => at + bstr::decode_utf8(rest).1.max(1),
            _ => at + 1,
        }
    }

    /// Whether it matches somewhere in `hay`.
    ///
    /// # Errors
    /// A [`Stop`] where back-references take too many steps.
    pub(crate) fn is_match(&self, hay: &[u8]) -> Result<bool, Stop> {
        match &self.engine {
            Engine::Linear { first, .. } => Ok(first.is_match(hay)),
            Engine::Backtrack(program) => Ok(program.find(hay, 0)?.is_some()),
        }
    }

    /// The first match that begins at `from` or later. What is before `from` is seen by
    /// `^` and `\b`.
    ///
    /// # Errors
    /// As [`Pattern::is_match`].
    pub(crate) fn find(&self, hay: &[u8], from: usize) -> Result<Option<Span>, Stop> {
        match &self.engine {
            Engine::Linear { first, exact, .. } => {
                let Some(found) = first.search(&Input::new(hay).range(from..)) else {
                    return Ok(None);
                };
                if *exact {
                    return Ok(Some((found.start(), found.end())));
                }
                let input = Input::new(hay)
                    .range(found.start()..)
                    .anchored(Anchored::Yes);
                let (dfa, cache) = self.longest()?;
                match dfa.try_search_fwd(&mut cache.borrow_mut(), &input) {
                    Ok(Some(end)) => Ok(Some((found.start(), end.offset()))),
                    // Word boundaries beside other bytes than ASCII's.
                    _ => Ok(self.captures(hay, found.start())?.and_then(|all| all[0])),
                }
            }
            Engine::Backtrack(program) => Ok(program.find(hay, from)?.and_then(|groups| groups[0])),
        }
    }

    /// As [`Pattern::find`], with what each group matched: number 0 is the whole.
    ///
    /// # Errors
    /// As [`Pattern::is_match`].
    pub(crate) fn captures(
        &self,
        hay: &[u8],
        from: usize,
    ) -> Result<Option<Vec<Option<Span>>>, Stop> {
        match &self.engine {
            Engine::Linear { first, .. } => {
                let Some(found) = first.search(&Input::new(hay).range(from..)) else {
                    return Ok(None);
                };
                self.anchored(hay, found.start())
            }
            Engine::Backtrack(program) => program.find(hay, from),
        }
    }
}

impl Pattern {
    /// As [`Pattern::captures`], for a match that begins at the begin of `hay`.
    ///
    /// # Errors
    /// As [`Pattern::is_match`].
    pub(crate) fn captures_at(&self, hay: &[u8]) -> Result<Option<Vec<Option<Span>>>, Stop> {
        match &self.engine {
            Engine::Linear { .. } => self.anchored(hay, 0),
            Engine::Backtrack(program) => program.find_at(hay),
        }
    }

    /// The engine for the ends of the longest matches.
    fn longest(&self) -> Result<&Longest, Stop> {
        let Engine::Linear { longest, .. } = &self.engine else {
            return Err(large());
        };
        if let Some(found) = longest.get() {
            return Ok(found);
        }
        let config = dfa::DFA::config()
            .match_kind(MatchKind::All)
            .unicode_word_boundary(true)
            .skip_cache_capacity_check(true);
        let nfa = self.nfa(WhichCaptures::None)?;
        let dfa = dfa::DFA::builder().configure(config).build_from_nfa(nfa);
        let dfa = dfa.map_err(|_| large())?;
        let cache = RefCell::new(dfa.create_cache());
        Ok(longest.get_or_init(|| Box::new((dfa, cache))))
    }

    /// The engine for groups.
    fn group_engine(&self) -> Result<&Groups, Stop> {
        let Engine::Linear { groups, .. } = &self.engine else {
            return Err(large());
        };
        if let Some(found) = groups.get() {
            return Ok(found);
        }
        let config = pikevm::PikeVM::config().match_kind(MatchKind::All);
        let nfa = self.nfa(WhichCaptures::All)?;
        let vm = pikevm::PikeVM::builder()
            .configure(config)
            .build_from_nfa(nfa);
        let vm = vm.map_err(|_| large())?;
        let cache = RefCell::new(vm.create_cache());
        Ok(groups.get_or_init(|| Box::new((vm, cache))))
    }

    fn nfa(&self, captures: WhichCaptures) -> Result<thompson::NFA, Stop> {
        let Engine::Linear { text, syntax, .. } = &self.engine else {
            return Err(large());
        };
        let config = thompson::Config::new()
            .utf8(false)
            .nfa_size_limit(Some(SIZE))
            .which_captures(captures);
        let mut compiler = thompson::Compiler::new();
        let built = compiler.configure(config).syntax(*syntax).build(text);
        built.map_err(|_| large())
    }

    /// The groups of the longest match that begins at `from`.
    fn anchored(&self, hay: &[u8], from: usize) -> Result<Option<Vec<Option<Span>>>, Stop> {
        let input = Input::new(hay).range(from..).anchored(Anchored::Yes);
        let (vm, cache) = self.group_engine()?;
        let mut slots = vec![None; 2 * (self.groups + 1)];
        vm.search_slots(&mut cache.borrow_mut(), &input, &mut slots);
        let spans = slots.chunks(2).map(|pair| match pair {
            [Some(start), Some(end)] => Some((start.get(), end.get())),
            _ => None,
        });
        let spans: Vec<Option<Span>> = spans.collect();
        Ok(spans[0].is_some().then_some(spans))
    }
}

fn large() -> Stop {
    Stop::unsupported("a regular expression is too large")
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pattern")
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
