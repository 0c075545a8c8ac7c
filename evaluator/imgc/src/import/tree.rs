//! The commands of a RUN that make folders and links, and give files modes and owners.

use crate::import::convert::{Converter, item, join};
use crate::import::draft::{Section, Value};
use crate::import::entries::{Content, FileEntry};
use crate::import::run::{At, mode_of};

/// How many folders above one are looked at.
const MAX_DEPTH: usize = 64;

/// Folders where packages have folders of their own.
const PACKAGES: [&str; 6] = [
    "/etc/",
    "/run/",
    "/usr/",
    "/var/cache/",
    "/var/lib/",
    "/var/log/",
];

/// Options and operands of a command. `with_value` are those that take one.
pub(super) fn options<'a>(
    words: &[&'a str],
    with_value: &[&str],
) -> (Vec<(String, &'a str)>, Vec<&'a str>) {
    let mut options = Vec::new();
    let mut operands = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--" {
            operands.extend(words.by_ref().copied());
        } else if let Some(long) = word.strip_prefix("--") {
            match long.split_once('=') {
                Some((name, value)) => options.push((format!("--{name}"), value)),
                None if with_value.contains(word) => {
                    let value = words.next().copied().unwrap_or_default();
                    options.push(((*word).to_owned(), value));
                }
                None => options.push(((*word).to_owned(), "")),
            }
        } else if word.len() > 1 && word.starts_with('-') {
            // Letters may stand together; the last may take the rest or the next word.
            for (at, letter) in word.char_indices().skip(1) {
                let option = format!("-{letter}");
                if !with_value.contains(&option.as_str()) {
                    options.push((option, ""));
                    continue;
                }
                let rest = &word[at + letter.len_utf8()..];
                let value = match rest {
                    "" => words.next().copied().unwrap_or_default(),
                    rest => rest,
                };
                options.push((option, value));
                break;
            }
        } else {
            operands.push(*word);
        }
    }
    (options, operands)
}

