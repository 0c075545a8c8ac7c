//! date, and reading and writing of dates. The clock stands still at the epoch, and the
//! zone is UTC.

use bstr::{BString, ByteSlice as _};

use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "date",
    origin: Origin::Essential,
    run: date,
}];

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAY: i64 = 86400;

/// A moment in UTC, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    /// 0 is Sunday.
    pub(crate) weekday: i64,
    /// From 1.
    pub(crate) yearday: i64,
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl Parts {
    /// The moment `time`, in seconds since 1970.
    pub(crate) fn of(time: i64) -> Self {
        let (day_number, rest) = (time.div_euclid(DAY), time.rem_euclid(DAY));
        let shifted = day_number + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted - era * 146_097;
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (day_number + 4).rem_euclid(7),
            yearday: day_number - days(year, 1, 1) + 1,
        }
    }
}

/// Seconds since 1970; none where there is no such day.
pub(crate) fn seconds(year: i64, month: i64, day: i64, second: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(-9999..=99_999).contains(&year) {
        return None;
    }
    let number = days(year, month, day);
    let parts = Parts::of(number * DAY);
    let same = (parts.month, parts.day) == (month, day);
    (same && (0..=DAY).contains(&second)).then_some(number * DAY + second)
}

fn clock(text: &str) -> Option<i64> {
    let mut fields = text.split(':');
    let hour: i64 = fields.next()?.parse().ok()?;
    let minute: i64 = fields.next()?.parse().ok()?;
    let second = fields.next().unwrap_or("0");
    let second: i64 = second.split('.').next()?.parse().ok()?;
    let fine = hour < 24 && minute < 60 && second <= 60 && fields.next().is_none();
    fine.then_some(hour * 3600 + minute * 60 + second)
}

fn month(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    let fits = |name: &&str| {
        let name = name.to_ascii_lowercase();
        lower.len() >= 3 && name.starts_with(&lower)
    };
    let at = MONTHS.iter().position(fits)?;
    i64::try_from(at + 1).ok()
}

/// Reads a date as `date -d` takes it: `@12`, `2025-11-20 00:00:00 UTC`, `now`,
/// `Thu Nov 20 00:00:00 UTC 2025`, `yesterday`, `-3 days`. None where it is not
/// understood.
pub(crate) fn read(text: &[u8], now: i64) -> Option<i64> {
    let text = text.to_str().ok()?.trim();
    if let Some(number) = text.strip_prefix('@') {
        return number.split('.').next()?.parse().ok();
    }
    let text = text.replace(',', " ");
    let mut day: Option<(i64, i64, i64)> = None;
    let mut time: Option<i64> = None;
    let mut year = None;
    let mut offset = 0;
    let mut zone = 0;
    let mut named: Option<(i64, Option<i64>)> = None;
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let lower = word.to_ascii_lowercase();
        let iso = word
            .split_once(['T', 't'])
            .filter(|(day, _)| day.len() == 10);
        if let Some((date, rest)) = iso {
            let rest = rest.trim_end_matches('Z');
            let (clock_text, shift) = match rest.rfind(['+', '-']) {
                Some(at) => (&rest[..at], Some(&rest[at..])),
                None => (rest, None),
            };
            if let Some(shift) = shift {
                zone = hours(shift)?;
            }
            day = Some(iso_day(date)?);
            time = Some(clock(clock_text)?);
        } else if let Some(date) = iso_day(word) {
            day = Some(date);
        } else if word.contains(':') {
            time = Some(clock(word)?);
        } else if matches!(
            lower.as_str(),
            "utc" | "utc0" | "gmt" | "z" | "now" | "today"
        ) {
        } else if lower == "yesterday" {
            offset -= DAY;
        } else if lower == "tomorrow" {
            offset += DAY;
        } else if DAYS
            .iter()
            .any(|name| lower.len() >= 3 && name.to_ascii_lowercase().starts_with(&lower))
        {
            // The weekday of a full date says nothing more.
            named = named.or(Some((0, None)));
        } else if let Some(month) = month(word) {
            let number = words.peek().and_then(|word| word.parse::<i64>().ok());
            if number.is_some() {
                words.next();
            }
            named = Some((month, number));
        } else if (word.starts_with('+') || word.starts_with('-'))
            && word.len() == 5
            && word[1..].bytes().all(|b| b.is_ascii_digit())
        {
            zone = hours(word)?;
        } else if let Ok(number) = word.parse::<i64>() {
            let unit = words.peek().copied().and_then(unit);
            if let Some(unit) = unit {
                words.next();
                offset += number * unit;
                if words.peek() == Some(&"ago") {
                    words.next();
                    offset -= 2 * number * unit;
                }
            } else if word.len() == 4 {
                year = Some(number);
            } else if word.len() == 8 && day.is_none() {
                day = Some((number / 10_000, number / 100 % 100, number % 100));
            } else if let Some(month) = words.peek().copied().and_then(month) {
                words.next();
                named = Some((month, Some(number)));
            } else {
                return None;
            }
        } else {
            return None;
        }
    }
    let today = Parts::of(now);
    if let Some((month, number)) = named {
        day = Some((year.unwrap_or(today.year), month, number?));
    }
    let (on, at) = match (day, time) {
        (None, None) => return Some(now + offset - zone),
        (Some(day), time) => (day, time.unwrap_or(0)),
        (None, Some(time)) => ((today.year, today.month, today.day), time),
    };
    Some(seconds(on.0, on.1, on.2, at)? + offset - zone)
}

