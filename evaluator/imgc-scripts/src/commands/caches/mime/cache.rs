//! `mime.cache`: all that is known of types, to be mapped into memory. Numbers are
//! big-endian, places are counted from the start of the file.

use super::magic::Match;
use super::source::{Database, Glob};
use crate::commands::caches::placing::Named;

/// The size of the header: the version of the format and the places of ten lists.
const HEADER: usize = 44;

/// The bytes of the file, once magic is sorted. An error says what can't be written.
pub(super) fn file(database: &Database) -> Result<Vec<u8>, String> {
    let mut writer = Writer {
        bytes: vec![0; HEADER],
        strings: strings(database),
    };
    writer.write_strings();
    let mut places = Vec::new();
    places.push(writer.bytes.len());
    let aliases = database.aliases.sorted();
    writer.pairs(&aliases.map(|(a, b)| vec![a, b]).collect::<Vec<_>>())?;
    places.push(writer.bytes.len());
    writer.parents(&database.parents)?;
    places.push(writer.bytes.len());
    writer.globs(&database.globs, Shape::Literal)?;
    places.push(writer.bytes.len());
    writer.suffixes(&database.globs)?;
    places.push(writer.bytes.len());
    writer.globs(&database.globs, Shape::Full)?;
    places.push(writer.bytes.len());
    writer.magic(database)?;
    places.push(writer.bytes.len());
    let namespaces = database.namespaces.sorted();
    let namespaces = namespaces.map(|(key, kind)| {
        let (space, local) = split(key);
        vec![space, local, kind]
    });
    writer.pairs(&namespaces.collect::<Vec<_>>())?;
    for icons in [&database.icons, &database.generic_icons] {
        places.push(writer.bytes.len());
        writer.pairs(&icons.sorted().map(|(a, b)| vec![a, b]).collect::<Vec<_>>())?;
    }
    places.push(writer.bytes.len());
    // Types are looked for with a newline behind them, and never found.
    writer.word(database.types.len())?;
    writer
        .bytes
        .resize(writer.bytes.len() + 4 * database.types.len(), 0);
    let mut header = vec![0, 1, 0, 2];
    for place in places {
        header.extend_from_slice(&number(place)?.to_be_bytes());
    }
    writer.bytes[..HEADER].copy_from_slice(&header);
    Ok(writer.bytes)
}

/// A namespace and a name in it, which are one key.
fn split(key: &[u8]) -> (&[u8], &[u8]) {
    let space = key.iter().position(|&b| b == b' ').unwrap_or(key.len());
    (&key[..space], key.get(space + 1..).unwrap_or_default())
}

/// All strings, with their places to come. They lie as they were collected.
fn strings(database: &Database) -> Named<usize> {
    let mut strings = Named::default();
    for (name, kind) in database.aliases.iter() {
        strings.set(name, 0);
        strings.set(kind, 0);
    }
    for (name, parents) in database.parents.iter() {
        strings.set(name, 0);
        for parent in parents {
            strings.set(parent, 0);
        }
    }
    for (pattern, globs) in database.globs.iter() {
        if shape(pattern) != Shape::Suffix {
            strings.set(pattern, 0);
        }
        for glob in globs {
            strings.set(&glob.kind, 0);
        }
    }
    for magic in &database.magic {
        strings.set(&magic.kind, 0);
    }
    for (key, kind) in database.namespaces.iter() {
        strings.set(kind, 0);
        let (space, local) = split(key);
        strings.set(space, 0);
        strings.set(local, 0);
    }
    for icons in [&database.generic_icons, &database.icons] {
        for (name, icon) in icons.iter() {
            strings.set(name, 0);
            strings.set(icon, 0);
        }
    }
    strings
}

/// What a pattern is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Literal,
    /// A star and plain letters.
    Suffix,
    Full,
}

fn shape(pattern: &[u8]) -> Shape {
    let (star, rest) = match pattern.strip_prefix(b"*") {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    if rest.iter().any(|b| b"\\[?*".contains(b)) {
        Shape::Full
    } else if star {
        Shape::Suffix
    } else {
        Shape::Literal
    }
}

fn number(number: usize) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| "it is too large".to_owned())
}

/// A letter in the tree of suffixes, read from their end; or, without a letter, a type.
#[derive(Debug, Default)]
struct Suffix {
    letter: u32,
    kind: Vec<u8>,
    weight: i32,
    flags: u32,
    below: Vec<Suffix>,
}

fn insert(suffixes: &mut Vec<Suffix>, letters: &[u32], glob: &Glob) {
    let Some((&letter, rest)) = letters.split_first() else {
        let types = suffixes
            .iter()
            .take_while(|suffix| suffix.letter == 0)
            .count();
        let same = suffixes[..types]
            .iter_mut()
            .find(|suffix| suffix.kind == glob.kind);
        match same {
            Some(same) => same.weight = same.weight.max(glob.weight),
            None => suffixes.insert(
                types,
                Suffix {
                    kind: glob.kind.clone(),
                    weight: glob.weight,
                    flags: if glob.case_sensitive { 0x100 } else { 0 },
                    ..Suffix::default()
                },
            ),
        }
        return;
    };
    let at = suffixes.partition_point(|suffix| suffix.letter < letter);
    if suffixes
        .get(at)
        .is_none_or(|suffix| suffix.letter != letter)
    {
        let new = Suffix {
            letter,
            ..Suffix::default()
        };
        suffixes.insert(at, new);
    }
    insert(&mut suffixes[at].below, rest, glob);
}

