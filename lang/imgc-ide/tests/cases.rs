//! Every page of `cases/` holds cases of one feature: a project with a cursor, `$0` (or a
//! range, from one `$0` to another), and the answer as text. `IMGC_BLESS=1` writes the answers.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads its pages, and writes them when it is told to"
)]

mod support;

use std::path::PathBuf;

use support::{Fixture, answer};

/// The features, each with its page, and how many cases there are at least.
const LEAST: usize = 250;

fn pages() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(folder).expect("the folder of the pages");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.sort();
    pages
}

/// A case of a page: its title, what is asked, the project, and where the answer stands.
struct Case<'p> {
    title: &'p str,
    parameters: &'p str,
    project: &'p str,
    answer: std::ops::Range<usize>,
}

const PROJECT: &str = "````img";
const ANSWER: &str = "````answer\n";
const END: &str = "````\n";

fn cases(page: &str) -> Vec<Case<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(title) = page[at..].find("\n## ") {
        let title_start = at + title + 4;
        let title_end = title_start + page[title_start..].find('\n').expect("a line");
        let start = title_end + page[title_end..].find(PROJECT).expect("a project");
        let line_end = start + page[start..].find('\n').expect("a line") + 1;
        let end = line_end + page[line_end..].find(END).expect("the end of the project");
        let answer = end + page[end..].find(ANSWER).expect("an answer") + ANSWER.len();
        let answer_end = answer + page[answer..].find(END).expect("the end of the answer");
        found.push(Case {
            title: &page[title_start..title_end],
            parameters: page[start + PROJECT.len()..line_end].trim(),
            project: &page[line_end..end],
            answer: answer..answer_end,
        });
        at = answer_end;
    }
    found
}

#[test]
fn every_case_has_its_answer() {
    let bless = std::env::var_os("IMGC_BLESS").is_some();
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a page");
        let feature = path.file_stem().expect("a name").to_string_lossy();
        let mut written = String::new();
        let mut from = 0;
        for case in cases(&page) {
            count += 1;
            let fixture = Fixture::parse(case.project);
            let found = answer(&feature, case.parameters, &fixture);
            written.push_str(&page[from..case.answer.start]);
            written.push_str(&found);
            from = case.answer.end;
            let expected = &page[case.answer];
            if found != expected {
                let title = case.title;
                wrong.push(format!(
                    "{feature}: {title}\nexpected:\n{expected}\nfound:\n{found}"
                ));
            }
        }
        written.push_str(&page[from..]);
        if bless && written != page {
            std::fs::write(&path, written).expect("the page is written");
        }
    }
    assert!(bless || wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= LEAST, "{count} cases");
}
