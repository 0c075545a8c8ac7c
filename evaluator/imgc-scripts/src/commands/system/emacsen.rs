//! emacs-package-install of emacsen-common. Where no Emacs is installed it has little to
//! do; it must not stand for an Emacs that compiles.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "emacs-package-install",
    origin: Origin::Helper(KNOWN),
    run: install,
}];

/// Those of bookworm and trixie.
const KNOWN: &[&str] = &[
    "d69a3eff5fc636d01ed23b056bd2f663b0e0350cf451d4aecdc5c5af96b6e32b",
    "b3e40e2b5faec5e261af6be6d90d4164c97e1f9bd27c3aa6f15b0aa866f99334",
];

const LIB: &str = "/usr/lib/emacsen-common/packages";
const STATE: &str = "/var/lib/emacsen-common/state";

fn install(process: &mut Process<'_, '_>) -> Outcome {
    let args: Vec<BString> = process.args[1..].to_vec();
    let (context, package) = match args.as_slice() {
        [package] => (&b"--postinst"[..], package),
        [context, package] => (context.as_slice(), package),
        _ => return Ok(Status(2)),
    };
    if !matches!(context, b"--preinst" | b"--postinst") {
        return Ok(Status(2));
    }
    let state = BString::from(format!("{STATE}/package/installed/{package}"));
    let files = &mut process.machine.files;
    if context == b"--preinst" {
        // It may not be there.
        let _gone = files.unlink(&state);
        return Ok(Status::OK);
    }
    let touched = process.run(vec!["touch".into(), state])?;
    if touched != Status::OK {
        return Ok(Status(255));
    }
    let files = &process.machine.files;
    let flavors = files.list(format!("{STATE}/flavor/installed").as_bytes());
    if flavors.is_ok_and(|names| names.iter().any(|name| !name.ends_with(b"~"))) {
        return Err(Stop::unsupported("nothing is compiled for Emacs"));
    }
    // A package of the old form has a script that is called even so, and those of such
    // packages that this one depends on.
    let scripts = files
        .list(format!("{LIB}/install").as_bytes())
        .unwrap_or_default();
    for name in scripts {
        let compat = format!("{LIB}/compat/{name}");
        if !files.exists(compat.as_bytes()) {
            return Err(Stop::unsupported(format!(
                "{} is an add-on for Emacs of the old form",
                name.as_bstr()
            )));
        }
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn the_package_is_marked() {
        let mut machine = machine();
        let program = "/usr/lib/emacsen-common/emacs-package-install";
        machine.put(program, "#!/usr/bin/perl -w\n", 0o755);
        let installed = "/var/lib/emacsen-common/state/package/installed";
        machine
            .files
            .mkdir_all(installed.as_bytes(), 0o755)
            .unwrap();
        machine.put("/usr/lib/emacsen-common/packages/compat/a", "0\n", 0o644);
        machine.put(
            "/usr/lib/emacsen-common/packages/install/a",
            "#!/bin/sh\n",
            0o755,
        );
        assert_eq!(machine.run(&[program, "--postinst", "a"]).status, 0);
        assert_eq!(machine.text(&format!("{installed}/a")), "");
        assert_eq!(machine.run(&[program, "--preinst", "a"]).status, 0);
        assert!(!machine.files.exists(format!("{installed}/a").as_bytes()));
        machine.put(
            "/var/lib/emacsen-common/state/flavor/installed/emacs",
            "",
            0o644,
        );
        assert!(machine.run_with(&[program, "--postinst", "a"], "").is_err());
    }
}
