//! cut.

use bstr::BString;

use super::lines::{inputs, split};
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "cut",
    origin: Origin::Essential,
    run,
}];

const SPEC: Spec = Spec {
    letters: "b:c:f:d:nsz\u{391}\u{392}:",
    long: &[
        ("bytes", 'b'),
        ("characters", 'c'),
        ("fields", 'f'),
        ("delimiter", 'd'),
        ("only-delimited", 's'),
        ("zero-terminated", 'z'),
        ("complement", '\u{391}'),
        ("output-delimiter", '\u{392}'),
    ],
};

/// From one position to another, counted from 1.
type Range = (usize, usize);

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let lists: Vec<_> = given
        .options
        .iter()
        .filter(|(letter, _)| matches!(letter, 'b' | 'c' | 'f'))
        .collect();
    let [(kind, list)] = lists[..] else {
        process.complain("you must specify one list of bytes, characters, or fields");
        return Ok(Status::FAILED);
    };
    let fields = *kind == 'f';
    let delimiter = given.last('d');
    if delimiter.is_some_and(|delimiter| delimiter.len() > 1) {
        process.complain("the delimiter must be a single character");
        return Ok(Status::FAILED);
    }
    if !fields && (delimiter.is_some() || given.has('s')) {
        process.complain("an input delimiter may be specified only when operating on fields");
        return Ok(Status::FAILED);
    }
    let Some(ranges) = ranges(list, given.has('\u{391}')) else {
        process.complain("invalid field range");
        return Ok(Status::FAILED);
    };
    let delimiter = delimiter.map_or(b'\t', |one| one.first().copied().unwrap_or(0));
    let output = given.last('\u{392}').cloned();
    let end = if given.has('z') { 0 } else { b'\n' };
    let (files, fine) = inputs(process, &given.operands)?;
    let mut out = Vec::new();
    for line in files.iter().flat_map(|(_, bytes)| split(bytes, end)) {
        if fields && !line.contains(&delimiter) {
            if !given.has('s') {
                out.extend_from_slice(line);
                out.push(end);
            }
            continue;
        }
        if fields {
            let default = BString::from(vec![delimiter]);
            let glue = output.as_ref().unwrap_or(&default);
            let mut first = true;
            for (number, field) in (1..).zip(line.split(|&byte| byte == delimiter)) {
                if ranges
                    .iter()
                    .any(|&(from, to)| (from..=to).contains(&number))
                {
                    if !std::mem::take(&mut first) {
                        out.extend_from_slice(glue);
                    }
                    out.extend_from_slice(field);
                }
            }
        } else {
            let mut first = true;
            for &(from, to) in &ranges {
                let Some(part) = line.get(from - 1..to.min(line.len())) else {
                    continue;
                };
                if part.is_empty() {
                    continue;
                }
                if !std::mem::take(&mut first)
                    && let Some(glue) = &output
                {
                    out.extend_from_slice(glue);
                }
                out.extend_from_slice(part);
            }
        }
        out.push(end);
    }
    process.out(out);
    Ok(Status(u8::from(!fine)))
}

/// The ranges of a list, sorted, those that overlap as one.
fn ranges(list: &[u8], complement: bool) -> Option<Vec<Range>> {
    let number = |text: &[u8]| {
        let digits = text.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
        text.parse::<usize>().ok().filter(|number| *number > 0)
    };
    let mut found: Vec<Range> = Vec::new();
    for part in list.split(|&byte| matches!(byte, b',' | b' ' | b'\t')) {
        let dash = part.iter().position(|&byte| byte == b'-');
        found.push(match dash {
            None => {
                let one = number(part)?;
                (one, one)
            }
            Some(at) => match (&part[..at], &part[at + 1..]) {
                (b"", b"") => return None,
                (b"", to) => (1, number(to)?),
                (from, b"") => (number(from)?, usize::MAX),
                (from, to) => (number(from)?, number(to)?),
            },
        });
    }
    if found.iter().any(|(from, to)| from > to) {
        return None;
    }
    found.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for (from, to) in found {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    if !complement {
        return Some(merged);
    }
    let mut rest = Vec::new();
    let mut next = 1;
    for (from, to) in merged {
        if next < from {
            rest.push((next, from - 1));
        }
        next = to.saturating_add(1);
    }
    if next < usize::MAX {
        rest.push((next, usize::MAX));
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn lists_select() {
        for (args, input, want) in [
            (&["cut", "-d:", "-f1"][..], "a:b:c\nxyz\n", "a\nxyz\n"),
            (&["cut", "-d:", "-sf3-"], "a:b:c:d\nxyz", "c:d\n"),
            (&["cut", "-d", ":", "-f", "2,1"], "a:b:c", "a:b\n"),
            (&["cut", "-f2", "-d "], "a b  c", "b\n"),
            (&["cut", "-c1-2,4-"], "abcdef\n", "abdef\n"),
            (&["cut", "-c-3"], "ab\n", "ab\n"),
            (&["cut", "-d:", "-f1", "--complement"], "a:b:c\n", "b:c\n"),
            (
                &["cut", "-d:", "-f1,3", "--output-delimiter=--"],
                "a:b:c\n",
                "a--c\n",
            ),
            (
                &["cut", "-b1-2,3-4", "--output-delimiter=:"],
                "abcd\n",
                "ab:cd\n",
            ),
        ] {
            let ran = machine().run_with(args, input).expect("no stop");
            assert_eq!((ran.status, ran.out.as_str()), (0, want), "{args:?}");
        }
        for args in [
            &["cut", "-f0"][..],
            &["cut"],
            &["cut", "-f3-1"],
            &["cut", "-dxx", "-f1"],
        ] {
            assert_eq!(machine().run(args).status, 1, "{args:?}");
        }
    }
}
