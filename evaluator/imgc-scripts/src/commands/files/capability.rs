//! setcap and getcap: capabilities of files, as the attribute `security.capability`.

use bstr::{BString, ByteSlice as _};

use super::failed;
use super::options::{Known, parse};
use crate::Errno;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "setcap",
        origin: Origin::Package,
        run: setcap,
    },
    Native {
        name: "getcap",
        origin: Origin::Package,
        run: getcap,
    },
];

const ATTRIBUTE: &str = "security.capability";

/// The names, by their numbers in the kernel.
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// Sets of capabilities as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sets {
    effective: u64,
    permitted: u64,
    inheritable: u64,
}

impl Sets {
    /// Reads `cap_net_raw,cap_net_admin=ep cap_chown+i`.
    fn parse(text: &[u8]) -> Option<Self> {
        let mut sets = Self::default();
        let text = text.to_str().ok()?;
        let mut clauses = 0;
        for clause in text.split_whitespace() {
            clauses += 1;
            let at = clause.find(['=', '+', '-'])?;
            let (names, mut rest) = clause.split_at(at);
            let mut caps = 0_u64;
            for name in names.split(',') {
                let name = name.to_ascii_lowercase();
                caps |= match name.as_str() {
                    "" | "all" => (1 << NAMES.len()) - 1,
                    name => match NAMES.iter().position(|known| *known == name) {
                        Some(at) => 1 << at,
                        None => 1 << name.parse::<u32>().ok().filter(|at| *at < 41)?,
                    },
                };
            }
            while let Some(op) = rest.chars().next() {
                let flags = &rest[1..];
                let end = flags.find(['=', '+', '-']).unwrap_or(flags.len());
                let has = |flag: char| flags[..end].contains(flag);
                if !flags[..end].chars().all(|flag| "eip".contains(flag)) {
                    return None;
                }
                for (flag, set) in [
                    ('e', &mut sets.effective),
                    ('p', &mut sets.permitted),
                    ('i', &mut sets.inheritable),
                ] {
                    match op {
                        '=' if has(flag) => *set |= caps,
                        '=' => *set &= !caps,
                        '+' if has(flag) => *set |= caps,
                        '-' if has(flag) => *set &= !caps,
                        _ => {}
                    }
                }
                rest = &flags[end..];
            }
        }
        (clauses > 0).then_some(sets)
    }

    /// The kernel's attribute, revision 2. None where a file can't have these.
    fn encode(self) -> Option<Vec<u8>> {
        // A file has one bit that says whether all are effective.
        if self.effective != 0 && self.effective != self.permitted | self.inheritable {
            return None;
        }
        let magic = 0x0200_0000 | u32::from(self.effective != 0);
        let mut out = magic.to_le_bytes().to_vec();
        for half in 0..2 {
            for set in [self.permitted, self.inheritable] {
                let bytes = set.to_le_bytes();
                out.extend_from_slice(&bytes[half * 4..half * 4 + 4]);
            }
        }
        Some(out)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| -> Option<u64> {
            let four: [u8; 4] = bytes.get(at * 4..at * 4 + 4)?.try_into().ok()?;
            Some(u64::from(u32::from_le_bytes(four)))
        };
        let permitted = word(1)? | word(3)? << 32;
        let inheritable = word(2)? | word(4)? << 32;
        let effective = if word(0)? & 1 != 0 {
            permitted | inheritable
        } else {
            0
        };
        Some(Self {
            effective,
            permitted,
            inheritable,
        })
    }

    /// As getcap shows them, where all have the same flags.
    fn show(self) -> Option<String> {
        let all = self.permitted | self.inheritable;
        let same = |set: u64| set == 0 || set == all;
        if !(same(self.effective) && same(self.permitted) && same(self.inheritable)) {
            return None;
        }
        let names = NAMES
            .iter()
            .enumerate()
            .filter(|(at, _)| all >> at & 1 != 0);
        let names: Vec<&str> = names.map(|(_, name)| *name).collect();
        let mut text = names.join(",") + "=";
        for (flag, set) in [
            ('e', self.effective),
            ('i', self.inheritable),
            ('p', self.permitted),
        ] {
            if set != 0 {
                text.push(flag);
            }
        }
        Some(text)
    }
}

