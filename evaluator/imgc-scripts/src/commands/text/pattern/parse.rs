//! Reads POSIX regular expressions of all dialects into one tree. It does not match.

use super::bracket::bracket;
use super::{Dialect, Fault, Flags};

/// How deep groups may nest.
const DEPTH: usize = 60;
/// The largest number in an interval.
const REPEAT: u32 = 32_767;

/// A regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) groups: usize,
    /// Whether there are back-references.
    pub(super) back: bool,
}

/// A part of a regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Empty,
    /// One character; of a byte that is no character, see [`Node::Byte`].
    Char(char),
    Byte(u8),
    Any,
    Set(Set),
    Look(Look),
    Group(Box<Node>, usize),
    Back(usize),
    Repeat(Box<Node>, u32, Option<u32>),
    Concat(Vec<Node>),
    Alt(Vec<Node>),
}

/// A condition on a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    LineStart,
    LineEnd,
    Start,
    End,
    WordStart,
    WordEnd,
    Word,
    NotWord,
    /// No word before.
    NoWordBefore,
    /// No word behind.
    NoWordAfter,
}

/// A bracket expression.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) negated: bool,
    /// Code points, or bytes, from the first to the second.
    pub(super) ranges: Vec<(u32, u32)>,
    pub(super) classes: Vec<Class>,
}

/// A named class of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
}

impl Node {
    /// Whether the first match that a greedy search meets is the longest: nothing can
    /// repeat but one thing of one character.
    pub(super) fn is_exact(&self) -> bool {
        fn single(node: &Node) -> bool {
            match node {
                Node::Char(_) | Node::Byte(_) | Node::Any | Node::Set(_) => true,
                Node::Group(inner, _) => single(inner),
                _ => false,
            }
        }
        fn count(node: &Node) -> usize {
            match node {
                Node::Alt(_) => 2,
                Node::Repeat(inner, min, max) if *max != Some(*min) => {
                    if single(inner) {
                        1
                    } else {
                        2
                    }
                }
                Node::Repeat(inner, ..) => 2 * count(inner),
                Node::Group(inner, _) => count(inner),
                Node::Concat(all) => all.iter().map(count).sum(),
                _ => 0,
            }
        }
        count(self) <= 1
    }
}

impl Node {
    /// Whether glibc matches it byte by byte in UTF-8 too, so that an empty match can be
    /// inside of a character.
    pub(super) fn is_bytewise(&self) -> bool {
        match self {
            Self::Empty | Self::Char(_) | Self::Byte(_) | Self::Any => true,
            Self::Set(set) => {
                let single = |range: &(u32, u32)| range.0 == range.1 && range.0 < 0x80;
                !set.negated && set.classes.is_empty() && set.ranges.iter().all(single)
            }
            Self::Look(look) => matches!(
                look,
                Look::LineStart | Look::LineEnd | Look::Start | Look::End
            ),
            Self::Group(inner, _) => inner.is_bytewise(),
            Self::Back(_) => false,
            Self::Repeat(_, _, Some(0)) => true,
            Self::Repeat(inner, ..) => inner.is_bytewise(),
            Self::Concat(all) | Self::Alt(all) => all.iter().all(Self::is_bytewise),
        }
    }
}

/// The tree for the very bytes `source`.
pub(super) fn literal(source: &[u8], utf8: bool) -> Node {
    let mut all = Vec::new();
    let mut rest = source;
    while let Some((node, len)) = character(rest, utf8) {
        all.push(node);
        rest = &rest[len..];
    }
    Node::Concat(all)
}

/// The first character of `rest`, and how many bytes it has.
pub(super) fn character(rest: &[u8], utf8: bool) -> Option<(Node, usize)> {
    let &first = rest.first()?;
    if first < 0x80 {
        return Some((Node::Char(char::from(first)), 1));
    }
    if utf8 && let (Some(char), len) = bstr::decode_utf8(rest) {
        return Some((Node::Char(char), len));
    }
    Some((Node::Byte(first), 1))
}

