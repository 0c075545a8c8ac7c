//! A finding before its places are positions in files: what becomes a diagnostic.
//!
//! It is built step by step, and turned into an [`imgc_diag::Diagnostic`] once, at
//! the end. `P` is how places are known: a [`Site`](crate::site::Site) while types
//! and values are worked on, so that findings can be remembered when text moves.

use imgc_diag::{Code, Diagnostic, Edit, Severity, Span, SpanRange};

use crate::text::{is_plain, quote, short};

/// How many mistakes, and how many warnings, are reported. Further ones are dropped:
/// nobody reads them.
pub(crate) const MAX_PROBLEMS: usize = 200;

/// One mistake, told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem<P> {
    /// The smallest place to blame.
    pub(crate) place: P,
    severity: Severity,
    code: Code,
    message: String,
    related: Vec<(P, String)>,
    notes: Vec<String>,
    help: Option<String>,
    fix: Option<Replacement<P>>,
    /// A change that mends it: what it does, and texts for places.
    edits: Option<(String, Vec<(P, String)>)>,
    /// What it does to put two texts around a place, the place, and the texts.
    around: Option<(String, P, [String; 2])>,
}

/// A name that another was meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Replacement<P> {
    place: P,
    found: String,
    similar: String,
}

impl Replacement<Span> {
    /// What to write in its place, if the text there is the name that was found and
    /// not something that is computed to it.
    fn text(&self, source: &str) -> Option<String> {
        let text = source.get(self.place.range.start as usize..self.place.range.end as usize)?;
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

impl<P: Clone + PartialEq> Problem<P> {
    /// A mistake.
    pub(crate) fn new(code: Code, place: P, message: impl Into<String>) -> Self {
        Self {
            place,
            severity: Severity::Error,
            code,
            message: short(message.into()),
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
            edits: None,
            around: None,
        }
    }

    /// A finding that stops nothing.
    pub(crate) fn warning(code: Code, place: P, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::new(code, place, message)
        }
    }

    /// Adds another place. The same place is not shown twice.
    pub(crate) fn label(mut self, place: P, text: impl Into<String>) -> Self {
        if place != self.place && self.related.iter().all(|(other, _)| *other != place) {
            self.related.push((place, short(text.into())));
        }
        self
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

    /// Says that `similar` was probably meant by the `found` at `place`, and offers
    /// the change where it is plain how `found` is written.
    pub(crate) fn did_you_mean(mut self, place: P, found: &str, similar: &str) -> Self {
        self.fix = Some(Replacement {
            place,
            found: found.to_owned(),
            similar: similar.to_owned(),
        });
        self.help(format!("did you mean `{similar}`?"))
    }

    /// Offers a change: `title` says what it does, each edit puts a text in the place
    /// of another.
    pub(crate) fn fix(mut self, title: impl Into<String>, edits: Vec<(P, String)>) -> Self {
        self.edits = Some((title.into(), edits));
        self
    }

    /// Offers to put a text before a place and one after it.
    pub(crate) fn around(
        mut self,
        title: impl Into<String>,
        place: P,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        self.around = Some((title.into(), place, [before.into(), after.into()]));
        self
    }

    /// What sort of finding it is.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What it says first.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether nothing can be built because of it.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same with its places known in another way.
    pub(crate) fn map<Q: Clone + PartialEq>(self, place: impl Fn(P) -> Q) -> Problem<Q> {
        Problem {
            place: place(self.place),
            severity: self.severity,
            code: self.code,
            message: self.message,
            related: self
                .related
                .into_iter()
                .map(|(at, text)| (place(at), text))
                .collect(),
            notes: self.notes,
            help: self.help,
            fix: self.fix.map(|fix| Replacement {
                place: place(fix.place),
                found: fix.found,
                similar: fix.similar,
            }),
            edits: self.edits.map(|(title, edits)| {
                let edits = edits.into_iter().map(|(at, text)| (place(at), text));
                (title, edits.collect())
            }),
            around: self
                .around
                .map(|(title, at, texts)| (title, place(at), texts)),
        }
    }
}

impl Problem<Span> {
    /// The diagnostic; `source` is the text of the file that it is in.
    pub(crate) fn diagnostic(self, source: &str) -> Diagnostic {
        let file = self.place.file.clone();
        let mut diagnostic = Diagnostic::error(self.code, self.place, self.message);
        diagnostic.severity = self.severity;
        for (place, text) in self.related {
            diagnostic = diagnostic.with_related(place, text);
        }
        for note in self.notes {
            diagnostic = diagnostic.with_note(note);
        }
        if let Some(help) = self.help {
            diagnostic = diagnostic.with_help(help);
        }
        // What is similar to a name is offered at the name only, which is in its file.
        if let Some(fix) = self.fix
            && fix.place.file == file
            && let Some(text) = fix.text(source)
        {
            let title = format!("change it to `{text}`");
            let span = fix.place;
            diagnostic = diagnostic.with_fix(title, vec![Edit { span, text }]);
        }
        if let Some((title, edits)) = self.edits {
            let edits = edits.into_iter().map(|(span, text)| Edit { span, text });
            diagnostic = diagnostic.with_fix(title, edits.collect());
        }
        if let Some((title, span, [before, after])) = self.around {
            let insert = |at: u32, text: &str| {
                let range = SpanRange { start: at, end: at };
                let file = span.file.clone();
                let text = text.to_owned();
                let span = Span { file, range };
                Edit { span, text }
            };
            let mut edits = vec![insert(span.range.start, &before)];
            if !after.is_empty() {
                edits.push(insert(span.range.end, &after));
            }
            diagnostic = diagnostic.with_fix(title, edits);
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
