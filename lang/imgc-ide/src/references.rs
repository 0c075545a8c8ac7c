//! Every place that means the same: in this file, and in others where they can mean it.

use imgc_eval::{FileView, Names, Target};
use imgc_syntax::{TextRange, TextSize};

use crate::definition::place;
use crate::symbol::{self, Meant};
use crate::{Context, Location, field_uses};

/// A place that means something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Where.
    pub location: Location,
    /// Whether the name is bound there, and not used.
    pub is_definition: bool,
}

/// Every place that means what stands at a byte.
pub(crate) fn references(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
    with_definition: bool,
) -> Vec<Reference> {
    let names = view.names();
    let mut found = match symbol::at(view, &names, offset) {
        Some((_, meant)) => all(context, &meant),
        None => Vec::new(),
    };
    if let Some(field) = field_uses::at(view, &names, offset) {
        found.push(field.definition());
        for file in context.semantics.files() {
            if let Some(view) = context.semantics.file(&file) {
                found.extend(field.in_file(&view));
            }
        }
    }
    found.retain(|reference| with_definition || !reference.is_definition);
    sorted(found)
}

/// The same in this file only.
pub(crate) fn highlights(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Vec<Reference> {
    let names = view.names();
    let mut found = Vec::new();
    if let Some((_, meant)) = symbol::at(view, &names, offset) {
        let id = view.id();
        found.extend(in_file(view, &names, &meant));
        let definition = definition(context, &meant);
        found.extend(definition.filter(|reference| reference.location.file == id));
    }
    if let Some(field) = field_uses::at(view, &names, offset) {
        let definition = field.definition();
        found.extend((definition.location.file == view.id()).then_some(definition));
        found.extend(field.in_file(view));
    }
    sorted(found)
}

/// By file and place, each place once.
fn sorted(mut found: Vec<Reference>) -> Vec<Reference> {
    found.sort();
    found.dedup_by(|a, b| a.location == b.location);
    found
}

/// Every place that means something, the definition too, by file and place.
pub(crate) fn all(context: &Context<'_>, meant: &Meant) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    let files = match meant {
        Meant::Binding(file, _) | Meant::Type(file, _) => vec![file.clone()],
        _ => context.semantics.files(),
    };
    for file in files {
        if let Some(view) = context.semantics.file(&file) {
            found.extend(in_file(&view, &view.names(), meant));
        }
    }
    found.extend(definition(context, meant));
    sorted(found)
}

fn definition(context: &Context<'_>, meant: &Meant) -> Option<Reference> {
    let location = match meant {
        Meant::Module(_) => return None,
        Meant::Export(file, name) => {
            // Where the field itself stands, also where it is short for a binding.
            let names = context.semantics.file(file)?.names();
            let export = names.exports.iter().find(|export| *export.name == **name)?;
            Location::new(file.clone(), export.range)
        }
        other => place(context, other)?,
    };
    Some(Reference {
        location,
        is_definition: true,
    })
}

/// The uses in one file.
pub(crate) fn in_file(view: &FileView<'_>, names: &Names, meant: &Meant) -> Vec<Reference> {
    let id = view.id();
    let is_meant = |target: &Target| match (target, meant) {
        (Target::Binding(one), Meant::Binding(file, other))
        | (Target::Type(one), Meant::Type(file, other)) => *file == id && one == other,
        (Target::Export(one, name), Meant::Export(other, of_other)) => {
            one == other && name == of_other
        }
        (Target::Builtin(one), Meant::Builtin(other)) => one.name == other.name,
        (Target::Module(one), Meant::Module(other)) => one == other,
        _ => false,
    };
    let uses = names.uses.iter().filter(|found| is_meant(&found.target));
    let ranges = uses.map(|found| found.range);
    let reference = |range: TextRange| Reference {
        location: Location::new(id.clone(), range),
        is_definition: false,
    };
    ranges.map(reference).collect()
}
