//! cmp and diff.

mod changes;

use std::collections::BTreeSet;
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};
use similar::Algorithm;

use self::changes::{normal, shifted, unified};
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
        return Ok(1);
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
            let titles = [first, second].map(|name| stamp(process, name));
            let title = |number: usize| match labels.get(number) {
                Some(label) => label.to_string(),
                None => titles[number].clone(),
            };
            let mut out = format!("--- {}\n+++ {}\n", title(0), title(1)).into_bytes();
            unified(&ops, &old, &new, context, &mut out);
            out
        }
    };
    process.out(out);
    Ok(1)
}

/// A file's name with the time of its last change, as the head of a unified diff has it.
fn stamp(process: &Process<'_, '_>, name: &BString) -> String {
    let stat = process.machine.files.stat(&process.path(name), true);
    let epoch = process.machine.files.epoch();
    let seconds = stat.map_or(epoch, |stat| stat.mtime);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days are counted from the first of March of the year 0.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!(
        "{name}\t{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.000000000 +0000"
    )
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
            (
                &["diff", "-U0", "/tmp/a", "/tmp/b"],
                1,
                "--- /tmp/a\t2025-11-20 00:00:00.000000000 +0000\n\
                 +++ /tmp/b\t2025-11-20 00:00:00.000000000 +0000\n\
                 @@ -2 +2 @@\n-2\n+x\n@@ -3,0 +4 @@\n+4\n\\ No newline at end of file\n",
            ),
            (&["diff", "/tmp/a", "/tmp/none"], 2, ""),
        ] {
            let ran = m.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (status, want), "{args:?}");
        }
    }
}
