//! debconf's programs: `debconf-set-selections`, `debconf-communicate`, `debconf-show`,
//! `debconf-escape`, `debconf-loadtemplate`, `debconf`.

use bstr::{BString, ByteSlice as _};

use super::database::{self, Database};
use super::frontend;
use super::session::{self, Session};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    native("debconf-set-selections", set_selections),
    native("debconf-communicate", communicate),
    native("debconf-show", show),
    native("debconf-escape", escape),
    native("debconf-loadtemplate", load_template),
];

const fn native(name: &'static str, run: fn(&mut Process<'_, '_>) -> Outcome) -> Native {
    Native {
        name,
        origin: Origin::Essential,
        run,
    }
}

/// The database, unless a frontend holds it.
fn open(process: &mut Process<'_, '_>) -> Result<(), Status> {
    if process.machine.debconf.session.is_some() {
        process.complain("config.dat is locked by another process");
        return Err(Status::FAILED);
    }
    database::load(process.machine);
    Ok(())
}

fn unknown(option: &BString) -> Stop {
    Stop::unsupported(format!("the option {option} is not known"))
}

/// `debconf-set-selections [-u] [-v] [-c] [FILE…]`
fn set_selections(process: &mut Process<'_, '_>) -> Outcome {
    let (mut unseen, mut check) = (false, false);
    let mut names = Vec::new();
    for arg in process.args.split_off(1) {
        match arg.as_slice() {
            b"-v" | b"--verbose" => {}
            b"-c" | b"--checkonly" => check = true,
            b"-u" | b"--unseen" => unseen = true,
            b"-" => names.push(arg),
            other if other.starts_with(b"-") => return Err(unknown(&arg)),
            _ => names.push(arg),
        }
    }
    if let Err(status) = open(process) {
        return Ok(status);
    }
    if names.is_empty() {
        names.push("-".into());
    }
    let mut text = Vec::new();
    let mut failed = false;
    for name in names {
        match process.input(&name) {
            Ok(bytes) => text.extend_from_slice(&bytes),
            Err(error) => process.complain(format_args!("Can't open {name}: {error}")),
        }
    }
    process.machine.spend(text.len() as u64 / 64)?;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.to_vec();
        while line.ends_with(b"\\")
            && let Some(more) = lines.next()
        {
            line.pop();
            line.extend_from_slice(more);
        }
        let text = line.trim_ascii_start();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        if let Err(error) = select(&mut process.machine.debconf, text, unseen, check) {
            process.complain(format_args!("error: {error}"));
            failed = true;
        }
    }
    if !check {
        database::save(process.machine);
    }
    Ok(Status(u8::from(failed)))
}

/// One line: `OWNER QUESTION TYPE VALUE`, or a flag in the type's place.
fn select(database: &mut Database, line: &[u8], unseen: bool, check: bool) -> Result<(), String> {
    let mut rest = line;
    let mut word = || {
        let start = rest.find_not_byteset(" \t\r\x0b\x0c").unwrap_or(rest.len());
        rest = &rest[start..];
        let end = rest.find_byteset(" \t\r\x0b\x0c").unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        word
    };
    let (owner, question, kind) = (word(), word(), word());
    if kind.is_empty() {
        return Err(format!("parse error: '{}'", line.as_bstr()));
    }
    let value = rest.get(1..).unwrap_or_default();
    if kind == b"seen" {
        if database.question(question).is_none() {
            return Err(format!("Cannot find a question for {}", question.as_bstr()));
        }
        database.set_flag(question, kind, value);
        return Ok(());
    }
    let kinds: [&[u8]; 8] = [
        b"select",
        b"boolean",
        b"string",
        b"multiselect",
        b"note",
        b"password",
        b"text",
        b"title",
    ];
    if !kinds.contains(&kind) || check {
        // A warning, and on to the next line.
        return Ok(());
    }
    if database.templates.get(question).is_none() {
        database.new_template(question, owner, kind);
        if let Some(item) = database.templates.get_mut(question) {
            item.fields
                .insert("description".into(), "Dummy template".into());
            item.fields
                .insert("extended_description".into(), DUMMY.into());
        }
    }
    if let Some(item) = database.templates.get_mut(question) {
        item.fields.insert("type".into(), kind.into());
    }
    if database.question(question).is_none() {
        return Err(format!("Cannot find a question for {}", question.as_bstr()));
    }
    database.add_owner(question, owner, kind);
    database.set_value(question, value.into());
    if !unseen {
        database.set_flag(question, b"seen", b"true");
    }
    Ok(())
}

