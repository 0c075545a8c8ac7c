//! grep, egrep and fgrep: their options. The work is in `search`.

mod search;

use std::rc::Rc;

use bstr::BString;

use super::is_utf8;
use super::options::{self, Parsed, Spec};
use super::pattern::{Dialect, Flags, Pattern, Whole};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

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
    pattern: Option<Rc<Pattern>>,
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
    names_in_folders: bool,
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
) -> Result<Result<Option<Rc<Pattern>>, &'static str>, Stop> {
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
    let patterns = &process.machine.patterns;
    let made = match kind {
        'P' if all.len() == 1 => patterns.perl(all[0], whole, flags),
        'P' => return Err(Stop::unsupported("several Perl patterns are not known")),
        'F' => patterns.any(&all, None, whole, flags),
        'E' => patterns.any(&all, Some(Dialect::GrepExtended), whole, flags),
        _ => patterns.any(&all, Some(Dialect::GrepBasic), whole, flags),
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
    pattern: Option<Rc<Pattern>>,
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
        names_in_folders: false,
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
    grep.names = names.unwrap_or(operands.len() > 1);
    grep.names_in_folders = names != Some(false);
    if grep.quiet {
        grep.list = None;
    }
    Ok(grep)
}

#[cfg(test)]
mod tests;
