//! Decimal numbers at the begin of text, and numbers in the formats of printf's `%g`,
//! `%e` and `%f`.

/// The number that `text` begins with, and how many bytes it has. There is none without
/// a digit. Blanks in front are not skipped.
pub(super) fn prefix(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let whole = digits(sign);
    let mut len = sign + whole;
    let mut part = 0;
    if text.get(len) == Some(&b'.') {
        part = digits(len + 1);
        if whole + part > 0 {
            len += 1 + part;
        }
    }
    if whole + part == 0 {
        return None;
    }
    if matches!(text.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    let number = std::str::from_utf8(&text[..len]).ok()?;
    Some((number.parse().ok()?, len))
}

/// How a number is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) space: bool,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    pub(super) width: usize,
    pub(super) precision: Option<usize>,
}

impl Layout {
    /// `body` with its sign, in its width.
    pub(super) fn place(&self, negative: bool, body: &str, number: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let len = sign.len() + body.chars().count();
        let fill = self.width.saturating_sub(len);
        if self.left {
            format!("{sign}{body}{}", " ".repeat(fill))
        } else if self.zero && number {
            format!("{sign}{}{body}", "0".repeat(fill))
        } else {
            format!("{}{sign}{body}", " ".repeat(fill))
        }
    }
}

/// A number as printf has it with the conversion `f`, `e` or `g`, or their capitals.
pub(super) fn float(value: f64, conversion: u8, layout: Layout) -> String {
    let negative = value.is_sign_negative() && !value.is_nan();
    let value_abs = value.abs();
    let capital = conversion.is_ascii_uppercase();
    if !value.is_finite() {
        let name = if value.is_nan() { "nan" } else { "inf" };
        let name = if capital {
            name.to_uppercase()
        } else {
            name.to_owned()
        };
        let negative = value.is_sign_negative();
        return layout.place(negative, &name, false);
    }
    let precision = layout.precision.unwrap_or(6);
    let body = match conversion.to_ascii_lowercase() {
        b'f' => {
            let mut body = format!("{value_abs:.precision$}");
            if precision == 0 && layout.alternate {
                body.push('.');
            }
            body
        }
        b'e' => exponential(value_abs, precision, layout.alternate),
        _ => general(value_abs, precision.max(1), layout.alternate),
    };
    let body = if capital { body.to_uppercase() } else { body };
    layout.place(negative, &body, true)
}

fn exponential(value: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    let point = if precision == 0 && alternate { "." } else { "" };
    format!("{mantissa}{point}e{sign}{:02}", exponent.abs())
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let scientific = format!("{value:.*e}", precision - 1);
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    let limit = i32::try_from(precision).unwrap_or(i32::MAX);
    let small = exponent < -4 || exponent >= limit;
    let text = if small {
        exponential(value, precision - 1, alternate)
    } else {
        let digits = usize::try_from(limit - 1 - exponent).unwrap_or(0);
        format!("{value:.digits$}")
    };
    if alternate {
        return text;
    }
    let (mantissa, exponent) = match text.find('e') {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    format!("{mantissa}{exponent}")
}

#[cfg(test)]
mod tests {
    use super::{Layout, float, prefix};

    #[test]
    fn numbers_are_read_from_the_begin() {
        for (text, want) in [
            ("12abc", Some((12.0, 2))),
            ("-1.5e2x", Some((-150.0, 6))),
            ("1e", Some((1.0, 1))),
            (".5", Some((0.5, 2))),
            ("5.", Some((5.0, 2))),
            ("+3", Some((3.0, 2))),
            (".", None),
            ("e5", None),
            ("", None),
        ] {
            assert_eq!(prefix(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn numbers_are_laid_out_as_printf_does() {
        let plain = Layout::default();
        for (value, conversion, want) in [
            (0.1, b'g', "0.1"),
            (100_000.0, b'g', "100000"),
            (1_000_000.0, b'g', "1e+06"),
            (0.0001, b'g', "0.0001"),
            (0.000_01, b'g', "1e-05"),
            (123_456_789.0, b'g', "1.23457e+08"),
            (3.0, b'f', "3.000000"),
            (12345.678, b'e', "1.234568e+04"),
            (-2.5, b'g', "-2.5"),
            (f64::INFINITY, b'f', "inf"),
        ] {
            assert_eq!(float(value, conversion, plain), want);
        }
        let wide = Layout {
            zero: true,
            width: 8,
            precision: Some(2),
            ..plain
        };
        assert_eq!(float(-2.717, b'f', wide), "-0002.72");
    }
}
