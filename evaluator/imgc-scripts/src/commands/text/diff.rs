//! cmp and diff.

use std::collections::BTreeSet;
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};
use similar::{Algorithm, DiffOp};

use super::lines::with_ends;
use super::options::{self, Parsed, Spec};
use super::spend_on;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "cmp",
        origin: Origin::Essential,
        run: cmp,
    },
    Native {
        name: "diff",
        origin: Origin::Essential,
        run: diff,
    },
];

const CMP: Spec = Spec {
    letters: "slbn:i:",
    long: &[
        ("quiet", 's'),
        ("silent", 's'),
        ("verbose", 'l'),
        ("bytes", 'n'),
        ("ignore-initial", 'i'),
        ("print-bytes", 'b'),
    ],
};

fn cmp(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &CMP)?;
    let quiet = given.has('s');
    if given.has('b') {
        return Err(Stop::unsupported("cmp -b is not known"));
    }
    let (first, second) = match &given.operands[..] {
        [first] => (first.clone(), BString::from("-")),
        [first, second] => (first.clone(), second.clone()),
        _ => {
            process.complain("wrong number of operands");
            return Ok(Status(2));
        }
    };
    let mut files = Vec::new();
    for name in [&first, &second] {
        match process.input(name) {
            Ok(bytes) => files.push(bytes),
            Err(error) => {
                if !quiet {
                    process.complain(format_args!("{name}: {error}"));
                }
                return Ok(Status(2));
            }
        }
    }
    let skip = given
        .last('i')
        .map(|value| super::lines::size(value))
        .transpose()?
        .unwrap_or(0);
    let most = given
        .last('n')
        .map(|value| super::lines::size(value))
        .transpose()?;
    let part = |bytes: &Rc<Vec<u8>>| {
        let rest = &bytes[skip.min(bytes.len())..];
        rest[..most.unwrap_or(usize::MAX).min(rest.len())].to_vec()
    };
    let (one, two) = (part(&files[0]), part(&files[1]));
    spend_on(process, one.len() + two.len())?;
    let differ = one.iter().zip(&two).position(|(a, b)| a != b);
    if differ.is_none() && one.len() == two.len() {
        return Ok(Status::OK);
    }
    if quiet {
        return Ok(Status::FAILED);
    }
    if given.has('l') {
        for (at, (a, b)) in one
            .iter()
            .zip(&two)
            .enumerate()
            .filter(|(_, (a, b))| a != b)
        {
            let width = one.len().min(two.len()).to_string().len();
            process.out(format!("{:width$} {a:3o} {b:3o}\n", at + 1));
        }
    }
    match differ {
        Some(_) if given.has('l') => {}
        Some(at) => {
            let line = one[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            process.out(format!(
                "{first} {second} differ: byte {}, line {line}\n",
                at + 1
            ));
        }
        None => {
            let short = if one.len() < two.len() {
                &first
            } else {
                &second
            };
            process.complain(format_args!("EOF on {short}"));
        }
    }
    Ok(Status::FAILED)
}

const DIFF: Spec = Spec {
    letters: "quU:abBiwNrsZ\u{391}:\u{392}:",
    long: &[
        ("brief", 'q'),
        ("unified", 'u'),
        ("text", 'a'),
        ("ignore-space-change", 'b'),
        ("ignore-blank-lines", 'B'),
        ("ignore-case", 'i'),
        ("ignore-all-space", 'w'),
        ("ignore-trailing-space", 'Z'),
        ("new-file", 'N'),
        ("recursive", 'r'),
        ("report-identical-files", 's'),
        ("label", '\u{391}'),
        ("exclude", '\u{392}'),
    ],
};

fn diff(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &DIFF)?;
    if given.has('B') {
        return Err(Stop::unsupported("diff -B is not known"));
    }
    let [first, second] = &given.operands[..] else {
        process.complain("wrong number of operands");
        return Ok(Status(2));
    };
    let status = compare(process, &given, first, second, 0)?;
    Ok(Status(status))
}

