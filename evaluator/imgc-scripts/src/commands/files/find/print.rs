//! find's `-printf`.

use bstr::{BString, ByteSlice as _};

use super::Entry;
use crate::commands::files::modes::letters;
use crate::commands::files::names::base_name;
use crate::commands::files::owners::{group_name, user_name};
use crate::commands::files::stat::{blocks, escape, inode, links};
use crate::commands::system::clock;
use crate::process::Process;
use crate::stop::Stop;

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    Value {
        left: bool,
        zero: bool,
        width: usize,
        letter: u8,
        /// What follows `%T`.
        time: u8,
    },
}

/// Reads a format.
pub(super) fn parse(format: &[u8]) -> Result<Vec<Piece>, Stop> {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(&byte) = format.get(at) {
        at += 1;
        if byte == b'\\' {
            // All after \c is dropped.
            if format.get(at) == Some(&b'c') {
                break;
            }
            let (bytes, used) = escape(&format[at..]);
            text.extend_from_slice(&bytes);
            at += used;
            continue;
        }
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        if format.get(at) == Some(&b'%') {
            text.push(b'%');
            at += 1;
            continue;
        }
        let flags = format[at..]
            .iter()
            .take_while(|b| b"-0# +".contains(b))
            .count();
        let flag = &format[at..at + flags];
        at += flags;
        let digits = format[at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let width = format[at..at + digits]
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok());
        at += digits;
        let letter = format.get(at).copied().unwrap_or(0);
        at += 1;
        let mut time = 0;
        if letter == b'T' {
            time = format.get(at).copied().unwrap_or(0);
            at += 1;
        }
        if !b"pfhPHsmMuUgGlyYdnitkbT".contains(&letter) {
            let letter = char::from(letter);
            return Err(Stop::unsupported(format!(
                "find's -printf %{letter} is not known"
            )));
        }
        pieces.push(Piece::Text(std::mem::take(&mut text)));
        pieces.push(Piece::Value {
            left: flag.contains(&b'-'),
            zero: flag.contains(&b'0'),
            width: usize::min(width.unwrap_or(0), 1024),
            letter,
            time,
        });
    }
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

/// Writes a file's values.
pub(super) fn write(
    process: &mut Process<'_, '_>,
    pieces: &[Piece],
    entry: &Entry<'_>,
) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(bytes) => text.extend_from_slice(bytes),
            Piece::Value {
                left,
                zero,
                width,
                letter,
                time,
            } => {
                let value = value(process, entry, *letter, *time)?;
                let pad = width.saturating_sub(value.len());
                if *left {
                    text.extend_from_slice(&value);
                    text.resize(text.len() + pad, b' ');
                } else {
                    text.resize(text.len() + pad, if *zero { b'0' } else { b' ' });
                    text.extend_from_slice(&value);
                }
            }
        }
    }
    Ok(text)
}

fn value(
    process: &mut Process<'_, '_>,
    entry: &Entry<'_>,
    letter: u8,
    time: u8,
) -> Result<Vec<u8>, Stop> {
    let stat = &entry.stat;
    let name = |name: Option<BString>, id: u32| match name {
        Some(name) => name.to_vec(),
        None => id.to_string().into_bytes(),
    };
    let text = match letter {
        b'p' => return Ok(entry.shown.to_vec()),
        b'f' => return Ok(base_name(entry.shown).to_vec()),
        b'h' => {
            let slash = entry.shown.rfind_byte(b'/');
            return Ok(match slash {
                None => b".".to_vec(),
                Some(0) => Vec::new(),
                Some(at) => entry.shown[..at].to_vec(),
            });
        }
        b'P' => {
            let rest = entry
                .shown
                .strip_prefix(&entry.start[..])
                .unwrap_or_default();
            return Ok(rest.strip_prefix(b"/").unwrap_or(rest).to_vec());
        }
        b'H' => return Ok(entry.start.to_vec()),
        b's' => stat.size.to_string(),
        b'm' => format!("{:o}", stat.mode),
        b'M' => letters(stat.kind, stat.mode),
        b'u' => return Ok(name(user_name(process, stat.uid), stat.uid)),
        b'g' => return Ok(name(group_name(process, stat.gid), stat.gid)),
        b'U' => stat.uid.to_string(),
        b'G' => stat.gid.to_string(),
        b'l' => {
            let target = process
                .machine
                .files
                .read_link(entry.path)
                .unwrap_or_default();
            return Ok(if stat.kind == b'l' {
                target.to_vec()
            } else {
                Vec::new()
            });
        }
        b'y' => char::from(stat.kind).to_string(),
        b'Y' => match process.machine.files.stat(entry.path, true) {
            Ok(stat) => char::from(stat.kind).to_string(),
            Err(crate::Errno::Loop) => "L".to_owned(),
            Err(_) => "N".to_owned(),
        },
        b'd' => entry.depth.to_string(),
        b'n' => links(process, entry.path, stat).to_string(),
        b'i' => inode(stat.ino).to_string(),
        b'k' => (blocks(stat) / 2).to_string(),
        b'b' => blocks(stat).to_string(),
        b't' => clock::format(stat.mtime, "%a %b %e %T.0000000000 %Y").unwrap_or_default(),
        _ => match time {
            b'@' => format!("{}.0000000000", stat.mtime),
            b'+' => clock::format(stat.mtime, "%F+%T.0000000000").unwrap_or_default(),
            b'S' => clock::format(stat.mtime, "%S.0000000000").unwrap_or_default(),
            b'T' | b'X' => clock::format(stat.mtime, "%T.0000000000").unwrap_or_default(),
            other => {
                let shape = format!("%{}", char::from(other));
                clock::format(stat.mtime, &shape).ok_or_else(|| {
                    Stop::unsupported(format!(
                        "find's -printf %T{} is not known",
                        char::from(other)
                    ))
                })?
            }
        },
    };
    Ok(text.into_bytes())
}
