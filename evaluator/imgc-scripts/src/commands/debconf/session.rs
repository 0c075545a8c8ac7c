//! The protocol that scripts talk to debconf (`debconf-devel(7)`), as its frontend
//! without a person answers it.

use std::collections::{BTreeMap, VecDeque};

use bstr::{BString, ByteSlice as _};

use super::database::Database;

/// A frontend, with the script that it runs.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The package that owns what is made.
    pub(super) owner: BString,
    /// Whether the script asked for escaped answers.
    escape: bool,
    /// The questions that the next GO asks, and whether each counts as seen then.
    asked: Vec<(BString, bool)>,
    /// The questions that count as seen when the script has ended.
    seen: Vec<BString>,
    /// The priorities that questions were last asked with.
    priorities: BTreeMap<BString, BString>,
    /// Answers that the script has not read.
    pub(super) answers: VecDeque<BString>,
    /// What the last answer left in `RET`.
    pub(super) last: BString,
    /// Whether the script has said that it is done.
    pub(super) stopped: bool,
    /// Whether there is a program that sends errors to root.
    pub(super) mail: bool,
}

/// What is to be done about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// This is to be said.
    Say(BString),
    /// The script is done with debconf.
    Stop,
    /// A file of templates is to be loaded, for this owner.
    Load(BString, BString),
}

impl Session {
    pub(super) fn new(owner: &[u8]) -> Self {
        Self {
            owner: owner.into(),
            ..Self::default()
        }
    }

    /// The script has ended: what it asked counts as seen.
    pub(super) fn finish(&self, database: &mut Database) {
        for question in &self.seen {
            if database.question(question).is_some() {
                database.set_flag(question, b"seen", b"true");
            }
        }
    }

    /// Answers one line of a script.
    ///
    /// # Errors
    /// A command that exists and is not known here, as a sentence without a full stop.
    pub(super) fn line(&mut self, database: &mut Database, line: &[u8]) -> Result<Reply, String> {
        let words = if self.escape {
            split_escaped(line)
        } else {
            let words = line.split(|b| is_space(*b)).filter(|word| !word.is_empty());
            words.map(BString::from).collect()
        };
        let Some((command, params)) = words.split_first() else {
            let text = format!(
                "20 Bad line \"{}\" received from confmodule.",
                line.as_bstr()
            );
            return Ok(Reply::Say(text.into()));
        };
        let command = command.to_ascii_lowercase();
        if command == b"stop" {
            return Ok(Reply::Stop);
        }
        if let (b"x_loadtemplatefile", [file, owner @ ..]) = (&command[..], params)
            && owner.len() < 2
        {
            let owner = owner.first().unwrap_or(&self.owner).clone();
            return Ok(Reply::Load(file.clone(), owner));
        }
        let params: Vec<&[u8]> = params.iter().map(|param| &***param).collect();
        let (code, text) = self.command(database, line, &command, &params)?;
        let mut answer = BString::from(code.to_string());
        if let Some(text) = text {
            answer.push(b' ');
            answer.extend_from_slice(text.split(|&b| b == b'\n').next().unwrap_or_default());
        }
        Ok(Reply::Say(answer))
    }

