//! grep, egrep and fgrep.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::options::{self, Parsed, Spec};
use super::pattern::{Dialect, Flags, Pattern, Whole};
use super::{is_utf8, spend_on};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Fd;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "grep",
        origin: Origin::Essential,
        run: |process| run(process, 'G'),
    },
    Native {
        name: "egrep",
        origin: Origin::Essential,
        run: |process| run(process, 'E'),
    },
    Native {
        name: "fgrep",
        origin: Origin::Essential,
        run: |process| run(process, 'F'),
    },
];

const SPEC: Spec = Spec {
    letters: "EFGPe:f:iyvwxcLlm:nboqsHhZzaIUrRA:B:C:0123456789d:D:\u{391}:\u{392}:\u{393}:\u{394}::\u{395}\u{396}:\u{397}\u{398}:",
    long: &[
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("basic-regexp", 'G'),
        ("perl-regexp", 'P'),
        ("regexp", 'e'),
        ("file", 'f'),
        ("ignore-case", 'i'),
        ("no-ignore-case", '\u{397}'),
        ("invert-match", 'v'),
        ("word-regexp", 'w'),
        ("line-regexp", 'x'),
        ("count", 'c'),
        ("files-without-match", 'L'),
        ("files-with-matches", 'l'),
        ("max-count", 'm'),
        ("line-number", 'n'),
        ("byte-offset", 'b'),
        ("only-matching", 'o'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("no-messages", 's'),
        ("with-filename", 'H'),
        ("no-filename", 'h'),
        ("null", 'Z'),
        ("null-data", 'z'),
        ("text", 'a'),
        ("binary", 'U'),
        ("recursive", 'r'),
        ("dereference-recursive", 'R'),
        ("after-context", 'A'),
        ("before-context", 'B'),
        ("context", 'C'),
        ("directories", 'd'),
        ("devices", 'D'),
        ("include", '\u{391}'),
        ("exclude", '\u{392}'),
        ("exclude-dir", '\u{393}'),
        ("color", '\u{394}'),
        ("colour", '\u{394}'),
        ("line-buffered", '\u{395}'),
        ("binary-files", '\u{396}'),
        ("label", '\u{398}'),
    ],
};

/// How files with bytes that are no text are handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binary {
    Say,
    Text,
    Skip,
}

/// What is done with directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folders {
    Read,
    Skip,
    Recurse,
}

struct Grep {
    pattern: Option<Pattern>,
    utf8: bool,
    invert: bool,
    count: bool,
    list: Option<bool>,
    quiet: bool,
    only: bool,
    numbers: bool,
    offsets: bool,
    silent: bool,
    names: bool,
    null_names: bool,
    end: u8,
    binary: Binary,
    most: usize,
    before: usize,
    after: usize,
    contexts: bool,
    folders: Folders,
    include: Vec<BString>,
    exclude: Vec<BString>,
    exclude_folders: Vec<BString>,
    label: BString,
    out: Vec<u8>,
    failed: bool,
    matched: bool,
    /// Whether a group of lines was printed, so that the next needs a `--`.
    printed: bool,
}

