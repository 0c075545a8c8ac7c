//! mv, and the backups that cp, ln and install make too.

use bstr::{BString, ByteSlice as _};

use super::folders::trimmed;
use super::options::{Known, Parsed, parse};
use crate::Errno;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "mv",
    origin: Origin::Essential,
    run: mv,
}];

/// What becomes of a file that would be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backup {
    control: BString,
    suffix: BString,
}

impl Backup {
    /// What `-b`, `--backup[=CONTROL]` (reported as `B`) and `-S` ask for.
    pub(super) fn of(process: &Process<'_, '_>, parsed: &Parsed) -> Result<Option<Self>, Stop> {
        if !parsed.has("bBS") {
            return Ok(None);
        }
        let env = |name: &str| process.env.get(name.as_bytes().as_bstr()).cloned();
        let control = parsed
            .value('B')
            .cloned()
            .or_else(|| env("VERSION_CONTROL"));
        let suffix = parsed
            .value('S')
            .cloned()
            .or_else(|| env("SIMPLE_BACKUP_SUFFIX"));
        let control = control.unwrap_or_else(|| "existing".into());
        match &control[..] {
            b"none" | b"off" => Ok(None),
            b"simple" | b"never" | b"existing" | b"nil" | b"numbered" | b"t" => Ok(Some(Self {
                control,
                suffix: suffix.unwrap_or_else(|| "~".into()),
            })),
            _ => Err(Stop::unsupported(format!(
                "the backup control {control} is not known"
            ))),
        }
    }
}

/// Moves what is at `path` out of the way.
pub(super) fn backup(
    process: &mut Process<'_, '_>,
    how: &Backup,
    path: &BString,
) -> Result<(), Errno> {
    let path = trimmed(path);
    let name = base(path);
    let folder = &path[..path.len() - name.len()];
    let files = &mut process.machine.files;
    let mut highest: u32 = 0;
    for other in files.list(if folder.is_empty() { b"/" } else { folder })? {
        let rest = other
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(b".~"));
        let number = rest.and_then(|rest| rest.strip_suffix(b"~"));
        let number = number.and_then(|number| number.to_str().ok()?.parse().ok());
        highest = highest.max(number.unwrap_or(0));
    }
    let numbered = match &how.control[..] {
        b"numbered" | b"t" => true,
        b"existing" | b"nil" => highest > 0,
        _ => false,
    };
    let new = if numbered {
        [path, format!(".~{}~", highest + 1).as_bytes()].concat()
    } else {
        [path, &how.suffix].concat()
    };
    files.rename(path, &new)
}

