//! base64 and iconv: bytes in other forms.

use bstr::{BString, ByteSlice as _};

use super::lines::inputs;
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Open;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "base64",
        origin: Origin::Essential,
        run: base64,
    },
    Native {
        name: "iconv",
        origin: Origin::Essential,
        run: iconv,
    },
];

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const BASE64: Spec = Spec {
    letters: "diw:",
    long: &[("decode", 'd'), ("ignore-garbage", 'i'), ("wrap", 'w')],
};

fn base64(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &BASE64)?;
    let width = match given.last('w') {
        Some(value) => options::number(value)?,
        None => 76,
    };
    let (files, fine) = inputs(process, &given.operands)?;
    let bytes: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    if !given.has('d') {
        let mut text = Vec::with_capacity(bytes.len() * 4 / 3 + 4);
        for chunk in bytes.chunks(3) {
            let bits = (0..3).fold(0_u32, |bits, at| {
                bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0))
            });
            for at in 0..4 {
                text.push(match at <= chunk.len() {
                    true => LETTERS[(bits >> (18 - 6 * at) & 63) as usize],
                    false => b'=',
                });
            }
        }
        let mut out = Vec::new();
        if width == 0 {
            out = text;
        } else {
            for line in text.chunks(width) {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
        }
        process.out(out);
        return Ok(Status(u8::from(!fine)));
    }
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    let mut valid = true;
    let mut padding = 0;
    for byte in bytes {
        let value = LETTERS.iter().position(|letter| *letter == byte);
        match (value, byte) {
            (_, b'\n') => {}
            (_, b'=') if count >= 2 => {
                padding += 1;
                if count + padding == 4 {
                    (bits, count, padding) = (0, 0, 0);
                }
            }
            (Some(value), _) if padding == 0 => {
                bits = bits << 6 | value as u32;
                count += 1;
                match count {
                    2 => out.push((bits >> 4) as u8),
                    3 => out.push((bits >> 2) as u8),
                    4 => {
                        out.push(bits as u8);
                        (bits, count) = (0, 0);
                    }
                    _ => {}
                }
            }
            _ if given.has('i') => {}
            _ => {
                valid = false;
                break;
            }
        }
    }
    // What lacks its `=` is not whole.
    valid &= count == 0;
    process.out(out);
    if !valid {
        process.complain("invalid input");
    }
    Ok(Status(u8::from(!fine || !valid)))
}

const ICONV: Spec = Spec {
    letters: "f:t:co:s",
    long: &[
        ("from-code", 'f'),
        ("to-code", 't'),
        ("output", 'o'),
        ("silent", 's'),
    ],
};

/// A set of characters that iconv knows here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Latin1,
    Ascii,
}

fn charset(name: Option<&BString>) -> Result<Charset, Stop> {
    let Some(name) = name else {
        return Ok(Charset::Utf8);
    };
    let plain = name.to_ascii_uppercase().replace("_", "-");
    match plain.as_slice() {
        b"UTF-8" | b"UTF8" | b"" => Ok(Charset::Utf8),
        b"ISO-8859-1" | b"ISO8859-1" | b"LATIN1" | b"LATIN-1" | b"L1" => Ok(Charset::Latin1),
        b"ASCII" | b"US-ASCII" | b"ANSI-X3.4-1968" | b"C" | b"POSIX" => Ok(Charset::Ascii),
        _ => Err(Stop::unsupported(format!(
            "the character set {name} is not known"
        ))),
    }
}

fn iconv(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &ICONV)?;
    let (from, to) = (charset(given.last('f'))?, charset(given.last('t'))?);
    let (files, mut fine) = inputs(process, &given.operands)?;
    let mut out = Vec::new();
    'files: for (name, bytes) in files {
        let mut rest = bytes.as_slice();
        while let Some(&first) = rest.first() {
            let (char, len) = match from {
                Charset::Utf8 => bstr::decode_utf8(rest),
                Charset::Latin1 => (Some(char::from(first)), 1),
                Charset::Ascii => (first.is_ascii().then_some(char::from(first)), 1),
            };
            rest = &rest[len.max(1)..];
            match (char, to) {
                (Some(char), Charset::Utf8) => {
                    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                (Some(char), Charset::Latin1) if u32::from(char) < 256 => {
                    out.push(u32::from(char) as u8);
                }
                (Some(char), Charset::Ascii) if char.is_ascii() => {
                    out.push(u32::from(char) as u8);
                }
                _ => {
                    fine = false;
                    if !given.has('c') {
                        process.complain(format_args!("{name}: cannot convert"));
                        break 'files;
                    }
                }
            }
        }
    }
    match given.last('o') {
        None => process.out(out),
        Some(name) => match process.open(name, Open::Write) {
            Ok(fd) => {
                process.fds.insert(1000, fd);
                process.write(1000, &out);
            }
            Err(_) => fine = false,
        },
    }
    Ok(Status(u8::from(!fine)))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn bytes_are_written_in_other_forms() {
        for (args, input, want) in [
            (&["base64"][..], "hello\n", "aGVsbG8K\n"),
            (&["base64", "-w0"], "ab", "YWI="),
            (&["base64", "-w4"], "abcd", "YWJj\nZA==\n"),
            (&["base64", "-d"], "aGVs\nbG8K\n", "hello\n"),
            (&["base64", "--decode"], "YWI=", "ab"),
            (&["iconv", "-f", "UTF-8", "-t", "ASCII"], "abc", "abc"),
            (&["iconv", "-f", "latin1"], "abc", "abc"),
        ] {
            let ran = machine().run_with(args, input).expect("no stop");
            assert_eq!((ran.status, ran.out.as_str()), (0, want), "{args:?}");
        }
        assert_eq!(
            machine()
                .run_with(&["base64", "-d"], "YWI!")
                .expect("no stop")
                .status,
            1
        );
    }
}
