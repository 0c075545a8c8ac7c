//! update-mime of mailcap: `/etc/mailcap`, from what packages and desktop entries say that
//! they show.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};
use regex::bytes::Regex;

use crate::Errno;
use crate::commands::files::failed;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-mime",
    origin: Origin::Helper(&[BOOKWORM, TRIXIE]),
    run: update,
}];

const BOOKWORM: &str = "4b1404653841da73ccebc4bed80b7ac8f0296c4ce1dc836bb7c972cdb5bbb9e0";
const TRIXIE: &str = "bb3804842e052ece104100c0995a992aeb859a199b265cba1e3684aded418914";

const MAILCAP: &[u8] = b"/etc/mailcap";
const TEMPLATE: &[u8] = b"/usr/lib/mime/mailcap";
const ENTRIES: &[u8] = b"/usr/lib/mime/packages";
const APPLICATIONS: &[u8] = b"/usr/share/applications";

/// The priority of an entry that names none; 9 is the first.
const USUAL: usize = 5;

/// How deep folders are looked at; links can lead round in circles.
const DEPTH: usize = 24;

/// Entries by priority, and the packages or desktop entries that were read.
#[derive(Debug, Default)]
struct Found {
    entries: [Vec<BString>; 10],
    names: BTreeMap<BString, ()>,
}

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let args = &process.args[1..];
    // dpkg's scripts call it with no need: its own trigger comes later.
    let in_script = process.env.contains_key(b"DPKG_RUNNING_VERSION".as_bstr());
    if in_script && args.first().is_some_and(|arg| arg != "--triggered") {
        return Ok(Status::OK);
    }
    if args.iter().any(|arg| arg != "--triggered") {
        return Err(Stop::unsupported(
            "update-mime with other options is not known",
        ));
    }
    for file in [&b"/etc/update-mime.conf"[..], b"/etc/mailcap.order"] {
        let text = process.machine.files.read(file).unwrap_or_default();
        let said = |line: &[u8]| !line.trim_ascii_start().is_empty() && !line.starts_with(b"#");
        if text.lines().any(said) {
            let file = file.as_bstr();
            return Err(Stop::unsupported(format!("what {file} says is not known")));
        }
    }
    let newer = is_newer(process)?;
    let mut found = Found::default();
    packages(process, &mut found)?;
    let mut files = Vec::new();
    desktop_files(process, APPLICATIONS, 0, &mut files)?;
    for file in files {
        desktop_entry(process, &file, newer, &mut found)?;
    }
    mailcap(process, found)
}

/// Whether the program is that of trixie: it is read off its text.
fn is_newer(process: &mut Process<'_, '_>) -> Result<bool, Stop> {
    let text = process.machine.files.read(b"/usr/sbin/update-mime");
    let text = text.map_err(|error| Stop::unsupported(format!("update-mime: {error}")))?;
    Ok(text.contains_str("TryExec"))
}

/// The paths in a folder, as Perl's glob gives them: without hidden ones, and without a
/// difference of case in their order.
fn glob(process: &mut Process<'_, '_>, folder: &[u8]) -> Result<Vec<BString>, Stop> {
    let mut names = process.machine.files.list(folder).unwrap_or_default();
    process.machine.spend(names.len() as u64)?;
    names.retain(|name| !name.starts_with(b"."));
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"*?[]{}~\\'\"".contains(byte);
    if !folder.iter().all(plain) {
        let folder = folder.as_bstr();
        return Err(Stop::unsupported(format!(
            "the folder {folder} is not known"
        )));
    }
    if let Some(name) = names.iter().find(|name| !name.is_ascii()) {
        return Err(Stop::unsupported(format!("the file {name} is not known")));
    }
    names.sort_by_key(|name| (name.to_ascii_lowercase(), name.clone()));
    let path = |name: BString| BString::from([folder, b"/", &name].concat());
    Ok(names.into_iter().map(path).collect())
}

/// Whether a file is passed over: a hidden one, or one that an editor left.
fn is_left(path: &[u8]) -> bool {
    path.ends_with(b"~") || path.find(b"/.").is_some() || path.find(b"/#").is_some()
}

fn packages(process: &mut Process<'_, '_>, found: &mut Found) -> Result<(), Stop> {
    let priority = Regex::new(r"(?i)priority\s*=\s*(\d+)\s*($|;)").expect("it is valid");
    for path in glob(process, ENTRIES)? {
        if is_left(&path) {
            continue;
        }
        found.names.insert(base(&path), ());
        let Ok(text) = process.machine.files.read(&path) else {
            continue;
        };
        process.machine.spend(text.len() as u64 / 32)?;
        for line in text.split_str("\n") {
            let start = line.trim_ascii_start();
            if start.is_empty() || start.starts_with(b"#") {
                continue;
            }
            let said = priority.captures(line).and_then(|said| {
                let digits = said.get(1)?.as_bytes().to_str().ok()?;
                digits.parse::<usize>().ok()
            });
            let wanted = said.filter(|&priority| priority <= 9).unwrap_or(USUAL);
            found.entries[wanted].push(line.into());
        }
    }
    Ok(())
}

