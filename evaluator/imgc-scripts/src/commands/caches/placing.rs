//! The order in which GLib's hash tables give their keys. Programs write files in that
//! order, so that it is followed here. Keys can be added, never removed.

use std::collections::BTreeMap;

/// How GLib's hash tables place keys: open addressing, and in what order they give them.
#[derive(Debug, Default)]
pub(crate) struct Placing {
    /// The numbers of keys, with their hashes.
    slots: Vec<Option<(u32, usize)>>,
    count: usize,
}

/// The largest prime below each power of two, from 2^3 on.
const PRIMES: [u32; 18] = [
    7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131_071, 262_139,
    524_287, 1_048_573,
];

impl Placing {
    fn start(&self, hash: u32) -> usize {
        let shift = self.slots.len().trailing_zeros() as usize;
        let prime = PRIMES[shift.saturating_sub(3).min(PRIMES.len() - 1)];
        (hash.wrapping_mul(11) % prime) as usize
    }

    /// Adds the key `number`, which must not be in it.
    pub(crate) fn add(&mut self, hash: u32, number: usize) {
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.slots.iter().flatten().map(|(_, number)| *number)
    }
}

/// GLib's hash of a string.
pub(crate) fn hash(name: &[u8]) -> u32 {
    name.iter().fold(5381, |hash: u32, &byte| {
        hash.wrapping_mul(33)
            .wrapping_add_signed(i32::from(byte.cast_signed()))
    })
}

/// A table from strings to values, in GLib's order.
#[derive(Debug)]
pub(crate) struct Named<V> {
    entries: Vec<(Vec<u8>, V)>,
    numbers: BTreeMap<Vec<u8>, usize>,
    order: Placing,
}

impl<V> Default for Named<V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            numbers: BTreeMap::new(),
            order: Placing::default(),
        }
    }
}

impl<V> Named<V> {
    /// The value of `name`; `new` is put there first where there is none.
    pub(crate) fn entry(&mut self, name: &[u8], new: impl FnOnce() -> V) -> &mut V {
        let number = match self.numbers.get(name) {
            Some(&number) => number,
            None => {
                let number = self.entries.len();
                self.numbers.insert(name.to_vec(), number);
                self.order.add(hash(name), number);
                self.entries.push((name.to_vec(), new()));
                number
            }
        };
        &mut self.entries[number].1
    }

    /// Sets the value of `name`, which keeps its place where it is there already.
    pub(crate) fn set(&mut self, name: &[u8], value: V) {
        let mut value = Some(value);
        let place = self.entry(name, || value.take().expect("it is asked for once"));
        if let Some(value) = value {
            *place = value;
        }
    }

    /// The value of `name`.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&V> {
        self.numbers
            .get(name)
            .map(|&number| &self.entries[number].1)
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The names and values, in the table's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &V)> {
        self.order.iter().map(|number| {
            let (name, value) = &self.entries[number];
            (&name[..], value)
        })
    }

    /// The names and values, by name.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = (&[u8], &V)> {
        self.numbers
            .iter()
            .map(|(name, &number)| (&name[..], &self.entries[number].1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_name_keeps_its_place() {
        let mut named = Named::default();
        for (name, value) in [("b", 1), ("a", 2), ("b", 3)] {
            named.set(name.as_bytes(), value);
        }
        *named.entry(b"a", || 9) += 1;
        assert_eq!(named.len(), 2);
        assert_eq!(named.get(b"c"), None);
        let sorted: Vec<_> = named.sorted().collect();
        assert_eq!(sorted, [(&b"a"[..], &3), (&b"b"[..], &3)]);
        assert_eq!(named.iter().count(), 2);
    }
}
