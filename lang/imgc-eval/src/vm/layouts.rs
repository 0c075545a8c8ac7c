//! The names of updated records, remembered: who updates records of the same names again
//! and again shares one list of names between the results.
//!
//! Only the last question is remembered, and its answer when it is asked again: an answer
//! that is held here can't be changed in its place. It decides how long an update takes,
//! never what it gives.

use std::cmp::Ordering;
use std::sync::Arc;

/// The names of a record.
type Names = Arc<Vec<Arc<str>>>;

/// What is remembered of `//`.
#[derive(Debug, Default)]
pub(crate) struct Layouts {
    inserted: Option<Asked<Names>>,
    merged: Option<Asked<Arc<Merged>>>,
}

/// The last question.
#[derive(Debug)]
struct Asked<T> {
    left: Names,
    right: Names,
    answer: Option<T>,
}

/// The names of two records, and which side has the value of each.
#[derive(Debug)]
pub(super) struct Merged {
    /// The names.
    pub(super) names: Names,
    /// For each the number of the value on a side, and whether that is the right one.
    pub(super) picks: Vec<(u32, bool)>,
}

impl Layouts {
    /// The names with a few more, if that was asked before.
    pub(super) fn inserted(&self, left: &Names, right: &Names) -> Option<Names> {
        let asked = self.inserted.as_ref()?;
        let is_same = Arc::ptr_eq(&asked.left, left) && asked.right == *right;
        asked.answer.clone().filter(|_| is_same)
    }

    /// Remembers what putting a few more names in gave.
    pub(super) fn insert(&mut self, left: Names, right: &Names, result: &Names) {
        if let Some(asked) = &mut self.inserted
            && Arc::ptr_eq(&asked.left, &left)
            && asked.right == *right
        {
            asked.answer = Some(result.clone());
            return;
        }
        let right = right.clone();
        let answer = None;
        self.inserted = Some(Asked {
            left,
            right,
            answer,
        });
    }

    /// The names of both sides. `None`: nobody asked that just before.
    pub(super) fn merged(&mut self, left: &Names, right: &Names) -> Option<Arc<Merged>> {
        if let Some(asked) = &mut self.merged
            && Arc::ptr_eq(&asked.left, left)
            && Arc::ptr_eq(&asked.right, right)
        {
            let answer = asked.answer.get_or_insert_with(|| merged(left, right));
            return Some(answer.clone());
        }
        self.merged = Some(Asked {
            left: left.clone(),
            right: right.clone(),
            answer: None,
        });
        None
    }
}

fn merged(left: &[Arc<str>], right: &[Arc<str>]) -> Arc<Merged> {
    let mut names = Vec::with_capacity(left.len() + right.len());
    let mut picks = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    loop {
        let order = match (left.get(i), right.get(j)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        if order == Ordering::Less {
            names.push(left[i].clone());
            picks.push((i as u32, false));
            i += 1;
        } else {
            names.push(right[j].clone());
            picks.push((j as u32, true));
            j += 1;
            i += usize::from(order == Ordering::Equal);
        }
    }
    let names = Arc::new(names);
    Arc::new(Merged { names, picks })
}
