//! od, hexdump and strings: what is in binary files.

use super::lines::{inputs, size};
use super::options::{self, Spec};
use super::spend_on;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "od",
        origin: Origin::Essential,
        run: od,
    },
    Native {
        name: "hexdump",
        origin: Origin::Package,
        run: hexdump,
    },
    Native {
        name: "strings",
        origin: Origin::Package,
        run: strings,
    },
];

const OD: Spec = Spec {
    letters: "A:t:N:j:w::vabcdoxsil",
    long: &[
        ("address-radix", 'A'),
        ("format", 't'),
        ("read-bytes", 'N'),
        ("skip-bytes", 'j'),
        ("width", 'w'),
        ("output-duplicates", 'v'),
    ],
};

/// A way in which od writes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    kind: u8,
    bytes: usize,
}

impl Form {
    /// How wide one number is, with the blank in front.
    fn width(self) -> usize {
        let signed = usize::from(self.kind == b'd');
        1 + match (self.kind, self.bytes) {
            (b'c' | b'a', _) => 3,
            (b'x', bytes) => 2 * bytes,
            (b'o', bytes) => (8 * bytes).div_ceil(3),
            (_, 1) => 3 + signed,
            (_, 2) => 5 + signed,
            (_, 4) => 10 + signed,
            _ => 20,
        }
    }

    fn write(self, chunk: &[u8]) -> String {
        let mut all = [0; 8];
        all[..chunk.len()].copy_from_slice(chunk);
        let value = u64::from_le_bytes(all);
        let bits = 64 - 8 * self.bytes;
        match self.kind {
            b'x' => format!("{value:0width$x}", width = self.width() - 1),
            b'o' => format!("{value:0width$o}", width = self.width() - 1),
            b'u' => value.to_string(),
            b'd' => ((value << bits) as i64 >> bits).to_string(),
            b'a' => {
                const NAMES: [&str; 33] = [
                    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt",
                    "ff", "cr", "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb",
                    "can", "em", "sub", "esc", "fs", "gs", "rs", "us", "sp",
                ];
                match chunk[0] & 0x7f {
                    127 => "del".to_owned(),
                    byte @ 0..33 => NAMES[usize::from(byte)].to_owned(),
                    byte => char::from(byte).to_string(),
                }
            }
            _ => match chunk[0] {
                0 => "\\0".to_owned(),
                7 => "\\a".to_owned(),
                8 => "\\b".to_owned(),
                9 => "\\t".to_owned(),
                10 => "\\n".to_owned(),
                11 => "\\v".to_owned(),
                12 => "\\f".to_owned(),
                13 => "\\r".to_owned(),
                byte @ 32..127 => char::from(byte).to_string(),
                byte => format!("{byte:03o}"),
            },
        }
    }
}

fn forms(text: &[u8]) -> Option<Vec<Form>> {
    let mut forms = Vec::new();
    let mut rest = text;
    while let Some((&kind, behind)) = rest.split_first() {
        let digits = behind
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let bytes = match (kind, &behind[..digits]) {
            (b'c' | b'a', b"") => 1,
            (b'x' | b'o' | b'u' | b'd', b"") => 4,
            (b'x' | b'o' | b'u' | b'd', b"1") => 1,
            (b'x' | b'o' | b'u' | b'd', b"2") => 2,
            (b'x' | b'o' | b'u' | b'd', b"4") => 4,
            (b'x' | b'o' | b'u' | b'd', b"8") => 8,
            _ => return None,
        };
        rest = &behind[digits..];
        let bytes = match (digits, rest.first()) {
            (0, Some(b'C')) => 1,
            (0, Some(b'S')) => 2,
            (0, Some(b'I')) => 4,
            (0, Some(b'L')) => 8,
            _ => {
                forms.push(Form { kind, bytes });
                continue;
            }
        };
        rest = &rest[1..];
        forms.push(Form { kind, bytes });
    }
    Some(forms)
}

