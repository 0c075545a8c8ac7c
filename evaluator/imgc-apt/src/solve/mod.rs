//! Chooses the packages of an image, as apt would, from the indices alone.
//!
//! The same indices and the same request give the same answer, whatever the
//! machine. What comes out is a set without conflicts in which every dependency
//! holds, in an order in which it can be installed.

mod asked;
mod explain;
mod graph;
mod keep;
mod mark;
mod order;
mod over;
mod search;
mod universe;
mod wishes;

use std::collections::BTreeSet;

use crate::depends::{RelationError, is_name};
use crate::index::{Index, Package};
use crate::sha256::Sha256;

pub use asked::{Asked, Wish};
pub use graph::{Node, NodeNeed, graph};
pub use keep::{Keep, solve_keeping};
pub use order::{Action, Call, Control, ControlError, Dpkg};
pub use over::solve_over;

/// The package set that is there before a name is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// Nothing: the asked packages and what they depend on.
    Distroless,
    /// The packages with `Essential: yes`.
    Essential,
    /// Those and apt.
    Apt,
    /// Those and every package of priority `required`.
    Minbase,
}

impl Variant {
    /// All of them, the smallest first.
    pub const ALL: [Self; 4] = [Self::Distroless, Self::Essential, Self::Apt, Self::Minbase];

    /// The name as the lock writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Distroless => "distroless",
            Self::Essential => "essential",
            Self::Apt => "apt",
            Self::Minbase => "minbase",
        }
    }
}

/// An index, and what its packages count for.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The index.
    pub index: &'a Index,
    /// The priority of its versions, as `apt_preferences(5)` has it: 500 for an archive
    /// like any other, 100 for one such as backports, less than 0 for never.
    pub priority: i32,
    /// The names by which a request can mean the archive: the distribution, `Suite`,
    /// `Codename`. Empty ones mean nothing.
    pub names: [&'a str; 3],
}

impl<'a> From<&'a Index> for Offer<'a> {
    /// An archive like any other, without a name.
    fn from(index: &'a Index) -> Self {
        Self {
            index,
            priority: 500,
            names: [""; 3],
        }
    }
}

/// What is asked of one suite.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// The suite: `trixie`. The solver does not look at it.
    pub suite: String,
    /// The architecture: `amd64`.
    pub arch: String,
    /// What is installed beside the names.
    pub variant: Variant,
    /// Whether recommended packages are installed too.
    pub recommends: bool,
    /// The packages, sorted, each once, in the form that [`Asked::parse`] reads.
    pub names: Vec<String>,
    /// The archives beside those of the suite, in the order in which they are preferred.
    pub archives: Vec<AskedArchive>,
    /// The digest of the image whose packages are there already, as its reference has it.
    pub base: Option<Sha256>,
}

impl Request {
    /// The architectures beside the own one that its names ask for, sorted.
    pub fn foreign(&self) -> Vec<&str> {
        let asked = self.names.iter().filter_map(|name| Asked::parse(name));
        let archs: BTreeSet<&str> = asked
            .filter_map(|asked| asked.foreign(&self.arch))
            .collect();
        archs.into_iter().collect()
    }

    /// Its own architecture, then the foreign ones.
    pub(crate) fn archs(&self) -> Vec<&str> {
        [self.arch.as_str()]
            .into_iter()
            .chain(self.foreign())
            .collect()
    }
}

/// An archive that is asked for beside those of the suite.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskedArchive {
    /// The address below which `dists` and `pool` stand. None for Debian's own archive.
    pub url: Option<String>,
    /// The distribution: the folder below `dists`.
    pub dist: String,
    /// The components, none twice.
    pub components: Vec<String>,
    /// SHA-256 of the file of keys that may sign it. None for Debian's own archive.
    pub keys: Option<Sha256>,
    /// The priority of its versions, in place of the archive's own.
    pub priority: Option<i32>,
}

