//! Brackets to nodes, from the inside out: every bracket's inside is split into segments, each is
//! parsed on its own, and the whole becomes one terminal for the segment around it. So an error
//! stays in its segment. An explicit stack is used: deep nesting needs no deep calls.

use rowan::TextRange;

use crate::arena::NodeId;
use crate::brackets::Sig;
use crate::error::{SyntaxCode, SyntaxError};
use crate::kind::SyntaxKind;
use crate::segment::{Entry, Item, SegmentParser, Term};
use crate::wording::Wording;

/// Parses balanced tokens. Returns the children of the file's node.
pub(crate) fn parse(parser: &mut SegmentParser<'_>, sigs: &[Sig]) -> Vec<NodeId> {
    let mut stack: Vec<Open> = Vec::new();
    let mut items: Vec<Item> = Vec::new();
    for (at, sig) in sigs.iter().enumerate() {
        if is_opener(sig.kind) {
            stack.push(Open {
                sig: *sig,
                outside: std::mem::take(&mut items),
            });
        } else if is_closer(sig.kind) {
            // Balanced: there is one. Without it, the token would only lose its meaning.
            let Some(open) = stack.pop() else { continue };
            let inside = std::mem::replace(&mut items, open.outside);
            let next = sigs.get(at + 1).map(|next| next.kind);
            let item = Group {
                parser,
                open: open.sig,
                close: *sig,
            }
            .finish(&inside, next);
            items.push(item);
        } else {
            let term = Term::Token(sig.kind);
            items.push(Item {
                term,
                start: sig.start,
                end: sig.end,
                tainted: sig.tainted,
            });
        }
    }
    file(parser, &items)
}

/// A bracket that is open, and what stands before it in the bracket around it.
struct Open {
    sig: Sig,
    outside: Vec<Item>,
}

fn is_opener(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::LBrace
            | SyntaxKind::LBracket
            | SyntaxKind::LParen
            | SyntaxKind::LetKw
            | SyntaxKind::StrOpen
            | SyntaxKind::InterpOpen
    )
}

fn is_closer(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::RBrace
            | SyntaxKind::RBracket
            | SyntaxKind::RParen
            | SyntaxKind::InKw
            | SyntaxKind::StrClose
            | SyntaxKind::InterpClose
    )
}

fn file(parser: &mut SegmentParser<'_>, items: &[Item]) -> Vec<NodeId> {
    if items.is_empty() {
        parser.errors.push(
            SyntaxError::new(
                SyntaxCode::ExpectedExpression,
                crate::text::range(0, 0),
                "this file is empty",
            )
            .help("a file is one expression: for an image, `let … in debian.image { … }`"),
        );
        return Vec::new();
    }
    parser.parse(Entry::Expr, items, None).nodes
}

/// A bracket whose inside is complete.
struct Group<'g, 'a> {
    parser: &'g mut SegmentParser<'a>,
    open: Sig,
    close: Sig,
}

/// What ends a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Semicolon,
    Comma,
    /// A new binding begins.
    None,
    /// The bracket's end.
    End,
}

impl Group<'_, '_> {
    fn finish(mut self, items: &[Item], next: Option<SyntaxKind>) -> Item {
        let (kind, term, children) = match self.open.kind {
            SyntaxKind::LBrace if is_pattern(items, next) => {
                let fields = self.separated(Entry::PatternField, items);
                (SyntaxKind::RecordPattern, SyntaxKind::RecordPattern, fields)
            }
            SyntaxKind::LBrace => (SyntaxKind::Record, SyntaxKind::Paren, self.bindings(items)),
            SyntaxKind::LetKw => (
                SyntaxKind::LetHead,
                SyntaxKind::LetHead,
                self.bindings(items),
            ),
            SyntaxKind::LBracket => (
                SyntaxKind::List,
                SyntaxKind::Paren,
                self.separated(Entry::Expr, items),
            ),
            SyntaxKind::LParen => (SyntaxKind::Paren, SyntaxKind::Paren, self.single(items)),
            SyntaxKind::InterpOpen => (
                SyntaxKind::Interpolation,
                SyntaxKind::Paren,
                self.single(items),
            ),
            _ => {
                let parts = items.iter().filter_map(|item| match item.term {
                    Term::Group(_, node) => Some(node),
                    Term::Token(_) => None,
                });
                (SyntaxKind::Str, SyntaxKind::Str, parts.collect())
            }
        };
        let (start, end) = (self.open.start, self.close.end);
        let node = self.parser.arena.node(kind, start, end, children);
        let tainted = self.open.tainted || self.close.tainted;
        Item {
            term: Term::Group(term, node),
            start,
            end,
            tainted,
        }
    }