/// Reads `source`.
pub(super) fn parse(source: &[u8], dialect: Dialect, flags: Flags) -> Result<Parsed, Fault> {
    let mut parser = Parser {
        source,
        at: 0,
        dialect,
        utf8: flags.utf8,
        groups: 0,
        closed: Vec::new(),
        back: false,
        depth: 0,
    };
    let node = parser.alternation()?;
    if parser.at < source.len() {
        return Err(Fault::Invalid("Unmatched ) or \\)"));
    }
    Ok(Parsed {
        node,
        groups: parser.groups,
        back: parser.back,
    })
}

pub(super) struct Parser<'s> {
    pub(super) source: &'s [u8],
    pub(super) at: usize,
    dialect: Dialect,
    pub(super) utf8: bool,
    groups: usize,
    /// The groups that are closed already.
    closed: Vec<usize>,
    back: bool,
    depth: usize,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Open,
    Close,
    Bar,
    Star,
    Plus,
    Question,
    Brace,
    Caret,
    Dollar,
    Dot,
    Bracket,
    /// `\` and this byte, with no meaning yet.
    Escaped(u8),
    /// Something that stands for itself.
    Plain,
}

impl Parser<'_> {
    fn extended(&self) -> bool {
        matches!(
            self.dialect,
            Dialect::Extended | Dialect::GrepExtended | Dialect::SedExtended | Dialect::Awk { .. }
        )
    }

    pub(super) fn awk(&self) -> bool {
        matches!(self.dialect, Dialect::Awk { .. })
    }

    pub(super) fn escapes(&self) -> bool {
        self.awk() || matches!(self.dialect, Dialect::SedBasic | Dialect::SedExtended)
    }

    pub(super) fn grep(&self) -> bool {
        matches!(self.dialect, Dialect::GrepBasic | Dialect::GrepExtended)
    }

    /// The token at `self.at`, and its length.
    fn peek(&self) -> (Token, usize) {
        let rest = &self.source[self.at..];
        let Some(&first) = rest.first() else {
            return (Token::End, 0);
        };
        let extended = self.extended();
        let emacs = self.dialect == Dialect::Emacs;
        let intervals = !emacs && self.dialect != Dialect::Awk { intervals: false };
        let token = match first {
            b'\\' => {
                let Some(&next) = rest.get(1) else {
                    return (Token::Escaped(b'\\'), 1);
                };
                let token = match next {
                    b'(' if !extended => Token::Open,
                    b')' if !extended => Token::Close,
                    b'|' if !extended => Token::Bar,
                    b'{' if !extended && intervals => Token::Brace,
                    b'+' if !extended && !emacs => Token::Plus,
                    b'?' if !extended && !emacs => Token::Question,
                    other => Token::Escaped(other),
                };
                return (token, 2);
            }
            b'(' if extended => Token::Open,
            b')' if extended => Token::Close,
            b'|' if extended => Token::Bar,
            b'{' if extended && intervals => Token::Brace,
            b'+' if extended || emacs => Token::Plus,
            b'?' if extended || emacs => Token::Question,
            b'*' => Token::Star,
            b'^' => Token::Caret,
            b'$' => Token::Dollar,
            b'.' => Token::Dot,
            b'[' => Token::Bracket,
            _ => Token::Plain,
        };
        (token, 1)
    }

    fn alternation(&mut self) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            let what = "a regular expression nests too deep";
            return Err(Fault::Unsupported(what.to_owned()));
        }
        // A branch knows the groups before the alternation and its own.
        let before = self.closed.clone();
        let mut all = Vec::new();
        let mut branches = vec![self.branch()?];
        while self.peek().0 == Token::Bar {
            self.at += self.peek().1;
            all.append(&mut self.closed);
            self.closed.clone_from(&before);
            branches.push(self.branch()?);
        }
        self.closed.append(&mut all);
        self.depth -= 1;
        Ok(match branches.pop() {
            Some(only) if branches.is_empty() => only,
            last => {
                branches.extend(last);
                Node::Alt(branches)
            }
        })
    }

    fn branch(&mut self) -> Result<Node, Fault> {
        let mut all: Vec<Node> = Vec::new();
        // Whether an operator has nothing to act on here.
        let mut start = true;
        // Whether an operator was the last thing.
        let mut again = false;
        loop {
            let (token, len) = self.peek();
            let from = self.at;
            let operator = matches!(
                token,
                Token::Star | Token::Plus | Token::Question | Token::Brace
            );
            let twice = std::mem::replace(&mut again, operator && !start);
            match token {
                Token::End | Token::Bar => break,
                Token::Close if self.depth > 1 => break,
                Token::Close if self.dialect == Dialect::GrepExtended => {
                    self.at += len;
                    all.push(Node::Char(')'));
                    start = false;
                }
                Token::Close => return Err(Fault::Invalid("Unmatched ) or \\)")),
                Token::Star | Token::Plus | Token::Question | Token::Brace if start => {
                    self.at += len;
                    let atom = self.leading(token, from)?;
                    start = atom.is_none();
                    all.extend(atom);
                }
                Token::Star | Token::Brace if twice && self.dialect == Dialect::SedBasic => {
                    return Err(Fault::Invalid("Invalid preceding regular expression"));
                }
                Token::Star => {
                    self.at += len;
                    repeat(&mut all, 0, None);
                }
                Token::Plus => {
                    self.at += len;
                    repeat(&mut all, 1, None);
                }
                Token::Question => {
                    self.at += len;
                    repeat(&mut all, 0, Some(1));
                }
                Token::Brace => {
                    self.at += len;
                    match self.interval()? {
                        Some((min, max)) => repeat(&mut all, min, max),
                        None => {
                            self.at = from + len;
                            all.push(Node::Char('{'));
                        }
                    }
                }
                Token::Caret if self.is_anchor_start(all.is_empty()) => {
                    self.at += len;
                    all.push(Node::Look(Look::LineStart));
                    start = true;
                }
                Token::Dollar if self.is_anchor_end() => {
                    self.at += len;
                    all.push(Node::Look(Look::LineEnd));
                    start = false;
                }
                _ => {
                    all.push(self.atom(token, len)?);
                    start = false;
                }
            }
        }
        Ok(match all.pop() {
            None => Node::Empty,
            Some(only) if all.is_empty() => only,
            Some(last) => {
                all.push(last);
                Node::Concat(all)
            }
        })
    }

    /// A repetition with nothing before it: itself in basic expressions.
    fn leading(&mut self, token: Token, from: usize) -> Result<Option<Node>, Fault> {
        let itself = || {
            let at = if self.source[from] == b'\\' {
                from + 1
            } else {
                from
            };
            Ok(Some(Node::Char(char::from(self.source[at]))))
        };
        match (self.dialect, token) {
            (Dialect::SedBasic, Token::Brace) => {
                Err(Fault::Invalid("Invalid preceding regular expression"))
            }
            (Dialect::GrepExtended, Token::Brace) => {
                let after = self.at;
                match self.interval() {
                    Ok(Some(_)) => Ok(None),
                    _ => {
                        self.at = after;
                        Ok(Some(Node::Char('{')))
                    }
                }
            }
            (Dialect::GrepExtended, _) => Ok(None),
            (Dialect::Extended | Dialect::SedExtended, _) => {
                Err(Fault::Invalid("Invalid preceding regular expression"))
            }
            _ => itself(),
        }
    }

    fn is_anchor_start(&self, first: bool) -> bool {
        self.extended() || first
    }

    fn is_anchor_end(&self) -> bool {
        if self.extended() {
            return true;
        }
        let mut next = Parser {
            closed: Vec::new(),
            ..*self
        };
        next.at += 1;
        matches!(next.peek().0, Token::End | Token::Close | Token::Bar)
    }

    fn atom(&mut self, token: Token, len: usize) -> Result<Node, Fault> {
        match token {
            Token::Dot => {
                self.at += len;
                Ok(Node::Any)
            }
            Token::Bracket => {
                self.at += len;
                bracket(self)
            }
            Token::Open => {
                self.at += len;
                self.groups += 1;
                let number = self.groups;
                let inner = self.alternation()?;
                if self.peek().0 != Token::Close {
                    return Err(Fault::Invalid("Unmatched ( or \\("));
                }
                self.at += self.peek().1;
                self.closed.push(number);
                Ok(Node::Group(Box::new(inner), number))
            }
            Token::Escaped(byte) => {
                self.at += len;
                self.escaped(byte, len)
            }
            _ => {
                let (node, len) = character(&self.source[self.at..], self.utf8)
                    .ok_or(Fault::Invalid("Premature end of regular expression"))?;
                self.at += len;
                Ok(node)
            }
        }
    }

    fn escaped(&mut self, byte: u8, len: usize) -> Result<Node, Fault> {
        if len == 1 {
            return match self.awk() {
                true => Ok(Node::Char('\\')),
                false => Err(Fault::Invalid("Trailing backslash")),
            };
        }
        if self.escapes()
            && let Some(node) = self.control(byte)
        {
            return Ok(node);
        }
        if self.awk() {
            self.at -= 1;
            let (node, len) =
                character(&self.source[self.at..], self.utf8).unwrap_or((Node::Char('\\'), 0));
            self.at += len;
            return Ok(node);
        }
        let word = |negated| {
            Node::Set(Set {
                negated,
                ranges: vec![(0x5f, 0x5f)],
                classes: vec![Class::Alnum],
            })
        };
        let space = |negated| {
            Node::Set(Set {
                negated,
                ranges: Vec::new(),
                classes: vec![Class::Space],
            })
        };
        Ok(match byte {
            b'w' => word(false),
            b'W' => word(true),
            b's' => space(false),
            b'S' => space(true),
            b'b' => Node::Look(Look::Word),
            b'B' => Node::Look(Look::NotWord),
            b'<' => Node::Look(Look::WordStart),
            b'>' => Node::Look(Look::WordEnd),
            b'`' => Node::Look(Look::Start),
            b'\'' => Node::Look(Look::End),
            b'1'..=b'9' => {
                let number = usize::from(byte - b'0');
                if !self.closed.contains(&number) {
                    return Err(Fault::Invalid("Invalid back reference"));
                }
                self.back = true;
                Node::Back(number)
            }
            _ => {
                self.at -= 1;
                let (node, len) = character(&self.source[self.at..], self.utf8)
                    .ok_or(Fault::Invalid("Trailing backslash"))?;
                self.at += len;
                node
            }
        })
    }

    /// The character that `\` and `byte` stand for in sed and awk. `self.at` is behind
    /// them.
    pub(super) fn control(&mut self, byte: u8) -> Option<Node> {
        let plain = |byte: u8| {
            Some(if byte < 0x80 {
                Node::Char(char::from(byte))
            } else {
                Node::Byte(byte)
            })
        };
        match byte {
            b'n' => plain(b'\n'),
            b't' => plain(b'\t'),
            b'f' => plain(0x0c),
            b'v' => plain(0x0b),
            b'a' => plain(0x07),
            b'r' => plain(b'\r'),
            b'b' if self.awk() => plain(0x08),
            b'0'..=b'7' if self.awk() => {
                self.at -= 1;
                plain(self.number(8, 3)?)
            }
            b'd' if !self.awk() => plain(self.number(10, 3)?),
            b'o' if !self.awk() => plain(self.number(8, 3)?),
            b'x' if !self.awk() => plain(self.number(16, 2)?),
            b'c' if !self.awk() => {
                let &next = self.source.get(self.at)?;
                self.at += 1;
                plain(next.to_ascii_uppercase() ^ 0x40)
            }
            _ => None,
        }
    }

    fn number(&mut self, radix: u32, most: usize) -> Option<u8> {
        let mut value = None;
        for _ in 0..most {
            let digit = self.source.get(self.at).copied().map(char::from);
            let Some(digit) = digit.and_then(|char| char.to_digit(radix)) else {
                break;
            };
            value = Some((value.unwrap_or(0) * radix + digit) & 0xff);
            self.at += 1;
        }
        value.and_then(|value: u32| u8::try_from(value).ok())
    }

    /// An interval, whose brace is read. None where it is no interval and the dialect
    /// takes the brace for itself.
    fn interval(&mut self) -> Result<Option<(u32, Option<u32>)>, Fault> {
        let close: &[u8] = if self.extended() { b"}" } else { b"\\}" };
        let mild = self.dialect == Dialect::GrepExtended || self.awk();
        let min = self.count()?;
        let max = if self.source.get(self.at) == Some(&b',') {
            self.at += 1;
            self.count()?.map_or(Some(None), |max| Some(Some(max)))
        } else {
            None
        };
        let closed = self.source[self.at..].starts_with(close);
        if !closed || (min.is_none() && max.is_none()) {
            if mild {
                return Ok(None);
            }
            let end = self.at == self.source.len();
            return Err(Fault::Invalid(if end {
                "Unmatched { or \\{"
            } else {
                "Invalid content of \\{\\}"
            }));
        }
        self.at += close.len();
        let least = min.unwrap_or(0);
        let most = match max {
            None => Some(least),
            Some(most) => most,
        };
        if most.is_some_and(|most| most < least) {
            return Err(Fault::Invalid("Invalid content of \\{\\}"));
        }
        if least > REPEAT || most.is_some_and(|most| most > REPEAT) {
            return Err(Fault::Invalid("Regular expression too big"));
        }
        Ok(Some((least, most)))
    }

    fn count(&mut self) -> Result<Option<u32>, Fault> {
        let from = self.at;
        let mut value = 0_u32;
        while let Some(digit) = self.source.get(self.at).filter(|b| b.is_ascii_digit()) {
            value = value
                .saturating_mul(10)
                .saturating_add(u32::from(digit - b'0'));
            self.at += 1;
        }
        Ok((self.at > from).then_some(value))
    }
}

