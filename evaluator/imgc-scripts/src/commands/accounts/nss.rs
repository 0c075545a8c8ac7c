//! Who is who, as getpwnam(3) and its like answer from the files.

use bstr::{BString, ByteSlice as _};

use super::table::{GROUP, PASSWD, Table, list};
use crate::machine::Machine;
use crate::stop::Stop;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: BString,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) comment: BString,
    pub(crate) home: BString,
    pub(crate) shell: BString,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: BString,
    pub(crate) gid: u32,
    pub(crate) members: Vec<BString>,
}

/// All users, in the order of the file.
pub(crate) fn users(machine: &mut Machine<'_>) -> Result<Vec<User>, Stop> {
    let table = Table::load(machine, PASSWD)?;
    let users = table.rows().filter_map(|row| {
        Some(User {
            name: row[0].clone(),
            uid: number(&row[2])?,
            gid: number(&row[3])?,
            comment: row[4].clone(),
            home: row[5].clone(),
            shell: row[6].clone(),
        })
    });
    Ok(users.collect())
}

/// All groups, in the order of the file.
pub(crate) fn groups(machine: &mut Machine<'_>) -> Result<Vec<Group>, Stop> {
    let table = Table::load(machine, GROUP)?;
    let groups = table.rows().filter_map(|row| {
        Some(Group {
            name: row[0].clone(),
            gid: number(&row[2])?,
            members: list(&row[3]),
        })
    });
    Ok(groups.collect())
}

/// The user called `name`.
pub(crate) fn user_named(machine: &mut Machine<'_>, name: &[u8]) -> Result<Option<User>, Stop> {
    Ok(users(machine)?.into_iter().find(|user| user.name == name))
}

/// The group called `name`.
pub(crate) fn group_named(machine: &mut Machine<'_>, name: &[u8]) -> Result<Option<Group>, Stop> {
    Ok(groups(machine)?
        .into_iter()
        .find(|group| group.name == name))
}

/// The user with this number.
pub(crate) fn user_numbered(machine: &mut Machine<'_>, uid: u32) -> Result<Option<User>, Stop> {
    Ok(users(machine)?.into_iter().find(|user| user.uid == uid))
}

/// The group with this number.
pub(crate) fn group_numbered(machine: &mut Machine<'_>, gid: u32) -> Result<Option<Group>, Stop> {
    Ok(groups(machine)?.into_iter().find(|group| group.gid == gid))
}

/// A group by its number or its name, as useradd and usermod take one: a number comes
/// first.
pub(crate) fn group_of(machine: &mut Machine<'_>, text: &[u8]) -> Result<Option<Group>, Stop> {
    match number(text) {
        Some(gid) => group_numbered(machine, gid),
        None => group_named(machine, text),
    }
}

/// A decimal number.
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if digits {
        text.to_str().ok()?.parse().ok()
    } else {
        None
    }
}
