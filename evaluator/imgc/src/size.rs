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
