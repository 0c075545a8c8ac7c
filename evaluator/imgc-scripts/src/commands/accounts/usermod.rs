//! usermod(8).

use bstr::{BString, ByteSlice as _};

use super::defs::{self, Defs};
use super::fields::day;
use super::nss::{self, User};
use super::options::{self, Given, Known, Takes};
use super::table::{GROUP, GSHADOW, PASSWD, Row, SHADOW, SUBGID, SUBUID, Table, join, list};
use super::{home, ids};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "usermod",
    origin: Origin::Essential,
    run: usermod,
}];

const OPTIONS: &[Known] = &[
    (b'a', "append", Takes::Nothing),
    (b'b', "badname", Takes::Nothing),
    (b'c', "comment", Takes::Value),
    (b'd', "home", Takes::Value),
    (b'e', "expiredate", Takes::Value),
    (b'f', "inactive", Takes::Value),
    (b'g', "gid", Takes::Value),
    (b'G', "groups", Takes::Value),
    (b'l', "login", Takes::Value),
    (b'L', "lock", Takes::Nothing),
    (b'm', "move-home", Takes::Nothing),
    (b'o', "non-unique", Takes::Nothing),
    (b'p', "password", Takes::Value),
    (b'r', "remove", Takes::Nothing),
    (b's', "shell", Takes::Value),
    (b'u', "uid", Takes::Value),
    (b'U', "unlock", Takes::Nothing),
    (b'v', "add-subuids", Takes::Value),
    (b'w', "add-subgids", Takes::Value),
];

fn usermod(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    let defs = Defs::load(process.machine)?;
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status(2));
    };
    let Some(user) = nss::user_named(process.machine, name)? else {
        process.complain(format_args!("user '{name}' does not exist"));
        return Ok(Status(6));
    };
    let new = match changed(process, &given, &defs, &user)? {
        Ok(new) => new,
        Err(status) => return Ok(status),
    };
    let mut groups = None;
    if let Some(text) = given.value("groups") {
        let mut names = Vec::new();
        for text in list(text) {
            match nss::group_of(process.machine, &text)? {
                Some(group) => names.push(group.name),
                None => {
                    process.complain(format_args!("group '{text}' does not exist"));
                    return Ok(Status(6));
                }
            }
        }
        groups = Some(names);
    }
    store_user(process, &given, &user, &new)?;
    store_groups(process, &given, &user.name, &new.name, groups.as_deref())?;
    for (path, option) in [(SUBUID, "add-subuids"), (SUBGID, "add-subgids")] {
        if let Some(range) = given.value(option) {
            add_range(process, path, &new.name, range)?;
        }
    }
    move_home(process, &given, &user, &new)
}

/// The user as the options want it; a status where they can't be.
fn changed(
    process: &mut Process<'_, '_>,
    given: &Given,
    defs: &Defs,
    user: &User,
) -> Result<Result<User, Status>, Stop> {
    macro_rules! fail {
        ($status:expr, $($text:tt)*) => {{
            process.complain(format_args!($($text)*));
            return Ok(Err(Status($status)));
        }};
    }
    let mut new = user.clone();
    if let Some(text) = given.value("uid") {
        let Some(uid) = nss::number(text).filter(|uid| *uid != u32::MAX) else {
            fail!(3, "invalid user ID '{text}'");
        };
        let taken = nss::user_numbered(process.machine, uid)?.is_some();
        if uid != user.uid && taken && !given.has("non-unique") {
            fail!(4, "UID '{uid}' already exists");
        }
        new.uid = uid;
    }
    if let Some(text) = given.value("gid") {
        match nss::group_of(process.machine, text)? {
            Some(group) => new.gid = group.gid,
            None => fail!(6, "group '{text}' does not exist"),
        }
    }
    if let Some(text) = given.value("login")
        && *text != user.name
    {
        if !given.has("badname") && !ids::is_user_name(text, defs.old) {
            fail!(3, "invalid user name '{text}'");
        }
        if nss::user_named(process.machine, text)?.is_some() {
            fail!(9, "user '{text}' already exists");
        }
        new.name = text.clone();
    }
    if let Some(text) = given.value("comment") {
        new.comment = text.clone();
    }
    if let Some(text) = given.value("home") {
        new.home = text.clone();
    }
    if let Some(text) = given.value("shell") {
        if !(text.is_empty() || text.starts_with(b"/")) {
            fail!(3, "invalid shell '{text}'");
        }
        new.shell = text.clone();
    }
    for field in [&new.comment, &new.home, &new.shell] {
        if field.find_byteset(b":\n").is_some() {
            fail!(3, "invalid field '{field}'");
        }
    }
    if given
        .value("expiredate")
        .is_some_and(|text| day(text).is_none())
    {
        fail!(3, "invalid date");
    }
    Ok(Ok(new))
}

