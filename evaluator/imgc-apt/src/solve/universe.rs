//! The candidates: one version of each name and architecture, and who provides which name.
//! Knows which of them meet a relation, and chooses none.

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

/// An architecture, by its place: the native one is 0, to which `all` belongs.
pub(super) type ArchId = usize;

/// The native architecture.
pub(super) const NATIVE: ArchId = 0;

pub(super) struct Universe<'a> {
    /// The native one first, then the foreign ones.
    archs: Vec<String>,
    /// Sorted by name, then by architecture, each once.
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
    pub(super) arch: ArchId,
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
    /// The candidates of the archives for the architectures `archs`, the native one first,
    /// where `asked` may choose others than the archives' priorities do.
    pub(super) fn new(
        offers: &[Offer<'a>],
        archs: &[&str],
        asked: &[Asked<'_>],
    ) -> Result<Self, SolveError> {
        Self::read_all(offers, offers.len(), archs, &BTreeMap::new(), asked)
    }

    /// The same, where a version of `keep` is the only candidate of its name. Those that
    /// the archives don't have stand in `kept`.
    pub(super) fn keeping(
        offers: &[Offer<'a>],
        archs: &[&str],
        keep: &BTreeMap<String, Option<String>>,
        kept: &'a Index,
        asked: &[Asked<'_>],
    ) -> Result<Self, SolveError> {
        let mut all = offers.to_vec();
        all.push(Offer::from(kept));
        Self::read_all(&all, offers.len(), archs, keep, asked)
    }

    fn read_all(
        offers: &[Offer<'a>],
        archives: usize,
        archs: &[&str],
        keep: &BTreeMap<String, Option<String>>,
        asked: &[Asked<'_>],
    ) -> Result<Self, SolveError> {
        let is_kept = |package: &Package<'_>| {
            let version = keep.get(package.name()).and_then(Option::as_deref);
            version == Some(package.version())
        };
        let mut all: Vec<Candidate<'a>> = Vec::new();
        for (index, offer) in offers.iter().enumerate() {
            let fits = |package: &Package<'_>| index < archives || is_kept(package);
            let packages = offer.index.packages().filter(fits);
            all.extend(packages.filter_map(|package| {
                Some(Candidate {
                    arch: place_of(archs, package)?,
                    package,
                    index,
                })
            }));
        }
        // The sort is stable: of one version, the first archive's comes first.
        all.sort_by(|a, b| {
            let names = a.key().cmp(&b.key());
            names.then_with(|| version::compare(b.package.version(), a.package.version()))
        });
        let wishes = wishes::grant(&all, offers, asked, archs)?;
        let mut candidates: Vec<Candidate<'a>> = Vec::new();
        for versions in all.chunk_by(|a, b| a.key() == b.key()) {
            let wished = wishes.get(&versions[0].key());
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
            archs: archs.iter().map(|&arch| arch.to_owned()).collect(),
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

    pub(super) fn arch(&self, id: Id) -> ArchId {
        self.candidates[id as usize].arch
    }

    /// The name by which people tell it from others: with the architecture, if that is a
    /// foreign one.
    pub(super) fn shown(&self, id: Id) -> String {
        let name = self.package(id).name();
        match self.arch(id) {
            NATIVE => name.to_owned(),
            arch => format!("{name}:{}", self.archs[arch]),
        }
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
                let arch = candidate.package.architecture();
                let mut now = index.named(name);
                if let Some(now) = now.find(|package| package.architecture() == arch) {
                    return (at, place(now));
                }
            }
        }
        (candidate.index, place(candidate.package))
    }

    /// What may be chosen for the alternatives of a package of the architecture `asker`, in
    /// the order in which apt tries them. `there` tells what is installed already.
    pub(super) fn options(
        &self,
        group: &Group<'_>,
        asker: ArchId,
        there: impl Fn(Id) -> bool,
    ) -> Vec<Id> {
        let relations = group.alternatives.iter();
        let mut options: Vec<Id> = relations
            .flat_map(|relation| self.preferred(relation, asker, &there))
            .collect();
        self.prefer_merged(&mut options);
        // What was chosen before stands in front of the rest.
        if !self.members.is_empty() {
            options.sort_by_key(|id| !self.members.contains(self.package(*id).name()));
        }
        options
    }

    /// An image has its folders merged under `/usr` from the start: where a package
    /// asks for that or for the conversion, there is nothing to convert.
    fn prefer_merged(&self, options: &mut [Id]) {
        let place = |name: &str| {
            let named = |id: &Id| self.package(*id).name() == name;
            options.iter().position(named)
        };
        if let (Some(conversion), Some(merged)) = (place("usrmerge"), place("usr-is-merged"))
            && conversion < merged
        {
            options[conversion..=merged].rotate_right(1);
        }
    }

    /// The candidates of that name, one of each architecture.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = Id> + use<> {
        let before = |candidate: &Candidate<'_>| candidate.package.name() < name;
        let from = self.candidates.partition_point(before);
        let length = self.candidates[from..]
            .iter()
            .take_while(|candidate| candidate.package.name() == name)
            .count();
        from as Id..(from + length) as Id
    }

    /// The candidate that a user means: of a name that is only provided, the one
    /// package that does. Without an architecture it is the native one, where there is
    /// one.
    pub(super) fn find(&self, asked: &Asked<'_>) -> Result<Id, SolveError> {
        let wanted = match asked.arch {
            None | Some("any") => None,
            Some("all" | "native") => Some(NATIVE),
            // One that no architecture of the image is would be foreign, and be there.
            Some(arch) => self.archs.iter().position(|known| known == arch),
        };
        let fits = |id: &Id| wanted.is_none_or(|arch| self.arch(*id) == arch);
        if let Some(id) = self.named(asked.name).find(fits) {
            return Ok(id);
        }
        let relation = Relation {
            name: asked.name,
            qualifier: None,
            constraint: None,
            architectures: Vec::new(),
        };
        let mut providers = self.meeting(&relation, wanted.unwrap_or(NATIVE));
        providers.sort_unstable();
        // Of one package in several architectures, the first is preferred.
        providers.dedup_by_key(|id| self.package(*id).name());
        match providers[..] {
            [id] => return Ok(id),
            [] => {}
            _ => {
                return Err(SolveError::Virtual {
                    name: asked.name.to_owned(),
                    providers: providers.into_iter().map(|id| self.shown(id)).collect(),
                });
            }
        }
        let here = wanted.unwrap_or(NATIVE);
        let known = self.candidates.iter().filter(|known| known.arch == here);
        let known = known.map(|known| known.package.name());
        let virtuals = self.providers.keys().copied();
        Err(SolveError::Unknown {
            name: asked.name.to_owned(),
            arch: self.archs[here].clone(),
            suggestions: explain::similar(asked.name, known.chain(virtuals)),
        })
    }

    /// The candidates that meet a relation of a package of the architecture `asker`: those
    /// of that name, then the providers in the order of their names.
    pub(super) fn meeting(&self, relation: &Relation<'_>, asker: ArchId) -> Vec<Id> {
        self.related(relation, |id| self.serves(relation, asker, id))
    }

    /// The candidates that a relation of `Conflicts` or `Breaks` means. Without an
    /// architecture, it means all.
    pub(super) fn excluded(&self, relation: &Relation<'_>) -> Vec<Id> {
        self.related(relation, |id| match relation.qualifier {
            None => true,
            Some(arch) => self.archs[self.arch(id)] == arch,
        })
    }

    fn related(&self, relation: &Relation<'_>, fits: impl Fn(Id) -> bool) -> Vec<Id> {
        let accepted = |id: &Id| relation.accepts(self.package(*id).version()) && fits(*id);
        let mut ids: Vec<Id> = self.named(relation.name).filter(accepted).collect();
        // They are in the order of their ids, and so of their names.
        for provider in self.providers.get(relation.name).into_iter().flatten() {
            let meets = match (relation.constraint, provider.version) {
                (None, _) => true,
                (Some(constraint), Some(version)) => constraint.accepts(version),
                (Some(_), None) => false,
            };
            let id = provider.id;
            if meets && !ids.contains(&id) && fits(id) {
                ids.push(id);
            }
        }
        ids
    }

    /// The same as [`Universe::meeting`], in the order in which apt prefers them. `there`
    /// tells what is installed already.
    pub(super) fn preferred(
        &self,
        relation: &Relation<'_>,
        asker: ArchId,
        there: impl Fn(Id) -> bool,
    ) -> Vec<Id> {
        let mut ids = self.meeting(relation, asker);
        let standing = |id: &Id| {
            let package = self.package(*id);
            let beside =
                package.multi_arch() == MultiArch::Same && self.named(package.name()).any(&there);
            let arch = self.arch(*id);
            (
                !beside,
                package.name() != relation.name,
                !(package.essential() && arch == NATIVE),
                arch,
                rank(package.priority()),
            )
        };
        ids.sort_by_cached_key(standing);
        for equals in ids.chunk_by_mut(|a, b| standing(a) == standing(b)) {
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
            let packages = self.indices.iter().flat_map(|index| index.packages());
            let arch = self.archs[self.arch(ids[0])].as_str();
            let native = arch == self.archs[NATIVE];
            'all: for package in packages {
                let here = package.architecture();
                // A name is known of each architecture for itself.
                if here != arch && !(native && here == "all") {
                    continue;
                }
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

    /// Whether a candidate serves packages of the architecture `asker` that have this
    /// relation.
    fn serves(&self, relation: &Relation<'_>, asker: ArchId, id: Id) -> bool {
        let multi_arch = self.package(id).multi_arch();
        match relation.qualifier {
            None => self.arch(id) == asker || multi_arch == MultiArch::Foreign,
            Some("any") => multi_arch == MultiArch::Allowed,
            Some("native") => self.arch(id) == NATIVE,
            Some(arch) => self.archs[self.arch(id)] == arch,
        }
    }

    /// Whether a relation of `owner` that excludes `other` is to be looked at: not where it
    /// is about the package itself, or its kind for other architectures.
    pub(super) fn counts(&self, owner: Id, other: Id) -> bool {
        let (one, two) = (self.package(owner), self.package(other));
        one.name() != two.name() || (owner != other && one.multi_arch() != MultiArch::Same)
    }

    /// Why two candidates of one name can't be installed at once, if they can't: whose
    /// field says so, the field, and its value.
    pub(super) fn out_of_step(&self, one: Id, two: Id) -> Option<(Id, &'static str, String)> {
        let same = |id: Id| self.package(id).multi_arch() == MultiArch::Same;
        let version = |id: Id| self.package(id).version();
        match [one, two].into_iter().find(|id| !same(*id)) {
            Some(owner) => {
                let value = self.package(owner).multi_arch().name();
                Some((owner, "Multi-Arch", value.to_owned()))
            }
            None if version::compare(version(one), version(two)).is_ne() => {
                let value = format!("same, in the version {}", version(one));
                Some((one, "Multi-Arch", value))
            }
            None => None,
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
        let arch = self.archs[self.arch(id)].as_str();
        let fields = [
            (Field::PreDepends, package.pre_depends()),
            (Field::Depends, package.depends()),
            (Field::Recommends, package.recommends()),
        ];
        let mut groups = Vec::new();
        for (field, relations) in fields {
            for mut group in relations.map_err(fail)?.groups {
                group.alternatives.retain(|r| r.applies_to(arch));
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
                // One that names another architecture may be about packages that aren't here.
                let here = match relation.qualifier {
                    None => true,
                    Some("any" | "native") => relation.qualifier.take().is_some(),
                    Some(arch) => self.archs.iter().any(|known| known == arch),
                };
                if here && relation.applies_to(arch) {
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

impl<'a> Candidate<'a> {
    pub(super) fn key(&self) -> (&'a str, ArchId) {
        (self.package.name(), self.arch)
    }
}

/// Which of the architectures a package is of.
fn place_of(archs: &[&str], package: Package<'_>) -> Option<ArchId> {
    match package.architecture() {
        "all" => Some(NATIVE),
        arch => archs.iter().position(|known| *known == arch),
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