fn unit(word: &str) -> Option<i64> {
    Some(match word.trim_end_matches('s') {
        "sec" | "second" => 1,
        "min" | "minute" => 60,
        "hour" => 3600,
        "day" => DAY,
        "week" => 7 * DAY,
        _ => return None,
    })
}

fn hours(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (hour, minute) = match digits.len() {
        2 => (digits.parse::<i64>().ok()?, 0),
        4 => (
            digits[..2].parse::<i64>().ok()?,
            digits[2..].parse::<i64>().ok()?,
        ),
        _ => return None,
    };
    Some(sign * (hour * 3600 + minute * 60))
}

fn iso_day(text: &str) -> Option<(i64, i64, i64)> {
    let mut fields = text.split(['-', '/']);
    let year = fields.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = fields.next()?.parse().ok()?;
    let day = fields.next()?.parse().ok()?;
    fields.next().is_none().then_some((year, month, day))
}

/// Writes `time` as `format` of strftime(3) and date(1) has it. None for a directive that
/// is not known.
pub(crate) fn format(time: i64, format: &str) -> Option<String> {
    let parts = Parts::of(time);
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut flags = String::new();
        while let Some(flag) = rest.next_if(|c| "-_0^#:".contains(*c)) {
            flags.push(flag);
        }
        let mut width = String::new();
        while let Some(digit) = rest.next_if(char::is_ascii_digit) {
            width.push(digit);
        }
        rest.next_if(|c| matches!(c, 'E' | 'O'));
        let piece = directive(&parts, time, rest.next()?, &flags, &width)?;
        text.push_str(&if flags.contains('^') {
            piece.to_uppercase()
        } else {
            piece
        });
    }
    Some(text)
}

