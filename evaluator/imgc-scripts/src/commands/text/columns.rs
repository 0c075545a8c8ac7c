//! paste, join, fold, expand and unexpand: lines side by side, and their width.

use std::cmp::Ordering;

use bstr::BString;

use super::lines::{input, inputs, split, with_ends};
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "paste",
        origin: Origin::Essential,
        run: paste,
    },
    Native {
        name: "join",
        origin: Origin::Essential,
        run: join,
    },
    Native {
        name: "fold",
        origin: Origin::Essential,
        run: fold,
    },
    Native {
        name: "expand",
        origin: Origin::Essential,
        run: expand,
    },
    Native {
        name: "unexpand",
        origin: Origin::Essential,
        run: unexpand,
    },
];

const PASTE: Spec = Spec {
    letters: "d:sz",
    long: &[
        ("delimiters", 'd'),
        ("serial", 's'),
        ("zero-terminated", 'z'),
    ],
};

fn paste(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &PASTE)?;
    let end = if given.has('z') { 0 } else { b'\n' };
    let delimiters = delimiters(given.last('d').map_or(&b"\t"[..], |value| value));
    let mut names = given.operands.clone();
    if names.is_empty() {
        names.push("-".into());
    }
    // Several `-` take turns at the lines of standard input.
    let several = names.iter().filter(|name| *name == "-").count();
    let mut files: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut stdin = None;
    for name in &names {
        if name == "-" && stdin.is_some() {
            files.push(Vec::new());
            continue;
        }
        let Some(bytes) = input(process, name)? else {
            return Ok(Status::FAILED);
        };
        if name == "-" {
            stdin = Some(files.len());
        }
        files.push(split(&bytes, end).map(<[u8]>::to_vec).collect());
    }
    if let Some(first) = stdin.filter(|_| several > 1 && !given.has('s')) {
        let all = std::mem::take(&mut files[first]);
        let places: Vec<usize> = (0..names.len()).filter(|at| names[*at] == "-").collect();
        for (number, line) in all.into_iter().enumerate() {
            files[places[number % places.len()]].push(line);
        }
    }
    let glue = |number: usize| match delimiters.is_empty() {
        true => None,
        false => delimiters[number % delimiters.len()],
    };
    let mut out = Vec::new();
    if given.has('s') {
        for lines in &files {
            for (number, line) in lines.iter().enumerate() {
                if number > 0 {
                    out.extend(glue(number - 1));
                }
                out.extend_from_slice(line);
            }
            out.push(end);
        }
    } else {
        let rows = files.iter().map(Vec::len).max().unwrap_or(0);
        process.machine.spend((rows * files.len()) as u64)?;
        for row in 0..rows {
            for (number, lines) in files.iter().enumerate() {
                if number > 0 {
                    out.extend(glue(number - 1));
                }
                out.extend_from_slice(lines.get(row).map_or(&b""[..], |line| line));
            }
            out.push(end);
        }
    }
    process.out(out);
    Ok(Status::OK)
}

/// The delimiters of `paste -d`; `\0` is none.
fn delimiters(text: &[u8]) -> Vec<Option<u8>> {
    let mut found = Vec::new();
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        found.push(match byte {
            b'\\' => match rest.next() {
                Some(b'0') => None,
                Some(b'n') => Some(b'\n'),
                Some(b't') => Some(b'\t'),
                Some(b'b') => Some(8),
                Some(b'f') => Some(12),
                Some(b'r') => Some(b'\r'),
                Some(b'v') => Some(11),
                Some(&other) => Some(other),
                None => Some(b'\\'),
            },
            byte => Some(byte),
        });
    }
    found
}

const JOIN: Spec = Spec {
    letters: "1:2:j:t:a:v:o:e:iz\u{391}\u{392}\u{393}",
    long: &[
        ("ignore-case", 'i'),
        ("zero-terminated", 'z'),
        ("check-order", '\u{391}'),
        ("nocheck-order", '\u{392}'),
        ("header", '\u{393}'),
    ],
};

