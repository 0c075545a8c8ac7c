//! Programs of linux-base, for packages of a kernel: its hooks and its links.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "linux-run-hooks",
        origin: Origin::Helper(&[
            "518b767051c05ee163f7ba316c054eb46c438360a659280e6e1f9a0bcd069f29",
        ]),
        run: run_hooks,
    },
    Native {
        name: "linux-update-symlinks",
        origin: Origin::Helper(&[
            "4b20c414747306790d5a9ec5e3d8e72b9943a1a334646b843a5ba2013398903f",
        ]),
        run: update_symlinks,
    },
];

/// `linux-run-hooks image|headers SCRIPT VERSION [IMAGE] -- ARGUMENTS`
fn run_hooks(process: &mut Process<'_, '_>) -> Outcome {
    let args: Vec<BString> = process.args[1..].to_vec();
    let (Some(kind), Some(script)) = (args.first(), args.get(1)) else {
        return Ok(Status(2));
    };
    let (folder, count) = match kind.as_slice() {
        b"image" => (script.clone(), 2),
        b"headers" => (BString::from(format!("header_{script}")), 1),
        _ => return Ok(Status(2)),
    };
    let known = ["preinst", "postinst", "prerm", "postrm"];
    let dashes = args.iter().position(|arg| arg == "--");
    if !known.iter().any(|name| script == name) || dashes != Some(2 + count) {
        return Ok(Status(2));
    }
    let folders = ["/etc/kernel", "/usr/share/kernel"].map(|top| format!("{top}/{folder}.d"));
    let there = folders.into_iter().filter(|path| {
        let files = &process.machine.files;
        files.is_directory(path.as_bytes())
    });
    let there: Vec<BString> = there.map(BString::from).collect();
    if there.is_empty() {
        return Ok(Status::OK);
    }
    let mut call: Vec<BString> = ["run-parts", "--report", "--exit-on-error"]
        .map(BString::from)
        .into();
    call.extend(
        args[2..2 + count]
            .iter()
            .map(|arg| format!("--arg={arg}").into()),
    );
    call.extend(there);
    let parameters = bstr::join(" ", &args[3 + count..]);
    let mut child = process.child(call);
    child
        .env_mut()
        .insert("DEB_MAINT_PARAMS".into(), parameters.into());
    child.start()
}

/// `linux-update-symlinks install VERSION IMAGE`, for the only kernel of the tree.
fn update_symlinks(process: &mut Process<'_, '_>) -> Outcome {
    let args: Vec<BString> = process.args[1..].to_vec();
    let [change, version, image] = args.as_slice() else {
        return Ok(Status(2));
    };
    let files = &mut process.machine.files;
    if change != "install" || files.exists(b"/etc/kernel-img.conf") {
        return Err(Stop::unsupported(
            "only the links of a first kernel are known",
        ));
    }
    let kernels = files.list(b"/boot").unwrap_or_default();
    let other = |name: &BString| {
        let name = name
            .strip_prefix(b"vmlinuz-")
            .or_else(|| name.strip_prefix(b"vmlinux-"));
        name.is_some_and(|name| name != version.as_bytes())
    };
    let Some(stem) = image
        .strip_prefix(b"/boot/")
        .and_then(|name| name.strip_suffix(version.as_slice()))
        .and_then(|name| name.strip_suffix(b"-"))
    else {
        return Err(Stop::unsupported(
            "a kernel elsewhere than in /boot is not known",
        ));
    };
    if kernels.iter().any(other) {
        return Err(Stop::unsupported("the order of kernels is not known"));
    }
    let stem = stem.as_bstr();
    let initrd = format!("boot/initrd.img-{version}");
    let image = image.strip_prefix(b"/").unwrap_or(image).to_vec();
    for (link, target) in [
        (format!("/{stem}.old"), image.as_slice()),
        ("/initrd.img.old".to_owned(), initrd.as_bytes()),
        (format!("/{stem}"), image.as_slice()),
        ("/initrd.img".to_owned(), initrd.as_bytes()),
    ] {
        // A link of before is replaced.
        let _gone = files.unlink(link.as_bytes());
        if let Err(error) = files.symlink(target, link.as_bytes()) {
            process.complain(format_args!("Failed to create symlink {link}: {error}"));
            return Ok(Status(255));
        }
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn hooks_run_and_links_are_made() {
        let mut machine = machine();
        for name in ["linux-run-hooks", "linux-update-symlinks"] {
            machine.put(&format!("/usr/bin/{name}"), "#!/usr/bin/perl\n", 0o755);
        }
        let image = "/boot/vmlinuz-6.1";
        let hooks = [
            "linux-run-hooks",
            "image",
            "postinst",
            "6.1",
            image,
            "--",
            "configure",
            "",
        ];
        assert_eq!(machine.run(&hooks).status, 0);
        let hook = "#!/bin/sh\necho \"$DEB_MAINT_PARAMS;$1;$2\" >>/log\n";
        machine.put("/etc/kernel/postinst.d/a", hook, 0o755);
        assert_eq!(machine.run(&hooks).status, 0);
        assert_eq!(machine.text("/log"), "configure ;6.1;/boot/vmlinuz-6.1\n");
        machine.put(image, "", 0o644);
        let links = ["linux-update-symlinks", "install", "6.1", image];
        assert_eq!(machine.run(&links).status, 0);
        for link in ["/vmlinuz", "/vmlinuz.old"] {
            let target = machine.files.read_link(link.as_bytes()).unwrap();
            assert_eq!(target, "boot/vmlinuz-6.1");
        }
        let target = machine.files.read_link(b"/initrd.img").unwrap();
        assert_eq!(target, "boot/initrd.img-6.1");
        machine.put("/boot/vmlinuz-6.0", "", 0o644);
        assert!(machine.run_with(&links, "").is_err());
    }
}
