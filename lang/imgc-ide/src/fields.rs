//! Every place that names one field: of a record that is written once, or of a parameter.
//! Only where all of them are known for sure; else the reason why not.

use std::collections::BTreeSet;

use imgc_diag::FileId;
use imgc_eval::{FileView, Target};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxNode, TextRange, TextSize};

use crate::definition::callee_of;
use crate::references::{all, in_file};
use crate::rename::RenameError;
use crate::spine::{argument, expr_at, inside, is_root, is_selected, piped_into, unwrapped};
use crate::symbol::{self, Bound, Meant};
use crate::syntax::{ancestors_at, bare, node_at};
use crate::{Context, Encoding, LineIndex};

/// The places of a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field {
    /// The keys, and the names that they bind, by file and place.
    pub(crate) places: BTreeSet<(FileId, Start, End)>,
    /// Whether it is a parameter, whose name is bound too.
    pub(crate) is_parameter: bool,
    /// The names that stand beside it: it can't have one of them.
    pub(crate) others: BTreeSet<String>,
}

type Start = u32;
type End = u32;
type Found<T> = Result<T, RenameError>;

/// A part of a tree that belongs to a file.
type Place = (FileId, TextRange);

impl Field {
    fn add(&mut self, file: &FileId, range: TextRange) {
        let place = (file.clone(), range.start().into(), range.end().into());
        self.places.insert(place);
    }
}

