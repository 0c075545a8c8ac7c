//! Two trees, two lists of packages, two configurations, side by side. Pure.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use imgc_apt::compare_versions;
use imgc_oci::Descriptor;
use imgc_oci::read::Opened;
use imgc_plan::CAPABILITY_ATTRIBUTE;
use imgc_tree::{Kind, Node, Tree};
use serde_json::Value;

use super::{Changed, File, Files, Layers};
use crate::look::packages::{Package, by_name};
use crate::look::words;

/// Packages that are not the same, by name.
pub(super) fn packages(before: &[Package], after: &[Package]) -> Vec<Changed> {
    let (before, after) = (by_name(before), by_name(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        let is_same = |old: &Package, new: &Package| {
            compare_versions(&old.version, &new.version).is_eq() && old.arch == new.arch
        };
        if matches!((old, new), (Some(old), Some(new)) if is_same(old, new)) {
            continue;
        }
        let order = match (old, new) {
            (Some(old), Some(new)) => compare_versions(&old.version, &new.version),
            _ => Ordering::Less,
        };
        let archs = match (old, new) {
            (Some(old), Some(new)) => old.arch != new.arch,
            _ => false,
        };
        let shown = |package: &&Package| match archs {
            true => format!("{} {}", package.version, package.arch),
            false => package.version.clone(),
        };
        changes.push(Changed {
            name: name.clone(),
            before: old.map(shown),
            after: new.map(shown),
            older: order.is_gt(),
        });
    }
    changes
}

/// What is not the same in two maps of texts.
pub(super) fn maps(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<Changed> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = names.into_iter().filter_map(|name| {
        let (old, new) = (before.get(name), after.get(name));
        (old != new).then(|| Changed {
            name: name.clone(),
            before: old.cloned(),
            after: new.cloned(),
            older: false,
        })
    });
    changes.collect()
}

/// What an image's configuration says, a line each.
pub(super) fn config(image: &Opened<'_>) -> BTreeMap<String, String> {
    let configuration = &image.configuration;
    let mut all = BTreeMap::from([("Platform".to_owned(), configuration.platform())]);
    for (name, value) in [
        ("Created", &configuration.created),
        ("Author", &configuration.author),
    ] {
        if let Some(value) = value {
            all.insert(name.to_owned(), value.clone());
        }
    }
    for (name, value) in configuration.settings() {
        match value {
            Value::Array(list) if name == "Env" => {
                for one in list {
                    let text = shown(one);
                    let (key, value) = text.split_once('=').unwrap_or((&text, ""));
                    all.insert(format!("Env.{key}"), value.to_owned());
                }
            }
            value => flatten(name, value, &mut all),
        }
    }
    for (name, value) in &image.annotations {
        all.insert(format!("Annotations.{name}"), value.clone());
    }
    all
}

/// The entries of a map a line each, everything else in one.
pub(super) fn flatten(name: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let value = match value {
                    Value::Object(map) if map.is_empty() => "yes".to_owned(),
                    value => shown(value),
                };
                all.insert(format!("{name}.{key}"), value);
            }
        }
        Value::Null => {}
        Value::Array(list) if list.is_empty() => {}
        value => {
            all.insert(name.to_owned(), shown(value));
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Which layers two images have in common.
pub(super) fn layers(before: &Opened<'_>, after: &Opened<'_>) -> Layers {
    let of = |image: &Opened<'_>| -> BTreeSet<Descriptor> {
        image.layers.iter().map(|layer| layer.descriptor).collect()
    };
    let (old, new) = (of(before), of(after));
    let documents: BTreeSet<Descriptor> = documents(after)
        .into_iter()
        .filter(|document| !self::documents(before).contains(document))
        .collect();
    let added = new.difference(&old).chain(&documents);
    Layers {
        shared: old.intersection(&new).count(),
        added: new.difference(&old).count(),
        removed: old.difference(&new).count(),
        pull: added.map(|one| one.size).fold(0, u64::saturating_add),
    }
}

