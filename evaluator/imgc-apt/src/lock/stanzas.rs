//! Pinned packages as an index: the stanzas that an archive had for them, made again
//! from their control files. Reads no archive.

use super::Pin;
use crate::index::{Index, IndexError};

/// The fields that a pin says, and an index beside the control file.
const OWN: [&str; 6] = [
    "Package",
    "Version",
    "Architecture",
    "Filename",
    "Size",
    "SHA256",
];

/// A pinned package's control file.
#[derive(Debug, Clone, Copy)]
pub struct Controlled<'a> {
    /// Which package.
    pub pin: &'a Pin,
    /// The text of its `control`.
    pub control: &'a str,
    /// The priority that its archive gives it, if another one than its own may hold.
    pub priority: Option<&'a str>,
}

impl Index {
    /// An index of pinned packages, in their order.
    ///
    /// # Errors
    /// An [`IndexError`] where a control file has a field that no index can have.
    pub fn of_pins<'p>(
        packages: impl IntoIterator<Item = Controlled<'p>>,
    ) -> Result<Self, IndexError> {
        let mut text = String::new();
        for package in packages {
            stanza(&mut text, &package);
        }
        Self::parse(text)
    }
}

fn stanza(out: &mut String, package: &Controlled<'_>) {
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    let Pin {
        key,
        path,
        size,
        sha256,
        ..
    } = package.pin;
    line(&format!("Package: {}", key.name));
    line(&format!("Version: {}", key.version));
    line(&format!("Architecture: {}", key.arch));
    line(&format!("Filename: {path}"));
    line(&format!("Size: {size}"));
    line(&format!("SHA256: {sha256}"));
    if let Some(priority) = package.priority {
        line(&format!("Priority: {priority}"));
    }
    let is_own = |name: &str| {
        OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
            || (package.priority.is_some() && name.eq_ignore_ascii_case("Priority"))
    };
    let mut dropped = false;
    for text in package.control.lines() {
        if text.trim().is_empty() {
            continue;
        }
        if !text.starts_with([' ', '\t']) {
            dropped = is_own(text.split(':').next().unwrap_or(text).trim());
        }
        if !dropped {
            line(text);
        }
    }
    line("");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PackageKey, Sha256};

    #[test]
    fn a_pin_and_its_control_file_are_a_stanza() {
        let pin = Pin {
            key: PackageKey {
                name: "a".to_owned(),
                version: "1:2".to_owned(),
                arch: "all".to_owned(),
            },
            archive: "debian".to_owned(),
            path: "pool/a.deb".to_owned(),
            size: 7,
            sha256: Sha256::of(b"a"),
        };
        let control = "Package: other\n continued\nVersion: 9\npriority: optional\n\n\
             Depends: b,\n c\nInstalled-Size: 3\nDescription: a\n text\n .\n more\n\n";
        let controlled = |priority| Controlled {
            pin: &pin,
            control,
            priority,
        };
        let index = Index::of_pins([controlled(Some("required")), controlled(None)]);
        let index = index.expect("an index");
        let packages: Vec<_> = index.packages().collect();
        assert_eq!(packages.len(), 2);
        for package in &packages {
            assert_eq!((package.name(), package.version()), ("a", "1:2"));
            assert_eq!((package.path(), package.size()), ("pool/a.deb", 7));
            assert_eq!(package.depends().expect("relations").groups.len(), 2);
            assert_eq!(package.installed_size(), Some(3));
        }
        assert_eq!(packages[0].priority(), "required");
        assert_eq!(packages[1].priority(), "optional");
    }
}
