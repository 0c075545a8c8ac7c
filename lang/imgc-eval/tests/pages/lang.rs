//! Runs the cases of `tests/lang`: every construct, builtin and code of this crate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::support::{Block, blocks, pages, run, sources, text, world};

#[test]
fn every_case_holds() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, text) in pages("../../tests/lang") {
        let blocks = blocks(&text);
        for case in blocks.chunk_by(|a, b| a.heading == b.heading) {
            if !case.iter().any(|block| block.kind == "img") {
                continue;
            }
            count += 1;
            if let Err(why) = run(world(), case) {
                let Block { heading, line, .. } = &case[0];
                wrong.push(format!("{page}:{line}: {heading}\n{why}"));
            }
        }
    }
    assert!(count > 0, "there are cases");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_code_that_this_crate_gives_has_a_case() {
    let cases: String = pages("../../tests/lang").into_iter().map(|p| p.1).collect();
    // `pub const UNBOUND_NAME: Code = Code(201);`
    let registry = text("../imgc-diag/src/codes.rs");
    let numbers: BTreeMap<&str, &str> = registry
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.strip_suffix(");"))
        .filter_map(|line| line.split_once(": Code = Code("))
        .collect();
    let mut used = BTreeSet::new();
    for source in sources("src") {
        for piece in source.split("codes::").skip(1) {
            let end = piece.find(|c: char| !c.is_ascii_uppercase() && c != '_');
            used.insert(piece[..end.unwrap_or(piece.len())].to_owned());
        }
    }
    used.remove("");
    assert!(used.len() > 40, "{used:?}");
    let missing: Vec<&String> = used
        .iter()
        .filter(|name| !cases.contains(&format!(": IMG{:0>4}", numbers[name.as_str()])))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_builtin_has_a_case() {
    let text: String = pages("../../tests/lang")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    for doc in imgc_eval::builtin_docs() {
        assert!(text.contains(doc.name), "{}", doc.name);
    }
}

/// What a program that was cut or lost a word gives, does not matter: it ends, and
/// it never gives a plan and an error.
#[test]
fn damaged_programs_end() {
    let mut options = imgc_eval::Options::default();
    options.limits.steps = 20_000;
    let mut number = 0;
    for (_, text) in pages("../../tests/lang") {
        for block in blocks(&text).iter().filter(|block| block.kind == "img") {
            let words: Vec<&str> = block.text.split_inclusive([' ', ';', '.', '"']).collect();
            for skipped in 0..words.len() {
                // All of them are many: a few of each program are enough to find a panic.
                number += 1;
                if number % 20 != 0 {
                    continue;
                }
                let mut rest = words.clone();
                rest.remove(skipped);
                let is_cut = number % 40 == 0;
                let text = if is_cut {
                    words[..skipped].concat()
                } else {
                    rest.concat()
                };
                let world = Arc::new(world().file("main.img", &text));
                let evaluated = imgc_eval::evaluate(world, "main.img", &options);
                let errors = evaluated
                    .diagnostics
                    .iter()
                    .filter(|found| found.severity == imgc_diag::Severity::Error);
                assert_eq!(evaluated.plan.is_none(), errors.count() > 0, "{text}");
            }
        }
    }
}
