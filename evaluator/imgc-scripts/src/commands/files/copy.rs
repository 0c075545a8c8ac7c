//! cp.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};
use imgc_tree::Ino;

use super::failed;
use super::folders::{make_parents, trimmed};
use super::options::{Known, Parsed, parse};
use super::rename::{Backup, backup, inside, targets};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Open;
use crate::{Errno, Stat};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "cp",
    origin: Origin::Essential,
    run: cp,
}];

/// How deep folders may nest in a copy.
const DEPTH: usize = 500;

/// What is kept of a file beside its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Keep {
    mode: bool,
    owner: bool,
    time: bool,
    links: bool,
    attributes: bool,
}

/// Which links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follow {
    Never,
    Named,
    Always,
}

/// How to copy.
struct Way {
    recursive: bool,
    follow: Follow,
    keep: Keep,
    /// `--no-preserve=mode`.
    plain_mode: bool,
    never_replace: bool,
    update: bool,
    force: bool,
    remove_first: bool,
    hard: bool,
    symbolic: bool,
    attributes_only: bool,
    verbose: bool,
    backup: Option<Backup>,
    /// Copies of files with more than one name.
    copied: BTreeMap<Ino, BString>,
}

const KNOWN: Known = Known {
    short: "abdfiHlLnPpRrsS:t:TuvxZ",
    long: &[
        ("archive", 'a'),
        ("attributes-only", 'A'),
        ("backup=?", 'B'),
        ("dereference", 'L'),
        ("force", 'f'),
        ("interactive", 'i'),
        ("link", 'l'),
        ("no-clobber", 'n'),
        ("no-dereference", 'P'),
        ("no-preserve=", 'N'),
        ("no-target-directory", 'T'),
        ("one-file-system", 'x'),
        ("parents", 'D'),
        ("preserve=?", 'k'),
        ("recursive", 'R'),
        ("reflink=?", 'F'),
        ("remove-destination", 'X'),
        ("sparse=", 'z'),
        ("strip-trailing-slashes", 'y'),
        ("suffix=", 'S'),
        ("symbolic-link", 's'),
        ("target-directory=", 't'),
        ("update=?", 'u'),
        ("verbose", 'v'),
    ],
};

fn keeps(keep: &mut Keep, list: &[u8], on: bool) -> Result<(), Stop> {
    for name in list.split(|&b| b == b',') {
        match name {
            b"mode" => keep.mode = on,
            b"ownership" => keep.owner = on,
            b"timestamps" => keep.time = on,
            b"links" => keep.links = on,
            b"xattr" => keep.attributes = on,
            // There is no such context in a tree.
            b"context" => {}
            b"all" => {
                *keep = Keep {
                    mode: on,
                    owner: on,
                    time: on,
                    links: on,
                    attributes: on,
                }
            }
            _ => {
                let name = name.as_bstr();
                return Err(Stop::unsupported(format!("cp can't preserve {name}")));
            }
        }
    }
    Ok(())
}

