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
/// extended attributes of every path that is not excluded. A link of the reference to what
/// is excluded goes with it: `openssl rehash` names links after a certificate's contents.
pub fn compare(ours: &Tree, reference: &Tree, exclusions: &Exclusions) -> Comparison {
    let mut comparison = Comparison::default();
    let mut paths: Vec<&String> = ours.rows.keys().chain(reference.rows.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let leads_out = !ours.rows.contains_key(path) && leads_to(path, reference, exclusions);
        if exclusions.has(path) || leads_out {
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

/// Whether a path is a link to something that is excluded, in its own folder.
fn leads_to(path: &str, tree: &Tree, exclusions: &Exclusions) -> bool {
    let Some(Content::Link(target)) = tree.rows.get(path).map(|row| &row.content) else {
        return false;
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    !target.contains('/') && exclusions.has(&format!("{folder}/{target}"))
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

    #[test]
    fn a_link_to_what_is_excluded_goes_with_it_where_only_the_reference_has_it() {
        let ours = tree(&[("/b", 0o777, "secret")]);
        let theirs = tree(&[
            ("/a", 0o777, "secret"),
            ("/b", 0o777, "other"),
            ("/c", 0o777, "other"),
        ]);
        let list = Exclusions::parse("/secret # one\n").expect("a list");
        let found = compare(&ours, &theirs, &list);
        let paths: Vec<&str> = found.differences.iter().map(|one| &*one.path).collect();
        assert_eq!((paths, found.excluded), (vec!["/b", "/c"], 1));
    }
}
