//! mountpoint, sync and truncate, and mount and umount as far as they can't be avoided.

use bstr::ByteSlice as _;

use super::failed;
use super::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "mountpoint",
        origin: Origin::Essential,
        run: mountpoint,
    },
    Native {
        name: "mount",
        origin: Origin::Essential,
        run: mount,
    },
    Native {
        name: "umount",
        origin: Origin::Essential,
        run: mount,
    },
    Native {
        name: "sync",
        origin: Origin::Essential,
        run: sync,
    },
    Native {
        name: "truncate",
        origin: Origin::Essential,
        run: truncate,
    },
];

fn mountpoint(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "q",
        long: &[("quiet", 'q'), ("nofollow", 'n')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let [operand] = parsed.operands.as_slice() else {
        return failed(process, "bad usage");
    };
    let path = process.path(operand);
    let quiet = parsed.has("q");
    let found = process.machine.files.resolve(&path, true);
    let mounted = match found {
        Ok((at, Some(_))) => Process::is_mounted(&[b"/", at.as_bytes()].concat()),
        _ => {
            if !quiet {
                process.complain(format_args!("{operand}: No such file or directory"));
            }
            return Ok(Status::FAILED);
        }
    };
    if !quiet {
        let word = if mounted { "is" } else { "is not" };
        process.out(format!("{operand} {word} a mountpoint\n"));
    }
    Ok(if mounted { Status::OK } else { Status(32) })
}

fn mount(process: &mut Process<'_, '_>) -> Outcome {
    let name = crate::process::base(&process.args[0]).as_bstr();
    Err(Stop::unsupported(format!(
        "{name} changes the building machine"
    )))
}

fn sync(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "df",
        long: &[("data", 'd'), ("file-system", 'f')],
    };
    parse(&process.args[1..], &known)?;
    Ok(Status::OK)
}

fn truncate(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "cs:",
        long: &[("no-create", 'c'), ("size=", 's')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let size = parsed
        .value('s')
        .and_then(|text| text.to_str().ok()?.parse::<usize>().ok());
    let Some(size) = size.filter(|size| *size <= process.machine.setup.limits.file) else {
        return Err(Stop::unsupported("truncate to this size is not known"));
    };
    let mode = 0o666 & !process.umask;
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let path = process.path(operand);
        let files = &mut process.machine.files;
        if parsed.has("c") && !files.exists(&path) {
            continue;
        }
        let done = files.create(&path, mode).and_then(|ino| {
            let mut bytes = files.read_ino(ino)?.to_vec();
            bytes.resize(size, 0);
            files.set(ino, bytes)
        });
        if let Err(error) = done {
            process.complain(format_args!("cannot open '{operand}': {error}"));
            status = Status::FAILED;
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn the_kernels_folders_are_mounted() {
        let mut machine = machine();
        machine.files.mkdir_all(b"/proc", 0o555).expect("a folder");
        assert_eq!(machine.run(&["mountpoint", "-q", "/proc"]).status, 0);
        assert_eq!(machine.run(&["mountpoint", "/etc"]).status, 32);
        assert_eq!(machine.run(&["mountpoint", "-q", "/none"]).status, 1);
        assert!(machine.run_with(&["mount", "-a"], "").is_err());
        assert_eq!(machine.run(&["truncate", "-s0", "/tmp/x"]).status, 0);
        assert!(machine.files.exists(b"/tmp/x"));
    }
}
