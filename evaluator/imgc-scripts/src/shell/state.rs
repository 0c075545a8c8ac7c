//! What a shell knows: variables, functions, options, traps. A subshell works on a copy.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString};

use super::syntax::Function;
use crate::process::Environment;

/// The state of a shell.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) variables: Rc<BTreeMap<BString, Variable>>,
    /// The environment of commands, where it is known what it is.
    environment: Option<Rc<Environment>>,
    pub(super) functions: Rc<BTreeMap<BString, Defined>>,
    pub(super) aliases: Rc<BTreeMap<BString, BString>>,
    /// `$1` and on.
    pub(super) positional: Rc<Vec<BString>>,
    pub(super) options: Options,
    /// Commands by the name of a signal, `EXIT` among them.
    pub(super) traps: Rc<BTreeMap<BString, BString>>,
    /// `$?`
    pub(super) status: u8,
    /// What each running function's `local` will restore.
    pub(super) scopes: Vec<Vec<(BString, Option<Variable>)>>,
    /// How many loops of this function are being run.
    pub(super) loops: usize,
    /// How many files are being read by `.`.
    pub(super) sourced: usize,
    /// The status of the last command substitution of this command.
    pub(super) substituted: Option<u8>,
    /// The statuses of the last pipeline, for bash's `PIPESTATUS`.
    pub(super) pipe: Vec<u8>,
    /// `$!`
    pub(super) background: Option<u32>,
    /// What background commands ended with, for `wait`.
    pub(super) jobs: Vec<(u32, u8)>,
    /// Where `getopts` is in an argument.
    pub(super) option_at: usize,
    /// Whether debconf's functions are defined.
    pub(super) debconf: bool,
    /// How many subshells this one is within.
    pub(super) subshells: usize,
    /// Whether `bash` has been told to match patterns as `@(a|b)`, and other `shopt`s.
    pub(super) shopts: Rc<Vec<&'static str>>,
}

/// A function, and the file that it comes from.
#[derive(Debug, Clone)]
pub(super) struct Defined {
    pub(super) function: Rc<Function>,
    pub(super) source: Source,
}

/// Where commands come from, to tell people their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The script itself.
    Script,
    /// A file that `.` reads.
    File(Rc<str>),
    /// Text that a command made: its place is that command's.
    Text,
}

/// A variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Variable {
    /// None: declared, and not set.
    pub(super) value: Option<Held>,
    pub(super) exported: bool,
    pub(super) readonly: bool,
    /// `declare -i`
    pub(super) integer: bool,
}

/// A variable's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    Text(BString),
    Array(BTreeMap<i64, BString>),
    Map(BTreeMap<BString, BString>),
}

impl Held {
    /// The value without an index: that of element 0.
    pub(super) fn text(&self) -> Option<&BString> {
        match self {
            Self::Text(text) => Some(text),
            Self::Array(values) => values.get(&0),
            Self::Map(values) => values.get(BStr::new("0")),
        }
    }

    /// All elements, in order.
    pub(super) fn elements(&self) -> Vec<BString> {
        match self {
            Self::Text(text) => vec![text.clone()],
            Self::Array(values) => values.values().cloned().collect(),
            Self::Map(values) => values.values().cloned().collect(),
        }
    }
}

/// The options of `set`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) errexit: bool,
    pub(super) nounset: bool,
    pub(super) xtrace: bool,
    pub(super) noglob: bool,
    pub(super) noclobber: bool,
    pub(super) allexport: bool,
    pub(super) noexec: bool,
    pub(super) verbose: bool,
    pub(super) pipefail: bool,
    /// Options that change nothing here: `b`, `h`, `m`, `V`, `E`, `i`, `B`, `P`, `p`.
    pub(super) others: u32,
}

/// Letters and long names of options.
pub(super) const OPTIONS: [(u8, &str); 18] = [
    (b'e', "errexit"),
    (b'f', "noglob"),
    (b'I', "ignoreeof"),
    (b'i', "interactive"),
    (b'm', "monitor"),
    (b'n', "noexec"),
    (b's', "stdin"),
    (b'x', "xtrace"),
    (b'v', "verbose"),
    (b'C', "noclobber"),
    (b'a', "allexport"),
    (b'b', "notify"),
    (b'u', "nounset"),
    (0, "pipefail"),
    (b'h', "hashall"),
    (b'E', "errtrace"),
    (b'B', "braceexpand"),
    (0, "posix"),
];

