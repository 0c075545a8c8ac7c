//! update-catalog of sgml-base: catalogs of SGML, and the one above them.

use bstr::{BString, ByteSlice as _};
use regex::bytes::Regex;

use crate::Errno;
use crate::commands::files::failed;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-catalog",
    origin: Origin::Helper(&["65b6aed63e68b8ef975c03736fbb6d6dcb4d34287a7054effd70bfe447790674"]),
    run: update,
}];

const SUPER: &str = "/var/lib/sgml-base/supercatalog";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Add,
    Remove,
    UpdateSuper,
}

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let mut tasks = Vec::new();
    let (mut quiet, mut above) = (false, false);
    let mut operands = process.args[1..].to_vec();
    while operands.first().is_some_and(|arg| arg.starts_with(b"--")) {
        let option = operands.remove(0);
        match &option[..] {
            b"--" => break,
            b"--add" => tasks.push(Task::Add),
            b"--remove" => tasks.push(Task::Remove),
            b"--update-super" => tasks.push(Task::UpdateSuper),
            b"--quiet" => quiet = true,
            b"--super" => above = true,
            _ => {
                return Err(Stop::unsupported(format!(
                    "the option {option} is not known"
                )));
            }
        }
    }
    tasks.dedup();
    let &[task] = &tasks[..] else {
        return failed(process, "it is to do one of three things");
    };
    let mut say = |text: String| {
        if !quiet {
            process.out(text);
        }
    };
    if above {
        process.out(
            "update-catalog: Suppressing action on super catalog. Invoking trigger instead.\n",
        );
        let trigger = ["dpkg-trigger", "/etc/sgml"].map(BString::from);
        return match process.run(trigger.to_vec())? {
            Status::OK => Ok(Status::OK),
            _ => update_super(process),
        };
    }
    match (task, &operands[..]) {
        (Task::UpdateSuper, []) => {
            say("Updating the super catalog...\n".to_owned());
            update_super(process)
        }
        (Task::Add, [catalog, entry]) => {
            say(format!("Adding entry {entry} to catalog {catalog}...\n"));
            change(process, catalog, entry, true)
        }
        (Task::Remove, [catalog, entry]) => {
            say(format!(
                "Removing entry {entry} from catalog {catalog}...\n"
            ));
            change(process, catalog, entry, false)
        }
        _ => failed(process, "too many or too few arguments"),
    }
}

/// Adds an entry to a catalog, in the place of those that it matches, or removes these.
fn change(process: &mut Process<'_, '_>, catalog: &[u8], entry: &BString, add: bool) -> Outcome {
    let catalog = process.path(catalog);
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-~:".contains(byte);
    if !entry.iter().all(plain) || entry.is_empty() {
        return Err(Stop::unsupported(format!("the entry {entry} is not known")));
    }
    let files = &mut process.machine.files;
    let there = files.is_file(&catalog);
    let mut text = Vec::new();
    if there {
        // It is taken as a pattern.
        let pattern = Regex::new(&entry.to_str_lossy());
        let pattern = pattern.map_err(|error| Stop::unsupported(error.to_string()))?;
        let old = files.read(&catalog);
        let old = old.map_err(|error| Stop::unsupported(format!("{catalog}: {error}")))?;
        for line in old.lines_with_terminator() {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if !pattern.is_match(line) {
                text.extend_from_slice(&[line, b"\n"].concat());
            }
        }
    } else {
        let template = files.read(b"/usr/share/sgml-base/catalog.centralized");
        let Ok(template) = template else {
            return failed(process, "cannot open the template of a catalog");
        };
        for line in template.lines_with_terminator() {
            text.extend_from_slice(&line.replacen("CATALOG", &catalog, 1));
        }
    }
    if add {
        text.extend_from_slice(&[b"CATALOG ", &entry[..], b"\n"].concat());
    }
    let backup = [&catalog[..], b".old"].concat();
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    let moved = if there {
        files.rename(&catalog, &backup)
    } else {
        Ok(())
    };
    match moved.and_then(|()| files.write(&catalog, text, mode)) {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{catalog}: {error}")),
    }
}

/// Makes the catalog of all catalogs that name no files that are not there.
fn update_super(process: &mut Process<'_, '_>) -> Outcome {
    let folder = b"/etc/sgml";
    let Ok(mut names) = process.machine.files.list(folder) else {
        return failed(process, "cannot open catalog directory /etc/sgml");
    };
    names.sort();
    let mut text = b"--\n## This file is created by update-catalog with update-super.\n\
                     ## Please see update-catalog(8) for how to modify this file.\n--\n"
        .to_vec();
    for name in names {
        if name.starts_with(b".") || !name.ends_with(b".cat") || name.len() < 5 {
            continue;
        }
        let path = [&folder[..], b"/", &name].concat();
        if is_whole(process, &path)? {
            text.extend_from_slice(&[b"CATALOG ", &path[..], b"\n"].concat());
        }
    }
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    let moved = match files.exists(SUPER.as_bytes()) {
        true => files.rename(SUPER.as_bytes(), format!("{SUPER}.old").as_bytes()),
        false => Ok(()),
    };
    match moved.and_then(|()| files.write(SUPER.as_bytes(), text, mode)) {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{SUPER}: {error}")),
    }
}

