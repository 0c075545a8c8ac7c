//! Expands words: to fields, to one text, to a pattern.

use bstr::{BString, ByteSlice as _};

use super::fields::Fields;
use super::flow::{Flow, Shell};
use super::pattern::{self, Mark};
use super::syntax::{Name, Part, Word};
use crate::stop::{Stop, Why};

/// The values of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    One(BString),
    /// `$@`, and with `true` `$*`: to be joined in quotes.
    Many(Vec<BString>, bool),
}

/// What decides how a part of a word is taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// In double quotes.
    pub(super) quoted: bool,
    /// In a word of `${x-…}`: even its text is split.
    pub(super) inner: bool,
    /// The value of an assignment, where tildes are behind colons too.
    pub(super) value: bool,
}

impl Shell<'_, '_, '_> {
    /// The fields of a command's words.
    pub(super) fn fields(&mut self, words: &[Word]) -> Result<Vec<BString>, Flow> {
        let mut out = Vec::with_capacity(words.len());
        for word in words {
            self.fields_of(word, &mut out)?;
        }
        Ok(out)
    }

    /// The fields of one word, added to `out`.
    pub(super) fn fields_of(&mut self, word: &Word, out: &mut Vec<BString>) -> Result<(), Flow> {
        if let [Part::Literal(text)] = word.as_slice() {
            let special = |b: &u8| matches!(b, b'*' | b'?' | b'[' | b'{' | b'(');
            if !text.iter().any(special) {
                out.push(text.clone());
                return Ok(());
            }
        }
        if self.bash
            && let Some(words) = super::braces::expand(word)?
        {
            for word in &words {
                self.plain_fields(word, out)?;
            }
            return Ok(());
        }
        self.plain_fields(word, out)
    }

    fn plain_fields(&mut self, word: &[Part], out: &mut Vec<BString>) -> Result<(), Flow> {
        let mut fields = Fields::split(self.state.separators());
        self.expand(word, &mut fields, Context::default())?;
        self.count(fields.bytes)?;
        for field in fields.finish() {
            let extended = self.is_extended();
            if !self.state.options.noglob && pattern::is_pattern(&field, extended) {
                let found = self.glob(&field)?;
                if !found.is_empty() || self.state.shopts.contains(&"nullglob") {
                    out.extend(found);
                    continue;
                }
            }
            out.push(pattern::bytes(&field).into());
        }
        Ok(())
    }

    /// The text of a word that is neither split nor matched: a value, a file's name.
    pub(super) fn text(&mut self, word: &[Part]) -> Result<BString, Flow> {
        self.text_in(word, Context::default())
    }

    /// The value of an assignment.
    pub(super) fn value_of(&mut self, word: &[Part]) -> Result<BString, Flow> {
        let value = true;
        let context = Context {
            value,
            ..Context::default()
        };
        self.text_in(word, context)
    }

    /// As `text`, for what is in double quotes or is as if it were.
    pub(super) fn quoted_text(&mut self, word: &[Part]) -> Result<BString, Flow> {
        let quoted = true;
        let context = Context {
            quoted,
            ..Context::default()
        };
        self.text_in(word, context)
    }

    fn text_in(&mut self, word: &[Part], context: Context) -> Result<BString, Flow> {
        if let [Part::Literal(text) | Part::Quoted(text)] = word {
            return Ok(text.clone());
        }
        let mut fields = Fields::whole();
        self.expand(word, &mut fields, context)?;
        self.count(fields.bytes)?;
        Ok(pattern::bytes(&fields.join()).into())
    }

    /// A word as a pattern.
    pub(super) fn pattern(&mut self, word: &[Part]) -> Result<Vec<Mark>, Flow> {
        let mut fields = Fields::whole();
        self.expand(word, &mut fields, Context::default())?;
        self.count(fields.bytes)?;
        Ok(fields.join())
    }

    /// Counts the bytes of an expansion.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), Flow> {
        self.limit(bytes)?;
        self.process.machine.spend(bytes as u64 / 64)?;
        Ok(())
    }

    /// Expands the parts of a word into `fields`.
    pub(super) fn expand(
        &mut self,
        word: &[Part],
        fields: &mut Fields,
        context: Context,
    ) -> Result<(), Flow> {
        self.enter()?;
        let mut parts = word.iter().enumerate();
        let done = parts.try_for_each(|(at, part)| self.part(part, fields, context, at == 0));
        self.process.machine.nesting -= 1;
        done?;
        self.limit(fields.bytes)
    }

    fn part(
        &mut self,
        part: &Part,
        fields: &mut Fields,
        context: Context,
        first: bool,
    ) -> Result<(), Flow> {
        match part {
            Part::Parameter(parameter) => self.parameter(parameter, fields, context),
            Part::Double(parts) => self.double(parts, fields),
            Part::Command(script) => {
                let text = self.substitute(script)?;
                put(fields, &text, context.quoted);
                self.limit(fields.bytes)
            }
            Part::Arithmetic(parts) => {
                let text = self.quoted_text(parts)?;
                let value = self.arithmetic(&text)?;
                put(fields, value.to_string().as_bytes(), context.quoted);
                Ok(())
            }
            Part::Process(script) => {
                let path = self.process_substitution(script)?;
                fields.quoted(&path);
                Ok(())
            }
            other => self.plain_part(other, fields, context, first),
        }
    }

    /// A part that runs nothing.
    fn plain_part(
        &mut self,
        part: &Part,
        fields: &mut Fields,
        context: Context,
        first: bool,
    ) -> Result<(), Flow> {
        match part {
            Part::Literal(text) if context.quoted => fields.quoted(text),
            Part::Literal(text) if context.inner => fields.expanded(text),
            Part::Literal(text) => fields.literal(text),
            Part::Quoted(text) => fields.quoted(text),
            Part::Tilde(user) if first || context.value => self.tilde(user, fields),
            Part::Tilde(user) => {
                fields.literal(b"~");
                fields.literal(user);
            }
            _ => return Err(Stop::unsupported("an array can't be assigned here").into()),
        }
        Ok(())
    }

    /// A stop where an expansion has become too long.
    fn limit(&self, bytes: usize) -> Result<(), Flow> {
        if bytes > self.process.machine.setup.limits.file / 4 {
            return Err(Stop::new(Why::Budget("an expansion gets too long")).into());
        }
        Ok(())
    }

    fn double(&mut self, parts: &[Part], fields: &mut Fields) -> Result<(), Flow> {
        if parts.is_empty() {
            fields.quoted(b"");
            return Ok(());
        }
        let quoted = true;
        let context = Context {
            quoted,
            ..Context::default()
        };
        self.expand(parts, fields, context)
    }

    fn tilde(&mut self, user: &BString, fields: &mut Fields) {
        let home = match user.as_slice() {
            b"" => self.state.value(b"HOME").cloned(),
            b"+" if self.bash => self.state.value(b"PWD").cloned(),
            b"-" if self.bash => self.state.value(b"OLDPWD").cloned(),
            user => self.home_of(user),
        };
        match home {
            Some(home) => fields.quoted(&home),
            None => {
                fields.literal(b"~");
                fields.literal(user);
            }
        }
    }

    fn home_of(&mut self, user: &[u8]) -> Option<BString> {
        let passwd = self.process.machine.files.read(b"/etc/passwd").ok()?;
        let mut lines = passwd.lines().map(|line| line.split(|&b| b == b':'));
        let mut line = lines.find_map(|mut line| (line.next() == Some(user)).then_some(line))?;
        line.nth(4).map(BString::from)
    }

    /// The values of `name`; none where it is not set.
    pub(super) fn lookup(&mut self, name: &Name) -> Result<Option<Values>, Flow> {
        let one = |text: &BString| Values::One(text.clone());
        Ok(match name {
            Name::Special(b @ (b'@' | b'*')) => {
                let values = self.state.positional.to_vec();
                Some(Values::Many(values, *b == b'*'))
            }
            Name::Special(b) => self.special(*b).map(Values::One),
            Name::Positional(0) => Some(one(&self.name)),
            Name::Positional(n) => self.state.positional.get(n - 1).map(one),
            Name::Variable(name) => match self.state.value(name) {
                Some(value) => Some(one(value)),
                None => self.dynamic(name)?.map(Values::One),
            },
            Name::Element(name, index) => {
                let index = self.index_of(name, index)?;
                if let Some(callers) = self.callers(name)? {
                    let index: Option<usize> = index.to_str_lossy().parse().ok();
                    return Ok(index.and_then(|at| callers.get(at)).map(one));
                }
                self.state.element(name, &index).map(Values::One)
            }
            Name::Elements(name, joined) => {
                if let Some(callers) = self.callers(name)? {
                    return Ok(Some(Values::Many(callers, *joined)));
                }
                let held = self.state.variable(name).and_then(|v| v.value.as_ref());
                held.map(|held| Values::Many(held.elements(), *joined))
            }
        })
    }

    fn special(&self, name: u8) -> Option<BString> {
        let number = |n: usize| Some(BString::from(n.to_string()));
        match name {
            b'#' => number(self.state.positional.len()),
            b'?' => number(usize::from(self.state.status)),
            b'-' => Some(self.state.options.letters(self.bash)),
            b'$' => number(self.pid as usize),
            b'!' => number(self.state.background? as usize),
            _ => None,
        }
    }

    /// Variables that the shell computes.
    fn dynamic(&mut self, name: &[u8]) -> Result<Option<BString>, Flow> {
        let text = match name {
            b"LINENO" if self.bash => self.line.to_string(),
            b"RANDOM" | b"SRANDOM" | b"EPOCHSECONDS" | b"EPOCHREALTIME" if self.bash => {
                let what = format!("${} is different each time", name.as_bstr());
                return Err(Stop::unsupported(what).into());
            }
            b"SECONDS" | b"SHLVL" if self.bash => "0".to_owned(),
            b"EUID" | b"UID" if self.bash => "0".to_owned(),
            b"BASHPID" if self.bash => self.pid.to_string(),
            b"BASH_VERSION" if self.bash => "5.2.37(1)-release".to_owned(),
            _ => {
                let callers = self.callers(name)?;
                return Ok(callers.and_then(|callers| callers.into_iter().next()));
            }
        };
        Ok(Some(text.into()))
    }
}

/// Adds what an expansion gave.
pub(super) fn put(fields: &mut Fields, text: &[u8], quoted: bool) {
    if quoted {
        fields.quoted(text);
    } else {
        fields.expanded(text);
    }
}
