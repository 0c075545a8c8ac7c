//! passwd(1) and chpasswd(8), without asking or hashing: a new hash would have a random
//! salt.

use bstr::{BString, ByteSlice as _};

use super::fields::date;
use super::options::{self, Given, Known, Takes};
use super::table::{PASSWD, Row, SHADOW, Table};
use super::{defs, nss};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "passwd",
        origin: Origin::Essential,
        run: passwd,
    },
    Native {
        name: "chpasswd",
        origin: Origin::Essential,
        run: chpasswd,
    },
];

const OPTIONS: &[Known] = &[
    (b'a', "all", Takes::Nothing),
    (b'd', "delete", Takes::Nothing),
    (b'e', "expire", Takes::Nothing),
    (b'i', "inactive", Takes::Value),
    (b'l', "lock", Takes::Nothing),
    (b'n', "mindays", Takes::Value),
    (b'q', "quiet", Takes::Nothing),
    (b'S', "status", Takes::Nothing),
    (b'u', "unlock", Takes::Nothing),
    (b'w', "warndays", Takes::Value),
    (b'x', "maxdays", Takes::Value),
];

fn passwd(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    let asks = given.options.iter().all(|(name, _)| *name == "quiet");
    if asks {
        return Err(Stop::unsupported(
            "passwd without options asks for a password",
        ));
    }
    if given.has("status") {
        return status(process, &given);
    }
    let root = BString::from("root");
    let name = given.rest.first().unwrap_or(&root);
    if nss::user_named(process.machine, name)?.is_none() {
        process.complain(format_args!("user '{name}' does not exist"));
        return Ok(Status(1));
    }
    let mut shadow = Table::load(process.machine, SHADOW)?;
    let Some(mut row) = shadow.row(name) else {
        return Err(Stop::unsupported(format!("{name} is not in {SHADOW}")));
    };
    if !change(&given, &mut row) {
        process.complain("without its lock the account would have no password");
        return Ok(Status(3));
    }
    shadow.set(&row);
    shadow.store(process.machine)?;
    if !given.has("quiet") {
        process.out("passwd: password changed.\n");
    }
    Ok(Status::OK)
}

/// Does what the options say. Says whether it can be done.
fn change(given: &Given, row: &mut Row) -> bool {
    if given.has("delete") {
        row[1] = BString::default();
    }
    if given.has("lock") && !row[1].starts_with(b"!") {
        row[1].insert(0, b'!');
    }
    if given.has("unlock") && row[1].starts_with(b"!") {
        if row[1].len() == 1 {
            return false;
        }
        row[1].remove(0);
    }
    for (option, field) in [
        ("mindays", 3),
        ("maxdays", 4),
        ("warndays", 5),
        ("inactive", 6),
    ] {
        if let Some(days) = given.value(option) {
            row[field] = if days == "-1" {
                BString::default()
            } else {
                days.clone()
            };
        }
    }
    if given.has("expire") {
        row[2] = "0".into();
    }
    true
}

fn status(process: &mut Process<'_, '_>, given: &Given) -> Outcome {
    let shadow = Table::load(process.machine, SHADOW)?;
    let users = nss::users(process.machine)?;
    let root = BString::from("root");
    let name = given.rest.first().unwrap_or(&root);
    let mut found = false;
    for user in users {
        if !given.has("all") && user.name != *name {
            continue;
        }
        found = true;
        let Some(row) = shadow.row(&user.name) else {
            process.out(format!("{} P\n", user.name));
            continue;
        };
        let state = match row[1].first() {
            None => "NP",
            Some(b'!' | b'*') => "L",
            Some(_) => "P",
        };
        let days = row[2].to_str().ok().and_then(|text| text.parse().ok());
        let last = days.map_or_else(
            || "never".to_owned(),
            |days| {
                let (year, month, day) = date(days);
                format!("{year:04}-{month:02}-{day:02}")
            },
        );
        let [least, most, warn, inactive] = [3, 4, 5, 6].map(|field| {
            let text = row[field].to_str_lossy();
            if text.is_empty() {
                "-1".to_owned()
            } else {
                text.into_owned()
            }
        });
        let name = user.name.as_bstr();
        process.out(format!(
            "{name} {state} {last} {least} {most} {warn} {inactive}\n"
        ));
    }
    if !found {
        process.complain(format_args!("user '{name}' does not exist"));
        return Ok(Status(1));
    }
    Ok(Status::OK)
}

