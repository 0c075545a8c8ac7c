//! echo, as coreutils, dash and bash have it.

use bstr::BString;

use super::printf::escape;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "echo",
    origin: Origin::Essential,
    run: bash,
}];

/// `echo` of dash: it takes `-n`, and escapes count.
pub(crate) fn dash(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = &process.args[1..];
    let mut newline = true;
    if args.first().is_some_and(|arg| arg == "-n") {
        args = &args[1..];
        newline = false;
    }
    let text = bstr::join(" ", args);
    say(process, &text, Some(false), newline)
}

/// `echo` of bash and of coreutils: it takes `-n`, `-e` and `-E`.
pub(crate) fn bash(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = &process.args[1..];
    let (mut newline, mut escapes) = (true, false);
    while let Some(option) = args.first() {
        let letters = option.strip_prefix(b"-").unwrap_or_default();
        if letters.is_empty() || !letters.iter().all(|b| b"neE".contains(b)) {
            break;
        }
        for letter in letters {
            match letter {
                b'n' => newline = false,
                b'e' => escapes = true,
                _ => escapes = false,
            }
        }
        args = &args[1..];
    }
    let text = bstr::join(" ", args);
    say(process, &text, escapes.then_some(true), newline)
}

/// Prints `text`. `escapes` says whether escapes count, and whether more than dash's.
fn say(
    process: &mut Process<'_, '_>,
    text: &[u8],
    escapes: Option<bool>,
    newline: bool,
) -> Outcome {
    let mut out = BString::default();
    let mut ended = false;
    if let Some(wide) = escapes {
        ended = escape(text, &mut out, wide);
    } else {
        out.extend_from_slice(text);
    }
    if newline && !ended {
        out.push(b'\n');
    }
    if !process.fds.contains_key(&1) {
        process.complain("I/O error");
        return Ok(Status::FAILED);
    }
    process.out(&out);
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn escapes_only_count_where_they_are_asked_for() {
        let mut machine = machine();
        for (args, out) in [
            (&["echo", "a\\tb", "c"][..], "a\\tb c\n"),
            (&["echo", "-e", "a\\tb\\x41\\0101"], "a\tbAA\n"),
            (&["echo", "-ne", "a\\cb"], "a"),
            (&["echo", "-nx", "a"], "-nx a\n"),
            (&["echo", "-E", "-e", "a\\n"], "a\n\n"),
            (&["echo"], "\n"),
        ] {
            assert_eq!(machine.run(args).out, out, "{args:?}");
        }
    }
}
