//! The control fields that decide the order, of one package.
//!
//! They come from an index or from the `.deb` itself; both say the same.

use crate::depends::{Group, RelationError, Relations};
use crate::index::{MultiArch, Package};
use crate::stanza::{Item, Items, StanzaError};

/// What the order of installation depends on, of one package.
#[derive(Debug, Clone)]
pub struct Control<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// Its architecture; that of the system for `all`.
    pub(crate) arch: &'a str,
    pub(crate) essential: bool,
    pub(crate) priority: &'a str,
    pub(crate) multi_arch: MultiArch,
    pub(crate) pre_depends: Vec<Group<'a>>,
    pub(crate) depends: Vec<Group<'a>>,
    pub(crate) provides: Vec<Group<'a>>,
    /// All names in relation fields: they are known to dpkg's database too.
    pub(crate) mentioned: Vec<&'a str>,
}

/// Why a control file can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// It is not in the control format.
    #[error(transparent)]
    Stanza(#[from] StanzaError),
    /// A relation field can't be read.
    #[error(transparent)]
    Relation(#[from] RelationError),
    /// A field that each package has is not there.
    #[error("the control file has no {0}")]
    Missing(&'static str),
}

impl<'a> Control<'a> {
    /// The fields of a package of a system whose architecture is `native`.
    pub(crate) fn of(package: Package<'a>, native: &'a str) -> Result<Self, RelationError> {
        let arch = of_system(package.architecture(), native);
        let here = |relations| applying(relations, arch);
        Ok(Self {
            name: package.name(),
            version: package.version(),
            arch,
            // For another architecture than the system's, nothing is.
            essential: package.essential() && arch == native,
            priority: package.priority(),
            multi_arch: package.multi_arch(),
            pre_depends: here(package.pre_depends()?),
            depends: here(package.depends()?),
            provides: here(package.provides()?),
            mentioned: package.mentioned().collect(),
        })
    }

    /// Reads the `control` file of a `.deb`, for a system of the architecture `native`.
    ///
    /// # Errors
    /// A [`ControlError`] when it is no control file.
    pub fn parse(text: &'a str, native: &'a str) -> Result<Self, ControlError> {
        let mut arch = native;
        for item in Items::new(text) {
            match item? {
                Item::Field { name, value, .. } if name.eq_ignore_ascii_case("architecture") => {
                    arch = of_system(value, native);
                }
                Item::Field { .. } => {}
                Item::End => break,
            }
        }
        let mut name = None;
        let mut version = None;
        let mut control = Self {
            name: "",
            version: "",
            arch,
            essential: false,
            priority: "",
            multi_arch: MultiArch::No,
            pre_depends: Vec::new(),
            depends: Vec::new(),
            provides: Vec::new(),
            mentioned: Vec::new(),
        };
        for item in Items::new(text) {
            let Item::Field {
                name: field, value, ..
            } = item?
            else {
                break;
            };
            let relations = || Relations::parse(value).map(|found| applying(found, arch));
            match field.to_ascii_lowercase().as_str() {
                "package" => name = Some(value),
                "version" => version = Some(value),
                "essential" => control.essential = value == "yes" && arch == native,
                "priority" => control.priority = value,
                "multi-arch" => control.multi_arch = multi_arch(value),
                "pre-depends" => control.pre_depends = relations()?,
                "depends" => control.depends = relations()?,
                "provides" => control.provides = relations()?,
                "conflicts" | "breaks" | "replaces" | "recommends" | "suggests" | "enhances" => {
                    let groups = relations()?
                        .into_iter()
                        .flat_map(|group| group.alternatives);
                    control
                        .mentioned
                        .extend(groups.map(|relation| relation.name));
                }
                _ => {}
            }
        }
        control.name = name.ok_or(ControlError::Missing("Package"))?;
        control.version = version.ok_or(ControlError::Missing("Version"))?;
        let fields = [&control.provides, &control.depends, &control.pre_depends];
        let groups = fields.into_iter().flatten();
        let names: Vec<&str> = groups
            .flat_map(|group| group.alternatives.iter().map(|relation| relation.name))
            .collect();
        control.mentioned.extend(names);
        Ok(control)
    }

    /// Whether it serves packages of an architecture that ask for its name alone.
    pub(super) fn serves(&self, arch: &str) -> bool {
        self.arch == arch || self.multi_arch == MultiArch::Foreign
    }

    /// `Package`.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// `Version`.
    pub fn version(&self) -> &'a str {
        self.version
    }
}

/// The architecture that a package counts as, where the system's is `native`.
fn of_system<'a>(arch: &'a str, native: &'a str) -> &'a str {
    if arch == "all" { native } else { arch }
}

fn multi_arch(value: &str) -> MultiArch {
    match value {
        "same" => MultiArch::Same,
        "foreign" => MultiArch::Foreign,
        "allowed" => MultiArch::Allowed,
        _ => MultiArch::No,
    }
}

fn applying<'a>(relations: Relations<'a>, arch: &str) -> Vec<Group<'a>> {
    let mut groups = relations.groups;
    for group in &mut groups {
        group.alternatives.retain(|one| one.applies_to(arch));
    }
    groups.retain(|group| !group.alternatives.is_empty());
    groups
}