impl Converter<'_> {
    pub(super) fn mkdir(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        let (options, paths) = options(words, &["-m", "--mode"]);
        let mut mode = None;
        for (option, value) in options {
            match option.as_str() {
                "-p" | "--parents" | "-v" | "--verbose" => {}
                "-m" | "--mode" => {
                    mode = Some(mode_of(value).ok_or("its mode is no number")?);
                }
                other => return Err(format!("`{other}` is not known")),
            }
        }
        for path in paths {
            // Those above belong to root if nobody says, and to who made them if that is not
            // root.
            if self.user != "root" && self.user != "0" {
                let whole = join(&self.workdir, path);
                let ends = whole.char_indices().skip(1);
                let ends = ends.filter(|(_, c)| *c == '/').take(MAX_DEPTH);
                for (end, _) in ends {
                    self.folder(at, &whole[..end], None);
                }
            }
            self.folder(at, path, mode);
        }
        Ok(())
    }

    /// Makes a folder for who runs commands.
    fn folder(&mut self, at: At<'_>, path: &str, mode: Option<u32>) {
        let path = join(&self.workdir, path);
        let is_there = self.draft.get(Section::Files, &path).is_some();
        if self.is_in_base(&path) || is_there {
            return;
        }
        let mut entry = FileEntry::new(Content::Directory);
        entry.mode = mode;
        self.own(&mut entry);
        let below_package = PACKAGES.iter().any(|folder| path.starts_with(folder));
        if below_package && self.draft.items(Section::Packages).next().is_some() {
            let why = format!("{path} gets this owner and mode also where a package brings it");
            self.draft.note(at.line, &why);
        }
        let mut item = item(at.instruction, &path, Value::File(entry));
        item.shown = at.shown();
        item.line = at.line;
        self.draft.put(Section::Files, item);
    }

    /// `install -d`.
    pub(super) fn install(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        let with_value = ["-m", "--mode", "-o", "--owner", "-g", "--group"];
        let (options, paths) = options(words, &with_value);
        if !options
            .iter()
            .any(|(option, _)| option == "-d" || option == "--directory")
        {
            return Err("what it copies is not known".to_owned());
        }
        let before = self.user.clone();
        let mut mode = None;
        let mut owner = None;
        let mut group = None;
        for (option, value) in options {
            match option.as_str() {
                "-m" | "--mode" => {
                    mode = Some(mode_of(value).ok_or("its mode is no number")?);
                }
                "-o" | "--owner" => owner = Some(value),
                "-g" | "--group" => group = Some(value),
                "-d" | "--directory" | "-v" | "--verbose" => {}
                other => return Err(format!("`{other}` is not known")),
            }
        }
        for path in &paths {
            self.folder(at, path, mode);
        }
        if owner.is_some() || group.is_some() {
            let owner = owner.unwrap_or(&before);
            let text = format!("{owner}:{}", group.unwrap_or("root"));
            self.give(at, &text, &paths, false)?;
        }
        Ok(())
    }

    pub(super) fn chmod(&mut self, words: &[&str]) -> Result<(), String> {
        let (mode, paths) = match words {
            ["-R" | "--recursive", ..] => {
                return Err("a mode for everything in a folder can't be said".to_owned());
            }
            ["-v" | "-f", mode, paths @ ..] | [mode, paths @ ..] => (*mode, paths),
            [] => return Err("it names nothing".to_owned()),
        };
        let number = mode_of(mode).ok_or_else(|| format!("`{mode}` is no mode in digits"))?;
        for path in paths {
            let path = join(&self.workdir, path);
            let file = self.file_mut(&path)?;
            if mode.ends_with("+x") && file.mode.is_some() {
                file.mode = file.mode.map(|mode| mode | 0o111);
            } else {
                file.mode = Some(number);
            }
        }
        Ok(())
    }

    /// The entry at a path that the Dockerfile made.
    fn file_mut(&mut self, path: &str) -> Result<&mut FileEntry, String> {
        let entry = self.draft.items_mut(Section::Files);
        let mut entry = entry.filter(|item| item.key == path);
        match entry.next().map(|item| &mut item.value) {
            Some(Value::File(file)) if !matches!(file.content, Content::Link(_)) => Ok(file),
            _ => Err(format!("`{path}` comes from elsewhere: say it in `files`")),
        }
    }

    pub(super) fn chown(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        let (options, operands) = options(words, &[]);
        let mut deep = false;
        for (option, _) in options {
            match option.as_str() {
                "-R" | "--recursive" => deep = true,
                "-v" | "-h" | "-c" | "-f" => {}
                other => return Err(format!("`{other}` is not known")),
            }
        }
        let Some((owner, paths)) = operands.split_first() else {
            return Err("it names nobody".to_owned());
        };
        self.give(at, &owner.replace('.', ":"), paths, deep)
    }

    fn give(&mut self, at: At<'_>, owner: &str, paths: &[&str], deep: bool) -> Result<(), String> {
        let has_group = owner.contains(':');
        // `chown user:` means the user's own group.
        let (user, group) = match owner.strip_suffix(':') {
            Some(user) => self.owners(user),
            None => self.owners(owner),
        };
        for path in paths {
            let path = join(&self.workdir, path);
            let below = format!("{path}/");
            let has_below = self
                .draft
                .items(Section::Files)
                .any(|item| item.key.starts_with(&below));
            let is_there = self.draft.get(Section::Files, &path).is_some();
            if !is_there && deep && has_below && !self.is_in_base(&path) {
                self.folder(at, &path, None);
            }
            if !(deep && has_below && self.is_in_base(&path)) {
                let folder = self.file_mut(&path)?;
                if !deep && matches!(folder.content, Content::Folder(_)) {
                    return Err("a copied folder has one owner for all that is in it".to_owned());
                }
                folder.user.clone_from(&user);
                if has_group {
                    folder.group.clone_from(&group);
                }
            } else {
                let shown = format!("the owner of {path} itself");
                self.draft.lose(
                    Section::Files,
                    at.line,
                    &shown,
                    "the folder is Debian's; what is copied into it has the owner",
                );
            }
            if !deep {
                continue;
            }
            for item in self.draft.items_mut(Section::Files) {
                if !item.key.starts_with(&below) {
                    continue;
                }
                if let Value::File(file) = &mut item.value {
                    file.user.clone_from(&user);
                    if has_group {
                        file.group.clone_from(&group);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn link(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        let (options, operands) = options(words, &[]);
        let known = [
            "-s",
            "-f",
            "-n",
            "-v",
            "-T",
            "--symbolic",
            "--force",
            "--no-dereference",
        ];
        let is_symbolic = options
            .iter()
            .any(|(option, _)| option == "-s" || option == "--symbolic");
        if !is_symbolic {
            return Err("a hard link can't be said".to_owned());
        }
        if let Some((option, _)) = options
            .iter()
            .find(|(option, _)| !known.contains(&option.as_str()))
        {
            return Err(format!("`{option}` is not known"));
        }
        let [target, path] = operands[..] else {
            return Err("it makes several links, or one in the current folder".to_owned());
        };
        let mut path = match path.ends_with('/') {
            false => join(&self.workdir, path),
            true => join(&self.workdir, &format!("{path}{}", last(target))),
        };
        let stands = self.draft.get(Section::Files, &path);
        let is_folder =
            stands.is_some_and(|item| matches!(&item.value, Value::File(file) if file.is_folder()));
        if is_folder || self.is_in_base(&path) {
            path = join(&path, last(target));
        }
        let mut item = item(
            at.instruction,
            &path,
            Value::File(FileEntry::new(Content::Link(target.to_owned()))),
        );
        item.shown = at.shown();
        item.line = at.line;
        self.draft.put(Section::Files, item);
        Ok(())
    }
}

fn last(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_told_from_operands() {
        let words = [
            "-rms", "/bin/sh", "--uid=5", "--gid", "6", "-u7", "app", "--", "-x",
        ];
        let (found, operands) = options(&words, &["-s", "-u", "--gid"]);
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        let expected = [
            ("-r", ""),
            ("-m", ""),
            ("-s", "/bin/sh"),
            ("--uid", "5"),
            ("--gid", "6"),
            ("-u", "7"),
        ];
        assert_eq!(found, expected);
        assert_eq!(operands, ["app", "-x"]);
    }
}
