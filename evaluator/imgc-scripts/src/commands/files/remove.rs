//! rm and unlink.

use bstr::ByteSlice as _;

use super::failed;
use super::folders::trimmed;
use super::options::{Known, parse};
use crate::Errno;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "rm",
        origin: Origin::Essential,
        run: rm,
    },
    Native {
        name: "unlink",
        origin: Origin::Essential,
        run: unlink,
    },
];

fn rm(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "dfrRvi",
        long: &[
            ("dir", 'd'),
            ("force", 'f'),
            ("recursive", 'r'),
            ("verbose", 'v'),
            ("preserve-root=?", 'p'),
            ("one-file-system", 'x'),
            ("interactive=", 'I'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.last("fiI") == Some('i') {
        return Err(Stop::unsupported("rm -i asks, and nobody answers"));
    }
    if parsed.last("fiI") == Some('I') && parsed.value('I').is_some_and(|when| when != "never") {
        return Err(Stop::unsupported(
            "rm --interactive asks, and nobody answers",
        ));
    }
    let force = parsed.has("f");
    if parsed.operands.is_empty() && !force {
        return failed(process, "missing operand");
    }
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let removed = one(
            process,
            operand,
            parsed.has("rR"),
            parsed.has("d"),
            parsed.has("v"),
        )?;
        match removed {
            Ok(()) => {}
            Err(Errno::NoEntry | Errno::NotDirectory) if force => {}
            Err(error) => {
                process.complain(format_args!("cannot remove '{operand}': {error}"));
                status = Status::FAILED;
            }
        }
    }
    Ok(status)
}

/// Removes one operand. The outer error is a stop.
fn one(
    process: &mut Process<'_, '_>,
    operand: &[u8],
    recursive: bool,
    empty: bool,
    verbose: bool,
) -> Result<Result<(), Errno>, Stop> {
    let path = process.path(operand);
    let name = base(trimmed(operand));
    if recursive && (name == b"." || name == b"..") {
        return Ok(Err(Errno::Invalid));
    }
    let shown = trimmed(operand).as_bstr();
    let files = &mut process.machine.files;
    let stat = match files.stat(trimmed(&path), false) {
        Ok(stat) => stat,
        Err(error) => return Ok(Err(error)),
    };
    if stat.kind != b'd' {
        // A link with a slash behind it is neither a folder nor removed.
        if path.ends_with(b"/") {
            return Ok(Err(Errno::NotDirectory));
        }
        let done = files.unlink(&path);
        if verbose && done.is_ok() {
            process.out(format!("removed '{shown}'\n"));
        }
        return Ok(done);
    }
    let mut said = Vec::new();
    let done = if recursive {
        said = below(process, trimmed(&path), trimmed(operand))?;
        process.machine.files.remove_all(trimmed(&path))
    } else if empty {
        files.rmdir(trimmed(&path))
    } else {
        Err(Errno::IsDirectory)
    };
    if verbose && done.is_ok() {
        for line in said {
            process.out(line);
        }
        process.out(format!("removed directory '{shown}'\n"));
    }
    Ok(done)
}

/// What is said of everything below a folder, in the order in which it goes; counted.
fn below(process: &mut Process<'_, '_>, path: &[u8], shown: &[u8]) -> Result<Vec<String>, Stop> {
    let mut said = Vec::new();
    for name in process.machine.files.list(path).unwrap_or_default() {
        process.machine.spend(1)?;
        let join = |folder: &[u8]| [folder, b"/", &name[..]].concat();
        let (path, shown) = (join(path), join(shown));
        let folder = process
            .machine
            .files
            .stat(&path, false)
            .is_ok_and(|stat| stat.kind == b'd');
        if folder {
            said.extend(below(process, &path, &shown)?);
            said.push(format!("removed directory '{}'\n", shown.as_bstr()));
        } else {
            said.push(format!("removed '{}'\n", shown.as_bstr()));
        }
    }
    Ok(said)
}

fn unlink(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(
        &process.args[1..],
        &Known {
            short: "",
            long: &[],
        },
    )?;
    let [operand] = parsed.operands.as_slice() else {
        return failed(process, "one operand is wanted");
    };
    let path = process.path(operand);
    match process.machine.files.unlink(&path) {
        Ok(()) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("cannot unlink '{operand}': {error}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn files_and_folders_are_removed_as_asked() {
        let mut machine = machine();
        machine.put("/a/b/c", "", 0o644);
        machine.run(&["ln", "-s", "/a", "/l"]);
        assert_eq!(machine.run(&["rm", "/a"]).status, 1);
        assert_eq!(machine.run(&["rm", "-rf", "/a/."]).status, 1);
        assert_eq!(machine.run(&["rm", "/none"]).status, 1);
        assert_eq!(machine.run(&["rm", "-f", "/none", "/a/b/c/d"]).status, 0);
        assert_eq!(machine.run(&["rm", "-d", "/a/b"]).status, 1);
        assert_eq!(machine.run(&["rm", "-r", "/l"]).status, 0);
        assert!(machine.files.exists(b"/a/b/c"));
        assert_eq!(machine.run(&["rm", "-r", "/a/"]).status, 0);
        assert!(!machine.files.exists(b"/a"));
        assert_eq!(machine.run(&["rm", "-f"]).status, 0);
        assert_eq!(machine.run(&["rm", "-rf", "/"]).status, 1);
    }
}
