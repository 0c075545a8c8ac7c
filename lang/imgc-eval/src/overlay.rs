//! A project with some texts in the place of its files: what is not saved, what was typed,
//! what a command makes up. Everything else is the project's. It looks at no disk itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imgc_plan::FileDigest;

use crate::world::{Entry, Stat, World, WorldError};

/// A [`World`] with texts in the place of some files.
pub struct Overlay {
    under: Arc<dyn World>,
    texts: Mutex<BTreeMap<String, Arc<str>>>,
}

impl std::fmt::Debug for Overlay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay").finish_non_exhaustive()
    }
}

impl Overlay {
    /// Nothing is in the place of anything yet.
    pub fn over(under: Arc<dyn World>) -> Self {
        Self {
            under,
            texts: Mutex::default(),
        }
    }

    /// Puts a text in the place of a file, or takes it away. Says whether that changes
    /// anything.
    pub fn set(&self, path: &str, text: Option<Arc<str>>) -> bool {
        let mut texts = self.texts();
        match text {
            Some(text) => {
                let before = texts.insert(path.to_owned(), text.clone());
                before.is_none_or(|before| before != text)
            }
            None => texts.remove(path).is_some(),
        }
    }

    /// The texts as they are now.
    pub fn all(&self) -> BTreeMap<String, Arc<str>> {
        self.texts().clone()
    }

    /// Puts these texts in the place of files, and no others. Says whether that changes
    /// anything.
    pub fn replace(&self, all: BTreeMap<String, Arc<str>>) -> bool {
        let mut texts = self.texts();
        let is_new = *texts != all;
        *texts = all;
        is_new
    }

    fn text(&self, path: &str) -> Option<Arc<str>> {
        self.texts().get(path).cloned()
    }

    fn texts(&self) -> MutexGuard<'_, BTreeMap<String, Arc<str>>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World for Overlay {
    fn stat(&self, path: &str) -> Result<Stat, WorldError> {
        match self.text(path) {
            Some(text) => Ok(Stat::File {
                size: text.len() as u64,
                executable: false,
            }),
            None => self.under.stat(path),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        self.under.list(path)
    }

    fn digest(&self, path: &str) -> Result<(FileDigest, u64), WorldError> {
        match self.text(path) {
            Some(text) => Ok((FileDigest::of(text.as_bytes()), text.len() as u64)),
            None => self.under.digest(path),
        }
    }

    fn read(&self, path: &str, offset: u64, len: usize) -> Result<Vec<u8>, WorldError> {
        match self.text(path) {
            Some(text) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let bytes = text.as_bytes().iter().skip(start).take(len);
                Ok(bytes.copied().collect())
            }
            None => self.under.read(path, offset, len),
        }
    }

    fn std_module(&self, name: &str) -> Option<String> {
        self.under.std_module(name)
    }

    fn std_modules(&self) -> Vec<String> {
        self.under.std_modules()
    }

    fn remote_module(&self, address: &str) -> Result<String, WorldError> {
        self.under.remote_module(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_in_the_place_of_a_file() {
        let under = crate::MemoryWorld::new()
            .file("a", "old")
            .file("b", "other");
        let world = Overlay::over(Arc::new(under));
        assert!(world.set("a", Some("newer".into())));
        assert!(!world.set("a", Some("newer".into())));
        assert_eq!(world.read("a", 1, 3), Ok(b"ewe".to_vec()));
        assert_eq!(world.digest("a").map(|(_, size)| size), Ok(5));
        assert_eq!(world.read("b", 0, 9), Ok(b"other".to_vec()));
        assert!(world.set("a", None));
        assert_eq!(world.read("a", 0, 9), Ok(b"old".to_vec()));
    }
}
