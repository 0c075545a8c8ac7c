//! Commands on text: sed, grep, awk, sort, cut, tr and their like.

mod awk;
mod cat;
mod columns;
mod cut;
mod diff;
mod dump;
mod encode;
mod expr;
mod fmt;
mod grep;
mod head;
mod lines;
mod message;
mod number;
pub(crate) mod options;
pub(crate) mod pattern;
mod sed;
mod seq;
pub(crate) mod sort;
mod split;
mod sums;
mod tr;
mod tsort;
mod uniq;
mod wc;

use bstr::BStr;

use super::Native;
use crate::process::Process;
use crate::stop::Stop;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    awk::NATIVES,
    cat::NATIVES,
    columns::NATIVES,
    cut::NATIVES,
    diff::NATIVES,
    dump::NATIVES,
    encode::NATIVES,
    expr::NATIVES,
    fmt::NATIVES,
    grep::NATIVES,
    head::NATIVES,
    message::NATIVES,
    sed::NATIVES,
    seq::NATIVES,
    sort::NATIVES,
    split::NATIVES,
    sums::NATIVES,
    tr::NATIVES,
    tsort::NATIVES,
    uniq::NATIVES,
    wc::NATIVES,
];

/// Whether characters are UTF-8's: by the locale, of which only C and C.UTF-8 are there.
pub(crate) fn is_utf8(process: &Process<'_, '_>) -> bool {
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
        if let Some(value) = process.env.get(BStr::new(name))
            && !value.is_empty()
        {
            let value = value.to_ascii_lowercase();
            return matches!(value.as_slice(), b"c.utf-8" | b"c.utf8");
        }
    }
    false
}

/// Counts the work on `bytes` bytes.
pub(crate) fn spend_on(process: &mut Process<'_, '_>, bytes: usize) -> Result<(), Stop> {
    process.machine.spend(bytes as u64 / 256)
}

/// Whether a shell pattern matches all of `name`: `*`, `?`, brackets, `\`.
pub(crate) fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // The last star, and where the name goes on if it takes one byte more.
    let mut back = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            back = Some((p, n));
            continue;
        }
        match one(&pattern[p..], name[n]) {
            Some(len) => {
                p += len;
                n += 1;
            }
            None => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (p, n) = (star, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// The length of the part of a shell pattern that `byte` matches.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    let (&first, rest) = pattern.split_first()?;
    match (first, rest.first()) {
        (b'?', _) => Some(1),
        (b'\\', Some(&next)) => (next == byte).then_some(2),
        (b'[', Some(_)) => {
            let start = usize::from(matches!(rest[0], b'!' | b'^'));
            let close = rest.iter().skip(start + 1).position(|&b| b == b']');
            let Some(close) = close.map(|at| at + start + 1) else {
                return (byte == b'[').then_some(1);
            };
            let mut set = &rest[start..close];
            let mut found = false;
            while let Some((&low, behind)) = set.split_first() {
                if let [b'-', high, ..] = behind {
                    found |= (low..=*high).contains(&byte);
                    set = &set[3..];
                } else {
                    found |= low == byte;
                    set = behind;
                }
            }
            (found == (start == 0)).then_some(close + 2)
        }
        _ => (first == byte).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs_match_whole_names() {
        for (pattern, name, want) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.d", false),
            ("a?c*", "abcd", true),
            ("[a-c]x[!y]", "bxz", true),
            ("[a-c]x[!y]", "bxy", false),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("\\*", "*", true),
            ("[", "[", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), want, "{pattern}");
        }
    }
}
