//! Another name for something, in every file that names it. A change that would give a name
//! another meaning is refused.

use std::collections::BTreeMap;
use std::fmt;

use imgc_diag::FileId;
use imgc_eval::{FileView, Names, Target};
use imgc_syntax::{TextRange, TextSize};

use crate::fields::{self, Field};
use crate::references::all;
use crate::symbol::{self, Bound, Meant};
use crate::syntax::is_name;
use crate::{Changes, Context, TextEdit};

/// Why something keeps its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameError(pub String);

impl fmt::Display for RenameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RenameError {}

/// The name at a byte that could be another.
pub(crate) fn prepare(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Result<TextRange, RenameError> {
    let Some((range, meant)) = symbol::at(view, &view.names(), offset) else {
        let (range, field) = fields::at(context, view, offset).ok_or_else(no_name)?;
        return field.map(|_| range);
    };
    may_change(context, &meant)?;
    if let Some(name) = parameter(context, &meant) {
        fields::of_parameter(context, view, name)?;
    }
    Ok(range)
}

/// The changes that give what stands at a byte another name.
pub(crate) fn rename(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
    name: &str,
) -> Result<Changes, RenameError> {
    let Some((_, meant)) = symbol::at(view, &view.names(), offset) else {
        let (_, field) = fields::at(context, view, offset).ok_or_else(no_name)?;
        return rename_field(context, &field?, name);
    };
    may_change(context, &meant)?;
    if let Some(pattern) = parameter(context, &meant) {
        return rename_field(
            context,
            &fields::of_parameter(context, view, pattern)?,
            name,
        );
    }
    check_name(&meant, name)?;
    let mut changes = Changes::new();
    for reference in all(context, &meant) {
        let file = &reference.location.file;
        let Some(view) = context.semantics.file(file) else {
            continue;
        };
        let range = reference.location.text_range();
        let old = view.text().get(std::ops::Range::<usize>::from(range));
        let old = old.unwrap_or_default();
        let is_short = symbol::shorthand(view.parse().syntax(), range).is_some();
        let text = match (is_short, &meant) {
            (false, _) => name.to_owned(),
            // The field keeps its name, and means the binding.
            (true, Meant::Binding(..)) => format!("{old} = {name}"),
            (true, _) => format!("{name} = {old}"),
        };
        let edits = changes.entry(file.clone()).or_default();
        edits.push(TextEdit { range, text });
    }
    if changes.is_empty() {
        return Err(RenameError("nothing names it".to_owned()));
    }
    keeps_meaning(context, &changes, name)?;
    Ok(changes)
}

fn may_change(context: &Context<'_>, meant: &Meant) -> Result<(), RenameError> {
    let refuse = |why: &str| Err(RenameError(why.to_owned()));
    let (Meant::Binding(file, _) | Meant::Type(file, _) | Meant::Export(file, _)) = meant else {
        return match meant {
            Meant::Builtin(doc) => Err(RenameError(format!("`{}` belongs to imgc", doc.name))),
            _ => refuse("a module is named by its file"),
        };
    };
    if !context.semantics.is_project_file(file) {
        return refuse("it is defined outside of the project");
    }
    Ok(())
}

fn no_name() -> RenameError {
    RenameError("there is no name here".to_owned())
}

/// Where the name of a field stands in a pattern, if that is what is meant.
fn parameter(context: &Context<'_>, meant: &Meant) -> Option<TextRange> {
    let Meant::Binding(file, range) = meant else {
        return None;
    };
    let view = context.semantics.file(file)?;
    let binder = symbol::binder(view.parse().syntax(), *range)?;
    (binder.bound == Bound::PatternField).then_some(*range)
}

/// The changes that give a field another name.
fn rename_field(context: &Context<'_>, field: &Field, name: &str) -> Result<Changes, RenameError> {
    let is_right = is_name(name)
        && !(field.is_parameter && name.starts_with(|first: char| first.is_ascii_uppercase()));
    if !is_right {
        let message = format!("`{name}` is not a name that a field can have without quotes");
        return Err(RenameError(message));
    }
    let mut changes = Changes::new();
    for (file, start, end) in &field.places {
        let range = TextRange::new((*start).into(), (*end).into());
        let Some(view) = context.semantics.file(file) else {
            continue;
        };
        let root = view.parse().syntax();
        let old = view.text().get(std::ops::Range::<usize>::from(range));
        let old = old.unwrap_or_default();
        if old == name {
            continue;
        }
        let names = view.names();
        let uses = names.uses.iter();
        // In `{ name; }` it may be the field that has another name now, or what it takes.
        let is_taken = uses
            .filter(|found| found.range == range)
            .filter_map(|found| match found.target {
                Target::Binding(binding) => Some(binding),
                _ => None,
            })
            .any(|binding| {
                let key = (file.clone(), binding.start().into(), binding.end().into());
                field.places.contains(&key)
            });
        let text = match symbol::shorthand(root, range) {
            None => name.to_owned(),
            Some(_) if is_taken => format!("{old} = {name}"),
            Some(_) => format!("{name} = {old}"),
        };
        let edits = changes.entry(file.clone()).or_default();
        edits.push(TextEdit { range, text });
    }
    if changes.is_empty() {
        return Err(RenameError("that is its name already".to_owned()));
    }
    if field.others.contains(name) {
        let message = format!("there is a field `{name}` beside it already");
        return Err(RenameError(message));
    }
    keeps_meaning(context, &changes, name)?;
    Ok(changes)
}

fn check_name(meant: &Meant, name: &str) -> Result<(), RenameError> {
    let is_upper = name.starts_with(|first: char| first.is_ascii_uppercase());
    let is_right = is_name(name)
        && match meant {
            Meant::Type(..) => is_upper,
            Meant::Export(..) => true,
            _ => !is_upper,
        };
    if is_right {
        return Ok(());
    }
    let what = match meant {
        Meant::Type(..) => "a type, which begins with a capital",
        _ => "a name, which begins with a small letter and is no word of the language",
    };
    Err(RenameError(format!("`{name}` is not {what}")))
}

/// Makes sure that every name means afterwards what it meant before.
fn keeps_meaning(context: &Context<'_>, changes: &Changes, name: &str) -> Result<(), RenameError> {
    for (file, edits) in changes {
        let Some(view) = context.semantics.file(file) else {
            continue;
        };
        let text = applied(view.text(), edits);
        let Some(after) = context.semantics.sketch(file, &text) else {
            continue;
        };
        if meanings(file, &view.names(), changes) != meanings_after(file, &after.names()) {
            let message = format!("`{name}` means something else where it would stand");
            return Err(RenameError(message));
        }
    }
    Ok(())
}

/// A text after edits.
pub(crate) fn applied(text: &str, edits: &[TextEdit]) -> String {
    let mut edits: Vec<&TextEdit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
    let mut after = String::new();
    let mut at = 0;
    for edit in edits {
        let range = std::ops::Range::<usize>::from(edit.range);
        after.push_str(text.get(at..range.start).unwrap_or_default());
        after.push_str(&edit.text);
        at = range.end;
    }
    after.push_str(text.get(at..).unwrap_or_default());
    after
}

/// What each use means: the number of the binding in the file, or a name. Names of other
/// files that change too are told by their files alone.
fn meanings(file: &FileId, names: &Names, changes: &Changes) -> Vec<String> {
    let mut found = meanings_after(file, names);
    for (found, of_use) in found.iter_mut().zip(&names.uses) {
        if let Target::Export(other, _) = &of_use.target
            && changes
                .get(file)
                .is_some_and(|edits| edits.iter().any(|edit| edit.range == of_use.range))
            && other != file
        {
            *found = String::new();
        }
    }
    // A changed export of another file is not known there yet, so it is no use.
    found.retain(|found| !found.is_empty());
    found
}

fn meanings_after(_: &FileId, names: &Names) -> Vec<String> {
    let mut places: Vec<TextRange> = Vec::new();
    for scope in &names.scopes {
        places.extend(scope.names.iter().map(|found| found.range));
        places.extend(scope.types.iter().map(|found| found.range));
    }
    places.sort_by_key(|range| range.start());
    let numbers: BTreeMap<TextSize, usize> =
        places.iter().map(|range| range.start()).zip(0..).collect();
    let number = |range: &TextRange| numbers.get(&range.start()).copied();
    let uses = names.uses.iter().map(|found| match &found.target {
        Target::Binding(range) | Target::Type(range) => format!("{:?}", number(range)),
        Target::Builtin(doc) => doc.name.to_owned(),
        Target::Export(file, name) => format!("{file} {name}"),
        Target::Module(file) => file.to_string(),
    });
    uses.collect()
}
