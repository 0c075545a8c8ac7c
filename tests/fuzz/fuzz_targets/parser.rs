//! Any text has a tree whose text it is. Errors and their fixes lie in the text, and no
//! accessor of the typed tree panics.
#![no_main]

use imgc_syntax::ast::{AstNode as _, Expr};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parse = imgc_syntax::parse(text);
    assert_eq!(parse.syntax().to_string(), text);
    for error in parse.errors() {
        let range = error.range;
        assert!(text.get(usize::from(range.start())..usize::from(range.end())).is_some());
    }
    for node in parse.syntax().descendants() {
        if let Some(expr) = Expr::cast(node) {
            let _ = format!("{expr:?}");
        }
    }
});
