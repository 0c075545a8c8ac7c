//! systemd-sysusers(8): users and groups from `sysusers.d`.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice as _};

use super::{specifiers, units};
use crate::commands::accounts::nss::{self, number};
use crate::commands::accounts::options::{self, Known, Takes};
use crate::commands::accounts::table::{GROUP, GSHADOW, PASSWD, SHADOW, Table, join, list, row};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "systemd-sysusers",
    origin: Origin::Package,
    run: sysusers,
}];

const OPTIONS: &[Known] = &[
    (0, "root", Takes::Value),
    (0, "inline", Takes::Nothing),
    (0, "no-pager", Takes::Nothing),
    (0, "dry-run", Takes::Nothing),
];

/// Numbers for accounts without one are below this, from above.
const MOST: u32 = 999;

/// A user or a group that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Item {
    name: BString,
    uid: Option<u32>,
    gid: Option<u32>,
    /// The group that a user is to have.
    group: Option<BString>,
    /// A file whose owner gives the numbers.
    path: Option<BString>,
    /// Whether user and group may have numbers that others have as the other kind.
    strict: bool,
    locked: bool,
    comment: BString,
    home: BString,
    shell: BString,
    /// Whether it is to be added.
    new: bool,
}

#[derive(Debug, Default)]
struct Wanted {
    users: Vec<Item>,
    groups: Vec<Item>,
    /// Groups, with the users that are to be members.
    members: Vec<(BString, BTreeSet<BString>)>,
    ranges: Vec<(u32, u32)>,
}

/// The numbers and names that are taken.
#[derive(Debug, Default)]
struct Taken {
    users: Vec<(BString, u32)>,
    groups: Vec<(BString, u32)>,
    /// The number that was tried last.
    next: Option<u32>,
}

fn sysusers(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if given
        .value("root")
        .is_some_and(|root| !matches!(root.as_slice(), b"/" | b""))
    {
        return Err(Stop::unsupported("only --root=/ is known"));
    }
    let texts = if given.has("inline") {
        given.rest.iter().map(|line| line.to_vec()).collect()
    } else {
        match specifiers::files(process, "sysusers", &given.rest)? {
            Ok(texts) => texts,
            Err(name) => {
                process.complain(format_args!(
                    "Failed to open '{name}': No such file or directory"
                ));
                return Ok(Status(1));
            }
        }
    };
    let mut wanted = Wanted::default();
    let mut wrong = false;
    for text in texts {
        for line in text.lines() {
            let line = line.trim_ascii();
            if !line.is_empty() && !line.starts_with(b"#") {
                wrong |= !read(process, &mut wanted, line)?;
            }
        }
    }
    if wrong {
        return Ok(Status(1));
    }
    implied(&mut wanted);
    let mut taken = Taken::default();
    let users = nss::users(process.machine)?;
    taken.users = users
        .into_iter()
        .map(|user| (user.name, user.uid))
        .collect();
    let groups = nss::groups(process.machine)?;
    taken.groups = groups
        .into_iter()
        .map(|group| (group.name, group.gid))
        .collect();
    if !choose(process, &mut wanted, &mut taken)? {
        return Ok(Status(1));
    }
    if !given.has("dry-run") {
        write(process, &wanted)?;
    }
    Ok(Status::OK)
}

