//! `journalctl --update-catalog`: the database of explanations for the journal's
//! messages, from the texts of `/usr/lib/systemd/catalog`.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice as _};

use super::strings::Strings;
use crate::commands::accounts::options::{self, Known, Takes};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "journalctl",
    origin: Origin::Package,
    run: journalctl,
}];

const OPTIONS: &[Known] = &[
    (0, "update-catalog", Takes::Nothing),
    (0, "flush", Takes::Nothing),
    (0, "rotate", Takes::Nothing),
    (0, "sync", Takes::Nothing),
    (b'q', "quiet", Takes::Nothing),
    (0, "root", Takes::Value),
];

const DATABASE: &str = "/var/lib/systemd/catalog/database";
const FOLDERS: [&str; 2] = ["/usr/local/lib/systemd/catalog", "/usr/lib/systemd/catalog"];

/// An explanation: the message's number, the language, the text.
type Entry = ([u8; 16], BString, BString);

fn journalctl(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if given
        .value("root")
        .is_some_and(|root| !matches!(root.as_slice(), b"/" | b""))
    {
        return Err(Stop::unsupported("only --root=/ is known"));
    }
    if ["flush", "rotate", "sync"]
        .iter()
        .any(|option| given.has(option))
    {
        process.complain("no journal runs");
        return Ok(Status(1));
    }
    if !given.has("update-catalog") {
        return Err(Stop::unsupported("there is no journal to show"));
    }
    let mut paths: Vec<(BString, String)> = Vec::new();
    for folder in FOLDERS {
        for name in process
            .machine
            .files
            .list(folder.as_bytes())
            .unwrap_or_default()
        {
            let known = paths.iter().any(|(other, _)| *other == name);
            if name.ends_with(b".catalog") && !known {
                let path = format!("{folder}/{name}");
                paths.push((name, path));
            }
        }
    }
    paths.sort();
    let mut entries = Vec::new();
    for (name, path) in paths {
        let bytes = process
            .machine
            .files
            .read(path.as_bytes())
            .unwrap_or_default();
        process.machine.spend(1 + bytes.len() as u64 / 64)?;
        if !read(&bytes, &language(&name), &mut entries) {
            process.complain(format_args!("{path} can't be understood"));
            return Ok(Status(1));
        }
    }
    if entries.is_empty() {
        return Ok(Status::OK);
    }
    let mut seen = BTreeSet::new();
    if !entries
        .iter()
        .all(|(id, language, _)| seen.insert((*id, language.clone())))
    {
        return Err(Stop::unsupported("a message is explained twice"));
    }
    let bytes = database(&entries);
    let files = &mut process.machine.files;
    let end = DATABASE.rfind('/').unwrap_or(0);
    let done = files
        .mkdir_all(&DATABASE.as_bytes()[..end], 0o755)
        .and_then(|()| files.write(DATABASE.as_bytes(), bytes, 0o644))
        .and_then(|_| files.chmod(DATABASE.as_bytes(), 0o644));
    done.map_err(|error| Stop::unsupported(format!("{DATABASE}: {error}")))?;
    Ok(Status::OK)
}

/// The language that a file's name says: `be` of `systemd.be.catalog`.
fn language(name: &[u8]) -> BString {
    let stem = name.strip_suffix(b".catalog").unwrap_or(name);
    match stem.rsplit_once_str(".") {
        Some((_, language)) if language.len() < 31 => language.into(),
        _ => BString::default(),
    }
}

/// Reads a file of explanations. Says whether it is right.
fn read(bytes: &[u8], language: &BString, entries: &mut Vec<Entry>) -> bool {
    let mut current: Option<Entry> = None;
    let mut empty = true;
    for line in bytes.lines() {
        if line.is_empty() {
            empty = true;
            continue;
        }
        if matches!(line[0], b'#' | b';') {
            continue;
        }
        if empty && let Some((id, own)) = header(line) {
            if let Some(entry) = current.take() {
                if entry.2.is_empty() {
                    return false;
                }
                entries.push(entry);
            }
            let own = own.trim_ascii();
            if own.len() == 1 || own.len() > 31 {
                return false;
            }
            let language = if own.is_empty() {
                language.clone()
            } else {
                own.into()
            };
            current = Some((id, language, BString::default()));
            empty = false;
            continue;
        }
        let Some((_, _, text)) = &mut current else {
            return false;
        };
        if empty {
            text.push(b'\n');
        }
        text.extend_from_slice(line);
        text.push(b'\n');
        empty = false;
    }
    if let Some(entry) = current {
        if entry.2.is_empty() {
            return false;
        }
        entries.push(entry);
    }
    true
}

/// `-- 0123456789abcdef0123456789abcdef`, and perhaps a language behind it.
fn header(line: &[u8]) -> Option<([u8; 16], &[u8])> {
    let rest = line.strip_prefix(b"-- ")?;
    let digits = rest.get(..32)?;
    let language = &rest[32..];
    if !language.is_empty() && !language.starts_with(b" ") {
        return None;
    }
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(pair.to_str().ok()?, 16).ok()?;
    }
    Some((id, language))
}

/// The database: a header, the entries sorted, the texts.
fn database(entries: &[Entry]) -> Vec<u8> {
    let mut strings = Strings::default();
    let mut sorted: Vec<([u8; 16], &BString, usize)> = entries
        .iter()
        .map(|(id, language, text)| (*id, language, strings.add(text)))
        .collect();
    sorted.sort_unstable();
    let mut bytes = b"RHHHKSLP".to_vec();
    bytes.extend_from_slice(&[0; 8]);
    for number in [40_u64, sorted.len() as u64, 56] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for (id, language, at) in sorted {
        bytes.extend_from_slice(&id);
        let mut field = [0; 32];
        field[..language.len()].copy_from_slice(language);
        bytes.extend_from_slice(&field);
        bytes.extend_from_slice(&(at as u64).to_le_bytes());
    }
    bytes.extend_from_slice(&strings.bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    const TEXT: &str = "# comment\n\n-- 00000000000000000000000000000002\nSubject: two\n\n\nbody\n\n\
        -- 00000000000000000000000000000001 de\nSubject: eins\n";

    #[test]
    fn the_database_has_sorted_entries() {
        let mut m = machine();
        m.put("/usr/bin/journalctl", "\u{7f}ELF", 0o755);
        m.put("/usr/lib/systemd/catalog/a.catalog", TEXT, 0o644);
        assert_eq!(m.run(&["journalctl", "--update-catalog"]).status, 0);
        let bytes = m.files.read(DATABASE.as_bytes()).unwrap();
        assert_eq!(bytes[16..24], 40_u64.to_le_bytes());
        assert_eq!(bytes[24..32], 2_u64.to_le_bytes());
        assert_eq!(bytes[40 + 15], 1);
        assert_eq!(&bytes[56..58], b"de");
        let texts = &bytes[40 + 2 * 56..];
        assert_eq!(texts, b"\0Subject: two\n\nbody\n\0Subject: eins\n\0");
        m.run_with(&["journalctl", "-b"], "").unwrap_err();
    }

    #[test]
    fn languages_are_in_the_names() {
        assert_eq!(language(b"systemd.be@latin.catalog"), "be@latin");
        assert_eq!(language(b"systemd.catalog"), "");
    }
}
