//! sed: its options. The script is read by `parse`, run by `run`.

mod parse;
mod replace;
mod run;
mod streams;
#[cfg(test)]
mod tests;

use bstr::BString;

use super::is_utf8;
use super::options::{self, Spec};
use super::pattern::Patterns;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "sed",
    origin: Origin::Essential,
    run,
}];

const SPEC: Spec = Spec {
    letters: "nrEsuzbe:f:i::l:\u{391}",
    long: &[
        ("quiet", 'n'),
        ("silent", 'n'),
        ("expression", 'e'),
        ("file", 'f'),
        ("in-place", 'i'),
        ("line-length", 'l'),
        ("regexp-extended", 'E'),
        ("separate", 's'),
        ("unbuffered", 'u'),
        ("null-data", 'z'),
        ("zero-terminated", 'z'),
        ("binary", 'b'),
        ("follow-symlinks", '\u{391}'),
    ],
};

/// How a script is read and run.
#[derive(Debug, Clone)]
struct Settings {
    quiet: bool,
    extended: bool,
    separate: bool,
    /// The end of a line.
    end: u8,
    /// Files are edited in place; the copy that is kept has this suffix.
    in_place: Option<BString>,
    follow: bool,
    width: usize,
    utf8: bool,
    patterns: Patterns,
}

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let mut operands = given.operands.clone();
    let mut pieces: Vec<BString> = Vec::new();
    for (letter, value) in &given.options {
        match letter {
            'e' => pieces.push(value.clone()),
            'f' => {
                let Ok(bytes) = process.input(value) else {
                    process.complain(format_args!("couldn't open file {value}"));
                    return Ok(Status(1));
                };
                pieces.push(bytes.strip_suffix(b"\n").unwrap_or(&bytes).into());
            }
            _ => {}
        }
    }
    if !given.has('e') && !given.has('f') {
        if operands.is_empty() {
            process
                .err("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n");
            return Ok(Status(1));
        }
        pieces.push(operands.remove(0));
    }
    let script = bstr::join("\n", &pieces);
    let in_place = given.last('i').cloned();
    let width = match given.last('l') {
        Some(value) => options::number(value)?,
        None => 70,
    };
    let settings = Settings {
        quiet: given.has('n') || script == b"#n" || script.starts_with(b"#n\n"),
        extended: given.has('E') || given.has('r'),
        separate: given.has('s') || in_place.is_some(),
        end: if given.has('z') { 0 } else { b'\n' },
        in_place,
        follow: given.has('\u{391}'),
        width,
        utf8: is_utf8(process),
        patterns: process.machine.patterns.clone(),
    };
    let script = match parse::parse(&script, &settings) {
        Ok(script) => script,
        Err(parse::Wrong::Pattern(fault)) => {
            let words = fault.invalid()?;
            process.complain(format_args!("-e expression #1: {words}"));
            return Ok(Status(1));
        }
        Err(parse::Wrong::Script(what)) => {
            return Err(Stop::unsupported(format!(
                "sed's script is not known: {what}"
            )));
        }
    };
    run::run(process, &script, &settings, &operands)
}
