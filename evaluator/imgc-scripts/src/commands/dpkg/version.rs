//! Versions as `dpkg --compare-versions` compares them (`deb-version(7)`): more is let
//! pass than a package may have.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice as _};

/// `[EPOCH:]UPSTREAM[-REVISION]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) epoch: u32,
    pub(super) upstream: BString,
    pub(super) revision: BString,
}

impl Version {
    /// Reads a version. With a problem that dpkg only warns of, that comes along.
    ///
    /// # Errors
    /// Why dpkg refuses it.
    pub(super) fn parse(text: &[u8]) -> Result<(Self, Option<&'static str>), &'static str> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err("version string is empty");
        }
        if text.iter().any(u8::is_ascii_whitespace) {
            return Err("version string has embedded spaces");
        }
        let (epoch, rest) = match text.split_once_str(":") {
            None => (0, text),
            Some((b"", _)) => return Err("epoch in version is empty"),
            Some((epoch, rest)) => {
                let epoch = epoch
                    .to_str()
                    .ok()
                    .and_then(|epoch| epoch.parse::<i32>().ok());
                let epoch = epoch.and_then(|epoch| u32::try_from(epoch).ok());
                (
                    epoch.ok_or("epoch in version is not a number that it can be")?,
                    rest,
                )
            }
        };
        if rest.is_empty() {
            return Err("nothing after colon in version number");
        }
        let (upstream, revision) = match rest.rsplit_once_str("-") {
            None => (rest, &b""[..]),
            Some((_, b"")) => return Err("revision number in version is empty"),
            Some(parts) => parts,
        };
        if upstream.is_empty() {
            return Err("version number is empty");
        }
        let allowed = |text: &[u8], more: &[u8]| {
            text.iter()
                .all(|b| b.is_ascii_alphanumeric() || more.contains(b))
        };
        let warning = if !upstream[0].is_ascii_digit() {
            Some("version number does not start with digit")
        } else if !allowed(upstream, b".-+~:") {
            Some("invalid character in version number")
        } else if !allowed(revision, b".-+~") {
            Some("invalid character in revision number")
        } else {
            None
        };
        let version = Self {
            epoch,
            upstream: upstream.into(),
            revision: revision.into(),
        };
        Ok((version, warning))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let epochs = self.epoch.cmp(&other.epoch);
        epochs
            .then_with(|| compare(&self.upstream, &other.upstream))
            .then_with(|| compare(&self.revision, &other.revision))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares runs of other bytes and of digits in turns.
fn compare(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        loop {
            let other = |text: &[u8]| text.first().is_some_and(|b| !b.is_ascii_digit());
            if !other(a) && !other(b) {
                break;
            }
            let ordering = weight(a.first()).cmp(&weight(b.first()));
            if ordering.is_ne() {
                return ordering;
            }
            (a, b) = (
                a.get(1..).unwrap_or_default(),
                b.get(1..).unwrap_or_default(),
            );
        }
        let (digits_a, rest_a) = digits(a);
        let (digits_b, rest_b) = digits(b);
        let lengths = digits_a.len().cmp(&digits_b.len());
        let ordering = lengths.then_with(|| digits_a.cmp(digits_b));
        if ordering.is_ne() {
            return ordering;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

/// The digits at the beginning, without zeros before them, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_start_with(|c| c == '0');
    let end = text.iter().position(|b| !b.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(b) if b.is_ascii_digit() => 0,
        Some(b'~') => -1,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b) => i32::from(*b) + 256,
    }
}

/// What `--compare-versions A OPERATOR B` finds. An empty version, or none, is earlier
/// than all others, or with `-nl` later. None where there is no such operator.
pub(super) fn relate(a: Option<&Version>, operator: &[u8], b: Option<&Version>) -> Option<bool> {
    let (operator, later) = match operator.strip_suffix(b"-nl") {
        Some(operator) if operator != b"eq" && operator != b"ne" => (operator, true),
        _ => (operator, false),
    };
    let ordering = match (a, b) {
        (Some(a), Some(b)) => a.cmp(b),
        (None, None) => Ordering::Equal,
        (Some(_), None) if later => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) if later => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
    };
    Some(match operator {
        b"lt" | b"<<" => ordering.is_lt(),
        b"le" | b"<=" | b"<" => ordering.is_le(),
        b"eq" | b"=" => ordering.is_eq(),
        b"ne" => ordering.is_ne(),
        b"ge" | b">=" | b">" => ordering.is_ge(),
        b"gt" | b">>" => ordering.is_gt(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_dpkg_does() {
        let ordered = [
            "1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1", "1.0a", "1.0+a", "1.2", "1.10", "1:0.5",
        ];
        let parse = |text: &str| Version::parse(text.as_bytes()).expect("a version").0;
        for pair in ordered.windows(2) {
            assert!(parse(pair[0]) < parse(pair[1]), "{pair:?}");
        }
        let (a, b) = (parse("1.0"), parse("2.0"));
        assert_eq!(relate(Some(&a), b"lt", Some(&b)), Some(true));
        assert_eq!(relate(None, b"lt", Some(&b)), Some(true));
        assert_eq!(relate(None, b"lt-nl", Some(&b)), Some(false));
        assert_eq!(relate(None, b"ge-nl", None), Some(true));
        assert_eq!(relate(Some(&a), b"eq-nl", Some(&a)), None);
    }
}