struct Join {
    keys: [usize; 2],
    tab: Option<u8>,
    fold: bool,
    shown: [bool; 2],
    pairs: bool,
    /// File, counted from 0, and field; none is the key.
    format: Vec<Option<(usize, usize)>>,
    empty: BString,
}

fn join(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &JOIN)?;
    let mut join = Join {
        keys: [0; 2],
        tab: None,
        fold: given.has('i'),
        shown: [false; 2],
        pairs: true,
        format: Vec::new(),
        empty: given.last('e').cloned().unwrap_or_default(),
    };
    let field = |value: &[u8]| match options::number(value) {
        Ok(0) | Err(_) => Err(Stop::unsupported("this field of join is not known")),
        Ok(number) => Ok(number - 1),
    };
    let side = |value: &BString| match value.as_slice() {
        b"1" => Ok(0),
        b"2" => Ok(1),
        _ => Err(Stop::unsupported("this file number of join is not known")),
    };
    for (letter, value) in &given.options {
        match letter {
            '1' => join.keys[0] = field(value)?,
            '2' => join.keys[1] = field(value)?,
            'j' => join.keys = [field(value)?; 2],
            't' => match value.as_slice() {
                [one] => join.tab = Some(*one),
                b"\\0" => join.tab = Some(0),
                _ => return Err(Stop::unsupported("this -t of join is not known")),
            },
            'a' => join.shown[side(value)?] = true,
            'v' => {
                join.shown[side(value)?] = true;
                join.pairs = false;
            }
            'o' => {
                for part in value.split(|&byte| byte == b',' || byte == b' ') {
                    join.format.push(match part {
                        b"0" => None,
                        [file @ (b'1' | b'2'), b'.', rest @ ..] => {
                            Some((usize::from(file - b'1'), field(rest)?))
                        }
                        _ => return Err(Stop::unsupported("this -o of join is not known")),
                    });
                }
            }
            '\u{393}' => return Err(Stop::unsupported("join --header is not known")),
            _ => {}
        }
    }
    let [first, second] = &given.operands[..] else {
        process.complain("missing or extra operand");
        return Ok(Status::FAILED);
    };
    let (Some(first), Some(second)) = (input(process, first)?, input(process, second)?) else {
        return Ok(Status::FAILED);
    };
    let end = if given.has('z') { 0 } else { b'\n' };
    let one: Vec<Vec<&[u8]>> = split(&first, end).map(|line| join.fields(line)).collect();
    let two: Vec<Vec<&[u8]>> = split(&second, end).map(|line| join.fields(line)).collect();
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < one.len() || j < two.len() {
        process.machine.spend(1)?;
        let order = match (one.get(i), two.get(j)) {
            (Some(a), Some(b)) => join.key(a, 0).cmp(&join.key(b, 1)),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match order {
            Ordering::Less => {
                if join.shown[0] {
                    join.put([Some(&one[i]), None], end, &mut out);
                }
                i += 1;
            }
            Ordering::Greater => {
                if join.shown[1] {
                    join.put([None, Some(&two[j])], end, &mut out);
                }
                j += 1;
            }
            Ordering::Equal => {
                let key = join.key(&one[i], 0);
                let same = |lines: &[Vec<&[u8]>], file| {
                    lines
                        .iter()
                        .take_while(|line| join.key(line, file) == key)
                        .count()
                };
                let (n, m) = (same(&one[i..], 0), same(&two[j..], 1));
                process.machine.spend((n * m) as u64)?;
                if join.pairs {
                    for a in &one[i..i + n] {
                        for b in &two[j..j + m] {
                            join.put([Some(a), Some(b)], end, &mut out);
                        }
                    }
                }
                (i, j) = (i + n, j + m);
            }
        }
    }
    let sorted = |lines: &[Vec<&[u8]>], file| lines.is_sorted_by_key(|line| join.key(line, file));
    let checked = sorted(&one, 0) && sorted(&two, 1);
    if !checked && !given.has('\u{392}') {
        return Err(Stop::unsupported("join's input is not sorted"));
    }
    process.out(out);
    Ok(Status::OK)
}

