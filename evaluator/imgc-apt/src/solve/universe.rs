//! The candidates: one version of each name, and who provides which name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::asked::Asked;
use super::{Offer, SolveError, explain, wishes};
use crate::depends::{Group, Relation, RelationError, Relations};
use crate::index::{Index, MultiArch, Package};
use crate::version;

/// A candidate, by its place in the order of the names.
pub(super) type Id = u32;

pub(super) struct Universe<'a> {
    arch: String,
    /// Sorted by name, each name once.
    candidates: Vec<Candidate<'a>>,
    /// Who provides a name, and in which version if it says so.
    providers: BTreeMap<&'a str, Vec<Provider<'a>>>,
    /// What was parsed of the candidates so far.
    needs: RefCell<Vec<Option<Rc<Needs<'a>>>>>,
    indices: Vec<&'a Index>,
    /// How many of them are archives': what is kept comes from one after these.
    archives: usize,
    /// The names of an earlier answer, which are preferred.
    members: BTreeSet<String>,
    /// Sets of equal providers, and the order in which they are preferred.
    equals: RefCell<BTreeMap<Vec<Id>, Vec<Id>>>,
}

#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) package: Package<'a>,
    pub(super) index: usize,
}

struct Provider<'a> {
    id: Id,
    version: Option<&'a str>,
}

/// A candidate's relations.
pub(super) struct Needs<'a> {
    /// In the order in which they are looked at.
    pub(super) groups: Vec<Need<'a>>,
    /// `Conflicts` and `Breaks`.
    pub(super) excludes: Vec<Exclude<'a>>,
    /// The names that it provides.
    pub(super) provides: Vec<Relation<'a>>,
}

pub(super) struct Need<'a> {
    pub(super) field: Field,
    pub(super) group: Group<'a>,
}

#[derive(Clone)]
pub(super) struct Exclude<'a> {
    pub(super) field: &'static str,
    pub(super) relation: Relation<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    PreDepends,
    Depends,
    Recommends,
}

impl Field {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PreDepends => "Pre-Depends",
            Self::Depends => "Depends",
            Self::Recommends => "Recommends",
        }
    }
}