/// Reads a line. Says whether it is right.
fn read(process: &mut Process<'_, '_>, wanted: &mut Wanted, line: &[u8]) -> Result<bool, Stop> {
    let (fields, rest) = specifiers::fields(line, 6);
    let mut resolved = Vec::new();
    for field in &fields {
        match specifiers::resolve(process.machine, field)? {
            Some(field) => resolved.push(if field == "-" {
                BString::default()
            } else {
                field
            }),
            None => return Err(Stop::unsupported(format!("{field} is not known yet"))),
        }
    }
    resolved.resize(6, BString::default());
    let [kind, name, id, comment, home, shell] = <[BString; 6]>::try_from(resolved)
        .map_err(|_| Stop::unsupported("a line has too many fields"))?;
    let mut item = Item {
        name: name.clone(),
        comment,
        home,
        shell,
        locked: kind == "u!",
        ..Item::default()
    };
    let refuse = |process: &mut Process<'_, '_>| {
        process.complain(format_args!("'{}' can't be understood", line.as_bstr()));
        Ok(false)
    };
    match kind.as_slice() {
        _ if !rest.is_empty() => return refuse(process),
        b"u!" if units::version(process.machine) < 257 => return refuse(process),
        b"u" | b"u!" => {
            if id.starts_with(b"/") {
                item.path = Some(id);
            } else if let Some((uid, group)) = id.split_once_str(":") {
                item.uid = number(uid);
                match number(group) {
                    Some(gid) => item.gid = Some(gid),
                    None => item.group = Some(group.into()),
                }
                item.strict = true;
                if item.uid.is_none() && uid != b"-" {
                    return refuse(process);
                }
            } else if !id.is_empty() {
                item.uid = number(&id);
                if item.uid.is_none() {
                    return refuse(process);
                }
            }
            if !wanted.users.iter().any(|other| other.name == name) {
                wanted.users.push(item);
            }
        }
        b"g" => {
            if id.starts_with(b"/") {
                item.path = Some(id);
            } else if !id.is_empty() {
                item.gid = number(&id);
                if item.gid.is_none() {
                    return refuse(process);
                }
            }
            if !wanted.groups.iter().any(|other| other.name == name) {
                wanted.groups.push(item);
            }
        }
        b"m" => match wanted.members.iter_mut().find(|(group, _)| *group == id) {
            Some((_, users)) => {
                users.insert(name);
            }
            None => wanted.members.push((id, BTreeSet::from([name]))),
        },
        b"r" => {
            let text = id.to_str_lossy();
            let (first, last) = text.split_once('-').unwrap_or((&text, &text));
            match (number(first.as_bytes()), number(last.as_bytes())) {
                (Some(first), Some(last)) => wanted.ranges.push((first, last)),
                _ => return refuse(process),
            }
        }
        _ => return refuse(process),
    }
    Ok(true)
}

/// Adds users and groups that only a line of membership names.
fn implied(wanted: &mut Wanted) {
    for (group, users) in &wanted.members {
        let named = |name: &BString| Item {
            name: name.clone(),
            ..Item::default()
        };
        for user in users {
            if !wanted.users.iter().any(|item| item.name == *user) {
                wanted.users.push(named(user));
            }
        }
        let both = wanted.users.iter().chain(&wanted.groups);
        if !both.into_iter().any(|item| item.name == *group) {
            wanted.groups.push(named(group));
        }
    }
}

/// Chooses the numbers: for groups, then for users. Says whether there are enough.
fn choose(
    process: &mut Process<'_, '_>,
    wanted: &mut Wanted,
    taken: &mut Taken,
) -> Result<bool, Stop> {
    let ranges = if wanted.ranges.is_empty() {
        vec![(1, MOST)]
    } else {
        wanted.ranges.clone()
    };
    for at in 0..wanted.groups.len() {
        let mut item = wanted.groups[at].clone();
        if !choose_group(process, &mut item, taken, &ranges)? {
            return Ok(false);
        }
        wanted.groups[at] = item;
    }
    let mut own = Vec::new();
    for at in 0..wanted.users.len() {
        let mut item = wanted.users[at].clone();
        if item.gid.is_none() {
            let name = item.group.as_ref().unwrap_or(&item.name);
            let queued = wanted
                .groups
                .iter()
                .find(|group| group.name == *name && group.new);
            if let Some(group) = queued {
                item.gid = group.gid;
                item.strict = true;
            } else if let Some(name) = &item.group {
                let known = taken.groups.iter().find(|(group, _)| group == name);
                let Some((_, gid)) = known else {
                    process.complain(format_args!("the group {name} does not exist"));
                    return Ok(false);
                };
                item.gid = Some(*gid);
                item.strict = true;
            } else {
                let mut group = item.clone();
                if !choose_group(process, &mut group, taken, &ranges)? {
                    return Ok(false);
                }
                item.gid = group.gid;
                if group.new {
                    own.push(group);
                }
            }
        }
        if !choose_user(process, &mut item, taken, &ranges)? {
            return Ok(false);
        }
        wanted.users[at] = item;
    }
    wanted.groups.extend(own);
    Ok(true)
}

