//! Programs that ask about or set what belongs to one running machine: its identity, its
//! devices, whether it is a virtual one.

use bstr::ByteSlice as _;

use crate::commands::accounts::options::{self, Known, Takes};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[
    package("systemd-machine-id-setup", machine_id),
    package("dbus-uuidgen", uuidgen),
    package("systemd-detect-virt", detect_virt),
    package("systemd-escape", escape),
    package("udevadm", udevadm),
    package("loginctl", absent),
    package("busctl", absent),
    package("hostnamectl", absent),
    package("timedatectl", absent),
    package("localectl", absent),
    package("dbus-send", absent),
    package("gdbus", absent),
    package("systemd-notify", absent),
    package("systemd-run", absent),
];

const fn package(name: &'static str, run: fn(&mut Process<'_, '_>) -> Outcome) -> Native {
    Native {
        name,
        origin: Origin::Package,
        run,
    }
}

const ROOT: &[Known] = &[
    (0, "root", Takes::Value),
    (0, "commit", Takes::Nothing),
    (0, "print", Takes::Nothing),
];

/// An image has no identity: the machine gets one when it starts.
fn machine_id(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, ROOT)?;
    if given.has("print") {
        return Err(Stop::unsupported("an image has no machine ID to print"));
    }
    process
        .machine
        .decline("a machine's identity does not belong in an image");
    Ok(Status::OK)
}

const UUIDGEN: &[Known] = &[(0, "ensure", Takes::Maybe), (0, "get", Takes::Maybe)];

fn uuidgen(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, UUIDGEN)?;
    if !given.has("ensure") {
        return Err(Stop::unsupported("a new identity would be random"));
    }
    process
        .machine
        .decline("a machine's identity does not belong in an image");
    Ok(Status::OK)
}

const DETECT: &[Known] = &[
    (b'c', "container", Takes::Nothing),
    (b'v', "vm", Takes::Nothing),
    (b'r', "chroot", Takes::Nothing),
    (b'q', "quiet", Takes::Nothing),
    (0, "private-users", Takes::Nothing),
    (0, "cvm", Takes::Nothing),
];

fn detect_virt(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, DETECT)?;
    if given.has("chroot") {
        return Ok(Status::OK);
    }
    if !given.has("quiet") && !given.has("private-users") {
        process.out("none\n");
    }
    Ok(Status(1))
}

const ESCAPE: &[Known] = &[
    (b'p', "path", Takes::Nothing),
    (b'u', "unescape", Takes::Nothing),
    (0, "suffix", Takes::Value),
    (0, "template", Takes::Value),
];

fn escape(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, ESCAPE)?;
    if given.has("unescape") {
        return Err(Stop::unsupported("--unescape is not known"));
    }
    let mut names = Vec::new();
    for text in &given.rest {
        let mut text = text.to_vec();
        if given.has("path") {
            let parts: Vec<&[u8]> = text
                .split(|&b| b == b'/')
                .filter(|p| !p.is_empty())
                .collect();
            text = bstr::join("/", parts);
            if text.is_empty() {
                text = b"/".to_vec();
            }
        }
        let mut name = String::new();
        for (at, &byte) in text.iter().enumerate() {
            match byte {
                b'/' => name.push('-'),
                b'.' if at > 0 => name.push('.'),
                b':' | b'_' => name.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
                _ => name.push_str(&format!("\\x{byte:02x}")),
            }
        }
        if let Some(suffix) = given.value("suffix") {
            name = format!("{name}.{suffix}");
        }
        if let Some(template) = given.value("template") {
            let (before, after) = template
                .split_once_str("@.")
                .ok_or_else(|| Stop::unsupported(format!("{template} is no template")))?;
            name = format!("{}@{name}.{}", before.as_bstr(), after.as_bstr());
        }
        names.push(name);
    }
    process.out(names.join(" ") + "\n");
    Ok(Status::OK)
}

/// No device manager runs: what would be sent to it is left out.
fn udevadm(process: &mut Process<'_, '_>) -> Outcome {
    let verb = process
        .args
        .iter()
        .skip(1)
        .find(|arg| !arg.starts_with(b"-"))
        .cloned();
    match verb.as_ref().map(|verb| verb.as_slice()) {
        Some(b"control" | b"trigger" | b"settle") => Ok(Status::OK),
        _ => Err(Stop::unsupported("this use of udevadm is not known")),
    }
}

/// They talk to services, and none runs.
fn absent(process: &mut Process<'_, '_>) -> Outcome {
    process.complain("no bus runs here");
    Ok(Status(1))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn nothing_of_the_machine_shows() {
        let mut m = machine();
        for name in [
            "systemd-machine-id-setup",
            "dbus-uuidgen",
            "systemd-detect-virt",
            "systemd-escape",
        ] {
            m.put(&format!("/usr/bin/{name}"), "\u{7f}ELF", 0o755);
        }
        assert_eq!(m.run(&["systemd-machine-id-setup"]).status, 0);
        assert_eq!(m.run(&["dbus-uuidgen", "--ensure"]).status, 0);
        assert_eq!(m.declined().len(), 2);
        assert!(!m.files.exists(b"/etc/machine-id"));
        assert_eq!(m.run(&["systemd-detect-virt", "-c"]).status, 1);
        let ran = m.run(&["systemd-escape", "-p", "--suffix=mount", "/mnt/a b-c/"]);
        assert_eq!(ran.out, "mnt-a\\x20b\\x2dc.mount\n");
        assert_eq!(
            m.run(&["systemd-escape", "--template=x@.service", "a/b"])
                .out,
            "x@a-b.service\n"
        );
    }
}
