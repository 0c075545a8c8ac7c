//! COPY and ADD: files of the project by their place in the image. Looks at what is there
//! through a [`Context`]; reads no file but `.dockerignore`.

use crate::import::convert::{Converter, item, join};
use crate::import::dockerfile::Instruction;
use crate::import::draft::{Section, Value};
use crate::import::entries::{Content, FileEntry, Owner, Primary};
use crate::import::words;

/// How many files one instruction may name.
const MAX_FILES: usize = 512;

/// What an instruction may look at.
pub(super) trait Context {
    /// Whether a path is a folder (true) or a file (false). None where nothing is there.
    fn is_folder(&self, path: &str) -> Option<bool>;
    /// The names of what is in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String>;
    /// The lines of `.dockerignore`.
    fn ignored(&self) -> Vec<String>;
    /// How the language names a path of the context: `./x`.
    fn literal(&self, path: &str) -> String;
}

/// The options of a COPY, as far as they say something.
#[derive(Debug, Clone, Default)]
struct Options {
    user: Option<Owner>,
    group: Option<Owner>,
    mode: Option<u32>,
}

impl Converter<'_> {
    /// COPY or ADD.
    pub(super) fn copy(&mut self, instruction: &Instruction) {
        if let Err(why) = self.copied(instruction) {
            self.lose(Section::Files, instruction, &why);
        }
    }

    fn copied(&mut self, instruction: &Instruction) -> Result<(), String> {
        if let Some(from) = instruction.option("from") {
            return Err(match self.is_stage(from) {
                true => format!(
                    "stage `{from}` makes it by running programs: build it outside, and name it \
                     in `files`"
                ),
                false => "it comes out of another image: put it into the project".to_owned(),
            });
        }
        let options = self.options(instruction)?;
        let mut paths = match words::list(&instruction.text) {
            Some(list) => list,
            None => instruction
                .text
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        };
        let target = paths.pop().ok_or("it has no target")?;
        let target = self.expand(&target)?;
        if !instruction.documents.is_empty() {
            return self.documents(instruction, &target, &options);
        }
        let mut sources = Vec::new();
        for path in &paths {
            sources.push(self.source(instruction, path)?);
        }
        let several = sources.iter().map(Vec::len).sum::<usize>() > 1;
        if sources.is_empty() {
            return Err("it names no file".to_owned());
        }
        let is_folder = target.ends_with('/')
            || target == "."
            || target.ends_with("/.")
            || several
            || self.is_known_folder(&target);
        let place = join(&self.workdir, &target);
        for source in sources.into_iter().flatten() {
            self.place(instruction, &source, &place, is_folder, &options);
        }
        Ok(())
    }

    /// Whether the target is a folder of the image already.
    fn is_known_folder(&self, target: &str) -> bool {
        let place = join(&self.workdir, target);
        let entry = self.draft.get(Section::Files, &place);
        self.is_in_base(&place)
            || entry.is_some_and(|entry| match &entry.value {
                Value::File(file) => file.is_folder(),
                _ => false,
            })
    }

    fn options(&self, instruction: &Instruction) -> Result<Options, String> {
        let mut options = Options::default();
        for (name, value) in &instruction.options {
            match name.as_str() {
                // How the builder works, not what it makes.
                "link" => {}
                "chown" => {
                    let owner = self.expand(value)?;
                    (options.user, options.group) = self.owners(&owner);
                }
                "chmod" => {
                    let mode = self.expand(value)?;
                    options.mode = Some(octal(&mode).ok_or("its mode is no number")?);
                }
                other => return Err(format!("--{other} can't be said")),
            }
        }
        Ok(options)
    }

    /// The owner and the group of `USER:GROUP`; a user alone has a group.
    pub(super) fn owners(&self, text: &str) -> (Option<Owner>, Option<Owner>) {
        match text.split_once(':') {
            Some((user, group)) => (Owner::of(user), Owner::of(group)),
            None => (Owner::of(text), self.group_of(text)),
        }
    }

    /// The primary group of a user.
    pub(super) fn group_of(&self, user: &str) -> Option<Owner> {
        if let Some(found) = self.draft.get(Section::Users, user)
            && let Value::User(user) = &found.value
        {
            return match &user.primary {
                Primary::Number(gid) => Some(Owner::Number(*gid)),
                _ => Some(user.group_owner()),
            };
        }
        match user {
            "nobody" | "_apt" => Some(Owner::Name("nogroup".to_owned())),
            "games" => Some(Owner::Number(60)),
            _ => Owner::of(user),
        }
    }

    /// What a source names: paths of the context.
    fn source(&mut self, instruction: &Instruction, text: &str) -> Result<Vec<String>, String> {
        let text = self.expand(text)?;
        if text.contains("://") || text.starts_with("git@") {
            return Err("a build fetches packages only: put the file into the project".to_owned());
        }
        let path = join("/", &text);
        let path = path.trim_start_matches('/').to_owned();
        if instruction.keyword == "ADD" && is_archive(&path) {
            return Err(
                "it unpacks an archive: put the unpacked folder into the project".to_owned(),
            );
        }
        if path.is_empty() {
            return self.top(instruction);
        }
        if path.contains(['*', '?', '[']) {
            let found = self.matching(&path);
            if found.is_empty() {
                return Err(format!("no file is there that `{path}` fits"));
            }
            return Ok(found);
        }
        match self.context.is_folder(&path) {
            None => Err(format!("`{path}` is not there: make it, and import again")),
            Some(true) => {
                let deep = self.context.ignored();
                if deep.iter().any(|line| goes_into(line, &path)) {
                    self.draft.lose(
                        Section::Files,
                        instruction.line,
                        ".dockerignore",
                        &format!("what it leaves out of `{path}` is copied"),
                    );
                }
                Ok(vec![format!("{path}/")])
            }
            Some(false) => Ok(vec![path]),
        }
    }

    /// Everything at the top of the context: each by its name, since the folder itself also
    /// holds what imgc writes.
    fn top(&mut self, instruction: &Instruction) -> Result<Vec<String>, String> {
        let ignored = self.context.ignored();
        let mut deep = false;
        let mut found = Vec::new();
        for name in self.context.names("") {
            let is_ours = name == "imgc.lock"
                || [".img", ".oci", ".part"]
                    .iter()
                    .any(|end| name.ends_with(end));
            if is_ours || name == ".git" {
                continue;
            }
            let mut is_left = false;
            for line in &ignored {
                let (negated, pattern) = match line.strip_prefix('!') {
                    Some(pattern) => (true, pattern),
                    None => (false, line.as_str()),
                };
                let pattern = pattern.trim_start_matches('/').trim_end_matches('/');
                let pattern = pattern.strip_prefix("**/").unwrap_or(pattern);
                if fits(pattern, &name) {
                    is_left = !negated;
                }
            }
            if is_left {
                continue;
            }
            if self.context.is_folder(&name) == Some(true) {
                deep |= ignored.iter().any(|line| goes_into(line, &name));
                found.push(format!("{name}//"));
            } else {
                found.push(name);
            }
        }
        if deep {
            self.draft.lose(
                Section::Files,
                instruction.line,
                ".dockerignore",
                "what it leaves out of the folders below is copied",
            );
        }
        self.draft.note(
            instruction.line,
            "the whole folder is copied: each of its files and folders is named, without .git",
        );
        match found.len() {
            0 => Err("nothing is there".to_owned()),
            1..=MAX_FILES => Ok(found),
            _ => Err("the folder has too many files".to_owned()),
        }
    }

    /// The paths that a pattern fits.
    fn matching(&self, pattern: &str) -> Vec<String> {
        let mut found = vec![String::new()];
        for part in pattern.split('/') {
            let mut next = Vec::new();
            for folder in &found {
                for name in self.context.names(folder) {
                    if fits(part, &name) && next.len() < MAX_FILES {
                        next.push(match folder.as_str() {
                            "" => name,
                            folder => format!("{folder}/{name}"),
                        });
                    }
                }
            }
            found = next;
        }
        for path in &mut found {
            if self.context.is_folder(path) == Some(true) {
                path.push('/');
            }
        }
        found
    }

    /// Puts one source to its place. A folder ends in `/`; one that keeps its name, in `//`.
    fn place(
        &mut self,
        instruction: &Instruction,
        source: &str,
        place: &str,
        is_folder: bool,
        options: &Options,
    ) {
        let path = source.trim_end_matches('/');
        let name = path.rsplit('/').next().unwrap_or(path);
        let keeps_name = source.ends_with("//") || !source.ends_with('/');
        let target = match is_folder && keeps_name {
            true => join(place, name),
            false => place.to_owned(),
        };
        let literal = self.context.literal(path);
        if !is_literal(&literal) {
            let why = format!("the name `{path}` can't be written as a path");
            self.lose(Section::Files, instruction, &why);
            return;
        }
        let mut entry = FileEntry::new(match source.ends_with('/') {
            true => Content::Folder(literal),
            false => Content::File(literal),
        });
        entry.user.clone_from(&options.user);
        entry.group.clone_from(&options.group);
        if entry.is_folder() {
            if let Some(mode) = options.mode {
                let why = "a mode for everything in a folder can't be said; the files keep theirs";
                let shown = format!("--chmod={mode:o} for {path}");
                self.draft
                    .lose(Section::Files, instruction.line, &shown, why);
            }
        } else {
            entry.mode = options.mode;
        }
        self.put_file(instruction, &target, entry);
    }

    /// Puts a file to its place. What is lost by that is told.
    pub(super) fn put_file(&mut self, instruction: &Instruction, path: &str, entry: FileEntry) {
        if path == "/" {
            self.whole_root(instruction, &entry);
            return;
        }
        let known = self.draft.get(Section::Files, path);
        let known = known.and_then(|known| match &known.value {
            Value::File(file) if *file != entry => Some(file.clone()),
            _ => None,
        });
        if let Some(known) = known {
            match (&known.content, &entry.content) {
                (Content::Folder(_), Content::Folder(literal)) => {
                    let folder = literal.clone();
                    self.merge(instruction, path, &folder, &entry);
                    return;
                }
                // A folder stays one, with what it has.
                (Content::Folder(_), Content::Directory) => return,
                (Content::Directory, Content::Folder(_))
                    if (&known.mode, &known.user, &known.group)
                        != (&None, &entry.user, &entry.group) =>
                {
                    self.draft.lose(
                        Section::Files,
                        instruction.line,
                        &format!("the mode and owner of {path}"),
                        "a copied folder has one owner for all that is in it",
                    );
                }
                _ => {}
            }
        }
        self.draft
            .put(Section::Files, item(instruction, path, Value::File(entry)));
    }

    /// A second folder at one place: each of its entries by its name.
    fn merge(&mut self, instruction: &Instruction, path: &str, literal: &str, like: &FileEntry) {
        let prefix = self.context.literal("");
        let folder = literal.strip_prefix(&prefix).unwrap_or(literal).to_owned();
        let names = self.context.names(&folder);
        if names.is_empty() || names.len() > MAX_FILES {
            self.lose(Section::Files, instruction, "another folder stands there");
            return;
        }
        for name in names {
            let inner = format!("{folder}/{name}");
            let literal = self.context.literal(&inner);
            let content = match self.context.is_folder(&inner) {
                Some(true) => Content::Folder(literal),
                _ => Content::File(literal),
            };
            let entry = FileEntry {
                content,
                ..like.clone()
            };
            self.put_file(instruction, &join(path, &name), entry);
        }
    }

    /// A folder that is copied over the whole image: its entries go where they belong.
    fn whole_root(&mut self, instruction: &Instruction, entry: &FileEntry) {
        if let Content::Folder(literal) = &entry.content {
            let literal = literal.clone();
            self.merge(instruction, "/", &literal, entry);
        }
    }

    fn documents(
        &mut self,
        instruction: &Instruction,
        target: &str,
        options: &Options,
    ) -> Result<(), String> {
        let words = words::split(&instruction.text, self.escape).len();
        if words != instruction.documents.len() + 1 {
            return Err("it mixes files with texts of its own".to_owned());
        }
        let place = join(&self.workdir, target);
        let is_folder = target.ends_with('/') || instruction.documents.len() > 1;
        for document in &instruction.documents {
            let text = match document.expand {
                true => words::expand_document(&document.text, &self.variables)?,
                false => document.text.clone(),
            };
            let path = match is_folder {
                true => join(&place, &document.name),
                false => place.clone(),
            };
            let mut entry = FileEntry::new(Content::Text(text));
            entry.mode = options.mode;
            entry.user.clone_from(&options.user);
            entry.group.clone_from(&options.group);
            self.put_file(instruction, &path, entry);
        }
        Ok(())
    }
}

