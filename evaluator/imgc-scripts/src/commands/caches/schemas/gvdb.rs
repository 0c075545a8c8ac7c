//! Writes the file format in which GLib keeps its databases, GVDB: tables of names by
//! their hashes. The order of what is in it is that of GLib's own hash tables.

use crate::commands::caches::placing::{Placing, hash};

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Value {
    /// Only a place for others to hang below.
    List,
    /// The bytes of a variant, with the type behind them.
    Bytes(Vec<u8>),
    /// A table.
    Table(Table),
}

/// A name in a table.
#[derive(Debug)]
struct Item {
    name: Vec<u8>,
    hash: u32,
    value: Value,
    /// The number of the one that it hangs below, whose name its own begins with.
    parent: Option<usize>,
}

/// A table of names.
#[derive(Debug, Default)]
pub(super) struct Table {
    items: Vec<Item>,
    order: Placing,
}

impl Table {
    /// Adds a name, which must not be in it, below the one with the number `parent`. Gives
    /// its number.
    pub(super) fn add(&mut self, name: &[u8], value: Value, parent: Option<usize>) -> usize {
        let hash = hash(name);
        let number = self.items.len();
        self.order.add(hash, number);
        self.items.push(Item {
            name: name.to_vec(),
            hash,
            value,
            parent,
        });
        number
    }

    /// Hangs what has no parent yet below another.
    pub(super) fn hang(&mut self, number: usize, parent: usize) {
        self.items[number].parent = Some(parent);
    }
}

/// The bytes of a file with this table.
pub(super) fn file(table: &Table) -> Vec<u8> {
    let mut bytes = b"GVariant".to_vec();
    bytes.resize(24, 0);
    let (start, end) = write(&mut bytes, table);
    put(&mut bytes, 16, start);
    put(&mut bytes, 20, end);
    bytes
}

fn put(bytes: &mut [u8], at: usize, word: u32) {
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
}

/// A place in the file, as it is written. No file is larger than what a machine may hold.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Room at the next multiple of `to`.
fn room(bytes: &mut Vec<u8>, to: usize, size: usize) -> (u32, u32) {
    if size == 0 {
        return (0, 0);
    }
    let start = bytes.len().next_multiple_of(to);
    bytes.resize(start + size, 0);
    (place(start), place(bytes.len()))
}

fn write(bytes: &mut Vec<u8>, table: &Table) -> (u32, u32) {
    let count = table.items.len();
    // What comes later in GLib's table comes first in its bucket.
    let mut buckets = vec![Vec::new(); count];
    for number in table.order.iter() {
        buckets[table.items[number].hash as usize % count].insert(0, number);
    }
    let mut index = vec![0; count];
    for (at, &number) in buckets.iter().flatten().enumerate() {
        index[number] = at;
    }
    let place_of = |number: usize| place(index[number]);
    let (start, end) = room(bytes, 4, 8 + 4 * count + 24 * count);
    let head = start as usize;
    put(bytes, head, 5 << 27);
    put(bytes, head + 4, place(count));
    let mut at = 0;
    for (bucket, numbers) in buckets.iter().enumerate() {
        put(bytes, head + 8 + 4 * bucket, place(at));
        for &number in numbers {
            let item = &table.items[number];
            let entry = head + 8 + 4 * count + 24 * at;
            at += 1;
            let parent = item.parent.map_or(u32::MAX, place_of);
            let above = item
                .parent
                .map_or(0, |parent| table.items[parent].name.len());
            let rest = &item.name[above..];
            put(bytes, entry, item.hash);
            put(bytes, entry + 4, parent);
            let name = place(bytes.len());
            put(bytes, entry + 8, name);
            bytes.extend_from_slice(rest);
            let kind = match item.value {
                Value::List => b'L',
                Value::Bytes(_) => b'v',
                Value::Table(_) => b'H',
            };
            let length = place(rest.len()) & 0xffff;
            put(bytes, entry + 12, length | u32::from(kind) << 16);
            let (from, to) = match &item.value {
                Value::List => {
                    let is_below = |n: &usize| table.items[*n].parent == Some(number);
                    let mut below: Vec<usize> = (0..count).filter(is_below).collect();
                    below.sort_by_key(|&n| &table.items[n].name);
                    let (from, to) = room(bytes, 4, 4 * below.len());
                    for (nth, &number) in below.iter().enumerate() {
                        put(bytes, from as usize + 4 * nth, place_of(number));
                    }
                    (from, to)
                }
                Value::Bytes(value) => {
                    let (from, to) = room(bytes, 8, value.len());
                    bytes[from as usize..to as usize].copy_from_slice(value);
                    (from, to)
                }
                Value::Table(table) => write(bytes, table),
            };
            put(bytes, entry + 16, from);
            put(bytes, entry + 20, to);
        }
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_their_hash() {
        let mut table = Table::default();
        let root = table.add(b"", Value::List, None);
        table.add(b"key", Value::Bytes(b"\x01\0(b)".to_vec()), Some(root));
        let bytes = file(&table);
        assert_eq!(&bytes[..8], b"GVariant");
        assert_eq!(bytes[16..24], [24, 0, 0, 0, 88, 0, 0, 0]);
        assert_eq!(hash(b""), 5381);
        assert_eq!(hash(b"org.gnome.desktop.background"), 4_276_327);
        // The first name lies behind the table.
        assert!(bytes[88..].windows(3).any(|part| part == b"key"));
        assert!(bytes[88..].windows(5).any(|part| part == b"\x01\0(b)"));
    }
}
