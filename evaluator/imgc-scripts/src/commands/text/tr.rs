//! tr. It works on bytes, as the real one does.

use bstr::ByteSlice as _;

use super::options::{self, Spec};
use super::spend_on;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "tr",
    origin: Origin::Essential,
    run,
}];

const SPEC: Spec = Spec {
    letters: "+cCdst",
    long: &[
        ("complement", 'c'),
        ("delete", 'd'),
        ("squeeze-repeats", 's'),
        ("truncate-set1", 't'),
    ],
};

/// A part of a set.
#[derive(Debug, Clone, Copy)]
enum Item {
    Byte(u8),
    /// `[:lower:]` or `[:upper:]`, by that flag.
    Case(bool),
    /// A class of bytes.
    Class(Class),
    /// `[x*n]`; 0 fills.
    Repeat(u8, usize),
}

/// A class of bytes.
type Class = fn(&u8) -> bool;

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let (delete, squeeze) = (given.has('d'), given.has('s'));
    let complement = given.has('c') || given.has('C');
    let (first, second) = match &given.operands[..] {
        [one] if delete != squeeze => (one, None),
        [one, two] if delete == squeeze || squeeze => (one, Some(two)),
        _ => {
            process.complain("missing or extra operand");
            return Ok(Status::FAILED);
        }
    };
    let items = match parse(first) {
        Ok(items) => items,
        Err(words) => {
            process.complain(words);
            return Ok(Status::FAILED);
        }
    };
    let mut from = Vec::new();
    for item in &items {
        match *item {
            Item::Byte(byte) => from.push(byte),
            Item::Case(upper) => from.extend(case(upper)),
            Item::Class(class) => from.extend((0..=255_u8).filter(class)),
            Item::Repeat(byte, count @ 1..) => from.extend(std::iter::repeat_n(byte, count)),
            Item::Repeat(..) => {
                process.complain("the [c*] repeat construct may not appear in string1");
                return Ok(Status::FAILED);
            }
        }
    }
    if complement {
        from = (0..=255).filter(|byte| !from.contains(byte)).collect();
    }
    let input = process.stdin();
    spend_on(process, input.len())?;
    let mut table: [Option<u8>; 256] = std::array::from_fn(|byte| u8::try_from(byte).ok());
    let mut squeezed = [false; 256];
    if delete {
        for byte in &from {
            table[usize::from(*byte)] = None;
        }
        if let Some(second) = second {
            for byte in expand(process, second, 0)?.unwrap_or_default() {
                squeezed[usize::from(byte)] = true;
            }
        }
    } else if let Some(second) = second {
        let Some(mut to) = expand(process, second, from.len())? else {
            return Ok(Status::FAILED);
        };
        if given.has('t') {
            from.truncate(to.len());
        } else if let Some(&last) = to.last() {
            to.resize(from.len().max(to.len()), last);
        } else {
            process.complain("when not truncating set1, string2 must be non-empty");
            return Ok(Status::FAILED);
        }
        for (from, to) in from.iter().zip(&to) {
            table[usize::from(*from)] = Some(*to);
        }
        if squeeze {
            for byte in to {
                squeezed[usize::from(byte)] = true;
            }
        }
    } else {
        for byte in &from {
            squeezed[usize::from(*byte)] = true;
        }
    }
    let mut out = Vec::with_capacity(input.len());
    for byte in input {
        let Some(byte) = table[usize::from(byte)] else {
            continue;
        };
        if squeezed[usize::from(byte)] && out.last() == Some(&byte) {
            continue;
        }
        out.push(byte);
    }
    process.out(out);
    Ok(Status::OK)
}

fn case(upper: bool) -> impl Iterator<Item = u8> {
    if upper { b'A'..=b'Z' } else { b'a'..=b'z' }
}

/// The second set, as long as the first where it has `[x*]`. None with a complaint where
/// it is wrong.
fn expand(
    process: &mut Process<'_, '_>,
    source: &[u8],
    len: usize,
) -> Result<Option<Vec<u8>>, Stop> {
    let items = match parse(source) {
        Ok(items) => items,
        Err(words) => {
            process.complain(words);
            return Ok(None);
        }
    };
    let fixed: usize = items
        .iter()
        .map(|item| match item {
            Item::Byte(_) => 1,
            Item::Case(_) => 26,
            Item::Class(class) => (0..=255_u8).filter(class).count(),
            Item::Repeat(_, count) => *count,
        })
        .sum();
    let mut to = Vec::new();
    for item in items {
        match item {
            Item::Byte(byte) => to.push(byte),
            Item::Case(upper) => to.extend(case(upper)),
            Item::Class(_) if len > 0 => {
                process.complain(
                    "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'",
                );
                return Ok(None);
            }
            Item::Class(class) => to.extend((0..=255_u8).filter(class)),
            Item::Repeat(byte, 0) => {
                to.extend(std::iter::repeat_n(byte, len.saturating_sub(fixed)));
            }
            Item::Repeat(byte, count) => {
                process.machine.spend(count as u64 / 256)?;
                to.extend(std::iter::repeat_n(byte, count));
            }
        }
    }
    Ok(Some(to))
}

