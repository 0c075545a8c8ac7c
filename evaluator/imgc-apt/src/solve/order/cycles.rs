//! Where dpkg breaks cycles of dependencies.
//!
//! From one package it walks dependencies, depth first, until it comes back to one
//! that it has on its path. Then one dependency of the cycle counts as met: that of
//! a package without `postinst`, for which the order can't matter, or else that of
//! the package that the path came back to. One cycle is broken at a time.

use std::collections::BTreeSet;

use super::graph::Graph;

/// The dependencies that count as met in one call.
#[derive(Debug, Default)]
pub(super) struct Cycles {
    /// A package, and the number of one of its alternatives.
    broken: BTreeSet<(usize, usize)>,
}

struct Step {
    at: usize,
    /// How many alternatives were looked at.
    looked: usize,
    /// Which of the packages that it may mean comes next.
    next: usize,
}

impl Cycles {
    pub(super) fn is_broken(&self, at: usize, number: usize) -> bool {
        self.broken.contains(&(at, number))
    }

    /// Breaks the first cycle that is found from `root`. Tells whether there was one.
    pub(super) fn break_one(
        &mut self,
        graph: &Graph,
        root: usize,
        depends_first: bool,
        silent: impl Fn(usize) -> bool,
        wanted: impl Fn(usize) -> bool,
    ) -> bool {
        let mut done = vec![false; graph.nodes.len()];
        // How often a package is on the path. Its last step does not count yet when
        // a dependency on itself is looked at.
        let mut on_path = vec![0_u32; graph.nodes.len()];
        let number_of = |step: &Step| {
            let needs = &graph.nodes[step.at].needs;
            let pre = needs.partition_point(|need| need.pre);
            if depends_first {
                (pre + step.looked) % needs.len()
            } else {
                step.looked
            }
        };
        let mut path = vec![Step::new(root)];
        on_path[root] += 1;
        while let Some(step) = path.last_mut() {
            let at = step.at;
            let needs = &graph.nodes[at].needs;
            if step.looked == needs.len() {
                done[at] = true;
                on_path[at] -= 1;
                path.pop();
                continue;
            }
            let number = number_of(step);
            let need = &needs[number];
            if self.broken.contains(&(at, number)) {
                (step.looked, step.next) = (step.looked + 1, 0);
                continue;
            }
            // The package of that name, whatever its version; then providers that
            // this call configures.
            let others = need
                .targets
                .iter()
                .copied()
                .filter(|one| Some(*one) != need.own);
            let own = need.own.into_iter();
            let Some(target) = own.chain(others.filter(|at| wanted(*at))).nth(step.next) else {
                (step.looked, step.next) = (step.looked + 1, 0);
                continue;
            };
            step.next += 1;
            if on_path[target] > u32::from(target == at) {
                let from = path.len() - 1;
                let last = (0..=from).rev().find(|place| {
                    (*place != from && path[*place].at == target) || silent(path[*place].at)
                });
                let place = last.unwrap_or(0);
                self.broken
                    .insert((path[place].at, number_of(&path[place])));
                return true;
            }
            if !done[target] {
                on_path[target] += 1;
                path.push(Step::new(target));
            }
        }
        false
    }
}

impl Step {
    fn new(at: usize) -> Self {
        let (looked, next) = (0, 0);
        Self { at, looked, next }
    }
}
