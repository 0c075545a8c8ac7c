//! dpkg-trigger: `/var/lib/dpkg/triggers/Unincorp`, what is triggered and not yet handed
//! to the packages that are interested.

use bstr::{BStr, BString, ByteSlice as _};

use super::place::{Args, Place, unknown, wrong};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "dpkg-trigger",
    origin: Origin::Essential,
    run: dpkg_trigger,
}];

fn dpkg_trigger(process: &mut Process<'_, '_>) -> Outcome {
    let mut place = Place::new(process);
    let (mut wait, mut check, mut act) = (true, false, true);
    let mut by = None;
    let mut args = Args::new(process);
    while let Some(option) = args.option() {
        match option.as_slice() {
            b"--check-supported" => check = true,
            b"--await" => wait = true,
            b"--no-await" => wait = false,
            b"--no-act" => act = false,
            b"--by-package" => by = args.value(),
            b"--help" | b"--version" => {
                process.out("Debian dpkg-trigger package trigger utility.\n");
                return Ok(Status::OK);
            }
            b"--admindir" | b"--root" => {
                let value = args.value().unwrap_or_default();
                place.set(&option, &value);
            }
            _ => return Err(unknown(&option)),
        }
    }
    let rest = args.rest();
    if check {
        return Ok(Status::OK);
    }
    let [trigger] = rest.as_slice() else {
        return wrong(process, "takes one argument, the trigger name");
    };
    let script = |name: &str| {
        process
            .env
            .get(BStr::new(name))
            .filter(|v| !v.is_empty())
            .cloned()
    };
    let of_script = || {
        let mut name = script("DPKG_MAINTSCRIPT_PACKAGE")?;
        if let Some(arch) = script("DPKG_MAINTSCRIPT_ARCH") {
            name.extend_from_slice(&[b":", arch.as_slice()].concat());
        }
        Some(name)
    };
    let native = process.machine.setup.arch.clone();
    let package = if wait {
        let package = by.or_else(of_script);
        // Only a foreign architecture is written.
        package.map(|package| match package.split_once_str(":") {
            Some((name, arch)) if arch == native.as_bytes() || arch == b"all" => name.into(),
            _ => package,
        })
    } else {
        Some("-".into())
    };
    let Some(package) = package else {
        let message = "must be called from a maintainer script (or with a --by-package option)";
        return wrong(process, message);
    };
    if !is_trigger(trigger) {
        return wrong(process, format_args!("invalid trigger name '{trigger}'"));
    }
    if !act {
        return Ok(Status::OK);
    }
    let old = place.read(process, "triggers/Unincorp")?;
    let mut text = BString::default();
    let mut known = false;
    for line in old.lines() {
        let words: Vec<&[u8]> = line
            .split(|&b| b == b' ')
            .filter(|w| !w.is_empty())
            .collect();
        if words.first() != Some(&trigger.as_slice()) {
            text.extend_from_slice(line);
            text.push(b'\n');
            continue;
        }
        known = true;
        text.extend_from_slice(trigger);
        // A package that comes new comes first.
        if !words[1..].contains(&package.as_slice()) {
            text.extend_from_slice(&[b" ", package.as_slice()].concat());
        }
        for word in &words[1..] {
            text.extend_from_slice(&[b" ", *word].concat());
        }
        text.push(b'\n');
    }
    if !known {
        text.extend_from_slice(&[trigger.as_slice(), b" ", &package, b"\n"].concat());
    }
    // dpkg's package brings the folder; an image may do without it.
    let _ = process
        .machine
        .files
        .mkdir_all(&place.file("triggers"), 0o755);
    place.write(process, "triggers/Unincorp", text.into())?;
    Ok(Status::OK)
}

/// Whether it can be a trigger's name.
pub(super) fn is_trigger(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn notes_who_waits() {
        let mut machine = machine();
        for args in [
            &["dpkg-trigger", "--by-package=libc6:amd64", "ldconfig"][..],
            &["dpkg-trigger", "--no-await", "ldconfig"],
            &["dpkg-trigger", "--by-package=libc6", "ldconfig"],
            &["dpkg-trigger", "--by-package", "foo", "/usr/share/x"],
        ] {
            assert_eq!(machine.run(args).status, 0);
        }
        let text = "ldconfig - libc6\n/usr/share/x foo\n";
        assert_eq!(machine.text("/var/lib/dpkg/triggers/Unincorp"), text);
        assert_eq!(machine.run(&["dpkg-trigger", "nobody"]).status, 2);
    }
}
