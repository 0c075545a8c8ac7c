//! uniq and comm: lines that are there twice.

use std::cmp::Ordering;

use bstr::BString;

use super::lines::{input, split};
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Open;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "uniq",
        origin: Origin::Essential,
        run: uniq,
    },
    Native {
        name: "comm",
        origin: Origin::Essential,
        run: comm,
    },
];

const UNIQ: Spec = Spec {
    letters: "cdDuif:s:w:z",
    long: &[
        ("count", 'c'),
        ("repeated", 'd'),
        ("unique", 'u'),
        ("ignore-case", 'i'),
        ("skip-fields", 'f'),
        ("skip-chars", 's'),
        ("check-chars", 'w'),
        ("zero-terminated", 'z'),
    ],
};

fn uniq(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &UNIQ)?;
    let number = |letter| {
        given
            .last(letter)
            .map(|value| options::number(value))
            .transpose()
    };
    let (fields, chars) = (number('f')?.unwrap_or(0), number('s')?.unwrap_or(0));
    let most = number('w')?.unwrap_or(usize::MAX);
    let end = if given.has('z') { 0 } else { b'\n' };
    let stdin = BString::from("-");
    let (from, to) = match &given.operands[..] {
        [] => (&stdin, None),
        [from] => (from, None),
        [from, to] => (from, Some(to)),
        _ => {
            process.complain("extra operand");
            return Ok(Status::FAILED);
        }
    };
    let Some(bytes) = input(process, from)? else {
        return Ok(Status::FAILED);
    };
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n');
    let key = |line: &[u8]| {
        let mut rest = line;
        for _ in 0..fields {
            rest = &rest[rest.iter().take_while(blank).count()..];
            rest = &rest[rest.iter().take_while(|byte| !blank(byte)).count()..];
        }
        rest = &rest[chars.min(rest.len())..];
        rest = &rest[..most.min(rest.len())];
        match given.has('i') {
            true => rest.to_ascii_lowercase(),
            false => rest.to_vec(),
        }
    };
    let mut groups: Vec<(Vec<u8>, Vec<&[u8]>)> = Vec::new();
    for line in split(&bytes, end) {
        let key = key(line);
        match groups.last_mut() {
            Some((last, lines)) if *last == key => lines.push(line),
            _ => groups.push((key, vec![line])),
        }
    }
    process.machine.spend(groups.len() as u64)?;
    let mut out = Vec::new();
    for (_, lines) in groups {
        let many = lines.len() > 1;
        if (given.has('d') || given.has('D')) && !many || given.has('u') && many {
            continue;
        }
        let shown = if given.has('D') { lines.len() } else { 1 };
        for line in &lines[..shown] {
            if given.has('c') {
                out.extend_from_slice(format!("{:7} ", lines.len()).as_bytes());
            }
            out.extend_from_slice(line);
            out.push(end);
        }
    }
    match to.filter(|to| *to != "-") {
        None => process.out(out),
        Some(to) => match process.open(to, Open::Write) {
            Ok(fd) => {
                process.fds.insert(1000, fd);
                process.write(1000, &out);
            }
            Err(error) => {
                process.complain(format_args!("{to}: {error}"));
                return Ok(Status::FAILED);
            }
        },
    }
    Ok(Status::OK)
}

const COMM: Spec = Spec {
    letters: "123z\u{391}\u{392}\u{393}:\u{394}",
    long: &[
        ("zero-terminated", 'z'),
        ("check-order", '\u{391}'),
        ("nocheck-order", '\u{392}'),
        ("output-delimiter", '\u{393}'),
        ("total", '\u{394}'),
    ],
};

fn comm(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &COMM)?;
    let [first, second] = &given.operands[..] else {
        process.complain("missing or extra operand");
        return Ok(Status::FAILED);
    };
    let (Some(first), Some(second)) = (input(process, first)?, input(process, second)?) else {
        return Ok(Status::FAILED);
    };
    let end = if given.has('z') { 0 } else { b'\n' };
    let one: Vec<&[u8]> = split(&first, end).collect();
    let two: Vec<&[u8]> = split(&second, end).collect();
    process.machine.spend((one.len() + two.len()) as u64)?;
    let tab = given.last('\u{393}').cloned().unwrap_or("\t".into());
    if tab.is_empty() {
        return Err(Stop::unsupported(
            "an empty --output-delimiter is not known",
        ));
    }
    let hidden = ['1', '2', '3'].map(|letter| given.has(letter));
    let mut out = Vec::new();
    let mut counts = [0; 3];
    let mut put = |column: usize, line: &[u8]| {
        counts[column] += 1;
        if !hidden[column] {
            for hidden in &hidden[..column] {
                if !hidden {
                    out.extend_from_slice(&tab);
                }
            }
            out.extend_from_slice(line);
            out.push(end);
        }
    };
    let (mut i, mut j) = (0, 0);
    let mut unpaired = false;
    while i < one.len() || j < two.len() {
        let order = match (one.get(i), two.get(j)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        unpaired |= order != Ordering::Equal;
        match order {
            Ordering::Less => put(0, one[i]),
            Ordering::Greater => put(1, two[j]),
            Ordering::Equal => put(2, one[i]),
        }
        i += usize::from(order != Ordering::Greater);
        j += usize::from(order != Ordering::Less);
    }
    if given.has('\u{394}') {
        let line = format!(
            "{1}{0}{2}{0}{3}{0}total\n",
            tab, counts[0], counts[1], counts[2]
        );
        out.extend_from_slice(line.as_bytes());
    }
    let sorted = |lines: &[&[u8]]| lines.is_sorted();
    let wrong = !sorted(&one) || !sorted(&two);
    if wrong && given.has('\u{391}') {
        return Err(Stop::unsupported("comm's input is not sorted"));
    }
    process.out(out);
    if wrong && unpaired && !given.has('\u{392}') {
        process.complain("input is not in sorted order");
        return Ok(Status::FAILED);
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn uniq_takes_neighbours_together() {
        for (args, want) in [
            (&["uniq"][..], "a\nb\nB\na\n"),
            (
                &["uniq", "-c"],
                "      2 a\n      1 b\n      1 B\n      1 a\n",
            ),
            (&["uniq", "-d"], "a\n"),
            (&["uniq", "-u"], "b\nB\na\n"),
            (&["uniq", "-i"], "a\nb\na\n"),
            (&["uniq", "-s1"], "a\n"),
        ] {
            let ran = machine().run_with(args, "a\na\nb\nB\na").expect("no stop");
            assert_eq!(ran.out, want, "{args:?}");
        }
    }

    #[test]
    fn comm_compares_sorted_files() {
        let mut m = machine();
        m.put("/tmp/a", "a\nb\nc\n", 0o644);
        m.put("/tmp/b", "b\nd\n", 0o644);
        assert_eq!(
            m.run(&["comm", "/tmp/a", "/tmp/b"]).out,
            "a\n\t\tb\nc\n\td\n"
        );
        assert_eq!(m.run(&["comm", "-12", "/tmp/a", "/tmp/b"]).out, "b\n");
        assert_eq!(m.run(&["comm", "-23", "/tmp/a", "/tmp/b"]).out, "a\nc\n");
    }
}
