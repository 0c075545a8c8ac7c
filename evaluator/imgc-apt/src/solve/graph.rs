//! Who needs whom among packages that were chosen: for people who ask why something is
//! there. Chooses nothing.

use super::universe::{Field, NATIVE, Universe};
use super::{Asked, Offer, Request, SolveError, Variant};
use crate::index::Index;

/// A chosen package and what it needs of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The package's name, with the architecture behind it if that is a foreign one:
    /// `libc6:i386`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture, or `all`.
    pub arch: String,
    /// `Installed-Size`, in KiB, if there is one.
    pub installed_size: Option<u64>,
    /// Whether its name was asked for.
    pub asked: bool,
    /// Whether the variant has it.
    pub variant: bool,
    /// In the order in which they are looked at: `Pre-Depends`, `Depends`, `Recommends`.
    pub needs: Vec<NodeNeed>,
}

/// A dependency that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeNeed {
    /// `Pre-Depends`, `Depends` or `Recommends`.
    pub field: &'static str,
    /// The dependency as the field has it.
    pub relation: String,
    /// The packages that meet it, by their place among the nodes. Never none.
    pub met_by: Vec<usize>,
}

/// The chosen packages of `index`, which has nothing else, sorted by name. What was not
/// asked for, and nothing needs, can only have come with the variant.
///
/// # Errors
/// [`SolveError::Relation`] for a relation field that can't be read.
pub fn graph(request: &Request, index: &Index) -> Result<Vec<Node>, SolveError> {
    let universe = Universe::new(&[Offer::from(index)], &request.archs(), &[])?;
    let mut nodes = Vec::new();
    let asked: Vec<_> = request
        .names
        .iter()
        .filter_map(|text| universe.find(&Asked::parse(text)?).ok())
        .collect();
    for id in universe.ids() {
        let package = universe.package(id);
        let mut needs = Vec::new();
        for need in &universe.needs(id)?.groups {
            if need.field == Field::Recommends && !request.recommends {
                continue;
            }
            let mut met_by: Vec<usize> = Vec::new();
            for relation in &need.group.alternatives {
                for other in universe.meeting(relation, universe.arch(id)) {
                    let other = other as usize;
                    if other != id as usize && !met_by.contains(&other) {
                        met_by.push(other);
                    }
                }
            }
            if !met_by.is_empty() {
                needs.push(NodeNeed {
                    field: need.field.name(),
                    relation: need.group.to_string(),
                    met_by,
                });
            }
        }
        let name = package.name();
        let variant = match request.variant {
            _ if universe.arch(id) != NATIVE => false,
            Variant::Distroless => false,
            Variant::Essential => package.essential(),
            Variant::Apt => package.essential() || name == "apt",
            Variant::Minbase => {
                package.essential() || name == "apt" || package.priority() == "required"
            }
        };
        nodes.push(Node {
            name: universe.shown(id),
            version: package.version().to_owned(),
            arch: package.architecture().to_owned(),
            installed_size: package.installed_size(),
            asked: asked.contains(&id),
            variant,
            needs,
        });
    }
    give_reasons(&mut nodes);
    Ok(nodes)
}

/// An archive may give a package another priority than the package has. What nothing
/// leads to came with the variant then.
fn give_reasons(nodes: &mut [Node]) {
    let mut needed = vec![false; nodes.len()];
    for need in nodes.iter().flat_map(|node| &node.needs) {
        for &at in &need.met_by {
            needed[at] = true;
        }
    }
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|&at| (!nodes[at].asked && !nodes[at].variant, needed[at]));
    let mut reached = vec![false; nodes.len()];
    for first in order {
        if reached[first] {
            continue;
        }
        nodes[first].variant |= !nodes[first].asked;
        let mut work = vec![first];
        while let Some(at) = work.pop() {
            if !std::mem::replace(&mut reached[at], true) {
                work.extend(nodes[at].needs.iter().flat_map(|need| &need.met_by));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_lead_to_what_is_there() {
        let text = |name: &str, fields: &str| {
            let sum = "0".repeat(64);
            format!(
                "Package: {name}\nVersion: 1\nArchitecture: all\nInstalled-Size: 12\n{fields}\
                 Filename: pool/{name}.deb\nSize: 1\nSHA256: {sum}\n\n"
            )
        };
        let index = [
            text(
                "app",
                "Depends: mta | nothing, lib (>= 1)\nRecommends: extra\n",
            ),
            text("base", "Essential: yes\nPre-Depends: lib\n"),
            text("exim", "Provides: mta\n"),
            text("extra", "Depends: gone | app\n"),
            text("lib", ""),
        ];
        let index = Index::parse(index.concat()).expect("an index");
        let mut request = Request {
            suite: "trixie".to_owned(),
            arch: "amd64".to_owned(),
            variant: Variant::Essential,
            recommends: true,
            names: vec!["app".to_owned()],
            archives: Vec::new(),
            base: None,
        };
        let nodes = graph(&request, &index).expect("a graph");
        let needs: Vec<_> = nodes[0]
            .needs
            .iter()
            .map(|need| (need.field, need.relation.as_str(), need.met_by.as_slice()))
            .collect();
        assert_eq!(
            needs,
            [
                ("Depends", "mta | nothing", &[2][..]),
                ("Depends", "lib (>= 1)", &[4]),
                ("Recommends", "extra", &[3]),
            ]
        );
        let flags: Vec<_> = nodes
            .iter()
            .map(|node| (node.asked, node.variant))
            .collect();
        let neither = (false, false);
        assert_eq!(
            flags,
            [(true, false), (false, true), neither, neither, neither]
        );
        assert_eq!(nodes[4].installed_size, Some(12));
        request.recommends = false;
        let nodes = graph(&request, &index).expect("a graph");
        assert_eq!(nodes[0].needs.len(), 2);
        assert!(nodes[3].variant, "nothing else can have brought it");
    }
}