fn repeat(all: &mut Vec<Node>, min: u32, max: Option<u32>) {
    let Some(node) = all.pop() else {
        return;
    };
    // `a**` is `a*`: a repetition of one would nest without use.
    let node = match (node, min, max) {
        (Node::Repeat(inner, 0, None), _, _) => Node::Repeat(inner, 0, None),
        (Node::Repeat(inner, 1, None), 0, _) => Node::Repeat(inner, 0, None),
        (Node::Repeat(inner, 1, None), 1, None) => Node::Repeat(inner, 1, None),
        (node, _, _) => Node::Repeat(Box::new(node), min, max),
    };
    all.push(node);
}

/// Where the bytes that are no characters begin, among the code points of a [`Set`].
pub(super) const BYTES: u32 = 0x20_0000;

impl Class {
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"alnum" => Self::Alnum,
            b"alpha" => Self::Alpha,
            b"blank" => Self::Blank,
            b"cntrl" => Self::Cntrl,
            b"digit" => Self::Digit,
            b"graph" => Self::Graph,
            b"lower" => Self::Lower,
            b"print" => Self::Print,
            b"punct" => Self::Punct,
            b"space" => Self::Space,
            b"upper" => Self::Upper,
            b"xdigit" => Self::Xdigit,
            _ => return None,
        })
    }
}
