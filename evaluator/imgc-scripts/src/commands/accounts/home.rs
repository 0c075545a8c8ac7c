//! Home folders and what is copied into them.

use bstr::{BStr, BString, ByteSlice as _};
use imgc_tree::Kind;

use crate::machine::Machine;
use crate::stop::Stop;

/// Makes a home folder with `mode`, and those above it that are missing as root's.
/// Nothing is copied into it. The folder must not be there.
pub(crate) fn make(
    machine: &mut Machine<'_>,
    home: &[u8],
    owner: (u32, u32),
    mode: u32,
) -> Result<(), Stop> {
    let files = &mut machine.files;
    let home = home.trim_end_with(|c| c == '/');
    let done = files.mkdir_all(home, 0o755).and_then(|()| {
        files.chown(home, Some(owner.0), Some(owner.1), true)?;
        files.chmod(home, mode)
    });
    done.map_err(|error| failed(home, error))
}

/// Copies all below the folder `from` into the folder `to`, for `owner`. Modes and times
/// stay. As useradd does it.
pub(crate) fn copy(
    machine: &mut Machine<'_>,
    from: &[u8],
    to: &[u8],
    owner: (u32, u32),
) -> Result<(), Stop> {
    let to = to.trim_end_with(|c| c == '/');
    for name in machine.files.list(from).unwrap_or_default() {
        machine.spend(1)?;
        let old = below(from, name.as_ref());
        let new = below(to, name.as_ref());
        let Ok(stat) = machine.files.stat(&old, false) else {
            continue;
        };
        let files = &mut machine.files;
        let done = match stat.kind {
            b'd' => files.mkdir(&new, stat.mode),
            b'l' => files
                .read_link(&old)
                .and_then(|target| files.symlink(&target, &new)),
            b'f' => files
                .read(&old)
                .and_then(|bytes| files.write(&new, bytes.to_vec(), stat.mode))
                .map(|_| ()),
            _ => return Err(Stop::unsupported(format!("{old} is a device"))),
        };
        done.and_then(|()| files.chown(&new, Some(owner.0), Some(owner.1), false))
            .map_err(|error| failed(&new, error))?;
        if stat.kind != b'l' {
            files
                .chmod(&new, stat.mode)
                .map_err(|error| failed(&new, error))?;
        }
        if stat.kind == b'd' {
            copy(machine, &old, &new, owner)?;
        }
        if stat.kind != b'l' {
            let set = machine.files.set_time(&new, stat.mtime, true);
            set.map_err(|error| failed(&new, error))?;
        }
    }
    Ok(())
}

/// Gives all below `home`, and it itself, that belongs to `old` to `new`.
pub(crate) fn change_owner(
    machine: &mut Machine<'_>,
    home: &[u8],
    old: (u32, u32),
    new: (u32, u32),
) -> Result<(), Stop> {
    machine.spend(1)?;
    let Some(node) = machine.files.lnode(home) else {
        return Ok(());
    };
    let folder = matches!(node.kind, Kind::Directory);
    let uid = (node.meta.uid == old.0).then_some(new.0);
    let gid = (node.meta.gid == old.1).then_some(new.1);
    if uid.is_some() || gid.is_some() {
        let done = machine.files.chown(home, uid, gid, false);
        done.map_err(|error| failed(home, error))?;
    }
    if folder {
        for name in machine.files.list(home).unwrap_or_default() {
            change_owner(machine, &below(home, name.as_ref()), old, new)?;
        }
    }
    Ok(())
}

/// The path of `name` in `folder`.
pub(crate) fn below(folder: &[u8], name: &BStr) -> BString {
    let mut path = BString::from(folder);
    path.push(b'/');
    path.extend_from_slice(name);
    path
}

fn failed(path: &[u8], error: crate::Errno) -> Stop {
    Stop::unsupported(format!("{}: {error}", path.as_bstr()))
}
