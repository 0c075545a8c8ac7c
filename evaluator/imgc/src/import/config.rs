//! The instructions that say how the image is run: its environment, user, folder, ports,
//! volumes, labels, signal and program. Each is a field of `config`.

use crate::import::convert::{Converter, item, join};
use crate::import::dockerfile::Instruction;
use crate::import::draft::{Section, Value};
use crate::import::entries::{Content, FileEntry, string};
use crate::import::words;

/// How many ports a range may be.
const MAX_PORTS: u32 = 256;

impl Converter<'_> {
    /// ENV.
    ///
    /// # Errors
    /// Why it can't be said.
    pub(super) fn environment(&mut self, instruction: &Instruction) -> Result<(), String> {
        let pairs = words::pairs(&instruction.text, self.escape)?;
        // The values are those before the instruction.
        let before = self.variables.clone();
        for (name, text) in pairs {
            match words::expand(&text, &before, self.escape) {
                Ok(value) => {
                    let source = format!("{} = {}", variable(&name), string(&value));
                    self.put(Section::Environment, instruction, &name, source);
                    self.variables.set(&name, value);
                }
                Err(why) => {
                    self.variables.forget(&name);
                    let shown = format!("ENV {name}={text}");
                    self.draft
                        .lose(Section::Environment, instruction.line, &shown, &why);
                }
            }
        }
        Ok(())
    }

    /// LABEL.
    ///
    /// # Errors
    /// Why it can't be said.
    pub(super) fn labels(&mut self, instruction: &Instruction) -> Result<(), String> {
        for (name, text) in words::pairs(&instruction.text, self.escape)? {
            let value = self.expand(&name).and_then(|name| {
                let value = self.expand(&text)?;
                Ok((name, value))
            });
            match value {
                Ok((name, value)) => {
                    let source = format!("{} = {}", string(&name), string(&value));
                    self.put(Section::Labels, instruction, &name, source);
                }
                Err(why) => {
                    let shown = format!("LABEL {name}={text}");
                    self.draft
                        .lose(Section::Labels, instruction.line, &shown, &why);
                }
            }
        }
        Ok(())
    }

    /// USER.
    ///
    /// # Errors
    /// Why it can't be said.
    pub(super) fn user(&mut self, instruction: &Instruction) -> Result<(), String> {
        let user = self.expand(instruction.text.trim())?;
        if user.is_empty() {
            return Err("it names nobody".to_owned());
        }
        self.put_config(instruction, "user", string(&user));
        self.user = user;
        Ok(())
    }

    /// WORKDIR.
    ///
    /// # Errors
    /// Why it can't be said.
    pub(super) fn workdir(&mut self, instruction: &Instruction) -> Result<(), String> {
        let path = self.expand(instruction.text.trim())?;
        let path = join(&self.workdir, &path);
        self.put_config(instruction, "workdir", string(&path));
        self.workdir.clone_from(&path);
        let is_there = self.draft.get(Section::Files, &path).is_some();
        if !is_there && !self.is_in_base(&path) {
            let mut entry = FileEntry::new(Content::Directory);
            self.own(&mut entry);
            self.draft
                .put(Section::Files, item(instruction, &path, Value::File(entry)));
        }
        Ok(())
    }

    /// EXPOSE.
    ///
    /// # Errors
    /// Why it can't be said.
    pub(super) fn ports(&mut self, instruction: &Instruction) -> Result<(), String> {
        for word in words::words(&instruction.text, &self.variables, self.escape)? {
            for port in word.split_whitespace() {
                let (numbers, protocol) = match port.split_once('/') {
                    Some((numbers, protocol)) => (numbers, protocol.to_ascii_lowercase()),
                    None => (port, "tcp".to_owned()),
                };
                let (low, high) = numbers.split_once('-').unwrap_or((numbers, numbers));
                let range = low.parse::<u16>().ok().zip(high.parse::<u16>().ok());
                let Some((low, high)) = range.filter(|(low, high)| low <= high) else {
                    return Err(format!("`{port}` is no port"));
                };
                if u32::from(high - low) >= MAX_PORTS {
                    return Err(format!("`{port}` has too many ports"));
                }
                for number in low..=high {
                    let text = match protocol.as_str() {
                        "tcp" => number.to_string(),
                        other => string(&format!("{number}/{other}")),
                    };
                    self.put(Section::Ports, instruction, &text.clone(), text);
                }
            }
        }
        Ok(())
    }

    /// VOLUME.
    ///
    /// # Errors
    /// Why it can't be said.
    pub(super) fn volumes(&mut self, instruction: &Instruction) -> Result<(), String> {
        for path in words::words(&instruction.text, &self.variables, self.escape)? {
            let path = join(&self.workdir, &path);
            self.put(Section::Volumes, instruction, &path, string(&path));
        }
        Ok(())
    }

    /// STOPSIGNAL.
    ///
    /// # Errors
    /// Why it can't be said.
    pub(super) fn signal(&mut self, instruction: &Instruction) -> Result<(), String> {
        let signal = self.expand(instruction.text.trim())?;
        let name = match signal.as_str() {
            "1" => "SIGHUP".to_owned(),
            "2" => "SIGINT".to_owned(),
            "3" => "SIGQUIT".to_owned(),
            "6" => "SIGABRT".to_owned(),
            "9" => "SIGKILL".to_owned(),
            "10" => "SIGUSR1".to_owned(),
            "12" => "SIGUSR2".to_owned(),
            "15" => "SIGTERM".to_owned(),
            "28" => "SIGWINCH".to_owned(),
            "37" => "SIGRTMIN+3".to_owned(),
            name if name.to_ascii_uppercase().starts_with("SIG") => name.to_ascii_uppercase(),
            name => format!("SIG{}", name.to_ascii_uppercase()),
        };
        self.put_config(instruction, "stopSignal", string(&name));
        Ok(())
    }

    /// HEALTHCHECK.
    ///
    /// # Errors
    /// Why it can't be said.
    pub(super) fn health(&mut self, instruction: &Instruction) -> Result<(), String> {
        let text = instruction.text.trim();
        let (keyword, command) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        self.draft.take(Section::Config, "healthcheck");
        if keyword.eq_ignore_ascii_case("none") {
            return Ok(());
        }
        if !keyword.eq_ignore_ascii_case("cmd") || command.trim().is_empty() {
            return Err("it has no command".to_owned());
        }
        let mut text = format!("test = [{}];", self.words_of(command.trim()).join(", "));
        for (name, value) in &instruction.options {
            let value = self.expand(value)?;
            // What docker takes for its defaults.
            if value.chars().all(|c| c == '0' || c.is_ascii_alphabetic()) {
                continue;
            }
            match name.as_str() {
                "retries" => text.push_str(&format!(
                    " retries = {};",
                    value
                        .parse::<u32>()
                        .map_err(|_| format!("`{value}` is no number"))?
                )),
                "interval" | "timeout" => text.push_str(&format!(" {name} = {};", string(&value))),
                "start-period" => text.push_str(&format!(" startPeriod = {};", string(&value))),
                other => {
                    let why = format!("`--{other}` of HEALTHCHECK is left out");
                    self.draft.note(instruction.line, &why);
                }
            }
        }
        self.put_config(instruction, "healthcheck", format!("{{ {text} }}"));
        Ok(())
    }

    /// The words of a command: a list, or what a shell is given.
    fn words_of(&self, text: &str) -> Vec<String> {
        let words = words::list(text).unwrap_or_else(|| {
            let mut words = self.shell.clone();
            words.push(text.to_owned());
            words
        });
        words.iter().map(|word| string(word)).collect()
    }

    /// ENTRYPOINT or CMD.
    pub(super) fn program(&mut self, instruction: &Instruction) {
        let key = instruction.keyword.to_ascii_lowercase();
        let words = self.words_of(&instruction.text);
        self.draft.take(Section::Config, &key);
        if key == "cmd" {
            self.has_cmd = true;
        } else if !self.has_cmd {
            // That of the base was for another program.
            self.draft.take(Section::Config, "cmd");
        }
        if !words.is_empty() {
            self.put_config(instruction, &key, format!("[{}]", words.join(", ")));
        }
    }
}

/// The name of a variable as a field: without quotes where it is written in capitals.
fn variable(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    match name.as_bytes() {
        [first, rest @ ..] if first.is_ascii_uppercase() && rest.iter().all(|b| is_plain(*b)) => {
            name.to_owned()
        }
        _ => string(name),
    }
}