/// The name of a file.
fn base(path: &[u8]) -> BString {
    path.rsplit(|&b| b == b'/')
        .next()
        .unwrap_or_default()
        .into()
}

fn desktop_files(
    process: &mut Process<'_, '_>,
    folder: &[u8],
    depth: usize,
    files: &mut Vec<BString>,
) -> Result<(), Stop> {
    if depth > DEPTH {
        return Err(Stop::unsupported("the folders of entries are too deep"));
    }
    if is_left(folder) {
        return Ok(());
    }
    let paths = glob(process, folder)?;
    for path in &paths {
        if process.machine.files.is_directory(path) {
            desktop_files(process, path, depth + 1, files)?;
        }
    }
    let is_file = |path: &BString| process.machine.files.is_file(path);
    files.extend(paths.into_iter().filter(is_file));
    Ok(())
}

/// The rest of a line that begins with `key`, in any case of letters.
fn after<'a>(line: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(key.len())?;
    start.eq_ignore_ascii_case(key.as_bytes()).then_some(rest)
}

/// The rest of a line behind the first `key` in it.
fn behind<'a>(line: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let at = line.to_ascii_lowercase().find(key.to_ascii_lowercase())?;
    Some(&line[at + key.len()..])
}

fn desktop_entry(
    process: &mut Process<'_, '_>,
    path: &BString,
    newer: bool,
    found: &mut Found,
) -> Result<(), Stop> {
    let name = base(path);
    let Some(name) = name.strip_suffix(b".desktop") else {
        return Ok(());
    };
    if is_left(path) || found.names.insert(name.into(), ()).is_some() {
        return Ok(());
    }
    let Ok(text) = process.machine.files.read(path) else {
        return Ok(());
    };
    process.machine.spend(text.len() as u64 / 32)?;
    for entry in entries(&text, name.as_bstr(), newer) {
        found.entries[USUAL].push(entry);
    }
    Ok(())
}

/// The entries of a desktop entry.
fn entries(text: &[u8], name: &BStr, newer: bool) -> Vec<BString> {
    let display: &[u8] = b"test -n \"$DISPLAY\"";
    let (mut terminal, mut test): (bool, Option<Vec<u8>>) = (false, None);
    let (mut name, mut icon, mut exec) = (name.to_vec(), Vec::new(), None);
    let mut types: Vec<Vec<u8>> = Vec::new();
    let mut inside = false;
    for line in text.split_str("\n") {
        let start = line.trim_ascii_start();
        if start.is_empty() || start.starts_with(b"#") {
            continue;
        }
        if line.starts_with(b"[") && line.ends_with(b"]") {
            inside = line == b"[Desktop Entry]";
            continue;
        }
        if !inside {
            continue;
        }
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let some = |value: &&[u8]| !value.is_empty();
        if let Some(value) = after(line, "Terminal=").filter(|v| v.first().is_some_and(word)) {
            let end = value.iter().position(|b| !word(b)).unwrap_or(value.len());
            terminal |= &value[..end] == b"true";
        } else if let Some(value) = after(line, "Name=").filter(some) {
            name = value.to_vec();
        } else if let Some(value) = after(line, "Icon=").filter(some) {
            icon = value.to_vec();
        } else if let Some(value) = if newer {
            after(line, "Exec=")
        } else {
            behind(line, "Exec=")
        } {
            let mut value = if newer {
                escaped(value)
            } else {
                value.to_vec()
            };
            for field in ["%f", "%F", "%u", "%U"] {
                value = value.replace(field, "%s");
            }
            if value.find(b"%s").is_none() {
                value.extend_from_slice(b" %s");
            }
            exec = Some(value);
        } else if let Some(value) = after(line, "TryExec=").filter(|_| newer) {
            test = Some([b"test=command -v ", value, b" > /dev/null 2>&1"].concat());
        } else if let Some(value) = behind(line, "MimeType=") {
            types.extend(list(value));
        }
    }
    let Some(exec) = exec else {
        return Vec::new();
    };
    let icon = [b"--icon ", &icon[..]].concat();
    let exec = exec.replace("%c", name).replace("%i", icon);
    let needs = match (terminal, test) {
        (true, None) => b"needsterminal".to_vec(),
        (true, Some(test)) => [b"needsterminal; ", &test[..]].concat(),
        (false, None) => [b"test=", display].concat(),
        (false, Some(test)) => [&test, &b" && "[..], display].concat(),
    };
    let entry = |kind: Vec<u8>| [&kind[..], b"; ", &exec, b"; ", &needs].concat().into();
    types.into_iter().map(entry).collect()
}

/// A command with each semicolon behind an odd number of backslashes.
fn escaped(command: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::new();
    let mut slashes = 0;
    for &byte in command {
        if byte == b';' && slashes % 2 == 0 {
            escaped.push(b'\\');
        }
        slashes = if byte == b'\\' { slashes + 1 } else { 0 };
        escaped.push(byte);
    }
    escaped
}

