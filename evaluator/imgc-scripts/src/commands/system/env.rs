//! env and printenv.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Environment, Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "env",
        origin: Origin::Essential,
        run: env,
    },
    Native {
        name: "printenv",
        origin: Origin::Essential,
        run: printenv,
    },
];

fn env(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+iu:C:0v",
        long: &[
            ("ignore-environment", 'i'),
            ("unset=", 'u'),
            ("chdir=", 'C'),
            ("null", '0'),
            ("debug", 'v'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let mut operands = parsed.operands.as_slice();
    let mut clean = parsed.has("i");
    if operands.first().is_some_and(|arg| arg == "-") {
        clean = true;
        operands = &operands[1..];
    }
    let mut env = match clean {
        true => Environment::new(),
        false => Environment::clone(&process.env),
    };
    for (_, name) in parsed.options.iter().filter(|(option, _)| *option == 'u') {
        env.remove(name.as_ref().map_or(b"".as_bstr(), |name| name.as_bstr()));
    }
    while let Some((name, value)) = operands.first().and_then(|arg| arg.split_once_str("=")) {
        env.insert(name.into(), value.into());
        operands = &operands[1..];
    }
    if operands.is_empty() {
        let end: u8 = if parsed.has("0") { 0 } else { b'\n' };
        let mut text = Vec::new();
        for (name, value) in &env {
            text.extend_from_slice(&[name, &b"="[..], value, &[end]].concat());
        }
        process.out(text);
        return Ok(Status::OK);
    }
    let mut cwd = process.cwd.clone();
    if let Some(folder) = parsed.value('C') {
        let path = process.path(folder);
        if !process.machine.files.is_directory(&path) {
            process.complain(format_args!("cannot change directory to '{folder}'"));
            return Ok(Status(125));
        }
        cwd = path;
    }
    let mut child = process.child(operands.to_vec());
    child.env = Rc::new(env);
    child.cwd = cwd;
    child.start()
}

fn printenv(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+0",
        long: &[("null", '0')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let end: u8 = if parsed.has("0") { 0 } else { b'\n' };
    let mut status = Status::OK;
    let mut text = Vec::new();
    if parsed.operands.is_empty() {
        for (name, value) in &*process.env {
            text.extend_from_slice(&[name, &b"="[..], value, &[end]].concat());
        }
    }
    for name in &parsed.operands {
        match process.env.get(name) {
            Some(value) => text.extend_from_slice(&[&value[..], &[end]].concat()),
            None => status = Status::FAILED,
        }
    }
    process.out(text);
    Ok(status)
}

/// The program that a wrapper runs, or that it lacks one.
pub(super) fn wrapped(process: &mut Process<'_, '_>, args: &[BString]) -> Outcome {
    if args.is_empty() {
        return failed(process, "missing operand");
    }
    process.run(args.to_vec())
}

/// The error of a form of a command that is not known.
pub(super) fn unknown(form: &str) -> Stop {
    Stop::unsupported(format!("{form} is not known"))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn the_environment_is_changed_for_one_command() {
        let mut machine = machine();
        assert_eq!(
            machine.run(&["env", "-i", "A=1", "B=x y"]).out,
            "A=1\nB=x y\n"
        );
        assert_eq!(machine.run(&["env", "A=1", "printenv", "A"]).out, "1\n");
        assert_eq!(
            machine
                .run(&["env", "-u", "PATH", "-u", "LC_ALL", "A=1"])
                .out,
            "A=1\n"
        );
        assert_eq!(machine.run(&["env", "-", "A=1"]).out, "A=1\n");
        assert_eq!(machine.run(&["printenv", "NONE"]).status, 1);
        assert_eq!(machine.run(&["env", "no-such-command"]).status, 127);
    }
}
