//! sh as dash has it, and the bash that occurs.
//!
//! - `syntax`, `parse`, `grammar`, `words`, `test`: from text to commands.
//! - `expand`, `parameter`, `fields`, `pattern`, `glob`, `braces`, `arithmetic`: from
//!   words to arguments.
//! - `flow`, `run`, `simple`, `redirect`, `conditions`: from commands to what they do.
//! - `state`, `assign`, `builtins`: what a shell knows, and changes.
//!
//! Nothing runs at the same time: the commands of a pipeline run one after the other,
//! and what is sent to the background runs at once.

mod arithmetic;
mod assign;
mod braces;
mod builtins;
mod conditions;
mod escapes;
mod expand;
mod fields;
mod flow;
mod glob;
mod grammar;
mod parameter;
mod parse;
mod pattern;
mod redirect;
mod run;
mod simple;
mod state;
mod syntax;
mod test;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use flow::{Flow, Shell};
use state::{Held, Source, State, Variable};
use syntax::{Command, Script, Word};

/// The shells themselves, as commands.
pub(crate) const NATIVES: &[&[Native]] = &[&[
    Native {
        name: "sh",
        origin: Origin::Essential,
        run: dash,
    },
    Native {
        name: "dash",
        origin: Origin::Essential,
        run: dash,
    },
    Native {
        name: "bash",
        origin: Origin::Essential,
        run: bash,
    },
]];

/// Parsed scripts, by their text.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    scripts: [BTreeMap<Rc<[u8]>, Rc<Script>>; 2],
}

impl Cache {
    fn script(&mut self, bytes: &[u8], bash: bool) -> Rc<Script> {
        let scripts = &mut self.scripts[usize::from(bash)];
        if let Some(script) = scripts.get(bytes) {
            return Rc::clone(script);
        }
        let script = Rc::new(Script::parse(bytes, bash));
        scripts.insert(bytes.into(), Rc::clone(&script));
        script
    }
}

/// Runs `bytes` as a script: `process.args[0]` is its name, the rest its arguments, and
/// `options` what its first line gives the shell: its path and perhaps `-e`.
pub(crate) fn script(
    process: &mut Process<'_, '_>,
    bytes: &[u8],
    bash: bool,
    options: &[BString],
) -> Outcome {
    let name = process.args.first().cloned().unwrap_or_default();
    let args = process.args.get(1..).unwrap_or_default().to_vec();
    let parsed = process.machine.parsed.script(bytes, bash);
    start(process, bash, name, args, options, &parsed)
}

fn start(
    process: &mut Process<'_, '_>,
    bash: bool,
    name: BString,
    args: Vec<BString>,
    options: &[BString],
    script: &Script,
) -> Outcome {
    let pid = process.machine.next_serial();
    let line = &process.machine.files.line;
    let outermost = name.starts_with(b"/var/lib/dpkg/")
        && !line.script.is_empty()
        && name.ends_with(line.script.as_bytes());
    let state = first_state(process, bash, pid);
    let held = process.fds.clone();
    let mut shell = Shell {
        process,
        state,
        bash,
        name,
        pid,
        line: 0,
        source: Source::Script,
        outermost,
        running: Vec::new(),
    };
    shell.state.positional = Rc::new(args);
    let done = match shell.set_options(options) {
        Ok(_) => shell.main(script),
        Err(Flow::Stop(stop)) => Err(*stop),
        Err(_) => Ok(Status(2)),
    };
    process.fds = held;
    done
}

/// The variables that a shell begins with.
fn first_state(process: &mut Process<'_, '_>, bash: bool, pid: u32) -> State {
    let mut variables = BTreeMap::new();
    for (name, value) in &*process.env {
        if words::name_length(name) == name.len() {
            let variable = Variable {
                value: Some(Held::Text(value.clone())),
                exported: true,
                ..Variable::default()
            };
            variables.insert(name.clone(), variable);
        }
    }
    let mut state = State::default();
    state.variables = Rc::new(variables);
    let cwd = process.cwd.clone();
    let inherited = state.value(b"PWD").is_some_and(|pwd| {
        let files = &process.machine.files;
        pwd.starts_with(b"/") && files.find(pwd, true).ok() == files.find(&cwd, true).ok()
    });
    if !inherited {
        state.set("PWD", cwd);
    }
    state.set("IFS", " \t\n");
    state.set("OPTIND", "1");
    state.set("PPID", (pid - 1).to_string());
    state.set("PS1", "# ");
    state.set("PS2", "> ");
    state.set("PS4", "+ ");
    if bash {
        let shopts = [
            "checkwinsize",
            "cmdhist",
            "progcomp",
            "promptvars",
            "sourcepath",
        ];
        state.shopts = Rc::new(shopts.to_vec());
        state.set("BASH", "/bin/bash");
        state.set("OSTYPE", "linux-gnu");
        state.set("BASH_VERSION", "5.2.37(1)-release");
        let gnu = crate::arch::of(&process.machine.setup.arch).map_or("", |known| known.gnu);
        let parts = ["5", "2", "37", "1", "release", gnu];
        let parts = (0..).zip(parts.map(BString::from)).collect();
        state.entry(b"BASH_VERSINFO").value = Some(Held::Array(parts));
        state.options.other("hashall", true);
        state.options.other("braceexpand", true);
    }
    state
}

