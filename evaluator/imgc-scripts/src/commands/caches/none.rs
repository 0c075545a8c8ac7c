//! Caches that an image does not have, as they say when and on which inode they were made:
//! those of fonts and of manual pages. Their makers do nothing.

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

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
];

fn nothing(_process: &mut Process<'_, '_>) -> Outcome {
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn no_cache_is_made() {
        let mut machine = machine();
        machine.put("/usr/bin/mandb", "\u{7f}ELF", 0o755);
        assert_eq!(machine.run(&["mandb", "-pq"]).status, 0);
        assert!(!machine.files.exists(b"/var/cache/man"));
    }
}