impl Join {
    fn fields<'l>(&self, line: &'l [u8]) -> Vec<&'l [u8]> {
        match self.tab {
            Some(tab) => line.split(|&byte| byte == tab).collect(),
            None => line
                .split(|byte| matches!(byte, b' ' | b'\t'))
                .filter(|field| !field.is_empty())
                .collect(),
        }
    }

    fn key(&self, fields: &[&[u8]], file: usize) -> Vec<u8> {
        let key = fields.get(self.keys[file]).copied().unwrap_or_default();
        match self.fold {
            true => key.to_ascii_lowercase(),
            false => key.to_vec(),
        }
    }

    fn put(&self, lines: [Option<&Vec<&[u8]>>; 2], end: u8, out: &mut Vec<u8>) {
        let field = |file: usize, number: usize| {
            let found = lines[file].and_then(|line| line.get(number).copied());
            found
                .filter(|field| !field.is_empty())
                .unwrap_or(&self.empty)
        };
        let key = match lines[0] {
            Some(_) => field(0, self.keys[0]),
            None => field(1, self.keys[1]),
        };
        let mut parts: Vec<&[u8]> = Vec::new();
        if self.format.is_empty() {
            parts.push(key);
            for (file, line) in lines.iter().enumerate() {
                let count = line.map_or(0, Vec::len);
                let numbers = (0..count).filter(|number| *number != self.keys[file]);
                parts.extend(numbers.map(|number| field(file, number)));
            }
        } else {
            for part in &self.format {
                parts.push(part.map_or(key, |(file, number)| field(file, number)));
            }
        }
        let glue = [self.tab.unwrap_or(b' ')];
        out.extend(bstr::join(glue, parts));
        out.push(end);
    }
}

const FOLD: Spec = Spec {
    letters: "bsw:0123456789",
    long: &[("bytes", 'b'), ("spaces", 's'), ("width", 'w')],
};

fn fold(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &FOLD)?;
    let digits: String = given
        .options
        .iter()
        .map(|(c, _)| *c)
        .filter(char::is_ascii_digit)
        .collect();
    let width = match (given.last('w'), digits.as_str()) {
        (Some(value), _) => options::number(value)?,
        (None, "") => 80,
        (None, digits) => options::number(digits.as_bytes())?,
    };
    if width == 0 {
        process.complain("invalid number of columns");
        return Ok(Status::FAILED);
    }
    let (files, fine) = inputs(process, &given.operands)?;
    let mut out = Vec::new();
    for line in files.iter().flat_map(|(_, bytes)| with_ends(bytes, b'\n')) {
        let (mut start, mut column, mut at) = (0, 0_usize, 0);
        let body = line.strip_suffix(b"\n").unwrap_or(line);
        while at < body.len() {
            let next = match body[at] {
                _ if given.has('b') => column + 1,
                b'\t' => column + 8 - column % 8,
                8 => column.saturating_sub(1),
                b'\r' => 0,
                _ => column + 1,
            };
            if next <= width || column == 0 {
                column = next;
                at += 1;
                continue;
            }
            let mut end = at;
            if given.has('s')
                && let Some(space) = body[start..at]
                    .iter()
                    .rposition(|b| matches!(b, b' ' | b'\t'))
            {
                end = start + space + 1;
            }
            out.extend_from_slice(&body[start..end]);
            out.push(b'\n');
            (start, at, column) = (end, end, 0);
        }
        out.extend_from_slice(&line[start..]);
    }
    process.out(out);
    Ok(Status(u8::from(!fine)))
}

fn stop_width(value: Option<&BString>) -> Result<usize, Stop> {
    match value {
        None => Ok(8),
        Some(value) => match options::number(value)? {
            0 => Err(Stop::unsupported("a tab size of 0 is not known")),
            width => Ok(width),
        },
    }
}

