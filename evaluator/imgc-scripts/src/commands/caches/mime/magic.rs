//! What files of a type hold, and folders: reads it, and writes `magic` and `treemagic`.

use super::source::{Element, Fault, mistake, unknown};

/// Stands for what takes back all that is known of a type's contents.
const NO_MAGIC: &[u8] = b"__NOMAGIC__";

/// What the contents of files of a type are.
#[derive(Debug)]
pub(super) struct Magic {
    pub(super) priority: i32,
    pub(super) kind: Vec<u8>,
    pub(super) matches: Vec<Match>,
    none: bool,
}

/// Bytes at a place.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) start: i64,
    pub(super) range: u32,
    pub(super) word: u32,
    pub(super) data: Vec<u8>,
    pub(super) mask: Option<Vec<u8>>,
    pub(super) matches: Vec<Match>,
}

/// What folders of a type hold.
#[derive(Debug)]
pub(super) struct Tree {
    priority: i32,
    kind: Vec<u8>,
    matches: Vec<TreeMatch>,
}

#[derive(Debug)]
struct TreeMatch {
    path: String,
    about: String,
    matches: Vec<TreeMatch>,
}

impl Magic {
    /// What takes back all of a type.
    pub(super) fn none(kind: &[u8]) -> Self {
        Self {
            priority: 0,
            kind: kind.to_vec(),
            none: true,
            matches: vec![Match {
                start: 0,
                range: 1,
                word: 1,
                data: NO_MAGIC.to_vec(),
                mask: None,
                matches: Vec::new(),
            }],
        }
    }
}

/// Reads an element `magic`.
pub(super) fn magic(kind: &[u8], element: &Element<'_>) -> Result<Magic, Fault> {
    let Some(priority) = element.number("priority") else {
        return mistake("the priority of magic");
    };
    let matches = matches(element)?;
    if matches.is_empty() {
        return mistake("magic has no match");
    }
    Ok(Magic {
        priority,
        kind: kind.to_vec(),
        matches,
        none: false,
    })
}

fn matches(element: &Element<'_>) -> Result<Vec<Match>, Fault> {
    element.children.iter().map(one).collect()
}

fn one(element: &Element<'_>) -> Result<Match, Fault> {
    if !element.is_free("match") {
        return mistake("magic has an element that is not match");
    }
    let (start, range) = offset(element.get("offset").unwrap_or_default())?;
    let Some(kind) = element.get("type") else {
        return mistake("a match has no type");
    };
    let (bytes, little) = match kind {
        "string" => (0, false),
        "byte" => (1, false),
        "host16" | "big16" => (2, false),
        "host32" | "big32" => (4, false),
        "little16" => (2, true),
        "little32" => (4, true),
        _ => return mistake("a match has a type that is none"),
    };
    let Some(value) = element.get("value").filter(|value| !value.is_empty()) else {
        return mistake("a match has no value");
    };
    let mask = element.get("mask");
    let (data, mask) = if bytes == 0 {
        let data = string(value.as_bytes());
        if data.is_empty() || data.len() > 0xffff {
            return unknown("the value of a match");
        }
        let mask = mask.map(|mask| string_mask(mask, data.len()));
        (data, mask.transpose()?)
    } else {
        let value = integer(value)?;
        if bytes < 4 && value >> (8 * bytes) != 0 {
            return mistake("the value of a match is too large");
        }
        let pack = |value: u64| -> Vec<u8> {
            let all = value.to_le_bytes();
            match little {
                true => all[..bytes].to_vec(),
                false => all[..bytes].iter().rev().copied().collect(),
            }
        };
        let mask = mask.map(integer).transpose()?;
        (pack(value), mask.map(pack))
    };
    Ok(Match {
        start,
        range,
        word: match kind {
            "host16" => 2,
            "host32" => 4,
            _ => 1,
        },
        data,
        mask,
        matches: matches(element)?,
    })
}

