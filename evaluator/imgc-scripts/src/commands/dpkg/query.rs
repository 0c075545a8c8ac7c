//! dpkg-query: what packages there are, and what is in them.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice as _, ByteVec as _};

use super::divert;
use super::format::{Around, Format, abbreviation, summary};
use super::place::{Args, Place, bin, matches, unknown};
use super::status::{Package, Packages};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "dpkg-query",
    origin: Origin::Essential,
    run: dpkg_query,
}];

fn dpkg_query(process: &mut Process<'_, '_>) -> Outcome {
    let mut place = Place::new(process);
    let mut format = BString::from("${binary:Package}\\t${Version}\\n");
    let mut action = None;
    let mut args = Args::new(process);
    while let Some(option) = args.option() {
        let new = match option.as_slice() {
            b"-W" | b"--show" => Action::Show,
            b"-s" | b"--status" => Action::Status,
            b"-l" | b"--list" => Action::List,
            b"-L" | b"--listfiles" => Action::Files,
            b"-S" | b"--search" => Action::Search,
            b"-c" | b"--control-path" => Action::ControlPath,
            b"--control-list" => Action::ControlList,
            b"--control-show" => Action::ControlShow,
            b"--version" | b"--help" => {
                process.out("Debian dpkg-query package management program query tool\n");
                return Ok(Status::OK);
            }
            b"-f" | b"--showformat" => {
                let Some(value) = args.value() else {
                    return wrong(process, "-f needs a value");
                };
                // As with a long option, `=` may stand before it.
                format = value.strip_prefix(b"=").unwrap_or(&value).into();
                continue;
            }
            b"--no-pager" | b"--load-avail" => continue,
            b"--admindir" | b"--root" | b"--instdir" => {
                let value = args.value().unwrap_or_default();
                place.set(&option, &value);
                continue;
            }
            _ => return Err(unknown(&option)),
        };
        args.unjoin();
        action = Some(new);
    }
    let Some(action) = action else {
        return wrong(process, "need an action option");
    };
    if action == Action::Show {
        return match Format::parse(&format) {
            Ok(format) => show(process, &place, &format, &args.rest()),
            Err(error) => wrong(process, format_args!("error in show format: {error}")),
        };
    }
    query(process, &place, action, &args.rest())
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Show,
    Status,
    List,
    Files,
    Search,
    ControlPath,
    ControlList,
    ControlShow,
    Selections,
}

/// Answers what dpkg and dpkg-query both know.
pub(super) fn query(
    process: &mut Process<'_, '_>,
    place: &Place,
    action: Action,
    args: &[BString],
) -> Outcome {
    match action {
        Action::Show => Ok(Status::FAILED),
        Action::Status => each(process, place, args, status),
        Action::Files => each(process, place, args, files),
        Action::List => list(process, place, args),
        Action::Search => search(process, place, args),
        Action::ControlPath | Action::ControlList | Action::ControlShow => {
            control(process, place, action, args)
        }
        Action::Selections => selections(process, place, args),
    }
}

fn wrong(process: &mut Process<'_, '_>, message: impl std::fmt::Display) -> Outcome {
    process.complain(format_args!("error: {message}"));
    Ok(Status(2))
}

/// The packages that patterns match; without one, all that are known.
fn select(
    process: &mut Process<'_, '_>,
    packages: &Packages,
    patterns: &[BString],
) -> (Vec<Rc<Package>>, Status) {
    if patterns.is_empty() {
        let known = packages.iter().filter(|package| package.is_known());
        return (known.cloned().collect(), Status::OK);
    }
    let mut found = BTreeMap::new();
    let mut status = Status::OK;
    for pattern in patterns {
        let matching = packages.matching(pattern);
        if matching.is_empty() {
            process.err(format!(
                "dpkg-query: no packages found matching {pattern}\n"
            ));
            status = Status::FAILED;
        }
        let keyed = |package: Rc<Package>| ((package.name.clone(), package.arch.clone()), package);
        found.extend(matching.into_iter().map(keyed));
    }
    (found.into_values().collect(), status)
}

fn show(
    process: &mut Process<'_, '_>,
    place: &Place,
    format: &Format,
    patterns: &[BString],
) -> Outcome {
    let packages = Packages::read(process, place)?;
    let (found, status) = select(process, &packages, patterns);
    for package in &found {
        let files = if format.needs_files() {
            let bytes = packages.files(process, place, package)?;
            bytes.lines().map(BString::from).collect()
        } else {
            Vec::new()
        };
        let around = Around {
            native: packages.native(),
            files: &files,
        };
        process.out(format.show(package, &around));
    }
    Ok(status)
}

