//! Every question is asked at every moment while the examples and the modules of imgc are
//! typed, and after every token was left out: nothing panics, and every range is one of
//! the text.
#![expect(
    clippy::disallowed_methods,
    reason = "the files of the repository are what is tested"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgc_diag::FileId;
use imgc_eval::MemoryWorld;
use imgc_ide::{Analysis, NoPackages, Workspace};
use imgc_syntax::{TextRange, TextSize};

fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.join("examples"), root.join("stdlib")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|end| end == "img") {
            let text = std::fs::read_to_string(&path).expect("a file");
            found.push((path.display().to_string(), text));
        }
    }
    found.sort();
    assert!(found.len() >= 4, "the examples and the modules");
    found
}

fn workspace() -> Workspace {
    let mut world = MemoryWorld::new().file("app.img", "");
    for (name, text) in imgc_stdlib::modules() {
        world = world.module(name, text);
    }
    let mut workspace = Workspace::new(Arc::new(world), Arc::new(NoPackages)).expect("threads");
    workspace.add("app.img");
    workspace
}

/// Asks everything at a byte.
fn ask(analysis: &Analysis, text: &str, offset: usize) {
    let file = FileId::new("app.img");
    let at = TextSize::new(offset as u32);
    let whole = TextRange::up_to(TextSize::of(text));
    let inside = |range: TextRange| {
        let range = std::ops::Range::<usize>::from(range);
        assert!(text.get(range.clone()).is_some(), "{range:?} in {text:?}");
    };
    let here = |file: &FileId, range: TextRange| {
        if file.as_str() == "app.img" {
            inside(range);
        }
    };
    let now = "nothing changes";
    if let Some(hover) = analysis.hover(&file, at).expect(now) {
        inside(hover.range);
    }
    for completion in analysis.completions(&file, at).expect(now) {
        inside(completion.range);
        completion
            .further
            .iter()
            .for_each(|edit| inside(edit.range));
    }
    analysis.signature(&file, at).expect(now);
    for found in analysis.definition(&file, at).expect(now) {
        here(&found.file, found.text_range());
    }
    for found in analysis.references(&file, at, true).expect(now) {
        here(&found.location.file, found.location.text_range());
    }
    analysis.highlights(&file, at).expect(now);
    if let Ok(changes) = analysis.rename(&file, at, "other").expect(now) {
        let edits = changes.values().flatten();
        edits.for_each(|edit| inside(edit.range));
    }
    let mut before = TextSize::new(0);
    for token in analysis.semantic_tokens(&file).expect(now) {
        inside(token.range);
        assert!(token.range.start() >= before, "tokens are in order");
        before = token.range.end();
    }
    for hint in analysis.inlay_hints(&file, whole, &[]).expect(now) {
        inside(TextRange::empty(hint.offset));
    }
    analysis.symbols(&file).expect(now);
    let found = analysis.diagnostics().expect(now);
    let found = found.get(&file).cloned().unwrap_or_default();
    let word = TextRange::new(at.checked_sub(3.into()).unwrap_or_default(), at);
    let word = if text.get(std::ops::Range::<usize>::from(word)).is_some() {
        word
    } else {
        TextRange::empty(at)
    };
    for action in analysis.actions(&file, word, &found).expect(now) {
        let edits = action.changes.values().flatten();
        edits.for_each(|edit| inside(edit.range));
    }
    for edit in imgc_ide::format(text) {
        inside(edit.range);
    }
    for typed in ['\n', ';', '}'] {
        let edits = imgc_ide::format_typed(text, at, typed);
        edits.iter().for_each(|edit| inside(edit.range));
    }
    let folds = analysis.folds(&file).expect(now);
    folds.iter().for_each(|fold| inside(fold.range));
    for range in analysis.selections(&file, at).expect(now) {
        inside(range);
    }
    analysis.links(&file).expect(now);
    analysis.lenses(&file, &[]).expect(now);
    analysis.callable(&file, at).expect(now);
    analysis.callers(&file, at).expect(now);
    analysis.callees(&file, at).expect(now);
}

#[test]
fn nothing_panics_while_programs_are_typed() {
    let mut workspace = workspace();
    for (name, text) in programs() {
        // The whole of the large ones takes long: every third character.
        let step = if text.len() > 2_000 { 5 } else { 1 };
        let moments = text.char_indices().step_by(step).map(|(at, _)| at);
        for at in moments.chain([text.len()]) {
            let typed: Arc<str> = text[..at].into();
            workspace.set_text("app.img", Some(typed.clone()));
            ask(&workspace.analysis(), &typed, at);
        }
        let analysis = workspace.analysis();
        let found = analysis.diagnostics().expect("nothing changes");
        // The others name files beside them.
        let is_alone = name.contains("python") || name.contains("stdlib");
        let errors = found.get(&FileId::new("app.img"));
        assert!(!is_alone || errors.is_none(), "{name}: {errors:?}");
    }
}

#[test]
fn nothing_panics_where_a_token_is_missing() {
    let mut workspace = workspace();
    for (_, text) in programs() {
        let parse = imgc_syntax::parse(&text);
        let step = if text.len() > 2_000 { 7 } else { 1 };
        for token in parse.syntax().tokens().step_by(step) {
            let range = std::ops::Range::<usize>::from(token.text_range());
            let broken = format!("{}{}", &text[..range.start], &text[range.end..]);
            workspace.set_text("app.img", Some(broken.as_str().into()));
            ask(&workspace.analysis(), &broken, range.start);
        }
    }
}
