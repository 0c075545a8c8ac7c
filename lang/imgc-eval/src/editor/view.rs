//! One file as an editor sees it: its tree, its names, the types of its parts. Also of a
//! text that is not in the file: what it would be.

use std::borrow::Cow;
use std::sync::Arc;

use imgc_diag::{FileId, Span};
use imgc_syntax::{Parse, TextRange, TextSize};

use crate::ir::{ArmPattern, Expr, ExprId, ItemName, LocalId, Parameter, Payload};
use crate::load::file_id;
use crate::queries::{SourceFile, lowered, parse, recorded};
use crate::resolve::{Binding, Lowered, Recorded};
use crate::session::{ModuleInfo, describe};
use crate::types::{Shape, Typing};

use super::Semantics;
use super::names::{Names, is_project, names};

/// One file, or a text in its place.
#[derive(Debug)]
pub struct FileView<'a> {
    semantics: &'a Semantics,
    file: SourceFile,
    text: Arc<str>,
    parse: Cow<'a, Parse>,
    lowered: Arc<Lowered>,
    recorded: Arc<Recorded>,
}

/// A thing of a binding that has a type.
enum Typed {
    Expr(ExprId),
    Local(LocalId),
}

impl<'a> FileView<'a> {
    pub(super) fn of(semantics: &'a Semantics, file: SourceFile) -> Self {
        let db = &semantics.db;
        Self {
            semantics,
            file,
            text: file.text(db).clone().unwrap_or_else(|| Arc::from("")),
            parse: Cow::Borrowed(parse(db, file)),
            lowered: lowered(db, file).clone(),
            recorded: recorded(db, file).clone(),
        }
    }

    pub(super) fn sketch(semantics: &'a Semantics, file: SourceFile, text: &str) -> Self {
        let db = &semantics.db;
        let parse = imgc_syntax::parse(text);
        let (lowered, recorded) =
            crate::resolve::lower_recorded(db, file, &parse, file.circular(db));
        Self {
            semantics,
            file,
            text: text.into(),
            parse: Cow::Owned(parse),
            lowered: Arc::new(lowered),
            recorded: Arc::new(recorded),
        }
    }

    /// The file.
    pub fn id(&self) -> FileId {
        file_id(self.file.name(&self.semantics.db))
    }

    /// Whether it is a file of the project, which can be changed.
    pub fn is_project_file(&self) -> bool {
        is_project(self.file.name(&self.semantics.db))
    }

    /// The text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The tree.
    pub fn parse(&self) -> &Parse {
        &self.parse
    }

    /// The names.
    pub fn names(&self) -> Names {
        names(&self.semantics.db, &self.lowered, &self.recorded)
    }

    /// What there is to say about the file and its top-level bindings, as it is stored.
    pub fn describe(&self) -> ModuleInfo {
        describe(&self.semantics.db, self.file)
    }

    /// The smallest expression around a byte of the text.
    pub fn innermost(&self, offset: TextSize) -> Option<TextRange> {
        let bindings = self.lowered.bindings.iter();
        let found = bindings.filter_map(|binding| binding.spans.innermost(offset));
        let ranges = found.map(|(_, range)| range);
        ranges.min_by_key(|range| range.len())
    }

    /// The type of what stands at exactly this range: an expression, or the name of a
    /// binding, parameter or field.
    pub fn shape(&self, range: TextRange) -> Option<Shape> {
        let (binding, typed) = self.typed(range)?;
        let mut typing = Typing::of(&self.semantics.db, binding.item, &binding.body);
        let scheme = match typed {
            Typed::Expr(expr) => typing.of_expr(expr),
            Typed::Local(local) => typing.of_local(local),
        };
        scheme.map(|scheme| Shape::of(&scheme))
    }

    /// What is needed in the place of the expression that stands at exactly this range.
    pub fn expected(&self, range: TextRange) -> Option<Shape> {
        let (binding, expr) = self.expr(range)?;
        let mut typing = Typing::of(&self.semantics.db, binding.item, &binding.body);
        typing.expected(expr).map(|scheme| Shape::of(&scheme))
    }

    /// The types of several names or expressions at once.
    pub fn shapes(&self, ranges: &[TextRange]) -> Vec<(TextRange, Shape)> {
        let mut found = Vec::new();
        for binding in &self.lowered.bindings {
            let typed = ranges.iter().filter_map(|range| {
                let typed = typed_in(binding, *range, self.slice(*range))?;
                Some((*range, typed))
            });
            let typed: Vec<(TextRange, Typed)> = typed.collect();
            if typed.is_empty() {
                continue;
            }
            let mut typing = Typing::of(&self.semantics.db, binding.item, &binding.body);
            for (range, typed) in typed {
                let scheme = match typed {
                    Typed::Expr(expr) => typing.of_expr(expr),
                    Typed::Local(local) => typing.of_local(local),
                };
                let shape = scheme.map(|scheme| Shape::of(&scheme));
                found.extend(shape.map(|shape| (range, shape)));
            }
        }
        found.sort_by_key(|(range, _)| (range.start(), range.end()));
        found
    }

