//! helpztags of vim: which words are explained where in folders of help.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use crate::commands::files::failed;
use crate::commands::files::gzip::unpack;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "helpztags",
    origin: Origin::Helper(&["d1681b4dc332c2ba90765c3fd7d9b5bc9f76045534b247482fcfe1761d1f91e9"]),
    run: tags,
}];

/// Words, and the files that explain them, by the file of tags that they go to.
type Tags = BTreeMap<BString, BTreeMap<BString, BString>>;

fn tags(process: &mut Process<'_, '_>) -> Outcome {
    let folders = process.args[1..].to_vec();
    if folders.is_empty() {
        return failed(process, "no directories given");
    }
    // What one folder explains is said in the next, too.
    let mut tags = Tags::new();
    for folder in folders {
        let path = process.path(&folder);
        if !process.machine.files.is_directory(&path) {
            continue;
        }
        process.out(format!("Processing {folder}\n"));
        read(process, &path, &mut tags)?;
        for (name, words) in &tags {
            let mut text = Vec::new();
            for (word, file) in words {
                let pattern = word.replace("\\", "\\\\");
                text.extend_from_slice(&[word, &b"\t"[..], file, b"\t/*", &pattern].concat());
                text.extend_from_slice(b"*\n");
            }
            let path = [&path[..], b"/", name].concat();
            let mode = 0o666 & !process.umask;
            if let Err(error) = process.machine.files.write(&path, text, mode) {
                return failed(process, format_args!("{}: {error}", path.as_bstr()));
            }
        }
    }
    Ok(Status::OK)
}

fn read(process: &mut Process<'_, '_>, folder: &[u8], tags: &mut Tags) -> Result<(), Stop> {
    let mut names = process.machine.files.list(folder).unwrap_or_default();
    names.retain(|name| !name.starts_with(b"."));
    names.sort_by_key(|name| (name.to_ascii_lowercase(), name.clone()));
    let endings: [fn(&[u8]) -> bool; 3] = [
        |name| name.ends_with(b".gz"),
        |name| name.ends_with(b".txt"),
        |name| name.len() > 4 && name.ends_with(b"x") && name[name.len() - 4] == b'.',
    ];
    for (nth, ending) in endings.into_iter().enumerate() {
        for name in names.iter().filter(|name| ending(name)) {
            let Some(language) = language(name) else {
                continue;
            };
            let path = [folder, b"/", name].concat();
            let Ok(bytes) = process.machine.files.read(&path) else {
                continue;
            };
            process.machine.spend(bytes.len() as u64 / 16)?;
            let bytes = match nth {
                0 => unpack(process, &bytes)?.unwrap_or_default(),
                _ => bytes.to_vec(),
            };
            let mut file = BString::from("tags");
            if let Some(language) = language {
                file.extend_from_slice(&[b"-", language].concat());
            }
            for word in bytes.lines_with_terminator().flat_map(words) {
                let words = tags.entry(file.clone()).or_default();
                words.insert(word.into(), name.clone());
            }
        }
    }
    Ok(())
}

/// The language of a file of help, where its name says one. None where it is no such
/// file.
fn language(name: &[u8]) -> Option<Option<&[u8]>> {
    let plain = |name: &[u8]| {
        let usual = |b: &u8| b.is_ascii_alphanumeric() || b"_.-".contains(b);
        !name.is_empty() && name.iter().all(usual)
    };
    // A file may be packed, and any letter stands for the point before `gz`.
    let packed = name.strip_suffix(b"gz").and_then(|name| name.split_last());
    let names = [packed.map(|(_, name)| name), Some(name)];
    names.into_iter().flatten().find_map(|name| {
        if let Some(stem) = name.strip_suffix(b".txt") {
            return plain(stem).then_some(None);
        }
        let (stem, ending) = name.split_at_checked(name.len().checked_sub(4)?)?;
        let (language, x) = ending.strip_prefix(b".")?.split_at(2);
        let usual = plain(stem) && x == b"x" && language.iter().all(u8::is_ascii_alphabetic);
        usual.then_some(Some(language))
    })
}

/// The words between stars in a line, with white space around them.
fn words(line: &[u8]) -> Vec<&[u8]> {
    let space = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b;
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(star) = line[at..].find_byte(b'*').map(|star| at + star) {
        at = star + 1;
        if star > 0 && !space(&line[star - 1]) {
            continue;
        }
        let rest = &line[star + 1..];
        let end = rest.iter().position(|b| space(b) || b"*|".contains(b));
        let Some(end) = end.filter(|&end| end > 0 && rest[end] == b'*') else {
            continue;
        };
        if rest.get(end + 1).is_none_or(space) {
            words.push(&rest[..end]);
            at = star + 1 + end + 1;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn words_are_found() {
        let found = words(b"*a* *b*c* *d|e* x*f* *g/\\* **\n");
        assert_eq!(found, [&b"a"[..], b"g/\\"]);
        assert_eq!(language(b"a.txt"), Some(None));
        assert_eq!(language(b"a-b.dex"), Some(Some(&b"de"[..])));
        assert_eq!(language(b"a.txt.gz"), Some(None));
        assert_eq!(language(b"a.1ex"), None);
    }

    #[test]
    fn a_folder_gets_its_tags() {
        let mut m = machine();
        m.put("/usr/bin/helpztags", "#!/usr/bin/perl\n", 0o755);
        m.put("/d/b.txt", "*z* *a/b*\n", 0o644);
        m.put("/d/a.txt", "*z*\n*\\x*\n", 0o644);
        m.put("/d/a.dex", "*z*\n", 0o644);
        assert_eq!(m.run(&["helpztags", "/none", "/d"]).out, "Processing /d\n");
        assert_eq!(
            m.text("/d/tags"),
            "\\x\ta.txt\t/*\\\\x*\na/b\tb.txt\t/*a/b*\nz\tb.txt\t/*z*\n"
        );
        assert_eq!(m.text("/d/tags-de"), "z\ta.dex\t/*z*\n");
    }
}