/// Whether the language can write a path so.
fn is_literal(path: &str) -> bool {
    path.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.+@~%/-".contains(&byte))
}

/// A mode in octal digits.
pub(super) fn octal(text: &str) -> Option<u32> {
    let mode = u32::from_str_radix(text, 8).ok()?;
    (mode <= 0o7777).then_some(mode)
}

fn is_archive(path: &str) -> bool {
    [
        ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz", ".tar.zst",
    ]
    .iter()
    .any(|end| path.ends_with(end))
}

/// Whether a line of `.dockerignore` can leave out something inside of a folder.
fn goes_into(line: &str, folder: &str) -> bool {
    let line = line.trim_start_matches('!').trim_start_matches('/');
    let first = line.split('/').next().unwrap_or_default();
    line.starts_with("**")
        || (line.contains('/') && (fits(first, folder) || line.starts_with(&format!("{folder}/"))))
}

/// Whether a name fits a pattern of one part: `*`, `?`, `[a-z]`, `\` before a character.
fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // Where the last `*` was, and what it has taken: no more is ever to be tried again.
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
                continue;
            }
            Some('?') => Some(at + 1),
            Some('[') => class(&pattern[at..], name[read]).map(|length| at + length),
            Some('\\') => (pattern.get(at + 1) == Some(&name[read])).then_some(at + 2),
            Some(c) => (*c == name[read]).then_some(at + 1),
            None => None,
        };
        match (step, &mut star) {
            (Some(next), _) => {
                at = next;
                read += 1;
            }
            (None, Some((back, taken))) => {
                *taken += 1;
                read = *taken;
                at = *back + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// The length of `[a-z]` at the beginning, where it has the character.
fn class(pattern: &[char], c: char) -> Option<usize> {
    let end = pattern.iter().skip(1).position(|c| *c == ']')? + 1;
    let (negated, inner) = match pattern.get(1) {
        Some('^' | '!') => (true, &pattern[2..end.max(2)]),
        _ => (false, &pattern[1..end]),
    };
    let mut has = false;
    let mut at = 0;
    while at < inner.len() {
        if inner.get(at + 1) == Some(&'-')
            && let Some(high) = inner.get(at + 2)
        {
            has |= (inner[at]..=*high).contains(&c);
            at += 3;
        } else {
            has |= inner[at] == c;
            at += 1;
        }
    }
    (!inner.is_empty() && has != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, is_so) in [
            ("*.txt", "a.txt", true),
            ("package*.json", "package-lock.json", true),
            ("package*.json", "package.json5", false),
            ("?", "é", true),
            ("[a-c]x", "bx", true),
            ("[!a]x", "bx", true),
            ("[^a]x", "ax", false),
            ("[", "[", false),
            ("[]", "x", false),
            ("[!]", "x", false),
            ("a\\*", "a*", true),
            ("*a*b*", "xxaxxbxx", true),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, name), is_so, "{pattern} {name}");
        }
        assert!(!fits(&"*a".repeat(500), &"a".repeat(400)));
    }
}
