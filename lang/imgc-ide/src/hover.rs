//! What there is to say about what stands at a place, in Markdown: its type, its
//! documentation; of a package its version, sizes and pin.

use imgc_eval::{BuiltinDoc, FileView, ShapeKind};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{TextRange, TextSize};

use crate::Context;
use crate::catalogue::{PackageFacts, bare_name, folder_of};
use crate::literal;
use crate::symbol::{self, Meant};
use crate::syntax::{ancestors_at, is_in_comment, token_at};

/// What there is to say about a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub range: TextRange,
    /// The words, as Markdown.
    pub text: String,
}

/// What there is to say about what stands at a byte.
pub(crate) fn hover(context: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Option<Hover> {
    let root = view.parse().syntax();
    if is_in_comment(root, offset) {
        return None;
    }
    let package = literal(context, view, offset);
    package
        .or_else(|| name(context, view, offset))
        .or_else(|| key(view, offset))
        .or_else(|| expression(view, offset))
}

/// A name that is used or bound.
fn name(context: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Option<Hover> {
    let names = view.names();
    let (range, meant) = symbol::at(view, &names, offset)?;
    let text = match &meant {
        Meant::Builtin(doc) => of_builtin(doc),
        Meant::Module(file) => {
            let doc = context.semantics.file(file)?.describe().doc;
            joined(&format!("import {file}"), doc.as_deref())
        }
        Meant::Type(_, place) => {
            let binder = symbol::binder(view.parse().syntax(), *place)?;
            joined(binder.node.text(), binder.doc.as_deref())
        }
        Meant::Binding(_, place) => {
            let name = slice(view, *place);
            let binder = symbol::binder(view.parse().syntax(), *place);
            let doc = binder.as_ref().and_then(|binder| binder.doc.clone());
            let is_module = binder.as_ref().and_then(|binder| binder.value);
            if let Some(ast::Expr::Import(import)) = is_module
                && doc.is_none()
            {
                let module = view.module(import.range());
                let described = module.and_then(|module| context.semantics.file(&module));
                let doc = described.and_then(|view| view.describe().doc);
                let text = format!("{name} = {}", import.syntax().text());
                return Some(Hover {
                    range,
                    text: joined(&text, doc.as_deref()),
                });
            }
            joined(&typed(view, name, range), doc.as_deref())
        }
        Meant::Export(file, name) => {
            let of_file = context.semantics.file(file)?;
            let doc = export_doc(&of_file, name);
            joined(&typed(view, name, range), doc.as_deref())
        }
    };
    Some(Hover { range, text })
}

/// What the `##` comment of a field of a module says, or that of the binding that it is
/// short for.
pub(crate) fn export_doc(view: &FileView<'_>, name: &str) -> Option<String> {
    let names = view.names();
    let export = names.exports.iter().find(|export| *export.name == *name)?;
    if export.doc.is_some() {
        return export.doc.clone();
    }
    let root = view.parse().syntax();
    let value = symbol::binder(root, export.range).and_then(|binder| binder.value);
    let place = value.map_or(export.range, |value| value.range());
    let used = names.uses.iter().find(|found| found.range == place)?;
    match used.target {
        imgc_eval::Target::Binding(range) => symbol::binder(root, range)?.doc,
        _ => None,
    }
}

/// The key of a field.
fn key(view: &FileView<'_>, offset: TextSize) -> Option<Hover> {
    let root = view.parse().syntax();
    let mut around = ancestors_at(root, offset);
    let binding = around.find_map(ast::Binding::cast)?;
    let keys = binding.keys();
    let at = keys
        .iter()
        .position(|key| key.range().contains_inclusive(offset))?;
    let (key, range) = (keys[at].text()?, keys[at].range());
    let record = binding.syntax().parent().and_then(ast::Record::cast)?;
    let expected = view.expected(record.range()).filter(|_| at == 0);
    let field = expected.as_ref().and_then(|shape| shape.field(&key));
    let text = match field {
        Some(field) => joined(&format!("{key} : {}", field.ty), field.doc),
        None if keys.len() == 1 => joined(&typed(view, &key, range), None),
        None => return None,
    };
    Some(Hover { range, text })
}

/// Any other expression: its type.
fn expression(view: &FileView<'_>, offset: TextSize) -> Option<Hover> {
    let token = token_at(view.parse().syntax(), offset)?;
    if token.kind().is_trivia() {
        return None;
    }
    let range = view.innermost(offset)?;
    let shape = view.shape(range).filter(|shape| !shape.is_unknown())?;
    Some(Hover {
        range,
        text: joined(&shape.text, None),
    })
}

/// A string that names a package.
fn literal(context: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Option<Hover> {
    let (range, name) = package_at(view, offset)?;
    let folder = view.id();
    let folder = folder_of(folder.as_str());
    let facts = context.catalogue.package(folder, bare_name(&name))?;
    Some(Hover {
        range,
        text: of_package(&facts),
    })
}

/// The literal of a package at a byte, and what it says.
pub(crate) fn package_at(view: &FileView<'_>, offset: TextSize) -> Option<(TextRange, String)> {
    let mut around = ancestors_at(view.parse().syntax(), offset);
    let string = around.find_map(ast::Str::cast)?;
    let text = string.plain()?.into_owned();
    let kind = literal::kind(view, &view.names(), &string)?;
    (kind == ShapeKind::Host("Package")).then_some((string.range(), text))
}

/// What there is to say about a package.
pub(crate) fn of_package(facts: &PackageFacts) -> String {
    let mut text = format!("**{}**", facts.name);
    if let Some(version) = facts.version() {
        text.push_str(&format!(" {version}"));
    }
    if let Some(description) = &facts.description {
        text.push_str(&format!("\n\n{description}"));
    }
    let mut lines = Vec::new();
    if let Some(size) = facts.installed_size {
        lines.push(format!("- installed: {}", size_words(size)));
    }
    if let Some((size, count)) = facts.closure {
        lines.push(format!(
            "- with what it needs: {} in {count} packages",
            size_words(size)
        ));
    }
    match (&facts.pinned, facts.versions.first()) {
        (Some(pinned), Some(newest)) if pinned != newest => {
            lines.push(format!(
                "- pinned to {pinned} by `imgc.lock`; the archive has {newest}"
            ));
        }
        (Some(pinned), _) => lines.push(format!("- pinned to {pinned} by `imgc.lock`")),
        (None, _) => lines.push("- not pinned yet".to_owned()),
    }
    format!("{text}\n\n{}", lines.join("\n"))
}

fn size_words(kib: u64) -> String {
    match kib {
        0..=1023 => format!("{kib} KiB"),
        1024..=1_048_575 => format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024),
        _ => format!("{}.{} GiB", kib >> 20, ((kib & 0xf_ffff) * 10) >> 20),
    }
}

/// What there is to say about a name of the host.
pub(crate) fn of_builtin(doc: &BuiltinDoc) -> String {
    let mut text = joined(&format!("{} : {}", doc.name, doc.signature), Some(doc.text));
    if !doc.example.is_empty() {
        text.push_str(&format!("\n\n```img\n{}\n```", doc.example));
        if !doc.value.is_empty() {
            text.push_str(&format!("\n\nis `{}`", doc.value));
        }
    }
    text
}

/// A name with its type, as far as that is known.
pub(crate) fn typed(view: &FileView<'_>, name: &str, range: TextRange) -> String {
    match view.shape(range).filter(|shape| !shape.is_unknown()) {
        Some(shape) => format!("{name} : {}", shape.text),
        None => name.to_owned(),
    }
}

/// Code and words about it.
pub(crate) fn joined(code: &str, doc: Option<&str>) -> String {
    let code = format!("```img\n{code}\n```");
    match doc {
        Some(doc) if !doc.trim().is_empty() => format!("{code}\n\n{doc}"),
        _ => code,
    }
}

fn slice<'v>(view: &'v FileView<'_>, range: TextRange) -> &'v str {
    let range = std::ops::Range::<usize>::from(range);
    view.text().get(range).unwrap_or_default()
}
