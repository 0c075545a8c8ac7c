//! Files, users and groups of the image, and how they are written. Only data.

/// Who owns a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// By name.
    Name(String),
    /// By number.
    Number(u32),
}

impl Owner {
    /// Reads a name or number. None for root, which is what is so if nobody says.
    pub(super) fn of(text: &str) -> Option<Self> {
        match text.parse::<u32>() {
            Ok(0) => None,
            Ok(number) => Some(Self::Number(number)),
            Err(_) if text == "root" || text.is_empty() => None,
            Err(_) => Some(Self::Name(text.to_owned())),
        }
    }

    fn render(&self) -> String {
        match self {
            Self::Name(name) => string(name),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A file of the project: a path literal.
    File(String),
    /// A folder of the project, with everything in it.
    Folder(String),
    /// A file with this text.
    Text(String),
    /// A folder.
    Directory,
    /// A symbolic link.
    Link(String),
}

/// An entry of `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileEntry {
    /// What it is.
    pub(super) content: Content,
    /// Its mode, where it is said.
    pub(super) mode: Option<u32>,
    /// Its owner; root where there is none.
    pub(super) user: Option<Owner>,
    /// Its group; root where there is none.
    pub(super) group: Option<Owner>,
}

impl FileEntry {
    /// One that belongs to root.
    pub(super) fn new(content: Content) -> Self {
        Self {
            content,
            mode: None,
            user: None,
            group: None,
        }
    }

    /// Whether it is a folder.
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.content, Content::Folder(_) | Content::Directory)
    }

    /// It in the language.
    pub(super) fn render(&self) -> String {
        let (function, first) = match &self.content {
            Content::Link(target) => return format!("symlink {}", string(target)),
            Content::Directory => ("directory", None),
            Content::Folder(path) => ("directory", Some(("source", path.clone()))),
            Content::File(path) => ("file", Some(("source", path.clone()))),
            Content::Text(text) => ("file", Some(("text", long(text)))),
        };
        let mut fields = Vec::new();
        if let Some(mode) = self.mode {
            fields.push(format!("mode = 0o{:o};", mode & 0o777));
            // The bits above have names in the language.
            let bits = match self.is_folder() {
                true => [(0o2000, "setgid"), (0o1000, "sticky")],
                false => [(0o4000, "setuid"), (0o2000, "setgid")],
            };
            let asked = bits.iter().filter(|(bit, _)| mode & bit != 0);
            fields.extend(asked.map(|(_, name)| format!("{name} = true;")));
        }
        if let Some(user) = &self.user {
            fields.push(format!("user = {};", user.render()));
        }
        if let Some(group) = &self.group {
            fields.push(format!("group = {};", group.render()));
        }
        match first {
            None if fields.is_empty() => "directory {}".to_owned(),
            None => format!("directory {{ {} }}", fields.join(" ")),
            Some((_, value)) if fields.is_empty() => value,
            Some((name, value)) => {
                format!("{function} {{ {name} = {value}; {} }}", fields.join(" "))
            }
        }
    }
}

/// A group of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Its name.
    pub(super) name: String,
    /// Its number.
    pub(super) gid: u32,
}

impl Group {
    /// It in the language.
    pub(super) fn render(&self) -> String {
        format!("{{ name = {}; gid = {}; }}", string(&self.name), self.gid)
    }
}

/// The primary group of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Primary {
    /// One of the user's name and number.
    Own,
    /// One of the image's groups.
    Name(String),
    /// One that a package brings.
    Number(u32),
}

/// A user of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    /// The login name.
    pub(super) name: String,
    /// The number.
    pub(super) uid: u32,
    /// The primary group.
    pub(super) primary: Primary,
    /// Further groups.
    pub(super) groups: Vec<String>,
    /// The home folder.
    pub(super) home: Option<String>,
    /// The login shell.
    pub(super) shell: String,
    /// A line about the user.
    pub(super) comment: Option<String>,
}

impl User {
    /// It in the language.
    pub(super) fn render(&self) -> String {
        let mut out = format!("{{ name = {}; uid = {};", string(&self.name), self.uid);
        match &self.primary {
            Primary::Own => {}
            Primary::Name(name) => out.push_str(&format!(" group = {};", string(name))),
            Primary::Number(gid) => out.push_str(&format!(" gid = {gid};")),
        }
        if !self.groups.is_empty() {
            let groups: Vec<String> = self.groups.iter().map(|name| string(name)).collect();
            out.push_str(&format!(" groups = [{}];", groups.join(", ")));
        }
        if let Some(home) = &self.home {
            out.push_str(&format!(" home = {};", string(home)));
        }
        // Without it, the language has another one than Debian's commands.
        if self.shell != "/usr/sbin/nologin" {
            out.push_str(&format!(" shell = {};", string(&self.shell)));
        }
        if let Some(comment) = &self.comment {
            out.push_str(&format!(" comment = {};", string(comment)));
        }
        out.push_str(" }");
        out
    }

    /// What the files of this user belong to, as a group.
    pub(super) fn group_owner(&self) -> Owner {
        match &self.primary {
            Primary::Own => Owner::Name(self.name.clone()),
            Primary::Name(name) => Owner::Name(name.clone()),
            Primary::Number(gid) => Owner::Number(*gid),
        }
    }
}

/// A string literal.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' => out.push_str("\\$"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || !is_plain(c) => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters that change the direction of a text are written by their numbers.
fn is_plain(c: char) -> bool {
    !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text, over several lines where that is the same text.
fn long(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let fits = lines.len() > 1
        && text.ends_with('\n')
        && !text.contains(['\t', '\r', '\\'])
        && !text.contains("\"\"\"")
        && text
            .chars()
            .all(|c| is_plain(c) && (c == '\n' || !c.is_control()))
        && lines
            .iter()
            .any(|line| !line.is_empty() && !line.starts_with(' '))
        && lines.iter().all(|line| !line.ends_with(' '));
    if !fits {
        return string(text);
    }
    let mut out = String::from("\"\"\"\n");
    for line in lines {
        if !line.is_empty() {
            out.push_str("      ");
            out.push_str(&line.replace('$', "\\$"));
        }
        out.push('\n');
    }
    out.push_str("      \"\"\"");
    out
}