/// Does something for each package that is named, with an empty line between.
fn each(
    process: &mut Process<'_, '_>,
    place: &Place,
    args: &[BString],
    run: fn(&mut Process<'_, '_>, &Place, &Packages, &BString) -> Result<bool, Stop>,
) -> Outcome {
    if args.is_empty() {
        return wrong(process, "needs at least one package name argument");
    }
    let packages = Packages::read(process, place)?;
    let mut result = Status::OK;
    for (at, name) in args.iter().enumerate() {
        if at > 0 {
            process.out("\n");
        }
        if !run(process, place, &packages, name)? {
            result = Status::FAILED;
        }
    }
    Ok(result)
}

fn status(
    process: &mut Process<'_, '_>,
    _: &Place,
    packages: &Packages,
    name: &BString,
) -> Result<bool, Stop> {
    let Some(package) = packages.get(name).filter(|package| package.is_known()) else {
        let text = format!("package '{name}' is not installed and no information is available");
        process.err(format!("dpkg-query: {text}\n"));
        return Ok(false);
    };
    process.out(&package.stanza);
    Ok(true)
}

fn files(
    process: &mut Process<'_, '_>,
    place: &Place,
    packages: &Packages,
    name: &BString,
) -> Result<bool, Stop> {
    let Some(package) = packages
        .get(name)
        .filter(|package| package.is_known())
        .cloned()
    else {
        process.err(format!("dpkg-query: package '{name}' is not installed\n"));
        return Ok(false);
    };
    let diversions = divert::read(process, place)?;
    let files = packages.files(process, place, &package)?;
    let mut out = BString::default();
    if files.is_empty() {
        out.push_str(format!("Package '{name}' does not contain any files (!)\n"));
    }
    for file in files.lines() {
        out.push_str(file);
        out.push(b'\n');
        let diverted = diversions.iter().find(|diversion| diversion.from == file);
        if let Some(diversion) = diverted {
            let to = &diversion.to;
            out.push_str(match &diversion.package {
                None => format!("locally diverted to: {to}\n"),
                Some(by) if *by == package.name => {
                    format!("package diverts others to: {to}\n")
                }
                Some(by) => format!("diverted by {by} to: {to}\n"),
            });
        }
    }
    process.out(out);
    Ok(true)
}

fn search(process: &mut Process<'_, '_>, place: &Place, args: &[BString]) -> Outcome {
    if args.is_empty() {
        return wrong(process, "needs at least one file name pattern argument");
    }
    let packages = Packages::read(process, place)?;
    let diversions = divert::read(process, place)?;
    let wanted: Vec<Wanted> = args.iter().map(Wanted::of).collect();
    // Only what may be asked for: a system has very many files.
    let mut owners: BTreeMap<BString, Vec<BString>> = BTreeMap::new();
    for path in diversions.iter().flat_map(|d| [&d.from, &d.to]) {
        owners.entry(path.clone()).or_default();
    }
    for package in packages.iter().rev() {
        let list = packages.files(process, place, package)?;
        for wanted in &wanted {
            let found = wanted.lines_of(process, &list)?;
            for path in found {
                let owners = owners.entry(path.into()).or_default();
                let title = package.title(packages.native());
                // Two patterns may match one path.
                if owners.last() != Some(&title) {
                    owners.push(title);
                }
            }
        }
    }
    let mut result = Status::OK;
    for (arg, wanted) in args.iter().zip(&wanted) {
        let fits = |path: &&BString| wanted.fits(path);
        let mut found: Vec<&BString> = owners.keys().filter(fits).collect();
        found.sort_by_key(|path| bin(path));
        let mut hits = 0;
        let mut out = String::new();
        for path in found {
            let diversion = diversions.iter().find(|d| d.from == *path || d.to == *path);
            if let Some(diversion) = diversion {
                let by = match &diversion.package {
                    Some(package) => format!("diversion by {package}"),
                    None => "local diversion".to_owned(),
                };
                out += &format!("{by} from: {}\n{by} to: {}\n", diversion.from, diversion.to);
                hits += 1;
            }
            let names = &owners[path];
            if !names.is_empty() {
                out += &format!("{}: {path}\n", bstr::join(", ", names).as_bstr());
                hits += 1;
            }
        }
        process.out(out);
        if hits == 0 {
            process.err(format!(
                "dpkg-query: no path found matching pattern {arg}\n"
            ));
            result = Status::FAILED;
        }
    }
    Ok(result)
}