fn run(process: &mut Process<'_, '_>, kind: char) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let mut operands = given.operands.clone();
    let kind = given
        .options
        .iter()
        .rev()
        .map(|(letter, _)| *letter)
        .find(|letter| matches!(letter, 'E' | 'F' | 'G' | 'P'))
        .unwrap_or(kind);
    let kinds = ['E', 'F', 'G', 'P']
        .into_iter()
        .filter(|kind| given.has(*kind));
    if kinds.count() > 1 {
        return Err(Stop::unsupported("several kinds of patterns are not known"));
    }
    let mut sources: Vec<BString> = Vec::new();
    let mut named = false;
    for (letter, value) in &given.options {
        match letter {
            'e' => {
                named = true;
                sources.extend(value.split(|&b| b == b'\n').map(BString::from));
            }
            'f' => {
                named = true;
                let Ok(bytes) = process.input(value) else {
                    process.complain(format_args!("{value}: No such file or directory"));
                    return Ok(Status(2));
                };
                let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
                if !bytes.is_empty() {
                    sources.extend(text.split(|&b| b == b'\n').map(BString::from));
                }
            }
            _ => {}
        }
    }
    if !named {
        if operands.is_empty() {
            process.err("Usage: grep [OPTION]... PATTERNS [FILE]...\n");
            return Ok(Status(2));
        }
        let source = operands.remove(0);
        sources.extend(source.split(|&b| b == b'\n').map(BString::from));
    }
    let pattern = match compile(process, &given, kind, &mut sources)? {
        Ok(pattern) => pattern,
        Err(words) => {
            process.complain(words);
            return Ok(Status(2));
        }
    };
    let void = sources == [BString::default()] && given.has('v');
    if !given.has('L')
        && (given.last('m').is_some_and(|most| most == "0")
            || (void && !given.has('x') && !given.has('w')))
    {
        return Ok(Status::FAILED);
    }
    let mut grep = configure(process, &given, &operands, pattern)?;
    if operands.is_empty() {
        if grep.folders == Folders::Recurse {
            grep.folder(process, b".", b"")?;
        } else {
            grep.input(process, b"-")?;
        }
    }
    for operand in &operands {
        if grep.quiet && grep.matched {
            break;
        }
        grep.operand(process, operand)?;
    }
    let out = std::mem::take(&mut grep.out);
    process.out(out);
    Ok(Status(match (grep.failed, grep.matched) {
        (true, matched) if !(matched && grep.quiet) => 2,
        (_, true) => 0,
        (_, false) => 1,
    }))
}

/// The pattern that all sources make; none where there is no source, which matches
/// nothing.
fn compile(
    process: &Process<'_, '_>,
    given: &Parsed,
    kind: char,
    sources: &mut Vec<BString>,
) -> Result<Result<Option<Pattern>, &'static str>, Stop> {
    let case = given.options.iter().rev().map(|(letter, _)| *letter);
    let case = case
        .into_iter()
        .find(|l| matches!(l, 'i' | 'y' | '\u{397}'));
    let flags = Flags {
        ignore_case: matches!(case, Some('i' | 'y')),
        lines: false,
        utf8: is_utf8(process),
    };
    let whole = match (given.has('x'), given.has('w')) {
        (true, _) => Whole::Line,
        (_, true) => Whole::Word,
        _ => Whole::Any,
    };
    // Without repeats a list of thousands stays small.
    if kind == 'F' {
        sources.sort_unstable();
        sources.dedup();
    }
    if sources.is_empty() {
        return Ok(Ok(None));
    }
    let all: Vec<&[u8]> = sources.iter().map(|source| source.as_slice()).collect();
    let made = match kind {
        'P' if all.len() == 1 => Pattern::perl(all[0], whole, flags),
        'P' => return Err(Stop::unsupported("several Perl patterns are not known")),
        'F' => Pattern::any(&all, None, whole, flags),
        'E' => Pattern::any(&all, Some(Dialect::GrepExtended), whole, flags),
        _ => Pattern::any(&all, Some(Dialect::GrepBasic), whole, flags),
    };
    Ok(match made {
        Ok(pattern) => Ok(Some(pattern)),
        Err(fault) => Err(fault.invalid()?),
    })
}

