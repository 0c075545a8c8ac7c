//! The repair of brackets that are not balanced, by counting and by layout.

use text_size::TextRange;

use super::layout::{self, Place};
use super::{Shape, Sig, excess, is_barrier_close, is_barrier_open, words};
use crate::error::Errors;
use crate::kind::SyntaxKind;
use crate::lex::{Lexed, Token};
use crate::text::range;

/// The significant tokens made balanced. Errors go to `lexed.errors`.
pub(super) fn repair(source: &str, lexed: &mut Lexed, sigs: &[Sig]) -> Vec<Sig> {
    let places = layout::places(&lexed.tokens, source, sigs);
    let mut repair = Repair {
        tokens: &lexed.tokens,
        errors: &mut lexed.errors,
        sigs,
        places,
        out: Vec::with_capacity(sigs.len() + 8),
        insertions: Vec::new(),
        stack: Vec::new(),
        base: Frame::default(),
        excess: excess(sigs),
    };
    repair.run();
    let Repair {
        out, insertions, ..
    } = repair;
    merge(out, insertions)
}

/// A bracket that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// Nothing for a string or `${`, which no bracket reaches across.
    shape: Option<Shape>,
    sig: Sig,
    place: Place,
    frame: Frame,
    /// How many brackets of each shape were open outside, up to the next barrier.
    outside: [u32; Shape::COUNT],
}

/// What has been seen directly inside a bracket.
#[derive(Debug, Clone, Copy, Default)]
struct Frame {
    /// Whether something inside is spoilt by an error that was reported.
    tainted: bool,
    /// Where in the output the part after the last `;` begins.
    segment: usize,
    /// Whether there is a `=` in that part.
    has_eq: bool,
    /// Whether there is anything in that part.
    has_any: bool,
    /// Where in the output the inside begins.
    content: usize,
    /// Where in the output the first line `key = …` begins.
    first_key: Option<usize>,
    /// Whether there is a `=` or `;` anywhere inside.
    has_bindings: bool,
    /// Whether there is a `,` anywhere inside.
    has_comma: bool,
    /// How the line is indented on which the part after the last `;` begins.
    indent: u32,
    /// Whether a `match` in that part still waits for its arms.
    has_match: bool,
    /// Where in the output a `{` may be missing, in the midst of a part: before a line `key = …`, or
    /// before the first arm of a `match`.
    lost_brace: Option<usize>,
}

struct Repair<'a> {
    tokens: &'a [Token],
    sigs: &'a [Sig],
    places: Vec<Place>,
    out: Vec<Sig>,
    /// Tokens to put in, each before an index of `out`.
    insertions: Vec<(usize, Sig)>,
    stack: Vec<Open>,
    /// The file outside of all brackets.
    base: Frame,
    excess: [i64; Shape::COUNT],
    errors: &'a mut Errors,
}

/// How far down the stack the layout is compared. Bounded, so that time stays linear.
const LAYOUT_REACH: usize = 64;

