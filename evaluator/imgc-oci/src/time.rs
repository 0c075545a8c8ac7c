//! Seconds since 1970 as text. No clock is read.

use crate::OciError;

/// Writes a time, in seconds since 1970, as RFC 3339 has it: `2024-02-29T12:00:00Z`.
///
/// # Errors
/// [`OciError::Time`] after the year 9999.
pub fn rfc3339(epoch: u64) -> Result<String, OciError> {
    let (days, second) = (epoch / 86_400, epoch % 86_400);
    if days >= 2_932_897 {
        return Err(OciError::Time(epoch));
    }
    // Count from 1 March of the year 0, in eras of 400 years: so a leap day is the
    // last of its year, and months have a regular length.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    Ok(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        for (epoch, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_000_000_000, "2001-09-09T01:46:40Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(epoch).expect("a time"), text);
        }
        assert!(rfc3339(253_402_300_800).is_err());
        assert!(rfc3339(u64::MAX).is_err());
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..150_000 {
            let text = rfc3339(days * 86_400).expect("a time");
            assert_eq!(text, format!("{year:04}-{month:02}-{day:02}T00:00:00Z"));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }
}
