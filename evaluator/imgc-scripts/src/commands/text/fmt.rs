//! fmt, for what people read: where its lines break is told to nobody else. Where a script
//! or a file gets them, that is a stop, as the real program weighs whole paragraphs.

use std::rc::Rc;

use super::lines::inputs;
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Fd;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "fmt",
    origin: Origin::Essential,
    run,
}];

const SPEC: Spec = Spec {
    letters: "ctsup:w:g:",
    long: &[
        ("crown-margin", 'c'),
        ("prefix", 'p'),
        ("split-only", 's'),
        ("tagged-paragraph", 't'),
        ("uniform-spacing", 'u'),
        ("width", 'w'),
        ("goal", 'g'),
    ],
};

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let for_people = match (process.fds.get(&1), process.fds.get(&2)) {
        (None | Some(Fd::Null), _) => true,
        (Some(Fd::Output(out)), Some(Fd::Output(err))) => Rc::ptr_eq(out, err),
        _ => false,
    };
    if !for_people {
        return Err(Stop::unsupported("fmt is only known for messages"));
    }
    let (files, fine) = inputs(process, &given.operands)?;
    for (_, bytes) in files {
        process.out(bytes.as_slice());
    }
    Ok(Status(u8::from(!fine)))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn messages_pass_and_nothing_else() {
        let mut m = machine();
        let text = "echo a b | fmt -t -w 80 >&2";
        let ran = m.run_with(&["sh", "-c", text], "").unwrap();
        assert_eq!((ran.status, ran.err.as_str()), (0, "a b\n"));
        let text = "x=$(echo a b | fmt -w 80)";
        assert!(m.run_with(&["sh", "-c", text], "").is_err());
    }
}
