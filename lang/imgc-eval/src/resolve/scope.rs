//! The names that one `let`, function or arm binds, and who uses them.
//!
//! It knows names and places, no expressions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;
use imgc_diag::codes;
use imgc_syntax::TextRange;

use crate::cycles::{self, Loops};
use crate::ir::LocalId;
use crate::problem::Problem;
use crate::queries::Item;

use super::types::Declared;

/// So many names are looked through one by one.
const FEW: usize = 8;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Bound {
    /// A top-level binding.
    Item(Item),
    /// A variable.
    Local(LocalId),
}

/// A name that is bound.
#[derive(Debug)]
pub(super) struct Slot {
    /// The name.
    pub(super) name: Arc<str>,
    /// Where it stands.
    pub(super) range: TextRange,
    /// What it stands for.
    pub(super) bound: Bound,
    /// Whether anything names it.
    pub(super) used: bool,
    /// The last body that mentions it.
    pub(super) mentioned_in: usize,
    /// The other slots that it names, and where. Of a `let` only.
    pub(super) uses: Vec<(usize, TextRange)>,
}

/// The names of one `let`, function or arm.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The names, each once.
    pub(super) slots: Vec<Slot>,
    /// Where each name stands in `slots`, once they are more than [`FEW`].
    by_name: HashMap<Arc<str>, usize>,
    /// The binding that is being lowered.
    pub(super) current: Option<usize>,
    /// What is named from elsewhere than its bindings, each time.
    mentioned: Vec<usize>,
    /// The types that are declared beside the names.
    pub(super) types: BTreeMap<Arc<str>, Declared>,
}

impl Scope {
    /// Binds a name that is not bound here yet.
    pub(super) fn bind(&mut self, name: Arc<str>, range: TextRange, bound: Bound) {
        match self.slots.len() {
            ..FEW => {}
            FEW => {
                let names = self.slots.iter().map(|slot| slot.name.clone());
                self.by_name.extend(names.zip(0..));
                self.by_name.insert(name.clone(), FEW);
            }
            at => {
                self.by_name.insert(name.clone(), at);
            }
        }
        self.slots.push(Slot {
            name,
            range,
            bound,
            used: false,
            mentioned_in: 0,
            uses: Vec::new(),
        });
    }

    /// The number of a name's slot.
    fn position(&self, name: &str) -> Option<usize> {
        if self.slots.len() > FEW {
            return self.by_name.get(name).copied();
        }
        self.slots.iter().position(|slot| *slot.name == *name)
    }

    /// Where a name is bound here.
    pub(super) fn find(&self, name: &str) -> Option<&Slot> {
        self.position(name).map(|at| &self.slots[at])
    }

    /// Says that a name is meant somewhere.
    pub(super) fn mark(&mut self, name: &str) {
        if let Some(at) = self.position(name) {
            self.slots[at].used = true;
        }
    }

    /// The slot of a name here, which is now used.
    pub(super) fn look_up(&mut self, name: &str, range: TextRange) -> Option<&mut Slot> {
        let at = self.position(name)?;
        self.slots[at].used = true;
        match self.current {
            Some(current) => self.slots[current].uses.push((at, range)),
            None => self.mentioned.push(at),
        }
        Some(&mut self.slots[at])
    }

    /// The loops among the bindings. They and what closes further loops use nothing
    /// from then on.
    pub(super) fn cut_loops(&mut self) -> (Vec<Problem<TextRange>>, Vec<usize>) {
        let targets = |slot: &Slot| slot.uses.iter().map(|(target, _)| *target).collect();
        let edges: Vec<Vec<usize>> = self.slots.iter().map(targets).collect();
        let Loops { loops, others } = cycles::find(&edges);
        let problems = loops.iter().map(|nodes| self.loop_problem(nodes)).collect();
        let cut: Vec<usize> = loops.into_iter().flatten().chain(others).collect();
        for &node in &cut {
            self.slots[node].uses.clear();
        }
        (problems, cut)
    }

    fn loop_problem(&self, nodes: &[usize]) -> Problem<TextRange> {
        let steps: Vec<(usize, usize)> = (0..nodes.len())
            .map(|at| (nodes[at], nodes[(at + 1) % nodes.len()]))
            .collect();
        let place = |(from, to): (usize, usize)| {
            let mut uses = self.slots[from].uses.iter();
            let found = uses.find(|(target, _)| *target == to);
            found.map_or(self.slots[from].range, |(_, range)| *range)
        };
        let name = |node: usize| &self.slots[node].name;
        let message = if let [node] = nodes {
            format!("`{}` is defined by itself", name(*node))
        } else {
            let way = cycles::way(nodes.iter().map(|&node| name(node).to_string()));
            format!("bindings are defined by each other: {way}")
        };
        let mut problem = Problem::new(codes::BINDING_CYCLE, place(steps[0]), message);
        for &step in steps.iter().skip(1).take(8) {
            let text = format!("`{}` uses `{}` here", name(step.0), name(step.1));
            problem = problem.label(place(step), text);
        }
        problem.note(
            "no binding may need itself, a function neither: lists are worked on with `map`, \
             `filter` and `fold`",
        )
    }

    /// The bindings in order of dependency, those that do not need each other by name:
    /// first those that something outside of the bindings needs, then the others. The
    /// number is how many are needed. Loops must have been cut.
    pub(super) fn order(&self) -> (Vec<usize>, usize) {
        let count = self.slots.len();
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut waits = vec![0_usize; count];
        for (at, slot) in self.slots.iter().enumerate() {
            for (target, _) in &slot.uses {
                users[*target].push(at);
                waits[at] += 1;
            }
        }
        let mut is_needed = vec![false; count];
        let mut queue = self.mentioned.clone();
        while let Some(at) = queue.pop() {
            if !std::mem::replace(&mut is_needed[at], true) {
                queue.extend(self.slots[at].uses.iter().map(|(target, _)| *target));
            }
        }
        let name = |at: usize| &self.slots[at].name;
        let mut ready: BTreeSet<(&Arc<str>, usize)> = (0..count)
            .filter(|&at| waits[at] == 0)
            .map(|at| (name(at), at))
            .collect();
        let (mut first, mut last) = (Vec::new(), Vec::new());
        while let Some((_, at)) = ready.pop_first() {
            if is_needed[at] {
                first.push(at);
            } else {
                last.push(at);
            }
            for &user in &users[at] {
                waits[user] -= 1;
                if waits[user] == 0 {
                    ready.insert((name(user), user));
                }
            }
        }
        let needed = first.len();
        first.append(&mut last);
        (first, needed)
    }
}
