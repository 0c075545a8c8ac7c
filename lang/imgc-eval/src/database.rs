//! The queries: source text to tree to module, remembered by salsa.
//!
//! Inputs are texts; what is derived from one text is computed again only when
//! that text changes. Values and thunks are no queries, and nothing here reads a
//! file.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_syntax::Parse;
use salsa::Setter as _;

use crate::hir::ModuleName;
use crate::lower::{Lowered, lower};

/// The text of one module.
#[salsa::input]
pub(crate) struct SourceFile {
    /// Its number: the order in which modules were first loaded.
    #[returns(copy)]
    pub(crate) number: u32,
    /// Its name.
    #[returns(ref)]
    pub(crate) name: ModuleName,
    /// The text.
    #[returns(ref)]
    pub(crate) text: Arc<str>,
}

/// The tree of a module.
#[salsa::tracked(returns(ref))]
pub(crate) fn parse(db: &dyn salsa::Database, file: SourceFile) -> Parse {
    imgc_syntax::parse(file.text(db))
}

/// A module with its names resolved.
#[salsa::tracked(returns(ref))]
pub(crate) fn module(db: &dyn salsa::Database, file: SourceFile) -> Lowered {
    lower(parse(db, file), file.number(db), file.name(db))
}

/// What salsa remembers, and the modules by name.
#[salsa::db]
#[derive(Clone, Default)]
pub(crate) struct Database {
    storage: salsa::Storage<Self>,
    files: BTreeMap<ModuleName, SourceFile>,
}

#[salsa::db]
impl salsa::Database for Database {}

impl Database {
    /// The number of the module of that name. One that was never loaded has no text
    /// yet.
    pub(crate) fn number(&mut self, name: &ModuleName) -> u32 {
        match self.files.get(name) {
            Some(file) => file.number(self),
            None => self.source(name, "".into()).number(self),
        }
    }

    /// The module of that name with that text. The same text changes nothing.
    pub(crate) fn source(&mut self, name: &ModuleName, text: Arc<str>) -> SourceFile {
        if let Some(&file) = self.files.get(name) {
            if *file.text(self) != text {
                file.set_text(self).to(text);
            }
            return file;
        }
        let number = self.files.len() as u32;
        let file = SourceFile::new(self, number, name.clone(), text);
        self.files.insert(name.clone(), file);
        file
    }

    /// Every module that was ever loaded, by number.
    pub(crate) fn files(&self) -> Vec<SourceFile> {
        let mut files: Vec<SourceFile> = self.files.values().copied().collect();
        files.sort_by_key(|file| file.number(self));
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_parsed_again() {
        let mut db = Database::default();
        let name = |name: &str| ModuleName::Project(name.into());
        let one = db.source(&name("one"), "1".into());
        let two = db.source(&name("two"), "2".into());
        let before = (parse(&db, one) as *const Parse, parse(&db, two).clone());
        assert_eq!(db.number(&name("two")), 1);
        assert!(db.source(&name("two"), "22".into()) == two);
        assert!(db.source(&name("one"), "1".into()) == one);
        assert_eq!(parse(&db, one) as *const Parse, before.0);
        assert_ne!(*parse(&db, two), before.1);
        assert_eq!(module(&db, two).module.exprs.len(), 1);
    }
}
