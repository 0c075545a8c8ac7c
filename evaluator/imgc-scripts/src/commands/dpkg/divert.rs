//! dpkg-divert: `/var/lib/dpkg/diversions`, and the files that are moved out of the way.

use bstr::{BStr, BString, ByteSlice as _};

use super::place::{Args, Place, bin, is_missing, matches, unknown, wrong};
use super::status::Packages;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "dpkg-divert",
    origin: Origin::Essential,
    run: dpkg_divert,
}];

/// One path that packages' files are not put to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diversion {
    pub(super) from: BString,
    pub(super) to: BString,
    /// The package that diverts; none where it is the administrator.
    pub(super) package: Option<BString>,
}

impl Diversion {
    fn describe(&self) -> String {
        let Self { from, to, package } = self;
        match package {
            Some(package) => format!("diversion of {from} to {to} by {package}"),
            None => format!("local diversion of {from} to {to}"),
        }
    }
}

/// The diversions, in the order of their file.
pub(super) fn read(process: &mut Process<'_, '_>, place: &Place) -> Result<Vec<Diversion>, Stop> {
    let bytes = place.read(process, "diversions")?;
    let lines: Vec<&[u8]> = bytes.lines().collect();
    let mut all = Vec::new();
    for lines in lines.chunks_exact(3) {
        all.push(Diversion {
            from: lines[0].into(),
            to: lines[1].into(),
            package: (lines[2] != b":").then(|| lines[2].into()),
        });
    }
    Ok(all)
}

