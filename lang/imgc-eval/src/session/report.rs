//! From findings with places in bindings to diagnostics with places in files.

use std::collections::{BTreeMap, BTreeSet};

use imgc_diag::{Severity, Span, SpanRange, from_syntax};
use imgc_syntax::TextRange;

use crate::ir::{Expr, ModuleName};
use crate::load::{Program, file_id};
use crate::problem::{MAX_PROBLEMS, Problem};
use crate::queries::{Database, Db as _, SourceFile, body, lowered, parse};
use crate::site::Site;

use super::Findings;

/// What was found about a program so far.
#[derive(Debug, Clone)]
pub(super) struct Report {
    /// The modules, and what is wrong with imports.
    pub(super) program: Program,
    /// What is wrong with names, types and values.
    pub(super) problems: Vec<Problem<Span>>,
    /// Whether a module has syntax errors.
    pub(super) has_syntax_errors: bool,
}

impl Report {
    /// Whether nothing can be evaluated.
    pub(super) fn has_errors(&self) -> bool {
        let problems = self.program.problems.iter().chain(&self.problems);
        self.has_syntax_errors || problems.into_iter().any(Problem::is_error)
    }

    /// Adds findings of types and values.
    pub(super) fn extend(&mut self, db: &Database, found: Vec<Problem<Site>>) {
        let found = found
            .into_iter()
            .map(|problem| problem.map(|site| span(db, site)));
        self.problems.extend(found);
    }

    /// Everything that is wrong: syntax first, then by file in the order of loading and
    /// by place.
    pub(super) fn into_diagnostics(self, db: &Database) -> Findings {
        let mut diagnostics = Vec::new();
        let mut sources = BTreeMap::new();
        let mut ranks = BTreeMap::new();
        for &file in &self.program.files {
            let id = file_id(file.name(db));
            let errors = parse(db, file).errors().iter();
            diagnostics.extend(errors.map(|error| from_syntax(&id, error)));
            ranks.insert(id.clone(), ranks.len());
            let is_written = *file.name(db) != ModuleName::Call;
            if let Some(text) = file.text(db).as_deref().filter(|_| is_written) {
                sources.insert(id, text.to_owned());
            }
        }
        let mut problems = self.program.problems;
        problems.extend(self.problems);
        let key = |place: &Span| (ranks.get(&place.file).copied(), place.range);
        problems.sort_by_key(|problem| key(&problem.place));
        diagnostics.extend(problems.into_iter().map(|problem| {
            let source = sources.get(&problem.place.file);
            problem.diagnostic(source.map_or("", String::as_str))
        }));
        let mut seen = BTreeSet::new();
        diagnostics.retain(|diagnostic| seen.insert(diagnostic.clone()));
        let mut room = [MAX_PROBLEMS; 2];
        diagnostics.retain(|diagnostic| {
            let room = &mut room[usize::from(diagnostic.severity == Severity::Error)];
            let fits = *room > 0;
            *room -= usize::from(fits);
            fits
        });
        (diagnostics, sources)
    }
}

/// Where a site is in the text.
pub(super) fn span(db: &Database, site: Site) -> Span {
    let file = site.item.file(db);
    if *file.name(db) == ModuleName::Call {
        return call_span(db, site);
    }
    let found = lowered(db, file).get(site.item.name(db));
    let range = found.map(|binding| binding.spans.get(site.at));
    Span::new(file_id(file.name(db)), range.unwrap_or_default())
}

/// What is in the module that applies a file to its arguments is at the argument, else
/// at the file.
fn call_span(db: &Database, site: Site) -> Span {
    let imports = &lowered(db, site.item.file(db)).imports;
    let entry = imports.first().map(|(name, _)| name.clone());
    let expr = body(db, site.item)
        .as_ref()
        .map(|body| body.expr(site.at.expr));
    let name = match expr {
        Some(Expr::Import(module)) => Some(module.name(db).clone()),
        Some(Expr::Record(fields)) => {
            let field = site.at.part.and_then(|part| fields.get(usize::from(part)));
            field.map(|field| ModuleName::Argument(field.name.clone()))
        }
        _ => None,
    };
    let name = name.or(entry).unwrap_or(ModuleName::Call);
    let end = match &name {
        ModuleName::Argument(_) => {
            let text = db.file(&name).text(db).as_deref().map_or(0, str::len);
            u32::try_from(text).unwrap_or(u32::MAX)
        }
        _ => 0,
    };
    Span {
        file: file_id(&name),
        range: SpanRange { start: 0, end },
    }
}

/// Problems with places in one file.
pub(super) fn in_file(
    db: &Database,
    file: SourceFile,
    problems: &[Problem<TextRange>],
) -> Vec<Problem<Span>> {
    let problems = problems.iter().cloned();
    problems
        .map(|problem| problem.map(|range| Span::new(file_id(file.name(db)), range)))
        .collect()
}
