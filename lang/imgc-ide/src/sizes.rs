//! What images came to when they were built: in words, and beside what is written. Nothing
//! is built here and no store is read: who asks says what it knows.

use std::collections::BTreeMap;

use imgc_eval::{FileView, Target};
use imgc_syntax::TextSize;
use imgc_syntax::ast::{self, AstNode as _};

use crate::inlay_hints::{Hint, HintKind};

/// How many names are followed to the record of an image.
const DEEPEST: usize = 16;

/// An image of a file, as it was built last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// The field of the file's record; none where the file is the image.
    pub field: Option<String>,
    /// Its layers, lowest first.
    pub layers: Vec<BuiltLayer>,
    /// Whether what is written is another image by now.
    pub is_old: bool,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltLayer {
    /// What it has.
    pub what: LayerOf,
    /// Its size as it is pulled, in bytes.
    pub size: u64,
}

/// What a layer has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerOf {
    /// A layer of the image that it is laid over.
    Base,
    /// A group of packages, by its name.
    Group(String),
    /// Other packages, and what their scripts did.
    Packages,
    /// The image's own files and users.
    Files,
}

/// What the images of a field come to; none where none of them was built.
pub(crate) fn words(built: &[BuiltImage], field: Option<&str>) -> Option<String> {
    let of_field = built.iter().filter(|image| image.field.as_deref() == field);
    let words: Vec<String> = of_field
        .map(|image| {
            let words = of_layers(&image.layers.iter().collect::<Vec<_>>());
            let when = if image.is_old {
                " before the last changes"
            } else {
                ""
            };
            format!("{words}{when}")
        })
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn of_layers(layers: &[&BuiltLayer]) -> String {
    let size: u64 = layers.iter().map(|layer| layer.size).sum();
    let layers = match layers.len() {
        1 => "1 layer".to_owned(),
        count => format!("{count} layers"),
    };
    format!("{} in {layers}", human(size))
}

/// The sizes of an image's parts, each beside the field that says it.
pub(crate) fn hints(view: &FileView<'_>, built: &[BuiltImage]) -> Vec<Hint> {
    let mut found = Vec::new();
    for image in built.iter().filter(|image| !image.is_old) {
        let Some(record) = image_of(view, image.field.as_deref()) else {
            continue;
        };
        let mut places = Places::default();
        places.fill(&record, &[]);
        // What is cut without being asked is a part of the packages.
        let mut rest: Vec<&BuiltLayer> = Vec::new();
        for layer in &image.layers {
            match &layer.what {
                LayerOf::Group(name) if let Some(at) = places.groups.get(name) => {
                    found.push(hint(*at, human(layer.size)));
                }
                LayerOf::Files => {
                    found.extend(places.files.map(|at| hint(at, human(layer.size))));
                }
                LayerOf::Base => {}
                _ => rest.push(layer),
            }
        }
        if let Some(at) = places.packages.filter(|_| !rest.is_empty()) {
            found.push(hint(at, of_layers(&rest)));
        }
    }
    // One record may be several images.
    found.sort_by_key(|hint| hint.offset);
    found.dedup();
    found
}

fn hint(offset: TextSize, label: String) -> Hint {
    let kind = HintKind::Size;
    let label = format!(" {label}");
    Hint {
        offset,
        kind,
        label,
    }
}

/// Where the fields of an image end that layers come from.
#[derive(Debug, Default)]
struct Places {
    packages: Option<TextSize>,
    files: Option<TextSize>,
    groups: BTreeMap<String, TextSize>,
}

impl Places {
    fn fill(&mut self, record: &ast::Record<'_>, around: &[String]) {
        for binding in record.bindings() {
            let mut path = around.to_vec();
            let keys = binding.keys();
            path.extend(keys.iter().filter_map(ast::Key::text).map(Into::into));
            let Some(end) = keys.last().map(|key| key.range().end()) else {
                continue;
            };
            let path_text: Vec<&str> = path.iter().map(String::as_str).collect();
            match path_text.as_slice() {
                ["packages"] => self.packages = Some(end),
                ["files"] => self.files = Some(end),
                ["layers", "groups", name] => {
                    self.groups.insert((*name).to_owned(), end);
                }
                ["layers"] | ["layers", "groups"] => {
                    if let Some(ast::Expr::Record(inner)) = binding.value() {
                        self.fill(&inner, &path);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The record that an image of a file is made of, where one is written.
fn image_of<'v>(view: &'v FileView<'_>, field: Option<&str>) -> Option<ast::Record<'v>> {
    let root = view.parse().syntax();
    let mut expr = match field {
        None => view.parse().tree().expr()?,
        Some(field) => {
            let names = view.names();
            let export = names.exports.iter().find(|export| *export.name == *field)?;
            match crate::symbol::binder(root, export.range)?.value {
                Some(value) => value,
                // `web;` is short for the binding.
                None => bound(view, export.range)?,
            }
        }
    };
    for _ in 0..DEEPEST {
        expr = match expr {
            ast::Expr::Paren(inner) => inner.expr()?,
            ast::Expr::Let(inner) => inner.body()?,
            ast::Expr::Apply(call) => call.argument()?,
            ast::Expr::Ref(name) => bound(view, name.range())?,
            ast::Expr::Record(record) => return Some(record),
            _ => return None,
        };
    }
    None
}

/// What the name at a range is bound to.
fn bound<'v>(view: &'v FileView<'_>, name: imgc_syntax::TextRange) -> Option<ast::Expr<'v>> {
    let names = view.names();
    let found = names.uses.iter().find(|found| found.range == name)?;
    match found.target {
        Target::Binding(range) => crate::symbol::binder(view.parse().syntax(), range)?.value,
        _ => None,
    }
}

/// A number of bytes, in the unit that gives it one to three digits: as `imgc layers` has it.
fn human(bytes: u64) -> String {
    let mut units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    let mut tenths = u128::from(bytes) * 10;
    while tenths >= 10_000
        && let Some(next) = units.next()
    {
        tenths = (tenths + 500) / 1000;
        unit = next;
    }
    if unit == "B" || tenths >= 100 {
        return format!("{} {unit}", (tenths + 5) / 10);
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_to_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1240, "1.2 kB"),
            (41_960_000, "42 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(human(bytes), text, "{bytes}");
        }
    }
}
