//! Finds the files that a pattern names.

use bstr::BString;

use super::flow::{Flow, Shell};
use super::pattern::{self, Mark, byte, bytes};

impl Shell<'_, '_, '_> {
    /// The paths that `pattern` matches, sorted by their bytes.
    pub(super) fn glob(&mut self, pattern: &[Mark]) -> Result<Vec<BString>, Flow> {
        let mut found = Vec::new();
        let slash = Mark::from(b'/');
        let is_slash = |mark: &Mark| byte(*mark) == b'/';
        let _ = slash;
        let parts: Vec<&[Mark]> = pattern.split(is_slash).collect();
        self.glob_from(BString::default(), &parts, &mut found)?;
        found.sort_unstable();
        Ok(found)
    }

    /// Adds the paths that begin with `path` and go on as `parts`.
    fn glob_from(
        &mut self,
        mut path: BString,
        parts: &[&[Mark]],
        found: &mut Vec<BString>,
    ) -> Result<(), Flow> {
        let extended = self.is_extended();
        let mut parts = parts;
        while let Some((part, rest)) = parts.split_first() {
            self.process.machine.spend(1)?;
            if pattern::is_pattern(part, extended) {
                return self.glob_in(&path, part, rest, found);
            }
            path.extend_from_slice(&plain(part));
            if !rest.is_empty() {
                path.push(b'/');
            }
            parts = rest;
        }
        let absolute = self.process.path(&path);
        if self.process.machine.files.find(&absolute, false).is_ok() {
            found.push(path);
        }
        Ok(())
    }

    fn glob_in(
        &mut self,
        folder: &BString,
        part: &[Mark],
        rest: &[&[Mark]],
        found: &mut Vec<BString>,
    ) -> Result<(), Flow> {
        let absolute = match folder.is_empty() {
            true => self.process.cwd.clone(),
            false => self.process.path(folder),
        };
        let files = &self.process.machine.files;
        let Ok(mut names) = files.list_with(&absolute, &beginning(part)) else {
            return Ok(());
        };
        self.process.machine.spend(names.len() as u64)?;
        let dots = part.first().is_some_and(|&mark| byte(mark) == b'.')
            || self.state.shopts.contains(&"dotglob");
        if dots && !self.bash {
            names.extend([".".into(), "..".into()]);
        }
        for name in names {
            if (name.starts_with(b".") && !dots) || !self.matches(part, &name)? {
                continue;
            }
            let mut path = folder.clone();
            path.extend_from_slice(&name);
            if rest.is_empty() {
                found.push(path);
                continue;
            }
            let absolute = self.process.path(&path);
            if self.process.machine.files.is_directory(&absolute) {
                path.push(b'/');
                self.glob_from(path, rest, found)?;
            }
        }
        Ok(())
    }

    /// Whether patterns as `@(a|b)` count in file names and `case`.
    pub(super) fn is_extended(&self) -> bool {
        self.bash && self.state.shopts.contains(&"extglob")
    }
}

/// What every name begins with that a pattern matches.
fn beginning(part: &[Mark]) -> Vec<u8> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    let bytes = part.iter().map(|&mark| byte(mark));
    bytes.take_while(plain).collect()
}

/// The text of a part that is no pattern: a backslash that an expansion gave escapes.
fn plain(part: &[Mark]) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len());
    let mut marks = part.iter().peekable();
    while let Some(&mark) = marks.next() {
        if mark == Mark::from(b'\\')
            && let Some(&&next) = marks.peek()
        {
            out.extend(bytes(&[next]));
            marks.next();
        } else {
            out.push(byte(mark));
        }
    }
    out
}
