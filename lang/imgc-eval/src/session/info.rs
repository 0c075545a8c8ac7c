//! What there is to say about a file: documentation, types, examples.

use imgc_diag::Span;
use imgc_syntax::{SyntaxKind, TextRange, TextSize};

use crate::ir::{ItemName, ModuleName};
use crate::load::file_id;
use crate::options::Options;
use crate::queries::{Database, Db as _, SourceFile, infer, items, lowered, parse};

use super::State;
use super::arguments::scheme_text;

/// What there is to say about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleInfo {
    /// What the `##` comment at its head says.
    pub doc: Option<String>,
    /// The type of its value.
    pub ty: Option<String>,
    /// Its top-level bindings, in the order of the source.
    pub bindings: Vec<BindingInfo>,
}

/// What there is to say about a top-level binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingInfo {
    /// Its name.
    pub name: String,
    /// Whether it is a field of the record that the file ends in; else only the file
    /// itself sees it.
    pub public: bool,
    /// What its `##` comment says.
    pub doc: Option<String>,
    /// Its type.
    pub ty: String,
    /// Where its name stands.
    pub span: Span,
}

/// A program in a `##` comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The binding that the comment is about; empty for the file.
    pub name: String,
    /// The program.
    pub code: String,
    /// Where its lines stand, comment marks included.
    pub span: Span,
}

impl State {
    /// The type of a file or of a binding.
    pub(super) fn type_of(&mut self, entry: &ModuleName, name: Option<&str>) -> Option<String> {
        let file = self.known(entry)?;
        let db = &self.db;
        let Some(name) = name else {
            return Some(type_of_file(db, file));
        };
        let found = items(db, file);
        let exports = found.exports.iter().flatten();
        let mut exports = exports.filter(|known| ***known == *name);
        let private = found.lets.iter();
        let private =
            private.filter(|item| matches!(item, ItemName::Let(known, _) if **known == *name));
        let item = match exports.next() {
            Some(name) => ItemName::Export(name.clone()),
            None => private.max()?.clone(),
        };
        Some(scheme_text(db, db.item(file, &item)))
    }

    /// The smallest expression around a byte, and its type.
    pub(super) fn type_at(&mut self, entry: &ModuleName, offset: u32) -> Option<(Span, String)> {
        let file = self.known(entry)?;
        let db = &self.db;
        let bindings = lowered(db, file).bindings.iter();
        let found = bindings.filter_map(|binding| {
            let (expr, range) = binding.spans.innermost(offset.into())?;
            Some((binding.item, expr, range))
        });
        let (item, expr, range) = found.min_by_key(|(.., range)| range.len())?;
        let ty = crate::types::type_at(db, item, expr)?;
        Some((Span::new(file_id(entry), range), ty))
    }

    /// What there is to say about a file.
    pub(super) fn module(&mut self, entry: &ModuleName) -> ModuleInfo {
        let known = self.known(entry);
        known.map_or_else(ModuleInfo::default, |file| describe(&self.db, file))
    }

    /// The programs in comments.
    pub(super) fn examples(&mut self, entry: &ModuleName) -> Vec<Example> {
        let Some(file) = self.known(entry) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for comment in comments(&self.db, file) {
            examples_in(entry, &comment, &mut found);
        }
        found
    }

    /// The file, if there is one, with everything that it imports.
    fn known(&mut self, entry: &ModuleName) -> Option<SourceFile> {
        let report = self.check(entry, &Options::default());
        let file = *report.program.files.first()?;
        (file.name(&self.db) == entry).then_some(file)
    }
}

/// What there is to say about a module that is loaded.
pub(super) fn describe(db: &Database, file: SourceFile) -> ModuleInfo {
    let id = file_id(file.name(db));
    let lowered = lowered(db, file);
    let mut bindings: Vec<BindingInfo> = Vec::new();
    for binding in &lowered.bindings {
        let (name, public) = match &binding.name {
            ItemName::Let(name, _) => (name, false),
            ItemName::Export(name) => (name, true),
            ItemName::Root => continue,
        };
        bindings.push(BindingInfo {
            name: name.to_string(),
            public,
            doc: binding.doc.clone(),
            ty: scheme_text(db, binding.item),
            span: Span::new(id.clone(), binding.place),
        });
    }
    bindings.sort_by_key(|binding| binding.span.range);
    ModuleInfo {
        doc: lowered.doc.clone(),
        ty: Some(type_of_file(db, file)),
        bindings,
    }
}