impl Way {
    fn of(process: &Process<'_, '_>, parsed: &Parsed) -> Result<Self, Stop> {
        let mut way = Self {
            recursive: parsed.has("aRr"),
            follow: Follow::Never,
            keep: Keep::default(),
            plain_mode: false,
            never_replace: false,
            update: false,
            force: parsed.has("f"),
            remove_first: parsed.has("X"),
            hard: parsed.has("l"),
            symbolic: parsed.has("s"),
            attributes_only: parsed.has("A"),
            verbose: parsed.has("v"),
            backup: Backup::of(process, parsed)?,
            copied: BTreeMap::new(),
        };
        let mut follow = None;
        for (option, value) in &parsed.options {
            let value = value.as_ref().map(|value| &value[..]);
            match option {
                'a' => {
                    follow = Some(Follow::Never);
                    keeps(&mut way.keep, b"all", true)?;
                }
                'd' => {
                    follow = Some(Follow::Never);
                    way.keep.links = true;
                }
                'H' => follow = Some(Follow::Named),
                'L' => follow = Some(Follow::Always),
                'P' => follow = Some(Follow::Never),
                'p' => keeps(&mut way.keep, b"mode,ownership,timestamps", true)?,
                'k' => {
                    let list = value.unwrap_or(b"mode,ownership,timestamps");
                    keeps(&mut way.keep, list, true)?;
                }
                'N' => {
                    let list = value.unwrap_or_default();
                    keeps(&mut way.keep, list, false)?;
                    let mut none = Keep::default();
                    keeps(&mut none, list, true)?;
                    way.plain_mode |= none.mode;
                }
                'n' => way.never_replace = true,
                'u' => match value {
                    None | Some(b"older") => way.update = true,
                    Some(b"none") => way.never_replace = true,
                    Some(b"all") => {}
                    _ => return Err(Stop::unsupported("this form of --update is not known")),
                },
                'f' => way.never_replace = false,
                'i' => return Err(Stop::unsupported("cp -i asks, and nobody answers")),
                _ => {}
            }
        }
        way.follow = follow.unwrap_or(if way.recursive && !way.hard {
            Follow::Never
        } else {
            Follow::Always
        });
        Ok(way)
    }
}

fn cp(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(&process.args[1..], &KNOWN)?;
    let mut way = Way::of(process, &parsed)?;
    let Some((operands, folder)) = targets(process, &parsed)? else {
        return Ok(Status::FAILED);
    };
    let sources = match &folder {
        Some(_) => &operands[..],
        None => &operands[..operands.len() - 1],
    };
    let mut fine = true;
    for source in sources {
        let target = match &folder {
            Some(folder) if parsed.has("D") => {
                let target = BString::from([folder, "/".as_bytes(), source].concat());
                let mode = 0o777 & !process.umask;
                if let Err(error) = make_parents(process, &target, mode, false) {
                    return failed(process, format_args!("cannot make '{target}': {error}"));
                }
                target
            }
            Some(folder) if trimmed(source).ends_with(b"..") => folder.clone(),
            Some(folder) if super::names::base_name(source) == b"." => folder.clone(),
            Some(folder) => inside(folder, source),
            None if parsed.has("D") => {
                return failed(
                    process,
                    "with --parents, the destination must be a directory",
                );
            }
            None => operands[operands.len() - 1].clone(),
        };
        let (from, to) = (process.path(source), process.path(&target));
        let names = (source.clone(), target);
        fine &= one(process, &mut way, (&from, &to), &names, 0)?;
    }
    Ok(if fine { Status::OK } else { Status::FAILED })
}

/// Copies `from` to `to`, which are called `names`. Says whether all went well.
fn one(
    process: &mut Process<'_, '_>,
    way: &mut Way,
    (from, to): (&BString, &BString),
    names: &(BString, BString),
    depth: usize,
) -> Result<bool, Stop> {
    process.machine.spend(1)?;
    match copy(process, way, (from, to), names, depth)? {
        Ok(fine) => Ok(fine),
        Err(message) => {
            process.complain(message);
            Ok(false)
        }
    }
}

