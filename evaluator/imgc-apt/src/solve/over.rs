//! Solving over what is installed: what `apt-get install` brings into a system that has
//! packages already. Those stay as they are: where one would have to change, there is no
//! answer.

use super::universe::{Field, Id, NATIVE, Universe};
use super::{
    Because, Link, Offer, Request, Solution, SolveError, marked, ordered, read_names, searched,
};
use crate::depends::Relation;
use crate::index::{Index, IndexError};
use crate::lock::{Controlled, PackageKey, Pin};
use crate::sha256::Sha256;

impl Index {
    /// An index of packages that are installed: their keys, and their stanzas in dpkg's
    /// database, in its order.
    ///
    /// # Errors
    /// An [`IndexError`] where a stanza has a field that no index can have.
    pub fn of_installed<'s>(
        packages: impl IntoIterator<Item = (PackageKey, &'s str)>,
    ) -> Result<Self, IndexError> {
        let pinned = packages.into_iter().map(|(key, stanza)| {
            // Where its file is, nobody asks: it is never fetched.
            let pin = Pin {
                path: format!("installed/{}.deb", key.name),
                key,
                archive: String::new(),
                size: 1,
                sha256: Sha256::of(b""),
            };
            (pin, stanza)
        });
        let pinned: Vec<(Pin, &str)> = pinned.collect();
        Self::of_pins(pinned.iter().map(|(pin, control)| Controlled {
            pin,
            control,
            priority: None,
        }))
    }
}

/// As [`solve`], for a system that has the packages of `installed`, which stay. The solution
/// has only what is added.
///
/// # Errors
/// As [`solve`]; [`SolveError::Installed`] where another version of an installed package is
/// asked for, and [`SolveError::Incomplete`] where one of those lacks what it needs.
///
/// [`solve`]: crate::solve()
pub fn solve_over<'a>(
    request: &Request,
    offers: &[impl Into<Offer<'a>> + Copy],
    installed: &'a Index,
) -> Result<Solution<'a>, SolveError> {
    let offers: Vec<Offer<'a>> = offers.iter().map(|offer| (*offer).into()).collect();
    let asked = read_names(request)?;
    let versions = installed.packages();
    let versions = versions.map(|one| (one.name().to_owned(), Some(one.version().to_owned())));
    let versions = versions.collect();
    let universe = Universe::keeping(&offers, &request.archs(), &versions, installed, &asked)?;
    let mut there: Vec<Id> = Vec::new();
    for package in installed.packages() {
        let name = package.name();
        let found = universe.named(name).find(|id| universe.arch(*id) == NATIVE);
        let other = match found {
            Some(id) if universe.package(id).version() == package.version() => {
                there.push(id);
                continue;
            }
            other => other.map(|id| universe.package(id).version().to_owned()),
        };
        return Err(SolveError::Installed {
            name: name.to_owned(),
            installed: package.version().to_owned(),
            wanted: other.unwrap_or_default(),
        });
    }
    there.sort_unstable();
    there.dedup();
    complete(&universe, &there)?;
    let names = asked.iter().map(|asked| universe.find(asked));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let phases = [
        (there, Vec::new(), false),
        (Vec::new(), names, request.recommends),
    ];
    let (chosen, first) = match marked(&universe, &phases)? {
        Some(answer) => answer,
        None => searched(&universe, &phases).map_err(installed_already)?,
    };
    let [(there, ..), _] = &phases;
    for &id in &chosen[first..] {
        stays_with_its_first_choice(&universe, &offers, there, &chosen, id)?;
    }
    ordered(request, &universe, &chosen, first, true)
}

/// What is there first is not of a variant here.
fn installed_already(mut error: SolveError) -> SolveError {
    let tell = |chain: &mut Vec<Link>| {
        for link in chain
            .iter_mut()
            .filter(|link| link.because == Because::Variant)
        {
            link.because = Because::Installed;
        }
    };
    match &mut error {
        SolveError::Unsatisfiable { chain, .. } => tell(chain),
        SolveError::Conflict(conflict) => {
            tell(&mut conflict.chain);
            tell(&mut conflict.other_chain);
        }
        _ => {}
    }
    error
}

