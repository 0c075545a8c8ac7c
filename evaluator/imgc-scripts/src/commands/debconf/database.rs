//! debconf's templates, questions and answers, and what can be done with them. How
//! scripts ask for it is `session`'s.

use bstr::{BStr, BString, ByteSlice as _, ByteVec as _};
use imgc_tree::{Content, Node};

use super::session::Session;
use super::store::{Item, Store};
use super::template;
use crate::machine::Machine;

const FOLDER: &str = "/var/cache/debconf";

/// Templates, questions and answers, and the session that a script has with them.
#[derive(Debug, Default)]
pub(crate) struct Database {
    loaded: bool,
    /// Questions, but for passwords.
    config: Store,
    passwords: Store,
    pub(super) templates: Store,
    /// What talks to a script, while one runs.
    pub(super) session: Option<Session>,
}

/// Reads the database where that was not done, and makes its files.
pub(super) fn load(machine: &mut Machine<'_>) {
    if machine.debconf.loaded {
        return;
    }
    let mut read = |name: &str, mode: u32| {
        let path = format!("{FOLDER}/{name}.dat");
        if let Ok(bytes) = machine.files.read(path.as_bytes()) {
            return Store::parse(&bytes);
        }
        put(machine, name, mode, None);
        Store::default()
    };
    let (config, passwords) = (read("config", 0o644), read("passwords", 0o600));
    let templates = read("templates", 0o644);
    let database = &mut machine.debconf;
    (database.config, database.passwords, database.templates) = (config, passwords, templates);
    database.loaded = true;
}

/// Writes the files of what has changed.
pub(super) fn save(machine: &mut Machine<'_>) {
    if machine.debconf.config.settle() {
        put(
            machine,
            "config",
            0o644,
            Some(machine.debconf.config.clone()),
        );
    }
    if machine.debconf.passwords.settle() {
        put(
            machine,
            "passwords",
            0o600,
            Some(machine.debconf.passwords.clone()),
        );
    }
    if machine.debconf.templates.settle() {
        put(
            machine,
            "templates",
            0o644,
            Some(machine.debconf.templates.clone()),
        );
    }
}

/// Puts a new file in the place of the one that was there.
fn put(machine: &mut Machine<'_>, name: &str, mode: u32, store: Option<Store>) {
    let path = format!("{FOLDER}/{name}.dat");
    let files = &mut machine.files;
    let epoch = files.epoch();
    let node = Node::file(Content::inline(&b""[..]), mode, epoch);
    // Where the folder can't be made, debconf could not go on either.
    let _ = files.mkdir_all(FOLDER.as_bytes(), 0o755);
    if files.insert(path.as_bytes(), node).is_ok()
        && let Some(store) = store
    {
        let _ = files.defer(path.as_bytes(), std::rc::Rc::new(move || store.text()));
    }
}

impl Database {
    // Questions.

    fn store(&self, question: &[u8]) -> &Store {
        if self.config.get(question).is_none() && self.passwords.get(question).is_some() {
            &self.passwords
        } else {
            &self.config
        }
    }

    fn store_mut(&mut self, question: &[u8]) -> &mut Store {
        if self.config.get(question).is_none() && self.passwords.get(question).is_some() {
            &mut self.passwords
        } else {
            &mut self.config
        }
    }

    pub(super) fn question(&self, name: &[u8]) -> Option<&Item> {
        self.store(name).get(name)
    }

    pub(super) fn question_mut(&mut self, name: &[u8]) -> Option<&mut Item> {
        self.store_mut(name).get_mut(name)
    }