fn setcap(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.clone();
    let mut args = args.into_iter().skip(1);
    let mut status = Status::OK;
    while let Some(arg) = args.next() {
        if arg == "-q" || arg == "-f" {
            continue;
        }
        let value = if arg == "-r" {
            None
        } else if arg.starts_with(b"-") && arg.len() <= 2 {
            return Err(Stop::unsupported(format!("setcap {arg} is not known")));
        } else {
            match Sets::parse(&arg).and_then(Sets::encode) {
                Some(value) => Some(value),
                None => return failed(process, format_args!("invalid capabilities '{arg}'")),
            }
        };
        let Some(file) = args.next() else {
            return failed(process, "missing file");
        };
        let path = process.path(&file);
        let files = &mut process.machine.files;
        let done = match files.stat(&path, false) {
            Ok(stat) if stat.kind != b'f' => Err(Errno::Invalid),
            Ok(_) => files.set_xattr(&path, ATTRIBUTE, value),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            process.complain(format_args!(
                "Failed to set capabilities on file '{file}': {error}"
            ));
            status = Status::FAILED;
        }
    }
    Ok(status)
}

fn getcap(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "nrv",
        long: &[],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let mut todo: Vec<BString> = parsed.operands.iter().rev().cloned().collect();
    while let Some(shown) = todo.pop() {
        process.machine.spend(1)?;
        let path = process.path(&shown);
        let files = &process.machine.files;
        let Some(node) = files.lnode(&path) else {
            process.complain(format_args!("{shown}: {}", Errno::NoEntry));
            continue;
        };
        if node.is_directory() && parsed.has("r") {
            let names = files.list(&path).unwrap_or_default();
            let below = names
                .iter()
                .rev()
                .map(|name| [&shown[..], b"/", name].concat().into());
            todo.extend(below);
            continue;
        }
        if let Some(value) = node.meta.xattrs.get(ATTRIBUTE) {
            let text = Sets::decode(value).and_then(Sets::show);
            let text = text
                .ok_or_else(|| Stop::unsupported("getcap for mixed capabilities is not known"))?;
            process.out(format!("{shown} {text}\n"));
        } else if parsed.has("v") {
            process.out(format!("{shown}\n"));
        }
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn capabilities_are_the_kernels_attribute() {
        let mut machine = machine();
        for program in ["setcap", "getcap"] {
            machine.put(&format!("/usr/sbin/{program}"), "", 0o755);
        }
        machine.put("/usr/bin/ping", "", 0o755);
        assert_eq!(
            machine
                .run(&["setcap", "cap_net_raw+ep", "/bin/ping"])
                .status,
            0
        );
        let node = machine.files.node(b"/bin/ping").expect("a file");
        let value = node.meta.xattrs["security.capability"].clone();
        assert_eq!(
            value,
            [
                1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
            ]
        );
        assert_eq!(
            machine.run(&["getcap", "/bin/ping"]).out,
            "/bin/ping cap_net_raw=ep\n"
        );
        assert_eq!(
            machine
                .run(&["setcap", "cap_bpf,cap_net_admin=ep", "/bin/ping"])
                .status,
            0
        );
        assert_eq!(
            machine.run(&["getcap", "/bin/ping"]).out,
            "/bin/ping cap_net_admin,cap_bpf=ep\n"
        );
        assert_eq!(machine.run(&["setcap", "-r", "/bin/ping"]).status, 0);
        assert_eq!(machine.run(&["getcap", "/bin/ping"]).out, "");
        assert_eq!(
            machine.run(&["setcap", "cap_none=ep", "/bin/ping"]).status,
            1
        );
    }
}
