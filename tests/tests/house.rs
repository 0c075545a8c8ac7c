//! The rules of the house that no compiler checks.
#![expect(clippy::disallowed_methods, reason = "tests read the repository")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use imgc_tests::sandbox::repository;

/// The longest that a source file may be, in lines.
const LONGEST: usize = 900;

/// Every file of the repository by its path in it, without what builds leave.
fn files() -> BTreeMap<String, PathBuf> {
    fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<String, PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
            let path = entry.expect("an entry").path();
            let name = path
                .strip_prefix(root)
                .expect("below the root")
                .to_string_lossy()
                .into_owned();
            let kind = path.symlink_metadata().expect("it is there").file_type();
            let left = name.ends_with(".oci") || name.ends_with("imgc.lock");
            if left || ["target", "tests/fuzz/target", ".git", "book/book"].contains(&&*name) {
                continue;
            }
            if kind.is_dir() {
                walk(&path, root, files);
            } else if kind.is_file() {
                files.insert(name, path);
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(&repository(), &repository(), &mut files);
    files
}

/// The Rust sources, with their text.
fn sources() -> impl Iterator<Item = (String, String)> {
    let rust = files()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".rs"));
    rust.map(|(name, path)| {
        (
            name,
            std::fs::read_to_string(path).expect("a source is UTF-8"),
        )
    })
}

#[test]
fn every_source_says_what_it_is_and_stays_short() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        if !text.starts_with("//! ") {
            wrong.push(format!("{name} does not begin with `//!`"));
        }
        let lines = text.lines().count();
        if lines > LONGEST {
            wrong.push(format!("{name} has {lines} lines"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_tests_start_processes() {
    for (name, text) in sources() {
        let starts = text.contains("process::Command") || text.contains("Command::new(");
        assert!(
            name.starts_with("tests/") || !starts,
            "{name} may start a process"
        );
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let names = files()
        .into_iter()
        .filter(|(name, _)| name.ends_with("/Cargo.toml"))
        // The fuzzer is no member of the workspace: its entry points are made by a macro.
        .filter(|(name, _)| name != "tests/fuzz/Cargo.toml");
    for (name, path) in names {
        let text = std::fs::read_to_string(path).expect("a manifest is UTF-8");
        let manifest: toml::Table = text.parse().expect("a manifest is TOML");
        let inherits = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        assert_eq!(inherits, Some(&toml::Value::Boolean(true)), "{name}");
    }
}

#[test]
fn no_file_names_a_package_registry() {
    let hosts = registries();
    for (name, path) in files() {
        // Cargo writes its registry there, and nobody reads it.
        if name == "Cargo.lock" {
            continue;
        }
        let bytes = std::fs::read(path).expect("a file of the repository");
        let text = String::from_utf8_lossy(&bytes);
        for host in &hosts {
            assert!(!text.contains(host), "{name} names the registry {host}");
        }
    }
}

/// The hosts that this machine's apt sources name, in comments too. Where there are
/// none, there is nothing to compare with.
fn registries() -> BTreeSet<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(listing) = std::fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(listing.flatten().map(|entry| entry.path()));
    }
    let mut hosts = BTreeSet::new();
    for text in files
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok())
    {
        for rest in text.split("://").skip(1) {
            let end = rest.find(['/', ' ', '\n', ':']).unwrap_or(rest.len());
            let host = &rest[..end];
            // Loopback, and names of a local network, are no registry's.
            if host.contains('.') && host.contains(|c: char| c.is_ascii_alphabetic()) {
                hosts.insert(host.to_owned());
            }
        }
    }
    hosts
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let text = std::fs::read_to_string(repository().join("deny.toml")).expect("deny.toml");
    let deny: toml::Table = text.parse().expect("deny.toml is TOML");
    let allowed = deny["licenses"]["allow"]
        .as_array()
        .expect("a list of licences");
    let allowed: BTreeSet<&str> = allowed.iter().filter_map(toml::Value::as_str).collect();
    let options = ["--offline", "--locked"].map(str::to_owned).to_vec();
    // Only this platform's packages are sure to be on the machine.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .other_options([options, vec!["--filter-platform".to_owned(), platform]].concat())
        .exec()
        .expect("cargo describes the dependencies");
    let used: BTreeSet<_> = metadata
        .resolve
        .as_ref()
        .expect("a resolved graph")
        .nodes
        .iter()
        .map(|node| &node.id)
        .collect();
    for package in metadata
        .packages
        .iter()
        .filter(|package| used.contains(&package.id))
    {
        let licence = package.license.as_deref().unwrap_or("no licence");
        assert!(permits(licence, &allowed), "{}: {licence}", package.name);
    }
}

/// Whether `allowed` suffices for an SPDX expression: for one side of each `OR`, and
/// for both of each `AND`. `/` is cargo's old `OR`.
fn permits(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any(&tokens, &mut at, allowed) && at == tokens.len()
}

fn any(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let mut good = all(tokens, at, allowed);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        good |= all(tokens, at, allowed);
    }
    good
}

fn all(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let mut good = one(tokens, at, allowed);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        good &= one(tokens, at, allowed);
    }
    good
}

fn one(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let first = tokens.get(*at).copied().unwrap_or_default();
    *at += 1;
    if first == "(" {
        let good = any(tokens, at, allowed);
        *at += 1;
        return good;
    }
    if tokens.get(*at) == Some(&"WITH") {
        let exception = tokens.get(*at + 1).copied().unwrap_or_default();
        *at += 2;
        return allowed.contains(&*format!("{first} WITH {exception}"));
    }
    allowed.contains(first)
}

#[test]
fn reads_licence_expressions() {
    let allowed = BTreeSet::from(["MIT", "Unicode-3.0"]);
    for good in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/Apache-2.0",
        "(MIT OR ISC) AND Unicode-3.0",
    ] {
        assert!(permits(good, &allowed), "{good}");
    }
    for bad in [
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "Apache-2.0 WITH LLVM-exception",
        "",
    ] {
        assert!(!permits(bad, &allowed), "{bad}");
    }
}

#[test]
fn every_module_that_comes_with_imgc_is_embedded_and_has_an_example() {
    let files = files();
    let text = |path: &Path| std::fs::read_to_string(path).expect("a file of the repository");
    let embedded = text(&files["stdlib/src/lib.rs"]);
    let examples: String = files
        .iter()
        .filter(|(name, _)| name.starts_with("examples/") || name.starts_with("stdlib/"))
        .filter(|(name, _)| name.ends_with(".img"))
        .map(|(_, path)| text(path))
        .collect();
    let modules = files.keys().filter_map(|name| {
        let file = name.strip_prefix("stdlib/")?;
        file.strip_suffix(".img")
    });
    for module in modules {
        assert!(embedded.contains(&format!("(\"{module}\", ")), "{module}");
        let used = examples
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .any(|line| line.ends_with(&format!("import std/{module};")));
        assert!(used, "nothing imports std/{module}");
    }
}
