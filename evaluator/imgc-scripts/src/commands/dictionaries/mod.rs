//! Dictionaries for spelling, as dictionaries-common registers them: what is installed,
//! the default of each kind, and what Emacs, jed and SquirrelMail are told of them.
//!
//! It must not compile a dictionary: the file that aspell or ispell would make of a list
//! of words hangs on their version. Where one is due, that is a stop.

mod config;
mod hashes;
mod hunspell;
mod register;
mod support;
mod update;

use bstr::{BStr, BString};

use super::{Native, Recognised, debconf};
use crate::process::{Process, Status};
use crate::stop::Stop;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[hashes::NATIVES, update::NATIVES];

/// Maintainer scripts in Perl that are known to the byte.
pub(crate) const SCRIPTS: &[Recognised] = config::SCRIPTS;

/// The folder of what is generated.
const CACHE: &str = "/var/cache/dictionaries-common";

/// What debconf answers: whether it could, and the text.
fn ask(process: &mut Process<'_, '_>, words: &[&[u8]]) -> Result<(bool, BString), Stop> {
    let words: Vec<BString> = words.iter().map(|&word| word.into()).collect();
    let (status, text) = debconf::call(process, &words)?;
    Ok((status == Status::OK, text))
}

/// The value of a question; empty where there is none.
fn value_of(process: &mut Process<'_, '_>, question: &str) -> Result<BString, Stop> {
    let (known, text) = ask(process, &[b"get", question.as_bytes()])?;
    Ok(if known { text } else { BString::default() })
}

/// Writes a file of the system.
fn write(process: &mut Process<'_, '_>, path: &str, bytes: Vec<u8>) -> Result<(), Stop> {
    let written = process.machine.files.write(path.as_bytes(), bytes, 0o644);
    let written = written.map(|_| ());
    written.map_err(|error| Stop::unsupported(format!("{path}: {error}")))
}

/// The bytes of a file; none where it is not there.
fn text_at(process: &mut Process<'_, '_>, path: &str) -> Option<Vec<u8>> {
    let bytes = process.machine.files.read(path.as_bytes());
    bytes.ok().map(|bytes| bytes.to_vec())
}

/// Says in front of each line of a generated file that it is one.
fn heading(mark: &str) -> String {
    let lines = [
        "This file is part of the dictionaries-common package.",
        "It has been automatically generated.",
        "DO NOT EDIT!",
    ];
    lines.iter().map(|line| format!("{mark}{line}\n")).collect()
}

/// The parts between commas, without the white space around the commas. As Perl splits:
/// empty ones at the end are none.
fn parts(text: &[u8]) -> Vec<BString> {
    let mut parts: Vec<BString> = Vec::new();
    for (at, part) in text.split(|&b| b == b',').enumerate() {
        let part = if at == 0 {
            part
        } else {
            part.trim_ascii_start()
        };
        parts.push(part.into());
    }
    let last = parts.len().saturating_sub(1);
    for part in &mut parts[..last] {
        let end = part.trim_ascii_end().len();
        part.truncate(end);
    }
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

/// In the order of Perl's `lc($a) cmp lc($b)`.
fn by_lower_case(a: &BString, b: &BString) -> std::cmp::Ordering {
    a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase())
}

fn joined<'a>(parts: impl IntoIterator<Item = &'a BString>) -> BString {
    bstr::join(", ", parts).into()
}

/// Whether `name` is a command that can be found.
fn is_command(process: &Process<'_, '_>, name: &str) -> bool {
    !matches!(
        process.program(BStr::new(name)),
        crate::process::Program::Absent | crate::process::Program::NotExecutable(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_as_perl_does() {
        let split = |text: &str| -> Vec<String> {
            let all = parts(text.as_bytes());
            all.iter().map(ToString::to_string).collect()
        };
        assert_eq!(split("a (b), c ,d"), ["a (b)", "c", "d"]);
        assert_eq!(split(", Manual"), ["", "Manual"]);
        assert_eq!(split("a,,"), ["a"]);
        assert!(split("").is_empty());
    }
}