    /// The names of all questions, sorted.
    pub(super) fn questions(&self) -> Vec<BString> {
        let mut names: Vec<BString> = self.config.names().cloned().collect();
        names.extend(self.passwords.names().cloned());
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A field of a question, else of its template; empty where neither has it.
    pub(super) fn field(&self, question: &[u8], field: &[u8]) -> BString {
        if let Some(value) = self.store(question).field(question, field) {
            return value.clone();
        }
        self.template_of(question)
            .map_or_else(BString::default, |t| self.template_field(t, field, true))
    }

    fn template_of(&self, question: &[u8]) -> Option<&BString> {
        let template = self.store(question).field(question, b"template")?;
        self.templates.get(template).map(|_| template)
    }

    /// A field of a template, in the words of the C locale: with `translated`, in English
    /// where the template says that on its own; without, as it is for machines.
    fn template_field(&self, template: &[u8], field: &[u8], translated: bool) -> BString {
        let get = |suffix: &str| {
            let name = [field, suffix.as_bytes()].concat();
            self.templates.field(template, &name)
        };
        let found = if translated {
            get("-c.utf-8").or_else(|| get("-en"))
        } else {
            get("-c")
        };
        let plain = || {
            let base = &field[..field.find_byte(b'-')?];
            self.templates.field(template, base)
        };
        found
            .or_else(|| get(""))
            .or_else(plain)
            .cloned()
            .unwrap_or_default()
    }

    /// The value of a question: its own, else the template's default.
    pub(super) fn value(&self, question: &[u8]) -> BString {
        let own = self.store(question).field(question, b"value");
        own.cloned()
            .unwrap_or_else(|| self.field_of_template(question, b"default", true))
    }

    fn field_of_template(&self, question: &[u8], field: &[u8], translated: bool) -> BString {
        self.template_of(question)
            .map_or_else(BString::default, |t| {
                self.template_field(t, field, translated)
            })
    }

    pub(super) fn set_value(&mut self, question: &[u8], value: BString) {
        if let Some(item) = self.question_mut(question) {
            item.fields.insert("value".into(), value);
        }
    }

    /// What type a question is of; empty where it has no template.
    pub(super) fn kind(&self, question: &[u8]) -> BString {
        self.field(question, b"type")
    }

    pub(super) fn flag(&self, question: &[u8], flag: &[u8]) -> BString {
        let flipped = flag == b"isdefault";
        let flag = if flipped { b"seen" } else { flag };
        let item = self.question(question);
        let value = item.and_then(|item| item.flags.get(BStr::new(flag)));
        match (flipped, value) {
            (true, value) => BString::from(match value {
                Some(value) if value == "true" => "false",
                _ => "true",
            }),
            (false, value) => value.cloned().unwrap_or_else(|| "false".into()),
        }
    }

    pub(super) fn set_flag(&mut self, question: &[u8], flag: &[u8], value: &[u8]) {
        let (flag, value) = match (flag, value) {
            (b"isdefault", b"true") => (&b"seen"[..], &b"false"[..]),
            (b"isdefault", _) => (&b"seen"[..], &b"true"[..]),
            other => other,
        };
        if let Some(item) = self.question_mut(question) {
            item.flags.insert(flag.into(), value.into());
        }
    }

    /// A text with the question's variables filled in.
    pub(super) fn expand(&self, question: &[u8], text: &[u8]) -> BString {
        let item = self.question(question);
        let mut result = BString::default();
        let mut rest = text;
        while let Some((before, name, after)) = next_variable(rest) {
            if let Some(before) = before.strip_suffix(b"\\") {
                result.push_str(before);
                result.push_str([b"${", name, b"}"].concat());
            } else {
                result.push_str(before);
                if let Some(value) = item.and_then(|item| item.variables.get(BStr::new(name))) {
                    result.push_str(value);
                }
            }
            rest = after;
        }
        result.push_str(rest);
        result
    }

    /// What can be chosen, in the words of machines.
    pub(super) fn choices(&self, question: &[u8]) -> Vec<BString> {
        let text = self.field_of_template(question, b"choices", false);
        split_choices(&self.expand(question, &text))
    }

    // Owners.

    /// Makes `owner` one of a question's owners; the question is made if it is not there,
    /// in the database that takes its type.
    pub(super) fn add_owner(&mut self, question: &[u8], owner: &[u8], kind: &[u8]) {
        let password = kind.to_ascii_lowercase().contains_str("password");
        let new = self.question(question).is_none();
        let store = if new && password {
            &mut self.passwords
        } else {
            self.store_mut(question)
        };
        store.add_owner(question, owner);
    }

    /// A question that is not there, with its template.
    fn new_question(&mut self, question: &[u8], owner: &[u8], kind: &[u8], template: &[u8]) {
        self.add_owner(question, owner, kind);
        self.set_flag(question, b"seen", b"false");
        self.set_template(question, template);
    }

    /// Sets the template of a question, and makes the question the template's owner.
    pub(super) fn set_template(&mut self, question: &[u8], template: &[u8]) {
        let old = self.store(question).field(question, b"template").cloned();
        if old.as_ref().is_some_and(|old| old == template) {
            return;
        }
        if let Some(old) = old.filter(|old| !old.is_empty()) {
            self.templates.remove_owner(&old, question);
        }
        if let Some(item) = self.question_mut(question) {
            item.fields.insert("template".into(), template.into());
        }
        self.templates.add_owner(template, question);
    }

    /// Registers the question `name` with the template of the question `template`.
    pub(super) fn register(&mut self, template: &[u8], name: &[u8], owner: &[u8]) {
        let kind = self.kind(template);
        if self.question(name).is_none() {
            self.add_owner(name, owner, &kind);
            self.set_flag(name, b"seen", b"false");
        }
        self.add_owner(name, owner, &kind);
        self.set_template(name, template);
    }

    /// Drops an owner of a question, and the question and its template with their last.
    pub(super) fn remove_owner(&mut self, question: &[u8], owner: &[u8]) {
        let template = self.store(question).field(question, b"template").cloned();
        if !self.store_mut(question).remove_owner(question, owner) {
            return;
        }
        if self.question(question).is_none()
            && let Some(template) = template.filter(|template| !template.is_empty())
        {
            self.templates.remove_owner(&template, question);
        }
    }

    // Templates.

    /// A template, and the question of its name, as `owner`'s.
    pub(super) fn new_template(&mut self, template: &[u8], owner: &[u8], kind: &[u8]) {
        let known = self.templates.get(template);
        let owners: Vec<BString> = known.map_or(Vec::new(), |t| t.owners.iter().cloned().collect());
        if self.question(template).is_some() {
            self.add_owner(template, owner, kind);
        } else {
            self.new_question(template, owner, kind, template);
        }
        if owners.is_empty() {
            self.templates.add_owner(template, template);
            if let Some(item) = self.templates.get_mut(template) {
                item.fields.insert("type".into(), kind.into());
            }
        }
        for question in owners {
            if self.question(&question).is_none() {
                self.new_question(&question, owner, kind, template);
            }
        }
    }

    /// Loads a file of templates as `owner`'s.
    ///
    /// # Errors
    /// What is wrong with it; the templates before that are loaded.
    pub(super) fn load_templates(&mut self, bytes: &[u8], owner: &[u8]) -> Result<(), String> {
        let owner = if owner.is_empty() { b"unknown" } else { owner };
        let (all, error) = template::parse(bytes);
        for mut fields in all {
            let name = fields.remove(BStr::new("template")).unwrap_or_default();
            let kind = fields
                .get(BStr::new("type"))
                .filter(|kind| !kind.is_empty());
            let Some(kind) = kind.cloned() else {
                return Err("no template type specified".to_owned());
            };
            self.new_template(&name, owner, &kind);
            if let Some(item) = self.templates.get_mut(&name) {
                item.fields = fields;
            }
        }
        error.map_or(Ok(()), Err)
    }
}

/// What is before the next `${NAME}`, the name, and what is after.
fn next_variable(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("${")?;
        let name = &text[start + 2..];
        let end = name.find_byteset("{}").unwrap_or(name.len());
        if end > 0 && name.get(end) == Some(&b'}') {
            return Some((&text[..start], &name[..end], &name[end + 1..]));
        }
        from = start + 2;
    }
}