/// Compares two files or folders. Gives 0 where they are the same, 1 where they differ,
/// 2 for trouble.
fn compare(
    process: &mut Process<'_, '_>,
    given: &Parsed,
    first: &BString,
    second: &BString,
    depth: usize,
) -> Result<u8, Stop> {
    let folder = |process: &Process<'_, '_>, name: &BString| {
        name != "-" && process.machine.files.is_directory(&process.path(name))
    };
    let inside = |folder: &BString, name: &[u8]| -> BString {
        let slash: &[u8] = if folder.ends_with(b"/") { b"" } else { b"/" };
        [folder.as_slice(), slash, name].concat().into()
    };
    match (folder(process, first), folder(process, second)) {
        (true, true) => return folders(process, given, first, second, depth),
        // A file and a folder: the file of the same name in it.
        (true, false) if depth == 0 && second != "-" => {
            let first = inside(first, crate::process::base(second));
            return compare(process, given, &first, second, 1);
        }
        (false, true) if depth == 0 && first != "-" => {
            let second = inside(second, crate::process::base(first));
            return compare(process, given, first, &second, 1);
        }
        (false, false) => {}
        (one, _) => {
            let kind = |folder: bool| if folder { "directory" } else { "regular file" };
            process.out(format!(
                "File {first} is a {} while file {second} is a {}\n",
                kind(one),
                kind(!one)
            ));
            return Ok(1);
        }
    }
    let mut files = Vec::new();
    for name in [first, second] {
        match process.input(name) {
            Ok(bytes) => files.push(bytes),
            Err(crate::Errno::NoEntry) if given.has('N') => files.push(Rc::default()),
            Err(error) => {
                process.complain(format_args!("{name}: {error}"));
                return Ok(2);
            }
        }
    }
    let (one, two) = (Rc::clone(&files[0]), Rc::clone(&files[1]));
    spend_on(process, one.len() + two.len())?;
    let same = |process: &mut Process<'_, '_>| {
        if given.has('s') {
            process.out(format!("Files {first} and {second} are identical\n"));
        }
        Ok(0)
    };
    if one == two {
        return same(process);
    }
    let binary = !given.has('a') && (one.contains(&0) || two.contains(&0));
    if binary {
        let word = if given.has('q') {
            "Files"
        } else {
            "Binary files"
        };
        process.out(format!("{word} {first} and {second} differ\n"));
        return Ok(if given.has('q') { 1 } else { 2 });
    }
    let keys = |bytes: &[u8]| -> Vec<Vec<u8>> {
        with_ends(bytes, b'\n')
            .map(|line| key(line, given))
            .collect()
    };
    let (old, new) = (keys(&one), keys(&two));
    if old == new {
        return same(process);
    }
    if given.has('q') {
        process.out(format!("Files {first} and {second} differ\n"));
        return Ok(1);
    }
    // The work is about the number of lines times that of differences.
    process
        .machine
        .spend(((old.len() + new.len()) * 64) as u64)?;
    let ops = similar::capture_diff_slices(Algorithm::Myers, &old, &new);
    let ops = shifted(ops, &old, &new);
    let old: Vec<&[u8]> = with_ends(&one, b'\n').collect();
    let new: Vec<&[u8]> = with_ends(&two, b'\n').collect();
    let context = match (given.last('U'), given.has('u')) {
        (Some(value), _) => Some(options::number(value)?),
        (None, true) => Some(3),
        (None, false) => None,
    };
    if depth > 0 && given.has('r') {
        let options = process.args[1..].iter().filter(|arg| arg.starts_with(b"-"));
        let options: Vec<String> = options.map(|arg| format!(" {arg}")).collect();
        process.out(format!("diff{} {first} {second}\n", options.concat()));
    }
    let out = match context {
        None => normal(&ops, &old, &new),
        Some(context) => {
            let labels: Vec<&BString> = given
                .options
                .iter()
                .filter(|(letter, _)| *letter == '\u{391}')
                .map(|(_, value)| value)
                .collect();
            if labels.len() < 2 {
                return Err(Stop::unsupported(
                    "diff -u writes the time, which is not known",
                ));
            }
            let mut out = format!("--- {}\n+++ {}\n", labels[0], labels[1]).into_bytes();
            unified(&ops, &old, &new, context, &mut out);
            out
        }
    };
    process.out(out);
    Ok(1)
}

