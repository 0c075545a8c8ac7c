//! The relation fields of a package: `Depends`, `Conflicts`, `Provides` and the like.
//!
//! The syntax is that of the Debian policy manual, section 7.1. Nothing here
//! knows which packages exist. What is parsed borrows from the field's text.

use std::cmp::Ordering;
use std::fmt;

use crate::version;

/// A relation field: all groups must hold, and a group holds when one of its
/// alternatives does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relations<'a> {
    /// The groups, in the order in which they were written.
    pub groups: Vec<Group<'a>>,
}

/// Alternatives, the preferred one first: `mawk | gawk (>= 1:5)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// At least one.
    pub alternatives: Vec<Relation<'a>>,
}

/// One package that is related to: `name:qualifier (op version) [arch !arch]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation<'a> {
    /// The package's name.
    pub name: &'a str,
    /// What follows the name's colon: `any`, `native`, or an architecture.
    pub qualifier: Option<&'a str>,
    /// The versions that are meant.
    pub constraint: Option<Constraint<'a>>,
    /// The architectures to which it applies; none means all.
    pub architectures: Vec<Restriction<'a>>,
}

/// A bound on a version: `>= 2.36`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint<'a> {
    /// How versions are compared with [`Constraint::version`].
    pub operator: Operator,
    /// The version that is compared with.
    pub version: &'a str,
}

/// How a version is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<<`
    Less,
    /// `<=`, and its old form `<`.
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`, and its old form `>`.
    GreaterOrEqual,
    /// `>>`
    Greater,
}

/// One word of `[amd64 !i386]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restriction<'a> {
    /// Whether a `!` stands before it.
    pub negated: bool,
    /// The architecture, or a wildcard (`any`, `linux-any`).
    pub architecture: &'a str,
}

/// Why a field could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    /// It is longer than 256 KiB, or has more than 8,192 relations.
    #[error("the field is too long")]
    TooLong,
    /// Something else was expected.
    #[error("expected {expected} in `{group}`")]
    Expected {
        /// What.
        expected: &'static str,
        /// The group in which it was missed.
        group: String,
    },
    /// A version is not one.
    #[error("in `{group}`: {error}")]
    Version {
        /// The group that it stands in.
        group: String,
        /// What is wrong with it.
        error: version::VersionError,
    },
}

const MAX_BYTES: usize = 256 * 1024;
const MAX_RELATIONS: usize = 8192;

impl<'a> Relations<'a> {
    /// Reads a field's value. An empty value has no groups.
    ///
    /// # Errors
    /// A [`RelationError`] that shows the group that could not be read.
    pub fn parse(text: &'a str) -> Result<Self, RelationError> {
        if text.len() > MAX_BYTES {
            return Err(RelationError::TooLong);
        }
        let mut groups = Vec::new();
        let mut relations = 0;
        for group in text.split(',').map(str::trim) {
            // A comma at the end is common, and apt lets it through everywhere.
            if group.is_empty() {
                continue;
            }
            let mut alternatives = Vec::new();
            for alternative in group.split('|') {
                alternatives.push(Relation::parse(alternative.trim(), group)?);
                relations += 1;
            }
            if relations > MAX_RELATIONS {
                return Err(RelationError::TooLong);
            }
            groups.push(Group { alternatives });
        }
        Ok(Self { groups })
    }
}

impl<'a> Relation<'a> {
    fn parse(text: &'a str, group: &str) -> Result<Self, RelationError> {
        let fail = |expected| RelationError::Expected {
            expected,
            group: group.chars().take(200).collect(),
        };
        let end = text
            .find(|c: char| c.is_ascii_whitespace() || "([:<".contains(c))
            .unwrap_or(text.len());
        let (name, mut rest) = text.split_at(end);
        if !is_name(name) {
            return Err(fail("a package name"));
        }
        let mut qualifier = None;
        if let Some(after) = rest.strip_prefix(':') {
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .unwrap_or(after.len());
            if end == 0 {
                return Err(fail("an architecture after `:`"));
            }
            qualifier = Some(&after[..end]);
            rest = &after[end..];
        }
        rest = rest.trim_start();
        let mut constraint = None;
        if let Some(after) = rest.strip_prefix('(') {
            let (inside, after) = after.split_once(')').ok_or_else(|| fail("`)`"))?;
            let inside = inside.trim();
            let (operator, version) =
                Operator::strip(inside).ok_or_else(|| fail("`<<`, `<=`, `=`, `>=` or `>>`"))?;
            version::check(version).map_err(|error| RelationError::Version {
                group: group.chars().take(200).collect(),
                error,
            })?;
            constraint = Some(Constraint { operator, version });
            rest = after.trim_start();
        }
        let mut architectures = Vec::new();
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']').ok_or_else(|| fail("`]`"))?;
            for word in inside.split_ascii_whitespace() {
                let architecture = word.strip_prefix('!').unwrap_or(word);
                let negated = architecture.len() < word.len();
                architectures.push(Restriction {
                    negated,
                    architecture,
                });
            }
            rest = after.trim_start();
        }
        // Build profiles (`<!nocheck>`) have no meaning in a binary package.
        if !rest.is_empty() {
            return Err(fail("`,` or `|`"));
        }
        Ok(Self {
            name,
            qualifier,
            constraint,
            architectures,
        })
    }

    /// Tells whether it applies to packages of `arch`.
    pub fn applies_to(&self, arch: &str) -> bool {
        let matches = |r: &Restriction<'_>| r.architecture == arch || is_wildcard(r.architecture);
        match self.architectures.first() {
            None => true,
            Some(first) if first.negated => !self.architectures.iter().any(matches),
            Some(_) => self.architectures.iter().any(|r| !r.negated && matches(r)),
        }
    }

    /// Tells whether `version` is among those that are meant.
    pub fn accepts(&self, version: &str) -> bool {
        self.constraint.is_none_or(|c| c.accepts(version))
    }
}

