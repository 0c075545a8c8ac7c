//! dpkg itself, as far as scripts ask it: comparing versions, architectures, and what
//! dpkg-query knows. It installs nothing.

use bstr::{BString, ByteSlice as _};

use super::place::{Args, Place, unknown, wrong};
use super::query::{Action, query};
use super::version::{Version, relate};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "dpkg",
    origin: Origin::Essential,
    run: dpkg,
}];

fn dpkg(process: &mut Process<'_, '_>) -> Outcome {
    let mut place = Place::new(process);
    let mut args = Args::new(process);
    while let Some(option) = args.option() {
        let action = match option.as_slice() {
            b"-s" | b"--status" => Action::Status,
            b"-l" | b"--list" => Action::List,
            b"-L" | b"--listfiles" => Action::Files,
            b"-S" | b"--search" => Action::Search,
            b"--get-selections" => Action::Selections,
            b"--admindir" | b"--root" | b"--instdir" => {
                let value = args.value().unwrap_or_default();
                place.set(&option, &value);
                continue;
            }
            b"--no-pager" | b"--robot" => continue,
            other if other.starts_with(b"--force-") || other.starts_with(b"--no-force-") => {
                continue;
            }
            b"--compare-versions" => return compare_versions(process, &args.rest()),
            b"--print-architecture" => {
                let arch = format!("{}\n", process.machine.setup.arch);
                process.out(arch);
                return Ok(Status::OK);
            }
            b"--print-foreign-architectures" => return foreign(process, &place),
            b"--add-architecture" => return add_architecture(process, &place, &args.rest()),
            b"--version" => {
                let version = process.machine.setup.dpkg.clone();
                let arch = process.machine.setup.arch.clone();
                process.out(format!(
                    "Debian 'dpkg' package management program version {version} ({arch}).\n"
                ));
                return Ok(Status::OK);
            }
            other if other.starts_with(b"--assert-") => return assert(&option),
            other if other.starts_with(b"--validate-") => {
                return validate(process, &option, &args.rest());
            }
            _ => return Err(unknown(&option)),
        };
        args.unjoin();
        // What stands behind is handed to dpkg-query, options and all.
        let rest = args.rest();
        if let Some(option) = rest
            .iter()
            .find(|arg| arg.starts_with(b"-") && arg.len() > 1)
        {
            return Err(unknown(option));
        }
        return query(process, &place, action, &rest);
    }
    wrong(process, "need an action option")
}

