//! Writes the file format in which GLib keeps its databases, GVDB: tables of names by
//! their hashes. The order of what is in it is that of GLib's own hash tables, so their
//! placing of names is followed here.

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Value {
    /// Only a place for others to hang below.
    Root,
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
    /// Whether it hangs below the root.
    below: bool,
}

/// A table of names.
#[derive(Debug, Default)]
pub(super) struct Table {
    items: Vec<Item>,
    order: Placing,
}

/// How GLib's hash tables place keys: open addressing, and in what order they give them.
#[derive(Debug, Default)]
pub(super) struct Placing {
    /// The numbers of keys, with their hashes.
    slots: Vec<Option<(u32, usize)>>,
    count: usize,
}

/// The largest prime below each power of two, from 2^3 on.
const PRIMES: [u32; 15] = [
    7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131_071,
];

impl Placing {
    fn start(&self, hash: u32) -> usize {
        let shift = self.slots.len().trailing_zeros() as usize;
        let prime = PRIMES[shift.saturating_sub(3).min(PRIMES.len() - 1)];
        (hash.wrapping_mul(11) % prime) as usize
    }

    /// Adds the key `number`, which must not be in it.
    pub(super) fn add(&mut self, hash: u32, number: usize) {
        // 0 and 1 mark slots.
        let hash = hash.max(2);
        if self.slots.is_empty() {
            self.slots.resize(8, None);
        }
        let (mut at, mask) = (self.start(hash), self.slots.len() - 1);
        let mut step = 0;
        while self.slots[at].is_some() {
            step += 1;
            at = (at + step) & mask;
        }
        self.slots[at] = Some((hash, number));
        self.count += 1;
        if self.slots.len() <= self.count + self.count / 16 {
            self.grow();
        }
    }

    /// Makes room in place: each key goes to its new slot, and puts out who is there and
    /// was not moved yet.
    fn grow(&mut self) {
        let old = self.slots.len();
        let wanted = self.count * 1333 / 1000;
        let size = (wanted + 1).next_power_of_two();
        self.slots.resize(size.max(8), None);
        let mask = self.slots.len() - 1;
        let mut settled = vec![false; self.slots.len()];
        for from in 0..old {
            if settled[from] {
                continue;
            }
            let mut moving = self.slots[from].take();
            while let Some((hash, number)) = moving {
                let mut at = self.start(hash);
                let mut step = 0;
                while settled[at] {
                    step += 1;
                    at = (at + step) & mask;
                }
                settled[at] = true;
                moving = self.slots[at].replace((hash, number));
            }
        }
    }

    /// The numbers of the keys, as they lie.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.slots.iter().flatten().map(|(_, number)| *number)
    }
}

/// The hash of a name, in tables and in the file.
pub(super) fn hash(name: &[u8]) -> u32 {
    name.iter().fold(5381, |hash: u32, &byte| {
        hash.wrapping_mul(33)
            .wrapping_add_signed(i32::from(byte.cast_signed()))
    })
}

impl Table {
    /// Adds a name, which must not be in it. `below` hangs it below the root.
    pub(super) fn add(&mut self, name: &[u8], value: Value, below: bool) {
        let hash = hash(name);
        self.order.add(hash, self.items.len());
        self.items.push(Item {
            name: name.to_vec(),
            hash,
            value,
            below,
        });
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
    let root = table
        .items
        .iter()
        .position(|item| matches!(item.value, Value::Root));
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
            let parent = root.filter(|_| item.below).map_or(u32::MAX, place_of);
            put(bytes, entry, item.hash);
            put(bytes, entry + 4, parent);
            let name = place(bytes.len());
            put(bytes, entry + 8, name);
            bytes.extend_from_slice(&item.name);
            let kind = match item.value {
                Value::Root => b'L',
                Value::Bytes(_) => b'v',
                Value::Table(_) => b'H',
            };
            let length = place(item.name.len()) & 0xffff;
            put(bytes, entry + 12, length | u32::from(kind) << 16);
            let (from, to) = match &item.value {
                Value::Root => {
                    let mut below: Vec<usize> =
                        (0..count).filter(|&n| table.items[n].below).collect();
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
        table.add(b"", Value::Root, false);
        table.add(b"key", Value::Bytes(b"\x01\0(b)".to_vec()), true);
        let bytes = file(&table);
        assert_eq!(&bytes[..8], b"GVariant");
        assert_eq!(bytes[16..24], [24, 0, 0, 0, 88, 0, 0, 0]);
        assert_eq!(hash(b""), 5381);
        assert_eq!(hash(b"org.gnome.desktop.background"), 4_276_327);
        // The first name lies behind the table.
        assert!(bytes[88..].windows(3).any(|part| part == b"key"));
        assert!(bytes[88..].windows(5).any(|part| part == b"\x01\0(b)"));
    }

    #[test]
    fn all_keys_stay_when_a_table_grows() {
        let mut placing = Placing::default();
        for number in 0..500 {
            placing.add(hash(format!("name-{number}").as_bytes()), number);
        }
        let mut numbers: Vec<usize> = placing.iter().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..500).collect::<Vec<_>>());
    }
}