    fn wording(&self) -> Wording<'_> {
        Wording {
            source: self.parser.source,
            tokens: self.parser.tokens,
        }
    }

    /// The closing bracket as an item.
    fn end(&self) -> Item {
        let Sig {
            kind,
            start,
            end,
            tainted,
        } = self.close;
        Item {
            term: Term::Token(kind),
            start,
            end,
            tainted,
        }
    }

    /// The inside of a parenthesis or `${}`.
    fn single(&mut self, items: &[Item]) -> Vec<NodeId> {
        let end = self.end();
        self.parser.parse(Entry::Expr, items, Some(end)).nodes
    }

    /// The elements of a list or the fields of a pattern.
    fn separated(&mut self, entry: Entry, items: &[Item]) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        // A spoilt list is not looked at closely: its separators may be the ones of bindings.
        let spoilt = self.close.tainted || items.iter().any(|item| item.tainted);
        let semicolons = || items.iter().filter(|item| item.is(SyntaxKind::Semi));
        if let Some(first) = semicolons().next()
            && !spoilt
        {
            let wording = self.wording();
            let mut error = SyntaxError::new(
                SyntaxCode::SemicolonInList,
                wording.range_of(first),
                "expected `,`, found `;`",
            )
            .help("elements and parameters are separated by commas");
            for semicolon in semicolons() {
                error = error.edit(wording.range_of(semicolon), ",");
            }
            self.parser.errors.push(error);
        }
        let is_end = |item: &Item| item.is(SyntaxKind::Comma) || item.is(SyntaxKind::Semi);
        let mut from = 0;
        while from < items.len() {
            let rest = items.get(from..).unwrap_or_default();
            let length = rest.iter().position(is_end).unwrap_or(rest.len());
            let segment = rest.get(..length).unwrap_or_default();
            let mut end = rest.get(length).copied().unwrap_or(self.end());
            end.tainted |= spoilt;
            from += length + 1;
            if entry == Entry::PatternField
                && segment.len() == 1
                && segment.iter().all(|item| item.is(SyntaxKind::Ellipsis))
            {
                if from < items.len() && !end.tainted {
                    self.rest_not_last(segment);
                }
                continue;
            }
            nodes.extend(self.parser.parse(entry, segment, Some(end)).nodes);
        }
        nodes
    }

    fn rest_not_last(&mut self, segment: &[Item]) {
        let place = segment.first().map(|item| self.wording().range_of(item));
        self.parser.errors.push(
            SyntaxError::new(
                SyntaxCode::ExpectedPattern,
                place.unwrap_or_default(),
                "`...` must be the last in a parameter",
            )
            .help("move it to the end"),
        );
    }

    /// The bindings of a record or `let`.
    fn bindings(&mut self, items: &[Item]) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        let mut commas: Vec<Item> = Vec::new();
        // Commas beside a bracket that was lost are probably those of its list.
        let spoilt = self.close.tainted || items.iter().any(|item| item.tainted);
        // Once `:` or `,` was reported, the same again in this bracket is no news.
        let mut colons = false;
        let mut missed: Option<TextRange> = None;
        let mut from = 0;
        while from < items.len() {
            let rest = items.get(from..).unwrap_or_default();
            let (length, separator) = self.binding_length(rest);
            let segment = rest.get(..length).unwrap_or_default();
            let mut after = rest.get(length).copied().unwrap_or(self.end());
            after.tainted |= spoilt && (separator == Separator::Comma || !commas.is_empty());
            let has_separator = matches!(separator, Separator::Semicolon | Separator::Comma);
            from += length + usize::from(has_separator);
            if separator == Separator::Comma {
                commas.push(after);
            }
            if segment.is_empty() {
                if separator == Separator::Semicolon && !after.tainted {
                    self.extra_semicolon(after);
                }
                continue;
            }
            let mut segment = segment.to_vec();
            if colons {
                replace_colon(&mut segment);
            }
            let has_colon = colon_after_key(&segment).is_some();
            let outcome = self.parser.parse(Entry::Binding, &segment, Some(after));
            colons |= has_colon;
            let mut made = outcome.nodes.into_iter();
            if let Some(node) = made.next() {
                for rest in made {
                    self.parser.arena.append(node, rest);
                }
                nodes.push(node);
            }
            if let Some(last) = segment.last()
                && !has_separator
                && outcome.clean
            {
                let place = TextRange::empty(self.wording().last_range_of(last).end());
                if separator == Separator::End && !commas.is_empty() {
                    missed = Some(place);
                } else {
                    self.missing_semicolon(place);
                }
            }
        }
        if let Some(first) = commas.first()
            && !spoilt
        {
            self.commas(*first, &commas, missed);
        }
        nodes
    }

    /// How long the binding at the start of `items` is, and what ends it.
    fn binding_length(&self, items: &[Item]) -> (usize, Separator) {
        let mut first_eq = None;
        for (at, item) in items.iter().enumerate() {
            match item.term {
                Term::Token(SyntaxKind::Semi) => return (at, Separator::Semicolon),
                Term::Token(SyntaxKind::Comma) => return (at, Separator::Comma),
                Term::Token(SyntaxKind::Eq) => match first_eq {
                    None => first_eq = Some(at),
                    Some(first) => {
                        let key = key_start(items, at);
                        if key > first + 1 && key < at {
                            return (key, Separator::None);
                        }
                    }
                },
                _ if at > 0 && self.starts_line(item) && begins_binding(items, at) => {
                    return (at, Separator::None);
                }
                _ => {}
            }
        }
        (items.len(), Separator::End)
    }

    fn starts_line(&self, item: &Item) -> bool {
        let before = (item.start as usize).checked_sub(1);
        let before = before.and_then(|at| self.parser.tokens.get(at));
        before.is_some_and(|before| {
            before.kind == SyntaxKind::Whitespace && before.text(self.parser.source).contains('\n')
        })
    }

    fn extra_semicolon(&mut self, semicolon: Item) {
        let place = self.wording().range_of(&semicolon);
        self.parser.errors.push(
            SyntaxError::new(SyntaxCode::Unexpected, place, "unexpected `;`")
                .label("there is no binding before it")
                .help("remove it")
                .edit(place, ""),
        );
    }

    fn missing_semicolon(&mut self, place: TextRange) {
        self.parser.errors.push(
            SyntaxError::new(
                SyntaxCode::MissingSemicolon,
                place,
                "this binding does not end in `;`",
            )
            .label("expected `;`")
            .help("write `;` after every binding, the last one too")
            .edit(place, ";"),
        );
    }

    fn commas(&mut self, first: Item, commas: &[Item], missed: Option<TextRange>) {
        let wording = self.wording();
        let mut error = SyntaxError::new(
            SyntaxCode::CommaBetweenBindings,
            wording.range_of(&first),
            "expected `;`, found `,`",
        )
        .help("bindings end in `;`; commas separate the elements of a list");
        for comma in commas {
            error = error.edit(wording.range_of(comma), ";");
        }
        if let Some(missed) = missed {
            error = error.edit(missed, ";");
        }
        self.parser.errors.push(error);
    }
}

