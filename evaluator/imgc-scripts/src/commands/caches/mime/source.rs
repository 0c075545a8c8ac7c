//! Reads descriptions of types. A type with a mistake is left where the mistake is, as
//! the real program does; what is not known for sure refuses the whole file.

use std::borrow::Cow;

use super::magic::{self, Magic, Tree};
use crate::commands::caches::markup::{self, Attributes, Event};
use crate::commands::caches::placing::Named;

/// The namespace of all elements that mean something.
pub(super) const SPACE: &str = "http://www.freedesktop.org/standards/shared-mime-info";

/// Stands for the pattern that takes back all patterns of a type.
const NO_GLOBS: &[u8] = b"__NOGLOBS__";

/// What ends reading.
#[derive(Debug)]
pub(super) enum Fault {
    /// A mistake in a type: the rest of the type is left out.
    Type(String),
    /// It is not known what the real program would make of it.
    Unknown(String),
}

pub(super) fn mistake<T>(said: &str) -> Result<T, Fault> {
    Err(Fault::Type(said.to_owned()))
}

pub(super) fn unknown<T>(said: &str) -> Result<T, Fault> {
    Err(Fault::Unknown(said.to_owned()))
}

/// A pattern of names.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    pub(super) weight: i32,
    pub(super) pattern: Vec<u8>,
    pub(super) kind: Vec<u8>,
    /// Whether it takes back all patterns instead.
    pub(super) none: bool,
    pub(super) case_sensitive: bool,
}

/// What is said of a type beside: lines for its own file, with the language of comments.
#[derive(Debug, Default)]
pub(super) struct Type {
    pub(super) lines: Vec<(Option<Comment>, String)>,
}

/// The language of a comment; none where it has none.
type Comment = Option<String>;

/// All that was read.
#[derive(Debug, Default)]
pub(super) struct Database {
    pub(super) types: Named<Type>,
    pub(super) globs: Named<Vec<Glob>>,
    pub(super) magic: Vec<Magic>,
    pub(super) trees: Vec<Tree>,
    pub(super) namespaces: Named<Vec<u8>>,
    pub(super) parents: Named<Vec<Vec<u8>>>,
    pub(super) aliases: Named<Vec<u8>>,
    pub(super) icons: Named<Vec<u8>>,
    pub(super) generic_icons: Named<Vec<u8>>,
}

/// An element.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) name: &'a str,
    attributes: Attributes<'a>,
    pub(super) children: Vec<Element<'a>>,
    text: Cow<'a, str>,
    /// Whether it is of the namespace; none where it has no namespace.
    free: Option<bool>,
}

impl Element<'_> {
    /// An attribute.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| &**value)
    }

    /// Whether an attribute is `true`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Whether it is the element `name` of the namespace.
    pub(super) fn is_free(&self, name: &str) -> bool {
        self.free == Some(true) && self.name == name
    }

    /// A number from 0 to 100; 50 where it is not said, none where it is no such number.
    pub(super) fn number(&self, name: &str) -> Option<i32> {
        let Some(text) = self.get(name) else {
            return Some(50);
        };
        let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let digits = text.strip_prefix('+').unwrap_or(text);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| plain);
        number.filter(|number| (0..=100).contains(number))
    }
}

impl Database {
    /// Reads a file. Gives what was wrong in it; an error says what is not known.
    pub(super) fn read(&mut self, text: &str) -> Result<Vec<String>, String> {
        let text = match text.contains('\r') {
            true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
            false => Cow::Borrowed(text),
        };
        if let Some(head) = text.strip_prefix("<?xml")
            && let Some((head, _)) = head.split_once("?>")
            && let Some((_, encoding)) = head.split_once("encoding")
            && !encoding.to_ascii_lowercase().contains("utf-8")
        {
            return Err("its encoding".to_owned());
        }
        let mut reading = Reading {
            database: self,
            open: Vec::new(),
            said: Vec::new(),
            ended: false,
        };
        let mut done = Ok(());
        let read = markup::each(&text, &mut |event| {
            if done.is_ok() {
                done = reading.event(event);
            }
        });
        done?;
        match read {
            Some(()) if reading.ended => Ok(reading.said),
            _ => Err("its XML can't be read".to_owned()),
        }
    }

