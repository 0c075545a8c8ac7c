//! stat: what it says of a file, by its formats.

use bstr::{BString, ByteSlice as _};
use imgc_tree::{Ino, Kind};

use super::failed;
use super::modes::letters;
use super::options::{Known, parse};
use super::owners::{group_name, user_name};
use crate::commands::system::clock;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::{Errno, Stat};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "stat",
    origin: Origin::Essential,
    run: stat,
}];

/// A number for an inode: it says whether two are the same, and nothing more.
pub(super) fn inode(ino: Ino) -> u64 {
    let digits: String = format!("{ino:?}")
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse::<u64>().unwrap_or(0) + 2
}

/// How many links a file has: a folder, one for each folder in it too.
pub(super) fn links(process: &Process<'_, '_>, path: &[u8], stat: &Stat) -> usize {
    let files = &process.machine.files;
    if stat.kind != b'd' {
        return files.link_count(stat.ino);
    }
    let names = files.list(path).unwrap_or_default();
    let folder = |name: &BString| {
        let below = [path, b"/", &name[..]].concat();
        files
            .stat(&below, false)
            .is_ok_and(|stat| stat.kind == b'd')
    };
    2 + names.iter().filter(|name| folder(name)).count()
}

/// Blocks of 512 bytes.
pub(super) fn blocks(stat: &Stat) -> u64 {
    match stat.kind {
        b'f' => stat.size.div_ceil(4096) * 8,
        _ => 0,
    }
}

/// The bits of a mode that say what a file is.
pub(super) fn type_bits(kind: u8) -> u32 {
    match kind {
        b'd' => 0o040_000,
        b'l' => 0o120_000,
        b'c' => 0o020_000,
        b'b' => 0o060_000,
        b'p' => 0o010_000,
        _ => 0o100_000,
    }
}

/// Major and minor number of a device.
pub(super) fn device(process: &Process<'_, '_>, path: &[u8], follow: bool) -> (u32, u32) {
    let files = &process.machine.files;
    let node = if follow {
        files.node(path)
    } else {
        files.lnode(path)
    };
    match node.map(|node| &node.kind) {
        Some(Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor }) => {
            (*major, *minor)
        }
        _ => (0, 0),
    }
}

fn stat(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "Lc:",
        long: &[
            ("dereference", 'L'),
            ("format=", 'c'),
            ("printf=", 'p'),
            ("cached=", 'C'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let follow = parsed.has("L");
    let Some(format) = parsed.value(parsed.last("cp").unwrap_or('c')).cloned() else {
        return Err(Stop::unsupported("stat without a format is not known"));
    };
    let escapes = parsed.last("cp") == Some('p');
    if parsed.operands.is_empty() {
        return failed(process, "missing operand");
    }
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let path = process.path(operand);
        match process.machine.files.stat(&path, follow) {
            Ok(found) => {
                let text = write(process, operand, &path, &found, &format, escapes, follow)?;
                process.out(text);
                if !escapes {
                    process.out("\n");
                }
            }
            // The kernel's own files are not in the tree; what stands there can't be known.
            Err(error) => {
                process.complain(format_args!("cannot statx '{operand}': {error}"));
                status = Status::FAILED;
            }
        }
    }
    Ok(status)
}

/// Writes one file's values as `format` has it.
fn write(
    process: &mut Process<'_, '_>,
    operand: &BString,
    path: &[u8],
    stat: &Stat,
    format: &[u8],
    escapes: bool,
    follow: bool,
) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(&b) = format.get(at) {
        at += 1;
        if b == b'\\' && escapes {
            let (bytes, used) = escape(&format[at..]);
            text.extend_from_slice(&bytes);
            at += used;
            continue;
        }
        if b != b'%' {
            text.push(b);
            continue;
        }
        let flags = format[at..]
            .iter()
            .take_while(|b| b"#0-+ ".contains(b))
            .count();
        let flag = &format[at..at + flags];
        at += flags;
        let digits = format[at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let width = format[at..at + digits]
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok());
        at += digits;
        let Some(&letter) = format.get(at) else {
            text.push(b'%');
            continue;
        };
        at += 1;
        let high = matches!(letter, b'H' | b'L') && matches!(format.get(at), Some(b'd' | b'r'));
        if high {
            return Err(Stop::unsupported(
                "stat's format for device numbers is not known",
            ));
        }
        let value = value(process, operand, path, stat, letter, follow)?;
        let value = if flag.contains(&b'#') && letter == b'a' {
            [b"0", &value[..]].concat()
        } else {
            value
        };
        let width = usize::min(width.unwrap_or(0), 1024);
        let pad = width.saturating_sub(value.len());
        if flag.contains(&b'-') {
            text.extend_from_slice(&value);
            text.resize(text.len() + pad, b' ');
        } else {
            let fill = if flag.contains(&b'0') { b'0' } else { b' ' };
            text.resize(text.len() + pad, fill);
            text.extend_from_slice(&value);
        }
    }
    Ok(text)
}

