//! Marking, as apt does it: a package is marked, then what it needs, depth first.
//!
//! apt does not go back on a choice that turns out to be impossible. A package that can't
//! be had is given up for good; one that was marked and that a later one excludes is let
//! go, unless somebody asked for it or it is the only one that can meet a need of such a
//! package. What was marked on the way and nobody needs any more goes at the end. Where all
//! that leaves something broken there is no answer here, and none is made up: [`Marks`] says
//! so, and the search of its caller looks for one.

use super::SolveError;
use super::universe::{Field, Id, Need, Needs, Universe};
use crate::depends::Group;
use crate::index::MultiArch;

/// How deep packages may lead to packages, as in apt.
const MAX_DEPTH: usize = 3000;
/// How often something is tried before there is no answer. The largest real sets need some
/// thousands.
const MAX_TRIES: usize = 100_000;

pub(super) struct Marks<'u, 'a> {
    universe: &'u Universe<'a>,
    recommends: bool,
    /// By candidate.
    states: Vec<State>,
    /// Whether something may be marked that nobody needs.
    loose: bool,
    tries: usize,
}

#[derive(Clone, Copy)]
struct State {
    /// Whether it was not given up yet.
    candidate: bool,
    marked: bool,
    /// Whether it was there before what is being marked now.
    there: bool,
    /// Whether its mark, or that it has none, is not to change.
    fixed: bool,
}

/// A package whose needs are being met.
struct Frame {
    id: Id,
    asked: bool,
    /// Whether it was fixed before: what only it can be met by is fixed too then.
    fixed: bool,
    failed: bool,
    /// The groups that are looked at, by number.
    groups: Vec<usize>,
    at: usize,
    trying: Trying,
}

enum Trying {
    Nothing,
    /// The group is met.
    Met,
    /// What meets the group alone and is marked already: that its own needs are fixed.
    Shared,
    /// These, in order, from a place on.
    Options {
        ids: Vec<Id>,
        next: usize,
    },
}

enum Begun {
    Done(bool),
    Open(Frame),
}

enum Step {
    Try(Id),
    Done,
}

impl<'u, 'a> Marks<'u, 'a> {
    pub(super) fn new(universe: &'u Universe<'a>) -> Self {
        let state = State {
            candidate: true,
            marked: false,
            there: false,
            fixed: false,
        };
        Self {
            universe,
            recommends: false,
            states: universe.ids().map(|_| state).collect(),
            loose: false,
            tries: 0,
        }
    }

    /// What is installed, in the order of the candidates.
    pub(super) fn installed(&self) -> Vec<Id> {
        self.universe.ids().filter(|id| self.is_in(*id)).collect()
    }

    /// Adds packages and all that they need to what was added before, which stays. Tells
    /// whether that is an answer.
    pub(super) fn add(&mut self, asked: &[Id], recommends: bool) -> Result<bool, SolveError> {
        self.recommends = recommends;
        for &id in asked {
            let state = self.state(id);
            (state.candidate, state.fixed) = (true, true);
            self.mark(id);
        }
        for &id in asked {
            self.install(id)?;
        }
        if self.tries >= MAX_TRIES || self.is_broken_somewhere()? {
            return Ok(false);
        }
        if self.loose {
            self.sweep(asked)?;
            if self.is_broken_somewhere()? {
                return Ok(false);
            }
        }
        for state in &mut self.states {
            (state.there, state.marked) = (state.there || state.marked, false);
            (state.candidate, state.fixed) = (true, false);
        }
        self.loose = false;
        Ok(true)
    }

    fn state(&mut self, id: Id) -> &mut State {
        &mut self.states[id as usize]
    }

    fn is_in(&self, id: Id) -> bool {
        let state = &self.states[id as usize];
        state.there || state.marked
    }

    fn mark(&mut self, id: Id) {
        let state = self.state(id);
        state.marked = !state.there;
    }

    /// Marks a package that was asked for, and what it needs.
    fn install(&mut self, root: Id) -> Result<(), SolveError> {
        let mut stack = Vec::new();
        let mut result = None;
        if let Begun::Open(frame) = self.begin(root, true, 0)? {
            stack.push(frame);
        }
        while let Some(mut frame) = stack.pop() {
            if let Some(worked) = result.take() {
                frame.heard(worked);
            }
            match self.step(&mut frame)? {
                Step::Try(id) => {
                    self.tries += 1;
                    if self.tries >= MAX_TRIES {
                        return Ok(());
                    }
                    stack.push(frame);
                    match self.begin(id, false, stack.len())? {
                        Begun::Done(worked) => result = Some(worked),
                        Begun::Open(frame) => stack.push(frame),
                    }
                }
                Step::Done => {
                    let there = self.states[frame.id as usize].there;
                    if frame.failed && frame.gives_up() && !there {
                        self.give_up(frame.id);
                    }
                    self.state(frame.id).fixed = frame.fixed;
                    result = Some(!frame.failed);
                }
            }
        }
        Ok(())
    }

