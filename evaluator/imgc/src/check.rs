//! `imgc check`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imgc_diag::{Diagnostic, FileId, Severity};
use serde_json::json;

use crate::beside::replace_text;
use crate::cli::CheckArgs;
use crate::describe::Problem;
use crate::desk::{Desks, Findings};
use crate::fix;
use crate::found;
use crate::programs::{self, STANDARD_INPUT};
use crate::target::Target;
use crate::terminal::{Failure, Terminal};

/// Finds what is wrong with files, and corrects what a machine can correct.
pub(crate) fn run(args: &CheckArgs, terminal: &Terminal) -> Result<(), Failure> {
    args.evaluation.check_one_platform()?;
    let mut desks = Desks::new(&args.evaluation, false);
    let mut report = Report::default();
    if args
        .paths
        .iter()
        .any(|path| path == Path::new(STANDARD_INPUT))
    {
        if args.paths.len() > 1 || args.fix {
            return Err(Failure::Usage(
                "`-` stands alone, and has no --fix".to_owned(),
            ));
        }
        let text = programs::read(Path::new(STANDARD_INPUT))?;
        let desk = desks.of_folder(Path::new("."))?;
        let entry = desk.path("<stdin>");
        desk.put(&entry, &text);
        let options = desks.options(None);
        let desk = desks.of_folder(Path::new("."))?;
        report.add(desk.findings(&entry, &options));
        return report.show(args.json, terminal);
    }
    // A field is checked with its file.
    let given: Vec<_> = args
        .paths
        .iter()
        .map(|path| Target::of(path).file)
        .collect();
    for file in found::files(&given)? {
        report.files += 1;
        if let Err(problem) = one(&file, args.fix, &mut desks, &mut report, terminal) {
            terminal.failure(&problem.into());
            report.failed = true;
        }
    }
    report.show(args.json, terminal)
}

fn one(
    file: &Path,
    fix: bool,
    desks: &mut Desks,
    report: &mut Report,
    terminal: &Terminal,
) -> Result<(), Problem> {
    let options = desks.options(None);
    let (desk, entry) = desks.of_file(file)?;
    if fix {
        let fixed = fix::file(desk, &entry, &programs::read(file)?, &options);
        if let Some(text) = &fixed.text {
            replace_text(file, text)?;
            desk.take_away(&entry);
            let shown = file.display();
            for title in &fixed.titles {
                terminal.line(&format!("{shown}: {title}"));
                report.fixes.push((shown.to_string(), title.clone()));
            }
        }
    }
    let findings = desk.findings(&entry, &options);
    report.add(findings);
    Ok(())
}

/// What was found in all files.
#[derive(Debug, Default)]
struct Report {
    files: usize,
    /// Each diagnostic once, in the order of finding; other files' may come from several.
    diagnostics: Vec<Diagnostic>,
    seen: BTreeSet<Diagnostic>,
    sources: BTreeMap<FileId, String>,
    /// File and what was done.
    fixes: Vec<(String, String)>,
    /// A file could not be looked at.
    failed: bool,
}

impl Report {
    fn add(&mut self, findings: Findings) {
        for diagnostic in findings.diagnostics {
            if self.seen.insert(diagnostic.clone()) {
                self.diagnostics.push(diagnostic);
            }
        }
        self.sources.extend(findings.sources);
    }

    fn show(&self, as_json: bool, terminal: &Terminal) -> Result<(), Failure> {
        let count = |severity| {
            let same = self.diagnostics.iter().filter(|d| d.severity == severity);
            same.count()
        };
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        if as_json {
            let diagnostics: Vec<_> = self
                .diagnostics
                .iter()
                .map(|diagnostic| imgc_diag::json(diagnostic, &self.sources))
                .collect();
            let fixes: Vec<_> = self
                .fixes
                .iter()
                .map(|(file, title)| json!({ "file": file, "title": title }))
                .collect();
            let document = json!({
                "files": self.files,
                "errors": errors,
                "warnings": warnings,
                "fixes": fixes,
                "diagnostics": diagnostics,
            });
            let text = serde_json::to_string_pretty(&document).expect("plain data");
            terminal.result(&text)?;
        } else {
            terminal.diagnostics(&self.diagnostics, &self.sources);
            if errors + warnings > 0 {
                terminal.line(&format!(
                    "{}, {}",
                    plural(errors, "error"),
                    plural(warnings, "warning")
                ));
            }
        }
        if errors > 0 || self.failed {
            return Err(Failure::Told);
        }
        Ok(())
    }
}

fn plural(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}