/// The parts of a list between semicolons, without the white space around these.
fn list(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let parts: Vec<&[u8]> = value.split(|&b| b == b';').collect();
    let last = parts.len() - 1;
    let one = |(nth, part): (usize, &[u8])| {
        let part = if nth > 0 {
            part.trim_ascii_start()
        } else {
            part
        };
        let part = if nth < last {
            part.trim_ascii_end()
        } else {
            part
        };
        part.to_vec()
    };
    let parts: Vec<Vec<u8>> = parts.into_iter().enumerate().map(one).collect();
    parts.into_iter().filter(|part| !part.is_empty())
}

/// Entries of a priority are in the order in which they were found, but for wildcards.
fn wildcard(entry: &BString) -> u8 {
    let star = entry.starts_with(b"*/");
    let word = entry
        .iter()
        .position(|b| b.is_ascii_whitespace())
        .unwrap_or(entry.len());
    let kind = entry[..word].find(b"/*").is_some_and(|at| at > 0);
    u8::from(kind) + 2 * u8::from(star)
}

fn mailcap(process: &mut Process<'_, '_>, found: Found) -> Outcome {
    let files = &mut process.machine.files;
    let Ok(old) = files.read(MAILCAP).or_else(|_| files.read(TEMPLATE)) else {
        return Ok(Status::OK);
    };
    let mut text = Vec::new();
    let mut begun = false;
    let mut ended = false;
    let ends = Regex::new("^# ----- .* Ends ").expect("it is valid");
    let begins = Regex::new("^# ----- .* Begins ").expect("it is valid");
    for line in old.lines_with_terminator() {
        let line = line.replace("install-mime", "update-mime");
        text.extend_from_slice(&line);
        if begun && ends.is_match(&line) {
            ended = true;
            break;
        }
        begun |= begins.is_match(&line);
    }
    if !ended {
        process.complain("/etc/mailcap is not in the required format");
        return Ok(Status::OK);
    }
    text.extend_from_slice(&[b"\n", &[b'#'; 79][..], b"\n\n"].concat());
    let priority = Regex::new(r"\s*priority\s*=\s*\d+\s*($|;)").expect("it is valid");
    let tail = Regex::new(r"\s*;\s*$").expect("it is valid");
    for mut entries in found.entries.into_iter().rev() {
        entries.sort_by_key(wildcard);
        for entry in entries {
            let entry = priority.replace(&entry, &b""[..]);
            text.extend_from_slice(&tail.replace(&entry, &b""[..]));
            text.push(b'\n');
        }
    }
    let done = match files.unlink(MAILCAP) {
        Ok(()) | Err(Errno::NoEntry) => files.write(MAILCAP, text, 0o644),
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("/etc/mailcap: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn entries_are_in_order() {
        let mut m = machine();
        m.put("/usr/sbin/update-mime", "#! /usr/bin/perl\nTryExec", 0o755);
        m.put("/etc/mailcap.order", "# nothing\n", 0o644);
        let head = "# x\n# ----- User Section Begins ----- #\nown; line\n\
                    # -----  User Section Ends  ----- #\n";
        m.put("/usr/lib/mime/mailcap", &format!("{head}more\n"), 0o644);
        let vim =
            "#\ntext/*; view %s; priority=2\ntext/plain; vim ; priority=5 ;\n*/*; x\na/*; y\n";
        m.put("/usr/lib/mime/packages/vim", vim, 0o644);
        m.put("/usr/lib/mime/packages/Tar", "a/tar; tar %s;\n", 0o644);
        let entry = "[Desktop Entry]\nName=V\nName[de]=W\nExec=v %c --a;b %F %i\nIcon=i\n\
                     MimeType= a/v ; a/w;;\n[X]\nTerminal=true\n";
        m.put("/usr/share/applications/v.desktop", entry, 0o644);
        m.put("/usr/share/applications/vim.desktop", entry, 0o644);
        assert_eq!(m.run(&["update-mime", "--triggered"]).status, 0);
        let line = format!("\n{}\n\n", "#".repeat(79));
        let test = "test=test -n \"$DISPLAY\"";
        assert_eq!(
            m.text("/etc/mailcap"),
            format!(
                "{head}{line}a/tar; tar %s\ntext/plain; vim\n a/v; v V --a\\;b %s --icon i; {test}\n\
                 a/w; v V --a\\;b %s --icon i; {test}\na/*; y\n*/*; x\ntext/*; view %s\n"
            )
        );
        m.put("/etc/mailcap.order", "vim:text/plain\n", 0o644);
        assert!(m.run_with(&["update-mime"], "").is_err());
    }

    #[test]
    fn a_program_can_be_tried() {
        let text = b"[Desktop Entry]\nExec=v %u\nTryExec=/bin/v\nTerminal=true\nMimeType=a/b\n";
        let new = entries(text, "n".into(), true);
        assert_eq!(
            new,
            ["a/b; v %s; needsterminal; test=command -v /bin/v > /dev/null 2>&1"]
        );
        // The older program takes either key as the command.
        let old = entries(text, "n".into(), false);
        assert_eq!(old, ["a/b; /bin/v %s; needsterminal"]);
        assert_eq!(escaped(b"a;b\\;c\\\\;"), b"a\\;b\\;c\\\\\\;");
    }
}
