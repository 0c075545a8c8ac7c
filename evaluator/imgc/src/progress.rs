//! What a build tells, drawn on standard error: bars on a terminal, nothing
//! elsewhere.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use imgc_build::{Event, Events};

/// Draws one line that follows the work.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    notes: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: u64,
    fetched: u64,
    realised: usize,
    reused: usize,
}

impl Progress {
    /// Draws bars and prints notes where `terminal` is set; prints notes alone where
    /// only `notes` is.
    pub(crate) fn new(terminal: bool, notes: bool) -> Self {
        let bar = ProgressBar::no_length();
        bar.set_draw_target(if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        bar.set_style(spinner());
        if terminal {
            bar.enable_steady_tick(std::time::Duration::from_millis(100));
        }
        Self {
            bar,
            notes: terminal || notes,
            state: Mutex::default(),
        }
    }

    /// Prints a line about what was done, if anybody wants such lines.
    pub(crate) fn note(&self, text: &str) {
        if self.notes {
            self.bar.suspend(|| eprint_line(text));
        }
    }

    /// How many derivations were realised, and how many reused.
    pub(crate) fn realised(&self) -> (usize, usize) {
        self.state
            .lock()
            .map_or((0, 0), |state| (state.realised, state.reused))
    }

    /// Takes the bar away, for good.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[expect(
    clippy::print_stderr,
    reason = "messages to people go to standard error"
)]
fn eprint_line(text: &str) {
    eprintln!("{text}");
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}").expect("a valid template")
}

fn bytes() -> ProgressStyle {
    let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {wide_msg}";
    ProgressStyle::with_template(template).expect("a valid template")
}

impl Events for Progress {
    fn event(&self, event: Event) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        match event {
            Event::Archive { name } => self.bar.set_message(format!("reading {name}")),
            Event::FetchTotal {
                files,
                bytes: total,
            } => {
                // Indices came before, and are no part of it.
                (state.total, state.fetched) = (total, 0);
                self.bar.set_style(bytes());
                self.bar.set_length(state.total);
                self.bar.set_message(format!("fetching {files} packages"));
            }
            Event::Fetched { bytes } => {
                state.fetched += bytes;
                self.bar.set_position(state.fetched);
                if state.fetched >= state.total {
                    self.bar.set_style(spinner());
                }
            }
            Event::Retry { url, reason } => {
                drop(state);
                self.note(&format!("trying again: {url}: {reason}"));
            }
            Event::Realise { kind, name } => {
                state.realised += 1;
                self.bar.set_message(format!("{kind} {name}"));
            }
            Event::Reuse { .. } => state.reused += 1,
        }
    }
}
