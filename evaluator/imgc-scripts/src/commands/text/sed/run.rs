//! Runs sed's scripts.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::Settings;
use super::parse::{Address, Command, Regex, Script, Substitute, Verb};
use super::replace;
use crate::commands::text::pattern::{Pattern, Span};
use crate::commands::text::spend_on;
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Open;

/// The first descriptor that `w` uses.
const OUTPUTS: u32 = 1000;

/// Runs `script` over `names`.
pub(super) fn run(
    process: &mut Process<'_, '_>,
    script: &Script,
    settings: &Settings,
    names: &[BString],
) -> Outcome {
    let mut numbers = Vec::new();
    for (at, name) in script.outputs.iter().enumerate() {
        let number = match name.as_slice() {
            b"/dev/stdout" => 1,
            b"/dev/stderr" => 2,
            _ => {
                let Ok(fd) = process.open(name, Open::Write) else {
                    process.complain(format_args!("couldn't open file {}", name.as_bstr()));
                    return Ok(Status(4));
                };
                let number = OUTPUTS + u32::try_from(at).unwrap_or(u32::MAX - OUTPUTS);
                process.fds.insert(number, fd);
                number
            }
        };
        numbers.push(number);
    }
    let names = match names.is_empty() {
        true => vec![BString::from("-")],
        false => names.to_vec(),
    };
    let mut sed = Sed {
        process,
        script,
        settings,
        names,
        next_name: 0,
        current: None,
        edited: None,
        number: 0,
        space: Vec::new(),
        ended: true,
        hold: Vec::new(),
        hold_ended: true,
        out: Vec::new(),
        lacks_end: false,
        lack: BTreeMap::new(),
        outputs: numbers,
        append: Vec::new(),
        lines_read: BTreeMap::new(),
        active: vec![Range::Off; script.commands.len()],
        last_regex: None,
        replaced: false,
        status: 0,
    };
    for (state, command) in sed.active.iter_mut().zip(&script.commands) {
        if command.from == Some(Address::Line(0)) {
            *state = Range::On(0);
        }
    }
    sed.all()?;
    sed.close_file()?;
    sed.flush();
    Ok(Status(sed.status))
}

/// A file that is being read.
pub(super) struct File {
    pub(super) name: BString,
    pub(super) bytes: Rc<Vec<u8>>,
    pub(super) at: usize,
}

/// Whether a range of lines is open, and at which line it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Off,
    On(usize),
    /// Over, and it can't begin again.
    Over,
}

/// What is printed at the end of a cycle.
pub(super) enum Append {
    Text(Vec<u8>),
    File(Vec<u8>),
}

/// How a cycle ends.
enum Next {
    /// With the next line.
    Cycle,
    /// Without printing, with what is left in the pattern space.
    Again,
    /// Not at all: sed ends. Whether the pattern space is printed.
    Quit(bool),
}

pub(super) struct Sed<'a, 'p, 'r> {
    pub(super) process: &'a mut Process<'p, 'r>,
    pub(super) script: &'a Script,
    pub(super) settings: &'a Settings,
    pub(super) names: Vec<BString>,
    pub(super) next_name: usize,
    pub(super) current: Option<File>,
    /// The path that is edited in place.
    pub(super) edited: Option<BString>,
    pub(super) number: usize,
    pub(super) space: Vec<u8>,
    /// Whether the line had its newline.
    pub(super) ended: bool,
    pub(super) hold: Vec<u8>,
    /// Whether what is held had its newline.
    pub(super) hold_ended: bool,
    pub(super) out: Vec<u8>,
    /// Whether the output's last line lacks its newline.
    pub(super) lacks_end: bool,
    pub(super) lack: BTreeMap<u32, bool>,
    pub(super) outputs: Vec<u32>,
    pub(super) append: Vec<Append>,
    pub(super) lines_read: BTreeMap<Vec<u8>, (Rc<Vec<u8>>, usize)>,
    pub(super) active: Vec<Range>,
    pub(super) last_regex: Option<usize>,
    pub(super) replaced: bool,
    pub(super) status: u8,
}

