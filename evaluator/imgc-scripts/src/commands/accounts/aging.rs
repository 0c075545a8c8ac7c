//! chage(1).

use bstr::BString;

use super::fields::{date, day};
use super::nss;
use super::options::{self, Known, Takes};
use super::table::{Row, SHADOW, Table};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "chage",
    origin: Origin::Essential,
    run: chage,
}];

const OPTIONS: &[Known] = &[
    (b'd', "lastday", Takes::Value),
    (b'E', "expiredate", Takes::Value),
    (b'i', "iso8601", Takes::Nothing),
    (b'I', "inactive", Takes::Value),
    (b'l', "list", Takes::Nothing),
    (b'm', "mindays", Takes::Value),
    (b'M', "maxdays", Takes::Value),
    (b'W', "warndays", Takes::Value),
];

fn chage(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status(2));
    };
    if nss::user_named(process.machine, name)?.is_none() {
        process.complain(format_args!("user '{name}' does not exist in /etc/passwd"));
        return Ok(Status(1));
    }
    let mut shadow = Table::load(process.machine, SHADOW)?;
    let Some(mut row) = shadow.row(name) else {
        return Err(Stop::unsupported(format!("{name} is not in {SHADOW}")));
    };
    if given.has("list") {
        let text = listing(&row, given.has("iso8601"));
        process.out(text);
        return Ok(Status::OK);
    }
    if given.options.iter().all(|(option, _)| *option == "iso8601") {
        return Err(Stop::unsupported("chage without options asks"));
    }
    for (option, field) in [("lastday", 2), ("expiredate", 7)] {
        if let Some(text) = given.value(option) {
            let Some(days) = day(text) else {
                process.complain(format_args!("invalid date '{text}'"));
                return Ok(Status(2));
            };
            row[field] = days;
        }
    }
    for (option, field) in [
        ("mindays", 3),
        ("maxdays", 4),
        ("warndays", 5),
        ("inactive", 6),
    ] {
        if let Some(days) = given.value(option) {
            if days != "-1" && nss::number(days).is_none() {
                process.complain(format_args!("invalid numeric argument '{days}'"));
                return Ok(Status(2));
            }
            row[field] = if days == "-1" {
                BString::default()
            } else {
                days.clone()
            };
        }
    }
    shadow.set(&row);
    shadow.store(process.machine)?;
    Ok(Status::OK)
}

fn listing(row: &Row, iso: bool) -> String {
    let number = |field: usize| nss::number(&row[field]).map(i64::from);
    let show = |days: i64| {
        let (year, month, day) = date(days);
        if iso {
            return format!("{year:04}-{month:02}-{day:02}");
        }
        let names = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let month = usize::try_from(month - 1).ok().and_then(|at| names.get(at));
        format!("{} {day:02}, {year:04}", month.unwrap_or(&""))
    };
    let never = || "never".to_owned();
    let must = || "password must be changed".to_owned();
    let (last, most, inactive) = (number(2), number(4), number(6));
    let zero = last == Some(0);
    let ends = match (last, most) {
        (Some(last), Some(most)) if most < 10_000 => Some(last + most),
        _ => None,
    };
    let pick = |days: Option<i64>| {
        if zero {
            must()
        } else {
            days.map_or_else(never, show)
        }
    };
    let plain = |field: usize| number(field).map_or(-1, |n| n);
    format!(
        "Last password change\t\t\t\t\t: {}\nPassword expires\t\t\t\t\t: {}\nPassword inactive\t\t\t\t\t: {}\nAccount expires\t\t\t\t\t\t: {}\nMinimum number of days between password change\t\t: {}\nMaximum number of days between password change\t\t: {}\nNumber of days of warning before password expires\t: {}\n",
        pick(last),
        pick(ends),
        pick(ends.and_then(|ends| Some(ends + inactive?))),
        number(7).map_or_else(never, show),
        plain(3),
        plain(4),
        plain(5),
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn days_are_set_and_shown() {
        let mut m = machine();
        m.put("/etc/passwd", "u:x:1000:1000::/:/bin/sh\n", 0o644);
        m.put("/etc/shadow", "u:*:20412:0:99999:7:::\n", 0o640);
        let args = [
            "chage",
            "-E",
            "2031-02-03",
            "-I",
            "4",
            "-m",
            "1",
            "-M",
            "2",
            "-W",
            "3",
            "u",
        ];
        assert_eq!(m.run(&args).status, 0);
        assert_eq!(m.text("/etc/shadow"), "u:*:20412:1:2:3:4:22313:\n");
        let out = m.run(&["chage", "-l", "u"]).out;
        assert!(out.starts_with("Last password change\t\t\t\t\t: Nov 20, 2025\n"));
        assert!(out.contains("Account expires\t\t\t\t\t\t: Feb 03, 2031\n"));
        assert_eq!(m.run(&["chage", "-M", "-1", "-E", "-1", "u"]).status, 0);
        assert_eq!(m.text("/etc/shadow"), "u:*:20412:1::3:4::\n");
    }
}
