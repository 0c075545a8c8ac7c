//! The journal's catalog of messages: `journalctl --update-catalog`.
//!
//! The database is one file: a header of 40 bytes (`RHHHKSLP`, two words of flags, its
//! own size, the number of items, the size of an item), items of 56 bytes (a 16-byte id,
//! a language of 32 bytes, the offset of the text), sorted by id and language, and the
//! texts, each with a NUL at its end. A text that is the end of an earlier one shares its
//! bytes. Numbers are little-endian. This is the format of systemd since version 198.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use super::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[&[Native {
    name: "journalctl",
    origin: Origin::Package,
    run: journalctl,
}]];

const FOLDERS: [&str; 2] = ["/usr/lib/systemd/catalog", "/usr/local/lib/systemd/catalog"];
const DATABASE: &str = "/var/lib/systemd/catalog";

/// Texts by id and language.
type Texts = BTreeMap<([u8; 16], Vec<u8>), Vec<u8>>;

fn journalctl(process: &mut Process<'_, '_>) -> Outcome {
    let mut update = false;
    for arg in &process.args[1..] {
        match arg.as_slice() {
            b"--update-catalog" => update = true,
            b"--root=" | b"--root=/" | b"-q" | b"--quiet" => {}
            _ => return Err(Stop::unsupported(format!("{arg} is not known"))),
        }
    }
    if !update {
        return Err(Stop::unsupported("there is no journal to read"));
    }
    let mut files: Vec<(BString, BString)> = Vec::new();
    for folder in FOLDERS {
        for name in process
            .machine
            .files
            .list(folder.as_bytes())
            .unwrap_or_default()
        {
            if name.ends_with(b".catalog") {
                let path = format!("{folder}/{name}").into();
                files.push((name, path));
            }
        }
    }
    files.sort();
    let mut texts = Texts::new();
    for (name, path) in &files {
        let Ok(bytes) = process.machine.files.read(path) else {
            continue;
        };
        process.machine.spend(bytes.len() as u64 / 64)?;
        read(&bytes, language(name), &mut texts)
            .map_err(|what| Stop::unsupported(format!("{path}: {what}")))?;
    }
    if texts.is_empty() {
        return Ok(Status::OK);
    }
    let files = &mut process.machine.files;
    let path = format!("{DATABASE}/database");
    let written = files
        .mkdir_all(DATABASE.as_bytes(), 0o755)
        .and_then(|()| files.write(path.as_bytes(), database(&texts), 0o644));
    match written {
        Ok(_) => Ok(Status::OK),
        Err(error) => {
            process.complain(error);
            Ok(Status::FAILED)
        }
    }
}

/// The language in a file's name: `be` of `systemd.be.catalog`, nothing of
/// `systemd.catalog`.
fn language(name: &[u8]) -> &[u8] {
    let stem = name.strip_suffix(b".catalog").unwrap_or(name);
    let language = stem.rfind_byte(b'.').map_or(&b""[..], |at| &stem[at + 1..]);
    if language.len() < 31 { language } else { b"" }
}

/// Reads a catalog: entries begin with `-- ID` or `-- ID LANGUAGE` behind an empty line.
fn read(bytes: &[u8], language: &[u8], texts: &mut Texts) -> Result<(), &'static str> {
    let mut entry: Option<([u8; 16], Vec<u8>)> = None;
    let mut text = Vec::new();
    let mut empty = true;
    for line in bytes.lines() {
        if line.is_empty() {
            empty = true;
            continue;
        }
        if line.starts_with(b"#") || line.starts_with(b";") {
            continue;
        }
        if let Some((id, own)) = header(line).filter(|_| empty) {
            if let Some(key) = entry.take() {
                finish(texts, key, std::mem::take(&mut text))?;
            }
            if own.is_some_and(|own| !(2..32).contains(&own.len())) {
                return Err("a language is too short or too long");
            }
            entry = Some((id, own.unwrap_or(language).to_vec()));
            empty = false;
            continue;
        }
        if entry.is_none() {
            return Err("there is text before the first id");
        }
        if empty {
            text.push(b'\n');
        }
        text.extend_from_slice(line);
        text.push(b'\n');
        empty = false;
    }
    match entry {
        Some(key) => finish(texts, key, text),
        None => Ok(()),
    }
}

fn finish(texts: &mut Texts, key: ([u8; 16], Vec<u8>), text: Vec<u8>) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("an entry has no text");
    }
    match texts.insert(key, text) {
        None => Ok(()),
        Some(_) => Err("an entry is there twice"),
    }
}

/// The id, and the language if there is one, of a line that begins an entry.
fn header(line: &[u8]) -> Option<([u8; 16], Option<&[u8]>)> {
    let rest = line.strip_prefix(b"-- ")?;
    let (digits, rest) = rest.split_at_checked(32)?;
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(pair.to_str().ok()?, 16).ok()?;
    }
    match rest.split_first() {
        None => Some((id, None)),
        Some((b' ', language)) => Some((id, Some(language.trim_ascii()))),
        Some(_) => None,
    }
}

fn database(texts: &Texts) -> Vec<u8> {
    let mut strings = vec![0];
    // Every end of a text that stands in `strings`, of the text that had it first.
    let mut kept: Vec<(usize, usize)> = Vec::new();
    let mut items = Vec::new();
    for ((id, language), text) in texts {
        let shared = kept
            .iter()
            .find(|(from, to)| strings[*from..*to].ends_with(text));
        let offset = match shared {
            Some((_, to)) => to - text.len(),
            None => {
                let from = strings.len();
                strings.extend_from_slice(text);
                kept.push((from, strings.len()));
                strings.push(0);
                from
            }
        };
        items.extend_from_slice(id);
        let mut padded = [0; 32];
        padded[..language.len()].copy_from_slice(language);
        items.extend_from_slice(&padded);
        items.extend_from_slice(&(offset as u64).to_le_bytes());
    }
    let mut out = b"RHHHKSLP".to_vec();
    out.extend_from_slice(&[0; 8]);
    for number in [40, texts.len() as u64, 56] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend(items);
    out.extend(strings);
    out
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn entries_are_sorted_and_share_their_ends() {
        let mut machine = machine();
        machine.put("/usr/bin/journalctl", "\u{7f}ELF", 0o755);
        let id = "0123456789abcdef0123456789abcdef";
        let text = format!("# comment\n\n-- {id}\nSubject: b\n\nBody\n\n-- {id} de\nBody\n");
        machine.put("/usr/lib/systemd/catalog/a.catalog", &text, 0o644);
        assert_eq!(machine.run(&["journalctl", "--update-catalog"]).status, 0);
        let bytes = machine
            .files
            .read(b"/var/lib/systemd/catalog/database")
            .expect("a file");
        assert_eq!(&bytes[..8], b"RHHHKSLP");
        assert_eq!(bytes[24], 2);
        assert_eq!(bytes[40], 0x01);
        // The first has no language, the second is the end of the first.
        let offset = |item: usize| bytes[40 + item * 56 + 48];
        assert_eq!((offset(0), offset(1)), (1, 13));
        assert_eq!(&bytes[40 + 112..], b"\0Subject: b\n\nBody\n\0");
        let stop = machine.run_with(&["journalctl", "-b"], "");
        assert!(stop.is_err());
    }
}