/// What debconf writes to a template that it only has an answer for.
const DUMMY: &str = "This is a fake template used to pre-seed the debconf database. \
    If you are seeing this, something is probably wrong.";

/// `debconf-communicate [PACKAGE]`: the protocol on standard input and output.
fn communicate(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.split_off(1);
    if let Some(option) = args.iter().find(|arg| arg.starts_with(b"-")) {
        return Err(unknown(option));
    }
    if let Err(status) = open(process) {
        return Ok(status);
    }
    let owner = args.first().map_or(&b"unknown"[..], |arg| arg);
    let mut session = Session::new(owner);
    let mut code = 127;
    let input = process.stdin();
    for line in input.lines() {
        frontend::say(process, &mut session, line)?;
        while let Some(answer) = session.answers.pop_front() {
            let first = answer
                .split(|&b| b == b' ')
                .next()
                .unwrap_or_default()
                .to_str_lossy();
            code = first.parse().unwrap_or(0);
            process.out([answer.as_slice(), b"\n"].concat());
        }
        if session.stopped {
            process.out("\n");
            code = 0;
            session.stopped = false;
        }
    }
    database::save(process.machine);
    Ok(Status(code))
}

/// `debconf-show PACKAGE…`, `debconf-show --listowners`. The order of the real program is
/// that of a hash; here it is sorted.
fn show(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.split_off(1);
    let owners = args.iter().any(|arg| arg == "--listowners");
    if let Some(option) = args
        .iter()
        .find(|arg| arg.starts_with(b"-") && *arg != "--listowners")
    {
        return Err(unknown(option));
    }
    if args.is_empty() {
        return Ok(Status::FAILED);
    }
    // It only reads, which a frontend allows.
    database::load(process.machine);
    let database = &process.machine.debconf;
    let mut out = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for name in database.questions() {
        let Some(item) = database.question(&name) else {
            continue;
        };
        if owners {
            for owner in item
                .owners
                .iter()
                .filter(|owner| seen.insert(BString::clone(owner)))
            {
                out.extend_from_slice(owner);
                out.push(b'\n');
            }
            continue;
        }
        for _ in args.iter().filter(|package| item.owners.contains(*package)) {
            let star = if database.flag(&name, b"seen") == "true" {
                "* "
            } else {
                "  "
            };
            let value = database.value(&name);
            out.extend_from_slice(&[star.as_bytes(), &name, b":"].concat());
            if database.kind(&name) == "password" {
                out.extend_from_slice(b" (password omitted)");
            } else if !value.is_empty() {
                out.extend_from_slice(&[b" ", value.as_slice()].concat());
            }
            out.push(b'\n');
        }
    }
    process.out(out);
    Ok(Status::OK)
}

/// `debconf-escape -e|-u`
fn escape(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.split_off(1);
    let text = process.stdin();
    let text = match args.first().map(|arg| arg.as_slice()) {
        Some(b"-e" | b"--escape") => text.replace("\\", "\\\\").replace("\n", "\\n"),
        Some(b"-u" | b"--unescape") => session::unescape(&text).into(),
        _ => return Ok(Status::FAILED),
    };
    process.out(text);
    Ok(Status::OK)
}

/// `debconf-loadtemplate OWNER FILE…`
fn load_template(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.split_off(1);
    let Some((owner, files)) = args.split_first() else {
        return Ok(Status::FAILED);
    };
    if owner.starts_with(b"-") {
        return Err(unknown(owner));
    }
    if let Err(status) = open(process) {
        return Ok(status);
    }
    for file in files {
        let loaded = match process.input(file) {
            Ok(bytes) => process.machine.debconf.load_templates(&bytes, owner),
            Err(error) => Err(format!("{file}: {error}")),
        };
        if let Err(error) = loaded {
            process.complain(error);
            return Ok(Status(255));
        }
    }
    database::save(process.machine);
    Ok(Status::OK)
}
