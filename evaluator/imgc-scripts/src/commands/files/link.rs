//! ln and link.

use bstr::{BStr, BString, ByteSlice as _};

use super::failed;
use super::folders::trimmed;
use super::names::{Missing, canonical, relative};
use super::options::{Known, parse};
use super::rename::{Backup, backup};
use crate::Errno;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "ln",
        origin: Origin::Essential,
        run: ln,
    },
    Native {
        name: "link",
        origin: Origin::Essential,
        run: link,
    },
];

/// How ln was asked to link.
struct Way {
    symbolic: bool,
    force: bool,
    relative: bool,
    follow: bool,
    verbose: bool,
    backup: Option<Backup>,
}

fn ln(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "bfLnPrsS:t:Tv",
        long: &[
            ("backup=?", 'B'),
            ("force", 'f'),
            ("logical", 'L'),
            ("no-dereference", 'n'),
            ("physical", 'P'),
            ("relative", 'r'),
            ("symbolic", 's'),
            ("suffix=", 'S'),
            ("target-directory=", 't'),
            ("no-target-directory", 'T'),
            ("verbose", 'v'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let way = Way {
        symbolic: parsed.has("s"),
        force: parsed.has("f"),
        relative: parsed.has("r"),
        follow: parsed.last("LP") == Some('L'),
        verbose: parsed.has("v"),
        backup: Backup::of(process, &parsed)?,
    };
    let mut operands = parsed.operands.clone();
    if operands.is_empty() {
        return failed(process, "missing file operand");
    }
    let folder: Option<BString> = if let Some(folder) = parsed.value('t') {
        Some(folder.clone())
    } else if parsed.has("T") {
        if operands.len() != 2 {
            return failed(process, "two operands are wanted with -T");
        }
        None
    } else if operands.len() == 1 {
        Some(".".into())
    } else {
        let last = &operands[operands.len() - 1];
        let path = process.path(last);
        let files = &process.machine.files;
        // With -n, a link to a folder is a file.
        let is_folder = match files.lnode(trimmed(&path)) {
            Some(node) if node.is_directory() => true,
            Some(_) => !parsed.has("n") && files.is_directory(&path),
            None => false,
        };
        if is_folder {
            operands.pop()
        } else if operands.len() > 2 || last.ends_with(b"/") {
            return failed(process, format_args!("target '{last}' is not a directory"));
        } else {
            None
        }
    };
    let mut status = Status::OK;
    if let Some(folder) = folder {
        for operand in &operands {
            let mut name = folder.clone();
            if !name.ends_with(b"/") {
                name.push(b'/');
            }
            name.extend_from_slice(base(trimmed(operand)));
            if !one(process, &way, operand, &name) {
                status = Status::FAILED;
            }
        }
    } else if !one(process, &way, &operands[0], &operands[1]) {
        status = Status::FAILED;
    }
    Ok(status)
}

/// Makes one link. Says whether it was made.
fn one(process: &mut Process<'_, '_>, way: &Way, target: &BString, name: &BString) -> bool {
    match make(process, way, target, name) {
        Ok(written) => {
            if way.verbose {
                let arrow = if way.symbolic { "->" } else { "=>" };
                process.out(format!("'{name}' {arrow} '{written}'\n"));
            }
            true
        }
        Err(message) => {
            process.complain(message);
            false
        }
    }
}

fn make(
    process: &mut Process<'_, '_>,
    way: &Way,
    target: &BString,
    name: &BString,
) -> Result<BString, String> {
    let say = |error: Errno| {
        let kind = if way.symbolic { "symbolic" } else { "hard" };
        format!("failed to create {kind} link '{name}': {error}")
    };
    let path = process.path(name);
    let from = process.path(target);
    let files = &mut process.machine.files;
    let mut source = from.clone();
    if !way.symbolic {
        let stat = files
            .stat(&from, way.follow)
            .map_err(|error| format!("failed to access '{target}': {error}"))?;
        if stat.kind == b'd' {
            return Err(format!("{target}: hard link not allowed for directory"));
        }
        if way.follow {
            let (at, _) = files.resolve(&from, true).map_err(say)?;
            source = BString::from([b"/", at.as_bytes()].concat());
        }
    }
    let mut written = target.clone();
    if way.symbolic && way.relative {
        let folder = path
            .rfind_byte(b'/')
            .map_or(&b"/"[..], |at| &path[..at.max(1)]);
        let folder = canonical(files, folder, Missing::Fine).map_err(say)?;
        let real = canonical(files, &from, Missing::Fine).map_err(say)?;
        written = relative(BStr::new(&real), BStr::new(&folder));
    }
    if let Ok(there) = files.stat(&path, false) {
        if there.kind == b'd' {
            return Err(if way.force || way.backup.is_some() {
                format!("{name}: cannot overwrite directory")
            } else {
                say(Errno::Exists)
            });
        }
        if !way.symbolic {
            let same = files.find(&source, false) == Ok(there.ino);
            if same && (way.force || way.backup.is_some()) {
                let one = files.resolve(&source, false);
                if one == files.resolve(&path, false) {
                    return Err(format!("'{target}' and '{name}' are the same file"));
                }
                return Ok(written);
            }
        } else if way.force
            && files
                .stat(&from, true)
                .is_ok_and(|stat| stat.ino == there.ino)
        {
            let one = files.resolve(&from, false);
            if one == files.resolve(&path, false) {
                return Err(format!("'{target}' and '{name}' are the same file"));
            }
        }
        if let Some(how) = &way.backup {
            backup(process, how, &path).map_err(say)?;
        } else if way.force {
            files.unlink(&path).map_err(say)?;
        }
    }
    let files = &mut process.machine.files;
    if way.symbolic {
        if written.is_empty() {
            return Err(say(Errno::NoEntry));
        }
        files.symlink(&written, &path).map_err(say)?;
    } else {
        files.hard_link(&source, &path).map_err(say)?;
    }
    Ok(written)
}

fn link(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(
        &process.args[1..],
        &Known {
            short: "",
            long: &[],
        },
    )?;
    let [old, new] = parsed.operands.as_slice() else {
        return failed(process, "two operands are wanted");
    };
    let (from, to) = (process.path(old), process.path(new));
    match process.machine.files.hard_link(&from, &to) {
        Ok(()) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("cannot create link '{new}': {error}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn links_are_made_where_ln_makes_them() {
        let mut machine = machine();
        machine.put("/a/f", "x", 0o644);
        assert_eq!(machine.run(&["ln", "-s", "f", "/a/g"]).status, 0);
        assert_eq!(machine.files.read_link(b"/a/g").expect("a link"), "f");
        assert_eq!(machine.run(&["ln", "-s", "h", "/a/g"]).status, 1);
        assert_eq!(machine.run(&["ln", "-sf", "h", "/a/g"]).status, 0);
        assert_eq!(machine.files.read_link(b"/a/g").expect("a link"), "h");
        // Into a folder, and through a link to one unless -n.
        assert_eq!(machine.run(&["ln", "-s", "/a", "/l"]).status, 0);
        assert_eq!(machine.run(&["ln", "-s", "/x/y", "/l"]).status, 0);
        assert_eq!(machine.files.read_link(b"/a/y").expect("a link"), "/x/y");
        assert_eq!(machine.run(&["ln", "-sfn", "/x", "/l"]).status, 0);
        assert_eq!(machine.files.read_link(b"/l").expect("a link"), "/x");
        assert_eq!(machine.run(&["ln", "-sfT", "/x", "/a"]).status, 1);
        assert_eq!(machine.run(&["ln", "-sr", "/usr/bin/x", "/a/r"]).status, 0);
        assert_eq!(
            machine.files.read_link(b"/a/r").expect("a link"),
            "../usr/bin/x"
        );
        assert_eq!(machine.run(&["ln", "/a/f", "/a/k"]).status, 0);
        assert_eq!(
            machine.files.find(b"/a/k", false),
            machine.files.find(b"/a/f", false)
        );
        assert_eq!(machine.run(&["ln", "-f", "/a/f", "/a/f"]).status, 1);
        assert_eq!(machine.run(&["ln", "/a", "/b"]).status, 1);
        assert_eq!(machine.run(&["ln", "-sb", "q", "/a/f"]).status, 0);
        assert_eq!(machine.text("/a/f~"), "x");
    }
}
