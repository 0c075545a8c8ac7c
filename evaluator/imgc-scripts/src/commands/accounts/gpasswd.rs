//! gpasswd(1).

use bstr::BString;

use super::nss;
use super::options::{self, Known, Takes};
use super::table::{GROUP, GSHADOW, Table, join, list};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "gpasswd",
    origin: Origin::Essential,
    run: gpasswd,
}];

const OPTIONS: &[Known] = &[
    (b'a', "add", Takes::Value),
    (b'd', "delete", Takes::Value),
    (b'A', "administrators", Takes::Value),
    (b'M', "members", Takes::Value),
    (b'r', "delete-password", Takes::Nothing),
    (b'r', "remove-password", Takes::Nothing),
    (b'R', "restrict", Takes::Nothing),
];

fn gpasswd(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    let [name] = given.rest.as_slice() else {
        process.complain("one group is needed");
        return Ok(Status(2));
    };
    if given.options.is_empty() {
        return Err(Stop::unsupported("gpasswd without options asks"));
    }
    let named = ["add", "administrators", "members"];
    for user in named.iter().filter_map(|option| given.value(option)) {
        for user in list(user) {
            if nss::user_named(process.machine, &user)?.is_none() {
                process.complain(format_args!("user '{user}' does not exist"));
                return Ok(Status(3));
            }
        }
    }
    let mut groups = Table::load(process.machine, GROUP)?;
    let mut gshadow = Table::load(process.machine, GSHADOW)?;
    let Some(mut group) = groups.row(name) else {
        process.complain(format_args!("group '{name}' does not exist in /etc/group"));
        return Ok(Status(3));
    };
    let mut secret = gshadow.row(name).unwrap_or_else(|| {
        vec![
            name.clone(),
            group[1].clone(),
            BString::default(),
            group[3].clone(),
        ]
    });
    if let Some(user) = given.value("add") {
        process.out(format!("Adding user {user} to group {name}\n"));
        for field in [&mut group[3], &mut secret[3]] {
            let mut members = list(field);
            if !members.contains(user) {
                members.push(user.clone());
            }
            *field = join(&members);
        }
    } else if let Some(user) = given.value("delete") {
        process.out(format!("Removing user {user} from group {name}\n"));
        let mut found = false;
        for field in [&mut group[3], &mut secret[3]] {
            let mut members = list(field);
            found |= members.contains(user);
            members.retain(|member| member != user);
            *field = join(&members);
        }
        if !found {
            process.complain(format_args!("user '{user}' is not a member of '{name}'"));
            return Ok(Status(3));
        }
    }
    if let Some(members) = given.value("members") {
        let members = join(&list(members));
        group[3] = members.clone();
        secret[3] = members;
    }
    if let Some(admins) = given.value("administrators") {
        if !gshadow.is_there() {
            process.complain("shadow group passwords required for -A");
            return Ok(Status(2));
        }
        secret[2] = join(&list(admins));
    }
    if given.has("delete-password") || given.has("remove-password") {
        secret[1] = BString::default();
    } else if given.has("restrict") {
        secret[1] = "!".into();
    }
    group[1] = if gshadow.is_there() {
        "x".into()
    } else {
        secret[1].clone()
    };
    groups.set(&group);
    gshadow.set(&secret);
    groups.store(process.machine)?;
    gshadow.store(process.machine)?;
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn members() {
        let mut m = machine();
        m.put(
            "/etc/passwd",
            "root:x:0:0::/:/bin/sh\nmail:x:8:8::/:/bin/sh\n",
            0o644,
        );
        m.put("/etc/group", "audio:x:29:\n", 0o644);
        m.put("/etc/gshadow", "audio:*::\n", 0o640);
        let ran = m.run(&["gpasswd", "-a", "mail", "audio"]);
        assert_eq!(
            (ran.status, &*ran.out),
            (0, "Adding user mail to group audio\n")
        );
        assert_eq!(m.text("/etc/group"), "audio:x:29:mail\n");
        assert_eq!(m.run(&["gpasswd", "-M", "root,mail", "audio"]).status, 0);
        assert_eq!(m.run(&["gpasswd", "-d", "root", "audio"]).status, 0);
        assert_eq!(m.run(&["gpasswd", "-A", "root", "audio"]).status, 0);
        assert_eq!(m.text("/etc/gshadow"), "audio:*:root:mail\n");
        assert_eq!(m.run(&["gpasswd", "-d", "root", "audio"]).status, 3);
        assert_eq!(m.run(&["gpasswd", "-a", "nope", "audio"]).status, 3);
    }
}
