//! lighty-enable-mod of lighttpd: links to the settings that are on. It must not turn any
//! off: that is no work of an installation.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(crate) const NATIVES: &[Native] = &[native("lighty-enable-mod"), native("lighttpd-enable-mod")];

const fn native(name: &'static str) -> Native {
    Native {
        name,
        // The same program in bookworm and trixie.
        origin: Origin::Helper(&[
            "aeb2eb5f05d880bc76b0459ede63ee5c16558f2e2d122bacb677a907e149c37c",
        ]),
        run: enable,
    }
}

/// Files of settings by the name of their module.
fn modules(process: &Process<'_, '_>, folder: &str) -> BTreeMap<BString, BString> {
    let names = process.machine.files.list(folder.as_bytes());
    let named = |file: BString| {
        let (number, rest) = file.split_once_str("-")?;
        let name = rest.strip_suffix(b".conf")?;
        let word = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
        let fits = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
        let fits = fits && !name.is_empty() && name.iter().all(word);
        fits.then(|| (BString::from(name), file.clone()))
    };
    let names = names.unwrap_or_default();
    names.into_iter().filter_map(named).collect()
}

fn enable(process: &mut Process<'_, '_>) -> Outcome {
    let available = modules(process, "/etc/lighttpd/conf-available");
    let mut enabled = modules(process, "/etc/lighttpd/conf-enabled");
    let mut todo: Vec<BString> = process.args[1..].to_vec();
    let mut status = Status::OK;
    let mut at = 0;
    while let Some(module) = todo.get(at).cloned() {
        at += 1;
        process.machine.spend(1)?;
        let Some(file) = available.get(&module) else {
            process.out(format!("Ignoring unknown module: {module}\n"));
            status = Status(2);
            continue;
        };
        let link = format!("/etc/lighttpd/conf-enabled/{file}");
        if process.machine.files.is_file(link.as_bytes()) {
            process.out("already enabled\n");
            if status != Status::FAILED {
                status = Status(2);
            }
            continue;
        }
        let source = format!("/etc/lighttpd/conf-available/{file}");
        let text = process.machine.files.read(source.as_bytes());
        for line in text.unwrap_or_default().lines() {
            for wanted in listed(line, b"# -*- depends: ") {
                if !available.contains_key(&wanted) {
                    process.out(format!("Unresolved dependency: {wanted}\n"));
                    return Ok(Status::FAILED);
                }
                if !enabled.contains_key(&wanted) && !todo.contains(&wanted) {
                    process.out(format!("Met dependency: {wanted}\n"));
                    todo.push(wanted);
                }
            }
            for other in listed(line, b"# -*- conflicts: ") {
                if enabled.contains_key(&other) {
                    process.out(format!("{module} conflicts with {other}\n"));
                    return Ok(Status::FAILED);
                }
            }
        }
        let target = format!("../conf-available/{file}");
        let files = &mut process.machine.files;
        if files.symlink(target.as_bytes(), link.as_bytes()).is_ok() {
            process.out(format!("Enabling {module}: ok\n"));
            enabled.insert(module, file.clone());
        } else {
            status = Status::FAILED;
        }
    }
    process.out("Run \"service lighttpd force-reload\" to enable changes\n");
    Ok(status)
}

/// The names that a line lists after `mark`.
fn listed(line: &[u8], mark: &[u8]) -> Vec<BString> {
    let rest = line.find(mark).map(|at| &line[at + mark.len()..]);
    let list = rest.and_then(|rest| rest.split_once_str(" -*-"));
    let Some((list, _)) = list else {
        return Vec::new();
    };
    let names = list.split(|&b| b == b',').map(<[u8]>::trim_ascii);
    names.map(BString::from).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn modules_are_linked_with_what_they_need() {
        let mut machine = machine();
        machine.put("/usr/sbin/lighty-enable-mod", "#!/usr/bin/perl -w\n", 0o755);
        let folder = "/etc/lighttpd/conf-available";
        let text = "# -*- depends: fastcgi -*-\n";
        machine.put(&format!("{folder}/15-php.conf"), text, 0o644);
        machine.put(&format!("{folder}/10-fastcgi.conf"), "", 0o644);
        machine
            .files
            .mkdir(b"/etc/lighttpd/conf-enabled", 0o755)
            .unwrap();
        assert_eq!(machine.run(&["lighty-enable-mod", "php"]).status, 0);
        for file in ["15-php.conf", "10-fastcgi.conf"] {
            let link = format!("/etc/lighttpd/conf-enabled/{file}");
            let target = machine.files.read_link(link.as_bytes()).unwrap();
            assert_eq!(target, format!("../conf-available/{file}"));
        }
        assert_eq!(machine.run(&["lighty-enable-mod", "php"]).status, 2);
        assert_eq!(machine.run(&["lighty-enable-mod", "none"]).status, 2);
    }
}
