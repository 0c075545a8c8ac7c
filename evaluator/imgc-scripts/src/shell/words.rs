//! The grammar of words: quotes, `$`, backquotes.

use std::rc::Rc;

use bstr::BString;

use super::parse::{Parsed, Parser};
use super::syntax::{Name, Op, Parameter, Part, Script, Word};

/// Where a word stands: what ends it and what quotes mean in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Among the words of a command.
    Command,
    /// In `"…"`.
    Double,
    /// In `${x-…}`, outside of double quotes.
    Brace,
    /// As `Brace`, up to a slash: the pattern of `${x/…/…}`.
    Slash,
    /// In `${x-…}`, in double quotes.
    DoubleBrace,
    /// In `${x:…:…}`.
    Slice,
    /// In a here-document.
    Here,
    /// In `$((…))`.
    Arithmetic,
    /// In one part of `for ((…;…;…))`.
    Count,
    /// In `x[…]`.
    Index,
    /// A regular expression in `[[ … ]]`.
    Regex,
}

/// Whether `byte` ends a word of a command.
pub(super) fn delimits(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'
    )
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes at the beginning of `text` are a variable's name.
pub(super) fn name_length(text: &[u8]) -> usize {
    if !text.first().copied().is_some_and(is_name_start) {
        return 0;
    }
    text.iter().take_while(|&&b| is_name(b)).count()
}

/// Parts of a word, with neighbouring text put together.
#[derive(Debug, Default)]
struct Parts {
    parts: Word,
}

impl Parts {
    fn literal(&mut self, byte: u8) {
        if let Some(Part::Literal(text)) = self.parts.last_mut() {
            text.push(byte);
        } else {
            self.parts.push(Part::Literal([byte].into()));
        }
    }

    fn quoted(&mut self, byte: u8) {
        if let Some(Part::Quoted(text)) = self.parts.last_mut() {
            text.push(byte);
        } else {
            self.parts.push(Part::Quoted([byte].into()));
        }
    }

    fn push(&mut self, part: Part) {
        self.parts.push(part);
    }
}

