//! `systemd-hwdb update`: the hardware database.

use crate::commands::accounts::options::{self, Known, Takes};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "systemd-hwdb",
    origin: Origin::Package,
    run: hwdb,
}];

const OPTIONS: &[Known] = &[
    (b's', "strict", Takes::Maybe),
    (0, "usr", Takes::Nothing),
    (b'r', "root", Takes::Value),
];

fn hwdb(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if given.rest.first().is_none_or(|verb| verb != "update") {
        return Err(Stop::unsupported("only the verb update is known"));
    }
    update(process)
}

/// It is left to the machine, which has hardware.
pub(super) fn update(process: &mut Process<'_, '_>) -> Outcome {
    process
        .machine
        .decline("the hardware database is made by the machine that has the hardware");
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn it_is_left_to_the_machine() {
        let mut m = machine();
        m.put("/usr/bin/systemd-hwdb", "\u{7f}ELF", 0o755);
        assert_eq!(m.run(&["systemd-hwdb", "--usr", "update"]).status, 0);
        assert_eq!(m.declined().len(), 1);
        m.run_with(&["systemd-hwdb", "query", "x"], "").unwrap_err();
    }
}
