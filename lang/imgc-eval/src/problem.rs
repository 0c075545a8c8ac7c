//! A finding while its files are still numbers: what becomes a diagnostic.
//!
//! It is built step by step, and turned into an [`imgc_diag::Diagnostic`] once, at
//! the end. It also holds the words that several findings share.

use imgc_diag::{Code, Diagnostic, Edit, FileId, Severity};

use crate::span::Span;
use crate::text::{is_plain, quote, short};
use crate::value::{Data, Value};

/// How many mistakes, and how many warnings, are reported. Further ones are dropped:
/// nobody reads them.
pub(crate) const MAX_PROBLEMS: usize = 200;

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
    fix: Option<Replacement>,
    /// Whether it is about a value that is a mistake, and so only follows from one.
    pub(crate) is_silent: bool,
}

/// A name that another was meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Replacement {
    span: Span,
    found: String,
    similar: String,
}

impl Replacement {
    /// What to write in its place, if the text there is the name that was found and
    /// not something that is computed to it.
    fn text(&self, source: &str) -> Option<String> {
        let text = source.get(self.span.start as usize..self.span.end as usize)?;
        let mut quoted = String::new();
        quote(&self.similar, &mut quoted);
        if text == self.found {
            let module = self.found.starts_with("std/") && self.similar.starts_with("std/");
            let plain = module || is_plain(&self.similar);
            return Some(if plain { self.similar.clone() } else { quoted });
        }
        let inner = text.strip_prefix('"')?.strip_suffix('"')?;
        (inner == self.found).then_some(quoted)
    }
}

impl Problem {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            severity: Severity::Error,
            code,
            message: short(message.into()),
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
            self.related.push((span, short(text.into())));
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
        self.notes.push(short(note.into()));
        self
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(short(help.into()));
        self
    }

    /// Says that `similar` was probably meant by the `found` at `span`, and offers
    /// the change where it is plain how `found` is written.
    pub(crate) fn did_you_mean(mut self, span: Span, found: &str, similar: &str) -> Self {
        self.fix = Some(Replacement {
            span,
            found: found.to_owned(),
            similar: similar.to_owned(),
        });
        self.help(format!("did you mean `{similar}`?"))
    }

    /// Whether nothing can be built because of it.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The diagnostic; `files` are the modules' names by number, `source` is the
    /// text of the module that it is in.
    pub(crate) fn diagnostic(self, files: &[FileId], source: &str) -> Diagnostic {
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
        // What is similar to a name is offered at the name only, which is in its file.
        if let Some(fix) = self.fix
            && fix.span.module == self.span.module
            && let Some(text) = fix.text(source)
        {
            let title = format!("change it to `{text}`");
            let span = fix.span.shown(files);
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
