//! A running shell: where it is, how it goes on, and what a subshell is.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::BString;

use super::state::{Source, State};
use super::syntax::{Item, Script};
use crate::process::{Outcome, Process, Status};
use crate::stop::{Stop, Why};
use crate::streams::Fd;

/// A shell at work.
pub(super) struct Shell<'s, 'p, 'r> {
    pub(super) process: &'s mut Process<'p, 'r>,
    pub(super) state: State,
    pub(super) bash: bool,
    /// `$0`
    pub(super) name: BString,
    /// `$$`
    pub(super) pid: u32,
    /// The line of the command that runs.
    pub(super) line: usize,
    pub(super) source: Source,
    /// Whether this is the maintainer script itself, whose lines are noted.
    pub(super) outermost: bool,
    /// The names of running functions, the innermost last.
    pub(super) running: Vec<BString>,
}

/// What a subshell leaves as it was.
struct Held {
    state: State,
    fds: BTreeMap<u32, Fd>,
    cwd: BString,
    umask: u32,
    line: usize,
    source: Source,
    running: usize,
    nesting: usize,
}

/// What makes a shell leave what it is doing.
#[derive(Debug)]
pub(super) enum Flow {
    /// It can't be done faithfully.
    Stop(Box<Stop>),
    /// `exit`, or `set -e`.
    Exit(u8),
    /// A mistake, which ends a shell unless a builtin made it.
    Fail(u8),
    /// `exec` put another program in its place: no trap runs.
    Replaced(u8),
    Return(u8),
    /// Out of so many loops.
    Break(usize),
    /// On with a loop so many levels up.
    Continue(usize),
}

impl From<Stop> for Flow {
    fn from(stop: Stop) -> Self {
        Self::Stop(Box::new(stop))
    }
}

/// How a part of a script went.
pub(super) type Run = Result<(), Flow>;

