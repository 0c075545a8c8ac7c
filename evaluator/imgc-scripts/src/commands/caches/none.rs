//! Caches that an image does not have, as they say when and on which inode they were made:
//! those of fonts and of manual pages. Their makers do nothing.

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "fc-cache",
        origin: Origin::Package,
        run: nothing,
    },
    Native {
        name: "mandb",
        origin: Origin::Package,
        run: nothing,
    },
    Native {
        name: "setpriv",
        origin: Origin::Essential,
        run: as_other,
    },
    Native {
        name: "runuser",
        origin: Origin::Essential,
        run: as_other,
    },
];

fn nothing(_process: &mut Process<'_, '_>) -> Outcome {
    Ok(Status::OK)
}

/// Runs a command as another user. Files would be that user's, so only a command that
/// makes none is known.
fn as_other(process: &mut Process<'_, '_>) -> Outcome {
    let command = process.args.iter().position(|arg| arg == "--");
    let command = command
        .and_then(|at| process.args.get(at + 1..))
        .unwrap_or_default();
    match command.first() {
        Some(program) if base(program) == b"mandb" => process.run(command.to_vec()),
        _ => Err(Stop::unsupported("a command as another user is not known")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn only_the_makers_of_caches_run_as_others() {
        let mut machine = machine();
        machine.put("/usr/bin/mandb", "", 0o755);
        let args = [
            "setpriv",
            "--reuid",
            "man",
            "--init-groups",
            "--",
            "/usr/bin/mandb",
            "-pq",
        ];
        assert_eq!(machine.run(&args).status, 0);
        assert!(
            machine
                .run_with(&["runuser", "-u", "man", "--", "touch", "/x"], "")
                .is_err()
        );
    }
}