fn configure(
    process: &Process<'_, '_>,
    given: &Parsed,
    operands: &[BString],
    pattern: Option<Pattern>,
) -> Result<Grep, Stop> {
    let mut grep = Grep {
        pattern,
        utf8: is_utf8(process),
        invert: given.has('v'),
        count: given.has('c'),
        list: None,
        quiet: given.has('q'),
        only: given.has('o'),
        numbers: given.has('n'),
        offsets: given.has('b'),
        silent: given.has('s'),
        names: false,
        null_names: given.has('Z'),
        end: if given.has('z') { 0 } else { b'\n' },
        binary: Binary::Say,
        most: usize::MAX,
        before: 0,
        after: 0,
        contexts: false,
        folders: Folders::Read,
        include: Vec::new(),
        exclude: Vec::new(),
        exclude_folders: Vec::new(),
        label: "(standard input)".into(),
        out: Vec::new(),
        failed: false,
        matched: false,
        printed: false,
    };
    let mut names = None;
    let mut context = None;
    let mut digits = String::new();
    for (letter, value) in &given.options {
        match letter {
            'l' => grep.list = Some(true),
            'L' => grep.list = Some(false),
            'H' => names = Some(true),
            'h' => names = Some(false),
            'a' => grep.binary = Binary::Text,
            'I' => grep.binary = Binary::Skip,
            '\u{396}' => {
                grep.binary = match value.as_slice() {
                    b"binary" => Binary::Say,
                    b"text" => Binary::Text,
                    b"without-match" => Binary::Skip,
                    _ => return Err(Stop::unsupported("this --binary-files is not known")),
                }
            }
            'm' => {
                // A negative number means no bound.
                grep.most = match value.starts_with(b"-") {
                    true => usize::MAX,
                    false => options::number(value)?,
                }
            }
            'A' => (grep.after, grep.contexts) = (options::number(value)?, true),
            'B' => (grep.before, grep.contexts) = (options::number(value)?, true),
            'C' => context = Some(options::number(value)?),
            '0'..='9' => {
                digits.push(*letter);
                context = Some(options::number(digits.as_bytes())?);
            }
            'r' | 'R' => grep.folders = Folders::Recurse,
            'd' => {
                grep.folders = match value.as_slice() {
                    b"read" => Folders::Read,
                    b"skip" => Folders::Skip,
                    b"recurse" => Folders::Recurse,
                    _ => return Err(Stop::unsupported("this --directories is not known")),
                }
            }
            'D' if value != "read" && value != "skip" => {
                return Err(Stop::unsupported("this --devices is not known"));
            }
            '\u{391}' => grep.include.push(value.clone()),
            '\u{392}' => grep.exclude.push(value.clone()),
            '\u{393}' => grep.exclude_folders.push(value.clone()),
            '\u{394}' if value == "always" => {
                return Err(Stop::unsupported("--color=always is not known"));
            }
            '\u{398}' => grep.label = value.clone(),
            _ => {}
        }
    }
    if let Some(context) = context {
        grep.contexts = true;
        if !given.has('A') {
            grep.after = context;
        }
        if !given.has('B') {
            grep.before = context;
        }
    }
    if grep.only {
        (grep.before, grep.after) = (0, 0);
    }
    let many = operands.len() > 1 || grep.folders == Folders::Recurse;
    grep.names = names.unwrap_or(many);
    if grep.quiet {
        grep.list = None;
    }
    Ok(grep)
}

impl Grep {
    fn complain(&mut self, process: &mut Process<'_, '_>, name: &[u8], what: impl ToString) {
        self.failed = true;
        if !self.silent {
            let what = what.to_string();
            process.complain(format_args!("{}: {what}", name.as_bstr()));
        }
    }

    fn operand(&mut self, process: &mut Process<'_, '_>, name: &BString) -> Result<(), Stop> {
        let path = process.path(name);
        if name != "-" && process.machine.files.is_directory(&path) {
            return match self.folders {
                Folders::Skip => Ok(()),
                Folders::Read => {
                    self.complain(process, name, "Is a directory");
                    Ok(())
                }
                Folders::Recurse => {
                    let mut shown = name.clone();
                    if !shown.ends_with(b"/") {
                        shown.push(b'/');
                    }
                    self.folder(process, &path, &shown)
                }
            };
        }
        if name != "-" && !self.wanted(name) {
            return Ok(());
        }
        self.input(process, name)
    }

    fn wanted(&self, name: &[u8]) -> bool {
        let base = crate::process::base(name);
        let matches = |globs: &[BString]| {
            globs
                .iter()
                .any(|glob| super::glob(glob, base) || super::glob(glob, name))
        };
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }

