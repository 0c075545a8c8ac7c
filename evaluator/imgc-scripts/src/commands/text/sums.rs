//! md5sum, sha1sum and their like, cksum and sum.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};
use sha1::Digest as _;
use sha2::Digest as _;

use super::lines::{input, split};
use super::options::{self, Parsed, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "md5sum",
        origin: Origin::Essential,
        run: |process| run(process, Kind::Md5),
    },
    Native {
        name: "sha1sum",
        origin: Origin::Essential,
        run: |process| run(process, Kind::Sha1),
    },
    Native {
        name: "sha224sum",
        origin: Origin::Essential,
        run: |process| run(process, Kind::Sha224),
    },
    Native {
        name: "sha256sum",
        origin: Origin::Essential,
        run: |process| run(process, Kind::Sha256),
    },
    Native {
        name: "sha384sum",
        origin: Origin::Essential,
        run: |process| run(process, Kind::Sha384),
    },
    Native {
        name: "sha512sum",
        origin: Origin::Essential,
        run: |process| run(process, Kind::Sha512),
    },
    Native {
        name: "cksum",
        origin: Origin::Essential,
        run: cksum,
    },
    Native {
        name: "sum",
        origin: Origin::Essential,
        run: sum,
    },
];

/// A digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha224 => "SHA224",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }

    /// The digest of `bytes`, in hexadecimal.
    fn of(self, bytes: &[u8]) -> String {
        let digest = match self {
            Self::Md5 => md5::Md5::digest(bytes).to_vec(),
            Self::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
            Self::Sha224 => sha2::Sha224::digest(bytes).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(bytes).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
        };
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

const SPEC: Spec = Spec {
    letters: "bctwz\u{391}\u{392}\u{393}\u{394}\u{395}",
    long: &[
        ("binary", 'b'),
        ("check", 'c'),
        ("text", 't'),
        ("warn", 'w'),
        ("zero", 'z'),
        ("status", '\u{391}'),
        ("quiet", '\u{392}'),
        ("strict", '\u{393}'),
        ("ignore-missing", '\u{394}'),
        ("tag", '\u{395}'),
    ],
};

fn run(process: &mut Process<'_, '_>, kind: Kind) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let mut names = given.operands.clone();
    if names.is_empty() {
        names.push("-".into());
    }
    let mut status = Status::OK;
    for name in &names {
        let Some(bytes) = input(process, name)? else {
            status = Status::FAILED;
            continue;
        };
        if given.has('c') {
            if !check(process, &given, kind, name, &bytes)? {
                status = Status::FAILED;
            }
            continue;
        }
        let hex = kind.of(&bytes);
        let (escaped, shown) = match given.has('z') {
            true => (false, name.clone()),
            false => escape(name),
        };
        let mark = if escaped { "\\" } else { "" };
        let end = if given.has('z') { "\0" } else { "\n" };
        let mode = if given.has('b') { '*' } else { ' ' };
        process.out(match given.has('\u{395}') {
            true => format!("{mark}{} ({shown}) = {hex}{end}", kind.name()).into_bytes(),
            false => {
                let mut line = format!("{mark}{hex} {mode}").into_bytes();
                line.extend_from_slice(&shown);
                line.extend_from_slice(end.as_bytes());
                line
            }
        });
    }
    Ok(status)
}

/// A name with its newlines and backslashes escaped, if it has any.
fn escape(name: &[u8]) -> (bool, BString) {
    if name.find_byteset(b"\\\n\r").is_none() {
        return (false, name.into());
    }
    let name = name.replace("\\", "\\\\").replace("\n", "\\n");
    (true, name.replace("\r", "\\r").into())
}

/// Whether all files that a list names have their digests.
fn check(
    process: &mut Process<'_, '_>,
    given: &Parsed,
    kind: Kind,
    list: &BString,
    bytes: &Rc<Vec<u8>>,
) -> Result<bool, Stop> {
    let (quiet, silent) = (given.has('\u{392}'), given.has('\u{391}'));
    let (mut fine, mut proper, mut wrong, mut verified) = (true, 0, 0, 0);
    for line in split(bytes, b'\n') {
        if line.starts_with(b"#") {
            continue;
        }
        let Some((want, name)) = entry(line, kind) else {
            wrong += usize::from(!line.is_empty());
            continue;
        };
        proper += 1;
        let path = process.path(&name);
        if given.has('\u{394}') && !process.machine.files.exists(&path) {
            continue;
        }
        let say = match process.input(&name) {
            Ok(bytes) => {
                super::spend_on(process, bytes.len())?;
                verified += 1;
                match kind.of(&bytes).eq_ignore_ascii_case(&want) {
                    true => "OK",
                    false => "FAILED",
                }
            }
            Err(error) => {
                process.complain(format_args!("{name}: {error}"));
                "FAILED open or read"
            }
        };
        fine &= say == "OK";
        let dull = quiet && say == "OK";
        if !silent && !dull {
            process.out([name.as_slice(), b": ", say.as_bytes(), b"\n"].concat());
        }
    }
    if proper == 0 {
        process.complain(format_args!(
            "{list}: no properly formatted checksum lines found"
        ));
        return Ok(false);
    }
    if given.has('\u{394}') && verified == 0 {
        process.complain(format_args!("{list}: no file was verified"));
        return Ok(false);
    }
    Ok(fine && !(given.has('\u{393}') && wrong > 0))
}

