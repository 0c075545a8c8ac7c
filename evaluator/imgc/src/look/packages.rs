//! The Debian packages of an image, as its own database has them: dpkg's, or the folder of
//! stanzas that images without dpkg have.

use std::collections::BTreeMap;

use imgc_oci::read::{Limits, Opened, ReadError};
use imgc_tree::{Content, Kind, Tree, TreePath};
use serde::Serialize;

const STATUS: &[u8] = b"var/lib/dpkg/status";
const FOLDER: &[u8] = b"var/lib/dpkg/status.d";

/// No database is larger, in bytes, and no folder of stanzas in all.
const LARGEST: u64 = 256 << 20;

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) arch: String,
}

/// The packages of an image, sorted. None where it has no database.
pub(super) fn of(image: &Opened<'_>, tree: &Tree) -> Result<Option<Vec<Package>>, ReadError> {
    let mut contents: Vec<&Content> = Vec::new();
    let mut is_there = false;
    let resolved = |path: &[u8]| tree.resolve(&TreePath::new(path).ok()?);
    if let Some(Kind::Regular(content)) = resolved(STATUS)
        .and_then(|path| tree.get(&path))
        .map(|node| &node.kind)
    {
        is_there = true;
        contents.push(content);
    }
    if let Some(folder) = resolved(FOLDER) {
        for (path, ino) in tree.children(&folder) {
            if let Kind::Regular(content) = &tree.node(ino).kind
                && !path.name().ends_with(b".md5sums")
            {
                is_there = true;
                contents.push(content);
            }
        }
    }
    let size = contents.iter().map(|content| content.size);
    if size.fold(0, u64::saturating_add) > LARGEST {
        return Err(ReadError::Document {
            name: "/var/lib/dpkg/status".to_owned(),
            problem: format!("it is larger than {LARGEST} bytes"),
        });
    }
    if !is_there {
        return Ok(None);
    }
    let mut packages = Vec::new();
    for bytes in image.read(&contents, &Limits::IMAGE)? {
        parse(&String::from_utf8_lossy(&bytes), &mut packages);
    }
    packages.sort();
    packages.dedup();
    Ok(Some(packages))
}

/// The packages of a list by the names under which lists are compared: with the
/// architecture, where a list has several of one name.
pub(super) fn by_name(packages: &[Package]) -> BTreeMap<String, &Package> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages {
        *count.entry(&package.name).or_default() += 1;
    }
    let keyed = packages.iter().map(|package| {
        let name = match count[package.name.as_str()] {
            1 => package.name.clone(),
            _ => format!("{}:{}", package.name, package.arch),
        };
        (name, package)
    });
    keyed.collect()
}

/// Reads stanzas. What is none is passed over: a foreign database may be damaged.
fn parse(text: &str, packages: &mut Vec<Package>) {
    for stanza in text.split("\n\n") {
        let field = |wanted: &str| {
            let mut lines = stanza.lines().filter_map(|line| line.split_once(':'));
            let found = lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.trim())
        };
        // `install ok installed`; stanzas beside dpkg say nothing of it.
        let state = field("Status").and_then(|status| status.rsplit(' ').next());
        if matches!(state, Some("config-files" | "not-installed")) {
            continue;
        }
        if let (Some(name), Some(version)) = (field("Package"), field("Version")) {
            packages.push(Package {
                name: name.to_owned(),
                version: version.to_owned(),
                arch: field("Architecture").unwrap_or_default().to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_installed() {
        let text = "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\
                    Description: x\n Version: 3\n\n\
                    Package: b\nStatus: deinstall ok config-files\nVersion: 2\n\n\
                    package: c\nversion: 3:4-5\n\nnothing\n\n";
        let mut packages = Vec::new();
        parse(text, &mut packages);
        let names: Vec<_> = packages
            .iter()
            .map(|package| (&*package.name, &*package.version, &*package.arch))
            .collect();
        assert_eq!(names, [("a", "1", "all"), ("c", "3:4-5", "")]);
    }
}
