//! test and `[`, as coreutils, dash and bash have them.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "test",
        origin: Origin::Essential,
        run: bash,
    },
    Native {
        name: "[",
        origin: Origin::Essential,
        run: bash,
    },
];

/// `test` of dash.
pub(crate) fn dash(process: &mut Process<'_, '_>) -> Outcome {
    run(process, false)
}

/// `test` of bash and of coreutils: `==` is one more operator.
pub(crate) fn bash(process: &mut Process<'_, '_>) -> Outcome {
    run(process, true)
}

fn run(process: &mut Process<'_, '_>, wide: bool) -> Outcome {
    let mut words = process.args.split_off(1);
    if process.args[0].ends_with(b"[") && words.pop().is_none_or(|last| last != "]") {
        process.complain("missing ]");
        return Ok(Status(2));
    }
    let mut test = Test {
        process,
        words,
        at: 0,
        wide,
    };
    match test.whole() {
        Ok(holds) => Ok(Status(u8::from(!holds))),
        Err(Wrong::Said(message)) => {
            process.complain(message);
            Ok(Status(2))
        }
        Err(Wrong::Stop(stop)) => Err(*stop),
    }
}

/// Why a test says neither yes nor no.
enum Wrong {
    Said(String),
    Stop(Box<Stop>),
}

impl From<Stop> for Wrong {
    fn from(stop: Stop) -> Self {
        Self::Stop(Box::new(stop))
    }
}

struct Test<'t, 'p, 'r> {
    process: &'t mut Process<'p, 'r>,
    words: Vec<BString>,
    at: usize,
    wide: bool,
}

const UNARY: &[u8] = b"bcdefgGhkLnNOprsStuwxz";
const BINARY: [&str; 13] = [
    "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot",
];

fn is_unary(word: &[u8]) -> bool {
    matches!(word, [b'-', letter] if UNARY.contains(letter))
}

impl Test<'_, '_, '_> {
    fn is_binary(&self, word: &[u8]) -> bool {
        let known = BINARY.iter().any(|op| op.as_bytes() == word) || word == b"-ef";
        known && (self.wide || word != b"==")
    }

    /// The whole test: up to four words mean what POSIX says by their number.
    fn whole(&mut self) -> Result<bool, Wrong> {
        let words = self.words.clone();
        match words.as_slice() {
            [] => Ok(false),
            [one] => Ok(!one.is_empty()),
            [not, one] if not == "!" => Ok(one.is_empty()),
            [left, op, right] if self.is_binary(op) => self.binary(left, op, right),
            [left, op, right] if self.wide && op == "-a" => {
                Ok(!left.is_empty() && !right.is_empty())
            }
            [left, op, right] if self.wide && op == "-o" => {
                Ok(!left.is_empty() || !right.is_empty())
            }
            [not, left, op, right] if not == "!" && self.is_binary(op) => {
                Ok(!self.binary(left, op, right)?)
            }
            [open, one, close] if open == "(" && close == ")" => Ok(!one.is_empty()),
            _ => {
                let holds = self.either(0)?;
                match self.words.get(self.at) {
                    None => Ok(holds),
                    Some(word) => Err(Wrong::Said(format!("{word}: unexpected operator"))),
                }
            }
        }
    }

    fn peek(&self, ahead: usize) -> &[u8] {
        self.words.get(self.at + ahead).map_or(b"", |word| word)
    }

    fn has(&self, ahead: usize) -> bool {
        self.at + ahead < self.words.len()
    }

    fn either(&mut self, depth: usize) -> Result<bool, Wrong> {
        let mut holds = self.both(depth)?;
        while self.peek(0) == b"-o" {
            self.at += 1;
            holds |= self.both(depth)?;
        }
        Ok(holds)
    }

    fn both(&mut self, depth: usize) -> Result<bool, Wrong> {
        let mut holds = self.not(depth)?;
        while self.peek(0) == b"-a" {
            self.at += 1;
            holds &= self.not(depth)?;
        }
        Ok(holds)
    }

    fn not(&mut self, depth: usize) -> Result<bool, Wrong> {
        let mut negated = false;
        // `!` is an operand where a binary operator follows it.
        while self.peek(0) == b"!" && self.has(1) && !(self.is_binary(self.peek(1)) && self.has(2))
        {
            negated = !negated;
            self.at += 1;
        }
        Ok(self.primary(depth)? != negated)
    }

    fn primary(&mut self, depth: usize) -> Result<bool, Wrong> {
        if depth > 50 {
            return Err(Stop::unsupported("a test nests too deep").into());
        }
        let Some(word) = self.words.get(self.at).cloned() else {
            return Err(Wrong::Said("argument expected".to_owned()));
        };
        if self.has(2) && self.is_binary(self.peek(1)) {
            let (op, right) = (BString::from(self.peek(1)), BString::from(self.peek(2)));
            self.at += 3;
            return self.binary(&word, &op, &right);
        }
        if word == "(" && self.has(1) {
            self.at += 1;
            let holds = self.either(depth + 1)?;
            if self.peek(0) != b")" {
                return Err(Wrong::Said("closing paren expected".to_owned()));
            }
            self.at += 1;
            return Ok(holds);
        }
        if is_unary(&word) && self.has(1) {
            let operand = self.words[self.at + 1].clone();
            // `-f -a …`: an operator without operand is text.
            self.at += 2;
            return self.unary(&word, &operand);
        }
        self.at += 1;
        Ok(!word.is_empty())
    }

    fn unary(&mut self, op: &[u8], operand: &BString) -> Result<bool, Wrong> {
        match op {
            b"-n" => Ok(!operand.is_empty()),
            b"-z" => Ok(operand.is_empty()),
            op => match file(self.process, op, operand)? {
                Some(holds) => Ok(holds),
                None => Err(Wrong::Said(format!("{}: unknown operand", op.as_bstr()))),
            },
        }
    }

    fn binary(&mut self, left: &BString, op: &[u8], right: &BString) -> Result<bool, Wrong> {
        Ok(match op {
            b"=" | b"==" => left == right,
            b"!=" => left != right,
            b"<" => left < right,
            b">" => left > right,
            b"-nt" | b"-ot" | b"-ef" => files(self.process, op, left, right, self.wide),
            op => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                match op {
                    b"-eq" => left == right,
                    b"-ne" => left != right,
                    b"-lt" => left < right,
                    b"-le" => left <= right,
                    b"-gt" => left > right,
                    _ => left >= right,
                }
            }
        })
    }

    fn number(&self, text: &BString) -> Result<i64, Wrong> {
        let wrong = || Wrong::Said(format!("Illegal number: {text}"));
        let text = text.to_str().map_err(|_| wrong())?;
        let trimmed = text.trim();
        trimmed
            .strip_prefix('+')
            .unwrap_or(trimmed)
            .parse()
            .map_err(|_| wrong())
    }
}

