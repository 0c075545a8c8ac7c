//! Fragments to a tree: their files together, and dpkg's database of them.

use std::collections::BTreeSet;
use std::fmt;

use imgc_tree::Tree;

use crate::placing::Union;
use crate::{Fragment, InstallError, database};

/// What installing depends on beside the packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    /// Debian's name of the tree's architecture.
    pub arch: &'a str,
    /// The moment that no file is newer than, in seconds since 1970.
    pub epoch: i64,
}

/// A tree with packages in it.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The files, with dpkg's database.
    pub tree: Tree,
    /// What was not done, in the order of installation.
    pub notes: Vec<Note>,
}

/// A package whose maintainer scripts dpkg would have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its name, with the architecture where dpkg writes it.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The scripts that were not interpreted, in dpkg's order.
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
    /// All of them, in the order in which they would run.
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

/// Installs `fragments`, in this order, into an empty tree with merged /usr.
///
/// The order decides only what dpkg's own rules leave to it: a shared folder's
/// metadata, and the order of dpkg's list of file triggers.
///
/// Every package is `install ok installed` in the database, though its scripts were
/// not interpreted: its files are all there, and dpkg, debsums and scanners take
/// any other state for a broken package. [`Installed::notes`] says what is missing.
///
/// # Errors
/// [`InstallError`]: file conflicts without Replaces, entries that don't fit into
/// the tree, packages of another architecture, wrong control information.
pub fn install(fragments: &[&Fragment], options: &Options<'_>) -> Result<Installed, InstallError> {
    let mut names = BTreeSet::new();
    let mut union = Union::new(options.arch, options.epoch);
    let mut notes = Vec::new();
    for fragment in fragments {
        let package = &fragment.package;
        if !names.insert(package.name.as_str()) {
            return Err(InstallError::Twice(package.name.clone()));
        }
        if package.architecture != "all" && package.architecture != options.arch {
            return Err(InstallError::Architecture {
                package: package.name.clone(),
                architecture: package.architecture.clone(),
            });
        }
        union.add(fragment)?;
        let scripts: Vec<ScriptName> = ScriptName::ALL
            .into_iter()
            .filter(|script| fragment.files.contains_key(script.as_str()))
            .collect();
        if !scripts.is_empty() {
            notes.push(Note {
                package: package.qualified(),
                version: package.version.clone(),
                scripts,
            });
        }
    }
    union.finish().map_err(InstallError::Database)?;
    database::write(&mut union, options)?;
    Ok(Installed {
        tree: union.tree,
        notes,
    })
}

#[cfg(test)]
mod tests;
