//! `dir`, the list of all manuals of info: reads what a manual says of itself, and puts it
//! in its sections, as GNU install-info 6.8 to 7.2 does.

use std::cmp::Ordering;

use bstr::ByteSlice as _;

/// A new list.
pub(super) const NEW: &[u8] = b"This is the file .../info/dir, which contains the
topmost node of the Info hierarchy, called (dir)Top.
The first time you invoke Info you start off looking at this node.
\x1f
File: dir,\tNode: Top\tThis is the top of the INFO tree

  This (the Directory node) gives a menu of major topics.
  Typing \"q\" exits, \"H\" lists all Info commands, \"d\" returns here,
  \"h\" gives a primer for first-timers,
  \"mEmacs<Return>\" visits the Emacs manual, etc.

  In Emacs, you can click mouse button 2 on a menu item or cross reference
  to select it.

* Menu:
";

/// The column behind which no line goes on.
const WIDTH: usize = 79;

/// What a manual says of itself. Both lists begin with what it says last.
#[derive(Debug, Default)]
pub(super) struct Manual {
    entries: Vec<Entry>,
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Entry {
    text: Vec<u8>,
    /// The names of its sections.
    sections: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Section {
    name: Vec<u8>,
    missing: bool,
}

/// A section of the list: the line of its name, and the one behind its last.
#[derive(Debug)]
struct Place<'a> {
    name: &'a [u8],
    start: usize,
    end: usize,
}

/// A line of the list, and what is put before it: entries and new sections, by number.
#[derive(Debug, Default, Clone)]
struct Line<'a> {
    text: &'a [u8],
    gone: bool,
    entries: Vec<usize>,
    sections: Vec<usize>,
}

