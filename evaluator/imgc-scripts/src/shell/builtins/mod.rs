//! The commands that a shell does itself.

mod control;
mod declare;
mod options;
mod places;
mod read;
mod traps;
mod variables;

use bstr::BString;

use super::flow::{Flow, Shell};
use crate::commands::system::{echo, printf, test, truth};
use crate::process::{Outcome, Process};

/// A builtin: given its words, the first being its name, and whether its status is
/// tested, it gives its status.
pub(super) type Run = fn(&mut Shell<'_, '_, '_>, &[BString], bool) -> Result<u8, Flow>;

/// A command that a shell does itself.
#[derive(Clone, Copy)]
pub(super) struct Builtin {
    pub(super) run: Run,
    /// Whether POSIX calls it special: assignments before it stay, its mistakes end the
    /// shell, and no function takes its name.
    pub(super) special: bool,
}

/// The builtin `name`.
pub(super) fn find(name: &[u8], bash: bool) -> Option<Builtin> {
    let special = |run| Some(Builtin { run, special: true });
    let plain = |run| {
        let special = false;
        Some(Builtin { run, special })
    };
    match name {
        b":" => special(control::colon),
        b"." => special(control::dot),
        b"break" => special(control::leave),
        b"continue" => special(control::leave),
        b"eval" => special(control::eval),
        b"exec" => special(control::exec),
        b"exit" => special(control::exit),
        b"export" | b"readonly" => special(declare::export),
        b"local" => special(declare::local),
        b"return" => special(control::ret),
        b"set" => special(options::set),
        b"shift" => special(variables::shift),
        b"times" => special(control::times),
        b"trap" => special(traps::trap),
        b"unset" => special(variables::unset),
        b"alias" => plain(variables::alias),
        b"unalias" => plain(variables::unalias),
        b"bg" | b"fg" => plain(control::no_jobs),
        b"jobs" => plain(control::jobs),
        b"cd" | b"chdir" => plain(places::cd),
        b"command" => plain(control::command),
        b"getopts" => plain(variables::getopts),
        b"hash" => plain(control::hash),
        b"read" => plain(read::read),
        b"type" => plain(control::type_of),
        b"ulimit" => plain(places::ulimit),
        b"umask" => plain(places::umask),
        b"wait" => plain(traps::wait),
        _ if !bash => None,
        b"source" => plain(control::dot),
        b"builtin" => plain(control::builtin),
        b"declare" | b"typeset" => plain(declare::declare),
        b"let" => plain(variables::assign_arithmetic),
        b"mapfile" | b"readarray" => plain(read::mapfile),
        b"shopt" => plain(options::shopt),
        b"pushd" | b"popd" | b"dirs" => plain(places::stack),
        b"enable" | b"disown" | b"caller" | b"compgen" | b"complete" | b"compopt" | b"bind"
        | b"suspend" | b"logout" | b"history" | b"fc" | b"help" => plain(control::unknown),
        _ => None,
    }
}

/// Whether the arguments of `name` are assignments, whose values are not split.
pub(super) fn declares(name: &[u8], bash: bool) -> bool {
    match name {
        b"export" | b"readonly" | b"local" => true,
        b"declare" | b"typeset" => bash,
        _ => false,
    }
}

/// What the native command `name` does as a builtin.
pub(super) fn native(name: &str, bash: bool) -> fn(&mut Process<'_, '_>) -> Outcome {
    match (name, bash) {
        ("echo", true) => echo::bash,
        ("echo", false) => echo::dash,
        ("printf", true) => printf::bash,
        ("printf", false) => printf::dash,
        ("true", _) => truth::yes,
        ("kill", _) => truth::kill,
        ("pwd", _) => truth::pwd_of_shell,
        ("false", _) => truth::no,
        (_, true) => test::bash,
        (_, false) => test::dash,
    }
}
