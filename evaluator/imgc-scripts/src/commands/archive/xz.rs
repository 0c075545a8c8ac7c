//! xz and zstd, as far as they unpack. What they pack would have to equal the bytes of
//! one version of their compressors, so that is refused.

use bstr::{BString, ByteSlice as _};

use super::unpack::{Packing, unpack};
use crate::commands::files::options::{Known, Parsed, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    native("xz", xz),
    native("unxz", xz),
    native("xzcat", xz),
    native("lzcat", xz),
    native("unlzma", xz),
    native("zstd", zstd),
    native("unzstd", zstd),
    native("zstdcat", zstd),
];

const fn native(name: &'static str, run: fn(&mut Process<'_, '_>) -> Outcome) -> Native {
    Native {
        name,
        origin: Origin::Package,
        run,
    }
}

/// How a program is called.
struct Form {
    known: Known,
    /// Endings of packed files' names, and what takes their place.
    endings: &'static [(&'static str, &'static str)],
    packings: &'static [Packing],
    /// Whether the packed file stays.
    keeps: bool,
}

const XZ: Form = Form {
    known: Known {
        short: "cdfhkqtvzF:T:M:0123456789e",
        long: &[
            ("stdout", 'c'),
            ("to-stdout", 'c'),
            ("decompress", 'd'),
            ("uncompress", 'd'),
            ("force", 'f'),
            ("keep", 'k'),
            ("quiet", 'q'),
            ("test", 't'),
            ("verbose", 'v'),
            ("compress", 'z'),
            ("threads=", 'T'),
            ("memlimit=", 'M'),
            ("memory=", 'M'),
        ],
    },
    endings: &[
        (".xz", ""),
        (".lzma", ""),
        (".txz", ".tar"),
        (".tlz", ".tar"),
    ],
    packings: &[Packing::Xz, Packing::Lzma],
    keeps: false,
};

const ZSTD: Form = Form {
    known: Known {
        short: "cdfkqtvT:0123456789",
        long: &[
            ("stdout", 'c'),
            ("decompress", 'd'),
            ("uncompress", 'd'),
            ("force", 'f'),
            ("keep", 'k'),
            ("rm", 'R'),
            ("quiet", 'q'),
            ("test", 't'),
            ("verbose", 'v'),
            ("no-progress", 'q'),
        ],
    },
    endings: &[(".zst", ""), (".tzst", ".tar")],
    packings: &[Packing::Zstd],
    keeps: true,
};

fn xz(process: &mut Process<'_, '_>) -> Outcome {
    run(process, &XZ)
}

fn zstd(process: &mut Process<'_, '_>) -> Outcome {
    run(process, &ZSTD)
}

fn run(process: &mut Process<'_, '_>, form: &Form) -> Outcome {
    let parsed = parse(&process.args[1..], &form.known)?;
    let name = BString::from(base(&process.args[0]));
    let cat = name.ends_with(b"cat");
    if !cat && !name.starts_with(b"un") && (parsed.has("z") || !parsed.has("dt")) {
        return Err(Stop::unsupported(format!("{name} can only unpack")));
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
        let packing = Packing::of(&packed).filter(|packing| form.packings.contains(packing));
        let bytes = match packing {
            Some(packing) => unpack(process, &packed, packing)?,
            None => None,
        };
        let out = cat || parsed.has("c") || file == "-";
        match bytes {
            None if out && (cat || parsed.has("f")) && packing.is_none() => {
                process.out(packed.as_slice());
            }
            None => {
                process.complain(format_args!("{file}: File format not recognized"));
                status = Status::FAILED;
            }
            Some(_) if parsed.has("t") => {}
            Some(bytes) if out => process.out(bytes),
            Some(bytes) => {
                if !beside(process, &file, bytes, form, &parsed) {
                    status = Status::FAILED;
                }
            }
        }
    }
    Ok(status)
}

/// Puts the bytes beside the packed file, with its mode, owner and time.
fn beside(
    process: &mut Process<'_, '_>,
    file: &BString,
    bytes: Vec<u8>,
    form: &Form,
    parsed: &Parsed,
) -> bool {
    let target = form.endings.iter().find_map(|(ending, plain)| {
        let stem = file.strip_suffix(ending.as_bytes())?;
        Some(BString::from([stem, plain.as_bytes()].concat()))
    });
    let Some(target) = target else {
        process.complain(format_args!("{file}: Filename has an unknown suffix"));
        return false;
    };
    let (from, to) = (process.path(file), process.path(&target));
    let files = &mut process.machine.files;
    if files.lnode(&to).is_some() && (!parsed.has("f") || files.unlink(&to).is_err()) {
        process.complain(format_args!("{target}: File exists"));
        return false;
    }
    let keep = parsed.has("k") || form.keeps && !parsed.has("R");
    let done = files.stat(&from, true).and_then(|stat| {
        files.write(&to, bytes, 0o600)?;
        files.chown(&to, Some(stat.uid), Some(stat.gid), false)?;
        files.chmod(&to, stat.mode)?;
        files.set_time(&to, stat.mtime, false)?;
        match keep {
            true => Ok(()),
            false => files.unlink(&from),
        }
    });
    if let Err(error) = done {
        process.complain(format_args!("{}: {error}", target.as_bstr()));
    }
    done.is_ok()
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    /// `hello` and a newline, as `xz` and `zstd` pack it.
    const XZ: [u8; 64] = [
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21,
        0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x05, 0x68, 0x65, 0x6c,
        0x6c, 0x6f, 0x0a, 0x00, 0x00, 0x00, 0xa5, 0x60, 0x97, 0xf1, 0x94, 0xf6, 0xfd, 0xe0, 0x00,
        0x01, 0x1e, 0x06, 0xc1, 0x2f, 0xa4, 0x1d, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00,
        0x00, 0x04, 0x59, 0x5a,
    ];
    const ZSTD: [u8; 19] = [
        0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x31, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a,
        0x53, 0x88, 0xbd, 0x91,
    ];

    #[test]
    fn files_are_unpacked() {
        let mut machine = machine();
        for name in ["xz", "xzcat", "unxz", "zstd"] {
            machine.put(&format!("/usr/bin/{name}"), "\u{7f}ELF", 0o755);
        }
        machine.files.write(b"/a.xz", XZ.to_vec(), 0o640).unwrap();
        machine
            .files
            .write(b"/b.zst", ZSTD.to_vec(), 0o600)
            .unwrap();
        assert_eq!(machine.run(&["xzcat", "/a.xz"]).out, "hello\n");
        assert_eq!(machine.run(&["xz", "-dc", "/a.xz"]).out, "hello\n");
        assert_eq!(machine.run(&["unxz", "/a.xz"]).status, 0);
        assert_eq!(machine.text("/a"), "hello\n");
        assert_eq!(machine.files.stat(b"/a", false).unwrap().mode, 0o640);
        assert!(!machine.files.exists(b"/a.xz"));
        assert_eq!(machine.run(&["xz", "-d", "/a"]).status, 1);
        assert_eq!(machine.run(&["zstd", "-d", "-q", "/b.zst"]).status, 0);
        assert_eq!(machine.text("/b"), "hello\n");
        assert!(machine.files.exists(b"/b.zst"));
        assert!(machine.run_with(&["xz", "-9", "/a"], "").is_err());
    }
}
