//! The REPL on a terminal: line editing, history and completion by rustyline.

use std::cell::RefCell;
use std::path::Path;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::state::State;
use super::{Answer, completion, is_open};
use crate::describe::Problem;
use crate::settings;
use crate::terminal::{Failure, Terminal};

const PROMPT: &str = "img> ";

/// How many inputs the history keeps.
const HISTORY: usize = 2000;

/// Reads, evaluates and prints until the user leaves.
pub(super) fn run(state: State, terminal: &Terminal) -> Result<(), Failure> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY)
        .and_then(|config| config.history_ignore_dups(true))
        .map_err(|error| failed(&error))?
        .history_ignore_space(true)
        .build();
    let mut editor: Editor<Words, FileHistory> =
        Editor::with_config(config).map_err(|error| failed(&error))?;
    editor.set_helper(Some(Words(RefCell::new(state))));
    let history = settings::history();
    if let Some(file) = &history {
        // Without a history there is nothing to go back to, and that is all.
        drop(editor.load_history(file));
    }
    terminal.line(":help lists the commands, :q leaves");
    loop {
        match editor.readline(PROMPT) {
            Ok(input) => {
                drop(editor.add_history_entry(input.as_str()));
                let Some(words) = editor.helper() else { break };
                if words.0.borrow_mut().input(&input, terminal)? == Answer::Quit {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(&error).into()),
        }
    }
    if let Some(file) = &history {
        keep(&mut editor, file);
    }
    Ok(())
}

/// Writes the history. That it can't be kept is no reason to fail.
fn keep(editor: &mut Editor<Words, FileHistory>, file: &Path) {
    if let Some(folder) = file.parent() {
        #[expect(clippy::disallowed_methods, reason = "the user's own state folder")]
        drop(std::fs::create_dir_all(folder));
    }
    drop(editor.save_history(file));
}

fn failed(error: &ReadlineError) -> Problem {
    Problem::new(format!("the terminal fails: {error}"))
}

/// What the editor asks while a line is written.
struct Words(RefCell<State>);

impl Helper for Words {}
impl Highlighter for Words {}

impl Hinter for Words {
    type Hint = String;
}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let line = line.get(..position).unwrap_or(line);
        Ok(completion::complete(&mut self.0.borrow_mut(), line))
    }
}

impl Validator for Words {
    /// An empty line at the end says that nothing more follows.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        if is_open(input) && !input.ends_with("\n") {
            return Ok(ValidationResult::Incomplete);
        }
        Ok(ValidationResult::Valid(None))
    }
}
