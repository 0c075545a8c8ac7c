//! sort, in the C locale: by bytes.

mod compare;

pub(crate) use compare::version;

use std::cmp::Ordering;

use bstr::{BString, ByteSlice as _};

use self::compare::{Key, Order};
use super::lines::{input, split};
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Open;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "sort",
    origin: Origin::Essential,
    run,
}];

const SPEC: Spec = Spec {
    letters: "bdfghiMnrVcCmo:k:t:suzS:T:\u{391}:\u{392}:\u{393}::\u{394}:",
    long: &[
        ("ignore-leading-blanks", 'b'),
        ("dictionary-order", 'd'),
        ("ignore-case", 'f'),
        ("general-numeric-sort", 'g'),
        ("human-numeric-sort", 'h'),
        ("ignore-nonprinting", 'i'),
        ("month-sort", 'M'),
        ("numeric-sort", 'n'),
        ("reverse", 'r'),
        ("version-sort", 'V'),
        ("check", '\u{393}'),
        ("merge", 'm'),
        ("output", 'o'),
        ("key", 'k'),
        ("field-separator", 't'),
        ("stable", 's'),
        ("unique", 'u'),
        ("zero-terminated", 'z'),
        ("buffer-size", 'S'),
        ("temporary-directory", 'T'),
        ("parallel", '\u{391}'),
        ("batch-size", '\u{392}'),
        ("sort", '\u{394}'),
    ],
};

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let mut global = Order::default();
    let mut keys: Vec<Key> = Vec::new();
    let mut separator = None;
    let mut output = None;
    let mut check = None;
    for (letter, value) in &given.options {
        match letter {
            'k' => {
                let Some(key) = Key::parse(value) else {
                    return Err(Stop::unsupported(format!("the key {value} is not known")));
                };
                keys.push(key);
            }
            't' => {
                separator = Some(match value.as_slice() {
                    b"\\0" => 0,
                    [one] => *one,
                    _ => {
                        process.complain(format_args!("multi-character tab '{value}'"));
                        return Ok(Status(2));
                    }
                });
            }
            'o' => output = Some(value.clone()),
            'c' => check = Some(true),
            'C' => check = Some(false),
            '\u{393}' => check = Some(!matches!(value.as_slice(), b"quiet" | b"silent")),
            '\u{394}' => {
                let letter = match value.as_slice() {
                    b"general-numeric" => 'g',
                    b"human-numeric" => 'h',
                    b"month" => 'M',
                    b"numeric" => 'n',
                    b"version" => 'V',
                    _ => return Err(Stop::unsupported(format!("--sort={value} is not known"))),
                };
                global.set(letter);
            }
            letter => {
                global.set(*letter);
            }
        }
    }
    if global.is_mixed() || keys.iter().any(|key| key.order.is_mixed()) {
        process.complain("options are incompatible");
        return Ok(Status(2));
    }
    for key in &mut keys {
        key.inherit(&global);
    }
    let whole = keys.is_empty();
    if whole {
        keys.push(Key::whole(&global));
    }
    let sorter = Sorter {
        keys,
        separator,
        // Where lines are compared as they are, a last comparison adds nothing.
        last: !(given.has('s') || given.has('u')),
        reverse: global.reverse,
    };
    let mut names = given.operands.clone();
    if names.is_empty() {
        names.push("-".into());
    }
    let end = if given.has('z') { 0 } else { b'\n' };
    let mut files = Vec::new();
    for name in &names {
        let Some(bytes) = input(process, name)? else {
            return Ok(Status(2));
        };
        files.push(bytes);
    }
    let mut lines: Vec<&[u8]> = files.iter().flat_map(|bytes| split(bytes, end)).collect();
    let count = lines.len() as u64;
    let bytes: usize = files.iter().map(|bytes| bytes.len()).sum();
    let rounds = u64::from(count.max(2).ilog2()) + 1;
    process
        .machine
        .spend((count + bytes as u64 / 256) * rounds)?;
    if let Some(says) = check {
        let wrong = lines.windows(2).position(|pair| {
            let order = sorter.compare(pair[0], pair[1]);
            order == Ordering::Greater || (given.has('u') && order == Ordering::Equal)
        });
        let Some(at) = wrong else {
            return Ok(Status::OK);
        };
        if says {
            let line = lines[at + 1].as_bstr();
            process.complain(format_args!("{}:{}: disorder: {line}", names[0], at + 2));
        }
        return Ok(Status::FAILED);
    }
    if given.has('m') {
        lines = merge(
            &sorter,
            files
                .iter()
                .map(|bytes| split(bytes, end).collect())
                .collect(),
        );
    } else {
        lines.sort_by(|one, other| sorter.compare(one, other));
    }
    if given.has('u') {
        lines.dedup_by(|next, first| sorter.compare(first, next) == Ordering::Equal);
    }
    let mut out = Vec::with_capacity(bytes + 1);
    for line in lines {
        out.extend_from_slice(line);
        out.push(end);
    }
    write(process, output.as_ref(), &out)
}

