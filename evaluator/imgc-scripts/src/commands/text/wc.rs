//! wc.

use super::is_utf8;
use super::lines::input;
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "wc",
    origin: Origin::Essential,
    run,
}];

const SPEC: Spec = Spec {
    letters: "clmwL",
    long: &[
        ("bytes", 'c'),
        ("lines", 'l'),
        ("chars", 'm'),
        ("words", 'w'),
        ("max-line-length", 'L'),
    ],
};

/// Lines, words, characters, bytes, the longest line.
type Counts = [usize; 5];

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let wanted = ['l', 'w', 'm', 'c', 'L'].map(|letter| given.has(letter));
    let wanted = match wanted.contains(&true) {
        true => wanted,
        false => [true, true, false, true, false],
    };
    let utf8 = is_utf8(process);
    let stdin = given.operands.is_empty();
    let mut names = given.operands.clone();
    if stdin {
        names.push("-".into());
    }
    let mut lines = Vec::new();
    let mut total: Counts = [0; 5];
    let mut sizes = 0;
    let mut odd = false;
    let mut fine = true;
    for name in &names {
        let path = process.path(name);
        match process.machine.files.stat(&path, true) {
            Ok(stat) if stat.kind == b'f' && name != "-" => sizes += stat.size,
            Err(_) if name != "-" => {}
            _ => odd = true,
        }
        let Some(bytes) = input(process, name)? else {
            fine = false;
            continue;
        };
        let counts = count(&bytes, utf8);
        for (at, (sum, one)) in total.iter_mut().zip(counts).enumerate() {
            *sum = match at {
                4 => (*sum).max(one),
                _ => *sum + one,
            };
        }
        lines.push((counts, (!stdin).then(|| name.clone())));
    }
    let one = wanted.iter().filter(|wanted| **wanted).count() == 1;
    let width = match (names.len() == 1 && one, odd) {
        (true, _) => 1,
        (_, true) => sizes.to_string().len().max(7),
        (_, false) => sizes.to_string().len(),
    };
    if names.len() > 1 {
        lines.push((total, Some("total".into())));
    }
    for (counts, name) in lines {
        let numbers = counts.iter().zip(wanted).filter(|(_, wanted)| *wanted);
        let numbers: Vec<String> = numbers.map(|(n, _)| format!("{n:width$}")).collect();
        process.out(numbers.join(" "));
        if let Some(name) = name {
            process.out([b" ", name.as_slice()].concat());
        }
        process.out("\n");
    }
    Ok(Status(u8::from(!fine)))
}

fn count(bytes: &[u8], utf8: bool) -> Counts {
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
    let (mut words, mut chars) = (0, 0);
    let (mut inside, mut width, mut longest) = (false, 0, 0);
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let (char, len) = match (utf8, first) {
            (_, 0..0x80) => (Some(char::from(first)), 1),
            (true, _) => bstr::decode_utf8(rest),
            (false, _) => (None, 1),
        };
        rest = &rest[len.max(1)..];
        chars += usize::from(char.is_some() || !utf8);
        match char {
            Some('\n' | '\r' | '\x0c') => {
                longest = longest.max(width);
                width = 0;
            }
            Some('\t') => width += 8 - width % 8,
            Some('\x0b') => {}
            Some(char) => width += usize::from(!char.is_control()),
            None => {}
        }
        match char {
            Some(char) if char.is_whitespace() && char != '\u{a0}' => inside = false,
            Some(char) if char.is_control() => {}
            None => {}
            Some(_) => {
                words += usize::from(!inside);
                inside = true;
            }
        }
    }
    [lines, words, chars, bytes.len(), longest.max(width)]
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn counts_are_laid_out_as_wc_does() {
        let mut m = machine();
        m.put("/tmp/a", "one two\nthree\n", 0o644);
        m.put("/tmp/b", "x", 0o644);
        for (args, want) in [
            (&["wc", "-l"][..], "2\n"),
            (&["wc"], "      2       4      12\n"),
            (&["wc", "-l", "/tmp/a"], "2 /tmp/a\n"),
            (&["wc", "/tmp/a"], " 2  3 14 /tmp/a\n"),
            (
                &["wc", "-c", "/tmp/a", "/tmp/b"],
                "14 /tmp/a\n 1 /tmp/b\n15 total\n",
            ),
            (&["wc", "-L", "-w", "-"], "      4       5 -\n"),
        ] {
            assert_eq!(
                m.run_with(args, "a b\nc ddd\n  ").expect("no stop").out,
                want,
                "{args:?}"
            );
        }
    }
}
