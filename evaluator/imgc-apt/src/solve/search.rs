//! The search: depth first, in the order in which packages name what they need.
//!
//! This is how apt looks at dependencies, so that an alternative that is already
//! chosen is met in the same cases. Where a choice turns out to be impossible,
//! the search goes back to the last one that could have avoided it. The work is
//! bounded by a count, never by time.

use std::collections::BTreeMap;

use super::explain;
use super::universe::{Exclude, Field, Id, Universe};
use super::{Because, Conflict, Link, SolveError};

/// How often the search goes back before it gives up.
const MAX_RETRIES: usize = 20_000;

pub(super) struct Search<'u, 'a> {
    universe: &'u Universe<'a>,
    recommends: bool,
    /// How many were chosen before what is being added.
    before: usize,
    /// In the order in which they were chosen.
    chosen: Vec<Id>,
    /// For each candidate, where it stands in `chosen`, and why.
    places: Vec<Option<Place>>,
    /// By name, what chosen packages exclude. In the order of choosing.
    excluded: BTreeMap<&'a str, Vec<(Id, Exclude<'a>)>>,
}

#[derive(Clone, Copy)]
struct Place {
    at: usize,
    reason: Reason,
}

/// Why a candidate was chosen.
#[derive(Clone, Copy)]
enum Reason {
    Asked,
    Variant,
    /// The group of that number, of that package.
    Needed(Id, usize),
}

/// A package whose groups are being looked at.
#[derive(Clone, Copy)]
struct Frame {
    id: Id,
    next: usize,
}

/// A place to go back to.
struct Choice {
    /// The work that was left, the group itself excluded.
    stack: Vec<Frame>,
    chosen: usize,
    by: Id,
    group: usize,
    options: Vec<Id>,
    next: usize,
}

/// Two packages that exclude each other.
struct Clash {
    with: Id,
    /// Whether the relation is a field of the chosen one.
    theirs: bool,
    field: &'static str,
    relation: String,
}

impl<'u, 'a> Search<'u, 'a> {
    pub(super) fn new(universe: &'u Universe<'a>) -> Self {
        Self {
            universe,
            recommends: false,
            before: 0,
            chosen: Vec::new(),
            places: vec![None; universe.ids().count()],
            excluded: BTreeMap::new(),
        }
    }

    /// Adds recommended packages too from now on.
    pub(super) fn recommending(mut self) -> Self {
        self.recommends = true;
        self
    }

    pub(super) fn chosen(&self) -> &[Id] {
        &self.chosen
    }

    /// Adds packages and all that they need to what was chosen before. All of
    /// them are chosen before any alternative is looked at.
    pub(super) fn add(&mut self, variant: &[Id], asked: &[Id]) -> Result<(), SolveError> {
        self.before = self.chosen.len();
        let roots = || {
            let variant = variant.iter().map(|id| (*id, Reason::Variant));
            variant.chain(asked.iter().map(|id| (*id, Reason::Asked)))
        };
        for (id, reason) in roots() {
            if self.places[id as usize].is_some() {
                continue;
            }
            if let Some(clash) = self.clash(id)? {
                return Err(self.conflict(id, reason, &clash));
            }
            self.choose(id, reason)?;
        }
        // The one that is looked at first stands last.
        let mut stack: Vec<Frame> = roots().map(|(id, _)| Frame { id, next: 0 }).collect();
        stack.reverse();
        self.complete(stack)
    }

