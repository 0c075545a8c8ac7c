//! What expressions evaluate to.
//!
//! A value is sixteen bytes, shared and never changed (a machine may change one that
//! nobody else holds). It knows where it was written, as an [`Origin`]. Types are
//! checked before: who reads a value knows its kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_plan::{Arch, Capability, FileDigest, Owner, Packages};

use crate::host::{ImageValue, IndexValue};
use crate::ir::ExprId;
use crate::origins::Place;
use crate::vm::code::{Function, Partial};

/// Where a value was written or computed: a number that the database leads back to a
/// [`Site`](crate::site::Site). Numbers are given out in any order: they are compared
/// for equality, and never sorted or shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) u32);

impl Origin {
    /// The origin of an expression, if this is that of the binding's expression 0.
    pub(crate) fn of(self, expr: ExprId) -> Self {
        Self(self.0.wrapping_add(expr.0))
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// What is wrong here has been reported. Only items of lists and fields of
    /// records are this, so that one mistake does not hide the others.
    Failed,
    /// A number; also a mode and a port.
    Int(Origin, i64),
    /// A truth value.
    Bool(Origin, bool),
    /// Text; also the name of a package, a suite, a platform.
    Str(Origin, Arc<String>),
    /// A path from the project root. Twice shared: so a value has two words.
    Path(Origin, Arc<Arc<str>>),
    /// A list.
    List(Origin, Arc<Vec<Value>>),
    /// A record or a map.
    Record(Origin, Arc<Record>),
    /// A tag with or without a payload.
    Tag(Origin, Arc<Tagged>),
    /// A function of the language.
    Function(Origin, Arc<Function>),
    /// A function of the host, with the arguments that it has so far.
    Builtin(Origin, Arc<Partial>),
    /// What a JSON, TOML or YAML document holds.
    Data(Origin, Arc<Document>),
    /// Debian packages.
    Packages(Origin, Arc<PackagesValue>),
    /// Something to put at a path of an image.
    File(Origin, Arc<FileValue>),
    /// An image.
    Image(Origin, Arc<ImageValue>),
    /// Images of several platforms under one name.
    Index(Origin, Arc<IndexValue>),
}

/// The fields of a record or map, sorted by name, each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Record {
    /// The names; records of one literal share them.
    pub(crate) names: Arc<Vec<Arc<str>>>,
    /// A value for each name.
    pub(crate) values: Vec<Value>,
}

/// A tag and what it carries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tagged {
    /// The tag.
    pub(crate) tag: Arc<str>,
    /// What it carries.
    pub(crate) payload: Option<Value>,
}

/// A part of a JSON, TOML or YAML document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    /// The value there.
    pub(crate) value: serde_json::Value,
    /// The file that it was read from, and the way to it: `./a.json: servers[0].port`.
    pub(crate) place: Arc<str>,
}

/// Debian packages, and where their parts are written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PackagesValue {
    /// The packages.
    pub(crate) packages: Packages,
    /// The files of keys that it names, by the digests of what they hold.
    pub(crate) keys: Vec<(FileDigest, String)>,
    /// Where.
    pub(crate) origins: Vec<(Place, Origin)>,
    /// Where it is said how the scripts of a package are treated, by its name.
    pub(crate) scripts: BTreeMap<String, Origin>,
    /// Where the contents that the packages' effects name stand in the project.
    pub(crate) sources: Vec<(FileDigest, String)>,
}

/// Something to put at a path, before the path and the image are known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FileValue {
    /// What.
    pub(crate) source: FileSource,
    /// The mode that was asked for.
    pub(crate) mode: Option<u32>,
    /// Bits beyond `0o777` that were asked for.
    pub(crate) bits: u32,
    /// The owning user.
    pub(crate) user: Owner,
    /// The owning group.
    pub(crate) group: Owner,
    /// The capabilities of a program, sorted.
    pub(crate) capabilities: Vec<Capability>,
}

/// Where the content of a [`FileValue`] comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FileSource {
    /// Text of the language.
    Text(Arc<String>),
    /// A file of the project, or a folder with everything in it.
    Project(Arc<str>, Origin),
    /// A file of the project.
    Regular(Arc<str>, Origin),
    /// A folder: empty, or a folder of the project with everything in it.
    Directory(Option<(Arc<str>, Origin)>),
    /// A symbolic link.
    Symlink(Arc<str>),
    /// A static program, by Debian's name of its architecture; `None` is for any.
    Binary(Vec<(Option<Arch>, Arc<str>, Origin)>),
    /// A file that is fetched.
    Fetched(Arc<Fetched>),
    /// A folder with what an archive holds.
    Archive(Arc<Unpacked>),
}

/// A file that is fetched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fetched {
    /// Where it can be had.
    pub(crate) url: String,
    /// The digest of its bytes.
    pub(crate) digest: FileDigest,
    /// Where the digest is written.
    pub(crate) at: Origin,
}

/// What is taken of an archive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unpacked {
    /// The archive: fetched, or of the project.
    pub(crate) archive: FileSource,
    /// How many leading parts of paths are left out.
    pub(crate) strip: u32,
    /// Patterns of paths that are left out.
    pub(crate) exclude: Vec<String>,
    /// Patterns of paths that are there all the same.
    pub(crate) include: Vec<String>,
    /// Whether files keep their setuid and setgid bits.
    pub(crate) setuid: bool,
}

impl Value {
    /// Where it was written or computed. A failure has no place.
    pub(crate) fn origin(&self) -> Option<Origin> {
        match self {
            Self::Failed => None,
            Self::Int(at, _)
            | Self::Bool(at, _)
            | Self::Str(at, _)
            | Self::Path(at, _)
            | Self::List(at, _)
            | Self::Record(at, _)
            | Self::Tag(at, _)
            | Self::Function(at, _)
            | Self::Builtin(at, _)
            | Self::Data(at, _)
            | Self::Packages(at, _)
            | Self::File(at, _)
            | Self::Image(at, _)
            | Self::Index(at, _) => Some(*at),
        }
    }

    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(_, text) => Some(text),
            _ => None,
        }
    }

    /// A number.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(_, number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it is a failure that has been reported.
    pub(crate) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed)
    }

    /// The same value, made elsewhere.
    pub(crate) fn at(mut self, origin: Origin) -> Self {
        match &mut self {
            Self::Failed => {}
            Self::Int(at, _)
            | Self::Bool(at, _)
            | Self::Str(at, _)
            | Self::Path(at, _)
            | Self::List(at, _)
            | Self::Record(at, _)
            | Self::Tag(at, _)
            | Self::Function(at, _)
            | Self::Builtin(at, _)
            | Self::Data(at, _)
            | Self::Packages(at, _)
            | Self::File(at, _)
            | Self::Image(at, _)
            | Self::Index(at, _) => *at = origin,
        }
        self
    }

    /// The items of a list.
    pub(crate) fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(_, items) => Some(items),
            _ => None,
        }
    }

    /// The fields of a record or map.
    pub(crate) fn as_record(&self) -> Option<&Record> {
        match self {
            Self::Record(_, record) => Some(record),
            _ => None,
        }
    }
}

impl Record {
    /// A record of names that are sorted, each once, and a value for each.
    pub(crate) fn new(names: Vec<Arc<str>>, values: Vec<Value>) -> Self {
        let names = Arc::new(names);
        Self { names, values }
    }

    /// The field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let at = self.names.binary_search_by(|n| (**n).cmp(name)).ok()?;
        self.values.get(at)
    }

    /// Every field, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.names.iter().zip(&self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_sixteen_bytes() {
        assert_eq!(size_of::<Value>(), 16);
    }
}
