//! df, as far as scripts ask it whether there is room. There is: a tree has no disk that
//! could be full. It must not say anything else of a file system.

use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "df",
    origin: Origin::Essential,
    run: df,
}];

/// What is free, in bytes.
const FREE: u64 = 1 << 40;

fn df(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "PkmB:",
        long: &[("portability", 'P'), ("block-size=", 'B'), ("output=", 'O')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let mut unit = 1024;
    for (letter, value) in &parsed.options {
        unit = match (letter, value.as_ref().map(|value| value.as_slice())) {
            ('k', _) | ('B', Some(b"1K" | b"1k" | b"K" | b"k" | b"1024")) => 1024,
            ('m', _) | ('B', Some(b"1M" | b"M")) => 1 << 20,
            ('B', Some(b"1")) => 1,
            ('B', _) => return Err(Stop::unsupported("this unit of df is not known")),
            _ => unit,
        };
    }
    let [path] = parsed.operands.as_slice() else {
        return Err(Stop::unsupported(
            "df of the machine's file systems is not known",
        ));
    };
    let at = process.path(path);
    if !process.machine.files.exists(&at) {
        process.complain(format_args!("{path}: No such file or directory"));
        return Ok(Status::FAILED);
    }
    let free = FREE / unit;
    let text = match parsed.value('O').map(|fields| fields.as_slice()) {
        Some(b"avail") => format!("{:>10}\n{free:>10}\n", "Avail"),
        Some(_) => return Err(Stop::unsupported("this output of df is not known")),
        None if parsed.has("P") => portable(free, unit),
        None => {
            return Err(Stop::unsupported(
                "df is only known with -P or --output=avail",
            ));
        }
    };
    process.out(text);
    Ok(Status::OK)
}

/// The one line that POSIX wants, for the root's file system.
fn portable(free: u64, unit: u64) -> String {
    let blocks = format!("{unit}-blocks");
    format!(
        "Filesystem     {blocks} Used Available Capacity Mounted on\nnone {free} 0 {free} 0% /\n"
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn there_is_room() {
        let mut machine = machine();
        let mut run = |text: &str| machine.run_with(&["sh", "-c", text], "");
        let free = "1073741824\n";
        let posix = run("df --portability /root/. | tail -n 1 | awk '{ print $4 }'");
        assert_eq!(posix.unwrap().out, free);
        let avail = run("set -- $(df --output=avail /root | tail -n 1); echo $1");
        assert_eq!(avail.unwrap().out, free);
        assert_eq!(run("df -P /none").unwrap().status, 1);
        for unknown in ["df", "df /", "df --output=fstype /tmp", "df -h /"] {
            assert!(run(unknown).is_err(), "{unknown}");
        }
    }
}
