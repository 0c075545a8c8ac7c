//! Debian versions: reading, writing and comparing them (`deb-version(7)`).
//! This is no solver: it knows nothing of archives or candidates.

use std::cmp::Ordering;
use std::fmt;

/// A version: `[epoch:]upstream[-revision]`.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    epoch: u32,
    upstream: String,
    revision: String,
}

impl Version {
    /// Reads `text`. None where dpkg refuses it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = match text.split_once(':') {
            None => (0, text),
            Some((epoch, rest)) => {
                let digits = epoch.bytes().all(|b| b.is_ascii_digit());
                (
                    epoch
                        .parse()
                        .ok()
                        .filter(|&e| digits && e <= i32::MAX as u32)?,
                    rest,
                )
            }
        };
        let (upstream, revision) = match rest.rsplit_once('-') {
            None => (rest, ""),
            Some((_, "")) => return None,
            Some(parts) => parts,
        };
        let allowed = |text: &str, more: &[u8]| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        (upstream.starts_with(|c: char| c.is_ascii_digit())
            && allowed(upstream, b".-+~:")
            && allowed(revision, b".+~"))
        .then(|| Self {
            epoch,
            upstream: upstream.to_owned(),
            revision: revision.to_owned(),
        })
    }
}

impl fmt::Display for Version {
    /// As dpkg writes it: without an epoch of 0 that nothing needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 || self.upstream.contains(':') {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.upstream)?;
        if !self.revision.is_empty() {
            write!(f, "-{}", self.revision)?;
        }
        Ok(())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare(self.upstream.as_bytes(), other.upstream.as_bytes()))
            .then_with(|| compare(self.revision.as_bytes(), other.revision.as_bytes()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// Compares runs of other bytes and of digits in turns. `~` is before the end,
/// the end before letters, letters before all else.
fn compare(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = a.split_at(run(a, |b| !b.is_ascii_digit()));
        let (text_b, rest_b) = b.split_at(run(b, |b| !b.is_ascii_digit()));
        for at in 0..text_a.len().max(text_b.len()) {
            let ordering = weight(text_a.get(at)).cmp(&weight(text_b.get(at)));
            if ordering.is_ne() {
                return ordering;
            }
        }
        let (number_a, rest_a) = rest_a.split_at(run(rest_a, |b| b.is_ascii_digit()));
        let (number_b, rest_b) = rest_b.split_at(run(rest_b, |b| b.is_ascii_digit()));
        let digits_a = &number_a[run(number_a, |b| *b == b'0')..];
        let digits_b = &number_b[run(number_b, |b| *b == b'0')..];
        let ordering = digits_a
            .len()
            .cmp(&digits_b.len())
            .then_with(|| digits_a.cmp(digits_b));
        if ordering.is_ne() {
            return ordering;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn run(bytes: &[u8], within: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|b| within(b)).count()
}

fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'~') => -1,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b) => i32::from(*b) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect("a version")
    }

    #[test]
    fn orders_as_dpkg_does() {
        let ordered = [
            "1.0~~",
            "1.0~~a",
            "1.0~",
            "1.0",
            "1.0-0+b1",
            "1.0-1~bpo",
            "1.0-1",
            "1.0a",
            "1.0+a",
            "1.2",
            "1.10",
            "1:0.5",
            "2:0",
        ];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("1.0"), version("0:1.00-0"));
        let long = format!("1.{}", "9".repeat(60));
        assert!(version(&long) > version("1.9"));
    }

    #[test]
    fn writes_no_needless_epoch() {
        assert_eq!(version("0:1.0-1").to_string(), "1.0-1");
        assert_eq!(version("2:1.0").to_string(), "2:1.0");
        assert_eq!(version("1-2-3").to_string(), "1-2-3");
    }

    #[test]
    fn refuses_what_dpkg_refuses() {
        for text in [
            "",
            "a1",
            "1-",
            ":1",
            "x:1",
            "1 2",
            "1_2",
            "1-2_3",
            "4294967296:1",
            "-1:1",
        ] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
    }
}