    /// One command: its code, and its text, which may be empty.
    fn command(
        &mut self,
        database: &mut Database,
        line: &[u8],
        command: &[u8],
        params: &[&[u8]],
    ) -> Result<(u8, Option<BString>), String> {
        let counts = match command {
            b"input" | b"register" | b"metaget" | b"fget" | b"visible" => 2..=2,
            b"settitle" | b"get" | b"reset" | b"unregister" | b"exist" => 1..=1,
            b"clear" | b"go" | b"purge" => 0..=0,
            b"version" | b"info" => 0..=1,
            b"set" | b"progress" => 1..=usize::MAX,
            b"subst" => 2..=usize::MAX,
            b"fset" | b"data" => 3..=usize::MAX,
            b"x_loadtemplatefile" => 1..=2,
            _ => 0..=usize::MAX,
        };
        if !counts.contains(&params.len()) {
            return Ok(text(20, "Incorrect number of arguments"));
        }
        // Most commands name a question first.
        let question = match command {
            b"input" | b"visible" => params[1],
            b"get" | b"set" | b"reset" | b"subst" | b"unregister" | b"metaget" | b"fget"
            | b"fset" | b"settitle" | b"register" => params[0],
            b"info" if params.len() == 1 => params[0],
            _ => b"",
        };
        if !question.is_empty() && database.question(question).is_none() {
            let name = question.as_bstr();
            return Ok(match command {
                b"input" | b"settitle" | b"info" => text(10, format!("\"{name}\" doesn't exist")),
                b"register" => text(10, format!("No such template, \"{name}\"")),
                _ => text(10, format!("{name} doesn't exist")),
            });
        }
        let joined = |from: usize| BString::from(bstr::join(" ", &params[from..]));
        Ok(match command {
            b"version" => version(params.first().copied()),
            b"capb" => {
                self.escape = params.contains(&&b"escape"[..]);
                text(0, "multiselect escape ")
            }
            b"title" | b"settitle" | b"beginblock" | b"endblock" | b"info" => (0, None),
            b"input" => return self.input(database, params[0], question),
            b"clear" => {
                self.asked.clear();
                (0, None)
            }
            b"go" => {
                for (question, seen) in std::mem::take(&mut self.asked) {
                    if self.mail && database.kind(&question) == "error" {
                        return Err(format!("debconf would mail {question} to root"));
                    }
                    let value = shown(database, &question);
                    database.set_value(&question, value);
                    if seen {
                        self.seen.push(question);
                    }
                }
                text(0, "ok")
            }
            b"get" => self.value(database.value(question)),
            b"set" => {
                database.set_value(question, joined(1));
                text(0, "value set")
            }
            b"reset" => {
                let default = database.field(question, b"default");
                database.set_value(question, default);
                database.set_flag(question, b"seen", b"false");
                (0, None)
            }
            b"subst" => {
                if let Some(item) = database.question_mut(question) {
                    item.variables.insert(params[1].into(), joined(2));
                }
                (0, None)
            }
            b"register" => {
                database.register(question, params[1], &self.owner);
                (0, None)
            }
            b"unregister" if self.asked.iter().any(|(asked, _)| asked == question) => {
                let name = question.as_bstr();
                text(10, format!("{name} is busy, cannot unregister right now"))
            }
            b"unregister" => {
                database.remove_owner(question, &self.owner);
                (0, None)
            }
            b"purge" => {
                for question in database.questions() {
                    database.remove_owner(&question, &self.owner);
                }
                (0, None)
            }
            b"metaget" => self.metaget(database, question, params[1]),
            b"fget" => text(0, database.flag(question, params[1])),
            b"fset" => {
                database.set_flag(question, params[1], &joined(2));
                text(0, database.flag(question, params[1]))
            }
            b"exist" => {
                let there = database.question(params[0]).is_some();
                text(0, if there { "true" } else { "false" })
            }
            b"progress" => progress(database, params),
            b"data" | b"visible" => {
                let name = command.to_str_lossy().to_uppercase();
                return Err(format!("debconf's command {name} is not known"));
            }
            _ => text(
                20,
                format!(
                    "Unsupported command \"{}\" (full line was \"{}\") received from confmodule.",
                    command.as_bstr(),
                    line.as_bstr()
                ),
            ),
        })
    }

