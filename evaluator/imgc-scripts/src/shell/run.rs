//! Runs lists, pipelines and the commands that hold others.

use bstr::BString;
use std::rc::Rc;

use super::flow::{Flow, Run, Shell};
use super::state::{Defined, Source};
use super::syntax::{Arm, ArmEnd, Command, Compound, Item, Kind, Link, List, Pipeline, Word};
use crate::stop::{Stop, Why};
use crate::streams::Fd;

/// How many compound commands and words may be within each other, for each level that
/// [`Limits::depth`](crate::Limits) allows.
const NESTED: usize = 4;

impl Shell<'_, '_, '_> {
    /// Runs commands one after the other. `tested` says that their status is looked at,
    /// so that `set -e` does not end the shell.
    pub(super) fn list(&mut self, items: &[Item], tested: bool) -> Run {
        for item in items {
            if self.state.options.noexec {
                return Ok(());
            }
            if item.background {
                self.background(item)?;
            } else {
                self.chain(item, tested)?;
            }
        }
        Ok(())
    }

    fn chain(&mut self, item: &Item, tested: bool) -> Run {
        let last = item.rest.len();
        self.pipeline(&item.first, tested || last > 0)?;
        for (at, (link, pipeline)) in item.rest.iter().enumerate() {
            if (*link == Link::And) == (self.state.status == 0) {
                self.pipeline(pipeline, tested || at + 1 < last)?;
            }
        }
        Ok(())
    }

    /// A command in the background is run at once: whoever waits for it sees the same.
    fn background(&mut self, item: &Item) -> Run {
        let status = self.subshell(|shell| {
            shell.process.fds.insert(0, Fd::Null);
            shell.chain(item, false)
        })?;
        let pid = self.process.machine.next_serial();
        self.state.background = Some(pid);
        self.state.jobs.push((pid, status));
        self.state.status = 0;
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &Pipeline, tested: bool) -> Run {
        let tested = tested || pipeline.negated;
        match pipeline.commands.as_slice() {
            [command] => {
                self.command(command, tested)?;
                self.state.pipe.clear();
                self.state.pipe.push(self.state.status);
            }
            commands => self.pipe(commands, tested)?,
        }
        if pipeline.negated {
            self.state.status = u8::from(self.state.status == 0);
        }
        Ok(())
    }

    fn pipe(&mut self, commands: &[Command], tested: bool) -> Run {
        let mut input = None;
        let mut status = 0;
        let mut worst = 0;
        let mut statuses = Vec::new();
        for (at, command) in commands.iter().enumerate() {
            let (out, bytes) = Fd::output();
            let last = at + 1 == commands.len();
            status = self.deeper(|shell| {
                shell.subshell(|shell| {
                    if let Some(input) = input.take() {
                        shell.process.fds.insert(0, input);
                    }
                    if !last {
                        shell.process.fds.insert(1, out);
                    }
                    shell.command(command, tested)
                })
            })?;
            statuses.push(status);
            if status != 0 {
                worst = status;
            }
            input = Some(Fd::input(bytes.take()));
        }
        self.state.pipe = statuses;
        self.state.status = match self.state.options.pipefail {
            true => worst,
            false => status,
        };
        self.check(tested)
    }

    /// Ends the shell after a command that failed, where `set -e` says so.
    pub(super) fn check(&mut self, tested: bool) -> Run {
        if tested || self.state.status == 0 {
            return Ok(());
        }
        let inside = !self.running.is_empty() || self.state.subshells > 0;
        if self.bash && (!inside || self.state.options.is_on("errtrace")) {
            self.trap_error()?;
        }
        match self.state.options.errexit {
            true => Err(Flow::Exit(self.state.status)),
            false => Ok(()),
        }
    }

    fn trap_error(&mut self) -> Run {
        let Some(action) = self.state.traps.get(&b"ERR"[..]).cloned() else {
            return Ok(());
        };
        let status = self.state.status;
        self.evaluate(&action, true)?;
        self.state.status = status;
        Ok(())
    }

    fn command(&mut self, command: &Command, tested: bool) -> Run {
        match command {
            Command::Simple(simple) => self.simple(simple, tested),
            Command::Compound(compound) => self.compound(compound, tested),
            Command::Function(function) => {
                let name = function.name.clone();
                let source = match &self.source {
                    Source::Text => Source::Text,
                    other => other.clone(),
                };
                let function = Rc::clone(function);
                let defined = Defined { function, source };
                Rc::make_mut(&mut self.state.functions).insert(name, defined);
                self.state.status = 0;
                Ok(())
            }
        }
    }

    /// Runs the body of a function.
    pub(super) fn body(&mut self, body: &Command, tested: bool) -> Run {
        self.command(body, tested)
    }

    fn compound(&mut self, compound: &Compound, tested: bool) -> Run {
        self.enter()?;
        let done = match compound.redirects.is_empty() {
            true => self.kind(compound, tested),
            false => self.redirected(compound, tested),
        };
        self.process.machine.nesting -= 1;
        done
    }

    /// Counts one more command or word within others. Whoever calls this takes one off
    /// again.
    pub(super) fn enter(&mut self) -> Run {
        let machine = &mut self.process.machine;
        if machine.nesting >= machine.setup.limits.depth * NESTED {
            return Err(Stop::new(Why::Budget("commands nest too deep")).into());
        }
        machine.nesting += 1;
        Ok(())
    }

    fn redirected(&mut self, compound: &Compound, tested: bool) -> Run {
        self.at_line(compound.line);
        let fds = self.process.fds.clone();
        if !self.redirect(&compound.redirects)? {
            self.process.fds = fds;
            self.state.status = self.failure();
            return self.check(tested);
        }
        let done = self.kind(compound, tested);
        self.process.fds = fds;
        done
    }

    fn kind(&mut self, compound: &Compound, tested: bool) -> Run {
        match &compound.kind {
            Kind::Group(list) => self.list(list, tested),
            Kind::Subshell(list) => {
                let list: &List = list;
                self.state.status =
                    self.deeper(|shell| shell.subshell(|shell| shell.list(list, tested)))?;
                self.check(tested)
            }
            Kind::If { arms, otherwise } => {
                for (condition, body) in arms {
                    self.list(condition, true)?;
                    if self.state.status == 0 {
                        return self.list(body, tested);
                    }
                }
                self.state.status = 0;
                self.list(otherwise, tested)
            }
            Kind::While {
                until,
                condition,
                body,
            } => self.repeat(*until, condition, body, tested),
            Kind::For { name, words, body } => {
                self.at_line(compound.line);
                self.each(name, words.as_deref(), body, tested)
            }
            Kind::Count { parts, body } => self.count_up(parts, body, tested),
            Kind::Case { word, arms } => {
                self.at_line(compound.line);
                self.choose(word, arms, tested)
            }
            Kind::Test(test) => {
                self.at_line(compound.line);
                let holds = self.holds(test)?;
                self.state.status = holds;
                self.check(tested)
            }
            Kind::Arithmetic(word) => {
                self.at_line(compound.line);
                let text = self.quoted_text(word)?;
                let value = self.arithmetic(&text)?;
                self.state.status = u8::from(value == 0);
                self.check(tested)
            }
        }
    }

    /// Runs a loop's body once. Says whether the loop goes on.
    fn turn(&mut self, body: &[Item], tested: bool) -> Result<bool, Flow> {
        self.process.machine.spend(1)?;
        match self.list(body, tested) {
            Ok(()) | Err(Flow::Continue(1)) => Ok(true),
            Err(Flow::Break(1)) => Ok(false),
            Err(Flow::Break(n)) => Err(Flow::Break(n - 1)),
            Err(Flow::Continue(n)) => Err(Flow::Continue(n - 1)),
            Err(flow) => Err(flow),
        }
    }

    fn repeat(&mut self, until: bool, condition: &[Item], body: &[Item], tested: bool) -> Run {
        self.state.loops += 1;
        let done = self.repeat_inside(until, condition, body, tested);
        self.state.loops = self.state.loops.saturating_sub(1);
        done
    }

    fn repeat_inside(
        &mut self,
        until: bool,
        condition: &[Item],
        body: &[Item],
        tested: bool,
    ) -> Run {
        let mut status = 0;
        loop {
            if !self.turn(condition, true)? {
                status = 0;
                break;
            }
            if (self.state.status == 0) == until {
                break;
            }
            let more = self.turn(body, tested)?;
            status = self.state.status;
            if !more {
                break;
            }
        }
        self.state.status = status;
        Ok(())
    }

    fn each(&mut self, name: &BString, words: Option<&[Word]>, body: &[Item], tested: bool) -> Run {
        let values = match words {
            Some(words) => self.fields(words)?,
            None => self.state.positional.to_vec(),
        };
        self.state.loops += 1;
        let mut done = Ok(());
        let mut status = 0;
        for value in values {
            done = self.assign(name, value);
            if done.is_err() {
                break;
            }
            match self.turn(body, tested) {
                Ok(true) => status = self.state.status,
                Ok(false) => {
                    status = self.state.status;
                    break;
                }
                Err(flow) => {
                    done = Err(flow);
                    break;
                }
            }
        }
        self.state.loops = self.state.loops.saturating_sub(1);
        if done.is_ok() {
            self.state.status = status;
        }
        done
    }

    fn count_up(&mut self, parts: &[Word; 3], body: &[Item], tested: bool) -> Run {
        let [first, condition, step] = parts;
        self.evaluate_part(first)?;
        self.state.loops += 1;
        let mut status = 0;
        let done = loop {
            match self.evaluate_part(condition) {
                Ok(Some(0)) => break Ok(()),
                Ok(_) => {}
                Err(flow) => break Err(flow),
            }
            match self.turn(body, tested) {
                Ok(more) => {
                    status = self.state.status;
                    if !more {
                        break Ok(());
                    }
                }
                Err(flow) => break Err(flow),
            }
            if let Err(flow) = self.evaluate_part(step) {
                break Err(flow);
            }
        };
        self.state.loops = self.state.loops.saturating_sub(1);
        if done.is_ok() {
            self.state.status = status;
        }
        done
    }

    fn evaluate_part(&mut self, word: &Word) -> Result<Option<i64>, Flow> {
        let text = self.quoted_text(word)?;
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        self.arithmetic(&text).map(Some)
    }

    fn choose(&mut self, word: &Word, arms: &[Arm], tested: bool) -> Run {
        let before = self.state.status;
        let text = self.text(word)?;
        let mut falls = false;
        let mut empty = true;
        for arm in arms {
            let mut here = falls;
            for pattern in &arm.patterns {
                if here {
                    break;
                }
                let pattern = self.pattern(pattern)?;
                here = self.matches(&pattern, &text)?;
            }
            if !here {
                continue;
            }
            self.state.status = before;
            empty = arm.body.is_empty();
            self.list(&arm.body, tested)?;
            match arm.end {
                ArmEnd::Leave => break,
                ArmEnd::Fall => falls = true,
                ArmEnd::Look => falls = false,
            }
        }
        if empty {
            self.state.status = 0;
        }
        Ok(())
    }
}
