//! groupadd(8), groupmod(8), groupdel(8).

use bstr::{BString, ByteSlice as _};

use super::defs::Defs;
use super::options::{self, Known, Takes};
use super::table::{GROUP, GSHADOW, PASSWD, Table, join, list};
use super::{ids, nss};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "groupadd",
        origin: Origin::Essential,
        run: groupadd,
    },
    Native {
        name: "groupmod",
        origin: Origin::Essential,
        run: groupmod,
    },
    Native {
        name: "groupdel",
        origin: Origin::Essential,
        run: groupdel,
    },
];

const ADD: &[Known] = &[
    (b'f', "force", Takes::Nothing),
    (b'g', "gid", Takes::Value),
    (b'K', "key", Takes::Value),
    (b'o', "non-unique", Takes::Nothing),
    (b'p', "password", Takes::Value),
    (b'r', "system", Takes::Nothing),
    (b'U', "users", Takes::Value),
];

fn groupadd(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, ADD)?;
    let mut defs = Defs::load(process.machine)?;
    for value in given.values("key") {
        defs.assign(value)?;
    }
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status(2));
    };
    let mut wanted = match given.value("gid") {
        Some(text) => match nss::number(text) {
            Some(gid) if gid != u32::MAX => Some(gid),
            _ => return refuse(process, 3, format_args!("invalid group ID '{text}'")),
        },
        None => None,
    };
    if !ids::is_group_name(name, defs.old) {
        return refuse(
            process,
            3,
            format_args!("'{name}' is not a valid group name"),
        );
    }
    if nss::group_named(process.machine, name)?.is_some() {
        if given.has("force") {
            return Ok(Status::OK);
        }
        return refuse(process, 9, format_args!("group '{name}' already exists"));
    }
    if let Some(gid) = wanted
        && !given.has("non-unique")
        && nss::group_numbered(process.machine, gid)?.is_some()
    {
        if !given.has("force") {
            return refuse(process, 4, format_args!("GID '{gid}' already exists"));
        }
        wanted = None;
    }
    let machine = &mut *process.machine;
    let gid = match wanted {
        Some(gid) => gid,
        None => {
            let kind = ids::Kind::Group;
            match ids::free(machine, &defs, kind, given.has("system"), None)? {
                Some(gid) => gid,
                None => return refuse(process, 4, format_args!("no more available GIDs")),
            }
        }
    };
    let members = given
        .value("users")
        .map_or_else(Vec::new, |users| list(users));
    for member in &members {
        if nss::user_named(process.machine, member)?.is_none() {
            return refuse(process, 6, format_args!("user '{member}' does not exist"));
        }
    }
    let machine = &mut *process.machine;
    let mut group = Table::load(machine, GROUP)?;
    let mut gshadow = Table::load(machine, GSHADOW)?;
    let password = given
        .value("password")
        .cloned()
        .unwrap_or_else(|| "!".into());
    let shown = if gshadow.is_there() {
        "x".into()
    } else {
        password.clone()
    };
    let all = join(&members);
    let secret = if defs.old {
        BString::default()
    } else {
        all.clone()
    };
    group.set(&vec![name.clone(), shown, gid.to_string().into(), all]);
    gshadow.set(&vec![name.clone(), password, BString::default(), secret]);
    group.store(machine)?;
    gshadow.store(machine)?;
    Ok(Status::OK)
}

const MOD: &[Known] = &[
    (b'a', "append", Takes::Nothing),
    (b'g', "gid", Takes::Value),
    (b'n', "new-name", Takes::Value),
    (b'o', "non-unique", Takes::Nothing),
    (b'p', "password", Takes::Value),
    (b'U', "users", Takes::Value),
];