fn copy(
    process: &mut Process<'_, '_>,
    way: &mut Way,
    (from, to): (&BString, &BString),
    names: &(BString, BString),
    depth: usize,
) -> Result<Result<bool, String>, Stop> {
    let (source, target) = names;
    let follow = match way.follow {
        Follow::Never => false,
        Follow::Named => depth == 0,
        Follow::Always => true,
    };
    let device = from.starts_with(b"/dev/") || from.starts_with(b"/proc/self/fd/");
    let files = &mut process.machine.files;
    let stat = match files.stat(from, follow) {
        Ok(stat) => stat,
        Err(_) if device && !way.recursive => return Ok(stream(process, way, from, to)),
        Err(error) => return Ok(Err(format!("cannot stat '{source}': {error}"))),
    };
    if device && stat.kind == b'c' && !way.recursive {
        return Ok(stream(process, way, from, to));
    }
    if stat.kind == b'd' {
        if !way.recursive {
            return Ok(Err(format!(
                "-r not specified; omitting directory '{source}'"
            )));
        }
        return folder(process, way, (from, to), names, &stat, depth);
    }
    let followed = files.stat(to, true);
    // Whether the name itself counts, rather than what it leads to.
    let by_name =
        stat.kind != b'f' || way.hard || way.symbolic || way.remove_first || way.backup.is_some();
    let mut there = files.stat(to, false).ok();
    if to.ends_with(b"/") && !files.is_directory(to) {
        let error = Errno::NotDirectory;
        return Ok(Err(format!(
            "cannot create regular file '{target}': {error}"
        )));
    }
    if let Some(name) = &there {
        let old = if by_name { Ok(name.clone()) } else { followed };
        if way.never_replace {
            return Ok(Ok(true));
        }
        match old {
            Ok(old) if old.kind == b'd' => {
                return Ok(Err(format!(
                    "cannot overwrite directory '{target}' with non-directory"
                )));
            }
            Ok(old) => {
                let same = old.ino == stat.ino;
                if same && way.hard {
                    return Ok(Ok(true));
                }
                let one_name = files.resolve(from, false) == files.resolve(to, false);
                if same && (one_name || (!by_name && way.backup.is_none())) {
                    return Ok(Err(format!("'{source}' and '{target}' are the same file")));
                }
                if way.update {
                    if old.mtime > stat.mtime {
                        return Ok(Ok(true));
                    }
                    if old.mtime == stat.mtime {
                        if old.mtime == process.machine.files.epoch() {
                            let what = "cp -u compares two files of the same second";
                            return Err(Stop::unsupported(what));
                        }
                        return Ok(Ok(true));
                    }
                }
            }
            Err(_) => {
                return Ok(Err(format!(
                    "not writing through dangling symlink '{target}'"
                )));
            }
        }
        let files = &mut process.machine.files;
        let linked = way.keep.links && files.link_count(name.ino) > 1;
        let gone = if let Some(how) = &way.backup {
            backup(process, how, to).map(|()| true)
        } else if way.remove_first
            || (way.follow == Follow::Never && stat.kind != b'f')
            || (by_name && way.force)
            || linked
        {
            files.unlink(to).map(|()| true)
        } else {
            Ok(false)
        };
        match gone {
            Ok(true) => there = None,
            Ok(false) => {}
            Err(error) => return Ok(Err(format!("cannot remove '{target}': {error}"))),
        }
    }
    if way.verbose {
        process.out(format!("'{source}' -> '{target}'\n"));
    }
    let done = file(process, way, (from, to), source, &stat, there.is_some());
    Ok(done
        .map(|()| true)
        .map_err(|error| format!("cannot create '{target}': {error}")))
}

/// Copies what can only be read, as `/dev/null` or `/dev/stdin`.
fn stream(
    process: &mut Process<'_, '_>,
    way: &Way,
    from: &BString,
    to: &BString,
) -> Result<bool, String> {
    if way.never_replace && process.machine.files.exists(to) {
        return Ok(true);
    }
    let copied = process.open(from, Open::Read).and_then(|fd| {
        let bytes = process.rest(&fd);
        let mode = 0o666 & !process.umask;
        process.machine.files.write(to, bytes, mode)
    });
    copied
        .map(|_| true)
        .map_err(|error| format!("cannot copy '{from}': {error}"))
}

