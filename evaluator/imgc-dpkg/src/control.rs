//! The control stanza of a package (`deb-control(5)`), and the stanza that dpkg's
//! database has for it once it is installed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::relation::{Relations, is_architecture, is_package_name};
use crate::version::Version;

/// The fields that dpkg knows, in the order in which it writes them.
const ORDER: [&str; 25] = [
    "Package",
    "Essential",
    "Protected",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Origin",
    "Maintainer",
    "Bugs",
    "Architecture",
    "Multi-Arch",
    "Source",
    "Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
    "Conffiles",
    "Description",
];

/// Fields that are dpkg's own to write, or that it leaves out of its database.
const DROPPED: [&str; 8] = [
    "Status",
    "Conffiles",
    "Config-Version",
    "Filename",
    "Size",
    "MD5sum",
    "Triggers-Pending",
    "Triggers-Awaited",
];

/// The fields that hold relationships.
const RELATIONS: [&str; 9] = [
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
];

/// Who a package is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as dpkg writes it.
    pub version: String,
    /// Debian's name of its architecture, or `all`.
    pub architecture: String,
    /// Whether it says `Multi-Arch: same`: then dpkg names its files by architecture.
    pub multi_arch_same: bool,
}

/// What is wrong with a package's control information.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no `control` file.
    #[error("there is no control file")]
    Missing,
    /// A control file that is text is not UTF-8.
    #[error("`{0}` is not UTF-8")]
    Utf8(String),
    /// A line of `control`, from 1, is no field, or belongs to a second stanza.
    #[error("line {0} of `control` is not a field")]
    Line(usize),
    /// A field is there twice.
    #[error("the field `{0}` is there twice")]
    Twice(String),
    /// A field that has to be there is not.
    #[error("the field `{0}` is missing")]
    Field(&'static str),
    /// A field's value is malformed.
    #[error("the value of the field `{field}` is malformed: `{value}`")]
    Value {
        /// The field.
        field: String,
        /// Its value.
        value: String,
    },
    /// A line of `conffiles` is malformed.
    #[error("a line of `conffiles` is malformed: `{0}`")]
    Conffile(String),
    /// A line of `triggers` is malformed.
    #[error("a line of `triggers` is malformed: `{0}`")]
    Trigger(String),
}

/// A control stanza: fields with their values, in order.
#[derive(Debug, Clone)]
pub(crate) struct Stanza(Vec<(String, String)>);

impl Package {
    /// The name by which dpkg files it: with the architecture where two
    /// architectures of it can be installed at once.
    pub fn qualified(&self) -> String {
        if self.multi_arch_same {
            format!("{}:{}", self.name, self.architecture)
        } else {
            self.name.clone()
        }
    }
}

