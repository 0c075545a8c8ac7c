//! Builtins that decide what runs next: `eval`, `.`, `exec`, `exit`, `command`.

use bstr::{BString, ByteSlice as _};

use super::super::flow::{Flow, Shell};
use crate::process::Program;
use crate::stop::Stop;

/// `:`
pub(super) fn colon(_: &mut Shell<'_, '_, '_>, _: &[BString], _: bool) -> Result<u8, Flow> {
    Ok(0)
}

/// What there is no version of.
pub(super) fn unknown(_: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    Err(Stop::unsupported(format!("the builtin {} is not known", words[0])).into())
}

/// `times`: no time passes.
pub(super) fn times(shell: &mut Shell<'_, '_, '_>, _: &[BString], _: bool) -> Result<u8, Flow> {
    shell.process.out("0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n");
    Ok(0)
}

/// `jobs`: all have ended.
pub(super) fn jobs(_: &mut Shell<'_, '_, '_>, _: &[BString], _: bool) -> Result<u8, Flow> {
    Ok(0)
}

/// `fg` and `bg`: there is no job control.
pub(super) fn no_jobs(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    shell.complain(&format!("{}: No current job", words[0]));
    Ok(2)
}

/// `hash`: nothing is remembered.
pub(super) fn hash(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let mut status = 0;
    for name in words[1..].iter().filter(|name| *name != "-r") {
        if shell.kind_of(name).is_none() {
            shell.complain(&format!("hash: {name}: not found"));
            status = 1;
        }
    }
    Ok(status)
}

/// The operands behind the name, and behind a `--`.
pub(super) fn operands(words: &[BString]) -> &[BString] {
    match words.get(1) {
        Some(word) if word == "--" => &words[2..],
        _ => &words[1..],
    }
}

/// `break` and `continue`
pub(super) fn leave(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let levels = match operands(words).first() {
        None => 1,
        Some(word) => match word
            .to_str()
            .ok()
            .and_then(|word| word.parse::<usize>().ok())
        {
            Some(levels) if levels > 0 => levels,
            _ => return Err(shell.fatal(&format!("{}: Illegal number: {word}", words[0]))),
        },
    };
    let levels = levels.min(shell.state.loops);
    if levels == 0 {
        return Ok(0);
    }
    shell.state.status = 0;
    Err(match words[0] == "break" {
        true => Flow::Break(levels),
        false => Flow::Continue(levels),
    })
}

fn status(shell: &mut Shell<'_, '_, '_>, words: &[BString]) -> Result<u8, Flow> {
    let Some(word) = operands(words).first() else {
        return Ok(shell.state.status);
    };
    let number: Option<i64> = word.to_str().ok().and_then(|word| word.parse().ok());
    match number {
        Some(number) if number >= 0 || shell.bash => {
            Ok(u8::try_from(number & 0xff).unwrap_or_default())
        }
        _ => Err(shell.fatal(&format!("{}: Illegal number: {word}", words[0]))),
    }
}

/// `exit`
pub(super) fn exit(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let status = status(shell, words)?;
    Err(Flow::Exit(status))
}

/// `return`
pub(super) fn ret(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let status = status(shell, words)?;
    if shell.bash && shell.running.is_empty() && shell.state.sourced == 0 {
        shell.complain("return: can only `return' from a function or sourced script");
        return Ok(2);
    }
    Err(Flow::Return(status))
}

/// `eval`
pub(super) fn eval(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    tested: bool,
) -> Result<u8, Flow> {
    let text = bstr::join(" ", operands(words));
    if text.trim_ascii().is_empty() {
        return Ok(0);
    }
    shell.evaluate(&text, tested)?;
    Ok(shell.state.status)
}

/// How the path of debconf's library ends.
const CONFMODULE: &[u8] = b"/debconf/confmodule";

/// `.`
pub(super) fn dot(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let Some((name, args)) = operands(words).split_first() else {
        return match shell.bash {
            true => Ok(2),
            false => Ok(0),
        };
    };
    let path = if name.contains(&b'/') {
        Some(shell.process.path(name))
    } else {
        shell.in_path(name)
    };
    // debconf's library is there for scripts even where its package is left out.
    let found =
        path.filter(|path| path.ends_with(CONFMODULE) || shell.process.machine.files.is_file(path));
    let Some(path) = found else {
        if shell.bash {
            shell.complain(&format!("{name}: No such file or directory"));
            return Ok(1);
        }
        return Err(shell.fatal(&format!(".: cannot open {name}: No such file")));
    };
    if path.ends_with(CONFMODULE) {
        return shell.confmodule();
    }
    if !shell.bash || args.is_empty() {
        return shell.source(&path);
    }
    let held = std::mem::replace(&mut shell.state.positional, args.to_vec().into());
    let done = shell.source(&path);
    shell.state.positional = held;
    done
}

