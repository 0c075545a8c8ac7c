//! mkdir, rmdir, mkfifo and mknod.

use bstr::{BString, ByteSlice as _};
use imgc_tree::{Kind, Meta, Node};

use super::failed;
use super::modes::Change;
use super::options::{Known, parse};
use crate::Errno;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "mkdir",
        origin: Origin::Essential,
        run: mkdir,
    },
    Native {
        name: "rmdir",
        origin: Origin::Essential,
        run: rmdir,
    },
    Native {
        name: "mkfifo",
        origin: Origin::Essential,
        run: mkfifo,
    },
    Native {
        name: "mknod",
        origin: Origin::Essential,
        run: mknod,
    },
];

/// A path without slashes at its end.
pub(super) fn trimmed(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
    if end == 0 {
        &path[..path.len().min(1)]
    } else {
        &path[..end]
    }
}

fn mkdir(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "m:pvZ",
        long: &[("mode=", 'm'), ("parents", 'p'), ("verbose", 'v')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let change = match parsed.value('m') {
        Some(text) => match Change::parse(text) {
            Some(change) => Some(change),
            None => return failed(process, format_args!("invalid mode '{text}'")),
        },
        None => None,
    };
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let made = make(
            process,
            operand,
            change.as_ref(),
            parsed.has("p"),
            parsed.has("v"),
        );
        if let Err(error) = made {
            process.complain(format_args!("cannot create directory '{operand}': {error}"));
            status = Status::FAILED;
        }
    }
    Ok(status)
}

fn make(
    process: &mut Process<'_, '_>,
    operand: &BString,
    change: Option<&Change>,
    parents: bool,
    verbose: bool,
) -> Result<(), Errno> {
    let umask = process.umask;
    let path = process.path(operand);
    if parents {
        make_parents(process, operand, 0o777 & !umask | 0o300, verbose)?;
        if process.machine.files.is_directory(&path) {
            return Ok(());
        }
    }
    process.machine.files.mkdir(&path, 0o777 & !umask)?;
    if let Some(change) = change {
        let stat = process.machine.files.stat(&path, true)?;
        // Bits that the folder inherits stay, unless they are named.
        let start = 0o777 | stat.mode & 0o6000;
        let mode = change.apply(start, true, umask);
        process.machine.files.chmod(&path, mode)?;
    }
    if verbose {
        process.out(format!("mkdir: created directory '{operand}'\n"));
    }
    Ok(())
}

/// Makes the folders above `operand` that are missing.
pub(super) fn make_parents(
    process: &mut Process<'_, '_>,
    operand: &[u8],
    mode: u32,
    verbose: bool,
) -> Result<(), Errno> {
    let operand = trimmed(operand);
    for (at, _) in operand.iter().enumerate().filter(|(_, b)| **b == b'/') {
        let part = &operand[..at];
        let path = process.path(part);
        if part.is_empty() || process.machine.files.is_directory(&path) {
            continue;
        }
        process.machine.files.mkdir(&path, mode)?;
        if verbose {
            let name = process.args[0].clone();
            let name = crate::process::base(&name).as_bstr();
            process.out(format!("{name}: created directory '{}'\n", part.as_bstr()));
        }
    }
    Ok(())
}