/// The lines of files that are sorted already; where one is not, its lines stay in their
/// order.
fn merge<'l>(sorter: &Sorter, mut files: Vec<Vec<&'l [u8]>>) -> Vec<&'l [u8]> {
    let mut merged = Vec::new();
    for file in &mut files {
        file.reverse();
    }
    loop {
        let heads = files
            .iter()
            .enumerate()
            .filter_map(|(at, file)| Some((at, *file.last()?)));
        let Some((at, line)) = heads.min_by(|one, other| sorter.compare(one.1, other.1)) else {
            return merged;
        };
        merged.push(line);
        files[at].pop();
    }
}

fn write(process: &mut Process<'_, '_>, output: Option<&BString>, out: &[u8]) -> Outcome {
    let Some(name) = output.filter(|name| *name != "-") else {
        process.out(out);
        return Ok(Status::OK);
    };
    match process.open(name, Open::Write) {
        Ok(fd) => {
            process.fds.insert(1000, fd);
            process.write(1000, out);
            Ok(Status::OK)
        }
        Err(error) => {
            process.complain(format_args!("open failed: {name}: {error}"));
            Ok(Status(2))
        }
    }
}

struct Sorter {
    keys: Vec<Key>,
    separator: Option<u8>,
    last: bool,
    reverse: bool,
}

impl Sorter {
    fn compare(&self, one: &[u8], other: &[u8]) -> Ordering {
        for key in &self.keys {
            let order = key
                .order
                .compare(key.of(one, self.separator), key.of(other, self.separator));
            if order != Ordering::Equal {
                return if key.order.reverse {
                    order.reverse()
                } else {
                    order
                };
            }
        }
        if !self.last {
            return Ordering::Equal;
        }
        let order = one.cmp(other);
        if self.reverse { order.reverse() } else { order }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn lines_are_in_the_order_of_their_keys() {
        for (args, input, want) in [
            (&["sort"][..], "b\na\nB\n", "B\na\nb\n"),
            (&["sort", "-u"], "b\na\nb", "a\nb\n"),
            (&["sort", "-r"], "a\nb\n", "b\na\n"),
            (&["sort", "-n"], "10\n9\n-1\nx\n", "-1\nx\n9\n10\n"),
            (&["sort", "-rn"], "10\n9\n2.5\n2.45\n", "10\n9\n2.5\n2.45\n"),
            (&["sort", "-f"], "b\nA\na\nB\n", "A\na\nB\nb\n"),
            (
                &["sort", "-t:", "-k2,2n", "-k1"],
                "b:2\na:10\na:2\n",
                "a:2\nb:2\na:10\n",
            ),
            (&["sort", "-k2"], "a  b\nb a\n", "a  b\nb a\n"),
            (&["sort", "-k2b"], "a  b\nb a\n", "b a\na  b\n"),
            (
                &["sort", "-V"],
                "a10\na9\na9~1\n1.10\n1.9\n",
                "1.9\n1.10\na9~1\na9\na10\n",
            ),
            (&["sort", "-h"], "1M\n2K\n3\n", "3\n2K\n1M\n"),
            (&["sort", "-s", "-k1,1"], "a 2\na 1\n", "a 2\na 1\n"),
            (
                &["sort", "-t.", "-k1.2,1.2"],
                "xb.1\nya.2\n",
                "ya.2\nxb.1\n",
            ),
            (&["sort", "-M"], "feb\nJAN\nx\n", "x\nJAN\nfeb\n"),
        ] {
            let ran = machine().run_with(args, input).expect("no stop");
            assert_eq!((ran.status, ran.out.as_str()), (0, want), "{args:?}");
        }
        let mut m = machine();
        m.put("/tmp/a", "b\na\n", 0o644);
        assert_eq!(m.run(&["sort", "-c", "/tmp/a"]).status, 1);
        assert_eq!(m.run(&["sort", "-o", "/tmp/a", "/tmp/a"]).status, 0);
        assert_eq!(m.text("/tmp/a"), "a\nb\n");
        assert!(m.run_with(&["sort", "-R"], "").is_err());
    }
}