/// A path, or a pattern of paths, that `--search` is given.
enum Wanted {
    Path(BString),
    Pattern(BString),
}

impl Wanted {
    fn of(arg: &BString) -> Self {
        let mut pattern = arg.clone();
        if !matches!(pattern.first(), Some(b'*' | b'[' | b'?' | b'/')) {
            pattern = [b"*", pattern.as_slice(), b"*"].concat().into();
        }
        if pattern.find_byteset("*[?\\").is_some() {
            return Self::Pattern(pattern);
        }
        let mut path = pattern.as_slice();
        while let Some(short) = path.strip_suffix(b"/").or(path.strip_suffix(b"/.")) {
            path = short;
        }
        Self::Path(path.into())
    }

    fn fits(&self, path: &[u8]) -> bool {
        match self {
            Self::Path(wanted) => wanted == path,
            Self::Pattern(pattern) => matches(pattern, path),
        }
    }

    /// The lines of a package's list that it fits.
    fn lines_of<'l>(
        &self,
        process: &mut Process<'_, '_>,
        list: &'l [u8],
    ) -> Result<Vec<&'l [u8]>, Stop> {
        if let Self::Path(path) = self
            && !list.contains_str(path)
        {
            return Ok(Vec::new());
        }
        let lines: Vec<&[u8]> = list.lines().collect();
        process.machine.spend(lines.len() as u64)?;
        Ok(lines.into_iter().filter(|line| self.fits(line)).collect())
    }
}

fn list(process: &mut Process<'_, '_>, place: &Place, patterns: &[BString]) -> Outcome {
    let packages = Packages::read(process, place)?;
    let (found, status) = select(process, &packages, patterns);
    if found.is_empty() {
        return Ok(status);
    }
    let or_none = |text: &[u8]| -> String {
        let text = if text.is_empty() { b"<none>" } else { text };
        text.to_str_lossy().into_owned()
    };
    let mut widths = [14, 12, 12, 33];
    let mut rows = Vec::new();
    for package in &found {
        let version = package.field(b"version").filter(|_| package.is_known());
        let row = [
            package.title(packages.native()).to_string(),
            or_none(version.unwrap_or_default()),
            or_none(&package.arch),
            summary(package).to_str_lossy().into_owned(),
        ];
        for (width, text) in widths.iter_mut().zip(&row) {
            *width = text.chars().count().max(*width);
        }
        rows.push((abbreviation(package).to_string(), row));
    }
    let line = |mark: &str, [name, version, arch, summary]: [&str; 4]| {
        let [n, v, a, _] = widths;
        format!("{mark} {name:<n$} {version:<v$} {arch:<a$} {summary}\n")
    };
    let mut out = "Desired=Unknown/Install/Remove/Purge/Hold\n\
        | Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n\
        |/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n"
        .to_owned();
    out += &line("||/", ["Name", "Version", "Architecture", "Description"]);
    let dashes = widths.map(|width| "=".repeat(width));
    out += &format!("+++-{}\n", dashes.join("-"));
    for (mark, row) in &rows {
        out += &line(mark, row.each_ref().map(String::as_str));
    }
    process.out(out);
    Ok(status)
}

/// The files in `info` of a package that are not dpkg's own, by their suffix.
fn control(
    process: &mut Process<'_, '_>,
    place: &Place,
    action: Action,
    args: &[BString],
) -> Outcome {
    let (Some(name), wanted) = (args.first(), args.get(1)) else {
        return wrong(process, "needs a package name argument");
    };
    let packages = Packages::read(process, place)?;
    let Some(package) = packages.get(name).filter(|package| package.is_known()) else {
        return wrong(process, format_args!("package '{name}' is not installed"));
    };
    let most = if action == Action::ControlList { 1 } else { 2 };
    if args.len() > most {
        return wrong(process, format_args!("takes at most {most} arguments"));
    }
    let stem = packages.info(process, place, package);
    if action == Action::ControlShow {
        let Some(wanted) = wanted else {
            return wrong(process, "--control-show needs two arguments");
        };
        let path = [stem.as_slice(), b".", wanted].concat();
        return match process.machine.files.read(&path) {
            Ok(bytes) => {
                process.out(&*bytes);
                Ok(Status::OK)
            }
            Err(_) => wrong(
                process,
                format_args!("control file '{wanted}' does not exist"),
            ),
        };
    }
    let start = [crate::process::base(&stem), b"."].concat();
    let names = process
        .machine
        .files
        .list_with(&place.file("info"), &start)
        .unwrap_or_default();
    for file in names {
        let Some(suffix) = file.strip_prefix(start.as_slice()) else {
            continue;
        };
        if suffix.contains(&b'.') || matches!(suffix, b"list" | b"conffiles") {
            continue;
        }
        if wanted.is_some_and(|wanted| wanted != suffix) {
            continue;
        }
        let line = match action {
            Action::ControlList => suffix.to_vec(),
            _ => place.file([b"info/", file.as_slice()].concat()).into(),
        };
        process.out([line.as_slice(), b"\n"].concat());
    }
    Ok(Status::OK)
}