/// What `-f` and the like say of a path. None where there is no such operator.
///
/// # Errors
/// A [`Stop`] for what nobody can say of a system that does not run.
pub(crate) fn file(
    process: &Process<'_, '_>,
    op: &[u8],
    operand: &BString,
) -> Result<Option<bool>, Stop> {
    let [b'-', letter] = op else {
        return Ok(None);
    };
    if *letter == b't' {
        return Ok(Some(false));
    }
    if operand.is_empty() {
        return Ok(UNARY.contains(letter).then_some(false));
    }
    let path = process.path(operand);
    let files = &process.machine.files;
    let follow = !matches!(letter, b'h' | b'L');
    let Ok(stat) = files.stat(&path, follow) else {
        return match UNARY.contains(letter) {
            true => device(*letter, &path).map(Some),
            false => Ok(None),
        };
    };
    Ok(Some(match letter {
        b'e' | b'a' => true,
        b'r' => files.may(stat.ino, 4),
        b'w' => files.may(stat.ino, 2),
        b'f' => stat.kind == b'f',
        b'd' => stat.kind == b'd',
        b'h' | b'L' => stat.kind == b'l',
        b'b' => stat.kind == b'b',
        b'c' => stat.kind == b'c',
        b'p' => stat.kind == b'p',
        b'S' => false,
        b's' => stat.size > 0,
        b'x' => files.may(stat.ino, 1),
        b'g' => stat.mode & 0o2000 != 0,
        b'u' => stat.mode & 0o4000 != 0,
        b'k' => stat.mode & 0o1000 != 0,
        b'O' => stat.uid == files.uid(),
        b'G' => stat.gid == files.gid(),
        b'N' => return Err(Stop::unsupported("test -N is not known")),
        _ => return Ok(None),
    }))
}

