//! Debian's versions and their order: `[epoch:]upstream[-revision]`.
//!
//! The format and the order are those of the Debian policy manual, section 5.6.12.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version. Two versions are equal when neither is newer, so `1.0` equals
/// `0:1.0-0`; the text is kept as it was written.
#[derive(Clone)]
pub struct Version(String);

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// It is empty, or longer than 1,024 bytes.
    #[error("a version has 1 to 1024 bytes, not {0}")]
    Length(usize),
    /// The part before the first colon is not a number that fits 31 bits.
    #[error("`{0}` has an epoch that is not a number")]
    Epoch(String),
    /// A character that the part must not hold.
    #[error("`{text}` must not hold `{found}`")]
    Character {
        /// The version.
        text: String,
        /// What does not belong.
        found: char,
    },
    /// Nothing stands between epoch and revision, or nothing after the last `-`.
    #[error("`{0}` has an empty part")]
    Empty(String),
}

impl Version {
    /// The version as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Compares two versions as dpkg does. Texts that [`check`] refuses are still
/// ordered, so that this is a total order on all texts.
pub fn compare(a: &str, b: &str) -> Ordering {
    let ((epoch_a, upstream_a, revision_a), (epoch_b, upstream_b, revision_b)) =
        (split(a), split(b));
    compare_numbers(epoch_a.as_bytes(), epoch_b.as_bytes())
        .then_with(|| compare_part(upstream_a.as_bytes(), upstream_b.as_bytes()))
        .then_with(|| compare_part(revision_a.as_bytes(), revision_b.as_bytes()))
}

/// Tells whether `text` is a version.
///
/// # Errors
/// A [`VersionError`] that says what is wrong.
pub fn check(text: &str) -> Result<(), VersionError> {
    if text.is_empty() || text.len() > 1024 {
        return Err(VersionError::Length(text.len()));
    }
    let (epoch, upstream, revision) = split(text);
    if text.contains(':') && (epoch.is_empty() || epoch.parse::<i32>().is_err()) {
        return Err(VersionError::Epoch(text.to_owned()));
    }
    let strange = |part: &str, more: &str| {
        part.chars()
            .find(|&c| !c.is_ascii_alphanumeric() && !".+~".contains(c) && !more.contains(c))
    };
    if let Some(found) = strange(upstream, "-:").or_else(|| strange(revision, "")) {
        let text = text.to_owned();
        return Err(VersionError::Character { text, found });
    }
    if upstream.is_empty() || text.ends_with('-') {
        return Err(VersionError::Empty(text.to_owned()));
    }
    Ok(())
}

/// Epoch, upstream version and revision; what is missing is empty.
fn split(text: &str) -> (&str, &str, &str) {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|b| b.is_ascii_digit()) => (epoch, rest),
        _ => ("", text),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// Alternates between a part without digits and a number, from the left.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = take(a, |byte| !byte.is_ascii_digit());
        let (text_b, rest_b) = take(b, |byte| !byte.is_ascii_digit());
        for at in 0..text_a.len().max(text_b.len()) {
            let order = weight(text_a.get(at)).cmp(&weight(text_b.get(at)));
            if order.is_ne() {
                return order;
            }
        }
        let (number_a, rest_a) = take(rest_a, |byte| byte.is_ascii_digit());
        let (number_b, rest_b) = take(rest_b, |byte| byte.is_ascii_digit());
        let order = compare_numbers(number_a, number_b);
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn take(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| !belongs(byte));
    bytes.split_at(end.unwrap_or(bytes.len()))
}

/// `~` before the end, the end before letters, letters before everything else.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(&byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(&byte) => 256 + i32::from(byte),
    }
}

/// Numbers of any length, the empty one being zero.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| digits.iter().take_while(|&&d| d == b'0').count();
    let (a, b) = (&a[significant(a)..], &b[significant(b)..]);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        check(text).map(|()| Self(text.to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.0)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table() {
        let ascending = [
            ["1.0~~", "1.0~~a"],
            ["1.0~~a", "1.0~"],
            ["1.0~", "1.0"],
            ["1.0~rc1-1", "1.0-1"],
            ["1.0", "1.0a"],
            ["1.0a", "1.0+"],
            ["1.0+", "1.0."],
            ["1.0-1~bpo12+1", "1.0-1"],
            ["1.0-1", "1.0-1+b1"],
            ["1.0-1+b1", "1.0-1+deb12u1"],
            ["1.0-1+deb12u9", "1.0-1+deb12u10"],
            ["1.9", "1.10"],
            ["9", "1:0"],
            ["1:9", "2:1"],
            ["1.2-3-4", "1.2-4-3"],
            ["1.0-a", "1.0.1-a"],
            [
                "2.0-99999999999999999999999",
                "2.0-100000000000000000000000",
            ],
        ];
        for [older, newer] in ascending {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{older} {newer}");
        }
        for [a, b] in [
            ["1.0", "0:1.0-0"],
            ["1.00", "1.0"],
            ["1.0-", "1.0-0"],
            ["01:2", "1:2"],
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn refuses_what_is_no_version() {
        for text in [
            "", ":1", "a:1", "1:", "-1", "1.0-", "1 0", "1_0", "1.0-a:b", "1.0é",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        for text in [
            "0",
            "1:1.0-1",
            "1.0-1-1",
            "1:2:3",
            "a",
            "2.36-9+deb12u10",
            "1.0-0.1~",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn is_a_total_order(a in "[0-2~a+.:-]{0,6}", b in "[0-2~a+.:-]{0,6}", c in "[0-2~a+.:-]{0,6}") {
            prop_assert_eq!(compare(&a, &a), Ordering::Equal);
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
            if compare(&a, &b).is_eq() {
                prop_assert_eq!(compare(&a, &c), compare(&b, &c));
            }
        }

        #[test]
        fn a_tilde_is_older_and_a_suffix_is_newer(a in "[0-9]\\.[0-9a-z]{1,4}") {
            let (tilde, plus) = (format!("{a}~"), format!("{a}+b1"));
            prop_assert!(compare(&tilde, &a).is_lt());
            prop_assert!(compare(&a, &plus).is_lt());
        }

        #[test]
        fn no_text_panics(a in ".{0,12}", b in ".{0,12}") {
            let _ = (check(&a), compare(&a, &b));
        }
    }
}
