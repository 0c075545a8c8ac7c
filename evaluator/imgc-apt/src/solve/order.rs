//! The order of installation.
//!
//! Depth first from what was asked: a package comes after all that it needs, in
//! the order in which it names them, `Pre-Depends` first. Cycles are cut where the
//! walk meets a package that it has not finished. This is nearly apt's own order
//! of configuring, and it depends on nothing but the packages.

use super::SolveError;
use super::universe::{Field, Id, Universe};

/// The chosen packages in order: those in `first`, then the rest.
pub(super) fn installation(
    universe: &Universe<'_>,
    first: &[Id],
    chosen: &[Id],
) -> Result<Vec<Id>, SolveError> {
    let mut walk = Walk {
        universe,
        states: vec![State::Absent; universe.ids().count()],
        order: Vec::with_capacity(chosen.len()),
    };
    for part in [first, chosen] {
        for id in part {
            if walk.states[*id as usize] == State::Absent {
                walk.states[*id as usize] = State::Waiting;
            }
        }
        for id in part {
            walk.visit(*id)?;
        }
    }
    Ok(walk.order)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Waiting,
    Open,
    Done,
}

struct Walk<'u, 'a> {
    universe: &'u Universe<'a>,
    states: Vec<State>,
    order: Vec<Id>,
}

impl Walk<'_, '_> {
    fn visit(&mut self, root: Id) -> Result<(), SolveError> {
        if self.states[root as usize] != State::Waiting {
            return Ok(());
        }
        self.states[root as usize] = State::Open;
        let mut stack = vec![(root, self.needed(root)?.into_iter())];
        while let Some((id, rest)) = stack.last_mut() {
            let id = *id;
            match rest.find(|next| self.states[*next as usize] == State::Waiting) {
                Some(next) => {
                    self.states[next as usize] = State::Open;
                    stack.push((next, self.needed(next)?.into_iter()));
                }
                None => {
                    self.states[id as usize] = State::Done;
                    self.order.push(id);
                    stack.pop();
                }
            }
        }
        Ok(())
    }

    /// The chosen packages that meet what `id` needs before it can be installed.
    fn needed(&self, id: Id) -> Result<Vec<Id>, SolveError> {
        let mut all = Vec::new();
        for need in &self.universe.needs(id)?.groups {
            if need.field == Field::Recommends {
                continue;
            }
            for alternative in &need.group.alternatives {
                let meeting = self.universe.meeting(alternative).into_iter();
                all.extend(meeting.filter(|id| self.states[*id as usize] != State::Absent));
            }
        }
        Ok(all)
    }
}
