//! Where something is defined: in this file, in another one, in a module of imgc. A path
//! leads to its file.

use imgc_eval::FileView;
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{TextRange, TextSize};

use crate::symbol::{self, Meant};
use crate::syntax::{ancestors_at, bare};
use crate::{Context, Location};

/// Where what stands at a byte is defined.
pub(crate) fn definition(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Vec<Location> {
    let names = view.names();
    let found = match symbol::at(view, &names, offset) {
        Some((_, meant)) => place(context, &meant),
        None => field(view, offset).or_else(|| path(context, view, offset)),
    };
    found.into_iter().collect()
}

/// Where something is defined. Names of the host are defined nowhere.
pub(crate) fn place(context: &Context<'_>, meant: &Meant) -> Option<Location> {
    match meant {
        Meant::Binding(file, range) | Meant::Type(file, range) => {
            Some(Location::new(file.clone(), *range))
        }
        Meant::Export(file, name) => {
            let names = context.semantics.file(file)?.names();
            let export = names.exports.iter().find(|export| *export.name == **name)?;
            let root = context.semantics.file(file)?;
            let binder = symbol::binder(root.parse().syntax(), export.range);
            let value = binder.and_then(|binder| Some(binder.value?.range()));
            let value = value.unwrap_or(export.range);
            let used = names.uses.iter().find(|found| found.range == value);
            let range = match used.map(|found| &found.target) {
                // `name;` and `name = binding;` stand for the binding.
                Some(imgc_eval::Target::Binding(range)) => *range,
                _ => export.range,
            };
            Some(Location::new(file.clone(), range))
        }
        Meant::Module(file) => {
            context.semantics.file(file)?;
            Some(Location::new(file.clone(), TextRange::default()))
        }
        Meant::Builtin(_) => None,
    }
}

/// Where a field is written: of the record that is selected from, or of the function that
/// takes the record.
fn field(view: &FileView<'_>, offset: TextSize) -> Option<Location> {
    let root = view.parse().syntax();
    let mut key = None;
    for node in ancestors_at(root, offset) {
        if let Some(select) = ast::Select::cast(node) {
            let name = select.key()?;
            if name.range().contains_inclusive(offset) {
                let span = view.field(bare(&select.base()?), &name.text()?)?;
                return Some(of_span(&span));
            }
        }
        if let Some(binding) = ast::Binding::cast(node) {
            let keys = binding.keys();
            let first = keys.first()?;
            key = first
                .range()
                .contains_inclusive(offset)
                .then(|| first.text())
                .flatten();
        }
        if let (Some(record), Some(key)) = (ast::Record::cast(node), &key) {
            let callee = callee_of(&record)?;
            let span = view.field(bare(&callee), key)?;
            return Some(of_span(&span));
        }
    }
    None
}

/// The function that a record is given to.
pub(crate) fn callee_of<'t>(record: &ast::Record<'t>) -> Option<ast::Expr<'t>> {
    let apply = ast::Apply::cast(record.syntax().parent()?)?;
    let is_argument = apply.argument()?.range() == record.range();
    apply.function().filter(|_| is_argument)
}

/// The file that a path leads to.
fn path(context: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Option<Location> {
    let mut around = ancestors_at(view.parse().syntax(), offset);
    let path = around.find_map(ast::Path::cast)?;
    let target = context.semantics.resolve(&view.id(), path.text())?;
    let stat = context.semantics.stat(&target).ok()?;
    let is_file = matches!(stat, imgc_eval::Stat::File { .. });
    is_file.then(|| Location::new(imgc_diag::FileId::new(&target), TextRange::default()))
}

fn of_span(span: &imgc_diag::Span) -> Location {
    Location {
        file: span.file.clone(),
        range: span.range,
    }
}