fn documents(image: &Opened<'_>) -> Vec<Descriptor> {
    let all = image.manifest.iter().chain([&image.config]);
    all.map(|document| document.descriptor).collect()
}

/// Names that are not the same in two trees. Times are not looked at.
pub(super) fn files(before: &Tree, after: &Tree, list: bool) -> Files {
    let mut files = Files {
        list: list.then(Vec::new),
        ..Files::default()
    };
    let mut others = after.iter().peekable();
    for (path, node) in before.iter() {
        while let Some((path, _)) = others.next_if(|(other, _)| *other < path) {
            files.note(words::path(path), "added", Vec::new());
        }
        match others.next_if(|(other, _)| *other == path) {
            None => files.note(words::path(path), "removed", Vec::new()),
            Some((_, other)) => {
                let what = what_differs(node, other);
                if !what.is_empty() {
                    files.note(words::path(path), "changed", what);
                }
            }
        }
    }
    for (path, _) in others {
        files.note(words::path(path), "added", Vec::new());
    }
    files
}

impl Files {
    pub(super) fn note(&mut self, path: String, change: &'static str, what: Vec<&'static str>) {
        match change {
            "added" => self.added += 1,
            "removed" => self.removed += 1,
            _ => self.changed += 1,
        }
        if let Some(list) = &mut self.list {
            list.push(File { path, change, what });
        }
    }
}

fn what_differs(old: &Node, new: &Node) -> Vec<&'static str> {
    let mut what = Vec::new();
    match (&old.kind, &new.kind) {
        (a, b) if a == b => {}
        (Kind::Regular(_), Kind::Regular(_)) => what.push("content"),
        (Kind::Symlink(_), Kind::Symlink(_)) => what.push("target"),
        (Kind::CharDevice { .. }, Kind::CharDevice { .. })
        | (Kind::BlockDevice { .. }, Kind::BlockDevice { .. }) => what.push("device"),
        _ => what.push("kind"),
    }
    if old.meta.mode != new.meta.mode {
        what.push("mode");
    }
    if (old.meta.uid, old.meta.gid) != (new.meta.uid, new.meta.gid) {
        what.push("owner");
    }
    if capabilities(old) != capabilities(new) {
        what.push("capabilities");
    }
    if !others(old).eq(others(new)) {
        what.push("attributes");
    }
    what
}

fn capabilities(node: &Node) -> Option<&Vec<u8>> {
    node.meta.xattrs.get(CAPABILITY_ATTRIBUTE)
}

/// The extended attributes that are no capabilities.
fn others(node: &Node) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    let all = node.meta.xattrs.iter();
    all.filter(|(name, _)| *name != CAPABILITY_ATTRIBUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, arch: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            arch: arch.to_owned(),
        }
    }

    #[test]
    fn packages_are_compared_as_dpkg_does() {
        let before = [
            package("a", "1.9", "all"),
            package("b", "2", "all"),
            package("c", "1.0", "all"),
            package("d", "1", "amd64"),
            package("d", "1", "i386"),
        ];
        let after = [
            package("a", "1.10", "all"),
            package("b", "2~rc1", "all"),
            package("c", "0:1.0", "all"),
            package("d", "1", "amd64"),
            package("d", "2", "i386"),
            package("e", "1", "all"),
        ];
        let changes = packages(&before, &after);
        let shown: Vec<String> = changes
            .iter()
            .map(|change| {
                let text = |side: &Option<String>| side.clone().unwrap_or_default();
                let older = if change.older { " older" } else { "" };
                format!(
                    "{} {}>{}{older}",
                    change.name,
                    text(&change.before),
                    text(&change.after)
                )
            })
            .collect();
        assert_eq!(
            shown,
            ["a 1.9>1.10", "b 2>2~rc1 older", "d:i386 1>2", "e >1"]
        );
    }
}
