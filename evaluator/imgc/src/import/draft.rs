//! The image that comes out of a Dockerfile, as far as it is known, and the notices about
//! the rest. Writes it as text of the language; what the instructions mean is decided
//! elsewhere.

use std::fmt::Write as _;
use std::ops::Range;

use crate::import::entries::{FileEntry, Group, User, string};

/// How many things an image may have: each is compared with the others.
const MAX_ENTRIES: usize = 8192;

/// How much of an instruction a notice shows.
const MAX_SHOWN: usize = 96;

/// Something that is told about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// The line, from 1.
    pub(super) line: usize,
    /// What was left out: its text. None where all is said, but not all as it was.
    pub(super) lost: Option<String>,
    /// Why, or what else is to be known.
    pub(super) why: String,
}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    /// Before everything else.
    Head,
    /// The packages.
    Packages,
    /// The groups.
    Groups,
    /// The users.
    Users,
    /// The files.
    Files,
    /// The variables of the environment.
    Environment,
    /// What a container runtime is told.
    Config,
    /// The ports.
    Ports,
    /// The folders that hold data.
    Volumes,
    /// The labels.
    Labels,
}

/// A value in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Source text.
    Text(String),
    /// A file.
    File(FileEntry),
    /// A user.
    User(User),
    /// A group.
    Group(Group),
}

/// What one instruction says of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// What it is about: a path, a name.
    pub(super) key: String,
    /// What stands there.
    pub(super) value: Value,
    /// The line that says so.
    pub(super) line: usize,
    /// The instruction.
    pub(super) shown: String,
    /// The author's comments above it.
    pub(super) comments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Item(Box<Item>),
    Comment(String),
}

/// What the image is made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Base {
    /// Debian's suite. None: nothing.
    pub(super) suite: Option<String>,
    /// What is there before any package is asked for.
    pub(super) variant: &'static str,
    /// Whether documentation and translations are left out.
    pub(super) slim: bool,
    /// The platform, if the Dockerfile names one.
    pub(super) platform: Option<String>,
    /// Whether recommended packages are installed too.
    pub(super) recommends: bool,
}

/// An image in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    /// What it is made from.
    pub(super) base: Base,
    /// What is told about it.
    pub(super) notices: Vec<Notice>,
    /// Whether there was more than what fits.
    pub(super) is_full: bool,
    entries: Vec<(Section, Entry)>,
}

/// The text of a draft, and where its items are in it.
#[derive(Debug, Clone)]
pub(super) struct Rendered {
    /// The text, not yet in the one style.
    pub(super) text: String,
    places: Vec<(Range<usize>, usize)>,
}

/// What the slim images of Debian leave out, and what they keep of it.
const SLIM: [&str; 7] = [
    "/usr/share/doc/*",
    "/usr/share/groff/*",
    "/usr/share/info/*",
    "/usr/share/linda/*",
    "/usr/share/lintian/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
];
const KEPT: [&str; 2] = [
    "/usr/share/doc/*/copyright",
    "/usr/share/locale/locale.alias",
];

impl Draft {
    /// Says something. What had the same key is replaced, at its place.
    pub(super) fn put(&mut self, section: Section, item: Item) {
        let is_full = self.entries.len() >= MAX_ENTRIES;
        let same = self.entries.iter_mut().find_map(|(at, entry)| match entry {
            Entry::Item(known) if *at == section && known.key == item.key => Some(known),
            _ => None,
        });
        match same {
            Some(known) => **known = item,
            None if is_full => self.is_full = true,
            None => self.entries.push((section, Entry::Item(Box::new(item)))),
        }
    }

    /// Takes back what was said of `key`.
    pub(super) fn take(&mut self, section: Section, key: &str) -> Option<Item> {
        let is_it = |(at, entry): &(Section, Entry)| {
            *at == section && matches!(entry, Entry::Item(item) if item.key == key)
        };
        let at = self.entries.iter().position(is_it)?;
        match self.entries.remove(at) {
            (_, Entry::Item(item)) => Some(*item),
            (_, Entry::Comment(_)) => None,
        }
    }