fn directive(parts: &Parts, time: i64, c: char, flags: &str, width: &str) -> Option<String> {
    let padded = |value: i64, digits: usize, pad: char| {
        let pad = match flags.chars().rfind(|c| "-_0".contains(*c)) {
            Some('-') => return value.to_string(),
            Some('_') => ' ',
            Some(_) => '0',
            None => pad,
        };
        let digits = width.parse().unwrap_or(digits).min(64);
        if pad == '0' {
            format!("{value:0digits$}")
        } else {
            format!("{value:digits$}")
        }
    };
    let name = |names: &[&str], at: i64| -> Option<String> {
        Some((*names.get(usize::try_from(at).ok()?)?).to_owned())
    };
    let twelve = if parts.hour % 12 == 0 {
        12
    } else {
        parts.hour % 12
    };
    let sub = |text: &str| format(time, text);
    // ISO weeks begin on Monday, and the first one has a Thursday.
    let monday = (parts.weekday + 6) % 7;
    let thursday = Parts::of(time + (3 - monday) * DAY);
    Some(match c {
        'Y' => padded(parts.year, 1, '0'),
        'C' => padded(parts.year / 100, 2, '0'),
        'y' => padded(parts.year % 100, 2, '0'),
        'm' => padded(parts.month, 2, '0'),
        'd' => padded(parts.day, 2, '0'),
        'e' => padded(parts.day, 2, ' '),
        'H' => padded(parts.hour, 2, '0'),
        'k' => padded(parts.hour, 2, ' '),
        'I' => padded(twelve, 2, '0'),
        'l' => padded(twelve, 2, ' '),
        'M' => padded(parts.minute, 2, '0'),
        'S' => padded(parts.second, 2, '0'),
        'N' => {
            let digits = width.parse().unwrap_or(9).min(9);
            "0".repeat(digits)
        }
        's' => padded(time, 1, '0'),
        'j' => padded(parts.yearday, 3, '0'),
        'u' => padded(monday + 1, 1, '0'),
        'w' => padded(parts.weekday, 1, '0'),
        'U' => padded((parts.yearday + 6 - parts.weekday) / 7, 2, '0'),
        'W' => padded((parts.yearday + 6 - monday) / 7, 2, '0'),
        'V' => padded((thursday.yearday - 1) / 7 + 1, 2, '0'),
        'G' => padded(thursday.year, 1, '0'),
        'g' => padded(thursday.year % 100, 2, '0'),
        'a' => name(&DAYS, parts.weekday)?[..3].to_owned(),
        'A' => name(&DAYS, parts.weekday)?,
        'b' | 'h' => name(&MONTHS, parts.month - 1)?[..3].to_owned(),
        'B' => name(&MONTHS, parts.month - 1)?,
        'p' => if parts.hour < 12 { "AM" } else { "PM" }.to_owned(),
        'P' => if parts.hour < 12 { "am" } else { "pm" }.to_owned(),
        'q' => padded((parts.month + 2) / 3, 1, '0'),
        'c' => sub("%a %b %e %H:%M:%S %Y")?,
        'D' | 'x' => sub("%m/%d/%y")?,
        'F' => sub("%Y-%m-%d")?,
        'T' | 'X' => sub("%H:%M:%S")?,
        'R' => sub("%H:%M")?,
        'r' => sub("%I:%M:%S %p")?,
        'z' => match flags.matches(':').count() {
            0 => "+0000".to_owned(),
            1 => "+00:00".to_owned(),
            2 => "+00:00:00".to_owned(),
            _ => "+00".to_owned(),
        },
        'Z' => "UTC".to_owned(),
        'n' => "\n".to_owned(),
        't' => "\t".to_owned(),
        '%' => "%".to_owned(),
        _ => return None,
    })
}

