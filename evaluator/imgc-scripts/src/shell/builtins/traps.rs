//! `trap` and `wait`.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::super::escapes::quote;
use super::super::flow::{Flow, Shell};
use super::control::operands;
use crate::stop::Stop;

/// Signals by their numbers, `EXIT` being 0.
const SIGNALS: [&str; 32] = [
    "EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
    "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The name of the signal that a word says.
fn signal(word: &BString, bash: bool) -> Option<&'static str> {
    let text = word.to_str().ok()?;
    if let Ok(number) = text.parse::<usize>() {
        return SIGNALS.get(number).copied();
    }
    let upper = text.to_ascii_uppercase();
    let name = match bash {
        true => upper.strip_prefix("SIG").unwrap_or(&upper),
        false => &upper,
    };
    let extra = ["ERR", "DEBUG", "RETURN"].into_iter().filter(|_| bash);
    SIGNALS
        .into_iter()
        .chain(extra)
        .find(|known| *known == name)
}

/// `trap`
pub(super) fn trap(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let args = operands(words);
    let Some((action, mut signals)) = args.split_first() else {
        let mut text = BString::default();
        for (name, action) in shell.state.traps.iter() {
            text.extend_from_slice(b"trap -- ");
            text.extend_from_slice(&quote(action));
            text.push(b' ');
            if shell.bash && name != "EXIT" {
                text.extend_from_slice(b"SIG");
            }
            text.extend_from_slice(name);
            text.push(b'\n');
        }
        shell.process.out(&text);
        return Ok(0);
    };
    let mut action = Some(action.clone());
    let number = action
        .as_ref()
        .is_some_and(|action| !action.is_empty() && action.iter().all(u8::is_ascii_digit));
    if signals.is_empty() || number {
        // Only signals: each gets back what it did.
        signals = args;
        action = None;
    }
    let mut status = 0;
    for word in signals {
        let Some(name) = signal(word, shell.bash) else {
            shell.complain(&format!("trap: {word}: bad trap"));
            status = 1;
            continue;
        };
        if matches!(name, "DEBUG" | "RETURN") && action.as_ref().is_some_and(|a| a != "-") {
            return Err(Stop::unsupported(format!("a trap on {name} is not known")).into());
        }
        let traps = Rc::make_mut(&mut shell.state.traps);
        match &action {
            Some(action) if action != "-" => {
                traps.insert(name.into(), action.clone());
            }
            _ => {
                traps.remove(name.as_bytes().as_bstr());
            }
        }
    }
    Ok(status)
}

/// `wait`: what runs in the background has ended already.
pub(super) fn wait(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let mut status = 0;
    for word in operands(words) {
        if word.starts_with(b"-") {
            return Err(Stop::unsupported(format!("wait {word} is not known")).into());
        }
        let text = word.to_str_lossy();
        let known = match text.strip_prefix('%') {
            Some(job) => {
                let at = job.parse::<usize>().unwrap_or(0).checked_sub(1);
                at.and_then(|at| shell.state.jobs.get(at))
            }
            None => {
                let pid = text.parse::<u32>().ok();
                shell.state.jobs.iter().find(|(job, _)| Some(*job) == pid)
            }
        };
        status = known.map_or(127, |(_, status)| *status);
    }
    Ok(status)
}
