//! Who meets whose dependencies, among the packages that are installed.
//!
//! Both apt and dpkg look at dependencies one alternative at a time, in the order
//! in which they are written. Here each is resolved once, to positions.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Control;
use crate::depends::{Group, Relation};
use crate::index::MultiArch;

#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Node {
    /// The alternatives of `Pre-Depends`, then those of `Depends`.
    pub(super) needs: Vec<Need>,
    /// The groups of `needs`, in order.
    pub(super) groups: Vec<Range<usize>>,
}

/// One alternative.
#[derive(Debug)]
pub(super) struct Need {
    /// Whether it stands in `Pre-Depends`.
    pub(super) pre: bool,
    /// The package of that very name and of the asking one's architecture, whatever its
    /// version, if the name has no qualifier: what apt looks at where it looks at names
    /// alone.
    pub(super) named: Option<usize>,
    /// The package of that name that serves the architecture asked for.
    pub(super) own: Option<usize>,
    /// All that meet it: the package of that name, then providers, the one that
    /// was read last first.
    pub(super) targets: Vec<usize>,
}

impl Graph {
    /// Resolves the dependencies of `members`, which are in the order in which they
    /// were read.
    pub(super) fn new(members: &[Control<'_>]) -> Self {
        let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (member, at) in members.iter().zip(0..) {
            named.entry(member.name).or_default().push(at);
        }
        let mut providers: BTreeMap<&str, Vec<(usize, Option<&str>)>> = BTreeMap::new();
        for (member, at) in members.iter().zip(0..) {
            for relation in member.provides.iter().flat_map(|group| &group.alternatives) {
                let version = relation.constraint.map(|constraint| constraint.version);
                let known = providers.entry(relation.name).or_default();
                known.push((at, version));
            }
        }
        let resolve = |pre, relation: &Relation<'_>, asker: &str| {
            let all = || named.get(relation.name).into_iter().flatten().copied();
            let of_name = all().find(|at| members[*at].arch == asker);
            let serves = |at: &usize| match relation.qualifier {
                None => members[*at].serves(asker),
                Some("any") => members[*at].multi_arch == MultiArch::Allowed,
                Some("native") => true,
                Some(arch) => members[*at].arch == arch,
            };
            let own = of_name.filter(serves).or_else(|| all().find(serves));
            let accepted = own.filter(|at| relation.accepts(members[*at].version));
            let mut targets: Vec<usize> = accepted.into_iter().collect();
            let known = providers.get(relation.name).into_iter().flatten().rev();
            let meeting = known.filter(|(at, version)| {
                let bound = match (relation.constraint, version) {
                    (None, _) => true,
                    (Some(constraint), Some(version)) => constraint.accepts(version),
                    (Some(_), None) => false,
                };
                bound && serves(at)
            });
            targets.extend(meeting.map(|(at, _)| *at));
            Need {
                pre,
                named: of_name.filter(|_| relation.qualifier.is_none()),
                own,
                targets,
            }
        };
        let node = |member: &Control<'_>| {
            let asker = member.arch;
            let mut needs = Vec::new();
            let mut groups = Vec::new();
            let mut add = |pre, field: &[Group<'_>]| {
                for group in field {
                    let from = needs.len();
                    needs.extend(
                        group
                            .alternatives
                            .iter()
                            .map(|one| resolve(pre, one, asker)),
                    );
                    groups.push(from..needs.len());
                }
            };
            add(true, &member.pre_depends);
            add(false, &member.depends);
            Node { needs, groups }
        };
        Self {
            nodes: members.iter().map(node).collect(),
        }
    }

    /// Those among `within` that `roots` lead to, along what `follow` gives.
    pub(super) fn reach<'g>(
        &'g self,
        roots: impl Iterator<Item = usize>,
        within: &[bool],
        follow: impl Fn(&'g Need) -> &'g [usize],
    ) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mut stack: Vec<usize> = roots.filter(|at| within[*at]).collect();
        for at in &stack {
            reached[*at] = true;
        }
        while let Some(at) = stack.pop() {
            for need in &self.nodes[at].needs {
                for next in follow(need) {
                    if within[*next] && !std::mem::replace(&mut reached[*next], true) {
                        stack.push(*next);
                    }
                }
            }
        }
        reached
    }
}
