//! The lines of tmpfiles.d(5).

use bstr::{BString, ByteSlice as _};

use crate::commands::accounts::nss;
use crate::commands::services::specifiers;
use crate::process::Process;
use crate::stop::Stop;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: u8,
    /// `+`: what is there is replaced or added to.
    pub(super) plus: bool,
    /// `-`: that it can't be made is no failure.
    pub(super) lenient: bool,
    /// `?`: only where the argument leads to something.
    pub(super) if_exists: bool,
    /// `=`: what is of another kind is removed first.
    pub(super) replaces: bool,
    pub(super) path: BString,
    pub(super) mode: Option<Mode>,
    pub(super) uid: Option<Id>,
    pub(super) gid: Option<Id>,
    pub(super) argument: Option<BString>,
}

/// A mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) bits: u32,
    /// `~`: only bits that fit the mode that is there.
    pub(super) masked: bool,
    /// `:`: only for what is new.
    pub(super) new_only: bool,
}

/// An owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) id: u32,
    /// `:`: only for what is new.
    pub(super) new_only: bool,
}

/// What a line of text comes to.
pub(super) enum Read {
    Line(Line),
    /// It is not for now.
    Left,
    Wrong(String),
}

impl Line {
    /// Whether its path is a pattern.
    pub(super) fn is_pattern(&self) -> bool {
        matches!(
            self.kind,
            b'w' | b'e'
                | b'x'
                | b'X'
                | b'r'
                | b'R'
                | b'z'
                | b'Z'
                | b't'
                | b'T'
                | b'h'
                | b'H'
                | b'a'
                | b'A'
        )
    }

    /// Whether another line for the same path may stand beside it.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        let owns = |line: &Self| !b"zZtThHaA".contains(&line.kind);
        let terms = |line: &Self| (line.argument.clone(), line.mode, line.uid, line.gid);
        other.plus
            || self.is_pattern() != other.is_pattern()
            || !(owns(self) && owns(other))
            || terms(self) == terms(other) && self.replaces == other.replaces
    }
}

/// Reads a line. `boot` says whether lines with `!` are for now, `chosen` whether those
/// for a path are.
pub(super) fn read(
    process: &mut Process<'_, '_>,
    text: &[u8],
    boot: bool,
    chosen: impl Fn(&BString) -> bool,
) -> Result<Read, Stop> {
    let (fields, argument) = specifiers::fields(text, 6);
    let [action, path, ..] = fields.as_slice() else {
        return Ok(Read::Wrong("Syntax error".to_owned()));
    };
    let (Some(&kind), modifiers) = (action.first(), &action[1..]) else {
        return Ok(Read::Wrong("Syntax error".to_owned()));
    };
    if !b"fFwdDevqQpLcbCxXrRzZtThHaA".contains(&kind) {
        return Ok(Read::Wrong("Unknown command type".to_owned()));
    }
    let has = |modifier: u8| modifiers.contains(&modifier);
    if let Some(unknown) = modifiers.iter().find(|b| !b"+!-=~^$?".contains(b)) {
        let unknown = char::from(*unknown);
        return Ok(Read::Wrong(format!("Unknown modifier '{unknown}'")));
    }
    // No system gives secrets to a tree that is being made.
    if has(b'!') && !boot || has(b'^') {
        return Ok(Read::Left);
    }
    if has(b'~') {
        return Err(Stop::unsupported("an argument in base64 is not known"));
    }
    let Some(path) = specifiers::resolve(process.machine, path)? else {
        return Ok(Read::Left);
    };
    if !path.starts_with(b"/") {
        return Ok(Read::Wrong("the path is not absolute".to_owned()));
    }
    let path = tidy(&path);
    if !chosen(&path) {
        return Ok(Read::Left);
    }
    let argument = match argument.as_slice() {
        b"" | b"-" => None,
        text => match specifiers::resolve(process.machine, text)? {
            Some(text) => Some(text),
            None => return Ok(Read::Left),
        },
    };
    let field = |at: usize| {
        fields
            .get(at)
            .filter(|field| *field != "-" && !field.is_empty())
    };
    let mode = match field(2) {
        None => None,
        Some(text) => {
            let digits = text.trim_start_with(|c| matches!(c, '~' | ':'));
            let bits = digits
                .to_str()
                .ok()
                .and_then(|text| u32::from_str_radix(text, 8).ok());
            let Some(bits) = bits.filter(|bits| *bits <= 0o7777) else {
                return Ok(Read::Wrong(format!("Invalid mode '{text}'")));
            };
            let flags = &text[..text.len() - digits.len()];
            Some(Mode {
                bits,
                masked: flags.contains(&b'~'),
                new_only: flags.contains(&b':'),
            })
        }
    };
    let mut ids = [None, None];
    for (at, id) in ids.iter_mut().enumerate() {
        let Some(text) = field(3 + at) else {
            continue;
        };
        let name = text.strip_prefix(b":").unwrap_or(text);
        let Some(name) = specifiers::resolve(process.machine, name)? else {
            return Ok(Read::Left);
        };
        let number = match (nss::number(&name), at) {
            (Some(number), _) => Some(number),
            (None, 0) => nss::user_named(process.machine, &name)?.map(|user| user.uid),
            (None, _) => nss::group_named(process.machine, &name)?.map(|group| group.gid),
        };
        let Some(number) = number else {
            return Ok(Read::Wrong(format!("Failed to resolve '{name}'")));
        };
        *id = Some(Id {
            id: number,
            new_only: text.starts_with(b":"),
        });
    }
    let [uid, gid] = ids;
    Ok(Read::Line(Line {
        kind,
        plus: has(b'+') || kind == b'F',
        lenient: has(b'-'),
        if_exists: has(b'?'),
        replaces: has(b'='),
        path,
        mode,
        uid,
        gid,
        argument,
    }))
}

/// A path without double slashes and one at its end.
fn tidy(path: &[u8]) -> BString {
    let mut tidy = BString::default();
    for part in path
        .split(|&b| b == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
    {
        tidy.push(b'/');
        tidy.extend_from_slice(part);
    }
    if tidy.is_empty() { "/".into() } else { tidy }
}
