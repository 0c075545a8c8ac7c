//! basename, dirname, readlink, realpath and pathchk. Nothing here changes a file.

use bstr::{BStr, BString, ByteSlice as _};

use super::failed;
use super::options::{Known, Parsed, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::{Errno, Files};

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "basename",
        origin: Origin::Essential,
        run: basename,
    },
    Native {
        name: "dirname",
        origin: Origin::Essential,
        run: dirname,
    },
    Native {
        name: "readlink",
        origin: Origin::Essential,
        run: readlink,
    },
    Native {
        name: "realpath",
        origin: Origin::Essential,
        run: realpath,
    },
    Native {
        name: "pathchk",
        origin: Origin::Essential,
        run: pathchk,
    },
];

/// What may be missing of a path that is to be made canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Nothing.
    Nothing,
    /// The last part.
    Last,
    /// Any part.
    Fine,
}

/// The absolute path without links, `.` and `..` that `path` leads to.
pub(crate) fn canonical(
    files: &Files<'_>,
    path: &[u8],
    missing: Missing,
) -> Result<BString, Errno> {
    if path.is_empty() {
        return Err(Errno::NoEntry);
    }
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        let parts = path
            .split(|&b| b == b'/')
            .filter(|part| !part.is_empty() && *part != b".");
        parts.rev().map(<[u8]>::to_vec).collect()
    };
    let mut todo = parts(path);
    let mut at = BString::from("");
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == b".." {
            let end = at.rfind_byte(b'/').unwrap_or(0);
            at.truncate(end);
            continue;
        }
        let before = at.len();
        at.push(b'/');
        at.extend_from_slice(&part);
        match files.stat(&at, false) {
            Ok(stat) if stat.kind == b'l' => {
                links += 1;
                if links > 40 {
                    if missing == Missing::Fine {
                        continue;
                    }
                    return Err(Errno::Loop);
                }
                let target = files.read_link(&at)?;
                if target.starts_with(b"/") {
                    at.clear();
                } else {
                    at.truncate(before);
                }
                todo.extend(parts(&target));
            }
            Ok(stat) => {
                let more = !todo.is_empty() || path.ends_with(b"/");
                if stat.kind != b'd' && more && missing != Missing::Fine {
                    return Err(Errno::NotDirectory);
                }
            }
            Err(_) if missing == Missing::Fine => {}
            Err(Errno::NoEntry) if missing == Missing::Last && todo.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
    if at.is_empty() {
        at.push(b'/');
    }
    Ok(at)
}

/// `path` as seen from the folder `from`; both are canonical.
pub(crate) fn relative(path: &BStr, from: &BStr) -> BString {
    let parts = |path: &BStr| -> Vec<BString> {
        let parts = path.split(|&b| b == b'/').filter(|part| !part.is_empty());
        parts.map(BString::from).collect()
    };
    let (path, from) = (parts(path), parts(from));
    let same = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let mut way = vec![BString::from(".."); from.len() - same];
    way.extend_from_slice(&path[same..]);
    if way.is_empty() {
        return ".".into();
    }
    bstr::join("/", way).into()
}

/// The last part of `path`, as basename(1) has it.
pub(super) fn base_name(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
    if end == 0 {
        return &path[..path.len().min(1)];
    }
    let start = path[..end].rfind_byte(b'/').map_or(0, |at| at + 1);
    &path[start..end]
}

