//! The function that is being called where the cursor is, and which of its parameters or
//! fields stands there.

use imgc_eval::{FileView, Shape, ShapeKind, Target};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxKind, SyntaxNode, TextRange, TextSize};

use crate::Context;
use crate::completion::sketch_at;
use crate::hover::export_doc;
use crate::symbol;
use crate::syntax::bare;

/// A label of more bytes shows the field at the cursor alone: editors put it over the text.
const WIDTH: usize = 100;

/// A function that is being called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The function with its type.
    pub label: String,
    /// The parts of the label that are parameters or fields, in bytes.
    pub parameters: Vec<std::ops::Range<usize>>,
    /// The one that stands at the cursor.
    pub active: Option<usize>,
    /// What the function does.
    pub doc: Option<String>,
    /// What the field at the cursor is for.
    pub field_doc: Option<&'static str>,
}

/// A call around the cursor.
struct CallAt<'t> {
    callee: ast::Expr<'t>,
    /// The number of the argument.
    index: usize,
    /// The field of the record that is the argument; `None`: the argument is no record.
    field: Option<Option<String>>,
}

/// The function that is being called at a byte.
pub(crate) fn signature(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Option<Signature> {
    let (sketch, marker) = sketch_at(context, view, offset)?;
    let root = sketch.parse().syntax();
    let call = call_at(root, marker)?;
    let shape = sketch.shape(bare(&call.callee))?;
    if shape.kind != ShapeKind::Function {
        return None;
    }
    let name = call.callee.syntax().text();
    let doc = doc_of(context, &sketch, &call.callee);
    if let Some(field) = call.field
        && let Some(taken) = parameter(&shape, call.index)
        && !taken.fields.is_empty()
    {
        return Some(of_fields(name, taken, field.as_deref(), doc));
    }
    let mut label = format!("{name} : ");
    let start = label.len();
    let ty = general(&sketch, &call.callee, &shape);
    label.push_str(&ty);
    let parameters = parameters(&ty);
    let active = (call.index < parameters.len()).then_some(call.index);
    let parameters = parameters.into_iter();
    Some(Signature {
        parameters: parameters
            .map(|range| range.start + start..range.end + start)
            .collect(),
        label,
        active,
        doc,
        field_doc: None,
    })
}

/// The type of a function; as the manual has it where something wrong spoils it.
fn general(view: &FileView<'_>, callee: &ast::Expr<'_>, shape: &Shape) -> String {
    let names = view.names();
    match names.at(callee.range().end()).map(|found| &found.target) {
        Some(Target::Builtin(doc)) if shape.text.contains('_') => doc.signature.to_owned(),
        _ => shape.text.clone(),
    }
}

fn of_fields(name: &str, taken: &Shape, field: Option<&str>, doc: Option<String>) -> Signature {
    let mut label = format!("{name} {{ ");
    let mut parameters = Vec::new();
    for (at, known) in taken.fields.iter().enumerate() {
        if at > 0 {
            label.push_str(", ");
        }
        let start = label.len();
        let mark = if known.is_optional { " ?" } else { "" };
        label.push_str(&format!("{}{mark} : {}", known.name, known.ty));
        parameters.push(start..label.len());
    }
    label.push_str(" }");
    let active = field.and_then(|field| taken.fields.iter().position(|known| known.name == field));
    let field_doc = active.and_then(|active| taken.fields[active].doc);
    if let Some(active) = active.filter(|_| label.len() > WIDTH) {
        let before = if active > 0 { "…, " } else { "" };
        let start = format!("{name} {{ {before}");
        let range = parameters.get(active).cloned().unwrap_or_default();
        let shown = label.get(range).unwrap_or_default();
        let after = if active + 1 < parameters.len() {
            ", …"
        } else {
            ""
        };
        let place = start.len()..start.len() + shown.len();
        return Signature {
            label: format!("{start}{shown}{after} }}"),
            parameters: vec![place],
            active: Some(0),
            doc,
            field_doc,
        };
    }
    Signature {
        label,
        parameters,
        active,
        doc,
        field_doc,
    }
}

/// What a function takes as its argument of that number.
fn parameter(shape: &Shape, index: usize) -> Option<&Shape> {
    let mut shape = shape;
    for _ in 0..index {
        shape = shape.inner.as_deref().filter(|_| is_function(shape))?;
    }
    shape.parameter.as_deref()
}

fn is_function(shape: &Shape) -> bool {
    shape.kind == ShapeKind::Function
}

/// The call that a byte of a sketch stands in.
fn call_at(root: SyntaxNode<'_>, marker: TextRange) -> Option<CallAt<'_>> {
    let mut below: Option<SyntaxNode<'_>> = None;
    let mut field: Option<Option<String>> = None;
    let mut key: Option<String> = None;
    for node in crate::syntax::node_at(root, marker).ancestors() {
        match node.kind() {
            SyntaxKind::Binding => {
                if field.is_some() {
                    return None;
                }
                let binding = ast::Binding::cast(node)?;
                let first = binding.keys().first().and_then(ast::Key::text);
                key = first.map(std::borrow::Cow::into_owned);
            }
            SyntaxKind::Record => field = Some(key.take()),
            SyntaxKind::Let | SyntaxKind::Lambda | SyntaxKind::Match | SyntaxKind::List
                if below.is_some() && node.kind() != SyntaxKind::List =>
            {
                return None;
            }
            SyntaxKind::Apply => {
                let apply = ast::Apply::cast(node)?;
                let is_argument = apply
                    .argument()
                    .is_some_and(|argument| argument.range().contains_range(marker));
                if is_argument {
                    let (callee, index) = head(&apply)?;
                    let is_record =
                        matches!(apply.argument(), Some(ast::Expr::Record(_))) && field.is_some();
                    return Some(CallAt {
                        callee,
                        index,
                        field: field.filter(|_| is_record),
                    });
                }
            }
            _ => {}
        }
        below = Some(node);
    }
    None
}

/// The function of a call of several arguments, and the number of the last one.
fn head<'t>(apply: &ast::Apply<'t>) -> Option<(ast::Expr<'t>, usize)> {
    let mut index = 0;
    let mut callee = apply.function()?;
    while let ast::Expr::Apply(inner) = &callee {
        index += 1;
        callee = inner.function()?;
    }
    Some((callee, index))
}

/// What the `##` comment or the manual says of a function.
fn doc_of(context: &Context<'_>, view: &FileView<'_>, callee: &ast::Expr<'_>) -> Option<String> {
    let names = view.names();
    let end = callee.range().end();
    let used = names.at(end)?;
    match &used.target {
        Target::Builtin(doc) => Some(doc.text.to_owned()),
        Target::Export(file, name) => export_doc(&context.semantics.file(file)?, name),
        Target::Binding(place) => symbol::binder(view.parse().syntax(), *place)?.doc,
        _ => None,
    }
}

/// The parameters of the text of a function's type: what stands before each arrow that is
/// in no brackets.
fn parameters(ty: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    let mut before = ' ';
    for (at, c) in ty.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '>' if before == '-' && depth == 0 => {
                let text = ty.get(start..at - 1).unwrap_or_default();
                let from = start + (text.len() - text.trim_start().len());
                found.push(from..start + text.trim_end().len());
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_what_stands_before_arrows() {
        let ty = "(a -> b) -> { c : [a -> b] } -> [b]";
        let found: Vec<&str> = parameters(ty).into_iter().map(|range| &ty[range]).collect();
        assert_eq!(found, ["(a -> b)", "{ c : [a -> b] }"]);
        assert!(parameters("Int").is_empty());
    }
}
