//! `dconf update`: settings for a whole system, from texts in `/etc/dconf/db/NAME.d` to the
//! table in `/etc/dconf/db/NAME`. As dconf 0.40 does it; what is not known is refused.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::gvdb::{Table, Value, file};
use super::variant::{self, Type};
use crate::commands::files::failed;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "dconf",
    origin: Origin::Package,
    run: dconf,
}];

/// Where the tables are, if nothing else is said.
const FOLDER: &str = "/etc/dconf/db";

fn dconf(process: &mut Process<'_, '_>) -> Outcome {
    let folder = match &process.args[1..] {
        [update] if update == "update" => BString::from(FOLDER),
        [update, folder] if update == "update" && !folder.starts_with(b"-") => process.path(folder),
        _ => return Err(Stop::unsupported("only `dconf update` is known")),
    };
    let names = match process.machine.files.list(&folder) {
        Ok(names) => names,
        Err(error) => {
            return failed(process, format_args!("Error opening directory: {error}"));
        }
    };
    for name in names {
        let from: BString = [&folder[..], b"/", &name].concat().into();
        let Some(to) = from.strip_suffix(b".d") else {
            continue;
        };
        if name.starts_with(b".") || !process.machine.files.is_directory(&from) {
            continue;
        }
        // A table that is newer than its texts would be left as it is: it says the same.
        let table = read(process, &from)?;
        let mode = 0o666 & !process.umask;
        let files = &mut process.machine.files;
        let _ = files.unlink(to);
        if let Err(error) = files.write(to, file(&table), mode) {
            return failed(process, format_args!("{}: {error}", to.as_bstr()));
        }
    }
    Ok(Status::OK)
}

fn unknown(path: &[u8], what: &str) -> Stop {
    Stop::unsupported(format!(
        "the settings of {} are not known: {what}",
        path.as_bstr()
    ))
}

/// The regular files in a folder but the hidden ones, sorted.
fn texts(process: &Process<'_, '_>, folder: &[u8]) -> Vec<BString> {
    let files = &process.machine.files;
    let names = files.list(folder).unwrap_or_default().into_iter();
    let shown = names.filter(|name| !name.starts_with(b"."));
    let paths = shown.map(|name| BString::from([folder, b"/", &name].concat()));
    paths.filter(|path| files.is_file(path)).collect()
}

fn text(process: &mut Process<'_, '_>, path: &BString) -> Result<String, Stop> {
    let bytes = process.machine.files.read(path);
    let bytes = bytes.map_err(|error| unknown(path, &error.to_string()))?;
    process.machine.spend(bytes.len() as u64 / 16)?;
    let text = bytes
        .to_str()
        .map_err(|_| unknown(path, "it is not UTF-8"))?;
    Ok(text.to_owned())
}

/// The table of a folder. Of two texts with one setting, the last one counts.
fn read(process: &mut Process<'_, '_>, folder: &[u8]) -> Result<Table, Stop> {
    let mut settings = Settings::default();
    settings.list(b"/");
    for path in texts(process, folder).iter().rev() {
        let text = text(process, path)?;
        settings.add(&text).map_err(|what| unknown(path, what))?;
    }
    if settings.known.len() < 2 {
        return Err(unknown(folder, "there are none"));
    }
    let locks = [folder, b"/locks"].concat();
    if process.machine.files.is_directory(&locks) {
        let mut table = Table::default();
        let mut known = Vec::new();
        let paths = texts(process, &locks);
        // They are read as the folder happens to lie on the disk.
        if paths.len() > 1 {
            return Err(unknown(&locks, "there are several files"));
        }
        for path in &paths {
            for line in text(process, path)?.split('\n') {
                if line.starts_with('/') && !known.iter().any(|other| other == line) {
                    table.add(line.as_bytes(), value("s", variant::string("")), None);
                    known.push(line.to_owned());
                }
            }
        }
        settings.table.add(b".locks", Value::Table(table), None);
    }
    Ok(settings.table)
}

/// A value as it is stored: with its type behind it.
fn value(kind: &str, mut bytes: Vec<u8>) -> Value {
    bytes.push(0);
    bytes.extend_from_slice(kind.as_bytes());
    Value::Bytes(bytes)
}

/// A table that is being made.
#[derive(Debug, Default)]
struct Settings {
    table: Table,
    /// The numbers of what is in it.
    known: BTreeMap<BString, usize>,
}

impl Settings {
    /// The folder of this name, which is made if it is not there, and those above it.
    fn list(&mut self, name: &[u8]) -> usize {
        if let Some(number) = self.known.get(BStr::new(name)) {
            return *number;
        }
        let number = self.table.add(name, Value::List, None);
        self.known.insert(name.into(), number);
        if name != b"/" {
            let parent = self.list(above(name));
            self.table.hang(number, parent);
        }
        number
    }

    /// Adds what a text says, but for what is known.
    fn add(&mut self, text: &str) -> Result<(), &'static str> {
        for (group, keys) in groups(text)? {
            for (key, text) in keys {
                let path: BString = format!("/{group}/{key}").into();
                if self.known.contains_key(&path) {
                    continue;
                }
                let kind = kind(text).ok_or("the type of a value")?;
                let parsed = variant::parse_type(&kind);
                let bytes = parsed.and_then(|kind: Type| variant::parse(text, &kind));
                let bytes = bytes.ok_or("a value can't be read")?;
                let number = self.table.add(&path, value(&kind, bytes), None);
                self.known.insert(path.clone(), number);
                let parent = self.list(above(&path));
                self.table.hang(number, parent);
            }
        }
        Ok(())
    }
}

