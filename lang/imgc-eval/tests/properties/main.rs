//! What holds for every program.

mod programs;

use std::sync::Arc;

use imgc_diag::{Severity, codes};
use imgc_eval::{Limits, MemoryWorld, Options, Session};
use programs::Maker;
use proptest::prelude::*;

/// What a program shows, its type, and its errors.
fn run(text: &str) -> (Option<String>, Option<String>, Vec<String>) {
    let options = Options {
        limits: Limits {
            steps: 2_000_000,
            bytes: 64 << 20,
        },
        ..Options::default()
    };
    let world = Arc::new(MemoryWorld::new().file("main.img", text));
    let mut session = Session::new(world);
    let shown = session.show("main.img", &options);
    let errors = shown
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .filter(|found| found.code != codes::BUDGET_EXCEEDED)
        .map(|found| {
            format!(
                "{} {} at {:?}",
                found.code, found.message, found.primary.span
            )
        });
    let errors = errors.collect();
    (shown.text, session.type_of("main.img", None), errors)
}

/// Bindings of a generated file in another order.
fn reordered(text: &str) -> String {
    let (head, body) = text.split_once("\nin\n").expect("a generated file");
    let mut bindings: Vec<&str> = Vec::new();
    let head = head.strip_prefix("let\n").expect("a generated file");
    // Each binding begins in column 3 with its name.
    let starts: Vec<usize> = head
        .match_indices("  v")
        .map(|(at, _)| at)
        .filter(|&at| at == 0 || head.as_bytes()[at - 1] == b'\n')
        .collect();
    for (n, &start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(head.len());
        bindings.push(head[start..end].trim_end());
    }
    bindings.reverse();
    format!("let\n{}\nin\n{body}", bindings.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is well typed has a value: it is never stuck.
    #[test]
    fn well_typed_programs_have_values(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let text = Maker::new(&bytes).file();
        let (value, ty, errors) = run(&text);
        prop_assert!(errors.is_empty(), "{text}\n{errors:#?}");
        prop_assert!(ty.is_some(), "{text}");
        prop_assert!(value.is_some(), "{text}");
    }

    /// The order of bindings means nothing: not for types, not for values.
    #[test]
    fn order_means_nothing(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let text = Maker::new(&bytes).file();
        let other = reordered(&text);
        let ((value, ty, errors), turned) = (run(&text), run(&other));
        prop_assert!(errors.is_empty(), "{text}\n{errors:#?}");
        prop_assert_eq!((value, ty), (turned.0, turned.1), "{}\n{}", text, other);
    }

    /// Formatting changes neither types nor values.
    #[test]
    fn formatting_means_nothing(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = Maker::new(&bytes).file();
        let other = imgc_syntax::format(&text).expect("a program without errors has a form");
        prop_assert_eq!(run(&text), run(&other), "{}\n{}", text, other);
    }
}

/// The type that is shown, written as an annotation, is a type that the program has.
#[test]
fn shown_types_can_be_written() {
    let sources = [
        "{ name = \"a\"; ports = [1, 2]; }",
        "x => x",
        "r => r.name + \"x\"",
        "{ a, b ? 1 } => a + b",
        "if true then Some 1 else None",
        "map",
        "fold",
        "m => match m { On => 1; Off n => n; }",
        "toMap [{ name = \"a\"; value = [1]; }]",
        "f => g => x => f (g x)",
    ];
    for source in sources {
        let (_, ty, errors) = run(source);
        assert!(errors.is_empty(), "{source}: {errors:?}");
        let ty = ty.expect("a type");
        let annotated = format!("let it : {ty} = {source}; in it");
        let (_, again, errors) = run(&annotated);
        assert!(errors.is_empty(), "{annotated}: {errors:?}");
        assert_eq!(again.as_deref(), Some(ty.as_str()), "{annotated}");
    }
}
