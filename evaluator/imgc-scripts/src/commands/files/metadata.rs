//! chmod, chown and chgrp.

use bstr::{BStr, BString};

use super::failed;
use super::folders::trimmed;
use super::modes::Change;
use super::options::{Known, Parsed, parse};
use super::owners::{group_id, owner_and_group};
use crate::Errno;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "chmod",
        origin: Origin::Essential,
        run: chmod,
    },
    Native {
        name: "chown",
        origin: Origin::Essential,
        run: chown,
    },
    Native {
        name: "chgrp",
        origin: Origin::Essential,
        run: chown,
    },
];

/// Whether `arg` is a mode that looks like an option: `-w`, `-x,u+r`.
fn is_mode(arg: &[u8]) -> bool {
    let text = arg.strip_prefix(b"-").unwrap_or_default();
    text.first().is_some_and(|b| b"rwxXst,ugoa=0".contains(b)) && Change::parse(arg).is_some()
}

fn chmod(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "Rcfvh",
        long: &[
            ("recursive", 'R'),
            ("changes", 'c'),
            ("silent", 'f'),
            ("quiet", 'f'),
            ("verbose", 'v'),
            ("reference=", 'r'),
            ("preserve-root", 'p'),
            ("no-preserve-root", 'P'),
        ],
    };
    let mut args = process.args[1..].to_vec();
    let end = args
        .iter()
        .position(|arg| arg == "--")
        .unwrap_or(args.len());
    let dashed = args[..end].iter().position(|arg| is_mode(arg));
    let dashed = dashed.map(|at| args.remove(at));
    let strict = dashed.is_some();
    let mut parsed = parse(&args, &known)?;
    if parsed.has("cv") {
        return Err(Stop::unsupported("chmod -c and -v are not known"));
    }
    let change = if let Some(reference) = parsed.value('r') {
        let path = process.path(reference);
        match process.machine.files.stat(&path, true) {
            Ok(stat) => Change::parse(format!("{:05o}", stat.mode).as_bytes()),
            Err(error) => {
                return failed(
                    process,
                    format_args!("failed to get attributes of '{reference}': {error}"),
                );
            }
        }
    } else {
        let text = match dashed {
            Some(text) => text,
            None if parsed.operands.is_empty() => return failed(process, "missing operand"),
            None => parsed.operands.remove(0),
        };
        let change = Change::parse(&text);
        if change.is_none() {
            return failed(process, format_args!("invalid mode: '{text}'"));
        }
        change
    };
    let Some(change) = change else {
        return failed(process, "invalid mode");
    };
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    let quiet = parsed.has("f");
    let mut surprised = false;
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let mut todo = vec![(process.path(operand), true)];
        while let Some((path, first)) = todo.pop() {
            process.machine.spend(1)?;
            let files = &mut process.machine.files;
            let changed = files.stat(&path, false).and_then(|own| {
                // Links below are left alone; one that is named is followed.
                if own.kind == b'l' && (!first || parsed.has("h")) {
                    return Ok(None);
                }
                let stat = files.stat(&path, true)?;
                let mode = change.apply(stat.mode, stat.kind == b'd', process.umask);
                if mode != stat.mode {
                    files.chmod(&path, mode)?;
                }
                // `-w` under a umask leaves bits that one would expect to be gone.
                let expected = change.apply(stat.mode, stat.kind == b'd', 0);
                surprised |= strict && mode & !expected != 0;
                Ok(Some(stat))
            });
            match changed {
                Ok(Some(stat)) if stat.kind == b'd' && parsed.has("R") => {
                    todo.extend(below(process, &path).into_iter().map(|path| (path, false)));
                }
                Ok(_) => {}
                Err(error) => {
                    if !quiet {
                        process.complain(format_args!("cannot access '{operand}': {error}"));
                    }
                    status = Status::FAILED;
                }
            }
        }
    }
    Ok(if surprised { Status::FAILED } else { status })
}

/// What is directly in a folder.
fn below(process: &Process<'_, '_>, path: &BString) -> Vec<BString> {
    let names = process.machine.files.list(path).unwrap_or_default();
    let join = |name: BString| [trimmed(path), b"/", &name].concat().into();
    names.into_iter().rev().map(join).collect()
}

fn chown(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "RcfhvHLP",
        long: &[
            ("recursive", 'R'),
            ("changes", 'c'),
            ("silent", 'f'),
            ("quiet", 'f'),
            ("verbose", 'v'),
            ("dereference", 'd'),
            ("no-dereference", 'h'),
            ("from=", 'F'),
            ("reference=", 'r'),
            ("preserve-root", 'p'),
            ("no-preserve-root", 'p'),
        ],
    };
    let mut parsed = parse(&process.args[1..], &known)?;
    if parsed.has("cv") {
        return Err(Stop::unsupported("chown -c and -v are not known"));
    }
    let group = crate::process::base(&process.args[0]) == b"chgrp";
    let wanted = match parsed.value('r') {
        Some(reference) => {
            let path = process.path(reference);
            match process.machine.files.stat(&path, true) {
                Ok(stat) => ((!group).then_some(stat.uid), Some(stat.gid)),
                Err(error) => {
                    return failed(
                        process,
                        format_args!("failed to get attributes of '{reference}': {error}"),
                    );
                }
            }
        }
        None if parsed.operands.is_empty() => return failed(process, "missing operand"),
        None => {
            let text = parsed.operands.remove(0);
            match owners(process, &text, group) {
                Ok(wanted) => wanted,
                Err(message) => return failed(process, message),
            }
        }
    };
    let from = match parsed.value('F') {
        Some(text) => match owners(process, text, false) {
            Ok(from) => from,
            Err(message) => return failed(process, message),
        },
        None => (None, None),
    };
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    let way = Way::of(&parsed)?;
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let done = change_owner(process, operand, &way, wanted, from)?;
        if let Err(error) = done {
            if !parsed.has("f") {
                process.complain(format_args!("cannot access '{operand}': {error}"));
            }
            status = Status::FAILED;
        }
    }
    Ok(status)
}