    /// A package can't be had.
    fn give_up(&mut self, id: Id) {
        let state = self.state(id);
        (state.marked, state.candidate) = (false, false);
        self.loose = true;
    }

    /// Whether a mark may be set at all.
    fn may_mark(&self, id: Id) -> bool {
        let state = &self.states[id as usize];
        state.candidate && (state.there || state.marked || !state.fixed) && self.is_in_step(id)
    }

    /// A package that can be installed for several architectures needs the version that is
    /// there for another one.
    fn is_in_step(&self, id: Id) -> bool {
        let package = self.universe.package(id);
        let mut others = self
            .universe
            .named(package.name())
            .filter(|other| *other != id);
        let state = &self.states[id as usize];
        state.marked
            || package.multi_arch() != MultiArch::Same
            || others.all(|other| {
                let sibling = self.universe.package(other);
                !self.states[other as usize].there
                    || sibling.multi_arch() != MultiArch::Same
                    || self.universe.out_of_step(id, other).is_none()
            })
    }

    /// Marks a package, where that is possible, and opens what it needs.
    fn begin(&mut self, id: Id, asked: bool, depth: usize) -> Result<Begun, SolveError> {
        let no = Ok(Begun::Done(false));
        let state = self.states[id as usize];
        if depth > MAX_DEPTH || !state.candidate || !(asked || self.may_mark(id)) {
            return no;
        }
        if !state.fixed && self.is_in(id) && !self.is_broken(id, self.recommends)? {
            return Ok(Begun::Done(true));
        }
        let needs = self.universe.needs(id)?;
        if !state.there && !self.can_be_met(id, &needs) {
            if !state.fixed {
                self.give_up(id);
            }
            return no;
        }
        if asked {
            self.mark(id);
        }
        let mut groups = Vec::new();
        for (at, need) in needs.groups.iter().enumerate() {
            let soft = need.field == Field::Recommends;
            // What was there has done without.
            if soft && (!self.recommends || state.there) {
                continue;
            }
            if state.fixed || !self.is_met(id, &need.group) {
                groups.push(at);
            }
        }
        let gone = self.clear_the_way(id, &needs, state.fixed, asked);
        if !gone && !state.fixed && !asked {
            return no;
        }
        self.mark(id);
        self.state(id).fixed = true;
        Ok(Begun::Open(Frame {
            id,
            asked,
            fixed: state.fixed,
            failed: !gone,
            groups,
            at: 0,
            trying: Trying::Nothing,
        }))
    }

    /// Lets go what a package excludes. Tells whether all of it could be.
    fn clear_the_way(&mut self, id: Id, needs: &Needs<'_>, fixed: bool, asked: bool) -> bool {
        let mut gone = true;
        for other in self.excluded_by(id, needs) {
            let state = *self.state(other);
            if !state.candidate || !(fixed || self.is_in(other)) {
                continue;
            }
            if state.there || (state.marked && state.fixed) {
                gone = false;
                if !fixed && !asked {
                    break;
                }
                continue;
            }
            if state.marked {
                self.state(other).marked = false;
                self.loose = true;
            }
            if fixed {
                let state = self.state(other);
                (state.candidate, state.fixed) = (false, true);
            }
        }
        gone
    }

    /// What a package excludes by its fields.
    fn excluded_by(&self, id: Id, needs: &Needs<'_>) -> Vec<Id> {
        let universe = self.universe;
        let name = universe.package(id).name();
        let siblings = universe.named(name).filter(|other| *other != id);
        let mut all: Vec<Id> = siblings
            .filter(|other| universe.out_of_step(id, *other).is_some())
            .collect();
        for exclude in &needs.excludes {
            let hit = universe.excluded(&exclude.relation).into_iter();
            all.extend(hit.filter(|other| universe.counts(id, *other)));
        }
        all
    }

    fn step(&mut self, frame: &mut Frame) -> Result<Step, SolveError> {
        let needs = self.universe.needs(frame.id)?;
        loop {
            let Some(need) = frame.groups.get(frame.at).map(|at| &needs.groups[*at]) else {
                return Ok(Step::Done);
            };
            let critical = need.field != Field::Recommends;
            match &mut frame.trying {
                Trying::Nothing => frame.trying = self.options(frame, need),
                Trying::Shared => {
                    let alone = self.alone(frame.id, &need.group);
                    match alone.filter(|id| critical && !self.states[*id as usize].fixed) {
                        Some(id) => {
                            self.state(id).fixed = true;
                            return Ok(Step::Try(id));
                        }
                        None => frame.advance(),
                    }
                }
                Trying::Met => frame.advance(),
                Trying::Options { ids, next } => {
                    let alone = frame.fixed && critical && ids.len() == 1;
                    while let Some(&id) = ids.get(*next) {
                        *next += 1;
                        if !self.states[id as usize].candidate {
                            continue;
                        }
                        if alone {
                            if !self.may_mark(id) {
                                continue;
                            }
                            self.mark(id);
                            self.state(id).fixed = true;
                        }
                        return Ok(Step::Try(id));
                    }
                    if critical {
                        frame.failed = true;
                        if frame.gives_up() {
                            return Ok(Step::Done);
                        }
                    }
                    frame.advance();
                }
            }
        }
    }

