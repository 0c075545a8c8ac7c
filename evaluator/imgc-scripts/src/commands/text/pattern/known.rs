//! Patterns that were compiled already: scripts ask for the same ones again and again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::{Dialect, Fault, Flags, Pattern, Whole};

/// How many patterns are kept. With one more, all are forgotten.
const MOST: usize = 512;

/// The patterns of one machine. A copy is the same ones.
#[derive(Clone, Default)]
pub(crate) struct Patterns(Rc<RefCell<BTreeMap<Key, Rc<Pattern>>>>);

/// What a pattern is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    form: Form,
    flags: Flags,
    sources: Vec<Vec<u8>>,
}

/// By which of [`Pattern`]'s functions it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    One(Dialect),
    Any(Option<Dialect>, Whole),
    Perl(Whole),
}

impl Patterns {
    /// As [`Pattern::new`].
    ///
    /// # Errors
    /// As it.
    pub(crate) fn one(
        &self,
        source: &[u8],
        dialect: Dialect,
        flags: Flags,
    ) -> Result<Rc<Pattern>, Fault> {
        let make = || Pattern::new(source, dialect, flags);
        self.known(Form::One(dialect), flags, &[source], make)
    }

    /// As [`Pattern::any`].
    ///
    /// # Errors
    /// As it.
    pub(crate) fn any(
        &self,
        sources: &[&[u8]],
        dialect: Option<Dialect>,
        whole: Whole,
        flags: Flags,
    ) -> Result<Rc<Pattern>, Fault> {
        let make = || Pattern::any(sources, dialect, whole, flags);
        self.known(Form::Any(dialect, whole), flags, sources, make)
    }

    /// As [`Pattern::perl`].
    ///
    /// # Errors
    /// As it.
    pub(crate) fn perl(
        &self,
        source: &[u8],
        whole: Whole,
        flags: Flags,
    ) -> Result<Rc<Pattern>, Fault> {
        let make = || Pattern::perl(source, whole, flags);
        self.known(Form::Perl(whole), flags, &[source], make)
    }

    fn known(
        &self,
        form: Form,
        flags: Flags,
        sources: &[&[u8]],
        make: impl FnOnce() -> Result<Pattern, Fault>,
    ) -> Result<Rc<Pattern>, Fault> {
        let key = Key {
            form,
            flags,
            sources: sources.iter().map(|source| source.to_vec()).collect(),
        };
        let mut known = self.0.borrow_mut();
        if let Some(pattern) = known.get(&key) {
            return Ok(Rc::clone(pattern));
        }
        let pattern = Rc::new(make()?);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, Rc::clone(&pattern));
        Ok(pattern)
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patterns")
            .field("known", &self.0.borrow().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_another_pattern() {
        let patterns = Patterns::default();
        let flags = Flags::default();
        let one = patterns.one(b"a+", Dialect::Basic, flags).expect("one");
        let same = patterns.one(b"a+", Dialect::Basic, flags).expect("one");
        assert!(Rc::ptr_eq(&one, &same));
        let other = patterns.one(b"a+", Dialect::Extended, flags).expect("one");
        assert_eq!(one.is_match(b"aa"), Ok(false));
        assert_eq!(other.is_match(b"aa"), Ok(true));
        let word = patterns.any(&[b"a"], Some(Dialect::GrepBasic), Whole::Word, flags);
        let line = patterns.any(&[b"a"], Some(Dialect::GrepBasic), Whole::Line, flags);
        assert_eq!(word.expect("one").is_match(b"a b"), Ok(true));
        assert_eq!(line.expect("one").is_match(b"a b"), Ok(false));
        for number in 0..=MOST {
            let source = number.to_string();
            patterns
                .one(source.as_bytes(), Dialect::Basic, flags)
                .expect("one");
        }
        assert!(patterns.0.borrow().len() <= MOST);
        assert!(patterns.one(b"a\\(", Dialect::Basic, flags).is_err());
    }
}