/// The digest and the name of a line of a list.
fn entry(line: &[u8], kind: Kind) -> Option<(String, BString)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.trim_start_with(|char| char == ' ' || char == '\t');
    let (escaped, line) = match line.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (digest, name) = match line.strip_prefix(kind.name().as_bytes()) {
        Some(rest) => {
            let rest = rest
                .strip_prefix(b" (")
                .or_else(|| rest.strip_prefix(b"("))?;
            let at = rest.rfind(b") = ")?;
            (&rest[at + 4..], &rest[..at])
        }
        None => {
            let len = line
                .iter()
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            let rest = line[len..].strip_prefix(b" ")?;
            let name = match rest.first() {
                Some(b' ' | b'*') => &rest[1..],
                _ => rest,
            };
            (&line[..len], name)
        }
    };
    let digest = digest.to_str().ok()?;
    if digest.len() != kind.of(b"").len() || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let name = match escaped {
        true => name.replace("\\n", "\n").replace("\\\\", "\\"),
        false => name.to_vec(),
    };
    (!name.is_empty()).then(|| (digest.to_owned(), name.into()))
}

fn cksum(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(
        process,
        &Spec {
            letters: "",
            long: &[],
        },
    )?;
    sizes(process, &given.operands, |bytes| {
        let mut crc = 0_u32;
        let mut length = bytes.len();
        let mut add = |byte: u8| {
            crc ^= u32::from(byte) << 24;
            for _ in 0..8 {
                let carry = crc & 0x8000_0000 != 0;
                crc <<= 1;
                if carry {
                    crc ^= 0x04c1_1db7;
                }
            }
        };
        bytes.iter().for_each(|byte| add(*byte));
        while length > 0 {
            add((length & 0xff) as u8);
            length >>= 8;
        }
        (!crc).to_string() + " " + &bytes.len().to_string()
    })
}

fn sum(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(
        process,
        &Spec {
            letters: "rs",
            long: &[("sysv", 's')],
        },
    )?;
    let system = given
        .options
        .last()
        .is_some_and(|(letter, _)| *letter == 's');
    sizes(process, &given.operands, |bytes| {
        if system {
            let sum = bytes
                .iter()
                .fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
            let folded = (sum & 0xffff) + (sum >> 16);
            let folded = (folded & 0xffff) + (folded >> 16);
            return format!("{folded} {}", bytes.len().div_ceil(512));
        }
        let sum = bytes.iter().fold(0_u16, |sum, byte| {
            sum.rotate_right(1).wrapping_add(u16::from(*byte))
        });
        format!("{sum:05} {:5}", bytes.len().div_ceil(1024))
    })
}

fn sizes(
    process: &mut Process<'_, '_>,
    operands: &[BString],
    make: impl Fn(&[u8]) -> String,
) -> Outcome {
    let (files, fine) = super::lines::inputs(process, operands)?;
    for (name, bytes) in files {
        process.out(make(&bytes));
        if !operands.is_empty() {
            process.out([b" ", name.as_slice()].concat());
        }
        process.out("\n");
    }
    Ok(Status(u8::from(!fine)))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn digests_are_made_and_checked() {
        let mut m = machine();
        m.put("/tmp/a", "abc", 0o644);
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        assert_eq!(m.run(&["md5sum", "/tmp/a"]).out, format!("{md5}  /tmp/a\n"));
        assert_eq!(
            m.run(&["md5sum", "--tag", "/tmp/a"]).out,
            format!("MD5 (/tmp/a) = {md5}\n")
        );
        let sha1 = m.run(&["sha1sum", "/tmp/a"]).out;
        assert!(sha1.starts_with("a9993e364706816aba3e25717850c26c9cd0d89d  "));
        let list = format!("{md5}  /tmp/a\n");
        let ran = m.run_with(&["md5sum", "-c"], &list).expect("no stop");
        assert_eq!((ran.status, ran.out.as_str()), (0, "/tmp/a: OK\n"));
        m.put("/tmp/a", "abd", 0o644);
        let ran = m
            .run_with(&["md5sum", "-c", "--status"], &list)
            .expect("no stop");
        assert_eq!((ran.status, ran.out.as_str()), (1, ""));
        let ran = m
            .run_with(&["md5sum", "-c", "-"], "nothing\n")
            .expect("no stop");
        assert_eq!(ran.status, 1);
    }

    #[test]
    fn sums_have_their_sizes() {
        let mut m = machine();
        m.put("/tmp/a", "abc", 0o644);
        assert_eq!(m.run(&["cksum", "/tmp/a"]).out, "1219131554 3 /tmp/a\n");
        assert_eq!(m.run(&["sum", "/tmp/a"]).out, "16556     1 /tmp/a\n");
        assert_eq!(m.run(&["sum", "-s", "/tmp/a"]).out, "294 1 /tmp/a\n");
    }
}