fn rmdir(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "pv",
        long: &[
            ("parents", 'p'),
            ("verbose", 'v'),
            ("ignore-fail-on-non-empty", 'i'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let mut at: &[u8] = operand;
        loop {
            if parsed.has("v") {
                process.out(format!("rmdir: removing directory, '{}'\n", at.as_bstr()));
            }
            let path = process.path(at);
            match process.machine.files.rmdir(&path) {
                Ok(()) => {}
                Err(Errno::NotEmpty) if parsed.has("i") => break,
                Err(error) => {
                    process.complain(format_args!("failed to remove '{}': {error}", at.as_bstr()));
                    status = Status::FAILED;
                    break;
                }
            }
            let Some(slash) = trimmed(at).rfind_byte(b'/').filter(|_| parsed.has("p")) else {
                break;
            };
            at = trimmed(&at[..slash]);
            if at.is_empty() {
                break;
            }
        }
    }
    Ok(status)
}

fn mkfifo(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "m:Z",
        long: &[("mode=", 'm')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let made = node(process, operand, parsed.value('m'), Kind::Fifo)?;
        status = if made == Status::OK { status } else { made };
    }
    Ok(status)
}

fn mknod(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "m:Z",
        long: &[("mode=", 'm')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let number = |text: &BString| text.to_str().ok().and_then(|text| text.parse().ok());
    let numbers: Option<Vec<u32>> = parsed.operands.iter().skip(2).map(number).collect();
    let (name, kind) = match (parsed.operands.as_slice(), numbers.as_deref()) {
        ([name, kind], _) if kind == "p" => (name, Kind::Fifo),
        ([name, kind, ..], Some(&[major, minor])) if kind == "c" || kind == "u" => {
            (name, Kind::CharDevice { major, minor })
        }
        ([name, kind, ..], Some(&[major, minor])) if kind == "b" => {
            (name, Kind::BlockDevice { major, minor })
        }
        _ => return Err(Stop::unsupported("this form of mknod is not known")),
    };
    node(process, name, parsed.value('m'), kind)
}

fn node(
    process: &mut Process<'_, '_>,
    operand: &BString,
    mode: Option<&BString>,
    kind: Kind,
) -> Outcome {
    let change = mode.map(|text| Change::parse(text));
    let mode = match change {
        Some(None) => return failed(process, "invalid mode"),
        Some(Some(change)) => change.apply(0o666, false, process.umask),
        None => 0o666 & !process.umask,
    };
    let path = process.path(operand);
    if process.machine.files.lnode(&path).is_some() {
        return failed(process, format_args!("{operand}: {}", Errno::Exists));
    }
    let meta = Meta {
        mode,
        gid: process.machine.files.group_for(&path),
        mtime: process.machine.files.epoch(),
        ..Meta::default()
    };
    match process.machine.files.insert(&path, Node { meta, kind }) {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{operand}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn folders_are_made_with_the_modes_of_mkdir() {
        let mut machine = machine();
        assert_eq!(
            machine.run(&["mkdir", "-p", "-m", "2750", "/a/b/c"]).status,
            0
        );
        let mode = |machine: &crate::Machine<'_>, path: &str| {
            machine
                .files
                .stat(path.as_bytes(), false)
                .expect("a folder")
                .mode
        };
        assert_eq!(mode(&machine, "/a"), 0o755);
        assert_eq!(mode(&machine, "/a/b/c"), 0o2750);
        assert_eq!(machine.run(&["mkdir", "/a/b/c"]).status, 1);
        assert_eq!(
            machine.run(&["mkdir", "-p", "-m", "700", "/a/b/c/"]).status,
            0
        );
        assert_eq!(mode(&machine, "/a/b/c"), 0o2750);
        assert_eq!(machine.run(&["chgrp", "50", "/a/b/c"]).status, 0);
        assert_eq!(machine.run(&["mkdir", "-m", "755", "/a/b/c/d"]).status, 0);
        let stat = machine.files.stat(b"/a/b/c/d", false).expect("a folder");
        assert_eq!((stat.mode, stat.gid), (0o2755, 50));
        assert_eq!(machine.run(&["mkdir", "/no/where"]).status, 1);
        assert_eq!(machine.run(&["rmdir", "/a"]).status, 1);
        assert_eq!(
            machine
                .run(&["rmdir", "--ignore-fail-on-non-empty", "/a"])
                .status,
            0
        );
        assert_eq!(machine.run(&["rmdir", "-p", "a/b/c/d"]).status, 0);
        assert!(!machine.files.exists(b"/a"));
    }
}
