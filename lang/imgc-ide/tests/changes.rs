//! A project that changes while it is asked: what is about an earlier moment ends, what
//! is unsaved stands over the disk, and what has not changed is not done again.

use std::sync::Arc;

use imgc_diag::FileId;
use imgc_eval::MemoryWorld;
use imgc_ide::{Cancelled, Evaluator, NoPackages, Workspace};
use imgc_syntax::TextSize;

fn world() -> MemoryWorld {
    MemoryWorld::new()
        .file(
            "main.img",
            "let lib = import ./lib.img; in { a = lib.one; }",
        )
        .file("lib.img", "{ one = 1; }")
}

fn workspace() -> Workspace {
    let workspace = Workspace::new(Arc::new(world()), Arc::new(NoPackages));
    let mut workspace = workspace.expect("threads");
    workspace.add("main.img");
    workspace.add("lib.img");
    workspace
}

#[test]
fn a_change_ends_what_is_being_asked() {
    let mut workspace = workspace();
    let analysis = workspace.analysis();
    let (started, start) = std::sync::mpsc::channel();
    let asking = std::thread::spawn(move || {
        let file = FileId::new("main.img");
        loop {
            let answer = analysis.hover(&file, TextSize::new(40));
            let _ = started.send(());
            if let Err(error) = answer {
                return error;
            }
        }
    });
    start.recv().expect("an answer before the change");
    workspace.set_text("lib.img", Some("{ one = 2; }".into()));
    // This waits until nobody looks at the project as it was.
    let analysis = workspace.analysis();
    assert_eq!(asking.join().expect("no panic"), Cancelled);
    let found = analysis.diagnostics().expect("nothing changes");
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_text_that_says_the_same_ends_nothing() {
    let mut workspace = workspace();
    let analysis = workspace.analysis();
    workspace.set_text("lib.img", Some("{ one = 1; }".into()));
    let after = workspace.analysis();
    for analysis in [analysis, after] {
        let found = analysis.diagnostics().expect("nothing changed");
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn what_is_not_saved_stands_over_the_disk() {
    let mut workspace = workspace();
    let errors = |workspace: &mut Workspace| {
        let found = workspace.analysis().diagnostics();
        let found = found.expect("nothing changes");
        found.values().flatten().count()
    };
    assert_eq!(errors(&mut workspace), 0);
    workspace.set_text("lib.img", Some("{ two = 1; }".into()));
    assert_eq!(errors(&mut workspace), 1);
    workspace.set_text("lib.img", None);
    assert_eq!(errors(&mut workspace), 0);
    // A file that is nowhere but in the editor.
    workspace.add("new.img");
    workspace.set_text("new.img", Some("{ a = none; }".into()));
    assert_eq!(errors(&mut workspace), 1);
    workspace.remove("new.img");
    workspace.set_text("new.img", None);
    assert_eq!(errors(&mut workspace), 0);
}

#[test]
fn one_file_alone_says_what_it_knows() {
    let mut workspace = workspace();
    workspace.set_text("main.img", Some("{ a = none; b = 1 + \"x\"; c = }".into()));
    let analysis = workspace.analysis();
    let file = FileId::new("main.img");
    let alone = analysis.file_diagnostics(&file).expect("nothing changes");
    let all = analysis.diagnostics().expect("nothing changes");
    assert_eq!(all.get(&file), Some(&alone));
    drop(analysis);
    // What an import that is broken may lack is nobody's mistake.
    workspace.set_text("lib.img", Some("{ one = ; two".into()));
    workspace.set_text("main.img", None);
    let analysis = workspace.analysis();
    let alone = analysis.file_diagnostics(&file).expect("nothing changes");
    assert!(alone.is_empty(), "{alone:?}");
}

#[test]
fn files_that_are_not_there_have_no_answers() {
    let mut workspace = workspace();
    let analysis = workspace.analysis();
    let file = FileId::new("none.img");
    let at = TextSize::new(0);
    assert_eq!(analysis.hover(&file, at), Ok(None));
    assert_eq!(analysis.definition(&file, at), Ok(Vec::new()));
    let refused = analysis.rename(&file, at, "x").expect("nothing changes");
    assert!(refused.is_err());
    assert_eq!(analysis.text(&file), Ok(None));
}

#[test]
fn evaluation_finds_what_values_are_wrong() {
    let mut evaluator = Evaluator::new(Arc::new(world()));
    let mut findings = |text: &str| {
        let texts = [("main.img".to_owned(), Arc::from(text))];
        evaluator.update(texts.into());
        let found = evaluator.findings("main.img").diagnostics;
        found
            .into_iter()
            .map(|found| found.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(findings("{ a = 1; }"), Vec::<String>::new());
    assert_eq!(
        findings("{ a = assert false else \"no\" then 1; }").len(),
        1
    );
    // What is wrong before evaluation is told by others.
    assert_eq!(findings("{ a = none; }"), Vec::<String>::new());
    // A function is not called.
    assert_eq!(
        findings("x => assert false else \"no\" then x"),
        Vec::<String>::new()
    );
    assert_eq!(findings("image { files = { \"/a\" = ./none; }; }").len(), 1);
}
