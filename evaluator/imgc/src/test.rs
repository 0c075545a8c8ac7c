//! `imgc test`: the examples in the comments of files, and everything that is bound in
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imgc_diag::{Diagnostic, FileId, Severity};
use serde_json::json;

use crate::cli::TestArgs;
use crate::describe::Problem;
use crate::desk::{Desk, Desks, Findings, has_errors};
use crate::found;
use crate::programs;
use crate::terminal::{Failure, Terminal};
use imgc_eval::{Example, Options};

/// What an example says of the mistakes that it shows.
const ERROR_MARK: &str = "# error:";

/// Runs what is to be tested in files, and says what failed.
pub(crate) fn run(args: &TestArgs, terminal: &Terminal) -> Result<(), Failure> {
    args.evaluation.check_one_platform()?;
    let mut desks = Desks::new(&args.evaluation, true);
    let options = desks.options(None);
    let mut report = Report::default();
    for file in found::files(&args.paths)? {
        report.files += 1;
        let shown = file.display().to_string();
        if let Err(problem) = one(&file, &shown, &mut desks, &options, &mut report) {
            report.add(
                &shown,
                "file",
                "",
                Some(problem.message),
                Findings::default(),
            );
        }
        if !args.json {
            report.show_new(terminal)?;
        }
    }
    let failed = report
        .tests
        .iter()
        .filter(|test| test.message.is_some())
        .count();
    let passed = report.tests.len() - failed;
    if args.json {
        let text = serde_json::to_string_pretty(&report.json(passed, failed));
        terminal.result(&text.expect("plain data"))?;
    } else {
        terminal.result(&format!("{passed} passed, {failed} failed"))?;
    }
    if failed > 0 {
        return Err(Failure::Told);
    }
    Ok(())
}

fn one(
    file: &Path,
    shown: &str,
    desks: &mut Desks,
    options: &Options,
    report: &mut Report,
) -> Result<(), Problem> {
    let text = programs::read(file)?;
    let (desk, entry) = desks.of_file(file)?;
    let mut findings = desk.findings(&entry, options);
    if !has_errors(&findings.diagnostics)
        && let Some(private) = programs::with_private_bindings(&text)
    {
        // What is bound and not used is evaluated too.
        desk.put(&entry, &private);
        let further = desk.session.show(&entry, options);
        desk.take_away(&entry);
        findings.diagnostics.extend(further.diagnostics);
        findings.sources.extend(further.sources);
    }
    // The text that is shown is the file's own: everything is in its place in both.
    findings.sources.insert(FileId::new(&entry), text.clone());
    bindings(&entry, &text, shown, findings, report);
    let examples = desk.session.examples(&entry);
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for example in examples {
        let number = numbers.entry(example.name.clone()).or_default();
        *number += 1;
        let name = match example.name.as_str() {
            "" => format!("example {number}"),
            name => format!("example {number} of {name}"),
        };
        // A name that an image may have, for examples that are images.
        let path = format!(
            "{}-{}.img",
            entry.trim_end_matches(".img"),
            name.replace(' ', "-").to_lowercase()
        );
        let (message, findings) = run_example(desk, &path, &example, options);
        report.add(shown, "example", &name, message, findings);
    }
    Ok(())
}

/// Each binding is a test; what is found elsewhere fails the file.
fn bindings(entry: &str, text: &str, shown: &str, findings: Findings, report: &mut Report) {
    let bindings = programs::bindings(text);
    let mut errors: Vec<Diagnostic> = findings.diagnostics;
    errors.retain(|diagnostic| diagnostic.severity == Severity::Error);
    let mut seen = BTreeSet::new();
    errors.retain(|diagnostic| seen.insert(diagnostic.clone()));
    for (name, range) in &bindings {
        let inside = |diagnostic: &Diagnostic| {
            let place = &diagnostic.primary.span;
            place.file.as_str() == entry && range.contains(&(place.range.start as usize))
        };
        let (own, others) = errors.into_iter().partition::<Vec<_>, _>(inside);
        errors = others;
        let own = Findings {
            diagnostics: own,
            sources: findings.sources.clone(),
        };
        let message = first_message(&own.diagnostics);
        report.add(shown, "binding", name, message, own);
    }
    if bindings.is_empty() || !errors.is_empty() {
        let message = first_message(&errors);
        let findings = Findings {
            diagnostics: errors,
            sources: findings.sources,
        };
        report.add(shown, "file", "", message, findings);
    }
}