fn od(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &OD)?;
    let mut wanted = Vec::new();
    for (letter, value) in &given.options {
        let text: &[u8] = match letter {
            't' => value,
            'a' => b"a",
            'b' => b"o1",
            'c' => b"c",
            'd' => b"u2",
            'o' => b"o2",
            'x' => b"x2",
            's' => b"d2",
            'i' => b"d4",
            'l' => b"d8",
            _ => continue,
        };
        let found = forms(text);
        wanted.extend(found.ok_or_else(|| Stop::unsupported("this format of od is not known"))?);
    }
    if wanted.is_empty() {
        wanted.push(Form {
            kind: b'o',
            bytes: 2,
        });
    }
    let radix = given
        .last('A')
        .map_or(b'o', |value| value.first().copied().unwrap_or(b'o'));
    let width = match given.last('w') {
        Some(value) if value.is_empty() => 32,
        Some(value) => options::number(value)?.max(1),
        None => 16,
    };
    let skip = given
        .last('j')
        .map(|value| size(value))
        .transpose()?
        .unwrap_or(0);
    let most = given.last('N').map(|value| size(value)).transpose()?;
    if given
        .operands
        .iter()
        .any(|name| name == "/dev/urandom" || name == "/dev/random")
    {
        return Err(Stop::unsupported("random bytes are not made"));
    }
    let (files, fine) = inputs(process, &given.operands)?;
    let bytes: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    let end = most.map_or(bytes.len(), |most| {
        bytes.len().min(skip.saturating_add(most))
    });
    let Some(bytes) = bytes.get(skip..end.max(skip)) else {
        process.complain("cannot skip past end of combined input");
        return Ok(Status::FAILED);
    };
    spend_on(process, bytes.len() * 16)?;
    let address = |at: usize| match radix {
        b'd' => format!("{at:07}"),
        b'x' => format!("{at:06x}"),
        b'n' => String::new(),
        _ => format!("{at:07o}"),
    };
    // Every form is as wide for each byte as the widest is.
    let unit = wanted.iter().map(|form| form.bytes).max().unwrap_or(1);
    if width % unit != 0 {
        return Err(Stop::unsupported("this width of od is not known"));
    }
    let block = wanted
        .iter()
        .map(|form| form.width() * unit / form.bytes)
        .max()
        .unwrap_or(1);
    let mut out = String::new();
    let mut last: Option<&[u8]> = None;
    let mut starred = false;
    for (number, line) in bytes.chunks(width).enumerate() {
        if last == Some(line) && !given.has('v') && line.len() == width {
            if !std::mem::replace(&mut starred, true) {
                out.push_str("*\n");
            }
            continue;
        }
        starred = false;
        last = Some(line);
        for (row, form) in wanted.iter().enumerate() {
            let start = address(skip + number * width);
            out.push_str(&match row {
                0 => start,
                _ => " ".repeat(start.len()),
            });
            let parts = unit / form.bytes;
            for (at, chunk) in line.chunks(form.bytes).enumerate() {
                // The blanks of a block are spread over its numbers.
                let part = at % parts;
                let fill = |part: usize| (block - (form.width() - 1) * parts) * part / parts;
                let pad = fill(parts - part) - fill(parts - part - 1);
                let text = form.write(chunk);
                out.push_str(&format!(
                    "{}{text:>w$}",
                    " ".repeat(pad),
                    w = form.width() - 1
                ));
            }
            out.push('\n');
        }
    }
    if radix != b'n' {
        out.push_str(&address(skip + bytes.len()));
        out.push('\n');
    }
    process.out(out);
    Ok(Status(u8::from(!fine)))
}

