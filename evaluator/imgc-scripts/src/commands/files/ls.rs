//! ls, dir and vdir, for a reader that is no terminal.

use bstr::{BStr, BString, ByteSlice as _};

use super::modes::letters;
use super::options::{Known, Parsed, parse};
use super::owners::{group_name, user_name};
use super::stat::{blocks, device, inode, links};
use crate::Stat;
use crate::commands::system::clock;
use crate::commands::text::sort::version;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "ls",
    origin: Origin::Essential,
    run: ls,
}];

/// A file to list.
struct Entry {
    name: BString,
    path: BString,
    stat: Stat,
}

const KNOWN: Known = Known {
    short: "1aAdlLHRrtSUfnoghpFGbNqQisvXBkI:",
    long: &[
        ("all", 'a'),
        ("almost-all", 'A'),
        ("color=?", 'c'),
        ("directory", 'd'),
        ("dereference", 'L'),
        ("recursive", 'R'),
        ("reverse", 'r'),
        ("numeric-uid-gid", 'n'),
        ("no-group", 'G'),
        ("literal", 'N'),
        ("ignore-backups", 'B'),
        ("ignore=", 'I'),
        ("hide=", 'I'),
        ("sort=", '='),
        ("time-style=", 'T'),
        ("group-directories-first", 'D'),
        ("full-time", 'u'),
    ],
};

fn ls(process: &mut Process<'_, '_>) -> Outcome {
    let mut parsed = parse(&process.args[1..], &KNOWN)?;
    for (option, value) in &mut parsed.options {
        *option = match (*option, value.as_ref().map(|value| &value[..])) {
            ('=', Some(b"none")) => 'U',
            ('=', Some(b"time")) => 't',
            ('=', Some(b"size")) => 'S',
            ('=', Some(b"version")) => 'v',
            // -1 says nothing of the order.
            ('=', Some(b"name")) => '=',
            ('=', _) => return Err(Stop::unsupported("ls --sort in this way is not known")),
            ('c', Some(b"always" | b"force" | b"yes")) => {
                return Err(Stop::unsupported("ls with colours is not known"));
            }
            (option, _) => option,
        };
    }
    if parsed.has("XbqQkhuTD") {
        return Err(Stop::unsupported("this option of ls is not known"));
    }
    if parsed.has("sli") && parsed.has("R") {
        return Err(Stop::unsupported("ls -R in this format is not known"));
    }
    let operands = match parsed.operands.as_slice() {
        [] => vec![BString::from(".")],
        some => some.to_vec(),
    };
    let long = parsed.has("lnog");
    // A link that is named is followed to a folder, unless it is shown as a link.
    let follow_folder = !parsed.has("dFl") && !long;
    let mut status = Status::OK;
    let (mut plain, mut folders) = (Vec::new(), Vec::new());
    for name in operands {
        let path = process.path(&name);
        let files = &process.machine.files;
        let follow = parsed.has("LH") || (follow_folder && files.is_directory(&path));
        match files.stat(&path, follow) {
            Ok(stat) => {
                let folder = stat.kind == b'd' && !parsed.has("d");
                let entry = Entry { name, path, stat };
                if folder {
                    folders.push(entry)
                } else {
                    plain.push(entry)
                }
            }
            Err(error) => {
                process.complain(format_args!("cannot access '{name}': {error}"));
                status = Status(2);
            }
        }
    }
    let many = plain.len() + folders.len() > 1 || parsed.has("R") || status != Status::OK;
    sort(process, &parsed, &mut plain)?;
    sort(process, &parsed, &mut folders)?;
    let mut said = !plain.is_empty();
    print(process, &parsed, &plain);
    folders.reverse();
    while let Some(folder) = folders.pop() {
        process.machine.spend(1)?;
        if said {
            process.out("\n");
        }
        said = true;
        if many {
            process.out([&folder.name, &b":\n"[..]].concat());
        }
        let mut entries = read(process, &parsed, &folder);
        sort(process, &parsed, &mut entries)?;
        if long || parsed.has("s") {
            let total: u64 = entries.iter().map(|entry| blocks(&entry.stat)).sum();
            process.out(format!("total {}\n", total / 2));
        }
        print(process, &parsed, &entries);
        if parsed.has("R") {
            let below = entries.into_iter().rev();
            let below = below.filter(|e| e.stat.kind == b'd' && e.name != "." && e.name != "..");
            folders.extend(below.map(|entry| {
                let name = [super::folders::trimmed(&folder.name), b"/", &entry.name].concat();
                Entry {
                    name: name.into(),
                    ..entry
                }
            }));
        }
    }
    Ok(status)
}

