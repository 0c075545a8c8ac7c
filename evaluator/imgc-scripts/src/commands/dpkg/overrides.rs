//! dpkg-statoverride: `/var/lib/dpkg/statoverride`, owners and modes that packages don't
//! decide.

use bstr::{BString, ByteSlice as _};

use super::place::{Args, Place, bin, matches, unknown, wrong};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "dpkg-statoverride",
    origin: Origin::Essential,
    run: dpkg_statoverride,
}];

/// Owner, group and mode as written, and the path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Override {
    user: BString,
    group: BString,
    mode: u32,
    path: BString,
}

impl Override {
    fn line(&self) -> String {
        let Self {
            user,
            group,
            mode,
            path,
        } = self;
        format!("{user} {group} {mode:o} {path}\n")
    }
}

fn read(process: &mut Process<'_, '_>, place: &Place) -> Result<Vec<Override>, Stop> {
    let bytes = place.read(process, "statoverride")?;
    let mut all = Vec::new();
    for line in bytes.lines() {
        let parts: Vec<&[u8]> = line.splitn(4, |&b| b == b' ').collect();
        let [user, group, mode, path] = parts[..] else {
            return Err(Stop::unsupported("statoverride has a line that is none"));
        };
        all.push(Override {
            user: user.into(),
            group: group.into(),
            mode: octal(mode).unwrap_or(0),
            path: path.into(),
        });
    }
    Ok(all)
}

fn write(process: &mut Process<'_, '_>, place: &Place, mut all: Vec<Override>) -> Result<(), Stop> {
    all.sort_by_key(|one| bin(&one.path));
    let text = all.iter().map(Override::line).collect::<String>();
    place.write(process, "statoverride", text.into_bytes())
}

fn octal(text: &[u8]) -> Option<u32> {
    let mode = u32::from_str_radix(text.to_str().ok()?, 8).ok()?;
    (mode <= 0o7777).then_some(mode)
}

fn dpkg_statoverride(process: &mut Process<'_, '_>) -> Outcome {
    let mut place = Place::new(process);
    let (mut update, mut quiet, mut force) = (false, false, false);
    let mut action = None;
    let mut args = Args::new(process);
    while let Some(option) = args.option() {
        match option.as_slice() {
            b"--add" | b"--remove" | b"--list" => action = Some(option),
            b"--update" => update = true,
            b"--quiet" => quiet = true,
            b"--force"
            | b"--force-all"
            | b"--force-statoverride-add"
            | b"--force-statoverride-remove" => force = true,
            b"--no-force-statoverride-add" | b"--no-force-statoverride-remove" => force = false,
            b"--help" | b"--version" => {
                process.out("Debian dpkg-statoverride version 1.22.\n");
                return Ok(Status::OK);
            }
            b"--admindir" | b"--root" | b"--instdir" => match args.value() {
                Some(value) => {
                    place.set(&option, &value);
                }
                None => return wrong(process, format_args!("{option} needs a value")),
            },
            other if other.starts_with(b"--force-") || other.starts_with(b"--no-force-") => {}
            _ => return Err(unknown(&option)),
        }
    }
    let rest = args.rest();
    match (
        action.as_ref().map(|action| action.as_slice()),
        rest.as_slice(),
    ) {
        (Some(b"--list"), patterns) => list(process, &place, patterns),
        (Some(b"--add"), [user, group, mode, path]) => {
            let Some(mode) = octal(mode) else {
                return wrong(process, format_args!("mode '{mode}' is not valid"));
            };
            let new = Override {
                user: user.clone(),
                group: group.clone(),
                mode,
                path: path.clone(),
            };
            add(process, &place, new, [update, quiet, force])
        }
        (Some(b"--remove"), [path]) => remove(process, &place, &tidy(path), [update, quiet, force]),
        (None, _) => wrong(process, "need an action option"),
        (Some(action), _) => wrong(
            process,
            format_args!("{} has the wrong arguments", action.as_bstr()),
        ),
    }
}

/// A path with one slash before it, and none behind.
fn tidy(path: &BString) -> BString {
    let mut bare = path.as_slice();
    while let Some(rest) = bare.strip_prefix(b"/").or(bare.strip_prefix(b"./")) {
        bare = rest;
    }
    let bare = bare.strip_suffix(b"/").unwrap_or(bare);
    if path.starts_with(b"*") {
        return bare.into();
    }
    [b"/", bare].concat().into()
}

fn list(process: &mut Process<'_, '_>, place: &Place, patterns: &[BString]) -> Outcome {
    let mut all = read(process, place)?;
    all.sort_by_key(|one| bin(&one.path));
    let mut status = Status::FAILED;
    for one in all {
        let hit = |pattern: &BString| matches(&tidy(pattern), &one.path);
        if patterns.is_empty() || patterns.iter().any(hit) {
            process.out(one.line());
            status = Status::OK;
        }
    }
    Ok(status)
}

