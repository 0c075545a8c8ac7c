//! Names, words and pieces of code that an expression may begin with, and types.

use imgc_eval::{ShapeKind, builtin_docs};
use imgc_syntax::ast;
use imgc_syntax::{SyntaxNode, TextRange, TextSize};

use super::{Completion, CompletionKind, Documented, MARKER, Place};
use crate::TextEdit;
use crate::actions::import_edit;
use crate::symbol::{self, Bound};

/// Words that an expression may begin with or go on with.
const WORDS: [&str; 7] = ["assert", "else", "if", "import", "let", "match", "then"];

/// Pieces of code with places to fill.
const SNIPPETS: [(&str, &str); 7] = [
    ("let … in", "let\n  ${1:name} = ${2:value};\nin\n${0}"),
    ("if … then … else", "if ${1:condition} then ${2} else ${0}"),
    (
        "match … { }",
        "match ${1:value} {\n  ${2:pattern} => ${0};\n\\}",
    ),
    (
        "assert … else … then",
        "assert ${1:condition} else \"${2:why}\" then ${0}",
    ),
    (
        "image { … }",
        "image {\n  name = \"${1:app}\";\n  ${0}\n\\}",
    ),
    (
        "file { … }",
        "file { text = \"${1}\"; mode = 0o${2:644}; \\}${0}",
    ),
    (
        "fetch { … }",
        "fetch { url = \"https://${1}\"; sha256 = \"${2}\"; \\}${0}",
    ),
];

/// The types of the host.
const TYPES: [&str; 28] = [
    "Archive",
    "Attributes",
    "Bool",
    "Config",
    "Data",
    "Effects",
    "File",
    "Group",
    "Health",
    "IdRange",
    "Image",
    "Index",
    "Int",
    "Layers",
    "Map",
    "Mode",
    "Owner",
    "Package",
    "Packages",
    "Path",
    "Platform",
    "Port",
    "Program",
    "Source",
    "String",
    "Suite",
    "User",
    "Variant",
];

/// What an expression may be.
pub(super) fn expression(
    place: &Place<'_>,
    node: SyntaxNode<'_>,
    marker: TextRange,
    found: &mut Vec<Completion>,
) {
    let expected = place.view.expected(node.text_range());
    if let Some(shape) = &expected {
        for tag in &shape.tags {
            let insert = match &tag.payload {
                Some(_) => format!("{} ${{0}}", tag.name),
                None => tag.name.clone(),
            };
            found.push(Completion {
                kind: CompletionKind::Tag,
                detail: tag.payload.clone(),
                ..place.snippet(&tag.name, &insert, 0)
            });
        }
        if shape.kind == ShapeKind::Host("Bool") {
            for value in ["true", "false"] {
                found.push(place.plain(value, CompletionKind::Keyword, 0));
            }
        }
        if let ShapeKind::Host("Variant") = shape.kind {
            for value in super::literals::VARIANTS {
                let quoted = format!("\"{value}\"");
                found.push(place.plain(&quoted, CompletionKind::Value, 0));
            }
        }
    }
    let is_known = expected.as_ref().is_some_and(|shape| !shape.is_unknown());
    visible(place, marker, 1, found);
    for doc in builtin_docs() {
        let kind = if imgc_eval::is_function_type(doc.signature) {
            CompletionKind::Function
        } else {
            CompletionKind::Variable
        };
        let gives = doc.signature.rsplit("-> ").next().unwrap_or_default();
        let fits = is_known && expected.as_ref().is_some_and(|shape| shape.text == gives);
        found.push(Completion {
            detail: Some(doc.signature.to_owned()),
            documented: Some(Documented::Builtin(doc.name.to_owned())),
            ..place.plain(doc.name, kind, if fits { 1 } else { 2 })
        });
    }
    for word in WORDS {
        found.push(place.plain(word, CompletionKind::Keyword, 3));
    }
    for word in ["true", "false"] {
        found.push(place.plain(word, CompletionKind::Keyword, 4));
    }
    for (label, insert) in SNIPPETS {
        found.push(place.snippet(label, insert, 5));
    }
    modules(place, marker, found);
}

/// Names that are bound around the cursor.
pub(super) fn visible(place: &Place<'_>, marker: TextRange, rank: u8, found: &mut Vec<Completion>) {
    let names = place.view.names();
    let id = place.view.id();
    let root = place.view.parse().syntax();
    let mut definitions = names.visible(marker.start());
    definitions.retain(|definition| &*definition.name != MARKER);
    let ranges: Vec<TextRange> = definitions.iter().map(|found| found.range).collect();
    let shapes = place.view.shapes(&ranges);
    for definition in definitions {
        let binder = symbol::binder(root, definition.range);
        // A binding does not see itself.
        let is_self = binder.as_ref().is_some_and(|binder| {
            matches!(binder.bound, Bound::Let) && binder.node.text_range().contains_range(marker)
        });
        if is_self {
            continue;
        }
        let shape = shapes.iter().find(|(range, _)| *range == definition.range);
        let shape = shape.map(|(_, shape)| shape);
        let value = binder.as_ref().and_then(|binder| binder.value);
        let kind = match (shape.map(|shape| shape.kind), value) {
            (_, Some(ast::Expr::Import(_))) => CompletionKind::Module,
            (Some(ShapeKind::Function), _) => CompletionKind::Function,
            _ => CompletionKind::Variable,
        };
        let is_told =
            |shape: &&imgc_eval::Shape| !shape.is_unknown() && kind != CompletionKind::Module;
        let detail = shape.filter(is_told);
        let place_of = unmarked(place, definition.range.start(), marker);
        found.push(Completion {
            detail: detail.map(|shape| shape.text.clone()),
            documented: Some(Documented::Binding(id.clone(), place_of.into())),
            ..place.plain(&definition.name, kind, rank)
        });
    }
}

/// Where a byte of the sketch is in the file.
fn unmarked(place: &Place<'_>, offset: TextSize, marker: TextRange) -> TextSize {
    if offset <= marker.start() {
        return offset;
    }
    // What was put in is longer than the word that it replaced.
    let grown = TextSize::of(&**place.view.text());
    let id = place.view.id();
    let text = place.context.semantics.text(&id);
    let before = text.map_or(grown, |text| TextSize::of(&*text));
    let more = grown.checked_sub(before).unwrap_or_default();
    offset.checked_sub(more).unwrap_or_default()
}

/// Modules of imgc that are not imported yet: written with their import.
fn modules(place: &Place<'_>, marker: TextRange, found: &mut Vec<Completion>) {
    if place.prefix.is_empty() {
        return;
    }
    let names = place.view.names();
    let visible = names.visible(marker.start());
    for module in place.context.semantics.std_modules() {
        if visible.iter().any(|found| *found.name == *module) {
            continue;
        }
        let id = place.view.id();
        let Some(stored) = place.context.semantics.file(&id) else {
            continue;
        };
        let edit: TextEdit = import_edit(&stored, &module, &format!("std/{module}"));
        if edit.range.end() > marker.start() {
            continue;
        }
        found.push(Completion {
            detail: Some(format!("import std/{module}")),
            further: vec![edit],
            documented: Some(Documented::Module(module.clone())),
            ..place.plain(&module, CompletionKind::Module, 3)
        });
    }
}

/// What a type may be.
pub(super) fn types(place: &Place<'_>, marker: TextRange, found: &mut Vec<Completion>) {
    let names = place.view.names();
    for definition in names.visible_types(marker.start()) {
        found.push(place.plain(&definition.name, CompletionKind::Type, 0));
    }
    for name in TYPES {
        found.push(place.plain(name, CompletionKind::Type, 1));
    }
}