fn basename(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+as:z",
        long: &[("multiple", 'a'), ("suffix=", 's'), ("zero", 'z')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let end: &[u8] = if parsed.has("z") { b"\0" } else { b"\n" };
    let many = parsed.has("as");
    let (names, suffix) = match parsed.operands.as_slice() {
        [] => return failed(process, "missing operand"),
        names if many => (names, parsed.value('s').cloned()),
        [name] => (std::slice::from_ref(name), None),
        [name, suffix] => (std::slice::from_ref(name), Some(suffix.clone())),
        [_, _, extra, ..] => return failed(process, format_args!("extra operand '{extra}'")),
    };
    for name in names {
        let mut base = base_name(name);
        if let Some(suffix) = &suffix
            && base.len() > suffix.len()
            && !base.starts_with(b"/")
        {
            base = base.strip_suffix(&suffix[..]).unwrap_or(base);
        }
        process.out([base, end].concat());
    }
    Ok(Status::OK)
}

fn dirname(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+z",
        long: &[("zero", 'z')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    let end: &[u8] = if parsed.has("z") { b"\0" } else { b"\n" };
    for path in &parsed.operands {
        process.out([dir_name(path), end].concat());
    }
    Ok(Status::OK)
}

/// What dirname(1) prints for `path`.
pub(crate) fn dir_name(path: &[u8]) -> &[u8] {
    let trim = |path: &[u8]| path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
    let end = trim(path);
    let Some(slash) = path[..end].rfind_byte(b'/') else {
        return if end == 0 && !path.is_empty() {
            b"/"
        } else {
            b"."
        };
    };
    let end = trim(&path[..slash]);
    if end == 0 { &path[..1] } else { &path[..end] }
}

fn missing(parsed: &Parsed, otherwise: Missing) -> Missing {
    match parsed.last("efm") {
        Some('e') => Missing::Nothing,
        Some('f') => Missing::Last,
        Some('m') => Missing::Fine,
        _ => otherwise,
    }
}

fn readlink(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "femnqsvz",
        long: &[
            ("canonicalize", 'f'),
            ("canonicalize-existing", 'e'),
            ("canonicalize-missing", 'm'),
            ("no-newline", 'n'),
            ("quiet", 'q'),
            ("silent", 's'),
            ("verbose", 'v'),
            ("zero", 'z'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let mut end: &[u8] = if parsed.has("z") { b"\0" } else { b"\n" };
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    if parsed.has("n") && parsed.operands.len() == 1 {
        end = b"";
    }
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let path = process.path(operand);
        let files = &process.machine.files;
        let found = if parsed.has("efm") {
            canonical(files, &path, missing(&parsed, Missing::Last))
        } else {
            files.read_link(&path)
        };
        match found {
            Ok(found) => process.out([&found, end].concat()),
            Err(error) => {
                if parsed.has("v") {
                    process.complain(format_args!("{operand}: {error}"));
                }
                status = Status::FAILED;
            }
        }
    }
    Ok(status)
}

fn realpath(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "emLPqsz",
        long: &[
            ("canonicalize-existing", 'e'),
            ("canonicalize-missing", 'm'),
            ("logical", 'L'),
            ("physical", 'P'),
            ("quiet", 'q'),
            ("strip", 's'),
            ("no-symlinks", 's'),
            ("zero", 'z'),
            ("relative-to=", 't'),
            ("relative-base=", 'b'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let end: &[u8] = if parsed.has("z") { b"\0" } else { b"\n" };
    let how = missing(&parsed, Missing::Last);
    let lexical = matches!(parsed.last("LPs"), Some('s' | 'L'));
    let resolve = |process: &Process<'_, '_>, operand: &BString| -> Result<BString, Errno> {
        if operand.is_empty() {
            return Err(Errno::NoEntry);
        }
        let mut path = process.path(operand);
        if lexical {
            path = plain(&path);
        }
        let files = &process.machine.files;
        match parsed.last("LPs") {
            Some('s') => {
                let links = canonical(files, &path, how);
                links.map(|_| path)
            }
            _ => canonical(files, &path, how),
        }
    };
    let mut bases = [None, None];
    for (at, option) in ['t', 'b'].into_iter().enumerate() {
        if let Some(value) = parsed.value(option) {
            match resolve(process, value) {
                Ok(path) => bases[at] = Some(path),
                Err(error) => return failed(process, format_args!("{value}: {error}")),
            }
        }
    }
    let [to, base] = bases;
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    let mut status = Status::OK;
    for operand in &parsed.operands {
        match resolve(process, operand) {
            Ok(path) => {
                let within = |base: &BString| {
                    base == "/"
                        || path
                            .strip_prefix(&base[..])
                            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
                };
                let shown = match (&to, &base) {
                    (Some(to), None) => relative(path.as_ref(), to.as_ref()),
                    (None, Some(base)) if within(base) => relative(path.as_ref(), base.as_ref()),
                    (Some(to), Some(base)) if within(base) => relative(path.as_ref(), to.as_ref()),
                    _ => path,
                };
                process.out([&shown, end].concat());
            }
            Err(error) => {
                if !parsed.has("q") {
                    process.complain(format_args!("{operand}: {error}"));
                }
                status = Status::FAILED;
            }
        }
    }
    Ok(status)
}

/// An absolute path without `.`, `..` and double slashes, links left alone.
pub(crate) fn plain(path: &[u8]) -> BString {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    [b"/", &bstr::join("/", parts)[..]].concat().into()
}

fn pathchk(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "pP",
        long: &[("portability", 'x')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let strict = parsed.has("px");
        let portable = |b: &u8| b.is_ascii_alphanumeric() || b"._-/".contains(b);
        let dash = operand
            .split(|&b| b == b'/')
            .any(|part| part.starts_with(b"-"));
        let longest = operand
            .split(|&b| b == b'/')
            .map(<[u8]>::len)
            .max()
            .unwrap_or(0);
        let bad = operand.is_empty()
            || operand.len() > if strict { 255 } else { 4095 }
            || longest > if strict { 14 } else { 255 }
            || (strict && !operand.iter().all(portable))
            || (parsed.has("Px") && dash);
        if bad {
            process.complain(format_args!("{operand}: not a portable name"));
            status = Status::FAILED;
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn names_are_cut_as_basename_and_dirname_do() {
        let mut machine = machine();
        for (args, out) in [
            (&["basename", "/usr/lib/x.so"][..], "x.so\n"),
            (&["basename", "/usr/lib/"][..], "lib\n"),
            (&["basename", "a.conf", ".conf"][..], "a\n"),
            (&["basename", ".conf", ".conf"][..], ".conf\n"),
            (&["basename", "//"][..], "/\n"),
            (&["basename", ""][..], "\n"),
            (&["basename", "-s", ".c", "a.c", "b/c.c"][..], "a\nc\n"),
            (&["dirname", "/usr/lib/x"][..], "/usr/lib\n"),
            (&["dirname", "/usr//"][..], "/\n"),
            (&["dirname", "x"][..], ".\n"),
            (&["dirname", "a/b//", ""][..], "a\n.\n"),
            (&["dirname", "a//b"][..], "a\n"),
            (&["dirname", "/"][..], "/\n"),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (0, out), "{args:?}");
        }
    }

    #[test]
    fn links_are_read_and_followed() {
        let mut machine = machine();
        machine.put("/a/b/f", "", 0o644);
        for (target, at) in [
            ("b/f", "/a/l"),
            ("/a/none", "/a/d"),
            ("x/y", "/a/e"),
            ("o", "/a/o"),
        ] {
            machine.run(&["ln", "-s", target, at]);
        }
        for (args, status, out) in [
            (&["readlink", "/a/l"][..], 0, "b/f\n"),
            (&["readlink", "/a/b"][..], 1, ""),
            (&["readlink", "-f", "/a/l"][..], 0, "/a/b/f\n"),
            (&["readlink", "-f", "/a/d"][..], 0, "/a/none\n"),
            (&["readlink", "-f", "/a/e"][..], 1, ""),
            (&["readlink", "-e", "/a/d"][..], 1, ""),
            (&["readlink", "-m", "/a/e"][..], 0, "/a/x/y\n"),
            (&["readlink", "-f", "/a/o"][..], 1, ""),
            (&["readlink", "-f", "/bin/../etc"][..], 0, "/usr/etc\n"),
            (&["readlink", "-nf", "/"][..], 0, "/"),
            (&["readlink", "-f", ""][..], 1, ""),
            (&["realpath", "a/l", "/bin"][..], 0, "/a/b/f\n/usr/bin\n"),
            (&["realpath", "-s", "/bin/../a"][..], 0, "/a\n"),
            (
                &["realpath", "--relative-to=/usr/lib", "/bin/x"][..],
                0,
                "../bin/x\n",
            ),
            (
                &["realpath", "--relative-base=/a", "/a/l", "/usr"][..],
                0,
                "b/f\n/usr\n",
            ),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
        }
    }
}