type Owners = (Option<u32>, Option<u32>);

fn owners(process: &mut Process<'_, '_>, text: &BString, group: bool) -> Result<Owners, String> {
    if !group {
        return owner_and_group(process, BStr::new(text));
    }
    if text.is_empty() {
        return Ok((None, None));
    }
    let gid = group_id(process, text).ok_or_else(|| format!("invalid group: '{text}'"))?;
    Ok((None, Some(gid)))
}

/// Which links are followed.
struct Way {
    recursive: bool,
    /// Whether a link that is named is followed.
    first: bool,
    /// Whether links below are.
    rest: bool,
    /// Whether a link's target is changed rather than the link.
    target: bool,
}

impl Way {
    fn of(parsed: &Parsed) -> Result<Self, Stop> {
        let recursive = parsed.has("R");
        let walk = parsed.last("HLP").unwrap_or('P');
        let deref = parsed.last("dh");
        if recursive && walk == 'P' && deref == Some('d') {
            return Err(Stop::unsupported("-R --dereference needs -H or -L"));
        }
        Ok(Self {
            recursive,
            first: !recursive || walk != 'P',
            rest: recursive && walk == 'L',
            target: deref != Some('h') && !(recursive && walk == 'P'),
        })
    }
}

/// Changes one operand, and what is below it. The outer error is a stop.
fn change_owner(
    process: &mut Process<'_, '_>,
    operand: &BString,
    way: &Way,
    (uid, gid): Owners,
    from: Owners,
) -> Result<Result<(), Errno>, Stop> {
    let mut done = Ok(());
    let mut todo = vec![(process.path(operand), 0)];
    while let Some((path, depth)) = todo.pop() {
        process.machine.spend(1)?;
        // Links in a circle are no way down.
        if depth > 200 {
            done = Err(Errno::Loop);
            continue;
        }
        let files = &mut process.machine.files;
        let enter = if depth == 0 { way.first } else { way.rest };
        let stat = match files.stat(&path, way.target) {
            Ok(stat) => stat,
            Err(error) => {
                done = Err(error);
                continue;
            }
        };
        let fits = |have: u32, want: Option<u32>| want.is_none_or(|want| want == have);
        if fits(stat.uid, from.0)
            && fits(stat.gid, from.1)
            && let Err(error) = files.chown(&path, uid, gid, way.target)
        {
            done = Err(error);
        }
        let folder = files.stat(&path, enter).is_ok_and(|stat| stat.kind == b'd');
        if way.recursive && folder {
            todo.extend(
                below(process, &path)
                    .into_iter()
                    .map(|path| (path, depth + 1)),
            );
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn modes_change_below_a_folder_but_not_through_links() {
        let mut machine = machine();
        machine.put("/a/b/f", "", 0o600);
        machine.put("/x", "", 0o600);
        machine.run(&["ln", "-s", "/x", "/a/l"]);
        assert_eq!(machine.run(&["chmod", "-R", "go+rX", "/a"]).status, 0);
        let mode = |machine: &crate::Machine<'_>, path: &str| {
            machine
                .files
                .stat(path.as_bytes(), true)
                .expect("a file")
                .mode
        };
        assert_eq!(mode(&machine, "/a/b/f"), 0o644);
        assert_eq!(mode(&machine, "/x"), 0o600);
        assert_eq!(machine.run(&["chmod", "u+s", "/a/l"]).status, 0);
        assert_eq!(mode(&machine, "/x"), 0o4600);
        assert_eq!(machine.run(&["chmod", "-w", "/x"]).status, 0);
        assert_eq!(mode(&machine, "/x"), 0o4400);
        assert_eq!(
            machine.run(&["chmod", "--reference=/a/b/f", "/x"]).status,
            0
        );
        assert_eq!(mode(&machine, "/x"), 0o644);
        assert_eq!(machine.run(&["chmod", "-f", "644", "/none"]).status, 1);
        assert_eq!(machine.run(&["chmod", "qq", "/x"]).status, 1);
    }

    #[test]
    fn owners_change_of_links_or_targets() {
        let mut machine = machine();
        machine.put("/a/f", "", 0o4755);
        machine.put("/x", "", 0o600);
        machine.run(&["ln", "-s", "/x", "/a/l"]);
        assert_eq!(machine.run(&["chown", "-R", "5:6", "/a"]).status, 0);
        let owner = |machine: &crate::Machine<'_>, path: &str| {
            let stat = machine.files.stat(path.as_bytes(), false).expect("a file");
            (stat.uid, stat.gid)
        };
        assert_eq!(owner(&machine, "/a/l"), (5, 6));
        assert_eq!(owner(&machine, "/a/f"), (5, 6));
        assert_eq!(owner(&machine, "/x"), (0, 0));
        assert_eq!(
            machine.files.stat(b"/a/f", true).expect("a file").mode,
            0o755
        );
        assert_eq!(machine.run(&["chown", "7", "/a/l"]).status, 0);
        assert_eq!(owner(&machine, "/x"), (7, 0));
        assert_eq!(machine.run(&["chown", "-h", "8", "/a/l"]).status, 0);
        assert_eq!(owner(&machine, "/a/l"), (8, 6));
        assert_eq!(machine.run(&["chown", "--from=1", "9", "/x"]).status, 0);
        assert_eq!(owner(&machine, "/x"), (7, 0));
        assert_eq!(machine.run(&["chown", "-f", "9", "/none"]).status, 1);
    }
}
