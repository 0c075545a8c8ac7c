//! `set` and `shopt`.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::super::escapes::quote;
use super::super::flow::{Flow, Shell};
use super::super::state::{Held, OPTIONS};
use crate::stop::Stop;

/// `set`
pub(super) fn set(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    if words.len() == 1 {
        print(shell);
        return Ok(0);
    }
    let rest = shell.set_options(&words[1..])?;
    if let Some(rest) = rest {
        shell.state.positional = Rc::new(rest.to_vec());
        shell.state.option_at = 0;
    }
    Ok(0)
}

fn print(shell: &mut Shell<'_, '_, '_>) {
    let mut text = BString::default();
    for (name, variable) in shell.state.variables.iter() {
        if let Some(Held::Text(value)) = &variable.value {
            text.extend_from_slice(name);
            text.push(b'=');
            text.extend_from_slice(&quote(value));
            text.push(b'\n');
        }
    }
    shell.process.out(&text);
}

impl Shell<'_, '_, '_> {
    /// Sets options as `set` and `sh` are given them. Gives the operands behind them, if
    /// there are any or a `--` says that there are none.
    pub(in crate::shell) fn set_options<'w>(
        &mut self,
        mut words: &'w [BString],
    ) -> Result<Option<&'w [BString]>, Flow> {
        while let Some(word) = words.first() {
            let on = match word.first() {
                Some(b'-') => true,
                Some(b'+') => false,
                _ => return Ok(Some(words)),
            };
            words = &words[1..];
            if word == "--" {
                return Ok(Some(words));
            }
            if word.len() == 1 {
                // A lone `-` ends the options, and tracing.
                if on {
                    self.state.options.xtrace = false;
                    self.state.options.verbose = false;
                }
                return Ok((!words.is_empty()).then_some(words));
            }
            for &letter in &word[1..] {
                if letter != b'o' {
                    self.set_letter(letter, on)?;
                    continue;
                }
                let Some((name, rest)) = words.split_first() else {
                    self.print_options(on);
                    return Ok(None);
                };
                words = rest;
                self.set_named(&name.to_str_lossy(), on)?;
            }
        }
        Ok(None)
    }

    fn set_letter(&mut self, letter: u8, on: bool) -> Result<(), Flow> {
        let known = OPTIONS.iter().find(|(other, _)| *other == letter);
        match known {
            Some((_, name)) => self.set_named(name, on),
            None if self.bash && b"TkptrHP".contains(&letter) => {
                let letter = char::from(letter);
                Err(Stop::unsupported(format!("set -{letter} is not known")).into())
            }
            None => {
                let letter = char::from(letter);
                Err(self.fatal(&format!("set: Illegal option -{letter}")))
            }
        }
    }

    /// Sets the option `name`.
    pub(in crate::shell) fn set_named(&mut self, name: &str, on: bool) -> Result<(), Flow> {
        let only_bash = matches!(
            name,
            "pipefail" | "posix" | "hashall" | "errtrace" | "braceexpand"
        );
        if name == "posix" && on {
            return Err(Stop::unsupported("set -o posix is not known").into());
        }
        if !OPTIONS.iter().any(|(_, other)| *other == name) || (only_bash && !self.bash) {
            return Err(self.fatal(&format!("set: Illegal option -o {name}")));
        }
        match self.state.options.flag(name) {
            Some(flag) => *flag = on,
            None => self.state.options.other(name, on),
        }
        Ok(())
    }

    fn print_options(&mut self, long: bool) {
        let options = self.state.options;
        let mut text = String::new();
        if long {
            text.push_str("Current option settings\n");
        }
        for (_, name) in OPTIONS {
            let on = options.is_on(name);
            if long {
                let on = if on { "on" } else { "off" };
                text.push_str(&format!("{name:<16}{on}\n"));
            } else {
                let on = if on { '-' } else { '+' };
                text.push_str(&format!("set {on}o {name}\n"));
            }
        }
        self.process.out(text);
    }
}

/// The options of `shopt` that are known, with those that change something here.
const SHOPTS: [&str; 16] = [
    "extglob",
    "nullglob",
    "dotglob",
    "nocasematch",
    "expand_aliases",
    "inherit_errexit",
    "checkwinsize",
    "cmdhist",
    "histappend",
    "lithist",
    "progcomp",
    "promptvars",
    "sourcepath",
    "interactive_comments",
    "huponexit",
    "mailwarn",
];

/// `shopt`
pub(super) fn shopt(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let mut args = &words[1..];
    let (mut on, mut off, mut quiet, mut print) = (false, false, false, false);
    while let Some(option) = args.first().filter(|arg| arg.starts_with(b"-")) {
        for &letter in &option[1..] {
            match letter {
                b's' => on = true,
                b'u' => off = true,
                b'q' => quiet = true,
                b'p' => print = true,
                _ => return Err(Stop::unsupported("this option of shopt is not known").into()),
            }
        }
        args = &args[1..];
    }
    let mut status = 0;
    for name in args {
        let Some(known) = SHOPTS.into_iter().find(|known| name == known) else {
            return Err(Stop::unsupported(format!("shopt {name} is not known")).into());
        };
        let is = shell.state.shopts.contains(&known);
        let shopts = Rc::make_mut(&mut shell.state.shopts);
        if on && !is {
            shopts.push(known);
        } else if off {
            shopts.retain(|other| *other != known);
        } else if !on {
            status |= u8::from(!is);
            if !quiet {
                let text = match (print, is) {
                    (true, true) => format!("shopt -s {known}\n"),
                    (true, false) => format!("shopt -u {known}\n"),
                    (false, is) => format!("{known:<15}\t{}\n", if is { "on" } else { "off" }),
                };
                shell.process.out(text);
            }
        }
    }
    Ok(status)
}
