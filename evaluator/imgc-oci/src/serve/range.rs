//! The header `Range`, for one range of bytes. What asks for more, or is ill-formed, is
//! answered with the whole, as RFC 9110 allows.

/// What of a blob is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// All of it.
    Whole,
    /// From the first byte to the last one, both counted from 0.
    Part { first: u64, last: u64 },
    /// Bytes that it does not have.
    Beyond,
}

impl Range {
    /// Reads `bytes=5-`, `bytes=5-9` or `bytes=-5`, for a blob of `len` bytes.
    pub(super) fn parse(header: &str, len: u64) -> Self {
        let Some((first, last)) = header
            .trim()
            .strip_prefix("bytes=")
            .and_then(|range| range.split_once('-'))
        else {
            return Self::Whole;
        };
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
        };
        let (first, last) = match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => (first, last),
            (Some(first), None) if last.is_empty() => (first, u64::MAX),
            (None, Some(0)) if first.is_empty() => return Self::Beyond,
            (None, Some(many)) if first.is_empty() => (len.saturating_sub(many), u64::MAX),
            _ => return Self::Whole,
        };
        if first >= len {
            return Self::Beyond;
        }
        Self::Part {
            first,
            last: last.min(len - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_range() {
        let part = |first, last| Range::Part { first, last };
        for (header, range) in [
            ("bytes=0-", part(0, 9)),
            ("bytes=3-5", part(3, 5)),
            ("bytes=9-9", part(9, 9)),
            ("bytes=3-99", part(3, 9)),
            ("bytes=-4", part(6, 9)),
            ("bytes=-99", part(0, 9)),
            ("bytes=0-99999999999999999999999", part(0, 9)),
            ("bytes=10-", Range::Beyond),
            ("bytes=99999999999999999999999-", Range::Beyond),
            ("bytes=-0", Range::Beyond),
            ("bytes=5-3", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=+1-2", Range::Whole),
            ("bytes=a-b", Range::Whole),
            ("lines=0-1", Range::Whole),
            ("", Range::Whole),
        ] {
            assert_eq!(Range::parse(header, 10), range, "{header}");
        }
        assert_eq!(Range::parse("bytes=0-", 0), Range::Beyond);
    }
}