/// What a folder holds, as far as it is shown.
fn read(process: &Process<'_, '_>, parsed: &Parsed, folder: &Entry) -> Vec<Entry> {
    let files = &process.machine.files;
    let mut names = files.list(&folder.path).unwrap_or_default();
    if parsed.has("af") {
        names.extend([".".into(), "..".into()]);
    } else if !parsed.has("A") {
        names.retain(|name| !name.starts_with(b"."));
    }
    if parsed.has("B") {
        names.retain(|name| !name.ends_with(b"~"));
    }
    for (_, pattern) in parsed.options.iter().filter(|(option, _)| *option == 'I') {
        let pattern = pattern.clone().unwrap_or_default();
        names.retain(|name| !super::glob::matches(&pattern, name, false));
    }
    let entry = |name: BString| {
        let path = BString::from([super::folders::trimmed(&folder.path), b"/", &name].concat());
        let own = files.stat(&path, false).ok()?;
        let stat = if parsed.has("L") {
            files.stat(&path, true).unwrap_or(own)
        } else {
            own
        };
        Some(Entry { name, path, stat })
    };
    names.into_iter().filter_map(entry).collect()
}

fn sort(process: &Process<'_, '_>, parsed: &Parsed, entries: &mut [Entry]) -> Result<(), Stop> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    match parsed.last("tSUv=f") {
        Some('t') => {
            let now = process.machine.files.epoch();
            if entries
                .iter()
                .filter(|entry| entry.stat.mtime == now)
                .count()
                > 1
            {
                return Err(Stop::unsupported("ls -t compares files of the same second"));
            }
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.stat.mtime));
        }
        Some('v') => entries.sort_by(|a, b| version(&a.name, &b.name)),
        Some('S') => entries.sort_by_key(|entry| std::cmp::Reverse(entry.stat.size)),
        _ => {}
    }
    if parsed.has("r") {
        entries.reverse();
    }
    Ok(())
}

