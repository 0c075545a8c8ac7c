//! chfn(1) and chsh(1), and what fields of accounts look like.

use bstr::{BString, ByteSlice as _};

use super::nss;
use super::options::{self, Known, Takes};
use super::table::{PASSWD, Table};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "chfn",
        origin: Origin::Essential,
        run: chfn,
    },
    Native {
        name: "chsh",
        origin: Origin::Essential,
        run: chsh,
    },
];

const CHFN: &[Known] = &[
    (b'f', "full-name", Takes::Value),
    (b'r', "room", Takes::Value),
    (b'w', "work-phone", Takes::Value),
    (b'h', "home-phone", Takes::Value),
    (b'o', "other", Takes::Value),
];

fn chfn(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, CHFN)?;
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status::FAILED);
    };
    if given.options.is_empty() {
        return Err(crate::Stop::unsupported("chfn without options asks"));
    }
    let Some(user) = nss::user_named(process.machine, name)? else {
        process.complain(format_args!("user '{name}' does not exist"));
        return Ok(Status::FAILED);
    };
    let mut parts: Vec<BString> = user.comment.splitn_str(5, ",").map(BString::from).collect();
    parts.resize(5, BString::default());
    for (at, (_, option, _)) in CHFN.iter().enumerate() {
        let Some(value) = given.value(option) else {
            continue;
        };
        let refused: &[u8] = if *option == "other" { b":\n" } else { b":,=\n" };
        if value.find_byteset(refused).is_some() {
            process.complain(format_args!("invalid {option}: '{value}'"));
            return Ok(Status::FAILED);
        }
        parts[at] = value.clone();
    }
    if parts[4].is_empty() {
        parts.pop();
    }
    change(process, name, 4, bstr::join(",", &parts).into())
}

const CHSH: &[Known] = &[(b's', "shell", Takes::Value)];

fn chsh(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, CHSH)?;
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status::FAILED);
    };
    let Some(shell) = given.value("shell") else {
        return Err(crate::Stop::unsupported("chsh without a shell asks"));
    };
    if nss::user_named(process.machine, name)?.is_none() {
        process.complain(format_args!("user '{name}' does not exist"));
        return Ok(Status::FAILED);
    }
    if shell.find_byteset(b":\n").is_some() {
        process.complain(format_args!("Invalid entry: {shell}"));
        return Ok(Status::FAILED);
    }
    change(process, name, 6, shell.clone())
}

fn change(process: &mut Process<'_, '_>, name: &BString, field: usize, value: BString) -> Outcome {
    let mut table = Table::load(process.machine, PASSWD)?;
    if let Some(mut row) = table.row(name) {
        row[field] = value;
        table.set(&row);
    }
    table.store(process.machine)?;
    Ok(Status::OK)
}

/// A date as the shadow tools take one, as days since 1970: `YYYY-MM-DD`, a number, or
/// nothing. None for what can't be read.
pub(super) fn day(text: &BString) -> Option<BString> {
    let text = text.to_str().ok()?;
    if text.is_empty() || text == "-1" {
        return Some(BString::default());
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.into());
    }
    let mut parts = text.split('-').map(|part| part.parse::<u16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from civil: years begin in March, so that the leap day is the last.
    let year = i64::from(year) - i64::from(month <= 2);
    let month = (i64::from(month) + 9) % 12;
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + i64::from(day)
        - 1
        - 719_468;
    Some(days.to_string().into())
}

/// A day since 1970 as `(year, month, day)`.
pub(super) fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn dates() {
        for (text, days) in [
            ("2025-11-20", Some("20412")),
            ("1970-01-01", Some("0")),
            ("2031-02-03", Some("22313")),
            ("", Some("")),
            ("7", Some("7")),
            ("soon", None),
        ] {
            assert_eq!(day(&text.into()), days.map(BString::from), "{text}");
        }
        assert_eq!(date(20412), (2025, 11, 20));
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(19_782), (2024, 2, 29));
    }

    #[test]
    fn the_parts_of_a_comment() {
        let mut m = machine();
        m.put("/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n", 0o644);
        assert_eq!(m.run(&["chfn", "-f", "A B", "u"]).status, 0);
        assert_eq!(
            m.text("/etc/passwd"),
            "u:x:1000:1000:A B,,,:/home/u:/bin/sh\n"
        );
        assert_eq!(m.run(&["chfn", "-f", "", "-o", "x", "u"]).status, 0);
        assert_eq!(
            m.text("/etc/passwd"),
            "u:x:1000:1000:,,,,x:/home/u:/bin/sh\n"
        );
        assert_eq!(m.run(&["chfn", "-f", "a,b", "u"]).status, 1);
        assert_eq!(m.run(&["chsh", "-s", "/bin/bash", "u"]).status, 0);
        assert!(m.text("/etc/passwd").ends_with(":/bin/bash\n"));
    }
}
