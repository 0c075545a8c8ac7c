//! Reads sed's scripts. It does not run them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Settings;
use super::replace::{self, Part};
use crate::commands::text::pattern::{Dialect, Fault, Flags, Pattern};

/// A script.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// The files that `w` writes, in the order of their first mention.
    pub(super) outputs: Vec<Vec<u8>>,
    pub(super) patterns: Vec<Rc<Pattern>>,
}

/// A command with its addresses.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) from: Option<Address>,
    pub(super) to: Option<Address>,
    pub(super) negated: bool,
    pub(super) verb: Verb,
}

/// The number of a pattern; none for the last one that was used.
pub(super) type Regex = Option<usize>;

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    Line(usize),
    Last,
    Regex(Regex),
    /// `first~step`
    Step(usize, usize),
    /// `,+N`
    Plus(usize),
    /// `,~N`
    Multiple(usize),
}

/// What a command does.
#[derive(Debug)]
pub(super) enum Verb {
    /// `{`: where its block ends.
    Block(usize),
    End,
    Number,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    /// Where to go on.
    Branch(usize),
    /// `t`, or `T` with `false`.
    Test(usize, bool),
    Delete,
    DeleteLine,
    Name,
    Get,
    GetAppend,
    Hold,
    HoldAppend,
    Exchange,
    List(Option<usize>),
    Next,
    NextAppend,
    Print,
    PrintLine,
    Quit(u8, bool),
    Read(Vec<u8>),
    ReadLine(Vec<u8>),
    Substitute(Box<Substitute>),
    /// `w`, or `W` with `true`: which of the outputs.
    Write(usize, bool),
    Translate(BTreeMap<Vec<u8>, Vec<u8>>),
    Zap,
    Nothing,
}

/// `s///`
#[derive(Debug)]
pub(super) struct Substitute {
    pub(super) regex: Regex,
    pub(super) parts: Vec<Part>,
    pub(super) global: bool,
    pub(super) print: usize,
    /// From which match on.
    pub(super) number: usize,
    pub(super) write: Option<usize>,
}

