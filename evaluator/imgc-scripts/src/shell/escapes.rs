//! Backslash escapes of `$'…'`, and quoting of what is printed for a shell to read.

use bstr::BString;

/// What `text` between `$'` and `'` means.
pub(super) fn ansi(text: &[u8]) -> BString {
    let mut out = BString::default();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some(&escape) = text.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        match escape {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'e' | b'E' => out.push(27),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'\\' | b'\'' | b'"' | b'?' => out.push(escape),
            b'0'..=b'7' => {
                let (value, length) = number(&text[at - 1..], 3, 8);
                at += length - 1;
                out.push((value & 0xff) as u8);
            }
            b'x' | b'u' | b'U' => {
                let most = match escape {
                    b'x' => 2,
                    b'u' => 4,
                    _ => 8,
                };
                let (value, length) = number(&text[at..], most, 16);
                at += length;
                if length == 0 {
                    out.extend_from_slice(&[b'\\', escape]);
                } else if escape == b'x' {
                    out.push((value & 0xff) as u8);
                } else {
                    let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            b'c' => {
                if let Some(control) = text.get(at) {
                    at += 1;
                    out.push(control & 0x1f);
                }
            }
            other => out.extend_from_slice(&[b'\\', other]),
        }
    }
    out
}

/// The number at the beginning of `text`, of at most `most` digits, and its length.
fn number(text: &[u8], most: usize, radix: u32) -> (u32, usize) {
    let mut value = 0u32;
    let mut length = 0;
    for &byte in text.iter().take(most) {
        let Some(digit) = char::from(byte).to_digit(radix) else {
            break;
        };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        length += 1;
    }
    (value, length)
}

/// `text` in single quotes, as `set` and `trap` print it.
pub(super) fn quote(text: &[u8]) -> BString {
    let mut out = BString::from("'");
    for &byte in text {
        match byte {
            b'\'' => out.extend_from_slice(b"'\"'\"'"),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
    out
}
