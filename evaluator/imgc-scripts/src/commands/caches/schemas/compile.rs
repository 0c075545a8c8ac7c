//! Makes GLib's database of settings of the schemas and overrides that there are. What
//! the real compiler would warn of or leave out is refused.

use std::collections::BTreeMap;

use super::gvdb::{Table, Value, file};
use super::variant::{self, Type};
use crate::commands::caches::markup::{Event, read};
use crate::commands::caches::placing::{Placing, hash};

/// Strings with numbers, in words of four bytes.
type Strings = Vec<u8>;

#[derive(Debug)]
struct Key {
    kind: Type,
    letters: String,
    default: Option<Vec<u8>>,
    /// The kind of translation, and what is translated.
    translated: Option<(u8, String)>,
    /// `c`, `e` or `f`, for what follows.
    choice: u8,
    strings: Strings,
    range: Option<(Vec<u8>, Vec<u8>)>,
    /// The schema that a child has.
    child: Option<String>,
}

#[derive(Debug, Default)]
struct Schema {
    /// In order: what is told of the schema itself.
    about: Vec<(&'static str, String)>,
    keys: Vec<(String, Key)>,
}

/// All schemas, in the order in which they were read.
#[derive(Debug, Default)]
pub(super) struct Compiler {
    schemas: Vec<(String, Schema)>,
    /// Enumerations, and whether they are flags.
    enums: BTreeMap<String, (Strings, bool)>,
}

type Attributes = BTreeMap<String, String>;

impl Compiler {
    /// Reads a file of schemas. An error says what is not known of it.
    pub(super) fn schemas(&mut self, text: &str) -> Result<(), String> {
        let events = read(text).ok_or("its XML can't be read")?;
        let mut open: Vec<(String, Attributes)> = Vec::new();
        let mut said = String::new();
        let mut domain = None;
        for event in events {
            match event {
                Event::DocumentType(_) => {}
                Event::Text(text) => said.push_str(&text),
                Event::Start(name, attributes) => {
                    let name = name.to_owned();
                    let attributes = attributes.into_iter();
                    let attributes: Attributes = attributes
                        .map(|(name, value)| (name.to_owned(), value.into_owned()))
                        .collect();
                    let above = open.last().map_or("", |(name, _)| name.as_str());
                    match (above, name.as_str()) {
                        ("", "schemalist") => domain = attributes.get("gettext-domain").cloned(),
                        ("schemalist", "schema") => self.schema(&attributes, domain.as_ref())?,
                        ("schemalist", "enum" | "flags") => {
                            let id = attributes.get("id").cloned().ok_or("an enum has no id")?;
                            self.enums.insert(id, (Vec::new(), name == "flags"));
                        }
                        ("enum" | "flags", "value") => self.member(&open, &attributes)?,
                        ("schema", "key") => self.key(&attributes)?,
                        ("schema", "child") => self.child(&attributes)?,
                        ("key", "range") => self.range(&attributes)?,
                        ("choices", "choice") | ("aliases", "alias") => {
                            self.string(&name, &attributes)?;
                        }
                        ("key", "default" | "summary" | "description" | "choices" | "aliases") => {}
                        _ => return Err(format!("<{name}> is not known there")),
                    }
                    open.push((name, attributes));
                    said.clear();
                }
                Event::End(name) => {
                    let (opened, attributes) = open.pop().ok_or("its XML is not balanced")?;
                    if opened != name {
                        return Err("its XML is not balanced".to_owned());
                    }
                    if name == "default" {
                        self.default(&said, &attributes)?;
                    }
                }
            }
        }
        if !open.is_empty() {
            return Err("its XML is not balanced".to_owned());
        }
        Ok(())
    }

    fn schema(&mut self, attributes: &Attributes, domain: Option<&String>) -> Result<(), String> {
        let id = attributes.get("id").ok_or("a schema has no id")?;
        if self.schemas.iter().any(|(known, _)| known == id) {
            return Err(format!("{id} is there twice"));
        }
        let mut schema = Schema::default();
        for (name, attribute) in [
            (".extends", "extends"),
            (".list-of", "list-of"),
            (".path", "path"),
            (".gettext-domain", "gettext-domain"),
        ] {
            let value = attributes.get(attribute);
            let value = value.or(domain.filter(|_| attribute == "gettext-domain"));
            schema
                .about
                .extend(value.map(|value| (name, value.clone())));
        }
        self.schemas.push((id.clone(), schema));
        Ok(())
    }

    fn member(
        &mut self,
        open: &[(String, Attributes)],
        attributes: &Attributes,
    ) -> Result<(), String> {
        let id = open.last().and_then(|(_, attributes)| attributes.get("id"));
        let strings = id.and_then(|id| self.enums.get_mut(id));
        let (strings, _) = strings.ok_or("an enum is not known")?;
        let value = attributes.get("value").and_then(|value| integer(value));
        let nick = attributes.get("nick").ok_or("a value has no nick")?;
        append(strings, value.ok_or("a value has no number")?, 0xff, nick);
        Ok(())
    }

