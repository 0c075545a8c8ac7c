//! Diagnostics as LSP has them: related places, and codes that lead to their pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{Diagnostic, FileId, Span};
use imgc_syntax::TextRange;
use lsp_types as lsp;

use crate::capabilities::Client;
use crate::convert::{Lines, severity};
use crate::{Host, uri};

/// What is needed to tell a diagnostic.
pub(crate) struct Teller<'a> {
    /// The machine.
    pub(crate) host: &'a dyn Host,
    /// What the editor can do.
    pub(crate) client: &'a Client,
    /// The address of a file.
    pub(crate) address: &'a dyn Fn(&FileId) -> Option<lsp::Uri>,
    /// The text of a file.
    pub(crate) text: &'a dyn Fn(&FileId) -> Option<Arc<str>>,
    /// Files whose lines are known.
    pub(crate) lines: BTreeMap<FileId, Lines>,
}

impl Teller<'_> {
    /// Diagnostics of one file.
    pub(crate) fn all(&mut self, found: &[Diagnostic]) -> Vec<lsp::Diagnostic> {
        found
            .iter()
            .map(|diagnostic| self.one(diagnostic))
            .collect()
    }

    fn one(&mut self, found: &Diagnostic) -> lsp::Diagnostic {
        let mut message = found.message.clone();
        if !found.primary.text.is_empty() {
            message.push_str(&format!(": {}", found.primary.text));
        }
        for note in &found.notes {
            message.push_str(&format!("\nnote: {note}"));
        }
        if let Some(help) = &found.help {
            message.push_str(&format!("\nhelp: {help}"));
        }
        let related = found.related.iter().filter_map(|label| {
            Some(lsp::DiagnosticRelatedInformation {
                location: lsp::Location {
                    uri: (self.address)(&label.span.file)?,
                    range: self.range(&label.span),
                },
                message: label.text.clone(),
            })
        });
        let related: Vec<_> = related.collect();
        let page = self.host.code_page(found.code);
        let page = page.filter(|_| self.client.code_addresses);
        let href = page.and_then(|page| uri::of_text(&page));
        let is_unused = found.code == imgc_diag::codes::UNUSED_BINDING;
        lsp::Diagnostic {
            range: self.range(&found.primary.span),
            severity: Some(severity(found.severity)),
            code: Some(lsp::NumberOrString::String(found.code.to_string())),
            code_description: href.map(|href| lsp::CodeDescription { href }),
            source: Some("imgc".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            tags: is_unused.then(|| vec![lsp::DiagnosticTag::UNNECESSARY]),
            data: None,
        }
    }

    fn range(&mut self, span: &Span) -> lsp::Range {
        let encoding = self.client.encoding;
        let text = self.text;
        let lines = self.lines.entry(span.file.clone()).or_insert_with(|| {
            let text = text(&span.file).unwrap_or_else(|| Arc::from(""));
            Lines::new(text, encoding)
        });
        lines.range(TextRange::new(
            span.range.start.into(),
            span.range.end.max(span.range.start).into(),
        ))
    }
}
