//! cat, tac, rev, nl, tee: whole files, line by line.

use bstr::{BString, ByteSlice as _};

use super::lines::{input, inputs, split, with_ends};
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::{Fd, Open};

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "cat",
        origin: Origin::Essential,
        run: cat,
    },
    Native {
        name: "tac",
        origin: Origin::Essential,
        run: tac,
    },
    Native {
        name: "rev",
        origin: Origin::Package,
        run: rev,
    },
    Native {
        name: "nl",
        origin: Origin::Essential,
        run: nl,
    },
    Native {
        name: "tee",
        origin: Origin::Essential,
        run: tee,
    },
];

const CAT: Spec = Spec {
    letters: "AbeEnstTuv",
    long: &[
        ("show-all", 'A'),
        ("number-nonblank", 'b'),
        ("show-ends", 'E'),
        ("number", 'n'),
        ("squeeze-blank", 's'),
        ("show-tabs", 'T'),
        ("show-nonprinting", 'v'),
    ],
};

fn cat(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &CAT)?;
    let has = |letters: &str| letters.chars().any(|letter| given.has(letter));
    let (ends, tabs, shown) = (has("AeE"), has("AtT"), has("Aetv"));
    let plain = !(ends || tabs || shown || has("bns"));
    let output = match process.fds.get(&1) {
        Some(Fd::File(open)) => Some(open.borrow().ino),
        _ => None,
    };
    let mut fine = true;
    let mut number = 0;
    let mut blank = false;
    let mut open = false;
    let mut names = given.operands.clone();
    if names.is_empty() {
        names.push("-".into());
    }
    for name in &names {
        let path = process.path(name);
        let ino = process.machine.files.find(&path, true).ok();
        let Some(bytes) = input(process, name)? else {
            fine = false;
            continue;
        };
        if output.is_some() && ino == output && name != "-" && !bytes.is_empty() {
            process.complain(format_args!("{name}: input file is output file"));
            fine = false;
            continue;
        }
        if plain {
            process.out(bytes.as_slice());
            continue;
        }
        let mut out = Vec::new();
        for line in with_ends(&bytes, b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let empty = text.is_empty() && !open;
            if empty && std::mem::replace(&mut blank, empty) && has("s") {
                continue;
            }
            blank = empty;
            if !open && (has("b") && !empty || has("n") && !has("b")) {
                number += 1;
                out.extend_from_slice(format!("{number:6}\t").as_bytes());
            }
            for &byte in text {
                show(byte, tabs, shown, &mut out);
            }
            open = line.len() == text.len();
            if !open {
                out.extend_from_slice(if ends { b"$\n" } else { b"\n" });
            }
        }
        process.out(out);
    }
    Ok(Status(u8::from(!fine)))
}

fn show(byte: u8, tabs: bool, shown: bool, out: &mut Vec<u8>) {
    match byte {
        b'\t' if tabs => out.extend_from_slice(b"^I"),
        b'\t' => out.push(byte),
        _ if !shown => out.push(byte),
        128.. => {
            out.extend_from_slice(b"M-");
            match byte - 128 {
                low @ 32..127 => out.push(low),
                127 => out.extend_from_slice(b"^?"),
                low => out.extend([b'^', low + 64]),
            }
        }
        127 => out.extend_from_slice(b"^?"),
        32.. => out.push(byte),
        low => out.extend([b'^', low + 64]),
    }
}

fn tac(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(
        process,
        &Spec {
            letters: "",
            long: &[],
        },
    )?;
    let (files, fine) = inputs(process, &given.operands)?;
    for (_, bytes) in files {
        let mut out = Vec::with_capacity(bytes.len());
        for line in with_ends(&bytes, b'\n').rev() {
            out.extend_from_slice(line);
        }
        process.out(out);
    }
    Ok(Status(u8::from(!fine)))
}

fn rev(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(
        process,
        &Spec {
            letters: "",
            long: &[],
        },
    )?;
    let (files, fine) = inputs(process, &given.operands)?;
    for (name, bytes) in files {
        let Ok(text) = bytes.to_str() else {
            return Err(Stop::unsupported(format!("{name} is no UTF-8")));
        };
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let body = line.strip_suffix('\n').unwrap_or(line);
            out.extend(body.chars().rev());
            out.push_str(&line[body.len()..]);
        }
        process.out(out);
    }
    Ok(Status(u8::from(!fine)))
}