/// Copies one that is no folder; what was in the way is gone, or is written to.
fn file(
    process: &mut Process<'_, '_>,
    way: &mut Way,
    (from, to): (&BString, &BString),
    source: &BString,
    stat: &Stat,
    there: bool,
) -> Result<(), Errno> {
    let umask = process.umask;
    let files = &mut process.machine.files;
    if way.hard {
        let (real, _) = files.resolve(from, way.follow == Follow::Always)?;
        return files.hard_link(&[b"/", real.as_bytes()].concat(), to);
    }
    if way.symbolic {
        return files.symlink(source, to);
    }
    if way.keep.links {
        if let Some(copy) = way.copied.get(&stat.ino) {
            if there {
                files.unlink(to)?;
            }
            return files.hard_link(copy, to);
        }
        way.copied.insert(stat.ino, to.clone());
    }
    match stat.kind {
        b'l' => {
            let target = files.read_link(from)?;
            files.symlink(&target, to)?;
        }
        b'f' => {
            let mode = if way.plain_mode {
                0o666
            } else {
                stat.mode & 0o777
            };
            let ino = files.create(to, mode & !umask)?;
            if !way.attributes_only {
                files.share(stat.ino, ino)?;
            }
            if way.keep.attributes {
                let node = files.node(from).map(|node| node.meta.xattrs.clone());
                for (name, value) in node.unwrap_or_default() {
                    files.set_xattr(to, &name, Some(value))?;
                }
            }
        }
        _ => {
            let Some(mut node) = files.lnode(from).cloned() else {
                return Err(Errno::NoEntry);
            };
            node.meta.mode &= !umask;
            (node.meta.uid, node.meta.gid) = (0, files.group_for(to));
            node.meta.mtime = files.epoch();
            files.insert(to, node)?;
        }
    }
    metadata(process, way, to, stat)
}

/// Gives the copy at `to` what is kept of `stat`.
fn metadata(process: &mut Process<'_, '_>, way: &Way, to: &[u8], stat: &Stat) -> Result<(), Errno> {
    let files = &mut process.machine.files;
    let link = stat.kind == b'l';
    if way.keep.owner {
        files.chown(to, Some(stat.uid), Some(stat.gid), !link)?;
    }
    if way.keep.time {
        files.set_time(to, stat.mtime, !link)?;
    }
    if way.keep.mode && !link {
        files.chmod(to, stat.mode)?;
    }
    Ok(())
}