impl<'a> Universe<'a> {
    /// The candidates of the archives, where `asked` may choose others than the
    /// archives' priorities do.
    pub(super) fn new(
        offers: &[Offer<'a>],
        arch: &str,
        asked: &[Asked<'_>],
    ) -> Result<Self, SolveError> {
        Self::read_all(offers, offers.len(), arch, &BTreeMap::new(), asked)
    }

    /// The same, where a version of `keep` is the only candidate of its name. Those that
    /// the archives don't have stand in `kept`.
    pub(super) fn keeping(
        offers: &[Offer<'a>],
        arch: &str,
        keep: &BTreeMap<String, Option<String>>,
        kept: &'a Index,
        asked: &[Asked<'_>],
    ) -> Result<Self, SolveError> {
        let mut all = offers.to_vec();
        all.push(Offer::from(kept));
        Self::read_all(&all, offers.len(), arch, keep, asked)
    }

    fn read_all(
        offers: &[Offer<'a>],
        archives: usize,
        arch: &str,
        keep: &BTreeMap<String, Option<String>>,
        asked: &[Asked<'_>],
    ) -> Result<Self, SolveError> {
        let is_kept = |package: &Package<'_>| {
            let version = keep.get(package.name()).and_then(Option::as_deref);
            version == Some(package.version())
        };
        let mut all: Vec<Candidate<'a>> = Vec::new();
        for (index, offer) in offers.iter().enumerate() {
            let fits = |package: &Package<'_>| {
                [arch, "all"].contains(&package.architecture())
                    && (index < archives || is_kept(package))
            };
            let packages = offer.index.packages().filter(fits);
            all.extend(packages.map(|package| Candidate { package, index }));
        }
        // The sort is stable: of one version, the first archive's comes first.
        all.sort_by(|a, b| {
            let names = a.package.name().cmp(b.package.name());
            names.then_with(|| version::compare(b.package.version(), a.package.version()))
        });
        let wishes = wishes::grant(&all, offers, asked, arch)?;
        let mut candidates: Vec<Candidate<'a>> = Vec::new();
        for versions in all.chunk_by(|a, b| a.package.name() == b.package.name()) {
            let wished = wishes.get(versions[0].package.name());
            let kept = || versions.iter().find(|known| is_kept(&known.package));
            let chosen = wished.or_else(kept).or_else(|| best(versions, offers));
            candidates.extend(chosen.copied());
        }
        let mut providers: BTreeMap<&str, Vec<Provider<'_>>> = BTreeMap::new();
        for (candidate, id) in candidates.iter().zip(0..) {
            for relation in provided(candidate.package)? {
                let version = relation.constraint.map(|constraint| constraint.version);
                let provider = Provider { id, version };
                providers.entry(relation.name).or_default().push(provider);
            }
        }
        Ok(Self {
            arch: arch.to_owned(),
            needs: RefCell::new(vec![None; candidates.len()]),
            candidates,
            providers,
            indices: offers.iter().map(|offer| offer.index).collect(),
            archives,
            members: keep.keys().cloned().collect(),
            equals: RefCell::default(),
        })
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        0..self.candidates.len() as Id
    }

    pub(super) fn package(&self, id: Id) -> Package<'a> {
        self.candidates[id as usize].package
    }

    pub(super) fn origin(&self, id: Id) -> usize {
        self.candidates[id as usize].index
    }

    /// Where apt reads a candidate: the archive, and the place in its index. An index's
    /// packages lie in one text, in its order. What is kept has the place of the version
    /// that the archives have now.
    pub(super) fn reading(&self, id: Id) -> (usize, usize) {
        let candidate = &self.candidates[id as usize];
        let name = candidate.package.name();
        let place = |package: Package<'_>| package.name().as_ptr().addr();
        if candidate.index >= self.archives {
            let archives = self.indices[..self.archives].iter().enumerate();
            for (at, index) in archives {
                if let Some(now) = index.named(name).next() {
                    return (at, place(now));
                }
            }
        }
        (candidate.index, place(candidate.package))
    }

    /// Puts what was chosen before in front of the rest.
    pub(super) fn prefer_members(&self, ids: &mut [Id]) {
        if !self.members.is_empty() {
            ids.sort_by_key(|id| !self.members.contains(self.package(*id).name()));
        }
    }

    pub(super) fn named(&self, name: &str) -> Option<Id> {
        self.candidates
            .binary_search_by(|candidate| candidate.package.name().cmp(name))
            .ok()
            .map(|at| at as Id)
    }

    /// The candidate that a user means: of a name that is only provided, the one
    /// package that does.
    pub(super) fn find(&self, name: &str) -> Result<Id, SolveError> {
        if let Some(id) = self.named(name) {
            return Ok(id);
        }
        if let Some(providers) = self.providers.get(name) {
            let mut ids: Vec<Id> = providers.iter().map(|provider| provider.id).collect();
            ids.dedup();
            if let [id] = ids[..] {
                return Ok(id);
            }
            let names = ids.iter().map(|id| self.package(*id).name().to_owned());
            let names = names.collect();
            return Err(SolveError::Virtual {
                name: name.to_owned(),
                providers: names,
            });
        }
        let known = self.candidates.iter().map(|c| c.package.name());
        let virtuals = self.providers.keys().copied();
        Err(SolveError::Unknown {
            name: name.to_owned(),
            arch: self.arch.clone(),
            suggestions: explain::similar(name, known.chain(virtuals)),
        })
    }

    /// The candidates that meet a relation: the one of that name, then the
    /// providers in the order of their names.
    pub(super) fn meeting(&self, relation: &Relation<'_>) -> Vec<Id> {
        let own = self.named(relation.name).filter(|id| {
            let package = self.package(*id);
            relation.accepts(package.version()) && self.qualifies(relation, package)
        });
        let mut ids: Vec<Id> = own.into_iter().collect();
        // They are in the order of their ids, and so of their names.
        for provider in self.providers.get(relation.name).into_iter().flatten() {
            let meets = match (relation.constraint, provider.version) {
                (None, _) => true,
                (Some(constraint), Some(version)) => constraint.accepts(version),
                (Some(_), None) => false,
            };
            let id = provider.id;
            if meets && !ids.contains(&id) && self.qualifies(relation, self.package(id)) {
                ids.push(id);
            }
        }
        ids
    }

    /// The same, in the order in which apt prefers them.
    pub(super) fn preferred(&self, relation: &Relation<'_>) -> Vec<Id> {
        let mut ids = self.meeting(relation);
        let own = !ids.is_empty() && ids.first() == self.named(relation.name).as_ref();
        let others = &mut ids[usize::from(own)..];
        let standing = |id: &Id| {
            let package = self.package(*id);
            (!package.essential(), rank(package.priority()))
        };
        others.sort_by_key(standing);
        for equals in others.chunk_by_mut(|a, b| standing(a) == standing(b)) {
            self.sort_equals(equals);
        }
        ids
    }

    /// Between providers that nothing else tells apart, apt takes the one whose
    /// name it read last: in a stanza of its own or in another package's fields.
    fn sort_equals(&self, ids: &mut [Id]) {
        if ids.len() < 2 {
            return;
        }
        let mut known = self.equals.borrow_mut();
        let order = known.entry(ids.to_vec()).or_insert_with(|| {
            let mut order: Vec<Id> = Vec::with_capacity(ids.len());
            let mut note = |name: &str| {
                // The ids are in the order of the names.
                let found = ids.binary_search_by(|id| self.package(*id).name().cmp(name));
                if let Some(id) = found.ok().map(|at| ids[at])
                    && !order.contains(&id)
                {
                    order.push(id);
                }
                order.len() == ids.len()
            };
            'all: for package in self.indices.iter().flat_map(|index| index.packages()) {
                for name in std::iter::once(package.name()).chain(package.mentioned()) {
                    if note(name) {
                        break 'all;
                    }
                }
            }
            order.reverse();
            order
        });
        ids.copy_from_slice(order);
    }

    /// With one architecture, a qualifier asks for a kind of package or for that
    /// architecture.
    fn qualifies(&self, relation: &Relation<'_>, package: Package<'_>) -> bool {
        match relation.qualifier {
            None | Some("native") => true,
            Some("any") => package.multi_arch() == MultiArch::Allowed,
            Some(arch) => arch == self.arch,
        }
    }

    pub(super) fn needs(&self, id: Id) -> Result<Rc<Needs<'a>>, SolveError> {
        if let Some(needs) = &self.needs.borrow()[id as usize] {
            return Ok(Rc::clone(needs));
        }
        let needs = Rc::new(self.read(id)?);
        self.needs.borrow_mut()[id as usize] = Some(Rc::clone(&needs));
        Ok(needs)
    }

    fn read(&self, id: Id) -> Result<Needs<'a>, SolveError> {
        let package = self.package(id);
        let fail = |error| broken(package, error);
        let fields = [
            (Field::PreDepends, package.pre_depends()),
            (Field::Depends, package.depends()),
            (Field::Recommends, package.recommends()),
        ];
        let mut groups = Vec::new();
        for (field, relations) in fields {
            for mut group in relations.map_err(fail)?.groups {
                group.alternatives.retain(|r| r.applies_to(&self.arch));
                if !group.alternatives.is_empty() {
                    groups.push(Need { field, group });
                }
            }
        }
        let mut excludes = Vec::new();
        for (field, relations) in [
            ("Conflicts", package.conflicts()),
            ("Breaks", package.breaks()),
        ] {
            for mut relation in flat(relations.map_err(fail)?) {
                // One that names another architecture is about packages that aren't here.
                let here = match relation.qualifier.take() {
                    None | Some("any" | "native") => true,
                    Some(arch) => arch == self.arch,
                };
                if here && relation.applies_to(&self.arch) {
                    excludes.push(Exclude { field, relation });
                }
            }
        }
        Ok(Needs {
            groups,
            excludes,
            provides: provided(package)?,
        })
    }
}

