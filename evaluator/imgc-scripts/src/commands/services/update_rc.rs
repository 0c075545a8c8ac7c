//! update-rc.d of init-system-helpers: the links in `/etc/rc?.d`, as it makes them where
//! insserv is not installed.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "update-rc.d",
    origin: Origin::Essential,
    run: update_rc,
}];

fn update_rc(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = process.args.get(1..).unwrap_or_default();
    while let Some((first, rest)) = args.split_first()
        && first.starts_with(b"-")
    {
        if first != "-f" {
            return Err(Stop::unsupported(format!(
                "the option {first} is not known"
            )));
        }
        args = rest;
    }
    let [name, action, rest @ ..] = args else {
        process.complain("error: not enough arguments");
        return Ok(Status::FAILED);
    };
    let (name, action, rest) = (name.clone(), action.clone(), rest.to_vec());
    let files = &process.machine.files;
    let insserv = ["/usr/lib/insserv/insserv", "/sbin/insserv"];
    if insserv.iter().any(|path| files.exists(path.as_bytes()))
        && files.exists(b"/etc/insserv.conf")
    {
        return Err(Stop::unsupported("insserv is not known"));
    }
    if files.exists(b"/sbin/openrc") {
        return Err(Stop::unsupported("openrc is not known"));
    }
    match action.as_slice() {
        b"remove" => {
            for (level, link) in links(process, &name)? {
                // It was just found.
                let _ = process.machine.files.unlink(&path(&level, &link));
            }
            Ok(Status::OK)
        }
        b"defaults" | b"start" | b"stop" => make(process, &name, "S"),
        b"defaults-disabled" => make(process, &name, "K"),
        b"enable" | b"disable" => {
            let done = toggle(process, &name, action == "enable", &rest)?;
            if done != Status::OK {
                return Ok(done);
            }
            systemd(process, &name, &action)
        }
        _ => {
            process.complain("error: unknown action");
            Ok(Status::FAILED)
        }
    }
}

fn make(process: &mut Process<'_, '_>, name: &BString, start: &str) -> Outcome {
    if !links(process, name)?.is_empty() {
        return Ok(Status::OK);
    }
    let script = format!("/etc/init.d/{name}");
    let Some((starts, stops)) = levels(process, &script)? else {
        process.complain(format_args!("error: unable to read {script}"));
        return Ok(Status::FAILED);
    };
    for (letter, levels) in [(start, starts), ("K", stops)] {
        for level in levels {
            let umask = process.umask;
            let files = &mut process.machine.files;
            let folder = format!("/etc/rc{level}.d");
            let made = files.mkdir_all(folder.as_bytes(), 0o755 & !umask);
            made.map_err(|error| Stop::unsupported(format!("{folder}: {error}")))?;
            let target = format!("../init.d/{name}");
            // As the program: one that is there stays.
            let _ = files.symlink(
                target.as_bytes(),
                &path(&level, &format!("{letter}01{name}")),
            );
        }
    }
    Ok(Status::OK)
}

/// The links of a script, by level.
fn links(process: &mut Process<'_, '_>, name: &BString) -> Result<Vec<(String, String)>, Stop> {
    let mut found = Vec::new();
    let folders = process.machine.files.list(b"/etc").unwrap_or_default();
    process.machine.spend(folders.len() as u64)?;
    for folder in folders {
        let level = folder
            .strip_prefix(b"rc")
            .and_then(|rest| rest.strip_suffix(b".d"));
        let Some(level) = level.filter(|level| level.len() == 1) else {
            continue;
        };
        let level = level.to_str_lossy().into_owned();
        let names = process
            .machine
            .files
            .list(format!("/etc/rc{level}.d").as_bytes());
        for link in names.unwrap_or_default() {
            let numbered = link.get(1..3).is_some_and(|digits| {
                digits.iter().all(u8::is_ascii_digit) && matches!(link[0], b'S' | b'K')
            });
            if numbered && link[3..] == **name {
                found.push((level.clone(), link.to_string()));
            }
        }
    }
    Ok(found)
}

