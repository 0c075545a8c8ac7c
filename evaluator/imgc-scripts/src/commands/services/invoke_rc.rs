//! invoke-rc.d, for an image that leaves its package out. It must not start anything: the
//! policy of a system that is being made forbids every action.

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "invoke-rc.d",
    origin: Origin::Script,
    run: invoke_rc,
}];

/// What it says of an action that the policy forbids.
const DENIED: Status = Status(101);

fn invoke_rc(process: &mut Process<'_, '_>) -> Outcome {
    let mut told = false;
    let mut words = Vec::new();
    for arg in process.args.iter().skip(1) {
        match arg.as_slice() {
            b"--disclose-deny" | b"--query" => told = true,
            b"--quiet"
            | b"--force"
            | b"--try-anyway"
            | b"--no-fallback"
            | b"--skip-systemd-native" => {}
            b"--help" if words.is_empty() => return Ok(Status::OK),
            option if option.starts_with(b"--") && words.len() < 2 => return Ok(Status(103)),
            _ => words.push(arg),
        }
    }
    Ok(match words.as_slice() {
        [] | [_] => Status(103),
        _ if told => DENIED,
        [_, action, ..] if *action == "status" => Status(4),
        _ => Status::OK,
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn no_service_starts() {
        let mut machine = machine();
        assert_eq!(
            machine
                .run(&["invoke-rc.d", "--quiet", "x", "start"])
                .status,
            0
        );
        assert_eq!(machine.run(&["invoke-rc.d", "x", "status"]).status, 4);
        let told = ["invoke-rc.d", "--disclose-deny", "x", "restart"];
        assert_eq!(machine.run(&told).status, 101);
        assert_eq!(machine.run(&["invoke-rc.d", "x"]).status, 103);
        // Where the tree has it, it is a script like others.
        machine.put("/usr/sbin/invoke-rc.d", "#!/bin/sh\nexit 7\n", 0o755);
        assert_eq!(machine.run(&["invoke-rc.d", "x", "start"]).status, 7);
        assert!(machine.run_with(&["zgrep", "x"], "").is_err());
        assert_eq!(machine.run(&["nothing-of-debian"]).status, 127);
    }
}
