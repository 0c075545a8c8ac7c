//! setcap and getcap: capabilities of files, as the attribute `security.capability`.

use bstr::{BString, ByteSlice as _};
use imgc_plan::{CAPABILITY_ATTRIBUTE, FileCapabilities};

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
            let sets = arg.to_str().ok().and_then(FileCapabilities::parse);
            match sets.and_then(FileCapabilities::encode) {
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
            Ok(_) => files.set_xattr(&path, CAPABILITY_ATTRIBUTE, value),
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
        if let Some(value) = node.meta.xattrs.get(CAPABILITY_ATTRIBUTE) {
            let text = FileCapabilities::decode(value).and_then(FileCapabilities::show);
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
