//! aspell-autobuildhash and ispell-autobuildhash: whether a dictionary is to be compiled.

use bstr::{BString, ByteSlice as _};

use super::{is_command, text_at};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "aspell-autobuildhash",
        origin: Origin::Helper(&[
            "ad85655cf51df10c6ddaa7853ffbfd2a31b28d6337f041a1e618f1925c6af872",
            "c48aa13f1b3466b2d9ab02fb20bc4403961661d942bc899d7150f8d2c1254cc8",
        ]),
        run: |process| build(process, "aspell"),
    },
    Native {
        name: "ispell-autobuildhash",
        origin: Origin::Helper(&[
            "fb456933bb2b8d8d5d85a0622d62fdf2dff4709033a14ce77f14ed910cecf0af",
            "c9b5c88afceea1d0b133a0685d3bf6f6d155fd056d4b8b1791e3ca6484c870b5",
        ]),
        run: |process| build(process, "ispell"),
    },
];

fn build(process: &mut Process<'_, '_>, class: &str) -> Outcome {
    let mut triggered = false;
    for option in &process.args[1..] {
        match option.as_slice() {
            b"--triggered" => triggered = true,
            _ => {
                return Err(Stop::unsupported(format!(
                    "the option {option} is not known"
                )));
            }
        }
    }
    if !triggered && activate(process, &format!("{class}-autobuildhash"))? {
        return Ok(Status::OK);
    }
    if !is_command(process, class) {
        return Ok(Status::OK);
    }
    let version = text_at(process, &format!("/usr/share/{class}/{class}.compat"));
    let version = version.unwrap_or_default();
    let version = version.lines().next().unwrap_or_default();
    let folder = format!("/var/lib/{class}");
    let names = process.machine.files.list(folder.as_bytes());
    for name in names.unwrap_or_default() {
        let Some(stem) = name.strip_suffix(b".compat") else {
            continue;
        };
        let of = text_at(process, &format!("{folder}/{name}")).unwrap_or_default();
        if version.is_empty() || of.lines().next() != Some(version) {
            let stem = stem.as_bstr();
            return Err(Stop::unsupported(format!(
                "{class} would compile its dictionary {stem}"
            )));
        }
    }
    Ok(Status::OK)
}

/// Activates a trigger of dictionaries-common, if dpkg is at work.
pub(super) fn activate(process: &mut Process<'_, '_>, trigger: &str) -> Result<bool, Stop> {
    if !process.env.contains_key(b"DPKG_RUNNING_VERSION".as_bstr()) {
        return Ok(false);
    }
    let args = ["dpkg-trigger", "--no-await", trigger].map(BString::from);
    Ok(process.run(args.to_vec())? == Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn what_is_compiled_already_is_fine() {
        let mut machine = machine();
        let program = "/usr/sbin/aspell-autobuildhash";
        machine.put(program, "#!/usr/bin/perl -w\n", 0o755);
        machine.put("/var/lib/aspell/en.compat", "", 0o644);
        let args = ["aspell-autobuildhash", "--triggered"];
        assert_eq!(machine.run(&args).status, 0);
        machine.put("/usr/bin/aspell", "\u{7f}ELF", 0o755);
        machine.put("/usr/share/aspell/aspell.compat", "0.60\n", 0o644);
        assert!(machine.run_with(&args, "").is_err());
        machine.put("/var/lib/aspell/en.compat", "0.60\n", 0o644);
        assert_eq!(machine.run(&args).status, 0);
    }
}