const CHPASSWD: &[Known] = &[
    (b'e', "encrypted", Takes::Nothing),
    (b'c', "crypt-method", Takes::Value),
];

fn chpasswd(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, CHPASSWD)?;
    if !given.has("encrypted") {
        return Err(Stop::unsupported(
            "a password would be hashed with a random salt",
        ));
    }
    let input = process.stdin();
    let today = defs::today(process.machine);
    let mut shadow = Table::load(process.machine, SHADOW)?;
    let mut passwd = Table::load(process.machine, PASSWD)?;
    let mut failed = false;
    for (at, line) in input.lines().enumerate() {
        let Some((name, hash)) = line.split_once_str(":") else {
            process.complain(format_args!("line {}: missing new password", at + 1));
            failed = true;
            continue;
        };
        if let Some(mut row) = shadow.row(name) {
            row[1] = hash.into();
            row[2] = today.clone();
            shadow.set(&row);
        } else if let Some(mut row) = passwd.row(name) {
            row[1] = hash.into();
            passwd.set(&row);
        } else {
            let name = name.as_bstr();
            process.complain(format_args!(
                "line {}: user '{name}' does not exist",
                at + 1
            ));
            failed = true;
        }
    }
    if failed {
        process.complain("error detected, changes ignored");
        return Ok(Status::FAILED);
    }
    shadow.store(process.machine)?;
    passwd.store(process.machine)?;
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn locks_and_ages() {
        let mut m = machine();
        m.put("/etc/passwd", "u:x:1000:1000::/:/bin/sh\n", 0o644);
        m.put("/etc/shadow", "u:*:20412:0:99999:7:::\n", 0o640);
        assert_eq!(
            m.run(&["passwd", "-S", "u"]).out,
            "u L 2025-11-20 0 99999 7 -1\n"
        );
        assert_eq!(m.run(&["passwd", "-l", "u"]).status, 0);
        assert_eq!(m.text("/etc/shadow"), "u:!*:20412:0:99999:7:::\n");
        assert_eq!(m.run(&["passwd", "-u", "u"]).status, 0);
        assert_eq!(
            m.run(&["passwd", "-d", "-n", "3", "-i", "2", "-e", "u"])
                .status,
            0
        );
        assert_eq!(m.text("/etc/shadow"), "u::0:3:99999:7:2::\n");
        assert_eq!(m.run(&["passwd", "-dl", "u"]).status, 0);
        assert_eq!(m.run(&["passwd", "-u", "u"]).status, 3);
        assert_eq!(m.run(&["passwd", "-l", "nope"]).status, 1);
        m.run_with(&["passwd", "u"], "").unwrap_err();
    }

    #[test]
    fn hashes_are_taken() {
        let mut m = machine();
        m.put("/etc/passwd", "u:x:1000:1000::/:/bin/sh\n", 0o644);
        m.put("/etc/shadow", "u:*:1:0:99999:7:::\n", 0o640);
        let ran = m.run_with(&["chpasswd", "-e"], "u:$6$a$b\n").unwrap();
        assert_eq!(ran.status, 0);
        assert_eq!(m.text("/etc/shadow"), "u:$6$a$b:20412:0:99999:7:::\n");
        assert_eq!(m.run_with(&["chpasswd", "-e"], "v:x\n").unwrap().status, 1);
        m.run_with(&["chpasswd"], "u:secret\n").unwrap_err();
    }
}