fn date(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "d:f:I::r:Ru",
        long: &[
            ("date=", 'd'),
            ("iso-8601=?", 'I'),
            ("reference=", 'r'),
            ("rfc-email", 'R'),
            ("rfc-2822", 'R'),
            ("rfc-3339=", '3'),
            ("utc", 'u'),
            ("universal", 'u'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let zone = process
        .env
        .get(b"TZ".as_bstr())
        .cloned()
        .unwrap_or_default();
    let utc = matches!(
        &zone[..],
        b"" | b"UTC" | b"UTC0" | b"GMT" | b"GMT0" | b"Etc/UTC"
    );
    if !utc && !parsed.has("u") {
        return Err(Stop::unsupported(format!(
            "the time zone {zone} is not known"
        )));
    }
    let now = process.machine.files.epoch();
    let mut time = now;
    if let Some(text) = parsed.value('d') {
        let read = read(text, now);
        time =
            read.ok_or_else(|| Stop::unsupported(format!("the date {text} is not understood")))?;
    } else if let Some(file) = parsed.value('r') {
        let path = process.path(file);
        match process.machine.files.stat(&path, true) {
            Ok(stat) => time = stat.mtime,
            Err(error) => return failed(process, format_args!("{file}: {error}")),
        }
    } else if parsed.has("f") {
        return Err(Stop::unsupported("date -f is not known"));
    }
    let shape = match parsed.operands.as_slice() {
        [] => iso(&parsed.options)?,
        [one] => match one.strip_prefix(b"+") {
            Some(shape) => shape.to_str_lossy().into_owned(),
            None => return Err(Stop::unsupported("date can't set the clock")),
        },
        _ => return failed(process, "too many operands"),
    };
    let text = format(time, &shape)
        .ok_or_else(|| Stop::unsupported(format!("the format {shape} is not known")))?;
    process.out(text + "\n");
    Ok(Status::OK)
}

/// The format that the options ask for.
fn iso(options: &[(char, Option<BString>)]) -> Result<String, Stop> {
    let mut shape = "%a %b %e %H:%M:%S UTC %Y";
    for (option, value) in options {
        let value = value.as_ref().map(|value| &value[..]);
        shape = match (option, value) {
            ('R', _) => "%a, %d %b %Y %H:%M:%S +0000",
            ('I', None | Some(b"date")) | ('3', Some(b"date")) => "%Y-%m-%d",
            ('I', Some(b"hours")) => "%Y-%m-%dT%H+00:00",
            ('I', Some(b"minutes")) => "%Y-%m-%dT%H:%M+00:00",
            ('I', Some(b"seconds")) => "%Y-%m-%dT%H:%M:%S+00:00",
            ('3', Some(b"seconds")) => "%Y-%m-%d %H:%M:%S+00:00",
            ('I' | '3', _) => return Err(Stop::unsupported("this precision is not known")),
            _ => shape,
        };
    }
    Ok(shape.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn dates_are_written_as_date_does() {
        let mut machine = machine();
        for (args, out) in [
            (&["date"][..], "Thu Nov 20 00:00:00 UTC 2025\n"),
            (
                &["date", "+%s %Y%m%d %j %u %V %G %U %W"][..],
                "1763596800 20251120 324 4 47 2025 46 46\n",
            ),
            (
                &["date", "-d", "@0", "+%F %T %a %b %-d %e|%_H|%^a"][..],
                "1970-01-01 00:00:00 Thu Jan 1  1| 0|THU\n",
            ),
            (
                &["date", "-u", "-d", "2021-01-03 12:34:56", "-R"][..],
                "Sun, 03 Jan 2021 12:34:56 +0000\n",
            ),
            (
                &["date", "-d", "Thu Nov 20 01:00:00 UTC 2025", "-Iseconds"][..],
                "2025-11-20T01:00:00+00:00\n",
            ),
            (
                &["date", "-d", "2020-02-29 +0100", "+%s"][..],
                "1582930800\n",
            ),
            (&["date", "-d", "3 days ago", "+%F"][..], "2025-11-17\n"),
            (&["date", "--date=20240101", "+%G-%V"][..], "2024-01\n"),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (0, out), "{args:?}");
        }
        assert!(
            machine
                .run_with(&["date", "-d", "next blue moon"], "")
                .is_err()
        );
    }

    #[test]
    fn days_and_parts_agree() {
        for day in (-800_000..800_000).step_by(37) {
            let parts = Parts::of(day * DAY);
            assert_eq!(days(parts.year, parts.month, parts.day), day);
        }
        assert_eq!(seconds(2023, 2, 29, 0), None);
    }
}