/// Wildcards that cover Linux on any processor. Others name a single processor
/// or another system and don't occur in Debian's binary packages.
fn is_wildcard(architecture: &str) -> bool {
    matches!(architecture, "any" | "linux-any")
}

/// Tells whether `text` can be the name of a package.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_'))
}

impl Constraint<'_> {
    /// Tells whether `version` is within the bound.
    pub fn accepts(&self, version: &str) -> bool {
        let order = version::compare(version, self.version);
        match self.operator {
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Equal => order == Ordering::Equal,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Greater => order == Ordering::Greater,
        }
    }
}

impl Operator {
    fn strip(text: &str) -> Option<(Self, &str)> {
        // The longer ones first: `<` begins three of them.
        const ALL: [(&str, Operator); 7] = [
            ("<<", Operator::Less),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            (">>", Operator::Greater),
            ("=", Operator::Equal),
            ("<", Operator::LessOrEqual),
            (">", Operator::GreaterOrEqual),
        ];
        ALL.iter().find_map(|(sign, operator)| {
            let rest = text.strip_prefix(sign)?;
            Some((*operator, rest.trim()))
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">>",
        })
    }
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(qualifier) = self.qualifier {
            write!(f, ":{qualifier}")?;
        }
        if let Some(Constraint { operator, version }) = self.constraint {
            write!(f, " ({operator} {version})")?;
        }
        for (at, word) in self.architectures.iter().enumerate() {
            let open = if at == 0 { " [" } else { " " };
            let not = if word.negated { "!" } else { "" };
            write!(f, "{open}{not}{}", word.architecture)?;
        }
        f.write_str(if self.architectures.is_empty() {
            ""
        } else {
            "]"
        })
    }
}

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, alternative) in self.alternatives.iter().enumerate() {
            let bar = if at == 0 { "" } else { " | " };
            write!(f, "{bar}{alternative}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_all_of_the_syntax() {
        let text =
            "libc6 (>= 2.36), mawk|gawk(>>1:5) , python3:any (>= 3.11~),\n foo [amd64 !i386],";
        let relations = Relations::parse(text).expect("a field");
        let printed: Vec<String> = relations.groups.iter().map(Group::to_string).collect();
        assert_eq!(
            printed,
            [
                "libc6 (>= 2.36)",
                "mawk | gawk (>> 1:5)",
                "python3:any (>= 3.11~)",
                "foo [amd64 !i386]"
            ]
        );
        assert_eq!(relations.groups[2].alternatives[0].qualifier, Some("any"));
        assert_eq!(Relations::parse(" \n "), Ok(Relations::default()));
    }

    #[test]
    fn knows_the_old_operators() {
        let relations = Relations::parse("a (< 2), b (> 2)").expect("a field");
        let [a, b] = &relations.groups[..] else {
            panic!("two groups");
        };
        assert!(a.alternatives[0].accepts("2") && !a.alternatives[0].accepts("2.1"));
        assert!(b.alternatives[0].accepts("2") && !b.alternatives[0].accepts("1.9"));
    }

    #[test]
    fn bounds_versions() {
        let accepts = |text: &str, version: &str| {
            let relations = Relations::parse(text).expect("a field");
            relations.groups[0].alternatives[0].accepts(version)
        };
        assert!(accepts("a", "1"));
        assert!(accepts("a (<< 2)", "2~") && !accepts("a (<< 2)", "2"));
        assert!(accepts("a (= 2)", "0:2-0") && !accepts("a (= 2)", "2-1"));
        assert!(accepts("a (>> 2)", "2-1") && !accepts("a (>> 2)", "2"));
    }

    #[test]
    fn applies_to_its_architectures() {
        let applies = |text: &str, arch: &str| {
            let relations = Relations::parse(text).expect("a field");
            relations.groups[0].alternatives[0].applies_to(arch)
        };
        assert!(applies("a", "arm64"));
        assert!(applies("a [amd64 arm64]", "arm64") && !applies("a [amd64]", "arm64"));
        assert!(applies("a [!i386]", "arm64") && !applies("a [!arm64 !i386]", "arm64"));
        assert!(applies("a [linux-any]", "arm64") && !applies("a [!any]", "arm64"));
    }

    #[test]
    fn refuses_what_it_can_not_read() {
        for text in [
            "a |",
            "(>= 1)",
            "a (1)",
            "a (>= )",
            "a (>= 1",
            "a (>= 1 2)",
            "a b",
            "a:",
            "a [x",
            "a <x>",
            "é",
            "a/b",
        ] {
            assert!(Relations::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            Relations::parse(&"a,".repeat(MAX_RELATIONS + 1)),
            Err(RelationError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z(),|:<>=\\[\\]! .0-9é\n-]{0,40}") {
            if let Ok(relations) = Relations::parse(&text) {
                let printed: Vec<String> = relations.groups.iter().map(Group::to_string).collect();
                let printed = printed.join(", ");
                prop_assert_eq!(Relations::parse(&printed), Ok(relations));
            }
        }
    }
}
