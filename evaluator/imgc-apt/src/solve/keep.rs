//! Solving beside an answer that is there: versions stay unless something that has to
//! change needs others. Decides which are let go, and leaves the choice to the search.

use std::collections::{BTreeMap, BTreeSet};

use super::universe::Universe;
use super::{Link, Offer, Request, Solution, SolveError, choose, read_names};
use crate::depends::Relations;
use crate::index::Index;

/// An earlier answer to a request.
#[derive(Debug, Clone)]
pub struct Keep<'a> {
    /// Its packages by name: the version that is to stay, or none where another one may
    /// come.
    pub versions: BTreeMap<String, Option<String>>,
    /// Those of its packages that the archives don't have any more.
    pub index: &'a Index,
}

/// As [`solve`], but the versions of `keep` stay where the rest can be chosen around
/// them. In the solution, the position `offers.len()` stands for [`Keep::index`].
///
/// # Errors
/// As [`solve`], when nothing is left that could be let go.
///
/// [`solve`]: crate::solve()
pub fn solve_keeping<'a>(
    request: &Request,
    offers: &[impl Into<Offer<'a>> + Copy],
    keep: &Keep<'a>,
) -> Result<Solution<'a>, SolveError> {
    let offers: Vec<Offer<'a>> = offers.iter().map(|offer| (*offer).into()).collect();
    let indices: Vec<&Index> = offers.iter().map(|offer| offer.index).collect();
    let asked = read_names(request)?;
    let mut versions = keep.versions.clone();
    // Each turn lets one go at least.
    loop {
        let universe = Universe::keeping(&offers, &request.archs(), &versions, keep.index, &asked)?;
        let error = match choose(request, &asked, &universe) {
            Ok(solution) => return Ok(solution),
            Err(error) => error,
        };
        let free = in_the_way(&error, &versions, &indices);
        if free.is_empty() {
            return Err(error);
        }
        for name in free {
            versions.insert(name, None);
        }
    }
}