fn type_of_file(db: &Database, file: SourceFile) -> String {
    let Some(names) = &items(db, file).exports else {
        return scheme_text(db, db.item(file, &ItemName::Root));
    };
    let fields: Vec<String> = names
        .iter()
        .map(|name| {
            let item = db.item(file, &ItemName::Export(name.clone()));
            infer(db, item);
            let mut field = String::new();
            if crate::text::is_plain(name) {
                field.push_str(name);
            } else {
                crate::text::quote(name, &mut field);
            }
            format!("{field} : {}", scheme_text(db, item))
        })
        .collect();
    match fields.as_slice() {
        [] => "{}".to_owned(),
        fields => format!("{{ {} }}", fields.join(", ")),
    }
}

/// `##` lines that follow each other.
struct Comment {
    /// The binding below; empty for the file.
    name: String,
    /// The text of each line without its mark, and where it stands.
    lines: Vec<(String, TextRange)>,
}

fn comments(db: &Database, file: SourceFile) -> Vec<Comment> {
    let mut found: Vec<Comment> = Vec::new();
    let mut is_open = false;
    for token in parse(db, file).syntax().tokens() {
        match token.kind() {
            SyntaxKind::DocComment => {
                if !is_open {
                    found.push(Comment {
                        name: String::new(),
                        lines: Vec::new(),
                    });
                    is_open = true;
                }
                let text = token.text().strip_prefix("##").unwrap_or(token.text());
                let text = text.strip_prefix(' ').unwrap_or(text).trim_end();
                if let Some(comment) = found.last_mut() {
                    comment.lines.push((text.to_owned(), token.text_range()));
                }
            }
            SyntaxKind::Whitespace => {
                is_open &= token.text().bytes().filter(|byte| *byte == b'\n').count() < 2;
            }
            _ => is_open = false,
        }
    }
    let lowered = lowered(db, file);
    let mut heads: Vec<(TextSize, String, &str)> = lowered
        .bindings
        .iter()
        .filter_map(|binding| {
            let (ItemName::Let(name, _) | ItemName::Export(name)) = &binding.name else {
                return None;
            };
            let start = binding.place.start();
            Some((start, name.to_string(), binding.doc.as_deref()?))
        })
        .collect();
    heads.sort();
    for comment in &mut found {
        let Some((_, last)) = comment.lines.last() else {
            continue;
        };
        let after = heads.partition_point(|(start, ..)| *start < last.end());
        let lines: Vec<&str> = comment
            .lines
            .iter()
            .map(|(line, _)| line.as_str())
            .collect();
        if let Some((_, name, doc)) = heads.get(after)
            && *doc == lines.join("\n")
        {
            comment.name.clone_from(name);
        }
    }
    found
}

fn examples_in(entry: &ModuleName, comment: &Comment, found: &mut Vec<Example>) {
    let mut open: Option<(bool, String, Option<TextRange>)> = None;
    for (line, range) in &comment.lines {
        let fence = line.trim_start();
        match &mut open {
            None => {
                if let Some(kind) = fence.strip_prefix("```") {
                    let is_program = kind.split_whitespace().next() == Some("img");
                    open = Some((is_program, String::new(), None));
                }
            }
            Some((is_program, code, place)) if fence == "```" => {
                if let (true, Some(range)) = (&is_program, *place) {
                    found.push(Example {
                        name: comment.name.clone(),
                        code: std::mem::take(code),
                        span: Span::new(file_id(entry), range),
                    });
                }
                open = None;
            }
            Some((_, code, place)) => {
                code.push_str(line);
                code.push('\n');
                *place = Some(place.map_or(*range, |before| before.cover(*range)));
            }
        }
    }
}
