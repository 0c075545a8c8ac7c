//! Programs that look whether a configuration is right, and say so by their status.
//!
//! The answer is that it is. What packages bring is: else they could not be installed at
//! all. Output that a script would read is not made up.

use bstr::ByteSlice as _;

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Fd;

pub(super) const NATIVES: &[Native] = &[
    native("named-checkconf", |process| silent(process, &["-z", "-p"])),
    native("unbound-checkconf", |process| discarded(process, &[])),
    native("exim4", |process| discarded(process, &["-bV"])),
    native("nginx", |process| discarded(process, &["-t"])),
    native("proftpd", |process| discarded(process, &["-t"])),
    native("haproxy", |process| discarded(process, &["-c"])),
    native("visudo", |process| discarded(process, &["-c"])),
    native("slaptest", |process| discarded(process, &[])),
    native("chronyd", chronyd),
    native("lpstat", scheduler),
];

const fn native(name: &'static str, run: fn(&mut Process<'_, '_>) -> Outcome) -> Native {
    Native {
        name,
        origin: Origin::Package,
        run,
    }
}

/// One that says nothing where all is well, but with one of `loud`.
fn silent(process: &mut Process<'_, '_>, loud: &[&str]) -> Outcome {
    let mut args = process.args.iter().skip(1);
    if args.any(|arg| loud.iter().any(|option| arg == option)) {
        return Err(Stop::unsupported("what it prints is not known"));
    }
    Ok(Status::OK)
}

/// One that says something, to nobody; it must be called with one of `options`.
fn discarded(process: &mut Process<'_, '_>, options: &[&str]) -> Outcome {
    let mut args = process.args.iter().skip(1);
    let checks = options.is_empty() || args.any(|arg| options.iter().any(|option| arg == option));
    let nobody = matches!(process.fds.get(&1), None | Some(Fd::Null));
    let quiet = process.args.iter().any(|arg| arg == "-q");
    if !checks || !(nobody || quiet) {
        return Err(Stop::unsupported(
            "it is only known to check a configuration",
        ));
    }
    Ok(Status::OK)
}

/// `lpstat -r`: whether CUPS runs, which it does not.
fn scheduler(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = process.args[1..].iter().filter(|arg| *arg != "-h");
    if !args.any(|arg| arg == "-r") || process.args.len() > 4 {
        return Err(Stop::unsupported("lpstat is only known with -r"));
    }
    process.out("scheduler is not running\n");
    Ok(Status::OK)
}

/// `chronyd -p`: the directives of its configuration.
fn chronyd(process: &mut Process<'_, '_>) -> Outcome {
    if process.args.len() != 2 || process.args[1] != "-p" {
        return Err(Stop::unsupported("chronyd is only known with -p"));
    }
    let Ok(text) = process.machine.files.read(b"/etc/chrony/chrony.conf") else {
        process.complain("Could not open /etc/chrony/chrony.conf");
        return Ok(Status::FAILED);
    };
    for line in text.lines() {
        let words: Vec<&[u8]> = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .collect();
        let Some(first) = words.first() else { continue };
        if first.starts_with_str("#") || b"!;%".contains(&first[0]) {
            continue;
        }
        if first.eq_ignore_ascii_case(b"include") {
            return Err(Stop::unsupported("an included file of chrony is not known"));
        }
        if first.eq_ignore_ascii_case(b"confdir") {
            for folder in &words[1..] {
                let names = process.machine.files.list(folder).unwrap_or_default();
                if names.iter().any(|name| name.ends_with(b".conf")) {
                    return Err(Stop::unsupported("more files for chrony are not known"));
                }
            }
        }
        process.out(bstr::join(" ", &words));
        process.out("\n");
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn directives_are_printed() {
        let mut machine = machine();
        machine.put("/usr/sbin/chronyd", "\u{7f}ELF", 0o755);
        let text = "# user x\n\n  pool  a iburst\nuser y\nconfdir /etc/chrony/conf.d\n";
        machine.put("/etc/chrony/chrony.conf", text, 0o644);
        let ran = machine.run(&["chronyd", "-p"]);
        assert_eq!(
            ran.out,
            "pool a iburst\nuser y\nconfdir /etc/chrony/conf.d\n"
        );
        machine.put("/etc/chrony/conf.d/a.conf", "user z\n", 0o644);
        assert!(machine.run_with(&["chronyd", "-p"], "").is_err());
        assert!(machine.run_with(&["chronyd"], "").is_err());
    }

    #[test]
    fn a_configuration_is_right() {
        let mut machine = machine();
        for name in ["named-checkconf", "exim4", "nginx"] {
            machine.put(&format!("/usr/sbin/{name}"), "\u{7f}ELF", 0o755);
        }
        let mut run = |text: &str| machine.run_with(&["sh", "-c", text], "");
        assert_eq!(
            run("named-checkconf /etc/bind/named.conf").unwrap().status,
            0
        );
        assert_eq!(run("exim4 -C /x -bV >/dev/null").unwrap().status, 0);
        assert!(run("exim4 -bV | grep Berkeley").is_err());
        assert!(run("exim4 -bp >/dev/null").is_err());
        assert!(run("nginx").is_err());
        machine.put("/usr/bin/lpstat", "\u{7f}ELF", 0o755);
        let ran = machine.run(&["lpstat", "-h", "/run/cups/cups.sock", "-r"]);
        assert_eq!(ran.out, "scheduler is not running\n");
        assert!(machine.run_with(&["lpstat", "-a"], "").is_err());
    }
}
