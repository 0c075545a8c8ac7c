//! What ends interpreting at once: not a failing command, but one that can't be done
//! faithfully.

use std::fmt;

use bstr::BString;

/// Why a script was not interpreted to its end, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Stop {
    /// Where. Empty until the shell has filled it in.
    pub place: Box<Place>,
    /// What it was.
    pub why: Why,
}

/// A place in a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The package whose script runs, with its architecture where dpkg writes it.
    pub package: String,
    /// The script: `postinst`, or the path of a program that it runs.
    pub script: String,
    /// The line in it, counted from 1. 0 where it is not known.
    pub line: usize,
    /// The command with its arguments, expanded. Empty where it was none.
    pub argv: Vec<BString>,
}

/// What stopped a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The command is in the tree, and there is no native version of it.
    #[error("imgc has no version of {0}")]
    Command(String),
    /// The command is known, what is asked of it is not.
    #[error("{0}")]
    Unsupported(String),
    /// The script is not a shell script.
    #[error("it is a script for {0}, which imgc does not interpret")]
    Interpreter(String),
    /// The script can't be parsed.
    #[error("it can't be parsed: {0}")]
    Syntax(String),
    /// The budget of steps, bytes or depth is used up.
    #[error("it does too much: {0}")]
    Budget(&'static str),
    /// The bytes of a file of the tree could not be read.
    #[error("{path} can't be read: {error}")]
    Read {
        /// The file.
        path: String,
        /// What the reader says.
        error: String,
    },
}

impl Stop {
    /// A stop with no place yet.
    pub(crate) fn new(why: Why) -> Self {
        Self {
            place: Box::default(),
            why,
        }
    }

    /// What a command is asked that its native version can't do: an option, a form.
    /// `what` is a sentence without a full stop: `the option --foo is not known`.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::new(Why::Unsupported(what.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.package, self.script)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        if !self.argv.is_empty() {
            write!(f, ":")?;
            for arg in &self.argv {
                write!(f, " {arg}")?;
            }
        }
        Ok(())
    }
}
