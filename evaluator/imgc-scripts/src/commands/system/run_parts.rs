//! run-parts of debianutils.

use bstr::{BString, ByteSlice as _};
use regex::bytes::Regex;

use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Fd;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "run-parts",
    origin: Origin::Essential,
    run: run_parts,
}];

fn plain(name: &[u8], more: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || more.contains(b))
}

/// Whether a name is of the Linux Standard Base's spaces for scripts.
fn standard(name: &[u8], old: bool) -> bool {
    let lower =
        |name: &[u8], more: &[u8]| plain(name, more) && !name.iter().any(u8::is_ascii_uppercase);
    if [&b".dpkg-old"[..], b".dpkg-dist", b".dpkg-new", b".dpkg-tmp"]
        .iter()
        .any(|end| name.ends_with(end))
    {
        return false;
    }
    let parts: Vec<&[u8]> = name
        .strip_prefix(b"_")
        .unwrap_or(name)
        .split(|&b| b == b'-')
        .collect();
    let Some((last, names)) = parts.split_last() else {
        return false;
    };
    let base = !names.is_empty() && lower(last, b"") && names.iter().all(|part| lower(part, b"_."));
    let cron = name.first().is_some_and(|b| b.is_ascii_alphanumeric())
        && lower(name, if old { b"-" } else { b"_-" });
    base || cron
}

fn run_parts(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "a:u:v",
        long: &[
            ("arg=", 'a'),
            ("debug", 'd'),
            ("exit-on-error", 'e'),
            ("list", 'l'),
            ("lsbsysinit", 'L'),
            ("new-session", 'n'),
            ("regex=", 'r'),
            ("report", 'R'),
            ("reverse", 'b'),
            ("stdin", 's'),
            ("test", 't'),
            ("umask=", 'u'),
            ("verbose", 'v'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let [folder] = parsed.operands.as_slice() else {
        return failed(process, "missing operand");
    };
    let umask = match parsed.value('u') {
        Some(text) => text
            .to_str()
            .ok()
            .and_then(|text| u32::from_str_radix(text, 8).ok()),
        None => Some(0o022),
    };
    let Some(umask) = umask else {
        return failed(process, "bad umask value");
    };
    let regex = match parsed.value('r') {
        Some(text) => Some(extended(text)?),
        None => None,
    };
    // Up to bookworm, whose dpkg is 1.21, a missing folder and a failing part were told
    // by 1.
    let dpkg = &process.machine.setup.dpkg;
    let old = ["1.19.", "1.20.", "1.21."]
        .iter()
        .any(|version| dpkg.starts_with(version));
    let path = process.path(folder);
    let names = match process.machine.files.list(&path) {
        Ok(names) => names,
        Err(error) => {
            if error == Errno::NoEntry && !old {
                return Ok(Status::OK);
            }
            return failed(
                process,
                format_args!("failed to open directory {folder}: {error}"),
            );
        }
    };
    let mut names: Vec<BString> = names
        .into_iter()
        .filter(|name| match &regex {
            Some(regex) => regex.is_match(name),
            None if parsed.has("L") => standard(name, old),
            None => plain(name, b"_-"),
        })
        .collect();
    if parsed.has("b") {
        names.reverse();
    }
    let mut status = Status::OK;
    for name in names {
        let shown = BString::from([&folder[..], b"/", &name].concat());
        let path = process.path(&shown);
        let Ok(stat) = process.machine.files.stat(&path, true) else {
            // A link to nothing.
            if old {
                process.complain(format_args!("failed to stat component {shown}"));
                status = if parsed.has("lt") {
                    status
                } else {
                    Status::FAILED
                };
            }
            continue;
        };
        if stat.kind != b'f' {
            continue;
        }
        let executable = stat.mode & 0o111 != 0;
        if parsed.has("l") || (parsed.has("t") && executable) {
            process.out([&shown[..], b"\n"].concat());
            continue;
        }
        if parsed.has("t") || !executable {
            continue;
        }
        if parsed.has("v") {
            let args = parsed.options.iter().filter(|(option, _)| *option == 'a');
            let args: Vec<String> = args
                .map(|(_, a)| format!(" {}", a.clone().unwrap_or_default()))
                .collect();
            process.err(format!("run-parts: executing {shown}{}\n", args.concat()));
        }
        let ended = one(process, &parsed.options, &shown, umask)?;
        if ended != Status::OK {
            process.complain(format_args!("{shown} exited with return code {}", ended.0));
            status = if old { Status::FAILED } else { ended };
            if parsed.has("e") {
                return Ok(status);
            }
        }
    }
    Ok(status)
}

/// Runs one part.
fn one(
    process: &mut Process<'_, '_>,
    options: &[(char, Option<BString>)],
    shown: &BString,
    umask: u32,
) -> Outcome {
    let mut args = vec![shown.clone()];
    let values = options.iter().filter(|(option, _)| *option == 'a');
    args.extend(values.filter_map(|(_, value)| value.clone()));
    let report = options.iter().any(|(option, _)| *option == 'R');
    let verbose = options.iter().any(|(option, _)| *option == 'v');
    if !report {
        let mut child = process.child(args);
        child.umask = umask;
        return child.start();
    }
    // A heading before what a part says, if it says anything.
    let (out, said) = Fd::output();
    let mut child = process.child(args);
    child.umask = umask;
    child.fds.insert(1, out);
    let status = child.start()?;
    let said = said.take();
    if !said.is_empty() {
        if !verbose {
            process.out(format!("{shown}:\n"));
        }
        process.out(said);
    }
    Ok(status)
}

/// A POSIX extended regular expression, as far as it is one of the crate too.
fn extended(text: &BString) -> Result<Regex, Stop> {
    let unknown = || Stop::unsupported(format!("the regular expression {text} is not known"));
    let pattern = text.to_str().map_err(|_| unknown())?;
    if pattern.contains("(?")
        || pattern.contains("&&")
        || pattern.contains("[[") && !pattern.contains("[[:")
    {
        return Err(unknown());
    }
    Regex::new(pattern).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn parts_are_chosen_by_their_names() {
        let mut machine = machine();
        for name in [
            "a.sh",
            "b_c",
            "_e",
            "F-1",
            "g.dpkg-old",
            "9z",
            "lsb-x.y-z",
            "_a-b",
        ] {
            machine.put(&format!("/p/{name}"), "#!/bin/sh\n", 0o755);
        }
        machine.put("/p/plain", "", 0o644);
        for (args, out) in [
            (
                &["run-parts", "--test", "p"][..],
                "p/9z\np/F-1\np/_a-b\np/_e\np/b_c\n",
            ),
            (
                &["run-parts", "--lsbsysinit", "--test", "p"][..],
                "p/9z\np/_a-b\np/b_c\np/lsb-x.y-z\n",
            ),
            (
                &["run-parts", "--list", "--regex=^[a-p].*$", "/p"][..],
                "/p/a.sh\n/p/b_c\n/p/g.dpkg-old\n/p/lsb-x.y-z\n/p/plain\n",
            ),
            (
                &["run-parts", "--list", "--reverse", "--regex=^[0-9]", "/p"][..],
                "/p/9z\n",
            ),
            (&["run-parts", "/none"][..], ""),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (0, out), "{args:?}");
        }
    }
}