/// `exec`
pub(super) fn exec(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let args = operands(words);
    let Some(name) = args.first() else {
        return Ok(0);
    };
    if shell.bash && name.starts_with(b"-") {
        return Err(Stop::unsupported(format!("the option {name} of exec is not known")).into());
    }
    let status = shell.program(args.to_vec())?;
    // What is not there is the shell's own mistake, whose trap runs.
    if matches!(status, 126 | 127) && !matches!(shell.find_program(name), Program::Path(_)) {
        return Err(Flow::Exit(status));
    }
    Err(Flow::Replaced(status))
}

/// `builtin`
pub(super) fn builtin(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    tested: bool,
) -> Result<u8, Flow> {
    match words.len() {
        1 => Ok(0),
        _ => shell.bypass(words[1..].to_vec(), tested),
    }
}

/// `command`
pub(super) fn command(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    tested: bool,
) -> Result<u8, Flow> {
    let mut words = &words[1..];
    let (mut short, mut long) = (false, false);
    while let Some(option) = words.first().filter(|word| word.starts_with(b"-")) {
        words = &words[1..];
        if option == "--" {
            break;
        }
        for &letter in &option[1..] {
            match letter {
                b'v' => short = true,
                b'V' => long = true,
                b'p' => {}
                _ => return Err(shell.fatal("command: Illegal option")),
            }
        }
    }
    if words.is_empty() {
        return Ok(0);
    }
    if short || long {
        let names = if shell.bash { words } else { &words[..1] };
        return shell.describe(names, short);
    }
    shell.bypass(words.to_vec(), tested)
}

/// `type`
pub(super) fn type_of(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    let words = &words[1..];
    if shell.bash && words.first().is_some_and(|word| word.starts_with(b"-")) {
        return shell.type_with_options(words);
    }
    shell.describe(words, false)
}

/// What a name stands for.
pub(super) enum KindOf {
    Alias(BString),
    Keyword,
    Special,
    Function,
    Builtin,
    Program(BString),
}

const KEYWORDS: [&str; 16] = [
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then",
    "until", "while",
];