    /// INPUT: nobody is asked.
    fn input(
        &mut self,
        database: &Database,
        priority: &[u8],
        question: &[u8],
    ) -> Result<(u8, Option<BString>), String> {
        if !matches!(priority, b"low" | b"medium" | b"high" | b"critical") {
            let priority = priority.as_bstr();
            return Ok(text(20, format!("\"{priority}\" is not a valid priority")));
        }
        let kind = database.kind(question);
        if !matches!(
            kind.as_slice(),
            b"" | b"boolean"
                | b"error"
                | b"multiselect"
                | b"note"
                | b"password"
                | b"progress"
                | b"select"
                | b"string"
                | b"text"
        ) {
            return Err(format!("debconf can't ask a question of the type {kind}"));
        }
        self.priorities.insert(question.into(), priority.into());
        // As with DEBCONF_NONINTERACTIVE_SEEN: what would have been shown to somebody
        // counts as seen.
        let shown =
            matches!(priority, b"high" | b"critical") && database.flag(question, b"seen") != "true";
        let seen = kind == "error" || shown;
        match self.asked.iter_mut().find(|(asked, _)| asked == question) {
            Some(asked) => asked.1 |= seen,
            None => self.asked.push((question.into(), seen)),
        }
        Ok(text(30, "question skipped"))
    }

    fn value(&self, value: BString) -> (u8, Option<BString>) {
        if self.escape {
            let value = value.replace("\\", "\\\\").replace("\n", "\\n");
            return (1, Some(value.into()));
        }
        (0, Some(value))
    }

    fn metaget(&self, database: &Database, question: &[u8], field: &[u8]) -> (u8, Option<BString>) {
        let field = field.to_ascii_lowercase();
        let item = database.question(question);
        let value = match field.as_slice() {
            b"value" => database.value(question),
            b"name" => question.into(),
            b"owners" => {
                let owners = item.into_iter().flat_map(|item| &item.owners);
                bstr::join(", ", owners).into()
            }
            b"priority" if self.priorities.contains_key(question.as_bstr()) => {
                self.priorities[question.as_bstr()].clone()
            }
            b"priority" | b"" => {
                return text(10, format!("{} does not exist", field.as_bstr()));
            }
            field => {
                let value = database.field(question, field);
                let names = ["description", "extended_description", "choices"];
                let base = field.split(|&b| b == b'-').next().unwrap_or_default();
                if names.iter().any(|name| name.as_bytes() == base) {
                    database.expand(question, &value)
                } else {
                    value
                }
            }
        };
        self.value(value)
    }
}

/// The value that a question gets when GO comes to it.
fn shown(database: &Database, question: &[u8]) -> BString {
    let value = database.value(question);
    match database.kind(question).as_slice() {
        b"error" | b"text" => BString::default(),
        b"select" => {
            let choices = database.choices(question);
            if choices.contains(&value) {
                value
            } else {
                choices.into_iter().next().unwrap_or_default()
            }
        }
        _ => value,
    }
}

fn version(wanted: Option<&[u8]>) -> (u8, Option<BString>) {
    let Some(wanted) = wanted else {
        return text(0, "2.0");
    };
    let digits = wanted.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = wanted[..digits].to_str_lossy().parse().unwrap_or(0_u64);
    let shown = wanted.as_bstr();
    match number.cmp(&2) {
        std::cmp::Ordering::Less => text(30, format!("Version too low ({shown})")),
        std::cmp::Ordering::Greater => text(30, format!("Version too high ({shown})")),
        std::cmp::Ordering::Equal => text(0, "2.0"),
    }
}

fn progress(database: &Database, params: &[&[u8]]) -> (u8, Option<BString>) {
    let (question, count) = match params[0].to_ascii_lowercase().as_slice() {
        b"start" => (params.get(3), 4),
        b"info" => (params.get(1), 2),
        b"set" | b"step" => (None, 2),
        b"stop" => (None, 1),
        _ => return text(20, "Unknown subcommand"),
    };
    if params.len() != count {
        return text(20, "Incorrect number of arguments");
    }
    match question {
        Some(name) if database.question(name).is_none() => {
            text(10, format!("{} doesn't exist", name.as_bstr()))
        }
        _ => text(0, "OK"),
    }
}

