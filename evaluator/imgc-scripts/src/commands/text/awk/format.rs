//! awk's sprintf.

use std::fmt::Write as _;

use super::Version;
use super::value::Value;
use crate::commands::text::number::{Layout, float};
use crate::stop::Stop;

/// The widest field that is made.
const WIDTH: usize = 1 << 20;

/// `format` with `args` in it. `convert` is the format of numbers that are wanted as
/// strings.
pub(super) fn sprintf(
    format: &[u8],
    args: &[Value],
    convert: &[u8],
    version: Version,
) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::new();
    let mut rest = args.iter();
    let mut next = || {
        let few = || Stop::unsupported("awk's printf has too few arguments");
        rest.next().ok_or_else(few)
    };
    let mut at = 0;
    while at < format.len() {
        let byte = format[at];
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        if format.get(at) == Some(&b'%') {
            out.push(b'%');
            at += 1;
            continue;
        }
        let mut layout = Layout::default();
        while let Some(flag) = format.get(at) {
            match flag {
                b'-' => layout.left = true,
                b'+' => layout.plus = true,
                b' ' => layout.space = true,
                b'#' => layout.alternate = true,
                b'0' => layout.zero = true,
                _ => break,
            }
            at += 1;
        }
        let mut number = |at: &mut usize| -> Result<Option<i64>, Stop> {
            if format.get(*at) == Some(&b'*') {
                *at += 1;
                return Ok(Some(next()?.number(version) as i64));
            }
            let mut found = None;
            while let Some(digit) = format.get(*at).filter(|byte| byte.is_ascii_digit()) {
                let value = found.unwrap_or(0_i64) * 10 + i64::from(digit - b'0');
                found = Some(value.min(WIDTH as i64 * 2));
                *at += 1;
            }
            Ok(found)
        };
        if let Some(width) = number(&mut at)? {
            layout.left |= width < 0;
            layout.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        }
        if format.get(at) == Some(&b'.') {
            at += 1;
            let precision = number(&mut at)?.unwrap_or(0);
            layout.precision = usize::try_from(precision).ok();
        }
        if layout.width > WIDTH || layout.precision.is_some_and(|precision| precision > WIDTH) {
            return Err(Stop::unsupported("a field of awk's printf is too wide"));
        }
        while matches!(format.get(at), Some(b'h' | b'l' | b'L' | b'q')) {
            at += 1;
        }
        let Some(&conversion) = format.get(at) else {
            return Err(Stop::unsupported(
                "a conversion of awk's printf is not whole",
            ));
        };
        at += 1;
        match conversion {
            b'd' | b'i' => {
                let value = integer(next()?.number(version), version);
                let text = digits(value.unsigned_abs().to_string(), layout);
                let layout = Layout {
                    zero: layout.zero && layout.precision.is_none(),
                    ..layout
                };
                out.extend_from_slice(layout.place(value < 0, &text, true).as_bytes());
            }
            b'o' | b'x' | b'X' | b'u' => {
                let value = next()?.number(version);
                let value = match version.old {
                    true => u64::from(value as u32),
                    false => {
                        let whole = value as i128;
                        u64::try_from(whole).unwrap_or(whole.max(i128::from(i64::MIN)) as u64)
                    }
                };
                let mut text = String::new();
                let _ = match conversion {
                    b'o' => write!(text, "{value:o}"),
                    b'x' => write!(text, "{value:x}"),
                    b'X' => write!(text, "{value:X}"),
                    _ => write!(text, "{value}"),
                };
                let mut text = digits(text, layout);
                let layout = Layout {
                    zero: layout.zero && layout.precision.is_none(),
                    plus: false,
                    space: false,
                    ..layout
                };
                if layout.alternate && value != 0 {
                    let prefix = match conversion {
                        b'o' => "0",
                        b'x' => "0x",
                        b'X' => "0X",
                        _ => "",
                    };
                    text.insert_str(0, prefix);
                }
                out.extend_from_slice(layout.place(false, &text, true).as_bytes());
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                let value = next()?.number(version);
                out.extend_from_slice(float(value, conversion, layout).as_bytes());
            }
            b'c' => {
                version.same(false, "%c")?;
                let bytes = match next()? {
                    Value::Number(number) => vec![(*number as i64 & 0xff) as u8],
                    Value::None => vec![0],
                    value @ Value::Input(_) => match value.comparable(version) {
                        Some(number) => vec![(number as i64 & 0xff) as u8],
                        None => first(&value.string(convert, version)),
                    },
                    value @ Value::Text(_) => first(&value.string(convert, version)),
                };
                place(&bytes, layout, &mut out);
            }
            b's' => {
                let text = next()?.string(convert, version);
                let len = layout.precision.unwrap_or(usize::MAX).min(text.len());
                place(&text[..len], layout, &mut out);
            }
            _ => {
                return Err(Stop::unsupported(
                    "a conversion of awk's printf is not known",
                ));
            }
        }
    }
    Ok(out)
}

/// A number without its fraction, as large as the version's integers are.
fn integer(value: f64, version: Version) -> i128 {
    match version.old {
        true => i128::from((value as i32).max(-i32::MAX)),
        false => value as i128,
    }
}

/// Digits, at least as many as the precision says.
fn digits(text: String, layout: Layout) -> String {
    match layout.precision {
        Some(0) if text == "0" => String::new(),
        Some(precision) => format!("{text:0>precision$}"),
        None => text,
    }
}

/// The first byte; the end of an empty string is a byte too.
fn first(text: &[u8]) -> Vec<u8> {
    vec![text.first().copied().unwrap_or(0)]
}

/// Bytes in their width.
fn place(bytes: &[u8], layout: Layout, out: &mut Vec<u8>) {
    let fill = layout.width.saturating_sub(bytes.len());
    if !layout.left {
        out.extend(std::iter::repeat_n(b' ', fill));
    }
    out.extend_from_slice(bytes);
    if layout.left {
        out.extend(std::iter::repeat_n(b' ', fill));
    }
}
