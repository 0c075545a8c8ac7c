//! debconf's databases as files: items with fields, owners, flags and variables, in the
//! format of `/var/cache/debconf/*.dat`. It knows nothing of what the items mean.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};

/// A question or a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) fields: BTreeMap<BString, BString>,
    pub(super) owners: BTreeSet<BString>,
    pub(super) flags: BTreeMap<BString, BString>,
    pub(super) variables: BTreeMap<BString, BString>,
}

/// The items of one file, by name. A copy is cheap.
#[derive(Debug, Clone, Default)]
pub(super) struct Store {
    items: BTreeMap<BString, Rc<Item>>,
    /// The items that are newer than the file.
    dirty: BTreeSet<BString>,
}

impl Store {
    /// Reads a file.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut store = Self::default();
        let mut lines = bytes.lines().peekable();
        while lines.peek().is_some() {
            let record: Vec<&[u8]> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            if let Some((name, item)) = parse_item(&record) {
                store.items.insert(name, Rc::new(item));
            }
        }
        store
    }

    /// The file.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for (name, item) in &self.items {
            write_item(&mut text, name.as_ref(), item);
        }
        text
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Item> {
        self.items.get(BStr::new(name)).map(|item| &**item)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &BString> {
        self.items.keys()
    }

    pub(super) fn field(&self, name: &[u8], field: &[u8]) -> Option<&BString> {
        self.get(name)?.fields.get(BStr::new(field))
    }

    /// The item, to change it, if it is there.
    pub(super) fn get_mut(&mut self, name: &[u8]) -> Option<&mut Item> {
        let item = self.items.get_mut(BStr::new(name))?;
        self.dirty.insert(name.into());
        Some(Rc::make_mut(item))
    }

    /// Makes `owner` one of the owners; the item is made if it is not there.
    pub(super) fn add_owner(&mut self, name: &[u8], owner: &[u8]) {
        let item = self.items.entry(name.into()).or_default();
        if !item.owners.contains(BStr::new(owner)) {
            Rc::make_mut(item).owners.insert(owner.into());
            self.dirty.insert(name.into());
        }
    }

    /// Drops an owner, and the item with its last one. Says whether it was there.
    pub(super) fn remove_owner(&mut self, name: &[u8], owner: &[u8]) -> bool {
        let Some(item) = self.items.get_mut(BStr::new(name)) else {
            return false;
        };
        if item.owners.contains(BStr::new(owner)) {
            Rc::make_mut(item).owners.remove(BStr::new(owner));
            self.dirty.insert(name.into());
        }
        if item.owners.is_empty() {
            self.items.remove(BStr::new(name));
            self.dirty.insert(name.into());
        }
        true
    }

    /// Whether the file must be written. What was changed becomes what reading it again
    /// would give.
    pub(super) fn settle(&mut self) -> bool {
        let dirty = std::mem::take(&mut self.dirty);
        for name in &dirty {
            if let Some(item) = self.items.get_mut(name) {
                let item = Rc::make_mut(item);
                item.flags.retain(|_, value| value == "true");
                for value in item.fields.values_mut().chain(item.variables.values_mut()) {
                    if value.contains_str("\\n") {
                        *value = value.replace("\\n", "\n").into();
                    }
                }
            }
        }
        !dirty.is_empty()
    }
}

fn parse_item(lines: &[&[u8]]) -> Option<(BString, Item)> {
    let mut item = Item::default();
    let mut name = None;
    let mut variables = false;
    let unescape = |value: &[u8]| BString::from(value.replace("\\n", "\n"));
    let list = |value: &[u8]| -> Vec<BString> {
        let words = value
            .split_str(",")
            .map(|word| word.trim_ascii_start().into());
        words.filter(|word: &BString| !word.is_empty()).collect()
    };
    for line in lines {
        if variables && line.first().is_some_and(u8::is_ascii_whitespace) {
            let line = line.trim_ascii_start();
            let (key, value) = line.split_once_str("=").unwrap_or((line, b""));
            let value = strip_space(value);
            item.variables
                .insert(key.trim_ascii_end().into(), unescape(value));
            continue;
        }
        variables = false;
        let (key, value) = line.split_once_str(":").unwrap_or((&line[..], b""));
        let value = strip_space(value);
        match key.to_ascii_lowercase().as_slice() {
            b"owners" => item.owners.extend(list(value)),
            b"flags" => {
                let flags = list(value).into_iter();
                item.flags.extend(flags.map(|flag| (flag, "true".into())));
            }
            b"variables" => variables = true,
            b"name" => name = Some(BString::from(value)),
            b"" => {}
            key => {
                item.fields.insert(key.into(), unescape(value));
            }
        }
    }
    Some((name?, item))
}

fn strip_space(value: &[u8]) -> &[u8] {
    match value.first() {
        Some(byte) if byte.is_ascii_whitespace() => &value[1..],
        _ => value,
    }
}

fn write_item(text: &mut Vec<u8>, name: &BStr, item: &Item) {
    let mut line = |parts: &[&[u8]]| {
        for part in parts {
            text.extend_from_slice(part);
        }
        text.push(b'\n');
    };
    line(&[b"Name: ", name]);
    for (field, value) in &item.fields {
        let mut title = field.clone();
        if let Some(first) = title.first_mut() {
            first.make_ascii_uppercase();
        }
        line(&[&title, b": ", &value.replace("\n", "\\n")]);
    }
    let owners: Vec<&BString> = item.owners.iter().collect();
    if !owners.is_empty() {
        line(&[b"Owners: ", &bstr::join(", ", owners)]);
    }
    let flags = item.flags.iter().filter(|(_, value)| *value == "true");
    let flags: Vec<&BString> = flags.map(|(flag, _)| flag).collect();
    if !flags.is_empty() {
        line(&[b"Flags: ", &bstr::join(", ", flags)]);
    }
    if !item.variables.is_empty() {
        line(&[b"Variables:"]);
        for (variable, value) in &item.variables {
            line(&[b" ", variable, b" = ", &value.replace("\n", "\\n")]);
        }
    }
    line(&[]);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Name: a/b\nTemplate: a/b\nValue: one\\ntwo\nOwners: libx, libx:amd64\n\
        Flags: seen\nVariables:\n choices = x, y\n empty = \n\nName: c\nValue: \nOwners: c\n\n";

    #[test]
    fn writes_what_it_reads() {
        let store = Store::parse(TEXT.as_bytes());
        assert_eq!(store.text(), TEXT.as_bytes());
        let item = store.get(b"a/b").expect("an item");
        assert_eq!(item.fields[BStr::new("value")], "one\ntwo");
        assert_eq!(item.variables[BStr::new("choices")], "x, y");
        assert_eq!(item.owners.len(), 2);
    }

    #[test]
    fn the_last_owner_takes_the_item_along() {
        let mut store = Store::parse(TEXT.as_bytes());
        assert!(store.remove_owner(b"a/b", b"libx"));
        assert!(store.get(b"a/b").is_some());
        assert!(store.remove_owner(b"a/b", b"libx:amd64"));
        assert!(store.get(b"a/b").is_none());
        assert!(!store.remove_owner(b"a/b", b"libx"));
        assert!(store.settle());
        assert!(!store.settle());
    }
}
