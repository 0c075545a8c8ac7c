//! A program that is well typed has a value, or says why not: it is never stuck, and
//! never stops without a word.
#![no_main]

#[path = "../../../lang/imgc-eval/tests/properties/programs.rs"]
mod programs;

use std::sync::Arc;

use imgc_eval::{Limits, MemoryWorld, Options, Session};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = programs::Maker::new(bytes).file();
    let options = Options {
        limits: Limits {
            steps: 1_000_000,
            bytes: 64 << 20,
        },
        ..Options::default()
    };
    let world = Arc::new(MemoryWorld::new().file("main.img", &text));
    let mut session = Session::new(world);
    let shown = session.show("main.img", &options);
    let errors: Vec<_> = shown
        .diagnostics
        .iter()
        .filter(|d| d.severity == imgc_diag::Severity::Error)
        .collect();
    assert_eq!(shown.text.is_none(), !errors.is_empty(), "{text}\n{errors:?}");
    // Only a budget may end what is well typed.
    assert!(
        errors.iter().all(|d| d.code == imgc_diag::codes::BUDGET_EXCEEDED),
        "{text}\n{errors:?}"
    );
});