    /// What was said of `key`.
    pub(super) fn get(&self, section: Section, key: &str) -> Option<&Item> {
        self.items(section).find(|item| item.key == key)
    }

    /// What was said in a section, in its order.
    pub(super) fn items(&self, section: Section) -> impl Iterator<Item = &Item> {
        self.entries
            .iter()
            .filter_map(move |(at, entry)| match entry {
                Entry::Item(item) if *at == section => Some(item.as_ref()),
                _ => None,
            })
    }

    /// As [`Draft::items`], to be changed.
    pub(super) fn items_mut(&mut self, section: Section) -> impl Iterator<Item = &mut Item> {
        self.entries
            .iter_mut()
            .filter_map(move |(at, entry)| match entry {
                Entry::Item(item) if *at == section => Some(item.as_mut()),
                _ => None,
            })
    }

    /// Puts the author's comments above the first thing that a line says.
    pub(super) fn comment(&mut self, line: usize, comments: &[String]) {
        let first = self.entries.iter_mut().find_map(|(_, entry)| match entry {
            Entry::Item(item) if item.line == line => Some(item),
            _ => None,
        });
        if let Some(item) = first {
            item.comments = comments.iter().map(|text| one_line(text)).collect();
        }
    }

    /// Puts the author's comments before everything else.
    pub(super) fn head(&mut self, comments: &[String]) {
        for comment in comments {
            let comment = Entry::Comment(one_line(comment));
            self.entries.push((Section::Head, comment));
        }
    }

    /// Takes back what was said of everything below a path.
    pub(super) fn take_below(&mut self, folder: &str) {
        let below = format!("{folder}/");
        self.entries.retain(|(section, entry)| match entry {
            Entry::Item(item) => *section != Section::Files || !item.key.starts_with(&below),
            Entry::Comment(_) => true,
        });
    }

    /// Leaves something out, with a comment in its place.
    pub(super) fn lose(&mut self, section: Section, line: usize, shown: &str, why: &str) {
        let shown = short(shown);
        let why = one_line(why);
        if self.entries.len() >= MAX_ENTRIES {
            self.is_full = true;
            return;
        }
        let comment = format!("left out: {shown} (line {line}): {why}");
        self.entries.push((section, Entry::Comment(comment)));
        self.notices.push(Notice {
            line,
            lost: Some(shown),
            why,
        });
    }

    /// Tells something that is not lost.
    pub(super) fn note(&mut self, line: usize, why: &str) {
        let why = one_line(why);
        let notice = Notice {
            line,
            lost: None,
            why,
        };
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Leaves out the item at `place` of the text that was rendered.
    pub(super) fn drop_at(&mut self, rendered: &Rendered, place: usize, why: &str) -> bool {
        let found = rendered
            .places
            .iter()
            .find(|(range, _)| range.contains(&place) || range.end == place);
        let Some((_, index)) = found else {
            return false;
        };
        let Some((_, entry)) = self.entries.get_mut(*index) else {
            return false;
        };
        let Entry::Item(item) = entry else {
            return false;
        };
        let (line, shown) = (item.line, short(&item.shown));
        let why = one_line(why);
        *entry = Entry::Comment(format!("left out: {shown} (line {line}): {why}"));
        self.notices.push(Notice {
            line,
            lost: Some(shown),
            why,
        });
        true
    }

    /// It as text.
    pub(super) fn render(&self) -> Rendered {
        Rendering {
            draft: self,
            out: String::new(),
            places: Vec::new(),
        }
        .whole()
    }
}

struct Rendering<'a> {
    draft: &'a Draft,
    out: String,
    places: Vec<(Range<usize>, usize)>,
}

