//! Brackets to nodes, from the inside out: every bracket's inside is split into segments, each is
//! parsed on its own, and the whole becomes one terminal for the segment around it. So an error
//! stays in its segment. An explicit stack is used: deep nesting needs no deep calls.

use crate::arena::NodeId;
use crate::bindings;
use crate::brackets::Sig;
use crate::error::{SyntaxCode, SyntaxError};
use crate::kind::SyntaxKind;
use crate::segment::{Entry, Item, SegmentParser, Term};
use crate::shape::{Shape, shapes};
use crate::wording::Wording;

/// Parses balanced tokens. Returns the children of the file's node.
pub(crate) fn parse(parser: &mut SegmentParser<'_>, sigs: &[Sig], entry: Entry) -> Vec<NodeId> {
    let shapes = shapes(sigs);
    // What stands before a bracket that is open stays at the bottom while its inside is read.
    let mut items: Vec<Item> = Vec::new();
    let mut stack: Vec<Frame> = Vec::new();
    let mut frame = Frame::new(
        match entry {
            Entry::Type => Role::Type,
            _ => Role::Single,
        },
        None,
        0,
    );
    for (sig, shape) in sigs.iter().zip(&shapes) {
        if is_opener(sig.kind) {
            let role = frame.role_of(sig.kind, *shape);
            let inside = Frame::new(role, Some(*sig), items.len());
            stack.push(std::mem::replace(&mut frame, inside));
        } else if is_closer(sig.kind)
            // Balanced: there is one. Without it, the token would only lose its meaning.
            && let Some(outside) = stack.pop()
        {
            let inside = std::mem::replace(&mut frame, outside);
            let group = Group {
                parser,
                role: inside.role,
                open: inside.open.unwrap_or(*sig),
                close: *sig,
            };
            let item = group.finish(items.get(inside.from..).unwrap_or_default());
            items.truncate(inside.from);
            frame.group(&item);
            items.push(item);
        } else {
            items.push(Item {
                term: Term::Token(frame.token(sig.kind, *shape)),
                start: sig.start,
                end: sig.end,
                tainted: sig.tainted,
            });
        }
    }
    file(parser, &items, entry)
}

/// What the inside of a bracket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Record,
    Arms,
    /// The `{ a, b }` of a function.
    Fields,
    /// The `(x : T)` of a function, if it is one.
    Param,
    Let,
    List,
    /// One expression: a parenthesis, a `${}`, the file.
    Single,
    Str,
    /// Any bracket among types.
    Type,
}

/// A bracket that is open, and what is known of the place that is being read in it.
#[derive(Debug, Clone, Copy)]
struct Frame {
    role: Role,
    open: Option<Sig>,
    /// Where its inside begins.
    from: usize,
    /// Whether this is the place of a type.
    in_type: bool,
    /// Whether this is the place of a default, in a parameter.
    in_default: bool,
    /// Whether a type is being declared: then it comes after `=`.
    declares: bool,
    /// How many `match` wait for their arms in this segment.
    matches: u32,
}

impl Frame {
    fn new(role: Role, open: Option<Sig>, from: usize) -> Self {
        Self {
            role,
            open,
            from,
            in_type: role == Role::Type,
            in_default: false,
            declares: false,
            matches: 0,
        }
    }

    /// What a bracket is that is opened at this place.
    fn role_of(&self, open: SyntaxKind, shape: Shape) -> Role {
        match open {
            SyntaxKind::LBrace | SyntaxKind::LBracket | SyntaxKind::LParen if self.in_type => {
                Role::Type
            }
            // A pattern in a pattern, which is an error.
            SyntaxKind::LBrace if self.role == Role::Fields && !self.in_default => Role::Fields,
            SyntaxKind::LBrace => match shape {
                Shape::Parameter => Role::Fields,
                Shape::Type => Role::Type,
                Shape::Arms => Role::Arms,
                Shape::Undecided { last: true } if self.matches > 0 => Role::Arms,
                _ => Role::Record,
            },
            SyntaxKind::LParen if shape == Shape::Parameter => Role::Param,
            SyntaxKind::LBracket => Role::List,
            SyntaxKind::LetKw => Role::Let,
            SyntaxKind::StrOpen => Role::Str,
            _ => Role::Single,
        }
    }

