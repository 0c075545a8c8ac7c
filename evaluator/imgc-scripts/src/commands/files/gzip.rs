//! gzip, as far as it unpacks. What it packs would have to equal its own compressor's
//! bytes, so that is refused.

use std::io::Read as _;

use bstr::{BString, ByteSlice as _};
use flate2::read::MultiGzDecoder;

use super::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::{Stop, Why};

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "gzip",
        origin: Origin::Essential,
        run: gzip,
    },
    Native {
        name: "gunzip",
        origin: Origin::Script,
        run: |process| called(process, "-d"),
    },
    Native {
        name: "uncompress",
        origin: Origin::Script,
        run: |process| called(process, "-d"),
    },
    Native {
        name: "zcat",
        origin: Origin::Script,
        run: |process| called(process, "-cd"),
    },
];

/// The scripts call gzip with an option in front.
fn called(process: &mut Process<'_, '_>, option: &str) -> Outcome {
    process.args[0] = "gzip".into();
    process.args.insert(1, option.into());
    gzip(process)
}

fn gzip(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "cdfhkNnqtv123456789",
        long: &[
            ("stdout", 'c'),
            ("to-stdout", 'c'),
            ("decompress", 'd'),
            ("uncompress", 'd'),
            ("force", 'f'),
            ("keep", 'k'),
            ("no-name", 'n'),
            ("quiet", 'q'),
            ("test", 't'),
            ("verbose", 'v'),
            ("best", '9'),
            ("fast", '1'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if !parsed.has("dt") {
        return Err(Stop::unsupported("gzip can only unpack"));
    }
    if parsed.has("N") {
        return Err(Stop::unsupported("gzip -N is not known"));
    }
    let files = match parsed.operands.as_slice() {
        [] => vec![BString::from("-")],
        some => some.to_vec(),
    };
    let mut status = Status::OK;
    for file in files {
        let packed = match process.input(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                process.complain(format_args!("{file}: {error}"));
                status = Status::FAILED;
                continue;
            }
        };
        let Some(bytes) = unpack(process, &packed)? else {
            // With -cdf, what is not packed passes as it is.
            if parsed.has("c") && parsed.has("f") && !packed.starts_with(&[0x1f, 0x8b]) {
                process.out(packed.as_slice());
                continue;
            }
            process.complain(format_args!("{file}: not in gzip format"));
            status = Status::FAILED;
            continue;
        };
        if parsed.has("t") {
            continue;
        }
        if file == "-" || parsed.has("c") {
            process.out(bytes);
            continue;
        }
        let name = file.strip_suffix(b".gz").map(BString::from);
        let Some(target) = name.or_else(|| {
            file.strip_suffix(b".tgz")
                .map(|stem| [stem, b".tar"].concat().into())
        }) else {
            process.complain(format_args!("{file}: unknown suffix -- ignored"));
            status = Status(2);
            continue;
        };
        if !place(process, &file, &target, bytes, &parsed) {
            status = if parsed.has("f") {
                Status::FAILED
            } else {
                Status(2)
            };
        }
    }
    Ok(status)
}

/// The bytes that are packed. None where it is no gzip, or a broken one.
pub(crate) fn unpack(
    process: &mut Process<'_, '_>,
    packed: &[u8],
) -> Result<Option<Vec<u8>>, Stop> {
    let limit = process.machine.setup.limits.file as u64;
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(packed)
        .take(limit + 1)
        .read_to_end(&mut bytes);
    if bytes.len() as u64 > limit {
        return Err(Stop::new(Why::Budget("a file gets too large")));
    }
    process.machine.spend(bytes.len() as u64 / 256)?;
    Ok(read.is_ok().then_some(bytes))
}

/// Puts the bytes beside the packed file, with its mode, owner and time, and removes that.
fn place(
    process: &mut Process<'_, '_>,
    file: &BString,
    target: &BString,
    bytes: Vec<u8>,
    parsed: &super::options::Parsed,
) -> bool {
    let (from, to) = (process.path(file), process.path(target));
    let files = &mut process.machine.files;
    if files.lnode(&to).is_some() {
        if !parsed.has("f") {
            process.complain(format_args!("{target} already exists"));
            return false;
        }
        let _ = files.unlink(&to);
    }
    let done = files.stat(&from, true).and_then(|stat| {
        files.write(&to, bytes, 0o600)?;
        files.chown(&to, Some(stat.uid), Some(stat.gid), false)?;
        files.chmod(&to, stat.mode)?;
        files.set_time(&to, stat.mtime, false)?;
        if parsed.has("k") {
            Ok(())
        } else {
            files.unlink(&from)
        }
    });
    if let Err(error) = done {
        process.complain(format_args!("{}: {error}", target.as_bstr()));
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    /// `hello` and a newline, packed by `gzip -9n`.
    const HELLO: [u8; 26] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 2, 0, 0x20, 0x30,
        0x3a, 0x36, 6, 0, 0, 0,
    ];

    #[test]
    fn files_are_unpacked() {
        let mut machine = machine();
        machine
            .files
            .write(b"/a.gz", HELLO.to_vec(), 0o640)
            .expect("a file");
        assert_eq!(machine.run(&["gzip", "-cd", "/a.gz"]).out, "hello\n");
        assert_eq!(machine.run(&["gzip", "-d", "/a.gz"]).status, 0);
        assert_eq!(machine.text("/a"), "hello\n");
        assert!(!machine.files.exists(b"/a.gz"));
        assert_eq!(
            machine.files.stat(b"/a", false).expect("a file").mode,
            0o640
        );
        assert_eq!(machine.run(&["gzip", "-cd", "/a"]).status, 1);
        assert_eq!(machine.run(&["gzip", "-cdf", "/a"]).out, "hello\n");
        assert!(machine.run_with(&["gzip", "-9n", "/a"], "").is_err());
    }
}
