//! Pins of modules of the language that come from elsewhere: an address and what stands
//! there. What an address means, and how it is fetched, is not known here.

use super::{Lock, LockError};
use crate::sha256::Sha256;

/// The longest address that is pinned, in bytes.
const MAX_ADDRESS: usize = 2048;

/// A module by its address, as it is written after `import`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedModule {
    /// The address: `https://…` or `oci://…`.
    pub address: String,
    /// SHA-256 of its text.
    pub sha256: Sha256,
    /// The length of its text in bytes.
    pub size: u64,
}

impl Lock {
    /// The pinned modules, sorted by address.
    pub fn modules(&self) -> &[LockedModule] {
        &self.modules
    }

    /// The pin of the module at `address`.
    pub fn module(&self, address: &str) -> Option<&LockedModule> {
        let found = self.position(address);
        found.ok().map(|at| &self.modules[at])
    }

    /// Pins a module, in the place of an earlier pin of the same address.
    ///
    /// # Errors
    /// [`LockError::Value`] for an address that the lock can't hold. The lock is then as
    /// it was.
    pub fn pin_module(&mut self, module: LockedModule) -> Result<(), LockError> {
        if !is_address(&module.address) {
            return Err(LockError::Value {
                line: None,
                field: "address",
                value: module.address.chars().take(200).collect(),
            });
        }
        match self.position(&module.address) {
            Ok(at) => self.modules[at] = module,
            Err(at) => self.modules.insert(at, module),
        }
        Ok(())
    }

    /// Keeps the modules whose address is wanted.
    pub fn retain_modules(&mut self, wanted: impl Fn(&str) -> bool) {
        self.modules.retain(|module| wanted(&module.address));
    }

    fn position(&self, address: &str) -> Result<usize, usize> {
        self.modules
            .binary_search_by(|module| module.address.as_str().cmp(address))
    }
}

/// Whether a text can stand in the lock as an address: a scheme that modules have, and
/// printable ASCII that TOML needs no escapes for.
pub(super) fn is_address(text: &str) -> bool {
    let rest = ["https://", "http://", "oci://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
    rest.is_some_and(|rest| !rest.is_empty())
        && text.len() <= MAX_ADDRESS
        && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(address: &str, text: &str) -> LockedModule {
        LockedModule {
            address: address.to_owned(),
            sha256: Sha256::of(text.as_bytes()),
            size: text.len() as u64,
        }
    }

    #[test]
    fn modules_are_written_and_read_back() {
        let mut lock = Lock::default();
        let b = module("oci://registry.example/team/lib:1", "two");
        let a = module("https://example.org/a.img", "one");
        lock.pin_module(b.clone()).expect("an address");
        lock.pin_module(a.clone()).expect("an address");
        assert_eq!(lock.modules(), [a.clone(), b.clone()]);
        let text = lock.render();
        let section = "\n[[module]]\naddress = \"https://example.org/a.img\"\n\
             sha256 = \"7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\"\nsize = 3\n";
        assert!(text.contains(section), "{text}");
        assert_eq!(Lock::parse(&text), Ok(lock.clone()));
        let again = module("https://example.org/a.img", "three");
        lock.pin_module(again.clone()).expect("an address");
        assert_eq!(lock.module(&a.address), Some(&again));
        lock.retain_modules(|address| address.starts_with("oci:"));
        assert_eq!(lock.modules(), [b]);
        assert_eq!(lock.module(&a.address), None);
    }

    #[test]
    fn a_lock_without_modules_is_as_it_was() {
        let text = Lock::default().render();
        assert!(!text.contains("module"), "{text}");
        assert_eq!(Lock::parse("version = 2\n"), Ok(Lock::default()));
    }

    #[test]
    fn bad_modules_are_refused() {
        let mut lock = Lock::default();
        for address in [
            "",
            "https://",
            "file:///etc/passwd",
            "https://a/\"",
            "https://a/\\",
            "https://a b",
            "https://a/\n",
        ] {
            let refused = lock.pin_module(module(address, ""));
            assert!(matches!(
                refused,
                Err(LockError::Value {
                    field: "address",
                    ..
                })
            ));
        }
        assert_eq!(lock, Lock::default());
        let entry = "[[module]]\naddress = \"https://a/b\"\nsha256 = \"00\"\nsize = 1\n";
        let parse = |rest: &str| Lock::parse(&format!("version = 2\n{rest}"));
        assert!(matches!(
            parse(entry),
            Err(LockError::Value {
                field: "sha256",
                ..
            })
        ));
        let good = entry.replace("00", &"0".repeat(64));
        parse(&good).expect("a lock");
        let twice = parse(&format!("{good}{good}"));
        assert!(
            matches!(twice, Err(LockError::Duplicate { .. })),
            "{twice:?}"
        );
        let unknown = parse(&good.replace("size", "length"));
        assert!(matches!(unknown, Err(LockError::Format { .. })));
    }
}
