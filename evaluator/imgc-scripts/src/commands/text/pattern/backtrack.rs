//! The matcher for patterns with back-references. It tries all ways, counts its steps,
//! and gives the leftmost longest match, or stops the script.

use super::parse::{BYTES, Class, Look, Node, Parsed, Set};
use super::{Fault, Flags, Span};
use crate::stop::{Stop, Why};

/// The most instructions of a program.
const SIZE: usize = 50_000;
/// The most steps of one search.
const STEPS: u64 = 5_000_000;

/// A pattern as instructions.
#[derive(Debug)]
pub(super) struct Program {
    code: Vec<Op>,
    groups: usize,
    marks: usize,
    flags: Flags,
}

#[derive(Debug, Clone)]
enum Op {
    Char(char),
    Byte(u8),
    Any,
    Set(Set),
    Look(Look),
    Save(usize),
    Back(usize),
    /// Go on at the first; if that fails, at the second.
    Split(usize, usize),
    Jump(usize),
    /// Notes the place at which a loop's round begins.
    Mark(usize),
    /// Goes back to the loop's begin, unless its round took nothing.
    Loop(usize, usize),
    Match,
}

/// What is undone, or tried, when a way fails.
enum Undo {
    Try(usize, usize),
    Slot(usize, Option<usize>),
    Mark(usize, usize),
}

impl Program {
    pub(super) fn new(parsed: &Parsed, flags: Flags) -> Result<Self, Fault> {
        let mut program = Self {
            code: Vec::new(),
            groups: parsed.groups,
            marks: 0,
            flags,
        };
        program.compile(&parsed.node)?;
        program.code.push(Op::Match);
        Ok(program)
    }

