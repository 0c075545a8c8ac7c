//! Diagnostics for people: drawn with the source around them, by miette. What is drawn is bounded,
//! however long the source, the messages and the lists of places are.
//! It returns text and prints nothing; whether there are colours is the caller's choice.

use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeStyles};

use crate::diagnostic::{Diagnostic, FileId, Label, Severity};
use crate::excerpt::Excerpt;
use crate::sources::{Sources, fit, harmless};

/// How many places beside the primary one are drawn, and how many notes.
const MOST_PLACES: usize = 24;
/// The longest sentence that is shown whole, in characters.
const LONGEST_SENTENCE: usize = 1_000;
/// The narrowest terminal that is drawn for, in columns.
const NARROWEST: usize = 20;

/// Draws a diagnostic. `width` is the terminal's, in columns. Ends with a line end.
///
/// Control characters in sources and messages are replaced, so that a file cannot command the
/// terminal. Long lines are cut around the places, and long messages at their end.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &dyn Sources, color: bool, width: usize) -> String {
    let theme = if color {
        GraphicalTheme {
            styles: ThemeStyles::ansi(),
            ..GraphicalTheme::unicode()
        }
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let notes: Vec<String> = diagnostic
        .notes
        .iter()
        .take(MOST_PLACES)
        .map(|note| format!("note: {}", sentence(note)))
        .collect();
    let mut handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(width.max(NARROWEST))
        .with_context_lines(1)
        .with_show_related_as_nested(true)
        .with_break_words(false);
    if !notes.is_empty() {
        handler = handler.with_footer(notes.join("\n"));
    }
    let mut text = String::new();
    let report = Report::new(diagnostic, sources);
    // Writing to a string does not fail, and the ranges fit the text.
    if handler.render_report(&mut text, &report).is_err() {
        text = format!("{}: {}\n", diagnostic.code, sentence(&diagnostic.message));
    }
    text
}

/// A diagnostic in the form that miette draws.
#[derive(Debug)]
struct Report {
    code: Option<String>,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    source: Option<Excerpt>,
    labels: Vec<LabeledSpan>,
    /// Places in other files, one report for each file.
    others: Vec<Report>,
}

impl Report {
    fn new(diagnostic: &Diagnostic, sources: &dyn Sources) -> Self {
        let file = &diagnostic.primary.span.file;
        let (here, elsewhere): (Vec<&Label>, Vec<&Label>) = diagnostic
            .related
            .iter()
            .take(MOST_PLACES)
            .partition(|label| label.span.file == *file);
        let (source, labels) = places(file, Some(&diagnostic.primary), &here, sources);
        let mut others: Vec<Self> = Vec::new();
        let mut files: Vec<&FileId> = elsewhere.iter().map(|label| &label.span.file).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            let labels: Vec<&Label> = elsewhere
                .iter()
                .copied()
                .filter(|label| label.span.file == *file)
                .collect();
            others.push(Self::other(file, &labels, sources));
        }
        let mut message = sentence(&diagnostic.message);
        if source.is_none() {
            message = format!("{message} ({})", harmless(file.as_str()));
        }
        Self {
            code: Some(diagnostic.code.to_string()),
            severity: match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            message,
            help: diagnostic.help.as_deref().map(sentence),
            source,
            labels,
            others,
        }
    }

    /// The report about places in another file.
    fn other(file: &FileId, labels: &[&Label], sources: &dyn Sources) -> Self {
        let (source, spans) = places(file, None, labels, sources);
        let message = match labels {
            [label] if source.is_none() => format!("{}: {}", file, label.text),
            _ => format!("in {file}"),
        };
        Self {
            code: None,
            severity: miette::Severity::Advice,
            message: sentence(&message),
            help: None,
            source,
            labels: spans,
            others: Vec::new(),
        }
    }
}

/// The text around the labels of a file, and the labels in it. Without the text there are none.
fn places(
    file: &FileId,
    primary: Option<&Label>,
    others: &[&Label],
    sources: &dyn Sources,
) -> (Option<Excerpt>, Vec<LabeledSpan>) {
    let Some(text) = sources.text(file) else {
        return (None, Vec::new());
    };
    let labels: Vec<&Label> = primary.into_iter().chain(others.iter().copied()).collect();
    let ranges: Vec<(usize, usize)> = labels
        .iter()
        .map(|label| fit(label.span.range, &text))
        .collect();
    let (excerpt, ranges) = Excerpt::new(harmless(file.as_str()), &text, &ranges);
    let spans = labels
        .iter()
        .zip(ranges)
        .enumerate()
        .map(|(index, (label, range))| {
            let words = (!label.text.is_empty()).then(|| sentence(&label.text));
            if index == 0 && primary.is_some() {
                LabeledSpan::new_primary_with_span(words, range)
            } else {
                LabeledSpan::new_with_span(words, range)
            }
        })
        .collect();
    (Some(excerpt), spans)
}

/// Words for people: harmless, and cut where they are too long.
fn sentence(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SENTENCE) {
        Some((end, _)) => harmless(text.get(..end).unwrap_or_default()) + "…",
        None => harmless(text),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code
            .as_ref()
            .map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.source.is_some() && !self.labels.is_empty();
        labels.then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = _>>)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let related = self
            .others
            .iter()
            .map(|other| other as &dyn miette::Diagnostic);
        (!self.others.is_empty()).then(|| Box::new(related) as Box<dyn Iterator<Item = _>>)
    }
}