fn store_user(
    process: &mut Process<'_, '_>,
    given: &Given,
    user: &User,
    new: &User,
) -> Result<(), Stop> {
    let mut unlocks_nothing = false;
    let mut password = |row: &mut Row| {
        if let Some(text) = given.value("password") {
            row[1] = text.clone();
        } else if given.has("lock") && !row[1].starts_with(b"!") {
            row[1].insert(0, b'!');
        } else if given.has("unlock") && row[1].starts_with(b"!") {
            if row[1].len() == 1 {
                unlocks_nothing = true;
            } else {
                row[1].remove(0);
            }
        }
    };
    let machine = &mut *process.machine;
    let mut passwd = Table::load(machine, PASSWD)?;
    let mut shadow = Table::load(machine, SHADOW)?;
    let today = defs::today(machine);
    let mut hidden = false;
    if let Some(mut row) = shadow.row(&user.name) {
        hidden = true;
        let before = row.clone();
        row[0] = new.name.clone();
        password(&mut row);
        if given.value("password").is_some() {
            row[2] = today;
        }
        if let Some(text) = given.value("expiredate") {
            row[7] = day(text).unwrap_or_default();
        }
        if let Some(text) = given.value("inactive") {
            row[6] = if text == "-1" {
                BString::default()
            } else {
                text.clone()
            };
        }
        replace(&mut shadow, &before, &row);
    }
    if let Some(mut row) = passwd.row(&user.name) {
        let before = row.clone();
        if !hidden {
            password(&mut row);
        }
        row[0] = new.name.clone();
        row[2] = new.uid.to_string().into();
        row[3] = new.gid.to_string().into();
        row[4] = new.comment.clone();
        row[5] = new.home.clone();
        row[6] = new.shell.clone();
        replace(&mut passwd, &before, &row);
    }
    passwd.store(machine)?;
    shadow.store(machine)?;
    if unlocks_nothing {
        process.complain("without its lock the account would have no password");
    }
    Ok(())
}

/// Puts a row in the place of another: one with a new name goes to the end.
fn replace(table: &mut Table, before: &Row, after: &Row) {
    if before == after {
        return;
    }
    table.set(after);
    if before[0] != after[0] {
        table.remove(&before[0]);
    }
}

fn store_groups(
    process: &mut Process<'_, '_>,
    given: &Given,
    old: &BString,
    new: &BString,
    wanted: Option<&[BString]>,
) -> Result<(), Stop> {
    for path in [GROUP, GSHADOW] {
        let mut table = Table::load(process.machine, path)?;
        table.each(|row| {
            let before = row.clone();
            let is_in = |names: &BString, name| list(names).contains(name);
            let mut members = list(&row[3]);
            let was = is_in(&row[3], old);
            let named = wanted.is_some_and(|names| names.contains(&row[0]));
            let is = match wanted {
                None => was,
                Some(_) if given.has("remove") => was && !named,
                Some(_) if given.has("append") => was || named,
                Some(_) => named,
            };
            if was && (!is || old != new) {
                members.retain(|member| member != old);
            }
            if is && !members.contains(new) {
                members.push(new.clone());
            }
            row[3] = join(&members);
            if path == GSHADOW && old != new && is_in(&row[2], old) {
                let mut admins = list(&row[2]);
                admins.retain(|admin| admin != old);
                admins.push(new.clone());
                row[2] = join(&admins);
            }
            before != *row
        });
        table.store(process.machine)?;
    }
    Ok(())
}

