//! awk's values: numbers, strings, and strings that may be numbers.

use std::rc::Rc;

use super::Version;
use crate::commands::text::number::{self, Layout, float};

/// A value.
#[derive(Debug, Clone, Default)]
pub(super) enum Value {
    /// Of a variable that nothing was assigned to.
    #[default]
    None,
    Number(f64),
    Text(Rc<[u8]>),
    /// From outside: a number where it looks like one.
    Input(Rc<[u8]>),
}

impl Value {
    pub(super) fn text(bytes: &[u8]) -> Self {
        Self::Text(bytes.into())
    }

    pub(super) fn input(bytes: &[u8]) -> Self {
        Self::Input(bytes.into())
    }

    pub(super) fn truth(value: bool) -> Self {
        Self::Number(if value { 1.0 } else { 0.0 })
    }

    /// As a number: what it begins with, else 0.
    pub(super) fn number(&self, version: Version) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Number(number) => *number,
            Self::Text(text) | Self::Input(text) => {
                leading(text, version).map_or(0.0, |(number, _)| number)
            }
        }
    }

    /// As a condition.
    pub(super) fn is_true(&self, version: Version) -> bool {
        match self {
            Self::None => false,
            Self::Number(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Input(text) => match looks_numeric(text, version) {
                Some(number) => number != 0.0,
                None => !text.is_empty(),
            },
        }
    }

    /// Its number, if it is compared as one.
    pub(super) fn comparable(&self, version: Version) -> Option<f64> {
        match self {
            Self::None => Some(0.0),
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
            Self::Input(text) => looks_numeric(text, version),
        }
    }

    /// As a string; numbers that are not whole in `format`.
    pub(super) fn string(&self, format: &[u8], version: Version) -> Rc<[u8]> {
        match self {
            Self::None => Rc::from(&b""[..]),
            Self::Number(number) => written(*number, format, version).into_bytes().into(),
            Self::Text(text) | Self::Input(text) => Rc::clone(text),
        }
    }
}

/// A number as a string. Formats are `%.6g` and its like; what is none of them is taken
/// for that.
fn written(number: f64, format: &[u8], version: Version) -> String {
    if let Some(whole) = whole(number, version) {
        return whole;
    }
    if !number.is_finite() && !version.old {
        let sign = if number.is_sign_negative() { '-' } else { '+' };
        return format!("{sign}{}", if number.is_nan() { "nan" } else { "inf" });
    }
    let conversion = format
        .last()
        .copied()
        .filter(|byte| b"eEfFgG".contains(byte));
    let digits = format
        .strip_prefix(b"%.")
        .and_then(|rest| rest.get(..rest.len().max(1) - 1));
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let layout = Layout {
        precision: Some(digits.unwrap_or(6)),
        ..Layout::default()
    };
    float(number, conversion.unwrap_or(b'g'), layout)
}

/// A number that is whole and not too large, as one.
fn whole(number: f64, version: Version) -> Option<String> {
    if !number.is_finite() || number.fract() != 0.0 {
        return None;
    }
    let fits = match version.old {
        true => number.abs() <= 2_147_483_647.0,
        // The old C library's largest unsigned number, and as much below zero.
        false => number.abs() <= 18_446_744_073_709_551_616.0,
    };
    fits.then(|| match number == 0.0 {
        true => "0".to_owned(),
        false => format!("{number:.0}"),
    })
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// The number that a string begins with, after blanks, and where it ends.
fn leading(text: &[u8], version: Version) -> Option<(f64, usize)> {
    let skip = text.iter().take_while(|byte| blank(**byte)).count();
    let rest = &text[skip..];
    if version.old
        && let Some((number, len)) = exotic(rest)
    {
        return Some((number, skip + len));
    }
    number::prefix(rest).map(|(number, len)| (number, skip + len))
}

/// What strtod(3) knows beside decimal numbers.
fn exotic(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let body = text[sign..].to_ascii_lowercase();
    let (value, len) = if body.starts_with(b"infinity") {
        (f64::INFINITY, 8)
    } else if body.starts_with(b"inf") {
        (f64::INFINITY, 3)
    } else if body.starts_with(b"nan") {
        (f64::NAN, 3)
    } else {
        let digits = body.strip_prefix(b"0x")?;
        let len = digits
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        if len == 0 {
            return None;
        }
        let value = digits[..len].iter().fold(0.0, |value, byte| {
            value * 16.0 + f64::from(char::from(*byte).to_digit(16).unwrap_or(0))
        });
        (value, 2 + len)
    };
    let value = if text.first() == Some(&b'-') {
        -value
    } else {
        value
    };
    Some((value, sign + len))
}

/// The number that all of a string is, blanks around it aside.
pub(super) fn looks_numeric(text: &[u8], version: Version) -> Option<f64> {
    let (number, end) = leading(text, version)?;
    text[end..]
        .iter()
        .all(|byte| blank(*byte))
        .then_some(number)
}