impl Shell<'_, '_, '_> {
    /// The program that `name` finds with this shell's own `PATH`.
    pub(super) fn find_program(&mut self, name: &BString) -> Program {
        if let Some(path) = self.state.value(b"PATH").cloned() {
            self.process.env_mut().insert("PATH".into(), path);
        }
        self.process.program(name.as_ref())
    }

    /// What `name` stands for; none if for nothing.
    pub(super) fn kind_of(&mut self, name: &BString) -> Option<KindOf> {
        if let Some(text) = self.state.aliases.get(name) {
            return Some(KindOf::Alias(text.clone()));
        }
        if KEYWORDS.iter().any(|word| name == word) || (self.bash && name == "[[") {
            return Some(KindOf::Keyword);
        }
        let builtin = super::find(name, self.bash);
        if builtin.is_some_and(|builtin| builtin.special) && !self.bash {
            return Some(KindOf::Special);
        }
        let debconf = self.state.debconf && name.starts_with(b"db_");
        if self.state.functions.contains_key(name) || debconf {
            return Some(KindOf::Function);
        }
        let natives = [
            "[", "test", "echo", "printf", "true", "false", "kill", "pwd",
        ];
        if builtin.is_some() || natives.iter().any(|native| name == native) {
            return Some(KindOf::Builtin);
        }
        match self.find_program(name) {
            Program::Path(path) if name.contains(&b'/') => {
                let _ = path;
                Some(KindOf::Program(name.clone()))
            }
            Program::Path(path) => Some(KindOf::Program(path)),
            Program::Essential if name.contains(&b'/') => Some(KindOf::Program(name.clone())),
            Program::Essential => Some(KindOf::Program(format!("/usr/bin/{name}").into())),
            Program::Absent | Program::NotExecutable(_) => None,
        }
    }

    fn describe(&mut self, names: &[BString], short: bool) -> Result<u8, Flow> {
        let mut status = 0;
        for name in names {
            let text = match self.kind_of(name) {
                None => {
                    status = if self.bash { 1 } else { 127 };
                    if !short {
                        let text = format!("{name}: not found\n");
                        match self.bash {
                            true => self.process.err(text),
                            false => self.process.out(text),
                        }
                    }
                    continue;
                }
                Some(KindOf::Alias(value)) if short => {
                    let value = super::super::escapes::quote(&value);
                    format!("alias {name}={value}")
                }
                Some(KindOf::Program(path)) if short => path.to_string(),
                Some(_) if short => name.to_string(),
                Some(KindOf::Alias(value)) => format!("{name} is an alias for {value}"),
                Some(KindOf::Keyword) => format!("{name} is a shell keyword"),
                Some(KindOf::Special) => format!("{name} is a special shell builtin"),
                Some(KindOf::Function) if self.bash => format!("{name} is a function"),
                Some(KindOf::Function) => format!("{name} is a shell function"),
                Some(KindOf::Builtin) => format!("{name} is a shell builtin"),
                Some(KindOf::Program(path)) => format!("{name} is {path}"),
            };
            self.process.out(format!("{text}\n"));
        }
        Ok(status)
    }

    /// `type -t`, `type -p` and `type -P` of bash.
    fn type_with_options(&mut self, words: &[BString]) -> Result<u8, Flow> {
        let mut status = 0;
        for name in &words[1..] {
            let kind = self.kind_of(name);
            let text = match (words[0].as_slice(), kind) {
                (b"-P", _) => match self.find_program(name) {
                    Program::Path(path) => Some(path.to_string()),
                    Program::Essential => Some(format!("/usr/bin/{name}")),
                    _ => None,
                },
                (_, None) => None,
                (b"-t", Some(kind)) => Some(
                    match kind {
                        KindOf::Alias(_) => "alias",
                        KindOf::Keyword => "keyword",
                        KindOf::Special | KindOf::Builtin => "builtin",
                        KindOf::Function => "function",
                        KindOf::Program(_) => "file",
                    }
                    .to_owned(),
                ),
                (b"-p", Some(KindOf::Program(path))) => Some(path.to_string()),
                (b"-p", Some(_)) => Some(String::new()),
                (option, _) => {
                    let option = option.as_bstr();
                    let what = format!("the option {option} of type is not known");
                    return Err(Stop::unsupported(what).into());
                }
            };
            match text {
                Some(text) if text.is_empty() => {}
                Some(text) => self.process.out(format!("{text}\n")),
                None => status = 1,
            }
        }
        Ok(status)
    }

    /// The file that `.` finds in `PATH`.
    fn in_path(&mut self, name: &BString) -> Option<BString> {
        let path = self.state.value(b"PATH").cloned().unwrap_or_default();
        let mut folders: Vec<BString> = path.split(|&b| b == b':').map(BString::from).collect();
        if self.bash {
            folders.push(".".into());
        }
        folders.into_iter().find_map(|folder| {
            let folder = if folder.is_empty() {
                ".".into()
            } else {
                folder
            };
            let mut path = self.process.path(&folder);
            path.push(b'/');
            path.extend_from_slice(name);
            self.process.machine.files.is_file(&path).then_some(path)
        })
    }

    /// Sources debconf's library: from then on its functions are native ones.
    fn confmodule(&mut self) -> Result<u8, Flow> {
        let set = |shell: &Self, name: &[u8]| {
            shell
                .state
                .value(name)
                .is_some_and(|value| !value.is_empty())
        };
        if !set(self, b"DEBIAN_HAS_FRONTEND") {
            let status = self.frontend()?;
            return Err(Flow::Replaced(status));
        }
        if !set(self, b"DEBCONF_REDIR") {
            let out = self.process.fds.get(&1).cloned();
            let err = self.process.fds.get(&2).cloned();
            if let (Some(out), Some(err)) = (out, err) {
                self.process.fds.insert(3, out);
                self.process.fds.insert(1, err);
            }
            self.state.set("DEBCONF_REDIR", "1");
            self.state.entry(b"DEBCONF_REDIR").exported = true;
        }
        self.state.set("_DEBCONF_IMPL", "debconf");
        self.state.set("DEBCONF_OLD_FD_BASE", "4");
        self.state.entry(b"DEBCONF_OLD_FD_BASE").exported = true;
        self.state.debconf = true;
        Ok(0)
    }
}