fn folders(
    process: &mut Process<'_, '_>,
    given: &Parsed,
    first: &BString,
    second: &BString,
    depth: usize,
) -> Result<u8, Stop> {
    if depth > 100 || given.has('N') || given.has('\u{392}') {
        return Err(Stop::unsupported(
            "this form of diff of folders is not known",
        ));
    }
    let list = |process: &Process<'_, '_>, name: &BString| {
        let names = process.machine.files.list(&process.path(name));
        names
            .unwrap_or_default()
            .into_iter()
            .collect::<BTreeSet<BString>>()
    };
    let (one, two) = (list(process, first), list(process, second));
    let mut status = 0;
    for name in one.union(&two) {
        let only = match (one.contains(name), two.contains(name)) {
            (true, false) => Some(first),
            (false, true) => Some(second),
            _ => None,
        };
        if let Some(folder) = only {
            process.out(format!("Only in {folder}: {name}\n"));
            status = status.max(1);
            continue;
        }
        let (a, b) = (format!("{first}/{name}"), format!("{second}/{name}"));
        let both = [&a, &b].map(|path| {
            let path = process.path(path.as_bytes());
            process.machine.files.is_directory(&path)
        });
        if both == [true, true] && !given.has('r') {
            process.out(format!("Common subdirectories: {a} and {b}\n"));
            continue;
        }
        status = status.max(compare(process, given, &a.into(), &b.into(), depth + 1)?);
    }
    Ok(status)
}

/// What two lines must share to be the same.
fn key(line: &[u8], given: &Parsed) -> Vec<u8> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | 11 | 12 | b'\n');
    let loose = given.has('w') || given.has('b') || given.has('Z');
    if !loose && !given.has('i') {
        return line.to_vec();
    }
    let mut made = Vec::new();
    let body = if loose {
        line.trim_end_with(|char| char.is_ascii_whitespace())
    } else {
        line
    };
    for byte in body {
        if blank(byte) && given.has('w') {
            continue;
        }
        if blank(byte) && given.has('b') {
            if made.last() != Some(&b' ') {
                made.push(b' ');
            }
            continue;
        }
        made.push(if given.has('i') {
            byte.to_ascii_lowercase()
        } else {
            *byte
        });
    }
    made
}

/// A change: lines of the old file, and those of the new one in their place.
type Change = (usize, usize, usize, usize);

/// The changes, each moved as far down as it can be, as diff does.
fn shifted(ops: Vec<DiffOp>, old: &[Vec<u8>], new: &[Vec<u8>]) -> Vec<Change> {
    let mut changed = [vec![false; old.len()], vec![false; new.len()]];
    for op in ops {
        let (_, from, to) = op.as_tag_tuple();
        if !matches!(op, DiffOp::Equal { .. }) {
            changed[0][from].fill(true);
            changed[1][to].fill(true);
        }
    }
    for (side, lines) in [old, new].into_iter().enumerate() {
        slide(&mut changed, side, lines);
    }
    let mut changes = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let (from, to) = (i, j);
        while changed[0].get(i) == Some(&true) {
            i += 1;
        }
        while changed[1].get(j) == Some(&true) {
            j += 1;
        }
        if (i, j) != (from, to) {
            changes.push((from, i, to, j));
        } else {
            i += 1;
            j += 1;
        }
    }
    changes
}

/// Moves the runs of changed lines of one side: up to join the run before, then down as
/// far as lines repeat, and back to where the other side has a change too.
fn slide(changed: &mut [Vec<bool>; 2], side: usize, lines: &[Vec<u8>]) {
    let [first, second] = changed;
    let (own, other) = if side == 0 {
        (first, second)
    } else {
        (second, first)
    };
    let at =
        |flags: &[bool], place: Option<usize>| place.is_some_and(|p| flags.get(p) == Some(&true));
    let (mut i, mut j) = (0, 0);
    loop {
        while i < lines.len() && !own[i] {
            while at(other, Some(j)) {
                j += 1;
            }
            j += 1;
            i += 1;
        }
        if i >= lines.len() {
            return;
        }
        let mut start = i;
        while at(own, Some(i)) {
            i += 1;
        }
        while at(other, Some(j)) {
            j += 1;
        }
        let mut corresponding;
        loop {
            let length = i - start;
            while start > 0 && lines[start - 1] == lines[i - 1] {
                start -= 1;
                own[start] = true;
                i -= 1;
                own[i] = false;
                while at(own, start.checked_sub(1)) {
                    start -= 1;
                }
                j = j.saturating_sub(1);
                while at(other, j.checked_sub(1)) {
                    j -= 1;
                }
            }
            corresponding = if at(other, j.checked_sub(1)) {
                i
            } else {
                lines.len()
            };
            while i < lines.len() && lines[start] == lines[i] {
                own[start] = false;
                start += 1;
                own[i] = true;
                i += 1;
                while at(own, Some(i)) {
                    i += 1;
                }
                j += 1;
                while at(other, Some(j)) {
                    j += 1;
                    corresponding = i;
                }
            }
            if length == i - start {
                break;
            }
        }
        while corresponding < i {
            start -= 1;
            own[start] = true;
            i -= 1;
            own[i] = false;
            j = j.saturating_sub(1);
            while at(other, j.checked_sub(1)) {
                j -= 1;
            }
        }
    }
}