impl Parser<'_> {
    /// A word of a command.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        self.parts(At::Command)
    }

    /// The text of a here-document, up to the end.
    pub(super) fn here_text(&mut self) -> Parsed<Word> {
        self.parts(At::Here)
    }

    /// The parts up to what ends a word here. The end itself is not taken.
    pub(super) fn parts(&mut self, at: At) -> Parsed<Word> {
        self.nested(|parser| parser.parts_here(at))
    }

    fn parts_here(&mut self, at: At) -> Parsed<Word> {
        let mut parts = Parts::default();
        // Open parentheses or brackets of an expression.
        let mut open = 0usize;
        let quoting = matches!(
            at,
            At::Command | At::Brace | At::Slash | At::Slice | At::Index | At::Regex | At::Count
        );
        self.tilde(at, &mut parts);
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.backslash(at, &mut parts),
                b'$' => self.dollar(at, &mut parts)?,
                b'`' => {
                    let part = self.backquoted(matches!(at, At::Double | At::DoubleBrace))?;
                    parts.push(part);
                }
                b'\'' if quoting => {
                    self.bump();
                    let text = self.single()?;
                    parts.push(Part::Quoted(text));
                }
                b'"' if at == At::Double => break,
                b'"' if at == At::Arithmetic => {
                    self.bump();
                }
                b'"' if at != At::Here => {
                    self.bump();
                    let inner = self.parts(At::Double)?;
                    if !self.eat(b'"') {
                        return self.mistake("unterminated quoted string");
                    }
                    parts.push(Part::Double(inner));
                }
                b'}' if matches!(at, At::Brace | At::Slash | At::DoubleBrace | At::Slice) => break,
                b'/' if at == At::Slash => break,
                b':' if at == At::Slice && open == 0 => break,
                b'(' if matches!(at, At::Arithmetic | At::Slice | At::Count) => {
                    open += 1;
                    self.literal(&mut parts);
                }
                b')' if matches!(at, At::Arithmetic | At::Slice | At::Count) => {
                    if open == 0 {
                        break;
                    }
                    open -= 1;
                    self.literal(&mut parts);
                }
                b';' if at == At::Count => break,
                b'[' if at == At::Index => {
                    open += 1;
                    self.literal(&mut parts);
                }
                b']' if at == At::Index => {
                    if open == 0 {
                        break;
                    }
                    open -= 1;
                    self.literal(&mut parts);
                }
                b'(' if at == At::Regex => {
                    open += 1;
                    self.literal(&mut parts);
                }
                b')' if at == At::Regex && open > 0 => {
                    open -= 1;
                    self.literal(&mut parts);
                }
                b'|' if at == At::Regex => self.literal(&mut parts),
                b' ' | b'\t' if at == At::Regex && open > 0 => self.literal(&mut parts),
                b'<' | b'>' if at == At::Command && self.bash && self.process()? => {
                    if byte == b'>' {
                        return self.refuse("a substitution >(…) is not interpreted");
                    }
                    let script = self.substituted()?;
                    parts.push(Part::Process(Rc::new(script)));
                }
                b'(' if at == At::Command && self.bash && self.extended(&parts) => {
                    self.group(&mut parts)?;
                }
                _ if matches!(at, At::Command | At::Regex) && delimits(byte) => break,
                b':' | b'=' if at == At::Command => {
                    self.literal(&mut parts);
                    self.tilde(at, &mut parts);
                }
                _ => self.literal(&mut parts),
            }
        }
        Ok(parts.parts)
    }

    fn literal(&mut self, parts: &mut Parts) {
        if let Some(byte) = self.bump() {
            parts.literal(byte);
        }
    }

    /// Whether a `<(` or `>(` stands here; takes it.
    fn process(&mut self) -> Parsed<bool> {
        Ok(self.eat_all(b"<(") || self.eat_all(b">("))
    }

    /// Whether `parts` end in what makes the parenthesis here one of a pattern.
    fn extended(&self, parts: &Parts) -> bool {
        let last = match parts.parts.last() {
            Some(Part::Literal(text)) => text.last(),
            _ => None,
        };
        last.is_some_and(|b| b"?*+@!".contains(b))
    }

    /// The parenthesis of a pattern as `@(a|b)`.
    fn group(&mut self, parts: &mut Parts) -> Parsed<()> {
        self.literal(parts);
        loop {
            let inner = self.parts(At::Command)?;
            for part in inner {
                match part {
                    Part::Literal(text) => text.iter().for_each(|&b| parts.literal(b)),
                    other => parts.push(other),
                }
            }
            match self.peek() {
                Some(b'|' | b'(') => self.literal(parts),
                Some(b')') => {
                    self.literal(parts);
                    return Ok(());
                }
                _ => return self.unexpected(),
            }
        }
    }

    /// A tilde at the beginning of a word, or behind `=` and `:` where that is the value
    /// of an assignment; which of the two, expanding decides.
    fn tilde(&mut self, at: At, parts: &mut Parts) {
        if !matches!(at, At::Command | At::Brace) || self.peek() != Some(b'~') {
            return;
        }
        let rest = &self.text[self.at + 1..];
        let length = rest
            .iter()
            .take_while(|&&b| is_name(b) || b == b'-' || b == b'.' || b == b'+')
            .count();
        let ends = match rest.get(length) {
            None => true,
            Some(b'/' | b':' | b'}') => true,
            Some(&b) => delimits(b),
        };
        if ends {
            parts.push(Part::Tilde(rest[..length].into()));
            self.at += 1 + length;
        }
    }

    fn backslash(&mut self, at: At, parts: &mut Parts) {
        self.bump();
        let Some(next) = self.raw() else {
            parts.quoted(b'\\');
            return;
        };
        let special = match at {
            At::Double | At::DoubleBrace => {
                b"$`\"\\".contains(&next) || (at == At::DoubleBrace && next == b'}')
            }
            At::Here | At::Arithmetic => b"$`\\".contains(&next),
            _ => true,
        };
        if !special {
            parts.literal(b'\\');
            return;
        }
        self.bump();
        parts.quoted(next);
    }

    /// What follows a single quote, with the one that ends it.
    fn single(&mut self) -> Parsed<BString> {
        let from = self.at;
        loop {
            match self.bump() {
                None => return self.mistake("unterminated quoted string"),
                Some(b'\'') => return Ok(self.text[from..self.at - 1].into()),
                Some(_) => {}
            }
        }
    }

    fn dollar(&mut self, at: At, parts: &mut Parts) -> Parsed<()> {
        self.bump();
        let outside = matches!(
            at,
            At::Command | At::Brace | At::Slash | At::Index | At::Regex | At::Slice
        );
        let part = match self.peek() {
            Some(b'(') => self.parenthesis()?,
            Some(b'{') => self.nested(|parser| parser.braced(at))?,
            Some(b'\'') if self.bash && outside => {
                self.bump();
                Part::Quoted(self.escaped()?)
            }
            Some(b'"') if self.bash && outside => return Ok(()),
            Some(b) if b"@*#?-$!".contains(&b) => {
                self.bump();
                plain(Name::Special(b))
            }
            Some(b) if b.is_ascii_digit() => {
                self.bump();
                plain(Name::Positional(usize::from(b - b'0')))
            }
            Some(b) if is_name_start(b) => plain(Name::Variable(self.name())),
            _ => {
                parts.literal(b'$');
                return Ok(());
            }
        };
        parts.push(part);
        Ok(())
    }

    /// A variable's name; empty where there is none.
    pub(super) fn name(&mut self) -> BString {
        let mut name = BString::default();
        while let Some(b) = self.peek() {
            let fits = if name.is_empty() {
                is_name_start(b)
            } else {
                is_name(b)
            };
            if !fits {
                break;
            }
            name.push(b);
            self.at += 1;
        }
        name
    }

    /// `$(…)` or `$((…))`, from the parenthesis on.
    fn parenthesis(&mut self) -> Parsed<Part> {
        if self.follows(b"((") {
            let inner = self.attempt(|parser| {
                parser.eat_all(b"((");
                let inner = parser.parts(At::Arithmetic)?;
                Ok(parser.eat_all(b"))").then_some(inner))
            })?;
            match inner {
                Some(inner) => return Ok(Part::Arithmetic(inner)),
                None if !self.bash => return self.mistake("Missing '))'"),
                None => {}
            }
        }
        self.bump();
        let script = self.substituted()?;
        Ok(Part::Command(Rc::new(script)))
    }

    /// The commands of a substitution, from behind its parenthesis on.
    fn substituted(&mut self) -> Parsed<Script> {
        let items = self.nested(|parser| parser.list(&[]))?;
        if !self.eat(b')') {
            return self.unexpected();
        }
        Ok(Script { items, error: None })
    }

    fn backquoted(&mut self, double: bool) -> Parsed<Part> {
        let first = self.line;
        self.bump();
        let mut text = Vec::new();
        loop {
            match self.bump() {
                None => return self.mistake("unterminated backquote substitution"),
                Some(b'`') => break,
                Some(b'\\') => match self.raw() {
                    Some(next) if b"$`\\".contains(&next) || (double && next == b'"') => {
                        self.bump();
                        text.push(next);
                    }
                    _ => text.push(b'\\'),
                },
                Some(byte) => text.push(byte),
            }
        }
        let script = self.nested(|parser| {
            parser.inner(&text, first, |inner| {
                let script = inner.program();
                match script.error {
                    Some(mistake) => Err(mistake),
                    None => Ok(script),
                }
            })
        })?;
        Ok(Part::Command(Rc::new(script)))
    }

    /// `${…}`, from the brace on.
    fn braced(&mut self, at: At) -> Parsed<Part> {
        self.bump();
        let double = matches!(at, At::Double | At::DoubleBrace | At::Here | At::Arithmetic);
        let parameter = if self.peek() == Some(b'#') {
            self.hash(double)?
        } else if self.bash && self.peek() == Some(b'!') {
            self.bang(double)?
        } else {
            match self.parameter()? {
                Some(name) => {
                    let op = self.op(double)?;
                    Parameter { name, op }
                }
                None => Parameter {
                    name: Name::Special(b'?'),
                    op: Op::Bad,
                },
            }
        };
        if matches!(parameter.op, Op::Bad) {
            // The rest has to be parsed, to see where it ends.
            let at = if double { At::DoubleBrace } else { At::Brace };
            self.parts(at)?;
        }
        if !self.eat(b'}') {
            return match self.peek() {
                None => self.mistake("unterminated ${"),
                Some(_) => self.mistake("bad substitution"),
            };
        }
        Ok(Part::Parameter(Box::new(parameter)))
    }

    /// `${#…`: a length, or the parameter `#`.
    fn hash(&mut self, double: bool) -> Parsed<Parameter> {
        self.bump();
        let name = self.attempt(|parser| {
            let name = match parser.peek() {
                Some(b'}') => None,
                _ => parser.parameter()?,
            };
            Ok(name.filter(|_| parser.peek() == Some(b'}')))
        })?;
        if let Some(name) = name {
            let op = Op::Length;
            return Ok(Parameter { name, op });
        }
        let name = Name::Special(b'#');
        let op = self.op(double)?;
        Ok(Parameter { name, op })
    }

    /// `${!…` of bash.
    fn bang(&mut self, double: bool) -> Parsed<Parameter> {
        self.bump();
        if self.eat_all(b"#}") {
            self.at -= 1;
            let (name, op) = (Name::Special(b'#'), Op::Indirect);
            return Ok(Parameter { name, op });
        }
        if self.peek().is_none_or(|b| !is_name(b)) {
            let name = Name::Special(b'!');
            let op = self.op(double)?;
            return Ok(Parameter { name, op });
        }
        let Some(name) = self.parameter()? else {
            return self.mistake("bad substitution");
        };
        let op = match (&name, self.peek()) {
            (Name::Elements(..), Some(b'}')) => Op::Keys,
            (Name::Variable(_), Some(b'*' | b'@')) => {
                self.bump();
                Op::Names
            }
            (_, Some(b'}')) => Op::Indirect,
            _ => return self.refuse("${!x} with an operator is not interpreted"),
        };
        Ok(Parameter { name, op })
    }

    fn parameter(&mut self) -> Parsed<Option<Name>> {
        Ok(match self.peek() {
            Some(b) if b.is_ascii_digit() => {
                let mut number = 0usize;
                while let Some(b) = self.peek().filter(u8::is_ascii_digit) {
                    number = number
                        .saturating_mul(10)
                        .saturating_add(usize::from(b - b'0'));
                    self.at += 1;
                }
                Some(Name::Positional(number))
            }
            Some(b) if is_name_start(b) => {
                let name = self.name();
                if !self.bash || self.peek() != Some(b'[') {
                    return Ok(Some(Name::Variable(name)));
                }
                if self.eat_all(b"[@]") {
                    return Ok(Some(Name::Elements(name, false)));
                }
                if self.eat_all(b"[*]") {
                    return Ok(Some(Name::Elements(name, true)));
                }
                Some(Name::Element(name, self.index()?))
            }
            Some(b) if b"@*#?-$!".contains(&b) => {
                self.bump();
                Some(Name::Special(b))
            }
            _ => None,
        })
    }

    /// `[…]`, from the bracket on.
    pub(super) fn index(&mut self) -> Parsed<Word> {
        self.bump();
        let word = self.parts(At::Index)?;
        if !self.eat(b']') {
            return self.unexpected();
        }
        Ok(word)
    }

    fn op(&mut self, double: bool) -> Parsed<Op> {
        let text = if double { At::DoubleBrace } else { At::Brace };
        let colon = self.follows(b":") && {
            let next = self.text.get(self.at + 1);
            next.is_some_and(|b| b"-=?+".contains(b))
        };
        if colon {
            self.bump();
        }
        let Some(byte) = self.peek() else {
            return Ok(Op::Bad);
        };
        Ok(match byte {
            b'}' => Op::Plain,
            b'-' | b'=' | b'?' | b'+' => {
                self.bump();
                let word = self.parts(text)?;
                let kind = byte;
                Op::Test { kind, colon, word }
            }
            b'#' | b'%' => {
                self.bump();
                let longest = self.eat(byte);
                let pattern = self.parts(At::Brace)?;
                let suffix = byte == b'%';
                Op::Remove {
                    suffix,
                    longest,
                    pattern,
                }
            }
            b':' if self.bash => {
                self.bump();
                let offset = self.parts(At::Slice)?;
                let length = match self.eat(b':') {
                    true => Some(self.parts(At::Slice)?),
                    false => None,
                };
                Op::Slice { offset, length }
            }
            b'/' if self.bash => {
                self.bump();
                let mut how = 0;
                if let Some(b @ (b'/' | b'#' | b'%')) = self.peek() {
                    self.bump();
                    how = b;
                }
                let pattern = self.parts(At::Slash)?;
                let replacement = match self.eat(b'/') {
                    true => self.parts(At::Brace)?,
                    false => Word::new(),
                };
                Op::Replace {
                    how,
                    pattern,
                    replacement,
                }
            }
            b'^' | b',' if self.bash => {
                self.bump();
                let all = self.eat(byte);
                if self.peek() != Some(b'}') {
                    return self.refuse("${x^pattern} is not interpreted");
                }
                let upper = byte == b'^';
                Op::Case { upper, all }
            }
            b'@' if self.bash => {
                self.bump();
                match self.bump() {
                    Some(op @ (b'Q' | b'U' | b'u' | b'L')) => Op::Transform(op),
                    _ => return self.refuse("this ${x@…} is not interpreted"),
                }
            }
            _ => Op::Bad,
        })
    }

    /// The text of `$'…'`, from behind its quote on.
    fn escaped(&mut self) -> Parsed<BString> {
        let from = self.at;
        loop {
            match self.bump() {
                None => return self.mistake("unterminated quoted string"),
                Some(b'\\') => {
                    self.bump();
                }
                Some(b'\'') => break,
                Some(_) => {}
            }
        }
        Ok(super::escapes::ansi(&self.text[from..self.at - 1]))
    }
}

/// What a text such as `name` or `name[index]` names.
pub(super) fn reference(text: &[u8]) -> Option<Name> {
    let mut parser = Parser::new(text, true, 0, 0);
    let name = parser.parameter().ok()??;
    (parser.at == text.len()).then_some(name)
}

fn plain(name: Name) -> Part {
    let op = Op::Plain;
    Part::Parameter(Box::new(Parameter { name, op }))
}
