//! true, false, kill, and pwd.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "true",
        origin: Origin::Essential,
        run: yes,
    },
    Native {
        name: "false",
        origin: Origin::Essential,
        run: no,
    },
    Native {
        name: "kill",
        origin: Origin::Essential,
        run: kill,
    },
    Native {
        name: "pwd",
        origin: Origin::Essential,
        run: pwd,
    },
];

/// `true`
#[expect(clippy::unnecessary_wraps, reason = "it is a command as all others")]
pub(crate) fn yes(_: &mut Process<'_, '_>) -> Outcome {
    Ok(Status::OK)
}

/// `false`
#[expect(clippy::unnecessary_wraps, reason = "it is a command as all others")]
pub(crate) fn no(_: &mut Process<'_, '_>) -> Outcome {
    Ok(Status::FAILED)
}

/// `kill`: no process runs but the one that calls it.
pub(crate) fn kill(process: &mut Process<'_, '_>) -> Outcome {
    let mut args: Vec<BString> = process.args[1..].to_vec();
    let first = args.first().cloned().unwrap_or_default();
    if first.starts_with(b"-") {
        if matches!(first.as_slice(), b"-l" | b"-L" | b"--list" | b"--table") {
            return Err(Stop::unsupported("kill -l is not known"));
        }
        args.remove(0);
        if matches!(first.as_slice(), b"-s" | b"-n" | b"--signal") && !args.is_empty() {
            args.remove(0);
        }
    }
    let mut status = Status::OK;
    for pid in args.iter().filter(|arg| *arg != "--") {
        let number: Option<i64> = pid.to_str().ok().and_then(|pid| pid.parse().ok());
        match number {
            // The machine's own numbers begin above those that a system begins with.
            Some(2..=1000) => {
                process.complain(format_args!("No such process: {pid}"));
                status = Status::FAILED;
            }
            Some(number) if number > 1000 && first != "-0" => {
                let known = u32::try_from(number).is_ok_and(|n| n <= process.machine.serial);
                if known {
                    return Err(Stop::unsupported("a signal to a process of its own"));
                }
                status = Status::FAILED;
            }
            Some(number) if number > 1000 => {
                let known = u32::try_from(number).is_ok_and(|n| n <= process.machine.serial);
                status = if known { status } else { Status::FAILED };
            }
            Some(_) => {
                return Err(Stop::unsupported(format!("a signal to the process {pid}")));
            }
            None => {
                process.complain(format_args!("Illegal number: {pid}"));
                status = Status(if pid.is_empty() { 1 } else { 2 });
            }
        }
    }
    Ok(status)
}

/// `pwd` of coreutils: without links, unless told otherwise.
fn pwd(process: &mut Process<'_, '_>) -> Outcome {
    show(process, false)
}

/// `pwd` of a shell: as `cd` was told.
pub(crate) fn pwd_of_shell(process: &mut Process<'_, '_>) -> Outcome {
    show(process, true)
}

fn show(process: &mut Process<'_, '_>, mut logical: bool) -> Outcome {
    for option in &process.args[1..] {
        match option.as_slice() {
            b"-L" | b"--logical" => logical = true,
            b"-P" | b"--physical" => logical = false,
            other if other.starts_with(b"-") && other != b"--" => {
                let other = other.as_bstr();
                return Err(Stop::unsupported(format!(
                    "the option {other} of pwd is not known"
                )));
            }
            _ => {}
        }
    }
    let cwd = process.cwd.clone();
    let mut text = cwd.clone();
    if !logical && let Ok((path, _)) = process.machine.files.resolve(&cwd, true) {
        text = path.to_string().into();
        if !text.starts_with(b"/") {
            text.insert(0, b'/');
        }
    }
    text.push(b'\n');
    process.out(&text);
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn says_what_is() {
        let mut machine = machine();
        assert_eq!(machine.run(&["true", "x"]).status, 0);
        assert_eq!(machine.run(&["false"]).status, 1);
        assert_eq!(machine.run(&["pwd"]).out, "/\n");
        assert_eq!(
            machine
                .run(&["sh", "-c", "cd /bin; pwd; env pwd 2>/dev/null; pwd -P"])
                .out
                .lines()
                .next(),
            Some("/bin")
        );
        assert_eq!(machine.run(&["kill", "-0", "99999999"]).status, 1);
        assert!(machine.run_with(&["kill", "-TERM", "1"], "").is_err());
    }
}
