//! The file `/etc/ld.so.cache`: glibc's format `glibc-ld.so.cache1.1` with its strings
//! and extensions. It must not look at libraries.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bstr::ByteSlice as _;

/// A line of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) flags: u32,
    pub(super) soname: Vec<u8>,
    pub(super) path: Vec<u8>,
}

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER: usize = 48;
const ENTRY: usize = 24;
const EXTENSIONS: u32 = 0xeaa4_2174;

/// glibc's order of library names: numbers by their value, and after letters.
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    loop {
        let (x, y) = (digits(a), digits(b));
        match (x, y) {
            (0, 0) => {}
            (_, 0) => return Ordering::Greater,
            (0, _) => return Ordering::Less,
            _ => {
                fn number(text: &[u8]) -> &[u8] {
                    let zeros = text.iter().take_while(|&&b| b == b'0').count();
                    &text[zeros..]
                }
                let (one, two) = (number(&a[..x]), number(&b[..y]));
                match one.len().cmp(&two.len()).then(one.cmp(two)) {
                    Ordering::Equal => {}
                    other => return other,
                }
                (a, b) = (&a[x..], &b[y..]);
                continue;
            }
        }
        match (a.split_first(), b.split_first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some((x, rest)), Some((y, more))) => {
                if x != y {
                    return x.cmp(y);
                }
                (a, b) = (rest, more);
            }
        }
    }
}

/// Sorts as the cache is: later names first; of the same name, as they were found.
pub(super) fn sort(entries: &mut [Entry]) {
    entries.sort_by(|a, b| order(&b.soname, &a.soname).then_with(|| b.flags.cmp(&a.flags)));
}

/// Writes the cache. `generator` says which ldconfig made it.
pub(super) fn write(entries: &[Entry], generator: &[u8], big_endian: bool) -> Vec<u8> {
    let number = |value: usize| {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let (strings, offsets) = strings(entries);
    let start = HEADER + ENTRY * entries.len();
    let extensions = (start + strings.len()).next_multiple_of(4);
    let mut out = Vec::with_capacity(extensions + 128);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&number(entries.len()));
    out.extend_from_slice(&number(strings.len()));
    out.extend_from_slice(&[if big_endian { 3 } else { 2 }, 0, 0, 0]);
    out.extend_from_slice(&number(extensions));
    out.extend_from_slice(&[0; 12]);
    for entry in entries {
        let at = |text: &Vec<u8>| offsets.get(text.as_slice()).copied().unwrap_or(0) + start;
        out.extend_from_slice(&number(entry.flags as usize));
        out.extend_from_slice(&number(at(&entry.soname)));
        out.extend_from_slice(&number(at(&entry.path)));
        out.extend_from_slice(&[0; 12]);
    }
    out.extend_from_slice(&strings);
    out.resize(extensions, 0);
    // One section: tag 0 is the generator.
    for value in [
        EXTENSIONS as usize,
        1,
        0,
        0,
        extensions + 24,
        generator.len(),
    ] {
        out.extend_from_slice(&number(value));
    }
    out.extend_from_slice(generator);
    out
}

/// The table of strings, in which one that ends another has no place of its own, and where
/// each is. It is sorted backwards by the strings read backwards.
fn strings(entries: &[Entry]) -> (Vec<u8>, BTreeMap<&[u8], usize>) {
    let all = entries
        .iter()
        .flat_map(|entry| [&entry.soname[..], &entry.path[..]]);
    let mut all: Vec<&[u8]> = all.collect();
    all.sort_by(|a, b| b.iter().rev().cmp(a.iter().rev()));
    all.dedup();
    let mut table = Vec::new();
    let mut offsets = BTreeMap::new();
    let mut last: Option<(&[u8], usize)> = None;
    for text in all {
        let at = match last {
            Some((longer, at)) if longer.ends_with(text) => at + longer.len() - text.len(),
            _ => {
                let at = table.len();
                table.extend_from_slice(text);
                table.push(0);
                last = Some((text, at));
                at
            }
        };
        offsets.insert(text, at);
    }
    (table, offsets)
}

/// The longest name or path in a cache that is read, with its end.
const MAX_TEXT: usize = 4097;

/// Reads what [`write`] wrote, and who made it. None where it is none.
pub(super) fn read(bytes: &[u8]) -> Option<(Vec<Entry>, Vec<u8>)> {
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let big = bytes.get(28)? & 3 == 3;
    let number = |at: usize| -> Option<usize> {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        let value = if big {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        };
        usize::try_from(value).ok()
    };
    let text = |at: usize| -> Option<Vec<u8>> {
        let rest = bytes.get(at..)?;
        let rest = &rest[..rest.len().min(MAX_TEXT)];
        Some(rest[..rest.find_byte(0)?].to_vec())
    };
    // Texts may be shared, which names of libraries hardly are.
    let mut left = bytes.len().saturating_mul(4);
    let mut entries = Vec::new();
    for index in 0..number(20)? {
        let at = HEADER.checked_add(index.checked_mul(ENTRY)?)?;
        let entry = Entry {
            flags: u32::try_from(number(at)?).ok()?,
            soname: text(number(at + 4)?)?,
            path: text(number(at + 8)?)?,
        };
        left = left.checked_sub(entry.soname.len() + entry.path.len())?;
        entries.push(entry);
    }
    let extensions = number(32)?;
    let at = number(extensions.checked_add(16)?)?;
    let length = number(extensions.checked_add(20)?)?;
    let generator = bytes.get(at..at.checked_add(length)?)?;
    Some((entries, generator.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(soname: &str) -> Entry {
        Entry {
            flags: 0x303,
            soname: soname.into(),
            path: format!("/lib/{soname}").into(),
        }
    }

    #[test]
    fn names_are_ordered_by_numbers() {
        let mut all: Vec<Entry> = [
            "libb.so.2",
            "libb.so.10",
            "liba.so",
            "libc.so.6",
            "libcap.so",
        ]
        .map(entry)
        .to_vec();
        sort(&mut all);
        let names: Vec<_> = all
            .iter()
            .map(|entry| entry.soname.to_str_lossy())
            .collect();
        assert_eq!(
            names,
            [
                "libcap.so",
                "libc.so.6",
                "libb.so.10",
                "libb.so.2",
                "liba.so"
            ]
        );
    }

    #[test]
    fn a_cache_is_read_back() {
        let all = vec![entry("libz.so.1"), entry("liba.so.10")];
        for big in [false, true] {
            let bytes = write(&all, b"ldconfig (x) 1", big);
            assert_eq!(&bytes[..20], MAGIC);
            assert_eq!(
                read(&bytes),
                Some((all.clone(), b"ldconfig (x) 1".to_vec()))
            );
        }
        assert_eq!(read(b"glibc-ld.so.cache1.1"), None);
    }
}