/// Of the versions of one name, the newest first, the one that apt would take: of the
/// highest priority, and the newest of those. A version has the highest priority of the
/// archives that have it; below zero, it is not taken.
pub(super) fn best<'v, 'a>(
    versions: &'v [Candidate<'a>],
    offers: &[Offer<'_>],
) -> Option<&'v Candidate<'a>> {
    let mut best: Option<(i32, &Candidate<'a>)> = None;
    for same in versions.chunk_by(|a, b| a.package.version() == b.package.version()) {
        let priorities = same.iter().map(|known| offers[known.index].priority);
        let priority = priorities.max().unwrap_or(-1);
        if priority >= 0 && best.is_none_or(|(highest, _)| priority > highest) {
            best = Some((priority, &same[0]));
        }
    }
    best.map(|(_, known)| known)
}

fn provided(package: Package<'_>) -> Result<Vec<Relation<'_>>, SolveError> {
    let relations = package.provides();
    relations.map(flat).map_err(|error| broken(package, error))
}

fn flat(relations: Relations<'_>) -> Vec<Relation<'_>> {
    let groups = relations.groups.into_iter();
    groups.flat_map(|group| group.alternatives).collect()
}

fn broken(package: Package<'_>, error: RelationError) -> SolveError {
    SolveError::Relation {
        package: package.name().to_owned(),
        error,
    }
}

/// The more important, the smaller.
fn rank(priority: &str) -> u8 {
    match priority {
        "required" => 0,
        "important" => 1,
        "standard" => 2,
        "optional" => 3,
        _ => 4,
    }
}