impl Manual {
    /// Whether there is nothing to put in a list.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads a manual. None where an entry does not end.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut manual = Self::default();
        // The sections of an entry are those since the last entry before them.
        let (mut tail, mut head, mut entry_seen) = (0, 0, false);
        let mut open: Option<(Vec<u8>, bool)> = None;
        for line in text.lines_with_terminator() {
            let plain = line.strip_suffix(b"\n").unwrap_or(line);
            if let Some(name) = plain.strip_prefix(b"INFO-DIR-SECTION ") {
                if entry_seen {
                    tail = names.len();
                    entry_seen = false;
                }
                names.push(name.to_vec());
                head = names.len();
                if let Some((text, _)) = &mut open {
                    text.extend_from_slice(line);
                }
                continue;
            }
            if plain == b"START-INFO-DIR-ENTRY" {
                if names.is_empty() {
                    names.push(b"Miscellaneous".to_vec());
                    head = 1;
                }
                entry_seen = true;
                if open.is_some() {
                    return None;
                }
                open = Some((Vec::new(), false));
                continue;
            }
            let Some((text, begun)) = &mut open else {
                continue;
            };
            let ends = plain == b"END-INFO-DIR-ENTRY";
            if ends || line.starts_with(b"* ") && *begun {
                let sections = names[tail..head].iter().rev().cloned().collect();
                let text = std::mem::take(text);
                manual.entries.insert(0, Entry { text, sections });
            }
            if ends {
                open = None;
            } else {
                *begun = true;
                text.extend_from_slice(line);
            }
        }
        if open.is_some() {
            return None;
        }
        for entry in &mut manual.entries {
            let narrow = entry
                .sections
                .iter()
                .any(|name| name == b"Individual utilities");
            let (first, rest) = if narrow { (49, 51) } else { (33, 35) };
            if let Some(text) = format(&entry.text, first, rest) {
                entry.text = text;
            }
        }
        names.reverse();
        let new = |name| Section {
            name,
            missing: true,
        };
        manual.sections = names.into_iter().map(new).collect();
        Some(manual)
    }

    /// The list with this manual in it. None where it is not a list as this program
    /// makes it.
    pub(super) fn add_to(mut self, list: &[u8]) -> Option<Vec<u8>> {
        let lines = list.lines_with_terminator();
        let lines = lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line));
        let mut lines: Vec<Line<'_>> = lines
            .map(|text| Line {
                text,
                ..Line::default()
            })
            .collect();
        let count = lines.len();
        lines.push(Line::default());
        let mut places = places(&lines[..count])?;
        for place in &mut places {
            while place.end > place.start + 1 && lines[place.end - 1].text.is_empty() {
                place.end -= 1;
            }
            let known = self
                .sections
                .iter_mut()
                .find(|section| section.name == place.name);
            if let Some(section) = known {
                section.missing = false;
                self.fill(place, &mut lines);
            }
        }
        for number in 0..self.sections.len() {
            let section = &self.sections[number];
            if !section.missing {
                continue;
            }
            let behind = |place: &Place<'_>| caseless(&section.name, place.name).is_lt();
            let at = match places.iter().position(behind) {
                Some(0) => places[0].start.checked_sub(1)?,
                Some(next) => places[next - 1].end,
                None => count,
            };
            lines[at].sections.push(number);
        }
        // Whether a blank line more is put after a blank one differs between versions.
        let odd = |at: usize| !lines[at].sections.is_empty() && lines[at - 1].text.is_empty();
        if (1..lines.len()).any(odd) {
            return None;
        }
        Some(self.write(&lines))
    }

    /// Finds the places of entries in a section, and takes out older ones.
    fn fill(&self, place: &Place<'_>, lines: &mut [Line<'_>]) {
        let mut at = place.end;
        for (number, entry) in self.entries.iter().enumerate() {
            if !entry.sections.iter().any(|name| name == place.name) {
                continue;
            }
            for line in (place.start..place.end).rev() {
                if !lines[line].text.starts_with(b"*") {
                    continue;
                }
                if !lines[line].gone && same_item(&entry.text, lines[line].text) {
                    lines[line].gone = true;
                    let rest = &mut lines[line + 1..place.end];
                    for line in rest
                        .iter_mut()
                        .take_while(|line| !line.text.starts_with(b"*"))
                    {
                        line.gone = true;
                    }
                }
                if is_before(&entry.text, lines[line].text) {
                    at = line;
                }
            }
            let there = &lines[at].entries;
            let later = |&other: &usize| is_before(&entry.text, &self.entries[other].text);
            let nth = there.iter().position(later).unwrap_or(there.len());
            lines[at].entries.insert(nth, number);
        }
    }

    fn write(&mut self, lines: &[Line<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let order = merge_sort(&(0..self.entries.len()).collect::<Vec<_>>(), &|a, b| {
            let item = |number: usize| {
                let text = &self.entries[number].text;
                text.split(|&b| b == b':').next().unwrap_or_default()
            };
            let (a, b) = (item(a), item(b));
            // Where one is the start of the other, they are equal.
            let size = a.len().min(b.len());
            caseless(&a[..size], &b[..size]).is_le()
        });
        for (nth, line) in lines.iter().enumerate() {
            for &number in &line.entries {
                bytes.extend_from_slice(&self.entries[number].text);
            }
            let mut sections = line.sections.clone();
            sections.sort_by(|&a, &b| self.sections[a].name.cmp(&self.sections[b].name));
            for number in sections {
                let name = &self.sections[number].name;
                bytes.push(b'\n');
                bytes.extend_from_slice(&[&name[..], b"\n"].concat());
                for entry in order.iter().map(|&number| &self.entries[number]) {
                    if entry.sections.contains(name) {
                        bytes.extend_from_slice(&entry.text);
                    }
                }
            }
            if nth + 1 < lines.len() && !line.gone {
                bytes.extend_from_slice(&[line.text, b"\n"].concat());
            }
        }
        bytes
    }
}

/// The sections of a list that has one node.
fn places<'a>(lines: &[Line<'a>]) -> Option<Vec<Place<'a>>> {
    let starts = |line: &Line<'_>, with: &[u8]| line.text.starts_with(with);
    let node = lines.iter().position(|line| starts(line, b"\x1f"))?;
    let header = lines.get(node + 1)?;
    let rest = &lines[node + 1..];
    if !header.text.contains_str("Node: Top\t") || rest.iter().any(|line| starts(line, b"\x1f")) {
        return None;
    }
    let menu = lines.iter().position(|line| starts(line, b"* Menu:"))?;
    let mut places: Vec<Place<'_>> = Vec::new();
    for (nth, line) in lines.iter().enumerate().skip(menu) {
        let inside = line.text.first().is_none_or(|b| b"* \t".contains(b));
        if inside {
            continue;
        }
        if let Some(last) = places.last_mut() {
            last.end = nth;
        }
        places.push(Place {
            name: line.text,
            start: nth,
            end: lines.len(),
        });
    }
    Some(places)
}