fn text(code: u8, text: impl Into<BString>) -> (u8, Option<BString>) {
    (code, Some(text.into()))
}

/// Splits at white space; `\n` is a newline, a backslash keeps what follows.
fn split_escaped(line: &[u8]) -> Vec<BString> {
    let mut words = Vec::new();
    let mut word = BString::default();
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => word.push(b'\n'),
                Some(other) => word.push(other),
                None => word.push(b'\\'),
            },
            byte if is_space(byte) => {
                while bytes.peek().copied().is_some_and(is_space) {
                    bytes.next();
                }
                words.push(std::mem::take(&mut word));
            }
            byte => word.push(byte),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Undoes the escaping of an answer.
pub(super) fn unescape(text: &[u8]) -> BString {
    let mut out = BString::default();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => out.push(b'\n'),
                Some(b'\n') => out.extend_from_slice(b"\\\n"),
                Some(other) => out.push(other),
                None => out.push(b'\\'),
            },
            byte => out.push(byte),
        }
    }
    out
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    const TEMPLATES: &str = "Template: foo/list\nType: select\nChoices: one, two\n\
        Default: two\nDescription: A ${var} list\n\nTemplate: foo/note\nType: note\n\
        Description: N\n\nTemplate: foo/secret\nType: password\nDescription: S\n";

    /// What a client hears that says these lines.
    fn talk(lines: &str) -> String {
        let mut machine = machine();
        machine.put("/t", TEMPLATES, 0o644);
        let lines = format!("X_LOADTEMPLATEFILE /t\n{lines}");
        let ran = machine
            .run_with(&["debconf-communicate", "foo"], &lines)
            .expect("no stop");
        ran.out
    }

    #[test]
    fn asks_nobody() {
        let out = talk("INPUT high foo/list\nGO\nGET foo/list\nINPUT low foo/none\nGET x\n");
        let expected = "0\n30 question skipped\n0 ok\n0 two\n10 \"foo/none\" doesn't exist\n\
            10 x doesn't exist\n";
        assert_eq!(out, expected);
    }

    #[test]
    fn escapes_where_that_is_asked_for() {
        let out = talk("CAPB escape\nSET foo/note a\\nb\nGET foo/note\nVERSION 3\n");
        assert_eq!(
            out,
            "0\n0 multiselect escape \n0 value set\n1 a\\nb\n30 Version too high (3)\n"
        );
    }

    #[test]
    fn knows_flags_variables_and_fields() {
        let out = talk(
            "SUBST foo/list var my own\nMETAGET foo/list description\nFSET foo/list seen true\n\
            FGET foo/list seen\nRESET foo/list\nFGET foo/list seen\nMETAGET foo/list owners\n",
        );
        assert_eq!(
            out,
            "0\n0\n0 A my own list\n0 true\n0 true\n0\n0 false\n0 foo\n"
        );
    }

    #[test]
    fn the_files_are_debconfs() {
        let mut machine = machine();
        machine.put("/t", TEMPLATES, 0o644);
        let lines = "X_LOADTEMPLATEFILE /t\nINPUT high foo/note\nINPUT high foo/list\nGO\n\
            SET foo/secret x\n";
        machine
            .run_with(&["debconf-communicate", "foo"], lines)
            .expect("no stop");
        let config = "Name: foo/list\nTemplate: foo/list\nValue: two\nOwners: foo\n\n\
            Name: foo/note\nTemplate: foo/note\nValue: \nOwners: foo\n\n";
        assert_eq!(machine.text("/var/cache/debconf/config.dat"), config);
        let passwords = "Name: foo/secret\nTemplate: foo/secret\nValue: x\nOwners: foo\n\n";
        assert_eq!(machine.text("/var/cache/debconf/passwords.dat"), passwords);
        let stat = machine
            .files
            .stat(b"/var/cache/debconf/passwords.dat", true);
        assert_eq!(stat.expect("a file").mode, 0o600);
    }
}