    fn complete(&mut self, mut stack: Vec<Frame>) -> Result<(), SolveError> {
        let mut choices: Vec<Choice> = Vec::new();
        let mut first_failure = None;
        let mut retries = 0;
        while let Some(frame) = stack.last_mut() {
            let (by, group) = (frame.id, frame.next);
            let needs = self.universe.needs(by)?;
            let Some(need) = needs.groups.get(group) else {
                stack.pop();
                continue;
            };
            frame.next += 1;
            let soft = need.field == Field::Recommends;
            if soft && !self.recommends {
                continue;
            }
            let arch = self.universe.arch(by);
            let is_chosen = |id: &Id| self.places[*id as usize].is_some();
            let is_met = |relation| self.universe.meeting(relation, arch).iter().any(is_chosen);
            if need.group.alternatives.iter().any(is_met) {
                continue;
            }
            let there =
                |id: Id| self.places[id as usize].is_some_and(|place| place.at < self.before);
            let options = self.universe.options(&need.group, arch, there);
            let mut choice = Choice {
                stack: stack.clone(),
                chosen: self.chosen.len(),
                by,
                group,
                options,
                next: 0,
            };
            let mut culprit = self.position(by);
            loop {
                match self.take(&mut choice, &mut culprit)? {
                    Ok(id) => {
                        stack.clone_from(&choice.stack);
                        stack.push(Frame { id, next: 0 });
                        if choice.next < choice.options.len() || self.is_soft(&choice)? {
                            choices.push(choice);
                        }
                        break;
                    }
                    Err(_) if self.is_soft(&choice)? => {
                        // Nothing recommended is worth a failure.
                        stack.clone_from(&choice.stack);
                        break;
                    }
                    Err(failure) => {
                        let failure = first_failure.get_or_insert(failure);
                        retries += 1;
                        // A choice made after all that stands in the way can't help.
                        while choices.last().is_some_and(|last| last.chosen > culprit) {
                            choices.pop();
                        }
                        match choices.pop() {
                            Some(last) if retries < MAX_RETRIES => choice = last,
                            _ => return Err(failure.clone()),
                        }
                        self.undo(choice.chosen)?;
                        // What is in the way now may be anything before it.
                        culprit = choice.chosen;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes the next option that nothing excludes. `culprit` is raised to the
    /// last place of what is in the way.
    fn take(
        &mut self,
        choice: &mut Choice,
        culprit: &mut usize,
    ) -> Result<Result<Id, SolveError>, SolveError> {
        let mut failure = None;
        while let Some(&id) = choice.options.get(choice.next) {
            choice.next += 1;
            let reason = Reason::Needed(choice.by, choice.group);
            match self.clash(id)? {
                None => {
                    self.choose(id, reason)?;
                    return Ok(Ok(id));
                }
                Some(clash) => {
                    *culprit = self.position(clash.with).max(*culprit);
                    failure.get_or_insert_with(|| self.conflict(id, reason, &clash));
                }
            }
        }
        match failure {
            Some(failure) => Ok(Err(failure)),
            None => Ok(Err(self.unsatisfiable(choice)?)),
        }
    }

    fn is_soft(&self, choice: &Choice) -> Result<bool, SolveError> {
        let needs = self.universe.needs(choice.by)?;
        Ok(needs.groups[choice.group].field == Field::Recommends)
    }

    /// Where a chosen package stands, the first being 0.
    fn position(&self, id: Id) -> usize {
        self.places[id as usize].map_or(0, |place| place.at)
    }

    fn choose(&mut self, id: Id, reason: Reason) -> Result<(), SolveError> {
        let at = self.chosen.len();
        self.places[id as usize] = Some(Place { at, reason });
        self.chosen.push(id);
        for exclude in &self.universe.needs(id)?.excludes {
            let owners = self.excluded.entry(exclude.relation.name).or_default();
            owners.push((id, exclude.clone()));
        }
        Ok(())
    }

    fn undo(&mut self, length: usize) -> Result<(), SolveError> {
        while self.chosen.len() > length {
            let Some(id) = self.chosen.pop() else {
                break;
            };
            self.places[id as usize] = None;
            for exclude in &self.universe.needs(id)?.excludes {
                if let Some(owners) = self.excluded.get_mut(exclude.relation.name) {
                    owners.pop();
                }
            }
        }
        Ok(())
    }

    /// What, among the chosen, excludes a candidate or is excluded by it.
    fn clash(&self, id: Id) -> Result<Option<Clash>, SolveError> {
        let needs = self.universe.needs(id)?;
        let package = self.universe.package(id);
        for other in self
            .universe
            .named(package.name())
            .filter(|other| *other != id)
        {
            if self.places[other as usize].is_some()
                && let Some((owner, field, relation)) = self.universe.out_of_step(id, other)
            {
                return Ok(Some(Clash {
                    with: other,
                    theirs: owner == other,
                    field,
                    relation,
                }));
            }
        }
        for exclude in &needs.excludes {
            let hit = |other: &Id| {
                self.places[*other as usize].is_some() && self.universe.counts(id, *other)
            };
            if let Some(with) = self
                .universe
                .excluded(&exclude.relation)
                .into_iter()
                .find(hit)
            {
                return Ok(Some(Clash {
                    with,
                    theirs: false,
                    field: exclude.field,
                    relation: exclude.relation.to_string(),
                }));
            }
        }
        let names = [package.name()].into_iter();
        let names = names.chain(needs.provides.iter().map(|provided| provided.name));
        for (owner, exclude) in names.flat_map(|name| self.excluded.get(name)).flatten() {
            if self.universe.counts(*owner, id)
                && self.universe.excluded(&exclude.relation).contains(&id)
            {
                return Ok(Some(Clash::by(*owner, exclude)));
            }
        }
        Ok(None)
    }

    fn conflict(&self, id: Id, reason: Reason, clash: &Clash) -> SolveError {
        let name = |id: Id| self.universe.shown(id);
        SolveError::Conflict(Box::new(Conflict {
            package: name(id),
            other: name(clash.with),
            owner: name(if clash.theirs { clash.with } else { id }),
            field: clash.field,
            relation: clash.relation.clone(),
            chain: self.chain(id, reason),
            other_chain: self.chain_of(clash.with),
        }))
    }

    fn unsatisfiable(&self, choice: &Choice) -> Result<SolveError, SolveError> {
        let needs = self.universe.needs(choice.by)?;
        let group = &needs.groups[choice.group].group;
        Ok(SolveError::Unsatisfiable {
            chain: self.chain_of(choice.by),
            wanted: group.to_string(),
            available: explain::available(self.universe, group),
        })
    }

    fn chain_of(&self, id: Id) -> Vec<Link> {
        let reason = self.places[id as usize].map_or(Reason::Asked, |place| place.reason);
        self.chain(id, reason)
    }

    /// From the package that was asked for down to `id`.
    fn chain(&self, mut id: Id, mut reason: Reason) -> Vec<Link> {
        let mut links = Vec::new();
        loop {
            let package = self.universe.package(id);
            let mut because = match reason {
                Reason::Asked => Because::Asked,
                _ => Because::Variant,
            };
            let mut asker = None;
            if let Reason::Needed(by, group) = reason
                && let Ok(needs) = self.universe.needs(by)
            {
                because = Because::Needed {
                    field: needs.groups[group].field.name(),
                    relation: needs.groups[group].group.to_string(),
                };
                asker = Some(by);
            }
            links.push(Link {
                package: self.universe.shown(id),
                version: package.version().to_owned(),
                because,
            });
            // Who asks was chosen before: the chain ends.
            match asker.and_then(|by| Some((by, self.places[by as usize]?))) {
                Some((by, place)) => (id, reason) = (by, place.reason),
                None => break,
            }
        }
        links.reverse();
        links
    }
}

impl Clash {
    fn by(owner: Id, exclude: &Exclude<'_>) -> Self {
        Self {
            with: owner,
            theirs: true,
            field: exclude.field,
            relation: exclude.relation.to_string(),
        }
    }
}
