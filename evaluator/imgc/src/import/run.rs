//! RUN: each of its commands that says what the image has. What runs something else is left
//! out, and what only cleans up is nothing here.

use crate::import::convert::{Converter, item, join};
use crate::import::copy::octal;
use crate::import::dockerfile::Instruction;
use crate::import::draft::{Section, Value};
use crate::import::entries::{Content, FileEntry, string};
use crate::import::shell::{self, Command, Part};
use crate::import::words;

/// What is nothing in an image: it only makes the rest of a script go on or be seen.
const SILENT: [&str; 8] = ["set", "true", ":", "export", "echo", "date", "pwd", "sync"];

/// Folders whose content no image of imgc has, so that nothing is to be removed.
const CLEAN: [&str; 6] = [
    "/var/lib/apt/lists",
    "/var/cache/apt",
    "/tmp",
    "/var/tmp",
    "/root/.cache",
    "/var/log/apt",
];

/// A command with what messages need.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    /// The instruction.
    pub(super) instruction: &'a Instruction,
    /// The line of the command.
    pub(super) line: usize,
    /// The command as it is written.
    pub(super) raw: &'a str,
}

impl At<'_> {
    /// What stands for the command in a message.
    pub(super) fn shown(&self) -> String {
        format!("RUN {}", self.raw)
    }
}

