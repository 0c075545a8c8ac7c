//! What a command is given: arguments, environment, streams; and how one starts another.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};
use sha2::{Digest as _, Sha256};

use crate::commands::{ESSENTIAL, Origin, recognised};
use crate::machine::Machine;
use crate::stop::{Stop, Why};
use crate::streams::{Fd, Open, OpenFile};
use crate::{Errno, shell};

/// An exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u8);

impl Status {
    pub(crate) const OK: Self = Self(0);
    pub(crate) const FAILED: Self = Self(1);
}

/// What a command comes to: its exit status, or what ends everything.
pub(crate) type Outcome = Result<Status, Stop>;

/// A running command.
pub(crate) struct Process<'p, 'r> {
    pub(crate) machine: &'p mut Machine<'r>,
    /// `args[0]` is the name that it was called by.
    pub(crate) args: Vec<BString>,
    pub(crate) env: Rc<Environment>,
    /// Absolute and normalised.
    pub(crate) cwd: BString,
    pub(crate) umask: u32,
    pub(crate) fds: BTreeMap<u32, Fd>,
}

/// Names and values that a command is given.
pub(crate) type Environment = BTreeMap<BString, BString>;

/// Where a program was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// Nowhere: the shell says 127.
    Absent,
    /// It is there but not executable: the shell says 126.
    NotExecutable(BString),
    /// At this path of the tree.
    Path(BString),
    /// Nowhere in the tree, but it is of the essential set, which an image without it
    /// can do without while it is made.
    Essential,
}

