//! A type as plain data, for editors: what it is called, its fields, tags and parts.
//!
//! It is made of a finished type, and knows nothing of how that was found.

use super::hosts;
use super::print::show_part;
use super::schema_docs::field_doc;
use super::scheme::{Part, Scheme, SchemeField};
use super::subsume::architectures;
use super::ty::Heads;

/// How long the text of a part may be.
const LONGEST: usize = 400;

/// How deep shapes stand in each other.
const DEEPEST: u32 = 12;

/// A type as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The type as text.
    pub text: String,
    /// What sort of type it is.
    pub kind: ShapeKind,
    /// The fields, sorted by name: of a record, of a schema of the host, or the
    /// architectures of a program.
    pub fields: Vec<FieldShape>,
    /// Whether there may be further fields or tags.
    pub is_open: bool,
    /// The tags of a union, sorted by name.
    pub tags: Vec<TagShape>,
    /// What a list or map has, and what a function gives.
    pub inner: Option<Box<Shape>>,
    /// What a function takes.
    pub parameter: Option<Box<Shape>>,
}

/// What sort of type a [`Shape`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShapeKind {
    /// A type of the host, by its name: `Int`, `Package`, `Config`.
    Host(&'static str),
    /// A record.
    Record,
    /// A map.
    Map,
    /// A list.
    List,
    /// A function.
    Function,
    /// A union of tags.
    Union,
    /// Any type, or one that is not known.
    Any,
}

/// A field of a [`Shape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldShape {
    /// Its name.
    pub name: String,
    /// Its type as text.
    pub ty: String,
    /// Whether it may be left out.
    pub is_optional: bool,
    /// What it is for, where it is one of the host's.
    pub doc: Option<&'static str>,
}

/// A tag of a [`Shape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagShape {
    /// Its name.
    pub name: String,
    /// The type of what it carries, as text.
    pub payload: Option<String>,
}

impl Shape {
    /// The shape of a finished type.
    pub(crate) fn of(scheme: &Scheme) -> Self {
        let root = scheme.nodes.len().saturating_sub(1) as u32;
        of_part(scheme, root, 0)
    }

    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldShape> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.text == "_"
    }
}

fn of_part(scheme: &Scheme, part: u32, depth: u32) -> Shape {
    let plain = |kind| Shape {
        text: show_part(scheme, part, LONGEST, depth == 0),
        kind,
        fields: Vec::new(),
        is_open: false,
        tags: Vec::new(),
        inner: None,
        parameter: None,
    };
    if depth > DEEPEST {
        return plain(ShapeKind::Any);
    }
    let inner = |part: &u32| Some(Box::new(of_part(scheme, *part, depth + 1)));
    match scheme.part(part) {
        Part::Poison | Part::Nothing => plain(ShapeKind::Any),
        Part::Host(host) => of_host(*host),
        Part::Var(index) => {
            let var = &scheme.vars[*index as usize];
            let host = var.heads.first().filter(|_| var.heads != Heads::ANY);
            match host {
                Some(host) if !var.row && !var.heads.has(Heads::LIST) => Shape {
                    text: plain(ShapeKind::Any).text,
                    ..of_host(host)
                },
                _ => plain(ShapeKind::Any),
            }
        }
        Part::List(item) => Shape {
            inner: inner(item),
            ..plain(ShapeKind::List)
        },
        Part::Map(value) => Shape {
            inner: inner(value),
            ..plain(ShapeKind::Map)
        },
        Part::Function(parameter, result) => Shape {
            parameter: inner(parameter),
            inner: inner(result),
            ..plain(ShapeKind::Function)
        },
        Part::Record(fields, tail) => Shape {
            fields: fields.iter().map(|field| field_of(scheme, field)).collect(),
            is_open: tail.is_some(),
            ..plain(ShapeKind::Record)
        },
        Part::Union(tags, tail) => {
            let tags = tags.iter().map(|tag| TagShape {
                name: tag.name.to_string(),
                payload: (*scheme.part(tag.ty) != Part::Nothing)
                    .then(|| show_part(scheme, tag.ty, LONGEST, false)),
            });
            Shape {
                tags: tags.collect(),
                is_open: tail.is_some(),
                ..plain(ShapeKind::Union)
            }
        }
    }
}

fn field_of(scheme: &Scheme, field: &SchemeField) -> FieldShape {
    let ty = show_part(scheme, field.ty, LONGEST, false);
    FieldShape {
        doc: field_doc(&field.name, &ty),
        name: field.name.to_string(),
        ty,
        is_optional: field.optional,
    }
}

fn of_host(host: hosts::Host) -> Shape {
    let mut fields: Vec<FieldShape> = if host == hosts::Host::Program {
        let architectures = architectures().into_iter();
        let fields = architectures.map(|name| FieldShape {
            name: name.to_owned(),
            ty: hosts::Host::Path.name().to_owned(),
            is_optional: true,
            doc: Some("The program for this architecture."),
        });
        fields.collect()
    } else {
        let fields = hosts::fields_of(host).into_iter();
        let fields = fields.map(|(name, is_optional, ty)| FieldShape {
            name: name.to_owned(),
            doc: field_doc(name, &ty),
            ty,
            is_optional,
        });
        fields.collect()
    };
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    Shape {
        text: host.name().to_owned(),
        kind: ShapeKind::Host(host.name()),
        fields,
        is_open: false,
        tags: Vec::new(),
        inner: None,
        parameter: None,
    }
}
