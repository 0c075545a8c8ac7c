//! A database over a few texts, for tests of single stages.

use std::sync::Arc;

use super::{Database, Db, Item, SourceFile, body, items, lowered, parse};
use crate::MemoryWorld;
use crate::ir::{Body, ItemName, Items, ModuleName};
use crate::options::Options;
use crate::problem::Problem;
use crate::resolve::Lowered;
use crate::site::Site;

/// A project of a few files. The first is the entry.
pub(crate) struct TestDb {
    /// The database: any query can be asked.
    pub(crate) db: Database,
    entry: ModuleName,
}

impl TestDb {
    /// The project of these files, such as `main.img` or `std/debian`.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self::with(MemoryWorld::new(), files)
    }

    /// The same, with other files of the project.
    pub(crate) fn with(mut world: MemoryWorld, files: &[(&str, &str)]) -> Self {
        for (name, text) in files {
            world = match name.strip_prefix("std/") {
                Some(module) => world.module(module, text),
                None => world.file(name, text),
            };
        }
        let mut db = Database::new(Arc::new(world));
        db.set_options(&Options::default());
        for (name, text) in files {
            db.set_text(&module(name), Some((*text).into()));
        }
        let entry = module(files[0].0);
        Self { db, entry }
    }

    /// The module of one file.
    pub(crate) fn one(text: &str) -> Self {
        Self::new(&[("main.img", text)])
    }

    /// Replaces a text.
    pub(crate) fn set(&mut self, name: &str, text: &str) {
        self.db.set_text(&module(name), Some(text.into()));
    }

    /// The entry.
    pub(crate) fn entry(&self) -> SourceFile {
        self.db.file(&self.entry)
    }

    /// What the entry has.
    pub(crate) fn items(&self) -> &Items {
        items(&self.db, self.entry())
    }

    /// What the entry is lowered to.
    pub(crate) fn lowered(&self) -> &Lowered {
        lowered(&self.db, self.entry())
    }

    /// A binding of the entry: `x` is the public one, else the innermost private one,
    /// and the empty name is what the file ends in.
    pub(crate) fn item(&self, name: &str) -> Item {
        let found = self.items();
        let export = ItemName::Export(name.into());
        let private = found.lets.iter().rev();
        let private = private.filter(|item| matches!(item, ItemName::Let(n, _) if **n == *name));
        let name = match &found.exports {
            _ if name.is_empty() => ItemName::Root,
            Some(exports) if exports.iter().any(|n| **n == *name) => export,
            _ => private.max().cloned().unwrap_or(export),
        };
        self.db.item(self.entry(), &name)
    }

    /// The body of a binding, by its name as in [`TestDb::item`].
    pub(crate) fn body(&self, name: &str) -> Arc<Body> {
        let body = body(&self.db, self.item(name)).clone();
        body.expect("a binding of that name")
    }

    /// Every binding of the entry, private ones first.
    pub(crate) fn all(&self) -> Vec<Item> {
        let found = self.items();
        let public = match &found.exports {
            None => vec![ItemName::Root],
            Some(names) => names.iter().cloned().map(ItemName::Export).collect(),
        };
        let all = found.lets.iter().chain(&public);
        all.map(|name| self.db.item(self.entry(), name)).collect()
    }

    /// The mistakes in syntax and names of the entry.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        let errors = parse(&self.db, self.entry()).errors().iter();
        let mut found: Vec<String> = errors.map(|error| error.message.clone()).collect();
        let problems = self.lowered().problems.iter();
        found.extend(problems.map(|problem| problem.message().to_owned()));
        found
    }

    /// The text of the entry at a place.
    pub(crate) fn text(&self, site: Site) -> String {
        let file = site.item.file(&self.db);
        let spans = &lowered(&self.db, file)
            .get(site.item.name(&self.db))
            .expect("a binding")
            .spans;
        let text = file.text(&self.db).as_deref().unwrap_or_default();
        text[std::ops::Range::<usize>::from(spans.get(site.at))].to_owned()
    }

    /// Problems as `CODE text-there: message`.
    pub(crate) fn shown(&self, problems: &[Problem<Site>]) -> Vec<String> {
        let shown = problems.iter().map(|problem| {
            let text = self.text(problem.place);
            format!("{} {text}: {}", problem.code(), problem.message())
        });
        shown.collect()
    }
}

fn module(name: &str) -> ModuleName {
    match name.strip_prefix("std/") {
        Some(module) => ModuleName::Std(module.into()),
        None if name.contains("://") => ModuleName::Remote(name.into()),
        None => ModuleName::Project(name.into()),
    }
}
