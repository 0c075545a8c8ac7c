//! Compares a tree with one that mmdebstrap made, path for path. mmdebstrap has dpkg
//! install the packages, which really runs their scripts.
//!
//! Nothing here decides what may differ: that is in `tests/fidelity/exclude.txt`.

mod exclude;
mod reference;
mod tree;

use std::path::PathBuf;

pub use exclude::Exclusions;
pub use reference::{Failed, Reference, epoch_of_lock, mirrors};
pub use tree::{Content, Row, Tree};

use crate::sandbox::repository;

/// The folder of the list of exclusions and of the sets of packages.
pub fn folder() -> PathBuf {
    repository().join("tests/fidelity")
}

/// A path that is not the same in two trees.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The path, absolute.
    pub path: String,
    /// What differs: `missing`, `extra`, or the columns that do: `mode, contents`.
    pub what: String,
    /// Both sides, to be read.
    pub sides: String,
}

/// What a comparison gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// How many paths were compared.
    pub compared: usize,
    /// How many paths the list leaves out.
    pub excluded: usize,
    /// The paths that differ, sorted.
    pub differences: Vec<Difference>,
}

/// Compares `ours` with `reference`: type, mode, owner, contents, link target and
/// extended attributes of every path that is not excluded.
pub fn compare(ours: &Tree, reference: &Tree, exclusions: &Exclusions) -> Comparison {
    let mut comparison = Comparison::default();
    let mut paths: Vec<&String> = ours.rows.keys().chain(reference.rows.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        if exclusions.has(path) {
            comparison.excluded += 1;
            continue;
        }
        comparison.compared += 1;
        let what = match (ours.rows.get(path), reference.rows.get(path)) {
            (Some(_), None) => "extra".to_owned(),
            (None, _) => "missing".to_owned(),
            (Some(mine), Some(theirs)) => mine.differs_in(theirs).join(", "),
        };
        if !what.is_empty() {
            let side = |tree: &Tree| match tree.rows.get(path) {
                Some(row) => row.to_string(),
                None => "nothing".to_owned(),
            };
            comparison.differences.push(Difference {
                path: path.clone(),
                what,
                sides: format!("{} instead of {}", side(ours), side(reference)),
            });
        }
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[(&str, u32, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, mode, link) in paths {
            let row = Row {
                kind: 'l',
                mode: *mode,
                ids: (0, 0),
                content: Content::Link((*link).to_owned()),
                xattrs: Vec::new(),
            };
            tree.rows.insert((*path).to_owned(), row);
        }
        tree
    }

    #[test]
    fn each_kind_of_difference_is_found() {
        let ours = tree(&[("/a", 0o777, "x"), ("/b", 0o777, "x"), ("/c", 0o700, "y")]);
        let theirs = tree(&[("/a", 0o777, "x"), ("/c", 0o777, "x"), ("/d", 0o777, "x")]);
        let none = Exclusions::parse("").expect("an empty list");
        let found = compare(&ours, &theirs, &none);
        let found: Vec<(&str, &str)> = found
            .differences
            .iter()
            .map(|difference| (&*difference.path, &*difference.what))
            .collect();
        assert_eq!(
            found,
            [("/b", "extra"), ("/c", "mode, link"), ("/d", "missing")]
        );
        let some = Exclusions::parse("/b # one\n/d # two\n").expect("a list");
        let found = compare(&ours, &theirs, &some);
        assert_eq!(
            (found.compared, found.excluded, found.differences.len()),
            (2, 2, 1)
        );
    }
}