/// What is said of what the kernel has mounted while scripts run.
///
/// # Errors
/// A [`Stop`] for what only some machines have.
fn device(letter: u8, path: &[u8]) -> Result<bool, Stop> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if DEVICES.iter().any(|device| path == device.as_bytes()) {
        return Ok(matches!(letter, b'e' | b'c' | b'r' | b'w'));
    }
    let streams: [&[u8]; 3] = [b"/dev/stdin", b"/dev/stdout", b"/dev/stderr"];
    if path.starts_with(b"/dev/fd/") || streams.contains(&path) {
        return Ok(matches!(letter, b'e' | b'r' | b'w'));
    }
    if KERNEL_FILES.iter().any(|file| path == file.as_bytes()) {
        return Ok(matches!(letter, b'e' | b'f' | b'r'));
    }
    if Process::is_mounted(path) || FOLDERS.iter().any(|folder| path == folder.as_bytes()) {
        return Ok(matches!(letter, b'e' | b'd' | b'r' | b'w' | b'x' | b's'));
    }
    if ABSENT.iter().any(|absent| path == absent.as_bytes()) {
        return Ok(false);
    }
    if path.starts_with(b"/proc/") || path.starts_with(b"/sys/") {
        let path = path.as_bstr();
        return Err(Stop::unsupported(format!(
            "whether {path} is there depends on the machine"
        )));
    }
    Ok(false)
}

/// Devices that every system has.
const DEVICES: [&str; 8] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/console",
    "/dev/ptmx",
];

/// Files of the kernel that every system has.
const KERNEL_FILES: [&str; 13] = [
    "/proc/cmdline",
    "/proc/cpuinfo",
    "/proc/devices",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/mounts",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/version",
    "/proc/self/mounts",
    "/proc/self/status",
];

/// Folders of the kernel that every system has.
const FOLDERS: [&str; 15] = [
    "/dev/pts",
    "/dev/shm",
    "/dev/fd",
    "/proc/1",
    "/proc/self",
    "/proc/self/fd",
    "/proc/sys",
    "/proc/sys/kernel",
    "/proc/sys/net",
    "/sys/block",
    "/sys/bus",
    "/sys/class",
    "/sys/devices",
    "/sys/kernel",
    "/sys/module",
];

/// What only the containers and hypervisors of old have, and no builder of images.
const ABSENT: [&str; 6] = [
    "/proc/vz",
    "/proc/bc",
    "/proc/xen",
    "/proc/lxc",
    "/proc/acpi/ac_adapter",
    "/sys/hypervisor",
];

/// `-nt`, `-ot` and `-ef`.
pub(crate) fn files(
    process: &Process<'_, '_>,
    op: &[u8],
    left: &[u8],
    right: &[u8],
    wide: bool,
) -> bool {
    let stat = |path: &[u8]| process.machine.files.stat(&process.path(path), true).ok();
    let (left, right) = (stat(left), stat(right));
    // dash wants both to be there.
    if !wide && (left.is_none() || right.is_none()) {
        return false;
    }
    let time = |stat: &Option<crate::Stat>| stat.as_ref().map(|stat| stat.mtime);
    match op {
        b"-ef" => match (left, right) {
            (Some(left), Some(right)) => left.ino == right.ino,
            _ => false,
        },
        b"-nt" => time(&left) > time(&right),
        _ => time(&left) < time(&right),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn tests_files_and_texts() {
        let mut machine = machine();
        machine.put("/etc/a", "x\n", 0o644);
        machine.put("/usr/bin/b", "", 0o4755);
        machine.files.symlink(b"a", b"/etc/l").expect("a link");
        for (test, status) in [
            ("-f /etc/a", 0),
            ("-s /etc/a", 0),
            ("-x /etc/a", 1),
            ("-s /usr/bin/b", 1),
            ("-x /usr/bin/b", 0),
            ("-u /usr/bin/b", 0),
            ("-L /etc/l", 0),
            ("-f /etc/l", 0),
            ("-d /etc/a", 1),
            ("-d /etc", 0),
            ("-e /none", 1),
            ("! -e /none", 0),
            ("-c /dev/null", 0),
            ("-d /proc", 0),
            ("-d /proc/sys", 0),
            ("-f /proc/mounts", 0),
            ("-d /run/systemd/system", 1),
            ("-t 0", 1),
            ("/etc/a -ef /etc/l", 0),
            ("a == a", 0),
            ("a = b -o c = c", 0),
            ("( a = a ) -a ! b", 1),
            ("3 -lt 10", 0),
            ("x -eq 1", 2),
            ("a b", 2),
            ("-n -a -n", 0),
            ("", 1),
        ] {
            let mut args = vec!["["];
            args.extend(test.split_whitespace());
            args.push("]");
            assert_eq!(machine.run(&args).status, status, "{test}");
        }
        let args = ["test", "-e", "/proc/driver/nvidia"];
        assert!(machine.run_with(&args, "").is_err(), "who could know?");
        assert_eq!(machine.run(&["[", "a"]).status, 2);
    }
}