/// Splits at commas with space behind; `\,` and `\ ` are a comma and a space.
pub(super) fn split_choices(text: &[u8]) -> Vec<BString> {
    let mut items = Vec::new();
    let mut item = BString::default();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let space = |b: u8| b.is_ascii_whitespace() || b == 0x0b;
        match (byte, after.first()) {
            (b'\\', Some(&next @ (b',' | b' '))) => {
                item.push(next);
                rest = &after[1..];
            }
            (b',', Some(&next)) if space(next) => {
                items.push(std::mem::take(&mut item));
                let end = after.iter().position(|&b| !space(b)).unwrap_or(after.len());
                rest = &after[end..];
            }
            _ => {
                item.push(byte);
                rest = after;
            }
        }
    }
    if !item.is_empty() {
        items.push(item);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Database {
        let mut database = Database::default();
        let text = "Template: a/list\nType: select\nChoices: ${all}\nChoices-C: ${all}\n\
            Default: b\nDescription: Which of ${n} \\${n}?\n\nTemplate: a/secret\n\
            Type: password\nDescription: S\n";
        database
            .load_templates(text.as_bytes(), b"a:amd64")
            .expect("templates");
        database
    }

    #[test]
    fn loading_makes_questions() {
        let mut database = database();
        let list = "Name: a/list\nTemplate: a/list\nOwners: a:amd64\n\n";
        let secret = "Name: a/secret\nTemplate: a/secret\nOwners: a:amd64\n\n";
        assert!(database.config.settle());
        assert_eq!(database.config.text(), list.as_bytes());
        assert_eq!(database.passwords.text(), secret.as_bytes());
        assert_eq!(database.value(b"a/list"), "b");
        let again = database.load_templates(b"Template: a/list\nType: note\n", b"b");
        assert_eq!(again, Ok(()));
        assert_eq!(database.kind(b"a/list"), "note");
        assert_eq!(database.question(b"a/list").expect("it").owners.len(), 2);
    }

    #[test]
    fn variables_are_filled_in() {
        let mut database = database();
        let item = database.question_mut(b"a/list").expect("it");
        item.variables.insert("all".into(), "x\\, y, b,  c".into());
        item.variables.insert("n".into(), "3".into());
        assert_eq!(database.choices(b"a/list"), ["x, y", "b", "c"]);
        let text = database.field(b"a/list", b"description");
        assert_eq!(database.expand(b"a/list", &text), "Which of 3 ${n}?");
        assert_eq!(database.expand(b"a/list", b"${ ${} ${none}."), "${ ${} .");
    }

    #[test]
    fn registered_questions_keep_the_template() {
        let mut database = database();
        database.register(b"a/list", b"b/mine", b"b");
        assert_eq!(database.value(b"b/mine"), "b");
        database.remove_owner(b"a/list", b"a:amd64");
        assert!(database.question(b"a/list").is_none());
        assert!(database.templates.get(b"a/list").is_some());
        database.remove_owner(b"b/mine", b"b");
        assert!(database.templates.get(b"a/list").is_none());
    }
}
