//! The page of builtins is made from the table in the code, and its examples are run.
//! `IMGC_BLESS=1` writes the page.

use std::fmt::Write as _;

use imgc_eval::BuiltinDoc;

use crate::book::project;
use crate::support::{blocks, run};

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../book/src/language/builtins.md"
);

/// The order of the subjects. Others follow by name.
const SUBJECTS: &[&str] = &[
    "Lists",
    "Maps",
    "Strings",
    "Numbers",
    "Regular expressions",
    "Files",
    "Data",
    "Hashes",
    "Templates",
    "Images",
];

const HEAD: &str = "\
# Builtins

These names are there in every file. A binding of the same name hides one. The list, map or string that a builtin works on is its
last argument, so that `|>` reads well. How to read the [types](types.md) has its own page.
";

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the page is a file of the repository"
)]
fn the_page_of_builtins_is_the_table() {
    let page = render();
    if std::env::var_os("IMGC_BLESS").is_some() {
        std::fs::write(PAGE, &page).expect("the page can be written");
    }
    let found = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        found == page,
        "builtins.md is not what the table says: write it with IMGC_BLESS=1"
    );
}

#[test]
fn every_example_has_its_value() {
    let mut wrong = Vec::new();
    for doc in imgc_eval::builtin_docs() {
        if doc.example.is_empty() || doc.text.is_empty() || doc.subject.is_empty() {
            wrong.push(format!("{}: has no text, subject or example", doc.name));
        } else if !doc.example.contains(doc.name) {
            wrong.push(format!("{}: its example does not use it", doc.name));
        } else if let Err(why) = run(project(), &blocks(&example(doc))) {
            wrong.push(format!("{}:\n{why}", doc.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The page.
fn render() -> String {
    let docs: Vec<&BuiltinDoc> = imgc_eval::builtin_docs().collect();
    let mut subjects: Vec<&str> = docs.iter().map(|doc| doc.subject).collect();
    subjects.sort_unstable_by_key(|subject| {
        let known = SUBJECTS.iter().position(|known| known == subject);
        (known.unwrap_or(SUBJECTS.len()), *subject)
    });
    subjects.dedup();
    let mut page = HEAD.to_owned();
    page.push_str("\n| about | builtins |\n| --- | --- |\n");
    for subject in &subjects {
        let names: Vec<String> = of(&docs, subject)
            .map(|doc| format!("[`{0}`](#{1})", doc.name, doc.name.to_lowercase()))
            .collect();
        let anchor = subject.to_lowercase().replace(' ', "-");
        let names = names.join(" ");
        writeln!(page, "| [{subject}](#{anchor}) | {names} |").expect("a string takes all");
    }
    for subject in &subjects {
        write!(page, "\n## {subject}\n").expect("a string takes all");
        for doc in of(&docs, subject) {
            let BuiltinDoc {
                name,
                signature,
                text,
                ..
            } = doc;
            write!(
                page,
                "\n### `{name}`\n\n```text\n{name} : {signature}\n```\n\n{text}\n\n{}",
                example(doc)
            )
            .expect("a string takes all");
        }
    }
    page
}

fn of<'a>(
    docs: &'a [&'a BuiltinDoc],
    subject: &'a str,
) -> impl Iterator<Item = &'a &'a BuiltinDoc> {
    docs.iter().filter(move |doc| doc.subject == subject)
}

/// The blocks of a builtin's example.
fn example(doc: &BuiltinDoc) -> String {
    let mut text = format!("```img\n{}\n```\n", doc.example.trim_end());
    if !doc.value.is_empty() {
        write!(text, "\n```value\n{}\n```\n", doc.value).expect("a string takes all");
    }
    text
}
