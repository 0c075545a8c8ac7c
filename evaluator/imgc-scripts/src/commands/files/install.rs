//! install.

use bstr::BString;

use super::failed;
use super::folders::make_parents;
use super::modes::Change;
use super::options::{Known, parse};
use super::owners::{group_id, user_id};
use super::rename::{Backup, backup, inside, targets};
use crate::Errno;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "install",
    origin: Origin::Essential,
    run: install,
}];

/// What the installed files get.
struct Way {
    change: Option<Change>,
    uid: Option<u32>,
    gid: Option<u32>,
    keep_time: bool,
    compare: bool,
    verbose: bool,
    backup: Option<Backup>,
}

fn install(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "bcCdDg:m:o:pS:t:TvZ",
        long: &[
            ("backup=?", 'B'),
            ("compare", 'C'),
            ("directory", 'd'),
            ("group=", 'g'),
            ("mode=", 'm'),
            ("owner=", 'o'),
            ("preserve-timestamps", 'p'),
            ("suffix=", 'S'),
            ("target-directory=", 't'),
            ("no-target-directory", 'T'),
            ("verbose", 'v'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let change = match parsed.value('m') {
        Some(text) => match Change::parse(text) {
            Some(change) => Some(change),
            None => return failed(process, format_args!("invalid mode '{text}'")),
        },
        None => None,
    };
    let mut ids = [None, None];
    for (at, (option, look)) in [
        (
            'o',
            user_id as fn(&mut Process<'_, '_>, &[u8]) -> Option<u32>,
        ),
        ('g', group_id),
    ]
    .into_iter()
    .enumerate()
    {
        if let Some(name) = parsed.value(option) {
            let found = look(process, name);
            if found.is_none() {
                return failed(process, format_args!("invalid user or group '{name}'"));
            }
            ids[at] = found;
        }
    }
    let way = Way {
        change,
        uid: ids[0],
        gid: ids[1],
        keep_time: parsed.has("p"),
        compare: parsed.has("C"),
        verbose: parsed.has("v"),
        backup: Backup::of(process, &parsed)?,
    };
    let mut status = Status::OK;
    if parsed.has("d") {
        if parsed.operands.is_empty() {
            return failed(process, "missing file operand");
        }
        for operand in &parsed.operands {
            if let Err(error) = folder(process, &way, operand) {
                process.complain(format_args!("cannot create directory '{operand}': {error}"));
                status = Status::FAILED;
            }
        }
        return Ok(status);
    }
    if parsed.has("D") {
        let made = match (parsed.value('t'), parsed.operands.last()) {
            (Some(folder), _) => {
                make_parents(process, &[folder, &b"/x"[..]].concat(), 0o755, way.verbose)
            }
            (None, Some(last)) => make_parents(process, last, 0o755, way.verbose),
            (None, None) => Ok(()),
        };
        if let Err(error) = made {
            return failed(
                process,
                format_args!("cannot create the directories: {error}"),
            );
        }
    }
    let Some((operands, to)) = targets(process, &parsed)? else {
        return Ok(Status::FAILED);
    };
    let last = operands.len() - 1;
    let sources = if to.is_some() {
        &operands[..]
    } else {
        &operands[..last]
    };
    for source in sources {
        let target = match &to {
            Some(folder) => inside(folder, source),
            None => operands[last].clone(),
        };
        match file(process, &way, source, &target)? {
            Ok(()) if way.verbose => process.out(format!("'{source}' -> '{target}'\n")),
            Ok(()) => {}
            Err(message) => {
                process.complain(message);
                status = Status::FAILED;
            }
        }
    }
    Ok(status)
}

/// Makes a folder, or gives one that is there the mode and owner.
fn folder(process: &mut Process<'_, '_>, way: &Way, operand: &BString) -> Result<(), Errno> {
    make_parents(process, operand, 0o755, way.verbose)?;
    let path = process.path(operand);
    let files = &mut process.machine.files;
    if !files.is_directory(&path) {
        files.mkdir(&path, 0o755)?;
        if way.verbose {
            process.out(format!("install: creating directory '{operand}'\n"));
        }
    }
    let files = &mut process.machine.files;
    if way.uid.is_some() || way.gid.is_some() {
        files.chown(&path, way.uid, way.gid, true)?;
    }
    // Without -m every bit is decided; with it, those that it names.
    let (mode, decided) = match &way.change {
        Some(change) => change.apply_named(0, true, 0),
        None => (0o755, 0o7777),
    };
    let old = files.stat(&path, true)?.mode;
    let new = (old & !decided) | (mode & decided);
    if new != old {
        files.chmod(&path, new)?;
    }
    Ok(())
}

fn file(
    process: &mut Process<'_, '_>,
    way: &Way,
    source: &BString,
    target: &BString,
) -> Result<Result<(), String>, Stop> {
    let (from, to) = (process.path(source), process.path(target));
    let device = from.starts_with(b"/dev/") || from.starts_with(b"/proc/self/fd/");
    let files = &mut process.machine.files;
    let stat = files
        .stat(&from, true)
        .ok()
        .filter(|stat| !device || stat.kind != b'c');
    if stat.as_ref().is_some_and(|stat| stat.kind == b'd') {
        return Ok(Err(format!("omitting directory '{source}'")));
    }
    let mode = match &way.change {
        Some(change) => change.apply(0, false, 0),
        None => 0o755,
    };
    if stat.is_none() && !device {
        return Ok(Err(format!("cannot stat '{source}': {}", Errno::NoEntry)));
    }
    if to.ends_with(b"/") && !files.is_directory(&to) {
        return Ok(Err(format!(
            "cannot create regular file '{target}': Not a directory"
        )));
    }
    let say = |error: Errno| format!("cannot create regular file '{target}': {error}");
    if let Ok(there) = files.stat(&to, false) {
        if there.kind == b'd' {
            return Ok(Err(format!(
                "cannot overwrite directory '{target}' with non-directory"
            )));
        }
        if stat.as_ref().is_some_and(|stat| stat.ino == there.ino) {
            return Ok(Err(format!("'{source}' and '{target}' are the same file")));
        }
        if way.compare
            && there.kind == b'f'
            && there.mode == mode
            && there.uid == way.uid.unwrap_or(0)
            && there.gid == way.gid.unwrap_or(0)
            && mode & 0o7000 == 0
            && stat.as_ref().is_some_and(|stat| stat.size == there.size)
            && files.read(&from).ok() == files.read(&to).ok()
        {
            return Ok(Ok(()));
        }
        let gone = match &way.backup {
            Some(how) => backup(process, how, &to),
            None => process.machine.files.unlink(&to),
        };
        if let Err(error) = gone {
            return Ok(Err(say(error)));
        }
    }
    let bytes = if stat.is_none() {
        match process.input(&from) {
            Ok(bytes) => Some(bytes),
            Err(error) => return Ok(Err(format!("cannot read '{source}': {error}"))),
        }
    } else {
        None
    };
    let files = &mut process.machine.files;
    let made = files.create(&to, 0o600).and_then(|ino| {
        match (&stat, bytes) {
            (Some(stat), _) => files.share(stat.ino, ino)?,
            (None, Some(bytes)) => files.set(ino, bytes.to_vec())?,
            (None, None) => {}
        }
        if way.uid.is_some() || way.gid.is_some() {
            files.chown(&to, way.uid, way.gid, false)?;
        }
        files.chmod(&to, mode)?;
        if let Some(stat) = stat.as_ref().filter(|_| way.keep_time) {
            files.set_time(&to, stat.mtime, true)?;
        }
        Ok(())
    });
    Ok(made.map_err(say))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn folders_and_files_are_installed() {
        let mut machine = machine();
        machine.put(
            "/etc/passwd",
            "root:x:0:0::/root:\nwww:x:33:33::/:\n",
            0o644,
        );
        machine.put("/etc/group", "root:x:0:\nadm:x:4:\n", 0o644);
        let ran = machine.run(&[
            "install", "-d", "-o", "www", "-g", "adm", "-m", "2750", "/a/b",
        ]);
        assert_eq!(ran.status, 0);
        let stat = machine.files.stat(b"/a/b", false).expect("a folder");
        assert_eq!((stat.mode, stat.uid, stat.gid), (0o2750, 33, 4));
        assert_eq!(
            machine.files.stat(b"/a", false).expect("a folder").mode,
            0o755
        );
        assert_eq!(machine.run(&["install", "-d", "-m755", "/a/b"]).status, 0);
        assert_eq!(
            machine.files.stat(b"/a/b", false).expect("a folder").mode,
            0o2755
        );
        assert_eq!(machine.run(&["install", "-d", "/a/b"]).status, 0);
        assert_eq!(
            machine.files.stat(b"/a/b", false).expect("a folder").mode,
            0o755
        );
        let ran = machine.run(&["install", "-o", "www", "-m", "640", "/dev/null", "/a/log"]);
        assert_eq!(ran.status, 0);
        let stat = machine.files.stat(b"/a/log", false).expect("a file");
        assert_eq!((stat.mode, stat.uid, stat.size), (0o640, 33, 0));
        machine.put("/s", "text", 0o600);
        assert_eq!(
            machine
                .run(&["install", "-D", "-m", "u=rw,go=r", "/s", "/x/y/z"])
                .status,
            0
        );
        let stat = machine.files.stat(b"/x/y/z", false).expect("a file");
        assert_eq!((stat.mode, stat.size), (0o644, 4));
        assert_eq!(machine.run(&["install", "/s", "/x/y"]).status, 0);
        assert_eq!(
            machine.files.stat(b"/x/y/s", false).expect("a file").mode,
            0o755
        );
        assert_eq!(machine.run(&["install", "/none", "/x/y"]).status, 1);
        assert_eq!(
            machine
                .run(&["install", "-o", "nobody", "/s", "/x/y"])
                .status,
            1
        );
        assert_eq!(
            machine
                .run(&["install", "-m", "644", "-t", "/a", "/s"])
                .status,
            0
        );
        assert_eq!(machine.text("/a/s"), "text");
    }
}
