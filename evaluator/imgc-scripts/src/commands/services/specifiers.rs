//! What sysusers.d(5) and tmpfiles.d(5) have in common: where their files are, how a line
//! is split, and what `%` stands for.

use bstr::{BString, ByteSlice as _};

use super::units;
use crate::machine::Machine;
use crate::process::Process;
use crate::stop::Stop;

/// The files of a kind (`sysusers`): all of them, or those that are named. A name alone
/// is looked for in the usual folders, the first of which wins. None where one is missing.
pub(super) fn files(
    process: &mut Process<'_, '_>,
    kind: &str,
    names: &[BString],
) -> Result<Result<Vec<Vec<u8>>, BString>, Stop> {
    let folders = ["/etc", "/run", "/usr/local/lib", "/usr/lib"];
    let mut paths: Vec<(BString, BString)> = Vec::new();
    for folder in folders.map(|folder| format!("{folder}/{kind}.d")) {
        for name in process
            .machine
            .files
            .list(folder.as_bytes())
            .unwrap_or_default()
        {
            let known = paths.iter().any(|(other, _)| *other == name);
            if name.ends_with(b".conf") && !known {
                let path = units::join(&folder, &name);
                paths.push((name, path));
            }
        }
    }
    paths.sort();
    let mut all = Vec::new();
    if names.is_empty() {
        for (_, path) in &paths {
            // A link to nothing hides a file of the same name.
            let bytes = process.machine.files.read(path).unwrap_or_default();
            process.machine.spend(1 + bytes.len() as u64 / 256)?;
            all.push(bytes.to_vec());
        }
        return Ok(Ok(all));
    }
    for name in names {
        if name == "-" {
            all.push(process.stdin());
            continue;
        }
        let path = if name.contains(&b'/') {
            Some(process.path(name))
        } else {
            let found = paths.iter().find(|(other, _)| other == name);
            found.map(|(_, path)| path.clone())
        };
        match path.and_then(|path| process.machine.files.read(&path).ok()) {
            Some(bytes) => {
                process.machine.spend(1 + bytes.len() as u64 / 256)?;
                all.push(bytes.to_vec());
            }
            None => return Ok(Err(name.clone())),
        }
    }
    Ok(Ok(all))
}

/// The first `count` fields of a line, and what is left of it. Quotes and backslashes
/// hold a field together.
pub(super) fn fields(line: &[u8], count: usize) -> (Vec<BString>, BString) {
    let mut fields = Vec::new();
    let mut rest = line.trim_ascii();
    while fields.len() < count && !rest.is_empty() {
        let mut field = BString::default();
        let mut quote = None;
        let mut at = 0;
        while at < rest.len() {
            let byte = rest[at];
            at += 1;
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                (None, _) if byte.is_ascii_whitespace() => break,
                (_, b'\\') if at < rest.len() => {
                    // Other escapes are resolved where they are allowed.
                    if !matches!(rest[at], b'"' | b'\'' | b'\\' | b' ') {
                        field.push(b'\\');
                    }
                    field.push(rest[at]);
                    at += 1;
                }
                _ => field.push(byte),
            }
        }
        fields.push(field);
        rest = rest[at..].trim_ascii_start();
    }
    (fields, rest.into())
}

/// Replaces specifiers. None where one stands for what is known only when the system
/// runs: the line is left out then, as systemd does.
pub(super) fn resolve(machine: &mut Machine<'_>, text: &[u8]) -> Result<Option<BString>, Stop> {
    let mut done = BString::default();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            done.push(byte);
            continue;
        }
        let value: &[u8] = match bytes.next() {
            Some(b'%') => b"%",
            Some(b't') => b"/run",
            Some(b'S') => b"/var/lib",
            Some(b'C') => b"/var/cache",
            Some(b'L') => b"/var/log",
            Some(b'T') => b"/tmp",
            Some(b'V') => b"/var/tmp",
            Some(b'h') => b"/root",
            Some(b'u' | b'g') => b"root",
            Some(b'U' | b'G') => b"0",
            Some(b'b' | b'm' | b'H' | b'l' | b'q' | b'v') => return Ok(None),
            Some(which @ (b'A' | b'B' | b'M' | b'o' | b'w' | b'W')) => {
                let name = match which {
                    b'A' => "IMAGE_VERSION",
                    b'B' => "BUILD_ID",
                    b'M' => "IMAGE_ID",
                    b'o' => "ID",
                    b'w' => "VERSION_ID",
                    _ => "VARIANT_ID",
                };
                let value = os_release(machine, name);
                done.extend_from_slice(&value);
                continue;
            }
            Some(b'a') => match crate::arch::of(&machine.setup.arch) {
                Some(known) => known.systemd.as_bytes(),
                None => return Err(Stop::unsupported("%a is not known for this architecture")),
            },
            _ => {
                let text = text.as_bstr();
                return Err(Stop::unsupported(format!(
                    "{text} has an unknown specifier"
                )));
            }
        };
        done.extend_from_slice(value);
    }
    Ok(Some(done))
}

fn os_release(machine: &mut Machine<'_>, name: &str) -> BString {
    let bytes = machine.files.read(b"/etc/os-release").unwrap_or_default();
    let mut values = bytes.lines().filter_map(|line| {
        line.strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
    });
    let value = values.next().unwrap_or_default();
    value.trim_with(|c| matches!(c, '"' | '\'')).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn lines_are_split_with_quotes() {
        let (got, rest) = fields(b" u  a\\ b \"c d\"   rest of it ", 3);
        assert_eq!(got, ["u", "a b", "c d"]);
        assert_eq!(rest, "rest of it");
    }

    #[test]
    fn specifiers_of_a_system_that_does_not_run() {
        let mut m = machine();
        m.put("/etc/os-release", "ID=debian\nVERSION_ID=\"13\"\n", 0o644);
        let mut resolve = |text: &str| resolve(&mut m, text.as_bytes()).unwrap();
        assert_eq!(resolve("%S/x-%o-%w%%").unwrap(), "/var/lib/x-debian-13%");
        assert_eq!(resolve("/x/%m"), None);
    }
}
