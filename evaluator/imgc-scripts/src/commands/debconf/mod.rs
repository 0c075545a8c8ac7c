//! debconf: templates, questions, answers; what scripts ask of it, and its programs.
//!
//! A script that sources `/usr/share/debconf/confmodule` is started anew by debconf's
//! frontend, after the templates and the `config` script of its package: that is
//! [`enter`]. From then on [`call`] answers the script's `db_…` commands. Nobody is
//! asked: each question gets its default.

mod database;
mod frontend;
mod session;
mod store;
mod template;
mod tools;

use bstr::{BString, ByteSlice as _};

use super::Native;
use crate::machine::Machine;
use crate::process::{Process, Status};
use crate::stop::Stop;

pub(crate) use database::Database;
pub(crate) use frontend::enter;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[frontend::NATIVES, tools::NATIVES];

/// Writes the database to `/var/cache/debconf`.
pub(crate) fn write(machine: &mut Machine<'_>) -> Result<(), Stop> {
    database::save(machine);
    machine.files.fault.take().map_or(Ok(()), Err)
}

/// A command of a script to the frontend that runs it, as confmodule's functions send
/// it: `GET` or `db_get`, and its arguments. Gives what the function returns, and what it
/// leaves in `RET`.
///
/// # Errors
/// A [`Stop`] where no frontend runs, and for commands that are not known.
pub(crate) fn call(
    process: &mut Process<'_, '_>,
    args: &[BString],
) -> Result<(Status, BString), Stop> {
    let Some(mut session) = process.machine.debconf.session.take() else {
        return Err(Stop::unsupported("debconf's frontend does not run"));
    };
    let line = bstr::join(" ", args);
    let line = line.strip_prefix(b"db_").unwrap_or(&line);
    let done = frontend::say(process, &mut session, line);
    let answer = session.answers.pop_front();
    let (stopped, last) = (session.stopped, session.last.clone());
    process.machine.debconf.session = Some(session);
    done?;
    let Some(answer) = answer else {
        return if stopped {
            // There is no answer to STOP, and `RET` stays as it is.
            Ok((Status::OK, last))
        } else {
            Err(Stop::unsupported("debconf gives no answer"))
        };
    };
    let (status, text) = split(&answer);
    if let Some(session) = &mut process.machine.debconf.session {
        session.last = text.clone();
    }
    Ok((status, text))
}

/// What confmodule's functions return for an answer, and what they leave in `RET`.
fn split(answer: &BString) -> (Status, BString) {
    let (code, text) = answer.split_at(answer.find_byte(b' ').unwrap_or(answer.len()));
    let code = code.to_str_lossy().parse().unwrap_or(20);
    // The functions take one digit and a space off, and no more.
    let text = if (code, text.is_empty()) == (code % 10, false) {
        &text[1..]
    } else {
        answer
    };
    if code == 1 {
        let mut text = session::unescape(text);
        let end = text.trim_end_with(|c| c == '\n').len();
        text.truncate(end);
        return (Status::OK, text);
    }
    (Status(code), text.into())
}
