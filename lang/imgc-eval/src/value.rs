//! What expressions evaluate to.
//!
//! Values are shared, never changed, and know where they were written. A function
//! refers to its frame by number, so that values hold no cycles. Lists and records
//! know how deep they nest: no walk over a value goes deeper than
//! [`MAX_VALUE_DEPTH`].

use std::sync::Arc;

use imgc_plan::{Config, File, FileDigest, Group, Owner, Packages, Platform, User};

use crate::builtins::Builtin;
use crate::eval::Failed;
use crate::hir::ExprId;
use crate::origins::Place;
use crate::span::Span;

/// How deep lists and records may nest in each other.
pub(crate) const MAX_VALUE_DEPTH: u32 = 500;

/// A value, and the literal or operation that it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    /// What it is.
    pub(crate) data: Data,
    /// Where it was written or computed.
    pub(crate) span: Span,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    /// A number.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// Text.
    Str(Arc<str>),
    /// A path from the project root.
    Path(Arc<str>),
    /// A list.
    List(Arc<List>),
    /// A record.
    Record(Arc<Record>),
    /// A function of the language.
    Lambda(Closure),
    /// A function of the host, with the arguments that it has so far.
    Builtin(Builtin, Arc<[Value]>),
    /// Debian packages.
    Packages(Arc<PackagesValue>),
    /// Something to put at a path of an image.
    File(Arc<FileValue>),
    /// An image.
    Image(Arc<ImageValue>),
    /// What is wrong here has been reported. Only items of lists and fields of
    /// records are this, so that one mistake does not hide the others.
    Failed,
}

/// The items of a list.
#[derive(Debug)]
pub(crate) struct List {
    /// The items.
    pub(crate) items: Vec<Value>,
    /// 1 more than the deepest item.
    pub(crate) depth: u32,
}

/// The fields of a record.
#[derive(Debug)]
pub(crate) struct Record {
    /// The fields, sorted by name, each name once.
    pub(crate) fields: Vec<RecordField>,
    /// 1 more than the deepest value.
    pub(crate) depth: u32,
}

/// A field of a record.
#[derive(Debug, Clone)]
pub(crate) struct RecordField {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Where the name is written.
    pub(crate) span: Span,
    /// Its value.
    pub(crate) value: Value,
}

/// A function of the language with the frame that it was made in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closure {
    /// The module of its text.
    pub(crate) module: u32,
    /// The lambda.
    pub(crate) expr: ExprId,
    /// The frame, if it was made in one.
    pub(crate) frame: Option<u32>,
}

/// Debian packages, and where their parts are written.
#[derive(Debug)]
pub(crate) struct PackagesValue {
    /// The packages.
    pub(crate) packages: Packages,
    /// Where.
    pub(crate) origins: Vec<(Place, Span)>,
}

/// Something to put at a path, before the path and the image are known.
#[derive(Debug)]
pub(crate) struct FileValue {
    /// What.
    pub(crate) source: FileSource,
    /// The mode that was asked for.
    pub(crate) mode: Option<u32>,
    /// The owning user.
    pub(crate) user: Owner,
    /// The owning group.
    pub(crate) group: Owner,
}

/// Where the content of a [`FileValue`] comes from.
#[derive(Debug)]
pub(crate) enum FileSource {
    /// Text of the language.
    Text(Arc<str>),
    /// A file of the project, or a folder with everything in it.
    Project(Arc<str>, Span),
    /// A file of the project.
    Regular(Arc<str>, Span),
    /// A folder: empty, or a folder of the project with everything in it.
    Directory(Option<(Arc<str>, Span)>),
    /// A symbolic link.
    Symlink(Arc<str>),
    /// A static program, by Debian's name of its architecture; `None` is for any.
    Binary(Vec<(Option<imgc_plan::Arch>, Arc<str>, Span)>),
}

/// An image that may not have a name yet.
#[derive(Debug)]
pub(crate) struct ImageValue {
    /// Its name, if it says one.
    pub(crate) name: Option<String>,
    /// Where it runs.
    pub(crate) platform: Platform,
    /// Debian packages.
    pub(crate) packages: Option<Packages>,
    /// Groups, in source order.
    pub(crate) groups: Vec<Group>,
    /// Users, in source order.
    pub(crate) users: Vec<User>,
    /// Files, sorted by path.
    pub(crate) files: Vec<File>,
    /// What a runtime is told.
    pub(crate) config: Config,
    /// Where the parts are written.
    pub(crate) origins: Vec<(Place, Span)>,
    /// Where the contents stand in the project.
    pub(crate) sources: Vec<(FileDigest, String)>,
    /// About how many bytes it takes.
    pub(crate) bytes: usize,
}

impl Value {
    /// What it is, with an article: `a string`.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Int(_) => "a number",
            Data::Bool(_) => "a truth value",
            Data::Str(_) => "a string",
            Data::Path(_) => "a path",
            Data::List(_) => "a list",
            Data::Record(_) => "a record",
            Data::Lambda(_) | Data::Builtin(..) => "a function",
            Data::Packages(_) => "Debian packages",
            Data::File(_) => "a file",
            Data::Image(_) => "an image",
            Data::Failed => "a mistake",
        }
    }

    /// The value, unless it is a mistake that has been reported.
    pub(crate) fn sound(self) -> Result<Self, Failed> {
        match self.data {
            Data::Failed => Err(Failed),
            _ => Ok(self),
        }
    }

    /// How deep it nests: 0 for what holds no other value.
    pub(crate) fn depth(&self) -> u32 {
        match &self.data {
            Data::List(list) => list.depth,
            Data::Record(record) => record.depth,
            Data::Builtin(_, arguments) => depth_of(arguments.iter()),
            _ => 0,
        }
    }
}

/// 1 more than the deepest of `values`.
pub(crate) fn depth_of<'a>(values: impl Iterator<Item = &'a Value>) -> u32 {
    1 + values.map(Value::depth).max().unwrap_or(0)
}

impl Record {
    /// The field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&RecordField> {
        let at = self
            .fields
            .binary_search_by(|field| (*field.name).cmp(name))
            .ok()?;
        Some(&self.fields[at])
    }
}