impl<'r> Process<'_, 'r> {
    /// The environment, to be changed.
    pub(crate) fn env_mut(&mut self) -> &mut Environment {
        Rc::make_mut(&mut self.env)
    }

    /// A child with other arguments and the same environment, folder and streams.
    pub(crate) fn child(&mut self, args: Vec<BString>) -> Process<'_, 'r> {
        let env = Rc::clone(&self.env);
        self.child_in(args, env)
    }

    /// A child with other arguments and another environment, and the same folder and
    /// streams.
    pub(crate) fn child_in(&mut self, args: Vec<BString>, env: Rc<Environment>) -> Process<'_, 'r> {
        Process {
            machine: self.machine,
            args,
            env,
            cwd: self.cwd.clone(),
            umask: self.umask,
            fds: self.fds.clone(),
        }
    }

    /// Runs a command as a child, as `execvp` finds it.
    pub(crate) fn run(&mut self, args: Vec<BString>) -> Outcome {
        self.child(args).start()
    }

    /// Runs a command as a child and collects its standard output.
    pub(crate) fn capture(&mut self, args: Vec<BString>) -> Result<(Status, Vec<u8>), Stop> {
        let (out, bytes) = Fd::output();
        let mut child = self.child(args);
        child.fds.insert(1, out);
        let status = child.start()?;
        Ok((status, bytes.take()))
    }

    /// Runs this process: finds the program of `args[0]` and does what it does.
    pub(crate) fn start(&mut self) -> Outcome {
        self.machine.spend(1)?;
        let Some(name) = self.args.first().cloned() else {
            return Ok(Status::OK);
        };
        match self.program(name.as_ref()) {
            Program::Absent => {
                self.complain(format_args!("{name}: not found"));
                Ok(Status(127))
            }
            Program::NotExecutable(path) => {
                self.complain(format_args!("{path}: Permission denied"));
                Ok(Status(126))
            }
            Program::Essential => self.native(&base(&name).to_str_lossy()),
            Program::Path(path) => self.program_at(&path),
        }
    }

    /// Where the program `name` is.
    pub(crate) fn program(&self, name: &BStr) -> Program {
        let files = &self.machine.files;
        let look = |path: &[u8]| match files.stat(path, true) {
            Ok(stat) if stat.kind == b'f' => Some(files.may(stat.ino, 1)),
            _ => None,
        };
        if name.contains(&b'/') {
            let path = self.path(name);
            return match look(&path) {
                Some(true) => Program::Path(path),
                Some(false) => Program::NotExecutable(path),
                None if is_of_debian(&path) && self.essential(base(name)) => Program::Essential,
                None => Program::Absent,
            };
        }
        let folders = self.env.get(BStr::new("PATH")).map_or(&b""[..], |p| p);
        let mut refused = None;
        // Only where programs of the essential set are looked for can one be taken as
        // there.
        let mut usual = false;
        for folder in folders.split(|&b| b == b':') {
            let mut path = self.path(if folder.is_empty() { b"." } else { folder });
            path.extend_from_slice(b"/");
            path.extend_from_slice(name);
            match look(&path) {
                Some(true) => return Program::Path(path),
                Some(false) => refused = refused.or(Some(path)),
                None => usual |= matches!(folder, b"/usr/bin" | b"/bin" | b"/usr/sbin" | b"/sbin"),
            }
        }
        match refused {
            Some(path) => Program::NotExecutable(path),
            None if usual && self.essential(name) => Program::Essential,
            None => Program::Absent,
        }
    }

    fn essential(&self, name: &[u8]) -> bool {
        let Ok(name) = name.to_str() else {
            return false;
        };
        match self.machine.natives.get(name) {
            Some(native) => matches!(native.origin, Origin::Essential | Origin::Script),
            None => ESSENTIAL.binary_search(&name).is_ok(),
        }
    }

    /// Runs the program at `path`: by its native version, else by its interpreter.
    fn program_at(&mut self, path: &BString) -> Outcome {
        if let Some(name) = self.native_of(path) {
            self.compare(path, name);
            return self.native(name);
        }
        let Ok(bytes) = self.machine.files.read(path) else {
            return self.check(Ok(Status(126)));
        };
        if !is_text(&bytes) {
            return self.check(Err(Stop::new(Why::Command(path.to_string()))));
        }
        self.args[0] = path.clone();
        let done = self.interpret(&bytes);
        done.map_err(|mut stop| {
            // One that can't be interpreted at all is the caller's affair.
            if let Why::Interpreter(_) = stop.why
                && stop.place.line == 0
            {
                if stop.place.argv.is_empty() {
                    stop.place.argv.clone_from(&self.args);
                }
            } else if stop.place.script.is_empty() {
                stop.place.script = path.to_string();
            }
            stop
        })
    }

    /// The name of the native version of the program at `path`: under the name that it
    /// is called by, or the one that it has. A shell script has one only where Debian has
    /// its programs: elsewhere it is another of the same name.
    pub(crate) fn native_of(&mut self, path: &BString) -> Option<&'static str> {
        let named = |path: &BString| {
            let native = self.machine.natives.get(base(path).to_str().ok()?)?;
            let usual = is_usual(folder(path)) && native.origin != Origin::Script;
            Some((native.name, usual))
        };
        let (name, usual) = named(path).or_else(|| {
            let real = self.machine.files.resolve(path, true);
            named(&BString::from(real.ok()?.0.to_string()))
        })?;
        if usual {
            return Some(name);
        }
        let bytes = self.machine.files.read(path).ok()?;
        let script = match shebang(&bytes) {
            Some((program, _)) => matches!(base(program), b"sh" | b"dash" | b"bash"),
            None => is_text(&bytes) && !bytes.is_empty(),
        };
        (!script).then_some(name)
    }

    /// Notes a program that the native version `name` stands for and that is none of
    /// those that it was made after.
    fn compare(&mut self, path: &BString, name: &'static str) {
        let native = self.machine.natives.get(name);
        let Some(Origin::Helper(known)) = native.map(|native| native.origin) else {
            return;
        };
        let files = &mut self.machine.files;
        let Ok((at, Some(ino))) = files.resolve(path, true) else {
            return;
        };
        let digest: [u8; 32] = match files.digest(ino) {
            Some(digest) => digest,
            None => match files.read_ino(ino) {
                Ok(bytes) => Sha256::digest(bytes.as_slice()).into(),
                Err(_) => return,
            },
        };
        let digest = hexadecimal(&digest);
        if !known.contains(&digest.as_str()) {
            self.machine.unknown.insert(at.to_string());
        }
    }

    /// Runs the native command of this name.
    pub(crate) fn native(&mut self, name: &str) -> Outcome {
        let native = self.machine.natives.get(name).copied();
        let Some(native) = native else {
            return Err(Stop::new(Why::Command(name.to_owned())));
        };
        // A command may run another, and so on.
        let machine = &mut *self.machine;
        if machine.depth >= machine.setup.limits.depth {
            return Err(Stop::new(Why::Budget("commands run each other too deep")));
        }
        machine.depth += 1;
        let outer = std::mem::take(&mut machine.files.line.command);
        machine.files.line.command = name.to_owned();
        let done = (native.run)(self);
        self.machine.files.line.command = outer;
        self.machine.depth -= 1;
        self.check(done)
    }

    /// A command's outcome, unless reading or writing met something that must stop it.
    fn check(&mut self, done: Outcome) -> Outcome {
        let done = match self.machine.files.fault.take() {
            Some(stop) => Err(stop),
            None => done,
        };
        done.map_err(|mut stop| {
            if stop.place.argv.is_empty() {
                stop.place.argv.clone_from(&self.args);
            }
            stop
        })
    }

    /// Interprets a script by its first line. `args[0]` is its path.
    pub(crate) fn interpret(&mut self, bytes: &[u8]) -> Outcome {
        let (mut program, mut words) = shebang(bytes).unwrap_or((b"/bin/sh", Vec::new()));
        if base(program) == b"env" && !words.is_empty() {
            program = words.remove(0);
        }
        let options: Vec<BString> = words.into_iter().map(BString::from).collect();
        match base(program) {
            b"sh" | b"dash" => shell::script(self, bytes, false, &options),
            b"bash" => shell::script(self, bytes, true, &options),
            other => {
                let digest = hexadecimal(&Sha256::digest(bytes));
                match recognised(&digest) {
                    Some(script) => (script.run)(self),
                    None => Err(Stop::new(Why::Interpreter(
                        other.to_str_lossy().into_owned(),
                    ))),
                }
            }
        }
    }

    // Files.

    /// `path` made absolute: relative ones begin at the current folder.
    pub(crate) fn path(&self, path: &[u8]) -> BString {
        if path.starts_with(b"/") || path.is_empty() {
            return path.into();
        }
        let mut absolute = self.cwd.clone();
        if !absolute.ends_with(b"/") {
            absolute.push(b'/');
        }
        absolute.extend_from_slice(path);
        absolute
    }

    /// Opens `path` for a redirection or a command.
    ///
    /// # Errors
    /// What open(2) says.
    pub(crate) fn open(&mut self, path: &[u8], how: Open) -> Result<Fd, Errno> {
        let path = self.path(path);
        let descriptor = match path.as_slice() {
            b"/dev/null" => return Ok(Fd::Null),
            b"/dev/zero" if how != Open::Read => return Ok(Fd::Null),
            b"/dev/tty" | b"/dev/console" => return Err(Errno::NoEntry),
            b"/dev/stdin" => Some(0),
            b"/dev/stdout" => Some(1),
            b"/dev/stderr" => Some(2),
            other => other
                .strip_prefix(b"/dev/fd/")
                .or_else(|| other.strip_prefix(b"/proc/self/fd/"))
                .and_then(|number| number.to_str().ok()?.parse().ok()),
        };
        if let Some(number) = descriptor {
            let fd = self.fds.get(&number).cloned();
            return fd.ok_or(Errno::NoEntry);
        }
        let files = &mut self.machine.files;
        if Self::is_of_kernel(&path) && !files.is_file(&path) {
            let what = format!("what {path} holds depends on the machine");
            files.fault = Some(Stop::unsupported(what));
            return Err(Errno::Io);
        }
        let ino = match how {
            Open::Read => {
                let ino = files.find(&path, true)?;
                files.allowed(ino, 4)?;
                ino
            }
            _ => files.create(&path, 0o666 & !self.umask)?,
        };
        if how == Open::Write {
            files.set(ino, Vec::new())?;
        }
        Ok(Fd::File(Rc::new(std::cell::RefCell::new(OpenFile {
            ino,
            at: 0,
            append: how == Open::Append,
            writable: how != Open::Read,
        }))))
    }

    /// All bytes of the file that a command is given as `name`; `-` is standard input.
    ///
    /// # Errors
    /// What open(2) or read(2) says.
    pub(crate) fn input(&mut self, name: &[u8]) -> Result<Rc<Vec<u8>>, Errno> {
        if name == b"-" {
            return Ok(Rc::new(self.stdin()));
        }
        let path = self.path(name);
        if path.starts_with(b"/dev/") || Self::is_of_kernel(&path) {
            let fd = self.open(&path, Open::Read)?;
            return Ok(Rc::new(self.rest(&fd)));
        }
        self.machine.files.read(&path)
    }

    // Streams.

    /// Writes to standard output.
    pub(crate) fn out(&mut self, bytes: impl AsRef<[u8]>) {
        self.write(1, bytes.as_ref());
    }

    /// Writes to standard error.
    pub(crate) fn err(&mut self, bytes: impl AsRef<[u8]>) {
        self.write(2, bytes.as_ref());
    }

    /// Writes `NAME: MESSAGE` and a newline to standard error.
    pub(crate) fn complain(&mut self, message: impl fmt::Display) {
        let name = self.args.first().cloned().unwrap_or_default();
        self.err(format!("{}: {message}\n", base(&name).as_bstr()));
    }

    /// Writes to a descriptor. One that is closed, or only read, takes nothing.
    pub(crate) fn write(&mut self, number: u32, bytes: &[u8]) {
        match self.fds.get(&number) {
            Some(Fd::Output(held)) => {
                let mut held = held.borrow_mut();
                if held.len() + bytes.len() > self.machine.setup.limits.file {
                    self.machine.files.fault =
                        Some(Stop::new(Why::Budget("a stream holds too much")));
                    return;
                }
                held.extend_from_slice(bytes);
            }
            Some(Fd::File(open)) if open.borrow().writable => {
                let mut open = open.borrow_mut();
                let files = &mut self.machine.files;
                if open.append {
                    open.at = files.read_ino(open.ino).map_or(0, |bytes| bytes.len());
                }
                if let Ok(at) = files.write_at(open.ino, open.at, bytes) {
                    open.at = at;
                }
            }
            _ => {}
        }
    }

    /// The rest of standard input.
    pub(crate) fn stdin(&mut self) -> Vec<u8> {
        let fd = self.fds.get(&0).cloned().unwrap_or(Fd::Null);
        self.rest(&fd)
    }

    /// What is left to read behind a descriptor.
    pub(crate) fn rest(&mut self, fd: &Fd) -> Vec<u8> {
        match fd {
            Fd::Input(input) => {
                let mut input = input.borrow_mut();
                let rest = input.bytes[input.at..].to_vec();
                input.at = input.bytes.len();
                rest
            }
            Fd::File(open) => {
                let mut open = open.borrow_mut();
                let bytes = self.machine.files.read_ino(open.ino).unwrap_or_default();
                let rest = bytes.get(open.at..).unwrap_or_default().to_vec();
                open.at += rest.len();
                rest
            }
            Fd::Null | Fd::Output(_) => Vec::new(),
        }
    }

    /// What can be read from a descriptor up to and with the byte `end`; none at the end.
    pub(crate) fn record(&mut self, number: u32, end: u8) -> Option<Vec<u8>> {
        let next = |rest: &[u8]| {
            let length = rest.find_byte(end).map_or(rest.len(), |at| at + 1);
            rest[..length].to_vec()
        };
        let line = match self.fds.get(&number)? {
            Fd::Input(input) => {
                let mut input = input.borrow_mut();
                let line = next(&input.bytes[input.at..]);
                input.at += line.len();
                line
            }
            Fd::File(open) => {
                let mut open = open.borrow_mut();
                let bytes = self.machine.files.read_ino(open.ino).ok()?;
                let line = next(bytes.get(open.at..)?);
                open.at += line.len();
                line
            }
            Fd::Null | Fd::Output(_) => return None,
        };
        (!line.is_empty()).then_some(line)
    }

    /// Whether `path` is of the kernel's making, so that reading it is a guess.
    fn is_of_kernel(path: &[u8]) -> bool {
        let sources = [&b"/dev/zero"[..], b"/dev/random", b"/dev/urandom"];
        path.starts_with(b"/proc/") || path.starts_with(b"/sys/") || sources.contains(&path)
    }

    /// Whether `path` is the folder of a file system that dpkg's scripts find mounted.
    pub(crate) fn is_mounted(path: &[u8]) -> bool {
        matches!(
            path,
            b"/" | b"/proc" | b"/proc/" | b"/sys" | b"/sys/" | b"/dev" | b"/dev/"
        )
    }

    /// Whether the file at `path` is a regular one that may be executed.
    pub(crate) fn is_executable(&self, path: &[u8]) -> bool {
        let files = &self.machine.files;
        files.is_file(path) && files.find(path, true).is_ok_and(|ino| files.may(ino, 1))
    }
}

