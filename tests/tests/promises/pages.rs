//! Reads the pages of `tests/build`: steps under headings, each with what is done and
//! what a build then does. What the blocks mean is in [`super::edits`].

use std::collections::BTreeMap;

use imgc_tests::sandbox::repository;

/// A step: all blocks under one heading.
#[derive(Debug)]
pub(crate) struct Step {
    /// The heading.
    pub(crate) heading: String,
    /// The line of the heading, from 1 on.
    pub(crate) line: usize,
    /// Its blocks, in order.
    pub(crate) blocks: Vec<Block>,
}

/// A fenced block.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The first word after the fence.
    pub(crate) kind: String,
    /// The other words: `key=value`.
    pub(crate) words: BTreeMap<String, String>,
    /// What is in it.
    pub(crate) text: String,
}

/// The pages, by name.
pub(crate) fn pages() -> Vec<(String, Vec<Step>)> {
    let folder = repository().join("tests/build");
    let entries = std::fs::read_dir(folder).expect("the folder of the pages");
    let mut pages: Vec<(String, Vec<Step>)> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("a page");
            (name.into_owned(), steps(&text))
        })
        .collect();
    pages.sort_by(|a, b| a.0.cmp(&b.0));
    pages
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (&mut open, line) {
            (Some(_), "```") => {
                let step = steps.last_mut().expect("a block stands under a heading");
                step.blocks.extend(open.take());
            }
            (Some(block), line) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, line) => {
                if let Some(words) = line.strip_prefix("```") {
                    let mut words = words.split_whitespace();
                    open = Some(Block {
                        kind: words.next().unwrap_or_default().to_owned(),
                        words: words
                            .map(|word| word.split_once('=').expect("KEY=VALUE"))
                            .map(|(key, value)| (key.to_owned(), value.to_owned()))
                            .collect(),
                        text: String::new(),
                    });
                } else if let Some(heading) = line.strip_prefix("## ") {
                    steps.push(Step {
                        heading: heading.to_owned(),
                        line: index + 1,
                        blocks: Vec::new(),
                    });
                }
            }
        }
    }
    assert!(open.is_none(), "a block is not closed");
    steps.retain(|step| !step.blocks.is_empty());
    steps
}
