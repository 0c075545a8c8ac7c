//! update-desktop-database: which programs open which types of files, from their desktop
//! entries. As desktop-file-utils 0.26 and 0.28 read them.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-desktop-database",
    origin: Origin::Package,
    run: update,
}];

/// How deep folders are looked at; links can lead round in circles.
const DEPTH: usize = 24;

/// Types, and the names of their entries.
type Types = BTreeMap<BString, Vec<BString>>;

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "qv",
        long: &[("quiet", 'q'), ("verbose", 'v')],
    };
    let mut folders = parse(&process.args[1..], &known)?.operands;
    if folders.is_empty() {
        if process.env.contains_key(b"XDG_DATA_DIRS".as_bstr()) {
            return Err(Stop::unsupported(
                "folders of data from the environment are not known",
            ));
        }
        folders = vec![
            "/usr/local/share/applications".into(),
            "/usr/share/applications".into(),
        ];
    }
    let mut done = false;
    for folder in folders {
        let folder = process.path(&folder);
        if !process.machine.files.is_directory(&folder) {
            continue;
        }
        let mut types = Types::new();
        let mut names = BTreeMap::new();
        entries(process, &folder, b"", &mut types, &mut names)?;
        let mut text = b"[MIME Cache]\n".to_vec();
        for (name, mut entries) in types {
            entries.sort();
            text.extend_from_slice(&[&name[..], b"="].concat());
            for entry in entries {
                text.extend_from_slice(&[&entry[..], b";"].concat());
            }
            text.push(b'\n');
        }
        done |= write(process, &folder, text).is_ok();
    }
    if !done {
        return failed(process, "the databases could not be updated.");
    }
    Ok(Status::OK)
}

/// Puts a new cache in the place of what is there.
fn write(process: &mut Process<'_, '_>, folder: &[u8], text: Vec<u8>) -> Result<(), Errno> {
    let cache = [folder, b"/mimeinfo.cache"].concat();
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    match files.unlink(&cache) {
        Ok(()) | Err(Errno::NoEntry) => files.write(&cache, text, mode).map(drop),
        Err(error) => Err(error),
    }
}

/// Reads the entries in `folder`. Those in folders below have these in their names.
fn entries(
    process: &mut Process<'_, '_>,
    folder: &[u8],
    prefix: &[u8],
    types: &mut Types,
    names: &mut BTreeMap<BString, ()>,
) -> Result<(), Stop> {
    if prefix.split(|&b| b == b'-').count() > DEPTH * 4 || folder.len() > 2000 {
        return Err(Stop::unsupported("the folders of entries are too deep"));
    }
    for name in process.machine.files.list(folder).unwrap_or_default() {
        let path = [folder, b"/", &name].concat();
        process.machine.spend(1)?;
        if process.machine.files.is_directory(&path) {
            let prefix = [prefix, &name, b"-"].concat();
            entries(process, &path, &prefix, types, names)?;
            continue;
        }
        if !name.ends_with(b".desktop") || !process.machine.files.is_file(&path) {
            continue;
        }
        let entry = BString::from([prefix, &name].concat());
        let unknown = |error: &str| Stop::unsupported(format!("{entry} is not known: {error}"));
        if names.insert(entry.clone(), ()).is_some() {
            return Err(unknown("two entries have its name"));
        }
        let text = process.machine.files.read(&path);
        let text = text.map_err(|error| unknown(&error.to_string()))?;
        process.machine.spend(text.len() as u64 / 32)?;
        let found = types_of(&text).map_err(unknown)?;
        for kind in found.unwrap_or_default() {
            let entries = types.entry(kind).or_default();
            if entries.last() != Some(&entry) {
                entries.push(entry.clone());
            }
        }
    }
    Ok(())
}

/// The types that an entry names. None where it names none, is hidden or is wrong; an
/// error where it is not known what GLib makes of it.
fn types_of(text: &[u8]) -> Result<Option<Vec<BString>>, &'static str> {
    let mut group: Option<&[u8]> = None;
    let mut first = None;
    let mut found: [Option<&[u8]>; 2] = [None, None];
    for line in text.lines() {
        let line = line.trim_start_with(|c| c.is_ascii_whitespace() || c == '\x0b');
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(name) = line.strip_prefix(b"[") {
            let name = name.trim_ascii_end();
            let Some(name) = name.strip_suffix(b"]") else {
                return Err("the name of a group");
            };
            let odd = |b: &u8| b"[]".contains(b) || b.is_ascii_control();
            if name.is_empty() || name.iter().any(odd) {
                return Err("the name of a group");
            }
            first.get_or_insert(name);
            group = Some(name);
            continue;
        }
        let Some(equals) = line.find_byte(b'=').filter(|&at| at > 0) else {
            return Ok(None);
        };
        let Some(group) = group else {
            return Ok(None);
        };
        let (key, value) = (line[..equals].trim_ascii_end(), &line[equals + 1..]);
        let value = value.trim_start_with(|c| c.is_ascii_whitespace() || c == '\x0b');
        if let Some(at) = key.find_byte(b'[') {
            let Some(locale) = key[at + 1..].strip_suffix(b"]").filter(|l| !l.is_empty()) else {
                return Err("the name of a key");
            };
            let usual = |b: &u8| b.is_ascii_alphanumeric() || b"-_.@".contains(b);
            if !locale.iter().all(|b| usual(b) || b.is_ascii()) || locale.contains(&b'[') {
                return Err("the name of a key");
            }
            if !locale.iter().all(usual) {
                return Ok(None);
            }
            continue;
        }
        let odd = |b: &u8| *b == b']' || b.is_ascii_control() || !b.is_ascii();
        if key.iter().any(odd) {
            return Err("the name of a key");
        }
        if key == b"Encoding" && first == Some(group) && !value.eq_ignore_ascii_case(b"UTF-8") {
            return Ok(None);
        }
        if group == b"Desktop Entry" {
            match key {
                b"MimeType" => found[0] = Some(value),
                b"Hidden" => found[1] = Some(value),
                _ => {}
            }
        }
    }
    let [types, hidden] = found;
    let hidden = hidden.map_or(&b""[..], |hidden| hidden.trim_ascii_end());
    if hidden == b"true" || hidden == b"1" {
        return Ok(None);
    }
    let Some(types) = types else {
        return Ok(None);
    };
    if types.to_str().is_err() {
        return Err("its types are not UTF-8");
    }
    let Some(types) = list(types) else {
        return Ok(None);
    };
    let types = types.into_iter().filter_map(|kind| {
        let kind = kind.trim_ascii_end();
        valid(kind).then(|| kind.into())
    });
    Ok(Some(types.collect()))
}