fn selections(process: &mut Process<'_, '_>, place: &Place, patterns: &[BString]) -> Outcome {
    let packages = Packages::read(process, place)?;
    let mut found = Vec::new();
    if patterns.is_empty() {
        found.extend(packages.iter().filter(|p| p.is_known()).cloned());
    }
    for pattern in patterns {
        let mut matching = packages.matching(pattern);
        matching.retain(|package| package.want() != b"unknown");
        if matching.is_empty() {
            process.complain(format_args!("no packages found matching {pattern}"));
        }
        found.extend(matching);
    }
    for package in &found {
        let title = package.title(packages.native());
        let tabs = 6_usize.saturating_sub(title.len() / 8).max(1);
        process.out([&title, "\t".repeat(tabs).as_bytes(), package.want(), b"\n"].concat());
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::Machine;
    use crate::testing::machine;

    fn with_packages() -> Machine<'static> {
        let mut machine = machine();
        let status = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\n\
            Version: 5.2-2+b1\nSource: bash (5.2-2)\nDepends: cron\nConffiles:\n /etc/b 00\n\
            Description: a shell\n long\n\nPackage: libc6\nStatus: install ok unpacked\n\
            Architecture: amd64\nMulti-Arch: same\nVersion: 2.41\nDescription: C\n";
        machine.put("/var/lib/dpkg/status", status, 0o644);
        machine.put(
            "/var/lib/dpkg/info/bash.list",
            "/.\n/usr\n/usr/bin/bash\n",
            0o644,
        );
        machine.put("/var/lib/dpkg/info/bash.postinst", "", 0o755);
        machine.put("/var/lib/dpkg/info/libc6:amd64.list", "/.\n/usr\n", 0o644);
        machine
    }

    #[test]
    fn shows_what_is_asked_for() {
        let mut machine = with_packages();
        let shown = machine.run(&["dpkg-query", "-W"]).out;
        assert_eq!(shown, "bash\t5.2-2+b1\nlibc6:amd64\t2.41\n");
        let format = "-f=${Package;-6}|${Status}|${db:Status-Abbrev}|${source:Version}|\\n";
        let shown = machine
            .run(&["dpkg-query", "-W", format, "b*", "libc6"])
            .out;
        assert_eq!(
            shown,
            "bash  |install ok installed|ii |5.2-2|\nlibc6 |install ok unpacked|iU |2.41|\n"
        );
        let named = ["dpkg-query", "-W", "-f", "${Status}", "cron"];
        assert_eq!(machine.run(&named).out, "unknown ok not-installed");
        assert_eq!(machine.run(&["dpkg-query", "-W", "none"]).status, 1);
        assert_eq!(machine.run(&["dpkg", "-s", "cron"]).status, 1);
        assert!(
            machine
                .run(&["dpkg", "-s", "bash"])
                .out
                .starts_with("Package: bash\nStatus: ")
        );
    }

    #[test]
    fn finds_files() {
        let mut machine = with_packages();
        let found = machine.run(&["dpkg", "-S", "/usr/bin/bash"]).out;
        assert_eq!(found, "bash: /usr/bin/bash\n");
        assert_eq!(
            machine.run(&["dpkg", "-S", "/usr"]).out,
            "libc6:amd64, bash: /usr\n"
        );
        assert_eq!(machine.run(&["dpkg", "-S", "/none"]).status, 1);
        assert_eq!(
            machine.run(&["dpkg", "-L", "bash"]).out,
            "/.\n/usr\n/usr/bin/bash\n"
        );
        let path = machine
            .run(&["dpkg-query", "--control-path", "bash", "postinst"])
            .out;
        assert_eq!(path, "/var/lib/dpkg/info/bash.postinst\n");
    }
}