/// Matches as they lie: those of one element, then what is below each of them.
fn flat<'a>(matches: &'a [Match], all: &mut Vec<(&'a Match, usize)>) {
    let start = all.len();
    all.extend(matches.iter().map(|one| (one, 0)));
    for (nth, one) in matches.iter().enumerate() {
        all[start + nth].1 = all.len();
        flat(&one.matches, all);
    }
}

struct Writer {
    bytes: Vec<u8>,
    strings: Named<usize>,
}

impl Writer {
    fn word(&mut self, word: usize) -> Result<(), String> {
        self.bytes.extend_from_slice(&number(word)?.to_be_bytes());
        Ok(())
    }

    fn data(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
        let size = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(size, 0);
    }

    fn write_strings(&mut self) {
        let mut strings = std::mem::take(&mut self.strings);
        let mut names = Vec::new();
        for (name, _) in strings.iter() {
            names.push((name.to_vec(), self.bytes.len()));
            self.data(&[name, b"\0"].concat());
        }
        for (name, place) in names {
            strings.set(&name, place);
        }
        self.strings = strings;
    }

    fn string(&mut self, string: &[u8]) -> Result<(), String> {
        let place = self.strings.get(string).copied();
        self.word(place.ok_or("a string is missing")?)
    }

    fn pairs(&mut self, entries: &[Vec<&[u8]>]) -> Result<(), String> {
        self.word(entries.len())?;
        for &string in entries.iter().flatten() {
            self.string(string)?;
        }
        Ok(())
    }

    fn parents(&mut self, parents: &Named<Vec<Vec<u8>>>) -> Result<(), String> {
        self.word(parents.len())?;
        let mut place = self.bytes.len() + 8 * parents.len();
        for (name, list) in parents.sorted() {
            self.string(name)?;
            self.word(place)?;
            place += 4 + 4 * list.len();
        }
        for (_, list) in parents.sorted() {
            self.word(list.len())?;
            for parent in list {
                self.string(parent)?;
            }
        }
        Ok(())
    }

    fn globs(&mut self, globs: &Named<Vec<Glob>>, wanted: Shape) -> Result<(), String> {
        let entries = globs.sorted();
        let entries = entries.filter(|(pattern, _)| shape(pattern) == wanted);
        let entries: Vec<&Glob> = entries.flat_map(|(_, globs)| globs).collect();
        self.word(entries.len())?;
        for glob in entries {
            self.string(&glob.pattern)?;
            self.string(&glob.kind)?;
            self.bytes
                .extend_from_slice(&flags(glob.weight, glob.case_sensitive));
        }
        Ok(())
    }

    fn suffixes(&mut self, globs: &Named<Vec<Glob>>) -> Result<(), String> {
        let mut suffixes = Vec::new();
        for (pattern, globs) in globs.iter() {
            if shape(pattern) != Shape::Suffix {
                continue;
            }
            let text = std::str::from_utf8(&pattern[1..]).map_err(|_| "a pattern is not UTF-8")?;
            let letters: Vec<u32> = text.chars().rev().map(u32::from).collect();
            for glob in globs {
                insert(&mut suffixes, &letters, glob);
            }
        }
        self.word(suffixes.len())?;
        self.word(self.bytes.len() + 4)?;
        let mut below = self.bytes.len() + 12 * suffixes.len();
        let mut level: Vec<&Suffix> = suffixes.iter().collect();
        while !level.is_empty() {
            for suffix in &level {
                self.bytes.extend_from_slice(&suffix.letter.to_be_bytes());
                if suffix.letter == 0 {
                    self.string(&suffix.kind)?;
                    let case_sensitive = suffix.flags != 0;
                    self.bytes
                        .extend_from_slice(&flags(suffix.weight, case_sensitive));
                } else {
                    self.word(suffix.below.len())?;
                    self.word(below)?;
                }
                below += 12 * suffix.below.len();
            }
            level = level.iter().flat_map(|suffix| &suffix.below).collect();
        }
        Ok(())
    }

    fn magic(&mut self, database: &Database) -> Result<(), String> {
        let mut all = Vec::new();
        let mut first = Vec::new();
        for magic in &database.magic {
            first.push(all.len());
            flat(&magic.matches, &mut all);
        }
        let extents = all.iter().map(|(one, _)| {
            one.data.len() + usize::try_from(one.start).unwrap_or(0) + one.range as usize
        });
        let extent = extents.max().unwrap_or(0);
        self.word(database.magic.len())?;
        self.word(extent)?;
        self.word(self.bytes.len() + 4)?;
        let start = self.bytes.len() + 16 * database.magic.len();
        for (magic, first) in database.magic.iter().zip(first) {
            self.bytes.extend_from_slice(&magic.priority.to_be_bytes());
            self.string(&magic.kind)?;
            self.word(magic.matches.len())?;
            self.word(start + 32 * first)?;
        }
        let mut data = start + 32 * all.len();
        for (one, below) in &all {
            let size = one.data.len().next_multiple_of(4);
            self.word(usize::try_from(one.start).unwrap_or(0))?;
            self.word(one.range as usize)?;
            self.word(one.word as usize)?;
            self.word(one.data.len())?;
            self.word(data)?;
            data += size;
            if one.mask.is_some() {
                self.word(data)?;
                data += size;
            } else {
                self.word(0)?;
            }
            self.word(one.matches.len())?;
            self.word(if one.matches.is_empty() {
                0
            } else {
                start + 32 * below
            })?;
        }
        for (one, _) in &all {
            self.data(&one.data);
            if let Some(mask) = &one.mask {
                self.data(mask);
            }
        }
        Ok(())
    }
}

/// A weight, and whether the case of letters counts.
fn flags(weight: i32, case_sensitive: bool) -> [u8; 4] {
    let weight = u8::try_from(weight).unwrap_or(0);
    [0, 0, u8::from(case_sensitive), weight]
}
