//! The dependency arrows: who may depend on whom. The book's architecture page lists
//! them, and this test holds the workspace to that list.
#![expect(clippy::disallowed_methods, reason = "tests read the repository")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};
use imgc_tests::sandbox::repository;

/// Each crate and the crates that an arrow leads to, as the book has it: the block
/// marked `arrows`, with lines `FROM -> TO, TO`. `*` stands for every crate.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let page = repository().join("book/src/contributing/architecture.md");
    let text = std::fs::read_to_string(page).expect("the book has an architecture page");
    let (_, rest) = text
        .split_once("```arrows\n")
        .expect("the page has a block of arrows");
    let (block, _) = rest.split_once("```").expect("the block ends");
    let mut arrows = BTreeMap::<String, BTreeSet<String>>::new();
    for line in block.lines() {
        let (from, to) = line.split_once("->").unwrap_or((line, ""));
        let to = to
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty());
        arrows.entry(from.trim().to_owned()).or_default().extend(to);
    }
    arrows
}

/// What can be reached over `arrows` from `from`.
fn reachable(arrows: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        for next in arrows.get(&name).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

/// Each crate of the workspace and the crates of the workspace that it depends on,
/// for itself or for its build script.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo describes the workspace");
    let names: BTreeSet<String> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let mut dependencies = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let own = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.clone())
            .filter(|name| names.contains(name))
            .collect();
        dependencies.insert(package.name.to_string(), own);
    }
    dependencies
}

#[test]
fn every_dependency_follows_the_arrows() {
    let arrows = arrows();
    let mut wrong = Vec::new();
    for (name, dependencies) in dependencies() {
        let allowed = reachable(&arrows, &name);
        if !arrows.contains_key(&name) {
            wrong.push(format!("{name} is not on the architecture page"));
        }
        if allowed.contains("*") {
            continue;
        }
        for dependency in dependencies.difference(&allowed) {
            wrong.push(format!("{name} -> {dependency}"));
        }
    }
    assert!(wrong.is_empty(), "not allowed: {wrong:#?}");
}

#[test]
fn the_arrows_have_no_circle() {
    let arrows = arrows();
    for name in arrows.keys() {
        assert!(
            !reachable(&arrows, name).contains(name),
            "{name} leads to itself"
        );
    }
}

#[test]
fn the_language_knows_nothing_of_building() {
    let mut folders = BTreeMap::new();
    for folder in ["lang", "evaluator"] {
        let listing = std::fs::read_dir(repository().join(folder)).expect("the folder is there");
        for entry in listing {
            let name = entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned();
            folders.insert(name, folder);
        }
    }
    let arrows = arrows();
    for (name, _) in folders.iter().filter(|(_, folder)| **folder == "lang") {
        for other in reachable(&arrows, name) {
            assert_ne!(
                folders.get(&other),
                Some(&"evaluator"),
                "{name} leads to {other}"
            );
        }
    }
}