    /// Searches a folder. `shown` is what its files' names begin with.
    fn folder(
        &mut self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        shown: &[u8],
    ) -> Result<(), Stop> {
        let path = process.path(path);
        let names = process.machine.files.list(&path).unwrap_or_default();
        process.machine.spend(names.len() as u64)?;
        for name in names {
            let mut full = path.clone();
            full.push(b'/');
            full.extend_from_slice(&name);
            let mut show = BString::from(shown);
            show.extend_from_slice(&name);
            let Ok(stat) = process.machine.files.stat(&full, false) else {
                continue;
            };
            match stat.kind {
                b'd' if self.exclude_folders.iter().any(|g| super::glob(g, &name)) => {}
                b'd' => {
                    show.push(b'/');
                    self.folder(process, &full, &show)?;
                }
                b'f' if self.wanted(&name) => {
                    let read = process.machine.files.read(&full);
                    match read {
                        Ok(bytes) => self.search(process, &bytes, &show, Some(stat.ino))?,
                        Err(error) => self.complain(process, &show, error),
                    }
                }
                b'l' if self.wanted(&name) && self.folders == Folders::Recurse => {
                    // `-r` follows no links below its operands; `-R` is refused where
                    // that would matter.
                    if process.args.iter().any(|arg| is_dereference(arg)) {
                        return Err(Stop::unsupported("grep -R over links is not known"));
                    }
                }
                _ => {}
            }
            if self.quiet && self.matched {
                break;
            }
        }
        Ok(())
    }

    fn input(&mut self, process: &mut Process<'_, '_>, name: &[u8]) -> Result<(), Stop> {
        let path = process.path(name);
        let ino = process.machine.files.find(&path, true).ok();
        let ino = ino.filter(|_| name != b"-");
        match process.input(name) {
            Ok(bytes) => {
                let shown = match name {
                    b"-" => self.label.clone(),
                    _ => name.into(),
                };
                self.search(process, &bytes, &shown, ino)
            }
            Err(error) => {
                self.complain(process, name, error);
                Ok(())
            }
        }
    }

    fn is_selected(&self, line: &[u8]) -> Result<bool, Stop> {
        let found = match &self.pattern {
            Some(pattern) => pattern.is_match(line)?,
            None => false,
        };
        Ok(found != self.invert)
    }

    fn search(
        &mut self,
        process: &mut Process<'_, '_>,
        bytes: &Rc<Vec<u8>>,
        name: &[u8],
        ino: Option<imgc_tree::Ino>,
    ) -> Result<(), Stop> {
        let shows = !self.quiet && self.list.is_none();
        if let (Some(ino), Some(Fd::File(open))) = (ino, process.fds.get(&1))
            && shows
            && self.most > 1
            && open.borrow().ino == ino
        {
            self.complain(process, name, "input file is also the output");
            return Ok(());
        }
        spend_on(process, bytes.len())?;
        let nul = self.end != 0 && bytes.contains(&0);
        let head = &bytes[..bytes.len().min(32 << 10)];
        let broken = self.utf8 && matches!(head.to_str(), Err(e) if e.error_len().is_some());
        let mut binary = self.binary != Binary::Text && (nul || broken);
        if binary && self.binary == Binary::Skip {
            return Ok(self.listed(name, 0));
        }
        let mut count = 0;
        let mut context = Context::default();
        let mut number = 0;
        let mut at = 0;
        while at < bytes.len() && count < self.most {
            let end = bytes[at..]
                .find_byte(self.end)
                .map_or(bytes.len(), |len| at + len);
            let line = &bytes[at..end];
            number += 1;
            process.machine.spend(1)?;
            let place = Place { number, offset: at };
            if self.is_selected(line)? {
                count += 1;
                self.matched = true;
                if self.quiet || self.list.is_some() {
                    break;
                }
                if !self.count {
                    let say = self.binary == Binary::Say && self.utf8 && !line.is_utf8();
                    if binary || say {
                        binary = true;
                        break;
                    }
                    self.selected(bytes, &mut context, line, place, name)?;
                }
            } else if shows && !self.count && !binary {
                self.unselected(&mut context, line, place, name);
            }
            at = end + 1;
        }
        if count >= self.most && count > 0 && shows && !self.count && !binary {
            // What follows the last line that `-m` allows is context still.
            while at < bytes.len() && context.after > 0 {
                let end = bytes[at..]
                    .find_byte(self.end)
                    .map_or(bytes.len(), |len| at + len);
                number += 1;
                let line = &bytes[at..end];
                if self.is_selected(line)? {
                    break;
                }
                self.unselected(&mut context, line, Place { number, offset: at }, name);
                at = end + 1;
            }
        }
        if binary && count > 0 && shows && !self.count {
            let line = format!("grep: {}: binary file matches\n", name.as_bstr());
            self.out.extend_from_slice(line.as_bytes());
        }
        if self.count && shows {
            if self.names {
                self.out.extend_from_slice(name);
                self.out.push(if self.null_names { 0 } else { b':' });
            }
            self.out.extend_from_slice(format!("{count}\n").as_bytes());
        }
        self.listed(name, count);
        Ok(())
    }

