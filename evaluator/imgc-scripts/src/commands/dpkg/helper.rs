//! dpkg-maintscript-helper and dpkg-realpath. Both are shell scripts in dpkg's package,
//! which an image may do without. And start-stop-daemon, for a system in which nothing runs.

use bstr::{BStr, BString};

use super::place::unknown;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "dpkg-maintscript-helper",
        origin: Origin::Essential,
        run: maintscript_helper,
    },
    Native {
        name: "dpkg-realpath",
        origin: Origin::Essential,
        run: realpath,
    },
    Native {
        name: "start-stop-daemon",
        origin: Origin::Essential,
        run: start_stop_daemon,
    },
];

/// `dpkg-maintscript-helper COMMAND PARAMETER… -- SCRIPT'S ARGUMENTS`. On a first
/// installation there is nothing of an older version that would be moved or removed.
fn maintscript_helper(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.split_off(1);
    let Some((command, rest)) = args.split_first() else {
        process.complain("error: missing command");
        return Ok(Status::FAILED);
    };
    let env = |name: &str| {
        process
            .env
            .get(BStr::new(name))
            .is_some_and(|value| !value.is_empty())
    };
    let in_script = env("DPKG_MAINTSCRIPT_NAME") && env("DPKG_MAINTSCRIPT_PACKAGE");
    let known = |command: &[u8]| {
        matches!(
            command,
            b"rm_conffile" | b"mv_conffile" | b"symlink_to_dir" | b"dir_to_symlink"
        )
    };
    if command == "supports" {
        let supported = rest.first().is_some_and(|command| known(command));
        return Ok(Status(u8::from(!(supported && in_script))));
    }
    if !known(command) {
        return Err(Stop::unsupported(format!(
            "the command {command} is not known"
        )));
    }
    let dashes = rest.iter().position(|arg| arg == "--");
    let script = dashes.map_or(&[][..], |at| &rest[at + 1..]);
    let absolute = rest.first().is_some_and(|path| path.starts_with(b"/"));
    if script.first().is_none_or(|action| action.is_empty()) || !absolute || !in_script {
        process.complain(format_args!("error: {command} is called wrongly"));
        return Ok(Status::FAILED);
    }
    // Triggers are no installation: their names stand where else the old version is.
    if script[0] == "triggered" {
        return Ok(Status::OK);
    }
    let upgrade = script.get(1).is_some_and(|version| !version.is_empty());
    let path = rest.first().cloned().unwrap_or_default();
    let backup = [path.as_slice(), b".dpkg-backup"].concat();
    if upgrade || process.machine.files.lnode(&backup).is_some() {
        return Err(Stop::unsupported("an upgrade is not known"));
    }
    Ok(Status::OK)
}

/// `dpkg-realpath [--root DIR] [--zero] PATH`
fn realpath(process: &mut Process<'_, '_>) -> Outcome {
    let mut end = "\n";
    let mut paths: Vec<BString> = Vec::new();
    let mut args = process.args.split_off(1).into_iter();
    while let Some(arg) = args.next() {
        match arg.as_slice() {
            b"-z" | b"--zero" => end = "\0",
            b"--root" | b"--instdir" => {
                let root = args.next().unwrap_or_default();
                if !matches!(root.as_slice(), b"" | b"/") {
                    return Err(Stop::unsupported(format!("the root {root} is not known")));
                }
            }
            b"--root=" | b"--instdir=" | b"--root=/" | b"--instdir=/" => {}
            b"--" => paths.extend(args.by_ref()),
            other if other.starts_with(b"-") => return Err(unknown(&arg)),
            _ => paths.push(arg),
        }
    }
    let [path] = paths.as_slice() else {
        process.complain("error: missing pathname");
        return Ok(Status::FAILED);
    };
    let path = process.path(path);
    let resolved = match process.machine.files.resolve(&path, true) {
        Ok((resolved, _)) => resolved,
        Err(error) => {
            process.complain(format_args!("error: {path}: {error}"));
            return Ok(Status::FAILED);
        }
    };
    process.out([b"/", resolved.as_bytes(), end.as_bytes()].concat());
    Ok(Status::OK)
}

/// A stand-in, as mmdebstrap puts one in the program's place: it does nothing, and that
/// always works.
fn start_stop_daemon(process: &mut Process<'_, '_>) -> Outcome {
    process.err("Warning: Fake start-stop-daemon called, doing nothing\n");
    Ok(Status::OK)
}