/// Where a script starts, and where it stops.
type Levels = (Vec<String>, Vec<String>);

/// What a script's header says of where it starts and where it stops.
fn levels(process: &mut Process<'_, '_>, script: &str) -> Result<Option<Levels>, Stop> {
    let Ok(bytes) = process.machine.files.read(script.as_bytes()) else {
        return Ok(None);
    };
    process.machine.spend(bytes.len() as u64 / 256)?;
    let (mut starts, mut stops) = (Vec::new(), Vec::new());
    let mut inside = false;
    let words = |text: &[u8]| {
        let words = text
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        words.map(|word| word.to_str_lossy().into_owned()).collect()
    };
    for line in bytes.lines() {
        let trimmed = line.trim_ascii_end();
        if trimmed == b"### BEGIN INIT INFO" {
            inside = true;
        } else if trimmed == b"### END INIT INFO" {
            break;
        } else if inside {
            if let Some(text) = line.strip_prefix(b"# Default-Start:") {
                starts = words(text);
            } else if let Some(text) = line.strip_prefix(b"# Default-Stop:") {
                stops = words(text);
            }
        }
    }
    Ok(Some((starts, stops)))
}

fn toggle(
    process: &mut Process<'_, '_>,
    name: &BString,
    enable: bool,
    given: &[BString],
) -> Outcome {
    let folders = [
        "/etc/insserv/overrides",
        "/etc/init.d",
        "/usr/share/insserv/overrides",
    ];
    let paths = folders.map(|folder| format!("{folder}/{name}"));
    let files = &process.machine.files;
    let full = |path: &&String| {
        files
            .stat(path.as_bytes(), true)
            .is_ok_and(|stat| stat.size > 0)
    };
    let Some(script) = paths.iter().find(full) else {
        process.complain(format_args!("error: cannot find a LSB script for {name}"));
        return Ok(Status::FAILED);
    };
    let wanted = if given.is_empty() {
        let (starts, _) = levels(process, script)?.unwrap_or_default();
        if starts.is_empty() {
            let why = format_args!("error: {name} starts in no runlevel");
            process.complain(why);
            return Ok(Status::FAILED);
        }
        starts
    } else {
        given.iter().map(|level| level.to_string()).collect()
    };
    let mut there = links(process, name)?;
    let usual = ["S", "2", "3", "4", "5"];
    there.retain(|(level, _)| wanted.contains(level) && usual.contains(&level.as_str()));
    if there.is_empty() {
        process.complain("error: there are no links to change");
        return Ok(Status::FAILED);
    }
    let (from, to) = if enable { ("K", "S") } else { ("S", "K") };
    for (level, link) in there {
        if let Some(rest) = link.strip_prefix(from) {
            let (old, new) = (path(&level, &link), path(&level, &format!("{to}{rest}")));
            let renamed = process.machine.files.rename(&old, &new);
            renamed.map_err(|error| Stop::unsupported(format!("{old}: {error}")))?;
        }
    }
    Ok(Status::OK)
}