    fn element(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        if !element.is_free("mime-type") {
            return mistake("an element is not mime-type");
        }
        let Some(name) = element.get("type") else {
            return mistake("a mime-type has no type");
        };
        if name.bytes().filter(|&b| b == b'/').count() != 1 {
            return mistake("a type is not one");
        }
        let odd = |b: u8| b.is_ascii_whitespace() || b.is_ascii_control();
        if name.starts_with(['/', '.']) || name.ends_with('/') || name.bytes().any(odd) {
            return unknown("the name of a type");
        }
        self.types.entry(name.as_bytes(), Type::default);
        for field in &element.children {
            if field.free == Some(true) && !self.field(name, field)? {
                continue;
            }
            let comment = field
                .is_free("comment")
                .then(|| field.get("xml:lang").map(str::to_owned));
            let line = line(field)?;
            let lines = &mut self.types.entry(name.as_bytes(), Type::default).lines;
            if comment.is_some()
                && let Some(at) = lines.iter().position(|(old, _)| *old == comment)
            {
                lines.remove(at);
            }
            lines.push((comment, line));
        }
        Ok(())
    }

    /// Takes what a field says of a type. Whether it belongs in the type's own file too.
    fn field(&mut self, name: &str, field: &Element<'_>) -> Result<bool, Fault> {
        let kind = name.as_bytes();
        match field.name {
            "glob" => {
                let Some(weight) = field.number("weight") else {
                    return unknown("the weight of a glob");
                };
                let case_sensitive = field.is("case-sensitive");
                let Some(pattern) = field.get("pattern").filter(|text| !text.is_empty()) else {
                    return mistake("a glob has no pattern");
                };
                if pattern.contains('\n') || pattern.len() > 250 || pattern == "*" {
                    return unknown("the pattern of a glob");
                }
                let mut pattern = pattern.as_bytes().to_vec();
                if !case_sensitive {
                    pattern.make_ascii_lowercase();
                }
                self.glob(Glob {
                    weight,
                    pattern,
                    kind: kind.to_vec(),
                    none: false,
                    case_sensitive,
                });
            }
            "glob-deleteall" => self.glob(Glob {
                weight: 0,
                pattern: NO_GLOBS.to_vec(),
                kind: kind.to_vec(),
                none: true,
                case_sensitive: false,
            }),
            "magic" => {
                self.magic.push(magic::magic(kind, field)?);
                return Ok(false);
            }
            "magic-deleteall" => {
                self.magic.push(Magic::none(kind));
                return Ok(false);
            }
            "treemagic" => {
                self.trees.push(magic::tree(kind, field)?);
                return Ok(false);
            }
            "comment" | "acronym" | "expanded-acronym" => {}
            "alias" | "sub-class-of" => {
                let other = field.get("type").filter(|other| other.contains('/'));
                let Some(other) = other else {
                    return mistake("a type beside is not one");
                };
                let other = other.as_bytes();
                if field.name == "alias" {
                    self.aliases.set(other, kind.to_vec());
                } else {
                    self.parents.entry(kind, Vec::new).push(other.to_vec());
                }
            }
            "root-XML" => {
                self.namespace(kind, field)?;
                return Ok(false);
            }
            "icon" | "generic-icon" => {
                let Some(icon) = field.get("name") else {
                    return Ok(false);
                };
                let icons = match field.name {
                    "icon" => &mut self.icons,
                    _ => &mut self.generic_icons,
                };
                icons.set(kind, icon.as_bytes().to_vec());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn glob(&mut self, glob: Glob) {
        let pattern = glob.pattern.clone();
        self.globs.entry(&pattern, Vec::new).push(glob);
    }

    fn namespace(&mut self, kind: &[u8], field: &Element<'_>) -> Result<(), Fault> {
        let (Some(space), Some(local)) = (field.get("namespaceURI"), field.get("localName")) else {
            return mistake("an element of XML has no name");
        };
        if space.is_empty() && local.is_empty() {
            return mistake("an element of XML has no name");
        }
        if space.contains([' ', '\n']) || local.contains([' ', '\n']) {
            return mistake("an element of XML has a space in its name");
        }
        let key = format!("{space} {local}");
        self.namespaces.set(key.as_bytes(), kind.to_vec());
        Ok(())
    }
}

/// A document that is being read. A type is taken into the database where it ends: all of
/// them together would be many times the size of the text.
struct Reading<'d, 'a> {
    database: &'d mut Database,
    /// The elements that are open, each with its namespace.
    open: Vec<(Element<'a>, Cow<'a, str>)>,
    /// What was wrong.
    said: Vec<String>,
    /// Whether the root is closed.
    ended: bool,
}

impl<'a> Reading<'_, 'a> {
    fn event(&mut self, event: Event<'a>) -> Result<(), String> {
        match event {
            Event::DocumentType(said) => usual(said)?,
            Event::Text(text) => match self.open.last_mut() {
                Some((element, _)) if element.text.is_empty() => element.text = text,
                Some((element, _)) => element.text.to_mut().push_str(&text),
                None if text.trim().is_empty() => {}
                None => return Err("it has text around its XML".to_owned()),
            },
            Event::Start(name, attributes) => {
                if self.ended || self.open.len() > 32 {
                    return Err("how its elements lie".to_owned());
                }
                let space = attributes.iter().find(|(name, _)| *name == "xmlns");
                let outer = self.open.last().map(|(_, space)| space);
                let space = space.map(|(_, space)| space).or(outer);
                let space = space.cloned().unwrap_or_default();
                let free = match name.contains(':') {
                    // It would be copied with its namespace.
                    true => return Err(format!("the element {name}")),
                    false => (!space.is_empty()).then_some(space == SPACE),
                };
                let element = Element {
                    name,
                    attributes,
                    children: Vec::new(),
                    text: Cow::Borrowed(""),
                    free,
                };
                if self.open.is_empty() && !element.is_free("mime-info") {
                    self.said
                        .push("the document is not one of types".to_owned());
                }
                self.open.push((element, space));
            }
            Event::End(name) => {
                let (element, _) = self
                    .open
                    .pop()
                    .filter(|(element, _)| element.name == name)
                    .ok_or("its XML can't be read")?;
                match &mut self.open[..] {
                    [] => self.ended = true,
                    [(root, _)] if root.is_free("mime-info") => {
                        match self.database.element(&element) {
                            Ok(()) => {}
                            Err(Fault::Type(error)) => self.said.push(error),
                            Err(Fault::Unknown(error)) => return Err(error),
                        }
                    }
                    [_] => {}
                    [.., (outer, _)] => outer.children.push(element),
                }
            }
        }
        Ok(())
    }
}

/// Refuses a document type that changes what is read: one with entities of its own, or
/// with values that attributes have where they are not written.
fn usual(said: &str) -> Result<(), String> {
    let quoted = |text: &str| {
        let mut values = text.split('"').skip(1).step_by(2);
        values.all(|value| value == "50" || value == SPACE)
    };
    let lists = said.split("<!ATTLIST").skip(1);
    let mut lists = lists.map(|list| list.split('>').next().unwrap_or_default());
    if said.contains("<!ENTITY") || !lists.all(quoted) {
        return Err("its document type".to_owned());
    }
    Ok(())
}

/// A field as it is copied to a type's own file.
fn line(field: &Element<'_>) -> Result<String, Fault> {
    if field.free != Some(true) || !field.children.is_empty() {
        return unknown("an element that is not of the format");
    }
    let mut line = format!("  <{}", field.name);
    for (name, value) in &field.attributes {
        if *name == "xmlns" {
            continue;
        }
        if name.contains(':') && !name.starts_with("xml:") {
            return unknown("an attribute that is not of the format");
        }
        for part in [" ", name, "=\"", &attribute(value), "\""] {
            line.push_str(part);
        }
    }
    if field.text.is_empty() {
        line.push_str("/>\n");
        return Ok(line);
    }
    line.push_str(&format!(">{}</{}>\n", content(&field.text), field.name));
    Ok(line)
}

/// A value as it is written in an attribute.
pub(super) fn attribute(value: &str) -> Cow<'_, str> {
    escaped(value, &['"', '\n', '\t'])
}

fn content(text: &str) -> Cow<'_, str> {
    escaped(text, &[])
}

/// Text with what XML does not take as it is written out, and `more` too.
fn escaped<'t>(text: &'t str, more: &[char]) -> Cow<'t, str> {
    let special = |c: char| "&<>\r".contains(c) || more.contains(&c);
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '"' if special(c) => out.push_str("&quot;"),
            '\n' if special(c) => out.push_str("&#10;"),
            '\t' if special(c) => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
