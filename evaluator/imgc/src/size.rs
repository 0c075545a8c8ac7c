//! Numbers of bytes as people read them.

/// A number of bytes, in the unit that gives it one to three digits: `740 B`, `1.2 MB`.
pub(crate) fn human(bytes: u64) -> String {
    let mut unit = 0;
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    // In tenths, so that the result is the same on every machine.
    let mut tenths = u128::from(bytes) * 10;
    while tenths >= 10_000 && unit + 1 < units.len() {
        tenths = (tenths + 500) / 1000;
        unit += 1;
    }
    let unit_name = units[unit];
    if unit == 0 || tenths >= 100 {
        format!("{} {unit_name}", (tenths + 5) / 10)
    } else {
        format!("{}.{} {unit_name}", tenths / 10, tenths % 10)
    }
}

/// Reads a number of bytes: `500MB`, `20 GB`, `1GiB`, `4096`. A thousand is the step of
/// the units, 1024 of those with an `i`.
///
/// # Errors
/// What was expected.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = unit.trim().to_ascii_lowercase();
    let steps = ["", "k", "m", "g", "t", "p"];
    let factor = (0..).zip(steps).find_map(|(power, step)| {
        let is = |ending: &str| unit.strip_prefix(step) == Some(ending);
        if is("b") || is("") {
            Some(1000_u64.pow(power))
        } else if power > 0 && is("ib") {
            Some(1024_u64.pow(power))
        } else {
            None
        }
    });
    let number: Option<u64> = digits.parse().ok();
    let bytes = number
        .zip(factor)
        .and_then(|(n, factor)| n.checked_mul(factor));
    bytes.ok_or_else(|| "expected a size such as 500MB or 20GB".to_owned())
}

/// A difference of bytes, with its sign: `+12 B`, `-1.2 MB`.
pub(crate) fn difference(bytes: i128) -> String {
    let sign = if bytes < 0 { '-' } else { '+' };
    let bytes = u64::try_from(bytes.unsigned_abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", human(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("12 B", 12),
            ("500MB", 500_000_000),
            ("20 GB", 20_000_000_000),
            ("20g", 20_000_000_000),
            ("1GiB", 1 << 30),
            ("3KiB", 3072),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "-1", "1.5GB", "1XB", "1iB", "99999999PB", "1 G B"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn one_to_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (740, "740 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1240, "1.2 kB"),
            (12_400, "12 kB"),
            (999_400, "999 kB"),
            (1_000_000, "1.0 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(human(bytes), text, "{bytes}");
        }
        assert_eq!(difference(-1240), "-1.2 kB");
        assert_eq!(difference(0), "+0 B");
    }
}