impl Converter<'_> {
    /// A RUN.
    pub(super) fn run(&mut self, instruction: &Instruction) {
        let lines = |offset: usize| instruction.line_at(offset);
        let mut variables = self.variables.clone();
        let parts = if let Some(words) = words::list(&instruction.text) {
            vec![Part {
                line: instruction.line,
                raw: words.join(" "),
                command: Ok(Command {
                    words,
                    output: None,
                }),
            }]
        } else if !self.has_plain_shell() {
            let why = "its shell is not known";
            self.lose(Section::Files, instruction, why);
            return;
        } else if let Some(document) = script(instruction) {
            let first = document.line;
            let text = &document.text;
            let line_at = |offset: usize| {
                first
                    + text
                        .bytes()
                        .take(offset)
                        .filter(|byte| *byte == b'\n')
                        .count()
            };
            shell::parts(text, &line_at, &mut variables)
        } else if let Some((path, text)) = concatenated(instruction) {
            let at = At {
                instruction,
                line: instruction.line,
                raw: &instruction.text,
            };
            let done = words::expand(&path, &self.variables, '\\')
                .and_then(|path| self.text(at, &path, text));
            if let Err(why) = done {
                self.lose(Section::Files, instruction, &why);
            }
            return;
        } else if !instruction.documents.is_empty() {
            let why = "it gives a text to a program";
            self.lose(Section::Files, instruction, why);
            return;
        } else {
            shell::parts(&instruction.text, &lines, &mut variables)
        };
        let workdir = self.workdir.clone();
        for part in &parts {
            self.part(instruction, part);
        }
        // `cd` holds for one RUN.
        self.workdir = workdir;
    }

    fn part(&mut self, instruction: &Instruction, part: &Part) {
        let at = At {
            instruction,
            line: part.line,
            raw: &part.raw,
        };
        let done = match &part.command {
            Err(why) => Err(why.clone()),
            Ok(command) => self.command(at, command),
        };
        if let Err(why) = done {
            let names_apt =
                part.raw.contains("apt-get install") || part.raw.contains("apt install");
            let section = match names_apt {
                true => Section::Packages,
                false => Section::Files,
            };
            self.draft.lose(section, part.line, &at.shown(), &why);
        }
    }

    fn command(&mut self, at: At<'_>, command: &Command) -> Result<(), String> {
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        let Some((name, rest)) = words.split_first() else {
            return Ok(());
        };
        let name = name
            .strip_prefix("/usr/bin/")
            .or(name.strip_prefix("/usr/sbin/"))
            .or(name.strip_prefix("/bin/"))
            .unwrap_or(name);
        if let Some(output) = &command.output {
            return self.written(at, name, rest, output);
        }
        match name {
            "env" | "exec" | "command" => {
                let inner = rest.iter().skip_while(|word| word.contains('='));
                let inner = Command {
                    words: inner.map(|word| (*word).to_owned()).collect(),
                    output: None,
                };
                self.command(at, &inner)
            }
            "cd" => match rest {
                [folder] if *folder != "-" => {
                    self.workdir = join(&self.workdir, folder);
                    Ok(())
                }
                _ => Err("where it goes is not known".to_owned()),
            },
            name if SILENT.contains(&name) => Ok(()),
            "apt-get" | "apt" | "aptitude" => self.apt(at, rest),
            "rm" => self.removed(rest),
            "useradd" => self.useradd(at, rest),
            "adduser" => self.adduser(at, rest),
            "groupadd" => self.groupadd(at, rest),
            "addgroup" => self.addgroup(at, rest),
            "usermod" => self.usermod(at, rest),
            "mkdir" => self.mkdir(at, rest),
            "install" => self.install(at, rest),
            "chmod" => self.chmod(rest),
            "chown" => self.chown(at, rest),
            "ln" => self.link(at, rest),
            "pip" | "pip3" | "npm" | "yarn" | "pnpm" | "cargo" | "go" | "gem" | "composer"
            | "make" | "mvn" | "gradle" | "uv" | "poetry" => Err(format!(
                "{name} runs while it builds: run it outside, and copy what it made"
            )),
            "curl" | "wget" | "git" => Err(format!(
                "{name} fetches what is not pinned: put the file into the project"
            )),
            _ => Err("nothing runs while an image is built".to_owned()),
        }
    }

    /// `echo … > FILE`, `printf … > FILE`.
    fn written(
        &mut self,
        at: At<'_>,
        name: &str,
        words: &[&str],
        path: &str,
    ) -> Result<(), String> {
        let text = match (name, words) {
            ("echo", ["-n", words @ ..]) => words.join(" "),
            ("echo", words) if !words.first().is_some_and(|word| word.starts_with('-')) => {
                format!("{}\n", words.join(" "))
            }
            ("printf", [text]) if !text.contains('%') => {
                text.replace("\\n", "\n").replace("\\t", "\t")
            }
            (":" | "true", _) => String::new(),
            _ => return Err("what it writes is not known".to_owned()),
        };
        if text.contains('\\') {
            return Err("what it writes has escapes".to_owned());
        }
        self.text(at, path, text)
    }

    /// A file with a text that a command writes.
    fn text(&mut self, at: At<'_>, path: &str, text: String) -> Result<(), String> {
        let path = join(&self.workdir, path);
        if path.starts_with("/etc/apt/") {
            return Err(
                "apt is not used: the image's fields say where packages are from".to_owned(),
            );
        }
        let mut entry = FileEntry::new(Content::Text(text));
        self.own(&mut entry);
        self.put_file(at.instruction, &path, entry);
        Ok(())
    }

    /// Gives a file to who runs commands.
    pub(super) fn own(&self, entry: &mut FileEntry) {
        (entry.user, entry.group) = self.owners(&self.user);
    }

    fn removed(&mut self, words: &[&str]) -> Result<(), String> {
        for word in words.iter().filter(|word| !word.starts_with('-')) {
            let path = join(&self.workdir, word);
            let is_clean = CLEAN.iter().any(|folder| {
                path.starts_with(&format!("{folder}/")) || (path == *folder && path.contains("apt"))
            });
            // What the Dockerfile put there itself.
            let is_gone = match path.strip_suffix("/*") {
                Some(folder) => {
                    if is_clean {
                        self.draft.take_below(folder);
                    }
                    false
                }
                None => self.draft.take(Section::Files, &path).is_some_and(|item| {
                    self.draft.take_below(&path);
                    matches!(item.value, Value::File(_))
                }),
            };
            if !is_clean && !is_gone {
                return Err(format!(
                    "`{path}` stays: what packages bring is left out by `exclude`"
                ));
            }
        }
        Ok(())
    }

    fn apt(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        let mut options = Vec::new();
        let mut names = Vec::new();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            match *word {
                "-o" | "--option" | "-t" | "--target-release" | "-c" | "-a" => {
                    let value = words.next().copied().unwrap_or_default();
                    options.push(format!("{word} {value}"));
                }
                "--" => {}
                word if word.starts_with('-') => options.push(word.to_owned()),
                word => names.push(word),
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        match names.remove(0) {
            "update" | "clean" | "autoclean" | "autoremove" | "check" => Ok(()),
            "upgrade" | "dist-upgrade" | "full-upgrade" | "safe-upgrade" => {
                self.draft.note(
                    at.line,
                    "packages are the newest when imgc.lock is written; `imgc update` takes newer",
                );
                Ok(())
            }
            "install" => {
                self.installed(at, &options, &names);
                Ok(())
            }
            "remove" | "purge" => {
                let is_deep = options
                    .iter()
                    .any(|option| matches!(option.as_str(), "--auto-remove" | "--autoremove"));
                self.uninstalled(at, &names, is_deep)
            }
            other => Err(format!("`{other}` can't be said")),
        }
    }

    fn uninstalled(&mut self, at: At<'_>, names: &[&str], is_deep: bool) -> Result<(), String> {
        let mut taken = Vec::new();
        for name in names {
            if self.draft.take(Section::Packages, name).is_some() {
                taken.push(*name);
            }
        }
        if taken.len() == names.len() {
            let why = format!("{} is not installed at all", taken.join(", "));
            if is_deep {
                self.draft.note(at.line, &why);
                return Ok(());
            }
            return Err(format!("{why}, nor is what only that needs"));
        }
        Err("what is in the image is said by `packages`".to_owned())
    }

    fn installed(&mut self, at: At<'_>, options: &[String], names: &[&str]) {
        if self.draft.base.suite.is_none() {
            let why = "the image has no Debian to install into";
            self.draft
                .lose(Section::Packages, at.line, &at.shown(), why);
            return;
        }
        let mut recommends = true;
        for option in options {
            let known = option.replace(' ', "").to_ascii_lowercase();
            let letters = option.strip_prefix('-').unwrap_or_default();
            if !letters.is_empty() && letters.chars().all(|letter| "yqfmV".contains(letter)) {
                continue;
            }
            match known.as_str() {
                "--no-install-recommends" => recommends = false,
                known
                    if known.contains("apt::install-recommends")
                        && ["=0", "=false", "=no"].iter().any(|no| known.ends_with(no)) =>
                {
                    recommends = false;
                }
                "-y"
                | "--yes"
                | "--assume-yes"
                | "-q"
                | "-qq"
                | "-qqy"
                | "-qy"
                | "-yq"
                | "-yqq"
                | "-q=2"
                | "--quiet"
                | "--no-install-suggests"
                | "--fix-missing"
                | "-f"
                | "--fix-broken"
                | "-m"
                | "-v"
                | "--allow-downgrades"
                | "--install-recommends"
                | "--reinstall"
                | "--force-yes"
                | "--allow-change-held-packages"
                | "--show-progress" => {}
                known if known.starts_with("-oacquire") || known.starts_with("-odpkg") => {}
                _ => self.draft.lose(
                    Section::Packages,
                    at.line,
                    &format!("{option} of {}", at.shown()),
                    "this option can't be said; the packages stay",
                ),
            }
        }
        match self.recommends {
            None => self.recommends = Some(recommends),
            Some(known) if known != recommends => {
                let why = match known {
                    true => "recommended packages are for all or for none: they come here too",
                    false => "recommended packages are for all or for none: they do not come here",
                };
                self.draft
                    .lose(Section::Packages, at.line, &at.shown(), why);
            }
            Some(_) => {}
        }
        for name in names {
            self.package(at, name);
        }
    }

    fn package(&mut self, at: At<'_>, asked: &str) {
        let why = if asked.contains('/') && (asked.starts_with('.') || asked.starts_with('/')) {
            "a package that is a file can't be taken: name an archive that has it"
        } else if asked.ends_with('-') {
            "apt would remove it: what is in the image is said by `packages`"
        } else if asked
            .split('=')
            .next()
            .is_some_and(|name| name.contains(['*', '^', '?']))
        {
            "it is a pattern: name the packages"
        } else if asked.contains('*') {
            "a version with `*` can't be asked for: imgc.lock pins the one that there is"
        } else {
            ""
        };
        let name = asked.split(['=', '/']).next().unwrap_or(asked);
        let mut text = asked;
        if !why.is_empty() {
            let shown = format!("package {asked}");
            self.draft.lose(Section::Packages, at.line, &shown, why);
            if !why.starts_with("a version") {
                return;
            }
            text = name;
        }
        let mut item = item(at.instruction, name, Value::Text(string(text)));
        item.shown = format!("package {asked}");
        item.line = at.line;
        self.draft.put(Section::Packages, item);
    }
}

