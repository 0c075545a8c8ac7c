//! Commands that run another: nice, nohup, timeout, setsid, ionice, chrt, flock, chroot;
//! and sleep. Nothing takes time, nothing else runs, so most only pass on.

use bstr::{BString, ByteSlice as _};

use super::env::{unknown, wrapped};
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "nice",
        origin: Origin::Essential,
        run: nice,
    },
    Native {
        name: "nohup",
        origin: Origin::Essential,
        run: nohup,
    },
    Native {
        name: "timeout",
        origin: Origin::Essential,
        run: timeout,
    },
    Native {
        name: "setsid",
        origin: Origin::Essential,
        run: setsid,
    },
    Native {
        name: "ionice",
        origin: Origin::Essential,
        run: ionice,
    },
    Native {
        name: "chrt",
        origin: Origin::Essential,
        run: chrt,
    },
    Native {
        name: "flock",
        origin: Origin::Essential,
        run: flock,
    },
    Native {
        name: "chroot",
        origin: Origin::Essential,
        run: chroot,
    },
    Native {
        name: "sleep",
        origin: Origin::Essential,
        run: sleep,
    },
    Native {
        name: "stdbuf",
        origin: Origin::Essential,
        run: stdbuf,
    },
    Native {
        name: "eatmydata",
        origin: Origin::Package,
        run: nohup,
    },
];

fn nice(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = process.args[1..].to_vec();
    // The old form: nice -10 command.
    let old = args.first().and_then(|arg| arg.strip_prefix(b"-"));
    if old.is_some_and(|text| text.to_str().is_ok_and(|text| text.parse::<i32>().is_ok())) {
        args.remove(0);
    }
    let known = Known {
        short: "+n:",
        long: &[("adjustment=", 'n')],
    };
    let parsed = parse(&args, &known)?;
    if parsed.operands.is_empty() {
        process.out("0\n");
        return Ok(Status::OK);
    }
    wrapped(process, &parsed.operands)
}

fn nohup(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(
        &process.args[1..],
        &Known {
            short: "+",
            long: &[],
        },
    )?;
    wrapped(process, &parsed.operands)
}

fn timeout(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+fk:ps:v",
        long: &[
            ("foreground", 'f'),
            ("kill-after=", 'k'),
            ("preserve-status", 'p'),
            ("signal=", 's'),
            ("verbose", 'v'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    match parsed.operands.split_first() {
        Some((_, command)) if !command.is_empty() => wrapped(process, command),
        _ => failed(process, "missing operand").map(|_| Status(125)),
    }
}

fn setsid(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+cfw",
        long: &[("ctty", 'c'), ("fork", 'f'), ("wait", 'w')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.has("f") {
        return Err(unknown("setsid --fork"));
    }
    wrapped(process, &parsed.operands)
}

fn ionice(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+c:n:p:P:tu:",
        long: &[
            ("class=", 'c'),
            ("classdata=", 'n'),
            ("pid=", 'p'),
            ("ignore", 't'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.has("pPu") {
        return Ok(Status::OK);
    }
    wrapped(process, &parsed.operands)
}

fn chrt(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+bdfiorRp",
        long: &[("batch", 'b'), ("idle", 'i'), ("other", 'o'), ("pid", 'p')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.has("p") {
        return Ok(Status::OK);
    }
    match parsed.operands.split_first() {
        Some((_, command)) if !command.is_empty() => wrapped(process, command),
        _ => failed(process, "missing operand"),
    }
}

fn stdbuf(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+i:o:e:",
        long: &[("input=", 'i'), ("output=", 'o'), ("error=", 'e')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    wrapped(process, &parsed.operands)
}

fn flock(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+sexunw:oE:FcV",
        long: &[
            ("shared", 's'),
            ("exclusive", 'x'),
            ("unlock", 'u'),
            ("nonblock", 'n'),
            ("nb", 'n'),
            ("timeout=", 'w'),
            ("wait=", 'w'),
            ("close", 'o'),
            ("conflict-exit-code=", 'E'),
            ("no-fork", 'F'),
            ("verbose", 'V'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let Some((file, mut command)) = parsed.operands.split_first() else {
        return failed(process, "missing operand");
    };
    if command.is_empty() {
        // A number is a descriptor that is open. Nobody else holds a lock.
        let number = file.to_str().is_ok_and(|text| text.parse::<u32>().is_ok());
        return if number {
            Ok(Status::OK)
        } else {
            failed(process, "bad file descriptor")
        };
    }
    let path = process.path(file);
    if !process.machine.files.exists(&path) {
        let mode = 0o666 & !process.umask;
        if let Err(error) = process.machine.files.create(&path, mode) {
            process.complain(format_args!("cannot open lock file {file}: {error}"));
            return Ok(Status(66));
        }
    }
    if let [dash, text] = command
        && (dash == "-c" || dash == "--command")
    {
        return process.run(vec!["sh".into(), "-c".into(), text.clone()]);
    }
    if command.first().is_some_and(|arg| arg == "--") {
        command = &command[1..];
    }
    wrapped(process, command)
}

fn chroot(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(
        &process.args[1..],
        &Known {
            short: "+",
            long: &[("skip-chdir", 's')],
        },
    )?;
    let Some((folder, command)) = parsed.operands.split_first() else {
        return failed(process, "missing operand").map(|_| Status(125));
    };
    let path = process.path(folder);
    let root = process.machine.files.resolve(&path, true);
    match root {
        Ok((at, Some(_))) if at.is_root() => {}
        Ok((_, Some(_))) => return Err(Stop::unsupported("chroot to a folder below is not known")),
        _ => {
            process.complain(format_args!("cannot change root directory to '{folder}'"));
            return Ok(Status(125));
        }
    }
    let args: Vec<BString> = match command {
        [] => vec!["/bin/sh".into(), "-i".into()],
        command => command.to_vec(),
    };
    let mut child = process.child(args);
    if !parsed.has("s") {
        child.cwd = "/".into();
    }
    child.start()
}

fn sleep(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(
        &process.args[1..],
        &Known {
            short: "",
            long: &[],
        },
    )?;
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    for operand in &parsed.operands {
        let digits = operand.trim_end_with(|c| "smhd".contains(c));
        let number = digits
            .to_str()
            .ok()
            .and_then(|text| text.parse::<f64>().ok());
        if number.is_none_or(|number| number.is_nan() || number < 0.0) {
            return failed(process, format_args!("invalid time interval '{operand}'"));
        }
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn wrappers_pass_on() {
        let mut machine = machine();
        for args in [
            "nice -n 5 basename x",
            "nice -10 basename x",
            "nohup basename x",
            "timeout -k 1 10s basename x",
            "ionice -c3 basename x",
            "setsid -w basename x",
            "chrt -i 0 basename x",
            "flock -x /tmp/lock basename x",
            "chroot / basename x",
            "stdbuf -oL basename x",
        ] {
            let args: Vec<&str> = args.split(' ').collect();
            let ran = machine.run(&args);
            assert_eq!((ran.status, ran.out.as_str()), (0, "x\n"), "{args:?}");
        }
        assert!(machine.files.exists(b"/tmp/lock"));
        assert_eq!(machine.run(&["flock", "-n", "9"]).status, 0);
        assert_eq!(machine.run(&["sleep", "0.5s"]).status, 0);
        assert_eq!(machine.run(&["sleep", "soon"]).status, 1);
        assert_eq!(machine.run(&["chroot", "", "x"]).status, 125);
        assert!(machine.run_with(&["chroot", "/etc", "x"], "").is_err());
    }
}
