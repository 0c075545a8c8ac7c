//! Commands that look for processes, or talk to them: nothing runs.

use super::env::unknown;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "pidof",
        origin: Origin::Essential,
        run: none,
    },
    Native {
        name: "pgrep",
        origin: Origin::Package,
        run: none,
    },
    Native {
        name: "pkill",
        origin: Origin::Package,
        run: none,
    },
    Native {
        name: "killall",
        origin: Origin::Package,
        run: none,
    },
    Native {
        name: "killall5",
        origin: Origin::Essential,
        run: none,
    },
    Native {
        name: "fuser",
        origin: Origin::Package,
        run: none,
    },
    Native {
        name: "ps",
        origin: Origin::Package,
        run: ps,
    },
    Native {
        name: "logger",
        origin: Origin::Essential,
        run: logger,
    },
];

fn none(_process: &mut Process<'_, '_>) -> Outcome {
    Ok(Status::FAILED)
}

fn ps(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "p:C:o:hw",
        long: &[("pid=", 'p'), ("no-headers", 'h'), ("format=", 'o')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if !parsed.has("pC") || !parsed.operands.is_empty() {
        return Err(unknown("this form of ps"));
    }
    // A heading that is asked to be empty is not written.
    let quiet = parsed.has("h")
        || parsed
            .value('o')
            .is_some_and(|format| format.ends_with(b"="));
    if !quiet {
        process.out("    PID TTY          TIME CMD\n");
    }
    Ok(Status::FAILED)
}

fn logger(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "df:hi::n:p:P:st:TuSe",
        long: &[
            ("file=", 'f'),
            ("id=?", 'i'),
            ("priority=", 'p'),
            ("stderr", 's'),
            ("tag=", 't'),
            ("skip-empty", 'e'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let text = bstr::join(" ", &parsed.operands);
    if parsed.has("s") && !parsed.operands.is_empty() {
        let tag = parsed.value('t').cloned().unwrap_or_else(|| "root".into());
        process.err([&tag[..], b": ", &text, b"\n"].concat());
    } else if parsed.operands.is_empty() && !parsed.has("f") {
        process.stdin();
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn nothing_runs_and_logs_vanish() {
        let mut machine = machine();
        assert_eq!(machine.run(&["pidof", "-x", "cron"]).status, 1);
        assert_eq!(machine.run(&["logger", "-t", "x", "hello"]).status, 0);
        assert_eq!(
            machine.run(&["logger", "-s", "-t", "x", "a", "b"]).err,
            "x: a b\n"
        );
    }
}