impl Sed<'_, '_, '_> {
    fn all(&mut self) -> Result<(), Stop> {
        if !self.read(false)? {
            return Ok(());
        }
        loop {
            let next = self.cycle()?;
            let print = match next {
                Next::Cycle => !self.settings.quiet,
                Next::Again => false,
                Next::Quit(print) => print && !self.settings.quiet,
            };
            if print {
                self.print_space();
            }
            self.dump_append()?;
            match next {
                Next::Quit(_) => return Ok(()),
                Next::Again => {}
                Next::Cycle => {
                    if !self.read(false)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    // Addresses.

    fn pattern(&mut self, regex: Regex) -> Result<&Pattern, Stop> {
        let number = regex.or(self.last_regex);
        self.last_regex = number;
        number
            .map(|number| &*self.script.patterns[number])
            .ok_or_else(|| Stop::unsupported("sed has no previous regular expression"))
    }

    fn matches(&mut self, regex: Regex) -> Result<bool, Stop> {
        spend_on(self.process, self.space.len())?;
        let space = std::mem::take(&mut self.space);
        let found = self.pattern(regex)?.is_match(&space);
        self.space = space;
        found
    }

    fn is_at(&mut self, address: Address) -> Result<bool, Stop> {
        Ok(match address {
            Address::Line(number) => self.number == number,
            Address::Last => self.is_last(),
            Address::Regex(regex) => self.matches(regex)?,
            Address::Step(first, step) => {
                self.number >= first && (self.number - first).is_multiple_of(step)
            }
            Address::Plus(_) | Address::Multiple(_) => false,
        })
    }

    fn selected(&mut self, at: usize, command: &Command) -> Result<bool, Stop> {
        let Some(from) = command.from else {
            return Ok(true);
        };
        let Some(to) = command.to else {
            return self.is_at(from);
        };
        if let Range::On(end) = self.active[at] {
            return Ok(match to {
                Address::Regex(regex) => {
                    if self.matches(regex)? {
                        self.active[at] = closed(from);
                    }
                    true
                }
                Address::Last => {
                    if self.is_last() {
                        self.active[at] = closed(from);
                    }
                    true
                }
                _ => {
                    if self.number >= end {
                        self.active[at] = closed(from);
                    }
                    self.number <= end
                }
            });
        }
        if self.active[at] == Range::Over || !self.is_at(from)? {
            return Ok(false);
        }
        let here = self.number;
        let end = match to {
            Address::Line(line) => line,
            Address::Plus(count) => here + count,
            Address::Multiple(0) => here,
            Address::Multiple(of) => here.next_multiple_of(of),
            _ => usize::MAX,
        };
        if end > here {
            self.active[at] = Range::On(end);
        }
        Ok(true)
    }

    // Commands.

    fn cycle(&mut self) -> Result<Next, Stop> {
        let script = self.script;
        let mut at = 0;
        while let Some(command) = script.commands.get(at) {
            self.process.machine.spend(1)?;
            if self.selected(at, command)? == command.negated {
                at = match command.verb {
                    Verb::Block(end) => end,
                    _ => at + 1,
                };
                continue;
            }
            at += 1;
            match &command.verb {
                Verb::Block(_) | Verb::End | Verb::Nothing => {}
                Verb::Number => {
                    let line = format!("{}\n", self.number);
                    self.print(line.as_bytes());
                }
                Verb::Append(text) => self.append.push(Append::Text(text.clone())),
                Verb::Insert(text) => self.print(text),
                Verb::Change(text) => {
                    let open = matches!(self.active[at - 1], Range::On(_));
                    if command.negated || command.to.is_none() || !open {
                        self.print(text);
                    }
                    return self.deleted();
                }
                Verb::Branch(to) => at = *to,
                Verb::Test(to, wanted) => {
                    if std::mem::take(&mut self.replaced) == *wanted {
                        at = *to;
                    }
                }
                Verb::Delete => return self.deleted(),
                Verb::DeleteLine => match self.space.find_byte(self.settings.end) {
                    None => return self.deleted(),
                    Some(end) => {
                        self.space.drain(..=end);
                        return Ok(Next::Again);
                    }
                },
                Verb::Name => {
                    let name = self
                        .current
                        .as_ref()
                        .map_or("-".into(), |file| file.name.clone());
                    self.print(format!("{name}\n").as_bytes());
                }
                Verb::Get => {
                    self.space.clone_from(&self.hold);
                    self.ended = self.hold_ended;
                }
                Verb::GetAppend => {
                    self.ended = self.hold_ended;
                    self.space.push(self.settings.end);
                    self.space.extend_from_slice(&self.hold);
                    self.spend_space()?;
                }
                Verb::Hold => {
                    self.hold.clone_from(&self.space);
                    self.hold_ended = self.ended;
                }
                Verb::HoldAppend => {
                    self.hold_ended = self.ended;
                    self.hold.push(self.settings.end);
                    self.hold.extend_from_slice(&self.space);
                    self.spend_space()?;
                }
                Verb::Exchange => {
                    std::mem::swap(&mut self.space, &mut self.hold);
                    std::mem::swap(&mut self.ended, &mut self.hold_ended);
                }
                Verb::List(width) => self.list(width.unwrap_or(self.settings.width)),
                Verb::Next => {
                    if self.is_last() && !self.more()? {
                        return Ok(Next::Quit(true));
                    }
                    if !self.settings.quiet {
                        self.print_space();
                    }
                    self.dump_append()?;
                    if !self.read(false)? {
                        return Ok(Next::Quit(false));
                    }
                }
                Verb::NextAppend => {
                    if self.is_last() && !self.more()? {
                        return Ok(Next::Quit(true));
                    }
                    self.dump_append()?;
                    if !self.read(true)? {
                        return Ok(Next::Quit(true));
                    }
                    self.spend_space()?;
                }
                Verb::Print => self.print_space(),
                Verb::PrintLine => {
                    let end = self.space.find_byte(self.settings.end);
                    if let Some(end) = end {
                        let line = self.space[..=end].to_vec();
                        self.print(&line);
                    } else {
                        self.print_space();
                    }
                }
                Verb::Quit(status, print) => {
                    self.status = *status;
                    self.ended = true;
                    if !print {
                        self.append.clear();
                    }
                    return Ok(Next::Quit(*print));
                }
                Verb::Read(name) => self.append.push(Append::File(name.clone())),
                Verb::ReadLine(name) => self.read_line(name),
                Verb::Substitute(what) => self.substitute(what)?,
                Verb::Write(output, first) => {
                    let space = std::mem::take(&mut self.space);
                    let end = match first {
                        true => space.find_byte(self.settings.end),
                        false => None,
                    };
                    match end {
                        Some(end) => self.write_to(*output, &space[..end], true),
                        None => self.write_to(*output, &space, self.ended),
                    }
                    self.space = space;
                }
                Verb::Translate(table) => {
                    let mut made = Vec::with_capacity(self.space.len());
                    let mut rest = self.space.as_slice();
                    while !rest.is_empty() {
                        let len = match self.settings.utf8 {
                            true => bstr::decode_utf8(rest).1.max(1),
                            false => 1,
                        };
                        let char = &rest[..len];
                        made.extend_from_slice(table.get(char).map_or(char, Vec::as_slice));
                        rest = &rest[len..];
                    }
                    self.space = made;
                    self.spend_space()?;
                }
                Verb::Zap => self.space.clear(),
            }
        }
        Ok(Next::Cycle)
    }

    /// `d`: the pattern space is dropped.
    fn deleted(&mut self) -> Result<Next, Stop> {
        self.dump_append()?;
        match self.read(false)? {
            true => Ok(Next::Again),
            false => Ok(Next::Quit(false)),
        }
    }

    /// Whether there is another line, also where every file has its own last line.
    fn more(&mut self) -> Result<bool, Stop> {
        if !self.settings.separate {
            return Ok(false);
        }
        let rest = self.names[self.next_name..].to_vec();
        Ok(rest.iter().any(|name| {
            let path = self.process.path(name);
            let read = self.process.machine.files.read(&path);
            read.is_ok_and(|bytes| !bytes.is_empty())
        }))
    }

    fn spend_space(&mut self) -> Result<(), Stop> {
        let size = self.space.len().max(self.hold.len());
        if size > self.process.machine.setup.limits.file {
            return Err(Stop::new(crate::Why::Budget("sed holds too much")));
        }
        spend_on(self.process, size)
    }

    fn read_line(&mut self, name: &[u8]) {
        if !self.lines_read.contains_key(name) {
            let bytes = self.process.input(name).unwrap_or_default();
            self.lines_read.insert(name.to_vec(), (bytes, 0));
        }
        if let Some((bytes, at)) = self.lines_read.get_mut(name)
            && *at < bytes.len()
        {
            let rest = &bytes[*at..];
            let len = rest.find_byte(self.settings.end).unwrap_or(rest.len());
            let mut text = rest[..len].to_vec();
            text.push(self.settings.end);
            *at += len + 1;
            self.append.push(Append::Text(text));
        }
    }

    fn list(&mut self, width: usize) {
        let mut line = Vec::new();
        let mut out = Vec::new();
        for &byte in &self.space {
            let part = match byte {
                b'\\' => "\\\\".to_owned(),
                0x07 => "\\a".to_owned(),
                0x08 => "\\b".to_owned(),
                0x0c => "\\f".to_owned(),
                b'\n' => "\\n".to_owned(),
                b'\r' => "\\r".to_owned(),
                b'\t' => "\\t".to_owned(),
                0x0b => "\\v".to_owned(),
                0x20..=0x7e => char::from(byte).to_string(),
                _ => format!("\\{byte:03o}"),
            };
            if width > 0 && line.len() + part.len() > width - 1 {
                out.extend_from_slice(&line);
                out.extend_from_slice(b"\\\n");
                line.clear();
            }
            line.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(&line);
        out.extend_from_slice(b"$\n");
        self.print(&out);
    }

    fn substitute(&mut self, what: &Substitute) -> Result<(), Stop> {
        let line = std::mem::take(&mut self.space);
        spend_on(self.process, line.len())?;
        let pattern = self.pattern(what.regex)?;
        let mut made = Vec::new();
        let mut at = 0;
        let mut count = 0;
        let mut changed = false;
        let mut last_end = None;
        let mut work = 0;
        let simple = what
            .parts
            .iter()
            .all(|part| !matches!(part, replace::Part::Group(1..)));
        while at <= line.len() {
            let found: Option<Vec<Option<Span>>> = match simple {
                true => pattern.find(&line, at)?.map(|span| vec![Some(span)]),
                false => pattern.captures(&line, at)?,
            };
            let Some(spans) = found else {
                break;
            };
            let Some((start, end)) = spans[0] else {
                break;
            };
            work += 1;
            made.extend_from_slice(&line[at..start]);
            // An empty match right behind another one is none.
            let void = start == end && last_end == Some(start);
            if !void {
                count += 1;
                if count < what.number {
                    made.extend_from_slice(&line[start..end]);
                } else {
                    replace::fill(&what.parts, &line, &spans, &mut made);
                    changed = true;
                }
            }
            at = end;
            last_end = Some(end);
            if changed && !what.global {
                break;
            }
            if start == end {
                let next = pattern.after_empty(&line, at);
                let end = next.min(line.len());
                made.extend_from_slice(line.get(at..end).unwrap_or_default());
                at = next;
            }
        }
        self.process.machine.spend(work)?;
        if !changed {
            self.space = line;
            return Ok(());
        }
        made.extend_from_slice(line.get(at..).unwrap_or_default());
        self.space = made;
        self.spend_space()?;
        self.replaced = true;
        for _ in 0..what.print {
            self.print_space();
        }
        if let Some(output) = what.write {
            let space = std::mem::take(&mut self.space);
            self.write_to(output, &space, self.ended);
            self.space = space;
        }
        Ok(())
    }
}

/// The state of a range that has ended: one that begins at a line's number is over.
fn closed(from: Address) -> Range {
    match from {
        Address::Line(_) => Range::Over,
        _ => Range::Off,
    }
}