    /// Takes note of a token. Returns what it is for the grammar.
    fn token(&mut self, kind: SyntaxKind, shape: Shape) -> SyntaxKind {
        let typed = self.role == Role::Type;
        match kind {
            SyntaxKind::Colon => {
                if !typed && self.role != Role::Fields && shape != Shape::Annotation {
                    return SyntaxKind::Colon;
                }
                self.in_type = true;
                return SyntaxKind::TypeColon;
            }
            SyntaxKind::Eq => {
                self.in_type = typed || self.declares;
                self.declares = false;
                self.in_default = true;
            }
            SyntaxKind::Question => {
                self.in_type = typed;
                self.in_default = true;
            }
            SyntaxKind::Semi | SyntaxKind::Comma => {
                self.in_type = typed;
                self.in_default = false;
                self.declares = false;
                self.matches = 0;
            }
            SyntaxKind::TypeKw => self.declares = true,
            SyntaxKind::MatchKw => self.matches += 1,
            _ => {}
        }
        kind
    }

    /// Takes note of a bracket that is complete.
    fn group(&mut self, item: &Item) {
        if matches!(item.term, Term::Group(SyntaxKind::Arms, _)) {
            self.matches = self.matches.saturating_sub(1);
        }
    }
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

fn file(parser: &mut SegmentParser<'_>, items: &[Item], entry: Entry) -> Vec<NodeId> {
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
    parser.parse(entry, items, None).nodes().collect()
}

/// A bracket whose inside is complete.
pub(crate) struct Group<'g, 'a> {
    pub(crate) parser: &'g mut SegmentParser<'a>,
    role: Role,
    open: Sig,
    pub(crate) close: Sig,
}

impl Group<'_, '_> {
    fn finish(mut self, items: &[Item]) -> Item {
        // The kind of the node, what the grammar takes it for, and the parts.
        let (kind, term, children) = match (self.role, self.open.kind) {
            (Role::Record, _) => (
                SyntaxKind::Record,
                SyntaxKind::Paren,
                bindings::parse(&mut self, Entry::Binding, items),
            ),
            (Role::Let, _) => (
                SyntaxKind::LetHead,
                SyntaxKind::LetHead,
                bindings::parse(&mut self, Entry::Binding, items),
            ),
            (Role::Arms, _) => {
                let arms = bindings::parse(&mut self, Entry::Arm, items);
                if items.is_empty() {
                    self.no_arms();
                }
                (SyntaxKind::Arms, SyntaxKind::Arms, arms)
            }
            (Role::Fields, _) => {
                let fields = self.separated(Entry::PatternField, items);
                (SyntaxKind::RecordPattern, SyntaxKind::RecordPattern, fields)
            }
            (Role::Type, SyntaxKind::LBrace) => {
                let fields = self.separated(Entry::TypeField, items);
                (SyntaxKind::TypeRecord, SyntaxKind::TypeParen, fields)
            }
            (Role::Type, SyntaxKind::LBracket) => {
                let element = self.single(Entry::Type, items);
                (SyntaxKind::TypeList, SyntaxKind::TypeParen, element)
            }
            (Role::Type, _) => {
                let inner = self.single(Entry::Type, items);
                (SyntaxKind::TypeParen, SyntaxKind::TypeParen, inner)
            }
            (Role::List, _) => {
                let elements = self.separated(Entry::Expr, items);
                (SyntaxKind::List, SyntaxKind::Paren, elements)
            }
            (Role::Param, _) if is_param(items) => {
                let inside = self.single(Entry::Param, items);
                self.untyped_param(items);
                (SyntaxKind::NamePattern, SyntaxKind::NamePattern, inside)
            }
            (Role::Str, _) => {
                let parts = items.iter().filter_map(|item| match item.term {
                    Term::Group(_, node) => Some(node),
                    Term::Token(_) | Term::Start(_) => None,
                });
                (SyntaxKind::Str, SyntaxKind::Str, parts.collect())
            }
            (_, SyntaxKind::InterpOpen) => {
                let inner = self.single(Entry::Expr, items);
                (SyntaxKind::Interpolation, SyntaxKind::Paren, inner)
            }
            _ if items.iter().any(|item| item.is(SyntaxKind::TypeColon)) => {
                let inside = self.single(Entry::Ascription, items);
                (SyntaxKind::Ascribe, SyntaxKind::Paren, inside)
            }
            _ => {
                let inner = self.single(Entry::Expr, items);
                (SyntaxKind::Paren, SyntaxKind::Paren, inner)
            }
        };
        let (start, end) = (self.open.start, self.close.end);
        let node = self.parser.arena.wrap(kind, start, end, &children);
        let tainted = self.open.tainted || self.close.tainted;
        Item {
            term: Term::Group(term, node),
            start,
            end,
            tainted,
        }
    }