fn folder(
    process: &mut Process<'_, '_>,
    way: &mut Way,
    (from, to): (&BString, &BString),
    (source, target): &(BString, BString),
    stat: &Stat,
    depth: usize,
) -> Result<Result<bool, String>, Stop> {
    if depth > DEPTH {
        return Err(Stop::unsupported("cp goes too deep"));
    }
    let umask = process.umask;
    let files = &mut process.machine.files;
    let to: BString = trimmed(to).into();
    let mut new = false;
    match files.stat(&to, false) {
        Ok(there) if there.kind == b'd' => {}
        Ok(there)
            if there.kind == b'l'
                && depth == 0
                && files.is_directory(&to)
                && target.ends_with(b"/") => {}
        Ok(_) => {
            return Ok(Err(format!(
                "cannot overwrite non-directory '{target}' with directory '{source}'"
            )));
        }
        Err(_) => {
            let mode = if way.plain_mode {
                0o777
            } else {
                stat.mode & 0o1777
            };
            if let Err(error) = files.mkdir(&to, mode & !umask) {
                return Ok(Err(format!("cannot create directory '{target}': {error}")));
            }
            new = true;
        }
    }
    let within = match (files.resolve(from, true), files.resolve(&to, true)) {
        (Ok((from, _)), Ok((to, _))) => to.is_within(&from),
        _ => false,
    };
    if within {
        if new {
            let _ = files.rmdir(&to);
        }
        return Ok(Err(format!(
            "cannot copy a directory, '{source}', into itself, '{target}'"
        )));
    }
    if way.verbose && new {
        process.out(format!("'{source}' -> '{target}'\n"));
    }
    let names = match process.machine.files.list(from) {
        Ok(names) => names,
        Err(error) => return Ok(Err(format!("cannot read '{source}': {error}"))),
    };
    let mut fine = true;
    for name in names {
        let join = |folder: &BString| BString::from([trimmed(folder), b"/", &name].concat());
        let called = (join(source), join(target));
        fine &= one(process, way, (&join(from), &join(&to)), &called, depth + 1)?;
    }
    let way = &*way;
    if !new && !way.keep.mode && !way.keep.owner && !way.keep.time {
        return Ok(Ok(fine));
    }
    if way.keep.attributes {
        let files = &mut process.machine.files;
        let xattrs = files.node(from).map(|node| node.meta.xattrs.clone());
        for (name, value) in xattrs.unwrap_or_default() {
            let _ = files.set_xattr(&to, &name, Some(value));
        }
    }
    let kept = metadata(process, way, &to, stat);
    Ok(kept
        .map(|()| fine)
        .map_err(|error| format!("preserving '{target}': {error}")))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    fn mode(machine: &crate::Machine<'_>, path: &str) -> u32 {
        machine
            .files
            .stat(path.as_bytes(), false)
            .expect("a file")
            .mode
    }

    #[test]
    fn files_are_copied_with_the_right_modes() {
        let mut machine = machine();
        machine.put("/a/f", "one", 0o4775);
        machine.run(&["chown", "5:6", "/a/f"]);
        machine.run(&["chmod", "4775", "/a/f"]);
        assert_eq!(machine.run(&["cp", "/a/f", "/a/g"]).status, 0);
        assert_eq!(mode(&machine, "/a/g"), 0o755);
        assert_eq!(machine.run(&["cp", "-p", "/a/f", "/a/h"]).status, 0);
        let stat = machine.files.stat(b"/a/h", false).expect("a file");
        assert_eq!((stat.mode, stat.uid, stat.gid), (0o4775, 5, 6));
        // Writing to one that is there changes nothing but its bytes.
        machine.put("/a/k", "two", 0o600);
        machine.run(&["ln", "-s", "k", "/a/l"]);
        assert_eq!(machine.run(&["cp", "/a/f", "/a/l"]).status, 0);
        assert_eq!(
            (machine.text("/a/k"), mode(&machine, "/a/k")),
            ("one".into(), 0o600)
        );
        assert_eq!(machine.run(&["cp", "/a/f", "/a/f"]).status, 1);
        assert_eq!(machine.run(&["cp", "/a", "/b"]).status, 1);
        assert_eq!(machine.run(&["cp", "/dev/null", "/a/n"]).status, 0);
        assert_eq!(machine.text("/a/n"), "");
        machine.run(&["ln", "-s", "none", "/a/d"]);
        assert_eq!(machine.run(&["cp", "/a/f", "/a/d"]).status, 1);
        assert_eq!(machine.run(&["cp", "-f", "/a/f", "/a/d"]).status, 1);
        assert_eq!(
            machine
                .run(&["cp", "--remove-destination", "/a/f", "/a/d"])
                .status,
            0
        );
        assert_eq!(machine.text("/a/d"), "one");
    }

    #[test]
    fn folders_are_copied_with_links() {
        let mut machine = machine();
        machine.put("/a/b/f", "f", 0o640);
        machine.run(&["ln", "/a/b/f", "/a/b/g"]);
        machine.run(&["ln", "-s", "b/f", "/a/l"]);
        machine.run(&["chmod", "2770", "/a/b"]);
        assert_eq!(machine.run(&["cp", "-a", "/a", "/n"]).status, 0);
        assert_eq!(machine.files.read_link(b"/n/l").expect("a link"), "b/f");
        assert_eq!(
            machine.files.find(b"/n/b/f", false),
            machine.files.find(b"/n/b/g", false)
        );
        assert_eq!(mode(&machine, "/n/b"), 0o2770);
        assert_eq!(machine.run(&["cp", "-r", "/a", "/n"]).status, 0);
        assert_eq!(mode(&machine, "/n/a/b"), 0o750);
        assert_eq!(machine.run(&["cp", "-rL", "/a/.", "/m"]).status, 0);
        assert_eq!(machine.text("/m/l"), "f");
        assert_eq!(machine.run(&["cp", "-r", "/a", "/a/b"]).status, 1);
        assert_eq!(machine.run(&["cp", "-rT", "/a", "/m"]).status, 0);
        assert_eq!(machine.files.read_link(b"/m/l").expect("a link"), "b/f");
        assert_eq!(machine.run(&["cp", "--parents", "a/b/f", "/tmp"]).status, 0);
        assert_eq!(machine.text("/tmp/a/b/f"), "f");
    }
}
