//! The calls of dpkg that apt makes, for a system that begins empty.
//!
//! apt goes through its sorted list. A package is unpacked after what it
//! pre-depends on is configured. What the essential packages depend on is
//! configured as soon as it is unpacked, and so what it depends on is unpacked and
//! configured before. All the rest is left to one call at the end. Equal actions
//! that follow each other are one call.

use super::graph::{Graph, Node};
use super::sorting::{Situation, sorted};
use super::{Call, Control};

/// How deep actions lead to actions. Real archives need about ten.
const MAX_DEPTH: usize = 200;
/// How often a package's dependencies are looked at before the rest is left to
/// the last call.
const MAX_LOOKS: usize = 50_000;

/// The package that does nothing but say that the folders are merged.
const MERGED: &str = "usr-is-merged";

/// Which packages are installed when.
#[derive(Debug, Clone, Default)]
pub(in crate::solve) struct Phases {
    /// What is there before apt can install: the essential packages and what they
    /// need.
    pub(in crate::solve) first: Vec<bool>,
    /// The package that says that the folders are merged. A system that needs it
    /// has it from the start, and gets the real one between the phases.
    merged: Option<usize>,
    /// The same of a system where apt installs all that comes first: there, the real
    /// one is an upgrade and comes with the rest.
    upgraded: Option<usize>,
    /// Whether what comes first is installed already, and nothing is to be done for it.
    installed: bool,
}