/// The chosen packages.
#[derive(Debug, Clone, Default)]
pub struct Solution<'a> {
    /// In the order in which [`Solution::calls`] unpack them: what the variant
    /// brings before what was asked for, and what is pre-depended on before what
    /// needs it.
    pub packages: Vec<Selected<'a>>,
    /// How dpkg is called to install them. Together, the calls unpack each package
    /// once.
    pub calls: Vec<Call>,
}

/// A chosen package.
#[derive(Debug, Clone, Copy)]
pub struct Selected<'a> {
    /// The package.
    pub package: Package<'a>,
    /// The position of its index among those that were given.
    pub index: usize,
}

/// Why there is no solution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SolveError {
    /// No index has a package of that name for the architecture.
    #[error("there is no package `{name}` for {arch}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The architecture.
        arch: String,
        /// Names that look like it, the closest first.
        suggestions: Vec<String>,
    },
    /// The name is only provided by other packages.
    #[error("`{name}` is a virtual package, provided by {}", providers.join(", "))]
    Virtual {
        /// The name that was asked for.
        name: String,
        /// The packages that provide it, sorted.
        providers: Vec<String>,
    },
    /// A name that is none, or with something behind it that is neither a version nor a
    /// suite.
    #[error("`{0}` can't be the name of a package")]
    Name(String),
    /// A package is asked for twice, in two versions.
    #[error("`{first}` and `{second}` are two versions of one package")]
    Twice {
        /// How it is asked for.
        first: String,
        /// How it is asked for too.
        second: String,
    },
    /// The archives have the package, and not in the version that was asked for.
    #[error("there is no version {version} of `{name}`")]
    NoVersion {
        /// The name that was asked for.
        name: String,
        /// The version that was asked for.
        version: String,
        /// The versions that there are, the newest first.
        available: Vec<String>,
    },
    /// The archives have the package, and not in the suite that was asked for.
    #[error("there is no `{name}` in {suite}")]
    NotInSuite {
        /// The name that was asked for.
        name: String,
        /// The suite that was asked for.
        suite: String,
        /// The versions that there are, the newest first, each with its distribution.
        available: Vec<String>,
    },
    /// A relation field of a package can't be read.
    #[error("{package}: {error}")]
    Relation {
        /// The package.
        package: String,
        /// What is wrong.
        error: RelationError,
    },
    /// Another version of a package is asked for than the one that is installed.
    #[error("`{name}` is installed in the version {installed}, and can't become {wanted}")]
    Installed {
        /// The package.
        name: String,
        /// Its version.
        installed: String,
        /// The version that would have to come.
        wanted: String,
    },
    /// What is installed lacks something that it needs.
    #[error("what is installed is not complete: {package} needs {relation}, which is not there")]
    Incomplete {
        /// The installed package.
        package: String,
        /// The dependency as its field has it.
        relation: String,
    },
    /// A dependency that no package meets.
    #[error("{} needs {wanted}, which no package meets", chain.last().map_or("", |link| &link.package))]
    Unsatisfiable {
        /// Who asked for whom: the asked package first, the one with the dependency
        /// last.
        chain: Vec<Link>,
        /// The dependency as its package writes it.
        wanted: String,
        /// What there is of those names, each as `name version`.
        available: Vec<String>,
    },
    /// Two packages that are both needed exclude each other.
    #[error("{} and {} can't be installed together: {} has {}: {}", .0.package, .0.other, .0.owner, .0.field, .0.relation)]
    Conflict(Box<Conflict>),
}

/// Two packages that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The package that could not be added.
    pub package: String,
    /// The one that was there.
    pub other: String,
    /// The one of the two whose field it is.
    pub owner: String,
    /// `Conflicts` or `Breaks`.
    pub field: &'static str,
    /// The relation as the field has it.
    pub relation: String,
    /// Who asked for the first: the asked package first.
    pub chain: Vec<Link>,
    /// Who asked for the second.
    pub other_chain: Vec<Link>,
}