    /// The module that the expression at exactly this range stands for.
    pub fn module(&self, range: TextRange) -> Option<FileId> {
        let (binding, expr) = self.expr(range)?;
        let typing = Typing::of(&self.semantics.db, binding.item, &binding.body);
        let module = typing.module_of(expr)?;
        Some(file_id(module.name(&self.semantics.db)))
    }

    /// Where a field is written of the value that the expression at exactly this range
    /// stands for: the key in a record, or the parameter of a function that is called so.
    pub fn field(&self, range: TextRange, field: &str) -> Option<Span> {
        let db = &self.semantics.db;
        let (binding, expr) = self.expr(range)?;
        let typing = Typing::of(db, binding.item, &binding.body);
        let (item, at) = typing.value_of(expr)?;
        let of_other;
        let found = if item == binding.item {
            binding
        } else {
            of_other = lowered(db, item.file(db)).clone();
            of_other.get(item.name(db))?
        };
        let part = match found.body.expr(at) {
            Expr::Record(fields) => fields.iter().position(|known| *known.name == *field)?,
            Expr::Lambda(lambda) => match &lambda.parameter {
                Parameter::Fields(pattern) => {
                    let mut known = pattern.fields.iter();
                    known.position(|known| *known.name == *field)? + 1
                }
                Parameter::Any(..) => return None,
            },
            _ => return None,
        };
        let place = found.spans.get(crate::site::At::part(at, part));
        Some(Span::new(file_id(item.file(db).name(db)), place))
    }

    fn slice(&self, range: TextRange) -> &str {
        let range = std::ops::Range::<usize>::from(range);
        self.text.get(range).unwrap_or_default()
    }

    fn expr(&self, range: TextRange) -> Option<(&Binding, ExprId)> {
        self.lowered.bindings.iter().find_map(|binding| {
            let expr = binding.spans.exact(range)?;
            Some((binding, expr))
        })
    }

    fn typed(&self, range: TextRange) -> Option<(&Binding, Typed)> {
        self.lowered.bindings.iter().find_map(|binding| {
            let typed = typed_in(binding, range, self.slice(range))?;
            Some((binding, typed))
        })
    }
}

/// What of a binding stands at a range and has a type; `name` is the text there.
fn typed_in(binding: &Binding, range: TextRange, name: &str) -> Option<Typed> {
    if binding.place == range && binding.name != ItemName::Root {
        return Some(Typed::Expr(binding.body.root));
    }
    if let Some(expr) = binding.spans.exact(range) {
        return Some(Typed::Expr(expr));
    }
    if let Some(local) = arm_variable(binding, range, name) {
        return Some(Typed::Local(local));
    }
    let (expr, part) = binding.spans.exact_part(range)?;
    match binding.body.expr(expr) {
        Expr::Record(fields) => fields.get(part).map(|field| Typed::Expr(field.value)),
        Expr::Let { bindings, .. } => bindings.get(part).map(|bound| Typed::Local(bound.local)),
        Expr::Lambda(lambda) => match &lambda.parameter {
            Parameter::Any(local, _) => local.map(Typed::Local),
            Parameter::Fields(pattern) => {
                let field = pattern.fields.get(part.checked_sub(1)?)?;
                Some(Typed::Local(field.local))
            }
        },
        Expr::Select(..) => Some(Typed::Expr(expr)),
        _ => None,
    }
}

/// The variable of that name in the pattern of an arm around a range.
fn arm_variable(binding: &Binding, range: TextRange, name: &str) -> Option<LocalId> {
    let body = &binding.body;
    let (expr, part) = binding.spans.part_around(range)?;
    let Expr::Match { arms, .. } = body.expr(expr) else {
        return None;
    };
    let is_named = |local: &LocalId| *body.locals[local.0 as usize] == *name;
    match &arms.get(part)?.pattern {
        ArmPattern::Any(local) | ArmPattern::Tag(_, Payload::Any(local)) => local.filter(is_named),
        ArmPattern::Tag(_, Payload::Fields(pattern)) => {
            let mut locals = pattern.fields.iter().map(|field| field.local);
            locals.find(is_named)
        }
        _ => None,
    }
}