fn print(process: &mut Process<'_, '_>, parsed: &Parsed, entries: &[Entry]) {
    let long = parsed.has("lnog");
    let mut rows: Vec<[String; 5]> = Vec::new();
    if long {
        for entry in entries {
            let (uid, gid) = (entry.stat.uid, entry.stat.gid);
            let named = !parsed.has("n");
            let user = user_name(process, uid).filter(|_| named);
            let group = group_name(process, gid).filter(|_| named);
            let size = match entry.stat.kind {
                b'c' | b'b' => {
                    let (major, minor) = device(process, &entry.path, false);
                    format!("{major}, {minor}")
                }
                _ => entry.stat.size.to_string(),
            };
            rows.push([
                links(process, &entry.path, &entry.stat).to_string(),
                user.map_or_else(|| uid.to_string(), |name| name.to_string()),
                group.map_or_else(|| gid.to_string(), |name| name.to_string()),
                size,
                moment(entry.stat.mtime, process.machine.files.epoch()),
            ]);
        }
    }
    let width = |at: usize| rows.iter().map(|row| row[at].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let inode_width = entries
        .iter()
        .map(|e| inode(e.stat.ino).to_string().len())
        .max()
        .unwrap_or(0);
    for (at, entry) in entries.iter().enumerate() {
        let mut line = String::new();
        if parsed.has("i") {
            line += &format!("{:inode_width$} ", inode(entry.stat.ino));
        }
        if parsed.has("s") {
            line += &format!("{} ", blocks(&entry.stat) / 2);
        }
        if let Some([count, user, group, size, time]) = rows.get(at) {
            let [w0, w1, w2, w3] = widths;
            line += &letters(entry.stat.kind, entry.stat.mode);
            line += &format!(" {count:>w0$}");
            if !parsed.has("g") {
                line += &format!(" {user:w1$}");
            }
            if !parsed.has("oG") {
                line += &format!(" {group:w2$}");
            }
            line += &format!(" {size:>w3$} {time} ");
        }
        let mut bytes = line.into_bytes();
        bytes.extend_from_slice(&entry.name);
        let target = process.machine.files.read_link(&entry.path).ok();
        if let Some(target) = target.filter(|_| long && entry.stat.kind == b'l') {
            bytes.extend_from_slice(b" -> ");
            bytes.extend_from_slice(&target);
        } else if let Some(mark) = mark(parsed, &entry.stat) {
            bytes.push(mark);
        }
        bytes.push(b'\n');
        process.out(BStr::new(&bytes).as_bytes());
    }
}

/// The character behind a name that says what it is.
fn mark(parsed: &Parsed, stat: &Stat) -> Option<u8> {
    match stat.kind {
        b'd' if parsed.has("pF") => Some(b'/'),
        b'l' if parsed.has("F") => Some(b'@'),
        b'p' if parsed.has("F") => Some(b'|'),
        b'f' if parsed.has("F") && stat.mode & 0o111 != 0 => Some(b'*'),
        _ => None,
    }
}

/// A time as ls -l shows it: with the clock for the last half year, else with the year.
fn moment(time: i64, now: i64) -> String {
    let recent = time > now - 31_556_952 / 2 && time <= now;
    let shape = if recent { "%b %e %H:%M" } else { "%b %e  %Y" };
    clock::format(time, shape).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn files_are_listed() {
        let mut machine = machine();
        machine.put("/a/b/f", "abc", 0o644);
        machine.put("/a/.h", "", 0o644);
        machine.put("/a/C", "", 0o755);
        machine.run(&["ln", "-s", "b", "/a/l"]);
        for (args, status, out) in [
            (&["ls", "/a"][..], 0, "C\nb\nl\n"),
            (&["ls", "-A", "/a"][..], 0, ".h\nC\nb\nl\n"),
            (&["ls", "-1a", "/a/b"][..], 0, ".\n..\nf\n"),
            (&["ls", "-d", "/a", "/a/l"][..], 0, "/a\n/a/l\n"),
            (&["ls", "/a/l"][..], 0, "f\n"),
            (&["ls", "-F", "/a"][..], 0, "C*\nb/\nl@\n"),
            (&["ls", "/a/C", "/a/b"][..], 0, "/a/C\n\n/a/b:\nf\n"),
            (&["ls", "-R", "/a"][..], 0, "/a:\nC\nb\nl\n\n/a/b:\nf\n"),
            (&["ls", "/none"][..], 2, ""),
            (
                &["ls", "-l", "/a/b/f"][..],
                0,
                "-rw-r--r-- 1 root root 3 Nov 20 00:00 /a/b/f\n",
            ),
            (
                &["ls", "-ld", "/a/l"][..],
                0,
                "lrwxrwxrwx 1 root root 1 Nov 20 00:00 /a/l -> b\n",
            ),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
        }
        assert!(machine.run_with(&["ls", "-t", "/a"], "").is_err());
        assert!(machine.run_with(&["ls", "-t1", "/a"], "").is_err());
        for name in ["v9", "v10", "v10.1"] {
            machine.put(&format!("/v/{name}"), "", 0o644);
        }
        assert_eq!(machine.run(&["ls", "-v", "/v"]).out, "v9\nv10\nv10.1\n");
        assert_eq!(machine.run(&["ls", "-1vr", "/v"]).out, "v10.1\nv10\nv9\n");
    }
}