const NL: Spec = Spec {
    letters: "b:n:s:v:i:w:",
    long: &[
        ("body-numbering", 'b'),
        ("number-format", 'n'),
        ("number-separator", 's'),
        ("starting-line-number", 'v'),
        ("line-increment", 'i'),
        ("number-width", 'w'),
    ],
};

fn nl(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &NL)?;
    let value = |letter, default: &str| given.last(letter).cloned().unwrap_or(default.into());
    let style = value('b', "t");
    if !matches!(style.as_slice(), b"a" | b"t" | b"n") {
        return Err(Stop::unsupported("this style of nl is not known"));
    }
    let separator = value('s', "\t");
    let width = options::number(&value('w', "6"))?;
    let mut number = options::number(&value('v', "1"))?;
    let step = options::number(&value('i', "1"))?;
    let format = value('n', "rn");
    let (files, fine) = inputs(process, &given.operands)?;
    let mut out = Vec::new();
    for line in files.iter().flat_map(|(_, bytes)| split(bytes, b'\n')) {
        if matches!(line, b"\\:" | b"\\:\\:" | b"\\:\\:\\:") {
            return Err(Stop::unsupported("nl's logical pages are not known"));
        }
        if style == "a" || (style == "t" && !line.is_empty()) {
            let text = match format.as_slice() {
                b"ln" => format!("{number:<width$}"),
                b"rn" => format!("{number:>width$}"),
                b"rz" => format!("{number:0>width$}"),
                _ => return Err(Stop::unsupported("this format of nl is not known")),
            };
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(&separator);
            number += step;
        } else {
            out.extend(std::iter::repeat_n(b' ', width + separator.len()));
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    process.out(out);
    Ok(Status(u8::from(!fine)))
}

const TEE: Spec = Spec {
    letters: "aip",
    long: &[("append", 'a'), ("ignore-interrupts", 'i')],
};

fn tee(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &TEE)?;
    let how = match given.has('a') {
        true => Open::Append,
        false => Open::Write,
    };
    let mut status = Status::OK;
    let mut to = Vec::new();
    for (number, name) in (1000..).zip(&given.operands) {
        match process.open(name, how) {
            Ok(fd) => {
                process.fds.insert(number, fd);
                to.push(number);
            }
            Err(error) => {
                process.complain(format_args!("{name}: {error}"));
                status = Status::FAILED;
            }
        }
    }
    let input: BString = process.stdin().into();
    super::spend_on(process, input.len())?;
    process.out(&input);
    for number in to {
        process.write(number, &input);
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn files_are_written_as_asked() {
        let mut m = machine();
        m.put("/tmp/a", "one\n\n\n\ttwo", 0o644);
        assert_eq!(m.run(&["cat", "/tmp/a"]).out, "one\n\n\n\ttwo");
        assert_eq!(m.run(&["cat", "-A", "/tmp/a"]).out, "one$\n$\n$\n^Itwo");
        assert_eq!(
            m.run(&["cat", "-ns", "/tmp/a"]).out,
            "     1\tone\n     2\t\n     3\t\ttwo"
        );
        let both = m
            .run_with(&["cat", "-", "/tmp/none", "/tmp/a"], "in\n")
            .expect("no stop");
        assert_eq!((both.status, both.out.as_str()), (1, "in\none\n\n\n\ttwo"));
        assert_eq!(m.run(&["tac", "/tmp/a"]).out, "\ttwo\n\none\n");
        m.put("/usr/bin/rev", "", 0o755);
        let rev = m.run_with(&["rev"], "abc\nöx\n").expect("no stop");
        assert_eq!(rev.out, "cba\nxö\n");
        let nl = m.run_with(&["nl"], "a\n\nb\n").expect("no stop");
        assert_eq!(nl.out, "     1\ta\n       \n     2\tb\n");
    }

    #[test]
    fn tee_writes_to_all() {
        let mut m = machine();
        m.put("/tmp/a", "x\n", 0o644);
        let ran = m
            .run_with(&["tee", "-a", "/tmp/a", "/tmp/b"], "y\n")
            .expect("no stop");
        assert_eq!(ran.out, "y\n");
        assert_eq!(
            (m.text("/tmp/a"), m.text("/tmp/b")),
            ("x\ny\n".into(), "y\n".into())
        );
    }
}
