//! Patterns as fnmatch(3) has them, without special slashes and dots. It must not look
//! at files.

/// Whether `text` is of `pattern`, as `fnmatch` of POSIX has it without flags.
pub fn fnmatch(pattern: &[u8], text: &[u8]) -> bool {
    matches(pattern, text, false)
}

/// Whether `text` is of `pattern`. Work is at most quadratic.
pub(crate) fn matches(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    let pattern = characters(pattern);
    let text = characters(text);
    let (mut p, mut t) = (0, 0);
    // Where the last star was, and how much it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            None => None,
            Some(_) => text.get(t).and_then(|&c| one(&pattern[p..], c, fold)),
        };
        if let Some(used) = step {
            p += used;
            t += 1;
        } else if let Some((after, taken)) = star.filter(|(_, taken)| *taken < text.len()) {
            star = Some((after, taken + 1));
            p = after;
            t = taken + 1;
        } else {
            return false;
        }
    }
}

/// The characters of UTF-8; other bytes stand for themselves, out of Unicode's way.
fn characters(bytes: &[u8]) -> Vec<char> {
    let mut all = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        all.extend(chunk.valid().chars());
        let odd = |b: &u8| char::from_u32(0x10_FF00 + u32::from(*b)).unwrap_or('\u{FFFD}');
        all.extend(chunk.invalid().iter().map(odd));
    }
    all
}

fn same(a: char, b: char, fold: bool) -> bool {
    a == b || (fold && a.to_lowercase().eq(b.to_lowercase()))
}

/// Whether `c` is of the first element of `pattern`. Gives how long that is.
fn one(pattern: &[char], c: char, fold: bool) -> Option<usize> {
    match pattern[0] {
        '?' => Some(1),
        '\\' if pattern.len() > 1 => same(pattern[1], c, fold).then_some(2),
        '[' => match set(pattern, c, fold) {
            Some((used, true)) => Some(used),
            Some((_, false)) => None,
            // It is never closed: a plain character.
            None => (c == '[').then_some(1),
        },
        other => same(other, c, fold).then_some(1),
    }
}

/// Reads the set at the front of `pattern`: how long it is, and whether `c` is in it.
fn set(pattern: &[char], c: char, fold: bool) -> Option<(usize, bool)> {
    let mut at = 1;
    let not = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(not);
    let mut found = false;
    let first = at;
    loop {
        let mut low = *pattern.get(at)?;
        if low == ']' && at > first {
            return Some((at + 1, found != not));
        }
        if low == '[' && pattern.get(at + 1) == Some(&':') {
            let rest = &pattern[at + 2..];
            if let Some(end) = rest.windows(2).position(|two| two == [':', ']']) {
                let name: String = rest[..end].iter().collect();
                found |= class(&name, c);
                at += end + 4;
                continue;
            }
        }
        if low == '\\' {
            at += 1;
            low = *pattern.get(at)?;
        }
        at += 1;
        let range = pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|&c| c != ']');
        if range {
            let mut high = pattern[at + 1];
            at += 2;
            if high == '\\' {
                high = *pattern.get(at)?;
                at += 1;
            }
            let within = |c: char| (low..=high).contains(&c);
            found |= within(c)
                || (fold && (c.to_lowercase().any(within) || c.to_uppercase().any(within)));
        } else {
            found |= same(low, c, fold);
        }
    }
}

fn class(name: &str, c: char) -> bool {
    match name {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "blank" => c == ' ' || c == '\t',
        "punct" => c.is_ascii_punctuation(),
        "xdigit" => c.is_ascii_hexdigit(),
        "cntrl" => c.is_control(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && !c.is_whitespace(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_does() {
        for (pattern, text, fits) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf~", false),
            ("*", ".hidden", true),
            ("a*b*c", "a/xbyyc", true),
            ("[!a-c]x", "dx", true),
            ("[!a-c]x", "bx", false),
            ("[]a]", "]", true),
            ("[[:digit:]]?", "5ä", true),
            ("[", "[", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("", "", true),
            ("**a", "bba", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes(), false),
                fits,
                "{pattern} {text}"
            );
        }
        assert!(matches(b"*.PEM", b"a.pem", true));
        assert!(!matches(&b"*a".repeat(40), &b"a".repeat(30), false));
    }
}