impl Repair<'_> {
    fn run(&mut self) {
        let mut open = [0; Shape::COUNT];
        for (at, &sig) in self.sigs.iter().enumerate() {
            let place = self.places.get(at).copied().unwrap_or_default();
            if place.first && (self.is_key_line(at) || self.is_arm_line(at)) {
                self.key_line(place, &mut open);
            }
            if !self.frame().has_any {
                self.frame().indent = place.indent;
            }
            if sig.kind == SyntaxKind::Semi {
                self.semicolon(&mut open);
            }
            if let Some(shape) = Shape::opened_by(sig.kind) {
                self.note(sig);
                self.stack.push(self.opening(Some(shape), sig, place, open));
                open[shape.index()] += 1;
                self.out.push(sig);
            } else if is_barrier_open(sig.kind) {
                self.note(sig);
                self.stack.push(self.opening(None, sig, place, open));
                open = [0; Shape::COUNT];
                self.out.push(sig);
            } else if let Some(shape) = Shape::closed_by(sig.kind) {
                self.closing(at, shape, sig, place, &mut open);
            } else if is_barrier_close(sig.kind) {
                self.close_to_barrier(&mut open);
                if let Some(barrier) = self.stack.pop() {
                    open = barrier.outside;
                }
                self.out.push(sig);
            } else {
                self.note(sig);
                self.out.push(sig);
            }
        }
        self.close_to_barrier(&mut open);
    }

    fn opening(
        &self,
        shape: Option<Shape>,
        sig: Sig,
        place: Place,
        outside: [u32; Shape::COUNT],
    ) -> Open {
        let content = self.out.len() + 1;
        let frame = Frame {
            content,
            segment: content,
            ..Frame::default()
        };
        Open {
            shape,
            sig,
            place,
            frame,
            outside,
        }
    }

    fn frame(&mut self) -> &mut Frame {
        self.stack
            .last_mut()
            .map_or(&mut self.base, |open| &mut open.frame)
    }

    /// Keeps account of a token that is about to be put out.
    fn note(&mut self, sig: Sig) {
        let next = self.out.len() + 1;
        let frame = self.frame();
        frame.tainted |= sig.tainted;
        frame.has_any = true;
        match sig.kind {
            SyntaxKind::Eq => {
                frame.has_eq = true;
                frame.has_bindings = true;
            }
            SyntaxKind::MatchKw => frame.has_match = true,
            SyntaxKind::Arrow if frame.has_match => {
                frame.has_match = false;
                self.lost_arms();
            }
            SyntaxKind::Semi => {
                frame.segment = next;
                frame.has_match = false;
                frame.has_eq = false;
                frame.has_any = false;
                frame.has_bindings = true;
            }
            SyntaxKind::Comma => {
                frame.has_comma = true;
                if !frame.has_bindings {
                    frame.content = next;
                }
            }
            _ => {}
        }
    }

    /// A `=>` after `match` with no brace between: notes where its pattern begins.
    fn lost_arms(&mut self) {
        let kind = |back: usize| {
            let at = self.out.len().checked_sub(back)?;
            self.out.get(at).map(|sig| sig.kind)
        };
        let length = match (kind(2), kind(1)) {
            (Some(SyntaxKind::UpperIdent), Some(SyntaxKind::Ident))
            | (Some(SyntaxKind::Minus), Some(SyntaxKind::Int))
            | (Some(SyntaxKind::StrOpen), Some(SyntaxKind::StrClose)) => 2,
            _ => 1,
        };
        let at = self.out.len().saturating_sub(length);
        let after_match = self
            .out
            .get(at.saturating_sub(1))
            .is_some_and(|before| before.kind == SyntaxKind::MatchKw);
        if !after_match {
            self.frame().lost_brace = Some(at);
        }
    }

    /// Whether `key.key =`, `key : Type =` or `type Name =` begins at this token.
    fn is_key_line(&self, at: usize) -> bool {
        const LONGEST: usize = 16;
        let kind = |at: usize| self.sigs.get(at).map(|sig| sig.kind);
        if kind(at) == Some(SyntaxKind::TypeKw) {
            return kind(at + 1) == Some(SyntaxKind::UpperIdent);
        }
        let mut at = at;
        for _ in 0..LONGEST {
            match (kind(at), kind(at + 1)) {
                (Some(SyntaxKind::Ident | SyntaxKind::UpperIdent), _) => at += 1,
                (Some(SyntaxKind::StrOpen), Some(SyntaxKind::StrClose)) => at += 2,
                _ => return false,
            }
            match kind(at) {
                Some(SyntaxKind::Eq) => return true,
                Some(SyntaxKind::Dot) => at += 1,
                Some(SyntaxKind::Colon) => return self.is_annotation(at + 1),
                _ => return false,
            }
        }
        false
    }

    /// Whether a type and then `=` stand here, and not a field of a record type.
    fn is_annotation(&self, from: usize) -> bool {
        const LONGEST: usize = 64;
        let mut depth = 0_u32;
        for sig in self.sigs.iter().skip(from).take(LONGEST) {
            match sig.kind {
                SyntaxKind::Eq => return depth == 0,
                SyntaxKind::LBrace | SyntaxKind::LBracket | SyntaxKind::LParen => depth += 1,
                SyntaxKind::RBrace | SyntaxKind::RBracket | SyntaxKind::RParen => {
                    let Some(outer) = depth.checked_sub(1) else {
                        return false;
                    };
                    depth = outer;
                }
                SyntaxKind::Comma if depth == 0 => return false,
                SyntaxKind::Ident
                | SyntaxKind::UpperIdent
                | SyntaxKind::ThinArrow
                | SyntaxKind::Bar
                | SyntaxKind::Ellipsis
                | SyntaxKind::StrOpen
                | SyntaxKind::StrClose
                | SyntaxKind::Comma
                | SyntaxKind::Question
                | SyntaxKind::Colon => {}
                _ => return false,
            }
        }
        false
    }

    /// Whether another arm of a `match` begins at this token, after a `;`.
    fn is_arm_line(&self, at: usize) -> bool {
        let kind = |at: usize| self.sigs.get(at).map(|sig| sig.kind);
        let after_semicolon = at
            .checked_sub(1)
            .is_some_and(|before| kind(before) == Some(SyntaxKind::Semi));
        after_semicolon
            && match (kind(at), kind(at + 1)) {
                (Some(SyntaxKind::UpperIdent), Some(SyntaxKind::LBrace)) => true,
                (Some(SyntaxKind::UpperIdent), Some(SyntaxKind::Ident))
                | (Some(SyntaxKind::Minus), Some(SyntaxKind::Int))
                | (Some(SyntaxKind::StrOpen), Some(SyntaxKind::StrClose)) => {
                    kind(at + 2) == Some(SyntaxKind::Arrow)
                }
                (_, next) => next == Some(SyntaxKind::Arrow),
            }
    }

    /// A line `key = …`: ends every list and parenthesis, and every block that is not further out.
    fn key_line(&mut self, place: Place, open: &mut [u32; Shape::COUNT]) {
        while let Some(&top) = self.stack.last() {
            let Some(shape) = top.shape else { break };
            let lacks = self.excess[shape.index()] > 0;
            let ends = match shape {
                Shape::Bracket | Shape::Paren => self.in_block(),
                Shape::Brace | Shape::Let => {
                    place.indent <= top.place.indent && self.stack.len() > 1
                }
            };
            if !(lacks && ends) {
                break;
            }
            self.close_top(open, true);
        }
        let at = self.out.len();
        let frame = self.frame();
        frame.first_key.get_or_insert(at);
        if frame.has_any && place.indent > frame.indent {
            frame.lost_brace = Some(at);
        }
    }

    /// A `;`: ends every list, parenthesis, parameter and type inside a block, if such ends are
    /// missing.
    fn semicolon(&mut self, open: &mut [u32; Shape::COUNT]) {
        while let Some(&Open {
            shape: Some(shape),
            frame,
            ..
        }) = self.stack.last()
            && self.excess[shape.index()] > 0
        {
            let ends = match shape {
                Shape::Bracket | Shape::Paren => self.in_block(),
                Shape::Brace => frame.has_comma && !frame.has_bindings,
                Shape::Let => false,
            };
            if !ends {
                break;
            }
            self.close_top(open, false);
        }
    }

    /// Whether the lists and parentheses that are open stand in a record or `let`.
    fn in_block(&self) -> bool {
        let outer = self
            .stack
            .iter()
            .rev()
            .take(LAYOUT_REACH)
            .find(|open| !matches!(open.shape, Some(Shape::Bracket | Shape::Paren)));
        outer.is_some_and(|open| open.shape.is_some())
    }

    fn closing(
        &mut self,
        at: usize,
        shape: Shape,
        sig: Sig,
        place: Place,
        open: &mut [u32; Shape::COUNT],
    ) {
        let surplus = self.excess[shape.index()] < 0;
        if open[shape.index()] == 0 {
            if surplus && self.open_late(shape, sig) {
                return;
            }
            if self.wrong_closer(shape, sig, place, open) {
                return;
            }
            return self.stray(shape, sig);
        }
        if self.excess[shape.index()] > 0 && place.first {
            self.close_deeper(shape, place, open);
        }
        let top = self.stack.last().copied();
        if let Some(top) = top
            && top.shape != Some(shape)
        {
            let top_lacks = top.shape.is_some_and(|top| self.excess[top.index()] > 0);
            if surplus && top_lacks && self.wrong_closer(shape, sig, place, open) {
                return;
            }
            if surplus && !top_lacks {
                if !self.open_late(shape, sig) {
                    self.stray(shape, sig);
                }
                return;
            }
            while self
                .stack
                .last()
                .is_some_and(|open| open.shape != Some(shape))
            {
                self.close_top(open, false);
            }
        } else if let Some(top) = top
            && surplus
            && shape == Shape::Brace
            && top.place.line != place.line
            && (!place.first || place.indent > top.place.indent)
            && !self.is_last_closer(at)
        {
            if !self.open_late(shape, sig) {
                self.stray(shape, sig);
            }
            return;
        }
        if let Some(popped) = self.stack.pop() {
            if shape == Shape::Brace {
                self.frame().has_match = false;
            }
            open[shape.index()] = popped.outside[shape.index()];
            self.out.push(Sig {
                tainted: sig.tainted || popped.sig.tainted,
                ..sig
            });
        }
    }

    fn is_last_closer(&self, at: usize) -> bool {
        at + 1 >= self.sigs.len()
    }

    /// Closes the brackets that are indented deeper than a closing one at the start of a line, if
    /// one at just its indentation is open too.
    fn close_deeper(&mut self, shape: Shape, place: Place, open: &mut [u32; Shape::COUNT]) {
        let deeper = self
            .stack
            .iter()
            .rev()
            .take(LAYOUT_REACH)
            .take_while(|open| open.shape.is_some() && open.place.indent > place.indent)
            .count();
        let partner = self
            .stack
            .len()
            .checked_sub(deeper + 1)
            .and_then(|at| self.stack.get(at));
        let fits = partner.is_some_and(|partner| {
            partner.shape == Some(shape) && partner.place.indent == place.indent
        });
        if fits {
            for _ in 0..deeper {
                self.close_top(open, true);
            }
        }
    }

    /// A bracket closed by one of another shape on the same line.
    fn wrong_closer(
        &mut self,
        shape: Shape,
        sig: Sig,
        place: Place,
        open: &mut [u32; Shape::COUNT],
    ) -> bool {
        let Some(&top) = self.stack.last() else {
            return false;
        };
        let Some(wanted) = top.shape else {
            return false;
        };
        let brackets = wanted != Shape::Let && shape != Shape::Let;
        if !brackets || top.place.line != place.line || self.excess[wanted.index()] <= 0 {
            return false;
        }
        self.excess[wanted.index()] -= 1;
        self.excess[shape.index()] += 1;
        let (at, opened) = (self.range_of(sig), self.range_of(top.sig));
        self.errors
            .push(words::wrong_closer(wanted, shape, at, opened));
        self.stack.pop();
        open[wanted.index()] = top.outside[wanted.index()];
        self.frame().tainted = true;
        self.out.push(Sig {
            kind: wanted.closer(),
            tainted: true,
            ..sig
        });
        true
    }

    /// A closing one without an opening: puts the opening in, where bindings show its place.
    fn open_late(&mut self, shape: Shape, sig: Sig) -> bool {
        let frame = *self.frame();
        let in_block = self
            .stack
            .last()
            .is_some_and(|open| matches!(open.shape, Some(Shape::Brace | Shape::Let)));
        let at = match shape {
            Shape::Let if !in_block && frame.has_bindings => Some(frame.content),
            Shape::Brace if !in_block => frame.lost_brace.or(frame.first_key),
            Shape::Brace => frame.lost_brace,
            _ => None,
        };
        let Some(at) = at else { return false };
        let Some(&first) = self.out.get(at) else {
            return false;
        };
        self.excess[shape.index()] += 1;
        let opener = Sig {
            kind: shape.opener(),
            start: first.start,
            end: first.start,
            tainted: true,
        };
        let missed = TextRange::empty(self.range_of(first).start());
        self.errors
            .push(words::stray(shape, self.range_of(sig), Some(missed)));
        self.insertions.push((at, opener));
        self.out.push(Sig {
            tainted: true,
            ..sig
        });
        let frame = self.frame();
        frame.tainted = true;
        frame.has_bindings = false;
        frame.first_key = None;
        frame.lost_brace = None;
        // A later opening must not come to lie inside this group.
        frame.content = frame.content.min(at);
        true
    }

    fn stray(&mut self, shape: Shape, sig: Sig) {
        self.excess[shape.index()] += 1;
        if !self.frame().tainted {
            self.errors
                .push(words::stray(shape, self.range_of(sig), None));
        }
        let sig = Sig {
            kind: SyntaxKind::BadToken,
            tainted: true,
            ..sig
        };
        self.note(sig);
        self.out.push(sig);
    }

    /// Closes everything up to the next string or `${`, or the file's start.
    fn close_to_barrier(&mut self, open: &mut [u32; Shape::COUNT]) {
        while self.stack.last().is_some_and(|open| open.shape.is_some()) {
            self.close_top(open, false);
        }
    }

    /// Puts in the end of the innermost bracket, and reports it. `ends_binding` says that the
    /// binding which the bracket is the value of has its end there too.
    fn close_top(&mut self, open: &mut [u32; Shape::COUNT], ends_binding: bool) {
        let Some(top) = self.stack.pop() else { return };
        let Some(shape) = top.shape else { return };
        self.excess[shape.index()] -= 1;
        open[shape.index()] = top.outside[shape.index()];
        let after_last = self.out.last().map_or(0, |last| last.end);
        let mut closer = Sig {
            kind: shape.closer(),
            start: after_last,
            end: after_last,
            tainted: true,
        };
        let is_body = shape == Shape::Let && top.frame.has_any && !top.frame.has_eq;
        let mut missed_after = self.out.last().copied();
        if is_body {
            // What stands after the last `;` is no binding: it is the body.
            missed_after = top
                .frame
                .segment
                .checked_sub(1)
                .and_then(|at| self.out.get(at))
                .copied();
            let before = missed_after.map_or(after_last, |last| last.end);
            closer.start = before;
            closer.end = before;
            self.insertions.push((top.frame.segment, closer));
        } else {
            self.out.push(closer);
        }
        if !top.frame.tainted {
            let outer = self.stack.last().and_then(|open| open.shape);
            let in_block = matches!(outer, Some(Shape::Brace | Shape::Let));
            self.report_unclosed(shape, top.sig, missed_after, ends_binding && in_block);
        }
        self.frame().tainted = true;
    }

    fn report_unclosed(
        &mut self,
        shape: Shape,
        opener: Sig,
        missed_after: Option<Sig>,
        ends_binding: bool,
    ) {
        let opened = self.range_of(opener);
        let missed = missed_after.map_or(opened.end(), |last| self.range_of(last).end());
        let missed = TextRange::empty(missed);
        self.errors
            .push(words::unclosed(shape, opened, missed, ends_binding));
    }

    fn range_of(&self, sig: Sig) -> TextRange {
        if sig.start == sig.end {
            // Put in: it stands after the token before it.
            let before = (sig.end as usize)
                .checked_sub(1)
                .and_then(|at| self.tokens.get(at));
            let end = before.map_or(0, |token| token.end as usize);
            return range(end, end);
        }
        let token = self.tokens.get(sig.start as usize);
        token.map_or(range(0, 0), |token| {
            range(token.start as usize, token.end as usize)
        })
    }
}

/// The output with the insertions in it.
fn merge(out: Vec<Sig>, mut insertions: Vec<(usize, Sig)>) -> Vec<Sig> {
    if insertions.is_empty() {
        return out;
    }
    insertions.sort_by_key(|(at, _)| *at);
    let mut merged = Vec::with_capacity(out.len() + insertions.len());
    let mut pending = insertions.into_iter().peekable();
    for (at, sig) in out.into_iter().enumerate() {
        while let Some((_, put_in)) = pending.next_if(|(before, _)| *before <= at) {
            merged.push(put_in);
        }
        merged.push(sig);
    }
    merged.extend(pending.map(|(_, put_in)| put_in));
    merged
}