/// Sorts as qsort(3) of glibc does. `is_le` need not be an order, so that it matters what
/// is compared with what.
fn merge_sort(numbers: &[usize], is_le: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    if numbers.len() < 2 {
        return numbers.to_vec();
    }
    let (a, b) = numbers.split_at(numbers.len() / 2);
    let (a, b) = (merge_sort(a, is_le), merge_sort(b, is_le));
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    let mut merged = Vec::new();
    while let (Some(&first), Some(&second)) = (a.peek(), b.peek()) {
        let next = if is_le(first, second) {
            a.next()
        } else {
            b.next()
        };
        merged.extend(next);
    }
    merged.extend(a.chain(b));
    merged
}

/// Compares names without a difference of case.
fn caseless(a: &[u8], b: &[u8]) -> Ordering {
    a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase())
}

/// Whether the item of one line comes before that of another.
fn is_before(one: &[u8], other: &[u8]) -> bool {
    for (&a, &b) in one.iter().zip(other) {
        match (a == b':', b == b':') {
            (true, false) => return true,
            (false, true) => return false,
            _ if a != b => return a.cast_signed() < b.cast_signed(),
            _ => {}
        }
    }
    false
}

/// Whether two lines have the same item.
fn same_item(one: &[u8], other: &[u8]) -> bool {
    for (a, b) in one.iter().zip(other) {
        if a != b {
            return false;
        }
        if *a == b':' {
            return true;
        }
    }
    true
}

/// An entry with its description in columns, counted from 1. None where it has none.
fn format(entry: &[u8], first: usize, rest: usize) -> Option<Vec<u8>> {
    let ends =
        |at: &usize| entry[*at] == b'.' && entry.get(at + 1).is_some_and(|b| b" \t\n".contains(b));
    let end = (0..entry.len()).find(ends)? + 1;
    let (name, description) = (&entry[..end], one_line(&entry[end..]));
    let mut out = name.to_vec();
    if description.len() <= 2 {
        if name.len() > first - 2 && description.len() > 1 {
            out.push(b'\n');
            out.resize(out.len() + first - 1, b' ');
        }
        out.push(b'\n');
        return Some(out);
    }
    let mut column = first - 1;
    if name.len() > first - 2 {
        out.push(b'\n');
        out.resize(out.len() + first - 1, b' ');
    } else {
        out.resize(first - 1, b' ');
    }
    let step = |column: usize, byte: u8| match byte {
        8 => column.saturating_sub(1),
        b'\r' => 0,
        b'\t' => (column / 8 + 1) * 8,
        _ => column + 1,
    };
    let mut line: Vec<u8> = Vec::new();
    for byte in description {
        if byte == b'\n' {
            line.push(byte);
            out.append(&mut line);
            column = 0;
            continue;
        }
        loop {
            column = step(column, byte);
            if column <= WIDTH {
                break;
            }
            if let Some(blank) = line.iter().rposition(|b| b" \t".contains(b)) {
                out.extend(line.drain(..=blank));
                out.push(b'\n');
                out.resize(out.len() + rest - 1, b' ');
                // The indentation is not counted.
                column = line.iter().fold(0, |column, &byte| step(column, byte));
            } else if line.is_empty() {
                break;
            } else {
                line.push(b'\n');
                out.append(&mut line);
                column = 0;
            }
        }
        line.push(byte);
    }
    out.append(&mut line);
    Some(out)
}

/// A description as one line.
fn one_line(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::new();
    let mut rest = text;
    let space = |byte: char| byte.is_ascii_whitespace() || byte == '\x0b';
    loop {
        rest = rest.trim_start_with(space);
        if rest.is_empty() {
            break;
        }
        let Some(end) = rest.find_byte(b'\n') else {
            line.extend_from_slice(rest);
            break;
        };
        line.extend_from_slice(&rest[..end]);
        let last = rest[end - 1];
        rest = &rest[end + 1..];
        if end > 1 && !rest.is_empty() {
            match last {
                b'.' => line.extend_from_slice(b"  "),
                last if space(char::from(last)) => {}
                _ => line.push(b' '),
            }
        }
    }
    line.push(b'\n');
    line
}
