//! pwconv(8), grpconv, pwunconv, grpunconv; pwck(8) and grpck(8) where nothing has to be
//! asked.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice as _};

use super::defs::{self, Defs};
use super::options::{self, Known, Takes};
use super::table::{GROUP, GSHADOW, PASSWD, SHADOW, Table, list};
use super::{ids, nss};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[
    native("pwconv", |process| convert(process, true)),
    native("grpconv", |process| convert(process, false)),
    native("pwunconv", |process| revert(process, true)),
    native("grpunconv", |process| revert(process, false)),
    native("pwck", |process| check(process, true)),
    native("grpck", |process| check(process, false)),
];

const fn native(name: &'static str, run: fn(&mut Process<'_, '_>) -> Outcome) -> Native {
    Native {
        name,
        origin: Origin::Essential,
        run,
    }
}

fn convert(process: &mut Process<'_, '_>, users: bool) -> Outcome {
    options::parse(process, &[])?;
    let machine = &mut *process.machine;
    let defs = Defs::load(machine)?;
    let (open, hidden) = if users {
        (PASSWD, SHADOW)
    } else {
        (GROUP, GSHADOW)
    };
    let mut table = Table::load(machine, open)?;
    let mut secrets = Table::load(machine, hidden)?;
    if !secrets.is_there() {
        secrets.make();
    }
    let mut today = defs::today(machine);
    if today == "-1" {
        today = BString::default();
    }
    secrets.retain(|row| table.has(&row[0]));
    let age = |name: &str| {
        let days = defs.number(name).filter(|days| *days >= 0);
        days.map_or_else(BString::default, |days| days.to_string().into())
    };
    table.each(|row| {
        let known = secrets.row(&row[0]);
        let is_hidden = row[1] == "x";
        let mut secret = match &known {
            Some(known) => known.clone(),
            None if users => vec![
                row[0].clone(),
                BString::default(),
                BString::default(),
                age("PASS_MIN_DAYS"),
                age("PASS_MAX_DAYS"),
                age("PASS_WARN_AGE"),
                BString::default(),
                BString::default(),
                BString::default(),
            ],
            None => vec![
                row[0].clone(),
                BString::default(),
                BString::default(),
                row[3].clone(),
            ],
        };
        if users && is_hidden && known.is_some() {
            return false;
        }
        if !is_hidden || known.is_none() {
            secret[1] = row[1].clone();
            if users {
                secret[2] = today.clone();
            }
        }
        if !users {
            secret[3] = row[3].clone();
        }
        if known.as_ref() != Some(&secret) {
            secrets.set(&secret);
        }
        row[1] = "x".into();
        !is_hidden
    });
    table.store(machine)?;
    secrets.store(machine)?;
    Ok(Status::OK)
}

fn revert(process: &mut Process<'_, '_>, users: bool) -> Outcome {
    options::parse(process, &[])?;
    let machine = &mut *process.machine;
    let (open, hidden) = if users {
        (PASSWD, SHADOW)
    } else {
        (GROUP, GSHADOW)
    };
    let secrets = Table::load(machine, hidden)?;
    if !secrets.is_there() {
        return Ok(Status::OK);
    }
    let mut table = Table::load(machine, open)?;
    table.each(|row| match secrets.row(&row[0]) {
        Some(secret) => {
            row[1] = secret[1].clone();
            true
        }
        None => false,
    });
    table.store(machine)?;
    let removed = machine.files.unlink(hidden.as_bytes());
    removed.map_err(|error| Stop::unsupported(format!("{hidden}: {error}")))?;
    Ok(Status::OK)
}

const CHECK: &[Known] = &[
    (0, "badname", Takes::Nothing),
    (b'q', "quiet", Takes::Nothing),
    (b'r', "read-only", Takes::Nothing),
    (b's', "sort", Takes::Nothing),
    (b'S', "silence-warnings", Takes::Nothing),
];

