//! Free numbers for users and groups, and what a name may be, as the shadow tools
//! choose and check.

use std::collections::BTreeSet;

use bstr::ByteSlice as _;

use super::defs::Defs;
use super::nss;
use super::table::{SUBGID, SUBUID, Table, row};
use crate::machine::Machine;
use crate::stop::Stop;

/// What a number is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Group,
}

/// The range that numbers are taken from.
pub(crate) fn range(defs: &Defs, kind: Kind, system: bool) -> (u32, u32) {
    let name = match kind {
        Kind::User => "UID",
        Kind::Group => "GID",
    };
    let least = defs.id(&format!("{name}_MIN"), 1000);
    if system {
        let min = defs.id(&format!("SYS_{name}_MIN"), 101);
        let max = defs.id(&format!("SYS_{name}_MAX"), least.saturating_sub(1));
        (min, max)
    } else {
        (least, defs.id(&format!("{name}_MAX"), 60_000))
    }
}

/// A free number: `wanted`, if it is in the range and free; for system accounts the one
/// below the lowest that is taken, for others the one above the highest. None where all
/// are taken.
pub(crate) fn free(
    machine: &mut Machine<'_>,
    defs: &Defs,
    kind: Kind,
    system: bool,
    wanted: Option<u32>,
) -> Result<Option<u32>, Stop> {
    let (min, max) = range(defs, kind, system);
    let taken: BTreeSet<u32> = match kind {
        Kind::User => nss::users(machine)?.iter().map(|u| u.uid).collect(),
        Kind::Group => nss::groups(machine)?.iter().map(|g| g.gid).collect(),
    };
    if min > max {
        return Ok(None);
    }
    machine.spend(taken.len() as u64)?;
    // A number that Debian has given out is fine for a system account.
    let least = if system { 1 } else { min };
    if let Some(wanted) = wanted
        && (least..=max).contains(&wanted)
        && !taken.contains(&wanted)
    {
        return Ok(Some(wanted));
    }
    let inside: BTreeSet<u32> = taken.range(min..=max).copied().collect();
    Ok(if system {
        let lowest = inside.first().copied();
        // groupadd of Debian 12 looks from the top for a group.
        let lowest = lowest.filter(|_| !(defs.old && kind == Kind::Group));
        let below = lowest.and_then(|lowest| (min..lowest).next_back());
        below.or_else(|| (min..=max).rev().find(|id| !inside.contains(id)))
    } else {
        let highest = inside.last().copied();
        let above = highest.map_or(Some(min), |highest| highest.checked_add(1));
        let above = above.filter(|id| *id <= max);
        above.or_else(|| (min..=max).find(|id| !inside.contains(id)))
    })
}

/// Gives a user a range of subordinate numbers, in the files that are there.
pub(crate) fn subordinate(
    machine: &mut Machine<'_>,
    defs: &Defs,
    name: &[u8],
) -> Result<bool, Stop> {
    for (path, kind) in [(SUBUID, "UID"), (SUBGID, "GID")] {
        let mut table = Table::load(machine, path)?;
        let least = u64::from(defs.id(&format!("SUB_{kind}_MIN"), 100_000));
        let most = u64::from(defs.id(&format!("SUB_{kind}_MAX"), 600_100_000));
        let count = u64::from(defs.id(&format!("SUB_{kind}_COUNT"), 65_536));
        if !table.is_there() || count == 0 {
            continue;
        }
        let mut ranges: Vec<(u64, u64)> = table
            .rows()
            .filter_map(|row| {
                let first = u64::from(nss::number(&row[1])?);
                Some((first, first + u64::from(nss::number(&row[2])?)))
            })
            .collect();
        ranges.sort_unstable();
        let mut low = least;
        for (first, end) in ranges {
            if first >= low + count {
                break;
            }
            low = low.max(end);
        }
        if low + count > most + 1 {
            return Ok(false);
        }
        let (low, count) = (low.to_string(), count.to_string());
        table.push(&row(&[name, low.as_bytes(), count.as_bytes()]));
        table.store(machine)?;
    }
    Ok(true)
}

/// Whether the shadow tools take `name` for a user.
pub(crate) fn is_user_name(name: &[u8], old: bool) -> bool {
    is_name(name, old)
}

/// Whether the shadow tools take `name` for a group.
pub(crate) fn is_group_name(name: &[u8], old: bool) -> bool {
    name.len() <= 32 && is_name(name, old)
}

fn is_name(name: &[u8], old: bool) -> bool {
    let Some(first) = name.first() else {
        return false;
    };
    if old {
        let odd = |b: u8| matches!(b, b':' | b',' | b'/') || b.is_ascii_whitespace();
        return name.len() <= 32
            && !matches!(first, b'-' | b'+' | b'~')
            && !name.iter().any(|&b| odd(b));
    }
    let letter = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
    let name = name.strip_suffix(b"$").unwrap_or(name);
    name != b"."
        && name != b".."
        && name.len() <= 256
        && !name.bytes().all(|b| b.is_ascii_digit())
        && letter(first)
        && name.iter().all(|b| letter(b) || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn numbers_are_chosen_as_the_tools_do() {
        let mut m = machine();
        m.put(
            "/etc/passwd",
            "root:x:0:0::/:/bin/sh\na:x:998:998::/:/bin/sh\nb:x:990:990::/:/bin/sh\nu:x:1003:1::/:\n",
            0o644,
        );
        m.put("/etc/group", "root:x:0:\nj:x:999:\na:x:990:\n", 0o644);
        let mut defs = Defs::default();
        m.spend_anew();
        let mut free = |defs: &Defs, kind, system, wanted| {
            free(&mut m, defs, kind, system, wanted).unwrap().unwrap()
        };
        assert_eq!(free(&defs, Kind::User, true, None), 989);
        assert_eq!(free(&defs, Kind::User, false, None), 1004);
        assert_eq!(free(&defs, Kind::Group, false, None), 1000);
        assert_eq!(free(&defs, Kind::Group, true, None), 989);
        assert_eq!(free(&defs, Kind::Group, true, Some(500)), 500);
        defs.old = true;
        assert_eq!(free(&defs, Kind::Group, true, None), 998);
        assert_eq!(free(&defs, Kind::User, true, None), 989);
    }

    #[test]
    fn names() {
        for name in ["Foo.Bar", "_apt", "a$", "1a"] {
            assert!(is_user_name(name.as_bytes(), false), "{name}");
        }
        for name in ["123", "a b", ".", "~x", "a,b", "Q!q", ""] {
            assert!(!is_user_name(name.as_bytes(), false), "{name}");
        }
        assert!(is_user_name(b"123", true));
        assert!(!is_user_name(b"a,b", true));
        assert!(!is_group_name(&[b'a'; 33], false));
    }
}
