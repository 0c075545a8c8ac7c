//! The files `/etc/pam.d/common-*`, with a block that is managed, and what is kept of it
//! in `/var/lib/pam` to tell a person's changes from ours.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice as _};

use super::profiles::Profiles;
use crate::process::Process;
use crate::stop::Stop;

const STACKS: [&str; 5] = [
    "auth",
    "account",
    "password",
    "session",
    "session-noninteractive",
];
const PRIMARY: &str = "# here are the per-package modules (the \"Primary\" block)";
const FALLBACK: &str = "# here's the fallback if no module succeeds";
const ADDITIONAL: &str = "# and here are more per-package modules (the \"Additional\" block)";
const END: &str = "# end of pam-auth-update config";

/// Options, by the module that they are for.
type Options = BTreeMap<BString, BTreeSet<BString>>;

/// What a person changed in the blocks.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The profiles that are still there.
    pub(super) modules: Vec<BString>,
    added: BTreeMap<&'static str, Options>,
    removed: BTreeMap<&'static str, Options>,
}

/// Compares the blocks with what was kept. None where they can't be understood, or
/// nothing was kept.
pub(super) fn changes(process: &mut Process<'_, '_>) -> Option<Changes> {
    let mut changes = Changes::default();
    for stack in STACKS {
        let kept = process
            .machine
            .files
            .read(format!("/var/lib/pam/{stack}").as_bytes())
            .ok()?;
        let mut saved = std::collections::VecDeque::new();
        let mut module = BString::default();
        for line in kept.lines() {
            match line.strip_prefix(b"Module: ") {
                Some(name) => module = name.into(),
                None => {
                    let line = without(&without_number(line), b"end");
                    saved.push_back((module.clone(), line));
                }
            }
        }
        let path = format!("/etc/pam.d/common-{stack}");
        let current = process.machine.files.read(path.as_bytes()).ok()?;
        let kind = stack.trim_end_matches("-noninteractive");
        let mut state = 0;
        for line in current.lines() {
            if state == 0 || state == 2 {
                let marker = if state == 0 { PRIMARY } else { ADDITIONAL };
                if line.starts_with_str(marker) {
                    state += 1;
                }
                continue;
            }
            if state == 1 && line.starts_with_str(FALLBACK) {
                state = 2;
                continue;
            }
            if state == 3 && line.starts_with_str(END) {
                break;
            }
            let rest = line.strip_prefix(kind.as_bytes());
            let rest = rest.filter(|rest| rest.first().is_some_and(u8::is_ascii_whitespace));
            let line = without_number(rest.map_or(line, <[u8]>::trim_ascii_start));
            let found = loop {
                let (name, known) = saved.pop_front()?;
                let Some((head, options)) = parts(&known) else {
                    continue;
                };
                if let Some(rest) = line.strip_prefix(head.as_slice()) {
                    changes.modules.push(name);
                    break (head, options, words(rest.trim_ascii_start()));
                }
            };
            let (head, mut before, now) = found;
            for option in now {
                match before.iter().position(|old| *old == option) {
                    Some(_) => before.retain(|old| *old != option),
                    None => {
                        let added = changes.added.entry(stack).or_default();
                        added.entry(head.clone()).or_default().insert(option);
                    }
                }
            }
            for option in before {
                let removed = changes.removed.entry(stack).or_default();
                removed.entry(head.clone()).or_default().insert(option);
            }
        }
        if state < 3 {
            return None;
        }
    }
    Some(changes)
}

/// Writes the files with the profiles' lines in their blocks. Says whether all could be.
pub(super) fn write(
    process: &mut Process<'_, '_>,
    profiles: &Profiles,
    enabled: &[BString],
    changes: Option<&Changes>,
    force: bool,
) -> Result<bool, Stop> {
    for stack in STACKS {
        let target = BString::from(format!("/etc/pam.d/common-{stack}"));
        let upper = upper(stack);
        let there = process.machine.files.read(&target).ok();
        let mut merged = there
            .as_ref()
            .and_then(|bytes| create(bytes, stack, profiles, enabled, changes));
        if merged.is_none() && force {
            let stock = format!("/usr/share/pam/common-{stack}");
            let bytes = process.machine.files.read(stock.as_bytes()).ok();
            merged = bytes.and_then(|bytes| create(&bytes, stack, profiles, enabled, changes));
        }
        let Some(merged) = merged else {
            return Ok(false);
        };
        let mut kept = keep(profiles, enabled, &upper, "Additional");
        if kept.is_empty() {
            kept.extend_from_slice(b"Module: null\n[default=1]\t\t\tpam_permit.so\n");
        }
        kept.extend(keep(profiles, enabled, &upper, "Primary"));
        if let Some(bytes) = there
            && force
        {
            let mode = process
                .machine
                .files
                .stat(&target, true)
                .map_or(0o644, |stat| stat.mode);
            let old = BString::from(format!("{target}.pam-old"));
            put(process, &old, bytes.to_vec())?;
            let _ = process.machine.files.chmod(&old, mode & !0o022);
        }
        replace(process, &target, merged)?;
        replace(process, &format!("/var/lib/pam/{stack}").into(), kept)?;
    }
    Ok(true)
}

/// What is kept of the profiles' lines, except of those for the block `other`.
fn keep(profiles: &Profiles, enabled: &[BString], upper: &str, other: &str) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut first = true;
    for name in enabled {
        let kind = profiles.field(name, &format!("{upper}-Type"));
        if kind.is_empty() || kind == "0" || kind == other {
            continue;
        }
        let lines = profiles.lines(name, upper, first);
        first = false;
        if !lines.is_empty() {
            kept.extend_from_slice(format!("Module: {name}\n{lines}\n").as_bytes());
        }
    }
    kept
}