impl Rendering<'_> {
    fn whole(mut self) -> Rendered {
        let base = &self.draft.base;
        self.section(Section::Head, "", "");
        if base.suite.is_some() {
            self.out
                .push_str("let debian = import std/debian; in\ndebian.image {\n");
        } else {
            self.out.push_str("image {\n");
        }
        if let Some(platform) = &base.platform {
            self.line(&format!("platform = {};", string(platform)));
        }
        if let Some(suite) = &base.suite {
            self.line(&format!("suite = {};", string(suite)));
            self.line(&format!("variant = {};", string(base.variant)));
            if base.recommends {
                self.line("recommends = true;");
            }
            if base.slim {
                self.line("# What the slim image leaves out.");
                self.line(&format!("exclude = [{}];", strings(&SLIM)));
                self.line(&format!("include = [{}];", strings(&KEPT)));
            }
        }
        self.section(Section::Packages, "packages = [", "];");
        self.section(Section::Groups, "groups = [", "];");
        self.section(Section::Users, "users = [", "];");
        self.section(Section::Files, "files = {", "};");
        self.config();
        self.out.push_str("}\n");
        Rendered {
            text: self.out,
            places: self.places,
        }
    }

    fn config(&mut self) {
        const PARTS: [Section; 5] = [
            Section::Environment,
            Section::Config,
            Section::Ports,
            Section::Volumes,
            Section::Labels,
        ];
        let any = PARTS
            .iter()
            .any(|section| self.draft.items(*section).next().is_some());
        if any {
            self.line("\nconfig = {");
        }
        self.section(Section::Environment, "env = {", "};");
        self.section(Section::Config, "", "");
        self.section(Section::Ports, "ports = [", "];");
        self.section(Section::Volumes, "volumes = [", "];");
        self.section(Section::Labels, "labels = {", "};");
        if any {
            self.line("};");
        }
    }

    /// A section. Where it has only comments, they stand alone.
    fn section(&mut self, section: Section, open: &str, close: &str) {
        let draft = self.draft;
        let entries = draft.entries.iter().enumerate();
        let mut entries = entries.filter(|(_, (at, _))| *at == section).peekable();
        if entries.peek().is_none() {
            return;
        }
        let has_items = draft.items(section).next().is_some();
        let is_list = open.ends_with('[');
        if has_items && !open.is_empty() {
            if matches!(section, Section::Users | Section::Files | Section::Groups) {
                self.out.push('\n');
            }
            self.line(open);
        }
        for (index, (_, entry)) in entries {
            match entry {
                Entry::Comment(comment) => self.line(&format!("# {comment}")),
                Entry::Item(item) => {
                    for comment in &item.comments {
                        self.line(format!("# {comment}").trim_end());
                    }
                    let start = self.out.len();
                    let text = text_of(item);
                    self.out.push_str(&text);
                    self.places.push((start..self.out.len(), index));
                    self.out.push_str(if is_list { ",\n" } else { ";\n" });
                }
            }
        }
        if has_items && !close.is_empty() {
            self.line(close);
        }
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }
}

fn text_of(item: &Item) -> String {
    match &item.value {
        Value::Text(text) => text.clone(),
        Value::File(file) => format!("{} = {}", string(&item.key), file.render()),
        Value::User(user) => user.render(),
        Value::Group(group) => group.render(),
    }
}

fn strings(list: &[&str]) -> String {
    let list: Vec<String> = list
        .iter()
        .map(|text| format!("\n{},", string(text)))
        .collect();
    list.concat() + "\n"
}

/// An instruction, cut to what fits into a line.
fn short(text: &str) -> String {
    let text = one_line(text);
    if text.chars().count() <= MAX_SHOWN {
        return text;
    }
    let cut: String = text.chars().take(MAX_SHOWN).collect();
    format!("{}…", cut.trim_end())
}

/// Text without line ends and control characters: it goes into comments and onto terminals.
pub(super) fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if is_strange(c) { ' ' } else { c })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Control characters, and those that change the direction of a text.
fn is_strange(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
