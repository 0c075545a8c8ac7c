//! mktemp and tempfile. Names are counted, never random.

use bstr::{BString, ByteSlice as _};

use super::failed;
use super::options::{Known, parse};
use crate::Errno;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "mktemp",
        origin: Origin::Essential,
        run: mktemp,
    },
    Native {
        name: "tempfile",
        origin: Origin::Essential,
        run: tempfile,
    },
];

/// `count` characters for the number `serial`.
fn filling(serial: u32, count: usize) -> Vec<u8> {
    const DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rest = serial as usize;
    let mut filling = vec![b'a'; count];
    for place in filling.iter_mut().rev() {
        *place = DIGITS[rest % DIGITS.len()];
        rest /= DIGITS.len();
    }
    filling
}

fn variable(process: &Process<'_, '_>, name: &str) -> Option<BString> {
    let value = process.env.get(name.as_bytes().as_bstr()).cloned();
    value.filter(|value| !value.is_empty())
}

fn mktemp(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "dqup:tV",
        long: &[
            ("directory", 'd'),
            ("quiet", 'q'),
            ("dry-run", 'u'),
            ("suffix=", 's'),
            ("tmpdir=?", 'P'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let template = match parsed.operands.as_slice() {
        [] => BString::from("tmp.XXXXXXXXXX"),
        [template] => template.clone(),
        _ => return failed(process, "too many templates"),
    };
    // The last run of X is filled; what follows it is the suffix.
    let suffix = parsed.value('s').cloned().unwrap_or_default();
    let end = template.rfind_byte(b'X').map_or(0, |at| at + 1);
    let start = template[..end]
        .iter()
        .rposition(|&b| b != b'X')
        .map_or(0, |at| at + 1);
    if end - start < 3 || (parsed.has("s") && end != template.len()) || suffix.contains(&b'/') {
        return failed(
            process,
            format_args!("too few X's in template '{template}'"),
        );
    }
    let default = || BString::from("/tmp");
    let folder = if parsed.has("t") {
        let set = variable(process, "TMPDIR").or_else(|| parsed.value('p').cloned());
        Some(set.unwrap_or_else(default))
    } else if parsed.operands.is_empty() || parsed.has("pP") {
        let given = parsed.options.iter().rev().find(|(c, _)| "pP".contains(*c));
        let given = given
            .and_then(|(_, value)| value.clone())
            .filter(|v| !v.is_empty());
        Some(
            given
                .or_else(|| variable(process, "TMPDIR"))
                .unwrap_or_else(default),
        )
    } else {
        None
    };
    for _ in 0..1000 {
        let serial = process.machine.next_serial();
        let mut name = BString::from(&template[..start]);
        name.extend_from_slice(&filling(serial, end - start));
        name.extend_from_slice(&template[end..]);
        name.extend_from_slice(&suffix);
        if let Some(folder) = &folder {
            let mut whole = folder.clone();
            if !whole.ends_with(b"/") {
                whole.push(b'/');
            }
            whole.extend_from_slice(&name);
            name = whole;
        }
        let path = process.path(&name);
        let files = &mut process.machine.files;
        let made = if files.lnode(&path).is_some() {
            Err(Errno::Exists)
        } else if parsed.has("u") {
            Ok(())
        } else if parsed.has("d") {
            files.mkdir(&path, 0o700)
        } else {
            files.create(&path, 0o600).map(|_| ())
        };
        match made {
            Ok(()) => {
                process.out([&name[..], b"\n"].concat());
                return Ok(Status::OK);
            }
            Err(Errno::Exists) => {}
            Err(error) => {
                if !parsed.has("q") {
                    process.complain(format_args!("failed to create '{name}': {error}"));
                }
                return Ok(Status::FAILED);
            }
        }
    }
    Err(Stop::unsupported("no temporary name is free"))
}

fn tempfile(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "d:m:n:p:s:",
        long: &[
            ("directory=", 'd'),
            ("mode=", 'm'),
            ("name=", 'n'),
            ("prefix=", 'p'),
            ("suffix=", 's'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let mode = match parsed.value('m') {
        Some(text) => text
            .to_str()
            .ok()
            .and_then(|text| u32::from_str_radix(text, 8).ok()),
        None => Some(0o600),
    };
    let Some(mode) = mode else {
        return failed(process, "invalid mode");
    };
    let name = match parsed.value('n') {
        Some(name) => name.clone(),
        None => {
            let folder = variable(process, "TMPDIR").or_else(|| parsed.value('d').cloned());
            let mut name = folder.unwrap_or_else(|| "/tmp".into());
            let serial = process.machine.next_serial();
            let prefix = parsed.value('p').cloned().unwrap_or_else(|| "file".into());
            name.push(b'/');
            name.extend_from_slice(&prefix[..prefix.len().min(5)]);
            name.extend_from_slice(&filling(serial, 6));
            name.extend_from_slice(&parsed.value('s').cloned().unwrap_or_default());
            name
        }
    };
    let path = process.path(&name);
    if process.machine.files.lnode(&path).is_some() {
        return failed(process, format_args!("{name}: {}", Errno::Exists));
    }
    match process.machine.files.create(&path, mode & !process.umask) {
        Ok(_) => {
            process.out([&name[..], b"\n"].concat());
            Ok(Status::OK)
        }
        Err(error) => failed(process, format_args!("{name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn temporary_names_are_new_and_of_the_template() {
        let mut machine = machine();
        let one = machine.run(&["mktemp"]);
        let two = machine.run(&["mktemp"]);
        assert!(one.out.starts_with("/tmp/tmp.") && one.out.len() == "/tmp/tmp.".len() + 11);
        assert_ne!(one.out, two.out);
        let stat = machine
            .files
            .stat(one.out.trim_end().as_bytes(), false)
            .expect("a file");
        assert_eq!((stat.kind, stat.mode), (b'f', 0o600));
        let ran = machine.run(&["mktemp", "-d", "-p", "/etc", "a.XXXXXX.d"]);
        let name = ran.out.trim_end();
        assert!(
            name.starts_with("/etc/a.") && name.ends_with(".d"),
            "{name}"
        );
        let stat = machine
            .files
            .stat(name.as_bytes(), false)
            .expect("a folder");
        assert_eq!((stat.kind, stat.mode), (b'd', 0o700));
        assert_eq!(machine.run(&["mktemp", "x"]).status, 1);
        assert_eq!(machine.run(&["mktemp", "/none/x.XXX"]).status, 1);
        let ran = machine.run(&["mktemp", "-t", "-u", "b.XXXXXX"]);
        assert!(ran.out.starts_with("/tmp/b."));
        assert!(!machine.files.exists(ran.out.trim_end().as_bytes()));
        let ran = machine.run(&["tempfile", "-p", "abc", "-s", ".x"]);
        assert!(ran.out.starts_with("/tmp/abc") && ran.out.ends_with(".x\n"));
    }
}