impl Shell<'_, '_, '_> {
    /// A mistake that ends the shell, said on standard error.
    pub(super) fn fatal(&mut self, message: &str) -> Flow {
        self.complain(message);
        Flow::Fail(self.failure())
    }

    /// The status of what went wrong before it ran.
    pub(super) fn failure(&self) -> u8 {
        if self.bash { 1 } else { 2 }
    }

    /// Says what is wrong, with the script and its line.
    pub(super) fn complain(&mut self, message: &str) {
        let text = format!("{}: {}: {message}\n", self.name, self.line);
        self.process.err(text);
    }

    /// Notes the line of the command that comes now.
    pub(super) fn at_line(&mut self, line: usize) {
        if self.source == Source::Text {
            return;
        }
        self.line = line;
        if self.outermost && self.source == Source::Script {
            self.process.machine.files.line.line = line;
        }
    }

    /// Fills in where a stop happened, unless something closer to it has.
    pub(super) fn place(&self, stop: &mut Stop) {
        if stop.place.line > 0 {
            return;
        }
        stop.place.line = self.line;
        if let Source::File(path) = &self.source
            && stop.place.script.is_empty()
        {
            stop.place.script = path.to_string();
        }
    }

    /// Runs `run` one level deeper: a function, a substitution, a file.
    pub(super) fn deeper<T>(
        &mut self,
        run: impl FnOnce(&mut Self) -> Result<T, Flow>,
    ) -> Result<T, Flow> {
        let machine = &mut self.process.machine;
        if machine.depth >= machine.setup.limits.depth {
            return Err(Stop::new(Why::Budget(
                "scripts, functions or substitutions nest too deep",
            ))
            .into());
        }
        machine.depth += 1;
        let done = run(self);
        self.process.machine.depth -= 1;
        done
    }

    /// Runs `run` in a subshell. Gives its exit status.
    pub(super) fn subshell(&mut self, run: impl FnOnce(&mut Self) -> Run) -> Result<u8, Flow> {
        let held = self.hold();
        let done = run(self);
        let status = self.finish(done);
        self.release(held);
        status
    }

    /// Keeps what a subshell may change, and makes this shell one.
    fn hold(&mut self) -> Box<Held> {
        let held = Box::new(Held {
            state: self.state.clone(),
            fds: self.process.fds.clone(),
            cwd: self.process.cwd.clone(),
            umask: self.process.umask,
            line: self.line,
            source: self.source.clone(),
            running: self.running.len(),
            nesting: self.process.machine.nesting,
        });
        self.state.subshells += 1;
        self.state.loops = 0;
        let ignored = self
            .state
            .traps
            .iter()
            .filter(|(_, action)| action.is_empty());
        let ignored = ignored
            .map(|(name, action)| (name.clone(), action.clone()))
            .collect();
        self.state.traps = Rc::new(ignored);
        held
    }

    fn release(&mut self, held: Box<Held>) {
        self.state = held.state;
        self.process.fds = held.fds;
        self.process.cwd = held.cwd;
        self.process.umask = held.umask;
        self.line = held.line;
        self.source = held.source;
        self.running.truncate(held.running);
        self.process.machine.nesting = held.nesting;
    }

    /// The exit status of a shell that has come to its end: runs its trap on `EXIT`.
    pub(super) fn finish(&mut self, done: Run) -> Result<u8, Flow> {
        let mut status = match done {
            Ok(()) | Err(Flow::Break(_) | Flow::Continue(_)) => self.state.status,
            Err(Flow::Exit(status) | Flow::Fail(status) | Flow::Return(status)) => status,
            Err(Flow::Replaced(status)) => return Ok(status),
            Err(Flow::Stop(stop)) => return Err(Flow::Stop(stop)),
        };
        let trap = Rc::make_mut(&mut self.state.traps).remove(&b"EXIT"[..]);
        let Some(action) = trap.filter(|action| !action.is_empty()) else {
            return Ok(status);
        };
        self.state.status = status;
        self.state.loops = 0;
        match self.evaluate(&action, false) {
            Err(Flow::Exit(other) | Flow::Fail(other) | Flow::Replaced(other)) => status = other,
            Err(Flow::Stop(stop)) => return Err(Flow::Stop(stop)),
            _ => {}
        }
        Ok(status)
    }

    /// What the commands of a substitution print, without newlines at its end.
    pub(super) fn substitute(&mut self, script: &Rc<Script>) -> Result<Vec<u8>, Flow> {
        let (out, bytes) = Fd::output();
        let status = self.deeper(|shell| {
            shell.subshell(|shell| {
                if shell.bash && !shell.state.shopts.contains(&"inherit_errexit") {
                    shell.state.options.errexit = false;
                }
                shell.process.fds.insert(1, out);
                shell.list(&script.items, false)
            })
        })?;
        self.state.substituted = Some(status);
        if self.bash {
            self.state.status = status;
        }
        let mut bytes = bytes.take();
        while bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        bytes.retain(|&b| b != 0);
        Ok(bytes)
    }

    /// Parses and runs text that a command made.
    pub(super) fn evaluate(&mut self, text: &[u8], tested: bool) -> Run {
        let script = Script::parse_at(text, self.bash, self.line);
        let source = std::mem::replace(&mut self.source, Source::Text);
        let done = self.deeper(|shell| shell.whole(&script, tested));
        self.source = source;
        done
    }

    /// Runs a parsed text up to its mistake, if it has one.
    pub(super) fn whole(&mut self, script: &Script, tested: bool) -> Run {
        let items: &[Item] = &script.items;
        self.list(items, tested)?;
        let Some(mistake) = &script.error else {
            return Ok(());
        };
        if mistake.refused {
            let mut stop = Stop::unsupported(mistake.message.clone());
            self.at_line(mistake.line);
            self.place(&mut stop);
            return Err(stop.into());
        }
        self.at_line(mistake.line);
        let message = format!("Syntax error: {}", mistake.message);
        self.complain(&message);
        self.state.status = 2;
        Err(Flow::Fail(2))
    }

    /// Runs the file at `path` as `.` does.
    pub(super) fn source(&mut self, path: &BString) -> Result<u8, Flow> {
        let bytes = match self.process.machine.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => return Err(self.fatal(&format!("cannot open {path}: {error}"))),
        };
        let script = self.process.machine.parsed.script(&bytes, self.bash);
        let file = Source::File(path.to_string().into());
        let source = std::mem::replace(&mut self.source, file);
        let line = self.line;
        self.state.sourced += 1;
        self.state.status = 0;
        let done = self.deeper(|shell| shell.whole(&script, false));
        self.state.sourced = self.state.sourced.saturating_sub(1);
        self.source = source;
        self.line = line;
        match done {
            Err(Flow::Return(status)) => Ok(status),
            Err(flow) => Err(flow),
            Ok(()) => Ok(self.state.status),
        }
    }

    /// Runs the shell's script to its end.
    pub(super) fn main(&mut self, script: &Script) -> Outcome {
        let done = self.deeper(|shell| shell.whole(script, false));
        match self.finish(done) {
            Ok(status) => Ok(Status(status)),
            Err(Flow::Stop(mut stop)) => {
                self.place(&mut stop);
                Err(*stop)
            }
            Err(_) => Ok(Status(self.state.status)),
        }
    }
}