/// A list of strings, as a value has it. None where an escape is wrong.
fn list(value: &[u8]) -> Option<Vec<BString>> {
    let mut strings = vec![BString::default()];
    let mut rest = value.iter();
    while let Some(&byte) = rest.next() {
        let string = strings.last_mut()?;
        match byte {
            b';' => strings.push(BString::default()),
            b'\\' => string.push(match rest.next()? {
                b's' => b' ',
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'\\' => b'\\',
                b';' => b';',
                _ => return None,
            }),
            other => string.push(other),
        }
    }
    if strings.last().is_some_and(|last| last.is_empty()) {
        strings.pop();
    }
    Some(strings)
}

/// Whether a type is taken, if only with a warning.
fn valid(kind: &[u8]) -> bool {
    let Some((media, subtype)) = kind.split_once_str("/") else {
        return false;
    };
    let usual = |b: &u8| *b > b' ' && *b != 127 && !b"()<>@,;:\\\"/[]?=".contains(b);
    if subtype.is_empty() || !subtype.iter().all(usual) {
        return false;
    }
    if let Some(rest) = media.strip_prefix(b"x-").or(media.strip_prefix(b"X-")) {
        return rest.iter().all(usual);
    }
    match media {
        b"application" | b"audio" | b"chemical" | b"font" | b"image" | b"inode" | b"message"
        | b"model" | b"multipart" | b"text" | b"video" => true,
        b"misc" => subtype == b"ultravox",
        b"flv-application" => subtype == b"octet-stream",
        b"zz-application" => {
            let winassoc = subtype.strip_prefix(b"zz-winassoc-");
            winassoc.is_some_and(|name| {
                let known: [&[u8]; 11] = [
                    b"123", b"cab", b"cdr", b"doc", b"hlp", b"ini", b"lwp", b"lzh", b"mdb", b"uu",
                    b"xls",
                ];
                known.contains(&name)
            })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn entries_are_listed_by_type() {
        let mut machine = machine();
        machine.put("/usr/bin/update-desktop-database", "", 0o755);
        let entry = |types: &str| format!("# c\n[Desktop Entry]\nMimeType={types}\n");
        let folder = "/usr/share/applications";
        machine.put(
            &format!("{folder}/b.desktop"),
            &entry("text/b;text/a;text/a; text/c"),
            0o644,
        );
        machine.put(
            &format!("{folder}/kde/a.desktop"),
            &entry("text/b \\t;print/x;"),
            0o644,
        );
        machine.put(
            &format!("{folder}/c.desktop"),
            "[Desktop Entry]\nName=c\n",
            0o644,
        );
        assert_eq!(machine.run(&["update-desktop-database", "-q"]).status, 0);
        assert_eq!(
            machine.text("/usr/share/applications/mimeinfo.cache"),
            "[MIME Cache]\ntext/a=b.desktop;\ntext/b=b.desktop;kde-a.desktop;\n"
        );
        assert_eq!(machine.run(&["update-desktop-database", "/none"]).status, 1);
    }

    #[test]
    fn what_is_wrong_is_left_out() {
        let found = |text: &str| {
            let types = types_of(text.as_bytes()).unwrap();
            types.map(|types| bstr::join(" ", types).to_str_lossy().into_owned())
        };
        let head = "[Desktop Entry]\nMimeType=text/a;text/b\n";
        assert_eq!(found(head).unwrap(), "text/a text/b");
        for rest in [
            "foo",
            "=c",
            "Name[a b]=x",
            "Hidden=true ",
            "Hidden=1",
            "Encoding=x",
        ] {
            assert_eq!(found(&format!("{head}{rest}\n")), None, "{rest}");
        }
        for rest in [
            "Hidden=yes",
            "A b=c",
            "Name[de_DE@euro]=x",
            "Encoding=utf-8",
        ] {
            assert!(found(&format!("{head}{rest}\n")).is_some(), "{rest}");
        }
        assert_eq!(found("A=b\n[Desktop Entry]\nMimeType=text/a\n"), None);
        assert_eq!(found("[Desktop Entry]\nMimeType=text/a\\q\n"), None);
        let twice =
            "[Desktop Entry]\nMimeType=text/a\n[X]\n[Desktop Entry]\r\n MimeType = X-a/b\r\n";
        assert_eq!(found(twice).unwrap(), "X-a/b");
    }
}
