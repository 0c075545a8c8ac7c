//! Work for a kernel and a boot loader. An image has neither.

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

const INITRD: &str = "an initial file system of a kernel is made by the machine that boots it";
const LOADER: &str = "a boot loader is set up by the machine that boots with it";

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "update-initramfs",
        origin: Origin::Package,
        run: |process| decline(process, INITRD),
    },
    Native {
        name: "dracut",
        origin: Origin::Package,
        run: |process| decline(process, INITRD),
    },
    Native {
        name: "update-grub",
        origin: Origin::Package,
        run: |process| decline(process, LOADER),
    },
    program("update-grub2", |process| decline(process, LOADER)),
    program("grub-install", |process| decline(process, LOADER)),
    program("grub-mkconfig", |process| decline(process, LOADER)),
    program("bootctl", |process| decline(process, LOADER)),
    program("grub-probe", fails),
    program("depmod", depmod),
    program("modprobe", fails),
    program("rmmod", fails),
    program("insmod", fails),
    program("lsmod", empty),
    program("sysctl", sysctl),
    program("aa-enabled", fails),
    program("apparmor_parser", empty),
    program("swapon", fails),
    program("swapoff", fails),
];

const fn program(name: &'static str, run: fn(&mut Process<'_, '_>) -> Outcome) -> Native {
    Native {
        name,
        origin: Origin::Package,
        run,
    }
}

fn decline(process: &mut Process<'_, '_>, reason: &'static str) -> Outcome {
    process.machine.decline(reason);
    Ok(Status::OK)
}

/// It asks the kernel for what a tree does not have.
fn fails(process: &mut Process<'_, '_>) -> Outcome {
    process.complain("no kernel is there to ask");
    Ok(Status(1))
}

/// It has nothing to do.
fn empty(_: &mut Process<'_, '_>) -> Outcome {
    Ok(Status::OK)
}

fn depmod(process: &mut Process<'_, '_>) -> Outcome {
    let modules = process
        .machine
        .files
        .list(b"/lib/modules")
        .unwrap_or_default();
    if modules.is_empty() {
        return fails(process);
    }
    decline(
        process,
        "a list of a kernel's modules is made by the machine that boots it",
    )
}

/// Setting has no effect on a tree; asking has no answer.
fn sysctl(process: &mut Process<'_, '_>) -> Outcome {
    let sets = |arg: &bstr::BString| {
        let arg: &[u8] = arg;
        matches!(arg, b"--system" | b"-p" | b"--load" | b"-w" | b"--write")
            || arg.starts_with(b"-p")
            || arg.starts_with(b"--load=")
            || arg.contains(&b'=')
    };
    if process.args.iter().skip(1).any(sets) {
        return Ok(Status::OK);
    }
    Err(Stop::unsupported("a kernel's setting can't be asked for"))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn there_is_no_kernel() {
        let mut m = machine();
        for name in ["modprobe", "depmod", "sysctl", "update-initramfs"] {
            m.put(&format!("/usr/sbin/{name}"), "\u{7f}ELF", 0o755);
        }
        assert_eq!(m.run(&["modprobe", "loop"]).status, 1);
        assert_eq!(m.run(&["depmod", "-a"]).status, 1);
        assert_eq!(m.run(&["sysctl", "-q", "--system"]).status, 0);
        m.run_with(&["sysctl", "-n", "kernel.ostype"], "")
            .unwrap_err();
        assert_eq!(m.run(&["update-initramfs", "-u"]).status, 0);
        assert_eq!(m.declined().len(), 1);
    }
}