/// What stands behind a backslash, and how long it is.
pub(super) fn escape(rest: &[u8]) -> (Vec<u8>, usize) {
    let Some(&letter) = rest.first() else {
        return (b"\\".to_vec(), 0);
    };
    let byte = match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'e' => 27,
        b'f' => 12,
        b'r' => b'\r',
        b'v' => 11,
        b'\\' | b'"' => letter,
        b'0'..=b'7' => {
            let digits = rest
                .iter()
                .take(3)
                .take_while(|b| (b'0'..=b'7').contains(b));
            let digits: Vec<u32> = digits.map(|b| u32::from(b - b'0')).collect();
            let value = digits.iter().fold(0, |value, digit| value * 8 + digit);
            return (vec![value.to_le_bytes()[0]], digits.len());
        }
        _ => return (vec![b'\\', letter], 1),
    };
    (vec![byte], 1)
}

/// A file's type in words.
pub(super) fn words(stat: &Stat) -> &'static str {
    match stat.kind {
        b'd' => "directory",
        b'l' => "symbolic link",
        b'c' => "character special file",
        b'b' => "block special file",
        b'p' => "fifo",
        _ if stat.size == 0 => "regular empty file",
        _ => "regular file",
    }
}

fn value(
    process: &mut Process<'_, '_>,
    operand: &BString,
    path: &[u8],
    stat: &Stat,
    letter: u8,
    follow: bool,
) -> Result<Vec<u8>, Stop> {
    let unknown = |name: Option<BString>| name.unwrap_or_else(|| "UNKNOWN".into()).to_vec();
    let text = match letter {
        b'a' => format!("{:o}", stat.mode),
        b'A' => letters(stat.kind, stat.mode),
        b'b' => blocks(stat).to_string(),
        b'B' => "512".to_owned(),
        b'd' | b'D' => "1".to_owned(),
        b'f' => format!("{:x}", type_bits(stat.kind) | stat.mode),
        b'F' => words(stat).to_owned(),
        b'g' => stat.gid.to_string(),
        b'G' => return Ok(unknown(group_name(process, stat.gid))),
        b'h' => links(process, path, stat).to_string(),
        b'i' => inode(stat.ino).to_string(),
        b'm' => "/".to_owned(),
        b'n' => return Ok(operand.to_vec()),
        b'N' => {
            let mut name = format!("'{operand}'");
            if stat.kind == b'l' && !follow {
                let target = process.machine.files.read_link(path);
                let target = target.map_err(|error: Errno| Stop::unsupported(error.to_string()))?;
                name.push_str(&format!(" -> '{target}'"));
            }
            name
        }
        b'o' => "4096".to_owned(),
        b's' => stat.size.to_string(),
        b't' => format!("{:x}", device(process, path, follow).0),
        b'T' => format!("{:x}", device(process, path, follow).1),
        b'u' => stat.uid.to_string(),
        b'U' => return Ok(unknown(user_name(process, stat.uid))),
        b'Y' => stat.mtime.to_string(),
        b'y' => clock::format(stat.mtime, "%F %T.000000000 +0000").unwrap_or_default(),
        b'%' => "%".to_owned(),
        other => {
            let other = char::from(other);
            return Err(Stop::unsupported(format!("stat's %{other} is not known")));
        }
    };
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn values_are_as_stat_gives_them() {
        let mut machine = machine();
        machine.put("/etc/passwd", "root:x:0:0::/root:\n", 0o644);
        machine.put("/etc/group", "root:x:0:\n", 0o644);
        machine.put("/a/f", "abc", 0o4640);
        machine.run(&["ln", "-s", "f", "/a/l"]);
        machine.run(&["chown", "-h", "5:6", "/a/l"]);
        for (args, out) in [
            (
                &["stat", "-c", "%a %A %u:%g %U:%G %s %F", "/a/f"][..],
                "4640 -rwSr----- 0:0 root:root 3 regular file\n",
            ),
            (
                &["stat", "-c", "%N %u %U %h", "/a/l"][..],
                "'/a/l' -> 'f' 5 UNKNOWN 1\n",
            ),
            (&["stat", "-L", "--format=%n %i", "/a/l"][..], "/a/l"),
            (
                &["stat", "--printf", "%04a|%-6s|%5u\\n", "/a"][..],
                "0755|4096  |    0\n",
            ),
        ] {
            let ran = machine.run(args);
            assert_eq!(ran.status, 0);
            assert!(ran.out.starts_with(out), "{args:?}: {}", ran.out);
        }
        assert_eq!(machine.run(&["stat", "-c", "%a", "/none"]).status, 1);
        assert!(machine.run_with(&["stat", "/a"], "").is_err());
    }
}
