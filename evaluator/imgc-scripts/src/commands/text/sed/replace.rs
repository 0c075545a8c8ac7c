//! The right side of sed's `s`: read, and filled with what matched.

use crate::commands::text::pattern::Span;

/// A part of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(Vec<u8>),
    Group(usize),
    Case(Case),
}

/// How letters are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// `\U`
    Upper,
    /// `\L`
    Lower,
    /// `\u`
    NextUpper,
    /// `\l`
    NextLower,
    /// `\E`
    End,
}

/// Reads a replacement. None where it names a group above `groups`.
pub(super) fn parse(source: &[u8], groups: usize) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut text = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let byte = source[at];
        at += 1;
        let part = match (byte, source.get(at)) {
            (b'&', _) => Part::Group(0),
            (b'\\', Some(&next)) => {
                at += 1;
                match next {
                    b'0'..=b'9' => {
                        let number = usize::from(next - b'0');
                        if number > groups {
                            return None;
                        }
                        Part::Group(number)
                    }
                    b'U' => Part::Case(Case::Upper),
                    b'L' => Part::Case(Case::Lower),
                    b'u' => Part::Case(Case::NextUpper),
                    b'l' => Part::Case(Case::NextLower),
                    b'E' => Part::Case(Case::End),
                    _ => {
                        let (bytes, used) = control(next, &source[at..]);
                        at += used;
                        text.extend(bytes.unwrap_or_else(|| vec![next]));
                        continue;
                    }
                }
            }
            (byte, _) => {
                text.push(byte);
                continue;
            }
        };
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(part);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Some(parts)
}

/// The bytes that `\` and `byte` stand for, and how many bytes of `rest` belong to it.
/// None where they are no control sequence.
pub(super) fn control(byte: u8, rest: &[u8]) -> (Option<Vec<u8>>, usize) {
    let number = |radix: u32, most: usize| {
        let digits = rest.iter().take(most);
        let digits = digits.map_while(|&byte| char::from(byte).to_digit(radix));
        let (count, value) = digits.fold((0, 0), |(n, v), digit| (n + 1, v * radix + digit));
        match count {
            0 => (None, 0),
            count => (Some(vec![(value & 0xff) as u8]), count),
        }
    };
    match byte {
        b'n' => (Some(vec![b'\n']), 0),
        b't' => (Some(vec![b'\t']), 0),
        b'a' => (Some(vec![0x07]), 0),
        b'f' => (Some(vec![0x0c]), 0),
        b'v' => (Some(vec![0x0b]), 0),
        b'r' => (Some(vec![b'\r']), 0),
        b'c' => match rest.first() {
            Some(next) => (Some(vec![next.to_ascii_uppercase() ^ 0x40]), 1),
            None => (None, 0),
        },
        b'd' => number(10, 3),
        b'o' => number(8, 3),
        b'x' => number(16, 2),
        _ => (None, 0),
    }
}

/// Appends what `parts` make of a match to `out`.
pub(super) fn fill(parts: &[Part], line: &[u8], spans: &[Option<Span>], out: &mut Vec<u8>) {
    let mut all = None;
    let mut next = None;
    for part in parts {
        let bytes = match part {
            Part::Text(text) => text.as_slice(),
            Part::Group(number) => match spans.get(*number).copied().flatten() {
                Some((from, to)) => &line[from..to],
                None => continue,
            },
            Part::Case(case) => {
                match case {
                    Case::Upper | Case::Lower => all = Some(*case),
                    Case::NextUpper | Case::NextLower => next = Some(*case),
                    Case::End => (all, next) = (None, None),
                }
                continue;
            }
        };
        if bytes.is_empty() {
            continue;
        }
        let mut bytes = bytes;
        if let Some(case) = next.take() {
            let len = bstr::decode_utf8(bytes).1.max(1);
            change(&bytes[..len], Some(case), out);
            bytes = &bytes[len..];
        }
        change(bytes, all, out);
    }
}

fn change(bytes: &[u8], case: Option<Case>, out: &mut Vec<u8>) {
    let Some(case) = case else {
        out.extend_from_slice(bytes);
        return;
    };
    let upper = matches!(case, Case::Upper | Case::NextUpper);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (char, len) = bstr::decode_utf8(rest);
        let len = len.max(1);
        let changed = char.and_then(|char| one(char, upper));
        match changed {
            Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(&rest[..len]),
        }
        rest = &rest[len..];
    }
}

/// A character in the other case, where that is one character too.
fn one(char: char, upper: bool) -> Option<char> {
    if upper {
        let mut changed = char.to_uppercase();
        changed.next().filter(|_| changed.next().is_none())
    } else {
        let mut changed = char.to_lowercase();
        changed.next().filter(|_| changed.next().is_none())
    }
}
