//! `sshd -G`: what sshd_config(5) sets. Scripts ask it for the host keys.

use bstr::{BString, ByteSlice as _};

use super::units;
use crate::commands::accounts::options::{self, Known, Takes};
use crate::commands::{Native, Origin};
use crate::machine::Machine;
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "sshd",
    origin: Origin::Package,
    run: sshd,
}];

const OPTIONS: &[Known] = &[(b'G', "", Takes::Nothing), (b'f', "", Takes::Value)];

/// How deep files may include others.
const DEPTH: usize = 16;

/// Settings: a name in small letters, and its value.
type Settings = Vec<(String, BString)>;

/// Shows what the files set, and the host keys, which have defaults. The defaults of all
/// else belong to the program, so that a script that asks for them gets nothing.
fn sshd(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if !given.has("G") {
        return Err(Stop::unsupported("no server starts"));
    }
    let default = "/etc/ssh/sshd_config".into();
    let path = process.path(given.value("f").unwrap_or(&default));
    let mut settings = Settings::new();
    if !read(process.machine, &path, &mut settings, 0)? {
        process.complain(format_args!("{path}: No such file or directory"));
        return Ok(Status(255));
    }
    if !settings.iter().any(|(name, _)| name == "hostkey") {
        for kind in ["rsa", "ecdsa", "ed25519"] {
            let file = format!("/etc/ssh/ssh_host_{kind}_key").into();
            settings.push(("hostkey".to_owned(), file));
        }
    }
    for (name, value) in settings {
        process.out(format!("{name} {value}\n"));
    }
    Ok(Status::OK)
}

/// Reads a file. Says whether it is there.
fn read(
    machine: &mut Machine<'_>,
    path: &BString,
    settings: &mut Settings,
    depth: usize,
) -> Result<bool, Stop> {
    let Ok(bytes) = machine.files.read(path) else {
        return Ok(false);
    };
    machine.spend(1 + bytes.len() as u64 / 256)?;
    if depth > DEPTH {
        return Err(Stop::unsupported(format!("{path} is included too deeply")));
    }
    for line in bytes.lines() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let end = line.find_byteset(b" \t=").unwrap_or(line.len());
        let name = line[..end].to_str_lossy().to_ascii_lowercase();
        let value = line[end..].trim_start_with(|c| matches!(c, ' ' | '\t' | '='));
        let value = value.trim_with(|c| c == '"');
        match name.as_str() {
            // What follows is for some connections only.
            "match" => break,
            "include" => {
                for pattern in value
                    .split(u8::is_ascii_whitespace)
                    .filter(|p| !p.is_empty())
                {
                    include(machine, pattern, settings, depth)?;
                }
            }
            // These add up; of others the first counts.
            "hostkey" | "acceptenv" | "subsystem" | "port" | "listenaddress" => {
                settings.push((name, value.into()));
            }
            _ if settings.iter().any(|(known, _)| *known == name) => {}
            _ => settings.push((name, value.into())),
        }
    }
    Ok(true)
}

fn include(
    machine: &mut Machine<'_>,
    pattern: &[u8],
    settings: &mut Settings,
    depth: usize,
) -> Result<(), Stop> {
    let (folder, names) = pattern.rsplit_once_str("/").unwrap_or((b"", pattern));
    let folder = if pattern.starts_with(b"/") {
        BString::from(folder)
    } else {
        units::join("/etc/ssh", folder)
    };
    for name in machine.files.list(&folder).unwrap_or_default() {
        if units::fits(names, &name) && !name.starts_with(b".") {
            let path = units::join(&folder.to_str_lossy(), &name);
            read(machine, &path, settings, depth + 1)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn host_keys_have_defaults() {
        let mut m = machine();
        m.put("/usr/sbin/sshd", "\u{7f}ELF", 0o755);
        assert_eq!(m.run(&["sshd", "-G"]).status, 255);
        m.put(
            "/etc/ssh/sshd_config",
            "Include /etc/ssh/sshd_config.d/*.conf\n# x\nUsePAM yes\n",
            0o644,
        );
        let out = m.run(&["sshd", "-G"]).out;
        assert!(out.starts_with("usepam yes\nhostkey /etc/ssh/ssh_host_rsa_key\n"));
        m.put(
            "/etc/ssh/sshd_config.d/a.conf",
            "HostKey /k\nUsePAM no\n",
            0o644,
        );
        assert_eq!(m.run(&["sshd", "-G"]).out, "hostkey /k\nusepam no\n");
        m.run_with(&["sshd", "-t"], "").unwrap_err();
    }
}
