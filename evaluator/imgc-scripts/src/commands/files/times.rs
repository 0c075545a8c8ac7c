//! touch.

use bstr::{BString, ByteSlice as _};

use super::failed;
use super::options::{Known, parse};
use crate::Errno;
use crate::commands::system::clock;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "touch",
    origin: Origin::Essential,
    run: touch,
}];

fn touch(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "acd:fhmr:t:",
        long: &[
            ("no-create", 'c'),
            ("date=", 'd'),
            ("no-dereference", 'h'),
            ("reference=", 'r'),
            ("time=", 'T'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.operands.is_empty() {
        return failed(process, "missing file operand");
    }
    let now = process.machine.files.epoch();
    let time = if let Some(text) = parsed.value('d') {
        clock::read(text, now)
            .ok_or_else(|| Stop::unsupported(format!("the date {text} is not understood")))?
    } else if let Some(text) = parsed.value('t') {
        stamp(text, now)
            .ok_or_else(|| Stop::unsupported(format!("the time {text} is not understood")))?
    } else if let Some(file) = parsed.value('r') {
        let path = process.path(file);
        match process.machine.files.stat(&path, !parsed.has("h")) {
            Ok(stat) => stat.mtime,
            Err(error) => {
                return failed(
                    process,
                    format_args!("failed to get attributes of '{file}': {error}"),
                );
            }
        }
    } else {
        now
    };
    let access = match parsed.value('T').map(|word| &word[..]) {
        None => parsed.has("a") && !parsed.has("m"),
        Some(b"access" | b"atime" | b"use") => !parsed.has("m"),
        Some(b"modify" | b"mtime") => false,
        Some(_) => return failed(process, "invalid argument for --time"),
    };
    let mut status = Status::OK;
    for operand in &parsed.operands {
        if operand == "-" {
            continue;
        }
        if let Err(error) = one(
            process,
            operand,
            time,
            access,
            parsed.has("c"),
            parsed.has("h"),
        ) {
            process.complain(format_args!("cannot touch '{operand}': {error}"));
            status = Status::FAILED;
        }
    }
    Ok(status)
}

fn one(
    process: &mut Process<'_, '_>,
    operand: &BString,
    time: i64,
    access: bool,
    no_create: bool,
    link: bool,
) -> Result<(), Errno> {
    let path = process.path(operand);
    if path.starts_with(b"/dev/") {
        return Ok(());
    }
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    if files.find(&path, !link).is_err() {
        if no_create || link {
            return Ok(());
        }
        if path.ends_with(b"/") {
            return Err(Errno::NoEntry);
        }
        files.create(&path, mode)?;
    }
    // The time of access is not kept in a tree.
    if access {
        Ok(())
    } else {
        files.set_time(&path, time, !link)
    }
}

/// `[[CC]YY]MMDDhhmm[.ss]`.
fn stamp(text: &[u8], now: i64) -> Option<i64> {
    let text = text.to_str().ok()?;
    let (digits, seconds) = text.split_once('.').unwrap_or((text, "00"));
    let this_year = clock::Parts::of(now).year;
    let (year, rest) = match digits.len() {
        12 => (digits.get(..4)?.parse().ok()?, digits.get(4..)?),
        10 => {
            let year: i64 = digits.get(..2)?.parse().ok()?;
            (
                if year < 69 { 2000 + year } else { 1900 + year },
                digits.get(2..)?,
            )
        }
        8 => (this_year, digits),
        _ => return None,
    };
    if !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let two = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day, hour, minute) = (two(0)?, two(2)?, two(4)?, two(6)?);
    clock::seconds(
        year,
        month,
        day,
        hour * 3600 + minute * 60 + seconds.parse::<i64>().ok()?,
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn files_are_made_and_times_set() {
        let mut machine = machine();
        assert_eq!(machine.run(&["touch", "/tmp/a"]).status, 0);
        assert_eq!(
            machine.files.stat(b"/tmp/a", false).expect("a file").mode,
            0o644
        );
        assert_eq!(machine.run(&["touch", "-c", "/tmp/b"]).status, 0);
        assert!(!machine.files.exists(b"/tmp/b"));
        let time = |machine: &crate::Machine<'_>| {
            machine.files.stat(b"/tmp/a", false).expect("a file").mtime
        };
        machine.run(&["touch", "-d", "@12345", "/tmp/a"]);
        assert_eq!(time(&machine), 12345);
        machine.run(&["touch", "-t", "197001020000.01", "/tmp/a"]);
        assert_eq!(time(&machine), 86401);
        machine.run(&["touch", "-d", "1970-01-01 00:01:00 UTC", "/tmp/a"]);
        assert_eq!(time(&machine), 60);
        machine.run(&["touch", "-r", "/tmp/a", "/tmp/c"]);
        assert_eq!(
            machine.files.stat(b"/tmp/c", false).expect("a file").mtime,
            60
        );
        machine.run(&["touch", "/tmp/a"]);
        assert_eq!(time(&machine), machine.files.epoch());
        assert_eq!(machine.run(&["touch", "/none/a"]).status, 1);
    }
}