impl Options {
    /// The flag of the option `name`, if it has an effect.
    pub(super) fn flag(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "errexit" => &mut self.errexit,
            "nounset" => &mut self.nounset,
            "xtrace" => &mut self.xtrace,
            "noglob" => &mut self.noglob,
            "noclobber" => &mut self.noclobber,
            "allexport" => &mut self.allexport,
            "noexec" => &mut self.noexec,
            "verbose" => &mut self.verbose,
            "pipefail" => &mut self.pipefail,
            _ => return None,
        })
    }

    /// Sets an option that has no effect.
    pub(super) fn other(&mut self, name: &str, on: bool) {
        if let Some(at) = OPTIONS.iter().position(|(_, other)| *other == name) {
            self.others = self.others & !(1 << at) | u32::from(on) << at;
        }
    }

    /// Whether the option `name` is on.
    pub(super) fn is_on(mut self, name: &str) -> bool {
        if let Some(flag) = self.flag(name) {
            return *flag;
        }
        let at = OPTIONS.iter().position(|(_, other)| *other == name);
        at.is_some_and(|at| self.others >> at & 1 == 1)
    }

    /// `$-`, in the order of dash or bash.
    pub(super) fn letters(self, bash: bool) -> BString {
        let order: &[u8] = match bash {
            true => b"abefhimnuvxBCEs",
            false => b"ubaCvxsnmiIfe",
        };
        let is_on = |letter: &&u8| {
            let mut known = OPTIONS.iter().filter(|(other, _)| other == *letter);
            known.any(|(_, name)| self.is_on(name))
        };
        let letters = order.iter().filter(is_on);
        letters.copied().collect::<Vec<u8>>().into()
    }
}

impl State {
    /// The variable `name`.
    pub(super) fn variable(&self, name: &[u8]) -> Option<&Variable> {
        self.variables.get(BStr::new(name))
    }

    /// The value of `name` without an index.
    pub(super) fn value(&self, name: &[u8]) -> Option<&BString> {
        self.variable(name)?.value.as_ref()?.text()
    }

    /// The variable `name`, made if it is not there.
    pub(super) fn entry(&mut self, name: &[u8]) -> &mut Variable {
        // Whoever asks may change what commands see.
        self.environment = None;
        let variables = Rc::make_mut(&mut self.variables);
        variables.entry(name.into()).or_default()
    }

    /// Changes the variable `name`, made if it is not there.
    pub(super) fn change(&mut self, name: &[u8], change: impl FnOnce(&mut Variable)) {
        let variables = Rc::make_mut(&mut self.variables);
        let variable = match variables.get_mut(BStr::new(name)) {
            Some(variable) => variable,
            None => variables.entry(name.into()).or_default(),
        };
        let before = variable.exported;
        change(variable);
        if before || variable.exported {
            self.environment = None;
        }
    }

    /// Sets a variable whatever it is, as the shell itself does.
    pub(super) fn set(&mut self, name: &str, value: impl Into<BString>) {
        self.entry(name.as_bytes()).value = Some(Held::Text(value.into()));
    }

    /// Puts the variable `name` back as it was.
    pub(super) fn restore(&mut self, name: BString, variable: Option<Variable>) {
        let variables = Rc::make_mut(&mut self.variables);
        let after = variable.as_ref().is_some_and(|variable| variable.exported);
        let before = match variable {
            Some(variable) => variables.insert(name, variable),
            None => variables.remove(&name),
        };
        if after || before.is_some_and(|variable| variable.exported) {
            self.environment = None;
        }
    }

    /// The characters at which fields are split.
    pub(super) fn separators(&self) -> BString {
        match self.variable(b"IFS") {
            Some(variable) => match &variable.value {
                Some(held) => held.text().cloned().unwrap_or_default(),
                None => " \t\n".into(),
            },
            None => " \t\n".into(),
        }
    }

    /// What joins `$*`.
    pub(super) fn joint(&self) -> Vec<u8> {
        self.separators()
            .first()
            .map_or_else(Vec::new, |&b| vec![b])
    }

    /// The environment of commands.
    pub(super) fn environment(&mut self) -> Rc<Environment> {
        let variables = &self.variables;
        let known = self.environment.get_or_insert_with(|| {
            let exported = variables.iter().filter(|(_, variable)| variable.exported);
            let exported = exported.filter_map(|(name, variable)| match &variable.value {
                Some(Held::Text(value)) => Some((name.clone(), value.clone())),
                _ => None,
            });
            Rc::new(exported.collect())
        });
        Rc::clone(known)
    }
}