fn write(
    process: &mut Process<'_, '_>,
    place: &Place,
    mut all: Vec<Diversion>,
) -> Result<(), Stop> {
    all.sort_by_key(|diversion| bin(&diversion.from));
    let mut text = Vec::new();
    for diversion in &all {
        let package = diversion
            .package
            .as_ref()
            .map_or(&b":"[..], |package| package);
        for line in [diversion.from.as_slice(), &diversion.to, package] {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
    }
    place.write(process, "diversions", text)
}

/// What the options ask for.
struct Wish {
    place: Place,
    /// None: any package; `Some(None)`: the administrator.
    package: Option<Option<BString>>,
    to: Option<BString>,
    rename: bool,
    quiet: bool,
    test: bool,
}

fn dpkg_divert(process: &mut Process<'_, '_>) -> Outcome {
    let mut wish = Wish {
        place: Place::new(process),
        package: None,
        to: None,
        rename: false,
        quiet: false,
        test: false,
    };
    let mut action = BString::from("--add");
    let mut args = Args::new(process);
    while let Some(option) = args.option() {
        match option.as_slice() {
            b"--add" | b"--remove" | b"--list" | b"--listpackage" | b"--truename" => {
                action = option;
            }
            b"--local" => wish.package = Some(None),
            b"--rename" => wish.rename = true,
            b"--no-rename" => wish.rename = false,
            b"--quiet" => wish.quiet = true,
            b"--test" => wish.test = true,
            b"--help" | b"--version" => {
                process.out("Debian dpkg-divert version 1.22.\n");
                return Ok(Status::OK);
            }
            b"--package" => match args.value() {
                Some(name) => wish.package = Some(Some(name).filter(|name| name != ":")),
                None => return wrong(process, "--package needs a <package> argument"),
            },
            b"--divert" => match args.value() {
                Some(to) if to.starts_with(b"/") && !to.contains(&b'\n') => wish.to = Some(to),
                _ => return wrong(process, "--divert needs an absolute path"),
            },
            b"--admindir" | b"--root" | b"--instdir" => match args.value() {
                Some(value) => {
                    wish.place.set(&option, &value);
                }
                None => return wrong(process, format_args!("{option} needs a value")),
            },
            _ => return Err(unknown(&option)),
        }
    }
    let rest = args.rest();
    if action == "--list" {
        return list(process, &wish, &rest);
    }
    let [file] = rest.as_slice() else {
        return wrong(process, format_args!("{action} needs a single argument"));
    };
    match action.as_slice() {
        b"--add" => add(process, wish, file),
        b"--remove" => remove(process, wish, file),
        b"--truename" => {
            let all = read(process, &wish.place)?;
            let found = all.iter().find(|diversion| diversion.from == *file);
            let name = found.map_or(file, |diversion| &diversion.to);
            process.out([name.as_slice(), b"\n"].concat());
            Ok(Status::OK)
        }
        _ => {
            let all = read(process, &wish.place)?;
            if let Some(found) = all.iter().find(|diversion| diversion.from == *file) {
                let package = found
                    .package
                    .as_ref()
                    .map_or(&b"LOCAL"[..], |package| package);
                process.out([package, b"\n"].concat());
            }
            Ok(Status::OK)
        }
    }
}

fn list(process: &mut Process<'_, '_>, wish: &Wish, patterns: &[BString]) -> Outcome {
    let mut all = read(process, &wish.place)?;
    all.sort_by_key(|diversion| bin(&diversion.from));
    for diversion in &all {
        let names: [&[u8]; 3] = [
            &diversion.from,
            &diversion.to,
            diversion
                .package
                .as_ref()
                .map_or(&b":"[..], |package| package),
        ];
        let hit = |pattern: &BString| names.iter().any(|name| matches(pattern, name));
        if patterns.is_empty() || patterns.iter().any(hit) {
            process.out(diversion.describe() + "\n");
        }
    }
    Ok(Status::OK)
}

/// The package that diverts: as asked for, else whose script runs.
fn diverter(process: &Process<'_, '_>, wish: &Wish) -> Option<Option<BString>> {
    let script = || {
        let name = process.env.get(BStr::new("DPKG_MAINTSCRIPT_PACKAGE"));
        name.filter(|name| !name.is_empty())
            .map(|name| Some(name.clone()))
    };
    wish.package.clone().or_else(script)
}

fn add(process: &mut Process<'_, '_>, mut wish: Wish, file: &BString) -> Outcome {
    if !file.starts_with(b"/") || file.contains(&b'\n') {
        return wrong(process, format_args!("filename \"{file}\" is not absolute"));
    }
    let real = wish.place.real(file);
    if matches!(process.machine.files.stat(&real, false), Ok(stat) if stat.kind == b'd') {
        return wrong(process, "cannot divert directories");
    }
    let to = wish.to.take();
    let new = Diversion {
        to: to.unwrap_or_else(|| [file.as_slice(), b".distrib"].concat().into()),
        from: file.clone(),
        package: diverter(process, &wish).flatten(),
    };
    if new.from == new.to {
        return wrong(
            process,
            format_args!("cannot divert file '{file}' to itself"),
        );
    }
    let mut all = read(process, &wish.place)?;
    let paths = [&new.from, &new.to];
    let touching = |old: &&Diversion| paths.contains(&&old.from) || paths.contains(&&old.to);
    if let Some(old) = all.iter().find(touching) {
        if *old == new {
            if !wish.quiet {
                process.out(format!("Leaving '{}'\n", new.describe()));
            }
            return Ok(Status::OK);
        }
        let message = format!("'{}' clashes with '{}'", new.describe(), old.describe());
        return wrong(process, message);
    }
    if wish.rename && owns(process, &wish.place, &new)? {
        if !wish.quiet {
            let package = new.package.clone().unwrap_or_default();
            process.out(format!(
                "Ignoring request to rename file '{file}' owned by diverting package '{package}'\n"
            ));
        }
        wish.rename = false;
    }
    let (from, to) = (new.from.clone(), new.to.clone());
    if !wish.quiet {
        process.out(format!("Adding '{}'\n", new.describe()));
    }
    if wish.rename {
        match check(process, &wish.place, &from, &to) {
            Ok(rename) => wish.rename = rename,
            Err(message) => return wrong(process, message),
        }
    }
    if wish.test {
        return Ok(Status::OK);
    }
    all.push(new);
    write(process, &wish.place, all)?;
    if wish.rename {
        return rename(process, &wish.place, &from, &to);
    }
    Ok(Status::OK)
}

fn remove(process: &mut Process<'_, '_>, mut wish: Wish, file: &BString) -> Outcome {
    if !file.starts_with(b"/") || file.contains(&b'\n') {
        return wrong(process, format_args!("filename \"{file}\" is not absolute"));
    }
    let mut all = read(process, &wish.place)?;
    let package = diverter(process, &wish);
    let Some(at) = all.iter().position(|diversion| diversion.from == *file) else {
        if !wish.quiet {
            let what = nothing(&package, wish.to.as_ref(), file);
            process.out(format!("No diversion '{what}', none removed.\n"));
        }
        return Ok(Status::OK);
    };
    let old = all[at].clone();
    if let Some(to) = wish.to.as_ref().filter(|to| **to != old.to) {
        let message = format!("mismatch on divert-to: {to} is not in '{}'", old.describe());
        return wrong(process, message);
    }
    if let Some(package) = package.filter(|package| *package != old.package) {
        let name = package.unwrap_or_else(|| "local".into());
        return wrong(
            process,
            format_args!("mismatch on package: {name} has no '{}'", old.describe()),
        );
    }
    if !wish.quiet {
        process.out(format!("Removing '{}'\n", old.describe()));
    }
    if wish.rename && !owns(process, &wish.place, &old)? {
        match check(process, &wish.place, &old.to, &old.from) {
            Ok(rename) => wish.rename = rename,
            Err(message) => return wrong(process, message),
        }
    } else {
        wish.rename = false;
    }
    if wish.test {
        return Ok(Status::OK);
    }
    all.remove(at);
    if wish.rename {
        let done = rename(process, &wish.place, &old.to, &old.from)?;
        if done != Status::OK {
            return Ok(done);
        }
    }
    write(process, &wish.place, all)?;
    Ok(Status::OK)
}

fn nothing(package: &Option<Option<BString>>, to: Option<&BString>, file: &BString) -> String {
    let to = to.map_or_else(String::new, |to| format!(" to {to}"));
    match package {
        None => format!("any diversion of {file}{to}"),
        Some(None) => format!("local diversion of {file}{to}"),
        Some(Some(package)) => format!("diversion of {file}{to} by {package}"),
    }
}

/// Whether the file is the diverting package's own.
fn owns(process: &mut Process<'_, '_>, place: &Place, new: &Diversion) -> Result<bool, Stop> {
    let Some(package) = &new.package else {
        return Ok(false);
    };
    let packages = Packages::read(process, place)?;
    let Some(package) = packages.get(package).cloned() else {
        return Ok(false);
    };
    let files = packages.files(process, place, &package)?;
    Ok(files.lines().any(|file| file == new.from))
}

/// Whether there is anything to rename.
fn check(
    process: &Process<'_, '_>,
    place: &Place,
    from: &BString,
    to: &BString,
) -> Result<bool, String> {
    let files = &process.machine.files;
    let (source, target) = (place.real(from), place.real(to));
    let source_stat = match files.stat(&source, false) {
        Ok(stat) => stat,
        Err(error) if is_missing(error) => return Ok(false),
        Err(error) => return Err(format!("cannot stat file '{from}': {error}")),
    };
    match files.stat(&target, false) {
        Err(error) if is_missing(error) => Ok(true),
        Err(error) => Err(format!("cannot stat file '{to}': {error}")),
        Ok(stat) => {
            let same = stat.ino == source_stat.ino;
            let clash = format!(
                "rename involves overwriting '{to}' with\n different file '{from}', not allowed"
            );
            if same { Ok(true) } else { Err(clash) }
        }
    }
}

fn rename(process: &mut Process<'_, '_>, place: &Place, from: &[u8], to: &[u8]) -> Outcome {
    let files = &mut process.machine.files;
    match files.rename(&place.real(from), &place.real(to)) {
        Ok(()) => Ok(Status::OK),
        Err(error) => {
            let (from, to) = (from.as_bstr(), to.as_bstr());
            wrong(
                process,
                format_args!("cannot rename '{from}' to '{to}': {error}"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn moves_aside_and_back() {
        let mut machine = machine();
        machine.put("/t/a", "A", 0o644);
        let add = [
            "dpkg-divert",
            "--package",
            "foo",
            "--rename",
            "--add",
            "/t/a",
        ];
        let said = machine.run(&add).out;
        assert_eq!(said, "Adding 'diversion of /t/a to /t/a.distrib by foo'\n");
        assert_eq!(machine.text("/t/a.distrib"), "A");
        assert_eq!(machine.run(&add).status, 0);
        machine.run(&["dpkg-divert", "--local", "--no-rename", "/t/z"]);
        let file = "/t/a\n/t/a.distrib\nfoo\n/t/z\n/t/z.distrib\n:\n";
        assert_eq!(machine.text("/var/lib/dpkg/diversions"), file);
        assert_eq!(
            machine.run(&["dpkg-divert", "--truename", "/t/a"]).out,
            "/t/a.distrib\n"
        );
        assert_eq!(
            machine.run(&["dpkg-divert", "--listpackage", "/t/z"]).out,
            "LOCAL\n"
        );
        let clash = ["dpkg-divert", "--package", "bar", "--add", "/t/a"];
        assert_eq!(machine.run(&clash).status, 2);
        machine.run(&[
            "dpkg-divert",
            "--package",
            "foo",
            "--rename",
            "--remove",
            "/t/a",
        ]);
        assert_eq!(machine.text("/t/a"), "A");
    }
}