    fn key(&mut self, attributes: &Attributes) -> Result<(), String> {
        let name = attributes.get("name").ok_or("a key has no name")?;
        let named = attributes.get("enum").or_else(|| attributes.get("flags"));
        let mut choice = b'c';
        let mut strings = Vec::new();
        let letters = match (attributes.get("type"), named) {
            (Some(letters), None) => letters.as_str(),
            (None, Some(id)) => {
                let (values, flags) = self.enums.get(id).ok_or("an enum is not known")?;
                strings.clone_from(values);
                choice = if *flags { b'f' } else { b'e' };
                if *flags { "as" } else { "s" }
            }
            _ => return Err(format!("the key {name} has no type")),
        };
        let kind = variant::parse_type(letters);
        let kind = kind.ok_or_else(|| format!("the type {letters} is not known"))?;
        let key = Key {
            kind,
            letters: letters.to_owned(),
            default: None,
            translated: None,
            choice,
            strings,
            range: None,
            child: None,
        };
        self.add(name.clone(), key)
    }

    fn child(&mut self, attributes: &Attributes) -> Result<(), String> {
        let (Some(name), Some(schema)) = (attributes.get("name"), attributes.get("schema")) else {
            return Err("a child has no schema".to_owned());
        };
        let key = Key {
            kind: Type::Basic(b's'),
            letters: "s".to_owned(),
            default: None,
            translated: None,
            choice: b'c',
            strings: Vec::new(),
            range: None,
            child: Some(schema.clone()),
        };
        self.add(format!("{name}/"), key)
    }

    fn add(&mut self, name: String, key: Key) -> Result<(), String> {
        let (_, schema) = self.schemas.last_mut().ok_or("a key has no schema")?;
        if schema.keys.iter().any(|(known, _)| *known == name) {
            return Err(format!("the key {name} is there twice"));
        }
        schema.keys.push((name, key));
        Ok(())
    }

    /// The key that is being read.
    fn last(&mut self) -> Result<&mut Key, String> {
        let schema = self.schemas.last_mut();
        let key = schema.and_then(|(_, schema)| schema.keys.last_mut());
        Ok(&mut key.ok_or("there is no key")?.1)
    }

    fn range(&mut self, attributes: &Attributes) -> Result<(), String> {
        let key = self.last()?;
        let (mut least, mut most) = variant::bounds(&key.kind).ok_or("a range has no numbers")?;
        for (name, bound) in [("min", &mut least), ("max", &mut most)] {
            if let Some(text) = attributes.get(name) {
                *bound = variant::parse(text, &key.kind).ok_or("a range can't be read")?;
            }
        }
        key.range = Some((least, most));
        Ok(())
    }

    fn string(&mut self, name: &str, attributes: &Attributes) -> Result<(), String> {
        let key = self.last()?;
        let value = attributes.get("value").ok_or("a choice has no value")?;
        if name == "choice" {
            append(&mut key.strings, 0, 0xff, value);
            return Ok(());
        }
        let target = attributes.get("target").ok_or("an alias has no target")?;
        let words = words(0xff, target);
        let mut places = key.strings.chunks(4).enumerate();
        let found = places.find(|(at, _)| key.strings[4 * at..].starts_with(&words));
        let (at, _) = found.ok_or("an alias has no target")?;
        let at = u32::try_from(at).map_err(|_| "there are too many choices")?;
        // The number before the target is where its entry begins.
        let at = at.checked_sub(1).ok_or("an alias has no target")?;
        append(&mut key.strings, at, 0xfe, value);
        Ok(())
    }

    fn default(&mut self, text: &str, attributes: &Attributes) -> Result<(), String> {
        let key = self.last()?;
        let value = variant::parse(text, &key.kind);
        key.default = Some(value.ok_or_else(|| format!("the default {text} can't be read"))?);
        if let Some(kind) = attributes.get("l10n") {
            let first = kind
                .bytes()
                .next()
                .filter(|_| kind == "messages" || kind == "time");
            let text = match attributes.get("context") {
                Some(context) => format!("{context}\u{4}{text}"),
                None => text.to_owned(),
            };
            key.translated = Some((first.ok_or("this l10n is not known")?, text));
        }
        Ok(())
    }

