//! `read`, and bash's `mapfile`.

use bstr::{BString, ByteSlice as _};

use super::super::flow::{Flow, Shell};
use super::super::state::Held;
use super::super::words::name_length;
use crate::stop::Stop;

/// `read`
pub(super) fn read(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let mut args = &words[1..];
    let (mut raw, mut array, mut end, mut fd) = (false, None, b'\n', 0u32);
    while let Some(option) = args
        .first()
        .filter(|arg| arg.len() > 1 && arg.starts_with(b"-"))
    {
        args = &args[1..];
        if option == "--" {
            break;
        }
        for (at, &letter) in option[1..].iter().enumerate() {
            match letter {
                b'r' => raw = true,
                b'e' | b's' if shell.bash => {}
                b'p' | b't' | b'd' | b'a' | b'u' | b'n' | b'N' if letter == b'p' || shell.bash => {
                    // The value is the rest of the word, or the next one.
                    let rest = &option[at + 2..];
                    let value = if rest.is_empty() {
                        let Some((value, others)) = args.split_first() else {
                            return Err(shell.fatal("read: an option needs a value"));
                        };
                        args = others;
                        value.clone()
                    } else {
                        rest.into()
                    };
                    match letter {
                        b'a' => array = Some(value),
                        b'd' => end = value.first().copied().unwrap_or(0),
                        b'u' => fd = value.to_str_lossy().parse().unwrap_or(u32::MAX),
                        b'n' | b'N' => {
                            return Err(Stop::unsupported("read -n is not known").into());
                        }
                        _ => {}
                    }
                    break;
                }
                _ => return Err(shell.fatal(&format!("read: Illegal option {option}"))),
            }
        }
    }
    for name in args {
        if name_length(name) != name.len() || name.is_empty() {
            return Err(shell.fatal(&format!("read: {name}: bad variable name")));
        }
    }
    if args.is_empty() && !shell.bash {
        return Err(shell.fatal("read: arg count"));
    }
    let (line, whole) = shell.record(raw, end, fd)?;
    shell.take(&line, array, args)?;
    Ok(u8::from(!whole))
}

/// A byte of a line, and whether a backslash stood before it.
type Escaped = (u8, bool);

impl Shell<'_, '_, '_> {
    /// The next line, without its end; whether it had one.
    fn record(&mut self, raw: bool, end: u8, fd: u32) -> Result<(Vec<Escaped>, bool), Flow> {
        let mut line = Vec::new();
        loop {
            let Some(part) = self.process.record(fd, end) else {
                return Ok((line, false));
            };
            self.process.machine.spend(part.len() as u64 / 64)?;
            let whole = part.last() == Some(&end);
            let part = if whole {
                &part[..part.len() - 1]
            } else {
                &part[..]
            };
            if raw {
                line.extend(part.iter().map(|&b| (b, false)));
                return Ok((line, whole));
            }
            let mut bytes = part.iter();
            let mut continued = false;
            while let Some(&byte) = bytes.next() {
                if byte != b'\\' {
                    line.push((byte, false));
                    continue;
                }
                match bytes.next() {
                    Some(&next) => line.push((next, true)),
                    None => continued = true,
                }
            }
            if !(continued && whole) {
                return Ok((line, whole));
            }
            // A backslash at the end of a line goes with the newline; another end is
            // taken as it is.
            if end != b'\n' {
                line.push((end, true));
            }
        }
    }

    fn take(
        &mut self,
        line: &[Escaped],
        array: Option<BString>,
        names: &[BString],
    ) -> Result<(), Flow> {
        let separators = self.state.separators();
        let text = |part: &[Escaped]| {
            let bytes = part.iter().map(|(b, _)| *b).filter(|&b| b != 0);
            BString::from(bytes.collect::<Vec<u8>>())
        };
        if let Some(array) = array {
            let (parts, _) = split(line, &separators, usize::MAX);
            let values = (0..).zip(parts.iter().map(|part| text(part))).collect();
            self.writable(&array)?;
            self.state.entry(&array).value = Some(Held::Array(values));
            return Ok(());
        }
        if names.is_empty() {
            return self.assign(b"REPLY", text(line));
        }
        let (parts, rest) = split(line, &separators, names.len() - 1);
        for (at, name) in names.iter().enumerate() {
            let value = match parts.get(at) {
                Some(part) => text(part),
                None if at + 1 == names.len() => text(rest),
                None => BString::default(),
            };
            self.assign(name, value)?;
        }
        Ok(())
    }
}

/// The first `most` fields of a line, and the rest of it without the white space around.
fn split<'l>(
    line: &'l [Escaped],
    separators: &[u8],
    most: usize,
) -> (Vec<&'l [Escaped]>, &'l [Escaped]) {
    let is = |(byte, escaped): &Escaped| !escaped && separators.contains(byte);
    let is_space = |item: &Escaped| is(item) && matches!(item.0, b' ' | b'\t' | b'\n');
    let skip = |mut rest: &'l [Escaped]| {
        while rest.first().is_some_and(is_space) {
            rest = &rest[1..];
        }
        rest
    };
    let mut parts = Vec::new();
    let mut rest = skip(line);
    while parts.len() < most && !rest.is_empty() {
        let length = rest.iter().position(is).unwrap_or(rest.len());
        parts.push(&rest[..length]);
        rest = skip(&rest[length..]);
        // One separator that is no white space ends the field, with the white space
        // around it.
        if rest.first().is_some_and(|item| is(item) && !is_space(item)) {
            rest = skip(&rest[1..]);
        }
    }
    let mut last = rest;
    while last.last().is_some_and(is_space) {
        last = &last[..last.len() - 1];
    }
    // What is left is one field if only its end is a separator.
    if let Some((end, head)) = last.split_last()
        && is(end)
        && !head.iter().any(is)
    {
        last = head;
    }
    (parts, last)
}

/// `mapfile`
pub(super) fn mapfile(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    let mut args = &words[1..];
    let (mut trim, mut end, mut name) = (false, b'\n', BString::from("MAPFILE"));
    while let Some((arg, rest)) = args.split_first() {
        args = rest;
        match arg.as_slice() {
            b"-t" => trim = true,
            b"-d" => {
                let (value, rest) = args
                    .split_first()
                    .map_or((BString::default(), args), |(v, r)| (v.clone(), r));
                end = value.first().copied().unwrap_or(0);
                args = rest;
            }
            b"--" => {}
            option if option.starts_with(b"-") => {
                let option = option.as_bstr();
                let what = format!("the option {option} of mapfile is not known");
                return Err(Stop::unsupported(what).into());
            }
            other => name = other.into(),
        }
    }
    let mut values = std::collections::BTreeMap::new();
    while let Some(mut line) = shell.process.record(0, end) {
        shell.process.machine.spend(1 + line.len() as u64 / 64)?;
        if trim && line.last() == Some(&end) {
            line.pop();
        }
        let at = i64::try_from(values.len()).unwrap_or_default();
        values.insert(at, BString::from(line));
    }
    shell.writable(&name)?;
    shell.state.entry(&name).value = Some(Held::Array(values));
    Ok(0)
}
