//! Fragments to a tree, as dpkg installs them: unpacked, their scripts interpreted,
//! configured, their triggers run, and dpkg's database of them.

mod run;
mod status;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use imgc_scripts::{Declined, Effect, Limits, Reader, Touched};
use imgc_tree::{Tree, TreePath};

use crate::{Fragment, InstallError, PathFilter, System, SystemError};

/// What installing depends on beside the packages and their order.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Debian's name of the tree's architecture.
    pub arch: &'a str,
    /// The architectures beside it that packages may be of, in the order in which dpkg is
    /// told of them.
    pub foreign: &'a [String],
    /// The moment that no file is newer than, in seconds since 1970. For scripts it is
    /// now.
    pub epoch: i64,
    /// Packages whose scripts are not run, by name.
    pub skip: &'a BTreeSet<String>,
    /// What is done in the place of packages' scripts.
    pub stated: &'a dyn Stated,
    /// What of the packages is not unpacked.
    pub filter: &'a PathFilter,
    /// What scripts may use.
    pub limits: Limits,
}

/// What an image states that the scripts of packages come to. They are not run then.
pub trait Stated: fmt::Debug {
    /// Whether something is stated for the package of this name.
    fn has(&self, package: &str) -> bool;

    /// Does it, when the package is configured. Gives what was done where.
    ///
    /// # Errors
    /// Why it can't be done, as a sentence without a full stop.
    fn apply(&self, package: &str, tree: &mut Tree) -> Result<Vec<(TreePath, Touched)>, String>;
}

/// Nothing is stated.
impl Stated for () {
    fn has(&self, _package: &str) -> bool {
        false
    }

    fn apply(&self, _package: &str, _tree: &mut Tree) -> Result<Vec<(TreePath, Touched)>, String> {
        Ok(Vec::new())
    }
}

/// One thing that dpkg is asked for. A package is named by its place among the fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The files alone are put into the tree, before dpkg can run there: no script, no
    /// diversion, nothing in the database. The package is unpacked later.
    Extract(usize),
    /// `preinst`, then the files. The database has it from here on.
    Unpack(usize),
    /// The conffiles get their names; `postinst configure`.
    Configure(usize),
    /// `postinst triggered`, with the names of the triggers that wait for it.
    Triggers(usize),
}

/// Decides what comes next, in view of what happened. Packages are named by their place
/// among the fragments.
pub trait Schedule {
    /// The next step; none after the last. What was given before is done.
    fn next(&mut self) -> Option<Step>;

    /// `interested`, which is configured, is to hear of a trigger. `waiting` counts as
    /// installed only when it has.
    fn activate(&mut self, interested: usize, waiting: Option<usize>);

    /// The last step is done, its script included. What scripts triggered is told after
    /// this.
    fn done(&mut self);
}

/// Each package unpacked, then each configured, then the triggers: for packages whose
/// order does not matter.
#[derive(Debug, Clone)]
pub struct Plain {
    steps: VecDeque<Step>,
}

/// A tree with packages in it.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The files, with dpkg's database.
    pub tree: Tree,
    /// What scripts did to it, in order.
    pub effects: Vec<Effect>,
    /// Work of scripts that was declined by policy, in order.
    pub declined: Vec<Declined>,
    /// Programs in Perl, Python or shell that scripts ran and of which the interpreter's
    /// own version was made after others: their paths, sorted.
    pub unknown: Vec<String>,
    /// The packages whose scripts were not run, as [`Options::skip`] has it.
    pub skipped: Vec<Note>,
    /// What was done in the place of scripts, as [`Options::stated`] has it.
    pub stated: Vec<Done>,
}

impl Installed {
    /// A tree into which nothing was installed.
    pub fn of(tree: Tree) -> Self {
        Self {
            tree,
            effects: Vec::new(),
            declined: Vec::new(),
            unknown: Vec::new(),
            skipped: Vec::new(),
            stated: Vec::new(),
        }
    }
}

/// What was done in the place of a package's scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The package, and the scripts that were not run.
    pub note: Note,
    /// What was done where, in order.
    pub touched: Vec<(TreePath, Touched)>,
}

/// A package whose maintainer scripts were not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its name, with the architecture where dpkg writes it.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The scripts, in dpkg's order.
    pub scripts: Vec<ScriptName>,
}

/// A maintainer script that a first installation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScriptName {
    /// Before unpacking.
    Preinst,
    /// debconf's questions.
    Config,
    /// After unpacking.
    Postinst,
}

