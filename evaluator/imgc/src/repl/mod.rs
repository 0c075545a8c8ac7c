//! `imgc repl`: definitions and expressions, one at a time. From a terminal with line
//! editing, else line by line.

mod completion;
mod editor;
mod state;

use std::io::{BufRead as _, IsTerminal as _};

use crate::cli::ReplArgs;
use crate::describe::Problem;
use crate::programs;
use crate::terminal::{Failure, Terminal};

use state::State;

/// The longest input, in bytes, that is gathered while something is open.
const MAX_INPUT: usize = 1024 * 1024;

/// Reads, evaluates and prints until `:q` or the end of the input. Without a terminal, an
/// input that fails makes the whole fail.
pub(crate) fn run(args: &ReplArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut state = State::new(args, terminal)?;
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return editor::run(state, terminal);
    }
    let mut failed = false;
    let mut pending = String::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Problem::new(format!("can't read the input: {error}")))?;
        if !take(&mut pending, &line) {
            continue;
        }
        let input = std::mem::take(&mut pending);
        match state.input(&input, terminal)? {
            Answer::Done => {}
            Answer::Failed => failed = true,
            Answer::Quit => break,
        }
    }
    if !pending.trim().is_empty() {
        failed |= matches!(state.input(&pending, terminal)?, Answer::Failed);
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It went well.
    Done,
    /// It did not, and that has been said.
    Failed,
    /// It was `:q`.
    Quit,
}

/// Adds a line to what is pending. Whether that is an input now.
fn take(pending: &mut String, line: &str) -> bool {
    if !pending.is_empty() {
        pending.push('\n');
    }
    pending.push_str(line);
    pending.len() > MAX_INPUT || !is_open(pending)
}

/// Whether an input goes on in the next line.
fn is_open(input: &str) -> bool {
    !input.trim_start().starts_with(':') && programs::is_open(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_ends_where_nothing_is_open() {
        let mut pending = String::new();
        assert!(!take(&mut pending, "["));
        assert!(!take(&mut pending, "  1,"));
        assert!(take(&mut pending, "]"));
        assert_eq!(pending, "[\n  1,\n]");
        assert!(take(&mut String::new(), ":t ["));
    }
}