fn first_message(errors: &[Diagnostic]) -> Option<String> {
    let first = errors.first()?;
    Some(format!("{}: {}", first.code, first.message))
}

/// Runs a program that stands in a comment. What is wrong with it, if anything is.
fn run_example(
    desk: &mut Desk,
    path: &str,
    example: &Example,
    options: &Options,
) -> (Option<String>, Findings) {
    desk.put(path, &example.code);
    let findings = desk.findings(path, options);
    let value = desk.session.show(path, options).text;
    desk.take_away(path);
    let wanted: Vec<&str> = expected(&example.code).collect();
    let errors: Vec<&Diagnostic> = findings
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .collect();
    if wanted.is_empty() {
        let message = match errors.first() {
            Some(error) => Some(format!("{}: {}", error.code, error.message)),
            None if value.as_deref() == Some("false") => Some("it gives `false`".to_owned()),
            None => None,
        };
        return (message, findings);
    }
    let found = |code: &str| errors.iter().any(|error| error.code.to_string() == code);
    let missing = wanted.iter().find(|code| !found(code));
    let other = errors
        .iter()
        .find(|error| !wanted.contains(&error.code.to_string().as_str()));
    let message = match (other, missing) {
        (Some(error), _) => Some(format!("{}: {}", error.code, error.message)),
        (None, Some(code)) => Some(format!("the error {code} that it expects does not come")),
        (None, None) => None,
    };
    if message.is_none() {
        return (None, Findings::default());
    }
    (message, findings)
}

/// The codes that an example says it has.
fn expected(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter_map(|line| {
        let (_, after) = line.split_once(ERROR_MARK)?;
        after.split_whitespace().next()
    })
}

/// One thing that was tested.
#[derive(Debug)]
struct Test {
    file: String,
    kind: &'static str,
    name: String,
    /// What is wrong.
    message: Option<String>,
    findings: Findings,
}

#[derive(Debug, Default)]
struct Report {
    files: usize,
    tests: Vec<Test>,
    /// How many of them have been shown.
    shown: usize,
}

impl Report {
    fn add(
        &mut self,
        file: &str,
        kind: &'static str,
        name: &str,
        message: Option<String>,
        findings: Findings,
    ) {
        self.tests.push(Test {
            file: file.to_owned(),
            kind,
            name: name.to_owned(),
            message,
            findings,
        });
    }

    fn show_new(&mut self, terminal: &Terminal) -> Result<(), Failure> {
        for test in &self.tests[self.shown..] {
            let Some(message) = &test.message else {
                continue;
            };
            let name = match test.name.as_str() {
                "" => test.file.clone(),
                name => format!("{}: {name}", test.file),
            };
            terminal.result(&format!("FAILED {name}: {message}"))?;
            terminal.diagnostics(&test.findings.diagnostics, &test.findings.sources);
        }
        self.shown = self.tests.len();
        Ok(())
    }

    fn json(&self, passed: usize, failed: usize) -> serde_json::Value {
        let tests = self.tests.iter().map(|test| {
            let findings = test.findings.diagnostics.iter();
            let findings = findings.map(|one| imgc_diag::json(one, &test.findings.sources));
            json!({
                "file": test.file,
                "kind": test.kind,
                "name": test.name,
                "passed": test.message.is_none(),
                "message": test.message,
                "diagnostics": findings.collect::<Vec<_>>(),
            })
        });
        json!({
            "files": self.files,
            "passed": passed,
            "failed": failed,
            "tests": tests.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_errors_are_marked() {
        let code = "let\n  a = b; # error: IMG0201 unbound\nin a # error: IMG0301";
        assert_eq!(expected(code).collect::<Vec<_>>(), ["IMG0201", "IMG0301"]);
        assert_eq!(expected("# an error").count(), 0);
    }
}
