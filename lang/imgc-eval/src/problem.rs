//! A finding while its files are still numbers: what becomes a diagnostic.
//!
//! It is built step by step, and turned into an [`imgc_diag::Diagnostic`] once, at
//! the end. It also holds the words that several findings share.

use imgc_diag::{Code, Diagnostic, Edit, FileId, Severity};

use crate::span::Span;
use crate::value::{Data, Value};

/// One mistake, told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The smallest place to blame.
    pub(crate) span: Span,
    severity: Severity,
    code: Code,
    message: String,
    related: Vec<(Span, String)>,
    notes: Vec<String>,
    help: Option<String>,
    fix: Option<(Span, String)>,
    /// Whether it is about a value that is a mistake, and so only follows from one.
    pub(crate) is_silent: bool,
}

impl Problem {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            severity: Severity::Error,
            code,
            message: message.into(),
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
            is_silent: false,
        }
    }

    /// A finding that stops nothing.
    pub(crate) fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::new(code, span, message)
        }
    }

    /// Reports nothing if `value` is a mistake that has been reported.
    pub(crate) fn about(mut self, value: &Value) -> Self {
        self.is_silent |= matches!(value.data, Data::Failed);
        self
    }

    /// Adds another place. The same place is not shown twice.
    pub(crate) fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        if span != self.span && self.related.iter().all(|(other, _)| *other != span) {
            self.related.push((span, text.into()));
        }
        self
    }

    /// Shows where a value was written, if that is another place.
    pub(crate) fn came_from(self, span: Span) -> Self {
        if self.span.contains(span) {
            return self;
        }
        self.label(span, "the value comes from here")
    }

    /// Adds a sentence of context.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says that `similar` was probably meant by the `found` at `span`, and offers
    /// the change where it is plain how `found` is written.
    pub(crate) fn did_you_mean(mut self, span: Span, found: &str, similar: &str) -> Self {
        let length = (span.end - span.start) as usize;
        if length == found.len() {
            self.fix = Some((span, similar.to_owned()));
        } else if length == found.len() + 2 && !similar.contains(['"', '\\', '$']) {
            self.fix = Some((span, format!("\"{similar}\"")));
        }
        self.help(format!("did you mean `{similar}`?"))
    }

    /// The diagnostic; `files` are the modules' names by number.
    pub(crate) fn diagnostic(self, files: &[FileId]) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.code, self.span.shown(files), self.message);
        diagnostic.severity = self.severity;
        for (span, text) in self.related {
            diagnostic = diagnostic.with_related(span.shown(files), text);
        }
        for note in self.notes {
            diagnostic = diagnostic.with_note(note);
        }
        if let Some(help) = self.help {
            diagnostic = diagnostic.with_help(help);
        }
        if let Some((span, text)) = self.fix {
            let title = format!("change it to `{text}`");
            let span = span.shown(files);
            diagnostic = diagnostic.with_fix(title, vec![Edit { span, text }]);
        }
        diagnostic
    }
}

/// Names in a sentence: `` `a`, `b` and `c` ``. Of many only the first are named.
pub(crate) fn list_names(names: &[&str]) -> String {
    const SHOWN: usize = 16;
    let quoted: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        _ if names.len() > SHOWN => {
            format!("{} and {} more", quoted.join(", "), names.len() - SHOWN)
        }
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_names_as_a_sentence_does() {
        assert_eq!(list_names(&[]), "none");
        assert_eq!(list_names(&["a"]), "`a`");
        assert_eq!(list_names(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