    pub(crate) fn wording(&self) -> Wording<'_> {
        Wording {
            source: self.parser.source,
            tokens: self.parser.tokens,
        }
    }

    /// The closing bracket as an item.
    pub(crate) fn end(&self) -> Item {
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

    /// Whether these are the bindings of a `let`.
    pub(crate) fn is_let(&self) -> bool {
        self.role == Role::Let
    }

    /// The inside of a parenthesis, `${}` or type's bracket.
    fn single(&mut self, entry: Entry, items: &[Item]) -> Vec<NodeId> {
        let end = self.end();
        self.parser.parse(entry, items, Some(end)).nodes().collect()
    }

    /// The elements of a list, or the fields of a pattern or type.
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
            .help(match entry {
                Entry::TypeField => "the fields of a record type are separated by commas",
                _ => "elements and parameters are separated by commas",
            });
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
            if let Some(rest) = self.row_rest(entry, segment) {
                nodes.extend(rest);
                if from < items.len() && !end.tainted {
                    self.rest_not_last(entry, segment);
                }
                continue;
            }
            nodes.extend(self.parser.parse(entry, segment, Some(end)).nodes());
        }
        nodes
    }

    /// The `...` of a pattern, which has no node, or the `...` or `...r` of a type, which has one.
    fn row_rest(&mut self, entry: Entry, segment: &[Item]) -> Option<Option<NodeId>> {
        let (first, name) = match segment {
            [first] => (first, None),
            [first, name] if entry == Entry::TypeField => (first, Some(name)),
            _ => return None,
        };
        if !first.is(SyntaxKind::Ellipsis)
            || name.is_some_and(|name| !name.is(SyntaxKind::Ident))
            || !matches!(entry, Entry::PatternField | Entry::TypeField)
        {
            return None;
        }
        if entry == Entry::PatternField {
            return Some(None);
        }
        let arena = &mut self.parser.arena;
        let node = match name {
            None => arena.node(SyntaxKind::TypeRest, first.start, first.end, &[]),
            Some(name) => {
                let inner = arena.node(SyntaxKind::Name, name.start, name.end, &[]);
                arena.node(SyntaxKind::TypeRest, first.start, name.end, &[inner])
            }
        };
        Some(Some(node))
    }

    fn rest_not_last(&mut self, entry: Entry, segment: &[Item]) {
        let place = segment.first().map(|item| self.wording().range_of(item));
        let (code, what) = match entry {
            Entry::TypeField => (SyntaxCode::ExpectedType, "record type"),
            _ => (SyntaxCode::ExpectedPattern, "parameter"),
        };
        self.parser.errors.push(
            SyntaxError::new(
                code,
                place.unwrap_or_default(),
                format!("`...` must be the last in a {what}"),
            )
            .help("move it to the end"),
        );
    }

    /// Reports the parentheses of `(x) => e`.
    fn untyped_param(&mut self, items: &[Item]) {
        let [name] = items else { return };
        if name.tainted || self.open.tainted || self.close.tainted {
            return;
        }
        let wording = self.wording();
        let (name, end) = (wording.range_of(name), wording.range_of(&self.end()));
        let start = wording.token_range(self.open.start);
        self.parser.errors.push(
            SyntaxError::new(
                SyntaxCode::ExpectedPattern,
                start.cover(end),
                "a parameter without a type stands without parentheses",
            )
            .help("write the name alone, `x => …`, or its type, `(x : Int) => …`")
            .edit(text_size::TextRange::new(start.start(), name.start()), "")
            .edit(text_size::TextRange::new(name.end(), end.end()), ""),
        );
    }

    fn no_arms(&mut self) {
        if self.open.tainted || self.close.tainted {
            return;
        }
        let place = self.wording().range_of(&self.end());
        self.parser.errors.push(
            SyntaxError::new(
                SyntaxCode::IncompleteMatch,
                place,
                "this `match` has no arms",
            )
            .help("an arm is written `Tag => value;`"),
        );
    }
}

/// Whether the inside of a parenthesis before `=>` is a parameter with a type, or a name alone.
fn is_param(items: &[Item]) -> bool {
    items.iter().any(|item| item.is(SyntaxKind::TypeColon))
        || matches!(items, [item] if item.is(SyntaxKind::Ident))
}