/// `/a/b/` and `/a/b` are in `/a/`.
fn above(name: &[u8]) -> &[u8] {
    let inner = name.strip_suffix(b"/").unwrap_or(name);
    &name[..inner.rfind_byte(b'/').map_or(0, |at| at + 1)]
}

/// A group's keys and values, as they are written.
type Group<'t> = (&'t str, Vec<(&'t str, &'t str)>);

/// The groups of a text.
fn groups(text: &str) -> Result<Vec<Group<'_>>, &'static str> {
    let mut all: Vec<Group<'_>> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').ok_or("a line is no group")?;
            let odd = name.starts_with('/') || name.ends_with('/') || name.contains("//");
            if name.is_empty() || odd || name.contains(['[', ']']) {
                return Err("the name of a group");
            }
            if all.iter().any(|(known, _)| *known == name) {
                return Err("a group is there twice");
            }
            all.push((name, Vec::new()));
            continue;
        }
        let (key, value) = line.split_once('=').ok_or("a line has no value")?;
        let (_, keys) = all.last_mut().ok_or("a line has no group")?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(['/', '[', ']']) {
            return Err("the name of a setting");
        }
        if keys.iter().any(|(known, _)| *known == key) {
            return Err("a setting is there twice");
        }
        keys.push((key, value.trim_start()));
    }
    Ok(all)
}

/// The type that a value has by the way in which it is written, where that is plain.
fn kind(text: &str) -> Option<String> {
    let text = text.trim_start();
    if let Some(named) = text.strip_prefix('@') {
        return Some(named.split_whitespace().next()?.to_owned());
    }
    if text.starts_with(['"', '\'']) {
        return Some("s".to_owned());
    }
    if let Some(inner) = text.strip_prefix('[') {
        return kind(inner).map(|of| format!("a{of}"));
    }
    let word = text.split([',', ']']).next()?.trim();
    if matches!(word, "true" | "false") {
        return Some("b".to_owned());
    }
    let digits = word.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let real = !digits.starts_with("0x") && digits.contains(['.', 'e', 'E']);
    Some(if real { "d" } else { "i" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn types_are_seen_where_they_are_plain() {
        for (text, said) in [
            ("'a'", Some("s")),
            (" true", Some("b")),
            ("-1", Some("i")),
            ("1.5", Some("d")),
            ("['<Super>space']", Some("as")),
            ("@as []", Some("as")),
            ("[1, 2]", Some("ai")),
            ("[]", None),
            ("uint32 5", None),
            ("<1>", None),
            ("(1, 2)", None),
        ] {
            assert_eq!(kind(text).as_deref(), said, "{text}");
        }
    }

    /// As the real program of 0.40 makes it.
    const TABLE: &[u8] = include_bytes!("golden/dconf");

    #[test]
    fn a_table_is_made_of_texts_and_locks() {
        let mut m = machine();
        m.put("/usr/bin/dconf", "", 0o755);
        let first = "# a comment\n[a/b]\none='first'\ntwo = true\n\
            list=['x', \"y'z\", 'long string here']\nnone=@as []\n\
            [c]\nn=-5\nhex=0x1f\nd=1.5\ne=[1,2,3]\n";
        let second = "[a/b]\none='second'\n[zz/y/x/w]\nk='v'\n\
            [org/gnome/desktop/interface]\nfont-name='Sans 10'\ncursor-blink=false\n";
        m.put("/etc/dconf/db/site.d/00-a", first, 0o644);
        m.put("/etc/dconf/db/site.d/10-b", second, 0o644);
        let locks = "/a/b/one\n/c/n\n# no\n";
        m.put("/etc/dconf/db/site.d/locks/00", locks, 0o644);
        m.put("/etc/dconf/db/site", "older", 0o600);
        assert_eq!(m.run(&["dconf", "update"]).status, 0);
        assert_eq!(
            m.files.read(b"/etc/dconf/db/site").unwrap().as_slice(),
            TABLE
        );
        m.put("/etc/dconf/db/site.d/locks/01", "/c/d\n", 0o644);
        assert!(m.run_with(&["dconf", "update"], "").is_err());
    }

    #[test]
    fn the_last_text_counts() {
        let mut m = machine();
        m.put("/usr/bin/dconf", "", 0o755);
        m.put("/etc/dconf/db/x.d/00-a", "# a\n[a/b]\nk='one'\n", 0o644);
        m.put("/etc/dconf/db/x.d/10-b", "[a/b]\nk = 2\n", 0o644);
        m.put("/etc/dconf/db/x.d/.hidden", "no text", 0o644);
        assert_eq!(m.run(&["dconf", "update"]).status, 0);
        let bytes = m.files.read(b"/etc/dconf/db/x").unwrap();
        assert_eq!(&bytes[..8], b"GVariant");
        assert!(bytes.contains_str("\x02\0\0\0\0i"));
        assert!(!bytes.contains_str("one"));
        m.put("/etc/dconf/db/x.d/20-c", "[a/b]\nl=[]\n", 0o644);
        assert!(m.run_with(&["dconf", "update"], "").is_err());
        assert!(m.run_with(&["dconf", "read", "/a/b/k"], "").is_err());
    }
}