/// Where a match begins, and at how many places.
fn offset(text: &str) -> Result<(i64, u32), Fault> {
    if text.is_empty() {
        return mistake("a match has no offset");
    }
    let (first, last) = match text.split_once(':') {
        Some((first, last)) => (first, Some(last)),
        None => (text, None),
    };
    let number = |text: &str| match text.bytes().all(|b| b.is_ascii_digit()) {
        // Larger ones are not offsets of anything.
        true if (1..10).contains(&text.len()) => text.parse::<u32>().ok(),
        _ => None,
    };
    let Some(start) = number(first) else {
        return unknown("the offset of a match");
    };
    let range = match last {
        None => 1,
        Some(last) => match number(last) {
            Some(last) if last >= start => last - start + 1,
            Some(_) => return mistake("an offset ends before it begins"),
            None => return unknown("the offset of a match"),
        },
    };
    Ok((i64::from(start), range))
}

/// A number as strtoul(3) reads it: decimal, octal or hexadecimal.
fn integer(text: &str) -> Result<u64, Fault> {
    let (digits, radix) =
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            (digits, 16)
        } else if text.len() > 1 && text.starts_with('0') {
            (&text[1..], 8)
        } else {
            (text, 10)
        };
    if digits.starts_with(['+', '-', ' ']) {
        return unknown("a number of a match");
    }
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return mistake("a match has no number");
    }
    match u64::from_str_radix(digits, radix) {
        Ok(number) => Ok(number),
        Err(_) => unknown("a number of a match"),
    }
}

/// The bytes of a string with C's escapes.
fn string(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.iter().copied().peekable();
    let hex = |b: &u8| b.is_ascii_hexdigit();
    let digit = |b: u8| (b as char).to_digit(16).map_or(0, |digit| digit as u8);
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let Some(escaped) = rest.next() else {
            break;
        };
        bytes.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b'b' => 8,
            b't' => b'\t',
            b'f' => 12,
            b'v' => 11,
            b'0'..=b'7' => {
                let mut value = digit(escaped);
                for _ in 0..2 {
                    if let Some(next) = rest.next_if(|b| (b'0'..=b'7').contains(b)) {
                        value = value << 3 | digit(next);
                    } else {
                        break;
                    }
                }
                value
            }
            b'x' => match rest.next_if(hex) {
                Some(first) => match rest.next_if(hex) {
                    Some(second) => digit(first) << 4 | digit(second),
                    None => digit(first),
                },
                None => b'x',
            },
            other => other,
        });
    }
    bytes
}

fn string_mask(text: &str, length: usize) -> Result<Vec<u8>, Fault> {
    let Some(digits) = text.strip_prefix("0x") else {
        return mistake("the mask of a string is not hexadecimal");
    };
    let mut mask = vec![0; length];
    for (at, digit) in digits.chars().enumerate() {
        let Some(digit) = digit.to_digit(16) else {
            return mistake("the mask of a string is not hexadecimal");
        };
        let Some(byte) = mask.get_mut(at / 2) else {
            return mistake("the mask of a string is too long");
        };
        *byte |= (digit as u8) << if at % 2 == 0 { 4 } else { 0 };
    }
    Ok(mask)
}

/// Reads an element `treemagic`.
pub(super) fn tree(kind: &[u8], element: &Element<'_>) -> Result<Tree, Fault> {
    let Some(priority) = element.number("priority") else {
        return mistake("the priority of magic");
    };
    Ok(Tree {
        priority,
        kind: kind.to_vec(),
        matches: tree_matches(element)?,
    })
}

fn tree_matches(element: &Element<'_>) -> Result<Vec<TreeMatch>, Fault> {
    let one = |element: &Element<'_>| {
        if !element.is_free("treematch") {
            return mistake("magic has an element that is not treematch");
        }
        let Some(path) = element.get("path") else {
            return mistake("a treematch has no path");
        };
        let mut about = match element.get("type") {
            None => "any".to_owned(),
            Some(kind @ ("file" | "directory" | "link")) => kind.to_owned(),
            Some(_) => return mistake("a treematch has a type that is none"),
        };
        for flag in ["match-case", "executable", "non-empty"] {
            if element.is(flag) {
                about.push_str(&format!(",{flag}"));
            }
        }
        if let Some(kind) = element.get("mimetype") {
            about.push_str(&format!(",{kind}"));
        }
        Ok(TreeMatch {
            path: path.to_owned(),
            about,
            matches: tree_matches(element)?,
        })
    };
    element.children.iter().map(one).collect()
}

