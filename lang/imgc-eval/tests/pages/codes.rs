//! Runs the programs of every code's page: the first one has the mistake that the page is
//! about, and the later ones have none.

use std::collections::BTreeSet;

use imgc_diag::codes::REGISTRY;
use imgc_diag::pages::page;

use crate::book::project;
use crate::support::{Block, blocks, run};

#[test]
fn every_page_of_a_code_holds() {
    let mut wrong = Vec::new();
    for entry in REGISTRY {
        let code = entry.code.to_string();
        // A page does not hold what nobody can see.
        let page = page(entry.code).replace("<U+202E>", "\u{202e}");
        if let Err(why) = holds(&code, &blocks(&page)) {
            wrong.push(format!("{code}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn holds(code: &str, blocks: &[Block]) -> Result<(), String> {
    let (mended, failing): (Vec<Block>, Vec<Block>) = blocks
        .iter()
        .cloned()
        .partition(|block| block.heading == "Mended");
    let marked = marks(&failing);
    if !marks(&mended).is_empty() || marked.iter().any(|marked| marked != code) {
        return Err(format!("marks another mistake than {code}"));
    }
    // What only building finds, or takes a source of megabytes, is shown as a text.
    let told = failing
        .iter()
        .any(|block| block.kind == "text" && block.text.starts_with(code));
    if marked.is_empty() && !told {
        return Err("neither marks the mistake nor shows its text".to_owned());
    }
    run(project(), &failing)?;
    let mut programs = 0;
    for (index, block) in mended.iter().enumerate() {
        if !is_program(block) {
            continue;
        }
        programs += 1;
        // Files are those of the first part, unless they are mended too.
        let replaced: BTreeSet<_> = mended.iter().filter_map(path).collect();
        let case: Vec<Block> = failing
            .iter()
            .filter(|block| path(block).is_some_and(|path| !replaced.contains(path)))
            .chain(mended.iter().filter(|block| path(block).is_some()))
            .chain(std::iter::once(&mended[index]))
            .cloned()
            .collect();
        run(project(), &case).map_err(|why| format!("mended:\n{why}"))?;
    }
    if programs == 0 {
        return Err("shows nothing mended".to_owned());
    }
    Ok(())
}

fn path(block: &Block) -> Option<&String> {
    block.words.get("path")
}

fn is_program(block: &Block) -> bool {
    block.kind == "img" && path(block).is_none()
}

/// The codes that programs say to expect.
fn marks(blocks: &[Block]) -> Vec<String> {
    blocks
        .iter()
        .filter(|block| block.kind == "img")
        .flat_map(|block| block.text.lines())
        .filter_map(|line| {
            let after = |mark| line.split_once(mark).map(|(_, rest)| rest);
            after("# error: ").or_else(|| after("# warning: "))
        })
        .filter_map(|rest| rest.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}
