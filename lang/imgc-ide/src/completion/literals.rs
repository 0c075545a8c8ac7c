//! What may stand in a text or path: packages, suites and the like, files of the project,
//! modules.

use imgc_eval::{EntryKind, FileView, ShapeKind};
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxKind, TextRange, TextSize};

use super::{Completion, CompletionKind, Documented, Place, is_wanted};
use crate::Context;
use crate::catalogue::folder_of;
use crate::literal;
use crate::syntax::{ancestors_at, significant_before};

/// The variants of a set of packages.
pub(super) const VARIANTS: [&str; 4] = ["apt", "distroless", "essential", "minbase"];

/// Suites of Debian that imgc knows keys of, and their successors.
const SUITES: [&str; 4] = ["bookworm", "forky", "sid", "trixie"];

/// Platforms that there are packages for.
const PLATFORMS: [&str; 7] = [
    "linux/386",
    "linux/amd64",
    "linux/arm/v7",
    "linux/arm64",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
];

/// Signals that end programs.
const SIGNALS: [&str; 5] = ["SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM"];

/// The most packages of one answer.
const MOST: usize = 200;

/// What may stand where the cursor is, if that is in a text or path, or behind `import`.
pub(super) fn completions(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Option<Vec<Completion>> {
    let before = view.text().get(..usize::from(offset))?;
    if let Some(found) = in_string(context, view, offset) {
        return Some(found);
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-+/@".contains(c);
    let word = &before[before.trim_end_matches(is_part).len()..];
    let start = offset - TextSize::of(word);
    let root = view.parse().syntax();
    let keyword = significant_before(root, start).map(imgc_syntax::SyntaxToken::kind);
    let is_import = keyword == Some(SyntaxKind::ImportKw);
    if word.starts_with("./") || word.starts_with("../") {
        return Some(paths(context, view, offset, word, is_import));
    }
    if !is_import {
        return None;
    }
    let place = Place {
        context,
        view,
        range: TextRange::new(start, offset),
        prefix: word.to_owned(),
    };
    let modules = context.semantics.std_modules().into_iter();
    let modules = modules.map(|module| Completion {
        documented: Some(Documented::Module(module.clone())),
        ..place.plain(&format!("std/{module}"), CompletionKind::Module, 0)
    });
    let mut found: Vec<Completion> = modules.collect();
    found.push(place.plain("./", CompletionKind::Folder, 1));
    found.retain(|completion| completion.label.starts_with(word));
    Some(found)
}

/// Inside of quotes.
fn in_string(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Option<Vec<Completion>> {
    let mut around = ancestors_at(view.parse().syntax(), offset);
    let string = around.find_map(|node| match node.kind() {
        SyntaxKind::Interpolation => Some(None),
        _ => ast::Str::cast(node).map(Some),
    })??;
    let range = string.range();
    let text = string.syntax().text();
    let is_closed = text.len() > 1 && text.ends_with('"');
    let quotes = if string.is_indented() { 3 } else { 1 };
    let start = range.start() + TextSize::new(quotes);
    let end = if is_closed {
        range.end() - TextSize::new(quotes)
    } else {
        range.end()
    };
    if offset < start || offset > end.max(start) {
        return None;
    }
    let inner = TextRange::new(start, end.max(start));
    let prefix = view.text().get(usize::from(start)..usize::from(offset))?;
    let place = Place {
        context,
        view,
        range: inner,
        prefix: prefix.to_owned(),
    };
    let parent = string.syntax().parent();
    if parent.map(imgc_syntax::SyntaxNode::kind) == Some(SyntaxKind::KeyPath) {
        return Some(Vec::new());
    }
    let kind = literal::kind(view, &view.names(), &string);
    Some(match kind {
        Some(ShapeKind::Host("Package")) => packages(&place),
        Some(ShapeKind::Host("Suite")) => values(&place, &SUITES),
        Some(ShapeKind::Host("Variant")) => values(&place, &VARIANTS),
        Some(ShapeKind::Host("Platform")) => values(&place, &PLATFORMS),
        Some(ShapeKind::Host("Owner")) => owners(&place),
        Some(ShapeKind::Host("String")) => match field_of(&string).as_deref() {
            Some("stopSignal") => values(&place, &SIGNALS),
            Some("compression") => values(&place, &["gzip", "none", "zstd"]),
            Some("capabilities") => values(&place, imgc_eval::capability_names()),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    })
}

/// The field that a text, or a list that it is in, is the value of.
fn field_of(string: &ast::Str<'_>) -> Option<String> {
    let mut above = string.syntax().parent()?;
    if above.kind() == SyntaxKind::List {
        above = above.parent()?;
    }
    let binding = ast::Binding::cast(above)?;
    let keys = binding.keys();
    Some(keys.last()?.text()?.into_owned())
}

fn values(place: &Place<'_>, values: &[&str]) -> Vec<Completion> {
    let wanted = values
        .iter()
        .filter(|value| is_wanted(value, &place.prefix));
    let found = wanted.map(|value| place.plain(value, CompletionKind::Value, 0));
    found.collect()
}

/// The users that the file adds.
fn owners(place: &Place<'_>) -> Vec<Completion> {
    let nodes = place.view.parse().syntax().descendants();
    let bindings = nodes.filter_map(ast::Binding::cast);
    let records = bindings.filter_map(|binding| {
        let keys = binding.keys();
        let is_users = matches!(keys.last()?.text()?.as_ref(), "users" | "groups");
        binding.value().filter(|_| is_users)
    });
    let mut names: Vec<String> = vec!["root".to_owned()];
    for value in records {
        for binding in value.syntax().descendants().filter_map(ast::Binding::cast) {
            let keys = binding.keys();
            let is_name = keys.first().and_then(ast::Key::text).as_deref() == Some("name");
            if let Some(ast::Expr::Str(name)) = binding.value().filter(|_| is_name) {
                names.extend(name.plain().map(std::borrow::Cow::into_owned));
            }
        }
    }
    names.sort();
    names.dedup();
    names.retain(|name| is_wanted(name, &place.prefix));
    let found = names.iter();
    found
        .map(|name| place.plain(name, CompletionKind::Value, 0))
        .collect()
}

/// Packages, or the versions of one.
fn packages(place: &Place<'_>) -> Vec<Completion> {
    let id = place.view.id();
    let folder = folder_of(id.as_str());
    let catalogue = place.context.catalogue;
    if let Some((name, _)) = place.prefix.split_once('=') {
        let facts = catalogue.package(folder, name).unwrap_or_default();
        let versions = facts.versions.into_iter().zip(0..);
        let found = versions.map(|(version, rank)| Completion {
            rank,
            ..place.plain(&format!("{name}={version}"), CompletionKind::Package, 0)
        });
        return found.collect();
    }
    let names = catalogue.starting_with(folder, &place.prefix, MOST);
    let found = names.into_iter().map(|package| Completion {
        detail: Some(package.version),
        documented: Some(Documented::Package(folder.to_owned(), package.name.clone())),
        // The nearest to what is typed first.
        rank: u8::try_from(package.name.len().saturating_sub(place.prefix.len()))
            .unwrap_or(u8::MAX),
        ..place.plain(&package.name, CompletionKind::Package, 0)
    });
    found.collect()
}

/// Files and folders of the project.
fn paths(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
    word: &str,
    is_import: bool,
) -> Vec<Completion> {
    let (folder, prefix) = word.rsplit_once('/').unwrap_or((".", word));
    let start = offset - TextSize::of(prefix);
    let place = Place {
        context,
        view,
        range: TextRange::new(start, offset),
        prefix: prefix.to_owned(),
    };
    let Some(folder) = context.semantics.resolve(&view.id(), folder) else {
        return Vec::new();
    };
    let id = view.id();
    let entries = context.semantics.list(&folder).unwrap_or_default();
    let mut found = Vec::new();
    for entry in entries {
        let path = match folder.as_str() {
            "" => entry.name.clone(),
            folder => format!("{folder}/{}", entry.name),
        };
        let is_hidden = entry.name.starts_with('.') && !prefix.starts_with('.');
        if is_hidden || path == id.as_str() || !entry.name.starts_with(prefix) {
            continue;
        }
        let is_folder = match entry.kind {
            EntryKind::Directory => true,
            EntryKind::File { .. } => false,
            _ => matches!(
                context.semantics.stat(&path),
                Ok(imgc_eval::Stat::Directory)
            ),
        };
        if is_folder {
            let label = format!("{}/", entry.name);
            found.push(place.plain(&label, CompletionKind::Folder, 1));
        } else if !is_import || entry.name.ends_with(".img") {
            found.push(place.plain(&entry.name, CompletionKind::File, 0));
        }
    }
    found
}
