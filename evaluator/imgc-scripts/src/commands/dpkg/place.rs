//! Where dpkg's database is, what its programs have in common, and the order in which
//! they write paths.

use bstr::{BStr, BString, ByteSlice as _};

use crate::Errno;
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

/// dpkg's folder, and the root of the system that it is of.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) admin: BString,
    pub(super) root: BString,
}

impl Place {
    pub(super) fn new(process: &Process<'_, '_>) -> Self {
        let env = |name: &str| {
            process
                .env
                .get(BStr::new(name))
                .filter(|v| !v.is_empty())
                .cloned()
        };
        let root = env("DPKG_ROOT").unwrap_or_default();
        let admin = || [root.as_slice(), b"/var/lib/dpkg"].concat().into();
        Self {
            admin: env("DPKG_ADMINDIR").unwrap_or_else(admin),
            root,
        }
    }

    /// Takes `--admindir`, `--root`, `--instdir` with a value. Says whether it was one.
    pub(super) fn set(&mut self, option: &[u8], value: &[u8]) -> bool {
        let value = value.trim_end_with(|c| c == '/');
        match option {
            b"--admindir" => self.admin = value.into(),
            b"--instdir" => self.root = value.into(),
            b"--root" => {
                self.root = value.into();
                self.admin = [value, b"/var/lib/dpkg"].concat().into();
            }
            _ => return false,
        }
        true
    }

    /// A file of the database.
    pub(super) fn file(&self, name: impl AsRef<[u8]>) -> BString {
        [self.admin.as_slice(), b"/", name.as_ref()].concat().into()
    }

    /// A path of the system.
    pub(super) fn real(&self, path: &[u8]) -> BString {
        [self.root.as_slice(), path].concat().into()
    }

    /// The bytes of a file of the database; none where it is missing.
    pub(super) fn read(
        &self,
        process: &mut Process<'_, '_>,
        name: impl AsRef<[u8]>,
    ) -> Result<std::rc::Rc<Vec<u8>>, Stop> {
        let read = process.machine.files.read(&self.file(name));
        if let Some(stop) = process.machine.files.fault.take() {
            return Err(stop);
        }
        let bytes = read.unwrap_or_default();
        process.machine.spend(1 + bytes.len() as u64 / 256)?;
        Ok(bytes)
    }

    /// Replaces a file of the database.
    pub(super) fn write(
        &self,
        process: &mut Process<'_, '_>,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<(), Stop> {
        let path = self.file(name);
        let new = [path.as_slice(), b"-new"].concat();
        let files = &mut process.machine.files;
        let written = files
            .mkdir_all(&self.admin, 0o755)
            .and_then(|()| files.write(&new, bytes, 0o644))
            .and_then(|_| files.rename(&new, &path));
        written.map_err(|error| Stop::unsupported(format!("{path} can't be written: {error}")))
    }
}

/// Arguments, cut into options and their values.
pub(super) struct Args {
    rest: std::collections::VecDeque<BString>,
    /// What stands behind `=` in the option that was given last.
    value: Option<BString>,
    done: bool,
}

impl Args {
    pub(super) fn new(process: &mut Process<'_, '_>) -> Self {
        Self {
            rest: process.args.split_off(1).into(),
            value: None,
            done: false,
        }
    }

    /// The next option, without its value. None where the options end.
    pub(super) fn option(&mut self) -> Option<BString> {
        let next = self.rest.front()?;
        if self.done || !next.starts_with(b"-") || next.len() == 1 {
            return None;
        }
        let option = self.rest.pop_front()?;
        if option == "--" {
            self.done = true;
            return None;
        }
        if let (true, Some(at)) = (option.starts_with(b"--"), option.find_byte(b'=')) {
            self.value = Some(option[at + 1..].into());
            return Some(option[..at].into());
        }
        // Short options may stand together, or before their value.
        if !option.starts_with(b"--") && option.len() > 2 {
            self.value = Some(option[2..].into());
            return Some(option[..2].into());
        }
        self.value = None;
        Some(option)
    }

    /// The value of the last option.
    pub(super) fn value(&mut self) -> Option<BString> {
        self.value.take().or_else(|| self.rest.pop_front())
    }

    /// What the last option has joined to it is no value, but more short options.
    pub(super) fn unjoin(&mut self) {
        if let Some(more) = self.value.take() {
            self.rest
                .push_front([b"-", more.as_slice()].concat().into());
        }
    }

    /// All that is no option.
    pub(super) fn rest(self) -> Vec<BString> {
        self.rest.into()
    }
}

/// Says what is wrong; dpkg's programs end with 2 then.
pub(super) fn wrong(process: &mut Process<'_, '_>, message: impl std::fmt::Display) -> Outcome {
    process.complain(format_args!("error: {message}"));
    Ok(Status(2))
}

/// The stop for an option that is not known.
pub(super) fn unknown(option: &BString) -> Stop {
    Stop::unsupported(format!("the option {option} is not known"))
}

/// Where dpkg has a path in its table of names: it writes paths in this order. FNV-1a of
/// the path without its leading slashes, modulo the number of bins.
pub(super) fn bin(path: &[u8]) -> u32 {
    let path = path.trim_start_with(|c| c == '/');
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
    path.iter().fold(2_166_136_261, step) % 262_139
}

/// Whether a path is as long as nothing, after stat(2).
pub(super) fn is_missing(error: Errno) -> bool {
    matches!(error, Errno::NoEntry | Errno::NotDirectory)
}

/// Whether `text` matches a pattern of `*`, `?`, `[…]` and `\`, as fnmatch(3) does
/// without flags.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let (next, fits) = match pattern.get(p) {
            None => (p, false),
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(b'?') => (p + 1, true),
            Some(b'[') => {
                class(&pattern[p..], text[t]).map_or((p + 1, text[t] == b'['), |(n, f)| (p + n, f))
            }
            Some(b'\\') if p + 1 < pattern.len() => (p + 2, pattern[p + 1] == text[t]),
            Some(&byte) => (p + 1, byte == text[t]),
        };
        if fits {
            (p, t) = (next, t + 1);
        } else if let Some((after, from)) = star {
            star = Some((after, from + 1));
            (p, t) = (after, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

/// A bracket at the beginning of `pattern`: its length, and whether `byte` is in it.
fn class(pattern: &[u8], byte: u8) -> Option<(usize, bool)> {
    let mut at = 1;
    let negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let (start, mut found) = (at, false);
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && at > start {
            return Some((at + 1, found != negated));
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(b'-'), Some(&high)) if high != b']' => {
                found |= (low..=high).contains(&byte);
                at += 3;
            }
            _ => {
                found |= low == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_order() {
        let order = [
            "/lib/x86_64-linux-gnu/libhistory.so.8",
            "/libx32",
            "/lib32",
            "/libo32",
        ];
        let bins = order.map(|path| bin(path.as_bytes()));
        assert_eq!(bins, [154_245, 172_106, 216_311, 240_579]);
    }

    #[test]
    fn matches_patterns() {
        for (pattern, text) in [
            ("*", ""),
            ("lib*6", "libc6"),
            ("l?b[a-c]*", "libc6"),
            ("[!x]", "y"),
            ("a\\*", "a*"),
        ] {
            assert!(
                matches(pattern.as_bytes(), text.as_bytes()),
                "{pattern} {text}"
            );
        }
        for (pattern, text) in [("", "a"), ("lib*7", "libc6"), ("[!x]", "x"), ("a\\*", "ab")] {
            assert!(
                !matches(pattern.as_bytes(), text.as_bytes()),
                "{pattern} {text}"
            );
        }
    }
}