impl ScriptName {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 3] = [Self::Preinst, Self::Config, Self::Postinst];

    /// Its name as a control file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preinst => "preinst",
            Self::Config => "config",
            Self::Postinst => "postinst",
        }
    }
}

impl fmt::Display for ScriptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Plain {
    /// For this many packages.
    pub fn new(count: usize) -> Self {
        let unpack = (0..count).map(Step::Unpack);
        let configure = (0..count).map(Step::Configure);
        Self {
            steps: unpack.chain(configure).collect(),
        }
    }
}

impl Schedule for Plain {
    fn next(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    fn activate(&mut self, interested: usize, _waiting: Option<usize>) {
        let step = Step::Triggers(interested);
        if !self.steps.contains(&step) {
            self.steps.push_back(step);
        }
    }

    fn done(&mut self) {}
}

/// Installs `fragments` into an empty tree with merged /usr, as `schedule` says. `reader`
/// gives the bytes of the fragments' files, where a script reads one.
///
/// # Errors
/// [`InstallError`]: file conflicts without Replaces, entries that don't fit into
/// the tree, packages of another architecture, wrong control information; a script that
/// can't be interpreted, or that fails.
///
/// # Panics
/// Where the schedule names a package that is not there, or configures one that was not
/// unpacked.
pub fn install(
    fragments: &[&Fragment],
    schedule: &mut dyn Schedule,
    options: &Options<'_>,
    reader: &dyn Reader,
) -> Result<Installed, InstallError> {
    check(fragments, options)?;
    run(run::Run::new(fragments, None, options, reader)?, schedule)
}

/// Installs `fragments` over a tree that has packages. Steps name the packages that are there
/// first, by their places in the database, and those of `fragments` after them.
///
/// # Errors
/// As [`install`]; [`InstallError::System`] where what is there would have to change in a way
/// that is not done here.
///
/// # Panics
/// As [`install`].
pub fn install_over(
    system: &System,
    fragments: &[&Fragment],
    schedule: &mut dyn Schedule,
    options: &Options<'_>,
    reader: &dyn Reader,
) -> Result<Installed, InstallError> {
    let filter = match (system.filter.is_empty(), options.filter.is_empty()) {
        (true, _) => options.filter,
        (false, true) => &system.filter,
        (false, false) => return Err(SystemError::Filters.into()),
    };
    let options = Options { filter, ..*options };
    let all: Vec<&Fragment> = system
        .packages
        .iter()
        .chain(fragments.iter().copied())
        .collect();
    check(&all, &options)?;
    for fragment in fragments {
        let package = &fragment.package;
        let name = |(name, _): &&(String, String)| *name == package.name;
        if system.gone.keys().any(|key| name(&key)) {
            return Err(SystemError::Removed(package.qualified()).into());
        }
    }
    run(
        run::Run::new(&all, Some(system), &options, reader)?,
        schedule,
    )
}

fn run(mut run: run::Run<'_, '_>, schedule: &mut dyn Schedule) -> Result<Installed, InstallError> {
    while let Some(step) = schedule.next() {
        run.step(step, schedule)?;
    }
    run.finish()
}

/// Whether packages can be in one tree together, by their names and architectures.
fn check(fragments: &[&Fragment], options: &Options<'_>) -> Result<(), InstallError> {
    let mut names = BTreeSet::new();
    for fragment in fragments {
        let package = &fragment.package;
        let arch = match package.architecture.as_str() {
            "all" => options.arch,
            arch => arch,
        };
        if !names.insert((package.name.as_str(), arch)) {
            return Err(InstallError::Twice(package.name.clone()));
        }
        if arch != options.arch && !options.foreign.iter().any(|known| known == arch) {
            return Err(InstallError::Architecture {
                package: package.name.clone(),
                architecture: package.architecture.clone(),
            });
        }
    }
    Ok(())
}

/// The packages of `fragments` by name, without those of foreign architectures.
fn by_name<'a>(fragments: &[&'a Fragment], options: &Options<'_>) -> BTreeMap<&'a str, usize> {
    let own = |architecture: &str| ["all", options.arch].contains(&architecture);
    let named = fragments.iter().enumerate();
    named
        .filter(|(_, fragment)| own(&fragment.package.architecture))
        .map(|(index, fragment)| (fragment.package.name.as_str(), index))
        .collect()
}

#[cfg(test)]
mod over_tests;
#[cfg(test)]
mod tests;