/// The script of a `RUN <<EOF`, where the shell reads it.
fn script(instruction: &Instruction) -> Option<&crate::import::dockerfile::Document> {
    let text = instruction.text.trim();
    let is_alone = text.starts_with("<<") && !text.contains(char::is_whitespace);
    let first = instruction.documents.first()?;
    (is_alone && !first.text.starts_with("#!")).then_some(first)
}

/// The path and the text of `cat <<EOF > FILE`, where the shell changes nothing in it.
fn concatenated(instruction: &Instruction) -> Option<(String, String)> {
    let [document] = &instruction.documents[..] else {
        return None;
    };
    let is_plain = !document.expand || !document.text.contains(['$', '`', '\\']);
    let words: Vec<&str> = instruction.text.split_whitespace().collect();
    let path = match words[..] {
        ["cat", mark, ">", path] if mark.starts_with("<<") => path,
        ["cat", ">", path, mark] if mark.starts_with("<<") => path,
        _ => return None,
    };
    let is_path = !path.contains(['&', ';', '|', '<', '>', '(', '`']);
    (is_plain && is_path).then(|| (path.to_owned(), document.text.clone()))
}

/// A mode in octal digits, or `+x` of a file that is to be a program.
pub(super) fn mode_of(text: &str) -> Option<u32> {
    match text {
        "+x" | "a+x" | "ugo+x" | "755" => Some(0o755),
        text => octal(text),
    }
}
