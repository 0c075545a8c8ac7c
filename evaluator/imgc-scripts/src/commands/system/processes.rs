//! Commands that look for processes and their sockets, or talk to them: nothing runs.

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
        name: "ss",
        origin: Origin::Package,
        run: ss,
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

/// Lists sockets: only the heading, as there are none. A filter makes no difference.
fn ss(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "HOnralp46tuwxe",
        long: &[
            ("no-header", 'H'),
            ("oneline", 'O'),
            ("numeric", 'n'),
            ("resolve", 'r'),
            ("all", 'a'),
            ("listening", 'l'),
            ("processes", 'p'),
            ("extended", 'e'),
            ("ipv4", '4'),
            ("ipv6", '6'),
            ("tcp", 't'),
            ("udp", 'u'),
            ("raw", 'w'),
            ("unix", 'x'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let kinds = "tuwx".chars().filter(|kind| parsed.has(&kind.to_string()));
    let kinds = kinds.count();
    // The kernel's own sockets are always there.
    if kinds == 0 {
        return Err(unknown("ss for all kinds of sockets"));
    }
    if !parsed.has("H") {
        // With one kind of socket there is no column for it.
        if kinds > 1 {
            process.out("Netid ");
        }
        process.out("State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n");
    }
    Ok(Status::OK)
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
        machine.put("/usr/bin/ss", "", 0o755);
        let ran = machine.run(&["ss", "-nlt", "sport = 80"]);
        assert!(ran.out.starts_with("State ") && ran.out.lines().count() == 1);
        assert_eq!(machine.run(&["ss", "-Hnlt"]).out, "");
        assert!(machine.run_with(&["ss", "-nl"], "").is_err());
        assert_eq!(machine.run(&["pidof", "-x", "cron"]).status, 1);
        assert_eq!(machine.run(&["logger", "-t", "x", "hello"]).status, 0);
        assert_eq!(
            machine.run(&["logger", "-s", "-t", "x", "a", "b"]).err,
            "x: a b\n"
        );
    }
}
