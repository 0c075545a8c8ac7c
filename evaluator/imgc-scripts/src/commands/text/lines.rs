//! Reading what commands on text are given: files by name, and their lines.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::spend_on;
use crate::process::Process;
use crate::stop::Stop;

/// A file's name as given, and its bytes.
pub(super) type Named = (BString, Rc<Vec<u8>>);

/// The bytes of all operands; standard input where there is none. Complains about those
/// that can't be read, and says whether all could.
pub(super) fn inputs(
    process: &mut Process<'_, '_>,
    operands: &[BString],
) -> Result<(Vec<Named>, bool), Stop> {
    let stdin = [BString::from("-")];
    let names = match operands.is_empty() {
        true => &stdin[..],
        false => operands,
    };
    let mut all = Vec::new();
    let mut fine = true;
    for name in names {
        match input(process, name)? {
            Some(bytes) => all.push((name.clone(), bytes)),
            None => fine = false,
        }
    }
    Ok((all, fine))
}

/// The bytes of one operand; none, with a complaint, where it can't be read.
pub(super) fn input(
    process: &mut Process<'_, '_>,
    name: &BString,
) -> Result<Option<Rc<Vec<u8>>>, Stop> {
    match process.input(name) {
        Ok(bytes) => {
            spend_on(process, bytes.len())?;
            Ok(Some(bytes))
        }
        Err(error) => {
            process.complain(format_args!("{name}: {error}"));
            Ok(None)
        }
    }
}

/// The lines of `bytes` without their ends; what is behind the last end is one too,
/// unless it is empty.
pub(super) fn split(bytes: &[u8], end: u8) -> impl DoubleEndedIterator<Item = &[u8]> {
    let body = bytes.strip_suffix(&[end]).unwrap_or(bytes);
    let none = bytes.is_empty();
    body.split(move |&byte| byte == end).filter(move |_| !none)
}

/// The lines of `bytes` with their ends.
pub(super) fn with_ends(bytes: &[u8], end: u8) -> impl DoubleEndedIterator<Item = &[u8]> {
    bytes.split_inclusive(move |&byte| byte == end)
}

/// A count as `head -n` and `split -b` take it: digits and perhaps a unit.
pub(super) fn size(text: &[u8]) -> Result<usize, Stop> {
    let none = || Stop::unsupported(format!("{} is no size", text.as_bstr()));
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: usize = text[..digits]
        .to_str()
        .ok()
        .and_then(|t| t.parse().ok())
        .ok_or_else(none)?;
    let unit = match &text[digits..] {
        b"" => 1,
        b"b" => 512,
        b"k" | b"K" | b"KiB" => 1 << 10,
        b"kB" | b"KB" => 1000,
        b"m" | b"M" | b"MiB" => 1 << 20,
        b"MB" => 1_000_000,
        b"G" | b"GiB" => 1 << 30,
        _ => return Err(none()),
    };
    Ok(number.saturating_mul(unit))
}
