//! getent(1), for what the files of `/etc` answer.

use bstr::{BString, ByteSlice as _};

use super::nss;
use super::options::{self, Known, Takes};
use super::table::{GROUP, GSHADOW, PASSWD, Row, SHADOW, Table, list};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "getent",
    origin: Origin::Essential,
    run: getent,
}];

const OPTIONS: &[Known] = &[
    (b'i', "no-idn", Takes::Nothing),
    (b's', "service", Takes::Value),
];

fn getent(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if given
        .value("service")
        .is_some_and(|service| service != "files")
    {
        return Err(Stop::unsupported("only the service files is known"));
    }
    let Some((database, keys)) = given.rest.split_first() else {
        process.complain("wrong number of arguments");
        return Ok(Status(1));
    };
    match database.as_slice() {
        b"passwd" => table(process, PASSWD, true, keys),
        b"group" => table(process, GROUP, true, keys),
        b"shadow" => table(process, SHADOW, false, keys),
        b"gshadow" => table(process, GSHADOW, false, keys),
        b"initgroups" => initgroups(process, keys),
        b"services" => names(process, "/etc/services", keys, 21),
        b"protocols" => names(process, "/etc/protocols", keys, 21),
        b"hosts" | b"ahosts" | b"ahostsv4" | b"ahostsv6" | b"aliases" | b"ethers" | b"netgroup"
        | b"networks" | b"rpc" => {
            let database = database.as_bstr();
            Err(Stop::unsupported(format!(
                "the database {database} is not known"
            )))
        }
        _ => {
            process.complain(format_args!("Unknown database: {database}"));
            Ok(Status(1))
        }
    }
}

fn table(
    process: &mut Process<'_, '_>,
    path: &'static str,
    numbered: bool,
    keys: &[BString],
) -> Outcome {
    let table = Table::load(process.machine, path)?;
    let show = |row: &Row| {
        let mut line = bstr::join(":", row);
        line.push(b'\n');
        line
    };
    if keys.is_empty() {
        let all: Vec<u8> = table.rows().flat_map(|row| show(&row)).collect();
        process.out(all);
        return Ok(Status::OK);
    }
    let mut status = Status::OK;
    for key in keys {
        let number = nss::number(key).filter(|_| numbered);
        let found = match number {
            Some(_) => table.rows().find(|row| nss::number(&row[2]) == number),
            None => table.row(key),
        };
        match found {
            Some(row) => process.out(show(&row)),
            None => status = Status(2),
        }
    }
    Ok(status)
}

fn initgroups(process: &mut Process<'_, '_>, keys: &[BString]) -> Outcome {
    let groups = Table::load(process.machine, GROUP)?;
    if keys.is_empty() {
        process.complain("initgroups needs a name");
        return Ok(Status(3));
    }
    for key in keys {
        let mut line = format!("{:<21}", key.to_str_lossy());
        for row in groups.rows().filter(|row| list(&row[3]).contains(key)) {
            line.push(' ');
            line.push_str(&row[2].to_str_lossy());
        }
        process.out(format!("{line}\n"));
    }
    Ok(Status::OK)
}

/// `/etc/services` and `/etc/protocols`: a name, a number, other names.
fn names(process: &mut Process<'_, '_>, path: &str, keys: &[BString], width: usize) -> Outcome {
    let bytes = process
        .machine
        .files
        .read(path.as_bytes())
        .unwrap_or_default();
    process.machine.spend(bytes.len() as u64 / 256)?;
    let mut entries: Vec<Vec<&str>> = Vec::new();
    for line in bytes.lines() {
        let line = line.to_str().unwrap_or_default();
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if words.len() > 1 {
            entries.push(words);
        }
    }
    let show = |words: &[&str]| {
        let mut line = format!("{:<width$} {}", words[0], words[1]);
        for word in &words[2..] {
            line.push(' ');
            line.push_str(word);
        }
        line.push('\n');
        line
    };
    if keys.is_empty() {
        let all: String = entries.iter().map(|words| show(words)).collect();
        process.out(all);
        return Ok(Status::OK);
    }
    let mut status = Status::OK;
    for key in keys {
        let text = key.to_str_lossy();
        let (name, protocol) = text.split_once('/').unwrap_or((&text, ""));
        let found = entries.iter().find(|words| {
            let (number, of) = words[1].split_once('/').unwrap_or((words[1], ""));
            let named = words[0] == name || words[2..].contains(&name) || number == name;
            named && (protocol.is_empty() || protocol == of)
        });
        match found {
            Some(words) => process.out(show(words)),
            None => status = Status(2),
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn answers_come_from_the_files() {
        let mut m = machine();
        m.put(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nu:x:7:7::/:/bin/sh\n",
            0o644,
        );
        m.put("/etc/group", "root:x:0:\nadm:x:4:u\n", 0o644);
        m.put(
            "/etc/services",
            "# s\nssh\t22/tcp\ndomain 53/udp dns\n",
            0o644,
        );
        let ran = m.run(&["getent", "passwd", "root", "7"]);
        let both = "root:x:0:0:root:/root:/bin/bash\nu:x:7:7::/:/bin/sh\n";
        assert_eq!((ran.status, &*ran.out), (0, both));
        assert_eq!(m.run(&["getent", "passwd"]).out, both);
        assert_eq!(m.run(&["getent", "group", "4"]).out, "adm:x:4:u\n");
        assert_eq!(m.run(&["getent", "group", "nope"]).status, 2);
        assert_eq!(m.run(&["getent", "nope"]).status, 1);
        assert_eq!(
            m.run(&["getent", "initgroups", "u"]).out,
            "u                     4\n"
        );
        let dns = "domain                53/udp dns\n";
        assert_eq!(m.run(&["getent", "services", "dns"]).out, dns);
        m.run_with(&["getent", "hosts", "localhost"], "")
            .unwrap_err();
    }
}