    fn listed(&mut self, name: &[u8], count: usize) {
        if self.list == Some(count > 0) {
            self.out.extend_from_slice(name);
            self.out.push(if self.null_names { 0 } else { b'\n' });
        }
    }

    fn selected(
        &mut self,
        bytes: &[u8],
        context: &mut Context,
        line: &[u8],
        place: Place,
        name: &[u8],
    ) -> Result<(), Stop> {
        if self.only {
            return self.matches(line, place, name);
        }
        let first = context
            .before
            .first()
            .map_or(place.number, |(_, place)| place.number);
        if self.contexts && self.printed && first > context.last + 1 {
            self.out.extend_from_slice(b"--\n");
        } else if self.contexts && self.printed && context.last == 0 {
            self.out.extend_from_slice(b"--\n");
        }
        for ((from, to), place) in std::mem::take(&mut context.before) {
            self.line(&bytes[from..to], place, name, b'-');
        }
        self.line(line, place, name, b':');
        self.printed = true;
        context.last = place.number;
        context.after = self.after;
        Ok(())
    }

    fn unselected(&mut self, context: &mut Context, line: &[u8], place: Place, name: &[u8]) {
        if self.only {
            return;
        }
        if context.after > 0 {
            context.after -= 1;
            context.last = place.number;
            self.line(line, place, name, b'-');
        } else if self.before > 0 {
            if context.before.len() == self.before {
                context.before.remove(0);
            }
            let span = (place.offset, place.offset + line.len());
            context.before.push((span, place));
        }
    }

    /// `-o`: every match on a line of its own.
    fn matches(&mut self, line: &[u8], place: Place, name: &[u8]) -> Result<(), Stop> {
        if self.invert {
            return Ok(());
        }
        let Some(pattern) = self.pattern.take() else {
            return Ok(());
        };
        let mut from = 0;
        while let Some((start, end)) = pattern.find(line, from)? {
            if start == end {
                let len = bstr::decode_utf8(&line[start..]).1.max(1);
                from = start + len;
                if from > line.len() {
                    break;
                }
                continue;
            }
            let offset = place.offset + start;
            let place = Place { offset, ..place };
            self.line(&line[start..end], place, name, b':');
            from = end;
        }
        self.pattern = Some(pattern);
        Ok(())
    }

    fn line(&mut self, line: &[u8], place: Place, name: &[u8], mark: u8) {
        if self.names {
            self.out.extend_from_slice(name);
            self.out.push(if self.null_names { 0 } else { mark });
        }
        for (wanted, number) in [(self.numbers, place.number), (self.offsets, place.offset)] {
            if wanted {
                self.out.extend_from_slice(number.to_string().as_bytes());
                self.out.push(mark);
            }
        }
        self.out.extend_from_slice(line);
        self.out.push(self.end);
    }
}

/// Where a line is.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: usize,
    offset: usize,
}

/// The lines around those that are selected.
#[derive(Debug, Default)]
struct Context {
    /// Lines that may become context, with where they are.
    before: Vec<((usize, usize), Place)>,
    /// How many more lines are context.
    after: usize,
    /// The number of the last line that was printed; 0 for none.
    last: usize,
}

fn is_dereference(arg: &[u8]) -> bool {
    arg == b"--dereference-recursive"
        || (arg.starts_with(b"-") && !arg.starts_with(b"--") && arg.contains(&b'R'))
}

#[cfg(test)]
mod tests;