fn add_range(
    process: &mut Process<'_, '_>,
    path: &'static str,
    name: &BString,
    range: &BString,
) -> Result<(), Stop> {
    let bounds = range.split_once_str("-").and_then(|(first, last)| {
        let (first, last) = (nss::number(first)?, nss::number(last)?);
        Some((first, u64::from(last).checked_sub(u64::from(first))? + 1))
    });
    let Some((first, count)) = bounds else {
        return Err(Stop::unsupported(format!("{range} is no range of numbers")));
    };
    let mut table = Table::load(process.machine, path)?;
    table.push(&vec![
        name.clone(),
        first.to_string().into(),
        count.to_string().into(),
    ]);
    table.store(process.machine)
}

fn move_home(process: &mut Process<'_, '_>, given: &Given, user: &User, new: &User) -> Outcome {
    let files = &mut process.machine.files;
    let mut at = user.home.clone();
    if given.has("move-home") && new.home != user.home && files.is_directory(&user.home) {
        if files.exists(&new.home) {
            process.complain(format_args!("directory {} exists", new.home));
            return Ok(Status(12));
        }
        let to = BString::from(new.home.trim_end_with(|c| c == '/'));
        if files.rename(&user.home, &to).is_err() {
            return Ok(Status(12));
        }
        at = to;
    }
    let mail = |name: &BString| BString::from([b"/var/mail/", name.as_slice()].concat());
    if files.is_file(&mail(&user.name)) {
        if user.name != new.name && files.rename(&mail(&user.name), &mail(&new.name)).is_err() {
            return Ok(Status::FAILED);
        }
        let owned = files.stat(&mail(&new.name), false);
        if user.uid != new.uid && owned.is_ok_and(|stat| stat.uid == user.uid) {
            let _ = files.chown(&mail(&new.name), Some(new.uid), None, true);
        }
    }
    let (old, now) = ((user.uid, user.gid), (new.uid, new.gid));
    if old != now {
        let owned = files.stat(&at, true);
        if owned.is_ok_and(|stat| stat.uid == user.uid && stat.kind == b'd') {
            home::change_owner(process.machine, &at, old, now)?;
        }
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn a_user_changes() {
        let mut m = machine();
        let line = "u:x:1000:1000::/home/u:/bin/sh\n";
        m.put(
            "/etc/passwd",
            &format!("{line}v:x:1001:1001::/home/v:/bin/sh\n"),
            0o644,
        );
        m.put(
            "/etc/group",
            "audio:x:29:a,u\nvideo:x:44:\nu:x:1000:\n",
            0o644,
        );
        m.put("/etc/gshadow", "audio:*::a,u\nvideo:*::\nu:!::\n", 0o640);
        m.put("/etc/shadow", "u:!:1:0:99999:7:::\nv:*:1::::::\n", 0o640);
        assert_eq!(m.run(&["usermod", "-aG", "video", "u"]).status, 0);
        assert_eq!(
            m.text("/etc/group"),
            "audio:x:29:a,u\nvideo:x:44:u\nu:x:1000:\n"
        );
        assert_eq!(m.run(&["usermod", "-G", "video", "u"]).status, 0);
        assert_eq!(m.text("/etc/gshadow"), "audio:*::a\nvideo:*::u\nu:!::\n");
        assert_eq!(
            m.run(&["usermod", "-c", "C", "-d", "/h", "-s", "/bin/bash", "u"])
                .status,
            0
        );
        assert!(
            m.text("/etc/passwd")
                .starts_with("u:x:1000:1000:C:/h:/bin/bash\n")
        );
        assert_eq!(m.run(&["usermod", "-l", "w", "u"]).status, 0);
        assert!(
            m.text("/etc/passwd")
                .ends_with("\nw:x:1000:1000:C:/h:/bin/bash\n")
        );
        assert_eq!(m.text("/etc/shadow"), "v:*:1::::::\nw:!:1:0:99999:7:::\n");
        assert!(m.text("/etc/group").contains("video:x:44:w\n"));
        assert_eq!(m.run(&["usermod", "-L", "-e", "1970-01-02", "v"]).status, 0);
        assert!(m.text("/etc/shadow").starts_with("v:!*:1:::::1:\n"));
        assert_eq!(m.run(&["usermod", "-U", "-e", "", "v"]).status, 0);
        assert!(m.text("/etc/shadow").starts_with("v:*:1::::::\n"));
        assert_eq!(m.run(&["usermod", "-s", "/bin/sh", "nope"]).status, 6);
        assert_eq!(m.run(&["usermod", "-u", "1000", "v"]).status, 4);
    }
}
