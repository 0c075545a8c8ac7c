//! awk, as mawk is it: bytes, not characters, and its order of `for (key in array)`. gawk,
//! where it does the same: what differs, and what might, is a stop.

mod array;
mod calls;
mod eval;
mod expression;
mod format;
mod input;
mod lexer;
mod parse;
mod record;
mod run;
mod streams;
mod syntax;
#[cfg(test)]
mod tests;
mod value;
mod variables;

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Program, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "awk",
        origin: Origin::Essential,
        run,
    },
    Native {
        name: "mawk",
        origin: Origin::Essential,
        run,
    },
    Native {
        name: "gawk",
        origin: Origin::Package,
        run,
    },
];

/// What differs between the versions of mawk, and gawk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    /// mawk of 2020: braces are plain, and whole numbers have 32 bits.
    old: bool,
    /// gawk. It reads characters, so that input is ASCII or a stop.
    gawk: bool,
}

impl Version {
    /// Refuses what gawk may take otherwise.
    fn same(self, fine: bool, what: &str) -> Result<(), Stop> {
        match self.gawk && !fine {
            true => Err(Stop::unsupported(format!("gawk with {what} is not known"))),
            false => Ok(()),
        }
    }
}

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let gawk = is_gawk(process)?;
    let version = Version {
        old: process.machine.setup.dpkg.starts_with("1.21") && !gawk,
        gawk,
    };
    let ascii = process.args.iter().all(|arg| arg.is_ascii());
    version.same(ascii, "arguments that are not ASCII")?;
    let mut separator = None;
    let mut assigned: Vec<BString> = Vec::new();
    let mut source: Option<Vec<u8>> = None;
    let args = process.args[1..].to_vec();
    let mut at = 0;
    while at < args.len() {
        let arg = &args[at];
        if arg == "--" {
            at += 1;
            break;
        }
        let Some(option) = arg.strip_prefix(b"-").filter(|option| !option.is_empty()) else {
            break;
        };
        let letter = option[0];
        if !matches!(letter, b'F' | b'v' | b'f') {
            return Err(super::options::unknown(arg));
        }
        let value = match &option[1..] {
            b"" => {
                at += 1;
                let value = args.get(at).ok_or_else(|| super::options::unknown(arg))?;
                value.clone()
            }
            value => value.into(),
        };
        at += 1;
        match letter {
            b'F' => separator = Some(value),
            b'v' => assigned.push(value),
            _ => {
                let Ok(bytes) = process.input(&value) else {
                    process.complain(format_args!("couldn't open file {value}"));
                    return Ok(Status(2));
                };
                let source = source.get_or_insert_default();
                source.extend_from_slice(&bytes);
                source.push(b'\n');
            }
        }
    }
    let mut operands = args[at..].to_vec();
    let source = match source {
        Some(source) => source,
        None if operands.is_empty() => {
            process.err("Usage: mawk [Options] [Program] [file ...]\n");
            return Ok(Status(2));
        }
        None => operands.remove(0).into(),
    };
    version.same(source.is_ascii(), "a program that is not ASCII")?;
    let escapes = source.windows(2).filter(|pair| pair[0] == b'\\');
    let own = |pair: &[u8]| b"yBsSwW<>`'".contains(&pair[1]);
    version.same(!escapes.into_iter().any(own), "patterns of its own")?;
    let program = parse::parse(&source)
        .map_err(|what| Stop::unsupported(format!("awk's program is not known: {what}")))?;
    run::run(process, &program, version, separator, &assigned, &operands)
}

/// Whether the program is gawk. Another than that and mawk is not known.
fn is_gawk(process: &Process<'_, '_>) -> Result<bool, Stop> {
    let name = process.args[0].clone();
    if let Program::Path(path) = process.program(name.as_ref())
        && let Ok((real, _)) = process.machine.files.resolve(&path, true)
    {
        return match real.name() {
            b"mawk" | b"awk" => Ok(false),
            b"gawk" => Ok(true),
            other => {
                let other = base(other).as_bstr();
                Err(Stop::unsupported(format!("{other} is not known as awk")))
            }
        };
    }
    Ok(false)
}
