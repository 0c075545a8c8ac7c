//! Users and groups by name, as `/etc/passwd` and `/etc/group` of the tree have them. It
//! must not change those files.
//!
//! Where the tree has no `root`, the image leaves Debian's `base-passwd` out. Scripts find
//! its users and groups all the same, whose numbers are the same in every Debian.

use bstr::{BStr, BString, ByteSlice as _};

use crate::process::Process;

/// One line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: BString,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: BString,
}

/// One line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: BString,
    pub(crate) gid: u32,
    pub(crate) members: Vec<BString>,
}

/// The users of `base-passwd`: name, number, number of the group.
const USERS: [(&str, u32, u32); 19] = [
    ("root", 0, 0),
    ("daemon", 1, 1),
    ("bin", 2, 2),
    ("sys", 3, 3),
    ("sync", 4, 65534),
    ("games", 5, 60),
    ("man", 6, 12),
    ("lp", 7, 7),
    ("mail", 8, 8),
    ("news", 9, 9),
    ("uucp", 10, 10),
    ("proxy", 13, 13),
    ("www-data", 33, 33),
    ("backup", 34, 34),
    ("list", 38, 38),
    ("irc", 39, 39),
    ("gnats", 41, 41),
    ("_apt", 42, 65534),
    ("nobody", 65534, 65534),
];

/// The groups of `base-passwd`.
const GROUPS: [(&str, u32); 38] = [
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("man", 12),
    ("proxy", 13),
    ("kmem", 15),
    ("dialout", 20),
    ("fax", 21),
    ("voice", 22),
    ("cdrom", 24),
    ("floppy", 25),
    ("tape", 26),
    ("sudo", 27),
    ("audio", 29),
    ("dip", 30),
    ("www-data", 33),
    ("backup", 34),
    ("operator", 37),
    ("list", 38),
    ("irc", 39),
    ("src", 40),
    ("gnats", 41),
    ("shadow", 42),
    ("utmp", 43),
    ("video", 44),
    ("sasl", 45),
    ("plugdev", 46),
    ("staff", 50),
    ("games", 60),
    ("nogroup", 65534),
];

fn number(text: &[u8]) -> Option<u32> {
    text.to_str().ok()?.parse().ok()
}

/// The users, in the order of the file, and those that are always there.
pub(crate) fn users(process: &mut Process<'_, '_>) -> Vec<User> {
    let bytes = process
        .machine
        .files
        .read(b"/etc/passwd")
        .unwrap_or_default();
    let parse = |line: &[u8]| {
        let fields: Vec<&[u8]> = line.split(|&b| b == b':').collect();
        Some(User {
            name: BString::from(*fields.first()?),
            uid: number(fields.get(2)?)?,
            gid: number(fields.get(3)?)?,
            home: BString::from(*fields.get(5)?),
        })
    };
    let mut users: Vec<User> = bytes.lines().filter_map(parse).collect();
    if !users.iter().any(|user| user.name == "root") {
        users.extend(USERS.map(|(name, uid, gid)| User {
            name: name.into(),
            uid,
            gid,
            home: if uid == 0 { "/root" } else { "/nonexistent" }.into(),
        }));
    }
    users
}

/// The groups, in the order of the file, and those that are always there.
pub(crate) fn groups(process: &mut Process<'_, '_>) -> Vec<Group> {
    let bytes = process
        .machine
        .files
        .read(b"/etc/group")
        .unwrap_or_default();
    let parse = |line: &[u8]| {
        let fields: Vec<&[u8]> = line.split(|&b| b == b':').collect();
        let members = fields.get(3).copied().unwrap_or_default();
        let members = members
            .split(|&b| b == b',')
            .filter(|name| !name.is_empty());
        Some(Group {
            name: BString::from(*fields.first()?),
            gid: number(fields.get(2)?)?,
            members: members.map(BString::from).collect(),
        })
    };
    let mut groups: Vec<Group> = bytes.lines().filter_map(parse).collect();
    if !groups.iter().any(|group| group.name == "root") {
        groups.extend(GROUPS.map(|(name, gid)| Group {
            name: name.into(),
            gid,
            members: Vec::new(),
        }));
    }
    groups
}