/// A file from a template, with the lines of the profiles between its marks. None where
/// a mark is missing.
fn create(
    template: &[u8],
    stack: &'static str,
    profiles: &Profiles,
    enabled: &[BString],
    changes: Option<&Changes>,
) -> Option<Vec<u8>> {
    let kind = stack.trim_end_matches("-noninteractive");
    let upper = upper(stack);
    let mut out = Vec::new();
    let mut state = 0;
    let mut added = changes
        .and_then(|changes| changes.added.get(stack))
        .cloned();
    let removed = changes.and_then(|changes| changes.removed.get(stack));
    for line in template.lines_with_terminator() {
        if state == 1 || state == 3 {
            let mark = if state == 1 { FALLBACK } else { END };
            if line.starts_with_str(mark) {
                out.extend_from_slice(line);
                state += 1;
            }
            continue;
        }
        out.extend_from_slice(line);
        let (mark, block) = match state {
            0 => (PRIMARY, "Primary"),
            2 => (ADDITIONAL, "Additional"),
            _ => continue,
        };
        if !line.starts_with_str(mark) {
            continue;
        }
        state += 1;
        let mut lines = Vec::new();
        let mut first = true;
        for name in enabled {
            if profiles.field(name, &format!("{upper}-Type")) != block {
                continue;
            }
            let text = profiles.lines(name, &upper, first);
            first = false;
            lines.extend(text.split_str("\n").map(BString::from));
        }
        lines.retain(|line| !line.is_empty());
        if lines.is_empty() && block == "Primary" {
            out.extend_from_slice(format!("{kind}\t[default=1]\t\t\tpam_permit.so\n").as_bytes());
        }
        // A jump to the end leaves out what comes behind: in the last block one less.
        let below = usize::from(block == "Primary");
        for (at, line) in lines.iter().enumerate() {
            let count = (lines.len() - at + below).saturating_sub(1);
            let merged = merge(line, count, added.as_mut(), removed);
            out.extend_from_slice(kind.as_bytes());
            out.push(b'\t');
            out.extend_from_slice(&merged);
        }
    }
    (state == 4).then_some(out)
}

/// A line of a profile, with a person's changes to its options.
fn merge(
    line: &BString,
    count: usize,
    added: Option<&mut Options>,
    removed: Option<&Options>,
) -> Vec<u8> {
    let (head, mut options) = parts(line).unwrap_or_default();
    let head = BString::from(head.replace("end", count.to_string()));
    let key = without_number(&head);
    let mut more = BTreeSet::new();
    if let Some(added) = added.and_then(|added| added.get_mut(&key)) {
        added.retain(|option| !options.contains(option));
        more.clone_from(added);
    }
    if let Some(removed) = removed.and_then(|removed| removed.get(&key)) {
        options.retain(|option| !removed.contains(option));
    }
    options.extend(more);
    let mut line = head.to_vec();
    line.push(b' ');
    line.extend_from_slice(&bstr::join(" ", &options));
    line.push(b'\n');
    line
}

/// A line's control and module, and its options.
fn parts(line: &[u8]) -> Option<(BString, Vec<BString>)> {
    let control = if line.starts_with(b"[") {
        line.find_byte(b']').filter(|at| *at > 1)? + 1
    } else {
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        line.iter().position(|b| !word(b)).filter(|at| *at > 0)?
    };
    let gap = line[control..]
        .iter()
        .position(|b| !b.is_ascii_whitespace())
        .filter(|at| *at > 0)?;
    let begin = control + gap;
    let module = line[begin..].iter().position(u8::is_ascii_whitespace);
    let end = module.map_or(line.len(), |at| begin + at);
    Some((line[..end].into(), words(&line[end..])))
}

fn words(text: &[u8]) -> Vec<BString> {
    let words = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    words.map(BString::from).collect()
}

/// A line without the number in its brackets, which is how far a jump goes.
fn without_number(line: &[u8]) -> BString {
    let Some(open) = line.find_byte(b'[') else {
        return line.into();
    };
    let digit = line[open..]
        .iter()
        .position(u8::is_ascii_digit)
        .map(|at| open + at);
    let Some(begin) = digit.filter(|at| line[*at..].contains(&b']')) else {
        return line.into();
    };
    let length = line[begin..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    BString::from([&line[..begin], &line[begin + length..]].concat())
}

/// A line without the last `word` in its brackets.
fn without(line: &[u8], word: &[u8]) -> BString {
    let close = line.rfind_byte(b']');
    let at = close.and_then(|close| line[..close].rfind(word));
    match (line.find_byte(b'['), at) {
        (Some(open), Some(at)) if open < at => {
            BString::from([&line[..at], &line[at + word.len()..]].concat())
        }
        _ => line.into(),
    }
}

/// `Auth` of `auth`.
fn upper(stack: &str) -> String {
    let (first, rest) = stack.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// Writes a file; a new one gets the program's mode.
pub(super) fn put(
    process: &mut Process<'_, '_>,
    path: &BString,
    bytes: Vec<u8>,
) -> Result<(), Stop> {
    let written = process.machine.files.write(path, bytes, 0o644);
    written.map_err(|error| Stop::unsupported(format!("{path}: {error}")))?;
    Ok(())
}

/// Puts a new file in the place of one.
fn replace(process: &mut Process<'_, '_>, path: &BString, bytes: Vec<u8>) -> Result<(), Stop> {
    let new = BString::from(format!("{path}.new"));
    put(process, &new, bytes)?;
    let renamed = process.machine.files.rename(&new, path);
    renamed.map_err(|error| Stop::unsupported(format!("{path}: {error}")))
}