/// Whether braces are a function's parameter: `=>` follows, or only a parameter has such a thing.
fn is_pattern(items: &[Item], next: Option<SyntaxKind>) -> bool {
    next == Some(SyntaxKind::Arrow)
        || items
            .iter()
            .any(|item| item.is(SyntaxKind::Ellipsis) || item.is(SyntaxKind::Question))
        || next == Some(SyntaxKind::Colon)
}

fn is_key(item: Option<&Item>) -> bool {
    item.is_some_and(|item| {
        item.is(SyntaxKind::Ident) || matches!(item.term, Term::Group(SyntaxKind::Str, _))
    })
}

/// Longest key path that is looked for.
const LONGEST_KEY: usize = 32;

/// Where the `=` or `:` after the key path at `from` is.
fn key_end(items: &[Item], from: usize) -> Option<usize> {
    let mut at = from;
    while at < from + LONGEST_KEY && is_key(items.get(at)) {
        at += 1;
        if !items.get(at)?.is(SyntaxKind::Dot) {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn begins_binding(items: &[Item], from: usize) -> bool {
    key_end(items, from)
        .and_then(|at| items.get(at))
        .is_some_and(|item| item.is(SyntaxKind::Eq))
}

/// Where the key path before the `=` at `eq` begins; `eq` itself if there is none.
fn key_start(items: &[Item], eq: usize) -> usize {
    let mut start = eq;
    for _ in 0..LONGEST_KEY {
        let Some(before) = start.checked_sub(1) else {
            break;
        };
        if !is_key(items.get(before)) {
            break;
        }
        start = before;
        match start.checked_sub(1) {
            Some(dot) if items.get(dot).is_some_and(|item| item.is(SyntaxKind::Dot)) => start = dot,
            _ => break,
        }
    }
    // A path that begins with `.` belongs to what is before it.
    if items
        .get(start)
        .is_some_and(|item| item.is(SyntaxKind::Dot))
    {
        eq
    } else {
        start
    }
}

fn colon_after_key(items: &[Item]) -> Option<usize> {
    key_end(items, 0).filter(|&at| items.get(at).is_some_and(|item| item.is(SyntaxKind::Colon)))
}

fn replace_colon(items: &mut [Item]) {
    if let Some(item) = colon_after_key(items).and_then(|at| items.get_mut(at)) {
        item.term = Term::Token(SyntaxKind::Eq);
    }
}
