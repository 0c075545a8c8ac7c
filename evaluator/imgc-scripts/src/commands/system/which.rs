//! which, as debianutils has it.

use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

/// Native for speed: it is a shell script in Debian, and scripts call it all the time.
pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "which",
        origin: Origin::Essential,
        run: which,
    },
    Native {
        name: "which.debianutils",
        origin: Origin::Essential,
        run: which,
    },
];

fn which(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(
        &process.args[1..],
        &Known {
            short: "+as",
            long: &[],
        },
    )?;
    let mut status = if parsed.operands.is_empty() {
        Status::FAILED
    } else {
        Status::OK
    };
    let folders = process
        .env
        .get(bstr::BStr::new("PATH"))
        .cloned()
        .unwrap_or_default();
    for name in &parsed.operands {
        let mut found = Vec::new();
        if name.contains(&b'/') {
            if process.is_executable(&process.path(name)) {
                found.push(name.clone());
            }
        } else if !name.is_empty() {
            for folder in folders.split(|&b| b == b':') {
                let folder = if folder.is_empty() { b"." } else { folder };
                let path = [folder, b"/", &name[..]].concat();
                if process.is_executable(&process.path(&path)) {
                    found.push(path.into());
                    if !parsed.has("a") {
                        break;
                    }
                }
            }
        }
        if found.is_empty() {
            status = Status::FAILED;
        }
        for path in found.iter().filter(|_| !parsed.has("s")) {
            process.out([&path[..], b"\n"].concat());
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn programs_are_found_in_path() {
        let mut machine = machine();
        machine.put("/usr/bin/ucf", "#!/bin/sh\n", 0o755);
        machine.put("/usr/bin/data", "", 0o644);
        assert_eq!(machine.run(&["which", "ucf"]).out, "/usr/bin/ucf\n");
        assert_eq!(
            machine.run(&["which", "-a", "ucf"]).out,
            "/usr/bin/ucf\n/bin/ucf\n"
        );
        assert_eq!(machine.run(&["which", "data"]).status, 1);
        let ran = machine.run(&["which", "none", "/bin/ucf"]);
        assert_eq!((ran.status, ran.out.as_str()), (1, "/bin/ucf\n"));
    }
}