fn hexdump(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(
        process,
        &Spec {
            letters: "Cn:s:v",
            long: &[("canonical", 'C')],
        },
    )?;
    let skip = given
        .last('s')
        .map(|value| size(value))
        .transpose()?
        .unwrap_or(0);
    let most = given
        .last('n')
        .map(|value| size(value))
        .transpose()?
        .unwrap_or(usize::MAX);
    let (files, fine) = inputs(process, &given.operands)?;
    let bytes: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    let bytes = &bytes[skip.min(bytes.len())..];
    let bytes = &bytes[..most.min(bytes.len())];
    spend_on(process, bytes.len() * 16)?;
    let mut out = String::new();
    let mut last: Option<&[u8]> = None;
    let mut starred = false;
    for (number, line) in bytes.chunks(16).enumerate() {
        if last == Some(line) && !given.has('v') {
            if !std::mem::replace(&mut starred, true) {
                out.push_str("*\n");
            }
            continue;
        }
        starred = false;
        last = Some(line);
        let at = skip + number * 16;
        if given.has('C') {
            let mut hex = String::new();
            for (place, byte) in line.iter().enumerate() {
                hex.push_str(if place == 8 { "  " } else { " " });
                hex.push_str(&format!("{byte:02x}"));
            }
            let shown = line.iter().map(|byte| match byte {
                b' '..=b'~' => char::from(*byte),
                _ => '.',
            });
            let shown: String = shown.collect();
            out.push_str(&format!("{at:08x} {hex:<50} |{shown}|\n"));
        } else {
            out.push_str(&format!("{at:07x}"));
            for pair in line.chunks(2) {
                let high = pair.get(1).copied().unwrap_or(0);
                out.push_str(&format!(" {:04x}", u16::from_le_bytes([pair[0], high])));
            }
            out.push_str(&" ".repeat(5 * (8 - line.len().div_ceil(2))));
            out.push('\n');
        }
    }
    if !bytes.is_empty() {
        let end = skip + bytes.len();
        out.push_str(&match given.has('C') {
            true => format!("{end:08x}\n"),
            false => format!("{end:07x}\n"),
        });
    }
    process.out(out);
    Ok(Status(u8::from(!fine)))
}

fn strings(process: &mut Process<'_, '_>) -> Outcome {
    let spec = Spec {
        letters: "an:0123456789",
        long: &[("all", 'a'), ("bytes", 'n')],
    };
    let given = options::parse(process, &spec)?;
    let digits: String = given
        .options
        .iter()
        .map(|(c, _)| *c)
        .filter(char::is_ascii_digit)
        .collect();
    let least = match (given.last('n'), digits.as_str()) {
        (Some(value), _) => options::number(value)?,
        (None, "") => 4,
        (None, digits) => options::number(digits.as_bytes())?,
    };
    let (files, fine) = inputs(process, &given.operands)?;
    let mut out = Vec::new();
    for (_, bytes) in files {
        let text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
        for part in bytes
            .split(|byte| !text(byte))
            .filter(|part| part.len() >= least.max(1))
        {
            out.extend_from_slice(part);
            out.push(b'\n');
        }
    }
    process.out(out);
    Ok(Status(u8::from(!fine)))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn bytes_are_shown_as_od_does() {
        for (args, input, want) in [
            (&["od", "-An", "-tx1"][..], "abc\n", " 61 62 63 0a\n"),
            (&["od", "-An", "-tu4", "-N4"], "abcdef", " 1684234849\n"),
            (&["od", "-c"], "a\n", "0000000   a  \\n\n0000002\n"),
            (&["od"], "abc", "0000000 061141 000143\n0000003\n"),
        ] {
            let ran = machine().run_with(args, input).expect("no stop");
            assert_eq!((ran.status, ran.out.as_str()), (0, want), "{args:?}");
        }
    }

    #[test]
    fn programs_of_other_packages_are_there_with_their_files() {
        let mut m = machine();
        assert_eq!(m.run(&["hexdump", "-C"]).status, 127);
        m.put("/usr/bin/hexdump", "", 0o755);
        m.put("/usr/bin/strings", "", 0o755);
        let ran = m.run_with(&["hexdump", "-C"], "abc\n").expect("no stop");
        let want = format!("00000000  61 62 63 0a{} |abc.|\n00000004\n", " ".repeat(38));
        assert_eq!(ran.out, want);
        let ran = m
            .run_with(&["strings"], "\x01abc\x02abcd\x03")
            .expect("no stop");
        assert_eq!(ran.out, "abcd\n");
    }
}
