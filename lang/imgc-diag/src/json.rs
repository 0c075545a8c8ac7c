//! Diagnostics for programs: a JSON value with stable names.
//! Lines and columns count from 1; columns count characters; offsets count bytes from 0.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Label, Severity, Span};
use crate::sources::{Sources, fit};

/// A diagnostic as JSON. Lines and columns are there where the source's text is known.
#[must_use]
pub fn json(diagnostic: &Diagnostic, sources: &dyn Sources) -> serde_json::Value {
    let shown = Shown {
        code: diagnostic.code.to_string(),
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        title: diagnostic.code.title(),
        message: &diagnostic.message,
        primary: label(&diagnostic.primary, sources),
        related: diagnostic
            .related
            .iter()
            .map(|other| label(other, sources))
            .collect(),
        notes: &diagnostic.notes,
        help: diagnostic.help.as_deref(),
        fixes: diagnostic
            .fixes
            .iter()
            .map(|fix| ShownFix {
                title: &fix.title,
                edits: fix
                    .edits
                    .iter()
                    .map(|edit| ShownEdit {
                        place: place(&edit.span, sources),
                        text: &edit.text,
                    })
                    .collect(),
            })
            .collect(),
    };
    serde_json::to_value(shown).expect("strings, numbers and lists always have a JSON form")
}

#[derive(Serialize)]
struct Shown<'a> {
    code: String,
    severity: &'static str,
    title: &'static str,
    message: &'a str,
    primary: ShownLabel<'a>,
    related: Vec<ShownLabel<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    fixes: Vec<ShownFix<'a>>,
}

#[derive(Serialize)]
struct ShownLabel<'a> {
    #[serde(flatten)]
    place: ShownPlace<'a>,
    label: &'a str,
}

#[derive(Serialize)]
struct ShownFix<'a> {
    title: &'a str,
    edits: Vec<ShownEdit<'a>>,
}

#[derive(Serialize)]
struct ShownEdit<'a> {
    #[serde(flatten)]
    place: ShownPlace<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct ShownPlace<'a> {
    file: &'a str,
    start: ShownPosition,
    end: ShownPosition,
}

#[derive(Serialize)]
struct ShownPosition {
    offset: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

fn label<'a>(label: &'a Label, sources: &dyn Sources) -> ShownLabel<'a> {
    ShownLabel {
        place: place(&label.span, sources),
        label: &label.text,
    }
}

fn place<'a>(span: &'a Span, sources: &dyn Sources) -> ShownPlace<'a> {
    let text = sources.text(&span.file);
    let fitted = text.as_deref().map(|text| (text, fit(span.range, text)));
    let position = |offset, at: Option<(&str, usize)>| {
        let (line, column) = at.map(|(text, at)| line_and_column(text, at)).unzip();
        ShownPosition {
            offset,
            line,
            column,
        }
    };
    ShownPlace {
        file: span.file.as_str(),
        start: position(
            span.range.start,
            fitted.map(|(text, (start, _))| (text, start)),
        ),
        end: position(span.range.end, fitted.map(|(text, (_, end))| (text, end))),
    }
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::codes;
    use crate::diagnostic::{Edit, FileId, SpanRange};

    #[test]
    fn has_everything() {
        let file = FileId::new("app.img");
        let span = Span {
            file: file.clone(),
            range: SpanRange { start: 5, end: 7 },
        };
        let other = Span {
            file: FileId::new("lib.img"),
            range: SpanRange { start: 1, end: 2 },
        };
        let diagnostic = Diagnostic::error(codes::UNBOUND_NAME, span.clone(), "no name `bb`")
            .with_label("used here")
            .with_related(other, "defined here")
            .with_note("a note")
            .with_help("write `b`")
            .with_fix(
                "write `b`",
                vec![Edit {
                    span,
                    text: "b".to_owned(),
                }],
            );
        let sources = BTreeMap::from([(file, "é\n\nbb".to_owned())]);
        let place = serde_json::json!({
            "file": "app.img",
            "start": { "offset": 5, "line": 3, "column": 2 },
            "end": { "offset": 7, "line": 3, "column": 3 },
        });
        let with = |key: &str, value: &str| {
            let mut place = place.clone();
            place[key] = value.into();
            place
        };
        assert_eq!(
            json(&diagnostic, &sources),
            serde_json::json!({
                "code": "IMG0201",
                "severity": "error",
                "title": "unbound name",
                "message": "no name `bb`",
                "primary": with("label", "used here"),
                "related": [{
                    "file": "lib.img",
                    "start": { "offset": 1 },
                    "end": { "offset": 2 },
                    "label": "defined here",
                }],
                "notes": ["a note"],
                "help": "write `b`",
                "fixes": [{ "title": "write `b`", "edits": [with("text", "b")] }],
            })
        );
    }
}