/// The interpreter that the first line of a program names, and the words after it. None
/// where it names none.
fn shebang(bytes: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let first = bytes.lines().next().unwrap_or_default();
    let line = first.strip_prefix(b"#!")?;
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let program = words.next().unwrap_or_default();
    Some((program, words.collect()))
}

/// Whether a program is a text: one without a first line that names its shell is for sh.
fn is_text(bytes: &[u8]) -> bool {
    bytes.starts_with(b"#!") || !bytes.iter().take(256).any(|&b| b == 0)
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The folder of a path.
fn folder(path: &[u8]) -> &[u8] {
    &path[..path.len() - base(path).len()]
}

/// Whether `folder`, with a slash at its end, is one where Debian has its programs.
fn is_usual(folder: &[u8]) -> bool {
    matches!(
        folder,
        b"/usr/bin/" | b"/usr/sbin/" | b"/bin/" | b"/sbin/" | b"/usr/games/"
    )
}

/// Whether `path` is where a package of Debian may have a program.
fn is_of_debian(path: &[u8]) -> bool {
    let folders: [&[u8]; 4] = [
        b"/usr/lib/",
        b"/lib/",
        b"/usr/libexec/",
        b"/usr/share/debconf/",
    ];
    is_usual(folder(path)) || folders.iter().any(|folder| path.starts_with(folder))
}

/// The last part of a path.
pub(crate) fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}
