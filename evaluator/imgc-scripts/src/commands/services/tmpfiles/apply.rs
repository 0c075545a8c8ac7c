//! What the lines of tmpfiles.d do to the tree.

use bstr::{BString, ByteSlice as _};
use imgc_tree::{Kind, Node};

use super::lines::Line;
use crate::Errno;
use crate::commands::services::units;
use crate::process::Process;
use crate::stop::Stop;

/// Does what a line asks when things are made. Says whether that could be done.
pub(super) fn create(process: &mut Process<'_, '_>, line: &Line) -> Result<bool, Stop> {
    match line.kind {
        b'x' | b'X' | b'r' | b'R' | b'h' | b'H' => return Ok(true),
        b't' | b'T' | b'a' | b'A' => {
            for path in matches(process, &line.path)? {
                // What is made anew when the system starts is no part of an image.
                let volatile = ["/run/", "/var/log/", "/dev/", "/tmp/"];
                if !volatile.iter().any(|folder| path.starts_with_str(folder)) {
                    let kind = char::from(line.kind);
                    return Err(Stop::unsupported(format!("a line {kind} for {path}")));
                }
            }
            return Ok(true);
        }
        _ => {}
    }
    let done = match line.kind {
        b'w' => write_all(process, line)?,
        b'e' => adjust_all(process, line, false)?,
        b'z' => adjust_all(process, line, false)?,
        b'Z' => adjust_all(process, line, true)?,
        b'd' | b'D' | b'v' | b'q' | b'Q' => folder(process, line)?,
        b'f' | b'F' => file(process, line)?,
        b'L' => link(process, line)?,
        b'C' => copy(process, line)?,
        b'p' => pipe(process, line)?,
        _ => {
            let device =
                process.machine.files.exists(&line.path) || line.path.starts_with(b"/dev/");
            if !device {
                return Err(Stop::unsupported(format!(
                    "{} would be a device",
                    line.path
                )));
            }
            Ok(())
        }
    };
    let Err(error) = done else {
        return Ok(true);
    };
    process.complain(format_args!("{}: {error}", line.path));
    // What is there and of another kind is only warned of.
    Ok(line.lenient || error == Errno::Exists)
}

/// Does what a line asks when things are removed.
pub(super) fn remove(process: &mut Process<'_, '_>, line: &Line) -> Result<(), Stop> {
    match line.kind {
        b'r' | b'R' => {
            for path in matches(process, &line.path)? {
                let files = &mut process.machine.files;
                let folder = files.lnode(&path).is_some_and(Node::is_directory);
                // What can't be removed is left.
                let _ = match (line.kind, folder) {
                    (b'r', true) => files.rmdir(&path),
                    _ => files.remove_all(&path),
                };
            }
        }
        b'D' => {
            let files = &mut process.machine.files;
            for name in files.list(&line.path).unwrap_or_default() {
                let _ = files.remove_all(&units::join(&line.path.to_str_lossy(), &name));
            }
        }
        _ => {}
    }
    Ok(())
}

type Done = Result<Result<(), Errno>, Stop>;

/// The paths that fit a pattern.
fn matches(process: &mut Process<'_, '_>, pattern: &BString) -> Result<Vec<BString>, Stop> {
    let mut paths = vec![BString::default()];
    for part in pattern.split_str("/").filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for path in paths {
            process.machine.spend(1)?;
            if part.find_byteset(b"*?[").is_none() {
                let path = units::join(&path.to_str_lossy(), part);
                if process.machine.files.lnode(&path).is_some() {
                    next.push(path);
                }
                continue;
            }
            let folder = if path.is_empty() {
                BString::from("/")
            } else {
                path.clone()
            };
            for name in process.machine.files.list(&folder).unwrap_or_default() {
                let hidden = name.starts_with(b".") && !part.starts_with(b".");
                if !hidden && units::fits(part, &name) {
                    next.push(units::join(&path.to_str_lossy(), &name));
                }
            }
        }
        paths = next;
    }
    Ok(paths)
}

/// Makes the folders above a path.
fn above(process: &mut Process<'_, '_>, path: &BString) -> Result<(), Errno> {
    let end = path.rfind_byte(b'/').unwrap_or(0);
    if end == 0 {
        return Ok(());
    }
    process.machine.files.mkdir_all(&path[..end], 0o755)
}

