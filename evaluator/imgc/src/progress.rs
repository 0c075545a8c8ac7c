//! What a build tells, drawn on standard error: one line that follows the work on a
//! terminal, lines of their own now and then elsewhere, for those who want them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use imgc_build::{Event, Events, Why};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::size::human;

/// How often a line is printed where there is no terminal.
const LINES: Duration = Duration::from_secs(10);

/// How many of the running steps are named.
const NAMED: usize = 3;

/// Draws one line that follows the work, and remembers what was done.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    terminal: bool,
    notes: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: u64,
    fetched: u64,
    reused: usize,
    /// The steps that run now, oldest first.
    running: Vec<(&'static str, String)>,
    steps: Vec<Explained>,
    /// When the last line was printed.
    line: Option<Instant>,
}

/// A step that was taken, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Explained {
    /// What it makes: `unpack`, `frame`, `install`, `extract`, `files`, `image`.
    #[serde(skip)]
    order: usize,
    pub(crate) kind: &'static str,
    /// Whose.
    pub(crate) name: String,
    /// The digest of its derivation.
    pub(crate) derivation: String,
    /// Why, in words.
    pub(crate) why: Vec<String>,
}

/// The kinds of steps, in the order in which an image is made.
const KINDS: [&str; 7] = [
    "unpack", "frame", "layer", "install", "extract", "files", "image",
];

impl Progress {
    /// Draws a line and prints notes where `terminal` is set; prints notes alone where
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
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self {
            bar,
            terminal,
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

    /// Does something that may print, with the line out of the way.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// How many derivations were realised, and how many reused.
    pub(crate) fn realised(&self) -> (usize, usize) {
        self.state
            .lock()
            .map_or((0, 0), |state| (state.steps.len(), state.reused))
    }

    /// The steps that were taken, in the order in which an image is made.
    pub(crate) fn explained(&self) -> Vec<Explained> {
        let steps = self.state.lock().map(|state| state.steps.clone());
        let mut steps = steps.unwrap_or_default();
        steps.sort();
        steps
    }

    /// Takes the bar away, for good.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows what runs now.
    fn show(&self, state: &mut State) {
        let now = state.words();
        if self.terminal {
            self.bar.set_message(now);
        } else if self.notes && state.line.is_none_or(|then| then.elapsed() >= LINES) {
            if !now.is_empty() {
                eprint_line(&match state.total {
                    0 => now,
                    total => format!(
                        "{} of {} fetched; {now}",
                        human(state.fetched),
                        human(total)
                    ),
                });
            }
            state.line = Some(moment());
        }
    }
}

impl State {
    fn words(&self) -> String {
        let mut words = String::new();
        for (kind, name) in self.running.iter().take(NAMED) {
            words.push_str(if words.is_empty() { "" } else { ", " });
            words.push_str(&format!("{kind} {name}"));
        }
        if self.running.len() > NAMED {
            words.push_str(&format!(" and {} more", self.running.len() - NAMED));
        }
        words
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how often a line is printed is for people"
)]
fn moment() -> Instant {
    Instant::now()
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

/// Why a step was taken, a line for each reason.
fn words(why: &Why) -> Vec<String> {
    match why {
        Why::New => vec!["it was not made before".to_owned()],
        Why::Gone(blob) => vec![format!("{blob} of it is gone from the store")],
        Why::Changed(differences) => differences.clone(),
        Why::Input => {
            vec!["an input came out otherwise, or this imgc makes it in another way".to_owned()]
        }
    }
}

impl Events for Progress {
    fn event(&self, event: Event) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        match event {
            Event::Archive { name } => {
                self.bar.set_message(format!("reading {name}"));
            }
            Event::FetchTotal {
                files,
                bytes: total,
            } => {
                // Indices came before, and are no part of it.
                (state.total, state.fetched) = (total, 0);
                self.bar.set_style(bytes());
                self.bar.set_length(total);
                self.bar.set_message(format!("fetching {files} packages"));
                if self.notes && !self.terminal {
                    eprint_line(&format!("fetching {files} packages, {}", human(total)));
                    state.line = Some(moment());
                }
            }
            Event::Fetched { bytes } => {
                state.fetched += bytes;
                self.bar.set_position(state.fetched);
                if state.fetched >= state.total {
                    self.bar.set_style(spinner());
                }
                if !self.terminal {
                    self.show(&mut state);
                }
            }
            Event::Retry { url, reason } => {
                drop(state);
                self.note(&format!("trying again: {url}: {reason}"));
            }
            Event::Realise {
                kind,
                name,
                key,
                why,
            } => {
                state.running.push((kind, name.clone()));
                state.steps.push(Explained {
                    order: KINDS
                        .iter()
                        .position(|known| *known == kind)
                        .unwrap_or(KINDS.len()),
                    kind,
                    name,
                    derivation: key.hex(),
                    why: words(&why),
                });
                self.show(&mut state);
            }
            Event::Realised { kind, name } => {
                let at = state
                    .running
                    .iter()
                    .position(|one| *one == (kind, name.clone()));
                at.map(|at| state.running.remove(at));
                self.show(&mut state);
            }
            Event::Reuse { .. } => state.reused += 1,
        }
    }
}
