//! Pins of the images that others are laid over: what a manifest of a registry comes to for
//! one architecture. Knows nothing of registries; every digest here is an image's own.

use super::{Lock, LockError, PackageKey};
use crate::sha256::Sha256;
use crate::time::Epoch;

/// The longest reference that is pinned, in bytes.
const MAX_REFERENCE: usize = 640;

/// An image that others are laid over, for one architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedBase {
    /// As images name it: `HOST/NAME@sha256:…`.
    pub reference: String,
    /// Debian's name of the architecture.
    pub arch: String,
    /// When it was made, if it says so.
    pub created: Option<Epoch>,
    /// Its manifest: what the reference names, or what that has for the architecture.
    pub manifest: LockedBlob,
    /// Its configuration.
    pub config: LockedBlob,
    /// Its layers, lowest first.
    pub layers: Vec<LockedLayer>,
    /// The packages that dpkg's database in it has as installed, sorted.
    pub packages: Vec<PackageKey>,
}

/// A blob of a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockedBlob {
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Its length in bytes.
    pub size: u64,
}

/// A layer of a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedLayer {
    /// The layer as the registry has it.
    pub blob: LockedBlob,
    /// Its diff id: SHA-256 of its archive, uncompressed.
    pub archive: Sha256,
    /// How it is compressed: `gzip`, `zstd`, `none`.
    pub compression: String,
}

/// What a layer may be compressed with.
pub(super) const COMPRESSIONS: [&str; 3] = ["gzip", "none", "zstd"];

impl Lock {
    /// The pinned bases, sorted by reference and architecture.
    pub fn bases(&self) -> &[LockedBase] {
        &self.bases
    }

    /// The pin of a base for an architecture.
    pub fn base(&self, reference: &str, arch: &str) -> Option<&LockedBase> {
        let key = (reference, arch);
        self.bases.iter().find(|base| base.key() == key)
    }

    /// Pins a base, in the place of an earlier pin of the same one.
    ///
    /// # Errors
    /// [`LockError::Value`] for one that the lock can't hold. The lock is then as it was.
    pub fn pin_base(&mut self, base: LockedBase) -> Result<(), LockError> {
        let wrong = if !is_reference(&base.reference) {
            Some(("reference", &base.reference))
        } else {
            let strange = |layer: &&LockedLayer| !COMPRESSIONS.contains(&&*layer.compression);
            let strange = base.layers.iter().find(strange);
            strange.map(|layer| ("compression", &layer.compression))
        };
        if let Some((field, value)) = wrong {
            return Err(LockError::Value {
                line: None,
                field,
                value: value.chars().take(200).collect(),
            });
        }
        match self
            .bases
            .binary_search_by(|known| known.key().cmp(&base.key()))
        {
            Ok(at) => self.bases[at] = base,
            Err(at) => self.bases.insert(at, base),
        }
        Ok(())
    }

    /// Keeps the bases whose reference is wanted.
    pub fn retain_bases(&mut self, wanted: impl Fn(&str) -> bool) {
        self.bases.retain(|base| wanted(&base.reference));
    }
}

impl LockedBase {
    pub(super) fn key(&self) -> (&str, &str) {
        (&self.reference, &self.arch)
    }
}

/// Whether a text can stand in the lock as a reference: printable ASCII that TOML needs no
/// escapes for, with a digest at its end.
pub(super) fn is_reference(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
    text.len() <= MAX_REFERENCE && text.bytes().all(plain) && text.contains("@sha256:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(text: &str) -> LockedBlob {
        LockedBlob {
            sha256: Sha256::of(text.as_bytes()),
            size: text.len() as u64,
        }
    }

    fn base(reference: &str) -> LockedBase {
        LockedBase {
            reference: reference.to_owned(),
            arch: "amd64".to_owned(),
            created: Some(1_762_077_600),
            manifest: blob("manifest"),
            config: blob("config"),
            layers: vec![LockedLayer {
                blob: blob("layer"),
                archive: Sha256::of(b"archive"),
                compression: "gzip".to_owned(),
            }],
            packages: vec![PackageKey {
                name: "dpkg".to_owned(),
                version: "1.22.21".to_owned(),
                arch: "amd64".to_owned(),
            }],
        }
    }

    #[test]
    fn bases_are_written_and_read_back() {
        let mut lock = Lock::default();
        let (a, b) = (
            base("registry.example/a@sha256:00"),
            base("registry.example/b@sha256:11"),
        );
        lock.pin_base(b.clone()).expect("a base");
        lock.pin_base(a.clone()).expect("a base");
        assert_eq!(lock.bases(), [a.clone(), b.clone()]);
        let text = lock.render();
        assert!(
            text.contains(
                "\n[[base]]\nreference = \"registry.example/a@sha256:00\"\narch = \"amd64\"\n"
            ),
            "{text}"
        );
        assert_eq!(Lock::parse(&text), Ok(lock.clone()));
        let bare = LockedBase {
            created: None,
            layers: Vec::new(),
            packages: Vec::new(),
            ..a.clone()
        };
        lock.pin_base(bare.clone()).expect("a base");
        assert_eq!(lock.base(&a.reference, "amd64"), Some(&bare));
        assert_eq!(lock.base(&a.reference, "arm64"), None);
        assert_eq!(Lock::parse(&lock.render()), Ok(lock.clone()));
        lock.retain_bases(|reference| reference == b.reference);
        assert_eq!(lock.bases(), [b]);
    }

    #[test]
    fn bad_bases_are_refused() {
        let mut lock = Lock::default();
        assert!(lock.pin_base(base("a b@sha256:0")).is_err());
        assert!(lock.pin_base(base("registry.example/a:1")).is_err());
        let mut strange = base("registry.example/a@sha256:00");
        strange.layers[0].compression = "xz".to_owned();
        assert!(lock.pin_base(strange).is_err());
        assert_eq!(lock, Lock::default());
        lock.pin_base(base("registry.example/a@sha256:00"))
            .expect("a base");
        let text = lock.render();
        for (from, to) in [
            ("amd64\"\ncreated", "AMD\"\ncreated"),
            ("gzip", "xz"),
            ("dpkg 1.22.21", "dpkg"),
            ("[[base]]", "[[base]]\nmore = 1"),
        ] {
            let wrong = text.replace(from, to);
            assert!(wrong != text && Lock::parse(&wrong).is_err(), "{to}");
        }
        let section = text.find("\n[[base]]").expect("a base");
        let twice = format!("{text}{}", &text[section..]);
        assert!(matches!(
            Lock::parse(&twice),
            Err(LockError::Duplicate { .. })
        ));
    }
}
