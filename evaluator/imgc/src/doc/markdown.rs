//! Pages of the manual as Markdown.

use std::fmt::Write as _;

use super::page::{Entry, Page};

/// The pages, one after the other.
pub(super) fn pages(pages: &[Page]) -> String {
    let pages: Vec<String> = pages.iter().map(page).collect();
    pages.join("\n")
}

/// A list of links to pages.
pub(super) fn index(pages: &[Page], files: &[String]) -> String {
    let mut out = "# Modules\n\n".to_owned();
    for (page, file) in pages.iter().zip(files) {
        let first = page.text.lines().next().unwrap_or_default();
        // Writing to a string can't fail.
        let _ = writeln!(out, "- [{}]({file}): {first}", page.title);
    }
    out
}

fn page(page: &Page) -> String {
    let mut out = format!("# {}\n", page.title);
    if !page.text.is_empty() {
        let _ = write!(out, "\n{}\n", page.text.trim_end());
    }
    if let Some(ty) = &page.ty {
        code(&mut out, "", ty);
    }
    for (heading, entries) in &page.groups {
        if let Some(heading) = heading {
            let _ = write!(out, "\n## {heading}\n");
        }
        let level = if heading.is_some() { "###" } else { "##" };
        for one in entries {
            entry(&mut out, level, one);
        }
    }
    out
}

fn entry(out: &mut String, level: &str, entry: &Entry) {
    let private = if entry.private { " (private)" } else { "" };
    let _ = write!(out, "\n{level} `{}`{private}\n", entry.name);
    if entry.ty.is_some() {
        code(out, "", &entry.signature());
    }
    if !entry.text.is_empty() {
        let _ = write!(out, "\n{}\n", entry.text.trim_end());
    }
    if let Some((program, value)) = &entry.example {
        let value = if value.is_empty() {
            String::new()
        } else {
            format!("\n# {}", value.replace('\n', "\n# "))
        };
        code(out, "img", &format!("{program}{value}"));
    }
}

/// A block of code, with a fence that it does not hold.
fn code(out: &mut String, language: &str, text: &str) {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let _ = write!(out, "\n{fence}{language}\n{}\n{fence}\n", text.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_everything() {
        let entry = |name: &str, private| Entry {
            name: name.to_owned(),
            ty: Some("Int".to_owned()),
            private,
            text: "A number.".to_owned(),
            example: Some(("a + 1".to_owned(), "2".to_owned())),
        };
        let page = Page {
            title: "lib.img".to_owned(),
            text: "Numbers.".to_owned(),
            ty: None,
            groups: vec![(None, vec![entry("a", false), entry("b", true)])],
        };
        let text = pages(std::slice::from_ref(&page));
        assert_eq!(
            text,
            "# lib.img\n\nNumbers.\n\n## `a`\n\n```\na : Int\n```\n\nA number.\n\n```img\na + 1\n# 2\n```\n\
             \n## `b` (private)\n\n```\nb : Int\n```\n\nA number.\n\n```img\na + 1\n# 2\n```\n"
        );
        let index = index(&[page], &["lib.md".to_owned()]);
        assert_eq!(index, "# Modules\n\n- [lib.img](lib.md): Numbers.\n");
    }
}
