//! The book: every page is in its table of contents, and every link in the
//! repository's prose leads to something.
#![expect(clippy::disallowed_methods, reason = "tests read the repository")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use imgc_tests::sandbox::repository;

/// The Markdown files below `folder`.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The targets of the links in `text`, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second part is between backticks.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        for rest in prose.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                found.push(target.to_owned());
            }
        }
    }
    found
}

/// The anchors of the headings of a page, as mdBook makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .replace(' ', "-");
        title
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
            .collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let source = repository().join("book/src");
    let summary = std::fs::read_to_string(source.join("SUMMARY.md")).expect("a summary");
    let listed: BTreeSet<PathBuf> = links(&summary)
        .into_iter()
        .map(|link| source.join(link))
        .collect();
    let pages: BTreeSet<PathBuf> = pages(&source)
        .into_iter()
        .filter(|page| !page.ends_with("SUMMARY.md"))
        .collect();
    assert_eq!(listed, pages);
}

#[test]
fn every_link_leads_somewhere() {
    let root = repository();
    let mut all = pages(&root.join("book/src"));
    all.extend(pages(&root.join("examples")));
    for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        all.push(root.join(name));
    }
    for page in all {
        let text = std::fs::read_to_string(&page).expect("a page is UTF-8");
        for link in links(&text)
            .into_iter()
            .filter(|link| !link.contains("://"))
        {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                page.parent().expect("a page is in a folder").join(path)
            };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&target).expect("a page is UTF-8");
                assert!(
                    anchors(&text).contains(anchor),
                    "{}: {link}",
                    page.display()
                );
            }
        }
    }
}