impl Phases {
    /// Divides `members`, of which `first` are known to be there first. Without any,
    /// those are first that the essential ones among them need.
    pub(in crate::solve) fn new(members: &[Control<'_>], first: Vec<bool>) -> Self {
        let named = members.iter().position(|member| member.name == MERGED);
        if first.contains(&true) {
            return Self {
                merged: named.filter(|at| first[*at]),
                upgraded: None,
                installed: false,
                first,
            };
        }
        let graph = Graph::new(members);
        let essential = (0..members.len()).filter(|at| members[*at].essential);
        let all = vec![true; members.len()];
        let first = graph.reach(essential, &all, |need| &need.targets);
        Self {
            merged: named.filter(|at| first[*at]),
            upgraded: None,
            installed: false,
            first,
        }
    }

    /// The same, of a system where the first packages are installed.
    pub(in crate::solve) fn installed(self) -> Self {
        Self {
            merged: None,
            upgraded: None,
            installed: true,
            ..self
        }
    }

    /// The same, of a system whose first packages are an upgrade of nothing.
    pub(in crate::solve) fn upgrading(mut self) -> Self {
        self.upgraded = self.merged.take();
        self
    }
}

/// The calls that install `members`, which are in the order in which apt reads them.
pub(in crate::solve) fn calls(members: &[Control<'_>], phases: &Phases) -> Vec<Call> {
    let graph = Graph::new(members);
    let count = members.len();
    let merged = |at: usize| Some(at) == phases.merged;
    let mut calls = Vec::new();
    let mut present = vec![false; count];
    if let Some(at) = phases.merged.or(phases.upgraded) {
        present[at] = true;
        calls.push(Call::Assume(at));
    }
    let first = (0..count).map(|at| phases.first[at] && !merged(at));
    let first: Vec<bool> = first.collect();
    let rest = (0..count).map(|at| !phases.first[at] && !merged(at));
    let rest: Vec<bool> = rest.collect();
    if phases.installed {
        present.clone_from(&first);
    } else if first.contains(&true) {
        let actions = Run::new(&graph, members, present.clone(), first.clone()).actions();
        let unpacked = actions.into_iter().filter_map(|action| match action {
            Act::Unpack(at) => Some(at),
            Act::Configure(_) => None,
        });
        let unpacked: Vec<usize> = unpacked.collect();
        calls.extend([Call::Extract(unpacked.clone()), Call::Install(unpacked)]);
        for at in 0..count {
            present[at] |= first[at];
        }
    }
    if let Some(at) = phases.merged {
        calls.extend([
            Call::Unpack(vec![at]),
            Call::Configure(vec![at]),
            Call::Pending,
        ]);
    }
    if rest.contains(&true) {
        for action in Run::new(&graph, members, present, rest).actions() {
            match (action, calls.last_mut()) {
                (Act::Unpack(at), Some(Call::Unpack(all)))
                | (Act::Configure(at), Some(Call::Configure(all))) => all.push(at),
                (Act::Unpack(at), _) => calls.push(Call::Unpack(vec![at])),
                (Act::Configure(at), _) => calls.push(Call::Configure(vec![at])),
            }
        }
        calls.push(Call::Pending);
    }
    calls
}

/// All packages in the order in which the calls unpack them.
pub(in crate::solve) fn unpacking(calls: &[Call]) -> Vec<usize> {
    let lists = calls.iter().filter_map(|call| match call {
        Call::Install(all) | Call::Unpack(all) => Some(all),
        _ => None,
    });
    lists.flatten().copied().collect()
}

enum Act {
    Unpack(usize),
    Configure(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Unpacked,
    Configured,
}

/// That something can't be done now. The last call does it.
struct Stuck;

/// One run of apt.
struct Run<'g> {
    graph: &'g Graph,
    situation: Situation,
    list: Vec<usize>,
    states: Vec<State>,
    /// Packages whose dependencies are being looked at.
    open: Vec<bool>,
    acts: Vec<Act>,
    looks: usize,
}

impl<'g> Run<'g> {
    fn new(
        graph: &'g Graph,
        members: &[Control<'_>],
        present: Vec<bool>,
        changing: Vec<bool>,
    ) -> Self {
        let known: Vec<bool> = present
            .iter()
            .zip(&changing)
            .map(|(a, b)| *a || *b)
            .collect();
        let essential = (0..members.len()).filter(|at| members[*at].essential);
        let immediate = graph.reach(essential, &known, |need| need.named.as_slice());
        let scores: Vec<u32> = members
            .iter()
            .zip(&immediate)
            .map(|(member, immediate)| score(member, *immediate))
            .collect();
        let names: Vec<&str> = members.iter().map(|member| member.name).collect();
        let situation = Situation {
            present,
            changing,
            immediate,
        };
        Self {
            list: sorted(graph, &situation, &scores, &names),
            graph,
            situation,
            states: vec![State::New; members.len()],
            open: vec![false; members.len()],
            acts: Vec::new(),
            looks: 0,
        }
    }

    fn actions(mut self) -> Vec<Act> {
        for at in std::mem::take(&mut self.list) {
            if self.states[at] == State::New {
                let immediate = self.situation.immediate[at];
                if self.unpack(at, immediate, 0).is_err() && self.states[at] == State::New {
                    // apt would give up here. What is known is that it must come.
                    self.put(at);
                }
            }
        }
        self.acts
    }

    fn put(&mut self, at: usize) {
        self.states[at] = State::Unpacked;
        self.acts.push(Act::Unpack(at));
    }

    /// Whether it was installed before this run and still is as it was.
    fn is_ready(&self, at: usize) -> bool {
        self.situation.present[at] && self.states[at] == State::New
    }

    fn look(&mut self, depth: usize) -> Result<(), Stuck> {
        self.looks += 1;
        if depth > MAX_DEPTH || self.looks > MAX_LOOKS {
            return Err(Stuck);
        }
        Ok(())
    }

    /// Unpacks a package, after what it pre-depends on is configured; and configures
    /// it, if it is to be configured at once and can be.
    fn unpack(&mut self, at: usize, immediate: bool, depth: usize) -> Result<(), Stuck> {
        let looping = self.open[at];
        let node: &'g Node = &self.graph.nodes[at];
        // Once something failed, the package is not unpacked on this occasion.
        let mut failed = false;
        loop {
            self.look(depth)?;
            let mut changed = false;
            for group in &node.groups {
                let needs = &node.needs[group.clone()];
                if !needs[0].pre {
                    break;
                }
                let ready = |target: &usize| self.is_ready(*target);
                if needs.iter().any(|need| need.targets.iter().any(ready)) {
                    continue;
                }
                failed |= !self.prepare(at, group.start, looping, depth, &mut changed)?;
            }
            if !changed {
                if failed {
                    return Err(Stuck);
                }
                break;
            }
        }
        if looping {
            return Ok(());
        }
        if self.states[at] == State::New {
            self.put(at);
        }
        if immediate {
            // Where it can't be configured yet, it will be later.
            let _later = self.configure(at, depth + 1);
        }
        Ok(())
    }

    /// Configures something that meets the group that begins at alternative `from`.
    /// As apt does, goes on to later alternatives, even of other groups.
    fn prepare(
        &mut self,
        at: usize,
        from: usize,
        looping: bool,
        depth: usize,
        changed: &mut bool,
    ) -> Result<bool, Stuck> {
        let node: &'g Node = &self.graph.nodes[at];
        for need in &node.needs[from..] {
            for target in need.targets.iter().copied() {
                if !self.situation.changing[target] {
                    continue;
                }
                match self.states[target] {
                    State::Configured => {}
                    State::New if self.open[target] && looping => continue,
                    State::New => self.unpack_for(at, target, looping, depth, changed)?,
                    State::Unpacked => self.configure_for(at, target, looping, depth, changed)?,
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Configures a package, after all that it depends on.
    fn configure(&mut self, at: usize, depth: usize) -> Result<(), Stuck> {
        let looping = self.open[at];
        let node: &'g Node = &self.graph.nodes[at];
        let mut waiting = Vec::new();
        loop {
            self.look(depth)?;
            let mut changed = false;
            for group in &node.groups {
                if self.bring(at, group.clone(), looping, depth, &mut changed)? {
                    waiting.push(group.clone());
                }
            }
            if !changed {
                break;
            }
        }
        let mut met;
        loop {
            self.look(depth)?;
            let mut changed = false;
            met = true;
            for group in &waiting {
                met = self.settle(at, group.clone(), looping, depth, &mut changed)?;
            }
            if !changed {
                break;
            }
        }
        if !met {
            return Err(Stuck);
        }
        if looping {
            return Ok(());
        }
        if self.states[at] != State::Unpacked {
            return Err(Stuck);
        }
        self.states[at] = State::Configured;
        self.acts.push(Act::Configure(at));
        Ok(())
    }

    /// Unpacks something for a group that nothing meets yet. Tells whether what
    /// meets it must be configured still.
    fn bring(
        &mut self,
        at: usize,
        group: std::ops::Range<usize>,
        looping: bool,
        depth: usize,
        changed: &mut bool,
    ) -> Result<bool, Stuck> {
        let node: &'g Node = &self.graph.nodes[at];
        let needs = &node.needs[group];
        let ready = |target: &usize| self.is_ready(*target);
        if needs.iter().any(|need| need.targets.iter().any(ready)) {
            return Ok(false);
        }
        if looping {
            return Ok(true);
        }
        for need in needs {
            let new = |target: &usize| {
                self.situation.changing[*target] && self.states[*target] == State::New
            };
            if let Some(target) = need.targets.iter().copied().find(new) {
                self.unpack_for(at, target, looping, depth, changed)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Configures something unpacked that meets a group. Tells whether it is met.
    fn settle(
        &mut self,
        at: usize,
        group: std::ops::Range<usize>,
        looping: bool,
        depth: usize,
        changed: &mut bool,
    ) -> Result<bool, Stuck> {
        let node: &'g Node = &self.graph.nodes[at];
        for need in &node.needs[group] {
            for target in need.targets.iter().copied() {
                match self.states[target] {
                    State::New => continue,
                    State::Configured => {}
                    State::Unpacked if self.open[target] && looping => {}
                    State::Unpacked => self.configure_for(at, target, looping, depth, changed)?,
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn unpack_for(
        &mut self,
        at: usize,
        target: usize,
        looping: bool,
        depth: usize,
        changed: &mut bool,
    ) -> Result<(), Stuck> {
        self.open[at] = true;
        let done = self.unpack(target, true, depth + 1);
        self.open[at] = looping;
        done?;
        *changed |= !self.open[target];
        Ok(())
    }

    fn configure_for(
        &mut self,
        at: usize,
        target: usize,
        looping: bool,
        depth: usize,
        changed: &mut bool,
    ) -> Result<(), Stuck> {
        self.open[at] = true;
        let done = self.configure(target, depth + 1);
        self.open[at] = looping;
        done?;
        *changed |= !self.open[target];
        Ok(())
    }
}

fn score(member: &Control<'_>, immediate: bool) -> u32 {
    let priority = match member.priority {
        "required" => 5,
        "important" => 4,
        "standard" => 3,
        "optional" => 1,
        _ => 0,
    };
    let pre_depends = 50 * u32::from(!member.pre_depends.is_empty());
    200 * u32::from(member.essential) + 10 * u32::from(immediate) + pre_depends + priority
}