/// One step of the chain that says why a package is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The package's name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Why it is there.
    pub because: Because,
}

/// Why a package is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Its name was asked for.
    Asked,
    /// The variant has it.
    Variant,
    /// It was installed before.
    Installed,
    /// The link before needs it.
    Needed {
        /// `Pre-Depends`, `Depends` or `Recommends`.
        field: &'static str,
        /// The dependency as the field has it.
        relation: String,
    },
}

/// Chooses packages from `offers`, the archive that is preferred first. Of one name, only
/// the version that the archives' priorities or the request choose is a candidate.
///
/// # Errors
/// A [`SolveError`] that says what has no answer.
pub fn solve<'a>(
    request: &Request,
    offers: &[impl Into<Offer<'a>> + Copy],
) -> Result<Solution<'a>, SolveError> {
    let offers: Vec<Offer<'a>> = offers.iter().map(|offer| (*offer).into()).collect();
    let asked = read_names(request)?;
    let universe = universe::Universe::new(&offers, &request.archs(), &asked)?;
    choose(request, &asked, &universe)
}

/// The packages that a request asks for. Each may be asked for in one way, and by its
/// name alone beside that.
fn read_names(request: &Request) -> Result<Vec<Asked<'_>>, SolveError> {
    let mut all: Vec<Asked<'_>> = Vec::with_capacity(request.names.len());
    let mut said: Vec<&str> = Vec::with_capacity(request.names.len());
    for text in &request.names {
        let asked = Asked::parse(text).ok_or_else(|| SolveError::Name(text.clone()))?;
        let arch = asked.foreign(&request.arch);
        let same =
            |known: &Asked<'_>| known.name == asked.name && known.foreign(&request.arch) == arch;
        let Some(at) = all.iter().position(same) else {
            all.push(asked);
            said.push(text);
            continue;
        };
        match (all[at].wish, asked.wish) {
            (_, Wish::Candidate) => {}
            (Wish::Candidate, _) => (all[at], said[at]) = (asked, text),
            (one, other) if one == other => {}
            _ => {
                return Err(SolveError::Twice {
                    first: said[at].to_owned(),
                    second: text.clone(),
                });
            }
        }
    }
    Ok(all)
}

/// What is wrong with the names of a request by themselves: those that no index has, in
/// the order of the request. Only bare names are looked at, without a version, an archive
/// or an architecture. Nothing is chosen.
///
/// # Errors
/// As [`solve`], where the indices can't be read.
pub fn unknown(request: &Request, indices: &[&Index]) -> Result<Vec<SolveError>, SolveError> {
    let offers: Vec<Offer<'_>> = indices.iter().map(|index| (*index).into()).collect();
    let universe = universe::Universe::new(&offers, &[&request.arch], &[])?;
    let bare = request.names.iter().filter(|name| is_name(name));
    let asked = bare.filter_map(|name| Asked::parse(name));
    Ok(asked
        .filter_map(|asked| universe.find(&asked).err())
        .collect())
}

fn choose<'a>(
    request: &Request,
    asked: &[Asked<'_>],
    universe: &universe::Universe<'a>,
) -> Result<Solution<'a>, SolveError> {
    let names = asked
        .iter()
        .map(|asked| universe.find(asked))
        .collect::<Result<Vec<_>, _>>()?;
    let mut base = Vec::new();
    let mut more = Vec::new();
    for id in universe.ids() {
        let package = universe.package(id);
        if universe.arch(id) != universe::NATIVE {
            continue;
        }
        if package.essential() {
            base.push(id);
        } else if package.name() == "apt" {
            if request.variant >= Variant::Apt {
                more.push(id);
            }
        } else if package.priority() == "required" && request.variant == Variant::Minbase {
            more.push(id);
        }
    }
    let mut phases: Vec<Phase> = Vec::new();
    if request.variant == Variant::Distroless {
        more.clear();
    } else {
        // What every image has comes without what it recommends: a user asked for neither.
        phases.push((base, Vec::new(), false));
        if request.variant == Variant::Apt {
            phases.push((std::mem::take(&mut more), Vec::new(), false));
        }
    }
    phases.push((more, names, request.recommends));
    let (chosen, first) = match marked(universe, &phases)? {
        Some(answer) => answer,
        None => searched(universe, &phases)?,
    };
    ordered(request, universe, &chosen, first, false)
}

