//! perl, for the one-liners that shell helpers of Debian have, each known by its text. It
//! must not be taken for a Perl: every other program is a stop.

use bstr::ByteSlice as _;

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::{Stop, Why};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "perl",
    origin: Origin::Essential,
    run: perl,
}];

fn perl(process: &mut Process<'_, '_>) -> Outcome {
    let args: Vec<Vec<u8>> = process.args[1..].iter().map(|arg| arg.to_vec()).collect();
    let args: Vec<&[u8]> = args.iter().map(|arg| &arg[..]).collect();
    match args.as_slice() {
        [b"-e", b"" | b"1" | b"1;" | b"exit" | b"exit 0"] => Ok(Status::OK),
        // ucf: every line with all but letters, digits and `_` escaped.
        [b"-nle", b"print \"\\Q$_\\E\\n\""] => {
            let input = process.stdin();
            let mut out = Vec::new();
            for line in input.lines() {
                for &byte in line {
                    if !(byte.is_ascii_alphanumeric() || byte == b'_') {
                        out.push(b'\\');
                    }
                    out.push(byte);
                }
                out.extend_from_slice(b"\n\n");
            }
            process.out(out);
            Ok(Status::OK)
        }
        [
            b"-e" | b"-le" | b"-ne" | b"-pe" | b"-nle" | b"-ple",
            text,
            ..,
        ] => {
            let text = text.as_bstr();
            Err(Stop::unsupported(format!(
                "the Perl program {text} is not known"
            )))
        }
        [path, ..] if !path.starts_with(b"-") => {
            // A program by its path: its native, if there is one.
            let at = process.path(path);
            if process.native_of(&at).is_some() {
                return process.run(process.args[1..].to_vec());
            }
            Err(Stop::new(Why::Interpreter("perl".to_owned())))
        }
        _ => Err(Stop::unsupported("this form of perl is not known")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn known_programs_run_and_others_stop() {
        let mut machine = machine();
        assert_eq!(machine.run(&["perl", "-e", ""]).status, 0);
        let ran = machine.run_with(&["perl", "-nle", "print \"\\Q$_\\E\\n\""], "/etc/a-b_c\n");
        assert_eq!(ran.expect("no stop").out, "\\/etc\\/a\\-b_c\n\n");
        assert!(machine.run_with(&["perl", "-e", "print 1"], "").is_err());
        assert!(machine.run_with(&["perl", "/x.pl"], "").is_err());
    }
}
