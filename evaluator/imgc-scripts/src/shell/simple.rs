//! Runs simple commands: assignments, functions, builtins, programs.

use std::rc::Rc;

use bstr::BString;

use super::builtins::{self, Builtin};
use super::flow::{Flow, Run, Shell};
use super::grammar::literal;
use super::state::{Defined, Variable};
use super::syntax::{Assignment, Part, Simple, Word};
use super::words::name_length;
use crate::process::Status;
use crate::streams::Fd;

/// What a command's name stands for.
enum Target {
    Function(Defined),
    Builtin(Builtin),
    /// A native command that this shell has built in.
    Native(&'static str),
    /// A function of debconf's shell library.
    Debconf,
    Program,
}

/// Natives that are builtins too.
const NATIVES: [&str; 8] = [
    "[", "test", "echo", "printf", "true", "false", "kill", "pwd",
];

impl Shell<'_, '_, '_> {
    pub(super) fn simple(&mut self, simple: &Simple, tested: bool) -> Run {
        self.at_line(simple.line);
        let done = self.simple_command(simple, tested);
        match done {
            Ok(()) => self.check(tested),
            Err(Flow::Stop(mut stop)) => {
                self.place(&mut stop);
                Err(Flow::Stop(stop))
            }
            Err(flow) => Err(flow),
        }
    }

    fn simple_command(&mut self, simple: &Simple, tested: bool) -> Run {
        self.process.machine.spend(1)?;
        self.state.substituted = None;
        let held = self.process.fds.clone();
        let mut arrays = Vec::new();
        let words = self.arguments(&simple.words, &mut arrays)?;
        if words.is_empty() {
            let done = self.without_command(simple);
            self.process.fds = held;
            return done;
        }
        self.trace(simple, &words);
        // Where the redirections of `exec` end up, they stay.
        let target = self.target(&words[0]);
        let keeps = words[0] == "exec" && words.len() == 1 && matches!(target, Target::Builtin(_));
        let special = matches!(&target, Target::Builtin(builtin) if builtin.special);
        if !self.redirect(&simple.redirects)? {
            self.process.fds = held;
            self.state.status = self.failure();
            return match special && !self.bash {
                true => Err(Flow::Fail(self.state.status)),
                false => Ok(()),
            };
        }
        let done = match simple.assignments.is_empty() {
            true => self.invoke(words, target, tested),
            false => self.with_assignments(simple, words, target, tested),
        };
        if !keeps || done.is_err() {
            self.process.fds = held;
        }
        self.state.status = done?;
        for (name, assignment) in arrays {
            self.assign_word(&name, assignment)?;
        }
        Ok(())
    }

    fn without_command(&mut self, simple: &Simple) -> Run {
        if !self.redirect(&simple.redirects)? {
            self.state.status = self.failure();
            return Ok(());
        }
        for assignment in &simple.assignments {
            self.assign_word(&assignment.name, assignment)?;
        }
        if self.state.options.xtrace {
            self.trace(simple, &[]);
        }
        self.state.status = self.state.substituted.unwrap_or(0);
        Ok(())
    }

    /// The words of a command. Arguments of `export` and its like are values, which are
    /// not split; arrays among them are for later.
    fn arguments<'c>(
        &mut self,
        words: &'c [Word],
        arrays: &mut Vec<(BString, &'c Assignment)>,
    ) -> Result<Vec<BString>, Flow> {
        let mut out = Vec::with_capacity(words.len());
        let mut values = false;
        for word in words {
            if let [Part::Assignment(assignment)] = word.as_slice() {
                out.push(assignment.name.clone());
                arrays.push((assignment.name.clone(), assignment));
            } else if values && is_assignment(word) {
                let value = self.value_of(word)?;
                out.push(value);
            } else {
                if out.is_empty() && !self.state.aliases.is_empty() {
                    self.alias(word, &mut out)?;
                } else {
                    self.fields_of(word, &mut out)?;
                }
                let name = out
                    .iter()
                    .find(|name| *name != "command" && *name != "builtin");
                values = name.is_some_and(|name| builtins::declares(name, self.bash));
            }
        }
        Ok(out)
    }

    /// The fields of a command's first word, where an alias may stand for it.
    fn alias(&mut self, word: &Word, out: &mut Vec<BString>) -> Run {
        let active = !self.bash || self.state.shopts.contains(&"expand_aliases");
        let mut name = literal(word).map(BString::from).filter(|_| active);
        let mut values = Vec::new();
        // An alias may begin with another, but none stands for itself.
        let mut seen = Vec::new();
        while let Some(value) = name.as_ref().and_then(|name| self.state.aliases.get(name)) {
            let value = value.clone();
            seen.extend(name.take());
            let script = super::syntax::Script::parse_at(&value, self.bash, self.line);
            let words = super::alias_words(&script).filter(|_| !value.ends_with(b" "));
            let Some((first, rest)) = words.and_then(|words| words.split_first()) else {
                let what = format!("the alias {value:?} is more than words");
                return Err(crate::stop::Stop::unsupported(what).into());
            };
            let mut fields = Vec::new();
            for word in rest {
                self.fields_of(word, &mut fields)?;
            }
            values.splice(0..0, fields);
            match literal(first) {
                Some(next) if !seen.iter().any(|seen| seen == next) => name = Some(next.into()),
                _ => {
                    self.fields_of(first, out)?;
                    out.append(&mut values);
                    return Ok(());
                }
            }
        }
        match name.filter(|_| !seen.is_empty()) {
            Some(name) => out.push(name),
            None => self.fields_of(word, out)?,
        }
        out.append(&mut values);
        Ok(())
    }