/// The order of a type: its folder, then its name.
fn by_kind(kind: &[u8]) -> (&[u8], &[u8]) {
    let slash = kind.iter().position(|&b| b == b'/').unwrap_or(kind.len());
    (&kind[..slash], &kind[slash..])
}

/// Puts magic in the order in which it is tried.
pub(super) fn sort(magic: &mut [Magic]) {
    magic.sort_by(|a, b| match a.none || b.none {
        true => b.none.cmp(&a.none),
        false => {
            (b.priority.cmp(&a.priority)).then_with(|| by_kind(&a.kind).cmp(&by_kind(&b.kind)))
        }
    });
}

/// The file `magic`.
pub(super) fn file(magic: &[Magic]) -> Vec<u8> {
    let mut bytes = b"MIME-Magic\0\n".to_vec();
    for magic in magic {
        bytes.extend_from_slice(format!("[{}:", magic.priority).as_bytes());
        bytes.extend_from_slice(&[&magic.kind[..], b"]\n"].concat());
        write(&mut bytes, &magic.matches, 0);
    }
    bytes
}

fn write(bytes: &mut Vec<u8>, matches: &[Match], depth: usize) {
    for one in matches {
        if depth > 0 {
            bytes.extend_from_slice(depth.to_string().as_bytes());
        }
        bytes.extend_from_slice(format!(">{}=", one.start).as_bytes());
        let length = u16::try_from(one.data.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&one.data);
        if let Some(mask) = &one.mask {
            bytes.push(b'&');
            bytes.extend_from_slice(mask);
        }
        if one.word != 1 {
            bytes.extend_from_slice(format!("~{}", one.word).as_bytes());
        }
        if one.range != 1 {
            bytes.extend_from_slice(format!("+{}", one.range).as_bytes());
        }
        bytes.push(b'\n');
        write(bytes, &one.matches, depth + 1);
    }
}

/// The file `treemagic`.
pub(super) fn tree_file(trees: &mut [Tree]) -> Vec<u8> {
    trees.sort_by(|a, b| {
        (b.priority.cmp(&a.priority)).then_with(|| by_kind(&a.kind).cmp(&by_kind(&b.kind)))
    });
    let mut bytes = b"MIME-TreeMagic\0\n".to_vec();
    for tree in trees {
        bytes.extend_from_slice(format!("[{}:", tree.priority).as_bytes());
        bytes.extend_from_slice(&[&tree.kind[..], b"]\n"].concat());
        write_tree(&mut bytes, &tree.matches, 0);
    }
    bytes
}

fn write_tree(bytes: &mut Vec<u8>, matches: &[TreeMatch], depth: usize) {
    for one in matches {
        if depth > 0 {
            bytes.extend_from_slice(depth.to_string().as_bytes());
        }
        bytes.extend_from_slice(format!(">\"{}\"={}\n", one.path, one.about).as_bytes());
        write_tree(bytes, &one.matches, depth + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_have_escapes() {
        assert_eq!(string(br"a\n\x4a\x4g\xg\1018\\\"), b"a\nJ\x04gxgA8\\");
        assert_eq!(string_mask("0xff0", 3).unwrap(), [0xff, 0, 0]);
        assert!(string_mask("0xff00", 1).is_err());
    }

    #[test]
    fn numbers_have_three_notations() {
        assert_eq!(integer("0x10").unwrap(), 16);
        assert_eq!(integer("010").unwrap(), 8);
        assert_eq!(integer("0").unwrap(), 0);
        assert!(matches!(integer("x"), Err(Fault::Type(_))));
        assert!(matches!(integer("-1"), Err(Fault::Unknown(_))));
        assert_eq!(offset("4:7").unwrap(), (4, 4));
        assert!(matches!(offset("7:4"), Err(Fault::Type(_))));
    }
}
