//! deb-systemd-invoke of init-system-helpers: it asks the policy, then systemctl.

use bstr::BString;

use crate::commands::accounts::options::Takes;
use crate::commands::accounts::perl;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "deb-systemd-invoke",
    origin: Origin::Essential,
    run: deb_systemd_invoke,
}];

const OPTIONS: &[perl::Known] = &[
    ("user", Takes::Nothing),
    ("system", Takes::Nothing),
    ("no-dbus", Takes::Nothing),
];

fn deb_systemd_invoke(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.get(1..).unwrap_or_default();
    if args.len() < 2 {
        process.complain("Syntax: <action> <unit file> [<unit file> ...]");
        return Ok(Status::FAILED);
    }
    let given = perl::read(args, OPTIONS)?;
    let Some((action, units)) = given.rest.split_first() else {
        return Ok(Status::FAILED);
    };
    let policy = "/usr/sbin/policy-rc.d";
    if process.is_executable(policy.as_bytes()) {
        for unit in units {
            let asked = vec![policy.into(), unit.clone(), action.clone()];
            if process.run(asked)? == Status(101) {
                process.complain(format_args!("{policy} forbids {action}"));
                return Ok(Status::OK);
            }
        }
    }
    let user = given.has("user");
    match action.as_slice() {
        // No manager of a user runs.
        _ if user => Ok(Status::OK),
        b"start" | b"restart" => start(process, action, units),
        b"daemon-reload" | b"daemon-reexec" if given.has("no-dbus") => {
            Err(Stop::unsupported("it would send a signal to process 1"))
        }
        _ => {
            let mut call: Vec<BString> = vec!["systemctl".into()];
            call.extend(given.rest.iter().cloned());
            process.run(call)
        }
    }
}

fn start(process: &mut Process<'_, '_>, action: &BString, units: &[BString]) -> Outcome {
    let mut wanted = Vec::new();
    for unit in units {
        let words = ["systemctl", "--system", "is-enabled", "--"];
        let mut call: Vec<BString> = words.map(BString::from).into();
        call.push(unit.clone());
        let (_, out) = process.capture(call)?;
        if bstr::ByteSlice::contains_str(out.as_slice(), "enabled") {
            wanted.push(unit.clone());
        } else {
            process.err(format!("{unit} is not enabled\n"));
        }
    }
    if wanted.is_empty() {
        return Ok(Status::OK);
    }
    let words = ["systemctl", "--quiet", "--system"];
    let mut call: Vec<BString> = words.map(BString::from).into();
    call.push(action.clone());
    call.extend(wanted);
    match process.run(call)? {
        Status::OK => Ok(Status::OK),
        // Perl's die, after a program that ended without an error number.
        _ => Ok(Status(1)),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn without_systemd_nothing_starts() {
        let mut m = machine();
        m.put("/usr/bin/deb-systemd-invoke", "#!/usr/bin/perl\n", 0o755);
        assert_eq!(
            m.run(&["deb-systemd-invoke", "start", "a.service"]).status,
            0
        );
        assert_eq!(
            m.run(&["deb-systemd-invoke", "--user", "daemon-reload"])
                .status,
            0
        );
        assert_eq!(m.run(&["deb-systemd-invoke", "start"]).status, 1);
    }
}