/// The kept packages that are to be let go, so that there may be a solution. The ones
/// that are closest to the failure come first, and alone.
fn in_the_way(
    error: &SolveError,
    versions: &BTreeMap<String, Option<String>>,
    indices: &[&Index],
) -> BTreeSet<String> {
    let kept = |name: &&str| versions.get(*name).is_some_and(Option::is_some);
    let pick = |names: &mut dyn Iterator<Item = &str>| -> BTreeSet<String> {
        names.filter(kept).map(str::to_owned).collect()
    };
    let of_chain = |chain: &[Link]| pick(&mut chain.iter().map(|link| link.package.as_str()));
    match error {
        SolveError::Unsatisfiable { chain, wanted, .. } => {
            let wanted = Relations::parse(wanted).unwrap_or_default();
            let relations = wanted.groups.iter().flat_map(|group| &group.alternatives);
            let names: BTreeSet<&str> = relations.map(|relation| relation.name).collect();
            let mut free = pick(&mut names.iter().copied());
            // Another version of a kept package may provide the name.
            free.extend(pick(&mut versions.keys().map(String::as_str).filter(
                |name| {
                    let mut now = indices.iter().flat_map(|index| index.named(name));
                    now.any(|package| {
                        let provided = package.provides().unwrap_or_default();
                        let mut relations = provided.groups.iter().flat_map(|g| &g.alternatives);
                        relations.any(|relation| names.contains(relation.name))
                    })
                },
            )));
            if free.is_empty() {
                free = pick(&mut chain.last().map(|link| link.package.as_str()).into_iter());
            }
            if free.is_empty() {
                free = of_chain(chain);
            }
            free
        }
        SolveError::Conflict(conflict) => {
            let two = [conflict.package.as_str(), conflict.other.as_str()];
            let mut free = pick(&mut two.into_iter());
            if free.is_empty() {
                free = of_chain(&conflict.chain);
                free.extend(of_chain(&conflict.other_chain));
            }
            free
        }
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::Variant;

    fn index(packages: &[(&str, &str, &str)]) -> Index {
        let mut text = String::new();
        for (name, version, fields) in packages {
            let sum = "0".repeat(64);
            text.push_str(&format!(
                "Package: {name}\nVersion: {version}\nArchitecture: all\n{fields}\
                 Filename: pool/{name}.deb\nSize: 1\nSHA256: {sum}\n\n"
            ));
        }
        Index::parse(text).expect("an index")
    }

    /// What is chosen for `app` where everything but `free` is kept.
    fn chosen(now: &Index, gone: &Index, had: &[(&str, &str)], free: &str) -> Vec<String> {
        let request = Request {
            suite: "trixie".to_owned(),
            arch: "amd64".to_owned(),
            variant: Variant::Distroless,
            recommends: false,
            names: vec!["app".to_owned()],
            archives: Vec::new(),
            base: None,
        };
        let version = |(name, version): &(&str, &str)| {
            let kept = *name != free;
            ((*name).to_owned(), kept.then(|| (*version).to_owned()))
        };
        let keep = Keep {
            versions: had.iter().map(version).collect(),
            index: gone,
        };
        let solution = solve_keeping(&request, &[now], &keep).expect("a solution");
        let mut all: Vec<String> = solution
            .packages
            .iter()
            .map(|selected| {
                let package = selected.package;
                let from = ["", " (kept)"][selected.index];
                format!("{} {}{from}", package.name(), package.version())
            })
            .collect();
        all.sort();
        all
    }

    const HAD: [(&str, &str); 3] = [("app", "1"), ("lib", "1"), ("tool", "1")];

    #[test]
    fn what_is_not_named_stays_though_the_archive_has_another() {
        let now = index(&[
            ("app", "2", "Depends: lib, tool\n"),
            ("lib", "2", ""),
            ("tool", "2", ""),
        ]);
        let gone = index(&[
            ("app", "1", "Depends: lib, tool\n"),
            ("lib", "1", ""),
            ("tool", "1", ""),
        ]);
        assert_eq!(
            chosen(&now, &gone, &HAD, "app"),
            ["app 2", "lib 1 (kept)", "tool 1 (kept)"]
        );
        assert_eq!(
            chosen(&now, &gone, &HAD, "tool"),
            ["app 1 (kept)", "lib 1 (kept)", "tool 2"]
        );
    }

    #[test]
    fn what_the_new_version_needs_comes_along() {
        let now = index(&[
            ("app", "2", "Depends: lib (>= 2), tool\n"),
            ("lib", "2", ""),
            ("tool", "2", ""),
        ]);
        let gone = index(&[("lib", "1", ""), ("tool", "1", "")]);
        assert_eq!(
            chosen(&now, &gone, &HAD, "app"),
            ["app 2", "lib 2", "tool 1 (kept)"]
        );
    }

    #[test]
    fn what_needs_the_old_version_comes_along() {
        let now = index(&[
            ("app", "2", "Depends: lib (= 2), tool\n"),
            ("lib", "2", ""),
            ("tool", "2", ""),
        ]);
        let gone = index(&[
            ("app", "1", "Depends: lib (= 1), tool\n"),
            ("tool", "1", ""),
        ]);
        assert_eq!(
            chosen(&now, &gone, &HAD, "lib"),
            ["app 2", "lib 2", "tool 1 (kept)"]
        );
    }

    #[test]
    fn a_break_and_a_provided_name_let_go_too() {
        let now = index(&[
            ("app", "2", "Depends: lib, tool-api-2\n"),
            ("lib", "2", "Breaks: other (<< 2)\n"),
            ("tool", "2", "Provides: tool-api-2\n"),
        ]);
        let gone = index(&[("lib", "1", ""), ("tool", "1", "Provides: tool-api-1\n")]);
        assert_eq!(
            chosen(&now, &gone, &HAD, "app"),
            ["app 2", "lib 1 (kept)", "tool 2"]
        );
        let now = index(&[
            ("app", "2", "Depends: lib, tool\nBreaks: lib (<< 2)\n"),
            ("lib", "2", ""),
            ("tool", "2", ""),
        ]);
        let gone = index(&[("lib", "1", ""), ("tool", "1", "")]);
        assert_eq!(
            chosen(&now, &gone, &HAD, "app"),
            ["app 2", "lib 2", "tool 1 (kept)"]
        );
    }

    #[test]
    fn of_alternatives_the_one_that_was_there_is_taken() {
        let now = index(&[
            ("app", "2", "Depends: lib, best | tool\n"),
            ("best", "1", ""),
            ("lib", "1", ""),
            ("tool", "1", ""),
        ]);
        let gone = index(&[]);
        assert_eq!(
            chosen(&now, &gone, &HAD, "app"),
            ["app 2", "lib 1", "tool 1"]
        );
    }
}
