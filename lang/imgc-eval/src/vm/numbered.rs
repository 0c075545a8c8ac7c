//! Things that get numbers in the order in which they are first met.
//!
//! Most bindings have few of them, which are looked through. It knows nothing of what
//! they are.

#![expect(
    clippy::disallowed_types,
    reason = "the table is looked up and never walked; names come from sources, which must \
              not choose their hashes"
)]

use std::collections::HashMap;
use std::hash::Hash;

/// How many are looked through.
const FEW: usize = 16;

/// Things by their numbers.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    list: Vec<T>,
    /// The numbers of all, where they are more than [`FEW`].
    numbers: HashMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    /// The number of a thing, which is a new one if it was not met before.
    pub(super) fn number(&mut self, thing: &T) -> u32 {
        let next = self.list.len() as u32;
        let known = if self.list.len() <= FEW {
            let mut known = (0..).zip(&self.list);
            known.find(|(_, known)| *known == thing).map(|(at, _)| at)
        } else {
            self.numbers.get(thing).copied()
        };
        if let Some(known) = known {
            return known;
        }
        self.list.push(thing.clone());
        if self.list.len() == FEW + 1 {
            self.numbers = self.list.iter().cloned().zip(0..).collect();
        } else if self.list.len() > FEW {
            self.numbers.insert(thing.clone(), next);
        }
        next
    }

    /// The things in order.
    pub(super) fn into_list(self) -> Vec<T> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_first_mention() {
        let mut numbered = Numbered::default();
        for round in 0..3 {
            for thing in 0..100_u32 {
                assert_eq!(numbered.number(&(thing * 7)), thing, "{round}");
            }
        }
        let expected: Vec<u32> = (0..100).map(|thing| thing * 7).collect();
        assert_eq!(numbered.into_list(), expected);
    }
}
