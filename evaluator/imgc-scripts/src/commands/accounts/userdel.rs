//! userdel(8).

use bstr::BString;

use super::defs::Defs;
use super::nss;
use super::options::{self, Known, Takes};
use super::table::{GROUP, GSHADOW, PASSWD, SHADOW, SUBGID, SUBUID, Table, join, list};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "userdel",
    origin: Origin::Essential,
    run: userdel,
}];

const OPTIONS: &[Known] = &[
    (b'f', "force", Takes::Nothing),
    (b'r', "remove", Takes::Nothing),
];

fn userdel(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status(2));
    };
    let defs = Defs::load(process.machine)?;
    let Some(user) = nss::user_named(process.machine, name)? else {
        process.complain(format_args!("user '{name}' does not exist"));
        return Ok(Status(6));
    };
    let machine = &mut *process.machine;
    for path in [PASSWD, SHADOW] {
        let mut table = Table::load(machine, path)?;
        table.remove(name);
        table.store(machine)?;
    }
    for path in [SUBUID, SUBGID] {
        let mut table = Table::load(machine, path)?;
        table.retain(|row| row[0] != *name);
        table.store(machine)?;
    }
    let mut group = Table::load(machine, GROUP)?;
    let mut gshadow = Table::load(machine, GSHADOW)?;
    let leave = |field: &mut BString| {
        let mut members = list(field);
        let before = members.len();
        members.retain(|member| member != name);
        *field = join(&members);
        before != members.len()
    };
    group.each(|row| leave(&mut row[3]));
    gshadow.each(|row| leave(&mut row[2]) | leave(&mut row[3]));
    if defs.yes("USERGROUPS_ENAB")
        && let Some(own) = group.row(name)
        && list(&own[3]).is_empty()
        && (given.has("force") || is_free(process, nss::number(&own[2]))?)
        && nss::number(&own[2]) == Some(user.gid)
    {
        group.remove(name);
        gshadow.remove(name);
    }
    let machine = &mut *process.machine;
    group.store(machine)?;
    gshadow.store(machine)?;
    if !given.has("remove") {
        return Ok(Status::OK);
    }
    let mail = format!("/var/mail/{name}");
    let spool = machine.files.unlink(mail.as_bytes()).is_ok();
    let home = &user.home;
    let owner = machine.files.stat(home, true).ok();
    match owner {
        None => process.complain(format_args!("{name} home directory ({home}) not found")),
        Some(stat) if stat.uid == user.uid || given.has("force") => {
            if machine.files.remove_all(home).is_err() {
                return Ok(Status(12));
            }
        }
        Some(_) => {
            process.complain(format_args!("{home} not owned by {name}, not removing"));
            return Ok(Status(12));
        }
    }
    if !spool {
        process.complain(format_args!("{name} mail spool ({mail}) not found"));
    }
    Ok(Status::OK)
}

/// Whether no user has the group as its own.
fn is_free(process: &mut Process<'_, '_>, gid: Option<u32>) -> Result<bool, crate::Stop> {
    let users = nss::users(process.machine)?;
    Ok(users.iter().all(|user| Some(user.gid) != gid))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn all_that_names_the_user_goes() {
        let mut m = machine();
        m.put("/etc/login.defs", "USERGROUPS_ENAB yes\n", 0o644);
        m.put(
            "/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n",
            0o644,
        );
        m.put("/etc/group", "audio:x:29:a,u\nu:x:1000:\n", 0o644);
        m.put("/etc/gshadow", "audio:*:u:a,u\nu:!::\n", 0o640);
        m.put("/etc/shadow", "u:!:1::::::\n", 0o640);
        m.put("/etc/subuid", "u:100000:65536\nv:1:2\n", 0o644);
        m.put("/home/u/x", "", 0o644);
        m.files.chown(b"/home/u", Some(1000), None, true).unwrap();
        assert_eq!(m.run(&["userdel", "-r", "u"]).status, 0);
        assert_eq!(m.text("/etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
        assert_eq!(m.text("/etc/group"), "audio:x:29:a\n");
        assert_eq!(m.text("/etc/gshadow"), "audio:*::a\n");
        assert_eq!(m.text("/etc/shadow"), "");
        assert_eq!(m.text("/etc/subuid"), "v:1:2\n");
        assert!(!m.files.exists(b"/home/u"));
        assert_eq!(m.run(&["userdel", "u"]).status, 6);
    }
}