fn parse(source: &[u8]) -> Result<Vec<Item>, &'static str> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        if let Some(name) = rest.strip_prefix(b"[:")
            && let Some(end) = name.find(b":]")
        {
            items.push(match &name[..end] {
                b"lower" => Item::Case(false),
                b"upper" => Item::Case(true),
                b"alnum" => Item::Class(u8::is_ascii_alphanumeric),
                b"alpha" => Item::Class(u8::is_ascii_alphabetic),
                b"blank" => Item::Class(|byte| matches!(byte, b' ' | b'\t')),
                b"cntrl" => Item::Class(u8::is_ascii_control),
                b"digit" => Item::Class(u8::is_ascii_digit),
                b"graph" => Item::Class(u8::is_ascii_graphic),
                b"print" => Item::Class(|byte| matches!(byte, b' '..=b'~')),
                b"punct" => Item::Class(u8::is_ascii_punctuation),
                b"space" => Item::Class(|byte| matches!(byte, b' ' | b'\t'..=b'\r')),
                b"xdigit" => Item::Class(u8::is_ascii_hexdigit),
                _ => return Err("invalid character class"),
            });
            at += end + 4;
            continue;
        }
        if let Some([byte, b'=', b']']) = rest.strip_prefix(b"[=").and_then(|rest| rest.get(..3)) {
            items.push(Item::Byte(*byte));
            at += 5;
            continue;
        }
        if rest[0] == b'['
            && let Some((byte, used)) = one(&rest[1..])
            && rest.get(1 + used) == Some(&b'*')
            && let Some(len) = rest[2 + used..].iter().position(|&byte| byte == b']')
        {
            let digits = &rest[2 + used..2 + used + len];
            let radix = if digits.starts_with(b"0") { 8 } else { 10 };
            let count = match digits {
                b"" => Some(0),
                digits => std::str::from_utf8(digits)
                    .ok()
                    .and_then(|text| usize::from_str_radix(text, radix).ok()),
            };
            if let Some(count) = count.filter(|count| *count < 1 << 20) {
                items.push(Item::Repeat(byte, count));
                at += 3 + used + len;
                continue;
            }
        }
        let Some((low, used)) = one(rest) else {
            break;
        };
        at += used;
        let rest = &source[at..];
        if rest.first() == Some(&b'-')
            && let Some((high, used)) = one(&rest[1..])
        {
            if high < low {
                return Err("range-endpoints are in reverse collating sequence order");
            }
            items.extend((low..=high).map(Item::Byte));
            at += 1 + used;
            continue;
        }
        items.push(Item::Byte(low));
    }
    Ok(items)
}

/// The byte at the begin of `rest`, which may be escaped, and its length.
fn one(rest: &[u8]) -> Option<(u8, usize)> {
    let &first = rest.first()?;
    if first != b'\\' {
        return Some((first, 1));
    }
    let byte = match rest.get(1) {
        None => return Some((b'\\', 1)),
        Some(b'a') => 7,
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'v') => 11,
        Some(b'0'..=b'7') => {
            let mut value = 0_u32;
            let mut used = 1;
            while used < 4
                && let Some(digit @ b'0'..=b'7') = rest.get(used)
                && value * 8 + u32::from(digit - b'0') < 256
            {
                value = value * 8 + u32::from(digit - b'0');
                used += 1;
            }
            return Some((u8::try_from(value).unwrap_or(0), used));
        }
        Some(other) => *other,
    };
    Some((byte, 2))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn sets_are_read_as_tr_does() {
        for (args, input, want) in [
            (&["tr", "a-z", "A-Z"][..], "abcß", "ABCß"),
            (&["tr", "[:lower:]", "[:upper:]"], "a1b", "A1B"),
            (&["tr", "-d", "\\n"], "a\nb\n", "ab"),
            (&["tr", "-d", "[:space:]"], " a\tb\n", "ab"),
            (&["tr", "-s", " "], "a   b  c", "a b c"),
            (&["tr", "-s", "\\n", " "], "a\n\nb\n", "a b "),
            (&["tr", "-cd", "[:alnum:]"], "a-b_c\n", "abc"),
            (&["tr", "-c", "a-z\\n", "_"], "a-b\n", "a_b\n"),
            (&["tr", "abc", "x"], "aabbcc", "xxxxxx"),
            (&["tr", "-t", "abc", "x"], "abc", "xbc"),
            (&["tr", "ab", "[-*]"], "abc", "--c"),
            (&["tr", ",", "\\012"], "a,b", "a\nb"),
            (&["tr", "\\000", "\\n"], "a\0b", "a\nb"),
            (&["tr", "-", "_"], "a-b", "a_b"),
            (&["tr", "_-", "  "], "a-b_c", "a b c"),
            (&["tr", "-ds", "a", "b"], "aabbab", "b"),
        ] {
            let ran = machine().run_with(args, input).expect("no stop");
            assert_eq!((ran.status, ran.out.as_str()), (0, want), "{args:?}");
        }
        for args in [
            &["tr", "a"][..],
            &["tr", "z-a", "x"],
            &["tr", "a", ""],
            &["tr"],
        ] {
            assert_eq!(
                machine().run_with(args, "x").expect("no stop").status,
                1,
                "{args:?}"
            );
        }
    }
}
