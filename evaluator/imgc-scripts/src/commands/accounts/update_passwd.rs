//! update-passwd(8): the accounts that Debian numbers for all systems.
//!
//! Where the files agree with base-passwd's masters, as on a new system, it does nothing.
//! More is not known.

use super::options::{self, Known, Takes};
use super::table::{GROUP, GSHADOW, PASSWD, Row, SHADOW, Table};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "update-passwd",
    origin: Origin::Essential,
    run: update_passwd,
}];

const OPTIONS: &[Known] = &[
    (b'n', "dry-run", Takes::Nothing),
    (b'v', "verbose", Takes::Nothing),
    (b'L', "no-locking", Takes::Nothing),
    (b's', "sanity-check", Takes::Nothing),
];

fn update_passwd(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if !given.rest.is_empty() {
        return Err(Stop::unsupported("arguments are not known"));
    }
    let mut differs = false;
    for (path, hidden, master) in [
        (PASSWD, SHADOW, "/usr/share/base-passwd/passwd.master"),
        (GROUP, GSHADOW, "/usr/share/base-passwd/group.master"),
    ] {
        let machine = &mut *process.machine;
        let bytes = machine.files.read(master.as_bytes());
        let Ok(bytes) = bytes else {
            process.complain(format_args!("{master} can't be read"));
            return Ok(Status(1));
        };
        let table = Table::load(machine, path)?;
        let hides = Table::load(machine, hidden)?.is_there();
        for line in bstr::ByteSlice::lines(bytes.as_slice()) {
            let want: Row = bstr::ByteSlice::split_str(line, ":")
                .map(Into::into)
                .collect();
            let Some(have) = want.first().and_then(|name| table.row(name)) else {
                differs = true;
                continue;
            };
            // The password, the members and, since people choose their own, the shell of
            // root and the name of root are left alone.
            let count = if path == PASSWD { 7 } else { 3 };
            let root = want[0] == "root";
            let fields = (2..count).filter(|field| !(root && *field > 3));
            differs |= fields
                .clone()
                .any(|field| want.get(field) != have.get(field));
            differs |= hides && have[1] != "x";
        }
    }
    if !differs {
        return Ok(Status::OK);
    }
    if given.has("dry-run") {
        return Ok(Status(1));
    }
    Err(Stop::unsupported("the accounts differ from base-passwd's"))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn a_new_system_agrees() {
        let mut m = machine();
        let folder = "/usr/share/base-passwd";
        m.put(
            &format!("{folder}/passwd.master"),
            "root:*:0:0:root:/root:/bin/bash\n",
            0o644,
        );
        m.put(&format!("{folder}/group.master"), "root:*:0:\n", 0o644);
        m.put(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nu:x:7:7::/:/bin/sh\n",
            0o644,
        );
        m.put("/etc/group", "root:x:0:\n", 0o644);
        assert_eq!(m.run(&["update-passwd", "--verbose"]).status, 0);
        m.put("/etc/group", "root:x:1:\n", 0o644);
        assert_eq!(m.run(&["update-passwd", "--dry-run"]).status, 1);
        m.run_with(&["update-passwd"], "").unwrap_err();
    }
}
