//! Commands on text: sed, grep, awk, sort, cut, tr and their like.

mod awk;
mod cat;
mod columns;
mod cut;
mod diff;
mod encode;
mod expr;
mod grep;
mod head;
mod lines;
mod message;
mod number;
pub(crate) mod options;
pub(crate) mod pattern;
mod sed;
mod seq;
mod sort;
mod sums;
mod tr;
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
    encode::NATIVES,
    expr::NATIVES,
    grep::NATIVES,
    head::NATIVES,
    message::NATIVES,
    sed::NATIVES,
    seq::NATIVES,
    sort::NATIVES,
    sums::NATIVES,
    tr::NATIVES,
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
    let Some((&first, rest)) = pattern.split_first() else {
        return name.is_empty();
    };
    match first {
        b'*' => (0..=name.len()).any(|at| glob(rest, &name[at..])),
        b'?' => !name.is_empty() && glob(rest, &name[1..]),
        b'\\' if !rest.is_empty() => name.first() == Some(&rest[0]) && glob(&rest[1..], &name[1..]),
        b'[' => {
            let negated = matches!(rest.first(), Some(b'!' | b'^'));
            let start = usize::from(negated);
            let close = rest.iter().skip(start + 1).position(|&b| b == b']');
            let (Some(close), Some(&have)) = (close.map(|at| at + start + 1), name.first()) else {
                return name.first() == Some(&b'[') && glob(rest, &name[1..]);
            };
            let set = &rest[start..close];
            let mut found = false;
            let mut at = 0;
            while at < set.len() {
                if at + 2 < set.len() && set[at + 1] == b'-' {
                    found |= (set[at]..=set[at + 2]).contains(&have);
                    at += 3;
                } else {
                    found |= set[at] == have;
                    at += 1;
                }
            }
            found != negated && glob(&rest[close + 1..], &name[1..])
        }
        byte => name.first() == Some(&byte) && glob(rest, &name[1..]),
    }
}
