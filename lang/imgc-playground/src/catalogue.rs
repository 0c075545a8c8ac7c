//! The packages that the playground knows: a few of Debian trixie's, as they were on some
//! day. The real indices have many more, and are not fetched from a page.

use std::sync::OnceLock;

use imgc_ide::{Catalogue, PackageFacts, PackageName};

/// Name, version, size in KiB and a few words, separated by tabs; sorted by name.
const PACKAGES: &str = include_str!("packages.txt");

/// The names that the playground's lock pins: those of its samples.
const PINNED: [&str; 7] = [
    "base-files",
    "ca-certificates",
    "curl",
    "media-types",
    "nginx",
    "python3",
    "tzdata",
];

/// The catalogue of the playground.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample;

/// A line of the list.
struct Package {
    name: &'static str,
    version: &'static str,
    size: u64,
    words: &'static str,
}

fn packages() -> &'static [Package] {
    static PARSED: OnceLock<Vec<Package>> = OnceLock::new();
    PARSED.get_or_init(|| {
        let lines = PACKAGES.lines().filter_map(|line| {
            let mut columns = line.split('\t');
            Some(Package {
                name: columns.next()?,
                version: columns.next()?,
                size: columns.next()?.parse().ok()?,
                words: columns.next()?,
            })
        });
        lines.collect()
    })
}

impl Catalogue for Sample {
    fn package(&self, _: &str, name: &str) -> Option<PackageFacts> {
        let all = packages();
        let at = all
            .binary_search_by(|package| package.name.cmp(name))
            .ok()?;
        let package = &all[at];
        let pinned = PINNED.contains(&package.name);
        Some(PackageFacts {
            name: package.name.to_owned(),
            versions: vec![package.version.to_owned()],
            description: Some(package.words.to_owned()),
            installed_size: Some(package.size),
            closure: None,
            pinned: pinned.then(|| package.version.to_owned()),
        })
    }

    fn starting_with(&self, _: &str, prefix: &str, most: usize) -> Vec<PackageName> {
        let found = packages().iter();
        let mut found: Vec<_> = found
            .filter(|package| package.name.starts_with(prefix))
            .collect();
        found.sort_by_key(|package| (package.name.len(), package.name));
        let names = found.into_iter().take(most).map(|package| PackageName {
            name: package.name.to_owned(),
            version: package.version.to_owned(),
        });
        names.collect()
    }

    fn similar(&self, _: &str, name: &str) -> Option<String> {
        let names = packages().iter().map(|package| package.name);
        imgc_diag::did_you_mean(name, names).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_package_and_they_are_sorted() {
        assert_eq!(packages().len(), PACKAGES.lines().count());
        assert!(packages().is_sorted_by(|a, b| a.name < b.name));
        for pinned in PINNED {
            let found = Sample.package("", pinned).expect("it is in the list");
            assert_eq!(found.pinned.as_ref(), found.versions.first(), "{pinned}");
        }
    }

    #[test]
    fn names_are_found_by_their_beginning_and_by_likeness() {
        let found = Sample.starting_with("", "ngin", 9);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "nginx");
        assert_eq!(Sample.starting_with("", "", 3).len(), 3);
        assert_eq!(Sample.similar("", "nginy"), Some("nginx".to_owned()));
        assert_eq!(Sample.package("", "no-such-package"), None);
    }
}