    fn compile(&mut self, node: &Node) -> Result<(), Fault> {
        if self.code.len() > SIZE {
            let what = "a regular expression is too large";
            return Err(Fault::Unsupported(what.to_owned()));
        }
        match node {
            Node::Empty => {}
            Node::Char(char) => self.code.push(Op::Char(*char)),
            Node::Byte(byte) => self.code.push(Op::Byte(*byte)),
            Node::Any => self.code.push(Op::Any),
            Node::Set(set) => self.code.push(Op::Set(set.clone())),
            Node::Look(look) => self.code.push(Op::Look(*look)),
            Node::Back(number) => self.code.push(Op::Back(*number)),
            Node::Group(inner, number) => {
                self.code.push(Op::Save(2 * number));
                self.compile(inner)?;
                self.code.push(Op::Save(2 * number + 1));
            }
            Node::Concat(all) => {
                for node in all {
                    self.compile(node)?;
                }
            }
            Node::Alt(all) => {
                let mut ends = Vec::new();
                for (number, node) in all.iter().enumerate() {
                    if number + 1 == all.len() {
                        self.compile(node)?;
                        break;
                    }
                    let split = self.code.len();
                    self.code.push(Op::Match);
                    self.compile(node)?;
                    ends.push(self.code.len());
                    self.code.push(Op::Match);
                    self.code[split] = Op::Split(split + 1, self.code.len());
                }
                for end in ends {
                    self.code[end] = Op::Jump(self.code.len());
                }
            }
            Node::Repeat(inner, min, max) => {
                for _ in 0..*min {
                    self.compile(inner)?;
                }
                match max {
                    None => {
                        let mark = self.marks;
                        self.marks += 1;
                        let split = self.code.len();
                        self.code.push(Op::Match);
                        self.code.push(Op::Mark(mark));
                        self.compile(inner)?;
                        self.code.push(Op::Loop(mark, split));
                        self.code[split] = Op::Split(split + 1, self.code.len());
                    }
                    Some(max) => {
                        let mut splits = Vec::new();
                        for _ in *min..*max {
                            splits.push(self.code.len());
                            self.code.push(Op::Match);
                            self.compile(inner)?;
                        }
                        for split in splits {
                            self.code[split] = Op::Split(split + 1, self.code.len());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The leftmost longest match that begins at `from` or later.
    pub(super) fn find(&self, hay: &[u8], from: usize) -> Result<Option<Vec<Option<Span>>>, Stop> {
        let mut steps = STEPS;
        let mut start = from;
        while start <= hay.len() {
            if let Some(found) = self.at(hay, start, &mut steps)? {
                return Ok(Some(found));
            }
            start += match self.flags.utf8 {
                true => bstr::decode_utf8(&hay[start..]).1.max(1),
                false => 1,
            };
        }
        Ok(None)
    }

    /// The longest match that begins at the begin.
    pub(super) fn find_at(&self, hay: &[u8]) -> Result<Option<Vec<Option<Span>>>, Stop> {
        let mut steps = STEPS;
        self.at(hay, 0, &mut steps)
    }

    /// The longest match that begins at `start`.
    fn at(
        &self,
        hay: &[u8],
        start: usize,
        steps: &mut u64,
    ) -> Result<Option<Vec<Option<Span>>>, Stop> {
        let mut slots: Vec<Option<usize>> = vec![None; 2 * (self.groups + 1)];
        let mut marks = vec![usize::MAX; self.marks];
        let mut best: Option<(usize, Vec<Option<usize>>)> = None;
        let mut stack = vec![Undo::Try(0, start)];
        while let Some(undo) = stack.pop() {
            let (mut pc, mut at) = match undo {
                Undo::Slot(slot, old) => {
                    slots[slot] = old;
                    continue;
                }
                Undo::Mark(mark, old) => {
                    marks[mark] = old;
                    continue;
                }
                Undo::Try(pc, at) => (pc, at),
            };
            loop {
                *steps = steps.checked_sub(1).ok_or_else(|| {
                    Stop::new(Why::Budget("a back-reference takes too many steps"))
                })?;
                let rest = &hay[at..];
                let taken = match &self.code[pc] {
                    Op::Char(want) => self.char(rest, |have| self.same(have, *want)),
                    Op::Byte(byte) => (rest.first() == Some(byte)).then_some(1),
                    Op::Any => self.any(rest),
                    Op::Set(set) => self.set(rest, set),
                    Op::Look(look) => self.look(hay, at, *look).then_some(0),
                    Op::Back(number) => self.back(hay, at, &slots, *number),
                    Op::Save(slot) => {
                        stack.push(Undo::Slot(*slot, slots[*slot]));
                        slots[*slot] = Some(at);
                        Some(0)
                    }
                    Op::Mark(mark) => {
                        stack.push(Undo::Mark(*mark, marks[*mark]));
                        marks[*mark] = at;
                        Some(0)
                    }
                    Op::Split(one, two) => {
                        stack.push(Undo::Try(*two, at));
                        pc = *one;
                        continue;
                    }
                    Op::Jump(to) => {
                        pc = *to;
                        continue;
                    }
                    Op::Loop(mark, to) => {
                        if marks[*mark] != at {
                            pc = *to;
                            continue;
                        }
                        Some(0)
                    }
                    Op::Match => {
                        if best.as_ref().is_none_or(|(end, _)| *end < at) {
                            best = Some((at, slots.clone()));
                        }
                        break;
                    }
                };
                match taken {
                    Some(len) => at += len,
                    None => break,
                }
                pc += 1;
            }
            if best.as_ref().is_some_and(|(end, _)| *end == hay.len()) {
                break;
            }
        }
        Ok(best.map(|(end, mut slots)| {
            slots[0] = Some(start);
            slots[1] = Some(end);
            let spans = slots.chunks(2).map(|pair| pair[0].zip(pair[1]));
            spans.collect()
        }))
    }

    fn fold(char: char) -> char {
        let mut lower = char.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) => one,
            _ => char,
        }
    }

    fn same(&self, one: char, other: char) -> bool {
        one == other || (self.flags.ignore_case && Self::fold(one) == Self::fold(other))
    }

    fn decode(&self, rest: &[u8]) -> Option<(char, usize)> {
        let &first = rest.first()?;
        if first < 0x80 {
            return Some((char::from(first), 1));
        }
        match (self.flags.utf8, bstr::decode_utf8(rest)) {
            (true, (Some(char), len)) => Some((char, len)),
            _ => None,
        }
    }

    fn char(&self, rest: &[u8], accept: impl Fn(char) -> bool) -> Option<usize> {
        let (char, len) = self.decode(rest)?;
        accept(char).then_some(len)
    }

    fn any(&self, rest: &[u8]) -> Option<usize> {
        if self.flags.lines && rest.first() == Some(&b'\n') {
            return None;
        }
        match self.flags.utf8 {
            true => self.decode(rest).map(|(_, len)| len),
            false => (!rest.is_empty()).then_some(1),
        }
    }

    fn set(&self, rest: &[u8], set: &Set) -> Option<usize> {
        let &first = rest.first()?;
        if set.negated && self.flags.lines && first == b'\n' {
            return None;
        }
        let Some((char, len)) = self.decode(rest) else {
            let byte = u32::from(first);
            let has = set.ranges.iter().any(|&(low, high)| {
                let low = if low >= BYTES { low - BYTES } else { low };
                let high = if high >= BYTES { high - BYTES } else { high };
                (low..=high).contains(&byte)
            });
            return match self.flags.utf8 {
                true => (has && !set.negated).then_some(1),
                false => (has != set.negated).then_some(1),
            };
        };
        let has = |char: char| {
            let code = u32::from(char);
            set.ranges
                .iter()
                .any(|&(low, high)| (low..=high).contains(&code))
                || set.classes.iter().any(|class| class.has(char))
        };
        let mut found = has(char);
        if self.flags.ignore_case && !found {
            found = char.to_lowercase().any(has) || char.to_uppercase().any(has);
        }
        (found != set.negated).then_some(len)
    }

    fn back(&self, hay: &[u8], at: usize, slots: &[Option<usize>], number: usize) -> Option<usize> {
        let start = slots[2 * number]?;
        let end = slots[2 * number + 1]?;
        let want = &hay[start..end];
        let have = hay.get(at..at + want.len())?;
        let same = have == want || (self.flags.ignore_case && have.eq_ignore_ascii_case(want));
        same.then_some(want.len())
    }

    fn look(&self, hay: &[u8], at: usize, look: Look) -> bool {
        let word = |byte: Option<&u8>| {
            // Part of a character outside ASCII: most are letters.
            byte.is_some_and(|b| {
                b.is_ascii_alphanumeric() || *b == b'_' || (self.flags.utf8 && *b >= 0x80)
            })
        };
        let before = word(at.checked_sub(1).and_then(|at| hay.get(at)));
        let after = word(hay.get(at));
        match look {
            Look::LineStart => at == 0 || (self.flags.lines && hay[at - 1] == b'\n'),
            Look::LineEnd => at == hay.len() || (self.flags.lines && hay[at] == b'\n'),
            Look::Start => at == 0,
            Look::End => at == hay.len(),
            Look::WordStart => !before && after,
            Look::WordEnd => before && !after,
            Look::Word => before != after,
            Look::NotWord => before == after,
            Look::NoWordBefore => !before,
            Look::NoWordAfter => !after,
        }
    }
}

impl Class {
    /// Whether a character is of it.
    fn has(self, char: char) -> bool {
        let ascii = char.is_ascii();
        match self {
            Self::Alnum => char.is_alphabetic() || char.is_ascii_digit(),
            Self::Alpha => char.is_alphabetic(),
            Self::Blank => matches!(char, ' ' | '\t'),
            Self::Cntrl => char.is_control(),
            Self::Digit => char.is_ascii_digit(),
            Self::Graph if ascii => char.is_ascii_graphic(),
            Self::Graph => !char.is_control() && !char.is_whitespace(),
            Self::Lower => char.is_lowercase(),
            Self::Print if ascii => char.is_ascii_graphic() || char == ' ',
            Self::Print => !char.is_control(),
            Self::Punct if ascii => char.is_ascii_punctuation(),
            Self::Punct => !char.is_alphanumeric() && !char.is_control() && !char.is_whitespace(),
            Self::Space => char.is_whitespace(),
            Self::Upper => char.is_uppercase(),
            Self::Xdigit => char.is_ascii_hexdigit(),
        }
    }
}