/// The key at a byte, and all places of its field. None where no key of a field stands there.
pub(crate) fn at(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Option<(TextRange, Found<Field>)> {
    let root = view.parse().syntax();
    for node in ancestors_at(root, offset) {
        if let Some(select) = ast::Select::cast(node) {
            let key = select.key()?;
            let range = key.range();
            if range.contains_inclusive(offset) {
                let span = key
                    .text()
                    .and_then(|name| view.field(bare(&select.base()?), &name));
                let field = match span {
                    Some(span) => of_span(context, &span),
                    None => of_selection(context, view, select),
                };
                return Some((range, field));
            }
        }
        if let Some(binding) = ast::Binding::cast(node) {
            let keys = binding.keys();
            let mut keys = keys.iter();
            let key = keys.find(|key| key.range().contains_inclusive(offset))?;
            ast::Record::cast(binding.syntax().parent()?)?;
            return Some((key.range(), of_key(context, view, key.range())));
        }
    }
    None
}

/// All places of the field that a parameter's pattern has at exactly this range.
pub(crate) fn of_parameter(
    context: &Context<'_>,
    view: &FileView<'_>,
    name: TextRange,
) -> Found<Field> {
    let root = view.parse().syntax();
    let mut around = node_at(root, name).ancestors();
    let pattern = around.find_map(ast::RecordPattern::cast);
    let lambda = pattern.and_then(|pattern| ast::Lambda::cast(pattern.syntax().parent()?));
    let (Some(pattern), Some(lambda)) = (pattern, lambda) else {
        return refuse("it is the name of a field, which whoever makes the tag writes too");
    };
    let old = slice(view, name);
    let mut field = Field {
        is_parameter: true,
        ..Field::default()
    };
    let names = pattern.fields().filter_map(|field| field.name());
    field
        .others
        .extend(names.map(|name| name.text().to_owned()));
    for reference in all(context, &Meant::Binding(view.id(), name)) {
        field.add(&reference.location.file, reference.location.text_range());
    }
    // How many parameters come before this one, and what the function is called.
    let mut before = 0;
    let mut node = unwrapped(lambda.syntax());
    while let Some(outer) = node.parent().and_then(ast::Lambda::cast) {
        before += 1;
        node = unwrapped(outer.syntax());
    }
    let Some(meant) = named(view, node) else {
        return refuse("it is the name of a field, which whoever gives the record writes too");
    };
    for (file, range) in uses(context, &meant)? {
        let of_use = known(context, &file)?;
        let root = of_use.parse().syntax();
        let argument = argument(expr_at(root, range), before);
        let Some(ast::Expr::Record(record)) = argument else {
            return refuse(&format!(
                "the function is used at {} without a record that is written there",
                words(&of_use, range)
            ));
        };
        collect(&of_use, &record, &[old], &mut field)?;
    }
    Ok(field)
}

/// The field that a selection takes from a record in a record.
fn of_selection(
    context: &Context<'_>,
    view: &FileView<'_>,
    select: ast::Select<'_>,
) -> Found<Field> {
    let names = view.names();
    let target = |range: TextRange| {
        let found = names.uses.iter().find(|found| found.range == range);
        found.map(|found| match &found.target {
            Target::Binding(place) => Some(Meant::Binding(view.id(), *place)),
            Target::Export(file, name) => Some(Meant::Export(file.clone(), name.clone())),
            _ => None,
        })
    };
    let mut path: Vec<String> = Vec::new();
    let mut expr = ast::Expr::Select(select);
    let meant = loop {
        expr = match inside(expr) {
            ast::Expr::Ref(name) => break target(name.range()).flatten(),
            ast::Expr::Select(select) => {
                let Some((key, base)) = select.key().zip(select.base()) else {
                    break None;
                };
                if let Some(found) = target(key.range()) {
                    break found;
                }
                path.insert(0, key.text().unwrap_or_default().into());
                base
            }
            _ => break None,
        };
    };
    let unknown = || RenameError("which record this field is of is not known here".to_owned());
    let meant = meant.ok_or_else(unknown)?;
    let (file, place) = match &meant {
        Meant::Binding(file, place) => (file, Some(*place)),
        Meant::Export(file, name) => {
            let names = known(context, file)?.names();
            let mut exports = names.exports.iter();
            let export = exports.find(|export| *export.name == **name);
            (file, export.map(|export| export.range))
        }
        _ => return Err(unknown()),
    };
    let view = known(context, file)?;
    let root = view.parse().syntax();
    let binder = place.and_then(|place| symbol::binder(root, place));
    // What has a written type is read by that.
    let binder = binder.filter(|binder| {
        ast::Binding::cast(binder.node).is_some_and(|binding| binding.ty().is_none())
    });
    match binder.and_then(|binder| binder.value).map(inside) {
        Some(ast::Expr::Record(record)) => of_record(context, &view, &record, &meant, &path),
        _ => Err(unknown()),
    }
}

/// The field that stands at a place of some file.
fn of_span(context: &Context<'_>, span: &imgc_diag::Span) -> Found<Field> {
    let view = known(context, &span.file)?;
    let range = TextRange::new(span.range.start.into(), span.range.end.into());
    let binder = symbol::binder(view.parse().syntax(), range);
    match binder.map(|binder| binder.bound) {
        Some(Bound::PatternField) => of_parameter(context, &view, range),
        _ => of_key(context, &view, range),
    }
}

/// The field that a key in a record is of.
fn of_key(context: &Context<'_>, view: &FileView<'_>, key: TextRange) -> Found<Field> {
    let root = view.parse().syntax();
    let mut around = node_at(root, key).ancestors();
    let inner = around.find_map(ast::Binding::cast);
    let Some(inner) = inner else {
        return refuse("there is no name here");
    };
    let keys = inner.keys();
    let keys = keys.iter().take_while(|one| one.range().end() <= key.end());
    let mut path: Vec<String> = keys.filter_map(|key| Some(key.text()?.into())).collect();
    let mut record = inner.syntax().parent().and_then(ast::Record::cast);
    while let Some(this) = record {
        let node = unwrapped(this.syntax());
        let callee = callee_of(&this).or_else(|| piped_into(node));
        if let (Some(callee), [name]) = (callee, path.as_slice()) {
            let span = view.field(bare(&callee), name);
            return match span {
                Some(span) => of_span(context, &span),
                None => refuse("the function that takes the record says how the field is called"),
            };
        }
        if node.parent().and_then(ast::Binding::cast).is_none() && !is_root(node) {
            break;
        }
        let (meant, path_in) = if is_root(node) {
            let name = path.first().cloned().unwrap_or_default();
            let inner = path.get(1..).unwrap_or_default().to_vec();
            (Meant::Export(view.id(), name), inner)
        } else if let Some(meant) = named(view, node) {
            (meant, path)
        } else {
            // A record in a record.
            let binding = node.parent().and_then(ast::Binding::cast);
            let Some(binding) = binding.filter(|binding| binding.ty().is_none()) else {
                break;
            };
            let keys = binding.keys();
            let mut outer: Vec<String> = keys
                .iter()
                .filter_map(|key| Some(key.text()?.into()))
                .collect();
            outer.append(&mut path);
            path = outer;
            record = binding.syntax().parent().and_then(ast::Record::cast);
            continue;
        };
        return of_record(context, view, &this, &meant, &path_in);
    }
    refuse("who else reads this record is not known")
}

/// The places of what `path` leads to in a record of that name.
fn of_record(
    context: &Context<'_>,
    view: &FileView<'_>,
    record: &ast::Record<'_>,
    meant: &Meant,
    path: &[String],
) -> Found<Field> {
    let mut field = Field::default();
    let mut written: Vec<&str> = Vec::new();
    if let Meant::Export(_, name) = meant
        && is_root(unwrapped(record.syntax()))
    {
        written.push(name);
    }
    written.extend(path.iter().map(String::as_str));
    collect(view, record, &written, &mut field)?;
    for (file, range) in uses(context, meant)? {
        let of_use = known(context, &file)?;
        let mut node = expr_at(of_use.parse().syntax(), range);
        for (at, name) in path.iter().enumerate() {
            let outer = unwrapped(node);
            let select = outer.parent().and_then(ast::Select::cast);
            let Some(key) = select.and_then(|select| select.key()) else {
                return refuse(&format!(
                    "the whole record is used at {}",
                    words(&of_use, range)
                ));
            };
            if key.text().is_none_or(|text| text != name.as_str()) {
                break;
            }
            if at + 1 == path.len() {
                field.add(&file, key.range());
            }
            node = outer.parent().unwrap_or(outer);
        }
    }
    Ok(field)
}

/// The keys of a record at the end of a path, and those that stand beside them.
fn collect(
    view: &FileView<'_>,
    record: &ast::Record<'_>,
    path: &[&str],
    field: &mut Field,
) -> Found<()> {
    let Some((last, around)) = path.split_last() else {
        return refuse("there is no name here");
    };
    for binding in record.bindings() {
        let keys = binding.keys();
        let texts: Vec<_> = keys.iter().map(ast::Key::text).collect();
        let same = texts.iter().zip(path);
        let same = same.take_while(|(one, other)| one.as_deref() == Some(**other));
        let same = same.count();
        if same == path.len() {
            field.add(&view.id(), keys[path.len() - 1].range());
        } else if same == around.len() && texts.len() > same {
            let other = texts[same].as_deref().unwrap_or_default();
            field.others.insert(other.to_owned());
        } else if same == texts.len() && same > 0 {
            match binding.value().map(inside) {
                Some(ast::Expr::Record(inner)) if binding.ty().is_none() => {
                    collect(view, &inner, &path[same..], field)?;
                }
                _ => return refuse("a part of the record is written elsewhere"),
            }
        }
    }
    field.others.insert((*last).to_owned());
    Ok(())
}

/// The expressions that mean something, seen through other names for it. None of them only
/// gives it another name.
fn uses(context: &Context<'_>, meant: &Meant) -> Found<Vec<Place>> {
    let mut open = vec![meant.clone()];
    let mut seen: Vec<Meant> = Vec::new();
    let mut found = Vec::new();
    while let Some(meant) = open.pop() {
        if seen.contains(&meant) {
            continue;
        }
        let files = match &meant {
            Meant::Export(file, _) => {
                check_modules(context, file)?;
                context.semantics.files()
            }
            Meant::Binding(file, _) => vec![file.clone()],
            _ => Vec::new(),
        };
        for file in files {
            let Some(view) = context.semantics.file(&file) else {
                continue;
            };
            let root = view.parse().syntax();
            for reference in in_file(&view, &view.names(), &meant) {
                let range = reference.location.text_range();
                let node = unwrapped(expr_at(root, range));
                let other = match symbol::shorthand(root, range) {
                    Some(_) => exported(&view, range),
                    None => named(&view, node),
                };
                match other {
                    Some(other) => open.push(other),
                    None => found.push((file.clone(), range)),
                }
            }
        }
        seen.push(meant);
    }
    Ok(found)
}

/// Makes sure that every use of a module takes a field from it: else others may have it
/// under names that are not seen.
fn check_modules(context: &Context<'_>, module: &FileId) -> Found<()> {
    for file in context.semantics.files() {
        let Some(view) = context.semantics.file(&file) else {
            continue;
        };
        let root = view.parse().syntax();
        let names = view.names();
        for found in &names.uses {
            if !matches!(&found.target, Target::Module(target) if target == module) {
                continue;
            }
            let mut around = node_at(root, found.range).ancestors();
            let import = around.find_map(ast::Import::cast);
            let node = import.map(|import| unwrapped(import.syntax()));
            let is_taken = node.is_some_and(|node| match named(&view, node) {
                Some(bound @ Meant::Binding(..)) => in_file(&view, &names, &bound)
                    .iter()
                    .map(|reference| unwrapped(expr_at(root, reference.location.text_range())))
                    .all(is_selected),
                Some(_) => false,
                None => is_selected(node),
            });
            if !is_taken {
                return refuse(&format!(
                    "the whole module is used at {}",
                    words(&view, found.range)
                ));
            }
        }
    }
    Ok(())
}

/// What an expression is called where it stands as the value of a `let`, or as a field of the
/// record that the file ends in.
fn named(view: &FileView<'_>, node: SyntaxNode<'_>) -> Option<Meant> {
    let binding = ast::Binding::cast(node.parent()?)?;
    let is_value = binding.value()?.syntax() == node && binding.ty().is_none();
    let keys = binding.keys();
    let [key] = keys.as_slice() else { return None };
    let owner = binding.syntax().parent().filter(|_| is_value)?;
    match ast::Let::cast(owner) {
        Some(_) => Some(Meant::Binding(view.id(), key.range())),
        None => exported(view, key.range()),
    }
}

/// The field of the file's record whose key stands there.
fn exported(view: &FileView<'_>, key: TextRange) -> Option<Meant> {
    let names = view.names();
    let export = names.exports.iter().find(|export| export.range == key)?;
    Some(Meant::Export(view.id(), export.name.to_string()))
}

fn known<'c>(context: &Context<'c>, file: &FileId) -> Found<FileView<'c>> {
    let view = context.semantics.file(file);
    match view.filter(FileView::is_project_file) {
        Some(view) => Ok(view),
        None => refuse("it is defined outside of the project"),
    }
}

fn slice<'v>(view: &'v FileView<'_>, range: TextRange) -> &'v str {
    let range = std::ops::Range::<usize>::from(range);
    view.text().get(range).unwrap_or_default()
}

/// `file:line:column`
fn words(view: &FileView<'_>, range: TextRange) -> String {
    let index = LineIndex::new(view.text());
    let at = index.position(view.text(), range.start(), Encoding::Utf32);
    format!("{}:{}:{}", view.id(), at.line + 1, at.column + 1)
}

fn refuse<T>(why: &str) -> Found<T> {
    Err(RenameError(why.to_owned()))
}
