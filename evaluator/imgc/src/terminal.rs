//! What people see: results on standard output, everything else on standard
//! error.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use imgc_diag::{Diagnostic, FileId};

use crate::cli::{ColorChoice, Global};
use crate::describe::Problem;
use crate::settings::variable;

/// Where and how messages are written.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    /// Whether standard error is a terminal.
    pub(crate) interactive: bool,
    /// Whether notes are wanted where it is none.
    pub(crate) verbose: bool,
    color: bool,
    width: usize,
}

/// Why a command ends without its result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something that can't be done: what, and what to do about it.
    Problem(Problem),
    /// The command line asks for something that makes no sense.
    Usage(String),
    /// Everything has been said already.
    Told,
    /// A signal ended it.
    Interrupted,
}

impl Failure {
    /// 2 for a wrong command line, 130 after Ctrl-C as shells have it, 1 for everything
    /// else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Interrupted => ExitCode::from(130),
            Self::Problem(_) | Self::Told => ExitCode::from(1),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Terminal {
    /// Looks at the terminal, `--color` and NO_COLOR.
    pub(crate) fn new(global: &Global) -> Self {
        let interactive = std::io::stderr().is_terminal();
        let color = match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                interactive
                    && variable("NO_COLOR").is_none()
                    && variable("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = columns.unwrap_or(100).clamp(40, 160);
        Self {
            interactive,
            verbose: global.verbose,
            color,
            width,
        }
    }

    /// Writes a line to standard error. A closed standard error is no reason to stop.
    pub(crate) fn line(&self, text: &str) {
        drop(writeln!(std::io::stderr().lock(), "{text}"));
    }

    /// Writes a result to standard output, as a line or lines.
    pub(crate) fn result(&self, text: &str) -> Result<(), Failure> {
        self.write(&format!("{text}\n"))
    }

    /// Writes a result to standard output as it is.
    pub(crate) fn write(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| Problem::new(format!("can't write the result: {error}")).into())
    }

    /// Writes diagnostics with the text around them.
    pub(crate) fn diagnostics(
        &self,
        diagnostics: &[Diagnostic],
        sources: &BTreeMap<FileId, String>,
    ) {
        for diagnostic in diagnostics {
            let text = imgc_diag::render(diagnostic, sources, self.color, self.width);
            drop(write!(std::io::stderr().lock(), "{text}"));
        }
    }

    /// Writes why a command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Problem(problem) => self.problem("error", "1;31", problem),
            Failure::Usage(text) => {
                self.problem(
                    "error",
                    "1;31",
                    &Problem::new(text.clone()).help("see imgc --help"),
                );
            }
            Failure::Told => {}
            Failure::Interrupted => self.line("interrupted: what was finished is in the store"),
        }
    }

    /// Writes a warning.
    pub(crate) fn warning(&self, problem: &Problem) {
        self.problem("warning", "1;33", problem);
    }

    fn problem(&self, kind: &str, style: &str, problem: &Problem) {
        let paint = |text: &str, style: &str| {
            if self.color {
                format!("\x1b[{style}m{text}\x1b[0m")
            } else {
                text.to_owned()
            }
        };
        self.line(&format!("{}: {}", paint(kind, style), problem.message));
        for note in &problem.notes {
            self.line(&format!("  {note}"));
        }
        if let Some(help) = &problem.help {
            self.line(&format!("  {}: {help}", paint("help", "1;36")));
        }
    }
}