/// Sets the mode and the owner of what is at `path`.
fn adjust(
    process: &mut Process<'_, '_>,
    line: &Line,
    path: &BString,
    new: bool,
    default: u32,
) -> Result<(), Errno> {
    let files = &mut process.machine.files;
    let stat = files.stat(path, false)?;
    let pick = |id: Option<super::lines::Id>, there: u32| match id {
        Some(id) if new || !id.new_only => id.id,
        Some(_) => there,
        None if new => 0,
        None => there,
    };
    let (uid, gid) = (pick(line.uid, stat.uid), pick(line.gid, stat.gid));
    if (uid, gid) != (stat.uid, stat.gid) {
        files.chown(path, Some(uid), Some(gid), false)?;
    }
    if stat.kind == b'l' {
        return Ok(());
    }
    let mode = match line.mode {
        Some(mode) if new || !mode.new_only => {
            let mut bits = mode.bits;
            if mode.masked {
                let there = stat.mode;
                if there & 0o111 == 0 {
                    bits &= !0o111;
                }
                if there & 0o222 == 0 {
                    bits &= !0o222;
                }
                if there & 0o444 == 0 {
                    bits &= !0o444;
                }
                if stat.kind != b'd' {
                    bits &= !0o7000;
                }
            }
            Some(bits)
        }
        None if new => Some(default),
        _ => None,
    };
    if let Some(mode) = mode
        && mode != process.machine.files.stat(path, false)?.mode
    {
        process.machine.files.chmod(path, mode)?;
    }
    Ok(())
}

fn folder(process: &mut Process<'_, '_>, line: &Line) -> Done {
    Ok((|| {
        above(process, &line.path)?;
        let files = &mut process.machine.files;
        let other = files.exists(&line.path) && !files.is_directory(&line.path);
        if line.replaces && other {
            files.remove_all(&line.path)?;
        }
        let new = match files.mkdir(&line.path, 0o755) {
            Ok(()) => true,
            Err(Errno::Exists) if files.is_directory(&line.path) => false,
            Err(error) => return Err(error),
        };
        if !new && files.read_link(&line.path).is_ok() {
            // A link to a folder is left alone.
            return Err(Errno::Exists);
        }
        adjust(process, line, &line.path, new, 0o755)
    })())
}

fn file(process: &mut Process<'_, '_>, line: &Line) -> Done {
    let text = match &line.argument {
        Some(text) => unescaped(text)?,
        None => Vec::new(),
    };
    Ok((|| {
        above(process, &line.path)?;
        let files = &mut process.machine.files;
        if line.replaces && files.lnode(&line.path).is_some() && !files.is_file(&line.path) {
            files.remove_all(&line.path)?;
        }
        let new = files.lnode(&line.path).is_none();
        if new || line.plus {
            files.write(&line.path, text, 0o644)?;
        } else if !files.is_file(&line.path) {
            return Err(Errno::Exists);
        }
        adjust(process, line, &line.path, new, 0o644)
    })())
}

fn write_all(process: &mut Process<'_, '_>, line: &Line) -> Done {
    let text = match &line.argument {
        Some(text) => unescaped(text)?,
        None => Vec::new(),
    };
    for path in matches(process, &line.path)? {
        if path.starts_with(b"/proc/") || path.starts_with(b"/sys/") {
            continue;
        }
        let files = &mut process.machine.files;
        let done = if line.plus {
            files.append(&path, &text, 0o644)
        } else {
            // It writes over the beginning.
            files.read(&path).and_then(|there| {
                let mut bytes = text.clone();
                bytes.extend(there.iter().skip(text.len()));
                files.write(&path, bytes, 0o644).map(|_| ())
            })
        };
        if done.is_err() {
            return Ok(done);
        }
    }
    Ok(Ok(()))
}

fn adjust_all(process: &mut Process<'_, '_>, line: &Line, below: bool) -> Done {
    let mut todo = matches(process, &line.path)?;
    if line.kind == b'e' {
        todo.retain(|path| process.machine.files.is_directory(path));
    }
    let before = todo.len();
    todo.retain(|path| !is_unsafe(process, path));
    let failed = if todo.len() == before {
        Ok(())
    } else {
        Err(Errno::NotPermitted)
    };
    while let Some(path) = todo.pop() {
        process.machine.spend(1)?;
        let done = adjust(process, line, &path, false, 0);
        if done.is_err() {
            return Ok(done);
        }
        if below {
            let files = &process.machine.files;
            if files.lnode(&path).is_some_and(Node::is_directory) {
                for name in files.list(&path).unwrap_or_default() {
                    todo.push(units::join(&path.to_str_lossy(), &name));
                }
            }
        }
    }
    Ok(failed)
}

/// Whether a folder of another than root is above what belongs to somebody else again:
/// who owns the folder could have put it there.
fn is_unsafe(process: &Process<'_, '_>, path: &BString) -> bool {
    let files = &process.machine.files;
    let ends = path
        .iter()
        .enumerate()
        .filter(|(at, b)| **b == b'/' && *at > 0);
    let ends = ends.map(|(at, _)| at).chain([path.len()]);
    let owners = ends.filter_map(|end| files.stat(&path[..end], false).ok());
    let mut above = 0;
    for stat in owners {
        if above != 0 && stat.uid != above {
            return true;
        }
        above = stat.uid;
    }
    false
}

