//! Fields: of a record that is selected from, of a record that is written, of a parameter;
//! and the tags of a `match`.

use imgc_eval::{FieldShape, Shape, ShapeKind};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxKind, SyntaxNode, TextRange};

use super::{Completion, CompletionKind, Documented, MARKER, Place};
use crate::definition::callee_of;
use crate::syntax::bare;

/// The fields of what stands before a `.`.
pub(super) fn selected(place: &Place<'_>, select: &ast::Select<'_>, found: &mut Vec<Completion>) {
    let Some(base) = select.base() else { return };
    if let Some(module) = place.view.module(bare(&base))
        && let Some(of_module) = place.context.semantics.file(&module)
        && !of_module.names().exports.is_empty()
    {
        for binding in of_module.describe().bindings {
            if binding.public {
                let documented = Documented::Export(module.clone(), binding.name.clone());
                let is_function = imgc_eval::is_function_type(&binding.ty);
                let kind = if is_function {
                    CompletionKind::Function
                } else {
                    CompletionKind::Field
                };
                found.push(Completion {
                    detail: Some(binding.ty),
                    documented: Some(documented),
                    ..place.plain(&binding.name, kind, 0)
                });
            }
        }
        return;
    }
    let Some(shape) = place.view.shape(bare(&base)) else {
        return;
    };
    for field in shape.fields.iter().filter(|_| is_record(&shape)) {
        found.push(of_field(place, field, 0));
    }
}

/// A `Program` has fields only where it is written.
fn is_record(shape: &Shape) -> bool {
    shape.kind != ShapeKind::Host("Program")
}

fn of_field(place: &Place<'_>, field: &FieldShape, rank: u8) -> Completion {
    Completion {
        detail: Some(field.ty.clone()),
        documented: field.doc.map(|doc| Documented::Text(doc.to_owned())),
        ..place.plain(&field.name, CompletionKind::Field, rank)
    }
}

/// The keys that a record may have here, and the names that may stand in it alone.
pub(super) fn keys(
    place: &Place<'_>,
    path: SyntaxNode<'_>,
    marker: TextRange,
    found: &mut Vec<Completion>,
) {
    let Some(binding) = path.parent().and_then(ast::Binding::cast) else {
        return;
    };
    let Some(owner) = binding.syntax().parent() else {
        return;
    };
    let is_alone = binding.is_shorthand();
    if owner.kind() == SyntaxKind::Let {
        for word in ["in", "type"] {
            found.push(place.plain(word, CompletionKind::Keyword, 3));
        }
        found.push(place.snippet("name = …;", "${1:name} = ${0};", 4));
        return;
    }
    let Some(record) = ast::Record::cast(owner) else {
        return;
    };
    let keys = binding.keys();
    let at = keys.iter().position(|key| key.range() == marker);
    let before: Vec<String> = keys
        .iter()
        .take(at.unwrap_or(0))
        .filter_map(|key| key.text().map(std::borrow::Cow::into_owned))
        .collect();
    let expected = expected(place, &record);
    let given: Vec<String> = record
        .bindings()
        .filter_map(|binding| {
            let keys = binding.keys();
            let key = keys.first()?;
            Some(key.text()?.into_owned())
        })
        .collect();
    if let Some(shape) = &expected
        && !shape.fields.is_empty()
    {
        if let Some(outer) = before.first() {
            let Some(field) = shape.field(outer).filter(|_| before.len() == 1) else {
                return;
            };
            // `config.user = …`
            for field in schema(place, &field.ty) {
                found.push(of_field(place, &field, 0));
            }
            return;
        }
        for field in &shape.fields {
            if given
                .iter()
                .any(|given| *given == field.name && given != MARKER)
            {
                continue;
            }
            let mut completion = of_field(place, field, u8::from(field.is_optional));
            if is_alone {
                completion.insert = format!("{} = {};", field.name, filled(&field.ty));
                completion.is_snippet = true;
            }
            found.push(completion);
        }
        if !shape.is_open {
            return;
        }
    }
    if is_alone && before.is_empty() {
        super::names::visible(place, marker, 3, found);
    }
}