    fn trace(&mut self, simple: &Simple, words: &[BString]) {
        if !self.state.options.xtrace {
            return;
        }
        let mut text = BString::from("+");
        for assignment in &simple.assignments {
            text.push(b' ');
            text.extend_from_slice(&assignment.name);
            text.push(b'=');
            if let Some(value) = self.state.value(&assignment.name) {
                text.extend_from_slice(value);
            }
        }
        for word in words {
            text.push(b' ');
            text.extend_from_slice(word);
        }
        text.push(b'\n');
        self.process.err(&text);
    }

    fn target(&self, name: &BString) -> Target {
        if name.contains(&b'/') {
            return Target::Program;
        }
        let builtin = builtins::find(name, self.bash);
        if let Some(builtin) = builtin
            && builtin.special
            && !self.bash
        {
            return Target::Builtin(builtin);
        }
        if let Some(defined) = self.state.functions.get(name) {
            return Target::Function(defined.clone());
        }
        if self.state.debconf && name.starts_with(b"db_") {
            return Target::Debconf;
        }
        if let Some(builtin) = builtin {
            return Target::Builtin(builtin);
        }
        match NATIVES.into_iter().find(|native| *name == *native) {
            Some(native) => Target::Native(native),
            None => Target::Program,
        }
    }

    /// Runs a command for `command`, `builtin` and `exec`: a builtin or program, not a
    /// function.
    pub(super) fn bypass(&mut self, words: Vec<BString>, tested: bool) -> Result<u8, Flow> {
        let target = match builtins::find(&words[0], self.bash) {
            Some(builtin) => Target::Builtin(builtin),
            None => match NATIVES.into_iter().find(|native| words[0] == *native) {
                Some(native) => Target::Native(native),
                None => Target::Program,
            },
        };
        self.invoke(words, target, tested)
    }

    /// Runs a command with the assignments that stand before it.
    fn with_assignments(
        &mut self,
        simple: &Simple,
        words: Vec<BString>,
        target: Target,
        tested: bool,
    ) -> Result<u8, Flow> {
        let stays = matches!(&target, Target::Builtin(builtin) if builtin.special) && !self.bash;
        let mut saved: Vec<(BString, Option<Variable>)> = Vec::new();
        let path = self.process.env.get(&b"PATH"[..]).cloned();
        let mut ready = Ok(());
        for assignment in &simple.assignments {
            let name = &assignment.name;
            if !stays {
                saved.push((name.clone(), self.state.variable(name).cloned()));
            }
            ready = self.assign_word(name, assignment);
            if ready.is_err() {
                break;
            }
            if !stays {
                self.state.entry(name).exported = true;
            }
        }
        let done = match ready {
            Ok(()) => self.invoke(words, target, tested),
            Err(flow) => Err(flow),
        };
        for (name, variable) in saved.into_iter().rev() {
            self.state.restore(name, variable);
        }
        if !stays && let Some(path) = path {
            self.process.env_mut().insert("PATH".into(), path);
        }
        done
    }

    fn invoke(&mut self, words: Vec<BString>, target: Target, tested: bool) -> Result<u8, Flow> {
        match target {
            Target::Function(defined) => self.call(&defined, words, tested),
            Target::Builtin(builtin) => match (builtin.run)(self, &words, tested) {
                // What a builtin is given wrongly is its failure, not the shell's.
                Err(Flow::Fail(status)) if self.survives(&builtin, &words[0]) => Ok(status),
                done => done,
            },
            Target::Native(name) => self.native(name, words),
            Target::Debconf => self.debconf(words),
            Target::Program => self.program(words),
        }
    }

    /// Whether a shell goes on after a mistake in a builtin.
    fn survives(&self, builtin: &Builtin, name: &BString) -> bool {
        match self.bash {
            true => !matches!(
                name.as_slice(),
                b"eval" | b"." | b"source" | b"command" | b"builtin"
            ),
            false => !builtin.special,
        }
    }

