//! head and tail.

use bstr::{BString, ByteSlice as _};

use super::lines::{size, with_ends};
use super::options::{self, Spec};
use super::spend_on;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Fd;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "head",
        origin: Origin::Essential,
        run: |process| run(process, false),
    },
    Native {
        name: "tail",
        origin: Origin::Essential,
        run: |process| run(process, true),
    },
];

const SPEC: Spec = Spec {
    letters: "n:c:qvz",
    long: &[
        ("lines", 'n'),
        ("bytes", 'c'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("verbose", 'v'),
        ("zero-terminated", 'z'),
    ],
};

/// How much of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// So many from its begin.
    First(usize),
    /// So many from its end.
    Last(usize),
    /// All but so many at its end.
    ButLast(usize),
    /// From this one on, counted from 1.
    From(usize),
}

fn run(process: &mut Process<'_, '_>, tail: bool) -> Outcome {
    // `head -5` and `tail +3`, as they were once.
    let mut args: Vec<BString> = process.args[1..].to_vec();
    if let Some(first) = args.first_mut() {
        let digits = first.strip_prefix(b"-").unwrap_or(first);
        let old = digits.first().is_some_and(u8::is_ascii_digit);
        if old && first.starts_with(b"-") {
            if !digits.iter().all(u8::is_ascii_digit) {
                let what = format!("the form {first} is not known");
                return Err(Stop::unsupported(what));
            }
            *first = [b"-n", digits].concat().into();
        } else if tail && first.starts_with(b"+") && first[1..].iter().all(u8::is_ascii_digit) {
            *first = [b"-n", first.as_slice()].concat().into();
        }
    }
    let given = options::read(&args, &SPEC)?;
    let mut part = match tail {
        true => Part::Last(10),
        false => Part::First(10),
    };
    let mut bytes = false;
    let mut titles = None;
    for (letter, value) in &given.options {
        match letter {
            'n' | 'c' => {
                bytes = *letter == 'c';
                part = match (tail, value.first()) {
                    (true, Some(b'+')) => Part::From(size(&value[1..])?),
                    (true, Some(b'-')) => Part::Last(size(&value[1..])?),
                    (true, _) => Part::Last(size(value)?),
                    (false, Some(b'-')) => Part::ButLast(size(&value[1..])?),
                    (false, _) => Part::First(size(value)?),
                };
            }
            'q' => titles = Some(false),
            'v' => titles = Some(true),
            _ => {}
        }
    }
    let end = if given.has('z') { 0 } else { b'\n' };
    let titles = titles.unwrap_or(given.operands.len() > 1);
    let mut names = given.operands.clone();
    if names.is_empty() {
        names.push("-".into());
    }
    let mut status = Status::OK;
    let mut first = true;
    for name in &names {
        let content = match process.input(name) {
            Ok(content) => content,
            Err(crate::Errno::IsDirectory) => {
                process.complain(format_args!("error reading '{name}': Is a directory"));
                status = Status::FAILED;
                continue;
            }
            Err(error) => {
                process.complain(format_args!("cannot open '{name}' for reading: {error}"));
                status = Status::FAILED;
                continue;
            }
        };
        spend_on(process, content.len())?;
        if titles {
            let shown = match name.as_slice() {
                b"-" => b"standard input".as_bstr(),
                name => name.as_bstr(),
            };
            let gap = if std::mem::take(&mut first) { "" } else { "\n" };
            process.out(format!("{gap}==> {shown} <==\n"));
        }
        let (from, to) = cut(&content, part, bytes, end);
        process.out(&content[from..to]);
        // What was not used of a file behind standard input stays there.
        if name == "-"
            && !tail
            && let Some(Fd::File(open)) = process.fds.get(&0)
        {
            let mut open = open.borrow_mut();
            open.at -= (content.len() - to).min(open.at);
        }
    }
    Ok(status)
}

fn cut(content: &[u8], part: Part, bytes: bool, end: u8) -> (usize, usize) {
    let all = content.len();
    if bytes {
        return match part {
            Part::First(count) => (0, count.min(all)),
            Part::Last(count) => (all.saturating_sub(count), all),
            Part::ButLast(count) => (0, all.saturating_sub(count)),
            Part::From(number) => (number.saturating_sub(1).min(all), all),
        };
    }
    let first = |count: usize| with_ends(content, end).take(count).map(<[u8]>::len).sum();
    let last = |count: usize| {
        let len: usize = with_ends(content, end)
            .rev()
            .take(count)
            .map(<[u8]>::len)
            .sum();
        all - len
    };
    match part {
        Part::First(count) => (0, first(count)),
        Part::Last(count) => (last(count), all),
        Part::ButLast(count) => (0, last(count)),
        Part::From(number) => (first(number.saturating_sub(1)), all),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn parts_are_as_asked() {
        let text = "1\n2\n3\n4\n5";
        for (args, want) in [
            (&["head", "-n2"][..], "1\n2\n"),
            (&["head", "-2"], "1\n2\n"),
            (&["head", "-n", "-2"], "1\n2\n3\n"),
            (&["head", "-c3"], "1\n2"),
            (&["head", "--lines=1"], "1\n"),
            (&["tail", "-n2"], "4\n5"),
            (&["tail", "-1"], "5"),
            (&["tail", "-n", "+4"], "4\n5"),
            (&["tail", "+4"], "4\n5"),
            (&["tail", "-c", "2"], "\n5"),
            (&["tail", "-c", "+8"], "\n5"),
            (&["tail", "-vn1"], "==> standard input <==\n5"),
        ] {
            let ran = machine().run_with(args, text).expect("no stop");
            assert_eq!(ran.out, want, "{args:?}");
        }
        assert!(machine().run_with(&["tail", "-f", "x"], "").is_err());
    }
}
