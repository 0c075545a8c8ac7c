//! What can be done with the images of a file: build them; and what they came to, if they
//! were. Only the offer; nothing is built.

use imgc_eval::{FileView, ShapeKind};
use imgc_syntax::ast::AstNode as _;
use imgc_syntax::{TextRange, TextSize};

use crate::Context;
use crate::sizes::{BuiltImage, words};

/// An image that a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lens {
    /// Where the offer stands.
    pub range: TextRange,
    /// What is built: the path of the file from the project's root, with `#name` for a
    /// field of its record.
    pub target: String,
    /// What it came to when it was built, in words.
    pub size: Option<String>,
}

/// The images of a file, in order.
pub(crate) fn lenses(_: &Context<'_>, view: &FileView<'_>, built: &[BuiltImage]) -> Vec<Lens> {
    let id = view.id();
    if !view.is_project_file() {
        return Vec::new();
    }
    let names = view.names();
    if names.exports.is_empty() {
        let tree = view.parse().tree();
        let ty = view.describe().ty.unwrap_or_default();
        let Some(expr) = tree.expr().filter(|_| ty == "Image" || ty == "Index") else {
            return Vec::new();
        };
        let start = expr.range().start();
        return vec![Lens {
            range: TextRange::at(start, TextSize::new(0)),
            target: id.to_string(),
            size: words(built, None),
        }];
    }
    let ranges: Vec<TextRange> = names.exports.iter().map(|export| export.range).collect();
    let shapes = view.shapes(&ranges);
    let images = shapes.into_iter();
    let is_built =
        |kind: &ShapeKind| matches!(kind, ShapeKind::Host("Image") | ShapeKind::Host("Index"));
    let images = images.filter(|(_, shape)| is_built(&shape.kind));
    let lenses = images.filter_map(|(range, _)| {
        let mut exports = names.exports.iter();
        let export = exports.find(|export| export.range == range)?;
        let target = format!("{id}#{}", export.name);
        let size = words(built, Some(&export.name));
        Some(Lens {
            range,
            target,
            size,
        })
    });
    lenses.collect()
}
