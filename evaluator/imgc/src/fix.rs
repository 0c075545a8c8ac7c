//! Applying the changes that diagnostics offer to one file, in memory. Nothing is written
//! here.

use imgc_diag::{Diagnostic, Severity};

use crate::desk::Desk;
use imgc_eval::Options;

/// How often the file is looked at again after changes.
const MAX_ROUNDS: usize = 10;

/// What became of a file.
#[derive(Debug, Default)]
pub(crate) struct Fixed {
    /// Its text, if it has changed.
    pub(crate) text: Option<String>,
    /// What was done, in order.
    pub(crate) titles: Vec<String>,
}

/// A change of a text: bytes from, bytes to, and what stands there afterwards.
type Change = (usize, usize, String);

/// Applies what is offered for `entry`, whose text is `text`, in rounds until nothing is
/// offered. A round after which the file has more errors is undone, and is the last one.
/// The desk is left with the new text in the place of the file, if there is one.
pub(crate) fn file(desk: &mut Desk, entry: &str, text: &str, options: &Options) -> Fixed {
    let mut fixed = Fixed::default();
    let mut current = text.to_owned();
    let mut seen = vec![current.clone()];
    let mut findings = desk.findings(entry, options).diagnostics;
    let mut errors = Errors::of(&current, &findings);
    for _ in 0..MAX_ROUNDS {
        let (changes, titles) = choose(&findings, entry, &current);
        if changes.is_empty() {
            break;
        }
        let next = apply(&current, &changes);
        if seen.contains(&next) {
            break;
        }
        desk.put(entry, &next);
        let next_findings = desk.findings(entry, options).diagnostics;
        let next_errors = Errors::of(&next, &next_findings);
        if next_errors > errors {
            desk.put(entry, &current);
            break;
        }
        seen.push(next.clone());
        current = next;
        findings = next_findings;
        errors = next_errors;
        fixed.titles.extend(titles);
    }
    if current == text {
        desk.take_away(entry);
    } else {
        fixed.text = Some(current);
    }
    fixed
}

/// How wrong a file is. A syntax error hides everything behind it, so one less of them is
/// better whatever comes to light.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Errors {
    syntax: usize,
    all: usize,
}

impl Errors {
    fn of(text: &str, findings: &[Diagnostic]) -> Self {
        let errors = findings.iter().filter(|d| d.severity == Severity::Error);
        Self {
            syntax: imgc_syntax::parse(text).errors().len(),
            all: errors.count(),
        }
    }
}

/// Whether a change is only a guess at what was meant, by a name that is similar. It may
/// be right for a machine and wrong for its author, so that nobody would notice.
fn is_guess(diagnostic: &Diagnostic) -> bool {
    let help = diagnostic.help.as_deref().unwrap_or_default();
    help.starts_with("did you mean")
}

/// The changes of this round: the first that each diagnostic offers, unless it is a guess,
/// touches another file, or the same place as one before it.
fn choose(findings: &[Diagnostic], entry: &str, text: &str) -> (Vec<Change>, Vec<String>) {
    let mut chosen: Vec<Change> = Vec::new();
    let mut titles = Vec::new();
    let sure = findings.iter().filter(|diagnostic| !is_guess(diagnostic));
    for fix in sure.filter_map(|diagnostic| diagnostic.fixes.first()) {
        let here = fix
            .edits
            .iter()
            .all(|edit| edit.span.file.as_str() == entry);
        let changes: Vec<Change> = fix
            .edits
            .iter()
            .map(|edit| {
                let range = edit.span.range;
                (range.start as usize, range.end as usize, edit.text.clone())
            })
            .collect();
        let fits = |&(start, end, _): &Change| {
            text.get(start..end).is_some()
                && chosen
                    .iter()
                    .all(|(from, to, _)| end < *from || *to < start)
        };
        if here && !changes.is_empty() && changes.iter().all(fits) {
            chosen.extend(changes);
            titles.push(fix.title.clone());
        }
    }
    chosen.sort();
    (chosen, titles)
}

/// The text after changes that are sorted and do not overlap.
fn apply(text: &str, changes: &[Change]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (start, end, new) in changes {
        // Edits of one fix are promised not to overlap; one that does is left out.
        let Some(before) = text.get(at..*start) else {
            continue;
        };
        out.push_str(before);
        out.push_str(new);
        at = *end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use imgc_diag::{Edit, FileId, Span, SpanRange, codes};

    use super::*;

    fn finding(file: &str, edits: &[(u32, u32, &str)]) -> Diagnostic {
        let span = |start, end| Span {
            file: FileId::new(file),
            range: SpanRange { start, end },
        };
        let edits = edits.iter().map(|&(start, end, text)| Edit {
            span: span(start, end),
            text: text.to_owned(),
        });
        Diagnostic::error(codes::UNBOUND_NAME, span(0, 0), "x")
            .with_fix("change it", edits.collect())
    }

    #[test]
    fn takes_what_does_not_overlap() {
        let findings = [
            finding("a.img", &[(0, 1, "A"), (4, 4, "!")]),
            finding("a.img", &[(1, 2, "B")]),
            finding("a.img", &[(2, 3, "C")]),
            finding("b.img", &[(3, 4, "D")]),
            finding("a.img", &[(3, 99, "E")]),
            finding("a.img", &[(3, 4, "F")]).with_help("did you mean `F`?"),
        ];
        let (changes, titles) = choose(&findings, "a.img", "abcd");
        assert_eq!(titles.len(), 2);
        assert_eq!(apply("abcd", &changes), "AbCd!");
    }

    #[test]
    fn less_syntax_errors_are_better_whatever_they_hid() {
        let errors = |syntax, all| Errors { syntax, all };
        assert!(errors(0, 5) < errors(1, 1));
        assert!(errors(0, 2) > errors(0, 1));
    }
}