fn push(mark: &str, line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(mark.as_bytes());
    out.extend_from_slice(line);
    if !line.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

fn normal(changes: &[Change], old: &[&[u8]], new: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let range = |from: usize, to: usize| match to - from {
        0 => from.to_string(),
        1 => (from + 1).to_string(),
        _ => format!("{},{to}", from + 1),
    };
    for &(from, to, start, end) in changes {
        let letter = match (from == to, start == end) {
            (true, _) => 'a',
            (_, true) => 'd',
            _ => 'c',
        };
        let head = format!("{}{letter}{}\n", range(from, to), range(start, end));
        out.extend_from_slice(head.as_bytes());
        for line in &old[from..to] {
            push("< ", line, &mut out);
        }
        if letter == 'c' {
            out.extend_from_slice(b"---\n");
        }
        for line in &new[start..end] {
            push("> ", line, &mut out);
        }
    }
    out
}

fn unified(changes: &[Change], old: &[&[u8]], new: &[&[u8]], context: usize, out: &mut Vec<u8>) {
    let mut at = 0;
    while at < changes.len() {
        let mut end = at + 1;
        while end < changes.len() && changes[end].0 - changes[end - 1].1 <= 2 * context {
            end += 1;
        }
        let (first, last) = (changes[at], changes[end - 1]);
        let before = context.min(first.0);
        let after = context.min(old.len() - last.1);
        let range = |from: usize, to: usize| match to - from {
            0 => format!("{from},0"),
            1 => format!("{}", from + 1),
            count => format!("{},{count}", from + 1),
        };
        let head = format!(
            "@@ -{} +{} @@\n",
            range(first.0 - before, last.1 + after),
            range(first.2 - before, last.3 + after)
        );
        out.extend_from_slice(head.as_bytes());
        let mut line = first.0 - before;
        for &(from, to, start, end) in &changes[at..end] {
            for text in &old[line..from] {
                push(" ", text, out);
            }
            for text in &old[from..to] {
                push("-", text, out);
            }
            for text in &new[start..end] {
                push("+", text, out);
            }
            line = to;
        }
        for text in &old[line..line + after] {
            push(" ", text, out);
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn differences_are_found() {
        let mut m = machine();
        m.put("/tmp/a", "1\n2\n3\n", 0o644);
        m.put("/tmp/b", "1\nx\n3\n4", 0o644);
        m.put("/tmp/c", "1\n2\n3\n", 0o644);
        for (args, status, want) in [
            (&["cmp", "/tmp/a", "/tmp/c"][..], 0, ""),
            (&["cmp", "-s", "/tmp/a", "/tmp/b"], 1, ""),
            (
                &["cmp", "/tmp/a", "/tmp/b"],
                1,
                "/tmp/a /tmp/b differ: byte 3, line 2\n",
            ),
            (&["cmp", "-s", "/tmp/a", "/tmp/none"], 2, ""),
            (&["diff", "-q", "/tmp/a", "/tmp/c"], 0, ""),
            (
                &["diff", "-q", "/tmp/a", "/tmp/b"],
                1,
                "Files /tmp/a and /tmp/b differ\n",
            ),
            (
                &["diff", "/tmp/a", "/tmp/b"],
                1,
                "2c2\n< 2\n---\n> x\n3a4\n> 4\n\\ No newline at end of file\n",
            ),
            (
                &[
                    "diff", "-u", "--label", "a", "--label", "b", "/tmp/a", "/tmp/b",
                ],
                1,
                "--- a\n+++ b\n@@ -1,3 +1,4 @@\n 1\n-2\n+x\n 3\n+4\n\\ No newline at end of file\n",
            ),
            (&["diff", "/tmp/a", "/tmp/none"], 2, ""),
        ] {
            let ran = m.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (status, want), "{args:?}");
        }
    }
}