    /// Reads a file of other defaults.
    pub(super) fn overrides(&mut self, text: &str) -> Result<(), String> {
        let mut at = None;
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                if name.contains(':') {
                    return Err("overrides for one desktop are not known".to_owned());
                }
                at = Some(self.schemas.iter().position(|(known, _)| known == name));
                continue;
            }
            let (key, value) = line.split_once('=').ok_or("a line has no value")?;
            // Schemas that are not installed are none of its business.
            let Some(schema) = at.ok_or("a line has no schema")? else {
                continue;
            };
            let key = key.trim_end();
            let keys = &mut self.schemas[schema].1.keys;
            let (_, key) = keys
                .iter_mut()
                .find(|(known, _)| known == key)
                .ok_or_else(|| format!("the key {key} is not known"))?;
            let value = variant::parse(value, &key.kind);
            key.default = Some(value.ok_or("a value can't be read")?);
        }
        Ok(())
    }

    /// The bytes of the database.
    pub(super) fn pack(self) -> Result<Vec<u8>, String> {
        let mut placing = Placing::default();
        for (number, (id, _)) in self.schemas.iter().enumerate() {
            placing.add(hash(id.as_bytes()), number);
        }
        let mut root = Table::default();
        let top = root.add(b"", Value::List, None);
        for number in placing.iter() {
            let (id, schema) = &self.schemas[number];
            root.add(id.as_bytes(), Value::Table(schema.pack()?), Some(top));
        }
        Ok(file(&root))
    }
}

impl Schema {
    fn pack(&self) -> Result<Table, String> {
        let mut table = Table::default();
        let top = table.add(b"", Value::List, None);
        // The domain of translations matters only where there are some.
        let (domain, about): (Vec<_>, Vec<_>) = self
            .about
            .iter()
            .partition(|(name, _)| *name == ".gettext-domain");
        let mut placing = Placing::default();
        for (number, (name, _)) in self.keys.iter().enumerate() {
            placing.add(hash(name.as_bytes()), number);
        }
        for number in placing.iter() {
            let (name, key) = &self.keys[number];
            let value = match &key.child {
                Some(schema) => text_value(schema),
                None => Value::Bytes(key.pack(name)?),
            };
            table.add(name.as_bytes(), value, Some(top));
        }
        for (name, text) in about {
            table.add(name.as_bytes(), text_value(text), None);
        }
        if self.keys.iter().any(|(_, key)| key.translated.is_some()) {
            for (name, text) in domain {
                table.add(name.as_bytes(), text_value(text), None);
            }
        }
        Ok(table)
    }
}

fn text_value(text: &str) -> Value {
    let mut bytes = variant::string(text);
    bytes.extend_from_slice(b"\0s");
    Value::Bytes(bytes)
}

impl Key {
    fn pack(&self, name: &str) -> Result<Vec<u8>, String> {
        let default = self.default.clone();
        let default = default.ok_or_else(|| format!("the key {name} has no default"))?;
        let mut parts = vec![(self.kind.clone(), default)];
        let mut letters = format!("({}", self.letters);
        let byte = || Type::Basic(b'y');
        let mut add = |mark: u8, kind: Type, value: Vec<u8>, of: &str| {
            let packed = variant::tuple(&[(byte(), vec![mark]), (kind.clone(), value)]);
            parts.push((Type::Tuple(vec![byte(), kind]), packed));
            letters.push_str(of);
        };
        if let Some((kind, text)) = &self.translated {
            let string = Type::Basic(b's');
            let value = variant::tuple(&[
                (byte(), vec![*kind]),
                (string.clone(), variant::string(text)),
            ]);
            add(b'l', Type::Tuple(vec![byte(), string]), value, "(y(ys))");
        }
        if !self.strings.is_empty() {
            let words = Type::Array(Box::new(Type::Basic(b'u')));
            add(self.choice, words, self.strings.clone(), "(yau)");
        }
        if let Some((least, most)) = &self.range {
            let kind = &self.kind;
            let value =
                variant::tuple(&[(kind.clone(), least.clone()), (kind.clone(), most.clone())]);
            let of = format!("(y({0}{0}))", self.letters);
            add(b'r', Type::Tuple(vec![kind.clone(); 2]), value, &of);
        }
        let mut bytes = variant::tuple(&parts);
        letters.push(')');
        bytes.push(0);
        bytes.extend_from_slice(letters.as_bytes());
        Ok(bytes)
    }
}

fn integer(text: &str) -> Option<u32> {
    let value: i64 = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok()?,
        None => text.parse().ok()?,
    };
    u32::try_from(value)
        .ok()
        .or_else(|| i32::try_from(value).ok().map(i32::cast_unsigned))
}

/// A string between its mark and 0xff, in whole words.
fn words(mark: u8, text: &str) -> Vec<u8> {
    let count = ((text.len() + 6) / 4).max(2);
    let mut words = vec![0; 4 * count];
    words[0] = mark;
    words[1..=text.len()].copy_from_slice(text.as_bytes());
    words[4 * count - 1] = 0xff;
    words
}

fn append(strings: &mut Strings, value: u32, mark: u8, text: &str) {
    strings.extend_from_slice(&value.to_le_bytes());
    strings.extend_from_slice(&words(mark, text));
}