/// One installation after another: what the variant brings, what is asked for, and whether
/// recommended packages come too.
type Phase = (Vec<universe::Id>, Vec<universe::Id>, bool);

/// What apt marks, phase after phase, and how many of them are there before the last one.
/// None where that leaves something broken.
fn marked(
    universe: &universe::Universe<'_>,
    phases: &[Phase],
) -> Result<Option<(Vec<universe::Id>, usize)>, SolveError> {
    let mut marks = mark::Marks::new(universe);
    let mut before = Vec::new();
    for (variant, asked, recommends) in phases {
        before = marks.installed();
        let all: Vec<universe::Id> = variant.iter().chain(asked).copied().collect();
        if !marks.add(&all, *recommends)? {
            return Ok(None);
        }
    }
    let first = before.len();
    let later = marks.installed().into_iter();
    let later: Vec<_> = later
        .filter(|id| before.binary_search(id).is_err())
        .collect();
    before.extend(later);
    Ok(Some((before, first)))
}

/// The same by a search that goes back on its choices.
fn searched(
    universe: &universe::Universe<'_>,
    phases: &[Phase],
) -> Result<(Vec<universe::Id>, usize), SolveError> {
    let mut search = search::Search::new(universe);
    let mut first = 0;
    for (variant, asked, recommends) in phases {
        first = search.chosen().len();
        if *recommends {
            search = search.recommending();
        }
        search.add(variant, asked)?;
    }
    Ok((search.chosen().to_vec(), first))
}

/// The chosen packages in the order of installation. The first `first` are there
/// before apt can install; where they are `installed`, they are no part of the solution.
fn ordered<'a>(
    request: &Request,
    universe: &universe::Universe<'a>,
    chosen: &[universe::Id],
    first: usize,
    installed: bool,
) -> Result<Solution<'a>, SolveError> {
    let mut members: Vec<((usize, usize), Selected<'a>, bool)> = chosen
        .iter()
        .zip(0..)
        .map(|(id, at)| {
            let selected = Selected {
                package: universe.package(*id),
                index: universe.origin(*id),
            };
            (universe.reading(*id), selected, at < first)
        })
        .collect();
    members.sort_by_key(|(reading, ..)| *reading);
    let control = |(_, selected, _): &(_, Selected<'a>, bool)| {
        let package = selected.package;
        let control = Control::of(package, &request.arch);
        let mut control = control.map_err(|error| SolveError::Relation {
            package: package.name().to_owned(),
            error,
        })?;
        // apt takes itself for essential when it installs itself with the rest.
        control.essential |= request.variant == Variant::Apt && package.name() == "apt";
        Ok(control)
    };
    let controls = members.iter().map(control).collect::<Result<Vec<_>, _>>()?;
    let first: Vec<bool> = members.iter().map(|(.., first)| *first).collect();
    let mut phases = order::Phases::new(&controls, first);
    if installed {
        phases = phases.installed();
    } else if request.variant == Variant::Apt {
        phases = phases.upgrading();
    }
    let calls = order::calls(&controls, &phases);
    let unpacking = order::unpacking(&calls);
    let mut places = vec![0; members.len()];
    for (place, at) in unpacking.iter().enumerate() {
        places[*at] = place;
    }
    Ok(Solution {
        packages: unpacking.iter().map(|at| members[*at].1).collect(),
        calls: calls
            .into_iter()
            .map(|call| call.renamed(&places))
            .collect(),
    })
}
