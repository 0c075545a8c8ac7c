//! Programs of the essential set whose answer is not the tree's: by chance, or by the
//! file system that it would be on. Each says why it stops.

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "shuf",
        origin: Origin::Essential,
        run: |_| {
            Err(Stop::unsupported(
                "what comes by chance is not the same twice",
            ))
        },
    },
    Native {
        name: "du",
        origin: Origin::Essential,
        run: |_| {
            Err(Stop::unsupported(
                "the room that files take depends on their file system",
            ))
        },
    },
    Native {
        name: "chattr",
        origin: Origin::Package,
        run: chattr,
    },
];

/// The flags of a file system do not get into an image.
fn chattr(process: &mut Process<'_, '_>) -> Outcome {
    process
        .machine
        .decline("the flags of files, as chattr sets them, are not kept in an image");
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn each_says_why() {
        let mut m = machine();
        for name in ["shuf", "du"] {
            assert!(m.run_with(&[name], "").is_err(), "{name}");
        }
        m.put("/usr/bin/chattr", "\u{7f}ELF", 0o755);
        assert_eq!(m.run(&["chattr", "+C", "/tmp"]).status, 0);
        assert_eq!(m.declined().len(), 1);
    }
}