/// Of alternatives, apt takes the first that the archives have. Where that is a newer version
/// of what is installed, it would change that, and not take a later one.
fn stays_with_its_first_choice(
    universe: &Universe<'_>,
    offers: &[Offer<'_>],
    there: &[Id],
    chosen: &[Id],
    id: Id,
) -> Result<(), SolveError> {
    for need in &universe.needs(id)?.groups {
        let is_met = |by: &[Id], relation: &Relation<'_>| {
            let meeting = universe.meeting(relation, universe.arch(id));
            meeting.iter().any(|other| by.contains(other))
        };
        let mut relations = need.group.alternatives.iter();
        if need.field == Field::Recommends || relations.any(|relation| is_met(there, relation)) {
            continue;
        }
        for relation in &need.group.alternatives {
            if is_met(chosen, relation) {
                break;
            }
            let named = universe.named(relation.name);
            let mut old = named.filter(|other| there.binary_search(other).is_ok());
            let newer = offers
                .iter()
                .flat_map(|offer| offer.index.named(relation.name));
            let mut newer = newer.filter(|package| relation.accepts(package.version()));
            if let (Some(old), Some(newer)) = (old.next(), newer.next()) {
                return Err(SolveError::Installed {
                    name: relation.name.to_owned(),
                    installed: universe.package(old).version().to_owned(),
                    wanted: newer.version().to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// Whether what is installed has all that it needs, as apt wants it before it adds anything.
fn complete(universe: &Universe<'_>, there: &[Id]) -> Result<(), SolveError> {
    for &id in there {
        let needs = universe.needs(id)?;
        for need in needs
            .groups
            .iter()
            .filter(|need| need.field != Field::Recommends)
        {
            let mut relations = need.group.alternatives.iter();
            let is_met = relations.any(|relation| {
                let meeting = universe.meeting(relation, universe.arch(id));
                meeting.iter().any(|id| there.binary_search(id).is_ok())
            });
            if !is_met {
                return Err(SolveError::Incomplete {
                    package: universe.shown(id),
                    relation: need.group.to_string(),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Call, Variant};
    use super::*;

    fn archive(packages: &[(&str, &str, &str)]) -> Index {
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

    fn system(packages: &[(&str, &str, &str)]) -> Index {
        let stanzas: Vec<(PackageKey, String)> = packages
            .iter()
            .map(|(name, version, fields)| {
                let key = PackageKey {
                    name: (*name).to_owned(),
                    version: (*version).to_owned(),
                    arch: "all".to_owned(),
                };
                let text = format!(
                    "Package: {name}\nStatus: install ok installed\nVersion: {version}\n\
                     Architecture: all\n{fields}Conffiles:\n /etc/x 0\n"
                );
                (key, text)
            })
            .collect();
        let stanzas = stanzas
            .iter()
            .map(|(key, text)| (key.clone(), text.as_str()));
        Index::of_installed(stanzas).expect("an index")
    }

    fn request(names: &[&str]) -> Request {
        Request {
            suite: "trixie".to_owned(),
            arch: "amd64".to_owned(),
            variant: Variant::Distroless,
            recommends: false,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            archives: Vec::new(),
            base: Some(Sha256::of(b"base")),
        }
    }

    fn over(now: &Index, there: &Index, names: &[&str]) -> Result<Vec<String>, SolveError> {
        let solution = solve_over(&request(names), &[now], there)?;
        let packages = solution.packages.iter();
        let mut added: Vec<String> = packages
            .map(|one| format!("{} {}", one.package.name(), one.package.version()))
            .collect();
        added.sort();
        Ok(added)
    }

    #[test]
    fn what_is_there_stays_and_what_is_missing_comes() {
        let now = archive(&[
            (
                "app",
                "1",
                "Pre-Depends: lib\nDepends: tool (>= 1), extra\n",
            ),
            ("extra", "3", ""),
            ("lib", "2", ""),
            ("tool", "2", ""),
        ]);
        let there = system(&[
            ("lib", "1", "Essential: yes\n"),
            ("tool", "1", "Depends: lib\n"),
        ]);
        assert_eq!(
            over(&now, &there, &["app"]).expect("an answer"),
            ["app 1", "extra 3"]
        );
        let none: [&str; 0] = [];
        assert_eq!(over(&now, &there, &["tool"]).expect("an answer"), none);
        let solution = solve_over(&request(&["app"]), &[&now], &there).expect("an answer");
        let calls = solution.calls;
        assert!(
            calls
                .iter()
                .all(|call| !matches!(call, Call::Extract(_) | Call::Assume(_)))
        );
        assert_eq!(calls.last(), Some(&Call::Pending));
    }

    #[test]
    fn nothing_that_is_there_changes() {
        let now = archive(&[
            ("app", "1", "Depends: lib (>= 2)\n"),
            ("breaker", "1", "Breaks: lib (<< 2)\n"),
            ("lib", "2", ""),
        ]);
        let there = system(&[("lib", "1", "")]);
        let needs = over(&now, &there, &["app"]).expect_err("an upgrade");
        assert!(
            matches!(&needs, SolveError::Unsatisfiable { wanted, .. } if wanted == "lib (>= 2)"),
            "{needs:?}"
        );
        let breaks = over(&now, &there, &["breaker"]).expect_err("an upgrade");
        assert!(matches!(breaks, SolveError::Conflict(_)), "{breaks:?}");
        let asked = over(&now, &there, &["lib=2"]).expect_err("an upgrade");
        assert!(
            matches!(&asked, SolveError::Installed { installed, wanted, .. } if installed == "1" && wanted == "2"),
            "{asked:?}"
        );
    }

    #[test]
    fn a_later_alternative_is_not_taken_in_the_place_of_an_upgrade() {
        let now = archive(&[
            ("app", "1", "Depends: lib (>= 2) | other\n"),
            ("lib", "2", ""),
            ("other", "1", ""),
            ("plain", "1", "Depends: gone | other\n"),
        ]);
        let there = system(&[("lib", "1", "")]);
        let error = over(&now, &there, &["app"]).expect_err("an upgrade");
        assert!(
            matches!(&error, SolveError::Installed { name, wanted, .. } if name == "lib" && wanted == "2"),
            "{error:?}"
        );
        assert_eq!(
            over(&now, &there, &["plain"]).expect("an answer"),
            ["other 1", "plain 1"]
        );
        let there = system(&[("lib", "1", ""), ("other", "1", "")]);
        assert_eq!(over(&now, &there, &["app"]).expect("an answer"), ["app 1"]);
    }

    #[test]
    fn what_is_incomplete_is_told() {
        let now = archive(&[("app", "1", ""), ("gone", "1", "")]);
        let there = system(&[("lib", "1", "Depends: gone | lost\n")]);
        let error = over(&now, &there, &["app"]).expect_err("incomplete");
        assert_eq!(
            error,
            SolveError::Incomplete {
                package: "lib".to_owned(),
                relation: "gone | lost".to_owned(),
            }
        );
    }
}
