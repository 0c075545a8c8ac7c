//! `systemd-hwdb update`: what is known of hardware, in one file. As systemd makes it from
//! version 252 on.

mod strings;
mod trie;

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use self::trie::{Property, Trie};
use crate::Errno;
use crate::commands::accounts::options::{self, Known, Takes};
use crate::commands::files::failed;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "systemd-hwdb",
    origin: Origin::Package,
    run: hwdb,
}];

const OPTIONS: &[Known] = &[(0, "usr", Takes::Nothing)];

/// Where descriptions are. A name in the first folder hides that in the second.
const FOLDERS: [&str; 2] = ["/etc/udev/hwdb.d", "/usr/lib/udev/hwdb.d"];

fn hwdb(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if given.rest.len() != 1 || given.rest.first().is_none_or(|verb| verb != "update") {
        return Err(Stop::unsupported("only the verb update is known"));
    }
    update(process, given.has("usr"))
}

fn update(process: &mut Process<'_, '_>, usr: bool) -> Outcome {
    let version = version(process)?;
    let mut sources: BTreeMap<BString, BString> = BTreeMap::new();
    for folder in FOLDERS {
        for name in process
            .machine
            .files
            .list(folder.as_bytes())
            .unwrap_or_default()
        {
            if name.ends_with(b".hwdb") && !name.starts_with(b".") {
                let path = format!("{folder}/{name}").into();
                sources.entry(name).or_insert(path);
            }
        }
    }
    if sources.is_empty() {
        return Err(Stop::unsupported(
            "a database of no descriptions is not known",
        ));
    }
    let mut trie = Trie::new();
    for (path, priority) in sources.values().zip(1..) {
        let text = match process.machine.files.read(path) {
            Ok(text) => text,
            Err(Errno::NoEntry) => continue,
            Err(error) => return Err(Stop::unsupported(format!("{path}: {error}"))),
        };
        process.machine.spend(text.len() as u64)?;
        if text.iter().any(|b| b"\r\0".contains(b)) {
            return Err(Stop::unsupported(format!(
                "the lines of {path} are not known"
            )));
        }
        import(&mut trie, &text, path, priority);
    }
    let folder = if usr { "/usr/lib/udev" } else { "/etc/udev" };
    let path = format!("{folder}/hwdb.bin");
    let bytes = trie.file(version);
    let files = &mut process.machine.files;
    let done = match files.unlink(path.as_bytes()) {
        Ok(()) | Err(Errno::NoEntry) => files
            .mkdir_all(folder.as_bytes(), 0o755)
            .and_then(|()| files.write(path.as_bytes(), bytes, 0o444)),
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{path}: {error}")),
    }
}

/// The number of systemd's version, which is written.
fn version(process: &mut Process<'_, '_>) -> Result<u64, Stop> {
    let query = ["dpkg-query", "-W", "-f", "${Version}", "udev"].map(BString::from);
    let (_, version) = process.capture(query.to_vec())?;
    let digits = version.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = version[..digits]
        .to_str()
        .ok()
        .and_then(|digits| digits.parse().ok());
    number
        .filter(|number| (252..=257).contains(number))
        .ok_or_else(|| {
            let version = version.as_bstr();
            Stop::unsupported(format!("the database of udev {version} is not known"))
        })
}

/// Where in a file a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    Matches,
    Properties,
}

/// Reads a file. What is wrong in it is passed over.
fn import(trie: &mut Trie, text: &[u8], source: &[u8], priority: u16) {
    let mut state = State::Outside;
    let mut matches: Vec<&[u8]> = Vec::new();
    for (line, number) in text.lines_with_terminator().zip(1..) {
        if line.starts_with(b"#") {
            continue;
        }
        let end = line.find_byte(b'#').unwrap_or(line.len());
        let line = line[..end].trim_end_with(|c| c.is_ascii_whitespace() || c == '\x0b');
        let indented = line.starts_with(b" ");
        state = match (state, line.is_empty(), indented) {
            (State::Outside, true, _) | (State::Outside, _, true) => State::Outside,
            (State::Outside | State::Matches, false, false) => {
                if state == State::Outside {
                    matches.clear();
                }
                matches.push(line);
                State::Matches
            }
            // A record without properties, the end of one, or a match among properties.
            (State::Matches | State::Properties, true, _) | (State::Properties, _, false) => {
                State::Outside
            }
            (State::Matches | State::Properties, false, true) => {
                insert(trie, &matches, line, source, number, priority);
                State::Properties
            }
        };
    }
}

fn insert(
    trie: &mut Trie,
    matches: &[&[u8]],
    line: &[u8],
    source: &[u8],
    number: u32,
    priority: u16,
) {
    let Some((mut key, value)) = line.split_once_str("=") else {
        return;
    };
    // One blank in front stays.
    let blank = |byte: Option<&u8>| byte.is_some_and(|b| b" \t".contains(b));
    while blank(key.first()) && blank(key.get(1)) {
        key = &key[1..];
    }
    if key.len() < 2 {
        return;
    }
    let property = Property {
        key,
        value,
        source,
        line: number,
        priority,
    };
    for search in matches {
        trie.insert(search, &property);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    const SOURCE: &str = include_str!("golden/20-a.hwdb");
    /// As the real program of 257 makes it.
    const DATABASE: &[u8] = include_bytes!("golden/hwdb.bin");

    #[test]
    fn a_database_is_made() {
        let mut m = machine();
        m.put("/usr/bin/systemd-hwdb", "\u{7f}ELF", 0o755);
        let status = "Package: udev\nStatus: install ok installed\nArchitecture: amd64\n\
                      Version: 257.9-1~deb13u1\n";
        m.put("/var/lib/dpkg/status", status, 0o644);
        assert!(m.run_with(&["systemd-hwdb", "update"], "").is_err());
        m.put("/usr/lib/udev/hwdb.d/20-a.hwdb", SOURCE, 0o644);
        m.put(
            "/usr/lib/udev/hwdb.d/30-b.hwdb",
            "usb:hidden*\n ID_X=y\n",
            0o644,
        );
        let own = "usb:v0001*\n ID_VENDOR=Own\nb\n ID_A=\n";
        m.put("/etc/udev/hwdb.d/30-b.hwdb", own, 0o644);
        assert_eq!(m.run(&["systemd-hwdb", "--usr", "update"]).status, 0);
        let made = m.files.read(b"/usr/lib/udev/hwdb.bin").unwrap();
        assert_eq!(made.as_slice(), DATABASE);
        assert_eq!(
            m.files.stat(b"/usr/lib/udev/hwdb.bin", true).unwrap().mode,
            0o444
        );
        assert!(m.run_with(&["systemd-hwdb", "query", "x"], "").is_err());
    }
}