/// The number of a user or group: `#5`, or a name in `/etc/passwd` or `/etc/group`.
fn id(process: &mut Process<'_, '_>, place: &Place, file: &str, name: &[u8]) -> Option<u32> {
    if let Some(number) = name.strip_prefix(b"#") {
        return number.to_str().ok()?.parse().ok();
    }
    let bytes = process
        .machine
        .files
        .read(&place.real(file.as_bytes()))
        .ok()?;
    bytes.lines().find_map(|line| {
        let mut parts = line.split(|&b| b == b':');
        let found = parts.next() == Some(name);
        let number = parts.nth(1)?.to_str().ok()?.parse().ok()?;
        found.then_some(number)
    })
}

/// The name of a number, else the number with `#`.
fn name(process: &mut Process<'_, '_>, place: &Place, file: &str, name: BString) -> BString {
    let Some(number) = name.strip_prefix(b"#") else {
        return name;
    };
    let bytes = process
        .machine
        .files
        .read(&place.real(file.as_bytes()))
        .unwrap_or_default();
    let found = bytes.lines().find_map(|line| {
        let parts: Vec<&[u8]> = line.split(|&b| b == b':').collect();
        (parts.get(2) == Some(&number)).then(|| BString::from(parts[0]))
    });
    found.unwrap_or(name)
}

fn add(
    process: &mut Process<'_, '_>,
    place: &Place,
    mut new: Override,
    [update, quiet, force]: [bool; 3],
) -> Outcome {
    new.path = tidy(&new.path);
    let Some(uid) = id(process, place, "/etc/passwd", &new.user) else {
        return wrong(process, format_args!("user '{}' does not exist", new.user));
    };
    let Some(gid) = id(process, place, "/etc/group", &new.group) else {
        return wrong(
            process,
            format_args!("group '{}' does not exist", new.group),
        );
    };
    new.user = name(process, place, "/etc/passwd", new.user);
    new.group = name(process, place, "/etc/group", new.group);
    let mut all = read(process, place)?;
    if all.iter().any(|one| one.path == new.path) {
        if !force {
            let message = format!("an override for '{}' already exists; aborting", new.path);
            return wrong(process, message);
        }
        all.retain(|one| one.path != new.path);
    }
    if update {
        let path = place.real(&new.path);
        let files = &mut process.machine.files;
        if files.lnode(&path).is_some() {
            let changed = files
                .chown(&path, Some(uid), Some(gid), true)
                .and_then(|()| files.chmod(&path, new.mode));
            if let Err(error) = changed {
                return wrong(
                    process,
                    format_args!("error setting mode of '{}': {error}", new.path),
                );
            }
        } else if !quiet {
            process.complain(format_args!(
                "warning: --update given but {} does not exist",
                new.path
            ));
        }
    }
    all.push(new);
    write(process, place, all)?;
    Ok(Status::OK)
}

fn remove(
    process: &mut Process<'_, '_>,
    place: &Place,
    path: &BString,
    [_, quiet, force]: [bool; 3],
) -> Outcome {
    let mut all = read(process, place)?;
    let before = all.len();
    all.retain(|one| one.path != *path);
    if all.len() == before {
        if !quiet {
            process.complain("warning: no override present");
        }
        return Ok(if force { Status::OK } else { Status(2) });
    }
    write(process, place, all)?;
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn sets_owner_and_mode() {
        let mut machine = machine();
        machine.put("/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644);
        machine.put("/etc/group", "root:x:0:\nadm:x:4:\n", 0o644);
        machine.put("/t/a", "A", 0o644);
        let add = [
            "dpkg-statoverride",
            "--update",
            "--add",
            "root",
            "adm",
            "02755",
            "/t/a",
        ];
        assert_eq!(machine.run(&add).status, 0);
        let stat = machine.files.stat(b"/t/a", true).expect("a file");
        assert_eq!((stat.uid, stat.gid, stat.mode), (0, 4, 0o2755));
        let line = "root adm 2755 /t/a\n";
        assert_eq!(machine.text("/var/lib/dpkg/statoverride"), line);
        assert_eq!(
            machine.run(&["dpkg-statoverride", "--list", "/t/a"]).out,
            line
        );
        assert_eq!(
            machine.run(&["dpkg-statoverride", "--list", "/t/b"]).status,
            1
        );
        assert_eq!(machine.run(&add).status, 2);
        assert_eq!(
            machine
                .run(&["dpkg-statoverride", "--remove", "/t/a"])
                .status,
            0
        );
        assert_eq!(machine.text("/var/lib/dpkg/statoverride"), "");
    }
}
