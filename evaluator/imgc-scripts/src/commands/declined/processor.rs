//! Tests of isa-support, which look whether the processor at hand has what a package was
//! compiled for. Images are made on any machine: the one that runs the image must have it.

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(crate) const NATIVES: &[Native] = &[
    test("test-SSE2"),
    test("test-SSE3"),
    test("test-SSE4.1"),
    test("test-SSE4.2"),
    test("test-x86-64-v2"),
    test("test-x86-64-v3"),
];

const fn test(name: &'static str) -> Native {
    Native {
        name,
        origin: Origin::Package,
        run: passed,
    }
}

fn passed(process: &mut Process<'_, '_>) -> Outcome {
    process
        .machine
        .decline("the machine that runs the image must have the processor that a package needs");
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn the_processor_is_told_of_and_not_asked() {
        let mut machine = machine();
        let program = "/usr/libexec/x86_64-linux-gnu/isa-support/test-SSE4.2";
        machine.put(program, "\u{7f}ELF\0", 0o755);
        assert_eq!(machine.run(&[program]).status, 0);
        assert_eq!(machine.declined().len(), 1);
    }
}