fn choose_group(
    process: &mut Process<'_, '_>,
    item: &mut Item,
    taken: &mut Taken,
    ranges: &[(u32, u32)],
) -> Result<bool, Stop> {
    if let Some((_, gid)) = taken.groups.iter().find(|(name, _)| *name == item.name) {
        item.gid = Some(*gid);
        return Ok(true);
    }
    let fine = |taken: &Taken, gid: u32, both: bool| {
        taken.groups.iter().all(|(_, other)| *other != gid)
            && (!both
                || taken
                    .users
                    .iter()
                    .all(|(name, uid)| *uid != gid || *name == item.name))
    };
    let mut gid = item.gid.filter(|gid| fine(taken, *gid, false));
    gid = gid.or_else(|| item.uid.filter(|uid| fine(taken, *uid, true)));
    if let (None, Some(path)) = (gid, &item.path) {
        let stat = process.machine.files.stat(path, true).ok();
        gid = stat
            .map(|stat| stat.gid)
            .filter(|gid| fine(taken, *gid, true));
    }
    if gid.is_none() {
        gid = lower(process, taken, ranges, |taken, id| {
            fine(taken, id, false) && taken.users.iter().all(|(_, uid)| *uid != id)
        })?;
    }
    let Some(gid) = gid else {
        process.complain(format_args!("no free group ID for {}", item.name));
        return Ok(false);
    };
    item.gid = Some(gid);
    item.new = true;
    taken.groups.push((item.name.clone(), gid));
    Ok(true)
}

fn choose_user(
    process: &mut Process<'_, '_>,
    item: &mut Item,
    taken: &mut Taken,
    ranges: &[(u32, u32)],
) -> Result<bool, Stop> {
    if let Some((_, uid)) = taken.users.iter().find(|(name, _)| *name == item.name) {
        item.uid = Some(*uid);
        return Ok(true);
    }
    let fine = |taken: &Taken, uid: u32, both: bool| {
        taken.users.iter().all(|(_, other)| *other != uid)
            && (!both
                || taken
                    .groups
                    .iter()
                    .all(|(name, gid)| *gid != uid || *name == item.name))
    };
    let mut uid = item.uid.filter(|uid| fine(taken, *uid, !item.strict));
    if let (None, Some(path)) = (uid, &item.path) {
        let stat = process.machine.files.stat(path, true).ok();
        uid = stat
            .map(|stat| stat.uid)
            .filter(|uid| fine(taken, *uid, true));
    }
    uid = uid.or_else(|| item.gid.filter(|gid| fine(taken, *gid, true)));
    if uid.is_none() {
        uid = lower(process, taken, ranges, |taken, id| {
            fine(taken, id, false) && taken.groups.iter().all(|(_, gid)| *gid != id)
        })?;
    }
    let Some(uid) = uid else {
        process.complain(format_args!("no free user ID for {}", item.name));
        return Ok(false);
    };
    item.uid = Some(uid);
    item.new = true;
    taken.users.push((item.name.clone(), uid));
    Ok(true)
}

