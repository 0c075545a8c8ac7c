//! Moments: the dates of a `Release` file, and RFC 3339 as the lock writes it.
//!
//! A moment is a number of seconds since 1970, UTC. This file never asks what
//! the time is.

/// Seconds since 1970-01-01 00:00:00 UTC, without leap seconds.
pub type Epoch = u64;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const DAY: u64 = 86_400;

/// Reads `Sat, 11 Jul 2026 10:16:37 UTC`, the form of `Date` and `Valid-Until`.
///
/// The zone is `UTC`, `GMT`, `Z` or `+0000`. The weekday must be the right one.
/// Years run from 1970 to 9999.
pub(crate) fn parse_release_date(text: &str) -> Option<Epoch> {
    let mut words = text.split_ascii_whitespace();
    let weekday = words.next()?.strip_suffix(',')?;
    let day = number(words.next()?, 1..=2)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year = number(words.next()?, 4..=4)?;
    let clock = words.next()?;
    if !matches!(words.next()?, "UTC" | "GMT" | "Z" | "+0000") || words.next().is_some() {
        return None;
    }
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 1..=2)?;
    let minute = number(parts.next()?, 2..=2)?;
    let second = number(parts.next()?, 2..=2)?;
    if parts.next().is_some() {
        return None;
    }
    let moment = moment([year, month, day, hour, minute, second])?;
    // 1970-01-01 was a Thursday.
    let named = WEEKDAYS.iter().position(|name| *name == weekday)? as u64;
    ((moment / DAY + 4) % 7 == named).then_some(moment)
}

/// Reads `2026-07-11T10:16:37Z`, and nothing else that RFC 3339 would allow.
pub fn parse_rfc3339(text: &str) -> Option<Epoch> {
    let bytes = text.as_bytes();
    let separators = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'Z'),
    ];
    if bytes.len() != 20 || separators.iter().any(|&(at, byte)| bytes[at] != byte) {
        return None;
    }
    let field = |from: usize, to: usize| number(text.get(from..to)?, to - from..=to - from);
    moment([
        field(0, 4)?,
        field(5, 7)?,
        field(8, 10)?,
        field(11, 13)?,
        field(14, 16)?,
        field(17, 19)?,
    ])
}

/// Writes `2026-07-11T10:16:37Z`.
pub(crate) fn rfc3339(moment: Epoch) -> String {
    let (days, rest) = (moment / DAY, moment % DAY);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    (plain && digits.contains(&text.len())).then(|| text.parse().ok())?
}

fn moment([year, month, day, hour, minute, second]: [u64; 6]) -> Option<Epoch> {
    if !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=days_of(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let days = days_before(year) + (1..month).map(|m| days_of(year, m)).sum::<u64>() + day - 1;
    Some(days * DAY + hour * 3600 + minute * 60 + second)
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days between 1970-01-01 and the first of January of `year`.
fn days_before(year: u64) -> u64 {
    let leaps = |y: u64| y / 4 - y / 100 + y / 400;
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
}

fn civil(days: u64) -> (u64, u64, u64) {
    // Close from below: no year has more than 366 days.
    let mut year = 1970 + days / 366;
    while days_before(year + 1) <= days {
        year += 1;
    }
    let mut rest = days - days_before(year);
    let mut month = 1;
    while rest >= days_of(year, month) {
        rest -= days_of(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_release_dates() {
        let cases = [
            ("Thu, 01 Jan 1970 00:00:00 UTC", 0),
            ("Sat, 11 Jul 2026 10:16:37 UTC", 1_783_764_997),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("Fri,  1 Mar 2024 0:00:00 +0000", 1_709_251_200),
        ];
        for (text, moment) in cases {
            assert_eq!(parse_release_date(text), Some(moment), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "Sat, 11 Jul 2026 10:16:37",
            "Sun, 11 Jul 2026 10:16:37 UTC",
            "Sat, 11 Jul 2026 10:16:37 CEST",
            "Sat, 11 Jul 2026 10:16:37 UTC x",
            "Wed, 29 Feb 2023 00:00:00 UTC",
            "Sat, 11 Jul 2026 24:00:00 UTC",
            "Sat, +1 Jul 2026 10:16:37 UTC",
            "Wed, 31 Dec 1969 23:59:59 UTC",
        ] {
            assert_eq!(parse_release_date(text), None, "{text}");
        }
    }

    #[test]
    fn rfc3339_goes_both_ways() {
        assert_eq!(rfc3339(1_783_764_997), "2026-07-11T10:16:37Z");
        for moment in (0..200_000_000_000).step_by(86_399 * 97) {
            assert_eq!(parse_rfc3339(&rfc3339(moment)), Some(moment));
        }
        assert_eq!(parse_rfc3339("2026-07-11 10:16:37Z"), None);
        assert_eq!(parse_rfc3339("2026-07-11T10:16:37é"), None);
        assert_eq!(parse_rfc3339("2026-13-11T10:16:37Z"), None);
    }
}