fn dash(process: &mut Process<'_, '_>) -> Outcome {
    command(process, false)
}

fn bash(process: &mut Process<'_, '_>) -> Outcome {
    command(process, true)
}

/// `sh [-e…] [-c text | file | -s] [arguments]`
fn command(process: &mut Process<'_, '_>, bash: bool) -> Outcome {
    let words = process.args.clone();
    let mut options = Vec::new();
    let (mut text, mut stdin) = (false, false);
    let mut args = words.get(1..).unwrap_or_default();
    while let Some((word, rest)) = args.split_first() {
        if word.len() < 2 || !(word.starts_with(b"-") || word.starts_with(b"+")) {
            if word == "-" {
                args = rest;
            }
            break;
        }
        args = rest;
        match word.as_slice() {
            b"--" => break,
            b"--posix" | b"--login" => {
                return Err(Stop::unsupported(format!("the option {word} is not known")));
            }
            b"--norc" | b"--noprofile" if bash => continue,
            long if long.starts_with(b"--") => {
                return Err(Stop::unsupported(format!("the option {word} is not known")));
            }
            _ => {}
        }
        let mut letters = BString::default();
        for &letter in &word[1..] {
            match letter {
                b'c' => text = true,
                b's' => stdin = true,
                b'l' => return Err(Stop::unsupported("a login shell is not known")),
                other => letters.push(other),
            }
        }
        if !letters.is_empty() {
            let takes = letters.contains(&b'o');
            letters.insert(0, word[0]);
            options.push(letters);
            if takes && let Some((name, rest)) = args.split_first() {
                options.push(name.clone());
                args = rest;
            }
        }
    }
    if text {
        let Some((text, rest)) = args.split_first() else {
            process.complain("-c requires an argument");
            return Ok(Status(2));
        };
        let name = rest.first().unwrap_or(&words[0]).clone();
        let args = rest.get(1..).unwrap_or_default().to_vec();
        let script = Script::parse(text, bash);
        return start(process, bash, name, args, &options, &script);
    }
    let file = args.first().filter(|_| !stdin).cloned();
    let Some(file) = file else {
        let text = process.stdin();
        let script = Script::parse(&text, bash);
        return start(
            process,
            bash,
            words[0].clone(),
            args.to_vec(),
            &options,
            &script,
        );
    };
    let path = process.path(&file);
    // A program that has a native version has it whoever runs it.
    let there = process.machine.files.is_file(&path);
    if let Some(name) = there.then(|| process.native_of(&path)).flatten() {
        process.args = args.to_vec();
        return process.native(name);
    }
    let bytes = match process.machine.files.read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            process.complain(format_args!("0: cannot open {file}: {error}"));
            return Ok(Status(if bash { 127 } else { 2 }));
        }
    };
    let script = process.machine.parsed.script(&bytes, bash);
    let done = start(
        process,
        bash,
        file.clone(),
        args[1..].to_vec(),
        &options,
        &script,
    );
    done.map_err(|mut stop| {
        if stop.place.script.is_empty() {
            stop.place.script = path.to_str_lossy().into_owned();
        }
        stop
    })
}

/// The words of an alias, if it is nothing but words.
fn alias_words(script: &Script) -> Option<&[Word]> {
    let [item] = script.items.as_slice() else {
        return None;
    };
    let plain = item.rest.is_empty() && !item.background && !item.first.negated;
    match item.first.commands.as_slice() {
        [Command::Simple(simple)]
            if plain && simple.redirects.is_empty() && simple.assignments.is_empty() =>
        {
            Some(&simple.words)
        }
        _ => None,
    }
}