fn check(process: &mut Process<'_, '_>, users: bool) -> Outcome {
    let given = options::parse(process, CHECK)?;
    if !given.rest.is_empty() {
        return Err(Stop::unsupported("only the files of /etc are checked"));
    }
    let machine = &mut *process.machine;
    let (open, hidden) = if users {
        (PASSWD, SHADOW)
    } else {
        (GROUP, GSHADOW)
    };
    let mut table = Table::load(machine, open)?;
    let mut secrets = Table::load(machine, hidden)?;
    if given.has("sort") {
        table.sort(|row| nss::number(&row[2]));
        let order: Vec<BString> = table.rows().map(|row| row[0].clone()).collect();
        let place = |name: &BString| order.iter().position(|other| other == name);
        secrets.sort(|row| place(&row[0]).unwrap_or(usize::MAX));
        table.store(machine)?;
        secrets.store(machine)?;
        return Ok(Status::OK);
    }
    let badname = given.has("badname");
    let mut found = problems(process, users, badname, &table, &secrets)?;
    for path in [open, hidden] {
        let bytes = process
            .machine
            .files
            .read(path.as_bytes())
            .unwrap_or_default();
        let columns = if path == PASSWD {
            7
        } else if path == SHADOW {
            9
        } else {
            4
        };
        for line in bytes.lines() {
            let nis = line.starts_with(b"+") || line.starts_with(b"-");
            if !nis && line.split_str(":").count() != columns {
                found.push(format!("invalid line '{}'", line.as_bstr()));
            }
        }
    }
    if users && !given.has("quiet") {
        for user in nss::users(process.machine)? {
            let home = user.home.as_bstr();
            if home != "/nonexistent" && !process.machine.files.exists(home) {
                process.out(format!(
                    "user '{}': directory '{home}' does not exist\n",
                    user.name
                ));
            }
        }
    }
    if found.is_empty() {
        return Ok(Status::OK);
    }
    for problem in &found {
        process.out(format!("{problem}\n"));
    }
    if !given.has("read-only") {
        return Err(Stop::unsupported(format!("it would ask: {}", found[0])));
    }
    process.complain("no changes");
    Ok(Status(2))
}

fn problems(
    process: &mut Process<'_, '_>,
    users: bool,
    badname: bool,
    table: &Table,
    secrets: &Table,
) -> Result<Vec<String>, Stop> {
    let old = defs::is_old(process.machine);
    let groups = nss::groups(process.machine)?;
    let everyone = nss::users(process.machine)?;
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for row in table.rows() {
        let name = &row[0];
        if !seen.insert(name.clone()) {
            found.push(format!("duplicate entry '{name}'"));
        }
        let fine = if users {
            ids::is_user_name
        } else {
            ids::is_group_name
        };
        if !badname && !fine(name, old) {
            found.push(format!("invalid name '{name}'"));
        }
        if users {
            let gid = nss::number(&row[3]);
            if !groups.iter().any(|group| Some(group.gid) == gid) {
                found.push(format!("user '{name}': no group {}", row[3]));
            }
        } else {
            for member in list(&row[3]) {
                if !everyone.iter().any(|user| user.name == member) {
                    found.push(format!("group '{name}': no user '{member}'"));
                }
            }
        }
        if secrets.is_there() && row[1] == "x" && !secrets.has(name) {
            found.push(format!("no entry for '{name}' among the secrets"));
        }
    }
    let mut seen = BTreeSet::new();
    for row in secrets.rows() {
        if !seen.insert(row[0].clone()) {
            found.push(format!("duplicate secret of '{}'", row[0]));
        }
        if !table.has(&row[0]) {
            found.push(format!("no entry for the secret of '{}'", row[0]));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn secrets_move_and_return() {
        let mut m = machine();
        m.put(
            "/etc/login.defs",
            "PASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\n",
            0o644,
        );
        m.put("/etc/passwd", "root:*:0:0:root:/root:/bin/sh\n", 0o644);
        m.put("/etc/group", "root:*:0:\n", 0o644);
        for command in [
            &["pwck", "-q", "-r"][..],
            &["grpck", "-r"],
            &["pwconv"],
            &["grpconv"],
        ] {
            assert_eq!(m.run(command).status, 0, "{command:?}");
        }
        assert_eq!(m.text("/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
        assert_eq!(m.text("/etc/shadow"), "root:*:20412:0:99999:7:::\n");
        assert_eq!(m.text("/etc/group"), "root:x:0:\n");
        assert_eq!(m.text("/etc/gshadow"), "root:*::\n");
        assert_eq!(m.files.stat(b"/etc/shadow", true).unwrap().mode, 0o440);
        assert_eq!(m.run(&["pwunconv"]).status, 0);
        assert_eq!(m.text("/etc/passwd"), "root:*:0:0:root:/root:/bin/sh\n");
        assert!(!m.files.exists(b"/etc/shadow"));
    }

    #[test]
    fn what_is_wrong_is_found() {
        let mut m = machine();
        m.put("/etc/passwd", "u:x:5:77::/:/bin/sh\n", 0o644);
        m.put("/etc/group", "root:x:0:nobody\n", 0o644);
        assert_eq!(m.run(&["pwck", "-qr"]).status, 2);
        assert_eq!(m.run(&["grpck", "-r"]).status, 2);
        m.run_with(&["pwck"], "").unwrap_err();
    }
}