/// What a line takes its contents from.
fn source(line: &Line) -> BString {
    let factory = || BString::from([b"/usr/share/factory", line.path.as_slice()].concat());
    line.argument.clone().unwrap_or_else(factory)
}

fn link(process: &mut Process<'_, '_>, line: &Line) -> Done {
    let target = source(line);
    Ok((|| {
        if line.if_exists {
            // A relative one is taken from the root.
            if !process.machine.files.exists(&units::join("", &target)) {
                return Ok(());
            }
        }
        above(process, &line.path)?;
        let files = &mut process.machine.files;
        match files.symlink(&target, &line.path) {
            Err(Errno::Exists) => {
                let there = files.read_link(&line.path).ok();
                if there.as_ref() == Some(&target) {
                    return adjust_link(process, line);
                }
                let replaces = line.plus || line.replaces && there.is_none();
                if !replaces {
                    return Ok(());
                }
                files.remove_all(&line.path)?;
                files.symlink(&target, &line.path)?;
            }
            done => done?,
        }
        adjust_link(process, line)
    })())
}

fn adjust_link(process: &mut Process<'_, '_>, line: &Line) -> Result<(), Errno> {
    let (uid, gid) = (line.uid.map(|id| id.id), line.gid.map(|id| id.id));
    if uid.is_some() || gid.is_some() {
        process.machine.files.chown(&line.path, uid, gid, false)?;
    }
    Ok(())
}

fn copy(process: &mut Process<'_, '_>, line: &Line) -> Done {
    let from = source(line);
    let files = &process.machine.files;
    if files.lnode(&from).is_none() {
        return Ok(Ok(()));
    }
    let empty = files.list(&line.path).is_ok_and(|names| names.is_empty());
    if files.lnode(&line.path).is_some() && !empty && !line.plus {
        return Ok(Ok(()));
    }
    if let Err(error) = above(process, &line.path) {
        return Ok(Err(error));
    }
    let mut todo = vec![(from, line.path.clone())];
    while let Some((from, to)) = todo.pop() {
        process.machine.spend(1)?;
        let done = (|| {
            let files = &mut process.machine.files;
            let stat = files.stat(&from, false)?;
            let there = files.lnode(&to).is_some();
            match stat.kind {
                b'd' => {
                    if !there {
                        files.mkdir(&to, stat.mode)?;
                    }
                    for name in files.list(&from)? {
                        let below = |folder: &BString| units::join(&folder.to_str_lossy(), &name);
                        todo.push((below(&from), below(&to)));
                    }
                }
                _ if there => return Ok(()),
                b'l' => files
                    .read_link(&from)
                    .and_then(|target| files.symlink(&target, &to))?,
                b'f' => {
                    let bytes = files.read(&from)?.to_vec();
                    files.write(&to, bytes, stat.mode)?;
                }
                _ => return Err(Errno::Invalid),
            }
            files.chown(&to, Some(stat.uid), Some(stat.gid), false)?;
            if stat.kind != b'l' {
                files.chmod(&to, stat.mode)?;
            }
            files.set_time(&to, stat.mtime, false)
        })();
        if done.is_err() {
            return Ok(done);
        }
    }
    Ok(adjust(process, line, &line.path, false, 0))
}

fn pipe(process: &mut Process<'_, '_>, line: &Line) -> Done {
    Ok((|| {
        above(process, &line.path)?;
        let epoch = process.machine.files.epoch();
        let files = &mut process.machine.files;
        let there = files.lnode(&line.path);
        let new = there.is_none();
        if there.is_some_and(|node| !matches!(node.kind, Kind::Fifo)) {
            if !line.plus {
                return Err(Errno::Exists);
            }
            files.remove_all(&line.path)?;
        }
        if files.lnode(&line.path).is_none() {
            let mut node = Node::directory(0o644, epoch);
            node.kind = Kind::Fifo;
            files.insert(&line.path, node)?;
        }
        adjust(process, line, &line.path, new, 0o644)
    })())
}

/// An argument with its escapes resolved, as C has them.
fn unescaped(text: &BString) -> Result<Vec<u8>, Stop> {
    let mut done = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' {
            done.push(byte);
            continue;
        }
        done.push(match bytes.next() {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b's') => b' ',
            Some(b'\\') => b'\\',
            Some(b'"') => b'"',
            Some(b'\'') => b'\'',
            _ => return Err(Stop::unsupported(format!("{text} has an unknown escape"))),
        });
    }
    Ok(done)
}