    /// How a group is to be met.
    fn options(&self, frame: &Frame, need: &Need<'_>) -> Trying {
        if self.is_met(frame.id, &need.group) {
            return match frame.fixed {
                true => Trying::Shared,
                false => Trying::Met,
            };
        }
        let arch = self.universe.arch(frame.id);
        let there = |id: Id| self.states[id as usize].there;
        let mut ids = self.universe.options(&need.group, arch, there);
        ids.dedup();
        ids.retain(|id| self.is_open(*id));
        Trying::Options { ids, next: 0 }
    }

    /// Whether a package may come to be installed, or is.
    fn is_open(&self, id: Id) -> bool {
        let state = &self.states[id as usize];
        state.candidate && (self.is_in(id) || !state.fixed)
    }

    /// The package that alone can meet a group, if there is only one.
    fn alone(&self, by: Id, group: &Group<'_>) -> Option<Id> {
        let arch = self.universe.arch(by);
        let mut found = None;
        for relation in &group.alternatives {
            for id in self.universe.meeting(relation, arch) {
                if !self.is_open(id) || found == Some(id) {
                    continue;
                }
                if found.replace(id).is_some() {
                    return None;
                }
            }
        }
        found
    }

    /// Whether something that is installed meets a group.
    fn is_met(&self, by: Id, group: &Group<'_>) -> bool {
        self.meets(by, group, |id| self.is_in(id))
    }

    fn meets(&self, by: Id, group: &Group<'_>, fits: impl Fn(Id) -> bool) -> bool {
        let arch = self.universe.arch(by);
        group.alternatives.iter().any(|relation| {
            let mut all = self.universe.meeting(relation, arch).into_iter();
            all.any(&fits)
        })
    }

    /// Whether no need of a package is hopeless.
    fn can_be_met(&self, id: Id, needs: &Needs<'_>) -> bool {
        let possible = |other: Id| self.states[other as usize].candidate || self.is_in(other);
        let mut hard = needs
            .groups
            .iter()
            .filter(|need| need.field != Field::Recommends);
        hard.all(|need| self.meets(id, &need.group, possible))
    }

    /// Whether something is missing that a package needs, or is there that it excludes.
    fn is_broken(&self, id: Id, soft: bool) -> Result<bool, SolveError> {
        let needs = self.universe.needs(id)?;
        let mut wanted = needs
            .groups
            .iter()
            .filter(|need| soft || need.field != Field::Recommends);
        Ok(!wanted.all(|need| self.is_met(id, &need.group))
            || self
                .excluded_by(id, &needs)
                .into_iter()
                .any(|other| self.is_in(other)))
    }

    fn is_broken_somewhere(&self) -> Result<bool, SolveError> {
        for id in self.installed() {
            if self.is_broken(id, false)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets go what was marked, and what neither `asked` nor anything that was there leads
    /// to. As in apt, a suggestion leads to something too.
    fn sweep(&mut self, asked: &[Id]) -> Result<(), SolveError> {
        let mut reached = vec![false; self.states.len()];
        let root = |id: &Id| {
            let state = &self.states[*id as usize];
            state.there || (state.marked && state.fixed) || asked.contains(id)
        };
        let mut work: Vec<Id> = self.installed().into_iter().filter(root).collect();
        while let Some(id) = work.pop() {
            if std::mem::replace(&mut reached[id as usize], true) {
                continue;
            }
            let needs = self.universe.needs(id)?;
            let suggested = self.universe.package(id).suggests().unwrap_or_default();
            let groups = needs.groups.iter().map(|need| &need.group);
            for relation in groups
                .chain(&suggested.groups)
                .flat_map(|group| &group.alternatives)
            {
                let all = self.universe.meeting(relation, self.universe.arch(id));
                let here: Vec<Id> = all.into_iter().filter(|id| self.is_in(*id)).collect();
                let there = |id: &&Id| self.states[**id as usize].there;
                let old = here.iter().filter(there).count();
                let new = here.iter().filter(|id| old == 0 || there(id));
                work.extend(new);
            }
        }
        for (state, reached) in self.states.iter_mut().zip(reached) {
            state.marked &= reached;
        }
        Ok(())
    }
}

impl Frame {
    /// Takes note of whether what was tried worked.
    fn heard(&mut self, worked: bool) {
        match self.trying {
            Trying::Shared => {
                self.failed |= !worked;
                self.advance();
            }
            Trying::Options { .. } if worked => self.advance(),
            _ => {}
        }
    }

    fn advance(&mut self) {
        self.trying = Trying::Nothing;
        self.at += 1;
    }

    /// Whether one failure is enough.
    fn gives_up(&self) -> bool {
        !self.fixed && !self.asked
    }
}
