//! Relationship fields (`deb-control(5)`): `a (>= 1) | b, c:any`. Read, written in
//! dpkg's form, and asked about Replaces. Nothing is solved here.

use std::fmt;

use crate::version::Version;

/// A relationship field: all of these, each with its alternatives.
#[derive(Debug, Clone)]
pub(crate) struct Relations(Vec<Vec<Relation>>);

/// One package, perhaps of one architecture and within a bound.
#[derive(Debug, Clone)]
struct Relation {
    name: String,
    arch: Option<String>,
    bound: Option<(&'static str, Version)>,
}

impl Relations {
    /// Reads a field's value. None where it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.split(',')
            .map(|all| all.split('|').map(Relation::parse).collect())
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Whether one of them names `package` in `version`.
    pub(crate) fn names(&self, package: &str, version: &Version) -> bool {
        self.0.iter().filter_map(|any| any.first()).any(|relation| {
            relation.name == package
                && relation
                    .bound
                    .as_ref()
                    .is_none_or(|(operator, bound)| match *operator {
                        "<<" => version < bound,
                        "<=" => version <= bound,
                        "=" => version == bound,
                        ">=" => version >= bound,
                        _ => version > bound,
                    })
        })
    }
}

impl Relation {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, bound) = match text.split_once('(') {
            None => (text, None),
            Some((name, rest)) => {
                let rest = rest.strip_suffix(')')?.trim();
                let split = rest.find(|c| !matches!(c, '<' | '=' | '>'))?;
                let (operator, version) = rest.split_at(split);
                // One `<` or `>` is dpkg's obsolete way to write `<=` and `>=`.
                let operator = match operator {
                    "<<" => "<<",
                    "<" | "<=" => "<=",
                    "" | "=" => "=",
                    ">" | ">=" => ">=",
                    ">>" => ">>",
                    _ => return None,
                };
                (
                    name.trim_end(),
                    Some((operator, Version::parse(version.trim())?)),
                )
            }
        };
        let (name, arch) = match name.split_once(':') {
            None => (name, None),
            Some((name, arch)) => (name, Some(arch)),
        };
        (is_package_name(name) && arch.is_none_or(is_architecture)).then(|| Self {
            name: name.to_owned(),
            arch: arch.map(str::to_owned),
            bound,
        })
    }
}

/// Whether dpkg takes `text` as a package's name.
pub(crate) fn is_package_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(&b))
        && text.len() <= 200
}

/// Whether dpkg takes `text` as an architecture's name.
pub(crate) fn is_architecture(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && text.len() <= 60
}

impl fmt::Display for Relations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, any) in self.0.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            for (index, relation) in any.iter().enumerate() {
                f.write_str(if index > 0 { " | " } else { "" })?;
                f.write_str(&relation.name)?;
                if let Some(arch) = &relation.arch {
                    write!(f, ":{arch}")?;
                }
                if let Some((operator, version)) = &relation.bound {
                    write!(f, " ({operator} {version})")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dpkgs_form() {
        let read = |text| Relations::parse(text).map(|relations| relations.to_string());
        assert_eq!(
            read("a(>=1),\n b:any  |c (<0:2-1)").as_deref(),
            Some("a (>= 1), b:any | c (<= 2-1)")
        );
        for bad in ["", "a,", "a b", "a (1", "a (=> 1)", "a ()", "a | ", "../x"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn knows_whom_it_names() {
        let relations = Relations::parse("a (<< 2), b, c (>> 1)").expect("relations");
        let names =
            |name, version| relations.names(name, &Version::parse(version).expect("a version"));
        assert!(names("a", "1.9"));
        assert!(!names("a", "2"));
        assert!(names("b", "7"));
        assert!(!names("c", "1"));
        assert!(!names("d", "1"));
    }
}
