//! Who calls a function, and what it calls: bindings that are functions, and the bindings
//! that name them.

use imgc_diag::FileId;
use imgc_eval::{FileView, Target};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{TextRange, TextSize};

use crate::references::all;
use crate::symbol::{self, Meant};
use crate::symbols::top_level;
use crate::syntax::node_at;
use crate::{Context, Location};

/// A binding that calls or is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallItem {
    /// Its name; of what a file ends in, the file's.
    pub name: String,
    /// The file.
    pub file: FileId,
    /// The whole of it.
    pub range: TextRange,
    /// Its name.
    pub name_range: TextRange,
}

/// Calls of one binding by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The other binding.
    pub item: CallItem,
    /// Where the calls stand: in the file of the caller.
    pub places: Vec<TextRange>,
}

/// The function at a byte.
pub(crate) fn item(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Option<CallItem> {
    let (_, meant) = symbol::at(view, &view.names(), offset)?;
    of_meant(context, &meant)
}

fn of_meant(context: &Context<'_>, meant: &Meant) -> Option<CallItem> {
    if matches!(meant, Meant::Module(_) | Meant::Type(..)) {
        return None;
    }
    let Location { file, range } = crate::definition::place(context, meant)?;
    let range = TextRange::new(range.start.into(), range.end.into());
    let view = context.semantics.file(&file)?;
    let binder = symbol::binder(view.parse().syntax(), range)?;
    let is_function = matches!(binder.value, Some(ast::Expr::Lambda(_)));
    is_function.then(|| CallItem {
        name: view.text()[std::ops::Range::<usize>::from(range)].to_owned(),
        file: file.clone(),
        range: binder.node.text_range(),
        name_range: range,
    })
}

/// Who calls the function whose name stands at a byte.
pub(crate) fn callers(context: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Vec<Call> {
    let Some((_, meant)) = symbol::at(view, &view.names(), offset) else {
        return Vec::new();
    };
    let mut found: Vec<Call> = Vec::new();
    for reference in all(context, &meant) {
        if reference.is_definition {
            continue;
        }
        let range = reference.location.text_range();
        let Some(view) = context.semantics.file(&reference.location.file) else {
            continue;
        };
        let caller = caller(&view, range);
        match found.iter_mut().find(|call| call.item == caller) {
            Some(call) => call.places.push(range),
            None => found.push(Call {
                item: caller,
                places: vec![range],
            }),
        }
    }
    found
}

/// The top-level binding that a use stands in; else the file.
fn caller(view: &FileView<'_>, range: TextRange) -> CallItem {
    let root = view.parse().syntax();
    let file = view.id();
    match top_level(node_at(root, range)) {
        Some((name, binding)) => CallItem {
            name,
            file,
            range: binding.range(),
            name_range: binding.key_path().map_or(range, |path| path.range()),
        },
        None => CallItem {
            name: file.to_string(),
            range: root.text_range(),
            name_range: range,
            file,
        },
    }
}

/// What the function calls whose name stands at a byte.
pub(crate) fn callees(context: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Vec<Call> {
    let Some(item) = item(context, view, offset) else {
        return Vec::new();
    };
    let Some(view) = context.semantics.file(&item.file) else {
        return Vec::new();
    };
    let mut found: Vec<Call> = Vec::new();
    for used in &view.names().uses {
        if !item.range.contains_range(used.range) {
            continue;
        }
        let meant = match &used.target {
            Target::Binding(range) => Meant::Binding(item.file.clone(), *range),
            Target::Export(file, name) => Meant::Export(file.clone(), name.clone()),
            _ => continue,
        };
        let Some(callee) = of_meant(context, &meant) else {
            continue;
        };
        match found.iter_mut().find(|call| call.item == callee) {
            Some(call) => call.places.push(used.range),
            None => found.push(Call {
                item: callee,
                places: vec![used.range],
            }),
        }
    }
    found
}