fn expand(process: &mut Process<'_, '_>) -> Outcome {
    let spec = Spec {
        letters: "it:",
        long: &[("initial", 'i'), ("tabs", 't')],
    };
    let given = options::parse(process, &spec)?;
    let width = stop_width(given.last('t'))?;
    let (files, fine) = inputs(process, &given.operands)?;
    let mut out = Vec::new();
    for line in files.iter().flat_map(|(_, bytes)| with_ends(bytes, b'\n')) {
        let (mut column, mut initial) = (0_usize, true);
        for &byte in line {
            initial &= matches!(byte, b' ' | b'\t');
            match byte {
                b'\t' if initial || !given.has('i') => {
                    let fill = width - column % width;
                    out.extend(std::iter::repeat_n(b' ', fill));
                    column += fill;
                    continue;
                }
                8 => column = column.saturating_sub(1),
                _ => column += 1,
            }
            out.push(byte);
        }
    }
    process.out(out);
    Ok(Status(u8::from(!fine)))
}

fn unexpand(process: &mut Process<'_, '_>) -> Outcome {
    let spec = Spec {
        letters: "at:\u{391}",
        long: &[("all", 'a'), ("tabs", 't'), ("first-only", '\u{391}')],
    };
    let given = options::parse(process, &spec)?;
    let width = stop_width(given.last('t'))?;
    let all = (given.has('a') || given.has('t')) && !given.has('\u{391}');
    let (files, fine) = inputs(process, &given.operands)?;
    let mut out = Vec::new();
    for line in files.iter().flat_map(|(_, bytes)| with_ends(bytes, b'\n')) {
        let (mut column, mut at, mut initial) = (0_usize, 0, true);
        while at < line.len() {
            let byte = line[at];
            if !(matches!(byte, b' ' | b'\t') && (initial || all)) {
                initial = false;
                out.push(byte);
                column += 1;
                at += 1;
                continue;
            }
            let len = line[at..]
                .iter()
                .take_while(|b| matches!(b, b' ' | b'\t'))
                .count();
            let mut to = column;
            for blank in &line[at..at + len] {
                to += if *blank == b'\t' {
                    width - to % width
                } else {
                    1
                };
            }
            let single = len == 1 && byte == b' ';
            // One blank stays one, even before a stop.
            while !single && (column / width + 1) * width <= to {
                out.push(b'\t');
                column = (column / width + 1) * width;
            }
            out.extend(std::iter::repeat_n(b' ', to - column));
            column = to;
            at += len;
        }
    }
    process.out(out);
    Ok(Status(u8::from(!fine)))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn lines_are_put_side_by_side() {
        let mut m = machine();
        m.put("/tmp/a", "a 1\nb 2\nc 3\n", 0o644);
        m.put("/tmp/b", "b x\nc y\nd z\n", 0o644);
        for (args, want) in [
            (
                &["paste", "/tmp/a", "/tmp/b"][..],
                "a 1\tb x\nb 2\tc y\nc 3\td z\n",
            ),
            (&["paste", "-sd,", "/tmp/a"], "a 1,b 2,c 3\n"),
            (&["paste", "-d\\n", "/tmp/a", "-"], "a 1\nq\nb 2\n\nc 3\n\n"),
            (&["join", "/tmp/a", "/tmp/b"], "b 2 x\nc 3 y\n"),
            (&["join", "-a1", "/tmp/a", "/tmp/b"], "a 1\nb 2 x\nc 3 y\n"),
            (&["join", "-v2", "/tmp/a", "/tmp/b"], "d z\n"),
            (&["join", "-o", "2.2,0", "/tmp/a", "/tmp/b"], "x b\ny c\n"),
        ] {
            assert_eq!(
                m.run_with(args, "q\n").expect("no stop").out,
                want,
                "{args:?}"
            );
        }
    }

    #[test]
    fn widths_are_kept() {
        for (args, input, want) in [
            (&["fold", "-w3"][..], "abcdefg\nh\n", "abc\ndef\ng\nh\n"),
            (&["fold", "-sw6"], "ab cd ef gh", "ab cd \nef gh"),
            (&["expand"], "a\tb\n", "a       b\n"),
            (&["expand", "-t4"], "a\tb\n", "a   b\n"),
            (&["unexpand"], "        a        b\n", "\ta        b\n"),
            (&["unexpand", "-a"], "        a        b\n", "\ta\t b\n"),
        ] {
            assert_eq!(
                machine().run_with(args, input).expect("no stop").out,
                want,
                "{args:?}"
            );
        }
    }
}