/// The id of a user by name, or by number with or without `+`.
pub(crate) fn user_id(process: &mut Process<'_, '_>, name: &[u8]) -> Option<u32> {
    let found = users(process).into_iter().find(|user| user.name == name);
    found
        .map(|user| user.uid)
        .or_else(|| number(name.strip_prefix(b"+").unwrap_or(name)))
}

/// The id of a group by name, or by number with or without `+`.
pub(crate) fn group_id(process: &mut Process<'_, '_>, name: &[u8]) -> Option<u32> {
    let found = groups(process).into_iter().find(|group| group.name == name);
    found
        .map(|group| group.gid)
        .or_else(|| number(name.strip_prefix(b"+").unwrap_or(name)))
}

/// The name of a user, if it has one.
pub(crate) fn user_name(process: &mut Process<'_, '_>, uid: u32) -> Option<BString> {
    let found = users(process).into_iter().find(|user| user.uid == uid);
    found.map(|user| user.name)
}

/// The name of a group, if it has one.
pub(crate) fn group_name(process: &mut Process<'_, '_>, gid: u32) -> Option<BString> {
    let found = groups(process).into_iter().find(|group| group.gid == gid);
    found.map(|group| group.name)
}

/// Reads `user`, `user:group`, `user:`, `:group` or `user.group`. The error is a sentence
/// for standard error.
pub(crate) fn owner_and_group(
    process: &mut Process<'_, '_>,
    text: &BStr,
) -> Result<(Option<u32>, Option<u32>), String> {
    let (user, group) = match text.find_byte(b':') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        // A dot separates too, unless a user has it in the name.
        None => match text.find_byte(b'.') {
            Some(at) if user_id(process, text).is_none() => (&text[..at], Some(&text[at + 1..])),
            _ => (text, None),
        },
    };
    let uid = if user.is_empty() {
        None
    } else {
        let found = user_id(process, user);
        Some(found.ok_or_else(|| format!("invalid user: '{text}'"))?)
    };
    let gid = match group {
        None => None,
        Some(group) if user.is_empty() && group.is_empty() => None,
        // `user:` means the user's own group.
        Some(group) if group.is_empty() => {
            let own = users(process).into_iter().find(|u| u.name == user);
            Some(own.ok_or_else(|| format!("invalid spec: '{text}'"))?.gid)
        }
        Some(group) => {
            let found = group_id(process, group);
            Some(found.ok_or_else(|| format!("invalid group: '{text}'"))?)
        }
    };
    Ok((uid, gid))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn owners_are_looked_up_in_the_tree() {
        let mut machine = machine();
        machine.put(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nwww:x:33:34::/var/www:\n",
            0o644,
        );
        machine.put("/etc/group", "root:x:0:\nwww:x:34:\nadm:x:4:www\n", 0o644);
        for (spec, uid, gid) in [
            ("www", 33, 0),
            ("www:", 33, 34),
            (":adm", 0, 4),
            ("www.adm", 33, 4),
            ("7:8", 7, 8),
            ("root:www", 0, 34),
        ] {
            machine.put("/tmp/f", "", 0o644);
            machine
                .files
                .chown(b"/tmp/f", Some(0), Some(0), true)
                .expect("a file");
            assert_eq!(machine.run(&["chown", spec, "/tmp/f"]).status, 0, "{spec}");
            let stat = machine.files.stat(b"/tmp/f", true).expect("a file");
            assert_eq!((stat.uid, stat.gid), (uid, gid), "{spec}");
        }
        assert_eq!(machine.run(&["chown", "nobody", "/tmp/f"]).status, 1);
        assert_eq!(machine.run(&["chgrp", "nobody", "/tmp/f"]).status, 1);
    }

    #[test]
    fn without_accounts_debians_own_are_known() {
        let mut machine = machine();
        machine.put("/etc/passwd", "app:x:900:900::/:\n", 0o644);
        machine.put("/tmp/f", "", 0o644);
        for (spec, uid, gid) in [
            ("root:root", 0, 0),
            ("app:staff", 900, 50),
            ("man:adm", 6, 4),
        ] {
            assert_eq!(machine.run(&["chown", spec, "/tmp/f"]).status, 0, "{spec}");
            let stat = machine.files.stat(b"/tmp/f", true).expect("a file");
            assert_eq!((stat.uid, stat.gid), (uid, gid), "{spec}");
        }
        assert_eq!(machine.run(&["chown", "someone", "/tmp/f"]).status, 1);
    }
}