fn mv(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "bfinS:t:TuvZ",
        long: &[
            ("backup=?", 'B'),
            ("force", 'f'),
            ("interactive", 'i'),
            ("no-clobber", 'n'),
            ("strip-trailing-slashes", 's'),
            ("suffix=", 'S'),
            ("target-directory=", 't'),
            ("no-target-directory", 'T'),
            ("verbose", 'v'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.has("u") {
        return Err(Stop::unsupported("mv -u compares times"));
    }
    if parsed.last("fin") == Some('i') {
        return Err(Stop::unsupported("mv -i asks, and nobody answers"));
    }
    let backups = Backup::of(process, &parsed)?;
    let Some((operands, folder)) = targets(process, &parsed)? else {
        return Ok(Status::FAILED);
    };
    let mut status = Status::OK;
    let last = operands.len() - 1;
    let sources = if folder.is_some() {
        &operands[..]
    } else {
        &operands[..last]
    };
    for source in sources {
        let target = match &folder {
            Some(folder) => inside(folder, source),
            None => operands[last].clone(),
        };
        let path = process.path(&target);
        if parsed.last("fin") == Some('n') && process.machine.files.lnode(&path).is_some() {
            continue;
        }
        if let Err(message) = one(process, source, &target, backups.as_ref()) {
            process.complain(message);
            status = Status::FAILED;
        } else if parsed.has("v") {
            process.out(format!("renamed '{source}' -> '{target}'\n"));
        }
    }
    Ok(status)
}

/// The name of `source` inside `folder`.
pub(super) fn inside(folder: &BString, source: &[u8]) -> BString {
    let mut target = folder.clone();
    if !target.ends_with(b"/") {
        target.push(b'/');
    }
    target.extend_from_slice(base(trimmed(source)));
    target
}

/// Operands, and the folder that they go to if it is one.
pub(super) type Targets = (Vec<BString>, Option<BString>);

/// The operands, and the folder that they go to if it is one: for cp, mv and install,
/// with `-t` and `-T`. None where they make no sense; that was said.
pub(super) fn targets(
    process: &mut Process<'_, '_>,
    parsed: &Parsed,
) -> Result<Option<Targets>, Stop> {
    let mut operands = parsed.operands.clone();
    if let Some(folder) = parsed.value('t') {
        let path = process.path(folder);
        if operands.is_empty() || !process.machine.files.is_directory(&path) {
            process.complain(format_args!(
                "target directory '{folder}': no directory, or no file"
            ));
            return Ok(None);
        }
        return Ok(Some((operands, Some(folder.clone()))));
    }
    if operands.len() < 2 {
        process.complain("missing file operand");
        return Ok(None);
    }
    let last = operands[operands.len() - 1].clone();
    let path = process.path(&last);
    if parsed.has("T") {
        if operands.len() > 2 {
            process.complain(format_args!("extra operand '{}'", operands[2]));
            return Ok(None);
        }
        return Ok(Some((operands, None)));
    }
    if process.machine.files.is_directory(&path) {
        operands.pop();
        return Ok(Some((operands, Some(last))));
    }
    if operands.len() > 2 {
        process.complain(format_args!("target '{last}' is not a directory"));
        return Ok(None);
    }
    Ok(Some((operands, None)))
}

fn one(
    process: &mut Process<'_, '_>,
    source: &BString,
    target: &BString,
    backups: Option<&Backup>,
) -> Result<(), String> {
    let (from, to) = (process.path(source), process.path(target));
    let files = &mut process.machine.files;
    let stat = files
        .stat(&from, false)
        .map_err(|e| format!("cannot stat '{source}': {e}"))?;
    let say = |error: Errno| format!("cannot move '{source}' to '{target}': {error}");
    // A folder may be named with a slash behind it, also where it is not there yet.
    let to: BString = if stat.kind == b'd' {
        trimmed(&to).into()
    } else {
        to
    };
    let from: BString = if stat.kind == b'd' {
        trimmed(&from).into()
    } else {
        from
    };
    if to.ends_with(b"/") && !files.is_directory(&to) {
        return Err(say(Errno::NotDirectory));
    }
    if let Ok(there) = files.stat(&to, false) {
        if there.ino == stat.ino {
            // Also two names of one file: rename(2) would keep both.
            return Err(format!("'{source}' and '{target}' are the same file"));
        }
        match (stat.kind == b'd', there.kind == b'd') {
            (true, false) => {
                return Err(format!(
                    "cannot overwrite non-directory '{target}' with directory '{source}'"
                ));
            }
            (false, true) => {
                return Err(format!(
                    "cannot overwrite directory '{target}' with non-directory '{source}'"
                ));
            }
            _ => {}
        }
        if let Some(how) = backups {
            backup(process, how, &to).map_err(say)?;
        }
    }
    process.machine.files.rename(&from, &to).map_err(say)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn files_and_folders_move() {
        let mut machine = machine();
        machine.put("/a/f", "f", 0o640);
        machine.put("/a/d/g", "g", 0o644);
        assert_eq!(machine.run(&["mv", "/a/f", "/a/h"]).status, 0);
        assert_eq!(machine.run(&["mv", "/a/h", "/a/d"]).status, 0);
        assert_eq!(machine.text("/a/d/h"), "f");
        assert_eq!(machine.run(&["mv", "/a/d", "/b"]).status, 0);
        assert_eq!(machine.text("/b/g"), "g");
        assert_eq!(machine.run(&["mv", "/b", "/b/c"]).status, 1);
        assert_eq!(machine.run(&["mv", "/none", "/b"]).status, 1);
        machine.put("/x", "x", 0o644);
        assert_eq!(machine.run(&["mv", "-T", "/x", "/b"]).status, 1);
        assert_eq!(machine.run(&["mv", "-n", "/x", "/b/g"]).status, 0);
        assert_eq!(machine.text("/b/g"), "g");
        assert_eq!(machine.run(&["mv", "-b", "/x", "/b/g"]).status, 0);
        assert_eq!(
            (machine.text("/b/g"), machine.text("/b/g~")),
            ("x".into(), "g".into())
        );
        assert_eq!(machine.run(&["mv", "/b/g", "/b/g"]).status, 1);
        assert_eq!(machine.run(&["mv", "/b/g", "/none/"]).status, 1);
        machine.put("/e/b/k", "", 0o644);
        assert_eq!(machine.run(&["mv", "/b", "/e"]).status, 1);
        assert_eq!(machine.run(&["mv", "-t", "/e/b", "/b/g", "/b/h"]).status, 0);
        assert!(machine.files.exists(b"/e/b/h"));
    }
}