/// What is wrong with a script.
#[derive(Debug)]
pub(super) enum Wrong {
    Pattern(Fault),
    Script(&'static str),
}

/// Reads a script.
pub(super) fn parse(source: &[u8], settings: &Settings) -> Result<Script, Wrong> {
    let mut parser = Parser {
        source,
        at: 0,
        settings,
        script: Script::default(),
        open: Vec::new(),
        labels: BTreeMap::new(),
        jumps: Vec::new(),
    };
    parser.all()?;
    let end = parser.script.commands.len();
    for (command, label) in std::mem::take(&mut parser.jumps) {
        let to = match label.is_empty() {
            true => end,
            false => *parser
                .labels
                .get(&label)
                .ok_or(Wrong::Script("a label is not there"))?,
        };
        match &mut parser.script.commands[command].verb {
            Verb::Branch(place) | Verb::Test(place, _) => *place = to,
            _ => {}
        }
    }
    if !parser.open.is_empty() {
        return Err(Wrong::Script("a { is not closed"));
    }
    Ok(parser.script)
}

struct Parser<'s> {
    source: &'s [u8],
    at: usize,
    settings: &'s Settings,
    script: Script,
    open: Vec<usize>,
    labels: BTreeMap<Vec<u8>, usize>,
    jumps: Vec<(usize, Vec<u8>)>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn skip(&mut self, which: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&which) {
            self.at += 1;
        }
    }

    fn blanks(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | b'\r'));
    }

    fn all(&mut self) -> Result<(), Wrong> {
        loop {
            self.skip(|byte| byte.is_ascii_whitespace() || byte == b';' || byte == 0x0b);
            let Some(first) = self.peek() else {
                return Ok(());
            };
            if first == b'#' {
                self.skip(|byte| byte != b'\n');
                continue;
            }
            let from = self.address(false)?;
            self.blanks();
            let mut to = None;
            if from.is_some() && self.peek() == Some(b',') {
                self.at += 1;
                self.blanks();
                to = self.address(true)?;
                if to.is_none() {
                    return Err(Wrong::Script("an address is not known"));
                }
            }
            let zero = from == Some(Address::Line(0));
            if zero && !matches!(to, Some(Address::Regex(_))) {
                return Err(Wrong::Script("line 0 needs a pattern to go to"));
            }
            self.blanks();
            let mut negated = false;
            while self.peek() == Some(b'!') {
                negated = true;
                self.at += 1;
                self.blanks();
            }
            let Some(letter) = self.peek() else {
                return Err(Wrong::Script("a command is missing"));
            };
            self.at += 1;
            let verb = self.verb(letter, from.is_some(), to.is_some())?;
            self.script.commands.push(Command {
                from,
                to,
                negated,
                verb,
            });
        }
    }

    fn number(&mut self) -> Result<Option<usize>, Wrong> {
        let from = self.at;
        self.skip(|byte| byte.is_ascii_digit());
        if from == self.at {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.source[from..self.at]).unwrap_or_default();
        let number = text
            .parse()
            .map_err(|_| Wrong::Script("a number is too large"))?;
        Ok(Some(number))
    }

    fn address(&mut self, second: bool) -> Result<Option<Address>, Wrong> {
        if let Some(number) = self.number()? {
            self.blanks();
            if self.peek() == Some(b'~') && !second {
                self.at += 1;
                self.blanks();
                let step = self.number()?.unwrap_or(0);
                return Ok(Some(match step {
                    0 => Address::Line(number),
                    step => Address::Step(number, step),
                }));
            }
            return Ok(Some(Address::Line(number)));
        }
        match self.peek() {
            Some(b'$') => {
                self.at += 1;
                Ok(Some(Address::Last))
            }
            Some(sign @ (b'+' | b'~')) if second => {
                self.at += 1;
                let number = self.number()?.ok_or(Wrong::Script("a number is missing"))?;
                Ok(Some(match sign {
                    b'+' => Address::Plus(number),
                    _ => Address::Multiple(number),
                }))
            }
            Some(b'/' | b'\\') => {
                if self.peek() == Some(b'\\') {
                    self.at += 1;
                }
                let delimiter = self
                    .peek()
                    .ok_or(Wrong::Script("an address is not known"))?;
                self.at += 1;
                let source = self.until(delimiter, true)?;
                let mut flags = self.flags();
                loop {
                    match self.peek() {
                        Some(b'I') => flags.ignore_case = true,
                        Some(b'M') => flags.lines = self.settings.end != 0,
                        _ => break,
                    }
                    self.at += 1;
                }
                Ok(Some(Address::Regex(self.regex(&source, flags)?)))
            }
            _ => Ok(None),
        }
    }

    fn flags(&self) -> Flags {
        Flags {
            ignore_case: false,
            lines: false,
            utf8: self.settings.utf8,
        }
    }

    fn regex(&mut self, source: &[u8], flags: Flags) -> Result<Regex, Wrong> {
        if source.is_empty() {
            return Ok(None);
        }
        let dialect = match self.settings.extended {
            true => Dialect::SedExtended,
            false => Dialect::SedBasic,
        };
        let patterns = &self.settings.patterns;
        let pattern = patterns
            .one(source, dialect, flags)
            .map_err(Wrong::Pattern)?;
        self.script.patterns.push(pattern);
        Ok(Some(self.script.patterns.len() - 1))
    }

    /// What is before the next `delimiter`, which is read too. In a pattern, an escaped
    /// delimiter is the delimiter, and `\n` is a newline.
    fn until(&mut self, delimiter: u8, pattern: bool) -> Result<Vec<u8>, Wrong> {
        if delimiter == b'\n' || delimiter == b'\\' {
            return Err(Wrong::Script("this delimiter is not known"));
        }
        let mut found = Vec::new();
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == delimiter {
                return Ok(found);
            }
            if byte == b'\n' && pattern {
                return Err(Wrong::Script("a pattern is not closed"));
            }
            if byte != b'\\' {
                found.push(byte);
                continue;
            }
            let Some(next) = self.peek() else {
                break;
            };
            self.at += 1;
            if next == delimiter {
                found.push(delimiter);
            } else if next == b'n' && pattern {
                found.push(b'\n');
            } else {
                found.extend([b'\\', next]);
            }
        }
        Err(Wrong::Script("a delimiter is missing"))
    }

    fn verb(&mut self, letter: u8, one: bool, two: bool) -> Result<Verb, Wrong> {
        let verb = match letter {
            b'{' => {
                self.open.push(self.script.commands.len());
                return Ok(Verb::Block(0));
            }
            b'}' => {
                let start = self.open.pop().ok_or(Wrong::Script("a } is not opened"))?;
                if one {
                    return Err(Wrong::Script("} takes no address"));
                }
                let end = self.script.commands.len();
                self.script.commands[start].verb = Verb::Block(end);
                Verb::End
            }
            b'=' => Verb::Number,
            b'a' => return Ok(Verb::Append(self.text()?)),
            b'i' => return Ok(Verb::Insert(self.text()?)),
            b'c' => return Ok(Verb::Change(self.text()?)),
            b':' => {
                if one {
                    return Err(Wrong::Script(": takes no address"));
                }
                let label = self.label(true);
                if label.is_empty() {
                    return Err(Wrong::Script("a label is empty"));
                }
                self.labels.insert(label, self.script.commands.len());
                return Ok(Verb::Nothing);
            }
            b'b' | b't' | b'T' => {
                let label = self.label(false);
                self.jumps.push((self.script.commands.len(), label));
                return Ok(match letter {
                    b'b' => Verb::Branch(0),
                    letter => Verb::Test(0, letter == b't'),
                });
            }
            b'd' => Verb::Delete,
            b'D' => Verb::DeleteLine,
            b'F' => Verb::Name,
            b'g' => Verb::Get,
            b'G' => Verb::GetAppend,
            b'h' => Verb::Hold,
            b'H' => Verb::HoldAppend,
            b'x' => Verb::Exchange,
            b'n' => Verb::Next,
            b'N' => Verb::NextAppend,
            b'p' => Verb::Print,
            b'P' => Verb::PrintLine,
            b'z' => Verb::Zap,
            b'l' => {
                self.blanks();
                Verb::List(self.number()?)
            }
            b'q' | b'Q' if two => return Err(Wrong::Script("q takes one address")),
            b'q' | b'Q' => {
                self.blanks();
                let status = self.number()?.unwrap_or(0);
                Verb::Quit((status & 0xff) as u8, letter == b'q')
            }
            b'r' => return Ok(Verb::Read(self.file()?)),
            b'R' => return Ok(Verb::ReadLine(self.file()?)),
            b'w' | b'W' => {
                let output = self.output()?;
                return Ok(Verb::Write(output, letter == b'W'));
            }
            b's' => self.substitute()?,
            b'y' => self.translate()?,
            _ => return Err(Wrong::Script("a command is not known")),
        };
        self.end()?;
        Ok(verb)
    }

    /// The end of a command.
    fn end(&mut self) -> Result<(), Wrong> {
        self.blanks();
        match self.peek() {
            None | Some(b'}' | b'#') => Ok(()),
            Some(b';' | b'\n') => {
                self.at += 1;
                Ok(())
            }
            _ => Err(Wrong::Script("there is more after a command")),
        }
    }

    fn label(&mut self, colon: bool) -> Vec<u8> {
        self.blanks();
        let from = self.at;
        match colon {
            true => self.skip(|byte| !byte.is_ascii_whitespace() && byte != b';'),
            false => {
                self.skip(|byte| !byte.is_ascii_whitespace() && byte != b';' && byte != b'}');
            }
        }
        let label = self.source[from..self.at].to_vec();
        self.blanks();
        label
    }

    fn file(&mut self) -> Result<Vec<u8>, Wrong> {
        self.blanks();
        let from = self.at;
        self.skip(|byte| byte != b'\n');
        if from == self.at {
            return Err(Wrong::Script("a file's name is missing"));
        }
        Ok(self.source[from..self.at].to_vec())
    }

    fn output(&mut self) -> Result<usize, Wrong> {
        let name = self.file()?;
        let outputs = &mut self.script.outputs;
        if let Some(at) = outputs.iter().position(|other| *other == name) {
            return Ok(at);
        }
        outputs.push(name);
        Ok(outputs.len() - 1)
    }

    /// The text of `a`, `i` and `c`, with a newline at its end.
    fn text(&mut self) -> Result<Vec<u8>, Wrong> {
        self.blanks();
        if self.peek() == Some(b'\\') {
            self.at += 1;
            let after = self.at;
            self.blanks();
            match self.peek() {
                Some(b'\n') => self.at += 1,
                // `$a\` adds nothing, but the last line gets its newline.
                None => return Ok(Vec::new()),
                // `a\  text` keeps its blanks.
                Some(_) => self.at = after,
            }
        }
        if self.peek().is_none() {
            return Err(Wrong::Script("a text is missing"));
        }
        let mut text = Vec::new();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\n' => break,
                b'\\' => {
                    if let Some(next) = self.peek() {
                        self.at += 1;
                        let (bytes, used) = replace::control(next, &self.source[self.at..]);
                        self.at += used;
                        text.extend(bytes.unwrap_or_else(|| vec![next]));
                    }
                }
                byte => text.push(byte),
            }
        }
        text.push(b'\n');
        Ok(text)
    }

    fn substitute(&mut self) -> Result<Verb, Wrong> {
        let delimiter = self.peek().ok_or(Wrong::Script("s has no pattern"))?;
        self.at += 1;
        let source = self.until(delimiter, true)?;
        let replacement = self.until(delimiter, false)?;
        let mut flags = self.flags();
        let mut made = Substitute {
            regex: None,
            parts: Vec::new(),
            global: false,
            print: 0,
            number: 1,
            write: None,
        };
        loop {
            match self.peek() {
                Some(b'g') => made.global = true,
                Some(b'p') => made.print += 1,
                Some(b'i' | b'I') => flags.ignore_case = true,
                Some(b'm' | b'M') => flags.lines = self.settings.end != 0,
                Some(b'0'..=b'9') => {
                    made.number = self.number()?.unwrap_or(1);
                    if made.number == 0 {
                        return Err(Wrong::Script("the number of s is 0"));
                    }
                    continue;
                }
                Some(b'w') => {
                    self.at += 1;
                    made.write = Some(self.output()?);
                    break;
                }
                _ => break,
            }
            self.at += 1;
        }
        made.regex = self.regex(&source, flags)?;
        let groups = made
            .regex
            .map_or(9, |number| self.script.patterns[number].groups());
        made.parts = replace::parse(&replacement, groups).ok_or(Wrong::Script(
            "the replacement names a group that is not there",
        ))?;
        Ok(Verb::Substitute(Box::new(made)))
    }

    fn translate(&mut self) -> Result<Verb, Wrong> {
        let delimiter = self.peek().ok_or(Wrong::Script("y has no text"))?;
        self.at += 1;
        let mut lists = Vec::new();
        for _ in 0..2 {
            let source = self.until(delimiter, false)?;
            lists.push(self.characters(&source)?);
        }
        let to = lists.pop().unwrap_or_default();
        let from = lists.pop().unwrap_or_default();
        if from.len() != to.len() {
            return Err(Wrong::Script("the strings of y have different lengths"));
        }
        let mut table = BTreeMap::new();
        for (from, to) in from.into_iter().zip(to) {
            table.entry(from).or_insert(to);
        }
        Ok(Verb::Translate(table))
    }

    fn characters(&self, source: &[u8]) -> Result<Vec<Vec<u8>>, Wrong> {
        let mut all = Vec::new();
        let mut at = 0;
        while at < source.len() {
            if source[at] == b'\\' {
                let Some(&next) = source.get(at + 1) else {
                    return Err(Wrong::Script("y ends with a backslash"));
                };
                let (bytes, used) = replace::control(next, &source[at + 2..]);
                match (bytes, next) {
                    (Some(bytes), _) => all.push(bytes),
                    (None, b'\\' | b'\n') => all.push(vec![next]),
                    _ => return Err(Wrong::Script("a backslash in y is not known")),
                }
                at += 2 + used;
                continue;
            }
            let len = match self.settings.utf8 {
                true => bstr::decode_utf8(&source[at..]).1.max(1),
                false => 1,
            };
            all.push(source[at..at + len].to_vec());
            at += len;
        }
        Ok(all)
    }
}