impl Stanza {
    /// Reads the text of a `control` file.
    pub(crate) fn parse(text: &str) -> Result<Self, ControlError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut names = BTreeSet::new();
        let mut ended = false;
        for (index, line) in text.lines().enumerate() {
            let wrong = ControlError::Line(index + 1);
            if line.trim_matches([' ', '\t', '\r']).is_empty() {
                ended = !fields.is_empty();
                continue;
            }
            if ended {
                return Err(wrong);
            }
            if line.starts_with([' ', '\t']) {
                let (_, value) = fields.last_mut().ok_or(wrong)?;
                value.push('\n');
                value.push_str(line);
                continue;
            }
            let (name, value) = line.split_once(':').ok_or(wrong.clone())?;
            let graphic = name.bytes().all(|b| b.is_ascii_graphic());
            if name.is_empty() || !graphic || name.starts_with(['-', '#']) {
                return Err(wrong);
            }
            if !names.insert(name.to_ascii_lowercase()) {
                return Err(ControlError::Twice(name.to_owned()));
            }
            fields.push((
                name.to_owned(),
                value.trim_start_matches([' ', '\t']).to_owned(),
            ));
        }
        for (_, value) in &mut fields {
            value.truncate(value.trim_end().len());
        }
        Ok(Self(fields))
    }

    /// A field's value; the case of its name does not matter. None where it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Who the package is.
    pub(crate) fn package(&self) -> Result<Package, ControlError> {
        let checked = |field, valid: fn(&str) -> bool| {
            let value = self.get(field).ok_or(ControlError::Field(field))?;
            if valid(value) {
                Ok(value.to_owned())
            } else {
                Err(malformed(field, value))
            }
        };
        let multi_arch = self.get("Multi-Arch").unwrap_or("no");
        if !["no", "same", "foreign", "allowed"].contains(&multi_arch) {
            return Err(malformed("Multi-Arch", multi_arch));
        }
        Ok(Package {
            name: checked("Package", is_package_name)?,
            version: self.version()?.to_string(),
            architecture: checked("Architecture", is_architecture)?,
            multi_arch_same: multi_arch == "same",
        })
    }

    /// The package's version.
    pub(crate) fn version(&self) -> Result<Version, ControlError> {
        let text = self.get("Version").ok_or(ControlError::Field("Version"))?;
        Version::parse(text).ok_or_else(|| malformed("Version", text))
    }

    /// A relationship field. None where it is not there.
    pub(crate) fn relations(&self, field: &str) -> Result<Option<Relations>, ControlError> {
        self.get(field)
            .map(|value| Relations::parse(value).ok_or_else(|| malformed(field, value)))
            .transpose()
    }

    /// The stanza of dpkg's database for the installed package: dpkg's order of
    /// fields, its form of relationships and versions, its own fields. `conffiles` are
    /// the lines of that field. Ends in a newline.
    pub(crate) fn installed(&self, conffiles: &[String]) -> Result<String, ControlError> {
        let mut text = String::new();
        for field in ORDER {
            let value = match field {
                "Status" => Some("install ok installed".to_owned()),
                "Conffiles" if conffiles.is_empty() => None,
                "Conffiles" => Some(format!("\n {}", conffiles.join("\n "))),
                "Version" => Some(self.version()?.to_string()),
                // What is the default is not written.
                "Essential" | "Protected" | "Multi-Arch" => self
                    .get(field)
                    .filter(|value| *value != "no")
                    .map(str::to_owned),
                _ if RELATIONS.contains(&field) => self
                    .relations(field)?
                    .map(|relations| relations.to_string()),
                _ => self.get(field).map(str::to_owned),
            };
            match value {
                None => {}
                // The one field that dpkg begins on the next line without a space.
                Some(lines) if field == "Conffiles" => text.push_str(&format!("{field}:{lines}\n")),
                Some(value) => text.push_str(&format!("{field}: {value}\n")),
            }
        }
        let is = |name: &str, list: &[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(name));
        for (name, value) in &self.0 {
            if !value.is_empty() && !is(name, &ORDER) && !is(name, &DROPPED) {
                text.push_str(&format!("{name}: {value}\n"));
            }
        }
        Ok(text)
    }
}

fn malformed(field: &str, value: &str) -> ControlError {
    ControlError::Value {
        field: field.to_owned(),
        value: value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROL: &str = "Package: hello\nArchitecture: amd64\nVersion: 0:2.10-3\n\
        Description: greets\n It is\n .\n classic.\nhomepage: https://hello.example\n\
        Depends: libc6 (>=2.36),  awk|mawk\nMulti-Arch: no\nEssential: no\nStatus: x y z\n\
        maintainer: A <a@mail.example>\nSize: 12\nX-Empty:\n\n";

    #[test]
    fn writes_the_stanza_as_dpkg_does() {
        let stanza = Stanza::parse(CONTROL).expect("a stanza");
        let conffiles = ["/etc/a 00".to_owned(), "/etc/b 11".to_owned()];
        assert_eq!(
            stanza.installed(&conffiles).expect("a stanza"),
            "Package: hello\nStatus: install ok installed\nMaintainer: A <a@mail.example>\n\
             Architecture: amd64\nVersion: 2.10-3\nDepends: libc6 (>= 2.36), awk | mawk\n\
             Conffiles:\n /etc/a 00\n /etc/b 11\nDescription: greets\n It is\n .\n classic.\n\
             homepage: https://hello.example\n"
        );
        let package = stanza.package().expect("a package");
        assert_eq!(package.qualified(), "hello");
        assert_eq!(package.version, "2.10-3");
    }

    #[test]
    fn refuses_what_is_no_stanza() {
        let error = |text: &str| {
            Stanza::parse(text)
                .and_then(|stanza| stanza.package())
                .err()
        };
        assert_eq!(error(" a"), Some(ControlError::Line(1)));
        assert_eq!(error("Package: a\nb"), Some(ControlError::Line(2)));
        assert_eq!(
            error("Package: a\n\nPackage: b"),
            Some(ControlError::Line(3))
        );
        assert_eq!(
            error("A: 1\na: 2"),
            Some(ControlError::Twice("a".to_owned()))
        );
        assert_eq!(error("Package: a"), Some(ControlError::Field("Version")));
        assert_eq!(error("Version: 1"), Some(ControlError::Field("Package")));
        assert_eq!(
            error("Package: ../a\nVersion: 1"),
            Some(malformed("Package", "../a"))
        );
        assert_eq!(
            error("Package: a\nVersion: x"),
            Some(malformed("Version", "x"))
        );
    }
}