/// What a record must have here: what is needed in its place, or what the function takes.
fn expected(place: &Place<'_>, record: &ast::Record<'_>) -> Option<Shape> {
    let known = place.view.expected(record.range());
    if let Some(shape) = known.filter(|shape| !shape.is_unknown()) {
        return Some(shape);
    }
    let callee = callee_of(record)?;
    let shape = place.view.shape(bare(&callee))?;
    shape.parameter.map(|parameter| *parameter)
}

/// The fields of a schema of the host.
fn schema(place: &Place<'_>, ty: &str) -> Vec<FieldShape> {
    // Asked of the language: what would be needed behind an annotation.
    let text = format!("let zz : {ty} = {{}}; in zz");
    let Some(sketch) = place.context.semantics.sketch(&place.view.id(), &text) else {
        return Vec::new();
    };
    let start = text.find("{}").unwrap_or_default();
    let start = imgc_syntax::TextSize::new(u32::try_from(start).unwrap_or_default());
    let range = TextRange::at(start, 2.into());
    let shape = sketch.expected(range);
    shape.map(|shape| shape.fields).unwrap_or_default()
}

/// What stands behind the `=` of a field of that type, with a place for the cursor.
fn filled(ty: &str) -> &'static str {
    match ty {
        "[Package]" | "[String]" => "[\"${0}\"]",
        "String" | "Suite" | "Variant" | "Platform" | "Package" => "\"${0}\"",
        "Config" | "Layers" | "Attributes" | "IdRange" | "Health" => "{ ${0} \\}",
        "Path" | "Source" => "./${0}",
        ty if ty.starts_with("Map ") => "{ ${0} \\}",
        ty if ty.starts_with('[') => "[${0}]",
        ty if ty.starts_with('{') => "{ ${0} \\}",
        _ => "${0}",
    }
}

/// The tags that a `match` has no arm for.
pub(super) fn arms(place: &Place<'_>, pattern: SyntaxNode<'_>, found: &mut Vec<Completion>) {
    let mut around = pattern.ancestors();
    let Some(of) = around.find_map(ast::Match::cast) else {
        return;
    };
    let Some(scrutinee) = of.scrutinee() else {
        return;
    };
    let Some(shape) = place.view.shape(bare(&scrutinee)) else {
        return;
    };
    let given: Vec<&str> = of
        .arms()
        .filter_map(|arm| match arm.pattern()? {
            ast::ArmPattern::Tag(tag) => Some(tag.name()?.text()),
            _ => None,
        })
        .collect();
    for tag in shape.tags.iter() {
        if given.contains(&tag.name.as_str()) {
            continue;
        }
        let payload = tag.payload.as_ref().map_or("", |_| " ${1:value}");
        found.push(Completion {
            kind: CompletionKind::Tag,
            detail: tag.payload.clone(),
            ..place.snippet(&tag.name, &format!("{}{payload} => ${{0}};", tag.name), 0)
        });
    }
    if shape.kind == ShapeKind::Host("Bool") {
        for value in ["true", "false"] {
            found.push(place.plain(value, CompletionKind::Keyword, 0));
        }
    }
    found.push(place.snippet("_", "_ => ${0};", 2));
}

/// The fields that a function's parameter must have, where that is known.
pub(super) fn taken(place: &Place<'_>, field: SyntaxNode<'_>, found: &mut Vec<Completion>) {
    let mut around = field.ancestors();
    let Some(lambda) = around.find_map(ast::Lambda::cast) else {
        return;
    };
    let expected = place.view.expected(lambda.range());
    let Some(parameter) = expected.and_then(|shape| shape.parameter) else {
        return;
    };
    for field in &parameter.fields {
        found.push(of_field(place, field, 0));
    }
}