/// Whether all catalogs that a catalog names are there.
fn is_whole(process: &mut Process<'_, '_>, catalog: &[u8]) -> Result<bool, Stop> {
    let text = match process.machine.files.read(catalog) {
        Ok(text) => text,
        Err(Errno::Io) => return Err(Stop::unsupported("a catalog can't be read")),
        Err(_) => return Ok(false),
    };
    process.machine.spend(text.len() as u64 / 32)?;
    let slash = catalog.rfind_byte(b'/').unwrap_or(0);
    let mut base = catalog[..slash].to_vec();
    let mut before: Option<&str> = None;
    for token in tokens(&text) {
        let Some(key) = before else {
            let keys = ["catalog", "base"];
            before = keys
                .into_iter()
                .find(|key| token.eq_ignore_ascii_case(key.as_bytes()));
            continue;
        };
        if token.starts_with(b"--") || token.first().is_some_and(u8::is_ascii_whitespace) {
            continue;
        }
        let quote = token
            .first()
            .filter(|b| b"'\"".contains(b) && token.len() > 1);
        let token = match quote {
            Some(quote) if token.last() == Some(quote) => &token[1..token.len() - 1],
            _ => token,
        };
        if key == "base" {
            base = token.to_vec();
        } else {
            let path = match token.first() {
                Some(b'/') => token.to_vec(),
                _ => [&base[..], b"/", token].concat(),
            };
            let path = process.path(&path);
            if !process.machine.files.is_file(&path) {
                return Ok(false);
            }
        }
        before = None;
    }
    Ok(true)
}

/// The words of a catalog: white space with comments, what is quoted, and the rest.
fn tokens(text: &[u8]) -> Vec<&[u8]> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let blank = blank(rest);
        let quoted = rest.first().filter(|b| b"'\"".contains(b));
        let end = match quoted.and_then(|&quote| rest[1..].find_byte(quote)) {
            _ if blank > 0 => blank,
            Some(at) => at + 2,
            None => {
                let end = rest.iter().position(u8::is_ascii_whitespace);
                end.unwrap_or(rest.len())
            }
        };
        tokens.push(&rest[..end]);
        rest = &rest[end..];
    }
    tokens
}

/// How much of the start is white space and comments.
fn blank(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if rest.first().is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        } else if let Some(comment) = rest.strip_prefix(b"--")
            && let Some(end) = comment.find(b"--")
        {
            at += end + 4;
        } else {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    const HEAD: &str = "--\n## This file is created by update-catalog with update-super.\n\
                        ## Please see update-catalog(8) for how to modify this file.\n--\n";

    #[test]
    fn catalogs_are_collected() {
        let mut m = machine();
        m.put("/usr/sbin/update-catalog", "#!/usr/bin/perl\n", 0o755);
        m.put("/var/lib/sgml-base/supercatalog", "old\n", 0o644);
        m.put(
            "/etc/sgml/b.cat",
            "-- CATALOG gone --\nCATALOG \"/x\"\n",
            0o644,
        );
        m.put("/etc/sgml/a.cat", "BASE /\ncatalog -- c --\n x\n", 0o644);
        m.put("/etc/sgml/c.cat", "CATALOG y\n", 0o644);
        m.put("/x", "", 0o644);
        assert_eq!(
            m.run(&["update-catalog", "--quiet", "--update-super"])
                .status,
            0
        );
        assert_eq!(
            m.text("/var/lib/sgml-base/supercatalog"),
            format!("{HEAD}CATALOG /etc/sgml/a.cat\nCATALOG /etc/sgml/b.cat\n")
        );
        assert_eq!(m.text("/var/lib/sgml-base/supercatalog.old"), "old\n");
    }

    #[test]
    fn entries_are_added_and_removed() {
        let mut m = machine();
        m.put("/usr/sbin/update-catalog", "#!/usr/bin/perl\n", 0o755);
        let template = "## CATALOG\n";
        m.put("/usr/share/sgml-base/catalog.centralized", template, 0o644);
        m.put("/etc/sgml/README", "", 0o644);
        for entry in ["/a/catalog", "/b/catalog", "/a/catalog"] {
            let ran = m.run(&["update-catalog", "--add", "/etc/sgml/z.cat", entry]);
            assert_eq!(ran.status, 0);
        }
        assert_eq!(
            m.text("/etc/sgml/z.cat"),
            "## /etc/sgml/z.cat\nCATALOG /b/catalog\nCATALOG /a/catalog\n"
        );
        let remove = [
            "update-catalog",
            "--quiet",
            "--remove",
            "/etc/sgml/z.cat",
            "/b/catalog",
        ];
        assert_eq!(m.run(&remove).status, 0);
        assert_eq!(
            m.text("/etc/sgml/z.cat"),
            "## /etc/sgml/z.cat\nCATALOG /a/catalog\n"
        );
        assert!(m.text("/etc/sgml/z.cat.old").contains("/b/catalog"));
        assert_eq!(m.run(&["update-catalog", "--add"]).status, 1);
    }
}