fn compare_versions(process: &mut Process<'_, '_>, args: &[BString]) -> Outcome {
    let args = match args {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    let [a, operator, b] = args else {
        return wrong(
            process,
            "--compare-versions takes three arguments: <version> <relation> <version>",
        );
    };
    let mut versions = [None, None];
    for (version, text) in versions.iter_mut().zip([a, b]) {
        if text.is_empty() || text == "<unknown>" {
            continue;
        }
        match Version::parse(text) {
            Ok((parsed, problem)) => {
                if let Some(problem) = problem {
                    process.complain(format_args!(
                        "warning: version '{text}' has bad syntax: {problem}"
                    ));
                }
                *version = Some(parsed);
            }
            Err(problem) => {
                return wrong(
                    process,
                    format_args!("version '{text}' has bad syntax: {problem}"),
                );
            }
        }
    }
    match relate(versions[0].as_ref(), operator, versions[1].as_ref()) {
        Some(holds) => Ok(Status(u8::from(!holds))),
        None => wrong(process, "--compare-versions bad relation"),
    }
}

/// The architectures beside the native one.
fn foreign(process: &mut Process<'_, '_>, place: &Place) -> Outcome {
    let bytes = place.read(process, "arch")?;
    let native = process.machine.setup.arch.clone();
    for line in bytes
        .lines()
        .filter(|line| *line != native.as_bytes() && !line.is_empty())
    {
        process.out([line, b"\n"].concat());
    }
    Ok(Status::OK)
}

fn add_architecture(process: &mut Process<'_, '_>, place: &Place, args: &[BString]) -> Outcome {
    let [arch] = args else {
        return wrong(process, "--add-architecture takes exactly one argument");
    };
    if !is_name(arch) || arch == "all" || arch == "any" {
        return wrong(process, format_args!("architecture '{arch}' is illegal"));
    }
    let native = process.machine.setup.arch.clone();
    let bytes = place.read(process, "arch")?;
    if arch == native.as_str() || bytes.lines().any(|line| line == arch.as_slice()) {
        return Ok(Status::OK);
    }
    let mut text = if bytes.is_empty() {
        format!("{native}\n").into_bytes()
    } else {
        bytes.to_vec()
    };
    text.extend_from_slice(&[arch.as_slice(), b"\n"].concat());
    place.write(process, "arch", text)?;
    Ok(Status::OK)
}

/// What this dpkg can do.
fn assert(option: &BString) -> Outcome {
    let features = [
        "support-predepends",
        "working-epoch",
        "long-filenames",
        "multi-conrep",
        "multi-arch",
        "versioned-provides",
        "protected-field",
    ];
    let feature = option.strip_prefix(b"--assert-").unwrap_or_default();
    if features.iter().any(|known| known.as_bytes() == feature) {
        return Ok(Status::OK);
    }
    Err(unknown(option))
}

fn validate(process: &mut Process<'_, '_>, option: &BString, args: &[BString]) -> Outcome {
    let args = match args {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    let [text] = args else {
        return wrong(process, format_args!("{option} takes one argument"));
    };
    let valid = match option.as_slice() {
        b"--validate-version" => match Version::parse(text) {
            Ok((_, problem)) => problem.is_none(),
            Err(problem) => {
                return wrong(
                    process,
                    format_args!("version '{text}' has bad syntax: {problem}"),
                );
            }
        },
        b"--validate-archname" => is_name(text),
        b"--validate-pkgname" => {
            text.first().is_some_and(u8::is_ascii_alphanumeric)
                && text
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(b))
        }
        b"--validate-trigname" => super::trigger::is_trigger(text),
        _ => {
            return Err(Stop::unsupported(format!(
                "the option {option} is not known"
            )));
        }
    };
    if !valid {
        process.complain(format_args!("error: '{text}' is not valid"));
    }
    Ok(match (valid, option.as_slice()) {
        (true, _) => Status::OK,
        (false, b"--validate-archname") => Status(2),
        (false, _) => Status::FAILED,
    })
}

fn is_name(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphanumeric)
        && text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn compares_versions() {
        let mut machine = machine();
        for (a, operator, b, status) in [
            ("1.0", "lt", "1.1", 0),
            ("1.0", "gt", "1.1", 1),
            ("", "lt", "1.1", 0),
            ("", "le-nl", "1.1", 1),
            ("a1", "<<", "1.0_2", 1),
            ("1:", "eq", "1", 2),
            ("1", "near", "1", 2),
        ] {
            let ran = machine.run(&["dpkg", "--compare-versions", a, operator, b]);
            assert_eq!(ran.status, status, "{a} {operator} {b}");
        }
    }

    #[test]
    fn knows_architectures() {
        let mut machine = machine();
        assert_eq!(
            machine.run(&["dpkg", "--print-architecture"]).out,
            "amd64\n"
        );
        assert_eq!(
            machine.run(&["dpkg", "--add-architecture", "i386"]).status,
            0
        );
        assert_eq!(machine.text("/var/lib/dpkg/arch"), "amd64\ni386\n");
        assert_eq!(
            machine.run(&["dpkg", "--print-foreign-architectures"]).out,
            "i386\n"
        );
        assert!(
            machine
                .run_with(&["dpkg", "--install", "x.deb"], "")
                .is_err()
        );
    }
}