/// Enables or disables the unit of the same name too, if there is one.
fn systemd(process: &mut Process<'_, '_>, name: &BString, action: &BString) -> Outcome {
    let skip = process.env.get(bstr::BStr::new("_SKIP_SYSTEMD_NATIVE"));
    if skip.is_some_and(|value| value == "1") {
        return Ok(Status::OK);
    }
    let systemctl = ["/bin/systemctl", "/usr/bin/systemctl"];
    if systemctl
        .iter()
        .any(|path| process.is_executable(path.as_bytes()))
    {
        let words = ["systemctl", "--root=/", "--quiet"];
        let mut call: Vec<BString> = words.map(BString::from).into();
        call.extend([action.clone(), name.clone()]);
        let mut child = process.child(call);
        child
            .env_mut()
            .insert("SYSTEMCTL_SKIP_SYSV".into(), "1".into());
        child.start()?;
        return Ok(Status::OK);
    }
    let folders = [
        "/etc/systemd/system",
        "/lib/systemd/system",
        "/usr/lib/systemd/system",
    ];
    let paths = folders.map(|folder| format!("{folder}/{name}.service"));
    let files = &mut process.machine.files;
    let Some(unit) = paths.iter().find(|path| files.is_file(path.as_bytes())) else {
        return Ok(Status::OK);
    };
    let bytes = files.read(unit.as_bytes()).unwrap_or_default();
    for line in bytes.lines() {
        let line = line.trim_ascii_start();
        let Some((key, target)) = line.split_once_str("=") else {
            continue;
        };
        if !key.eq_ignore_ascii_case(b"wantedby") || target.is_empty() {
            continue;
        }
        let folder = format!("/etc/systemd/system/{}.wants", target.as_bstr());
        let link = format!("{folder}/{name}.service");
        let files = &mut process.machine.files;
        if action == "enable" {
            let made = files.mkdir_all(folder.as_bytes(), 0o755 & !process.umask);
            made.map_err(|error| Stop::unsupported(format!("{folder}: {error}")))?;
            // As the program: one that is there stays.
            let _ = files.symlink(unit.as_bytes(), link.as_bytes());
        } else if files.exists(link.as_bytes()) {
            let _ = files.unlink(link.as_bytes());
        }
    }
    Ok(Status::OK)
}

fn path(level: &str, link: &str) -> BString {
    format!("/etc/rc{level}.d/{link}").into()
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    const SCRIPT: &str = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: a\n\
        # Default-Start:     2 3\n# Default-Stop:\t0 6\n### END INIT INFO\n# Default-Start: 5\n";

    #[test]
    fn links_follow_the_header() {
        let mut m = machine();
        m.put("/etc/init.d/a", SCRIPT, 0o755);
        assert_eq!(m.run(&["update-rc.d", "a", "defaults"]).status, 0);
        for (level, link) in [("2", "S01a"), ("3", "S01a"), ("0", "K01a"), ("6", "K01a")] {
            let target = m
                .files
                .read_link(format!("/etc/rc{level}.d/{link}").as_bytes());
            assert_eq!(target.unwrap(), "../init.d/a");
        }
        assert!(!m.files.exists(b"/etc/rc5.d"));
        assert_eq!(m.run(&["update-rc.d", "a", "disable"]).status, 0);
        assert!(m.files.lnode(b"/etc/rc2.d/K01a").is_some());
        assert_eq!(m.run(&["update-rc.d", "a", "defaults"]).status, 0);
        assert!(m.files.lnode(b"/etc/rc2.d/S01a").is_none());
        assert_eq!(m.run(&["update-rc.d", "a", "enable", "3"]).status, 0);
        assert!(m.files.lnode(b"/etc/rc3.d/S01a").is_some());
        assert_eq!(m.run(&["update-rc.d", "-f", "a", "remove"]).status, 0);
        assert!(m.files.lnode(b"/etc/rc0.d/K01a").is_none());
        assert!(m.files.is_directory(b"/etc/rc0.d"));
        assert_eq!(m.run(&["update-rc.d", "nope", "defaults"]).status, 1);
    }

    #[test]
    fn a_unit_of_the_same_name_is_disabled_too() {
        let mut m = machine();
        m.put("/etc/init.d/a", SCRIPT, 0o755);
        m.put(
            "/usr/lib/systemd/system/a.service",
            "[Install]\nWantedBy=b.target\n",
            0o644,
        );
        assert_eq!(m.run(&["update-rc.d", "a", "defaults"]).status, 0);
        assert_eq!(m.run(&["update-rc.d", "a", "enable"]).status, 0);
        let link = b"/etc/systemd/system/b.target.wants/a.service";
        assert_eq!(
            m.files.read_link(link).unwrap(),
            "/lib/systemd/system/a.service"
        );
        assert_eq!(m.run(&["update-rc.d", "a", "disable"]).status, 0);
        assert!(m.files.lnode(link).is_none());
    }
}
