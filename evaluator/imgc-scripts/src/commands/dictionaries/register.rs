//! The registers of dictionaries: what packages say of theirs, and the file of each kind
//! that is generated of it.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use super::{CACHE, heading, hunspell, write};
use crate::process::Process;
use crate::stop::Stop;

/// What is known of a dictionary, by the names of the fields.
pub(super) type Fields = BTreeMap<BString, BString>;

/// Dictionaries, by their languages.
pub(super) type Register = BTreeMap<BString, Fields>;

const PACKAGES: &str = "/var/lib/dictionaries-common";

/// Collects what packages say of dictionaries of the kind `class`, and writes the file.
pub(super) fn update(process: &mut Process<'_, '_>, class: &str) -> Result<(), Stop> {
    let folder = format!("{PACKAGES}/{class}");
    let names = process.machine.files.list(folder.as_bytes());
    let mut all = Register::new();
    for name in names.unwrap_or_default() {
        if name.starts_with(b".") || name.ends_with(b"~") {
            continue;
        }
        let path = BString::from([folder.as_bytes(), b"/", &name[..]].concat());
        let bytes = process.machine.files.read(&path).unwrap_or_default();
        process.machine.spend(bytes.len() as u64 / 64)?;
        let found = parse(&bytes).map_err(|what| Stop::unsupported(format!("{path}: {what}")))?;
        for (language, mut fields) in found {
            fields.insert("package".into(), name.clone());
            all.insert(language, fields);
        }
    }
    if class == "hunspell" {
        all = hunspell::merge(process, all)?;
    }
    dump(process, class, &all)
}

/// Reads what a package says: paragraphs of fields.
fn parse(bytes: &[u8]) -> Result<Register, &'static str> {
    let mut all = Register::new();
    let mut fields = Fields::new();
    for line in bytes.lines().chain([&b""[..]]) {
        if line.is_empty() {
            if !fields.is_empty() {
                let language = fields.remove(b"language".as_bstr());
                let language = language.ok_or("a dictionary has no Language")?;
                if !fields.contains_key(b"hash-name".as_bstr()) {
                    return Err("a dictionary has no Hash-Name");
                }
                all.insert(language, std::mem::take(&mut fields));
            }
            continue;
        }
        let colon = line.find_byte(b':').filter(|&at| at > 0);
        let colon = colon.filter(|_| !line[0].is_ascii_whitespace());
        let colon = colon.ok_or("a line is no field")?;
        let value = line[colon + 1..].trim_ascii_start();
        if !value.is_empty() {
            fields.insert(line[..colon].to_ascii_lowercase().into(), value.into());
        }
    }
    Ok(all)
}

fn dump(process: &mut Process<'_, '_>, class: &str, all: &Register) -> Result<(), Stop> {
    let quoted = |text: &BString| text.replace("\\", "\\\\").replace("'", "\\'");
    let mut entries = Vec::new();
    for (language, fields) in all {
        let lines = fields.iter().map(|(name, value)| {
            let (name, value) = (name.as_slice(), quoted(value));
            [b"     '", name, b"' => '", &value, b"'"].concat()
        });
        let lines: Vec<Vec<u8>> = lines.collect();
        let (language, lines) = (quoted(language), bstr::join(",\n", &lines));
        entries.push([b"  '", &language[..], b"' => {\n", &lines, b"\n  }"].concat());
    }
    let files = &mut process.machine.files;
    if !files.is_directory(CACHE.as_bytes()) {
        let made = files.mkdir(CACHE.as_bytes(), 0o755);
        made.map_err(|error| Stop::unsupported(format!("{CACHE}: {error}")))?;
    }
    let mut text = heading("### ").into_bytes();
    text.extend_from_slice(b"\npackage Debian::DictionariesCommon::dbfile;\n\n%dictionaries = (\n");
    text.extend_from_slice(&bstr::join(",\n", &entries));
    text.extend_from_slice(b"\n);\n\n1;\n");
    write(process, &format!("{CACHE}/{class}.db"), text)
}

/// What the generated files say. Where the file of a kind is not there, the one that was
/// read last counts: the original keeps them in one variable.
#[derive(Debug, Default)]
pub(super) struct Loaded(Register);

impl Loaded {
    /// The register of the kind `class`.
    pub(super) fn load(
        &mut self,
        process: &mut Process<'_, '_>,
        class: &str,
    ) -> Result<&Register, Stop> {
        let path = format!("{CACHE}/{class}.db");
        if let Ok(bytes) = process.machine.files.read(path.as_bytes()) {
            let read = undump(&bytes);
            self.0 = read.ok_or_else(|| Stop::unsupported(format!("{path} can't be read")))?;
        }
        Ok(&self.0)
    }
}

/// A text without the backslashes that keep what follows them.
fn plain(text: &[u8]) -> Option<BString> {
    let mut out = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        out.push(if byte == b'\\' { *bytes.next()? } else { byte });
    }
    Some(out.into())
}

fn undump(bytes: &[u8]) -> Option<Register> {
    let mut all = Register::new();
    let mut current: Option<(BString, Fields)> = None;
    for line in bytes.lines() {
        let line = line.strip_suffix(b",").unwrap_or(line);
        if let Some(language) = line.strip_prefix(b"  '")
            && let Some(language) = language.strip_suffix(b"' => {")
        {
            current = Some((plain(language)?, Fields::new()));
        } else if line == b"  }" {
            let (language, fields) = current.take()?;
            all.insert(language, fields);
        } else if let Some((_, fields)) = &mut current {
            let (name, value) = line.strip_prefix(b"     '")?.split_once_str("' => '")?;
            fields.insert(plain(name)?, plain(value.strip_suffix(b"'")?)?);
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read() {
        let text = "Language: a (b)\nHash-Name:  x \nEmpty:\nOther: [']\n\n\n\
            Language: c\nHash-Name: y\n";
        let all = parse(text.as_bytes()).unwrap();
        assert_eq!(all.len(), 2);
        let a = &all[b"a (b)".as_bstr()];
        let fields: Vec<String> = a.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(fields, ["hash-name=x ", "other=[']"]);
        assert!(parse(b"Hash-Name: x\n").is_err());
        assert!(parse(b"Language: x\n").is_err());
        assert!(parse(b"# x\n").is_err());
    }

    #[test]
    fn what_is_written_can_be_read() {
        let text =
            b"### a\n\n%dictionaries = (\n  'a \\'b\\'' => {\n     'k' => '[\\\\303\\']',\n     \
            'l' => 'v'\n  },\n  'c' => {\n     'k' => ','\n  }\n);\n";
        let all = undump(text).unwrap();
        assert_eq!(all[b"a 'b'".as_bstr()][b"k".as_bstr()], "[\\303']");
        assert_eq!(all[b"c".as_bstr()][b"k".as_bstr()], ",");
    }
}