    /// Calls a function.
    fn call(&mut self, defined: &Defined, words: Vec<BString>, tested: bool) -> Result<u8, Flow> {
        let mut words = words.into_iter();
        self.running.push(words.next().unwrap_or_default());
        let positional = std::mem::replace(&mut self.state.positional, Rc::new(words.collect()));
        let loops = std::mem::take(&mut self.state.loops);
        let source = std::mem::replace(&mut self.source, defined.source.clone());
        let (line, option_at) = (self.line, self.state.option_at);
        self.state.scopes.push(Vec::new());
        let done = self.deeper(|shell| shell.body(&defined.function.body, tested));
        for (name, variable) in self
            .state
            .scopes
            .pop()
            .unwrap_or_default()
            .into_iter()
            .rev()
        {
            self.state.restore(name, variable);
        }
        self.state.positional = positional;
        self.state.loops = loops;
        self.state.option_at = option_at;
        self.running.pop();
        // A stop keeps the place in the function.
        if !matches!(done, Err(Flow::Stop(_))) {
            self.source = source;
            self.line = line;
        }
        match done {
            Ok(()) => Ok(self.state.status),
            Err(Flow::Return(status)) => Ok(status),
            Err(flow) => Err(flow),
        }
    }

    /// Runs a native command as a builtin of this shell: in this process.
    pub(super) fn native(&mut self, name: &str, words: Vec<BString>) -> Result<u8, Flow> {
        let bash = self.bash;
        if bash && let Some(status) = self.own_form(&words)? {
            return Ok(status);
        }
        let run = builtins::native(name, bash);
        let outer = std::mem::replace(&mut self.process.args, words);
        let done = run(self.process);
        let args = std::mem::replace(&mut self.process.args, outer);
        let done = match self.process.machine.files.fault.take() {
            Some(stop) => Err(stop),
            None => done,
        };
        match done {
            Ok(Status(status)) => Ok(status),
            Err(mut stop) => {
                if stop.place.argv.is_empty() {
                    stop.place.argv = args;
                }
                Err(stop.into())
            }
        }
    }

    /// The forms of bash's builtins that are about variables: `printf -v` and `test -v`.
    fn own_form(&mut self, words: &[BString]) -> Result<Option<u8>, Flow> {
        if words.get(1).is_none_or(|word| word != "-v") {
            return Ok(None);
        }
        match (words[0].as_slice(), &words[2..]) {
            (b"test", [name]) | (b"[", [name, _]) => {
                let name = super::words::reference(name);
                let value = match name {
                    Some(name) => self.lookup(&name)?,
                    None => None,
                };
                Ok(Some(u8::from(value.is_none())))
            }
            (b"printf", [name, format @ ..]) if !format.is_empty() => {
                let (Status(status), text) =
                    crate::commands::system::printf::format(self.process, format, true)?;
                self.assign_reference(name, text)?;
                Ok(Some(status))
            }
            _ => Ok(None),
        }
    }

    /// Runs a program of the tree.
    pub(super) fn program(&mut self, words: Vec<BString>) -> Result<u8, Flow> {
        let env = self.state.environment();
        let Status(status) = self.process.child_in(words, env).start()?;
        Ok(status)
    }

    fn debconf(&mut self, words: Vec<BString>) -> Result<u8, Flow> {
        let env = self.state.environment();
        let mut child = self.process.child_in(words.clone(), env);
        let done = crate::commands::debconf::call(&mut child, &words);
        match done {
            Ok((Status(status), text)) => {
                // The library's functions set IFS and then put back what `"$IFS"` was: one
                // that was unset is empty from then on. The one that stops does not.
                let stops = words.first().is_some_and(|name| name == "db_stop");
                if !stops && self.state.value(b"IFS").is_none() {
                    self.assign(b"IFS", BString::default())?;
                }
                self.assign(b"RET", text)?;
                Ok(status)
            }
            Err(mut stop) => {
                if stop.place.argv.is_empty() {
                    stop.place.argv = words;
                }
                Err(stop.into())
            }
        }
    }

    /// What debconf's library does where no frontend runs: the frontend takes over, and
    /// starts the script again. Gives the status to end with.
    pub(super) fn frontend(&mut self) -> Result<u8, Flow> {
        let mut env = self.state.environment();
        Rc::make_mut(&mut env).insert("PERL_DL_NONLAZY".into(), "1".into());
        let mut words = vec![self.name.clone()];
        words.extend(self.state.positional.iter().cloned());
        self.deeper(|shell| {
            let mut child = shell.process.child_in(words, env);
            let Status(status) = crate::commands::debconf::enter(&mut child)?;
            Ok(status)
        })
    }

    /// The text of a file that holds what `<(…)` prints.
    pub(super) fn process_substitution(
        &mut self,
        script: &Rc<super::syntax::Script>,
    ) -> Result<BString, Flow> {
        let (out, bytes) = Fd::output();
        self.deeper(|shell| {
            shell.subshell(|shell| {
                shell.process.fds.insert(1, out);
                shell.list(&script.items, false)
            })
        })?;
        let mut number = 63;
        while self.process.fds.contains_key(&number) {
            number -= 1;
        }
        self.process.fds.insert(number, Fd::input(bytes.take()));
        Ok(format!("/dev/fd/{number}").into())
    }
}

/// Whether a word begins as `name=`.
fn is_assignment(word: &[Part]) -> bool {
    let Some(Part::Literal(text)) = word.first() else {
        return false;
    };
    let rest = &text[name_length(text)..];
    rest.len() < text.len() && (rest.starts_with(b"=") || rest.starts_with(b"+="))
}
