//! awk's arrays, which give their keys in mawk's order.
//!
//! mawk keeps two hash tables over the same buckets, one for keys that are whole numbers
//! and one for strings. A key that is looked up comes to the front of its bucket. That
//! order is what `for (key in array)` shows, so it is kept here too.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::value::Value;

/// How many buckets there are at first.
const BUCKETS: usize = 64;
/// How many keys a bucket has on average before their number doubles.
const AVERAGE: usize = 12;

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Number(i64),
    Text(Rc<[u8]>),
}

/// An array.
#[derive(Debug, Clone, Default)]
pub(super) struct Array {
    values: BTreeMap<Rc<[u8]>, Value>,
    tables: Tables,
}

/// The order of the keys.
#[derive(Debug, Clone, Default)]
struct Tables {
    /// The keys of each bucket that are known as numbers.
    numbers: Vec<Vec<i64>>,
    /// Those that are known as strings.
    texts: Vec<Vec<Rc<[u8]>>>,
    /// Whether all keys are among `texts`.
    has_texts: bool,
    has_numbers: bool,
    /// Made by split, and not changed since: this many elements.
    split: Option<i64>,
}

fn name(number: i64) -> Rc<[u8]> {
    number.to_string().into_bytes().into()
}

/// FNV-1a.
fn hash(text: &[u8]) -> usize {
    let hash = text.iter().fold(2_166_136_261_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(16_777_619)
    });
    hash as usize
}

impl Array {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Makes the array that split does: `values` from 1 on.
    pub(super) fn fill(&mut self, values: Vec<Value>) {
        self.clear();
        let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
        self.values = (1..).map(name).zip(values).collect();
        self.tables.split = (count > 0).then_some(count);
    }

    /// Whether it has a key, which is not made.
    pub(super) fn has(&mut self, key: &Key) -> bool {
        let found = match key {
            Key::Number(number) => self.values.contains_key(&name(*number)),
            Key::Text(text) => self.values.contains_key(text),
        };
        if found || !matches!(key, Key::Number(_)) || self.tables.split.is_none() {
            self.tables.touch(key, found, false);
        }
        found
    }

    /// The value of a key, which is made if it is not there.
    pub(super) fn get(&mut self, key: Key) -> &mut Value {
        let text = match &key {
            Key::Number(number) => name(*number),
            Key::Text(text) => Rc::clone(text),
        };
        let found = self.values.contains_key(&text);
        self.tables.touch(&key, found, true);
        if !found {
            self.tables.grow(self.values.len() + 1);
        }
        self.values.entry(text).or_default()
    }

    /// Removes a key.
    pub(super) fn remove(&mut self, key: &Key) {
        if !self.has(key) {
            return;
        }
        let text = match key {
            Key::Number(number) => name(*number),
            Key::Text(text) => Rc::clone(text),
        };
        self.values.remove(&text);
        self.tables.remove(&text);
        if self.values.is_empty() {
            self.clear();
        }
    }

    /// The keys, in mawk's order.
    pub(super) fn keys(&mut self) -> Vec<Rc<[u8]>> {
        if self.values.is_empty() {
            return Vec::new();
        }
        self.tables.name_all();
        self.tables.texts.iter().flatten().cloned().collect()
    }
}

impl Tables {
    fn mask(&self) -> usize {
        self.texts.len().max(1) - 1
    }

    fn start(&mut self) {
        if self.texts.is_empty() {
            self.numbers = vec![Vec::new(); BUCKETS];
            self.texts = vec![Vec::new(); BUCKETS];
        }
    }

    fn number_bucket(&self, number: i64) -> usize {
        (number as usize) & self.mask()
    }

    fn text_bucket(&self, text: &[u8]) -> usize {
        hash(text) & self.mask()
    }

    /// Turns what split made into tables.
    fn unsplit(&mut self) {
        let Some(count) = self.split.take() else {
            return;
        };
        self.start();
        let mut buckets = BUCKETS;
        while usize::try_from(count).unwrap_or(usize::MAX) > buckets * AVERAGE {
            buckets *= 2;
        }
        self.numbers = vec![Vec::new(); buckets];
        self.texts = vec![Vec::new(); buckets];
        for number in 1..=count {
            let bucket = self.number_bucket(number);
            self.numbers[bucket].insert(0, number);
        }
        self.has_numbers = true;
    }

    /// Gives every number its name.
    fn name_all(&mut self) {
        self.unsplit();
        self.start();
        if self.has_texts {
            return;
        }
        for bucket in 0..self.numbers.len() {
            for number in self.numbers[bucket].clone() {
                let text = name(number);
                let to = self.text_bucket(&text);
                if !self.texts[to].contains(&text) {
                    self.texts[to].insert(0, text);
                }
            }
        }
        self.has_texts = true;
    }

    /// What looking a key up does to the order; `found` says whether it is there.
    fn touch(&mut self, key: &Key, found: bool, create: bool) {
        match key {
            Key::Number(number) => self.touch_number(*number, found, create),
            Key::Text(text) => {
                if self.split.is_some() || !self.has_texts {
                    self.name_all();
                }
                self.touch_text(text, found, create);
            }
        }
    }

    fn touch_text(&mut self, text: &Rc<[u8]>, found: bool, create: bool) {
        let bucket = self.text_bucket(text);
        let list = &mut self.texts[bucket];
        match list.iter().position(|other| other == text) {
            Some(at) => {
                let text = list.remove(at);
                list.insert(0, text);
            }
            None if found || create => list.insert(0, Rc::clone(text)),
            None => {}
        }
    }

    fn touch_number(&mut self, number: i64, found: bool, create: bool) {
        if let Some(count) = self.split {
            if (1..=count).contains(&number) && found {
                return;
            }
            if create && number == count + 1 {
                self.split = Some(number);
                return;
            }
            if !create {
                return;
            }
            self.unsplit();
        }
        self.start();
        let bucket = self.number_bucket(number);
        let list = &mut self.numbers[bucket];
        if let Some(at) = list.iter().position(|other| *other == number) {
            let number = list.remove(at);
            list.insert(0, number);
            return;
        }
        if self.has_texts {
            self.touch_text(&name(number), found, create);
        }
        if found || create {
            self.numbers[bucket].insert(0, number);
            self.has_numbers = true;
        }
    }

    fn remove(&mut self, text: &Rc<[u8]>) {
        self.unsplit();
        let bucket = self.text_bucket(text);
        self.texts[bucket].retain(|other| other != text);
        if let Ok(text) = std::str::from_utf8(text)
            && let Ok(number) = text.parse::<i64>()
        {
            let bucket = self.number_bucket(number);
            self.numbers[bucket].retain(|other| *other != number);
        }
    }

    /// Doubles the buckets when there are too many keys.
    fn grow(&mut self, count: usize) {
        if self.split.is_some() {
            return;
        }
        self.start();
        while count > self.texts.len() * AVERAGE {
            let half = self.texts.len();
            self.numbers.resize_with(half * 2, Vec::new);
            self.texts.resize_with(half * 2, Vec::new);
            for bucket in 0..half {
                let all = std::mem::take(&mut self.numbers[bucket]);
                for number in all {
                    let to = self.number_bucket(number);
                    self.numbers[to].push(number);
                }
                let all = std::mem::take(&mut self.texts[bucket]);
                for text in all {
                    let to = self.text_bucket(&text);
                    self.texts[to].push(text);
                }
            }
        }
    }
}
