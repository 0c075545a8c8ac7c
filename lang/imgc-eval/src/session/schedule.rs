//! In what order the bindings of a program are worked on: each after those that it needs,
//! and side by side where they do not need each other.
//!
//! So no work on one binding waits for work on another, and none nests in another.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::queries::{Database, Entry, Item, SourceFile, outline};

/// Bindings of one level that are worth a second thread.
const MANY: usize = 32;

/// The bindings of a program, each after those that it needs.
pub(super) struct Schedule<'a> {
    files: Vec<&'a [Entry]>,
    /// How many bindings of others each needs in a row, itself included: file by file.
    depths: Vec<Vec<u32>>,
}

impl<'a> Schedule<'a> {
    /// The schedule of modules that are sorted: each after those that it imports.
    pub(super) fn of(db: &'a Database, sorted: &[SourceFile]) -> Self {
        if sorted.len() > 1 {
            let files = sorted.par_iter().with_min_len(8);
            files.for_each_with(db.clone(), |db, &file| {
                outline(&*db, file);
            });
        }
        let mut deepest: FxHashMap<SourceFile, u32> = FxHashMap::default();
        let mut files = Vec::with_capacity(sorted.len());
        let mut depths = Vec::with_capacity(sorted.len());
        for &file in sorted {
            let entries = outline(db, file);
            let mut found: Vec<u32> = Vec::with_capacity(entries.len());
            for entry in entries {
                let uses = entry.uses.iter().map(|&at| found[at as usize]);
                let imports = entry.imports.iter();
                let imports = imports.filter_map(|file| deepest.get(file).copied());
                found.push(1 + uses.chain(imports).max().unwrap_or_default());
            }
            deepest.insert(file, found.iter().copied().max().unwrap_or_default());
            files.push(entries.as_slice());
            depths.push(found);
        }
        Self { files, depths }
    }

    /// The bindings of each file.
    pub(super) fn files(&self) -> &[&'a [Entry]] {
        &self.files
    }

    /// All bindings: what is in one level needs only what is in those before it.
    pub(super) fn levels(&self) -> Vec<Vec<Item>> {
        let mut levels = Vec::new();
        for (entries, depths) in self.files.iter().zip(&self.depths) {
            for (entry, &depth) in entries.iter().zip(depths) {
                put(&mut levels, depth, entry.item);
            }
        }
        levels
    }

    /// The bindings of each file that are the first to need more than `most` others in a
    /// row. A longer chain holds this one.
    pub(super) fn too_deep(&self, most: u32) -> Vec<Item> {
        let files = self.files.iter().zip(&self.depths);
        let found = files.filter_map(|(entries, depths)| {
            let at = depths.iter().position(|depth| *depth == most + 1)?;
            Some(entries[at].item)
        });
        found.collect()
    }
}

/// The bindings that are certainly evaluated for those that are wanted, these included,
/// in levels as [`Schedule::levels`].
pub(super) fn certain(db: &Database, sorted: &[SourceFile], wanted: &[Item]) -> Vec<Vec<Item>> {
    let outlines: Vec<&Vec<Entry>> = sorted.iter().map(|&file| outline(db, file)).collect();
    let entries = || outlines.iter().flat_map(|entries| entries.iter());
    let numbers: FxHashMap<Item, usize> = entries().map(|entry| entry.item).zip(0..).collect();
    let mut is_wanted = vec![false; numbers.len()];
    let numbers_of = |items: &[Item]| -> Vec<usize> {
        let found = items.iter().filter_map(|item| numbers.get(item).copied());
        found.collect()
    };
    for at in numbers_of(wanted) {
        is_wanted[at] = true;
    }
    let needs: Vec<Vec<usize>> = entries().map(|entry| numbers_of(&entry.needs)).collect();
    for at in (0..needs.len()).rev() {
        if is_wanted[at] {
            for &needed in &needs[at] {
                is_wanted[needed] = true;
            }
        }
    }
    let mut depths: Vec<u32> = vec![0; needs.len()];
    let mut levels = Vec::new();
    for (at, entry) in entries().enumerate() {
        let inner = needs[at].iter().map(|&needed| depths[needed]);
        depths[at] = 1 + inner.max().unwrap_or_default();
        if is_wanted[at] {
            put(&mut levels, depths[at], entry.item);
        }
    }
    levels
}

fn put(levels: &mut Vec<Vec<Item>>, depth: u32, item: Item) {
    let level = (depth - 1) as usize;
    if levels.len() <= level {
        levels.resize_with(level + 1, Vec::new);
    }
    levels[level].push(item);
}

/// Does something with every binding, level by level, and something after each level.
pub(super) fn each(
    db: &Database,
    levels: Vec<Vec<Item>>,
    work: impl Fn(&Database, Item) + Send + Sync,
    after: impl Fn(&[Item]),
) {
    for level in levels {
        if level.len() < MANY {
            for &item in &level {
                work(db, item);
            }
        } else {
            let items = level.par_iter().with_min_len(MANY / 2);
            items.for_each_with(db.clone(), |db, item| work(db, *item));
        }
        after(&level);
    }
}