fn groupmod(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, MOD)?;
    let defs = Defs::load(process.machine)?;
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status(2));
    };
    let Some(group) = nss::group_named(process.machine, name)? else {
        return refuse(process, 6, format_args!("group '{name}' does not exist"));
    };
    let mut gid = group.gid;
    if let Some(text) = given.value("gid") {
        let Some(new) = nss::number(text).filter(|gid| *gid != u32::MAX) else {
            return refuse(process, 3, format_args!("invalid group ID '{text}'"));
        };
        let taken = nss::group_numbered(process.machine, new)?;
        if new != gid && taken.is_some() && !given.has("non-unique") {
            return refuse(process, 4, format_args!("GID '{new}' already exists"));
        }
        gid = new;
    }
    let new = given.value("new-name").unwrap_or(name);
    if new != name {
        if !ids::is_group_name(new, defs.old) {
            return refuse(process, 3, format_args!("invalid group name '{new}'"));
        }
        if nss::group_named(process.machine, new)?.is_some() {
            return refuse(process, 9, format_args!("group '{new}' already exists"));
        }
    }
    let mut users = None;
    if let Some(text) = given.value("users") {
        let mut members = if given.has("append") {
            group.members
        } else {
            Vec::new()
        };
        for member in list(text) {
            if nss::user_named(process.machine, &member)?.is_none() {
                return refuse(process, 6, format_args!("user '{member}' does not exist"));
            }
            if !members.contains(&member) {
                members.push(member);
            }
        }
        users = Some(join(&members));
    }
    let machine = &mut *process.machine;
    let mut groups = Table::load(machine, GROUP)?;
    let mut gshadow = Table::load(machine, GSHADOW)?;
    let hidden = gshadow.has(name);
    for (table, is_group) in [(&mut groups, true), (&mut gshadow, false)] {
        let Some(mut row) = table.row(name) else {
            continue;
        };
        row[0] = new.clone();
        if is_group {
            row[2] = gid.to_string().into();
        }
        if let Some(password) = given.value("password")
            && is_group != hidden
        {
            row[1] = password.clone();
        }
        if let Some(users) = &users {
            row[3] = users.clone();
        }
        let before = table.row(name);
        if before.as_ref() != Some(&row) {
            table.set(&row);
            if new != name {
                table.remove(name);
            }
        }
    }
    groups.store(machine)?;
    gshadow.store(machine)?;
    if gid != group.gid {
        let mut passwd = Table::load(machine, PASSWD)?;
        let old = group.gid.to_string();
        passwd.each(|row| {
            let mine = row[3] == old.as_str();
            if mine {
                row[3] = gid.to_string().into();
            }
            mine
        });
        passwd.store(machine)?;
    }
    Ok(Status::OK)
}

const DEL: &[Known] = &[(b'f', "force", Takes::Nothing)];

fn groupdel(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, DEL)?;
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status(2));
    };
    let Some(group) = nss::group_named(process.machine, name)? else {
        return refuse(process, 6, format_args!("group '{name}' does not exist"));
    };
    let users = nss::users(process.machine)?;
    let user = users.iter().find(|user| user.gid == group.gid);
    if let Some(user) = user
        && !given.has("force")
    {
        let user = user.name.as_bstr();
        return refuse(
            process,
            8,
            format_args!("cannot remove the primary group of user '{user}'"),
        );
    }
    for path in [GROUP, GSHADOW] {
        let mut table = Table::load(process.machine, path)?;
        table.remove(name);
        table.store(process.machine)?;
    }
    Ok(Status::OK)
}

fn refuse(process: &mut Process<'_, '_>, status: u8, why: std::fmt::Arguments<'_>) -> Outcome {
    process.complain(why);
    Ok(Status(status))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn groups_come_change_and_go() {
        let mut m = machine();
        m.put(
            "/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nmail:x:8:8::/:/bin/sh\n",
            0o644,
        );
        m.put("/etc/group", "root:x:0:\nmail:x:8:\naudio:x:29:\n", 0o644);
        m.put("/etc/gshadow", "root:*::\nmail:*::\naudio:*::\n", 0o640);
        assert_eq!(m.run(&["groupadd", "--system", "g1"]).status, 0);
        assert_eq!(m.run(&["groupadd", "-f", "g1"]).status, 0);
        assert_eq!(m.run(&["groupadd", "g1"]).status, 9);
        assert_eq!(m.run(&["groupadd", "-g", "29", "g2"]).status, 4);
        assert_eq!(m.run(&["groupadd", "-f", "-g", "29", "g2"]).status, 0);
        assert_eq!(m.run(&["groupmod", "-n", "sound", "audio"]).status, 0);
        assert_eq!(m.run(&["groupmod", "-g", "80", "mail"]).status, 0);
        assert_eq!(m.run(&["groupdel", "mail"]).status, 8);
        assert_eq!(m.run(&["groupdel", "g1"]).status, 0);
        assert_eq!(
            m.text("/etc/group"),
            "root:x:0:\nmail:x:80:\ng2:x:1000:\nsound:x:29:\n"
        );
        assert_eq!(
            m.text("/etc/gshadow"),
            "root:*::\nmail:*::\ng2:!::\nsound:*::\n"
        );
        assert!(m.text("/etc/passwd").contains("mail:x:8:80:"));
    }
}