/// The next free number below the one that was tried last.
fn lower(
    process: &mut Process<'_, '_>,
    taken: &mut Taken,
    ranges: &[(u32, u32)],
    fine: impl Fn(&Taken, u32) -> bool,
) -> Result<Option<u32>, Stop> {
    let last = taken.next.unwrap_or(u32::MAX);
    let most = ranges.iter().map(|(_, last)| *last).max().unwrap_or(0);
    let least = ranges.iter().map(|(first, _)| *first).min().unwrap_or(1);
    for id in (least..=most.min(last.saturating_sub(1))).rev() {
        process.machine.spend(1)?;
        taken.next = Some(id);
        let inside = ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&id));
        if inside && fine(taken, id) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn write(process: &mut Process<'_, '_>, wanted: &Wanted) -> Result<(), Stop> {
    let machine = &mut *process.machine;
    let day = machine.setup.epoch.div_euclid(86_400).to_string();
    let mut passwd = Table::load(machine, PASSWD)?;
    let mut shadow = Table::load(machine, SHADOW)?;
    let mut group = Table::load(machine, GROUP)?;
    let mut gshadow = Table::load(machine, GSHADOW)?;
    // What is missing is made; nobody may read those with secrets.
    let mut made = Vec::new();
    for (path, table) in [
        (PASSWD, &mut passwd),
        (SHADOW, &mut shadow),
        (GROUP, &mut group),
        (GSHADOW, &mut gshadow),
    ] {
        if !table.is_there() {
            table.make();
            made.push(path);
        }
    }
    let id = |id: Option<u32>| id.unwrap_or_default().to_string();
    for user in wanted.users.iter().filter(|user| user.new) {
        let default = |text: &BString, default: &str| -> BString {
            if text.is_empty() {
                default.into()
            } else {
                text.clone()
            }
        };
        let root = user.uid == Some(0);
        let home = default(&user.home, if root { "/root" } else { "/" });
        let shell = default(
            &user.shell,
            if root {
                "/bin/bash"
            } else {
                "/usr/sbin/nologin"
            },
        );
        let (uid, gid) = (id(user.uid), id(user.gid));
        passwd.set(&row(&[
            &user.name,
            b"x",
            uid.as_bytes(),
            gid.as_bytes(),
            &user.comment,
            &home,
            &shell,
        ]));
        let expires: &[u8] = if user.locked { b"1" } else { b"" };
        let mut line = vec![&user.name[..], b"!*", day.as_bytes(), b"", b"", b"", b""];
        line.extend([expires, b""]);
        shadow.set(&row(&line));
    }
    for new in wanted.groups.iter().filter(|group| group.new) {
        group.set(&row(&[&new.name, b"x", id(new.gid).as_bytes(), b""]));
        gshadow.set(&row(&[&new.name, b"!*", b"", b""]));
    }
    for (name, users) in &wanted.members {
        for table in [&mut group, &mut gshadow] {
            let Some(mut line) = table.row(name) else {
                continue;
            };
            let mut all = list(&line[3]);
            let before = all.len();
            all.extend(
                users
                    .iter()
                    .filter(|user| !list(&line[3]).contains(user))
                    .cloned(),
            );
            if all.len() != before {
                all.sort_unstable();
                line[3] = join(&all);
                table.set(&line);
            }
        }
    }
    for table in [passwd, shadow, group, gshadow] {
        table.store(machine)?;
    }
    for path in made {
        let mode = if matches!(path, SHADOW | GSHADOW) {
            0
        } else {
            0o644
        };
        // It is there: it was stored.
        let _set = machine.files.chmod(path.as_bytes(), mode);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn numbers_go_down_from_999() {
        let mut m = machine();
        m.put("/usr/bin/systemd-sysusers", "\u{7f}ELF", 0o755);
        m.put(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nb:x:997:7::/:/bin/sh\n",
            0o644,
        );
        m.put(
            "/etc/group",
            "root:x:0:\nadm:x:4:z\nnogroup:x:65534:\n",
            0o644,
        );
        m.put("/etc/shadow", "root:*:1::::::\n", 0o640);
        m.put("/etc/gshadow", "root:*::\nadm:*::z\nnogroup:*::\n", 0o640);
        let folder = "/usr/lib/sysusers.d";
        m.put(&format!("{folder}/j.conf"), "# x\ng journal - -\n", 0o644);
        m.put(
            &format!("{folder}/n.conf"),
            "u! net - \"Net Work\"\nu d -:nogroup \"D\" /run/d\nm net adm\nu p 33 - /var/www\ng root 0 -\n",
            0o644,
        );
        let ran = m.run(&["systemd-sysusers", "j.conf", "n.conf"]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert_eq!(
            m.text("/etc/passwd"),
            "root:x:0:0:root:/root:/bin/bash\nb:x:997:7::/:/bin/sh\n\
             net:x:998:998:Net Work:/:/usr/sbin/nologin\n\
             d:x:996:65534:D:/run/d:/usr/sbin/nologin\n\
             p:x:33:33::/var/www:/usr/sbin/nologin\n"
        );
        assert_eq!(
            m.text("/etc/group"),
            "root:x:0:\nadm:x:4:net,z\nnogroup:x:65534:\njournal:x:999:\nnet:x:998:\np:x:33:\n"
        );
        assert_eq!(
            m.text("/etc/shadow"),
            "root:*:1::::::\nnet:!*:20412:::::1:\nd:!*:20412::::::\np:!*:20412::::::\n"
        );
        assert!(
            m.text("/etc/gshadow")
                .ends_with("\njournal:!*::\nnet:!*::\np:!*::\n")
        );
        assert_eq!(m.run(&["systemd-sysusers", "nope.conf"]).status, 1);
        let ran = m
            .run_with(&["systemd-sysusers", "-"], "g late - -\n")
            .unwrap();
        assert_eq!(ran.status, 0);
        assert!(m.text("/etc/group").ends_with("\nlate:x:995:\n"));
    }
}
